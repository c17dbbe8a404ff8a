"""Counts for the status and for whoever watches: what came in, what went out, how far each broadcast is, what waits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from db import contests, house, inbox, outbox, policy, units
from db.broadcasts import approvers, list_in
from db.models import Broadcast, BroadcastState, BroadcastTarget, Lane, OutboxRow, OutState, TargetState
from db.policy import Action
from db.session import Session

FIRST_START = "first_start"
"""Under what the house remembers when it was first started."""
SHOWN = 50
"""Broadcasts in the status."""
LATELY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many seconds the oldest of each kind waits that could go on, and how much was set aside in the last hour."""

    inbox: float = 0.0
    outbox: dict[tuple[str, Lane], float] = field(default_factory=dict)
    """By channel and lane."""
    dead: int = 0
    first_start: datetime | None = None
    unanswered: bool = False
    """Whether nobody answers for what goes to many, or for something of it that is held."""


async def waiting(session: Session, channels: Collection[str], now: datetime) -> Waiting:
    """What waits now, of the channels that are open: cheap, for it is asked every other second."""
    first = await house.know(session, FIRST_START)
    return Waiting(
        inbox=await inbox.oldest(session, now),
        outbox={(name, lane): await outbox.oldest(session, name, lane, now) for name in channels for lane in Lane},
        dead=await inbox.count_dead(session, now - LATELY),
        first_start=None if first is None else datetime.fromisoformat(first["at"]),
        unanswered=await _unanswered(session),
    )


async def _unanswered(session: Session) -> bool:
    """In a house that is in use. What nobody can be asked about waits without a word."""
    top = await units.top(session)
    if top is None or not await policy.anybody(session):
        return False
    if not await policy.anyone(session, top.id, Action.DECIDE_AUTOMATIC):
        return True
    for held in await list_in(session, BroadcastState.HELD, BroadcastState.PAUSED):
        by_author = await policy.may(session, held.author_id or 0, Action.BROADCAST, held.unit_id)
        if not by_author and not await approvers(session, held):
            return True
    asking = await contests.list_asking_units(session)
    return any([not await policy.anyone(session, unit_id, Action.RUN_CONTESTS) for unit_id in asking])


async def note_start(session: Session, now: datetime) -> None:
    """Remembers the first start of this house."""
    if await house.know(session, FIRST_START) is None:
        await house.remember(session, FIRST_START, {"at": now.isoformat()}, now)


async def outgoing(session: Session) -> dict[tuple[str, str], int]:
    """How many messages there are by state and lane; it walks an index of all of them, in that index's order."""
    by = OutboxRow.state, OutboxRow.channel, OutboxRow.lane
    found = {(state.value, lane.name.lower()): 0 for state in OutState for lane in Lane}
    for state, _, lane, count in await session.execute(select(*by, func.count()).group_by(*by)):
        found[state.value, Lane(lane).name.lower()] += count
    return found


async def status(session: Session) -> dict[str, Any]:
    """`inbox` and `outbox` by state; `deliveries` = messages of broadcasts by state; each broadcast's targets by state."""
    poll = await house.know(session, "last_poll")
    return {
        "inbox": await inbox.counts(session),
        "outbox": await outbox.counts(session),
        "deliveries": await _deliveries(session),
        "broadcasts": await broadcasts(session),
        "stopped": await _stopped(session),
        "last_poll": None if poll is None else poll["at"],
    }


async def _deliveries(session: Session) -> dict[str, int]:
    """It walks an index of all of them, in that index's order."""
    by = OutboxRow.broadcast_id, OutboxRow.state
    query = select(*by, func.count()).where(OutboxRow.broadcast_id.is_not(None)).group_by(*by)
    found = {state.value: 0 for state in OutState}
    for _, state, count in await session.execute(query):
        found[state.value] += count
    return found


async def _stopped(session: Session) -> str:
    """Why nothing goes to many; "" where it does."""
    fact = await house.know(session, house.STOP)
    if not fact or not fact["on"]:
        return ""
    if "lost_since" not in fact:
        return "emergency stop"
    return f"restored: stops since {fact['lost_since']} may be lost; a leader or an administrator decides (/dungkhan)"


async def broadcasts(session: Session) -> list[dict[str, Any]]:
    """The newest broadcasts, newest first, with their targets by state of delivery."""
    rows = (await session.execute(select(Broadcast).order_by(Broadcast.id.desc()).limit(SHOWN))).scalars().all()
    found = await session.execute(
        select(BroadcastTarget.broadcast_id, BroadcastTarget.state, OutboxRow.state, func.count())
        .outerjoin(OutboxRow, OutboxRow.id == BroadcastTarget.outbox_id)
        .where(BroadcastTarget.broadcast_id.in_([row.id for row in rows]))
        .group_by(BroadcastTarget.broadcast_id, BroadcastTarget.state, OutboxRow.state)
    )
    targets: dict[int, dict[str, int]] = {}
    for broadcast_id, state, delivery, count in found:
        name = state.value if state == TargetState.SKIPPED or delivery is None else delivery.value
        states = targets.setdefault(broadcast_id, {})
        states[name] = states.get(name, 0) + count
    return [
        {"code": row.code, "key": row.key, "state": row.state.value, "targets": targets.get(row.id, {})} for row in rows
    ]
