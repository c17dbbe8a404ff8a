"""Moments and dates are read as people type them; what could mean two things is asked again."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.text import fold
from content.times import (
    PartialDate,
    format_clock,
    format_partial,
    format_time,
    greeting_part,
    is_future,
    parse_past_date,
    parse_when,
)

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 4, 21, 9, 15, tzinfo=VIETNAM)  # a Tuesday


def read(text: str, now: datetime = NOW) -> str | None:
    moment = parse_when(text, now)
    assert moment is None or moment.tzinfo is VIETNAM
    return f"{moment:%Y-%m-%d %H:%M}" if moment else None


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("19 giờ 30 hôm nay", "2026-04-21 19:30"),
        ("19h30", "2026-04-21 19:30"),
        ("19:30", "2026-04-21 19:30"),
        ("19g30", "2026-04-21 19:30"),
        ("19h", "2026-04-21 19:00"),
        ("19h30p hôm nay nhé", "2026-04-21 19:30"),
        ("8h sáng mai", "2026-04-22 08:00"),
        ("8 gio sang mai", "2026-04-22 08:00"),
        ("8 giờ rưỡi sáng mai", "2026-04-22 08:30"),
        ("8 giờ kém 15 sáng mai", "2026-04-22 07:45"),
        ("3 giờ chiều thứ sáu", "2026-04-24 15:00"),
        ("3 gio chieu thu 6", "2026-04-24 15:00"),
        ("15h t6", "2026-04-24 15:00"),
        ("30/4 7:00", "2026-04-30 07:00"),
        ("7:00 30/4", "2026-04-30 07:00"),
        ("7h 30/4", "2026-04-30 07:00"),
        ("7h30 ngày 30-4", "2026-04-30 07:30"),
        ("7h ngày 30/4/2026", "2026-04-30 07:00"),
        ("7h 30.4.2026", "2026-04-30 07:00"),
        ("7h 30/4/26", "2026-04-30 07:00"),
        ("7 giờ ngày 30 tháng 4 năm 2026", "2026-04-30 07:00"),
        ("7h ngày 30 tháng 4", "2026-04-30 07:00"),
        ("7h ngày 30", "2026-04-30 07:00"),
        ("7h ngày 2", "2026-05-02 07:00"),
        ("ngay mai 7h", "2026-04-22 07:00"),
        ("toi nay 19h", "2026-04-21 19:00"),
        ("tối nay 7 giờ", "2026-04-21 19:00"),
        ("8h toi nay", "2026-04-21 20:00"),
        ("7 giờ 30 tối mai", "2026-04-22 19:30"),
        ("tối thứ bảy 8h", "2026-04-25 20:00"),
        ("tôi muốn gửi lúc 10h", "2026-04-21 10:00"),
        ("trưa mai 12h", "2026-04-22 12:00"),
        ("1h trưa mai", "2026-04-22 13:00"),
        ("11h30 trưa nay", "2026-04-21 11:30"),
        ("12 giờ đêm nay", "2026-04-22 00:00"),
        ("24h hôm nay", "2026-04-22 00:00"),
        ("11 giờ đêm nay", "2026-04-21 23:00"),
        ("7h sáng ngày kia", "2026-04-23 07:00"),
        ("7h sáng mốt", "2026-04-23 07:00"),
        ("7h chủ nhật", "2026-04-26 07:00"),
        ("7h CN", "2026-04-26 07:00"),
        ("10h thứ ba", "2026-04-21 10:00"),
        ("8h thứ ba", "2026-04-28 08:00"),
        ("8h thứ ba tới", "2026-04-28 08:00"),
        ("8h thứ hai tuần sau", "2026-04-27 08:00"),
        ("8h thứ sáu tuần tới", "2026-05-01 08:00"),
        ("8h thứ hai tuần này", "2026-04-20 08:00"),
        ("7h thứ năm 30/4", "2026-04-30 07:00"),
        ("24h thứ năm 30/4", "2026-05-01 00:00"),
        ("7h thứ sáu 30/4", None),
        ("12 giờ đêm thứ sáu", "2026-04-25 00:00"),
        ("7h thứ năm 23/4", "2026-04-23 07:00"),
        ("bảy giờ sáng mai", "2026-04-22 07:00"),
        ("mười một giờ trưa mai", "2026-04-22 11:00"),
        ("2 tiếng nữa", "2026-04-21 11:15"),
        ("sau 30 phút nữa", "2026-04-21 09:45"),
        ("nửa tiếng nữa", "2026-04-21 09:45"),
        ("1 giờ rưỡi nữa", "2026-04-21 10:45"),
        ("7h sáng nay", "2026-04-21 07:00"),
        ("8h tối qua", "2026-04-20 20:00"),
        ("8h toi qua", "2026-04-20 20:00"),
        ("8h sáng hôm qua", "2026-04-20 08:00"),
        ("9h đêm qua", "2026-04-20 21:00"),
        ("8h sáng hôm kia", "2026-04-19 08:00"),
        ("7h 01/4", "2026-04-01 07:00"),
        ("7h 03/02", "2026-02-03 07:00"),
    ],
)
def test_a_moment_is_read_however_it_is_typed(typed: str, moment: str | None) -> None:
    assert read(typed) == moment


@pytest.mark.parametrize(
    "typed",
    [
        "", "mai", "chiều nay", "bay gio", "bây giờ", "25h", "7:75", "19:30:15", "31/2 7:00", "7h đến 9h", "lúc 7",
        "7h hôm nay hoặc mai", "13h sáng mai", "2h đêm nay", "7h sáng chiều", "thu sau toi 7h", "gửi 30 người lúc 7h",
        "8h kém 75", "7:60",
        "7h60", "24:30", "sau giờ làm", "7h 30/4 hoặc 1/5", "7h ngày 32", "8h thứ sáu tuần trước", "8h thứ sáu vừa rồi", "trước 8h sáng mai", "8h tuần qua", "7-9h", "2 tiếng nữa 7h", "a" * 250,
        "30/7/1925 7:00", "8h 1/1/2999", "8h ngày 5 tháng 5 năm 1900",
    ],
)  # fmt: skip
def test_an_unclear_moment_is_asked_again(typed: str) -> None:
    assert read(typed) is None


def test_hours_may_be_words() -> None:
    words = ["một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín", "mười", "mười một"]
    for hour, word in enumerate(words, start=1):
        assert read(f"{word} giờ sáng mai") == f"2026-04-22 {hour:02}:00"
        if word not in ("sáu", "bảy"):
            assert read(fold(f"{word} giờ sáng mai")) == f"2026-04-22 {hour:02}:00"


def test_unmarked_friday_evening_is_clear_once_the_hour_is() -> None:
    assert read("thu sau toi 19h") == "2026-04-24 19:00"
    assert read("thứ sáu tới 7h") == "2026-04-24 07:00"
    assert read("thứ sáu tối 7h") == "2026-04-24 19:00"


def test_a_date_without_year_is_the_next_one_unless_it_just_passed() -> None:
    december = datetime(2026, 12, 25, 9, 0, tzinfo=VIETNAM)
    assert read("7h 03/02", december) == "2027-02-03 07:00"
    assert read("7h 20/12", december) == "2026-12-20 07:00"
    assert read("7h ngày 2", december) == "2027-01-02 07:00"


@given(st.text() | st.text(st.sampled_from("0123456789:/-.h giờmaitốinayhứsáu"), max_size=30))
def test_reading_a_moment_never_fails(text: str) -> None:
    parse_when(text, NOW)


@given(st.datetimes(datetime(2026, 4, 21), datetime(2026, 9, 30)))
def test_what_we_write_as_a_moment_we_read(moment: datetime) -> None:
    moment = moment.replace(second=0, microsecond=0, tzinfo=VIETNAM)
    written = f"{moment.day}/{moment.month}/{moment.year}"
    assert parse_when(f"{format_time(moment)} ngày {written}", NOW) == moment
    assert parse_when(f"{format_clock(moment)} {written}", NOW) == moment


TODAY = date(2026, 4, 21)


@pytest.mark.parametrize(
    ("typed", "partial"),
    [
        ("3/2026", (2026, 3, None)),
        ("03-2026", (2026, 3, None)),
        ("tháng 3/2026, chuyền 5", (2026, 3, None)),
        ("chuyền 5 từ tháng 3/2026", (2026, 3, None)),
        ("15/3/2026", (2026, 3, 15)),
        ("15.3.2026 tại tổ 2", (2026, 3, 15)),
        ("15/3/26", (2026, 3, 15)),
        ("3/26", (2026, 3, None)),
        ("ngày 15 tháng 3 năm 2026", (2026, 3, 15)),
        ("ngày 15 tháng 3", (2026, 3, 15)),
        ("thang 3", (2026, 3, None)),
        ("tháng ba", (2026, 3, None)),
        ("tháng mười hai năm 2025", (2025, 12, None)),
        ("tháng 11", (2025, 11, None)),
        ("tháng 3 năm nay", (2026, 3, None)),
        ("tháng 5 năm nay", (2026, 5, None)),
        ("tháng 3 năm ngoái", (2025, 3, None)),
        ("tháng 3 năm trước", (2025, 3, None)),
        ("tháng năm năm ngoái", (2025, 5, None)),
        ("năm 2024", (2024, None, None)),
        ("từ 2024, chuyền 5", (2024, None, None)),
        ("15/3", (2026, 3, 15)),
        ("15/11", (2025, 11, 15)),
        ("21/4", (2026, 4, 21)),
        ("29/02/2024", (2024, 2, 29)),
        ("2 năm trước", (2024, None, None)),
        ("5 tháng trước", (2025, 11, None)),
        ("tháng trước", (2026, 3, None)),
        ("tháng 4", (2026, 4, None)),
        ("3/29", None),
        ("thang nay", (2026, 4, None)),
        ("năm ngoái, tổ 3", (2025, None, None)),
        ("đầu năm nay", (2026, None, None)),
        ("hôm qua", (2026, 4, 20)),
        ("hôm nay", (2026, 4, 21)),
        ("12/2027", (2027, 12, None)),
        ("30/2/2026", None),
        ("13/2026", None),
        ("29/02", None),
        ("lâu rồi", None),
        ("mấy năm trước", None),
        ("chuyền 5", None),
        ("2.000 sản phẩm", None),
        ("", None),
    ],
)
def test_since_when_is_read_however_it_is_typed(typed: str, partial: tuple[int, int | None, int | None] | None) -> None:
    assert parse_past_date(typed, TODAY) == partial


@given(st.text() | st.text(st.sampled_from("0123456789/.- thángnămtrước"), max_size=30))
def test_reading_a_past_date_never_fails(text: str) -> None:
    parse_past_date(text, TODAY)


@given(st.dates(date(1950, 1, 1), TODAY))
def test_what_we_write_as_a_date_we_read(day: date) -> None:
    for partial in (PartialDate(day.year, day.month, day.day), PartialDate(day.year, day.month), PartialDate(day.year)):
        assert parse_past_date(format_partial(partial), TODAY) == partial


def test_a_date_ahead_is_known_to_be_ahead() -> None:
    assert is_future(PartialDate(2026, 4, 22), TODAY)
    assert not is_future(PartialDate(2026, 4, 21), TODAY)
    assert not is_future(PartialDate(2026, 4), TODAY) and not is_future(PartialDate(2026), TODAY)
    assert is_future(PartialDate(2026, 5), TODAY) and is_future(PartialDate(2027), TODAY)


def test_dates_are_written_as_official_papers_write_them() -> None:
    written = [
        PartialDate(2026, 3, 15),
        PartialDate(1930, 2, 3),
        PartialDate(1945, 9, 2),
        PartialDate(2026, 1),
        PartialDate(2024),
    ]
    assert [format_partial(partial) for partial in written] == [
        "15/3/2026",
        "03/02/1930",
        "02/9/1945",
        "tháng 01/2026",
        "năm 2024",
    ]


def test_hours_are_written_for_sentences_and_for_lists() -> None:
    hours = [NOW.replace(hour=hour, minute=minute) for hour, minute in ((19, 30), (7, 0), (7, 5), (0, 0))]
    assert [format_time(moment) for moment in hours] == ["19 giờ 30", "7 giờ", "7 giờ 05", "0 giờ"]
    assert [format_clock(moment) for moment in hours] == ["19:30", "7:00", "7:05", "0:00"]


def test_the_greeting_follows_the_day_of_a_shift_worker() -> None:
    parts = {hour: greeting_part(NOW.replace(hour=hour)) for hour in (0, 3, 4, 10, 11, 12, 13, 17, 18, 23)}
    assert parts == {
        **dict.fromkeys((0, 3, 18, 23), "evening"),
        **dict.fromkeys((4, 10), "morning"),
        **dict.fromkeys((11, 12), "noon"),
        **dict.fromkeys((13, 17), "afternoon"),
    }
