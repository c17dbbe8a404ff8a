"""One process per data folder: a second one refuses to start and says why."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO


class AlreadyRunning(Exception):
    """Another process holds the data folder; `pid` is its number where it could be read."""

    def __init__(self, folder: Path, pid: str) -> None:
        super().__init__(f"{folder} is in use by process {pid or '?'}")
        self.folder = folder
        self.pid = pid


def hold(folder: Path) -> IO[str]:
    """Takes the lock of a data folder for as long as the returned file is open. Raises AlreadyRunning."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = (folder / "congdoan.lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        pid = file.read().strip()
        file.close()
        raise AlreadyRunning(folder, pid) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
