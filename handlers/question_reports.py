"""Law questions that somebody says are wrong: those who answer for them see what waits, and answer."""

from __future__ import annotations

import re

from content.message import Choice, Message
from content.quiz import Question
from content.text import clean, letters
from db import contests, policy, practice, units, verdicts
from db.errors import Conflict, Refused
from db.models import QuestionReport, RoundState
from db.policy import Action
from handlers.dialogue import Again, Answer, Command, Dialogue, Kind, Move, Place
from handlers.paging import page, picked
from handlers.talk import Talk

dialogue = Dialogue("question_reports", officers=True)

PAGE = 5
LINE = 60
ANSWER = (5, 500)
"""Fewest and most letters of an answer."""


async def tell_owners(talk: Talk, row: QuestionReport, question: Question) -> None:
    """Those who answer for the questions hear of a report."""
    top = await units.top(talk.session)
    for owner in await policy.anyone(talk.session, top.id, Action.ANSWER_REPORTS) if top is not None else ():
        await talk.tell(
            owner,
            "question_reports.notice",
            dedup=f"question-report:{row.id}:{owner}",
            number=row.id,
            id=question.id,
            text=row.text,
            stem=question.stem,
            citation=question.citation,
            due=row.due_at,
        )


async def may_answer(talk: Talk) -> bool:
    """Whether this person answers for the questions."""
    return await talk.may(Action.ANSWER_REPORTS)


async def waiting(talk: Talk) -> str:
    """The officer's line about reports that wait."""
    rows = await practice.list_open(talk.session) if await may_answer(talk) else []
    late = sum(row.due_at < talk.now for row in rows)
    return talk.words("question_reports.waiting", n=len(rows), late=late) if rows else ""


async def _check(talk: Talk) -> None:
    if not await may_answer(talk):
        raise Refused("common.refused")


async def show(talk: Talk, arg: str) -> Move | None:
    """What waits, or one report by its number."""
    await _check(talk)
    if re.fullmatch(r"[0-9]{1,9}", arg):
        return dialogue.go("one", number=(await practice.get_report(talk.session, int(arg))).id)
    return dialogue.go("list", start=0)


@dialogue.ask("list")
async def ask_list(talk: Talk) -> Message:
    await _check(talk)
    shown, without = page(talk, await practice.list_open(talk.session), PAGE)
    lines = [(row.question, row.text[:LINE], row.due_at, row.due_at < talk.now) for row in shown]
    choices = [Choice(str(n + 1), f"r-{row.id}") for n, row in enumerate(shown)]
    return talk.screen("question_reports.list", *choices, without=without, lines=lines)


@dialogue.take("list")
async def take_list(talk: Talk, answer: Answer) -> Move | str:
    return picked(talk, answer, "number", "one")


@dialogue.ask("one")
async def ask_one(talk: Talk) -> Message:
    await _check(talk)
    row = await practice.get_report(talk.session, talk.data["number"])
    question = talk.house.packs.bank.find(row.question)
    void = question is not None and await verdicts.is_void(talk.session, question.id, question.text)
    without = ["answer"] if row.done_at is not None else []
    without += ["void"] if question is None or void else []
    return talk.screen(
        "question_reports.one",
        without=without,
        void=void,
        id=row.question,
        due=row.due_at,
        stem=_stem(talk, row),
        answer=question.options[question.answer] if question is not None else "",
        citation=question.citation if question is not None else "",
        text=row.text,
        done=row.answer,
    )


def _stem(talk: Talk, row: QuestionReport) -> str:
    question = talk.house.packs.bank.find(row.question)
    return question.stem if question is not None else talk.words("question_reports.gone")


@dialogue.take("one")
async def take_one(talk: Talk, answer: Answer) -> Move | str:
    return answer.choice


@dialogue.question("answer", "question_reports.answer", Kind.TEXT)
async def take_answer(talk: Talk, answer: Answer) -> Move | str:
    text = clean(answer.text)
    if not ANSWER[0] <= letters(text) <= ANSWER[1]:
        raise Again("question_reports.answer_length", n=letters(text))
    try:
        row = await practice.answer_report(talk.session, talk.me.id, talk.data["number"], text, talk.now)
    except Conflict:
        talk.say("question_reports.answered_already", typed=text)
        return "one"
    if row.person_id is not None:
        dedup = f"question-answer:{row.id}"
        await talk.tell(row.person_id, "question_reports.reply", dedup=dedup, stem=_stem(talk, row), answer=text)
    talk.say("question_reports.answered")
    return "list"


@dialogue.question("void", "question_reports.void", Kind.TEXT)
async def take_void(talk: Talk, answer: Answer) -> Move | str:
    text = clean(answer.text)
    if not ANSWER[0] <= letters(text) <= ANSWER[1]:
        raise Again("question_reports.answer_length", n=letters(text))
    talk.put(reason=text)
    return "sure"


@dialogue.ask("sure")
async def ask_sure(talk: Talk) -> Message | str:
    """What follows, before it does: results are counted anew. How many papers there are nobody hears of an open round."""
    await _check(talk)
    row = await practice.get_report(talk.session, talk.data["number"])
    question = talk.house.packs.bank.find(row.question)
    if question is None:
        return "one"
    lines = []
    for _, round_ in await contests.list_asking(talk.session, question.id, question.stem, talk.now):
        contest = await contests.get_contest(talk.session, round_.contest_id)
        counted = round_.state == RoundState.PUBLISHED
        n = await contests.count_asked(talk.session, round_.id, question.id) if counted else None
        lines.append((contest.name, round_.number, n))
    return talk.screen("question_reports.void_sure", stem=question.stem, reason=talk.data["reason"], lines=lines)


@dialogue.take("sure")
async def take_sure(talk: Talk, answer: Answer) -> Move | str:
    """The question is asked no more, contests that are not settled count it as right for all, and whoever reported it hears why."""
    row = await practice.get_report(talk.session, talk.data["number"])
    question = talk.house.packs.bank.find(row.question)
    if question is None or answer.choice == "no":
        return "one"
    text = talk.data["reason"]
    try:
        await verdicts.void(talk.session, talk.me.id, question.id, question.text, talk.me.name, text, talk.now)
    except Conflict as error:
        talk.say(error.key, typed=text)
        return "one"
    rounds = await contests.void_wherever(talk.session, question.id, question.stem, text, talk.me.id, talk.now)
    if row.done_at is None:
        await practice.answer_report(talk.session, talk.me.id, row.id, text, talk.now)
        if row.person_id is not None:
            dedup = f"question-answer:{row.id}"
            await talk.tell(row.person_id, "question_reports.void_reply", dedup=dedup, stem=question.stem, answer=text)
    talk.say("question_reports.voided", rounds=len(rounds))
    return "list"


DIALOGUES = (dialogue,)
OFFICER_WORK = (waiting,)
COMMANDS = (Command("baosai", show, place=Place.OFFICER, visible=may_answer),)
