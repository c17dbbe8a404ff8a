"""The web chat: sessions, CSRF, what is said once and only once, one's own files, streams, the demo's panels."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select, update

from bot.app import build_app
from bot.channels.webchat import KEEP_UPLOADS, WebChat
from bot.clock import Clock
from bot.settings import Settings
from bot.web import guard, reading, saying
from bot.web.server import STATIC, WebServer
from content.message import Choice, Media, Message
from content.words import load_words
from db import attachments, inbox, migrate, webchat
from db.inbox import Arrival
from db.models import Attachment, InboxRow, InboxState, Lane, Person, WebMessage, WebSession
from db.session import Database, Session
from scheduler.copies import Said
from scheduler.delivery import EditGone, Rejected
from tests.people import FACTS
from tests.power.files import watched

START = datetime(2025, 7, 25, 9, 55, tzinfo=UTC)
WORDS = load_words(FACTS)
TEXTS = {key.partition(".")[2]: WORDS.text(key) for key in WORDS if key.startswith("webchat.")}
KEY = "0123456789abcdef"


@dataclass
class TwoPeople:
    """A demo with two persons and a clock."""

    at: datetime = START
    latest: dict[str, int] = field(default_factory=dict)

    async def people(self) -> list[dict[str, Any]]:
        return [
            {"key": key, "name": key, "role": "", "group": "", "unit": "", "latest": self.latest.get(key, 0)}
            for key in ("hoa", "ha")
        ]

    def address_of(self, key: str) -> str:
        return {"hoa": "demo-hoa", "ha": "demo-ha"}[key]

    async def clock(self) -> dict[str, Any]:
        soon = self.at.replace(hour=23, minute=0)
        return {"now": self.at.isoformat(), "next": [{"at": soon.isoformat(), "what": "Việc sắp tới"}]}

    async def move_clock(self, to: datetime) -> None:
        self.at = to


@dataclass
class House:
    """A server over a real database, with clocks that only move when told."""

    database: Database
    chat: WebChat
    data: Path
    demo: TwoPeople | None = None
    now: datetime = START
    ticks: float = 0.0
    healthy: bool = True
    broken: bool = False
    clients: list[TestClient[Any, Any]] = field(default_factory=list)
    server: WebServer | None = None

    async def store(
        self,
        channel: str,
        bot: str,
        arrivals: Any,
        also: Callable[[Session], Awaitable[object]] | None = None,
    ) -> int:
        """What Inbox.store does."""
        async with self.database.write() as session:
            added = await inbox.store(session, channel, bot, arrivals, self.now)
            if added and also is not None:
                await also(session)
            if self.broken:
                raise OSError("the disk is full")
        return added

    async def browser(self, **headers: str) -> Browser:
        """A browser that has opened the page."""
        client = TestClient(TestServer(self.server.application()), headers=headers)  # type: ignore[union-attr]
        await client.start_server()
        self.clients.append(client)
        made = Browser(self, client)
        await made.opens()
        return made

    async def heard(self) -> list[dict[str, Any]]:
        """Everything the inbox holds, oldest first."""
        async with self.database.read() as session:
            rows = (await session.execute(select(InboxRow).order_by(InboxRow.id))).scalars().all()
        return [json.loads(row.raw) for row in rows]

    async def bubbles(self) -> list[WebMessage]:
        """Everything the chats hold, oldest first."""
        async with self.database.read() as session:
            return list((await session.execute(select(WebMessage).order_by(WebMessage.id))).scalars())

    def uploads(self) -> list[Path]:
        return sorted(self.chat.uploads.glob("*"))

    async def say(self, address: str, text: str, edits: str = "", **values: Any) -> str:
        """The bot says something."""
        return await self.chat.send(address, Message(text, **values), edits=edits, lane=Lane.REPLY)


@dataclass
class Browser:
    """One browser with its cookies and its token."""

    house: House
    client: TestClient[Any, Any]
    csrf: str = ""
    query: str = ""

    async def opens(self, path: str = "/api/me") -> dict[str, Any]:
        async with self.client.get(path + self.query) as answer:
            assert answer.status == 200, await answer.text()
            me: dict[str, Any] = await answer.json()
        self.csrf = me["csrf"]
        return me

    @property
    def token(self) -> str:
        return next(cookie.value for cookie in self.client.session.cookie_jar if cookie.key == guard.COOKIE)

    async def address(self) -> str:
        async with self.house.database.read() as session:
            row = await webchat.find_session(session, guard.digest(self.token))
        assert row is not None
        return row.address

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None, **more: Any) -> Any:
        return self.client.post(path + self.query, json=body, headers={"X-CSRF": self.csrf} | (headers or {}), **more)

    async def says(self, text: str, key: str = KEY) -> int:
        async with self.post("/api/say", {"text": text, "key": key}) as answer:
            return int(answer.status)

    async def attaches(self, *files: tuple[str, bytes, str], caption: str = "", key: str = KEY) -> tuple[int, Any]:
        form = aiohttp.FormData(quote_fields=False)  # browsers send names as UTF-8
        form.add_field("caption", caption)
        for name, content, kind in files:
            form.add_field("file", content, filename=name, content_type=kind)
        form.add_field("key", key)
        async with self.client.post("/api/files" + self.query, data=form, headers={"X-CSRF": self.csrf}) as answer:
            return answer.status, await answer.json()

    async def sees(self, after: str = "") -> list[dict[str, Any]]:
        async with self.client.get("/api/messages", params={"after": after}) as answer:
            assert answer.status == 200
            found: list[dict[str, Any]] = await answer.json()
        return found

    async def status(self, path: str, **more: Any) -> int:
        async with self.client.get(path, allow_redirects=False, **more) as answer:
            return int(answer.status)


@asynccontextmanager
async def open_house(folder: Path, demo: TwoPeople | None = None) -> AsyncIterator[House]:
    database = Database(f"sqlite+aiosqlite:///{folder / 'test.db'}")
    await migrate.upgrade(database)
    house: House
    chat = WebChat(database, folder, now=lambda: house.now)
    chat.files.mkdir()
    house = House(database, chat, folder, demo)
    house.server = WebServer(
        chat,
        house.store,
        Settings.model_construct(organisation=FACTS["organisation"], web_host="127.0.0.1", web_port=0),
        texts=TEXTS,
        red=lambda: [] if house.healthy else ["polling"],
        demo=demo,
        monotonic=lambda: house.ticks,
    )
    yield house
    for client in house.clients:
        await client.close()
    await database.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, TwoPeople()) as made:
        yield made


async def lines(answer: aiohttp.ClientResponse, until: str) -> list[str]:
    """The lines of a stream up to the first that contains a text."""
    found: list[str] = []
    while True:
        line = (await asyncio.wait_for(answer.content.readline(), 30)).decode()
        assert line, f"the stream ended before {until!r}: {found}"
        found.append(line.rstrip("\n"))
        if until in line:
            return found


# ------------------------------------------------------------------------------------------------------- sessions


async def test_the_cookie_is_unguessable_and_only_its_hash_is_kept(house: House) -> None:
    browser = await house.browser()
    async with house.database.read() as session:
        (row,) = (await session.execute(select(WebSession))).scalars().all()
    assert len(browser.token) >= 43
    assert row.token_hash == guard.digest(browser.token)
    assert browser.token not in (row.address, row.csrf)
    assert len(row.address) >= 22
    other = await house.browser()
    assert await other.address() != row.address


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(house: House) -> None:
    browser = await house.browser()
    async with TestClient(TestServer(house.server.application())) as plain:  # type: ignore[union-attr]
        async with plain.get("/api/me") as answer:
            cookie = answer.headers["Set-Cookie"]
        async with plain.get("/api/me", headers={"X-Forwarded-Proto": "https"}) as answer:
            secure = answer.headers["Set-Cookie"]
    assert cookie.startswith("congdoan=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert secure.startswith("__Host-congdoan=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Secure"} <= set(secure.split("; "))
    # Over https a plain cookie counts for nothing: a neighbouring host could have planted it.
    assert await browser.status("/api/messages") == 200
    assert await browser.status("/api/messages", headers={"X-Forwarded-Proto": "https"}) == 401


async def test_an_https_address_is_https_though_the_proxy_does_not_say_so(house: House) -> None:
    settings = Settings.model_construct(organisation="X", web_host="127.0.0.1", web_address="https://chat.example.vn")
    server = WebServer(house.chat, house.store, settings, texts=TEXTS, red=list)
    async with TestClient(TestServer(server.application())) as plain:
        async with plain.get("/api/me") as answer:
            assert answer.headers["Set-Cookie"].startswith("__Host-congdoan=") and "; Secure" in str(answer.headers)
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_a_browser_keeps_its_chat_and_is_remembered_while_it_comes_back(house: House) -> None:
    browser = await house.browser()
    first = await browser.address()
    house.now += timedelta(days=150)
    await browser.opens()
    house.now += timedelta(days=150)
    async with house.database.write() as session:
        await webchat.tidy(session, house.now)
    await browser.opens()
    assert await browser.address() == first


async def test_a_browser_that_stays_away_half_a_year_is_forgotten_with_its_chat(house: House) -> None:
    browser = await house.browser()
    await browser.says("chào")
    house.now += timedelta(days=181)
    async with house.database.write() as session:
        await webchat.tidy(session, house.now)
    assert await browser.status("/api/messages") == 401
    assert await house.bubbles() == []


async def test_one_network_opens_thirty_chats_an_hour(house: House) -> None:
    browser = await house.browser()
    proxied = {"X-Forwarded-For": "198.51.100.7"}

    async def opened(headers: dict[str, str]) -> int:
        browser.client.session.cookie_jar.clear()
        return await browser.status("/api/me", headers=headers)

    assert {await opened(proxied) for _ in range(30)} == {200}
    assert await opened(proxied) == 429
    assert await opened({"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}) == 429
    assert await opened({"X-Forwarded-For": "203.0.113.9"}) == 200
    house.ticks += 3600
    assert await opened(proxied) == 200


async def test_one_ipv6_household_counts_as_one_network(house: House) -> None:
    browser = await house.browser()
    for number in range(31):
        browser.client.session.cookie_jar.clear()
        found = await browser.status("/api/me", headers={"X-Forwarded-For": f"2001:db8:0:1::{number:x}"})
    assert found == 429


# --------------------------------------------------------------------------------------------- whose page it is


async def test_our_own_page_may_post(house: House) -> None:
    browser = await house.browser()
    own = f"http://{browser.client.host}:{browser.client.port}"
    headers = {"Origin": own, "Sec-Fetch-Site": "same-origin"}
    async with browser.post("/api/say", {"text": "a", "key": KEY}, headers) as answer:
        assert answer.status == 200


async def test_every_answer_carries_the_security_headers(house: House) -> None:
    browser = await house.browser()
    pages = "/", "/chat", "/static/chat.js", "/static/chat.css", "/static/icon.svg", "/nowhere"
    for path in (*pages, "/api/me", "/api/messages", "/healthz", "/files/1/0"):
        async with browser.client.get(path) as answer:
            headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "no-referrer", path
        rules = headers["Content-Security-Policy"]
        assert "default-src 'none'" in rules and "script-src 'self'" in rules, path
        assert "frame-ancestors 'none'" in rules and "unsafe" not in rules, path
        assert "aiohttp" not in headers.get("Server", ""), path
        assert headers["Cache-Control"] == ("no-cache" if path.startswith("/static") else "no-store"), path
        assert headers["Content-Type"].endswith("; charset=utf-8"), path
        assert not [name for name in headers if name.startswith("Access-Control-")], path
        assert "Strict-Transport-Security" not in headers, path
        async with browser.client.get(path, headers={"X-Forwarded-Proto": "https"}) as answer:
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000", path
    house.broken = True
    async with browser.post("/api/say", {"text": "bí mật", "key": KEY}) as answer:
        assert answer.status == 500 and "bí mật" not in await answer.text() and "disk" not in await answer.text()
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    house.broken = False
    async with browser.client.get("/api/events") as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


# ------------------------------------------------------------------------------------------------- saying things


async def test_what_is_said_is_stored_with_its_bubble_before_it_is_acknowledged(house: House) -> None:
    browser = await house.browser()
    assert await browser.says("Tôi muốn gửi sáng kiến") == 200
    (raw,) = await house.heard()
    assert raw == {"address": await browser.address(), "text": "Tôi muốn gửi sáng kiến"}
    (shown,) = await browser.sees()
    assert (shown["mine"], shown["text"], shown["key"]) == (True, "Tôi muốn gửi sáng kiến", KEY)
    incoming = house.chat.read(raw, START)
    assert incoming is not None
    assert (incoming.channel, incoming.address, incoming.text) == ("webchat", await browser.address(), raw["text"])


async def test_when_it_cannot_be_stored_nothing_is_acknowledged_and_no_bubble_stays(house: House) -> None:
    browser = await house.browser()
    house.broken = True
    assert await browser.says("chào") == 500
    status, _ = await failing_upload(browser)
    assert status == 500
    assert await house.bubbles() == [] and await house.heard() == [] and house.uploads() == []
    house.broken = False
    assert await browser.says("chào") == 200
    assert len(await house.bubbles()) == 1


async def failing_upload(browser: Browser) -> tuple[int, str]:
    form = aiohttp.FormData({"key": KEY})
    form.add_field("file", b"x", filename="a.jpg", content_type="image/jpeg")
    async with browser.client.post("/api/files", data=form, headers={"X-CSRF": browser.csrf}) as answer:
        return answer.status, await answer.text()


async def test_a_repeated_post_is_harmless(house: House) -> None:
    browser = await house.browser()
    assert [await browser.says("một lần") for _ in range(3)] == [200, 200, 200]
    assert len(await house.heard()) == len(await house.bubbles()) == 1
    photo = ("a.jpg", b"x", "image/jpeg")
    assert [(await browser.attaches(photo, key="another-key"))[0] for _ in range(2)] == [200, 200]
    assert len(await house.heard()) == len(await house.bubbles()) == 2
    assert len(house.uploads()) == 1


async def test_two_people_may_use_the_same_key(house: House) -> None:
    for browser in (await house.browser(), await house.browser()):
        assert await browser.says("chào") == 200
    assert len(await house.heard()) == 2


async def test_the_pages_own_start_has_no_bubble(house: House) -> None:
    browser = await house.browser()
    assert await browser.says("/start u-ABC") == 200
    (raw,) = await house.heard()
    assert raw["text"] == "/start u-ABC"
    (shown,) = await browser.sees()
    assert shown["quiet"] and "text" not in shown


async def test_a_pressed_button_arrives_as_its_data_and_shows_as_its_label(house: House) -> None:
    browser = await house.browser()
    choices = (Choice("Có", key="yes"), Choice("Xem", command="accept", arg="SK-26-0123.7"))
    number = int(await house.say(await browser.address(), "Sao?", choices=choices, screen=7))
    for data, key in (
        ("s:7:yes", "key-number-1"),
        ("c:accept:SK-26-0123.7", "key-number-2"),
        ("s:6:no", "key-number-3"),
    ):
        async with browser.post("/api/press", {"data": data, "message": number, "key": key}) as answer:
            assert answer.status == 200
    assert [raw["choice"] for raw in await house.heard()] == ["s:7:yes", "c:accept:SK-26-0123.7", "s:6:no"]
    shown = [message for message in await browser.sees() if message["mine"]]
    assert [(one.get("text"), one.get("quiet")) for one in shown] == [("Có", None), ("Xem", None), (None, True)]


async def test_another_persons_message_lends_no_label(house: House) -> None:
    browser, other = await house.browser(), await house.browser()
    number = int(await house.say(await other.address(), "Sao?", choices=(Choice("Bí mật", key="yes"),), screen=7))
    async with browser.post("/api/press", {"data": "s:7:yes", "message": number, "key": KEY}) as answer:
        assert answer.status == 200
    assert "Bí mật" not in str(await browser.sees())


@pytest.mark.parametrize(
    "body",
    [
        [],
        "x",
        {},
        {"text": "a"},
        {"text": 1, "key": KEY},
        {"text": "a", "key": "short"},
        {"text": "a", "key": "with space"},
        {"text": "a", "key": "x" * 65},
        {"text": "a", "key": "\u00b2" * 10},
        {"text": "a" * 20_001, "key": KEY},
    ],
)
async def test_a_body_that_is_none_is_refused(house: House, body: Any) -> None:
    browser = await house.browser()
    async with browser.post("/api/say", body) as answer:
        assert answer.status == 400
    assert await house.heard() == []


@pytest.mark.parametrize("message", [None, "1", -1, 1.5, 1 << 60])
async def test_a_press_on_no_message_is_refused(house: House, message: Any) -> None:
    browser = await house.browser()
    async with browser.post("/api/press", {"data": "s:1:a", "message": message, "key": KEY}) as answer:
        assert answer.status == 400


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"not json", "application/json", 400),
        (b"null", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"{}", "application/json; charset=nowhere", 400),
        (b'{"text":"a","key":"0123456789"}', "text/plain", 415),
        (b'{"text":"' + b"a" * 200_000 + b'","key":"0123456789"}', "application/json", 413),
    ],
)
async def test_bytes_that_are_no_json_are_refused(house: House, content: bytes, kind: str, status: int) -> None:
    browser = await house.browser()
    headers = {"X-CSRF": browser.csrf, "Content-Type": kind}
    async with browser.client.post("/api/say", data=content, headers=headers) as answer:
        assert answer.status == status


async def test_unknown_fields_are_ignored(house: House) -> None:
    browser = await house.browser()
    async with browser.post("/api/say", {"text": "a", "key": KEY, "address": "demo-hoa", "files": []}) as answer:
        assert answer.status == 200
    assert await house.heard() == [{"address": await browser.address(), "text": "a"}]


async def test_half_an_emoji_does_not_stop_a_chat(house: House) -> None:
    browser = await house.browser()
    assert await browser.says("a\ud83d") == 200
    assert (await house.heard())[0]["text"] == "a?"


async def test_twenty_posts_a_minute_and_thirty_at_once(house: House) -> None:
    browser, other = await house.browser(), await house.browser()
    assert {await browser.says("a", f"key-number-{number}") for number in range(30)} == {200}
    async with browser.post("/api/say", {"text": "a", "key": "one-too-many"}) as answer:
        assert answer.status == 429
        assert (await answer.json())["error"] == TEXTS["too_fast"]
    assert await other.says("a") == 200
    house.ticks += 3
    assert await browser.says("a", "one-too-many") == 200
    assert await browser.says("a", "and-another-one") == 429


# ---------------------------------------------------------------------------------------------------------- files


async def test_several_files_are_one_album_and_the_caption_goes_with_the_first(house: House) -> None:
    browser = await house.browser()
    files = [
        ("máy.jpg", b"photo", "image/jpeg"),
        ("clip.mp4", b"video", "video/mp4"),
        ("loi.ogg", b"sound", "audio/ogg"),
        ("C:\\fakepath\\bản vẽ.pdf", b"paper", "application/pdf"),
    ]
    assert (await browser.attaches(*files, caption="Máy mới"))[0] == 200
    heard = [house.chat.read(raw, START) for raw in await house.heard()]
    found = [one for one in heard if one is not None]
    assert [one.text for one in found] == ["Máy mới", "", "", ""]
    assert {one.group for one in found} == {KEY}
    assert [(file.kind, file.name, file.size) for one in found for file in one.files] == [
        ("photo", "máy.jpg", 5), ("video", "clip.mp4", 5), ("voice", "loi.ogg", 5), ("document", "bản vẽ.pdf", 5),
    ]  # fmt: skip
    assert [await house.chat.fetch(file.ref) for one in found for file in one.files] == [file[1] for file in files]
    (bubble,) = await browser.sees()
    assert bubble["files"] == [
        ["photo", "máy.jpg"],
        ["video", "clip.mp4"],
        ["voice", "loi.ogg"],
        ["document", "bản vẽ.pdf"],
    ]
    assert not any(path.name in json.dumps(bubble) for path in house.uploads())


async def test_one_file_is_no_album(house: House) -> None:
    browser = await house.browser()
    await browser.attaches(("a.jpg", b"x", "image/jpeg"))
    assert (await house.heard())[0]["group"] == ""


async def test_a_file_that_is_too_big_is_refused_kindly_and_leaves_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saying, "LARGEST_FILE", 1000)
    browser = await house.browser()
    status, told = await browser.attaches(("a.jpg", b"x", "image/jpeg"), ("b.jpg", b"x" * 1001, "image/jpeg"))
    assert (status, told) == (413, {"error": TEXTS["too_big"]})
    assert house.uploads() == [] and await house.heard() == []
    assert (await browser.attaches(("b.jpg", b"x" * 1000, "image/jpeg")))[0] == 200


async def test_the_real_limit_is_twenty_megabytes() -> None:
    assert saying.LARGEST_FILE == 20 * 1024 * 1024


async def test_more_than_ten_files_are_refused_kindly(house: House) -> None:
    browser = await house.browser()
    photo = ("a.jpg", b"x", "image/jpeg")
    assert await browser.attaches(*[photo] * 11) == (400, {"error": TEXTS["too_many"]})
    assert house.uploads() == []
    assert (await browser.attaches(*[photo] * 10))[0] == 200


async def test_a_post_without_files_is_told_so(house: House) -> None:
    browser = await house.browser()
    form = aiohttp.FormData({"key": KEY, "caption": "a"}, default_to_multipart=True)
    async with browser.client.post("/api/files", data=form, headers={"X-CSRF": browser.csrf}) as answer:
        assert (answer.status, await answer.json()) == (400, {"error": TEXTS["no_file"]})


async def test_two_hundred_megabytes_a_day_are_enough(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BYTES_A_DAY", 5000)
    browser = await house.browser()
    photo = ("a.jpg", b"x" * 3000, "image/jpeg")
    assert (await browser.attaches(photo, key="key-number-1"))[0] == 200
    assert await browser.attaches(photo, key="key-number-2") == (413, {"error": TEXTS["too_much"]})
    house.ticks += 86400
    assert (await browser.attaches(photo, key="key-number-2"))[0] == 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"--b\r\n\r\n",
        b"--b\r\nContent-Disposition: form-data; name=key\r\n\r\n" + b"x" * 90_000 + b"\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nabc",
        b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--\r\n",
        b"--b\r\nno header at all\r\n\r\nabc\r\n--b--\r\n",
    ],
)
async def test_a_form_that_is_none_is_refused_and_leaves_nothing(house: House, content: bytes) -> None:
    browser = await house.browser()
    headers = {"X-CSRF": browser.csrf, "Content-Type": "multipart/form-data; boundary=b"}
    async with browser.client.post("/api/files", data=content, headers=headers) as answer:
        assert answer.status == 400
    assert house.uploads() == [] and await house.heard() == []


async def test_a_file_name_in_no_encoding_does_not_stop_an_upload(house: House) -> None:
    browser = await house.browser()
    content = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="\xff\xfe.jpg"\r\n\r\nabc\r\n'
        b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\n' + KEY.encode() + b"\r\n--b--\r\n"
    )
    headers = {"X-CSRF": browser.csrf, "Content-Type": "multipart/form-data; boundary=b"}
    async with browser.client.post("/api/files", data=content, headers=headers) as answer:
        assert answer.status == 200
    assert len(await browser.sees()) == 1


async def test_uploads_lie_under_names_nobody_chose_and_go_when_they_are_old(house: House) -> None:
    browser = await house.browser()
    await browser.attaches(("../../evil.sh", b"x", "image/jpeg"), ("b.jpg", b"y", "image/jpeg"))
    old, new = house.uploads()
    assert all(len(path.name) == 32 for path in (old, new))
    assert not list(house.data.rglob("evil*"))
    past = time.time() - KEEP_UPLOADS - 60
    os.utime(old, (past, past))
    async with house.database.write() as session:
        await session.execute(update(InboxRow).values(state=InboxState.NEW))
    await house.chat.sweep()
    assert house.uploads() == [old, new]  # after days of being down: what came in before is still to be read
    async with house.database.write() as session:
        await session.execute(update(InboxRow).values(state=InboxState.DONE))
        sender = Person(joined_at=START, seen_at=START, muted_topics=[])
        session.add(sender)
        await session.flush()
        waits = Attachment(
            person_id=sender.id, channel="webchat", kind="photo", ref=old.name, unique_ref=old.name, name="", size=1,
            next_at=START, created_at=START,
        )  # fmt: skip
        session.add(waits)
    await house.chat.sweep()
    assert house.uploads() == [old, new]
    async with house.database.write() as session:
        await attachments.cleaned(session, waits.id, "photo", "a.jpg")
    await house.chat.sweep()
    assert house.uploads() == [new]
    house.chat.drop(["../test.db", new.name])
    assert house.uploads() == []
    with pytest.raises(Rejected):
        await house.chat.fetch(old.name)
    for ref in ("../test.db", "..", "", "a" * 32 + "/../../test.db"):
        with pytest.raises(Rejected):
            await house.chat.fetch(ref)


async def test_an_upload_outlives_a_power_cut_before_it_is_acknowledged(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await house.browser()
    store, left = inbox.store, []

    async def noted(*values: Any) -> int:
        left.append({name: data for name, data in folder.left().items() if name.startswith("uploads/")})
        return await store(*values)

    monkeypatch.setattr(inbox, "store", noted)
    with watched(house.data) as folder:
        await browser.attaches(("a.jpg", b"a photo", "image/jpeg"), ("b.pdf", b"a paper", "application/pdf"))
    assert left == [{f"uploads/{file.name}": file.read_bytes() for file in house.uploads()}] and len(left[0]) == 2


async def test_photos_are_shown_and_everything_else_is_only_downloaded(house: House) -> None:
    browser = await house.browser()
    (house.chat.files / "p.jpg").write_bytes(b"photo")
    (house.chat.files / "d.pdf").write_bytes(b"<script>")
    media = (Media("photo", "p.jpg", "Áp phích"), Media("document", "d.pdf", 'Báo "cáo"\r\n.pdf'))
    await house.say(await browser.address(), "Đây ạ", media=media)
    (message,) = await browser.sees()
    photo, paper = message["media"]
    async with browser.client.get("/" + photo["url"]) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/jpeg", b"photo")
        assert answer.headers["Content-Security-Policy"] == reading.SANDBOX
    async with browser.client.get("/" + paper["url"]) as answer:
        assert (answer.status, answer.content_type) == (200, "application/octet-stream")
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert "B%C3%A1o%20%22c%C3%A1o%22" in answer.headers["Content-Disposition"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_another_persons_file_looks_like_none(house: House) -> None:
    browser, other = await house.browser(), await house.browser()
    (house.chat.files / "p.jpg").write_bytes(b"photo")
    number = await house.say(await other.address(), "Của chị", media=(Media("photo", "p.jpg", ""),))
    assert await other.status(f"/files/{number}/0") == 200
    assert await browser.status(f"/files/{number}/0") == 404
    assert await browser.sees() == []


async def test_ones_own_uploads_are_not_served(house: House) -> None:
    browser = await house.browser()
    await browser.attaches(("a.html", b"<script>", "text/html"))
    (message,) = await browser.sees()
    assert await browser.status(f"/files/{message['id']}/0") == 404


@pytest.mark.parametrize("file", ["../test.db", "/etc/passwd", "../uploads/x", "missing.jpg", ".."])
async def test_a_message_cannot_name_a_file_outside_its_folder(house: House, file: str) -> None:
    browser = await house.browser()
    number = await house.say(await browser.address(), "a", media=(Media("photo", file, ""),))
    assert await browser.status(f"/files/{number}/0") == 404


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/..%2fserver.py",
        "/static//etc/passwd",
        "/static/",
        "/files/..%2f..%2ftest.db/0",
        "/files/\u00b2/0",
        "/files/99999999999999999999/0",
        "/files/1/9999",
        "/uploads/x",
    ],
)
async def test_no_path_leads_outside(house: House, path: str) -> None:
    browser = await house.browser()
    async with browser.client.session.get(f"http://{browser.client.host}:{browser.client.port}{path}") as answer:
        assert answer.status in (403, 404)


# ------------------------------------------------------------------------------------------------------- reading


async def test_buttons_come_laid_out_in_rows(house: House) -> None:
    browser = await house.browser()
    choices = (Choice("Có", key="y"), Choice("Không", key="n"), Choice("Để tôi nghĩ thêm đã nhé", key="later"))
    await house.say(await browser.address(), "Đồng ý không ạ?", choices=choices, screen=3)
    (message,) = await browser.sees()
    assert [[button["data"] for button in row] for row in message["rows"]] == [["s:3:y", "s:3:n"], ["s:3:later"]]


async def test_an_edit_replaces_the_message_and_is_news(house: House) -> None:
    browser = await house.browser()
    address = await browser.address()
    number = await house.say(address, "0 %")
    await house.say(address, "khác")
    seen = (await browser.sees())[-1]["change"]
    assert await house.say(address, "100 %", number) == number
    (news,) = await browser.sees(str(seen))
    assert (news["id"], news["text"]) == (int(number), "100 %")
    assert [one["text"] for one in sorted(await browser.sees(), key=lambda one: one["id"])] == ["100 %", "khác"]


async def test_a_press_that_changed_its_own_message_leaves_no_bubble_another_keeps_its(house: House) -> None:
    browser = await house.browser()
    address = await browser.address()
    number = int(await house.say(address, "chọn", choices=(Choice("Lê", "pear"), Choice("Xong", "done")), screen=1))
    async with browser.post("/api/press", {"data": "s:1:pear", "message": number, "key": KEY}) as answer:
        assert answer.status == 200
    await house.say(
        address, "chọn ✅", str(number), choices=(Choice("✅ Lê", "pear"), Choice("Xong", "done")), screen=1
    )
    async with browser.post("/api/press", {"data": "s:1:done", "message": number, "key": KEY[::-1]}) as answer:
        assert answer.status == 200
    await house.say(address, "xong ạ")
    await house.say(address, "chọn ✅✅", str(number))
    seen = sorted(await browser.sees(), key=lambda one: one["id"])
    assert [one["text"] for one in seen if not one.get("quiet")] == ["chọn ✅✅", "Xong", "xong ạ"]


async def test_an_edit_of_what_is_gone_or_anothers_is_said(house: House) -> None:
    browser, other = await house.browser(), await house.browser()
    number = await house.say(await other.address(), "của chị")
    for edits in (number, "999"):
        with pytest.raises(EditGone):
            await house.say(await browser.address(), "sửa", edits)


@pytest.mark.parametrize("after", ["-1", "x", "\u00b2", "9" * 40, "1e3"])
async def test_nonsense_instead_of_a_change_number_is_the_beginning(house: House, after: str) -> None:
    browser = await house.browser()
    await house.say(await browser.address(), "chào")
    assert len(await browser.sees(after)) == 1


async def test_a_chat_opens_with_its_last_two_hundred_messages(house: House) -> None:
    browser = await house.browser()
    address = await browser.address()
    async with house.database.write() as session:
        for number in range(203):
            await webchat.add(session, address, {"text": str(number)}, START, mine=True)
    found = [message["text"] for message in await browser.sees()]
    assert (len(found), found[0], found[-1]) == (200, "3", "202")


async def test_a_chat_does_not_tell_how_much_others_talk(house: House) -> None:
    browser, other = await house.browser(), await house.browser()
    for _ in range(5):
        await house.say(await other.address(), "a")
    await house.say(await browser.address(), "b")
    assert [message["change"] for message in await browser.sees()] == [1]


# ------------------------------------------------------------------------------------------------------- streams


async def test_a_stream_tells_what_happens_as_it_happens(house: House) -> None:
    browser = await house.browser()
    address = await browser.address()
    async with browser.client.get("/api/events") as answer:
        assert answer.content_type == "text/event-stream"
        await lines(answer, ": hello")
        number = await house.say(address, "Chào\nanh/chị")
        found = await lines(answer, "data:")
        assert "id: 1" in found
        assert json.loads(found[-1].removeprefix("data: "))["text"] == "Chào\nanh/chị"
        await house.say(address, "đã sửa", number)
        assert json.loads((await lines(answer, "data:"))[-1].removeprefix("data: "))["id"] == int(number)
        await browser.says("vâng")
        assert json.loads((await lines(answer, "data:"))[-1].removeprefix("data: "))["mine"]


@pytest.mark.parametrize("how", ["header", "query"])
async def test_a_stream_resumes_where_it_broke(house: House, how: str) -> None:
    browser = await house.browser()
    address = await browser.address()
    for text in ("một", "hai", "ba"):
        await house.say(address, text)
    headers = {"Last-Event-ID": "2"} if how == "header" else {}
    async with browser.client.get("/api/events" + ("?after=2" if how == "query" else ""), headers=headers) as answer:
        found = await lines(answer, "data:")
    assert found[-2] == "id: 3" and "ba" in found[-1]
    assert not any("hai" in line for line in found)


async def test_a_chat_has_only_so_many_streams_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_STREAMS", 2)
    browser = await house.browser()
    async with browser.client.get("/api/events") as first, browser.client.get("/api/events") as second:
        await lines(first, "hello")
        await lines(second, "hello")
        assert await browser.status("/api/events") == 429
        other = await house.browser()
        async with other.client.get("/api/events") as theirs:
            assert theirs.status == 200


async def test_a_stream_tells_only_ones_own(house: House) -> None:
    browser, other = await house.browser(), await house.browser()
    async with browser.client.get("/api/events") as answer:
        await lines(answer, ": hello")
        await house.say(await other.address(), "riêng của chị")
        await house.say(await browser.address(), "của tôi")
        found = await lines(answer, "data:")
    assert "của tôi" in found[-1] and not any("riêng" in line for line in found)


async def test_a_stream_says_when_everything_was_erased_and_goes_on(house: House) -> None:
    browser = await house.browser()
    address = await browser.address()
    for text in ("một", "hai", "ba"):
        await house.say(address, text)
    async with browser.client.get("/api/events?after=3") as answer:
        await lines(answer, ": hello")
        async with house.database.write() as session:
            for row in (await session.execute(select(WebMessage))).scalars():
                await session.delete(row)
        await house.say(address, "Đã xóa hết ạ")
        found = await lines(answer, "xóa hết")
    assert "event: reset" in found


async def test_a_silent_stream_shows_that_it_lives(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "HEARTBEAT", 0.001)
    browser = await house.browser()
    async with browser.client.get("/api/events") as answer:
        await lines(answer, "event: beat")


async def test_stopping_ends_open_streams(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        server = house.server
        assert server is not None
        await server.start()
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            async with session.get(server.address + "api/me") as answer:
                assert answer.status == 200
            async with session.get(server.address + "api/events") as answer:
                await lines(answer, ": hello")
                await asyncio.wait_for(server.stop(), 30)
                assert b"".join([line async for line in answer.content]).strip() == b""
    assert house.chat._listeners == {}


@pytest.mark.parametrize(
    "request_of_nobody",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nCookie: secret=%s\r\n\r\n" % (b"x" * 9000),
        b"GET /secret%s HTTP/1.1\r\nHost: a\r\n\r\n" % (b"x" * 9000),
        b"GET / HTTP/1.1\r\nHost: a\r\nsecret header: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: secret\r\n\r\n",
        b"\x16\x03\x01secret\r\n\r\n",
    ],
)
async def test_what_is_no_proper_http_is_refused_and_nothing_of_it_reaches_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, request_of_nobody: bytes
) -> None:
    async with open_house(tmp_path) as house:
        server = house.server
        assert server is not None
        await server.start()
        host, _, port = server.address.removeprefix("http://").rstrip("/").partition(":")
        said, heard = await asyncio.open_connection(host, int(port))
        heard.write(request_of_nobody)
        assert (await said.read()).startswith(b"HTTP/1.0 400 ")
        heard.close()
        await server.stop()
    assert "secret" not in caplog.text and not caplog.records


async def test_a_line_that_breaks_in_the_middle_of_a_photo_leaves_neither_file_nor_alarm(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_house(tmp_path) as house:
        begun, dropped = asyncio.Event(), asyncio.Event()
        new_upload, drop = house.chat.new_upload, house.chat.drop
        monkeypatch.setattr(house.chat, "new_upload", lambda: (begun.set(), new_upload())[1])
        monkeypatch.setattr(house.chat, "drop", lambda refs: (drop(refs), dropped.set())[0])
        browser = await house.browser()
        server = house.server
        assert server is not None
        await server.start()
        host, _, port = server.address.removeprefix("http://").rstrip("/").partition(":")
        _, heard = await asyncio.open_connection(host, int(port))
        head = (
            f"POST /api/files HTTP/1.1\r\nHost: {host}\r\nCookie: {guard.COOKIE}={browser.token}\r\nX-CSRF: {browser.csrf}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 90000\r\n\r\n"
            '--x\r\nContent-Disposition: form-data; name="file"; filename="truoc.jpg"\r\n\r\n'
        )
        heard.write(head.encode() + b"a" * 40_000)
        await begun.wait()
        heard.transport.abort()
        await dropped.wait()
        assert not house.uploads()
        await server.stop()
    assert not caplog.records


# ------------------------------------------------------------------------------------------------------- the rest


async def test_health_is_told_without_secrets(house: House) -> None:
    browser = await house.browser()
    assert await browser.status("/healthz") == 200
    house.healthy = False
    assert await browser.status("/healthz") == 503


async def test_a_short_link_starts_with_its_code(house: House) -> None:
    browser = await house.browser()
    for path, location in (("/u/MAYHOA", "/?start=u-MAYHOA"), ("/u/%0d%0aX%22%3c", "/?start=u-X")):
        async with browser.client.get(path, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, location)


async def test_the_page_weighs_less_than_100_kb_and_has_nothing_inline() -> None:
    assert sum(path.stat().st_size for path in STATIC.iterdir()) < 100_000
    for page in STATIC.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert '<html lang="vi">' in text
        assert "style=" not in text and "<style" not in text and " on" not in text.replace("\n", " ").split("<body")[1]
        assert text.count("<script") == text.count("<script src=")
    for script in STATIC.glob("*.js"):
        assert "innerHTML" not in script.read_text(encoding="utf-8")


async def test_every_word_the_page_asks_for_exists_and_every_word_is_asked_for() -> None:
    import re

    sources = "".join(path.read_text(encoding="utf-8") for path in STATIC.glob("*.js"))
    sources += "".join(path.read_text(encoding="utf-8") for path in (STATIC.parent).glob("*.py"))
    asked = set(re.findall(r"texts\.([a-z_]+)", sources)) - {"get"}
    assert asked <= set(TEXTS), asked - set(TEXTS)
    assert not {key for key in TEXTS if not re.search(rf"(texts\.|[\"']){key}\b", sources)}


# ---------------------------------------------------------------------------------------------------------- demo


async def test_outside_the_demo_nobody_is_somebody_else(house: House) -> None:
    browser = await house.browser()
    await house.say("demo-hoa", "riêng của Hoa")
    for path in ("/demo/people", "/demo/clock"):
        assert await browser.status(path) == 404
    async with browser.post("/demo/clock", {"to": "2025-07-28T07:00:00+07:00"}) as answer:
        assert answer.status == 404
    async with browser.client.get("/api/messages?as=hoa") as answer:
        assert await answer.json() == []
    browser.query = "?as=hoa"
    assert await browser.says("tôi là Hoa") == 200
    assert (await house.heard())[0]["address"] == await browser.address()
    browser.client.session.cookie_jar.clear()
    assert await browser.status("/api/messages?as=hoa") == 401
    assert not (await browser.opens())["demo"]


async def test_in_the_demo_one_may_be_anybody_it_names(demo: House) -> None:
    browser = await demo.browser()
    await demo.say("demo-hoa", "chào chị Hoa")
    async with browser.client.get("/api/messages?as=hoa") as answer:
        assert [message["text"] for message in await answer.json()] == ["chào chị Hoa"]
    assert await browser.status("/api/messages?as=ai-do") == 404
    own = browser.csrf
    browser.query = "?as=hoa"
    assert await browser.says("vâng") == 403
    assert (await browser.opens())["demo"] and browser.csrf != own
    assert await browser.says("vâng") == 200
    assert (await demo.heard())[0]["address"] == "demo-hoa"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "[::1].evil.example",
        "localhost:1@evil.example",
        "",
    ],
)
async def test_the_demo_answers_under_this_machines_own_name_only(demo: House, host: str) -> None:
    browser = await demo.browser()
    for path in ("/", "/api/me?as=hoa", "/demo/people", "/static/chat.js"):
        assert await browser.status(path, headers={"Host": host}) in (400, 421)
    for name in ("localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080"):
        assert await browser.status("/demo/people", headers={"Host": name}) == 200


async def test_the_demos_clock_moves_for_its_own_page_only(demo: House) -> None:
    browser = await demo.browser()
    target = {"to": "2025-07-28T07:00:00+07:00"}
    async with browser.post("/demo/clock", target) as answer:
        assert answer.status == 403
    browser.query = "?as=hoa"
    await browser.opens()
    browser.query = ""
    async with browser.post("/demo/clock", target, {"Origin": "https://evil.example"}) as answer:
        assert answer.status == 403
    for wrong in ("", "morgen", "2025-07-28T07:00:00", "9999-01-01T00:00:00+07:00", 5):
        async with browser.post("/demo/clock", {"to": wrong}) as answer:
            assert answer.status == 400
    assert demo.demo is not None and demo.demo.at == START
    async with browser.post("/demo/clock", target) as answer:
        assert (await answer.json())["now"] == "2025-07-28T07:00:00+07:00"
    async with browser.client.get("/demo/people") as answer:
        assert len(await answer.json()) == 2


async def test_the_demo_frames_its_own_phones_and_nobody_else_does(demo: House) -> None:
    browser = await demo.browser()
    async with browser.client.get("/") as answer:
        rules = answer.headers["Content-Security-Policy"]
        assert "frame-src 'self'" in rules and "frame-ancestors 'self'" in rules
        assert "demo.js" in await answer.text()
    for path in ("/chat", "/?start=u-MAYHOA"):
        async with browser.client.get(path) as answer:
            assert "chat.js" in await answer.text()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "localhost", "192.0.2.1"])
async def test_the_demo_does_not_leave_this_machine(house: House, host: str) -> None:
    settings = Settings.model_construct(web_host=host, web_port=0)
    with pytest.raises(ValueError, match=r"127\.0\.0\.1"):
        WebServer(house.chat, house.store, settings, texts=TEXTS, red=list, demo=TwoPeople())


async def test_the_inbox_commits_what_is_said_and_its_bubble_together(house: House) -> None:
    from bot.inbox import Inbox

    real = Inbox(house.database, None, {}, now=lambda: house.now, sleep=asyncio.sleep, said=print)  # type: ignore[arg-type]
    arrivals = [Arrival("1", "d", "lane", "{}")]

    async def also(session: Session) -> None:
        await webchat.add(session, "w-1", {"text": "a"}, START, mine=True)

    async def fails(session: Session) -> None:
        await also(session)
        raise OSError("the disk is full")

    with pytest.raises(OSError):
        await real.store("webchat", "web", arrivals, fails)
    assert await house.bubbles() == [] and await house.heard() == []
    assert [await real.store("webchat", "web", arrivals, also) for _ in range(2)] == [1, 0]
    assert len(await house.bubbles()) == 1


async def test_what_somebody_said_at_a_door_is_read_again_for_their_copy(tmp_path: Path) -> None:
    app = await build_app(Settings.model_construct(data_dir=tmp_path), Clock())
    told = {"address": "w-1", "text": "ảnh đây", "choice": "", "group": "", "files": [["photo", "9f", "a.jpg", 812]]}
    assert app._read("webchat", json.dumps(told)) == Said("ảnh đây", "", ("a.jpg",))
    assert app._read("webchat", json.dumps({"address": "w-1", "choice": "s:28:export"})) == Said("", "s:28:export")
    assert app._read("telegram", "{}") is None  # a door that no longer stands
    assert app._read("webchat", "{}") is None
    await app.stop()
