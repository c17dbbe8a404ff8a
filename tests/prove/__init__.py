"""The two forms of a suite: a few cases in every `make test`, many in `make prove`, whose figures the README prints."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

ASKED = "CONGDOAN_PROVE"
"""`first:count`, the cases that a long form wants played now."""
FIGURES = "CONGDOAN_PROVE_FIGURES"
"""The file that takes what is noted."""


def cases(usual: int) -> range:
    """The numbers of the cases to play: the first `usual` ones, or the batch that a long form asks for."""
    asked = os.environ.get(ASKED)
    if asked is None:
        return range(usual)
    first, count = map(int, asked.split(":"))
    return range(first, first + count)


def combine(total: Counter[str], figures: Mapping[str, int]) -> None:
    """Adds up what batches noted; of what is named `…_at_most` the largest counts."""
    for name, figure in figures.items():
        total[name] = max(total[name], figure) if name.endswith("_at_most") else total[name] + figure


def note(**figures: int) -> None:
    """Counts of what was tried and met, put together over the batches of a long form (`combine`)."""
    place = os.environ.get(FIGURES)
    if place is not None:
        with Path(place).open("a", encoding="utf-8") as file:
            file.write(json.dumps(figures) + "\n")
