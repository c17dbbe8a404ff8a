"""The hours a person wants nothing in, read the way people type them."""

from __future__ import annotations

import pytest

from content.hours import format_span, from_text, length, parse_hours, to_text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("22h-6h", "22:00-06:00"), ("22:00 6:00", "22:00-06:00"), ("22-6", "22:00-06:00"), ("22h 6h", "22:00-06:00"),
        ("từ 10 giờ tối đến 6 giờ sáng", "22:00-06:00"), ("khong nhan tu 9h toi den 5h sang", "21:00-05:00"),
        ("9h toi 5h sang", "21:00-05:00"), ("22h tới 6h", "22:00-06:00"), ("22 giờ 30 - 5", "22:30-05:00"),
        ("tối 10 giờ đến sáng 6 giờ", "22:00-06:00"), ("mười giờ đêm tới năm giờ sáng", "22:00-05:00"),
        ("10 gio dem toi 5 gio sang", "22:00-05:00"), ("12h đêm đến 6h", "00:00-06:00"), ("24h đến 5h", "00:00-05:00"),
        ("10h30 tối đến 5h rưỡi sáng", "22:30-05:30"), ("1h chieu den 5h chieu", "13:00-17:00"),
        ("Không nhắn từ 13 giờ đến 17 giờ ạ", "13:00-17:00"), ("tu 22 gio den 6 gio sang hom sau", "22:00-06:00"),
    ],
)  # fmt: skip
def test_hours_are_read_as_people_type_them(typed: str, meant: str) -> None:
    span = parse_hours(typed)
    assert span is not None and to_text(span) == meant


@pytest.mark.parametrize(
    "typed", ["", "ban đêm", "22h", "25h-6h", "22h-22h", "22h-6h, 12h-13h", "5h tối sáng đến 6h", "6 giờ 75 đến 9h", "22" * 60]
)  # fmt: skip
def test_what_does_not_name_two_hours_is_not_guessed_at(typed: str) -> None:
    assert parse_hours(typed) is None


def test_a_span_is_stored_read_back_and_shown() -> None:
    span = parse_hours("22h30 - 6h")
    assert span is not None and from_text(to_text(span)) == span and from_text("") is None
    assert format_span(span) == "22:30–6:00"
    assert length(span).total_seconds() == 7.5 * 3600
