"""Files that people sent: fetched after the report is safe, cleaned, tried for a week, told when they cannot be used."""

from __future__ import annotations

import asyncio
import io
import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select

from db import attachments
from db.models import Attachment, Draft, FileState, OutboxRow
from db.session import Session
from handlers.dialogue import File
from scheduler import attachments as job
from scheduler.delivery import RecipientGone, Rejected, RetryLater
from scheduler.timetable import JOBS, Work
from tests.handlers.test_report import worker, writes_initiative
from tests.people import TestPerson, World, work_of
from tests.power.files import watched

PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00" * 64
ZIP = b"PK\x03\x04" + b"\x00" * 60

Fetch = Callable[[str], Awaitable[bytes]]


def jpeg(colour: str = "red") -> bytes:
    picture = Image.new("RGB", (40, 30), colour)
    exif = Image.Exif()
    exif[0x010E] = "nhà của Hoa ở số 5"
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def work_with(
    world: World, folder: Path, files: dict[str, bytes | Exception] | None = None, fetch: Fetch | None = None
) -> Work:
    folder.mkdir(exist_ok=True)

    async def give(channel: str, ref: str) -> bytes:
        assert channel == "test"
        if fetch is not None:
            return await fetch(ref)
        found = (files or {}).get(ref, RetryLater(1))
        if isinstance(found, Exception):
            raise found
        return found

    return work_of(world, folder, give)


async def with_files(world: World, *named: tuple[str, str]) -> TestPerson:
    """Somebody whose draft has files waiting; each is (ref, name)."""
    hoa = await world.joined("Bùi Thị Hoa")
    me = await hoa.id()
    async with world.database.write() as session:
        draft = Draft(person_id=me, dialogue="report", step="files", data={"track": "initiative"}, updated_at=world.now)
        session.add(draft)
        await session.flush()
        for ref, name in named:
            await attachments.add(
                session, person_id=me, account_id=1, channel="test", draft_id=draft.id, kind="photo", ref=ref,
                unique_ref=ref, name=name, size=10, now=world.now,
            )  # fmt: skip
    return hoa


async def rows(world: World) -> list[Attachment]:
    async with world.database.read() as session:
        return list((await session.execute(select(Attachment).order_by(Attachment.id))).scalars())


async def test_a_photo_is_kept_as_its_pixels_only(world: World, tmp_path: Path) -> None:
    await with_files(world, ("a", "hoa.png"))
    folder = tmp_path / "files"
    await job.run(work_with(world, folder, {"a": jpeg()}))
    (row,) = await rows(world)
    assert (row.state, row.kind, row.ref) == (FileState.CLEAN, "photo", "")
    (stored,) = folder.iterdir()
    assert stored.name == row.file and row.file.endswith(".jpg")
    data = stored.read_bytes()
    assert b"Hoa" not in data and b"Exif" not in data and data.startswith(b"\xff\xd8")


async def test_pdf_and_mp4_are_told_by_their_content_and_a_video_loses_the_place(world: World, tmp_path: Path) -> None:
    await with_files(world, ("a", "ban-ve.jpg"), ("b", "phim"))
    placed = MP4[:24] + b"\x00\x00\x00\x14udta+10.7+106.7/" + b"\x00" * 16
    await job.run(work_with(world, tmp_path / "files", {"a": PDF, "b": placed}))
    first, second = await rows(world)
    assert [first.kind, second.kind] == ["document", "document"]
    assert first.file.endswith(".pdf") and second.file.endswith(".mp4")
    assert (tmp_path / "files" / first.file).read_bytes() == PDF
    assert b"106" not in (tmp_path / "files" / second.file).read_bytes()


async def test_a_file_outlives_a_power_cut_before_its_row_says_that_it_is_here(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From then on nobody could fetch it again."""
    await with_files(world, ("a", "hoa.png"), ("b", "giay.pdf"))
    cleaned, left = attachments.cleaned, {}

    async def noted(session: Session, row_id: int, kind: str, name: str) -> bool:
        left[name] = folder.left().get(name)
        return await cleaned(session, row_id, kind, name)

    monkeypatch.setattr(attachments, "cleaned", noted)
    (tmp_path / "files").mkdir()
    with watched(tmp_path / "files") as folder:
        await job.run(work_with(world, tmp_path / "files", {"a": jpeg(), "b": PDF}))
    assert [(row.state, row.ref, row.file in left) for row in await rows(world)] == [(FileState.CLEAN, "", True)] * 2
    assert left == {file.name: file.read_bytes() for file in (tmp_path / "files").iterdir()}


@pytest.mark.parametrize(
    ("data", "name", "why"),
    [
        (ZIP, "anh.jpg", "chỉ nhận ảnh"),
        (b"MZ\x90", "chay.exe", "chỉ nhận ảnh"),
        (jpeg()[:200], "cat.jpg", "bị hỏng"),
        (PDF, "hoa-don.pdf.exe", "chỉ nhận ảnh"),
        (b"\xff\xd8\xff" + b"\x00" * 20 * 2**20, "to.jpg", "lớn hơn 20 MB"),
    ],
)
async def test_what_cannot_be_used_is_told_to_its_sender_once_and_not_kept(
    world: World, tmp_path: Path, data: bytes, name: str, why: str
) -> None:
    hoa = await with_files(world, ("a", name))
    for _ in range(3):
        await job.run(work_with(world, tmp_path / "files", {"a": data}))
    await world.deliver()
    assert hoa.keys == ["report.file_refused"] and name in hoa.last.text and why in hoa.last.text
    assert "Phần đã viết vẫn được giữ" in hoa.last.text
    assert [row.state for row in await rows(world)] == [FileState.REFUSED]
    assert not list((tmp_path / "files").iterdir())


@pytest.mark.parametrize("receipt", ["waits", "was sent"])
async def test_a_file_that_was_refused_is_not_counted_as_received(world: World, tmp_path: Path, receipt: str) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa, stop_at_files=True)
    hoa.heard.clear()
    await hoa.sends(File("photo", "bad", "bad", "trang.jpg", 1000))
    if receipt == "was sent":
        world.later(seconds=2)
        await world.deliver()
        assert "Đã nhận 1 ảnh" in hoa.last.text
    work = work_with(world, tmp_path / "files", {"bad": b"<html></html>", "worse": b"", "good": jpeg()})
    await job.run(work)
    world.later(seconds=2)
    await world.deliver()
    assert sorted(hoa.keys) == ["report.file_refused", "report.files_got"]
    got = next(heard for heard in hoa.heard if heard.key == "report.files_got")
    assert got.text.startswith("Chưa nhận được ảnh, tệp nào") and got.offers("Tiếp")
    for ref in ("worse", "good"):
        await hoa.sends(File("photo", ref, ref, f"{ref}.jpg", 1000))
    await job.run(work)
    world.later(seconds=2)
    await world.deliver()
    assert [heard.text for heard in hoa.heard if heard.key == "report.files_got"][-1].startswith("Đã nhận 1 ảnh.")
    await hoa.taps("Tiếp")
    assert hoa.last.key != "common.old_button"


async def test_a_story_beside_a_refused_file_is_said_to_be_kept_by_what_stands_last(
    world: World, tmp_path: Path
) -> None:
    hoa = await worker(world)
    for said in ("sang kien", "1", "Kệ chỉ ngay đầu chuyền", "1"):
        await hoa.says(said)
    assert hoa.last.key == "report.before"
    hoa.heard.clear()
    await hoa.sends(File("photo", "bad", "bad", "kệ.jpg", 1000), text="Đi lấy chỉ mất mười phút.")
    await job.run(work_with(world, tmp_path / "files", {"bad": b"<html></html>"}))
    world.later(seconds=2)
    await world.deliver()
    noted = next(heard for heard in hoa.heard if heard.key == "report.noted")
    assert "Phần đã viết vẫn được giữ" in noted.text and noted.offers("Xong bước này")
    async with world.database.read() as session:
        assert (await session.execute(select(Draft.data))).scalar_one()["before"] == "Đi lấy chỉ mất mười phút."


async def test_a_file_refused_when_its_sender_is_elsewhere_changes_nothing_there(world: World, tmp_path: Path) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa, stop_at_files=True)
    await hoa.sends(File("photo", "bad", "bad", "trang.jpg", 1000))
    await hoa.says("menu")
    hoa.heard.clear()
    await job.run(work_with(world, tmp_path / "files", {"bad": b"<html></html>"}))
    world.later(seconds=2)
    await world.deliver()
    assert hoa.keys == ["report.file_refused"]


async def test_a_failing_fetch_is_tried_for_a_week_with_longer_and_longer_pauses_and_then_told(
    world: World, tmp_path: Path
) -> None:
    hoa = await with_files(world, ("a", ""))
    tried = []

    async def fetch(ref: str) -> bytes:
        tried.append(world.now)
        raise RetryLater(1)

    work = work_with(world, tmp_path / "files", fetch=fetch)
    for seconds in (0, 9, 2, 58, 3, 599, 2, 3599, 2):
        world.later(seconds=seconds)
        await job.run(work)
    pauses = [(b - a).total_seconds() for a, b in itertools.pairwise(tried)]
    assert pauses == [11, 61, 601, 3601]
    assert (await rows(world))[0].state == FileState.WAITING and hoa.keys == []
    world.later(days=7)  # or the clock is that far ahead
    while len(tried) < 24:
        assert (await rows(world))[0].state == FileState.WAITING and hoa.keys == []
        world.later(hours=1)
        await job.run(work)
    await world.deliver()
    assert (await rows(world))[0].state == FileState.FAILED
    assert hoa.keys == ["report.file_refused"] and "Ảnh chưa dùng được" in hoa.last.text


async def test_a_platform_that_asks_for_a_pause_gets_it(world: World, tmp_path: Path) -> None:
    await with_files(world, ("a", ""))
    await job.run(work_with(world, tmp_path / "files", {"a": RetryLater(300)}))
    (row,) = await rows(world)
    assert (row.next_at - world.now).total_seconds() == 300


async def test_a_file_put_off_by_a_clock_that_was_ahead_does_not_wait_for_it_to_come_round(
    world: World, tmp_path: Path
) -> None:
    """Nor does it wait for as long as a platform asks at most."""
    await with_files(world, ("a", ""))
    for pause in (1, 86_400):
        world.later(days=5)
        await job.run(work_with(world, tmp_path / "files", {"a": RetryLater(pause)}))
        world.later(days=-5)
        await job.run(work_with(world, tmp_path / "files", {"a": RetryLater(pause)}))
        (row,) = await rows(world)
        assert timedelta(0) < row.next_at - world.now <= timedelta(hours=1)
    await job.run(work_with(world, tmp_path / "files", {"a": jpeg()}))
    assert (await rows(world))[0].state == FileState.WAITING, "what the right clock has put off waits"
    world.later(hours=1)
    await job.run(work_with(world, tmp_path / "files", {"a": jpeg()}))
    assert (await rows(world))[0].state == FileState.CLEAN


async def test_what_the_platform_no_longer_has_is_given_up_at_once(world: World, tmp_path: Path) -> None:
    hoa = await with_files(world, ("a", "cu.jpg"))
    await job.run(work_with(world, tmp_path / "files", {"a": Rejected("file is gone")}))
    await world.deliver()
    assert (await rows(world))[0].state == FileState.FAILED and "không tải được" in hoa.last.text


async def test_one_bad_file_never_holds_up_the_others(world: World, tmp_path: Path) -> None:
    await with_files(world, *[(ref, "") for ref in "abcdef"])
    hanging = asyncio.Event()

    async def fetch(ref: str) -> bytes:
        if ref == "a":
            await hanging.wait()
        if ref == "b":
            raise RecipientGone
        if ref == "c":
            raise ZeroDivisionError("a bug")
        if ref == "f":
            hanging.set()  # only the last one lets the first one go
        return jpeg()

    async with asyncio.timeout(30):
        await job.run(work_with(world, tmp_path / "files", fetch=fetch))
    states = [row.state for row in await rows(world)]
    assert states == [FileState.CLEAN, FileState.WAITING, FileState.WAITING, *[FileState.CLEAN] * 3]


async def test_no_transaction_is_open_while_a_file_is_fetched(world: World, tmp_path: Path) -> None:
    await with_files(world, ("a", ""))

    async def fetch(ref: str) -> bytes:
        async with asyncio.timeout(5), world.database.write() as session:  # would wait for ever behind another writer
            await session.execute(select(func.count()).select_from(Attachment))
        return jpeg()

    await job.run(work_with(world, tmp_path / "files", fetch=fetch))
    assert (await rows(world))[0].state == FileState.CLEAN


async def test_a_file_erased_while_it_was_on_its_way_leaves_nothing(world: World, tmp_path: Path) -> None:
    await with_files(world, ("a", ""))

    async def fetch(ref: str) -> bytes:
        async with world.database.write() as session:
            await attachments.forget(session, [1])
        return jpeg()

    await job.run(work_with(world, tmp_path / "files", fetch=fetch))
    assert not list((tmp_path / "files").iterdir())


async def test_the_same_picture_of_two_people_is_two_files(world: World, tmp_path: Path) -> None:
    await with_files(world, ("a", ""), ("b", ""))
    await job.run(work_with(world, tmp_path / "files", {"a": jpeg(), "b": jpeg()}))
    first, second = await rows(world)
    assert first.file != second.file and len(list((tmp_path / "files").iterdir())) == 2


async def test_the_files_of_a_draft_that_was_thrown_away_are_deleted(world: World, tmp_path: Path) -> None:
    hoa = await with_files(world, ("a", ""), ("b", ""))
    work = work_with(world, tmp_path / "files", {"a": jpeg()})
    await job.run(work)
    await hoa.says("sang kien")
    await hoa.taps("Bỏ nháp")
    world.later(minutes=30)
    await job.tidy(work)
    assert len(await rows(world)) == 2
    fetched = []

    async def fetch(ref: str) -> bytes:
        fetched.append(ref)
        return jpeg()

    await job.run(work_with(world, tmp_path / "files", fetch=fetch))
    assert fetched == []  # nobody wants it any more
    world.later(hours=1)
    await job.tidy(work)
    assert await rows(world) == [] and not list((tmp_path / "files").iterdir())


async def test_both_jobs_are_in_the_timetable() -> None:
    assert {job.run, job.tidy} <= {each.run for each in JOBS}


async def test_a_refused_file_of_a_sent_report_names_the_report(world: World, tmp_path: Path) -> None:
    from tests.handlers.test_moderation import sent

    hoa = await with_files(world, ("a", "bang.xlsx"))
    submission = await sent(world, hoa)
    async with world.database.write() as session:
        row = await session.get_one(Attachment, 1)
        row.submission_id, row.draft_id = submission.id, None
    await job.run(work_with(world, tmp_path / "files", {"a": ZIP}))
    await world.deliver()
    assert submission.code in hoa.last.text
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).where(OutboxRow.dedup_key == "file:1"))).scalar_one() == 1
