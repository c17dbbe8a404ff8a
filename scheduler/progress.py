"""What the officer sees of a message on its way: one message that is edited, then the report."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from content.calendar import local_date
from content.message import to_json
from content.windows import times_to_send
from db import broadcasts, outbox, people
from db.models import Broadcast, BroadcastState, OutState
from db.session import Session

if TYPE_CHECKING:
    from scheduler.timetable import Work

MONTH = timedelta(days=30)
"""The span over which people who stopped the bot are counted; fewer than 2 % is the aim (5-voice §5.4)."""
EVERY = timedelta(seconds=10)
"""How often the progress message is edited at most."""


async def look(work: Work, broadcast_id: int) -> None:
    """Ends a broadcast that has ended, gives what was late a new hour, shows how far it is."""
    now = work.now()
    async with work.database.write() as session:
        broadcast = await session.get_one(Broadcast, broadcast_id)
        if broadcast.state != BroadcastState.SENDING:
            return
        if day_lasts(broadcast, now):
            return
        await _give_new_hours(session, broadcast, now)
        if await broadcasts.finish(session, broadcast, now):
            await _report(work, session, broadcast)
        elif await broadcasts.refused_in_a_row(session, broadcast):
            await broadcasts.pause_refused(session, broadcast, now)
        elif broadcast.author_id is not None:
            await _show(work, session, broadcast, broadcast.author_id, now)


def day_lasts(broadcast: Broadcast, now: datetime) -> bool:
    """Whether it is an anniversary's message whose day is not over: who joins today may still get it."""
    return broadcast.kind == "automatic" and local_date(now) <= local_date(broadcast.send_at)


async def _give_new_hours(session: Session, broadcast: Broadcast, now: datetime) -> None:
    """What missed its hours, because we or the platform were down or it was paused, waits for the next good ones.

    An anniversary does not: what is missed of it is missed (decisions 23).
    """
    if broadcast.kind != "automatic" and await broadcasts.count_state(session, broadcast.id, OutState.EXPIRED):
        known = await people.list_hours(session)
        times = times_to_send(broadcast.kind, broadcast.timing, known, broadcast.send_at, now)
        await broadcasts.arm(session, broadcast, OutState.EXPIRED, times)


async def _show(work: Work, session: Session, broadcast: Broadcast, author_id: int, now: datetime) -> None:
    shown = broadcast.progress_at if broadcast.progress_version == broadcast.version else None
    pace = await broadcasts.pace(session, broadcast.id, now)
    if shown is not None and (now - shown < EVERY or pace.latest is None or pace.latest <= shown):
        return
    broadcast.progress_at, broadcast.progress_version = now, broadcast.version
    counts = await broadcasts.figures(session, broadcast.id)
    left = pace.left(now)
    message = work.words.message(
        "announcing.progress",
        code=broadcast.code,
        version=broadcast.version,
        sent=counts[OutState.SENT.value],
        targets=_targets(counts),
        failed=counts[OutState.FAILED.value],
        unknown=counts[OutState.UNKNOWN.value],
        later=pace.later,
        minutes=0 if left is None else max(1, round(left.total_seconds() / 60)),
        ends=pace.last,
    )
    payload = to_json(message)
    await outbox.tell(session, author_id, payload, now=now, kind="progress", slot=_slot(broadcast), final=False)


def _slot(broadcast: Broadcast) -> str:
    return f"bc-{broadcast.id}"


def _targets(counts: dict[str, int]) -> int:
    return sum(counts.get(state.value, 0) for state in OutState)


async def _report(work: Work, session: Session, broadcast: Broadcast) -> None:
    """The last word: how many got it, and why the others did not. The progress message loses its buttons."""
    if broadcast.author_id is None:
        return
    counts = await broadcasts.figures(session, broadcast.id)
    targets, sent, unknown = _targets(counts), counts[OutState.SENT.value], counts[OutState.UNKNOWN.value]
    blocked = await broadcasts.gone(session, broadcast.id)
    skipped = [(name.removeprefix("skip_"), n) for name, n in counts.items() if name.startswith("skip_")]
    stopped, everybody = await broadcasts.blocking(session, broadcast.id, work.now() - MONTH)
    reached_all = sent == targets and not skipped
    message = work.words.message(
        "announcing.report",
        without=("again",) * (not unknown) + ("excel",) * reached_all,
        code=broadcast.code,
        version=broadcast.version,
        sent=sent,
        targets=targets,
        percent=sent * 100 / targets if targets else 0.0,
        stopped=stopped,
        everybody=everybody,
        stopped_percent=stopped * 100 / everybody if everybody else 0.0,
        blocked=blocked,
        failed=counts[OutState.FAILED.value] - blocked,
        unknown=unknown,
        expired=counts[OutState.EXPIRED.value],
        cancelled=counts[OutState.CANCELLED.value],
        skipped=[[work.words.text(f"announcing.skip_{reason}"), number] for reason, number in skipped],
    )
    now, author_id = work.now(), broadcast.author_id
    if broadcast.progress_at is not None:
        ended = work.words.message("announcing.progress_ended", code=broadcast.code, sent=sent, targets=targets)
        await outbox.tell(
            session, author_id, to_json(ended), now=now, kind="progress", slot=_slot(broadcast), final=False
        )
    key = f"report:{broadcast.id}:{broadcast.version}"
    await outbox.tell(session, author_id, to_json(message), now=now, kind="report", key=key)
