"""What falls due by itself is done once, however often the clock looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from content.calendar import is_working_day, local_date
from db import erasure, snapshot, units
from db.models import Account, Draft, Grant, OutboxRow, Person, Policy, Reach, Role, Shift, Status, Submission
from scheduler import deadlines
from tests.handlers.test_moderation import audited, reviewer, sent, state
from tests.people import TestPerson, World, work_of


async def look(world: World, times: int = 3) -> None:
    for _ in range(times):
        await deadlines.run(work_of(world))
        world.later(seconds=1)
    await world.deliver()


async def held(world: World, count: int = 1) -> tuple[TestPerson, TestPerson, list[str]]:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    codes = [(await sent(world, hoa, f"Cải tiến số {n} của tổ")).code for n in range(count)]
    for code in codes:
        await ha.presses(f"c:nhan:{code}.1")
    ha.heard.clear()
    return ha, hoa, codes


async def asked(world: World) -> tuple[TestPerson, TestPerson, str]:
    ha, hoa, (code,) = await held(world)
    await ha.presses(f"c:canbosung:{code}.2")
    await ha.says("1")
    await ha.taps("Gửi")
    hoa.heard.clear()
    return ha, hoa, code


async def test_a_claim_lapses_after_two_working_days_and_the_holder_hears_it_once(world: World) -> None:
    ha, _, (code,) = await held(world)
    world.later(days=2)  # Friday to Sunday: no working day has passed
    await look(world)
    assert (await state(world, code)).status == Status.CLAIMED
    world.later(days=2, hours=1)
    await look(world)
    row = await state(world, code)
    assert (row.status, row.holder_id, row.lapses_at) == (Status.SENT, None, None)
    assert ha.keys == ["moderation.lapsed_notice"] and code in ha.last.text
    assert (await audited(world, code))[-1] == ("lapsed", 0)


async def test_a_claim_made_before_a_holiday_lapses_after_it(world: World) -> None:
    world.now = datetime(2026, 4, 29, 3, tzinfo=UTC)  # Wednesday; Thursday and Friday are off
    _, _, (code,) = await held(world)
    world.later(days=6)  # Tuesday 5/5, 10:00: the second working day
    world.later(minutes=-5)
    await look(world)
    assert (await state(world, code)).status == Status.CLAIMED
    world.later(minutes=10)
    await look(world)
    assert (await state(world, code)).status == Status.SENT


async def test_claims_that_lapse_together_are_one_message_and_at_night_it_waits(world: World) -> None:
    world.now = datetime(2025, 7, 28, 15, tzinfo=UTC)  # Monday 22:00
    ha, _, codes = await held(world, 7)
    world.later(days=2, minutes=1)
    await look(world)
    assert (await state(world, codes[6])).status == Status.SENT and ha.keys == []
    world.later(hours=9)
    await look(world)
    assert ha.keys == ["moderation.lapsed_notice"] and "7 hồ sơ" in ha.last.text


async def test_an_unanswered_question_is_reminded_twice_and_closed_after_three_weeks(world: World) -> None:
    ha, hoa, code = await asked(world)
    world.later(minutes=10)  # 17:05, the author's own time
    told: dict[str, list[int]] = {}
    for day in range(1, 31):
        world.later(days=1)
        await look(world, 2)
        for key in hoa.keys:
            told.setdefault(key, []).append(day)
        hoa.heard = hoa.heard[-1:] if day >= 21 else []
    assert told["moderation.need_reminder"] == [3, 7] and told["moderation.closed_notice"][0] == 21
    await hoa.taps("Mở lại")
    assert (await state(world, code)).status == Status.SENT
    assert [action for action, _ in await audited(world, code)][-2:] == ["closed", "reopened"]
    assert ha.keys.count("moderation.lapsed_notice") == 0


async def test_an_author_is_reminded_once_in_the_evening_they_asked_for(world: World) -> None:
    _, hoa, code = await asked(world)
    for _ in range(2):
        await hoa.presses(f"c:nhactoi:{code}")
        assert hoa.last.key == "supplement.evening" and "19 giờ ngày 25/7" in hoa.last.text
    hoa.heard.clear()
    await look(world)
    assert hoa.keys == []
    world.later(hours=2, minutes=6)
    await look(world)
    world.later(days=1)
    await look(world)
    assert hoa.keys == ["moderation.need_reminder"]


async def test_after_a_restore_no_reminder_comes_that_may_have_come_since_the_backup(world: World) -> None:
    """The backup knows of none of them; those that fall due later come as always."""
    ha, hoa, code = await asked(world)
    lan = await world.joined("Đỗ Thị Lan")
    await lan.says("sang kien")
    await lan.taps("Đồng ý")
    await lan.taps("Sáng kiến")
    await hoa.presses(f"c:nhactoi:{code}")
    for person in (ha, hoa, lan):
        person.heard.clear()
    world.later(days=3, minutes=20)
    await snapshot.after_restore(world.database, world.now)
    for _ in range(6):
        world.later(days=1)
        await look(world, 2)
    assert hoa.keys == ["moderation.need_reminder"], "of those after three and seven days the second"
    assert lan.keys == ["report.reminder"], "of those after one day and five the second"


async def test_what_was_answered_before_the_evening_is_not_reminded_of(world: World) -> None:
    _, hoa, code = await asked(world)
    await hoa.presses(f"c:nhactoi:{code}")
    await hoa.presses(f"c:bosung:{code}")
    await hoa.says("Trước 40 phút, nay 15 phút")
    await hoa.taps("Gửi bổ sung")
    await hoa.presses(f"c:nhactoi:{code}")
    assert hoa.last.key == "supplement.not_needed"
    hoa.heard.clear()
    world.later(hours=3)
    await look(world)
    assert hoa.keys == []


async def duplicates(world: World) -> tuple[TestPerson, str, list[str]]:
    """A reviewer, a report, and two that were found to be the same."""
    ha = await reviewer(world)
    names = ("Bùi Thị Hoa", "Đỗ Thị Lan", "Quách Văn An")
    first, *others = [(await sent(world, await world.joined(name))).code for name in names]
    for code in others:
        await ha.presses(f"c:trung:{code}.1")
        await ha.says(first)
        await ha.taps("yes")
    for person in world.people.values():
        person.heard.clear()
    return ha, first, others


async def test_when_an_original_is_withdrawn_its_oldest_duplicate_is_reviewed_in_its_place(world: World) -> None:
    ha, first, (second, third) = await duplicates(world)
    hoa, lan, an = (world.person(name) for name in ("Bùi Thị Hoa", "Đỗ Thị Lan", "Quách Văn An"))
    await hoa.presses(f"c:rut:{first}")
    await hoa.taps("Rút")
    ha.heard.clear()
    await look(world)
    row = await state(world, second)
    assert (row.status, row.duplicate_of, row.holder_id, row.decided_at) == (Status.SENT, None, None, None)
    assert row.due_at == datetime(2025, 8, 1, 10, tzinfo=UTC) and (await audited(world, second))[-1] == ("came_back", 0)
    assert (await state(world, third)).duplicate_of == row.id and (await state(world, third)).status == Status.DUPLICATE
    assert lan.keys == ["moderation.alone_notice"] and first in lan.last.text and an.keys == []
    assert ha.keys == ["report.queue_notice"] and second in ha.last.text
    await lan.taps("Xem hồ sơ")
    assert "chờ xem" in lan.last.text


async def test_the_same_when_its_author_erased_everything_save_for_who_left_too(world: World) -> None:
    _, _, (second, third) = await duplicates(world)
    async with world.database.write() as session:
        for name in ("Bùi Thị Hoa", "Đỗ Thị Lan"):
            await erasure.erase(session, await world.person(name).id(), world.now)
    await look(world)
    assert (await state(world, second)).status == Status.DUPLICATE
    assert (await state(world, third)).status == Status.SENT
    assert world.person("Quách Văn An").keys == ["moderation.alone_notice"]


async def test_reminders_go_at_most_once_what_happened_at_least_once(world: World) -> None:
    _, hoa, code = await asked(world)
    await hoa.presses(f"c:nhactoi:{code}")
    await world.joined("Đỗ Thị Lan")
    for days in (3, 7, 14):
        world.later(days=days)
        await look(world)
    async with world.database.read() as session:
        found = (await session.execute(select(OutboxRow.payload, OutboxRow.policy))).all()
    by_key: dict[str, set[Policy]] = {}
    for payload, policy in found:
        by_key.setdefault(payload["key"], set()).add(policy)
    assert by_key["moderation.need_reminder"] == {Policy.AMO}
    assert by_key["moderation.closed_notice"] == {Policy.ALO}


async def test_after_a_long_stop_only_the_latest_reminder_comes(world: World) -> None:
    _, hoa, _ = await asked(world)
    world.later(days=10, minutes=10)
    await look(world)
    assert hoa.keys == ["moderation.need_reminder"]


@pytest.mark.parametrize(("shift", "quiet"), [(Shift.NIGHT, ""), (Shift.AFTERNOON, "08:00-15:00")])
async def test_reminders_wait_for_the_persons_own_hours(world: World, shift: Shift, quiet: str) -> None:
    _, hoa, _ = await asked(world)
    async with world.database.write() as session:
        me = await session.get_one(Person, await hoa.id())
        me.shift, me.quiet = shift, quiet
    world.later(days=4, hours=-8)  # 8:55: the night shift sleeps
    await look(world)
    assert hoa.keys == []
    world.later(hours=7)
    await look(world)
    assert hoa.keys == ["moderation.need_reminder"]


async def test_three_hundred_late_reviews_are_one_line_a_day_to_who_has_to_act(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    ly, tien = await reviewer(world, "Vũ Thị Ly"), await reviewer(world, "Hoàng Minh Tiến", "TINH")
    await sent(world, hoa)
    async with world.database.write() as session:
        first = (await session.execute(select(Submission))).scalar_one()
        values = {c.key: getattr(first, c.key) for c in Submission.__table__.columns if c.key not in ("id", "code")}
        session.add_all(Submission(**values, code=f"SK-25-1{n:03}") for n in range(299))
    await ly.presses("c:nhan:SK-25-1007.1")
    ly.heard.clear()
    world.later(days=10)  # Monday, long after the due day
    await look(world)
    assert ha.keys == ["moderation.overdue_notice"] and "300 hồ sơ" in ha.last.text
    assert "moderation.overdue_notice" in ly.keys and tien.keys == []
    world.later(days=1)
    await look(world)
    assert ha.keys == ["moderation.overdue_notice"]  # nothing more became late


async def test_nobody_is_reminded_of_late_reviews_on_a_day_off(world: World) -> None:
    ha, hoa = await reviewer(world), await world.joined("Bùi Thị Hoa")
    world.now = datetime(2026, 2, 12, 3, tzinfo=UTC)
    await sent(world, hoa)
    async with world.database.write() as session:
        (await session.execute(select(Submission))).scalar_one().due_at = world.now
    for _ in range(20):  # over Tết
        world.later(days=1)
        await look(world, 1)
        if ha.keys:
            break
    assert is_working_day(local_date(world.now)) and ha.keys == ["moderation.overdue_notice"]


# ---------------------------------------------------------------------------------------------------- reviewers who go


@pytest.mark.parametrize("how", ["stops the bot", "loses the role"])
async def test_when_the_only_reviewer_goes_what_waits_moves_up_and_is_told_there(world: World, how: str) -> None:
    nam, ha = await world.joined("Trần Văn Nam", role=Role.GRASSROOTS_CHAIR), await reviewer(world)
    code = (await sent(world, await world.joined("Bùi Thị Hoa"))).code
    async with world.database.write() as session:
        if how == "stops the bot":
            chat = select(Account).where(Account.address == nam.address)
            (await session.execute(chat)).scalar_one().reach = Reach.BLOCKED
        else:
            grant = select(Grant).where(Grant.person_id == await nam.id())
            (await session.execute(grant)).scalar_one().revoked_at = world.now
    await look(world)
    above = await state(world, code)
    async with world.database.read() as session:
        found = await units.find_by_code(session, "CAOSON")
        assert found is not None and above.queue_unit_id == found.id
    assert ha.keys == ["report.queue_notice"]
    await ha.taps("Xét hồ sơ")
    assert code in ha.last.text


async def test_a_reviewer_who_erases_everything_leaves_no_report_behind(world: World) -> None:
    ha, hoa, (first,) = await held(world)
    second = (await sent(world, hoa, "Thẻ màu báo lỗi đường may")).code
    await ha.presses(f"c:canbosung:{second}.1")
    await ha.says("1")
    await ha.taps("Gửi")
    await reviewer(world, "Hoàng Minh Tiến", "TINH")
    gone = await ha.id()
    async with world.database.write() as session:
        await erasure.erase(session, gone, world.now)
    row = await state(world, first)
    assert (row.status, row.holder_id) == (Status.SENT, None)
    row = await state(world, second)
    assert (row.status, row.holder_id) == (Status.NEED_INFO, None)
    assert (await audited(world, first))[-1] == ("returned", gone)
    await look(world)
    async with world.database.read() as session:
        top = await units.top(session)
        assert top is not None and (await state(world, first)).queue_unit_id == top.id


async def test_a_reviewer_who_moves_house_keeps_the_role_and_what_it_holds(world: World) -> None:
    ha, _, (code,) = await held(world)
    async with world.database.write() as session:
        far = await units.find_by_code(session, "DIENTU")
        assert far is not None
        (await session.get_one(Person, await ha.id())).unit_id = far.id
    await look(world)
    assert (await state(world, code)).holder_id == await ha.id()
    await ha.presses(f"c:chapnhan:{code}.2")
    await ha.taps("Chấp nhận")
    assert (await state(world, code)).status == Status.VERIFIED


async def test_an_author_who_stops_everything_takes_back_what_waits_and_the_holder_hears_it(world: World) -> None:
    ha, hoa, (code,) = await held(world)
    await hoa.says("/canhan")
    await hoa.taps("Rút đồng ý")
    await hoa.taps("Ngừng mọi xử lý")
    assert (await state(world, code)).status == Status.WITHDRAWN
    assert ha.keys == ["mysubmissions.withdraw_notice"] and code in ha.last.text
    assert (await audited(world, code))[-1] == ("withdrawn", await hoa.id())


# ---------------------------------------------------------------------------------------------------- drafts


async def test_a_draft_is_not_mentioned_on_the_day_of_an_anniversary_but_on_the_next(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    world.now = datetime(2025, 7, 27, 3, tzinfo=UTC)
    for said in ("sang kien", "dong y", "1", "Giá gá giúp thay dao cắt nhanh"):
        await hoa.says(said)
    hoa.heard.clear()
    for hour in range(24, 38):  # 28/7 from ten in the morning to midnight
        world.now = datetime(2025, 7, 27, 3, tzinfo=UTC) + timedelta(hours=hour)
        await look(world, 1)
    assert hoa.keys == []
    world.later(days=1)
    for _ in range(24):
        world.later(hours=1)
        await look(world, 1)
    assert hoa.keys == ["report.reminder"]


async def test_a_waiting_draft_is_mentioned_at_most_twice_and_only_to_who_wants_news(world: World) -> None:
    hoa, lan = await world.joined("Bùi Thị Hoa"), await world.joined("Đỗ Thị Lan", news=False)
    for person in (hoa, lan):
        await person.says("sang kien")
        await person.taps("Đồng ý")
        await person.taps("Sáng kiến")
        await person.says("Giá gá giúp thay dao cắt nhanh")
        person.heard.clear()
    world.later(minutes=10)
    for _ in range(10):
        world.later(days=1)
        await look(world, 2)
    assert hoa.keys == ["report.reminder"] * 2 and lan.keys == []
    async with world.database.read() as session:
        assert len((await session.execute(select(Draft))).all()) == 2
        assert (await session.execute(select(Submission))).first() is None
