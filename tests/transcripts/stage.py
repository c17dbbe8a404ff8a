"""A stage on which people talk through a real door, Telegram's or the web chat's, and all that is seen is written down."""

from __future__ import annotations

import asyncio
import io
import itertools
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image
from sqlalchemy import and_, func, or_, select

from bot.channels.telegram import Telegram
from bot.channels.webchat import WebChat
from bot.inbox import Inbox
from bot.settings import Settings
from bot.web import guard
from bot.web.server import WebServer
from content.calendar import LOCAL, add_working_days, local_date
from content.quiz import Bank
from db import accounts, people, submissions, units, webchat
from db.inbox import Arrival
from db.models import Audience, Draft, Grant, Membership, OutboxRow, OutState, Person, Purpose, Role, Track
from db.session import Session
from db.submissions import Report
from handlers.meaning import plain_label
from scheduler import anniversaries, attachments, broadcasts, contest_reminders, contests, jobs, prizes
from scheduler.alarms import OVER, Alarms
from scheduler.delivery import Delivery
from scheduler.troubles import Name
from tests.fakes.botapi import TOKEN, FakeBotApi
from tests.fakes.botapi.entities import parse
from tests.fakes.botapi.people import FakePerson
from tests.people import FACTS, World, spoken, work_of

STORY = {
    "track": "initiative", "title": "Giá gá giúp thay dao cắt nhanh gấp ba", "field": "technical",
    "before": "Trước đây thay dao cắt phải chờ thợ cơ điện, mất gần 30 phút, hàng bị dồn ở khâu cắt.",
    "after": "Nay tổ làm giá gá, người đứng máy tự thay trong 10 phút: kẹp dao, xoay chốt, siết hai vít. Không phải chờ ai.",
    "applied": "using", "since": "tháng 3/2025, chuyền 5", "results": {"money": 12_000_000},
}  # fmt: skip
"""An initiative as it is kept."""
LINK = "https://t.me/tro_ly_thu_bot?start={}"
PAUSE = timedelta(seconds=2)
"""What people take between two messages; longer than anything that is said after a moment of quiet."""


@dataclass(frozen=True)
class Bubble:
    """One message as its reader sees it: text as Markdown, buttons row by row, pictures and files by name."""

    id: str
    text: str
    rows: tuple[tuple[str, ...], ...]
    media: tuple[str, ...]


class Door(Protocol):
    """What the stage needs of a platform, from the person's side of it."""

    channel: str
    adapter: Any

    async def meets(self, name: str) -> str: ...
    async def says(self, address: str, text: str) -> None: ...
    async def presses(self, address: str, message: str, label: str) -> None: ...
    async def sends_photos(self, address: str, photos: Sequence[bytes], caption: str) -> None: ...
    async def sees(self, address: str) -> list[Bubble]: ...


class OverTelegram:
    """The Telegram adapter polling the fake Bot API; persons tap on the fake's phones."""

    channel = "telegram"

    def __init__(self, stage: Stage, fake: FakeBotApi, adapter: Telegram) -> None:
        self.adapter = adapter
        self._stage = stage
        self.fake = fake
        self._chats = itertools.count(101)
        self._albums = itertools.count(1)
        self._pushed = 0

    async def meets(self, name: str) -> str:
        return str(self.fake.person(next(self._chats), name).chat_id)

    def person(self, address: str) -> FakePerson:
        """The phone itself, for what only Telegram knows; call `arrives` afterwards."""
        return self.fake.person(int(address))

    async def arrives(self, updates: int = 1) -> None:
        """Waits until what was sent is stored."""
        self._pushed += updates
        await self._stage.stored(self._pushed)

    async def says(self, address: str, text: str) -> None:
        self.fake.person(int(address)).says(text)
        await self.arrives()

    async def presses(self, address: str, message: str, label: str) -> None:
        self.fake.person(int(address)).presses(label, message_id=int(message))
        await self.arrives()

    async def sends_photos(self, address: str, photos: Sequence[bytes], caption: str) -> None:
        group = str(next(self._albums)) if len(photos) > 1 else ""
        for number, photo in enumerate(photos):
            self.fake.person(int(address)).sends_photo(photo, caption if number == 0 else "", group=group)
        await self.arrives(len(photos))

    async def sees(self, address: str) -> list[Bubble]:
        found = []
        for shown in self.fake.messages(int(address)):
            entities = shown.raw.get("entities") or shown.raw.get("caption_entities") or []
            media = ("Ảnh",) if shown.photo else (shown.document[0],) if shown.document else ()
            rows = tuple(tuple(button.label for button in row) for row in shown.rows)
            found.append(Bubble(str(shown.message_id), markdown(shown.text, entities), rows, media))
        return found


class OverWebChat:
    """The web chat's own server; persons are browsers with cookies."""

    channel = "webchat"

    def __init__(self, stage: Stage, server: WebServer, adapter: WebChat, exits: AsyncExitStack) -> None:
        self.adapter = adapter
        self._stage = stage
        self._server = server
        self._exits = exits
        self._browsers: dict[str, tuple[TestClient[Any, Any], str]] = {}
        self._keys = itertools.count(1)
        self._posted = 0

    async def meets(self, name: str) -> str:
        client: TestClient[Any, Any] = TestClient(TestServer(self._server.application()))
        await self._exits.enter_async_context(client)
        async with client.get("/api/me") as answer:
            csrf = (await answer.json())["csrf"]
        cookie = next(each.value for each in client.session.cookie_jar if each.key == guard.COOKIE)
        async with self._stage.world.database.read() as session:
            row = await webchat.find_session(session, guard.digest(cookie))
        assert row is not None
        self._browsers[row.address] = (client, csrf)
        return row.address

    async def tries(self, address: str, path: str, **body: Any) -> tuple[int, Any]:
        """What the server answers to a request of a person's page."""
        client, csrf = self._browsers[address]
        async with client.post(path, headers={"X-CSRF": csrf}, **body) as answer:
            return answer.status, await answer.json()

    async def post(self, address: str, path: str, updates: int = 1, **body: Any) -> None:
        """A request that must be taken."""
        status, answer = await self.tries(address, path, **body)
        assert status == 200, answer
        self._posted += updates
        await self._stage.stored(self._posted)

    def _key(self) -> str:
        return f"key-{next(self._keys):08}"

    async def says(self, address: str, text: str) -> None:
        await self.post(address, "/api/say", json={"text": text, "key": self._key()})

    async def presses(self, address: str, message: str, label: str) -> None:
        shown = next(each for each in await self._messages(address) if str(each["id"]) == message)
        data = next(button["data"] for row in shown["rows"] for button in row if button["label"] == label)
        await self.post(address, "/api/press", json={"data": data, "message": int(message), "key": self._key()})

    async def sends_photos(self, address: str, photos: Sequence[bytes], caption: str) -> None:
        form = aiohttp.FormData()
        form.add_field("caption", caption)
        for number, photo in enumerate(photos):
            form.add_field("file", photo, filename=f"anh-{number}.jpg", content_type="image/jpeg")
        form.add_field("key", self._key())
        await self.post(address, "/api/files", updates=len(photos), data=form)

    async def _messages(self, address: str) -> list[dict[str, Any]]:
        async with self._browsers[address][0].get("/api/messages") as answer:
            found: list[dict[str, Any]] = await answer.json()
        return found

    async def sees(self, address: str) -> list[Bubble]:
        found = []
        for each in sorted(await self._messages(address), key=lambda message: int(message["id"])):
            if not each["mine"]:
                rows = tuple(tuple(button["label"] for button in row) for row in each["rows"])
                media = tuple("Ảnh" if file["kind"] == "photo" else str(file["name"]) for file in each["media"])
                found.append(Bubble(str(each["id"]), markdown(*parse(each["text"], "HTML")), rows, media))
        return found


class Actor:
    """Somebody on the stage; what they do and what they then read is written down."""

    def __init__(self, stage: Stage, name: str, address: str) -> None:
        self._stage = stage
        self._door = stage.door
        self.name = name
        self.address = address
        self.seen: dict[str, Bubble] = {}

    @property
    def last(self) -> Bubble:
        return list(self.seen.values())[-1]

    async def says(self, text: str) -> None:
        self._stage.writes(f"**{self.name}:** " + "<br>".join(text.splitlines()))
        await self._door.says(self.address, text)
        await self._stage.settles()

    async def scans(self, code: str, what: str) -> None:
        self._stage.writes(f"**{self.name}** {what}")
        await self._door.says(self.address, f"/start {code}")
        await self._stage.settles()

    async def taps(self, *labels: str) -> None:
        """Presses buttons one after the other, each time the newest of that label, with or without its icon."""
        for label in labels:
            found = next(
                (
                    (bubble.id, shown)
                    for bubble in reversed(self.seen.values())
                    for row in bubble.rows
                    for shown in row
                    if plain_label(shown) == plain_label(label)
                ),
                None,
            )
            assert found is not None, f"{self.name} sees no button {label!r}: {self.last}"
            self._stage.writes(f"**{self.name}** bấm `{found[1]}`")
            await self._door.presses(self.address, *found)
            await self._stage.settles()

    async def sends_photos(self, count: int, caption: str = "") -> None:
        said = f" kèm lời: {caption}" if caption else ""
        self._stage.writes(f"**{self.name}** gửi {count} ảnh{said}")
        await self._door.sends_photos(self.address, [picture(n) for n in range(count)], caption)
        await self._stage.settles()


def _few(bank: Bank) -> Bank:
    """The first questions of the first topics: more of them in the packs change no transcript."""
    kept = [q for topic in bank.topics[:9] for q in [q for q in bank.questions if q.topic == topic][:6]]
    return Bank({topic: bank.title(topic) for topic in bank.topics[:9]}, {}, kept)


class Stage:
    """One door, the people in front of it, and the house behind it on a clock that moves two seconds a message."""

    door: Door

    def __init__(self, world: World, folder: Path) -> None:
        files = folder / "files"
        files.mkdir()
        packs = replace(world.house.packs, bank=_few(world.house.packs.bank))
        world.house = replace(world.house, files=files, links={"telegram": LINK}, packs=packs)
        self.world = world
        self.actors: list[Actor] = []
        self.lines: list[str] = []
        self._arrived = asyncio.Condition()
        self._count = 0

    def opens(self, door: Door) -> None:
        """Puts the inbox and the delivery of the house behind a door."""
        self.door = door
        world = self.world
        now = lambda: world.now  # noqa: E731
        ticks = itertools.count()  # a second each time anybody looks: nobody waits for pace on a stage
        self._inbox = Inbox(
            world.database, world.house, {door.channel: door.adapter}, now=now, sleep=asyncio.sleep, said=lambda _: None
        )
        self._watched = 0.0
        self._alarms = Alarms(
            world.database, world.house.words, now=now, monotonic=lambda: self._watched, said=lambda: None
        )
        self._delivery = Delivery(
            world.database,
            door.adapter,
            rate=1000,
            now=now,
            monotonic=lambda: float(next(ticks)),
            sleep=asyncio.sleep,
            mark="stage",
        )

    # ------------------------------------------------------------------------------------------------ people

    async def stranger(self, name: str) -> Actor:
        """Somebody who has not said anything yet."""
        actor = Actor(self, name, await self.door.meets(name))
        self.actors.append(actor)
        return actor

    async def member(self, called: str, unit: str = "MAYHOA", role: Role | None = None, **values: Any) -> Actor:
        """Somebody who joined long ago."""
        actor = await self.stranger(called)
        now = self.world.now
        async with self.world.database.write() as session:
            chat = await accounts.enter(session, self.door.channel, actor.address, now)
            person = await people.join(session, chat.account, "2", now)
            home = await units.find_by_code(session, unit)
            assert home is not None
            person.name, person.unit_id, person.confirmed, person.news = called, home.id, True, True
            person.audience, person.membership = Audience.OFFICER if role else Audience.ENTERPRISE, Membership.YES
            for key, value in values.items():
                setattr(person, key, value)
            for purpose in (Purpose.NEWS, Purpose.SUBMISSIONS):
                await people.consent(session, person.id, purpose, "2", self.door.channel, now)
            if role is not None:
                session.add(
                    Grant(
                        person_id=person.id,
                        role=role,
                        unit_id=home.id,
                        granted_by=None,
                        granted_at=now,
                        confirmed_at=now,
                    )
                )
        return actor

    async def submitted(self, author: Actor) -> None:
        """A report that was sent; how one is written is another transcript's."""
        async with self.world.database.write() as session:
            person = await self.person(session, author)
            told = Report(Track.INITIATIVE, str(STORY["title"]), STORY, direct_production=True)
            due = datetime.combine(add_working_days(local_date(self.world.now), 5), time(17), LOCAL)
            await submissions.submit(session, person, told, draft_id=None, due_at=due, year=2025, now=self.world.now)

    async def drafted(self, author: Actor) -> None:
        """A report written down to its preview."""
        async with self.world.database.write() as session:
            person = await self.person(session, author)
            person.direct_production = True
            session.add(
                Draft(
                    person_id=person.id,
                    dialogue="report",
                    step="preview",
                    data=STORY,
                    history=[],
                    ahead=[],
                    updated_at=self.world.now,
                )
            )

    async def trouble(self, *found: Name) -> None:
        """So much is wrong with the house, for long enough to be told."""
        for seconds in (0.0, OVER):
            self._watched += seconds
            self.world.later(seconds=seconds)
            await self._alarms.hear(found)
        await self.settles()

    async def person(self, session: Session, actor: Actor) -> Person:
        chat = await accounts.enter(session, self.door.channel, actor.address, self.world.now)
        assert chat.person is not None
        return chat.person

    # ------------------------------------------------------------------------------------------------ the talk

    def writes(self, line: str) -> None:
        """A line of the transcript."""
        self.lines += [line, ""]

    def says(self, direction: str) -> None:
        """A stage direction."""
        self.writes(f"*{direction}*")

    async def store(self, channel: str, bot: str, arrivals: Sequence[Arrival], also: Any = None, /) -> int:
        """What the doors call before they acknowledge."""
        added = await self._inbox.store(channel, bot, arrivals, also)
        async with self._arrived:
            self._count += added
            self._arrived.notify_all()
        return added

    async def stored(self, count: int) -> None:
        """Waits until so many updates were committed."""
        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(lambda: self._count >= count), 20)

    async def settles(self) -> None:
        """Everything that came in is answered, and what is said at once or after a moment of quiet arrives."""
        await self._inbox.drain()
        self.world.now += PAUSE
        await self._delivers()
        await self._looks()

    async def passes(self, direction: str = "", *, days_too: bool = False, **delta: float) -> None:
        """Time passes, and what happens by itself does; anniversaries only where a scene is about them (`days_too`)."""
        if direction:
            self.says(direction)
        self.world.later(**delta)
        work = work_of(self.world, fetch=lambda channel, ref: self.door.adapter.fetch(ref))
        for _ in range(2):
            await attachments.run(work)
            await jobs.run(work)
            if days_too:
                await anniversaries.run(work)
            await broadcasts.run(work)
            await contests.run(work)
            await contest_reminders.run(work)
            await prizes.run(work)
            await self._delivers()
        await self._looks()

    async def _delivers(self) -> None:
        """Delivery's own rounds until nothing is due or under way."""
        again = or_(OutboxRow.retry_at.is_(None), OutboxRow.retry_at <= self.world.now)
        due = and_(OutboxRow.state == OutState.READY, OutboxRow.not_before <= self.world.now, again)
        left = select(func.count()).where(or_(due, OutboxRow.state == OutState.SENDING))
        while True:
            async with self.world.database.read() as session:
                if not (await session.execute(left)).scalar_one():
                    return
            self._delivery.wake()
            await self._delivery.round()
            if self._delivery._flying:
                await asyncio.wait(self._delivery._flying)  # the platform answers

    async def _looks(self) -> None:
        """Everybody reads what is new on their phone."""
        for actor in self.actors:
            for bubble in await self.door.sees(actor.address):
                old = actor.seen.get(bubble.id)
                if old != bubble:
                    actor.seen[bubble.id] = bubble
                    self._quotes(actor, bubble, edited=old is not None)

    def _quotes(self, actor: Actor, bubble: Bubble, *, edited: bool) -> None:
        to = f" → {actor.name}" if len(self.actors) > 1 else ""
        self.lines += [f"**Trợ lý{to}**" + (" *(sửa tin trên)*" if edited else ""), ""]
        shown = [f"📎 {name}" for name in bubble.media] + bubble.text.splitlines()
        self.lines += [f"> {line}  ".rstrip() if not line else f"> {line}  " for line in shown]
        if bubble.rows:
            self.lines += [">", *("> " + " ".join(f"`{label}`" for label in row) + "  " for row in bubble.rows)]
        self.lines.append("")


def markdown(text: str, entities: Sequence[Any]) -> str:
    """A text with the emphasis that its entities give it; offsets are UTF-16 units."""
    units_of = text.encode("utf-16-le")
    marks = {"bold": "**", "italic": "_"}
    for entity in sorted(entities, key=lambda each: -int(each["offset"])):
        mark = marks.get(entity["type"], "").encode("utf-16-le")
        start, end = int(entity["offset"]) * 2, (int(entity["offset"]) + int(entity["length"])) * 2
        units_of = units_of[:start] + mark + units_of[start:end] + mark + units_of[end:]
    return units_of.decode("utf-16-le")


def picture(number: int) -> bytes:
    """A small photo, each of its own."""
    buffer = io.BytesIO()
    Image.new("RGB", (8 + number, 8), "navy").save(buffer, "JPEG")
    return buffer.getvalue()


@asynccontextmanager
async def telegram_stage(world: World, folder: Path) -> AsyncIterator[Stage]:
    """A stage behind Telegram: the real adapter polls the fake Bot API."""
    stage = Stage(world, folder)
    async with FakeBotApi(now=lambda: world.now) as fake:
        adapter = Telegram(TOKEN, fake.url, world.house.files, sleep=asyncio.sleep)
        stage.opens(OverTelegram(stage, fake, adapter))
        await adapter.open()
        polling = asyncio.create_task(adapter.run(stage.store))
        try:
            yield stage
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)
            await adapter.close()


@asynccontextmanager
async def webchat_stage(world: World, folder: Path) -> AsyncIterator[Stage]:
    """A stage behind the web chat: its real server and browsers."""
    stage = Stage(world, folder)
    adapter = WebChat(world.database, folder, now=lambda: world.now)
    words, _ = spoken()
    ticks = itertools.count(step=60)  # nobody is too fast on a stage
    server = WebServer(
        adapter,
        stage.store,
        Settings.model_construct(organisation=FACTS["organisation"], web_host="127.0.0.1", web_port=0),
        texts={key.partition(".")[2]: words.text(key) for key in words if key.startswith("webchat.")},
        red=list,
        monotonic=lambda: next(ticks),
    )
    async with AsyncExitStack() as exits:
        stage.opens(OverWebChat(stage, server, adapter, exits))
        yield stage


def secret(text: str) -> str:
    """The code of an invitation in the message that carries it."""
    found = re.search(r"i-([a-z0-9]{26})", text)
    assert found is not None, text
    return found[1]
