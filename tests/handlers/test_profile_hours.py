"""The hours a person wants no message in: set the way people type, kept to by what already waits, taken off again."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from content.calendar import LOCAL
from db import erasure, outbox, rights
from db.models import Lane, OutboxRow, OutState, Person
from scheduler import broadcasts as planner
from tests.handlers.test_announcing import composes, officer
from tests.people import TestPerson, World, work_of


async def at_quiet(hoa: TestPerson) -> None:
    await hoa.says("/canhan")
    await hoa.taps("Giờ nhận tin")
    await hoa.taps("Không nhắn từ … đến …")
    assert hoa.last.key == "profile.quiet"


async def kept(world: World, hoa: TestPerson) -> str:
    async with world.database.read() as session:
        return (await session.get_one(Person, await hoa.id())).quiet


@pytest.mark.parametrize("typed", ["22h-6h", "từ 10 giờ tối đến 6 giờ sáng", "22:00 6:00", "22-6"])
async def test_hours_without_messages_are_set_as_people_type_them_and_shown(world: World, typed: str) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await at_quiet(hoa)
    await hoa.says(typed)
    assert hoa.keys[-2:] == ["profile.quiet_set", "profile.home"]
    assert (
        "không nhắn anh/chị trong khoảng 22:00–6:00" in hoa.heard[-2].text
        and "11:30–13:00, 17:00–20:30" in hoa.heard[-2].text
    )
    assert "Giờ hành chính, không nhắn 22:00–6:00" in hoa.last.text
    assert await kept(world, hoa) == "22:00-06:00"


@pytest.mark.parametrize(
    ("typed", "key"), [("ban đêm", "quiet_unclear"), ("22h", "quiet_unclear"), ("9h-5h", "quiet_long"), ("6h-22h", "quiet_long")]
)  # fmt: skip
async def test_what_cannot_be_used_is_answered_kindly_and_asked_again(world: World, typed: str, key: str) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await at_quiet(hoa)
    await hoa.says(typed)
    assert hoa.last.key == f"profile.{key}" and await kept(world, hoa) == ""
    await hoa.says("22h-6h")
    assert await kept(world, hoa) == "22:00-06:00"


async def test_where_the_shifts_hours_are_all_taken_the_person_hears_when_messages_come_instead(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await at_quiet(hoa)
    await hoa.says("11h - 21h")
    assert "Giờ của ca trùng hết" in hoa.heard[-2].text and "7:00–11:00" in hoa.heard[-2].text
    await hoa.taps("Giờ nhận tin")
    await hoa.taps("Ca chiều")
    assert "Giờ của ca trùng hết" not in hoa.heard[-2].text and "9:00–11:00" in hoa.heard[-2].text


async def test_own_hours_are_taken_off_again(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa", quiet="22:00-06:00")
    await at_quiet(hoa)
    assert "không nhắn 22:00–6:00" in hoa.last.text
    await hoa.taps("Bỏ giờ này")
    assert hoa.keys[-2:] == ["profile.quiet_cleared", "profile.home"] and await kept(world, hoa) == ""
    await at_quiet(hoa)
    assert "clear" not in [choice.key for choice in hoa.last.choices]


async def test_what_already_waits_follows_the_new_hours(world: World) -> None:
    ha, hoa = await officer(world), await world.joined("Bùi Thị Hoa")
    world.later(hours=-1)  # 15:55: everybody's message waits for 17:00
    await composes(ha, "Mời anh/chị họp.", when="Theo giờ từng người")
    await ha.taps("Xác nhận")
    await planner.run(work_of(world))
    async with world.database.write() as session:
        await outbox.tell(session, await hoa.id(), {}, now=world.now, after=3600.0)
    await at_quiet(hoa)
    await hoa.says("16h30-18h")
    async with world.database.read() as session:
        query = select(OutboxRow.lane, OutboxRow.not_before).where(
            OutboxRow.person_id == await hoa.id(), OutboxRow.state == OutState.READY
        )
        waits = {lane: at.astimezone(LOCAL).strftime("%H:%M") for lane, at in await session.execute(query)}
    assert waits == {Lane.BULK: "18:00", Lane.NOTICE: "18:00"}


async def test_own_hours_are_in_the_persons_copy_and_gone_after_erasing(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa", quiet="22:00-06:00")
    async with world.database.write() as session:
        copy = await rights.collect(session, await hoa.id())
        assert "22:00-06:00" in json.dumps(copy["persons"], default=str)
        assert "export.column_quiet" in world.house.words
        person_id = await hoa.id()
        await erasure.erase(session, person_id, world.now)
        assert (await session.get_one(Person, person_id)).quiet == ""
