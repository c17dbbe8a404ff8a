"""Everything kept about a person, for their own copy (Law 91/2025/QH15, decisions 15)."""

from __future__ import annotations

from enum import Enum
from typing import Any

from sqlalchemy import select

from db.models import (
    Attachment,
    Base,
    Submission,
    SubmissionEvent,
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
