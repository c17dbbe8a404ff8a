"""Counts for the status: what came in, what went out, how far each broadcast is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from db import house, inbox, outbox
from db.models import Broadcast, BroadcastTarget, OutboxRow, OutState, TargetState
from db.session import Session


async def status(session: Session) -> dict[str, Any]:
    """`inbox` and `outbox` by state; `deliveries` = messages of broadcasts by state; each broadcast's targets by state."""
    delivered = await session.execute(
        select(OutboxRow.state, func.count()).where(OutboxRow.broadcast_id.is_not(None)).group_by(OutboxRow.state)
    )
    deliveries = {state.value: 0 for state in OutState} | {state.value: count for state, count in delivered}
    poll = await house.know(session, "last_poll")
    return {
        "inbox": await inbox.counts(session),
        "outbox": await outbox.counts(session),
        "deliveries": deliveries,
        "broadcasts": await broadcasts(session),
        "last_poll": None if poll is None else poll["at"],
    }


async def broadcasts(session: Session) -> list[dict[str, Any]]:
    """Every broadcast of which something is known, newest first, with its targets by state of delivery."""
    found = await session.execute(
        select(BroadcastTarget.broadcast_id, BroadcastTarget.state, OutboxRow.state, func.count())
        .outerjoin(OutboxRow, OutboxRow.id == BroadcastTarget.outbox_id)
        .group_by(BroadcastTarget.broadcast_id, BroadcastTarget.state, OutboxRow.state)
    )
    targets: dict[int, dict[str, int]] = {}
    for broadcast_id, state, delivery, count in found:
        name = state.value if state == TargetState.SKIPPED or delivery is None else delivery.value
        states = targets.setdefault(broadcast_id, {})
        states[name] = states.get(name, 0) + count
    rows = await session.execute(select(Broadcast).order_by(Broadcast.id.desc()).limit(50))
    return [
        {"code": row.code, "key": row.key, "state": row.state.value, "targets": targets.get(row.id, {})}
        for row in rows.scalars()
    ]
