"""The order of joining's questions, what waits until it is over, and changing a single answer afterwards."""

from __future__ import annotations

from handlers.dialogue import Dialogue, Move
from handlers.talk import Talk

dialogue = Dialogue("onboarding")

STEPS = ("news", "unit", "group", "shift")
"""What joining asks after consent; an answered one is named in `pending["answered"]`."""


def remember(talk: Talk, **values: object) -> None:
    """Adds to what waits until joining is over; it survives leaving the dialogue."""
    talk.conversation.pending = {**talk.conversation.pending, **values}


def forget(talk: Talk, name: str) -> None:
    """Takes one thing from what waits."""
    talk.conversation.pending = {key: value for key, value in talk.conversation.pending.items() if key != name}


def pending(talk: Talk, name: str) -> str:
    """A part of what waits until joining is over."""
    return str(talk.conversation.pending.get(name, ""))


def task(talk: Talk) -> tuple[str, str]:
    """The command, with its argument, that joining leads to: an invitation works once, so nothing takes its place."""
    invitation = pending(talk, "invitation")
    return ("nhanquyen", invitation) if invitation else (pending(talk, "command"), pending(talk, "arg"))


def missing(talk: Talk) -> list[str]:
    """The questions of joining that have no answer yet; a person who finished has none."""
    waits = talk.conversation.pending
    if talk.joined and "answered" not in waits:
        return []
    left = [step for step in STEPS if step not in waits.get("answered", [])]
    return [step for step in left if step != "shift" or talk.me.news or "news" in left]


def onward(talk: Talk, answered: str) -> Move | str:
    """The next question, or back to the profile where only this answer was to be changed."""
    if talk.data.get("editing"):
        return Move("profile", "home")
    remember(talk, answered=[*talk.conversation.pending.get("answered", []), answered])
    left = missing(talk)
    return left[0] if left else "done"
