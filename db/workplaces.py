"""Workplaces people typed at joining because they were not found, until an officer settles them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from db import audit, people, policy, units
from db.errors import Conflict
from db.models import Person, UnitRequest
from db.policy import Action
from db.session import Session


async def list_open(session: Session) -> list[UnitRequest]:
    """What nobody has settled, the oldest first."""
    query = (
        select(UnitRequest)
        .join(Person, Person.id == UnitRequest.person_id)
        .where(UnitRequest.done_at.is_(None), Person.erased_at.is_(None))
        .order_by(UnitRequest.id)
    )
    return list((await session.execute(query)).scalars())


async def match(session: Session, request: UnitRequest, unit_id: int, actor_id: int, now: datetime) -> None:
    """The workplace is this unit; the person belongs there, unless they chose one themselves meanwhile.

    Raises Refused, and Conflict when it was settled already.
    """
    await policy.check(session, actor_id, Action.IMPORT_UNITS, unit_id)
    await _settle(session, request, now)
    person = await people.get(session, request.person_id)
    if person.unit_id is None:
        person.unit_id, person.confirmed = unit_id, False
    audit.note(session, actor_id, "match_workplace", f"request {request.id}", now, unit_id)


async def refuse(session: Session, request: UnitRequest, actor_id: int, now: datetime) -> None:
    """It cannot be told what workplace this is. Raises Refused, Conflict."""
    top = await units.top(session)
    await policy.check(session, actor_id, Action.IMPORT_UNITS, top.id if top else None)
    await _settle(session, request, now)
    audit.note(session, actor_id, "refuse_workplace", f"request {request.id}", now)


async def _settle(session: Session, request: UnitRequest, now: datetime) -> None:
    changed = await session.execute(
        update(UnitRequest)
        .where(UnitRequest.id == request.id, UnitRequest.done_at.is_(None))
        .values(done_at=now)
        .returning(UnitRequest.id)
    )
    if changed.scalar() is None:
        raise Conflict("common.already")
