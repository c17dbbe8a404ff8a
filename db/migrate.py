"""Brings a database to the newest schema, each run in one transaction: old or new, never between."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from db import postgres
from db.models import Base
from db.session import Database
from db.trouble import Kind, Trouble, explained


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


async def upgrade(database: Database) -> None:
    """Applies what is missing. Raises Trouble when the tables are newer than this program, or cannot be used at all."""
    if await is_newest(database):  # most starts: nothing is locked, and no reference followed
        return
    with explained():
        async with database.remake() as connection:
            await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    if _stands(connection):
        return
    if connection.dialect.name == "postgresql":
        # Whoever leads a running bot holds it: nobody's tables are changed under them. Two that start at once take turns.
        connection.execute(text(f"SELECT pg_advisory_xact_lock({postgres.LEAD})"))
        if _stands(connection):
            return
    command.upgrade(_config(connection), "head")


async def is_newest(database: Database) -> bool:
    """Whether the tables are those of this program. Raises Trouble like `upgrade`."""
    with explained():
        async with database.read() as session:
            return await (await session.connection()).run_sync(_stands)


async def is_older(database: Database) -> bool:
    """Whether there are tables already, and not all of them are those of this program. Raises Trouble like `upgrade`."""

    def look(connection: Connection) -> bool:
        return bool(inspect(connection).get_table_names()) and not _stands(connection)

    with explained():
        async with database.read() as session:
            return await (await session.connection()).run_sync(look)


def _stands(connection: Connection) -> bool:
    """Whether nothing is missing; NEWER when a version stands there that this program does not know."""
    script = ScriptDirectory.from_config(_config(connection))
    here = MigrationContext.configure(connection).get_current_heads()
    unknown = set(here) - {revision.revision for revision in script.walk_revisions()}
    if unknown:
        raise Trouble(Kind.NEWER, f"version {min(unknown)}")
    return set(here) == set(script.get_heads())


async def revision(database: Database, message: str) -> None:
    """Writes the next migration from the difference between the tables and `db.models` (developers only)."""
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda sync: command.revision(_config(sync), message, autogenerate=True))


async def differences(database: Database) -> list[object]:
    """What the schema lacks to match `db.models`; empty when they agree."""
    with explained():
        async with database.read() as session:
            return await (await session.connection()).run_sync(
                lambda sync: list(compare_metadata(MigrationContext.configure(sync), Base.metadata))
            )
