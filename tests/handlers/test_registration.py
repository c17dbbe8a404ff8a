"""Registering for emulation: a few taps, own words, a look at the whole; nothing chosen or typed is lost on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from content.packs import Packs
from db.models import Audience, Draft, Registration
from tests.handlers.test_campaign import keys, local
from tests.people import TestPerson, World


async def rows(world: World) -> list[Registration]:
    async with world.database.read() as session:
        return list((await session.execute(select(Registration).order_by(Registration.id))).scalars())


async def begins(world: World, name: str = "Bùi Thị Hoa") -> TestPerson:
    hoa = await world.joined(name)
    await hoa.says("thi dua")
    await hoa.taps("Đăng ký thi đua")
    assert hoa.last.key == "registration.movements"
    return hoa


async def test_registering_takes_a_few_taps(world: World) -> None:
    hoa = await begins(world)
    await hoa.taps("1")
    await hoa.taps("done")
    await hoa.taps("2")
    await hoa.taps("done")
    assert hoa.last.key == "registration.preview" and len(hoa.last.text) <= 600
    for words in ("Bùi Thị Hoa", "May Hòa Phát", "Lao động giỏi, lao động sáng tạo", "vượt định mức", "31/12/2025"):
        assert words in hoa.last.text
    await hoa.taps("Gửi đăng ký")
    assert hoa.last.key == "registration.received" and "TD-25-0001" in hoa.last.text
    (row,) = await rows(world)
    assert (row.year, row.round, row.movements, row.goals) == (2025, 2, [0], ["Hoàn thành và vượt định mức được giao"])


async def test_everything_can_be_typed_as_numbers_and_words(world: World) -> None:
    hoa = await begins(world)
    await hoa.says("xong")
    assert hoa.last.key == "registration.movements_none"
    await hoa.says("1, 3")
    await hoa.says("7")  # more
    await hoa.says("1")
    await hoa.says("xong")
    await hoa.says("1,2,3,4")
    await hoa.says("xong")
    assert hoa.last.key == "registration.goals_count" and "4" in hoa.last.text
    await hoa.says("4")
    await hoa.says("7")
    assert hoa.last.key == "registration.preview"
    await hoa.says("1")
    (row,) = await rows(world)
    assert row.movements == [0, 4, 7] and len(row.goals) == 3


async def test_a_line_is_chosen_by_what_it_says_too(world: World) -> None:
    hoa = await begins(world)
    for text in ("van hoa the thao", "lao dong gioi", "xong", "kèm cặp 01 đồng nghiệp mới", "tu ghi viec khac"):
        await hoa.says(text)
    assert hoa.last.key == "registration.own"
    await hoa.says("trồng thêm cây ở sân")
    await hoa.says("xong")
    await hoa.says("1")
    (row,) = await rows(world)
    assert len(row.movements) == 2 and row.goals == ["Kèm cặp 01 đồng nghiệp mới", "trồng thêm cây ở sân"]


async def test_a_choice_is_taken_back_by_choosing_it_again(world: World) -> None:
    hoa = await begins(world)
    await hoa.says("2")
    assert "2. ✅ Giỏi việc nước" in hoa.last.text and "✅ Xong (1)" in hoa.last.labels
    await hoa.says("2")
    assert "✅ Giỏi" not in hoa.last.text and "✅ Xong (0)" in hoa.last.labels


async def test_only_movements_open_to_ones_group_are_offered(world: World) -> None:
    lan = await world.joined("Đỗ Thị Lan", audience=Audience.PUBLIC)
    await lan.says("dang ky")
    seen = lan.last.text
    await lan.taps("Phong trào khác")
    assert len(keys(lan)) <= 7
    seen += lan.last.text
    assert "Tham mưu giỏi, phục vụ tốt" in seen and "Năng suất" not in seen
    assert "Đổi mới, sáng tạo, hiệu quả trong hoạt động" not in seen


@pytest.mark.parametrize(
    ("text", "ok"), [("Dạy nghề", False), ("Dạy nghề bạn", True), ("x" * 200, True), ("x" * 201, False), ("a" * 9, False)]
)  # fmt: skip
async def test_a_goal_in_own_words_has_ten_to_two_hundred_letters(world: World, text: str, ok: bool) -> None:
    hoa = await begins(world)
    await hoa.says("1,6")
    await hoa.says("6")
    assert hoa.last.key == "registration.own" and keys(hoa) == ["_back"]
    await hoa.says(text)
    assert hoa.last.key == ("registration.goals" if ok else "registration.own_length")
    assert (text in hoa.last.text) == ok


async def test_own_words_can_be_changed_kept_and_taken_out(world: World) -> None:
    hoa = await begins(world)
    await hoa.says("1")
    await hoa.taps("done")
    await hoa.says("1,6")  # a number and the own words at once
    await hoa.says("Dạy nghề cho hai bạn mới")
    assert "6. ✅ Dạy nghề cho hai bạn mới" in hoa.last.text and len(keys(hoa)) == 7
    await hoa.says("6")
    assert "Dạy nghề cho hai bạn mới" in hoa.last.text
    await hoa.says("giu")
    assert "6. ✅ Dạy nghề cho hai bạn mới" in hoa.last.text
    await hoa.says("6")
    await hoa.says("Dạy nghề cho ba bạn mới")
    assert "hai bạn" not in hoa.last.text and "ba bạn" in hoa.last.text
    await hoa.says("6")
    await hoa.taps("Bỏ việc này")
    assert "6. Tự ghi việc khác" in hoa.last.text and "1. ✅" in hoa.last.text


async def test_the_name_is_asked_inline_only_if_it_is_missing(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.joins("MAYHOA")
    await hoa.says("dang ky")
    assert hoa.last.key == "registration.name"
    for text, key in (("Hoa", "profile.name_one_word"), ("Bùi Thị Hoa 2", "profile.name_not_letters")):
        await hoa.says(text)
        assert hoa.last.key == key
    await hoa.says("Bùi Thị Hoa")
    assert hoa.last.key == "registration.movements"


async def test_the_preview_leads_back_to_every_choice_and_the_code_stays(world: World) -> None:
    hoa = await begins(world)
    for text in ("1", "xong", "1", "xong", "sua", "2", "xong", "2", "xong", "gui"):
        await hoa.says(text)
    (row,) = await rows(world)
    assert row.movements == [0, 3] and len(row.goals) == 2
    await hoa.says("thi dua")
    await hoa.taps("Đăng ký của tôi")
    await hoa.taps("Đăng ký, sửa")
    assert "1. ✅" in hoa.last.text and "2. ✅" in hoa.last.text
    for text in ("1", "xong", "xong", "gui"):
        await hoa.says(text)
    (changed,) = await rows(world)
    assert changed.code == row.code and changed.movements == [3]


async def test_many_movements_still_fit_the_preview(world: World) -> None:
    hoa = await begins(world)
    for text in ("1,2,3,4,5", "7", "1,2,3,4,5", "xong", "1,2", "6", "x" * 200, "xong"):
        await hoa.says(text)
    assert hoa.last.key == "registration.preview" and "và 6 phong trào khác" in hoa.last.text
    assert len(hoa.last.text) <= 800


async def test_what_was_chosen_survives_another_command_and_a_week(world: World) -> None:
    hoa = await begins(world)
    for text in ("1", "xong", "6", "Dạy nghề cho hai bạn mới"):
        await hoa.says(text)
    await hoa.says("on luat")
    assert hoa.keys[-2:] == ["common.draft_kept", "practice.home"]
    world.later(days=7)
    await hoa.says("menu")
    assert "đăng ký thi đua" in hoa.last.text
    await hoa.says("dang ky thi dua")
    assert hoa.last.key == "registration.goals" and "✅ Dạy nghề cho hai bạn mới" in hoa.last.text
    await hoa.says("huy")
    assert hoa.last.key == "common.cancel"
    await hoa.taps("Bỏ")
    async with world.database.read() as session:
        assert (await session.execute(select(Draft))).first() is None
    assert await rows(world) == []


async def test_giving_up_at_the_last_step_asks_first_and_what_is_saved_is_one_tap_away(world: World) -> None:
    hoa = await begins(world)
    await hoa.says("thi dua")
    assert "chưa gửi" not in hoa.heard[-2].text  # nothing is chosen yet
    await hoa.says("menu")
    assert "chưa gửi" not in hoa.last.text  # looking at the list began nothing
    await hoa.says("dang ky thi dua")
    for text in ("1", "xong", "6", "Dạy nghề cho hai bạn mới", "xong"):
        await hoa.says(text)
    await hoa.taps("Hủy")
    assert hoa.last.key == "common.cancel"
    await hoa.taps("Làm tiếp")
    assert hoa.last.key == "registration.preview"
    await hoa.taps("Hủy")
    await hoa.taps("Lưu nháp")
    await hoa.says("thi dua")
    assert "bản đăng ký chọn dở" in hoa.last.text
    await hoa.says("menu")
    assert "đăng ký thi đua" in hoa.last.text and len(keys(hoa)) <= 8
    await hoa.taps("Làm tiếp")
    assert hoa.last.key == "registration.preview" and "Dạy nghề cho hai bạn mới" in hoa.last.text
    await hoa.taps("Hủy")
    await hoa.taps("Bỏ")
    assert hoa.last.key == "common.dropped" and await rows(world) == []


async def test_a_draft_that_outlived_its_round_is_kept_for_the_next_one_and_says_so(world: World) -> None:
    world.now = local(2025, 6, 30, 23)
    hoa = await begins(world)
    for text in ("1", "xong", "6", "Dạy nghề cho hai bạn mới", "xong"):
        await hoa.says(text)
    assert hoa.last.key == "registration.preview"
    world.now = local(2025, 7, 1, 7)
    hoa.heard.clear()
    await hoa.says("gui")
    assert await rows(world) == []
    assert "registration.moved" in hoa.keys and hoa.last.key == "registration.movements"
    for text in ("xong", "xong", "gui"):
        await hoa.says(text)
    (row,) = await rows(world)
    assert (row.round, row.movements, row.goals) == (2, [0], ["Dạy nghề cho hai bạn mới"])


async def test_a_draft_of_last_year_keeps_the_words_but_not_places_in_another_list(world: World) -> None:
    world.now = local(2025, 12, 31, 23)
    hoa = await begins(world)
    for text in ("2", "xong", "6", "Dạy nghề cho hai bạn mới", "xong"):
        await hoa.says(text)
    world.now = local(2026, 1, 1, 8)
    await hoa.says("gui")
    assert hoa.last.key == "registration.movements" and "✅" not in hoa.last.text
    await hoa.says("1")
    await hoa.says("xong")
    assert "✅ Dạy nghề cho hai bạn mới" in hoa.last.text


def closing_early(packs: Packs, register_by: date) -> Packs:
    """The packs with a first round that closes for registration before it ends."""
    (campaign, *others) = packs.campaigns
    first = campaign.rounds[0].model_copy(update={"register_by": register_by})
    return replace(packs, campaigns=(campaign.model_copy(update={"rounds": (first, *campaign.rounds[1:])}), *others))


async def test_after_the_last_day_to_register_the_next_round_is_offered(world: World) -> None:
    world.house = replace(world.house, packs=closing_early(world.house.packs, date(2025, 3, 30)))
    world.now = local(2025, 3, 30, 22)
    await begins(world, "Đỗ Thị Lan")
    world.now += timedelta(hours=3)
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("dang ky")
    assert hoa.last.key == "registration.late" and "30/3/2025" in hoa.last.text
    assert "Anh/chị đăng ký sớm cho đợt 2" in hoa.last.text
    assert hoa.last.choices[0].label == "✍️ Đăng ký đợt 2"
    await hoa.says("1")
    for text in ("1", "xong", "1", "xong", "gui"):
        await hoa.says(text)
    (row,) = await rows(world)
    assert row.round == 2


async def test_when_every_round_is_closed_nothing_can_be_begun(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    world.now = local(2027, 1, 4)
    await hoa.says("dang ky")
    assert hoa.last.key == "registration.closed" and "31/12/2026" in hoa.last.text
