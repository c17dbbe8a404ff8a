"""Backups and restores that are killed before one deed in the file system each: `python -m tests.bot.cut_off JOBS`.

A job is `[command, data folder, backup, at]`; 0 kills nothing and counts. Each is a fork of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot import backup as backups
from bot.settings import Settings

KILLED = -signal.SIGKILL
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
    reading, writing = os.pipe()
    if not (child := os.fork()):
        work = {"backup": backups.backup, "restore": backups.restore}[command]
        done = _count(str(Path(data).parent), at)
        asyncio.run(work(Settings.model_construct(data_dir=Path(data)), Path(file), datetime.now(UTC), lambda *_: None))  # type: ignore[operator]
        os.write(writing, str(done[0]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED), f"{command} that was to die at {at} failed"
    return int(said) if code == 0 else code


def play_all(jobs: Sequence[Job]) -> list[int]:
    """Deeds done, or KILLED, job by job."""
    listed = json.dumps([(command, str(data), str(file), at) for command, data, file, at in jobs])
    done = subprocess.run(
        [sys.executable, "-m", "tests.bot.cut_off", listed], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(map(int, json.loads(done.stdout)))


if __name__ == "__main__":
    print(json.dumps([_play(*job) for job in json.loads(sys.argv[1])]))
