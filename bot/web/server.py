"""The small web server: the chat page and its API, health, security headers on every answer; in the demo its panels."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.typedefs import Handler

from bot.channels.webchat import WebChat
from bot.settings import Settings
from bot.web.certificates import Certificates
from bot.web.doorway import ENOUGH, KEPT, Doorway
from bot.web.guard import PUBLIC_HTTPS, Guard, is_local, is_secure
from bot.web.hook import Hook
from bot.web.panels import Demo, Panels
from bot.web.reading import Reading
from bot.web.saying import Saying, Store
from bot.web.watching import healthz

__all__ = ["Demo", "WebServer"]

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
LARGEST_BODY = 128 * 1024
"""Bytes of a JSON body; forms with files are read piece by piece and have limits of their own."""
BACKLOG = 512
"""Connections that the system keeps for us while we are busy."""
SWEEP_EVERY = 3600.0
"""Seconds between looks for old uploads; the first comes late, so that after an outage what waits is fetched before."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
DEMO_POLICY = POLICY.replace("frame-ancestors 'none'", "frame-src 'self'; frame-ancestors 'self'")


TEXTS = {"text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml"}


def _is_ours(record: logging.LogRecord) -> bool:
    """Neither a phone that lost its line nor what is no proper HTTP: the Internet sends much of it, with cookies in it."""
    return not (record.exc_info and isinstance(record.exc_info[1], (BadHttpMessage, ConnectionResetError)))


http_log = logging.getLogger(f"{__name__}.http")
"""What aiohttp has to say of requests."""
http_log.addFilter(_is_ours)


@web.middleware
async def _only_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The demo answers under this machine's own name only: any other may have been rebound to reach everybody's chats."""
    if not is_local(request.host):
        raise web.HTTPMisdirectedRequest()
    return await handler(request)


class WebServer:
    """One page for one chat. With `demo`, any of its people's chats may be opened, on 127.0.0.1 only.

    `most` connections may be open at once. Without `pages` only Telegram finds something here.
    """

    def __init__(
        self,
        chat: WebChat,
        store: Store,
        settings: Settings,
        *,
        texts: Mapping[str, str],
        red: Callable[[], Sequence[str]],
        room: Callable[[], bool] = lambda: True,
        demo: Demo | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        most: int = ENOUGH,
        hook: Hook | None = None,
        pages: bool = True,
    ) -> None:
        if demo is not None and settings.web_host != "127.0.0.1":
            raise ValueError("the demo shows everybody's chats; it runs on 127.0.0.1 only")
        self._chat = chat
        self._settings = settings
        self._texts = dict(texts)
        self._red = red
        self._guard = Guard(
            chat.database,
            self._texts,
            address_of=demo.address_of if demo else None,
            now=chat.now,
            monotonic=monotonic,
            room=room,
        )
        self._doorway = Doorway(most)
        self._hook = hook
        self._pages = pages
        self._reading = Reading(chat, self._guard, self._doorway.most_streams)
        self._saying = Saying(chat, store, self._guard)
        self._certificates = Certificates(chat.database, self._guard, self._texts, settings.organisation)
        self._panels = Panels(demo, self._guard) if demo else None
        self._runner: web.AppRunner | None = None
        self._door: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None
        self.address = f"http://{settings.web_host}:{settings.web_port}/"

    def application(self) -> web.Application:
        """The routes; the demo's do not exist without it."""
        middlewares = [self._doorway.knows, _only_here] if self._panels else [self._doorway.knows]
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=middlewares)
        app[PUBLIC_HTTPS] = self._settings.web_address.startswith("https://")
        app.on_response_prepare.append(self._dress)
        app.cleanup_ctx.append(self._sweeping)
        app.add_routes([web.get("/healthz", healthz(self._red)), *(self._hook.routes() if self._hook else [])])
        if self._pages:
            app.router.add_static("/static", STATIC)
            app.add_routes(
                [
                    web.get("/", self._page),
                    web.get("/chat", self._page),
                    web.get("/u/{code}", self._unit),
                    web.get("/api/me", self._me),
                    *self._reading.routes(),
                    *self._saying.routes(),
                    *self._certificates.routes(),
                    *(self._panels.routes() if self._panels else []),
                ]
            )
        return app

    async def start(self) -> None:
        """Listens; `address` is where. Raises OSError when the port is taken: then it may be tried again."""
        if self._runner is None:
            self._runner = web.AppRunner(
                self.application(), access_log=None, logger=http_log, shutdown_timeout=2.0, keepalive_timeout=KEPT
            )
            await self._runner.setup()
        server, loop = self._runner.server, asyncio.get_running_loop()
        assert server is not None
        self._door = await loop.create_server(
            partial(self._doorway.enter, server), self._settings.web_host, self._settings.web_port, backlog=BACKLOG
        )
        self._watch = loop.create_task(self._doorway.watch(server))
        port = self._door.sockets[0].getsockname()[1]
        self.address = f"http://{self._settings.web_host}:{port}/"

    async def stop(self) -> None:
        """Ends open streams and stops listening."""
        self._reading.close()
        if self._watch is not None:
            self._watch.cancel()
        if self._door is not None:
            self._door.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _dress(self, request: web.Request, response: web.StreamResponse) -> None:
        """Headers of every answer, errors included."""
        response.headers.update(HEADERS)
        response.headers.setdefault("Content-Security-Policy", DEMO_POLICY if self._panels else POLICY)
        response.headers["Cache-Control"] = "no-cache" if request.path.startswith("/static/") else "no-store"
        response.headers.pop("Server", None)
        if response.content_type in TEXTS and response.charset is None:  # files from the disk come without one
            response.charset = "utf-8"
        if is_secure(request):
            response.headers["Strict-Transport-Security"] = "max-age=31536000"

    async def _sweeping(self, app: web.Application) -> AsyncIterator[None]:
        async def sweep() -> None:
            while True:
                await asyncio.sleep(SWEEP_EVERY)
                try:
                    await self._chat.sweep()
                except Exception:
                    log.exception("old uploads could not be looked at")

        task = asyncio.create_task(sweep())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """The chat; in the demo, `/` is the panels unless a link brings somebody to join."""
        panels = self._panels is not None and request.path == "/" and "start" not in request.query
        return web.FileResponse(STATIC / ("demo.html" if panels else "index.html"))

    async def _unit(self, request: web.Request) -> web.StreamResponse:
        """A short link for posters: the code of a unit or an invitation."""
        code = re.sub(r"[^A-Za-z0-9_-]", "", request.match_info["code"])[:60]
        raise web.HTTPFound(f"/?start=u-{code}")

    async def _me(self, request: web.Request) -> web.StreamResponse:
        """Opens or continues a browser's session; the page gets its token and its words."""
        response = web.json_response()
        visitor = await self._guard.welcome(request, response)
        response.text = json.dumps(
            {
                "csrf": visitor.csrf,
                "organisation": self._settings.organisation,
                "demo": self._panels is not None,
                "texts": self._texts,
            },
            ensure_ascii=False,
        )
        return response
