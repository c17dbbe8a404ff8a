"""Registrations for emulation: one per person, year and round."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from db import house
from db.errors import NotFound
from db.models import Person, Registration
from db.session import Session


async def find_registration(session: Session, person_id: int, year: int, round_number: int) -> Registration | None:
    """A person's registration for one round."""
    query = select(Registration).where(
        Registration.person_id == person_id, Registration.year == year, Registration.round == round_number
    )
    return (await session.execute(query)).scalar()


async def list_registrations(session: Session, person_id: int, year: int) -> list[Registration]:
    """A person's registrations of one year, the newest round first."""
    query = select(Registration).where(Registration.person_id == person_id, Registration.year == year)
    return list((await session.execute(query.order_by(Registration.round.desc()))).scalars())


async def register(
    session: Session,
    person: Person,
    year: int,
    round_number: int,
    movements: list[int],
    goals: list[str],
    now: datetime,
) -> Registration:
    """Registers, or changes the registration there is: the code stays."""
    row = await find_registration(session, person.id, year, round_number)
    if row is None:
        row = Registration(
            code=await house.next_code(session, "TD", year), person_id=person.id, year=year, round=round_number,
            created_at=now, outcome="", outcome_text="",
        )  # fmt: skip
        session.add(row)
    row.unit_id, row.movements, row.goals, row.updated_at = person.unit_id, movements, goals, now
    await session.flush()
    return row


async def report(session: Session, person_id: int, code: str, outcome: str, now: datetime) -> Registration:
    """What became of it, in the person's own judgement. Raises NotFound for somebody else's."""
    row = await _own(session, person_id, code)
    row.outcome, row.updated_at = outcome, now
    return row


async def add_outcome_text(session: Session, person_id: int, code: str, text: str, now: datetime) -> None:
    """One line about the outcome. Raises NotFound for somebody else's."""
    row = await _own(session, person_id, code)
    row.outcome_text, row.updated_at = text, now


async def _own(session: Session, person_id: int, code: str) -> Registration:
    query = select(Registration).where(Registration.code == code.upper(), Registration.person_id == person_id)
    row = (await session.execute(query)).scalar()
    if row is None:
        raise NotFound("common.not_found")
    return row


async def list_open(session: Session, year: int, round_number: int) -> list[Registration]:
    """Registrations of a round whose people have not said what became of them and want reminders."""
    query = (
        select(Registration)
        .join(Person, Person.id == Registration.person_id)
        .where(Registration.year == year, Registration.round == round_number, Registration.outcome == "", Person.news)
    )
    return list((await session.execute(query)).scalars())
