"""The reader's side: what was announced to me can be read again, whether or not the push came, and nothing else."""

from __future__ import annotations

from sqlalchemy import select, update

from db.models import Attachment, AuditRow, Body, FileState, OutboxRow, OutState, Role
from scheduler import broadcasts as planner
from tests.handlers.test_announcing import composes, goes_out, officer
from tests.handlers.test_announcing_steering import becomes, sending
from tests.handlers.test_announcing_writing import photos
from tests.people import World, work_of


async def test_unknown_and_missed_ones_can_be_read_and_are_marked(world: World) -> None:
    await sending(world, "Đến", "Không Rõ", "Lỗi", "Tắt")
    await becomes(world, "Không Rõ", OutState.UNKNOWN)
    await becomes(world, "Lỗi", OutState.FAILED, "blocked")
    await goes_out(world)
    for name, missed in (("Đến", False), ("Không Rõ", True), ("Lỗi", True)):
        person = world.people[name]
        await person.says("/thongbao")
        assert "Họp lúc 17 giờ." in person.last.text and ("(tin đã lỡ)" in person.last.text) == missed, name
        await person.says("1")
        assert person.last.key == "announcing.reread_one" and "Họp lúc 17 giờ." in person.last.text


async def test_who_had_enough_messages_reads_the_dropped_one(world: World) -> None:
    ha, hoa = await officer(world), await world.joined("Bùi Thị Hoa")
    for text in ("Tin thứ nhất.", "Tin thứ hai."):
        await composes(ha, text)
        if ha.last.key == "announcing.confirm" and "Người nhận: 0" in ha.last.text:
            break
        await ha.taps("Xác nhận")
        await goes_out(world)
        await world.joined(f"Người {text}")
    await hoa.says("/thongbao")
    assert "Tin thứ nhất." in hoa.last.text and "Tin thứ hai. (tin đã lỡ)" in hoa.last.text


async def test_what_was_for_others_or_came_before_one_joined_is_not_shown(world: World) -> None:
    await sending(world)
    await goes_out(world)
    for person in (await world.joined("Người Sau"), await world.joined("Bàn Văn Minh", unit="DIENTU")):
        await person.says("/thongbao")
        assert "Trong 90 ngày qua chưa có thông báo nào" in person.last.text


async def test_a_message_stopped_half_way_is_read_only_by_those_it_reached(world: World) -> None:
    ha = await sending(world)
    await becomes(world, "Bùi Thị Hoa", OutState.SENT)
    await ha.taps("Dừng hẳn")
    await ha.taps("Dừng hẳn")
    for name, reads in (("Bùi Thị Hoa", True), ("Đỗ Thị Lan", False)):
        person = world.people[name]
        await person.says("/thongbao")
        assert ("Họp lúc 17 giờ." in person.last.text) == reads, name


async def test_pictures_and_names_are_there_as_they_were_pushed(world: World) -> None:
    ha, hoa = await officer(world), await world.joined("Bùi Thị Hoa")
    await ha.says("/guitin")
    await ha.taps("Thông báo")
    await ha.taps("Tiếp")
    await ha.says("Chào {ten} ở {don_vi}.")
    await photos(ha, 2)
    async with world.database.write() as session:
        await session.execute(update(Attachment).values(state=FileState.CLEAN, file="x.jpg"))
    for label in ("Tiếp", "Tiếp", "Gửi ngay", "Xác nhận"):
        await ha.taps(label)
    await planner.run(work_of(world))
    async with world.database.read() as session:
        query = select(OutboxRow.payload).where(
            OutboxRow.person_id == await hoa.id(), OutboxRow.broadcast_id.is_not(None)
        )
        pushed = (await session.execute(query)).scalar_one()
    await goes_out(world)
    await hoa.says("/thongbao")
    await hoa.says("1")
    again = next(heard for heard in reversed(hoa.heard) if heard.key == "announcing.pushed")
    assert again.text == pushed["text"] and "Chào Bùi Thị Hoa ở Công ty" in again.text
    assert len(again.message.media) == len(pushed["media"]) == 2
    assert hoa.last.key == "announcing.reread_one"
    assert [choice.command for choice in hoa.last.choices] == ["thongbao", "menu"]


async def test_a_correction_is_read_as_one(world: World) -> None:
    ha = await sending(world)
    await goes_out(world)
    await ha.taps("Đính chính")
    await ha.says("Họp lúc 18 giờ.")
    for label in ("Tiếp", "Gửi ngay", "Xác nhận"):
        await ha.taps(label)
    await goes_out(world)
    hoa = world.people["Bùi Thị Hoa"]
    await hoa.says("thong bao")
    assert "1. 25/7: ĐÍNH CHÍNH – Họp lúc 18 giờ." in hoa.last.text
    await hoa.says("1")
    assert "ĐÍNH CHÍNH" in hoa.last.text and "18 giờ" in hoa.last.text


async def test_every_push_offers_fewer_messages_and_the_word_does_it_too(world: World) -> None:
    await sending(world)
    async with world.database.read() as session:
        payloads = (await session.execute(select(Body.payload))).scalars().all()
    assert payloads and all(payload["choices"][0][2] == "bottin" for payload in payloads)
    hoa = world.people["Bùi Thị Hoa"]
    await hoa.says("bot tin")
    assert hoa.last.key == "announcing.less"
    await hoa.taps("Giữ nguyên")
    assert hoa.last.key == "announcing.less_kept"


async def test_no_officer_can_learn_who_read_anything(world: World) -> None:
    """Rereading leaves no row behind but the conversation."""
    ha = await sending(world)
    await goes_out(world)
    before = ha.last.text
    hoa = world.people["Bùi Thị Hoa"]
    async with world.database.read() as session:
        audited = len((await session.execute(select(AuditRow.id))).all())
    await hoa.says("/thongbao")
    await hoa.says("1")
    async with world.database.read() as session:
        assert len((await session.execute(select(AuditRow.id))).all()) == audited
    await ha.presses("c:xemtin:TB-25-0001")
    assert "đọc" not in ha.last.text and "đọc" not in before


async def test_a_leader_sees_the_list_of_ones_own_like_everybody(world: World) -> None:
    await sending(world)
    await goes_out(world)
    dai = await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await dai.says("/thongbao")
    assert "chưa có thông báo nào" in dai.last.text
