"""The furnished house: a province to look around in, a past that was lived, a clock that walks every due minute."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from bot import demo
from bot.demo import START, DemoHouse, data_dir
from bot.past import Past
from content.calendar import LOCAL
from content.demo import DemoScene, load_demo
from content.windows import WINDOWS
from db.models import (
    Account,
    AuditRow,
    Broadcast,
    BroadcastState,
    BroadcastTarget,
    Downtime,
    Draft,
    Level,
    OutboxRow,
    OutState,
    Person,
    Reach,
    Round,
    RoundState,
    Shift,
    Status,
    Submission,
    SubmissionEvent,
    Unit,
    UnitAlias,
    WebMessage,
)
from db.session import Database
from handlers.report.flow import LIMITS
from tests.furnished import open_demo

PACK = load_demo()


@pytest.fixture
async def looked(furnished: Path) -> AsyncIterator[Database]:
    """The furnished database, to be looked at only."""
    database = Database(f"sqlite+aiosqlite:///{furnished / 'congdoan.db'}")
    yield database
    await database.close()


@pytest.fixture
async def house(furnished: Path, tmp_path: Path) -> AsyncIterator[tuple[DemoHouse, Database]]:
    """A copy of the furnished house, running."""
    folder = tmp_path / "demo"
    shutil.copytree(furnished, folder)
    async with open_demo(folder) as (opened, app):
        yield opened, app.database


async def said_to(database: Database, key: str) -> list[WebMessage]:
    """What stands in somebody's chat from us, oldest first."""
    async with database.read() as session:
        query = select(WebMessage).where(WebMessage.address == f"demo-{key}", WebMessage.mine.is_(False))
        return list((await session.execute(query.order_by(WebMessage.id))).scalars())


# --------------------------------------------------------------------------------------------------- the province


async def test_the_province_has_units_of_four_levels_and_many_sectors(looked: Database) -> None:
    async with looked.read() as session:
        units = (await session.execute(select(Unit))).scalars().all()
        aliases = (await session.execute(select(UnitAlias))).scalars().all()
    assert len(units) >= 40
    assert {unit.level for unit in units} == set(Level)
    assert len({unit.sector for unit in units} - {""}) >= 12
    assert sum(alias.old for alias in aliases) >= 8 and sum(not alias.old for alias in aliases) >= 5
    assert all(unit.workers and unit.members for unit in units if unit.level == Level.GRASSROOTS)


async def test_more_than_sixty_people_of_every_group_and_shift_live_there(looked: Database) -> None:
    async with looked.read() as session:
        people = (await session.execute(select(Person))).scalars().all()
    assert len(people) >= 60
    assert {person.shift for person in people} == set(Shift)
    groups = Counter(person.audience for person in people)
    assert len(groups) == 4 and min(groups.values()) >= 8
    assert len({person.name for person in people}) >= 60
    assert any(not person.confirmed for person in people) and any(not person.news for person in people)


async def test_the_page_offers_a_person_of_every_kind_and_a_newcomer(house: tuple[DemoHouse, Database]) -> None:
    people = await house[0].people()
    assert [person["group"] for person in people if person["group"]] == [person["group"] for person in people]
    assert {person["group"] for person in people} == set(PACK.groups)
    assert people[-1]["key"] == "new" and people[-1]["latest"] == 0
    hidden = next(person.key for person in PACK.people if not person.group)
    with pytest.raises(KeyError):
        house[0].address_of(hidden)


# ------------------------------------------------------------------------------------------------------- the past


async def test_there_are_submissions_in_every_state_and_a_draft(looked: Database) -> None:
    async with looked.read() as session:
        submissions = (await session.execute(select(Submission))).scalars().all()
        drafts = (await session.execute(select(Draft))).scalars().all()
    assert {submission.status for submission in submissions} == set(Status)
    assert any(submission.unseen for submission in submissions), "one was supplemented"
    late = [s for s in submissions if s.status == Status.SENT and s.due_at and s.due_at < START]
    assert late, "one is overdue"
    assert len({submission.title for submission in submissions}) == len(submissions) >= 12
    assert "report" in {draft.dialogue for draft in drafts}


async def test_every_state_was_reached_as_people_reach_it(looked: Database) -> None:
    """Each has its history and each decision its line in the audit: nothing was written past the verbs."""
    async with looked.read() as session:
        submissions = (await session.execute(select(Submission))).scalars().all()
        events = (await session.execute(select(SubmissionEvent))).scalars().all()
        audited = {(row.action, row.object) for row in (await session.execute(select(AuditRow))).scalars()}
    last = {event.submission_id: event.action for event in events if not event.internal}
    expected = {Status.VERIFIED: "verified", Status.NOT_SELECTED: "not_selected", Status.DUPLICATE: "duplicate"}
    for submission in submissions:
        if submission.status in expected:
            action = expected[submission.status]
            assert last[submission.id] == action
            assert (action, f"submission {submission.code}") in audited


@pytest.mark.parametrize("scene", [scene for scene in PACK.story if scene.report], ids=lambda scene: scene.report)
def test_every_report_could_have_been_typed(scene: DemoScene) -> None:
    for step, (least, most) in LIMITS.items():
        if step in scene.answers:
            assert least <= len(scene.answers[step]) <= most
    if "title" in scene.answers:
        assert 10 <= len(scene.answers["title"]) <= 120


async def test_the_chats_tell_the_past_in_order_and_nobody_was_misunderstood(looked: Database) -> None:
    async with looked.read() as session:
        messages = (await session.execute(select(WebMessage).order_by(WebMessage.id))).scalars().all()
    assert all(a.at <= b.at for a, b in pairwise(messages))
    assert messages[-1].at < START + timedelta(minutes=1)
    refused = {"unknown", "choose", "old_button", "not_found", "refused", "cannot_skip", "media", "error"}
    assert not {str(m.payload.get("key")) for m in messages if not m.mine} & {f"common.{key}" for key in refused}


async def test_the_reviewer_of_twins_was_shown_that_they_are_alike_and_asked_once_more(looked: Database) -> None:
    async with looked.read() as session:
        twin = (await session.execute(select(Submission).where(Submission.status == Status.DUPLICATE))).scalar_one()
        original = await session.get_one(Submission, twin.duplicate_of)
    said = [str(message.payload["text"]) for message in await said_to(looked, "binh") if "text" in message.payload]
    assert any(twin.code in text and f"Giống: {original.code} (" in text for text in said)
    assert any(f"{twin.code} là trùng với {original.code}" in text for text in said)


async def test_photos_of_the_past_are_clean_and_can_be_looked_at(looked: Database, furnished: Path) -> None:
    shown = [message for message in await said_to(looked, "binh") if message.payload["media"]]
    assert shown
    for _, file, _ in shown[0].payload["media"]:
        assert (furnished / "files" / file).is_file()


async def test_one_announcement_was_sent_and_reported_and_one_waits_for_a_second_person(looked: Database) -> None:
    async with looked.read() as session:
        broadcasts = (await session.execute(select(Broadcast).where(Broadcast.author_id.is_not(None)))).scalars().all()
    assert Counter(b.state for b in broadcasts) == {BroadcastState.DONE: 1, BroadcastState.WAITING: 1}
    reports = [m for m in await said_to(looked, "huong") if m.payload["key"] == "announcing.report"]
    assert len(reports) == 1
    assert await heard(looked, "hoa", "announcing.pushed") == 1
    assert await heard(looked, "dai", "announcing.approve_notice") == 1


async def test_what_became_of_every_message_to_many_agrees_with_its_person(looked: Database) -> None:
    async with looked.read() as session:
        query = (
            select(BroadcastTarget.reason, Account.reach, Person.news, OutboxRow.state)
            .join(Person, Person.id == BroadcastTarget.person_id)
            .join(Account, Account.person_id == Person.id)
            .join(Broadcast, Broadcast.id == BroadcastTarget.broadcast_id)
            .outerjoin(OutboxRow, OutboxRow.id == BroadcastTarget.outbox_id)
            .where(Broadcast.state == BroadcastState.DONE)
        )
        found = (await session.execute(query)).all()
    assert all(reason == "blocked" for reason, reach, news, _ in found if reach == Reach.BLOCKED and news)
    assert all(state == OutState.SENT for reason, _, _, state in found if not reason)
    assert all((state is None) == bool(reason) for reason, _, _, state in found)
    assert {reason for reason, *_ in found} >= {"", "blocked", "muted"}


async def heard(database: Database, key: str, words: str) -> int:
    return sum(message.payload["key"] == words for message in await said_to(database, key))


# ------------------------------------------------------------------------------------------------------ the clock


async def test_the_reminder_of_union_day_is_minutes_away(house: tuple[DemoHouse, Database]) -> None:
    clock = await house[0].clock()
    now = datetime.fromisoformat(clock["now"])
    assert timedelta(0) <= now - START < timedelta(minutes=1)
    first = clock["next"][0]
    assert datetime.fromisoformat(first["at"]) == START.replace(hour=17, minute=0)
    assert "28/7" in first["what"]
    assert [event["at"] for event in clock["next"]] == sorted(event["at"] for event in clock["next"])


async def test_moving_to_union_day_walks_every_due_minute(house: tuple[DemoHouse, Database]) -> None:
    opened, database = house
    await opened.move_clock(datetime(2025, 7, 28, 7, 0, tzinfo=LOCAL))
    hours = await arrivals(database, "kn:2807:2025:t3")
    assert len(hours) > 50
    for shift, at in hours:
        assert any(opens <= at.time() <= closes for opens, closes in WINDOWS[shift.value]), (shift, at)
        assert at.date() == START.date(), "the day before the weekend, in the evening"
    on_the_day = await arrivals(database, "kn:2807:2025:t0")
    assert {shift for shift, _ in on_the_day} == {Shift.OFFICE}
    assert {at.time().replace(second=0, microsecond=0) for _, at in on_the_day} == {time(7, 0)}


async def test_the_moved_clock_stops_where_somebodys_own_hours_let_messages_come(
    house: tuple[DemoHouse, Database],
) -> None:
    opened, database = house
    async with database.write() as session:
        person = (await session.execute(select(Person).where(Person.shift == Shift.NIGHT).limit(1))).scalar_one()
        person.quiet = "15:00-16:57"
    assert await opened._next_stop(START) == START.replace(minute=57)


async def test_on_union_day_every_shift_hears_in_its_hours_and_claims_lapse_at_their_minute(
    house: tuple[DemoHouse, Database],
) -> None:
    opened, database = house
    async with database.read() as session:
        query = select(Submission.id, Submission.lapses_at).where(Submission.status == Status.CLAIMED)
        lapses = {row_id: at for row_id, at in await session.execute(query)}
    await opened.move_clock(datetime(2025, 7, 28, 20, 30, tzinfo=LOCAL))
    async with database.read() as session:
        events = (
            (
                await session.execute(
                    select(SubmissionEvent).where(SubmissionEvent.action == "lapsed", SubmissionEvent.at > START)
                )
            )
            .scalars()
            .all()
        )
        rows = (await session.execute(select(OutboxRow).where(OutboxRow.finished_at > START))).scalars().all()
    assert {event.submission_id for event in events} == set(lapses)
    for event in events:
        at = lapses[event.submission_id]
        assert at is not None and timedelta(0) <= event.at - at < timedelta(minutes=1)
    evening = await arrivals(database, "kn:2807:2025:t0")
    assert {shift for shift, _ in evening} == set(Shift)
    assert all(at.time() >= time(15, 30) for shift, at in evening if shift == Shift.NIGHT)
    assert all(row.finished_at and row.finished_at - row.not_before < timedelta(minutes=1) for row in rows)


async def arrivals(database: Database, key: str) -> list[tuple[Shift, datetime]]:
    """(shift, local time) of everybody who got a message that a clock started."""
    query = (
        select(Person.shift, OutboxRow.finished_at)
        .join(Broadcast, Broadcast.id == OutboxRow.broadcast_id)
        .join(Person, Person.id == OutboxRow.person_id)
        .where(Broadcast.key == key, OutboxRow.state == OutState.SENT)
    )
    async with database.read() as session:
        found = (await session.execute(query)).all()
    return [(shift, at.astimezone(LOCAL)) for shift, at in found if at is not None]


async def test_a_month_is_walked_without_stopping_where_nothing_happens(
    house: tuple[DemoHouse, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, _ = house
    stops = 0

    async def count() -> None:
        nonlocal stops
        stops += 1

    monkeypatch.setattr(opened, "catch_up", count)
    await opened.move_clock(START + timedelta(days=31))
    assert 31 < stops < 31 * 12


# ------------------------------------------------------------------------------------------------- the next start


async def test_the_next_start_goes_on_where_the_last_one_stopped(furnished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(furnished, folder)
    later = START + timedelta(minutes=3)
    async with open_demo(folder) as (opened, _):
        await opened.move_clock(later)
    async with open_demo(folder) as (opened, _):
        now = datetime.fromisoformat((await opened.clock())["now"])
    assert timedelta(0) <= now - later < timedelta(minutes=1)


async def test_a_start_after_a_crash_goes_on_where_the_clock_was_last_noted(
    furnished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "KEPT", 0.0)
    folder = tmp_path / "demo"
    shutil.copytree(furnished, folder)
    before = datetime.fromisoformat((folder / "clock.txt").read_text())
    async with open_demo(folder) as (opened, _):
        keeping = asyncio.create_task(opened.keep_time())
        while datetime.fromisoformat((folder / "clock.txt").read_text()) <= before:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0)
        keeping.cancel()  # and nothing else is written: the process is gone
    async with open_demo(folder) as (opened, _):
        assert datetime.fromisoformat((await opened.clock())["now"]) > before


def test_the_demo_never_lives_in_the_real_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONGDOAN_DATA_DIR", str(tmp_path))
    assert data_dir() == tmp_path / "demo"
    monkeypatch.delenv("CONGDOAN_DATA_DIR")
    assert data_dir() == Path("demo-data")


# ------------------------------------------------------------------------------------------------------- the contest


async def test_last_weeks_contest_has_a_result_and_this_weeks_is_open_to_whoever_tries(
    house: tuple[DemoHouse, Database],
) -> None:
    opened, database = house
    async with database.read() as session:
        last, this = (await session.execute(select(Round).order_by(Round.number))).scalars()
        assert (last.state, this.state) == (RoundState.PUBLISHED, RoundState.READY)
        assert this.opens_at < START < this.closes_at and last.people >= 20 and 0 < last.actual < last.people
        assert all("chưa thẩm định" in round_.theme for round_ in (last, this))
    assert "KẾT QUẢ TUẦN 1" in " ".join(row.payload["text"] for row in await said_to(database, "hoa"))
    events = [event["what"] for event in (await opened.clock())["next"]]
    assert events, "something lies ahead"
    app = opened._app
    for line in ("/thi", "[enter]", "[yes]", "[hidden]", "[start]"):
        async with database.write() as session:
            await Past(app, opened._clock, {}, opened.next_due)._line(session, "minh", line)
    shown = (await said_to(database, "minh"))[-1].payload["text"]
    assert shown.startswith("<b>Câu 1/10</b>")
    await opened.move_clock(START + timedelta(minutes=11))
    assert any("Lượt này được trả lại" in row.payload["text"] for row in (await said_to(database, "minh"))[-2:])


async def test_a_house_that_was_not_there_gives_the_time_back_at_its_next_start(
    furnished: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(furnished, folder)
    (folder / "clock.txt").write_text((START + timedelta(hours=3)).isoformat())
    async with open_demo(folder) as (_, app), app.database.read() as session:
        this = (await session.execute(select(Round).where(Round.number == 2))).scalar_one()
        [row] = (await session.execute(select(Downtime))).scalars()
    lost = this.closes_at - datetime(2025, 7, 27, 21, 0, tzinfo=LOCAL)
    assert timedelta(hours=3) <= lost < row.until_at - row.from_at + timedelta(minutes=1) and not this.closes_at.second
