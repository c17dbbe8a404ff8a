"""Roles by invitation, once, confirmed by who invited, taken away at once; members confirmed; the QR code of a unit."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from content import disk
from db import broadcasts, policy, roles, units
from db.audiences import Rule
from db.models import AuditRow, Broadcast, BroadcastState, Grant, Person, Role, Status, UnitRequest
from scheduler import broadcasts as planner
from tests.handlers.test_moderation import reviewer, sent, state
from tests.people import TestPerson, World, work_of


async def invites(world: World, inviter: TestPerson, role: str, unit: str) -> str:
    await inviter.says("/donvi")
    await inviter.taps("Mời cán bộ")
    await inviter.taps(role)
    await inviter.says(unit)
    assert inviter.last.key == "units.invited"
    found = re.search(r"/start (i-\w+)", inviter.last.text)
    assert found is not None
    return found.group(1)


async def held(world: World, person: TestPerson) -> list[Role]:
    async with world.database.read() as session:
        return [role for role, _ in await policy.roles(session, await person.id())]


async def test_an_invitation_works_once_and_counts_when_the_inviter_confirms(world: World) -> None:
    ha = await reviewer(world)
    an, eve = await world.joined("Quách Văn An"), await world.joined("Người Khác")
    link = await invites(world, ha, "Chủ tịch CĐCS", "may hoa phat")
    await an.says(f"/start {link}")
    assert an.last.key == "units.accepted_wait" and await held(world, an) == []
    await eve.says(f"/start {link}")
    assert eve.last.key == "units.bad_invitation"
    assert ha.last.key == "units.confirm_grant"
    await ha.taps("Đúng")
    assert await held(world, an) == [Role.GRASSROOTS_CHAIR]
    assert an.last.key == "units.confirmed_notice"


@pytest.mark.parametrize(
    ("typed", "role"),
    [
        ("Chu tich CDCS", "Chủ tịch CĐCS"), ("chu tich", "Chủ tịch CĐCS"), ("chủ tịch công đoàn cơ sở", "Chủ tịch CĐCS"),
        ("to truong", "Tổ trưởng"), ("CAP TREN", "Cán bộ cấp trên"), ("tuyên giáo", "Cán bộ tuyên giáo"),
        ("xet duyet", "Cán bộ xét duyệt"), ("lanh dao", "Lãnh đạo"), ("quan tri", "Quản trị hệ thống"),
        ("truong", ""),
    ],
)  # fmt: skip
async def test_a_role_is_chosen_by_any_clear_part_of_its_name(world: World, typed: str, role: str) -> None:
    admin = await world.joined("Đỗ Văn Quản", unit="TINH", role=Role.SYSTEM_ADMIN)
    await admin.says("/donvi")
    await admin.taps("Mời cán bộ")
    await admin.says(typed)
    if not role:
        assert admin.last.key == "common.choose"
        return
    assert admin.last.key == "units.pick_unit"
    await admin.says("TINH")
    assert admin.last.key == "units.invited" and role in admin.last.text


async def test_a_stranger_joins_first_and_the_invitation_waits(world: World) -> None:
    ha = await reviewer(world)
    link = await invites(world, ha, "Tổ trưởng", "CHUYEN5")
    an = world.person("Quách Văn An")
    await an.says(f"/start {link}")
    for label in ("Bắt đầu", "Tôi đồng ý", "Không, tôi tự xem"):
        await an.taps(label)
    await an.says("may hoa phat")
    await an.taps("Đúng rồi")
    await an.taps("Cán bộ công đoàn")
    await an.taps("Tiếp tục")
    assert an.last.key == "units.own_name" and "units.confirm_grant" not in ha.keys
    await an.says("quách văn an")
    assert an.last.key == "units.accepted_wait"
    assert ha.last.key == "units.confirm_grant" and ha.last.text.startswith("Quách Văn An ")


@pytest.mark.parametrize("meanwhile", ["canbo", "sang kien", "/hoso"])
async def test_an_invitation_outlives_whatever_is_asked_for_while_joining(world: World, meanwhile: str) -> None:
    ha = await reviewer(world)
    link = await invites(world, ha, "Tổ trưởng", "CHUYEN5")
    an = world.person("Quách Văn An")
    await an.says(f"/start {link}")
    for label in ("Bắt đầu", "Tôi đồng ý", "Không, tôi tự xem"):
        await an.taps(label)
    await an.says("may hoa phat")
    await an.taps("Đúng rồi")
    await an.says(meanwhile)
    await an.taps("Cán bộ công đoàn")
    await an.taps("Tiếp tục")
    assert an.last.key == "units.own_name"


async def nameless(world: World, name: str) -> TestPerson:
    """Somebody who joined alone and has not written a name."""
    person = await world.joined(name, confirmed=False)
    async with world.database.write() as session:
        (await session.get_one(Person, await person.id())).name = ""
    return person


async def test_who_is_invited_before_joining_is_told_what_goes_on_after_it(world: World) -> None:
    ha = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    link = await invites(world, ha, "Tổ trưởng", "CHUYEN5")
    new = world.person("Mới")
    await new.says(f"/start {link}")
    for typed in ("dong y", "dong y", "khong", "may hoa phat", "dung roi"):
        await new.says(typed)
    await new.taps("Cán bộ công đoàn")
    assert new.last.key == "onboarding.go_on" and "nhận lời mời làm cán bộ" in new.last.text
    assert (await new.says("tiep")).key == "units.own_name"


async def test_an_invitation_waits_while_the_invited_person_has_no_name(world: World) -> None:
    ha, an = await reviewer(world), await nameless(world, "Quách Văn An")
    link = await invites(world, ha, "Tổ trưởng", "CHUYEN5")
    await an.says(f"/start {link}")
    await an.says("An")
    assert an.last.key == "profile.name_one_word"
    await an.says("menu")
    await an.says(f"/start {link}")
    await an.says("Quách Văn An")
    assert an.last.key == "units.accepted_wait"


async def test_a_dead_invitation_is_told_before_a_name_is_asked(world: World) -> None:
    ha, an = await reviewer(world), await nameless(world, "Quách Văn An")
    link = await invites(world, ha, "Tổ trưởng", "CHUYEN5")
    world.later(hours=73)
    await an.says(f"/start {link}")
    assert an.last.key == "units.bad_invitation"


async def test_a_sentence_about_somebody_without_a_name_begins_like_a_sentence(world: World) -> None:
    ha = await reviewer(world)
    await nameless(world, "Không Tên")
    await ha.says("/donvi")
    await ha.taps("Xác nhận đoàn viên")
    assert "1. Người chưa ghi tên – " in ha.last.text
    await ha.says("1")
    assert ha.last.text.startswith("Người chưa ghi tên tham gia")


@pytest.mark.parametrize("token", ["-_-aB3xyz-__-9", "_" + "Q" * 23, "--" + "z" * 22])
async def test_every_letter_the_command_line_draws_survives_the_way_into_the_chat(world: World, token: str) -> None:
    an = await world.joined("Quách Văn An")
    async with world.database.write() as session:
        top = await units.top(session)
        assert top is not None
        await roles.invite(session, token=token, role=Role.LEADER, unit_id=top.id, invited_by=None, now=world.now)
    await an.says(f"/start i-{token}")
    assert "units.accepted_now" in an.keys and await held(world, an) == [Role.LEADER]


async def test_an_expired_invitation_says_so_kindly(world: World) -> None:
    ha, an = await reviewer(world), await world.joined("Quách Văn An")
    link = await invites(world, ha, "Tổ trưởng", "CHUYEN5")
    world.later(hours=73)
    await an.says(f"/start {link}")
    assert an.last.key == "units.bad_invitation" and await held(world, an) == []


async def test_nobody_invites_above_or_beside_themselves(world: World) -> None:
    ha = await reviewer(world)
    await ha.says("/donvi")
    await ha.taps("Mời cán bộ")
    assert {choice.key for choice in ha.last.choices} == {"team_leader", "grassroots_chair", "_back"}
    await ha.taps("Tổ trưởng")
    await ha.says("dien tu sao mai")
    assert ha.last.key == "units.unit_unknown"


async def test_a_forged_button_learns_nothing_missing_and_forbidden_look_the_same(world: World) -> None:
    ha, eve = await reviewer(world), await world.joined("Người Khác")
    link = await invites(world, ha, "Tổ trưởng", "CHUYEN5")
    await eve.says(f"/start {link}")
    for press in ("c:xacnhanquyen:2", "c:xacnhanquyen:99", "c:thuhoi:1", "c:thuhoi:99"):
        await eve.presses(press)
        assert eve.last.key == "common.not_found", press
    for press in ("c:thuhoi:x", "c:xacnhanquyen:", "c:thuhoi:1:2", f"c:thuhoi:{9**30}"):
        await eve.presses(press)
        assert eve.last.key == "common.unknown", press
    assert await held(world, eve) == [] and await held(world, ha) == [Role.UPPER_OFFICER]


@pytest.mark.parametrize("code", ["i-", "i-x", "i-" + "a" * 26, "i-" + "b" * 500, "i-' OR 1=1 --", "i-\u202eabc"])
async def test_a_forged_invitation_is_answered_like_an_expired_one(world: World, code: str) -> None:
    an = await world.joined("Quách Văn An")
    await an.says(f"/start {code}")
    assert an.last.key in ("units.bad_invitation", "menu.home") and await held(world, an) == []


async def test_ones_own_invitation_gives_nothing_and_stays_for_the_one_it_is_for(world: World) -> None:
    ha, an = await reviewer(world), await world.joined("Quách Văn An")
    link = await invites(world, ha, "Tổ trưởng", "CHUYEN5")
    await ha.says(f"/start {link}")
    assert ha.last.key == "units.own_invitation"
    await an.says(f"/start {link}")
    assert an.last.key == "units.accepted_wait"


async def test_an_invitation_dies_with_the_right_of_who_gave_it(world: World) -> None:
    ha, an = await reviewer(world), await world.joined("Quách Văn An")
    link = await invites(world, ha, "Tổ trưởng", "CHUYEN5")
    await takes_away(world, await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER), ha)
    await an.says(f"/start {link}")
    assert an.last.key == "units.bad_invitation"


async def test_the_same_role_given_twice_is_one_and_gone_when_taken(world: World) -> None:
    ha, an = await reviewer(world), await world.joined("Quách Văn An")
    for _ in range(2):
        await an.says(f"/start {await invites(world, ha, 'Tổ trưởng', 'CHUYEN5')}")
        if an.last.key == "units.accepted_wait":
            await ha.taps("Đúng")
    assert await held(world, an) == [Role.TEAM_LEADER]
    await takes_away(world, ha, an)
    assert await held(world, an) == []


async def takes_away(world: World, officer: TestPerson, person: TestPerson) -> None:
    async with world.database.read() as session:
        query = select(Grant.id).where(Grant.person_id == await person.id(), Grant.revoked_at.is_(None))
        grant_id = (await session.execute(query)).scalar_one()
    await officer.presses(f"c:thuhoi:{grant_id}")
    await officer.taps("Thu hồi")
    assert "units.revoked" in officer.keys


async def test_what_a_revoked_officer_had_planned_is_held_and_those_above_are_told(world: World) -> None:
    dai = await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)
    ha = await reviewer(world)
    async with world.database.write() as session:
        unit = await units.find_by_code(session, "CAOSON")
        assert unit is not None
        made = await broadcasts.create(
            session, author_id=await ha.id(), kind="notice", topic="notice", unit_id=unit.id, text="Mời họp", media=[],
            audience=Rule(unit.id), number=2, timing="at", send_at=world.now + timedelta(days=1), second=False, year=2025,
            now=world.now,
        )  # fmt: skip
    await takes_away(world, dai, ha)
    async with world.database.read() as session:
        assert (await session.get_one(Broadcast, made.id)).state == BroadcastState.HELD
        actions = (await session.execute(select(AuditRow.action))).scalars().all()
    assert "hold_broadcast" in actions and "revoke_role" in actions
    for _ in range(2):
        await planner.run(work_of(world))
        world.later(seconds=1)
    await world.deliver()
    assert dai.keys.count("announcing.held_notice") == 1 and ha.last.key == "units.revoked_notice"


async def test_taking_a_role_away_returns_the_work_at_once(world: World) -> None:
    dai = await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    await ha.says(f"/duyet {code}")
    await ha.taps("Nhận xử lý")
    await dai.says("/donvi")
    await dai.taps("Ai đang có quyền")
    await dai.says("1")
    await dai.taps("Thu hồi")
    assert (await state(world, code)).status == Status.SENT and await held(world, ha) == []
    assert ha.last.key == "units.revoked_notice"
    async with world.database.read() as session:
        found = select(func.count()).select_from(AuditRow).where(AuditRow.action == "revoke_role")
        assert (await session.execute(found)).scalar_one() == 1


async def test_members_are_confirmed_by_their_own_officer(world: World) -> None:
    ha = await reviewer(world)
    await world.joined("Bùi Thị Hoa", confirmed=False)
    await world.joined("Bàn Văn Minh", unit="DIENTU", confirmed=False)
    await ha.says("/donvi")
    await ha.taps("Xác nhận đoàn viên")
    assert "Bùi Thị Hoa" in ha.last.text and "Bàn Văn Minh" not in ha.last.text
    await ha.taps("Đúng cả danh sách")
    async with world.database.read() as session:
        found = await session.execute(select(Person.name).where(Person.confirmed.is_(False)))
        assert found.scalars().all() == ["Bàn Văn Minh"]


async def test_a_unit_has_a_qr_code_with_its_link(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real, where = disk.write, []

    def write(file: Path, data: bytes) -> None:
        where.append(threading.current_thread())
        real(file, data)

    monkeypatch.setattr(disk, "write", write)
    ha = await reviewer(world)
    await ha.says("/donvi")
    await ha.taps("Mã QR của đơn vị")
    await ha.says("MAYHOA")
    assert ha.last.key == "units.qr" and "start=u-MAYHOA" in ha.last.text
    assert (world.house.files / ha.last.message.media[0].file).read_bytes().startswith(b"\x89PNG")
    assert len(where) == 1 and where[0] is not threading.main_thread(), "others are answered while the disk is slow"


async def test_the_command_lines_invitation_is_born_confirmed_but_the_third_admin_waits_for_a_second(
    world: World,
) -> None:
    people = [await world.joined(name) for name in ("Một", "Hai", "Ba")]
    for n, person in enumerate(people):
        async with world.database.write() as session:
            top = await units.top(session)
            assert top is not None
            await roles.invite(
                session, token=f"token-{n}", role=Role.SYSTEM_ADMIN, unit_id=top.id, invited_by=None, now=world.now
            )
        await person.says(f"/start i-token-{n}")
    assert await held(world, people[0]) == await held(world, people[1]) == [Role.SYSTEM_ADMIN]
    assert await held(world, people[2]) == [] and people[0].last.key == "units.confirm_grant"
    await people[0].taps("Đúng")
    assert await held(world, people[2]) == [Role.SYSTEM_ADMIN]


async def test_one_administrator_cannot_make_a_third_alone(world: World) -> None:
    first, second = [await world.joined(name, unit="TINH", role=Role.SYSTEM_ADMIN) for name in ("Một", "Hai")]
    third = await world.joined("Ba")
    await third.says(f"/start {await invites(world, first, 'Quản trị hệ thống', 'TINH')}")
    assert "units.confirm_grant" not in first.keys and second.last.key == "units.confirm_grant"
    forged = next(c for c in second.last.choices if c.command == "xacnhanquyen")
    await first.presses(f"c:xacnhanquyen:{forged.arg}")
    assert first.last.key == "units.second_admin" and await held(world, third) == []
    await second.taps("Đúng")
    assert await held(world, third) == [Role.SYSTEM_ADMIN]


async def test_two_units_that_sound_alike_are_shown_and_only_those_within_reach(world: World) -> None:
    dai, ha = await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER), await reviewer(world)
    for officer, expected in (
        (dai, ["Công đoàn xã Cao Sơn", "Trường Tiểu học Cao Sơn"]),
        (ha, ["Công đoàn xã Cao Sơn"]),
    ):
        await officer.says("/donvi")
        await officer.taps("Mời cán bộ")
        await officer.taps("Tổ trưởng")
        await officer.says("cao")
        assert officer.last.key == "units.unit_found"
        assert all(name in officer.last.text for name in expected)
    await ha.says("2")
    assert ha.last.key == "units.invited"
    assert "Sao Mai" not in "".join(heard.text for heard in ha.heard)
    await dai.says("sao mai")
    assert dai.last.key == "units.invited" and "Sao Mai" in dai.last.text


async def test_a_place_that_several_units_are_called_after_is_asked_about(world: World) -> None:
    tien = await world.joined("Hoàng Minh Tiến", unit="TINH", role=Role.UPPER_OFFICER)
    await tien.says("/donvi")
    await tien.taps("Mã QR của đơn vị")
    await tien.says("cao son")
    assert tien.last.key == "units.unit_found"
    assert "Công đoàn xã Cao Sơn" in tien.last.text and "Trường Tiểu học Cao Sơn" in tien.last.text
    await tien.says("cong doan xa cao son")
    assert tien.last.key == "units.qr" and "CAOSON" in tien.last.text


async def test_each_purpose_starts_where_its_own_role_reaches(world: World) -> None:
    """Reviewer of the province, chair of one union: invitations begin at the union."""
    huong = await world.joined("Nguyễn Thị Hương", unit="TINH", role=Role.REVIEWER)
    async with world.database.write() as session:
        home = await units.find_by_code(session, "MAYHOA")
        assert home is not None
        grant = Grant(person_id=await huong.id(), role=Role.GRASSROOTS_CHAIR, unit_id=home.id, granted_at=world.now)
        grant.confirmed_at = world.now
        session.add(grant)
    await huong.says("/donvi")
    await huong.taps("Mời cán bộ")
    await huong.taps("Tổ trưởng")
    await huong.taps("May Hòa Phát")
    assert huong.last.key == "units.invited" and "May Hòa Phát" in huong.last.text


async def test_confirming_the_list_confirms_exactly_those_who_were_on_it(world: World) -> None:
    ha = await reviewer(world)
    for n in range(6):
        await world.joined(f"Người Thứ {n}", confirmed=False)
    await ha.says("/donvi")
    await ha.taps("Xác nhận đoàn viên")
    await ha.taps("Đúng cả danh sách")
    async with world.database.read() as session:
        query = select(Person.name).where(Person.confirmed.is_(False))
        assert (await session.execute(query)).scalars().all() == ["Người Thứ 5"]
    assert ha.last.key == "units.members"
    assert "Người Thứ 5" in ha.last.text and "Người Thứ 4" not in ha.last.text


async def test_back_from_the_list_does_not_lead_to_somebody_who_waits_no_more(world: World) -> None:
    an = await world.joined("Quách Văn An", role=Role.GRASSROOTS_CHAIR)
    for name in ("Bùi Thị Hoa", "Bàn Văn Minh"):
        await world.joined(name, confirmed=False)
    await an.says("/donvi")
    await an.taps("Xác nhận đoàn viên")
    await an.says("1")
    await an.taps("Đúng")
    assert an.last.key == "units.members"
    await an.says("lui")
    assert an.last.key == "units.home"


async def test_somebody_from_elsewhere_is_declined_kindly_and_chooses_again(world: World) -> None:
    an, eve = await world.joined("Quách Văn An", role=Role.GRASSROOTS_CHAIR), await world.joined("Lạ", confirmed=False)
    await an.says("/donvi")
    await an.taps("Xác nhận đoàn viên")
    await an.says("1")
    await an.taps("Không phải ở đây")
    assert eve.last.key == "units.declined_notice" and an.last.key == "units.members"
    async with world.database.read() as session:
        person = await session.get_one(Person, await eve.id())
    assert person.unit_id is None and not person.confirmed
    await eve.taps("Cá nhân")
    assert eve.last.key == "profile.home"


async def test_a_unit_has_a_qr_code_for_every_open_channel(world: World) -> None:
    world.house.links.update(telegram="https://t.me/congdoan_bot?start={}", webchat="https://chat.example/?start={}")
    del world.house.links["test"]
    an = await world.joined("Quách Văn An", role=Role.GRASSROOTS_CHAIR)
    await an.says("/donvi")
    await an.taps("Mã QR của đơn vị")
    await an.says("chuyen 5")
    pictures = [heard for heard in an.heard if heard.key == "units.qr"]
    assert [len(heard.choices) for heard in pictures] == [0, 2]  # the way on stands below the last one
    assert [heard.message.media[0].name for heard in pictures] == ["CHUYEN5-telegram.png", "CHUYEN5-webchat.png"]
    assert "https://t.me/congdoan_bot?start=u-CHUYEN5" in pictures[0].text and "start=u-CHUYEN5" in pictures[1].text
    assert len({heard.message.media[0].file for heard in pictures}) == 2


async def wrote(world: World, name: str, text: str) -> TestPerson:
    """Somebody who joined and typed a workplace that was not found."""
    person = await world.joined(name, unit_id=None)
    async with world.database.write() as session:
        session.add(UnitRequest(person_id=await person.id(), text=text, created_at=world.now))
    return person


async def unit_of(world: World, person: TestPerson) -> str:
    async with world.database.read() as session:
        home = (await session.get_one(Person, await person.id())).unit_id
        return "" if home is None else (await units.get(session, home)).code


async def opens_requests(officer: TestPerson) -> None:
    await officer.says("/donvi")
    await officer.taps("Nơi làm việc mới ghi")
    assert officer.last.key == "units.requests"
    await officer.says("1")
    assert officer.last.key == "units.request"


async def test_a_workplace_somebody_typed_is_matched_and_they_are_told(world: World) -> None:
    tien = await world.joined("Hoàng Minh Tiến", unit="TINH", role=Role.UPPER_OFFICER)
    first, second = (
        await wrote(world, "Một", "may hoa phat, xã Cao Sơn"),
        await wrote(world, "Hai", "Xí nghiệp điện tử"),
    )
    await tien.says("/canbo")
    assert "2 nơi làm việc mới ghi" in tien.last.text
    await opens_requests(tien)
    await tien.taps("May Hòa Phát")
    assert await unit_of(world, first) == "MAYHOA" and first.last.key == "units.workplace_set"
    await tien.says("1")
    await tien.taps("Đơn vị khác")
    await tien.says("sao mai")
    assert await unit_of(world, second) == "DIENTU" and tien.last.key == "units.requests"
    assert "Không có nơi nào" in tien.last.text


async def test_a_workplace_that_is_only_partly_known_is_offered_to_be_matched(world: World) -> None:
    tien = await world.joined("Hoàng Minh Tiến", unit="TINH", role=Role.UPPER_OFFICER)
    an = await wrote(world, "Một", "Xí nghiệp May Hòa số 9 cũ, xã Cao Sơn")
    await opens_requests(tien)
    assert tien.last.choices[0].label == "✅ May Hòa Phát"
    await tien.taps("May Hòa Phát")
    assert await unit_of(world, an) == "MAYHOA" and "units.request_matched" in tien.keys


async def test_a_workplace_nobody_knew_is_made_with_a_code_of_its_own(world: World) -> None:
    tien = await world.joined("Hoàng Minh Tiến", unit="TINH", role=Role.UPPER_OFFICER)
    an = await wrote(world, "Một", "Xưởng mộc ông Tư, xã Cao Sơn")
    await opens_requests(tien)
    await tien.taps("Tạo mới")
    await tien.says("Xưởng mộc ông Tư")
    assert tien.last.key == "units.pick_parent"
    await tien.says("CAOSON")
    assert tien.last.key == "units.new_sure" and "XUONG-MOC-ONG-TU" in tien.last.text
    await tien.taps("Tạo")
    assert "units.request_created" in tien.keys and "units.request_matched" not in tien.keys
    assert await unit_of(world, an) == "XUONG-MOC-ONG-TU" and an.last.key == "units.workplace_set"
    async with world.database.read() as session:
        assert {"create_unit", "match_workplace"} <= set((await session.execute(select(AuditRow.action))).scalars())


async def test_a_workplace_that_says_nothing_goes_back_with_a_kind_word(world: World) -> None:
    tien = await world.joined("Hoàng Minh Tiến", unit="TINH", role=Role.UPPER_OFFICER)
    an = await wrote(world, "Một", "chỗ tôi làm")
    await opens_requests(tien)
    await tien.taps("Không rõ nơi nào")
    assert an.last.key == "units.workplace_refused" and await unit_of(world, an) == ""


async def test_typed_workplaces_are_for_those_who_keep_the_whole_tree_and_are_settled_once(world: World) -> None:
    ha = await reviewer(world)
    tien, mai = [await world.joined(name, unit="TINH", role=Role.UPPER_OFFICER) for name in ("Tiến", "Mai")]
    await wrote(world, "Một", "may hoa phat")
    await ha.says("/donvi")
    assert "requests" not in {choice.key for choice in ha.last.choices}
    await opens_requests(tien)
    await opens_requests(mai)
    await tien.taps("May Hòa Phát")
    await mai.taps("May Hòa Phát")
    assert mai.last.key == "units.request_gone"
