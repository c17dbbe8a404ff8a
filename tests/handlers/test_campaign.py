"""The campaign as each group reads it, and registering in four taps."""

from __future__ import annotations

from sqlalchemy import select

from db.models import Audience, Registration
from tests.people import World


async def test_the_home_shows_theme_round_and_what_is_left(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("thi dua")
    assert hoa.last.key == "campaign.home"
    assert (
        "Tập trung phát triển đoàn viên" in hoa.last.text
        and "Đợt 2: 01/7/2025 – 31/12/2025 (còn 159 ngày)" in hoa.last.text
    )


async def test_each_group_gets_its_own_content_and_may_read_the_others(world: World) -> None:
    for name, audience, words in (
        ("Một", Audience.OFFICER, "mắt trông"), ("Hai", Audience.ENTERPRISE, "tay nghề"), ("Ba", Audience.PUBLIC, "thủ tục hành chính"),
    ):  # fmt: skip
        person = await world.joined(name, audience=audience)
        await person.says("thi dua")
        await person.taps("Nội dung cho tôi")
        assert words in person.last.text
        await person.taps("Đọc đủ")
        assert "Trang 1/" in person.last.text
        await person.says("lui")
        await person.taps("Nhóm khác")
        await person.taps("Các cấp công đoàn")
        assert "CÁC CẤP CÔNG ĐOÀN" in person.last.text


async def test_registering_takes_a_few_taps_and_can_be_changed(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("thi dua")
    await hoa.taps("Đăng ký thi đua")
    await hoa.taps("Xong")
    assert hoa.last.key == "campaign.movements_none"
    await hoa.says("1,3")
    await hoa.taps("Xong")
    await hoa.says("1")
    await hoa.taps("Tự ghi việc khác")
    await hoa.says("Dạy")
    assert hoa.last.key == "campaign.own_length"
    await hoa.says("Dạy nghề cho hai bạn mới vào chuyền")
    await hoa.taps("Xong")
    assert hoa.last.key == "campaign.preview" and "Dạy nghề cho hai bạn" in hoa.last.text
    await hoa.taps("Gửi đăng ký")
    assert "TD-25-0001" in hoa.last.text
    await hoa.says("thi dua")
    assert "đã đăng ký 2 phong trào" in hoa.last.text
    await hoa.taps("Đăng ký của tôi")
    assert "Lao động giỏi, lao động sáng tạo" in hoa.last.text
    await hoa.presses("c:ketqua:TD-25-0001.done")
    async with world.database.read() as session:
        row = (await session.execute(select(Registration))).scalar_one()
    assert (row.outcome, row.year, row.round, len(row.goals)) == ("done", 2025, 2, 2)


async def test_without_joining_one_may_read_but_not_register(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("xin chao")
    await hoa.taps("Xem thử trước")
    await hoa.taps("Thi đua")
    assert hoa.last.key == "campaign.home" and not any(c.key == "register" for c in hoa.last.choices)
    await hoa.says("/ngayle")
    assert "28/7/2025: 96 năm" in hoa.last.text
