"""What can be done to a message on its way: paused, resumed, stopped, sent again, held after a restore."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from db import audit, house, policy
from db.broadcasts.making import WAITING, move
from db.broadcasts.planning import Times, arm
from db.broadcasts.stopping import stopped
from db.errors import Refused
from db.models import Broadcast, BroadcastState, OutboxRow, OutState
from db.policy import Action
from db.session import Session

URGENT = "urgent"
"""The kind that goes at any hour, and of which its officers hear at any hour."""
ENDED = (BroadcastState.DONE, BroadcastState.CANCELLED, BroadcastState.RETURNED)
CELEBRATION = "anniversary"
"""The topic that respectful mode drops."""


async def may_steer(session: Session, broadcast: Broadcast, actor_id: int) -> bool:
    """Its author while they may still broadcast there, or who may be the second person."""
    action = Action.BROADCAST if actor_id == broadcast.author_id else Action.APPROVE_BROADCAST
    return await policy.may(session, actor_id, action, broadcast.unit_id)


async def _check(session: Session, broadcast: Broadcast, actor_id: int) -> None:
    if not await may_steer(session, broadcast, actor_id):
        raise Refused("common.refused")


async def _flip(
    session: Session, broadcast: Broadcast, before: Sequence[OutState], after: OutState, **values: Any
) -> int:
    rows = OutboxRow.broadcast_id == broadcast.id, OutboxRow.state.in_(before)
    return (await session.ask(update(OutboxRow).where(*rows).values(state=after, **values), long=True)).rowcount


async def pause(session: Session, broadcast: Broadcast, actor_id: int, version: int, now: datetime) -> int:
    """Holds what is not sent yet; returns how many. What is in flight follows when it comes back."""
    await _check(session, broadcast, actor_id)
    allowed = (BroadcastState.PLANNING, BroadcastState.SENDING)
    await move(session, broadcast, version, allowed, state=BroadcastState.PAUSED)
    audit.note(session, actor_id, "pause_broadcast", f"broadcast {broadcast.code}", now, broadcast.unit_id)
    return await _flip(session, broadcast, (OutState.READY,), OutState.HELD)


async def resume(session: Session, broadcast: Broadcast, actor_id: int, version: int, now: datetime) -> int:
    """Lets what was held go on, planning what is not planned yet; returns how many messages wait no more."""
    await _check(session, broadcast, actor_id)
    if await stopped(session):
        raise Refused("announcing.stopped")
    held = broadcast.state == BroadcastState.HELD
    state = BroadcastState.SCHEDULED if held else BroadcastState.PLANNING
    allowed = (BroadcastState.HELD,) if held else (BroadcastState.PAUSED,)
    await move(session, broadcast, version, allowed, state=state)
    audit.note(session, actor_id, "resume_broadcast", f"broadcast {broadcast.code}", now, broadcast.unit_id)
    return await _flip(session, broadcast, (OutState.HELD,), OutState.READY)


async def cancel(session: Session, broadcast: Broadcast, actor_id: int, version: int, now: datetime) -> int:
    """Stops for good; returns how many will not get it."""
    await _check(session, broadcast, actor_id)
    allowed = (*WAITING, BroadcastState.PLANNING, BroadcastState.SENDING, BroadcastState.PAUSED, BroadcastState.HELD)
    await move(session, broadcast, version, allowed, state=BroadcastState.CANCELLED, finished_at=now)
    audit.note(session, actor_id, "cancel_broadcast", f"broadcast {broadcast.code}", now, broadcast.unit_id)
    return await _flip(session, broadcast, (OutState.READY, OutState.HELD), OutState.CANCELLED, finished_at=now)


async def resend_unknown(
    session: Session, broadcast: Broadcast, actor_id: int, version: int, times: Times, now: datetime
) -> int:
    """An officer's explicit choice to send again where nobody knows; returns to how many. Some may get it twice."""
    await _check(session, broadcast, actor_id)
    if await stopped(session):
        raise Refused("announcing.stopped")
    values = {"state": BroadcastState.SENDING, "finished_at": None}
    await move(session, broadcast, version, (BroadcastState.DONE,), **values)
    number = await arm(session, broadcast, OutState.UNKNOWN, times)
    audit.note(
        session, actor_id, "resend_unknown", f"broadcast {broadcast.code}", now, broadcast.unit_id, number=number
    )
    return number


async def take_over(session: Session, broadcast: Broadcast, actor_id: int, version: int, now: datetime) -> None:
    """Ends one that is held, for the actor to compose it anew: whoever may broadcast there, once its author may not.

    While its author still may, it is only for who may steer it. Raises Refused, Conflict.
    """
    if await policy.may(session, broadcast.author_id or 0, Action.BROADCAST, broadcast.unit_id):
        await _check(session, broadcast, actor_id)
    else:
        await policy.check(session, actor_id, Action.BROADCAST, broadcast.unit_id)
    await move(session, broadcast, version, (BroadcastState.HELD,), state=BroadcastState.CANCELLED, finished_at=now)
    audit.note(session, actor_id, "cancel_broadcast", f"broadcast {broadcast.code}", now, broadcast.unit_id)
    await _flip(session, broadcast, (OutState.READY, OutState.HELD), OutState.CANCELLED, finished_at=now)


# ---------------------------------------------------------------------------------------------------- restored, respectful


async def list_cancelled(session: Session) -> list[tuple[str, datetime]]:
    """What was stopped for good: its code, and when it was written, which tells whether a code means the same one."""
    query = select(Broadcast.code, Broadcast.created_at).where(Broadcast.state == BroadcastState.CANCELLED)
    return [(code, at) for code, at in await session.execute(query)]


async def cancel_again(session: Session, cancelled: Sequence[tuple[str, datetime]], now: datetime) -> None:
    """After a backup was restored: what was stopped for good since, as the former database says it, stays so."""
    for code, at in cancelled:
        query = select(Broadcast).where(
            Broadcast.code == code, Broadcast.created_at == at, Broadcast.state.not_in(ENDED)
        )
        for broadcast in (await session.execute(query)).scalars():
            broadcast.state, broadcast.finished_at, broadcast.version = (
                BroadcastState.CANCELLED,
                now,
                broadcast.version + 1,
            )
            audit.note(session, audit.SYSTEM, "cancel_broadcast", f"broadcast {code}", now, broadcast.unit_id)
            await _flip(session, broadcast, (OutState.READY, OutState.HELD), OutState.CANCELLED, finished_at=now)


async def hold_started(session: Session) -> int:
    """After a restore: what was under way is paused, what was not planned is held, for it may have gone, or been stopped,
    since the backup. Returns how many."""
    number = 0
    for before, after in (
        ((BroadcastState.SENDING,), BroadcastState.PAUSED),
        ((BroadcastState.SCHEDULED, BroadcastState.PLANNING), BroadcastState.HELD),
    ):
        changed = await session.execute(
            update(Broadcast)
            .where(Broadcast.state.in_(before))
            .values(state=after, version=Broadcast.version + 1)
            .returning(Broadcast.id)
        )
        number += len(changed.all())
    return number


async def respectful(session: Session) -> bool:
    """Whether celebratory messages are dropped."""
    return await house.is_on(session, "respectful")


async def set_respectful(session: Session, actor_id: int, on: bool, now: datetime) -> int:
    """Respectful mode: celebratory messages that wait are dropped, not sent late. Returns how many."""
    await house.remember(session, "respectful", {"on": on, "by": actor_id}, now)
    number = 0
    if on:
        celebrating = select(Broadcast.id).where(Broadcast.topic == CELEBRATION)
        waits = OutboxRow.broadcast_id.in_(celebrating), OutboxRow.state.in_((OutState.READY, OutState.HELD))
        dropped = update(OutboxRow).where(*waits).values(state=OutState.CANCELLED, finished_at=now)
        number = (await session.ask(dropped, long=True)).rowcount
        await session.execute(
            update(Broadcast)
            .where(Broadcast.topic == CELEBRATION, Broadcast.state.not_in(ENDED))
            .values(state=BroadcastState.CANCELLED, finished_at=now, version=Broadcast.version + 1)
        )
    audit.note(session, actor_id, "respectful_mode", "on" if on else "off", now, dropped=number)
    return number
