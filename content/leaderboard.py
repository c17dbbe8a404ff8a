"""Units in order: by the share of their members who took part, within their size band, or by number. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

FEWEST: Final = 5
"""No count under this is shown, and no two whose difference is under it (decisions 19)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A unit in a round. `members` is None where nobody has told their number; `band` where its size band begins."""

    unit: int
    name: str
    people: int
    members: int | None
    members_on: date | None
    band: int | None

    @property
    def share(self) -> float | None:
        """Of its members, at most all; None without their number."""
        return min(1.0, self.people / self.members) if self.members else None

    @property
    def shown(self) -> bool:
        """Whether enough people took part to say how many."""
        return self.people >= FEWEST

    @property
    def close(self) -> bool:
        """Whether so few are missing that their number would be told by both counts together."""
        return self.members is not None and self.members - self.people < FEWEST


def by_share(units: Iterable[Standing], band: int) -> list[tuple[int, Standing]]:
    """(rank, unit) of a size band, the highest share first; equal ones share a rank."""
    found = [each for each in units if each.band == band and each.share is not None and each.shown]
    return _ranked(sorted(found, key=lambda each: (-(each.share or 0), each.name)), [each.share for each in found])


def by_number(units: Iterable[Standing]) -> list[tuple[int, Standing]]:
    """(rank, unit) by the number of people who took part."""
    found = sorted((each for each in units if each.shown), key=lambda each: (-each.people, each.name))
    return _ranked(found, [each.people for each in found])


def _ranked(found: Sequence[Standing], values: Sequence[float | None]) -> list[tuple[int, Standing]]:
    order = sorted((value for value in values if value is not None), reverse=True)
    ranked = []
    for each, value in zip(found, order, strict=True):
        ranked.append((order.index(value) + 1, each))
    return ranked


def first(units: Iterable[Standing], key: str) -> Standing | None:
    """Who has a collective prize: by "number" of people, or by "ratio" over all size bands. None where nobody qualifies."""
    found = [each for each in units if each.shown and (key == "number" or each.share is not None)]

    def order(each: Standing) -> tuple[float, int, str]:
        return (0.0 if key == "number" else -(each.share or 0.0), -each.people, each.name)

    return min(found, key=order, default=None)


def band_name(bands: Sequence[int], band: int) -> tuple[int, int | None]:
    """First and last number of members of a band; the last one is open."""
    later = [each for each in bands if each > band]
    return band, (later[0] - 1 if later else None)
