"""A person's rights over their data: everything kept about them, and its erasure (Law 91/2025/QH15, decisions 15)."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import delete, func, select, update

from db import audit, people
from db.models import (
    Account,
    Attachment,
    Base,
    CoAuthor,
    Conversation,
    Draft,
    Grant,
    InboxRow,
    OutboxRow,
    OutState,
    Person,
    PracticeAnswer,
    QuestionReport,
    Registration,
    Status,
    Submission,
    SubmissionEvent,
    UnitRequest,
    WebMessage,
    WebSession,
)
from db.session import Session

EXPORTED: dict[str, str] = {
    "persons": "id",
    "accounts": "person_id",
    "consents": "person_id",
    "drafts": "person_id",
    "grants": "person_id",
    "submissions": "author_id",
    "coauthors": "person_id",
    "attachments": "person_id",
    "registrations": "person_id",
    "practice_answers": "person_id",
    "question_reports": "person_id",
    "unit_requests": "person_id",
    "broadcast_targets": "person_id",
    "broadcasts": "author_id",
    "unit_lines": "author_id",
}
"""Every table that says something about a person, and the column that names them; a test holds it against the schema."""

NOT_THEIRS = {
    "submissions": ("holder_id", "unseen"),
    "broadcasts": ("approver_id",),
    "grants": ("granted_by", "revoked_by"),
}
"""Columns about others, left out of a person's own copy."""


async def collect(session: Session, person_id: int) -> dict[str, list[dict[str, Any]]]:
    """Everything kept about a person, table by table, each row as plain values; other people's ids are left out."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, column in EXPORTED.items():
        table = Base.metadata.tables[name]
        rows = await session.execute(select(table).where(table.c[column] == person_id))
        hidden = NOT_THEIRS.get(name, ())
        found[name] = [{k: _plain(v) for k, v in row._mapping.items() if k not in hidden} for row in rows]
    events = await session.execute(
        select(SubmissionEvent.at, SubmissionEvent.action, SubmissionEvent.text, Submission.code)
        .join(Submission, Submission.id == SubmissionEvent.submission_id)
        .where(Submission.author_id == person_id, SubmissionEvent.internal.is_(False))
        .order_by(SubmissionEvent.id)
    )
    found["submission_events"] = [{k: _plain(v) for k, v in row._mapping.items()} for row in events]
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if hasattr(value, "isoformat") else value


async def files_of(session: Session, person_id: int) -> list[str]:
    """The names in the data folder of the cleaned files a person sent."""
    query = select(Attachment.file).where(Attachment.person_id == person_id, Attachment.file != "")
    return list((await session.execute(query)).scalars())


async def stop_processing(session: Session, person_id: int, now: datetime) -> int:
    """Withdraws every waiting submission and all reminders. Returns how many submissions stopped."""
    person = await session.get_one(Person, person_id)
    person.processing = False
    stopped = await _withdraw_open(session, person_id, now)
    await people.stop_news(session, person, now)
    audit.note(session, person_id, "stop_processing", f"person {person_id}", now, submissions=stopped)
    return stopped


async def _withdraw_open(session: Session, person_id: int, now: datetime) -> int:
    waiting = await session.execute(
        select(Submission).where(
            Submission.author_id == person_id,
            Submission.status.in_((Status.SENT, Status.CLAIMED, Status.NEED_INFO, Status.CLOSED_NO_INFO)),
        )
    )
    count = 0
    for submission in waiting.scalars():
        submission.status, submission.holder_id = Status.WITHDRAWN, None
        submission.version += 1
        submission.decided_at = now
        count += 1
    return count


async def erase(session: Session, person_id: int, now: datetime) -> list[str]:
    """Erases a person and returns the files of the data folder to delete.

    What stays: the proof of consent and the audit under the bare number, counts, and verified submissions without the
    author. Everything else goes at once; backups keep it up to 35 days (decisions 15).
    """
    await stop_processing(session, person_id, now)
    files = await _erase_submissions(session, person_id)
    addresses = (await session.execute(select(Account).where(Account.person_id == person_id))).scalars().all()
    for account in addresses:
        await _forget_talk(session, account.id)
        lane = f"{account.channel}:{account.address}"
        await session.execute(
            update(InboxRow).where(InboxRow.lane == lane, InboxRow.state != "new").values(raw="", lane="", digest="")
        )
        await session.execute(delete(WebMessage).where(WebMessage.address == account.address))
        await session.execute(delete(WebSession).where(WebSession.address == account.address))
        account.person_id = None
        account.seen_at = now
    await session.execute(delete(Draft).where(Draft.person_id == person_id))
    for table in (PracticeAnswer, Registration, UnitRequest):
        await session.execute(delete(table).where(table.person_id == person_id))
    await session.execute(update(QuestionReport).where(QuestionReport.person_id == person_id).values(person_id=None))
    await session.execute(update(CoAuthor).where(CoAuthor.person_id == person_id).values(name="", person_id=None))
    await session.execute(
        update(OutboxRow)
        .where(OutboxRow.person_id == person_id, OutboxRow.body_id.is_(None), OutboxRow.state != OutState.SENDING)
        .values(payload=None)
    )
    await session.execute(
        update(OutboxRow)
        .where(OutboxRow.person_id == person_id, OutboxRow.state.in_((OutState.READY, OutState.HELD)))
        .values(state=OutState.CANCELLED, finished_at=now)
    )
    await session.execute(
        update(Grant).where(Grant.person_id == person_id, Grant.revoked_at.is_(None)).values(revoked_at=now)
    )
    person = await session.get_one(Person, person_id)
    person.name, person.audience, person.unit_id, person.direct_production = "", None, None, None
    person.news, person.processing, person.muted_topics, person.erased_at = False, False, [], now
    audit.note(session, person_id, "erase", f"person {person_id}", now)
    return files


async def _forget_talk(session: Session, account_id: int) -> None:
    conversation = await session.get(Conversation, account_id)
    if conversation is not None:
        conversation.data, conversation.pending, conversation.history, conversation.ahead = {}, {}, [], []
        conversation.choices, conversation.draft_id, conversation.last_choice = [], None, ""
        await session.flush()


async def _erase_submissions(session: Session, person_id: int) -> list[str]:
    """Undecided stories go with their files; verified ones stay for the statistics without their author's words on people."""
    gone = await session.execute(
        select(Submission).where(Submission.author_id == person_id, Submission.status != Status.VERIFIED)
    )
    ids = []
    for submission in gone.scalars():
        submission.title, submission.story, submission.money, submission.ask, submission.reason = "", {}, None, "", ""
        submission.unit_id = None
        ids.append(submission.id)
    await session.execute(update(SubmissionEvent).where(SubmissionEvent.submission_id.in_(ids)).values(text=""))
    await session.execute(delete(CoAuthor).where(CoAuthor.submission_id.in_(ids)))
    mine = select(Submission.id).where(Submission.author_id == person_id, Submission.status == Status.VERIFIED)
    doomed = Attachment.person_id == person_id, func.coalesce(Attachment.submission_id, -1).not_in(mine)
    files = list((await session.execute(select(Attachment.file).where(*doomed, Attachment.file != ""))).scalars())
    await session.execute(delete(Attachment).where(*doomed))
    return files
