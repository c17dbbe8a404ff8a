"""The short way to the platform: JSON over HTTP/1.1 connections that are kept, each with one request at a time.

Whatever is said goes this way (README, decisions 57); polls, files and what takes a proxy go aiohttp's.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import quote, urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from telegram.error import NetworkError

KEEPALIVE = 15.0
"""Seconds an idle connection is kept. Shorter than any server keeps it: a request that meets a connection just being
closed is one whose fate nobody knows."""
HEAD = 64 * 2**10
ANSWER = 2**20
"""Bytes that the head of an answer, and the whole of it, may have: far more than the Bot API says to any message."""
PIECE = 16 * 2**10
"""Bytes read at once."""
SECOND_ADDRESS = 0.25
"""Seconds after which another address of a host is tried beside the first (RFC 8305)."""


class NotSent(NetworkError):
    """No connection was made, so nothing left this machine: sending again cannot double anything."""


class Unclear(NetworkError):
    """The request had begun to leave and no answer of the Bot API came back: done or not, nobody can know."""


class _NoAnswerError(Exception):
    """What came is no answer in HTTP, or none came."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes, and how it begins."""

    host: str
    port: int
    tls: bool
    head: bytes

    @property
    def server(self) -> tuple[str, int, bool]:
        """Whose connections lead there."""
        return self.host, self.port, self.tls


@lru_cache(maxsize=64)
def place_of(url: str) -> Place:
    """Raises ValueError for what is no address."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("no address of a server")
    tls = parts.scheme == "https"
    named = parts.netloc.rpartition("@")[2]
    head = f"POST {quote(parts.path, safe='/:')} HTTP/1.1\r\nHost: {named}\r\n"
    more = "Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: "
    return Place(parts.hostname, parts.port or (443 if tls else 80), tls, f"{head}{more}".encode("ascii"))


@cache
def _trust() -> ssl.SSLContext:
    """The certificates that this machine trusts."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Wire:
    """At most `connections`. Seconds: `connect` to make one, `pool` for one to become free, `answer` for a whole answer."""

    def __init__(self, connections: int, *, connect: float | None, pool: float | None, answer: float | None) -> None:
        self._connect, self._pool, self._answer = connect, pool, answer
        self._room = asyncio.Semaphore(connections)
        self._idle: defaultdict[tuple[str, int, bool], list[Line]] = defaultdict(list)
        self._lines: set[Line] = set()
        self._piece = memoryview(bytearray(PIECE))
        self._closed = False

    async def post(self, url: str, body: bytes) -> tuple[int, bytes]:
        """One request; the status and the body. Raises NotSent or Unclear, which do not know the address."""
        try:
            place = place_of(url)
            await self._enter()
        except (ValueError, TimeoutError) as error:
            failure: NetworkError = NotSent(f"no connection ({type(error).__name__})")
        else:
            line: Line | None = None
            try:
                line = self._kept(place) or await self._open(place)
                return await line.ask(b"%b%d\r\n\r\n%b" % (place.head, len(body), body), self._answer)
            except _NoAnswerError as error:
                failure = Unclear(f"the connection broke ({error})")
            except (OSError, ValueError, OverflowError) as error:  # a port that is none overflows
                failure = NotSent(f"no connection ({type(error).__name__})")
            finally:
                self._room.release()
                if line is not None and line.rests():
                    self._idle[place.server].append(line)
        raise failure

    async def close(self) -> None:
        """Ends every connection; requests under way end as Unclear, those that wait for a connection as NotSent."""
        self._closed = True
        for line in self._lines:
            line.transport.abort()
        if self._lines:
            await asyncio.wait([line.lost for line in self._lines])

    async def _enter(self) -> None:
        if not self._room.locked():
            await self._room.acquire()
            return
        async with asyncio.timeout(self._pool):
            await self._room.acquire()

    def _kept(self, place: Place) -> Line | None:
        """The connection that was used last, which is the likeliest to be still there."""
        idle = self._idle[place.server]
        while idle:
            line = idle.pop()
            if line.is_fit():
                return line
            line.transport.abort()
        return None

    async def _open(self, place: Place) -> Line:
        """Raises OSError, ValueError or OverflowError."""
        if self._closed:
            raise ConnectionAbortedError
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._connect):
            _, line = await loop.create_connection(
                lambda: Line(loop, self._piece),
                place.host,
                place.port,
                ssl=_trust() if place.tls else None,
                happy_eyeballs_delay=SECOND_ADDRESS,
            )
        if self._closed:
            line.transport.abort()
            raise ConnectionAbortedError
        self._lines.add(line)
        line.lost.add_done_callback(lambda _: self._lines.discard(line))
        return line


class Line(asyncio.BufferedProtocol):
    """One connection: what is asked, and what of the answer has come.

    All share the `piece` that is read into, for it is done with before the next is read. A plain `Protocol` is handed new
    bytes each time, cut from 256 KB that must lie free in one; with TLS a second time.
    """

    transport: asyncio.Transport

    def __init__(self, loop: asyncio.AbstractEventLoop, piece: memoryview) -> None:
        self._loop = loop
        self._piece = piece
        self.lost: asyncio.Future[None] = loop.create_future()
        self._parser = HttpResponseParser(self)
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._came = 0
        """Bytes, since something was asked."""
        self._headed = self._bounded = self._unfit = False
        """Of the answer that comes: whether its head is whole, whether it says where the body ends, whether we cannot take it."""
        self._body = bytearray()
        self._fit = False
        """Whether something else may be asked: the answer was whole, nothing came behind it, and the connection is kept."""
        self._due = 0.0
        """When there must be an answer, or another question."""
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, request: bytes, patience: float | None) -> asyncio.Future[tuple[int, bytes]]:
        """The status and the body of the answer. Raises _NoAnswerError, or OSError where nothing can leave any more."""
        if self.lost.done():
            raise ConnectionResetError
        self._answer, self._came, self._fit = self._loop.create_future(), 0, False
        self._wait(patience)
        self.transport.write(request)
        return self._answer

    def rests(self) -> bool:
        """Ends what was asked, and the connection unless something else may be asked there. Returns whether it may."""
        self._answer = None
        if not self._fit or self.transport.is_closing():
            self.transport.abort()
            return False
        self._wait(KEEPALIVE)
        return True

    def is_fit(self) -> bool:
        """Whether it has not been idle for too long, nor ended."""
        return self._loop.time() < self._due and not self.transport.is_closing()

    def _wait(self, seconds: float | None) -> None:
        """One timer, which looks again when its time has moved: to set one for each request costs more."""
        self._due = self._loop.time() + seconds if seconds is not None else float("inf")
        if self._timer is None and seconds is not None:
            self._timer = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._loop.time() < self._due < float("inf"):
            self._timer = self._loop.call_at(self._due, self._look)
        elif self._due < float("inf"):
            self._end("no answer in time")

    def _end(self, why: str) -> None:
        self.transport.abort()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(_NoAnswerError(why))

    # ------------------------------------------------------------------------------------------------ what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._answer is not None and not self._answer.done():
            # A body that says nothing of its end goes on to the end of the connection.
            if error is None and self._headed and not (self._bounded or self._unfit):
                self._answer.set_result((self._parser.get_status_code(), bytes(self._body)))
            else:
                self._answer.set_exception(_NoAnswerError(type(error).__name__ if error is not None else "closed"))
        self.lost.set_result(None)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._piece

    def buffer_updated(self, nbytes: int) -> None:
        if self._answer is None or self._answer.done():
            self.transport.abort()  # nobody asked
            return
        self._came += nbytes
        try:
            self._parser.feed_data(self._piece[:nbytes])
        except (HttpParserError, HttpParserUpgrade):
            self._unfit, self._fit = True, False
        too_long = self._came > (ANSWER if self._headed else HEAD)
        if not self._answer.done() and (self._unfit or too_long):
            self._end("no HTTP")

    # -------------------------------------------------------------------------------------------- what the parser calls

    def on_message_begin(self) -> None:
        """An answer, or a word before it, or what nobody asked for behind it."""
        self._headed = self._bounded = self._unfit = self._fit = False
        self._body.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A body that is packed or too long is not taken; we ask for none."""
        name, value = name.lower(), value.strip().lower()
        if name == b"content-length":
            self._bounded = True
            self._unfit |= int(value) > ANSWER
        elif name == b"transfer-encoding":
            self._bounded = True
            self._unfit |= value != b"chunked"
        elif name == b"content-encoding":
            self._unfit |= value != b"identity"

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._headed = True

    def on_body(self, body: bytes) -> None:
        """A piece of it."""
        self._body += body

    def on_message_complete(self) -> None:
        """Whole, unless it was a word before the answer (100 to 199)."""
        status = self._parser.get_status_code()
        if status >= 200 and not self._unfit and self._answer is not None and not self._answer.done():
            self._fit = self._parser.should_keep_alive()
            self._answer.set_result((status, bytes(self._body)))
