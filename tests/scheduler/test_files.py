"""No file outlives the row that it was made for, and none that a row wants is swept."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import make_transient

from db import erasure, jobs
from db.models import Account, Attachment, Broadcast, BroadcastState, Job
from scheduler import attachments, files, housekeeping
from scheduler import jobs as work_jobs
from tests.handlers.test_announcing import officer
from tests.handlers.test_contest_prize import published
from tests.people import World, work_of
from tests.scheduler.test_attachments import jpeg, with_files, work_with
from tests.scheduler.test_automatic import DAY
from tests.scheduler.test_jobs import with_a_report
from tests.scheduler.test_jobs import work as works


async def days_pass(world: World, days: int = 4) -> None:
    for _ in range(days):
        world.later(days=1)
        await housekeeping.run(work_of(world))


def names(world: World) -> set[str]:
    return {path.name for path in world.house.files.iterdir()}


def dies_once(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> None:
    """The transaction that names a file fails, as if somebody had killed the process."""
    real = getattr(where, name)

    async def dies(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(where, name, real)
        raise OperationalError("UPDATE", None, sqlite3.OperationalError("database is locked"))

    monkeypatch.setattr(where, name, dies)


async def test_a_copy_that_no_row_names_is_gone_once_its_job_is_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything about a person lay in the folder, and in every backup, long after they were erased."""
    hoa = await with_a_report(world)
    dies_once(monkeypatch, work_jobs.jobs, "done")
    await hoa.says("/dulieu")
    await works(world)
    assert len(list(world.house.files.glob("*.zip"))) == 1 and hoa.last.key == "export.started"
    world.later(minutes=5)
    await works(world)
    assert len(list(world.house.files.glob("*.zip"))) == 2 and hoa.last.key == "export.ready"
    (named,) = hoa.last.message.media
    await days_pass(world)
    assert [path.name for path in world.house.files.glob("*.zip")] == [named.file]
    async with world.database.write() as session:
        await erasure.erase(session, await hoa.id(), world.now)
    await works(world)
    assert not names(world)


async def test_what_was_being_made_for_somebody_who_was_erased_is_gone(world: World) -> None:
    """A process was killed on its way, and its job went with the person."""
    hoa = await with_a_report(world)
    await hoa.says("/dulieu")
    async with world.database.read() as session:
        (job,) = await jobs.due(session, world.now)
    half = files.name_for_job(job, ".zip")
    (world.house.files / half).write_bytes(b"PK")
    await days_pass(world)
    assert half in names(world)  # somebody may be writing it
    async with world.database.write() as session:
        await erasure.erase(session, await hoa.id(), world.now)
    await works(world)
    await days_pass(world, 1)
    assert not names(world)


async def test_a_photo_that_was_stored_and_not_named_is_gone_with_its_person(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hoa = await with_files(world, ("a", "hoa.jpg"))
    dies_once(monkeypatch, attachments.attachments, "cleaned")
    with pytest.raises(OperationalError):
        await attachments.run(work_with(world, world.house.files, {"a": jpeg()}))
    (stored,) = names(world)
    (world.house.files / f"{stored}.part").write_bytes(b"\xff\xd8")
    await days_pass(world)
    assert names(world) == {stored, f"{stored}.part"}  # it waits: the next look stores it again
    async with world.database.write() as session:
        await erasure.erase(session, await hoa.id(), world.now)
    await works(world)
    await days_pass(world, 1)
    assert not names(world)


async def test_nothing_that_a_row_wants_is_swept(world: World) -> None:
    """Photos of drafts, of reports and of announcements, what each kind of job makes, drawings, and what is not ours."""
    round_id, people = await published(world, Nam=4)
    nam, hoa = people["Nam"], await with_a_report(world, "Đỗ Thị Lan")
    ha = await officer(world)
    await ha.says("/donvi")
    await ha.taps("Mã QR của đơn vị")
    await ha.says("MAYHOA")
    await with_files(world, ("a", "anh.jpg"), ("b", "anh-2.jpg"), ("c", "anh-3.jpg"))
    photos = {"a": jpeg(), "b": jpeg("blue"), "c": jpeg("green")}
    await attachments.run(work_with(world, world.house.files, photos))
    async with world.database.write() as session:
        made = Broadcast(
            code="TB-25-0001", kind="notice", state=BroadcastState.DONE, text="Mời họp.", timing="now", unit_id=1,
            send_at=world.now, created_at=world.now, author_id=await ha.id(),
        )  # fmt: skip
        session.add(made)
        await session.flush()
        for ref, owner in (("a", {"submission_id": 1}), ("b", {"broadcast_id": made.id})):
            photo = update(Attachment).where(Attachment.unique_ref == ref)
            await session.execute(photo.values(draft_id=None, **owner))
        for person, kind, data in (
            (nam, "certificate", {"round": round_id}),
            (ha, "contest_report", {"round": round_id}),
            (ha, "unreached", {"broadcast": made.id}),
            (ha, "picture", {"what": "2025-7"}),
            (ha, "picture", {"what": DAY}),
            (hoa, "export", {}),
        ):
            account = (await session.execute(select(Account).where(Account.address == person.address))).scalar_one()
            await jobs.add(session, kind, {**data, "person": await person.id()}, account.id, world.now)
    await works(world)
    (world.house.files / "12-nguoi.xlsx").write_bytes(b"an administrator's own")
    before = names(world)
    assert sorted(Path(name).suffix for name in before) == [*[".jpg"] * 4, *[".png"] * 4, *[".xlsx"] * 3, ".zip"]
    await days_pass(world, 5)
    assert names(world) == before


async def test_a_file_that_is_named_while_the_sweeper_looks_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hoa = await with_a_report(world)
    await hoa.says("/dulieu")
    answer, owned = work_jobs._answer, files._owned

    async def sweeps_before(*given: Any, **more: Any) -> None:
        await files.sweep(work_of(world))
        await answer(*given, **more)

    monkeypatch.setattr(work_jobs, "_answer", sweeps_before)
    await works(world)
    (named,) = hoa.last.message.media
    assert named.file in names(world)

    async with world.database.write() as session:
        job = (await session.execute(select(Job))).scalar_one()
        await session.delete(job)
    make_transient(job)
    loop = asyncio.get_running_loop()

    async def begins_and_ends() -> None:
        async with world.database.write() as session:
            session.add(job)

    def reads(folder: Path) -> list[tuple[str, bool, int]]:
        found = owned(folder)
        asyncio.run_coroutine_threadsafe(begins_and_ends(), loop).result()
        return found

    monkeypatch.setattr(files, "_owned", reads)
    await files.sweep(work_of(world))
    assert named.file in names(world)


async def test_a_database_put_in_the_place_of_the_right_one_takes_no_files_away(world: World) -> None:
    """It names none of them; there are three days to notice."""
    await with_a_report(world)
    mine = f"7-{'0' * 32}.jpg"
    (world.house.files / mine).write_bytes(b"x")
    for hours in (0, 1, 24, 46):
        world.later(hours=hours)
        await housekeeping.run(work_of(world))
        assert mine in names(world)
    world.later(hours=2)
    await housekeeping.run(work_of(world))
    assert mine not in names(world)
