"""Officers hold a contest: from three answers or a document, approved by another before it opens, steered with reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from db import contests
from db.models import AuditRow, Contest, Job, OutboxRow, Person, Role, Round, RoundState
from handlers.dialogue import File
from scheduler import jobs
from tests.desks import PLAN, leader, officer, reviewed
from tests.people import START, TestPerson, World, work_of
from tests.weeks import week

STEERED = {"ask_round", "return_round", "put_off_round", "pause_round", "resume_round"}
"""What the audit says of the officers' deeds."""


async def audited(world: World) -> set[str]:
    async with world.database.read() as session:
        return set((await session.execute(select(AuditRow.action))).scalars())


async def rounds(world: World) -> list[Round]:
    async with world.database.read() as session:
        return list((await session.execute(select(Round).order_by(Round.id))).scalars())


async def written(mai: TestPerson) -> None:
    """A round as usual, up to its preview."""
    await mai.says("to chuc thi")
    await mai.taps("Cuộc thi mới")
    await mai.says("Tìm hiểu Luật Công đoàn 2025")
    await mai.says("Quyền của đoàn viên")
    await mai.says("1 giải Nhất: 500.000 đồng; 2 giải Nhì: 300.000 đồng")


async def sit(world: World, round_id: int, *names: str) -> list[TestPerson]:
    """People who began a paper of a round."""
    people = [await world.joined(name) for name in names]
    async with world.database.write() as session:
        round_ = await contests.get_round(session, round_id)
        for person in people:
            row = await session.get_one(Person, await person.id())
            await contests.open_paper(session, round_, row, [], Random(1), world.now)
    return people


async def work(world: World) -> None:
    await jobs.run(work_of(world))
    await world.deliver()


async def test_three_answers_make_a_round_that_only_another_lets_open(world: World) -> None:
    await reviewed(world)
    mai, minh = await officer(world), await leader(world)
    await written(mai)
    assert mai.last.key == "contest_form.form" and "7 giờ thứ Hai 28/7/2025" in mai.last.text
    await mai.taps("Xem lại, gửi duyệt")
    assert mai.last.key == "contest_form.preview"
    assert "THỂ LỆ THI TUẦN 1" in mai.last.text and "500.000 đồng" in mai.last.text and "10 câu" in mai.last.text
    assert "&lt;" not in mai.last.text
    await mai.taps("Gửi lãnh đạo duyệt")
    (round_,) = await rounds(world)
    assert round_.state == RoundState.DRAFT and round_.asked_at is not None and round_.size == 10
    assert minh.last.key == "contest_desk.approve_notice" and "THỂ LỆ THI TUẦN 1" in minh.last.text
    await mai.presses(f"c:duyetthi:{round_.id}.{round_.version}")
    assert mai.last.key == "common.refused"
    assert "1 tuần thi chờ đồng chí duyệt" in (await minh.says("/canbo")).text
    assert not (await mai.says("/canbo")).offers("Tuần thi chờ duyệt")
    await minh.taps("Tuần thi chờ duyệt")
    assert minh.last.key == "contest_desk.round"
    await minh.taps("Duyệt")
    assert minh.last.key == "contest_desk.approved" and mai.last.key == "contest_desk.approved_notice"
    assert (await rounds(world))[0].state == RoundState.READY
    await minh.taps("Duyệt")
    assert minh.last.key == "contest_desk.changed"
    assert {"create_contest", "create_round", "ask_round", "approve_round"} <= await audited(world)
    async with world.database.read() as session:
        assert len(await contests.list_questions(session, round_.id)) >= 50


async def test_whoever_made_a_round_never_approves_it_though_they_hold_both_roles(world: World) -> None:
    await reviewed(world)
    mai, _ = await officer(world), await leader(world)
    async with world.database.write() as session:
        from db.models import Grant, Unit

        top = (await session.execute(select(Unit.id).where(Unit.code == "TINH"))).scalar_one()
        session.add(
            Grant(person_id=await mai.id(), role=Role.LEADER, unit_id=top, granted_at=START, confirmed_at=START)
        )
    await written(mai)
    await mai.taps("Xem lại, gửi duyệt")
    await mai.taps("Gửi lãnh đạo duyệt")
    (round_,) = await rounds(world)
    await mai.presses(f"c:duyetthi:{round_.id}.{round_.version}")
    assert mai.last.key == "common.refused" and (await rounds(world))[0].state == RoundState.DRAFT


async def test_a_bank_that_is_not_reviewed_is_named_topic_by_topic(world: World) -> None:
    mai, _ = await officer(world), await leader(world)
    await written(mai)
    await mai.says("Số câu theo chủ đề: tiền lương 2")
    await mai.taps("Xem lại, gửi duyệt")
    assert mai.last.key == "contest_form.faults" and "ít nhất 10 câu đã được thẩm định" in mai.last.text
    assert await rounds(world) == []


async def test_every_setting_can_be_changed_and_what_cannot_be_read_is_said_at_once(world: World) -> None:
    await reviewed(world)
    mai, _ = await officer(world), await leader(world)
    await written(mai)
    seen = set()
    for _ in range(4):
        seen |= {line.partition(". ")[2].partition(":")[0] for line in mai.last.text.splitlines()[1:]}
        await mai.taps("Mục khác")
    assert {
        "Chủ đề",
        "Số phút",
        "Thứ tự xếp hạng",
        "Giải tập thể",
        "Ai được thi",
        "Thi thử",
        "Căn cứ",
        "Tên cuộc thi",
    } <= seen
    await mai.says("Số phút: rất lâu")
    assert mai.last.key == "contest_form.unclear"
    await mai.says("Số phút: 15")
    for _ in range(3):
        await mai.taps("Mục khác")
    await mai.taps("1")
    assert mai.last.key == "contest_form.set"
    await mai.says("Luật mới")
    assert mai.last.key == "contest_form.form"
    await mai.taps("Xem lại, gửi duyệt")
    assert "Tối đa 15 phút" in mai.last.text
    await mai.taps("Để bản nháp")
    (round_,) = await rounds(world)
    assert (round_.minutes, round_.theme, round_.asked_at) == (15, "Luật mới", None)


async def test_what_comes_back_is_mended_and_laid_before_again(world: World) -> None:
    await reviewed(world)
    mai, minh = await officer(world), await leader(world)
    await written(mai)
    await mai.taps("Xem lại, gửi duyệt")
    await mai.taps("Gửi lãnh đạo duyệt")
    await minh.taps("Trả lại")
    await minh.says("Giải nhì nên là 3 giải")
    assert mai.last.key == "contest_desk.returned_notice" and "3 giải" in mai.last.text
    await mai.taps("Tuần thi này")
    await mai.taps("Sửa")
    await mai.says("Giải cá nhân: 1 giải Nhất: 500.000 đồng; 3 giải Nhì: 300.000 đồng")
    await mai.taps("Xem lại, gửi duyệt")
    await mai.taps("Gửi lãnh đạo duyệt")
    assert minh.last.key == "contest_desk.approve_notice" and "3 giải nhì" in minh.last.text
    await minh.taps("Duyệt")
    (round_,) = await rounds(world)
    assert round_.state == RoundState.READY and round_.prizes[1]["count"] == 3
    assert {"ask_round", "return_round"} <= await audited(world)


async def test_the_next_week_begins_from_the_last_one(world: World) -> None:
    await reviewed(world)
    mai, _ = await officer(world), await leader(world)
    await written(mai)
    await mai.taps("Xem lại, gửi duyệt")
    await mai.taps("Để bản nháp")
    await mai.taps("Tuần thi này")
    await mai.taps("Tuần tiếp theo")
    await mai.taps("Xem lại, gửi duyệt")
    assert "THỂ LỆ THI TUẦN 2" in mai.last.text and "04/8" in mai.last.text
    await mai.taps("Để bản nháp")
    first, second = await rounds(world)
    assert second.opens_at - first.opens_at == timedelta(days=7) and second.contest_id == first.contest_id


@pytest.mark.parametrize(("days", "opens"), [(0, "28/7"), (7, "04/8"), (20, "18/8")])
async def test_a_next_week_that_is_written_late_is_the_first_that_has_not_begun(
    world: World, days: int, opens: str
) -> None:
    await reviewed(world)
    mai = await officer(world)
    round_id = await week(world)  # opens on 21/7
    world.later(days=days)
    await mai.presses(f"c:tuansau:{round_id}.1")
    assert f"Mở: 7 giờ thứ Hai {opens}/2025" in mai.last.text


async def test_what_is_being_written_is_not_overwritten_by_another_round(world: World) -> None:
    await reviewed(world)
    mai = await officer(world)
    await written(mai)
    await mai.taps("Xem lại, gửi duyệt")
    await mai.taps("Để bản nháp")
    await mai.taps("Tuần thi này")
    await mai.taps("Sửa")
    await mai.says("Số phút: 33")
    await mai.says("/tochuc")
    for label in ("Cuộc thi mới", "1"):
        await mai.taps(label)
        if label == "1":
            await mai.taps("Tuần tiếp theo")
        assert mai.last.key == "contest_form.draft_first"
        await mai.says("/tochuc")
    await mai.taps("1")
    await mai.taps("Sửa")
    assert mai.last.key == "contest_form.form"  # where it was left
    await mai.says("Số lượt: 1")
    assert "Số phút: 33" in mai.last.text
    await mai.says("/tochuc")
    await mai.taps("Cuộc thi mới")
    await mai.taps("Bỏ, làm việc này")
    await mai.says("Thi bỏ dở")
    await mai.presses("c:lapthi:")  # an old button, from within the form
    assert mai.last.key == "contest_form.draft_first"
    await mai.taps("Bỏ, làm việc này")
    for answer in ("Thi thứ hai", "An toàn lao động", "không"):
        await mai.says(answer)
    await mai.says("Thi thử: có")
    await mai.taps("Xem lại, gửi duyệt")
    await mai.taps("Để bản nháp")
    first, second = await rounds(world)
    assert (first.theme, first.minutes) == ("Quyền của đoàn viên", 10)
    assert second.theme == "An toàn lao động" and second.contest_id != first.contest_id


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("so phut 15", "Số phút: 15"), ("Số lượt: 1", "Số lượt: 1"), ("mở 7:30 04/8/2025", "Mở: 7 giờ 30 thứ Hai 04/8/2025"),
        ("giai 2 giai nhat 500k", "Giải cá nhân: 2 giải Nhất: 500.000 đồng"),
    ],
)  # fmt: skip
async def test_a_setting_is_named_before_its_value_with_a_colon_or_without(
    world: World, typed: str, shown: str
) -> None:
    await reviewed(world)
    mai = await officer(world)
    await written(mai)
    await mai.says(typed)
    assert mai.last.key == "contest_form.form" and shown in mai.last.text
    assert (await mai.says("hom nay met qua")).key == "contest_form.which"


async def test_the_name_of_a_contest_can_be_mended_until_a_round_of_it_is_approved(world: World) -> None:
    await reviewed(world)
    mai, minh = await officer(world), await leader(world)
    await written(mai)
    await mai.taps("Xem lại, gửi duyệt")
    await mai.taps("Gửi lãnh đạo duyệt")
    assert "Quyền của đoàn viên" in minh.last.text  # who approves reads the theme too
    await minh.taps("Trả lại")
    await minh.says("Đặt lại tên cuộc thi")
    await mai.taps("Tuần thi này")
    assert "Lãnh đạo trả lại: Đặt lại tên" in mai.last.text
    await mai.taps("Sửa")
    await mai.says("ten cuoc thi: Hiểu luật, vững nghề")
    assert "Tên cuộc thi: Hiểu luật, vững nghề" in mai.last.text  # the page with it
    await mai.taps("Xem lại, gửi duyệt")
    await mai.taps("Gửi lãnh đạo duyệt")
    assert "Hiểu luật, vững nghề" in minh.last.text
    await minh.taps("Duyệt")
    assert "change_contest" in await audited(world)
    await mai.says("/tochuc")
    await mai.taps("1")
    await mai.taps("Tuần tiếp theo")
    await mai.says("ten cuoc thi: Tên khác")
    assert mai.last.key == "contest_form.which"


async def test_a_bank_that_nobody_reviewed_is_said_where_questions_are_chosen(world: World) -> None:
    mai = await officer(world)
    await written(mai)
    await mai.taps("5")
    assert mai.last.key == "contest_form.set" and "Thẩm định câu hỏi" in mai.last.text
    await mai.says("lui")
    await mai.says("lui")
    assert "Câu trả lời trước" in mai.last.text
    await mai.taps("Giữ")
    assert mai.last.key == "contest_form.form"


# ---------------------------------------------------------------------------------------------------- steering


async def test_more_time_a_pause_and_the_end_are_told_once_to_everybody_who_took_part(world: World) -> None:
    await reviewed(world)
    round_id = await week(world)
    mai, minh = await officer(world), await leader(world)
    hoa, nam = await sit(world, round_id, "Bùi Thị Hoa", "Trần Văn Nam")
    other = await world.joined("Đỗ Thị Lan")
    before = (await rounds(world))[0]
    await mai.says("/tochuc")
    await mai.taps("1")
    await mai.taps("Gia hạn")
    await mai.says("21 giờ 20/7/2025")
    assert mai.last.key == "contest_desk.not_later"
    await mai.says("21 giờ 28/7/2025")
    await mai.says("Mất điện toàn khu")
    await mai.taps("Đồng ý, báo mọi người")
    assert mai.last.key == "contest_desk.done_put_off"
    for _ in range(2):
        await work(world)
    after = (await rounds(world))[0]
    assert after.closes_at - before.closes_at == after.result_at - before.result_at == timedelta(days=1)
    for person in (hoa, nam):
        assert person.keys.count("contest_desk.news_put_off") == 1 and "Mất điện toàn khu" in person.last.text
    assert other.keys == []
    await mai.taps("Tuần thi này")
    await mai.taps("Tạm dừng")
    await mai.says("Soát lại câu hỏi")
    await mai.taps("Đồng ý, báo mọi người")
    assert (await rounds(world))[0].state == RoundState.PAUSED
    async with world.database.write() as session:
        row = await session.get_one(Person, await other.id())
        with pytest.raises(Exception, match=r"contest\.closed_now"):
            await contests.open_paper(
                session, await contests.get_round(session, round_id), row, [], Random(2), world.now
            )
    world.later(hours=2)
    await mai.taps("Tuần thi này")
    await mai.taps("Mở lại")
    resumed = (await rounds(world))[0]
    assert resumed.state == RoundState.READY and resumed.closes_at == after.closes_at + timedelta(hours=2)
    await mai.presses(f"c:huythi:{resumed.id}.{resumed.version}")
    assert mai.last.key == "common.refused"
    await minh.presses(f"c:huythi:{resumed.id}.{resumed.version}")
    await minh.says("khong phai, bam nham")
    assert minh.last.key == "contest_desk.sure" and "khong phai, bam nham" in minh.last.text
    assert (await rounds(world))[0].state == RoundState.READY
    await minh.taps("Sửa lý do")
    await minh.says("Trùng đợt bão số 5")
    assert "Trùng đợt bão số 5" in minh.last.text
    await minh.taps("Đồng ý, báo mọi người")
    assert (await rounds(world))[0].state == RoundState.CANCELLED
    await work(world)
    assert await audited(world) >= STEERED - {"ask_round", "return_round"}
    assert hoa.keys[-3:] == ["contest_desk.news_pause", "contest_desk.news_resume", "contest_desk.news_cancel"]


@pytest.mark.parametrize("button", ["Tạm dừng", "Gia hạn"])
async def test_who_thinks_again_after_the_reason_changes_nothing_and_tells_nobody(world: World, button: str) -> None:
    await reviewed(world)
    round_id = await week(world)
    mai = await officer(world)
    (hoa,) = await sit(world, round_id, "Bùi Thị Hoa")
    before = (await rounds(world))[0]
    await mai.says("/tochuc")
    await mai.taps("1")
    await mai.taps(button)
    for typed in ("21 giờ 28/7/2025", "Mất điện") if button == "Gia hạn" else ("Mất điện",):
        await mai.says(typed)
    assert mai.last.key == "contest_desk.sure"
    assert (await mai.says("thoi")).key == "contest_desk.nothing_done"
    await work(world)
    after = (await rounds(world))[0]
    assert (after.state, after.closes_at, after.version) == (before.state, before.closes_at, before.version)
    assert hoa.keys == []


async def test_what_happens_to_a_round_wakes_nobody(world: World) -> None:
    round_id = await week(world)
    mai = await officer(world)
    (hoa,) = await sit(world, round_id, "Bùi Thị Hoa")
    world.now = START.replace(hour=15, minute=30)
    round_ = (await rounds(world))[0]
    await mai.presses(f"c:tamdungthi:{round_.id}.{round_.version}")
    await mai.says("Soát lại câu hỏi")
    await mai.says("dong y")
    await work(world)
    assert hoa.keys == []
    world.later(hours=8.1)
    await world.deliver()
    assert hoa.keys == ["contest_desk.news_pause"]


async def test_while_a_round_is_open_its_card_counts_nobody(world: World) -> None:
    round_id = await week(world)
    mai = await officer(world)
    await sit(world, round_id, "Bùi Thị Hoa", "Trần Văn Nam")
    await mai.presses(f"c:tochuc:{round_id}")
    assert mai.last.key == "contest_desk.round" and "người dự thi" not in mai.last.text and "lượt." not in mai.last.text
    async with world.database.write() as session:
        await contests.make_up(session, world.now - timedelta(minutes=9), world.now, world.now)
    await mai.presses(f"c:tochuc:{round_id}")
    assert "Hệ thống gián đoạn 16:46 25/7 – 16:55 25/7" in mai.last.text


async def test_an_officer_of_another_unit_sees_nothing_of_it(world: World) -> None:
    round_id = await week(world)
    ha = await officer(world, "Lê Thu Hà", "CAOSON")
    await ha.presses(f"c:tochuc:{round_id}")
    assert ha.last.key == "common.refused"
    await ha.says("/tochuc")
    assert "Chưa có cuộc thi nào" in ha.last.text


@pytest.mark.parametrize(
    ("command", "who"),
    [("huythi", "officer"), ("giahanthi", "leader"), ("tamdungthi", "leader"), ("trathi", "officer")],
)
async def test_who_may_not_do_it_is_told_so_before_a_reason_is_asked(world: World, command: str, who: str) -> None:
    round_id = await week(world)
    person = await (officer(world) if who == "officer" else leader(world))
    await person.presses(f"c:{command}:{round_id}.{(await rounds(world))[0].version}")
    assert person.keys[-1:] == ["common.refused"], person.keys


# ---------------------------------------------------------------------------------------------------- documents


async def sent(world: World, mai: TestPerson, text: str, name: str = "ke-hoach.yaml") -> None:
    await mai.says("/tochuc")
    await mai.taps("Lập từ tệp")
    await mai.sends(File("document", "ref-1", "unique-1", name, len(text)))

    async def fetch(channel: str, ref: str) -> bytes:
        return text.encode()

    await jobs.run(replace(work_of(world, Path()), fetch=fetch))
    await world.deliver()


async def test_a_document_becomes_drafts_and_the_same_one_again_adds_nothing(world: World) -> None:
    await reviewed(world)
    mai, minh = await officer(world), await leader(world)
    await sent(world, mai, PLAN)
    assert mai.last.key == "contest_desk.file_done" and "thêm 2 tuần" in mai.last.text
    assert [round_.state for round_ in await rounds(world)] == [RoundState.DRAFT] * 2 and minh.keys == []
    await sent(world, mai, PLAN)
    assert "thêm 0 tuần, 2 tuần đã có" in mai.last.text and len(await rounds(world)) == 2
    await mai.taps("Xem, gửi duyệt")
    await mai.taps("2")
    await mai.taps("Gửi lãnh đạo duyệt")
    assert minh.last.key == "contest_desk.approve_notice"
    async with world.database.read() as session:
        assert (await session.execute(select(Contest.created_by))).scalar_one() == await mai.id()


async def test_a_document_with_faults_writes_nothing_and_names_their_lines(world: World) -> None:
    await reviewed(world)
    mai = await officer(world)
    await sent(world, mai, PLAN.replace("28/7/2025", "20/7/2025"))
    assert mai.last.key == "contest_desk.file_faults" and "Dòng 6: Tuần 1, mở: đã qua" in mai.last.text
    await sent(world, mai, "name: [", name="hong.yaml")
    assert mai.last.key == "contest_desk.file_unreadable"
    await sent(world, mai, "x\0", name="anh.xlsx")
    assert mai.last.key == "contest_desk.file_unreadable"
    ha = await officer(world, "Lê Thu Hà", "CAOSON")
    await sent(world, ha, PLAN)
    assert ha.last.key == "contest_desk.file_refused"
    assert await rounds(world) == []


async def test_only_one_document_of_a_kind_that_can_be_read_is_taken(world: World) -> None:
    mai = await officer(world)
    await mai.says("/tochuc")
    await mai.taps("Lập từ tệp")
    await mai.says("đây")
    assert "contest_desk.one_file" in mai.keys
    await mai.sends(File("document", "r", "u", "ke-hoach.pdf", 100))
    assert "contest_desk.bad_file" in mai.keys
    async with world.database.read() as session:
        assert (await session.execute(select(Job))).first() is None
        assert (await session.execute(select(OutboxRow.id).where(OutboxRow.kind == "export"))).first() is None


# ---------------------------------------------------------------------------------------------------- two at once


async def two_editing(world: World) -> tuple[TestPerson, TestPerson, TestPerson]:
    """Two officers who have the same draft open in their forms, and a leader."""
    await reviewed(world)
    mai, ly, minh = await officer(world), await officer(world, "Vũ Thị Ly"), await leader(world)
    await written(mai)
    await mai.taps("Xem lại, gửi duyệt")
    await mai.taps("Để bản nháp")
    for person in (mai, ly):
        await person.says("/tochuc")
        await person.taps("1")
        await person.taps("Sửa")
    return mai, ly, minh


async def test_of_two_who_edit_one_contest_at_once_the_second_reads_what_changed_and_loses_nothing(
    world: World,
) -> None:
    mai, ly, _ = await two_editing(world)
    for typed in ("Tên cuộc thi: Thi của Mai", "Số phút: 15", "Số lượt: 1"):
        await mai.says(typed)
    await mai.taps("Xem lại, gửi duyệt")
    await mai.taps("Để bản nháp")
    for typed in ("Tên cuộc thi: Thi của Ly", "Cơ quan tổ chức: Ban Tuyên giáo", "Số phút: 20"):
        await ly.says(typed)
    await ly.taps("Xem lại, gửi duyệt")
    await ly.taps("Để bản nháp")
    told = ly.heard[-2]
    assert told.key == "contest_form.changed" and ly.last.key == "contest_form.form"
    assert "Vũ Ngọc Mai" in told.text and 'Số lượt: nay là "1"' in told.text, told.text
    for typed, stands in (("Thi của Ly", "Thi của Mai"), ("20", "15")):
        assert f'đồng chí ghi "{typed}", bản nháp đang ghi "{stands}"' in told.text, told.text
    (round_,) = await rounds(world)
    assert (round_.minutes, round_.attempts, await contest_of(world)) == (15, 1, ("Thi của Mai", ""))
    await ly.taps("Xem lại, gửi duyệt")
    await ly.taps("Để bản nháp")
    (round_,) = await rounds(world)
    assert (round_.minutes, round_.attempts) == (20, 1)
    assert await contest_of(world) == ("Thi của Ly", "Ban Tuyên giáo")


async def contest_of(world: World) -> tuple[str, str]:
    """The name and the organiser of the only contest."""
    async with world.database.read() as session:
        row = (await session.execute(select(Contest))).scalar_one()
        return row.name, row.organiser


async def asks_for_the_next_week(mai: TestPerson) -> None:
    """Leaves what is being edited, and sends another week of the same contest to be approved."""
    await mai.says("/tochuc")
    await mai.taps("1")
    await mai.taps("Tuần tiếp theo")
    await mai.taps("Bỏ, làm việc này")
    await mai.taps("Xem lại, gửi duyệt")
    await mai.taps("Gửi lãnh đạo duyệt")


async def test_two_who_edit_different_weeks_undo_nothing_of_their_common_contest(world: World) -> None:
    mai, ly, minh = await two_editing(world)
    await asks_for_the_next_week(mai)
    await mai.taps("Tuần thi này")
    await mai.taps("Sửa")
    await ly.says("Tên cuộc thi: Thi của Ly")
    await ly.taps("Xem lại, gửi duyệt")
    await ly.taps("Để bản nháp")
    await minh.taps("Duyệt")  # what he was shown is not what would be held now
    assert minh.last.key == "contest_desk.changed"
    await mai.says("Số phút: 15")
    await mai.taps("Xem lại, gửi duyệt")
    await mai.taps("Để bản nháp")
    assert mai.heard[-2].key == "contest_form.changed" and 'Tên cuộc thi: nay là "Thi của Ly"' in mai.heard[-2].text
    await mai.taps("Xem lại, gửi duyệt")
    await mai.taps("Để bản nháp")
    assert [each.minutes for each in await rounds(world)] == [10, 15]
    assert await contest_of(world) == ("Thi của Ly", "")


@pytest.mark.parametrize("deed", ["approved", "dropped"])
async def test_who_edits_what_was_approved_or_dropped_meanwhile_reads_their_own_words_once_more(
    world: World, deed: str
) -> None:
    mai, ly, minh = await two_editing(world)
    await ly.says("Chủ đề: An toàn lao động")
    await mai.says("/tochuc")
    await mai.taps("1")
    await mai.taps("Gửi lãnh đạo duyệt" if deed == "approved" else "Bỏ bản nháp")
    if deed == "approved":
        await minh.taps("Duyệt")
    await ly.taps("Xem lại, gửi duyệt")
    await ly.taps("Để bản nháp")
    assert ly.last.key == "contest_form.moved_on" and "Chủ đề: An toàn lao động" in ly.last.text, ly.last.text
    assert (await rounds(world))[0].theme == "Quyền của đoàn viên"


async def test_the_contest_of_a_round_that_was_approved_meanwhile_is_changed_no_more(world: World) -> None:
    mai, ly, minh = await two_editing(world)
    await asks_for_the_next_week(mai)
    await minh.taps("Duyệt")
    await ly.says("Tên cuộc thi: Thi của Ly")
    await ly.says("Số phút: 20")
    await ly.taps("Xem lại, gửi duyệt")
    await ly.taps("Để bản nháp")
    told = ly.heard[-2]
    assert told.key == "contest_form.changed" and 'đồng chí ghi "Thi của Ly", nhưng' in told.text, told.text
    assert (await rounds(world))[0].minutes == 10, "half of it was written"
    await ly.taps("Xem lại, gửi duyệt")
    await ly.taps("Để bản nháp")
    assert (await rounds(world))[0].minutes == 20 and (await contest_of(world))[0] == "Tìm hiểu Luật Công đoàn 2025"


async def test_the_reason_of_who_was_not_the_first_is_shown_back(world: World) -> None:
    round_id = await week(world)
    mai, ly = await officer(world), await officer(world, "Vũ Thị Ly")
    for person in (mai, ly):
        await person.says("/tochuc")
        await person.taps("1")
        await person.taps("Tạm dừng")
    await mai.says("Mất điện toàn khu")
    await ly.says("Soát lại câu hỏi số 3")
    for person in (mai, ly):
        await person.taps("Đồng ý, báo mọi người")
    assert ly.last.key == "contest_desk.changed" and "Soát lại câu hỏi số 3" in ly.last.text
    assert (await rounds(world))[0].reason == "Mất điện toàn khu" and round_id


async def test_of_two_names_for_one_contest_written_from_two_weeks_the_second_does_not_win_unseen(world: World) -> None:
    mai, ly, _ = await two_editing(world)
    await mai.says("/tochuc")
    await mai.taps("1")
    await mai.taps("Tuần tiếp theo")
    await mai.taps("Bỏ, làm việc này")
    await mai.taps("Xem lại, gửi duyệt")
    await mai.taps("Để bản nháp")
    await mai.taps("Tuần thi này")
    await mai.taps("Sửa")
    for person, name in ((mai, "Thi của Mai"), (ly, "Thi của Ly")):
        await person.says(f"Tên cuộc thi: {name}")
        await person.taps("Xem lại, gửi duyệt")
        await person.taps("Để bản nháp")
    assert 'đồng chí ghi "Thi của Ly", bản nháp đang ghi "Thi của Mai"' in ly.heard[-2].text, ly.heard[-2].text
    assert await contest_of(world) == ("Thi của Mai", "")


async def test_a_week_that_was_thrown_away_leaves_no_gap_and_no_line(world: World) -> None:
    await reviewed(world)
    mai = await officer(world)
    await written(mai)
    await mai.taps("Xem lại, gửi duyệt")
    await mai.taps("Để bản nháp")
    for deed in ("Bỏ bản nháp", "Gửi lãnh đạo duyệt"):
        await mai.presses(f"c:tuansau:{(await rounds(world))[0].id}.1")
        await mai.taps("Xem lại, gửi duyệt")
        assert "THỂ LỆ THI TUẦN 2" in mai.last.text
        await mai.taps("Để bản nháp")
        assert "Tuần 2 được giữ" in mai.last.text
        await mai.taps("Tuần thi này")
        await mai.taps(deed)
    assert [(each.number, each.state) for each in await rounds(world)] == [
        (1, RoundState.DRAFT), (2, RoundState.CANCELLED), (2, RoundState.DRAFT),
    ]  # fmt: skip
    await mai.says("/tochuc")
    assert len([line for line in mai.last.text.splitlines() if line[:2] in ("1.", "2.", "3.")]) == 2, mai.last.text


async def test_two_who_write_the_next_week_at_once_do_not_hold_it_twice(world: World) -> None:
    mai, ly, _ = await two_editing(world)
    for person in (mai, ly):
        await person.says("/tochuc")
        await person.taps("1")
        await person.taps("Tuần tiếp theo")
        await person.taps("Bỏ, làm việc này")
        await person.taps("Xem lại, gửi duyệt")
    await mai.taps("Để bản nháp")
    await ly.taps("Để bản nháp")
    assert ly.last.key == "contest_form.faults" and "tuần 2 đã mở vào đúng lúc này" in ly.last.text
    await ly.taps("Sửa")
    for typed in ("Công bố: 17 giờ 19/8/2025", "Đóng: 21 giờ 17/8/2025", "Mở: 7 giờ 11/8/2025"):
        await ly.says(typed)
    await ly.taps("Xem lại, gửi duyệt")
    await ly.taps("Để bản nháp")
    assert [each.number for each in await rounds(world)] == [1, 2, 3]
