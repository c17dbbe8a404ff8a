"""Reads and writes the hours in which a person wants no messages, as people type them: "22h-6h", "từ 10 giờ tối đến 6 giờ sáng"."""

from __future__ import annotations

import re
import unicodedata
from datetime import time, timedelta
from typing import Final

from content.text import fold
from content.times import PART, number_words, since_midnight

Span = tuple[time, time]
"""From, up to; over midnight where the end is not after the beginning."""
LONGEST = timedelta(hours=14)
"""More than this would leave too little of the day to be told anything."""
# Said with marks these words are clear; folded, "toi" is "tới" as well as "tối".
_TOLD_APART: Final = {"tới": "den", "tối": "buoi_toi"}
_HOUR = re.compile(
    r"(?<![\d:])(?P<hour>\d{1,2})(?:"
    r" ?(?:gio|h|g)(?![a-z])(?: ?(?P<minute>\d{2})(?![\d:]| ?(?:gio|h|g)(?![a-z]))(?: ?(?:phut|p)\b)?| ?(?P<half>ruoi)\b)?"
    r"|:(?P<clock>\d{2}))?(?![\d:])"
)
_AFTER_A_PART = re.compile(r"\b(sang|trua|chieu|dem|khuya) toi\b")
_EVENING = re.compile(r"(?<=[\dhogip]) ?toi\b|\btoi(?= ?\d)")
_UP_TO = re.compile(r"\b(?:den|ra)\b|[-–—>→]")


def parse_hours(text: str) -> Span | None:
    """The two hours in a text, from and up to; None where there are not exactly two, or one is no hour of the day."""
    if len(text) > 100:
        return None
    typed = number_words(" ".join(unicodedata.normalize("NFC", text).lower().split()))
    typed = fold(re.sub(r"\w+", lambda word: _TOLD_APART.get(word.group(), word.group()), typed))
    typed = _AFTER_A_PART.sub(r"\1 den", typed)
    typed = _EVENING.sub(" buoi_toi ", typed)
    hours = list(_HOUR.finditer(typed))
    if len(hours) != 2 or re.search(r"\d", _HOUR.sub("", typed)):
        return None
    between = _UP_TO.search(typed, hours[0].end(), hours[1].start())
    cut = between.start() if between else hours[1].start()
    first, second = _time(hours[0], typed[:cut]), _time(hours[1], typed[cut:])
    return None if first is None or second is None or first == second else (first, second)


def _time(found: re.Match[str], said: str) -> time | None:
    """An hour with the part of the day that stands beside it."""
    parts = set(PART.findall(said))
    minute = 30 if found["half"] else int(found["minute"] or found["clock"] or 0)
    since = since_midnight(int(found["hour"]), minute, parts.pop() if parts else "") if len(parts) < 2 else None
    return None if since is None else time(since.seconds // 3600, since.seconds // 60 % 60)


def length(span: Span) -> timedelta:
    """How long it lasts."""
    begins, ends = (timedelta(hours=each.hour, minutes=each.minute) for each in span)
    return (ends - begins) % timedelta(days=1)


def to_text(span: Span) -> str:
    """The form that is stored: "22:00-06:00"."""
    return f"{span[0]:%H:%M}-{span[1]:%H:%M}"


def from_text(stored: str) -> Span | None:
    """The inverse of `to_text`; None for the empty text."""
    begins, _, ends = stored.partition("-")
    return (time.fromisoformat(begins), time.fromisoformat(ends)) if stored else None


def format_span(span: Span) -> str:
    """As people read it: "22:00–6:00"."""
    return "–".join(f"{each.hour}:{each.minute:02}" for each in span)
