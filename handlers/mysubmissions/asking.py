"""What an author says about a report after it was sent: asking about its outcome."""

from __future__ import annotations

from content.message import Message
from content.text import clean, letters
from db import reviews, submissions
from db.models import DECIDED, Submission
from handlers.dialogue import END, Again, Answer, Command, Kind, Move
from handlers.mysubmissions.flow import dialogue
from handlers.talk import Talk


def _may_ask(submission: Submission) -> bool:
    return submission.status in DECIDED


async def begin_question(talk: Talk, arg: str) -> Move | None:
    """The author asks about an outcome; one question at a time, so that none is overlooked."""
    submission = await submissions.find_own(talk.session, talk.me.id, arg)
    if not _may_ask(submission):
        talk.say("mysubmissions.question_early")
    elif submission.question_at is not None:
        talk.say("mysubmissions.question_waits")
    else:
        return dialogue.go("question", code=submission.code)
    return None


@dialogue.ask("question", Kind.TEXT)
async def ask_question(talk: Talk) -> Message:
    return talk.screen("mysubmissions.question", code=talk.data["code"])


@dialogue.take("question")
async def take_question(talk: Talk, answer: Answer) -> Move | str:
    text = clean(answer.text)
    if not 5 <= letters(text) <= 500:
        raise Again("mysubmissions.question_length", n=letters(text))
    submission = await submissions.find_own(talk.session, talk.me.id, talk.data["code"])
    await submissions.ask_back(talk.session, submission, text, talk.now)
    for person_id in await reviews.who_answers(talk.session, submission):
        await talk.tell(
            person_id, "mysubmissions.question_notice", gently=True, code=submission.code, title=submission.title,
            text=text, version=submission.version,
        )  # fmt: skip
    talk.say("mysubmissions.question_sent", code=submission.code)
    return END


COMMANDS = (Command("hoilai", begin_question),)
