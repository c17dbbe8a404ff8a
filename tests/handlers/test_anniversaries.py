"""The days to come with their years computed, and a yes to being reminded of them."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from db.models import Consent, Person, Purpose
from tests.handlers.test_campaign import keys, local
from tests.people import TestPerson, World


async def lines(person: TestPerson) -> list[str]:
    await person.says("/ngayle")
    assert person.last.key == "anniversaries.list" and len(person.last.text) <= 600
    return [line.removeprefix("• ") for line in person.last.text.splitlines() if line.startswith("• ")]


async def test_the_next_five_days_come_with_their_years_and_what_is_left(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    assert await lines(hoa) == [
        "28/7/2025: 96 năm Ngày thành lập Công đoàn Việt Nam (còn 3 ngày)",
        "02/9/2025: 80 năm Quốc khánh nước Cộng hòa xã hội chủ nghĩa Việt Nam (còn 39 ngày)",
        "01/01/2026: Tết Dương lịch (còn 160 ngày)",
        "03/02/2026: 96 năm Ngày thành lập Đảng Cộng sản Việt Nam (còn 193 ngày)",
        "17/02/2026: Tết Nguyên đán, 1/1 âm lịch (còn 207 ngày)",
    ]


async def test_what_those_who_released_a_year_left_out_is_not_listed(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    world.now = local(2025, 7, 26, 9)
    assert not [line for line in await lines(hoa) if "27/7/2025" in line]
    world.now = local(2026, 7, 26, 9)  # nobody has released anything of that year yet
    assert (await lines(hoa))[0] == "27/7/2026: 79 năm Ngày Thương binh - Liệt sĩ (còn 1 ngày)"
    assert not [
        line for line in await lines(hoa) if "Chuyển đổi số" in line
    ]  # only remembered: nobody has looked it up


@pytest.mark.parametrize(
    ("hour", "day", "first"), [(0, 28, "(hôm nay)"), (23, 28, "(hôm nay)"), (0, 29, "(còn 35 ngày)"), (23, 27, "(còn 1 ngày)")]
)  # fmt: skip
async def test_the_day_itself_is_today_until_midnight_in_vietnam(world: World, hour: int, day: int, first: str) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    world.now = local(2025, 7, day, hour) if hour >= 7 else local(2025, 7, day, 7).replace(day=day - 1, hour=17 + hour)
    assert (await lines(hoa))[0].endswith(first)


async def test_who_gets_reminders_is_not_offered_them(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await lines(hoa)
    assert keys(hoa) == ["menu"]


@pytest.mark.parametrize(
    "values", [{"news": False}, {"muted_topics": ["anniversary", "movement"]}], ids=["no news", "not these"]
)  # fmt: skip
async def test_a_yes_to_reminders_is_one_tap(world: World, values: dict[str, object]) -> None:
    hoa = await world.joined("Bùi Thị Hoa", **values)
    await lines(hoa)
    await hoa.taps("Nhắc tôi")
    assert hoa.last.key == "anniversaries.reminded"
    async with world.database.read() as session:
        me = await session.get_one(Person, await hoa.id())
        assert me.news and "anniversary" not in me.muted_topics
        assert me.muted_topics == (["movement"] if "muted_topics" in values else [])
        given = select(func.count()).where(Consent.purpose == Purpose.NEWS, Consent.withdrawn_at.is_(None))
        assert (await session.execute(given)).scalar_one() >= 1
    await lines(hoa)
    assert keys(hoa) == ["menu"]


async def test_a_stranger_reads_the_days_and_is_led_to_joining_by_a_yes(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("xin chào")
    assert len(await lines(hoa)) == 5
    await hoa.taps("Nhắc tôi")
    assert hoa.last.key == "onboarding.consent"


async def test_less_of_these_days_is_two_taps_from_the_message(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.presses("c:bottin:")
    await hoa.taps("Tin ngày kỷ niệm")
    assert hoa.last.key == "announcing.less_days"
    async with world.database.read() as session:
        me = await session.get_one(Person, await hoa.id())
        assert me.news and me.muted_topics == ["anniversary"]
