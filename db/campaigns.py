"""Registrations for emulation: one per person, year and round."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import String, cast, literal, select

from db import audiences, caps, house
from db.errors import NotFound
from db.models import OutboxRow, Person, Registration
from db.people import HOURS
from db.session import Session

CHECK = "check:"


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


async def list_unasked(
    session: Session, year: int, round_number: int, topic: str, before: datetime, today: datetime, hours: Sequence[str]
) -> list[Registration]:
    """Registrations made before a moment, of people who were not asked about them, and have said nothing themselves.

    Only those who want reminders of a topic, have one of some `hours`, and have not had as many messages as they should;
    `today` is when the day begins.
    """
    asked = select(OutboxRow.id).where(OutboxRow.dedup_key == literal(CHECK) + cast(Registration.id, String))
    query = (
        select(Registration)
        .join(Person, Person.id == Registration.person_id)
        .where(
            Registration.year == year,
            Registration.round == round_number,
            Registration.outcome == "",
            Registration.created_at < before,
            Person.processing,
            HOURS.in_(hours),
            ~audiences.wants_none(topic),
            ~asked.exists(),
            ~caps.full(today, "campaign"),
        )
        .order_by(Registration.id)
    )
    return list((await session.execute(query)).scalars())


def check_key(row: Registration) -> str:
    """The key under which somebody is asked once about a registration."""
    return f"{CHECK}{row.id}"
