"""What falls due next, read from the rows: where a clock that is moved must stop, and what the demo says lies ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from db.models import (
    OPEN,
    Broadcast,
    BroadcastState,
    Draft,
    Entry,
    EntryState,
    InboxRow,
    InboxState,
    OutboxRow,
    OutState,
    Round,
    RoundState,
    Status,
    Submission,
)
from db.session import Session


@dataclass(frozen=True, slots=True)
class Due:
    """One moment at which something happens by itself.

    `kind` is "anniversary" (`code` is its key), "announcement", "answer", "scheduled", "claim", "review", "question",
    "draft", "paper" (a contest's time is over), "contest_opens", "contest_closes" or "contest_result"; `count` is to how many people.
    """

    at: datetime
    kind: str
    code: str = ""
    count: int = 1


async def coming(
    session: Session, now: datetime, *, asked: Sequence[timedelta], drafts: Sequence[timedelta], limit: int = 8
) -> list[Due]:
    """The next moments after `now`, earliest first, at most `limit` of each kind.

    `asked` are the spans after which an unanswered question does something, `drafts` those of an unsent draft.
    """
    found = await _messages(session, now, limit)
    scheduled = select(Broadcast.send_at, Broadcast.code).where(
        Broadcast.state == BroadcastState.SCHEDULED, Broadcast.send_at > now
    )
    claims = select(Submission.lapses_at, Submission.code).where(
        Submission.status == Status.CLAIMED, Submission.lapses_at > now
    )
    reviews = select(Submission.due_at, Submission.code).where(
        Submission.status.in_(OPEN), Submission.status != Status.NEED_INFO, Submission.due_at > now
    )
    wished = select(Submission.remind_at, Submission.code).where(
        Submission.status == Status.NEED_INFO, Submission.remind_at > now
    )
    again = select(InboxRow.next_at, InboxRow.lane).where(InboxRow.state == InboxState.NEW, InboxRow.next_at > now)
    for kind, query in (
        ("scheduled", scheduled),
        ("claim", claims),
        ("review", reviews),
        ("question", wished),
        ("answer", again),
    ):
        rows = await session.execute(query.order_by(query.selected_columns[0]).limit(limit))
        found += [Due(at, kind, code) for at, code in rows if at is not None]
    for span in asked:
        questions = select(Submission.asked_at, Submission.code).where(
            Submission.status == Status.NEED_INFO, Submission.asked_at > now - span
        )
        rows = await session.execute(questions.order_by(Submission.asked_at).limit(limit))
        found += [Due(at + span, "question", code) for at, code in rows if at is not None]
    for span in drafts:
        waiting = select(Draft.updated_at).where(Draft.dialogue == "report", Draft.updated_at > now - span)
        moments = (await session.execute(waiting.order_by(Draft.updated_at).limit(limit))).scalars()
        found += [Due(at + span, "draft") for at in moments]
    found += await _contests(session, now, limit)
    return sorted(found, key=lambda due: due.at)


async def _contests(session: Session, now: datetime, limit: int) -> list[Due]:
    """Papers whose clock runs, and the hours of approved rounds."""
    papers = select(Entry.due_at).where(Entry.state == EntryState.RUNNING, Entry.due_at > now)
    found = [Due(at, "paper") for at in (await session.execute(papers.order_by(Entry.due_at).limit(limit))).scalars()]
    hours = ("contest_opens", Round.opens_at), ("contest_closes", Round.closes_at), ("contest_result", Round.result_at)
    for kind, hour in hours:
        query = select(hour, Round.number).where(Round.state == RoundState.READY, hour > now)
        rows = await session.execute(query.order_by(hour).limit(limit))
        found += [Due(at, kind, str(number)) for at, number in rows]
    return found


async def _messages(session: Session, now: datetime, limit: int) -> list[Due]:
    """Messages that wait for their hour, those of one announcement and hour together."""
    query = (
        select(OutboxRow.not_before, Broadcast.key, Broadcast.code, func.count())
        .outerjoin(Broadcast, Broadcast.id == OutboxRow.broadcast_id)
        .where(OutboxRow.state == OutState.READY, OutboxRow.not_before > now)
        .group_by(OutboxRow.not_before, Broadcast.key, Broadcast.code)
        .order_by(OutboxRow.not_before)
        .limit(limit)
    )
    found = []
    for at, key, code, number in await session.execute(query):
        kind = "anniversary" if key else "announcement" if code else "answer"
        found.append(Due(at, kind, key or code or "", number))
    return found
