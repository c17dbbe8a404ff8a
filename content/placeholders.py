"""Officers' texts: plain words with {ten} and {don_vi}; anything else in braces is refused, nothing is ever executed."""

from __future__ import annotations

import re

KNOWN = ("ten", "don_vi")
_BRACED = re.compile(r"\{([^{}\n]{0,40})\}")


def unknown_placeholders(text: str) -> list[str]:
    """What stands in braces and means nothing here, as typed."""
    return [found.group(0) for found in _BRACED.finditer(text) if found.group(1) not in KNOWN]


def has_placeholders(text: str) -> bool:
    """Whether a text differs from person to person."""
    return any(f"{{{name}}}" in text for name in KNOWN)


def fill(text: str, *, name: str, unit: str) -> str:
    """A text for one person; what is filled in is never read again."""
    values = {"ten": name or "anh/chị", "don_vi": unit}
    return _BRACED.sub(lambda found: values.get(found.group(1), found.group(0)), text)
