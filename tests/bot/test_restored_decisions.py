"""A dead disk takes a [Không gửi] with it: after a real restore it never turns into a message that was sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot import backup as backups
from bot.settings import Settings
from db import audit, broadcasts, figures
from db.models import AutomaticState, Broadcast, BroadcastState, Role
from db.session import Database
from scheduler import downtime
from tests.bot.test_backup import quiet
from tests.handlers.test_announcing import composes
from tests.people import TestPerson, World, work_of
from tests.scheduler.test_anniversaries import local, looks, registered
from tests.scheduler.test_automatic import rewritten, sent, state, the_day_before
from tests.weeks import OPENS, week

pytestmark = pytest.mark.sqlite

Restores = Callable[[datetime], Awaitable[None]]
HELD = "ai đã bấm Gửi hay Không gửi trước đó có thể đã mất"


@pytest.fixture
async def saved(world: World, tmp_path: Path) -> AsyncIterator[Callable[[], Awaitable[Restores]]]:
    """Makes a backup of the world as it stands; what that returns brings it back when the disk has died."""
    made: list[Database] = []

    async def save() -> Restores:
        settings = Settings.model_construct(data_dir=tmp_path / "house")
        settings.data_dir.mkdir()
        await world.database.copy_to(settings.data_dir / "congdoan.db")
        await backups.backup(settings, tmp_path / "saved.tar.gz", world.now, quiet)
        (settings.data_dir / "congdoan.db").write_bytes(b"a disk that died")

        async def restore(at: datetime) -> None:
            world.now = at + timedelta(minutes=1)  # starting again takes its time
            await backups.restore(settings, tmp_path / "saved.tar.gz", at, quiet)
            made.append(Database(settings.database))
            world.database = made[-1]
            async with world.database.write() as session:  # whoever was asked has let messages go again
                await broadcasts.start_again(session, audit.SYSTEM, world.now)

        return restore

    mine = world.database
    yield save
    world.database = mine
    for database in made:
        await database.close()


async def through_the_day(world: World, *hours: int) -> None:
    for hour in hours or (6, 7, 8, 12, 17):
        world.now = max(world.now, local(7, 28, hour, 45))
        await looks(world)


@pytest.mark.parametrize("known", ["asked", "let go", "not asked yet"])
@pytest.mark.parametrize("at", [local(7, 27, 15), local(7, 27, 21), local(7, 28, 5)])
async def test_a_lost_do_not_send_is_asked_for_again_and_silence_sends_nothing(
    world: World, saved: Callable[[], Awaitable[Restores]], known: str, at: datetime
) -> None:
    if known == "not asked yet":
        mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
        dai = await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)
        await world.joined("Bùi Thị Hoa")
        world.now = local(7, 27, 3)
        restore = await saved()
        world.now = local(7, 27, 9)
        await looks(world)
    else:
        mai, dai = await the_day_before(world)
        if known == "let go":
            await dai.taps("Gửi")
        restore = await saved()
    world.now = local(7, 27, 14)
    await dai.taps("Không gửi")
    assert await state(world) == AutomaticState.STOPPED
    await restore(at)
    mai.heard.clear()
    await looks(world)
    await through_the_day(world)
    assert await sent(world) == []
    assert mai.keys == ["automatic.asked"] and HELD in mai.last.text, [heard.text for heard in mai.heard]
    assert "📅 1 tin tự động" in (await mai.says("/canbo")).text
    world.now = local(7, 28, 17, 50)
    await mai.taps("Gửi")
    assert "Vũ Ngọc Mai đã cho gửi" in mai.last.text
    for _ in range(3):
        await looks(world)
    assert len(await sent(world)) == 3
    assert "tin tự động" not in (await mai.says("/canbo")).text


async def test_before_anybody_could_be_asked_nothing_was_decided_and_silence_means_what_it_does(
    world: World, saved: Callable[[], Awaitable[Restores]]
) -> None:
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    await world.joined("Bùi Thị Hoa")
    world.now = local(7, 26, 12)
    restore = await saved()
    await restore(local(7, 27, 7))
    world.now = local(7, 27, 9)
    await looks(world)
    assert "vẫn gửi đúng giờ" in mai.last.text and HELD not in mai.last.text
    await through_the_day(world)
    assert len(await sent(world)) == 2


async def test_what_was_stopped_by_the_backup_stays_so_and_nobody_is_asked(
    world: World, saved: Callable[[], Awaitable[Restores]]
) -> None:
    mai, dai = await the_day_before(world)
    await dai.taps("Không gửi")
    restore = await saved()
    await restore(local(7, 27, 15))
    mai.heard.clear()
    await looks(world)
    await through_the_day(world)
    assert await sent(world) == [] and mai.keys == []


async def test_what_may_have_gone_before_the_disk_died_goes_again_only_when_somebody_says_so(
    world: World, saved: Callable[[], Awaitable[Restores]]
) -> None:
    mai, _ = await the_day_before(world)
    restore = await saved()
    await through_the_day(world, 6, 7)
    assert len(await sent(world)) == 3
    await restore(local(7, 28, 9))
    mai.heard.clear()
    await through_the_day(world, 9, 12)
    assert await sent(world) == [] and mai.keys == ["automatic.asked"] and "thấy hai lần" in mai.last.text
    await mai.taps("Không gửi")
    await through_the_day(world, 17)
    assert await sent(world) == []


async def test_when_its_day_is_over_nobody_is_asked(world: World, saved: Callable[[], Awaitable[Restores]]) -> None:
    mai, _ = await the_day_before(world)
    restore = await saved()
    await restore(local(7, 28, 20, 30))
    mai.heard.clear()
    await looks(world)
    await looks(world)
    world.now = local(7, 29, 9)
    await looks(world)
    assert await sent(world) == [] and not any(HELD in heard.text for heard in mai.heard)


async def test_what_was_on_its_way_when_the_backup_was_made_waits_and_those_who_may_decide_hear_it(
    world: World, saved: Callable[[], Awaitable[Restores]]
) -> None:
    """It has no author, so nobody was told that it stands still."""
    mai, dai = await the_day_before(world)
    await world.joined("Trần Văn Nam", shift="night")
    await through_the_day(world, 6, 7)
    before = len(await sent(world))
    restore = await saved()
    await restore(local(7, 28, 9))
    for person in (mai, dai):
        person.heard.clear()
    await through_the_day(world, 9, 15, 16)
    assert len(await sent(world)) == before
    assert dai.keys == ["announcing.held_notice"] and mai.keys == []  # she may not steer what is on its way
    await dai.taps("Gửi tiếp")
    await through_the_day(world, 17)
    assert len(await sent(world)) > before


async def test_other_words_whose_second_look_may_be_lost_are_shown_again_as_they_are(
    world: World, saved: Callable[[], Awaitable[Restores]]
) -> None:
    mai, dai = await the_day_before(world)
    await rewritten(world, mai)
    restore = await saved()
    await dai.taps("Không gửi")
    await restore(local(7, 27, 15))
    dai.heard.clear()
    await looks(world)
    assert dai.keys == ["automatic.asked"] and HELD in dai.last.text and "Cảm ơn anh/chị" in dai.last.text
    await through_the_day(world, 7)
    assert await sent(world) == []
    await mai.taps("Gửi")
    assert mai.last.key == "automatic.own"
    await dai.taps("Gửi")
    await through_the_day(world, 12)
    assert await sent(world) != [] and all("Cảm ơn anh/chị" in text for text in await sent(world))


async def test_a_rounds_question_that_was_stopped_is_held_for_as_long_as_the_round_lasts(
    world: World, saved: Callable[[], Awaitable[Restores]]
) -> None:
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    hoa = await world.joined("Bùi Thị Hoa")
    await registered(world, hoa, local(8, 1, 9))
    world.now = local(12, 19, 9)
    await looks(world)
    restore = await saved()
    await mai.taps("Không gửi")
    await restore(local(12, 22, 9))
    hoa.heard.clear()
    mai.heard.clear()
    for day in (22, 23):
        for hour in (10, 12, 18):
            world.now = local(12, day, hour)
            await looks(world)
    assert hoa.keys == [] and mai.keys == ["automatic.asked"] and HELD in mai.last.text
    await mai.taps("Gửi")
    assert "đã cho gửi" in mai.last.text
    mai.heard.clear()
    world.now = local(12, 24, 12)
    await looks(world)
    assert mai.keys == []


async def test_an_announcement_for_later_that_may_have_been_stopped_waits_for_its_author(
    world: World, saved: Callable[[], Awaitable[Restores]]
) -> None:
    ha: TestPerson = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Họp lúc 17 giờ.", when="Hẹn giờ")
    await ha.says("17 giờ 30/7/2025")
    await ha.taps("Xác nhận")
    restore = await saved()
    await ha.taps("Xem, dừng tin")
    await ha.taps("Dừng hẳn")
    await ha.taps("Dừng hẳn")
    await restore(world.now + timedelta(hours=2))
    ha.heard.clear()
    for day in (28, 30, 31):
        world.now = local(7, day, 17, 30)
        await looks(world)
    async with world.database.read() as session:
        found = (await session.execute(select(Broadcast.state).where(Broadcast.author_id.is_not(None)))).scalars().all()
    assert found == [BroadcastState.HELD]
    assert ha.keys == ["announcing.held_notice"] and "hoặc đã được dừng" in ha.last.text


# ------------------------------------------------------------------------------------------------ nobody is there


async def unanswered(world: World) -> bool:
    async with world.database.read() as session:
        return (await figures.waiting(session, [], world.now)).unanswered


async def test_where_nobody_answers_for_content_whoever_comes_is_asked_about_what_is_held(
    world: World, saved: Callable[[], Awaitable[Restores]]
) -> None:
    assert not await unanswered(world), "a house that is not in use"
    await world.joined("Quản Trị", unit="TINH", role=Role.SYSTEM_ADMIN)
    await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    assert await unanswered(world), "neither may decide for the whole house"
    world.now = local(7, 27, 9)
    await looks(world)
    restore = await saved()
    await restore(local(7, 27, 15))
    await through_the_day(world, 6, 7)
    assert await sent(world) == [] and await unanswered(world)
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    assert not await unanswered(world)
    await looks(world)
    assert mai.keys == ["automatic.asked"] and HELD in mai.last.text
    await mai.taps("Gửi")
    await through_the_day(world, 12)
    assert await sent(world) != []


async def test_where_nothing_goes_without_a_yes_whoever_comes_is_asked_for_it(world: World) -> None:
    await world.joined("Quản Trị", unit="TINH", role=Role.SYSTEM_ADMIN)
    for hour in (9, 11):
        world.now = local(7, 27, hour)
        await looks(world, "hold")
    dai = await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)
    await looks(world, "hold")
    await looks(world, "hold")
    assert dai.keys == ["automatic.asked"]


async def test_what_is_held_under_way_and_nobody_may_steer_is_said_to_be_unanswered(
    world: World, saved: Callable[[], Awaitable[Restores]]
) -> None:
    await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    await world.joined("Trần Văn Nam", shift="night")
    await through_the_day(world, 6, 7)
    assert not await unanswered(world)
    restore = await saved()
    await restore(local(7, 28, 9))
    assert await unanswered(world)
    dai = await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)
    assert not await unanswered(world)
    await looks(world)
    assert "announcing.held_notice" in dai.keys


async def test_a_round_that_waits_for_an_officer_nobody_is_there_to_be_is_said_to_be_unanswered(
    world: World, saved: Callable[[], Awaitable[Restores]]
) -> None:
    await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)
    world.now = OPENS + timedelta(hours=1)
    await week(world)
    await downtime.run(work_of(world))
    restore = await saved()
    assert not await unanswered(world)
    await restore(world.now + timedelta(hours=5))
    assert await unanswered(world)
    await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    assert not await unanswered(world)
