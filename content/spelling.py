"""What a proofreader would mark in any text that is packed with the product."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_TONES = "\u0300\u0301\u0303\u0309\u0323"
_VOWELS = "aăâeêioôơuưy"
_SYLLABLE = re.compile(rf"(qu|gi(?=[{_VOWELS}])|[^{_VOWELS}]*)([{_VOWELS}]+)([^{_VOWELS}]*)", re.IGNORECASE)
"""Beginning, vowels, end. In "qu" the u is no vowel, in "già" the i is none."""
_WORD = re.compile(r"[^\W\d_]+")


def spelling(text: str) -> list[str]:
    """An empty text, letters in pieces, tone marks out of their place, stray spaces."""
    if not text.strip():
        return ["empty"]
    faults = []
    if not unicodedata.is_normalized("NFC", text):
        faults.append("letters and marks are stored apart (not NFC): type the word anew")
    faults += misplaced(text)
    if " ".join(text.split()) != text:
        faults.append("spaces or line breaks too many")
    return faults


def misplaced(text: str) -> Iterator[str]:
    """The words whose tone mark stands on another letter than in official papers: hoà, tòan, qúy."""
    for word in _WORD.findall(unicodedata.normalize("NFC", text)):
        right = _placed(word)
        if right != word:
            yield f"the tone mark of '{word}' stands on the wrong letter (write {right})"


@lru_cache(maxsize=8192)
def _placed(word: str) -> str:
    """A word with its tone mark where it belongs; as it is where it has none, or is no Vietnamese syllable."""
    apart = [unicodedata.normalize("NFD", letter) for letter in word]
    tones = [mark for letter in apart for mark in letter if mark in _TONES]
    letters = [unicodedata.normalize("NFC", "".join(c for c in letter if c not in _TONES)) for letter in apart]
    syllable = _SYLLABLE.fullmatch("".join(letters))
    if len(tones) != 1 or syllable is None:
        return word
    beginning, vowels, end = syllable.groups()
    marked = [n for n, letter in enumerate(vowels.lower()) if letter in "ăâêôơư"]
    if marked:
        place = marked[-1]
    elif end:
        place = len(vowels) - 1
    else:
        place = len(vowels) // 2 if len(vowels) == 3 else 0
    place += len(beginning)
    letters[place] = unicodedata.normalize("NFC", letters[place] + tones[0])
    return "".join(letters)
