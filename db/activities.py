"""What units do themselves on an anniversary: one line each, and whose line a person reads."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from db import audit, policy
from db.models import Unit, UnitActivity, UnitPath
from db.policy import Action
from db.session import Session

Line = tuple[int, str, str]
"""A unit's id, its short name, its line."""


async def find(session: Session, unit_id: int, anniversary: str, year: int) -> str:
    """A unit's own line, "" for none."""
    row = await session.get(UnitActivity, (unit_id, anniversary, year))
    return row.text if row is not None else ""


async def write(
    session: Session, actor_id: int, unit_id: int, anniversary: str, year: int, text: str, now: datetime
) -> None:
    """Sets a unit's line for a day, or with "" takes it away. Raises Refused."""
    await policy.check(session, actor_id, Action.WRITE_ACTIVITY, unit_id)
    row = await session.get(UnitActivity, (unit_id, anniversary, year))
    if row is None:
        row = UnitActivity(unit_id=unit_id, anniversary=anniversary, year=year, text=text, updated_at=now)
        session.add(row)
    row.text, row.updated_at = text, now
    audit.note(
        session, actor_id, "write_activity", f"unit {unit_id}", now, unit_id, day=anniversary, year=year, text=text
    )


async def nearest(
    session: Session, unit_ids: Collection[int | None], anniversary: str, year: int
) -> dict[int | None, Line]:
    """For each of some units whose people are to read one: its own line, or that of the nearest unit above it."""
    query = (
        select(UnitPath.descendant_id, Unit.id, Unit.short_name, Unit.name, UnitActivity.text)
        .join(Unit, Unit.id == UnitPath.ancestor_id)
        .join(UnitActivity, UnitActivity.unit_id == Unit.id)
        .where(
            UnitPath.descendant_id.in_(unit_ids),
            UnitActivity.anniversary == anniversary,
            UnitActivity.year == year,
            UnitActivity.text != "",
        )
        .order_by(UnitPath.depth.desc())
    )
    return {below: (unit_id, short or name, text) for below, unit_id, short, name, text in await session.execute(query)}
