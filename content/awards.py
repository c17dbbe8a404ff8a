"""Who wins what in a round: the ranking down, past those who may not win or have won already."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any


def awards(
    ranked: Iterable[int], prizes: Iterable[Mapping[str, Any]], out: Collection[int]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(person, prize) for the best of a ranking. `out`: organisers, and who has a prize of this contest already."""
    left = (person for person in ranked if person not in out)
    for prize in prizes:
        for _ in range(int(prize.get("count", 1))):
            person = next(left, None)
            if person is None:
                return
            yield person, prize
