"""Remembers that the content was found right: at the next start what no byte of has changed is not checked anew.

Checking is three quarters of what loading the content takes, and the content half of what a start is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from content.source import ROOT


def fingerprint(*about: Iterable[object], folder: Path = ROOT) -> str:
    """Of every file that is loaded or that checks what is, and of what else a check goes by."""
    seen = hashlib.sha256(repr([sorted(map(str, each)) for each in about]).encode())
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".yaml", ".py")):
        text = path.read_bytes()
        seen.update(f"\n{path.relative_to(folder)} {len(text)}\n".encode() + text)
    return seen.hexdigest()


class Checked:
    """The fingerprint of what was found right last, in a file."""

    def __init__(self, file: Path, now: str) -> None:
        self._file, self._now = file, now

    def __bool__(self) -> bool:
        """Whether that is what is there now."""
        with suppress(OSError, UnicodeDecodeError):
            return self._file.read_text("ascii") == self._now
        return False

    def note(self) -> None:
        """It is right as it is now. Where that cannot be written it is checked again."""
        if not self:
            with suppress(OSError):
                self._file.write_text(self._now, "ascii")
