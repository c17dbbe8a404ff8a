"""Gets what people say from Telegram for as long as the process lives, polled or brought, and knows whether that works."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.channels.telegram import Telegram
from bot.clock import Clock, Skew
from bot.inbox import Inbox
from bot.links import telegram_link
from db import house, trouble
from db.inbox import Arrival
from db.session import Database, settled
from handlers.talk import House

log = logging.getLogger(__name__)

NOTED = timedelta(seconds=5)
"""How often a successful poll is written down, for `congdoan status` of a stopped bot."""
MOST = 100
"""How many updates one answer holds at most; fewer mean that nothing more was waiting."""


Brought = tuple[Any, asyncio.Future[None]]
"""An update, and who waits until it is stored."""


class Polling:
    """What comes from Telegram goes into the inbox; the bot's name, once Telegram has said it, into every link."""

    def __init__(
        self,
        telegram: Telegram,
        inbox: Inbox,
        database: Database,
        house: House,
        clock: Clock,
        skew: Skew,
        may: Callable[[], bool],
        room: Callable[[], bool],
        reached: Callable[[float], Awaitable[None]],
    ) -> None:
        self._telegram = telegram
        self._inbox = inbox
        self._database = database
        self._house = house
        self._clock = clock
        self._skew = skew
        self._may = may
        self._room = room
        self._reached = reached
        self._resting = False
        self.heard = False
        """Whether Telegram has answered since this process polls."""
        self.storing = False
        """Whether what it has just answered is being stored."""
        self._began = clock.monotonic()
        self._at = clock.monotonic()
        self._failing: float | None = None
        self._drained: float | None = None
        self._noted: datetime | None = None
        self._brought: list[Brought] = []
        self._taking: asyncio.Task[None] | None = None
        telegram.before = self._before
        telegram.polled = self._polled
        telegram.missed = self._missed

    async def run(self) -> None:
        """Polls for ever, or until it is cancelled since another process polls."""
        self._at, self._failing, self._drained, self.heard = self._clock.monotonic(), None, None, False
        await self._introduce()
        await self._telegram.run(self._store)

    async def take(self, raw: Any) -> None:
        """Stores an update that Telegram brought, in one commit with those that come meanwhile; it brings again what raised."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._brought.append((raw, stored))
        if self._taking is None:
            self._taking = asyncio.create_task(self._store_brought())
        await stored

    @property
    def bringing(self) -> bool:
        """Whether an update that was brought waits for its commit."""
        return self._taking is not None

    async def _store_brought(self) -> None:
        try:
            while self._brought:
                await self._store_some()
        finally:
            self._taking = None

    async def _store_some(self) -> None:
        batch, self._brought = self._brought[:MOST], self._brought[MOST:]
        failed = await self._try_to_store(batch)
        if failed is None or len(batch) == 1 or trouble.passing(failed) is not None:
            _tell(batch, failed)
            return
        for each in batch:  # one that cannot be stored holds up no other
            _tell([each], await self._try_to_store([each]))

    async def _try_to_store(self, batch: list[Brought]) -> Exception | None:
        try:
            await self._telegram.take([raw for raw, _ in batch], self._store)
        except Exception as error:
            return error
        return None

    def silent(self) -> float | None:
        """Seconds since the last successful poll, or since the start; None while it does not poll on purpose."""
        return None if self._resting else self._clock.monotonic() - self._at

    def failing(self) -> float | None:
        """Seconds since the first of the polls that have failed without a success between."""
        return None if self._failing is None else self._clock.monotonic() - self._failing

    async def _store(self, channel: str, bot: str, arrivals: Sequence[Arrival]) -> int:
        """What comes after a silence is answered as it should only once that silence is made up."""
        self.storing = True
        try:
            await self._answered(self._clock.monotonic() - self._at)
            return await self._inbox.store(channel, bot, arrivals)
        finally:
            self.storing = False

    async def _answered(self, silence: float) -> None:
        """`silence` is how many seconds lay before this answer."""
        self.heard = True
        dated = self._telegram.dated
        if dated is not None:
            self._skew.hear([dated], self._began)
        await self._reached(silence)

    async def _introduce(self) -> None:
        """Learns the bot's name; a start without a network is no reason never to have links."""
        name = await self._telegram.introduce()
        if name:
            self._house.links["telegram"] = telegram_link(name)
            try:
                await settled(lambda: self._note("telegram_name", {"name": name}))
            except Exception as error:  # a disk that takes nothing: what it keeps from being stored says so
                log.warning("the bot's name could not be written down (%s)", type(error).__name__)

    async def _note(self, name: str, value: dict[str, Any]) -> None:
        async with self._database.write() as session:
            await house.remember(session, name, value, self._clock.now())

    async def _before(self) -> None:
        """Holds the next poll back: it confirms what the last one brought, and what it brings must find room."""
        if not self._room():
            log.error("no polls until there is room on the disk; Telegram keeps what comes meanwhile")
            self._resting, self._failing, self._drained = True, None, None
        try:
            while not (
                self._may() and self._room()
            ):  # stood still, so that another polls: its poll must not end with ours
                await self._clock.sleep(1.0)
        finally:
            self._began = self._clock.monotonic()
            if self._resting:
                self._resting, self._at = False, self._began

    def _missed(self) -> None:
        self._drained = None
        if self._failing is None:
            self._failing = self._clock.monotonic()

    async def _polled(self, raw: list[dict[str, Any]]) -> None:
        silence = self._clock.monotonic() - self._at
        self._at, self._failing, now = self._clock.monotonic(), None, self._clock.now()
        if not raw:  # nothing was stored, so nobody else has said so
            await self._answered(silence)
        self._skew.hear(dates(raw), self._drained)
        # What is brought may have waited for a while, whatever came before it.
        brought = self._telegram.webhook is not None
        self._drained = self._at if len(raw) < MOST and not brought else None
        if not self._telegram.username:
            await self._introduce()
        if self._noted is None or now - self._noted >= NOTED:
            self._noted = now
            await settled(lambda: self._note("last_poll", {"at": now.isoformat()}))


def dates(raw: Iterable[dict[str, Any]]) -> list[int]:
    """When Telegram took these updates (Unix seconds), as far as they say so: the date in a press is its message's.

    {"update_id": 1, "message": {"date": 1753437300, …}} · {"update_id": 2, "edited_message": {"edit_date": 1753437360, …}}
    """
    found = []
    for update in raw:
        for kind, field in (("message", "date"), ("edited_message", "edit_date"), ("my_chat_member", "date")):
            part = update.get(kind)
            date = part.get(field) if isinstance(part, dict) else None
            if isinstance(date, int):
                found.append(date)
    return found


def _tell(batch: list[Brought], failed: Exception | None) -> None:
    """Whoever still waits."""
    for _, stored in batch:
        if stored.done():
            continue
        if failed is None:
            stored.set_result(None)
        else:
            stored.set_exception(failed)
