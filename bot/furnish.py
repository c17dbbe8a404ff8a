"""Moves the demo's people in: units, persons with chats and roles, a queue, an announcement that was sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from content.demo import DemoPack
from content.packs import Packs
from db import accounts, people, units
from db.models import Audience, Grant, Level, Membership, Purpose, Role, Shift
from db.session import Database, Session
from db.units import UnitRow

SHIFTS = (Shift.OFFICE, Shift.MORNING, Shift.AFTERNOON, Shift.NIGHT, Shift.ROTATING)


async def furnish(database: Database, packs: Packs, pack: DemoPack, files: Path, now: datetime) -> None:
    """Fills an empty database in one transaction."""
    async with database.write() as session:
        await _units(session, pack, now)
        await _people(session, pack, now)


async def _units(session: Session, pack: DemoPack, now: datetime) -> None:
    rows = [
        UnitRow(
            code=unit.code,
            name=unit.name,
            short_name=unit.short,
            parent=unit.parent,
            level=Level(unit.level),
            place=unit.place,
            zone=unit.zone,
            sector=unit.sector,
            workers=unit.workers,
            members=unit.members,
            women=unit.women,
            figures_on=pack.merged_on,
            aliases=unit.aliases,
            old_names=tuple((name, pack.merged_on) for name in unit.old),
        )
        for unit in pack.units
    ]
    await units.write(session, rows, now)


async def _people(session: Session, pack: DemoPack, now: datetime) -> dict[str, int]:
    found: dict[str, int] = {}
    for person in pack.people:
        person_id = await _join(
            session, person.key, person.name, person.unit, person.audience, person.member, person.shift, now
        )
        found[person.key] = person_id
        if person.role:
            scope = await units.find_by_code(session, person.unit)
            assert scope is not None
            session.add(
                Grant(person_id=person_id, role=Role(person.role), unit_id=scope.id, granted_at=now, confirmed_at=now)
            )
    workplaces = [unit for unit in pack.units if unit.level in ("grassroots", "team")]
    for number in range(1, pack.crowd.size + 1):
        unit = workplaces[number * 5 % len(workplaces)]
        public = unit.sector in pack.public_sectors
        audience = "nonmember" if number % 9 == 0 else "public" if public else "enterprise"
        member = "no" if audience == "nonmember" else "yes"
        shift = SHIFTS[number % len(SHIFTS)] if audience == "enterprise" else Shift.OFFICE
        await _join(session, f"crowd-{number}", pack.crowd.name(number), unit.code, audience, member, shift.value, now)
    return found


async def _join(
    session: Session, key: str, name: str, unit: str, audience: str, member: str, shift: str, now: datetime
) -> int:
    """Somebody who joined a month ago, with the consents that real joining leaves."""
    joined = now - timedelta(days=30)
    account, _ = await accounts.enter(session, "webchat", f"demo-{key}", joined)
    person = await people.join(session, account, "demo", joined)
    home = await units.find_by_code(session, unit)
    assert home is not None
    person.name, person.unit_id, person.audience = name, home.id, Audience(audience)
    person.membership, person.shift, person.confirmed, person.news = Membership(member), Shift(shift), True, True
    for purpose in (Purpose.NEWS, Purpose.SUBMISSIONS):
        await people.consent(session, person.id, purpose, "demo", "webchat", joined)
    return person.id
