"""The hours of each shift: nobody is woken, nothing comes at work, Sundays and Tết's first days are quiet."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from content.calendar import LOCAL, tet
from content.windows import (
    WINDOWS,
    awake,
    is_daytime,
    last_end,
    next_daytime,
    next_slot,
    this_evening,
    when_to_send,
    windows,
)  # fmt: skip

SHIFTS = tuple(WINDOWS)
TIMINGS = ("window", "morning", "evening")
FRIDAY = date(2025, 7, 25)
QUIET = {
    "office": (("21:00", "24:00"), ("00:00", "06:30"), ("08:00", "11:30"), ("13:00", "17:00")),
    "morning": (("20:30", "24:00"), ("00:00", "14:00")),
    "afternoon": (("14:00", "24:00"), ("00:00", "08:30")),
    "night": (("22:00", "24:00"), ("00:00", "15:00")),
    "rotating": (("18:30", "24:00"), ("00:00", "17:00")),
}
"""When each shift sleeps or works (5-voice §5.4): from, up to."""


def at(clock: str, day: date = FRIDAY) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime.combine(day + timedelta(days=hour // 24), time(hour % 24, minute), LOCAL)


def clock(moment: datetime) -> str:
    return moment.astimezone(LOCAL).strftime("%a %H:%M")


@pytest.mark.parametrize(
    ("shift", "asked", "expected"),
    [
        ("office", "00:10", "Fri 11:30"), ("office", "12:15", "Fri 12:15"), ("office", "13:00", "Fri 17:00"),
        ("office", "20:29", "Fri 20:29"), ("office", "20:30", "Sat 11:30"), ("morning", "09:00", "Fri 14:30"),
        ("morning", "20:00", "Sat 14:30"), ("afternoon", "08:59", "Fri 09:00"), ("afternoon", "15:00", "Sat 09:00"),
        ("night", "09:00", "Fri 15:30"), ("rotating", "12:00", "Fri 17:00"), ("rotating", "18:30", "Sat 17:00"),
    ],
)  # fmt: skip
def test_each_shift_has_its_hours(shift: str, asked: str, expected: str) -> None:
    assert clock(next_slot(shift, at(asked))) == expected


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("timing", TIMINGS)
def test_nobody_is_ever_written_to_while_asleep_or_at_work(shift: str, timing: str) -> None:
    for quarter in range(8 * 96):
        asked = at("00:00") + timedelta(minutes=15 * quarter)
        slot = next_slot(shift, asked, timing)
        assert slot >= asked and slot - asked < timedelta(days=3)
        now = slot.astimezone(LOCAL).strftime("%H:%M")
        assert not any(begin <= now < end for begin, end in QUIET[shift]), (clock(asked), clock(slot))


@pytest.mark.parametrize(
    ("shift", "expected"),
    [("office", "07:00"), ("morning", "14:30"), ("afternoon", "09:00"), ("night", "15:30"), ("rotating", "17:00")],
)  # fmt: skip
def test_on_an_anniversary_the_first_slot_of_the_day_is_for_the_office_at_seven(shift: str, expected: str) -> None:
    assert clock(next_slot(shift, at("06:30"), "morning")) == f"Fri {expected}"


def test_who_missed_the_early_window_of_an_anniversary_gets_it_at_noon() -> None:
    assert clock(next_slot("office", at("07:44"), "morning")) == "Fri 07:44"
    assert clock(next_slot("office", at("07:45"), "morning")) == "Fri 11:30"


@pytest.mark.parametrize(
    ("shift", "expected"),
    [("office", "17:00"), ("morning", "17:00"), ("afternoon", "09:00"), ("night", "17:00"), ("rotating", "17:00")],
)  # fmt: skip
def test_three_days_before_it_comes_in_the_evening_to_all_who_have_one(shift: str, expected: str) -> None:
    assert clock(next_slot(shift, at("06:30"), "evening")) == f"Fri {expected}"


@pytest.mark.parametrize("shift", SHIFTS)
def test_sundays_are_quiet_except_for_an_anniversary_on_its_own_day(shift: str) -> None:
    sunday = at("00:00", date(2025, 7, 27))
    assert next_slot(shift, sunday).weekday() == next_slot(shift, sunday, "evening").weekday() == 0
    assert next_slot(shift, sunday, "morning").weekday() == 6


@pytest.mark.parametrize("year", [2025, 2027, 2030])
@pytest.mark.parametrize("timing", TIMINGS)
def test_the_first_three_days_of_tet_are_quiet_whatever_it_is(year: int, timing: str) -> None:
    for ahead in range(-1, 4):
        slot = next_slot("office", at("06:00", tet(year) + timedelta(days=ahead)), timing)
        assert slot.date() not in [tet(year) + timedelta(days=n) for n in range(3)]
    assert next_slot("office", at("06:00", tet(2025)), timing).date() == tet(2025) + timedelta(days=3)


@pytest.mark.parametrize("shift", SHIFTS)
def test_a_day_ends_with_its_last_window(shift: str) -> None:
    end = last_end(shift, FRIDAY)
    assert next_slot(shift, end - timedelta(minutes=1)).date() == FRIDAY
    assert next_slot(shift, end).date() > FRIDAY


def test_moments_of_any_zone_are_read_in_vietnams_time() -> None:
    assert clock(next_slot("office", datetime(2025, 7, 25, 9, 55, tzinfo=UTC))) == "Fri 17:00"


@pytest.mark.parametrize(
    ("asked", "awake", "offered"),
    [("06:59", False, "Fri 17:00"), ("07:00", True, "Fri 17:00"), ("20:59", True, "Sat 07:30"), ("21:00", False, "Sat 07:30")],
)  # fmt: skip
def test_a_better_hour_is_offered_for_the_night(asked: str, awake: bool, offered: str) -> None:
    assert is_daytime(at(asked)) is awake
    assert clock(next_daytime(at(asked))) == offered


# ---------------------------------------------------------------------------------------------------- own hours


def shown(hours: str, timing: str = "window") -> str:
    return ", ".join(f"{start:%H:%M}-{end:%H:%M}" for start, end in windows(hours, timing))


@pytest.mark.parametrize(
    ("hours", "left"),
    [
        ("office 22:00-06:00", "11:30-13:00, 17:00-20:30"), ("office 12:00-18:30", "11:30-12:00, 18:30-20:30"),
        ("office 12:50-17:00", "11:30-12:50, 17:00-20:30"), ("office 19:00-12:50", "17:00-19:00"),
        ("office 11:00-21:00", "07:00-11:00"), ("afternoon 08:00-14:00", "14:00-22:00"),
        ("night 15:00-21:00", "21:00-22:00"), ("rotating 13:00-20:00", "07:00-13:00, 20:00-21:00"),
        ("morning 14:00-20:30", "07:00-14:00"), ("night 15:00-05:00", "07:00-15:00"),
    ],
)  # fmt: skip
def test_own_hours_narrow_the_windows_of_the_shift_and_where_nothing_is_left_the_waking_day_is(
    hours: str, left: str
) -> None:
    assert shown(hours) == left


def test_own_hours_hold_on_an_anniversary_and_in_the_evening_too() -> None:
    assert shown("office 22:00-07:20", "morning") == "07:20-07:45, 11:30-13:00, 17:00-20:30"
    assert shown("office 22:00-08:00", "morning") == "11:30-13:00, 17:00-20:30"
    assert shown("office 19:00-06:00", "evening") == "17:00-19:00"
    assert shown("office 16:00-22:00", "evening") == "11:30-13:00"


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("timing", TIMINGS)
def test_whatever_hours_somebody_sets_nothing_comes_in_them_and_something_comes_soon(shift: str, timing: str) -> None:
    for begins in range(0, 24, 2):
        for long in range(1, 15):
            ends = (begins + long) % 24
            hours = f"{shift} {begins:02}:00-{ends:02}:00"
            for asked in range(0, 24, 3):
                for moment in (next_slot(hours, at(f"{asked:02}:20"), timing), awake(hours, at(f"{asked:02}:20"))):
                    assert not 0 <= (moment.astimezone(LOCAL).hour - begins) % 24 < long, (hours, asked, clock(moment))
                    assert moment - at(f"{asked:02}:20") < timedelta(days=3)


def test_what_concerns_one_person_waits_out_their_sleep_and_their_own_hours() -> None:
    assert clock(awake("office 20:00-08:00", at("20:30"))) == "Sat 08:00"
    assert clock(awake("office 06:00-09:00", at("23:00"))) == "Sat 09:00"
    assert clock(awake("night 15:00-17:00", at("10:00"))) == "Fri 17:00"
    assert clock(awake("office 12:00-13:00", at("11:59"))) == "Fri 11:59"


def test_what_is_sent_at_one_hour_to_all_waits_for_who_wants_nothing_then_unless_it_is_urgent() -> None:
    noon = at("12:00")
    assert when_to_send("notice", "now", "office", noon, noon) == (noon, at("21:00"))
    assert when_to_send("notice", "now", "office 11:00-14:00", noon, noon) == (at("17:00"), at("20:30"))
    assert when_to_send("urgent", "now", "office 11:00-14:00", noon, noon) == (noon, None)


@pytest.mark.parametrize(
    ("hours", "asked", "expected"),
    [
        ("office", "16:55", "Fri 19:00"), ("office", "19:00", "Sat 19:00"), ("morning", "08:00", "Fri 19:00"),
        ("afternoon", "08:00", "Fri 09:00"), ("afternoon", "13:30", "Sat 09:00"), ("night", "15:40", "Fri 19:00"),
        ("rotating", "12:00", "Fri 17:00"), ("office 18:30-22:00", "12:00", "Fri 17:00"), ("office", "40:00", "Sat 19:00"),
        ("office", "64:00", "Sun 19:00"),
    ],
)  # fmt: skip
def test_this_evening_is_in_ones_own_hours_also_on_a_sunday(hours: str, asked: str, expected: str) -> None:
    assert clock(this_evening(hours, at(asked))) == expected
