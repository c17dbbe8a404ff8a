"""A consistent copy of the database while it is in use, and the proof that a copy is sound."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from db import outbox
from db.session import Database


class Unsound(Exception):
    """A database file that does not pass its own checks; `problems` says what it reported."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


async def copy_to(database: Database, target: Path) -> None:
    """Writes a whole, compact copy to `target`, which must not exist. Copying the live file would lose commits."""
    async with database.engine.connect() as connection:
        driver = await connection.get_raw_connection()
        cursor = await driver.cursor()  # type: ignore[misc]
        await cursor.execute("VACUUM INTO ?", (str(target),))
        await cursor.close()


async def verify(database: Database) -> None:
    """Raises Unsound unless every page and every reference is right."""
    async with database.read() as session:
        found = [str(row[0]) for row in await session.execute(text("PRAGMA integrity_check"))]
        orphans = [f"orphan in {row[0]}" for row in await session.execute(text("PRAGMA foreign_key_check"))]
    problems = [line for line in found if line != "ok"] + orphans
    if problems:
        raise Unsound(problems[:20])


async def notes(database: Database) -> list[str]:
    """What is worth knowing about the engine: SQLite before 3.51.3 can corrupt a WAL with several writers (we have one)."""
    async with database.read() as session:
        version = str((await session.execute(text("SELECT sqlite_version()"))).scalar_one())
    if tuple(map(int, version.split("."))) < (3, 51, 3):
        return [
            f"SQLite {version}: older than 3.51.3; safe here because a single connection writes, but worth updating."
        ]
    return []


async def after_restore(database: Database) -> None:
    """At-most-once messages that were waiting may have gone out since the backup: a person decides (promises F17)."""
    async with database.write() as session:
        await outbox.hold_unfinished(session)
