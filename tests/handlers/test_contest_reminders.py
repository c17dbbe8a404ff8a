"""Whoever wants to be reminded of a contest is, once and in their own hours, unless they sat their paper or changed their mind."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from content.calendar import LOCAL
from db import outbox, snapshot
from db.models import Audience, Lane, OutboxRow, OutState, Reminder, ReminderKind, Role, Round, RoundState, Shift
from scheduler import contest_reminders, jobs
from tests.desks import handed_in
from tests.people import TestPerson, World, work_of
from tests.weeks import CLOSES, OPENS, week

CALL = datetime(2025, 7, 27, 17, tzinfo=LOCAL)
"""Sunday: the last window of the office shift that begins early enough before the round closes."""


async def look(world: World, at: datetime) -> None:
    world.now = at
    for _ in range(2):
        await contest_reminders.run(work_of(world))
        world.later(seconds=1)
    await world.deliver()


def offered(person: TestPerson) -> bool:
    return person.last.offers("Nhắc tôi")


async def asks(person: TestPerson, key: str) -> str:
    """Asks once; returns what was promised."""
    await person.says("/thi")
    promised = await person.taps("Nhắc tôi")
    assert promised.key == key
    await person.says("menu")
    await person.says("/thi")
    assert not offered(person)
    return promised.text


@pytest.mark.parametrize(
    ("values", "at"),
    [
        ({}, CALL),
        ({"shift": Shift.MORNING}, datetime(2025, 7, 27, 14, 30, tzinfo=LOCAL)),
        ({"shift": Shift.AFTERNOON}, datetime(2025, 7, 27, 9, tzinfo=LOCAL)),
        ({"quiet": "16:00-20:00"}, datetime(2025, 7, 27, 11, 30, tzinfo=LOCAL)),
    ],
    ids=["office", "morning", "afternoon", "own hours"],
)
async def test_before_it_closes_each_hears_once_in_their_own_hours(
    world: World, values: dict[str, object], at: datetime
) -> None:
    await week(world)
    hoa, lan = await world.joined("Bùi Thị Hoa", **values), await world.joined("Đỗ Thị Lan", **values)
    assert at.strftime("%-H giờ") in await asks(hoa, "contest.reminded_closes")
    await look(world, at - timedelta(minutes=1))
    assert "contest.reminder_closes" not in hoa.keys
    await look(world, at)
    await look(world, at + timedelta(hours=1))
    assert hoa.keys.count("contest.reminder_closes") == 1 and "21 giờ Chủ nhật 27/7" in hoa.last.text
    assert (await hoa.taps("Thi tuần")).key == "contest.home" and not offered(hoa)
    assert "contest.reminder_closes" not in lan.keys


async def test_when_it_opens_those_hear_who_asked_even_in_the_week_before(world: World) -> None:
    await week(world, opens_at=OPENS, closes_at=OPENS + timedelta(days=4))
    await week(world, opens_at=CLOSES, closes_at=CLOSES + timedelta(days=7), result_at=CLOSES + timedelta(days=9))
    hoa, lan = await world.joined("Bùi Thị Hoa"), await world.joined("Đỗ Thị Lan")
    assert (await hoa.says("/thi")).key == "contest.waiting" and "Tuần 1 bắt đầu 21 giờ Chủ nhật 27/7" in hoa.last.text
    assert "11 giờ 30 thứ Hai 28/7" in await asks(hoa, "contest.reminded_opens")
    monday = datetime(2025, 7, 28, 11, 30, tzinfo=LOCAL)
    for early in (CLOSES, monday - timedelta(minutes=1)):
        await look(world, early)
        assert "contest.reminder_opens" not in hoa.keys
    await look(world, monday)
    assert hoa.keys.count("contest.reminder_opens") == 1 and lan.keys == []
    await asks(hoa, "contest.reminded_closes")
    await look(world, monday + timedelta(hours=1))
    assert hoa.last.key == "contest.home"


async def test_who_has_sat_their_paper_or_wants_no_more_messages_hears_nothing(world: World) -> None:
    round_id = await week(world)
    hoa, lan = await world.joined("Bùi Thị Hoa"), await world.joined("Đỗ Thị Lan")
    for person in (hoa, lan):
        await asks(person, "contest.reminded_closes")
    await handed_in(world, round_id, hoa.address, 4)
    await hoa.presses(f"c:nhacthi:{round_id}")
    assert hoa.last.key == "contest.reminded_needless"
    await lan.says("/dungtin")
    await look(world, CALL)
    assert not {"contest.reminder_closes"} & {*hoa.keys, *lan.keys}


async def test_what_would_come_too_late_is_neither_offered_nor_sent(world: World) -> None:
    round_id = await week(world)
    hoa, lan = await world.joined("Bùi Thị Hoa"), await world.joined("Đỗ Thị Lan")
    await asks(hoa, "contest.reminded_closes")
    world.now = CALL
    await lan.says("/thi")
    assert not offered(lan)
    await lan.presses(f"c:nhacthi:{round_id}")
    assert lan.last.key == "contest.home"
    for late in (CLOSES - timedelta(minutes=15), CLOSES):  # nothing ran in the evening
        await look(world, late)
        assert "contest.reminder_closes" not in hoa.keys


async def test_who_organises_is_offered_none(world: World) -> None:
    round_id = await week(world)
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    await mai.says("/thi")
    assert not offered(mai)
    await mai.presses(f"c:nhacthi:{round_id}")
    assert "contest.reminded_closes" not in mai.keys


async def test_who_asked_hears_what_happens_to_the_round_and_nothing_of_one_that_is_called_off(world: World) -> None:
    round_id = await week(world)
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    hoa, lan = await world.joined("Bùi Thị Hoa"), await world.joined("Đỗ Thị Lan")
    await asks(hoa, "contest.reminded_closes")
    await mai.says("/tochuc")
    await mai.taps("1")
    await mai.taps("Tạm dừng")
    await mai.says("Soát lại câu hỏi")
    await mai.taps("Đồng ý, báo mọi người")
    await jobs.run(work_of(world))
    await world.deliver()
    assert hoa.last.key == "contest_desk.news_pause" and lan.keys == []
    await lan.says("/thi")
    assert (await lan.taps("Nhắc tôi")).key == "contest.reminded_paused"
    await look(world, CALL)
    assert "contest.reminder_closes" not in hoa.keys
    async with world.database.write() as session:
        await session.execute(update(Round).where(Round.id == round_id).values(state=RoundState.READY))
    await mai.taps("Tuần thi này")
    await look(world, CALL + timedelta(minutes=5))
    assert hoa.last.key == lan.last.key == "contest.reminder_closes"


async def approved(world: World, **values: object) -> int:
    """Another round, of a contest of its own, approved by now."""
    return await week(world, opens_at=world.now + timedelta(days=5), closes_at=world.now + timedelta(days=10),
                      result_at=world.now + timedelta(days=12), **values)  # fmt: skip


@pytest.mark.parametrize("seen", ["waiting", "over", "cancelled"])
async def test_where_no_next_round_is_approved_one_may_ask_to_be_reminded_of_it_all_the_same(
    world: World, seen: str
) -> None:
    """It is said what is promised, and kept once whichever round that is, if it is held for them."""
    round_id = await week(world)
    hoa, lan = await world.joined("Bùi Thị Hoa"), await world.joined("Đỗ Thị Lan", audience=Audience.PUBLIC)
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    state = {"over": RoundState.PUBLISHED, "cancelled": RoundState.CANCELLED}.get(seen, RoundState.READY)
    values = {"state": state, "published_at": CLOSES, "reason": "Bão số 5"}
    async with world.database.write() as session:
        await session.execute(update(Round).where(Round.id == round_id).values(values))
    world.now = CLOSES + timedelta(hours=12)
    for person in (hoa, lan):
        assert "khi tuần thi tiếp theo mở" in await asks(person, "contest.reminded_next")
        await person.presses(f"c:nhacthi:{round_id}")
        assert person.last.key == "contest.reminded_next", "a second time changes nothing"
    assert (await mai.says("/thi")).key == f"contest.{seen}" and not offered(mai)
    opens = world.now + timedelta(days=5)
    next_id = await approved(world, groups=("enterprise",))
    async with world.database.read() as session:
        kinds = {
            (each.person_id, each.round_id): each.kind for each in (await session.execute(select(Reminder))).scalars()
        }
    assert kinds == {
        (await hoa.id(), next_id): ReminderKind.OPENS,
        (await lan.id(), round_id): ReminderKind.NEXT,
    }, "the next one is not for Lan's group: they wait on"
    await look(world, opens - timedelta(minutes=1))
    assert "contest.reminder_opens" not in hoa.keys
    for days in (1, 2):
        await look(world, opens + timedelta(days=days, hours=3))
    assert hoa.keys.count("contest.reminder_opens") == 1 and "contest.reminder_opens" not in lan.keys


async def test_a_next_round_that_is_approved_but_far_ahead_is_what_one_is_reminded_of(world: World) -> None:
    round_id = await week(world)
    world.now = CLOSES + timedelta(hours=1)
    hoa = await world.joined("Bùi Thị Hoa")
    far = world.now + timedelta(days=30)
    next_id = await week(world, opens_at=far, closes_at=far + timedelta(days=6), result_at=far + timedelta(days=8))
    await hoa.says("/thi")
    assert hoa.last.key == "contest.waiting" and "Tuần 1 bắt đầu 22 giờ" in hoa.last.text
    await asks(hoa, "contest.reminded_opens")
    async with world.database.read() as session:
        [row] = (await session.execute(select(Reminder))).scalars()
    assert (row.round_id, row.kind) == (next_id, ReminderKind.OPENS) and next_id != round_id


async def test_after_a_restore_nobody_is_reminded_again_of_what_fell_due_before(world: World) -> None:
    """The backup does not know who was: by their hours some may have been, and some cannot."""
    await week(world)
    hoa, lan = await world.joined("Bùi Thị Hoa", shift=Shift.AFTERNOON), await world.joined("Đỗ Thị Lan")
    for person in (hoa, lan):
        await asks(person, "contest.reminded_closes")
    world.now = CALL - timedelta(hours=7)
    await snapshot.after_restore(world.database, world.now)
    for hours in (-6, 0, 1):
        await look(world, CALL + timedelta(hours=hours))
    assert "contest.reminder_closes" not in hoa.keys, "theirs fell due at nine"
    assert lan.keys.count("contest.reminder_closes") == 1


@pytest.mark.parametrize("known", ["none", "one", "one of another group", "asked for by themselves"])
async def test_the_wish_that_a_round_took_over_waits_for_the_next_where_it_is_called_off(
    world: World, known: str
) -> None:
    """It was used up, and who had asked was told of no other. Where the next one is approved by now, it is of that."""
    await week(world)
    hoa, lan = await world.joined("Bùi Thị Hoa"), await world.joined("Đỗ Thị Lan")
    minh = await world.joined("Lê Minh", unit="TINH", role=Role.LEADER)
    world.now = CLOSES + timedelta(hours=12)
    await asks(hoa, "contest.reminded_next")
    off = await approved(world)
    await lan.says("/thi")
    assert (await lan.taps("Nhắc tôi")).key == "contest.reminded_opens"  # of this round, and of no other
    later = {"groups": ("public",)} if known == "one of another group" else {}
    world.later(days=8)
    ahead = await approved(world, **later) if known != "none" else 0
    world.later(days=-7)
    if known == "asked for by themselves":
        async with world.database.write() as session:
            session.add(Reminder(round_id=ahead, person_id=await hoa.id(), kind=ReminderKind.OPENS, asked_at=world.now))
    async with world.database.read() as session:
        version = (await session.get_one(Round, off)).version
    await minh.presses(f"c:huythi:{off}.{version}")
    await minh.says("Trùng đợt bão số 5")
    await minh.says("dong y")
    await jobs.run(work_of(world))
    await world.deliver()
    assert hoa.last.key == lan.last.key == "contest_desk.news_cancel"
    opens = world.now + timedelta(days=12)
    if known in ("none", "one of another group"):
        world.later(days=7)
        await approved(world)
    await look(world, opens + timedelta(days=2))
    await look(world, opens + timedelta(days=2, hours=3))
    assert hoa.keys.count("contest.reminder_opens") == 1 and "contest.reminder_opens" not in lan.keys


async def test_a_reminder_that_could_not_leave_before_the_end_is_not_said_any_more(world: World) -> None:
    await week(world)
    hoa = await world.joined("Bùi Thị Hoa")
    await asks(hoa, "contest.reminded_closes")
    world.now = CALL
    await contest_reminders.run(work_of(world))
    world.now = CLOSES + timedelta(minutes=1)
    async with world.database.write() as session:
        ask = outbox.Ask((Lane.NOTICE,), 9)
        assert await outbox.claim(session, "test", world.now, "m", ask=ask, busy=()) == []
    async with world.database.read() as session:
        query = select(OutboxRow.state).where(OutboxRow.kind == "reminder")
        assert (await session.execute(query)).scalar_one() == OutState.EXPIRED
