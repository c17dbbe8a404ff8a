"""When an announcement goes, who looks at it a second time, and the confirmation that prevents slips."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from content.calendar import LOCAL
from db import broadcasts, outbox
from db.audiences import Rule
from db.models import (
    Account,
    Attachment,
    AuditRow,
    Broadcast,
    BroadcastState,
    FileState,
    Grant,
    Lane,
    OutboxRow,
    Person,
    Role,
    Shift,
)
from handlers.announcing import timing
from handlers.dialogue import File
from scheduler import broadcasts as planner
from tests.handlers.test_announcing import composes, goes_out, officer, receivers
from tests.people import TestPerson, World, work_of


async def at_when(world: World, **officers: str) -> TestPerson:
    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    await ha.says("/guitin")
    await ha.taps("Thông báo")
    await ha.taps("Tiếp")
    await ha.says("Mời anh/chị họp.")
    await ha.says("tiếp")
    await ha.taps("Tiếp")
    assert ha.last.key == "announcing.when"
    return ha


async def only(world: World) -> Broadcast:
    async with world.database.read() as session:
        return (await session.execute(select(Broadcast))).scalar_one()


async def hours(world: World) -> dict[str, str]:
    """When each person's message may go, in local time."""
    async with world.database.read() as session:
        found = await session.execute(
            select(Person.name, OutboxRow.not_before)
            .join(OutboxRow, OutboxRow.person_id == Person.id)
            .where(OutboxRow.broadcast_id.is_not(None))
        )
        return {name: at.astimezone(LOCAL).strftime("%d/%m %H:%M") for name, at in found}


@pytest.mark.parametrize(
    ("typed", "at"),
    [("19 giờ 30 hôm nay", "25/07 19:30"), ("8h sáng mai", "26/07 08:00"), ("30/7 7:00", "30/07 07:00"),
     ("19 gio 30 hom nay", "25/07 19:30")],
)  # fmt: skip
async def test_an_hour_is_read_as_people_type_it(world: World, typed: str, at: str) -> None:
    ha = await at_when(world)
    await ha.taps("Hẹn giờ")
    await ha.says(typed)
    assert ha.last.key == "announcing.confirm"
    await ha.taps("Xác nhận")
    broadcast = await only(world)
    assert broadcast.send_at.astimezone(LOCAL).strftime("%d/%m %H:%M") == at
    world.later(days=6)
    await goes_out(world)
    assert await receivers(world) == {"Lê Thu Hà", "Bùi Thị Hoa"}


async def test_before_its_hour_nothing_is_planned(world: World) -> None:
    ha = await at_when(world)
    await ha.taps("Hẹn giờ")
    await ha.says("8h sáng mai")
    await ha.taps("Xác nhận")
    world.later(hours=15)
    await goes_out(world)
    assert await receivers(world) == set() and (await only(world)).state == BroadcastState.SCHEDULED


@pytest.mark.parametrize(
    ("typed", "said", "offered", "keep"),
    [
        ("22h tối nay", "nhiều người đang nghỉ", "7 giờ 30 ngày 26/7", True),
        ("8h sáng nay", "Giờ này đã qua", "17 giờ ngày 25/7", False),
        ("27/7 9:00", "nhiều người nghỉ, chỉ gửi tin khẩn", "7 giờ 30 ngày 28/7", False),
    ],
)
async def test_an_hour_of_rest_or_of_the_past_is_answered_with_a_better_one(
    world: World, typed: str, said: str, offered: str, keep: bool
) -> None:
    ha = await at_when(world)
    await ha.taps("Hẹn giờ")
    await ha.says(typed)
    assert ha.last.key == "announcing.quiet" and said in ha.last.text and offered in ha.last.text
    assert ("keep" in [choice.key for choice in ha.last.choices]) == keep
    await ha.taps("Đồng ý")
    assert ha.last.key == "announcing.confirm" and offered.split()[0] in ha.last.text
    assert "Không cần duyệt thêm" in ha.last.text


async def test_the_way_back_leads_past_the_question_about_an_hour_of_rest(world: World) -> None:
    ha = await at_when(world)
    await ha.taps("Hẹn giờ")
    for typed in ("22h tối nay", "23h tối nay"):
        await ha.says(typed)
        assert ha.last.key == "announcing.quiet"
        await ha.taps("Giờ khác")
        assert ha.last.key == "announcing.later"
    await ha.says("17 giờ 04 hôm nay")
    keys = [(await ha.says("lui")).key for _ in range(3)]
    assert keys == ["announcing.later", "announcing.when", "announcing.preview"]


async def test_the_hour_chosen_before_is_shown_and_kept_with_one_tap(world: World) -> None:
    ha = await at_when(world)
    await ha.taps("Hẹn giờ")
    assert [choice.key for choice in ha.last.choices] == ["window", "now", "_back"]
    await ha.says("23h")
    await ha.taps("Đồng ý")
    await ha.says("lui")
    assert ha.last.key == "announcing.later" and "Đang chọn: 7 giờ 30 ngày 26/7/2025" in ha.last.text
    await ha.taps("Giữ")
    assert ha.last.key == "announcing.confirm" and "7 giờ 30 ngày 26/7/2025" in ha.last.text
    await ha.says("lui")
    await ha.taps("Theo giờ từng người")
    assert ha.last.key == "announcing.confirm" and "theo giờ từng người" in ha.last.text.lower()


async def test_the_hour_may_be_typed_where_one_is_asked_when_and_another_where_it_was_no_good(world: World) -> None:
    ha = await at_when(world)
    await ha.says("22h tối nay")
    assert ha.last.key == "announcing.quiet"
    await ha.says("chắc là mai")
    assert ha.last.key == "announcing.later_unclear" and "Đồng ý" in str(ha.last.choices)
    await ha.says("8h sáng mai")
    assert ha.last.key == "announcing.confirm" and "8 giờ ngày 26/7" in ha.last.text


async def test_an_hour_insisted_on_is_not_asked_about_again(world: World) -> None:
    ha = await at_when(world)
    await ha.taps("Hẹn giờ")
    await ha.says("23h")
    await ha.taps("Vẫn gửi giờ đó")
    await ha.says("lui")
    await ha.taps("Giữ")
    assert ha.last.key == "announcing.confirm" and "Cần người thứ hai" in ha.last.text


async def test_now_that_became_night_before_it_was_confirmed_is_asked_about(world: World) -> None:
    ha = await at_when(world)
    await ha.taps("Gửi ngay")
    world.later(hours=5)
    await ha.taps("Xác nhận")
    assert ha.last.key == "announcing.quiet" and "nhiều người đang nghỉ" in ha.last.text
    await ha.taps("Vẫn gửi giờ đó")
    assert "Cần người thứ hai" in ha.last.text


async def test_correcting_one_part_before_it_goes_leads_straight_back_to_the_confirmation(world: World) -> None:
    ha = await at_when(world)
    await ha.taps("Gửi ngay")
    await ha.taps("Sửa")
    assert [choice.key for choice in ha.last.choices] == ["text", "audience", "when", "_back"]
    await ha.taps("Thôi")
    assert ha.last.key == "announcing.confirm"
    await ha.taps("Sửa")
    await ha.taps("Nội dung")
    await ha.says("Mời anh/chị họp lúc 18 giờ.")
    for label in ("Tiếp", "Tiếp"):
        await ha.taps(label)
    assert ha.last.key == "announcing.confirm"
    await ha.taps("Sửa")
    await ha.taps("Người nhận")
    await ha.taps("Cả nhánh / cấp này")
    await ha.taps("Tiếp")
    assert ha.last.key == "announcing.confirm" and "Người nhận: 1 " in ha.last.text
    await ha.taps("Sửa")
    await ha.taps("Giờ gửi")
    await ha.taps("Theo giờ từng người")
    assert ha.last.key == "announcing.confirm" and "theo giờ từng người" in ha.last.text.lower()
    await ha.taps("Xác nhận")
    assert (await only(world)).text == "Mời anh/chị họp lúc 18 giờ."


async def test_an_hour_nobody_understands_is_asked_again(world: World) -> None:
    ha = await at_when(world)
    await ha.taps("Hẹn giờ")
    await ha.says("lúc nào tiện")
    assert ha.last.key == "announcing.later_unclear"


async def test_a_year_that_was_mistyped_is_asked_again(world: World) -> None:
    ha = await at_when(world)
    await ha.taps("Hẹn giờ")
    year = ha.world.now.year
    for wrong in (year + 2, year + 27):
        await ha.says(f"8h 22/7/{wrong}")
        assert ha.last.key == "announcing.later_far" and f"8 giờ ngày 22/7/{wrong}" in ha.last.text
    await ha.says("8h 6/1")
    assert ha.last.key == "announcing.confirm"


async def test_now_at_night_is_offered_the_morning_and_kept_only_with_a_second_person(world: World) -> None:
    ha, son = await at_when(world), await officer(world, "Trần Hồng Sơn", "TINH")
    world.later(hours=5)
    await ha.taps("Gửi ngay")
    assert ha.last.key == "announcing.quiet"
    await ha.taps("Vẫn gửi giờ đó")
    assert "Cần người thứ hai duyệt" in ha.last.text
    await ha.taps("Xác nhận")
    await son.taps("Duyệt gửi")
    await goes_out(world)
    assert await hours(world) == {"Lê Thu Hà": "25/07 21:55", "Bùi Thị Hoa": "25/07 21:55"}


@pytest.mark.parametrize(("hour", "woken"), [("23 giờ", True), ("3 giờ 26/7", True), ("9 giờ 26/7", False)])
async def test_the_second_person_is_woken_only_for_what_leaves_before_they_wake(
    world: World, monkeypatch: pytest.MonkeyPatch, hour: str, woken: bool
) -> None:
    monkeypatch.setattr("handlers.announcing.timing.SECOND_FROM", 0)
    ha, son = await at_when(world), await officer(world, "Trần Hồng Sơn", "TINH")
    world.later(hours=5)
    await ha.taps("Hẹn giờ")
    await ha.says(hour)
    if ha.last.key == "announcing.quiet":
        await ha.taps("Vẫn gửi giờ đó")
    await ha.taps("Xác nhận")
    assert ("announcing.approve_notice" in son.keys) is woken
    world.later(hours=9)
    await world.deliver()
    assert "announcing.approve_notice" in son.keys


async def test_each_persons_own_hours_are_the_first_choice(world: World) -> None:
    ha = await at_when(world)
    await world.joined("Ca Đêm", shift=Shift.NIGHT)
    await world.joined("Ca Chiều", shift=Shift.AFTERNOON)
    await world.joined("Giờ Riêng", quiet="16:00-19:15")
    assert ha.last.choices[0].key == "window"
    await ha.says("1")
    await ha.taps("Xác nhận")
    await planner.run(work_of(world))
    assert await hours(world) == {
        "Lê Thu Hà": "25/07 17:00", "Bùi Thị Hoa": "25/07 17:00", "Ca Đêm": "25/07 16:55", "Ca Chiều": "26/07 09:00",
        "Giờ Riêng": "25/07 19:15",
    }  # fmt: skip


async def test_one_hour_for_all_waits_for_who_wants_nothing_then(world: World) -> None:
    ha = await at_when(world)
    await world.joined("Giờ Riêng", quiet="16:00-18:00")
    await ha.taps("Gửi ngay")
    await ha.taps("Xác nhận")
    await planner.run(work_of(world))
    assert (await hours(world))["Giờ Riêng"] == "25/07 18:00"
    assert (await hours(world))["Bùi Thị Hoa"] == "25/07 16:55"


async def test_approval_that_comes_at_night_wakes_nobody(world: World) -> None:
    tien, dai = (
        await officer(world, "Hoàng Minh Tiến", "TINH"),
        await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER),
    )
    await composes(tien, "Mời anh/chị họp.")
    await tien.taps("Xác nhận")
    world.later(hours=6)
    await dai.taps("Duyệt gửi")
    await planner.run(work_of(world))
    assert set((await hours(world)).values()) == {"26/07 07:30"}


async def test_what_is_late_because_we_were_down_waits_for_the_next_good_hour(world: World) -> None:
    ha = await at_when(world)
    await ha.says("1")
    await ha.taps("Xác nhận")
    await planner.run(work_of(world))
    world.later(hours=6)  # the process was down over the evening
    async with world.database.write() as session:
        ask = outbox.Ask((Lane.BULK,), 9)
        assert await outbox.claim(session, "test", world.now, "m", ask=ask, busy=()) == []
    await planner.run(work_of(world))
    assert set((await hours(world)).values()) == {"26/07 11:30"}
    assert (await only(world)).state == BroadcastState.SENDING


async def test_late_messages_do_not_find_those_who_meanwhile_want_none_and_nobody_waits_for_them(world: World) -> None:
    ha = await at_when(world)
    await ha.says("1")
    await ha.taps("Xác nhận")
    await planner.run(work_of(world))
    world.later(hours=6)
    async with world.database.write() as session:
        await session.execute(
            update(OutboxRow).where(OutboxRow.broadcast_id.is_not(None)).values(state="expired", finished_at=world.now)
        )
    await world.people["Bùi Thị Hoa"].says("/dungtin")
    await planner.run(work_of(world))
    async with world.database.read() as session:
        states = await session.execute(
            select(Person.name, OutboxRow.state)
            .join(OutboxRow, OutboxRow.person_id == Person.id)
            .where(OutboxRow.broadcast_id.is_not(None))
        )
        assert dict(list(states)) == {"Lê Thu Hà": "ready", "Bùi Thị Hoa": "cancelled"}
    async with world.database.write() as session:
        theirs = update(OutboxRow).where(OutboxRow.broadcast_id.is_not(None), OutboxRow.state == "ready")
        await session.execute(theirs.values(state="sent", finished_at=world.now))
    await planner.run(work_of(world))
    assert (await only(world)).state == BroadcastState.DONE


# ---------------------------------------------------------------------------------------------------- confirming


async def test_two_hundred_need_a_button_and_one_more_the_number(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert timing.TYPED_FROM == 200 and timing.SECOND_FROM == 500
    ha = await at_when(world)
    monkeypatch.setattr(timing, "TYPED_FROM", 2)
    await ha.taps("Gửi ngay")
    assert "send" in [choice.key for choice in ha.last.choices]
    await ha.taps("Sửa")
    monkeypatch.setattr(timing, "TYPED_FROM", 1)
    for label in ("Người nhận", "Tiếp"):
        await ha.taps(label)
    assert ha.last.key == "announcing.confirm" and "Gõ 2 để xác nhận" in ha.last.text
    screen = ha.last.message.screen
    await ha.presses(f"s:{screen}:send")
    await ha.says("3")
    assert ha.last.key == "announcing.confirm_number"
    await ha.says("2")
    assert ha.last.key == "announcing.sent"


async def test_where_a_button_confirms_a_yes_does_and_nobody_is_asked_for_a_number(world: World) -> None:
    ha = await at_when(world)
    await ha.taps("Gửi ngay")
    for typed in ("8h tối mai", "3"):
        assert (await ha.says(typed)).key == "announcing.confirm_press"
    assert (await ha.says("dong y")).key == "announcing.sent"


async def test_more_people_than_were_confirmed_are_confirmed_again(world: World) -> None:
    ha = await at_when(world)
    await ha.taps("Gửi ngay")
    await world.joined("Người Sau")
    await ha.taps("Xác nhận")
    assert "announcing.count_changed" in ha.keys and "Người nhận: 3" in ha.last.text
    await ha.taps("Xác nhận")
    assert ha.last.key == "announcing.sent" and (await only(world)).audience["count"] == 3


async def test_a_second_press_of_confirm_makes_no_second_broadcast(world: World) -> None:
    ha = await at_when(world)
    await ha.taps("Gửi ngay")
    press = next(choice for choice in ha.last.choices if choice.key == "send").data(ha.last.message.screen)
    for _ in range(3):
        await ha.presses(press)
    await ha.says("2")
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Broadcast))).scalar_one() == 1
        audited = select(func.count()).select_from(AuditRow).where(AuditRow.action == "broadcast")
        assert (await session.execute(audited)).scalar_one() == 1


async def test_a_draft_that_lay_past_its_hour_is_asked_for_another(world: World) -> None:
    ha = await at_when(world)
    await ha.taps("Hẹn giờ")
    await ha.says("19 giờ 30 hôm nay")
    await ha.says("menu")
    world.later(hours=16)
    await ha.says("/guitin")
    assert ha.last.key == "announcing.quiet" and "Giờ này đã qua" in ha.last.text


@pytest.mark.parametrize("least", [1, 2])
async def test_above_five_hundred_a_second_person_is_needed(
    world: World, monkeypatch: pytest.MonkeyPatch, least: int
) -> None:
    ha = await at_when(world)
    monkeypatch.setattr(timing, "SECOND_FROM", least)
    await ha.taps("Gửi ngay")
    assert ("Cần người thứ hai" in ha.last.text) == (least < 2)


async def test_a_content_officer_always_needs_a_second_person(world: World) -> None:
    mai = await officer(world, "Vũ Ngọc Mai", "TINH", Role.CONTENT_OFFICER)
    await world.joined("Bùi Thị Hoa")
    await mai.says("/guitin")
    await mai.taps("Thông báo")
    await mai.taps("Đơn vị")
    await mai.says("may hoa phat")
    for label in ("Xong", "Tiếp"):
        await mai.taps(label)
    await mai.says("Mời anh/chị xem.")
    for label in ("Tiếp", "Tiếp", "Gửi ngay"):
        await mai.taps(label)
    assert "Người nhận: 1 " in mai.last.text and "Cần người thứ hai" in mai.last.text
    await mai.taps("Xác nhận")
    assert mai.last.key == "announcing.nobody_approves"


async def test_the_same_draft_open_at_two_doors_is_one_broadcast(world: World) -> None:
    ha = await at_when(world)
    await ha.taps("Gửi ngay")
    twin = TestPerson(world, "twin", "web")
    world.people["twin"] = twin
    async with world.database.write() as session:
        session.add(
            Account(
                channel="web", address=twin.address, person_id=await ha.id(), created_at=world.now, seen_at=world.now
            )
        )
    await twin.says("/guitin")
    assert twin.last.key == "announcing.confirm"
    await ha.taps("Xác nhận")
    await twin.taps("Xác nhận")
    assert twin.last.key == "common.draft_elsewhere"
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Broadcast))).scalar_one() == 1


async def test_a_right_that_is_gone_at_confirmation_sends_nothing(world: World) -> None:
    ha = await at_when(world)
    await ha.taps("Gửi ngay")
    async with world.database.write() as session:
        await session.execute(update(Grant).values(revoked_at=world.now))
    await ha.taps("Xác nhận")
    assert ha.last.key == "common.refused"
    async with world.database.read() as session:
        assert (await session.execute(select(Broadcast.id))).first() is None


async def test_a_team_leader_may_send_once_a_day_and_again_the_next_also_by_an_old_draft(world: World) -> None:
    an = await officer(world, "Quách Văn An", "CHUYEN5", Role.TEAM_LEADER)
    await composes(an, "Mai đi sớm nhé.")
    assert an.last.key == "announcing.confirm"
    async with world.database.write() as session:  # another device was faster
        grant = (await session.execute(select(Grant))).scalar_one()
        await broadcasts.create(
            session, author_id=await an.id(), kind="notice", topic="notice", unit_id=grant.unit_id,
            audience=Rule(grant.unit_id), number=2, text="x", media=[], timing="now", send_at=world.now, second=False,
            year=2025, now=world.now,
        )  # fmt: skip
    await an.taps("Xác nhận")
    assert an.last.key == "announcing.team_once"
    world.later(hours=16)
    await an.says("/guitin")
    assert an.last.key == "announcing.confirm"
    await an.taps("Xác nhận")
    assert an.last.key == "announcing.sent"


async def test_files_still_being_cleaned_hold_the_confirmation(world: World) -> None:
    ha = await at_when(world)
    await ha.says("lui")
    await ha.says("lui")
    assert ha.last.key == "announcing.body"
    await ha.sends(File("photo", "r", "u", "", 10))
    async with world.database.write() as session:
        await session.execute(update(Attachment).values(state=FileState.CLEAN, file="f.jpg"))
    for label in ("Tiếp", "Tiếp", "Gửi ngay"):
        await ha.taps(label)
    async with world.database.write() as session:
        await session.execute(update(Attachment).values(state=FileState.WAITING))
    await ha.taps("Xác nhận")
    assert ha.last.key == "announcing.files_wait"


async def test_tet_and_sundays_hold_back_what_is_not_urgent(world: World) -> None:
    ha = await at_when(world)
    world.now = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)  # the first day of Bính Ngọ
    await ha.taps("Gửi ngay")
    assert ha.last.key == "announcing.quiet" and "7 giờ 30 ngày 20/02" in ha.last.text
    world.now += timedelta(days=5)  # a Sunday
    await ha.taps("Giờ khác")
    await ha.says("10h hôm nay")
    assert ha.last.key == "announcing.quiet" and "7 giờ 30 ngày 23/02" in ha.last.text
