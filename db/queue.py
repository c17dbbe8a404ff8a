"""What waits to be reviewed, as one reviewer sees it: within reach, never their own, the nearest deadline first."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select

from db import audit, policy, units
from db.errors import NotFound, Refused
from db.models import DECIDED, CoAuthor, Status, Submission, Unit, UnitPath
from db.policy import Action
from db.session import Session
from db.submissions import involved, receivers, route

WAITING = (Status.SENT, Status.CLAIMED)
ENDED = (*DECIDED, Status.CLOSED_NO_INFO)
"""Where a report rests; what its author took back is not the reviewers' any more."""


async def get_visible(session: Session, actor_id: int, code: str) -> Submission:
    """A submission within the actor's reach. Raises NotFound: out of reach and missing look the same.

    Raises Refused for one's own or a co-authored one: its card carries what colleagues wrote for each other.
    """
    query = select(Submission).where(await _reach(session, actor_id), Submission.code == code.strip().upper())
    submission = (await session.execute(query)).scalar()
    if submission is None:
        raise NotFound("moderation.not_found")
    if actor_id in await involved(session, submission):
        raise Refused("moderation.own")
    return submission


async def find_any(session: Session, code: str) -> Submission | None:
    """A submission anywhere, by its code."""
    query = select(Submission).where(Submission.code == code.strip().upper())
    return (await session.execute(query)).scalar()


async def in_reach(session: Session, actor_id: int, submission: Submission) -> bool:
    """Whether a person may read all of it."""
    return await policy.may(session, actor_id, Action.READ_SUBMISSIONS, submission.queue_unit_id)


async def _reach(session: Session, actor_id: int, action: Action = Action.READ_SUBMISSIONS) -> ColumnElement[bool]:
    scopes = await policy.scopes(session, actor_id, action)
    return Submission.queue_unit_id.in_(select(UnitPath.descendant_id).where(UnitPath.ancestor_id.in_(scopes)))


def _not_own(actor_id: int) -> ColumnElement[bool]:
    named = select(CoAuthor.submission_id).where(
        CoAuthor.person_id == actor_id, func.coalesce(CoAuthor.confirmed, True)
    )
    return and_(Submission.author_id != actor_id, Submission.id.not_in(named))


def _kind(kind: str, actor_id: int, soon: datetime) -> ColumnElement[bool]:
    waiting = Submission.status.in_(WAITING)
    found: dict[str, ColumnElement[bool]] = {
        "all": waiting,
        "due": and_(waiting, Submission.due_at <= soon),
        "new": Submission.status == Status.SENT,
        "back": or_(
            and_(waiting, Submission.unseen),
            and_(Submission.question_at.is_not(None), Submission.status != Status.WITHDRAWN),
        ),
        "mine": and_(Submission.holder_id == actor_id, Submission.status.in_((Status.CLAIMED, Status.NEED_INFO))),
        "asked": Submission.status == Status.NEED_INFO,
        "done": Submission.status.in_(ENDED),
        "looked_at": Submission.unseen.is_(False),
        "free": or_(
            Submission.status == Status.SENT,
            and_(Submission.status == Status.CLAIMED, Submission.holder_id == actor_id),
        ),
    }
    return found[kind]


async def _conditions(
    session: Session, actor_id: int, kinds: Collection[str], soon: datetime
) -> list[ColumnElement[bool]]:
    return [await _reach(session, actor_id), _not_own(actor_id), *(_kind(kind, actor_id, soon) for kind in kinds)]


async def list_page(
    session: Session, actor_id: int, *kinds: str, soon: datetime, start: int, size: int
) -> list[tuple[Submission, str]]:
    """Some of what is of all these kinds, with the short names of the authors' units.

    Kinds: "all" (waits for a reviewer), "due" (until `soon`), "new" (nobody has it), "back" (supplemented and not looked
    at, or with a question of its author), "mine", "asked" (waits for its author), "done", "free" (may be decided by the
    actor now, if their role says so), "looked_at" (without a supplement that nobody has read).
    """
    query = (
        select(Submission, Unit.short_name, Unit.name)
        .outerjoin(Unit, Unit.id == Submission.unit_id)
        .where(*await _conditions(session, actor_id, kinds, soon))
        .order_by(Submission.decided_at.desc().nulls_last() if "done" in kinds else Submission.due_at, Submission.id)
    )
    rows = await session.execute(query.offset(start).limit(size))
    return [(submission, short or name or "") for submission, short, name in rows]


async def count(session: Session, actor_id: int, kind: str, *, soon: datetime, now: datetime) -> tuple[int, int]:
    """(how many, how many of them are overdue) of a kind."""
    late = and_(Submission.status.in_(WAITING), Submission.due_at < now)
    query = (
        select(func.count(), func.count().filter(late))
        .select_from(Submission)
        .where(*await _conditions(session, actor_id, (kind,), soon))
    )
    found = (await session.execute(query)).one()
    return found[0], found[1]


async def next_after(
    session: Session, actor_id: int, kind: str, current: Submission | None, *, soon: datetime
) -> Submission | None:
    """The next report of a kind that the actor could decide, after `current` in the order of the queue, else the first."""
    query = select(Submission).where(*await _conditions(session, actor_id, (kind, "free"), soon))
    query = query.order_by(Submission.due_at, Submission.id).limit(1)
    if current is not None:
        query = query.where(Submission.id != current.id)
        behind = or_(
            Submission.due_at > current.due_at,
            and_(Submission.due_at == current.due_at, Submission.id > current.id),
        )
        found: Submission | None = (await session.execute(query.where(behind))).scalar()
        if found is not None:
            return found
    first: Submission | None = (await session.execute(query)).scalar()
    return first


async def list_overdue(session: Session, now: datetime) -> dict[int, list[Submission]]:
    """Person → what they should have decided by now: the holder, or for what nobody holds those who review there."""
    query = (
        select(Submission)
        .where(Submission.status.in_(WAITING), Submission.due_at <= now, Submission.queue_unit_id.is_not(None))
        .order_by(Submission.due_at, Submission.id)
    )
    reviewing: dict[int, list[int]] = {}
    found: dict[int, list[Submission]] = {}
    for submission in (await session.execute(query)).scalars().all():
        unit_id = submission.queue_unit_id or 0
        if unit_id not in reviewing:
            reviewing[unit_id] = await receivers(session, unit_id, set())
        people = [submission.holder_id] if submission.holder_id is not None else reviewing[unit_id]
        for person_id in people:
            found.setdefault(person_id, []).append(submission)
    return found


async def reroute(session: Session, now: datetime) -> dict[int, list[Submission]]:
    """Moves on what waits at a unit where nobody is left to review it. Returns unit → what came to it.

    A role may have been taken away, its bearer may have erased everything or stopped the bot. At the top it stays.
    """
    query = select(Submission.queue_unit_id).where(Submission.status == Status.SENT).distinct()
    moved: dict[int, list[Submission]] = {}
    for unit_id in (await session.execute(query)).scalars().all():
        if unit_id is not None and len(await units.ancestors(session, unit_id)) == 1:
            continue
        for submission in await _stranded(session, unit_id):
            target = await route(session, submission.unit_id, await involved(session, submission))
            if target is not None and target != unit_id:
                submission.queue_unit_id = target
                audit.note(session, audit.SYSTEM, "rerouted", f"submission {submission.code}", now, target)
                moved.setdefault(target, []).append(submission)
    return moved


async def _stranded(session: Session, unit_id: int | None) -> list[Submission]:
    """What waits at a unit without anybody there who may decide on it."""
    there = set(await receivers(session, unit_id, set())) if unit_id is not None else set()
    query = select(Submission).where(Submission.status == Status.SENT, Submission.queue_unit_id == unit_id)
    if there:  # somebody reviews here: only their own reports may have nobody
        named = select(CoAuthor.submission_id).where(CoAuthor.person_id.in_(there))
        query = query.where(or_(Submission.author_id.in_(there), Submission.id.in_(named)))
    rows = (await session.execute(query)).scalars().all()
    return [row for row in rows if not there - await involved(session, row)]
