"""The tree of units, their other and older names, and workplaces nobody could find."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, enum
from db.session import ONCE


class Level(StrEnum):
    """Where a unit stands in the tree; the depth is variable and labels are content."""

    PROVINCE = "province"
    UPPER = "upper"
    GRASSROOTS = "grassroots"
    TEAM = "team"


class Unit(Base):
    __tablename__ = "units"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    short_name: Mapped[str] = mapped_column(default="")
    level: Mapped[Level] = mapped_column(enum(Level))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    place: Mapped[str] = mapped_column(default="")
    zone: Mapped[str] = mapped_column(default="")
    sector: Mapped[str] = mapped_column(default="")
    workers: Mapped[int | None]
    members: Mapped[int | None]
    women: Mapped[int | None]
    figures_on: Mapped[date | None]
    figures_from: Mapped[str] = mapped_column(default="")
    """The file that the figures came from."""
    created_at: Mapped[datetime]


class UnitAlias(Base):
    """Another name people use, or the name before a merger (then `until` says since when it is old)."""

    __tablename__ = "unit_aliases"
    __table_args__ = (UniqueConstraint("unit_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    name: Mapped[str]
    old: Mapped[bool] = mapped_column(default=False)
    until: Mapped[date | None]


class UnitPath(Base):
    """The closure of the tree: one row for every unit and each of its ancestors, itself included (depth 0)."""

    __tablename__ = "unit_paths"
    ancestor_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    descendant_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True, index=True)
    depth: Mapped[int]


class UnitActivity(Base):
    """What a unit itself does on an anniversary of a year, in one line of its chair's."""

    __tablename__ = "unit_activities"
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    anniversary: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    updated_at: Mapped[datetime]


class UnitRequest(Base):
    """A workplace that somebody typed because it could not be found; an officer adds or matches it."""

    __tablename__ = "unit_requests"
    __table_args__ = ONCE
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    text: Mapped[str]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
