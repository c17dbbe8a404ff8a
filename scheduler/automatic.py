"""The day before, the officers on duty see what goes out by itself, with buttons; what they say is kept with its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from content.agenda import Entry, agenda, asked, entries_of
from content.calendar import LOCAL, local_date
from content.message import Media
from db import automatic, broadcasts, policy
from db.models import AutomaticMessage
from db.policy import Action
from db.session import Session
from scheduler import notices
from scheduler.deadlines import OFFICE

if TYPE_CHECKING:
    from scheduler.timetable import Work


async def ask(work: Work, session: Session, top: int, pictures: Mapping[str, Sequence[Media]], now: datetime) -> None:
    """Asks about tomorrow's released messages, once each, in office hours; and about today's that wait for a yes."""
    local = now.astimezone(LOCAL)
    if not OFFICE[0] <= local.time() < OFFICE[1]:
        return
    respectful = await broadcasts.respectful(session)
    for entry in agenda(work.words, work.packs, local.date(), 2):
        if not entry.approved or not entry.text or entry.audience not in ("all", "registered"):
            continue
        if respectful and entry.kind == "anniversary":
            continue
        if local_date(entry.at) == local.date() and (
            work.silence == "send" or await automatic.has_begun(session, entry.key)
        ):
            continue
        row = await automatic.ask(session, entry.key, local_date(entry.at), now)
        if row is not None:
            await _tell(work, session, top, row, entry, pictures.get(entry.key, ()), now)


async def _tell(
    work: Work, session: Session, top: int, row: AutomaticMessage, entry: Entry, media: Sequence[Media], now: datetime
) -> None:
    """Everybody who may decide sees it as its readers will."""
    message = asked(
        work.words,
        entries_of(work.words, work.packs, row.key, row.send_on),
        number=row.id,
        version=row.version,
        text="",
        state=work.words.plain(f"automatic.state_asked_{work.silence}"),
        options=("send", "stop") if entry.kind == "check" else ("send", "edit", "stop"),
        tomorrow=row.send_on == local_date(now) + timedelta(days=1),
        media=media,
    )
    for person_id in await policy.anyone(session, top, Action.DECIDE_AUTOMATIC):
        await notices.tell(session, person_id, message, now, f"automatic:{row.id}:{row.version}:{person_id}")
