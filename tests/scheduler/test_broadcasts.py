"""Three hundred people on a virtual clock with every fault a platform has: once each, states as promised, replies first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select, update

from content.calendar import day_start
from content.message import Message, to_json
from db import accounts, audiences, broadcasts, outbox, people, units
from db.audiences import Rule
from db.broadcasts import planning
from db.models import (
    Account,
    Audience,
    Broadcast,
    BroadcastState,
    BroadcastTarget,
    Grant,
    Lane,
    OutboxRow,
    OutState,
    Reach,
    Role,
    Shift,
)
from db.session import Session
from scheduler import broadcasts as planner
from scheduler.delivery import WINDOW, Ambiguous, Delivery, RecipientGone, Rejected, RetryLater
from scheduler.timetable import Work
from tests.fakes.channel import ScriptedChannel, VirtualTime
from tests.people import START, World, work_of

PEOPLE = 300


async def crowd(world: World, number: int = PEOPLE) -> int:
    """People on the scripted channel, and an officer who announces to all of them. Returns the broadcast."""
    async with world.database.write() as session:
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None
        first = 0
        for n in range(number):
            account = (await accounts.enter(session, "scripted", f"p{n}", START)).account
            person = await people.join(session, account, "test", START)
            person.unit_id, person.audience, person.news, person.confirmed = unit.id, Audience.ENTERPRISE, True, True
            person.shift = Shift.OFFICE
            first = first or person.id
        top = await units.find_by_code(session, "CAOSON")
        assert top is not None
        session.add(
            Grant(person_id=first, role=Role.UPPER_OFFICER, unit_id=top.id, granted_at=START, confirmed_at=START)
        )
        await session.flush()
        made = await broadcasts.create(
            session, author_id=first, kind="notice", topic="notice", unit_id=unit.id, audience=Rule(unit.id), number=2,
            text="Mời họp.", media=[], timing="now", send_at=START, second=False, year=2025, now=START,
        )  # fmt: skip
        return made.id


class Kind(NamedTuple):
    """One way of a platform to answer: `once` = only the first attempt, `arrives` = the person got it all the same."""

    error: Callable[[], Exception] | None
    ends: OutState
    once: bool = False
    arrives: bool = False


KINDS = {
    "fine": Kind(None, OutState.SENT, arrives=True),
    "too fast": Kind(lambda: RetryLater(1, pause=True), OutState.SENT, once=True),
    "no connection": Kind(lambda: RetryLater(5), OutState.SENT, once=True),
    "blocked": Kind(lambda: RecipientGone("blocked"), OutState.FAILED),
    "refused": Kind(lambda: Rejected("bad request"), OutState.FAILED),
    "answer lost": Kind(lambda: Ambiguous("ReadTimeout"), OutState.UNKNOWN, arrives=True),
    "request lost": Kind(lambda: Ambiguous("WriteError"), OutState.UNKNOWN),
    "adapter broken": Kind(lambda: RuntimeError("a bug"), OutState.UNKNOWN, arrives=True),
}
"""The rows of promises §1.5 for a message that may go out at most once; ChannelDown has its own test."""


def kind_of(address: str) -> Kind:
    """Ten people meet each fault, the others and the replies none."""
    n = int(address[1:]) % 30 if address.startswith("p") else 0
    return KINDS[list(KINDS)[n if n < len(KINDS) else 0]]


class Rough(ScriptedChannel):
    """A platform with every fault there is."""

    async def send(self, address: str, message: Message, *, edits: str, lane: Lane) -> str:
        kind = kind_of(address)
        self.tries[address] = self.tries.get(address, 0) + 1
        self.sent.append((self._time.monotonic(), address, message.text, lane))
        # What concerns the officer goes through: the faults are the announcement's.
        failing = lane == Lane.BULK and kind.error is not None and (not kind.once or self.tries[address] == 1)
        if not failing or kind.arrives:
            self.arrived.append((address, message.text))  # on its way for good, whatever becomes of us meanwhile
        await self._time.sleep(self._takes)
        if failing:
            assert kind.error is not None
            raise kind.error()
        return edits or f"id{len(self.arrived)}"


async def rows_of(world: World, broadcast_id: int) -> dict[str, OutState]:
    async with world.database.read() as session:
        query = select(OutboxRow.address, OutboxRow.state).where(OutboxRow.broadcast_id == broadcast_id)
        return {address: state for address, state in await session.execute(query)}


async def test_three_hundred_people_with_every_fault_and_a_crash_get_it_once_and_replies_go_first(world: World) -> None:
    broadcast_id = await crowd(world)
    time = VirtualTime(START, lambda: world.database.open)
    channel = Rough(time)

    def deliver(mark: str) -> tuple[Delivery, asyncio.Task[None]]:
        made = Delivery(
            world.database, channel, rate=29.5, now=time.now, monotonic=time.monotonic, sleep=time.sleep, mark=mark
        )
        return made, asyncio.create_task(made.run())

    delivery, task = deliver("first")
    replies: list[tuple[str, float]] = []
    in_flight: set[str] = set()
    for tick in range(300):
        world.now = time.now()
        await planner.run(work_of(world))
        async with world.database.write() as session:
            account = (await accounts.enter(session, "scripted", f"r{tick}", time.now())).account
            await outbox.put(session, account, to_json(Message("reply")), now=time.now())
        replies.append((f"r{tick}", time.elapsed))
        delivery.wake()
        nap = asyncio.create_task(time.sleep(0.7))  # a sleeper of its own: during a pause of bulk too somebody asks
        await time.run(nap.done, 600)
        if tick >= 4 and not in_flight and delivery._flying:  # the process dies with some on their way
            for each in (task, *delivery._flying):
                each.cancel()
            await asyncio.gather(task, *delivery._flying, return_exceptions=True)
            found = await rows_of(world, broadcast_id)
            in_flight = {address for address, state in found.items() if state == OutState.SENDING}
            async with world.database.write() as session:
                await outbox.recover(session, time.now())
            delivery, task = deliver("second")
        async with world.database.read() as session:
            if (await session.get_one(Broadcast, broadcast_id)).state == BroadcastState.DONE:
                break
    nap = asyncio.create_task(time.sleep(2))
    await time.run(nap.done, 600)
    await delivery.stop()
    await task

    assert 0 < len(in_flight) <= WINDOW
    arrived = Counter(address for address, text in channel.arrived if text == "Mời họp.")
    states = await rows_of(world, broadcast_id)
    assert len(states) == PEOPLE
    for address, state in states.items():
        kind = kind_of(address)
        expected = {kind.ends, OutState.UNKNOWN} if address in in_flight else {kind.ends}
        assert state in expected, (address, state)
        assert arrived[address] <= 1
        if address not in in_flight:
            assert arrived[address] == (kind.arrives or kind.ends == OutState.SENT), address
    left_at = {address: moment for moment, address, _, lane in channel.sent if lane == Lane.REPLY}
    assert max(left_at[address] - asked for address, asked in replies) < 0.3
    async with world.database.read() as session:
        counts = await broadcasts.figures(session, broadcast_id)
        blocked = await session.execute(select(Account.address).where(Account.reach == Reach.BLOCKED))
    assert counts["sent"] + counts["failed"] + counts["unknown"] == counts["targets"] == PEOPLE
    assert {address for (address,) in blocked} == {
        address
        for address, state in states.items()
        if kind_of(address) is KINDS["blocked"] and state == OutState.FAILED
    }
    shown = [(moment, text) for moment, address, text, lane in channel.sent if lane == Lane.NOTICE]
    progress = [moment for moment, text in shown if text.startswith("Đang gửi tin TB-25-0001")]
    assert len(progress) >= 2 and all(b - a >= 9.9 for a, b in pairwise(progress))
    assert any("Còn khoảng" in text for _, text in shown)
    (report,) = [text for _, text in shown if "BÁO CÁO GỬI TIN" in text]
    assert f"Đã gửi: {counts['sent']}/{PEOPLE}" in report and f"Không rõ đã tới chưa: {counts['unknown']}" in report


async def test_planning_that_dies_in_the_middle_goes_on_and_plans_everybody_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    broadcast_id = await crowd(world, 120)
    monkeypatch.setattr(planning, "CHUNK", 50)
    real = broadcasts.add_targets
    calls = 0

    async def dying(*args: object, **kwargs: object) -> int:
        nonlocal calls
        calls += 1
        number = await real(*args, **kwargs)  # type: ignore[arg-type]
        if calls in (2, 3):
            raise RuntimeError("killed")
        return number

    monkeypatch.setattr(broadcasts, "add_targets", dying)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await planner.run(work_of(world))
    await planner.run(work_of(world))
    async with world.database.read() as session:
        planned = (
            (
                await session.execute(
                    select(BroadcastTarget.person_id).where(BroadcastTarget.broadcast_id == broadcast_id)
                )
            )
            .scalars()
            .all()
        )
        queued = (
            (await session.execute(select(OutboxRow.person_id).where(OutboxRow.broadcast_id == broadcast_id)))
            .scalars()
            .all()
        )
    assert len(planned) == len(set(planned)) == 120 and len(queued) == len(set(queued)) == 120


async def announced(session: Session, unit_id: int, author_id: int, now: datetime) -> None:
    made = await broadcasts.create(
        session, author_id=author_id, kind="notice", topic="notice", unit_id=unit_id, audience=Rule(unit_id), number=2,
        text="x", media=[], timing="now", send_at=now, second=False, year=2025, now=now,
    )  # fmt: skip
    await plan_now(session, made, now)


async def plan_now(session: Session, broadcast: Broadcast, now: datetime) -> None:
    found = await broadcasts.next_members(session, broadcast, day_start(now), exempt=False)
    body = await broadcasts.body(session, {}, now)
    await broadcasts.add_targets(session, broadcast, [(member, now, None, body, None) for member in found], now)


async def test_caps_keep_a_person_at_one_a_day_and_three_a_week_and_anniversaries_give_way(world: World) -> None:
    ha = await (await world.joined("Lê Thu Hà", unit="MAYHOA", role=Role.UPPER_OFFICER)).id()
    got = 0
    async with world.database.write() as session:
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None

        async def reason(kind: str, now: datetime) -> str:
            tally = await audiences.count(session, Rule(unit.id), kind, kind, day_start(now))
            return next(iter(tally.reasons))

        for day in range(14):
            now = START + timedelta(days=day)
            got += not await reason("notice", now)
            await announced(session, unit.id, ha, now)
            assert await reason("notice", now) == await reason("automatic", now) == "capped"
            next_morning = now + timedelta(hours=8)  # 0:55: another day, though not 24 hours later
            assert (await reason("notice", next_morning) == "capped") == (2 <= day % 7 < 6)
            assert await reason("urgent", now) == await reason("correction", now) == ""
        later = START + timedelta(days=40)
        made_by_clock = await broadcasts.plan_automatic(
            session, key="kn:test", topic="anniversary", unit_id=unit.id, audience=Rule(unit.id).to_json(), text="x",
            timing="now", send_at=later, year=2025, now=later,
        )  # fmt: skip
        assert made_by_clock is not None
        await plan_now(session, made_by_clock, later)
        assert await reason("notice", later) == "" and await reason("automatic", later) == "capped"
        assert await reason("campaign", later) == "capped"
    assert got == 6


async def test_an_announcement_that_cannot_be_planned_keeps_no_other_from_going(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await crowd(world, 3)
    async with world.database.write() as session:
        bad = await session.get_one(Broadcast, first)
        good = await broadcasts.create(
            session, author_id=bad.author_id or 0, kind="urgent", topic="notice", unit_id=bad.unit_id, number=3,
            audience=Rule(bad.unit_id), text="x", media=[], timing="now", send_at=START, second=False, year=2025, now=START,
        )  # fmt: skip
    real = planner._plan

    async def plan(work: Work, session: Session, broadcast: Broadcast, *more: Any) -> Any:
        if broadcast.id == first:
            raise KeyError("hours")
        return await real(work, session, broadcast, *more)

    monkeypatch.setattr(planner, "_plan", plan)
    for _ in range(2):
        with pytest.raises(KeyError):
            await planner.run(work_of(world))
    async with world.database.read() as session:
        states = [(await session.get_one(Broadcast, each)).state for each in (first, good.id)]
    assert states == [BroadcastState.PLANNING, BroadcastState.SENDING] and len(await rows_of(world, good.id)) == 3


async def test_what_was_kept_for_thirty_days_only_is_not_sent_again_without_its_words(world: World) -> None:
    """Blank rows went to the channel, which failed at each of them: in doubt again."""
    broadcast_id = await crowd(world, 2)
    await planner.run(work_of(world))
    async with world.database.write() as session:
        row = OutboxRow.broadcast_id == broadcast_id
        ended = {"state": OutState.UNKNOWN, "finished_at": START, "body_id": None, "payload": {"text": "Chào p0"}}
        await session.execute(update(OutboxRow).where(row).values(ended))
        later = START + timedelta(days=31)
        await outbox.tidy(session, later)
        broadcast = await session.get_one(Broadcast, broadcast_id)
        assert await broadcasts.arm(session, broadcast, OutState.UNKNOWN, {"office": (later, None)}) == 0
    assert set((await rows_of(world, broadcast_id)).values()) == {OutState.UNKNOWN}
