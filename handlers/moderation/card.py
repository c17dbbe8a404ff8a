"""The card of one report: what it says, what is like it, where it stands, and what may be done now."""

from __future__ import annotations

from content.calendar import local_date, official_day_month
from content.message import Message
from db import attachments, exchange, people, policy, queue, reviews, submissions, units
from db.models import FileState, Status, Submission, SubmissionEvent, Track
from db.policy import Action
from handlers.dialogue import Command, Move
from handlers.moderation.flow import dialogue, role_of, split
from handlers.moderation.queue import days
from handlers.moderation.reading import LONGEST, alike, cut, lines
from handlers.talk import Talk

NOTES, NOTE = 2, 120
"""How many of the newest notes the card shows, and how many characters of each; the rest is in the full text."""


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
    return talk.house.words.plain(
        f"moderation.state_{submission.status.value}",
        ask=cut(submission.ask, LONGEST), reason=cut(submission.reason, LONGEST), other=other,
    )  # fmt: skip


async def _authors(talk: Talk, submission: Submission) -> str:
    erased = talk.house.words.plain("moderation.erased")
    author = (await people.get(talk.session, submission.author_id)).name or erased
    coauthors = await submissions.list_coauthors(talk.session, submission.id)
    if not coauthors:
        return author
    mine = 100 - sum(each.percent for each in coauthors)
    named = []
    for each in coauthors:
        said = {True: "yes", False: "no", None: "waits" if each.person_id is not None else "outside"}[each.confirmed]
        named.append(f"{each.name or erased} {each.percent}% ({talk.words(f'moderation.coauthor_{said}')})")
    return ", ".join([f"{author} {mine}%", *named])


async def _may(talk: Talk, submission: Submission) -> bool:
    return await policy.may(talk.session, talk.me.id, Action.DECIDE_SUBMISSIONS, submission.queue_unit_id)


def _at_hand(talk: Talk, submission: Submission) -> bool:
    held = submission.status == Status.CLAIMED and submission.holder_id == talk.me.id
    return submission.status == Status.SENT or held


async def _decisions(talk: Talk, submission: Submission) -> list[str]:
    """What this person may decide now; authorised again when it is done."""
    if not await _may(talk, submission):
        return []
    offered = ["accept", "ask", "reject"] if _at_hand(talk, submission) else []
    offered += ["claim"] if submission.status == Status.SENT else []
    offered += ["unduplicate"] if submission.status == Status.DUPLICATE else []
    offered += ["answer"] if submission.question_at is not None else []
    offered += ["reopen"] if await reviews.may_reopen(talk.session, talk.me.id, submission) else []
    return offered


def _last(events: list[SubmissionEvent], *actions: str) -> str:
    return next((event.text for event in reversed(events) if event.action in actions), "")


def _thread(submission: Submission, events: list[SubmissionEvent]) -> tuple[str, str]:
    """(the newest line to the author, what they answered or asked since); one that was followed by the other is empty."""
    last = next((event.action for event in reversed(events) if event.action in exchange.THREAD), "")
    waits = submission.question_at is not None or last == "replied"
    return (
        cut(_last(events, "contacted"), LONGEST) if last == "contacted" else "",
        _last(events, "question", "replied") if waits else "",
    )


@dialogue.ask("card")
async def ask_card(talk: Talk) -> Message:
    submission = await queue.get_visible(talk.session, talk.me.id, talk.data["code"])
    await reviews.seen(talk.session, submission, talk.me.id)
    events = await submissions.list_events(talk.session, submission.id, internal=True)
    files = await attachments.list_for_submission(talk.session, submission.id)
    clean = sum(file.state == FileState.CLEAN for file in files)
    unit = await units.get(talk.session, submission.unit_id) if submission.unit_id is not None else None
    notes = [event for event in events if event.internal][-NOTES:]
    offered = await _decisions(talk, submission)
    contacted, question = _thread(submission, events)
    return talk.screen(
        "moderation.card",
        only=[*offered, *(["files"] if clean else []), "next", "more"],
        code=submission.code,
        version=submission.version,
        good_deed=submission.track == Track.GOOD_DEED,
        track=talk.words(f"report.track_{submission.track.value}"),
        sent=submission.sent_at,
        due=days(talk, submission),
        title=submission.title,
        authors=await _authors(talk, submission),
        direct=bool(submission.direct_production),
        unit=unit.name if unit else "",
        lines=lines(talk, submission, LONGEST),
        files=clean,
        waiting_files=sum(file.state == FileState.WAITING for file in files),
        state=await _state(talk, submission),
        supplement=cut(_last(events, "supplemented"), 2 * LONGEST),
        contacted=contacted,
        question=question,
        notes=[f"{official_day_month(local_date(event.at))}: {cut(event.text, NOTE)}" for event in notes],
        likely=", ".join(f"{code} ({percent}%)" for code, percent in await alike(talk, submission)),
    )


async def show_more(talk: Talk, arg: str) -> Move | None:
    return dialogue.go("more", code=split(arg)[0])


@dialogue.ask("more")
async def ask_more(talk: Talk) -> Message:
    """What is done less often, so that the card's own buttons stay few."""
    submission = await queue.get_visible(talk.session, talk.me.id, talk.data["code"])
    offered = ["full", "card", "queue"]
    if await _may(talk, submission):
        offered.append("note")
        if _at_hand(talk, submission):
            offered.append("duplicate")
            offered += ["give_back"] if submission.status == Status.CLAIMED else []
        if exchange.may_contact(submission, talk.me.id):
            offered.append("contact")
    offered += ["compare"] if await alike(talk, submission) else []
    return talk.screen("moderation.more", only=offered, code=submission.code, version=submission.version)


COMMANDS = (Command("vieckhac", show_more),)
