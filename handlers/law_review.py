"""Law questions that nobody has reviewed: one by one, or a list at once; a named person says they are right or sends them back."""

from __future__ import annotations

from content.message import Choice, Message
from content.quiz import Question
from content.text import clean, fold, letters
from db import verdicts
from db.models import Verdict
from db.policy import Action
from handlers.dialogue import Again, Answer, Command, Dialogue, Kind, Move, Place
from handlers.meaning import words_of
from handlers.paging import page, turn
from handlers.talk import Talk

dialogue = Dialogue("law_review", officers=True)

TOPICS = 5
LIST = 5
"""Questions that are approved together at most."""
ROOM = 1000
"""Characters of one screen (4-conversation 4.0): of long questions fewer are shown together."""
NOTE = (5, 500)
"""Fewest and most letters of what is to be mended."""


async def may_review(talk: Talk) -> bool:
    """Whether this person reviews questions of law."""
    return await talk.may(Action.REVIEW_LAW)


async def _unread(talk: Talk, topic: str = "") -> list[Question]:
    """What nobody has said anything of as it stands, in force or not yet, and not one's own."""
    bank = talk.house.packs.bank
    standing = bank.standing(await verdicts.list_verdicts(talk.session))
    said, own = standing.approved | standing.out, fold(talk.me.name)
    return [
        question
        for question in bank.questions
        if topic in ("", question.topic)
        and question.id not in said
        and (question.valid_to is None or question.valid_to >= talk.today)
        and fold(question.author) != own
    ]


async def waiting(talk: Talk) -> str:
    """The officer's line about questions that nobody has reviewed."""
    found = await _unread(talk) if await may_review(talk) else []
    return talk.words("law_review.waiting", n=len(found)) if found else ""


async def show(talk: Talk, arg: str) -> Move | None:
    """What waits, by topic; or the questions of the topic that a button names."""
    await verdicts.check(talk.session, talk.me.id)
    if arg in talk.house.packs.bank.topics:
        return dialogue.go("one", topic=arg, skipped=[])
    return dialogue.go("home", start=0)


@dialogue.ask("home")
async def ask_home(talk: Talk) -> Message:
    await verdicts.check(talk.session, talk.me.id)
    bank = talk.house.packs.bank
    unread = await _unread(talk)
    counted = [(topic, sum(question.topic == topic for question in unread)) for topic in bank.topics]
    shown, without = page(talk, [(topic, n) for topic, n in counted if n], TOPICS)
    choices = [
        Choice(str(i), f"topic-{topic}", words=words_of(bank.title(topic))) for i, (topic, _) in enumerate(shown, 1)
    ]
    lines = [(bank.title(topic), n) for topic, n in shown]
    return talk.screen("law_review.home", *choices, without=without, n=len(unread), lines=lines)


@dialogue.take("home")
async def take_home(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "more":
        return turn(talk)
    talk.put(topic=answer.choice.removeprefix("topic-"), skipped=[])
    return "one"


@dialogue.ask("one")
async def ask_one(talk: Talk) -> Message | str:
    await verdicts.check(talk.session, talk.me.id)
    left = [q for q in await _unread(talk, talk.data["topic"]) if q.id not in talk.data["skipped"]]
    if not left:
        talk.say("law_review.done", title=talk.house.packs.bank.title(talk.data["topic"]))
        return "home"
    question = left[0]
    talk.put(shown=[[question.id, question.text]])
    return talk.screen(
        "law_review.one",
        without=() if len(left) > 1 else ("list",),
        title=talk.house.packs.bank.title(question.topic),
        n=len(left),
        id=question.id,
        stem=question.stem,
        options=question.options,
        right=question.answer,
        explanation=question.explanation,
        says=question.says,
        fact=question.fact,
        citation=question.citation,
        read=question.checked,
    )


@dialogue.take("one")
async def take_one(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice in ("mend", "list"):
        return {"mend": "note", "list": "list"}[answer.choice]
    if answer.choice == "right":
        await _give(talk, Verdict.APPROVED)
    else:
        talk.put(skipped=[*talk.data["skipped"], *(name for name, _ in talk.data["shown"])])
    return "one"  # a screen of its own: a second tap of the thumb must not judge what nobody has read yet


async def _give(talk: Talk, verdict: Verdict, note: str = "") -> int:
    """Says it of what was shown, in the words in which it was shown."""
    if not talk.me.name.strip():
        raise Again("law_review.no_name")
    shown = [(name, text) for name, text in talk.data["shown"]]
    return await verdicts.give(talk.session, shown, verdict, talk.me.name, talk.now, talk.me.id, note)


@dialogue.question("note", "law_review.note", Kind.TEXT)
async def take_note(talk: Talk, answer: Answer) -> Move | str:
    text = clean(answer.text)
    if not NOTE[0] <= letters(text) <= NOTE[1]:
        raise Again("law_review.note_length", n=letters(text))
    await _give(talk, Verdict.RETURNED, text)
    talk.say("law_review.returned")
    return "one"


@dialogue.ask("list")
async def ask_list(talk: Talk) -> Message | str:
    await verdicts.check(talk.session, talk.me.id)
    left = [q for q in await _unread(talk, talk.data["topic"]) if q.id not in talk.data["skipped"]]
    if not left:
        return "one"
    lines = [(q.id, q.stem, q.options[q.answer], q.citation) for q in left[:LIST]]
    while True:
        screen = talk.screen("law_review.list", n=len(left), lines=lines)
        if len(screen.text) <= ROOM or len(lines) == 1:
            break
        lines.pop()
    talk.put(shown=[[question.id, question.text] for question in left[: len(lines)]])
    return screen


@dialogue.take("list")
async def take_list(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "all":
        talk.say("law_review.approved", n=await _give(talk, Verdict.APPROVED))
        return "list"
    return "one"


DIALOGUES = (dialogue,)
OFFICER_WORK = (waiting,)
COMMANDS = (Command("soatluat", show, place=Place.OFFICER, visible=may_review),)
