"""The card of one report: everything the author said, its files, what is like it, and what may be done now."""

from __future__ import annotations

from content.calendar import official_day_month
from content.message import Media, Message
from content.search import similar_texts
from db import attachments, people, policy, reviews, submissions, units
from db.models import Attachment, FileState, Status, Submission, Track
from db.policy import Action
from handlers.dialogue import Command, Move
from handlers.moderation.flow import dialogue, role_of
from handlers.moderation.queue import days
from handlers.talk import Talk

STORY = ("field", "before", "after", "applied", "results", "recognised", "secret", "captions", "display")
GOOD_DEED = ("what", "where_when", "witness", "captions", "publish")
NAMED = ("field", "applied", "display", "publish")
LONGEST = 700
"""Characters of one answer on the card; longer ones are cut, the comparison shows more."""
LIKELY = 3


def _value(talk: Talk, key: str, story: dict[str, object]) -> str:
    value = story.get(key, "")
    if key in NAMED and value:
        shown = talk.words(f"report.{key}_{value}")
        return f"{shown}, {story['since']}" if key == "applied" and story.get("since") else shown
    if key == "results" and isinstance(value, dict):
        parts = []
        for kind, detail in value.items():
            label = talk.words(f"report.result_{kind}")
            told = talk.words("report.a_year", amount=detail) if kind == "money" else detail
            parts.append(f"{label}: {told}" if told else label)
        return "; ".join(parts)
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


async def likely(talk: Talk, submission: Submission) -> list[tuple[str, int, str]]:
    """(code, percent, words) of the reports that are most like it."""
    others = await submissions.texts_to_compare(talk.session, talk.now, without=submission.id)
    mine = submissions.compared(submission.title, submission.story)
    return [(code, percent, others[code]) for code, percent in similar_texts(mine, others)[:LIKELY]]


async def _state(talk: Talk, submission: Submission) -> str:
    word = talk.words
    if submission.status == Status.CLAIMED:
        if submission.holder_id == talk.me.id:
            return word("moderation.state_claimed_me", until=submission.lapses_at)
        return word(
            "moderation.state_claimed",
            role=await role_of(talk, submission.holder_id, submission),
            since=submission.claimed_at,
        )
    other = ""
    if submission.duplicate_of is not None:
        other = (await talk.session.get_one(Submission, submission.duplicate_of)).code
    return word(
        f"moderation.state_{submission.status.value}", ask=submission.ask, reason=submission.reason, other=other
    )


async def _authors(talk: Talk, submission: Submission) -> str:
    author = (await people.get(talk.session, submission.author_id)).name
    coauthors = await submissions.list_coauthors(talk.session, submission.id)
    if not coauthors:
        return author
    mine = 100 - sum(each.percent for each in coauthors)
    named = []
    for each in coauthors:
        said_no = f" ({talk.words('report.coauthor_said_no')})" if each.confirmed is False else ""
        named.append(f"{each.name} {each.percent}%{said_no}")
    return ", ".join([f"{author} {mine}%", *named])


async def _allowed(talk: Talk, submission: Submission) -> list[str]:
    """What may be done now by this person; authorised again when it is done."""
    mine = talk.me.id in await submissions.involved(talk.session, submission)
    may = not mine and await policy.may(talk.session, talk.me.id, Action.DECIDE_SUBMISSIONS, submission.queue_unit_id)
    offered: list[str] = []
    if may and submission.status == Status.SENT:
        offered = ["claim"]
    elif may and submission.status == Status.CLAIMED and submission.holder_id == talk.me.id:
        offered = ["accept", "ask", "reject", "duplicate", "give_back"]
    elif may and submission.status == Status.DUPLICATE:
        offered = ["unduplicate"]
    return offered


@dialogue.ask("card")
async def ask_card(talk: Talk) -> Message:
    submission = await reviews.get_visible(talk.session, talk.me.id, talk.data["code"])
    await reviews.seen(talk.session, submission, talk.me.id)
    keys = GOOD_DEED if submission.track == Track.GOOD_DEED else STORY
    lines = [
        (talk.words("report.label_result" if key == "results" else f"report.label_{key}"), value)
        for key in keys
        if (value := _value(talk, key, submission.story))
    ]
    events = await submissions.list_events(talk.session, submission.id, internal=True)
    alike = await likely(talk, submission)
    files = await submissions.list_files(talk.session, submission.id)
    unit = await units.get(talk.session, submission.unit_id) if submission.unit_id is not None else None
    offered = await _allowed(talk, submission)
    offered += ["files"] if files else []
    offered += ["compare"] if alike and len(offered) < 6 else []
    return talk.screen(
        "moderation.card",
        only=[*offered, "note", "queue"][:8],
        code=submission.code,
        version=submission.version,
        track=talk.words(f"report.track_{submission.track.value}"),
        sent=submission.sent_at,
        due=days(talk, submission),
        title=submission.title,
        authors=await _authors(talk, submission),
        direct=bool(submission.direct_production),
        unit=unit.name if unit else "",
        lines=lines,
        files=len(files),
        waiting_files=await _waiting_files(talk, submission),
        state=await _state(talk, submission),
        supplement=next((e.text for e in reversed(events) if e.action == "supplemented"), ""),
        notes=[f"{official_day_month(e.at.astimezone(talk.local.tzinfo))}: {e.text}" for e in events if e.internal][
            -3:
        ],
        likely=", ".join(f"{code} ({percent}%)" for code, percent, _ in alike),
    )


async def _waiting_files(talk: Talk, submission: Submission) -> int:
    rows: list[Attachment] = await attachments.list_for_submission(talk.session, submission.id)
    return sum(row.state == FileState.WAITING for row in rows)


async def show_files(talk: Talk, arg: str) -> Move | None:
    """The cleaned pictures and papers of a report."""
    submission = await reviews.get_visible(talk.session, talk.me.id, arg)
    files = await submissions.list_files(talk.session, submission.id)
    if not files:
        talk.say("moderation.no_files", code=submission.code)
        return None
    media = [
        Media("photo" if f.kind == "photo" else "document", f.file, f.name or f"{submission.code}-{f.id}")
        for f in files
    ]
    talk.say("moderation.files", media=media, code=submission.code)
    return None


async def compare(talk: Talk, arg: str) -> Move | None:
    """The words of a report beside those of the one most like it."""
    submission = await reviews.get_visible(talk.session, talk.me.id, arg)
    alike = await likely(talk, submission)
    if not alike:
        talk.say("moderation.no_likely", code=submission.code)
        return None
    code, percent, text = alike[0]
    mine = submissions.compared(submission.title, submission.story)
    talk.say("moderation.compare", a=submission.code, text_a=mine[:1500], b=code, text_b=text[:1500], percent=percent)
    return None


COMMANDS = (Command("xemtep", show_files), Command("sosanh", compare))
