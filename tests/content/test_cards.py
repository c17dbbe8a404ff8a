"""The pictures of the anniversaries and of a month: small, readable, in letters that the font has, and never alone."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from content import cards
from content.agenda import agenda
from content.anniversaries import Planned, load_anniversaries, planned
from content.drawing import MOST_BYTES, NO_BREAK, contrast, letters, png, width
from content.packs import load_packs
from content.text import fold
from content.words import load_words
from handlers.registry import COMMAND_NAMES
from tests.people import FACTS

WORDS = load_words(FACTS)
LONG = load_words(FACTS | {"organisation": "Liên đoàn Lao động thành phố trực thuộc Trung ương Huế và Quảng Trị"})
PACKS = load_packs(COMMAND_NAMES)
PACK = PACKS.anniversaries
NAMED = load_anniversaries(names={"3004": "central", "1106": "call", "2212": "both"})


def with_cards(year: int) -> list[Planned]:
    found = planned(PACK, date(year, 1, 1), 365)
    return [item for item in found if item.has_card and item.audience == "all"]


def texts(svg: str) -> list[tuple[str, dict[str, str]]]:
    root = ElementTree.fromstring(svg)
    return [(each.text or "", dict(each.attrib)) for each in root.iter() if each.tag.endswith("}text")]


def test_every_day_that_is_marked_has_a_card_on_the_day_itself() -> None:
    found = {item.anniversary for year in (2026, 2027) for item in with_cards(year)}
    assert found == {each.key for each in PACK.anniversaries if not each.together}
    assert {item.variant for item in with_cards(2026)} == {"t0", "tet"}


@pytest.mark.parametrize("words", [WORDS, LONG], ids=["short", "long"])
def test_every_letter_is_in_the_font_and_every_line_within_its_frame(words: object) -> None:
    """For every day, name and year, those with the longest numbers included."""
    assert words in (WORDS, LONG)
    for pack in (PACK, NAMED):
        for year in (2026, 2027, 2030, 2099):
            for item in with_cards(year):
                svg = cards.card_svg(LONG if words is LONG else WORDS, pack, item.key)
                for text, about in texts(svg):
                    assert text and not set(text) - letters(), text
                    size, bold = float(about["font-size"]), about["font-weight"] == "700"
                    assert width(text, size, bold=bold) <= cards.SIDE - 2 * 40, text
                places = [float(about["y"]) for _, about in texts(svg)]
                assert places == sorted(places) and places[-1] < cards.SIDE - 60


def test_what_stands_on_a_card_stands_in_its_text() -> None:
    """Save who keeps the house and the day of the week, which its reader knows."""
    for item in with_cards(2026) + with_cards(2027):
        shown = [text for text, _ in texts(cards.card_svg(WORDS, PACK, item.key))]
        said = fold(item.text)
        name = " ".join(shown[1:])
        if item.ordinal:
            assert str(item.ordinal) in shown and f"{item.ordinal} nam" in said
        title = PACK.get(item.anniversary).name.removeprefix("Ngày ")
        assert fold(title).split("(")[0] in fold(name.replace(NO_BREAK, " "))
        assert fold(title) in said or fold(title) in ("tet duong lich", "tet nguyen dan")
        assert not item.off or "nghi" in said or item.anniversary in ("0105", "3004", "0209")


@pytest.mark.parametrize("tone", sorted(cards.PALETTES))
def test_words_stand_out_from_what_is_behind_them(tone: str) -> None:
    colours = cards.PALETTES[tone]
    for behind in (colours.paper, colours.ornament):  # the rings pass behind the words
        assert contrast(colours.words, behind) >= cards.READABLE
        assert contrast(colours.number, behind) >= cards.READABLE
    assert {each.tone for each in PACK.anniversaries} == set(cards.PALETTES)


def test_a_month_can_be_read_too() -> None:
    for behind in (cards.PAPER, cards.RESTING, cards.MARKED):
        for colour in (cards.INK, cards.QUIET, cards.REST):
            assert contrast(colour, behind) >= cards.READABLE, (colour, behind)
        assert contrast(cards.MARK, behind) >= 3.0


@pytest.mark.parametrize("key", ["kn:2807:2027:t0", "kn:3004:2025:t0", "kn:al1003:2027:t0", "kn:al0101:2026:tet"])
def test_a_card_is_a_small_square_picture(key: str) -> None:
    data = png(cards.card_svg(LONG, PACK, key))
    assert len(data) <= MOST_BYTES // 2  # half of what is allowed
    picture = Image.open(io.BytesIO(data), formats=("PNG",))
    assert picture.size == (cards.SIDE, cards.SIDE)
    colours = picture.convert("RGB").getcolors(2**16)
    assert colours is not None and len(colours) > 8  # letters have edges: something was drawn


def test_a_solemn_year_has_a_double_frame() -> None:
    plain, solemn = (cards.card_svg(WORDS, PACK, f"kn:2807:{year}:t0").count("<rect") for year in (2028, 2029))
    assert (plain, solemn) == (2, 3)


def test_the_same_card_is_drawn_once_and_its_name_can_be_read_aloud(tmp_path: Path) -> None:
    first = cards.picture(WORDS, PACK, "kn:2807:2027:t0", tmp_path)
    stamp = (tmp_path / first.file).stat().st_mtime_ns
    assert cards.picture(WORDS, PACK, "kn:2807:2027:t0", tmp_path) == first
    assert (tmp_path / first.file).stat().st_mtime_ns == stamp
    assert (first.kind, first.name) == ("photo", "98 năm Ngày thành lập Công đoàn Việt Nam, 28/7/2027")
    other = cards.picture(WORDS, PACK, "kn:al0101:2026:tet", tmp_path)
    assert other.name == "Tết Nguyên đán Bính Ngọ, 17/02/2026"
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted({first.file, other.file})


def test_a_month_shows_every_day_with_its_lunar_one_and_what_goes_out() -> None:
    svg = cards.month_svg(WORDS, PACKS, 2027, 4)
    shown = [text for text, _ in texts(svg)]
    assert shown[0] == "THÁNG 4 NĂM 2027" and [str(day) for day in range(1, 31) if str(day) not in shown] == []
    assert "1/3" in shown  # 07/4/2027 begins the third lunar month
    assert svg.count("<circle") == 1 + len({e.at.date() for e in agenda(WORDS, PACKS, date(2027, 4, 1), 30)})
    assert "30/4: 52 năm Ngày Giải phóng hoàn toàn miền Nam, thống nhất đất nước" in shown
    assert "tin gửi 16/4 · chờ soát, duyệt" in shown
    leap = [text for text, _ in texts(cards.month_svg(WORDS, PACKS, 2025, 7))]
    assert "1/6 nhuận" in leap and "1/6" not in leap  # 25/6/2025 began the sixth month, 25/7/2025 the leap one after it
    assert "1/6" in [text for text, _ in texts(cards.month_svg(WORDS, PACKS, 2025, 6))]
    may = [text for text, _ in texts(cards.month_svg(WORDS, PACKS, 2027, 5))]
    assert "Tháng Công nhân" in may and "nói trong tin 01/5 · chờ soát, duyệt" in may
    december = [text for text, _ in texts(cards.month_svg(WORDS, PACKS, 2026, 12))]
    assert "Hỏi người đã đăng ký, trước khi hết Đợt 2" in december
    released = [text for text, _ in texts(cards.month_svg(WORDS, PACKS, 2025, 7))]
    assert "tin gửi 28/7 · đã duyệt" in released and "tin gửi 27/7 · không gửi (đã duyệt bỏ)" in released


def test_every_month_of_every_kind_of_year_can_be_drawn_in_letters_of_the_font() -> None:
    for first in (date(2025, 1, 1), date(2027, 1, 1), date(2028, 1, 1), date(2099, 1, 1)):
        day = first
        while day.year == first.year:
            svg = cards.month_svg(WORDS, PACKS, day.year, day.month)
            assert not set("".join(text for text, _ in texts(svg))) - letters()
            assert unescape(svg).count("{{") == 0
            height = float(re.findall(r'height="(\d+)"', svg)[0])
            assert max(float(about["y"]) for _, about in texts(svg)) < height
            day = (day + timedelta(days=31)).replace(day=1)
    assert len(png(cards.month_svg(WORDS, PACKS, 2027, 5))) <= MOST_BYTES
