"""The route by which Telegram brings updates. 200 means that it is committed; anything else and it comes again."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.channels.telegram.webhook import Webhook

LARGEST_UPDATE = 1024 * 1024
"""Bytes; Telegram's are a hundredth of it."""
SLOWEST = 30.0
"""Seconds until an update has come whole."""
SECRET = "X-Telegram-Bot-Api-Secret-Token"
FULL, BUSY = 60, 5
"""Seconds after which Telegram should come again while the disk is full, and while nothing can be written."""

log = logging.getLogger(__name__)


class Hook:
    """Takes one update a request, from whoever knows the path and the secret: Telegram alone."""

    def __init__(self, webhook: Webhook, take: Callable[[Any], Awaitable[None]], room: Callable[[], bool]) -> None:
        self._webhook = webhook
        self._take = take
        self._room = room

    def routes(self) -> list[web.RouteDef]:
        """Where Telegram brings them."""
        return [web.post("/telegram/{path}", self._bring)]

    async def _bring(self, request: web.Request) -> web.StreamResponse:
        if not _same(request.path, self._webhook.path):
            raise web.HTTPNotFound()
        if not _same(request.headers.get(SECRET, ""), self._webhook.secret):
            raise web.HTTPForbidden()
        if not self._room():
            raise web.HTTPServiceUnavailable(headers={"Retry-After": str(FULL)})
        raw = await _read(request)
        try:
            await self._take(raw)
        except Exception as error:
            log.warning("an update could not be stored (%s); Telegram brings it again", type(error).__name__)
            raise web.HTTPServiceUnavailable(headers={"Retry-After": str(BUSY)}) from None
        return web.Response()


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), known.encode())


async def _read(request: web.Request) -> Any:
    """What a body says. Raises 400, 408, 413 and 415."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType()
    try:
        async with asyncio.timeout(SLOWEST):
            return json.loads(await request.clone(client_max_size=LARGEST_UPDATE).read())
    except TimeoutError:
        raise web.HTTPRequestTimeout() from None
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest() from None
