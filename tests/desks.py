"""What the officers' side of contests is tried with: a reviewed bank, a plan as a file, an officer and a leader."""

from __future__ import annotations

from random import Random

from sqlalchemy import select

from content.calendar import local_date
from content.sheets import Sheet, write_workbook
from db import contests, verdicts
from db.models import Account, Person, Role, Verdict
from tests.people import TestPerson, World

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
