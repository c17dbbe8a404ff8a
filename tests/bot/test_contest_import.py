"""`congdoan contest import`: all of a file or nothing, a dry run, faults by line; the leaders are asked in their chats."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import select

from bot import contest_import
from bot.settings import Settings
from db import audit
from db.models import AuditRow, Round, RoundState
from tests.desks import PLAN, TABLE, leader, reviewed
from tests.people import World, spoken


class Failed(Exception):
    """What the command line ends with."""


async def run(world: World, file: Path, monkeypatch: pytest.MonkeyPatch, *, dry_run: bool = False) -> list[str]:
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def opened(_: Settings):  # type: ignore[no-untyped-def]
        yield world.database

    monkeypatch.setattr(contest_import, "opened", opened)
    said: list[str] = []

    def fail(lines: list[str]) -> NoReturn:
        said.extend(lines)
        raise Failed

    words, packs = spoken()
    settings = Settings.model_construct()
    try:
        await contest_import.import_file(
            settings, words, packs, file, dry_run=dry_run, now=world.now, say=said.append, fail=fail
        )
    except Failed:
        said.append("failed")
    await world.deliver()
    return said


async def rounds(world: World) -> list[Round]:
    async with world.database.read() as session:
        return list((await session.execute(select(Round).order_by(Round.id))).scalars())


async def test_a_file_is_written_whole_and_laid_before_the_leaders(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reviewed(world)
    minh = await leader(world)
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN, encoding="utf-8")
    (line,) = await run(world, file, monkeypatch, dry_run=True)
    assert line.startswith("Chạy thử, chưa ghi gì") and "thêm 2 tuần" in line
    assert await rounds(world) == [] and minh.keys == []
    (line,) = await run(world, file, monkeypatch)
    assert "thêm 2 tuần" in line and "Đã gửi lãnh đạo duyệt" in line
    found = await rounds(world)
    assert [(each.number, each.state, each.size) for each in found] == [
        (1, RoundState.DRAFT, 4),
        (2, RoundState.DRAFT, 4),
    ]
    assert minh.keys == ["contest_desk.approve_notice"] * 2
    await minh.taps("Duyệt")
    assert [each.state for each in await rounds(world)] == [RoundState.DRAFT, RoundState.READY]
    (line,) = await run(world, file, monkeypatch)
    assert "thêm 0 tuần, 2 tuần đã có" in line and len(await rounds(world)) == 2
    async with world.database.read() as session:
        who = select(AuditRow.actor_id).where(AuditRow.action == "create_contest")
        assert (await session.execute(who)).scalars().all() == [audit.SYSTEM]


async def test_one_fault_and_nothing_is_written(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await reviewed(world)
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN.replace("unit: TINH", "unit: XYZ"), encoding="utf-8")
    lines = await run(world, file, monkeypatch)
    assert lines[0] == f"{file}:2: Mã đơn vị tổ chức: không có đơn vị nào mang mã này."
    assert lines[-1] == "failed" and await rounds(world) == []
    file.write_text(
        PLAN.replace("1 giải Nhất; 3 giải Ba", "1 giải Nhất (" + "rất nhiều quà " * 60 + ")"), encoding="utf-8"
    )
    assert "quá 1.000" in (await run(world, file, monkeypatch))[0]


async def test_a_table_without_a_reviewed_bank_or_a_leader_says_so(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "plan.xlsx"
    file.write_bytes(TABLE)
    lines = await run(world, file, monkeypatch)
    assert lines[0].startswith(f"{file}:4: Tuần 1, số câu theo chủ đề: chủ đề") and "hiện có 0" in lines[0]
    await reviewed(world)
    (line,) = await run(world, file, monkeypatch)
    assert "Chưa có lãnh đạo nào để duyệt" in line
