"""Who asked to be reminded of a round: once when it opens, once before it closes, unless they have sat their paper by then;
or of the next one, whichever that will be.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, delete, func, insert, literal, or_, select, true, update

from db.models import (
    Contest,
    Disqualification,
    Entry,
    EntryState,
    Person,
    Reminder,
    ReminderKind,
    Round,
    RoundState,
    Unit,
    UnitPath,
)
from db.people import HOURS
from db.session import Session

COLUMNS = ("round_id", "person_id", "kind", "asked_at", "wished")


async def ask_reminder(session: Session, round_id: int, person_id: int, kind: ReminderKind, now: datetime) -> None:
    """Writes down that somebody wants to be reminded; a second time changes nothing."""
    if not await has_reminder(session, round_id, person_id, kind):
        session.add(Reminder(round_id=round_id, person_id=person_id, kind=kind, asked_at=now))
        await session.flush()


async def has_reminder(session: Session, round_id: int, person_id: int, kind: ReminderKind) -> bool:
    """Whether somebody asked for this reminder, sent by now or not."""
    return await session.get(Reminder, (round_id, person_id, kind)) is not None


async def has_wish(session: Session, person_id: int) -> bool:
    """Whether somebody waits for the next round that is approved."""
    query = select(Reminder.round_id).where(Reminder.person_id == person_id, Reminder.kind == ReminderKind.NEXT)
    return (await session.execute(query.limit(1))).first() is not None


async def take_wishes(session: Session, round_: Round, unit_id: int, behind: int | None = None) -> None:
    """Whoever waits for the next round is reminded of this one, which is approved, if it is held for them.

    `unit_id` is whose contest it is. With `behind` only those who wait since that round.
    """
    top = select(Unit.id).where(Unit.id == unit_id, Unit.parent_id.is_(None))
    below = select(UnitPath.descendant_id).where(UnitPath.ancestor_id == unit_id)
    theirs = select(Person.id).where(Person.processing, or_(top.exists(), Person.unit_id.in_(below)))
    if round_.groups:
        theirs = theirs.where(Person.audience.in_(round_.groups))
    wishes = [Reminder.kind == ReminderKind.NEXT, Reminder.person_id.in_(theirs)]
    if behind is not None:
        wishes.append(Reminder.round_id == behind)
    known = select(Reminder.person_id).where(Reminder.round_id == round_.id, Reminder.kind == ReminderKind.OPENS)
    values = (
        literal(round_.id),
        Reminder.person_id,
        literal(ReminderKind.OPENS.value),
        func.min(Reminder.asked_at),
        true(),
    )
    query = select(*values).where(*wishes, Reminder.person_id.not_in(known)).group_by(Reminder.person_id)
    await session.execute(insert(Reminder).from_select(COLUMNS, query))
    await session.execute(delete(Reminder).where(*wishes))


async def give_back_wishes(session: Session, round_: Round, now: datetime) -> None:
    """The wishes that a round took over, which is called off, wait for the next one; where that is approved already, it
    takes them over."""
    waiting = select(Reminder.person_id).where(Reminder.kind == ReminderKind.NEXT)
    values = literal(round_.id), Reminder.person_id, literal(ReminderKind.NEXT.value), Reminder.asked_at, true()
    query = select(*values).where(
        Reminder.round_id == round_.id,
        Reminder.kind == ReminderKind.OPENS,
        Reminder.wished,
        Reminder.person_id.not_in(waiting),
    )
    await session.execute(insert(Reminder).from_select(COLUMNS, query))
    coming = (
        select(Round, Contest.unit_id)
        .join(Contest, Contest.id == Round.contest_id)
        .where(Round.state.in_((RoundState.READY, RoundState.PAUSED)), Round.opens_at > now)
        .order_by(Round.opens_at, Round.id)
    )
    for each, unit_id in (await session.execute(coming)).all():
        await take_wishes(session, each, unit_id, round_.id)


async def list_reminding(session: Session, now: datetime) -> list[Round]:
    """The rounds that are open and of which somebody is still to be reminded."""
    waiting = select(Reminder.person_id).where(
        Reminder.round_id == Round.id, Reminder.sent_at.is_(None), Reminder.kind != ReminderKind.NEXT
    )
    query = select(Round).where(
        Round.state == RoundState.READY, Round.opens_at <= now, Round.closes_at > now, waiting.exists()
    )
    return list((await session.execute(query.order_by(Round.id))).scalars())


def _to_remind(round_id: int, kind: ReminderKind, hours: Sequence[str], limit: int) -> Select[int]:
    theirs = Entry.round_id == round_id, Entry.person_id == Person.id, Entry.state != EntryState.RETURNED
    out = (
        Disqualification.round_id == round_id,
        Disqualification.person_id == Person.id,
        Disqualification.lifted_at.is_(None),
    )
    return (
        select(Reminder.person_id)
        .join(Person, Person.id == Reminder.person_id)
        .where(
            Reminder.round_id == round_id,
            Reminder.kind == kind,
            Reminder.sent_at.is_(None),
            Person.processing,
            HOURS.in_(hours),
            ~select(Entry.id).where(*theirs).exists(),
            ~select(Disqualification.id).where(*out).exists(),
        )
        .order_by(Reminder.person_id)
        .limit(limit)
    )


async def is_to_remind(session: Session, round_id: int, kind: ReminderKind, hours: Sequence[str]) -> bool:
    """Whether anybody of some `hours` waits for a reminder of a round, and has not sat their paper."""
    return (await session.execute(_to_remind(round_id, kind, hours, 1))).first() is not None


async def take_reminders(
    session: Session, round_id: int, kind: ReminderKind, hours: Sequence[str], now: datetime, limit: int
) -> list[int]:
    """The people of some `hours` who wait for a reminder of a round and have not sat their paper; each is handed out once."""
    found = (await session.execute(_to_remind(round_id, kind, hours, limit))).scalars().all()
    taken = await session.execute(
        update(Reminder)
        .where(
            Reminder.round_id == round_id,
            Reminder.kind == kind,
            Reminder.sent_at.is_(None),
            Reminder.person_id.in_(found),
        )
        .values(sent_at=now)
        .returning(Reminder.person_id)
    )
    return sorted(taken.scalars())
