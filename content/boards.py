"""How somebody stands on a contest's board: only as far as they want to be named."""

from __future__ import annotations

from content.names import short_name
from content.words import Words


def board_name(words: Words, display: str, name: str, unit: str) -> str:
    """`display` is "full", "short" or anything else for nobody's eyes; `unit` may be ""."""
    if name and display == "full":
        return words.plain("contest.named", name=name, unit=unit)
    if name and display == "short":
        return words.plain("contest.named", name=short_name(name), unit=unit)
    return words.plain("contest.unnamed", unit=unit)
