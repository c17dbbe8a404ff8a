"""The line to the platform: an HTTP client on which a request is lost, late, refused or answered by a stranger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import aiohttp

from bot.channels.telegram import request
from bot.channels.telegram.wire import NotSent, Unclear
from tests.fakes.botapi.entities import ApiError
from tests.fakes.botapi.state import Params, Upload
from tests.simulation.life import Life
from tests.simulation.platform import AMBIGUOUS, EXCUSED, Platform


@contextmanager
def connected(platform: Platform, life: Callable[[], Life]) -> Iterator[None]:
    """While this holds, every HTTP client leads to the platform, in the name of the process that lives then."""

    def client(**_: Any) -> Any:
        owner = life()

        async def close() -> None:
            """Nothing is open."""

        return SimpleNamespace(
            request=lambda method, url, data=None, timeout=None, **__: Request(platform, owner, url, data, timeout),
            close=close,
        )

    class ShortWay:
        """Whatever `Wire` is for, told apart as it does."""

        def __init__(self, *_: object, **__: object) -> None:
            self._owner = life()

        async def post(self, url: str, body: bytes) -> tuple[int, bytes]:
            patience = SimpleNamespace(sock_read=request.WRITE + request.READ)
            try:
                async with Request(platform, self._owner, url, body, patience) as answer:
                    return answer.status, b"".join([piece async for piece in answer.iter_any()])
            except aiohttp.ClientConnectorError:
                failure: Exception = NotSent("no connection")
            except aiohttp.ClientError as error:
                failure = Unclear(type(error).__name__)
            raise failure

        async def close(self) -> None:
            """Nothing is open."""

    with (
        mock.patch.object(request, "Wire", ShortWay),
        mock.patch.object(aiohttp, "ClientSession", client),
        mock.patch.object(aiohttp, "TCPConnector", lambda **_: None),
    ):
        yield


class Request:
    """One HTTP request. What has left is obeyed or not whatever becomes of who sent it."""

    def __init__(self, platform: Platform, life: Life, url: str, data: Any, timeout: Any) -> None:
        self._platform = platform
        self.life = life
        self.method = url.rpartition("/")[2]
        self.params = _params(data)
        self.text = self.params.text("text") or self.params.text("caption")
        self.bulk = '"c:bottin:' in self.params.text("reply_markup")
        self.left = platform.wall()
        self.since = asyncio.get_running_loop().time()
        self._patience = timeout.sock_read
        self.status = 0
        self.headers: dict[str, str] = {}
        self.content = self
        self._body: Any = None

    async def __aenter__(self) -> Request:
        self.life.point("before bulk" if self.bulk else "before request")
        loop = asyncio.get_running_loop()
        if self.life.dead:
            await loop.create_future()
        talking = self.params.chat() is not None
        fault = self._platform.draw() if talking or self.method == "getUpdates" else ""
        if fault == "no_connection":
            self._platform.refuse(self, fault)
            raise aiohttp.ClientConnectorError(SimpleNamespace(ssl=None, host="", port=0), OSError("unreachable"))  # type: ignore[arg-type]
        if talking and fault in (*AMBIGUOUS, "slow"):  # a polite stop does not wait for an answer that takes long
            self._platform.doubted[self.params.chat() or 0, self.text] += 1
        back: asyncio.Future[tuple[int, Any]] = loop.create_future()
        loop.call_later(self._platform.delay(fault), self._arrive, fault, back)
        try:
            self.status, self._body = await asyncio.wait_for(back, self._patience)
        except TimeoutError:
            raise aiohttp.SocketTimeoutError from None
        if fault in ("drop_before", "drop_after"):
            raise aiohttp.ServerDisconnectedError
        return self

    def _arrive(self, fault: str, back: asyncio.Future[tuple[int, Any]]) -> None:
        """The request is there."""
        if self.method == "getUpdates":
            self._polled(fault, back)
            return
        answer: tuple[int, Any] = 0, ""
        if self._platform.obeys(fault):
            answer = self._platform.obey(self, fault)
        else:
            self._platform.refuse(self, fault)
        if fault in EXCUSED:
            answer = self._platform.excuse(fault)
        self.life.point("bulk in flight" if self.bulk else "in flight")
        self._return(back, answer)

    def _polled(self, fault: str, back: asyncio.Future[tuple[int, Any]]) -> None:
        if fault and fault not in ("slow", "drop_after", "400"):
            self._return(back, self._platform.excuse(fault) if fault in EXCUSED else (0, ""))
            return
        if self.life.dead:
            return
        self._platform.state.ask_for(self.params)
        waiting = self._platform.poll(self.params.number("offset"), self.params.number("limit", 100))
        loop = asyncio.get_running_loop()
        loop.call_later(self.params.number("timeout"), lambda: waiting.done() or waiting.set_result([]))
        waiting.add_done_callback(lambda done: self._return(back, _updates(done)))

    def _return(self, back: asyncio.Future[tuple[int, Any]], answer: tuple[int, Any]) -> None:
        if not self.life.dead and not back.done():
            back.set_result(answer)

    async def __aexit__(self, *_: Any) -> None:
        """The connection goes back."""

    async def iter_any(self) -> AsyncIterator[bytes]:
        """The body, in one piece."""
        self.life.point("after bulk" if self.bulk else "after request")
        if self.life.dead:
            await asyncio.get_running_loop().create_future()
        yield (self._body if isinstance(self._body, str) else json.dumps(self._body)).encode()


def _params(data: Any) -> Params:
    """What a request carries: JSON, or a form where there are files."""
    if data is None:
        return Params({}, {})
    if not isinstance(data, aiohttp.FormData):
        return Params(json.loads(data.decode()), {})
    values: dict[str, Any] = {}
    uploads: dict[str, Upload] = {}
    for what, headers, value in data._fields:
        if "filename" in what:
            uploads[what["name"]] = Upload(what["filename"], headers["Content-Type"], value.read())
        else:
            values[what["name"]] = value
    return Params(values, uploads)


def _updates(done: asyncio.Future[list[Any]]) -> tuple[int, Any]:
    error = done.exception()
    if isinstance(error, ApiError):
        return error.code, {"ok": False, "error_code": error.code, "description": error.description}
    return 200, {"ok": True, "result": done.result()}
