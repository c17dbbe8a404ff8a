"""The proof that a database is sound, and what is done after one was restored."""

from __future__ import annotations

from datetime import datetime

from db import audit, broadcasts, house, outbox
from db.session import Database
from db.trouble import Kind, Trouble, explained


class Unsound(Exception):
    """A database file that does not pass its own checks; `problems` says what it reported."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


async def verify(database: Database) -> None:
    """Raises Unsound unless every page and every reference is right. A server sees to that itself."""
    problems = await database.problems()
    if problems:
        raise Unsound(problems[:20])


async def quick_check(database: Database) -> None:
    """Looks at every page once, a gigabyte in some three seconds. Raises Trouble."""
    with explained():
        problems = await database.problems(quick=True)
    if problems:
        raise Trouble(Kind.DAMAGED, "; ".join(problems))


async def after_restore(database: Database, now: datetime) -> int:
    """At-most-once messages may have gone out since the backup, so a person decides (promises F17).

    Returns how many announcements were stopped on their way. `restored` is remembered: what a clock starts between the
    backup and now may have been sent as well.
    """
    async with database.write() as session:
        await outbox.hold_unfinished(session, now)
        held = await broadcasts.hold_started(session, now)
        await house.skip_numbers(session)
        await house.remember(session, house.RESTORED, {"at": now.isoformat()}, now)
        audit.note(session, audit.SYSTEM, "restore", "database", now, held=held)
    return held
