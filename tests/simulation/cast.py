"""Who lives in the simulated province: workers, chairs who review and announce, officers above them, a leader."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from db import accounts, migrate, people, units
from db.models import Audience, Grant, Membership, Purpose, Role, Shift
from db.session import Database, Session
from tests.people import UNITS

WORKERS = range(101, 109)
QUIET = 109
"""A worker who never wanted news."""
CHAIRS = (201, 202)
OFFICERS = (301, 302)
LEADER = 401
NEWCOMERS = (501, 502)
KNOWN = (*WORKERS, QUIET, *CHAIRS, *OFFICERS, LEADER)
ROLES = {
    **{chat: (Role.GRASSROOTS_CHAIR, "MAYHOA") for chat in CHAIRS},
    **{chat: (Role.UPPER_OFFICER, "CAOSON") for chat in OFFICERS},
    LEADER: (Role.LEADER, "TINH"),
}
SHIFTS = (Shift.OFFICE, Shift.OFFICE, Shift.MORNING, Shift.NIGHT, Shift.ROTATING)


async def write_template(path: Path, start: datetime) -> None:
    """A database with the newest schema in which everybody but the newcomers has joined."""
    database = Database(f"sqlite+aiosqlite:///{path}")
    await migrate.upgrade(database)
    async with database.write() as session:
        await units.write(session, list(UNITS), start)
        for number, chat in enumerate(KNOWN):
            await _joins(session, chat, number, start)
    await database.close()


async def _joins(session: Session, chat: int, number: int, start: datetime) -> None:
    account, conversation, *_ = await accounts.enter(session, "telegram", str(chat), start)
    person = await people.join(session, account, "simulated", start)
    role, code = ROLES.get(chat, (None, "MAYHOA"))
    unit = await units.find_by_code(session, code)
    assert unit is not None
    person.name = f"Lê Thị {chat}"
    person.unit_id, person.audience, person.confirmed = unit.id, Audience.ENTERPRISE, True
    person.membership, person.shift, person.direct_production = Membership.YES, SHIFTS[number % len(SHIFTS)], True
    person.news = chat != QUIET
    for purpose in (Purpose.SUBMISSIONS, *([Purpose.NEWS] if person.news else [])):
        await people.consent(session, person.id, purpose, "simulated", "telegram", start)
    conversation.pending = {}
    if role is not None:
        session.add(Grant(person_id=person.id, role=role, unit_id=unit.id, granted_at=start, confirmed_at=start))
