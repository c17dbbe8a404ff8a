"""Submissions, who made them, what happened to them, and their files."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, enum
from db.session import ONCE


class Track(StrEnum):
    INITIATIVE = "initiative"
    PRACTICE = "practice"
    GOOD_DEED = "good_deed"


class Status(StrEnum):
    """States of a submission that exist so far (decisions, table Submissions); a draft is a row of `drafts`."""

    SENT = "sent"
    CLAIMED = "claimed"
    NEED_INFO = "need_info"
    CLOSED_NO_INFO = "closed_no_info"
    VERIFIED = "verified"
    NOT_SELECTED = "not_selected"
    DUPLICATE = "duplicate"
    WITHDRAWN = "withdrawn"


OPEN = (Status.SENT, Status.CLAIMED, Status.NEED_INFO)
DECIDED = (Status.VERIFIED, Status.NOT_SELECTED, Status.DUPLICATE)


class Submission(Base):
    """An initiative, a good practice or a good deed on its way. `version` moves with every change of status.

    `remind_at` is when its author asked to be reminded of what is still to be told.
    """

    __tablename__ = "submissions"
    __table_args__ = (Index("ix_submissions_queue_unit_id_status", "queue_unit_id", "status"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    track: Mapped[Track] = mapped_column(enum(Track))
    author_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    queue_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    title: Mapped[str]
    story: Mapped[dict[str, Any]] = mapped_column(default=dict)
    money: Mapped[int | None] = mapped_column(BigInteger)
    direct_production: Mapped[bool | None]
    status: Mapped[Status] = mapped_column(enum(Status))
    version: Mapped[int] = mapped_column(default=1)
    holder_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    claimed_at: Mapped[datetime | None]
    lapses_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    ask: Mapped[str] = mapped_column(default="")
    reminded: Mapped[int] = mapped_column(default=0)
    remind_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
    duplicate_of: Mapped[int | None] = mapped_column(ForeignKey("submissions.id"))
    unseen: Mapped[bool] = mapped_column(default=False)
    question_at: Mapped[datetime | None]
    sent_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class CoAuthor(Base):
    __tablename__ = "coauthors"
    __table_args__ = ONCE
    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), index=True)
    name: Mapped[str]
    percent: Mapped[int]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"), index=True)
    confirmed: Mapped[bool | None]


class SubmissionEvent(Base):
    """What happened to a submission, in words where somebody wrote some; `internal` is never shown to the author."""

    __tablename__ = "submission_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), index=True)
    at: Mapped[datetime]
    actor_id: Mapped[int]
    action: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    internal: Mapped[bool] = mapped_column(default=False)


class FileState(StrEnum):
    """WAITING to be fetched and cleaned; only CLEAN ones are shown to anybody."""

    WAITING = "waiting"
    CLEAN = "clean"
    REFUSED = "refused"
    FAILED = "failed"


class Attachment(Base):
    """A file somebody sent, by reference until it is fetched; `file` is its name in the data folder once clean."""

    __tablename__ = "attachments"
    __table_args__ = (
        UniqueConstraint("draft_id", "unique_ref"),
        Index("ix_attachments_state_next_at", "state", "next_at"),
        ONCE,
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("drafts.id", ondelete="SET NULL"))
    submission_id: Mapped[int | None] = mapped_column(ForeignKey("submissions.id"), index=True)
    broadcast_id: Mapped[int | None] = mapped_column(ForeignKey("broadcasts.id"), index=True)
    channel: Mapped[str]
    ref: Mapped[str]
    unique_ref: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    size: Mapped[int]
    state: Mapped[FileState] = mapped_column(enum(FileState), default=FileState.WAITING)
    reason: Mapped[str] = mapped_column(default="")
    file: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    created_at: Mapped[datetime]
