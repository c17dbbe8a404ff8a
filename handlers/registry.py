"""Every dialogue and every command, in the order in which welcome, menu and help offer them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TypeVar

from content.text import shorthand
from content.words import Words
from handlers import (
    activities,
    alarms,
    anniversaries,
    announcing,
    automatic,
    campaign,
    certificate,
    contest,
    contest_desk,
    contest_prize,
    law_answers,
    law_review,
    leaderboard,
    menu,
    moderation,
    mysubmissions,
    onboarding,
    practice,
    profile,
    question_reports,
    registration,
    report,
    supplement,
    units,
)
from handlers.dialogue import Command, Dialogue, Move
from handlers.meaning import joined_up, plain_label
from handlers.talk import Talk

Named = TypeVar("Named", Dialogue, Command)

MODULES: tuple[ModuleType, ...] = (
    onboarding,
    campaign,
    registration,
    report,
    practice,
    law_answers,
    contest,
    certificate,
    leaderboard,
    mysubmissions,
    supplement,
    anniversaries,
    activities,
    profile,
    moderation,
    question_reports,
    law_review,
    contest_desk,
    contest_prize,
    announcing,
    automatic,
    units,
    alarms,
    menu,
)
"""Each may have DIALOGUES, COMMANDS, WAITING (the menu's one line, most useful first) and OFFICER_WORK (lines)."""

GLOBAL_WORDS = ("menu", "cancel", "back", "help", "skip", "stop", "unit")

COMMAND_NAMES = frozenset(command.name for module in MODULES for command in getattr(module, "COMMANDS", ()))
"""What a button may name."""

Line = Callable[[Talk], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Registry:
    """What can be talked about, and the words that lead there."""

    dialogues: dict[str, Dialogue]
    commands: dict[str, Command]
    order: Sequence[Command]
    slashes: frozenset[str]
    words: dict[str, str]
    """By `joined_up` words, the command they open."""
    global_words: dict[str, str]
    waiting: Sequence[Line]
    officer_work: Sequence[Line]
    joining: Move = onboarding.JOINING


def by_name(things: Sequence[Named]) -> dict[str, Named]:
    """Each by its name. Raises ValueError where two have one, for the second would replace the first."""
    found = {thing.name: thing for thing in things}
    if len(found) < len(things):
        twice = sorted({thing.name for thing in things if found[thing.name] is not thing})
        raise ValueError(f"there twice: {', '.join(twice)}")
    return found


def build_registry(words: Words) -> Registry:
    """Reads the modules and the words of their commands (`commands.<name>`)."""
    commands: list[Command] = [c for module in MODULES for c in getattr(module, "COMMANDS", ())]
    named = [command for command in commands if f"commands.{command.name}" in words]
    meanings = {command.name: command.name for command in named}
    for command in named:
        for option in words.message(f"commands.{command.name}").choices:
            for word in (plain_label(option.label), *option.words):
                meanings.setdefault(joined_up(shorthand(word)), command.name)
    return Registry(
        dialogues=by_name([dialogue for module in MODULES for dialogue in getattr(module, "DIALOGUES", ())]),
        commands=by_name(commands),
        order=tuple(commands),
        slashes=frozenset(command.name for command in named),
        words=meanings,
        global_words={word: name for name in GLOBAL_WORDS for word in words.message(f"words.{name}").choices[0].words},
        waiting=tuple(line for module in MODULES for line in getattr(module, "WAITING", ())),
        officer_work=tuple(line for module in MODULES for line in getattr(module, "OFFICER_WORK", ())),
    )
