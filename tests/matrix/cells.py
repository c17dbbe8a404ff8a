"""Trying one cell through the real handlers, and judging it by what it left behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from db import house
from db.models import Role
from db.session import Session
from tests.matrix.doors import DOORS
from tests.matrix.scene import NOBODY, SECRET, SELF, Scene, Tried
from tests.matrix.table import BELOW, GIVES, NOWHERE, OTHER, OWN, OWNED, REACHED, RELATIONS, TOP, Deed, expected

Meanwhile = Callable[[Session, str], Awaitable[None]]


@dataclass(frozen=True)
class Cell:
    """Who does what where; `given` is the role that is given or taken."""

    deed: str
    who: str
    relation: str
    given: Role
    may: bool


def relations_of(deed: Deed) -> tuple[str, ...]:
    """Where a deed can be tried: what belongs to the house lies nowhere else, and one's own unit is not chosen."""
    return (OWN,) if deed.of_house or deed.where == "đơn vị mình" else RELATIONS


def cells(deed: Deed) -> Iterator[Cell]:
    """Every cell of a deed: each role on each relation, and all who hold nothing or come to their own."""
    given = tuple(Role) if GIVES in deed.rights else (Role.TEAM_LEADER,)
    for relation in relations_of(deed):
        for each in given:
            for role in Role:
                for seat in ("MAYHOA", "TINH") if deed.of_house else ("MAYHOA",):
                    yield Cell(
                        deed.name, f"{role.value}@{seat}", relation, each, expected(deed, role, relation, each, seat)
                    )
        for who in (*NOBODY, *_owners(deed)):
            yield Cell(deed.name, who, relation, Role.TEAM_LEADER, False)


def usual(cell: Cell) -> bool:
    """Whether a cell is tried in every `make test`, of those that differ in little: who holds nothing at one relation, roles
    at all but the top, other roles that are given at three. The long form tries all."""
    if cell.relation == TOP:
        return False
    if cell.given != Role.TEAM_LEADER:
        return cell.relation in (OWN, BELOW, OTHER)
    return cell.who not in NOBODY or cell.relation == OWN


def own_cells(name: str) -> Iterator[Cell]:
    """Who may do what with what belongs to one person: that person and nobody else, whatever their role."""
    for role in Role:
        yield Cell(name, f"{role.value}@MAYHOA", OWN, Role.TEAM_LEADER, False)
    for who in (*NOBODY, *SELF):
        yield Cell(name, who, OWN, Role.TEAM_LEADER, who == OWNED[name])


def _owners(deed: Deed) -> tuple[str, ...]:
    """Who may not do it in spite of holding every role, for the thing is theirs."""
    door = DOORS[deed.name]
    if deed.rights[0].endswith("_submissions"):
        return ("author", "coauthor")
    own = ("approve_broadcast", "return_broadcast", "refuse_broadcast", "approve_round")
    return ("sender",) if door.leaves in own else ()


async def try_cell(scene: Scene, cell: Cell, meanwhile: Meanwhile | None = None) -> str:
    """What is wrong with a cell, "" where it is as the table says. `meanwhile` comes between the last screen and the press."""
    door = DOORS[cell.deed]
    of = dict(scene.things[cell.relation])
    of |= {"role": cell.given.value, "grant": of[f"grant_{cell.given.value}"], "offer": of[f"offer_{cell.given.value}"]}
    steps = [step.format(**of) for step in door.steps]
    async with scene.trial() as session:
        if "{held_v}" in door.steps[0]:
            await scene.hold(session, cell.who, cell.relation)
        for fact in door.house:
            await house.remember(session, fact, {"on": True}, scene.world.now)
            await scene.forget(session)
        if meanwhile is None:
            await scene.press(session, cell.who, steps)
        else:
            await scene.press(session, cell.who, steps[:-1])
            await meanwhile(session, cell.who)
            await scene.forget(session)
            await scene.press(session, cell.who, steps[-1:])
        came = await scene.came_of(session, cell.who)
    return judge(scene, cell, came)


def judge(scene: Scene, cell: Cell, came: Tried) -> str:
    """The oracle: done means the deed's own row and its audit row; refused means that nothing has changed at all."""
    door = DOORS[cell.deed]
    tables = {change.table for change in came.changes}
    keys = [key for key, _ in came.heard]
    where = f"{cell}: heard {keys}, changed {sorted(tables)}"
    if not came.heard:
        return f"{where}: no answer"
    at = came.audited(door.leaves, scene.ids.get(cell.who))
    if door.names_unit and at and at[0] != scene.units.get(cell.relation):
        return "" if at[0] in (scene.units[relation] for relation in REACHED) else f"{where}: done at another unit"
    done = bool(at) if door.leaves else bool(set(keys) & set(door.shows))
    if done is not cell.may:
        return f"{where}: {'done, and may not' if done else 'not done, and may'}"
    if done:
        if door.leaves and not {door.table, "audit"} <= tables:
            return f"{where}: without its row in {door.table}"
        if not door.leaves and tables - {door.table}:
            return f"{where}: only looked, and changed something"
        return ""
    if tables:
        return f"{where}: refused, and left something behind"
    secret, known = SECRET.format(cell.relation), cell.who in SELF or door.readable
    if not known and cell.relation != NOWHERE and any(secret in text for _, text in came.heard):
        return f"{where}: refused, and shown all the same"
    return ""
