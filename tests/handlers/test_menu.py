"""The menu and help offer what is built, to whom it is for; and whatever is opened, something is answered."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from content.message import MAX_CHOICES, rows
from db.models import Conversation, Draft, Role
from tests.handlers.test_moderation import reviewer, sent
from tests.people import START, TestPerson, World


@pytest.mark.parametrize(
    ("hour", "greeting"),
    [
        (5, "Chào buổi sáng"),
        (10, "Chào buổi sáng"),
        (12, "Chào buổi trưa"),
        (16, "Chào buổi chiều"),
        (20, "Chào buổi tối"),
    ],
)
async def test_the_greeting_follows_the_local_hour(world: World, hour: int, greeting: str) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    world.now = START.replace(hour=0, minute=0) + timedelta(hours=hour - 7)
    assert (await hoa.says("menu")).text.startswith(f"{greeting}, Bùi Thị Hoa!")


async def test_the_menu_stands_in_two_columns(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("menu")
    assert [[choice.command for choice in row] for row in rows(hoa.last.choices)] == [
        ["thidua", "sangkien"], ["onluat", "hoso"], ["themmuc"],
    ]  # fmt: skip


async def test_one_line_says_what_waits_most_useful_first(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    assert len((await hoa.says("menu")).text.splitlines()) == 2
    async with world.database.write() as session:
        data = {"track": "initiative", "title": "Giá gá"}
        session.add(Draft(person_id=await hoa.id(), dialogue="report", step="field", data=data, updated_at=world.now))
    assert "bản nháp" in (await hoa.says("menu")).text.splitlines()[1]
    ha = await reviewer(world)
    code = (await sent(world, hoa)).code
    await ha.says(f"/duyet {code}")
    await ha.taps("Nhận xử lý")
    await ha.taps("Cần bổ sung")
    await ha.says("1")
    await ha.taps("Gửi")
    lines = (await hoa.says("menu")).text.splitlines()
    assert len(lines) == 3 and code in lines[1]


async def test_an_officer_sees_first_how_much_of_their_work_waits(world: World) -> None:
    await world.person("Hoa").joins("MAYHOA")  # waits to be confirmed
    nam = await world.joined("Trần Văn Nam", role=Role.GRASSROOTS_CHAIR)
    await nam.says("menu")
    assert nam.last.choices[0].label.endswith("Việc cán bộ (1)")
    assert (await nam.says("viec can bo")).key == "menu.officer"
    assert (await nam.says("menu")).key == "menu.home" and (await nam.says("1")).key == "menu.officer"


def commands_of(person: TestPerson) -> set[str]:
    return {choice.command for choice in person.last.choices}


@pytest.mark.parametrize("role", list(Role)[1:])
async def test_the_emergency_stop_is_one_tap_from_the_officers_home_for_who_holds_it(world: World, role: Role) -> None:
    somebody = await world.joined("Lê Thu Hà", unit="TINH", role=role)
    await somebody.says("viec can bo")
    assert somebody.last.key == "menu.officer" and len(somebody.last.choices) <= MAX_CHOICES
    assert ("dungkhan" in commands_of(somebody)) == (role in (Role.LEADER, Role.SYSTEM_ADMIN))
    if "dungkhan" in commands_of(somebody):
        await somebody.taps("Dừng khẩn")
        assert somebody.last.key == "announcing.stop_sure"


async def test_who_has_no_role_is_offered_no_officers_work(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("menu")
    assert "canbo" not in commands_of(hoa)
    assert "Việc cán bộ" not in (await hoa.says("giup")).text
    assert (await hoa.says("/canbo")).key == "menu.home"


@pytest.mark.parametrize("role", [None, *(role for role in Role if role != Role.WORKER)])
async def test_help_fits_a_small_screen_and_every_word_it_names_opens_something(
    world: World, role: Role | None
) -> None:
    somebody = await world.joined("Lê Thu Hà", unit="TINH", role=role)
    told = (await somebody.says("tro giup")).text
    assert len(told) <= 600
    for line in told.splitlines():
        if "Gõ tên mục" in line or "Việc cán bộ" in line:
            for word in line.partition(": ")[2].rstrip(".").split(" · "):
                await somebody.says("menu")
                somebody.heard.clear()
                await somebody.says(word)
                assert somebody.keys and somebody.last.key not in (
                    "common.unknown",
                    "common.choose",
                    "common.refused",
                ), word


async def test_a_refusal_calls_a_worker_nothing_that_they_are_not(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    for typed in ("/dungkhan", "/guitin", "/donvi"):
        await hoa.says(typed)
        assert hoa.last.key == "common.refused" and "đồng chí" not in hoa.last.text, typed


async def test_nothing_is_offered_that_is_not_built(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    built = world.house.registry.commands
    for screen in ("menu", "muc khac", "giup"):
        await hoa.says(screen)
        assert len(hoa.last.choices) <= MAX_CHOICES and commands_of(hoa) <= set(built)
        assert not [
            word for word in ("thi tuần", "cuộc thi", "ý kiến", "gia nhập", "xếp hạng") if word in hoa.last.text.lower()
        ]
    stranger = world.person("Lan")
    await stranger.says("/start")
    for word in ("thi tìm hiểu", "tâm tư", "nguyện vọng", "gia nhập"):
        assert word not in stranger.last.text


async def test_what_is_not_understood_gets_a_menu_help_and_a_number_to_call(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    for _ in range(2):
        await hoa.says("hom nay troi dep qua")
        assert hoa.last.key == "common.unknown" and world.house.hotline in hoa.last.text
        assert commands_of(hoa) >= {"menu", "trogiup"}


async def test_what_is_not_understood_on_a_screen_leaves_its_options_and_their_numbers_at_hand(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("menu")
    offered = hoa.last.labels
    await hoa.says("hom nay troi dep qua")
    assert hoa.last.key == "common.unknown" and hoa.last.labels == offered
    await hoa.says(str(offered.index("📚 Ôn luật") + 1))
    assert hoa.last.key == "practice.home"


async def test_where_nothing_is_asked_there_is_nothing_to_pass_over(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("menu")
    assert (await hoa.says("bo qua")).key == "common.unknown"


@pytest.mark.parametrize("role", [None, Role.LEADER, Role.CONTENT_OFFICER, Role.UPPER_OFFICER, Role.GRASSROOTS_CHAIR])
async def test_no_screen_that_merely_offers_buttons_says_that_an_answer_is_needed(
    world: World, role: Role | None
) -> None:
    who = await world.joined("Bùi Thị Hoa", unit="TINH" if role else "MAYHOA", role=role)
    seen = set()
    for command in world.house.registry.order:
        await who.says(f"/{command.name}")
        async with world.database.read() as session:
            stands = (await session.execute(select(Conversation))).scalars().one()
        if stands.screen_kind == "choice" and stands.draft_id is None:
            seen.add(who.last.key)
            assert (await who.says("bỏ qua")).key != "common.cannot_skip", command.name
    assert {"campaign.home", "practice.home", "mysubmissions.list", "profile.home"} <= seen


async def test_who_joins_or_fills_in_a_form_hears_that_its_question_cannot_be_passed_over(world: World) -> None:
    hoa = world.person("Bùi Thị Hoa")
    for said in ("/start", "Bắt đầu"):
        await hoa.says(said)
    assert (await hoa.says("bo qua")).key == "common.choose"  # nothing is joined yet
    for said in ("Đồng ý", "may hoa phat"):
        await hoa.says(said)
        assert (await hoa.says("bo qua")).key == "common.cannot_skip", said
    await world.joined("Trần Nam")
    nam = world.people["Trần Nam"]
    await nam.says("/dangky")
    assert (await nam.says("bo qua")).key == "common.cannot_skip"


async def test_a_good_deed_is_reported_by_its_own_name_too(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("menu")
    assert (await hoa.says("nguoi tot viec tot")).key.startswith("report.")
