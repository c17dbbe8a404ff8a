"""The one place that knows the time: real, or the demo's own that can be moved."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

SETTLED = 600.0
"""Seconds after which a clock is believed that was set, or that we began with, where no platform contradicts it."""
NOTICED = 120.0
"""Seconds: less than that, a clock that is set has merely been corrected."""


class Clock:
    """Wall time, monotonic seconds and sleep, handed down to everything below."""

    def now(self) -> datetime:
        """The aware UTC time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Waits in real time."""
        await asyncio.sleep(seconds)

    def lead(self) -> float:
        """Seconds between the machine's wall clock and `monotonic`: it changes when somebody sets the clock."""
        return self.now().timestamp() - self.monotonic()


class MovableClock(Clock):
    """A clock that runs like the real one from where it is set (the demo's world)."""

    def __init__(self, start: datetime) -> None:
        self._offset = start - datetime.now(UTC)

    def now(self) -> datetime:
        """The demo's time."""
        return datetime.now(UTC) + self._offset

    def lead(self) -> float:
        """Moving the demo's time sets nobody's clock."""
        return super().lead() - self._offset.total_seconds()

    def move_to(self, moment: datetime) -> None:
        """Sets the time; never back."""
        self._offset += max(timedelta(0), moment - self.now())


class Skew:
    """How far the wall clock is from the true time, as far as anybody can know (promises F19).

    At first it is believed; a jump against `monotonic` shows as it happens, and what a platform has dated says where the
    truth lies: not before the newest of its messages, and not much after one that has just come.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._true = clock.lead()
        self._proved = False
        self._jumped: float | None = None

    def hear(self, dates: Sequence[int], since: float | None) -> None:
        """A platform's dates (Unix seconds) of what has just come; nothing of it came before `since` (monotonic)."""
        if not dates:
            return
        here, newest = self._clock.monotonic(), max(dates)
        self._proved = True
        if since is not None:
            self._true = min(self._true, newest + 1 - since)
        self._true = max(self._true, newest - here)

    def seconds(self) -> float:
        """Seconds by which the clock is ahead; below zero when it is behind."""
        off = self._clock.lead() - self._true
        if self._proved or abs(off) <= NOTICED:
            self._jumped = None
            return off
        if self._jumped is None:
            self._jumped = self._clock.monotonic()
        elif self._clock.monotonic() - self._jumped > SETTLED:
            self._true = self._clock.lead()
        return off
