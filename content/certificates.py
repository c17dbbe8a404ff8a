"""The confirmation that somebody took part in a contest, as a picture: no award, no seal, no emblem, nobody's signature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Final

import segno

from content.calendar import official
from content.drawing import FONT, drawable, fitted, png
from content.words import Words

WIDTH, HEIGHT = 1080, 1528
MARGIN: Final = 110
MOST_BYTES: Final = 250 * 1024
PAPER, INK, QUIET, LINE = "#ffffff", "#1c2733", "#4d5b69", "#0d5c73"
QR: Final = 230
"""Pixels of the code's side, its quiet zone included."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What stands on it. `address` is the page that confirms it, "" where there is none."""

    name: str
    unit: str
    contest: str
    week: int
    score: int
    size: int
    code: str
    on: date
    address: str


def certificate(words: Words, of: Confirmed) -> bytes:
    """The picture, PNG, 1080×1528. CPU-bound, ~0.2 s."""
    return png(certificate_svg(words, of))


def certificate_svg(words: Words, of: Confirmed) -> str:
    """The drawing."""
    say, room = words.plain, WIDTH - 2 * MARGIN
    parts = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
        f'<rect x="44" y="44" width="{WIDTH - 88}" height="{HEIGHT - 88}" fill="none" stroke="{LINE}" stroke-width="6"/>',
        f'<rect x="62" y="62" width="{WIDTH - 124}" height="{HEIGHT - 124}" fill="none" stroke="{LINE}" stroke-width="2"/>',
    ]
    size, broken = fitted(say("certificate.organisation").upper(), (34, 30, 26), room, 2, bold=True)
    parts += _lines(broken, 175, size, LINE, bold=True)
    parts += _lines([say("certificate.title")], 360, 82, INK, bold=True)
    parts += _lines([say("certificate.confirms")], 470, 34, QUIET)
    size, broken = fitted(of.name, (72, 64, 56, 48, 40), room, 2, bold=True)
    parts += _lines(broken, 590, size, INK, bold=True)
    top = 590 + round(size * 1.25) * len(broken)
    if of.unit:
        size, broken = fitted(of.unit, (38, 34, 30, 26), room, 2)
        parts += _lines(broken, top, size, QUIET)
        top += round(size * 1.25) * len(broken)
    text = say("certificate.done", contest=of.contest, week=of.week, score=of.score, n=of.size)
    size, broken = fitted(text, (42, 38, 34, 30), room, 4)
    parts += _lines(broken, max(top + 60, 830), size, INK)
    parts += _lines([say("certificate.score", score=of.score, n=of.size)], 1120, 64, LINE, bold=True)
    parts += _left([say("certificate.on", day=official(of.on)), say("certificate.code", code=of.code)], 1260)
    if of.address:
        parts += _qr(of.address)
        parts += _left([say("certificate.check")], 1370, size=24)
    size, broken = fitted(say("certificate.no_award"), (24, 22, 20), room, 2)
    parts += _lines(broken, 1436, size, QUIET)
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="{FONT}">\n{body}\n</svg>'
    )


def _lines(broken: Sequence[str], top: float, size: float, colour: str, *, bold: bool = False) -> Iterator[str]:
    weight = ' font-weight="bold"' if bold else ""
    for number, line in enumerate(broken):
        y = round(top + number * size * 1.25)
        yield (
            f'<text x="{WIDTH // 2}" y="{y}" font-size="{size}" fill="{colour}" text-anchor="middle"{weight}>'
            f"{escape(drawable(line))}</text>"
        )


def _left(broken: Sequence[str], top: int, *, size: int = 30) -> Iterator[str]:
    for number, line in enumerate(broken):
        yield (
            f'<text x="{MARGIN}" y="{top + number * 46}" font-size="{size}" fill="{QUIET}">{escape(drawable(line))}</text>'
        )


def _qr(address: str) -> Iterator[str]:
    """A code as one path: readable when a seventh of it is dirty."""
    code = segno.make_qr(address, error="m")
    side = code.symbol_size()[0]
    step = QR / side
    left, top = WIDTH - MARGIN - QR, 1175
    cells = [
        f"M{column} {row}h1v1h-1z"
        for row, line in enumerate(code.matrix_iter(border=4))
        for column, dark in enumerate(line)
        if dark
    ]
    yield (
        f'<path transform="translate({left} {top}) scale({step:.5f})" d="{"".join(cells)}" fill="{INK}" '
        'shape-rendering="crispEdges"/>'
    )
