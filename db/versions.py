"""The versions of the tables, by Alembic: `db.migrate` asks here where a database does not have the newest."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from db import postgres
from db.models import Base
from db.session import Database
from db.trouble import Kind, Trouble, explained


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def apply(connection: Connection) -> None:
    """Applies what is missing. Raises Trouble like `stand`."""
    if stand(connection):
        return
    if connection.dialect.name == "postgresql":
        # Whoever leads a running bot holds it: nobody's tables are changed under them. Two that start at once take turns.
        connection.execute(text(f"SELECT pg_advisory_xact_lock({postgres.LEAD})"))
        if stand(connection):
            return
    command.upgrade(_config(connection), "head")


def stand(connection: Connection) -> bool:
    """Whether nothing is missing. Raises Trouble, NEWER, when a version stands there that this program does not know."""
    script = ScriptDirectory.from_config(_config(connection))
    here = MigrationContext.configure(connection).get_current_heads()
    unknown = set(here) - {revision.revision for revision in script.walk_revisions()}
    if unknown:
        raise Trouble(Kind.NEWER, f"version {min(unknown)}")
    return set(here) == set(script.get_heads())


async def differences(database: Database) -> list[object]:
    """What the schema lacks to match `db.models`; empty when they agree."""
    with explained():
        async with database.read() as session:
            return await (await session.connection()).run_sync(
                lambda sync: list(compare_metadata(MigrationContext.configure(sync), Base.metadata))
            )
