"""Anniversaries once per person, year and variant, in each person's own hours, whatever restarts happen."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from content import cards
from content.anniversaries import YearRelease
from content.calendar import LOCAL
from content.message import from_json
from db import broadcasts as rows
from db import campaigns, figures, outbox, snapshot, units
from db.audiences import Rule
from db.models import (
    Audience,
    Body,
    Broadcast,
    BroadcastState,
    BroadcastTarget,
    Lane,
    OutboxRow,
    OutState,
    Person,
    Policy,
    Reach,
    Registration,
    Role,
    Shift,
)
from db.outbox import Ask, Settlement
from scheduler import anniversaries, broadcasts
from tests.people import TestPerson, World, work_of


def local(month: int, day: int, hour: int, minute: int = 0, year: int = 2025) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=LOCAL).astimezone(UTC)


async def looks(world: World, silence: str = "send") -> None:
    """One look at what is due, and everything that may leave leaves, as delivery would do it. A second goes by."""
    work = replace(work_of(world), silence=silence)
    await anniversaries.run(work)
    await broadcasts.run(work)
    await world.deliver()
    while True:
        async with world.database.write() as session:
            parcels = await outbox.claim(session, "test", world.now, "x", ask=Ask((Lane.BULK,), 50), busy=())
            done = [Settlement(parcel.id, "x", OutState.SENT, str(next(world.sent))) for parcel in parcels]
            await outbox.settle(session, done, world.now)
        if not parcels:
            break
    world.later(seconds=1)


CLOCK = ("00:30", "06:30", "07:00", "09:00", "09:45", "11:30", "14:30", "15:30", "17:00", "20:45")
"""Moments of a day at which something could begin or end, the quiet hours included."""


def moments(now: datetime) -> list[datetime]:
    """Those of today and tomorrow."""
    midnight = now.astimezone(LOCAL).replace(hour=0, minute=0, second=0)
    times = [timedelta(hours=int(clock[:2]), minutes=int(clock[3:])) for clock in CLOCK]
    return [(midnight + timedelta(days=ahead) + each).astimezone(UTC) for ahead in (0, 1) for each in times]


async def walks(world: World, until: datetime) -> None:
    """From moment to moment as the clock would, each look twice as after a restart."""
    while world.now < until:
        world.now = min(moment for moment in [*moments(world.now), until] if moment > world.now)
        await looks(world)
        await looks(world)


async def sent(world: World) -> dict[tuple[str, str], str]:
    """(person, key) -> when it arrived; whatever came twice fails here."""
    async with world.database.read() as session:
        found = await session.execute(
            select(Person.name, Broadcast.key, OutboxRow.finished_at)
            .join(OutboxRow, OutboxRow.person_id == Person.id)
            .join(Broadcast, Broadcast.id == OutboxRow.broadcast_id)
            .where(OutboxRow.state == OutState.SENT, Broadcast.key.is_not(None))
        )
        got = [((name, key or ""), at.astimezone(LOCAL).strftime("%d/%m %H:%M")) for name, key, at in found if at]
    assert not [pair for pair, times in Counter(pair for pair, _ in got).items() if times > 1]
    return dict(got)


async def states(world: World) -> Counter[str]:
    async with world.database.read() as session:
        found = await session.execute(select(OutboxRow.state).where(OutboxRow.broadcast_id.is_not(None)))
        return Counter(state.value for state in found.scalars())


async def officers_message(world: World, officer: TestPerson, person: TestPerson, at: datetime) -> None:
    """An ordinary announcement that one person got."""
    async with world.database.write() as session:
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None
        made = await rows.create(
            session, author_id=await officer.id(), kind="notice", topic="notice", unit_id=unit.id,
            audience=Rule(unit.id), number=2, text="x", media=[], timing="now", send_at=at, second=False, year=2025, now=at,
        )  # fmt: skip
        me = await person.id()
        found = [m for m in await rows.next_members(session, made, at, exempt=True) if m.person_id == me]
        body = await rows.body(session, {"text": "x", "choices": [], "media": [], "key": "", "screen": 0}, at)
        await rows.add_targets(session, made, [(member, at, None, body, None) for member in found], at)
        made.state = BroadcastState.DONE


# ---------------------------------------------------------------------------------------------------- each in their hours


async def test_the_union_day_reaches_each_shift_in_its_own_hours_once(world: World) -> None:
    await world.joined("Hành Chính")
    await world.joined("Ca Sáng", shift=Shift.MORNING)
    await world.joined("Ca Chiều", shift=Shift.AFTERNOON)
    await world.joined("Ca Đêm", shift=Shift.NIGHT)
    await world.joined("Ca Xoay", shift=Shift.ROTATING)
    await world.joined("Giờ Riêng", quiet="16:00-08:00")
    world.now = local(7, 25, 5)
    await walks(world, local(7, 29, 0))
    got = await sent(world)
    assert {name: at for (name, key), at in got.items() if key == "kn:2807:2025:t3"} == {
        "Hành Chính": "25/07 17:00", "Ca Sáng": "25/07 17:00", "Ca Chiều": "25/07 09:00", "Ca Đêm": "25/07 17:00",
        "Ca Xoay": "25/07 17:00", "Giờ Riêng": "25/07 11:30",
    }  # fmt: skip
    assert {name: at for (name, key), at in got.items() if key == "kn:2807:2025:t0"} == {
        "Hành Chính": "28/07 07:00", "Ca Sáng": "28/07 14:30", "Ca Chiều": "28/07 09:00", "Ca Đêm": "28/07 15:30",
        "Ca Xoay": "28/07 17:00", "Giờ Riêng": "28/07 11:30",
    }  # fmt: skip
    assert len(got) == 12
    async with world.database.read() as session:
        assert set((await session.execute(select(Broadcast.state))).scalars()) == {BroadcastState.DONE}


async def test_around_tet_everybody_gets_one_message_and_nothing_in_the_days_of_silence(world: World) -> None:
    await world.joined("Hành Chính")
    for month, day in ((1, 25), (1, 29), (1, 31), (2, 3)):  # 26 tháng Chạp, mùng 1, T-3, the day itself
        world.now = local(month, day, 6)
        await walks(world, local(month, day, 21))
    assert await sent(world) == {("Hành Chính", "kn:0302:2025:tet"): "25/01 17:00"}


async def test_an_anniversary_on_a_sunday_comes_on_that_sunday(world: World) -> None:
    released = YearRelease.model_validate(
        {"proofread_by": "a", "proofread_on": "2030-01-01", "approved_by": "b", "approved_on": "2030-01-02"}
    )
    pack = world.house.packs.anniversaries.model_copy(update={"approvals": {2030: released}})
    world.house = replace(world.house, packs=replace(world.house.packs, anniversaries=pack))
    await world.joined("Hành Chính")
    assert local(5, 19, 7, year=2030).astimezone(LOCAL).weekday() == 6
    world.now = local(5, 19, 6, year=2030)
    await walks(world, local(5, 19, 9, year=2030))
    assert await sent(world) == {("Hành Chính", "kn:1905:2030:t0"): "19/05 07:00"}


async def test_the_wages_line_goes_to_enterprise_workers_only(world: World) -> None:
    worker, teacher = await world.joined("Công Nhân"), await world.joined("Giáo Viên", audience=Audience.PUBLIC)
    world.now = local(8, 30, 16, 59)
    await walks(world, local(8, 30, 17, 20))
    async with world.database.read() as session:
        found = await session.execute(select(OutboxRow.person_id, OutboxRow.body_id).where(OutboxRow.broadcast_id > 0))
        bodies = {person: body for person, body in found}
        broadcast = (await session.execute(select(Broadcast))).scalar_one()
    assert broadcast.audience["bodies"] == {
        "enterprise": bodies[await worker.id()],
        "all": bodies[await teacher.id()],
    }


# ---------------------------------------------------------------------------------------------------- once


async def test_a_process_that_dies_while_sending_sends_nobody_a_second_one(world: World) -> None:
    await world.joined("Một")
    await world.joined("Hai")
    world.now = local(7, 25, 17, 0)
    await anniversaries.run(work_of(world))
    await broadcasts.run(work_of(world))
    async with world.database.write() as session:
        await outbox.claim(session, "test", world.now, "dying", ask=Ask((Lane.BULK,), 1), busy=())
    async with world.database.write() as session:
        await outbox.recover(session, world.now)  # the next start
    await walks(world, local(7, 25, 17, 30))
    await walks(world, local(7, 25, 21))
    assert len(await sent(world)) == 1
    assert await states(world) == {"sent": 1, "unknown": 1}


async def test_a_process_that_dies_between_planning_and_sending_goes_on(world: World) -> None:
    await world.joined("Hành Chính")
    world.now = local(7, 25, 6, 30)
    await anniversaries.run(work_of(world))  # the broadcast is there, its targets are not
    world.now = local(7, 25, 18)
    await walks(world, local(7, 25, 19))
    assert await sent(world) == {("Hành Chính", "kn:2807:2025:t3"): "25/07 19:00"}


async def test_two_looks_at_once_plan_it_once(world: World) -> None:
    for n in range(5):
        await world.joined(f"Người {n}")
    world.now = local(7, 25, 17)
    work = work_of(world)
    await asyncio.gather(*(anniversaries.run(work) for _ in range(4)))
    await asyncio.gather(*(broadcasts.run(work) for _ in range(4)), return_exceptions=True)
    await looks(world)
    assert len(await sent(world)) == 5
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Broadcast))).scalar_one() == 1


async def test_a_clock_that_jumps_back_and_forward_sends_nothing_twice(world: World) -> None:
    await world.joined("Hành Chính")
    world.now = local(7, 25, 16)
    for moment in (
        local(7, 25, 17), local(7, 25, 9), local(7, 25, 17, 5), local(7, 22, 12), local(7, 25, 18), local(7, 28, 7),
        local(7, 25, 17), local(7, 28, 7, 10), local(7, 28, 12), local(7, 27, 0), local(7, 28, 19),
    ):  # fmt: skip
        world.now = moment
        await looks(world)
    assert set(await sent(world)) == {("Hành Chính", "kn:2807:2025:t3"), ("Hành Chính", "kn:2807:2025:t0")}


async def test_the_button_of_a_day_opens_a_good_deed_from_the_push_and_from_reading_it_again(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    world.now = local(5, 16, 17)
    await looks(world)
    async with world.database.read() as session:
        body = (await session.execute(select(Body.payload))).scalar_one()
    choices = from_json(body).choices
    assert [(choice.label, choice.command, choice.arg) for choice in choices] == [
        ("🌟 Kể một gương tốt", "sangkien", "good_deed"), ("🔕 Bớt tin", "bottin", ""),
    ]  # fmt: skip
    world.later(days=60)
    await hoa.says("/thongbao")
    await hoa.taps("1")
    await hoa.taps("Kể một gương tốt")
    await hoa.taps("Đồng ý")
    assert hoa.last.key == "report.who"


async def test_who_changes_shift_or_unit_in_between_gets_it_once(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    world.now = local(7, 28, 6, 30)
    await looks(world)
    async with world.database.write() as session:
        me = await session.get_one(Person, await hoa.id())
        other = await units.find_by_code(session, "TRUONG")
        assert other is not None
        me.shift, me.unit_id, me.audience = Shift.NIGHT, other.id, Audience.PUBLIC
    await walks(world, local(7, 28, 22))
    assert len(await sent(world)) == 1


async def test_two_chats_of_one_person_get_one_message(world: World) -> None:
    hoa, second = await world.joined("Bùi Thị Hoa"), world.person("Hoa, máy khác")
    await second.says("/start")
    async with world.database.write() as session:
        from db.models import Account

        account = (await session.execute(select(Account).where(Account.address == second.address))).scalar_one()
        account.person_id = await hoa.id()
    world.now = local(7, 25, 17)
    await looks(world)
    assert len(await sent(world)) == 1


# ---------------------------------------------------------------------------------------------------- cards


async def test_on_the_day_itself_its_card_goes_with_the_words(world: World) -> None:
    hoa = await world.joined("Hành Chính")
    world.now = local(7, 25, 5)
    await walks(world, local(7, 28, 8))
    async with world.database.read() as session:
        media = {row.key: row.media for row in (await session.execute(select(Broadcast))).scalars()}
        body = (await session.execute(select(Body).order_by(Body.id.desc()).limit(1))).scalar_one()
    assert media["kn:2807:2025:t3"] == []
    ((kind, file, name),) = media["kn:2807:2025:t0"]
    assert (kind, name) == ("photo", "96 năm Ngày thành lập Công đoàn Việt Nam, 28/7/2025")
    assert (world.house.files / file).read_bytes().startswith(b"\x89PNG")
    sent_with = from_json(body.payload)
    assert [each.file for each in sent_with.media] == [file] and "96 năm" in sent_with.text
    assert len(await sent(world)) == 2 and hoa.keys == []


async def test_a_card_that_cannot_be_drawn_keeps_no_words_back(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(cards, "picture", broken)
    await world.joined("Hành Chính")
    world.now = local(7, 28, 5)
    await walks(world, local(7, 28, 8))
    assert list(await sent(world)) == [("Hành Chính", "kn:2807:2025:t0")]
    assert "the card of kn:2807:2025:t0 could not be drawn" in caplog.text


# ---------------------------------------------------------------------------------------------------- missed, not late


async def test_a_day_on_which_nothing_ran_is_shown_as_missed_and_not_sent_late(world: World) -> None:
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    await world.joined("Hành Chính")
    world.now = local(7, 24, 12)
    await looks(world)
    world.now = local(7, 30, 3)
    await walks(world, local(7, 30, 12))
    assert await sent(world) == {}
    assert await states(world) == {"expired": 4}
    told = [each for each in mai.heard if each.key == "anniversaries.missed"]
    assert len(told) == 2 and "25/7/2025" in told[0].text
    async with world.database.read() as session:
        shown = [(each["key"], each["targets"]) for each in await figures.broadcasts(session)]
    assert shown == [("kn:2807:2025:t0", {"expired": 2}), ("kn:2807:2025:t3", {"expired": 2})]


async def test_a_house_that_is_new_has_missed_nothing(world: World) -> None:
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    world.now = local(7, 29, 9)
    await walks(world, local(7, 29, 12))
    assert await states(world) == {} and mai.keys == []


async def test_what_was_planned_and_not_delivered_by_the_end_of_ones_day_expires(world: World) -> None:
    await world.joined("Hành Chính")
    await world.joined("Ca Xoay", shift=Shift.ROTATING)
    world.now = local(7, 25, 16)
    await anniversaries.run(work_of(world))
    await broadcasts.run(work_of(world))
    world.now = local(7, 25, 19)  # the channel was down until now
    await looks(world)
    assert await sent(world) == {("Hành Chính", "kn:2807:2025:t3"): "25/07 19:00"}
    world.now = local(7, 26, 17, 30)
    await looks(world)
    assert len(await sent(world)) == 1 and await states(world) == {"sent": 1, "expired": 1}


async def test_a_start_after_the_last_window_counts_as_missed_at_once(world: World) -> None:
    await world.joined("Hành Chính")
    world.now = local(7, 28, 20, 45)
    await looks(world)
    assert await states(world) == {"expired": 1}


async def test_the_emergency_stop_over_an_anniversary_does_not_make_it_late(world: World) -> None:
    dai = await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)
    world.now = local(7, 28, 6)
    async with world.database.write() as session:
        await rows.stop_all(session, await dai.id(), world.now)
    await walks(world, local(7, 29, 8))
    async with world.database.write() as session:
        await rows.start_again(session, await dai.id(), world.now)
    await walks(world, local(7, 29, 22))
    assert await sent(world) == {} and await states(world) == {"expired": 1}


# ---------------------------------------------------------------------------------------------------- who, and who not


async def test_who_joins_on_the_day_gets_it_in_a_window_that_is_still_ahead(world: World) -> None:
    await world.joined("Từ Trước")
    world.now = local(7, 28, 6)
    await walks(world, local(7, 28, 9, 30))
    await world.joined("Chín Giờ Rưỡi")
    await world.joined("Ca Chiều", shift=Shift.AFTERNOON)
    await walks(world, local(7, 28, 14))
    await world.joined("Ca Chiều Muộn", shift=Shift.AFTERNOON)
    await walks(world, local(7, 28, 20, 45))
    await world.joined("Quá Muộn")
    await walks(world, local(7, 29, 20))
    assert {name: at for (name, _), at in (await sent(world)).items()} == {
        "Từ Trước": "28/07 07:00", "Chín Giờ Rưỡi": "28/07 11:30", "Ca Chiều": "28/07 09:45",
    }  # fmt: skip
    assert await states(world) == {"sent": 3}


async def test_who_wants_no_news_or_none_of_these_is_left_alone(world: World) -> None:
    await world.joined("Không Nhận", news=False)
    await world.joined("Tắt Ngày Lễ", muted_topics=["anniversary"])
    await world.joined("Tắt Phong Trào", muted_topics=["movement"])
    await world.joined("Ngừng Xử Lý", processing=False)
    blocked = await world.joined("Đã Chặn")
    async with world.database.write() as session:
        from db.models import Account

        account = (await session.execute(select(Account).where(Account.address == blocked.address))).scalar_one()
        account.reach = Reach.BLOCKED
    world.now = local(7, 28, 6)
    await walks(world, local(7, 28, 8))
    assert set(await sent(world)) == {("Tắt Phong Trào", "kn:2807:2025:t0")}
    async with world.database.read() as session:
        found = await session.execute(select(BroadcastTarget.reason).order_by(BroadcastTarget.reason))
        assert list(found.scalars()) == ["", "blocked", "muted", "muted", "withdrawn"]


async def test_three_days_before_gives_way_to_a_message_of_that_day_and_the_day_itself_does_not(world: World) -> None:
    ha = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    full, yesterday = await world.joined("Đủ Tin"), await world.joined("Hôm Qua")
    await officers_message(world, ha, yesterday, local(7, 24, 20))
    await officers_message(world, ha, full, local(7, 25, 5, 30))
    await officers_message(world, ha, full, local(7, 28, 5, 30))
    world.now = local(7, 25, 6)
    await walks(world, local(7, 28, 8))
    got = set(await sent(world))
    assert ("Đủ Tin", "kn:2807:2025:t3") not in got and ("Hôm Qua", "kn:2807:2025:t3") in got
    assert ("Đủ Tin", "kn:2807:2025:t0") in got


async def test_respectful_mode_drops_what_is_planned_and_what_would_be(world: World) -> None:
    dai = await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)
    await world.joined("Hành Chính")
    world.now = local(7, 25, 7)
    await looks(world)
    async with world.database.write() as session:
        await rows.set_respectful(session, await dai.id(), True, world.now)
    await walks(world, local(7, 28, 12))
    async with world.database.write() as session:
        await rows.set_respectful(session, await dai.id(), False, world.now)
    await walks(world, local(7, 29, 12))
    assert await sent(world) == {} and dai.keys == []
    async with world.database.read() as session:
        kept = (await session.execute(select(Broadcast.key, Broadcast.state))).all()
    assert [tuple(row) for row in kept][1:] == [("kn:2807:2025:t0", BroadcastState.CANCELLED)]
    assert "ready" not in await states(world)


# ---------------------------------------------------------------------------------------------------- not released


async def test_unreleased_texts_are_never_sent_and_somebody_is_told_once_a_week_ahead_in_the_daytime(
    world: World,
) -> None:
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    dai = await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)
    hoa = await world.joined("Hành Chính")
    world.now = local(7, 17, 23, year=2026)
    heard = None
    for hours in [*range(0, 14), 24, 48, 72, 168, 176, 192, 264]:
        world.now = local(7, 17, 23, year=2026) + timedelta(hours=hours)
        await looks(world)
        if heard is None and mai.keys:
            heard = world.now.astimezone(LOCAL)
    assert await sent(world) == {} and await states(world) == {} and hoa.keys == []
    assert mai.keys == dai.keys == ["anniversaries.approval_needed"] * 2
    assert heard is not None and heard.strftime("%d/%m %H") == "18/07 07"  # 25/7 is the first message
    assert "25/7/2026" in mai.heard[0].text and "97 năm" in mai.heard[0].text
    assert "27/7/2026" in mai.heard[1].text and "79 năm" in mai.heard[1].text


# ---------------------------------------------------------------------------------------------------- registrations


async def registered(world: World, person: TestPerson, at: datetime) -> Registration:
    async with world.database.write() as session:
        me = await session.get_one(Person, await person.id())
        return await campaigns.register(session, me, 2025, 2, [0], ["Kèm cặp 01 đồng nghiệp mới"], at)


def asked(person: TestPerson) -> int:
    return person.keys.count("campaign.check")


async def test_ten_days_before_the_end_each_is_asked_once_in_their_own_hours(world: World) -> None:
    found: dict[str, str] = {}
    shifts = {"Hành Chính": Shift.OFFICE, "Ca Chiều": Shift.AFTERNOON, "Ca Đêm": Shift.NIGHT}
    people_ = [await world.joined(name, shift=shift) for name, shift in shifts.items()]
    people_.append(await world.joined("Giờ Riêng", quiet="11:00-14:00"))
    for person in people_:
        await registered(world, person, local(8, 1, 9))
    world.now = local(12, 19, 23)
    for _ in range(3 * len(CLOCK)):
        await walks(world, min(moment for moment in moments(world.now) if moment > world.now))
        for person in people_:
            if asked(person):
                found.setdefault(person.name, world.now.astimezone(LOCAL).strftime("%d/%m %H:%M"))
    assert found == {
        "Hành Chính": "20/12 11:30",
        "Ca Chiều": "20/12 09:00",
        "Ca Đêm": "20/12 15:30",
        "Giờ Riêng": "20/12 17:00",
    }
    assert [asked(person) for person in people_] == [1, 1, 1, 1]
    assert "Đợt 2 còn 11 ngày" in people_[0].last.text and "Kèm cặp 01 đồng nghiệp mới" in people_[0].last.text
    async with world.database.read() as session:
        policies = await session.execute(select(OutboxRow.policy).where(OutboxRow.kind == "reminder"))
        assert set(policies.scalars()) == {Policy.AMO}


async def test_after_a_restore_nobody_is_asked_again_who_may_have_been_since_the_backup(world: World) -> None:
    late, early = await world.joined("Hành Chính"), await world.joined("Ca Chiều", shift=Shift.AFTERNOON)
    for person in (late, early):
        await registered(world, person, local(8, 1, 9))
    mai = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    world.now = local(12, 20, 10)
    await snapshot.after_restore(world.database, world.now)
    world.now = local(12, 20, 10, 1)
    await looks(world)
    await mai.taps("Gửi")  # it may have been stopped since the backup
    await walks(world, local(12, 23, 0))
    assert (asked(late), asked(early)) == (1, 0), "the afternoon shift's hour was nine"


async def test_the_answer_is_taken_by_the_button_that_was_sent(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await registered(world, hoa, local(8, 1, 9))
    world.now = local(12, 22, 12)
    await looks(world)
    await hoa.taps("Chưa làm được")
    assert hoa.last.key == "campaign.thanks_notyet"
    world.later(days=1)
    await looks(world)
    assert asked(hoa) == 1


@pytest.mark.parametrize(
    "values",
    [{"news": False}, {"muted_topics": ["movement"]}, {"processing": False}],
    ids=["news", "topic", "withdrawn"],
)
async def test_nobody_is_asked_who_does_not_want_to_be(world: World, values: dict[str, object]) -> None:
    hoa = await world.joined("Bùi Thị Hoa", **values)
    await registered(world, hoa, local(8, 1, 9))
    world.now = local(12, 20, 6)
    await walks(world, local(12, 23, 0))
    assert asked(hoa) == 0


async def test_who_answered_already_or_registered_just_now_is_not_asked(world: World) -> None:
    hoa, lan = await world.joined("Bùi Thị Hoa"), await world.joined("Đỗ Thị Lan")
    code = (await registered(world, hoa, local(8, 1, 9))).code
    await hoa.presses(f"c:ketqua:{code}.doing")
    await registered(world, lan, local(12, 20, 8))
    world.now = local(12, 20, 9)
    await walks(world, local(12, 23, 0))
    assert asked(hoa) == asked(lan) == 0


async def test_who_has_had_a_message_today_is_asked_on_another_day(world: World) -> None:
    ha = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    hoa = await world.joined("Bùi Thị Hoa")
    await registered(world, hoa, local(8, 1, 9))
    await officers_message(world, ha, hoa, local(12, 20, 9))
    world.now = local(12, 20, 9)
    await walks(world, local(12, 20, 22))
    assert asked(hoa) == 0
    await walks(world, local(12, 22, 13))
    assert asked(hoa) == 1 and "còn 9 ngày" in hoa.last.text  # the 21st is a Sunday


async def test_for_a_campaign_that_nobody_has_released_nobody_is_asked(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    async with world.database.write() as session:
        me = await session.get_one(Person, await hoa.id())
        await campaigns.register(session, me, 2026, 2, [0], ["Ôn luật"], local(8, 1, 9, year=2026))
    world.now = local(12, 21, 11, year=2026)
    await walks(world, local(12, 21, 18, year=2026))
    assert asked(hoa) == 0


async def test_what_respectful_mode_dropped_reaches_no_newcomer_either(world: World) -> None:
    dai = await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)
    await world.joined("Ca Đêm", shift=Shift.NIGHT)
    world.now = local(7, 28, 6)
    await walks(world, local(7, 28, 8))
    for on, joins, until in ((True, "Trong Lúc", 11), (False, "Sau Đó", 20)):
        async with world.database.write() as session:
            await rows.set_respectful(session, await dai.id(), on, world.now)
        await world.joined(joins)
        await walks(world, local(7, 28, until))
    assert set(await sent(world)) == {("Đinh Quang Đại", "kn:2807:2025:t0")}
