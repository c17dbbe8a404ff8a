"""A consistent copy of the database while it is in use, and the proof that a copy is sound."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from db import audit, broadcasts, house, outbox
from db.session import Database
from db.trouble import Kind, Trouble, explained


class Unsound(Exception):
    """A database file that does not pass its own checks; `problems` says what it reported."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


async def copy_to(database: Database, target: Path) -> None:
    """Writes a whole, compact copy to `target`, which must not exist. Copying the live file would lose commits."""
    async with database.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.execute("VACUUM INTO ?", (str(target),))


async def verify(database: Database) -> None:
    """Raises Unsound unless every page and every reference is right. A server sees to that itself."""
    if database.shared:
        async with database.read() as session:
            await session.execute(text("SELECT 1"))
        return
    async with database.read() as session:
        found = [str(row[0]) for row in await session.execute(text("PRAGMA integrity_check"))]
        orphans = [f"orphan in {row[0]}" for row in await session.execute(text("PRAGMA foreign_key_check"))]
    problems = [line for line in found if line != "ok"] + orphans
    if problems:
        raise Unsound(problems[:20])


async def quick_check(database: Database) -> None:
    """Looks at every page once, in a second or so, before anything starts. Raises Trouble."""
    if database.shared:
        return
    with explained():
        async with database.read() as session:
            found = [str(row[0]) for row in await session.execute(text("PRAGMA quick_check(5)"))]
    if found != ["ok"]:
        raise Trouble(Kind.DAMAGED, "; ".join(found))


async def notes(database: Database) -> list[str]:
    """What is worth knowing about the engine: SQLite before 3.51.3 can damage what several write at once (`Database`)."""
    if database.shared:
        return await _server_notes(database)
    async with database.read() as session:
        version = str((await session.execute(text("SELECT sqlite_version()"))).scalar_one())
    if tuple(map(int, version.split("."))) < (3, 51, 3):
        return [f"SQLite {version}: older than 3.51.3; safe here because writers take turns, but worth updating."]
    return []


async def _server_notes(database: Database) -> list[str]:
    """Switches with which a power cut takes away what was acknowledged; ours is one that a session can set itself."""
    query = "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name"
    async with database.read() as session:
        off = (await session.execute(text(query))).scalars().all()
    return [f"The PostgreSQL server runs with {name} off: a power cut may take what was acknowledged." for name in off]


async def after_restore(database: Database, now: datetime) -> int:
    """At-most-once messages may have gone out since the backup, so a person decides (promises F17).

    Returns how many announcements were stopped on their way. `restored` is remembered: what a clock starts between the
    backup and now may have been sent as well.
    """
    async with database.write() as session:
        await outbox.hold_unfinished(session, now)
        held = await broadcasts.hold_started(session, now)
        await house.remember(session, "restored", {"at": now.isoformat()}, now)
        audit.note(session, audit.SYSTEM, "restore", "database", now, held=held)
    return held
