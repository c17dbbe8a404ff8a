"""Looks at the running house every other second and says what it sees; what was not seen lately is no reason for calm."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from bot.clock import Clock, Skew
from bot.inbox import Inbox
from bot.metrics import Family, Meter, gauge, render
from bot.polling import Polling
from db import figures, inbox
from db.figures import Waiting
from db.models import Lane
from db.session import Database
from scheduler import troubles
from scheduler.delivery import Delivery
from scheduler.timetable import Timetable
from scheduler.troubles import Facts, Name

log = logging.getLogger(__name__)

EVERY = 2.0
"""Seconds between two looks."""
COUNTED = 10.0
"""Seconds for which counted rows are good: whoever asks more often gets the same numbers."""
SPARING = 50
"""Counting walks all that was ever sent: of a count that takes long the rows are good for so many times as long."""
LAST_BACKUP = "last-backup.txt"
"""Beside the database, for a restored one must not bring back when it was made."""


class Listener(Protocol):
    """Is told after every look what is wrong."""

    async def hear(self, found: Sequence[Name]) -> None: ...


class Watch:
    """What the process knows of itself is told as it is; tables and disk are looked at, one look at a time.

    A look that hangs (a locked database, a dead disk) delays nobody: what was seen becomes too old, and that is told.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        folder: Path,
        *,
        folders: Sequence[Path],
        inbox: Inbox,
        polling: Polling | None,
        deliveries: Mapping[str, Delivery],
        timetable: Timetable,
        skew: Skew,
        meter: Meter,
        shut: Callable[[], int],
    ) -> None:
        """`folders` are all in which something is kept. `shut` counts the ports at which we cannot listen."""
        self._database = database
        self._clock = clock
        self._folder = folder
        self._folders = folders
        self._inbox = inbox
        self._polling = polling
        self._deliveries = deliveries
        self._timetable = timetable
        self._skew = skew
        self._meter = meter
        self._shut = shut
        self._started = clock.now()
        self._beat = self._seen_at = clock.monotonic()
        self._waiting = Waiting()
        self._free: int | None = None
        self._backup: datetime | None = None
        self._looking: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._rows: list[Family] = []
        self._counted_at = float("-inf")
        self._good_for = COUNTED
        self._counting: asyncio.Task[None] | None = None
        self.listener: Listener | None = None

    async def run(self) -> None:
        """Looks for ever."""
        while True:
            self._beat = self._clock.monotonic()
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look())
            if self.listener is not None and (self._telling is None or self._telling.done()):
                self._telling = asyncio.create_task(self.listener.hear(self.troubles()))
            await self._clock.sleep(EVERY)

    async def stop(self) -> None:
        """Waits for the looks under way; each is over in a moment unless it hangs."""
        under_way = [
            task for task in (self._looking, self._telling, self._counting) if task is not None and not task.done()
        ]
        if under_way:
            await asyncio.wait(under_way, timeout=2.0)

    async def _look(self) -> None:
        try:
            async with self._database.read() as session:
                waiting = await figures.waiting(session, list(self._deliveries), self._clock.now())
            free = await asyncio.to_thread(least_free, self._folders)
            # What a server keeps is copied by its administrator, and not noted here.
            backup = None if self._database.shared else await asyncio.to_thread(last_backup, self._folder)
        except Exception:
            log.exception("the house could not be looked at")
            return
        self._waiting, self._free, self._backup = waiting, free, backup
        self._seen_at = self._clock.monotonic()

    # ------------------------------------------------------------------------------------------------ what is seen

    def has_room(self) -> bool:
        """Whether the disk can take more from outside: below the line, what is left is for what is there already (F14)."""
        return self._free is None or self._free >= troubles.FULL

    def facts(self) -> Facts:
        """What is known at this moment."""
        now, tick = self._clock.now(), self._clock.monotonic()
        waits = self._waiting.outbox
        copied = () if self._database.shared else (self._backup, self._waiting.first_start)
        backup = max(filter(None, copied), default=None)
        return Facts(
            beat=tick - self._beat,
            poll=None if self._polling is None else self._polling.silent(),
            poll_failing=None if self._polling is None else self._polling.failing(),
            channels_down=sum(delivery.down_since is not None for delivery in self._deliveries.values()),
            ports_shut=self._shut(),
            database=self._inbox.trouble or "",
            unread=tick - self._seen_at,
            writing=self._database.writing,
            backlog=self._waiting.inbox,
            unsent=max((wait for (_, lane), wait in waits.items() if lane != Lane.BULK), default=0.0),
            unsent_bulk=max(
                (min(waits.get((name, Lane.BULK), 0.0), each.idle()) for name, each in self._deliveries.items()),
                default=0.0,
            ),
            dead=self._waiting.dead,
            disk_free=self._free,
            skew=self._skew.seconds(),
            jobs_failing=len(self._timetable.failing()),
            backup=None if backup is None else (now - backup).total_seconds(),
            unanswered=self._waiting.unanswered,
        )

    def troubles(self) -> list[Name]:
        """What is wrong at this moment."""
        return troubles.find(self.facts())

    def red(self) -> list[Name]:
        """What is so wrong that health is not good."""
        return troubles.critical(self.troubles())

    def report(self) -> dict[str, Any]:
        """What is wrong and what it was told from, for `congdoan status`."""
        facts = self.facts()
        return {
            "troubles": troubles.find(facts),
            "facts": {
                name: round(value, 1) if isinstance(value := getattr(facts, name), float) else value
                for name in Facts.__slots__
            },
            "jobs_failing": self._timetable.failing(),
            "channels_down": [name for name, each in self._deliveries.items() if each.down_since is not None],
        }

    # ------------------------------------------------------------------------------------------------ for Prometheus

    async def metrics(self) -> str:
        """Everything that is counted, in Prometheus' text; counted rows are left out while they cannot be counted."""
        if self._clock.monotonic() - self._counted_at > self._good_for:
            if self._counting is None or self._counting.done():
                self._counting = asyncio.create_task(self._count())
            await asyncio.wait({self._counting}, timeout=1.0)
        fresh = self._clock.monotonic() - self._counted_at <= self._good_for * 3
        return render([*self._gauges(), *(self._rows if fresh else ()), *self._meter.families()])

    async def _count(self) -> None:
        began = self._clock.monotonic()
        try:
            async with self._database.read() as session:
                came, leaves = await inbox.counts(session), await figures.outgoing(session)
        except Exception:
            log.exception("rows could not be counted")
            return
        self._rows = [
            gauge("congdoan_inbox_rows", "Updates by state.", *(({"state": s}, n) for s, n in came.items())),
            gauge(
                "congdoan_outbox_rows",
                "Messages by state and lane.",
                *(({"state": state, "lane": lane}, n) for (state, lane), n in leaves.items()),
            ),
        ]
        self._counted_at = self._clock.monotonic()
        self._good_for = max(COUNTED, SPARING * (self._counted_at - began))

    def _gauges(self) -> list[Family]:
        facts, found = self.facts(), self.troubles()
        now = self._clock.now()
        backup = None if self._backup is None else self._backup.timestamp()
        polled = None if facts.poll is None else now.timestamp() - facts.poll
        return [
            gauge("congdoan_build_info", "The version that runs.", ({"version": version("congdoan-bot")}, 1)),
            gauge("congdoan_start_time_seconds", "When the process started.", ({}, self._started.timestamp())),
            gauge("congdoan_python_blocks", "Pieces of memory that Python has in use.", ({}, sys.getallocatedblocks())),
            gauge(
                "congdoan_trouble",
                "1 while this is wrong (README, Watching it).",
                *(
                    ({"name": name.value, "severity": troubles.SEVERITY[name].value}, int(name in found))
                    for name in Name
                ),
            ),
            gauge("congdoan_last_poll_timestamp_seconds", "The last successful poll, or the start.", ({}, polled)),
            gauge("congdoan_look_age_seconds", "Since tables and disk were looked at.", ({}, facts.unread)),
            gauge(
                "congdoan_write_running_seconds", "How long the present write transaction runs.", ({}, facts.writing)
            ),
            gauge(
                "congdoan_inbox_oldest_seconds", "How long an update waits that could be handled.", ({}, facts.backlog)
            ),
            gauge(
                "congdoan_outbox_oldest_seconds",
                "How long a message waits that could leave.",
                *(
                    ({"channel": channel, "lane": lane.name.lower()}, wait)
                    for (channel, lane), wait in self._waiting.outbox.items()
                ),
            ),
            gauge("congdoan_disk_free_bytes", "Free where data is kept.", ({}, facts.disk_free)),
            gauge("congdoan_clock_skew_seconds", "How far our clock is ahead.", ({}, facts.skew)),
            gauge("congdoan_last_backup_timestamp_seconds", "The last backup.", ({}, backup)),
            gauge(
                "congdoan_jobs_failing",
                "Scheduled jobs that fail again and again, hang, or are not begun.",
                ({}, facts.jobs_failing),
            ),
        ]


def least_free(folders: Iterable[Path]) -> int:
    """Bytes that we may still write in the one where it is fewest."""
    return min(map(free_space, folders))


def free_space(folder: Path) -> int:
    """Bytes that we may still write there."""
    return shutil.disk_usage(existing(folder)).free


def existing(folder: Path) -> Path:
    """A folder, or the nearest one above it that is there."""
    here = folder.absolute()
    while not here.exists() and here != here.parent:
        here = here.parent
    return here


def last_backup(folder: Path) -> datetime | None:
    """When the last backup was made, as far as it is known."""
    try:
        return datetime.fromisoformat((folder / LAST_BACKUP).read_text(encoding="ascii").strip()).astimezone(UTC)
    except (OSError, ValueError):
        return None
