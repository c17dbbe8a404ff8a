"""Law questions are reviewed one by one or as a list, by those who may; a review holds for the text it was given for."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from content.quiz import Bank
from db import contests, erasure, verdicts
from db.models import AuditRow, QuestionReport, QuestionReview, Role, RoundQuestion, RoundState, Verdict
from tests.handlers.test_practice import answers, only
from tests.handlers.test_question_reports import owner, reports
from tests.people import TestPerson, World
from tests.weeks import week


async def said(world: World) -> dict[str, QuestionReview]:
    async with world.database.read() as session:
        return {row.question: row for row in (await session.execute(select(QuestionReview))).scalars()}


async def opens(world: World, person: TestPerson, topic: int = 1) -> None:
    await person.says("/soatluat")
    await person.says(str(topic))


async def test_a_question_is_shown_with_its_fact_and_citation_and_found_right(world: World) -> None:
    mai = await owner(world)
    await opens(world, mai)
    first = world.house.packs.bank.questions[0]
    assert mai.last.key == "law_review.one" and first.id in mai.last.text
    assert "Dữ kiện" in mai.last.text and "Căn cứ:" in mai.last.text and "✅" in mai.last.text
    assert len(mai.last.text) <= 1200
    await mai.taps("Đúng luật")
    assert mai.last.key == "law_review.one" and f"<b>{first.id}</b>" not in mai.last.text
    [(name, row)] = (await said(world)).items()
    assert (name, row.text, row.verdict, row.named) == (first.id, first.text, Verdict.APPROVED, "Vũ Ngọc Mai")
    async with world.database.read() as session:
        query = select(AuditRow).where(AuditRow.action == "review_question")
        [noted] = (await session.execute(query)).scalars()
    assert noted.actor_id == await mai.id() and noted.object == f"question {first.id}"


async def test_what_is_skipped_comes_no_more_in_this_sitting_and_nothing_is_said_of_it(world: World) -> None:
    mai = await owner(world)
    await opens(world, mai)
    first = world.house.packs.bank.questions[0].id
    await mai.taps("Bỏ qua")
    assert mai.last.key == "law_review.one" and f"<b>{first}</b>" not in mai.last.text and await said(world) == {}


async def test_one_that_is_sent_back_needs_a_reason_and_leaves_practice(world: World) -> None:
    mai = await owner(world)
    await opens(world, mai)
    bank, first = world.house.packs.bank, world.house.packs.bank.questions[0]
    await mai.taps("Sửa lại")
    await mai.says("Ừ")
    assert mai.last.key == "law_review.note_length"
    await mai.says("Luật ghi rõ hơn, cần nêu điều kiện")
    assert mai.last.key == "law_review.one" and "law_review.returned" in mai.keys
    row = (await said(world))[first.id]
    assert row.verdict == Verdict.RETURNED and "nêu điều kiện" in row.note
    async with world.database.read() as session:
        standing = bank.standing(await verdicts.list_verdicts(session))
    assert first not in bank.usable(first.topic, world.now.date(), standing)
    mended = first.model_copy(update={"explanation": "Nêu đủ điều kiện."})
    again = Bank({first.topic: "Thử"}, {}, [mended])
    async with world.database.read() as session:
        assert again.standing(await verdicts.list_verdicts(session)).out == frozenset()


async def test_a_shown_list_is_approved_at_once_and_nothing_else(world: World) -> None:
    mai = await owner(world)
    await opens(world, mai)
    await mai.taps("Duyệt theo danh sách")
    theirs = [q for q in world.house.packs.bank.questions if q.topic == "membership"]
    shown = [q for q in theirs if f"<b>{q.id}</b>" in mai.last.text]
    assert mai.last.key == "law_review.list" and shown == theirs[: len(shown)] and 1 <= len(shown) <= 5
    await mai.taps("Đúng luật cả danh sách")
    assert set(await said(world)) == {q.id for q in shown} and mai.last.key == "law_review.list"


async def test_the_questions_of_a_list_bear_no_numbers_since_one_would_approve_them_all(world: World) -> None:
    mai = await owner(world)
    await opens(world, mai)
    await mai.taps("Duyệt theo danh sách")
    assert not re.search(r"^\d+\. ", mai.last.text, re.MULTILINE)


async def test_each_list_stands_below_what_was_noted_and_a_second_tap_approves_nothing_unseen(world: World) -> None:
    mai = await owner(world)
    await opens(world, mai)
    await mai.taps("Duyệt theo danh sách")
    assert "phương án sai" in mai.last.text and "Xem từng câu" in mai.last.text
    for _ in range(3):
        before, button = len(mai.heard), f"s:{mai.last.message.screen}:all"
        await mai.presses(button)
        assert [heard.key for heard in mai.heard[before:]] == ["law_review.approved", "law_review.list"]
        approved = set(await said(world))
        await mai.presses(button)
        assert set(await said(world)) == approved
        world.later(seconds=1)
        await world.deliver()
        mai.heard = [heard for heard in mai.heard if heard.key != "common.already"]


async def test_a_second_tap_finds_no_question_right_that_nobody_has_read(world: World) -> None:
    mai = await owner(world)
    await opens(world, mai)
    button = f"s:{mai.last.message.screen}:right"
    for _ in range(2):
        await mai.presses(button)
    assert len(await said(world)) == 1


async def test_of_long_questions_so_many_are_listed_as_fit_a_screen(world: World) -> None:
    mai = await owner(world)
    await opens(world, mai)
    numbers = set()
    for label in ("Duyệt theo danh sách", *["Đúng luật cả danh sách"] * 8):
        await mai.taps(label)
        screen = next(heard for heard in reversed(mai.heard) if heard.key == "law_review.list")
        assert len(screen.text) <= 1000
        numbers.add(screen.text.count("✅"))
    assert max(numbers) <= 5 and len(numbers) > 1, "five short ones, fewer long ones"


async def test_a_question_that_changed_while_it_was_on_the_screen_is_not_approved(world: World) -> None:
    mai = await owner(world)
    await opens(world, mai)
    first = world.house.packs.bank.questions[0]
    packs = only(world.house.packs, lambda q: True, explanation="Khác hẳn.")
    world.house = replace(world.house, packs=packs)
    await mai.taps("Đúng luật")
    async with world.database.read() as session:
        assert not packs.bank.standing(await verdicts.list_verdicts(session)).approved
    assert mai.last.key == "law_review.one" and f"<b>{first.id}</b>" in mai.last.text, "its new text waits"


@pytest.mark.parametrize(("role", "unit", "may"), [
    (Role.CONTENT_OFFICER, "TINH", True), (Role.LEADER, "TINH", True), (Role.REVIEWER, "TINH", False),
    (Role.UPPER_OFFICER, "CAOSON", False), (Role.CONTENT_OFFICER, "CAOSON", False),
])  # fmt: skip
async def test_only_who_answers_for_the_law_of_the_whole_house_reviews(
    world: World, role: Role, unit: str, may: bool
) -> None:
    lan = await world.joined("Đỗ Thị Lan", unit=unit, role=role)
    await lan.says("/soatluat")
    assert (lan.last.key == "law_review.home") is may


async def test_a_review_without_a_name_is_none_and_an_own_question_is_not_offered(world: World) -> None:
    mai = await owner(world)
    packs = only(world.house.packs, lambda q: q.topic == "membership", author="vu ngoc mai")
    world.house = replace(world.house, packs=packs)
    await mai.says("/soatluat")
    assert "Mọi câu hỏi đều đã có người thẩm định" in mai.last.text


async def test_approved_in_chat_it_is_not_marked_in_practice(world: World) -> None:
    bank = world.house.packs.bank
    async with world.database.write() as session:
        given = [(q.id, q.text) for q in bank.questions]
        assert await verdicts.give(session, given, Verdict.APPROVED, "Luật sư Trần Văn A", world.now) == len(given)
        assert await verdicts.give(session, given, Verdict.APPROVED, "Người khác", world.now) == 0
    assert {row.named for row in (await said(world)).values()} == {"Luật sư Trần Văn A"}
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("on luat")
    await hoa.says("1")
    await answers(world, hoa, right=True)
    assert hoa.last.key == "practice.right" and "chưa thẩm định" not in hoa.last.text


async def test_hidden_by_the_setting_only_reviewed_questions_are_practised(world: World) -> None:
    world.house = replace(world.house, hide_unreviewed=True)
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("menu")
    assert not hoa.last.offers("Ôn luật")
    wages = [q for q in world.house.packs.bank.questions if q.topic == "wages"][:5]
    async with world.database.write() as session:
        await verdicts.give(session, [(q.id, q.text) for q in wages], Verdict.APPROVED, "Luật sư A", world.now)
    await hoa.says("on luat")
    assert "Tiền lương" in hoa.last.text and "1." in hoa.last.text and "2." not in hoa.last.text
    await hoa.says("1")
    await answers(world, hoa, right=True)
    assert "chưa thẩm định" not in hoa.last.text


async def test_its_owner_takes_a_question_out_and_whoever_reported_it_hears(world: World) -> None:
    mai, hoa = await owner(world), await world.joined("Bùi Thị Hoa")
    await reports(world, hoa)
    await mai.taps("Xem, trả lời")
    await mai.taps("Rút câu này")
    await mai.says("Khoản này đã sửa từ 01/7/2026, câu hỏi không còn đúng")
    assert mai.last.key == "question_reports.void_sure" and await said(world) == {}
    await mai.taps("Thôi, giữ câu này")
    assert mai.last.key == "question_reports.one" and await said(world) == {}
    await mai.taps("Rút câu này")
    await mai.says("Khoản này đã sửa từ 01/7/2026, câu hỏi không còn đúng")
    await mai.taps("Rút câu này")
    assert "question_reports.voided" in mai.keys and hoa.last.key == "question_reports.void_reply"
    [(name, row)] = (await said(world)).items()
    assert row.verdict == Verdict.VOID and "đã sửa" in row.note
    bank = world.house.packs.bank
    async with world.database.read() as session:
        standing = bank.standing(await verdicts.list_verdicts(session))
        assert await verdicts.is_void(session, name, row.text) and not await verdicts.is_void(session, name, "x")
    assert name in standing.out and not bank.for_contest(date(2026, 11, 26), standing)
    await mai.says("/baosai 1")
    assert "đã rút" in mai.last.text and not any(choice.key == "void" for choice in mai.last.choices)


@pytest.mark.parametrize(
    ("state", "days", "same", "right"),
    [
        (RoundState.READY, 0, True, True),
        (RoundState.READY, 0, False, False),
        (RoundState.PAUSED, 0, True, True),
        (RoundState.PUBLISHED, 2, True, True),
        (RoundState.PUBLISHED, 4, True, False),
    ],
)
async def test_a_question_taken_out_is_right_for_all_in_rounds_that_are_not_settled(
    world: World, state: RoundState, days: int, same: bool, right: bool
) -> None:
    """`same`: the round asks it in the words of today."""
    mai, hoa = await owner(world), await world.joined("Bùi Thị Hoa")
    await reports(world, hoa)
    async with world.database.read() as session:
        name = (await session.execute(select(QuestionReport.question))).scalar_one()
    question = world.house.packs.bank.get(name)
    round_id = await week(world)
    async with world.database.write() as session:
        round_ = await contests.get_round(session, round_id)
        published = state == RoundState.PUBLISHED
        round_.state, round_.published_at = state, world.now - timedelta(days=days) if published else None
        known = await session.get(RoundQuestion, (round_id, name))
        if known is not None:
            await session.delete(known)
            await session.flush()
        session.add(
            RoundQuestion(
                round_id=round_id, question=name, topic=question.topic, stem=question.stem if same else "Câu cũ?",
                options=list(question.options), answer=question.answer, explanation="", citation="",
            )
        )  # fmt: skip
    await mai.taps("Xem, trả lời")
    await mai.taps("Rút câu này")
    await mai.says("Khoản này đã sửa từ 01/7/2026, câu hỏi không còn đúng")
    sure = mai.last.text
    assert ("Tìm hiểu Luật Công đoàn, tuần 1" in sure) is right and ("0 bài" in sure) is (right and published)
    await mai.taps("Rút câu này")
    told = next(heard.text for heard in mai.heard if heard.key == "question_reports.voided")
    assert ("1 tuần thi" in told) is right
    async with world.database.read() as session:
        row = await session.get_one(RoundQuestion, (round_id, name))
        assert (row.voided_at is not None) is right and ("đã sửa" in row.reason) is right
        assert (await contests.get_round(session, round_id)).recount is (right and published)


async def test_who_is_erased_leaves_the_review_without_their_name(world: World) -> None:
    mai = await owner(world)
    await opens(world, mai)
    await mai.taps("Đúng luật")
    async with world.database.write() as session:
        await erasure.erase(session, await mai.id(), world.now)
    [row] = (await said(world)).values()
    assert row.named == "" and row.verdict == Verdict.APPROVED
