"""The small web server: the chat page and its API, files of one's own chat, health; in the demo also its panels."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from aiohttp import BodyPartReader, web

from bot.channels.webchat import WebChat
from bot.inbox import arrival
from bot.settings import Settings
from bot.web import guard
from content.message import from_json, rows
from db import webchat
from db.inbox import Arrival
from db.models import WebMessage

STATIC = Path(__file__).parent / "static"
LARGEST_FILE = 20 * 1024 * 1024
MOST_FILES = 10
LONGEST_TEXT = 20_000
HEARTBEAT = 20.0
KEY = re.compile(r"[\w-]{8,64}")
Store = Callable[[str, str, Sequence[Arrival]], Awaitable[int]]


class Demo(Protocol):
    """What the demo adds: people to be, and a clock that can be moved. It never leaves this machine."""

    def people(self) -> list[dict[str, str]]: ...

    def address_of(self, key: str) -> str: ...

    def clock(self) -> dict[str, Any]: ...

    async def move_clock(self, to: datetime) -> None: ...


class WebServer:
    """One page for one chat. With `demo`, any of its people's chats may be opened, on 127.0.0.1 only."""

    def __init__(
        self,
        chat: WebChat,
        store: Store,
        settings: Settings,
        *,
        texts: Mapping[str, str],
        health: Callable[[], dict[str, Any]],
        demo: Demo | None = None,
    ) -> None:
        if demo is not None and settings.web_host != "127.0.0.1":
            raise ValueError("the demo shows everybody's chats; it runs on 127.0.0.1 only")
        self._chat = chat
        self._store = store
        self._settings = settings
        self._texts = dict(texts)
        self._health = health
        self._demo = demo
        self._demo_csrf = guard.new_token()
        self._limits = guard.Limits()
        self._runner: web.AppRunner | None = None
        self._closing = False
        self.address = ""

    def application(self) -> web.Application:
        """The routes; the demo's do not exist without it."""
        app = web.Application(middlewares=[self._headers], client_max_size=LARGEST_FILE * 2)
        app.add_routes(
            [
                web.get("/", self._page("demo.html" if self._demo else "index.html")),
                web.get("/chat", self._page("index.html")),
                web.get("/u/{code}", self._unit),
                web.get("/healthz", self._healthz),
                web.get("/api/me", self._me),
                web.get("/api/messages", self._messages),
                web.get("/api/events", self._events),
                web.post("/api/say", self._say),
                web.post("/api/press", self._press),
                web.post("/api/files", self._files),
                web.get("/files/{message}/{number}", self._file),
            ]
        )
        app.router.add_static("/static", STATIC)
        if self._demo is not None:
            app.add_routes(
                [
                    web.get("/demo/people", self._demo_people),
                    web.get("/demo/clock", self._demo_clock),
                    web.post("/demo/clock", self._demo_move),
                ]
            )
        return app

    async def start(self) -> None:
        """Listens; `address` is where. Raises OSError when the port is taken."""
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=2.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.web_host, self._settings.web_port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.address = f"http://{self._settings.web_host}:{port}/"

    async def stop(self) -> None:
        """Ends open streams and stops listening."""
        self._closing = True
        self._chat.hang_up()
        if self._runner is not None:
            await self._runner.cleanup()

    # ------------------------------------------------------------------------------------------------ every request

    @web.middleware
    async def _headers(self, request: web.Request, handler: guard.Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = error
        if not response.prepared:
            response.headers.update(guard.HEADERS)
            response.headers.setdefault("Content-Security-Policy", guard.policy("self" if self._demo else "none"))
            if request.path.startswith(("/api", "/demo", "/files")) or request.path in ("/", "/chat"):
                response.headers["Cache-Control"] = "no-store"
        if isinstance(response, web.HTTPException):
            raise response
        return response

    def _page(self, name: str) -> guard.Handler:
        async def page(request: web.Request) -> web.StreamResponse:
            return web.FileResponse(STATIC / name)

        return page

    async def _unit(self, request: web.Request) -> web.StreamResponse:
        code = re.sub(r"[^A-Za-z0-9_-]", "", request.match_info["code"])[:60]
        raise web.HTTPFound(f"/?start=u-{code}")

    async def _healthz(self, request: web.Request) -> web.StreamResponse:
        found = self._health()
        return web.json_response(found, status=200 if found.get("ok") else 503)

    # ------------------------------------------------------------------------------------------------ who asks

    async def _session(self, request: web.Request) -> tuple[str, str]:
        """(address, csrf token) of whoever asks. Raises 401 for a browser without a session."""
        key = request.query.get("as", "")
        if self._demo is not None and key:
            try:
                return self._demo.address_of(key), self._demo_csrf
            except KeyError:
                raise web.HTTPNotFound() from None
        token = request.cookies.get(guard.SECURE_COOKIE) or request.cookies.get(guard.COOKIE) or ""
        if token:
            async with self._chat.database.read() as session:
                found = await webchat.find_session(session, guard.digest(token))
            if found is not None:
                return found.address, found.csrf
        raise web.HTTPUnauthorized()

    async def _poster(self, request: web.Request) -> str:
        """The address of whoever posts, after every check. Raises 401, 403, 429."""
        address, csrf = await self._session(request)
        if not guard.from_our_page(request) or not guard.same(request.headers.get("X-CSRF", ""), csrf):
            raise web.HTTPForbidden()
        if not self._limits.take(address, guard.POSTS_A_MINUTE / 60, guard.BURST, time.monotonic()):
            raise self._problem(web.HTTPTooManyRequests, "too_fast")
        return address

    def _problem(self, kind: type[web.HTTPClientError], text: str) -> web.HTTPException:
        body = json.dumps({"error": self._texts.get(text, text)}, ensure_ascii=False)
        if issubclass(kind, web.HTTPRequestEntityTooLarge):
            return kind(max_size=LARGEST_FILE, actual_size=LARGEST_FILE + 1, text=body, content_type="application/json")
        return kind(text=body, content_type="application/json")

    async def _me(self, request: web.Request) -> web.StreamResponse:
        response = web.json_response()
        try:
            address, csrf = await self._session(request)
        except web.HTTPUnauthorized:
            if not self._limits.take(f"ip:{request.remote}", guard.SESSIONS_AN_HOUR / 3600, 30, time.monotonic()):
                raise self._problem(web.HTTPTooManyRequests, "too_fast") from None
            token = guard.new_token()
            csrf = guard.new_token()
            address = f"w-{secrets.token_urlsafe(16)}"
            async with self._chat.database.write() as session:
                await webchat.open_session(session, guard.digest(token), address, csrf, self._chat.now())
            secure = guard.is_secure(request)
            response.set_cookie(
                guard.SECURE_COOKIE if secure else guard.COOKIE,
                token,
                httponly=True,
                samesite="Strict",
                secure=secure,
                path="/",
                max_age=180 * 86400,
            )
        response.text = json.dumps(
            {
                "csrf": csrf,
                "organisation": self._settings.organisation,
                "demo": self._demo is not None,
                "texts": self._texts,
            },
            ensure_ascii=False,
        )
        return response

    # ------------------------------------------------------------------------------------------------ reading

    def _shown(self, row: WebMessage) -> dict[str, Any]:
        if row.mine:
            body = row.payload
        else:
            message = from_json(row.payload)
            body = {
                "text": message.text,
                "rows": [
                    [{"label": c.label, "data": c.data(message.screen)} for c in line] for line in rows(message.choices)
                ],
                "media": [
                    {"kind": m.kind, "name": m.name, "url": f"files/{row.id}/{n}"} for n, m in enumerate(message.media)
                ],
            }
        return {"id": row.id, "mine": row.mine, "change": row.change, "at": row.at.isoformat(), **body}

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        address, _ = await self._session(request)
        after = request.query.get("after", "0")
        async with self._chat.database.read() as session:
            found = await webchat.since(session, address, int(after) if after.isdigit() else 0)
        return web.json_response([self._shown(row) for row in found])

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: each message as it is added or edited; resumes after `Last-Event-ID`."""
        address, _ = await self._session(request)
        last = request.headers.get("Last-Event-ID") or request.query.get("after", "0")
        change = int(last) if last.isdigit() else 0
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"} | guard.HEADERS
        )
        await response.prepare(request)
        event = self._chat.listen(address)
        try:
            while not self._closing:
                event.clear()
                async with self._chat.database.read() as session:
                    found = await webchat.since(session, address, change)
                for row in found:
                    change = row.change
                    data = json.dumps(self._shown(row), ensure_ascii=False)
                    await response.write(f"id: {row.change}\ndata: {data}\n\n".encode())
                try:
                    await asyncio.wait_for(event.wait(), HEARTBEAT)
                except TimeoutError:
                    await response.write(b": still here\n\n")
        except ConnectionResetError:
            pass
        finally:
            self._chat.forget(address, event)
        return response

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """A file of a message of one's own chat: photos are shown, everything else is only ever downloaded."""
        address, _ = await self._session(request)
        message, number = request.match_info["message"], request.match_info["number"]
        if not (message.isdigit() and number.isdigit()):
            raise web.HTTPNotFound()
        async with self._chat.database.read() as session:
            row = await webchat.get(session, address, int(message))
        media = from_json(row.payload).media if row is not None and not row.mine else ()
        if int(number) >= len(media):
            raise web.HTTPNotFound()
        item = media[int(number)]
        path = self._chat.files / Path(item.file).name
        if not path.is_file():
            raise web.HTTPNotFound()
        headers = {"Content-Security-Policy": "sandbox; default-src 'none'"}
        if item.kind == "photo":
            headers["Content-Type"] = "image/jpeg" if path.suffix != ".png" else "image/png"
        else:
            plain = re.sub(r"[^A-Za-z0-9._-]", "_", item.name) or "file"
            headers["Content-Type"] = "application/octet-stream"
            headers["Content-Disposition"] = f'attachment; filename="{plain}"'
        return web.FileResponse(path, headers=headers)

    # ------------------------------------------------------------------------------------------------ saying

    async def _body(self, request: web.Request, *names: str) -> list[str]:
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType()
        try:
            data = json.loads(await request.text())
            found = [data[name] for name in names]
        except (ValueError, KeyError, TypeError):
            raise web.HTTPBadRequest() from None
        if not all(isinstance(value, str) and len(value) <= LONGEST_TEXT for value in found):
            raise self._problem(web.HTTPBadRequest, "too_long")
        return found

    def _key(self, given: str) -> str:
        if not KEY.fullmatch(given):
            raise web.HTTPBadRequest()
        return given

    async def _accept(
        self, address: str, mine: dict[str, Any], raws: list[tuple[str, dict[str, Any]]]
    ) -> web.StreamResponse:
        """Stores what was said, then answers 200: only now may the browser forget it. A repeat changes nothing."""
        added = await self._store(
            self._chat.name,
            "web",
            [arrival(f"{address}:{key}", address, {"address": address, **raw}) for key, raw in raws],
        )
        if added:
            async with self._chat.database.write() as session:
                await webchat.add(session, address, mine, self._chat.now(), mine=True)
            self._chat.changed(address)
        return web.json_response({"stored": added})

    async def _say(self, request: web.Request) -> web.StreamResponse:
        address = await self._poster(request)
        text, key = await self._body(request, "text", "key")
        hidden = text.startswith("/start")
        mine = {"text": "" if hidden else text, "quiet": hidden}
        return await self._accept(address, mine, [(self._key(key), {"text": text})])

    async def _press(self, request: web.Request) -> web.StreamResponse:
        address = await self._poster(request)
        data, label, key = await self._body(request, "data", "label", "key")
        return await self._accept(address, {"text": label[:80], "pressed": True}, [(self._key(key), {"choice": data})])

    async def _files(self, request: web.Request) -> web.StreamResponse:
        """Several files are one album: one update each, stored together; the caption goes with the first."""
        address = await self._poster(request)
        if not request.content_type.startswith("multipart/"):
            raise web.HTTPUnsupportedMediaType()
        fields = {"caption": "", "key": ""}
        found: list[list[Any]] = []
        self._chat.uploads.mkdir(parents=True, exist_ok=True)
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            if part.name in fields:
                fields[part.name] = (await part.text())[:LONGEST_TEXT]
            elif part.filename is not None and len(found) < MOST_FILES:
                found.append(await self._upload(part))
        key = self._key(fields["key"])
        if not found:
            raise self._problem(web.HTTPBadRequest, "no_file")
        group = key if len(found) > 1 else ""
        raws = [
            (f"{key}.{n}", {"text": fields["caption"] if n == 0 else "", "files": [file], "group": group})
            for n, file in enumerate(found)
        ]
        return await self._accept(address, {"text": fields["caption"], "files": [file[2] for file in found]}, raws)

    async def _upload(self, part: BodyPartReader) -> list[Any]:
        name = f"{secrets.token_hex(16)}"
        path = self._chat.uploads / name
        size = 0
        with path.open("wb") as file:
            while block := await part.read_chunk(1 << 16):
                size += len(block)
                if size > LARGEST_FILE:
                    file.close()
                    path.unlink()
                    raise self._problem(web.HTTPRequestEntityTooLarge, "too_big")
                file.write(block)
        kind = {"image": "photo", "video": "video", "audio": "voice"}.get(
            part.headers.get("Content-Type", "").partition("/")[0], "document"
        )
        return [kind, name, Path(part.filename or "").name[:120], size]

    # ------------------------------------------------------------------------------------------------ demo

    async def _demo_people(self, request: web.Request) -> web.StreamResponse:
        assert self._demo is not None
        return web.json_response(self._demo.people())

    async def _demo_clock(self, request: web.Request) -> web.StreamResponse:
        assert self._demo is not None
        return web.json_response(self._demo.clock())

    async def _demo_move(self, request: web.Request) -> web.StreamResponse:
        assert self._demo is not None
        if not guard.from_our_page(request) or not guard.same(request.headers.get("X-CSRF", ""), self._demo_csrf):
            raise web.HTTPForbidden()
        (to,) = await self._body(request, "to")
        try:
            moment = datetime.fromisoformat(to)
        except ValueError:
            raise web.HTTPBadRequest() from None
        if moment.tzinfo is None:
            raise web.HTTPBadRequest()
        await self._demo.move_clock(moment)
        return web.json_response(self._demo.clock())
