"""For whom an announcement is: chosen by branches, groups, sector and membership, counted live, frozen when confirmed."""

from __future__ import annotations

from sqlalchemy import select, update

from db import audiences, broadcasts, units
from db.audiences import Rule
from db.models import (
    Account,
    Audience,
    Broadcast,
    BroadcastTarget,
    Draft,
    Grant,
    Level,
    Membership,
    OutboxRow,
    OutState,
    Person,
    Role,
    Unit,
)
from db.units import UnitRow
from tests.handlers.test_announcing import composes, goes_out, officer, receivers
from tests.people import TestPerson, World


async def begins(person: TestPerson) -> None:
    await person.says("/guitin")
    await person.taps("Thông báo")
    assert person.last.key == "announcing.audience"


async def chosen(world: World) -> Rule:
    async with world.database.read() as session:
        draft = (await session.execute(select(Draft).where(Draft.dialogue == "announcing"))).scalar_one()
        return audiences.from_json(draft.data["audience"])


async def codes(world: World) -> set[str]:
    rule = await chosen(world)
    async with world.database.read() as session:
        found = await session.execute(select(Unit.code).where(Unit.id.in_(rule.units)))
        return set(found.scalars())


async def village(world: World) -> TestPerson:
    """An officer of a commune with workers in two of its units and in a third outside."""
    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    await world.joined("Đỗ Thị Lan", unit="TRUONG", audience=Audience.PUBLIC, membership=Membership.YES)
    await world.joined("Bàn Văn Minh", unit="DIENTU")
    return ha


async def test_several_branches_are_ticked_by_button_number_and_name_and_only_they_count(world: World) -> None:
    ha = await village(world)
    await begins(ha)
    assert "Người nhận: 3 người, thuộc 3 đơn vị" in ha.last.text
    await ha.taps("Đơn vị")
    assert ha.last.key == "announcing.unit"
    await ha.taps("May Hòa Phát")
    assert await codes(world) == {"MAYHOA"}
    await ha.says("2")
    assert await codes(world) == {"MAYHOA", "TRUONG"}
    await ha.says("th cao son")  # a label typed is its button pressed
    assert await codes(world) == {"MAYHOA"}
    await ha.says("tieu hoc cao son")
    assert await codes(world) == {"MAYHOA", "TRUONG"}
    await ha.says("xong")
    assert "Người nhận: 2 người, thuộc 2 đơn vị" in ha.last.text
    rule = await chosen(world)
    async with world.database.read() as session:
        home = await units.find_by_code(session, "CAOSON")
    assert home is not None and rule.unit_id == home.id


async def test_a_name_that_fits_alone_is_said_to_be_ticked_and_has_no_number_that_would_untick_it(world: World) -> None:
    ha = await village(world)
    await begins(ha)
    await ha.taps("Đơn vị")
    await ha.says("tieu hoc cao son")
    assert await codes(world) == {"TRUONG"}
    assert "Đã chọn" in ha.last.text and "1. " not in ha.last.text
    await ha.taps("TH Cao Sơn")
    assert "1. Trường Tiểu học Cao Sơn" in ha.last.text and "Đã chọn" not in ha.last.text


async def test_numbers_tick_several_at_once_and_ticking_below_narrows(world: World) -> None:
    ha = await village(world)
    await begins(ha)
    await ha.taps("Đơn vị")
    await ha.says("1,2")
    assert await codes(world) == {"MAYHOA", "TRUONG"}
    await ha.says("chuyen 5")
    assert await codes(world) == {"CHUYEN5", "TRUONG"}
    await ha.says("cong doan xa cao son")
    assert await codes(world) == {"CAOSON"}


async def test_of_two_named_at_once_that_lie_in_each_other_the_wider_is_meant(world: World) -> None:
    ha = await village(world)
    await begins(ha)
    await ha.taps("Đơn vị")
    await ha.says("cao son")
    places = [n for n, label in enumerate(ha.last.labels, 1) if "CĐ xã" in label or "TH Cao Sơn" in label]
    assert len(places) == 2
    await ha.taps("TH Cao Sơn")
    await ha.taps("TH Cao Sơn")  # ticked and unticked: nothing stands but the whole
    await ha.says(f"{places[0]},{places[1]}")
    assert await codes(world) == {"CAOSON"}


async def test_a_unit_of_another_branch_cannot_be_reached_by_name_or_by_button(world: World) -> None:
    ha = await village(world)
    await begins(ha)
    await ha.taps("Đơn vị")
    await ha.says("dien tu sao mai")
    assert ha.last.key == "announcing.unit_unknown"
    async with world.database.read() as session:
        other = await units.find_by_code(session, "DIENTU")
    assert other is not None
    screen = next(heard.message.screen for heard in reversed(ha.heard) if heard.key == "announcing.unit")
    await ha.presses(f"s:{screen}:unit-{other.id}")
    assert await codes(world) == {"CAOSON"}


async def test_a_name_that_fits_several_units_is_asked_back_and_never_guessed(world: World) -> None:
    ha = await village(world)
    async with world.database.write() as session:
        rows = [UnitRow(f"T{n}", "Tổ cắt", "", "MAYHOA", Level.TEAM) for n in (1, 2)]
        have = (await session.execute(select(Unit))).scalars().all()
        parents = {unit.id: unit.code for unit in have}
        known = [
            UnitRow(u.code, u.name, u.short_name, parents.get(u.parent_id or 0, ""), u.level, place=u.place, zone=u.zone, sector=u.sector)
            for u in have
        ]  # fmt: skip
        await units.write(session, [*known, *rows], world.now)
    await begins(ha)
    await ha.taps("Đơn vị")
    await ha.says("to cat")
    assert "Có 2 đơn vị hợp" in ha.last.text and "1. Tổ cắt – Công ty TNHH May Hòa Phát" in ha.last.text
    assert await codes(world) == {"CAOSON"}
    await ha.says("2")
    assert await codes(world) == {"T2"}


async def test_a_place_that_several_units_are_called_after_ticks_none_of_them(world: World) -> None:
    ha = await village(world)
    await begins(ha)
    await ha.taps("Đơn vị")
    before = await codes(world)
    await ha.says("cao son")
    assert await codes(world) == before
    assert "Công đoàn xã Cao Sơn" in ha.last.text and "Trường Tiểu học Cao Sơn" in ha.last.text
    await ha.taps("TH Cao Sơn")
    assert await codes(world) == {"TRUONG"}


async def test_however_many_units_elsewhere_are_called_so_ones_own_is_found(world: World) -> None:
    ha = await village(world)
    async with world.database.write() as session:
        rows = [UnitRow(f"K{n}", f"Xưởng Mộc {n}", "", "KCN", Level.GRASSROOTS) for n in range(40)]
        await units.write(
            session, [*rows, UnitRow("MOC", "Xưởng Mộc Làng Trên", "", "CAOSON", Level.GRASSROOTS)], world.now
        )
    await begins(ha)
    await ha.taps("Đơn vị")
    await ha.says("xuong moc")
    assert await codes(world) == {"MOC"}


async def test_only_this_level_leaves_out_everything_below(world: World) -> None:
    ha = await village(world)
    await begins(ha)
    await ha.taps("Cả nhánh / cấp này")
    assert "(chỉ cấp này)" in ha.last.text and "Người nhận: 1 người" in ha.last.text


async def test_nothing_is_said_or_asked_about_the_branch_of_a_unit_that_has_none(world: World) -> None:
    ha = await village(world)
    await begins(ha)
    assert "(cả nhánh)" in ha.last.text
    await ha.taps("Đơn vị")
    await ha.says("chuyen 5")
    await ha.taps("Xong")
    assert "Đơn vị: Tổ chuyền 5\n" in ha.last.text and "whole" not in {choice.key for choice in ha.last.choices}
    await ha.taps("Đơn vị")
    await ha.says("cong doan xa cao son")
    await ha.taps("Xong")
    assert "(cả nhánh)" in ha.last.text and "whole" in {choice.key for choice in ha.last.choices}


async def test_groups_sector_membership_and_officers_narrow_the_count(world: World) -> None:
    ha = await village(world)
    await begins(ha)
    await ha.taps("Đoàn viên / chưa")
    assert "Chỉ đoàn viên" in ha.last.text and "Người nhận: 1 người" in ha.last.text
    await ha.taps("Đoàn viên / chưa")
    assert "chưa là đoàn viên hoặc chưa rõ" in ha.last.text and "Người nhận: 2 người" in ha.last.text
    await ha.taps("Đoàn viên / chưa")
    await ha.taps("Ngành")
    await ha.taps("giáo dục")
    assert "Ngành: giáo dục" in ha.last.text and "Người nhận: 1 người" in ha.last.text
    await ha.taps("Ngành")
    await ha.taps("Tất cả các ngành")
    await ha.taps("Chỉ cán bộ")
    assert "Chỉ tổ trưởng, cán bộ" in ha.last.text and "Người nhận: 1 người" in ha.last.text
    assert ha.last.offers("✅ Chỉ cán bộ")  # pressed once more it is off
    await ha.taps("Chỉ cán bộ")
    assert not ha.last.offers("✅ Chỉ cán bộ")
    await ha.taps("Nhóm")
    await ha.says("2,3")
    await ha.taps("Xong")
    assert "NLĐ DN, CBCCVC" in ha.last.text and "Người nhận: 3 người" in ha.last.text
    await ha.taps("Nhóm")
    await ha.taps("NLĐ DN")
    await ha.taps("Xong")
    assert "Người nhận: 1 người" in ha.last.text


async def test_nobody_left_is_said_and_nothing_goes_on(world: World) -> None:
    ha = await officer(world)
    await begins(ha)
    await ha.taps("Nhóm")
    await ha.taps("Chưa đoàn viên")
    await ha.taps("Xong")
    assert "Người nhận: 0 người" in ha.last.text
    await ha.taps("Tiếp")
    assert ha.last.key == "announcing.audience_nobody"


async def test_who_has_had_all_messages_of_the_day_is_not_nobody_and_an_hour_can_be_set_for_tomorrow(
    world: World,
) -> None:
    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    await composes(ha, "Mời anh/chị họp.")
    await ha.taps("Xác nhận")
    await goes_out(world)
    await begins(ha)
    assert "Người nhận: 0 người" in ha.last.text and "Đã nhận đủ số tin: 2 người" in ha.last.text
    await ha.taps("Tiếp")
    told = next(heard.text for heard in ha.heard if heard.key == "announcing.audience_capped")
    assert "Cả 2 người" in told and "từ ngày 26/7" in told
    await ha.says("Tin thứ hai.")
    for label in ("Tiếp", "Tiếp", "Gửi ngay", "Xác nhận"):
        await ha.taps(label)
    assert ha.last.key == "announcing.audience_capped"
    for label in ("Sửa", "Giờ gửi", "Hẹn giờ"):
        await ha.taps(label)
    await ha.says("8h sáng mai")
    assert ha.last.key == "announcing.confirm" and "Người nhận: 2 " in ha.last.text


async def test_another_audience_chosen_after_the_hour_leaves_the_hour_as_it_was(world: World) -> None:
    ha = await village(world)
    await composes(ha, "Mời anh/chị họp.", when="Hẹn giờ")
    await ha.says("8h sáng mai")
    for label in ("Sửa", "Người nhận", "Đơn vị", "May Hòa Phát", "Xong", "Tiếp"):
        await ha.taps(label)
    assert "8 giờ ngày 26/7/2025" in ha.last.text and "Người nhận: 1 " in ha.last.text


async def test_everybody_left_out_is_counted_by_the_first_reason_that_holds(world: World) -> None:
    ha = await officer(world, "Nguyễn Thị Hương", "MAYHOA", Role.GRASSROOTS_CHAIR)
    for name, values in (
        ("Tắt", {"news": False}), ("Tắt Loại", {"muted_topics": ["notice"]}), ("Ngừng", {"processing": False}),
        ("Mới", {"confirmed": False}), ("Đủ", {}), ("Chặn", {}),
    ):  # fmt: skip
        await world.joined(name, **values)
    await world.people["Chặn"].sends(place="gone")
    async with world.database.write() as session:
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None
        first = await broadcasts.create(
            session, author_id=await ha.id(), kind="notice", topic="notice", unit_id=unit.id,
            audience=Rule(unit.id), number=2, text="x", media=[], timing="now", send_at=world.now, second=False,
            year=2025, now=world.now,
        )  # fmt: skip
        await session.execute(
            update(BroadcastTarget).where(BroadcastTarget.broadcast_id == first.id).values(state="planned")
        )
        full = await world.people["Đủ"].id()
        account = (await session.execute(select(Account).where(Account.person_id == full))).scalar_one()
        session.add(
            OutboxRow(
                policy="amo", lane=2, kind="notice", account_id=account.id, person_id=full, channel=account.channel,
                address=account.address, broadcast_id=first.id, payload={}, state=OutState.SENT, not_before=world.now,
                created_at=world.now,
            )
        )  # fmt: skip
    await begins(ha)
    text = ha.last.text
    assert "Người nhận: 1 người" in text and "2 người tắt tin, 1 người đã chặn" in text
    assert "1 người ngừng xử lý dữ liệu" in text and "1 người chưa xác nhận" in text
    assert "Đã nhận đủ số tin: 1 người" in text


async def test_who_is_meant_is_frozen_at_confirmation(world: World) -> None:
    ha = await village(world)
    hoa = world.people["Bùi Thị Hoa"]
    await composes(ha, "Mời anh/chị họp.", when="Hẹn giờ")
    await ha.says("8h sáng mai")
    await ha.taps("Xác nhận")
    await world.joined("Người Sau")
    async with world.database.write() as session:
        school, factory = await units.find_by_code(session, "TRUONG"), await units.find_by_code(session, "DIENTU")
        assert school is not None and factory is not None
        (await session.get_one(Person, await hoa.id())).unit_id = school.id
        (await session.get_one(Person, await world.people["Đỗ Thị Lan"].id())).unit_id = factory.id
    world.later(hours=16)
    await goes_out(world)
    assert await receivers(world) == {"Lê Thu Hà", "Bùi Thị Hoa"}  # moved within her reach: yes; out of it: no
    async with world.database.read() as session:
        reasons = await session.execute(
            select(Person.name, BroadcastTarget.reason).join(Person, Person.id == BroadcastTarget.person_id)
        )
        assert dict(list(reasons)) == {"Lê Thu Hà": "", "Bùi Thị Hoa": "", "Đỗ Thị Lan": "moved"}


async def test_two_branches_that_no_single_part_covers_are_two_messages(world: World) -> None:
    ha = await village(world)
    async with world.database.write() as session:
        park = await units.find_by_code(session, "KCN")
        assert park is not None
        session.add(
            Grant(
                person_id=await ha.id(), role=Role.UPPER_OFFICER, unit_id=park.id, granted_at=world.now,
                confirmed_at=world.now,
            )
        )  # fmt: skip
    await begins(ha)
    await ha.taps("Đơn vị")
    await ha.taps("Lên cấp trên")
    await ha.taps("CĐ KCN")
    assert "announcing.unit_apart" in ha.keys and await codes(world) == {"KCN"}
    await ha.taps("CĐ xã Cao Sơn")
    assert await codes(world) == {"CAOSON"}


async def test_the_audience_as_told_is_what_a_broadcast_keeps(world: World) -> None:
    ha = await village(world)
    await begins(ha)
    await ha.taps("Đơn vị")
    await ha.says("1,2")
    await ha.taps("Xong")
    await ha.taps("Tiếp")
    await ha.says("Mời anh/chị họp.")
    await ha.says("tiếp")
    await ha.taps("Tiếp")
    await ha.taps("Gửi ngay")
    await ha.taps("Xác nhận")
    await goes_out(world)
    assert await receivers(world) == {"Bùi Thị Hoa", "Đỗ Thị Lan"}
    async with world.database.read() as session:
        broadcast = (await session.execute(select(Broadcast))).scalar_one()
    assert broadcast.audience["count"] == 2 and len(broadcast.audience["branches"]) == 2
