"""From a frozen audience to rows on their way: planned once each, in chunks, whatever dies in between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import String, bindparam, cast, exists, func, insert, literal, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.sql.elements import ColumnElement

from db import audiences, audit, policy
from db.broadcasts.making import go_on, move, rule_of
from db.caps import OWN_DAY
from db.models import (
    UNSENT,
    Account,
    Audience,
    AuditRow,
    Broadcast,
    BroadcastState,
    BroadcastTarget,
    Lane,
    OutboxRow,
    OutState,
    Person,
    Policy,
    Reach,
    TargetState,
    Unit,
    UnitPath,
)
from db.people import HOURS
from db.policy import Action
from db.session import Session

CHUNK = 500
REFUSALS = 20
"""Messages the platform refuses in a row before a broadcast is paused: something is wrong with it (promises §1.5)."""
_COLUMNS = OutboxRow.__table__.c
_OWN = (
    update(OutboxRow.__table__)  # type: ignore[arg-type]
    .where(OutboxRow.dedup_key == bindparam("key"))
    .values(payload=bindparam("own"))
)
"""What differs from person to person, once their rows are there."""
Times = Mapping[str, tuple[datetime, datetime | None]]
"""For everybody's hours: not before, and not after."""


class Member(NamedTuple):
    """Somebody of a frozen audience, the chat they used last, and why they get nothing ("" = they get it)."""

    person_id: int
    name: str
    unit_id: int | None
    unit: str
    audience: Audience | None
    hours: str
    account_id: int | None
    channel: str
    address: str
    reason: str


async def list_in(session: Session, *states: BroadcastState) -> list[Broadcast]:
    """Broadcasts in some states, oldest first."""
    return list(
        (await session.execute(select(Broadcast).where(Broadcast.state.in_(states)).order_by(Broadcast.id))).scalars()
    )


async def begin(session: Session, broadcast: Broadcast, now: datetime) -> bool:
    """From SCHEDULED to PLANNING, with the author's right checked once more; HELD when it is gone (promises F27)."""
    if not await still_allowed(session, broadcast, now):
        return False
    await go_on(session, broadcast, BroadcastState.SCHEDULED, BroadcastState.PLANNING)
    return True


async def still_allowed(session: Session, broadcast: Broadcast, now: datetime) -> bool:
    """Whether its author may send it at this moment. If not, it is HELD with all of it that has not left."""
    author = broadcast.author_id
    if author is None or await policy.may(session, author, Action.BROADCAST, broadcast.unit_id):
        return True
    before = (BroadcastState.SCHEDULED, BroadcastState.PLANNING)
    await move(session, broadcast, broadcast.version, before, state=BroadcastState.HELD)
    await session.execute(
        update(OutboxRow)
        .where(OutboxRow.broadcast_id == broadcast.id, OutboxRow.state == OutState.READY)
        .values(state=OutState.HELD)
    )
    audit.note(session, audit.SYSTEM, "hold_broadcast", f"broadcast {broadcast.code}", now, broadcast.unit_id)
    return False


async def drop(session: Session, broadcast: Broadcast, now: datetime) -> None:
    """Ends what waits for its hour and must not go (respectful mode)."""
    values = {"state": BroadcastState.CANCELLED, "finished_at": now}
    await move(session, broadcast, broadcast.version, (BroadcastState.SCHEDULED,), **values)


async def next_members(session: Session, broadcast: Broadcast, today: datetime, *, exempt: bool) -> list[Member]:
    """The next people of the frozen audience, each with the reason why not as things stand now.

    `today` is when the day begins whose caps count; `exempt` lifts them.
    """
    why = await _why_not(session, broadcast, today, exempt=exempt)
    chat = aliased(Account)
    known = aliased(Account)
    # Those that can be reached go first.
    last = (
        select(known.id)
        .where(known.person_id == Person.id)
        .order_by((known.reach == Reach.OK).desc(), known.seen_at.desc(), known.id)
        .limit(1)
        .correlate(Person)
        .scalar_subquery()
    )
    query = (
        select(
            Person.id, Person.name, BroadcastTarget.unit_id, func.coalesce(Unit.name, ""), Person.audience, HOURS,
            chat.id, chat.channel, chat.address, why,
        )
        .join(BroadcastTarget, BroadcastTarget.person_id == Person.id)
        .outerjoin(Unit, Unit.id == BroadcastTarget.unit_id)
        .outerjoin(chat, chat.id == last)
        .where(BroadcastTarget.broadcast_id == broadcast.id, BroadcastTarget.state == TargetState.FROZEN)
        .order_by(BroadcastTarget.person_id)
        .limit(CHUNK)
    )  # fmt: skip
    return [Member(*row) for row in await session.execute(query)]


async def foresee(session: Session, broadcast: Broadcast, today: datetime) -> dict[tuple[str, str], int]:
    """Those not planned yet by the reason why they get nothing as things stand ("" = they get it) and by their hours.

    `today` is when the day begins whose caps count; an anniversary's own day lifts them.
    """
    why = (await _why_not(session, broadcast, today, exempt=broadcast.timing == OWN_DAY)).label("why")
    people = (
        select(why, HOURS.label("hours"))
        .select_from(Person)
        .join(BroadcastTarget, BroadcastTarget.person_id == Person.id)
        .where(BroadcastTarget.broadcast_id == broadcast.id, BroadcastTarget.state == TargetState.FROZEN)
        .subquery()
    )
    found = select(people.c.why, people.c.hours, func.count()).group_by(people.c.why, people.c.hours)
    return {(reason, hours): number for reason, hours, number in await session.ask(found, long=True)}


async def _why_not(session: Session, broadcast: Broadcast, today: datetime, *, exempt: bool) -> ColumnElement[str]:
    moved = await _outside(session, broadcast)
    return audiences.why_not(rule_of(broadcast), broadcast.kind, broadcast.topic, today, exempt=exempt, moved=moved)


async def _outside(session: Session, broadcast: Broadcast) -> ColumnElement[bool]:
    """Whether a person's unit is no longer one the author may write to: they moved, or the unit was moved.

    A correction still follows everybody who has the wrong message.
    """
    if broadcast.author_id is None or broadcast.corrects_id is not None:
        return literal(False)
    held = await policy.scopes(session, broadcast.author_id, Action.BROADCAST)
    return ~exists().where(UnitPath.ancestor_id.in_(held), UnitPath.descendant_id == Person.unit_id)


async def add_targets(
    session: Session,
    broadcast: Broadcast,
    rows: Sequence[tuple[Member, datetime, datetime | None, int | None, dict[str, Any] | None]],
    now: datetime,
) -> int:
    """Plans some people of the frozen audience: an outbox row each, unless there is a reason against it.

    Each row is (member, not before, expires, body, own payload). What would come after it expired is so from the start, to
    be shown as missed. The caller's transaction holds the whole chunk, and the row's key holds if everything else should
    fail: nobody is planned twice.
    """
    key = f"bc:{broadcast.id}:"
    reasons: dict[str, list[int]] = defaultdict(list)
    chats: dict[tuple[datetime, datetime | None, int | None], list[int]] = defaultdict(list)
    own: list[dict[str, Any]] = []
    for member, due, expires, body_id, payload in rows:
        reasons[member.reason].append(member.person_id)
        if not member.reason and member.account_id is not None:
            chats[due, expires, body_id].append(member.account_id)
            if payload is not None:
                own.append({"key": f"{key}{member.person_id}", "own": payload})
    theirs: dict[str, ColumnElement[Any] | InstrumentedAttribute[Any]] = {
        "dedup_key": literal(key) + cast(Account.person_id, String), "account_id": Account.id,
        "person_id": Account.person_id, "channel": Account.channel, "address": Account.address,
    }  # fmt: skip
    for (due, expires, body_id), ids in chats.items():
        late = expires is not None and due > expires
        same = {
            "policy": Policy.AMO, "lane": int(Lane.BULK), "kind": broadcast.kind, "broadcast_id": broadcast.id,
            "body_id": body_id, "attempts": 0, "not_before": due, "expires_at": expires,
            "state": OutState.EXPIRED if late else OutState.READY, "finished_at": now if late else None, "claim": "",
            "provider_id": "", "edits": "", "error": "", "created_at": now,
        }  # fmt: skip
        # What many get at one hour is one statement: a row object for each would cost several times as much.
        values = [*theirs.values(), *(literal(value, _COLUMNS[name].type) for name, value in same.items())]
        rows_of = select(*values).where(Account.id.in_(ids)).order_by(Account.id)
        await session.execute(insert(OutboxRow).from_select([*theirs, *same], rows_of))
    if own:
        await session.ask(_OWN, own)
    its_key = literal(key) + cast(BroadcastTarget.person_id, String)
    its_row = select(OutboxRow.id).where(OutboxRow.dedup_key == its_key).correlate(BroadcastTarget).scalar_subquery()
    for reason, people in reasons.items():
        settled = {"state": TargetState.SKIPPED, "reason": reason}
        planned = {"state": TargetState.PLANNED, "outbox_id": its_row}
        await session.execute(
            update(BroadcastTarget)
            .where(BroadcastTarget.broadcast_id == broadcast.id, BroadcastTarget.person_id.in_(people))
            .values(settled if reason else planned),
            execution_options={"synchronize_session": False},
        )
    return sum(map(len, chats.values()))


async def planned(session: Session, broadcast: Broadcast) -> None:
    """All targets are there: sending is what is left."""
    await go_on(session, broadcast, BroadcastState.PLANNING, BroadcastState.SENDING)


async def welcome(session: Session, broadcast: Broadcast, hours: Sequence[str]) -> bool:
    """Takes people who joined since into a message that is on its way; it is planned on. Returns whether there were any."""
    fresh = await audiences.freeze_newcomers(session, broadcast, hours)
    if fresh:
        await go_on(session, broadcast, BroadcastState.SENDING, BroadcastState.PLANNING)
    return fresh


async def arm(session: Session, broadcast: Broadcast, state: OutState, times: Times) -> int:
    """Makes the rows of one state ready for each person's next good hour, unless they want none any more. Returns how many.

    What each was to read of their own is kept for 30 days only (`outbox.tidy`): without it there is nothing to send.
    """
    number = 0
    for hours, (due, expires) in times.items():
        theirs = select(Person.id).where(HOURS.in_([hours]), ~audiences.wants_none(broadcast.topic))
        changed = await session.ask(
            update(OutboxRow)
            .where(OutboxRow.broadcast_id == broadcast.id, OutboxRow.state == state, OutboxRow.person_id.in_(theirs))
            .where(or_(OutboxRow.body_id.is_not(None), OutboxRow.payload.is_not(None)))
            .values(state=OutState.READY, not_before=due, expires_at=expires, claim="", error="", finished_at=None)
        )
        number += changed.rowcount
    return number


async def leave_out_late(session: Session, broadcast_id: int, now: datetime) -> None:
    """What came too late for somebody who wants none any more, or of which nothing is left to send, ends: nobody waits for it."""
    await session.execute(
        update(OutboxRow)
        .where(OutboxRow.broadcast_id == broadcast_id, OutboxRow.state == OutState.EXPIRED)
        .values(state=OutState.CANCELLED, finished_at=now)
    )


async def waiting_for(session: Session, person_id: int) -> list[tuple[OutboxRow, Broadcast]]:
    """What of messages to many waits for its hour with one person."""
    query = (
        select(OutboxRow, Broadcast)
        .join(Broadcast, Broadcast.id == OutboxRow.broadcast_id)
        .where(OutboxRow.person_id == person_id, OutboxRow.state.in_(UNSENT))
    )
    return [(row, broadcast) for row, broadcast in await session.execute(query)]


async def is_over(session: Session, broadcast_id: int) -> bool:
    """Whether nothing of a broadcast is on its way any more."""
    left = select(OutboxRow.id).where(
        OutboxRow.broadcast_id == broadcast_id, OutboxRow.state.in_((OutState.READY, OutState.SENDING, OutState.HELD))
    )
    return (await session.execute(left.limit(1))).first() is None


async def finish(session: Session, broadcast: Broadcast, now: datetime) -> bool:
    """Ends a broadcast of which nothing is on its way any more."""
    if not await is_over(session, broadcast.id):
        return False
    values = {"state": BroadcastState.DONE, "finished_at": now}
    await move(session, broadcast, broadcast.version, (BroadcastState.SENDING,), **values)
    return True


async def refused_in_a_row(session: Session, broadcast: Broadcast) -> bool:
    """Whether the platform refused this message itself, not its readers, many times on end since anybody looked at it."""
    newest = (
        select(OutboxRow.state, OutboxRow.error, OutboxRow.finished_at)
        .where(OutboxRow.broadcast_id == broadcast.id, OutboxRow.finished_at.is_not(None))
        .order_by(OutboxRow.finished_at.desc(), OutboxRow.id.desc())
        .limit(REFUSALS)
        .subquery()
    )
    wrong = (newest.c.state == OutState.FAILED) & newest.c.error.not_in(GONE)
    query = select(func.count(), func.min(newest.c.finished_at)).select_from(newest).where(wrong)
    number, since = (await session.execute(query)).one()
    if number < REFUSALS:
        return False
    event = await last_event(session, broadcast.code)
    return event is None or event.at < since


LOOKED = ("list_unreached",)
"""What is written down of a broadcast though it did nothing to it."""


class Event(NamedTuple):
    """Something that was done to a broadcast; the clock has no id and the name ""."""

    action: str
    actor_id: int | None
    who: str
    at: datetime


async def last_event(session: Session, code: str) -> Event | None:
    """The last thing anybody did to a broadcast."""
    query = (
        select(AuditRow.action, Person.id, Person.name, AuditRow.at)
        .outerjoin(Person, Person.id == AuditRow.actor_id)
        .where(AuditRow.object == f"broadcast {code}", AuditRow.action.not_in(LOOKED))
        .order_by(AuditRow.id.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    return None if row is None else Event(row[0], row[1], row[2] or "", row[3])


async def pause_refused(session: Session, broadcast: Broadcast, now: datetime) -> None:
    """Stops burning recipients; the author decides."""
    await move(session, broadcast, broadcast.version, (BroadcastState.SENDING,), state=BroadcastState.PAUSED)
    await session.execute(
        update(OutboxRow)
        .where(OutboxRow.broadcast_id == broadcast.id, OutboxRow.state == OutState.READY)
        .values(state=OutState.HELD)
    )
    audit.note(session, audit.SYSTEM, "pause_broadcast", f"broadcast {broadcast.code}", now, broadcast.unit_id)


GONE = ("blocked", "chat not found")
"""Why a channel says a person cannot be reached, as its adapter names it."""
