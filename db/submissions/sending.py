"""What an author hands in: a report, what was asked about it, the same report mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, update

from db import house
from db.models import (
    Attachment,
    CoAuthor,
    Person,
    Status,
    Submission,
    Track,
)
from db.session import Session
from db.submissions.changing import change, note_event
from db.submissions.reading import list_coauthors
from db.submissions.routing import involved, route

PREFIX = {Track.INITIATIVE: "SK", Track.PRACTICE: "MH", Track.GOOD_DEED: "GT"}
REVIEW_DAYS = {Track.INITIATIVE: 5, Track.PRACTICE: 5, Track.GOOD_DEED: 3}
"""Working days until the author is promised an answer (decisions 21); a good deed is praised within three (1-process §1.5)."""


@dataclass(frozen=True, slots=True)
class Report:
    """What an author sends. `story` holds the answers by step.

    `coauthors` are (name, percent, person where they use the bot) without the author.
    """

    track: Track
    title: str
    story: dict[str, Any]
    money: int | None = None
    direct_production: bool | None = None
    coauthors: Sequence[tuple[str, int, int | None]] = field(default=())


async def submit(
    session: Session,
    author: Person,
    report: Report,
    *,
    draft_id: int | None,
    due_at: datetime,
    year: int,
    now: datetime,
) -> Submission:
    """Takes a report in: a receipt code, the unit that will review it, its files. `year` is the local one."""
    code = await house.next_code(session, PREFIX[report.track], year)
    submission = Submission(
        code=code,
        track=report.track,
        author_id=author.id,
        unit_id=author.unit_id,
        title=report.title,
        story=report.story,
        money=report.money,
        direct_production=report.direct_production,
        status=Status.SENT,
        version=1,
        due_at=due_at,
        sent_at=now,
        ask="",
        reason="",
    )
    session.add(submission)
    await session.flush()
    await _write_coauthors(session, submission, report)
    submission.queue_unit_id = await route(session, submission.unit_id, await involved(session, submission))
    await _take_files(session, submission, draft_id)
    note_event(session, submission, author.id, "sent", now)
    return submission


async def _write_coauthors(session: Session, submission: Submission, report: Report) -> None:
    """Names the co-authors; one whose share did not change keeps the answer they gave."""
    known = {each.name: each for each in await list_coauthors(session, submission.id)}
    for name, percent, person_id in report.coauthors:
        each = known.pop(name, None)
        if each is None:
            session.add(CoAuthor(submission_id=submission.id, name=name, percent=percent, person_id=person_id))
        elif each.percent != percent:
            each.percent, each.confirmed = percent, None
    await session.execute(delete(CoAuthor).where(CoAuthor.id.in_([each.id for each in known.values()])))
    await session.flush()


async def _take_files(session: Session, submission: Submission, draft_id: int | None) -> None:
    """The files of a draft go with what was sent from it."""
    if draft_id is not None:
        await session.execute(
            update(Attachment).where(Attachment.draft_id == draft_id).values(submission_id=submission.id, draft_id=None)
        )


async def supplement(
    session: Session, submission: Submission, text: str, draft_id: int | None, due_at: datetime, now: datetime
) -> None:
    """The author answers what was asked: back to the same holder while the claim lives, else to the queue.

    A deadline that ran out while the author was asked begins anew with `due_at`.
    """
    held = submission.holder_id is not None and (submission.lapses_at is None or submission.lapses_at > now)
    late = submission.due_at is None or submission.due_at <= now
    await change(
        session,
        submission,
        (Status.NEED_INFO,),
        status=Status.CLAIMED if held else Status.SENT,
        holder_id=submission.holder_id if held else None,
        lapses_at=submission.lapses_at if held else None,
        due_at=due_at if late else submission.due_at,
        unseen=True,
        reminded=0,
        remind_at=None,
    )
    await _take_files(session, submission, draft_id)
    note_event(session, submission, submission.author_id, "supplemented", now, text)


async def send_again(
    session: Session, submission: Submission, report: Report, draft_id: int | None, due_at: datetime, now: datetime
) -> None:
    """Not chosen the first time: the author mended it and sends it again under the same code."""
    await change(
        session,
        submission,
        (Status.NOT_SELECTED,),
        status=Status.SENT,
        title=report.title,
        story=report.story,
        money=report.money,
        due_at=due_at,
        holder_id=None,
        lapses_at=None,
        unseen=False,
        reason="",
        decided_at=None,
        question_at=None,
    )
    await _write_coauthors(session, submission, report)
    await _take_files(session, submission, draft_id)
    submission.queue_unit_id = await route(session, submission.unit_id, await involved(session, submission))
    note_event(session, submission, submission.author_id, "sent_again", now)
