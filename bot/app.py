"""The only place where things are made and connected."""

from __future__ import annotations

import asyncio
import logging
import os
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from functools import partial
from random import SystemRandom
from typing import IO, Any

from bot.channels.telegram import Telegram
from bot.channels.telegram.commands import LOOK, CommandLists
from bot.channels.telegram.webhook import Webhook
from bot.channels.webchat import WebChat
from bot.clock import SETTLED, Clock, Skew
from bot.inbox import Inbox, stopped
from bot.limits import Patience
from bot.links import learned, web_link
from bot.metrics import Meter
from bot.opening import alone, bring_up_to_date
from bot.polling import Polling
from bot.settings import Settings
from bot.watch import Watch
from bot.web.doorway import most_connections
from bot.web.hook import Hook
from bot.web.server import Demo, WebServer
from bot.web.watching import WatchServer
from content import disk
from content.checked import Checked, fingerprint
from content.packs import Packs, load_packs
from content.source import ContentError, Problem
from content.words import Words, load_words
from db import figures, house, outbox
from db.json_text import from_text
from db.lead import KEEP, Lead, holder, listen
from db.models import Cause, Lane, OutState
from db.session import Database, settled
from handlers.registry import COMMAND_NAMES, build_registry
from handlers.talk import House
from scheduler import troubles
from scheduler.alarms import Alarms
from scheduler.copies import Said
from scheduler.delivery import FAR, Delivery, Rejected, Slots, window_for
from scheduler.downtime import Doors, Shut
from scheduler.timetable import JOBS, LOST_TIME, Job, Timetable, Work
from scheduler.troubles import SKEW, Name

log = logging.getLogger(__name__)

SLOW = 30.0
"""Seconds within which Telegram answers a process that has just started."""
WEB_RATE = 1000.0
"""Messages a second to our own page; it has no platform that could refuse."""


def facts(settings: Settings) -> dict[str, str]:
    """What every text may name."""
    return {
        "organisation": settings.organisation,
        "hotline": settings.hotline,
        "duty_line": settings.duty_line,
    }


def load_content(settings: Settings, *, checked: bool = False) -> tuple[Words, Packs]:
    """The words and packs. Raises ContentError with every problem of both; what was `checked` before is believed."""
    problems: list[Problem] = []
    try:
        words = load_words(facts(settings), checked=checked)
    except ContentError as error:
        problems += error.problems
    try:
        packs = load_packs(COMMAND_NAMES, settings.names_of_days, checked=checked)
    except ContentError as error:
        problems += error.problems
    if problems:
        raise ContentError(problems)
    return words, packs


class App:
    """A running bot: doors, inbox, delivery, timetable and web server over one database."""

    def __init__(
        self, settings: Settings, clock: Clock, lock: IO[str] | None, database: Database, words: Words, packs: Packs
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.database = database
        self.words = words
        self.packs = packs
        self.files = settings.data_dir / "files"
        disk.make_folder(self.files)
        self.webchat = WebChat(database, settings.data_dir, now=clock.now)
        token = settings.telegram_token.get_secret_value()
        window = window_for(settings.rate_per_second, FAR)
        self.telegram = (
            Telegram(token, settings.telegram_api, self.files, sleep=clock.sleep, window=window) if token else None
        )
        if self.telegram is not None and settings.telegram_webhook:
            self.telegram.webhook = Webhook.of(token, settings.web_address)
        channels: dict[str, Telegram | WebChat] = {"webchat": self.webchat}
        if self.telegram is not None:
            channels["telegram"] = self.telegram
        self.channels: Mapping[str, Telegram | WebChat] = channels
        self.house = House(
            words=words,
            registry=build_registry(words),
            packs=packs,
            rng=SystemRandom(),
            organisation=settings.organisation,
            hotline=settings.hotline,
            duty_line=settings.duty_line,
            files=self.files,
            silence=settings.silence,
            erasing=frozenset(name for name, channel in channels.items() if channel.can_erase),
            hide_unreviewed=settings.unreviewed == "hide",
        )
        self.meter = Meter()
        self._began = clock.monotonic()
        self._skew = skew = Skew(clock)
        self.lead = Lead(database, clock.monotonic) if database.shared else None
        self.deliveries = self._make_deliveries()
        self.inbox = Inbox(
            database,
            self.house,
            channels,
            now=clock.now,
            sleep=clock.sleep,
            said=self._said,
            meter=self.meter,
            patience=Patience(),
            arriving=lambda: self.polling is not None and self.polling.bringing,
        )
        self.polling = (
            Polling(
                self.telegram,
                self.inbox,
                database,
                self.house,
                clock,
                skew,
                self.may_lead,
                self.has_room,
                self._reached,
            )
            if self.telegram is not None
            else None
        )
        self.doors = Doors(clock.monotonic, self._shut)
        work = Work(
            database=database,
            words=words,
            packs=packs,
            files=self.files,
            now=clock.now,
            said=self.wake,
            fetch=self._fetch,
            silence=settings.silence,
            doors=self.doors,
            drop_uploads=self.webchat.drop,
            read=self._read,
        )
        self.timetable = Timetable(work, (*JOBS, *self._own_jobs()), trusted=self.trusts_clock)
        self.watch = Watch(
            database,
            clock,
            settings.data_dir,
            folders=settings.folders,
            inbox=self.inbox,
            polling=self.polling,
            deliveries=self.deliveries,
            timetable=self.timetable,
            skew=skew,
            meter=self.meter,
            shut=lambda: len(self._opening),
        )
        self.watch_server = WatchServer(self.watch, settings.data_dir, *settings.watch)
        self.server: WebServer | None = None
        self._lock = lock
        self._opening: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Task[None] | None = None
        self._leading: list[asyncio.Task[None]] = []
        self._intake: asyncio.Task[None] | None = None
        self._answering: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._sharing: asyncio.Task[None] | None = None

    def _make_deliveries(self) -> dict[str, Delivery]:
        """One for each channel, with a mark that no other process and no other term of ours has."""
        mark, slots = f"{os.getpid()}-{uuid.uuid4().hex[:8]}", Slots()
        return {
            name: Delivery(
                self.database,
                channel,
                rate=self.settings.rate_per_second if name == "telegram" else WEB_RATE,
                now=self.clock.now,
                monotonic=self.clock.monotonic,
                sleep=self.clock.sleep,
                mark=mark,
                may=self.may_lead,
                trusted=self.trusts_clock,
                ended=partial(self._ended, name),
                answering=lambda: self.inbox.answering,
                slots=slots,
            )
            for name, channel in self.channels.items()
        }

    def may_lead(self) -> bool:
        """Whether this process still is the one that polls and sends. A folder's lock cannot be lost."""
        return self.lead is None or self.lead.held

    def trusts_clock(self) -> bool:
        """Whether nothing speaks against the clock. It may be wrong since before the start, so whoever could say so, and
        brings the time along, is heard first; while nobody can be reached it has a while to be set right.
        """
        known = self.polling is None or self.polling.heard or self.clock.monotonic() - self._began > SETTLED
        return known and abs(self._skew.seconds()) <= SKEW

    def has_room(self) -> bool:
        """Whether the doors may take more in, as far as anybody has looked."""
        return self.watch.has_room()

    def _shut(self) -> Shut | None:
        """What keeps people from reaching us, as the troubles say it; an answer that is being stored ends a silence."""
        facts = self.watch.facts()
        found = troubles.find(facts)
        if self.polling is not None and not self.polling.heard:
            silent = self.polling.silent() or 0.0
            return Shut(Cause.POLLING if silent > SLOW else None, silent)
        for name in troubles.SHUT:
            if name in found and not (name == Name.POLLING and self.polling is not None and self.polling.storing):
                return Shut(Cause(name), (facts.poll or 0.0) if name == Name.POLLING else 0.0)
        return None

    async def _reached(self, silence: float) -> None:
        """Telegram answers: what was lost before that is made up before anything it brings is answered.

        From the first answer on the clock is known, so what had to wait for that goes on.
        """
        self.doors.reached(silence)
        if not self.doors.settled:
            await self.timetable.look(LOST_TIME)
            self.wake()

    def _own_jobs(self) -> tuple[Job, ...]:
        """What a door has to do from time to time."""
        if self.telegram is None:
            return ()
        lists = CommandLists(self.telegram, self.database, self.house, now=self.clock.now)
        return (Job("command lists", LOOK, lambda _: lists.look()),)

    def _said(self, channel: str) -> None:
        if channel in self.deliveries:
            self.deliveries[channel].wake()

    def _ended(self, channel: str, lane: Lane, state: OutState, seconds: float) -> None:
        self.meter.sent.add(1, channel=channel, lane=lane.name.lower(), state=state.value)
        self.meter.sending.see(seconds, channel=channel, lane=lane.name.lower())

    def wake(self) -> None:
        """Something was said: every delivery looks."""
        for delivery in self.deliveries.values():
            delivery.wake()

    def _read(self, channel: str, raw: str) -> Said | None:
        """What somebody said in a stored update, where its door still stands and can read it."""
        try:
            incoming = self.channels[channel].read(from_text(raw), self.clock.now())
        except (KeyError, ValueError):
            return None
        if incoming is None:
            return None
        return Said(incoming.text, incoming.choice, tuple(file.name for file in incoming.files))

    async def _fetch(self, channel: str, ref: str) -> bytes:
        door = self.channels.get(channel)
        if door is None:
            raise Rejected("the channel is switched off")
        return await door.fetch(ref)

    async def start(self, *, demo: Demo | None = None) -> None:
        """Opens the doors and starts to work. Raises OSError when a door cannot be opened: then all is closed again."""
        try:
            await self._start(demo)
        except OSError:
            await self.stop()
            raise

    async def _start(self, demo: Demo | None) -> None:
        if self.lead is None or await self.lead.take():
            await self._begin_to_lead(demo)
        else:
            log.warning("answers beside %s, which polls, sends and keeps the clock", await holder(self.database))
            await self._learn_links()
            self._answering = self._spawn(self.inbox.run)
        if self.lead is not None:
            self._listening = self._spawn(lambda: listen(self.database, self._heard))
            self._sharing = self._spawn(self._share)

    async def _begin_to_lead(self, demo: Demo | None = None) -> None:
        """Everything of which there is one at a time: intake, sending, the clock."""
        await settled(self._recover)
        self.doors.begin()
        if self.polling is None:  # otherwise its first answer opens the door, and proves the clock
            await self.timetable.look(LOST_TIME)
        self._leading = [self._spawn(delivery.run) for delivery in self.deliveries.values()]
        if self._answering is None:
            self._answering = self._spawn(self.inbox.run)
        if demo is None:  # a moved clock would have its own troubles
            self.watch.listener = Alarms(
                self.database, self.words, now=self.clock.now, monotonic=self.clock.monotonic, said=self.wake
            )
        self._watching = self._spawn(self.watch.run)
        await self._open(self.watch_server.start)
        if self.telegram is not None:
            await self.telegram.open()
        if self.polling is not None:
            self._intake = self._spawn(self.polling.run)
        hook, pages = self._hook(), self.settings.webchat or demo is not None
        if pages or hook is not None:
            texts = {key.partition(".")[2]: self.words.text(key) for key in self.words if key.startswith("webchat.")}
            self.server = WebServer(
                self.webchat,
                self.inbox.store,
                self.settings,
                texts=texts,
                red=self.watch.red,
                room=self.has_room if demo is None else lambda: True,  # nobody's words are lost with a demo
                demo=demo,
                most=most_connections(),
                hook=hook,
                pages=pages,
            )
            await self._open(self.server.start)
        if self.server is not None and pages:
            address = f"{self.settings.web_address}/" if self.settings.web_address else self.server.address
            self.house.links["webchat"] = web_link(address)
            await settled(lambda: self._note_address(address))
        self.timetable.start()

    async def _open(self, door: Callable[[], Awaitable[None]]) -> None:
        """Listens at a port. Raises OSError where no other process of ours may hold it; otherwise goes on trying.

        Who led before and stands still holds its ports as long as it stands: that must not keep its successor from leading.
        """
        try:
            await door()
        except OSError as error:
            if self.lead is None:
                raise
            log.error("a port cannot be opened and is tried until it can (%s)", error)
            task = asyncio.create_task(self._go_on_opening(door))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _go_on_opening(self, door: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self.clock.sleep(KEEP)
            with suppress(OSError):
                await door()
                log.warning("the port is open now")
                return

    def _hook(self) -> Hook | None:
        """The route by which Telegram brings updates, where it is not polled."""
        if self.polling is None or self.telegram is None or self.telegram.webhook is None:
            return None
        return Hook(self.telegram.webhook, self.polling.take, self.has_room)

    async def _recover(self) -> None:
        async with self.database.write() as session:
            await outbox.recover(session, self.clock.now())
            await figures.note_start(session, self.clock.now())

    async def _note_address(self, address: str) -> None:
        async with self.database.write() as session:
            await house.remember(session, "web_address", {"address": address}, self.clock.now())

    async def _share(self) -> None:
        """Of several processes on one database: gives signs of life while we lead, and leads once nobody does."""
        assert self.lead is not None
        while True:
            if self.lead.held:
                await self.clock.sleep(KEEP)
                if await self.lead.keep():
                    continue
                await self._end_to_lead()
            elif await self.lead.take():
                log.warning("polls, sends and keeps the clock from now on")
                try:
                    await self._begin_to_lead()
                except BaseException:
                    await self._end_to_lead()
                    await self.lead.leave()
                    raise
            else:
                await self.clock.sleep(KEEP)
                await self._learn_links()

    async def _learn_links(self) -> None:
        """Who does not lead asks no platform for our name and opens no page, but invites people all the same."""
        async with self.database.read() as session:
            found = await learned(session)
        doors = {"telegram": self.telegram is not None, "webchat": self.settings.webchat}
        self.house.links.update((name, link) for name, link in found.items() if doors[name])

    async def _end_to_lead(self) -> None:
        await self.timetable.stop(patience=0.0)
        await self._stop_intake()
        await self._stop_sending()
        self.deliveries.update(self._make_deliveries())

    def _heard(self) -> None:
        """Another process stored or said something."""
        self.inbox.wake()
        self.wake()

    def _spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """Keeps a task alive: one that dies is started again, and says so. Only we end it, by cancelling it."""

        async def forever() -> None:
            while True:
                try:
                    await work()
                    return
                except (Exception, asyncio.CancelledError) as error:
                    if stopped(error):
                        raise
                    log.exception("a task died and is started again")
                    await self.clock.sleep(1.0)

        return asyncio.create_task(forever())

    async def stop(self) -> None:
        """Stops intake, lets what is under way finish (≤ 8 s), settles what was sent. Safe to be killed at any step."""
        if self._sharing is not None:
            await _cancel(self._sharing)
        await self._stop_intake()
        await asyncio.gather(self.timetable.stop(), self.inbox.stop())
        await self._stop_sending()
        if self._answering is not None and not self._answering.done():
            with suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(asyncio.shield(self._answering), 2.0)
        for task in (self._answering, self._listening):
            if task is not None:
                await _cancel(task)
        if self.lead is not None:
            await self.lead.close()
        if self.telegram is not None:
            await self.telegram.close()
        await self.database.close()
        if self._lock is not None:
            self._lock.close()

    async def _stop_intake(self) -> None:
        for task in (self._intake, self._watching, *self._opening):
            if task is not None:
                await _cancel(task)
        await self.watch.stop()
        await self.watch_server.stop()
        if self.server is not None:
            await self.server.stop()
        self._intake = self._watching = self.server = None

    async def _stop_sending(self) -> None:
        await asyncio.gather(*(delivery.stop() for delivery in self.deliveries.values()))
        for task in self._leading:
            await _cancel(task)
        self._leading = []


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def build_app(settings: Settings, clock: Clock, lock: IO[str] | None = None) -> App:
    """Makes everything, the newest schema included, and starts nothing.

    Raises ContentError, AlreadyRunning, and Trouble when the database cannot be used.
    """
    checked = Checked(settings.data_dir / "content-checked", fingerprint(COMMAND_NAMES, settings.names_of_days.items()))
    words, packs = load_content(settings, checked=bool(checked))
    held = lock or alone(settings)
    checked.note()
    database = Database(settings.database)
    try:
        await bring_up_to_date(settings, database, clock.now())
    except BaseException:
        await database.close()
        if held is not None:
            held.close()
        raise
    return App(settings, clock, held, database, words, packs)
