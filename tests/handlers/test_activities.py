"""A chair's one line for an anniversary: who may write it, what is refused, and who reads it where."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from content.anniversaries import ACTIVITY
from content.calendar import LOCAL
from content.message import from_json
from db import activities, units
from db.models import AuditRow, Body, OutboxRow, Person, Role
from tests.people import TestPerson, World
from tests.scheduler.test_anniversaries import local, looks

LINE = "7 giờ 30 chào cờ, trao quà cho mười người khó khăn."


async def chair(world: World, unit: str = "MAYHOA", **values: Any) -> TestPerson:
    world.now = local(7, 20, 9)
    return await world.joined("Lê Thu Hà", unit=unit, role=Role.GRASSROOTS_CHAIR, **values)


async def writes(ha: TestPerson, text: str = LINE) -> None:
    await ha.says("/ngayle")
    await ha.taps("Việc của đơn vị")
    await ha.taps("28/7/2025")
    assert ha.last.key == "activities.line"
    await ha.says(text)


async def puts(world: World, code: str, text: str) -> None:
    """A line as its chair would have left it."""
    ha = await world.joined(f"Chủ tịch {code}", unit=code, role=Role.UPPER_OFFICER)
    async with world.database.write() as session:
        unit = await units.find_by_code(session, code)
        assert unit is not None
        await activities.write(session, await ha.id(), unit.id, "2807", 2025, text, world.now)


async def pushed(world: World) -> dict[str, str]:
    """What each person got, or will get, before Union Day."""
    async with world.database.read() as session:
        query = (
            select(Person.name, Body.payload)
            .join(OutboxRow, OutboxRow.person_id == Person.id)
            .join(Body, Body.id == OutboxRow.body_id)
        )
        return {name: from_json(payload).text for name, payload in await session.execute(query)}


async def test_a_chairs_line_is_seen_as_it_will_be_read_kept_and_audited(world: World) -> None:
    ha = await chair(world)
    await writes(ha)
    assert ha.last.key == "activities.preview" and ha.last.text.splitlines()[-1] == f"May Hòa Phát: {LINE}"
    await ha.taps("Lưu")
    assert ha.last.key == "activities.saved" and "25/7/2025" in ha.last.text
    async with world.database.read() as session:
        noted = (await session.execute(select(AuditRow).where(AuditRow.action == "write_activity"))).scalar_one()
        assert (
            noted.actor_id == await ha.id() and noted.unit_id == (await session.get_one(Person, noted.actor_id)).unit_id
        )
    await writes(ha, "Mời cả tổ dự lễ chào cờ lúc 7 giờ.")
    await ha.taps("Sửa")
    assert LINE in ha.last.text
    await ha.taps("Bỏ dòng này")
    assert ha.last.key == "activities.removed"


async def test_the_nearest_unit_up_the_tree_that_wrote_one_is_read_in_the_push_the_rereading_and_the_list(
    world: World,
) -> None:
    world.now = local(7, 20, 9)
    await puts(world, "CAOSON", "hội thao xã ngày 27/7")
    await puts(world, "MAYHOA", LINE)
    hoa, lan = await world.joined("Bùi Thị Hoa", unit="CHUYEN5"), await world.joined("Đỗ Thị Lan", unit="TRUONG")
    await world.joined("Người Nơi Khác", unit="DIENTU")
    world.now = local(7, 25, 17)
    await looks(world)
    got = {name: text.splitlines()[-1] for name, text in (await pushed(world)).items()}
    assert got["Bùi Thị Hoa"] == f"May Hòa Phát: {LINE}" and got["Đỗ Thị Lan"] == "CĐ xã Cao Sơn: hội thao xã ngày 27/7"
    assert got["Người Nơi Khác"].startswith("Cảm ơn những anh/chị")
    await hoa.says("/thongbao")
    await hoa.taps("1")
    assert f"May Hòa Phát: {LINE}" in hoa.last.text
    await lan.says("/ngayle")
    assert "CĐ xã Cao Sơn: hội thao xã ngày 27/7" in lan.last.text


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("lễ", "activities.length"), ("x" * ACTIVITY, "activities.length"), ("Chào cờ lúc 7 giờ 🎉", "activities.picture"),
        ("Họp. Lưu hành nội bộ", "announcing.secret"), ("Chào {moi_nguoi} đến dự", "announcing.placeholder"),
    ],
)  # fmt: skip
async def test_what_may_not_stand_there_is_refused_kindly(world: World, text: str, key: str) -> None:
    ha = await chair(world)
    await writes(ha, text)
    assert ha.last.key == key
    await ha.says(LINE)
    assert ha.last.key == "activities.preview"


async def test_a_wrong_number_of_years_and_a_phone_number_are_pointed_out(world: World) -> None:
    ha = await chair(world)
    await writes(ha, "Mừng 95 năm thành lập Công đoàn, gọi 0912345678")
    assert "hệ thống tính 96 năm" in ha.last.text and "0912345678" in ha.last.text


async def test_only_chairs_and_those_above_are_offered_it_and_may(world: World) -> None:
    world.now = local(7, 20, 9)
    for name, role in (("Người Lao Động", None), ("Tổ Trưởng", Role.TEAM_LEADER), ("Nội Dung", Role.CONTENT_OFFICER)):
        person = await world.joined(name, role=role)
        await person.says("/ngayle")
        assert "viecdonvi" not in [choice.command for choice in person.last.choices]
        await person.presses("c:viecdonvi:")
        assert person.last.key == "common.refused"


async def test_from_the_morning_of_the_message_on_it_is_too_late(world: World) -> None:
    ha = await chair(world)
    await writes(ha)
    world.now = local(7, 25, 0)
    assert world.now.astimezone(LOCAL).hour == 0
    await ha.taps("Lưu")
    assert ha.last.key == "activities.late"
    await ha.presses("c:viecdonvi:")
    assert "28/7/2025" not in ha.last.text


async def test_who_chairs_two_units_says_for_which(world: World) -> None:
    from db.models import Grant

    ha = await chair(world)
    async with world.database.write() as session:
        other = await units.find_by_code(session, "TRUONG")
        assert other is not None
        session.add(
            Grant(
                person_id=await ha.id(), role=Role.GRASSROOTS_CHAIR, unit_id=other.id, granted_at=world.now,
                confirmed_at=world.now,
            )
        )  # fmt: skip
    await ha.presses("c:viecdonvi:")
    await ha.taps("28/7/2025")
    assert ha.last.key == "activities.unit"
    await ha.taps("2")
    await ha.says(LINE)
    assert ha.last.text.splitlines()[-1].startswith("TH Cao Sơn: ")
