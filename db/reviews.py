"""The reviewer's side of a submission: claim, ask, decide, each once and by one person (decisions, table Submissions)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from db import audit, policy
from db.errors import Conflict, NotFound, Refused
from db.models import Status, Submission, SubmissionEvent, Unit, UnitPath
from db.policy import Action
from db.session import Session
from db.submissions import involved, note_event

IN_QUEUE = (Status.SENT, Status.CLAIMED, Status.NEED_INFO)


async def get_visible(session: Session, actor_id: int, code: str) -> Submission:
    """A submission within the actor's reach. Raises NotFound: out of reach and missing look the same."""
    scopes = await policy.scopes(session, actor_id, Action.READ_SUBMISSIONS)
    query = (
        select(Submission)
        .join(UnitPath, UnitPath.descendant_id == Submission.queue_unit_id)
        .where(UnitPath.ancestor_id.in_(scopes), Submission.code == code.strip().upper())
        .limit(1)
    )
    submission = (await session.execute(query)).scalar()
    if submission is None:
        raise NotFound("moderation.not_found")
    return submission


async def find_any(session: Session, code: str) -> Submission:
    """A submission anywhere, to name it as the original of a duplicate. Raises NotFound."""
    submission = (await session.execute(select(Submission).where(Submission.code == code.strip().upper()))).scalar()
    if submission is None:
        raise NotFound("moderation.not_found")
    return submission


async def list_queue(session: Session, actor_id: int, kind: str, now: datetime) -> list[tuple[Submission, str]]:
    """What waits within the actor's reach, the nearest deadline first, with the names of the authors' units.

    `kind`: "all", "due" (overdue or due next), "new" (nobody has it), "back" (supplemented, unseen), "mine" (held by me).
    """
    scopes = await policy.scopes(session, actor_id, Action.READ_SUBMISSIONS)
    reach = select(UnitPath.descendant_id).where(UnitPath.ancestor_id.in_(scopes))
    query = (
        select(Submission, Unit.name)
        .outerjoin(Unit, Unit.id == Submission.unit_id)
        .where(Submission.queue_unit_id.in_(reach), Submission.status.in_(IN_QUEUE), Submission.author_id != actor_id)
        .order_by(Submission.due_at, Submission.id)
    )
    if kind == "new":
        query = query.where(Submission.status == Status.SENT)
    elif kind == "back":
        query = query.where(Submission.unseen)
    elif kind == "mine":
        query = query.where(Submission.holder_id == actor_id)
    elif kind == "due":
        query = query.where(Submission.status != Status.NEED_INFO)
    return [(submission, name or "") for submission, name in await session.execute(query)]


async def last_event(session: Session, submission_id: int) -> SubmissionEvent | None:
    """What happened last to a submission, notes aside."""
    query = (
        select(SubmissionEvent)
        .where(SubmissionEvent.submission_id == submission_id, SubmissionEvent.internal.is_(False))
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
    allowed: Sequence[Status],
    action: str,
    now: datetime,
    *,
    held: bool,
    text: str = "",
    **values: Any,
) -> None:
    """One conditional step: right to do it, the status and version that were seen, and the holder where one is needed.

    Raises Refused or Conflict; on success the history and the audit carry it in the same transaction.
    """
    await check(session, actor_id, submission)
    statement = update(Submission).where(
        Submission.id == submission.id, Submission.version == version, Submission.status.in_(allowed)
    )
    if held:
        statement = statement.where(Submission.holder_id == actor_id)
    changed = await session.execute(statement.values(version=version + 1, **values).returning(Submission.id))
    if changed.scalar() is None:
        raise Conflict("moderation.moved_on")
    await session.refresh(submission)
    note_event(session, submission, actor_id, action, now, text)
    audit.note(session, actor_id, action, f"submission {submission.code}", now, submission.queue_unit_id)


async def claim(
    session: Session, submission: Submission, actor_id: int, version: int, lapses_at: datetime, now: datetime
) -> None:
    """Takes it on until `lapses_at` (2 working days)."""
    values: dict[str, Any] = {
        "status": Status.CLAIMED,
        "holder_id": actor_id,
        "claimed_at": now,
        "lapses_at": lapses_at,
    }
    await _move(session, submission, actor_id, version, (Status.SENT,), "claimed", now, held=False, **values)


async def give_back(session: Session, submission: Submission, actor_id: int, version: int, now: datetime) -> None:
    """Puts it back into the queue."""
    values: dict[str, Any] = {"status": Status.SENT, "holder_id": None, "lapses_at": None}
    await _move(session, submission, actor_id, version, (Status.CLAIMED,), "returned", now, held=True, **values)


async def ask(session: Session, submission: Submission, actor_id: int, version: int, text: str, now: datetime) -> None:
    """Asks the author for more."""
    values: dict[str, Any] = {"status": Status.NEED_INFO, "ask": text, "asked_at": now, "reminded": 0, "unseen": False}
    await _move(session, submission, actor_id, version, (Status.CLAIMED,), "asked", now, held=True, text=text, **values)


async def accept(session: Session, submission: Submission, actor_id: int, version: int, now: datetime) -> None:
    """What it says is true: verified, which is not recognition."""
    await _decide(session, submission, actor_id, version, "verified", now, status=Status.VERIFIED)


async def reject(
    session: Session, submission: Submission, actor_id: int, version: int, reason: str, now: datetime
) -> None:
    """Not chosen this time, with a reason and a way forward."""
    await _decide(
        session,
        submission,
        actor_id,
        version,
        "not_selected",
        now,
        text=reason,
        status=Status.NOT_SELECTED,
        reason=reason,
    )


async def mark_duplicate(
    session: Session, submission: Submission, actor_id: int, version: int, other: Submission, now: datetime
) -> None:
    """The same as another one. Raises Refused for itself or for a chain of duplicates."""
    if other.id == submission.id or other.duplicate_of is not None:
        raise Refused("moderation.bad_duplicate")
    await _decide(
        session, submission, actor_id, version, "duplicate", now, status=Status.DUPLICATE, duplicate_of=other.id
    )


async def _decide(
    session: Session, submission: Submission, actor_id: int, version: int, action: str, now: datetime, **values: Any
) -> None:
    if submission.unseen and submission.version == version:
        raise Refused("moderation.unseen")
    await _move(
        session, submission, actor_id, version, (Status.CLAIMED,), action, now, held=True, decided_at=now, lapses_at=None,
        **values,
    )  # fmt: skip


async def undo_duplicate(
    session: Session, submission: Submission, actor_id: int, version: int, lapses_at: datetime, now: datetime
) -> None:
    """Looked at again: not the same after all."""
    values: dict[str, Any] = {
        "status": Status.CLAIMED, "holder_id": actor_id, "duplicate_of": None, "decided_at": None, "lapses_at": lapses_at,
    }  # fmt: skip
    await _move(session, submission, actor_id, version, (Status.DUPLICATE,), "unduplicated", now, held=False, **values)


async def seen(session: Session, submission: Submission, actor_id: int) -> None:
    """The holder has looked at the supplement."""
    if submission.unseen and submission.holder_id == actor_id:
        submission.unseen = False
        await session.flush()


async def note(session: Session, submission: Submission, actor_id: int, text: str, now: datetime) -> None:
    """A note for reviewers; its author is anybody who may read the queue."""
    await policy.check(session, actor_id, Action.READ_SUBMISSIONS, submission.queue_unit_id)
    note_event(session, submission, actor_id, "note", now, text, internal=True)
    audit.note(session, actor_id, "note", f"submission {submission.code}", now, submission.queue_unit_id)


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
        if changed.scalar() is not None:
            await session.refresh(submission)
            note_event(session, submission, audit.SYSTEM, "lapsed", now)
            lapsed.append((submission, holder or 0))
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


async def list_overdue(session: Session, now: datetime) -> list[Submission]:
    """What should have been decided by now."""
    query = select(Submission).where(Submission.status.in_((Status.SENT, Status.CLAIMED)), Submission.due_at <= now)
    return list((await session.execute(query)).scalars())
