"""One chat that floods us is not read for a while, hears so once an hour, and nobody else notices."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.inbox import Inbox, arrival
from bot.limits import AT_ONCE, FILES_A_DAY, MESSAGES_A_DAY, MESSAGES_A_MINUTE, Bucket, Much, Patience
from db.models import InboxRow
from handlers.dialogue import File
from tests.fakes.channel import PlainDoor
from tests.people import TestPerson, World

AT = datetime(2025, 7, 25, 9, 55, tzinfo=UTC)
PHOTO = File("photo", "ref", "unique", size=1024 * 1024)


class Flood:
    """One chat that sends and sends, and what became of each."""

    def __init__(self) -> None:
        self.patience, self.update, self.at = Patience(), 0, AT

    def sends(self, number: int, *files: File, chat: str = "a") -> list[Much | None]:
        found = []
        for _ in range(number):
            self.update += 1
            refusal = self.patience.judge(self.update, chat, self.at, files)
            found.append(refusal.much if refusal else None)
        return found

    def waits(self, **delta: float) -> None:
        self.at += timedelta(**delta)


def test_sixty_at_once_and_thirty_a_minute_are_read() -> None:
    flood = Flood()
    assert flood.sends(AT_ONCE + 1) == [None] * AT_ONCE + [Much.AT_ONCE]
    assert flood.sends(1, chat="b") == [None]
    flood.waits(minutes=1)
    assert flood.sends(MESSAGES_A_MINUTE + 1) == [None] * MESSAGES_A_MINUTE + [Much.AT_ONCE]


def test_who_presses_all_day_long_is_told_that_it_is_enough() -> None:
    flood = Flood()
    found = []
    for _ in range(MESSAGES_A_DAY + 200):
        found += flood.sends(1)
        flood.waits(seconds=2)
    assert found.count(Much.TODAY) > 50
    assert found.index(Much.TODAY) >= MESSAGES_A_DAY
    flood.waits(days=1)
    assert flood.sends(1) == [None]


def test_fifty_files_and_two_hundred_megabytes_a_day_are_taken_and_words_all_the_same() -> None:
    many = Flood()
    for _ in range(FILES_A_DAY):
        assert many.sends(1, PHOTO) == [None]
        many.waits(seconds=2)
    assert many.sends(1, PHOTO) == [Much.TODAY]
    assert many.sends(1) == [None]
    heavy = Flood()
    film = File("document", "ref", "unique", size=19 * 1024 * 1024)
    assert heavy.sends(11, film) == [None] * 10 + [Much.TODAY]


def test_a_clock_set_back_lets_nothing_leak_and_fills_nothing() -> None:
    bucket = Bucket(rate=1.0, burst=10.0, at=1000.0)
    assert bucket.take(5.0, 1000.0)
    assert bucket.take(5.0, 10.0)
    assert not bucket.take(1.0, 10.5)
    assert bucket.take(1.0, 11.5)


def test_only_so_many_chats_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.limits.KNOWN", 3)
    flood = Flood()
    for chat in "abcd":
        flood.sends(1, chat=chat)
    assert set(flood.patience._chats) == {"b", "c", "d"}


class Post:
    """An inbox with patience over a world."""

    def __init__(self, world: World) -> None:
        self.world, self.count = world, 0
        self.inbox = Inbox(
            world.database, world.house, {"test": PlainDoor()}, now=lambda: world.now, sleep=asyncio.sleep,
            said=lambda channel: None, patience=Patience(),
        )  # fmt: skip

    async def comes(self, person: TestPerson, text: str, number: int) -> None:
        raw = {"address": person.address, "text": text}
        first, self.count = self.count, self.count + number
        rows = [arrival(str(first + n), person.address, raw) for n in range(number)]
        await self.inbox.store("test", "bot", rows)
        await self.inbox.drain()
        await self.world.deliver()


async def test_a_chat_that_floods_hears_so_once_an_hour_and_others_are_answered(world: World) -> None:
    post = Post(world)
    hoa, nam = await world.joined("Hoa"), await world.joined("Nam")
    await post.comes(hoa, "menu", AT_ONCE + 40)
    assert hoa.keys.count("common.flood_at_once") == 1
    async with world.database.read() as session:
        rows = (await session.execute(select(InboxRow.raw).order_by(InboxRow.id))).scalars().all()
    assert [raw == "" for raw in rows] == [False] * AT_ONCE + [True] * 40
    await post.comes(nam, "menu", 1)
    assert "common.flood_at_once" not in nam.keys
    world.later(minutes=10)
    await post.comes(hoa, "menu", AT_ONCE + 1)
    assert hoa.keys.count("common.flood_at_once") == 1
    world.later(hours=1)
    await post.comes(hoa, "menu", AT_ONCE + 1)
    assert hoa.keys.count("common.flood_at_once") == 2


async def test_who_stops_the_bot_is_heard_however_much_they_sent(world: World) -> None:
    post = Post(world)
    hoa = await world.joined("Hoa")
    await post.comes(hoa, "menu", AT_ONCE + 1)
    raw = {"address": hoa.address, "text": "", "place": "gone"}
    await post.inbox.store("test", "bot", [arrival("gone", hoa.address, raw)])
    await post.inbox.drain()
    async with world.database.read() as session:
        kept = (await session.execute(select(InboxRow.raw).where(InboxRow.ext_id == "gone"))).scalar_one()
    assert kept
