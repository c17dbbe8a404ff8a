"""The union's tree: units, their names old and new, and who stands under whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, func, insert, select

from db import audit, policy
from db.errors import Conflict, NotFound
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


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit as an import file gives it; `parent` is the code of the unit above ("" for the top).

    `keep` names what the file does not speak of: a unit that is known already keeps it.
    """

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
    old_names: tuple[tuple[str, date | None], ...] = ()
    keep: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Written:
    """How many units were added, changed, and found just as they are."""

    added: int
    changed: int
    same: int


FIELDS = (
    *("name", "short_name", "level", "place", "zone", "sector"),
    *("workers", "members", "women", "figures_on"),
)


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


async def create(session: Session, row: UnitRow, actor_id: int, now: datetime) -> int:
    """Adds one unit below a known one and returns its id. Raises Refused; Conflict when the code was taken meanwhile."""
    above = await find_by_code(session, row.parent)
    await policy.check(session, actor_id, policy.Action.IMPORT_UNITS, above.id if above else None)
    if await find_by_code(session, row.code) is not None:
        raise Conflict("common.already")
    await write(session, [row], now)
    made = await find_by_code(session, row.code)
    assert made is not None
    audit.note(session, actor_id, "create_unit", f"unit {row.code}", now, made.id)
    return made.id


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


async def has_request(session: Session, person_id: int) -> bool:
    """Whether a person wrote down a workplace that an officer has not placed yet."""
    query = select(UnitRequest.id).where(UnitRequest.person_id == person_id, UnitRequest.done_at.is_(None))
    return (await session.execute(query.limit(1))).first() is not None


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


async def write(session: Session, rows: Sequence[UnitRow], now: datetime) -> Written:
    """Adds new units and changes known ones (by code), then redraws the tree.

    A unit that is renamed keeps its former name as an old one, so that people still find it; old names and aliases are
    only ever added. The rows must be consistent: every parent is among them or known already, and nobody is above
    themselves.
    """
    known = {unit.code.upper(): unit for unit in (await session.execute(select(Unit))).scalars()}
    names = await _names_by_unit(session)
    new = {row.code for row in rows if row.code not in known}
    touched: set[str] = set()
    for row in rows:
        unit = known.get(row.code)
        if unit is None:
            unit = known[row.code] = Unit(code=row.code, created_at=now, name=row.name, level=row.level)
            session.add(unit)
        was = unit.name
        if _set(unit, row):
            touched.add(row.code)
        if was.casefold() != row.name.casefold() and (unit.id, was) not in names:
            session.add(UnitAlias(unit_id=unit.id, name=was, old=True, until=row.figures_on or now.date()))
    await session.flush()
    for row in rows:
        parent_id = known[row.parent].id if row.parent else None
        if known[row.code].parent_id != parent_id:
            known[row.code].parent_id = parent_id
            touched.add(row.code)
        if _add_names(session, known[row.code].id, row, names):
            touched.add(row.code)
    await session.flush()
    if touched:
        await redraw(session)
    return Written(len(new), len(touched - new), len(rows) - len(touched | new))


async def _names_by_unit(session: Session) -> dict[tuple[int, str], UnitAlias]:
    return {(alias.unit_id, alias.name): alias for alias in (await session.execute(select(UnitAlias))).scalars()}


def _set(unit: Unit, row: UnitRow) -> bool:
    """Takes over what the row says; whether that changed anything."""
    changed = False
    for name in FIELDS:
        if unit.id is not None and name in row.keep:
            continue
        if getattr(unit, name) != getattr(row, name):
            setattr(unit, name, getattr(row, name))
            changed = True
    return changed


def _add_names(session: Session, unit_id: int, row: UnitRow, names: dict[tuple[int, str], UnitAlias]) -> bool:
    """Adds names that are new, and the day of an old one where only the file knows it; whether that changed anything."""
    changed = False
    for name, old, until in [(n, False, None) for n in row.aliases] + [(n, True, day) for n, day in row.old_names]:
        there = names.get((unit_id, name))
        if there is None:
            names[unit_id, name] = UnitAlias(unit_id=unit_id, name=name, old=old, until=until)
            session.add(names[unit_id, name])
            changed = True
        elif old and until is not None and there.until != until:
            there.old, there.until = True, until
            changed = True
    return changed


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
