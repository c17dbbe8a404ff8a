"""Reads moments and dates the way people type them, and writes clock times the Vietnamese way."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple

from content.text import fold

_NUMBERS: Final = {
    **{"một": 1, "hai": 2, "ba": 3, "bốn": 4, "tư": 4, "năm": 5, "sáu": 6, "bảy": 7, "tám": 8, "chín": 9},
    **{"mười": 10, "mười một": 11, "mười hai": 12},
}
# Unmarked, "sau gio" may be "after hours" and "bay gio" is "now": only words that stay clear are read without marks.
_CLEAR_NUMBERS: Final = _NUMBERS | {fold(word): value for word, value in _NUMBERS.items() if word not in ("sáu", "bảy")}
_HOUR_WORDS = re.compile(
    rf"\b(?<!thứ )(?<!thu )({'|'.join(sorted(_CLEAR_NUMBERS, key=len, reverse=True))}) (giờ|gio)\b"
)
# Said with marks these words are clear; folded they would collide with others.
_TOLD_APART: Final = {"tới": "sau", "tôi": "", "mốt": "kia", "bây": "luc", "tối": "buoi_toi"}

_FROM_NOW = re.compile(r"(?:\bsau )?(?:\b(\d{1,3}) ?|\bnua )(gio|h|tieng|phut|p)(?: dong ho)?( ruoi)? nua\b")
_WEEKDAY = re.compile(
    r"\b(?:thu (hai|ba|tu|nam|sau|bay|[2-7])|t([2-7])|(chu nhat|cn))\b(?: (tuan nay|tuan sau|tuan toi|sau|toi)\b)?"
)
_WEEKDAY_WORDS: Final = {"hai": 0, "ba": 1, "tu": 2, "nam": 3, "sau": 4, "bay": 5}
_EVENING = re.compile(r"(\d|\bgio|\dh|\bruoi|\bphut) ?toi\b|\btoi(?= (?:nay|mai|kia|hom|ngay|[|\d]))")
_NEAR_DAYS: Final = {
    r"\bhom kia\b": -2,
    r"\b(?:hom |ngay |(?<=sang )|(?<=trua )|(?<=chieu )|(?<=buoi_toi )|(?<=dem )|(?<=khuya ))qua\b": -1,
    r"\b(?:hom )?nay\b": 0,
    r"\b(?:ngay )?mai\b": 1,
    r"\b(?:ngay )?kia\b": 2,
}
_GONE_BY = re.compile(r"\b(?:qua|truoc|vua roi|ngoai)\b")
"""What else looks back ("thứ sáu tuần trước", "trước 8h") is no moment to send at."""
_DATE = re.compile(
    r"(?<![\d/.-])(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?![\d/-])"
    r"|(?<![\d/.-])(\d{1,2})[/-](\d{1,2})(?![\d/-]| ?(?:h|gio|g)\b)"
    r"|\b(\d{1,2}) thang (\d{1,2})(?:(?: nam |[/-])(\d{4}))?\b"
)
_DAY_ONLY = re.compile(r"\bngay (\d{1,2})\b")
_TIME = re.compile(
    r"(?<![\d:])(?P<hour>\d{1,2}) ?(?:gio|h|g)(?![a-z]) ?"
    r"(?:(?P<minute>\d{1,2})(?!\d) ?(?:phut\b|p\b)?|(?P<half>ruoi)\b|kem ?(?P<short>\d{1,2})(?!\d)(?: ?phut\b)?)?"
    r"|(?<![\d:])(?P<clock>\d{1,2}):(?P<clock_minute>\d{2})(?![\d:])"
)
PART = re.compile(r"\b(?:sang|trua|chieu|buoi_toi|dem|khuya)\b")
"""The part of the day, in folded words; "tối" is read before folding, for it would look like "tới"."""


def parse_when(text: str, now: datetime) -> datetime | None:
    """The moment an officer asks for, in the zone of `now`; None when it is not understood or could mean two things.

    "19 giờ 30 hôm nay", "8h sáng mai", "3 giờ chiều thứ sáu", "30/4 7:00", "2 tiếng nữa". Without a day it is today, so
    the result may lie in the past, and the caller says so. A date without year is the next one, unless it passed less
    than half a year ago.
    """
    if len(text) > 200:
        return None
    typed = " ".join(unicodedata.normalize("NFC", text).lower().split())
    typed = number_words(typed)
    typed = fold(re.sub(r"\w+", lambda word: _TOLD_APART.get(word.group(), word.group()), typed))
    if found := _FROM_NOW.search(typed):
        return _from_now(found, typed, now)
    weekdays = list(_WEEKDAY.finditer(typed))
    rest = _EVENING.sub(r"\1 buoi_toi ", _WEEKDAY.sub(" | ", typed))
    days, rest = _dates_in(rest, now.date())
    times = list(_TIME.finditer(rest))
    parts = set(PART.findall(rest))
    if len(times) != 1 or len(days) > 1 or len(parts) > 1 or len(weekdays) > 1 or re.search(r"\d", _TIME.sub("", rest)):
        return None
    if _GONE_BY.search(rest):
        return None
    since_midnight = _since_midnight(times[0], parts.pop() if parts else "")
    day = next(iter(days), now.date())
    if since_midnight is None or day is None:
        return None
    moment = datetime(day.year, day.month, day.day, tzinfo=now.tzinfo) + since_midnight
    return _on_weekday(weekdays[0], moment, now, day if days else None) if weekdays else moment


def number_words(typed: str) -> str:
    """Lower-case text with the hours that were written as words in numbers: "tám giờ" becomes "8 giờ"."""
    return _HOUR_WORDS.sub(lambda found: f"{_CLEAR_NUMBERS[found[1]]} {found[2]}", typed)


def _from_now(found: re.Match[str], typed: str, now: datetime) -> datetime | None:
    if re.search(r"\d", typed[: found.start()] + typed[found.end() :]):
        return None
    number, unit, and_half = found.groups()
    whole = 1 if unit in ("phut", "p") else 60
    minutes = int(number) * whole if number else whole // 2
    return now + timedelta(minutes=minutes + (whole // 2 if and_half else 0))


def _on_weekday(found: re.Match[str], moment: datetime, now: datetime, day: date | None) -> datetime | None:
    """The weekday named, at the hour of `moment`; with a date as well, both must agree ("thứ năm 30/4")."""
    word, digit, sunday, suffix = found.groups()
    weekday = 6 if sunday else int(digit or word) - 2 if (digit or word).isdigit() else _WEEKDAY_WORDS[word]
    if day:
        return moment if day.weekday() == weekday else None
    if suffix == "toi" and moment.hour < 12:
        return None  # without marks, "thu sau toi 7h" is Friday evening or next Friday morning
    ahead = weekday - now.weekday()
    if suffix in ("tuan nay", "tuan sau", "tuan toi"):
        return moment + timedelta(days=ahead + (0 if suffix == "tuan nay" else 7))
    moment += timedelta(days=ahead % 7)
    passed = moment <= now or (suffix == "sau" and ahead == 0)
    return moment + timedelta(days=7) if passed else moment


def _dates_in(rest: str, today: date) -> tuple[set[date | None], str]:
    """The dates named in `rest` (None for an impossible one), and what is left of it."""
    days: set[date | None] = set()
    for found in _DATE.finditer(rest):
        day, month = (int(part) for part in (found[1] or found[5] or found[7], found[3] or found[6] or found[8]))
        year = found[4] or found[9]
        known = not year or len(year) == 2 or year.startswith("20")  # what is of another century was mistyped
        days.add(_date(2000 + int(year[-2:]) if year else None, month, day, today) if known else None)
    rest = _DATE.sub(" ", rest)
    for found in _DAY_ONLY.finditer(rest):
        first = today if int(found[1]) >= today.day else today.replace(day=1) + timedelta(days=32)
        days.add(_date(first.year, first.month, int(found[1]), today))
    rest = " ".join(_DAY_ONLY.sub(" ", rest).split())
    for pattern, ahead in _NEAR_DAYS.items():
        if re.search(pattern, rest):
            days.add(today + timedelta(days=ahead))
            rest = re.sub(pattern, " ", rest)
    return days, rest


def _date(year: int | None, month: int, day: int, today: date) -> date | None:
    try:
        if year is not None:
            return date(year, month, day)
        this_year = date(today.year, month, day)
        return this_year if this_year > today - timedelta(days=183) else date(today.year + 1, month, day)
    except ValueError:
        return None


# Hours as said, for each part of the day: those that take twelve more, and those that stay.
_SAID: Final = {
    "": (range(0), range(25)),
    "sang": (range(0), range(12)),
    "trua": (range(1, 4), range(10, 16)),
    "chieu": (range(1, 8), range(12, 20)),
    "buoi_toi": (range(5, 12), range(17, 25)),
    "dem": (range(8, 12), range(20, 25)),
    "khuya": (range(9, 12), range(21, 25)),
}


def _since_midnight(time: re.Match[str], part: str) -> timedelta | None:
    hour = int(time["hour"] or time["clock"])
    minute = 30 if time["half"] else int(time["minute"] or time["clock_minute"] or 0) - int(time["short"] or 0)
    return since_midnight(hour, minute, part)


def since_midnight(hour: int, minute: int, part: str) -> timedelta | None:
    """An hour as said for a part of the day ("" = none said), up to 24 hours; None for one that does not exist."""
    if hour == 12 and part in ("buoi_toi", "dem", "khuya"):
        hour = 24  # "12 giờ đêm nay" ends this day
    twelve_more, as_is = _SAID[part]
    hour = hour + 12 if hour in twelve_more else hour if hour in as_is else 99
    since = timedelta(hours=hour, minutes=minute)
    return since if -60 < minute < 60 and timedelta(0) <= since <= timedelta(hours=24) else None


# --- A date gone by: "từ khi nào" ------------------------------------------------------------------------------------


class PartialDate(NamedTuple):
    """A date known to the year, the month or the day."""

    year: int
    month: int | None = None
    day: int | None = None


_MONTHS: Final = {fold(word): value for word, value in _NUMBERS.items()}
_MONTH_WORDS = re.compile(
    rf"\bthang ({'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b(?!(?<=thang nam) (?:nay|ngoai|truoc))"
)
_AGO = re.compile(r"(?<![\d/.-])(?<!thang )(\d{1,2}) (nam|thang) (?:truoc|nay|roi)\b")
_DAY_MONTH_YEAR = re.compile(r"(?<![\d/.-])(\d{1,2})[/.-](\d{1,2})[/.-]((?:19|20)\d{2}|\d{2})(?![\d/-])")
_MONTH_YEAR = re.compile(r"(?<![\d/.-])(\d{1,2})[/.-]((?:19|20)\d{2})(?![\d/-])")
_TWO_NUMBERS = re.compile(r"(?<![\d/.-])(\d{1,2})[/-](\d{1,2})(?![\d/-])")
_MONTH_ONLY = re.compile(r"\bthang (\d{1,2})(?![\d/.-])")
_YEAR_ONLY = re.compile(r"(?<![\d/.,-])((?:19|20)\d{2})(?![\d/-]|[.,]\d)")
_NEAR = re.compile(r"(?<!may )(?<!vai )\b(?:hom nay|hom qua|(?:thang|nam) (?:nay|truoc|roi|ngoai))\b")


def parse_past_date(text: str, today: date) -> PartialDate | None:
    """Since when: the date in a text that may go on ("tháng 3/2026, chuyền 5"), or None.

    "15/3/2026", "3/2026", "15/3", "tháng 3 năm ngoái", "năm 2024", "2 năm trước", "tháng trước", "hôm qua". Without a
    year it is the last one that has come, because the question looks back; with a year it stays, even if ahead.
    """
    typed = _MONTH_WORDS.sub(lambda found: f"thang {_MONTHS[found[1]]}", fold(text[:300]))
    typed = re.sub(r"\b(\d{1,2}) thang (\d{1,2})\b", r"\1/\2", typed)
    if found := _AGO.search(typed):
        return _months_back(today, int(found[1]) * (12 if found[2] == "nam" else 1), whole_year=found[2] == "nam")
    typed = re.sub(r"(?<=\d) (?:cua )?nam ((?:19|20)\d{2})\b", r"/\1", typed)
    typed = re.sub(r"(?<=\d) (?:cua )?nam nay\b", f"/{today.year}", typed)
    typed = re.sub(r"(?<=\d) (?:cua )?nam (?:ngoai|truoc|roi)\b", f"/{today.year - 1}", typed)
    if found := _DAY_MONTH_YEAR.search(typed):
        return _partial(int(found[3]) + (2000 if len(found[3]) == 2 else 0), found[2], found[1])
    if found := _MONTH_YEAR.search(typed):
        return _partial(int(found[2]), found[1])
    if (found := _TWO_NUMBERS.search(typed)) and (read := _two_numbers(found[1], found[2], today)):
        return read
    if found := _MONTH_ONLY.search(typed):
        return _partial(today.year - (int(found[1]) > today.month), found[1])
    if found := _YEAR_ONLY.search(typed):
        return PartialDate(int(found[1]))
    return _near_date(found.group(), today) if (found := _NEAR.search(typed)) else None


def _partial(year: int, month: str, day: str = "") -> PartialDate | None:
    try:
        checked = date(year, int(month), int(day or 1))
    except ValueError:
        return None
    return PartialDate(checked.year, checked.month, checked.day if day else None)


def _two_numbers(first: str, second: str, today: date) -> PartialDate | None:
    """A day and month of the last twelve months, or ("3/26") a month and the two digits of a year."""
    if int(second) > 12:
        return _partial(2000 + int(second), first) if int(second) <= today.year % 100 + 1 else None
    this_year = _partial(today.year, second, first)
    return this_year if this_year and not is_future(this_year, today) else _partial(today.year - 1, second, first)


def _near_date(words: str, today: date) -> PartialDate:
    if words.startswith("hom"):
        day = today - timedelta(days=words == "hom qua")
        return PartialDate(day.year, day.month, day.day)
    back = 0 if words.endswith("nay") else 12 if words.startswith("nam") else 1
    return _months_back(today, back, whole_year=words.startswith("nam"))


def _months_back(today: date, months: int, whole_year: bool) -> PartialDate:
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return PartialDate(year) if whole_year else PartialDate(year, month + 1)


def is_future(partial: PartialDate, today: date) -> bool:
    """Whether even the earliest day it can mean has not come."""
    return date(partial.year, partial.month or 1, partial.day or 1) > today


def format_partial(partial: PartialDate) -> str:
    """As "15/3/2026", "tháng 3/2026" or "năm 2024": days under 10 and months 1 and 2 take a zero (NĐ 30/2020)."""
    if not partial.month:
        return f"năm {partial.year}"
    month = f"{partial.month:02}" if partial.month < 3 else str(partial.month)
    return f"{partial.day:02}/{month}/{partial.year}" if partial.day else f"tháng {month}/{partial.year}"


# --- Saying the hour -------------------------------------------------------------------------------------------------


def greeting_part(now: datetime) -> Literal["morning", "noon", "afternoon", "evening"]:
    """Which greeting fits: morning from 4, noon from 11, afternoon from 13, evening from 18 through the night."""
    if 4 <= now.hour < 11:
        return "morning"
    return "noon" if 11 <= now.hour < 13 else "afternoon" if 13 <= now.hour < 18 else "evening"


def format_time(moment: datetime) -> str:
    """In sentences: "19 giờ 30", "7 giờ", "7 giờ 05"."""
    return f"{moment.hour} giờ {moment.minute:02}" if moment.minute else f"{moment.hour} giờ"


def format_clock(moment: datetime) -> str:
    """In lists: "19:30", "7:05"."""
    return f"{moment.hour}:{moment.minute:02}"
