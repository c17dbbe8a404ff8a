"""What the house knows about itself, and the numbers it gives out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import update

from db.models import Base, Conversation, Counter, Fact
from db.session import Session, skip_ids

SKIPPED = 1000
"""Numbers left out after a restore: more than are given out between two backups."""
SKIPPED_ROWS = 1_000_000
"""The same for rows; buttons read numbers of nine digits."""
RESTORED = "restored"
"""When a backup was brought back last."""
ALIVE = "alive"
"""When people could last reach us; written every half minute."""
STOP = "stop"
"""Whether everything to many is stopped."""


async def know(session: Session, name: str) -> dict[str, Any] | None:
    """What is remembered under a name."""
    fact = await session.get(Fact, name)
    return None if fact is None else fact.value


async def is_doubtful(session: Session, due: datetime) -> bool:
    """Whether what fell due at a moment may have been said between a backup that was brought back and now."""
    restored = await know(session, RESTORED)
    return restored is not None and due <= datetime.fromisoformat(restored["at"])


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
        restored = await know(session, RESTORED)  # this year: then the series may have begun since the backup
        counter = Counter(name=name, value=SKIPPED if restored and restored["at"].startswith(str(year)) else 0)
        session.add(counter)
    counter.value += 1
    return f"{name}-{counter.value:04d}"


async def skip_numbers(session: Session) -> None:
    """After a restore: what was given out since the backup is on people's phones, and is never given out again.

    A receipt code would name another thing, and an old button accept a report or let an announcement go that whoever
    presses it has not seen; the button of a screen would answer another question. So would the number of a row: a prize, a
    role that is to be confirmed.
    """
    await session.execute(update(Counter).values(value=Counter.value + SKIPPED))
    await session.execute(update(Conversation).values(screen=Conversation.screen + SKIPPED))
    await skip_ids(session, Base.metadata.tables.values(), SKIPPED_ROWS)
