"""Draws what the house draws itself: SVG with our own font becomes a PNG of a few colours."""

from __future__ import annotations

import io
import struct
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import resvg_py
from PIL import Image, ImageFont

from content.source import ROOT

FONT: Final = "Be Vietnam Pro"
"""SIL Open Font License 1.1, `content/fonts/OFL.txt`. The machine's own fonts are never used: they differ."""
FACES: Final = {False: ROOT / "fonts" / "BeVietnamPro-Regular.ttf", True: ROOT / "fonts" / "BeVietnamPro-Bold.ttf"}
NO_BREAK: Final = "\u00a0"
COLOURS: Final = 96
"""Colours of a picture, the steps at the edges of letters included: flat colours need no more."""
MOST_BYTES: Final = 200 * 1024
"""Of a picture that goes to people (5-voice §5.5)."""


def png(svg: str) -> bytes:
    """A drawing as PNG, in the width and height it names. Raises ValueError for what is no SVG. CPU-bound, ~0.1 s."""
    faces = [str(path) for path in FACES.values()]
    drawn = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=faces, font_family=FONT)
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(bytes(drawn)), formats=("PNG",)) as picture:
        flat = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        flat.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def drawable(text: str) -> str:
    """A text without the letters that the font lacks: a drawing would leave a gap for each. Marks are put together."""
    whole = unicodedata.normalize("NFC", text)
    return "".join(letter for letter in whole if letter in letters())


@cache
def letters() -> frozenset[str]:
    """Every letter that both faces have."""
    regular, bold = (frozenset(_letters(path)) for path in FACES.values())
    return regular & bold


def _letters(path: Path) -> Iterator[str]:
    """The letters of a TrueType font, from its `cmap` in format 4 (OpenType specification)."""
    data = path.read_bytes()
    tables = {
        data[at : at + 4]: struct.unpack_from(">I", data, at + 8)[0] for at in range(12, 12 + _u16(data, 4) * 16, 16)
    }
    cmap = tables[b"cmap"]
    for at in range(cmap + 4, cmap + 4 + _u16(data, cmap + 2) * 8, 8):
        table = cmap + struct.unpack_from(">I", data, at + 4)[0]
        if _u16(data, table) != 4:
            continue
        count = _u16(data, table + 6) // 2
        ends, starts = table + 14, table + 16 + count * 2
        deltas, offsets = starts + count * 2, starts + count * 4
        for n in range(0, count * 2, 2):
            for code in range(_u16(data, starts + n), min(_u16(data, ends + n), 0xFFFE) + 1):
                glyph, jump = code, _u16(data, offsets + n)
                if jump:
                    glyph = _u16(data, offsets + n + jump + (code - _u16(data, starts + n)) * 2)
                    if not glyph:
                        continue
                if (glyph + _u16(data, deltas + n)) % 65536:
                    yield chr(code)


def _u16(data: bytes, at: int) -> int:
    return int(struct.unpack_from(">H", data, at)[0])


@cache
def _face(bold: bool) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FACES[bold], 1000)


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a line becomes, in pixels."""
    return float(_face(bold).getlength(text)) * size / 1000


def lines(text: str, size: float, room: float, *, bold: bool = False) -> list[str]:
    """A text broken at its spaces into lines of at most `room` pixels; a longer word stands alone.

    What a no-break space joins is one word.
    """
    found: list[str] = []
    for word in filter(None, drawable(text).split(" ")):
        joined = f"{found[-1]} {word}" if found else word
        if found and width(joined, size, bold=bold) <= room:
            found[-1] = joined
        else:
            found.append(word)
    return found


def fitted(text: str, sizes: tuple[int, ...], room: float, most: int, *, bold: bool = False) -> tuple[int, list[str]]:
    """The largest of some sizes at which a text needs at most so many lines, else the smallest; and those lines."""
    for size in sizes:
        broken = lines(text, size, room, bold=bold)
        if len(broken) <= most and all(width(line, size, bold=bold) <= room for line in broken):
            return size, broken
    return sizes[-1], lines(text, sizes[-1], room, bold=bold)


def contrast(one: str, other: str) -> float:
    """How far two colours (#rrggbb) stand apart, 1 to 21 (WCAG 2.2, relative luminance)."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
