"""A law question somebody says is wrong reaches its owner, is answered once, and the answer comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from db import erasure
from db.models import AuditRow, Grant, OutboxRow, QuestionReport, Role, Shift
from tests.handlers.test_practice import answers
from tests.people import TestPerson, World


async def reports(world: World, person: TestPerson, text: str = "Tôi thấy luật ghi khác") -> None:
    await person.says("on luat")
    await person.says("1")
    await answers(world, person, right=True)
    await person.taps("Báo câu sai")
    await person.says(text)


async def owner(world: World, name: str = "Vũ Ngọc Mai") -> TestPerson:
    return await world.joined(name, unit="TINH", role=Role.CONTENT_OFFICER)


async def row(world: World) -> QuestionReport:
    async with world.database.read() as session:
        return (await session.execute(select(QuestionReport))).scalar_one()


async def test_a_report_reaches_its_owner_and_practice_goes_on(world: World) -> None:
    mai, hoa = await owner(world), await world.joined("Bùi Thị Hoa")
    ha = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    await reports(world, hoa)
    assert any(heard.key == "practice.reported" and "30/7/2025" in heard.text for heard in hoa.heard)
    assert hoa.last.key == "practice.question" and "Câu 2/5" in hoa.last.text
    assert mai.last.key == "question_reports.notice" and "Tôi thấy luật ghi khác" in mai.last.text
    assert ha.keys == [] and (await row(world)).done_at is None


@pytest.mark.parametrize("text", ["sai", "x" * 501])
async def test_a_report_says_in_a_line_what_is_wrong(world: World, text: str) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await reports(world, hoa, text)
    assert hoa.last.key == "practice.report_short"


async def test_the_owner_answers_from_the_notice_and_the_answer_comes_back(world: World) -> None:
    mai, hoa = await owner(world), await world.joined("Bùi Thị Hoa")
    await reports(world, hoa)
    await mai.taps("Xem, trả lời")
    assert mai.last.key == "question_reports.one" and "Căn cứ:" in mai.last.text and "Đáp án đang ghi:" in mai.last.text
    await mai.taps("Trả lời")
    await mai.says("Ừ")
    assert mai.last.key == "question_reports.answer_length"
    await mai.says("Luật sửa đổi năm 2025 giữ nguyên khoản này, câu hỏi đúng ạ.")
    assert "question_reports.answered" in mai.keys and mai.last.key == "question_reports.list"
    assert hoa.last.key == "question_reports.reply" and "giữ nguyên khoản này" in hoa.last.text
    answered = await row(world)
    assert answered.done_at == world.now and answered.answer.startswith("Luật sửa đổi")
    async with world.database.read() as session:
        noted = (
            (await session.execute(select(AuditRow.actor_id).where(AuditRow.action == "answer_report"))).scalars().all()
        )
    assert noted == [await mai.id()]


async def test_neither_a_report_nor_its_answer_wakes_anybody(world: World) -> None:
    mai, hoa = await owner(world), await world.joined("Bùi Thị Hoa", shift=Shift.NIGHT)
    world.later(hours=8)  # one at night, in a break
    await reports(world, hoa)
    assert mai.keys == []
    world.later(hours=8)
    await world.deliver()
    await mai.taps("Xem, trả lời")
    await mai.taps("Trả lời")
    await mai.says("Luật sửa đổi năm 2025 giữ nguyên khoản này, câu hỏi đúng ạ.")
    assert "question_reports.answered" in mai.keys and "question_reports.reply" not in hoa.keys
    world.later(hours=6.5)
    await world.deliver()
    assert hoa.last.key == "question_reports.reply"


async def test_what_waits_stands_in_the_officers_work_and_what_is_late_says_so(world: World) -> None:
    mai, hoa = await owner(world), await world.joined("Bùi Thị Hoa")
    await mai.says("/canbo")
    assert "bị báo sai" not in mai.last.text
    await reports(world, hoa)
    await mai.says("/canbo")
    assert "1 câu hỏi luật bị báo sai" in mai.last.text and "quá hạn" not in mai.last.text
    world.now += timedelta(days=6)
    await mai.says("/canbo")
    assert "quá hạn 1" in mai.last.text
    await mai.taps("Câu hỏi bị báo")
    assert mai.last.key == "question_reports.list" and "quá hạn 30/7" in mai.last.text
    await mai.says("1")
    assert mai.last.key == "question_reports.one"


async def test_two_owners_at_once_give_one_answer_and_nothing_typed_is_lost(world: World) -> None:
    mai, lan = await owner(world), await owner(world, "Đỗ Thị Lan")
    hoa = await world.joined("Bùi Thị Hoa")
    await reports(world, hoa)
    for person in (mai, lan):
        await person.taps("Xem, trả lời")
        await person.taps("Trả lời")
    await mai.says("Câu hỏi đúng, anh/chị xem khoản 2.")
    await lan.says("Câu hỏi sai, sẽ sửa ngay.")
    assert any(h.key == "question_reports.answered_already" and "sẽ sửa ngay" in h.text for h in lan.heard)
    assert lan.last.key == "question_reports.one" and "xem khoản 2" in lan.last.text
    assert "answer" not in [choice.key for choice in lan.last.choices]
    assert hoa.keys.count("question_reports.reply") == 1 and "khoản 2" in (await row(world)).answer


async def test_the_reason_of_who_takes_a_question_out_second_is_shown_back(world: World) -> None:
    mai, ly, hoa = await owner(world), await owner(world, "Vũ Thị Ly"), await world.joined("Bùi Thị Hoa")
    await reports(world, hoa)
    for each, why in ((mai, "Luật đã thay đổi từ tháng 7"), (ly, "Căn cứ ghi chưa đúng điều")):
        await each.presses("c:baosai:1")
        await each.taps("Rút câu này")
        await each.says(why)
    for each in (mai, ly):
        await each.taps("Rút câu này")
    assert ly.keys[-2:] == ["question_reports.void_already", "question_reports.one"]
    assert "Căn cứ ghi chưa đúng điều" in ly.heard[-2].text


async def test_nobody_else_sees_or_answers_reports(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await reports(world, hoa)
    number = (await row(world)).id
    ha = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    for person in (hoa, ha):
        for data in ("c:baosai:", f"c:baosai:{number}"):
            await person.presses(data)
            assert person.last.key == "common.refused"


async def test_a_right_that_was_taken_away_counts_when_the_answer_is_sent(world: World) -> None:
    mai, hoa = await owner(world), await world.joined("Bùi Thị Hoa")
    await reports(world, hoa)
    await mai.taps("Xem, trả lời")
    await mai.taps("Trả lời")
    async with world.database.write() as session:
        grant = (await session.execute(select(Grant).where(Grant.person_id == await mai.id()))).scalar_one()
        grant.revoked_at = world.now
    await mai.says("Câu hỏi đúng, anh/chị xem khoản 2.")
    assert mai.last.key == "common.refused" and (await row(world)).done_at is None


async def test_a_number_that_is_not_there_is_answered(world: World) -> None:
    mai = await owner(world)
    for arg in ("99", "²", "abc", "9" * 30):
        await mai.presses(f"c:baosai:{arg}")
        assert mai.last.key in ("common.not_found", "question_reports.list")


async def test_after_its_author_is_erased_the_question_still_waits_without_their_words(world: World) -> None:
    """Found by walks of marked words (T26)."""
    mai, hoa = await owner(world), await world.joined("Bùi Thị Hoa")
    await reports(world, hoa)
    async with world.database.write() as session:
        await erasure.erase(session, await hoa.id(), world.now)
    async with world.database.read() as session:
        said = (await session.execute(select(OutboxRow.payload).where(OutboxRow.payload.is_not(None)))).scalars().all()
    assert (await row(world)).text == "" and "luật ghi khác" not in repr(said)
    await mai.says("/baosai")
    assert "người báo đã xóa" in mai.last.text
    await mai.says("1")
    assert mai.last.key == "question_reports.one" and "lời báo không còn" in mai.last.text
