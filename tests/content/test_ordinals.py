"""Wrong numbers of years in what officers write are found, right ones and other people's years are let alone."""

from __future__ import annotations

from datetime import date

import pytest

from content.anniversaries import load_anniversaries, planned
from content.ordinals import check_ordinals
from content.text import fold

PACK = load_anniversaries()
TODAY = date(2026, 7, 1)


def found(text: str, today: date = TODAY) -> list[tuple[str, int, int]]:
    return check_ordinals(PACK, text, today)


WRONG = [
    ("Kỷ niệm 96 năm Ngày thành lập Công đoàn Việt Nam", "2807", 96, 97),
    ("Kỷ niệm 96 năm ngày thành lập Công đoàn Việt Nam (28/7/1929 - 28/7/2026)", "2807", 96, 97),
    ("Nhân dịp kỷ niệm 98 năm thành lập Công đoàn, mời anh/chị dự họp.", "2807", 98, 97),
    ("Mừng 95 năm ngày thành lập Đảng", "0302", 95, 96),
    ("chào mừng 80 năm Quốc khánh, mời anh/chị treo cờ", "0209", 80, 81),
    ("Kỷ niệm 50 năm Ngày Giải phóng miền Nam, thống nhất đất nước (30/4)", "3004", 50, 51),
    ("135 năm ngày sinh Bác Hồ", "1905", 135, 136),
    ("Kỷ niệm lần thứ 96 ngày thành lập Công đoàn Việt Nam", "2807", 96, 97),
    ("Ngày thành lập Công đoàn Việt Nam lần thứ 96", "2807", 96, 97),
    ("Ngày thành lập Công đoàn Việt Nam (28/7) lần thứ 96", "2807", 96, 97),
    ("28/7/1929 – 28/7/2026: 98 năm một chặng đường", "2807", 98, 97),
    ("kỷ niệm 96 năm 28/7, công đoàn tổ chức hội thao", "2807", 96, 97),
    ("KỶ NIỆM 96 NĂM NGÀY THÀNH LẬP CÔNG ĐOÀN VIỆT NAM", "2807", 96, 97),
    ("Kỷ niệm 96 năm\nNgày thành lập Công đoàn Việt Nam", "2807", 96, 97),
    ("Hướng tới kỷ niệm 97 năm ngày thành lập Công đoàn Việt Nam năm 2027", "2807", 97, 98),
    ("96 năm Ngày truyền thống vẻ vang của tổ chức Công đoàn (28/7/1929 – 28/7/2026)", "2807", 96, 97),
]

RIGHT = [
    "Kỷ niệm 97 năm Ngày thành lập Công đoàn Việt Nam (28/7/1929 – 28/7/2026)",
    "Chào mừng 81 năm Cách mạng Tháng Tám thành công và Quốc khánh 02/9",
    "Hướng tới kỷ niệm 98 năm Ngày thành lập Công đoàn Việt Nam (28/7/1929 – 28/7/2027)",
    "Kỷ niệm 100 năm Ngày thành lập Công đoàn Việt Nam vào năm 2029 (28/7/1929 – 28/7/2029)",
    "Kỷ niệm lần thứ 136 Ngày sinh Chủ tịch Hồ Chí Minh",
]

OTHERS = [
    "Chúc mừng anh Nam 20 năm công tác tại Công đoàn Việt Nam",
    "Chị Hoa có 15 năm gắn bó với công đoàn, được kết nạp ngày 28/7.",
    "Kỷ niệm 10 năm Ngày thành lập Công đoàn Công ty May Hòa Phát",
    "Kỷ niệm 70 năm Ngày thành lập Đảng bộ tỉnh",
    "Họp lúc 8 giờ ngày 28/7, gặp mặt 30 đoàn viên",
    "Lớp tập huấn 3 ngày về thành lập công đoàn cơ sở",
    "Từ ngày 25/7 đến 28/7 nhận hồ sơ; nhà máy tròn 12 năm hoạt động",
    "Ngày 30/4 nghỉ lễ; công ty thưởng cho người làm đủ 5 năm",
    "Mời 40 nam công nhân dự lễ Quốc khánh",
    "Bảng lương tháng 9 năm 2026, thưởng Quốc khánh 500.000 đồng",
    "Công ty kỷ niệm 15 năm 28/7/2011 - 28/7/2026",
    "Kỷ niệm 79 năm Ngày Thương binh - Liệt sĩ 27/7",
    "",
]


@pytest.mark.parametrize(("text", "key", "written", "computed"), WRONG)
def test_a_wrong_number_is_named_with_the_computed_one(text: str, key: str, written: int, computed: int) -> None:
    assert found(text) == [(key, written, computed)]


@pytest.mark.parametrize(("text", "key", "written", "computed"), WRONG)
def test_without_marks_it_is_found_too(text: str, key: str, written: int, computed: int) -> None:
    bare = "\n".join(fold(line) for line in text.splitlines())
    assert found(bare) == [(key, written, computed)]


@pytest.mark.parametrize("text", RIGHT)
def test_the_right_number_passes(text: str) -> None:
    assert found(text) == [] and found(fold(text)) == []


@pytest.mark.parametrize("text", OTHERS)
def test_years_of_something_else_are_nobodys_mistake(text: str) -> None:
    assert found(text) == [] and found(fold(text)) == []


def test_once_the_day_has_passed_the_coming_year_is_right_too() -> None:
    assert found("Kỷ niệm 97 năm Ngày thành lập Công đoàn Việt Nam", date(2026, 8, 1)) == []
    assert found("Kỷ niệm 98 năm Ngày thành lập Công đoàn Việt Nam", date(2026, 8, 1)) == []
    assert found("Kỷ niệm 98 năm Ngày thành lập Công đoàn Việt Nam", date(2026, 7, 28)) == [("2807", 98, 97)]


def test_two_mistakes_in_one_text_are_both_named() -> None:
    text = "Kỷ niệm 50 năm Giải phóng miền Nam và 135 năm ngày sinh Bác Hồ; kỷ niệm 50 năm giải phóng miền Nam."
    assert found(text) == [("3004", 50, 51), ("1905", 135, 136)]


def test_the_automatic_messages_pass_their_own_check() -> None:
    for year in (2025, 2027, 2029, 2030):
        for item in planned(PACK, date(year, 1, 1), 365):
            assert found(item.text, item.on) == [], item.key


def test_a_text_of_ten_thousand_characters_is_read_at_once() -> None:
    assert found("kỷ niệm 96 năm " * 700) == []
    assert found("9" * 10_000) == []
