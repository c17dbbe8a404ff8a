"""What the house keeps for itself: jobs, facts, counters, and the web chat's own memory."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, enum
from db.session import ONCE


class JobState(StrEnum):
    READY = "ready"
    DONE = "done"
    FAILED = "failed"


class Job(Base):
    """Long work done outside the writer's transaction; its result comes to the person as a message."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_state_next_at", "state", "next_at"), ONCE)
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    state: Mapped[JobState] = mapped_column(enum(JobState), default=JobState.READY)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")
    next_at: Mapped[datetime]
    created_at: Mapped[datetime]


class Fact(Base):
    """What the house knows about itself: the emergency stop, respectful mode, the last poll, the demo's clock."""

    __tablename__ = "facts"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Alarm(Base):
    """A trouble that the administrators were told of; `name` is one of `scheduler.troubles`. Who acknowledged it is in the
    audit."""

    __tablename__ = "alarms"
    __table_args__ = ONCE
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    opened_at: Mapped[datetime]
    told_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class Counter(Base):
    """The last number given out of a series of receipt codes, e.g. `SK-26`."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]


class WebSession(Base):
    """A browser's cookie, kept as a hash, and the web-chat address it stands for."""

    __tablename__ = "web_sessions"
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(index=True)
    csrf: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class WebMessage(Base):
    """The web chat's own memory of a chat, as a platform keeps it; `mine` is what the person said."""

    __tablename__ = "web_messages"
    __table_args__ = (
        Index("ix_web_messages_address_id", "address", "id"),
        Index("ix_web_messages_address_change", "address", "change"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str]
    mine: Mapped[bool]
    payload: Mapped[dict[str, Any]]
    change: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime]
