"""Three real processes on one PostgreSQL server: killed, stopped, cut off from it; nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from db.lead import LEASE, holder
from db.models import OutState
from db.session import Database
from scheduler.delivery import WINDOW
from tests.databases import Server, temporary_server
from tests.fakes.botapi import BotApiProcess
from tests.prove import cases, note
from tests.test_kill import ANNOUNCEMENT, AWAY, Bot, Load, furnish

pytestmark = pytest.mark.prove

PROCESSES = 3
MEMBERS = 900
REPORTERS = 400
RATE = 15.0
"""Updates a second."""
STANDSTILL = 5.0
"""Seconds a process is stopped: less than a lease, so that whoever leads goes on leading."""
CASES = cases(1)
ROUNDS = len(CASES)


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that may be ended, and that writes to the disk as in earnest."""
    try:
        with temporary_server() as made:
            made.stop("fast")
            made.start(fast=False)
            yield made
    except LookupError as error:
        pytest.skip(str(error))


class House:
    """The processes and what they work on."""

    def __init__(self, bots: list[Bot], database: Database, server: Server, name: str) -> None:
        self.bots = bots
        self.database = database
        self.server = server
        self._name = name

    def ask(self, question: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in self.server.ask(question, self._name)]

    async def lead(self, without: int = 0) -> Bot:
        """Waits until one of them leads, another one than the process `without`."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            found = (await holder(self.database)).split()
            for bot in self.bots:
                if found and int(found[1]) == bot.pid != without:
                    return bot
            await asyncio.sleep(0.1)
        raise AssertionError("nobody leads")

    async def settled(self, fake: BotApiProcess) -> None:
        """Waits until nothing is on its way any more, in or out."""
        until = time.monotonic() + 180
        due = "state = 'sending' OR (state = 'ready' AND not_before <= now() AT TIME ZONE 'UTC')"
        while True:
            waiting = len((await fake.control("queue"))["pending"])
            new = self.ask("SELECT count(*) FROM inbox WHERE state='new'")[0][0]
            out = self.ask(f"SELECT count(*) FROM outbox WHERE {due}")[0][0]
            if not waiting and not new and not out:
                return
            assert time.monotonic() < until, f"not settled: {waiting} waiting, {new} new, {out} to send"
            await asyncio.sleep(0.2)


@asynccontextmanager
async def opened(folder: Path, server: Server) -> AsyncIterator[tuple[BotApiProcess, House, int]]:
    data = folder / "data"
    data.mkdir()
    name = server.create()
    url = server.url(name)
    broadcast_id = await furnish(url, REPORTERS, MEMBERS)
    database = Database(url)
    async with BotApiProcess(folder / "calls.jsonl") as fake:
        bots = [Bot(data, fake.url, url, f"bot-{n}.log") for n in range(PROCESSES)]
        try:
            for n in range(MEMBERS + REPORTERS):
                await fake.control("person", chat_id=1000 + n)
            await fake.control("rates", seed=1, shares={"slow": 1.0}, seconds=AWAY)
            for bot in bots:
                await bot.start()
                await bot.ready()
            yield fake, House(bots, database, server, name), broadcast_id
        finally:
            for bot in bots:
                bot.send(signal.SIGCONT)
                await bot.end()
                bot.close()
            await database.close()


async def killed(house: House, bot: Bot) -> None:
    """Killed with -9, and started again by whoever looks after it."""
    gone = bot.pid
    await bot.end()
    await house.lead(without=gone)
    await bot.start()
    await bot.ready()


async def stopped(house: House, bot: Bot, seconds: float) -> None:
    """Stands still with everything it holds, and goes on as if nothing had been."""
    bot_leads = bot is await house.lead()
    bot.send(signal.SIGSTOP)
    if seconds > LEASE and bot_leads:
        await house.lead(without=bot.pid)  # another takes over while it still stands
    else:
        await asyncio.sleep(seconds)
    bot.send(signal.SIGCONT)
    await house.lead()


@pytest.mark.timeout(600)
async def test_three_processes_killed_and_stopped_in_every_role_lose_nothing_and_say_nothing_twice(
    tmp_path: Path, own_server: Server
) -> None:
    rng = random.Random(CASES.start)
    async with opened(tmp_path, own_server) as (fake, house, broadcast_id):
        load, away = Load(fake, REPORTERS, MEMBERS, rng), 0
        loading = asyncio.create_task(load.run())
        for _ in range(ROUNDS):
            for role in ("lead", "other"):
                for fault in ("killed", "stopped"):
                    lead = await house.lead()
                    bot = lead if role == "lead" else next(each for each in house.bots if each is not lead)
                    await asyncio.sleep(rng.uniform(0.5, 2.0))  # a random moment under the load
                    if fault == "killed":
                        await killed(house, bot)
                    else:
                        await stopped(house, bot, STANDSTILL)
            await stopped(house, await house.lead(), LEASE * 2)
            away += 1
            house.server.stop("immediate")
            house.server.start(fast=False)
            await house.lead()
        load.stop.set()
        await loading
        await house.settled(fake)
        conflicts = (await fake.control("queue"))["conflicts"]
        for bot in house.bots:
            assert await bot.end(signal.SIGTERM) == 0
        delivered = [call for call in fake.log() if call["delivered"] and call["method"] == "sendMessage"]
        got = Counter(call["chat_id"] for call in delivered if call["params"].get("text") == ANNOUNCEMENT)
        mine = f"FROM outbox WHERE broadcast_id={broadcast_id}"
        states = {str(state): count for state, count in house.ask(f"SELECT state, count(*) {mine} GROUP BY state")}
        sent = {int(str(row[0])) for row in house.ask(f"SELECT address {mine} AND state='sent'")}
        reports = house.ask("SELECT author_id, count(*) FROM submissions GROUP BY author_id")
        inbox = house.ask("SELECT state, count(*) FROM inbox GROUP BY state")
    note(
        updates=load.pushed, reports=len(load.begun), reports_lost=len(load.begun) - len(reports), polls_that_met=conflicts,
        announcements_sent=states.get("sent", 0), announcements_in_doubt=states.get("unknown", 0),
        announcements_twice=sum(times > 1 for times in got.values()),
    )  # fmt: skip
    assert inbox == [("done", load.pushed)]
    assert len(reports) == len(load.begun) and all(count == 1 for _, count in reports)
    assert got and max(got.values()) == 1, "somebody got the announcement twice"
    assert sum(map(int, map(str, states.values()))) == MEMBERS
    assert set(states) <= {OutState.SENT.value, OutState.FAILED.value, OutState.UNKNOWN.value}
    assert int(str(states.get("unknown", 0))) <= WINDOW * 4 * ROUNDS
    assert sent <= set(got), "said to be sent, but it never arrived"
    assert conflicts <= away, "two polled at once"
