"""Moves the demo's people in: units, persons with chats and roles, and through `past` what they did before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot import demo_contest
from bot.app import App
from bot.clock import MovableClock
from bot.past import CHANNEL, Past, address_of
from content.calendar import local_date
from content.campaigns import campaign_for
from content.demo import DemoPack, DemoPerson
from db import audit, campaigns, people, units
from db.ahead import Due
from db.models import (
    Account,
    Audience,
    Consent,
    Grant,
    Level,
    Membership,
    Person,
    Purpose,
    Reach,
    Role,
    Shift,
)
from db.session import Session
from db.units import UnitRow

SHIFTS = (Shift.OFFICE, Shift.MORNING, Shift.AFTERNOON, Shift.NIGHT, Shift.ROTATING)
JOINED = timedelta(days=60)
REGISTERED = timedelta(days=10)


async def furnish(
    app: App, clock: MovableClock, pack: DemoPack, until: datetime, next_stop: Callable[[], Awaitable[Due | None]]
) -> None:
    """Fills an empty house and plays its past up to a moment. `next_stop` says what falls due next."""
    async with app.database.write() as session:
        await _units(session, pack, until)
        known = await _people(session, pack, until - JOINED)
        await _registrations(session, app, pack, known, until - REGISTERED)
        await demo_contest.hold(session, pack.contest, app.packs.bank, known, CHANNEL, until)
    await Past(app, clock, known, next_stop).run(pack.story, until)


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


async def _people(session: Session, pack: DemoPack, joined: datetime) -> dict[str, int]:
    """Everybody who joined, and the roles some hold."""
    homes = {unit.code: unit.id for unit in await units.names(session, teams=True)}
    rows = {person.key: (person, _person(person, homes, joined)) for person in [*pack.people, *_crowd(pack)]}
    session.add_all([row for _, row in rows.values()])
    await session.flush()
    for number, (key, (person, row)) in enumerate(rows.items()):
        blocked = not person.group and number % 17 == 0
        session.add(
            Account(
                channel=CHANNEL, address=address_of(key), person_id=row.id, created_at=joined, seen_at=joined,
                reach=Reach.BLOCKED if blocked else Reach.OK, blocked_at=joined if blocked else None,
            )
        )  # fmt: skip
        for purpose in (Purpose.ACCOUNT, Purpose.NEWS, Purpose.SUBMISSIONS):
            session.add(
                Consent(person_id=row.id, purpose=purpose, text_version="demo", channel=CHANNEL, given_at=joined)
            )
            audit.note(session, row.id, "consent", f"person {row.id}", joined, purpose=purpose.value)
        if person.role:
            session.add(
                Grant(
                    person_id=row.id, role=Role(person.role), unit_id=row.unit_id, granted_at=joined,
                    confirmed_at=joined,
                )
            )  # fmt: skip
    await session.flush()
    return {key: row.id for key, (_, row) in rows.items()}


def _person(person: DemoPerson, homes: dict[str, int], joined: datetime) -> Person:
    """Somebody as joining leaves them."""
    audience = Audience(person.audience)
    return Person(
        name=person.name, unit_id=homes[person.unit], audience=audience, membership=Membership(person.member),
        shift=Shift(person.shift), confirmed=person.confirmed, news=person.news, muted_topics=[], joined_at=joined,
        seen_at=joined, direct_production=audience in (Audience.ENTERPRISE, Audience.NONMEMBER),
    )  # fmt: skip


def _crowd(pack: DemoPack) -> list[DemoPerson]:
    """The many: of all groups and shifts, some without news, some who came by QR code and are not confirmed yet."""
    sectors = {unit.code: unit.sector for unit in pack.units}
    above = {unit.code: unit.parent for unit in pack.units}
    found = []
    for number, unit in enumerate([unit for unit, many in pack.crowd.at.items() for _ in range(many)], 1):
        public = (sectors[unit] or sectors[above[unit]]) in pack.public_sectors
        audience = "nonmember" if number % 9 == 0 else "public" if public else "enterprise"
        found.append(
            DemoPerson(
                key=f"crowd-{number}", name=pack.crowd.name(number), unit=unit, audience=audience,
                member="no" if audience == "nonmember" else "yes",
                shift=SHIFTS[number % len(SHIFTS)] if audience == "enterprise" else Shift.OFFICE,
                confirmed=number % 8 != 0, news=number % 11 != 0,
            )
        )  # fmt: skip
    return found


async def _registrations(session: Session, app: App, pack: DemoPack, known: dict[str, int], now: datetime) -> None:
    campaign = campaign_for(app.packs.campaigns, local_date(now))
    number = campaign.round_on(local_date(now)) if campaign is not None else 0
    if campaign is None or not number:
        return
    for key, wish in pack.registrations.items():
        person = await people.get(session, known[key])
        await campaigns.register(session, person, campaign.year, number, wish.movements, wish.goals, now)
