"""T18. The real process for minutes on end: people write, the platform fails now and then, it is killed every minute of
the first sixth; then it lives on, and what it holds must not grow."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import time
from collections import Counter
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.prove import cases, note
from tests.test_kill import ANNOUNCEMENT, MEMBERS, Bot, ask, house, report_of, settled

pytestmark = pytest.mark.prove

RATE = 20.0
"""Updates a second."""
PEOPLE = 300
SHARES = {"slow": 0.9, "502": 0.01, "drop_after": 0.005, "drop_before": 0.005, "403": 0.002, "429": 0.002}
LOOK = 2.0
"""Seconds between two looks at the process."""
KILLED = 1 / 6
"""The share of the time in which it is killed."""
WARM = 0.3
"""The share of the rest that is not looked at: caches fill."""
SMALL = (
    ["menu"],
    ["/canhan", "lui"],
    ["on luat", "1", "2", "3", "1", "lui"],
    ["thi dua", "1", "lui"],
    ["xin chào"],
    ["/trangthai"],
)


KEPT, GROWN = 0.02, 20_000
"""By which share what Python has in use may grow from the first to the last third of what is looked at: a single object that
every update left behind would be twice as much. And kB an hour by which the process may, which grows though nothing is
kept: what lies free between is not always of use (README, Memory)."""
LONG = 1200
"""Seconds from which on a run can tell."""
ASK = 30.0
"""Seconds between two counts; the least of many tells, for garbage lies about until it is looked for."""
ARENA = 64 << 20
"""Bytes of which malloc's second and further heaps, one for a thread, begin at a multiple."""
KINDS = ("heap", "threads' heaps", "Python's objects", "code and files")


def memory(bot: Bot) -> dict[str, int]:
    """kB of memory of the process, by what lies there."""
    kinds = dict.fromkeys(KINDS, 0)
    kind = ""
    for line in Path(f"/proc/{bot.pid}/smaps").read_text().splitlines():
        first, _, rest = line.partition(" ")
        if not first.endswith(":"):
            name = rest.split(maxsplit=4)[4:]
            start = int(first.partition("-")[0], 16)
            if name:
                kind = "heap" if name == ["[heap]"] else "code and files"
            else:
                kind = "threads' heaps" if start % ARENA == 0 else "Python's objects"  # and little else
        elif first == "Rss:":
            kinds[kind] += int(rest.split()[0])
    return kinds


def held(bot: Bot, data: Path) -> dict[str, int]:
    """What the process holds: kB of memory, in all and by kind, open files, threads; and kB of the database's log."""
    status = Path(f"/proc/{bot.pid}/status").read_text()
    log = data / "congdoan.db-wal"
    return {
        "memory": int(status.partition("VmRSS:")[2].split()[0]),
        **memory(bot),
        "files": len(os.listdir(f"/proc/{bot.pid}/fd")),
        "threads": int(status.partition("Threads:")[2].split()[0]),
        "log": log.stat().st_size // 1024 if log.exists() else 0,
    }


def slope(points: list[tuple[float, int]]) -> float:
    """How much a value grows an hour, by least squares."""
    if len(points) < 3:
        return 0.0
    mean_at, mean = (sum(column) / len(points) for column in zip(*points, strict=True))
    spread = sum((at - mean_at) ** 2 for at, _ in points)
    return sum((at - mean_at) * (value - mean) for at, value in points) / spread * 3600


async def told(address: str) -> tuple[Counter[float], int]:
    """How many updates were answered within which time, in this process's life; what Python has in use, in blocks."""
    async with aiohttp.ClientSession() as client, client.get(f"http://{address}/metrics") as answer:
        families = {family.name: family.samples for family in text_string_to_metric_families(await answer.text())}
    handled = families["congdoan_update_handling_seconds"]
    upto = [(float(s.labels["le"]), int(s.value)) for s in handled if s.name.endswith("_bucket")]
    times = {end: count - before for (end, count), (_, before) in zip(upto, [(0.0, 0), *upto], strict=False)}
    return Counter(times), int(families["congdoan_python_blocks"][0].value)


def p99(times: Counter[float]) -> float:
    """Seconds within which 99 of a hundred were answered, by the upper end of their class."""
    left = times.total() * 0.99
    for end in sorted(times):
        left -= times[end]
        if left <= 0:
            return end
    return 0.0


@pytest.mark.timeout(14400)
async def test_for_minutes_on_end_nothing_is_lost_and_nothing_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = cases(1)
    rng = random.Random(played.start)
    seconds = len(played) * 60
    since = seconds * (KILLED + WARM * (1 - KILLED))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    monkeypatch.setenv("CONGDOAN_WATCH_ADDRESS", address)
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")  # as the README's unit has it
    async with house(tmp_path, PEOPLE) as (fake, bot, path, broadcast_id):
        await fake.control("rates", seed=played.start, shares=SHARES, seconds=0.05)
        chats = range(1000 + MEMBERS, 1000 + MEMBERS + PEOPLE)
        scripts: dict[int, list[str]] = {chat: [] for chat in chats}
        pushed, ended = 0, asyncio.Event()

        async def people() -> None:
            nonlocal pushed
            began = time.monotonic()
            while not ended.is_set():
                chat = rng.choice(chats)
                if not scripts[chat]:
                    scripts[chat] = report_of(pushed, rng) if rng.random() < 0.2 else [*rng.choice(SMALL)]
                await fake.act(chat, "says", text=scripts[chat].pop(0))
                pushed += 1
                await asyncio.sleep(max(0.0, began + pushed / RATE - time.monotonic()))

        times: Counter[float] = Counter()
        looks: list[tuple[float, dict[str, int]]] = []
        kept: list[tuple[float, int]] = []
        kills = 0
        await bot.start()
        await bot.ready()
        began = time.monotonic()
        writing = asyncio.create_task(people())
        while time.monotonic() - began < seconds:
            await asyncio.sleep(LOOK)
            at = time.monotonic() - began
            if (kills + 1) * 60 <= min(at, seconds * KILLED):
                times += (await told(address))[0]
                await bot.end(signal.SIGKILL)
                kills += 1
                await bot.start()
                await bot.ready()
            looks.append((at, held(bot, path.parent)))
            if at > (kept[-1][0] + ASK if kept else since):
                kept.append((at, (await told(address))[1]))
        ended.set()
        await writing
        last = (await told(address))[0]  # of the life that was not killed
        await fake.control("heal")
        await settled(fake, path, 120 + seconds)
        assert await bot.end(signal.SIGTERM) == 0
        delivered = [call for call in fake.log() if call["delivered"] and call["method"] == "sendMessage"]
    late = [(at, look) for at, look in looks if at > since]
    third = (seconds - since) / 3
    before = min((count for at, count in kept if at <= since + third), default=1)
    after = min((count for at, count in kept if at > seconds - third), default=1)
    grown = slope([(at, look["memory"]) for at, look in late])
    got = Counter(call["chat_id"] for call in delivered if call["params"].get("text") == ANNOUNCEMENT)
    states = dict(ask(path, "SELECT state, count(*) FROM inbox GROUP BY state"))
    note(
        updates=pushed, kills=kills, updates_lost=pushed - int(str(states.get("done", 0))), announcements_twice=sum(n > 1 for n in got.values()),
        ms_for_99_of_100_at_most=round(p99(times + last) * 1000),
        ms_for_99_of_100_once_no_more_is_killed_at_most=round(p99(last) * 1000), kB_of_memory_an_hour_at_most=round(grown),
        per_1000_more_in_use_by_Python_at_most=round((after / before - 1) * 1000),
        MB_of_memory_at_most=max(look["memory"] for _, look in looks) // 1024, files_at_most=max(look["files"] for _, look in looks),
        threads_at_most=max(look["threads"] for _, look in looks), kB_of_log_at_most=max(look["log"] for _, look in looks),
    )  # fmt: skip
    for name in ("files", "threads", "log", *KINDS):
        first, last = (look[name] for _, look in (late[0], late[-1]))
        print(f"{name}: {first} → {last}; an hour {slope([(at, look[name]) for at, look in late]):.0f}")
    print(
        f"memory: {late[0][1]['memory']} → {late[-1][1]['memory']} kB; an hour {grown:.0f}; 99 of 100 within"
        f" {p99(times + last)} s, once no more is killed within {p99(last)} s"
    )
    print(f"blocks of Python: {before} → {after}")
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]
    assert states == {"done": pushed}
    assert max(got.values()) == 1
    assert seconds < LONG or (after < before * (1 + KEPT) and grown < GROWN)
    assert broadcast_id
