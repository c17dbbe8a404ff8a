"""One schedule, run: processes live and die one after the other while people go on; then everything heals and must end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import bot.app
from db.broadcasts import planning
from tests.fakes.botapi.state import State
from tests.people import START
from tests.simulation import disk as disks
from tests.simulation import line as lines
from tests.simulation import platform as platforms
from tests.simulation.disk import TROUBLE, Disk
from tests.simulation.life import Life
from tests.simulation.loop import VirtualLoop
from tests.simulation.people import Crowd
from tests.simulation.plan import Plan
from tests.simulation.play import Play
from tests.simulation.process import OwnedTask, WallClock, owned

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
        if error is None or self._world.lives[-1].dead or isinstance(error, asyncio.CancelledError):
            return  # a job that a polite stop cut short, its connection with it, did nothing
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
    # The platform's clock is right, whatever ours says.
    state = State(lambda: start + clock.passed + timedelta(seconds=loop.time()))
    platform = platforms.Platform(state, clock.now, Random(f"line {plan.seed}"), plan.shares)
    platform.repeats = plan.repeats
    crowd = Crowd(state, Random(f"people {plan.seed}"))
    platform.heard = crowd.hears
    disk = Disk(folder, template, Random(f"disk {plan.seed}"))
    world = World(plan, disk, platform, crowd, clock)
    play = Play(world, folder)
    loop.still = play.still
    loop.set_task_factory(owned)
    loop.set_exception_handler(lambda _, context: _complains(world, context))
    with ExitStack() as stack:
        stack.enter_context(disks.used(disk, lambda: world.lives[-1]))
        stack.enter_context(lines.connected(platform, lambda: world.lives[-1]))
        stack.enter_context(mock.patch.object(bot.app, "SystemRandom", lambda: Random(plan.seed)))
        stack.enter_context(mock.patch.object(planning, "CHUNK", CHUNK))
        stack.enter_context(_listening(world))
        world.lives.append(Life(-1, None, lambda: None))
        loop.run_until_complete(disks.warm_up(disk))
        world.lives.clear()
        try:
            loop.run_until_complete(play.play())
        finally:
            loop.run_until_complete(play.close())
            loop.close()
    return world
