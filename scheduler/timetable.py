"""Every job and its hour as one table. APScheduler only ticks; what is due comes from rows."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from content.packs import Packs
from content.windows import DAYTIME, OFFICE, WINDOWS
from content.words import Words
from db.session import Database, settled
from scheduler import (
    anchors,
    anniversaries,
    attachments,
    broadcasts,
    contest_reminders,
    contests,
    deadlines,
    downtime,
    housekeeping,
    jobs,
    prizes,
    troubles,
)
from scheduler.copies import Said

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """What a job is handed. `said` wakes delivery after a commit that says something; `fetch` gets a file's bytes."""

    database: Database
    words: Words
    packs: Packs
    files: Path
    now: Callable[[], datetime]
    said: Callable[[], None]
    fetch: Callable[[str, str], Awaitable[bytes]]
    """(channel, ref) -> bytes; raises SendError."""
    silence: str = "send"
    """What nobody's decision about an automatic message means: "send" or "hold"."""
    doors: downtime.Doors = field(default_factory=downtime.Doors)
    drop_uploads: Callable[[Sequence[str]], None] = lambda refs: None
    """Deletes files as they were uploaded to the web chat; platforms keep theirs themselves."""
    read: Callable[[str, str], Said | None] = lambda channel, raw: None
    """(channel, update as it is stored) -> what somebody said in it; None where nobody can tell any more."""


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work and how many seconds lie between two looks at what is due."""

    name: str
    every: int
    run: Callable[[Work], Awaitable[None]]
    dated: bool = False
    """Acts by the date: what it does on a wrong day cannot be taken back, so it stands still while the clock is wrong."""


LOST_TIME = Job("lost time", 15, downtime.run, dated=True)
"""Looks beside its rhythm when a door opens again, before anything that came through it is answered."""
JOBS: tuple[Job, ...] = (
    Job("broadcasts", 3, broadcasts.run, dated=True),
    Job("attachments", 3, attachments.run),
    Job("jobs", 3, jobs.run),
    Job("lost files", 900, attachments.tidy),
    Job("anniversaries", 60, anniversaries.run, dated=True),
    Job("old copies", 900, jobs.tidy),
    Job("deadlines", 60, deadlines.run, dated=True),
    LOST_TIME,
    Job("contests", 15, contests.run, dated=True),
    Job("contest reminders", 60, contest_reminders.run, dated=True),
    Job("prizes", 300, prizes.run, dated=True),
    Job("housekeeping", 300, housekeeping.run, dated=True),
    Job("anchors", 300, anchors.run, dated=True),
)
OPENINGS = tuple(
    sorted(
        {anniversaries.EARLIEST, OFFICE[0], DAYTIME[0]} | {opens for spans in WINDOWS.values() for opens, _ in spans}
    )
)
"""The hours of a day from which on something may begin that no row announces: a clock that is moved stops there."""


CUT_OFF = 2.0
"""Seconds in which a look that is cut off takes back what it had begun."""


class Rhythm(BaseTrigger):  # type: ignore[misc]
    """Every so often from now on, at moments of its own: however far somebody sets the clock, what lies between is nothing
    to catch up with. (APScheduler's own counts every look that was missed, for minutes on end after a year.)
    """

    def __init__(self, every: float) -> None:
        self.every = timedelta(seconds=every)

    def get_next_fire_time(self, previous: datetime, now: datetime) -> datetime:
        return now + ((previous - now) % self.every or self.every)


class Timetable:
    """Looks at every job in its rhythm. One that fails is logged and looked at again the next time.

    APScheduler keeps the next look by the wall clock, so that a clock set back would put all of them off until it comes
    round again: a beat by the clock that nobody sets sees to it that none lies further ahead than its rhythm has it.
    """

    def __init__(self, work: Work, jobs: tuple[Job, ...] = JOBS, *, trusted: Callable[[], bool] = lambda: True) -> None:
        self._work = work
        self._trusted = trusted
        """Whether the clock is known to be right, or nothing speaks against it."""
        self.jobs = jobs
        self._running: dict[str, float] = {}
        self._failures: Counter[str] = Counter()
        self._looked: dict[str, float] = {}
        self._scheduler: AsyncIOScheduler | None = None
        self._beat: asyncio.TimerHandle | None = None
        self._ticks: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Begins to tick, with a first look at once. Each job has moments of its own: together they keep answers waiting."""
        self._scheduler = AsyncIOScheduler(
            timezone="Asia/Ho_Chi_Minh",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        soon = datetime.now(self._scheduler.timezone) + timedelta(seconds=0.2)
        shortest = min(job.every for job in self.jobs)
        apart = timedelta(seconds=shortest / len(self.jobs))
        for n, job in enumerate(self.jobs):
            at = soon + n * apart
            self._scheduler.add_job(self._tick, Rhythm(job.every), args=[job], id=job.name, next_run_time=at)
        self._looked = dict.fromkeys((job.name for job in self.jobs), asyncio.get_running_loop().time())
        self._scheduler.start()
        self._keep_up(self._scheduler, shortest)

    def _keep_up(self, scheduler: AsyncIOScheduler, every: float) -> None:
        """Brings back the looks that a clock set back has put off."""
        self._beat = asyncio.get_running_loop().call_later(every, self._keep_up, scheduler, every)
        now = datetime.now(scheduler.timezone)
        for each in scheduler.get_jobs():
            if each.next_run_time - now > each.trigger.every:
                each.modify(next_run_time=each.trigger.get_next_fire_time(each.next_run_time, now))

    async def stop(self, patience: float = 8.0) -> None:
        """No new looks; those under way have `patience` seconds. What is cut off leaves no rows, though maybe a file."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is None or self._beat is None:
            return
        self._beat.cancel()
        scheduler.pause()
        if self._ticks:
            await asyncio.wait(self._ticks, timeout=patience)
        scheduler.shutdown(wait=False)  # ends what is left: it waits for nothing, whatever it is told
        if self._ticks:
            await asyncio.wait(self._ticks, timeout=CUT_OFF)
        self._looked.clear()

    async def _tick(self, job: Job) -> None:
        task = asyncio.current_task()
        if task is None or self._scheduler is None:
            return
        self._ticks.add(task)
        try:
            await self.look(job)
        finally:
            self._ticks.discard(task)

    async def run_all(self) -> None:
        """Looks at everything now (tests, and the demo's moving clock)."""
        for job in self.jobs:
            await self.look(job)

    async def look(self, job: Job) -> None:
        """Lets one job see what is due, unless it acts by the date and the clock is wrong (promises F19)."""
        loop = asyncio.get_running_loop()
        self._looked[job.name] = loop.time()
        if job.dated and not self._trusted():
            return
        self._running[job.name] = loop.time()
        try:
            await settled(lambda: job.run(self._work))
            self._failures[job.name] = 0
        except Exception:
            self._failures[job.name] += 1
            log.exception("job %s failed", job.name)
        finally:
            self._looked[job.name] = loop.time()
            self._running.pop(job.name, None)  # the demo's moving clock looks beside the ticks

    def failing(self) -> list[str]:
        """The jobs that failed several times in a row, those that hang, and those at which nobody looks any more."""
        now = asyncio.get_running_loop().time()
        hanging = {name for name, since in self._running.items() if now - since > troubles.HANGING}
        missed = {
            job.name
            for job in self.jobs
            if job.name not in self._running and now - self._looked.get(job.name, now) > troubles.MISSED * job.every
        }
        failed = {name for name, count in self._failures.items() if count >= troubles.FAILURES}
        return sorted(hanging | missed | failed)
