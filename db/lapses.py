"""What ends without anybody pressing anything: claims, questions to authors, and the work of who may not do it any more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import aliased

from db import audit, policy
from db.models import Person, Status, Submission, Track
from db.policy import Action
from db.session import Session
from db.submissions import involved, note_event, route


async def lapse(session: Session, now: datetime) -> list[tuple[Submission, int]]:
    """Claims past their time go back to the queue; returns each with who held it. Running twice changes nothing."""
    query = select(Submission).where(Submission.status == Status.CLAIMED, Submission.lapses_at <= now)
    lapsed = []
    for submission in (await session.execute(query)).scalars().all():
        holder = submission.holder_id
        changed = await session.execute(
            update(Submission)
            .where(
                Submission.id == submission.id,
                Submission.status == Status.CLAIMED,
                Submission.version == submission.version,
            )
            .values(status=Status.SENT, holder_id=None, lapses_at=None, version=submission.version + 1)
            .returning(Submission.id)
        )
        if changed.scalar() is not None and holder is not None:
            await session.refresh(submission)
            note_event(session, submission, audit.SYSTEM, "lapsed", now)
            lapsed.append((submission, holder))
    return lapsed


async def close_unanswered(session: Session, before: datetime, now: datetime) -> list[Submission]:
    """What was asked for before a moment and never answered is closed; its author may open it again."""
    query = select(Submission).where(Submission.status == Status.NEED_INFO, Submission.asked_at <= before)
    closed = []
    for submission in (await session.execute(query)).scalars().all():
        submission.status, submission.holder_id, submission.version = (
            Status.CLOSED_NO_INFO,
            None,
            submission.version + 1,
        )
        note_event(session, submission, audit.SYSTEM, "closed", now)
        closed.append(submission)
    return closed


async def list_unanswered(session: Session, before: datetime, reminded: int) -> list[Submission]:
    """What was asked for before a moment and has had fewer reminders than `reminded`."""
    query = select(Submission).where(
        Submission.status == Status.NEED_INFO, Submission.asked_at <= before, Submission.reminded < reminded
    )
    return list((await session.execute(query)).scalars())


async def free_duplicates(
    session: Session, due_at: Mapping[Track, datetime], now: datetime
) -> list[tuple[Submission, Submission]]:
    """Where a report was withdrawn that others are duplicates of, the oldest of them is reviewed in its place.

    It waits anew, until `due_at` of its track; the rest are duplicates of it from then on. What belongs to somebody who
    left too stays. Returns (what came back, what was withdrawn); running twice changes nothing.
    """
    original = aliased(Submission)
    query = (
        select(Submission, original)
        .join(original, original.id == Submission.duplicate_of)
        .join(Person, Person.id == Submission.author_id)
        .where(Submission.status == Status.DUPLICATE, original.status == Status.WITHDRAWN, Person.processing)
        .order_by(Submission.sent_at, Submission.id)
    )
    heirs: dict[int, Submission] = {}
    freed = []
    for submission, gone in (await session.execute(query)).all():
        submission.version += 1
        heir = heirs.setdefault(gone.id, submission)
        if heir is not submission:
            submission.duplicate_of = heir.id
            continue
        submission.status, submission.duplicate_of, submission.holder_id = Status.SENT, None, None
        submission.decided_at, submission.due_at = None, due_at[submission.track]
        submission.queue_unit_id = await route(session, submission.unit_id, await involved(session, submission))
        note_event(session, submission, audit.SYSTEM, "came_back", now)
        freed.append((submission, gone))
    await session.flush()
    return freed


async def take_reminders(session: Session, now: datetime) -> list[tuple[Submission, datetime]]:
    """What authors asked to be reminded of by now and have not answered, and at which moment; each is handed out once."""
    query = select(Submission).where(Submission.status == Status.NEED_INFO, Submission.remind_at <= now)
    found = []
    for row in (await session.execute(query.order_by(Submission.id))).scalars():
        found.append((row, row.remind_at or now))
        row.remind_at = None
    return found


async def release(session: Session, person_id: int, actor_id: int, now: datetime) -> None:
    """What somebody may no longer decide goes back: claims to the queue, and what waits for its author to nobody."""
    query = select(Submission).where(
        Submission.holder_id == person_id, Submission.status.in_((Status.CLAIMED, Status.NEED_INFO))
    )
    for submission in (await session.execute(query)).scalars().all():
        if await policy.may(session, person_id, Action.DECIDE_SUBMISSIONS, submission.queue_unit_id):
            continue
        submission.holder_id = submission.lapses_at = None
        if submission.status == Status.CLAIMED:
            submission.status, submission.version = Status.SENT, submission.version + 1
            note_event(session, submission, actor_id, "returned", now)


async def release_all(session: Session, now: datetime) -> None:
    """The same for everybody: the tree may have changed under a role."""
    query = select(Submission.holder_id).where(Submission.status.in_((Status.CLAIMED, Status.NEED_INFO))).distinct()
    for person_id in (await session.execute(query)).scalars().all():
        if person_id is not None:
            await release(session, person_id, audit.SYSTEM, now)
