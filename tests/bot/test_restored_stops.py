"""What officers stopped between a backup and its restore stays stopped; where nobody knows what, nothing goes to many.

And the lots of a contest fall as they did.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot import backup as backups
from bot.settings import Settings
from db import audit, automatic, broadcasts, contests, figures, people
from db.models import AuditRow, Broadcast, BroadcastState, Result, Role, Round, RoundState
from db.session import Database
from scheduler import contests as contest_clock
from scheduler import downtime
from tests.bot.test_backup import quiet
from tests.db.test_contests import sit
from tests.desks import officer
from tests.handlers.test_announcing import composes
from tests.people import TestPerson, World, work_of
from tests.scheduler.test_anniversaries import local, looks
from tests.scheduler.test_automatic import sent, the_day_before
from tests.weeks import OPENS, RESULT, week

pytestmark = pytest.mark.sqlite

Saves = Callable[[], Awaitable[None]]
Restores = Callable[[str], Awaitable[None]]
House = tuple[Saves, Restores]
UNREADABLE = ("died", "gone")
"""The former database is there and is none any more, or it is not there at all."""


@pytest.fixture
async def house(world: World, tmp_path: Path) -> AsyncIterator[House]:
    """Makes a backup of the world as it stands; brings it back, with the former database whole, dead or gone."""
    mine, made = world.database, list[Database]()
    settings = Settings.model_construct(data_dir=tmp_path / "house")
    file = settings.data_dir / "congdoan.db"
    settings.data_dir.mkdir()

    async def put_down() -> None:
        file.unlink(missing_ok=True)
        await world.database.copy_to(file)

    async def save() -> None:
        await put_down()
        (tmp_path / "saved.tar.gz").unlink(missing_ok=True)
        await backups.backup(settings, tmp_path / "saved.tar.gz", world.now, quiet)

    async def restore(former: str) -> None:
        if former == "whole":
            await put_down()
        elif former == "died":
            file.write_bytes(b"a disk that died")
        else:
            file.unlink()
        for each in made:
            await each.close()
        await backups.restore(settings, tmp_path / "saved.tar.gz", world.now, quiet)
        made.append(Database(settings.database))
        world.database = made[-1]
        world.later(minutes=1)

    yield save, restore
    world.database = mine
    for database in made:
        await database.close()


async def officers(world: World) -> tuple[TestPerson, TestPerson]:
    """A leader and an administrator, and a worker who would hear."""
    dai = await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)
    quan = await world.joined("Cao Minh Quân", unit="TINH", role=Role.SYSTEM_ADMIN)
    await world.joined("Bùi Thị Hoa")
    return dai, quan


async def is_stopped(world: World) -> tuple[bool, bool]:
    async with world.database.read() as session:
        return await broadcasts.stopped(session), await broadcasts.respectful(session)


async def said_by_status(world: World) -> str:
    async with world.database.read() as session:
        return str((await figures.status(session))["stopped"])


async def rounds(world: World) -> list[tuple[RoundState, str]]:
    async with world.database.read() as session:
        return [(row.state, row.reason) for row in (await session.execute(select(Round).order_by(Round.id))).scalars()]


# ---------------------------------------------------------------------------------------------------- it can be read


async def test_the_emergency_stop_and_the_respectful_mode_of_the_former_house_are_the_restored_ones(
    world: World, house: House
) -> None:
    save, restore = house
    dai, _ = await officers(world)
    await save()
    await dai.says("/dungkhan")
    await dai.taps("Dừng ngay")
    await dai.taps("Chế độ trang nghiêm")
    dai.heard.clear()
    await restore("whole")
    assert await is_stopped(world) == (True, True)
    assert await said_by_status(world) == "emergency stop"
    await looks(world)
    assert "announcing.lost_stops" not in dai.keys, "nothing is unknown"
    await save()
    await restore("whole")
    async with world.database.read() as session:
        done = (await session.execute(select(AuditRow.action).where(AuditRow.actor_id == audit.SYSTEM))).scalars().all()
    assert [each for each in done if each in ("emergency_stop", "respectful_mode")] == [
        "emergency_stop",
        "respectful_mode",
    ], "what stands in the backup is not written down anew"


async def test_a_stop_that_was_lifted_since_the_backup_stays_for_a_restore_never_lets_anything_go(
    world: World, house: House
) -> None:
    save, restore = house
    dai, _ = await officers(world)
    await dai.says("/dungkhan")
    await dai.taps("Dừng ngay")
    await save()
    await dai.taps("Cho gửi lại")
    await dai.taps("Cho gửi lại")
    await restore("whole")
    assert await is_stopped(world) == (True, False)


async def test_the_respectful_mode_of_the_former_house_drops_the_celebrations_that_the_backup_holds(
    world: World, house: House
) -> None:
    save, restore = house
    dai, _ = await officers(world)
    await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    world.now = local(7, 28, 6, 35)
    await looks(world)
    await save()
    await dai.says("/dungkhan")
    await dai.taps("Chế độ trang nghiêm")
    await restore("whole")
    async with world.database.read() as session:
        assert (await session.execute(select(Broadcast.state))).scalars().all() == [BroadcastState.CANCELLED]
    world.now = local(7, 28, 12)
    await looks(world)
    assert await sent(world) == []


async def test_a_message_that_was_stopped_since_is_not_asked_about_again(world: World, house: House) -> None:
    save, restore = house
    mai, dai = await the_day_before(world)
    await save()
    await dai.taps("Không gửi")
    await restore("whole")
    for person in (mai, dai):
        person.heard.clear()
    for hour in (6, 7, 8, 12):
        world.now = local(7, 28, hour, 45)
        await looks(world)
    assert await sent(world) == [] and mai.keys == dai.keys == []
    await dai.says("/lich")
    async with world.database.read() as session:
        assert [by for _, _, by in await automatic.list_stopped(session)] == [await dai.id()]


async def test_an_announcement_that_was_stopped_for_good_since_is_not_held_but_over(world: World, house: House) -> None:
    save, restore = house
    ha = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    await world.joined("Bùi Thị Hoa")
    for text, day in (("Họp lúc 17 giờ.", 29), ("Họp lúc 18 giờ.", 30)):
        await composes(ha, text, when="Hẹn giờ")
        await ha.says(f"17 giờ {day}/7/2025")
        await ha.taps("Xác nhận")
    await save()
    await ha.taps("Xem, dừng tin")
    await ha.taps("Dừng hẳn")
    await ha.taps("Dừng hẳn")
    await restore("whole")
    async with world.database.read() as session:
        found = (await session.execute(select(Broadcast.state).order_by(Broadcast.id))).scalars().all()
    assert found == [BroadcastState.HELD, BroadcastState.CANCELLED]


async def test_a_round_that_was_called_off_or_paused_since_stays_so(world: World, house: House) -> None:
    save, restore = house
    world.now = OPENS - timedelta(days=2)
    first = await week(world)
    second = await week(world, name="Cuộc thi khác")
    third = await week(world, name="Cuộc thi nữa")
    await save()
    async with world.database.write() as session:
        for number, do, why in ((first, contests.cancel, "bão"), (second, contests.pause, "chờ đề mới")):
            round_ = await contests.get_round(session, number)
            if do is contests.cancel:
                await contests.cancel(session, round_, round_.version, audit.SYSTEM, world.now, reason=why)
            else:
                await contests.pause(session, round_, round_.version, why, audit.SYSTEM, world.now)
    await restore("whole")
    assert third and await rounds(world) == [
        (RoundState.CANCELLED, "bão"),
        (RoundState.PAUSED, "chờ đề mới"),
        (RoundState.READY, ""),
    ]


# ------------------------------------------------------------------------------------------------ it cannot be read


@pytest.mark.parametrize("former", UNREADABLE)
async def test_where_nobody_knows_what_was_stopped_nothing_goes_to_many_until_somebody_says_so(
    world: World, house: House, former: str
) -> None:
    save, restore = house
    dai, quan = await officers(world)
    ha = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    world.now = local(7, 25, 9)
    await save()
    world.now = local(7, 25, 10)
    await restore(former)
    assert "stops since 2025-07-25T" in await said_by_status(world)
    for _ in range(3):
        await looks(world)
    for person in (dai, quan):
        assert person.keys.count("announcing.lost_stops") == 1
        assert person.last.labels == ["▶️ Cho gửi lại", "⛔ Vẫn dừng", "🕯 Chế độ trang nghiêm"]
        assert "lúc 9 giờ ngày 25/7/2025" in person.last.text and "tuần thi" not in person.last.text
    assert "announcing.lost_stops" not in ha.keys
    await composes(ha, "Họp lúc 17 giờ.")
    await ha.taps("Xác nhận")
    world.now = local(7, 28, 12)
    await looks(world)
    assert await sent(world) == [], "not even what silence lets go"
    late = await world.joined("Phạm Văn Lý", unit="TINH", role=Role.SYSTEM_ADMIN)
    await looks(world)
    assert late.keys.count("announcing.lost_stops") == 1, "whoever may answer later is asked too"
    await quan.taps("Cho gửi lại")
    await quan.taps("Cho gửi lại")
    assert "Đã cho gửi lại" in quan.last.text and await said_by_status(world) == ""
    await looks(world)
    assert len(await sent(world)) > 0


async def test_whoever_was_asked_may_say_that_it_stays_so(world: World, house: House) -> None:
    save, restore = house
    dai, _ = await officers(world)
    await save()
    await restore("died")
    await looks(world)
    await dai.taps("Vẫn dừng")
    assert dai.last.key == "announcing.stopped_all"
    assert await is_stopped(world) == (True, False) and await said_by_status(world) == "emergency stop"


@pytest.mark.parametrize("again", ["whole", "died"])
async def test_an_open_question_is_asked_again_after_another_restore(world: World, house: House, again: str) -> None:
    save, restore = house
    dai, _ = await officers(world)
    await save()
    await restore("died")
    await looks(world)
    await restore(again)
    dai.heard.clear()
    await looks(world)
    assert dai.keys.count("announcing.lost_stops") == 1


async def test_a_round_that_has_not_opened_waits_for_the_same_answer(world: World, house: House) -> None:
    save, restore = house
    world.now = OPENS - timedelta(days=2)
    dai, _ = await officers(world)
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    hoa = world.people["Bùi Thị Hoa"]
    number = await week(world)
    await save()
    await restore("died")
    world.now = OPENS + timedelta(minutes=30)
    await looks(world)
    assert "Tuần thi 1, mở 7 giờ ngày 21/7/2025" in dai.last.text
    assert await rounds(world) == [(RoundState.PAUSED, "")]
    assert "Công đoàn đang xem lại lịch thi" in (await hoa.says("thi tuần")).text
    assert "chưa rõ tuần này có bị hủy không" in (await mai.presses(f"c:tochuc:{number}")).text
    world.now = OPENS + timedelta(hours=1)
    await dai.taps("Cho gửi lại")
    await dai.taps("Cho gửi lại")
    assert "1 tuần thi đang chờ" in dai.last.text
    assert await rounds(world) == [(RoundState.READY, "")]
    async with world.database.read() as session:
        round_ = await contests.get_round(session, number)
    assert round_.closes_at - round_.opens_at == timedelta(days=6, hours=15), "what it stood still comes behind its end"


async def test_a_round_that_its_officers_paused_is_not_let_go_with_it(world: World, house: House) -> None:
    save, restore = house
    world.now = OPENS - timedelta(days=2)
    dai, _ = await officers(world)
    number = await week(world)
    async with world.database.write() as session:
        round_ = await contests.get_round(session, number)
        await contests.pause(session, round_, round_.version, "chờ đề mới", audit.SYSTEM, world.now)
    await save()
    await restore("gone")
    await looks(world)
    await dai.taps("Cho gửi lại")
    await dai.taps("Cho gửi lại")
    assert await rounds(world) == [(RoundState.PAUSED, "chờ đề mới")]


# ---------------------------------------------------------------------------------------------------- lots


async def test_the_lots_of_papers_that_a_backup_holds_fall_after_its_restore_as_they_were_told(
    world: World, house: House
) -> None:
    save, restore = house
    names = [f"Trần Văn {name}" for name in ("An", "Bình", "Chín", "Dũng", "Em", "Giang", "Hải")]
    number = await week(world, ranking=("lots",))
    for name in names:
        hoa = await world.joined(name)
        async with world.database.write() as session:
            round_ = await contests.get_round(session, number)
            await sit(session, round_, await people.get(session, await hoa.id()), 2, OPENS + timedelta(hours=1))
    async with world.database.read() as session:
        assert len((await contests.get_round(session, number)).seed) == 16, "fixed with the first paper"
    mai = await officer(world)
    await downtime.run(work_of(world))
    await save()
    world.now = RESULT + timedelta(minutes=1)
    await contest_clock.run(work_of(world))
    told = await drawn(world)
    assert sorted(lot or 0 for _, lot in told) == list(range(1, len(names) + 1))
    assert [person for person, _ in told] != sorted(person for person, _ in told), "drawn, not as they came"
    await restore("died")
    await contest_clock.run(work_of(world))
    assert await drawn(world) == [], "it waits for its officers"
    await downtime.run(work_of(world))
    await world.deliver()
    await mai.taps("Giữ nguyên giờ")
    await contest_clock.run(work_of(world))
    assert await drawn(world) == told


async def drawn(world: World) -> list[tuple[int, int | None]]:
    """Who stands where, and the lot of each, the best first."""
    async with world.database.read() as session:
        found = await session.execute(select(Result.person_id, Result.lot).order_by(Result.rank))
        return [(person, lot) for person, lot in found]
