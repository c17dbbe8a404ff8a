"""What the steps of composing share: the audience's rule, its count, the text and files as they will be read."""

from __future__ import annotations

from typing import Any

from content.announcements import announcement
from content.calendar import day_start
from content.message import Media, Message
from content.placeholders import fill
from db import attachments, audiences
from db.audiences import Rule, Tally
from db.models import FileState
from handlers.dialogue import Dialogue
from handlers.talk import Talk

dialogue = Dialogue("announcing", keeps_draft=True)

TOPICS = {"notice": "notice", "campaign": "movement", "document": "policy", "urgent": "urgent", "correction": "notice"}
"""What kind of reminder each type is, for people who switched some off."""
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
    kind = talk.data["kind"]
    return await audiences.count(talk.session, rule(talk), kind, TOPICS[kind], day_start(talk.now))


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
        organisation_name=talk.house.organisation,
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
    return {"document": "doc_number", "correction": "correction"}.get(talk.data["kind"], "body")


def after(talk: Talk, step: str) -> str:
    """The next step; the confirmation for who came from there to change one part."""
    return "confirm" if talk.data.get("editing") else step
