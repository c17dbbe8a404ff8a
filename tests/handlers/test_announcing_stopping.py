"""The emergency stop: all that it holds is told, to the leader and to each author, and nothing late goes by itself."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from db.models import Broadcast, BroadcastState, OutboxRow, OutState, Role
from scheduler import broadcasts as planner
from tests.handlers.test_announcing import composes, officer
from tests.people import TestPerson, World, work_of


async def sends(world: World, name: str, *, unit: str = "CAOSON", at: str = "") -> TestPerson:
    """An officer who has confirmed a message, at once or for an hour."""
    ha = await officer(world, name, unit)
    await composes(ha, f"Mời anh/chị họp, {name}.", when="Hẹn giờ" if at else "Gửi ngay")
    if at:
        await ha.says(at)
    await ha.taps("Xác nhận")
    assert ha.last.key == "announcing.sent"
    return ha


async def stops(world: World) -> TestPerson:
    dai = await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await dai.says("/dungkhan")
    await dai.taps("Dừng ngay")
    assert dai.last.key == "announcing.stopped_all"
    return dai


@pytest.mark.parametrize("state", [BroadcastState.SCHEDULED, BroadcastState.PLANNING])
async def test_what_nobody_has_been_planned_for_counts_as_held_and_so_does_what_waits_for_its_hour(
    world: World, state: BroadcastState
) -> None:
    await world.joined("Bùi Thị Hoa")
    await world.joined("Tắt Tin", news=False)
    await sends(world, "Lê Thu Hà")
    async with world.database.write() as session:
        await session.execute(update(Broadcast).values(state=state))
    await sends(world, "Lê Hải Yến", at="8h sáng mai")
    dai = await stops(world)
    assert "1 tin đang gửi (2 người chưa nhận) và 1 tin hẹn giờ (3 người)." in dai.last.text


async def test_what_is_planned_counts_with_what_is_not_and_nothing_held_is_said_too(world: World) -> None:
    dai = await stops(world)
    assert "lúc này không có tin nào" in dai.last.text
    await dai.taps("Cho gửi lại")
    await world.joined("Bùi Thị Hoa")
    await sends(world, "Lê Thu Hà")
    await planner.run(work_of(world))
    async with world.database.write() as session:
        await session.execute(
            update(OutboxRow)
            .where(OutboxRow.person_id == await world.people["Bùi Thị Hoa"].id(), OutboxRow.broadcast_id.is_not(None))
            .values(state=OutState.SENT, finished_at=world.now)
        )
    await dai.says("/dungkhan")
    await dai.taps("Dừng ngay")
    assert "1 tin đang gửi (1 người chưa nhận)." in dai.last.text


# ---------------------------------------------------------------------------------------------------- the authors


@pytest.mark.parametrize("state", [BroadcastState.SCHEDULED, BroadcastState.PLANNING, BroadcastState.SENDING])
async def test_the_author_of_what_is_held_is_told_once_though_nobody_was_planned_yet(
    world: World, state: BroadcastState
) -> None:
    ha = await sends(world, "Lê Thu Hà")
    async with world.database.write() as session:
        await session.execute(update(Broadcast).values(state=state))
    await stops(world)
    for _ in range(3):
        await planner.run(work_of(world))
    await world.deliver()
    assert [key for key in ha.keys if "stopped" in key] == ["announcing.stopped_notice"]


async def test_the_author_of_what_waits_for_an_hour_is_told_once_when_it_passes_under_the_stop(world: World) -> None:
    ha = await sends(world, "Lê Thu Hà", at="8h sáng mai")
    await stops(world)
    await planner.run(work_of(world))
    await world.deliver()
    assert not [key for key in ha.keys if "stopped" in key]
    world.later(hours=18)
    for _ in range(3):
        await planner.run(work_of(world))
    await world.deliver()
    assert ha.keys.count("announcing.stopped_hour") == 1 and "TB-25-0001" in ha.last.text


async def test_who_confirms_under_the_stop_hears_it_with_that_and_not_again(world: World) -> None:
    await stops(world)
    ha = await sends(world, "Lê Thu Hà")
    assert "lệnh dừng khẩn cấp" in ha.last.text
    world.later(hours=1)
    await planner.run(work_of(world))
    await world.deliver()
    assert ha.last.key == "announcing.sent"
