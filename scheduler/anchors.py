"""Once a day the administrators' own chats are told how far the record of who did what has come: a witness outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from content.calendar import LOCAL, local_date
from content.windows import OFFICE
from db import audit, policy
from db.policy import Action
from scheduler import notices

if TYPE_CHECKING:
    from scheduler.timetable import Work

SHOWN = 32
"""Hexadecimal digits of a hash that are shown: 128 bits, and still one line."""


async def run(work: Work) -> None:
    """From 8 o'clock on, once a day on which something was written since the last time; a lost row shows from then on."""
    now = work.now()
    if not OFFICE[0] <= now.astimezone(LOCAL).time() < OFFICE[1]:
        return
    async with work.database.write() as session:
        mark = await audit.drop_anchor(session, local_date(now), now)
        if mark is None:
            return
        text = f"{mark.row}:{mark.hash[:SHOWN]}"
        message = work.words.message("audit.anchor", on=local_date(now), mark=text)
        for person_id in await policy.holders(session, Action.READ_ALARMS):
            await notices.tell(session, person_id, message, now, f"anchor:{mark.row}:{person_id}")
    work.said()
