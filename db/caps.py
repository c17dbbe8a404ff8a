"""How much a person gets at most that is not urgent, from all senders together, and what gives way when that is full."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true, update

from db.models import Broadcast, BroadcastTarget, OutboxRow, OutState, Person, TargetState
from db.session import Session

CAPS = ((1, 1), (7, 3), (30, 10))
"""(days, messages): what a person gets at most (5-voice §5.4).

Days are those of the calendar, today included: an evening message does not stand in the way of the next day's.
"""
GOT = (OutState.SENT, OutState.UNKNOWN, OutState.SENDING)
"""States of a message that its reader has, may have, or is about to have."""
WAITS = (OutState.READY, OutState.HELD)
"""States of a message that can still give way."""
RANK = {"campaign": 0, "automatic": 1, "notice": 2, "document": 3}
"""Kinds of messages that count, the higher ones before the lower: general words, anniversaries, notices, policy.

What is urgent and what corrects stands outside (5-voice §5.4).
"""
OWN_DAY = "morning"
"""The timing of an anniversary on its own day, which never gives way (decisions 23)."""


def _lower(kind: str) -> list[str]:
    """The kinds that give way to this one."""
    return [each for each, rank in RANK.items() if rank < RANK[kind]]


def full(today: datetime, kind: str) -> ColumnElement[bool]:
    """Whether somebody has had as many messages as a person should get, so that one of this kind finds no place.

    `today` is when the day begins. What is lower and still waits does not count: it gives way (`make_room`). An
    anniversary is never in the way of a notice or of policy, even when it was sent.
    """
    firm = or_(Broadcast.kind.not_in(_lower(kind)), OutboxRow.state.in_(GOT))
    uncounted = ("urgent", "automatic") if "automatic" in _lower(kind) else ("urgent",)

    def had(since: datetime) -> ColumnElement[int]:
        return (
            select(func.count())
            .select_from(OutboxRow)
            .join(Broadcast, Broadcast.id == OutboxRow.broadcast_id)
            .where(
                OutboxRow.person_id == Person.id,
                OutboxRow.state.in_((*GOT, *WAITS)),
                OutboxRow.not_before >= since,
                Broadcast.kind.not_in(uncounted),
                firm,
            )
            .correlate(Person)
            .scalar_subquery()
        )

    return or_(*(had(_since(today, days)) >= most for days, most in CAPS))


def _since(today: datetime, days: int) -> datetime:
    return today - timedelta(days=days - 1)


async def make_room(session: Session, kind: str, people: Collection[int], today: datetime, now: datetime) -> int:
    """Takes from each of some people what is lower than this kind and still waits, as far as one more would be too much.

    The caller plans the new message in the same transaction. What is on its way or arrived stays. Returns how many gave
    way; they show as passed over for the caps, and can be read again.
    """
    lower = _lower(kind)
    if not lower:
        return 0
    spare = and_(
        OutboxRow.state.in_(WAITS), Broadcast.kind.in_(lower),
        or_(Broadcast.kind != "automatic", Broadcast.timing != OWN_DAY),
    )  # fmt: skip
    # Few people, mostly none, have anything that could give way: the others' messages are not looked at. What is spare is
    # asked of each person's messages only, for asked of all it would lead through everything that waits.
    having = (
        select(OutboxRow.person_id)
        .join(Broadcast, Broadcast.id == OutboxRow.broadcast_id)
        .where(OutboxRow.person_id.in_(people), OutboxRow.not_before >= _since(today, CAPS[-1][0]))
        .group_by(OutboxRow.person_id)
        .having(func.max(case((spare, 1), else_=0)) == 1)
    )
    people = {person_id for person_id in (await session.execute(having)).scalars() if person_id is not None}
    if not people:
        return 0
    counts = or_(spare, Broadcast.kind != "automatic") if "automatic" in lower else true()
    query = (
        select(OutboxRow.person_id, OutboxRow.id, OutboxRow.not_before, Broadcast.kind, spare)
        .join(Broadcast, Broadcast.id == OutboxRow.broadcast_id)
        .where(
            OutboxRow.person_id.in_(people),
            OutboxRow.state.in_((*GOT, *WAITS)),
            OutboxRow.not_before >= _since(today, CAPS[-1][0]),
            Broadcast.kind != "urgent",
            counts,
        )
    )
    had: dict[int | None, list[tuple[int, datetime, int | None]]] = defaultdict(list)
    for person_id, row_id, at, of, gives_way in await session.execute(query):
        had[person_id].append((row_id, at, RANK[of] if gives_way else None))
    going = [row_id for rows in had.values() for row_id in _giving_way(rows, today)]
    if not going:
        return 0
    changed = await session.execute(
        update(OutboxRow)
        .where(OutboxRow.id.in_(going), OutboxRow.state.in_(WAITS))
        .values(state=OutState.CANCELLED, finished_at=now)
        .returning(OutboxRow.id)
    )
    gone = list(changed.scalars())
    await session.execute(
        update(BroadcastTarget)
        .where(BroadcastTarget.outbox_id.in_(gone))
        .values(state=TargetState.SKIPPED, reason="capped")
    )
    return len(gone)


def _giving_way(rows: list[tuple[int, datetime, int | None]], today: datetime) -> list[int]:
    """Which of a person's messages (row, hour, rank or None for what stays) make room for one more: lowest, then newest."""
    going: list[int] = []
    for days, most in CAPS:
        inside = [row for row in rows if row[1] >= _since(today, days) and row[0] not in going]
        spare = sorted((rank, -row_id) for row_id, _, rank in inside if rank is not None)
        going += [-row_id for _, row_id in spare[: max(0, len(inside) + 1 - most)]]
    return going
