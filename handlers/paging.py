"""Long lists, a screenful at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def page(items: Sequence[Item], start: int, size: int) -> tuple[list[Item], int]:
    """The items from `start` on that fit, and where the next page begins; after the last page it begins at 0."""
    if start >= len(items):
        start = 0
    end = start + size
    return list(items[start:end]), end if end < len(items) else 0
