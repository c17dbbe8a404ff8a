"""Troubles that people are told of: one row from the moment a trouble stands until it is over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from db import audit
from db.models import Alarm
from db.session import Session


async def list_open(session: Session) -> list[Alarm]:
    """What is not over, the oldest first."""
    return list((await session.execute(select(Alarm).where(Alarm.closed_at.is_(None)).order_by(Alarm.id))).scalars())


async def open_one(session: Session, name: str, now: datetime) -> Alarm | None:
    """A new alarm; None where one of that name is open."""
    known = await session.execute(select(Alarm.id).where(Alarm.name == name, Alarm.closed_at.is_(None)).limit(1))
    if known.first() is not None:
        return None
    alarm = Alarm(name=name, opened_at=now, told_at=now)
    session.add(alarm)
    await session.flush()
    return alarm


async def close(session: Session, alarm_id: int, now: datetime) -> bool:
    """Ends an alarm; False when it was over already."""
    ended = update(Alarm).where(Alarm.id == alarm_id, Alarm.closed_at.is_(None)).values(closed_at=now)
    return (await session.execute(ended.returning(Alarm.id))).scalar() is not None


async def acknowledge(session: Session, alarm_id: int, person_id: int, now: datetime) -> bool:
    """Somebody looks after it: nobody is reminded any more. False when it is over; a second time changes nothing."""
    alarm = await session.get(Alarm, alarm_id)
    if alarm is None or alarm.closed_at is not None:
        return False
    if alarm.acknowledged_at is None:
        alarm.acknowledged_at = now
        audit.note(session, person_id, "acknowledge_alarm", f"alarm {alarm.id}", now, name=alarm.name)
    return True
