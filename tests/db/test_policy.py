"""Who may do what to whom: one table by hand, every cell asked of the policy, and of the real doors where there are some."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest
from sqlalchemy import delete, func, select, update

from db import broadcasts, people, policy, submissions, units
from db.audiences import Rule
from db.errors import Refused
from db.models import Broadcast, Grant, Invitation, Level, Person, Role, Status, Submission, Track, Unit
from db.policy import Action
from db.session import Session
from db.submissions import Report
from db.units import UnitRow
from tests.people import TestPerson, World

# Decisions 16, by hand. x = may, within the own unit and what stands below it. This table is the specification: a change
# of rights is a change here first.
MAY = """
                    worker team_leader grassroots_chair upper_officer content_officer reviewer leader system_admin
read_submissions    .      x           x                x             .               x        x      .
decide_submissions  .      .           x                x             .               x        .      .
broadcast           .      x           x                x             x               .        .      .
approve_broadcast   .      .           .                x             .               .        x      .
write_activity      .      .           x                x             .               .        .      .
emergency_stop      .      .           .                .             .               .        x      x
confirm_members     .      x           x                x             .               .        .      .
import_units        .      .           .                x             .               .        x      x
unit_qr             .      x           x                x             .               .        x      x
answer_reports      .      .           .                .             x               .        .      .
read_alarms         .      .           .                .             .               .        .      x
"""
# Who gives and takes which role (rows give columns).
GIVES = """
                    worker team_leader grassroots_chair upper_officer content_officer reviewer leader system_admin
worker              .      .           .                .             .               .        .      .
team_leader         .      .           .                .             .               .        .      .
grassroots_chair    .      x           .                .             .               .        .      .
upper_officer       .      x           x                .             .               .        .      .
content_officer     .      .           .                .             .               .        .      .
reviewer            .      .           .                .             .               .        .      .
leader              .      x           x                x             x               x        .      .
system_admin        .      x           x                x             x               x        x      x
"""
RELATIONS = {
    "own": "MAYHOA",
    "descendant": "CHUYEN5",
    "ancestor": "CAOSON",
    "top": "TINH",
    "sibling": "TRUONG",
    "other": "DIENTU",
}
"""Seen from somebody whose role is at May Hòa Phát."""
REACHED = ("own", "descendant")


def table(text: str) -> dict[tuple[str, Role], bool]:
    head, *rows = [line.split() for line in text.strip().splitlines()]
    return {(row[0], Role(role)): cell == "x" for row in rows for role, cell in zip(head, row[1:], strict=True)}


MAYS, GIVEN = table(MAY), table(GIVES)


def test_the_table_speaks_of_every_action_and_every_role() -> None:
    assert {(action.value, role) for action in Action for role in Role} == set(MAYS)
    assert {(giver.value, role) for giver in Role for role in Role} == set(GIVEN)


@pytest.fixture
async def actor(world: World) -> int:
    return await (await world.joined("Người Làm", unit="TRUONG")).id()


async def holds(session: Session, person_id: int, role: Role, code: str, now: datetime) -> Grant:
    """From now on this and nothing else."""
    await session.execute(update(Grant).where(Grant.person_id == person_id).values(revoked_at=now))
    unit = await units.find_by_code(session, code)
    assert unit is not None
    grant = Grant(person_id=person_id, role=role, unit_id=unit.id, granted_at=now, confirmed_at=now)
    session.add(grant)
    await session.flush()
    return grant


async def unit_ids(session: Session) -> dict[str, int]:
    return {unit.code: unit.id for unit in await units.names(session, teams=True)}


async def test_every_role_may_do_what_the_table_says_on_every_relation_and_nothing_else(
    world: World, actor: int
) -> None:
    async with world.database.write() as session:
        ids = await unit_ids(session)
        for role in Role:
            await holds(session, actor, role, "MAYHOA", world.now)
            for action in Action:
                for relation, code in RELATIONS.items():
                    expected = MAYS[action.value, role] and relation in REACHED
                    cell = (role.value, action.value, relation)
                    assert await policy.may(session, actor, action, ids[code]) is expected, cell
                    assert (actor in await policy.anyone(session, ids[code], action)) is expected, cell
                    if expected:
                        await policy.check(session, actor, action, ids[code])
                    else:
                        with pytest.raises(Refused):
                            await policy.check(session, actor, action, ids[code])
                for nowhere in (None, 0, 10**6):
                    assert not await policy.may(session, actor, action, nowhere), (role.value, action.value)
                assert bool(await policy.scopes(session, actor, action)) is MAYS[action.value, role]


async def test_every_role_gives_and_takes_what_the_table_says(world: World, actor: int) -> None:
    async with world.database.write() as session:
        ids = await unit_ids(session)
        for giver in Role:
            await holds(session, actor, giver, "MAYHOA", world.now)
            for given in Role:
                for relation, code in RELATIONS.items():
                    expected = GIVEN[giver.value, given] and relation in REACHED
                    assert await policy.may_invite(session, actor, given, ids[code]) is expected, (
                        giver,
                        given,
                        relation,
                    )


async def test_nobody_may_anything_without_a_role_that_stands(world: World, actor: int) -> None:
    async with world.database.write() as session:
        ids = await unit_ids(session)
        for role in Role:
            grant = await holds(session, actor, role, "TINH", world.now)
            grant.confirmed_at = None
            await session.flush()
            unconfirmed = [await policy.may(session, actor, action, ids["MAYHOA"]) for action in Action]
            grant.confirmed_at, grant.revoked_at = world.now, world.now
            await session.flush()
            revoked = [await policy.may(session, actor, action, ids["MAYHOA"]) for action in Action]
            assert not any(unconfirmed + revoked), role


async def test_a_unit_that_moves_is_within_its_new_reach_at_once(world: World, actor: int) -> None:
    async with world.database.write() as session:
        ids = await unit_ids(session)
        await holds(session, actor, Role.UPPER_OFFICER, "KCN", world.now)
        assert not await policy.may(session, actor, Action.READ_SUBMISSIONS, ids["CHUYEN5"])
        moved = UnitRow("MAYHOA", "Công ty TNHH May Hòa Phát", parent="KCN", level=Level.GRASSROOTS)
        await units.write(session, [moved], world.now)
        assert await policy.may(session, actor, Action.READ_SUBMISSIONS, ids["CHUYEN5"])


# ---------------------------------------------------------------------------------------------------- doors


class Scene:
    """An officer at May Hòa Phát, and at each relation something of every kind to reach for."""

    def __init__(self, world: World, officer: TestPerson) -> None:
        self.world = world
        self.officer = officer
        self.reports: dict[str, str] = {}
        self.waiting: dict[str, str] = {}
        self.newcomers: dict[str, int] = {}
        self.leaders: dict[str, int] = {}

    async def furnish(self) -> None:
        author = await self.world.joined("Tác Giả", unit="DIENTU")
        sender = await self.world.joined("Người Gửi", unit="TINH", role=Role.UPPER_OFFICER)
        async with self.world.database.write() as session:
            ids = await unit_ids(session)
            person = await people.get(session, await author.id())
            for relation, code in RELATIONS.items():
                report = await submissions.submit(
                    session, person, Report(Track.INITIATIVE, f"Giá gá {code}", {"after": code}), draft_id=None,
                    due_at=self.world.now, year=2025, now=self.world.now,
                )  # fmt: skip
                report.queue_unit_id = ids[code]
                self.reports[relation] = report.code
                made = await broadcasts.create(
                    session, author_id=await sender.id(), kind="notice", topic="notice", unit_id=ids[code], text="Mời họp",
                    audience=Rule(ids[code]), number=2, media=[], timing="now", send_at=self.world.now, second=True, year=2025,
                    now=self.world.now,
                )  # fmt: skip
                self.waiting[relation] = made.code
                for kind, found in (("Mới", self.newcomers), ("Tổ Trưởng", self.leaders)):
                    other = Person(name=f"{kind} {code}", unit_id=ids[code], joined_at=self.world.now, muted_topics=[])
                    other.seen_at, other.confirmed = self.world.now, kind != "Mới"
                    session.add(other)
                    await session.flush()
                    found[relation] = other.id
                grant = Grant(person_id=other.id, role=Role.TEAM_LEADER, unit_id=ids[code], granted_at=self.world.now)
                grant.confirmed_at = self.world.now
                session.add(grant)
                await session.flush()
                self.leaders[relation] = grant.id

    async def takes(self, role: Role) -> None:
        async with self.world.database.write() as session:
            await holds(session, await self.officer.id(), role, "MAYHOA", self.world.now)

    async def row(self, query: object) -> object:
        async with self.world.database.read() as session:
            return (await session.execute(query)).scalar_one()  # type: ignore[call-overload]


async def reads(scene: Scene, relation: str) -> bool:
    await scene.officer.says(f"/duyet {scene.reports[relation]}")
    return scene.officer.last.key == "moderation.card"


async def decides(scene: Scene, relation: str) -> bool:
    code = scene.reports[relation]
    version = await scene.row(select(Submission.version).where(Submission.code == code))
    await scene.officer.presses(f"c:nhan:{code}.{version}")
    held = await scene.row(select(Submission.holder_id).where(Submission.code == code))
    async with scene.world.database.write() as session:
        await session.execute(update(Submission).values(status=Status.SENT, holder_id=None))
    return held == await scene.officer.id()


async def sees_broadcast(scene: Scene, relation: str) -> bool:
    await scene.officer.presses(f"c:xemtin:{scene.waiting[relation]}")
    return scene.officer.last.key == "announcing.card"


async def approves(scene: Scene, relation: str) -> bool:
    code = scene.waiting[relation]
    version = await scene.row(select(Broadcast.version).where(Broadcast.code == code))
    await scene.officer.presses(f"c:duyettin:{code}.{version}")
    approver = await scene.row(select(Broadcast.approver_id).where(Broadcast.code == code))
    async with scene.world.database.write() as session:
        await session.execute(update(Broadcast).values(state="waiting", approver_id=None))
    return approver == await scene.officer.id()


async def sends(scene: Scene, relation: str) -> bool:
    async with scene.world.database.write() as session:
        unit_id = (await unit_ids(session))[RELATIONS[relation]]
        try:
            await broadcasts.create(
                session, author_id=await scene.officer.id(), kind="notice", topic="notice", unit_id=unit_id, text="Mời họp",
                audience=Rule(unit_id), number=2, media=[], timing="now", send_at=scene.world.now, second=True, year=2025,
                now=scene.world.now,
            )  # fmt: skip
        except Refused:
            return False
    return True


async def confirms(scene: Scene, relation: str) -> bool:
    newcomer = scene.newcomers[relation]
    await scene.officer.says("/donvi")
    screen = scene.officer.last.message.screen
    await scene.officer.presses(f"s:{screen}:confirm")
    await scene.officer.presses(f"s:{scene.officer.last.message.screen}:person-{newcomer}")
    await scene.officer.presses(f"s:{scene.officer.last.message.screen}:yes")
    done = await scene.row(select(Person.confirmed).where(Person.id == newcomer))
    async with scene.world.database.write() as session:
        await session.execute(update(Person).where(Person.id == newcomer).values(confirmed=False))
    return bool(done)


async def draws_qr(scene: Scene, relation: str) -> bool:
    await scene.officer.says("/donvi")
    await scene.officer.presses(f"s:{scene.officer.last.message.screen}:qr")
    await scene.officer.says(RELATIONS[relation])
    return scene.officer.last.key == "units.qr" and f"u-{RELATIONS[relation]}" in scene.officer.last.text


async def revokes(scene: Scene, relation: str) -> bool:
    await scene.officer.presses(f"c:thuhoi:{scene.leaders[relation]}")
    await scene.officer.presses(f"s:{scene.officer.last.message.screen}:yes")
    gone = await scene.row(select(Grant.revoked_at).where(Grant.id == scene.leaders[relation]))
    async with scene.world.database.write() as session:
        await session.execute(update(Grant).where(Grant.id == scene.leaders[relation]).values(revoked_at=None))
    return gone is not None


async def invites(scene: Scene, relation: str) -> bool:
    await scene.officer.says("/donvi")
    await scene.officer.presses(f"s:{scene.officer.last.message.screen}:invite")
    await scene.officer.presses(f"s:{scene.officer.last.message.screen}:team_leader")
    await scene.officer.says(RELATIONS[relation])
    query = select(func.count()).select_from(Invitation).join(Unit, Unit.id == Invitation.unit_id)
    made = await scene.row(query.where(Unit.code == RELATIONS[relation]))
    async with scene.world.database.write() as session:
        await session.execute(delete(Invitation))
    return made == 1 and scene.officer.last.key == "units.invited"


DOORS: dict[str, tuple[Callable[[Scene, str], Awaitable[bool]], Callable[[Role], bool]]] = {
    "reads": (reads, lambda role: MAYS["read_submissions", role]),
    "decides": (decides, lambda role: MAYS["decide_submissions", role]),
    "sees": (sees_broadcast, lambda role: MAYS["broadcast", role] or MAYS["approve_broadcast", role]),
    "approves": (approves, lambda role: MAYS["approve_broadcast", role]),
    "sends": (sends, lambda role: MAYS["broadcast", role]),
    "confirms": (confirms, lambda role: MAYS["confirm_members", role]),
    "draws": (draws_qr, lambda role: MAYS["unit_qr", role]),
    "revokes": (revokes, lambda role: GIVEN[role.value, Role.TEAM_LEADER]),
    "invites": (invites, lambda role: GIVEN[role.value, Role.TEAM_LEADER]),
}


@pytest.mark.parametrize("door", DOORS)
async def test_every_door_opens_for_whom_the_table_says(world: World, door: str) -> None:
    officer = await world.joined("Cán Bộ", unit="MAYHOA")
    scene = Scene(world, officer)
    await scene.furnish()
    through, expected = DOORS[door]
    for role in Role:
        await scene.takes(role)
        for relation in RELATIONS:
            allowed = expected(role) and relation in REACHED
            assert await through(scene, relation) is allowed, (role.value, relation, officer.last.key)


@pytest.mark.parametrize("role", Role)
async def test_what_belongs_to_the_whole_house_opens_from_its_top_only(world: World, role: Role) -> None:
    """The emergency stop is for all who hold it; typed workplaces belong to nobody's branch yet."""
    for code in ("TINH", "MAYHOA"):
        officer = await world.joined(f"Cán Bộ {code}", unit=code, role=role, at=code)
        await officer.says("/dungkhan")
        assert (officer.last.key == "common.refused") is not MAYS["emergency_stop", role], (role, code)
        await officer.says("/donvi")
        offered = {choice.key for choice in officer.last.choices}
        assert ("requests" in offered) is (MAYS["import_units", role] and code == "TINH"), (role, code)


async def test_a_worker_finds_no_officers_door_by_any_forged_button(world: World) -> None:
    worker = await world.joined("Người Lạ")
    scene = Scene(world, worker)
    await scene.furnish()
    for through, _ in DOORS.values():
        assert not [relation for relation in RELATIONS if await through(scene, relation)]
