"""Two hundred pairs of decisions on one submission each, pressed in two chats at the same moment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import func, select

from content.message import Message, to_json
from db.models import Account, AuditRow, Conversation, OutboxRow, Person, Role, Status, Submission, Track
from db.session import Database, Session, settled
from db.submissions import Report, note_event, submit
from handlers.dialogue import Incoming
from handlers.engine import answer
from tests.handlers.test_moderation import reviewer, sent, state
from tests.people import TestPerson, World
from tests.prove import cases, note

CASES = cases(200)
PAIRS = len(CASES)
DECIDED = {"verified": Status.VERIFIED, "not_selected": Status.NOT_SELECTED, "withdrawn": Status.WITHDRAWN}


@dataclass
class Chat:
    """One chat of a person, at its last question before a decision; `typed` are the words it would lose."""

    address: str
    press: str
    typed: str = ""


async def furnish(world: World, session: Session, person_id: int, step: str, screen: Message, **data: Any) -> Chat:
    """A chat of its own at a step, as talking would have left it."""
    address = f"pair-{next(world.serial)}"
    account = Account(channel="test", address=address, person_id=person_id, created_at=world.now, seen_at=world.now)
    session.add(account)
    await session.flush()
    dialogue, _, name = step.partition(".")
    session.add(
        Conversation(
            account_id=account.id,
            dialogue=dialogue,
            step=name,
            data=data,
            screen=1,
            screen_kind="choice",
            choices=to_json(screen)["choices"],
            updated_at=world.now,
            history=[],
            ahead=[],
            pending={},
        )
    )  # fmt: skip
    return Chat(address, f"s:1:{'send' if name == 'preview' else 'yes'}", str(data.get("text", "")))


async def pair(
    world: World, session: Session, submission: Submission, n: int, ha: int, ly: int
) -> tuple[Chat, Chat, str, str]:
    """Two chats and what each of them would make of the report."""
    words, code = world.house.words, submission.code
    sure = words.message("moderation.accept_sure", code=code, title="")
    if n % 3 == 0:  # two reviewers accept what nobody holds
        chats = [
            await furnish(world, session, person, "moderation.accept", sure, args=[f"{code}.1"], code=code)
            for person in (ha, ly)
        ]
        return chats[0], chats[1], "verified", "verified"
    submission.status, submission.holder_id, submission.version = Status.CLAIMED, ly, 2
    submission.claimed_at, submission.lapses_at = world.now, world.now + timedelta(days=2)
    note_event(session, submission, ly, "claimed", world.now)
    preview = words.message("moderation.preview", message="", others=0)
    reject = {"args": [f"{code}.2"], "code": code, "writes": "reject", "text": f"Lý do số {n} của người giữ hồ sơ"}
    second = await furnish(world, session, ly, "moderation.preview", preview, **reject)
    if n % 3 == 1:  # the author takes it back while the holder sends a reason
        withdraw = words.message("mysubmissions.withdraw", code=code)
        first = await furnish(world, session, submission.author_id, "mysubmissions.withdraw", withdraw, code=code)
        return first, second, "withdrawn", "not_selected"
    first = await furnish(world, session, ly, "moderation.accept", sure, args=[f"{code}.2"], code=code)
    return first, second, "verified", "not_selected"  # the holder, on the phone and at the desk


async def test_two_hundred_simultaneous_pairs_of_decisions_have_one_winner_each(world: World) -> None:
    reviewers = await reviewer(world), await reviewer(world, "Vũ Thị Ly")
    ha, ly = [await each.id() for each in reviewers]
    author = await world.joined("Bùi Thị Hoa")
    pairs: dict[str, tuple[Chat, Chat, str, str]] = {}
    async with world.database.write() as session:
        hoa = await session.get_one(Person, await author.id())
        for n in range(PAIRS):
            report = Report(Track.INITIATIVE, f"Cải tiến số {n} của tổ", {"before": f"Việc {n}", "applied": "using"})
            submission = await submit(
                session, hoa, report, draft_id=None, due_at=world.now, year=2025, now=world.now
            )  # fmt: skip
            pairs[submission.code] = await pair(world, session, submission, n, ha, ly)

    async def press(chat: Chat, database: Database) -> None:
        async def once() -> None:
            async with database.write() as session:
                await answer(session, world.house, Incoming("test", chat.address, world.now, choice=chat.press))

        await settled(once)

    presses = [chat for first, second, _, _ in pairs.values() for chat in (first, second)]
    Random(CASES.start).shuffle(presses)
    # On a server they are answered by several processes.
    handles = [Database(world.database.url) for _ in range(4)] if world.database.shared else [world.database]
    await asyncio.gather(*(press(chat, handles[n % len(handles)]) for n, chat in enumerate(presses)))
    for database in handles:
        await database.close()

    firsts = 0
    async with world.database.read() as session:
        for code, (first, second, one, other) in pairs.items():
            row = (await session.execute(select(Submission).where(Submission.code == code))).scalar_one()
            query = select(AuditRow.action).where(AuditRow.object == f"submission {code}", AuditRow.action.in_(DECIDED))
            won = (await session.execute(query)).scalar_one()  # one decision, never two
            assert row.status == DECIDED[won] and won in (one, other)
            said = {chat.address: await heard(session, chat.address) for chat in (first, second)}
            lost = [chat for chat in (first, second) if told_off(said[chat.address])]
            assert len(lost) == 1, code
            firsts += lost[0] is second
            assert lost[0].typed in " ".join(text for _, text in said[lost[0].address])
        note(won_by_the_first=firsts, won_by_the_second=PAIRS - firsts)
        assert PAIRS // 4 < firsts < PAIRS * 3 // 4  # both orders were tried
        query = select(func.count()).select_from(OutboxRow).where(OutboxRow.kind == "result")
        decided = select(func.count()).select_from(AuditRow).where(AuditRow.action.in_(("verified", "not_selected")))
        assert (await session.execute(query)).scalar_one() == (await session.execute(decided)).scalar_one()


async def heard(session: Session, address: str) -> list[tuple[str, str]]:
    rows = await session.execute(select(OutboxRow.payload).where(OutboxRow.address == address))
    return [(payload["key"], payload["text"]) for payload in rows.scalars() if payload]


def told_off(said: list[tuple[str, str]]) -> bool:
    return bool({"moderation.too_late", "mysubmissions.moved_on"} & {key for key, _ in said})


async def test_two_reviewers_who_take_the_same_report_at_once(world: World) -> None:
    people: list[TestPerson] = [
        await reviewer(world),
        await world.joined("Vũ Thị Ly", unit="CAOSON", role=Role.REVIEWER),
    ]
    code = (await sent(world, await world.joined("Bùi Thị Hoa"))).code
    for person in people:
        await person.says(f"/duyet {code}")
    await asyncio.gather(*(person.taps("Nhận xử lý") for person in people))
    told = [person for person in people if "moderation.too_late" in person.keys]
    assert len(told) == 1
    row = await state(world, code)
    assert row.status == Status.CLAIMED and row.holder_id not in (None, await told[0].id())
    assert "đang giữ từ" in told[0].last.text
