"""On its way and afterwards: paused, resumed, stopped, corrected, sent again, listed; everything stopped at once."""

from __future__ import annotations

import io
import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select, update

from db import broadcasts, outbox, people, snapshot, units
from db.audiences import freeze
from db.driver import Cursor
from db.models import (
    AuditRow,
    Body,
    Broadcast,
    BroadcastState,
    Grant,
    Lane,
    OutboxRow,
    OutState,
    Person,
    Role,
)
from db.outbox import Settlement
from scheduler import broadcasts as planner
from scheduler import jobs
from tests.handlers.test_announcing import composes, goes_out, officer, receivers
from tests.people import START, TestPerson, World, work_of


async def sending(world: World, *names: str) -> TestPerson:
    """An officer of a commune whose message is planned for herself and others, with nothing sent yet."""
    ha = await officer(world)
    for name in names or ("Bùi Thị Hoa", "Đỗ Thị Lan"):
        await world.joined(name)
    await composes(ha, "Họp lúc 17 giờ.")
    await ha.taps("Xác nhận")
    await planner.run(work_of(world))
    await world.deliver()
    return ha


async def states(world: World) -> dict[str, OutState]:
    async with world.database.read() as session:
        found = await session.execute(
            select(Person.name, OutboxRow.state)
            .join(OutboxRow, OutboxRow.person_id == Person.id)
            .where(OutboxRow.broadcast_id.is_not(None))
        )
        return {name: state for name, state in found}


async def becomes(world: World, name: str, state: OutState, error: str = "") -> None:
    person = await world.people[name].id()
    async with world.database.write() as session:
        await session.execute(
            update(OutboxRow)
            .where(OutboxRow.person_id == person, OutboxRow.broadcast_id.is_not(None))
            .values(state=state, error=error, finished_at=world.now, claim="m")
        )


async def comes_back(world: World, name: str) -> None:
    """A send in flight ends with "later"."""
    person = await world.people[name].id()
    async with world.database.write() as session:
        query = select(OutboxRow.id).where(OutboxRow.person_id == person, OutboxRow.broadcast_id.is_not(None))
        row = (await session.execute(query)).scalar_one()
        await outbox.settle(session, [Settlement(row, "m", OutState.READY, not_before=world.now)], world.now)


async def the_broadcast(world: World) -> Broadcast:
    async with world.database.read() as session:
        return (await session.execute(select(Broadcast).order_by(Broadcast.id).limit(1))).scalar_one()


# ---------------------------------------------------------------------------------------------------- on its way


async def test_who_switches_a_kind_off_while_it_is_in_flight_does_not_get_it_when_it_comes_back(world: World) -> None:
    await sending(world)
    for name in ("Bùi Thị Hoa", "Đỗ Thị Lan"):
        await becomes(world, name, OutState.SENDING)
    async with world.database.write() as session:
        hoa = await session.get_one(Person, await world.people["Bùi Thị Hoa"].id())
        await people.mute(session, hoa, [(await session.execute(select(Broadcast.topic))).scalar_one()], world.now)
    for name in ("Bùi Thị Hoa", "Đỗ Thị Lan"):
        await comes_back(world, name)
    found = await states(world)
    assert (found["Bùi Thị Hoa"], found["Đỗ Thị Lan"]) == (OutState.CANCELLED, OutState.READY)


@pytest.mark.parametrize(
    ("button", "follows", "later"),
    [("Tạm dừng", OutState.HELD, OutState.READY), ("Dừng hẳn", OutState.CANCELLED, OutState.CANCELLED)],
)
async def test_a_message_in_flight_follows_what_was_pressed_when_it_comes_back(
    world: World, button: str, follows: OutState, later: OutState
) -> None:
    ha = await sending(world)
    await becomes(world, "Bùi Thị Hoa", OutState.SENDING)
    await ha.taps(button)
    if button == "Dừng hẳn":
        await ha.taps(button)
    assert "1 tin đang trên đường" in ha.last.text and "2 người" in ha.last.text
    assert await states(world) == {
        "Lê Thu Hà": follows, "Đỗ Thị Lan": follows, "Bùi Thị Hoa": OutState.SENDING,
    }  # fmt: skip
    await comes_back(world, "Bùi Thị Hoa")
    assert (await states(world))["Bùi Thị Hoa"] == follows
    async with world.database.read() as session:
        endless = select(OutboxRow.id).where(OutboxRow.state == OutState.CANCELLED, OutboxRow.finished_at.is_(None))
        assert not (await session.execute(endless)).all()
    await ha.presses(f"c:guitiep:TB-25-0001.{(await the_broadcast(world)).version}")
    assert set((await states(world)).values()) == {later}


async def test_what_arrived_while_it_was_paused_counts_as_sent(world: World) -> None:
    ha = await sending(world)
    await becomes(world, "Bùi Thị Hoa", OutState.SENDING)
    await ha.taps("Tạm dừng")
    person = await world.people["Bùi Thị Hoa"].id()
    async with world.database.write() as session:
        query = select(OutboxRow.id).where(OutboxRow.person_id == person, OutboxRow.broadcast_id.is_not(None))
        row = (await session.execute(query)).scalar_one()
        await outbox.settle(session, [Settlement(row, "m", OutState.SENT, "p1")], world.now)
    await ha.taps("Gửi tiếp")
    await goes_out(world)
    assert "3/3" in ha.last.text and (await the_broadcast(world)).state == BroadcastState.DONE


async def test_nothing_ends_while_something_is_in_flight(world: World) -> None:
    ha = await sending(world)
    for name in ("Lê Thu Hà", "Đỗ Thị Lan"):
        await becomes(world, name, OutState.SENT)
    await becomes(world, "Bùi Thị Hoa", OutState.SENDING)
    await planner.run(work_of(world))
    assert (await the_broadcast(world)).state == BroadcastState.SENDING
    assert "announcing.report" not in ha.keys


async def test_two_who_press_at_once_have_one_effect_and_the_later_sees_what_happened(world: World) -> None:
    ha = await sending(world)
    dai = await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    version = (await the_broadcast(world)).version
    await dai.presses(f"c:tamdung:TB-25-0001.{version}")
    assert dai.last.key == "announcing.paused"
    assert ha.last.key == "announcing.steered_notice" and "Đinh Quang Đại vừa tạm dừng" in ha.last.text
    await ha.taps("Dừng hẳn")  # the progress message's button is of the version before
    assert ha.last.key == "announcing.card" and "Đinh Quang Đại tạm dừng lúc 16 giờ 55" in ha.last.text
    assert [choice.command for choice in ha.last.choices][:2] == ["guitiep", "dunghan"]
    assert set((await states(world)).values()) == {OutState.HELD}
    await ha.says("1")
    assert ha.last.key == "announcing.resumed"
    async with world.database.read() as session:
        done = (
            await session.execute(select(AuditRow.action).where(AuditRow.object == "broadcast TB-25-0001"))
        ).scalars()
        assert list(done) == ["broadcast", "pause_broadcast", "resume_broadcast"]


async def test_a_button_of_an_earlier_state_does_nothing_though_the_state_has_come_round_again(world: World) -> None:
    ha = await sending(world)
    old = (await the_broadcast(world)).version
    await ha.taps("Tạm dừng")
    await ha.taps("Gửi tiếp")
    await planner.run(work_of(world))
    assert (await the_broadcast(world)).state == BroadcastState.SENDING
    await ha.presses(f"c:tamdung:TB-25-0001.{old}")
    assert ha.last.key == "announcing.card" and "cho gửi tiếp" in ha.last.text
    assert set((await states(world)).values()) == {OutState.READY}


async def test_after_it_goes_on_the_new_pause_pauses_and_so_do_the_buttons_of_the_progress(world: World) -> None:
    ha = await sending(world)
    old = next(choice for choice in ha.last.choices if choice.command == "tamdung")
    await ha.taps("Tạm dừng")
    await ha.taps("Gửi tiếp")
    assert [choice.command for choice in ha.last.choices] == ["tamdung", "dunghan"]
    await planner.run(work_of(world))  # the clock's own steps leave the button as good as it was
    await world.deliver()
    shown = next(heard for heard in reversed(ha.heard) if heard.key == "announcing.progress")
    await ha.taps("Tạm dừng")
    assert ha.last.key == "announcing.paused" and set((await states(world)).values()) == {OutState.HELD}
    assert old not in shown.choices
    await ha.taps("Gửi tiếp")
    await planner.run(work_of(world))
    await world.deliver()
    shown = next(heard for heard in reversed(ha.heard) if heard.key == "announcing.progress")
    await ha.presses(shown.choices[1].data(0))
    await ha.taps("Dừng hẳn")
    assert ha.last.key == "announcing.cancelled"


async def test_a_stop_offered_before_its_hour_is_still_good_when_it_is_on_its_way(world: World) -> None:
    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Họp lúc 17 giờ.")
    await ha.taps("Xác nhận")
    await ha.taps("Xem, dừng tin")
    stop = next(choice for choice in ha.last.choices if choice.command == "dunghan")
    await planner.run(work_of(world))
    await world.deliver()
    await ha.presses(stop.data(0))
    await ha.taps("Dừng hẳn")
    assert ha.last.key == "announcing.cancelled" and set((await states(world)).values()) == {OutState.CANCELLED}


async def test_who_presses_an_old_button_after_their_own_deed_is_not_told_that_another_was_faster(world: World) -> None:
    ha = await sending(world)
    pause = next(choice for choice in ha.last.choices if choice.command == "tamdung").data(0)
    await ha.presses(pause)
    world.later(minutes=1)
    await ha.presses(pause)
    assert ha.last.key == "announcing.card" and "Lê Thu Hà tạm dừng" in ha.last.text
    assert "có người" not in ha.last.text and "của lúc trước" in ha.last.text


async def test_others_cannot_steer_it_though_they_may_send_there_too(world: World) -> None:
    await sending(world)
    chair = await officer(world, "Nguyễn Thị Hương", "MAYHOA", Role.GRASSROOTS_CHAIR)
    mai = await officer(world, "Vũ Ngọc Mai", "TINH", Role.CONTENT_OFFICER)
    version = (await the_broadcast(world)).version
    for command in ("tamdung", "dunghan", "guitiep"):
        await chair.presses(f"c:{command}:TB-25-0001.{version}")
        assert chair.last.key == "announcing.not_found"
        await mai.presses(f"c:{command}:TB-25-0001.{version}")
        assert mai.last.key == "common.refused"
    assert set((await states(world)).values()) == {OutState.READY}


async def test_a_message_is_stopped_before_its_hour_from_its_card(world: World) -> None:
    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Họp lúc 17 giờ.", when="Hẹn giờ")
    await ha.says("8h sáng mai")
    await ha.taps("Xác nhận")
    assert "2 người, gửi 8 giờ ngày 26/7/2025" in ha.last.text
    await ha.taps("Xem, dừng tin")
    assert ha.last.key == "announcing.card" and "Giờ gửi: 8 giờ ngày 26/7/2025" in ha.last.text
    await ha.taps("Dừng hẳn")
    await ha.taps("Dừng hẳn")
    assert ha.last.key == "announcing.cancelled" and "chưa ai nhận" in ha.last.text
    world.later(days=1)
    await goes_out(world)
    assert await receivers(world) == set()


async def test_what_cannot_be_taken_back_is_asked_once(world: World) -> None:
    ha, dai = await sending(world), await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await becomes(world, "Bùi Thị Hoa", OutState.SENT)
    await ha.taps("Dừng hẳn")
    assert ha.last.key == "announcing.cancel_sure" and "bấm Tạm dừng" in ha.last.text
    assert "1 người đã nhận. 2 người chưa nhận sẽ không nhận nữa." in ha.last.text
    assert (await the_broadcast(world)).state == BroadcastState.SENDING
    await ha.taps("Thôi")
    assert ha.last.key == "announcing.cancel_kept" and (await the_broadcast(world)).state == BroadcastState.SENDING
    assert ha.last.labels == ["⏸ Tạm dừng", "🔎 Xem tin"], "what was advised can be pressed"
    await ha.presses(f"c:dunghan:TB-25-0001.{(await the_broadcast(world)).version}")
    await dai.presses(f"c:tamdung:TB-25-0001.{(await the_broadcast(world)).version}")
    await ha.says("dừng hẳn")  # somebody was faster: it is shown as it stands
    assert ha.last.key == "announcing.card" and (await the_broadcast(world)).state == BroadcastState.PAUSED
    for _ in range(2):
        await ha.taps("Dừng hẳn")
    assert ha.last.key == "announcing.cancelled"


async def test_who_stopped_a_message_by_a_slip_has_its_words_again(world: World) -> None:
    ha, mai = await officer(world), await officer(world, "Vũ Ngọc Mai")
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Họp lúc 17 giờ.", when="Hẹn giờ")
    await ha.says("8h sáng mai")
    await ha.taps("Xác nhận")
    await ha.taps("Xem, dừng tin")
    await ha.taps("Dừng hẳn")
    await ha.taps("Dừng hẳn")
    await mai.presses("c:xemtin:TB-25-0001")
    assert not mai.last.offers("Soạn lại")
    await mai.presses("c:soanlai:TB-25-0001")
    assert mai.last.key == "announcing.card"
    await ha.taps("Xem tin")
    await ha.taps("Soạn lại")
    assert ha.last.key == "announcing.preview" and "Họp lúc 17 giờ." in ha.last.text
    for label in ("Tiếp", "Gửi ngay", "Xác nhận"):
        await ha.taps(label)
    await goes_out(world)
    assert await receivers(world) == {"Lê Thu Hà", "Vũ Ngọc Mai", "Bùi Thị Hoa"}


async def test_what_somebody_has_already_is_corrected_and_not_composed_anew(world: World) -> None:
    ha = await sending(world, "Quách Văn An")
    await becomes(world, "Quách Văn An", OutState.SENT)
    await ha.says("TB-25-0001")
    await ha.taps("Dừng hẳn")
    await ha.taps("Dừng hẳn")
    assert ha.last.key == "announcing.cancelled" and not ha.last.offers("Soạn lại")
    await ha.taps("Xem tin")
    assert ha.last.offers("Đính chính") and not ha.last.offers("Soạn lại")
    await ha.presses("c:soanlai:TB-25-0001")
    assert ha.last.key == "announcing.card"


async def test_what_was_sent_is_listed_and_opens_by_number(world: World) -> None:
    ha = await sending(world)
    await ha.says("/guitin")
    await ha.taps("Tin đã gửi")
    assert ha.last.key == "announcing.mine" and "1. TB-25-0001 – đang gửi: Họp lúc 17 giờ." in ha.last.text
    await ha.says("1")
    assert ha.last.key == "announcing.card"


async def test_twenty_refusals_in_a_row_pause_it_and_its_author_is_asked(world: World) -> None:
    ha = await sending(world, *(f"Người {n}" for n in range(22)))
    world.later(seconds=5)
    for n in range(20):
        await becomes(world, f"Người {n}", OutState.FAILED, "can't parse entities")
    for _ in range(3):
        await planner.run(work_of(world))
        world.later(seconds=1)
    await world.deliver()
    assert (await the_broadcast(world)).state == BroadcastState.PAUSED
    assert ha.keys.count("announcing.held_notice") == 1 and "bị từ chối nhiều lần" in ha.last.text
    assert [state for state in (await states(world)).values() if state != OutState.FAILED] == [OutState.HELD] * 3
    world.later(seconds=5)
    await ha.taps("Gửi tiếp")
    await goes_out(world)
    assert "Đã gửi: 3/23" in ha.last.text


async def test_twenty_who_blocked_us_are_no_reason_to_pause(world: World) -> None:
    await sending(world, *(f"Người {n}" for n in range(22)))
    for n in range(20):
        await becomes(world, f"Người {n}", OutState.FAILED, "blocked")
    await planner.run(work_of(world))
    assert (await the_broadcast(world)).state == BroadcastState.SENDING


async def test_opting_out_between_plan_and_send_is_kept_also_in_flight(world: World) -> None:
    await sending(world, "Bùi Thị Hoa", "Đỗ Thị Lan", "Bớt Tin", "Xóa Hết")
    await becomes(world, "Bùi Thị Hoa", OutState.SENDING)
    for name in ("Bùi Thị Hoa", "Đỗ Thị Lan"):
        await world.people[name].says("/dungtin")
    await comes_back(world, "Bùi Thị Hoa")
    found = await states(world)
    assert found["Bùi Thị Hoa"] == found["Đỗ Thị Lan"] == OutState.CANCELLED
    assert found["Bớt Tin"] == found["Xóa Hết"] == OutState.READY


async def test_wanting_less_cancels_what_waits_of_that_kind_and_nothing_else(world: World) -> None:
    ha = await officer(world)
    hoa = await world.joined("Bùi Thị Hoa")
    for kind in ("Tuyên truyền", "Thông báo"):
        await ha.says("/guitin")
        await ha.taps(kind)
        for label in ("Tiếp",):
            await ha.taps(label)
        await ha.says("Mời anh/chị xem.")
        for label in ("Tiếp", "Tiếp", "Theo giờ từng người", "Xác nhận"):
            await ha.taps(label)
        await planner.run(work_of(world))
        world.later(days=1)
    await hoa.presses("c:bottin:")
    await hoa.taps("Tin tuyên truyền")
    async with world.database.read() as session:
        found = await session.execute(
            select(Broadcast.kind, OutboxRow.state)
            .join(Broadcast, Broadcast.id == OutboxRow.broadcast_id)
            .where(OutboxRow.person_id == await hoa.id())
        )
        assert dict(list(found)) == {"campaign": OutState.CANCELLED, "notice": OutState.READY}


async def test_after_a_restore_its_author_decides_what_may_have_gone_already(world: World) -> None:
    ha = await sending(world)
    await composes(await officer(world, "Lê Hải Yến", "CAOSON"), "Tin khác.", when="Hẹn giờ")
    yen = world.people["Lê Hải Yến"]
    await yen.says("17 giờ hôm nay")
    await yen.taps("Xác nhận")
    world.later(minutes=30)
    await snapshot.after_restore(world.database, world.now)
    for _ in range(3):
        await goes_out(world)
    assert await receivers(world) != set() and set((await states(world)).values()) == {OutState.HELD}
    for person in (ha, yen):
        assert person.keys.count("announcing.held_notice") == 1 and "khôi phục dữ liệu" in person.last.text, person.name
    await ha.taps("Gửi tiếp")
    await yen.taps("Dừng hẳn")
    await yen.taps("Dừng hẳn")
    await goes_out(world)
    assert set((await states(world)).values()) == {OutState.SENT}
    async with world.database.read() as session:
        found = (await session.execute(select(Broadcast.state).order_by(Broadcast.id))).scalars().all()
    assert found == [BroadcastState.DONE, BroadcastState.CANCELLED]


# ---------------------------------------------------------------------------------------------------- afterwards


async def test_the_report_says_how_many_have_stopped_the_bot_this_month(world: World) -> None:
    ha = await officer(world)
    people = {name: await world.joined(name) for name in ("Đọc", "Mới Chặn", "Chặn Lâu", "Quay Lại")}
    for name, days in (("Chặn Lâu", 40), ("Quay Lại", 0), ("Mới Chặn", 10)):
        world.later(days=-days)
        await people[name].sends(place="gone")
        world.later(days=days)
    await people["Quay Lại"].says("menu")
    await composes(ha, "Họp lúc 17 giờ.")
    await ha.taps("Xác nhận")
    await goes_out(world)
    assert "Đã gửi: 3/3 (100,0%)" in ha.last.text
    assert "Chặn trợ lý trong 30 ngày: 1/5 người (20,0%, nên dưới 2%)" in ha.last.text
    async with world.database.write() as session:
        row = await outbox.tell(session, await people["Đọc"].id(), {}, now=world.now)
        await outbox.claim(session, "test", world.now, "m", ask=outbox.Ask((Lane.NOTICE,), 9), busy=())
        await outbox.settle(
            session, [Settlement(row or 0, "m", OutState.FAILED, error="blocked", gone=True)], world.now
        )
        only = (await session.execute(select(Broadcast.id))).scalar_one()
        assert await broadcasts.blocking(session, only, world.now - timedelta(days=30)) == (2, 5)


async def test_the_report_counts_by_reason_and_offers_only_what_makes_sense(world: World) -> None:
    ha = await officer(world)
    for name, values in (("Đến", {}), ("Chặn", {}), ("Lỗi", {}), ("Không Rõ", {}), ("Tắt", {"news": False})):
        await world.joined(name, **values)
    await composes(ha, "Họp lúc 17 giờ.")
    await ha.taps("Xác nhận")
    await planner.run(work_of(world))
    await becomes(world, "Chặn", OutState.FAILED, "blocked")
    await becomes(world, "Lỗi", OutState.FAILED, "bad request")
    await becomes(world, "Không Rõ", OutState.UNKNOWN)
    await goes_out(world)
    text = ha.last.text
    assert ha.last.key == "announcing.report" and "Đã gửi: 2/5 (40,0%)" in text
    assert "Không gửi được: 2 (đã chặn 1, lỗi 1)" in text and "Không rõ đã tới chưa: 1" in text
    assert "Không tính – tắt tin: 1" in text
    assert "🔁 Gửi lại 1 không rõ" in ha.last.labels


async def test_sending_again_to_the_unknown_is_asked_once_audited_and_reaches_only_them(world: World) -> None:
    ha = await sending(world)
    for name in ("Lê Thu Hà", "Đỗ Thị Lan"):
        await becomes(world, name, OutState.SENT)
    await becomes(world, "Bùi Thị Hoa", OutState.UNKNOWN)
    await goes_out(world)
    await ha.taps("Gửi lại 1 không rõ")
    assert ha.last.key == "announcing.again_sure" and "1 người không rõ" in ha.last.text
    await ha.taps("Thôi")
    assert (await states(world))["Bùi Thị Hoa"] == OutState.UNKNOWN
    await ha.presses("c:guilaitin:TB-25-0001")
    press = next(choice for choice in ha.last.choices if choice.key == "yes").data(ha.last.message.screen)
    for _ in range(2):
        await ha.presses(press)
    assert "announcing.again_done" in ha.keys
    assert await states(world) == {
        "Bùi Thị Hoa": OutState.READY, "Lê Thu Hà": OutState.SENT, "Đỗ Thị Lan": OutState.SENT,
    }  # fmt: skip
    await goes_out(world)
    assert ha.last.key == "announcing.report" and "3/3" in ha.last.text
    async with world.database.read() as session:
        rows = (await session.execute(select(AuditRow.detail).where(AuditRow.action == "resend_unknown"))).scalars()
        assert list(rows) == [{"number": 1}]


async def test_sending_again_at_night_waits_for_the_morning(world: World) -> None:
    ha = await sending(world)
    for name in ("Lê Thu Hà", "Đỗ Thị Lan"):
        await becomes(world, name, OutState.SENT)
    await becomes(world, "Bùi Thị Hoa", OutState.UNKNOWN)
    await goes_out(world)
    world.later(hours=6)
    await ha.taps("Gửi lại 1 không rõ")
    await ha.taps("Gửi lại")
    await planner.run(work_of(world))
    async with world.database.read() as session:
        query = select(OutboxRow.not_before).where(OutboxRow.state == OutState.READY, OutboxRow.lane == int(Lane.BULK))
        moment = (await session.execute(query)).scalar_one()
    assert moment > world.now and moment.hour == 0  # 7:30 in Vietnam


async def test_a_correction_reaches_those_who_have_or_may_have_the_wrong_one_and_says_so_first(world: World) -> None:
    ha = await sending(world, "Đến", "Không Rõ", "Lỗi", "Chuyển Đi")
    await becomes(world, "Không Rõ", OutState.UNKNOWN)
    await becomes(world, "Lỗi", OutState.FAILED, "bad request")
    await goes_out(world)
    await world.joined("Người Sau")
    async with world.database.write() as session:
        far = await units.find_by_code(session, "DIENTU")
        assert far is not None
        (await session.get_one(Person, await world.people["Chuyển Đi"].id())).unit_id = far.id
    await ha.taps("Đính chính")
    assert ha.last.key == "announcing.correct_text" and "đúng 4 người" in ha.last.text
    await ha.says("Họp lúc 18 giờ, không phải 17 giờ.")
    assert ha.last.key == "announcing.preview" and "<b>ĐÍNH CHÍNH</b>\nHọp lúc 18 giờ" in ha.last.text
    for label in ("Tiếp", "Gửi ngay"):
        await ha.taps(label)
    assert "Người nhận: 4" in ha.last.text and "Đính chính" in ha.last.text
    await ha.taps("Xác nhận")
    await planner.run(work_of(world))
    async with world.database.read() as session:
        second = (await session.execute(select(Broadcast).where(Broadcast.kind == "correction"))).scalar_one()
        query = (
            select(Person.name, Body.payload)
            .join(OutboxRow, OutboxRow.person_id == Person.id)
            .join(Body, Body.id == OutboxRow.body_id)
            .where(OutboxRow.broadcast_id == second.id)
        )
        got = {name: payload for name, payload in await session.execute(query)}
    assert set(got) == {"Lê Thu Hà", "Đến", "Không Rõ", "Chuyển Đi"}
    payload = got["Đến"]
    assert payload["text"].startswith("<b>ĐÍNH CHÍNH</b>\n") and payload["choices"][0][2] == "bottin"


async def test_a_message_on_its_way_is_stopped_before_it_is_corrected(world: World) -> None:
    ha = await sending(world)
    await becomes(world, "Bùi Thị Hoa", OutState.SENT)
    await ha.presses("c:dinhchinh:TB-25-0001")
    assert ha.keys[-2:] == ["announcing.correct_first", "announcing.card"]
    await ha.taps("Dừng hẳn")
    await ha.taps("Dừng hẳn")
    assert "1 người đã nhận, 2 người sẽ không nhận" in ha.last.text
    await ha.taps("Xem tin")
    await ha.taps("Đính chính")
    assert ha.last.key == "announcing.correct_text" and "đúng 1 người" in ha.last.text


async def test_the_list_of_the_unreached_is_of_the_officers_reach_and_holds_no_formulas(world: World) -> None:
    tien = await officer(world, "Hoàng Minh Tiến", "TINH")
    dai = await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await world.joined("=1+1", news=False)
    await world.joined("Bàn Văn Minh", unit="DIENTU", news=False)
    await composes(tien, "Mời anh/chị họp.")
    await tien.taps("Xác nhận")
    await dai.taps("Duyệt gửi")
    await goes_out(world)
    folder = world.house.files

    async def rows(person: TestPerson) -> list[list[object]]:
        await person.presses("c:chuanhan:TB-25-0001")
        await jobs.run(work_of(world, folder))
        await world.deliver()
        assert person.last.key == "announcing.unreached_ready"
        data = (folder / person.last.message.media[0].file).read_bytes()
        return CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(1).to_python()[3:]

    found = {(row[1], row[2]) for row in await rows(tien)}
    assert found == {("Bàn Văn Minh", "Tắt tin"), ("=1+1", "Tắt tin")}
    async with world.database.write() as session:
        small = await units.find_by_code(session, "KCN")
        assert small is not None
        await session.execute(update(Grant).where(Grant.person_id == await tien.id()).values(unit_id=small.id))
    assert [row[1] for row in await rows(tien)] == ["Bàn Văn Minh"]


async def test_the_list_of_the_unreached_names_a_teams_company_and_follows_the_vietnamese_alphabet(
    world: World,
) -> None:
    ha = await officer(world)
    await world.joined("Người Tổ", unit="CHUYEN5", news=False)
    for name in ("Đỗ Thị Lan", "Vũ Thị Na", "Bùi Thị Hoa"):
        await world.joined(name, news=False)
    await composes(ha, "Mời anh/chị họp.")
    await ha.taps("Xác nhận")
    await goes_out(world)
    await ha.taps("Ai chưa nhận (Excel)")
    folder = world.house.files
    await jobs.run(work_of(world, folder))
    await world.deliver()
    data = (folder / ha.last.message.media[0].file).read_bytes()
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(1).to_python()
    assert [row[1] for row in sheet[3:]] == ["Bùi Thị Hoa", "Đỗ Thị Lan", "Vũ Thị Na", "Người Tổ"]
    assert sheet[-1][0] == "Tổ chuyền 5 – Công ty TNHH May Hòa Phát"


# ---------------------------------------------------------------------------------------------------- everything


@pytest.mark.sqlite
async def test_nobody_waits_while_the_rows_of_a_million_people_are_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a statement of seconds, and an answer's transaction runs its statements in everybody's own thread."""
    ha, dai = await sending(world), await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    author, leader = await ha.id(), await dai.id()
    ran: list[tuple[str, bool]] = []
    execute = Cursor.execute_there

    def watched(cursor: Cursor, sql: str, *more: Any) -> None:
        ran.append((sql, threading.current_thread() is threading.main_thread()))
        execute(cursor, sql, *more)

    monkeypatch.setattr(Cursor, "execute_there", watched)
    for verb in ("stop", "lift", "pause", "resume", "confirm", "respectful", "cancel"):
        ran.clear()
        async with world.database.write(brief=True) as session:
            broadcast = await session.get_one(Broadcast, 1)
            steered = session, broadcast, author, broadcast.version, world.now
            if verb == "stop":
                assert await broadcasts.stop_all(session, leader, world.now) == 3
                (held,) = await broadcasts.list_held(session, lambda moment: moment, world.now)
                assert held.left == 3
            elif verb == "lift":
                await broadcasts.start_again(session, leader, world.now)
            elif verb == "pause":
                assert await broadcasts.pause(*steered) == 3
            elif verb == "resume":
                assert await broadcasts.resume(*steered) == 3
            elif verb == "confirm":
                await freeze(session, Broadcast(id=1, audience=broadcast.audience | {"unit": -1}))
            elif verb == "respectful":
                await broadcasts.set_respectful(session, leader, True, world.now)
            else:
                assert await broadcasts.cancel(*steered) == 3
        many = [here for sql, here in ran if re.match("UPDATE outbox|INSERT INTO broadcast_targets|SELECT count", sql)]
        assert many and not any(many), verb
        assert any(here for _, here in ran), verb


async def test_the_stop_holds_what_comes_back_from_flight_and_nothing_new_is_planned(world: World) -> None:
    ha, dai = await sending(world), await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await becomes(world, "Bùi Thị Hoa", OutState.SENDING)
    await dai.says("dung khan")
    await dai.taps("Dừng ngay")
    assert ha.last.key == "announcing.stopped_notice"
    await comes_back(world, "Bùi Thị Hoa")
    assert set((await states(world)).values()) == {OutState.HELD}
    await world.joined("Người Sau")
    await composes(ha, "Tin thứ hai.")
    await ha.taps("Xác nhận")
    await goes_out(world)
    async with world.database.read() as session:
        found = (await session.execute(select(Broadcast.state).order_by(Broadcast.id))).scalars().all()
    assert found == [BroadcastState.SENDING, BroadcastState.SCHEDULED]
    await ha.presses(f"c:tamdung:TB-25-0001.{(await the_broadcast(world)).version}")
    await ha.taps("Gửi tiếp")
    assert ha.last.key == "announcing.stopped"
    await dai.says("/dungkhan")
    assert "1 tin đang gửi (1 người chưa nhận)" in dai.last.text  # not the one that its author has paused
    await dai.taps("Cho gửi lại")
    await dai.taps("Cho gửi lại")
    assert set((await states(world)).values()) == {OutState.HELD}  # what its author paused stays paused
    await ha.presses(f"c:guitiep:TB-25-0001.{(await the_broadcast(world)).version}")
    world.later(days=1)
    await goes_out(world)
    async with world.database.read() as session:
        found = (await session.execute(select(Broadcast.state))).scalars().all()
    assert set(found) == {BroadcastState.DONE}


async def test_who_confirms_while_everything_is_stopped_is_told_that_it_waits(world: World) -> None:
    dai, ha = await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER), await officer(world)
    await dai.says("/dungkhan")
    await dai.taps("Dừng ngay")
    await composes(ha, "Họp lúc 17 giờ.")
    await ha.taps("Xác nhận")
    assert ha.last.key == "announcing.sent" and "lệnh dừng khẩn cấp" in ha.last.text


async def test_the_stop_belongs_to_leaders_and_administrators_and_dungtin_is_ones_own(world: World) -> None:
    admin = await officer(world, "Quản Trị", "TINH", Role.SYSTEM_ADMIN)
    hoa, ha = await world.joined("Bùi Thị Hoa"), await officer(world)
    for person in (hoa, ha):
        for press in ("c:dungkhan:", "c:choguilai:", "c:trangnghiem:on"):
            await person.presses(press)
            assert person.last.key == "common.refused"
    await admin.says("/dungtin")
    assert admin.last.key == "announcing.no_more"
    await admin.says("/dungkhan")
    assert admin.last.key == "announcing.stop_sure"
    await admin.taps("Thôi")
    async with world.database.read() as session:
        audited = (await session.execute(select(AuditRow.action))).scalars().all()
    assert "emergency_stop" not in audited


async def test_respectful_mode_is_switched_on_and_off_after_the_stop(world: World) -> None:
    dai = await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await dai.says("/dungkhan")
    await dai.taps("Dừng ngay")
    await dai.taps("Chế độ trang nghiêm")
    assert dai.last.key == "announcing.solemn_on"
    await dai.says("/dungkhan")
    assert "Chế độ trang nghiêm đang bật" in dai.last.text
    assert [choice.arg for choice in dai.last.choices if choice.command == "trangnghiem"] == ["off"]
    yen = await officer(world, "Lò Thị Yến", "TINH", Role.LEADER)  # has no old button to press
    await yen.says("/dungkhan")
    await yen.taps("Tắt trang nghiêm")
    assert yen.last.key == "announcing.solemn_off"


async def test_who_switches_respectful_mode_on_or_off_hears_that_the_stop_still_stands(world: World) -> None:
    dai = await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await dai.says("/dungkhan")
    await dai.taps("Dừng ngay")
    await dai.taps("Chế độ trang nghiêm")
    assert "Lệnh dừng khẩn cấp vẫn còn" in dai.last.text
    await dai.taps("Tắt trang nghiêm")
    assert "Lệnh dừng khẩn cấp vẫn còn" in dai.last.text
    await dai.taps("Cho gửi lại")
    await dai.taps("Cho gửi lại")
    assert dai.last.key == "announcing.started_again" and "0 người" not in dai.last.text


async def test_respectful_mode_is_switched_without_stopping_anything(world: World) -> None:
    dai = await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    for typed, key in (("trang nghiem", "announcing.solemn_on"), ("tat", "announcing.solemn_off")):
        await dai.says("/dungkhan")
        await dai.says(typed)
        assert dai.last.key == key and "dừng khẩn cấp" not in dai.last.text
    async with world.database.read() as session:
        assert not await broadcasts.stopped(session)


async def test_a_card_says_whether_a_message_is_about_to_go_or_held_by_the_stop(world: World) -> None:
    ha, dai = await officer(world), await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Mời anh/chị họp.")
    await ha.taps("Xác nhận")
    await ha.presses("c:xemtin:TB-25-0001")
    assert "đang chuẩn bị gửi" in ha.last.text
    await dai.says("/dungkhan")
    await dai.taps("Dừng ngay")
    await ha.presses("c:xemtin:TB-25-0001")
    assert "chờ lệnh gửi lại" in ha.last.text
    await ha.presses("c:tincua:")
    assert "chờ lệnh gửi lại" in ha.last.text


@pytest.mark.parametrize(
    ("kind", "sent", "at_once"), [("notice", 12, False), ("urgent", 12, True), ("notice", 13, True)]
)
async def test_the_report_of_a_message_wakes_nobody_unless_it_was_urgent_or_sent_just_now(
    world: World, kind: str, sent: int, at_once: bool
) -> None:
    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    world.now = START.replace(hour=sent, minute=30)
    await composes(ha, "Họp lúc 17 giờ.")
    await ha.taps("Xác nhận")
    await planner.run(work_of(world))
    async with world.database.write() as session:
        await session.execute(update(Broadcast).values(kind=kind))
        went = {"state": OutState.SENT, "finished_at": world.now}
        await session.execute(update(OutboxRow).where(OutboxRow.broadcast_id.is_not(None)).values(went))
    world.now = START.replace(hour=14, minute=10)  # she is in bed
    for _ in range(2):
        await goes_out(world)
    assert ("announcing.report" in ha.keys) is at_once
    world.now = START.replace(hour=23, minute=30)  # half past six
    await goes_out(world)
    assert ha.keys.count("announcing.report") == 1


@pytest.mark.parametrize("urgent", [False, True])
async def test_that_a_message_is_held_wakes_nobody_unless_it_is_urgent(world: World, urgent: bool) -> None:
    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Họp lúc 17 giờ.")
    await ha.taps("Xác nhận")
    if urgent:
        async with world.database.write() as session:
            await session.execute(update(Broadcast).values(kind="urgent"))
    world.now = START.replace(hour=14, minute=10)
    await snapshot.after_restore(world.database, world.now)
    for _ in range(2):
        await goes_out(world)
    assert ("announcing.held_notice" in ha.keys) is urgent
    world.now = START.replace(hour=23, minute=30)
    await goes_out(world)
    assert ha.keys.count("announcing.held_notice") == 1
