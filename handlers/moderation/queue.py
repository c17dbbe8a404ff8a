"""The list of what waits, by deadline, filtered, a screenful at a time."""

from __future__ import annotations

from content.calendar import local_date, working_days_between
from content.message import Choice, Message
from db import policy, reviews, submissions, units
from db.models import Status, Submission
from db.policy import Action
from handlers.dialogue import Answer, Command, Move, Place
from handlers.moderation.flow import card, dialogue
from handlers.paging import page
from handlers.talk import Talk

PAGE = 5
TITLE = 40


async def may_read(talk: Talk) -> bool:
    """Whether there is a queue this person may see."""
    return talk.person is not None and bool(await policy.scopes(talk.session, talk.me.id, Action.READ_SUBMISSIONS))


async def waiting(talk: Talk) -> str:
    """The officer's line about the queue."""
    scopes = await policy.scopes(talk.session, talk.me.id, Action.DECIDE_SUBMISSIONS)
    if not scopes:
        return ""
    count, late = await submissions.count_waiting(talk.session, scopes, talk.now)
    return talk.words("moderation.waiting", n=count, late=late) if count else ""


async def show(talk: Talk, arg: str) -> Move | None:
    """The queue, or one report by its code."""
    return card(arg.partition(".")[0].strip().upper()) if arg else dialogue.go("queue", start=0, filter="all")


def days(talk: Talk, submission: Submission) -> str:
    """How long there is left, in working days."""
    if submission.status == Status.NEED_INFO or submission.due_at is None:
        return talk.words("moderation.days_asked")
    left = working_days_between(talk.today, local_date(submission.due_at))
    if submission.due_at < talk.now:
        return talk.words("moderation.days_late", n=max(1, -left))
    return talk.words("moderation.days_left", n=left) if left else talk.words("moderation.days_today")


@dialogue.ask("queue", free=True)
async def ask_queue(talk: Talk) -> Message:
    found = await reviews.list_queue(talk.session, talk.me.id, talk.data.get("filter", "all"), talk.now)
    shown, after = page(found, talk.data.get("start", 0), PAGE)
    lines = [
        talk.words(
            "moderation.line",
            mark="🔁 " if submission.unseen else "",
            code=submission.code,
            title=submission.title if len(submission.title) <= TITLE else submission.title[: TITLE - 1] + "…",
            unit=unit,
            days=days(talk, submission),
        )
        for submission, unit in shown
    ]
    scopes = await policy.scopes(talk.session, talk.me.id, Action.READ_SUBMISSIONS)
    late = sum(s.due_at is not None and s.due_at < talk.now and s.status != Status.NEED_INFO for s, _ in found)
    return talk.screen(
        "moderation.queue",
        *(Choice(str(n + 1), f"code-{submission.code}") for n, (submission, _) in enumerate(shown)),
        without=() if after or talk.data.get("start", 0) else ("more",),
        unit=(await units.get(talk.session, scopes[0])).name if scopes else "",
        n=len(found),
        late=late,
        lines=lines,
    )


@dialogue.take("queue")
async def take_queue(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "more":
        found = await reviews.list_queue(talk.session, talk.me.id, talk.data.get("filter", "all"), talk.now)
        talk.put(start=page(found, talk.data.get("start", 0), PAGE)[1])
        return "queue"
    if answer.choice == "filter":
        return "filter"
    code = answer.choice.removeprefix("code-") if answer.choice else answer.text
    submission = await reviews.get_visible(talk.session, talk.me.id, code)
    talk.put(code=submission.code)
    return "card"


@dialogue.ask("filter")
async def ask_filter(talk: Talk) -> Message:
    return talk.screen("moderation.filter")


@dialogue.take("filter")
async def take_filter(talk: Talk, answer: Answer) -> Move | str:
    talk.put(filter=answer.choice, start=0)
    return "queue"


COMMANDS = (Command("duyet", show, place=Place.OFFICER, slash=True, visible=may_read),)
