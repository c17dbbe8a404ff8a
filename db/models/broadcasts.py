"""Broadcasts and whom each is for."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, enum
from db.session import ONCE


class BroadcastState(StrEnum):
    """WAITING for a second person; SCHEDULED for its hour; PLANNING its targets; SENDING; PAUSED; then ended."""

    WAITING = "waiting"
    SCHEDULED = "scheduled"
    PLANNING = "planning"
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    HELD = "held"


RUNNING = (BroadcastState.PLANNING, BroadcastState.SENDING, BroadcastState.PAUSED)


class Broadcast(Base):
    """A message to many. `key` is unique for what a clock starts (anniversary, year and variant).

    `reason` is why it is urgent; `answers` is what its author answered, so that a returned one comes back as it was.
    """

    __tablename__ = "broadcasts"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    key: Mapped[str | None] = mapped_column(unique=True)
    kind: Mapped[str]
    topic: Mapped[str] = mapped_column(default="")
    state: Mapped[BroadcastState] = mapped_column(enum(BroadcastState))
    version: Mapped[int] = mapped_column(default=1)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    audience: Mapped[dict[str, Any]] = mapped_column(default=dict)
    text: Mapped[str]
    media: Mapped[list[Any]] = mapped_column(default=list)
    timing: Mapped[str]
    send_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="")
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    approved_at: Mapped[datetime | None]
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("broadcasts.id"))
    note: Mapped[str] = mapped_column(default="")
    progress_at: Mapped[datetime | None]
    progress_version: Mapped[int] = mapped_column(default=0)
    """What its author was shown last: when, and of which version its buttons are."""
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class AutomaticState(StrEnum):
    """ASKED the officers on duty; then RELEASED or STOPPED by one of them, or EDITED and waiting for a second person."""

    ASKED = "asked"
    RELEASED = "released"
    STOPPED = "stopped"
    EDITED = "edited"


class AutomaticMessage(Base):
    """What was decided, the day before, about a message that a clock starts; `text` is what an officer wrote instead.

    `edited_by` and `decided_by` are numbers of people and no references: who they were is in the audit.
    """

    __tablename__ = "automatic_messages"
    __table_args__ = ONCE
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    send_on: Mapped[date]
    state: Mapped[AutomaticState] = mapped_column(enum(AutomaticState))
    version: Mapped[int] = mapped_column(default=1)
    text: Mapped[str] = mapped_column(default="")
    edited_by: Mapped[int | None]
    decided_by: Mapped[int | None]
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class TargetState(StrEnum):
    """FROZEN when the message is confirmed: these people and no others; then PLANNED, or SKIPPED for a reason."""

    FROZEN = "frozen"
    PLANNED = "planned"
    SKIPPED = "skipped"


class BroadcastTarget(Base):
    """One person of a broadcast: one push even with two channels. Delivery itself is the outbox row's state."""

    __tablename__ = "broadcast_targets"
    __table_args__ = (Index("ix_broadcast_targets_broadcast_id_state_person_id", "broadcast_id", "state", "person_id"),)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcasts.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True, index=True)
    unit_id: Mapped[int | None]
    state: Mapped[TargetState] = mapped_column(enum(TargetState))
    reason: Mapped[str] = mapped_column(default="")
    outbox_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"))
