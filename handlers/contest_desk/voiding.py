"""A question of a published round turns out to be wrong: which one, why, and what follows, before it is right for everybody."""

from __future__ import annotations

from content.message import Choice, Message
from content.text import clean, fold
from db import contests
from db.errors import Conflict, NotFound
from db.models import RoundQuestion
from handlers.contest_desk.after import PAGE, changeable, read_reason
from handlers.contest_desk.flow import dialogue
from handlers.dialogue import END, Again, Answer, Command, Kind, Move
from handlers.talk import Talk


async def begin_void(talk: Talk, arg: str) -> Move | None:
    """To the question which of the questions is wrong."""
    round_ = await changeable(talk, arg)
    return dialogue.go("which", round=round_.id) if round_ is not None else None


@dialogue.question("which", "contest_desk.which", Kind.TEXT)
async def take_which(talk: Talk, answer: Answer) -> Move | str:
    wanted = fold(clean(answer.text)).strip()
    known = await contests.list_questions(talk.session, talk.data["round"])
    found = [row for row in known if wanted in (row.question, fold(row.stem))] or [
        row for row in known if len(wanted) >= 3 and wanted in fold(row.stem)
    ]
    if not found:
        raise Again("contest_desk.which_none")
    talk.put(questions=[row.question for row in found[:PAGE]])
    return "which_one"


@dialogue.ask("which_one", aside=True)
async def ask_which_one(talk: Talk) -> Message:
    shown = [await _question(talk, name) for name in talk.data["questions"]]
    choices = [Choice(str(n + 1), f"q-{n}") for n in range(len(shown))]
    return talk.screen("contest_desk.which_one", *choices, lines=[(row.question, row.stem) for row in shown])


async def _question(talk: Talk, name: str) -> RoundQuestion:
    for row in await contests.list_questions(talk.session, talk.data["round"]):
        if row.question == name:
            return row
    raise NotFound("common.not_found")


@dialogue.take("which_one")
async def take_which_one(talk: Talk, answer: Answer) -> Move | str:
    talk.put(question=talk.data["questions"][int(answer.choice.removeprefix("q-"))])
    return "void"


@dialogue.ask("void", Kind.TEXT)
async def ask_void(talk: Talk) -> Message:
    return talk.screen("contest_desk.void_why", stem=(await _question(talk, talk.data["question"])).stem)


@dialogue.take("void")
async def take_void(talk: Talk, answer: Answer) -> Move | str:
    talk.put(reason=read_reason(answer.text))
    return "sure"


@dialogue.ask("sure")
async def ask_sure(talk: Talk) -> Message:
    """What follows, before it does: it is told to people, so it cannot be taken back."""
    round_ = await contests.get_round(talk.session, talk.data["round"])
    question = await _question(talk, talk.data["question"])
    n = await contests.count_asked(talk.session, round_.id, question.question)
    return talk.screen(
        "contest_desk.void_sure",
        week=await contests.week_of(talk.session, round_),
        stem=question.stem,
        reason=talk.data["reason"],
        n=n,
    )


@dialogue.take("sure")
async def take_sure(talk: Talk, answer: Answer) -> Move | str:
    round_ = await contests.get_round(talk.session, talk.data["round"])
    if answer.choice == "no":
        talk.say("contest_desk.void_not", id=round_.id)
        return END
    question, reason = talk.data["question"], talk.data["reason"]
    try:
        await contests.void_question(talk.session, round_, question, reason, talk.me.id, talk.now)
    except Conflict:
        first = (await _question(talk, question)).reason
        talk.say("contest_desk.void_already", id=round_.id, reason=first, typed=reason)
        return END
    talk.say("contest_desk.voided", id=round_.id, week=await contests.week_of(talk.session, round_))
    return END


COMMANDS = (Command("loaicau", begin_void),)
