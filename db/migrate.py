"""Brings a database to the newest tables, each run in one transaction: old or new, never between."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from db.session import Database
from db.trouble import explained

NEWEST = "6247cf5ca1d5"
"""The version that this program works on. Most starts find it and never load Alembic, which is a tenth of a start."""


async def upgrade(database: Database) -> None:
    """Applies what is missing. Raises Trouble when the tables are newer than this program, or cannot be used at all."""
    if await is_newest(database):  # most starts: nothing is locked, and no reference followed
        return
    from db import versions

    with explained():
        async with database.remake() as connection:
            await connection.run_sync(versions.apply)


async def is_newest(database: Database) -> bool:
    """Whether the tables are those of this program. Raises Trouble like `upgrade`."""
    with explained():
        async with database.read() as session:
            return await (await session.connection()).run_sync(_stands)


async def is_older(database: Database) -> bool:
    """Whether there are tables already, and not all of them are those of this program. Raises Trouble like `upgrade`."""

    def look(connection: Connection) -> bool:
        return not _stands(connection) and bool(inspect(connection).get_table_names())

    with explained():
        async with database.read() as session:
            return await (await session.connection()).run_sync(look)


def _stands(connection: Connection) -> bool:
    version = text("SELECT version_num FROM alembic_version")
    if inspect(connection).has_table("alembic_version") and connection.execute(version).scalars().all() == [NEWEST]:
        return True
    from db import versions

    return versions.stand(connection)
