"""What people could not do because they could not reach us is given back once, and no more than that."""

from __future__ import annotations

import itertools
import re
import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from db import contests, house, snapshot
from db.contests import MOST
from db.models import AuditRow, Cause, Downtime, Entry, EntryState, Making, OutboxRow, Role, Round, RoundState
from db.session import Database
from scheduler import contests as results
from scheduler import downtime, jobs
from scheduler.downtime import Doors, Shut
from scheduler.timetable import LOST_TIME, Timetable, Work
from tests.databases import sqlite
from tests.handlers.test_contest import begin, contestant
from tests.people import TestPerson, World, work_of
from tests.prove import cases, note
from tests.scheduler import dying
from tests.weeks import CLOSES, OPENS, RESULT, week

MINUTE = timedelta(minutes=1)


class Process:
    """One life of the process over a world: its doors, its timetable, a wall clock that somebody may set wrong."""

    def __init__(self, world: World, *, heard: bool = True) -> None:
        self.world = world
        self.closed: Shut | None = None if heard else Shut(None)
        self.ahead = timedelta(0)
        self.trusted = True
        self.doors = Doors(lambda: (world.now - OPENS).total_seconds(), lambda: self.closed)
        self.doors.begin()
        self.work: Work = replace(work_of(world), doors=self.doors, now=lambda: world.now + self.ahead)
        self.timetable = Timetable(self.work, (LOST_TIME,), trusted=lambda: self.trusted)

    async def looks(self) -> None:
        """As the timetable would by itself: what was lost, what ends, who is told."""
        await self.timetable.look(LOST_TIME)
        if self.trusted:
            await results.run(self.work)
        await jobs.run(self.work)
        await self.world.deliver()

    async def lives(self, **delta: float) -> None:
        """Time goes by, with a look every quarter of an hour at least."""
        until = self.world.now + timedelta(**delta)
        while self.world.now < until:
            self.world.now = min(until, self.world.now + timedelta(minutes=15))
            if self.closed is not None:
                self.closed = replace(self.closed, seconds=self.closed.seconds + 900)
            await self.looks()

    async def shut(self, cause: Cause | None = Cause.POLLING, seconds: float = 0.0) -> None:
        self.closed = Shut(cause, seconds)
        await self.looks()

    async def opens(self) -> None:
        self.closed = None
        await self.looks()


async def process(world: World) -> Process:
    found = Process(world)
    await found.looks()
    return found


async def the_round(world: World) -> Round:
    async with world.database.read() as session:
        return (await session.execute(select(Round))).scalar_one()


async def rows(world: World) -> list[Downtime]:
    async with world.database.read() as session:
        return list((await session.execute(select(Downtime).order_by(Downtime.id))).scalars())


async def paper(world: World) -> Entry:
    async with world.database.read() as session:
        return (await session.execute(select(Entry))).scalar_one()


async def officer(world: World) -> TestPerson:
    return await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)


# ------------------------------------------------------------------------------------------------ the process itself


async def test_what_we_were_not_there_for_is_given_back_at_the_next_start(world: World) -> None:
    await week(world)
    mai, hoa = await officer(world), await contestant(world)
    await process(world)
    await begin(hoa)
    await hoa.says("a")
    mai.heard.clear()
    world.later(minutes=3)
    await process(world)
    assert await rows(world) != [], "three minutes are none that nobody notices"
    lost = (await rows(world))[0].seconds
    assert lost == 180
    world.later(hours=2)
    await process(world)
    round_ = await the_round(world)
    assert round_.closes_at == CLOSES + timedelta(hours=2, minutes=3) and round_.result_at == RESULT
    await hoa.says("/thi")
    assert "còn 10 phút 00 giây" in hoa.last.text
    assert mai.keys == ["contest_desk.downtime"] * 2
    assert "hệ thống ngừng hoạt động từ 16:58 25/7 đến 18:58 25/7" in mai.last.text
    assert "lùi 2 giờ, đến 23:03 ngày 27/7/2025" in mai.last.text
    assert hoa.keys.count("contest.time_given_back") == 2 and "còn khoảng 10 phút" in hoa.heard[-2].text
    for _ in range(3):
        await process(world)
    assert len(await rows(world)) == 2 and mai.keys == ["contest_desk.downtime"] * 2
    await hoa.taps("Làm tiếp")
    world.later(minutes=3)
    for _ in range(3):
        await hoa.says("a")
    await hoa.says("1")
    await hoa.taps("Nộp bài")
    world.now = CLOSES + timedelta(hours=1)
    assert (await hoa.says("/thi")).key == "contest.home"
    await results.run(work_of(world))
    world.now = RESULT
    await results.run(work_of(world))
    async with world.database.read() as session:
        result = await contests.find_result(session, round_.id, await hoa.id())
        assert result is not None and result.seconds == 180, "what was lost to us is no time used"


async def test_a_quick_restart_costs_nobody_anything_and_tells_nobody(world: World) -> None:
    await week(world)
    mai = await officer(world)
    await process(world)
    world.later(seconds=100)
    await process(world)
    assert await rows(world) == [] and mai.keys == [] and (await the_round(world)).closes_at == CLOSES


async def test_the_second_of_two_processes_takes_over_and_nothing_was_lost(world: World) -> None:
    """One lives on: it only answers until it leads, and its own doors open then."""
    await week(world)
    first, second = await process(world), Process(world)
    await first.lives(hours=3)
    world.later(seconds=70)  # the lead is killed; its lease and the long poll it left behind run out
    await second.looks()
    await second.lives(hours=3)
    assert await rows(world) == []


@pytest.mark.parametrize(
    ("down", "up", "later"),
    [
        (OPENS - timedelta(hours=3), OPENS - timedelta(hours=1), timedelta(0)),
        (OPENS - timedelta(hours=3), OPENS + timedelta(hours=1), timedelta(hours=1)),
        (CLOSES - timedelta(hours=3), CLOSES - timedelta(hours=1), timedelta(hours=2)),
        (CLOSES - timedelta(hours=3), CLOSES + timedelta(hours=1), timedelta(hours=4)),
        (CLOSES + timedelta(hours=1), CLOSES + timedelta(hours=3), timedelta(0)),
    ],
    ids=["before it opens", "across its opening", "while it is open", "across its closing", "after it has closed"],
)
async def test_a_round_goes_on_for_as_long_as_it_was_open_while_we_were_not_there(
    world: World, down: datetime, up: datetime, later: timedelta
) -> None:
    world.now = OPENS - timedelta(days=1)
    await week(world)
    world.now = down
    await process(world)
    world.now = up
    await process(world)
    assert (await the_round(world)).closes_at == CLOSES + later and len(await rows(world)) == bool(later)


async def test_two_downtimes_after_another_are_each_given_back_once(world: World) -> None:
    await week(world)
    for hours in (2, 3):
        await process(world)
        world.later(hours=hours)
        await process(world)
        await (await process(world)).lives(hours=1)
    assert [row.seconds for row in await rows(world)] == [2 * 3600, 3 * 3600]
    assert (await the_round(world)).closes_at == CLOSES + timedelta(hours=5)


async def test_no_round_is_put_off_by_more_than_a_day_unless_an_officer_says_so(world: World) -> None:
    world.now = OPENS + timedelta(hours=1)
    await week(world)
    mai, hoa = await officer(world), await contestant(world)
    await process(world)
    world.later(hours=12)
    await process(world)
    assert (await the_round(world)).closes_at == CLOSES + timedelta(hours=12)
    await begin(hoa)
    mai.heard.clear()
    world.now = CLOSES + timedelta(hours=11)
    last = await process(world)
    row = (await rows(world))[-1]
    assert (row.making, (await the_round(world)).closes_at) == (Making.ASKED, CLOSES + timedelta(hours=12))
    assert mai.keys == ["contest_desk.downtime_asked"] and "quá 24 giờ" in mai.last.text
    assert re.search(r"vẫn đóng lúc 9:0.*đóng muộn hơn \d+ giờ", mai.last.text), mai.last.text
    assert (await paper(world)).due_at > world.now, "whoever was at it goes on anyway"
    world.now = RESULT + timedelta(hours=1)
    await last.looks()
    assert (await the_round(world)).state == RoundState.READY, "no result before it is decided"
    await mai.taps(mai.last.choices[0].label)
    assert mai.last.key == "contest_desk.done_put_off"
    after = await the_round(world)
    assert after.closes_at == world.now + timedelta(seconds=row.seconds) and after.result_at == after.closes_at
    await jobs.run(last.work)
    await world.deliver()
    assert "contest_desk.news_put_off" in hoa.keys
    await mai.presses(f"c:keodaithi:{row.tag}")
    assert mai.last.key == "contest_desk.changed" and (await the_round(world)).closes_at == after.closes_at
    async with world.database.read() as session:
        found = select(AuditRow.action, AuditRow.actor_id, AuditRow.detail).where(AuditRow.action.like("%extend_round"))
        audited = [tuple(row) for row in await session.execute(found)]
    assert [row[1] for row in audited] == [0, await mai.id()]
    assert audited[1][2] == {"seconds": row.seconds, "cause": "down"}


async def test_a_day_is_the_most_of_all_downtimes_together(world: World) -> None:
    world.now = OPENS + timedelta(hours=1)
    await week(world)
    for hours in (12, 13):
        await process(world)
        world.later(hours=hours)
    await process(world)
    assert [row.making for row in await rows(world)] == [Making.MADE_UP, Making.ASKED]
    assert (await the_round(world)).closes_at == CLOSES + timedelta(hours=12)


async def test_what_an_officer_leaves_stays_and_has_its_result(world: World) -> None:
    await week(world)
    mai = await officer(world)
    await process(world)
    world.now = CLOSES
    last = await process(world)
    row = (await rows(world))[0]
    assert row.making == Making.ASKED
    await mai.presses(f"c:tochuc:{row.round_id}")
    assert "chờ đồng chí quyết định" in mai.last.text
    assert mai.last.offers("Kéo dài") and mai.last.offers("Giữ nguyên giờ") and not mai.last.offers("Gia hạn")
    world.later(hours=12)
    await world.deliver()
    asked = mai.last.text
    assert "đã đóng lúc 21:00" in asked and "mở lại ngay trong" in asked
    outsider = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.CONTENT_OFFICER)
    await outsider.presses(f"c:giunguyenthi:{row.tag}")
    assert outsider.last.key == "common.refused"
    await mai.presses(f"c:giunguyenthi:{row.id}.17")
    assert mai.last.key == "common.not_found", "a button of another house that had this number"
    await mai.presses(f"c:giunguyenthi:{row.tag}")
    assert mai.last.key == "contest_desk.done_leave"
    assert [row.making for row in await rows(world)] == [Making.LEFT]
    world.now = RESULT
    await last.looks()
    assert (await the_round(world)).state == RoundState.PUBLISHED


# ------------------------------------------------------------------------------------------------ a door that is shut


async def test_an_outage_of_the_platform_is_made_up_for_like_our_own(world: World) -> None:
    await week(world)
    mai, hoa, lan = await officer(world), await contestant(world), await contestant(world, "Đỗ Thị Lan")
    running = await process(world)
    await begin(hoa)
    await hoa.says("a")
    world.later(minutes=2)
    for each in (mai, hoa, lan):
        each.heard.clear()
    await running.looks()
    world.later(seconds=95)
    await running.shut(seconds=95)  # it hung, and that shows late
    await running.lives(minutes=90)
    assert hoa.keys == [] and (await paper(world)).state == EntryState.RUNNING, "nothing ends while nobody can answer"
    world.later(seconds=25)
    await running.opens()
    [row] = await rows(world)
    assert (row.cause, row.seconds, row.making) == (Cause.POLLING, 92 * 60, Making.MADE_UP)
    assert (await the_round(world)).closes_at == CLOSES + timedelta(minutes=92)
    assert mai.keys == ["contest_desk.downtime"] and "không nhận được tin từ Telegram" in mai.last.text
    assert hoa.keys == ["contest.time_given_back"] and "còn khoảng 8 phút" in hoa.last.text and lan.keys == []
    await hoa.says("/thi")
    assert "còn 8 phút 00 giây" in hoa.last.text
    for _ in range(3):
        await running.looks()
    await process(world)
    assert len(await rows(world)) == 1, "it is given back once"


async def test_a_paper_that_ran_out_before_it_showed_that_nobody_could_answer_goes_on(world: World) -> None:
    await week(world)
    hoa = await contestant(world)
    running = await process(world)
    await begin(hoa)
    await hoa.says("a")
    world.later(minutes=9, seconds=30)
    await running.looks()
    world.later(seconds=60)
    await running.looks()
    assert (await paper(world)).timed_out, "polls hang, which nobody knows yet"
    world.later(seconds=35)
    await running.shut(seconds=95)
    await running.lives(minutes=30)
    await running.opens()
    entry = await paper(world)
    assert (entry.state, entry.timed_out, entry.submitted_at) == (EntryState.RUNNING, False, None)
    assert entry.due_at - world.now == timedelta(seconds=30) and entry.extended == 30 * 60 + 95
    world.later(minutes=1)
    await running.looks()
    assert hoa.keys[-3:] == ["contest.time_over", "contest.time_given_back", "contest.time_over"]


async def test_who_answered_meanwhile_through_another_door_gets_only_what_came_after(world: World) -> None:
    await week(world)
    hoa = await contestant(world)
    running = await process(world)
    await begin(hoa)
    world.later(minutes=1)
    await running.shut()
    world.later(minutes=5)
    await hoa.says("a")
    world.later(minutes=2)
    due = (await paper(world)).due_at
    await running.opens()
    assert (await paper(world)).due_at == due + timedelta(minutes=2)


async def test_who_answers_before_it_is_given_back_loses_nothing(world: World) -> None:
    await week(world)
    hoa = await contestant(world)
    running = await process(world)
    await begin(hoa)
    await running.shut()
    world.later(minutes=5)
    running.closed = None
    running.doors.look()
    world.later(seconds=10)
    await hoa.says("a")
    due = (await paper(world)).due_at
    await running.looks()
    assert ((await paper(world)).due_at, (await paper(world)).extended) == (due, 0)


async def test_a_door_that_shuts_while_what_was_lost_is_given_back_ends_nothing(world: World) -> None:
    found = iter([None, Shut(Cause.DISK_FULL)])
    doors = Doors(shut=lambda: next(found))
    doors.begin()
    await downtime.run(replace(work_of(world), doors=doors))
    assert not doors.settled


async def test_short_trouble_and_one_while_no_round_is_open_change_nothing(world: World) -> None:
    world.now = OPENS - timedelta(days=1)
    await week(world)
    running = await process(world)
    for outage in (100, 3600):
        await running.shut(Cause.DELIVERY)
        world.later(seconds=outage)
        await running.opens()
    assert await rows(world) == []


async def test_an_outage_that_a_restart_falls_into_is_one_time_that_was_lost(world: World) -> None:
    await week(world)
    running = await process(world)
    await running.shut(Cause.DISK_FULL)
    await running.lives(hours=1)
    world.later(minutes=10)
    second = Process(world, heard=False)
    await second.looks()
    second.closed = Shut(Cause.POLLING, 60)
    await second.lives(hours=1)
    await second.opens()
    assert [(row.seconds, row.cause) for row in await rows(world)] == [(130 * 60, Cause.POLLING)]


async def test_an_outage_without_an_end_is_laid_before_the_officers(world: World) -> None:
    world.now = OPENS + timedelta(hours=1)
    await week(world)
    mai = await officer(world)
    running = await process(world)
    await running.shut()
    await running.lives(hours=24)
    assert await rows(world) == []
    await running.lives(hours=1)
    assert [row.making for row in await rows(world)] == [Making.ASKED]
    world.later(hours=12)  # by day, when officers are awake
    await running.looks()
    assert mai.keys == ["contest_desk.downtime_asked"]


async def test_a_paused_round_gives_time_back_to_papers_alone(world: World) -> None:
    """The pause itself is made up when it ends."""
    round_id = await week(world)
    mai, hoa = await officer(world), await contestant(world)
    await process(world)
    await begin(hoa)
    async with world.database.write() as session:
        round_ = await contests.get_round(session, round_id)
        await contests.pause(session, round_, round_.version, "Mất điện", await mai.id(), world.now)
    due = (await paper(world)).due_at
    world.later(hours=1)
    await process(world)
    assert (await paper(world)).due_at == due + timedelta(hours=1)
    async with world.database.write() as session:
        round_ = await contests.get_round(session, round_id)
        assert round_.closes_at == CLOSES
        await contests.resume(session, round_, round_.version, await mai.id(), world.now)
        assert round_.closes_at == CLOSES + timedelta(hours=1)


# ------------------------------------------------------------------------------------------------ a clock that is wrong


async def test_a_start_under_a_wrong_clock_waits_until_it_is_right_and_counts_only_what_was_lost(world: World) -> None:
    await week(world)
    await process(world)
    world.later(minutes=30)
    second = Process(world)
    second.ahead, second.trusted = timedelta(hours=5), False
    await second.looks()
    assert await rows(world) == [] and not second.doors.settled
    second.doors.look()  # the door is open, whatever the clock says
    world.later(hours=1)
    second.ahead, second.trusted = timedelta(0), True
    await second.looks()
    assert [row.seconds for row in await rows(world)] == [30 * 60], "people could take part in the hour of waiting"
    assert (await the_round(world)).closes_at == CLOSES + timedelta(minutes=30)


async def test_a_clock_that_is_set_while_we_run_is_no_downtime(world: World) -> None:
    await week(world)
    running = await process(world)
    for hours in (30, -30, 0):
        running.ahead, running.trusted = timedelta(hours=hours), hours == 0
        await running.lives(hours=1)
    running.ahead = timedelta(hours=-2)
    await running.lives(minutes=30)
    running.ahead = timedelta(0)
    await running.lives(minutes=30)
    assert await rows(world) == []


async def test_a_clock_years_ahead_puts_nothing_off_by_itself(world: World) -> None:
    await week(world)
    await process(world)
    second = Process(world)
    second.ahead = timedelta(days=365)
    await second.looks()
    assert (await the_round(world)).closes_at == CLOSES
    assert all(row.making == Making.ASKED for row in await rows(world))


# ------------------------------------------------------------------------------------------------ a restored backup


async def test_after_a_restore_nothing_is_put_off_by_itself_and_the_officers_decide(world: World) -> None:
    await week(world)
    mai, hoa = await officer(world), await contestant(world)
    await process(world)
    await begin(hoa)
    await hoa.says("a")
    mai.heard.clear()
    world.later(hours=20)  # the backup is of yesterday: whatever came after it is gone
    await snapshot.after_restore(world.database, world.now)
    world.later(minutes=10)
    last = await process(world)
    restored, down = await rows(world)
    assert (restored.making, restored.cause, restored.seconds) == (Making.ASKED, Cause.RESTORED, 20 * 3600)
    assert (down.making, down.seconds) == (Making.MADE_UP, 600), (
        "from the restore until the start nobody could reach us"
    )
    assert (await the_round(world)).closes_at == CLOSES + timedelta(minutes=10)
    entry = await paper(world)
    assert (entry.state, entry.timed_out, entry.extended) == (EntryState.RETURNED, False, 0)
    assert hoa.keys[-1] == "contest.attempt_given_back"
    await hoa.says("a")
    assert hoa.last.key == "contest.home", "a paper of before is none to go on with"
    assert "còn 2 lượt" in hoa.last.text
    await last.looks()
    asked = next(heard for heard in mai.heard if heard.key == "contest_desk.downtime_asked")
    assert "Bài làm trong khoảng ấy không còn" in asked.text and "Kéo dài 20 giờ" in asked.choices[0].label
    await mai.presses(f"c:keodaithi:{restored.tag}")
    assert (await the_round(world)).closes_at == CLOSES + timedelta(hours=20, minutes=10)


async def test_of_an_attempt_that_is_given_back_nobody_hears_in_their_sleep(world: World) -> None:
    await week(world)
    hoa = await contestant(world)
    await process(world)
    await begin(hoa)
    world.later(hours=6)
    await snapshot.after_restore(world.database, world.now)
    await process(world)
    assert "contest.attempt_given_back" not in hoa.keys
    world.later(hours=8)
    await world.deliver()
    assert hoa.last.key == "contest.attempt_given_back"


async def test_a_result_that_may_have_been_told_before_the_restore_is_not_told_by_itself(world: World) -> None:
    await week(world)
    mai = await officer(world)
    world.now = CLOSES + timedelta(hours=1)
    await process(world)
    world.now = RESULT + timedelta(days=1)
    await snapshot.after_restore(world.database, world.now)
    last = await process(world)
    [row] = await rows(world)
    assert row.seconds == 0 and (await the_round(world)).state == RoundState.READY
    assert mai.last.labels == ["Giữ nguyên giờ", "🏆 Tuần thi này"]
    await mai.taps("Giữ nguyên giờ")
    await last.looks()
    assert (await the_round(world)).state == RoundState.PUBLISHED


async def test_a_round_that_was_over_or_not_yet_open_is_left_alone_by_a_restore(world: World) -> None:
    world.now = OPENS - timedelta(days=2)
    await week(world)
    await process(world)
    world.later(days=1)
    await snapshot.after_restore(world.database, world.now)
    world.now = RESULT
    await process(world)
    [over] = await rows(world)
    assert over.cause == Cause.DOWN
    mai = await officer(world)
    await mai.presses(f"c:giunguyenthi:{over.tag}")
    await process(world)
    assert (await the_round(world)).state == RoundState.PUBLISHED
    world.later(days=1)
    await snapshot.after_restore(world.database, world.now)
    assert len(await rows(world)) == 1


# ------------------------------------------------------------------------------------------------ many


async def test_everybody_with_a_paper_is_told_in_pieces_and_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await week(world)
    monkeypatch.setattr("scheduler.contest_work.CHUNK", 2)
    people = [await contestant(world, f"Trần Văn {name}") for name in ("An", "Bình", "Chín", "Dũng", "Em")]
    await process(world)
    for person in people:
        await begin(person)
    world.later(minutes=5)
    await process(world)
    async with world.database.write() as session:
        await session.execute(Downtime.__table__.update().values(told=False))  # type: ignore[attr-defined]
    await process(world)
    assert [person.keys.count("contest.time_given_back") for person in people] == [1] * 5
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(OutboxRow))).scalar_one() >= 5
        known = await house.know(session, house.ALIVE)
        assert known is not None and datetime.fromisoformat(known["at"]) == world.now
    assert timedelta(hours=24) == MOST and downtime.BEAT < downtime.DOWN


@pytest.mark.sqlite
@pytest.mark.timeout(600)
async def test_a_start_killed_at_any_statement_gives_back_once_what_was_lost_and_tells_everybody(
    world: World, tmp_path: Path
) -> None:
    await week(world)
    mai, hoa = await officer(world), await contestant(world)
    await begin(hoa)
    await hoa.says("a")
    await process(world)
    before = (await paper(world)).due_at
    saved, number = tmp_path / "saved.db", itertools.count()
    await world.database.copy_to(saved)

    def copy() -> Path:
        return Path(shutil.copyfile(saved, tmp_path / f"{next(number)}.db"))

    houses = [(copy(), case) for case in cases(6)]
    deaths = dying.die_and_start_again(sqlite(copy()), [(sqlite(path), case) for path, case in houses])
    for (path, _), (at, _) in zip(houses, deaths, strict=True):
        database = Database(sqlite(path))
        async with database.read() as session:
            round_ = (await session.execute(select(Round))).scalar_one()
            entry = (await session.execute(select(Entry))).scalar_one()
            [row] = (await session.execute(select(Downtime))).scalars()
            audited = select(func.count()).select_from(AuditRow).where(AuditRow.action == "extend_round")
            assert (await session.execute(audited)).scalar_one() == 1
            told = select(OutboxRow.person_id).where(OutboxRow.created_at == dying.UP)
            assert sorted((await session.execute(told)).scalars()) == sorted([await mai.id(), await hoa.id()]), at
        await database.close()
        assert (row.seconds, row.told) == (3 * 3600, True)
        assert round_.closes_at - CLOSES == entry.due_at - before == timedelta(hours=3), f"killed before statement {at}"
    given = sum(given for _, given in deaths)
    note(given_back_before_the_kill=given, given_back_after_it=len(deaths) - given)
