"""Every dialogue and every command, in the order in which menu and help offer them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from content.text import shorthand
from content.words import Words
from handlers import menu, onboarding
from handlers.dialogue import Command, Dialogue, Move
from handlers.engine import plain_label

MODULES = (onboarding, menu)

GLOBAL_WORDS = ("menu", "cancel", "back", "help", "skip")


@dataclass(frozen=True, slots=True)
class Registry:
    """What can be talked about, and the words that lead there."""

    dialogues: dict[str, Dialogue]
    commands: dict[str, Command]
    slashes: dict[str, str]
    words: dict[str, str]
    global_words: dict[str, frozenset[str]]
    welcome: Move
    joining: Move
    order: Sequence[Command] = field(default=())


def build_registry(words: Words) -> Registry:
    """Reads the modules and the words of their commands (`commands.<name>`). Raises KeyError for a command without."""
    dialogues = {dialogue.name: dialogue for module in MODULES for dialogue in module.DIALOGUES}
    commands = {command.name: command for module in MODULES for command in module.COMMANDS}
    meanings: dict[str, str] = {}
    for name in commands:
        if f"commands.{name}" not in words:
            continue
        for option in words.message(f"commands.{name}").choices:
            for word in (plain_label(option.label), *option.words):
                meanings.setdefault(shorthand(word), name)
    return Registry(
        dialogues=dialogues,
        commands=commands,
        slashes={name: name for name, command in commands.items() if command.slash},
        words=meanings,
        global_words={name: frozenset(words.message(f"words.{name}").choices[0].words) for name in GLOBAL_WORDS},
        welcome=onboarding.WELCOME,
        joining=onboarding.JOINING,
        order=tuple(commands.values()),
    )
