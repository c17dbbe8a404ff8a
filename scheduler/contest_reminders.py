"""Reminders of contests that people asked for: in their own windows, each at most once, not to who has sat their paper."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from content.message import to_json
from content.windows import closing_call, next_slot, opening_call
from db import contests, house, outbox, people
from db.models import Policy, ReminderKind, Round
from db.session import Session

if TYPE_CHECKING:
    from scheduler.timetable import Work

CHUNK = 200
"""People reminded in one transaction."""


async def run(work: Work) -> None:
    """One look. Whoever is handed out is marked in the same transaction; what is too late for a round is never sent."""
    now, due = work.now(), list[tuple[int, ReminderKind, list[str]]]()
    async with work.database.read() as session:
        rounds = await contests.list_reminding(session, now)
        known = await people.list_hours(session) if rounds else []
        for round_ in rounds:
            for kind in (ReminderKind.OPENS, ReminderKind.CLOSES):
                free = await _free(session, round_, kind, known, now)
                if free and await contests.is_to_remind(session, round_.id, kind, free):
                    due.append((round_.id, kind, free))
    for round_id, kind, free in due:
        more = True
        while more:
            async with work.database.write() as session:
                more = await _remind(work, session, await contests.get_round(session, round_id), kind, free, now)
    if due:
        work.said()


async def _free(session: Session, round_: Round, kind: ReminderKind, known: Sequence[str], now: datetime) -> list[str]:
    """The hours of those whose moment has come and who may be written to now.

    Not of those whose moment lies before a backup was restored: they may have been reminded since it was made.
    """
    call, at = (opening_call, round_.opens_at) if kind == ReminderKind.OPENS else (closing_call, round_.closes_at)
    due = [hours for hours in known if call(hours, at) <= now and next_slot(hours, now, sundays=True) <= now]
    return [hours for hours in due if not await house.is_doubtful(session, call(hours, at))]


async def _remind(
    work: Work, session: Session, round_: Round, kind: ReminderKind, free: Sequence[str], now: datetime
) -> bool:
    """Reminds some; whether there may be more."""
    said: dict[str, Any] = {
        "week": await contests.week_of(session, round_),
        "theme": round_.theme,
        "closes": round_.closes_at,
        "minutes": round_.minutes,
    }
    message = to_json(work.words.message(f"contest.reminder_{kind.value}", n=round_.size, **said))
    found = await contests.take_reminders(session, round_.id, kind, free, now, CHUNK)
    for person_id in found:
        key = f"contest-reminder:{round_.id}:{kind.value}:{person_id}"
        await outbox.tell(
            session, person_id, message, now=now, kind="reminder", policy=Policy.AMO, key=key, until=round_.closes_at
        )
    return len(found) == CHUNK
