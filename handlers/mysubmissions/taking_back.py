"""Taking a report back, opening it again, mending one that was not chosen and sending it again."""

from __future__ import annotations

from content.message import Message
from db import accounts, submissions
from db.models import Status
from db.submissions import WITHDRAWABLE
from handlers.dialogue import END, Answer, Command, Move
from handlers.mysubmissions.flow import dialogue
from handlers.report.sending import due, tell_reviewers
from handlers.talk import Talk


async def begin_withdraw(talk: Talk, arg: str) -> Move | None:
    submission = await submissions.find_own(talk.session, talk.me.id, arg.partition(".")[0])
    if submission.status not in WITHDRAWABLE:
        gone = submission.status == Status.WITHDRAWN
        talk.say("common.already" if gone else "mysubmissions.withdraw_late")
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
    if submission.status in (Status.SENT, Status.CLAIMED):
        talk.say("common.already")
        return None
    await submissions.reopen(talk.session, submission, due(talk, submission.track), talk.now)
    await tell_reviewers(talk, submission)
    talk.say("mysubmissions.reopened", code=submission.code)
    return None


async def send_again(talk: Talk, arg: str) -> Move | None:
    """A report that was not chosen comes back into the draft, to be mended and sent under its old code."""
    submission = await submissions.find_own(talk.session, talk.me.id, arg)
    if submission.status != Status.NOT_SELECTED:
        return dialogue.go("detail", code=submission.code)
    draft = await accounts.find_draft(talk.session, talk.me.id, "report")
    if draft is not None and draft.data.get("track"):
        if draft.data.get("resend") == submission.code:
            return Move("report", "")
        talk.say("mysubmissions.other_first", code=submission.code)
        return Move("report", "resume")
    coauthors = await submissions.list_coauthors(talk.session, submission.id)
    data = {
        **submission.story,
        "track": submission.track.value,
        "title": submission.title,
        "shares": [[each.name, each.percent, each.person_id] for each in coauthors],
        "resend": submission.code,
    }
    return Move("report", "preview", data)


COMMANDS = (Command("rut", begin_withdraw), Command("molai", reopen), Command("guilai", send_again))
