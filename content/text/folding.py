"""Compares what people type without marks, in shorthand, or with Telex keys left in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

# Letters that look like đ but carry no combining mark to strip; the last two come from wrong keyboards and fonts.
_BARRED = "đĐðÐƉɖ"
_INVISIBLE = {"Mn", "Me", "Cf", "Cc", "Cs"}


class _Bare(dict[int, str]):
    """Letter by letter without marks and case; each is worked out once, since whole years of stories are folded."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        parts = unicodedata.normalize("NFD", "d" if letter in _BARRED else letter.lower())
        self[code] = "".join(part for part in parts if unicodedata.category(part) not in _INVISIBLE)
        return self[code]


_BARE = _Bare()


def fold(text: str) -> str:
    """The form in which everything is compared: no marks, no case, no invisible characters, single spaces.

    Total on any string and idempotent, so a stored fold may be folded again. Never for display.
    """
    bare = " ".join(text.split()).translate(_BARE)
    return " ".join(unicodedata.normalize("NFC", bare).split())


_SHORTHAND: Mapping[str, str] = {
    "k": "khong",
    "ko": "khong",
    "hok": "khong",
    "khg": "khong",
    "dc": "duoc",
    "sk": "sang kien",
    "cd": "cong doan",
    "cdcs": "cong doan co so",
    "cty": "cong ty",
    "nv": "nguyen vong",
    "ldld": "lien doan lao dong",
    "nld": "nguoi lao dong",
}


def shorthand(folded: str) -> str:
    """Chat shorthand written out, word by word. For matching commands only: in a story "k" may well be a name."""
    return " ".join(_SHORTHAND.get(word, word) for word in folded.split())


_SYLLABLE_AS_TYPED = re.compile(r"([bcdghklmnpqrstvx]*)([aeiouywsfrxj]+)([cghmnptsfrxj]*)")


def without_telex(folded: str) -> str:
    """What was meant when Telex keys were left in the text: "sasng kieen" is "sang kien", "ddoanf" is "doan".

    A second try for matching, when the text as typed found nothing; it would mangle foreign words.
    """
    return " ".join(_without_telex_word(word) for word in folded.split())


def _without_telex_word(word: str) -> str:
    word = word.replace("dd", "d")
    syllable = _SYLLABLE_AS_TYPED.fullmatch(word) if len(word) <= 12 else None  # longer is no syllable, and slow
    if not syllable:
        return word
    onset, nucleus, coda = syllable.groups()
    nucleus = re.sub(r"[wsfrxj]", "", nucleus)
    nucleus = re.sub(r"([aeo])\1", r"\1", nucleus)
    if not nucleus:
        return word  # no vowel, no syllable: an abbreviation such as "xs"
    return onset + nucleus + re.sub(r"[sfrxj]", "", coda)


def may_stand_for(typed: str, phrase: str) -> bool:
    """Whether marks are at most missing: "dong y" and "đông ý" stand for "đồng ý", but "đừng" never for "đúng"."""
    if fold(typed) != fold(phrase):
        return False
    wanted = iter(_with_loose_marks(phrase))
    return all(letter in wanted for letter in _with_loose_marks(typed))


def _with_loose_marks(text: str) -> str:
    # The bar of đ is a mark like the others here; a tone may sit on either vowel (hòa, hoà), so marks go to the end.
    decomposed = unicodedata.normalize("NFD", text.lower().replace("đ", "d\u0335"))
    return " ".join("".join(sorted(word, key=is_mark)) for word in decomposed.split())


def is_mark(letter: str) -> bool:
    return unicodedata.category(letter) == "Mn"
