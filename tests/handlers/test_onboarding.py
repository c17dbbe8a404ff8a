"""Joining as people do it: from a QR code, by typing without diacritics, half-way, or not at all."""

from __future__ import annotations

from sqlalchemy import func, select

from db.models import (
    Account,
    Audience,
    Consent,
    Conversation,
    InboxRow,
    Membership,
    Person,
    Purpose,
    Shift,
    UnitRequest,
)
from tests.people import World


async def _person(world: World, name: str) -> Person:
    async with world.database.read() as session:
        return await session.get_one(Person, await world.person(name).id())


async def test_five_taps_and_no_typing_from_a_qr_code(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("/start u-MAYHOA")
    taps = ["Bắt đầu", "Tôi đồng ý", "Không, tôi tự xem", "Đúng rồi", "NLĐ doanh nghiệp"]
    for tap in taps:
        await hoa.taps(tap)
    assert hoa.last.key == "onboarding.done"
    row = await _person(world, "Hoa")
    assert (row.audience, row.news, row.membership) == (Audience.ENTERPRISE, False, Membership.UNKNOWN)
    assert row.unit_id is not None and not row.confirmed


async def test_nothing_but_the_technical_minimum_exists_before_consent(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("/start u-MAYHOA")
    await hoa.taps("Bắt đầu")
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Person))).scalar_one() == 0
        assert (await session.execute(select(func.count()).select_from(Consent))).scalar_one() == 0
        assert (await session.execute(select(func.count()).select_from(InboxRow))).scalar_one() == 0


async def test_consent_is_kept_per_purpose_with_its_proof(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.joins("MAYHOA")
    async with world.database.read() as session:
        kept = (await session.execute(select(Consent.purpose, Consent.text_version, Consent.channel))).all()
    assert [purpose for purpose, _, _ in kept] == [Purpose.ACCOUNT, Purpose.NEWS]
    assert all(version and channel == "test" for _, version, channel in kept)


async def test_silence_and_no_are_never_consent(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("alo")
    await hoa.taps("Bắt đầu")
    await hoa.taps("Không đồng ý")
    assert hoa.last.key == "onboarding.declined"
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Person))).scalar_one() == 0


async def test_a_workplace_is_found_without_diacritics_and_by_number(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("/start")
    for label in ("Bắt đầu", "Tôi đồng ý", "Có, gửi cho tôi"):
        await hoa.taps(label)
    await hoa.says("cao son")
    assert hoa.last.key == "onboarding.unit_results"
    line = next(line for line in hoa.last.text.splitlines() if "Trường Tiểu học" in line)
    await hoa.says(line[0])
    assert hoa.last.key == "onboarding.unit_qr" and "Trường Tiểu học Cao Sơn" in hoa.last.text
    await hoa.says("dung roi")
    assert hoa.last.key == "onboarding.group"


async def test_an_old_name_leads_to_todays_unit(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("/start")
    for label in ("Bắt đầu", "Tôi đồng ý", "Có, gửi cho tôi"):
        await hoa.taps(label)
    await hoa.says("ldld huyen dong tam")
    assert hoa.last.key == "onboarding.unit_old"
    assert "01/7/2025" in hoa.last.text and "May Hòa Phát" in hoa.last.text


async def test_a_workplace_that_is_not_there_is_written_down_for_an_officer(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("/start")
    for label in ("Bắt đầu", "Tôi đồng ý", "Không, tôi tự xem"):
        await hoa.taps(label)
    await hoa.says("xuong moc ong tu zzz")
    assert hoa.last.key == "onboarding.unit_none"
    await hoa.taps("Ghi tên nơi làm việc")
    await hoa.says("Xưởng mộc ông Tư, xã Cao Sơn")
    assert hoa.last.key == "onboarding.group"
    async with world.database.read() as session:
        assert (await session.execute(select(UnitRequest.text))).scalar_one() == "Xưởng mộc ông Tư, xã Cao Sơn"


async def test_leaving_half_way_keeps_the_answers_and_continues_at_the_missing_question(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("/start u-MAYHOA")
    for label in ("Bắt đầu", "Tôi đồng ý", "Có, gửi cho tôi", "Đúng rồi"):
        await hoa.taps(label)
    await hoa.says("menu")
    world.later(days=7)
    hoa.heard.clear()
    await hoa.says("/start")
    assert hoa.keys == ["onboarding.resume", "onboarding.group"]


async def test_a_civil_servant_is_asked_about_a_union_and_membership_stays_its_own_field(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("/start u-TRUONG")
    for label in ("Bắt đầu", "Tôi đồng ý", "Không, tôi tự xem", "Đúng rồi", "CB, công chức, VC", "Không"):
        await hoa.taps(label)
    row = await _person(world, "Hoa")
    assert (row.audience, row.membership) == (Audience.PUBLIC, Membership.NO)


async def test_another_units_qr_code_asks_before_moving(world: World) -> None:
    hoa = await world.joined("Hoa")
    before = (await _person(world, "Hoa")).unit_id
    await hoa.says("/start u-DIENTU")
    assert hoa.last.key == "onboarding.move"
    await hoa.taps("Giữ nguyên")
    assert (await _person(world, "Hoa")).unit_id == before
    await hoa.says("/start u-DIENTU")
    await hoa.taps("Chuyển")
    assert (await _person(world, "Hoa")).unit_id != before


async def test_a_night_worker_says_so_with_one_word(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("/start u-MAYHOA")
    for label in ("Bắt đầu", "Tôi đồng ý", "Có, gửi cho tôi", "Đúng rồi", "NLĐ doanh nghiệp"):
        await hoa.taps(label)
    await hoa.says("ca dem")
    assert (await _person(world, "Hoa")).shift == Shift.NIGHT


async def test_an_old_button_shows_the_current_screen(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("/start u-MAYHOA")
    old = hoa.last
    await hoa.taps("Bắt đầu")
    await hoa.taps("Tôi đồng ý")
    await hoa.presses(old.choices[1].data(old.message.screen))
    assert hoa.keys[-2:] == ["common.old_button", "onboarding.news"] or hoa.last.key == "onboarding.news"


async def test_ten_taps_on_one_button_take_effect_once(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("/start u-MAYHOA")
    await hoa.taps("Bắt đầu")
    screen = hoa.last
    for _ in range(10):
        await hoa.presses(screen.choices[0].data(screen.message.screen))
    world.later(seconds=5)
    await world.deliver()
    assert hoa.keys.count("onboarding.news") == 1
    assert hoa.keys.count("common.already") == 1
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Person))).scalar_one() == 1


async def test_a_group_chat_gets_one_line_and_is_forgotten(world: World) -> None:
    from db import accounts

    hoa = world.person("Hoa")
    await hoa.sends(place="group")
    assert hoa.keys == ["common.group"] and "https://chat.example/" in hoa.last.text
    async with world.database.write() as session:
        world.later(hours=25)
        await accounts.forget_previews(session, world.now)
        assert (await session.execute(select(func.count()).select_from(Account))).scalar_one() == 0
        assert (await session.execute(select(func.count()).select_from(Conversation))).scalar_one() == 0
