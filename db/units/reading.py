"""Units to be found and shown: by code, by name, by place, by who stands above and below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from db.errors import NotFound
from db.models import Level, Person, Unit, UnitAlias, UnitPath, UnitRequest
from db.session import Session


@dataclass(frozen=True, slots=True)
class UnitNames:
    """All names one unit answers to, for searching."""

    id: int
    code: str
    name: str
    short_name: str
    place: str
    parent: str
    aliases: tuple[str, ...] = ()
    old_names: tuple[str, ...] = ()


async def get(session: Session, unit_id: int) -> Unit:
    """The unit of an id; raises NotFound."""
    unit = await session.get(Unit, unit_id)
    if unit is None:
        raise NotFound("common.not_found")
    return unit


async def find_by_code(session: Session, code: str) -> Unit | None:
    """The unit of a code, upper or lower case."""
    return (await session.execute(select(Unit).where(func.upper(Unit.code) == code.strip().upper()))).scalar()


async def parents_by_code(session: Session) -> dict[str, str]:
    """Every unit's code with the code of the unit above, "" at the top."""
    above = select(Unit.id, Unit.code).subquery()
    query = select(Unit.code, above.c.code).outerjoin(above, above.c.id == Unit.parent_id)
    return {code: parent or "" for code, parent in await session.execute(query)}


async def top(session: Session) -> Unit | None:
    """The federation itself: the first unit without a parent."""
    return (await session.execute(select(Unit).where(Unit.parent_id.is_(None)).order_by(Unit.id).limit(1))).scalar()


async def parent_name(session: Session, unit: Unit) -> str:
    """The name of the unit above, or "" at the top."""
    return "" if unit.parent_id is None else (await get(session, unit.parent_id)).name


async def full_name(session: Session, unit: Unit) -> str:
    """A unit's name; a team's with that of the union it belongs to, because their names repeat."""
    return f"{unit.name} – {await parent_name(session, unit)}" if unit.level == Level.TEAM else unit.name


async def children(session: Session, unit_id: int) -> list[Unit]:
    """The units directly below, by name."""
    return list((await session.execute(select(Unit).where(Unit.parent_id == unit_id).order_by(Unit.name))).scalars())


async def ancestors(session: Session, unit_id: int) -> list[int]:
    """A unit and all above it, nearest first."""
    query = select(UnitPath.ancestor_id).where(UnitPath.descendant_id == unit_id).order_by(UnitPath.depth)
    return list((await session.execute(query)).scalars())


async def below(session: Session, tops: Sequence[int]) -> set[int]:
    """Some units and all that stands below them."""
    query = select(UnitPath.descendant_id).where(UnitPath.ancestor_id.in_(list(tops)))
    return set((await session.execute(query)).scalars())


async def places(session: Session) -> list[str]:
    """The communes and wards in which units lie, by name."""
    query = select(Unit.place).where(Unit.place != "", Unit.level != Level.TEAM).distinct().order_by(Unit.place)
    return list((await session.execute(query)).scalars())


async def zones(session: Session) -> list[str]:
    """The industrial zones in which units lie, by name."""
    query = select(Unit.zone).where(Unit.zone != "").distinct().order_by(Unit.zone)
    return list((await session.execute(query)).scalars())


async def list_at(session: Session, *, place: str = "", zone: str = "") -> list[Unit]:
    """The workplaces in a commune or an industrial zone, by name; teams are not workplaces."""
    query = select(Unit).where(Unit.level != Level.TEAM).order_by(Unit.name)
    query = query.where(Unit.place == place) if place else query.where(Unit.zone == zone)
    return list((await session.execute(query)).scalars())


async def find_request(session: Session, person_id: int) -> UnitRequest | None:
    """The workplace a person wrote down last that an officer has not placed yet."""
    query = select(UnitRequest).where(UnitRequest.person_id == person_id, UnitRequest.done_at.is_(None))
    return (await session.execute(query.order_by(UnitRequest.id.desc()).limit(1))).scalar()


async def names(session: Session, *, teams: bool = False) -> list[UnitNames]:
    """Every workplace with all its names, and the teams too where they are wanted."""
    above = select(Unit.id, Unit.name).subquery()
    query = (
        select(Unit.id, Unit.code, Unit.name, Unit.short_name, Unit.place, func.coalesce(above.c.name, ""))
        .outerjoin(above, above.c.id == Unit.parent_id)
        .order_by(Unit.id)
    )
    if not teams:
        query = query.where(Unit.level != Level.TEAM)
    aliases: dict[int, tuple[list[str], list[str]]] = {}
    for unit_id, name, old in await session.execute(select(UnitAlias.unit_id, UnitAlias.name, UnitAlias.old)):
        aliases.setdefault(unit_id, ([], []))[1 if old else 0].append(name)
    found = await session.execute(query)
    return [UnitNames(*row, *map(tuple, aliases.get(row[0], ((), ())))) for row in found]


async def old_name_since(session: Session, unit_id: int, name: str) -> date | None:
    """Since when a unit's old name is old, where that is known."""
    query = select(UnitAlias.until).where(UnitAlias.unit_id == unit_id, UnitAlias.name == name, UnitAlias.old)
    return (await session.execute(query)).scalar()


async def count_people(session: Session, unit_id: int) -> int:
    """How many joined people belong to a unit or below it."""
    query = (
        select(func.count())
        .select_from(Person)
        .join(UnitPath, UnitPath.descendant_id == Person.unit_id)
        .where(UnitPath.ancestor_id == unit_id, Person.erased_at.is_(None))
    )
    return (await session.execute(query)).scalar_one()
