"""Long lists, a screenful at a time: [more] leads to the next page and after the last to the first, the way back to the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from handlers.dialogue import AGAIN, Answer, Move
from handlers.talk import Talk

Item = TypeVar("Item")


def page(talk: Talk, items: Sequence[Item], size: int) -> tuple[list[Item], tuple[str, ...]]:
    """The items of the page that begins at the answer `start`, and the option that a list of one page goes without."""
    start = talk.data.get("start", 0)
    start = start if start < len(items) else 0
    end = start + size
    return list(items[start:end]), note(talk, start, size, more=end < len(items))


def note(talk: Talk, start: int, size: int, *, more: bool, name: str = "start") -> tuple[str, ...]:
    """Remembers where the pages beside the shown one begin. `name` is the answer that says where this one does."""
    talk.put(page=[talk.conversation.step, name, start + size if more else 0, max(0, start - size) if start else None])
    return () if start or more else ("more",)


def turn(talk: Talk) -> Move:
    """To the next page."""
    _, name, after, _ = talk.data["page"]
    talk.put(**{name: after})
    return AGAIN


def turn_back(talk: Talk) -> bool:
    """To the page before, if a later one is shown."""
    step, name, _, before = talk.data.get("page", ("", "", 0, None))
    if step != talk.conversation.step or before is None:
        return False
    talk.put(**{name: before})
    return True


def picked(talk: Talk, answer: Answer, name: str, step: str) -> Move | str:
    """Of a list whose options end in "-<id>": to the next page, or to the step of the one picked, its id kept as `name`."""
    if answer.choice == "more":
        return turn(talk)
    talk.put(**{name: int(answer.choice.rpartition("-")[2])})
    return step
