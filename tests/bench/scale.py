"""A million people: how long planning takes, what one message costs then, how much memory and how many commits it takes."""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import event

from bot.channels.telegram import Telegram
from bot.memory import settle
from content.packs import load_packs
from content.words import load_words
from db import broadcasts
from db.models import BroadcastState
from db.session import Database
from handlers.registry import COMMAND_NAMES
from scheduler import broadcasts as planner
from scheduler.delivery import FAR, Delivery, window_for
from scheduler.timetable import JOBS, Work
from tests.bench import town
from tests.bench.stage import TOKEN, Server, child, fresh, median, part
from tests.people import FACTS

WHOLE, SMALL = 1_000_000, 10_000
FEW, MANY = 1_000, 100_000
"""Recipients between whose peaks of memory the difference is taken."""
LOOK = next(job.every for job in JOBS if job.run is planner.run)
SLICES, SLICE = 5, 6.0
"""How often, and for how many seconds, some of the million are sent."""
PLAIN_SECONDS = 20.0
"""For how long commits are counted at the usual pace."""


def work_of(database: Database) -> Work:
    """What a scheduled job is handed."""

    async def fetch(channel: str, ref: str) -> bytes:
        raise NotImplementedError

    return Work(
        database=database, words=load_words(FACTS), packs=load_packs(COMMAND_NAMES), files=Path("."),
        now=lambda: datetime.now(UTC), said=lambda: None, fetch=fetch,
    )  # fmt: skip


async def plan(url: str) -> dict[str, float]:
    """Plans what is due; meanwhile somebody writes again and again, as answers do, and waits for the writer."""
    database = Database(url)
    work = work_of(database)
    waits: list[float] = []

    async def others() -> None:
        while True:
            asked = time.monotonic()
            async with database.write():
                waits.append(time.monotonic() - asked)
            await asyncio.sleep(0.05)

    beside = asyncio.create_task(others())
    began = time.monotonic()
    await planner.run(work)
    took = time.monotonic() - began
    beside.cancel()
    await asyncio.gather(beside, return_exceptions=True)
    await database.close()
    waits.sort()
    return {"seconds": took, "waited": waits[-1], "usual": waits[len(waits) * 99 // 100]}


async def deliver(url: str, api: str, rate: float, seconds: float) -> dict[str, float]:
    """Sends what is planned, with the scheduler's looks at it, to the end or for so long."""
    database = Database(url)
    work = work_of(database)
    await planner.run(work)
    commits = 0

    @event.listens_for(database.engine.sync_engine, "commit")
    def count(_connection: object) -> None:
        nonlocal commits
        commits += 1

    door = Telegram(TOKEN, api, Path("."), sleep=asyncio.sleep, window=window_for(rate, FAR))
    await door.open()
    sent = 0

    def ended(*_: object) -> None:
        nonlocal sent
        sent += 1

    delivery = Delivery(
        database, door, rate=rate, now=lambda: datetime.now(UTC), monotonic=time.monotonic, sleep=asyncio.sleep,
        mark="bench", ended=ended,
    )  # fmt: skip
    settle()
    cpu, began = time.process_time(), time.monotonic()
    task = asyncio.create_task(delivery.run())
    sending = True
    while sending and (not seconds or time.monotonic() - began < seconds):
        await asyncio.sleep(min(LOOK, seconds or LOOK))
        await planner.run(work)
        async with database.read() as session:
            sending = bool(await broadcasts.list_in(session, BroadcastState.SENDING))
    took, used = time.monotonic() - began, time.process_time() - cpu
    await delivery.stop()
    await task
    await door.close()
    await database.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"sent": sent, "cpu": used, "seconds": took, "commits": commits, "memory": memory}


async def announced(folder: Path, number: int) -> str:
    """Where so many wait for an announcement, and had one before."""
    url = fresh(folder, "town")
    database = await town.build(url, number, past=1)
    await town.announce(database)
    await database.close()
    return url


async def run(at: Server, folder: Path) -> None:
    """Prints time, memory, cost and commits."""
    print(f"\nScale, {part(WHOLE):,} recipients who each had one announcement before")
    url = fresh(folder, "whole")
    database = await town.build(url, part(WHOLE), past=1)
    began = time.monotonic()
    await town.announce(database, kind="notice")  # not an urgent one: how much each has had is looked at
    frozen = time.monotonic() - began
    planned = await child("tests.bench.scale", "plan", url)
    await town.hurry(database)
    await database.close()
    print(
        f"  planning: {frozen:.1f} s to write down who they are, {planned['seconds']:.1f} s to plan them; an answer meanwhile"
        f" waited {planned['usual'] * 1000:.0f} ms to be written (99 of 100), at most {planned['waited'] * 1000:.0f} ms"
    )
    costs: dict[str, list[float]] = {"whole": [], "small": []}
    await at.control(delay=0.0)
    for _ in range(SLICES):
        # A slice of the million, then ten thousand to the end, in turn: a busy minute of the machine meets both.
        told = await child("tests.bench.scale", "deliver", url, at.url, "10000", str(SLICE))
        costs["whole"].append(told["cpu"] / told["sent"])
        told = await child("tests.bench.scale", "deliver", await announced(folder, SMALL), at.url, "10000", "0")
        costs["small"].append(told["cpu"] / told["sent"])
    whole, small = median(costs["whole"]), median(costs["small"])
    print(
        f"  sending: a message of {part(WHOLE):,} costs {whole * 1000:.3f} ms CPU, one of {SMALL:,} {small * 1000:.3f}:"
        f" {whole / small:.2f} x"
    )
    memory = {}
    for number in (FEW, part(MANY)):
        told = await child("tests.bench.scale", "deliver", await announced(folder, number), at.url, "10000", "0")
        memory[number] = told["memory"] / 1024
        print(
            f"  {number:,} recipients: {memory[number]:.1f} MB at most, {told['sent'] / told['seconds']:.0f} messages/s"
        )
    print(f"  {part(MANY):,} recipients take {memory[part(MANY)] - memory[FEW]:.1f} MB more than {FEW:,}")
    url = await announced(folder, SMALL)
    await at.control(delay=0.06)
    plain = await child("tests.bench.scale", "deliver", url, at.url, "29.5", str(PLAIN_SECONDS))
    print(
        f"  at 29.5/s, 60 ms away: {plain['sent'] / plain['seconds']:.1f} messages/s, {plain['commits'] / plain['seconds']:.1f}"
        f" commits/s, {plain['cpu'] / plain['sent'] * 1000:.2f} ms CPU a message"
    )


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    kind, url, *more = sys.argv[1:]
    result = plan(url) if kind == "plan" else deliver(url, more[0], float(more[1]), float(more[2]))
    print(json.dumps(asyncio.run(result)))
