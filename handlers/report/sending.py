"""Sending a report once: the receipt, the line to those who decide, the question to co-authors and their answer."""

from __future__ import annotations

from datetime import datetime, time

from content.calendar import LOCAL, add_working_days
from content.windows import awake
from db import attachments, outbox, people, submissions, units
from db.models import FileState, Submission, Track
from db.submissions import REVIEW_DAYS, Report
from handlers.dialogue import END, Command, Move
from handlers.report.flow import track
from handlers.talk import Talk

BUNDLE = 120.0
"""Seconds without a new report before the line about the queue changes once more."""
BOTH = ("captions",)
STORY = {
    Track.GOOD_DEED: ("who", "what", "where_when", "witness", "publish", *BOTH),
    Track.INITIATIVE: ("field", "before", "after", "applied", "since", "results", "recognised", "secret", "display", *BOTH),
}  # fmt: skip
"""The answers that make the story of a submission; a practice is told like an initiative."""


def due(talk: Talk, of: Track) -> datetime:
    """Until when the author is promised an answer."""
    return datetime.combine(add_working_days(talk.today, REVIEW_DAYS[of]), time(17), LOCAL)


def _report(talk: Talk) -> Report:
    data = talk.data
    kept = STORY.get(track(talk), STORY[Track.INITIATIVE])
    return Report(
        track=track(talk),
        title=str(data["who"] if track(talk) == Track.GOOD_DEED else data["title"]),
        story={key: data[key] for key in kept if data.get(key)},
        money=data.get("results", {}).get("money"),
        direct_production=talk.me.direct_production,
        coauthors=[(name, percent, person_id) for name, percent, person_id in data.get("shares", [])],
    )


async def send(talk: Talk) -> Move:
    """Takes the draft in as a submission, or as the mended one; the draft ends with it, so a second tap finds nothing."""
    assert talk.draft is not None
    files = await attachments.list_for_draft(talk.session, talk.draft.id)
    if talk.data.get("resend"):
        submission = await submissions.find_own(talk.session, talk.me.id, talk.data["resend"])
        await submissions.send_again(
            talk.session, submission, _report(talk), talk.draft.id, due(talk, submission.track), talk.now
        )
    else:
        submission = await submissions.submit(
            talk.session,
            talk.me,
            _report(talk),
            draft_id=talk.draft.id,
            due_at=due(talk, track(talk)),
            year=talk.today.year,
            now=talk.now,
        )
    await _ask_coauthors(talk, submission)
    receiver = (await units.get(talk.session, submission.queue_unit_id)).name if submission.queue_unit_id else ""
    await tell_reviewers(talk, submission)
    talk.say(
        "report.sent",
        code=submission.code,
        receiver=receiver,
        good_deed=submission.track == Track.GOOD_DEED,
        waiting=any(file.state == FileState.WAITING for file in files),
        days=REVIEW_DAYS[submission.track],
    )
    return END


async def tell_reviewers(talk: Talk, submission: Submission) -> None:
    """One line an hour to each who is to decide, with the newest report and how many wait, kept up to date in place.

    Before 30 June hundreds come in a day; each alone would be a message.
    """
    if submission.queue_unit_id is None:
        return
    unit = await units.get(talk.session, submission.queue_unit_id)
    without = await submissions.involved(talk.session, submission)
    waiting = await submissions.count_waiting(talk.session, unit.id)
    for person_id in await submissions.receivers(talk.session, unit.id, without):
        reviewer = await people.get(talk.session, person_id)
        slot = f"queue-{awake(reviewer.hours, talk.now):%Y%m%d%H}"
        await talk.tell(
            person_id,
            "report.queue_notice",
            slot=slot,
            after=BUNDLE if await outbox.was_said(talk.session, person_id, slot) else 5.0,
            n=waiting,
            unit=unit.name,
            code=submission.code,
            title=submission.title,
        )


async def _ask_coauthors(talk: Talk, submission: Submission) -> None:
    """Everybody named who uses the bot says with one tap whether it is so."""
    for coauthor in await submissions.list_coauthors(talk.session, submission.id):
        if coauthor.person_id is not None and coauthor.confirmed is None:
            await talk.tell(
                coauthor.person_id,
                "report.coauthor_ask",
                dedup=f"coauthor:{coauthor.id}:{submission.version}",
                author=talk.me.name,
                percent=coauthor.percent,
                title=submission.title,
                code=submission.code,
            )


async def answer_coauthor(talk: Talk, arg: str) -> Move | None:
    """A named co-author presses yes or no; the author hears a no, and may mend it."""
    code, _, said = arg.partition(".")
    submission = await submissions.answer_coauthor(talk.session, code, talk.me.id, said == "yes", talk.now)
    talk.say("report.coauthor_yes" if said == "yes" else "report.coauthor_no")
    if said != "yes":
        await talk.tell(
            submission.author_id,
            "report.coauthor_denied",
            dedup=f"denied:{submission.id}:{talk.me.id}",
            name=talk.me.name,
            code=submission.code,
            title=submission.title,
        )
    return None


COMMANDS = (Command("dongtacgia", answer_coauthor),)
