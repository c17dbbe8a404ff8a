"""The same thing sent twice: both are linked, the earlier one stays the main one, both authors hear it; and undoing."""

from __future__ import annotations

from content.calendar import local_date, official_day_month
from content.message import Choice, Message
from content.text import read_code
from db import queue, reviews
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
    alike = await likely(talk, submission)
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


@dialogue.take("duplicate")
async def take_duplicate(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "stop":
        return "card"
    typed = answer.choice.removeprefix("code-") or read_code(answer.text)
    original = await _original(talk, typed)

    async def mark(talk: Talk, submission: Submission, version: int) -> None:
        await reviews.mark_duplicate(talk.session, submission, talk.me.id, version, original, talk.now)
        await _tell_both(talk, submission, original, "moderation.duplicate_notice")

    return await carry_out(talk, mark, "moderation.duplicated", typed)


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
            gently=True,
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
