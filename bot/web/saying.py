"""What a person says in the web chat: text, buttons, files; stored with its own bubble before it is acknowledged."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import PurePath
from typing import Any, Protocol

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from bot.channels.webchat import WebChat
from bot.inbox import arrival
from bot.web.guard import Guard, Visitor
from content.message import from_json
from db import webchat
from db.inbox import Arrival
from db.session import Session

LARGEST_FILE = 20 * 1024 * 1024
MOST_FILES = 10
LONGEST_TEXT = 20_000
LONGEST_DATA = 256
LONGEST_NAME = 120
SLOWEST, SLOWEST_FORM = 30.0, 900.0
"""Seconds until what is said has come whole, and a form with files: five photos over a line that moves 25 KB a second."""
OVERHEAD = 64 * 1024
"""Room for the caption and the boundaries of a form with files."""
KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
KINDS = {"image": "photo", "video": "video", "audio": "voice"}
"""File kinds by the first half of the MIME type; a hint only, the bytes decide later."""


class Store(Protocol):
    """Inbox.store: commits updates, and `also` in the same transaction; returns how many were new."""

    def __call__(
        self,
        channel: str,
        bot: str,
        arrivals: Sequence[Arrival],
        also: Callable[[Session], Awaitable[object]] | None = None,
        /,
    ) -> Awaitable[int]: ...


def clean(text: str) -> str:
    """Text that can be written as UTF-8: half an emoji or a badly coded file name must not stop a chat."""
    return text.encode("utf-8", "replace").decode()


async def body(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request. Raises 400, 408 and 415."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType()
    try:
        async with asyncio.timeout(SLOWEST):
            data = json.loads(await request.text())
    except TimeoutError:
        raise web.HTTPRequestTimeout() from None
    except (ValueError, LookupError, RecursionError):  # not JSON, not that charset, brackets without end
        raise web.HTTPBadRequest() from None
    if not isinstance(data, dict):
        raise web.HTTPBadRequest()
    return data


def _line(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str):
        raise web.HTTPBadRequest()
    return clean(value)


def _key(given: str) -> str:
    if not KEY.fullmatch(given):
        raise web.HTTPBadRequest()
    return given


class Saying:
    """The routes by which a person says something. 200 means that it is committed."""

    def __init__(self, chat: WebChat, store: Store, guard: Guard) -> None:
        self._chat = chat
        self._store = store
        self._guard = guard

    def routes(self) -> list[web.RouteDef]:
        """Where to say it."""
        return [
            web.post("/api/say", self._say),
            web.post("/api/press", self._press),
            web.post("/api/files", self._files),
        ]

    async def _accept(
        self, visitor: Visitor, key: str, bubble: dict[str, Any], raws: Sequence[dict[str, Any]]
    ) -> tuple[int, web.StreamResponse]:
        """Commits what was said and its bubble; a repeat of the same key changes nothing and is told the same."""
        address = visitor.address

        async def also(session: Session) -> None:
            await webchat.add(session, address, bubble | {"key": key}, self._chat.now(), mine=True)

        arrivals = [
            arrival(f"{address}:{key}.{number}", address, {"address": address, **raw})
            for number, raw in enumerate(raws)
        ]
        added = await self._store(self._chat.name, "web", arrivals, also)
        if added:
            self._chat.changed(address)
        return added, web.json_response({"stored": added})

    async def _say(self, request: web.Request) -> web.StreamResponse:
        visitor = await self._guard.poster(request)
        data = await body(request)
        text, key = _line(data, "text"), _key(_line(data, "key"))
        if len(text) > LONGEST_TEXT:
            raise self._guard.problem(web.HTTPBadRequest, "too_long")
        # The page says /start by itself: the person did not, so it has no bubble.
        hidden = text == "/start" or text.startswith("/start ")
        _, response = await self._accept(visitor, key, {"quiet": True} if hidden else {"text": text}, [{"text": text}])
        return response

    async def _press(self, request: web.Request) -> web.StreamResponse:
        visitor = await self._guard.poster(request)
        data = await body(request)
        choice, key = _line(data, "data"), _key(_line(data, "key"))
        message = data.get("message")
        if len(choice) > LONGEST_DATA or not isinstance(message, int) or not 0 <= message < 1 << 53:
            raise web.HTTPBadRequest()
        label = await self._label(visitor, message, choice)
        bubble = {"text": label, "pressed": True} if label else {"quiet": True}
        _, response = await self._accept(visitor, key, bubble, [{"choice": choice}])
        return response

    async def _label(self, visitor: Visitor, message_id: int, choice: str) -> str:
        """What stood on the button; nothing when the message was changed meanwhile."""
        async with self._chat.database.read() as session:
            row = await webchat.get(session, visitor.address, message_id)
        if row is None or row.mine:
            return ""
        message = from_json(row.payload)
        return next((c.label for c in message.choices if c.data(message.screen) == choice), "")

    async def _files(self, request: web.Request) -> web.StreamResponse:
        """Several files are one album: one update each, committed together; the caption goes with the first."""
        visitor = await self._guard.poster(request)
        if request.content_type != "multipart/form-data":
            raise web.HTTPUnsupportedMediaType()
        if request.content_length is None:
            raise web.HTTPLengthRequired()
        if request.content_length > MOST_FILES * LARGEST_FILE + OVERHEAD:
            raise self._guard.problem(web.HTTPRequestEntityTooLarge, "too_big")
        self._guard.check_bytes(visitor, request.content_length)
        files: list[list[Any]] = []
        added = 0
        try:
            caption, key = await self._form(request, files)
            if not files:
                raise self._guard.problem(web.HTTPBadRequest, "no_file")
            group = key if len(files) > 1 else ""
            raws = [
                {"text": caption if number == 0 else "", "files": [file], "group": group}
                for number, file in enumerate(files)
            ]
            shown = [[kind, name] for kind, _, name, _ in files]
            added, response = await self._accept(visitor, key, {"text": caption, "files": shown}, raws)
        finally:
            if not added:
                self._chat.drop([ref for _, ref, _, _ in files])
        return response

    async def _form(self, request: web.Request, files: list[list[Any]]) -> tuple[str, str]:
        """Reads a form: its files as [kind, upload, name, bytes] into `files`; returns caption and key. Raises 400, 408, 413."""
        fields = {"caption": "", "key": ""}
        try:
            async with asyncio.timeout(SLOWEST_FORM):
                async for part in await request.multipart():
                    if not isinstance(part, BodyPartReader):
                        raise web.HTTPBadRequest()
                    if part.filename is None:
                        value = await self._field(part)
                        if part.name in fields:
                            fields[part.name] = value
                    elif len(files) == MOST_FILES:
                        raise self._guard.problem(web.HTTPBadRequest, "too_many")
                    else:
                        await self._upload(part, files)
        except TimeoutError:
            raise web.HTTPRequestTimeout() from None
        except (ValueError, AssertionError, HttpProcessingError):  # what the parser says to a form that is none
            raise web.HTTPBadRequest() from None
        return fields["caption"], _key(fields["key"])

    async def _field(self, part: BodyPartReader) -> str:
        found = bytearray()
        while block := await part.read_chunk():
            found += block
            if len(found) > LONGEST_TEXT * 4:
                raise self._guard.problem(web.HTTPBadRequest, "too_long")
        text = found.decode("utf-8", "replace")
        if len(text) > LONGEST_TEXT:
            raise self._guard.problem(web.HTTPBadRequest, "too_long")
        return text

    async def _upload(self, part: BodyPartReader, files: list[list[Any]]) -> None:
        kind = KINDS.get(part.headers.get("Content-Type", "").partition("/")[0].strip().lower(), "document")
        # Windows browsers may send a whole path with backslashes; only the last part is a name.
        name = PurePath(clean(part.filename or "").replace("\\", "/")).name[-LONGEST_NAME:]
        ref, file = self._chat.new_upload()
        size = 0
        found = [kind, ref, name, size]
        files.append(found)
        with file:
            while block := await part.read_chunk(1 << 16):
                size += len(block)
                if size > LARGEST_FILE:
                    raise self._guard.problem(web.HTTPRequestEntityTooLarge, "too_big")
                file.write(block)
            await self._chat.keep(file)
        found[3] = size
