"""What a person has sent: where it stands, supplementing, withdrawing, opening again."""

from __future__ import annotations

from datetime import datetime, time

from content.calendar import LOCAL, add_working_days, local_date, official_day_month
from content.message import Choice, Message
from content.text import clean
from db import accounts, attachments, submissions, units
from db.models import Attachment, Status, Submission
from db.submissions import WITHDRAWABLE
from handlers.dialogue import END, STAY, Again, Answer, Command, Dialogue, Kind, Move, Place
from handlers.paging import page
from handlers.report.preview import REVIEW_DAYS, tell_reviewers
from handlers.report.steps import LARGEST
from handlers.talk import Talk

dialogue = Dialogue("mysubmissions")
PAGE = 4
EVENTS = 6


async def status_words(talk: Talk, submission: Submission) -> str:
    """The status as its author sees it: where it is looked at, never by whom."""
    where = other = ""
    if submission.status == Status.CLAIMED and submission.queue_unit_id is not None:
        where = (await units.get(talk.session, submission.queue_unit_id)).name
    if submission.duplicate_of is not None:
        other = (await talk.session.get_one(Submission, submission.duplicate_of)).code
    return talk.words(f"mysubmissions.status_{submission.status.value}", where=where, other=other)


async def show(talk: Talk, arg: str) -> Move | None:
    """The list, or one of them by its code."""
    return dialogue.go("detail", code=arg.strip().upper()) if arg else dialogue.go("list", start=0)


@dialogue.ask("list", free=True)
async def ask_list(talk: Talk) -> Message:
    own = await submissions.list_own(talk.session, talk.me.id)
    shown, after = page(own, talk.data.get("start", 0), PAGE)
    lines = [f"{each.code} – {each.title}: {await status_words(talk, each)}" for each in shown]
    draft = await accounts.find_draft(talk.session, talk.me.id, "report")
    begun = draft is not None and bool(draft.data.get("track"))
    numbers = [Choice(str(n + 1), f"code-{each.code}") for n, each in enumerate(shown)]
    without = [] if after or talk.data.get("start", 0) else ["more"]
    without += ["report"] if begun else ["draft"]
    name = talk.words("report.draft_name") if begun else ""
    return talk.screen("mysubmissions.list", *numbers, without=without, lines=lines, draft=name)


@dialogue.take("list")
async def take_list(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "more":
        own = await submissions.list_own(talk.session, talk.me.id)
        talk.put(start=page(own, talk.data.get("start", 0), PAGE)[1])
        return "list"
    code = answer.choice.removeprefix("code-") if answer.choice else answer.text.strip().upper()
    await submissions.find_own(talk.session, talk.me.id, code)
    talk.put(code=code)
    return "detail"


@dialogue.ask("detail")
async def ask_detail(talk: Talk) -> Message:
    submission = await submissions.find_own(talk.session, talk.me.id, talk.data["code"])
    events = await submissions.list_events(talk.session, submission.id, internal=False)
    offered = {
        Status.NEED_INFO: ["supplement", "withdraw"],
        Status.CLOSED_NO_INFO: ["reopen", "withdraw"],
        Status.NOT_SELECTED: ["again"],
        Status.SENT: ["withdraw"],
        Status.CLAIMED: ["withdraw"],
    }.get(submission.status, [])
    return talk.screen(
        "mysubmissions.detail",
        only=[*offered, "list", "menu"],
        code=submission.code,
        version=submission.version,
        track=talk.words(f"report.track_{submission.track.value}"),
        title=submission.title,
        status=await status_words(talk, submission),
        ask=submission.ask if submission.status == Status.NEED_INFO else "",
        reason=submission.reason if submission.status == Status.NOT_SELECTED else "",
        files=len(await submissions.list_files(talk.session, submission.id)),
        events=[
            f"{official_day_month(local_date(event.at))}: {talk.words(f'mysubmissions.event_{event.action}')}"
            for event in events[-EVENTS:]
        ],
    )


async def needs_info(talk: Talk) -> str:
    """The menu's line about what waits for the author's answer."""
    for submission in await submissions.list_own(talk.session, talk.me.id):
        if submission.status == Status.NEED_INFO:
            return talk.words("mysubmissions.waiting", code=submission.code)
    return ""


# ---------------------------------------------------------------------------------------------------- supplement


async def begin_supplement(talk: Talk, arg: str) -> Move | None:
    submission = await submissions.find_own(talk.session, talk.me.id, arg)
    if submission.status != Status.NEED_INFO:
        talk.say("mysubmissions.supplement_not_needed")
        return None
    return dialogue.go("supplement", code=submission.code, text="", files=[])


@dialogue.ask("supplement", Kind.FILES)
async def ask_supplement(talk: Talk) -> Message | str:
    submission = await submissions.find_own(talk.session, talk.me.id, talk.data["code"])
    if submission.status != Status.NEED_INFO:
        return "detail"
    return talk.screen("mysubmissions.supplement", code=submission.code, ask=submission.ask)


@dialogue.take("supplement")
async def take_supplement(talk: Talk, answer: Answer) -> Move | str:
    submission = await submissions.find_own(talk.session, talk.me.id, talk.data["code"])
    if answer.choice == "send":
        if not talk.data["text"] and not talk.data["files"]:
            raise Again("mysubmissions.supplement_empty")
        await submissions.supplement(talk.session, submission, talk.data["text"], talk.data["files"], talk.now)
        talk.say("mysubmissions.supplemented", code=submission.code)
        if submission.holder_id is not None:
            await talk.tell(
                submission.holder_id,
                "mysubmissions.supplement_notice",
                dedup=f"supplement:{submission.id}:{submission.version}",
                code=submission.code,
                title=submission.title,
            )
        else:
            await tell_reviewers(talk, submission)
        return END
    files: list[int] = list(talk.data["files"])
    for file in answer.files:
        if file.size > LARGEST:
            raise Again("report.files_too_big")
        row: Attachment | None = await attachments.add(
            talk.session,
            person_id=talk.me.id,
            account_id=talk.account.id,
            channel=talk.account.channel,
            draft_id=None,
            kind="photo" if file.kind == "photo" else "document",
            ref=file.ref,
            unique_ref=f"{submission.code}:{file.unique_ref}",
            name=file.name,
            size=file.size,
            now=talk.now,
        )
        if row is not None:
            files.append(row.id)
    text = f"{talk.data['text']}\n{clean(answer.text)}".strip()
    talk.put(text=text, files=files)
    talk.say("mysubmissions.supplement_noted", slot=talk.quiet, after=1.5, photos=len(files))
    return STAY


# ---------------------------------------------------------------------------------------------------- taking back


async def begin_withdraw(talk: Talk, arg: str) -> Move | None:
    submission = await submissions.find_own(talk.session, talk.me.id, arg.partition(".")[0])
    if submission.status not in WITHDRAWABLE:
        talk.say("mysubmissions.withdraw_late")
        return None
    return dialogue.go("withdraw", code=submission.code)


@dialogue.ask("withdraw")
async def ask_withdraw(talk: Talk) -> Message:
    return talk.screen("mysubmissions.withdraw", code=talk.data["code"])


@dialogue.take("withdraw")
async def take_withdraw(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        return "detail"
    submission = await submissions.find_own(talk.session, talk.me.id, talk.data["code"])
    holder = await submissions.withdraw(talk.session, submission, talk.now)
    if holder is not None:
        await talk.tell(
            holder,
            "mysubmissions.withdraw_notice",
            dedup=f"withdrawn:{submission.id}:{submission.version}",
            code=submission.code,
            title=submission.title,
        )
    talk.say("mysubmissions.withdrawn", code=submission.code)
    return END


async def reopen(talk: Talk, arg: str) -> Move | None:
    submission = await submissions.find_own(talk.session, talk.me.id, arg.partition(".")[0])
    await submissions.reopen(talk.session, submission, _due(talk), talk.now)
    await tell_reviewers(talk, submission)
    talk.say("mysubmissions.reopened", code=submission.code)
    return None


def _due(talk: Talk) -> datetime:
    return datetime.combine(add_working_days(talk.today, REVIEW_DAYS), time(17), LOCAL)


async def send_again(talk: Talk, arg: str) -> Move | None:
    """A report that was not chosen comes back into the draft, to be mended and sent under its old code."""
    submission = await submissions.find_own(talk.session, talk.me.id, arg)
    if submission.status != Status.NOT_SELECTED:
        return dialogue.go("detail", code=submission.code)
    draft = await accounts.find_draft(talk.session, talk.me.id, "report")
    if draft is not None and draft.data.get("track") and draft.data.get("resend") != submission.code:
        return Move("report", "resume")
    data = {"track": submission.track.value, "title": submission.title, "resend": submission.code, **submission.story}
    return Move("report", "preview", data)


DIALOGUES = (dialogue,)
WAITING = (needs_info,)
COMMANDS = (
    Command("hoso", show, place=Place.MAIN, slash=True),
    Command("bosung", begin_supplement),
    Command("rut", begin_withdraw),
    Command("molai", reopen),
    Command("guilai", send_again),
)
