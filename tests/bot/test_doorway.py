"""The web server's door: how many fit in, who stands there in silence, and that only what a visitor may say gets in (T10)."""

from __future__ import annotations

import asyncio
import json
import random
import resource
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from bot.web import doorway, guard
from bot.web.doorway import OTHERS, most_connections
from tests.bot.test_webchat import House, open_house
from tests.prove import cases, note
from tests.test_kill import ask
from tests.test_kill import house as real_house

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]
SLOW = 200
"""Clients at once that never finish what they ask."""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made
        assert made.server is not None
        await made.server.stop()


async def opened(house: House, most: int, silent: float = 60.0) -> tuple[str, int]:
    """The server, really listening, with so much room: its address and port."""
    assert house.server is not None
    house.server._doorway.most, house.server._doorway._silent = most, silent
    await house.server.start()
    return house.server.address, int(house.server.address.rpartition(":")[2].strip("/"))


class Callers:
    """Connections to the server, all closed at the end."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    async def come(self, port: int, says: bytes = b"") -> Line:
        line = await asyncio.open_connection("127.0.0.1", port)
        self.lines.append(line)
        line[1].write(says)
        return line


@pytest.fixture
async def callers() -> AsyncIterator[Callers]:
    made = Callers()
    yield made
    for _, writer in made.lines:
        writer.close()
    for _, writer in made.lines:
        with suppress(OSError):
            await writer.wait_closed()


async def is_shut_out(line: Line) -> bool:
    """Waits until the server ends a connection without a word."""
    try:
        return await asyncio.wait_for(line[0].read(), 30) == b""
    except ConnectionResetError:
        return True


async def test_who_does_not_fit_in_is_shut_out_at_once_and_the_others_are_answered(
    house: House, callers: Callers
) -> None:
    address, port = await opened(house, 6)
    inside = [await callers.come(port) for _ in range(6)]
    assert await is_shut_out(await callers.come(port))
    inside.pop()[1].close()
    async with aiohttp.ClientSession() as session:
        for _ in range(100):  # until the server has seen that somebody left
            try:
                async with session.get(f"{address}healthz") as answer:
                    assert answer.status == 200
                    break
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)
        else:
            pytest.fail("nobody was let in again")


async def test_who_asks_for_nothing_is_shown_out_and_who_asked_stays(
    house: House, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "GLANCE", 0.05)
    _, port = await opened(house, 100, silent=0.2)
    asked = await callers.come(port, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await asked[0].readline()).startswith(b"HTTP/1.1 200")
    for says in (b"", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: "):
        assert await is_shut_out(await callers.come(port, says))
    asked[1].write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    while b"HTTP/1.1 200" not in await asyncio.wait_for(asked[0].readline(), 30):
        pass
    assert not house.server._doorway._strangers  # type: ignore[union-attr]


async def test_what_never_comes_whole_is_given_up_and_kept_nowhere(
    house: House, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.saying.SLOWEST", 0.2)
    monkeypatch.setattr("bot.web.saying.SLOWEST_FORM", 0.2)
    address, port = await opened(house, 100)
    async with visitor(address) as (session, csrf):
        cookie = session.cookie_jar.filter_cookies(aiohttp.client.URL(address))[guard.COOKIE].value
        for path, kind, begins in (
            ("say", "application/json", b'{"text": "nua'),
            (
                "files",
                "multipart/form-data; boundary=b",
                b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nnua',
            ),
        ):
            head = (
                f"POST /api/{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {guard.COOKIE}={cookie}\r\nX-CSRF: {csrf}\r\n"
                f"Content-Type: {kind}\r\nContent-Length: 4000\r\n\r\n"
            )
            reader, _ = await callers.come(port, head.encode() + begins)
            assert (await asyncio.wait_for(reader.readline(), 30)).startswith(b"HTTP/1.1 408"), path
    assert not await house.heard() and not house.uploads()


async def test_a_page_for_whose_stream_there_is_no_room_is_told_so_and_still_learns_what_was_said(house: House) -> None:
    address, _ = await opened(house, 100)
    house.server._reading._most_streams = 1  # type: ignore[union-attr]
    async with AsyncExitStack() as stack:
        first, _ = await stack.enter_async_context(visitor(address))
        second, _ = await stack.enter_async_context(visitor(address))
        stream = await stack.enter_async_context(first.get("/api/events"))
        assert stream.status == 200
        refused = await stack.enter_async_context(second.get("/api/events"))
        assert refused.status == 503 and refused.headers["Retry-After"] == "30"
        asked = await stack.enter_async_context(second.get("/api/messages"))
        assert asked.status == 200
        stream.close()


def test_as_many_fit_in_as_the_system_lets_us_open_files_less_what_the_house_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allowed, wanted = (1024, 4096), list[tuple[int, int]]()
    monkeypatch.setattr(resource, "getrlimit", lambda _: allowed)
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: wanted.append(limits))
    assert most_connections() == 4096 - OTHERS and wanted == [(4096, 4096)]
    allowed = (400, 400)
    assert most_connections() == 400 - OTHERS and len(wanted) == 1
    allowed = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    assert most_connections() == doorway.ENOUGH and len(wanted) == 1


@asynccontextmanager
async def visitor(address: str) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """A browser with a session, and its page's token."""
    async with aiohttp.ClientSession(address, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get("/api/me") as answer:
            csrf = (await answer.json())["csrf"]
        yield session, csrf


@pytest.mark.sqlite
@pytest.mark.timeout(120)
async def test_a_crowd_at_the_web_door_keeps_nobody_on_telegram_waiting(tmp_path: Path, callers: Callers) -> None:
    """The real process, which may open few files: silent connections took the last of them, and no reply could leave."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    files = OTHERS + 40
    async with real_house(tmp_path, 1, 1) as (fake, bot, path, _):
        bot._env |= {"CONGDOAN_WEBCHAT": "true", "CONGDOAN_WEB_PORT": str(port)}
        await bot.start()
        resource.prlimit(bot.pid, resource.RLIMIT_NOFILE, (files, files))
        await bot.ready()
        crowd = [await callers.come(port) for _ in range(files)]
        assert await is_shut_out(crowd[-1])
        await fake.act(1001, "says", text="/menu")
        said = "SELECT count(*) FROM outbox WHERE address = '1001' AND lane = 0 AND state = 'sent'"
        while not ask(path, said)[0][0]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


FORGERIES = ("stranger", "planted", "token", "elsewhere", "huge", "kind", "nonsense", "method")


async def forged(session: aiohttp.ClientSession, csrf: str, way: str, key: str) -> int:
    """A request that must not get in, in one of the ways; its status."""
    headers = {"X-CSRF": csrf, "Content-Type": "application/json"}
    body = json.dumps({"text": "trộm", "key": key}).encode()
    method, cookies = "POST", dict[str, str]()
    if way == "planted":
        cookies = {guard.COOKIE: "A" * 43}
    elif way == "token":
        headers["X-CSRF"] = csrf[::-1]
    elif way == "elsewhere":
        headers["Origin"] = "https://evil.example"
    elif way == "huge":
        body = json.dumps({"text": "trộm" * 60_000, "key": key}).encode()
    elif way == "kind":
        headers["Content-Type"] = "text/plain"
    elif way == "nonsense":
        body = body[:-5]
    elif way == "method":
        method = "PUT"
    if way in ("stranger", "planted"):
        async with (
            aiohttp.ClientSession(session._base_url, cookies=cookies) as other,
            other.request(method, "/api/say", data=body, headers=headers) as answer,
        ):
            return answer.status
    async with session.request(method, "/api/say", data=body, headers=headers) as answer:
        return answer.status


async def says(session: aiohttp.ClientSession, csrf: str, key: str) -> int:
    async with session.post("/api/say", json={"text": key, "key": key}, headers={"X-CSRF": csrf}) as answer:
        return answer.status


@pytest.mark.timeout(3600)
async def test_what_gets_a_200_is_stored_once_and_nothing_else_is_whoever_crowds_the_door(
    house: House, callers: Callers
) -> None:
    """T10: three honest people, one who floods, forgeries of every way, and slow clients who never finish."""
    address, port = await opened(house, 1000)
    rounds = cases(4)
    rng, statuses, taken = random.Random(rounds.start), Counter[int](), set[str]()
    slow: list[Line] = []
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(visitor(address)) for _ in range(4)]
        begins = (
            b"",
            b"POST /api/say HTTP/1.1\r\nHost: a\r\n",
            b"POST /api/say HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\r\n{",
        )
        for number in rounds:
            house.ticks += 120
            while len(slow) < min(SLOW, 50 * (number - rounds.start + 1)):
                slow.append(await callers.come(port, rng.choice(begins)))
            posts = [(*people[n % 3], f"honest-{number}-{n}") for n in range(30)]
            posts += [(*people[3], f"flood-{number}-{n}") for n in range(40)]
            rng.shuffle(posts)
            tries = [forged(*rng.choice(people[:3]), rng.choice(FORGERIES), f"forged-{number}-{n}") for n in range(30)]
            found = await asyncio.gather(*(says(*post) for post in posts), *tries)
            for (_, _, key), status in zip(posts, found, strict=False):
                statuses[status] += 1
                if status == 200:
                    taken.add(key)
                assert status == 200 or (status == 429 and key.startswith("flood")), (key, status)
            assert all(400 <= status < 500 for status in found[len(posts) :]), found[len(posts) :]
    heard = Counter(raw["text"] for raw in await house.heard())
    assert set(heard) == taken and set(heard.values()) == {1}
    assert Counter(row.payload["text"] for row in await house.bubbles()) == heard
    assert statuses[429]
    note(posts=sum(statuses.values()), taken=len(taken), forged=30 * len(rounds), slow_clients_at_most=len(slow))
