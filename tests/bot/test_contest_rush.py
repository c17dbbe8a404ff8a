"""The last half hour before a contest closes, in which most people sit their paper, beside an announcement to all of them.

The clock of the people is ours: what they send within one second is handed over at once. How long the house takes to answer
is measured and noted, never asserted.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.inbox import Inbox, arrival
from content.message import Message, to_json
from db import accounts, contests, people, units
from db.contests import Asked
from db.models import (
    Audience,
    Board,
    Entry,
    EntryAnswer,
    EntryState,
    InboxRow,
    InboxState,
    Lane,
    OutboxRow,
    OutState,
    Person,
    Policy,
    Purpose,
)
from db.session import Database
from handlers.dialogue import Incoming
from scheduler.delivery import Delivery
from tests.databases import Template
from tests.people import World, make_world
from tests.prove import cases, note
from tests.weeks import CLOSES, week

HALF_HOUR = 30 * 60
SIZE = 10
POOL = [Asked(f"q{n}", "finance", f"Câu {n}?", ("a", "b", "c", "d"), n % 4, "Vì thế.", "Điều 1") for n in range(60)]
LOOKS = 2
"""Rounds of delivery in each of the people's seconds."""
PATIENCE = 2
"""Seconds of the people's clock within which every answer has left, however much bulk waits."""


class _Door:
    """Text in, whoever sends it."""

    name = "test"
    can_erase = False

    def read(self, raw: Any, received_at: datetime) -> Incoming | None:
        return Incoming("test", raw["chat"], received_at, text=raw["text"])

    async def erase(self, session: object, raw: Any) -> None:
        return None


class _Platform:
    """Takes everything at once, and remembers in which of the people's seconds it came."""

    name = "test"
    can_edit = True

    def __init__(self) -> None:
        self.second = 0
        self.left: dict[str, list[int]] = defaultdict(list)
        self.bulk = 0

    async def send(self, address: str, message: Message, *, edits: str, lane: Lane) -> str:
        if lane == Lane.REPLY:
            self.left[address].append(self.second)
        self.bulk += lane == Lane.BULK
        return edits or f"{address}-{len(self.left[address])}-{self.bulk}"


@pytest.fixture
async def world(handle: Database, template: Template, tmp_path: Path) -> AsyncIterator[World]:
    """Half an hour before a round of ten questions closes."""
    made = make_world(handle, template, tmp_path)
    made.now = CLOSES - timedelta(seconds=HALF_HOUR)
    yield made
    await made.database.close()


async def crowd(world: World, number: int) -> None:
    """So many people who have taken part before, each with an announcement that waits for them."""
    async with world.database.write() as session:
        home = await units.find_by_code(session, "MAYHOA")
        assert home is not None
        for n in range(number):
            chat = await accounts.enter(session, "test", f"chat-{n}", world.now)
            person = await people.join(session, chat.account, "2", world.now)
            person.name, person.unit_id, person.audience, person.board = (
                f"Người Thứ {n}",
                home.id,
                Audience.ENTERPRISE,
                Board.FULL,
            )
            await people.consent(session, person.id, Purpose.CONTESTS, "2", "test", world.now)
            session.add(
                OutboxRow(
                    policy=Policy.AMO, lane=Lane.BULK, kind="broadcast", person_id=person.id, account_id=chat.account.id,
                    channel="test", address=f"chat-{n}", payload=to_json(Message("Mời họp")),
                    state=OutState.READY, not_before=world.now, created_at=world.now,
                )
            )  # fmt: skip


def script(rng: Random, number: int) -> dict[int, list[tuple[int, str]]]:
    """Second → (person, what they type): more and more begin, the nearer the end; each takes a quarter of a minute a question."""
    seconds: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for person in range(number):
        at = int((HALF_HOUR - 400) * rng.random() ** 0.5)
        guess = str(rng.randrange(1000))
        for text in ("/thi", "vào thi", "bắt đầu", *rng.choices("abcd", k=SIZE), guess, "nộp bài"):
            seconds[at].append((person, text))
            at += rng.randrange(5, 26)
    return seconds


async def test_the_last_half_hour_before_closing_loses_nothing_and_no_answer_waits_for_bulk(world: World) -> None:
    number = len(cases(12))
    round_id = await week(world, POOL, quota={"finance": SIZE})
    await crowd(world, number)
    start, platform = world.now, _Platform()
    inbox = Inbox(
        world.database, world.house, {"test": _Door()}, now=lambda: world.now, sleep=asyncio.sleep, said=lambda _: None
    )
    tick = 0.0
    delivery = Delivery(
        world.database,
        platform,
        rate=29.5,
        now=lambda: world.now,
        monotonic=lambda: tick,
        sleep=asyncio.sleep,
        mark="rush",
    )  # type: ignore[arg-type]
    seconds = script(Random(7), number)
    said: dict[int, list[str]] = defaultdict(list)
    asked: dict[str, list[int]] = defaultdict(list)
    waits: list[float] = []
    behind, serial = 0.0, 0
    for second in sorted({at + later for at in list(seconds) for later in range(PATIENCE + 1)}):
        world.now, platform.second = start + timedelta(seconds=second), second
        batch = seconds.get(second, [])
        for person, text in batch:
            said[person].append(text)
            asked[f"chat-{person}"].append(second)
        arrivals = [
            arrival(str(serial + n), f"test:chat-{who}", {"chat": f"chat-{who}", "text": text})
            for n, (who, text) in enumerate(batch)
        ]
        serial += len(batch)
        began = time.perf_counter()
        await inbox.store("test", "test", arrivals)
        await inbox.drain()
        # In real time a second that takes longer than one holds up those behind it.
        behind = max(behind, float(second)) + time.perf_counter() - began
        waits += [behind - second] * len(batch)
        for look in range(LOOKS):
            tick = second + look / LOOKS
            delivery.wake()
            await delivery.round()
            if delivery._flying:
                await asyncio.wait(delivery._flying)
    await check(world, round_id, said)
    for chat, moments in asked.items():
        assert len(platform.left[chat]) >= len(moments)
        late = [left - came for came, left in zip(moments, platform.left[chat], strict=False)]
        assert max(late) <= PATIENCE, (chat, late)
    waits.sort()
    p99 = waits[len(waits) * 99 // 100]
    peak = max(map(len, seconds.values()))
    note(
        people=number,
        updates=serial,
        announcements_sent=platform.bulk,
        most_in_a_second_at_most=peak,
        p99_ms_at_most=round(p99 * 1000),
    )


async def check(world: World, round_id: int, said: dict[int, list[str]]) -> None:
    """Each person's paper is what they typed, handed in once, and nothing was set aside."""
    async with world.database.read() as session:
        states = Counter((await session.execute(select(InboxRow.state))).scalars())
        assert set(states) == {InboxState.DONE}
        entries = (await session.execute(select(Entry, Person.name).join(Person, Person.id == Entry.person_id))).all()
        given: dict[int, dict[int, int]] = defaultdict(dict)
        for row in (await session.execute(select(EntryAnswer))).scalars():
            given[row.entry_id][row.place] = row.choice
        receipts = select(func.count()).where(OutboxRow.channel == "test", OutboxRow.lane == Lane.REPLY)
        assert (await session.execute(receipts)).scalar_one() >= len(said) * (SIZE + 5)
        round_ = await contests.get_round(session, round_id)
        assert round_.people == 0
    assert len(entries) == len(said)
    for entry, name in entries:
        typed = said[int(name.rpartition(" ")[2])]
        assert entry.state == EntryState.SUBMITTED and not entry.timed_out and entry.number == 1
        letters, guess = typed[3 : 3 + SIZE], typed[3 + SIZE]
        chosen = [order["abcd".index(letter)] for (_, order), letter in zip(entry.paper, letters, strict=True)]
        assert [given[entry.id][place] for place in range(SIZE)] == chosen and entry.prediction == int(guess)
