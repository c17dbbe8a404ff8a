"""One schedule, run: processes live and die one after the other while people go on; then everything heals and must end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import bot.app
from content.calendar import LOCAL
from db.broadcasts import planning
from tests.fakes.botapi.state import State
from tests.people import START
from tests.simulation import disk as disks
from tests.simulation import platform as platforms
from tests.simulation.disk import TROUBLE, Disk
from tests.simulation.life import Life
from tests.simulation.loop import VirtualLoop
from tests.simulation.people import Crowd
from tests.simulation.plan import Plan, begin
from tests.simulation.process import OwnedTask, Process, WallClock, owned

PATIENCE = 600.0
"""Virtual seconds after healing within which everything due must be final (promises §3.3, T1)."""
CHUNK = 5
"""People planned at once: small, so that planning has many moments to die in."""


@dataclass
class World:
    """What a schedule leaves for the oracles."""

    plan: Plan
    disk: Disk
    platform: platforms.Platform
    crowd: Crowd
    clock: WallClock
    lives: list[Life] = field(default_factory=list)
    killed: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    """What was seen to be wrong while it ran."""
    moved: bool = False
    marks: dict[str, int] = field(default_factory=dict)
    """Which process a claim's mark belongs to."""

    @property
    def now(self) -> datetime:
        """The wall clock."""
        return self.clock.now()


class _Errors(logging.Handler):
    """Whatever the core logs as an error without our having broken anything is a finding."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is None or self._world.lives[-1].dead:
            return
        if self._world.disk.troubles and any(words in str(error) for words in (*TROUBLE.values(), "no such savepoint")):
            return  # SQLite took the whole transaction back, the SAVEPOINT with it
        self._world.wrong.append(f"unexpected {type(error).__name__}: {str(error)[:300]} ({record.getMessage()})")


@contextmanager
def _listening(world: World) -> Iterator[None]:
    root, handler = logging.getLogger(), _Errors(world)
    before, level = root.handlers[:], root.level
    root.handlers[:] = [handler]
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.handlers[:] = before
        root.setLevel(level)


def _complains(world: World, context: dict[str, Any]) -> None:
    """The loop found a failure that nobody looked at; the dead may leave some."""
    task = context.get("task") or context.get("future")
    if not (isinstance(task, OwnedTask) and task.life is not None and task.life.dead):
        world.wrong.append(f"loop: {context['message']}: {context.get('exception')!r}")


def run(plan: Plan, folder: Path, template: Path) -> World:
    """Plays one schedule to its end."""
    start = START + timedelta(minutes=3, hours=plan.starts_at_hour)
    clock = WallClock(start)
    loop = VirtualLoop()
    state = State(lambda: start + timedelta(seconds=loop.time()))  # the platform's clock is right, whatever ours says
    platform = platforms.Platform(state, clock.now, Random(f"line {plan.seed}"), plan.shares)
    platform.repeats = plan.repeats
    crowd = Crowd(state, Random(f"people {plan.seed}"))
    platform.heard = crowd.hears
    disk = Disk(folder, template, Random(f"disk {plan.seed}"))
    world = World(plan, disk, platform, crowd, clock)
    stage = _Stage(world, folder)
    loop.still = stage.still
    loop.set_task_factory(owned)
    loop.set_exception_handler(lambda _, context: _complains(world, context))
    with ExitStack() as stack:
        stack.enter_context(disks.used(disk, lambda: world.lives[-1]))
        stack.enter_context(platforms.connected(platform, lambda: world.lives[-1]))
        stack.enter_context(mock.patch.object(bot.app, "SystemRandom", lambda: Random(plan.seed)))
        stack.enter_context(mock.patch.object(planning, "CHUNK", CHUNK))
        stack.enter_context(_listening(world))
        world.lives.append(Life(-1, None, lambda: None))
        loop.run_until_complete(disks.warm_up(disk))
        world.lives.clear()
        try:
            loop.run_until_complete(stage.play())
        finally:
            loop.run_until_complete(stage.close())
            loop.close()
    return world


class _Stage:
    """The order of things."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._folder = folder
        self._process: Process | None = None
        self._death = asyncio.Event()

    def still(self) -> None:
        """Before time moves: nobody may sleep, or ask the platform, inside a transaction."""
        if self._process is not None and self._process.open:
            self._world.wrong.append("time passed while a transaction was open")

    async def play(self) -> None:
        """From the first start to the last row that becomes final."""
        world, plan = self._world, self._world.plan
        loop = asyncio.get_running_loop()
        world.disk.trouble = plan.trouble
        begin(plan, world.crowd)
        for at, by in plan.jumps:
            loop.call_later(at, self._jump, by)
        until = [plan.seconds * (n + 1) / len(plan.fates) for n in range(len(plan.fates))]
        for number, fate in enumerate(plan.fates):
            last = number == len(plan.fates) - 1
            self._boot(Life(number, fate, self._dies))
            await self._lives_until(until[number])
            if not last:
                await self._ends()
                await asyncio.sleep(plan.downtimes[number])
        await self._heal()
        await self._ends()

    async def close(self) -> None:
        """After a failure of the play itself."""
        if self._process is not None and not self._process.life.buried:
            self._process.life.kill()
            await self._process.life.bury()
            disks.close_all(self._process.life)

    def _boot(self, life: Life) -> None:
        self._death = asyncio.Event()
        self._world.lives.append(life)
        self._process = Process(life, self._world.disk.url, self._world.clock, self._folder)
        self._process.start()

    async def _lives_until(self, moment: float) -> None:
        left = moment - asyncio.get_running_loop().time()
        if left > 0:
            try:
                await asyncio.wait_for(self._death.wait(), left)
            except TimeoutError:
                return

    def _dies(self) -> None:
        self._world.disk.freeze()
        self._death.set()

    async def _ends(self) -> None:
        """Fate, or SIGTERM when it did not come to that; a start-up that is not through is killed."""
        world, process = self._world, self._process
        assert process is not None
        if not process.life.dead and not process.up:
            process.life.kill()
        if process.app is not None:
            world.marks[process.app.deliveries["telegram"]._mark] = process.life.number
        if not process.life.dead:
            await process.stop()
            return
        world.killed.add(process.life.number)
        await process.life.bury()
        disks.close_all(process.life)
        world.disk.thaw()

    def _jump(self, seconds: float) -> None:
        self._world.clock.ahead += timedelta(seconds=seconds)
        self._world.moved = True

    # ------------------------------------------------------------------------------------------------ healing

    async def _heal(self) -> None:
        """No more trouble; then time is walked until nothing waits, each due moment within its patience."""
        world = self._world
        world.platform.heal()
        world.disk.trouble = 0.0
        world.crowd.calm = True
        if self._process is not None:
            self._process.life.fate = None
        if self._process is None or self._process.life.dead:
            await self._ends()
            self._boot(Life(len(world.lives), None, self._dies))
        world.clock.ahead = max(world.clock.ahead, timedelta(0))
        for _ in range(60):
            await self._settle(1)
            due = self._next_due()
            if due is None:
                await self._settle(3)
                return
            self._jump(max(0.0, (due - world.now).total_seconds()) + 1)
        world.wrong.append("there is always something left to send")

    def _next_due(self) -> datetime | None:
        """When the next message may go, or the day of an anniversary is over."""
        look, now = self._world.disk.look, self._world.now
        dues = [
            datetime.fromisoformat(f"{due}+00:00")
            for (due,) in look("SELECT min(not_before) FROM outbox WHERE state = 'ready'")
            if due is not None
        ]
        if look("SELECT 1 FROM broadcasts WHERE kind = 'automatic' AND state = 'sending'"):
            dues.append(datetime.combine(now.astimezone(LOCAL).date() + timedelta(days=1), time(0), LOCAL))
        return min(dues, default=None)

    async def _settle(self, rounds: int) -> None:
        """Waits until nothing is due any more, and is so for some rounds."""
        loop, world = asyncio.get_running_loop(), self._world
        give_up = loop.time() + PATIENCE
        calm = 0
        while calm < rounds:
            await asyncio.sleep(1.3)
            self._let_go()
            calm = 0 if self._busy() else calm + 1
            if loop.time() > give_up:
                world.wrong.append(f"not final after {PATIENCE:g} s: {self._busy()}")
                return

    def _busy(self) -> list[tuple[object, ...]]:
        world = self._world
        now = world.now.strftime("%Y-%m-%d %H:%M:%S.%f")
        return world.disk.look(
            "SELECT 'inbox', count(*) FROM inbox WHERE state = 'new' HAVING count(*) > 0 "
            "UNION ALL SELECT 'outbox ' || state || kind, count(*) FROM outbox WHERE state IN ('sending', 'held') "
            "OR (state = 'ready' AND not_before <= ?) GROUP BY state, kind "
            "UNION ALL SELECT 'broadcast ' || state, count(*) FROM broadcasts WHERE state IN ('planning', 'paused') "
            "OR (state = 'scheduled' AND send_at <= ?) OR (state = 'sending' AND kind != 'automatic' AND NOT EXISTS (SELECT 1 FROM outbox o "
            "WHERE o.broadcast_id = broadcasts.id AND o.state = 'ready')) GROUP BY state "
            "UNION ALL SELECT 'updates', ? WHERE ? > 0",
            now, now, len(world.platform.state.queue), len(world.platform.state.queue),
        )  # fmt: skip

    def _let_go(self) -> None:
        """Whoever stopped something lets it go on."""
        crowd, look = self._world.crowd, self._world.disk.look
        if any('"on": true' in value for (value,) in look("SELECT value FROM facts WHERE name = 'stop'")):
            crowd.presses_anyhow(401, "c:choguilai:")
        for code, version, address in look(
            "SELECT b.code, b.version, a.address FROM broadcasts b JOIN accounts a ON a.person_id = b.author_id "
            "WHERE b.state = 'paused'"
        ):
            crowd.presses_anyhow(int(address), f"c:guitiep:{code}.{version}")
