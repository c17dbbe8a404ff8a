"""Once a day the administrators are told how far the audit has come: what is cut off before that shows."""

from __future__ import annotations

from datetime import UTC, datetime

from db import audit, people
from db.audit import Mark
from db.models import Purpose, Role
from scheduler import anchors
from tests.people import TestPerson, World, work_of

MORNING = datetime(2025, 7, 28, 1, 30, tzinfo=UTC)


async def look(world: World) -> None:
    for _ in range(3):
        await anchors.run(work_of(world))
        world.later(seconds=1)
    await world.deliver()


async def happens(world: World, person: TestPerson) -> Mark:
    """Something is written down; returns how far the record has come."""
    number = await person.id()
    async with world.database.write() as session:
        await people.consent(session, number, Purpose.SUBMISSIONS, "1", "test", world.now)
        await people.withdraw(session, number, Purpose.SUBMISSIONS, world.now)
    async with world.database.read() as session:
        return await audit.verify(session)


async def test_administrators_and_nobody_else_get_one_mark_a_day_in_which_something_was_written(world: World) -> None:
    admins = [await world.joined(name, unit="TINH", role=Role.SYSTEM_ADMIN) for name in ("Trần An", "Lê Bình")]
    others = [await world.joined("Vũ Mai", unit="TINH", role=Role.LEADER), await world.joined("Bùi Hoa")]
    world.now = MORNING
    end = await happens(world, others[1])
    await look(world)
    for admin in admins:
        assert admin.keys == ["audit.anchor"] and f"{end.row}:{end.hash[:32]}" in admin.last.text
        assert len(admin.last.text.splitlines()) == 1
    later = await happens(world, others[1])
    await look(world)
    world.later(days=1)
    await look(world)
    world.later(days=1)
    await look(world)  # nothing was written since
    for admin in admins:
        assert admin.keys == ["audit.anchor"] * 2 and str(later.row) in admin.last.text
    assert not others[0].keys and not others[1].keys
    async with world.database.read() as session:
        assert await audit.last_anchor(session) == later


async def test_no_mark_comes_at_night_and_without_an_administrator_it_is_kept_all_the_same(world: World) -> None:
    hoa = await world.joined("Bùi Hoa")
    end = await happens(world, hoa)
    world.now = MORNING.replace(hour=0, minute=59)
    await look(world)
    async with world.database.read() as session:
        assert await audit.last_anchor(session) is None
    world.now = MORNING
    await look(world)
    async with world.database.read() as session:
        assert await audit.last_anchor(session) == end and await audit.verify(session) == end
