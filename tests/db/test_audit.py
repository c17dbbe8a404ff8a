"""Every decision, send, grant and data-rights action leaves one row of audit, in the transaction that did it or not at all."""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from db import (
    activities,
    audit,
    broadcasts,
    erasure,
    exchange,
    people,
    queue,
    reviews,
    roles,
    submissions,
    units,
    workplaces,
)
from db.audiences import Rule
from db.models import AuditRow, Broadcast, BroadcastState, Grant, Level, Purpose, Role, Submission, Track, UnitRequest
from db.session import Session
from db.submissions import Report
from db.units import UnitRow
from tests.db.test_contests import ACTIONS
from tests.handlers.test_contest_desk import STEERED
from tests.handlers.test_contest_prize import DEEDS
from tests.people import World


@dataclass
class Case:
    """Somebody of every kind, and what they act upon; each step is one transaction."""

    world: World
    session: Session = field(init=False)
    worker: int = 0
    officer: int = 0
    leader: int = 0
    system: int = audit.SYSTEM

    async def report(self, code: str = "SK-25-0002") -> Submission:
        return (await self.session.execute(select(Submission).where(Submission.code == code))).scalar_one()

    async def message(self) -> Broadcast:
        return (await self.session.execute(select(Broadcast).order_by(Broadcast.id.desc()).limit(1))).scalar_one()

    async def unit(self, code: str) -> int:
        found = await units.find_by_code(self.session, code)
        assert found is not None
        return found.id

    async def grant(self) -> Grant:
        query = select(Grant).where(Grant.role == Role.TEAM_LEADER).order_by(Grant.id.desc()).limit(1)
        return (await self.session.execute(query)).scalar_one()

    async def request(self) -> UnitRequest:
        query = select(UnitRequest).where(UnitRequest.done_at.is_(None)).order_by(UnitRequest.id).limit(1)
        return (await self.session.execute(query)).scalar_one()

    async def submit(self) -> None:
        author = await people.get(self.session, self.worker)
        story = {"after": "Có giá gá"}
        await submissions.submit(
            self.session, author, Report(Track.INITIATIVE, "Giá gá", story), draft_id=None, due_at=self.world.now, year=2025,
            now=self.world.now,
        )  # fmt: skip

    async def send(self, *, second: bool) -> None:
        unit = await self.unit("MAYHOA")
        await broadcasts.create(
            self.session, author_id=self.officer, kind="notice", topic="notice", unit_id=unit, text="Mời họp", media=[],
            audience=Rule(unit), number=2, timing="now", send_at=self.world.now, second=second, year=2025, now=self.world.now,
        )  # fmt: skip

    async def sending(self, state: BroadcastState) -> Broadcast:
        made = await self.message()
        made.state = state
        await self.session.flush()
        return made

    async def invite(self, token: str) -> None:
        await roles.invite(
            self.session, token=token, role=Role.TEAM_LEADER, unit_id=await self.unit("CHUYEN5"), invited_by=self.officer,
            now=self.world.now,
        )  # fmt: skip


Step = Callable[[Case], Awaitable[object]]


def review(act: Callable[..., Awaitable[object]], *args: object) -> Step:
    async def step(c: Case) -> None:
        report = await c.report()
        await act(c.session, report, c.officer, report.version, *args, c.world.now)

    return step


def steer(act: Callable[..., Awaitable[object]], state: BroadcastState, *args: object, by: str = "leader") -> Step:
    async def step(c: Case) -> None:
        made = await c.sending(state)
        await act(c.session, made, getattr(c, by), made.version, *args, c.world.now)

    return step


async def duplicate(c: Case) -> None:
    report = await c.report()
    await reviews.mark_duplicate(
        c.session, report, c.officer, report.version, await c.report("SK-25-0001"), c.world.now
    )


async def ask(c: Case) -> None:
    first = await c.report("SK-25-0001")
    await reviews.ask(c.session, first, c.officer, first.version, "Thêm ảnh", c.world.now + LATER, c.world.now)


async def contact(c: Case) -> None:
    await exchange.contact(c.session, await c.report(), c.leader, "Mai xuống xem", c.world.now)


async def reply(c: Case) -> None:
    await exchange.reply(c.session, await c.report(), "Sửa giờ giúp em", c.world.now)


async def reopen(c: Case) -> None:
    report = await c.report()
    await reviews.reopen(
        c.session,
        report,
        c.leader,
        report.version,
        "Xem lại",
        due_at=c.world.now,
        lapses_at=c.world.now,
        now=c.world.now,
    )


async def make_unit(c: Case) -> None:
    row = UnitRow("XUONG", "Xưởng mộc", parent="CAOSON", level=Level.GRASSROOTS)
    await units.create(c.session, row, c.leader, c.world.now)


LATER = timedelta(days=2)
# What is done, in an order in which each is possible, and the row it must leave: (action, by whom, on what).
STEPS: tuple[tuple[str, str, str, Callable[[Case], Awaitable[object]]], ...] = (
    (
        "consent",
        "worker",
        "person",
        lambda c: people.consent(c.session, c.worker, Purpose.SUBMISSIONS, "1", "t", c.world.now),
    ),
    ("sent", "worker", "submission", lambda c: c.submit()),
    ("sent", "worker", "submission", lambda c: c.submit()),
    ("claimed", "officer", "submission", lambda c: review(reviews.claim, c.world.now + LATER)(c)),
    ("returned", "officer", "submission", review(reviews.give_back)),
    ("duplicate", "officer", "submission", duplicate),
    ("unduplicated", "officer", "submission", lambda c: review(reviews.undo_duplicate, c.world.now + LATER)(c)),
    ("not_selected", "officer", "submission", review(reviews.reject, "Chưa làm thử")),
    ("taken_up", "leader", "submission", reopen),
    ("asked", "officer", "submission", ask),
    ("contacted", "leader", "submission", contact),
    ("replied", "worker", "submission", reply),
    ("broadcast", "officer", "broadcast", lambda c: c.send(second=True)),
    ("approve_broadcast", "leader", "broadcast", steer(broadcasts.approve, BroadcastState.WAITING)),
    ("pause_broadcast", "officer", "broadcast", steer(broadcasts.pause, BroadcastState.SENDING, by="officer")),
    ("resume_broadcast", "leader", "broadcast", steer(broadcasts.resume, BroadcastState.PAUSED)),
    ("cancel_broadcast", "officer", "broadcast", steer(broadcasts.cancel, BroadcastState.SENDING, by="officer")),
    ("return_broadcast", "leader", "broadcast", steer(broadcasts.send_back, BroadcastState.WAITING, "Sửa giờ")),
    ("resend_unknown", "leader", "broadcast", steer(broadcasts.resend_unknown, BroadcastState.DONE, {})),
    (
        "write_activity",
        "officer",
        "unit",
        lambda c: _wrote(c),
    ),
    ("emergency_stop", "leader", "all", lambda c: broadcasts.stop_all(c.session, c.leader, c.world.now)),
    ("lift_stop", "leader", "all", lambda c: broadcasts.start_again(c.session, c.leader, c.world.now)),
    ("respectful_mode", "leader", "on", lambda c: broadcasts.set_respectful(c.session, c.leader, True, c.world.now)),
    ("invite", "officer", "invitation", lambda c: c.invite("a" * 26)),
    ("accept_role", "worker", "grant", lambda c: roles.accept(c.session, "a" * 26, c.worker, c.world.now)),
    ("confirm_role", "officer", "grant", lambda c: _granted(c, roles.confirm)),
    ("revoke_role", "officer", "grant", lambda c: _granted(c, roles.revoke)),
    ("confirm_member", "officer", "person", lambda c: _member(c, people.confirm)),
    ("decline_member", "officer", "person", lambda c: _member(c, people.decline)),
    ("match_workplace", "leader", "request", lambda c: _matched(c)),
    ("refuse_workplace", "leader", "request", lambda c: _refused(c)),
    ("create_unit", "leader", "unit", make_unit),
    ("sent", "worker", "submission", lambda c: c.submit()),
    ("leave_role", "officer", "grant", lambda c: roles.leave(c.session, c.officer, c.world.now)),
    ("rerouted", "system", "submission", lambda c: queue.reroute(c.session, c.world.now)),
    (
        "withdraw_consent",
        "worker",
        "person",
        lambda c: people.withdraw(c.session, c.worker, Purpose.SUBMISSIONS, c.world.now),
    ),
    ("stop_processing", "worker", "person", lambda c: erasure.stop_processing(c.session, c.worker, c.world.now)),
    ("erase", "worker", "person", lambda c: erasure.erase(c.session, c.worker, c.world.now)),
)


async def _wrote(c: Case) -> None:
    await activities.write(c.session, c.officer, await c.unit("CAOSON"), "2807", 2026, "Chào cờ", c.world.now)


async def _granted(c: Case, act: Callable[..., Awaitable[object]]) -> None:
    await act(c.session, (await c.grant()).id, c.officer, c.world.now)


async def _member(c: Case, act: Callable[..., Awaitable[object]]) -> None:
    await act(c.session, await people.get(c.session, c.worker), c.officer, c.world.now)


async def _matched(c: Case) -> None:
    await workplaces.match(c.session, await c.request(), await c.unit("MAYHOA"), c.leader, c.world.now)


async def _refused(c: Case) -> None:
    await workplaces.refuse(c.session, await c.request(), c.leader, c.world.now)


async def rows(world: World) -> list[AuditRow]:
    async with world.database.read() as session:
        return list((await session.execute(select(AuditRow).order_by(AuditRow.id))).scalars())


class Undone(Exception):
    """Thrown to roll a transaction back."""


async def test_each_action_leaves_its_row_with_who_did_it_and_none_when_it_is_rolled_back(world: World) -> None:
    case = Case(world)
    case.worker = await (await world.joined("Bùi Thị Hoa")).id()
    case.officer = await (await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)).id()
    case.leader = await (await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.UPPER_OFFICER)).id()
    async with world.database.write() as session:
        for text in ("Xưởng mộc", "chỗ tôi làm"):
            session.add(UnitRequest(person_id=case.worker, text=text, created_at=world.now))
    for action, who, target, step in STEPS:
        before = len(await rows(world))
        with pytest.raises(Undone):
            async with world.database.write() as case.session:
                await step(case)
                raise Undone
        assert len(await rows(world)) == before, f"{action} was written down though it never happened"
        async with world.database.write() as case.session:
            await step(case)
        fresh = (await rows(world))[before:]
        found = [row for row in fresh if row.action == action]
        assert len(found) == 1, (action, [row.action for row in fresh])
        assert found[0].actor_id == getattr(case, who) and found[0].object.startswith(target), (action, found[0].object)
        assert not any("Bùi" in str(row.detail) or "Sửa giờ" in str(row.detail) for row in fresh), "no free text"


@pytest.mark.parametrize("sql", ["UPDATE audit SET actor_id = 9", "DELETE FROM audit"])
async def test_the_database_itself_refuses_to_change_what_was_written(world: World, sql: str) -> None:
    await world.joined("Bùi Thị Hoa")
    with pytest.raises(IntegrityError, match="only ever added at its end"):
        async with world.database.write() as session:
            await session.execute(text(sql))
    assert await rows(world)


ELSEWHERE = {
    "release_automatic": "tests/scheduler/test_automatic.py",
    "stop_automatic": "tests/scheduler/test_automatic.py",
    "edit_automatic": "tests/scheduler/test_automatic.py",
    "answer_report": "tests/handlers/test_question_reports.py",
    "review_question": "tests/handlers/test_law_review.py",
    "import_units": "tests/bot/test_unit_import.py",
    "list_unreached": "tests/handlers/test_announcing.py",
    "restore": "tests/bot/test_backup.py",
    "acknowledge_alarm": "tests/scheduler/test_alarms.py",
    "hold_broadcast": "tests/handlers/test_units.py",
    "hold_late": "tests/handlers/test_announcing_stopping.py",
    **dict.fromkeys(ACTIONS, "tests/db/test_contests.py"),
    **dict.fromkeys([*STEERED, "change_contest"], "tests/handlers/test_contest_desk.py"),
    **dict.fromkeys(DEEDS, "tests/handlers/test_contest_prize.py"),
    "contest_report": "tests/handlers/test_leaderboard.py",
}
"""Rows that other tests hold, because they come with something larger."""


def test_every_action_that_is_written_anywhere_is_held_by_a_test() -> None:
    root = Path(__file__).parent.parent.parent
    written = set()
    for path in [path for floor in ("db", "bot", "handlers", "scheduler") for path in (root / floor).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.note"
            if called and isinstance(node.args[2], ast.Constant):  # type: ignore[union-attr]
                written.add(node.args[2].value)  # type: ignore[union-attr]
    held = {action for action, *_ in STEPS} | set(ELSEWHERE) | {"export"}
    assert written <= held, written - held
    for action, file in ELSEWHERE.items():
        assert f'"{action}"' in (root / file).read_text(encoding="utf-8"), action


@pytest.mark.sqlite
async def test_what_happened_to_one_object_is_found_without_reading_all_of_the_audit(world: World) -> None:
    async with world.database.read() as session:
        query = text(
            "EXPLAIN QUERY PLAN SELECT action FROM audit WHERE object = 'broadcast TB-25-0001' ORDER BY id DESC"
        )
        plan = " ".join(row[3] for row in await session.execute(query))
    assert "ix_audit_object" in plan and "SCAN" not in plan


async def test_taking_ones_data_along_is_written_down(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/dulieu")
    [row] = [row for row in await rows(world) if row.action == "export"]
    assert row.actor_id == await hoa.id() and row.object == f"person {row.actor_id}"
