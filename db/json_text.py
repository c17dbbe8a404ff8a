"""JSON as it is written down: in the tables, and in what goes over a line. Python's own takes several times as long."""

from __future__ import annotations

import json
from typing import Any

import orjson

_AS_PYTHON = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def to_text(value: Any) -> str:
    """One line, letters as they are; half an emoji, which is no letter, becomes a question mark.

    What orjson does not write Python does: that, keys that are numbers, numbers of more than 64 bits. Raises TypeError for
    what is no JSON.
    """
    try:
        return orjson.dumps(value, option=_AS_PYTHON).decode()
    except TypeError:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace").decode()


def from_text(text: str | bytes) -> Any:
    """What a text says; more lenient than the standard, as Python is. Raises ValueError, RecursionError for brackets without end."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def within(text: str) -> str:
    """How a text stands in such a line, without its quotes: to find what was said in it."""
    return to_text(text)[1:-1]
