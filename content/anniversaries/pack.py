"""What an anniversary pack holds: the days, their words and buttons, and who released them for a year."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from content.calendar import from_lunar
from content.release import DayOrNone, Frozen, Release

ACTIVITY = 140
"""Characters of a unit's own line, its name included: it ends a message that must stay short (5-voice §5.2)."""
LUNAR = "al"
"""Begins the key of a day of the lunar calendar: al1003 is the tenth of its third month."""
MONTH = "th"
"""Begins the key of a whole month: th05 is May."""

Confidence = Literal["A", "B", "C"]
"""A: read in the law itself; B: in a paper or portal; C: remembered, and sent only once a named person has looked it up."""
Tone = Literal["celebration", "remembrance", "family", "work"]
"""How its card looks."""


class Texts(Frozen):
    """The words of one anniversary, "" where there is no such message: `t3` three days before, `t0` on the day.

    `t0_solemn` is for years that end in 0 or 5, `tet` for the weeks around Tết.
    """

    t3: str = ""
    t0: str = ""
    t0_solemn: str = ""
    tet: str = ""


class Button(Frozen):
    """What one may do right from a message: a command with its argument, good for ever."""

    label: str
    command: str
    arg: str = ""


class Off(Frozen):
    """Days off with pay: how many, by which law, from which year on."""

    days: int
    law: str
    since: int


class Anniversary(Frozen):
    """One day. `key` is its day and month, `founded` the day that is remembered, or `since` the year of it alone.

    `name` is its official name, `names` others by a word that a setting may choose; `aliases` are short ways to write it,
    for checking officers' texts. `first` is the first year it is marked in. `together` is the key of another day whose
    message speaks of this one too. `extra` adds a line for one audience to t3, `buttons` one button to t3, t0 or tet; with
    `activity`, t3 ends with a line of the reader's own unit where it wrote one. `checked` is who looked up what is only
    remembered (`confidence` C), and when. Of two days that meet, the one that stands first in the pack is marked.
    """

    key: str
    founded: DayOrNone = None
    since: int | None = None
    first: int = 0
    name: str
    names: dict[str, str] = Field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    confidence: Confidence = "B"
    source: str
    checked_by: str = ""
    checked_on: DayOrNone = None
    tone: Tone = "celebration"
    off: Off | None = None
    together: str = ""
    texts: Texts = Texts()
    extra: dict[str, str] = Field(default_factory=dict)
    buttons: dict[str, Button] = Field(default_factory=dict)
    activity: bool = False

    @property
    def lunar(self) -> bool:
        """Whether it follows the moon."""
        return self.key.startswith(LUNAR)

    @property
    def month(self) -> bool:
        """Whether it is a whole month; its first day stands for it."""
        return self.key.startswith(MONTH)

    @property
    def place(self) -> tuple[int, int]:
        """Its day and month, in its own calendar. Raises ValueError for a key that names none."""
        if self.month:
            return 1, int(self.key[2:4])
        digits = self.key.removeprefix(LUNAR)
        if len(digits) != 4 or not digits.isdecimal():
            raise ValueError(self.key)
        return int(digits[:2]), int(digits[2:])

    @property
    def origin(self) -> int | None:
        """The year from which its years are counted; None where they are not."""
        return self.founded.year if self.founded is not None else self.since

    def day(self, year: int) -> date | None:
        """Its day in a year, in the solar calendar; None before it was first marked."""
        if year < self.first or (self.origin is not None and year <= self.origin):
            return None
        day, month = self.place
        return from_lunar(day, month, year) if self.lunar else date(year, month, day)

    def days_off(self, year: int) -> int:
        """How many days off with pay it gives in a year."""
        return self.off.days if self.off is not None and year >= self.off.since else 0

    @property
    def known(self) -> bool:
        """Whether it may be spoken of: what is only remembered is looked up first, by somebody who signs for it."""
        return self.confidence != "C" or (bool(self.checked_by.strip()) and self.checked_on is not None)


class YearRelease(Release):
    """Who released a year's texts; `covers` are the keys of the days they read, every day where it is empty."""

    covers: tuple[str, ...] = ()


class AnniversaryPack(Frozen):
    """All anniversaries and the approvals by year."""

    anniversaries: tuple[Anniversary, ...]
    approvals: dict[int, YearRelease] = Field(default_factory=dict)

    def release(self, year: int) -> YearRelease:
        """Who released a year; nobody yet, if it is not there."""
        return self.approvals.get(year, YearRelease())

    def left_out(self, year: int, key: str) -> bool:
        """Whether those who released a year chose not to speak of a day."""
        release = self.release(year)
        return release.complete and bool(release.covers) and key not in release.covers

    def approved(self, year: int, key: str) -> bool:
        """Whether this year's texts of a day may go out."""
        return self.release(year).complete and not self.left_out(year, key) and self.get(key).known

    def get(self, key: str) -> Anniversary:
        """The anniversary of a key. Raises KeyError."""
        for anniversary in self.anniversaries:
            if anniversary.key == key:
                return anniversary
        raise KeyError(key)
