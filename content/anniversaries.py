"""The anniversaries: which automatic messages fall on which day, with the computed ordinal (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template, TemplateError
from pydantic import Field

from content.calendar import around_tet, can_chi, lunar, official, official_day_month, round_class, tet
from content.ordinals import check_ordinals
from content.release import Day, Frozen, Release, spelling_faults
from content.source import ROOT, ContentError, Problem, parse, read

__all__ = ["Anniversary", "AnniversaryPack", "Planned", "Texts", "check_ordinals", "load_anniversaries", "planned"]

AHEAD = timedelta(days=3)
LAST_BEFORE_TET = 27
"""A merged message goes out before 28 tháng Chạp (4-conversation §4.5)."""
AUDIENCES = ("officer", "enterprise", "public", "nonmember")
"""Groups of people; a message for "all" goes to those for whose group there is none."""
LONGEST = 350
LINES = 5
"""Characters and lines of a message nobody asked for (5-voice §5.2)."""
TRIED = (2025, 2027, 2030, 2099)
"""Years for which every text is tried out: solemn, plain, a hundredth, and the longest numbers."""
YEARS = range(1990, 2100)
"""Years that can be planned."""
_TYPED = re.compile(r"\d+ năm\b|\b(?:19|20)\d\d\b")
_LAW = re.compile(r"\bBộ luật Lao động 2019\b")
_PICTURE = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]")

# Plain text comes out; what says it to people escapes it.
_environment = Environment(undefined=StrictUndefined, autoescape=False)


class Texts(Frozen):
    """The words of one anniversary. `t0_solemn` is for years that end in 0 or 5, `tet` for the weeks around Tết."""

    t3: str
    t0: str
    t0_solemn: str
    tet: str = ""


class Anniversary(Frozen):
    """One day: `key` is day and month, `founded` the day that is remembered, `name` its official name.

    `aliases` are short ways to write it, for checking officers' texts. `extra` adds a line for one audience to t3.
    """

    key: str
    founded: Day
    name: str
    aliases: tuple[str, ...] = ()
    texts: Texts
    extra: dict[str, str] = Field(default_factory=dict)


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


# ---------------------------------------------------------------------------------------------------- planning


def planned(pack: AnniversaryPack, start: date, days: int) -> tuple[Planned, ...]:
    """Every automatic message of `days` days from `start`, by day. Unapproved ones are listed with approved False."""
    end = start + timedelta(days=days)
    found: list[Planned] = []
    for year in range(start.year, end.year + 2):  # the message for early January would go out in December
        for anniversary in pack.anniversaries:
            for variant, on in _days(anniversary, year):
                if start <= on < end:
                    found += _items(pack, anniversary, year, variant, on)
    return tuple(sorted(found, key=lambda item: (item.on, item.key, item.audience)))


def _days(anniversary: Anniversary, year: int) -> list[tuple[str, date]]:
    """(variant, day on which it goes out) of one year."""
    day = anniversary.founded.replace(year=year)
    if day <= anniversary.founded:
        return []
    ahead = _not_sunday(day - AHEAD)
    if _meets_tet(day):
        return [("tet", min(ahead, _last_before_tet(year)))]
    return [("t3", ahead), ("t0", day)]


def _meets_tet(day: date) -> bool:
    return around_tet(day - AHEAD) or around_tet(day)


def _not_sunday(day: date) -> date:
    """Never on a Sunday: the Saturday before, with the number of days computed (decisions 23)."""
    return day - timedelta(days=1) if day.weekday() == 6 else day


def _last_before_tet(year: int) -> date:
    """The last day up to 27 tháng Chạp that is no Sunday."""
    day = tet(year) - timedelta(days=1)
    while lunar(day)[0] > LAST_BEFORE_TET:
        day -= timedelta(days=1)
    return _not_sunday(day)


def _items(pack: AnniversaryPack, anniversary: Anniversary, year: int, variant: str, on: date) -> Iterator[Planned]:
    day = anniversary.founded.replace(year=year)
    ordinal = year - anniversary.founded.year
    solemn = round_class(ordinal) != "plain"
    words = "t0_solemn" if variant == "t0" and solemn else variant
    for audience in ("all", *anniversary.extra) if variant == "t3" else ("all",):
        yield Planned(
            key=f"kn:{anniversary.key}:{year}:{variant}",
            anniversary=anniversary.key,
            name=anniversary.name,
            year=year,
            variant=variant,
            on=on,
            day=day,
            ordinal=ordinal,
            solemn=solemn,
            audience=audience,
            text=_render(anniversary, words, year, (day - on).days, audience),
            approved=pack.approved(year),
        )


def _render(anniversary: Anniversary, words: str, year: int, days_left: int, audience: str) -> str:
    """The text of a variant. Raises TemplateError for what is no template or names an unknown variable."""
    day = anniversary.founded.replace(year=year)
    source: str = getattr(anniversary.texts, words)
    if words == "t3" and audience in anniversary.extra:
        source = f"{source.rstrip()}\n{anniversary.extra[audience]}"
    return (
        _template(source)
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


@cache
def _template(source: str) -> Template:
    return _environment.from_string(source)


# ---------------------------------------------------------------------------------------------------- loading


def load_anniversaries(path: Path = ROOT / "packs" / "anniversaries.yaml") -> AnniversaryPack:
    """Loads the pack and tries out every text for several years. Raises ContentError with all problems."""
    source = read(path)
    pack = parse(AnniversaryPack, source)
    problems = list(spelling_faults(source))
    keys = [anniversary.key for anniversary in pack.anniversaries]
    for number, anniversary in enumerate(pack.anniversaries):
        here: tuple[str | int, ...] = ("anniversaries", number)
        for where, fault in _faults(anniversary):
            problems.append(Problem(source.file, source.line((*here, *where)), fault))
        if anniversary.key in keys[:number]:
            problems.append(
                Problem(source.file, source.line((*here, "key")), f"the key {anniversary.key} stands twice")
            )
    for year, release in pack.approvals.items():
        for field, fault in release.faults():
            problems.append(Problem(source.file, source.line(("approvals", str(year), field)), fault))
    if problems:
        raise ContentError(problems)
    return pack


def _faults(anniversary: Anniversary) -> Iterator[tuple[tuple[str, ...], str]]:
    """(path below the anniversary, what is wrong there)."""
    if anniversary.key != f"{anniversary.founded:%d%m}":
        yield ("key",), f"{anniversary.key} is not the day and month of {anniversary.founded}"
    if (anniversary.founded.month, anniversary.founded.day) == (2, 29):
        yield ("founded",), "29/02 does not come every year"
        return
    if not anniversary.texts.tet and any(_meets_tet(anniversary.founded.replace(year=year)) for year in YEARS):
        yield ("texts",), "the day can fall around Tết and needs a text 'tet'"
    for audience, line in anniversary.extra.items():
        if audience not in AUDIENCES:
            yield ("extra", audience), f"unknown audience {audience}: {', '.join(AUDIENCES)}"
        for fault in _said_wrongly(line):
            yield ("extra", audience), fault
    for words in ("t3", "t0", "t0_solemn", "tet"):
        text: str = getattr(anniversary.texts, words)
        if not text.strip():
            if words != "tet":
                yield ("texts", words), f"{words} is empty"
            continue
        for fault in _said_wrongly(text):
            yield ("texts", words), f"{words}: {fault}"
        if not re.search(r"\{\{\s*n\s*\}\}", text):
            yield ("texts", words), f"{words} does not say how many years: {{{{ n }}}}"
        for audience in ("all", *anniversary.extra) if words == "t3" else ("all",):
            where = ("texts", words) if audience == "all" else ("extra", audience)
            try:
                rendered = [_render(anniversary, words, year, 3, audience) for year in TRIED]
            except TemplateError as error:
                yield where, f"{words}: {error}"
                continue
            longest = max(map(len, rendered))
            if longest > LONGEST:
                yield where, f"{words} has {longest} characters, at most {LONGEST} fit"
            if max(text.count("\n") for text in rendered) >= LINES:
                yield where, f"{words} has more than {LINES} lines"


def _said_wrongly(text: str) -> Iterator[str]:
    """What no message for a national day may hold (5-voice §5.2, §5.3)."""
    if typed := _TYPED.search(_LAW.sub("", text)):
        yield f"'{typed.group()}' is typed; numbers of years are computed"
    if picture := _PICTURE.search(text):
        yield f"'{picture.group()}': no emoji on a national day"
