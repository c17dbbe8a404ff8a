"""An announcement as its reader gets it: pushed, tried out by its author and read again in the same words."""

from __future__ import annotations

from collections.abc import Sequence

from content.message import Media, Message
from content.words import Words


def announcement(words: Words, kind: str, text: str, media: Sequence[Media]) -> Message:
    """The message of a broadcast; a correction says so first. `text` is as its author wrote it, filled in.

    An album cannot carry a button, so there the way to fewer messages is said in words (5-voice §5.4).
    """
    album = sum(each.kind == "photo" for each in media) > 1
    return words.message("announcing.pushed", correction=kind == "correction", text=text, album=album, media=media)
