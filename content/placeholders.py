"""Officers' texts: plain words with {ten} and {don_vi}; anything else in braces is refused, nothing is ever executed."""

from __future__ import annotations

import re

from content.text import fold

KNOWN = ("ten", "don_vi")
MOST = 5
"""Placeholders in one text: names are short, but a text of nothing else would outgrow every message."""
_BRACED = re.compile(r"\{([^{}\n]{0,40})\}")
_MEANT = {"ten": "{ten}", "don vi": "{don_vi}", "donvi": "{don_vi}"}


def spelled(text: str) -> str:
    """A text with its placeholders as they are known, however a phone writes them: {Tên}, {đơn vị}, { DON VI } are {ten}, {don_vi}."""
    return _BRACED.sub(lambda found: _MEANT.get(fold(found.group(1)).replace("_", " "), found.group(0)), text)


def unknown_placeholders(text: str) -> list[str]:
    """What stands in braces and means nothing here, as typed, each once."""
    return list(dict.fromkeys(found.group(0) for found in _BRACED.finditer(text) if found.group(1) not in KNOWN))


def count_placeholders(text: str) -> int:
    """How many places differ from person to person."""
    return sum(found.group(1) in KNOWN for found in _BRACED.finditer(text))


def fill(text: str, *, name: str, unit: str) -> str:
    """A text for one person; what is filled in is never read again."""
    values = {"ten": name or "anh/chị", "don_vi": unit or "đơn vị"}
    return _BRACED.sub(lambda found: values.get(found.group(1), found.group(0)), text)
