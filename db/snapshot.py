"""The proof that a database is sound, and what is done after one was restored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import or_, select

from db import audit, automatic, broadcasts, contests, erasure, house, outbox, people
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


class Former(NamedTuple):
    """What a database that is given up says: what people asked for, and what officers stopped."""

    wishes: Sequence[Wish] = ()
    stopped: bool = False
    lost_since: datetime | None = None
    """Where a restore stopped everything and nobody has decided: since when stops may be lost."""
    respectful: bool = False
    cancelled: Sequence[tuple[str, datetime]] = ()
    automatic: Sequence[tuple[str, date, int | None]] = ()
    rounds: Sequence[contests.Stop] = ()


async def read_former(database: Database) -> Former:
    """Who has erased everything, stopped all processing or wants no messages; and which stops are in force."""
    erased = Person.erased_at.is_not(None)
    query = select(Person.id, Person.joined_at, erased, Person.processing, Person.news)
    async with database.read() as session:
        found = await session.execute(query.where(or_(erased, Person.processing.is_(False), Person.news.is_(False))))
        return Former(
            [Wish(*row) for row in found],
            await broadcasts.stopped(session),
            await broadcasts.doubt(session),
            await broadcasts.respectful(session),
            await broadcasts.list_cancelled(session),
            await automatic.list_stopped(session),
            await contests.list_stops(session),
        )


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


async def _stop(session: Session, former: Former | None, saved_at: datetime, now: datetime) -> None:
    """Whatever officers stopped stays so; where nobody can say what, everything to many and every round waits."""
    if former is None:
        await broadcasts.stop_all(session, audit.SYSTEM, now, lost_since=saved_at)
        await contests.hold_coming(session, now)
        return
    if former.stopped and (former.lost_since is not None or not await broadcasts.stopped(session)):
        await broadcasts.stop_all(session, audit.SYSTEM, now, lost_since=former.lost_since)
    if former.respectful and not await broadcasts.respectful(session):
        await broadcasts.set_respectful(session, audit.SYSTEM, True, now)
    await broadcasts.cancel_again(session, former.cancelled, now)
    await automatic.stop_again(session, former.automatic, now)
    await contests.stop_again(session, former.rounds, now)


NOTHING = Former()


async def after_restore(
    database: Database, now: datetime, former: Former | None = NOTHING, saved_at: datetime | None = None
) -> int:
    """At-most-once messages may have gone out since the backup, or been stopped, so a person decides (promises F17).

    `former` is what the database says that is given up, None where it cannot be read: nobody whose data was erased since
    comes back with it, nobody is written to who has asked for silence, and nothing goes on that an officer had stopped.
    Returns how many announcements were stopped on their way. `restored` is remembered: what a clock starts between the
    backup, made at `saved_at`, and now may have been sent as well.
    """
    async with database.write() as session:
        await outbox.hold_unfinished(session, now)
        await _stop(session, former, saved_at or now, now)
        held = await broadcasts.hold_started(session)
        await contests.hold_restored(session, now)
        await contests.begin_anew(session, now)
        await house.skip_numbers(session)
        for wish in former.wishes if former is not None else ():
            await _grant(session, wish, now)
        await house.remember(session, house.RESTORED, {"at": now.isoformat()}, now)
        audit.note(session, audit.SYSTEM, "restore", "database", now, held=held)
    return held
