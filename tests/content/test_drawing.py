"""What the house draws: every Vietnamese letter in our own font, the machine's fonts never, few bytes."""

from __future__ import annotations

import io
import unicodedata

import pytest
from PIL import Image, ImageDraw, ImageFont

from content.drawing import FACES, contrast, drawable, fitted, letters, lines, png, width

VOWELS = ["a", "ă", "â", "e", "ê", "i", "o", "ô", "ơ", "u", "ư", "y"]
TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
VIETNAMESE = sorted(
    {unicodedata.normalize("NFC", letter + tone) for letter in VOWELS for tone in TONES}
    | {"đ", *"bcdghklmnpqrstvxfjwz", *"0123456789"}
)
"""Every letter of the language, put together by its rules, and those of foreign names."""
SIGNS = "–—-.,:;!?()/%\"'“”‘’•·+&₫"


def ink(letter: str, bold: bool) -> bytes:
    """A letter as another engine (FreeType) draws it."""
    face = ImageFont.truetype(FACES[bold], 80, layout_engine=ImageFont.Layout.BASIC)  # letter by letter, as written
    picture = Image.new("L", (200, 200))
    ImageDraw.Draw(picture).text((50, 50), letter, font=face, fill=255)
    return picture.tobytes()


@pytest.mark.parametrize("bold", [False, True])
def test_the_font_has_every_vietnamese_letter_each_with_a_shape_of_its_own(bold: bool) -> None:
    wanted = [*VIETNAMESE, *(letter.upper() for letter in VIETNAMESE if letter.isalpha())]
    assert len(wanted) > 170 and all(len(letter) == 1 for letter in wanted)
    assert not set(wanted) - letters()
    missing = ink("\U000f0000", bold)  # what is drawn for a letter that no font has
    shapes = [ink(letter, bold) for letter in wanted]
    assert missing not in shapes and bytes(200 * 200) not in shapes
    assert len(set(shapes)) == len(shapes)
    assert not set(SIGNS) - letters()


def test_the_table_of_letters_is_the_one_another_engine_finds() -> None:
    gap = ink("\U000f0000", False)
    for code in [*range(0x21, 0x250), *range(0x1EA0, 0x1F00), 0x2713, 0x2192, 0x1F4C5]:
        letter = chr(code)
        if unicodedata.category(letter)[0] in "LN":
            assert (letter in letters()) == (ink(letter, False) != gap), letter


def test_letters_that_the_font_lacks_are_left_out_and_marks_are_put_together() -> None:
    assert drawable("Sáng kiến 🎉 ✓") == "Sáng kiến  "
    assert drawable(unicodedata.normalize("NFD", "Đoàn viên ưỡn ngực")) == "Đoàn viên ưỡn ngực"


def drawn(text: str) -> Image.Image:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="100"><rect width="400" height="100" fill="#ffffff"/>'
        f'<text x="10" y="70" font-size="48" fill="#000000">{text}</text></svg>'
    )
    return Image.open(io.BytesIO(png(svg)), formats=("PNG",)).convert("L")


def test_a_drawing_holds_its_text_in_our_font_and_nothing_of_the_machines() -> None:
    white = drawn("")
    for letter in ("ữ", "Ậ", "đ"):
        assert drawn(letter).tobytes() != white.tobytes()
    assert drawn("ơ").tobytes() != drawn("o").tobytes()
    # A letter that only the machine's fonts have stays a gap, whatever is installed.
    assert drawn("中").getbbox() == white.getbbox() or "中" in letters()
    with pytest.raises(ValueError):
        png("no drawing")


def test_the_measured_width_is_the_drawn_one() -> None:
    text = "Thi đua lao động giỏi"
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="100"><rect width="900" height="100" fill="#ffffff"/>'
        f'<text x="10" y="70" font-size="60" font-weight="700" fill="#000000">{text}</text></svg>'
    )
    picture = Image.open(io.BytesIO(png(svg)), formats=("PNG",)).convert("L").point(lambda level: 255 - level)
    box = picture.getbbox()
    assert box is not None and abs((box[2] - box[0]) - width(text, 60, bold=True)) < 12


def test_texts_are_broken_at_spaces_and_made_smaller_until_they_fit() -> None:
    name = "Ngày Giải phóng hoàn toàn miền Nam, thống nhất đất nước"
    broken = lines(name, 60, 700, bold=True)
    assert " ".join(broken) == name and len(broken) > 1
    assert all(width(line, 60, bold=True) <= 700 for line in broken)
    size, found = fitted(name, (90, 60, 40), 700, 2, bold=True)
    assert size == 40 and len(found) <= 2 and " ".join(found) == name
    assert fitted("Tết", (90, 60), 700, 1) == (90, ["Tết"])


def test_contrast_is_reckoned_as_the_standard_does() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1
