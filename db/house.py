"""What the house knows about itself, and the numbers it gives out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from db.models import Counter, Fact
from db.session import Session

STOP = "stop"
"""Whether everything to many is stopped."""


async def know(session: Session, name: str) -> dict[str, Any] | None:
    """What is remembered under a name."""
    fact = await session.get(Fact, name)
    return None if fact is None else fact.value


async def is_on(session: Session, name: str) -> bool:
    """Whether a switch is on; one that was never touched is off."""
    fact = await know(session, name)
    return bool(fact and fact["on"])


async def remember(session: Session, name: str, value: dict[str, Any], now: datetime) -> None:
    """Remembers something under a name, replacing what was there."""
    fact = await session.get(Fact, name)
    if fact is None:
        session.add(Fact(name=name, value=value, at=now))
    else:
        fact.value, fact.at = value, now


async def next_code(session: Session, prefix: str, year: int) -> str:
    """The next receipt code of a series, e.g. "SK-26-0123" (4-conversation §4.0)."""
    name = f"{prefix}-{year % 100:02d}"
    counter = await session.get(Counter, name)
    if counter is None:
        counter = Counter(name=name, value=0)
        session.add(counter)
    counter.value += 1
    return f"{name}-{counter.value:04d}"
