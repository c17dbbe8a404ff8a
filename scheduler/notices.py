"""What has happened, said to one person when they are awake."""

from __future__ import annotations

from datetime import datetime

from content.message import Message, to_json
from content.windows import asleep_for
from db import outbox, people
from db.models import Policy
from db.session import Session


async def tell(
    session: Session,
    person_id: int,
    message: Message,
    now: datetime,
    key: str,
    *,
    kind: str = "notice",
    policy: Policy = Policy.ALO,
    slot: str | None = None,
    edits: bool = True,
    at_once: bool = False,
) -> None:
    """Waits while they sleep or want to be left alone, unless it must be said `at_once`; once for each `key`.

    The rest is `outbox.tell`'s.
    """
    wait = 0.0 if at_once else asleep_for((await people.get(session, person_id)).hours, now)
    await outbox.tell(
        session,
        person_id,
        to_json(message),
        now=now,
        kind=kind,
        policy=policy,
        key=key,
        slot=slot,
        edits=edits,
        after=wait,
        at_once=at_once,
    )
