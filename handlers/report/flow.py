"""The order of the questions of each track, and how a single one is edited afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from content.message import Message
from content.text import clean, letters
from db.models import Track
from handlers.dialogue import Again, Dialogue, Move
from handlers.talk import Talk

dialogue = Dialogue("report", keeps_draft=True)

WORK = ("title", "field", "before", "after", "applied", "result", "files", "more")
GOOD_DEED = ("who", "what", "where_when", "witness", "files")
PART_OF = {
    "since": "applied", "money": "result", "money_ok": "result", "money_sure": "result", "detail": "result",
    "direct": "more", "coauthors": "more", "recognised": "more", "secret": "more", "display": "more",
}  # fmt: skip
"""The numbered question that a smaller one belongs to."""
LIMITS = {"before": (20, 1500), "after": (30, 3000), "what": (20, 3000)}
"""Fewest and most characters of the stories that may come in several messages."""
SHOWN = 160
"""Characters of a story where it is only recalled; the whole is sent."""


def track(talk: Talk) -> Track:
    """What is being reported."""
    return Track(talk.data["track"])


def order(talk: Talk) -> tuple[str, ...]:
    """The numbered questions of this track."""
    return GOOD_DEED if track(talk) == Track.GOOD_DEED else WORK


def place(talk: Talk, step: str) -> int:
    """The number of the question a step belongs to, from 1; 0 after the last one."""
    steps = order(talk)
    asked = PART_OF.get(step, step)
    return steps.index(asked) + 1 if asked in steps else 0


def brief(text: str) -> str:
    """A long answer cut for a small screen."""
    return text if len(text) <= SHOWN else text[: SHOWN - 1].rstrip() + "…"


def ask(talk: Talk, step: str, *, recall: bool = True, stands: str = "", **params: Any) -> Message:
    """A numbered question, with the answer that stands unless `recall` says it is no text; the way back shows it itself,
    save what `stands` in other words than it was answered."""
    message = talk.screen(f"report.{step}", i=place(talk, step), n=len(order(talk)), **params)
    answered = talk.data.get(step)
    if recall and not talk.state.ahead and isinstance(answered, str):
        stands = stands or answered
    if stands:
        recalled = talk.words("report.stands", answer=brief(stands))
        message = replace(message, text=f"{message.text}\n\n{recalled}")
    return message


def onward(talk: Talk, step: str) -> str:
    """The question after `step`, or back to the preview when only this one was to be edited."""
    if talk.data.get("editing"):
        talk.drop("editing")
        return "preview"
    steps = order(talk)
    following = steps.index(step) + 1
    if following < len(steps):
        return steps[following]
    return "publish" if track(talk) == Track.GOOD_DEED else "preview"


def short(text: str, key: str, least: int, most: int) -> str:
    """A short answer as typed. Raises Again with how long it is."""
    answer = clean(text)
    if not least <= letters(answer) <= most:
        raise Again(f"report.{key}", n=letters(answer))
    return answer


def finish_story(talk: Talk, step: str) -> Move | str:
    """The story is told; one that says too little is asked for more."""
    least, _ = LIMITS[step]
    told = talk.data.get(step, "")
    if letters(told) < least:
        raise Again("report.tell_more", least=least, n=letters(told))
    talk.drop("open")
    return onward(talk, step)


def tell(talk: Talk, step: str, text: str) -> None:
    """Joins a message to the story; editing begins it anew with the first one."""
    so_far = talk.data.get(step, "") if talk.data.get("open") == step else ""
    told = f"{so_far}\n{clean(text)}".strip()
    if letters(told) > LIMITS[step][1]:
        raise Again("report.tell_less", n=letters(told), most=LIMITS[step][1])
    talk.put(**{step: told, "open": step})
