"""The queue as reviewers meet it: one winner, kind words for the author, nothing out of reach, nothing lost."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from db.models import AuditRow, OutboxRow, Role, Status, Submission, SubmissionEvent, Track
from db.submissions import Report, submit
from tests.people import TestPerson, World


async def sent(world: World, author: TestPerson, title: str = "Giá gá thay dao cắt nhanh", **story: str) -> Submission:
    from db.models import Person

    async with world.database.write() as session:
        person = await session.get_one(Person, await author.id())
        told = {"field": "technical", "before": "Thay dao lâu", "after": "Có giá gá", "applied": "using"} | story
        return await submit(
            session,
            person,
            Report(Track.INITIATIVE, title, told),
            draft_id=None,
            due_at=world.now,
            year=2025,
            now=world.now,
        )


async def state(world: World, code: str) -> Submission:
    async with world.database.read() as session:
        return (await session.execute(select(Submission).where(Submission.code == code))).scalar_one()


async def reviewer(world: World, name: str = "Lê Thu Hà", unit: str = "CAOSON") -> TestPerson:
    return await world.joined(name, unit=unit, role=Role.UPPER_OFFICER)


async def test_a_report_is_claimed_and_accepted_and_its_author_hears_it_is_verified(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    await ha.says("/duyet")
    assert ha.last.key == "moderation.queue" and code in ha.last.text
    await ha.says("1")
    await ha.taps("Nhận xử lý")
    assert ha.last.key == "moderation.card"
    await ha.taps("Chấp nhận")
    await ha.taps("Chấp nhận")
    assert (await state(world, code)).status == Status.VERIFIED
    assert hoa.last.key == "moderation.accept_notice"
    assert "đã được xác minh" in hoa.last.text and "công nhận" not in hoa.last.text


async def test_asking_for_more_goes_to_the_author_and_comes_back_to_the_same_holder(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    await ha.says(f"/duyet {code}")
    await ha.taps("Nhận xử lý")
    await ha.taps("Cần bổ sung")
    await ha.says("2,3")
    assert ha.last.key == "moderation.preview" and "số liệu trước và sau" in ha.last.text
    await ha.taps("Gửi")
    assert hoa.last.key == "moderation.need_notice"
    await hoa.taps("Gửi bổ sung")
    await hoa.says("Trước 40 phút")
    await hoa.says("nay 15 phút")
    await hoa.sends_photo()
    await hoa.says("gui")
    assert hoa.last.key == "supplement.sent"
    assert ha.last.key == "supplement.notice"
    row = await state(world, code)
    assert row.status == Status.CLAIMED and row.unseen and row.holder_id == await ha.id()
    await ha.taps("Mở hồ sơ")
    assert "Trước 40 phút\nnay 15 phút" in ha.last.text


async def test_a_supplement_that_was_not_seen_blocks_the_decision(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    await ha.says(f"/duyet {code}")
    await ha.taps("Nhận xử lý")
    async with world.database.write() as session:
        row = (await session.execute(select(Submission))).scalar_one()
        row.unseen = True
    await ha.presses(f"c:chapnhan:{code}.2")
    await ha.taps("Chấp nhận")
    assert ha.last.key == "moderation.unseen"
    assert (await state(world, code)).status == Status.CLAIMED


async def test_a_refusal_is_kind_and_can_be_mended_and_sent_again(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    await ha.says(f"/duyet {code}")
    await ha.taps("Nhận xử lý")
    await ha.taps("Không chọn")
    await ha.says("1")
    await ha.taps("Gửi")
    assert hoa.last.key == "moderation.reject_notice" and "Cảm ơn" in hoa.last.text and "làm thử" in hoa.last.text
    await hoa.taps("Sửa và gửi lại")
    assert hoa.last.key == "report.preview"
    await hoa.taps("Gửi")
    assert hoa.last.key == "report.sent" and code in hoa.last.text
    assert (await state(world, code)).status == Status.SENT


async def test_nobody_decides_on_their_own(world: World) -> None:
    ha = await reviewer(world)
    await world.joined("Vũ Thị Ly", unit="CAOSON", role=Role.REVIEWER)
    code = (await sent(world, ha)).code
    await ha.presses(f"c:nhan:{code}.1")
    assert ha.last.key == "moderation.own"
    assert (await state(world, code)).status == Status.SENT


async def test_another_branch_sees_nothing_and_cannot_tell_it_from_nothing(world: World) -> None:
    other, hoa = await reviewer(world, "Trần Hồng Sơn", "KCN"), await world.joined("Bùi Thị Hoa")
    await reviewer(world)
    code = (await sent(world, hoa)).code
    await other.says("/duyet")
    assert code not in other.last.text
    for press in (f"c:duyet:{code}", f"c:nhan:{code}.1", "c:nhan:SK-25-9999.1", f"c:xemtep:{code}", f"c:ghichu:{code}"):
        await other.presses(press)
        if press.startswith("c:ghichu"):
            assert other.last.key == "moderation.not_found"
        assert other.last.key == "moderation.not_found", press


async def test_a_revoked_reviewer_is_refused_at_once(world: World) -> None:
    from db.models import Grant

    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    await ha.says(f"/duyet {code}")
    async with world.database.write() as session:
        (await session.execute(select(Grant))).scalar_one().revoked_at = world.now
    await ha.taps("Nhận xử lý")
    assert ha.last.key == "moderation.not_found"
    assert (await state(world, code)).status == Status.SENT


async def test_an_internal_note_never_reaches_the_author(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    await ha.says(f"/duyet {code}")
    await ha.taps("Ghi chú nội bộ")
    await ha.says("Cần gọi hỏi quản đốc CANARY")
    assert "CANARY" in ha.last.text
    await hoa.says(f"/hoso {code}")
    assert "CANARY" not in "".join(heard.text for heard in hoa.heard)


async def test_a_duplicate_tells_both_and_can_be_undone(world: World) -> None:
    ha, hoa, lan = (
        await reviewer(world),
        await world.joined("Bùi Thị Hoa"),
        await world.joined("Đỗ Thị Lan", unit="TRUONG"),
    )
    first = (await sent(world, lan)).code
    code = (await sent(world, hoa)).code
    await ha.says(f"/duyet {code}")
    assert first in ha.last.text
    await ha.taps("Nhận xử lý")
    await ha.taps("Trùng")
    await ha.says(first.lower())
    assert (await state(world, code)).status == Status.DUPLICATE
    assert hoa.last.key == lan.last.key == "moderation.duplicate_notice"
    await ha.says(f"/duyet {code}")
    await ha.taps("Bỏ ghi trùng")
    row = await state(world, code)
    assert row.status == Status.CLAIMED and row.duplicate_of is None


async def test_the_slower_of_two_hears_who_was_faster_and_keeps_what_was_typed(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    await ha.says(f"/duyet {code}")
    await ha.taps("Nhận xử lý")
    await ha.taps("Không chọn")
    await ha.says("Cần bộ phận kỹ thuật xem trước đã")
    async with world.database.write() as session:
        row = (await session.execute(select(Submission))).scalar_one()
        row.version += 1
        session.add(
            SubmissionEvent(submission_id=row.id, at=world.now, actor_id=await hoa.id(), action="withdrawn", text="")
        )
    ha.heard = [heard for heard in ha.heard if heard.key == "moderation.preview"]
    await ha.taps("Gửi")
    told = next(heard for heard in ha.heard if heard.key == "moderation.too_late")
    assert "Tác giả đã rút hồ sơ" in told.text and "Cần bộ phận kỹ thuật xem trước đã" in told.text
    assert ha.last.key == "moderation.card"


@pytest.mark.timeout(240)
async def test_two_hundred_simultaneous_pairs_of_decisions_have_one_winner_each(world: World) -> None:
    ha, ly = await reviewer(world), await world.joined("Vũ Thị Ly", unit="CAOSON", role=Role.REVIEWER)
    authors = [await world.joined(f"Tác giả {n}") for n in range(4)]
    rounds = 200
    codes = [(await sent(world, authors[n % 4], f"Cải tiến số {n} của tổ")).code for n in range(rounds)]
    winners = 0
    for n, code in enumerate(codes):
        # Each pair claims the same report at the same moment; then the winner's and a stale press meet.
        ha.heard.clear()
        ly.heard.clear()
        await asyncio.gather(ha.presses(f"c:nhan:{code}.1"), ly.presses(f"c:nhan:{code}.1"))
        row = await state(world, code)
        assert row.status == Status.CLAIMED and row.version == 2
        told = [person for person in (ha, ly) if "moderation.too_late" in person.keys]
        assert len(told) == 1 and row.holder_id != await told[0].id()
        winner, loser = (ly, ha) if told[0] is ha else (ha, ly)
        winners += winner is ha
        other = "chapnhan" if n % 2 else "khongchon"
        await asyncio.gather(winner.presses(f"c:chapnhan:{code}.2"), loser.presses(f"c:{other}:{code}.2"))
        await asyncio.gather(winner.taps("Chấp nhận"), loser.says("Chưa đủ thông tin để quyết định"))
        assert (await state(world, code)).status == Status.VERIFIED
    async with world.database.read() as session:
        audited = select(func.count()).select_from(AuditRow).where(AuditRow.action == "verified")
        assert (await session.execute(audited)).scalar_one() == rounds
        notices = select(func.count()).select_from(OutboxRow).where(OutboxRow.kind == "result")
        assert (await session.execute(notices)).scalar_one() == rounds
