"""What a unit's name tells where nobody says it: its level, and a code for it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from content.text import fold


def guess_level(name: str, parent: str) -> str:
    """The level a name tells of: a federation at the top, unions of communes and zones, teams; else a workplace."""
    folded = fold(name)
    if not parent or folded.startswith(("lien doan lao dong tinh", "lien doan lao dong thanh pho", "ldld tinh")):
        return "province"
    if folded.startswith(("to ", "chuyen ", "cong doan bo phan")):
        return "team"
    if folded.startswith(
        ("cong doan xa", "cong doan phuong", "cong doan cac khu", "cong doan khu", "cum ", "cong doan nganh")
    ):
        return "upper"
    return "grassroots"


def code_for(name: str, taken: Iterable[str]) -> str:
    """A code of a new unit from its name, unlike every one that is taken: "Xưởng mộc ông Tư" → "XUONG-MOC-ONG-TU"."""
    there = set(taken)
    plain = "-".join(re.findall(r"[A-Z0-9]+", fold(name).upper()))[:24].strip("-") or "DON-VI"
    code, number = plain, 2
    while code in there:
        tail = f"-{number}"
        code, number = plain[: 24 - len(tail)].rstrip("-") + tail, number + 1
    return code
