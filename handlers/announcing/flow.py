"""What the steps of composing share: the audience's rule, its count, the text and files as they will be read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from content.announcements import announcement
from content.calendar import day_start, local_date
from content.message import Media, Message
from content.placeholders import fill
from content.windows import rests
from db import attachments, audiences, units
from db.audiences import Rule, Tally
from db.models import Broadcast, FileState
from db.policy import Action
from handlers.dialogue import Again, Dialogue
from handlers.talk import Talk


async def may_broadcast(talk: Talk) -> bool:
    """Whether there is any part of the tree this person may write to."""
    return await talk.may(Action.BROADCAST)


dialogue = Dialogue("announcing", officers=True, keeps_draft=True, allowed=may_broadcast)

TOPICS = {"notice": "notice", "campaign": "movement", "document": "policy", "urgent": "urgent", "correction": "notice"}
"""What kind of reminder each type is, for people who switched some off."""
NAMES_SHOWN = 3
LOOK_AHEAD = 30
"""Days in which people who have had their messages are looked for again: the longest that a cap reaches."""
MOST = 1000
MOST_CAPTION = 900
"""Letters of a text, and of one beside photos or a file (4-conversation §4.12)."""


def rule(talk: Talk) -> Rule:
    """The audience as built so far."""
    return audiences.from_json(talk.data["audience"])


def change(talk: Talk, **values: Any) -> None:
    """Changes a part of the audience."""
    talk.put(audience=talk.data["audience"] | values)


async def count(talk: Talk) -> Tally:
    """Everybody in the audience by the reason why not, by the same expression that plans it."""
    hour = datetime.fromisoformat(talk.data["at"]) if talk.data.get("at") else talk.now
    return await _count_on(talk, max(hour, talk.now))


async def _count_on(talk: Talk, moment: datetime) -> Tally:
    kind = talk.data["kind"]
    return await audiences.count(talk.session, rule(talk), kind, TOPICS[kind], day_start(moment))


async def why_nobody(talk: Talk, tally: Tally) -> Again:
    """Why an audience is empty: nobody is in it, or all have had their messages, and from which day on that changes."""
    full = tally.reasons.get("capped", 0)
    if not full:
        return Again("announcing.audience_nobody")
    ahead = (talk.now + timedelta(days=days) for days in range(1, LOOK_AHEAD + 1))
    days = [day for day in ahead if not rests(local_date(day))]
    free = None
    for day in days:
        if (await _count_on(talk, day)).reached:
            free = day
            break
    return Again("announcing.audience_capped", n=full, day=free)


def group_names(talk: Talk, here: Rule) -> str:
    """The groups chosen."""
    return ", ".join(talk.words(f"announcing.group_{group}") for group in here.groups)


async def unit_names(talk: Talk, here: Rule) -> str:
    """The units chosen, the first few by name."""
    names = [(await units.get(talk.session, unit_id)).name for unit_id in here.units[:NAMES_SHOWN]]
    more, listed = len(here.units) - len(names), ", ".join(names)
    return talk.house.words.plain("announcing.units_more", names=listed, n=more) if more else listed


async def is_branch(talk: Talk, here: Rule) -> bool:
    """Whether anything stands below the units chosen: of a team there is no branch."""
    return len(await units.below(talk.session, here.units)) > len(here.units)


async def whom(talk: Talk, here: Rule) -> str:
    """The audience in words, on one line."""
    if here.corrects:
        wrong = await talk.session.get_one(Broadcast, here.corrects)
        return talk.house.words.plain("announcing.whom_corrected", code=wrong.code)
    return talk.house.words.plain(
        "announcing.whom",
        unit=await unit_names(talk, here),
        branch=await is_branch(talk, here),
        whole=here.whole,
        groups=group_names(talk, here),
        sector=here.sector,
        membership=here.membership,
        officers=here.officers,
    )


def attached(talk: Talk, media: Sequence[Media]) -> str:
    """What goes with a message: photos or a file, or nothing."""
    photos = sum(each.kind == "photo" for each in media)
    return talk.words("announcing.attached", photos=photos, others=len(media) - photos) if media else ""


async def files(talk: Talk) -> tuple[list[Media], bool]:
    """The cleaned files of the draft, and whether some are still being cleaned."""
    assert talk.draft is not None
    found = await attachments.list_for_draft(talk.session, talk.draft.id)
    clean = [
        Media("photo" if file.kind == "photo" else "document", file.file, file.name or file.file)
        for file in found
        if file.state == FileState.CLEAN
    ]
    return clean, any(file.state == FileState.WAITING for file in found)


def text(talk: Talk) -> str:
    """The words as the officer wrote them; a document's parts put together."""
    data = talk.data
    if data["kind"] != "document":
        return str(data.get("text", ""))
    return talk.house.words.plain(
        "announcing.document",
        office=data["doc_from"],
        number=data["doc_number"],
        day=data["doc_date"],
        subject=data["doc_subject"],
        summary=data["doc_summary"],
        due=data.get("doc_due", ""),
    )


async def as_read(talk: Talk) -> Message:
    """The message as its reader gets it."""
    shown = fill(text(talk), name=talk.me.name, unit=talk.data.get("unit_name", ""))
    media, _ = await files(talk)
    return announcement(talk.house.words, talk.data["kind"], shown, media)


def writing_step(talk: Talk) -> str:
    """Where the words of this kind are written."""
    return {"document": "doc_from", "correction": "correction"}.get(talk.data["kind"], "body")


def after(talk: Talk, step: str) -> str:
    """The next step; the confirmation for who came from there to change one part."""
    return "confirm" if talk.data.get("editing") else step
