"""Solar and lunar dates of Vietnam, ordinals, working days and the way official papers write a date (pure)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from functools import cache

from vnlunar import get_lunar_date, get_solar_date, get_year_can_chi

LOCAL = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""Vietnam has one zone and no summer time."""

WEEKDAYS = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")

SOLAR_HOLIDAYS = ((1, 1), (30, 4), (1, 5), (1, 9), (2, 9))
"""(day, month) off with pay, Labour Code art. 112 (1). 2/9 has two days and the Prime Minister names each year whether
the day before or after is the other one (art. 112 (3)): 1/9 is assumed here, 3/9 is not."""

TET_DAYS = range(-1, 4)
"""Days from Tết that are off. It has five, named each year (art. 112 (3)): the last day of the old lunar year and the
first four of the new are assumed."""

CULTURE_DAY = ((24, 11), 2026)
"""24/11 is a day off from 2026 (Resolution 28/2026/QH16; fact sheet, section 1, point 7)."""

LABOUR_CODE = 2021
"""The year from which on the Labour Code of 2019 is in force (its art. 220); before it nothing is said of days off."""

LONGEST_REST = timedelta(days=14)
"""More than any run of holidays, weekends and the days given for them."""

KITCHEN_GODS = 23
"""23 tháng Chạp, when the weeks around Tết begin (4-conversation §4.5)."""


def local_date(value: date | datetime) -> date:
    """The date in Vietnam of a date or an aware moment."""
    return value.astimezone(LOCAL).date() if isinstance(value, datetime) else value


def day_start(moment: datetime) -> datetime:
    """Midnight in Vietnam of the day of a moment."""
    return datetime.combine(local_date(moment), time(), LOCAL)


def official_day_month(day: date) -> str:
    """Day and month as official papers write them: days under 10 and months 1 and 2 take a zero (Decree 30/2020)."""
    return f"{day.day:02d}/{day.month:02d}" if day.month < 3 else f"{day.day:02d}/{day.month}"


def official(day: date) -> str:
    """A date as official papers write it: 03/02/1930, 30/4/1975, 02/9/1945."""
    return f"{official_day_month(day)}/{day.year}"


def weekday(day: date) -> str:
    """The name of the day of the week."""
    return WEEKDAYS[day.weekday()]


def lunar(day: date) -> tuple[int, int, int]:
    """(day, month, year) of the Vietnamese lunar calendar; a leap month bears the number of the one before it."""
    found = get_lunar_date(day.day, day.month, day.year)
    return int(found["day"]), int(found["month"]), int(found["year"])


def in_leap_month(day: date) -> bool:
    """Whether a day lies in a leap month of the Vietnamese lunar calendar: 25/7/2025 is 1/6, as 25/6/2025 was."""
    return bool(get_lunar_date(day.day, day.month, day.year)["leap"])


def tet(year: int) -> date:
    """The first day of the lunar year that begins in this solar year."""
    return from_lunar(1, 1, year)


def ancestors_day(year: int) -> date:
    """Giỗ Tổ Hùng Vương, the 10th of the third lunar month."""
    return from_lunar(10, 3, year)


@cache
def from_lunar(day: int, month: int, year: int) -> date:
    """The solar date of a day of the Vietnamese lunar calendar (UTC+7), not of a leap month. Raises ValueError.

    From the library vnlunar, held against the sun and the moon for every year from 1990 to 2099 by a test: its one wrong
    month (the fourth of 2054) holds none of our days.
    """
    found = get_solar_date(day, month, year, 0)
    if found is None:
        raise ValueError(f"there is no {day}/{month} in the lunar year {year}")
    return date(int(found["year"]), int(found["month"]), int(found["day"]))


def can_chi(year: int) -> str:
    """The traditional name of the lunar year that begins in this solar year, such as "Canh Tuất" for 2030."""
    return str(get_year_can_chi(year))


def round_class(ordinal: int) -> str:
    """ "round" for a multiple of ten, "five" for one that ends in 5, else "plain" (Decree 111/2018, 145/2013)."""
    return "round" if ordinal % 10 == 0 else "five" if ordinal % 5 == 0 else "plain"


def days_to_tet(day: date) -> int:
    """Days from `day` to the nearest Tết, the coming or the last one; negative after it."""
    gaps = [(tet(year) - day).days for year in (day.year, day.year + 1)]
    return min(gaps, key=abs)


@cache
def around_tet(day: date) -> bool:
    """Whether a day lies between 23 tháng Chạp and mùng 6 Tết."""
    lunar_day, month, _ = lunar(day)
    return (month == 12 and lunar_day >= KITCHEN_GODS) or (month == 1 and lunar_day <= 6)


def is_holiday(day: date) -> bool:
    """Whether a day is a public holiday with pay; the assumptions stand beside the tables above."""
    return _in_labour_code(day) or ((day.day, day.month) == CULTURE_DAY[0] and day.year >= CULTURE_DAY[1])


@cache
def days_off(year: int) -> tuple[date, ...]:
    """All public holidays with pay of a year, in order; none for years before the Labour Code of 2019."""
    if year < LABOUR_CODE:
        return ()
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    return tuple(day for day in days if day.year == year and is_holiday(day))


def _in_labour_code(day: date) -> bool:
    if (day.day, day.month) in SOLAR_HOLIDAYS:
        return True
    return day == ancestors_day(day.year) or -days_to_tet(day) in TET_DAYS


def is_given_instead(day: date) -> bool:
    """Whether a day is off because a holiday fell on a Saturday or Sunday (Labour Code art. 111 (3)).

    The law gives the next working day for holidays of its art. 112; for 24/11 nothing says so, and nothing is assumed.
    """
    if not _may_be_worked(day):
        return False
    owed = 0
    here = day - LONGEST_REST
    while here < day:
        if _may_be_worked(here):
            owed = max(0, owed - 1)
        elif here.weekday() >= 5 and _in_labour_code(here):
            owed += 1
        here += timedelta(days=1)
    return owed > 0


def _may_be_worked(day: date) -> bool:
    return day.weekday() < 5 and not is_holiday(day)


def is_working_day(day: date) -> bool:
    """Monday to Friday, no public holiday, and not the day given for a holiday at the weekend.

    Which days are off around 2/9 and Tết is decided anew each year; see the tables above for what is assumed.
    """
    return _may_be_worked(day) and not is_given_instead(day)


def add_working_days(day: date, count: int) -> date:
    """The `count`-th working day after a day; the day itself for 0. Raises ValueError for a negative count."""
    if count < 0:
        raise ValueError("working days are only counted forwards")
    here = day
    while count > 0:
        here += timedelta(days=1)
        count -= is_working_day(here)
    return here


def working_days_between(start: date, end: date) -> int:
    """Working days after `start` up to and including `end`; negative when `end` lies before."""
    if end < start:
        return -working_days_between(end, start)
    return sum(is_working_day(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))
