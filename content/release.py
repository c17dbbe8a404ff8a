"""What every pack that the federation fills in shares: dates, spelling, and who read and released its texts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from content.source import Problem, Source
from content.spelling import misplaced
from content.text import fold


def _iso(value: object) -> object:
    # pydantic alone would read "2025" as so many seconds since 1970.
    return date.fromisoformat(value) if isinstance(value, str) else value


Day = Annotated[date, BeforeValidator(_iso)]
"""A date written as 2025-07-28."""
DayOrNone = Annotated[date | None, BeforeValidator(lambda value: _iso(value) if value else None)]
"""The same; an empty string stands for "not yet"."""


class Frozen(BaseModel):
    """A part of a pack: unknown keys are mistakes, nothing changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Release(Frozen):
    """Who read a text and who released it; empty until somebody has."""

    proofread_by: str = ""
    proofread_on: DayOrNone = None
    approved_by: str = ""
    approved_on: DayOrNone = None

    def faults(self) -> Iterator[tuple[str, str]]:
        """(field, what is wrong with it): half a signature, the wrong order, one person alone."""
        for name in ("proofread", "approved"):
            if bool(getattr(self, f"{name}_by").strip()) != bool(getattr(self, f"{name}_on")):
                yield f"{name}_by", f"{name}_by and {name}_on: a name and a day, or neither"
        if self.approved_on and not self.proofread_on:
            yield "approved_on", "approved before anybody has read it"
        if self.approved_on and self.proofread_on and self.approved_on < self.proofread_on:
            yield "approved_on", "approved before it was read"
        if self.approved_by.strip() and fold(self.approved_by) == fold(self.proofread_by):
            yield "approved_by", "nobody approves what they alone have read: another person is needed"

    @property
    def complete(self) -> bool:
        """Nothing is sent without both names and both days (1-process §1.6)."""
        return self.proofread_on is not None and self.approved_on is not None and not any(self.faults())


def spelling_faults(source: Source) -> Iterator[Problem]:
    """What a proofreader would mark in any text of a pack: letters in pieces, tone marks out of their place."""
    for path, text in texts(source.data):
        line = source.line(path)
        if not unicodedata.is_normalized("NFC", text):
            yield Problem(source.file, line, "letters and marks are stored apart (not NFC)")
        yield from (Problem(source.file, line, fault) for fault in misplaced(text))


def texts(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every string of parsed YAML with its path."""
    if isinstance(data, str):
        yield path, data
    elif data is not None:
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from texts(value, (*path, key))
