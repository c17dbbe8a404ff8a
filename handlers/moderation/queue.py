"""The list of what waits, by deadline, filtered, a screenful at a time; and the officer's lines about it."""

from __future__ import annotations

from content.calendar import local_date, working_days_between
from content.message import Choice, Message
from content.text import read_code
from db import policy, queue, units
from db.errors import Refused
from db.models import Status, Submission
from db.policy import Action
from db.queue import ENDED
from handlers.dialogue import Again, Answer, Command, Move, Place
from handlers.moderation.flow import card, dialogue, kind, onward, soon, split, tick, ticked
from handlers.paging import page, turn
from handlers.talk import Talk

PAGE = 4
TITLE = 40


async def may_read(talk: Talk) -> bool:
    """Whether there is a queue this person may see."""
    return await talk.may(Action.READ_SUBMISSIONS)


async def may_decide(talk: Talk) -> bool:
    """Whether this person decides anywhere."""
    return await talk.may(Action.DECIDE_SUBMISSIONS)


async def waiting(talk: Talk) -> str:
    """The officer's line about the queue."""
    if not await may_decide(talk):
        return ""
    n, late = await queue.count(talk.session, talk.me.id, "all", soon=soon(talk), now=talk.now)
    return talk.words("moderation.waiting", n=n, late=late) if n else ""


async def questions(talk: Talk) -> str:
    """The officer's line about what came back from authors: supplements nobody looked at, questions about outcomes."""
    if not await may_decide(talk):
        return ""
    n, _ = await queue.count(talk.session, talk.me.id, "back", soon=soon(talk), now=talk.now)
    return talk.words("moderation.came_back", n=n) if n else ""


async def show(talk: Talk, arg: str) -> Move | None:
    """The queue, or one report by its code."""
    if not await may_read(talk):
        raise Refused("common.refused")
    return card(arg.partition(".")[0].strip().upper()) if arg else dialogue.go("queue", start=0, filter="all")


async def in_reach(talk: Talk, code: str) -> bool:
    """Whether a receipt code is of a report that this person may read, or may not because it is their own."""
    report = await queue.find_any(talk.session, code)
    return report is not None and await queue.in_reach(talk.session, talk.me.id, report)


async def show_next(talk: Talk, arg: str) -> Move | None:
    """The report after this one, leaving it as it is."""
    return await onward(talk, await queue.get_visible(talk.session, talk.me.id, arg))


def days(talk: Talk, submission: Submission) -> str:
    """How long there is left, in working days; for what has ended, how it did."""
    if submission.status in ENDED or submission.status == Status.WITHDRAWN:
        return talk.words(f"moderation.ended_{submission.status.value}")
    if submission.status == Status.NEED_INFO or submission.due_at is None:
        return talk.words("moderation.days_asked")
    left = working_days_between(talk.today, local_date(submission.due_at))
    if submission.due_at < talk.now:
        return talk.words("moderation.days_late", n=max(1, -left))
    return talk.words("moderation.days_left", n=left) if left else talk.words("moderation.days_today")


def line(talk: Talk, submission: Submission, unit: str) -> str:
    """One report in one line."""
    mark = "🔁 " if submission.unseen else "💬 " if submission.question_at is not None else ""
    if submission.status == Status.CLAIMED:
        mark += "👤 " if submission.holder_id == talk.me.id else "✋ "
    title = submission.title if len(submission.title) <= TITLE else submission.title[: TITLE - 1].rstrip() + "…"
    return talk.words(
        "moderation.line", mark=mark, code=submission.code, title=title, unit=unit, days=days(talk, submission)
    )


@dialogue.ask("queue", free=True)
async def ask_queue(talk: Talk) -> Message:
    chosen = kind(talk)
    total, late = await queue.count(talk.session, talk.me.id, chosen, soon=soon(talk), now=talk.now)
    shown, without = page(talk, range(total), PAGE)
    start = shown[0] if shown else 0
    found = await queue.list_page(talk.session, talk.me.id, chosen, soon=soon(talk), start=start, size=PAGE)
    scopes = await policy.scopes(talk.session, talk.me.id, Action.READ_SUBMISSIONS)
    without += ("menu",) if total > PAGE else ()
    if total < 2 or chosen == "done" or not await may_decide(talk):
        without += ("pick",)
    return talk.screen(
        "moderation.queue",
        *(Choice(str(n + 1), f"code-{submission.code}") for n, (submission, _) in enumerate(found)),
        without=without,
        unit=(await units.get(talk.session, scopes[0])).name if scopes else "",
        kind=talk.words(f"moderation.kind_{chosen}"),
        n=total,
        late=late,
        start=start,
        lines=[line(talk, submission, unit) for submission, unit in found],
    )


@dialogue.take("queue")
async def take_queue(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "more":
        return turn(talk)
    if answer.choice == "filter":
        return "filter"
    if answer.choice == "pick":
        tick(talk, await _still_ticked(talk))
        talk.put(pick_start=0)
        return "pick"
    code = answer.choice.removeprefix("code-") or read_code(answer.text, talk.today.year)
    if not code:
        raise Again("moderation.no_code")
    submission = await queue.get_visible(talk.session, talk.me.id, code)
    talk.put(code=submission.code)
    return "card"


async def _still_ticked(talk: Talk) -> list[str]:
    """What was ticked before another report was looked at in between, without those that are no longer as they were."""
    known = []
    for key in ticked(talk):
        code, version = split(key)
        submission = await queue.find_any(talk.session, code)
        if submission is not None and submission.version == version:
            known.append(key)
    return known


@dialogue.question("filter", "moderation.filter")
async def take_filter(talk: Talk, answer: Answer) -> Move | str:
    talk.put(filter=answer.choice, start=0)
    return "queue"


COMMANDS = (
    Command("duyet", show, place=Place.OFFICER, slash=True, visible=may_read, opens=in_reach),
    Command("hosotiep", show_next),
)
