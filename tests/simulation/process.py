"""The process: the real App on virtual time. Only its clock, its disk, its line and its ticks are ours."""

from __future__ import annotations

import asyncio
import contextvars
import io
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.app import App
from bot.clock import Clock
from bot.settings import Settings
from db.session import Database
from scheduler.timetable import Job
from tests.people import FACTS, spoken
from tests.simulation.life import Life

BELONGS: contextvars.ContextVar[Life | None] = contextvars.ContextVar("belongs", default=None)
"""The process in whose name a task runs; tasks inherit it from the one that made them."""


class WallClock(Clock):
    """Monotonic seconds are the loop's; the wall clock stands `ahead` of them and may be moved either way.

    What has `passed` is time in which nothing happened.
    """

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.passed = self.ahead = timedelta(0)

    def now(self) -> datetime:
        """What the machine believes."""
        return self.start + self.passed + self.ahead + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Virtual seconds."""
        return asyncio.get_running_loop().time()


class OwnedTask(asyncio.Task[Any]):
    """A task that knows whose it is."""

    life: Life | None = None


def owned(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **kwargs: Any) -> asyncio.Task[Any]:
    """The task factory."""
    task = OwnedTask(coroutine, loop=loop, **kwargs)
    task.life = life = BELONGS.get()
    if life is not None:
        life.tasks.add(task)
        task.add_done_callback(life.tasks.discard)
    return task


async def _nothing() -> None:
    """Nobody asks from outside: there are no sockets here."""


class Process:
    """One run of the bot, from start to stop or death."""

    def __init__(self, life: Life, url: str, clock: WallClock, folder: Path, pace: float) -> None:
        self.life = life
        self._url = url
        self._clock = clock
        self._folder = folder
        self._pace = pace
        self.app: App | None = None
        self.up = False

    def start(self) -> None:
        """Begins; whether it gets anywhere is up to its fate. One that cannot start exits, to be started again."""

        def started(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and task.exception() is not None and not self.life.dead:
                self.life.kill()

        self._in_its_name(self._start).add_done_callback(started)

    def _in_its_name(self, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        context = contextvars.copy_context()
        context.run(BELONGS.set, self.life)
        return context.run(asyncio.get_running_loop().create_task, work())

    async def _start(self) -> None:
        settings = Settings.model_construct(
            **Settings.model_construct().model_dump()
            | {
                "data_dir": self._folder,
                "telegram_token": SecretStr("123456789:simulated"),
                "organisation": FACTS["organisation"],
                "hotline": FACTS["hotline"],
                "rate_per_second": self._pace,
            }
        )
        app = App(settings, self._clock, io.StringIO(), Database(self._url), *spoken())
        app.timetable.start = lambda: self._tick(app)  # type: ignore[method-assign]
        app.watch_server.start = app.watch.run = _nothing  # type: ignore[method-assign]
        del app.deliveries["webchat"]  # nobody is there; its looking around would only cost time
        self.app = app
        await app.start()
        self.up = True

    def _tick(self, app: App) -> None:
        """APScheduler only ticks, by the real clock; these ticks are virtual."""

        async def ticking(job: Job) -> None:
            await asyncio.sleep(0.2)
            while True:
                await app.timetable.look(job)
                await asyncio.sleep(job.every)

        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(ticking(job)) for job in app.timetable.jobs]

        async def stop(patience: float = 8.0) -> None:
            for task in tasks:
                task.cancel()

        app.timetable.stop = stop  # type: ignore[method-assign]

    @property
    def open(self) -> int:
        """Transactions under way."""
        return self.app.database.open if self.app is not None and not self.life.dead else 0

    async def stop(self) -> bool:
        """SIGTERM: it has its eight seconds. False when it fails at its last words, which is as good as being killed."""
        assert self.app is not None
        stopping = self._in_its_name(self.app.stop)
        while not (stopping.done() or self.life.dead):
            await asyncio.wait({stopping}, timeout=0.1)
        if not stopping.done():
            return False  # killed over its last words
        if stopping.exception() is not None:
            self.life.kill()
            return False
        self.up = False
        self.life.dead = True
        await self.life.bury()
        return True
