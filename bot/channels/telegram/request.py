"""PTB's HTTP layer on aiohttp and a shorter way: tells what certainly was not sent from what may have been, and keeps the token secret."""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from telegram.error import InvalidToken, NetworkError
from telegram.request import BaseRequest, RequestData

from bot.channels.telegram.wire import KEEPALIVE, NotSent, Unclear, Wire
from db.json_text import from_text, to_text

# PTB's RetryAfter warns of a coming change each time it is made, unless one has said yes to it.
os.environ.setdefault("PTB_TIMEDELTA", "true")

CONNECT = 5.0
POOL = 10.0
WRITE = 10.0
READ = 30.0
"""Seconds. A slow answer is not a lost one: PTB's 5 s for reading would turn it into doubt (speed.md §6)."""
TRANSFER = 120.0
"""Seconds a file may take, up or down: 20 MB at 1.4 Mbit/s."""
MOST = 20 * 2**20
"""Bytes an answer may have, unpacked: the largest file a bot may fetch (Bot API, getFile), and far more than a hundred
updates or any other answer. What has no end must not fill the memory."""

NEVER_LEFT = (
    aiohttp.ClientConnectorError,  # refused, unreachable, no such name, TLS failed
    aiohttp.ConnectionTimeoutError,  # no connection in time, or none free in the pool
    aiohttp.ClientHttpProxyError,  # the proxy would not connect us
    aiohttp.InvalidURL,
)
UNTOUCHED = (413, 429)
"""Statuses below 500 that Telegram's own front server answers without JSON: a body too large, too many requests."""

Seconds = TypeVar("Seconds")


class TooLarge(Unclear):
    """A file of more than 20 MB: read no further."""


class NotTelegram(InvalidToken):
    """A redirect or a refusal that the Bot API did not write: a block page, a captive portal, a proxy.

    Nothing was done, and it says nothing about the recipient: a block page that answers 403 has not found anybody who
    blocked the bot. An InvalidToken, since PTB's callers meet block pages under that name (404).
    """


@dataclass(frozen=True, slots=True)
class Written:
    """Parameters as they are sent, in the place of PTB's RequestData: what goes to many is written down once."""

    json: bytes
    contains_files: bool = False


class AiohttpRequest(BaseRequest):
    """At most `connections` at a time; all times in seconds, None for no limit.

    Errors carry neither the address nor what a stranger answered: both may hold the token.
    """

    def __init__(
        self,
        connections: int,
        *,
        connect: float | None = CONNECT,
        pool: float | None = POOL,
        write: float | None = WRITE,
        read: float | None = READ,
        transfer: float | None = TRANSFER,
    ) -> None:
        self._connections = connections
        self._connect = connect
        self._pool = pool
        self._write = write
        self._read = read
        self._transfer = transfer
        self._session: aiohttp.ClientSession | None = None
        self._wire: Wire | None = None
        self._proxies: dict[str, str | None] = {}
        self.dated = ""
        """When the last answer was written, as its writer says (HTTP's Date)."""

    @property
    def read_timeout(self) -> float | None:
        """Seconds an answer may take; PTB adds them to a long poll's own."""
        return self._read

    async def initialize(self) -> None:
        """Opens the pool; a second call changes nothing."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=KEEPALIVE),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self.USER_AGENT},
            )
            whole = None if self._write is None or self._read is None else self._write + self._read
            self._wire = Wire(self._connections, connect=self._connect, pool=self._pool, answer=whole)

    async def shutdown(self) -> None:
        """Closes the pool; requests under way end as Unclear."""
        if self._session is not None and self._wire is not None:
            session, wire, self._session, self._wire = self._session, self._wire, None, None
            await wire.close()
            await session.close()

    async def call(self, url: str, parameters: bytes) -> Any:
        """The result of one method, its parameters being JSON, without PTB's objects on either side. Raises TelegramError
        as they do."""
        return await self.post(url, request_data=cast(RequestData, Written(parameters)))

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """One request; the status and the body. Raises NotSent, Unclear, TooLarge or NotTelegram."""
        if self._session is None or self._wire is None:
            raise NotSent("the connection pool is closed")
        if isinstance(request_data, Written) and self._proxy(url) is None:
            status, payload = await self._wire.post(url, request_data.json)
            return status, _readable(url, method, status, payload)
        # A file's bytes travel while the request is written (an upload) or while its answer is read (a download).
        heavy = method == "GET" or (request_data is not None and request_data.contains_files)
        timeout = _timeout(
            connect=_given(connect_timeout, self._connect),
            pool=_given(pool_timeout, self._pool),
            write=_given(write_timeout, self._transfer if heavy else self._write),
            read=_given(read_timeout, self._read),
        )
        try:
            async with self._session.request(
                method,
                url,
                data=_body(request_data),
                timeout=timeout,
                proxy=self._proxy(url),
                allow_redirects=False,
            ) as answer:
                status, payload = answer.status, await _whole(answer)
                self.dated = answer.headers.get("Date", "")
                page = method == "GET" and answer.content_type == "text/html"
        except NEVER_LEFT as error:
            failure: NetworkError = NotSent(f"no connection ({type(error).__name__})")
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            failure = Unclear(f"the connection broke ({type(error).__name__})")
        else:
            if (
                page and 200 <= status < 300
            ):  # files come as application/octet-stream, pages of HTML that people send too
                raise Unclear("a page instead of a file")
            if payload is not None:
                return status, _readable(url, method, status, payload)
            failure = TooLarge("a file of more than 20 MB") if method == "GET" else Unclear("an answer without end")
        # Raised out here so that aiohttp's error, which knows the address, does not travel along as the context.
        raise failure

    def _proxy(self, url: str) -> str | None:
        """The proxy the environment names (HTTPS_PROXY, NO_PROXY), looked up once for each place.

        aiohttp's own `trust_env` looks again, and for a ~/.netrc too, in a thread at every request.
        """
        server = url[: url.find("/", len("https://"))]
        if server not in self._proxies:
            place = urlsplit(url)
            spared = not place.hostname or proxy_bypass(place.hostname)
            self._proxies[server] = None if spared else getproxies().get(place.scheme)
        return self._proxies[server]

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer as a dictionary. Raises Unclear; PTB's own writes a body that is no JSON into the log, whole."""
        try:
            found = from_text(payload)
        except (ValueError, RecursionError):  # no JSON, or brackets without end
            found = None
        if not isinstance(found, dict) or not ("result" in found or found.get("ok") is False):
            raise Unclear("an answer that is not the Bot API's")
        return found


def _given(value: Any, default: Seconds) -> Seconds:
    """What the caller asked for; an explicit None is an answer too."""
    if value is BaseRequest.DEFAULT_NONE:
        return default
    given: Seconds = value
    return given


def _timeout(
    *, connect: float | None, pool: float | None, write: float | None, read: float | None
) -> aiohttp.ClientTimeout:
    """PTB's four times as aiohttp has them: its `connect` includes the wait for a free connection; it has none for
    writing, so a stalled upload is ended by the sum of all four."""
    waiting = None if connect is None or pool is None else connect + pool
    whole = None if waiting is None or write is None or read is None else waiting + write + read
    return aiohttp.ClientTimeout(total=whole, connect=waiting, sock_connect=connect, sock_read=read)


async def _whole(answer: aiohttp.ClientResponse) -> bytes | None:
    """The body, unpacked piece by piece; None as soon as it is too large. The connection is then closed."""
    payload = bytearray()
    async for piece in answer.content.iter_any():
        payload += piece
        if len(payload) > MOST:
            return None
    return bytes(payload)


def _readable(url: str, method: str, status: int, payload: bytes) -> bytes:
    """The body where the Bot API wrote it. Raises NotTelegram, or Unclear for a success that is not the Bot API's."""
    if 200 <= status < 300:
        if method == "POST" and b'"result"' not in payload:
            raise Unclear("an answer that is not the Bot API's")
        return payload
    if not (payload.lstrip().startswith(b"{") and b'"ok"' in payload):
        if status < 500 and status not in UNTOUCHED:
            raise NotTelegram(f"something else answers in Telegram's place ({status})")
        return b'{"ok": false}'
    return _without_token(url, payload)


def _without_token(url: str, payload: bytes) -> bytes:
    """An error's own words, should they repeat the address: PTB makes them the exception's text."""
    token = re.search(r"/bot([^/]+)/", url)
    return payload.replace(token[1].encode(), b"<token>") if token else payload


def _body(data: RequestData | None) -> aiohttp.BytesPayload | aiohttp.FormData | None:
    """JSON where there are no files: the Bot API server takes a string in it as the parameter itself (td,
    HttpReader::parse_json_parameters), and quoting a form would be half the cost of a message."""
    if data is None:
        return None
    if isinstance(data, Written):
        return aiohttp.BytesPayload(data.json, content_type="application/json")
    if not data.contains_files:
        return aiohttp.BytesPayload(to_text(data.json_parameters).encode(), content_type="application/json")
    # Telegram shows a file's name as it comes: percent-encoded letters would stay percent-encoded.
    form = aiohttp.FormData(quote_fields=False)
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in data.multipart_data.items():
        # As a stream: aiohttp warns that large bytes hold up everybody else while they are written.
        stream = io.BytesIO(content) if isinstance(content, bytes) else content
        form.add_field(name, stream, filename=_file_name(filename), content_type=mime)
    return form


def _file_name(name: str) -> str:
    """A name that every reader of a multipart header understands alike: no quotes, backslashes, control characters."""
    return re.sub(r"[\x00-\x1f\x7f\\]", " ", name.replace('"', "'"))
