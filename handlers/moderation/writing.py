"""What takes words: asking for more, not choosing, writing to an author, taking an end up again; and notes."""

from __future__ import annotations

from typing import Any

from content.message import Message
from content.text import clean, letters
from db import exchange, queue, reviews, submissions, unsent
from db.errors import Conflict, Refused
from db.models import Status, Submission, Track
from handlers.dialogue import Again, Answer, Command, Kind, Move
from handlers.meaning import numbers
from handlers.moderation.flow import (
    card,
    carry_out,
    dialogue,
    fresh,
    split,
    tell_author,
    tell_coauthors,
    until,
)  # fmt: skip
from handlers.moderation.reading import cut
from handlers.report.sending import due
from handlers.talk import Talk

TEMPLATES = {"ask": 8, "reject": 7, "deed_ask": 4, "deed_reject": 4}
"""How many sentences are ready; a good deed has none about numbers and benefits."""

SHOWN = 300
"""Characters of what was written that a question repeats; the preview shows all of it."""


async def _begin(talk: Talk, arg: str, kind: str) -> Move:
    """Opens the question for words if the report still stands as the button saw it.

    Nobody else should write about it meanwhile, so what nobody holds is claimed first.
    """
    submission = await fresh(talk, arg)
    if submission is None:
        return card(split(arg)[0])
    if submission.status == Status.SENT:
        await reviews.claim(talk.session, submission, talk.me.id, submission.version, until(talk), talk.now)
        await reviews.seen(talk.session, submission, talk.me.id)
    return _words(submission, kind)


def _words(submission: Submission, kind: str) -> Move:
    args = [f"{submission.code}.{submission.version}"]
    return dialogue.go("words", args=args, code=submission.code, writes=kind, deed=submission.track == Track.GOOD_DEED)


async def begin_ask(talk: Talk, arg: str) -> Move | None:
    return await _begin(talk, arg, "ask")


async def begin_reject(talk: Talk, arg: str) -> Move | None:
    return await _begin(talk, arg, "reject")


async def begin_answer(talk: Talk, arg: str) -> Move | None:
    return await _begin(talk, arg, "answer")


async def begin_contact(talk: Talk, arg: str) -> Move | None:
    """A line to the author; unlike the others it claims nothing, for nothing is decided by it."""
    submission = await fresh(talk, arg)
    if submission is None:
        return card(split(arg)[0])
    if not exchange.may_contact(submission, talk.me.id):
        raise Conflict("moderation.moved_on")
    if not await exchange.can_hear(talk.session, submission):
        talk.say("moderation.unreachable", code=submission.code)
        return None
    return _words(submission, "contact")


async def begin_reopen(talk: Talk, arg: str) -> Move | None:
    submission = await queue.get_visible(talk.session, talk.me.id, split(arg)[0])
    if submission.version == split(arg)[1] and not await reviews.may_reopen(talk.session, talk.me.id, submission):
        raise Refused("moderation.not_above")
    return await _begin(talk, arg, "reopen")


def _templates(talk: Talk) -> list[str]:
    kind = ("deed_" if talk.data.get("deed") else "") + talk.data["writes"]
    return [talk.words(f"moderation.template_{kind}_{n}") for n in range(1, TEMPLATES.get(kind, 0) + 1)]


def _chosen(text: str, templates: list[str]) -> str:
    """Numbers stand for the sentences that are ready; anything else is the reviewer's own words."""
    typed = clean(text)
    if templates and (chosen := numbers(typed)):
        if not all(1 <= n <= len(templates) for n in chosen):
            raise Again("moderation.number", most=len(templates))
        return " ".join(templates[n - 1] for n in dict.fromkeys(chosen))
    if not 5 <= letters(typed) <= 500:
        raise Again("moderation.length", n=letters(typed))
    return typed


def _about(talk: Talk) -> str:
    return " ".join([talk.data["writes"], *(split(arg)[0] for arg in talk.data["args"])])


@dialogue.ask("words", Kind.TEXT)
async def ask_words(talk: Talk) -> Message:
    """What is to be said; words that were left unsent about the very same are still there."""
    submission = await queue.get_visible(talk.session, talk.me.id, talk.data["code"])
    events = await submissions.list_events(talk.session, submission.id, internal=False)
    written = await unsent.kept(talk.session, talk.me.id, dialogue.name, _about(talk))
    return talk.screen(
        f"moderation.write_{talk.data['writes']}",
        without=() if written else ("use",),
        code=submission.code,
        others=len(talk.data["args"]) - 1,
        lines=_templates(talk),
        question=cut(next((e.text for e in reversed(events) if e.action in ("question", "replied")), ""), SHOWN),
        written=cut(written, SHOWN),
    )


@dialogue.take("words")
async def take_words(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "use":
        talk.put(text=await unsent.kept(talk.session, talk.me.id, dialogue.name, _about(talk)))
        return "preview"
    text = _chosen(answer.text, _templates(talk))
    await unsent.keep(talk.session, talk.me.id, dialogue.name, _about(talk), text, talk.now)
    talk.put(text=text)
    return "preview"


def _notice(talk: Talk, submission: Submission) -> dict[str, Any]:
    return {"text": talk.data["text"], "good_deed": submission.track == Track.GOOD_DEED}


@dialogue.ask("preview")
async def ask_preview(talk: Talk) -> Message:
    """The very words the author will read."""
    submission = await queue.get_visible(talk.session, talk.me.id, talk.data["code"])
    key = f"moderation.notice_{talk.data['writes']}"
    message = talk.house.words.plain(key, code=submission.code, title=submission.title, **_notice(talk, submission))
    return talk.screen("moderation.preview", message=message, others=len(talk.data["args"]) - 1)


@dialogue.take("preview")
async def take_preview(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "edit":
        return "words"
    if answer.choice == "stop":
        return "batch" if len(talk.data["args"]) > 1 else "card"
    onwards = await carry_out(talk, _write, f"moderation.done_{talk.data['writes']}", talk.data["text"])
    return card(talk.data["code"]) if talk.data["writes"] in ("reopen", "contact") else onwards


async def _write(talk: Talk, submission: Submission, version: int) -> None:
    """Does what was written for, and sends the words to the author; from here on they are not unsent any more."""
    kind, text, me = talk.data["writes"], talk.data["text"], talk.me.id
    if kind == "ask":
        await reviews.ask(talk.session, submission, me, version, text, until(talk), talk.now)
    elif kind == "reject":
        await reviews.reject(talk.session, submission, me, version, text, talk.now)
    elif kind == "answer":
        await exchange.answer(talk.session, submission, me, text, talk.now)
    elif kind == "contact":
        await exchange.contact(talk.session, submission, me, text, talk.now)
    else:
        await reviews.reopen(
            talk.session, submission, me, version, text, due_at=due(talk, submission.track), lapses_at=until(talk),
            now=talk.now,
        )  # fmt: skip
        await tell_coauthors(talk, submission, "moderation.notice_reopen", **_notice(talk, submission))
    await unsent.keep(talk.session, me, dialogue.name, _about(talk), "", talk.now)
    moved = kind not in ("answer", "contact")
    await tell_author(talk, submission, f"moderation.notice_{kind}", moved=moved, **_notice(talk, submission))


# ---------------------------------------------------------------------------------------------------- notes


async def begin_note(talk: Talk, arg: str) -> Move | None:
    submission = await queue.get_visible(talk.session, talk.me.id, split(arg)[0])
    await reviews.check(talk.session, talk.me.id, submission)
    return dialogue.go("note", code=submission.code)


@dialogue.ask("note", Kind.TEXT)
async def ask_note(talk: Talk) -> Message:
    submission = await queue.get_visible(talk.session, talk.me.id, talk.data["code"])
    return talk.screen("moderation.note", code=submission.code)


@dialogue.take("note")
async def take_note(talk: Talk, answer: Answer) -> Move | str:
    text = clean(answer.text)
    if not 3 <= letters(text) <= 500:
        raise Again("moderation.note_length", n=letters(text))
    submission = await queue.get_visible(talk.session, talk.me.id, talk.data["code"])
    await reviews.note(talk.session, submission, talk.me.id, text, talk.now)
    talk.say("moderation.noted")
    return "card"


COMMANDS = (
    Command("canbosung", begin_ask),
    Command("khongchon", begin_reject),
    Command("traloihoi", begin_answer),
    Command("lienhe", begin_contact),
    Command("xetlai", begin_reopen),
    Command("ghichu", begin_note),
)
