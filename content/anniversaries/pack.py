"""What an anniversary pack holds: the days, their words and buttons, and who released them for a year."""

from __future__ import annotations

from pydantic import Field

from content.release import Day, Frozen, Release

ACTIVITY = 140
"""Characters of a unit's own line, its name included: it ends a message that must stay short (5-voice §5.2)."""


class Texts(Frozen):
    """The words of one anniversary. `t0_solemn` is for years that end in 0 or 5, `tet` for the weeks around Tết."""

    t3: str
    t0: str
    t0_solemn: str
    tet: str = ""


class Button(Frozen):
    """What one may do right from a message: a command with its argument, good for ever."""

    label: str
    command: str
    arg: str = ""


class Anniversary(Frozen):
    """One day: `key` is day and month, `founded` the day that is remembered, `name` its official name.

    `aliases` are short ways to write it, for checking officers' texts. `extra` adds a line for one audience to t3,
    `buttons` one button to t3, t0 or tet; with `activity`, t3 ends with a line of the reader's own unit where it wrote one.
    """

    key: str
    founded: Day
    name: str
    aliases: tuple[str, ...] = ()
    texts: Texts
    extra: dict[str, str] = Field(default_factory=dict)
    buttons: dict[str, Button] = Field(default_factory=dict)
    activity: bool = False


class AnniversaryPack(Frozen):
    """All anniversaries and the approvals by year."""

    anniversaries: tuple[Anniversary, ...]
    approvals: dict[int, Release] = Field(default_factory=dict)

    def approved(self, year: int) -> bool:
        """Whether this year's texts may go out."""
        return self.approvals.get(year, Release()).complete

    def get(self, key: str) -> Anniversary:
        """The anniversary of a key. Raises KeyError."""
        for anniversary in self.anniversaries:
            if anniversary.key == key:
                return anniversary
        raise KeyError(key)
