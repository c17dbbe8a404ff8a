"""What the database floor can answer instead of doing as asked; each carries a content key, never a sentence."""

from __future__ import annotations

from typing import Any


class Expected(Exception):
    """A refusal that people can cause by ordinary use: it becomes a kind answer, not a failure."""

    def __init__(self, key: str, **params: Any) -> None:
        super().__init__(key)
        self.key = key
        self.params = params


class NotFound(Expected):
    """What was asked for is not there, or not for this person's eyes: both look the same."""


class Conflict(Expected):
    """Somebody got there first: a conditional UPDATE changed nothing."""


class Refused(Expected):
    """This person may not do this."""
