"""What falls due by itself: claims that lapse, questions without an answer, reviews that are late, drafts that wait."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from content.calendar import LOCAL
from content.message import to_json
from db import accounts, outbox, reviews, submissions
from db.session import Session

if TYPE_CHECKING:
    from scheduler.timetable import Work

REMIND = (timedelta(days=3), timedelta(days=7))
CLOSE = timedelta(days=21)
DRAFTS = (timedelta(hours=24), timedelta(days=5))
WAKING = (time(8), time(20))
"""Reminders come in the daytime (4-conversation §4.17)."""


async def run(work: Work) -> None:
    """One look at everything that is due. Conditional updates and keys make any number of looks say it once."""
    now = work.now()
    async with work.database.write() as session:
        await _lapsed(work, session, now)
        await _closed(work, session, now)
        if WAKING[0] <= now.astimezone(LOCAL).time() < WAKING[1]:
            await _unanswered(work, session, now)
            await _overdue(work, session, now)
            await _drafts(work, session, now)
    work.said()


async def _tell(
    work: Work, session: Session, person_id: int, key: str, dedup: str, now: datetime, **params: Any
) -> None:
    message = work.words.message(key, **params)
    await outbox.tell(session, person_id, to_json(message), now=now, kind="reminder", key=dedup)


async def _lapsed(work: Work, session: Session, now: datetime) -> None:
    for submission, holder in await reviews.lapse(session, now):
        dedup = f"lapsed:{submission.id}:{submission.version}"
        await _tell(work, session, holder, "moderation.lapsed_notice", dedup, now, code=submission.code)


async def _closed(work: Work, session: Session, now: datetime) -> None:
    for submission in await reviews.close_unanswered(session, now - CLOSE, now):
        dedup = f"closed:{submission.id}:{submission.version}"
        await _tell(
            work, session, submission.author_id, "moderation.closed_notice", dedup, now,
            code=submission.code, version=submission.version,
        )  # fmt: skip


async def _unanswered(work: Work, session: Session, now: datetime) -> None:
    for number, after in enumerate(REMIND, 1):
        for submission in await reviews.list_unanswered(session, now - after, number):
            submission.reminded = number
            dedup = f"need:{submission.id}:{submission.version}:{number}"
            await _tell(
                work, session, submission.author_id, "moderation.need_reminder", dedup, now,
                code=submission.code, title=submission.title, ask=submission.ask,
            )  # fmt: skip


async def _overdue(work: Work, session: Session, now: datetime) -> None:
    for submission in await reviews.list_overdue(session, now):
        if submission.queue_unit_id is None:
            continue
        without = await submissions.involved(session, submission)
        for person_id in await submissions.reviewers(session, submission.queue_unit_id, without):
            dedup = f"overdue:{submission.id}:{person_id}"
            await _tell(
                work, session, person_id, "moderation.overdue_notice", dedup, now,
                code=submission.code, title=submission.title,
            )  # fmt: skip


async def _drafts(work: Work, session: Session, now: datetime) -> None:
    for number, after in enumerate(DRAFTS, 1):
        for draft in await accounts.list_waiting_drafts(session, "report", now - after, number):
            draft.reminded = number
            title = draft.data.get("title") or draft.data.get("who") or work.words.text("report.untitled")
            dedup = f"draft:{draft.id}:{number}"
            await _tell(work, session, draft.person_id, "report.reminder", dedup, now, title=title)
