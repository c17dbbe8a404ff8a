"""A person's copy of their data comes whole, to them alone, once, and does not lie about afterwards."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import func, select

from content.message import Choice, Message, to_json
from content.sheets import read_table
from db import erasure, jobs, rights, units
from db.models import (
    Account,
    Attachment,
    AuditRow,
    Base,
    Body,
    Broadcast,
    BroadcastState,
    BroadcastTarget,
    FileState,
    InboxRow,
    InboxState,
    Job,
    JobState,
    OutboxRow,
    OutState,
    Person,
    Policy,
    PracticeAnswer,
    Role,
    TargetState,
    Track,
)
from db.session import Session
from db.submissions import Report, submit
from scheduler import copies
from scheduler import jobs as work_jobs
from tests.handlers.test_announcing import officer
from tests.handlers.test_moderation import reviewer, sent
from tests.people import TestPerson, World, work_of
from tests.power.files import watched

TECHNICAL = {
    "id", "person_id", "author_id", "unit_id", "queue_unit_id", "submission_id", "draft_id", "account_id", "broadcast_id",
    "body_id", "corrects_id", "outbox_id", "duplicate_of", "erased_at", "version", "history", "ahead", "reminded", "claimed_at",
    "lapses_at", "asked_at", "question_at", "ref", "unique_ref", "command_list", "attempts", "next_at", "media", "answers", "progress_at",
    "progress_version", "expires_at", "step", "round_id", "entry_id", "paper", "extended", "told", "told_as", "prize", "union_reminded",
}  # fmt: skip
"""Columns that mean nothing to a person; they stand in the JSON."""


async def with_a_report(world: World, name: str = "Bùi Thị Hoa") -> TestPerson:
    person = await world.joined(name)
    async with world.database.write() as session:
        row = await session.get_one(Person, await person.id())
        report = Report(Track.INITIATIVE, f"Giá gá của {name}", {"before": "Lâu", "results": {"none": ""}})
        sent = await submit(session, row, report, draft_id=None, due_at=world.now, year=2025, now=world.now)
        account = (await session.execute(select(Account).where(Account.person_id == row.id))).scalar_one()
        file = f"{person.address}.jpg"
        (world.house.files / file).write_bytes(name.encode())
        session.add(
            Attachment(
                person_id=row.id,
                account_id=account.id,
                submission_id=sent.id,
                channel="test",
                ref="",
                unique_ref=file,
                kind="photo",
                name="a.jpg",
                size=9,
                state=FileState.CLEAN,
                file=file,
                next_at=world.now,
                created_at=world.now,
            )
        )
        session.add(PracticeAnswer(person_id=row.id, question="cd-57", right=False, at=world.now))
    return person


async def work(world: World) -> None:
    await work_jobs.run(work_of(world, world.house.files))
    await world.deliver()


def archives(world: World) -> list[Path]:
    return sorted(world.house.files.glob("*.zip"))


async def test_the_copy_holds_everything_of_a_person_and_nothing_of_anybody_else(world: World, tmp_path: Path) -> None:
    hoa = await with_a_report(world)
    await with_a_report(world, "Đỗ Thị Lan")
    await hoa.says("/dulieu")
    await work(world)
    assert hoa.last.key == "export.ready"
    assert world.people["Đỗ Thị Lan"].keys == []
    (media,) = hoa.last.message.media
    with zipfile.ZipFile(world.house.files / media.file) as archive:
        assert archive.namelist() == ["du-lieu.xlsx", "du-lieu.json", "tep/SK-25-0001-1.jpg"]
        assert archive.read("tep/SK-25-0001-1.jpg").decode() == "Bùi Thị Hoa"
        found = json.loads(archive.read("du-lieu.json"))
        archive.extract("du-lieu.xlsx", tmp_path)
    assert found["persons"][0]["name"] == "Bùi Thị Hoa" and found["persons"][0]["unit"] == "Công ty TNHH May Hòa Phát"
    assert [row["title"] for row in found["submissions"]] == ["Giá gá của Bùi Thị Hoa"]
    assert [row["purpose"] for row in found["consents"]] == ["account", "news"]
    assert found["messages_out"][-1]["text"] and "Lan" not in json.dumps(found, ensure_ascii=False)
    assert "export" in [row["action"] for row in found["audit"]]
    header, row = read_table(tmp_path / "du-lieu.xlsx")[:2]
    told = dict(zip(header, row, strict=False))
    assert (told["Tên"], told["Nhóm nội dung"]) == ("Bùi Thị Hoa", "người lao động trong doanh nghiệp")


async def test_a_copy_outlives_a_power_cut_before_it_is_promised(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hoa = await with_a_report(world)
    await hoa.says("/dulieu")
    done, left = jobs.done, {}

    async def noted(session: Session, job_id: int, files: Sequence[str] = ()) -> bool:
        left.update({name: folder.left().get(name) for name in files})
        return await done(session, job_id, files)

    monkeypatch.setattr(jobs, "done", noted)
    with watched(world.house.files) as folder:
        await work(world)
    assert left == {file.name: file.read_bytes() for file in archives(world)} and left


async def test_whoever_asks_again_a_week_later_gets_another_copy(world: World) -> None:
    """The second job took the number of the first, and its message was held to be said already."""
    hoa = await with_a_report(world)
    for _ in range(2):
        await hoa.says("/dulieu")
        hoa.heard.clear()
        await work(world)
        assert hoa.keys == ["export.ready"]
        world.later(days=8)
        await work_jobs.tidy(work_of(world, world.house.files))
    assert archives(world) == []


async def test_the_copy_tells_of_announcements_and_leaves_what_people_wrote_as_it_is(world: World) -> None:
    hoa = await with_a_report(world, "Đỗ Thị Lan")
    person_id = await hoa.id()
    async with world.database.write() as session:
        account = (await session.execute(select(Account).where(Account.person_id == person_id))).scalar_one()
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None
        made = Broadcast(
            code="TB-25-0001", kind="notice", state=BroadcastState.DONE, unit_id=unit.id, text="Mời họp.", timing="now",
            send_at=world.now, created_at=world.now,
        )  # fmt: skip
        body = Body(payload=to_json(Message("Mời họp chiều nay.")), created_at=world.now)
        session.add_all([made, body])
        await session.flush()
        for number, body_id in enumerate((body.id, None)):
            row = OutboxRow(
                policy=Policy.AMO, lane=2, kind="notice", account_id=account.id, person_id=person_id, channel="test",
                address=hoa.address, broadcast_id=made.id, body_id=body_id, payload=None, state=OutState.SENT,
                not_before=world.now, created_at=world.now, dedup_key=str(number),
            )  # fmt: skip
            session.add(row)
        session.add(BroadcastTarget(broadcast_id=made.id, person_id=person_id, state=TargetState.PLANNED))
        report = Report(Track.INITIATIVE, "sent", {"before": "name", "field": "safety", "results": {"money": 5}})
        author = await session.get_one(Person, person_id)
        await submit(session, author, report, draft_id=None, due_at=world.now, year=2025, now=world.now)
        found = await rights.collect(session, person_id)
    assert [(row["code"], row["text"]) for row in found["broadcast_targets"]] == [("TB-25-0001", "Mời họp.")]
    assert [row["text"] for row in found["messages_out"]][-2:] == ["Mời họp chiều nay.", ""]
    sheets = {sheet.name: sheet for sheet in copies._sheets(world.house.words, world.house.packs, found)}
    told = dict(zip(sheets["Hồ sơ đã gửi"].header, sheets["Hồ sơ đã gửi"].rows[-1], strict=True))
    assert told["Tên hồ sơ"] == "sent"
    assert told["Nội dung"] == "Trước đây: name\nLĩnh vực: an toàn\nKết quả: Làm lợi (đồng): 5"


async def test_what_came_in_is_told_in_words_and_an_announcement_as_the_person_got_it(world: World) -> None:
    hoa = await with_a_report(world)
    person_id = await hoa.id()
    await hoa.says("menu")
    own = next(choice for choice in hoa.last.choices if choice.command)
    async with world.database.write() as session:
        account = (await session.execute(select(Account).where(Account.person_id == person_id))).scalar_one()
        lane = f"{account.channel}:{account.address}"
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None
        made = Broadcast(
            code="TB-25-0001", kind="notice", state=BroadcastState.DONE, unit_id=unit.id, timing="now",
            text="Chào cả nhà.", audience={"texts": {"enterprise": "Chào {ten}, {don_vi}."}},
            send_at=world.now, created_at=world.now,
        )  # fmt: skip
        screen = OutboxRow(
            policy=Policy.ALO, lane=0, kind="reply", account_id=account.id, person_id=person_id, channel=account.channel,
            address=account.address, state=OutState.SENT, not_before=world.now, created_at=world.now,
            payload=to_json(Message("Quyền dữ liệu", (Choice("📦 Tải dữ liệu", "export"),), screen=28)),
        )  # fmt: skip
        session.add_all([made, screen])
        await session.flush()
        session.add(
            BroadcastTarget(broadcast_id=made.id, person_id=person_id, unit_id=unit.id, state=TargetState.PLANNED)
        )
        for number, said in enumerate(
            (
                {"text": "hồ sơ của tôi"},
                {"choice": own.data(0)},
                {"choice": "s:28:export"},
                {"choice": "s:9:gone"},
                {"text": "ảnh đây", "files": [["photo", "9f", "a.jpg", 8]]},
                {"broken": 1},
            )
        ):
            session.add(
                InboxRow(
                    channel=account.channel,
                    bot="",
                    ext_id=str(number),
                    digest="",
                    lane=lane,
                    raw=json.dumps(said),
                    received_at=world.now,
                    state=InboxState.DONE,
                )
            )
    async with world.database.read() as session:
        found = await rights.collect(session, person_id)

    def read(channel: str, raw: str) -> copies.Said | None:
        said = json.loads(raw)
        files = tuple(name for _, _, name, _ in said.get("files", ()))
        return None if "broken" in said else copies.Said(said.get("text", ""), said.get("choice", ""), files)

    copies.tell(world.house.words, found, read)
    sheets = {sheet.name: sheet for sheet in copies._sheets(world.house.words, world.house.packs, found)}
    came = sheets["Tin hệ thống đã nhận"]
    assert [dict(zip(came.header, row, strict=True))["Nội dung"] for row in came.rows] == [
        "hồ sơ của tôi",
        f'Bấm nút "{own.label}"',
        'Bấm nút "📦 Tải dữ liệu"',
        "Bấm một nút (s:9:gone)",
        "ảnh đây\nGửi 1 ảnh, tệp: a.jpg",
        "broken : 1",
    ]
    assert [row["text"] for row in found["broadcast_targets"]] == ["Chào Bùi Thị Hoa, Công ty TNHH May Hòa Phát."]


async def test_a_copy_is_read_without_markup_and_without_numbers_of_things(world: World) -> None:
    hoa = await with_a_report(world)
    for said in ("thi dua", "dang ky", "1,2", "xong", "1", "xong", "gui"):
        await hoa.says(said)
    await hoa.says("thi dua")
    async with world.database.read() as session:
        found = await rights.collect(session, await hoa.id())
    kept = " ".join(row["text"] for row in found["messages_out"])
    assert "<b>" in kept and "&#34;" in kept
    told = {
        sheet.name: [dict(zip(sheet.header, row, strict=True)) for row in sheet.rows]
        for sheet in copies._sheets(world.house.words, world.house.packs, found)
    }
    shown = " ".join(str(row["Nội dung"]) for row in told["Tin hệ thống đã gửi"])
    assert "THI ĐUA NĂM 2025" in shown and not any(mark in shown for mark in ("<b>", "&#34;", "&amp;"))
    assert told["Đăng ký thi đua"][0]["Phong trào"] == "Lao động giỏi, lao động sáng tạo; Giỏi việc nước, đảm việc nhà"
    assert told["Ôn luật"][0]["Câu hỏi"] == world.house.packs.bank.get("cd-57").stem


async def test_a_draft_in_the_copy_is_told_in_words_people_understand(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    for said in (
        "/sangkien",
        "dong y",
        "sang kien",
        "Giá gá thay dao",
        "ky thuat",
        "Mỗi lần thay dao phải dừng chuyền",
    ):
        await hoa.says(said)
    async with world.database.read() as session:
        found = await rights.collect(session, await hoa.id())
    assert found["drafts"][0]["data"]["open"] == "before"
    sheets = {sheet.name: sheet for sheet in copies._sheets(world.house.words, world.house.packs, found)}
    told = dict(zip(sheets["Bản nháp"].header, sheets["Bản nháp"].rows[0], strict=True))
    assert told["Việc"] == "gửi sáng kiến, cách làm hay" and "Câu hỏi" not in told
    assert told["Câu trả lời"] == (
        "Loại: sáng kiến, cải tiến\nTên: Giá gá thay dao\nLĩnh vực: kỹ thuật\n"
        "Trước đây: Mỗi lần thay dao phải dừng chuyền"
    )


async def test_what_was_written_in_any_draft_stands_in_the_copy(world: World) -> None:
    ha, hoa = await officer(world), await world.joined("Bùi Thị Hoa")
    for person, sayings in (
        (ha, ("/guitin", "van ban", "tiep", "LĐLĐ tỉnh Sông Mới", "12/KH-LĐLĐ")),
        (hoa, ("thi dua", "dang ky", "1", "xong", "6", "Mỗi ca kiểm tra kim")),
    ):
        for said in sayings:
            await person.says(said)
    shown = ""
    for person in (ha, hoa):
        async with world.database.read() as session:
            found = await rights.collect(session, await person.id())
        sheets = {sheet.name: sheet for sheet in copies._sheets(world.house.words, world.house.packs, found)}
        shown += str(sheets["Bản nháp"].rows)
    for written in ("LĐLĐ tỉnh Sông Mới", "12/KH-LĐLĐ", "Mỗi ca kiểm tra kim"):
        assert written in shown
    assert "export.part_text" in world.house.words  # what an announcement or a supplement says


def test_every_dialogue_and_every_part_of_a_report_has_a_word_in_the_copy(world: World) -> None:
    words = world.house.words
    assert all(f"export.talk_{name}" in words for name in world.house.registry.dialogues)
    assert all(f"export.part_{step}" in words for step in ("title", "track", "field", "before", "after", "applied"))


async def test_an_officers_copy_says_that_cards_and_names_were_shown_but_not_what_they_said(world: World) -> None:
    ha, hoa = await reviewer(world), await with_a_report(world)
    await world.joined("Đỗ Thị Lan", confirmed=False)
    own = (await sent(world, ha, "Sổ tay của Hà")).code
    chair = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.UPPER_OFFICER)
    await chair.presses(f"c:chapnhan:{own}.1")
    await chair.taps("Chấp nhận")
    await ha.says("/duyet")
    await ha.says("1")
    await ha.says("/donvi")
    await hoa.says("menu")
    async with world.database.write() as session:
        found = await rights.collect(session, await ha.id())
        theirs = (await rights.collect(session, await hoa.id()))["messages_out"]
    texts = " ".join(row["text"] for row in found["messages_out"])
    assert "Hoa" not in texts and "Giá gá" not in texts
    assert "Sổ tay của Hà" in texts and "đã được xác minh" in texts  # the news of one's own report
    hidden = [row for row in found["messages_out"] if row["about_others"]]
    assert len(hidden) >= 3 and all(row["created_at"] and row["kind"] and not row["text"] for row in hidden)
    assert not any(row["about_others"] for row in theirs)
    sheets = {sheet.name: sheet for sheet in copies._sheets(world.house.words, world.house.packs, found)}
    assert sheets["Tin hệ thống đã gửi"].header == [
        "Lúc tạo", "Loại", "Tình trạng", "Về người khác (không kèm lời)", "Nội dung",
    ]  # fmt: skip


def test_every_column_of_the_copy_has_a_heading_people_understand_or_is_technical(world: World) -> None:
    words = world.house.words
    for table, person_column in rights.EXPORTED.items():
        assert f"export.sheet_{table}" in words
        hidden = {person_column, *rights.NOT_THEIRS.get(table, ()), *TECHNICAL}
        for column in Base.metadata.tables[table].columns:
            assert column.name in hidden or f"export.column_{column.name}" in words, (table, column.name)
    assert all(f"export.sheet_{name}" in words for name in (*rights.TALK, "submission_events"))


async def test_asking_is_audited_and_done_once_however_often_the_clock_looks(world: World) -> None:
    hoa = await with_a_report(world)
    await hoa.says("/dulieu")
    await work(world)
    await work(world)
    assert hoa.keys.count("export.ready") == 1 and len(archives(world)) == 1
    async with world.database.read() as session:
        noted = select(func.count()).select_from(AuditRow).where(AuditRow.action == "export")
        assert (await session.execute(noted)).scalar_one() == 1


async def test_a_copy_is_not_handed_out_in_a_chat_that_was_erased_and_joined_anew(world: World) -> None:
    hoa = await with_a_report(world)
    async with world.database.write() as session:
        account = (await session.execute(select(Account).where(Account.address == hoa.address))).scalar_one()
        await jobs.add(session, "export", {"person": await hoa.id()}, account.id, world.now)
        account.person_id = None
    await work(world)
    assert "export.ready" not in hoa.keys and not archives(world)


async def test_erasing_deletes_the_copies_that_were_made(world: World) -> None:
    hoa = await with_a_report(world)
    await hoa.says("/dulieu")
    await work(world)
    await hoa.says("/canhan")
    await hoa.taps("Xóa tất cả")
    await hoa.taps("Tôi muốn xóa")
    await hoa.says("xoa")
    await work(world)
    assert not archives(world) and not list(world.house.files.glob("chat-*.jpg"))


async def test_a_copy_lies_about_for_a_week_at_most(world: World) -> None:
    hoa = await with_a_report(world)
    await hoa.says("/dulieu")
    await work(world)
    world.later(days=6)
    await work_jobs.tidy(work_of(world, world.house.files))
    assert len(archives(world)) == 1
    world.later(days=2)
    await work_jobs.tidy(work_of(world, world.house.files))
    assert not archives(world)
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Job))).scalar_one() == 0


async def test_what_cannot_be_made_is_tried_again_and_then_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> list[str]:
        raise OSError("no space left on device")

    hoa = await with_a_report(world)
    monkeypatch.setattr(work_jobs, "write_copy", full)
    await hoa.says("/dulieu")
    for _ in range(jobs.TRIES):
        assert hoa.last.key == "export.started"
        await work(world)
        world.later(days=1)
    assert hoa.last.key == "export.failed"
    async with world.database.read() as session:
        assert (await session.execute(select(Job.state))).scalar_one() == JobState.FAILED


async def test_work_put_off_by_a_clock_that_was_ahead_does_not_wait_for_it_to_come_round(world: World) -> None:
    hoa = await with_a_report(world)
    world.later(days=40)
    await hoa.says("/dulieu")
    world.later(days=-40)
    await work(world)
    assert hoa.last.key == "export.ready"


async def test_what_failed_waits_for_its_pause(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def full(*_: object) -> list[str]:
        tried.append(world.now)
        raise OSError("no space left on device")

    hoa = await with_a_report(world)
    monkeypatch.setattr(work_jobs, "write_copy", full)
    await hoa.says("/dulieu")
    for minutes in (0, 0.9, 0.2, 4.8, 0.3, 24, 2, 124, 2, 1000):
        world.later(minutes=minutes)
        await work_jobs.run(work_of(world, world.house.files))
    assert [round((b - a).total_seconds() / 60) for a, b in pairwise(tried)] == [1, 5, 26, 126]


def test_very_large_files_come_in_several_archives(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "PART", 25)
    folder = world.house.files
    for name in "abc":
        (folder / name).write_bytes(b"0123456789")
    files = [(name, "SK-25-0001") for name in "abc"] + [("gone", "")]
    name = partial(next, iter(("1.zip", "2.zip")))
    names = copies.write_copy(folder, name, world.house.words, world.house.packs, {"persons": [{"name": "Hoa"}]}, files)
    inside = [zipfile.ZipFile(folder / name).namelist() for name in names]
    assert inside == [["du-lieu.xlsx", "du-lieu.json", "tep/SK-25-0001-1", "tep/SK-25-0001-2"], ["tep/SK-25-0001-3"]]


async def test_a_list_of_the_unreached_goes_with_anybody_who_may_stand_in_it(world: World) -> None:
    ha, hoa = await officer(world), await world.joined("Bùi Thị Hoa")
    async with world.database.write() as session:
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None
        made = Broadcast(
            code="TB-25-0001", kind="notice", state=BroadcastState.DONE, unit_id=unit.id, text="Mời họp.", timing="now",
            send_at=world.now, created_at=world.now, author_id=await ha.id(),
        )  # fmt: skip
        session.add(made)
        await session.flush()
        target = BroadcastTarget(broadcast_id=made.id, person_id=await hoa.id(), state=TargetState.SKIPPED)
        target.unit_id, target.reason = unit.id, "muted"
        session.add(target)
    await ha.presses("c:chuanhan:TB-25-0001")
    await work(world)
    (listed,) = world.house.files.glob("*.xlsx")
    async with world.database.write() as session:
        await erasure.erase(session, await hoa.id(), world.now)
    await work(world)
    assert not listed.exists()
