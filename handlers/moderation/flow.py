"""What every part of the queue needs: the report a button names, who was faster, what comes next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from content.calendar import LOCAL, add_working_days
from content.text import whole_number
from db import policy, queue, reviews, submissions, units
from db.errors import Conflict, Expected
from db.models import Status, Submission
from db.policy import Action
from handlers.dialogue import Dialogue, Move
from handlers.talk import Talk

dialogue = Dialogue("moderation", officers=True)
CLAIM_DAYS = 2
SOON_DAYS = 2
"""Working days: how long a claim lasts, and how near a deadline has to be to be due soon."""

Act = Callable[[Talk, Submission, int], Awaitable[None]]
"""Does something to a report that stands at this version; refuses before it changes anything."""


def split(arg: str) -> tuple[str, int]:
    """Code and version of a button's argument; a missing version fits none."""
    code, _, version = arg.strip().upper().partition(".")
    return code, whole_number(version) or 0


def until(talk: Talk) -> datetime:
    """The end of a claim made now: the same hour, two working days on."""
    return datetime.combine(add_working_days(talk.today, CLAIM_DAYS), talk.local.time(), LOCAL)


def soon(talk: Talk) -> datetime:
    """What is due until then is due soon."""
    return datetime.combine(add_working_days(talk.today, SOON_DAYS), talk.local.time(), LOCAL)


def kind(talk: Talk) -> str:
    """The part of the queue that was chosen; it stays chosen from card to card."""
    chosen = talk.data.get("filter", "all") if talk.conversation.dialogue == dialogue.name else "all"
    return str(chosen)


async def role_of(talk: Talk, person_id: int | None, submission: Submission) -> str:
    """Who somebody is, by the role in which they act here and never by name."""
    if not person_id:
        return talk.words("moderation.role_system")
    if person_id == talk.me.id:
        return talk.words("moderation.role_me")
    if person_id == submission.author_id:
        return talk.words("moderation.role_author")
    above = await units.ancestors(talk.session, submission.queue_unit_id or 0)
    reading = policy.ALLOWED[Action.READ_SUBMISSIONS]
    held = await policy.roles(talk.session, person_id)
    role = next((role.value for role, unit_id in held if role in reading and unit_id in above), "reviewer")
    return talk.words(f"moderation.role_{role}")


async def fresh(talk: Talk, arg: str, typed: str = "") -> Submission | None:
    """The report a button names, if it still stands as the button saw it and no colleague holds it.

    Else says who did what, by role, and returns None.
    What the reviewer had typed is shown back, so that it is not lost.
    """
    code, version = split(arg)
    submission = await queue.get_visible(talk.session, talk.me.id, code)
    await policy.check(talk.session, talk.me.id, Action.DECIDE_SUBMISSIONS, submission.queue_unit_id)
    holder = submission.holder_id if submission.status == Status.CLAIMED else None
    if submission.version == version and holder in (None, talk.me.id):
        return submission
    if submission.version == version:
        role = await role_of(talk, holder, submission)
        talk.say("moderation.held", code=code, role=role, since=submission.claimed_at, typed=typed)
        return None
    event = await reviews.last_move(talk.session, submission.id)
    talk.say(
        "moderation.too_late",
        role=await role_of(talk, event.actor_id if event else None, submission),
        action=talk.words(f"moderation.action_{event.action if event else 'sent'}"),
        code=code,
        at=event.at if event else talk.now,
        typed=typed,
    )
    return None


TICKED = "ticked"
"""Where ticks are kept beside the talk: they outlast the way to the menu and back, until the day is over."""


def ticked(talk: Talk) -> list[str]:
    """The reports that are ticked in this chat today, each with the version it was ticked in."""
    kept = talk.conversation.pending.get(TICKED, {})
    return list(kept["keys"]) if kept.get("on") == talk.today.isoformat() else []


def tick(talk: Talk, keys: list[str]) -> None:
    """Keeps what is ticked; nothing forgets it."""
    others = {name: value for name, value in talk.conversation.pending.items() if name != TICKED}
    kept = {TICKED: {"on": talk.today.isoformat(), "keys": keys}} if keys else {}
    talk.conversation.pending = others | kept


def card(code: str) -> Move:
    """The way to the card of a report."""
    return dialogue.go("card", code=code)


async def onward(talk: Talk, current: Submission) -> Move:
    """To the next report that this reviewer could decide; to the list when there is none."""
    found = await queue.next_after(talk.session, talk.me.id, kind(talk), current, soon=soon(talk))
    return card(found.code) if found is not None else dialogue.go("queue", start=0, filter=kind(talk))


async def carry_out(talk: Talk, act: Act, done: str, typed: str = "") -> Move:
    """Does it to the report at hand, or to each of those that were ticked; says how it went, and goes on."""
    args: list[str] = talk.data["args"]
    if len(args) == 1:
        code, version = split(args[0])
        submission = await fresh(talk, args[0], typed)
        if submission is None:
            return card(code)
        await act(talk, submission, version)
        talk.say(done, code=code)
        return await onward(talk, submission)
    left: dict[str, list[str]] = {}
    for code, version in map(split, args):
        try:
            await act(talk, await queue.get_visible(talk.session, talk.me.id, code), version)
        except Expected as refusal:
            left.setdefault(await _why_left(talk, code, refusal), []).append(code)
    finished = len(args) - sum(map(len, left.values()))
    talk.say("moderation.batch_done", done=finished, left=list(left.items()), typed=typed if left else "")
    tick(talk, [])
    return dialogue.go("queue", start=0, args=[])


async def _why_left(talk: Talk, code: str, refusal: Expected) -> str:
    """What became meanwhile of a report that was ticked, and by whom; else why it cannot be done."""
    event = None
    if isinstance(refusal, Conflict):
        submission = await queue.get_visible(talk.session, talk.me.id, code)
        event = await reviews.last_move(talk.session, submission.id)
    if event is None:
        return talk.house.words.plain(refusal.key, **refusal.params)
    return talk.house.words.plain(
        "moderation.moved",
        role=await role_of(talk, event.actor_id, submission),
        action=talk.words(f"moderation.action_{event.action}"),
    )


async def tell_author(talk: Talk, submission: Submission, key: str, *, moved: bool = True, **params: Any) -> None:
    """Says something to the author: an outcome once for each move, what moved nothing each time."""
    dedup = f"{key}:{submission.id}:{submission.version}" if moved else None
    await talk.tell(
        submission.author_id, key, kind="result", dedup=dedup, code=submission.code,
        title=submission.title, **params,
    )  # fmt: skip


async def tell_coauthors(talk: Talk, submission: Submission, key: str, **params: Any) -> None:
    """Says an outcome to every co-author who uses the bot and did not deny it; the report itself is its author's."""
    for person_id in await submissions.involved(talk.session, submission) - {submission.author_id}:
        dedup = f"{key}:{submission.id}:{submission.version}:{person_id}"
        await talk.tell(
            person_id, key, kind="result", dedup=dedup, only=(), code=submission.code,
            title=submission.title, **params,
        )  # fmt: skip
