"""An announcement as its reader gets it: pushed, tried out by its author and read again in the same words."""

from __future__ import annotations

from collections.abc import Sequence

from content.message import Choice, Media, Message
from content.words import Words


def with_activity(words: Words, text: str, unit: str, line: str) -> str:
    """An anniversary's text that ends with what the reader's own unit does."""
    return f"{text}\n{words.plain('anniversaries.activity', unit=unit, text=line)}"


def announcement(words: Words, kind: str, text: str, media: Sequence[Media], button: Sequence[str] = ()) -> Message:
    """The message of a broadcast; a correction says so first. `text` is as its author wrote it, filled in.

    `button` is (label, command, argument): what one may do right from it, today or in a year.
    """
    own = [Choice(button[0], command=button[1], arg=button[2])] if button else []
    return words.message("announcing.pushed", *own, correction=kind == "correction", text=text, media=media)
