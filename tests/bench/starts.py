"""How soon the real `congdoan run` is ready over a large database, and goes on after it was killed while sending."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from db.models import Lane
from tests.bench import town
from tests.bench.stage import TOKEN, Server, median, part

PEOPLE = 1_000_000
"""With one announcement each they fill a gigabyte."""
STARTS = 5
KILLS = 5
CROWD = 6_000
"""Recipients of the announcement in whose middle the process is killed."""
LIBRARIES = (
    "telegram", "aiohttp.web", "httptools", "orjson", "sqlalchemy.ext.asyncio", "sqlalchemy.orm",
    "sqlalchemy.dialects.postgresql", "aiosqlite", "apscheduler.triggers.cron", "jinja2.sandbox", "pydantic",
    "pydantic_settings", "yaml", "click", "rapidfuzz.process", "vnlunar", "segno", "xlsxwriter", "PIL.Image", "filetype",
)  # fmt: skip
"""What is loaded by whoever builds such a bot of these parts; of a start it cannot be spared."""
PACE = 500.0
AWAY = 0.06


class Bot:
    """`congdoan run` in a process of its own."""

    def __init__(self, data: Path, api: str, rate: float, **more: str) -> None:
        self._env = os.environ | {
            "CONGDOAN_DATA_DIR": str(data), "CONGDOAN_TELEGRAM_TOKEN": TOKEN, "CONGDOAN_TELEGRAM_API": api,
            "CONGDOAN_ORGANISATION": "Liên đoàn Lao động tỉnh Thử Nghiệm", "CONGDOAN_HOTLINE": "0200 000 000",
            "CONGDOAN_RATE_PER_SECOND": str(rate), **more,
        }  # fmt: skip

    async def start(self) -> float:
        """Seconds until it says that it is ready."""
        began = time.monotonic()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", env=self._env, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            if line.strip() == b"ready":
                return time.monotonic() - began
        raise RuntimeError("it did not start")

    async def end(self, number: signal.Signals) -> None:
        self._process.send_signal(number)
        await self._process.communicate()


async def load() -> float:
    """Seconds that a process needs to load the libraries and nothing else."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", f"import {', '.join(LIBRARIES)}")
    assert await process.wait() == 0
    return time.monotonic() - began


def forget(path: Path) -> None:
    """Lets the machine forget what it has read of a file, as after a boot."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


async def large(at: Server, folder: Path) -> None:
    """Starts over a large database, its file in memory and not."""
    data = folder / "large"
    data.mkdir()
    file = data / "congdoan.db"
    await (await town.build(f"sqlite+aiosqlite:///{file}", part(PEOPLE), past=1)).close()
    await at.control(delay=0.0)
    print(f"\nStart, {file.stat().st_size / 1e6:.0f} MB of database")
    for cold in (False, True):
        took, loading = [], []
        for _ in range(STARTS):
            loading.append(await load())
            if cold:
                forget(file)
            bot = Bot(data, at.url, 29.5)
            took.append(await bot.start())
            await bot.end(signal.SIGTERM)
        print(
            f"  {'not read before' if cold else 'read before':16} ready after {median(took):.2f} s, at most {max(took):.2f} s;"
            f" {median(took) / median(loading):.2f} times the {median(loading):.2f} s of loading the libraries alone"
        )


def ask(file: Path, question: str) -> dict[str, int]:
    """States and their numbers."""
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)
    try:
        return dict(connection.execute(question).fetchall())
    finally:
        connection.close()


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Looks every few milliseconds."""
    while not await true():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


async def killed(at: Server, folder: Path) -> None:
    """Kills it with announcements under way, starts it again, and counts what arrived."""
    data = folder / "killed"
    data.mkdir()
    file = data / "congdoan.db"
    database = await town.build(f"sqlite+aiosqlite:///{file}", CROWD)
    await town.announce(database)
    await database.close()
    await at.control(delay=AWAY, count=town.WORDS)
    bot = Bot(data, at.url, PACE)
    await bot.start()
    gaps, loading = [], []
    for n in range(1, KILLS + 1):
        goal = CROWD * n // (KILLS + 1)
        await until(lambda g=goal: sent(at, g))  # type: ignore[misc]
        await bot.end(signal.SIGKILL)
        before = (await at.control())["sent"]
        began = time.monotonic()
        ready = asyncio.create_task(bot.start())
        await until(lambda b=before: sent(at, b + 1))  # type: ignore[misc]
        gaps.append(time.monotonic() - began)
        await ready
        loading.append(await load())
    question = f"SELECT state, count(*) FROM outbox WHERE lane = {int(Lane.BULK)} GROUP BY state"

    async def ended() -> bool:
        return not {"ready", "sending"} & set(ask(file, question))

    await until(ended)
    states = ask(file, question)
    await bot.end(signal.SIGTERM)
    got = (await at.report())["chats"]
    twice, unknown = sum(number > 1 for number in got.values()), states.get("unknown", 0)
    lost = CROWD - len(got)
    print(f"\nKilled {KILLS} times while {PACE:.0f} announcements a second are under way")
    print(f"  going on {median(gaps):.2f} s after the start of the new process, at most {max(gaps):.2f} s;")
    print(f"  {median(gaps) / median(loading):.2f} times the {median(loading):.2f} s of loading the libraries alone")
    print(f"  {CROWD} recipients: {twice} got it twice, {unknown} in doubt, of whom {lost} did not get it; {states}")


async def sent(at: Server, number: int) -> bool:
    return int((await at.control())["sent"]) >= number


async def run(at: Server, folder: Path) -> None:
    """Prints both."""
    await killed(at, folder)
    await large(at, folder)
