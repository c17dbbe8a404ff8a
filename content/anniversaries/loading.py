"""Loads the anniversaries and tries out every text, so that a wrong one stops the start and not a holiday."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import Path

from jinja2 import TemplateError

from content.anniversaries.pack import ACTIVITY, Anniversary, AnniversaryPack
from content.anniversaries.planning import NEW_YEAR, meets_tet, render
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
NAMES = "CONGDOAN_DAY_NAMES"
_TYPED = re.compile(r"\d+ năm\b|\b(?:19|20)\d\d\b")
_LAW = re.compile(r"\bBộ luật Lao động 2019\b|\bsố \d+/\d{4}/[A-Z]+\d*")
_PICTURE = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]")


def load_anniversaries(
    path: Path = ROOT / "packs" / "anniversaries.yaml",
    commands: Collection[str] | None = None,
    names: Mapping[str, str] | None = None,
) -> AnniversaryPack:
    """Loads the pack and tries out every text for several years; `commands` are those that a button may name.

    `names` chooses, by key of a day, which of its other names is used (the setting CONGDOAN_DAY_NAMES). Raises ContentError
    with all problems.
    """
    source = read(path)
    pack = parse(AnniversaryPack, source)
    problems = list(spelling_faults(source))
    keys = [anniversary.key for anniversary in pack.anniversaries]
    for number, anniversary in enumerate(pack.anniversaries):
        here: tuple[str | int, ...] = ("anniversaries", number)
        for where, fault in (*_faults(anniversary, keys), *_button_faults(anniversary, commands)):
            problems.append(Problem(source.file, source.line((*here, *where)), fault))
        if anniversary.key in keys[:number]:
            problems.append(
                Problem(source.file, source.line((*here, "key")), f"the key {anniversary.key} stands twice")
            )
    for year, release in pack.approvals.items():
        for field, fault in release.faults():
            problems.append(Problem(source.file, source.line(("approvals", str(year), field)), fault))
        for key in set(release.covers) - set(keys):
            line = source.line(("approvals", str(year), "covers"))
            problems.append(Problem(source.file, line, f"there is no day '{key}'"))
    chosen: list[Anniversary] = []
    for anniversary in pack.anniversaries:
        word = (names or {}).get(anniversary.key, "")
        if word and word not in anniversary.names:
            known = ", ".join(anniversary.names) or "none"
            problems.append(Problem(NAMES, 0, f"{anniversary.key} has no name '{word}'; it has: {known}"))
        if word in anniversary.names:
            others = anniversary.names | {"": anniversary.name}
            anniversary = anniversary.model_copy(update={"name": anniversary.names[word], "names": others})
        chosen.append(anniversary)
    problems += [Problem(NAMES, 0, f"there is no day '{key}'") for key in names or {} if key not in keys]
    if problems:
        raise ContentError(problems)
    return pack.model_copy(update={"anniversaries": tuple(chosen)})


Faults = Iterator[tuple[tuple[str, ...], str]]
"""(path below the anniversary, what is wrong there)."""


def _faults(anniversary: Anniversary, keys: Collection[str]) -> Faults:
    try:
        day, month = anniversary.place
        date(2001, month, min(day, 28) if anniversary.lunar else day)
    except ValueError:
        yield ("key",), f"{anniversary.key} is no day and month (29/02 does not come every year)"
        return
    if anniversary.founded is not None and (anniversary.founded.day, anniversary.founded.month) != (day, month):
        yield ("key",), f"{anniversary.key} is not the day and month of {anniversary.founded}"
    if anniversary.founded is not None and anniversary.since is not None:
        yield ("since",), "a day that is known to the day needs no year of its own"
    if bool(anniversary.checked_by.strip()) != (anniversary.checked_on is not None):
        yield ("checked_by",), "checked_by and checked_on: a name and a day, or neither"
    if anniversary.together:
        if anniversary.together not in keys:
            yield ("together",), f"there is no day '{anniversary.together}'"
        if any(anniversary.texts.model_dump().values()):
            yield ("texts",), "another day's message speaks of it, so it has none of its own"
        return
    yield from _text_faults(anniversary)
    if anniversary.extra and not anniversary.texts.t3:
        yield ("extra",), "only t3 has more lines for one audience"
    for audience, line in anniversary.extra.items():
        if audience not in AUDIENCES:
            yield ("extra", audience), f"unknown audience {audience}: {', '.join(AUDIENCES)}"
        for fault in _said_wrongly(line):
            yield ("extra", audience), fault


def _text_faults(anniversary: Anniversary) -> Faults:
    texts, counted = anniversary.texts, anniversary.origin is not None
    days = [day for year in YEARS if (day := anniversary.day(year)) is not None]
    if anniversary.key == NEW_YEAR:
        needed = ["tet"]
    else:
        needed = ["t0", *(["t0_solemn"] if counted else [])]
        if any(map(meets_tet, days)):
            needed.append("tet")
    for words in needed:
        if not getattr(texts, words).strip():
            why = "the day can fall around Tết and needs a text 'tet'" if words == "tet" else f"{words} is empty"
            yield ("texts",), why
    for words in ("t3", "t0", "t0_solemn", "tet"):
        text: str = getattr(texts, words)
        if not text.strip():
            continue
        if words not in needed and words != "t3":
            yield ("texts", words), f"{words} is never said"
        for fault in _said_wrongly(text):
            yield ("texts", words), f"{words}: {fault}"
        if counted and not re.search(r"\{\{\s*n\s*\}\}", text):
            yield ("texts", words), f"{words} does not say how many years: {{{{ n }}}}"
        for audience in ("all", *anniversary.extra) if words == "t3" else ("all",):
            yield from _tried_out(anniversary, words, audience)


def _tried_out(anniversary: Anniversary, words: str, audience: str) -> Faults:
    """What is wrong with a text once it is filled in, with every name the day may have."""
    where = ("texts", words) if audience == "all" else ("extra", audience)
    found: list[str] = []
    for name in (anniversary.name, *anniversary.names.values()):
        named = anniversary.model_copy(update={"name": name})
        try:
            found += [render(named, words, y, 3, audience) for y in TRIED if named.day(y) is not None]
        except TemplateError as error:
            yield where, f"{words}: {error}"
            return
    if anniversary.activity and words == "t3":
        found = [f"{text}\n{'x' * ACTIVITY}" for text in found]
    longest = max(map(len, found))
    if longest > LONGEST:
        yield where, f"{words} has {longest} characters, at most {LONGEST} fit"
    if max(text.count("\n") for text in found) >= LINES:
        yield where, f"{words} has more than {LINES} lines"


def _button_faults(anniversary: Anniversary, commands: Collection[str] | None) -> Faults:
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
