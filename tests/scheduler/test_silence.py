"""Sundays and Tết's first three days: nothing that can wait comes, whoever sends it."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from content.calendar import LOCAL
from db import broadcasts, units
from db.audiences import Rule
from db.models import OutboxRow, Role
from scheduler import broadcasts as planner
from tests.people import World, work_of
from tests.scheduler.test_anniversaries import local
from tests.scheduler.test_deadlines import asked, look

SATURDAY_NIGHT, NEW_YEARS_EVE = local(7, 26, 21), local(1, 28, 20, 45)
RESTS = [
    (SATURDAY_NIGHT, "28/07 11:30"),
    (local(7, 27, 12), "28/07 11:30"),
    (NEW_YEARS_EVE, "01/02 11:30"),
    (local(1, 30, 12), "01/02 11:30"),
]


@pytest.mark.parametrize(("now", "arrives"), RESTS)
@pytest.mark.parametrize("kind", ["notice", "campaign", "document"])
async def test_an_announcement_in_each_ones_hours_leaves_the_days_of_rest_alone(
    world: World, now: datetime, arrives: str, kind: str
) -> None:
    tien = await world.joined("Hoàng Minh Tiến", unit="TINH", role=Role.UPPER_OFFICER)
    await world.joined("Bùi Thị Hoa")
    world.now = now
    async with world.database.write() as session:
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None
        await broadcasts.create(
            session, author_id=await tien.id(), kind=kind, topic=kind, unit_id=unit.id, audience=Rule(unit.id), number=1,
            text="Mời họp.", media=[], timing="window", send_at=now, second=False, year=2025, now=now,
        )  # fmt: skip
    await planner.run(work_of(world))
    async with world.database.read() as session:
        (due,) = (
            await session.execute(select(OutboxRow.not_before).where(OutboxRow.broadcast_id.is_not(None)))
        ).scalars()
    assert due.astimezone(LOCAL).strftime("%d/%m %H:%M") == arrives


@pytest.mark.parametrize(
    ("asked_at", "silent", "then"),
    [
        (local(7, 24, 16), [local(7, 27, 12)], local(7, 28, 12)),
        (local(1, 26, 16), [local(1, day, 12) for day in (29, 30, 31)], local(2, 1, 12)),
    ],
    ids=["sunday", "tet"],
)
async def test_a_reminder_that_falls_due_on_a_day_of_rest_waits_for_the_next(
    world: World, asked_at: datetime, silent: list[datetime], then: datetime
) -> None:
    world.now = asked_at
    _, hoa, _ = await asked(world)
    for moment in silent:
        world.now = moment
        await look(world)
        assert hoa.keys == []
    world.now = then
    await look(world)
    assert hoa.keys == ["moderation.need_reminder"]
