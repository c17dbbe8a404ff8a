"""The one place that knows the time: real, or the demo's own that can be moved."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta


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


class MovableClock(Clock):
    """A clock that runs like the real one from where it is set (the demo's world)."""

    def __init__(self, start: datetime) -> None:
        self._offset = start - datetime.now(UTC)

    def now(self) -> datetime:
        """The demo's time."""
        return datetime.now(UTC) + self._offset

    def move_to(self, moment: datetime) -> None:
        """Sets the time; never back."""
        self._offset += max(timedelta(0), moment - self.now())
