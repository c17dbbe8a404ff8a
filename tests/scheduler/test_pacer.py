"""The pace against a platform that lowers its limit midway: few refusals, and soon nearly all that it takes."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

import pytest

from scheduler.delivery import Pacer, window_for
from tests.fakes.botapi.faults import Bucket, Limit, SlidingSecond

AWAY = 0.06
PENALTY = 3.0
"""Seconds a refusal asks for."""


class Line:
    """A platform so far away, and an announcement that never ends: what arrived when, what was refused when."""

    def __init__(self, rate: float) -> None:
        self.pacer = Pacer(rate)
        self.window = window_for(rate)
        self.took: list[float] = []
        self.refused: list[float] = []

    def run(self, limit: Callable[[float], Limit], until: float) -> None:
        """Sends until a moment; `limit` tells which limit holds when."""
        flying: list[tuple[float, int, float, bool]] = []
        serial = count()
        now = paused_until = 0.0
        while now < until:
            while flying and flying[0][0] <= now:
                at, _, left, refused = heapq.heappop(flying)
                if refused:
                    self.refused.append(at)
                    self.pacer.refused(left, at)
                    paused_until = max(paused_until, at + PENALTY)
                else:
                    self.took.append(at)
            leaving = self.pacer.departures(now, self.window - len(flying)) if now >= paused_until else []
            self.pacer.use(leaving)
            for left in leaving:
                refused = bool(limit(left).wait(left))
                heapq.heappush(flying, (left + AWAY, next(serial), left, refused))
            now = min([flying[0][0] if flying else now + 1, max(now + self.pacer.wait(now), paused_until, now + 0.001)])

    def rate(self, begin: float, end: float) -> float:
        return sum(begin <= at < end for at in self.took) / (end - begin)

    def volleys(self, begin: float = 0.0) -> list[int]:
        """How many were refused together each time."""
        found: list[int] = []
        last = float("-inf")
        for at in self.refused:
            if at >= begin:
                found = [*found, 1] if at - last > 1 else [*found[:-1], found[-1] + 1]
                last = at
        return found


@pytest.mark.parametrize("make", [lambda rate: Bucket(rate, rate), lambda rate: SlidingSecond(int(rate))])
@pytest.mark.parametrize("lower", [26, 20, 15, 10])
def test_after_the_limit_falls_refusals_are_few_and_nearly_all_of_the_new_pace_is_used(
    make: Callable[[float], Limit], lower: int
) -> None:
    line = Line(29.5)
    before, after = make(30), make(lower)
    line.run(lambda at: before if at < 60 else after, 240)
    assert not [at for at in line.refused if at < 60] and line.rate(1, 60) > 0.98 * 29.5
    assert max(line.volleys()) <= line.window
    # From the first refusal each step down costs one volley; then the pace stays below what was refused.
    assert len(line.volleys()) <= 8
    assert line.rate(120, 240) >= 0.9 * lower


def test_when_the_limit_rises_again_the_usual_pace_comes_back() -> None:
    line = Line(29.5)
    wide, narrow = Bucket(30, 30), Bucket(15, 15)
    line.run(lambda at: narrow if 60 <= at < 180 else wide, 1200)
    assert line.rate(1080, 1200) > 0.98 * 29.5


def test_a_volley_is_one_refusal_however_many_were_under_way() -> None:
    alone, many = Pacer(30), Pacer(30)
    alone.refused(1.0, 1.06)
    for left in (1.0, 1.03, 1.06, 1.09, 1.12):
        many.refused(left, left + 0.06)
    assert many.interval == alone.interval > 1 / 30
