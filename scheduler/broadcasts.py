"""Messages to many, from their hour to their report: who gets it is settled here, delivery knows nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from content.calendar import day_start, local_date
from content.message import Media, to_json
from content.placeholders import fill, has_placeholders
from content.windows import last_end, next_slot
from db import audiences, broadcasts, outbox, policy
from db.audiences import Member
from db.models import Broadcast, BroadcastState, FileState, OutState
from db.policy import Action
from db.session import Session

if TYPE_CHECKING:
    from scheduler.timetable import Work

PROGRESS = timedelta(seconds=10)
"""How often the progress message is edited at most."""
OWN_HOURS = ("window", "morning", "evening")
"""Timings in which each person's own hours decide."""
PATIENCE = timedelta(hours=2)
"""How long files of a broadcast may take to be cleaned before it goes without them."""


async def run(work: Work) -> None:
    """Begins what is due, plans in chunks, reports progress and the end. Killed anywhere, it goes on where it was."""
    async with work.database.read() as session:
        if await broadcasts.stopped(session):
            return
        due = [b.id for b in await broadcasts.list_in(session, BroadcastState.SCHEDULED) if b.send_at <= work.now()]
    for broadcast_id in due:
        await _begin(work, broadcast_id)
    async with work.database.read() as session:
        planning = [b.id for b in await broadcasts.list_in(session, BroadcastState.PLANNING)]
        sending = [b.id for b in await broadcasts.list_in(session, BroadcastState.SENDING)]
    for broadcast_id in planning:
        while await _plan_chunk(work, broadcast_id):
            work.said()
        sending.append(broadcast_id)
    for broadcast_id in sending:
        await _progress(work, broadcast_id)
    work.said()


async def _begin(work: Work, broadcast_id: int) -> None:
    async with work.database.write() as session:
        broadcast = await session.get_one(Broadcast, broadcast_id)
        if broadcast.state != BroadcastState.SCHEDULED or await _files_wait(session, broadcast, work.now()):
            return
        if broadcast.topic == broadcasts.CELEBRATION and await broadcasts.respectful(session):
            broadcast.state, broadcast.finished_at = BroadcastState.CANCELLED, work.now()
            return
        if not await broadcasts.begin(session, broadcast, work.now()):
            await _tell_held(work, session, broadcast)


async def _files_wait(session: Session, broadcast: Broadcast, now: datetime) -> bool:
    """Pictures are cleaned before anybody sees them; the message waits for that, but not for ever."""
    files = await broadcasts.list_files(session, broadcast.id)
    if any(file.state == FileState.WAITING for file in files) and now - broadcast.send_at < PATIENCE:
        return True
    broadcast.media = [
        ["photo" if file.kind == "photo" else "document", file.file, file.name or broadcast.code]
        for file in files
        if file.state == FileState.CLEAN
    ] or broadcast.media
    return False


async def _tell_held(work: Work, session: Session, broadcast: Broadcast) -> None:
    """The author may not send any more: those above decide."""
    for person_id in await policy.anyone(session, broadcast.unit_id, Action.APPROVE_BROADCAST):
        message = work.words.message("announcing.held_notice", code=broadcast.code)
        await outbox.tell(session, person_id, to_json(message), now=work.now(), key=f"held:{broadcast.id}:{person_id}")


async def _plan_chunk(work: Work, broadcast_id: int) -> bool:
    """Plans the next people in one transaction. False when everybody is planned, or it was stopped meanwhile."""
    now = work.now()
    async with work.database.write() as session:
        broadcast = await session.get_one(Broadcast, broadcast_id)
        if broadcast.state != BroadcastState.PLANNING or await broadcasts.stopped(session):
            return False
        found = await _members(session, broadcast, now)
        rows = [(member, *await _plan(work, session, broadcast, member, now)) for member in found]
        await broadcasts.add_targets(session, broadcast, rows, now)
        if found:
            broadcast.cursor = found[-1].person_id
        if len(found) < broadcasts.CHUNK:
            await broadcasts.planned(session, broadcast)
            return False
        return True


async def _members(session: Session, broadcast: Broadcast, now: datetime) -> list[Member]:
    only = await broadcasts.reached(session, broadcast.corrects_id) if broadcast.corrects_id is not None else None
    free = broadcast.kind in ("urgent", "correction") or _on_the_day(broadcast)
    return await audiences.members(
        session, audiences.from_json(broadcast.audience), broadcast.topic,
        caps_on=None if free else day_start(now), automatic=broadcast.kind == "automatic", after=broadcast.cursor, limit=broadcasts.CHUNK, only=only,
    )  # fmt: skip


def _on_the_day(broadcast: Broadcast) -> bool:
    """An anniversary on its own day is exempt from caps and from the Sunday rule (decisions 23)."""
    return broadcast.timing == "morning"


async def _plan(
    work: Work, session: Session, broadcast: Broadcast, member: Member, now: datetime
) -> tuple[datetime, datetime | None, int | None, dict[str, Any] | None]:
    due, expires = now, None
    if broadcast.timing in OWN_HOURS:
        due = next_slot(member.shift.value, max(now, broadcast.send_at), broadcast.timing)
        if broadcast.kind == "automatic":
            expires = last_end(member.shift.value, local_date(broadcast.send_at))
    group = member.audience.value if member.audience is not None else ""
    text = str(broadcast.audience.get("texts", {}).get(group, broadcast.text))
    if has_placeholders(text):
        return due, expires, None, _payload(work, broadcast, fill(text, name=member.name, unit=member.unit))
    return due, expires, await _body(work, session, broadcast, group, text, now), None


async def _body(work: Work, session: Session, broadcast: Broadcast, group: str, text: str, now: datetime) -> int:
    """One stored body per variant of the text."""
    bodies = dict(broadcast.audience.get("bodies", {}))
    variant = group if group in broadcast.audience.get("texts", {}) else "all"
    if variant not in bodies:
        bodies[variant] = await broadcasts.body(session, _payload(work, broadcast, text), now)
        broadcast.audience = broadcast.audience | {"bodies": bodies}
    return int(bodies[variant])


def _payload(work: Work, broadcast: Broadcast, text: str) -> dict[str, Any]:
    key = "correction" if broadcast.kind == "correction" else "pushed"
    media = [Media(*item) for item in broadcast.media]
    return to_json(work.words.message(f"announcing.{key}", text=text, media=media))


async def _progress(work: Work, broadcast_id: int) -> None:
    now = work.now()
    async with work.database.write() as session:
        broadcast = await session.get_one(Broadcast, broadcast_id)
        if broadcast.state != BroadcastState.SENDING:
            return
        ended = await broadcasts.finish(session, broadcast, now)
        if broadcast.author_id is None:
            return
        counts = await broadcasts.figures(session, broadcast.id)
        if ended:
            await _report(work, session, broadcast, counts)
            return
        if broadcast.progress_at is not None and now - broadcast.progress_at < PROGRESS:
            return
        broadcast.progress_at = now
        message = work.words.message(
            "announcing.progress",
            code=broadcast.code,
            version=broadcast.version,
            sent=counts[OutState.SENT.value],
            targets=sum(counts.get(state.value, 0) for state in OutState),
            failed=counts[OutState.FAILED.value] + counts[OutState.UNKNOWN.value],
            waiting=counts[OutState.READY.value],
        )
        await outbox.tell(
            session,
            broadcast.author_id,
            to_json(message),
            now=now,
            kind="progress",
            slot=f"bc-{broadcast.id}",
            final=False,
        )


async def _report(work: Work, session: Session, broadcast: Broadcast, counts: dict[str, int]) -> None:
    """The last word: how many got it, and why the others did not."""
    assert broadcast.author_id is not None
    targets = sum(counts.get(state.value, 0) for state in OutState)
    sent = counts[OutState.SENT.value]
    blocked = await broadcasts.gone(session, broadcast.id)
    skipped: Sequence[tuple[str, int]] = [
        (name.removeprefix("skip_"), number) for name, number in counts.items() if name.startswith("skip_")
    ]
    message = work.words.message(
        "announcing.report",
        without=() if counts[OutState.UNKNOWN.value] else ("again",),
        code=broadcast.code,
        version=broadcast.version,
        sent=sent,
        targets=targets,
        percent=sent * 100 / targets if targets else 0.0,
        blocked=blocked,
        failed=counts[OutState.FAILED.value] - blocked,
        unknown=counts[OutState.UNKNOWN.value],
        expired=counts[OutState.EXPIRED.value],
        cancelled=counts[OutState.CANCELLED.value],
        skipped=[[work.words.text(f"announcing.skip_{reason}"), number] for reason, number in skipped],
    )
    await outbox.tell(
        session, broadcast.author_id, to_json(message), now=work.now(), kind="report",
        key=f"report:{broadcast.id}:{broadcast.version}",
    )  # fmt: skip
