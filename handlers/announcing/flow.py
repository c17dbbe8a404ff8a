"""What the steps of composing share: the audience's rule, its count, the text as it will be read."""

from __future__ import annotations

from typing import Any

from content.calendar import day_start
from content.message import Message
from content.placeholders import fill
from db import audiences, broadcasts
from db.audiences import Member, Rule
from handlers.dialogue import Dialogue
from handlers.talk import Talk

dialogue = Dialogue("announcing", keeps_draft=True)

TOPICS = {"notice": "notice", "campaign": "movement", "document": "policy", "urgent": "urgent", "correction": "notice"}
"""What kind of reminder each type is, for people who switched some off."""
MOST = 1000
MOST_CAPTION = 900


def rule(talk: Talk) -> Rule:
    """The audience as built so far."""
    return audiences.from_json(talk.data["audience"])


def change(talk: Talk, **values: Any) -> None:
    """Changes a part of the audience."""
    talk.put(audience=talk.data["audience"] | values)


async def count(talk: Talk) -> list[Member]:
    """Everybody in the audience with the reason why not: the same code plans it."""
    kind = talk.data["kind"]
    only = await broadcasts.reached(talk.session, talk.data["corrects"]) if talk.data.get("corrects") else None
    return await audiences.members(
        talk.session,
        rule(talk),
        TOPICS[kind],
        caps_on=None if kind in ("urgent", "correction") else day_start(talk.now),
        only=only,
    )


def text(talk: Talk) -> str:
    """The words as the officer wrote them; a document's parts put together."""
    data = talk.data
    if data["kind"] != "document":
        return str(data.get("text", ""))
    return talk.house.words.plain(
        "announcing.document",
        organisation_name=talk.house.organisation,
        number=data["doc_number"],
        subject=data["doc_subject"],
        summary=data["doc_summary"],
        due=data.get("doc_due", ""),
    )


def as_read(talk: Talk) -> Message:
    """The message as its reader gets it."""
    shown = fill(text(talk), name=talk.me.name, unit=talk.data.get("unit_name", ""))
    key = "correction" if talk.data["kind"] == "correction" else "pushed"
    return talk.screen(f"announcing.{key}", text=shown)
