"""The demo's furnished house, made once and copied for whoever needs one: furnishing takes seconds, copying does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot import demo
from bot.app import App
from bot.demo import DemoHouse
from bot.lock import hold
from content.demo import load_demo


async def furnish_into(folder: Path) -> None:
    """Makes a furnished house in a new folder."""
    folder.mkdir()
    with hold(folder) as lock:
        _, app = await demo.new_house(load_demo(), folder, 0, lock, demo.START)
        await app.database.close()


@asynccontextmanager
async def open_demo(folder: Path) -> AsyncIterator[tuple[DemoHouse, App]]:
    """The house of a folder, running, at the time at which it was left."""
    house, app = await demo.open_house(load_demo(), folder, 0, hold(folder))
    await app.start(demo=house)
    yield house, app
    await app.stop()
