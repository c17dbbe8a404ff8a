"""The life of one process: what belongs to it, and the moment at which the seed ends it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field

MOMENTS = (
    "before commit",
    "after commit",
    "before planning",
    "after planning",
    "after write",
    "before request",
    "in flight",
    "after request",
    "before bulk",
    "bulk in flight",
    "after bulk",
)
"""Where a process may be killed. "in flight": the platform has obeyed, its answer is on the way. "bulk" is a
request that carries a message to many."""


@dataclass(frozen=True)
class Fate:
    """The process dies when it comes to a moment for the nth time."""

    moment: str
    nth: int


@dataclass
class Life:
    """One process. Once dead, nothing it does reaches the disk or the platform; its tasks hang until they are buried."""

    number: int
    fate: Fate | None
    died: Callable[[], None]
    dead: bool = False
    buried: bool = False
    seen: int = 0
    connections: list[sqlite3.Connection] = field(default_factory=list)
    tasks: set[asyncio.Task[object]] = field(default_factory=set)

    def point(self, moment: str) -> None:
        """Comes to a moment; it may be the last."""
        if self.dead or self.fate is None or moment != self.fate.moment:
            return
        self.seen += 1
        if self.seen == self.fate.nth:
            self.kill()

    def kill(self) -> None:
        """Ends it here: `died` keeps what lies on the disk before anything else runs."""
        self.dead = True
        self.died()

    async def bury(self) -> None:
        """Lets Python forget the tasks of a dead process."""
        self.buried = True
        for _ in range(50):
            waiting = [task for task in self.tasks if not task.done()]
            if not waiting:
                return
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting, timeout=0.001)
        raise RuntimeError("a dead process cannot be buried")
