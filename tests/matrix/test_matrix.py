"""Who may do what to whom: every cell of the reviewed table, tried through the real handlers (promises T7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from db import policy
from db.models import Role
from db.policy import Action
from tests.matrix.cells import Cell, cells, own_cells, try_cell, usual
from tests.matrix.doors import DOORS, OWN, SERVED
from tests.matrix.scene import Scene
from tests.matrix.table import BELOW, DEEDS, GIVEN, GIVES, MAY, OWNED, RIGHTS, ROLES
from tests.matrix.table import OWN as HERE
from tests.prove import cases, note

pytestmark = pytest.mark.sqlite

SWEPT = ("stranger", "half_way", "suspended", "member", "sender")
"""Somebody of every kind; the last one holds every role at the top of the tree."""


def test_the_table_speaks_of_every_role_every_right_and_every_deed() -> None:
    assert set(ROLES) == {role.value for role in Role} and set(RIGHTS) == {action.value for action in Action}
    assert set(MAY) == {(action.value, role) for action in Action for role in Role}
    assert set(GIVEN) == {(giver.value, role) for giver in Role for role in Role}
    assert set(DEEDS) | set(OWNED) == set(DOORS)
    assert {right for deed in DEEDS.values() for right in deed.rights} == {*RIGHTS, GIVES}


def test_every_command_is_in_the_matrix_or_touches_only_ones_own(scene: Scene) -> None:
    """A new command is entered here before it works: as a deed of the table, or among those that reach nobody else."""
    named = set()
    for door in DOORS.values():
        for step in door.steps:
            if step.startswith(("c:", "/")):
                named.add(step.removeprefix("c:").removeprefix("/").partition(":")[0].partition(" ")[0])
    assert named | OWN | set(SERVED) == set(scene.world.house.registry.commands)
    assert not named & (OWN | set(SERVED))


@pytest.mark.parametrize("name", DEEDS)
async def test_a_deed_is_done_by_whom_the_table_says_and_leaves_nothing_of_anybody_else(
    scene: Scene, name: str
) -> None:
    wrong = [said for cell in cells(DEEDS[name]) if usual(cell) and (said := await try_cell(scene, cell))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", OWNED)
async def test_what_is_ones_own_is_nobody_elses(scene: Scene, name: str) -> None:
    wrong = [said for cell in own_cells(name) if (said := await try_cell(scene, cell))]
    assert not wrong, "\n".join(wrong)


async def test_whatever_is_pressed_or_typed_is_answered_and_touches_only_ones_own(scene: Scene) -> None:
    """Every command of everybody, with nothing, with nonsense and with the codes of others' things."""
    codes = scene.things[HERE]["sent_v"], scene.things[HERE]["waiting_v"]
    for name, command in scene.world.house.registry.commands.items():
        for who in SWEPT:
            args = ("", "x", *codes) if who == "member" else ("", codes[0])
            said = [f"c:{name}:{arg}" for arg in args if name in OWN or who != SWEPT[-1] or not arg]
            for step in [*said, f"/{name}"] if command.slash and who == "member" else said:
                async with scene.trial() as session:
                    await scene.press(session, who, [step])
                    came = await scene.came_of(session, who)
                assert came.heard, (who, step)
                others = [change for change in came.changes if not _own(change.row, scene.ids.get(who))]
                assert who == SWEPT[-1] or not others, (who, step, others)


def _own(row: dict[str, object], who: int | None) -> bool:
    """Whether a row is this person's, or made for them."""
    return (
        who is not None and who in (row.get("person_id"), row.get("actor_id"), row.get("id"))
    ) or "account_id" in row


async def hears(scene: Scene, role: Role) -> bool:
    """Whether somebody of this role hears that a report came to the queue of their unit: its author opens it again."""
    async with scene.trial() as session:
        await scene.press(session, "author", [f"c:molai:{scene.things[HERE]['closed_v']}"])
        came = await scene.came_of(session, "author")
    told = [change.row["person_id"] for change in came.changes if change.table == "outbox"]
    return scene.ids[f"{role.value}@MAYHOA"] in told


async def test_who_decides_at_a_unit_hears_of_a_report_and_nobody_else(scene: Scene) -> None:
    for role in Role:
        assert await hears(scene, role) is MAY["decide_submissions", role], role


# ---------------------------------------------------------------------------------------------------- flips


@dataclass(frozen=True)
class Flip:
    """One cell of the policy's own tables turned over: a right of a role, or a role that a role gives."""

    right: str
    role: Role
    given: Role = Role.TEAM_LEADER

    def put(self, patch: pytest.MonkeyPatch) -> None:
        """Turns it over, until the patch is undone."""
        if self.right == GIVES:
            now = policy.INVITES.get(self.role, frozenset())
            patch.setitem(policy.INVITES, self.role, now ^ {self.given})
        else:
            action = Action(self.right)
            patch.setitem(policy.ALLOWED, action, policy.ALLOWED[action] ^ {self.role})

    def cells(self) -> Iterator[Cell]:
        """The cells that speak of it."""
        for deed in DEEDS.values():
            if self.right in deed.rights:
                for cell in cells(deed):
                    told = self.right != GIVES or cell.given == self.given
                    if cell.who.partition("@")[0] == self.role.value and cell.relation == HERE and told:
                        yield cell


FLIPS = (
    *(Flip(action.value, role) for action in Action for role in Role),
    *(Flip(GIVES, role, given) for role in Role for given in Role),
)


async def test_every_single_flip_of_the_policy_is_caught(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for flip in FLIPS:
        with monkeypatch.context() as patch:
            flip.put(patch)
            assert await _caught(scene, flip), flip


async def _caught(scene: Scene, flip: Flip) -> bool:
    for cell in flip.cells():
        try:
            if await try_cell(scene, cell):
                return True
        except KeyError:  # there is no word for what nobody is ever offered
            return True
    # Who may not even read reports decides on none, whatever else they may: they would be told of them.
    return flip.right == "decide_submissions" and await hears(scene, flip.role) is not MAY[flip.right, flip.role]


# ---------------------------------------------------------------------------------------------------- meanwhile

MEANWHILE = ("revoke", "suspend", "move")
"""What happens between the last screen and the press; the thing lies in the team below, which is what moves."""


@cache
def between() -> list[Cell]:
    """Cells that may be done, on what lies in the team below or to the whole house."""
    found = []
    for deed in DEEDS.values():
        relation = HERE if deed.of_house or deed.where == "đơn vị mình" else BELOW
        found += [cell for cell in cells(deed) if cell.may and cell.relation == relation]
    return found


async def refused_at_the_press(scene: Scene, cell: Cell, how: str) -> str:
    """What is wrong when the right goes away while the screen is before somebody."""
    if how == "move" and (cell.relation != BELOW or DOORS[cell.deed].names_unit):
        return ""
    gone = Cell(cell.deed, cell.who, cell.relation, cell.given, False)
    return await try_cell(scene, gone, getattr(scene, how))


async def test_a_right_that_went_away_between_the_screen_and_the_press_is_refused_at_the_press(scene: Scene) -> None:
    first = {(cell.deed): cell for cell in reversed(between())}
    wrong = [
        said for cell in first.values() for how in MEANWHILE if (said := await refused_at_the_press(scene, cell, how))
    ]
    assert not wrong, "\n".join(wrong)


# ---------------------------------------------------------------------------------------------------- the long form

EVERY = [cell for deed in DEEDS.values() for cell in cells(deed)]
LONG = (*EVERY, *((cell, how) for cell in between() for how in MEANWHILE), *FLIPS)
"""Every cell, every way in which a right goes away meanwhile for everybody who has it, every flip."""


async def test_every_cell_every_change_meanwhile_and_every_flip(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in cases(0):
        play = LONG[n]
        if isinstance(play, Cell):
            wrong = await try_cell(scene, play)
            note(cells=1)
        elif isinstance(play, Flip):
            with monkeypatch.context() as patch:
                play.put(patch)
                wrong = "" if await _caught(scene, play) else f"{play} was not caught"
            note(flips_caught=int(not wrong))
        else:
            wrong = await refused_at_the_press(scene, *play)
            note(rights_gone_meanwhile=1)
        assert not wrong, wrong
