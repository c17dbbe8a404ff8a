"""What may be asked from outside: health, metrics and status, over a socket in the data folder and where a setting says.

Never part of the web chat's server: behind a proxy it is public even where it listens on 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.metrics import CONTENT_TYPE
from bot.watch import Watch

SOCKET = "congdoan.sock"
LONGEST = 100
"""Bytes that a socket's path may have: the system's limit is 108."""
PATIENCE = 3.0
"""Seconds that a process gets to answer; one that does not is stuck."""


def healthz(red: Callable[[], Sequence[str]]) -> Callable[[web.Request], Any]:
    """The answer for whoever balances load: 200, or 503 with the names of what is wrong. It asks nothing of any table."""

    async def answer(request: web.Request) -> web.StreamResponse:
        names = red()
        if not names:
            return web.json_response({"status": "ok"})
        return web.json_response({"status": "trouble", "troubles": list(names)}, status=503)

    return answer


class WatchServer:
    """Listens on the data folder's socket, and on `host`:`port` where one is given."""

    def __init__(self, watch: Watch, folder: Path, host: str, port: int | None) -> None:
        self._watch = watch
        self._folder = folder
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None
        self._mine = 0
        self.address = ""

    async def start(self) -> None:
        """Listens. Raises OSError when the port is taken: the socket listens even so, and another try may open the port."""
        if self._runner is None:
            await self._listen_here()
        if self._port is None:
            return
        assert self._runner is not None
        site = web.TCPSite(self._runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            await site.stop()
            where = f"{self._host}:{self._port} (CONGDOAN_WATCH_ADDRESS)"
            raise OSError(error.errno, error.strerror or str(error), where) from error
        self.address = f"http://{self._host}:{self._runner.addresses[-1][1]}/"

    async def _listen_here(self) -> None:
        """On the socket."""
        app = web.Application(client_max_size=1024)
        app.add_routes(
            [
                web.get("/healthz", healthz(self._watch.red)),
                web.get("/metrics", self._metrics),
                web.get("/status", self._status),
            ]
        )
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            with _short(self._folder) as path:
                path.unlink(missing_ok=True)  # a killed process leaves it; the lock says that it is nobody's
                await web.UnixSite(runner, str(path)).start()
                self._mine = path.stat().st_ino
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner

    async def stop(self) -> None:
        """Stops listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        with suppress(FileNotFoundError):
            if (self._folder / SOCKET).stat().st_ino == self._mine:  # not that of whoever leads after us
                (self._folder / SOCKET).unlink()

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=(await self._watch.metrics()).encode(), headers={"Content-Type": CONTENT_TYPE})

    async def _status(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._watch.report())


async def ask(folder: Path) -> dict[str, Any] | None:
    """What the process of a data folder reports; None where none runs. Raises TimeoutError when it does not answer."""
    try:
        with _short(folder) as path:
            async with (
                asyncio.timeout(PATIENCE),
                aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as client,
                client.get("http://congdoan/status") as answer,
            ):
                found: dict[str, Any] = await answer.json()
                return found
    except (aiohttp.ClientError, OSError) as error:
        if isinstance(error, TimeoutError):
            raise
        return None


@contextmanager
def _short(folder: Path) -> Iterator[Path]:
    """The socket's path, by way of an open folder where it would be too long."""
    path = folder / SOCKET
    if len(os.fsencode(path)) <= LONGEST:
        yield path
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        yield Path(f"/proc/self/fd/{opened}") / SOCKET
    finally:
        os.close(opened)
