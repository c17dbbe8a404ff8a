"""What every measurement shares: the server on a core of its own, fresh databases, medians."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bot.memory import settle

SHARE = float(os.environ.get("SHARE", "1"))
"""How much of the measurements that take minutes is done (`make bench SHARE=0.05`); a part only shows that they run."""
TOKEN = "1:bench-token-of-nobody-00000"
ROUNDS = 3


@dataclass(frozen=True)
class Server:
    """The lean Bot API."""

    url: str
    session: aiohttp.ClientSession

    async def control(self, **order: Any) -> dict[str, Any]:
        """Sets it anew and returns what happened since the last time; without an order it only tells."""
        async with self.session.post(f"{self.url}/control", data=json.dumps(order) if order else b"") as answer:
            told: dict[str, Any] = await answer.json()
            return told

    async def report(self) -> dict[str, Any]:
        """Everything it remembers since it was set: moments, chats, waits."""
        async with self.session.post(f"{self.url}/report") as answer:
            told: dict[str, Any] = await answer.json(loads=json.loads)
            return told


@asynccontextmanager
async def server() -> AsyncIterator[Server]:
    """Runs on the last core, while what is measured keeps to the first."""
    cores = sorted(os.sched_getaffinity(0))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.server", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    if len(cores) > 1:
        os.sched_setaffinity(process.pid, {cores[-1]})
        os.sched_setaffinity(0, {cores[0]})
    try:
        async with aiohttp.ClientSession() as session:
            yield Server(url, session)
    finally:
        process.terminate()
        await process.wait()
        os.sched_setaffinity(0, cores)


@dataclass(frozen=True)
class Cost:
    """Of one run: CPU and wall seconds of this process, CPU seconds of the server."""

    cpu: float
    wall: float
    server: float


async def measure(
    at: Server, order: dict[str, Any], work: Callable[[], Awaitable[None]]
) -> tuple[Cost, dict[str, Any]]:
    """Runs something against the server set as ordered, in a process that has settled as `congdoan run` does."""
    await at.control(**order)
    settle()
    cpu, wall = time.process_time(), time.monotonic()
    await work()
    cost = time.process_time() - cpu, time.monotonic() - wall
    told = await at.control()
    return Cost(*cost, told["cpu"]), told


def median(values: list[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def fresh(folder: Path, name: str) -> str:
    """The address of a database that is not there yet."""
    number = len(list(folder.glob(f"{name}-*.db")))
    return f"sqlite+aiosqlite:///{folder / f'{name}-{number}.db'}"


def part(number: int) -> int:
    """So many, or the share of them that is asked for."""
    return max(100, round(number * SHARE))


async def child(*arguments: str, **env: str) -> dict[str, float]:
    """Runs a module in a process of its own, whose memory and CPU are its own; what it prints last."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdout=asyncio.subprocess.PIPE, env=os.environ | env
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, arguments
    told: dict[str, float] = json.loads(output.splitlines()[-1])
    return told
