"""Three hundred people on a virtual clock with every fault a platform has: once each, states as promised, replies first."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from content.calendar import day_start
from content.message import Message, to_json
from db import accounts, audiences, broadcasts, outbox, people, units
from db.audiences import Rule
from db.broadcasts import planning
from db.models import (
    Audience,
    Broadcast,
    BroadcastState,
    BroadcastTarget,
    Grant,
    Lane,
    OutboxRow,
    OutState,
    Role,
    Shift,
)
from db.session import Session
from scheduler import broadcasts as planner
from scheduler.delivery import Ambiguous, Delivery, RecipientGone, Rejected, RetryLater, SendError
from tests.fakes.channel import ScriptedChannel, VirtualTime
from tests.people import START, World
from tests.scheduler.test_deadlines import work_of

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
            session, author_id=first, kind="notice", topic="notice", unit_id=unit.id, audience=Rule(unit.id).to_json(),
            text="Mời họp.", media=[], timing="now", send_at=START, second=False, year=2025, now=START,
        )  # fmt: skip
        return made.id


def faults(address: str, attempt: int) -> SendError | None:
    """By the number of the person: certain refusals, doubts, blocks; the first attempt only where it can be repeated."""
    if not address.startswith("p"):
        return None
    n = int(address[1:])
    if n % 50 == 7:
        return RecipientGone("blocked")
    if n % 60 == 11:
        return Rejected("bad request")
    if n % 40 == 3:
        return Ambiguous("read error")
    if attempt == 1 and n % 30 == 5:
        return RetryLater(3, pause=True)
    if attempt == 1 and n % 45 == 9:
        return RetryLater(5)
    return None


async def test_three_hundred_people_with_every_fault_get_it_once_and_replies_go_first(world: World) -> None:
    broadcast_id = await crowd(world)
    time = VirtualTime(START, lambda: world.database.open)
    channel = ScriptedChannel(time)
    channel.script = faults
    # Half of what is in doubt did arrive: nobody can tell, so none of it may be sent again.
    channel.delivers = lambda error: isinstance(error, Ambiguous)
    delivery = Delivery(
        world.database, channel, rate=29.5, now=time.now, monotonic=time.monotonic, sleep=time.sleep, mark="m"
    )
    await planner.run(work_of(world))
    task = asyncio.create_task(delivery.run())
    replies = []
    for n in range(20):
        moment = 0.4 * (n + 1)
        await time.run(lambda moment=moment: time.elapsed >= moment, 600)
        async with world.database.write() as session:
            account = (await accounts.enter(session, "scripted", f"r{n}", time.now())).account
            await outbox.put(session, account, to_json(Message("reply")), now=time.now())
        replies.append((f"r{n}", time.elapsed))
        delivery.wake()

    async def left() -> bool:
        async with world.database.read() as session:
            rows = select(OutboxRow.id).where(OutboxRow.state.in_((OutState.READY, OutState.SENDING))).limit(1)
            return (await session.execute(rows)).first() is not None

    while await left():
        moment = time.elapsed + 1
        await time.run(lambda moment=moment: time.elapsed >= moment, 600)
    await delivery.stop()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    arrived = Counter(address for address, text in channel.arrived if text == "Mời họp.")
    assert max(arrived.values()) == 1
    left_at = {address: moment for moment, address, _, lane in channel.sent if lane == Lane.REPLY}
    assert max(left_at[address] - asked for address, asked in replies) < 0.5
    async with world.database.read() as session:
        rows = (
            await session.execute(
                select(OutboxRow.address, OutboxRow.state).where(OutboxRow.broadcast_id == broadcast_id)
            )
        ).all()
    states = dict((int(address[1:]), state) for address, state in rows)
    assert len(states) == PEOPLE
    for n, state in states.items():
        expected = (
            OutState.FAILED if n % 50 == 7 or n % 60 == 11 else OutState.UNKNOWN if n % 40 == 3 else OutState.SENT
        )
        assert state == expected, n
    world.now = time.now()
    await planner.run(work_of(world))
    async with world.database.read() as session:
        assert (await session.get_one(Broadcast, broadcast_id)).state == BroadcastState.DONE
        counts = await broadcasts.figures(session, broadcast_id)
    assert counts["sent"] + counts["failed"] + counts["unknown"] == counts["targets"] == PEOPLE


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
        session, author_id=author_id, kind="notice", topic="notice", unit_id=unit_id, audience=Rule(unit_id).to_json(),
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
    assert got == 6
