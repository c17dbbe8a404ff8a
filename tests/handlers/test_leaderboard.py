"""The board of the last result: bands, dated denominators, small numbers that do not speak, and only names that may be shown."""

from __future__ import annotations

import io
from datetime import date, timedelta
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select, update

from content.leaderboard import Standing, band_name, by_number, by_share, first
from db import contests
from db.models import AuditRow, Board, Job, JobState, Person, Result, Round, Unit
from scheduler import jobs
from tests.desks import counted, handed_in, officer
from tests.people import World, work_of
from tests.weeks import RESULT, week


def unit(number: int, people: int, members: int | None, band: int | None = 200) -> Standing:
    return Standing(number, f"Đơn vị {number}", people, members, date(2025, 6, 1), band if members else None)


def test_shares_are_ranked_within_their_band_and_equal_ones_share_a_place() -> None:
    found = [
        unit(1, 156, 250),
        unit(2, 145, 250),
        unit(3, 290, 500, 500),
        unit(4, 156, 250),
        unit(5, 4, 200),
        unit(6, 90, None),
    ]
    assert [(rank, each.unit) for rank, each in by_share(found, 200)] == [(1, 1), (1, 4), (3, 2)]
    assert [(rank, each.unit) for rank, each in by_number(found)] == [(1, 3), (2, 1), (2, 4), (4, 2), (5, 6)]
    assert unit(7, 300, 250).share == 1.0 and unit(6, 9, None).share is None
    assert [band_name([0, 50, 200, 500], band) for band in (0, 50, 200, 500)] == [
        (0, 49),
        (50, 199),
        (200, 499),
        (500, None),
    ]


def test_collective_prizes_go_to_the_most_people_and_to_the_highest_share() -> None:
    found = [unit(1, 400, 900, 500), unit(2, 30, 40, 0), unit(3, 4, 4, 0), unit(4, 90, None)]
    best = [first(found, key) for key in ("number", "ratio")]
    assert [each.unit for each in best if each is not None] == [1, 2]
    assert first(found[2:3], "number") is None and first(found[3:], "ratio") is None


async def test_collective_prizes_stand_with_the_others(world: World) -> None:
    mai = await officer(world)
    round_id = await results(world, {"MAYHOA": (156, 250), "TRUONG": (29, 32)})
    async with world.database.write() as session:
        round_ = await contests.get_round(session, round_id)
        round_.awarded_at = world.now
        round_.collective = [
            {"key": "number", "name": "Giải Nhất tập thể", "worth": "", "level": "grassroots"},
            {"key": "ratio", "name": "Cờ luân lưu", "worth": "", "level": "grassroots"},
        ]
    await mai.presses(f"c:giaithuong:{round_id}.1")
    assert "Giải Nhất tập thể: Công ty TNHH May Hòa Phát (đông người dự thi nhất)" in mai.last.text
    assert "Cờ luân lưu: Trường Tiểu học Cao Sơn (tỷ lệ dự thi cao nhất)" in mai.last.text


async def results(world: World, rows: dict[str, tuple[int, int | None]]) -> int:
    """A published round: unit code → people who took part, members."""
    round_id = await week(world)
    await counted(world, round_id, rows)
    return round_id


async def test_the_board_begins_with_ones_own_band_and_dates_its_denominators(world: World) -> None:
    await results(world, {"MAYHOA": (156, 250), "DIENTU": (145, 250), "TRUONG": (20, 30)})
    hoa = await world.joined("Bùi Thị Hoa", unit="CHUYEN5")
    await hoa.says("xep hang")
    text = hoa.last.text
    assert "nhóm 200–499 đoàn viên" in text and "1. Công ty TNHH May Hòa Phát: 62,4% (156/250)" in text
    assert "thứ 1/2, 62,4%" in text and "01/6/2025" in text and "Tiểu học" not in text
    await hoa.taps("Theo số người")
    assert "3. Trường Tiểu học Cao Sơn: 20 người" in hoa.last.text
    await hoa.taps("Theo tỷ lệ")
    for band in ("từ 500 đoàn viên", "dưới 50 đoàn viên"):
        await hoa.taps("Nhóm khác")
        assert band in hoa.last.text
    assert "66,7% (20/30)" in hoa.last.text


async def test_small_numbers_do_not_speak_and_an_unknown_denominator_is_said(world: World) -> None:
    await results(world, {"MAYHOA": (97, 100), "DIENTU": (30, None), "TRUONG": (4, 60)})
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/xephang")
    assert "May Hòa Phát: trên 95%" in hoa.last.text and "97" not in hoa.last.text and "Tiểu học" not in hoa.last.text
    lan = await world.joined("Đỗ Thị Lan", unit="TRUONG")
    await lan.says("/xephang")
    assert "dưới 5 người dự thi" in lan.last.text
    nam = await world.joined("Trần Văn Nam", unit="DIENTU")
    await nam.says("/xephang")
    assert "30 người, chưa có số đoàn viên" in nam.last.text and "%" not in nam.last.text.partition("Sao Mai")[2]


async def test_only_people_who_said_so_are_named(world: World) -> None:
    round_id = await results(world, {"MAYHOA": (9, 100)})
    shown = (
        ("Bùi Thị Hoa", Board.FULL),
        ("Trần Văn Nam", Board.SHORT),
        ("Đỗ Thị Lan", Board.HIDDEN),
        ("Lê Thị Mơ", None),
    )
    world.now = RESULT - timedelta(days=3)
    codes = {}
    for name, board in shown:
        person = await world.joined(name, board=board)
        codes[name] = await handed_in(world, round_id, person.address, 3)
    async with world.database.write() as session:
        for rank, (name, _) in enumerate(shown, 1):
            who = (await session.execute(select(Person.id).where(Person.name == name))).scalar_one()
            entry = await contests.find_by_code(session, codes[name], who)
            assert entry is not None
            session.add(
                Result(round_id=round_id, person_id=who, entry_id=entry.id, unit_id=4, score=3, seconds=9, rank=rank)
            )
    world.now = RESULT + timedelta(hours=1)
    hoa = world.person("Bùi Thị Hoa")
    await hoa.says("/xephang")
    await hoa.taps("Cá nhân")
    assert "1. Bùi Thị Hoa" in hoa.last.text and "2. " in hoa.last.text
    assert "Trần Văn Nam" not in hoa.last.text and "Nam" in hoa.last.text
    assert "Lan" not in hoa.last.text and "Mơ" not in hoa.last.text


async def test_while_a_round_is_open_only_the_one_before_is_shown(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    now = world.now
    open_id = await week(world)
    await hoa.says("/xephang")
    assert hoa.last.key == "leaderboard.running" and "17 giờ thứ Ba" in hoa.last.text
    async with world.database.write() as session:
        await session.execute(
            update(Round)
            .where(Round.id == open_id)
            .values(number=2, closes_at=now + timedelta(days=20), result_at=now + timedelta(days=22))
        )
    await results(world, {"MAYHOA": (50, 250)})
    await hoa.says("/xephang")
    assert "TUẦN 1" in hoa.last.text and "Tuần 2 đang thi" in hoa.last.text


async def test_a_result_leads_to_the_board_of_its_own_round(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa", unit="CHUYEN5")
    first = await results(world, {"MAYHOA": (156, 250)})
    async with world.database.write() as session:
        earlier = await contests.get_round(session, first)
        earlier.result_at -= timedelta(days=7)
    await results(world, {"MAYHOA": (50, 250)})
    await hoa.says("/xephang")
    assert "20,0% (50/250)" in hoa.last.text
    await hoa.presses(f"c:kqthi:{first}")
    await hoa.taps("Xếp hạng")
    assert "62,4% (156/250)" in hoa.last.text
    await hoa.taps("Theo số người")
    assert "156 người" in hoa.last.text


@pytest.mark.parametrize("state", ["published", "open"])
async def test_the_report_lists_every_union_once_its_result_is_out(world: World, tmp_path: Path, state: str) -> None:
    mai = await officer(world)
    round_id = (
        await results(world, {"MAYHOA": (156, 250), "DIENTU": (3, None)}) if state == "published" else await week(world)
    )
    async with world.database.write() as session:
        await session.execute(update(Unit).where(Unit.code == "TRUONG").values(members=32))
    await mai.presses(f"c:baocaothi:{round_id}.1")
    await jobs.run(work_of(world, tmp_path))
    await world.deliver()
    if state == "open":
        assert mai.last.key == "contest_desk.changed" and not list(tmp_path.iterdir())
        return
    assert mai.last.key == "contest_desk.report_ready"
    (file,) = tmp_path.iterdir()
    rows = CalamineWorkbook.from_filelike(io.BytesIO(file.read_bytes())).get_sheet_by_index(0).to_python()
    flat = {str(row[1]): row for row in rows if len(row) > 7}
    hoa = flat["Công ty TNHH May Hòa Phát"]
    assert hoa[2] == "Công đoàn xã Cao Sơn" and hoa[3] == 250 and hoa[7] == 156 and hoa[9] == 62.4 and hoa[11] == 3.0
    assert (
        flat["Công ty Điện tử Sao Mai"][3] == "chưa có số đoàn viên" and flat["Công ty Điện tử Sao Mai"][7] == "dưới 5"
    )
    assert flat["Trường Tiểu học Cao Sơn"][7] == 0 and flat["Trường Tiểu học Cao Sơn"][5] == "chưa ghi nguồn"
    assert hoa[5] == "don-vi.xlsx" and flat["Công ty Điện tử Sao Mai"][5] == ""
    async with world.database.read() as session:
        assert (await session.execute(select(Job.state))).scalar_one() == JobState.DONE
        who = select(AuditRow.actor_id).where(AuditRow.action == "contest_report")
        assert (await session.execute(who)).scalar_one() == await mai.id()
