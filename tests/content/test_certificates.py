"""The confirmation picture: its size, every Vietnamese letter, a code that can be read, and nothing of a regulated form."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date

import pytest
import segno
from PIL import Image

from content.certificates import (
    HEIGHT,
    INK,
    LINE,
    MOST_BYTES,
    PAPER,
    QR,
    QUIET,
    WIDTH,
    Confirmed,
    certificate,
    certificate_svg,
)
from content.drawing import contrast, letters, width
from tests.people import spoken

WORDS, _ = spoken()
NAMES = ("Nguyễn Thị Thùy Dương", "Quách Văn Ưởng", "Đỗ Hữu Kỷ", "Bùi Thị Ỷ")
OF = Confirmed(
    "Nguyễn Thị Thùy Dương", "Công ty TNHH May Hòa Phát", "Tìm hiểu Luật Công đoàn 2025", 1, 9, 10, "CT-25-W01-004711",
    date(2025, 8, 5), "https://trolyxa.example.vn/x/0123456789abcdef0123",
)  # fmt: skip
LONG = replace(
    OF,
    name="Công Tằng Tôn Nữ Nguyễn Phước Hoàng Thị Thùy Dương Quỳnh Như",
    unit="Công đoàn cơ sở Công ty Trách nhiệm hữu hạn một thành viên Sản xuất và Thương mại Dịch vụ Xuất nhập khẩu Hòa Phát",
)


@pytest.mark.parametrize("of", [OF, LONG, replace(OF, unit="", address="")], ids=["usual", "long", "bare"])
def test_it_is_a_small_picture_of_its_size(of: Confirmed) -> None:
    data = certificate(WORDS, of)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (WIDTH, HEIGHT) == (1080, 1528) and picture.format == "PNG"
    assert len(data) < MOST_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_every_letter_of_a_name_is_there_and_drawn(name: str) -> None:
    assert set(name) <= letters() | {" "}
    assert name in certificate_svg(WORDS, replace(OF, name=name))
    assert certificate(WORDS, replace(OF, name=name)) != certificate(WORDS, replace(OF, name="X"))


def test_a_number_and_what_it_counts_stand_on_one_line() -> None:
    svg = certificate_svg(WORDS, replace(OF, contest="Tìm hiểu Luật Công đoàn năm 2025", score=10))
    assert "đạt\xa010/10\xa0câu</text>" in svg and ">câu</text>" not in svg


def test_it_says_what_it_is_and_nothing_of_an_award() -> None:
    svg = certificate_svg(WORDS, OF)
    said = re.sub(r"<[^>]+>", " ", svg)
    assert "GIẤY XÁC NHẬN" in said and "tìm hiểu Luật Công đoàn 2025 tuần 1" in " ".join(said.split())
    assert "9/10" in said and "CT-25-W01-004711" in said and "05/8/2025" in said
    assert not re.search("giấy khen|bằng khen|chứng nhận|chủ tịch|cộng hòa", said, re.IGNORECASE)
    assert "<image" not in svg


def test_what_people_typed_is_text_and_no_drawing() -> None:
    svg = certificate_svg(WORDS, replace(OF, name='<image href="x"/>', unit="A & B"))
    assert "<image" not in svg and "A &amp; B" in svg
    certificate(WORDS, replace(OF, name='<image href="x"/>', unit="A & B"))


@pytest.mark.parametrize("of", [OF, LONG], ids=["usual", "long"])
def test_no_line_leaves_the_frame_or_meets_another(of: Confirmed) -> None:
    lines = re.findall(
        r'<text x="(\d+)" y="(\d+)" font-size="(\d+)"[^>]*?(middle)?"?( font-weight="bold")?>([^<]+)<',
        certificate_svg(WORDS, of),
    )
    boxes = []
    for x, y, size, middle, bold, text in lines:
        wide = width(text.replace("&amp;", "&"), int(size), bold=bool(bold))
        left = int(x) - wide / 2 if middle else int(x)
        assert left >= 62 and left + wide <= WIDTH - 62, text
        boxes.append((left, int(y) - int(size) * 0.8, left + wide, int(y) + int(size) * 0.25, text))
    for n, one in enumerate(boxes):
        for other in boxes[n + 1 :]:
            apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
            assert apart, (one[4], other[4])
    assert all(box[2] <= WIDTH - 110 - QR or box[3] <= 1175 or box[1] >= 1175 + QR for box in boxes)


def test_colours_can_be_read() -> None:
    assert all(contrast(each, PAPER) >= 4.5 for each in (INK, QUIET, LINE))


def test_the_code_stands_there_cell_by_cell_with_its_quiet_zone() -> None:
    code = segno.make_qr(OF.address, error="m")
    step = QR / code.symbol_size()[0]
    with Image.open(io.BytesIO(certificate(WORDS, OF))) as picture:
        grey = picture.convert("L")
        left, top = WIDTH - 110 - QR, 1175
        for row, line in enumerate(code.matrix_iter(border=4)):
            for column, dark in enumerate(line):
                shade = grey.getpixel((round(left + (column + 0.5) * step), round(top + (row + 0.5) * step)))
                assert (shade < 128) is bool(dark)  # type: ignore[operator]
