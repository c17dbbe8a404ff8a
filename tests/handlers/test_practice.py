"""Practising law: five questions, shuffled, each with its article; wrong ones come again; a wrong question is reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from content.packs import Packs
from content.quiz import Bank, Question
from db.models import Conversation, PracticeAnswer
from tests.people import TestPerson, World


async def answers(world: World, person: TestPerson, right: bool) -> None:
    """Reads the question on the screen and picks a right or a wrong option."""
    stem = person.last.message.text.splitlines()[1].replace("&#34;", '"')
    bank = world.house.packs.bank
    question = next(q for q in bank.questions if q.stem == stem)
    lines = {line[3:].replace("&#34;", '"'): line[0] for line in person.last.message.text.splitlines()[2:]}
    letter = next(letter for option, letter in lines.items() if (option == question.options[question.answer]) == right)
    await person.says(letter.lower())


async def record(world: World, person: TestPerson) -> dict[str, bool]:
    async with world.database.read() as session:
        query = select(PracticeAnswer.question, PracticeAnswer.right).where(
            PracticeAnswer.person_id == await person.id()
        )
        return {question: right for question, right in await session.execute(query)}


def only(packs: Packs, keep: Callable[[Question], bool], **changes: object) -> Packs:
    """The packs with some of their questions, changed."""
    bank = packs.bank
    kept = [question.model_copy(update=changes) for question in bank.questions if keep(question)]
    titles = {topic: bank.title(topic) for topic in bank.topics}
    return replace(packs, bank=Bank(titles, {question.id: ("x", 1) for question in kept}, kept))


async def test_five_questions_each_with_its_article(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("on luat")
    assert hoa.last.key == "practice.home" and len(hoa.last.text) <= 600
    await hoa.says("1")
    for n in range(5):
        assert hoa.last.key == "practice.question" and f"Câu {n + 1}/5" in hoa.last.text
        assert hoa.last.labels == ["A", "B", "C", "D", "⏹ Nghỉ"]
        await answers(world, hoa, right=n != 2)
        assert hoa.last.key == ("practice.wrong" if n == 2 else "practice.right")
        assert "Căn cứ:" in hoa.last.text and "hiệu lực từ" in hoa.last.text and "chưa thẩm định" in hoa.last.text
        await hoa.taps("Câu tiếp")
    assert hoa.last.key == "practice.done" and "4/5" in hoa.last.text
    assert sorted((await record(world, hoa)).values()) == [False, True, True, True, True]
    first = set(await record(world, hoa))
    await hoa.taps("5 câu nữa")
    for _ in range(5):
        await answers(world, hoa, right=True)
        await hoa.taps("Câu tiếp")
    assert len(set(await record(world, hoa)) - first) == 5  # new ones before known ones


@pytest.mark.parametrize("typed", ["tai chinh cong doan", "Cán bộ công đoàn", "thoi gian"])
async def test_a_topic_is_chosen_by_its_name_too(world: World, typed: str) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("on luat")
    await hoa.says(typed)
    assert hoa.last.key == "practice.question"


@pytest.mark.parametrize("typed", ["{}", "{}.", "câu {}", "CAU {}", "đáp án {}", "chọn {}"])
async def test_an_answer_is_a_letter_or_a_number_however_it_is_typed(world: World, typed: str) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    for answer in ("c", "3"):
        await hoa.says("on luat")
        await hoa.says("2")
        async with world.database.read() as session:
            data = (await session.execute(select(Conversation.data))).scalar_one()
        question = world.house.packs.bank.get(data["queue"][0])
        right = data["order"][2] == question.answer
        await hoa.says(typed.format(answer))
        assert hoa.last.key == ("practice.right" if right else "practice.wrong")
        await hoa.says("menu")


async def test_something_else_than_a_letter_is_answered_kindly(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("on luat")
    await hoa.says("1")
    for text in ("em không biết", "e", "6", "AB"):
        await hoa.says(text)
        if text == "e":
            assert hoa.last.key == "practice.home"  # the fifth option is to stop, and nothing was answered yet
            await hoa.says("1")
            continue
        assert hoa.last.key == "common.choose_letter" and len(hoa.last.choices) == 5
    assert await record(world, hoa) == {}


async def test_a_second_tap_on_an_answered_question_counts_once(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("on luat")
    await hoa.says("1")
    asked = hoa.last
    await hoa.presses(asked.choices[0].data(asked.message.screen))
    before = await record(world, hoa)
    await hoa.presses(asked.choices[1].data(asked.message.screen))
    assert await record(world, hoa) == before and len(before) == 1


async def test_a_wrong_answer_comes_again_until_it_is_right(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("on luat")
    assert not any(choice.key == "wrong" for choice in hoa.last.choices)
    await hoa.says("2")
    for _ in range(2):
        await answers(world, hoa, right=False)
        await hoa.taps("Câu tiếp")
    await hoa.taps("Nghỉ")
    await hoa.taps("Chủ đề khác")
    assert "🔁 Câu tôi từng sai (2)" in hoa.last.labels
    await hoa.says("cau toi tung sai")
    assert "Câu tôi từng sai" in hoa.last.text and "Câu 1/2" in hoa.last.text
    await answers(world, hoa, right=False)
    await hoa.taps("Câu tiếp")
    await answers(world, hoa, right=True)
    await hoa.taps("Câu tiếp")
    assert hoa.last.key == "practice.done" and "1/2" in hoa.last.text
    await hoa.taps("again")
    assert "Câu 1/1" in hoa.last.text
    await answers(world, hoa, right=True)
    await hoa.taps("Câu tiếp")
    await hoa.taps("again")
    assert hoa.last.key == "practice.none_wrong"
    assert set((await record(world, hoa)).values()) == {True}


async def test_one_may_stop_at_any_time_and_hears_how_it_went(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("on luat")
    await hoa.says("1")
    await answers(world, hoa, right=True)
    await hoa.taps("Câu tiếp")
    await hoa.says("nghi")
    assert hoa.last.key == "practice.done" and "1/1" in hoa.last.text
    await hoa.says("on luat")
    await hoa.says("1")
    await hoa.taps("Nghỉ")
    assert hoa.last.key == "practice.home"


# ---------------------------------------------------------------------------------------------------- what is asked


async def test_topics_with_fewer_than_five_usable_questions_are_not_shown(world: World) -> None:
    wages = [q.id for q in world.house.packs.bank.questions if q.topic == "wages"][:4]
    packs = only(world.house.packs, lambda q: q.topic == "officers" or q.id in wages)
    world.house = replace(world.house, packs=packs)
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("on luat")
    assert [c.key for c in hoa.last.choices if c.key] == ["topic-officers"]


async def test_without_any_topic_practice_is_not_offered(world: World) -> None:
    world.house = replace(world.house, packs=only(world.house.packs, lambda q: False))
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("menu")
    assert not hoa.last.offers("Ôn luật")


async def test_only_questions_in_force_are_asked(world: World) -> None:
    """Law 50/2024 is in force from 01/7/2025: before, none of its questions may come, and none after its end."""
    hoa = await world.joined("Bùi Thị Hoa")
    world.now = world.now.replace(month=6, day=30)
    before = {
        topic for topic in world.house.packs.bank.topics if world.house.packs.bank.usable(topic, date(2025, 6, 30))
    }
    await hoa.says("on luat")
    offered = {c.key.removeprefix("topic-") for c in hoa.last.choices if c.key.startswith("topic-")}
    assert offered <= before and "membership" not in offered
    ended = only(world.house.packs, lambda q: q.topic == "officers", valid_to=date(2025, 7, 24))
    world.house = replace(world.house, packs=ended)
    world.now = world.now.replace(month=7, day=25)
    await hoa.says("on luat")
    assert not any(c.key.startswith("topic-") for c in hoa.last.choices)


async def test_a_question_that_goes_out_of_force_or_is_taken_out_meanwhile_is_left_out(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("on luat")
    await hoa.says("1")
    async with world.database.read() as session:
        queue = (await session.execute(select(Conversation.data))).scalar_one()["queue"]
    whole = world.house.packs
    world.house = replace(world.house, packs=only(whole, lambda q: q.id != queue[0]))
    await hoa.says("a")
    assert hoa.last.key == "practice.question" and "Câu 1/4" in hoa.last.text
    assert await record(world, hoa) == {}
    await answers(world, hoa, right=True)
    world.house = replace(world.house, packs=only(whole, lambda q: q.id not in queue))
    await hoa.taps("Câu tiếp")
    assert hoa.last.key == "practice.done" and "1/1" in hoa.last.text


async def test_without_joining_one_may_practise_and_nothing_is_kept(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("xin chào")
    await hoa.taps("Xem thử trước")
    await hoa.taps("Ôn luật")
    await hoa.says("1")
    await answers(world, hoa, right=False)
    assert not any(choice.key == "report" for choice in hoa.last.choices)
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(PracticeAnswer))).scalar_one() == 0


async def test_the_options_are_not_always_in_the_same_order(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    orders = set()
    for _ in range(6):
        await hoa.says("/onluat")
        await hoa.says("2")
        async with world.database.read() as session:
            orders.add(tuple((await session.execute(select(Conversation.data))).scalar_one()["order"]))
        await hoa.says("menu")
    assert len(orders) > 1


def test_every_question_and_its_explanation_fit_a_screen(world: World) -> None:
    words = world.house.words
    for q in world.house.packs.bank.questions:
        asked = words.text(
            "practice.question", i=5, n=5, topic="Quyền gia nhập và quyền lợi đoàn viên", stem=q.stem, options=q.options
        )
        told = words.text(
            "practice.wrong",
            letter="A",
            answer=q.options[q.answer],
            explanation=q.explanation,
            citation=q.citation,
            reviewed=False,
        )
        assert len(asked) <= 700 and len(told) <= 700, (q.id, len(asked), len(told))


async def test_a_button_that_names_a_topic_begins_with_its_questions(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.presses("c:onluat:wages")
    assert hoa.last.key == "practice.question" and world.house.packs.bank.title("wages") in hoa.last.text
    await hoa.presses("c:onluat:no-such-topic")
    assert hoa.last.key == "practice.home"
