"""Claiming, asking, accepting, refusing kindly, marking duplicates, notes for colleagues."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from content.calendar import LOCAL, add_working_days
from content.message import Choice, Message
from content.text import clean, letters
from db import reviews, submissions, units
from db.models import Submission
from handlers.dialogue import Again, Answer, Command, Kind, Move
from handlers.moderation.card import likely
from handlers.moderation.flow import card, dialogue, fresh, split
from handlers.talk import Talk

CLAIM_DAYS = 2
ASKS, REASONS = 8, 7


def _until(talk: Talk) -> datetime:
    """The end of a claim: the same hour, two working days on."""
    return datetime.combine(add_working_days(talk.today, CLAIM_DAYS), talk.local.time(), LOCAL)


async def claim(talk: Talk, arg: str) -> Move | None:
    submission = await fresh(talk, arg)
    if submission is not None:
        await reviews.claim(talk.session, submission, talk.me.id, split(arg)[1], _until(talk), talk.now)
        talk.say("moderation.claimed", code=submission.code, until=_until(talk))
    return card(split(arg)[0])


async def give_back(talk: Talk, arg: str) -> Move | None:
    submission = await fresh(talk, arg)
    if submission is None:
        return card(split(arg)[0])
    await reviews.give_back(talk.session, submission, talk.me.id, split(arg)[1], talk.now)
    talk.say("moderation.given_back", code=submission.code)
    return dialogue.go("queue", start=0, filter="all")


async def _open(talk: Talk, arg: str, step: str) -> Move:
    """Opens a question about a report if it still stands as the button saw it."""
    submission = await fresh(talk, arg)
    return dialogue.go(step, arg=arg, code=split(arg)[0], text="") if submission is not None else card(split(arg)[0])


async def tell_authors(talk: Talk, submission: Submission, key: str, **params: Any) -> None:
    """Says an outcome to the author and to every co-author who uses the bot and did not deny it."""
    told = {submission.author_id}
    for coauthor in await submissions.list_coauthors(talk.session, submission.id):
        if coauthor.person_id is not None and coauthor.confirmed is not False:
            told.add(coauthor.person_id)
    for person_id in sorted(told):
        await talk.tell(
            person_id, key, kind="result", dedup=f"{key}:{submission.id}:{submission.version}:{person_id}", **params
        )


# ---------------------------------------------------------------------------------------------------- accept


async def begin_accept(talk: Talk, arg: str) -> Move | None:
    return await _open(talk, arg, "accept")


@dialogue.ask("accept")
async def ask_accept(talk: Talk) -> Message:
    submission = await reviews.get_visible(talk.session, talk.me.id, talk.data["code"])
    return talk.screen("moderation.accept_sure", code=submission.code, title=submission.title)


@dialogue.take("accept")
async def take_accept(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        return "card"
    submission = await fresh(talk, talk.data["arg"])
    if submission is None:
        return "card"
    await reviews.accept(talk.session, submission, talk.me.id, split(talk.data["arg"])[1], talk.now)
    unit = (await units.get(talk.session, submission.unit_id)).name if submission.unit_id is not None else ""
    await tell_authors(
        talk, submission, "moderation.accept_notice", code=submission.code, title=submission.title, unit=unit
    )
    talk.say("moderation.accepted", code=submission.code)
    return dialogue.go("queue", start=0, filter="all")


# ---------------------------------------------------------------------------------------------------- ask, reject


def _templates(talk: Talk, kind: str, count: int) -> list[str]:
    return [talk.words(f"moderation.{kind}_{n}") for n in range(1, count + 1)]


def _chosen(text: str, templates: list[str]) -> str:
    """Numbers stand for the templates; anything else is the reviewer's own words."""
    typed = clean(text)
    if re.fullmatch(r"\d+([\s,;]+\d+)*", typed):
        numbers = [int(n) for n in re.findall(r"\d+", typed)]
        if not all(1 <= n <= len(templates) for n in numbers):
            raise Again("moderation.ask_number", most=len(templates))
        return " ".join(templates[n - 1] for n in numbers)
    if not 5 <= letters(typed) <= 500:
        raise Again("moderation.ask_length", n=letters(typed))
    return typed


async def begin_ask(talk: Talk, arg: str) -> Move | None:
    return await _open(talk, arg, "ask")


@dialogue.ask("ask", Kind.TEXT)
async def ask_ask(talk: Talk) -> Message:
    return talk.screen("moderation.ask", code=talk.data["code"], lines=_templates(talk, "ask", ASKS))


@dialogue.take("ask")
async def take_ask(talk: Talk, answer: Answer) -> Move | str:
    talk.put(text=_chosen(answer.text, _templates(talk, "ask", ASKS)), kind="ask")
    return "preview"


async def begin_reject(talk: Talk, arg: str) -> Move | None:
    return await _open(talk, arg, "reject")


@dialogue.ask("reject", Kind.TEXT)
async def ask_reject(talk: Talk) -> Message:
    return talk.screen("moderation.reject", code=talk.data["code"], lines=_templates(talk, "reason", REASONS))


@dialogue.take("reject")
async def take_reject(talk: Talk, answer: Answer) -> Move | str:
    talk.put(text=_chosen(answer.text, _templates(talk, "reason", REASONS)), kind="reject")
    return "preview"


@dialogue.ask("preview")
async def ask_preview(talk: Talk) -> Message:
    submission = await reviews.get_visible(talk.session, talk.me.id, talk.data["code"])
    key = "need_notice" if talk.data["kind"] == "ask" else "reject_notice"
    text = talk.house.words.plain(
        f"moderation.{key}",
        code=submission.code,
        title=submission.title,
        ask=talk.data["text"],
        reason=talk.data["text"],
    )
    return talk.screen("moderation.preview", message=text)


@dialogue.take("preview")
async def take_preview(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "edit":
        return str(talk.data["kind"])
    if answer.choice == "stop":
        return "card"
    typed = talk.data["text"]
    submission = await fresh(talk, talk.data["arg"], typed)
    if submission is None:
        return "card"
    version = split(talk.data["arg"])[1]
    if talk.data["kind"] == "ask":
        await reviews.ask(talk.session, submission, talk.me.id, version, typed, talk.now)
        await talk.tell(
            submission.author_id,
            "moderation.need_notice",
            kind="result",
            dedup=f"need:{submission.id}:{submission.version}",
            code=submission.code,
            ask=typed,
        )
        talk.say("moderation.asked", code=submission.code)
    else:
        await reviews.reject(talk.session, submission, talk.me.id, version, typed, talk.now)
        await tell_authors(
            talk, submission, "moderation.reject_notice", code=submission.code, title=submission.title, reason=typed
        )
        talk.say("moderation.rejected", code=submission.code)
    return dialogue.go("queue", start=0, filter="all")


# ---------------------------------------------------------------------------------------------------- duplicates


async def begin_duplicate(talk: Talk, arg: str) -> Move | None:
    return await _open(talk, arg, "duplicate")


@dialogue.ask("duplicate", free=True)
async def ask_duplicate(talk: Talk) -> Message:
    submission = await reviews.get_visible(talk.session, talk.me.id, talk.data["code"])
    alike = await likely(talk, submission)
    lines = [f"{code} ({percent}%): {text[-90:].strip()}" for code, percent, text in alike]
    choices = [Choice(str(n + 1), f"code-{code}") for n, (code, _, _) in enumerate(alike)]
    return talk.screen("moderation.duplicate", *choices, code=submission.code, lines=lines)


@dialogue.take("duplicate")
async def take_duplicate(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "stop":
        return "card"
    code = answer.choice.removeprefix("code-") if answer.choice else answer.text
    submission = await fresh(talk, talk.data["arg"], code)
    if submission is None:
        return "card"
    other = await reviews.find_any(talk.session, code)
    await reviews.mark_duplicate(talk.session, submission, talk.me.id, split(talk.data["arg"])[1], other, talk.now)
    for each, own in ((submission, submission.code), (other, other.code)):
        await talk.tell(
            each.author_id,
            "moderation.duplicate_notice",
            kind="result",
            dedup=f"duplicate:{submission.id}:{submission.version}:{each.id}",
            code=submission.code,
            other=other.code,
            own=own,
        )
    talk.say("moderation.duplicated", code=submission.code, other=other.code)
    return dialogue.go("queue", start=0, filter="all")


async def undo_duplicate(talk: Talk, arg: str) -> Move | None:
    submission = await fresh(talk, arg)
    if submission is not None:
        await reviews.undo_duplicate(talk.session, submission, talk.me.id, split(arg)[1], _until(talk), talk.now)
        talk.say("moderation.unduplicated", code=submission.code)
    return card(split(arg)[0])


# ---------------------------------------------------------------------------------------------------- notes


async def begin_note(talk: Talk, arg: str) -> Move | None:
    return dialogue.go("note", code=split(arg)[0])


@dialogue.ask("note", Kind.TEXT)
async def ask_note(talk: Talk) -> Message:
    submission = await reviews.get_visible(talk.session, talk.me.id, talk.data["code"])
    return talk.screen("moderation.note", code=submission.code)


@dialogue.take("note")
async def take_note(talk: Talk, answer: Answer) -> Move | str:
    text = clean(answer.text)
    if not 3 <= letters(text) <= 500:
        raise Again("moderation.note_length", n=letters(text))
    submission = await reviews.get_visible(talk.session, talk.me.id, talk.data["code"])
    await reviews.note(talk.session, submission, talk.me.id, text, talk.now)
    talk.say("moderation.noted")
    return "card"


COMMANDS = (
    Command("nhan", claim),
    Command("tralai", give_back),
    Command("chapnhan", begin_accept),
    Command("canbosung", begin_ask),
    Command("khongchon", begin_reject),
    Command("trung", begin_duplicate),
    Command("botrung", undo_duplicate),
    Command("ghichu", begin_note),
)
