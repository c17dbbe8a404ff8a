"""How long `congdoan demo` takes until its page answers: the first time, when it makes its story, and afterwards."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from tests.bench.stage import ROUNDS, Server, median


async def seconds_until_ready(at: Server, folder: Path) -> float:
    """From the command to the first whole page, in wall seconds."""
    env = os.environ | {"CONGDOAN_DATA_DIR": str(folder)}
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--port", "0", env=env, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    address = (await process.stdout.readline()).decode().strip()
    async with at.session.get(address) as answer:
        assert answer.status == 200
        await answer.read()
    took = time.monotonic() - begun
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0
    return took


async def run(at: Server, folder: Path) -> None:
    """Prints seconds, for once not a ratio: people wait in seconds."""
    first, again = [], []
    for number in range(ROUNDS):
        house = folder / f"demo-{number}"
        first.append(await seconds_until_ready(at, house))
        again.append(await seconds_until_ready(at, house))
    print(f"\nThe demo, from the command to its page, on one core, median of {ROUNDS} rounds")
    print(f"  the first time {median(first):5.1f} s   afterwards {median(again):5.1f} s")
