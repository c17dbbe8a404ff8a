"""Submissions to be shown, counted and compared."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, or_, select

from db.errors import NotFound
from db.models import (
    OPEN,
    Attachment,
    CoAuthor,
    FileState,
    Level,
    Person,
    Status,
    Submission,
    SubmissionEvent,
    Unit,
    UnitPath,
)
from db.prepared import Prepared
from db.session import Session

RECENT = timedelta(days=365)
"""How far back a new report is held against older ones."""
COMPARED = 1500
"""How many of the newest reports of other units: comparing takes about a sixth of a millisecond each."""


async def list_colleagues(session: Session, person: Person) -> list[tuple[int, str]]:
    """(id, name) of everybody else at a person's workplace: the grassroots union and its teams, or the unit itself."""
    if person.unit_id is None:
        return []
    workplace = (
        select(UnitPath.ancestor_id)
        .join(Unit, Unit.id == UnitPath.ancestor_id)
        .where(UnitPath.descendant_id == person.unit_id, Unit.level == Level.GRASSROOTS)
        .order_by(UnitPath.depth)
        .limit(1)
    )
    top = (await session.execute(workplace)).scalar() or person.unit_id
    query = (
        select(Person.id, Person.name)
        .join(UnitPath, UnitPath.descendant_id == Person.unit_id)
        .where(UnitPath.ancestor_id == top, Person.id != person.id, Person.erased_at.is_(None))
    )
    return [(person_id, name) for person_id, name in await session.execute(query)]


async def find_own(session: Session, person_id: int, code: str) -> Submission:
    """A submission of one's own by its code. Raises NotFound: somebody else's looks like none."""
    query = select(Submission).where(Submission.code == code.strip().upper(), Submission.author_id == person_id)
    submission = (await session.execute(query)).scalar()
    if submission is None:
        raise NotFound("mysubmissions.not_found")
    return submission


_OWN = (
    select(Submission)
    .where(Submission.author_id == bindparam("author"), Submission.title != "")
    .order_by(Submission.id.desc())
)


async def list_own(session: Session, person_id: int) -> list[Submission]:
    """What a person has sent, newest first."""
    return list((await session.execute(_OWN, {"author": person_id})).scalars())


_WAITS = Prepared(
    select(Submission.__table__.c.code)
    .where(Submission.author_id == bindparam("author"), Submission.title != "", Submission.status == Status.NEED_INFO)
    .order_by(Submission.id.desc())
    .limit(1)
)


async def waits_for(session: Session, author_id: int) -> str:
    """The code of the newest that waits for its author's answer, "" where none does."""
    found = await session.rows(_WAITS, author=author_id)
    return str(found[0][0]) if found else ""


async def list_events(session: Session, submission_id: int, *, internal: bool) -> list[SubmissionEvent]:
    """The history, oldest first; internal notes only where they may be seen."""
    query = select(SubmissionEvent).where(SubmissionEvent.submission_id == submission_id).order_by(SubmissionEvent.id)
    if not internal:
        query = query.where(SubmissionEvent.internal.is_(False))
    return list((await session.execute(query)).scalars())


async def list_coauthors(session: Session, submission_id: int) -> list[CoAuthor]:
    """The co-authors as the author named them."""
    query = select(CoAuthor).where(CoAuthor.submission_id == submission_id).order_by(CoAuthor.id)
    return list((await session.execute(query)).scalars())


async def list_files(session: Session, submission_id: int) -> list[Attachment]:
    """The cleaned files; what is not clean is shown to nobody."""
    query = (
        select(Attachment)
        .where(Attachment.submission_id == submission_id, Attachment.state == FileState.CLEAN)
        .order_by(Attachment.id)
    )
    return list((await session.execute(query)).scalars())


async def texts_to_compare(
    session: Session, now: datetime, *, without: int | None = None, unit_id: int | None = None
) -> dict[str, str]:
    """Code → title and story of last year's reports, to find likely duplicates: the newest, and all of one's own unit."""
    newest = (await session.execute(select(func.max(Submission.id)))).scalar() or 0
    query = select(Submission.code, Submission.title, Submission.story).where(
        Submission.sent_at > now - RECENT,
        Submission.status.in_((*OPEN, Status.VERIFIED, Status.DUPLICATE)),
        Submission.id != (without or -1),
        or_(Submission.id > newest - COMPARED, Submission.unit_id == unit_id),
    )
    return {code: compared(title, story) for code, title, story in await session.execute(query)}


def compared(title: str, story: dict[str, Any]) -> str:
    """The words of a report that tell it from others."""
    return " ".join(str(story.get(key, "")) for key in ("before", "after", "what") if story.get(key)) + f"  {title}"


async def count_waiting(session: Session, unit_id: int) -> int:
    """How many wait in the queues of a unit and what is below it."""
    below = select(UnitPath.descendant_id).where(UnitPath.ancestor_id == unit_id)
    query = (
        select(func.count())
        .select_from(Submission)
        .where(Submission.queue_unit_id.in_(below), Submission.status.in_((Status.SENT, Status.CLAIMED)))
    )
    return (await session.execute(query)).scalar_one()
