"""Roles over the tree, invitations into them, and the audit."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, enum
from db.session import ONCE


class Role(StrEnum):
    """Roles of decisions 16, lowest first; every one is scoped to a unit and what is below it."""

    WORKER = "worker"
    TEAM_LEADER = "team_leader"
    GRASSROOTS_CHAIR = "grassroots_chair"
    UPPER_OFFICER = "upper_officer"
    CONTENT_OFFICER = "content_officer"
    REVIEWER = "reviewer"
    LEADER = "leader"
    SYSTEM_ADMIN = "system_admin"


class Grant(Base):
    __tablename__ = "grants"
    __table_args__ = ONCE
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    role: Mapped[Role] = mapped_column(enum(Role))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    granted_by: Mapped[int | None]
    granted_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None]


class Invitation(Base):
    """A one-time way into a role; only the token's hash is kept. Printed by the command line = born confirmed."""

    __tablename__ = "invitations"
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    role: Mapped[Role] = mapped_column(enum(Role))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    invited_by: Mapped[int | None]
    born_confirmed: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[int | None]
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("grants.id"))


class AuditRow(Base):
    """Who did what to which object, in the transaction that did it. `actor_id` 0 is the system itself.

    Numbered without gaps, never changed or deleted (triggers refuse it); `hash` binds each row to the one before it.
    """

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[int]
    action: Mapped[str]
    object: Mapped[str] = mapped_column(index=True)
    unit_id: Mapped[int | None]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    hash: Mapped[str]
