"""How even: at two kinds of limit, 60 and 300 ms away; refusals counted by the one who refuses."""

from __future__ import annotations

from pathlib import Path

from tests.bench.sending import deliver, house
from tests.bench.stage import Server, fresh, measure

CASES = (
    # limit, its rate a second, our setting, seconds to answer, messages
    ("bucket", 30, 29.5, 0.06, 600),
    ("bucket", 30, 29.5, 0.30, 600),
    ("window", 30, 29.5, 0.06, 600),
    ("bucket", 1000, 999.0, 0.06, 20_000),
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
