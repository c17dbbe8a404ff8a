"""Stopping what is done with a person's data, and erasing it (Law 91/2025/QH15, decisions 15)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, cast, delete, false, or_, select, update

from db import audit, jobs, people, roles, unsent, verdicts, webchat
from db.json_text import to_text, within
from db.models import (
    FINAL,
    UNSENT,
    Account,
    Attachment,
    BroadcastTarget,
    CoAuthor,
    Complaint,
    Conversation,
    Disqualification,
    Draft,
    Entry,
    EntryAnswer,
    Grant,
    InboxRow,
    InboxState,
    Job,
    Membership,
    OutboxRow,
    OutState,
    Person,
    PracticeAnswer,
    Prize,
    PrizeState,
    QuestionReport,
    Registration,
    Reminder,
    Result,
    Round,
    RoundState,
    Shift,
    Status,
    Submission,
    SubmissionEvent,
    UnitRequest,
    WebMessage,
)
from db.session import Session
from db.submissions import note_event

STOPPABLE = (Status.SENT, Status.CLAIMED, Status.NEED_INFO, Status.CLOSED_NO_INFO)


@dataclass(frozen=True, slots=True)
class StoppedReport:
    """A submission that nobody will look at any more, and who waits to hear it: its holder, its co-authors."""

    id: int
    version: int
    code: str
    title: str
    holder_id: int | None
    coauthors: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """What ended with a person's processing: submissions on their way, and roles that somebody else should take."""

    reports: tuple[StoppedReport, ...]
    grants: tuple[Grant, ...]


async def stop_processing(session: Session, person_id: int, now: datetime) -> Stopped:
    """Withdraws consents, open submissions, reminders and roles at once; what is kept stays until it is erased."""
    person = await session.get_one(Person, person_id)
    person.processing = False
    reports = await _stop_reports(session, person_id, now)
    grants = await roles.leave(session, person_id, now)
    await people.stop_news(session, person, now)
    await people.withdraw_all(session, person_id, now)
    audit.note(session, person_id, "stop_processing", f"person {person_id}", now, submissions=len(reports))
    return Stopped(tuple(reports), tuple(grants))


async def _stop_reports(session: Session, person_id: int, now: datetime) -> list[StoppedReport]:
    query = select(Submission).where(Submission.author_id == person_id, Submission.status.in_(STOPPABLE))
    stopped = []
    for submission in (await session.execute(query)).scalars().all():
        named = select(CoAuthor.person_id).where(
            CoAuthor.submission_id == submission.id, CoAuthor.person_id.is_not(None), CoAuthor.confirmed.is_not(False)
        )
        coauthors = tuple(each for each in (await session.execute(named)).scalars() if each is not None)
        holder_id = submission.holder_id
        submission.status, submission.holder_id, submission.lapses_at = Status.WITHDRAWN, None, None
        submission.version += 1
        submission.decided_at = now
        note_event(session, submission, person_id, "withdrawn", now)
        stopped.append(
            StoppedReport(submission.id, submission.version, submission.code, submission.title, holder_id, coauthors)
        )
    return stopped


async def erase(session: Session, person_id: int, now: datetime) -> Stopped:
    """Erases a person, and leaves a job to delete their files. Returns what ended with it.

    What stays: the proof of consent and the audit under the bare number, counts, and the text of verified submissions
    without their author. Everything else goes at once; backups keep it up to 35 days (decisions 15).
    """
    stopped = await stop_processing(session, person_id, now)
    person = await session.get_one(Person, person_id)
    uploads = await webchat.uploads_of(session, person_id)
    files = await _erase_files(session, person_id)
    codes = await _erase_submissions(session, person_id) + await _erase_question_reports(session, person_id)
    files += await _erase_chats(session, person, now)
    files += await _erase_lists(session, person_id)
    await _erase_told(session, person, codes, now)
    for table in (Draft, PracticeAnswer, Registration, UnitRequest):
        await session.execute(delete(table).where(table.person_id == person_id))
    await session.execute(update(CoAuthor).where(CoAuthor.person_id == person_id).values(name="", person_id=None))
    await _erase_contests(session, person_id, now)
    await verdicts.forget_name(session, person_id)
    person.name, person.audience, person.unit_id, person.direct_production = "", None, None, None
    person.membership, person.confirmed, person.shift = Membership.UNKNOWN, False, Shift.OFFICE
    person.quiet, person.muted_topics, person.board, person.erased_at = "", [], None, now
    audit.note(session, person_id, "erase", f"person {person_id}", now)
    reports = tuple(replace(report, title="") for report in stopped.reports)
    if files or uploads:
        await jobs.add(session, "delete_files", {"files": files, "uploads": uploads}, None, now)
    return replace(stopped, reports=reports)


_LEFT = OutboxRow.broadcast_id.is_(None), OutboxRow.state != OutState.SENDING
"""Messages to one person alone that are not on their way at this moment."""


async def list_unfinished(session: Session) -> list[int]:
    """People who were erased while something was just being sent to them, and it has left since."""
    query = select(OutboxRow.person_id).join(Person, Person.id == OutboxRow.person_id)
    found = await session.execute(query.where(Person.erased_at.is_not(None), *_LEFT).distinct())
    return [person_id for person_id in found.scalars() if person_id is not None]


async def finish(session: Session, person_ids: Collection[int]) -> None:
    """What was left of messages to some people who were erased goes."""
    await session.execute(delete(OutboxRow).where(OutboxRow.person_id.in_(person_ids), *_LEFT))


async def _erase_files(session: Session, person_id: int) -> list[str]:
    """Every picture and paper a person sent. Those of an announcement belong to the union and only lose the chat."""
    own = Attachment.person_id == person_id, Attachment.broadcast_id.is_(None)
    files = list((await session.execute(select(Attachment.file).where(*own, Attachment.file != ""))).scalars())
    await session.execute(delete(Attachment).where(*own))
    await session.execute(update(Attachment).where(Attachment.person_id == person_id).values(account_id=None))
    return files


async def _erase_submissions(session: Session, person_id: int) -> list[str]:
    """What was not verified loses its words and its co-authors; its row stays, so that no receipt code comes twice.

    Of a verified report stay its own words, not what was written about it. Returns the codes of the others.
    """
    ids, codes, known = [], [], []
    for submission in (await session.execute(select(Submission).where(Submission.author_id == person_id))).scalars():
        known.append(submission)
        if submission.status == Status.VERIFIED:
            continue
        submission.title, submission.story, submission.money, submission.ask, submission.reason = "", {}, None, "", ""
        submission.unit_id = submission.queue_unit_id = submission.direct_production = None
        ids.append(submission.id)
        codes.append(submission.code)
    written = SubmissionEvent.submission_id.in_([each.id for each in known]), SubmissionEvent.action != "supplemented"
    gone = or_(SubmissionEvent.submission_id.in_(ids), and_(*written))
    await session.execute(update(SubmissionEvent).where(gone).values(text=""))
    await session.execute(delete(CoAuthor).where(CoAuthor.submission_id.in_(ids)))
    await unsent.forget_about(session, [each.code for each in known])
    return codes


async def _erase_question_reports(session: Session, person_id: int) -> list[str]:
    """That a question may be wrong is still worth looking at; what they wrote about it goes.

    Returns how the buttons beneath what officers were told of it are written down.
    """
    theirs = QuestionReport.person_id == person_id
    ids = (await session.execute(select(QuestionReport.id).where(theirs))).scalars().all()
    await session.execute(update(QuestionReport).where(theirs).values(person_id=None, text="", answer=""))
    return [to_text(["baosai", str(number)])[1:-1] for number in ids]


async def _erase_contests(session: Session, person_id: int, now: datetime) -> None:
    """Papers of rounds that are not counted yet go. Of published ones stays what the result of everybody else follows
    from, under the bare number: right answers, time and rank, without the unit. A prize that has not left is its
    organisers' to take on to the next person."""
    counted = select(Round.id).where(Round.state == RoundState.PUBLISHED)
    theirs, open_ones = Entry.person_id == person_id, Entry.round_id.not_in(counted)
    uncounted = select(Entry.id).where(theirs, open_ones)
    await session.execute(delete(EntryAnswer).where(EntryAnswer.entry_id.in_(uncounted)))
    await session.execute(delete(Entry).where(theirs, open_ones))
    await session.execute(update(Entry).where(theirs).values(unit_id=None, certificate=""))
    await session.execute(
        update(Result).where(Result.person_id == person_id).values(unit_id=None, unit_rank=None, told_as=[])
    )
    await session.execute(update(Disqualification).where(Disqualification.person_id == person_id).values(reason=""))
    await session.execute(delete(Reminder).where(Reminder.person_id == person_id))
    mine = Complaint.person_id == person_id
    await session.execute(update(Complaint).where(mine).values(person_id=None, text="", answer=""))
    won = Prize.person_id == person_id
    await session.execute(update(Prize).where(won).values(phone="", reason=""))
    left = won, Prize.state.in_((PrizeState.WAITING, PrizeState.VERIFIED)), Prize.denied_at.is_(None)
    await session.execute(update(Prize).where(*left).values(state=PrizeState.WAITING, denied_at=now))


async def _erase_chats(session: Session, person: Person, now: datetime) -> list[str]:
    """What was said on every channel, and where. Returns the files that had been made for this person alone."""
    files: list[str] = []
    accounts = (await session.execute(select(Account).where(Account.person_id == person.id))).scalars().all()
    for account in accounts:
        lane = f"{account.channel}:{account.address}"
        await session.execute(
            update(InboxRow)
            .where(InboxRow.lane == lane, InboxRow.state != InboxState.NEW)
            .values(raw="", lane="", digest="", error="")
        )
        await session.execute(delete(WebMessage).where(WebMessage.address == account.address))
        files += await _erase_jobs(session, account.id)
        await _forget_talk(session, account.id)
        account.person_id, account.seen_at = None, now
    ids = [account.id for account in accounts]
    await _erase_outbox(session, or_(OutboxRow.person_id == person.id, OutboxRow.account_id.in_(ids)), now)
    return files


async def _erase_told(session: Session, person: Person, codes: Sequence[str], now: datetime) -> None:
    """What was said to others about a person and their reports: their phones have it, we need it no longer.

    What is still to be said about a report that is gone is not said; a name may be a namesake's, so that waits for its end.
    """
    payload = cast(OutboxRow.payload, String)
    about = or_(false(), *(payload.contains(code) for code in codes))
    unsaid = {"state": OutState.CANCELLED, "finished_at": now}
    await session.execute(
        update(OutboxRow).where(about, OutboxRow.state.in_(UNSENT), OutboxRow.broadcast_id.is_(None)).values(unsaid)
    )
    if person.name:
        about = or_(about, payload.contains(within(person.name), autoescape=True))
    told = update(OutboxRow).where(OutboxRow.state.in_(FINAL), about).values(payload=None)
    await session.ask(told, long=True)  # it looks at whatever was said to anybody
    await webchat.forget_about(session, person.name, codes)


async def _erase_outbox(session: Session, mine: ColumnElement[bool], now: datetime) -> None:
    """Replies and notices go whole. What is left of a broadcast is how it ended, for its figures."""
    alone, many = OutboxRow.broadcast_id.is_(None), OutboxRow.broadcast_id.is_not(None)
    await session.execute(delete(OutboxRow).where(mine, alone, OutboxRow.state != OutState.SENDING))
    open_states = (OutState.READY, OutState.HELD, OutState.UNKNOWN)
    await session.execute(
        update(OutboxRow)
        .where(mine, many, OutboxRow.state.in_(open_states))
        .values(state=OutState.CANCELLED, finished_at=now)
    )
    await session.execute(
        update(OutboxRow).where(mine, many).values(account_id=None, address="", payload=None, provider_id="", edits="")
    )


async def _erase_jobs(session: Session, account_id: int) -> list[str]:
    jobs = (await session.execute(select(Job).where(Job.account_id == account_id))).scalars().all()
    for job in jobs:
        await session.delete(job)
    return [str(file) for job in jobs for file in job.data.get("files", ())]


async def _erase_lists(session: Session, person_id: int) -> list[str]:
    """Lists that were made for officers of who did not get an announcement: this person may be one of them."""
    named = select(BroadcastTarget.broadcast_id).where(BroadcastTarget.person_id == person_id)
    theirs = set((await session.execute(named)).scalars())
    files: list[str] = []
    for job in (await session.execute(select(Job).where(Job.kind == "unreached"))).scalars():
        if job.data["broadcast"] in theirs:
            files += job.data.get("files", ())
            job.data = job.data | {"files": []}
    return files


async def _forget_talk(session: Session, account_id: int) -> None:
    """An empty conversation in the place of the old one."""
    conversation = await session.get(Conversation, account_id)
    if conversation is not None:
        conversation.forget()
        await session.flush()
