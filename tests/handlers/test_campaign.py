"""The campaign as each group reads it, one's own registrations, and what people say became of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from content.campaigns import Campaign
from db import campaigns
from db.models import Audience, Person, Registration
from tests.people import TestPerson, World


def keys(person: TestPerson) -> list[str]:
    return [choice.key or choice.command for choice in person.last.choices]


def local(year: int, month: int, day: int, hour: int = 9) -> datetime:
    return datetime(year, month, day, hour - 7, tzinfo=UTC)


async def registered(world: World, person: TestPerson, number: int = 2, **values: object) -> Registration:
    """A registration as it stands in the database."""
    async with world.database.write() as session:
        me = await session.get_one(Person, await person.id())
        row = await campaigns.register(session, me, 2025, number, [0, 5], ["Kèm cặp 01 đồng nghiệp mới"], world.now)
        for name, value in values.items():
            setattr(row, name, value)
        return row


async def test_the_home_shows_theme_round_and_what_is_left(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("thi dua")
    assert hoa.last.key == "campaign.home" and len(hoa.last.text) <= 600
    assert "Tập trung phát triển đoàn viên; tham gia xây dựng Đảng trong sạch, vững mạnh" in hoa.last.text
    assert "Đợt 2: 01/7/2025 – 31/12/2025 (còn 159 ngày)" in hoa.last.text
    assert "chưa đăng ký" in hoa.last.text and "duyệt" not in hoa.last.text
    assert keys(hoa) == ["mine", "list", "dangky", "plan", "menu"]


@pytest.mark.parametrize(
    ("moment", "words", "offered"),
    [
        (local(2025, 6, 29), "Đợt 1: 01/01/2025 – 30/6/2025 (còn 1 ngày)", True),
        (local(2025, 6, 30, 23), "Đợt 1: 01/01/2025 – 30/6/2025 (còn 0 ngày – hết hôm nay)", True),
        (local(2025, 7, 1, 7), "Đợt 2: 01/7/2025 – 31/12/2025 (còn 183 ngày)", True),
        (local(2025, 12, 31), "Đợt 2: 01/7/2025 – 31/12/2025 (còn 0 ngày – hết hôm nay)", True),
        (local(2026, 1, 1), "Đợt 1: 01/01/2026 – 30/6/2026 (còn 180 ngày)", True),
        (local(2027, 1, 1), "Đợt 2: 01/7/2026 – 31/12/2026 (đã kết thúc, đang sơ kết)", False),
    ],
)
async def test_the_countdown_includes_the_last_day_and_then_says_that_it_is_over(
    world: World, moment: datetime, words: str, offered: bool
) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    world.now = moment
    await hoa.says("thi dua")
    assert words in hoa.last.text and ("dangky" in keys(hoa)) == offered


async def test_a_campaign_that_nobody_has_released_says_so(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    world.now = local(2026, 7, 25)
    await hoa.says("thi dua")
    assert "đang chờ Liên đoàn duyệt" in hoa.last.text and len(hoa.last.text) <= 600


@pytest.mark.parametrize(
    ("group", "words"),
    [
        (Audience.OFFICER, "mắt trông"), (Audience.ENTERPRISE, "tay nghề"), (Audience.PUBLIC, "thủ tục hành chính"),
        (Audience.NONMEMBER, "mở cho mọi người lao động"),
    ],
)  # fmt: skip
async def test_each_group_gets_its_own_content_and_may_read_the_others(
    world: World, group: Audience, words: str
) -> None:
    person = await world.joined("Hoa", audience=group)
    await person.says("thi dua")
    await person.taps("Nội dung cho tôi")
    assert words in person.last.text and len(person.last.text) <= 600
    if group != Audience.NONMEMBER:
        await person.taps("Đọc đủ")
        assert "Trang 1/" in person.last.text
        await person.says("lui")
    await person.taps("Nhóm khác")
    await person.taps("Các cấp công đoàn")
    assert "CÁC CẤP CÔNG ĐOÀN" in person.last.text


async def test_the_whole_plan_can_be_read_page_by_page(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("thi dua")
    await hoa.taps("Toàn văn kế hoạch")
    read = [hoa.last.text]
    while "more" in keys(hoa):
        await hoa.says("1")
        read.append(hoa.last.text)
    assert len(read) == 19 and read[-1].endswith("Trang 19/19")
    assert "<b>KẾ HOẠCH</b>" in read[0] and "&lt;" not in "".join(read)
    assert all(len(page) <= 950 for page in read)
    await hoa.says("lui")
    assert hoa.last.text == read[-2]
    await hoa.taps("Thi đua")
    assert hoa.last.key == "campaign.home"


async def test_the_movements_are_listed_for_ones_group_a_few_at_a_time(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("thi dua")
    await hoa.taps("Các phong trào")
    seen = ""
    for _ in range(3):
        assert hoa.last.key == "campaign.list" and len(hoa.last.text) <= 600
        seen += hoa.last.text
        await hoa.taps("Phong trào khác")
    assert '"Lao động giỏi, lao động sáng tạo" – Tổng Liên đoàn phát động' in seen
    assert '"Giỏi việc nước, đảm việc nhà" (nữ)' in seen and "Năng suất - Chất lượng - Hiệu quả" in seen
    assert "Tham mưu giỏi" not in seen
    await hoa.taps("Nhóm khác")
    assert "levels" not in keys(hoa)
    await hoa.taps("CB, công chức, VC")
    assert hoa.last.key == "campaign.list" and "Tham mưu giỏi, phục vụ tốt" in hoa.last.text
    assert "Năng suất" not in hoa.last.text


async def test_without_joining_one_may_read_and_registering_leads_to_joining(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("xin chao")
    await hoa.taps("Xem thử trước")
    await hoa.taps("Thi đua")
    assert hoa.last.key == "campaign.home" and "đăng ký" not in hoa.last.text
    await hoa.taps("Nội dung cho tôi")
    assert hoa.last.key == "campaign.other"
    await hoa.taps("NLĐ doanh nghiệp")
    assert "tay nghề" in hoa.last.text
    await hoa.says("dang ky thi dua")
    assert hoa.last.key == "onboarding.consent"


async def test_my_registration_shows_every_round_of_the_year(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await registered(world, hoa, 1, outcome="done", outcome_text="Vượt định mức 5%")
    await hoa.says("thi dua")
    assert "chưa đăng ký" in hoa.last.text  # for the round that runs
    await registered(world, hoa, 2)
    await hoa.says("thi dua")
    assert "đã đăng ký 2 phong trào" in hoa.last.text
    await hoa.taps("Đăng ký của tôi")
    assert hoa.last.key == "campaign.registration" and len(hoa.last.text) <= 600
    first, second = hoa.last.text.index("Đợt 2"), hoa.last.text.index("Đợt 1")
    assert first < second and "đã đạt (Vượt định mức 5%)" in hoa.last.text[second:]
    assert '"Lao động giỏi, lao động sáng tạo"; "Văn hóa, thể thao"' in hoa.last.text.replace("&#34;", '"')


@pytest.mark.parametrize("outcome", ["done", "doing", "notyet"])
async def test_the_outcome_is_kept_at_once_and_one_line_may_be_added(world: World, outcome: str) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    row = await registered(world, hoa)
    await hoa.presses(f"c:ketqua:{row.code}.{outcome}")
    assert hoa.last.key == f"campaign.thanks_{outcome}"
    assert await outcome_of(world) == (outcome, "")
    await hoa.says("Ừ")
    assert hoa.last.key == "campaign.outcome_length"
    await hoa.says("Đã kèm xong bạn Lan, tháng 8 thêm một bạn")
    assert hoa.last.key == "campaign.outcome_added"
    assert await outcome_of(world) == (outcome, "Đã kèm xong bạn Lan, tháng 8 thêm một bạn")


async def test_the_line_about_the_outcome_can_be_left_out_and_the_answer_changed(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    row = await registered(world, hoa)
    await hoa.presses(f"c:ketqua:{row.code}.notyet")
    await hoa.says("bo qua")
    assert hoa.last.key == "campaign.outcome_kept" and await outcome_of(world) == ("notyet", "")
    await hoa.presses(f"c:ketqua:{row.code}.done")
    assert await outcome_of(world) == ("done", "")


async def test_nobody_answers_for_somebody_else_or_makes_up_an_outcome(world: World) -> None:
    hoa, lan = await world.joined("Bùi Thị Hoa"), await world.joined("Đỗ Thị Lan")
    row = await registered(world, hoa)
    await lan.presses(f"c:ketqua:{row.code}.done")
    assert lan.last.key == "common.not_found"
    await hoa.presses(f"c:ketqua:{row.code}.best")
    assert hoa.last.key == "common.unknown"
    await hoa.presses("c:ketqua:TD-25-0099.done")
    assert hoa.last.key == "common.not_found"
    assert await outcome_of(world) == ("", "")


async def outcome_of(world: World) -> tuple[str, str]:
    async with world.database.read() as session:
        row = (await session.execute(select(Registration))).scalar_one()
        return row.outcome, row.outcome_text


async def test_before_any_plan_there_is_a_kind_word(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    world.now = local(2024, 7, 25)
    await hoa.says("thi dua")
    assert hoa.last.key == "campaign.none"


def test_the_round_that_is_shown_is_the_newest_that_has_begun() -> None:
    campaign: Campaign = next(c for c in spoken_campaigns() if c.year == 2025)
    assert [campaign.last_begun(day) for day in (local(2025, m, 1).date() for m in (1, 6, 7, 12))] == [1, 1, 2, 2]
    assert campaign.last_begun(local(2024, 12, 31).date()) == 1


def spoken_campaigns() -> tuple[Campaign, ...]:
    from tests.people import spoken

    return spoken()[1].campaigns
