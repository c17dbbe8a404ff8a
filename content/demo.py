"""The demo's invented province as data."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from content.source import ROOT, parse, read


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DemoUnit(_Frozen):
    """One unit of the invented tree; `parent` is a code."""

    code: str
    name: str
    short: str = ""
    parent: str = ""
    level: str
    place: str = ""
    zone: str = ""
    sector: str = ""
    workers: int | None = None
    members: int | None = None
    women: int | None = None
    aliases: tuple[str, ...] = ()
    old: tuple[str, ...] = ()


class DemoPerson(_Frozen):
    """One person to be; `role` is empty for a worker."""

    key: str
    group: str
    name: str
    unit: str
    audience: str
    member: str
    shift: str
    role: str = ""


class DemoCrowd(_Frozen):
    """Lists from which the other people's names are put together."""

    size: int
    family: tuple[str, ...]
    middle_women: tuple[str, ...]
    middle_men: tuple[str, ...]
    women: tuple[str, ...]
    men: tuple[str, ...]

    def name(self, number: int) -> str:
        """The name of the `number`-th person of the crowd, the same every time."""
        woman = number % 5 != 0
        middles, given = (self.middle_women, self.women) if woman else (self.middle_men, self.men)
        family = self.family[number * 7 % len(self.family)]
        return f"{family} {middles[number * 3 % len(middles)]} {given[number * 11 % len(given)]}"


class DemoSubmission(_Frozen):
    """One report in the queue: its state, who wrote it, who holds it, and the story by its fields."""

    author: str
    track: str
    status: str
    days_ago: int
    holder: str = ""
    ask: str = ""
    reason: str = ""
    duplicate_of: int = 0
    title: str
    story: dict[str, str]
    money: int | None = None


class DemoPack(_Frozen):
    """The whole house."""

    organisation: str
    hotline: str
    units: tuple[DemoUnit, ...]
    merged_on: date
    people: tuple[DemoPerson, ...]
    groups: dict[str, str]
    stranger: str
    public_sectors: tuple[str, ...]
    crowd: DemoCrowd
    submissions: tuple[DemoSubmission, ...] = ()
    announcement: str = ""


def load_demo(path: Path = ROOT / "packs" / "demo.yaml") -> DemoPack:
    """Loads the pack. Raises ContentError."""
    return parse(DemoPack, read(path))
