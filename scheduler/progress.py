"""What the officer sees of a message on its way: one message that is edited, then the report."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from content.calendar import local_date
from content.message import to_json
from content.windows import times_to_send
from db import broadcasts, outbox, people
from db.broadcasts import Pace
from db.models import Broadcast, BroadcastState, OutState
from db.session import Session
from scheduler import notices

if TYPE_CHECKING:
    from scheduler.timetable import Work

MONTH = timedelta(days=30)
"""The span over which people who stopped the bot are counted; fewer than 2 % is the aim (5-voice §5.4)."""
EVERY = timedelta(seconds=10)
"""How often the progress message is edited at most, for every MANY people: of who waits for hours nobody counts seconds, and
counting costs as much as there are."""
JUST_NOW = timedelta(hours=1)
"""For so long an author may be expected to look for what came of a message."""
MANY = 10_000
Step = Callable[[Session, Broadcast], Awaitable[None]]


async def look(work: Work, broadcast_id: int) -> None:
    """Ends a broadcast that has ended, gives what was late a new hour, shows how far it is.

    All is read before anything is written: nobody's answer waits for the writer while a million messages are counted.
    """
    now = work.now()
    async with work.database.read() as session:
        seen = await session.get_one(Broadcast, broadcast_id)
        if seen.state != BroadcastState.SENDING or day_lasts(seen, now):
            return
        step = await _next_step(work, session, seen, now)
    if step is None:
        return
    async with work.database.write() as session:
        broadcast = await session.get_one(Broadcast, broadcast_id)
        if (broadcast.state, broadcast.version) == (seen.state, seen.version):
            await step(session, broadcast)


async def _next_step(work: Work, session: Session, broadcast: Broadcast, now: datetime) -> Step | None:
    """What is to be written about a broadcast, if anything."""
    if broadcast.kind != "automatic" and await broadcasts.count_state(session, broadcast.id, OutState.EXPIRED):
        return partial(_give_new_hours, work, now)
    if await broadcasts.is_over(session, broadcast.id):
        return partial(_end, work, now, await _result(session, broadcast, now))
    if await broadcasts.refused_in_a_row(session, broadcast):
        return partial(_pause_refused, now)
    if broadcast.author_id is not None and await _is_news(session, broadcast, now):
        counts = await broadcasts.figures(session, broadcast.id)
        pace = await broadcasts.pace(session, broadcast.id, now)
        return partial(_show, work, now, counts, pace)
    return None


def day_lasts(broadcast: Broadcast, now: datetime) -> bool:
    """Whether it is an anniversary's message whose day is not over: who joins today may still get it."""
    return broadcast.kind == "automatic" and local_date(now) <= local_date(broadcast.send_at)


async def _give_new_hours(work: Work, now: datetime, session: Session, broadcast: Broadcast) -> None:
    """What missed its hours, because we or the platform were down or it was paused, waits for the next good ones.

    An anniversary does not: what is missed of it is missed (decisions 23).
    """
    known = await people.list_hours(session)
    times = times_to_send(broadcast.kind, broadcast.timing, known, broadcast.send_at, now)
    await broadcasts.arm(session, broadcast, OutState.EXPIRED, times)
    await broadcasts.leave_out_late(session, broadcast.id, now)


async def _pause_refused(now: datetime, session: Session, broadcast: Broadcast) -> None:
    await broadcasts.pause_refused(session, broadcast, now)


async def _is_news(session: Session, broadcast: Broadcast, now: datetime) -> bool:
    """Whether its author should see how far it is: nothing shown yet, or a while ago and it went on since."""
    shown = broadcast.progress_at if broadcast.progress_version == broadcast.version else None
    if shown is None:
        return True
    if now - shown < EVERY * max(1.0, broadcast.audience.get("count", 0) / MANY):
        return False
    latest = await broadcasts.latest(session, broadcast.id)
    return latest is not None and latest > shown


async def _show(
    work: Work, now: datetime, counts: dict[str, int], pace: Pace, session: Session, broadcast: Broadcast
) -> None:
    assert broadcast.author_id is not None
    broadcast.progress_at, broadcast.progress_version = now, broadcast.version
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
    slot = _slot(broadcast)
    await outbox.tell(session, broadcast.author_id, payload, now=now, kind="progress", slot=slot, final=False)


def _slot(broadcast: Broadcast) -> str:
    return f"bc-{broadcast.id}"


def _targets(counts: dict[str, int]) -> int:
    return sum(counts.get(state.value, 0) for state in OutState)


class Result(NamedTuple):
    """Who got it: targets by what became of them, how many had blocked us; of everybody, who has lately."""

    counts: dict[str, int]
    blocked: int
    stopped: int
    everybody: int


async def _result(session: Session, broadcast: Broadcast, now: datetime) -> Result:
    counts = await broadcasts.figures(session, broadcast.id)
    blocked = await broadcasts.gone(session, broadcast.id)
    return Result(counts, blocked, *await broadcasts.blocking(session, broadcast.id, now - MONTH))


async def _end(work: Work, now: datetime, result: Result, session: Session, broadcast: Broadcast) -> None:
    """The last word: how many got it, and why the others did not. The progress message loses its buttons.

    Its author reads it when they are awake, unless it was urgent or they have sent it just now.
    """
    if not await broadcasts.finish(session, broadcast, now) or broadcast.author_id is None:
        return
    counts, author_id = result.counts, broadcast.author_id
    targets, sent, unknown = _targets(counts), counts[OutState.SENT.value], counts[OutState.UNKNOWN.value]
    skipped = [(name.removeprefix("skip_"), n) for name, n in counts.items() if name.startswith("skip_")]
    reached_all = sent == targets and not skipped
    message = work.words.message(
        "announcing.report",
        without=("again",) * (not unknown) + ("excel",) * reached_all,
        code=broadcast.code,
        version=broadcast.version,
        sent=sent,
        targets=targets,
        percent=sent * 100 / targets if targets else 0.0,
        stopped=result.stopped,
        everybody=result.everybody,
        stopped_percent=result.stopped * 100 / result.everybody if result.everybody else 0.0,
        blocked=result.blocked,
        failed=counts[OutState.FAILED.value] - result.blocked,
        unknown=unknown,
        expired=counts[OutState.EXPIRED.value],
        cancelled=counts[OutState.CANCELLED.value],
        skipped=[[work.words.text(f"announcing.skip_{reason}"), number] for reason, number in skipped],
    )
    if broadcast.progress_at is not None:
        ended = work.words.message("announcing.progress_ended", code=broadcast.code, sent=sent, targets=targets)
        await outbox.tell(
            session, author_id, to_json(ended), now=now, kind="progress", slot=_slot(broadcast), final=False
        )
    key = f"report:{broadcast.id}:{broadcast.version}"
    at_once = broadcast.kind == broadcasts.URGENT or now - broadcast.created_at <= JUST_NOW
    await notices.tell(session, author_id, message, now, key, kind="report", at_once=at_once)
