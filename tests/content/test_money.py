"""Amounts, counts and shares are read as workers type them, and never guessed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.money import (
    MAX_MONEY,
    SMALLEST_BARE,
    format_money,
    format_money_short,
    format_number,
    format_percent,
    parse_count,
    parse_money,
    parse_shares,
)
from content.text import fold

MILLION = 10**6


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("12tr", 12 * MILLION),
        ("12 tr", 12 * MILLION),
        ("tiết kiệm 500 000 đ", 500_000),
        ("tổ 5 050 đồng", 5_050),
        ("12TR/năm", 12 * MILLION),
        ("12,5 triệu", 12_500_000),
        ("12.5tr", 12_500_000),
        ("12,5 trieu dong", 12_500_000),
        ("12.500.000", 12_500_000),
        ("12,500,000", 12_500_000),
        ("12 500 000", 12_500_000),
        ("12500000", 12_500_000),
        ("12500000đ", 12_500_000),
        ("12.500.000 VNĐ", 12_500_000),
        ("12.500.000₫", 12_500_000),
        ("1 tỷ 2", 1_200_000_000),
        ("1,2 ty", 1_200_000_000),
        ("1 tỉ", 10**9),
        ("1 tỷ 250", 1_250_000_000),
        ("1 tỷ 200 triệu", 1_200_000_000),
        ("2 tỷ rưỡi", 2_500_000_000),
        ("500k", 500_000),
        ("500 nghìn", 500_000),
        ("500 ngan", 500_000),
        ("50.000đ", 50_000),
        ("12,500 đ", 12_500),
        ("1.250 triệu đồng", 1_250_000_000),
        ("3tr5", 3_500_000),
        ("3tr500", 3_500_000),
        ("1tỷ2 triệu", 1_002_000_000),
        ("12 triệu 500", 12_500_000),
        ("12 triệu 500 nghìn", 12_500_000),
        ("1 triệu 500 nghìn đồng", 1_500_000),
        ("2 triệu rưỡi", 2_500_000),
        ("2 trieu ruoi mot thang", 2_500_000),
        ("khoảng 12 triệu một năm", 12 * MILLION),
        ("12 triệu 1 năm", 12 * MILLION),
        ("1 năm 12 triệu", 12 * MILLION),
        ("12 triệu năm 2025", 12 * MILLION),
        ("làm lợi 12 triệu, giảm 5% hao hụt ở chuyền 5", 12 * MILLION),
        ("mười hai triệu", 12 * MILLION),
        ("muoi hai trieu", 12 * MILLION),
        ("hai mươi lăm triệu đồng", 25 * MILLION),
        ("hai lăm triệu", 25 * MILLION),
        ("năm trăm nghìn", 500_000),
        ("một trăm linh năm triệu", 105 * MILLION),
        ("hai triệu rưỡi", 2_500_000),
        ("một tỷ hai", 1_200_000_000),
        ("một tỷ hai trăm triệu", 1_200_000_000),
        ("nửa triệu", 500_000),
        ("2 trăm triệu", 200 * MILLION),
        ("3 chục triệu", 30 * MILLION),
        ("một năm hai mươi triệu", 20 * MILLION),
        ("mỗi năm mười triệu", 10 * MILLION),
        ("mỗi năm năm triệu", 5 * MILLION),
        ("- 12 triệu", 12 * MILLION),
        ("0 đồng", 0),
        ("50.000 đồng 2 cái", 50_000),
        ("50.000 đồng 2", 50_000),
        ("500000", 500_000),
        ("Tiết kiệm 12.500.000 một năm", 12_500_000),
        ("mức 3,5 triệu/tháng.", 3_500_000),
    ],
)
def test_an_amount_is_read_however_it_is_typed(typed: str, amount: int) -> None:
    assert parse_money(typed) == amount


@pytest.mark.parametrize(
    "typed",
    [
        "", "12", "12.500", "50.000", "nhiều lắm", "vài triệu", "mấy trăm triệu", "10-12 triệu", "10 - 12tr",
        "10 đến 12 triệu", "từ 10 triệu đến 12 triệu", "trước 5 triệu nay 3 triệu", "giảm từ 10 xuống 8 triệu",
        "500 usd", "12 nghìn đô la", "$12000000", "1,250 triệu", "0987654321", "tháng 3/2026", "15/3/2026",
        "3 đồng nghiệp", "kèm ba đồng nghiệp", "12k sản phẩm", "1200000 sản phẩm", "120000 người", "nhanh hơn 1 tí",
        "mỗi năm trăm triệu", "mot nam muoi trieu", "1,2345678 triệu", "12.5.00 triệu", "9" * 20, "9" * 20 + " tỷ",
        "1 triệu 2 triệu", "5 triệu và 3 triệu", "a" * 301 + " 12 triệu", "12%", "một trăm", "một trăm linh triệu",
        "100000 hoặc 200000",
    ],
)  # fmt: skip
def test_what_is_unclear_is_asked_again(typed: str) -> None:
    assert parse_money(typed) is None


@given(st.integers(SMALLEST_BARE, MAX_MONEY))
def test_what_we_write_we_read(amount: int) -> None:
    assert parse_money(format_money(amount)) == amount
    assert parse_money(format_number(amount)) == amount
    assert parse_money(str(amount)) == amount


@given(st.integers(0, 10**12))
def test_any_amount_with_its_unit_is_read(amount: int) -> None:
    assert parse_money(format_money(amount)) == amount
    assert parse_money(f"{amount}đ") == amount


@given(st.text() | st.text(st.sampled_from("0123456789.,-/ trỷktiệuđnăm hai mười"), max_size=40))
def test_reading_money_never_fails(text: str) -> None:
    amount = parse_money(text)
    assert amount is None or 0 <= amount <= MAX_MONEY


WORDS = ["một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"]


def test_every_number_in_words_is_read_with_and_without_marks() -> None:
    for value in range(1, 1000):
        hundreds, tens, ones = value // 100, value // 10 % 10, value % 10
        words = [WORDS[hundreds - 1], "trăm"] if hundreds else []
        words += {0: ["linh"] if hundreds and ones else [], 1: ["mười"]}.get(tens, [WORDS[tens - 1], "mươi"])
        words += [("lăm" if tens and ones == 5 else WORDS[ones - 1])] if ones else []
        assert parse_money(" ".join(words) + " triệu") == value * MILLION, words
        assert parse_money(fold(" ".join(words)) + " trieu") == value * MILLION, words


@pytest.mark.parametrize(
    ("typed", "count"),
    [
        ("125", 125), ("125 người", 125), ("1.250", 1250), ("khoảng 125 người ạ", 125), ("0", 0), ("99.999", 99_999),
        (" 7 .", 7), ("một trăm", None), ("12,5", None), ("-5", None), ("125 hoặc 130", None), ("5 triệu", None),
        ("12k", None), ("12%", None), ("", None), ("5 phần trăm", None), ("1" * 30, None),
    ],
)  # fmt: skip
def test_a_count_is_one_whole_number(typed: str, count: int | None) -> None:
    assert parse_count(typed) == count


def test_shares_are_read_one_a_line() -> None:
    lines = ["Quách Văn An 60%", "- Bùi Thị Hoa: 20 %", "", "3. đỗ hữu kỷ 10", "Y Moan - 5%, K'Brơi (5%)"]
    assert parse_shares(lines) == [
        ("Quách Văn An", 60),
        ("Bùi Thị Hoa", 20),
        ("Đỗ Hữu Kỷ", 10),
        ("Y Moan", 5),
        ("K'Brơi", 5),
    ]
    assert parse_shares([]) == []


@pytest.mark.parametrize(
    "bad", ["Bùi Thị Hoa", "Hoa 40%", "Bùi Thị Hoa 0%", "Bùi Thị Hoa 140%", "Bùi Hoa 33,3%", "40%", "Bùi Hoa 4000"]
)
def test_a_bad_line_of_shares_is_named_by_its_number(bad: str) -> None:
    with pytest.raises(ValueError, match=r"^2$"):
        parse_shares(["Quách Văn An 60%", bad])


def test_numbers_are_written_the_vietnamese_way() -> None:
    assert format_number(1234) == "1.234" and format_number(-1234567) == "-1.234.567" and format_number(999) == "999"
    assert format_money(12_500_000) == "12.500.000 đồng"
    assert [format_percent(value) for value in (12.5, 58.0, 60, Decimal("92.65"), 0.05)] == [
        "12,5%",
        "58,0%",
        "60%",
        "92,7%",
        "0,1%",
    ]
    amounts = (3_200_000, 12_800_000_000, 5_000_000, 999_999, 1_234_500_000_000, 3_250_000)
    assert [format_money_short(amount) for amount in amounts] == [
        "3,2 triệu đồng",
        "12,8 tỷ đồng",
        "5 triệu đồng",
        "999.999 đồng",
        "1.234,5 tỷ đồng",
        "3,3 triệu đồng",
    ]
