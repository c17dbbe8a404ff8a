"""Signs that a person should look at in a round's papers (2-contests §2.3): never a verdict, and nothing of networks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from content.text import fold

FAST: Final = 2.5
"""Seconds a question: ten in less than 25."""
ALIKE: Final = 5
"""More papers of one unit than this, with equal scores and times, within `SPAN`."""
SPAN: Final = timedelta(minutes=2)
NEAR: Final = 3
"""Seconds between times that count as the same."""
FRESH: Final = timedelta(hours=1)
"""An account this young with everything right."""
KINDS: Final = ("fast", "alike", "fresh", "name", "writer")


@dataclass(frozen=True, slots=True)
class Sat:
    """A counted paper, as much of it as the signs need."""

    code: str
    person: int
    name: str
    unit: int | None
    joined_at: datetime
    started_at: datetime
    submitted_at: datetime
    seconds: int
    score: int
    size: int


def flags(papers: Iterable[Sat], writers: Collection[str] = ()) -> list[tuple[str, Sat]]:
    """(kind, paper) of every sign, in the order of `KINDS`; `writers` are the folded names of who made the questions."""
    found = sorted(papers, key=lambda each: (each.submitted_at, each.code))
    alike = _alike(found)
    signs = {
        "fast": [each for each in found if each.seconds < FAST * each.size and each.score * 2 > each.size],
        "alike": [each for each in found if each.code in alike],
        "fresh": [each for each in found if each.score == each.size and each.started_at - each.joined_at < FRESH],
        "name": [each for each in found if len(each.name.split()) < 2],
        "writer": [each for each in found if fold(each.name) in writers],
    }
    return [(kind, each) for kind in KINDS for each in signs[kind]]


def _alike(found: Sequence[Sat]) -> set[str]:
    groups: dict[tuple[int, int], list[Sat]] = defaultdict(list)
    for each in found:
        if each.unit is not None:
            groups[each.unit, each.score].append(each)
    codes: set[str] = set()
    for group in groups.values():
        for n, first in enumerate(group):
            near = [
                each
                for each in group[n:]
                if each.submitted_at - first.submitted_at <= SPAN and abs(each.seconds - first.seconds) <= NEAR
            ]
            if len(near) > ALIKE:
                codes |= {each.code for each in near}
    return codes
