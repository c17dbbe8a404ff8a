"""The demo's panels: the people one can be, and the clock that can be moved."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Protocol

from aiohttp import web

from bot.web.guard import Guard
from bot.web.saying import body

FURTHEST = timedelta(days=400)
"""How far the clock goes in one step: every due moment on the way is lived through."""


class Demo(Protocol):
    """What the demo adds: people to be, and a clock that can be moved. It never leaves this machine."""

    async def people(self) -> list[dict[str, Any]]: ...

    def address_of(self, key: str) -> str: ...

    async def clock(self) -> dict[str, Any]: ...

    async def move_clock(self, to: datetime) -> None: ...


class Panels:
    """Routes that exist in the demo only."""

    def __init__(self, demo: Demo, guard: Guard) -> None:
        self._demo = demo
        self._guard = guard

    def routes(self) -> list[web.RouteDef]:
        """Where the panels are."""
        return [
            web.get("/demo/people", self._people),
            web.get("/demo/clock", self._clock),
            web.post("/demo/clock", self._move),
        ]

    async def _people(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(await self._demo.people())

    async def _clock(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(await self._demo.clock())

    async def _move(self, request: web.Request) -> web.StreamResponse:
        self._guard.check_page(request, self._guard.demo_csrf)
        data = await body(request)
        try:
            moment = datetime.fromisoformat(str(data.get("to", "")))
            ahead = moment - datetime.fromisoformat((await self._demo.clock())["now"])
        except (ValueError, TypeError):  # no time at all, or one without a zone
            raise web.HTTPBadRequest() from None
        if ahead > FURTHEST:
            raise web.HTTPBadRequest()
        await self._demo.move_clock(moment)
        return web.json_response(await self._demo.clock())
