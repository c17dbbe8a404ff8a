"""Announcements that have been claimed and wait for their moment: what officers stop meanwhile does not leave."""

from __future__ import annotations

from collections.abc import Collection, Iterable


class Slots:
    """The rows that wait, of all channels: who stops a message by one hears of it there, whatever channel it leaves by."""

    def __init__(self) -> None:
        self._waiting: set[int] = set()
        self._called_back: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def take(self, rows: Iterable[int]) -> None:
        """They wait from now on."""
        self._waiting.update(rows)

    def call_back(self, rows: Collection[int]) -> None:
        """They are not to leave, as far as they have not."""
        self._called_back.update(self._waiting.intersection(rows))

    def leave(self, row: int) -> bool:
        """It waits no longer. Returns whether it was called back."""
        self._waiting.discard(row)
        called_back = row in self._called_back
        self._called_back.discard(row)
        return called_back
