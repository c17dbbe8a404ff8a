"""Loads the anniversaries and tries out every text, so that a wrong one stops the start and not a holiday."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from jinja2 import TemplateError

from content.anniversaries.pack import ACTIVITY, Anniversary, AnniversaryPack
from content.anniversaries.planning import meets_tet, render
from content.message import LABEL
from content.release import spelling_faults
from content.source import ROOT, ContentError, Problem, parse, read

AUDIENCES = ("officer", "enterprise", "public", "nonmember")
"""Groups of people; a message for "all" goes to those for whose group there is none."""
VARIANTS = ("t3", "t0", "tet")
LONGEST = 350
LINES = 5
"""Characters and lines of a message nobody asked for (5-voice §5.2)."""
TRIED = (2025, 2027, 2030, 2099)
"""Years for which every text is tried out: solemn, plain, a hundredth, and the longest numbers."""
YEARS = range(1990, 2100)
"""Years that can be planned."""
_TYPED = re.compile(r"\d+ năm\b|\b(?:19|20)\d\d\b")
_LAW = re.compile(r"\bBộ luật Lao động 2019\b")
_PICTURE = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]")


def load_anniversaries(
    path: Path = ROOT / "packs" / "anniversaries.yaml", commands: Collection[str] | None = None
) -> AnniversaryPack:
    """Loads the pack and tries out every text for several years; `commands` are those that a button may name.

    Raises ContentError with all problems.
    """
    source = read(path)
    pack = parse(AnniversaryPack, source)
    problems = list(spelling_faults(source))
    keys = [anniversary.key for anniversary in pack.anniversaries]
    for number, anniversary in enumerate(pack.anniversaries):
        here: tuple[str | int, ...] = ("anniversaries", number)
        for where, fault in (*_faults(anniversary), *_button_faults(anniversary, commands)):
            problems.append(Problem(source.file, source.line((*here, *where)), fault))
        if anniversary.key in keys[:number]:
            problems.append(
                Problem(source.file, source.line((*here, "key")), f"the key {anniversary.key} stands twice")
            )
    for year, release in pack.approvals.items():
        for field, fault in release.faults():
            problems.append(Problem(source.file, source.line(("approvals", str(year), field)), fault))
    if problems:
        raise ContentError(problems)
    return pack


def _faults(anniversary: Anniversary) -> Iterator[tuple[tuple[str, ...], str]]:
    """(path below the anniversary, what is wrong there)."""
    if anniversary.key != f"{anniversary.founded:%d%m}":
        yield ("key",), f"{anniversary.key} is not the day and month of {anniversary.founded}"
    if (anniversary.founded.month, anniversary.founded.day) == (2, 29):
        yield ("founded",), "29/02 does not come every year"
        return
    if not anniversary.texts.tet and any(meets_tet(anniversary.founded.replace(year=year)) for year in YEARS):
        yield ("texts",), "the day can fall around Tết and needs a text 'tet'"
    for audience, line in anniversary.extra.items():
        if audience not in AUDIENCES:
            yield ("extra", audience), f"unknown audience {audience}: {', '.join(AUDIENCES)}"
        for fault in _said_wrongly(line):
            yield ("extra", audience), fault
    for words in ("t3", "t0", "t0_solemn", "tet"):
        text: str = getattr(anniversary.texts, words)
        if not text.strip():
            if words != "tet":
                yield ("texts", words), f"{words} is empty"
            continue
        for fault in _said_wrongly(text):
            yield ("texts", words), f"{words}: {fault}"
        if not re.search(r"\{\{\s*n\s*\}\}", text):
            yield ("texts", words), f"{words} does not say how many years: {{{{ n }}}}"
        for audience in ("all", *anniversary.extra) if words == "t3" else ("all",):
            where = ("texts", words) if audience == "all" else ("extra", audience)
            try:
                rendered = [render(anniversary, words, year, 3, audience) for year in TRIED]
            except TemplateError as error:
                yield where, f"{words}: {error}"
                continue
            if anniversary.activity and words == "t3":
                rendered = [f"{text}\n{'x' * ACTIVITY}" for text in rendered]
            longest = max(map(len, rendered))
            if longest > LONGEST:
                yield where, f"{words} has {longest} characters, at most {LONGEST} fit"
            if max(text.count("\n") for text in rendered) >= LINES:
                yield where, f"{words} has more than {LINES} lines"


def _button_faults(anniversary: Anniversary, commands: Collection[str] | None) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is wrong with the buttons: a press must do something, years later too."""
    for variant, button in anniversary.buttons.items():
        where = ("buttons", variant)
        if variant not in VARIANTS:
            yield where, f"unknown variant {variant}: {', '.join(VARIANTS)}"
        if not 0 < len(button.label) <= LABEL:
            yield (*where, "label"), f"a label has 1 to {LABEL} characters"
        if commands is not None and button.command not in commands:
            yield (*where, "command"), f"there is no command '{button.command}'"


def has_picture(text: str) -> bool:
    """Whether a line holds an emoji, which no message for a national day may."""
    return _PICTURE.search(text) is not None


def _said_wrongly(text: str) -> Iterator[str]:
    """What no message for a national day may hold (5-voice §5.2, §5.3)."""
    if typed := _TYPED.search(_LAW.sub("", text)):
        yield f"'{typed.group()}' is typed; numbers of years are computed"
    if picture := _PICTURE.search(text):
        yield f"'{picture.group()}': no emoji on a national day"
