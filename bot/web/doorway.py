"""How many may stand in the web server's door at once, and for how long without a word: the house behind it needs files too."""

from __future__ import annotations

import asyncio
import resource
from contextlib import suppress

from aiohttp import web
from aiohttp.typedefs import Handler

OTHERS = 320
"""Open files that are not the web server's: connections to Telegram (128 announcements, 32 replies, polls and files), the
database with its readers, what is being drawn, cleaned or copied."""
ENOUGH = 20_000
"""More than any federation has at once; each is a few kilobytes."""
FEWEST = 32
SILENT = 30.0
"""Seconds within which a new connection asks for something."""
GLANCE = 1.0
"""Seconds between two looks at those that have not."""
KEPT = 75.0
"""Seconds for which a connection stays open for the next question; longer than a proxy keeps it, which asks on it."""


def most_connections() -> int:
    """How many the system's limit of open files lets in. Raises our own limit as far as it may: 1,024, as most systems begin
    with, is fewer than have the page open in the last half hour of a contest."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH + OTHERS if hard == resource.RLIM_INFINITY else min(ENOUGH + OTHERS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # some systems allow less than they say
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return max(FEWEST, min(ENOUGH, soft - OTHERS) if soft != resource.RLIM_INFINITY else ENOUGH)


class Doorway:
    """Makes the server's connections: `most` at once, further ones are shut at once, and so are those that ask for nothing."""

    def __init__(self, most: int, silent: float = SILENT) -> None:
        self.most = most
        self._silent = silent
        self._strangers: dict[web.RequestHandler, float] = {}
        """Those that have not asked for anything yet, and when they came."""

    @property
    def most_streams(self) -> int:
        """Pages that may listen at once: a quarter of the room is for what they say."""
        return self.most * 3 // 4

    def enter(self, server: web.Server) -> asyncio.Protocol:
        """The protocol for one who has come to the door."""
        if len(server.connections) >= self.most:
            return _Shut()
        protocol = server()
        self._strangers[protocol] = asyncio.get_running_loop().time()
        return protocol

    async def watch(self, server: web.Server) -> None:
        """Shows out, until it is cancelled, who has stood there in silence for too long."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(GLANCE)
            now, here = loop.time(), set(server.connections)
            for protocol, since in list(self._strangers.items()):
                if now - since >= self._silent and protocol in here and protocol.transport is not None:
                    protocol.transport.abort()
                if now - since >= GLANCE and (protocol not in here or now - since >= self._silent):
                    del self._strangers[protocol]

    @web.middleware
    async def knows(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Notes that a connection has asked for something."""
        self._strangers.pop(request.protocol, None)
        return await handler(request)


class _Shut(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.abort()  # type: ignore[attr-defined]
