"""Finds in what an officer writes a number of years that is not the anniversary's own (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from content.text import fold

if TYPE_CHECKING:
    from content.anniversaries import Anniversary, AnniversaryPack

# All patterns run on text without marks, one character for one: a place in it is the same place in the original.
_NUMBER = r"(?<![\d/.,])(?<!thang )(?P<n>\d{1,3})(?: ?(?P<word>nam)\b|\b(?! ?\d))"
_NTH = "lan thu "
_LEAD_IN = r"[\s\"'“”«(]*(?:(?:ky niem|ngay|dai le|le|su kien|truyen thong)\s+)*"
_ENDS = (
    r"(?=\s*(?:$|[^\w\s]|\d|(?:viet nam|nuoc ta|thanh cong|va|voi|cung|nhan|dip|la|nam|lan|mung|chao|trong|den|dang|sap|"
    r"se|da|duoc|hom|ngay|moi|de|bang|toi|xin|kinh|chuc)\b))"
)
"""What may follow a short name. After anything else it is another's day: a company union's, a local Party committee's."""
_DASH = r"\s?(?:[-–—]|den)\s?"
_ANY_YEAR = r"\d{4}"


def check_ordinals(pack: AnniversaryPack, text: str, today: date) -> list[tuple[str, int, int]]:
    """(anniversary key, years written, years computed) wherever a text gives an anniversary another number than its own.

    The year is the one written with the day ("28/7/2026") or behind the name ("năm 2026"). Without one it is today's;
    once the day has passed, the number of the coming year is right too. Only a number that stands directly at the
    anniversary's name or days counts: "20 năm công tác" is nobody's mistake.
    """
    spaced = re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", unicodedata.normalize("NFC", text).lower()))
    plain = "".join(bare if len(bare := fold(letter)) == 1 else letter for letter in spaced)
    year_word = "năm" if plain != spaced else "nam"  # in a text with marks, "nam" is the south, or men
    wrong: list[tuple[str, int, int]] = []
    for anniversary in pack.anniversaries:
        if anniversary.origin is None or anniversary.month:
            continue
        for match in _mentions(anniversary, plain):
            nth = plain.endswith(_NTH, 0, match.start("n"))
            if not nth and spaced[slice(*match.span("word"))] != year_word:
                continue
            written, year = int(match["n"]), _year_near(anniversary, plain, match)
            computed = (year or today.year) - anniversary.origin
            day = anniversary.day(today.year)
            passed = year is None and day is not None and day < today
            right = (computed, computed + 1) if passed else (computed,)
            if written not in right and (anniversary.key, written, computed) not in wrong:
                wrong.append((anniversary.key, written, computed))
    return wrong


def _mentions(anniversary: Anniversary, plain: str) -> Iterator[re.Match[str]]:
    """Every place where a number is said of this anniversary, in the ways people write it."""
    name, day = _name(anniversary), _day(anniversary)
    founding = _dated(anniversary, str(anniversary.origin))
    pair = rf"{founding}{_DASH}{_dated(anniversary, _ANY_YEAR)}"
    for form in (
        # 97 years of the day's name; the name for the 97th time; the name (97 years)
        rf"{_NUMBER}{_LEAD_IN}{name}",
        rf"{name}[\s,]*(?:\(?(?:{pair}|{day})\)?)?[\s,]*{_NTH}{_NUMBER}",
        rf"{name}\s*\(\s?{_NUMBER}\s?\)",
        # 97 years of whatever it is called (28/7/1929 – 28/7/2026); 28/7/1929 – 28/7/2026: 97 years
        rf"{_NUMBER}\s+(?:ky niem|ngay|le|thanh lap|truyen thong)\b[^.;!?\n\d]{{0,80}}{founding}",
        rf"{pair}\)?\s?[:–—-]?\s?{_NUMBER}",
        # celebrating 97 years of 28/7, unless that begins another span of years
        rf"\b(?:ky niem|mung|tron)\s(?:{_NTH})?{_NUMBER}{_LEAD_IN}{day}(?!\D{{1,5}}{_ANY_YEAR}{_DASH}\d)",
    ):
        yield from re.finditer(form, plain)


def _name(anniversary: Anniversary) -> str:
    """The full name, after which anything may follow, or a short one that ends where it should."""
    full, *short = (
        re.escape(fold(name).removeprefix("ngay ")).replace(r"\ ", r"\s")
        for name in (anniversary.name, *anniversary.names.values(), *anniversary.aliases)
    )
    shorts = "|".join(sorted(short, key=len, reverse=True))
    return rf"\b(?:{full}\b|(?:{shorts})\b{_ENDS})" if short else rf"\b{full}\b"


def _day(anniversary: Anniversary) -> str:
    day, month = anniversary.place
    return rf"(?<!\d)0?{day}(?:\s?[/.-]\s?| thang )0?{month}(?!\d)"


def _dated(anniversary: Anniversary, year: str) -> str:
    return rf"{_day(anniversary)}(?:\s?[/.-]\s?|,? nam ){year}(?!\d)"


def _year_near(anniversary: Anniversary, plain: str, match: re.Match[str]) -> int | None:
    """The year behind the mention, else the one written with the day nearest to it."""
    if behind := re.match(rf"[\s,]*(?:{_day(anniversary)},?\s)?nam ({_ANY_YEAR})\b", plain[match.end() :]):
        return int(behind[1])
    found = [
        (min(abs(at.start() - match.start()), abs(at.start() - match.end())), int(at[1]))
        for at in re.finditer(_dated(anniversary, rf"({_ANY_YEAR})"), plain)
        if int(at[1]) != anniversary.origin
    ]
    return min(found)[1] if found else None
