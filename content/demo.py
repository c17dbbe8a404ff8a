"""The demo's invented province as data."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
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
    """One person; `role` is empty for a worker, `group` for somebody the page does not offer."""

    key: str
    group: str = ""
    name: str
    unit: str
    audience: str
    member: str
    shift: str
    role: str = ""
    confirmed: bool = True
    news: bool = True


class DemoCrowd(_Frozen):
    """How many more people there are in each unit, and the lists from which their names are put together."""

    at: dict[str, int]
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


class DemoRegistration(_Frozen):
    """What somebody registered for the round that runs."""

    movements: list[int]
    goals: list[str]


class DemoContest(_Frozen):
    """The weekly contest: the themes of last week and of this, questions by topic, who took part last week (by key)."""

    name: str
    legal_basis: str
    organiser: str
    themes: tuple[str, str]
    quota: dict[str, int]
    prizes: tuple[dict[str, Any], ...]
    tried: tuple[str, ...]


class DemoScene(_Frozen):
    """Something a person did before the demo begins, `ago` days before its first day at `hour`.

    `says` are its lines: "[key]" presses that option, "{name}" stands for the code of that report, all else is typed.
    With `report`, `answers` are written as a draft and sent, or left at the step `draft`.
    """

    ago: int
    hour: str
    who: str
    says: tuple[str, ...] = ()
    report: str = ""
    answers: dict[str, str] = {}
    results: dict[str, str] = {}
    money: int | None = None
    coauthors: str = ""
    photos: bool = False
    draft: str = ""


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
    registrations: dict[str, DemoRegistration]
    contest: DemoContest
    story: tuple[DemoScene, ...]


def load_demo(path: Path = ROOT / "packs" / "demo.yaml") -> DemoPack:
    """Loads the pack. Raises ContentError."""
    return parse(DemoPack, read(path))


def sketch(*, tidy: bool) -> bytes:
    """A drawn photo for the demo's reports: a workbench as a mess or, `tidy`, with everything in its place."""
    picture = Image.new("RGB", (960, 720), "#cfd6dc")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 470, 960, 720), fill="#8d7358")
    draw.rectangle((80, 120, 880, 150), fill="#5b6770")
    for number, colour in enumerate(("#b3372f", "#2f6db3", "#3d8f57", "#c98a1b", "#6f4aa0", "#2d8a8a")):
        x = 130 + number * 125 if tidy else 90 + number * 290 % 760
        y = 160 if tidy else 480 + number * 67 % 130
        draw.rectangle((x, y, x + 70, y + 110), fill=colour)
        draw.ellipse((x - 8, y - 14, x + 78, y + 14), fill="#efe6d5")
        draw.ellipse((x - 8, y + 96, x + 78, y + 124), fill="#efe6d5")
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
