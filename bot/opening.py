"""Opens the database for one command beside a bot that may be running."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime
from typing import IO

from bot.clock import Clock
from bot.lock import hold
from bot.settings import Settings
from bot.workplace import clear
from content import disk
from db import migrate
from db.session import Database
from db.trouble import Kind, Trouble, explained

HALF = ".half"
"""How the folder is called into which a restore moves the former data, until it is done."""

log = logging.getLogger(__name__)


def alone(settings: Settings) -> IO[str] | None:
    """The data folder's lock where the database lies in it; a server's processes share theirs (`db.lead`).

    Raises AlreadyRunning, and Trouble where a restore was cut off: an empty house would take what comes in its stead.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if settings.database_file is None:
        return None
    held = hold(settings.data_dir)
    for half in settings.data_dir.glob(f"*{HALF}"):
        held.close()
        raise Trouble(Kind.HALF, str(half))
    clear(settings.data_dir)
    return held


async def bring_up_to_date(settings: Settings, database: Database, now: datetime) -> None:
    """Makes the newest tables, under the data folder's lock. Older ones are copied beside first: the way back.

    Raises Trouble, and OSError or Trouble when there is no room for the copy: then nothing changed. What a server keeps is
    its administrator's to copy.
    """
    if await migrate.is_older(database) and not database.shared:
        copy = settings.data_dir / f"before-update-{now:%Y%m%d-%H%M%S}.db"
        part = copy.with_suffix(".part")
        part.unlink(missing_ok=True)
        with explained():
            await database.copy_to(part)
        part.chmod(0o600)
        disk.place(part, copy)
        log.warning("the tables are brought up to date; as they were they lie in %s", copy)
    await migrate.upgrade(database)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The database, made or brought up to date where nobody else uses it: a running bot never has its tables changed.

    Raises Trouble, AlreadyRunning.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database, file = Database(settings.database), settings.database_file
    try:
        if (file is not None and not file.exists()) or not await migrate.is_newest(database):
            with alone(settings) or nullcontext():
                await bring_up_to_date(settings, database, Clock().now())
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def reading(settings: Settings, *, older: bool = False) -> AsyncIterator[Database]:
    """The database as it stands, to look at only; `older` takes tables of an older version too.

    Raises FileNotFoundError where there is none yet, and Trouble.
    """
    file = settings.database_file
    if file is not None and not file.exists():
        raise FileNotFoundError(2, "there is no database here yet; `congdoan run` makes it", str(file))
    database = Database(settings.database)
    try:
        if not await migrate.is_newest(database) and not older:
            raise Trouble(Kind.OLD, "tables of an older version")
        yield database
    finally:
        await database.close()
