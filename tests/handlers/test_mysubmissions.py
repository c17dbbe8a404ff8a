"""What its author sees of a report: where it stands in plain words, and what may still be done about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from db import submissions
from db.models import Attachment, FileState, OutboxRow, Role, Status, Submission
from tests.handlers.test_moderation import sent, state
from tests.people import TestPerson, World


async def change(world: World, code: str, **values: object) -> None:
    async with world.database.write() as session:
        row = (await session.execute(select(Submission).where(Submission.code == code))).scalar_one()
        for key, value in values.items():
            setattr(row, key, value)


async def with_one(world: World, **values: object) -> tuple[TestPerson, str]:
    hoa = await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    await change(world, code, **values)
    return hoa, code


async def held(world: World, status: Status) -> tuple[TestPerson, TestPerson, str]:
    ha = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    until = world.now + timedelta(days=2)
    hoa, code = await with_one(world, status=status, holder_id=await ha.id(), lapses_at=until, ask="Xin thêm ảnh")
    return ha, hoa, code


@pytest.mark.parametrize(
    ("status", "values", "shown"),
    [
        (Status.SENT, {}, "Đã gửi, chờ xem"),
        (Status.NEED_INFO, {"ask": "Xin <ảnh> & số"}, "Cần bổ sung: Xin &lt;ảnh&gt; &amp; số"),
        (Status.CLOSED_NO_INFO, {}, "Tạm đóng vì chưa có bổ sung"),
        (Status.VERIFIED, {}, "Đã xác minh"),
        (Status.NOT_SELECTED, {"reason": "Chưa áp dụng"}, "Chưa được chọn lần này: Chưa áp dụng"),
        (Status.DUPLICATE, {"duplicate_of": 1}, "Trùng với SK-25-0001"),
        (Status.WITHDRAWN, {}, "Anh/chị đã rút"),
    ],
)
async def test_every_status_has_its_words(world: World, status: Status, values: dict[str, object], shown: str) -> None:
    hoa, code = await with_one(world, status=status, **values)
    await hoa.says("ho so")
    assert hoa.last.key == "mysubmissions.list" and shown in hoa.last.text
    await hoa.says("1")
    assert hoa.last.key == "mysubmissions.detail" and f"Trạng thái: {shown}" in hoa.last.text and code in hoa.last.text


async def test_who_holds_it_is_said_by_role_and_unit_and_never_by_name(world: World) -> None:
    ha, hoa, code = await held(world, Status.CLAIMED)
    await hoa.says(f"/hoso {code}")
    assert "Đang xem – cán bộ Công đoàn xã Cao Sơn" in hoa.last.text and "Hà" not in hoa.last.text
    await ha.says(f"/duyet {code}")
    await ha.taps("Việc khác")
    await ha.taps("Ghi chú nội bộ")
    await ha.says("Hỏi lại tổ trưởng cho chắc")
    await hoa.says(f"/hoso {code}")
    assert "tổ trưởng" not in hoa.last.text


async def test_somebody_elses_code_looks_like_none(world: World) -> None:
    _, code = await with_one(world)
    lan = await world.joined("Đỗ Thị Lan")
    for way in (f"/hoso {code}", f"/hoso {code.lower()}", "/hoso SK-25-9999"):
        await lan.says(way)
        assert lan.last.key == "mysubmissions.not_found", way
    for press in (f"c:rut:{code}.1", f"c:molai:{code}.1", f"c:guilai:{code}", f"c:bosung:{code}"):
        await lan.presses(press)
        assert lan.last.key == "mysubmissions.not_found", press
    assert (await state(world, code)).status == Status.SENT


async def test_the_list_pages_takes_codes_however_typed_and_lets_other_words_through(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    for n in range(6):
        await sent(world, hoa, f"Cải tiến số {n}")
    await hoa.says("ho so")
    assert "SK-25-0006" in hoa.last.text and "SK-25-0002" not in hoa.last.text
    await hoa.taps("Xem tiếp")
    assert "SK-25-0002" in hoa.last.text
    await hoa.says("1")
    assert hoa.last.key == "mysubmissions.detail" and "SK-25-0002" in hoa.last.text
    await hoa.says("ho so")
    await hoa.says("sk 25 0003")
    assert hoa.last.key == "mysubmissions.detail" and "SK-25-0003" in hoa.last.text
    await hoa.says("ho so")
    await hoa.says("cái gì đó")
    assert hoa.last.key == "common.choose"
    await hoa.says("ca nhan")
    assert hoa.last.key == "profile.home"


async def test_withdrawing_asks_first_tells_the_holder_and_is_done_once(world: World) -> None:
    ha, hoa, code = await held(world, Status.CLAIMED)
    await hoa.says(f"/hoso {code}")
    await hoa.taps("Rút hồ sơ")
    assert hoa.last.key == "mysubmissions.withdraw" and code in hoa.last.text
    await hoa.taps("Không")
    assert hoa.last.key == "mysubmissions.detail"
    await hoa.taps("Rút hồ sơ")
    old = hoa.last
    await hoa.taps("Rút")
    assert (await state(world, code)).status == Status.WITHDRAWN
    assert hoa.last.key == "mysubmissions.withdrawn" and ha.keys == ["mysubmissions.withdraw_notice"]
    await hoa.presses(old.choices[0].data(old.message.screen))
    await hoa.presses(f"c:rut:{code}.1")
    assert hoa.last.key == "common.already" and ha.keys == ["mysubmissions.withdraw_notice"]


async def test_what_was_decided_against_cannot_be_withdrawn(world: World) -> None:
    hoa, code = await with_one(world, status=Status.NOT_SELECTED)
    await hoa.presses(f"c:rut:{code}.1")
    assert hoa.last.key == "mysubmissions.withdraw_late"


async def test_what_was_closed_is_opened_again_with_one_tap_and_reviewers_hear(world: World) -> None:
    ha, hoa, code = await held(world, Status.CLOSED_NO_INFO)
    await hoa.says(f"/hoso {code}")
    await hoa.taps("Mở lại")
    row = await state(world, code)
    assert (row.status, row.holder_id) == (Status.SENT, None) and row.due_at is not None and row.due_at > world.now
    assert hoa.last.key == "mysubmissions.reopened"
    await hoa.presses(f"c:molai:{code}.1")
    assert hoa.last.key == "common.already"
    world.later(seconds=6)
    await world.deliver()
    assert ha.keys == ["report.queue_notice"]


async def test_what_is_asked_for_comes_first_in_the_menu(world: World) -> None:
    hoa, code = await with_one(world)
    await hoa.says("sang kien")
    await hoa.taps("Đồng ý")
    await hoa.taps("Sáng kiến")
    await hoa.says("Giá gá giúp thay dao cắt nhanh gấp đôi")
    await hoa.says("menu")
    await hoa.says("menu")
    assert "bản nháp" in hoa.last.text
    await change(world, code, status=Status.NEED_INFO, ask="Xin thêm ảnh")
    await hoa.says("menu")
    assert f"Hồ sơ {code} cần bổ sung." in hoa.last.text and "bản nháp" not in hoa.last.text


async def test_a_draft_is_in_the_list_too(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("sang kien")
    await hoa.taps("Đồng ý")
    await hoa.taps("Mô hình, cách làm")
    await hoa.says("/hoso")
    listed = next(heard for heard in hoa.heard if heard.key == "mysubmissions.list")
    assert "chưa gửi" in listed.text
    await hoa.taps("Mở bản nháp")
    assert hoa.last.key == "report.title" and "mô hình" in hoa.last.text


async def test_not_chosen_is_mended_with_its_coauthors_and_sent_under_its_code(world: World) -> None:
    hoa, code = await with_one(world, status=Status.NOT_SELECTED, reason="Chưa áp dụng")
    async with world.database.write() as session:
        from db.models import CoAuthor

        session.add(CoAuthor(submission_id=1, name="Quách Văn An", percent=30, confirmed=True))
    await hoa.says(f"/hoso {code}")
    await hoa.taps("Sửa và gửi lại")
    assert hoa.last.key == "report.preview" and "Quách Văn An 30%" in hoa.last.text
    await hoa.taps("Sửa từng mục")
    await hoa.taps("Tên")
    assert "Giá gá thay dao cắt nhanh" in hoa.last.text  # what stands is shown
    await hoa.says("Giá gá thay dao, nay đã áp dụng cả xưởng")
    await hoa.says("menu")
    await hoa.presses(f"c:guilai:{code}")  # the same button again keeps what was mended
    assert hoa.last.key == "report.preview" and "cả xưởng" in hoa.last.text
    await hoa.taps("Gửi")
    row = await state(world, code)
    assert (row.status, row.title, row.reason) == (Status.SENT, "Giá gá thay dao, nay đã áp dụng cả xưởng", "")
    async with world.database.read() as session:
        coauthors = await submissions.list_coauthors(session, row.id)
        assert [(each.name, each.confirmed) for each in coauthors] == [("Quách Văn An", True)]
        assert (await session.execute(select(func.count()).select_from(Submission))).scalar_one() == 1


async def test_mending_does_not_push_another_draft_away(world: World) -> None:
    hoa, code = await with_one(world, status=Status.NOT_SELECTED, reason="Chưa áp dụng")
    await hoa.says("sang kien")
    await hoa.taps("Đồng ý")
    await hoa.taps("Sáng kiến")
    await hoa.says("Một việc khác đang kể dở dang")
    await hoa.presses(f"c:guilai:{code}")
    resumed = next(heard for heard in reversed(hoa.heard) if heard.key == "report.resume")
    assert "Một việc khác" in resumed.text
    told = hoa.heard[hoa.heard.index(resumed) - 1]
    assert told.key == "mysubmissions.other_first" and code in told.text
    await hoa.taps("Bỏ nháp")
    await hoa.taps("Sửa và gửi lại")
    assert hoa.last.key == "report.preview" and "Giá gá thay dao cắt nhanh" in hoa.last.text


async def test_pictures_on_their_way_are_not_missing(world: World) -> None:
    hoa, code = await with_one(world)
    async with world.database.write() as session:
        for n, kept in enumerate((FileState.CLEAN, FileState.WAITING, FileState.REFUSED)):
            session.add(
                Attachment(
                    person_id=1,
                    account_id=1,
                    submission_id=1,
                    channel="test",
                    ref="",
                    unique_ref=str(n),
                    kind="photo",
                    name="",
                    size=1,
                    state=kept,
                    next_at=world.now,
                    created_at=world.now,
                )
            )
    await hoa.says(f"/hoso {code}")
    assert "Ảnh, tệp: 1 (đang tải 1)\n•" in hoa.last.text


async def test_the_history_is_dated_and_short(world: World) -> None:
    hoa, code = await with_one(world)
    async with world.database.write() as session:
        row = (await session.execute(select(Submission))).scalar_one()
        for action in ("claimed", "returned", "claimed", "asked", "supplemented", "verified"):
            submissions.note_event(session, row, 99, action, world.now)
    await hoa.says(f"/hoso {code}")
    assert hoa.last.text.count("• 25/7:") == 6 and "có cán bộ nhận xử lý" in hoa.last.text
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(OutboxRow))).scalar_one() > 0
