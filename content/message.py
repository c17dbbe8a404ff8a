"""What is said: text with ordered choices and media, neutral to every channel."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

MAX_CHOICES = 8
"""More options than this do not fit a small phone (5-voice §5.5)."""

LABEL = 24
"""The longest label (5-voice §5.5)."""

TINY = re.compile(r"(?:✅ )?(?:[A-H]|[0-9]{1,2})")
"""A single letter or number, perhaps ticked: the options of a list whose words stand in the text."""

MOST_TINY = 5
"""So many of them stand in one row."""

NARROW = 14
"""Labels of up to this many characters, their icon aside, stand two in a row (5-voice §5.5, the menu of 4-conversation)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One option. With `command` it works for ever and is authorised when pressed; without, it dies with its screen.

    What turns the page or leads back stands `apart`, below the options that answer.
    """

    label: str
    key: str = ""
    command: str = ""
    arg: str = ""
    words: tuple[str, ...] = ()
    apart: bool = False

    def data(self, screen: int) -> str:
        """What a button carries; parsed and authorised like typed input, never trusted (≤ 64 bytes on Telegram)."""
        return f"c:{self.command}:{self.arg}" if self.command else f"s:{screen}:{self.key}"


@dataclass(frozen=True, slots=True)
class Media:
    """A cleaned file of the data folder: `kind` is "photo" or "document", `name` is what the reader sees."""

    kind: str
    file: str
    name: str


@dataclass(frozen=True, slots=True)
class Message:
    """`text` is a small HTML subset (b, i, u, a). `key` names the words; `screen` is 0 for what is not a screen.

    `hint` says in words what its buttons are for, and is shown only by a door that cannot show them (`spelled_out`).
    """

    text: str
    choices: tuple[Choice, ...] = ()
    media: tuple[Media, ...] = ()
    key: str = ""
    screen: int = 0
    hint: str = ""


def spelled_out(message: Message) -> str:
    """The text of a message where its buttons cannot be shown."""
    return f"{message.text}\n\n{message.hint}" if message.choices and message.hint else message.text


def rows(choices: Sequence[Choice]) -> list[list[Choice]]:
    """Lays options out: letters and numbers evenly side by side, two narrow labels in a row, others alone."""
    result: list[list[Choice]] = []
    for (tiny, _), run in groupby(choices, lambda choice: (bool(TINY.fullmatch(choice.label)), choice.apart)):
        each = list(run)
        if tiny:
            lines = -(-len(each) // MOST_TINY)
            at = [round(len(each) * line / lines) for line in range(lines + 1)]
            result += [each[begin:end] for begin, end in pairwise(at)]
            continue
        for n, choice in enumerate(each):
            if n and len(result[-1]) == 1 and _narrow(result[-1][0]) and _narrow(choice):
                result[-1].append(choice)
            else:
                result.append([choice])
    return result


def _narrow(choice: Choice) -> bool:
    return len(re.sub(r"^\W+", "", choice.label)) <= NARROW


def without_markup(text: str) -> str:
    """The small HTML subset as plain text, for what shows none of it (a cell of a workbook)."""
    return html.unescape(re.sub(r"</?[biua]\b[^<>]*>", "", text))


def to_json(message: Message) -> dict[str, Any]:
    """The form that is stored in the outbox."""
    return {
        "text": message.text,
        "choices": choices_to_json(message.choices),
        "media": [[m.kind, m.file, m.name] for m in message.media],
        "key": message.key,
        "screen": message.screen,
        "hint": message.hint,
    }


def from_json(data: dict[str, Any]) -> Message:
    """The inverse of `to_json`."""
    return Message(
        data["text"],
        choices_from_json(data["choices"]),
        tuple(Media(*media) for media in data["media"]),
        data["key"],
        data["screen"],
        data["hint"],
    )


def choices_to_json(choices: Sequence[Choice]) -> list[list[Any]]:
    """The form in which options are stored, in the outbox and with the screen they are on."""
    return [[c.label, c.key, c.command, c.arg, list(c.words), c.apart] for c in choices]


def choices_from_json(data: Sequence[Sequence[Any]]) -> tuple[Choice, ...]:
    """The inverse of `choices_to_json`."""
    return tuple(
        Choice(label, key, command, arg, tuple(words), apart) for label, key, command, arg, words, apart in data
    )
