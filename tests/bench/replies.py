"""How long people wait for an answer while an announcement goes out, beside an idle house."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from pydantic import SecretStr
from sqlalchemy import text

from bot.app import build_app
from bot.clock import Clock
from bot.memory import settle
from bot.settings import Settings
from db import broadcasts
from db.models import BroadcastState
from db.session import Database
from tests.bench import town
from tests.bench.stage import ROUNDS, TOKEN, Server, median, part

RECIPIENTS = 100_000
"""All of them in the queue when the first answer is measured."""
PRESSERS = 400
"""People who only ask for the menu, in turn; they want no announcements."""
PRESSES, EACH_SECOND = 2_000, 40.0
WARM = 200
"""Presses before the first that counts."""
AWAY = 0.06
"""Seconds until the platform answers what is sent. What it hands over arrives at once: waiting for it would hide the rest."""
TICK = 0.1
"""Seconds between two writes that say how long the disk alone keeps one waiting."""
PHASES = {"idle": 0.0, "at 30/s": 29.5 + EACH_SECOND, "at 1,000/s": 1000.0}
"""Names and paces. Answers take their place out of the announcement's pace."""


async def houses(folder: Path) -> dict[bool, Path]:
    """The same people with and without an announcement that waits for its hour."""
    paths = {busy: folder / f"replies-{busy}.db" for busy in (False, True)}
    for busy, path in paths.items():
        database = await town.build(f"sqlite+aiosqlite:///{path}", RECIPIENTS)
        async with database.write() as session:
            await session.execute(text(f"UPDATE persons SET news = false WHERE id BETWEEN 2 AND {PRESSERS + 1}"))
        if busy:
            await town.announce(database)
        await database.close()
    return paths


async def unplanned(database: Database) -> bool:
    """Whether the announcement is not in the queue yet, for all of them."""
    async with database.read() as session:
        return bool(await broadcasts.list_in(session, BroadcastState.SCHEDULED, BroadcastState.PLANNING))


@contextmanager
def disk(folder: Path) -> Iterator[list[float]]:
    """Seconds that each of small writes beside the house takes until it is on the disk, which nobody answers without."""
    over = Event()
    took: list[float] = []

    def write() -> None:
        with (folder / "beside").open("wb", buffering=0) as file:
            while not over.wait(TICK):
                began = time.monotonic()
                file.write(bytes(4096))
                os.fdatasync(file.fileno())
                took.append(time.monotonic() - began)

    thread = Thread(target=write)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


async def phase(at: Server, folder: Path, house: Path, rate: float) -> tuple[list[float], float, float]:
    """Seconds from each press to the arrival of its answer, in order, announcements a second meanwhile, and the longest that
    the disk took.
    """
    data = folder / "replying"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    shutil.copyfile(house, data / "congdoan.db")
    os.sync()
    settings = Settings(
        organisation="Liên đoàn Lao động tỉnh Thử Nghiệm", hotline="0200 000 000", telegram_token=SecretStr(TOKEN),
        telegram_api=at.url, data_dir=data, rate_per_second=rate or 29.5,
    )  # fmt: skip
    await at.control(delay=AWAY, count=town.WORDS)
    app = await build_app(settings, Clock())
    settle()
    await app.start()
    while rate and await unplanned(app.database):  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    presses = {"number": WARM + part(PRESSES), "rate": EACH_SECOND, "first": town.FIRST + 2, "chats": PRESSERS}
    with disk(data) as took:
        await at.control(delay=AWAY, count=town.WORDS, presses=presses)
        while (await at.control())["answered"] < WARM + part(PRESSES):  # noqa: ASYNC110
            await asyncio.sleep(0.5)
    told = await at.report()
    await app.stop()
    return sorted(told["waits"][WARM:]), sum(told["chats"].values()) / told["seconds"], max(took)


async def run(at: Server, folder: Path) -> None:
    """Prints the waits of each phase, interleaved."""
    paths = await houses(folder)
    found: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in PHASES}
    for _ in range(ROUNDS):
        for name, rate in PHASES.items():
            waits, sent, longest = await phase(at, folder, paths[rate > 0], rate)
            found[name].append((waits[len(waits) // 2], waits[len(waits) * 99 // 100], sent, longest))
    print(
        f"\nReplies, {EACH_SECOND:.0f} presses a second, {part(PRESSES)} a phase, {RECIPIENTS:,} announcements queued, median of"
        f" {ROUNDS} rounds"
    )
    middle = {name: [median(list(values)) for values in zip(*rounds, strict=True)] for name, rounds in found.items()}
    idle = middle["idle"]
    for name, (half, late, sent, longest) in middle.items():
        print(
            f"  {name:11} p50 {half * 1000:5.1f} ms = {half / idle[0]:.2f} x idle, p99 {late * 1000:5.1f} ms ="
            f" {late / idle[1]:.2f} x idle, {sent if name != 'idle' else 0:.0f} announcements/s; the disk alone kept a write for"
            f" {longest * 1000:.0f} ms at most"
        )
