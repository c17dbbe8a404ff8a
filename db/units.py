"""The union's tree: units, their names old and new, and who stands under whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import delete, func, insert, select

from db.errors import NotFound
from db.models import Level, Person, Unit, UnitAlias, UnitPath
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


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit as an import file gives it; `parent` is the code of the unit above ("" for the top)."""

    code: str
    name: str
    short_name: str = ""
    parent: str = ""
    level: Level = Level.GRASSROOTS
    place: str = ""
    zone: str = ""
    sector: str = ""
    workers: int | None = None
    members: int | None = None
    women: int | None = None
    figures_on: date | None = None
    aliases: tuple[str, ...] = ()
    old_names: tuple[tuple[str, date | None], ...] = field(default=())


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


async def names(session: Session, *, teams: bool = False) -> list[UnitNames]:
    """Every workplace with all its names, and the teams too where they are wanted."""
    above = select(Unit.id, Unit.name).subquery()
    query = select(Unit, above.c.name).outerjoin(above, above.c.id == Unit.parent_id).order_by(Unit.id)
    if not teams:
        query = query.where(Unit.level != Level.TEAM)
    aliases: dict[int, tuple[list[str], list[str]]] = {}
    for alias in (await session.execute(select(UnitAlias))).scalars():
        aliases.setdefault(alias.unit_id, ([], []))[1 if alias.old else 0].append(alias.name)
    return [
        UnitNames(
            unit.id,
            unit.code,
            unit.name,
            unit.short_name,
            unit.place,
            parent or "",
            *map(tuple, aliases.get(unit.id, ((), ()))),
        )
        for unit, parent in await session.execute(query)
    ]


async def old_name_since(session: Session, unit_id: int, name: str) -> date | None:
    """Since when a unit's old name is old, where that is known."""
    query = select(UnitAlias.until).where(UnitAlias.unit_id == unit_id, UnitAlias.name == name, UnitAlias.old)
    return (await session.execute(query)).scalar()


async def write(session: Session, rows: Sequence[UnitRow], now: datetime) -> tuple[int, int]:
    """Adds new units and changes known ones (by code), then redraws the tree. Returns how many of each.

    The rows must be consistent: every parent is among them or known already, and nobody is above themselves.
    """
    known = {unit.code: unit for unit in (await session.execute(select(Unit))).scalars()}
    added = changed = 0
    for row in rows:
        unit = known.get(row.code)
        if unit is None:
            unit = Unit(code=row.code, created_at=now, name=row.name, level=row.level)
            session.add(unit)
            known[row.code] = unit
            added += 1
        else:
            changed += 1
        unit.name, unit.short_name, unit.level = row.name, row.short_name, row.level
        unit.place, unit.zone, unit.sector = row.place, row.zone, row.sector
        unit.workers, unit.members, unit.women, unit.figures_on = row.workers, row.members, row.women, row.figures_on
    await session.flush()
    for row in rows:
        known[row.code].parent_id = known[row.parent].id if row.parent else None
    for row in rows:
        unit_id = known[row.code].id
        there = set((await session.execute(select(UnitAlias.name).where(UnitAlias.unit_id == unit_id))).scalars())
        for alias in row.aliases:
            if alias not in there:
                session.add(UnitAlias(unit_id=unit_id, name=alias, old=False))
                there.add(alias)
        for old, until in row.old_names:
            if old not in there:
                session.add(UnitAlias(unit_id=unit_id, name=old, old=True, until=until))
                there.add(old)
    await session.flush()
    await redraw(session)
    return added, changed


async def redraw(session: Session) -> None:
    """Rebuilds the closure of the tree from the parents."""
    parents = {unit_id: parent for unit_id, parent in await session.execute(select(Unit.id, Unit.parent_id))}
    await session.execute(delete(UnitPath))
    rows = []
    for unit_id in parents:
        here: int | None = unit_id
        depth = 0
        while here is not None:
            rows.append({"ancestor_id": here, "descendant_id": unit_id, "depth": depth})
            here, depth = parents[here], depth + 1
            if depth > len(parents):
                raise ValueError(f"unit {unit_id} stands above itself")
    if rows:
        await session.execute(insert(UnitPath), rows)


async def count_people(session: Session, unit_id: int) -> int:
    """How many joined people belong to a unit or below it."""
    query = (
        select(func.count())
        .select_from(Person)
        .join(UnitPath, UnitPath.descendant_id == Person.unit_id)
        .where(UnitPath.ancestor_id == unit_id, Person.erased_at.is_(None))
    )
    return (await session.execute(query)).scalar_one()
