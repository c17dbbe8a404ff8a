"""The officer on duty sees tomorrow's automatic messages the day before: lets them go, rewrites or stops them, at most once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from content.message import from_json
from db import broadcasts as rows
from db.models import (
    AuditRow,
    AutomaticMessage,
    AutomaticState,
    Body,
    Broadcast,
    BroadcastState,
    OutboxRow,
    OutState,
    Role,
)
from scheduler import jobs
from tests.people import TestPerson, World, work_of
from tests.scheduler.test_anniversaries import local, looks, registered

DAY = "kn:2807:2025:t0"


async def the_day_before(world: World, silence: str = "send") -> tuple[TestPerson, TestPerson]:
    """A content officer and a leader who were asked about the message of 28/7, and a worker."""
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    dai = await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)
    await world.joined("Bùi Thị Hoa")
    world.now = local(7, 27, 9)
    await looks(world, silence)
    return mai, dai


async def sent(world: World, key: str = DAY) -> list[str]:
    """The words that have left of a message, one for each reader."""
    async with world.database.read() as session:
        found = await session.execute(
            select(OutboxRow.payload, Body.payload)
            .outerjoin(Body, Body.id == OutboxRow.body_id)
            .join(Broadcast, Broadcast.id == OutboxRow.broadcast_id)
            .where(Broadcast.key == key, OutboxRow.state == OutState.SENT)
        )
        return [from_json(own or shared).text for own, shared in found]


async def state(world: World) -> AutomaticState:
    async with world.database.read() as session:
        return (await session.execute(select(AutomaticMessage.state).where(AutomaticMessage.key == DAY))).scalar_one()


async def audited(world: World) -> list[str]:
    async with world.database.read() as session:
        query = select(AuditRow.action).where(AuditRow.action.like("%_automatic")).order_by(AuditRow.id)
        return list((await session.execute(query)).scalars())


# ---------------------------------------------------------------------------------------------------- asked


async def test_the_day_before_those_who_answer_for_it_see_it_once_with_its_card_and_three_buttons(world: World) -> None:
    mai, dai = await the_day_before(world)
    hoa = world.people["Bùi Thị Hoa"]
    for hours in (0, 1, 5, 11):
        world.now = local(7, 27, 9) + timedelta(hours=hours)
        await looks(world)
    for person in (mai, dai):
        assert [key for key in person.keys if key == "automatic.asked"] == ["automatic.asked"]
        asked = person.last
        assert "28/7/2025 (ngày mai)" in asked.text and "96 năm Ngày thành lập Công đoàn Việt Nam" in asked.text
        assert "Đã soát: Vũ Ngọc Mai" in asked.text and "Không ai bấm thì tin vẫn gửi đúng giờ" in asked.text
        assert asked.labels == ["✅ Gửi", "✏️ Sửa", "❌ Không gửi", "📅 Lịch nội dung"]
        assert [media.kind for media in asked.message.media] == ["photo"]
        assert (world.house.files / asked.message.media[0].file).exists()
    assert hoa.keys == []


async def test_nobody_is_asked_at_night_nor_about_what_is_not_released(world: World) -> None:
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    for hour in (0, 5, 7, 20, 23):
        world.now = local(7, 27, hour)
        await looks(world)
    world.now = local(7, 27, 9, year=2026)  # nobody has released that year
    await looks(world)
    assert "automatic.asked" not in mai.keys


async def test_respectful_mode_asks_about_nothing(world: World) -> None:
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    dai = await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)
    world.now = local(7, 27, 8)
    async with world.database.write() as session:
        await rows.set_respectful(session, await dai.id(), True, world.now)
    world.now = local(7, 27, 9)
    await looks(world)
    assert mai.keys == []


async def test_before_a_round_ends_its_question_is_shown_too_and_can_be_stopped(world: World) -> None:
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    hoa = await world.joined("Bùi Thị Hoa")
    await registered(world, hoa, local(8, 1, 9))
    world.now = local(12, 19, 9)
    await looks(world)
    assert mai.last.labels == ["✅ Gửi", "❌ Không gửi", "📅 Lịch nội dung"]
    assert "gửi người đã đăng ký thi đua" in mai.last.text and "Đợt 2 còn 11 ngày" in mai.last.text
    await mai.taps("Không gửi")
    world.now = local(12, 20, 12)
    await looks(world)
    assert hoa.keys == []
    await mai.taps("Gửi")
    await looks(world)
    await looks(world)
    assert hoa.keys == ["campaign.check"]


# ---------------------------------------------------------------------------------------------------- silence


async def test_silence_means_what_the_setting_says(world: World) -> None:
    await the_day_before(world)
    for hour in (6, 7, 8, 12):
        world.now = local(7, 28, hour, 45)
        await looks(world)
    assert len(await sent(world)) == 3


async def test_where_silence_holds_nothing_goes_until_somebody_presses_on_the_day_too(world: World) -> None:
    mai, _ = await the_day_before(world, "hold")
    assert "Không ai bấm Gửi thì tin không gửi" in mai.last.text
    for hour in (7, 12):
        world.now = local(7, 28, hour)
        await looks(world, "hold")
    assert await sent(world) == []
    await mai.taps("Gửi")
    assert mai.last.key == "automatic.asked" and "Vũ Ngọc Mai đã cho gửi" in mai.last.text
    for _ in range(3):
        await looks(world, "hold")
    assert len(await sent(world)) == 3 and await audited(world) == ["release_automatic"]
    await mai.taps("Không gửi")
    assert "đã bắt đầu gửi" in mai.last.text and await state(world) == AutomaticState.RELEASED


async def test_where_silence_holds_and_nothing_ran_the_day_before_it_is_asked_in_the_morning(world: World) -> None:
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    world.now = local(7, 28, 9)
    await looks(world, "hold")
    assert mai.keys == ["automatic.asked"] and "(ngày mai)" not in mai.last.text
    world.now = local(7, 29, 9)
    await looks(world, "hold")
    assert await sent(world) == [] and mai.keys == ["automatic.asked"]  # not sent, and not "missed": it was held
    await mai.taps("Gửi")
    assert mai.last.key == "automatic.over"


# ---------------------------------------------------------------------------------------------------- stopped, rewritten


@pytest.mark.parametrize("silence", ["send", "hold"])
async def test_what_an_officer_stops_does_not_go(world: World, silence: str) -> None:
    mai, dai = await the_day_before(world, silence)
    await mai.taps("Không gửi")
    assert "Vũ Ngọc Mai đã bấm không gửi" in mai.last.text
    await dai.taps("Gửi")  # an older screen: he hears who was first, and what he may still do
    assert mai.last.choices[0].label == "✅ Gửi" and "Đã có người quyết trước" in dai.last.text
    for hour in (7, 12):
        world.now = local(7, 28, hour)
        await looks(world, silence)
    assert await sent(world) == [] and await audited(world) == ["stop_automatic"]
    async with world.database.read() as session:
        kept = (await session.execute(select(Broadcast.key, Broadcast.state))).all()
    assert [tuple(row) for row in kept] == [(DAY, BroadcastState.CANCELLED)]


async def test_a_stop_can_be_taken_back_before_the_hour(world: World) -> None:
    mai, dai = await the_day_before(world)
    await mai.taps("Không gửi")
    await dai.taps("Gửi")
    await dai.taps("Gửi")  # of the screen that said who was first
    assert await state(world) == AutomaticState.RELEASED
    world.now = local(7, 28, 7)
    await looks(world)
    assert len(await sent(world)) == 3 and await audited(world) == ["stop_automatic", "release_automatic"]


WORDS = "Hôm nay 28/7/2025, kỷ niệm 96 năm Ngày thành lập Công đoàn Việt Nam. Cảm ơn anh/chị."


async def rewritten(world: World, officer: TestPerson, text: str = WORDS) -> None:
    await officer.taps("Sửa")
    await officer.says(text)
    assert officer.last.key == "automatic.edit_preview", officer.last.text
    await officer.taps("Xong, nhờ duyệt")


async def test_whoever_rewrites_it_reads_their_own_name_where_each_reader_will(world: World) -> None:
    mai, _ = await the_day_before(world)
    await mai.taps("Sửa")
    await mai.says("Kính chúc {Tên} và gia đình mạnh khỏe, hạnh phúc.")
    assert f"Kính chúc {mai.name} và gia đình" in mai.last.text


async def test_other_words_that_come_too_late_are_shown_back(world: World) -> None:
    mai, dai = await the_day_before(world)
    await mai.taps("Sửa")
    await mai.says(WORDS)
    await dai.taps("Không gửi")
    await mai.taps("Xong, nhờ duyệt")
    assert mai.heard[-2].key == "automatic.not_written" and WORDS in mai.heard[-2].text
    assert "Đã có người quyết trước" in mai.last.text and await state(world) == AutomaticState.STOPPED


async def test_other_words_go_once_a_second_person_lets_them(world: World) -> None:
    mai, dai = await the_day_before(world)
    await rewritten(world, mai)
    await looks(world)
    assert "đã sửa nội dung" in dai.last.text and WORDS in dai.last.text
    await dai.taps("Gửi")
    world.now = local(7, 28, 7)
    await looks(world)
    texts = await sent(world)
    assert len(texts) == 3 and all(WORDS in text for text in texts)
    assert await audited(world) == ["edit_automatic", "release_automatic"]


@pytest.mark.parametrize("silence", ["send", "hold"])
async def test_other_words_that_nobody_let_go_are_not_sent_nor_are_the_former_ones(world: World, silence: str) -> None:
    mai, _ = await the_day_before(world, silence)
    await rewritten(world, mai)
    await mai.presses("c:guitudong:1.2")  # nobody lets go what they wrote themselves
    assert await state(world) == AutomaticState.EDITED and mai.last.key == "automatic.own"
    await mai.presses("c:dungtudong:1.2")
    await mai.presses("c:guitudong:1.3")  # not by a way round either
    assert await state(world) == AutomaticState.STOPPED
    for hour in (7, 12):
        world.now = local(7, 28, hour)
        await looks(world, silence)
    assert await sent(world) == []


async def test_not_even_a_leader_lets_go_what_they_wrote_themselves(world: World) -> None:
    mai, dai = await the_day_before(world)
    await rewritten(world, dai)
    await dai.presses("c:guitudong:1.2")
    assert dai.last.key == "automatic.own" and await state(world) == AutomaticState.EDITED
    await mai.presses("c:guitudong:1.2")  # she may decide, but not approve
    assert mai.last.key == "common.refused" and await state(world) == AutomaticState.EDITED


async def test_the_line_of_one_group_stays_with_other_words(world: World) -> None:
    """30/8/2025 has a line of law for workers of enterprises."""
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    dai = await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)
    await world.joined("Bùi Thị Hoa")
    world.now = local(8, 29, 9)
    await looks(world)
    await rewritten(world, mai, "Sắp đến Quốc khánh 02/9. Mời anh/chị treo cờ Tổ quốc tại nhà.")
    await looks(world)
    assert "300% tiền lương" in dai.last.text
    await dai.taps("Gửi")
    world.now = local(8, 30, 17)
    await looks(world)
    texts = await sent(world, "kn:0209:2025:t3")
    assert any("treo cờ Tổ quốc tại nhà.\nLàm thêm giờ ngày lễ được trả ít nhất 300%" in text for text in texts)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Chúc mừng", "automatic.edit_length"),
        ("Chúc mừng anh/chị. " * 20, "automatic.edit_length"),
        ("Chúc mừng\nanh/chị\nvà\ngia\nđình\nnhân ngày lễ", "automatic.edit_length"),
        ("Chúc mừng anh/chị nhân ngày 28/7 🎉", "automatic.edit_picture"),
    ],
)
async def test_other_words_keep_the_rules_of_a_national_day(world: World, text: str, key: str) -> None:
    mai, _ = await the_day_before(world)
    await mai.taps("Sửa")
    await mai.says(text)
    assert mai.heard[-2].key == key or mai.last.key == key


async def test_a_wrong_number_of_years_is_pointed_out_before_it_is_saved(world: World) -> None:
    mai, _ = await the_day_before(world)
    await mai.taps("Sửa")
    await mai.says(WORDS.replace("96", "97"))
    assert "97" in mai.last.text and "96" in mai.last.text and "⚠️" in mai.last.text


async def test_who_lost_the_role_decides_nothing(world: World) -> None:
    mai, _ = await the_day_before(world)
    hoa = await world.joined("Lê Văn Tò")
    await hoa.presses("c:guitudong:1.1")
    await hoa.presses("c:suatudong:1.1")
    await hoa.presses("c:dungtudong:1.1")
    assert hoa.keys == ["common.refused"] * 3 and await state(world) == AutomaticState.ASKED
    await mai.presses("c:guitudong:999.1")
    assert mai.last.key == "common.not_found"
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(AutomaticMessage))).scalar_one() == 1


# ---------------------------------------------------------------------------------------------------- the calendar


async def test_the_calendar_is_twelve_months_of_what_goes_out_by_itself(world: World) -> None:
    mai, _ = await the_day_before(world)
    await mai.says("/lich")
    assert mai.last.key == "automatic.list" and "28/7/2025: 96 năm Ngày thành lập" in mai.last.text
    assert "đã duyệt" in mai.last.text and "chờ soát, duyệt" not in mai.last.text.splitlines()[1]
    pages = 0
    seen: list[str] = []
    while not any("28/7/2026" in line for line in seen) and pages < 10:
        seen += [line for line in mai.last.text.splitlines() if line[:1].isdigit()]
        await mai.taps("Thêm")
        pages += 1
    assert len(seen) >= 25 and any("Tết Nguyên đán" in line for line in seen)
    await mai.says("/lich")
    await mai.says("2")
    assert mai.last.key == "automatic.item" and "Ảnh kèm: có" in mai.last.text
    assert "đã duyệt: Đinh Quang Đại" in mai.last.text and "7 giờ" in mai.last.text


async def test_the_calendar_says_how_far_a_message_is_that_goes_out(world: World) -> None:
    mai, _ = await the_day_before(world)

    async def line() -> str:
        await mai.says("/lich")
        return next(line for line in mai.last.text.splitlines() if "96 năm" in line)

    assert "đã duyệt" in await line()
    world.now = local(7, 28, 7)
    await looks(world)
    assert len(await sent(world)) == 3
    async with world.database.write() as session:
        row = (await session.execute(select(Broadcast).where(Broadcast.key == DAY))).scalar_one()
        row.state = BroadcastState.SENDING
    assert "đang gửi" in await line() and "đã duyệt" not in await line()
    await mai.says("1")
    assert mai.last.key == "automatic.item" and "Tình trạng: đang gửi" in mai.last.text
    for state_now, said in ((BroadcastState.DONE, "đã xong"), (BroadcastState.PAUSED, "tạm dừng")):
        async with world.database.write() as session:
            await session.execute(update(Broadcast).where(Broadcast.key == DAY).values(state=state_now))
        assert said in await line()


async def test_where_silence_sends_nothing_the_calendar_says_that_somebody_must_press(world: World) -> None:
    mai, _ = await the_day_before(world, "hold")
    world.house = replace(world.house, silence="hold")
    await mai.says("/lich")
    line = next(line for line in mai.last.text.splitlines() if "96 năm" in line)
    assert "chờ bấm Gửi" in line
    await mai.presses("c:guitudong:1.1")
    await mai.says("/lich")
    assert "chờ bấm Gửi" not in mai.last.text


async def test_a_card_and_a_month_come_as_pictures(world: World) -> None:
    mai, _ = await the_day_before(world)
    await mai.says("/lich")
    await mai.taps("Ảnh tháng 7")
    await mai.says("2")
    for _ in range(2):  # who presses again while it is being drawn is answered again, and gets it once
        heard = len(mai.heard)
        await mai.taps("Xem ảnh")
        assert [each.key for each in mai.heard[heard:]] == ["automatic.drawing"]
    await jobs.run(work_of(world))
    await world.deliver()
    months, card = [each for each in mai.heard if each.key == "automatic.picture"]
    assert (months.text, card.text) == (
        "Lịch nội dung tháng 7/2025", "96 năm Ngày thành lập Công đoàn Việt Nam, 28/7/2025",
    )  # fmt: skip
    for each in (months, card):
        assert (world.house.files / each.message.media[0].file).read_bytes().startswith(b"\x89PNG")


async def test_the_calendar_is_for_those_who_answer_for_it(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/lich")
    assert hoa.last.key == "common.refused"


async def test_the_officers_home_says_what_waits(world: World) -> None:
    mai, _ = await the_day_before(world)
    await mai.says("/canbo")
    assert "1 tin tự động" in mai.last.text
    await mai.presses("c:guitudong:1.1")
    await mai.says("/canbo")
    assert "tin tự động" not in mai.last.text
