"""Deciding on a report: one winner, kind words for the author, nothing out of reach, nothing that was typed lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db import reviews, units
from db.errors import Refused
from db.models import Account, Attachment, AuditRow, Draft, FileState, Grant, Person, Role, Status, Submission, Track
from db.submissions import Report, submit
from tests.people import TestPerson, World


async def sent(
    world: World,
    author: TestPerson,
    title: str = "Giá gá thay dao cắt nhanh",
    *,
    track: Track = Track.INITIATIVE,
    coauthors: tuple[tuple[str, int, int | None], ...] = (),
    **story: str,
) -> Submission:
    async with world.database.write() as session:
        person = await session.get_one(Person, await author.id())
        told = {"field": "technical", "before": "Thay dao lâu", "after": "Có giá gá", "applied": "using"} | story
        if track == Track.GOOD_DEED:
            told = {"what": "Trả lại ví tiền", "where_when": "tối 02/7, nhà xe", "publish": "yes"} | story
        return await submit(
            session,
            person,
            Report(track, title, told, coauthors=coauthors),
            draft_id=None,
            due_at=world.now + timedelta(days=7),
            year=2025,
            now=world.now,
        )


async def state(world: World, code: str) -> Submission:
    async with world.database.read() as session:
        return (await session.execute(select(Submission).where(Submission.code == code))).scalar_one()


async def audited(world: World, code: str) -> list[tuple[str, int]]:
    """(action, actor) of everything the audit says about a report."""
    async with world.database.read() as session:
        query = select(AuditRow.action, AuditRow.actor_id).where(AuditRow.object == f"submission {code}")
        return [(action, actor) for action, actor in await session.execute(query.order_by(AuditRow.id))]


async def reviewer(world: World, name: str = "Lê Thu Hà", unit: str = "CAOSON") -> TestPerson:
    return await world.joined(name, unit=unit, role=Role.UPPER_OFFICER)


async def held(world: World, **values: object) -> tuple[TestPerson, TestPerson, str]:
    """A reviewer who holds a report, its author, its code; the reviewer looks at the card."""
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa, **values)).code  # type: ignore[arg-type]
    await ha.says(f"/duyet {code}")
    await ha.taps("Nhận xử lý")
    return ha, hoa, code


async def rejected(world: World) -> tuple[TestPerson, TestPerson, str]:
    ha, hoa, code = await held(world)
    await ha.taps("Không chọn")
    await ha.says("1")
    await ha.taps("Gửi")
    return ha, hoa, code


# ---------------------------------------------------------------------------------------------------- accepting


async def test_accepting_takes_two_taps_and_shows_the_next_report(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    first, second = (await sent(world, hoa)).code, (await sent(world, hoa, "Thẻ màu báo lỗi đường may")).code
    await ha.says("/duyet")
    await ha.says("1")
    for code in (first, second):
        assert ha.last.key == "moderation.card" and code in ha.last.text
        await ha.taps("Chấp nhận")
        await ha.taps("Chấp nhận")
        assert (await state(world, code)).status == Status.VERIFIED
    assert ha.last.key == "moderation.queue" and "Không còn hồ sơ nào" in ha.last.text
    assert await audited(world, first) == [
        ("sent", await hoa.id()), ("claimed", await ha.id()), ("verified", await ha.id()),
    ]  # fmt: skip


async def test_the_author_hears_once_that_it_is_verified_and_never_that_it_is_recognised(world: World) -> None:
    ha, hoa, code = await held(world)
    await ha.taps("Chấp nhận")
    await ha.taps("Chấp nhận")
    await ha.presses(f"c:chapnhan:{code}.2")
    assert "moderation.too_late" in ha.keys and "Đồng chí đã chấp nhận" in ha.heard[-2].text
    assert hoa.keys == ["moderation.accept_notice"]
    assert "đã được xác minh" in hoa.last.text and "công nhận" not in hoa.last.text
    await hoa.taps("Xem hồ sơ")
    assert hoa.last.key == "mysubmissions.detail"


async def test_coauthors_hear_of_an_acceptance_but_not_who_denied_it(world: World) -> None:
    an, lan = await world.joined("Quách Văn An"), await world.joined("Đỗ Thị Lan")
    named = (("Quách Văn An", 30, await an.id()), ("Đỗ Thị Lan", 20, await lan.id()))
    ha, hoa, code = await held(world, coauthors=named)
    await lan.presses(f"c:dongtacgia:{code}.no")
    lan.heard.clear()
    await ha.taps("Chấp nhận")
    await ha.taps("Chấp nhận")
    assert hoa.last.key == an.last.key == "moderation.accept_notice" and lan.keys == []
    assert an.last.choices == ()  # the report is its author's to open


async def test_a_team_leader_hears_of_an_acceptance_only_if_the_author_wants_it(world: World) -> None:
    ha, dung = await reviewer(world), await world.joined("Phạm Thị Dung", unit="CHUYEN5", role=Role.TEAM_LEADER)
    hoa, an = await world.joined("Bùi Thị Hoa", unit="CHUYEN5"), await world.joined("Quách Văn An")
    code, other = (await sent(world, hoa)).code, (await sent(world, an, "Thẻ màu báo lỗi đường may")).code
    for each in (code, other):
        await ha.presses(f"c:chapnhan:{each}.1")
        await ha.taps("Chấp nhận")
    assert [choice.command for choice in an.last.choices] == ["hoso"]  # no team, no leader to tell
    assert dung.keys == []
    await hoa.taps("Báo tin cho tổ trưởng")
    assert hoa.last.key == "mysubmissions.leader_told"
    assert dung.keys == ["mysubmissions.leader_notice"] and "Bùi Thị Hoa" in dung.last.text
    await hoa.presses(f"c:baototruong:{code}")
    await an.presses(f"c:baototruong:{code}")
    assert (hoa.last.key, an.last.key) == ("common.already", "mysubmissions.not_found") and len(dung.keys) == 1
    assert (await audited(world, code))[-1] == ("leader_told", await hoa.id())


async def test_a_good_deed_is_praised_and_its_outcome_waits_while_the_author_sleeps(world: World) -> None:
    ha, hoa, _ = await held(world, track=Track.GOOD_DEED, title="Anh Quách Văn Dũng, tổ bảo vệ")
    world.later(hours=6)  # 22:55
    await ha.taps("Chấp nhận")
    await ha.taps("Chấp nhận")
    assert hoa.keys == []
    world.later(hours=8)
    await world.deliver()
    assert hoa.keys == ["moderation.accept_notice"] and "biểu dương" in hoa.last.text


# ---------------------------------------------------------------------------------------------------- asking, not choosing


async def test_asking_for_more_goes_to_the_author_and_comes_back_to_the_same_holder(world: World) -> None:
    ha, hoa, code = await held(world)
    await ha.taps("Cần bổ sung")
    await ha.says("2,3")
    assert ha.last.key == "moderation.preview" and "số liệu trước và sau" in ha.last.text
    await ha.taps("Gửi")
    assert hoa.last.key == "moderation.notice_ask" and "ảnh trước và sau" in hoa.last.text
    await hoa.taps("Gửi bổ sung")
    await hoa.says("Trước 40 phút")
    await hoa.says("nay 15 phút")
    await hoa.sends_photo()
    await hoa.says("gui")
    assert ha.last.key == "supplement.notice"
    row = await state(world, code)
    assert row.status == Status.CLAIMED and row.unseen and row.holder_id == await ha.id()
    await ha.taps("Mở hồ sơ")
    assert "Trước 40 phút\nnay 15 phút" in ha.last.text
    assert not (await state(world, code)).unseen
    assert [action for action, _ in await audited(world, code)] == ["sent", "claimed", "asked", "supplemented"]


async def test_a_supplement_that_was_not_seen_blocks_the_decision(world: World) -> None:
    ha, _, code = await held(world)
    async with world.database.write() as session:
        (await session.execute(select(Submission))).scalar_one().unseen = True
    await ha.presses(f"c:chapnhan:{code}.2")
    await ha.taps("Chấp nhận")
    assert ha.last.key == "moderation.unseen"
    assert (await state(world, code)).status == Status.CLAIMED


async def test_a_supplement_that_came_back_to_nobody_is_read_before_it_is_decided(world: World) -> None:
    ha, _, code = await held(world)
    async with world.database.write() as session:
        row = (await session.execute(select(Submission))).scalar_one()
        row.status, row.holder_id, row.unseen = Status.SENT, None, True
    await ha.presses(f"c:chapnhan:{code}.2")
    assert ha.last.key == "moderation.card" and not (await state(world, code)).unseen
    await ha.taps("Chấp nhận")
    await ha.taps("Chấp nhận")
    assert (await state(world, code)).status == Status.VERIFIED


async def test_whoever_begins_to_write_about_a_report_holds_it(world: World) -> None:
    ha, ly = await reviewer(world), await reviewer(world, "Vũ Thị Ly")
    code = (await sent(world, await world.joined("Bùi Thị Hoa"))).code
    await ly.says(f"/duyet {code}")
    await ha.presses(f"c:khongchon:{code}.1")
    assert ha.last.key == "moderation.write_reject"
    await ly.taps("Chấp nhận")
    told = ly.heard[-2]
    await ly.presses(f"c:chapnhan:{code}.2")  # nobody's button, though the version is right
    assert ly.heard[-2].key == "moderation.held" and (await state(world, code)).status == Status.CLAIMED
    assert told.key == "moderation.too_late" and "Cán bộ công đoàn cấp trên đã nhận xử lý" in told.text
    assert "Cán bộ công đoàn cấp trên đang giữ từ 16 giờ 55" in ly.last.text
    assert not any(choice.command in ("chapnhan", "nhan") for choice in ly.last.choices)


async def test_words_can_be_mended_before_they_are_sent_and_templates_out_of_range_are_explained(world: World) -> None:
    ha, _, code = await held(world)
    await ha.taps("Cần bổ sung")
    await ha.says("9")
    assert ha.last.key == "moderation.number"
    await ha.says("ngắn")
    assert ha.last.key == "moderation.length"
    await ha.says("Cho xin ảnh chụp giá gá khi lắp lên máy")
    await ha.taps("Sửa")
    assert ha.last.key == "moderation.write_ask" and "ảnh chụp giá gá" in ha.last.text
    await ha.says("1")
    await ha.taps("Thôi")
    assert ha.last.key == "moderation.card" and (await state(world, code)).status == Status.CLAIMED


async def test_words_that_were_not_sent_are_still_there_after_a_look_elsewhere_and_a_lapsed_claim(world: World) -> None:
    ha, hoa, code = await held(world)
    await ha.taps("Không chọn")
    await ha.says("Cần bộ phận kỹ thuật xem trước đã")
    await ha.says("menu")
    async with world.database.write() as session:
        row = (await session.execute(select(Submission))).scalar_one()
        row.status, row.holder_id, row.version = Status.SENT, None, row.version + 1
    await ha.presses(f"c:khongchon:{code}.3")
    assert "xem trước đã" in ha.last.text
    await ha.taps("Dùng lời đang soạn")
    await ha.taps("Gửi")
    assert (await state(world, code)).reason == "Cần bộ phận kỹ thuật xem trước đã" and "kỹ thuật" in hoa.last.text
    second = (await sent(world, hoa, "Thẻ màu báo lỗi đường may")).code
    await ha.presses(f"c:khongchon:{second}.1")
    assert "xem trước đã" not in ha.last.text and [choice.key for choice in ha.last.choices] == ["_back"]


async def test_however_many_texts_are_left_half_way_each_is_still_there(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    codes = [(await sent(world, hoa, f"Cải tiến số {n} của tổ")).code for n in range(8)]
    for n, code in enumerate(codes):
        await ha.presses(f"c:{('canbosung', 'khongchon', 'lienhe')[n % 3]}:{code}.1")
        await ha.says(f"Lời dặn thứ {n}")
        await ha.says("huy")
    for n, code in enumerate(codes):
        version = (await state(world, code)).version
        await ha.presses(f"c:{('canbosung', 'khongchon', 'lienhe')[n % 3]}:{code}.{version}")
        assert f"Lời dặn thứ {n}" in ha.last.text
        await ha.says("menu")


async def test_an_internal_note_is_written_down_by_the_message_that_carries_it(world: World) -> None:
    ha, _, code = await held(world)
    await ha.presses(f"c:ghichu:{code}")
    await ha.says("Đã gọi quản đốc, có làm thật")
    await ha.says("menu")
    await ha.says(f"/duyet {code}")
    assert "Đã gọi quản đốc" in ha.last.text


async def test_words_that_came_too_late_are_still_there_when_the_report_is_back(world: World) -> None:
    ha, _, code = await held(world)
    await ha.taps("Cần bổ sung")
    await ha.says("Cho xin ảnh chụp giá gá khi lắp lên máy")
    async with world.database.write() as session:
        row = (await session.execute(select(Submission))).scalar_one()
        row.status, row.holder_id, row.version = Status.SENT, None, row.version + 1
    await ha.taps("Gửi")
    assert any(heard.key == "moderation.too_late" for heard in ha.heard)
    await ha.presses(f"c:canbosung:{code}.3")
    assert "lắp lên máy" in ha.last.text
    await ha.taps("Dùng lời đang soạn")
    await ha.taps("Gửi")
    await ha.presses(f"c:duyet:{code}")
    assert (await state(world, code)).ask == "Cho xin ảnh chụp giá gá khi lắp lên máy"
    async with world.database.read() as session:
        assert (await session.execute(select(Draft.data))).scalar_one() == {}


async def test_good_deeds_have_templates_of_their_own(world: World) -> None:
    ha, hoa, _ = await held(world, track=Track.GOOD_DEED, title="Anh Quách Văn Dũng, tổ bảo vệ")
    await ha.taps("Không chọn")
    assert "làm lợi" not in ha.last.text and "nhiệm vụ thường xuyên" not in ha.last.text
    await ha.says("5")
    assert ha.last.key == "moderation.number"
    await ha.says("1")
    await ha.taps("Gửi")
    assert hoa.last.key == "moderation.notice_reject" and "kể về" in hoa.last.text


async def test_a_refusal_is_kind_goes_to_the_author_alone_and_can_be_mended_and_sent_again(world: World) -> None:
    an = await world.joined("Quách Văn An")
    ha, hoa, code = await held(world, coauthors=(("Quách Văn An", 30, await an.id()),))
    await ha.taps("Không chọn")
    await ha.says("1")
    await ha.taps("Gửi")
    assert hoa.last.key == "moderation.notice_reject" and "Cảm ơn" in hoa.last.text and "làm thử" in hoa.last.text
    assert an.keys == []
    await hoa.taps("Sửa và gửi lại")
    assert hoa.last.key == "report.preview"
    await hoa.taps("Gửi")
    assert hoa.last.key == "report.sent" and code in hoa.last.text
    row = await state(world, code)
    assert (row.status, row.holder_id, row.reason) == (Status.SENT, None, "")


async def test_the_author_may_ask_back_and_gets_an_answer_from_whoever_decided(world: World) -> None:
    ha, hoa, code = await rejected(world)
    ly = await reviewer(world, "Vũ Thị Ly")
    await hoa.taps("Hỏi lại")
    await hoa.says("Vậy làm thử ở chuyền khác có được không ạ?")
    assert hoa.last.key == "mysubmissions.question_sent"
    assert ha.last.key == "mysubmissions.question_notice" and "chuyền khác" in ha.last.text and ly.keys == []
    await hoa.presses(f"c:hoilai:{code}")
    assert hoa.last.key == "mysubmissions.question_waits"
    await ha.says("/canbo")
    assert "1 hồ sơ tác giả đã bổ sung hoặc nhắn lại" in ha.last.text
    await ha.presses(f"c:traloihoi:{code}.3")
    assert "chuyền khác" in ha.last.text
    await ha.says("Được ạ, anh/chị làm thử hai tuần rồi gửi lại nhé.")
    await ha.taps("Gửi")
    assert hoa.last.key == "moderation.notice_answer" and "hai tuần" in hoa.last.text
    row = await state(world, code)
    assert (row.status, row.question_at) == (Status.NOT_SELECTED, None)
    await hoa.says(f"/hoso {code}")
    assert "Công đoàn trả lời: Được ạ" in hoa.last.text


async def test_nothing_is_asked_back_before_there_is_an_outcome(world: World) -> None:
    _, hoa, code = await held(world)
    await hoa.presses(f"c:hoilai:{code}")
    assert hoa.last.key == "mysubmissions.question_early"


# ---------------------------------------------------------------------------------------------------- duplicates


async def twice(world: World, author: str = "Đỗ Thị Lan", unit: str = "TRUONG") -> tuple[TestPerson, str, str]:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    other = hoa if author == hoa.name else await world.joined(author, unit=unit)
    return ha, (await sent(world, other)).code, (await sent(world, hoa)).code


async def test_a_duplicate_tells_both_keeps_the_earlier_and_can_be_undone(world: World) -> None:
    ha, first, code = await twice(world)
    hoa, lan = world.person("Bùi Thị Hoa"), world.person("Đỗ Thị Lan")
    await ha.says(f"/duyet {code}")
    assert f"{first} (100%)" in ha.last.text
    await ha.taps("Việc khác")
    await ha.taps("Ghi là trùng")
    await ha.says(first.lower())
    assert ha.last.key == "moderation.duplicate_sure" and "Giá gá thay dao cắt nhanh" in ha.last.text
    assert (await state(world, code)).duplicate_of is None and not hoa.keys and not lan.keys
    await ha.taps("Ghi là trùng")
    row = await state(world, code)
    assert row.status == Status.DUPLICATE and row.duplicate_of == (await state(world, first)).id
    assert (await state(world, first)).status == Status.SENT
    assert hoa.keys == lan.keys == ["moderation.duplicate_notice"]
    assert [choice.command for choice in hoa.last.choices] == ["hoilai", "hoso"]
    assert [choice.command for choice in lan.last.choices] == ["hoso"]  # nothing was decided about theirs
    await ha.says(f"/duyet {code}")
    await ha.taps("Bỏ ghi trùng")
    row = await state(world, code)
    assert row.status == Status.CLAIMED and row.duplicate_of is None and row.holder_id == await ha.id()
    assert hoa.last.key == lan.last.key == "moderation.unduplicate_notice"


async def test_the_later_of_two_is_the_duplicate(world: World) -> None:
    ha, first, code = await twice(world)
    await ha.presses(f"c:trung:{first}.1")
    await ha.taps("1")
    assert ha.last.key == "moderation.later_duplicate"
    assert (await state(world, first)).duplicate_of is None and (await state(world, code)).status == Status.SENT


async def test_what_is_a_duplicate_itself_is_not_offered_as_what_another_repeats(world: World) -> None:
    ha, first, code = await twice(world)
    await ha.presses(f"c:trung:{code}.1")
    await ha.taps("1")
    await ha.taps("Ghi là trùng")
    assert (await state(world, code)).status == Status.DUPLICATE
    await ha.presses(f"c:trung:{first}.1")
    assert ha.last.key == "moderation.duplicate" and code not in ha.last.text


async def test_a_reviewer_may_think_better_of_a_duplicate(world: World) -> None:
    ha, first, code = await twice(world)
    await ha.presses(f"c:trung:{code}.1")
    await ha.says(first)
    await ha.taps("Thôi")
    assert ha.last.key == "moderation.card" and (await state(world, code)).duplicate_of is None


async def test_what_two_people_tell_in_their_own_words_is_shown_to_the_reviewer(world: World) -> None:
    ha, hoa, lan = await reviewer(world), await world.joined("Bùi Thị Hoa"), await world.joined("Đỗ Thị Lan")
    first = (
        await sent(
            world, hoa, "Giá treo cuộn chỉ giúp thay chỉ không dừng máy",
            before="Mỗi lần hết chỉ, thợ phải dừng máy, đi lấy cuộn mới ở đầu chuyền, mất khoảng ba phút.",
            after="Tôi hàn cái giá treo ba cuộn dự phòng ngay trên đầu máy. Hết cuộn này kéo sang cuộn kia.",
        )
    ).code  # fmt: skip
    second = (
        await sent(
            world, lan, "Giá treo cuộn chỉ để thay chỉ không phải dừng máy",
            before="Mỗi lần hết chỉ, thợ phải dừng máy, đi lấy cuộn mới ở đầu chuyền, mất vài phút.",
            after="Em treo sẵn ba cuộn chỉ dự phòng trên đầu máy, hết cuộn này kéo sang cuộn kia.",
        )
    ).code  # fmt: skip
    for code, other in ((first, second), (second, first)):
        await ha.says(f"/duyet {code}")
        assert f"Giống: {other}" in ha.last.text
    await ha.presses(f"c:trung:{second}.1")
    await ha.taps("1")
    assert ha.last.key == "moderation.duplicate_sure" and first in ha.last.text


async def test_somebody_who_sent_the_same_twice_hears_it_once_in_fitting_words(world: World) -> None:
    ha, first, code = await twice(world, "Bùi Thị Hoa")
    await ha.presses(f"c:trung:{code}.1")
    await ha.says(first)
    await ha.taps("Ghi là trùng")
    hoa = world.person("Bùi Thị Hoa")
    assert hoa.keys == ["moderation.duplicate_notice"] and "hai nơi" not in hoa.last.text


async def test_two_reports_stand_side_by_side_but_another_branch_shows_only_its_title(world: World) -> None:
    ha, first, code = await twice(world)
    son = await reviewer(world, "Trần Hồng Sơn", "KCN")
    far = (await sent(world, await world.joined("Bàn Văn Minh", unit="DIENTU"))).code
    await ha.presses(f"c:sosanh:{code}")
    assert ha.last.key == "moderation.compare" and ha.last.text.count("Thay dao lâu") == 2
    await son.presses(f"c:sosanh:{far}")
    assert son.last.key == "moderation.compare" and "Giá gá thay dao" in son.last.text
    assert "Thay dao lâu" not in son.last.text
    await son.presses(f"c:trung:{far}.1")
    await son.says("SK-25-0099")
    assert son.last.key == "moderation.not_found"
    await son.says(first)  # shown as likely, so it may be named
    await son.taps("Ghi là trùng")
    assert (await state(world, far)).status == Status.DUPLICATE


async def test_the_card_says_how_the_name_is_shown_and_what_each_coauthor_said(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    an, lan, dung = [await world.joined(name) for name in ("Quách Văn An", "Đỗ Thị Lan", "Phạm Thị Dung")]
    named = (
        ("Quách Văn An", 10, await an.id()), ("Đỗ Thị Lan", 10, await lan.id()), ("Phạm Thị Dung", 10, await dung.id()),
        ("Bàn Văn Minh", 10, None),
    )  # fmt: skip
    code = (await sent(world, hoa, coauthors=named)).code
    await an.presses(f"c:dongtacgia:{code}.yes")
    await lan.presses(f"c:dongtacgia:{code}.no")
    await ha.says(f"/duyet {code}")
    assert "Quách Văn An 10% (đã xác nhận), Đỗ Thị Lan 10% (báo không phải)" in ha.last.text
    assert "Phạm Thị Dung 10% (chưa xác nhận), Bàn Văn Minh 10% (chưa dùng Trợ lý)" in ha.last.text
    assert "Hiện tên: chưa chọn, sẽ hỏi lại trước khi đăng" in ha.last.text
    shown = (await sent(world, hoa, display="name")).code
    await ha.says(f"/duyet {shown}")
    assert "Hiện tên: tên, đơn vị" in ha.last.text


# ---------------------------------------------------------------------------------------------------- who may


async def test_nobody_sees_the_card_of_their_own_or_a_coauthored_report_nor_decides_on_it(world: World) -> None:
    ha = await reviewer(world)
    ly = await world.joined("Vũ Thị Ly", unit="CAOSON", role=Role.REVIEWER)
    own = (await sent(world, ha)).code
    shared = (await sent(world, await world.joined("Bùi Thị Hoa"), coauthors=(("Lê Thu Hà", 20, await ha.id()),))).code
    await ly.presses(f"c:ghichu:{own}")
    await ly.says("Ghi chú CANARY của đồng nghiệp")
    for code in (own, shared):
        for press in ("duyet", "docdu", "ghichu", "vieckhac", "xemtep", "sosanh", "hosotiep"):
            await ha.presses(f"c:{press}:{code}")
            assert ha.last.key == "moderation.own", press
        for press in ("nhan", "chapnhan", "khongchon", "canbosung", "trung", "xetlai"):
            await ha.presses(f"c:{press}:{code}.1")
            assert ha.last.key == "moderation.own", press
        assert (await state(world, code)).status == Status.SENT
    await ha.says("/duyet")
    assert "Không còn hồ sơ nào" in ha.last.text
    await ha.says("/canbo")
    assert "hồ sơ chờ xét" not in ha.last.text
    assert "CANARY" not in "".join(heard.text for heard in ha.heard)


async def test_another_branch_sees_nothing_and_cannot_tell_it_from_nothing(world: World) -> None:
    other, hoa = await reviewer(world, "Trần Hồng Sơn", "KCN"), await world.joined("Bùi Thị Hoa")
    await reviewer(world)
    code = (await sent(world, hoa)).code
    await other.says("/duyet")
    assert code not in other.last.text
    presses = (f"c:duyet:{code}", f"c:nhan:{code}.1", "c:nhan:SK-25-9999.1", f"c:xemtep:{code}", f"c:ghichu:{code}",
               f"c:docdu:{code}", f"c:xetlai:{code}.1")  # fmt: skip
    for press in presses:
        await other.presses(press)
        assert other.last.key == "moderation.not_found", press


@pytest.mark.parametrize(("role", "unit"), [(Role.TEAM_LEADER, "CHUYEN5"), (Role.LEADER, "TINH")])
async def test_who_leads_reads_a_report_and_is_offered_and_may_do_nothing_more(
    world: World, role: Role, unit: str
) -> None:
    dung = await world.joined("Phạm Thị Dung", unit=unit, role=role)
    await world.joined("Trần Văn Nam", role=Role.GRASSROOTS_CHAIR)
    code = (await sent(world, await world.joined("Bùi Thị Hoa", unit="CHUYEN5"))).code
    async with world.database.write() as session:  # sent to the team's own line: within the team leader's reach too
        team = await units.find_by_code(session, "CHUYEN5")
        assert team is not None
        (await session.execute(select(Submission))).scalar_one().queue_unit_id = team.id
    await dung.says("/duyet")
    assert code in dung.last.text and "pick" not in {choice.key for choice in dung.last.choices}
    await dung.says(code)
    assert [choice.command for choice in dung.last.choices] == ["hosotiep", "vieckhac"]
    await dung.taps("Việc khác")
    assert {choice.command for choice in dung.last.choices} == {"docdu", "duyet"}
    await dung.taps("Đọc đủ, lịch sử")
    assert dung.last.key == "moderation.full"
    for press in ("nhan", "chapnhan", "khongchon", "canbosung", "trung", "lienhe", "ghichu"):
        await dung.presses(f"c:{press}:{code}.1")
        assert dung.last.key == "common.refused", press
    async with world.database.write() as session:
        submission = (await session.execute(select(Submission))).scalar_one()
        assert submission.status == Status.SENT
        with pytest.raises(Refused):
            await reviews.note(session, submission, await dung.id(), "Ghi chú", world.now)


@pytest.mark.parametrize("typed", ["1,3", "1 va 3", "mot, ba", "số 1 và 3"])
async def test_ready_sentences_are_named_by_numbers_however_typed(world: World, typed: str) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    await ha.says(f"/duyet {(await sent(world, hoa)).code}")
    await ha.says("bo sung")
    await ha.says(typed)
    for n in (1, 3):
        assert world.house.words.text(f"moderation.template_ask_{n}") in ha.last.text
    await ha.taps("Gửi")
    assert typed not in hoa.last.text


@pytest.mark.parametrize("typed", ["sk1", "SK 25 1", "sk-0001", "sk25-1", "sk 25 0001"])
async def test_a_report_is_found_by_its_code_however_short(world: World, typed: str) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    assert code == "SK-25-0001"
    await ha.says("/duyet")
    await ha.says(typed)
    assert ha.last.key == "moderation.card" and code in ha.last.text
    await ha.says(typed)  # on a card too
    assert ha.last.key == "moderation.card"


@pytest.mark.parametrize("typed", ["duyet", "/duyet", "duyet tin", "/tincho"])
async def test_whoever_decides_nothing_is_shown_no_empty_queue_of_officers(world: World, typed: str) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    assert (await hoa.says(typed)).key == "common.refused"


async def test_a_revoked_reviewer_is_refused_at_once(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    await ha.says(f"/duyet {code}")
    async with world.database.write() as session:
        (await session.execute(select(Grant))).scalar_one().revoked_at = world.now
    await ha.taps("Nhận xử lý")
    assert ha.last.key == "moderation.not_found"
    assert (await state(world, code)).status == Status.SENT


async def test_an_internal_note_never_reaches_the_author_nor_their_export(world: World) -> None:
    from db.rights import collect

    ha, hoa, code = await held(world)
    await ha.taps("Việc khác")
    await ha.taps("Ghi chú nội bộ")
    await ha.says("Cần gọi hỏi quản đốc CANARY")
    assert ha.last.key == "moderation.card" and "CANARY" in ha.last.text
    await hoa.says(f"/hoso {code}")
    assert "CANARY" not in "".join(heard.text for heard in hoa.heard)
    async with world.database.read() as session:
        assert "CANARY" not in str(await collect(session, await hoa.id()))
        assert "CANARY" not in str([row.detail for row in (await session.execute(select(AuditRow))).scalars()])


async def test_a_file_is_shown_only_once_it_is_clean(world: World) -> None:
    ha, hoa, code = await held(world)
    async with world.database.write() as session:
        submission = (await session.execute(select(Submission))).scalar_one()
        account = (await session.execute(select(Account).where(Account.address == hoa.address))).scalar_one()
        values = {
            "channel": "test",
            "kind": "photo",
            "size": 1,
            "name": "",
            "next_at": world.now,
            "created_at": world.now,
        }
        for state_of, name in ((FileState.WAITING, ""), (FileState.REFUSED, ""), (FileState.CLEAN, "clean.jpg")):
            session.add(
                Attachment(
                    person_id=await hoa.id(), account_id=account.id, submission_id=submission.id, ref="r",
                    unique_ref=state_of.value, state=state_of, file=name, **values,
                )
            )  # fmt: skip
    await ha.says(f"/duyet {code}")
    assert "Ảnh, tệp: 1 (đang tải 1)" in ha.last.text
    await ha.taps("Ảnh, tệp")
    assert [media.file for media in ha.last.message.media] == ["clean.jpg"]
    async with world.database.write() as session:
        await session.execute(update(Attachment).values(state=FileState.WAITING))
    await ha.presses(f"c:xemtep:{code}")
    assert ha.last.key == "moderation.no_files" and not ha.last.message.media


async def test_every_word_can_be_read_though_the_card_is_short(world: World) -> None:
    an = await world.joined("Quách Văn An")
    ha, _, code = await held(world, after="Kẹp dao. " * 200 + "HẾT", coauthors=(("An", 30, await an.id()),))
    await an.presses(f"c:dongtacgia:{code}.yes")
    assert len(ha.last.text) < 1000 and "HẾT" not in ha.last.text
    await ha.taps("Việc khác")
    await ha.taps("Đọc đủ, lịch sử")
    assert "HẾT" in ha.last.text and "Đồng chí nhận xử lý" in ha.last.text
    assert "Đồng tác giả xác nhận đồng tác giả" in ha.last.text


# ---------------------------------------------------------------------------------------------------- one level up


async def test_one_level_up_may_take_an_end_up_again_with_a_reason(world: World) -> None:
    ha, hoa, code = await rejected(world)
    ly, tien = await reviewer(world, "Vũ Thị Ly"), await reviewer(world, "Hoàng Minh Tiến", "TINH")
    for same in (ha, ly):
        await same.says(f"/duyet {code}")
        assert "Mở lại để xét thêm" not in [choice.label.partition(" ")[2] for choice in same.last.choices]
        await same.presses(f"c:xetlai:{code}.3")
        assert same.last.key == "moderation.not_above"
    hoa.heard.clear()
    await tien.says(f"/duyet {code}")
    await tien.taps("Mở lại để xét thêm")
    await tien.says("Cách làm này tổ khác đã dùng tốt")
    await tien.taps("Gửi")
    row = await state(world, code)
    assert (row.status, row.holder_id, row.decided_at) == (Status.CLAIMED, await tien.id(), None)
    assert row.due_at is not None and row.due_at > world.now
    assert hoa.keys == ["moderation.notice_reopen"] and "tổ khác đã dùng tốt" in hoa.last.text
    assert (await audited(world, code))[-1] == ("taken_up", await tien.id())


async def test_at_the_top_somebody_else_than_who_decided_may_take_it_up_again(world: World) -> None:
    tien, binh = await reviewer(world, "Hoàng Minh Tiến", "TINH"), await reviewer(world, "Phạm Thái Bình", "TINH")
    code = (await sent(world, await world.joined("Bùi Thị Hoa"))).code
    await tien.presses(f"c:chapnhan:{code}.1")
    await tien.taps("Chấp nhận")
    await tien.says(f"/duyet {code}")
    assert not any(choice.command == "xetlai" for choice in tien.last.choices)
    await binh.says(f"/duyet {code}")
    assert any(choice.command == "xetlai" for choice in binh.last.choices)


# ---------------------------------------------------------------------------------------------------- who was faster


async def test_the_slower_of_two_hears_who_was_faster_and_keeps_what_was_typed(world: World) -> None:
    ha, hoa, code = await held(world)
    await ha.taps("Không chọn")
    await ha.says("Cần bộ phận kỹ thuật xem trước đã")
    await hoa.presses(f"c:rut:{code}")
    await hoa.taps("Rút")
    ha.heard = [heard for heard in ha.heard if heard.key == "moderation.preview"]
    await ha.taps("Gửi")
    told = next(heard for heard in ha.heard if heard.key == "moderation.too_late")
    assert "Tác giả đã rút hồ sơ" in told.text and "Cần bộ phận kỹ thuật xem trước đã" in told.text
    assert ha.last.key == "moderation.card"


async def test_a_coauthors_answer_is_not_taken_for_what_moved_the_report(world: World) -> None:
    an = await world.joined("Quách Văn An")
    ha, _, code = await held(world, coauthors=(("Quách Văn An", 30, await an.id()),))
    await an.presses(f"c:dongtacgia:{code}.yes")
    await ha.presses(f"c:chapnhan:{code}.1")
    assert "Đồng chí đã nhận xử lý" in ha.heard[-2].text


# ---------------------------------------------------------------------------------------------------- writing to the author


async def test_a_reviewer_writes_to_the_author_who_answers_and_nobody_sees_an_address(world: World) -> None:
    ha, hoa, code = await held(world)
    await ha.taps("Việc khác")
    await ha.taps("Liên hệ tác giả")
    await ha.says("Chiều thứ ba công đoàn xuống xem giá gá được không?")
    await ha.taps("Gửi")
    assert hoa.last.key == "moderation.notice_contact" and "xuống xem" in hoa.last.text
    assert "Hà" not in hoa.last.text and ha.last.key == "moderation.card" and "xuống xem" in ha.last.text
    await hoa.taps("Trả lời")
    assert hoa.last.key == "mysubmissions.reply" and "xuống xem" in hoa.last.text
    await hoa.says("Vâng")
    assert hoa.last.key == "mysubmissions.reply_sent"
    assert ha.last.key == "mysubmissions.reply_notice" and "Vâng" in ha.last.text and hoa.address not in ha.last.text
    await ha.presses(f"c:chapnhan:{code}.2")
    await ha.taps("Chấp nhận")
    assert ha.last.key == "moderation.unseen"  # what the author said is read first
    await ha.taps("Mở hồ sơ")
    assert "Tác giả nhắn: Vâng" in ha.last.text
    assert (await audited(world, code))[-2:] == [("contacted", await ha.id()), ("replied", await hoa.id())]
    assert (await state(world, code)).version == 2


async def test_writing_to_an_author_claims_nothing_and_the_answer_finds_who_wrote(world: World) -> None:
    ha, ly, hoa = await reviewer(world), await reviewer(world, "Vũ Thị Ly"), await world.joined("Bùi Thị Hoa")
    code = (await sent(world, hoa)).code
    await ha.presses(f"c:lienhe:{code}.1")
    await ha.says("Xin chụp rõ hơn giúp công đoàn")
    await ha.taps("Gửi")
    assert (await state(world, code)).status == Status.SENT
    ha.heard.clear()
    ly.heard.clear()
    await hoa.taps("Trả lời")
    await hoa.says("Em gửi ngày mai ạ")
    await hoa.presses(f"c:hoilai:{code}")
    await hoa.says("Em gửi thêm số đo nữa ạ")
    assert ha.keys == ["mysubmissions.reply_notice"] * 2 and ly.keys == []
    await ly.presses(f"c:nhan:{code}.1")
    await hoa.presses(f"c:hoilai:{code}")
    await hoa.says("Em gửi rồi ạ")
    assert ha.last.key == "mysubmissions.reply_notice" and ly.last.key == "mysubmissions.reply_notice"


async def test_a_line_after_an_outcome_is_answered_like_a_question_and_every_line_arrives(world: World) -> None:
    ha, hoa, code = await rejected(world)
    for n in (1, 2):
        await ha.presses(f"c:lienhe:{code}.3")
        await ha.says(f"Mời anh/chị dự buổi chia sẻ lần {n}")
        await ha.taps("Gửi")
        assert hoa.last.key == "moderation.notice_contact" and f"lần {n}" in hoa.last.text
        await hoa.taps("Trả lời")
        await hoa.says(f"Em dự được lần {n}")
        await ha.presses(f"c:lienhe:{code}.3")
        assert ha.last.key == "moderation.moved_on"  # the answer comes first
        await ha.presses(f"c:traloihoi:{code}.3")
        assert f"Em dự được lần {n}" in ha.last.text
        await ha.says(f"Hẹn gặp anh/chị, lần {n}")
        await ha.taps("Gửi")
        assert hoa.last.key == "moderation.notice_answer" and f"lần {n}" in hoa.last.text
    await hoa.says(f"/hoso {code}")
    assert "Công đoàn trả lời: Hẹn gặp" in hoa.last.text


async def test_nobody_is_written_to_over_a_colleagues_head_nor_after_they_left(world: World) -> None:
    ha, hoa, code = await held(world)
    ly = await reviewer(world, "Vũ Thị Ly")
    await ly.presses(f"c:lienhe:{code}.2")
    assert ly.heard[-2].key == "moderation.held"
    dung = await world.joined("Phạm Thị Dung", unit="MAYHOA", role=Role.TEAM_LEADER, at="CAOSON")
    await dung.presses(f"c:lienhe:{code}.2")
    assert dung.last.key == "common.refused"
    await hoa.sends(place="gone")
    await ha.presses(f"c:lienhe:{code}.2")
    assert ha.last.key == "moderation.unreachable"
    await hoa.presses(f"c:hoilai:{code}")
    assert hoa.last.key == "mysubmissions.question_early"
    await hoa.presses(f"c:rut:{code}")
    await hoa.taps("Rút")
    await ha.presses(f"c:lienhe:{code}.3")
    assert ha.last.key == "moderation.moved_on"


async def test_who_was_asked_for_more_answers_a_line_with_the_supplement(world: World) -> None:
    ha, hoa, code = await held(world)
    await ha.presses(f"c:lienhe:{code}.2")
    await ha.says("Xin chụp rõ hơn giúp công đoàn")
    await ha.taps("Gửi")
    await ha.presses(f"c:canbosung:{code}.2")
    await ha.says("3")
    await ha.taps("Gửi")
    await hoa.presses(f"c:hoilai:{code}")
    assert hoa.last.key == "supplement.story"


async def test_the_way_back_from_a_card_never_leads_into_a_note_that_was_written(world: World) -> None:
    ha, _, code = await held(world)
    await ha.says(f"/duyet {code}")
    await ha.says("viec khac")
    await ha.says("ghi chu")
    await ha.says("Hỏi thêm chuyền trưởng")
    assert ha.last.key == "moderation.card"
    await ha.says("lui")
    assert ha.last.key != "moderation.note"
