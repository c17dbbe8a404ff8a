"""Roles by invitation, once, confirmed by who invited, taken away at once; members confirmed; the QR code of a unit."""

from __future__ import annotations

import re

from sqlalchemy import func, select

from db import policy, roles
from db.models import AuditRow, Person, Role, Status
from tests.handlers.test_moderation import reviewer, sent, state
from tests.people import TestPerson, World


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
    assert an.last.key == "units.accepted_wait"


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
    assert {choice.key for choice in ha.last.choices} == {"team_leader", "grassroots_chair"}
    await ha.taps("Tổ trưởng")
    await ha.says("dien tu sao mai")
    assert ha.last.key == "units.unit_unknown"


async def test_a_worker_cannot_confirm_or_revoke_by_forged_buttons(world: World) -> None:
    ha, eve = await reviewer(world), await world.joined("Người Khác")
    link = await invites(world, ha, "Tổ trưởng", "CHUYEN5")
    await eve.says(f"/start {link}")
    for press in ("c:xacnhanquyen:2", "c:thuhoi:1", "c:thuhoi:x", "c:donvi:"):
        await eve.presses(press)
        assert eve.last.key in ("common.refused", "common.unknown"), press
    assert await held(world, eve) == []


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
    await ha.taps("Xác nhận tất cả")
    async with world.database.read() as session:
        found = await session.execute(select(Person.name).where(Person.confirmed.is_(False)))
        assert found.scalars().all() == ["Bàn Văn Minh"]


async def test_a_unit_has_a_qr_code_with_its_link(world: World) -> None:
    ha = await reviewer(world)
    await ha.says("/donvi")
    await ha.taps("Mã QR của đơn vị")
    await ha.says("MAYHOA")
    assert ha.last.key == "units.qr" and "start=u-MAYHOA" in ha.last.text
    assert (world.house.files / ha.last.message.media[0].file).read_bytes().startswith(b"\x89PNG")


async def test_the_command_lines_invitation_is_born_confirmed_but_the_third_admin_waits_for_a_second(
    world: World,
) -> None:
    from db import units

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
