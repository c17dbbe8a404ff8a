"""What a typed message means on the screen a person has before them: an option, several of them, or neither (decisions 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from content.message import Choice
from content.text import fold, is_no, is_yes, shorthand, whole_number, without_telex

NUMBERS = {"mot": 1, "hai": 2, "ba": 3, "bon": 4, "tu": 4, "nam": 5, "sau": 6, "bay": 7, "tam": 8}
"""The numbers of options as words, folded."""
LEAD = re.compile(r"^(?:cau|so|chon|dap an|phuong an)\s+")
APART = re.compile(r"\s*[,;+&]\s*|\s+va\s+|\s+")


def spellings(text: str) -> Iterator[str]:
    """The folded readings of a message: as it was typed, then as it was meant if Telex keys were left in it."""
    typed = plain_label(text) or fold(text)
    first = shorthand(typed)
    yield first
    second = shorthand(without_telex(typed))
    if second != first:
        yield second


def option(choices: Sequence[Choice], text: str, *, numbered: bool) -> Choice | None:
    """The option that a message means: by number or letter (unless those are answers here), label or keyword."""
    for folded in spellings(text):
        bare = LEAD.sub("", folded)
        place = _place(bare) if numbered else None
        if place is not None and place < len(choices):
            return choices[place]
        for choice in choices:
            if folded in readings(choice.label) or folded in choice.words:
                return choice
        if numbered and 1 <= NUMBERS.get(bare, 0) <= len(choices):
            return choices[NUMBERS[bare] - 1]
    keys = {choice.key: choice for choice in choices} if numbered else {}
    if "yes" in keys and is_yes(text):
        return keys["yes"]
    if "no" in keys and is_no(text):
        return keys["no"]
    return None


def several(choices: Sequence[Choice], text: str) -> tuple[str, ...]:
    """The keys of the options named by at least two numbers ("1,3", "1 va 3", "mot, ba"); () when it is not that."""
    found = numbers(text)
    if len(found) < 2 or not all(1 <= number <= len(choices) for number in found):
        return ()
    return tuple(dict.fromkeys(choices[number - 1].key for number in found))


def numbers(text: str) -> list[int]:
    """The numbers a message is, however they are typed ("2", "1,3", "1 va 3", "mot, ba"); [] when it is anything else."""
    found = [NUMBERS.get(part, whole_number(part)) for part in APART.split(LEAD.sub("", fold(text)))]
    return [number for number in found if number is not None] if None not in found else []


def plain_label(label: str) -> str:
    """A label as people type it: folded, without icons and punctuation; "" for what has no letter or digit."""
    return " ".join(re.sub(r"[^0-9a-z]+", " ", fold(label)).split())


@lru_cache(maxsize=1024)
def readings(label: str) -> tuple[str, str]:
    """How a label may be typed: in full, in shorthand. Most labels stand on everybody's screens."""
    plain = plain_label(label)
    return plain, shorthand(plain)


def words_of(line: str) -> tuple[str, ...]:
    """What people type of a line whose button is only its number: the whole of it, or one of the things it names."""
    return tuple(dict.fromkeys(filter(None, map(plain_label, (line, *re.split(r"[,:;]", line))))))


def joined_up(folded: str) -> str:
    """Words as the names of commands have them: "ho so", "ho-so" and "hoso" are one."""
    return folded.replace(" ", "")


def _place(bare: str) -> int | None:
    """The place, from 0, that a digit or a letter stands for."""
    if re.fullmatch(r"[1-9]", bare):
        return int(bare) - 1
    return ord(bare) - ord("a") if re.fullmatch(r"[a-h]", bare) else None
