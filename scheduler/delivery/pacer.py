"""How fast messages may leave: evenly, since a client-side bucket is refused by a real one (speed.md §5)."""

from __future__ import annotations

HORIZON = 0.1
"""Seconds ahead for which departures are handed out in one claim."""
LEAD = 0.015
"""Seconds before the next departure at which it may be claimed: a commit takes time, and sooner it would be a commit each."""
WIDEN = 1.02
"""How much the spacing grows after each refusal for speed (speed.md §10)."""
RETURN = 0.9995
"""How slowly it returns, a message at a time."""
SLOWEST = 4
"""Times the usual spacing, however often the platform refuses."""
DEBT = 1.0
"""Seconds for which replies can hold back what goes to many: a flood of them slows an announcement, never stops it."""


class Pacer:
    """Even spacing at `rate` messages a second with no burst (GCRA)."""

    def __init__(self, rate: float) -> None:
        self.interval = 1.0 / rate
        self._usual = self.interval
        self._next = 0.0

    def departures(self, now: float, limit: int) -> list[float]:
        """The moments within the horizon at which up to `limit` messages may leave; none before it is time to claim."""
        first = max(now, self._next)
        if first > now + LEAD:
            return []
        fitting = int((now + HORIZON - first) / self.interval) + 1
        return [first + i * self.interval for i in range(min(limit, fitting))]

    def use(self, departures: list[float]) -> None:
        """Takes departures that were handed out; what is not taken is free again."""
        if departures:
            self._next = departures[-1] + self.interval
            self.interval = max(self._usual, self.interval * RETURN ** len(departures))

    def owe(self, now: float, count: int) -> float:
        """Counts messages that left at once. Returns the seconds by which all departures after `now` come later."""
        first = max(now, self._next)
        owed = min(count * self.interval, max(0.0, now + DEBT - first))
        if owed:
            self._next = first + owed
        return owed

    def wait(self, now: float) -> float:
        """Seconds until it is time to claim the next departure."""
        return max(0.0, self._next - now - LEAD)

    def refused(self) -> None:
        """The platform found us too fast: widen the spacing a little."""
        self.interval = min(self.interval * WIDEN, self._usual * SLOWEST)
