"""A trouble is told once when it stands, reminded of until somebody knows, and told once when it is over."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import func, select, update

from db import alarms
from db.models import Alarm, AuditRow, Grant, OutboxRow, Role
from db.session import Session
from scheduler.alarms import Alarms
from scheduler.troubles import Name
from tests.people import TestPerson, World

TICK = 2.0


class Watched:
    """Alarms over a world, hearing what is wrong every two seconds on a clock that moves when told."""

    def __init__(self, world: World, admin: TestPerson) -> None:
        self.world = world
        self.admin = admin
        self.elapsed = 0.0
        self.restart()

    def restart(self) -> None:
        """Another process: what was in memory is gone."""
        self.elapsed = 0.0
        self.alarms = Alarms(
            self.world.database,
            self.world.house.words,
            now=lambda: self.world.now,
            monotonic=lambda: self.elapsed,
            said=lambda: None,
        )

    async def for_seconds(self, seconds: float, *found: Name) -> None:
        """So long this is wrong."""
        until = self.elapsed + seconds
        while True:
            await self.alarms.hear(found)
            if self.elapsed >= until:
                break
            step = min(TICK, until - self.elapsed)
            self.elapsed += step
            self.world.later(seconds=step)
        await self.world.deliver()

    async def jumps(self, hours: float, *found: Name) -> None:
        self.elapsed += hours * 3600
        self.world.later(hours=hours)
        await self.alarms.hear(found)
        await self.world.deliver()


@pytest.fixture
async def house(world: World, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Watched]:
    caplog.set_level(logging.CRITICAL, logger="scheduler.alarms")
    admin = await world.joined("Quản Trị", unit="TINH", role=Role.SYSTEM_ADMIN)
    yield Watched(world, admin)


async def test_it_is_told_once_when_it_stands_and_once_when_it_is_over(world: World, house: Watched) -> None:
    hoa = await world.joined("Hoa")
    leader = await world.joined("Lãnh Đạo", unit="TINH", role=Role.LEADER)
    await house.for_seconds(29, Name.POLLING)
    assert house.admin.keys == []
    await house.for_seconds(2, Name.POLLING)
    await house.for_seconds(3600, Name.POLLING)
    assert house.admin.keys == ["alarms.opened"]
    assert "không nhận được tin từ Telegram" in house.admin.last.text
    await house.for_seconds(115)
    assert house.admin.keys == ["alarms.opened"]
    await house.for_seconds(10)
    await house.for_seconds(3600)
    assert house.admin.keys == ["alarms.opened", "alarms.over"]
    assert hoa.heard == [] == leader.heard


async def test_what_comes_and_goes_is_one_alarm_and_what_passes_is_none(world: World, house: Watched) -> None:
    for _ in range(5):
        await house.for_seconds(10, Name.BACKLOG)
        await house.for_seconds(200)
    assert house.admin.keys == []
    for _ in range(30):
        await house.for_seconds(20, Name.BACKLOG)
        await house.for_seconds(60)
    assert house.admin.keys == ["alarms.opened"]
    await house.for_seconds(125)
    assert house.admin.keys == ["alarms.opened", "alarms.over"]


async def test_two_moments_of_a_trouble_are_not_the_time_between_them(world: World, house: Watched) -> None:
    for _ in range(2):
        await house.for_seconds(100)
        await house.for_seconds(2, Name.POLLING)
    assert house.admin.keys == []


async def test_two_troubles_are_two_alarms(world: World, house: Watched) -> None:
    await house.for_seconds(60, Name.POLLING, Name.CLOCK)
    await house.for_seconds(130, Name.CLOCK)
    assert house.admin.keys == ["alarms.opened", "alarms.opened", "alarms.over"]
    async with world.database.read() as session:
        rows = (await session.execute(select(Alarm).order_by(Alarm.name))).scalars().all()
    assert [(row.name, row.closed_at is None) for row in rows] == [("clock", True), ("polling", False)]


async def test_a_restart_tells_nothing_twice_and_closes_what_ended_meanwhile(world: World, house: Watched) -> None:
    await house.for_seconds(60, Name.CLOCK)
    for _ in range(3):
        house.restart()
        await house.for_seconds(100, Name.CLOCK)
    assert house.admin.keys == ["alarms.opened"]
    house.restart()
    await house.for_seconds(110)
    assert house.admin.keys == ["alarms.opened"]
    await house.for_seconds(20)
    assert house.admin.keys == ["alarms.opened", "alarms.over"]


async def test_it_is_repeated_every_four_hours_until_somebody_knows(world: World, house: Watched) -> None:
    await house.for_seconds(60, Name.DATABASE)
    await house.jumps(3.9, Name.DATABASE)
    assert house.admin.keys == ["alarms.opened"]
    await house.jumps(0.2, Name.DATABASE)
    house.restart()
    await house.jumps(3.9, Name.DATABASE)
    await house.jumps(0.2, Name.DATABASE)
    assert house.admin.keys == ["alarms.opened", "alarms.again", "alarms.again"]
    house.admin.heard.clear()
    await house.admin.says("/suco")
    await house.admin.taps("Tôi đang xử lý")
    assert house.admin.last.key == "alarms.known"
    house.admin.heard.clear()
    for _ in range(4):
        await house.jumps(4.1, Name.DATABASE)
    assert house.admin.keys == []
    await house.for_seconds(130)
    assert house.admin.keys == ["alarms.over"]
    async with world.database.read() as session:
        noted = select(func.count()).select_from(AuditRow).where(AuditRow.action == "acknowledge_alarm")
        assert (await session.execute(noted)).scalar_one() == 1


async def test_what_could_not_be_sent_until_it_was_over_is_one_message_that_says_both(
    world: World, house: Watched
) -> None:
    """Telegram is away: so is the way to whoever should know."""
    world_deliver, world.deliver = world.deliver, nobody  # type: ignore[method-assign]
    await house.for_seconds(600, Name.POLLING)
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(OutboxRow))).scalar_one() == 1
    await house.for_seconds(130)
    world.deliver = world_deliver  # type: ignore[method-assign]
    await world.deliver()
    assert house.admin.keys == ["alarms.over"]


async def nobody() -> None:
    """Nothing arrives."""


async def test_warnings_wait_until_people_are_awake_and_what_is_urgent_does_not(world: World, house: Watched) -> None:
    world.later(hours=9)  # nearly two in the morning
    await house.for_seconds(130, Name.BACKUP_OLD, Name.DISK_FULL)
    assert house.admin.keys == ["alarms.opened"] and "256 MB" in house.admin.last.text
    world.later(hours=5)
    await world.deliver()
    assert len(house.admin.keys) == 2


async def test_every_administrator_hears_of_it_wherever_the_role_is_held_and_nobody_whose_role_is_gone(
    world: World, house: Watched
) -> None:
    second = await world.joined("Hai", unit="CAOSON", role=Role.SYSTEM_ADMIN)
    gone = await world.joined("Ba", unit="TINH", role=Role.SYSTEM_ADMIN)
    async with world.database.write() as session:
        revoked = update(Grant).where(Grant.person_id == await gone.id()).values(revoked_at=world.now)
        await session.execute(revoked)
    await house.for_seconds(60, Name.CLOCK)
    assert second.keys == ["alarms.opened"] == house.admin.keys
    assert gone.keys == []


async def test_only_administrators_see_and_acknowledge(world: World, house: Watched) -> None:
    leader = await world.joined("Lãnh Đạo", unit="TINH", role=Role.LEADER)
    await house.for_seconds(60, Name.CLOCK)
    for words in ("/suco", "/dabiet 1"):
        leader.heard.clear()
        await leader.says(words)
        assert "alarms.list" not in leader.keys and "alarms.known" not in leader.keys
    async with world.database.read() as session:
        assert (await session.execute(select(Alarm.acknowledged_at))).scalar_one() is None


async def test_a_button_pressed_after_it_is_over_says_so(world: World, house: Watched) -> None:
    await house.for_seconds(60, Name.CLOCK)
    alert = house.admin.last
    await house.for_seconds(130)
    house.admin.heard[:] = [alert]
    await house.admin.taps("Tôi đang xử lý")
    assert house.admin.last.key == "alarms.too_late"
    await house.admin.says("/suco")
    assert house.admin.last.key == "alarms.none"


async def test_what_cannot_be_written_is_in_the_log_once_and_told_when_it_can(
    world: World, house: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="scheduler.alarms")
    await house.for_seconds(2)
    with monkeypatch.context() as patch:
        patch.setattr(world.database, "write", broken)
        patch.setattr(world, "deliver", nobody)
        await house.for_seconds(120, Name.DATABASE)
    said = [record.getMessage() for record in caplog.records if record.name == "scheduler.alarms"]
    assert said == ["trouble: database (critical)", "alarms cannot be written at the moment: database"]
    await house.for_seconds(4, Name.DATABASE)
    assert house.admin.keys == ["alarms.opened"]
    await house.for_seconds(130)
    assert caplog.records[-1].getMessage() == "trouble over: database"


async def test_what_is_lost_at_the_commit_is_told_at_the_next_look(
    world: World, house: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, lost = world.database.write, 0

    @asynccontextmanager
    async def once_in_vain() -> AsyncIterator[Session]:
        nonlocal lost
        async with write() as session:
            yield session
            monkeypatch.setattr(world.database, "write", write)
            lost += 1
            raise OSError("the disk is gone")

    monkeypatch.setattr(world.database, "write", once_in_vain)
    await house.for_seconds(40, Name.DATABASE)
    assert house.admin.keys == ["alarms.opened"]
    monkeypatch.setattr(world.database, "write", once_in_vain)
    await house.jumps(4.1, Name.DATABASE)
    await house.for_seconds(4, Name.DATABASE)
    assert house.admin.keys == ["alarms.opened", "alarms.again"] and lost == 2


async def test_an_alarm_that_only_an_earlier_version_knew_is_over_and_keeps_nobody_from_hearing_of_others(
    world: World, house: Watched
) -> None:
    async with world.database.write() as session:
        session.add(Alarm(name="an_old_name", opened_at=world.now, told_at=world.now))
    house.restart()
    await house.for_seconds(40, Name.DATABASE)
    assert house.admin.keys == ["alarms.opened"]
    async with world.database.read() as session:
        assert [alarm.name for alarm in await alarms.list_open(session)] == ["database"]


def broken() -> None:
    raise OSError("the disk is gone")


async def test_every_trouble_has_words(world: World) -> None:
    for name in Name:
        for part in ("what", "todo"):
            assert world.house.words.text(f"alarms.{part}_{name}")
