"""What author and reviewers write to each other about a report without moving it: one thread, by role and never by address."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from db import accounts, policy, reviews
from db.errors import Conflict, Refused
from db.models import DECIDED, Reach, Role, Status, Submission, SubmissionEvent, Track
from db.policy import Action
from db.session import Session
from db.submissions import bearers, involved, note_event, receivers

THREAD = ("contacted", "replied", "question", "answered")
LOOKED_AT = (Status.SENT, Status.CLAIMED)


async def ask_back(session: Session, submission: Submission, text: str, now: datetime) -> None:
    """The author asks about an outcome. Raises Conflict while an earlier question waits, or when it has been taken up."""
    changed = await session.execute(
        update(Submission)
        .where(Submission.id == submission.id, Submission.status.in_(DECIDED), Submission.question_at.is_(None))
        .values(question_at=now)
        .returning(Submission.id)
    )
    if changed.scalar() is None:
        raise Conflict("mysubmissions.question_waits")
    await session.refresh(submission)
    note_event(session, submission, submission.author_id, "question", now, text)


async def answer(session: Session, submission: Submission, actor_id: int, text: str, now: datetime) -> None:
    """Answers what the author asked about the outcome. Raises Conflict when somebody did already."""
    await reviews.check(session, actor_id, submission)
    if submission.question_at is None:
        raise Conflict("moderation.answered_already")
    submission.question_at = None
    note_event(session, submission, actor_id, "answered", now, text)


def may_contact(submission: Submission, actor_id: int) -> bool:
    """Whether a line may go to the author now: not over a colleague's head, nor past a question that waits.

    Who was asked for more has a question already, and who took their report back is left in peace.
    """
    held = submission.status == Status.CLAIMED and submission.holder_id != actor_id
    return submission.status in (*LOOKED_AT, *DECIDED) and submission.question_at is None and not held


async def can_hear(session: Session, submission: Submission) -> bool:
    """Whether its author has a chat that can be reached."""
    account = await accounts.best_account(session, submission.author_id)
    return account is not None and account.reach == Reach.OK


async def contact(session: Session, submission: Submission, actor_id: int, text: str, now: datetime) -> None:
    """A line of somebody who may decide to the author; it claims and moves nothing."""
    await reviews.check(session, actor_id, submission)
    if not may_contact(submission, actor_id):
        raise Conflict("moderation.moved_on")
    note_event(session, submission, actor_id, "contacted", now, text)


async def last_word(session: Session, submission: Submission) -> SubmissionEvent | None:
    """The newest line of the thread."""
    return await _newest(session, submission, *THREAD)


async def _newest(session: Session, submission: Submission, *actions: str) -> SubmissionEvent | None:
    query = select(SubmissionEvent).where(
        SubmissionEvent.submission_id == submission.id, SubmissionEvent.action.in_(actions)
    )
    return (await session.execute(query.order_by(SubmissionEvent.id.desc()).limit(1))).scalar()


async def may_reply(session: Session, submission: Submission) -> bool:
    """Whether its author may answer a line: at any time while it is looked at, once after there is an outcome."""
    if submission.status in LOOKED_AT:
        return await _newest(session, submission, "contacted") is not None
    last = await last_word(session, submission)
    return submission.status in DECIDED and last is not None and last.action == "contacted"


async def reply(session: Session, submission: Submission, text: str, now: datetime) -> None:
    """The author answers: like a supplement it is read before anybody decides, after an outcome it waits like a question.

    Raises Conflict when there is nothing to answer any more.
    """
    if not await may_reply(session, submission):
        raise Conflict("mysubmissions.moved_on")
    if submission.status in LOOKED_AT:
        submission.unseen = True
    else:
        submission.question_at = now
    note_event(session, submission, submission.author_id, "replied", now, text)


async def who_answers(session: Session, submission: Submission) -> list[int]:
    """Who hears what its author says: who holds or decided it and who wrote last, else those who review there."""
    wrote = await _newest(session, submission, "contacted")
    near = dict.fromkeys([submission.holder_id, wrote.actor_id if wrote is not None else None])
    unit_id = submission.queue_unit_id
    found = [
        person_id
        for person_id in near
        if person_id and await policy.may(session, person_id, Action.DECIDE_SUBMISSIONS, unit_id)
    ]
    if found or unit_id is None:
        return found
    return await receivers(session, unit_id, await involved(session, submission))


async def leaders(session: Session, submission: Submission) -> list[int]:
    """The leaders of the author's team, who may share in good news; a good deed is another person's story."""
    if submission.unit_id is None or submission.track == Track.GOOD_DEED:
        return []
    return await bearers(session, submission.unit_id, (Role.TEAM_LEADER,), await involved(session, submission))


async def share(session: Session, submission: Submission, now: datetime) -> list[int]:
    """Its author wants the team's leaders to hear that it is verified. Returns who they are; Refused the second time."""
    if submission.status != Status.VERIFIED:
        raise Conflict("mysubmissions.moved_on")
    if await _newest(session, submission, "leader_told") is not None:
        raise Refused("common.already")
    found = await leaders(session, submission)
    if not found:
        raise Refused("mysubmissions.no_leader")
    note_event(session, submission, submission.author_id, "leader_told", now)
    return found
