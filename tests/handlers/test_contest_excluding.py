"""Who made the questions takes no part: marked by an organiser before the result, told why, and shown by name after it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from db import contests, verdicts
from db.models import Person, Result, Verdict
from scheduler import contests as clock
from tests.desks import handed_in, officer
from tests.handlers.test_contest import contestant, sits
from tests.people import TestPerson, World, work_of
from tests.weeks import CLOSES, RESULT, week

WHY = "Tham gia soạn câu hỏi về tài chính"


async def excludes(world: World, mai: TestPerson, round_id: int, name: str) -> None:
    await mai.presses(f"c:tochuc:{round_id}")
    await mai.taps("Không dự thi")
    await mai.says(name)
    await mai.taps("1")
    await mai.taps("Không dự thi")
    await mai.says(WHY)
    assert mai.last.key == "contest_desk.excluded"
    await world.deliver()


async def test_who_is_marked_hears_why_and_takes_no_part_until_let_in_again(world: World) -> None:
    round_id = await week(world)
    mai, hoa, lan = await officer(world), await contestant(world), await contestant(world, "Đỗ Thị Lan")
    await mai.presses(f"c:khongduthi:{round_id}.2")
    await mai.says("Hoa")
    assert mai.last.key == "contest_desk.who_none"
    await excludes(world, mai, round_id, "bui thi hoa")
    assert hoa.last.key == "contest_desk.excluded_notice" and WHY in hoa.last.text and lan.keys == []
    assert "lượt thi" not in (await hoa.says("menu")).text
    await hoa.says("/thi")
    assert not hoa.last.offers("Nhắc tôi")
    await hoa.taps("Vào thi")
    assert "contest.excluded" in hoa.keys and "contest.ready" not in hoa.keys
    await hoa.presses(f"c:khongduthi:{round_id}.2")
    assert hoa.last.key == "common.refused"
    await mai.presses(f"c:khongduthi:{round_id}.2")
    await mai.says("Bùi Thị Hoa")
    await mai.taps("1")
    assert WHY in mai.last.text
    await mai.taps("Dự thi như thường")
    assert hoa.last.key == "contest_desk.admitted_notice"
    await hoa.says("menu")
    await sits(hoa, 4)


async def test_the_reason_of_the_second_who_marks_somebody_is_shown_back(world: World) -> None:
    round_id = await week(world)
    mai, ly = await officer(world), await officer(world, "Vũ Thị Ly")
    await contestant(world)
    await ly.presses(f"c:khongduthi:{round_id}.2")
    await ly.says("Bùi Thị Hoa")
    await ly.taps("1")
    await ly.taps("Không dự thi")
    await excludes(world, mai, round_id, "Bùi Thị Hoa")
    await ly.says("Là người duyệt đề thi")
    assert ly.keys[-2:] == ["contest_desk.out_already", "contest_desk.apart"]
    assert "Là người duyệt đề thi" in ly.heard[-2].text and WHY in ly.last.text


async def test_nobody_is_asked_why_they_should_take_no_part_themselves(world: World) -> None:
    round_id, mai = await week(world), await officer(world)
    await mai.presses(f"c:khongduthi:{round_id}.2")
    await mai.says("Vũ Ngọc Mai")
    await mai.taps("1")
    await mai.taps("Không dự thi")
    assert mai.last.key == "contest_desk.own"


async def test_who_takes_no_part_in_one_contest_sits_another_at_the_same_time(world: World) -> None:
    first = await week(world, closes_at=CLOSES - timedelta(hours=1))
    second = await week(world)
    mai, hoa = await officer(world), await contestant(world)
    await excludes(world, mai, first, "Bùi Thị Hoa")
    await hoa.says("/thi")
    await sits(hoa, 4)
    async with world.database.read() as session:
        assert len(await contests.list_own(session, await hoa.id(), second)) == 1


async def test_of_many_with_one_name_each_can_be_found(world: World) -> None:
    round_id = await week(world)
    mai = await officer(world)
    people = [await (await world.joined(f"Chị {n}")).id() for n in range(6)]
    async with world.database.write() as session:
        await session.execute(update(Person).where(Person.id.in_(people)).values(name="Nguyễn Thị Hương"))
    await mai.presses(f"c:khongduthi:{round_id}.2")
    await mai.says("nguyen thi huong")
    await mai.taps("Xem tiếp")
    await mai.taps("1")
    await mai.taps("Không dự thi")
    await mai.says(WHY)
    async with world.database.read() as session:
        assert list(await contests.list_disqualified(session, round_id)) == people[-1:]


async def test_the_paper_of_who_is_marked_later_is_not_ranked(world: World) -> None:
    round_id = await week(world)
    mai, hoa, lan = await officer(world), await contestant(world), await contestant(world, "Đỗ Thị Lan")
    await handed_in(world, round_id, hoa.address, 4)
    await handed_in(world, round_id, lan.address, 3)
    await excludes(world, mai, round_id, "Bùi Thị Hoa")
    world.now = RESULT
    await clock.run(work_of(world))
    async with world.database.read() as session:
        ranks = {row.person_id: row.rank for row in await contests.list_ranked(session, round_id)}
    assert ranks == {await hoa.id(): None, await lan.id(): 1}
    await mai.presses(f"c:khongduthi:{round_id}.2")
    assert mai.last.key == "contest_desk.changed"


async def test_a_name_among_those_who_reviewed_a_question_is_shown_to_people(world: World) -> None:
    round_id = await week(world)
    mai, hoa = await officer(world), await contestant(world)
    await contestant(world, "Đỗ Thị Lan")
    async with world.database.write() as session:
        await verdicts.give(session, [("cd-10", "x")], Verdict.APPROVED, "Bùi Thị Hoa", world.now)
        await verdicts.give(session, [("no-1", "x")], Verdict.APPROVED, "Đỗ Thị Lan", world.now)
    for address in (hoa.address, world.person("Đỗ Thị Lan").address):
        await handed_in(world, round_id, address, 3)
    world.now = RESULT
    await clock.run(work_of(world))
    async with world.database.read() as session:
        assert await session.get(Result, (round_id, await hoa.id())) is not None
    await mai.presses(f"c:dauhieu:{round_id}.3")
    assert "Bùi Thị Hoa – trùng tên với người soạn hoặc thẩm định câu hỏi" in mai.last.text
    assert "Đỗ Thị Lan" not in mai.last.text
