"""What an author says about a report after it was sent: asking, answering a line from the union, sharing good news."""

from __future__ import annotations

from content.message import Message
from content.text import clean, letters
from db import exchange, submissions
from db.models import DECIDED, Status, Submission
from handlers import supplement
from handlers.dialogue import END, Again, Answer, Command, Kind, Move
from handlers.mysubmissions.flow import dialogue
from handlers.talk import Talk


async def begin(talk: Talk, arg: str) -> Move | None:
    """Answers a line from the union, or asks about an outcome: one question at a time, so that none is overlooked."""
    submission = await submissions.find_own(talk.session, talk.me.id, arg)
    if await exchange.may_reply(talk.session, submission):
        return dialogue.go("reply", code=submission.code)
    if submission.status == Status.NEED_INFO:
        return await supplement.begin(talk, submission.code)
    if submission.status not in DECIDED:
        talk.say("mysubmissions.question_early")
    elif submission.question_at is not None:
        talk.say("mysubmissions.question_waits")
    else:
        return dialogue.go("question", code=submission.code)
    return None


def _said(answer: Answer) -> str:
    text = clean(answer.text)
    if not 2 <= letters(text) <= 500:
        raise Again("mysubmissions.question_length", n=letters(text))
    return text


@dialogue.ask("question", Kind.TEXT)
async def ask_question(talk: Talk) -> Message:
    return talk.screen("mysubmissions.question", code=talk.data["code"])


@dialogue.take("question")
async def take_question(talk: Talk, answer: Answer) -> Move | str:
    text = _said(answer)
    submission = await submissions.find_own(talk.session, talk.me.id, talk.data["code"])
    await exchange.ask_back(talk.session, submission, text, talk.now)
    await _tell(talk, submission, "question", text)
    return END


@dialogue.ask("reply", Kind.TEXT)
async def ask_reply(talk: Talk) -> Message:
    submission = await submissions.find_own(talk.session, talk.me.id, talk.data["code"])
    last = await exchange.last_word(talk.session, submission)
    said = last.text if last is not None and last.action == "contacted" else ""
    return talk.screen("mysubmissions.reply", code=submission.code, said=said)


@dialogue.take("reply")
async def take_reply(talk: Talk, answer: Answer) -> Move | str:
    text = _said(answer)
    submission = await submissions.find_own(talk.session, talk.me.id, talk.data["code"])
    await exchange.reply(talk.session, submission, text, talk.now)
    await _tell(talk, submission, "reply", text)
    return END


async def _tell(talk: Talk, submission: Submission, kind: str, text: str) -> None:
    """Brings the author's words to who holds it or wrote last, and says that they are on their way."""
    for person_id in await exchange.who_answers(talk.session, submission):
        await talk.tell(
            person_id, f"mysubmissions.{kind}_notice", without=() if submission.question_at else ("answer",),
            code=submission.code, title=submission.title, text=text, version=submission.version,
        )  # fmt: skip
    talk.say(f"mysubmissions.{kind}_sent", code=submission.code)


async def share(talk: Talk, arg: str) -> Move | None:
    """The author agrees that the team's leader hears the good news: this press is the agreement, for this once."""
    submission = await submissions.find_own(talk.session, talk.me.id, arg)
    for person_id in await exchange.share(talk.session, submission, talk.now):
        await talk.tell(
            person_id, "mysubmissions.leader_notice", kind="result", dedup=f"leader:{submission.id}:{person_id}",
            code=submission.code, title=submission.title, author=talk.me.name,
        )  # fmt: skip
    talk.say("mysubmissions.leader_told")
    return None


COMMANDS = (Command("hoilai", begin), Command("baototruong", share))
