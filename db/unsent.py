"""Words about a report that somebody has typed and not sent: kept until they are, gone with whom the report was of."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, or_, select

from db.accounts import find_draft, open_draft
from db.models import Conversation, Draft
from db.session import Session

KEPT = 50
"""How many unsent texts of one dialogue are remembered: more than anybody leaves half-way."""
KEEPS = ""
"""The step of a draft that only keeps words: there is no question to go back to."""


async def kept(session: Session, person_id: int, dialogue: str, about: str) -> str:
    """What a person wrote about something and did not send, in a dialogue that keeps no other draft."""
    draft = await find_draft(session, person_id, dialogue)
    return str(draft.data.get(about, "")) if draft is not None else ""


async def keep(session: Session, person_id: int, dialogue: str, about: str, text: str, now: datetime) -> None:
    """Remembers them until they are sent; "" forgets. `about` names what they are for and the codes of the reports."""
    draft = await open_draft(session, person_id, dialogue, KEEPS, now)
    others = {key: words for key, words in draft.data.items() if key != about}
    draft.data = dict(list((others | {about: text}).items())[-KEPT:]) if text else others
    draft.updated_at = now
    await session.flush()


async def forget_about(session: Session, codes: Collection[str]) -> None:
    """Forgets what anybody typed about these reports and did not send, and leaves the screens that stand at them.

    Words for several reports at once stay for the others.
    """
    if not codes:
        return
    for draft in (await session.execute(select(Draft).where(Draft.step == KEEPS, _names(Draft.data, codes)))).scalars():
        left = {}
        for about, words in draft.data.items():
            kind, *reports = about.split(" ")
            others = [code for code in reports if code not in codes]
            if others or not reports:
                left[" ".join([kind, *others])] = words
        draft.data = left
    for talk in (await session.execute(select(Conversation).where(_names(Conversation.data, codes)))).scalars():
        _leave(talk, codes)
    await session.flush()


def _names(column: Any, codes: Collection[str]) -> Any:
    return or_(*(cast(column, String).contains(code) for code in codes))


def _leave(talk: Conversation, codes: Collection[str]) -> None:
    """Takes the reports off a screen; one that is about nothing else is left, and its buttons are old ones."""

    def others(name: str) -> list[str]:
        return [arg for arg in talk.data.get(name, []) if arg.partition(".")[0] not in codes]

    args = others("args")
    several = len(talk.data.get("args", [])) > 1 and args
    if talk.data.get("code") in codes and not several:
        talk.dialogue = talk.step = talk.screen_kind = talk.last_choice = ""
        talk.data, talk.history, talk.ahead, talk.choices, talk.said = {}, [], [], [], []
        talk.screen += 1
        return
    code = args[0].partition(".")[0] if talk.data.get("code") in codes else talk.data.get("code")
    changed = {"args": args, "picked": others("picked"), "code": code}
    talk.data = {key: changed.get(key, value) for key, value in talk.data.items()}
