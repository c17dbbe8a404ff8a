"""Opens the database for one command beside a bot that may be running."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.lock import hold
from bot.settings import Settings
from db import migrate
from db.session import Database
from db.trouble import Kind, Trouble


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
                await migrate.upgrade(database)
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
