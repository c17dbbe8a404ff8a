"""What a person sees in the web chat: messages, what changes as it changes, and the files of one's own chat."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from bot.channels.webchat import WebChat
from bot.web.guard import Guard
from content.message import from_json, rows
from db import webchat
from db.models import WebMessage

HEARTBEAT = 20.0
"""Seconds between signs of life: proxies and phones close what is silent, the page gives up on what stays so."""
MOST_STREAMS = 20
"""Streams of one chat at once: tabs, and those that broke and were not noticed yet."""
SANDBOX = "sandbox; default-src 'none'"


def shown(row: WebMessage) -> dict[str, Any]:
    """A message in the form the page draws; buttons are laid out here, the page only follows."""
    if row.mine or row.payload.get("quiet"):
        content = row.payload
    else:
        message = from_json(row.payload)
        content = {
            "text": message.text,
            "rows": [
                [{"label": choice.label, "data": choice.data(message.screen)} for choice in line]
                for line in rows(message.choices)
            ],
            "media": [
                {"kind": media.kind, "name": media.name, "url": f"files/{row.id}/{number}"}
                for number, media in enumerate(message.media)
            ],
        }
    return {"id": row.id, "mine": row.mine, "change": row.change, "at": row.at.isoformat(), **content}


def _change(text: str) -> int:
    """A change number of a browser; nonsense is the beginning."""
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else 0


class Reading:
    """The routes by which a browser learns what was said in its own chat."""

    def __init__(self, chat: WebChat, guard: Guard, most_streams: int) -> None:
        self._chat = chat
        self._guard = guard
        self._most_streams = most_streams
        self._closing = False

    def routes(self) -> list[web.RouteDef]:
        """Where to look."""
        return [
            web.get("/api/messages", self._messages),
            web.get("/api/events", self._events),
            web.get("/files/{message:[0-9]{1,15}}/{number:[0-9]{1,3}}", self._file),
        ]

    def close(self) -> None:
        """Ends the open streams."""
        self._closing = True
        self._chat.hang_up()

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        visitor = await self._guard.visitor(request)
        async with self._chat.database.read() as session:
            found = await webchat.since(session, visitor.address, _change(request.query.get("after", "")))
        return web.json_response([shown(row) for row in found])

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: each message as it is added or edited, after `Last-Event-ID`; `reset` when all is gone."""
        visitor = await self._guard.visitor(request)
        if self._chat.listening(visitor.address) >= MOST_STREAMS:
            raise self._guard.problem(web.HTTPTooManyRequests, "too_fast")
        if self._chat.listeners >= self._most_streams:  # the page asks now and then instead
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "30"})
        change = _change(request.headers.get("Last-Event-ID") or request.query.get("after", ""))
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        event = self._chat.listen(visitor.address)
        try:
            await response.write(b": hello\n\n")
            while not self._closing:
                event.clear()
                change = await self._tell(response, visitor.address, change)
                try:
                    await asyncio.wait_for(event.wait(), HEARTBEAT)
                except TimeoutError:
                    await response.write(b"event: beat\ndata: 1\n\n")
        except ConnectionResetError:
            pass  # the browser left
        finally:
            self._chat.forget(visitor.address, event)
        return response

    async def _tell(self, response: web.StreamResponse, address: str, change: int) -> int:
        """Writes what is new and returns the number of the newest change."""
        async with self._chat.database.read() as session:
            found = await webchat.since(session, address, change)
            if not found and await webchat.last_change(session, address) < change:
                # The person had everything erased: the page forgets it too, and the count begins again.
                await response.write(b"event: reset\nid: 0\ndata: {}\n\n")
                change = 0
                found = await webchat.since(session, address, change)
        for row in found:
            change = row.change
            data = json.dumps(shown(row), ensure_ascii=False)
            await response.write(f"id: {change}\ndata: {data}\n\n".encode())
        return change

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """A file of a message of one's own chat: photos are shown, everything else is only ever downloaded."""
        visitor = await self._guard.visitor(request)
        async with self._chat.database.read() as session:
            row = await webchat.get(session, visitor.address, int(request.match_info["message"]))
        media = from_json(row.payload).media if row is not None and not row.mine else ()
        number = int(request.match_info["number"])
        if number >= len(media):
            raise web.HTTPNotFound()
        item = media[number]
        path = self._chat.files / Path(item.file).name
        if not path.is_file():
            raise web.HTTPNotFound()
        headers = {"Content-Security-Policy": SANDBOX}
        if item.kind == "photo":
            headers["Content-Type"] = "image/png" if path.suffix == ".png" else "image/jpeg"
        else:
            plain = re.sub(r"[^A-Za-z0-9._-]", "_", item.name) or "file"
            headers["Content-Type"] = "application/octet-stream"
            headers["Content-Disposition"] = (
                f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(item.name or plain, safe='')}"
            )
        return web.FileResponse(path, headers=headers)
