"""The second person: sees everything, decides once, is told what happened meanwhile, never decides about their own."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from db import broadcasts, roles, snapshot, units
from db.audiences import Rule
from db.broadcasts import planning
from db.models import Attachment, AuditRow, Broadcast, BroadcastState, FileState, Grant, OutboxRow, OutState, Role
from handlers.announcing import timing
from scheduler import broadcasts as planner
from tests.handlers.test_announcing import composes, goes_out, officer, receivers
from tests.handlers.test_announcing_writing import photos
from tests.people import TestPerson, World, work_of


async def waiting(world: World) -> tuple[TestPerson, TestPerson, TestPerson]:
    """An author whose province-wide message waits, and two who may be the second person."""
    tien = await officer(world, "Hoàng Minh Tiến", "TINH")
    dai, yen = await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER), await officer(world, "Lê Hải Yến", "TINH")
    await composes(tien, "Mời anh/chị xem thông báo mới.")
    assert "Cần người thứ hai" in tien.last.text
    await tien.taps("Xác nhận")
    return tien, dai, yen


async def only(world: World) -> Broadcast:
    async with world.database.read() as session:
        return (await session.execute(select(Broadcast))).scalar_one()


async def test_everybody_who_may_approve_is_asked_and_the_author_is_not(world: World) -> None:
    tien, dai, yen = await waiting(world)
    son = await officer(world, "Trần Hồng Sơn", "KCN")
    assert "announcing.approve_notice" in dai.keys and "announcing.approve_notice" in yen.keys
    assert "announcing.approve_notice" not in tien.keys and "announcing.approve_notice" not in son.keys
    for text in ("Thông báo", "3 người", "gửi ngay", "Người soạn: Hoàng Minh Tiến", "Mời anh/chị xem thông báo mới."):
        assert text in dai.last.text


async def test_what_waits_says_for_how_many_however_it_was_made(world: World) -> None:
    tien, dai = (
        await officer(world, "Hoàng Minh Tiến", "TINH"),
        await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER),
    )
    async with world.database.write() as session:
        top = await units.top(session)
        assert top is not None
        await broadcasts.create(
            session, author_id=await tien.id(), kind="notice", topic="notice", unit_id=top.id, audience=Rule(top.id), number=7,
            text="Mời họp.", media=[], timing="now", send_at=world.now, second=True, year=2025, now=world.now,
        )  # fmt: skip
    await dai.presses("c:tincho:")
    assert dai.last.key == "announcing.approve_notice" and "7 người" in dai.last.text
    await dai.says("menu")
    await dai.presses("c:tincho:")
    await dai.says("1")
    assert dai.last.key == "announcing.approved", "a number means the newest buttons, not an older menu's"
    await dai.says("menu")
    await dai.says("1")
    assert dai.last.key == "menu.officer"


async def test_the_second_person_sees_the_pictures_above_the_request(world: World) -> None:
    tien, dai = (
        await officer(world, "Hoàng Minh Tiến", "TINH"),
        await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER),
    )
    await tien.says("/guitin")
    await tien.taps("Thông báo")
    await tien.taps("Tiếp")
    await tien.says("Ảnh ngày hội.")
    await photos(tien, 2)
    async with world.database.write() as session:
        await session.execute(update(Attachment).values(state=FileState.CLEAN, file="x.jpg"))
    for label in ("Tiếp", "Tiếp", "Gửi ngay", "Xác nhận"):
        await tien.taps(label)
    assert dai.keys[-2:] == ["announcing.approve_files", "announcing.approve_notice"]
    assert len(dai.heard[-2].message.media) == 2 and "Kèm 2 ảnh (ngay trên)" in dai.last.text
    assert not dai.heard[-2].choices and "Ảnh ngày hội" not in dai.heard[-2].text


async def test_the_second_person_sees_for_whom_it_is_and_the_words_as_a_reader_gets_them(world: World) -> None:
    tien, dai = (
        await officer(world, "Hoàng Minh Tiến", "TINH"),
        await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER),
    )
    await world.joined("Bùi Thị Hoa")
    await tien.says("/guitin")
    for label in ("Thông báo", "Nhóm", "NLĐ DN", "Xong", "Tiếp"):
        await tien.taps(label)
    await tien.says("Chào {ten} ở {don_vi}.")
    for label in ("Tiếp", "Tiếp", "Gửi ngay"):
        await tien.taps(label)
    whom = "Gửi cho: Liên đoàn Lao động tỉnh Thử Nghiệm (cả nhánh); nhóm NLĐ DN"
    assert whom in tien.last.text and "Giờ gửi: ngay" in tien.last.text
    await tien.taps("Xác nhận")
    assert whom in dai.last.text and "thay theo từng người nhận" in dai.last.text
    assert "Chào Đinh Quang Đại ở Liên đoàn Lao động tỉnh Thử Nghiệm." in dai.last.text


async def test_every_answer_about_approval_has_a_way_on(world: World) -> None:
    tien, dai, yen = await waiting(world)
    assert "menu" in [choice.command for choice in tien.last.choices]
    await yen.taps("Trả lại kèm ý kiến")
    await yen.taps("Thôi")
    assert yen.last.key == "common.cancelled" and (await only(world)).state == BroadcastState.WAITING
    await dai.taps("Không gửi")
    assert dai.last.key == "announcing.refused" and "canbo" in [choice.command for choice in dai.last.choices]


async def test_a_message_begun_is_offered_no_more_once_the_right_to_send_is_gone(world: World) -> None:
    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Mời anh/chị họp.")
    await ha.says("menu")
    assert "bản nháp" in next(heard.text for heard in reversed(ha.heard) if heard.key == "menu.home").lower()
    await ha.says("/guitin")
    async with world.database.write() as session:
        await session.execute(update(Grant).where(Grant.person_id == await ha.id()).values(revoked_at=world.now))
    await ha.says("lui")
    assert ha.last.key == "common.refused"
    await ha.says("menu")
    assert ha.last.key == "menu.home" and "bản nháp" not in ha.last.text.lower()
    await ha.presses("c:tieptuc:announcing")
    assert ha.last.key == "menu.home"


async def test_who_approves_during_the_stop_hears_that_it_waits_and_so_does_the_author(world: World) -> None:
    tien, dai, _ = await waiting(world)
    lanh = await officer(world, "Vũ Lãnh", "TINH", Role.LEADER)
    await lanh.says("/dungkhan")
    await lanh.taps("Dừng ngay")
    await dai.taps("Duyệt gửi")
    for person, key in ((dai, "announcing.approved"), (tien, "announcing.approved_notice")):
        assert person.last.key == key and "lệnh dừng khẩn cấp" in person.last.text


async def test_two_who_press_at_once_make_one_decision_and_the_later_hears_whose_it_was(world: World) -> None:
    tien, dai, yen = await waiting(world)
    await dai.taps("Duyệt gửi")
    await yen.taps("Không gửi")
    assert yen.last.key == "announcing.card" and "Việc này đã có người làm trước" in yen.last.text
    assert "Đinh Quang Đại duyệt gửi lúc 16 giờ 55 ngày 25/7" in yen.last.text and "đang chuẩn bị gửi" in yen.last.text
    assert (await only(world)).state == BroadcastState.SCHEDULED
    assert tien.keys.count("announcing.approved_notice") == 1 and "announcing.refused_notice" not in tien.keys
    async with world.database.read() as session:
        actions = (await session.execute(select(AuditRow.action).where(AuditRow.object.like("broadcast %")))).scalars()
        assert sorted(actions) == ["approve_broadcast", "broadcast"]


async def test_a_remark_typed_too_late_is_shown_back(world: World) -> None:
    _, dai, yen = await waiting(world)
    await yen.taps("Trả lại kèm ý kiến")
    await dai.taps("Duyệt gửi")
    await yen.says("Thêm địa điểm giúp tôi")
    assert yen.last.key == "announcing.card" and 'Lời đồng chí vừa soạn: "Thêm địa điểm giúp tôi"' in yen.last.text


async def test_nobody_approves_returns_or_refuses_their_own(world: World) -> None:
    tien, _, _ = await waiting(world)
    for command in ("duyettin", "khonggui", "tratin"):
        await tien.presses(f"c:{command}:TB-25-0001.1")
        assert tien.last.key == "announcing.own", command
    assert (await only(world)).state == BroadcastState.WAITING


async def test_who_may_not_approve_gets_nowhere(world: World) -> None:
    await waiting(world)
    hoa = await world.joined("Bùi Thị Hoa")
    mai = await officer(world, "Vũ Ngọc Mai", "TINH", Role.CONTENT_OFFICER)
    ha = await officer(world)
    for person in (hoa, mai, ha):
        for command in ("duyettin", "tratin", "khonggui"):
            await person.presses(f"c:{command}:TB-25-0001.1")
            assert person.last.key == "announcing.not_found", (person.name, command)
    assert (await only(world)).state == BroadcastState.WAITING


async def test_a_refused_message_is_told_to_its_author_and_never_goes(world: World) -> None:
    tien, dai, _ = await waiting(world)
    await dai.taps("Không gửi")
    assert tien.last.key == "announcing.refused_notice" and "Đinh Quang Đại" in tien.last.text
    world.later(days=3)
    await goes_out(world)
    assert await receivers(world) == set()


async def test_a_returned_message_comes_back_with_kind_audience_and_files_and_is_sent_anew(world: World) -> None:
    tien, dai = (
        await officer(world, "Hoàng Minh Tiến", "TINH"),
        await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER),
    )
    await tien.says("/guitin")
    await tien.taps("Tuyên truyền")
    await tien.taps("Nhóm")
    await tien.taps("NLĐ DN")
    await tien.taps("Xong")
    await tien.taps("Tiếp")
    await tien.says("Hội thao ngày 28/7.")
    await photos(tien, 1)
    async with world.database.write() as session:
        await session.execute(update(Attachment).values(state=FileState.CLEAN, file="x.jpg"))
    for label in ("Tiếp", "Tiếp", "Gửi ngay", "Xác nhận"):
        await tien.taps(label)
    await dai.taps("Trả lại kèm ý kiến")
    await dai.says("Thêm giờ")
    assert tien.last.key == "announcing.returned_notice"
    await tien.taps("Soạn lại")
    assert "Hội thao" in tien.last.text and "(kèm 1 ảnh)" in tien.last.text
    await tien.taps("Sửa nội dung")
    await tien.says("Hội thao 7 giờ ngày 28/7.")
    for label in ("Tiếp", "Tiếp", "Gửi ngay", "Xác nhận"):
        await tien.taps(label)
    async with world.database.read() as session:
        old, new = (await session.execute(select(Broadcast).order_by(Broadcast.id))).scalars().all()
    assert (old.state, new.state) == (BroadcastState.RETURNED, BroadcastState.WAITING)
    assert new.kind == "campaign" and new.audience["groups"] == ["enterprise"] and new.media == old.media
    await tien.presses(f"c:soanlai:{old.code}")  # the button of the notice works as long as nothing else is composed
    assert tien.last.key == "announcing.preview"


async def corrects(author: TestPerson) -> None:
    await author.presses("c:dinhchinh:TB-25-0001")
    await author.says("Đính chính: họp lúc 18 giờ.")
    for label in ("Tiếp", "Gửi ngay"):
        await author.taps(label)
    assert author.last.key == "announcing.confirm"


async def test_a_correction_needs_a_second_person_where_what_it_corrects_did(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ha, dai = await officer(world), await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    monkeypatch.setattr(timing, "SECOND_FROM", 0)
    await composes(ha, "Mời anh/chị họp.")
    await ha.taps("Xác nhận")
    await dai.taps("Duyệt gửi")
    await goes_out(world)
    monkeypatch.setattr(timing, "SECOND_FROM", 500)
    await corrects(ha)
    assert "Cần người thứ hai duyệt" in ha.last.text
    await ha.taps("Xác nhận")
    assert dai.last.key == "announcing.approve_notice" and "Đính chính" in dai.last.text


async def test_a_correction_for_the_whole_province_needs_a_second_person_though_a_clock_sent_the_wrong_one(
    world: World,
) -> None:
    tien, dai, _ = await waiting(world)
    await dai.taps("Duyệt gửi")
    await goes_out(world)
    async with world.database.write() as session:
        await session.execute(update(Broadcast).values(approver_id=None))
    await corrects(tien)
    assert "Cần người thứ hai duyệt" in tien.last.text


async def test_taking_up_a_message_never_overwrites_the_one_being_written(world: World) -> None:
    tien, dai, _ = await waiting(world)
    await tien.says("/guitin")
    await tien.taps("Thông báo")
    await tien.taps("Tiếp")
    await tien.says("Một tin khác, đang viết dở.")
    await dai.taps("Trả lại kèm ý kiến")
    await dai.says("Thêm giờ")
    await tien.taps("Soạn lại")
    assert tien.last.key == "announcing.draft_first"
    await tien.taps("Soạn tiếp tin đó")
    assert tien.last.key == "announcing.body" and "đang viết dở" in tien.last.text
    await tien.presses("c:soanlai:TB-25-0001")
    await tien.taps("Bỏ tin đó")
    await tien.presses("c:soanlai:TB-25-0001")
    assert tien.last.key == "announcing.preview" and "xem thông báo mới" in tien.last.text


async def test_what_waits_is_on_the_officers_home_and_opens_whole(world: World) -> None:
    _, dai, _ = await waiting(world)
    dai.heard.clear()
    await dai.says("/canbo")
    assert "1 tin chờ đồng chí duyệt" in dai.last.text
    await dai.taps("Duyệt tin")
    assert dai.last.key == "announcing.approve_notice" and "Mời anh/chị xem thông báo mới." in dai.last.text
    await dai.taps("Duyệt gửi")
    await dai.says("duyet tin")
    assert dai.last.key == "announcing.nothing_to_approve"


async def test_a_message_whose_author_lost_the_right_is_held_told_once_and_taken_over(world: World) -> None:
    ha, dai = await officer(world), await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    yen = await officer(world, "Lê Hải Yến", "CAOSON")
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Mời anh/chị họp.")
    await ha.taps("Xác nhận")
    async with world.database.write() as session:
        await session.execute(update(Grant).where(Grant.person_id == await ha.id()).values(revoked_at=world.now))
    for _ in range(3):
        await goes_out(world)
    assert await receivers(world) == set() and (await only(world)).state == BroadcastState.HELD
    for person in (dai, yen):
        assert person.keys.count("announcing.held_notice") == 1, person.name
    await ha.presses("c:guitiep:TB-25-0001.2")
    assert ha.last.key == "common.refused"
    await dai.presses("c:soanlai:TB-25-0001")
    assert dai.last.key == "announcing.not_found"  # a leader stops and approves, but sends nothing himself
    await yen.taps("Nhận soạn lại")
    assert yen.last.key == "announcing.preview" and "Mời anh/chị họp." in yen.last.text
    for label in ("Tiếp", "Gửi ngay", "Xác nhận"):
        await yen.taps(label)
    await goes_out(world)
    assert await receivers(world) == {"Lê Thu Hà", "Bùi Thị Hoa", "Lê Hải Yến"}
    async with world.database.read() as session:
        states = (await session.execute(select(Broadcast.state).order_by(Broadcast.id))).scalars().all()
        assert states == [BroadcastState.CANCELLED, BroadcastState.DONE]
        assert (await session.execute(select(func.count()).select_from(Broadcast))).scalar_one() == 2


async def test_who_has_the_right_again_hears_why_the_message_was_held_and_may_send_it(world: World) -> None:
    ha, dai = await officer(world), await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Mời anh/chị họp.")
    await ha.taps("Xác nhận")
    for revoked_at, key in ((world.now, "quyền gửi"), (None, "có lại quyền gửi")):
        async with world.database.write() as session:
            await session.execute(update(Grant).where(Grant.person_id == await ha.id()).values(revoked_at=revoked_at))
        for _ in range(3):
            await goes_out(world)
        told = (dai if revoked_at else ha).last
        assert told.key == "announcing.held_notice" and key in told.text and "khôi phục" not in told.text
    assert ha.keys.count("announcing.held_notice") == 1
    await ha.taps("Gửi tiếp")
    await goes_out(world)
    assert "Bùi Thị Hoa" in await receivers(world)


async def test_whoever_loses_and_regains_the_right_still_needs_the_second_person(world: World) -> None:
    """Held when the right went, it was let go by its author alone when the right came back."""
    tien, dai = (
        await officer(world, "Hoàng Minh Tiến", "TINH"),
        await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER),
    )
    await composes(tien, "Mời anh/chị xem thông báo mới.")
    await tien.taps("Xác nhận")
    async with world.database.write() as session:
        grant = (await session.execute(select(Grant).where(Grant.person_id == await tien.id()))).scalar_one()
        await roles.revoke(session, grant.id, await dai.id(), world.now)
    for revoked_at in (world.now, None):
        async with world.database.write() as session:
            (await session.get_one(Grant, grant.id)).revoked_at = revoked_at
        await goes_out(world)
    await tien.presses("c:guitiep:TB-25-0001.2")
    await goes_out(world)
    assert await receivers(world) == set()
    await dai.taps("Duyệt gửi")
    await goes_out(world)
    assert await receivers(world) == {"Hoàng Minh Tiến", "Đinh Quang Đại"}


async def test_after_a_restore_what_is_approved_once_more_waits_for_its_authors_word(world: World) -> None:
    """The backup was made between the two: it was approved and sent, and nobody here knows."""
    tien, dai = (
        await officer(world, "Hoàng Minh Tiến", "TINH"),
        await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER),
    )
    await composes(tien, "Mời anh/chị xem thông báo mới.")
    await tien.taps("Xác nhận")
    world.later(minutes=10)
    await snapshot.after_restore(world.database, world.now)
    await dai.taps("Duyệt gửi")
    for _ in range(2):
        await goes_out(world)
    assert await receivers(world) == set()
    assert tien.keys.count("announcing.held_notice") == 1 and "có thể đã gửi rồi" in tien.last.text
    await tien.taps("Gửi tiếp")
    await goes_out(world)
    assert await receivers(world) == {"Hoàng Minh Tiến", "Đinh Quang Đại"}


@pytest.mark.parametrize("paused", [True, False])
async def test_a_message_whose_author_loses_the_right_half_way_is_held_for_the_rest(
    world: World, paused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who had not been planned yet was passed over as if they had moved."""
    monkeypatch.setattr(planning, "CHUNK", 1)
    ha, dai = await officer(world), await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Mời anh/chị họp.")
    await ha.taps("Xác nhận")
    broadcast, work = await only(world), work_of(world)
    await planner._begin(work, broadcast.id)
    assert await planner._plan_chunk(work, broadcast.id)
    if paused:
        await dai.presses("c:tamdung:TB-25-0001.1")
    async with world.database.write() as session:
        await session.execute(update(Grant).where(Grant.person_id == await ha.id()).values(revoked_at=world.now))
    if paused:
        await dai.presses("c:guitiep:TB-25-0001.2")
    for _ in range(2):
        await planner.run(work)
    await world.deliver()
    assert (await only(world)).state == BroadcastState.HELD and dai.last.key == "announcing.held_notice"
    async with world.database.read() as session:
        found = await broadcasts.figures(session, broadcast.id)
    assert {name: n for name, n in found.items() if n} == {"held": 1, "frozen": 1, "targets": 2}


async def test_who_takes_over_a_message_that_went_out_in_part_is_told_how_many_had_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "CHUNK", 1)
    ha, yen = await officer(world), await officer(world, "Lê Hải Yến", "CAOSON")
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Mời anh/chị họp.")
    await ha.taps("Xác nhận")
    broadcast, work = await only(world), work_of(world)
    await planner._begin(work, broadcast.id)
    assert await planner._plan_chunk(work, broadcast.id)
    async with world.database.write() as session:
        await session.execute(
            update(OutboxRow)
            .where(OutboxRow.broadcast_id == broadcast.id)
            .values(state=OutState.SENT, finished_at=world.now, claim="m")
        )
        await session.execute(update(Grant).where(Grant.person_id == await ha.id()).values(revoked_at=world.now))
    await planner.run(work)
    await world.deliver()
    await yen.taps("Nhận soạn lại")
    said = next(heard for heard in yen.heard if heard.key == "announcing.half_sent")
    assert "đã tới 1 người" in said.text and yen.last.key == "announcing.preview"


async def test_a_demotion_to_a_smaller_part_holds_it_too(world: World) -> None:
    ha, dai = await officer(world), await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Mời anh/chị họp.", when="Hẹn giờ")
    await ha.says("8h sáng mai")
    await ha.taps("Xác nhận")
    async with world.database.write() as session:
        small = await units.find_by_code(session, "MAYHOA")
        assert small is not None
        await session.execute(
            update(Grant).where(Grant.person_id == await ha.id()).values(unit_id=small.id, role=Role.GRASSROOTS_CHAIR)
        )
    world.later(hours=16)
    await goes_out(world)
    assert await receivers(world) == set() and dai.last.key == "announcing.held_notice"


async def test_who_approves_what_reaches_nobody_any_more_is_told_so_and_it_waits(world: World) -> None:
    tien, dai, yen = await waiting(world)
    await composes(yen, "Tin khác.")
    await yen.taps("Xác nhận")
    await dai.presses("c:duyettin:TB-25-0002.1")
    await goes_out(world)
    await dai.presses("c:duyettin:TB-25-0001.1")
    assert dai.last.key == "announcing.approve_nobody" and dai.last.offers("Trả lại kèm ý kiến")
    assert "Đã nhận đủ số tin: 3 người; 0 người sẽ nhận." in dai.last.text
    assert "announcing.approved_notice" not in tien.keys
    await tien.presses("c:duyettin:TB-25-0001.1")
    assert tien.last.key == "announcing.own"
    world.later(days=1)
    await dai.presses("c:duyettin:TB-25-0001.1")
    assert dai.last.key == "announcing.approved" and tien.last.key == "announcing.approved_notice"


async def test_who_approves_hears_how_many_get_it_where_some_have_had_their_messages(world: World) -> None:
    ha = await officer(world)
    tien, dai, _ = await waiting(world)
    await composes(ha, "Họp lúc 17 giờ.")
    await ha.taps("Xác nhận")
    await goes_out(world)
    await dai.taps("Duyệt gửi")
    for person in (dai, tien):
        assert "3 người sẽ nhận, 1 người đã nhận đủ số tin." in person.last.text
