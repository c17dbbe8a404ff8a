"""Announcing: to exactly one's part of the tree, checked, looked at twice, once each, with a report."""

from __future__ import annotations

from sqlalchemy import func, select

from content.sheets import read_book
from db.models import AuditRow, Broadcast, BroadcastState, BroadcastTarget, OutboxRow, OutState, Person, Role
from handlers.dialogue import File
from scheduler import broadcasts, jobs
from tests.people import TestPerson, World, work_of


async def officer(
    world: World, name: str = "Lê Thu Hà", unit: str = "CAOSON", role: Role = Role.UPPER_OFFICER
) -> TestPerson:
    return await world.joined(name, unit=unit, role=role)


async def composes(person: TestPerson, text: str, *, when: str = "Gửi ngay") -> None:
    await person.says("/guitin")
    if person.last.key == "announcing.type":
        await person.taps("Thông báo")
    await person.taps("Tiếp")
    await person.says(text)
    await person.says("tiếp")
    if person.last.key == "announcing.warnings":
        await person.taps("Vẫn dùng")
    await person.taps("Tiếp")
    await person.taps(when)


async def goes_out(world: World) -> None:
    """Plans what is due and lets the scripted phones take it, bodies included."""
    await broadcasts.run(work_of(world))
    async with world.database.write() as session:
        rows = await session.execute(
            select(OutboxRow).where(
                OutboxRow.broadcast_id.is_not(None),
                OutboxRow.state == OutState.READY,
                OutboxRow.not_before <= world.now,
            )
        )
        for row in rows.scalars():
            row.state, row.provider_id, row.finished_at = OutState.SENT, str(next(world.sent)), world.now
    await broadcasts.run(work_of(world))
    await world.deliver()


async def receivers(world: World) -> set[str]:
    async with world.database.read() as session:
        found = await session.execute(
            select(Person.name)
            .join(OutboxRow, OutboxRow.person_id == Person.id)
            .where(OutboxRow.broadcast_id.is_not(None))
        )
        return set(found.scalars())


async def test_an_announcement_reaches_exactly_the_subtree_and_the_officer_gets_a_report(world: World) -> None:
    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    await world.joined("Đỗ Thị Lan", unit="TRUONG")
    await world.joined("Bàn Văn Minh", unit="DIENTU")
    await composes(ha, "Mời anh/chị họp lúc 17 giờ thứ Hai.")
    assert ha.last.key == "announcing.confirm" and "Người nhận: 3" in ha.last.text
    await ha.taps("Xác nhận")
    await goes_out(world)
    assert await receivers(world) == {"Bùi Thị Hoa", "Đỗ Thị Lan", "Lê Thu Hà"}
    assert ha.last.key == "announcing.report" and "3/3 (100,0%)" in ha.last.text


async def test_the_count_and_the_plan_agree_on_who_is_left_out_and_why(world: World) -> None:
    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    await world.joined("Tắt Tin", news=False)
    await world.joined("Ngừng Hẳn", processing=False)
    await ha.says("/guitin")
    await ha.taps("Thông báo")
    assert "2 người, thuộc 2 đơn vị" in ha.last.text and "1 người tắt tin" in ha.last.text
    await ha.says("menu")
    await composes_again(ha)
    await goes_out(world)
    async with world.database.read() as session:
        reasons = (
            (await session.execute(select(BroadcastTarget.reason).order_by(BroadcastTarget.reason))).scalars().all()
        )
    assert reasons == ["", "", "muted", "withdrawn"]


async def composes_again(ha: TestPerson) -> None:
    await ha.says("/guitin")
    await ha.taps("Tiếp")
    await ha.says("Mời anh/chị họp tổ.")
    await ha.says("tiep")
    await ha.taps("Tiếp")
    await ha.taps("Gửi ngay")
    await ha.taps("Xác nhận")


async def test_a_team_leader_writes_text_to_the_own_team_once_a_day(world: World) -> None:
    an = await officer(world, "Quách Văn An", "CHUYEN5", Role.TEAM_LEADER)
    hoa_id = await (await world.joined("Bùi Thị Hoa")).id()
    an_id = await an.id()
    async with world.database.write() as session:
        hoa = await session.get_one(Person, hoa_id)
        team = (await session.get_one(Person, an_id)).unit_id
        hoa.unit_id, hoa.confirmed = team, True
    await world.joined("Đỗ Thị Lan")
    await an.says("/guitin")
    assert an.heard[-2].key == "announcing.team_only_text"
    await an.taps("Tiếp")
    await an.sends(File("photo", "r", "u", "", 10))
    assert an.last.key == "announcing.body_text_only"
    await an.says("Mai cả tổ đi sớm 10 phút nhé.")
    await an.says("tiếp")
    await an.taps("Tiếp")
    await an.taps("Gửi ngay")
    await an.taps("Xác nhận")
    await goes_out(world)
    assert await receivers(world) == {"Bùi Thị Hoa", "Quách Văn An"}
    await an.says("/guitin")
    assert an.last.key == "announcing.team_once"


async def test_a_unit_broadcast_reaches_only_confirmed_members(world: World) -> None:
    chair = await officer(world, "Nguyễn Thị Hương", "MAYHOA", Role.GRASSROOTS_CHAIR)
    await world.joined("Bùi Thị Hoa")
    await world.joined("Người Mới", confirmed=False)
    await chair.says("/guitin")
    await chair.taps("Thông báo")
    assert "1 người chưa xác nhận" in chair.last.text and "2 người, thuộc 1 đơn vị" in chair.last.text


async def test_secrets_strange_braces_and_wrong_ordinals_are_caught(world: World) -> None:
    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    await ha.says("/guitin")
    await ha.taps("Thông báo")
    await ha.taps("Tiếp")
    await ha.says("TỐI MẬT\nHọp kín")
    assert ha.last.key == "announcing.secret"
    await ha.says("Chào {{ ten }} {luong}")
    assert ha.last.key == "announcing.placeholder"
    await ha.says("Kỷ niệm 95 năm ngày thành lập Công đoàn Việt Nam, mời {ten} tới dự.")
    await ha.says("tiếp")
    assert ha.last.key == "announcing.warnings" and "hệ thống tính 96 năm" in ha.last.text
    await ha.taps("Sửa")
    await ha.says("x" * 1100)
    assert ha.last.key == "announcing.body_long" and "1.100" in ha.last.text


async def test_a_name_is_filled_in_and_never_interpreted(world: World) -> None:
    ha = await officer(world)
    hoa = await world.joined("Bùi Thị Hoa")
    async with world.database.write() as session:
        (await session.get_one(Person, await hoa.id())).name = "{don_vi} <b>Hoa</b>"
    await composes(ha, "Chào {ten}, mời đến họp.")
    await ha.taps("Xác nhận")
    await goes_out(world)
    async with world.database.read() as session:
        rows = await session.execute(
            select(OutboxRow.payload).where(OutboxRow.person_id == await hoa.id(), OutboxRow.broadcast_id.is_not(None))
        )
        text = rows.scalar_one()["text"]
    assert text == "Chào {don_vi} &lt;b&gt;Hoa&lt;/b&gt;, mời đến họp."


async def test_the_whole_province_needs_a_second_person_who_is_not_the_author(world: World) -> None:
    tien = await officer(world, "Hoàng Minh Tiến", "TINH")
    dai = await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await composes(tien, "Mời anh/chị xem thông báo mới.")
    await tien.taps("Xác nhận")
    assert tien.last.key == "announcing.sent_waiting"
    assert dai.last.key == "announcing.approve_notice"
    await goes_out(world)
    assert await receivers(world) == set()
    approve = next(choice for choice in dai.last.choices if choice.command == "duyettin")
    await tien.presses(approve.data(0))
    assert tien.last.key == "announcing.own"
    await dai.taps("Duyệt gửi")
    await dai.presses(approve.data(0))
    assert dai.last.key == "announcing.card" and "Đinh Quang Đại duyệt gửi lúc 16 giờ 55" in dai.last.text
    await goes_out(world)
    assert "Hoàng Minh Tiến" in await receivers(world)


async def test_a_returned_text_comes_back_with_the_remark_and_can_be_sent_again(world: World) -> None:
    tien = await officer(world, "Hoàng Minh Tiến", "TINH")
    dai = await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await composes(tien, "Mời anh/chị xem thông báo mới.")
    await tien.taps("Xác nhận")
    await dai.taps("Trả lại kèm ý kiến")
    await dai.says("Thêm địa điểm giúp tôi")
    assert tien.last.key == "announcing.returned_notice" and "Thêm địa điểm" in tien.last.text
    await tien.taps("Soạn lại")
    assert tien.last.key == "announcing.preview" and "Mời anh/chị xem thông báo mới." in tien.last.text


async def test_a_large_audience_must_be_typed(world: World) -> None:
    from handlers.announcing import timing

    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    before, timing.TYPED_FROM = timing.TYPED_FROM, 1
    try:
        await composes(ha, "Mời anh/chị họp.")
        assert "Gõ 2 để xác nhận" in ha.last.text
        await ha.says("3")
        assert ha.last.key == "announcing.confirm_number"
        await ha.says("2 người")
    finally:
        timing.TYPED_FROM = before
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Broadcast))).scalar_one() == 1


async def test_pause_resume_and_stop_flip_what_is_not_sent_yet(world: World) -> None:
    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Mời anh/chị họp.")
    await ha.taps("Xác nhận")
    await broadcasts.run(work_of(world))
    await world.deliver()
    assert ha.last.key == "announcing.progress"
    await ha.taps("Tạm dừng")
    assert ha.last.key == "announcing.paused" and "2 người" in ha.last.text
    async with world.database.read() as session:
        states = (
            (await session.execute(select(OutboxRow.state).where(OutboxRow.broadcast_id.is_not(None)))).scalars().all()
        )
        assert set(states) == {OutState.HELD}
    await ha.taps("Gửi tiếp")
    async with world.database.read() as session:
        code, version = (await session.execute(select(Broadcast.code, Broadcast.version))).one()
    await ha.presses(f"c:dunghan:{code}.{version}")
    await ha.taps("Dừng hẳn")
    assert ha.last.key == "announcing.cancelled"
    await goes_out(world)
    async with world.database.read() as session:
        states = (
            (await session.execute(select(OutboxRow.state).where(OutboxRow.broadcast_id.is_not(None)))).scalars().all()
        )
    assert set(states) == {OutState.CANCELLED}


async def test_an_officer_of_another_branch_cannot_touch_it(world: World) -> None:
    ha = await officer(world)
    other = await officer(world, "Trần Hồng Sơn", "KCN")
    await composes(ha, "Mời anh/chị họp.")
    await ha.taps("Xác nhận")
    for command in ("tamdung", "dunghan", "duyettin", "chuanhan", "dinhchinh", "guilaitin"):
        await other.presses(f"c:{command}:TB-25-0001.1")
        assert other.last.key == "announcing.not_found", command


async def test_a_correction_goes_to_exactly_those_who_got_the_wrong_one(world: World) -> None:
    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Họp lúc 17 giờ.")
    await ha.taps("Xác nhận")
    await goes_out(world)
    await world.joined("Người Sau")
    await ha.taps("Đính chính")
    await ha.says("Họp lúc 18 giờ, không phải 17 giờ.")
    await ha.taps("Tiếp")
    await ha.taps("Gửi ngay")
    await ha.taps("Xác nhận")
    await goes_out(world)
    async with world.database.read() as session:
        second = (await session.execute(select(Broadcast).where(Broadcast.kind == "correction"))).scalar_one()
        got = await session.execute(select(BroadcastTarget.person_id).where(BroadcastTarget.broadcast_id == second.id))
        assert len(got.all()) == 2


async def test_no_list_of_the_unreached_is_offered_where_everybody_was_reached(world: World) -> None:
    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Mời anh/chị họp.")
    await ha.taps("Xác nhận")
    await goes_out(world)
    assert ha.last.key == "announcing.report"
    assert "chuanhan" not in {choice.command for choice in ha.last.choices}


async def test_the_list_of_the_unreached_comes_as_a_workbook(world: World) -> None:
    ha = await officer(world)
    await world.joined("Tắt Tin", news=False)
    await composes(ha, "Mời anh/chị họp.")
    await ha.taps("Xác nhận")
    await goes_out(world)
    await ha.taps("Ai chưa nhận (Excel)")
    async with world.database.read() as session:
        [row] = (await session.execute(select(AuditRow).where(AuditRow.action == "list_unreached"))).scalars()
    assert (row.actor_id, row.object) == (await ha.id(), "broadcast TB-25-0001")
    await ha.presses("c:xemtin:TB-25-0001")
    assert ha.last.key == "announcing.card" and "soạn và xác nhận" in ha.last.text, (
        "who only looks has done nothing to it"
    )
    folder = world.house.files
    await jobs.run(work_of(world, folder))
    await world.deliver()
    assert ha.last.key == "announcing.unreached_ready"
    media = ha.last.message.media[0]
    assert media.name == "chua-nhan-TB-25-0001.xlsx"
    for sheet in read_book(folder / media.file):
        assert sheet[0][0].startswith("Tin TB-25-0001, lập cho Lê Thu Hà lúc ")


async def test_the_emergency_stop_holds_everything_and_is_the_leaders_alone(world: World) -> None:
    ha, dai = await officer(world), await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await world.joined("Bùi Thị Hoa")
    await ha.says("/dungkhan")
    assert ha.last.key == "common.refused"
    await composes(ha, "Mời anh/chị họp.")
    await ha.taps("Xác nhận")
    await broadcasts.run(work_of(world))
    await dai.says("/dungkhan")
    await dai.taps("Dừng ngay")
    assert dai.last.key == "announcing.stopped_all" and "2 người" in dai.last.text
    await goes_out(world)
    async with world.database.read() as session:
        states = (
            (await session.execute(select(OutboxRow.state).where(OutboxRow.broadcast_id.is_not(None)))).scalars().all()
        )
        assert set(states) == {OutState.HELD}
        assert (
            await session.execute(select(func.count()).select_from(AuditRow).where(AuditRow.action == "emergency_stop"))
        ).scalar_one() == 1
    await dai.taps("Cho gửi lại")
    await dai.taps("Cho gửi lại")
    await goes_out(world)
    async with world.database.read() as session:
        assert (await session.execute(select(Broadcast.state))).scalar_one() == BroadcastState.DONE


async def test_a_worker_rereads_what_was_announced_and_can_want_less(world: World) -> None:
    ha, hoa = await officer(world), await world.joined("Bùi Thị Hoa")
    await composes(ha, "Mời anh/chị họp lúc 17 giờ.")
    await ha.taps("Xác nhận")
    await goes_out(world)
    await hoa.says("thong bao")
    await hoa.says("1")
    assert hoa.last.key == "announcing.reread_one" and "17 giờ" in hoa.last.text
    await hoa.says("/dungtin")
    async with world.database.read() as session:
        assert not (await session.get_one(Person, await hoa.id())).news
    await hoa.taps("Bật lại")
    async with world.database.read() as session:
        assert (await session.get_one(Person, await hoa.id())).news


async def test_an_author_whose_right_was_taken_away_sends_nothing(world: World) -> None:
    from db.models import Grant

    ha, dai = await officer(world), await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await composes(ha, "Mời anh/chị họp.")
    await ha.taps("Xác nhận")
    async with world.database.write() as session:
        grant = (await session.execute(select(Grant).where(Grant.person_id == await ha.id()))).scalar_one()
        grant.revoked_at = world.now
    await goes_out(world)
    assert await receivers(world) == set()
    assert dai.last.key == "announcing.held_notice"
