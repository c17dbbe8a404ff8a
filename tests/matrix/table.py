"""The reviewed table as data: who holds which right, who gives which role, what each deed needs and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from db.models import Role

FILE = Path(__file__).parent / "roles.yaml"
GIVES = "trao"
"""The right of giving roles, whose cells are giver and role."""
OWN, BELOW, ABOVE, TOP, BESIDE, OTHER, NOWHERE = "own", "descendant", "ancestor", "top", "sibling", "other", "nowhere"
UNITS = {OWN: "MAYHOA", BELOW: "CHUYEN5", ABOVE: "CAOSON", TOP: "TINH", BESIDE: "TRUONG", OTHER: "DIENTU"}
"""Seen from somebody whose role is at May Hòa Phát. `NOWHERE` is what belongs to no unit, or is not there at all."""
RELATIONS = (*UNITS, NOWHERE)
REACHED = (OWN, BELOW)
WHERE = {
    "trong phạm vi": REACHED,
    "từ cấp trên": (BELOW,),
    "đơn vị mình": (OWN,),
}
HOUSE = {"mọi nơi": ("MAYHOA", "TINH"), "từ đầu cây": ("TINH",)}
"""Where a role has to be held for deeds that belong to the whole house."""


@dataclass(frozen=True)
class Deed:
    """One thing that can be done: in words, by which rights, and where (a key of `WHERE` or `HOUSE`)."""

    name: str
    does: str
    rights: tuple[str, ...]
    where: str

    @property
    def of_house(self) -> bool:
        """Whether it is done to the house, not to a unit's things."""
        return self.where in HOUSE


_read = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def _table(text: str) -> dict[tuple[str, Role], bool]:
    head, *rows = [line.split() for line in text.strip().splitlines()]
    assert {cell for row in rows for cell in row[1:]} <= {"x", "."}
    return {(row[0], Role(role)): cell == "x" for row in rows for role, cell in zip(head[1:], row[1:], strict=True)}


MAY, GIVEN = _table(_read["được"]), _table(_read["trao"])
ROLES: dict[str, str] = _read["vai"]
RIGHTS: dict[str, str] = _read["quyền"]
DEEDS = {name: Deed(name, of["làm"], tuple(of["quyền"]), of["ở"]) for name, of in _read["việc"].items()}
OWNED: dict[str, str] = {name: of["ai"] for name, of in _read["của mình"].items()}
"""What is done with one's own: the deed and whose it is."""


def holds(deed: Deed, role: Role, given: Role) -> bool:
    """Whether a role has a right that the deed needs; `given` is the role that it gives or takes."""
    return any(GIVEN[role.value, given] if right == GIVES else MAY[right, role] for right in deed.rights)


def expected(deed: Deed, role: Role, relation: str, given: Role = Role.TEAM_LEADER, seat: str = "MAYHOA") -> bool:
    """The cell: whether this role may do it there."""
    if not holds(deed, role, given):
        return False
    return seat in HOUSE[deed.where] if deed.of_house else relation in WHERE[deed.where]
