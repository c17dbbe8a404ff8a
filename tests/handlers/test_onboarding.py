"""Joining as people do it: from a QR code, by typing without diacritics, half-way, or not at all."""

from __future__ import annotations

import hashlib
import re

import pytest
from sqlalchemy import func, select, update

from content.words import load_words
from db import accounts, units
from db.models import (
    Account,
    Audience,
    Base,
    Consent,
    Conversation,
    InboxRow,
    Membership,
    Person,
    Purpose,
    Shift,
    Unit,
    UnitRequest,
)
from db.session import Session
from db.units import UnitRow
from handlers.dialogue import Incoming
from handlers.engine import answer
from tests.people import FACTS, TestPerson, World


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


async def test_another_name_typed_at_a_found_workplace_is_looked_for(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("/start u-MAYHOA")
    for label in ("Bắt đầu", "Tôi đồng ý", "Có, gửi cho tôi"):
        await hoa.taps(label)
    assert hoa.last.key == "onboarding.unit_qr"
    await hoa.says("truong tieu hoc cao son")
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
    await hoa.taps("NLĐ doanh nghiệp")
    assert hoa.last.key == "onboarding.done"
    assert "Nơi làm việc: đã ghi &#34;Xưởng mộc ông Tư, xã Cao Sơn&#34;, chờ cán bộ ghép" in hoa.last.text
    await hoa.says("/canhan")
    assert "chờ cán bộ ghép" in hoa.last.text and "chưa chọn" not in hoa.last.text


async def test_who_wrote_their_workplace_down_may_send_a_report_meanwhile(world: World) -> None:
    hoa = await began(world, "Không, tôi tự xem")
    await hoa.says("xuong moc ong tu zzz")
    await hoa.taps("Ghi tên nơi làm việc")
    await hoa.says("Xưởng mộc ông Tư, xã Cao Sơn")
    await hoa.taps("NLĐ doanh nghiệp")
    await hoa.says("sang kien")
    await hoa.taps("Đồng ý")
    assert hoa.last.key == "report.name"


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


async def began(world: World, *labels: str, link: str = "/start") -> TestPerson:
    """Somebody who pressed through the first questions."""
    hoa = world.person("Hoa")
    await hoa.says(link)
    for label in ("Bắt đầu", "Tôi đồng ý", *labels):
        await hoa.taps(label)
    return hoa


async def test_the_qr_code_is_kept_whatever_a_stranger_does_before_consenting(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("/start u-MAYHOA")
    await hoa.taps("Xem thử trước")
    await hoa.says("thi dua")
    await hoa.says("sang kien")
    assert hoa.last.key == "onboarding.consent"
    await hoa.taps("Tôi đồng ý")
    await hoa.taps("Không, tôi tự xem")
    assert hoa.last.key == "onboarding.unit_qr" and "May Hòa Phát" in hoa.last.text
    await hoa.taps("Đúng rồi")
    await hoa.taps("NLĐ doanh nghiệp")
    assert hoa.keys[-2:] == ["onboarding.done", "onboarding.go_on"] and "Gửi sáng kiến" in hoa.last.text
    assert (await hoa.says("tiep")).key == "report.agree"


@pytest.mark.parametrize("typed", ["DV MAYHOA", "dv mayhoa", "/start u-mayhoa"])
async def test_a_units_code_can_be_typed_where_links_carry_none(world: World, typed: str) -> None:
    hoa = world.person("Hoa")
    assert (await hoa.says(typed)).key == "onboarding.welcome"
    for label in ("Bắt đầu", "Tôi đồng ý", "Không, tôi tự xem"):
        await hoa.taps(label)
    assert hoa.last.key == "onboarding.unit_qr" and "May Hòa Phát" in hoa.last.text


async def test_a_code_is_understood_where_the_workplace_is_asked_for(world: World) -> None:
    hoa = await began(world, "Không, tôi tự xem")
    await hoa.says("dv mayhoa")
    assert hoa.last.key == "onboarding.unit_qr"


async def test_a_wrong_code_is_said_and_joining_goes_on(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("/start u-GONE")
    assert hoa.keys == ["onboarding.bad_code", "onboarding.welcome"]


async def test_a_teams_code_shows_the_team_and_what_it_belongs_to(world: World) -> None:
    hoa = await began(world, "Không, tôi tự xem", link="/start t-CHUYEN5")
    assert "Tổ chuyền 5" in hoa.last.text and "May Hòa Phát" in hoa.last.text
    await hoa.taps("Đúng rồi")
    await hoa.taps("NLĐ doanh nghiệp")
    assert "Tổ chuyền 5 – Công ty TNHH May Hòa Phát" in hoa.last.text


async def many(world: World, number: int) -> None:
    rows = [
        UnitRow(f"TH{n}", f"Trường Tiểu học số {n}", parent="CAOSON", place="xã Yên Lập", zone="KCN Phía Nam")
        for n in range(1, number + 1)
    ]
    async with world.database.write() as session:
        await units.write(session, rows, world.now)


async def test_results_come_five_a_page_and_go_round(world: World) -> None:
    await many(world, 7)
    hoa = await began(world, "Không, tôi tự xem")
    await hoa.says("tieu hoc so")
    assert hoa.last.key == "onboarding.unit_results"
    numbers = [choice.label for choice in hoa.last.choices if choice.label.isdigit()]
    assert numbers == ["1", "2", "3", "4", "5"] and len(hoa.last.choices) <= 8
    first = hoa.last.text
    await hoa.says("xem tiep")
    assert [choice.label for choice in hoa.last.choices if choice.label.isdigit()] == ["1", "2", "3"]
    await hoa.says("xem tiep")
    assert hoa.last.text == first
    await hoa.says("xem tiep")
    await hoa.says("lui")
    assert hoa.last.text == first  # from the second page to the first, not to another question
    await hoa.says("lui")
    assert hoa.last.key == "onboarding.unit_ask"


@pytest.mark.parametrize(
    ("typed", "key"),
    [("a", "unit_short"), ("?!", "unit_short"), ("tieu hoc", "unit_many"), ("xuong moc ong tu", "unit_none")],
)
async def test_too_short_too_many_and_none_say_what_to_do_next(world: World, typed: str, key: str) -> None:
    await many(world, 45)
    hoa = await began(world, "Không, tôi tự xem")
    assert (await hoa.says(typed)).key == f"onboarding.{key}"
    await hoa.says("may hoa phat")
    assert hoa.last.key == "onboarding.unit_qr"


async def test_a_digit_is_a_button_where_the_workplace_is_asked_for_too(world: World) -> None:
    hoa = await began(world, "Không, tôi tự xem")
    assert (await hoa.says("1")).key == "onboarding.pick_place"
    await hoa.says("lui")
    await hoa.says("xuong moc ong tu")
    assert hoa.last.key == "onboarding.unit_none"
    assert (await hoa.says("9")).key == "onboarding.unit_short"  # there is no ninth
    place = [choice.key for choice in hoa.last.choices].index("write") + 1
    assert (await hoa.says(str(place))).key == "onboarding.unit_write"


async def test_an_alias_finds_the_workplace(world: World) -> None:
    hoa = await began(world, "Không, tôi tự xem")
    await hoa.says("hoa phat garment")
    assert hoa.last.key == "onboarding.unit_qr" and "May Hòa Phát" in hoa.last.text


@pytest.mark.parametrize("typed", ["cao son", "Xã Cao Sơn", "1"])
async def test_a_workplace_is_chosen_by_commune(world: World, typed: str) -> None:
    hoa = await began(world, "Không, tôi tự xem")
    await hoa.says("theo xa")
    assert hoa.last.key == "onboarding.pick_place"
    await hoa.says(typed if typed != "1" else str(hoa.last.labels.index("xã Cao Sơn") + 1))
    assert hoa.last.key == "onboarding.unit_results" and "Trường Tiểu học Cao Sơn" in hoa.last.text


async def test_a_workplace_is_chosen_by_industrial_zone(world: World) -> None:
    hoa = await began(world, "Không, tôi tự xem")
    await hoa.taps("Theo khu công nghiệp")
    await hoa.taps("KCN Tân Lập")
    assert hoa.last.key == "onboarding.unit_qr" and "Sao Mai" in hoa.last.text


async def test_a_list_that_would_be_empty_is_not_offered(world: World) -> None:
    async with world.database.write() as session:
        await session.execute(update(Unit).values(place="", zone=""))
    hoa = await began(world, "Không, tôi tự xem")
    assert [choice.key for choice in hoa.last.choices] == ["skip", "_back"]


async def test_the_shift_is_asked_only_of_those_who_want_reminders(world: World) -> None:
    for wish, asked in (("Có, gửi cho tôi", True), ("Không, tôi tự xem", False)):
        hoa = world.person(wish)
        await hoa.says("/start u-MAYHOA")
        for label in ("Bắt đầu", "Tôi đồng ý", wish, "Đúng rồi", "NLĐ doanh nghiệp"):
            await hoa.taps(label)
        assert (hoa.last.key == "onboarding.shift") is asked


async def test_looking_before_joining_stores_nothing_and_is_gone_a_day_later(world: World) -> None:
    hoa = world.person("Hoa")
    async with world.database.read() as session:
        before = await counts(session)
    await hoa.says("/start")
    await hoa.taps("Xem thử trước")
    assert not hoa.last.offers("Gửi sáng kiến")
    for typed in ("thi dua", "1", "/onluat", "1", "A", "tiep", "B", "/ngayle", "menu", "/trogiup"):
        await hoa.says(typed)
    assert not [heard for heard in hoa.heard for choice in heard.choices if choice.key == "report"]
    async with world.database.read() as session:
        after = await counts(session)
    assert {name for name in after if after[name] != before[name]} == {"accounts", "conversations", "outbox"}
    async with world.database.write() as session:
        assert await answer(session, world.house, Incoming("test", hoa.address, world.now, text="menu")), "blanked"
    await world.deliver()
    world.later(hours=25)
    async with world.database.write() as session:
        await accounts.forget_previews(session, world.now)
    async with world.database.read() as session:
        assert await counts(session) == before


async def counts(session: Session) -> dict[str, int]:
    tables = Base.metadata.tables.values()
    return {
        table.name: (await session.execute(select(func.count()).select_from(table))).scalar_one() for table in tables
    }


async def test_from_looking_one_tap_leads_to_consent(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("/start u-MAYHOA")
    await hoa.taps("Xem thử trước")
    await hoa.taps("Thi đua")
    await hoa.says("menu")
    assert (await hoa.taps("Bắt đầu")).key == "onboarding.consent"
    assert hoa.keys.count("onboarding.welcome") == 1
    await hoa.taps("Tôi đồng ý")
    await hoa.taps("Không, tôi tự xem")
    assert hoa.last.key == "onboarding.unit_qr"
    await hoa.says("menu")
    assert (await hoa.taps("Làm tiếp")).key == "onboarding.unit_qr"


async def test_who_declines_may_read_and_think_again(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("/start")
    await hoa.taps("Bắt đầu")
    await hoa.says("khong dong y")
    assert hoa.last.key == "onboarding.declined"
    assert {choice.command for choice in hoa.last.choices} >= {"thidua", "onluat"}
    assert "thamgia" not in {choice.command for choice in hoa.last.choices}
    assert (await hoa.says("doc lai")).key == "onboarding.consent"
    await hoa.says("khong dong y")
    assert (await hoa.says("dong y")).key == "onboarding.consent"  # what one agrees to is read first


def test_consent_says_who_keeps_the_data_how_to_reach_them_and_that_it_may_go_abroad(world: World) -> None:
    for key in ("onboarding.consent", "onboarding.consent_full"):
        said = world.house.words.text(key)
        assert FACTS["organisation"] in said and FACTS["hotline"] in said and "ở nước ngoài" in said
        assert len(said) <= 1000
        (abroad,) = (part for part in re.split(r"[.\n]", said) if "ở nước ngoài" in part)
        assert abroad.startswith("Nếu ")  # our own page sends nothing there


def test_a_changed_text_of_consent_has_a_version_of_its_own(world: World) -> None:
    words = load_words({"organisation": "", "hotline": "", "duty_line": ""})
    asked = [words.text(f"onboarding.{key}") for key in ("consent", "consent_full", "news")]
    asked.append(words.text("report.agree"))
    digest = hashlib.sha256("\n".join(asked).encode()).hexdigest()[:12]
    assert (words.text("onboarding.consent_version"), digest) == ("4", "8db6c30be411"), (
        "raise consent_version and write the digest"
    )


async def test_who_skipped_the_workplace_is_asked_when_they_scan_a_code(world: World) -> None:
    hoa = await began(world, "Không, tôi tự xem", "Để sau", "NLĐ doanh nghiệp")
    await hoa.says("/start u-MAYHOA")
    assert hoa.last.key == "onboarding.unit_qr"
    await hoa.taps("Đúng rồi")
    assert hoa.last.key == "onboarding.done"
    assert (await _person(world, "Hoa")).unit_id is not None


async def test_the_same_code_again_just_opens_the_menu(world: World) -> None:
    hoa = await world.joined("Hoa")
    await hoa.says("/start u-MAYHOA")
    assert hoa.keys == ["onboarding.here_already", "menu.home"]


async def test_another_code_half_way_moves_and_goes_on_with_the_next_question(world: World) -> None:
    hoa = await began(world, "Không, tôi tự xem", "Đúng rồi", link="/start u-MAYHOA")
    await hoa.says("/start u-DIENTU")
    await hoa.taps("Chuyển")
    assert hoa.keys[-2:] == ["onboarding.moved", "onboarding.group"]


async def test_the_menu_half_way_through_joining_says_how_much_is_left(world: World) -> None:
    hoa = await began(world, "Không, tôi tự xem", "Đúng rồi", link="/start u-MAYHOA")
    await hoa.says("0")
    assert hoa.last.key == "menu.home" and "Còn 1 câu nữa là xong." in hoa.last.text


@pytest.mark.parametrize("typed", ["sang kien", "/hoso", "hom nay nang qua"])
async def test_half_way_the_next_message_continues_at_the_missing_question(world: World, typed: str) -> None:
    hoa = await began(world, "Không, tôi tự xem", "Đúng rồi", link="/start u-MAYHOA")
    await hoa.says("huy")
    await hoa.says(typed)
    assert hoa.keys[-2:] == ["onboarding.resume", "onboarding.group"]


async def test_half_way_the_menu_offers_to_go_on_and_the_rights_over_ones_data(world: World) -> None:
    hoa = await began(world, "Không, tôi tự xem", "Đúng rồi", link="/start u-MAYHOA")
    await hoa.says("menu")
    assert hoa.last.key == "menu.home"
    offered = {choice.command for choice in hoa.last.choices}
    assert {"start", "canhan", "thidua"} <= offered and "sangkien" not in offered
    assert (await hoa.says("ca nhan")).key == "profile.home"
    assert (await hoa.says("dung tin")).key == "announcing.no_more"


async def test_everything_can_be_typed_without_marks_and_without_a_single_button(world: World) -> None:
    hoa = world.person("Hoa")
    said = {
        "alo": "onboarding.welcome", "bat dau": "onboarding.consent", "dong y": "onboarding.news",
        "co": "onboarding.unit_ask", "may hoa phat": "onboarding.unit_qr", "dung": "onboarding.group",
        "cong nhan": "onboarding.shift", "ca dem": "onboarding.done", "vao menu": "menu.home", "muc khac": "menu.more",
        "ca nhan": "profile.home", "sua thong tin": "profile.edit", "ho ten": "profile.name", "bui thi hoa": "profile.home",
        "tin nhac": "profile.news", "phong trao": "profile.news", "quay lai": "profile.home", "gio nhan tin": "profile.shift",
        "ca sang": "profile.home", "tai du lieu": "export.started", "dung tin": "announcing.no_more",
        "bat lai": "announcing.on_again", "thoi": "menu.home", "giup": "menu.help", "xoa du lieu": "profile.home",
    }  # fmt: skip
    for typed, key in said.items():
        await hoa.says(typed)
        assert hoa.last.key == key, typed
    row = await _person(world, "Hoa")
    assert (row.name, row.shift, row.audience) == ("Bui Thi Hoa", Shift.MORNING, Audience.ENTERPRISE)


async def test_going_back_shows_the_answer_that_was_given_and_keeps_it_with_one_tap(world: World) -> None:
    hoa = await began(world, "Không, tôi tự xem", "Đúng rồi", link="/start u-MAYHOA")
    await hoa.says("lui")
    assert hoa.last.key == "onboarding.unit_qr"
    await hoa.says("lui")
    assert hoa.last.key == "onboarding.news" and "Không, tôi tự xem" in hoa.last.text
    await hoa.says("giu")
    assert hoa.last.key == "onboarding.unit_qr"


async def test_going_back_behind_consent_asks_for_nothing_that_was_given(world: World) -> None:
    hoa = await began(world)
    await hoa.says("lui")
    assert hoa.last.key == "onboarding.news"
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Consent))).scalar_one() == 1


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
    hoa = world.person("Hoa")
    await hoa.sends(place="group")
    assert hoa.keys == ["common.group"] and "https://chat.example/" in hoa.last.text
    async with world.database.write() as session:
        world.later(hours=25)
        await accounts.forget_previews(session, world.now)
        assert (await session.execute(select(func.count()).select_from(Account))).scalar_one() == 0
        assert (await session.execute(select(func.count()).select_from(Conversation))).scalar_one() == 0
