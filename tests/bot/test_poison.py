"""A message that cannot be handled: tried again, told once, set aside; the chat goes on and nobody else notices."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from bot.inbox import Inbox, arrival
from content.message import to_json
from db import accounts, outbox
from db.models import InboxRow, InboxState, OutboxRow
from db.session import Session
from handlers.dialogue import Forget, Incoming
from handlers.engine import answer
from handlers.talk import House
from tests.fakes.channel import PlainDoor
from tests.handlers.test_engine import with_probe
from tests.people import TestPerson, World
from tests.prove import cases, note


class Post:
    """An inbox over a world, on the world's clock."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.count = 0
        self.inbox = Inbox(
            world.database,
            world.house,
            {"test": PlainDoor()},
            now=lambda: world.now,
            sleep=self._sleep,
            said=lambda channel: None,
        )

    async def _sleep(self, seconds: float) -> None:
        self.world.later(seconds=seconds)

    async def comes(self, person: TestPerson, *texts: str) -> None:
        for text in texts:
            self.count += 1
            raw = {"address": person.address, "text": text}
            await self.inbox.store("test", "bot", [arrival(str(self.count), person.address, raw)])

    async def passes(self, **delta: float) -> None:
        self.world.later(**delta)
        await self.inbox.drain()
        await self.world.deliver()

    async def states(self) -> dict[str, str]:
        async with self.world.database.read() as session:
            rows = (await session.execute(select(InboxRow).order_by(InboxRow.id))).scalars().all()
        return {row.ext_id: row.state.value for row in rows}


@pytest.fixture
async def post(world: World, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Post]:
    caplog.set_level(logging.CRITICAL, logger="bot.inbox")
    yield Post(with_probe(world))


async def test_poison_is_set_aside_the_person_hears_once_and_the_chat_goes_on(world: World, post: Post) -> None:
    hoa = await world.joined("Hoa")
    await post.comes(hoa, "/probe poison", "/canhan")
    await post.passes()
    assert hoa.keys == []
    for seconds in (1, 5, 30, 120, 600):
        assert (await post.states())["1"] == InboxState.NEW
        await post.passes(seconds=seconds)
    assert hoa.keys == ["common.error", "profile.home"]
    assert (await post.states())["1"] == InboxState.DEAD
    await post.comes(hoa, "menu")
    await post.passes(hours=1)
    assert hoa.last.key == "menu.home" and hoa.keys.count("common.error") == 1


async def test_what_cannot_even_be_told_of_is_set_aside_all_the_same(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever makes a message unanswerable may make it untellable too: its attempts must not be forgotten with that."""
    hoa = await world.joined("Hoa")
    await post.comes(hoa, "/probe poison", "menu")
    monkeypatch.setattr("bot.inbox.is_identity_card", lambda incoming: 1 / 0)
    monkeypatch.setattr("bot.inbox.outbox.wait_of", None)
    for seconds in (0, 1, 5, 30, 120, 600):
        await post.passes(seconds=seconds)
    assert (await post.states())["1"] == InboxState.DEAD and hoa.keys == ["menu.home"]


async def test_an_identity_card_that_cannot_be_handled_is_not_kept_for_repair(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("CANARY")

    hoa = await world.joined("Hoa")
    monkeypatch.setattr("bot.inbox.answer", broken)
    await post.comes(hoa, "số CCCD 001099012345", "chuyện của tôi")
    await post.passes()
    for seconds in (1, 5, 30, 120, 600) * 2:
        await post.passes(seconds=seconds)
    assert set((await post.states()).values()) == {"dead"}
    async with world.database.read() as session:
        rows = (await session.execute(select(InboxRow).order_by(InboxRow.id))).scalars().all()
    assert [(bool(row.raw), row.error) for row in rows] == [(False, ""), (True, "RuntimeError: CANARY")]


async def test_what_went_wrong_is_said_in_its_place_among_the_answers(world: World, post: Post) -> None:
    hoa = await world.joined("Hoa")
    async with world.database.write() as session:
        account = (await accounts.enter(session, "test", hoa.address, world.now)).account
        message = world.house.words.message("common.already")
        await outbox.put(session, account, to_json(message), now=world.now, after=1.5)
    await post.comes(hoa, "/probe poison")
    world.later(seconds=20)
    await post.comes(hoa, "menu")
    for seconds in (0, 1, 5, 30, 120, 600):  # and nothing can be delivered meanwhile
        world.later(seconds=seconds)
        await post.inbox.drain()
    async with world.database.read() as session:
        rows = await session.execute(select(OutboxRow.payload).order_by(OutboxRow.not_before, OutboxRow.id))
        keys = [payload["key"] for payload in rows.scalars() if payload]
    assert keys[-3:] == ["common.already", "common.error", "menu.home"]


async def test_what_a_clock_that_was_ahead_has_received_is_answered_at_once_when_it_is_right_again(
    world: World, post: Post
) -> None:
    """Simulation, seed 4025: killed before it answered, and after the next start the answer was to wait for half a day."""
    hoa = await world.joined("Hoa")
    world.later(hours=14)
    await post.comes(hoa, "menu")
    world.later(hours=-14)
    await post.inbox.drain()
    async with world.database.read() as session:
        due = (await session.execute(select(OutboxRow.not_before).order_by(OutboxRow.id.desc()))).scalars().first()
    assert due == world.now


async def test_another_chat_does_not_wait_for_a_poisoned_one(world: World, post: Post) -> None:
    hoa, an = await world.joined("Hoa"), await world.joined("An")
    await post.comes(hoa, "/probe poison", "menu")
    await post.comes(an, "menu", "/canhan")
    await post.passes()
    assert an.keys == ["menu.home", "profile.home"] and hoa.keys == []


async def test_one_poisoned_among_many_answered_together_undoes_only_itself(world: World, post: Post) -> None:
    people = [await world.joined(f"Người {n}") for n in range(5)]
    commits = 0

    def committed(_connection: object) -> None:
        nonlocal commits
        commits += 1

    event.listen(world.database.engine.sync_engine, "commit", committed)
    for person in people:
        await post.comes(person, "menu")
    commits = 0
    await post.inbox.drain()
    if not world.database.shared:
        assert commits == 1, "what is answered together is one transaction"
    await world.deliver()
    for person in people:
        await post.comes(person, "/probe poison" if person is people[2] else "/canhan")
    await post.passes()
    assert [person.keys for person in people] == [
        ["menu.home", *([] if n == 2 else ["profile.home"])] for n in range(5)
    ]
    async with world.database.read() as session:
        waiting = (await session.execute(select(InboxRow).where(InboxRow.state == InboxState.NEW))).scalars().all()
    assert [(row.lane, row.attempts) for row in waiting] == [(f"test:{people[2].address}", 1)]


async def test_what_failed_once_is_done_a_moment_later_and_nobody_hears_of_it(world: World, post: Post) -> None:
    hoa = await world.joined("Hoa")
    await post.comes(hoa, "/probe trouble", "2")
    await post.passes()
    assert hoa.keys == []
    await post.passes(seconds=1)
    assert hoa.keys == ["probe.choice", "probe.many"]
    assert await post.states() == {"1": "done", "2": "done"}


async def test_half_an_emoji_in_a_raw_update_is_stored_like_any_other(world: World, post: Post) -> None:
    hoa = await world.joined("Hoa")
    await post.comes(hoa, "menu \ud83d")
    await post.passes()
    assert hoa.keys and (await post.states())["1"] == InboxState.DONE


async def test_a_handler_that_is_cancelled_from_inside_is_a_failure_like_any_other(world: World, post: Post) -> None:
    """Some library's cancellation that leaks out ends nothing: else the update would be tried for ever, without a pause."""
    hoa = await world.joined("Hoa")
    await post.comes(hoa, "/probe cancelled", "menu")
    for seconds in (0, 1, 5, 30, 120, 600):
        await post.passes(seconds=seconds)
    assert await post.states() == {"1": "dead", "2": "done"}
    assert hoa.keys == ["common.error", "menu.home"]


class Poison:
    """What is wrong with some updates, by a word in their text: an exception of any kind, at any statement, always or at first."""

    KINDS = ("raises", "leaks", "statement", "passes", "untellable", "unparsable")

    def __init__(self, world: World, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
        self._world = world
        self._left: Counter[str] = Counter()
        self._statements: int | None = None
        self._error: Exception | None = None
        event.listen(world.database.engine.sync_engine, "before_cursor_execute", self._count)
        monkeypatch.setattr("bot.inbox.answer", self._answer)
        tell = post.inbox._tell

        async def telling(session: Session, row: InboxRow, *rest: Any) -> None:
            if "untellable" in row.raw:
                raise RuntimeError("nor can this")
            await tell(session, row, *rest)

        monkeypatch.setattr(post.inbox, "_tell", telling)

    def close(self) -> None:
        event.remove(self._world.database.engine.sync_engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        if self._statements is None:
            return
        self._statements -= 1
        if self._statements < 0:
            self._statements = None
            assert self._error is not None
            raise self._error

    async def _answer(self, session: Session, house: House, incoming: Incoming) -> Forget:
        kind, _, rest = incoming.text.partition(" ")
        if kind in ("raises", "untellable"):
            raise RuntimeError("poison")
        if kind == "leaks":
            raise asyncio.CancelledError
        if kind in ("statement", "passes"):
            self._left[incoming.text] += 1
            at = int(rest.split()[0])
            if kind == "statement":
                self._statements, self._error = at, sqlite3.IntegrityError("poison")
            elif self._left[incoming.text] <= 1 + at % 2:
                # A full disk is nobody's fault, however often; of what fails once nobody hears.
                error = sqlite3.OperationalError("no room")
                error.sqlite_errorname = "SQLITE_FULL" if at % 2 else "SQLITE_ERROR"
                self._statements, self._error = at, OperationalError("", None, error)
            incoming = replace(incoming, text="/canhan")
        try:
            return await answer(session, house, incoming)
        finally:
            if self._statements is not None and kind == "statement":
                self._statements = None
                raise RuntimeError("there were not so many statements")
            self._statements = None


@pytest.mark.sqlite
@pytest.mark.timeout(600)
async def test_one_in_ten_updates_is_poison_and_every_other_is_answered(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T15. Each poison is set aside with its raw form, or handled once it may be; in every chat what comes behind it is answered."""
    played = cases(2)
    rng = Random(played.start)
    people = [await world.joined(f"Người {n}") for n in range(20)]
    poison = Poison(world, post, monkeypatch)
    expected: dict[str, str] = {}
    answers: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    for _ in played:
        for _ in range(100):
            person = rng.choice(people)
            kind = rng.choice(poison.KINDS) if rng.random() < 0.1 else ""
            raw: Any = {
                "address": person.address,
                "text": "/canhan" if not kind else f"{kind} {rng.randrange(12)} {post.count}",
            }
            if kind == "unparsable":
                raw = rng.choice([[], "nothing", {"adress": 1}, {"text": kind}, 7, None])
            post.count += 1
            await post.inbox.store("test", "bot", [arrival(str(post.count), person.address, raw)])
            expected[str(post.count)] = "done" if kind in ("", "passes") else "dead"
            answers[person.name] += kind in ("", "passes")
            errors[person.name] += kind in ("raises", "leaks", "statement")
        while "new" in (await post.states()).values():
            await post.passes(seconds=30)
    poison.close()
    assert await post.states() == expected
    async with world.database.read() as session:
        kept = await session.execute(select(InboxRow.raw).where(InboxRow.state == InboxState.DEAD))
    assert all(raw for (raw,) in kept)
    for person in people:
        assert person.keys.count("profile.home") == answers[person.name], person.name
        assert person.keys.count("common.error") == errors[person.name], person.name
    dead = sum(state == "dead" for state in expected.values())
    note(updates=len(expected), set_aside=dead, answered=answers.total())
