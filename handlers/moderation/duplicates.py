"""The same thing sent twice: both are linked, the earlier one stays the main one, both authors hear it; and undoing."""

from __future__ import annotations

from content.calendar import local_date, official_day_month
from content.message import Choice, Message
from content.text import read_code
from db import queue, reviews
from db.errors import Refused
from db.models import Status, Submission
from handlers.dialogue import Again, Answer, Command, Move
from handlers.moderation.flow import card, carry_out, dialogue, fresh, split, until
from handlers.moderation.reading import alike, cut, likely
from handlers.talk import Talk

TITLE = 60


async def begin(talk: Talk, arg: str) -> Move | None:
    submission = await fresh(talk, arg)
    if submission is None:
        return card(split(arg)[0])
    if submission.status == Status.SENT:
        await reviews.claim(talk.session, submission, talk.me.id, submission.version, until(talk), talk.now)
        await reviews.seen(talk.session, submission, talk.me.id)
    return dialogue.go("duplicate", args=[f"{submission.code}.{submission.version}"], code=submission.code)


@dialogue.ask("duplicate", free=True)
async def ask_duplicate(talk: Talk) -> Message:
    submission = await queue.get_visible(talk.session, talk.me.id, talk.data["code"])
    alike = [each for each in await likely(talk, submission) if _fits(submission, each.submission)]
    lines = [
        talk.words(
            "moderation.alike",
            code=each.code,
            percent=each.percent,
            day=official_day_month(local_date(each.submission.sent_at)),
            title=cut(each.submission.title, TITLE),
        )
        for each in alike
    ]
    choices = [Choice(str(n + 1), f"code-{each.code}") for n, each in enumerate(alike)]
    return talk.screen(
        "moderation.duplicate",
        *choices,
        code=submission.code,
        lines=[talk.house.words.unescape(each) for each in lines],
    )


def _fits(submission: Submission, other: Submission) -> bool:
    """Whether to offer a likely one: never a duplicate or what is over. A later one is, to be told which of the two it is."""
    try:
        reviews.check_original(submission, other)
    except Refused as refused:
        return refused.key == "moderation.later_duplicate"
    return True


@dialogue.take("duplicate")
async def take_duplicate(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "stop":
        return "card"
    submission = await queue.get_visible(talk.session, talk.me.id, talk.data["code"])
    original = await _original(talk, answer.choice.removeprefix("code-") or read_code(answer.text, talk.today.year))
    reviews.check_original(submission, original)
    talk.put(original=original.code)
    return "duplicate_sure"


@dialogue.ask("duplicate_sure")
async def ask_duplicate_sure(talk: Talk) -> Message:
    """Both authors hear it at once, and a code is typed wrong easily: its title is read first."""
    original = await _original(talk, talk.data["original"])
    return talk.screen(
        "moderation.duplicate_sure",
        code=talk.data["code"],
        other=original.code,
        day=original.sent_at,
        title=original.title,
    )


@dialogue.take("duplicate_sure")
async def take_duplicate_sure(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        return "card"
    return await carry_out(talk, _mark, "moderation.duplicated")


async def _mark(talk: Talk, submission: Submission, version: int) -> None:
    original = await _original(talk, talk.data["original"])
    await reviews.mark_duplicate(talk.session, submission, talk.me.id, version, original, talk.now)
    await _tell_both(talk, submission, original, "moderation.duplicate_notice")


async def _original(talk: Talk, typed: str) -> Submission:
    """The report that was named: one that may be read, or that the list of likely ones showed."""
    found = await queue.find_any(talk.session, typed)
    submission = await queue.get_visible(talk.session, talk.me.id, talk.data["code"])
    shown = [code for code, _ in await alike(talk, submission)]
    if found is None or not (found.code in shown or await queue.in_reach(talk.session, talk.me.id, found)):
        raise Again("moderation.not_found")
    return found


async def _tell_both(talk: Talk, submission: Submission, original: Submission, key: str) -> None:
    """Both authors hear it; somebody who sent the same twice hears it once."""
    same = submission.author_id == original.author_id
    for each in (submission,) if same else (submission, original):
        await talk.tell(
            each.author_id,
            key,
            kind="result",
            dedup=f"{key}:{submission.id}:{submission.version}:{each.id}",
            without=("question",) if each is original else (),  # nothing was decided about that one
            code=submission.code,
            other=original.code,
            own=each.code,
            same=same,
        )


async def undo(talk: Talk, arg: str) -> Move | None:
    submission = await fresh(talk, arg)
    if submission is not None:
        original_id = submission.duplicate_of
        await reviews.undo_duplicate(talk.session, submission, talk.me.id, split(arg)[1], until(talk), talk.now)
        original = await talk.session.get(Submission, original_id) if original_id is not None else None
        if original is not None:
            await _tell_both(talk, submission, original, "moderation.unduplicate_notice")
    return card(split(arg)[0])


COMMANDS = (Command("trung", begin), Command("botrung", undo))
