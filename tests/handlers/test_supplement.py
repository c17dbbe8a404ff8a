"""Answering what a reviewer asked: in pieces, interrupted, with pictures; nothing lost and nothing mixed up."""

from __future__ import annotations

from sqlalchemy import func, select

from db.models import Attachment, Draft, Role, Status, Submission
from handlers.dialogue import File
from tests.handlers.test_moderation import sent, state
from tests.people import TestPerson, World


async def asked(world: World, hoa: TestPerson, *, holder: int | None = None, ask: str = "Xin thêm ảnh") -> str:
    code = (await sent(world, hoa)).code
    async with world.database.write() as session:
        row = (await session.execute(select(Submission).where(Submission.code == code))).scalar_one()
        row.status, row.ask, row.holder_id = Status.NEED_INFO, ask, holder
    return code


async def test_words_and_pictures_are_kept_while_the_author_looks_elsewhere(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    code = await asked(world, hoa)
    await hoa.presses(f"c:bosung:{code}")
    assert hoa.last.key == "supplement.story" and "Xin thêm ảnh" in hoa.last.text
    await hoa.says("Trước 40 phút")
    await hoa.sends_photo(text="ảnh sau khi lắp giá")
    await hoa.says("menu")
    world.later(days=2)
    await hoa.presses(f"c:bosung:{code}")
    assert "1 ảnh" in hoa.last.text and "Trước 40 phút\nảnh sau khi lắp giá" in hoa.last.text
    await hoa.says("nay 15 phút")
    await hoa.taps("Gửi bổ sung")
    assert hoa.last.key == "supplement.sent" and (await state(world, code)).status == Status.SENT
    async with world.database.read() as session:
        file = (await session.execute(select(Attachment))).scalar_one()
        assert file.submission_id is not None and file.draft_id is None
        assert (await session.execute(select(func.count()).select_from(Draft))).scalar_one() == 0
    await hoa.presses(f"c:bosung:{code}")
    assert hoa.last.key == "supplement.not_needed"


async def test_nothing_is_sent_when_nothing_was_said(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    code = await asked(world, hoa)
    await hoa.presses(f"c:bosung:{code}")
    await hoa.says("gui")
    assert hoa.last.key == "supplement.empty" and (await state(world, code)).status == Status.NEED_INFO
    await hoa.says("Chuyền 5 đó ạ")
    await hoa.says("gửi")
    assert hoa.last.key == "supplement.sent"


async def test_several_messages_are_acknowledged_once(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.presses(f"c:bosung:{await asked(world, hoa)}")
    picture = File("photo", "r", "same", "", 1000)
    for _ in range(2):
        await hoa.sends(picture, group="album")
    await hoa.says("hai ảnh một")
    world.later(seconds=2)
    await world.deliver()
    assert hoa.keys.count("supplement.noted") == 1 and "1 ảnh" in hoa.last.text


async def test_the_holder_hears_it_and_without_one_those_who_review(world: World) -> None:
    ha = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    hoa = await world.joined("Bùi Thị Hoa")
    for holder in (await ha.id(), None):
        await hoa.presses(f"c:bosung:{await asked(world, hoa, holder=holder)}")
        await hoa.says("Ảnh sau nhé")
        await hoa.says("xong")
        assert hoa.last.key == "supplement.sent"
    world.later(seconds=6)
    await world.deliver()
    assert ha.keys == ["supplement.notice", "report.queue_notice"]


async def test_answers_to_two_reports_do_not_get_mixed(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    first, second = await asked(world, hoa, ask="Xin ảnh"), await asked(world, hoa, ask="Xin số liệu")
    await hoa.presses(f"c:bosung:{first}")
    await hoa.says("Ảnh của việc thứ nhất")
    await hoa.presses(f"c:bosung:{second}")
    assert "supplement.other_first" in hoa.keys and "Xin ảnh" in hoa.last.text
    await hoa.says("huy")
    await hoa.taps("Bỏ")
    await hoa.presses(f"c:bosung:{second}")
    assert "Xin số liệu" in hoa.last.text and "việc thứ nhất" not in hoa.last.text


async def test_what_was_withdrawn_meanwhile_asks_for_nothing_any_more(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    code = await asked(world, hoa)
    await hoa.presses(f"c:bosung:{code}")
    await hoa.says("Đang viết dở")
    async with world.database.write() as session:
        (await session.execute(select(Submission))).scalar_one().status = Status.CLOSED_NO_INFO
    await hoa.taps("Gửi bổ sung")
    assert hoa.last.key == "mysubmissions.detail" and "Tạm đóng" in hoa.last.text
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Draft))).scalar_one() == 0


async def test_a_very_long_answer_is_refused_kindly_and_what_was_there_stays(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    code = await asked(world, hoa)
    await hoa.presses(f"c:bosung:{code}")
    await hoa.says("Ngắn gọn thôi")
    await hoa.says("dài " * 900)
    assert hoa.last.key == "report.tell_less"
    await hoa.says("gui")
    async with world.database.read() as session:
        from db.models import SubmissionEvent

        query = select(SubmissionEvent.text).where(SubmissionEvent.action == "supplemented")
        assert (await session.execute(query)).scalar_one() == "Ngắn gọn thôi"
