"""A furnished house: an invented province on its own clock, run by the same core through the web chat."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from bot.app import App, build_app
from bot.clock import MovableClock
from bot.furnish import furnish
from bot.lock import hold
from bot.settings import Settings
from content.calendar import LOCAL
from content.demo import DemoPack, load_demo
from db import house, inbox, outbox
from db.models import Lane, OutState

START = datetime(2025, 7, 25, 16, 55, tzinfo=LOCAL)
"""The second round runs, the law is in force, the reminder for 28/7 is minutes away (decisions 24)."""
STEP = timedelta(minutes=15)
"""How far the moving clock walks at once when nothing is due in between."""


class DemoHouse:
    """The people one can be, and the clock that walks every due moment in order when it is moved."""

    def __init__(self, app: App, clock: MovableClock, pack: DemoPack) -> None:
        self._app = app
        self._clock = clock
        self._pack = pack
        self._moving = asyncio.Lock()

    def people(self) -> list[dict[str, str]]:
        """Everybody the page offers, the newcomer last."""
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
        ]
        newcomer = {"key": "new", "name": self._pack.stranger, "group": "stranger", "unit": ""}
        return [*found, newcomer | {"role": self._pack.groups["stranger"]}]

    def address_of(self, key: str) -> str:
        """The web-chat address of a demo person. Raises KeyError."""
        if key != "new" and key not in {person.key for person in self._pack.people}:
            raise KeyError(key)
        return f"demo-{key}"

    def clock(self) -> dict[str, Any]:
        """The demo's time."""
        return {"now": self._clock.now().isoformat()}

    async def move_clock(self, to: datetime) -> None:
        """Walks to a moment, doing on the way what would have been done. Never backwards."""
        async with self._moving:
            while (now := self._clock.now()) < to:
                self._clock.move_to(min(await self._next_stop(now), to))
                await self.catch_up()
            async with self._app.database.write() as session:
                await house.remember(session, "demo_clock", {"at": self._clock.now().isoformat()}, self._clock.now())

    async def _next_stop(self, now: datetime) -> datetime:
        grid = datetime.fromtimestamp(
            (int(now.timestamp()) // int(STEP.total_seconds()) + 1) * STEP.total_seconds(), LOCAL
        )
        async with self._app.database.read() as session:
            dues = [await outbox.next_due(session, "webchat", Lane), await inbox.next_due(session)]
        return min([grid, *(due for due in dues if due is not None and due > now)])

    async def catch_up(self) -> None:
        """Lets everything that is due happen before the clock goes on."""
        await self._app.timetable.run_all()
        await self._app.inbox.drain()
        self._app.wake()
        for _ in range(2000):
            async with self._app.database.read() as session:
                counts = await outbox.counts(session)
                due = await outbox.next_due(session, "webchat", Lane)
            if not counts[OutState.SENDING.value] and (due is None or due > self._clock.now()):
                return
            await self._clock.sleep(0.005)


def data_dir() -> Path:
    """Where the demo lives: beside the real data, never in it."""
    given = os.environ.get("CONGDOAN_DATA_DIR")
    return Path(given) / "demo" if given else Path("demo-data")


async def run_demo(port: int, start: datetime | None, stop_signals: Callable[[], asyncio.Event]) -> None:
    """Furnishes on the first start or when a time is given, goes on where it was otherwise, until Ctrl-C."""
    pack = load_demo()
    folder = data_dir()
    lock = hold(folder)
    if start is not None:
        _empty(folder)
    moment = (start or START).astimezone(LOCAL) if (start or START).tzinfo else (start or START).replace(tzinfo=LOCAL)
    settings = Settings.model_construct(
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
    clock = MovableClock(moment)
    app = await build_app(settings, clock, lock)
    stop = stop_signals()
    async with app.database.read() as session:
        saved = await house.know(session, "demo_clock")
    if saved is None:
        await furnish(app.database, app.packs, pack, app.files, moment)
        async with app.database.write() as session:
            await house.remember(session, "demo_clock", {"at": moment.isoformat()}, moment)
    else:
        clock.move_to(datetime.fromisoformat(saved["at"]))
    await app.start(demo=DemoHouse(app, clock, pack))
    assert app.server is not None
    click.echo(app.server.address)
    await stop.wait()
    async with app.database.write() as session:
        await house.remember(session, "demo_clock", {"at": clock.now().isoformat()}, clock.now())
    await app.stop()


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != "congdoan.lock":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
