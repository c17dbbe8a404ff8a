"""The people who joined: who they are, what they agreed to, how they are reached."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Select, String, cast, delete, func, select, update

from db import audit
from db.models import (
    Account,
    Board,
    Broadcast,
    Consent,
    OutboxRow,
    OutState,
    Person,
    Purpose,
    Reminder,
    Unit,
    UnitPath,
)
from db.session import Session

HOURS = func.rtrim(cast(Person.shift, String) + " " + Person.quiet)
"""`Person.hours` in SQL."""


async def list_hours(session: Session) -> list[str]:
    """The different hours that people have, each once."""
    return list((await session.execute(select(HOURS).distinct().order_by(HOURS))).scalars())


async def join(session: Session, account: Account, text_version: str, now: datetime) -> Person:
    """Makes a person of a chat that consented, with the proof: text version, time, channel."""
    person = Person(joined_at=now, seen_at=now, muted_topics=[])
    session.add(person)
    await session.flush()
    account.person_id = person.id
    await consent(session, person.id, Purpose.ACCOUNT, text_version, account.channel, now)
    return person


async def come_back(session: Session, person: Person, text_version: str, channel: str, now: datetime) -> None:
    """Somebody who had stopped all processing agrees again; nothing was lost meanwhile."""
    person.processing = True
    await consent(session, person.id, Purpose.ACCOUNT, text_version, channel, now)


async def consent(
    session: Session, person_id: int, purpose: Purpose, text_version: str, channel: str, now: datetime
) -> None:
    """Records a yes to one purpose; a standing yes is left as it is."""
    if not await has_consent(session, person_id, purpose):
        session.add(
            Consent(person_id=person_id, purpose=purpose, text_version=text_version, channel=channel, given_at=now)
        )
        audit.note(session, person_id, "consent", f"person {person_id}", now, purpose=purpose.value)
        await session.flush()


async def withdraw(session: Session, person_id: int, purpose: Purpose, now: datetime) -> None:
    """Ends a consent at once; the proof that it was given stays."""
    await session.execute(
        update(Consent)
        .where(Consent.person_id == person_id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )
    audit.note(session, person_id, "withdraw_consent", f"person {person_id}", now, purpose=purpose.value)


async def withdraw_all(session: Session, person_id: int, now: datetime) -> None:
    """Ends every consent that stands."""
    for purpose in Purpose:
        if await has_consent(session, person_id, purpose):
            await withdraw(session, person_id, purpose, now)


async def has_consent(session: Session, person_id: int, purpose: Purpose) -> bool:
    """Whether a person's yes to a purpose stands."""
    query = select(Consent.id).where(
        Consent.person_id == person_id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None)
    )
    return (await session.execute(query.limit(1))).first() is not None


async def set_board(
    session: Session, person: Person, board: Board, text_version: str, channel: str, now: datetime
) -> None:
    """How somebody wants to stand on boards; to be named at all is a consent of its own, which this gives or ends."""
    person.board = board
    if board != Board.HIDDEN:
        await consent(session, person.id, Purpose.BOARD, text_version, channel, now)
    elif await has_consent(session, person.id, Purpose.BOARD):
        await withdraw(session, person.id, Purpose.BOARD, now)


async def get(session: Session, person_id: int) -> Person:
    """The person of an id; raises sqlalchemy's NoResultFound for one that never was."""
    return await session.get_one(Person, person_id)


async def list_unused(
    session: Session, before: datetime, limit: int = 20, *, among: Collection[int] | None = None
) -> list[int]:
    """People, or those `among` some, who were not seen since a moment and are not erased yet, longest ago first."""
    query = select(Person.id).where(Person.seen_at < before, Person.erased_at.is_(None)).order_by(Person.seen_at)
    if among is not None:
        query = query.where(Person.id.in_(among))
    return list((await session.execute(query.limit(limit))).scalars())


async def stop_news(session: Session, person: Person, now: datetime) -> None:
    """No more reminders and announcements, at once: the consent ends, what waits is cancelled."""
    person.news = False
    if await has_consent(session, person.id, Purpose.NEWS):
        await withdraw(session, person.id, Purpose.NEWS, now)
    await session.execute(delete(Reminder).where(Reminder.person_id == person.id, Reminder.sent_at.is_(None)))
    await _cancel_waiting(session, person.id, now)


async def mute(session: Session, person: Person, topics: Collection[str], now: datetime) -> None:
    """Sets which kinds of messages a person does not want; what waits of those is cancelled."""
    person.muted_topics = sorted(topics)
    await _cancel_waiting(session, person.id, now, select(Broadcast.id).where(Broadcast.topic.in_(topics)))


async def _cancel_waiting(session: Session, person_id: int, now: datetime, only: Select[int] | None = None) -> None:
    waiting = (OutState.READY, OutState.HELD)
    query = update(OutboxRow).where(
        OutboxRow.person_id == person_id, OutboxRow.broadcast_id.is_not(None), OutboxRow.state.in_(waiting)
    )
    if only is not None:
        query = query.where(OutboxRow.broadcast_id.in_(only))
    await session.execute(query.values(state=OutState.CANCELLED, finished_at=now))


async def list_names(session: Session, top: int) -> list[tuple[int, str]]:
    """The id and name of everybody in a unit and below who has said it: a whole province's, so no more than that."""
    below = select(UnitPath.descendant_id).where(UnitPath.ancestor_id == top)
    query = select(Person.id, Person.name).where(Person.unit_id.in_(below), Person.name != "", Person.processing)
    return [(person_id, name) for person_id, name in await session.execute(query.order_by(Person.id))]


async def list_unconfirmed(session: Session, scopes: Sequence[int]) -> list[tuple[Person, str]]:
    """People of some units and below who joined by themselves and wait to be confirmed, with their unit's name."""
    below = select(UnitPath.descendant_id).where(UnitPath.ancestor_id.in_(list(scopes)))
    query = (
        select(Person, Unit.name)
        .join(Unit, Unit.id == Person.unit_id)
        .where(Unit.id.in_(below), Person.confirmed.is_(False), Person.erased_at.is_(None))
        .order_by(Person.id)
    )
    return [(person, unit) for person, unit in await session.execute(query)]


async def confirm(session: Session, person: Person, actor_id: int, now: datetime) -> None:
    """An officer says that this person belongs to the unit."""
    person.confirmed = True
    audit.note(session, actor_id, "confirm_member", f"person {person.id}", now, person.unit_id)


async def decline(session: Session, person: Person, actor_id: int, now: datetime) -> None:
    """An officer says that this person does not belong to the unit: they belong to none until they choose again."""
    audit.note(session, actor_id, "decline_member", f"person {person.id}", now, person.unit_id)
    person.unit_id, person.confirmed = None, False
