"""What officers stopped between a backup and its restore: kept where the former database says it, else asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from db import audit
from db.contests.rounds import _step, cancel, get_contest
from db.contests.steering import go_on
from db.models import Round, RoundState
from db.session import Session

HELD = ""
"""The reason of a round that a restore keeps from opening; one that its officers paused has theirs."""


class Stop(NamedTuple):
    """A round that was called off or paused; `created_at` tells whether a number means the same round."""

    round_id: int
    created_at: datetime
    state: RoundState
    paused_at: datetime | None
    reason: str


async def list_stops(session: Session) -> list[Stop]:
    """The rounds that are called off or paused."""
    query = select(Round.id, Round.created_at, Round.state, Round.paused_at, Round.reason)
    found = await session.execute(query.where(Round.state.in_((RoundState.CANCELLED, RoundState.PAUSED))))
    return [Stop(*row) for row in found]


async def stop_again(session: Session, stops: Sequence[Stop], now: datetime) -> None:
    """What was called off or paused since the backup stays so; nothing that the backup says was stopped goes on."""
    for stop in stops:
        round_ = await session.get(Round, stop.round_id)
        if round_ is None or round_.created_at != stop.created_at:
            continue
        if stop.state == RoundState.CANCELLED and round_.state not in (RoundState.CANCELLED, RoundState.PUBLISHED):
            await cancel(session, round_, round_.version, audit.SYSTEM, now, reason=stop.reason)
        elif stop.state == RoundState.PAUSED and round_.state == RoundState.READY:
            await _pause(session, round_, stop.paused_at or now, stop.reason, now)


async def hold_coming(session: Session, now: datetime) -> None:
    """Where nobody knows what was called off since the backup, no round opens until somebody says so.

    Of those that are open their officers are asked in any case (`hold_restored`).
    """
    coming = select(Round).where(Round.state == RoundState.READY, Round.opens_at > now).order_by(Round.id)
    for round_ in (await session.execute(coming)).scalars().all():
        await _pause(session, round_, now, HELD, now)


async def _pause(session: Session, round_: Round, at: datetime, reason: str, now: datetime) -> None:
    values = {"state": RoundState.PAUSED, "paused_at": at, "reason": reason}
    await _step(session, round_, round_.version, RoundState.READY, values)
    contest = await get_contest(session, round_.contest_id)
    audit.note(session, audit.SYSTEM, "pause_round", f"round {round_.id}", now, contest.unit_id)


async def list_coming(session: Session) -> list[Round]:
    """The rounds that a restore keeps from opening, by their hours."""
    held = select(Round).where(Round.state == RoundState.PAUSED, Round.reason == HELD)
    return list((await session.execute(held.order_by(Round.opens_at, Round.id))).scalars())


async def let_coming(session: Session, actor_id: int, now: datetime) -> int:
    """Lets them be held, those that should have been open meanwhile for as much longer. Returns how many."""
    found = await list_coming(session)
    for round_ in found:
        await go_on(session, round_, round_.version, actor_id, now)
    return len(found)
