"""Cleans a photo in a process of its own: what a stranger's file breaks, eats up or takes over is that process alone.

It has 512 MB and five seconds of work (promises.md §2.2), writes no file, and knows nothing of ours: the environment,
where the bot's token may stand, is not handed on.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from content.pictures import PictureError, PictureKind, clean_photo

MEMORY = 512 * 2**20
"""Bytes. A JPEG or PNG of 40 megapixels needs up to 350 MB of them, a WebP of half as many all."""
WORK = 5
"""Seconds of computing; a photo of 40 megapixels takes one."""
PATIENCE: Final = 60.0
"""Seconds until an answer, on a machine that has much else to do."""
REFUSED: Final = 3
"""How the process ends when the photo is refused; what it wrote is why."""
HANDED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


def clean_photo_apart(data: bytes) -> bytes:
    """As `clean_photo`, in a process of its own. Blocks up to a minute: run it in a thread.

    Raises `PictureError`: those of `clean_photo`, `too_big` also for what would take more memory or time than there is,
    `broken` for what brings the decoder down. RuntimeError and subprocess.TimeoutExpired if no such process can work.
    """
    done = subprocess.run(
        [sys.executable, "-m", "content.apart", str(MEMORY), str(WORK)],
        input=data,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        cwd=Path(__file__).parents[1],
        env={name: os.environ[name] for name in HANDED_ON if name in os.environ},
    )
    if done.returncode == 0:
        return done.stdout
    if done.returncode == REFUSED:
        raise PictureError(_kind(done.stdout))
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise PictureError("too_big")
    if done.returncode < 0:
        raise PictureError("broken")
    raise RuntimeError(f"no photo can be cleaned: {done.stderr[-500:].decode(errors='replace')}")


def _kind(said: bytes) -> PictureKind:
    kinds: dict[bytes, PictureKind] = {b"too_big": "too_big", b"not_a_picture": "not_a_picture"}
    return kinds.get(said, "broken")


def _main(memory: int, work: int) -> int:
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, work),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    try:
        answer, code = clean_photo(sys.stdin.buffer.read()), 0
    except PictureError as error:
        answer, code = error.kind.encode(), REFUSED
    sys.stdout.buffer.write(answer)
    return code


if __name__ == "__main__":
    sys.exit(_main(*map(int, sys.argv[1:])))
