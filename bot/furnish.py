"""Moves the demo's people in: units, persons with chats and roles, a queue, an announcement that was sent."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path

from content.calendar import LOCAL, add_working_days, local_date
from content.demo import DemoPack
from content.packs import Packs
from db import accounts, broadcasts, people, submissions, units
from db.audiences import Rule
from db.models import (
    DECIDED,
    Audience,
    Grant,
    Level,
    Membership,
    Purpose,
    Role,
    Shift,
    Status,
    Submission,
    Track,
)
from db.session import Database, Session
from db.submissions import Report
from db.units import UnitRow

SHIFTS = (Shift.OFFICE, Shift.MORNING, Shift.AFTERNOON, Shift.NIGHT, Shift.ROTATING)


async def furnish(database: Database, packs: Packs, pack: DemoPack, files: Path, now: datetime) -> None:
    """Fills an empty database in one transaction."""
    async with database.write() as session:
        await _units(session, pack, now)
        known = await _people(session, pack, now)
        await _submissions(session, pack, known, now)
        await _announcement(session, pack, known, now)


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
    account = (await accounts.enter(session, "webchat", f"demo-{key}", joined)).account
    person = await people.join(session, account, "demo", joined)
    home = await units.find_by_code(session, unit)
    assert home is not None
    person.name, person.unit_id, person.audience = name, home.id, Audience(audience)
    person.membership, person.shift, person.confirmed, person.news = Membership(member), Shift(shift), True, True
    for purpose in (Purpose.NEWS, Purpose.SUBMISSIONS):
        await people.consent(session, person.id, purpose, "demo", "webchat", joined)
    return person.id


async def _submissions(session: Session, pack: DemoPack, known: dict[str, int], now: datetime) -> None:
    """A queue with something in every state, sent the way people send and then moved to where the pack says."""
    made: list[Submission] = []
    for item in pack.submissions:
        sent = now - timedelta(days=item.days_ago)
        due = datetime.combine(add_working_days(local_date(sent), 5), time(17), LOCAL)
        author = await people.get(session, known[item.author])
        story: dict[str, object] = dict(item.story)
        if item.money:
            story["results"] = {"money": item.money}
        report = Report(
            Track(item.track), item.title, story, item.money, direct_production=author.audience == Audience.ENTERPRISE
        )
        submission = await submissions.submit(
            session, author, report, draft_id=None, due_at=due, year=local_date(sent).year, now=sent
        )
        status = Status(item.status)
        submission.status, submission.ask, submission.reason = status, item.ask, item.reason
        if item.holder:
            submission.holder_id, submission.claimed_at = known[item.holder], now - timedelta(hours=3)
            submission.queue_unit_id = await _home(session, submission.holder_id)
            submission.version = 2
        if status == Status.CLAIMED:
            submission.lapses_at = now + timedelta(days=3)
        if status == Status.NEED_INFO:
            submission.asked_at = now - timedelta(days=1)
        if status in DECIDED:
            submission.decided_at, submission.lapses_at = now - timedelta(days=1), None
        if item.duplicate_of:
            submission.duplicate_of = made[item.duplicate_of - 1].id
        made.append(submission)


async def _home(session: Session, person_id: int) -> int | None:
    return (await people.get(session, person_id)).unit_id


async def _announcement(session: Session, pack: DemoPack, known: dict[str, int], now: datetime) -> None:
    """A broadcast of last week that reached everybody it was for, save one who had blocked the chat."""
    sent = now - timedelta(days=8)
    unit = await units.find_by_code(session, "MAYHOA")
    assert unit is not None
    broadcast = await broadcasts.create(
        session, author_id=known["huong"], kind="notice", topic="notice", unit_id=unit.id, audience=Rule(unit.id).to_json(),
        text=pack.announcement, media=[], timing="now", send_at=sent, second=False, year=local_date(sent).year, now=sent,
    )  # fmt: skip
    members = await broadcasts.next_members(session, broadcast, sent, exempt=True)
    body = await broadcasts.body(session, {}, sent)
    await broadcasts.add_targets(session, broadcast, [(member, sent, None, body, None) for member in members], sent)
    await broadcasts.settle_all(session, broadcast, sent)
