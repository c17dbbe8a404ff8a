"""The queue as a list: parts, pages, what is late, ticking several; three hundred reports in an hour are no flood."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from db import submissions
from db.accounts import enter
from db.models import OutboxRow, Person, Role, Status, Submission, Track
from db.submissions import Report
from handlers.report.sending import tell_reviewers
from handlers.talk import Talk
from tests.handlers.test_moderation import reviewer, sent, state
from tests.people import TestPerson, World

CODE = re.compile(r"SK-25-\d{4}")


async def many(world: World, author: TestPerson, count: int) -> list[str]:
    """Reports that nobody has, due one minute after the other."""
    async with world.database.write() as session:
        person = await session.get_one(Person, await author.id())
        codes = []
        for n in range(count):
            report = Report(Track.INITIATIVE, f"Cải tiến số {n}", {"before": f"Việc {n * n}", "applied": "using"})
            due = world.now + timedelta(days=7, minutes=n)
            made = await submissions.submit(
                session, person, report, draft_id=None, due_at=due, year=2025, now=world.now
            )
            codes.append(made.code)
        return codes


async def change(world: World, code: str, **values: object) -> None:
    async with world.database.write() as session:
        row = (await session.execute(select(Submission).where(Submission.code == code))).scalar_one()
        for key, value in values.items():
            setattr(row, key, value)


# ---------------------------------------------------------------------------------------------------- the list


async def test_every_part_of_the_queue_shows_what_belongs_there(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    new, late, back, mine, asked, others, done = await many(world, hoa, 7)
    me = await ha.id()
    await change(world, late, due_at=world.now - timedelta(days=1))
    await change(world, back, unseen=True)
    await change(world, mine, status=Status.CLAIMED, holder_id=me, claimed_at=world.now, lapses_at=world.now)
    await change(world, asked, status=Status.NEED_INFO, holder_id=await hoa.id(), ask="Xin ảnh")
    await change(world, others, status=Status.CLAIMED, holder_id=await hoa.id(), claimed_at=world.now)
    await change(world, done, status=Status.NOT_SELECTED, decided_at=world.now, reason="Chưa áp dụng")
    for label, expected in {
        "Sắp hạn": [late],
        "Mới": [late, new, back],
        "Bổ sung, nhắn lại": [back],
        "Tôi đang giữ": [mine],
        "Chờ tác giả": [asked],
        "Đã có kết quả": [done],
        "Tất cả chờ xét": [late, new, back, mine],
    }.items():
        await ha.says("/duyet")
        await ha.taps("Lọc")
        await ha.taps(label)
        assert CODE.findall(ha.last.text) == expected, label
    assert "5 hồ sơ chờ xét · quá hạn 1" in ha.last.text and "quá hạn 1 ngày" in ha.last.text
    await ha.taps("Xem tiếp")
    assert CODE.findall(ha.last.text) == [others]


@pytest.mark.parametrize("ticking", [False, True])
async def test_back_from_the_third_page_leads_over_the_second_to_the_first(world: World, ticking: bool) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    codes = await many(world, hoa, 11)
    pages = [codes[:4], codes[4:8], codes[8:]]
    await ha.says("/canbo")
    await ha.taps("Xét hồ sơ")
    if ticking:
        await ha.taps("Chọn nhiều hồ sơ")
    for number, shown in enumerate(pages):
        if number:
            world.later(minutes=1)
            await ha.taps("Xem tiếp")
        assert CODE.findall(ha.last.text) == shown
    for shown in pages[1::-1]:
        await ha.says("lui")
        assert CODE.findall(ha.last.text) == shown
    await ha.says("lui")
    assert ha.last.key == ("moderation.queue" if ticking else "menu.home")


async def test_paging_through_three_hundred_shows_each_once_and_asks_no_more_of_the_database(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    statements = 0

    def count(*args: object) -> None:
        nonlocal statements
        statements += 1

    event.listen(world.database.engine.sync_engine, "before_cursor_execute", count)
    codes = await many(world, hoa, 6)
    await ha.says("/duyet")
    world.later(minutes=1)
    statements = 0
    await ha.taps("Xem tiếp")
    few = statements
    codes += await many(world, hoa, 294)
    await ha.says("/duyet")
    assert len(ha.last.text) <= 600
    seen = CODE.findall(ha.last.text)
    while len(seen) < 300:
        world.later(minutes=1)
        statements = 0
        await ha.taps("Xem tiếp")
        assert statements == few
        seen += CODE.findall(ha.last.text)
    assert sorted(seen) == sorted(codes)
    await ha.taps("Xem tiếp")
    assert CODE.findall(ha.last.text) == seen[:4]


async def test_a_code_is_found_however_it_is_typed_and_other_words_lead_on(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    await many(world, hoa, 3)
    for typed in ("sk-25-0002", "SK 25 0002", "sk250002"):
        await ha.says("/duyet")
        await ha.says(typed)
        assert ha.last.key == "moderation.card" and "SK-25-0002" in ha.last.text
    await ha.says("/duyet")
    await ha.says("ơ kìa")
    assert ha.last.key == "moderation.no_code"
    await ha.says("ho so cua toi")
    assert ha.last.key == "mysubmissions.list"


async def test_the_next_report_is_the_next_of_the_chosen_part_and_not_one_that_a_colleague_holds(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    first, second, third, fourth = await many(world, hoa, 4)
    await change(world, second, status=Status.CLAIMED, holder_id=await hoa.id(), claimed_at=world.now)
    await change(world, fourth, status=Status.NEED_INFO)
    await ha.says(f"/duyet {first}")
    shown = []
    for _ in range(2):
        await ha.taps("Hồ sơ sau")
        shown += CODE.findall(ha.last.text)[:1]
    assert shown == [third, first]


async def test_the_next_report_is_the_one_due_next_and_of_one_day_the_older_until_none_is_left(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    codes = await many(world, hoa, 5)
    for code, days in zip(codes, (5, 2, 5, 8, 5), strict=True):
        await change(world, code, due_at=world.now + timedelta(days=days))
    await ha.says(f"/duyet {codes[1]}")
    shown = []
    for _ in range(5):
        await ha.taps("Hồ sơ sau")
        shown += CODE.findall(ha.last.text)[:1]
    assert shown == [codes[n] for n in (0, 2, 4, 3, 1)]
    for code in codes[:1] + codes[2:]:
        await change(world, code, status=Status.NOT_SELECTED, decided_at=world.now, reason="Chưa áp dụng")
    await ha.taps("Hồ sơ sau")
    assert ha.last.key == "moderation.queue", "the one at hand is not the next"


@pytest.mark.parametrize(
    ("due", "now", "said"),
    [
        (datetime(2026, 4, 29, 10, tzinfo=UTC), datetime(2026, 5, 4, 3, tzinfo=UTC), "quá hạn 1 ngày"),
        (datetime(2026, 2, 13, 10, tzinfo=UTC), datetime(2026, 2, 23, 3, tzinfo=UTC), "quá hạn 1 ngày"),
        (datetime(2026, 5, 4, 10, tzinfo=UTC), datetime(2026, 4, 29, 3, tzinfo=UTC), "còn 1 ngày"),
        (datetime(2026, 5, 4, 10, tzinfo=UTC), datetime(2026, 5, 4, 3, tzinfo=UTC), "hạn hôm nay"),
    ],
)
async def test_days_are_working_days_over_holidays_and_tet(
    world: World, due: datetime, now: datetime, said: str
) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    (code,) = await many(world, hoa, 1)
    await change(world, code, due_at=due)
    world.now = now
    await ha.says("/duyet")
    assert said in ha.last.text


async def test_two_roles_over_the_same_report_count_it_once(world: World) -> None:
    from db import units
    from db.models import Grant

    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    async with world.database.write() as session:
        top = await units.top(session)
        assert top is not None
        values = {"granted_at": world.now, "confirmed_at": world.now}
        session.add(Grant(person_id=await ha.id(), role=Role.REVIEWER, unit_id=top.id, **values))
    first, second = await many(world, hoa, 2)
    await change(world, first, due_at=world.now - timedelta(days=1))
    await ha.says("/canbo")
    assert "2 hồ sơ chờ xét (quá hạn 1)" in ha.last.text
    await ha.says("/duyet")
    assert CODE.findall(ha.last.text) == [first, second]


# ---------------------------------------------------------------------------------------------------- several at once


async def test_twenty_are_accepted_with_seven_taps_and_each_author_hears_it_once(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    codes = await many(world, hoa, 23)
    await ha.says("/duyet")
    await ha.taps("Chọn nhiều hồ sơ")
    for _ in range(5):
        await ha.taps("Cả trang này")
    assert "Đã chọn: 20" in ha.last.text
    await ha.taps("Cả trang này")
    assert ha.last.key == "moderation.pick_most"
    await ha.taps("Xong")
    assert ha.last.key == "moderation.batch" and len(ha.last.text) <= 1000
    await ha.taps("Chấp nhận cả 20")
    assert "moderation.batch_done" in ha.keys and ha.last.key == "moderation.queue" and "3 hồ sơ" in ha.last.text
    assert [(await state(world, code)).status for code in codes] == [Status.VERIFIED] * 20 + [Status.SENT] * 3
    assert sorted(CODE.findall(" ".join(heard.text for heard in hoa.heard))) == codes[:20]


async def test_numbers_tick_and_untick_and_what_moved_meanwhile_is_named(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    ly = await reviewer(world, "Vũ Thị Ly")
    first, second, third, fourth = await many(world, hoa, 4)
    await ha.says("/duyet")
    await ha.taps("Chọn nhiều hồ sơ")
    await ha.says("1,2,4")
    await ha.says("4")
    assert "Đã chọn: 2" in ha.last.text
    await ha.taps("Xong")
    await ly.presses(f"c:nhan:{second}.1")
    await ha.taps("Cần bổ sung cả 2")
    await ha.says("Xin ảnh chụp tại chỗ làm")
    assert ha.last.key == "moderation.preview" and "2 hồ sơ" in ha.last.text
    await ha.taps("Gửi")
    done = next(heard for heard in ha.heard if heard.key == "moderation.batch_done")
    assert f"• {second}: Cán bộ công đoàn cấp trên đã nhận xử lý" in done.text
    assert first not in done.text and "Xin ảnh chụp" in done.text
    statuses = [(await state(world, code)).status for code in (first, second, third, fourth)]
    assert statuses == [Status.NEED_INFO, Status.CLAIMED, Status.SENT, Status.SENT]
    row = await state(world, first)
    assert row.holder_id == await ha.id() and row.lapses_at is not None
    assert hoa.keys == ["moderation.notice_ask"]


async def test_ticks_outlast_a_report_that_is_decided_in_between(world: World) -> None:
    """One of them is that very report: it is ticked no longer. Given up, nothing is ticked any more."""
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    first, second, third, fourth = await many(world, hoa, 4)
    await ha.says("/duyet")
    await ha.taps("Chọn nhiều hồ sơ")
    await ha.says("1,2,3")
    await ha.presses(f"c:chapnhan:{third}.1")
    await ha.taps("Chấp nhận")
    assert (await state(world, third)).status == Status.VERIFIED
    await ha.says("/duyet")
    await ha.taps("Chọn nhiều hồ sơ")
    assert "Đã chọn: 2" in ha.last.text and ha.last.text.count("☑️") == 2
    await ha.taps("Xong")
    assert first in ha.last.text and second in ha.last.text and fourth not in ha.last.text
    await ha.taps("Thôi")
    await ha.taps("Chọn nhiều hồ sơ")
    assert "Đã chọn: 0" in ha.last.text


async def test_ticks_outlast_the_way_to_the_menu_and_back_until_the_day_is_over(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    codes = await many(world, hoa, 4)
    world.later(hours=-3)
    for way in ("menu", "/canbo", "/thi"):
        await ha.says("/duyet")
        await ha.taps("Chọn nhiều hồ sơ")
        if way == "menu":
            await ha.says("1,2")
        assert "Đã chọn: 2" in ha.last.text, way
        await ha.says(way)
    world.later(hours=2)
    await ha.says("/duyet")
    await ha.taps("Chọn nhiều hồ sơ")
    await ha.taps("Xong")
    assert ha.last.key == "moderation.batch" and all((code in ha.last.text) == (code in codes[:2]) for code in codes)
    world.later(days=1)
    await ha.says("/duyet")
    await ha.taps("Chọn nhiều hồ sơ")
    assert "Đã chọn: 0" in ha.last.text
    await ha.says("1,2")
    await ha.taps("Xong")
    await ha.taps("accept")
    await ha.taps("Chọn nhiều hồ sơ")
    assert "Đã chọn: 0" in ha.last.text


async def test_what_was_decided_meanwhile_is_told_as_decided_and_by_whom(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    ly = await reviewer(world, "Vũ Thị Ly")
    first, second, third, fourth = await many(world, hoa, 4)
    await ha.says("/duyet")
    await ha.taps("Chọn nhiều hồ sơ")
    await ha.taps("Cả trang này")
    await ha.taps("Xong")
    for person, code in ((ly, first), (ly, second), (hoa, third)):
        await person.presses(f"c:chapnhan:{code}.1" if person is ly else f"c:rut:{code}")
        await person.taps("Chấp nhận" if person is ly else "Rút")
    await ha.taps("Chấp nhận cả 4")
    done = next(heard.text for heard in ha.heard if heard.key == "moderation.batch_done")
    assert "Xong 1 hồ sơ" in done and fourth not in done
    assert f"• {first}, {second}: Cán bộ công đoàn cấp trên đã chấp nhận" in done
    assert f"• {third}: Tác giả đã rút hồ sơ" in done


async def test_a_supplement_nobody_has_read_cannot_be_ticked(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    first, second = await many(world, hoa, 2)
    await change(world, first, unseen=True)
    await ha.says("/duyet")
    await ha.taps("Chọn nhiều hồ sơ")
    assert CODE.findall(ha.last.text) == [second]


# ---------------------------------------------------------------------------------------------------- no flood


async def test_three_hundred_reports_in_an_hour_are_one_line_an_hour_to_each_reviewer(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    tien = await reviewer(world, "Hoàng Minh Tiến", "TINH")
    for n in range(300):
        async with world.database.write() as session:
            chat = await enter(session, "test", hoa.address, world.now)
            talk = Talk(session, world.house, chat.account, chat.conversation, chat.person, world.now)
            report = Report(Track.INITIATIVE, f"Cải tiến số {n}", {"before": f"Việc {n}"})
            made = await submissions.submit(
                session, talk.me, report, draft_id=None, due_at=world.now, year=2025, now=world.now
            )
            await tell_reviewers(talk, made)
        world.later(seconds=6)
        if n % 10 == 0:
            await world.deliver()
        world.later(seconds=6)
    world.later(minutes=3)
    await world.deliver()
    assert set(ha.keys) == {"report.queue_notice"} and len(ha.heard) == 2  # 16:55 to 17:55
    assert "300 hồ sơ chờ xét" in ha.last.text and tien.keys == []
    assert sum("sửa tin trên" in line for line in ha.transcript) <= 3
    async with world.database.read() as session:
        rows = (await session.execute(select(OutboxRow).where(OutboxRow.slot.startswith("queue-")))).all()
        assert len(rows) == 2


async def test_at_night_the_line_about_the_queue_waits_for_the_morning(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    world.later(hours=7)  # 23:55
    async with world.database.write() as session:
        chat = await enter(session, "test", hoa.address, world.now)
        talk = Talk(session, world.house, chat.account, chat.conversation, chat.person, world.now)
        report = Report(Track.INITIATIVE, "Thẻ màu báo lỗi đường may", {"before": "Khó biết"})
        made = await submissions.submit(
            session, talk.me, report, draft_id=None, due_at=world.now, year=2025, now=world.now
        )
        await tell_reviewers(talk, made)
    world.later(minutes=5)
    await world.deliver()
    assert ha.keys == []
    world.later(hours=7)
    await world.deliver()
    assert ha.keys == ["report.queue_notice"]


async def test_a_good_deed_is_due_in_three_working_days(world: World) -> None:
    from handlers.report.sending import due

    hoa = await world.joined("Bùi Thị Hoa")
    async with world.database.write() as session:
        chat = await enter(session, "test", hoa.address, world.now)
        talk = Talk(session, world.house, chat.account, chat.conversation, chat.person, world.now)
        days = [(due(talk, track).date() - talk.today).days for track in (Track.GOOD_DEED, Track.INITIATIVE)]
    assert days == [5, 7]  # from a Friday


async def test_outside_a_report_the_officers_home_says_only_what_waits(world: World) -> None:
    ha = await reviewer(world)
    await ha.says("/canbo")
    assert "hồ sơ" not in ha.last.text.lower()
    await sent(world, await world.joined("Bùi Thị Hoa"))
    await ha.says("/canbo")
    assert "1 hồ sơ chờ xét" in ha.last.text and "quá hạn" not in ha.last.text
