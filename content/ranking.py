"""Who stands where in a round of a contest: a pure function of what was recorded, so that anybody can recompute it.

The rules are those that people are shown (`contest.rules`): more right answers first; then, in the order that the round
sets, the prediction nearer to the truth, less time used, an earlier hand-in; at last lots, where the round draws them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

PREDICTION, TIME, SUBMITTED, LOTS = "prediction", "time", "submitted", "lots"
CRITERIA = (PREDICTION, TIME, SUBMITTED, LOTS)
"""What may come after right answers, in the usual order; any order, and any of them left out, but lots come last."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One paper as it was handed in. `answers` is (question, chosen option or None) for each place.

    `person` is a pseudonym that joins the attempts of one person; `seconds` whole seconds of time used.
    """

    code: str
    person: int
    answers: tuple[tuple[str, int | None], ...]
    prediction: int | None
    seconds: int
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a ranking follows from. `key` is question → right option; `voided` questions are right for everybody."""

    key: Mapping[str, int]
    attempts: tuple[Attempt, ...]
    order: tuple[str, ...] = CRITERIA
    voided: frozenset[str] = frozenset()
    disqualified: frozenset[int] = frozenset()
    seed: str = ""
    """What lots are drawn with; it is recorded when they are."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one person stands by their counted attempt. `lot` is their place among those equal in everything else."""

    rank: int
    attempt: Attempt
    score: int
    lot: int | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """`actual` is how many people have all right; those out of it have no standing, only a counted attempt."""

    actual: int
    standings: tuple[Standing, ...]
    out: Mapping[int, tuple[Attempt, int]] = field(default_factory=dict)


def score(attempt: Attempt, key: Mapping[str, int], voided: Collection[str]) -> int:
    """Right answers of a paper; a voided question on it is right even if it was left open."""
    return sum(question in voided or chosen == key[question] for question, chosen in attempt.answers)


def counted(attempts: Iterable[Attempt], key: Mapping[str, int], voided: Collection[str]) -> Attempt:
    """Of one person's attempts the higher score; of equal ones the earlier, with its prediction."""
    return min(attempts, key=lambda each: (-score(each, key, voided), each.submitted_at, each.code))


def lot(seed: str, code: str) -> str:
    """The lot of a paper: lower is drawn first. Whoever has seed and code can check it with any SHA-256."""
    return hashlib.sha256(f"{seed}:{code}".encode()).hexdigest()


def rank(inputs: Inputs) -> Ranking:
    """The ranking. Those who are equal in every criterion of the round share a rank, and the next one is skipped."""
    own: dict[int, list[Attempt]] = {}
    for attempt in inputs.attempts:
        own.setdefault(attempt.person, []).append(attempt)
    best = {person: counted(attempts, inputs.key, inputs.voided) for person, attempts in own.items()}
    scores = {person: score(attempt, inputs.key, inputs.voided) for person, attempt in best.items()}
    ranked = [person for person in best if person not in inputs.disqualified]
    actual = sum(scores[person] == len(best[person].answers) for person in ranked)
    criteria = [_CRITERIA[name](actual) for name in inputs.order if name != LOTS]

    def place(person: int) -> tuple[float, ...]:
        return (-scores[person], *(criterion(best[person]) for criterion in criteria))

    standings: list[Standing] = []
    for _, tied in groupby(sorted(ranked, key=place), key=place):
        group = sorted(tied, key=lambda person: best[person].code)
        draws = LOTS in inputs.order and len(group) > 1
        if draws:
            group.sort(key=lambda person: lot(inputs.seed, best[person].code))
        first = len(standings) + 1
        standings += [
            Standing(first + number if draws else first, best[person], scores[person], number + 1 if draws else None)
            for number, person in enumerate(group)
        ]
    out = {person: (best[person], scores[person]) for person in best if person in inputs.disqualified}
    return Ranking(actual, tuple(standings), out)


_CRITERIA: Mapping[str, Callable[[int], Callable[[Attempt], float]]] = {
    # A paper whose time ran out before a number was given comes behind any number.
    PREDICTION: lambda actual: (
        lambda attempt: math.inf if attempt.prediction is None else abs(attempt.prediction - actual)
    ),
    TIME: lambda _: lambda attempt: attempt.seconds,
    SUBMITTED: lambda _: lambda attempt: attempt.submitted_at.timestamp(),
}


def check_order(order: Sequence[str]) -> bool:
    """Whether these criteria can rank: each known and once, lots at the end if at all."""
    return len(set(order)) == len(order) and set(order) <= set(CRITERIA) and (LOTS not in order or order[-1] == LOTS)
