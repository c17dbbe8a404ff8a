"""Rounds, papers and results as rows: the clock is the server's, a paper is drawn once, a result stays as it was frozen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from db import audit, contests, erasure, people
from db.contests import Asked, Ranked, Settings
from db.errors import Conflict, Refused
from db.models import AuditRow, Downtime, Entry, EntryState, Person, Result, Role, Round, RoundState, Unit, UnitResult
from db.session import Session
from tests.people import START, World

TOPICS = {"membership": 3, "wages": 1}
POOL = [
    Asked(f"{topic}-{n}", topic, f"Câu {n}?", ("a", "b", "c", "d"), n % 4, "Vì thế.", "Điều 1")
    for topic in ("membership", "wages", "safety")
    for n in range(8)
]


def settings(now: datetime = START, **values: Any) -> Settings:
    """A round that opened an hour ago and closes in two days."""
    usual: dict[str, Any] = {
        "theme": "Luật Công đoàn 2024",
        "opens_at": now - timedelta(hours=1),
        "closes_at": now + timedelta(days=2),
        "result_at": now + timedelta(days=4),
        "quota": TOPICS,
    }
    return Settings(**usual | values)


async def open_round(session: Session, now: datetime = START, **values: Any) -> Round:
    top = (await session.execute(select(Unit.id).where(Unit.code == "TINH"))).scalar_one()
    contest = await contests.create_contest(session, top, "Tìm hiểu Luật Công đoàn", audit.SYSTEM, now)
    round_ = await contests.create_round(session, contest, settings(now, **values), audit.SYSTEM, now)
    await contests.approve(session, round_, round_.version, audit.SYSTEM, now)
    return round_


async def me(session: Session, world: World, name: str = "Bùi Thị Hoa") -> Person:
    return await people.get(session, await world.person(name).id())


async def sit(
    session: Session, round_: Round, person: Person, right: int, now: datetime = START, *, prediction: int = 1
) -> Entry:
    """A paper with so many right answers, handed in a minute after it was begun."""
    paper = await contests.open_paper(session, round_, person, POOL, Random(person.id), now)
    for place, question in enumerate(paper.questions):
        chosen = question.answer if place < right else (question.answer + 1) % 4
        await contests.answer(session, paper.entry, place, chosen, now)
    await contests.predict(session, paper.entry, prediction, now)
    await contests.submit(session, paper.entry, now + timedelta(minutes=1))
    return paper.entry


async def test_a_paper_is_drawn_once_by_quota_and_shuffled_and_a_second_chat_goes_on_with_it(world: World) -> None:
    await world.joined("Bùi Thị Hoa")
    async with world.database.write() as session:
        round_, hoa = await open_round(session), await me(session, world)
        paper = await contests.open_paper(session, round_, hoa, POOL, Random(1), START)
        topics = [question.topic for question in paper.questions]
        assert sorted(topics) == ["membership"] * 3 + ["wages"] and len({q.question for q in paper.questions}) == 4
        assert all(sorted(paper.order(place)) == [0, 1, 2, 3] for place in range(4))
        await contests.answer(session, paper.entry, 0, 2, START)
        again = await contests.open_paper(session, round_, hoa, [], Random(2), START + timedelta(minutes=1))
        assert again.entry is paper.entry and again.answers == {0: 2} and again.open_place == 1
        assert again.questions == paper.questions
    names = [f"Trần Văn {number}" for number in range(6)]
    for name in names:
        await world.joined(name)
    drawn = set()
    async with world.database.write() as session:
        round_ = await contests.get_round(session, round_.id)
        for number, name in enumerate(names):
            person = await me(session, world, name)
            other = await contests.open_paper(session, round_, person, [], Random(number), START)
            drawn.add((tuple(q.question for q in other.questions), str(other.entry.paper)))
    assert len(drawn) == 6


async def test_what_the_bank_says_later_changes_no_round(world: World) -> None:
    await world.joined("Bùi Thị Hoa")
    async with world.database.write() as session:
        round_ = await open_round(session)
        await sit(session, round_, await me(session, world), 4)
        other = [Asked(each.question, each.topic, "Khác?", each.options, 0, "", "") for each in POOL]
        paper = await contests.open_paper(session, round_, await me(session, world), other, Random(3), START)
        assert all(question.stem != "Khác?" for question in paper.questions)
        assert {q.topic for q in await contests.list_questions(session, round_.id)} == set(TOPICS)


async def test_the_moment_of_receipt_decides_and_the_last_answer_counts(world: World) -> None:
    await world.joined("Bùi Thị Hoa")
    async with world.database.write() as session:
        round_ = await open_round(session)
        entry = (await contests.open_paper(session, round_, await me(session, world), POOL, Random(1), START)).entry
        last = START + timedelta(minutes=10) - timedelta(microseconds=1)
        await contests.answer(session, entry, 0, 1, START)
        await contests.answer(session, entry, 0, 3, last)
        assert (await contests.find_paper(session, entry)).answers == {0: 3}
        over = START + timedelta(minutes=10)
        for late in (
            contests.answer(session, entry, 1, 1, over), contests.predict(session, entry, 5, over),
            contests.submit(session, entry, over),
        ):  # fmt: skip
            with pytest.raises(Conflict, match="time_over"):
                await late
        assert await contests.time_out(session, entry) == 1
        assert (entry.state, entry.submitted_at, entry.timed_out) == (EntryState.SUBMITTED, over, True)
        with pytest.raises(Conflict, match="handed_in"):
            await contests.time_out(session, entry)
        await contests.answer(session, entry, 1, 2, last)  # it had waited in the inbox
        await contests.submit(session, entry, last)
        assert (entry.submitted_at, entry.timed_out) == (last, False)
        with pytest.raises(Conflict, match="handed_in"):
            await contests.submit(session, entry, last)


async def test_nobody_goes_on_after_the_round_closes(world: World) -> None:
    await world.joined("Bùi Thị Hoa")
    async with world.database.write() as session:
        round_, hoa = await open_round(session), await me(session, world)
        late = round_.closes_at - timedelta(minutes=4)
        entry = (await contests.open_paper(session, round_, hoa, POOL, Random(1), late)).entry
        assert entry.due_at == round_.closes_at
        await contests.time_out(session, entry)
        for moment in (round_.closes_at, round_.opens_at - timedelta(seconds=1)):
            with pytest.raises(Conflict, match="closed_now"):
                await contests.open_paper(session, round_, hoa, POOL, Random(1), moment)
        with pytest.raises(Conflict, match="too_few"):
            few = await open_round(session, quota={"membership": 9})
            await contests.open_paper(session, few, hoa, POOL, Random(1), START)


async def test_attempts_are_counted_over_all_chats_and_one_without_an_answer_is_returned_once(world: World) -> None:
    await world.joined("Bùi Thị Hoa")
    async with world.database.write() as session:
        round_, hoa = await open_round(session), await me(session, world)
        states, now = [], START
        for _ in range(3):
            entry = (await contests.open_paper(session, round_, hoa, POOL, Random(1), now)).entry
            await contests.time_out(session, entry)
            states.append(entry.state)
            now += timedelta(minutes=20)
        assert states == [EntryState.RETURNED, EntryState.SUBMITTED, EntryState.SUBMITTED]
        assert await contests.left(session, round_, hoa.id) == 0
        with pytest.raises(Conflict, match="none_left"):
            await contests.open_paper(session, round_, hoa, POOL, Random(1), now)
        own = await contests.list_own(session, hoa.id, round_.id)
        assert [entry.number for entry in own] == [1, 2, 3] and len({entry.code for entry in own}) == 3


async def test_no_receipt_tells_how_many_there_are(world: World) -> None:
    numbers = []
    for n in range(5):
        await world.joined(f"Trần Văn {n}")
    async with world.database.write() as session:
        round_ = await open_round(session)
        for n in range(5):
            entry = await sit(session, round_, await me(session, world, f"Trần Văn {n}"), 4)
            assert entry.code.startswith("CT-25-W01-")
            numbers.append(int(entry.code[-6:]))
    assert numbers != sorted(numbers) and max(numbers) > 1000


async def test_what_we_were_not_there_for_is_given_back_and_written_down(world: World) -> None:
    await world.joined("Bùi Thị Hoa")
    async with world.database.write() as session:
        round_, hoa = await open_round(session), await me(session, world)
        closes = round_.closes_at
        entry = (await contests.open_paper(session, round_, hoa, POOL, Random(1), START)).entry
        down, up = START + timedelta(minutes=4), START + timedelta(minutes=34)
        assert await contests.make_up(session, down, up, up) == [round_]
        assert round_.closes_at == closes + timedelta(minutes=30)
        assert (entry.due_at, entry.extended) == (up + timedelta(minutes=6), 1800)
        # It would have closed meanwhile: people have what they had left when we went.
        assert await contests.make_up(
            session, round_.closes_at - timedelta(hours=1), round_.closes_at + timedelta(hours=5), up
        )
        assert round_.closes_at == closes + timedelta(minutes=30, hours=6)
        assert not await contests.make_up(session, round_.closes_at, round_.closes_at + timedelta(hours=1), up)
        log = (await session.execute(select(Downtime).order_by(Downtime.id))).scalars().all()
        assert [row.closes_at for row in log] == [closes + timedelta(minutes=30), round_.closes_at]
        assert round_.result_at >= round_.closes_at


async def frozen(session: Session, round_: Round, ranked: Sequence[Ranked], actual: int, now: datetime) -> None:
    await contests.publish(session, round_, ranked, actual, 4, now)


async def test_a_result_is_frozen_with_the_members_of_the_day_and_stays_when_people_move(world: World) -> None:
    await world.joined("Bùi Thị Hoa", unit="CHUYEN5", direct_production=True)
    await world.joined("Đỗ Thị Lan", unit="TRUONG")
    async with world.database.write() as session:
        round_ = await open_round(session)
        works = (await session.execute(select(Unit).where(Unit.code == "MAYHOA"))).scalar_one()
        works.members, works.figures_on, works.figures_from = 590, date(2025, 6, 1), "don-vi.xlsx"
        hoa, lan = await me(session, world), await me(session, world, "Đỗ Thị Lan")
        first, second = await sit(session, round_, hoa, 4), await sit(session, round_, lan, 2)
        ranked = [Ranked(hoa.id, first.id, 4, 1, None, 60), Ranked(lan.id, second.id, 2, 2, None, 60)]
        await frozen(session, round_, ranked, 1, round_.result_at)
        hoa.unit_id = lan.unit_id
        works.members = 1
        assert (round_.state, round_.actual, round_.people, round_.papers) == (RoundState.PUBLISHED, 1, 2, 2)
        mine = await contests.find_result(session, round_.id, hoa.id)
        assert mine is not None and (mine.rank, mine.unit_rank, mine.score) == (1, 1, 4)
        units = {unit.code: row for row, unit in await contests.list_units(session, round_.id)}
        assert set(units) == {"TINH", "CAOSON", "MAYHOA", "CHUYEN5", "TRUONG"}
        row = units["MAYHOA"]
        assert (row.people, row.workers, row.papers, row.points, row.all_right) == (1, 1, 1, 4, 1)
        assert (row.members, row.members_on, row.band) == (590, date(2025, 6, 1), 500)
        assert row.members_from == "don-vi.xlsx"
        assert units["TINH"].people == 2 and units["TRUONG"].members is None and units["TRUONG"].band is None
        summary = await contests.summarise(session, round_)
        assert (summary.total, summary.best) == (2, ("Bùi Thị Hoa", "", "Tổ chuyền 5"))
        assert summary.told(mine, 1)["unit_total"] == 1 and summary.told(None, 1)["rank"] is None
        assert [person.id for _, person in await contests.list_best(session, round_.id, 1)] == [hoa.id]
        assert [each.person_id for each in await contests.list_untold(session, round_, 9)] == [hoa.id, lan.id]


async def test_a_result_made_again_replaces_the_first_and_who_was_told_is_told_anew(world: World) -> None:
    await world.joined("Bùi Thị Hoa")
    officer = await (await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)).id()
    async with world.database.write() as session:
        round_, hoa = await open_round(session), await me(session, world)
        entry = await sit(session, round_, hoa, 3)
        assert await contests.list_closed(session, round_.result_at - timedelta(seconds=1)) == []
        assert await contests.list_closed(session, round_.result_at) == [round_]
        await frozen(session, round_, [Ranked(hoa.id, entry.id, 3, 1, None, 60)], 0, round_.result_at)
        assert await contests.list_closed(session, round_.result_at) == []
        (await session.get_one(Result, (round_.id, hoa.id))).told = 1
        wrong = (await contests.find_paper(session, entry)).questions[3].question
        await contests.void_question(session, round_, wrong, "Đáp án chưa chắc", officer, START)
        with pytest.raises(Conflict):
            await contests.void_question(session, round_, wrong, "Nữa", officer, START)
        assert await contests.list_closed(session, round_.result_at) == [round_]
        await frozen(session, round_, [Ranked(hoa.id, entry.id, 4, 1, None, 60)], 1, round_.result_at)
        again = await session.get_one(Result, (round_.id, hoa.id))
        assert (again.score, again.told, round_.revision) == (4, 1, 2)
        assert await contests.list_untold(session, round_, 9) == [again]
        assert [row.question for row in await contests.list_voided(session, round_.id)] == [wrong]


async def test_who_may_not_changes_nothing_and_nobody_approves_their_own_round(world: World) -> None:
    await world.joined("Bùi Thị Hoa")
    officer = await (await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)).id()
    leader = await (await world.joined("Lê Minh", unit="TINH", role=Role.LEADER)).id()
    async with world.database.write() as session:
        hoa, top = (
            await me(session, world),
            (await session.execute(select(Unit.id).where(Unit.code == "TINH"))).scalar_one(),
        )
        contest = await contests.create_contest(session, top, "Thi", officer, START)
        round_ = await contests.create_round(session, contest, settings(), officer, START)
        await contests.change(session, round_, round_.version, settings(minutes=15), officer, START)
        assert round_.minutes == 15 and round_.number == 1
        for who in (hoa.id, officer):
            with pytest.raises(Refused):
                await contests.approve(session, round_, round_.version, who, START)
        with pytest.raises(Conflict):
            await contests.approve(session, round_, round_.version - 1, leader, START)
        await contests.approve(session, round_, round_.version, leader, START)
        with pytest.raises(Conflict):
            await contests.change(session, round_, round_.version, settings(), officer, START)
        with pytest.raises(Conflict):
            await contests.create_round(session, contest, settings(quota={}), officer, START)
        for deed in (
            contests.create_contest(session, top, "Thi", hoa.id, START),
            contests.cancel(session, round_, round_.version, hoa.id, START),
            contests.disqualify(session, round_, hoa.id, "Thi hộ", hoa.id, START),
        ):
            with pytest.raises(Refused):
                await deed
        await contests.cancel(session, round_, round_.version, leader, START)
        assert await contests.list_shown(session, None, START) == []


async def test_what_is_objected_to_is_written_down_answered_once_and_only_in_time(world: World) -> None:
    await world.joined("Bùi Thị Hoa")
    officer = await (await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)).id()
    async with world.database.write() as session:
        round_, hoa = await open_round(session), await me(session, world)
        with pytest.raises(Conflict):
            await contests.complain(session, round_, hoa.id, "Tôi nộp rồi", START, START)
        entry = await sit(session, round_, hoa, 3)
        await frozen(session, round_, [Ranked(hoa.id, entry.id, 3, 1, None, 60)], 0, round_.result_at)
        now = round_.result_at + timedelta(days=1)
        row = await contests.complain(session, round_, hoa.id, "Câu 3 hỏi hai cách hiểu", now, now)
        with pytest.raises(Conflict):
            await contests.complain(session, round_, hoa.id, "Muộn", now, round_.result_at + timedelta(days=3))
        assert await contests.list_complaints(session) == [row]
        await contests.answer_complaint(session, row.id, "Cảm ơn anh/chị, đã xem lại.", officer, now)
        with pytest.raises(Conflict):
            await contests.answer_complaint(session, row.id, "Nữa", officer, now)
        assert await contests.list_complaints(session) == [] and row.actor_id == officer
        await contests.disqualify(session, round_, hoa.id, "Thi hộ", officer, now)
        assert await contests.list_disqualified(session, round_.id) == {hoa.id: "Thi hộ"} and round_.recount
        await contests.lift_disqualification(session, round_, hoa.id, officer, now)
        assert await contests.list_disqualified(session, round_.id) == {}


ACTIONS = {
    "create_contest", "create_round", "change_round", "approve_round", "cancel_round", "extend_round", "publish_round",
    "void_question", "disqualify", "lift_disqualification", "answer_complaint", "note_downtime", "leave_round",
}  # fmt: skip


async def test_every_deed_of_a_contest_leaves_its_row_of_audit(world: World) -> None:
    await world.joined("Bùi Thị Hoa")
    officer = await (await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)).id()
    leader = await (await world.joined("Lê Minh", unit="TINH", role=Role.LEADER)).id()
    async with world.database.write() as session:
        top = (await session.execute(select(Unit.id).where(Unit.code == "TINH"))).scalar_one()
        contest = await contests.create_contest(session, top, "Thi", officer, START)
        first = await contests.create_round(session, contest, settings(), officer, START)
        await contests.cancel(session, first, first.version, leader, START)
        round_ = await contests.create_round(session, contest, settings(), officer, START)
        await contests.change(session, round_, round_.version, settings(), officer, START)
        await contests.approve(session, round_, round_.version, leader, START)
        hoa = await me(session, world)
        entry = await sit(session, round_, hoa, 3)
        await contests.make_up(session, START, START + timedelta(minutes=2), START)
        await contests.make_up(session, START, START + contests.MOST, START)
        asked = (await contests.list_downtimes(session, round_.id))[-1]
        await contests.decide(session, asked, round_, extend=False, actor_id=officer, now=START)
        await frozen(session, round_, [Ranked(hoa.id, entry.id, 3, 1, None, 60)], 0, START)
        await contests.void_question(session, round_, entry.paper[0][0], "Sai", officer, START)
        await contests.disqualify(session, round_, hoa.id, "Thi hộ", officer, START)
        await contests.lift_disqualification(session, round_, hoa.id, officer, START)
        row = await contests.complain(session, round_, hoa.id, "Sai", START, START)
        await contests.answer_complaint(session, row.id, "Vâng", officer, START)
    async with world.database.read() as session:
        by = {row.action: row.actor_id for row in (await session.execute(select(AuditRow))).scalars()}
    assert set(by) - {"consent"} == ACTIONS
    assert (
        by["publish_round"] == by["extend_round"] == audit.SYSTEM
        and by["approve_round"] == by["cancel_round"] == leader
    )
    assert {by[each] for each in ("create_round", "void_question", "disqualify", "answer_complaint")} == {officer}


async def test_who_is_erased_leaves_an_open_round_and_only_a_number_in_a_published_one(world: World) -> None:
    await world.joined("Bùi Thị Hoa")
    async with world.database.write() as session:
        done, hoa = await open_round(session), await me(session, world)
        entry = await sit(session, done, hoa, 3)
        await frozen(session, done, [Ranked(hoa.id, entry.id, 3, 1, None, 60)], 0, done.result_at)
        await contests.complain(session, done, hoa.id, "Tên em bị thiếu", START, START)
        running = await open_round(session)
        await contests.open_paper(session, running, hoa, POOL, Random(5), START)
        await erasure.erase(session, hoa.id, START)
        assert [row.code for row in (await session.execute(select(Entry))).scalars()] == [entry.code]
        [row] = await contests.list_complaints(session)
        assert (row.person_id, row.text) == (None, "")
        result = await session.get_one(Result, (done.id, hoa.id))
        assert (result.score, result.unit_id) == (3, None)
        assert (await session.execute(select(UnitResult.people))).scalars().first() == 1
