"""Taking a report on, giving it back, and accepting it."""

from __future__ import annotations

from content.message import Message
from db import exchange, queue, reviews, units
from db.models import Status, Submission, Track
from handlers.dialogue import Answer, Command, Move
from handlers.moderation.flow import card, carry_out, dialogue, fresh, onward, split, tell_author, tell_coauthors, until
from handlers.talk import Talk


async def claim(talk: Talk, arg: str) -> Move | None:
    submission = await fresh(talk, arg)
    if submission is not None:
        await reviews.claim(talk.session, submission, talk.me.id, split(arg)[1], until(talk), talk.now)
    return card(split(arg)[0])


async def give_back(talk: Talk, arg: str) -> Move | None:
    submission = await fresh(talk, arg)
    if submission is None:
        return card(split(arg)[0])
    await reviews.give_back(talk.session, submission, talk.me.id, split(arg)[1], talk.now)
    talk.say("moderation.given_back", code=submission.code)
    return await onward(talk, submission)


async def accept(talk: Talk, submission: Submission, version: int) -> None:
    """What it says is true; the author and the co-authors hear it, the team's leader only if the author wants it."""
    await reviews.accept(talk.session, submission, talk.me.id, version, talk.now)
    unit = (await units.get(talk.session, submission.unit_id)).name if submission.unit_id is not None else ""
    good_deed = submission.track == Track.GOOD_DEED
    without = () if await exchange.leaders(talk.session, submission) else ("leader",)
    key = "moderation.accept_notice"
    await tell_author(talk, submission, key, without=without, unit=unit, good_deed=good_deed)
    await tell_coauthors(talk, submission, key, unit=unit, good_deed=good_deed)


async def begin_accept(talk: Talk, arg: str) -> Move | None:
    """One question before an author hears good news; nothing is claimed for it, it takes a second."""
    submission = await fresh(talk, arg)
    if submission is None:
        return card(split(arg)[0])
    if submission.unseen and submission.status == Status.SENT:  # a supplement that came back to nobody: read it first
        await reviews.claim(talk.session, submission, talk.me.id, split(arg)[1], until(talk), talk.now)
        return card(submission.code)
    return dialogue.go("accept", args=[arg], code=submission.code)


@dialogue.ask("accept")
async def ask_accept(talk: Talk) -> Message:
    submission = await queue.get_visible(talk.session, talk.me.id, talk.data["code"])
    return talk.screen("moderation.accept_sure", code=submission.code, title=submission.title)


@dialogue.take("accept")
async def take_accept(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        return "card"
    return await carry_out(talk, accept, "moderation.accepted")


COMMANDS = (Command("nhan", claim), Command("tralai", give_back), Command("chapnhan", begin_accept))
