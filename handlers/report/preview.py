"""Looking over a report, editing any part of it, and sending it once."""

from __future__ import annotations

from datetime import datetime, time

from content.calendar import LOCAL, add_working_days
from content.message import Choice, Message
from content.search import similar_texts
from db import attachments, submissions, units
from db.models import Submission, Track
from db.submissions import Report
from handlers.dialogue import END, LEAVE, Answer, Command, Move
from handlers.report.flow import GOOD_DEED, WORK, dialogue, track
from handlers.report.steps import result_lines
from handlers.talk import Talk

REVIEW_DAYS = 5
SHOWN = 160
"""Characters of a story in the preview; the whole is sent."""
STORY = (
    "field", "before", "after", "applied", "since", "results", "recognised", "secret", "display",
    "who", "what", "where_when", "witness", "publish",
)  # fmt: skip
"""The answers that make the story of a submission."""
LIKELY = 3
"""How many likely duplicates are shown."""


def _brief(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1].rstrip() + "…"


def lines(talk: Talk) -> list[tuple[str, str]]:
    """The answers with their labels, as the preview shows them."""
    data, word = talk.data, talk.words
    found: list[tuple[str, str]] = []
    if track(talk) == Track.GOOD_DEED:
        for key in ("what", "where_when", "witness"):
            found.append((key, _brief(data.get(key, "")) or word("report.none")))
        found.append(("publish", word(f"report.publish_{data.get('publish', 'unasked')}")))
    else:
        found.append(("field", word(f"report.field_{data['field']}")))
        found += [(key, _brief(data[key])) for key in ("before", "after")]
        applied = word(f"report.applied_{data['applied']}")
        found.append(("applied", f"{applied}, {data['since']}" if data.get("since") else applied))
        found.append(("result", "; ".join(result_lines(talk))))
        for key in ("recognised", "secret"):
            if data.get(key):
                found.append((key, _brief(data[key])))
        found.append(("display", word(f"report.display_{data.get('display', 'name')}")))
    return [(word(f"report.label_{key}"), value) for key, value in found]


def authors(talk: Talk) -> str:
    """The author and co-authors with their shares."""
    shares = talk.data.get("shares", [])
    if not shares:
        return talk.me.name
    mine = 100 - sum(percent for _, percent in shares)
    return ", ".join([f"{talk.me.name} {mine}%", *(f"{name} {percent}%" for name, percent in shares)])


@dialogue.ask("preview")
async def ask_preview(talk: Talk) -> Message:
    assert talk.draft is not None
    photos, others = await attachments.count(talk.session, talk.draft.id)
    unit = await units.get(talk.session, talk.me.unit_id or 0)
    return talk.screen(
        "report.preview",
        track=talk.words(f"report.track_{track(talk).value}"),
        title=talk.data.get("title") or talk.data.get("who", ""),
        authors=authors(talk),
        unit=unit.name,
        lines=lines(talk),
        photos=photos,
        others=others,
        receiver=await _receiver(talk),
    )


async def _receiver(talk: Talk) -> str:
    """Where it would go now, by the same rule that sends it."""
    probe = Submission(author_id=talk.me.id, unit_id=talk.me.unit_id, id=-1)
    unit_id = await submissions.route(talk.session, probe)
    return (await units.get(talk.session, unit_id)).name if unit_id is not None else ""


@dialogue.take("preview")
async def take_preview(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "edit":
        return "edit"
    if answer.choice == "save":
        talk.say("common.saved")
        return LEAVE
    if answer.choice == "drop":
        talk.say("common.dropped")
        return END
    likely = await _likely(talk)
    if likely:
        talk.put(likely=likely)
        return "duplicates"
    return await _send(talk)


@dialogue.ask("edit")
async def ask_edit(talk: Talk) -> Message:
    steps = (*GOOD_DEED, "publish") if track(talk) == Track.GOOD_DEED else WORK
    return talk.screen("report.edit", *(Choice(talk.words(f"report.label_{step}"), step) for step in steps))


@dialogue.take("edit")
async def take_edit(talk: Talk, answer: Answer) -> Move | str:
    talk.put(editing=True)
    return answer.choice


async def _likely(talk: Talk) -> list[list[object]]:
    """Reports that say nearly the same: code, title, percent, and nobody's name."""
    mine = submissions.compared(talk.data.get("title", ""), talk.data)
    others = await submissions.texts_to_compare(talk.session, talk.now)
    others.pop(talk.data.get("resend", ""), None)
    found: list[list[object]] = []
    for code, percent in similar_texts(mine, others)[:LIKELY]:
        title = others[code].rsplit("  ", 1)[-1].strip()
        found.append([code, _brief(title), percent])
    return found


@dialogue.ask("duplicates")
async def ask_duplicates(talk: Talk) -> Message:
    shown = [f"{code} ({percent}%): {title}" for code, title, percent in talk.data["likely"]]
    return talk.screen("report.duplicates", lines=shown)


@dialogue.take("duplicates")
async def take_duplicates(talk: Talk, answer: Answer) -> Move | str:
    return "edit" if answer.choice == "edit" else await _send(talk)


async def _send(talk: Talk) -> Move:
    assert talk.draft is not None
    data = talk.data
    report = Report(
        track=track(talk),
        title=data.get("title") or data.get("who", ""),
        story={key: data[key] for key in STORY if data.get(key)},
        money=data.get("results", {}).get("money"),
        direct_production=talk.me.direct_production,
        coauthors=[(name, percent) for name, percent in data.get("shares", [])],
    )
    due = datetime.combine(add_working_days(talk.today, REVIEW_DAYS), time(17), LOCAL)
    waiting = any(file.state == "waiting" for file in await attachments.list_for_draft(talk.session, talk.draft.id))
    if data.get("resend"):
        submission = await submissions.find_own(talk.session, talk.me.id, data["resend"])
        await submissions.send_again(talk.session, submission, report, talk.draft.id, due, talk.now)
    else:
        submission = await submissions.submit(
            talk.session, talk.me, report, draft_id=talk.draft.id, due_at=due, year=talk.today.year, now=talk.now
        )
        for coauthor in await submissions.list_coauthors(talk.session, submission.id):
            if coauthor.person_id is not None:
                await talk.tell(
                    coauthor.person_id,
                    "report.coauthor_ask",
                    dedup=f"coauthor:{coauthor.id}",
                    author=talk.me.name,
                    percent=coauthor.percent,
                    title=submission.title,
                    code=submission.code,
                )
    receiver = (await units.get(talk.session, submission.queue_unit_id)).name if submission.queue_unit_id else ""
    await tell_reviewers(talk, submission)
    talk.say(
        "report.sent",
        code=submission.code,
        receiver=receiver,
        good_deed=submission.track == Track.GOOD_DEED,
        waiting=waiting,
    )
    return END


async def tell_reviewers(talk: Talk, submission: Submission) -> None:
    """One bundled line to each who may decide: the newest report and how many wait."""
    if submission.queue_unit_id is None:
        return
    unit = await units.get(talk.session, submission.queue_unit_id)
    without = await submissions.involved(talk.session, submission)
    waiting, _ = await submissions.count_waiting(talk.session, [unit.id], talk.now)
    for person_id in await submissions.reviewers(talk.session, unit.id, without):
        await talk.tell(
            person_id,
            "report.queue_notice",
            slot=f"queue-{talk.local:%Y%m%d%H}",
            after=5.0,
            n=waiting,
            unit=unit.name,
            code=submission.code,
            title=submission.title,
        )


async def answer_coauthor(talk: Talk, arg: str) -> Move | None:
    """A named co-author presses yes or no."""
    code, _, said = arg.partition(".")
    await submissions.answer_coauthor(talk.session, code, talk.me.id, said == "yes", talk.now)
    talk.say("report.coauthor_yes" if said == "yes" else "report.coauthor_no")
    return None


COMMANDS = (Command("dongtacgia", answer_coauthor),)
