"""The anniversaries: which automatic messages fall on which day, with the computed ordinal (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from jinja2 import Environment, StrictUndefined, TemplateError
from pydantic import BaseModel, ConfigDict

from content.calendar import around_tet, can_chi, lunar, official, official_day_month, round_class, tet
from content.source import ROOT, ContentError, Problem, parse, read
from content.text import fold

AHEAD = timedelta(days=3)
LAST_BEFORE_TET = 27
"""A merged message goes out before 28 tháng Chạp (4-conversation §4.5)."""
AUDIENCES = ("all", "officer", "enterprise", "public", "nonmember")
LONGEST = 420
"""Characters of a proactive message; 350 is the aim (5-voice §5.2), the wages line needs more."""

_environment = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Texts(_Frozen):
    """The words of one anniversary. `t0_solemn` is for years that end in 0 or 5, `tet` for the weeks around Tết."""

    t3: str
    t0: str
    t0_solemn: str
    tet: str = ""


class Anniversary(_Frozen):
    """One day: `key` is day and month, `founded` the day that is remembered, `name` its official name.

    `aliases` are other ways to write it, for checking officers' texts. `extra` adds a line for one audience to t3.
    """

    key: str
    founded: date
    name: str
    aliases: tuple[str, ...] = ()
    texts: Texts
    extra: dict[str, str] = {}
    page: str = ""


class Approval(_Frozen):
    """Who read the texts of a year and who released them; empty until somebody has."""

    proofread_by: str = ""
    proofread_on: str = ""
    approved_by: str = ""
    approved_on: str = ""

    @property
    def complete(self) -> bool:
        """Nothing is sent without both names and dates (1-process §1.6)."""
        return all((self.proofread_by, self.proofread_on, self.approved_by, self.approved_on))


class AnniversaryPack(_Frozen):
    """All anniversaries and the approvals by year."""

    anniversaries: tuple[Anniversary, ...]
    approvals: dict[int, Approval] = {}

    def approved(self, year: int) -> bool:
        """Whether this year's texts may go out."""
        return self.approvals.get(year, Approval()).complete

    def get(self, key: str) -> Anniversary:
        """The anniversary of a key. Raises KeyError."""
        for anniversary in self.anniversaries:
            if anniversary.key == key:
                return anniversary
        raise KeyError(key)


@dataclass(frozen=True, slots=True)
class Planned:
    """One automatic message: `on` is its day, `day` the anniversary itself. `audience` is "all" or one group.

    Several rows of one `key` differ by audience: a person gets the one for their group, else the one for "all".
    """

    key: str
    anniversary: str
    name: str
    year: int
    variant: str
    on: date
    day: date
    ordinal: int
    solemn: bool
    audience: str
    text: str
    approved: bool


def load_anniversaries(path: Path = ROOT / "packs" / "anniversaries.yaml") -> AnniversaryPack:
    """Loads and checks the pack: every text is rendered for a plain and a round year. Raises ContentError."""
    source = read(path)
    pack = parse(AnniversaryPack, source)
    problems: list[Problem] = []
    for number, anniversary in enumerate(pack.anniversaries):
        line = source.line(("anniversaries", number))
        if len({a.key for a in pack.anniversaries}) < len(pack.anniversaries):
            problems.append(Problem(source.file, line, f"the key {anniversary.key} stands here twice"))
        if anniversary.key != f"{anniversary.founded:%d%m}":
            problems.append(
                Problem(source.file, line, f"{anniversary.key} is not the day and month of {anniversary.founded}")
            )
        for audience in anniversary.extra:
            if audience not in AUDIENCES[1:]:
                problems.append(Problem(source.file, line, f"unknown audience {audience}"))
        for variant in ("t3", "t0", "t0_solemn", "tet"):
            try:
                for audience in ("all", *anniversary.extra):
                    text = _render(anniversary, variant, 2027, 3, audience)
                    if len(text) > LONGEST:
                        problems.append(
                            Problem(source.file, source.line(("anniversaries", number, "texts", variant)),
                                    f"{variant} has {len(text)} characters, at most {LONGEST} fit")
                        )  # fmt: skip
            except TemplateError as error:
                problems.append(Problem(source.file, line, f"{variant}: {error}"))
    if problems:
        raise ContentError(problems)
    return pack


def _render(anniversary: Anniversary, variant: str, year: int, days_left: int, audience: str) -> str:
    texts = anniversary.texts
    day = anniversary.founded.replace(year=year)
    source = {"t3": texts.t3, "t0": texts.t0, "t0_solemn": texts.t0_solemn, "tet": texts.tet}[variant]
    if variant == "t3" and audience in anniversary.extra:
        source = f"{source.rstrip()}\n{anniversary.extra[audience]}"
    return (
        _environment.from_string(source)
        .render(
            n=year - anniversary.founded.year,
            name=anniversary.name,
            year=year,
            days_left=days_left,
            can_chi=can_chi(year),
            date=official(day),
            day=official_day_month(day),
            span=f"{official(anniversary.founded)} – {official(day)}",
        )
        .strip()
    )


def planned(pack: AnniversaryPack, start: date, days: int) -> tuple[Planned, ...]:
    """Every automatic message of `days` days from `start`, by day. Unapproved ones are listed with approved False."""
    end = start + timedelta(days=days)
    found: list[Planned] = []
    for year in range(start.year, end.year + 2):
        for anniversary in pack.anniversaries:
            found += [item for item in _of_year(pack, anniversary, year) if start <= item.on < end]
    return tuple(sorted(found, key=lambda item: (item.on, item.key, item.audience)))


def _of_year(pack: AnniversaryPack, anniversary: Anniversary, year: int) -> list[Planned]:
    day = anniversary.founded.replace(year=year)
    ahead = _not_sunday(day - AHEAD)
    if anniversary.texts.tet and (around_tet(day - AHEAD) or around_tet(day)):
        return _items(pack, anniversary, year, "tet", min(ahead, _last_before_tet(year)), 0)
    first = _items(pack, anniversary, year, "t3", ahead, (day - ahead).days)
    return first + _items(pack, anniversary, year, "t0", day, 0)


def _items(
    pack: AnniversaryPack, anniversary: Anniversary, year: int, variant: str, on: date, days_left: int
) -> list[Planned]:
    ordinal = year - anniversary.founded.year
    solemn = round_class(ordinal) != "plain"
    words = "t0_solemn" if variant == "t0" and solemn else variant
    audiences = ("all", *anniversary.extra) if variant == "t3" else ("all",)
    return [
        Planned(
            key=f"kn:{anniversary.key}:{year}:{variant}",
            anniversary=anniversary.key,
            name=anniversary.name,
            year=year,
            variant=variant,
            on=on,
            day=anniversary.founded.replace(year=year),
            ordinal=ordinal,
            solemn=solemn,
            audience=audience,
            text=_render(anniversary, words, year, days_left, audience),
            approved=pack.approved(year),
        )
        for audience in audiences
    ]


def _not_sunday(day: date) -> date:
    """Never on a Sunday: the Saturday before, with the number of days computed (decisions 23)."""
    return day - timedelta(days=1) if day.weekday() == 6 else day


def _last_before_tet(year: int) -> date:
    """The last day up to 27 tháng Chạp that is no Sunday."""
    day = tet(year) - timedelta(days=1)
    while lunar(day)[0] > LAST_BEFORE_TET or lunar(day)[1] != 12:
        day -= timedelta(days=1)
    return _not_sunday(day)


# ---------------------------------------------------------------------------------------------------- officers' texts

_YEARS = re.compile(r"(?<![\d/])(\d{1,3}) nam\b(?! (?:cong tac|kinh nghiem|tuoi|hoc|lam viec|nay|truoc|qua))")
_NEAR = 90
"""Folded characters between a number of years and the anniversary it is said of."""


def check_ordinals(pack: AnniversaryPack, text: str, today: date) -> list[tuple[str, int, int]]:
    """(anniversary key, years written, years computed) wherever an officer's text says another number than is right.

    The year is the one written beside the day ("28/7/2026"), else today's.
    """
    folded = fold(text)
    wrong: list[tuple[str, int, int]] = []
    for match in _YEARS.finditer(folded):
        written = int(match.group(1))
        after = folded[match.end() : match.end() + _NEAR]
        nearest = _nearest(pack.anniversaries, after)
        if nearest is None:
            continue
        year = _year_of(nearest, folded) or today.year
        computed = year - nearest.founded.year
        if written != computed and (nearest.key, written, computed) not in wrong:
            wrong.append((nearest.key, written, computed))
    return wrong


def _nearest(anniversaries: Sequence[Anniversary], after: str) -> Anniversary | None:
    """The anniversary named first in what follows; another number of years in between ends the search."""
    other = _YEARS.search(after)
    text = after[: other.start()] if other else after
    best: tuple[int, Anniversary] | None = None
    for anniversary in anniversaries:
        names = [fold(name) for name in (anniversary.name, *anniversary.aliases)]
        places = [at for name in names if (at := text.find(name)) >= 0]
        day = re.search(rf"(?<!\d)0?{anniversary.founded.day}/0?{anniversary.founded.month}(?!\d)", text)
        if day:
            places.append(day.start())
        if places and (best is None or min(places) < best[0]):
            best = (min(places), anniversary)
    return best[1] if best else None


def _year_of(anniversary: Anniversary, folded: str) -> int | None:
    pattern = rf"(?<!\d)0?{anniversary.founded.day}/0?{anniversary.founded.month}/(\d{{4}})"
    years = [int(year) for year in re.findall(pattern, folded) if int(year) != anniversary.founded.year]
    return max(years) if years else None
