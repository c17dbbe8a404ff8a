"""Files that outlive a power cut, like the rows that name them. Everything here waits for the disk."""

from __future__ import annotations

import os
from pathlib import Path


def write(file: Path, data: bytes) -> None:
    """Makes a file; after a power cut it is there as it is now. One cut off on the way is never taken for it."""
    part = file.with_name(f"{file.name}.part")
    part.write_bytes(data)
    place(part, file)


def place(part: Path, file: Path) -> None:
    """Gives a file that is finished its name."""
    sync(part)
    part.replace(file)
    sync(file.parent)


def make_folder(folder: Path) -> None:
    """Makes a folder where there is none."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        sync(folder.parent)


def sync(*paths: Path) -> None:
    """Files' content, or folders' names, outlive a power cut from here on."""
    for path in paths:
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
