"""What became of a message: figures, who missed it, what a person can read again, who did what to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from db.broadcasts.planning import GONE
from db.caps import GOT
from db.models import (
    Account,
    Broadcast,
    BroadcastState,
    BroadcastTarget,
    Level,
    OutboxRow,
    OutState,
    Person,
    Reach,
    TargetState,
    Unit,
    UnitPath,
)
from db.session import Session

REREAD = timedelta(days=90)
RECENT = timedelta(seconds=30)
"""The span over which the pace of sending is measured."""
SOON = timedelta(minutes=1)
"""What waits no longer than this was put off by the platform, not by its reader's hours."""


async def figures(session: Session, broadcast_id: int) -> dict[str, int]:
    """Targets by what became of them: states of delivery, "frozen", and "skip_<reason>" for those planned out."""
    # Each walks an index and no rows, save those of the skipped: a million targets are counted in a tenth of a second.
    counts: dict[str, int] = {state.value: 0 for state in OutState}
    delivered = (
        select(OutboxRow.state, func.count()).where(OutboxRow.broadcast_id == broadcast_id).group_by(OutboxRow.state)
    )
    counts |= {state.value: number for state, number in await session.execute(delivered)}
    mine = BroadcastTarget.broadcast_id == broadcast_id
    frozen = select(func.count()).where(mine, BroadcastTarget.state == TargetState.FROZEN)
    if number := (await session.execute(frozen)).scalar_one():
        counts[TargetState.FROZEN.value] = number
    skipped = (
        select(BroadcastTarget.reason, OutboxRow.state, func.count())
        .outerjoin(OutboxRow, OutboxRow.id == BroadcastTarget.outbox_id)
        .where(mine, BroadcastTarget.state == TargetState.SKIPPED)
        .group_by(BroadcastTarget.reason, OutboxRow.state)
    )
    for reason, delivery, number in await session.execute(skipped):
        counts[f"skip_{reason}"] = counts.get(f"skip_{reason}", 0) + number
        if delivery is not None:  # what gave way once it was planned counts as skipped, not as stopped
            counts[delivery.value] -= number
    return counts | {"targets": sum(counts.values())}


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a broadcast goes: messages settled lately, those due now, those that wait and until when."""

    settled: int
    due: int
    later: int
    last: datetime | None

    def left(self, now: datetime) -> timedelta | None:
        """How long it will take; None when nothing moved lately."""
        if self.last is not None and self.later:
            return self.last - now
        return RECENT * (self.due / self.settled) if self.settled else None


async def latest(session: Session, broadcast_id: int) -> datetime | None:
    """When a message of a broadcast was settled last."""
    ended = OutboxRow.broadcast_id == broadcast_id, OutboxRow.finished_at.is_not(None)
    return (await session.execute(select(func.max(OutboxRow.finished_at)).where(*ended))).scalar()


async def pace(session: Session, broadcast_id: int, now: datetime) -> Pace:
    """The pace of a broadcast."""
    mine = OutboxRow.broadcast_id == broadcast_id
    settled = select(func.count()).where(mine, OutboxRow.finished_at > now - RECENT)
    soon = OutboxRow.not_before <= now + SOON
    waiting = select(func.count().filter(soon), func.count().filter(~soon), func.max(OutboxRow.not_before)).where(
        mine, OutboxRow.state == OutState.READY
    )
    due, later, last = (await session.execute(waiting)).one()
    return Pace((await session.execute(settled)).scalar_one(), due, later, last)


async def gone(session: Session, broadcast_id: int) -> int:
    """How many failed because they blocked us or are not there."""
    query = (
        select(func.count())
        .select_from(OutboxRow)
        .where(OutboxRow.broadcast_id == broadcast_id, OutboxRow.state == OutState.FAILED, OutboxRow.error.in_(GONE))
    )
    return (await session.execute(query)).scalar_one()


async def blocking(session: Session, broadcast_id: int, since: datetime) -> tuple[int, int]:
    """Of the people a message was for: how many have stopped the bot since a moment, and how many they are."""
    reached = exists().where(Account.person_id == BroadcastTarget.person_id, Account.reach == Reach.OK)
    lost = exists().where(Account.person_id == BroadcastTarget.person_id, Account.blocked_at >= since)
    query = select(func.count().filter(lost, ~reached), func.count()).where(
        BroadcastTarget.broadcast_id == broadcast_id
    )
    stopped, everybody = (await session.execute(query)).one()
    return stopped, everybody


async def unreached(session: Session, broadcast_id: int, scopes: Sequence[int]) -> list[tuple[str, str, str]]:
    """(unit, person, why) of everybody who did not get it, of the units at or below `scopes` only.

    A team goes with its company, for there are many teams of a name.
    """
    company = aliased(Unit)
    within = select(UnitPath.descendant_id).where(UnitPath.ancestor_id.in_(scopes))
    query = (
        select(
            Unit.name,
            company.name,
            Person.name,
            BroadcastTarget.reason,
            BroadcastTarget.state,
            OutboxRow.state,
            OutboxRow.error,
        )
        .join(Person, Person.id == BroadcastTarget.person_id)
        .join(Unit, Unit.id == BroadcastTarget.unit_id)
        .outerjoin(company, and_(company.id == Unit.parent_id, Unit.level == Level.TEAM))
        .outerjoin(OutboxRow, OutboxRow.id == BroadcastTarget.outbox_id)
        .where(
            BroadcastTarget.broadcast_id == broadcast_id,
            BroadcastTarget.unit_id.in_(within),
            or_(OutboxRow.id.is_(None), OutboxRow.state != OutState.SENT),
        )
    )
    rows = []
    for unit, above, person, reason, state, delivery, error in await session.execute(query):
        why = reason or (state.value if delivery is None else delivery.value)
        name = f"{unit} – {above}" if above else unit
        rows.append((name, person, "blocked" if why == "failed" and error in GONE else why))
    return rows


async def count_reached(session: Session, broadcast_id: int) -> int:
    """How many people got it, or may have."""
    query = select(func.count()).where(OutboxRow.broadcast_id == broadcast_id, OutboxRow.state.in_(GOT))
    return (await session.execute(query)).scalar_one()


async def count_state(session: Session, broadcast_id: int, state: OutState) -> int:
    """How many messages of a broadcast are in one state."""
    query = select(func.count()).where(OutboxRow.broadcast_id == broadcast_id, OutboxRow.state == state)
    return (await session.execute(query)).scalar_one()


@dataclass(frozen=True, slots=True)
class Announced:
    """Something announced to a person: the broadcast, the unit it found them in, whether the push may have missed them."""

    broadcast: Broadcast
    unit: str
    missed: bool


async def list_for(session: Session, person_id: int, now: datetime) -> list[Announced]:
    """What was announced to a person in the last 90 days, whether or not the push arrived, newest first.

    Of one that was stopped for good only what had reached them.
    """
    query = (
        select(Broadcast, Unit.name, OutboxRow.state)
        .join(BroadcastTarget, BroadcastTarget.broadcast_id == Broadcast.id)
        .outerjoin(Unit, Unit.id == BroadcastTarget.unit_id)
        .outerjoin(OutboxRow, OutboxRow.id == BroadcastTarget.outbox_id)
        .where(
            BroadcastTarget.person_id == person_id,
            BroadcastTarget.state != TargetState.FROZEN,
            Broadcast.send_at > now - REREAD,
            or_(
                Broadcast.state.in_((BroadcastState.SENDING, BroadcastState.PAUSED, BroadcastState.DONE)),
                and_(Broadcast.state == BroadcastState.CANCELLED, OutboxRow.state.in_(GOT)),
            ),
            BroadcastTarget.reason.not_in(("unconfirmed", "withdrawn", "moved")),
        )
        .order_by(Broadcast.send_at.desc(), Broadcast.id.desc())
    )
    missed = (None, OutState.UNKNOWN, OutState.FAILED, OutState.EXPIRED, OutState.CANCELLED)
    return [
        Announced(broadcast, unit or "", state in missed) for broadcast, unit, state in await session.execute(query)
    ]


async def list_by(session: Session, author_id: int) -> list[Broadcast]:
    """What an officer has sent, newest first."""
    query = select(Broadcast).where(Broadcast.author_id == author_id).order_by(Broadcast.id.desc()).limit(30)
    return list((await session.execute(query)).scalars())
