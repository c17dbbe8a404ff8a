"""How a submission moves on, and its history; what its author and co-authors do beside sending."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select, update

from db import audit
from db.errors import Conflict, NotFound, Refused
from db.models import (
    CoAuthor,
    Status,
    Submission,
    SubmissionEvent,
)
from db.session import Session
from db.submissions.routing import involved, route

WITHDRAWABLE = (Status.SENT, Status.CLAIMED, Status.NEED_INFO, Status.CLOSED_NO_INFO, Status.VERIFIED)
"""Before it is published (decisions, table Submissions)."""


def note_event(
    session: Session,
    submission: Submission,
    actor_id: int,
    action: str,
    now: datetime,
    text: str = "",
    *,
    internal: bool = False,
) -> None:
    """Adds to the history of a submission and to the audit, which never carries anybody's words.

    Internal notes are never shown to its author.
    """
    session.add(
        SubmissionEvent(
            submission_id=submission.id, at=now, actor_id=actor_id, action=action, text=text, internal=internal
        )
    )
    audit.note(session, actor_id, action, f"submission {submission.code}", now, submission.queue_unit_id)


async def change(session: Session, submission: Submission, allowed: Sequence[Status], **values: Any) -> None:
    """Moves a submission on if it still stands where it was read. Raises Conflict."""
    changed = await session.execute(
        update(Submission)
        .where(
            and_(
                Submission.id == submission.id, Submission.version == submission.version, Submission.status.in_(allowed)
            )
        )
        .values(version=submission.version + 1, **values)
        .returning(Submission.id)
    )
    if changed.scalar() is None:
        raise Conflict("mysubmissions.moved_on")
    await session.refresh(submission)


async def remind(session: Session, submission: Submission, at: datetime) -> None:
    """Its author wants to be reminded at `at` of what was asked; answering before makes it void.

    Raises Conflict when nothing is asked any more.
    """
    if submission.status != Status.NEED_INFO:
        raise Conflict("mysubmissions.moved_on")
    submission.remind_at = at
    await session.flush()


async def withdraw(session: Session, submission: Submission, now: datetime) -> int | None:
    """The author takes it back; nobody looks at it any more. Returns who held it."""
    holder = submission.holder_id
    await change(
        session, submission, WITHDRAWABLE,
        status=Status.WITHDRAWN, holder_id=None, lapses_at=None, decided_at=now, question_at=None,
    )  # fmt: skip
    note_event(session, submission, submission.author_id, "withdrawn", now)
    return holder


async def reopen(session: Session, submission: Submission, due_at: datetime, now: datetime) -> None:
    """Closed for lack of an answer: the author opens it again."""
    await change(
        session, submission, (Status.CLOSED_NO_INFO,),
        status=Status.SENT, due_at=due_at, holder_id=None, lapses_at=None, reminded=0,
    )  # fmt: skip
    submission.queue_unit_id = await route(session, submission.unit_id, await involved(session, submission))
    note_event(session, submission, submission.author_id, "reopened", now)


async def answer_coauthor(session: Session, code: str, person_id: int, yes: bool, now: datetime) -> Submission:
    """A named co-author says whether it is so. Raises NotFound for anybody else."""
    query = (
        select(CoAuthor, Submission)
        .join(Submission, Submission.id == CoAuthor.submission_id)
        .where(Submission.code == code, CoAuthor.person_id == person_id)
    )
    found = (await session.execute(query)).first()
    if found is None:
        raise NotFound("common.not_found")
    coauthor, submission = found
    if coauthor.confirmed is not None:
        raise Refused("common.already")
    coauthor.confirmed = yes
    note_event(session, submission, person_id, "coauthor_yes" if yes else "coauthor_no", now)
    return submission
