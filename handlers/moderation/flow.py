"""What every part of the queue needs: the report a button names, and the kind word for who was faster."""

from __future__ import annotations

from content.text import whole_number
from db import policy, reviews
from db.models import Submission
from handlers.dialogue import Dialogue, Move
from handlers.talk import Talk

dialogue = Dialogue("moderation")


def split(arg: str) -> tuple[str, int]:
    """Code and version of a button's argument; a missing version fits none."""
    code, _, version = arg.strip().upper().partition(".")
    return code, whole_number(version) or 0


async def role_of(talk: Talk, person_id: int | None, submission: Submission) -> str:
    """Who somebody is, by role and never by name."""
    if not person_id:
        return talk.words("moderation.role_system")
    if person_id == submission.author_id:
        return talk.words("moderation.role_author")
    held = await policy.roles(talk.session, person_id)
    return talk.words(f"moderation.role_{held[0][0].value}") if held else talk.words("moderation.role_reviewer")


async def fresh(talk: Talk, arg: str, typed: str = "") -> Submission | None:
    """The report a button names, if it still stands as the button saw it; else says who did what and returns None.

    What the reviewer had typed is shown back, so that it is not lost.
    """
    code, version = split(arg)
    submission = await reviews.get_visible(talk.session, talk.me.id, code)
    await reviews.check(talk.session, talk.me.id, submission)
    if submission.version == version:
        return submission
    event = await reviews.last_event(talk.session, submission.id)
    talk.say(
        "moderation.too_late",
        role=await role_of(talk, event.actor_id if event else None, submission),
        action=talk.words(f"moderation.action_{event.action if event else 'sent'}"),
        code=code,
        at=event.at if event else talk.now,
        typed=typed,
    )
    return None


def card(code: str) -> Move:
    """The way to the card of a report."""
    return dialogue.go("card", code=code)
