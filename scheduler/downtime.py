"""Whether people can reach us, and what becomes of contests for as long as they could not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from db import contests, house, jobs, policy
from db.contests.rounds import RUN
from db.models import Cause, Downtime, Making
from db.session import Session
from scheduler import notices

if TYPE_CHECKING:
    from scheduler.timetable import Work

log = logging.getLogger(__name__)

BEAT = timedelta(seconds=30)
"""How often it is written down that people can reach us."""
DOWN = timedelta(minutes=2)
"""A silence longer than this is made up: a restart, or another process that takes over, costs nobody anything."""
WAITS = 3600.0
"""Seconds for which a door has been shut before this process gives up waiting for its end, once more is lost than is made
up by itself."""


@dataclass(frozen=True, slots=True)
class Shut:
    """People cannot reach us, and for how many seconds that has been so at least. No cause: it is only just beginning."""

    cause: Cause | None
    seconds: float = 0.0


class Doors:
    """Since when people can reach us, by the clock that nobody sets. With nothing handed in they always can."""

    def __init__(self, monotonic: Callable[[], float] = lambda: 0.0, shut: Callable[[], Shut | None] = lambda: None):
        self._monotonic = monotonic
        self._shut = shut
        self._opened: float | None = 0.0
        self._closed = 0.0
        self.settled = True
        """Whether what lies behind us is made up as far as need be: until then no paper ends and no result is made."""
        self.noted = True
        """Whether it is written down when they were shut."""
        self.cause = Cause.DOWN

    def begin(self, cause: Cause = Cause.DOWN) -> None:
        """This process was not there, or not at work, until now."""
        self._opened, self._closed = None, self._monotonic()
        self.settled = self.noted = False
        self.cause = cause

    def look(self) -> Shut | None:
        """What keeps people from reaching us; None when nothing does."""
        shut = self._shut()
        if shut is None:
            self._open()
            return None
        if self._opened is not None:
            self.begin()
        if shut.cause is not None:
            self.cause = shut.cause
        return shut

    def reached(self, silence: float) -> None:
        """Something came from outside, `silence` seconds after the last time that we knew it could."""
        if silence > DOWN.total_seconds() and self._opened is not None:
            self.begin()
        self._open()

    def _open(self) -> None:
        if self._opened is None:
            self._opened = self._monotonic()

    def open_for(self) -> timedelta:
        """Since they opened."""
        return timedelta(seconds=0.0 if self._opened is None else self._monotonic() - self._opened)

    def shut_for(self) -> float:
        """Seconds since this process first saw them shut."""
        return self._monotonic() - self._closed


async def run(work: Work) -> None:
    """One look. What was lost is given back in the transaction that says so, and that is once however often it is asked."""
    doors, now = work.doors, work.now()
    shut = doors.look()
    async with work.database.read() as session:
        known = await house.know(session, house.ALIVE)
    alive = now if known is None else datetime.fromisoformat(known["at"])
    if shut is not None:
        await _wait(work, shut, alive, now)
    elif not doors.settled:
        await _settle(work, doors.open_for(), now)
        doors.settled = doors.look() is None  # it may have shut meanwhile
    elif known is None or not timedelta(0) <= now - alive < BEAT:
        async with work.database.write() as session:
            await house.remember(session, house.ALIVE, {"at": now.isoformat()}, now)
    async with work.database.read() as session:
        untold = await contests.list_untold_downtimes(session)
    for downtime in untold:
        await _tell(work, downtime.id, now)


async def _wait(work: Work, shut: Shut, alive: datetime, now: datetime) -> None:
    """While nobody can reach us: notes since when, and asks the officers once it is more than is made up by itself."""
    doors = work.doors
    began = now - timedelta(seconds=shut.seconds)
    if not doors.noted and began < alive:
        async with work.database.write() as session:
            await house.remember(session, house.ALIVE, {"at": began.isoformat()}, now)
    doors.noted = True
    if now - alive > contests.MOST and doors.shut_for() > WAITS:
        await _settle(work, timedelta(0), now)


async def _settle(work: Work, open_for: timedelta, now: datetime) -> None:
    async with work.database.write() as session:
        known = await house.know(session, house.ALIVE)
        last, until = now if known is None else datetime.fromisoformat(known["at"]), now - open_for
        if until - last > DOWN:
            for round_ in await contests.make_up(session, last, until, now, work.doors.cause):
                log.warning("contest round %d goes on until %s (%s)", round_.id, round_.closes_at, work.doors.cause)
        await house.remember(session, house.ALIVE, {"at": now.isoformat()}, now)


async def _tell(work: Work, downtime_id: int, now: datetime) -> None:
    """The officers of its round hear of a downtime, once; whoever sat a paper, by a job, for they may be thousands."""
    async with work.database.write() as session:
        downtime = await contests.get_downtime(session, downtime_id)
        if downtime.told:
            return
        downtime.told = True
        await jobs.add(session, "given_back", {"downtime": downtime.id}, None, now)
        await _tell_officers(work, session, downtime, now)
    work.said()


async def _tell_officers(work: Work, session: Session, downtime: Downtime, now: datetime) -> None:
    round_ = await contests.get_round(session, downtime.round_id)
    contest = await contests.get_contest(session, round_.contest_id)
    asked = downtime.making == Making.ASKED
    message = work.words.message(
        "contest_desk.downtime_asked" if asked else "contest_desk.downtime",
        without=() if downtime.seconds or not asked else ("extend",),
        id=round_.id,
        tag=downtime.tag,
        contest=contest.name,
        week=round_.number,
        since=downtime.from_at,
        until=downtime.until_at,
        minutes=downtime.minutes,
        span=work.words.text("contest_desk.span", minutes=downtime.minutes),
        over=now >= round_.closes_at,
        closes=round_.closes_at,
        cause=work.words.text(f"contest_desk.cause_{downtime.cause}"),
        restored=downtime.cause == Cause.RESTORED,
        most=int(contests.MOST.total_seconds() // 3600),
    )
    for person_id in await policy.anyone(session, contest.unit_id, RUN):
        await notices.tell(session, person_id, message, now, f"downtime:{downtime.tag}:{person_id}")
