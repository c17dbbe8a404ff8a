"""What is typed opens its thing: every command in each of its forms, and every receipt code for whom it is."""

from __future__ import annotations

import pytest

from db import campaigns
from db.models import Broadcast, BroadcastState, Grant, Person, Role
from tests.handlers.test_meaning import unmarked
from tests.handlers.test_moderation import reviewer, sent
from tests.people import TestPerson, World, spoken

SPELT = {
    "start": "bắt đầu", "thamgia": "tham gia", "menu": "menu", "themmuc": "mục khác", "trogiup": "trợ giúp", "canhan": "cá nhân",
    "dulieu": "dữ liệu", "onluat": "ôn luật", "sangkien": "sáng kiến", "hoso": "hồ sơ", "canbo": "cán bộ", "duyet": "duyệt",
    "guitin": "gửi tin", "tincho": "tin chờ", "dungkhan": "dừng khẩn", "choguilai": "cho gửi lại", "thongbao": "thông báo", "dungtin": "dừng tin",
    "bottin": "bớt tin", "thidua": "thi đua", "baosai": "báo sai", "dangky": "đăng ký", "ngayle": "ngày lễ", "donvi": "đơn vị",
    "suco": "sự cố", "thi": "thi tuần", "lich": "lịch nội dung", "xephang": "xếp hạng", "gapcanbo": "gặp cán bộ", "hoiluat": "hỏi luật",
    "tochuc": "tổ chức thi", "soatluat": "soát luật", "thichoduyet": "tuần thi chờ duyệt", "thacmacthi": "thắc mắc thi",
    "xacminhgiai": "xác minh giải", "giaicho": "giải thưởng chờ",
}  # fmt: skip
"""Every command with words of its own, as it is spelt."""


@pytest.fixture
async def officer(world: World) -> TestPerson:
    """Somebody with a role for each kind of officer's work."""
    somebody = await world.joined("Lê Thu Hà", unit="TINH", role=Role.UPPER_OFFICER)
    async with world.database.write() as session:
        home = (await session.get_one(Person, await somebody.id())).unit_id
        assert home is not None
        for role in (Role.LEADER, Role.CONTENT_OFFICER, Role.SYSTEM_ADMIN):
            session.add(
                Grant(
                    person_id=await somebody.id(),
                    role=role,
                    unit_id=home,
                    granted_at=world.now,
                    confirmed_at=world.now,
                )
            )
    return somebody


def test_every_command_with_words_is_in_the_table(world: World) -> None:
    words, _ = spoken()
    assert set(SPELT) == {name for name in world.house.registry.commands if f"commands.{name}" in words}


@pytest.mark.parametrize("name", SPELT)
async def test_a_command_answers_to_its_slash_its_bare_name_and_its_words_with_and_without_marks(
    officer: TestPerson, world: World, name: str
) -> None:
    spelt = SPELT[name]
    for _ in range(2):  # what is being made already is said the second time
        await officer.presses(f"c:{name}:")
    wanted = officer.last.key
    assert wanted not in ("common.unknown", "common.refused")
    for typed in (
        f"/{name}", f"/{name.upper()}", f"/{name}@thu_nghiem_bot", name, name.upper(), spelt, spelt.capitalize(), spelt.upper(),
        unmarked(spelt), f" {spelt}  ", spelt.replace(" ", "  "), spelt.replace(" ", "-"), f"/{unmarked(spelt)}",
    ):  # fmt: skip
        world.later(minutes=1)
        await world.deliver()
        await officer.says("menu")
        officer.heard.clear()
        assert (await officer.says(typed)).key == wanted, typed


async def test_where_a_story_is_asked_for_the_name_of_a_command_is_the_answer(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/canhan")
    await hoa.taps("Sửa thông tin")
    await hoa.taps("Họ tên")
    await hoa.says("hoso")
    assert hoa.last.key.startswith("profile.name")
    assert (await hoa.says("/hoso")).key == "mysubmissions.list"


# ---------------------------------------------------------------------------------------------------- receipt codes


def ways(code: str) -> list[str]:
    return [code, code.lower(), code.replace("-", " "), code.replace("-", ""), f" {code.lower().replace('-', '')} "]


async def test_ones_own_receipt_code_opens_what_one_sent(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    for screen in ("menu", "/thidua", "/ngayle", "/hoso"):
        for typed in ways(code):
            await hoa.says(screen)
            await hoa.says(typed)
            assert hoa.last.key == "mysubmissions.detail" and code in hoa.last.text, (screen, typed)


async def test_a_reviewer_opens_the_card_of_a_code_in_reach_and_nobody_else_learns_of_it(world: World) -> None:
    ha, hoa, eve = await reviewer(world), await world.joined("Bùi Thị Hoa"), await world.joined("Người Khác")
    far = await world.joined("Xa", unit="DIENTU", role=Role.GRASSROOTS_CHAIR)
    code = (await sent(world, hoa)).code
    for typed in ways(code):
        await ha.says("menu")
        await ha.says(typed)
        assert ha.last.key == "moderation.card" and code in ha.last.text, typed
    for stranger in (eve, far):
        await stranger.says("menu")
        for asked in (code, "SK-25-9999", "XX-25-0001"):
            await stranger.says(asked)
            assert stranger.last.key == "common.not_found" and code not in stranger.last.text


async def test_a_reviewer_whose_own_it_is_sees_it_as_its_author(world: World) -> None:
    ha = await reviewer(world)
    code = (await sent(world, ha)).code
    await ha.says("menu")
    assert (await ha.says(code)).key == "mysubmissions.detail"


async def test_a_registration_and_a_broadcast_open_by_their_codes_for_whose_they_are(world: World) -> None:
    hoa, eve = await world.joined("Bùi Thị Hoa"), await world.joined("Người Khác")
    ha = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    async with world.database.write() as session:
        person = await session.get_one(Person, await hoa.id())
        registered = (await campaigns.register(session, person, 2025, 2, [0], ["Việc"], world.now)).code
        author = await session.get_one(Person, await ha.id())
        session.add(
            Broadcast(
                code="TB-25-0001", kind="notice", topic="movement", version=1, author_id=author.id, unit_id=author.unit_id,
                audience={}, text="Tin", media=[], state=BroadcastState.WAITING, send_at=world.now, timing="now",
                created_at=world.now,
            )
        )  # fmt: skip
    for typed in ways(registered):
        await hoa.says("menu")
        assert (await hoa.says(typed)).key == "campaign.registration", typed
    for typed in ways("TB-25-0001"):
        await ha.says("menu")
        assert (await ha.says(typed)).key == "announcing.card", typed
    for code in (registered, "TB-25-0001"):
        await eve.says("menu")
        assert (await eve.says(code)).key == "common.not_found"
    await ha.says("/duyet")  # a list that takes codes, but of reports
    assert (await ha.says("TB-25-0001")).key == "announcing.card"
    await ha.says("/duyet")
    assert (await ha.says(registered)).key == "moderation.not_found"


async def test_where_a_question_takes_free_words_a_code_is_the_answer(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    await hoa.says("/canhan")
    await hoa.taps("Sửa thông tin")
    await hoa.taps("Nơi làm việc")
    await hoa.says(code)
    assert hoa.last.key.startswith("onboarding.unit")


async def test_a_code_before_joining_leads_to_joining(world: World) -> None:
    hoa, lan = await world.joined("Bùi Thị Hoa"), world.person("Lan")
    code = (await sent(world, hoa)).code
    await lan.says(code)
    assert lan.last.key.startswith("onboarding.") and code not in lan.last.text
