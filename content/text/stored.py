"""Tidies what people type before it is stored, and measures it."""

from __future__ import annotations

import re
import unicodedata

from content.text.folding import fold, is_mark

_EMOJI = "\U0001f000-\U0001faff\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\ufe0f"
_STRAY_JOINER = re.compile(f"(?<![{_EMOJI}])\u200d|\u200d(?![{_EMOJI}])")
# Blank letters that Unicode does not call invisible: combining grapheme joiner, Hangul fillers, empty Braille.
_BLANK_LETTERS = dict.fromkeys(map(ord, "\u034f\u115f\u1160\u3164\uffa0\u2800"))


def clean(text: str) -> str:
    """What we store: NFC, without control, bidi and zero-width characters, trimmed, at most one empty line in a row.

    Words stay as typed (promises.md §2.2 asks this of names; we do it to everything). Idempotent. Joiners inside an
    emoji stay, so a family stays one picture.
    """
    if text.isascii() and text.isprintable():  # one line without marks, as most are typed
        return text.strip()
    text = re.sub(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", text).translate(_BLANK_LETTERS)
    text = "".join(map(_kept, text))
    text = _without_towers(unicodedata.normalize("NFC", _STRAY_JOINER.sub("", text)))
    text = re.sub(r" +(?=\n)", "", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _kept(letter: str) -> str:
    if letter in "\n\u200d":
        return letter
    category = unicodedata.category(letter)
    if category == "Zs" or letter == "\t":
        return " "
    noncharacter = ord(letter) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(letter) <= 0xFDEF
    return "" if category in ("Cc", "Cf", "Cs") or noncharacter else letter


def _without_towers(text: str) -> str:
    """At most three marks on one letter: more is a joke that hides megabytes in a text that counts as short."""
    kept: list[str] = []
    height = 0
    for letter in text:
        height = height + 1 if is_mark(letter) else 0
        if height <= 3:
            kept.append(letter)
    return "".join(kept)


def subject_of(text: str) -> str:
    """What a paper is about, without the "V/v" or "về việc" that stands before it anyway."""
    return re.sub(r"^(?:v/v|về việc)\b[\s:]*", "", text, flags=re.IGNORECASE)


def clean_line(text: str) -> str:
    """`clean`, on one line with single spaces: for names, titles and places."""
    return " ".join(clean(text).split())


_KEPT_IN_CAPITALS = {"ATVSLĐ", "CNVCLĐ", "TƯLĐTT"}
_VOWEL = re.compile(r"[aeiouy]")


def sentence_case_if_shouting(text: str) -> str:
    """A title typed in capitals, in sentence case; any other text unchanged.

    Abbreviations stay: words without a vowel (CNC, LĐLĐ), with a digit (5S), and the few known others. Names inside
    lose their capitals; the preview lets the author mend that.
    """
    words = [word for word in text.split() if not _is_abbreviation(word)]
    letters_typed = "".join(words)
    if len(words) < 2 or letters_typed != letters_typed.upper() or letters_typed == letters_typed.lower():
        return text
    lowered = "".join(part if _is_abbreviation(part) else part.lower() for part in re.split(r"(\s+)", text))
    return re.sub(r"(?:^|[.!?]\s+|\n)\W*?[^\W\d_]", lambda found: found.group().upper(), lowered)


def _is_abbreviation(word: str) -> bool:
    core = word.strip(".,;:!?()\"'“”")
    return core in _KEPT_IN_CAPITALS or any(map(str.isdigit, core)) or not _VOWEL.search(fold(core))


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, the unit of Telegram's limits and entity offsets."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


_ONE_LETTER = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}"  # two regional indicators are one flag
    "|.(?:\u200d.|[\U0001f3fb-\U0001f3ff\ufe0f\u20e3]|[\U000e0020-\U000e007f])*",
    re.DOTALL,
)


def letters(text: str) -> int:
    """How many letters a person would count, spaces included: the unit of every limit that is told to people."""
    text = unicodedata.normalize("NFC", text)
    bare = "".join(letter for letter in text if letter == "\ufe0f" or unicodedata.category(letter) != "Mn")
    return sum(1 for _ in _ONE_LETTER.finditer(bare))
