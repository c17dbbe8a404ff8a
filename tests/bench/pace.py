"""How even: at two kinds of limit, 60 and 300 ms away; refusals counted by the one who refuses."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from scheduler.delivery import window_for
from tests.bench.sending import deliver, house
from tests.bench.stage import Server, fresh, measure

CASES = (
    # limit, its rate a second, our setting, seconds to answer, messages
    ("bucket", 30, 29.5, 0.06, 600),
    ("bucket", 30, 29.5, 0.30, 600),
    ("window", 30, 29.5, 0.06, 600),
    ("bucket", 1000, 999.0, 0.06, 20_000),
)


LOWERED, AT, SENT = (30, 20), 20.0, 2_400
"""The platform takes less from a moment on, seconds after the first message."""
SETTLED = 60.0
"""Seconds after which nine tenths of what it takes must be used."""


async def lowered(at: Server, folder: Path, kind: str) -> None:
    """Prints how often and in how many volleys we were refused since, and how fast we are a minute later."""
    database = await house(fresh(folder, "lowered"), SENT)
    before, after = LOWERED
    order = {"delay": 0.06, "limit": kind, "rate": before, "lower": (AT, after)}
    await measure(at, order, lambda: deliver(database, at, before - 0.5))
    await database.close()
    told = await at.report()
    began = told["times"][0]
    refusals = [moment - began for moment in told["refusals"]]
    volleys = [n for n, moment in enumerate(refusals) if not n or moment - refusals[n - 1] > 1.0]
    largest = max((b - a for a, b in pairwise([*volleys, len(refusals)])), default=0)
    late = [moment - began for moment in told["times"] if moment - began > AT + SETTLED]
    rate = (len(late) - 1) / (late[-1] - late[0])
    print(
        f"  {kind} of {before}/s that becomes {after}/s: {len(refusals)} refusals in {len(volleys)} volleys of at most {largest}"
        f" (in flight: {window_for(before)}) at {', '.join(f'{refusals[n]:.0f}' for n in volleys)} s; from {SETTLED:.0f} s after"
        f" it on {rate:.1f}/s = {rate / after:.0%}"
    )


async def run(at: Server, folder: Path) -> None:
    """Prints what arrived a second, and how often we were refused."""
    print("\nPace")
    for limit, allowed, setting, away, number in CASES:
        database = await house(fresh(folder, "pace"), number)
        order = {"delay": away, "limit": limit, "rate": allowed}
        cost, told = await measure(at, order, lambda d=database, s=setting: deliver(d, at, s))  # type: ignore[misc]
        await database.close()
        rate = (told["sent"] - 1) / told["seconds"]
        print(
            f"  {limit} of {allowed}/s, {away * 1000:.0f} ms away, set to {setting}/s: {rate:7.2f}/s = {rate / setting:.1%}"
            f" of the setting, {told['refused']} refusals, {cost.cpu / number * 1000:.2f} ms CPU a message"
        )
    for kind in ("bucket", "window"):
        await lowered(at, folder, kind)
