"""Everything kept about a person, for their own copy (Law 91/2025/QH15, decisions 15)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, func, select

from db.models import (
    Account,
    Attachment,
    AuditRow,
    Base,
    Body,
    Broadcast,
    Conversation,
    InboxRow,
    OutboxRow,
    Submission,
    SubmissionEvent,
    Unit,
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
    "contest_entries": "person_id",
    "contest_results": "person_id",
    "contest_disqualifications": "person_id",
    "contest_complaints": "person_id",
    "contest_prizes": "person_id",
    "contest_reminders": "person_id",
}
"""Every table that says something about a person, and the column that names them; a test holds it against the schema."""

NOT_THEIRS = {
    "submissions": ("holder_id", "unseen"),
    "broadcasts": ("approver_id",),
    "grants": ("granted_by", "revoked_by"),
    "contest_disqualifications": ("actor_id",),
    "contest_complaints": ("actor_id",),
}
"""Columns about others, left out of a person's own copy."""


OTHERS = (
    "moderation.", "units.", "question_reports.", "automatic.", "supplement.notice", "mysubmissions.question_notice",
    "mysubmissions.reply_notice", "mysubmissions.withdraw_notice", "mysubmissions.leader_notice", "report.queue_notice",
)  # fmt: skip
"""Messages to officers, by the beginning of their key: they carry other people's reports and names."""
OWN = (
    "moderation.accept_notice", "moderation.notice_", "moderation.need_reminder", "moderation.closed_notice",
    "moderation.duplicate_notice", "moderation.alone_notice", "moderation.unduplicate_notice", "units.accepted_", "units.confirmed_notice",
    "units.declined_notice", "units.revoked_notice", "units.workplace_", "question_reports.reply",
)  # fmt: skip
"""Those among them that speak to somebody about themselves or their own report. What is new counts as others'."""

TALK = ("conversations", "audit", "messages_out", "messages_in")
"""What else a copy holds: where their chats stand, what they did, and the messages that are still kept."""


async def collect(session: Session, person_id: int) -> dict[str, list[dict[str, Any]]]:
    """Everything kept about a person, table by table; other people's ids are left out, and what was told about them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, column in EXPORTED.items():
        table = Base.metadata.tables[name]
        hidden = NOT_THEIRS.get(name, ())
        columns = [each for each in table.c if each.name not in hidden]
        found[name] = _dicts(await session.execute(select(*columns).where(table.c[column] == person_id)))
    events = (
        select(Submission.code, SubmissionEvent.at, SubmissionEvent.action, SubmissionEvent.text)
        .join(Submission, Submission.id == SubmissionEvent.submission_id)
        .where(Submission.author_id == person_id, SubmissionEvent.internal.is_(False))
        .order_by(SubmissionEvent.id)
    )
    found["submission_events"] = _dicts(await session.execute(events))
    await _name_units(session, found)
    await _name_broadcasts(session, found["broadcast_targets"], str(found["persons"][0]["audience"] or ""))
    return found | await _talk(session, person_id)


async def _name_units(session: Session, found: dict[str, list[dict[str, Any]]]) -> None:
    """Beside the number of a unit, what it is called."""
    named = [row for rows in found.values() for row in rows if row.get("unit_id") is not None]
    query = select(Unit.id, Unit.name).where(Unit.id.in_({row["unit_id"] for row in named}))
    names = {unit_id: name for unit_id, name in await session.execute(query)}
    for row in named:
        row["unit"] = names[row["unit_id"]]


async def _name_broadcasts(session: Session, rows: list[dict[str, Any]], group: str) -> None:
    """Beside the number of an announcement, its code and its words for a group; names are still to be filled in."""
    query = select(Broadcast.id, Broadcast.code, Broadcast.text, Broadcast.audience).where(
        Broadcast.id.in_({row["broadcast_id"] for row in rows})
    )
    said = {
        broadcast_id: (code, (audience or {}).get("texts", {}).get(group, text))
        for broadcast_id, code, text, audience in await session.execute(query)
    }
    for row in rows:
        row["code"], row["text"] = said[row["broadcast_id"]]


async def _talk(session: Session, person_id: int) -> dict[str, list[dict[str, Any]]]:
    mine = Account.person_id == person_id
    accounts = (await session.execute(select(Account).where(mine))).scalars().all()
    lanes = [f"{account.channel}:{account.address}" for account in accounts]
    stands = select(Conversation.dialogue, Conversation.step, Conversation.data, Conversation.pending)
    done = select(AuditRow.at, AuditRow.action).where(AuditRow.actor_id == person_id).order_by(AuditRow.id)
    said = (
        select(
            OutboxRow.created_at,
            OutboxRow.kind,
            OutboxRow.state,
            OutboxRow.payload,
            Body.payload.label("body"),
            (OutboxRow.channel + ":" + OutboxRow.address).label("lane"),
        )
        .outerjoin(Body, Body.id == OutboxRow.body_id)
        .where(OutboxRow.person_id == person_id)
    )
    heard = select(InboxRow.received_at, InboxRow.channel, InboxRow.lane, InboxRow.raw).where(
        InboxRow.lane.in_(lanes), InboxRow.raw != ""
    )
    queries = (
        stands.join(Account, Account.id == Conversation.account_id).where(mine),
        done,
        said.order_by(OutboxRow.id),
        heard.order_by(InboxRow.id),
    )
    rows = {name: _dicts(await session.execute(query)) for name, query in zip(TALK, queries, strict=True)}
    for row in rows["messages_out"]:
        # One's own words, or those said to many; neither is left after 30 days.
        own, shared = row.pop("payload"), row.pop("body")
        message = own or shared or {}
        key = message.get("key", "")
        row["about_others"] = key.startswith(OTHERS) and not key.startswith(OWN)
        row["text"] = "" if row["about_others"] else message.get("text", "")
        row["choices"] = [] if row["about_others"] else message.get("choices", [])
        row["screen"] = message.get("screen", 0)
    return rows


def _dicts(rows: Iterable[Row[Any]]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in rows]


async def files_of(session: Session, person_id: int) -> list[tuple[str, str]]:
    """The cleaned files a person sent: (name in the data folder, code of the submission it belongs to or "")."""
    query = (
        select(Attachment.file, func.coalesce(Submission.code, ""))
        .outerjoin(Submission, Submission.id == Attachment.submission_id)
        .where(Attachment.person_id == person_id, Attachment.file != "")
        .order_by(Attachment.id)
    )
    return [(file, code) for file, code in await session.execute(query)]
