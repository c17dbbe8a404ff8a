"""A channel that does as it is told, and a clock on which nothing takes real time."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from content.message import Message
from db.models import Lane
from db.session import Session
from handlers.dialogue import Incoming
from scheduler.delivery import SendError


class PlainDoor:
    """A door whose raw form is already ours."""

    name = "test"

    def read(self, raw: Any, received_at: datetime) -> Incoming | None:
        return Incoming(self.name, raw["address"], received_at, text=raw["text"], place=raw.get("place", "private"))

    async def erase(self, session: Session, raw: Any) -> None:
        """Keeps nothing."""


class VirtualTime:
    """Time that jumps to the next sleeper whenever everybody waits; `busy` counts what goes on in real threads."""

    def __init__(self, start: datetime, busy: Callable[[], int] = lambda: 0) -> None:
        self._start = start
        self._busy = busy
        self.elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

    def now(self) -> datetime:
        """The wall clock."""
        return self._start + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        """Waits in virtual time."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.elapsed + max(0.0, seconds), next(self._count), future))
        await future

    async def run(self, until: Callable[[], bool], limit: float) -> None:
        """Lets time pass until a condition holds or `limit` virtual seconds are over."""
        idle = 0
        while not until():
            if self.elapsed > limit:
                raise AssertionError(f"not done after {limit} virtual seconds")
            await asyncio.sleep(0)
            if self._busy():
                idle = 0
                await asyncio.sleep(0.0005)
                continue
            idle += 1
            if idle < 10:
                continue
            idle = 0
            while self._sleepers and self._sleepers[0][2].done():
                heapq.heappop(self._sleepers)
            if self._sleepers:
                at, _, future = heapq.heappop(self._sleepers)
                self.elapsed = max(self.elapsed, at)
                future.set_result(None)


class ScriptedChannel:
    """Remembers what left and when. `script(address, n)` returns an error to raise, or None; n counts its attempts."""

    name = "scripted"

    def __init__(self, time: VirtualTime, *, takes: float = 0.06, can_edit: bool = True) -> None:
        self.can_edit = can_edit
        self._time = time
        self._takes = takes
        self.tries: dict[str, int] = {}
        self.sent: list[tuple[float, str, str, Lane]] = []
        self.arrived: list[tuple[str, str]] = []
        self.edited: list[tuple[str, str, str]] = []
        self.script: Callable[[str, int], SendError | None] = lambda address, n: None
        self.delivers: Callable[[SendError], bool] = lambda error: False

    async def send(self, address: str, message: Message, *, edits: str, lane: Lane) -> str:
        """One request: logged when it leaves, and when it arrives at the person."""
        self.tries[address] = n = self.tries.get(address, 0) + 1
        self.sent.append((self._time.monotonic(), address, message.text, lane))
        await self._time.sleep(self._takes)
        error = self.script(address, n)
        if error is None or self.delivers(error):
            self.arrived.append((address, message.text))
            if edits:
                self.edited.append((address, edits, message.text))
        if error is not None:
            raise error
        return edits or f"p{len(self.arrived)}"
