"""Reads the names of people as they type them, and puts Vietnamese names in their order."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

from content.text import clean_line

MAX_LETTERS: Final = 64
"""Longest name kept, in characters after NFC (promises.md §2.2)."""

NameKind = Literal["one_word", "not_letters", "too_long"]


class NameProblem(ValueError):
    """Why a text cannot be a full name; `kind` chooses the words said to the person."""

    def __init__(self, kind: NameKind) -> None:
        super().__init__(kind)
        self.kind: Final = kind


_PART_ENDS = re.compile(r"[ '-]")


def parse_name(text: str) -> str:
    """A full name, cleaned, on one line; capitals are set only if it came all in small or all in capital letters.

    "Y Moan", "K'Brơi" and "H'Hen Niê" are full names: a word before an apostrophe counts as one.
    Raises `NameProblem`: `not_letters` (digits, emoji, markup), `one_word` (also when empty), `too_long`.
    """
    # NFKC, not NFC, turns letters drawn by "fancy font" apps back into letters; Vietnamese is the same in both.
    name = unicodedata.normalize("NFKC", re.sub(r"[’‘ʼ`´]", "'", clean_line(text)))
    if len(name) > MAX_LETTERS:
        raise NameProblem("too_long")
    parts = [part for part in _PART_ENDS.split(name) if part]
    if not all(_is_word(part) for part in parts) or re.search(r"['-]{2}|(?:^| )['-]|['-](?: |$)", name):
        raise NameProblem("not_letters")
    if len(re.split(r"[ ']", name)) < 2:
        raise NameProblem("one_word")
    if name in (name.lower(), name.upper()):
        name = re.sub(r"[^ '-]+", lambda part: part.group().capitalize(), name)
    return name


def _is_word(part: str) -> bool:
    # A mark without its own composed letter is real in a few mountain languages, a tower of them is not.
    kinds = [unicodedata.category(letter)[0] for letter in part]
    return kinds[0] == "L" and set(kinds) <= {"L", "M"} and "MM" not in "".join(kinds)


def short_name(name: str) -> str:
    """The given name, by which people are spoken to: "Hoa" of "Bùi Thị Hoa"."""
    return name.split()[-1] if name.split() else ""


_UNIONS = ("công đoàn", "liên đoàn", "nghiệp đoàn", "tổng liên đoàn", "lđlđ", "tổ ", "cđ ")


def union_of(name: str) -> str:
    """The union at a unit, never the employer: "Công đoàn Công ty May Hòa Phát" of "Công ty May Hòa Phát"."""
    return name if not name or name.lower().startswith(_UNIONS) else f"Công đoàn {name}"


# Order of the Vietnamese alphabet; f, j, w, z of foreign names stand where they do in the Latin one.
_ALPHABET = {letter: place for place, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}
_TONES = {tone: place for place, tone in enumerate(("\u0300", "\u0309", "\u0303", "\u0301", "\u0323"), start=1)}

SortKey = tuple[tuple[tuple[int, str], ...], tuple[int, ...], tuple[bool, ...]]


def sort_key(name: str) -> SortKey:
    """Vietnamese collation: letters first (a ă â b … d đ …), then tones, then small before capital.

    Tones stand as in Vietnamese dictionaries: ngang, huyền, hỏi, ngã, sắc, nặng.
    """
    letters: list[tuple[int, str]] = []
    tones: list[int] = []
    capitals: list[bool] = []
    for letter in unicodedata.normalize("NFC", name):
        parts = unicodedata.normalize("NFD", letter)
        tone = next((mark for mark in parts if mark in _TONES), "")
        base = unicodedata.normalize("NFC", parts.replace(tone, "") if tone else parts)
        small = base.lower()
        # Spaces and signs come before letters, foreign letters after them.
        place = _ALPHABET.get(small, len(_ALPHABET) if base.isalpha() else -1)
        letters.append((place, "" if small in _ALPHABET else small))
        tones.append(_TONES.get(tone, 0))
        capitals.append(base != small)
    return tuple(letters), tuple(tones), tuple(capitals)
