"""Units added and changed, with the names they had, and the tree redrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, insert, select

from db import audit, policy
from db.errors import Conflict
from db.models import Level, Unit, UnitAlias, UnitPath
from db.session import Session
from db.units.reading import find_by_code


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit as an import file gives it; `parent` is the code of the unit above ("" for the top).

    `keep` names what the file does not speak of: a unit that is known already keeps it. `figures_from` is the file's name.
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
    figures_from: str = ""
    aliases: tuple[str, ...] = ()
    old_names: tuple[tuple[str, date | None], ...] = ()
    keep: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Written:
    """How many units were added, changed, and found just as they are."""

    added: int
    changed: int
    same: int


FIGURES = ("workers", "members", "women", "figures_on")
FIELDS = (
    *("name", "short_name", "level", "place", "zone", "sector"),
    *FIGURES,
)


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
            if name in FIGURES:
                unit.figures_from = row.figures_from
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
