"""What the officers' side of contests is tried with: a reviewed bank, a plan as a file, an officer and a leader."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from sqlalchemy import select

from content.calendar import local_date
from content.sheets import Sheet, write_workbook
from db import contests, verdicts
from db.models import Account, Entry, EntryAnswer, EntryState, Person, Role, RoundState, Unit, UnitResult, Verdict
from tests.people import TestPerson, World
from tests.weeks import QUESTIONS, RESULT

PLAN = """\
name: Tìm hiểu Luật Công đoàn 2025
unit: TINH
legal_basis: Kế hoạch số 25/KH-LĐLĐ
rounds:
  - theme: Quyền của đoàn viên
    opens_at: 28/7/2025 7:00
    closes_at: 3/8/2025 21:00
    result_at: 5/8/2025 17:00
    quota: {membership: 3, finance: 1}
    prizes:
      - {count: 1, name: Nhất, worth: 500.000 đồng}
      - {count: 2, name: Nhì, worth: 300.000 đồng}
  - theme: Tiền lương
    opens_at: 2025-08-04 07:00
    closes_at: 10/8/2025 21:00
    result_at: 12/8/2025 17:00
    quota: "Tiền lương 2; bảo hiểm 2"
    minutes: 12
    attempts: 1
    ranking: [thời gian, nộp sớm, bốc thăm]
    prediction: no
    collective: "đông nhất: Giải Nhất tập thể (2.000.000 đồng)"
    prizes: 1 giải Nhất; 3 giải Ba
"""
HEAD = ("Tuần", "Chủ đề", "Mở", "Đóng", "Công bố", "Số câu theo chủ đề", "Giải cá nhân", "Thi thử")
TABLE = write_workbook(
    [
        Sheet(
            "Kế hoạch",
            ("Tên cuộc thi", "Tìm hiểu Luật Công đoàn 2025", *[""] * 6),
            [
                ("Mã đơn vị tổ chức", "TINH", *[""] * 6),
                HEAD,
                ("1", "Quyền của đoàn viên", "28/7/2025 7:00", "3/8/2025 21:00", "5/8/2025 17:00",
                 "Quyền gia nhập 3", "1 giải Nhất: 500.000 đồng", ""),
            ],
        )
    ]
)  # fmt: skip


async def reviewed(world: World, **numbers: int) -> None:
    """A named person has approved the whole bank, or so many questions of some topics."""
    marks = []
    for topic in world.house.packs.bank.topics:
        bank, on = world.house.packs.bank, local_date(world.now)
        found = [question for question in bank.questions if question.topic == topic and question.in_force(on)]
        marks += [(each.id, each.text) for each in (found[: numbers.get(topic, 0)] if numbers else found)]
    async with world.database.write() as session:
        await verdicts.give(session, marks, Verdict.APPROVED, "Lê Văn Luật", world.now)


async def officer(world: World, name: str = "Vũ Ngọc Mai", unit: str = "TINH") -> TestPerson:
    return await world.joined(name, unit=unit, role=Role.CONTENT_OFFICER)


async def leader(world: World, name: str = "Lê Minh", unit: str = "TINH") -> TestPerson:
    return await world.joined(name, unit=unit, role=Role.LEADER)


async def begun(world: World, round_id: int, *addresses: str) -> None:
    """People, known by their addresses, who began a paper of a round."""
    async with world.database.write() as session:
        round_ = await contests.get_round(session, round_id)
        for address in addresses:
            who = (await session.execute(select(Account.person_id).where(Account.address == address))).scalar_one()
            person = await session.get_one(Person, who)
            await contests.open_paper(session, round_, person, [], Random(1), world.now)


async def handed_in(world: World, round_id: int, address: str, right: int, seconds: int = 100) -> str:
    """A paper of somebody, known by their address, with so many right answers. Returns its code."""
    asked = QUESTIONS[:3] + QUESTIONS[4:5]
    async with world.database.write() as session:
        round_ = await contests.get_round(session, round_id)
        who = (await session.execute(select(Account.person_id).where(Account.address == address))).scalar_one()
        row = await session.get_one(Person, who)
        entry = Entry(
            code=f"CT-25-W01-{row.id:06}", round_id=round_id, person_id=row.id, number=1, unit_id=row.unit_id,
            paper=[[each.question, [0, 1, 2, 3]] for each in asked], started_at=world.now, state=EntryState.SUBMITTED,
            prediction=1, submitted_at=world.now + timedelta(seconds=seconds),
            due_at=world.now + timedelta(minutes=round_.minutes),
        )  # fmt: skip
        session.add(entry)
        await session.flush()
        for place, each in enumerate(asked):
            choice = each.answer if place < right else (each.answer + 1) % 4
            session.add(EntryAnswer(entry_id=entry.id, place=place, choice=choice, at=world.now))
        return entry.code


async def counted(world: World, round_id: int, rows: dict[str, tuple[int, int | None]]) -> None:
    """A round whose result is out, an hour ago: unit code → people who took part, members."""
    async with world.database.write() as session:
        round_ = await contests.get_round(session, round_id)
        round_.state, round_.published_at, round_.revision = RoundState.PUBLISHED, RESULT, 1
        for code, (people, members) in rows.items():
            row = (await session.execute(select(Unit).where(Unit.code == code))).scalar_one()
            band = max((each for each in round_.bands if each <= members), default=None) if members else None
            session.add(
                UnitResult(
                    round_id=round_id, unit_id=row.id, people=people, workers=0, papers=people, points=3 * people,
                    all_right=0, members=members, members_on=date(2025, 6, 1) if members else None, band=band,
                    members_from="don-vi.xlsx" if code == "MAYHOA" else "",
                )
            )  # fmt: skip
    world.now = RESULT + timedelta(hours=1)
