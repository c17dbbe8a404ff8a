"""Opens the database for one command beside a bot that may be running."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from bot.clock import Clock
from bot.lock import hold
from bot.settings import Settings
from db import migrate, snapshot
from db.session import Database
from db.trouble import Kind, Trouble, explained

log = logging.getLogger(__name__)


async def bring_up_to_date(settings: Settings, database: Database, now: datetime) -> None:
    """Makes the newest tables, under the data folder's lock. Older ones are copied beside first: the way back.

    Raises Trouble, and OSError or Trouble when there is no room for the copy: then nothing changed.
    """
    if await migrate.is_older(database):
        copy = settings.data_dir / f"before-update-{now:%Y%m%d-%H%M%S}.db"
        part = copy.with_suffix(".part")
        part.unlink(missing_ok=True)
        with explained():
            await snapshot.copy_to(database, part)
        part.chmod(0o600)
        part.rename(copy)
        log.warning("the tables are brought up to date; as they were they lie in %s", copy)
    await migrate.upgrade(database)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The database, made or brought up to date where nobody else uses it: a running bot never has its tables changed.

    Raises Trouble, AlreadyRunning.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings.database)
    try:
        if not settings.database_file.exists() or not await migrate.is_newest(database):
            with hold(settings.data_dir):
                await bring_up_to_date(settings, database, Clock().now())
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def reading(settings: Settings, *, older: bool = False) -> AsyncIterator[Database]:
    """The database as it stands, to look at only; `older` takes tables of an older version too.

    Raises FileNotFoundError where there is none yet, and Trouble.
    """
    if not settings.database_file.exists():
        raise FileNotFoundError(
            2, "there is no database here yet; `congdoan run` makes it", str(settings.database_file)
        )
    database = Database(settings.database)
    try:
        if not await migrate.is_newest(database) and not older:
            raise Trouble(Kind.OLD, "tables of an older version")
        yield database
    finally:
        await database.close()
