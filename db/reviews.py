"""The reviewer's side of a submission: claim, ask, decide, each once and by one person (decisions, table Submissions)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update

from db import policy, units
from db.errors import Conflict, Refused
from db.models import OPEN, Status, Submission, SubmissionEvent
from db.policy import Action
from db.session import Session
from db.submissions import involved, note_event

REOPENABLE = (Status.VERIFIED, Status.NOT_SELECTED, Status.CLOSED_NO_INFO)
"""Ends that somebody above may look at again; a duplicate is undone instead, and what was withdrawn is its author's."""
ASIDE = ("coauthor_yes", "coauthor_no", "question", "answered", "contacted", "replied", "leader_told")
"""What is said about a report without moving it."""


async def last_move(session: Session, submission_id: int) -> SubmissionEvent | None:
    """The last thing that moved a submission."""
    query = (
        select(SubmissionEvent)
        .where(
            SubmissionEvent.submission_id == submission_id,
            SubmissionEvent.internal.is_(False),
            SubmissionEvent.action.not_in(ASIDE),
        )
        .order_by(SubmissionEvent.id.desc())
        .limit(1)
    )
    return (await session.execute(query)).scalar()


async def check(session: Session, actor_id: int, submission: Submission) -> None:
    """Raises Refused unless the actor may decide on it now; never on one's own or a co-authored one."""
    if actor_id in await involved(session, submission):
        raise Refused("moderation.own")
    await policy.check(session, actor_id, Action.DECIDE_SUBMISSIONS, submission.queue_unit_id)


async def _move(
    session: Session,
    submission: Submission,
    actor_id: int,
    version: int,
    allowed: ColumnElement[bool],
    action: str,
    now: datetime,
    text: str = "",
    **values: Any,
) -> None:
    """One conditional step: the right to do it, the version that was seen, and where it has to stand.

    Raises Refused or Conflict before anything changes; the history and the audit carry it in the same transaction.
    """
    await check(session, actor_id, submission)
    taken_on = submission.status == Status.SENT and action not in ("claimed", "reopened")
    statement = update(Submission).where(Submission.id == submission.id, Submission.version == version, allowed)
    changed = await session.execute(statement.values(version=version + 1, **values).returning(Submission.id))
    if changed.scalar() is None:
        raise Conflict("moderation.moved_on")
    await session.refresh(submission)
    if taken_on:
        note_event(session, submission, actor_id, "claimed", now)
    note_event(session, submission, actor_id, action, now, text)


def _at_hand(actor_id: int) -> ColumnElement[bool]:
    """Held by the actor, or by nobody: deciding straight from the queue claims and decides in one step."""
    return or_(
        Submission.status == Status.SENT, and_(Submission.status == Status.CLAIMED, Submission.holder_id == actor_id)
    )


async def claim(
    session: Session, submission: Submission, actor_id: int, version: int, lapses_at: datetime, now: datetime
) -> None:
    """Takes it on until `lapses_at` (2 working days)."""
    await _move(
        session, submission, actor_id, version, Submission.status == Status.SENT, "claimed", now,
        status=Status.CLAIMED, holder_id=actor_id, claimed_at=now, lapses_at=lapses_at,
    )  # fmt: skip


async def give_back(session: Session, submission: Submission, actor_id: int, version: int, now: datetime) -> None:
    """Puts it back into the queue."""
    held = and_(Submission.status == Status.CLAIMED, Submission.holder_id == actor_id)
    await _move(
        session, submission, actor_id, version, held, "returned", now,
        status=Status.SENT, holder_id=None, lapses_at=None,
    )  # fmt: skip


async def ask(
    session: Session,
    submission: Submission,
    actor_id: int,
    version: int,
    text: str,
    lapses_at: datetime,
    now: datetime,
) -> None:
    """Asks the author for more; one that is asked about straight from the queue is held until `lapses_at`."""
    _seen(submission, version)
    fresh = {"claimed_at": now, "lapses_at": lapses_at} if submission.status == Status.SENT else {}
    await _move(
        session, submission, actor_id, version, _at_hand(actor_id), "asked", now, text,
        status=Status.NEED_INFO, holder_id=actor_id, ask=text, asked_at=now, reminded=0, remind_at=None, **fresh,
    )  # fmt: skip


async def accept(session: Session, submission: Submission, actor_id: int, version: int, now: datetime) -> None:
    """What it says is true: verified, which is not recognition."""
    await _decide(session, submission, actor_id, version, "verified", now, status=Status.VERIFIED)


async def reject(
    session: Session, submission: Submission, actor_id: int, version: int, reason: str, now: datetime
) -> None:
    """Not chosen this time, with a reason and a way forward."""
    await _decide(
        session, submission, actor_id, version, "not_selected", now, reason, status=Status.NOT_SELECTED, reason=reason
    )


def check_original(submission: Submission, original: Submission) -> None:
    """Raises Refused for itself, for a later one, for a duplicate of another, and for one that is over without success."""
    standing = original.status in (*OPEN, Status.VERIFIED)
    if original.id == submission.id or original.duplicate_of is not None or not standing:
        raise Refused("moderation.bad_duplicate")
    if (original.sent_at, original.id) > (submission.sent_at, submission.id):
        raise Refused("moderation.later_duplicate", code=submission.code, other=original.code)


async def mark_duplicate(
    session: Session, submission: Submission, actor_id: int, version: int, original: Submission, now: datetime
) -> None:
    """The same as an earlier one, which stays the main one. Raises Refused where `check_original` does."""
    check_original(submission, original)
    await _decide(
        session, submission, actor_id, version, "duplicate", now, status=Status.DUPLICATE, duplicate_of=original.id
    )


def _seen(submission: Submission, version: int) -> None:
    if submission.unseen and submission.version == version:
        raise Refused("moderation.unseen")


async def _decide(
    session: Session,
    submission: Submission,
    actor_id: int,
    version: int,
    action: str,
    now: datetime,
    text: str = "",
    **values: Any,
) -> None:
    _seen(submission, version)
    await _move(
        session, submission, actor_id, version, _at_hand(actor_id), action, now, text,
        holder_id=actor_id, decided_at=now, lapses_at=None, **values,
    )  # fmt: skip


async def undo_duplicate(
    session: Session, submission: Submission, actor_id: int, version: int, lapses_at: datetime, now: datetime
) -> None:
    """Looked at again: not the same after all."""
    await _move(
        session, submission, actor_id, version, Submission.status == Status.DUPLICATE, "unduplicated", now,
        status=Status.CLAIMED, holder_id=actor_id, duplicate_of=None, decided_at=None, claimed_at=now, lapses_at=lapses_at,
    )  # fmt: skip


async def may_reopen(session: Session, actor_id: int, submission: Submission) -> bool:
    """Whether somebody may look again at an end: from a level above its queue; at the top, anybody but who decided."""
    if submission.status not in REOPENABLE or submission.queue_unit_id is None:
        return False
    held = await policy.scopes(session, actor_id, Action.DECIDE_SUBMISSIONS)
    chain = await units.ancestors(session, submission.queue_unit_id)
    if len(chain) == 1:
        return chain[0] in held and submission.holder_id != actor_id
    return any(unit_id in held for unit_id in chain[1:])


async def reopen(
    session: Session,
    submission: Submission,
    actor_id: int,
    version: int,
    reason: str,
    *,
    due_at: datetime,
    lapses_at: datetime,
    now: datetime,
) -> None:
    """One level up takes an end up again, with a reason. Raises Refused below that level."""
    if submission.version == version and not await may_reopen(session, actor_id, submission):
        raise Refused("moderation.not_above")
    await _move(
        session, submission, actor_id, version, Submission.status.in_(REOPENABLE), "taken_up", now, reason,
        status=Status.CLAIMED, holder_id=actor_id, claimed_at=now, lapses_at=lapses_at, due_at=due_at, decided_at=None,
        reason="",
    )  # fmt: skip


async def seen(session: Session, submission: Submission, actor_id: int) -> None:
    """The holder has looked at the supplement."""
    if submission.unseen and submission.holder_id == actor_id:
        submission.unseen = False
        await session.flush()


async def note(session: Session, submission: Submission, actor_id: int, text: str, now: datetime) -> None:
    """A note for reviewers, by one of them; who only reads writes nothing into a report. Raises Refused."""
    await check(session, actor_id, submission)
    note_event(session, submission, actor_id, "note", now, text, internal=True)
