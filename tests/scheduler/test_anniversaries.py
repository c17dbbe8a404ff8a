"""Anniversaries once per person, year and variant, in each person's own hours, whatever restarts happen."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from sqlalchemy import select

from content.calendar import LOCAL
from db import broadcasts as rows
from db.models import Audience, Broadcast, BroadcastState, OutboxRow, OutState, Person, Role, Shift
from scheduler import anniversaries, broadcasts
from tests.handlers.test_announcing import goes_out
from tests.people import World
from tests.scheduler.test_deadlines import work_of


async def walks(world: World, hours: int) -> None:
    """An hour at a time, as the clock would, each look twice as after a restart."""
    for _ in range(hours * 4):
        world.later(minutes=15)
        for _ in range(2):
            await anniversaries.run(work_of(world))
        await goes_out(world)


async def sent(world: World) -> list[tuple[str, str, str]]:
    async with world.database.read() as session:
        found = await session.execute(
            select(Person.name, Broadcast.key, OutboxRow.finished_at)
            .join(OutboxRow, OutboxRow.person_id == Person.id)
            .join(Broadcast, Broadcast.id == OutboxRow.broadcast_id)
            .where(OutboxRow.state == OutState.SENT)
        )
        return [
            (name, key or "", at.astimezone(LOCAL).strftime("%d/%m %H:%M")) for name, key, at in found if at is not None
        ]


async def test_the_union_day_reaches_each_shift_in_its_own_hours_once(world: World) -> None:
    await world.joined("Hành Chính")
    await world.joined("Ca Đêm", shift=Shift.NIGHT)
    await world.joined("Ca Sáng", shift=Shift.MORNING)
    await world.joined("Không Nhận", news=False)
    await walks(world, 78)
    found = await sent(world)
    assert max(Counter((name, key) for name, key, _ in found).values()) == 1
    at = {(name, key): moment for name, key, moment in found}
    assert at[("Hành Chính", "kn:2807:2025:t3")] == "25/07 17:10"
    assert at[("Hành Chính", "kn:2807:2025:t0")] == "28/07 07:10"
    assert at[("Ca Đêm", "kn:2807:2025:t0")] == "28/07 15:40"
    assert at[("Ca Sáng", "kn:2807:2025:t0")] == "28/07 14:40"
    assert not any(name == "Không Nhận" for name, _, _ in found)


async def test_a_day_that_was_missed_is_not_sent_late(world: World) -> None:
    await world.joined("Hành Chính")
    world.later(days=4)
    await anniversaries.run(work_of(world))
    await goes_out(world)
    assert await sent(world) == []


async def test_a_message_planned_but_not_delivered_by_the_evening_expires(world: World) -> None:
    await world.joined("Hành Chính")
    await anniversaries.run(work_of(world))
    await broadcasts.run(work_of(world))
    async with world.database.read() as session:
        row = (await session.execute(select(OutboxRow).where(OutboxRow.broadcast_id.is_not(None)))).scalar_one()
    assert row.expires_at is not None and row.expires_at.astimezone(LOCAL).strftime("%d/%m %H:%M") == "25/07 20:30"


async def test_the_wages_line_goes_to_enterprise_workers_only(world: World) -> None:
    await world.joined("Công Nhân")
    await world.joined("Giáo Viên", audience=Audience.PUBLIC)
    world.now = world.now.replace(month=8, day=30, hour=5)
    await walks(world, 2)
    async with world.database.read() as session:
        found = await session.execute(select(Broadcast).where(Broadcast.key == "kn:0209:2025:t3"))
        broadcast = found.scalar_one()
        bodies = broadcast.audience["bodies"]
    assert set(bodies) == {"all", "enterprise"}


async def test_respectful_mode_drops_what_is_planned_and_what_would_be(world: World) -> None:
    dai = await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)
    await world.joined("Hành Chính")
    await anniversaries.run(work_of(world))
    async with world.database.write() as session:
        await rows.set_respectful(session, await dai.id(), True, world.now)
    await walks(world, 72)
    assert await sent(world) == []
    async with world.database.read() as session:
        states = (await session.execute(select(Broadcast.state))).scalars().all()
    assert set(states) == {BroadcastState.CANCELLED}


async def test_unapproved_texts_are_never_sent_and_somebody_is_told_a_week_ahead(world: World) -> None:
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    await world.joined("Hành Chính")
    world.now = world.now.replace(year=2026, month=7, day=17)
    for _ in range(15):
        world.now += timedelta(days=1)
        await anniversaries.run(work_of(world))
        await goes_out(world)
    assert await sent(world) == []
    assert mai.keys.count("anniversaries.approval_needed") == 2


async def test_three_days_before_waits_for_the_evening_though_it_is_planned_at_dawn(world: World) -> None:
    await world.joined("Hành Chính")
    await world.joined("Ca Chiều", shift=Shift.AFTERNOON)
    world.now = world.now.replace(hour=0, minute=0)  # 7:00 in Vietnam
    await walks(world, 12)
    at = {(name, key): moment for name, key, moment in await sent(world)}
    assert at[("Hành Chính", "kn:2807:2025:t3")] == "25/07 17:00"
    assert at[("Ca Chiều", "kn:2807:2025:t3")] == "25/07 09:00"
