"""The policy itself against the reviewed table (tests/matrix/roles.yaml): every right, role and relation, asked directly."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import update

from db import policy, units
from db.errors import Refused
from db.models import Grant, Level, Role
from db.policy import Action
from db.session import Session
from db.units import UnitRow
from tests.matrix.table import GIVEN, MAY, REACHED, UNITS
from tests.people import World


def test_the_policys_own_tables_are_the_reviewed_ones_cell_by_cell() -> None:
    """Any single cell of either that is turned over fails here; tests/matrix shows that people would notice."""
    assert {(action.value, role): role in policy.ALLOWED[action] for action in Action for role in Role} == MAY
    gives = {giver: policy.INVITES.get(giver, frozenset()) for giver in Role}
    assert {(giver.value, role): role in gives[giver] for giver in Role for role in Role} == GIVEN


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
                for relation, code in UNITS.items():
                    expected = MAY[action.value, role] and relation in REACHED
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
                assert bool(await policy.scopes(session, actor, action)) is MAY[action.value, role]


async def test_every_role_gives_and_takes_what_the_table_says(world: World, actor: int) -> None:
    async with world.database.write() as session:
        ids = await unit_ids(session)
        for giver in Role:
            await holds(session, actor, giver, "MAYHOA", world.now)
            for given in Role:
                for relation, code in UNITS.items():
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


async def test_who_may_do_something_anywhere_and_whether_anybody_holds_a_role_at_all(world: World, actor: int) -> None:
    async with world.database.write() as session:
        await session.execute(update(Grant).values(revoked_at=world.now))
        assert not await policy.anybody(session)
        for role in Role:
            grant = await holds(session, actor, role, "MAYHOA", world.now)
            assert await policy.anybody(session)
            for action in Action:
                expected = [actor] if MAY[action.value, role] else []
                assert await policy.holders(session, action) == expected, (role.value, action.value)
            grant.confirmed_at = None
            await session.flush()
            assert not await policy.anybody(session)
            assert [action for action in Action if await policy.holders(session, action)] == []


async def test_who_gives_a_role_is_looked_for_at_the_unit_and_then_up_the_tree(world: World, actor: int) -> None:
    above = await (await world.joined("Người Trên", unit="TRUONG")).id()
    async with world.database.write() as session:
        ids = await unit_ids(session)
        for giver in Role:
            await holds(session, above, giver, "TINH", world.now)
            for given in Role:
                await session.execute(update(Grant).where(Grant.person_id == actor).values(revoked_at=world.now))
                found = await policy.nearest_inviters(session, given, ids["MAYHOA"])
                assert (above in found) is GIVEN[giver.value, given], (giver.value, given.value)
                await holds(session, actor, giver, "MAYHOA", world.now)
                found = await policy.nearest_inviters(session, given, ids["MAYHOA"])
                assert (actor in found) is GIVEN[giver.value, given], (giver.value, given.value)
                assert above not in found, (giver.value, given.value)
