"""The author's side of a submission: send, supplement, withdraw, reopen, send again; and where it goes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update

from db import audit, house, policy, units
from db.errors import Conflict, NotFound, Refused
from db.models import (
    OPEN,
    Account,
    Attachment,
    CoAuthor,
    FileState,
    Grant,
    Level,
    Person,
    Reach,
    Role,
    Status,
    Submission,
    SubmissionEvent,
    Track,
    Unit,
    UnitPath,
)
from db.session import Session

PREFIX = {Track.INITIATIVE: "SK", Track.PRACTICE: "MH", Track.GOOD_DEED: "GT"}
WITHDRAWABLE = (Status.SENT, Status.CLAIMED, Status.NEED_INFO, Status.CLOSED_NO_INFO, Status.VERIFIED)
"""Before it is published (decisions, table Submissions)."""
REVIEW_DAYS = {Track.INITIATIVE: 5, Track.PRACTICE: 5, Track.GOOD_DEED: 3}
"""Working days until the author is promised an answer (decisions 21); a good deed is praised within three (1-process §1.5)."""
RECENT = timedelta(days=365)
"""How far back a new report is held against older ones."""
COMPARED = 1500
"""How many of the newest reports of other units: comparing takes about a sixth of a millisecond each."""


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


async def involved(session: Session, submission: Submission) -> set[int]:
    """The people who may not decide on it: the author, and co-authors who use the bot and did not deny it.

    One who denied counts as a stranger again: naming a reviewer must not be a way to be rid of them.
    """
    query = select(CoAuthor.person_id).where(
        CoAuthor.submission_id == submission.id,
        CoAuthor.person_id.is_not(None),
        func.coalesce(CoAuthor.confirmed, True),
    )
    return {submission.author_id} | {
        person for person in (await session.execute(query)).scalars() if person is not None
    }


async def receivers(session: Session, unit_id: int, without: set[int]) -> list[int]:
    """Who hears that something came in: those who may decide by a role at this very unit, and can be reached.

    Everyone above may decide too, but a province would drown in the notices of its workplaces. Somebody who stopped the
    bot or erased their data reviews nothing any more.
    """
    return await bearers(session, unit_id, policy.ALLOWED[policy.Action.DECIDE_SUBMISSIONS], without)


async def bearers(session: Session, unit_id: int, roles: Collection[Role], without: set[int]) -> list[int]:
    """Who holds one of these roles at this very unit and can be reached."""
    query = (
        select(Grant.person_id)
        .join(Account, Account.person_id == Grant.person_id)
        .where(
            Grant.unit_id == unit_id,
            Grant.role.in_(roles),
            Grant.revoked_at.is_(None),
            Grant.confirmed_at.is_not(None),
            Account.reach == Reach.OK,
        )
        .distinct()
    )
    return sorted(person for person in (await session.execute(query)).scalars() if person not in without)


async def route(session: Session, unit_id: int | None, without: set[int]) -> int | None:
    """The unit that reviews: the author's own, or the next one up with somebody to do it; the top if nobody has."""
    top = await units.top(session)
    if unit_id is None:
        return top.id if top else None
    chain = await units.ancestors(session, unit_id)
    for each in chain:
        if await receivers(session, each, without):
            return each
    return chain[-1] if chain else None


async def find_own(session: Session, person_id: int, code: str) -> Submission:
    """A submission of one's own by its code. Raises NotFound: somebody else's looks like none."""
    query = select(Submission).where(Submission.code == code.strip().upper(), Submission.author_id == person_id)
    submission = (await session.execute(query)).scalar()
    if submission is None:
        raise NotFound("mysubmissions.not_found")
    return submission


async def list_own(session: Session, person_id: int) -> list[Submission]:
    """What a person has sent, newest first."""
    query = (
        select(Submission)
        .where(Submission.author_id == person_id, Submission.title != "")
        .order_by(Submission.id.desc())
    )
    return list((await session.execute(query)).scalars())


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


async def _change(session: Session, submission: Submission, allowed: Sequence[Status], **values: Any) -> None:
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


async def supplement(
    session: Session, submission: Submission, text: str, draft_id: int | None, due_at: datetime, now: datetime
) -> None:
    """The author answers what was asked: back to the same holder while the claim lives, else to the queue.

    A deadline that ran out while the author was asked begins anew with `due_at`.
    """
    held = submission.holder_id is not None and (submission.lapses_at is None or submission.lapses_at > now)
    late = submission.due_at is None or submission.due_at <= now
    await _change(
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
    await _change(
        session, submission, WITHDRAWABLE,
        status=Status.WITHDRAWN, holder_id=None, lapses_at=None, decided_at=now, question_at=None,
    )  # fmt: skip
    note_event(session, submission, submission.author_id, "withdrawn", now)
    return holder


async def reopen(session: Session, submission: Submission, due_at: datetime, now: datetime) -> None:
    """Closed for lack of an answer: the author opens it again."""
    await _change(
        session, submission, (Status.CLOSED_NO_INFO,),
        status=Status.SENT, due_at=due_at, holder_id=None, lapses_at=None, reminded=0,
    )  # fmt: skip
    submission.queue_unit_id = await route(session, submission.unit_id, await involved(session, submission))
    note_event(session, submission, submission.author_id, "reopened", now)


async def send_again(
    session: Session, submission: Submission, report: Report, draft_id: int | None, due_at: datetime, now: datetime
) -> None:
    """Not chosen the first time: the author mended it and sends it again under the same code."""
    await _change(
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


async def count_waiting(session: Session, unit_id: int) -> int:
    """How many wait in the queues of a unit and what is below it."""
    below = select(UnitPath.descendant_id).where(UnitPath.ancestor_id == unit_id)
    query = (
        select(func.count())
        .select_from(Submission)
        .where(Submission.queue_unit_id.in_(below), Submission.status.in_((Status.SENT, Status.CLAIMED)))
    )
    return (await session.execute(query)).scalar_one()
