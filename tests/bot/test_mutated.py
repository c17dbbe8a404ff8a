"""T6: real updates and requests with anything done to them, through door, inbox and engine.

Nothing ends a loop or the polling; what cannot be read is set aside with its raw form kept; people beside hear their
answers; and nothing that stood there before changes, save what is the sender's own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import resource
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.channels.telegram import Telegram
from bot.inbox import Inbox
from db.models import Account, InboxRow, InboxState, OutboxRow
from db.models.base import Base
from db.session import Database
from handlers.registry import COMMAND_NAMES
from tests.fakes.botapi import TOKEN, FakeBotApi
from tests.handlers.test_walks import ARGUMENTS, FORGED, HOSTILE, MEANT, PLAUSIBLE, WORDS, furnish
from tests.people import TestPerson, World, make_world
from tests.prove import cases, note
from tests.transcripts.stage import OverWebChat, picture, webchat_stage

BATCHES, BATCH = 3, 25
GROWN = 80 * 2**10
"""KiB by which the process may grow over a talk."""

# ---------------------------------------------------------------------------------------------------- what is done

LONG = "x" * 100_000
STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53, -(2**63), 10**25, 0.5, 1e308, "", "0", "-1", "x", LONG, "\x00", "\ud83d", "\u202e", "=1+1",
    "private", "group", [], {}, [[]], [None], {"id": 1}, [{}] * 50, "2025-07-25", "👍", {"": {"": {"": {}}}},
)  # fmt: skip
NAMES = ("text", "caption", "data", "file_name", "mime_type", "first_name", "last_name", "username", "title", "emoji")
"""Where people, or their programs, write what they like."""


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in a JSON value, but for the whole."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*way, key)
        if len(way) < 12:
            yield from places(each, (*way, key))


def typed(chance: Random) -> str:
    """What somebody may write into any field they are let write into."""
    kind = chance.randrange(6)
    if kind == 0:
        return chance.choice(FORGED).replace("{}", str(chance.randrange(9)))
    if kind == 1:
        command = chance.choice(sorted(COMMAND_NAMES))
        return f"{chance.choice(('c:', '/'))}{command}{chance.choice((':', ' '))}{chance.choice((*ARGUMENTS, *MEANT))}"
    if kind == 2:
        return "/start " + chance.choice(
            ("u-MAYHOA", "u-", "i-khongco", "t-x", "u-\u202e", "x" * 64, "x" * 65, "u-MAYHOA u-TINH", "'")
        )
    return chance.choice((HOSTILE, PLAUSIBLE, WORDS)[kind - 3])


def mutated(value: dict[str, Any], others: Sequence[dict[str, Any]], chance: Random) -> tuple[dict[str, Any], bool]:
    """A copy with one to five things done to it, and whether it is still what a real client can send."""
    found, real = deepcopy(value), True
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
        ways = [way for way in places(found) if way != ("update_id",)]
        words = [way for way in ways if way[-1] in NAMES]
        if words and chance.random() < 0.5:
            put(found, chance.choice(words), lambda _: typed(chance))
            continue
        if not ways:
            break
        real, way = False, chance.choice(ways)
        match chance.randrange(7):
            case 0:
                take_out(found, way)
            case 1 | 2:
                put(found, way, lambda _: deepcopy(chance.choice(STRANGE)))
            case 3:
                put(found, way, lambda old: str(old) if isinstance(old, int) else [old])
            case 4:
                put(found, way, lambda old: nested(old, chance.choice((2, 40, 150))))
            case 5:
                other = chance.choice(others)
                theirs = chance.choice(list(places(other)))
                put(found, way, lambda _, other=other, theirs=theirs: deepcopy(at(other, theirs)))
            case _:
                put(
                    found,
                    way,
                    lambda old: old * chance.choice((-1, 2, 10**6)) if isinstance(old, int) else typed(chance),
                )
    return found, real


def forged(seeds: Sequence[dict[str, Any]], chance: Random) -> tuple[dict[str, Any], bool]:
    """A press on a button that stands on somebody else's screen, word for word."""
    found = deepcopy(chance.choice([seed for seed in seeds if "callback_query" in seed]))
    found["callback_query"]["data"] = f"c:{chance.choice(sorted(COMMAND_NAMES))}:{chance.choice(MEANT)}"
    return found, True


def nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = {"reply_to_message": value} if depth % 4 else [value]
    return value


def at(value: Any, way: Sequence[Any]) -> Any:
    for key in way:
        value = value[key]
    return value


def put(value: Any, way: Sequence[Any], change: Callable[[Any], Any]) -> None:
    inner = at(value, way[:-1])
    inner[way[-1]] = change(inner[way[-1]])


def take_out(value: Any, way: Sequence[Any]) -> None:
    del at(value, way[:-1])[way[-1]]


# ---------------------------------------------------------------------------------------------------- what stands there

PASSING = {"inbox", "outbox", "bodies", "counters", "facts", "jobs", "web_messages", "web_sessions"}
"""What the machinery itself keeps."""
OWNERS = ("person_id", "author_id")


async def kept(world: World, senders: set[str]) -> dict[tuple[str, Any], Any]:
    """Every row that is not its senders' own, by table and key."""
    found: dict[tuple[str, Any], Any] = {}
    async with world.database.read() as session:
        mine = select(Account.id, Account.person_id).where(Account.address.in_(senders))
        pairs = (await session.execute(mine)).all()
        accounts, people = {pair[0] for pair in pairs}, {pair[1] for pair in pairs if pair[1] is not None}
        for table in Base.metadata.sorted_tables:
            if table.name in PASSING:
                continue
            keys = [column.name for column in table.primary_key]
            for row in (await session.execute(select(table))).mappings():
                owner = {"accounts": "id", "conversations": "account_id"}.get(table.name)
                own = row[owner] in accounts if owner else any(row.get(name) in people for name in OWNERS)
                if not own and not (table.name == "persons" and row["id"] in people):
                    found[table.name, tuple(row[key] for key in keys)] = dict(row)
    return found


async def unchanged(world: World, before: dict[tuple[str, Any], Any], senders: set[str]) -> None:
    after = await kept(world, senders)
    for key, row in before.items():
        assert after.get(key) == row, key


NEVER = ("grants", "invitations", "broadcasts", "unit_aliases")
"""Tables in which a worker or a stranger makes no row at all."""


async def counted(world: World) -> dict[str, int]:
    async with world.database.read() as session:
        tables = Base.metadata.tables
        return {
            name: (await session.execute(select(func.count()).select_from(tables[name]))).scalar_one() for name in NEVER
        }


def room() -> int:
    """KiB this process has taken at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


# ---------------------------------------------------------------------------------------------------- Telegram

ATTACKER, STRANGER, HONEST = 4201, 4202, 4203
SENDERS = {str(ATTACKER), str(STRANGER), str(HONEST)}


class Scripted(Telegram):
    """The door, with answers to getUpdates that are given to it; it ends when there are no more."""

    def hands_over(self, batches: list[list[Any]]) -> None:
        self.batches = batches

    async def _fetch_updates(self, offset: int | None, wait: int = 0) -> list[Any]:
        if not self.batches:
            raise asyncio.CancelledError
        # As it comes off the line.
        return list(json.loads(json.dumps(self.batches.pop(0))))


def real_updates(chance: Random) -> list[dict[str, Any]]:
    """What people's phones make of everything they can do."""
    fake = FakeBotApi()
    fake.group(-7, "Tổ 5")
    for chat in (ATTACKER, STRANGER):
        person = fake.person(chat, "Bùi Thị Hoa", "hoa")
        said = person.says("sang kien")
        person.says("/start u-MAYHOA", reply_to=said)
        person.says("/menu@thu_nghiem_bot", chat=-7)
        person.edits(said, "thi dua")
        person.sends_photo(picture(1), "ảnh trước")
        person.sends_photo(picture(2), group="77")
        person.sends_document(b"%PDF-1.4", "a.pdf", caption="bản vẽ")
        person.sends_video()
        person.sends_voice()
        person.sends_sticker()
        person.sends_location()
        person.blocks()
        person.unblocks()
        person.adds_bot(-7)
        fake.state.call("sendmessage", params_of(chat))
        for data in ("c:menu:", "s:1:yes", "c:hoso:SK-25-0001.1"):
            person.presses(data=data)
    return [waiting.raw for waiting in fake.state.queue]


def params_of(chat: int) -> Any:
    from tests.fakes.botapi.state import Params

    button = {"inline_keyboard": [[{"text": "Menu", "callback_data": "c:menu:"}]]}
    return Params({"chat_id": chat, "text": "Chào", "reply_markup": json.dumps(button)}, {})


async def member(world: World, name: str, channel: str, address: str) -> TestPerson:
    person = world.people[name] = TestPerson(world, name, channel)
    person.address = address
    return await world.joined(name)


@pytest.mark.timeout(600)
async def test_mutated_updates_end_nothing_and_change_only_what_is_their_senders(
    handle: Database, template: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, logger="bot.inbox")
    for number in cases(1):
        chance = Random(number)
        world = make_world(handle, template, tmp_path)
        attacker = await member(world, "Bùi Thị Hoa", "telegram", str(ATTACKER))
        await member(world, "Lê Thu Hà", "telegram", str(HONEST))
        await furnish(world, attacker)
        seeds = real_updates(chance)
        ids = iter(range(1, 10**6))
        sent: dict[str, bool] = {}
        batches: list[list[Any]] = []
        for _ in range(BATCHES):
            batch: list[Any] = []
            for _ in range(BATCH):
                update, real = (
                    forged(seeds, chance) if chance.random() < 0.3 else mutated(chance.choice(seeds), seeds, chance)
                )
                update["update_id"] = next(ids)
                sent[str(update["update_id"])] = real
                batch.append(update)
            batch.insert(chance.randrange(BATCH), honest(next(ids)))
            batches.append(batch)
        before, counts, taken = await kept(world, SENDERS), await counted(world), room()
        await answered(world, batches)
        ends = await states(world)
        dead = {ext_id for ext_id, (state, raw) in ends.items() if state == InboxState.DEAD and raw}
        assert all(state == InboxState.DONE or (state == InboxState.DEAD and raw) for state, raw in ends.values())
        assert len(ends) == len(sent) + BATCHES, "an update was not stored"
        assert not {ext_id for ext_id in dead if sent.get(ext_id, True)}, "what a real client can send was not answered"
        await unchanged(world, before, SENDERS)
        assert await counted(world) == counts
        async with world.database.read() as session:
            heard = select(func.count()).select_from(OutboxRow).where(OutboxRow.address == str(HONEST))
            assert (await session.execute(heard)).scalar_one() >= BATCHES
        assert room() - taken < GROWN
        note(updates=len(sent), set_aside=len(dead))
        await handle.close()


def honest(number: int) -> dict[str, Any]:
    user = {"id": HONEST, "is_bot": False, "first_name": "Hà"}
    return {"update_id": number, "message": {"message_id": number, "date": 1753437300, "chat": {**user, "type": "private"}, "from": user,
                                             "text": "menu"}}  # fmt: skip


async def answered(world: World, batches: list[list[Any]]) -> None:
    """Through the door's own loop into the inbox, and until nothing waits any more."""
    missed: list[int] = []

    async def sleep(seconds: float) -> None:
        world.later(seconds=seconds)

    door = Scripted(TOKEN, "http://127.0.0.1:9", world.house.files, sleep=sleep)
    inbox = Inbox(
        world.database, world.house, {"telegram": door}, now=lambda: world.now, sleep=sleep, said=lambda _: None
    )
    door.missed = lambda: missed.append(1)
    for batch in batches:
        door.hands_over([batch])
        with pytest.raises(asyncio.CancelledError):
            await door.run(inbox.store)
        for seconds in (0, 1, 5, 30, 120, 600):
            world.later(seconds=seconds)
            await inbox.drain()
    for _ in range(BATCH):  # what waits behind something that is set aside in its own chat
        for seconds in (1, 5, 30, 120, 600):
            world.later(seconds=seconds)
            await inbox.drain()
        if not await waiting(world):
            break
    assert not missed
    await door.close()


async def waiting(world: World) -> int:
    async with world.database.read() as session:
        query = select(func.count()).select_from(InboxRow).where(InboxRow.state == InboxState.NEW)
        return int((await session.execute(query)).scalar_one())


async def states(world: World) -> dict[str, tuple[InboxState, str]]:
    async with world.database.read() as session:
        rows = await session.execute(select(InboxRow.ext_id, InboxRow.state, InboxRow.raw))
        return {ext_id: (state, raw) for ext_id, state, raw in rows}


# ---------------------------------------------------------------------------------------------------- the web chat

POSTS = 60
SIGNS = (
    "a.jpg",
    "../../etc/passwd",
    "a\\b.pdf",
    "x" * 5_000,
    "=1+1",
    "\u202egpj.exe",
    '"; filename="b',
    "\r\nX-A: 1",
    "",
)


def request(chance: Random) -> tuple[str, str, bytes]:
    """A path, a content type and a body as the page sends them, or nearly so."""
    key = f"{chance.randrange(10**12):012}"
    if chance.random() < 0.7:
        seeds: list[dict[str, Any]] = [{"text": "menu", "key": key}, {"data": "c:menu:", "message": 1, "key": key}]
        path = chance.randrange(2)
        body = seeds[path]
        if chance.random() < 0.6:
            body[("text", "data")[path]] = typed(chance)
        else:
            body, _ = mutated(body, seeds, chance)
        data = json.dumps(body).encode()
        if chance.random() < 0.1:
            data = b"[" * 100_000 if chance.random() < 0.3 else data[: chance.randrange(len(data))]
        kind = chance.choice((*("application/json",) * 9, "text/plain", "application/json; charset=nonsense"))
        return ("/api/say", "/api/press")[path], kind, data
    named = b'Content-Disposition: form-data; name="'
    parts = [
        named + b'caption"\r\n\r\n' + typed(chance).encode("utf-8", "replace"),
        named + b'key"\r\n\r\n' + key.encode(),
    ]
    for _ in range(chance.choice((1, 1, 2, 3, 12))):
        sign = chance.choice(SIGNS).encode()
        kind = chance.choice(("image/jpeg", "video/mp4", "text/html", "x", "multipart/mixed; boundary=c"))
        parts.append(
            named + b'file"; filename="' + sign + b'"\r\nContent-Type: ' + kind.encode() + b"\r\n\r\n" + picture(1)
        )
    chance.shuffle(parts)
    data = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    if chance.random() < 0.4:
        place = chance.randrange(len(data))
        data = (
            data[:place]
            + chance.choice((b"", b"\r\n--b\r\n", b"\0", b"--b--", data[:place]))
            + data[place + chance.choice((0, 1, 40)) :]
        )
    return "/api/files", f"multipart/form-data; boundary={chance.choice(('b', 'b', 'b', 'c', ''))}", data


@pytest.mark.filterwarnings(
    "ignore::aiohttp.BadContentDispositionHeader", "ignore::aiohttp.BadContentDispositionParam"
)  # logged in production
@pytest.mark.timeout(600)
async def test_mutated_requests_end_nothing_and_change_only_what_is_their_senders(
    handle: Database, template: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, logger="bot.inbox")
    for number in cases(1):
        chance = Random(number)
        world = make_world(handle, template, tmp_path)
        (folder := tmp_path / f"{number}").mkdir()
        await furnish(world, await world.joined("Hà Văn Bình"))
        async with webchat_stage(world, folder) as stage:
            door = stage.door
            assert isinstance(door, OverWebChat)
            hoa = await stage.member("Bùi Thị Hoa")
            before, counts, taken = await kept(world, {hoa.address}), await counted(world), room()
            client, csrf = door._browsers[hoa.address]
            answers: Counter[int] = Counter()
            for _ in range(POSTS):
                path, kind, data = request(chance)
                async with client.post(path, headers={"Content-Type": kind, "X-CSRF": csrf}, data=data) as answer:
                    answers[answer.status] += 1
                    assert answer.status in (200, 400, 413, 415), (answer.status, path, kind, data[:300])
                world.later(seconds=1)
                await stage._inbox.drain()
            for seconds in (1, 5, 30, 120, 600) * 3:
                world.later(seconds=seconds)
                await stage._inbox.drain()
            assert answers[200] > POSTS / 4, answers
            ends = await states(world)
            assert {state for state, _ in ends.values()} == {InboxState.DONE}, "what the page may send is read"
            await unchanged(world, before, {hoa.address})
            assert await counted(world) == counts
            assert room() - taken < GROWN
            note(requests=POSTS, refused=POSTS - answers[200])
        await handle.close()
