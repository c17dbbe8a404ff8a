"""What a seed decides before anything happens: how bad the world is, who does what when, when clocks move and who dies."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.simulation.cast import CHAIRS, NEWCOMERS, OFFICERS, QUIET, WORKERS
from tests.simulation.life import MOMENTS, Fate
from tests.simulation.people import Crowd
from tests.simulation.platform import FAULTS

HOUR, DAY = 3600.0, 86400.0
JUMPS = (60.0, HOUR, 5 * HOUR, 14.2 * HOUR, DAY, 62.2 * HOUR, 3 * DAY, 30 * DAY)
"""Seconds by which the wall clock jumps, forward or back. 62.2 h lead from Friday 17:00 to the morning of 28/7."""

NOTICE, URGENT = ("Thông báo",), ("Khẩn", "Bão, mưa lũ")
WINDOW, NOW = "Theo giờ từng người", "Gửi ngay"


@dataclass(frozen=True)
class Plan:
    """One schedule."""

    seed: int
    starts_at_hour: float
    """Hours after 25/7/2025 16:58 at which it begins."""
    seconds: float
    """How long the world is as bad as it is going to be."""
    shares: dict[str, float]
    trouble: float
    repeats: float
    fates: tuple[Fate | None, ...]
    """One for each process; None: it is stopped politely, or lives on when it is the last."""
    downtimes: tuple[float, ...]
    jumps: tuple[tuple[float, float], ...]
    """(when, by how many seconds)."""
    pace: float
    """Messages a second, as the house has set it; when it is low, people do something while a message to many is on its way."""


def draw(seed: int) -> Plan:
    """Swarm testing: each kind of trouble is off, mild or up to three times as frequent, on its own."""
    rng = Random(f"plan {seed}")
    seconds = rng.choice((15.0, 25.0, 40.0))
    rates = (0.0, 0.0, 0.5, 1.0, 2.0, 3.0)
    shares = {name: share * rate for name, share in FAULTS.items() if (rate := rng.choice(rates))}
    lives = rng.choice((1, 2, 2, 3, 3, 4))
    fates: list[Fate | None] = [_fate(rng) for _ in range(lives - 1)]
    jumps = sorted(
        (rng.uniform(5, seconds), rng.choice(JUMPS) * rng.choice((1, 1, 1, -1)))
        for _ in range(rng.choice((0, 0, 1, 2)))
    )
    return Plan(
        seed=seed,
        starts_at_hour=rng.choice((0.0, 0.0, 0.0, 14.0, 62.0)),
        seconds=seconds,
        shares=shares,
        trouble=rng.choice((0.0, 0.0, 0.0, 0.002, 0.006)),
        repeats=rng.choice((0.0, 0.1, 0.3)),
        fates=(*fates, None),
        downtimes=tuple(rng.choice((0.5, 3.0, 20.0)) for _ in range(lives)),
        jumps=tuple(jumps),
        pace=rng.choice((29.5, 29.5, 3.0, 1.0)),
    )


def _fate(rng: Random) -> Fate | None:
    """Mostly a moment of work; now and then during start-up, or a polite stop."""
    if rng.random() < 0.12:
        return None
    moment = rng.choice(MOMENTS)
    if moment in ("before planning", "after planning"):
        return Fate(moment, rng.randint(1, 3))
    if "bulk" in moment:
        return Fate(moment, rng.randint(1, 12))
    return Fate(moment, rng.choice((1, 2, rng.randint(3, 30), rng.randint(20, 150))))


def begin(plan: Plan, crowd: Crowd) -> None:
    """Sets everybody to work."""
    rng = Random(f"work {plan.seed}")
    workers = list(WORKERS)
    rng.shuffle(workers)
    end = plan.seconds * 0.8
    for _ in range(rng.randint(1, 3)):
        crowd.reports(workers.pop(), rng.uniform(0, end))
    for _ in range(rng.choice((0, 1, 1))):
        crowd.opts_out(workers.pop(), rng.uniform(0, end))
    for _ in range(rng.choice((0, 0, 1))):
        crowd.erases(workers.pop(), rng.uniform(0, end))
    for _ in range(rng.choice((0, 0, 1))):
        crowd.blocks(workers.pop(), rng.uniform(0, end))
    for chat in NEWCOMERS[: rng.choice((0, 1, 2))]:
        crowd.joins(chat, rng.uniform(0, end))
    if rng.random() < 0.7:
        crowd.announces(rng.choice(CHAIRS), rng.uniform(0, end * 0.6), NOTICE, rng.choice((WINDOW, NOW, NOW)))
    if rng.random() < 0.5:
        crowd.announces(rng.choice(OFFICERS), rng.uniform(0, end * 0.6), rng.choice((NOTICE, NOTICE, URGENT)), NOW)
    if rng.random() < 0.15:
        crowd.stops_all(rng.uniform(end * 0.2, end))
    if rng.random() < 0.2:
        crowd.types(QUIET, rng.uniform(0, end), ["menu"] * 5)
