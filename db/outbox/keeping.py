"""What becomes of the line after a start, after a restore, after a month; and how much is in it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import aliased

from db.models import (
    FINAL,
    Lane,
    OutboxRow,
    OutState,
    Policy,
)
from db.session import Session

LONG = timedelta(hours=1)
"""Longer than a platform asks us to wait."""
NOTICE = timedelta(days=7)
"""Longer than it takes until somebody may be told something, over the new year and a Sunday."""


async def recover(session: Session, now: datetime) -> int:
    """After a start: what was being sent when the process died is in doubt. Returns how many rows were."""
    doubtful = await session.execute(
        update(OutboxRow)
        .where(OutboxRow.state == OutState.SENDING, OutboxRow.policy == Policy.AMO)
        .values(state=OutState.UNKNOWN, finished_at=now, error="the process died while sending")
    )
    again = await session.execute(
        update(OutboxRow)
        .where(OutboxRow.state == OutState.SENDING, OutboxRow.policy == Policy.ALO)
        .values(state=OutState.READY)
    )
    return int(getattr(doubtful, "rowcount", 0)) + int(getattr(again, "rowcount", 0))


async def catch_up(session: Session, channel: str, now: datetime, beyond: timedelta = LONG) -> None:
    """What waits for longer than anything is made to wait was put off by a clock that was ahead: it may go at once.

    `beyond` is how long that is for a retry and for an answer; a notice may wait for somebody's next good day. What a
    chat was told before stays before what it was told since.
    """
    later = aliased(OutboxRow)
    since = (
        select(func.min(later.not_before))
        .where(later.state == OutState.READY, later.channel == channel, later.lane == OutboxRow.lane)
        .where(later.address == OutboxRow.address, later.id > OutboxRow.id, later.not_before <= now)
        .scalar_subquery()
    )
    for lane, furthest in ((Lane.REPLY, beyond), (Lane.NOTICE, NOTICE), (Lane.BULK, None)):
        here = OutboxRow.state == OutState.READY, OutboxRow.channel == channel, OutboxRow.lane == int(lane)
        await session.execute(update(OutboxRow).where(*here, OutboxRow.retry_at > now + beyond).values(retry_at=None))
        if furthest is not None:
            put_off = OutboxRow.not_before > now + furthest
            await session.execute(update(OutboxRow).where(*here, put_off).values(not_before=func.coalesce(since, now)))


async def hold_unfinished(session: Session, now: datetime) -> None:
    """After a backup was restored: at-most-once rows may have gone out since (promises F17).

    Of an announcement a person decides; a single reminder stays in doubt, for nobody would look at it.
    """
    waiting = OutboxRow.policy == Policy.AMO, OutboxRow.state.in_((OutState.READY, OutState.SENDING))
    await session.execute(
        update(OutboxRow).where(*waiting, OutboxRow.broadcast_id.is_not(None)).values(state=OutState.HELD)
    )
    doubtful = {"state": OutState.UNKNOWN, "finished_at": now, "error": "a backup was restored"}
    await session.execute(update(OutboxRow).where(*waiting, OutboxRow.broadcast_id.is_(None)).values(doubtful))


async def counts(session: Session) -> dict[str, int]:
    """How many messages are in each state."""
    found = await session.execute(select(OutboxRow.state, func.count()).group_by(OutboxRow.state))
    return {state.value: 0 for state in OutState} | {state.value: count for state, count in found}


async def tidy(session: Session, now: datetime) -> None:
    """Of what was settled more than 30 days ago, blanks the content and forgets what nobody asks for again.

    Kept are a key, which is never used twice, a slot, whose last message is edited, and an announcement's, for its report.
    """
    old = OutboxRow.finished_at < now - timedelta(days=30)
    answers = OutboxRow.broadcast_id.is_(None), OutboxRow.dedup_key.is_(None), OutboxRow.slot.is_(None)
    await session.execute(delete(OutboxRow).where(old, *answers, OutboxRow.state.in_(FINAL)))
    kept = OutboxRow.payload.is_not(None), old
    await session.execute(update(OutboxRow).where(*kept).values(payload=None))  # what goes again has no end any more
