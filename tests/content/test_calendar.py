"""The calendar: Vietnam's lunar days, the way official papers write a date, round years, working days."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from content.calendar import (
    add_working_days,
    ancestors_day,
    around_tet,
    can_chi,
    day_start,
    days_to_tet,
    is_given_instead,
    is_holiday,
    is_working_day,
    local_date,
    lunar,
    official,
    official_day_month,
    round_class,
    tet,
    weekday,
    working_days_between,
)
from tests.content import moon


@pytest.mark.parametrize(
    ("year", "month", "day", "name"),
    [
        (2024, 2, 10, "Giáp Thìn"), (2025, 1, 29, "Ất Tỵ"), (2026, 2, 17, "Bính Ngọ"), (2027, 2, 6, "Đinh Mùi"),
        (2028, 1, 26, "Mậu Thân"), (2029, 2, 13, "Kỷ Dậu"), (2030, 2, 2, "Canh Tuất"), (2031, 1, 23, "Tân Hợi"),
    ],
)  # fmt: skip
def test_tet_falls_on_the_days_the_pages_give(year: int, month: int, day: int, name: str) -> None:
    assert tet(year) == date(year, month, day)
    assert can_chi(year) == name
    assert lunar(tet(year)) == (1, 1, year)


YEARS = range(1990, 2100)


def test_tet_and_the_ancestors_day_are_those_of_sun_and_moon_in_every_year() -> None:
    """An independent reckoning (`moon`), at Vietnam's UTC+7."""
    for year in YEARS:
        assert tet(year) == moon.months(year)[1, False], year
        assert ancestors_day(year) == moon.ancestors_day(year), year


def test_vietnam_keeps_its_own_days_where_china_has_others() -> None:
    """New moons between 23:00 and midnight in Vietnam are the next day's in China: these years and no others."""
    other = {year: moon.months(year, moon.CHINA)[1, False] for year in YEARS}
    assert {y: (tet(y), other[y]) for y in YEARS if tet(y) != other[y]} == {
        2007: (date(2007, 2, 17), date(2007, 2, 18)), 2030: (date(2030, 2, 2), date(2030, 2, 3)),
        2053: (date(2053, 2, 18), date(2053, 2, 19)),
    }  # fmt: skip
    third = {year: moon.ancestors_day(year, moon.CHINA) for year in YEARS}
    assert {y: ancestors_day(y) for y in YEARS if ancestors_day(y) != third[y]} == {
        2009: date(2009, 4, 4), 2037: date(2037, 4, 24), 2038: date(2038, 4, 13), 2085: date(2085, 4, 3),
        2086: date(2086, 4, 22), 2095: date(2095, 4, 13),
    }  # fmt: skip


def test_every_lunar_month_begins_with_its_new_moon() -> None:
    """All but a dozen too close to midnight. The library has one wrong, the fourth month of 2054: its moon is 14 seconds after midnight."""
    checked = 0
    for year in YEARS:
        doubtful = moon.near_midnight(year)
        for (month, _), day in moon.months(year).items():
            if day not in doubtful:
                assert lunar(day)[:2] == (1, month), day
                checked += 1
    assert checked > 1340
    assert lunar(date(2054, 5, 8)) == (2, 4, 2054) and date(2054, 5, 8) in moon.near_midnight(2054)


@pytest.mark.parametrize("day", [date(2025, 4, 7), date(2026, 4, 26), date(2027, 4, 16), date(2028, 4, 4)])
def test_the_ancestors_day_is_the_tenth_of_the_third_lunar_month(day: date) -> None:
    assert ancestors_day(day.year) == day and lunar(day)[:2] == (10, 3)


def test_both_ways_of_counting_agree_in_every_year_that_can_be_planned() -> None:
    for year in range(1990, 2100):
        assert lunar(tet(year)) == (1, 1, year)
        assert lunar(tet(year) - timedelta(days=1))[1] == 12
        assert lunar(ancestors_day(year)) == (10, 3, year)


@pytest.mark.parametrize(
    ("day", "short", "long"),
    [
        (date(1930, 2, 3), "03/02", "03/02/1930"), (date(2025, 4, 30), "30/4", "30/4/2025"), (date(2025, 9, 2), "02/9", "02/9/2025"),
        (date(2025, 7, 28), "28/7", "28/7/2025"), (date(1890, 5, 19), "19/5", "19/5/1890"), (date(2026, 1, 15), "15/01", "15/01/2026"),
        (date(2026, 2, 28), "28/02", "28/02/2026"), (date(2026, 3, 9), "09/3", "09/3/2026"), (date(2026, 11, 24), "24/11", "24/11/2026"),
        (date(2026, 10, 1), "01/10", "01/10/2026"),
    ],
)  # fmt: skip
def test_dates_are_written_as_in_official_papers(day: date, short: str, long: str) -> None:
    assert official_day_month(day) == short
    assert official(day) == long


def test_days_of_the_week_have_their_vietnamese_names() -> None:
    monday = date(2025, 7, 28)
    names = [weekday(monday + timedelta(days=n)) for n in range(7)]
    assert names == ["thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"]


def test_a_moment_belongs_to_the_day_in_vietnam() -> None:
    assert local_date(datetime(2025, 7, 27, 17, 0, tzinfo=UTC)) == date(2025, 7, 28)
    assert local_date(datetime(2025, 7, 27, 16, 59, tzinfo=UTC)) == date(2025, 7, 27)
    assert local_date(date(2025, 7, 28)) == date(2025, 7, 28)


@pytest.mark.parametrize(
    ("ordinal", "kind"), [(100, "round"), (80, "round"), (50, "round"), (95, "five"), (135, "five"), (96, "plain"), (101, "plain")]
)  # fmt: skip
def test_round_years_and_those_that_end_in_five_are_told_apart(ordinal: int, kind: str) -> None:
    assert round_class(ordinal) == kind


def test_the_weeks_around_tet_reach_from_the_kitchen_gods_to_the_sixth() -> None:
    first = date(2027, 2, 6)
    days = [first + timedelta(days=n) for n in range(-30, 31)]
    near = [day for day in days if around_tet(day)]
    assert lunar(near[0])[:2] == (23, 12) and lunar(near[-1])[:2] == (6, 1)
    assert len(near) == (near[-1] - near[0]).days + 1
    assert (days_to_tet(date(2027, 2, 3)), days_to_tet(first), days_to_tet(date(2027, 2, 9))) == (3, 0, -3)
    assert days_to_tet(date(2026, 12, 31)) == 37


# ---------------------------------------------------------------------------------------------------- working days


@pytest.mark.parametrize(
    "day",
    [
        date(2025, 1, 1), date(2025, 4, 7), date(2025, 4, 30), date(2025, 5, 1), date(2025, 9, 1), date(2025, 9, 2),
        date(2026, 2, 16), date(2026, 2, 17), date(2026, 2, 18), date(2026, 2, 19), date(2026, 2, 20), date(2026, 11, 24),
    ],
)  # fmt: skip
def test_public_holidays_are_no_working_days(day: date) -> None:
    assert is_holiday(day) and not is_working_day(day)


def test_the_culture_day_is_off_from_2026_on() -> None:
    assert is_working_day(date(2025, 11, 24)) and not is_working_day(date(2026, 11, 24))


@pytest.mark.parametrize("day", [date(2025, 9, 3), date(2026, 2, 13), date(2026, 2, 23), date(2025, 7, 28)])
def test_days_beside_the_holidays_and_anniversaries_without_leave_are_worked(day: date) -> None:
    assert not is_holiday(day) and is_working_day(day)


@pytest.mark.parametrize(
    ("holiday", "instead"),
    [
        (date(2026, 4, 26), date(2026, 4, 27)),  # the ancestors' day on a Sunday
        (date(2027, 5, 1), date(2027, 5, 3)),  # on a Saturday
        (date(2023, 4, 30), date(2023, 5, 3)),  # behind 1/5 and the day for 29/4
        (date(2024, 9, 1), date(2024, 9, 3)),
        (date(2027, 2, 7), date(2027, 2, 11)),  # Tết with a whole weekend in it
    ],
)
def test_a_holiday_at_the_weekend_gives_the_next_working_day(holiday: date, instead: date) -> None:
    assert holiday.weekday() >= 5 and is_holiday(holiday)
    assert is_given_instead(instead) and not is_working_day(instead) and not is_holiday(instead)
    assert is_working_day(instead + timedelta(days=1)) or (instead + timedelta(days=1)).weekday() >= 5


def test_for_the_culture_day_at_a_weekend_no_other_day_is_promised() -> None:
    assert date(2029, 11, 24).weekday() == 5 and is_working_day(date(2029, 11, 26))


def test_every_year_eleven_days_from_monday_to_friday_are_off_and_the_culture_day() -> None:
    for year in range(2020, 2040):
        days = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
        off = Counter(day.month for day in days if day.weekday() < 5 and not is_working_day(day))
        culture = year >= 2026 and date(year, 11, 24).weekday() < 5
        assert off.total() == 11 + culture, (year, off)


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        (date(2025, 7, 25), 0, date(2025, 7, 25)),
        (date(2025, 7, 25), 1, date(2025, 7, 28)),  # Friday to Monday
        (date(2025, 7, 26), 1, date(2025, 7, 28)),
        (date(2025, 7, 25), 5, date(2025, 8, 1)),
        (date(2025, 8, 29), 2, date(2025, 9, 4)),  # over 1/9 and 2/9
        (date(2026, 2, 13), 1, date(2026, 2, 23)),  # over Tết
        (date(2026, 11, 23), 1, date(2026, 11, 25)),  # over the culture day
        (date(2025, 12, 31), 1, date(2026, 1, 2)),
    ],
)
def test_working_days_are_counted_over_weekends_and_holidays(start: date, count: int, end: date) -> None:
    assert add_working_days(start, count) == end
    assert working_days_between(start, end) == count
    assert working_days_between(end, start) == -count


def test_working_days_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError, match="forwards"):
        add_working_days(date(2025, 7, 25), -1)


def test_a_day_begins_at_midnight_in_vietnam() -> None:
    assert day_start(datetime(2025, 7, 27, 17, 0, tzinfo=UTC)) == datetime(2025, 7, 27, 17, 0, tzinfo=UTC)
    assert day_start(datetime(2025, 7, 27, 16, 59, tzinfo=UTC)) == datetime(2025, 7, 26, 17, 0, tzinfo=UTC)
