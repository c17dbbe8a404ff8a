"""Every job and its hour as one table. APScheduler only ticks; what is due comes from rows."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

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
    Job("broadcasts", 3, broadcasts.run),
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


class Timetable:
    """Looks at every job in its rhythm. One that fails is logged and looked at again the next time."""

    def __init__(self, work: Work, jobs: tuple[Job, ...] = JOBS, *, trusted: Callable[[], bool] = lambda: True) -> None:
        self._work = work
        self._trusted = trusted
        """Whether the clock is known to be right, or nothing speaks against it."""
        self.jobs = jobs
        self._running: dict[str, float] = {}
        self._failures: Counter[str] = Counter()
        self._scheduler: AsyncIOScheduler | None = None

    def start(self) -> None:
        """Begins to tick, with a first look at once. Each job has moments of its own: together they keep answers waiting."""
        self._scheduler = AsyncIOScheduler(
            timezone="Asia/Ho_Chi_Minh",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        soon = datetime.now(self._scheduler.timezone) + timedelta(seconds=0.2)
        apart = timedelta(seconds=min(job.every for job in self.jobs) / len(self.jobs))
        for n, job in enumerate(self.jobs):
            trigger = IntervalTrigger(seconds=job.every, timezone=self._scheduler.timezone)
            self._scheduler.add_job(self.look, trigger, args=[job], id=job.name, next_run_time=soon + n * apart)
        self._scheduler.start()

    def stop(self) -> None:
        """No new ticks; a transaction under way finishes by itself."""
        if self._scheduler is not None and self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def run_all(self) -> None:
        """Looks at everything now (tests, and the demo's moving clock)."""
        for job in self.jobs:
            await self.look(job)

    async def look(self, job: Job) -> None:
        """Lets one job see what is due, unless it acts by the date and the clock is wrong (promises F19)."""
        if job.dated and not self._trusted():
            return
        self._running[job.name] = asyncio.get_running_loop().time()
        try:
            await settled(lambda: job.run(self._work))
            self._failures[job.name] = 0
        except Exception:
            self._failures[job.name] += 1
            log.exception("job %s failed", job.name)
        finally:
            self._running.pop(job.name, None)  # the demo's moving clock looks beside the ticks

    def failing(self) -> list[str]:
        """The jobs that failed several times in a row, and those that hang."""
        now = asyncio.get_running_loop().time()
        hanging = {name for name, since in self._running.items() if now - since > troubles.HANGING}
        return sorted(hanging | {name for name, count in self._failures.items() if count >= troubles.FAILURES})
