"""What came in and what goes out: the inbox, the outbox, and messages said to many."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, enum
from db.session import index_of_some


class InboxState(StrEnum):
    NEW = "new"
    DONE = "done"
    DEAD = "dead"


class InboxRow(Base):
    """One update of one channel, committed before it is acknowledged; a repeat is dropped by the unique key."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "bot", "ext_id"),
        Index("ix_inbox_state_lane_id", "state", "lane", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]
    bot: Mapped[str]
    ext_id: Mapped[str]
    digest: Mapped[str]
    lane: Mapped[str]
    raw: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[InboxState] = mapped_column(enum(InboxState), default=InboxState.NEW)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")


class Policy(StrEnum):
    """AMO: at most once, a doubtful send is never repeated. ALO: at least once (promises §1.5)."""

    AMO = "amo"
    ALO = "alo"


class Lane(IntEnum):
    """Who goes first: what somebody waits for, what concerns one person, what goes to many."""

    REPLY = 0
    NOTICE = 1
    BULK = 2


class OutState(StrEnum):
    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    HELD = "held"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


UNSENT = (OutState.READY, OutState.HELD)
FINAL = (OutState.SENT, OutState.FAILED, OutState.UNKNOWN, OutState.CANCELLED, OutState.EXPIRED)


class Body(Base):
    """A message said to many, stored once per variant."""

    __tablename__ = "bodies"
    id: Mapped[int] = mapped_column(primary_key=True)
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class OutboxRow(Base):
    """One thing to say to one address. `edits` carries the platform's id of the message to change in place.

    `not_before` is its place in the line and stays; `retry_at` is when it may be tried again after it did not go.
    What concerns one person and could not leave in time waits until they are awake, unless it is to be said `at_once`.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("dedup_key"),
        Index("ix_outbox_state_channel_lane_not_before_id", "state", "channel", "lane", "not_before", "id"),
        Index("ix_outbox_channel_address_slot", "channel", "address", "slot"),
        Index("ix_outbox_person_id_not_before", "person_id", "not_before"),
        Index("ix_outbox_broadcast_id_state_not_before", "broadcast_id", "state", "not_before"),
        # Looked for at every claim (what waits for another try), at every look at a broadcast (what ended last), at every
        # round of tidying (whose content is still kept): few beside a million rows, so these hold nothing else.
        index_of_some("ix_outbox_retry", "retry_at IS NOT NULL", "channel", "state", "lane", "retry_at"),
        index_of_some("ix_outbox_ended", "finished_at IS NOT NULL", "broadcast_id", "finished_at"),
        index_of_some("ix_outbox_kept", "payload IS NOT NULL AND finished_at IS NOT NULL", "finished_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    dedup_key: Mapped[str | None]
    policy: Mapped[Policy] = mapped_column(enum(Policy))
    lane: Mapped[int]
    kind: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    person_id: Mapped[int | None]
    channel: Mapped[str]
    address: Mapped[str]
    broadcast_id: Mapped[int | None] = mapped_column(ForeignKey("broadcasts.id"))
    body_id: Mapped[int | None] = mapped_column(ForeignKey("bodies.id"))
    payload: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    slot: Mapped[str | None]
    at_once: Mapped[bool] = mapped_column(default=False)
    state: Mapped[OutState] = mapped_column(enum(OutState), default=OutState.READY)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime]
    retry_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    claim: Mapped[str] = mapped_column(default="")
    provider_id: Mapped[str] = mapped_column(default="")
    edits: Mapped[str] = mapped_column(default="")
    error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
