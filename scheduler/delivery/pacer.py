"""How fast messages may leave: evenly, since a client-side bucket is refused by a real one (speed.md §5)."""

from __future__ import annotations

HORIZON = 0.1
"""Seconds ahead for which departures are handed out in one claim."""
LEAD = 0.015
"""Seconds before the next departure at which it may be claimed: a commit takes time, and sooner it would be a commit each."""
GENTLE, HARD = 0.95, 0.8
"""What remains of the pace after a refusal for speed: we may just have reached the limit; again so soon, it fell deep."""
SOON = 10.0
"""Seconds of sending within which another refusal is soon."""
NEAR = 0.97
"""The share of the pace last refused up to which we return at once."""
RETURN, PROBE = 0.002, 0.0002
"""How much faster a second of sending is than the one before, up to there and beyond: every probe costs a refusal."""
FORGET = 300.0
"""Seconds of sending without a refusal after which the limit may be another."""
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
        self._slowed_at = float("-inf")
        self._refused = rate
        self._since = FORGET

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
            passed = len(departures) * self.interval
            self._since += passed
            near = self._since < FORGET and 1 / self.interval >= NEAR * self._refused
            self.interval = max(self._usual, self.interval / (1 + (PROBE if near else RETURN) * passed))

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

    def refused(self, left: float, now: float) -> None:
        """The platform found what left at `left` too fast. All that was under way by then is one refusal: the next step
        down waits for what leaves at the new pace."""
        if left < self._slowed_at + HORIZON:
            return
        self._refused = 1 / self.interval
        self.interval = min(self.interval / (HARD if self._since < SOON else GENTLE), self._usual * SLOWEST)
        self._slowed_at, self._since = now, 0.0
