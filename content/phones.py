"""Vietnamese telephone numbers as people type them."""

from __future__ import annotations

import re


def parse_phone(text: str) -> str:
    """Ten digits that begin with 0, from "0912 345 678", "+84 912.345.678" or "84912345678"; "" for anything else."""
    bare = re.sub(r"[\s.\-()]", "", text)
    found = re.fullmatch(r"(?:\+?84|0)(\d{9})", bare)
    return f"0{found[1]}" if found is not None else ""
