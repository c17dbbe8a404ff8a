"""What a person has sent, as a list and one by one, and where each stands."""

from __future__ import annotations

from content.calendar import local_date, official_day_month
from content.message import Choice, Message
from content.text import read_code
from db import accounts, attachments, exchange, policy, submissions, units
from db.models import FileState, Status, Submission
from handlers.dialogue import Again, Answer, Command, Dialogue, Move, Place
from handlers.paging import page, turn
from handlers.talk import Talk

dialogue = Dialogue("mysubmissions")
PAGE = 4
EVENTS = 6
LINE = 60
"""Characters of a title, and of a reason, in the list."""


async def status_words(talk: Talk, submission: Submission, longest: int = 1000) -> str:
    """The status as its author sees it: by what role and where it is looked at, never by whom; as plain text."""
    role = where = other = ""
    if submission.status == Status.CLAIMED:
        role, where = await _holder(talk, submission)
    if submission.duplicate_of is not None:
        other = (await talk.session.get_one(Submission, submission.duplicate_of)).code
    reason = submission.ask if submission.status == Status.NEED_INFO else submission.reason
    return talk.house.words.plain(
        f"mysubmissions.status_{submission.status.value}",
        role=role, where=where, other=other, reason=_cut(reason, longest),
    )  # fmt: skip


async def _holder(talk: Talk, submission: Submission) -> tuple[str, str]:
    """The role and the unit by which somebody holds it."""
    if submission.queue_unit_id is None:
        return talk.words("mysubmissions.role_reviewer"), ""
    above = await units.ancestors(talk.session, submission.queue_unit_id)
    held = await policy.roles(talk.session, submission.holder_id or 0)
    deciding = [
        (above.index(unit), role, unit)
        for role, unit in held
        if role in policy.ALLOWED[policy.Action.DECIDE_SUBMISSIONS] and unit in above
    ]
    if not deciding:
        return talk.words("mysubmissions.role_reviewer"), (await units.get(talk.session, submission.queue_unit_id)).name
    _, role, unit = min(deciding)
    return talk.words(f"mysubmissions.role_{role.value}"), (await units.get(talk.session, unit)).name


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


async def show(talk: Talk, arg: str) -> Move | None:
    """The list, or one of them by its code."""
    return dialogue.go("detail", code=arg.strip().upper()) if arg else dialogue.go("list", start=0)


async def is_mine(talk: Talk, code: str) -> bool:
    """Whether a receipt code is of something this person sent."""
    return any(each.code == code for each in await submissions.list_own(talk.session, talk.me.id))


@dialogue.ask("list", free=True)
async def ask_list(talk: Talk) -> Message:
    own = await submissions.list_own(talk.session, talk.me.id)
    shown, without = page(talk, own, PAGE)
    lines = [f"{each.code} – {_cut(each.title, LINE)}: {await status_words(talk, each, LINE)}" for each in shown]
    draft = await accounts.find_draft(talk.session, talk.me.id, "report")
    begun = draft is not None and bool(draft.data.get("track"))
    numbers = [Choice(str(n + 1), f"code-{each.code}") for n, each in enumerate(shown)]
    without += ("report",) if begun else ("draft",)
    name = talk.words("report.draft_name") if begun else ""
    return talk.screen("mysubmissions.list", *numbers, without=without, lines=lines, draft=name)


@dialogue.take("list")
async def take_list(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "more":
        return turn(talk)
    if answer.choice:
        talk.put(code=answer.choice.removeprefix("code-"))
        return "detail"
    code = read_code(answer.text, talk.today.year)
    if not code:
        raise Again("common.choose")
    await submissions.find_own(talk.session, talk.me.id, code)
    talk.put(code=code)
    return "detail"


@dialogue.ask("detail")
async def ask_detail(talk: Talk) -> Message:
    submission = await submissions.find_own(talk.session, talk.me.id, talk.data["code"])
    events = await submissions.list_events(talk.session, submission.id, internal=False)
    files = await attachments.list_for_submission(talk.session, submission.id)
    offered = {
        Status.NEED_INFO: ["supplement", "evening", "withdraw"],
        Status.CLOSED_NO_INFO: ["reopen", "withdraw"],
        Status.NOT_SELECTED: ["again", "question"],
        Status.DUPLICATE: ["question"],
        Status.SENT: ["withdraw"],
        Status.CLAIMED: ["withdraw"],
        Status.VERIFIED: ["withdraw"],
    }.get(submission.status, [])
    if await exchange.may_reply(talk.session, submission):
        offered = ["reply", *(each for each in offered if each != "question")]
    return talk.screen(
        "mysubmissions.detail",
        only=[*offered, "home", "menu"],
        code=submission.code,
        version=submission.version,
        track=talk.words(f"report.track_{submission.track.value}"),
        title=submission.title,
        status=await status_words(talk, submission),
        files=sum(file.state == FileState.CLEAN for file in files),
        waiting=sum(file.state == FileState.WAITING for file in files),
        said=next((event for event in reversed(events) if event.action in ("answered", "contacted")), None),
        events=[
            f"{official_day_month(local_date(event.at))}: {talk.words(f'mysubmissions.event_{event.action}')}"
            for event in events[-EVENTS:]
        ],
    )


async def needs_info(talk: Talk) -> str:
    """The menu's line about what waits for the author's answer."""
    code = await submissions.waits_for(talk.session, talk.me.id)
    return talk.words("mysubmissions.waiting", code=code) if code else ""


COMMANDS = (Command("hoso", show, place=Place.MAIN, slash=True, opens=is_mine),)
