"""Whether a message reads like a question, as people type on phones: mostly without its mark, often without any marks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from content.text import fold, shorthand

FEWEST = 3
"""From so many words on something asks without a question mark: two are a name, or what is looked for."""
TOLD = 5
"""From so many words on what is told may be answered."""
NAME = 4
"""A name has at most so many words."""
MARKED = 3
"""A text is typed with marks where every third word has some, at least: there a word without any is meant without."""
_WORD = re.compile(r"\w+")
_PAUSE = re.compile(r"[,.;:!?\n]+")

Words = tuple[str, ...]


class AskingFile(BaseModel):
    """How people ask. Written with marks; what is typed without any is compared without."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phrases: Words
    """Ask wherever they stand, but before "cũng"."""
    counted: Words
    """What "mấy" counts when it asks: "mấy ngày", not "mấy anh em"."""
    past: Words
    """Behind it "mấy ngày" tells: "mấy ngày nay"."""
    anybody: Words
    """Around "ai" when it asks for nobody: "không ai", "ai cũng"."""
    whether: Words
    """Last words that ask whether."""
    still: Words
    """Before those it is an answer: "em vẫn chưa"."""
    which: Words
    """Last words that ask for a thing, unless it was denied: "không có gì"."""
    marked: Words
    """Such as do so only with their marks: "à" is "ạ" without."""
    person: Words
    """Before a last "ai" that asks, and is no name."""
    place: Words
    """Before a last "dau" that is "đâu", not "đau"."""
    denied: Words
    anew: Words
    """What was denied before them is no longer: "không đóng thì làm gì"."""
    courteous: Words
    """Behind the question, and none of it."""
    surnames: Words
    trouble: Words
    """Words of somebody who tells what befell them, to hear what the law says of it."""


class Asking:
    """Tells questions from the other things that people write. `typed`: shorthand of phones, written out."""

    def __init__(self, file: AskingFile, typed: Mapping[str, str]) -> None:
        self._typed = typed
        self._phrases = [[_forms((word,)) for word in phrase.split()] for phrase in file.phrases]
        self._counted, self._past, self._anybody = map(_forms, (file.counted, file.past, file.anybody))
        self._which = _forms(file.which) | set(file.marked)
        self._whether, self._still, self._person = map(_forms, (file.whether, file.still, file.person))
        self._place, self._denied, self._anew = map(_forms, (file.place, file.denied, file.anew))
        self._courteous, self._surnames = _forms(file.courteous), _forms(file.surnames)
        self._trouble = _forms(file.trouble)
        self._also, self._how_many, self._who = (_forms((word,)) for word in ("cũng", "mấy", "ai"))

    def reads(self, text: str) -> bool:
        """Whether somebody asks: by the mark behind two words, or by how one of its parts is put."""
        parts = self._parts(text)
        words = [word for part in parts for word in part]
        if "?" in text and len(words) >= FEWEST - 1:
            return True
        return len(words) >= FEWEST and any(map(self._asks, parts))

    def complains(self, text: str) -> bool:
        """Whether somebody may be telling of a trouble, in more than a cry: "công ty nợ bảo hiểm 6 tháng nay"."""
        words = {word for part in self._parts(text) for word in part}
        return len(text.split()) >= TOLD and not words.isdisjoint(self._trouble)

    def _parts(self, text: str) -> list[list[str]]:
        """Between its pauses the words, "~" before those that may have lost their marks."""
        lines = [_WORD.findall(part) for part in _PAUSE.split(unicodedata.normalize("NFC", text.lower()))]
        words = [word for line in lines for word in line]
        bare = MARKED * sum(fold(word) != word for word in words) < len(words)
        return [[written for word in line for written in self._written(word, bare=bare)] for line in lines if line]

    def _written(self, word: str, *, bare: bool) -> list[str]:
        whole = self._typed.get(word) or shorthand(word)
        # "ko" has no marks where everything else has.
        loose = bare or (whole != word and fold(whole) == whole)
        return [f"~{fold(each)}" if loose else each for each in whole.split()]

    def _is_name(self, words: Sequence[str]) -> bool:
        return FEWEST <= len(words) <= NAME and words[0] in self._surnames and words[-1] not in self._whether

    def _without_courtesy(self, part: list[str]) -> list[str]:
        end = len(part)
        while end and part[end - 1] in self._courteous:
            end -= 1
        return part[:end]

    def _asks(self, words: list[str]) -> bool:
        if any(self._asks_at(words, at) for at in range(len(words))):
            return True
        *before, last = self._without_courtesy(words) or [""]
        return bool(before) and not self._is_name(words) and self._asks_last(before, last)

    def _asks_at(self, words: list[str], at: int) -> bool:
        behind = [*words[at + 1 :], "", ""]
        if words[at] in self._how_many and behind[0] in self._counted:
            return behind[1] not in self._past | self._also
        if words[at] in self._who and behind[0]:
            return not {behind[0], *words[max(0, at - 1) : at]} & self._anybody
        for phrase in self._phrases:
            here = words[at : at + len(phrase)]
            if len(here) == len(phrase) and all(word in forms for word, forms in zip(here, phrase, strict=True)):
                return behind[len(phrase) - 1] not in self._also
        return False

    def _asks_last(self, before: list[str], last: str) -> bool:
        if last in self._whether:
            return before[-1] not in self._still
        named = (last in self._who and before[-1] in self._person) or (last == "~dau" and before[-1] in self._place)
        return (named or last in self._which) and not self._is_denied(before)

    def _is_denied(self, before: list[str]) -> bool:
        denied = False
        for word in before:
            denied = word in self._denied or (denied and word not in self._anew)
        return denied


def _forms(words: Iterable[str]) -> set[str]:
    """The words as they are written, and as they may be typed without marks."""
    return {form for word in words for form in (word, f"~{fold(word)}")}
