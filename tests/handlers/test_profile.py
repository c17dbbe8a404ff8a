"""What is kept about a person, and their way to see, change, stop and delete it."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text

from db import erasure, rights, units
from db.audiences import Rule, count
from db.broadcasts import CELEBRATION
from db.models import (
    Account,
    Audience,
    Base,
    Consent,
    Draft,
    Job,
    Membership,
    Person,
    PracticeAnswer,
    Purpose,
    Role,
    Shift,
    Track,
)
from db.submissions import Report, submit
from handlers.announcing.flow import TOPICS as SENT
from handlers.dialogue import Incoming
from handlers.engine import answer
from handlers.profile import TOPICS
from tests.people import TestPerson, World


async def test_every_table_about_a_person_is_in_their_copy(world: World) -> None:
    named = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if any(key.column.table.name == "persons" for key in column.foreign_keys)
    }
    covered = set(rights.EXPORTED.items()) | {(t, c) for t, columns in rights.NOT_THEIRS.items() for c in columns}
    assert named <= covered


async def test_a_name_that_stands_is_shown_and_the_way_back_does_not_ask_for_it_again(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/canhan")
    await hoa.taps("Sửa thông tin")
    await hoa.taps("Họ tên")
    assert "Đang ghi: Bùi Thị Hoa" in hoa.last.text
    await hoa.says("quách thị hòa")
    assert (await hoa.says("lui")).key == "menu.home"


async def test_the_profile_shows_and_changes_what_is_kept(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/canhan")
    assert hoa.last.key == "profile.home" and "May Hòa Phát" in hoa.last.text
    await hoa.taps("Sửa thông tin")
    await hoa.taps("Họ tên")
    await hoa.says("Hoa")
    assert hoa.last.key == "profile.name_one_word"
    await hoa.says("quách thị hòa")
    assert hoa.last.key == "profile.home" and "Quách Thị Hòa" in hoa.last.text
    await hoa.taps("Sửa thông tin")
    await hoa.taps("Đoàn viên")
    await hoa.taps("Có")
    await hoa.taps("Giờ nhận tin")
    await hoa.taps("Ca đêm")
    async with world.database.read() as session:
        row = await session.get_one(Person, await hoa.id())
    assert (row.membership, row.shift) == (Membership.YES, Shift.NIGHT)


async def test_a_name_with_markup_is_shown_as_typed_or_refused_but_never_interpreted(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/canhan")
    await hoa.taps("Sửa thông tin")
    await hoa.taps("Họ tên")
    await hoa.says("<b>Hoa</b> Bùi")
    assert hoa.last.key == "profile.name_not_letters"


async def test_reminders_go_off_in_one_tap_and_the_consent_ends(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/canhan")
    await hoa.taps("Tin nhắc")
    await hoa.taps("Phong trào")
    async with world.database.read() as session:
        assert (await session.get_one(Person, await hoa.id())).muted_topics == ["movement"]
    await hoa.taps("Tắt hết")
    async with world.database.read() as session:
        assert not (await session.get_one(Person, await hoa.id())).news
        ended = select(Consent.withdrawn_at).where(Consent.purpose == Purpose.NEWS)
        assert (await session.execute(ended)).scalar_one() is not None


async def test_taking_ones_data_along_makes_one_job_however_often_it_is_asked_for(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/dulieu")
    await hoa.says("/dulieu")
    assert hoa.keys == ["export.started", "export.waiting"]
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Job))).scalar_one() == 1


async def test_withdrawing_everything_stops_at_once_and_coming_back_asks_only_what_ended(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/canhan")
    await hoa.taps("Rút đồng ý")
    await hoa.taps("Ngừng mọi xử lý")
    assert hoa.last.key == "profile.withdrawn_all"
    await hoa.says("/sangkien")
    assert hoa.last.key == "onboarding.consent"
    await hoa.taps("Tôi đồng ý")
    assert hoa.last.key == "onboarding.news"
    await hoa.taps("Không, tôi tự xem")
    assert hoa.keys[-2:] == ["onboarding.done", "onboarding.go_on"] and "May Hòa Phát" in hoa.heard[-2].text
    async with world.database.read() as session:
        row = await session.get_one(Person, await hoa.id())
        given = (await session.execute(select(Consent.purpose, Consent.withdrawn_at).order_by(Consent.id))).all()
    assert row.processing and row.name == "Bùi Thị Hoa"
    assert [(purpose, ended is None) for purpose, ended in given] == [
        (Purpose.ACCOUNT, False), (Purpose.NEWS, False), (Purpose.ACCOUNT, True),
    ]  # fmt: skip


async def stopped(world: World) -> TestPerson:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/canhan")
    await hoa.taps("Rút đồng ý")
    await hoa.taps("Ngừng mọi xử lý")
    hoa.heard.clear()
    return hoa


async def test_who_stopped_everything_still_takes_their_data_along_and_deletes_it(world: World) -> None:
    hoa = await stopped(world)
    assert (await hoa.says("/dulieu")).key == "export.started"
    assert (await hoa.says("ca nhan")).key == "profile.stopped"
    await hoa.taps("Xóa tất cả")
    await hoa.taps("Thôi")
    assert hoa.last.key == "profile.stopped"
    await hoa.taps("Xóa tất cả")
    await hoa.taps("Tôi muốn xóa")
    person_id = await hoa.id()
    await hoa.says("XOA")
    assert hoa.last.key == "profile.deleted"
    async with world.database.read() as session:
        assert (await session.get_one(Person, person_id)).erased_at is not None


async def test_who_stopped_everything_reads_like_a_stranger_and_leaves_no_trace(world: World) -> None:
    hoa = await stopped(world)
    await hoa.says("/onluat")
    await hoa.says("1")
    await hoa.says("A")
    await hoa.says("/thidua")
    assert "register" not in [choice.key for choice in hoa.last.choices]
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(PracticeAnswer))).scalar_one() == 0
    async with world.database.write() as session:
        incoming = Incoming("test", hoa.address, world.now, text="thi dua")
        assert await answer(session, world.house, incoming), "what they say is blanked like a stranger's"


async def test_deleting_needs_two_steps_and_leaves_no_trace_of_the_name(world: World) -> None:
    canary = "Quách Thị Canari"
    hoa = await world.joined(canary)
    person_id = await hoa.id()
    async with world.database.write() as session:
        session.add(
            Draft(
                person_id=person_id,
                dialogue="report",
                step="title",
                data={"title": canary},
                history=[],
                ahead=[],
                updated_at=world.now,
            )
        )
    await hoa.says("/canhan")
    await hoa.taps("Xóa tất cả")
    await hoa.taps("Tôi muốn xóa")
    await hoa.says("xóa đi")
    assert hoa.last.key == "profile.delete_again"
    await hoa.says("xoa")
    assert hoa.last.key == "profile.deleted"
    async with world.database.read() as session:
        row = await session.get_one(Person, person_id)
        assert row.erased_at is not None and row.name == "" and row.unit_id is None
        account = (await session.execute(select(Account))).scalar_one()
        assert account.person_id is None
        for table in Base.metadata.tables.values():
            found = await session.execute(text(f"SELECT * FROM {table.name}"))
            assert "Canari" not in repr(found.all()), table.name
    await hoa.says("menu")
    assert hoa.last.key == "menu.home"
    assert (await world.person(canary).says("/start")).key == "onboarding.welcome"


async def test_every_field_that_is_kept_can_be_changed(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/canhan")
    await hoa.taps("Sửa thông tin")
    await hoa.taps("Nơi làm việc")
    await hoa.says("sao mai")
    await hoa.taps("Đúng rồi")
    assert hoa.last.key == "profile.home" and "Sao Mai" in hoa.last.text
    await hoa.taps("Sửa thông tin")
    await hoa.taps("Nhóm")
    await hoa.says("cong chuc")
    await hoa.taps("Không rõ")
    assert hoa.last.key == "profile.home" and "công chức" in hoa.last.text
    await hoa.taps("Sửa thông tin")
    await hoa.taps("Trực tiếp sản xuất")
    await hoa.taps("Có")
    assert "Trực tiếp sản xuất: có" in hoa.last.text
    async with world.database.read() as session:
        row = await session.get_one(Person, await hoa.id())
    assert (row.audience, row.direct_production, row.confirmed) == (Audience.PUBLIC, True, False)


async def test_leaving_a_change_half_way_changes_nothing_and_is_not_asked_again(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/canhan")
    await hoa.taps("Sửa thông tin")
    await hoa.taps("Nơi làm việc")
    await hoa.says("menu")
    assert (await hoa.says("/start")).key == "menu.home"


async def test_confirming_the_same_workplace_again_keeps_what_an_officer_confirmed(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/canhan")
    await hoa.taps("Sửa thông tin")
    await hoa.taps("Nơi làm việc")
    await hoa.says("may hoa phat")
    await hoa.taps("Đúng rồi")
    async with world.database.read() as session:
        assert (await session.get_one(Person, await hoa.id())).confirmed


@pytest.mark.parametrize(("audience", "member"), [(Audience.OFFICER, "Không"), (Audience.NONMEMBER, "Có")])
async def test_a_membership_that_contradicts_the_group_asks_for_the_group(
    world: World, audience: Audience, member: str
) -> None:
    hoa = await world.joined("Bùi Thị Hoa", audience=audience)
    await hoa.says("/canhan")
    await hoa.taps("Sửa thông tin")
    await hoa.taps("Đoàn viên")
    await hoa.taps(member)
    assert hoa.last.key == "onboarding.group"
    assert (await hoa.taps("NLĐ doanh nghiệp")).key == "profile.home"


@pytest.mark.parametrize("word", ["thoi", "Thôi"])
async def test_second_thoughts_delete_nothing(world: World, word: str) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/canhan")
    await hoa.taps("Xóa tất cả")
    await hoa.taps("Tôi muốn xóa")
    await hoa.says(word)
    async with world.database.read() as session:
        assert (await session.get_one(Person, await hoa.id())).name == "Bùi Thị Hoa"


async def test_leaving_tells_those_who_wait_for_the_person_and_hands_their_work_back(world: World) -> None:
    ha = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    nam = await world.joined("Trần Văn Nam", role=Role.GRASSROOTS_CHAIR)
    lan = await world.joined("Đỗ Thị Lan")
    async with world.database.write() as session:
        chair = await session.get_one(Person, await nam.id())
        report = Report(Track.PRACTICE, "Góc đọc sách", {}, coauthors=[("Đỗ Thị Lan", 30, await lan.id())])
        sent = await submit(session, chair, report, draft_id=None, due_at=world.now, year=2025, now=world.now)
    await ha.says(f"/duyet {sent.code}")
    await ha.taps("Nhận xử lý")
    for person in (ha, lan):
        person.heard.clear()
    await nam.says("/canhan")
    assert "Quyền cán bộ" in (await nam.taps("Xóa tất cả")).text
    await nam.taps("Tôi muốn xóa")
    await nam.says("XOA")
    assert nam.last.key == "profile.deleted"
    assert sorted(ha.keys) == ["mysubmissions.withdraw_notice", "profile.role_left"]
    assert lan.keys == ["profile.report_stopped"]
    assert not any("Trần Văn Nam" in heard.text for heard in ha.heard + lan.heard)


async def test_every_kind_of_message_that_can_be_muted_is_sent_by_somebody_and_stays_away_when_muted(
    world: World,
) -> None:
    assert set(TOPICS) <= {*SENT.values(), CELEBRATION}
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/canhan")
    await hoa.taps("Tin nhắc")
    for name in ("phong trao", "ngay le", "che do, chinh sach", "khan"):
        await hoa.says(name)
        assert hoa.last.key == "profile.news"
    async with world.database.read() as session:
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None
        for topic in TOPICS:
            assert (await count(session, Rule(unit.id), "campaign", topic, world.now)).reasons == {"muted": 1}
        assert (await count(session, Rule(unit.id), "notice", "notice", world.now)).reasons == {"": 1}


async def test_the_hours_that_are_shown_are_the_hours_that_are_kept(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/canhan")
    await hoa.taps("Giờ nhận tin")
    assert "Ca đêm (22–6 giờ): 15:30–20:30" in hoa.last.text
    await hoa.says("ca dem")
    assert "Ca đêm" in hoa.last.text


async def test_a_reviewer_sees_that_a_name_was_erased_rather_than_nothing(world: World) -> None:
    ha = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    nam, lan = await world.joined("Trần Văn Nam"), await world.joined("Đỗ Thị Lan")
    async with world.database.write() as session:
        author = await session.get_one(Person, await nam.id())
        report = Report(Track.PRACTICE, "Góc đọc sách", {}, coauthors=[("Đỗ Thị Lan", 30, await lan.id())])
        sent = await submit(session, author, report, draft_id=None, due_at=world.now, year=2025, now=world.now)
        await erasure.erase(session, await lan.id(), world.now)
    assert "Trần Văn Nam 70%, (đã xóa dữ liệu) 30%" in (await ha.says(f"/duyet {sent.code}")).text


async def test_the_way_back_from_a_question_of_joining_that_was_opened_to_change_it_leads_to_the_profile(
    world: World,
) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    for opened, key in (("Nơi làm việc", "onboarding.unit_ask"), ("Nhóm", "onboarding.group")):
        await hoa.says("/canhan")
        await hoa.taps("Sửa thông tin")
        await hoa.taps(opened)
        assert hoa.last.key == key
        await hoa.says("lui")
        assert hoa.last.key == "profile.home"
