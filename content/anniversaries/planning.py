"""Which automatic messages fall on which day, with the computed ordinal (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from jinja2 import Environment, StrictUndefined, Template

from content.anniversaries.pack import Anniversary, AnniversaryPack, Button
from content.calendar import around_tet, can_chi, lunar, official, official_day_month, round_class, tet

AHEAD = timedelta(days=3)
LAST_BEFORE_TET = 27
"""A merged message goes out before 28 tháng Chạp (4-conversation §4.5)."""

# Plain text comes out; what says it to people escapes it.
_environment = Environment(undefined=StrictUndefined, autoescape=False)


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
    button: Button | None
    activity: bool
    approved: bool


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
    if meets_tet(day):
        return [("tet", min(ahead, _last_before_tet(year)))]
    return [("t3", ahead), ("t0", day)]


def meets_tet(day: date) -> bool:
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
            text=render(anniversary, words, year, (day - on).days, audience),
            button=anniversary.buttons.get(variant),
            activity=anniversary.activity and variant == "t3",
            approved=pack.approved(year),
        )


def render(anniversary: Anniversary, words: str, year: int, days_left: int, audience: str) -> str:
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
