"""Which automatic messages fall on which day, with the computed ordinal (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from jinja2 import Environment, StrictUndefined, Template

from content.anniversaries.pack import Anniversary, AnniversaryPack, Button
from content.calendar import around_tet, can_chi, lunar, official, official_day_month, round_class, tet, weekday

AHEAD = timedelta(days=3)
LAST_BEFORE_TET = 27
"""A merged message goes out before 28 tháng Chạp (4-conversation §4.5)."""
NEW_YEAR = "al0101"
"""The key of Tết itself: its first three days are silent, so that all that is said of it is said before."""

# Plain text comes out; what says it to people escapes it.
_environment = Environment(undefined=StrictUndefined, autoescape=False)


@dataclass(frozen=True, slots=True)
class Planned:
    """One automatic message: `on` is its day, `day` the anniversary itself. `audience` is "all" or one group.

    Several rows of one `key` differ by audience: a person gets the one for their group, else the one for "all". `ordinal`
    is 0 where no years are counted; `off` is how many days off the day gives. `left_out`: the year is released without it.
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
    left_out: bool
    off: int

    @property
    def timing(self) -> str:
        """At which time of the day people get it (`content.windows`)."""
        return "morning" if self.variant == "t0" else "evening"

    @property
    def has_card(self) -> bool:
        """Whether a picture goes with it: on the day itself, and with the message that stands for it before Tết."""
        return self.variant in ("t0", "tet")


def planned(pack: AnniversaryPack, start: date, days: int) -> tuple[Planned, ...]:
    """Every automatic message of `days` days from `start`, by day. Unapproved ones are listed with approved False."""
    end = start + timedelta(days=days)
    found: list[Planned] = []
    for year in range(start.year, end.year + 2):  # the message for early January would go out in December
        for anniversary in pack.anniversaries:
            for variant, on in sending_days(pack, anniversary, year):
                if start <= on < end:
                    found += _items(pack, anniversary, year, variant, on)
    return tuple(sorted(found, key=lambda item: (item.on, item.key, item.audience)))


def sending_days(pack: AnniversaryPack, anniversary: Anniversary, year: int) -> list[tuple[str, date]]:
    """(variant, day on which it goes out) of one year."""
    day = anniversary.day(year)
    texts = anniversary.texts
    if day is None or anniversary.together:
        return []
    if anniversary.key == NEW_YEAR:
        merged = any(other.texts.tet and _merges(other, year) for other in pack.anniversaries)
        return [] if merged else [("tet", _last_before_tet(year))]
    ahead = _not_sunday(day - AHEAD)
    if meets_tet(day):
        return [("tet", min(ahead, _last_before_tet(year)))] if texts.tet else []
    found = [("t3", ahead)] if texts.t3 else []
    first = next(each for each in pack.anniversaries if each.texts.t0 and each.day(year) == day) if texts.t0 else None
    return [*found, ("t0", day)] if first is anniversary else found


def _merges(anniversary: Anniversary, year: int) -> bool:
    """Whether a day's message is one with the wishes for Tết."""
    day = anniversary.day(year)
    return anniversary.key != NEW_YEAR and day is not None and meets_tet(day)


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


def ordinal_of(anniversary: Anniversary, year: int) -> int:
    """How many years a day has been remembered; 0 where that is not counted."""
    return year - anniversary.origin if anniversary.origin is not None else 0


def _items(pack: AnniversaryPack, anniversary: Anniversary, year: int, variant: str, on: date) -> Iterator[Planned]:
    day = anniversary.day(year)
    assert day is not None
    ordinal = ordinal_of(anniversary, year)
    solemn = ordinal > 0 and round_class(ordinal) != "plain"
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
            approved=pack.approved(year, anniversary.key),
            left_out=pack.left_out(year, anniversary.key),
            off=anniversary.days_off(year),
        )


def span(anniversary: Anniversary, year: int) -> str:
    """The official pair of dates; "" where the first is not known to the day."""
    day = anniversary.day(year)
    if anniversary.founded is None or day is None:
        return ""
    return f"{official(anniversary.founded)} – {official(day)}"


def render(anniversary: Anniversary, words: str, year: int, days_left: int, audience: str) -> str:
    """The text of a variant. Raises TemplateError for what is no template or names an unknown variable."""
    day = anniversary.day(year)
    assert day is not None
    source: str = getattr(anniversary.texts, words)
    if words == "t3" and audience in anniversary.extra:
        source = f"{source.rstrip()}\n{anniversary.extra[audience]}"
    known: dict[str, object] = {
        "name": anniversary.name,
        "year": year,
        "days_left": days_left,
        "can_chi": can_chi(year),
        "date": official(day),
        "day": official_day_month(day),
        "weekday": weekday(day),
    }
    if anniversary.origin is not None:
        known["n"] = ordinal_of(anniversary, year)
    if anniversary.founded is not None:
        known["span"] = span(anniversary, year)
    return _template(source).render(**known).strip()


@cache
def _template(source: str) -> Template:
    return _environment.from_string(source)
