"""The pictures that go with anniversaries, and a month of the calendar as one: drawn from the pack, never the only carrier.

What stands on a card stands in the text that goes with it. No flags, no portraits: those are only approved images.
"""

from __future__ import annotations

import calendar
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from html import escape
from math import cos, pi, sin
from pathlib import Path
from typing import Final

from content import disk
from content.agenda import Entry, agenda
from content.anniversaries import NEW_YEAR, Anniversary, AnniversaryPack, ordinal_of, span
from content.calendar import can_chi, days_off, in_leap_month, lunar, official, official_day_month, round_class, weekday
from content.drawing import FONT, NO_BREAK, drawable, fitted, lines, png
from content.message import Media
from content.packs import Packs
from content.words import Words

SIDE: Final = 1080
MARGIN: Final = 80
READABLE: Final = 4.5
"""Contrast that text needs (WCAG 2.2, 1.4.3)."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of a card: what it is drawn on, its words, its large number, and lines that carry nothing."""

    paper: str
    words: str
    number: str
    ornament: str


PALETTES: Final[Mapping[str, Palette]] = {
    "celebration": Palette("#9e1b1b", "#fff6df", "#ffd873", "#b03028"),
    "remembrance": Palette("#2b2a35", "#f4efe4", "#d9bd8b", "#403e4d"),
    "family": Palette("#7a1f3d", "#fff3ea", "#ffcf8f", "#93385a"),
    "work": Palette("#0d4a5c", "#f1fbfd", "#9fe0d2", "#1f6074"),
}
"""By tone of an anniversary."""
PAPER, INK, QUIET, REST, MARK = "#fffdf8", "#22252b", "#5b6069", "#b3261e", "#0d5c73"
"""A month: what it is drawn on, its words, the lunar days, days off, days with a message."""
RESTING, MARKED = "#fbe4df", "#dcedf2"
"""Behind days off and days with a message."""


# ---------------------------------------------------------------------------------------------------- kept as files


def picture(words: Words, pack: AnniversaryPack, key: str, folder: Path) -> Media:
    """The card of a planned message (`kn:<day>:<year>:<variant>`) as a file of the data folder, drawn if it is not there.

    CPU-bound, ~0.1 s. Raises KeyError for a day that the pack does not have, ValueError, OSError.
    """
    anniversary, year = _of(pack, key)
    day = anniversary.day(year)
    name = words.plain("cards.alt", n=ordinal_of(anniversary, year), name=_title(words, anniversary, year), day=day)
    return kept(card_svg(words, pack, key), name, folder)


def kept(svg: str, name: str, folder: Path) -> Media:
    """A drawing as a PNG of the data folder: the same drawing is the same file."""
    file = f"{hashlib.sha256(svg.encode()).hexdigest()}.png"
    if not (folder / file).exists():
        disk.write(folder / file, png(svg))
    return Media("photo", file, name)


def _of(pack: AnniversaryPack, key: str) -> tuple[Anniversary, int]:
    _, day, year, _ = key.split(":")
    return pack.get(day), int(year)


def _title(words: Words, anniversary: Anniversary, year: int) -> str:
    if anniversary.key != NEW_YEAR:
        return anniversary.name
    return words.plain("cards.new_year", name=anniversary.name, can_chi=can_chi(year))


def _joined(words: Words, title: str) -> str:
    """A title in which words of several syllables are not torn apart at the end of a line."""
    for word in words.plain("cards.whole").split("|"):
        title = title.replace(word, word.replace(" ", NO_BREAK))
    return title


# ---------------------------------------------------------------------------------------------------- a card


def card_svg(words: Words, pack: AnniversaryPack, key: str) -> str:
    """The drawing of a planned message's card, a square."""
    anniversary, year = _of(pack, key)
    colours = PALETTES[anniversary.tone]
    day = anniversary.day(year)
    assert day is not None
    number = ordinal_of(anniversary, year)
    parts = [_rings(colours), *_frame(colours, solemn=number > 0 and round_class(number) != "plain")]
    room = SIDE - 2 * MARGIN
    size, broken = fitted(words.plain("cards.organisation").upper(), (30, 26, 22), room, 2, bold=True)
    parts += _block(broken, 150, size, colours.words)
    if number:
        parts.append(_text(str(number), 470, 260, colours.number, bold=True))
        parts.append(_text(words.plain("cards.years"), 555, 56, colours.number, bold=True))
    else:
        parts.append(_text(official_day_month(day), 480, 210, colours.number, bold=True))
    title = _joined(words, _title(words, anniversary, year))
    size, broken = fitted(title, (64, 56, 48, 42), room, 3, bold=True)
    parts += _block(broken, 665 + (3 - len(broken)) * size * 0.3, size, colours.words)
    written = weekday(day)
    foot = [span(anniversary, year) or f"{written[0].upper()}{written[1:]}, {official(day)}"]
    if anniversary.lunar:
        foot.append(words.plain("cards.lunar", day=anniversary.place[0], month=anniversary.place[1]))
    parts.append(_text(" · ".join(foot), 910, 36, colours.words))
    if off := anniversary.days_off(year):
        parts.append(_text(words.plain("cards.off", n=off), 966, 32, colours.number))
    return _svg(SIDE, SIDE, colours.paper, parts)


def _rings(colours: Palette) -> str:
    """The rings and rays of a bronze drum, as lines behind everything."""
    cx, cy = SIDE / 2, 380.0
    rings = "".join(
        f'<circle cx="{cx}" cy="{cy}" r="{radius}" fill="none" stroke="{colours.ornament}" stroke-width="{thick}"/>'
        for radius, thick in ((270, 6), (300, 2), (350, 14), (400, 2), (430, 6))
    )
    rays = "".join(
        f'<line x1="{cx + 312 * cos(a):.1f}" y1="{cy + 312 * sin(a):.1f}" x2="{cx + 338 * cos(a):.1f}" '
        f'y2="{cy + 338 * sin(a):.1f}" stroke="{colours.ornament}" stroke-width="8"/>'
        for a in (2 * pi * n / 28 for n in range(28))
    )
    return rings + rays


def _frame(colours: Palette, *, solemn: bool) -> list[str]:
    """A line around it, two in a year that ends in 0 or 5."""
    return [
        f'<rect x="{edge}" y="{edge}" width="{SIDE - 2 * edge}" height="{SIDE - 2 * edge}" fill="none" '
        f'stroke="{colours.number}" stroke-width="3"/>'
        for edge in ((36, 52) if solemn else (36,))
    ]


# ---------------------------------------------------------------------------------------------------- a month


def month_svg(words: Words, packs: Packs, year: int, month: int) -> str:
    """A month as weeks, days off and days with a message marked, and what goes out on which below it.

    Raises ValueError for a month that is none, or beyond the years that can be planned.
    """
    first = date(year, month, 1)
    days = calendar.monthrange(year, month)[1]
    entries = [entry for entry in agenda(words, packs, first, days) if entry.audience != "enterprise"]
    off, sent = set(days_off(year)), {entry.at.date() for entry in entries if entry.text and not entry.left_out}
    parts = [_text(words.plain("cards.month", month=month, year=year), 110, 54, INK, bold=True)]
    wide, top = (SIDE - 2 * MARGIN) / 7, 190
    for n, name in enumerate(words.plain("cards.week").split("|")):
        parts.append(_text(name, top, 30, REST if n == 6 else QUIET, x=MARGIN + wide * (n + 0.5), bold=True))
    weeks = calendar.Calendar().monthdatescalendar(year, month)
    for row, week in enumerate(weeks):
        for n, day in enumerate(week):
            if day.month == month:
                at = MARGIN + wide * n, top + 25 + row * 100, wide
                parts += _day(words, day, *at, rests=day in off, marked=day in sent)
    top += 25 + len(weeks) * 100 + 50
    parts += _legend(words, top)
    for entry in entries:
        top += 78
        parts += _line(words, entry, top)
    if not entries:
        top += 70
        parts.append(_text(words.plain("cards.month_empty"), top, 30, QUIET, x=MARGIN, anchor="start"))
    return _svg(SIDE, round(top + 70), PAPER, parts)


def _day(words: Words, day: date, x: float, y: float, wide: float, *, rests: bool, marked: bool) -> Iterable[str]:
    """A day of a month with its lunar day, the first of a lunar month with that month. Colour is not the only sign: a day with a message has a dot, one off a line."""
    if rests or marked:
        yield (
            f'<rect x="{x + 4:g}" y="{y:g}" width="{wide - 8:g}" height="92" rx="12" '
            f'fill="{RESTING if rests else MARKED}"/>'
        )
    middle = x + wide / 2
    colour = REST if rests or day.weekday() == 6 else INK
    yield _text(str(day.day), y + 50, 40, colour, x=middle, bold=rests or marked)
    moon, month, _ = lunar(day)
    small = words.plain("cards.month_moon", day=moon, month=month, leap=in_leap_month(day))
    yield _text(small, y + 80, 22, QUIET, x=middle)
    if marked:
        yield f'<circle cx="{x + wide - 24:g}" cy="{y + 22:g}" r="8" fill="{MARK}"/>'
    if rests:
        yield f'<rect x="{middle - 24:g}" y="{y + 85:g}" width="48" height="4" fill="{REST}"/>'


def _legend(words: Words, y: float) -> Iterable[str]:
    yield f'<circle cx="{MARGIN + 12}" cy="{y - 9:g}" r="8" fill="{MARK}"/>'
    yield _text(words.plain("cards.month_message"), y, 26, INK, x=MARGIN + 32, anchor="start")
    yield f'<rect x="{MARGIN + 230}" y="{y - 11:g}" width="40" height="4" fill="{REST}"/>'
    yield _text(words.plain("cards.month_off"), y, 26, INK, x=MARGIN + 282, anchor="start")
    yield _text(words.plain("cards.month_lunar"), y, 26, INK, x=SIDE - MARGIN, anchor="end")


def _line(words: Words, entry: Entry, y: float) -> Iterable[str]:
    """What an entry is about, when it goes out and whether it may."""
    number = f"{entry.ordinal} {words.plain('cards.years').lower()} " if entry.ordinal else ""
    title = f"{official_day_month(entry.day)}: {number}{entry.name}"
    if entry.kind != "anniversary":
        title = words.plain(f"cards.title_{entry.kind}", name=entry.name)
    size, broken = fitted(title, (30, 27, 24), SIDE - 2 * MARGIN, 1, bold=True)
    yield _text(broken[0] if len(broken) == 1 else f"{broken[0]}…", y, size, INK, x=MARGIN, bold=True, anchor="start")
    state = "left_out" if entry.left_out else "approved" if entry.approved else "waiting"
    sent = words.plain("cards.month_sent" if entry.text else "cards.month_with", day=entry.at)
    notes = [sent, words.plain(f"cards.state_{state}")]
    yield _text(" · ".join(notes), y + 32, 24, QUIET, x=MARGIN, anchor="start")


# ---------------------------------------------------------------------------------------------------- drawing


def _svg(width: int, height: int, paper: str, parts: Iterable[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="{FONT}">'
    return f'{head}<rect width="{width}" height="{height}" fill="{paper}"/>{"".join(parts)}</svg>'


def _text(
    text: str, y: float, size: int, colour: str, *, x: float = SIDE / 2, bold: bool = False, anchor: str = "middle"
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{700 if bold else 400}" text-anchor="{anchor}" '
        f'fill="{colour}">{escape(drawable(text))}</text>'
    )


def _block(broken: list[str], y: float, size: int, colour: str) -> Iterable[str]:
    """Bold lines below each other, about equally long."""
    room = float(SIDE - 2 * MARGIN)
    text = " ".join(broken)
    while len(narrower := lines(text, size, room - 20, bold=True)) == len(broken) and room > 100:
        broken, room = narrower, room - 20
    for n, line in enumerate(broken):
        yield _text(line, y + n * size * 1.25, size, colour, bold=True)
