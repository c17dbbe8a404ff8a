"""A furnished house: an invented province on its own clock, run by the same core through the web chat."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

import click

from bot.app import App, build_app
from bot.clock import MovableClock
from bot.furnish import JOINED, furnish
from bot.lock import hold
from bot.memory import settle
from bot.past import address_of, openings
from bot.settings import Settings
from content.anniversaries import planned
from content.calendar import LOCAL, local_date, official_day_month
from content.demo import DemoPack, load_demo
from content.windows import ANNIVERSARY_MORNING, EVENING, windows
from db import ahead, outbox, people, webchat
from db.ahead import Due
from db.models import Lane, OutState
from scheduler.deadlines import CLOSE, DRAFTS, REMIND

START = datetime(2025, 7, 25, 16, 55, tzinfo=LOCAL)
"""The second round runs, the law is in force, the reminder for 28/7 is minutes away (decisions 24)."""
SHOWN = 4
"""How many of the next events the page names."""
KEPT = 5.0
"""Seconds between two notes of the time."""
HORIZON = 60
"""Days ahead in which anniversaries are named."""


class DemoHouse:
    """The people one can be, and the clock that walks every due moment in order when it is moved."""

    def __init__(self, app: App, clock: MovableClock, pack: DemoPack, folder: Path) -> None:
        self._app = app
        self._clock = clock
        self._pack = pack
        self._folder = folder
        self._moving = asyncio.Lock()

    async def people(self) -> list[dict[str, Any]]:
        """Everybody the page offers, the newcomer last; `latest` grows when something new was said to them."""
        units = {unit.code: unit.short or unit.name for unit in self._pack.units}
        found = [
            {
                "key": person.key,
                "name": person.name,
                "group": person.group,
                "role": self._pack.groups[person.group],
                "unit": units[person.unit],
            }
            for person in self._pack.people
            if person.group
        ]
        newcomer = {"key": "new", "name": self._pack.stranger, "group": "stranger", "unit": ""}
        found.append(newcomer | {"role": self._pack.groups["stranger"]})
        async with self._app.database.read() as session:
            latest = await webchat.latest(session, [address_of(person["key"]) for person in found])
        return [person | {"latest": latest.get(address_of(person["key"]), 0)} for person in found]

    def address_of(self, key: str) -> str:
        """The web-chat address of a demo person. Raises KeyError."""
        if key != "new" and key not in {person.key for person in self._pack.people if person.group}:
            raise KeyError(key)
        return address_of(key)

    async def clock(self) -> dict[str, Any]:
        """The demo's time, and what happens next by itself."""
        now = self._clock.now()
        return {
            "now": now.isoformat(),
            "next": [{"at": at.isoformat(), "what": what} for at, what in (await self._events(now))[:SHOWN]],
        }

    async def _events(self, now: datetime) -> list[tuple[datetime, str]]:
        text = self._app.words.text
        found = [
            (due.at, text(f"demo.{due.kind}", code=due.code, n=due.count, day=self._day(due.code)))
            for due in await self._dues(now)
            if due.kind != "answer"
        ]
        known = {at.astimezone(LOCAL).date() for at, _ in found}
        for item in planned(self._app.packs.anniversaries, local_date(now), HORIZON):
            hour = ANNIVERSARY_MORNING[0] if item.variant == "t0" else EVENING
            at = datetime.combine(item.on, hour, LOCAL)
            if item.approved and item.audience == "all" and at > now and item.on not in known:
                found.append((at, text("demo.planned", day=self._day(item.key))))
        return sorted(found, key=itemgetter(0))  # at the same minute messages come first, as `coming` lists them

    def _day(self, key: str) -> str:
        """28/7 for kn:2807:2025:t3."""
        parts = key.split(":")
        if len(parts) < 3:
            return ""
        day = self._app.packs.anniversaries.get(parts[1]).day(int(parts[2]))
        return official_day_month(day) if day is not None else ""

    async def _dues(self, now: datetime) -> list[Due]:
        async with self._app.database.read() as session:
            return await ahead.coming(session, now, asked=(*REMIND, CLOSE), drafts=DRAFTS)

    async def next_due(self) -> Due | None:
        """What falls due next."""
        return next(iter(await self._dues(self._clock.now())), None)

    async def move_clock(self, to: datetime) -> None:
        """Walks to a moment, doing on the way what would have been done. Never backwards."""
        async with self._moving:
            while (now := self._clock.now()) < to:
                self._clock.move_to(min(await self._next_stop(now), to))
                await self.catch_up()
            self.remember()

    async def _next_stop(self, now: datetime) -> datetime:
        """The next row that falls due, or the next hour of a day at which something may begin."""
        hours = [*openings(now), *await self._own_openings(now), openings(now + timedelta(days=1))[0]]
        due = await self.next_due()
        return min([hour for hour in hours if hour > now] + ([due.at] if due is not None else []))

    async def _own_openings(self, now: datetime) -> list[datetime]:
        """The hours of a day from which on something may come to those who set hours of their own."""
        async with self._app.database.read() as session:
            own = [hours for hours in await people.list_hours(session) if " " in hours]
        opens = {start for hours in own for start, _ in windows(hours, "morning")}
        return [datetime.combine(local_date(now), start, LOCAL) for start in sorted(opens)]

    async def catch_up(self) -> None:
        """Lets everything that is due happen before the clock goes on."""
        await self._app.timetable.run_all()
        await self._app.inbox.drain()
        self._app.wake()
        for _ in range(2000):
            async with self._app.database.read() as session:
                counts = await outbox.counts(session)
                due = await outbox.next_due(session, "webchat", list(Lane), self._clock.now())
            if not counts[OutState.SENDING.value] and (due is None or due > self._clock.now()):
                return
            await self._clock.sleep(0.005)

    def remember(self) -> None:
        """Writes the time down, for the next start to go on from."""
        file = _clock_file(self._folder)
        fresh = file.with_suffix(".new")
        fresh.write_text(self._clock.now().isoformat())
        fresh.replace(file)

    async def keep_time(self) -> None:
        """Writes it down all the time: after a crash or a closed window what is due must not wait for the same hours again."""
        while True:
            self.remember()
            await self._clock.sleep(KEPT)


def data_dir() -> Path:
    """Where the demo lives: beside the real data, never in it."""
    given = os.environ.get("CONGDOAN_DATA_DIR")
    return Path(given) / "demo" if given else Path("demo-data")


def _clock_file(folder: Path) -> Path:
    """Where the time is written down. It is there once the house is furnished."""
    return folder / "clock.txt"


async def run_demo(port: int, start: datetime | None, stop_signals: Callable[[], asyncio.Event]) -> None:
    """Furnishes on the first start or when a time is given, goes on where it was otherwise, until Ctrl-C."""
    pack = load_demo()
    folder = data_dir()
    lock = hold(folder)
    stop = stop_signals()
    if start is not None or not _clock_file(folder).exists():
        house, app = await new_house(pack, folder, port, lock, start or START)
    else:
        house, app = await open_house(pack, folder, port, lock)
    settle()
    await app.start(demo=house)
    assert app.server is not None
    click.echo(app.server.address)
    keeping = asyncio.create_task(house.keep_time())
    await stop.wait()
    keeping.cancel()
    house.remember()
    await app.stop()


async def new_house(pack: DemoPack, folder: Path, port: int, lock: IO[str], start: datetime) -> tuple[DemoHouse, App]:
    """An emptied house, furnished, with its past played up to a moment. What a killed start left is taken away."""
    _empty(folder)
    moment = start.astimezone(LOCAL) if start.tzinfo else start.replace(tzinfo=LOCAL)
    clock = MovableClock(moment - JOINED)
    app = await build_app(_settings(pack, folder, port), clock, lock)
    house = DemoHouse(app, clock, pack, folder)
    await furnish(app, clock, pack, moment, house.next_due)
    house.remember()
    return house, app


async def open_house(pack: DemoPack, folder: Path, port: int, lock: IO[str]) -> tuple[DemoHouse, App]:
    """The house as it was left, at the time it was left."""
    clock = MovableClock(datetime.fromisoformat(_clock_file(folder).read_text()))
    app = await build_app(_settings(pack, folder, port), clock, lock)
    return DemoHouse(app, clock, pack, folder), app


def _settings(pack: DemoPack, folder: Path, port: int) -> Settings:
    return Settings.model_construct(
        **Settings.model_construct().model_dump()
        | {
            "data_dir": folder,
            "web_host": "127.0.0.1",
            "web_port": port,
            "webchat": True,
            "organisation": pack.organisation,
            "hotline": pack.hotline,
        }
    )


def _empty(folder: Path) -> None:
    """Takes the former house away: what a demo makes and nothing else."""
    for name in ("files", "uploads"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for path in (*folder.glob("congdoan.db*"), _clock_file(folder)):
        path.unlink(missing_ok=True)
