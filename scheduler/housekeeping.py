"""What nobody sees: handled content is blanked, previews, old drafts and copies go, who left for good is erased.

What was kept for months goes only when the date is sure: a wrong one would forget everybody's browsers and people at once.
Files that no row names likewise wait: a database that somebody has put in the place of the right one names none.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from db import accounts, erasure, house, inbox, outbox, people, webchat
from db.session import Session
from scheduler import files

if TYPE_CHECKING:
    from scheduler.timetable import Work


UNUSED = timedelta(days=730)
"""24 months: so long data is kept of somebody who does not come back, as the consent says (vi/onboarding.yaml)."""
DRAFT_KEPT = timedelta(days=90)
"""A draft is out of the menu after 30 days and gone after 60 more (4-conversation §4.17)."""

SURE = timedelta(days=3)
"""So long the clock has to go on from where it stands: time for somebody to notice that it is wrong."""
BREAK = timedelta(days=7)
"""A longer one between two looks is a stop or a clock that was set, nobody knows which."""
TIDIED = "tidied"
"""The fact under which the last look is remembered, and since when they followed upon each other."""
COPIES_KEPT = timedelta(days=35)
"""What an update or a restore left beside the database: a backup, and kept as long as the consent says of backups.
What was being copied when the process was killed is the same."""
COPY = re.compile(r"before-(?:update|restore)-(\d{8}-\d{6})(?:\.db|\.part)?")


async def run(work: Work) -> None:
    """One round of tidying (retention: promises §1.4, decisions 14)."""
    now = work.now()
    async with work.database.read() as session:  # it looks at everybody: no answer waits for that
        unused = await people.list_unused(session, now - UNUSED)
        erased = await erasure.list_unfinished(session)
    async with work.database.write() as session:
        await inbox.tidy(session, now)
        await outbox.tidy(session, now)
        await accounts.forget_previews(session, now)
        await erasure.finish(session, erased)
        sure = await _is_sure(session, now)
        if sure:
            await webchat.tidy(session, now)
            await accounts.forget_drafts(session, now - DRAFT_KEPT)
            for person_id in await people.list_unused(session, now - UNUSED, among=unused):
                await erasure.erase(session, person_id, now)
    if sure:
        await asyncio.to_thread(_forget_copies, work.files.parent, now)
        await files.sweep(work)


async def _is_sure(session: Session, now: datetime) -> bool:
    known = await house.know(session, TIDIED)
    since = now
    if known is not None and abs(now - datetime.fromisoformat(known["at"])) <= BREAK:
        since = min(now, datetime.fromisoformat(known["since"]))
    await house.remember(session, TIDIED, {"at": now.isoformat(), "since": since.isoformat()}, now)
    return now - since >= SURE


def _forget_copies(folder: Path, now: datetime) -> None:
    for path in folder.glob("before-*"):
        made = COPY.fullmatch(path.name)
        if made and now - datetime.strptime(made[1], "%Y%m%d-%H%M%S").replace(tzinfo=UTC) > COPIES_KEPT:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
