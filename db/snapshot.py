"""The proof that a database is sound, and what is done after one was restored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select

from db import audit, broadcasts, contests, erasure, house, outbox, people
from db.models import Person
from db.session import Database, Session
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


class Wish(NamedTuple):
    """What somebody had asked for in the end; `joined_at` tells whether a number means the same person."""

    person_id: int
    joined_at: datetime
    erased: bool
    processing: bool
    news: bool


async def list_wishes(database: Database) -> list[Wish]:
    """Who has erased everything, stopped all processing or wants no messages, as a database that is given up says it."""
    erased = Person.erased_at.is_not(None)
    query = select(Person.id, Person.joined_at, erased, Person.processing, Person.news)
    async with database.read() as session:
        found = await session.execute(query.where(or_(erased, Person.processing.is_(False), Person.news.is_(False))))
        return [Wish(*row) for row in found]


async def _grant(session: Session, wish: Wish, now: datetime) -> None:
    person = await session.get(Person, wish.person_id)
    if person is None or person.joined_at != wish.joined_at or person.erased_at is not None:
        return
    if wish.erased:
        await erasure.erase(session, person.id, now)
    elif person.processing and not wish.processing:
        await erasure.stop_processing(session, person.id, now)
    elif person.news and not wish.news:
        await people.stop_news(session, person, now)


async def after_restore(database: Database, now: datetime, wishes: Sequence[Wish] = ()) -> int:
    """At-most-once messages may have gone out since the backup, or been stopped, so a person decides (promises F17).

    Nobody whose data was erased since comes back with it, and nobody is written to who has asked for silence: `wishes`.
    Returns how many announcements were stopped on their way. `restored` is remembered: what a clock starts between the
    backup and now may have been sent as well.
    """
    async with database.write() as session:
        await outbox.hold_unfinished(session, now)
        held = await broadcasts.hold_started(session)
        await contests.hold_restored(session, now)
        await contests.begin_anew(session, now)
        await house.skip_numbers(session)
        for wish in wishes:
            await _grant(session, wish, now)
        await house.remember(session, house.RESTORED, {"at": now.isoformat()}, now)
        audit.note(session, audit.SYSTEM, "restore", "database", now, held=held)
    return held
