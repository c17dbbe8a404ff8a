"""The emergency stop: all that it holds is told, to the leader and to each author, and nothing late goes by itself."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest
from sqlalchemy import select, update

from content.calendar import LOCAL
from db import broadcasts, snapshot, units
from db.audiences import Rule
from db.broadcasts import planning
from db.models import AuditRow, Broadcast, BroadcastState, OutboxRow, OutState, Role
from scheduler import broadcasts as planner
from tests.handlers.test_announcing import composes, goes_out, officer
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


async def test_what_everybody_has_got_is_not_counted_among_what_is_held(world: World) -> None:
    await world.joined("Bùi Thị Hoa")
    await sends(world, "Lê Thu Hà")
    await planner.run(work_of(world))
    async with world.database.write() as session:
        reached = update(OutboxRow).where(OutboxRow.broadcast_id.is_not(None))
        await session.execute(reached.values(state=OutState.SENT, finished_at=world.now))
    dai = await stops(world)
    assert "lúc này không có tin nào" in dai.last.text


async def test_who_lifted_the_stop_by_a_slip_is_told_and_stops_again_at_once(world: World) -> None:
    dai = await stops(world)
    await dai.taps("Cho gửi lại")
    screen = dai.last.message.screen
    await dai.taps("Cho gửi lại")
    assert dai.last.key == "announcing.started_again" and "Dừng khẩn" in dai.last.labels[0]
    before = len(dai.heard)
    await dai.presses(f"s:{screen}:no")
    assert dai.heard[before].key == "common.old_button"
    await dai.presses("c:dungkhan:")
    assert dai.last.key == "announcing.stop_sure"


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
        world.later(seconds=1)
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
        world.later(seconds=1)
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


# ---------------------------------------------------------------------------------------------------- lifting it


async def an_anniversary(world: World) -> None:
    """A message that a clock has started for this very day."""
    async with world.database.write() as session:
        top = await units.top(session)
        assert top is not None
        await broadcasts.plan_automatic(
            session, key="ngay:2025", topic=broadcasts.CELEBRATION, unit_id=top.id, audience=Rule(top.id).to_json(),
            text="Chúc mừng ngày truyền thống.", timing="morning", send_at=datetime(2025, 7, 25, 6, 30, tzinfo=LOCAL),
            year=2025, now=world.now,
        )  # fmt: skip


async def found(world: World) -> list[BroadcastState]:
    async with world.database.read() as session:
        return list((await session.execute(select(Broadcast.state).order_by(Broadcast.id))).scalars())


@pytest.mark.parametrize("planned", [True, False])
async def test_what_came_too_late_under_the_stop_is_told_before_it_is_lifted_and_to_who_answers_for_it(
    world: World, planned: bool
) -> None:
    mai = await officer(world, "Vũ Ngọc Mai", "TINH", Role.CONTENT_OFFICER)
    await world.joined("Bùi Thị Hoa")
    await an_anniversary(world)
    if planned:
        await planner.run(work_of(world))
    dai = await stops(world)
    world.later(days=1)
    await dai.taps("Cho gửi lại")
    line = 'Quá giờ nên không gửi nữa:\n• KN-25-0001 "Chúc mừng ngày truyền thống.": 2 người'
    assert dai.last.key == "announcing.lift_sure" and line in dai.last.text and "Gửi tiếp" not in dai.last.text
    await dai.taps("Cho gửi lại")
    assert "sẽ nhận tiếp" not in dai.last.text and "2 người không nhận được" in dai.last.text
    await world.deliver()
    assert mai.last.key == "announcing.stop_missed" and "2 người không nhận được" in mai.last.text
    assert "announcing.stop_missed" not in dai.keys


async def test_on_its_day_an_anniversary_still_goes_to_whom_it_can_reach(world: World) -> None:
    await world.joined("Bùi Thị Hoa")
    await an_anniversary(world)
    dai = await stops(world)
    await dai.taps("Cho gửi lại")
    assert 'KN-25-0001 "Chúc mừng ngày truyền thống.": 1 người' in dai.last.text and "Quá giờ" not in dai.last.text
    await dai.taps("Cho gửi lại")
    assert "1 người sẽ nhận tiếp" in dai.last.text


async def test_what_officers_wrote_goes_on_late_and_the_number_is_of_those_who_get_it(world: World) -> None:
    await world.joined("Bùi Thị Hoa")
    await world.joined("Tắt Tin", news=False)
    await sends(world, "Lê Thu Hà")
    dai = await stops(world)
    world.later(days=2, hours=20)  # Monday
    await dai.taps("Cho gửi lại")
    assert (
        'Gửi tiếp, trong giờ nhận tin của từng người:\n• TB-25-0001 "Mời anh/chị họp, Lê Thu Hà.": 2 người'
        in dai.last.text
    )
    await dai.taps("Cho gửi lại")
    assert "2 người sẽ nhận tiếp" in dai.last.text
    await goes_out(world)
    async with world.database.read() as session:
        query = select(OutboxRow.state).where(OutboxRow.broadcast_id.is_not(None))
        assert list((await session.execute(query)).scalars()) == [OutState.SENT, OutState.SENT]


async def test_what_was_held_while_planned_and_let_go_goes_on_after_a_stop_and_what_is_still_held_does_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is scheduled until the next look, and its rows, which the stop held, stayed so for ever."""
    await world.joined("Bùi Thị Hoa")
    monkeypatch.setattr(planning, "CHUNK", 1)
    ha, yen = await sends(world, "Lê Thu Hà"), await sends(world, "Lê Hải Yến")
    for number, chunks in ((1, 2), (2, 3)):  # the second is for its author alone: who got one today gets no other
        await planner._begin(work_of(world), number)
        for _ in range(chunks):
            await planner._plan_chunk(work_of(world), number)
    await snapshot.after_restore(world.database, world.now)
    await goes_out(world)
    assert await found(world) == [BroadcastState.HELD, BroadcastState.HELD]
    assert ha.last.offers("Gửi tiếp") and yen.last.offers("Gửi tiếp")
    await ha.taps("Gửi tiếp")
    dai = await stops(world)
    for _ in range(2):
        await dai.taps("Cho gửi lại")
    assert dai.last.key == "announcing.started_again"
    for _ in range(3):
        await goes_out(world)
    assert await found(world) == [BroadcastState.DONE, BroadcastState.HELD]
    async with world.database.read() as session:
        rows = select(OutboxRow.broadcast_id, OutboxRow.state).where(OutboxRow.broadcast_id.is_not(None))
        sent = Counter(tuple(row) for row in await session.execute(rows))
    assert sent == {(1, OutState.SENT): 2, (2, OutState.HELD): 1}


async def test_what_is_past_its_hour_waits_for_its_authors_word_and_what_is_not_goes_at_its_hour(world: World) -> None:
    ha = await sends(world, "Lê Thu Hà", at="8h sáng mai")
    await sends(world, "Lê Hải Yến", at="8h 30/7/2025")
    dai = await stops(world)
    world.later(hours=18)
    await planner.run(work_of(world))
    await dai.taps("Cho gửi lại")
    assert "Đã qua giờ hẹn nên giữ lại, hỏi người soạn:\n• TB-25-0001" in dai.last.text
    assert "Gửi đúng giờ đã hẹn:\n• TB-25-0002" in dai.last.text
    assert await found(world) == [BroadcastState.SCHEDULED, BroadcastState.SCHEDULED], "nothing happens before the yes"
    await dai.taps("Cho gửi lại")
    assert "1 tin hẹn giờ sẽ gửi đúng giờ. 1 tin đã qua giờ hẹn được giữ lại" in dai.last.text
    for _ in range(3):
        await goes_out(world)
    assert await found(world) == [BroadcastState.HELD, BroadcastState.SCHEDULED]
    assert ha.keys.count("announcing.held_notice") == 1 and "đã qua giờ hẹn trong lúc dừng" in ha.last.text
    async with world.database.read() as session:
        query = select(AuditRow.object).where(AuditRow.action == "hold_late")
        assert (await session.execute(query)).scalars().all() == ["broadcast TB-25-0001"]
    await ha.taps("Xem tin")
    assert "Hệ thống giữ lại vì đã qua giờ hẹn" in ha.last.text
    await ha.taps("Gửi tiếp")
    await goes_out(world)
    assert await found(world) == [BroadcastState.DONE, BroadcastState.SCHEDULED]


async def test_the_stop_stays_for_who_thinks_better_of_it_and_where_there_is_none_that_is_said(world: World) -> None:
    dai = await stops(world)
    await dai.taps("Cho gửi lại")
    assert "Hiện không có tin nào đang chờ" in dai.last.text
    await dai.taps("Vẫn dừng")
    assert dai.last.key == "announcing.still_stopped"
    yen = await officer(world, "Lò Thị Yến", "TINH", Role.LEADER)
    for person in (dai, yen):
        await person.presses("c:choguilai:")
    await yen.taps("Cho gửi lại")
    assert yen.last.key == "announcing.started_again"
    await dai.says("Cho gửi lại")
    assert dai.last.key == "announcing.not_stopped"


async def test_the_officers_home_says_that_everything_is_stopped_and_who_may_lifts_it_there(world: World) -> None:
    ha = await officer(world)
    chi = await world.joined("Phạm Văn Chi", unit="TINH", role=Role.REVIEWER)
    dai = await stops(world)
    for person, says, offers in ((dai, True, True), (ha, True, False), (chi, False, False)):
        await person.says("/canbo")
        assert person.last.key == "menu.officer"
        assert ("Đang dừng khẩn cấp" in person.last.text) is says, person.name
        assert person.last.offers("Cho gửi lại") is offers, person.name
    await dai.says("/canbo")
    for _ in range(2):
        await dai.taps("Cho gửi lại")
    assert dai.last.key == "announcing.started_again"
    await dai.says("/canbo")
    assert "dừng khẩn cấp" not in dai.last.text and not dai.last.offers("Cho gửi lại")


async def test_whoever_answers_for_a_place_can_look_at_what_goes_out_there_by_itself(world: World) -> None:
    mai = await officer(world, "Vũ Ngọc Mai", "TINH", Role.UPPER_OFFICER)
    await world.joined("Bùi Thị Hoa")
    await an_anniversary(world)
    await mai.says("kn-25-0001")
    assert mai.last.key == "announcing.card" and "Giờ gửi: buổi sáng 25/7, theo giờ từng người" in mai.last.text, (
        mai.last.text
    )
    assert "Hệ thống lên lịch lúc" in mai.last.text
    await planner.run(work_of(world))
    await mai.says("KN-25-0001")
    assert mai.last.key == "announcing.card" and "Chúc mừng ngày truyền thống." in mai.last.text
