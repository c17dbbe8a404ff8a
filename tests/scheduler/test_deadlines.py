"""What falls due by itself is done once, however often the clock looks."""

from __future__ import annotations

from pathlib import Path
from random import Random

from sqlalchemy import select

from db.models import Draft, Role, Status, Submission
from scheduler import deadlines
from scheduler.timetable import Work
from tests.handlers.test_moderation import reviewer, sent, state
from tests.people import World


def work_of(world: World, files: Path = Path()) -> Work:
    async def fetch(channel: str, ref: str) -> bytes:
        raise LookupError

    return Work(
        database=world.database, words=world.house.words, packs=world.house.packs, files=files,
        now=lambda: world.now, said=lambda: None, fetch=fetch, rng=Random(1),
    )  # fmt: skip


async def look(world: World, times: int = 3) -> None:
    for _ in range(times):
        await deadlines.run(work_of(world))
    await world.deliver()


async def test_a_claim_lapses_after_two_working_days_and_the_holder_hears_it_once(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    await ha.says(f"/duyet {code}")
    await ha.taps("Nhận xử lý")
    world.later(days=2)  # Friday to Sunday: no working day has passed
    await look(world)
    assert (await state(world, code)).status == Status.CLAIMED
    world.later(days=2, hours=1)
    ha.heard.clear()
    await look(world)
    assert (await state(world, code)).status == Status.SENT
    assert ha.keys.count("moderation.lapsed_notice") == 1


async def test_an_unanswered_question_is_reminded_twice_and_closed_after_three_weeks(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    await ha.says(f"/duyet {code}")
    await ha.taps("Nhận xử lý")
    await ha.taps("Cần bổ sung")
    await ha.says("1")
    await ha.taps("Gửi")
    for _ in range(30):
        world.later(days=1)
        await look(world, 1)
    assert hoa.keys.count("moderation.need_reminder") == 2
    assert hoa.keys.count("moderation.closed_notice") == 1
    await hoa.taps("Mở lại")
    assert (await state(world, code)).status == Status.SENT


async def test_a_late_review_is_told_once_to_who_may_decide(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    await world.joined("Trần Hồng Sơn", unit="KCN", role=Role.UPPER_OFFICER)
    await sent(world, hoa)
    world.later(minutes=5)
    await look(world)
    assert ha.keys == ["moderation.overdue_notice"]
    assert world.person("Trần Hồng Sơn").keys == []


async def test_a_waiting_draft_is_mentioned_at_most_twice_and_only_to_who_wants_news(world: World) -> None:
    hoa, lan = await world.joined("Bùi Thị Hoa"), await world.joined("Đỗ Thị Lan", news=False)
    for person in (hoa, lan):
        await person.says("sang kien")
        await person.taps("Đồng ý")
        await person.taps("Sáng kiến")
        await person.says("Giá gá giúp thay dao cắt nhanh")
        person.heard.clear()
    for _ in range(10):
        world.later(days=1)
        await look(world, 2)
    assert hoa.keys == ["report.reminder"] * 2 and lan.keys == []
    async with world.database.read() as session:
        assert len((await session.execute(select(Draft))).all()) == 2
        assert (await session.execute(select(Submission))).first() is None
