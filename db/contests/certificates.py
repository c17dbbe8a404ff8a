"""Confirmations: a code that nobody can guess leads to what stands on the picture, and to nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from db.contests.results import find_result
from db.contests.rounds import get_contest, get_round
from db.models import Entry, Person, Unit
from db.session import Session


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a confirmation says."""

    name: str
    unit: str
    contest: str
    week: int
    score: int
    size: int
    code: str
    published_at: datetime
    person_id: int


async def seal(session: Session, round_id: int, person_id: int, code: str) -> str:
    """Gives the counted paper of somebody a code for its confirmation, once. Returns it, "" where there is none to give."""
    result = await find_result(session, round_id, person_id)
    if result is None or result.rank is None:
        return ""
    entry = await session.get_one(Entry, result.entry_id)
    entry.certificate = entry.certificate or code
    await session.flush()
    return entry.certificate


async def find_sealed(session: Session, code: str) -> Sealed | None:
    """What a code confirms; None for any other code, and for who is out of the ranking or gone."""
    if not code:
        return None
    entry = (await session.execute(select(Entry).where(Entry.certificate == code))).scalar()
    if entry is None:
        return None
    result = await find_result(session, entry.round_id, entry.person_id)
    person = await session.get_one(Person, entry.person_id)
    if result is None or result.rank is None or result.entry_id != entry.id or not person.name:
        return None
    round_ = await get_round(session, entry.round_id)
    unit = await session.get(Unit, result.unit_id) if result.unit_id is not None else None
    return Sealed(
        name=person.name, unit=unit.name if unit is not None else "",
        contest=(await get_contest(session, round_.contest_id)).name, week=round_.number, score=result.score,
        size=round_.size, code=entry.code, published_at=round_.published_at or round_.result_at, person_id=person.id,
    )  # fmt: skip
