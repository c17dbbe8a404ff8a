"""What falls due by itself: claims that lapse, questions without an answer, reviews that are late, drafts that wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from content.anniversaries import planned
from content.calendar import LOCAL, add_working_days, is_working_day, local_date
from content.windows import OFFICE, next_slot
from db import accounts, house, lapses, people, queue, submissions, units
from db.models import Policy, Submission
from db.session import Session
from scheduler import notices

if TYPE_CHECKING:
    from scheduler.timetable import Work

REMIND = (timedelta(days=3), timedelta(days=7))
CLOSE = timedelta(days=21)
DRAFTS = (timedelta(hours=24), timedelta(days=5))


async def run(work: Work) -> None:
    """One look at everything that is due. Conditional updates and keys make any number of looks say it once."""
    now = work.now()
    async with work.database.write() as session:
        await lapses.release_all(session, now)
        await _lapsed(work, session, now)
        await _freed(work, session, now)
        await _rerouted(work, session, now)
        await _closed(work, session, now)
        await _wished(work, session, now)
        await _unanswered(work, session, now)
        await _overdue(work, session, now)
        await _drafts(work, session, now)
    work.said()


async def _remind(
    work: Work, session: Session, person_id: int, key: str, dedup: str, now: datetime, due: datetime, **params: Any
) -> None:
    """Reminds one person, when they are awake: at most once, for a doubtful one is better missed than repeated.

    What fell due before a backup was restored may have been said since it was made.
    """
    if await house.is_doubtful(session, due):
        return
    await _tell(work, session, person_id, key, dedup, now, kind="reminder", policy=Policy.AMO, **params)


async def _tell(
    work: Work,
    session: Session,
    person_id: int,
    key: str,
    dedup: str,
    now: datetime,
    *,
    kind: str = "notice",
    policy: Policy = Policy.ALO,
    **params: Any,
) -> None:
    """Says to one person what has happened, at least once, when they are awake."""
    message = work.words.message(key, **params)
    await notices.tell(session, person_id, message, now, dedup, kind=kind, policy=policy)


async def _in_window(session: Session, person_id: int, now: datetime) -> bool:
    """Whether now is a person's own time for reminders: not at work, not asleep, not on a Sunday (5-voice §5.4)."""
    person = await people.get(session, person_id)
    return next_slot(person.hours, now) <= now


async def _lapsed(work: Work, session: Session, now: datetime) -> None:
    by_holder: dict[int, list[Submission]] = {}
    for submission, holder in await lapses.lapse(session, now):
        by_holder.setdefault(holder, []).append(submission)
    for holder, found in by_holder.items():
        dedup = f"lapsed:{holder}:{found[0].id}:{found[0].version}"
        codes = [submission.code for submission in found]
        await _tell(work, session, holder, "moderation.lapsed_notice", dedup, now, codes=codes)


async def _rerouted(work: Work, session: Session, now: datetime) -> None:
    for unit_id, found in (await queue.reroute(session, now)).items():
        await _tell_reviewers(work, session, unit_id, found[-1], now)


async def _tell_reviewers(work: Work, session: Session, unit_id: int, newest: Submission, now: datetime) -> None:
    """Something came to a unit's queue by itself."""
    waiting = await submissions.count_waiting(session, unit_id)
    for person_id in await submissions.receivers(session, unit_id, set()):
        dedup = f"rerouted:{newest.id}:{newest.version}:{unit_id}:{person_id}"
        await _tell(
            work, session, person_id, "report.queue_notice", dedup, now,
            n=waiting, unit=(await units.get(session, unit_id)).name, code=newest.code, title=newest.title,
        )  # fmt: skip


async def _freed(work: Work, session: Session, now: datetime) -> None:
    """What was a duplicate of something its author took back is reviewed on its own."""
    days = submissions.REVIEW_DAYS.items()
    due = {
        track: datetime.combine(add_working_days(local_date(now), number), time(17), LOCAL) for track, number in days
    }
    for submission, gone in await lapses.free_duplicates(session, due, now):
        await _tell(
            work, session, submission.author_id, "moderation.alone_notice", f"alone:{submission.id}:{submission.version}",
            now, kind="result", code=submission.code, other=gone.code, title=submission.title,
        )  # fmt: skip
        if submission.queue_unit_id is not None:
            await _tell_reviewers(work, session, submission.queue_unit_id, submission, now)


async def _closed(work: Work, session: Session, now: datetime) -> None:
    for submission in await lapses.close_unanswered(session, now - CLOSE, now):
        dedup = f"closed:{submission.id}:{submission.version}"
        await _tell(
            work, session, submission.author_id, "moderation.closed_notice", dedup, now,
            kind="result", code=submission.code, title=submission.title, version=submission.version,
        )  # fmt: skip


async def _wished(work: Work, session: Session, now: datetime) -> None:
    """At the hour that an author wished for."""
    for submission, due in await lapses.take_reminders(session, now):
        dedup = f"evening:{submission.id}:{submission.version}:{local_date(now)}"
        await _remind(
            work, session, submission.author_id, "moderation.need_reminder", dedup, now, due,
            code=submission.code, title=submission.title, ask=submission.ask,
        )  # fmt: skip


async def _unanswered(work: Work, session: Session, now: datetime) -> None:
    for number, after in _latest_first(REMIND):
        for submission in await lapses.list_unanswered(session, now - after, number):
            if not await _in_window(session, submission.author_id, now):
                continue
            submission.reminded = number
            dedup = f"need:{submission.id}:{submission.version}:{number}"
            await _remind(
                work, session, submission.author_id, "moderation.need_reminder", dedup, now, (submission.asked_at or now) + after,
                code=submission.code, title=submission.title, ask=submission.ask,
            )  # fmt: skip


def _latest_first(steps: Sequence[timedelta]) -> list[tuple[int, timedelta]]:
    """Numbered reminders, the last one first: after a long stop nobody gets all of them at once."""
    return list(enumerate(steps, 1))[::-1]


async def _overdue(work: Work, session: Session, now: datetime) -> None:
    """One line to each reviewer when something more of theirs has become late, however much it is."""
    local = now.astimezone(LOCAL)
    if not is_working_day(local.date()) or not OFFICE[0] <= local.time() < OFFICE[1]:
        return
    for person_id, found in (await queue.list_overdue(session, now)).items():
        newest = found[-1]
        dedup = f"overdue:{person_id}:{local_date(newest.due_at or now)}"
        await _remind(
            work, session, person_id, "moderation.overdue_notice", dedup, now, newest.due_at or now,
            n=len(found), code=newest.code, title=newest.title,
        )  # fmt: skip


async def _drafts(work: Work, session: Session, now: datetime) -> None:
    """Mentions what somebody has begun; not on the day of an anniversary, to which nothing is attached (§4.5)."""
    today = planned(work.packs.anniversaries, local_date(now), 1)
    if any(item.on == item.day and item.approved for item in today):
        return
    for number, after in _latest_first(DRAFTS):
        for draft in await accounts.list_waiting_drafts(session, "report", now - after, number):
            if not await _in_window(session, draft.person_id, now):
                continue
            draft.reminded = number
            title = draft.data.get("title") or draft.data.get("who") or work.words.text("report.untitled")
            dedup = f"draft:{draft.id}:{number}"
            due = draft.updated_at + after
            await _remind(work, session, draft.person_id, "report.reminder", dedup, now, due, title=title)
