"""Practising law: five questions, shuffled, each with its article; wrong ones come again; a wrong question is reported."""

from __future__ import annotations

from sqlalchemy import func, select

from db.models import PracticeAnswer, QuestionReport, Role
from tests.people import TestPerson, World


async def answers(world: World, person: TestPerson, right: bool) -> None:
    """Reads the question on the screen and picks a right or a wrong option."""
    stem = person.last.message.text.splitlines()[1].replace("&#34;", '"')
    bank = world.house.packs.bank
    question = next(q for q in bank.questions if q.stem == stem)
    lines = {line[3:].replace("&#34;", '"'): line[0] for line in person.last.message.text.splitlines()[2:]}
    letter = next(letter for option, letter in lines.items() if (option == question.options[question.answer]) == right)
    await person.says(letter.lower())


async def test_five_questions_each_with_its_article(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("on luat")
    await hoa.says("1")
    for n in range(5):
        assert hoa.last.key == "practice.question" and f"Câu {n + 1}/5" in hoa.last.text
        await answers(world, hoa, right=n != 2)
        assert hoa.last.key == ("practice.wrong" if n == 2 else "practice.right")
        assert "Căn cứ:" in hoa.last.text and "hiệu lực từ" in hoa.last.text and "chưa thẩm định" in hoa.last.text
        await hoa.taps("Câu tiếp")
    assert hoa.last.key == "practice.done" and "4/5" in hoa.last.text


async def test_a_wrong_answer_comes_again_until_it_is_right(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("on luat")
    assert not any(choice.key == "wrong" for choice in hoa.last.choices)
    await hoa.says("2")
    await answers(world, hoa, right=False)
    await hoa.taps("Nghỉ")
    await hoa.taps("Chủ đề khác")
    await hoa.taps("Câu tôi từng sai")
    assert "Câu tôi từng sai" in hoa.last.text
    await answers(world, hoa, right=True)
    async with world.database.read() as session:
        assert (await session.execute(select(PracticeAnswer.right))).scalars().all() == [True]


async def test_something_else_than_a_letter_is_answered_kindly(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("on luat")
    await hoa.says("1")
    await hoa.says("em không biết")
    assert hoa.last.key == "common.choose_letter" and len(hoa.last.choices) == 5


async def test_a_wrong_question_is_reported_to_who_answers_for_it(world: World) -> None:
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("on luat")
    await hoa.says("1")
    await answers(world, hoa, right=True)
    await hoa.taps("Báo câu sai")
    await hoa.says("sai")
    assert hoa.last.key == "practice.report_short"
    await hoa.says("Tôi thấy luật ghi khác")
    assert any(heard.key == "practice.reported" and "30/7/2025" in heard.text for heard in hoa.heard)
    assert mai.last.key == "practice.report_notice" and "Tôi thấy luật ghi khác" in mai.last.text
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(QuestionReport))).scalar_one() == 1


async def test_without_joining_one_may_practise_and_nothing_is_kept(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("xin chào")
    await hoa.taps("Xem thử trước")
    await hoa.taps("Ôn luật")
    await hoa.says("1")
    await answers(world, hoa, right=False)
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(PracticeAnswer))).scalar_one() == 0


async def test_the_options_are_not_always_in_the_same_order(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    orders = set()
    for _ in range(6):
        await hoa.says("/onluat")
        await hoa.says("2")
        async with world.database.read() as session:
            from db.models import Conversation

            orders.add(tuple((await session.execute(select(Conversation.data))).scalar_one()["order"]))
        await hoa.says("menu")
    assert len(orders) > 1
