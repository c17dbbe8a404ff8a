"""The emergency stop of everything sent to many: what it holds, and how it is lifted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select, update

from db import audit, house, policy
from db.broadcasts.making import move
from db.broadcasts.planning import foresee
from db.models import Broadcast, BroadcastState, Lane, OutboxRow, OutState
from db.policy import Action
from db.session import Session

GOING = (BroadcastState.SCHEDULED, BroadcastState.PLANNING, BroadcastState.SENDING)
"""What would go on but for the stop. One that was held half-way and let go is SCHEDULED with rows of its own."""
AT_HOUR = "at"
"""The timing of what goes at an hour that its author chose."""
AUTOMATIC = "automatic"
"""The kind that a clock starts: what is late of it is missed, never sent (decisions 23)."""


@dataclass(frozen=True, slots=True)
class Held:
    """A message that the stop holds, and who has not got it: planned ones in time and too late, the others by their hours."""

    broadcast: Broadcast
    planned: int
    late: int
    unplanned: Counter[str]

    @property
    def left(self) -> int:
        """How many have not got it."""
        return self.planned + self.late + self.unplanned.total()


def has_hour(broadcast: Broadcast) -> bool:
    """Whether it waits for an hour that its author chose."""
    return broadcast.state == BroadcastState.SCHEDULED and broadcast.timing == AT_HOUR


async def stopped(session: Session) -> bool:
    """Whether everything is stopped."""
    return await house.is_on(session, house.STOP)


async def doubt(session: Session) -> datetime | None:
    """Since when stops may be lost with a disk, for which everything is stopped; None where somebody has decided."""
    fact = await house.know(session, house.STOP)
    return datetime.fromisoformat(fact["lost_since"]) if fact and fact["on"] and fact.get("lost_since") else None


async def list_unasked(session: Session) -> list[int]:
    """Who may lift that and was not asked yet."""
    if await doubt(session) is None:
        return []
    fact = await house.know(session, house.STOP)
    asked = fact.get("asked", []) if fact else []
    return [each for each in await policy.holders(session, Action.EMERGENCY_STOP) if each not in asked]


async def note_asked(session: Session, person_ids: Sequence[int], now: datetime) -> None:
    """They were asked."""
    fact = await house.know(session, house.STOP) or {}
    await house.remember(session, house.STOP, fact | {"asked": [*fact.get("asked", []), *person_ids]}, now)


async def list_untold(session: Session, now: datetime) -> list[Broadcast]:
    """Messages whose hour has passed under the stop, and whose author was not told so yet."""
    fact = await house.know(session, house.STOP)
    if not fact or not fact["on"]:
        return []
    query = select(Broadcast).where(
        Broadcast.state == BroadcastState.SCHEDULED,
        Broadcast.timing == AT_HOUR,
        Broadcast.send_at <= now,
        Broadcast.author_id.is_not(None),
        Broadcast.id.not_in(fact.get("told", [])),
        or_(
            Broadcast.approved_at.is_(None), Broadcast.approved_at < Broadcast.send_at
        ),  # they heard it with the approval
    )
    return list((await session.execute(query.order_by(Broadcast.id))).scalars())


async def note_told(session: Session, broadcast_ids: Sequence[int], now: datetime) -> None:
    """The authors of these know that the stop holds them."""
    fact = await house.know(session, house.STOP) or {}
    await house.remember(session, house.STOP, fact | {"told": [*fact.get("told", []), *broadcast_ids]}, now)


async def list_held(session: Session, day: Callable[[datetime], datetime], now: datetime) -> list[Held]:
    """What the stop holds, oldest first; not what its own officers have paused. `day` is when a moment's day begins."""
    query = select(Broadcast).where(Broadcast.state.in_(GOING)).order_by(Broadcast.id)
    return [
        await _held(session, each, day(max(each.send_at, now)), now)
        for each in (await session.execute(query)).scalars()
    ]


async def _held(session: Session, broadcast: Broadcast, today: datetime, now: datetime) -> Held:
    # What was late before the stop gets a new hour, save an anniversary's.
    automatic = broadcast.kind == AUTOMATIC
    states = (OutState.HELD,) if automatic else (OutState.HELD, OutState.EXPIRED)
    in_time = or_(OutboxRow.expires_at.is_(None), OutboxRow.expires_at >= now)
    query = select(func.count(), func.count().filter(in_time)).where(
        OutboxRow.broadcast_id == broadcast.id, OutboxRow.state.in_(states)
    )
    number, timely = (await session.ask(query, long=True)).one()
    planned = timely if automatic else number
    unplanned = Counter[str]()
    if broadcast.state != BroadcastState.SENDING:
        found = await foresee(session, broadcast, today)
        unplanned = Counter({hours: people for (reason, hours), people in found.items() if not reason})
    return Held(broadcast, planned, number - planned, unplanned)


async def stop_all(session: Session, actor_id: int, now: datetime, *, lost_since: datetime | None = None) -> int:
    """The emergency stop: every unsent message to many is held, nothing new is planned. Returns how many.

    With `lost_since` it is a restore's, for stops since then may be lost.
    """
    lost = {} if lost_since is None else {"lost_since": lost_since.isoformat()}
    await house.remember(session, house.STOP, {"on": True, "by": actor_id} | lost, now)
    waits = OutboxRow.lane == int(Lane.BULK), OutboxRow.state == OutState.READY
    number = (await session.ask(update(OutboxRow).where(*waits).values(state=OutState.HELD), long=True)).rowcount
    audit.note(session, actor_id, "emergency_stop", "all broadcasts", now, held=number)
    return number


async def start_again(session: Session, actor_id: int, now: datetime) -> None:
    """Lifts the stop: what it held goes on, save what was paused on its own.

    What waited for an hour that has passed meanwhile is HELD, for its author to decide: it may say "tomorrow".
    """
    await house.remember(session, house.STOP, {"on": False, "by": actor_id}, now)
    passed = select(Broadcast).where(
        Broadcast.state == BroadcastState.SCHEDULED, Broadcast.timing == AT_HOUR, Broadcast.send_at <= now
    )
    for broadcast in (await session.execute(passed.order_by(Broadcast.id))).scalars().all():
        await move(session, broadcast, broadcast.version, (BroadcastState.SCHEDULED,), state=BroadcastState.HELD)
        audit.note(session, audit.SYSTEM, "hold_late", f"broadcast {broadcast.code}", now, broadcast.unit_id)
    going = select(Broadcast.id).where(Broadcast.state.in_(GOING))
    held = OutboxRow.state == OutState.HELD, OutboxRow.broadcast_id.in_(going)
    number = (await session.ask(update(OutboxRow).where(*held).values(state=OutState.READY), long=True)).rowcount
    audit.note(session, actor_id, "lift_stop", "all broadcasts", now, released=number)
