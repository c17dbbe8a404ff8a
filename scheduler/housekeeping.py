"""What nobody sees: handled content is blanked, previews are forgotten, old payloads go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db import accounts, inbox, outbox, webchat

if TYPE_CHECKING:
    from scheduler.timetable import Work


async def run(work: Work) -> None:
    """One round of tidying (retention: promises §1.4, decisions 14)."""
    now = work.now()
    async with work.database.write() as session:
        await inbox.tidy(session, now)
        await outbox.tidy(session, now)
        await accounts.forget_previews(session, now)
        await webchat.tidy(session, now)
