"""The order of the questions of each track, and how a single one is edited afterwards."""

from __future__ import annotations

from typing import Any

from content.message import Message
from content.text import clean, letters
from db.models import Track
from handlers.dialogue import STAY, Again, Answer, Dialogue, Move
from handlers.talk import Talk

dialogue = Dialogue("report", keeps_draft=True)

WORK = ("title", "field", "before", "after", "applied", "result", "files", "more")
GOOD_DEED = ("who", "what", "where_when", "witness", "files")
LIMITS = {"before": (20, 1500), "after": (30, 3000), "what": (20, 3000)}
"""Fewest and most characters of the stories that may come in several messages."""


def track(talk: Talk) -> Track:
    """What is being reported."""
    return Track(talk.data["track"])


def order(talk: Talk) -> tuple[str, ...]:
    """The numbered questions of this track."""
    return GOOD_DEED if track(talk) == Track.GOOD_DEED else WORK


def ask(talk: Talk, step: str, **params: Any) -> Message:
    """A numbered question."""
    steps = order(talk)
    return talk.screen(f"report.{step}", i=steps.index(step) + 1, n=len(steps), **params)


def onward(talk: Talk, step: str) -> str:
    """The question after `step`, or back to the preview when only this one was to be edited."""
    if talk.data.get("editing"):
        talk.drop("editing")
        return "preview"
    steps = order(talk)
    place = steps.index(step) + 1
    if place < len(steps):
        return steps[place]
    return "publish" if track(talk) == Track.GOOD_DEED else "preview"


def short(text: str, key: str, least: int, most: int) -> str:
    """A short answer as typed. Raises Again with how long it is."""
    answer = clean(text)
    if not least <= letters(answer) <= most:
        raise Again(f"report.{key}", n=letters(answer))
    return answer


def story(talk: Talk, step: str, answer: Answer) -> Move | str:
    """Joins the messages of a story until [Xong]; editing begins it anew with the first message."""
    least, most = LIMITS[step]
    so_far = talk.data.get(step, "") if talk.data.get("open") == step else ""
    if answer.choice == "done":
        told = talk.data.get(step, "")
        if letters(told) < least:
            raise Again("report.tell_more", least=least, n=letters(told))
        talk.drop("open")
        return onward(talk, step)
    told = f"{so_far}\n{clean(answer.text)}".strip()
    if letters(told) > most:
        raise Again("report.tell_less", n=letters(told), most=most)
    talk.put(**{step: told, "open": step})
    talk.say("report.noted", slot=talk.quiet, after=1.5)
    return STAY
