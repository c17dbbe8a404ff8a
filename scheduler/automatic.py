"""The day before, the officers on duty see what goes out by itself, with buttons; what they say is kept with its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from content.agenda import Entry, agenda, asked, asked_from, entries_of
from content.calendar import LOCAL, local_date
from content.message import Media
from content.windows import OFFICE
from db import automatic, broadcasts, policy
from db.models import AutomaticMessage
from db.policy import Action
from db.session import Session
from scheduler import notices

if TYPE_CHECKING:
    from scheduler.timetable import Work


async def ask(work: Work, session: Session, top: int, pictures: Mapping[str, Sequence[Media]], now: datetime) -> None:
    """Asks about tomorrow's released messages, once each, in office hours; and about today's that wait for a yes.

    What was decided about some may be lost with a disk: of these they are asked as soon as they are awake.
    """
    local = now.astimezone(LOCAL)
    respectful = await broadcasts.respectful(session)
    for entry in agenda(work.words, work.packs, local.date(), 2):
        if not entry.approved or not entry.text or entry.audience not in ("all", "registered"):
            continue
        on = local_date(entry.at)
        if (respectful and entry.kind == "anniversary") or await automatic.has_begun(session, entry.key):
            continue
        if await automatic.is_lost(session, entry.key, asked_from(on)):
            if on == local.date() and local.time() >= OFFICE[1]:
                continue  # it is too late for that
            await ask_again(work, session, top, entry, pictures.get(entry.key, ()), now)
        elif OFFICE[0] <= local.time() < OFFICE[1] and (on > local.date() or work.silence == "hold"):
            if not await policy.anyone(session, top, Action.DECIDE_AUTOMATIC):
                continue  # whoever comes is asked then; meanwhile an alarm says so
            row = await automatic.ask(session, entry.key, on, now)
            if row is not None:
                await _tell(work, session, top, row, entry, pictures.get(entry.key, ()), now)


async def ask_again(
    work: Work, session: Session, top: int, entry: Entry, media: Sequence[Media], now: datetime
) -> None:
    """Asks once more about what is held since a restore: nobody's silence lets it go, nor does it that nobody is there."""
    known = await automatic.find(session, entry.key)
    second = await automatic.second_people(session, known, top) if known is not None and known.text else ()
    if not second and not await policy.anyone(session, top, Action.DECIDE_AUTOMATIC):
        return
    row = await automatic.ask_again(session, entry.key, local_date(entry.at), now)
    if row is not None:
        await _tell(work, session, top, row, entry, media, now, lost=True)


async def _tell(
    work: Work,
    session: Session,
    top: int,
    row: AutomaticMessage,
    entry: Entry,
    media: Sequence[Media],
    now: datetime,
    *,
    lost: bool = False,
) -> None:
    """Everybody who may decide sees it as its readers will, once they are awake."""
    message = asked(
        work.words,
        entries_of(work.words, work.packs, row.key, row.send_on),
        number=row.id,
        version=row.version,
        text=row.text,
        state=work.words.plain("automatic.state_lost" if lost else f"automatic.state_asked_{work.silence}"),
        options=("send", "stop") if entry.kind == "check" else ("send", "edit", "stop"),
        tomorrow=row.send_on == local_date(now) + timedelta(days=1),
        media=media,
    )
    decide = await policy.anyone(session, top, Action.DECIDE_AUTOMATIC)
    for person_id in sorted({*decide, *(await automatic.second_people(session, row, top) if row.text else ())}):
        await notices.tell(session, person_id, message, now, f"automatic:{row.id}:{row.version}:{person_id}")
