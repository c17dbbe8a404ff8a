"""Backups and restores that are killed before one deed in the file system each: `python -m tests.bot.cut_off JOBS`.

A job is `[command, data folder, backup, at]`; 0 kills nothing and counts. Each is a fork of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot import backup as backups
from bot.settings import Settings
from tests.forks import forked, played

DEEDS = {"open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "shutil.move", "sqlite3.connect"}
Job = tuple[str, Path, Path, int]


def _count(root: str, at: int) -> list[int]:
    """Python names each deed before it is done."""
    done = [0]

    def heard(event: str, words: tuple[object, ...]) -> None:
        if event in DEEDS and str(words[0]).removeprefix("file:").startswith(root):
            done[0] += 1
            if done[0] == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(heard)
    return done


def _play(command: str, data: str, file: str, at: int) -> int:
    def work() -> int:
        deed = {"backup": backups.backup, "restore": backups.restore}[command]
        done = _count(str(Path(data).parent), at)
        asyncio.run(deed(Settings.model_construct(data_dir=Path(data)), Path(file), datetime.now(UTC), lambda *_: None))  # type: ignore[operator]
        return done[0]

    return forked(work, f"{command} that was to die at {at}")


def play_all(jobs: Sequence[Job]) -> list[int]:
    """Deeds done, or KILLED, job by job."""
    listed = [(command, str(data), str(file), at) for command, data, file, at in jobs]
    return list(map(int, played("tests.bot.cut_off", listed)))


if __name__ == "__main__":
    print(json.dumps([_play(*job) for job in json.loads(sys.argv[1])]))
