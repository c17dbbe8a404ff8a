"""T9 at its size: an announcement to very many on a virtual clock, over a platform that fails in every way it can."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, insert, select

from content.message import Message
from db import broadcasts, units
from db.audiences import Rule
from db.models import (
    Account,
    Audience,
    Broadcast,
    BroadcastState,
    Grant,
    Lane,
    OutboxRow,
    OutState,
    Person,
    Role,
    Shift,
)
from db.session import Database
from scheduler import broadcasts as planner
from scheduler.delivery import Ambiguous, ChannelDown, Delivery, RecipientGone, RetryLater
from scheduler.delivery.pacer import SLOWEST
from tests.databases import Template
from tests.fakes.botapi.faults import SlidingSecond
from tests.fakes.channel import ScriptedChannel, VirtualTime
from tests.people import START as AFTERNOON
from tests.people import World, furnish_units, make_world, work_of
from tests.prove import cases, note
from tests.simulation.stage import rented

pytestmark = pytest.mark.sqlite

START = AFTERNOON - timedelta(hours=9)
"""Five to eight in the morning: whoever is refused at random needs seven hours for a hundred thousand, and the evening ends
what goes to the many."""
FASTER = 0.05
"""The share of people at whom the platform refuses for speed, without reason, the first time."""
ENDS = {"server error": 0.02, "no answer": 0.01, "blocked": 0.01, "block page": 0.001}
"""How it goes with the others' message; a block page goes by."""
RATE = 29.5
TAKES = 25
"""Messages a second that the platform takes where it refuses for a reason."""
TEXT = "Mời họp."


class Platform(ScriptedChannel):
    """Decides for each person what happens to their message; everything by the seed."""

    def __init__(self, time: VirtualTime, rng: Random, limit: SlidingSecond | None) -> None:
        super().__init__(time)
        self._rng = rng
        self._limit = limit
        self.fates: Counter[str] = Counter()
        self.got: Counter[str] = Counter()
        self.resting: list[tuple[float, float]] = []
        """From when to when nothing that goes to many may leave; a block page is `away` altogether."""
        self.away = 0.0
        self.too_early = 0
        self.last = 0.0
        self._met: set[str] = set()

    async def send(self, address: str, message: Message, *, edits: str, lane: Lane) -> str:
        now = self._time.monotonic()
        self.too_early += lane == Lane.BULK and any(since < now < until - 1e-6 for since, until in self.resting[-3:])
        if lane != Lane.BULK:
            return await super().send(address, message, edits=edits, lane=lane)
        fate = "" if address in self._met else self._fate()
        if address not in self._met and fate in ("too fast", "block page"):
            self._met.add(address)
        await self._time.sleep(self._takes)
        if self._limit is not None and fate != "block page" and (after := self._limit.wait(now)):
            fate = "too fast"
        else:
            after = self._rng.randrange(1, 4)
        self.fates[fate] += 1
        self.last = self._time.monotonic()
        if fate == "too fast":
            raise self._refusal(RetryLater(after, pause=True))
        if fate == "block page":
            self.away += 30
            raise self._refusal(ChannelDown(30))
        if fate == "blocked":
            raise RecipientGone("blocked")
        if fate not in ("server error", "no answer") or self._rng.random() < 0.5:
            self.got[address] += 1
        if fate in ("server error", "no answer"):
            raise Ambiguous(fate)
        return f"p{self.got.total()}"

    def _fate(self) -> str:
        """Too fast comes first and does not decide how it ends."""
        if self._limit is None and self._rng.random() < FASTER:
            return "too fast"
        return self._rng.choices(["", *ENDS], [1 - sum(ENDS.values()), *ENDS.values()])[0]

    def _refusal(self, error: RetryLater) -> RetryLater:
        here = self._time.monotonic()
        self.resting.append((here, here + error.after))
        return error

    def rested(self) -> float:
        """Seconds in which it wanted to be left alone, however often it said so."""
        total, end = 0.0, 0.0
        for since, until in sorted(self.resting):
            total += max(0.0, until - max(since, end))
            end = max(end, until)
        return total


async def crowd(world: World, number: int) -> int:
    """Very many people on the scripted channel, and an announcement to them. Returns it."""
    async with world.database.write() as session:
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None
        person = {
            "unit_id": unit.id, "audience": Audience.ENTERPRISE, "news": True, "confirmed": True, "shift": Shift.OFFICE,
            "joined_at": START, "seen_at": START,
        }  # fmt: skip
        for first in range(0, number, 1000):
            some = range(first + 1, min(first + 1000, number) + 1)
            await session.execute(insert(Person), [{**person, "id": n, "name": f"Người {n}"} for n in some])
            account = {"channel": "scripted", "created_at": START, "seen_at": START}
            await session.execute(insert(Account), [{**account, "person_id": n, "address": f"p{n}"} for n in some])
        session.add(Grant(person_id=1, role=Role.UPPER_OFFICER, unit_id=unit.id, granted_at=START, confirmed_at=START))
        await session.flush()
        made = await broadcasts.create(
            session, author_id=1, kind="notice", topic="notice", unit_id=unit.id, audience=Rule(unit.id), number=2,
            text=TEXT, media=[], timing="now", send_at=START, second=False, year=2025, now=START,
        )  # fmt: skip
        return made.id


@pytest.fixture
async def big(tmp_path: Path) -> AsyncIterator[World]:
    """A world in memory where that is possible: waiting for a disk proves nothing here."""
    with rented(tmp_path) as folder:
        template = Template(folder, None)
        await furnish_units(template.url)
        world = make_world(Database(template.world), template, folder)
        yield world
        await world.database.close()


@pytest.mark.timeout(14400)
@pytest.mark.parametrize("reason", [False, True], ids=["refused at random", "refused for speed"])
async def test_an_announcement_to_very_many_ends_as_it_should_for_each(
    big: World, reason: bool, caplog: pytest.LogCaptureFixture
) -> None:
    world = big
    caplog.set_level(logging.CRITICAL)
    played = cases(4)
    number = len(played) * 100
    broadcast_id = await crowd(world, number)
    time = VirtualTime(START, lambda: world.database.open)
    platform = Platform(time, Random(played.start), SlidingSecond(TAKES) if reason else None)
    delivery = Delivery(
        world.database, platform, rate=RATE, now=time.now, monotonic=time.monotonic, sleep=time.sleep, mark="m"
    )
    task = asyncio.create_task(delivery.run())
    done = False
    while not done:
        world.now = time.now()
        await planner.run(work_of(world))
        delivery.wake()
        nap = asyncio.create_task(time.sleep(5))
        await time.run(nap.done, 1e9)
        async with world.database.read() as session:
            done = (await session.get_one(Broadcast, broadcast_id)).state == BroadcastState.DONE
    await delivery.stop()
    await task
    async with world.database.read() as session:
        query = select(OutboxRow.state, func.count()).where(OutboxRow.broadcast_id == broadcast_id).group_by("state")
        states = {state: count for state, count in await session.execute(query)}
    fates, rested = platform.fates, platform.rested()
    doubtful = fates["server error"] + fates["no answer"]
    note(
        people=number, too_fast=fates["too fast"], in_doubt=doubtful, blocked=fates["blocked"], block_pages=fates["block page"],
        twice=sum(times > 1 for times in platform.got.values()),
    )  # fmt: skip
    assert states == {OutState.SENT: fates[""], OutState.UNKNOWN: doubtful, OutState.FAILED: fates["blocked"]}
    assert fates[""] + doubtful + fates["blocked"] == number, "everybody met one end"
    assert max(platform.got.values()) == 1, "somebody got it twice"
    assert platform.too_early == 0, "something left while the platform wanted to be left alone"
    # Who is refused without reason goes down to the slowest pace; else what the platform takes is the measure.
    pace = TAKES / 1.2 if reason else RATE / SLOWEST
    assert platform.last <= (number / pace + rested) * 1.02 + 10
