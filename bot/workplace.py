"""Folders in which a backup is made or undone; what a killed process left there is a copy of everything, and goes."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = ".congdoan-"


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """A new folder in that one, deleted at the end."""
    clear(folder)
    with tempfile.TemporaryDirectory(dir=folder, prefix=PREFIX) as name, _held(Path(name)):
        yield Path(name)


def clear(folder: Path) -> None:
    """Deletes those in which nobody works any more."""
    for left in folder.glob(f"{PREFIX}*"):
        with suppress(OSError), _held(left):
            shutil.rmtree(left)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Shows that somebody works there. Raises BlockingIOError where another process does."""
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
