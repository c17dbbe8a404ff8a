"""T16: whatever the network does, each failure is what it is, and polling goes on within a minute of its end.

The door polls, sends and fetches through a wire that misbehaves before a fake Bot API that does not, on a clock that
jumps to the next timer whenever no socket has anything to say.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import socket
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest

from bot.channels.telegram import Telegram
from bot.channels.telegram.request import MOST
from content.message import Message
from db.inbox import Arrival
from db.models import Lane
from scheduler.delivery import Ambiguous, ChannelDown, RecipientGone, Rejected, RetryLater, SendError
from tests.fakes.botapi import TOKEN, FakeBotApi
from tests.prove import cases, note

CHAT = 42
HOST = "api.telegram.example"
HEALED = 60.0
"""Seconds after which a network that is well again must have been noticed."""

T = TypeVar("T")


# ---------------------------------------------------------------------------------------------------- the clock


class Hurried(asyncio.SelectorEventLoop):
    """Sockets are real, time is not: where nothing comes from a socket, the next timer is due at once.

    All that talk are in this process and on the loopback, so what was written can be read the moment after.
    """

    QUIET = 0.005

    def __init__(self) -> None:
        self.ahead = 0.0
        self.names = True
        """Whether names can be resolved."""
        self._sockets = selectors.DefaultSelector()
        self._look = self._sockets.select
        self._sockets.select = self._select  # type: ignore[method-assign]
        super().__init__(self._sockets)

    def time(self) -> float:
        return super().time() + self.ahead

    def _select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = self._look(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        began = time.monotonic()
        found = self._look(30 if timeout is None else min(timeout, self.QUIET))
        assert found or timeout is not None, "everybody waits for somebody else"
        if not found and timeout is not None:
            self.ahead += max(0.0, timeout - (time.monotonic() - began))
        return found

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> Any:  # type: ignore[override]
        if host == HOST and not self.names:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


def hurried(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    with asyncio.Runner(loop_factory=Hurried) as runner:
        return runner.run(main())


# ---------------------------------------------------------------------------------------------------- the wire

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
Act = Callable[["Wire", Writer, bytes], Awaitable[None]]


class Wire:
    """Between the door and the platform: relays each request, unless something is the matter."""

    def __init__(self, fake: FakeBotApi) -> None:
        self.fake = fake
        self.trouble: Trouble | None = None
        self.where = b""
        """How a request begins that meets it."""
        self.met = 0
        """How often the trouble was met."""
        self.struck = asyncio.Event()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._busy: set[asyncio.Task[None]] = set()

    async def listens(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def closes(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def ends(self) -> None:
        await self.closes()
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def falls_ill(self, trouble: Trouble) -> None:
        self.trouble, self.met = trouble, 0
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Hurried)
        loop.names = not trouble.nameless
        if trouble.closed:
            await self.closes()
        elif self._server is None:
            await self.listens()

    async def heals(self) -> None:
        """New requests go through; what hangs, hangs on."""
        self.trouble = None
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Hurried)
        loop.names = True
        if self._server is None:
            await self.listens()

    async def _connected(self, reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        try:
            request = await _request(reader)
            if self.trouble is not None and self.trouble.act is not None and request.startswith(self.where):
                self.met += 1
                self.struck.set()
                await self.trouble.act(self, writer, request)
            elif request:
                writer.write(await self.answer(request))
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            self._busy.discard(task)
            writer.close()

    async def answer(self, request: bytes) -> bytes:
        """What the platform says to it, whole."""
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.fake.url.rpartition(":")[2]))
        try:
            writer.write(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            return await reader.read()
        finally:
            writer.close()


async def _request(reader: Reader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head + await reader.readexactly(int(length[0].split(b":")[1]) if length else 0)


# ---------------------------------------------------------------------------------------------------- the troubles


def page(status: str, body: bytes, kind: str = "text/html", more: str = "") -> Act:
    """Somebody answers in the platform's place."""
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n"
    )

    async def act(wire: Wire, writer: Writer, request: bytes) -> None:
        writer.write(head.encode() + body)
        await writer.drain()

    return act


def api(code: int, description: str) -> Act:
    said = json.dumps({"ok": False, "error_code": code, "description": description})
    return page(f"{code} x", said.encode(), "application/json")


def raw(*pieces: bytes, every: float = 0.0, endless: bool = False) -> Act:
    """Bytes as they are; `endless` repeats the last piece for ever, one each `every` seconds."""

    async def act(wire: Wire, writer: Writer, request: bytes) -> None:
        for piece in pieces:
            writer.write(piece)
        while endless and not writer.is_closing():
            await writer.drain()
            await asyncio.sleep(every)
            writer.write(pieces[-1])
        await writer.drain()

    return act


async def resets(wire: Wire, writer: Writer, request: bytes) -> None:
    plug = writer.get_extra_info("socket")
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    writer.transport.abort()


async def hangs(wire: Wire, writer: Writer, request: bytes) -> None:
    await asyncio.get_running_loop().create_future()


async def hangs_up(wire: Wire, writer: Writer, request: bytes) -> None:
    """The connection ends without a word."""


def late(seconds: float) -> Act:
    async def act(wire: Wire, writer: Writer, request: bytes) -> None:
        await asyncio.sleep(seconds)
        writer.write(await wire.answer(request))
        await writer.drain()

    return act


def cut(share: float) -> Act:
    """The platform does it, but only a part of its answer gets through."""

    async def act(wire: Wire, writer: Writer, request: bytes) -> None:
        answer = await wire.answer(request)
        writer.write(answer[: int(len(answer) * share)])
        await writer.drain()

    return act


def _bomb() -> bytes:
    """Half a gigabyte of JSON in half a megabyte of gzip."""
    packer = zlib.compressobj(9, wbits=31)
    packed = packer.compress(b'{"ok": true, "result": "')
    blanks = b"".join(packer.compress(b" " * 2**20) for _ in range(512))
    return packed + blanks + packer.compress(b'"}') + packer.flush()


HTML = "<html><body><h1>Trang này bị chặn</h1></body></html>".encode()
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNK = b"10000\r\n" + b" " * 0x10000 + b"\r\n"


@dataclass(frozen=True)
class Trouble:
    """What is the matter, and what it makes of a message and of a file; None where all goes well all the same."""

    act: Act | None
    send: type[SendError] | None
    fetch: type[SendError] | None = RetryLater
    nameless: bool = False
    closed: bool = False
    obeyed: bool = False
    """Whether the platform has done what it was asked to."""


DOUBT = Ambiguous
TROUBLES: dict[str, Trouble] = {
    "no name": Trouble(None, RetryLater, nameless=True),
    "nobody listens": Trouble(None, RetryLater, closed=True),
    "reset": Trouble(resets, DOUBT),
    "hung up": Trouble(hangs_up, DOUBT),
    "half open": Trouble(hangs, DOUBT),
    "a little late": Trouble(late(4), None, None, obeyed=True),
    "late": Trouble(late(29), None, None, obeyed=True),
    "far too late": Trouble(late(3000), DOUBT),
    "an answer in drips": Trouble(raw(OK + b"\r\n", b" ", every=3, endless=True), DOUBT),
    "a head in drips": Trouble(raw(b"HTTP/1.1 200 OK\r\nX-A: ", b"a", every=3, endless=True), DOUBT),
    "a word, then silence": Trouble(raw(OK + b"Content-Length: 99\r\n\r\n{", b"", every=500, endless=True), DOUBT),
    "half an answer": Trouble(cut(0.9), DOUBT, obeyed=True),
    "half a head": Trouble(cut(0.1), DOUBT, obeyed=True),
    "a page that says all is well": Trouble(page("200 OK", HTML), DOUBT),
    "a redirect": Trouble(page("302 Found", b"", more="Location: http://127.0.0.1:9/chan\r\n"), ChannelDown, ChannelDown),
    "a page 401": Trouble(page("401 Unauthorized", HTML), ChannelDown, ChannelDown),
    "a page 403": Trouble(page("403 Forbidden", HTML), ChannelDown, ChannelDown),
    "a page 404": Trouble(page("404 Not Found", HTML), ChannelDown, ChannelDown),
    "a page 407": Trouble(page("407 Proxy Authentication Required", HTML), ChannelDown, ChannelDown),
    "a page 409": Trouble(page("409 Conflict", HTML), ChannelDown, ChannelDown),
    "a page 451": Trouble(page("451 Unavailable For Legal Reasons", HTML), ChannelDown, ChannelDown),
    "a page 413": Trouble(page("413 Too Large", HTML), DOUBT),
    "a page 429": Trouble(page("429 Too Many Requests", HTML), RetryLater),
    "a page 500": Trouble(page("500 Internal Server Error", HTML), DOUBT),
    "a page 502": Trouble(page("502 Bad Gateway", HTML), DOUBT),
    "a page 503": Trouble(page("503 Service Unavailable", b""), DOUBT),
    "a page 504": Trouble(page("504 Gateway Timeout", HTML), DOUBT),
    "401": Trouble(api(401, "Unauthorized"), ChannelDown, ChannelDown),
    "404": Trouble(api(404, "Not Found"), ChannelDown, ChannelDown),
    "403": Trouble(api(403, "Forbidden: bot was blocked by the user"), RecipientGone, RecipientGone),
    "409": Trouble(api(409, "Conflict: terminated by other getUpdates request"), Rejected),
    "429": Trouble(api(429, "Too Many Requests"), RetryLater),
    "500": Trouble(api(500, "Internal Server Error"), DOUBT),
    "nothing at all under 200": Trouble(page("200 OK", b""), DOUBT),
    "half a JSON": Trouble(page("200 OK", b'{"ok": true, "result": [{"update_id": 1, "mess', "application/json"), DOUBT),
    "no letters": Trouble(page("200 OK", b'\xff\xfe"result"\x00', "application/json"), DOUBT),
    "another's JSON": Trouble(page("200 OK", b'{"status": "blocked"}', "application/json"), DOUBT),
    "brackets without end": Trouble(page("200 OK", b'{"result": ' + b"[" * 200_000, "application/json"), DOUBT),
    "a number without end": Trouble(page("200 OK", b'{"result": ' + b"9" * 9_999 + b"}", "application/json"), DOUBT),
    "no updates but a word": Trouble(page("200 OK", b'{"ok": true, "result": "no"}', "application/json"), DOUBT),
    "no updates but nothing": Trouble(page("200 OK", b'{"ok": true, "result": null}', "application/json"), DOUBT),
    "no HTTP": Trouble(raw(b"220 mail.example ESMTP\r\n"), DOUBT),
    "a head without end": Trouble(raw(OK, b"X-A: " + b"a" * 8_000 + b"\r\n", endless=True), DOUBT),
    "an answer without end": Trouble(raw(OK + b"Transfer-Encoding: chunked\r\n\r\n", CHUNK, endless=True), DOUBT),
    "a promise of a terabyte": Trouble(raw(OK + b"Content-Length: 1099511627776\r\n\r\n", b" " * 0x10000, endless=True), DOUBT),
    "half a gigabyte packed small": Trouble(page("200 OK", _bomb(), "application/json", "Content-Encoding: gzip\r\n"), DOUBT),
    "a packing that is none": Trouble(page("200 OK", b"\x00garbage", "application/json", "Content-Encoding: gzip\r\n"), DOUBT),
}  # fmt: skip
"""Each with what the delivery's table (promises §1.5) makes of it."""
PACKED = ("an answer without end", "a promise of a terabyte", "half a gigabyte packed small")
READ: dict[str, type[SendError] | None] = dict.fromkeys(PACKED, Rejected) | dict.fromkeys(
    ("half a JSON", "no letters", "another's JSON", "brackets without end", "a number without end",
     "no updates but a word", "no updates but nothing"), None,
)  # fmt: skip
"""Where a file's own bytes differ from other answers: too many are no use tomorrow either; what they are is seen later."""


@asynccontextmanager
async def wired(files: Path) -> AsyncIterator[tuple[Wire, Telegram]]:
    async with FakeBotApi() as fake:
        wire = Wire(fake)
        await wire.listens()
        door = Telegram(TOKEN, f"http://{HOST}:{wire.port}", files, sleep=asyncio.sleep)
        await door.open()
        fake.person(CHAT)
        try:
            yield wire, door
        finally:
            await door.close()
            await wire.ends()


# ---------------------------------------------------------------------------------------------------- polling


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_polling_goes_on_within_a_minute_of_any_trouble(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = list(TROUBLES)
    for number in cases(len(names)):
        chance = Random(number)
        ills = [names[number % len(names)]]
        if number >= len(names):  # in the long form, one after the other too
            ills += chance.sample(names, chance.randrange(3))
        spans = [chance.choice((0.5, 3, 20, 70, 400)) * (0.5 + chance.random()) for _ in ills]
        took = hurried(lambda ills=ills, spans=spans: outage(tmp_path, ills, spans))  # type: ignore[misc]
        assert took <= HEALED, (number, ills, spans, took)
        caplog.clear()
        note(outages=1, troubles=len(ills))


async def outage(files: Path, ills: Sequence[str], spans: Sequence[float]) -> float:
    """Seconds from the end of the trouble to what was said meanwhile."""
    stored: list[str] = []
    came = asyncio.Event()

    async def store(channel: str, bot: str, arrivals: Sequence[Arrival]) -> int:
        stored.extend(each.raw for each in arrivals)
        came.set()
        return len(arrivals)

    loop = asyncio.get_running_loop()
    async with wired(files) as (wire, door):
        polling = asyncio.create_task(door.run(store))
        wire.fake.person(CHAT).says("trước")
        await came.wait()
        came.clear()
        for ill, span in zip(ills, spans, strict=True):
            await wire.falls_ill(TROUBLES[ill])
            await asyncio.sleep(span)
        # The worst moment for it to end: a request has just met it.
        wire.struck.clear()
        if wire.trouble is not None and wire.trouble.act is not None:
            await wire.struck.wait()
        wire.fake.person(CHAT).says("trong lúc mất mạng")
        await wire.heals()
        healed = loop.time()
        while "trong lúc mất mạng" not in "".join(stored):
            came.clear()
            await asyncio.wait_for(came.wait(), 10 * HEALED)
        took = loop.time() - healed
        assert not polling.done()
        assert len(wire.fake.polls) < 200 + sum(spans) * 2, "it asks again and again"
        polling.cancel()
    return took


# ---------------------------------------------------------------------------------------------------- sending, fetching


async def outcome(attempt: Awaitable[object], unforeseen: type[SendError]) -> type[SendError] | None:
    """What an attempt came to; those who make it take an error nobody foresaw for `unforeseen`."""
    try:
        await attempt
    except SendError as error:
        assert TOKEN.partition(":")[2] not in str(error)
        return type(error)
    except Exception:
        return unforeseen
    return None


@pytest.mark.parametrize("lane", [Lane.REPLY, Lane.BULK])
def test_each_trouble_means_for_a_message_what_the_table_says(tmp_path: Path, lane: Lane) -> None:
    async def tries() -> None:
        for name, trouble in TROUBLES.items():
            async with wired(tmp_path) as (wire, door):
                await wire.falls_ill(trouble)
                found = await outcome(door.send(str(CHAT), Message("Mời anh/chị họp tổ."), edits="", lane=lane), DOUBT)
                assert found is trouble.send, name
                assert len(wire.fake.messages(CHAT)) == trouble.obeyed, name
                assert wire.met == (trouble.act is not None), name

    hurried(tries)


@pytest.mark.parametrize("where", [b"POST", b"GET"], ids=["asking for it", "reading it"])
def test_each_trouble_means_for_a_file_what_the_table_says(tmp_path: Path, where: bytes) -> None:
    async def tries() -> None:
        for name, trouble in TROUBLES.items():
            async with wired(tmp_path) as (wire, door):
                person = wire.fake.person(CHAT)
                person.sends_document(b"%PDF-1.4 " * 99, "a.pdf")
                ref = wire.fake.state.queue[-1].raw["message"]["document"]["file_id"]
                wire.where = where
                await wire.falls_ill(trouble)
                found = await outcome(door.fetch(ref), RetryLater)
                assert found is (READ.get(name, trouble.fetch) if where == b"GET" else trouble.fetch), name

    hurried(tries)


@pytest.mark.parametrize("name", PACKED)
def test_of_an_answer_without_end_no_more_is_read_than_a_file_may_have(tmp_path: Path, name: str) -> None:
    async def tries() -> int:
        async with wired(tmp_path) as (wire, door):
            await wire.falls_ill(TROUBLES[name])
            tracemalloc.start()
            with pytest.raises(Ambiguous):
                await door.send(str(CHAT), Message("Mời họp."), edits="", lane=Lane.REPLY)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return peak

    assert hurried(tries) < 4 * MOST


@pytest.mark.parametrize("how", ["a proxy that refuses", "no TLS"])
def test_what_never_left_is_known_not_to_have_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    async def tries() -> None:
        async with wired(tmp_path) as (wire, _):
            await wire.falls_ill(
                Trouble(page("403 Forbidden", HTML) if "proxy" in how else raw(b"no TLS here\r\n"), None)
            )
            here = f"127.0.0.1:{wire.port}"
            if "proxy" in how:
                monkeypatch.setenv("https_proxy", f"http://{here}")
                monkeypatch.delenv("NO_PROXY", raising=False)
                monkeypatch.delenv("no_proxy", raising=False)
            door = Telegram(
                TOKEN, f"https://{HOST}" if "proxy" in how else f"https://{here}", tmp_path, sleep=asyncio.sleep
            )
            await door.open()
            for attempt in (
                door.send(str(CHAT), Message("Mời họp."), edits="", lane=Lane.REPLY),
                door.fetch("tep"),
            ):
                with pytest.raises(RetryLater):
                    await attempt
            await door.close()

    hurried(tries)


# ---------------------------------------------------------------------------------------------------- no updates

STRANGE: tuple[Any, ...] = (
    None, 5, "update", [], {}, {"update_id": "7"}, {"update_id": True}, {"update_id": -1}, {"update_id": 7.0}, {"update_id": 10**30},
    {"update_id": None, "message": {"chat": {"id": "\ud83d\x00"}}}, {"callback_query": {"id": "\ud83d", "from": {"id": []}}},
    {"message": 1, "edited_message": [], "callback_query": "x", "my_chat_member": None},
)  # fmt: skip
"""What no platform should hand over among updates."""


def test_what_is_no_update_is_handed_on_as_it_came_and_polling_goes_on(tmp_path: Path) -> None:
    """Alone, in front of others and behind them; what cannot be confirmed is not asked for without a pause."""

    async def polls() -> tuple[list[Arrival], int]:
        stored: list[Arrival] = []

        async def store(channel: str, bot: str, arrivals: Sequence[Arrival]) -> int:
            stored.extend(arrivals)
            return len(arrivals)

        async with wired(tmp_path) as (wire, door):
            polling = asyncio.create_task(door.run(store))
            number = 100
            for mixed in ([], [0], [-1], [0, -1]):
                batch = list(STRANGE)
                for place in mixed:
                    number += 1
                    batch.insert(place % (len(batch) + 1), {"update_id": number, "message": {"chat": {"id": CHAT}}})
                said = json.dumps({"ok": True, "result": batch}).encode()
                await wire.falls_ill(Trouble(page("200 OK", said, "application/json"), None))
                await asyncio.sleep(60)
                assert 0 < wire.met <= 65
            wire.fake.person(CHAT).says("vẫn nghe")
            await wire.heals()
            await asyncio.sleep(HEALED)
            assert "vẫn nghe" in stored[-1].raw
            assert not polling.done()
            polling.cancel()
        return stored, number

    stored, last = hurried(polls)
    numbers = {each.ext_id for each in stored if not each.ext_id.startswith("?")}
    assert {str(number) for number in range(101, last + 1)} <= numbers
    unread = {each.raw for each in stored if each.ext_id.startswith("?")}
    assert len(unread) == len(STRANGE)
    for each in stored:
        each.lane.encode(), each.raw.encode()
        assert each.lane.isprintable()
