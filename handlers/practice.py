"""Practising law: a topic, five questions, each answer with its article; wrong ones come again."""

from __future__ import annotations

from datetime import UTC, datetime, time

from content.calendar import LOCAL, add_working_days
from content.message import Choice, Message
from content.quiz import Question, Standing
from content.text import clean_line, letters
from db import practice, verdicts
from db.models import Verdict
from handlers import question_reports
from handlers.dialogue import Again, Answer, Command, Dialogue, Kind, Move, Place
from handlers.meaning import words_of
from handlers.paging import page, turn
from handlers.talk import Talk

dialogue = Dialogue("practice")

SIZE = 5
TOPICS = 5
WRONG = "wrong"
REPORT_DAYS = 3


async def show(talk: Talk, arg: str) -> Move | None:
    """The topics, or the questions of the one that a button names."""
    return dialogue.go("home", start=0, wanted=arg)


async def _answers(talk: Talk) -> dict[str, tuple[bool, datetime]]:
    return await practice.list_answers(talk.session, talk.me.id) if talk.person is not None else {}


async def _standing(talk: Talk) -> Standing:
    """What people have said about the questions as they stand."""
    return talk.house.packs.bank.standing(await verdicts.list_verdicts(talk.session))


async def _topics(talk: Talk) -> list[str]:
    return talk.house.packs.bank.shown_topics(talk.today, await _standing(talk), hide=talk.house.hide_unreviewed)


async def _wrong(talk: Talk) -> list[Question]:
    """Questions answered wrong the last time and still to be asked, longest ago first."""
    bank, standing, hide = talk.house.packs.bank, await _standing(talk), talk.house.hide_unreviewed
    missed = sorted((at, name) for name, (right, at) in (await _answers(talk)).items() if not right)
    questions = (bank.find(name) for _, name in missed)
    asked = [question for question in questions if question is not None]
    return [question for question in asked if bank.may_ask(question, talk.today, standing, hide=hide)]


@dialogue.ask("home")
async def ask_home(talk: Talk) -> Message | str:
    bank = talk.house.packs.bank
    wanted = talk.data.get("wanted")
    talk.drop("wanted")
    topics = await _topics(talk)
    if wanted in topics:
        return await _begin(talk, wanted)
    shown, without = page(talk, topics, TOPICS)
    wrong = len(await _wrong(talk))
    without += () if wrong else ("wrong",)
    titles = [bank.title(topic) for topic in shown]
    numbers = [
        Choice(str(i), f"topic-{topic}", words=words_of(title))
        for i, (topic, title) in enumerate(zip(shown, titles, strict=True), 1)
    ]
    return talk.screen("practice.home", *numbers, without=without, size=SIZE, lines=titles, k=wrong)


@dialogue.take("home")
async def take_home(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "more":
        return turn(talk)
    topic = WRONG if answer.choice == "wrong" else answer.choice.removeprefix("topic-")
    return await _begin(talk, topic)


async def _begin(talk: Talk, topic: str) -> str:
    bank = talk.house.packs.bank
    if topic == WRONG:
        chosen = (await _wrong(talk))[:SIZE]
        if not chosen:
            raise Again("practice.none_wrong")
    else:
        known = await _answers(talk)
        never = datetime.min.replace(tzinfo=UTC)
        pool = list(bank.usable(topic, talk.today, await _standing(talk), hide=talk.house.hide_unreviewed))
        talk.house.rng.shuffle(pool)
        # New ones first, then those answered longest ago: a second round is not the first one again.
        pool.sort(key=lambda question: known[question.id][1] if question.id in known else never)
        chosen = pool[:SIZE]
        if not chosen:
            raise Again("practice.no_topic")
    talk.put(topic=topic, queue=[question.id for question in chosen], i=0, right=0, order=_shuffled(talk))
    return "question"


def _shuffled(talk: Talk) -> list[int]:
    order = [0, 1, 2, 3]
    talk.house.rng.shuffle(order)
    return order


async def _current(talk: Talk) -> tuple[Question | None, bool]:
    """The question in hand, and whether a named person approved it.

    None after the last one, and for one that was taken out, voided or ran out of force meanwhile.
    """
    queue, i, bank = talk.data["queue"], talk.data["i"], talk.house.packs.bank
    question = bank.find(queue[i]) if i < len(queue) else None
    if question is None:
        return None, False
    said = await verdicts.find(talk.session, question.id, question.text)
    standing = bank.standing([(question.id, question.text, said == Verdict.APPROVED)] if said is not None else [])
    asked = bank.may_ask(question, talk.today, standing, hide=talk.house.hide_unreviewed)
    return (question if asked else None), question.id in standing.approved


@dialogue.ask("question", tested=True)
async def ask_question(talk: Talk) -> Message | str:
    question, _ = await _current(talk)
    if question is None:
        queue, i = talk.data["queue"], talk.data["i"]
        if i >= len(queue):
            return "done"
        talk.put(queue=[*queue[:i], *queue[i + 1 :]])
        return "question"
    topic = talk.data["topic"]
    return talk.screen(
        "practice.question",
        i=talk.data["i"] + 1,
        n=len(talk.data["queue"]),
        topic=talk.words("practice.wrong_title") if topic == WRONG else talk.house.packs.bank.title(topic),
        stem=question.stem,
        options=[question.options[place] for place in talk.data["order"]],
    )


@dialogue.take("question")
async def take_question(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "stop":
        return "done"
    question, _ = await _current(talk)
    if question is None:
        return "question"
    right = talk.data["order"][int(answer.choice)] == question.answer
    if talk.person is not None:
        await practice.record(talk.session, talk.me.id, question.id, right, talk.now)
    talk.put(last=right, right=talk.data["right"] + right)
    return "explained"


@dialogue.ask("explained")
async def ask_explained(talk: Talk) -> Message | str:
    question, reviewed = await _current(talk)
    if question is None:
        return "question"
    key, letter = "practice.right", ""
    if not talk.data["last"]:
        key, letter = "practice.wrong", "ABCD"[talk.data["order"].index(question.answer)]
    return talk.screen(
        key,
        without=() if talk.person is not None else ("report",),  # somebody who only looks leaves nothing
        letter=letter,
        answer=question.options[question.answer],
        explanation=question.explanation,
        citation=question.citation,
        reviewed=reviewed,
    )


@dialogue.take("explained")
async def take_explained(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "report":
        return "report"
    _advance(talk)
    return "done" if answer.choice == "stop" else "question"


def _advance(talk: Talk) -> None:
    talk.put(i=talk.data["i"] + 1, order=_shuffled(talk))


@dialogue.question("report", "practice.report", Kind.TEXT)
async def take_report(talk: Talk, answer: Answer) -> Move | str:
    text = clean_line(answer.text)
    if not 5 <= letters(text) <= 500:
        raise Again("practice.report_short", n=letters(text))
    question = talk.house.packs.bank.find(talk.data["queue"][talk.data["i"]])
    if question is None:
        return "question"
    due = datetime.combine(add_working_days(talk.today, REPORT_DAYS), time(17), LOCAL)
    row = await practice.report(talk.session, talk.me.id, question.id, text, due, talk.now)
    await question_reports.tell_owners(talk, row, question)
    talk.say("practice.reported", due=due)
    _advance(talk)
    return "question"


@dialogue.ask("done")
async def ask_done(talk: Talk) -> Message | str:
    right, total = talk.data["right"], talk.data["i"]
    if not total:
        return "home"
    cheer = "all" if right == total else "most" if right * 2 >= total else "some"
    contest = talk.house.registry.commands["thi"]
    runs = contest.visible is not None and await contest.visible(talk)
    without = () if runs else ("contest",)
    return talk.screen(
        "practice.done", without=without, right=right, n=total, cheer=talk.words(f"practice.cheer_{cheer}")
    )


@dialogue.take("done")
async def take_done(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "home":
        return "home"
    return await _begin(talk, talk.data["topic"])


async def has_topics(talk: Talk) -> bool:
    """Nothing to practise is not offered."""
    if talk.house.hide_unreviewed:
        return bool(await _topics(talk))
    return bool(talk.house.packs.bank.shown_topics(talk.today))


DIALOGUES = (dialogue,)
COMMANDS = (Command("onluat", show, place=Place.MAIN, joined=False, slash=True, visible=has_topics),)
