"""How fast a flood that a webhook brings is stored: each answer after its commit, many chats at once, and what it delays."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from bot.channels.telegram.webhook import CONNECTIONS, Webhook
from tests.bench import town
from tests.bench.handling import updates
from tests.bench.stage import TOKEN, Server, child, part
from tests.bench.starts import Bot, ask

RATE = 1000.0
"""Updates a second."""
NUMBER = 200_000
PEOPLE = 5_000
ADDRESS = "https://tro-ly.example.vn"
HOOK = Webhook.of(TOKEN, ADDRESS)


class Line(asyncio.Protocol):
    """One kept connection: a request at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or self._answer is None:
            return
        head = self._buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) >= end + 4 + length:
            status, self._buffer = int(head.split(b" ", 2)[1]), b""
            answer, self._answer = self._answer, None
            answer.set_result(status)

    async def post(self, path: str, secret: str, body: bytes) -> int:
        """The status."""
        self._answer = asyncio.get_running_loop().create_future()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {secret}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        return await self._answer


async def flood(port: int, number: int, rate: float) -> dict[str, Any]:
    """Brings so many at so many a second; waits count from when each was to leave."""
    loop = asyncio.get_running_loop()
    lines = [(await loop.create_connection(Line, "127.0.0.1", port))[1] for _ in range(CONNECTIONS)]
    bodies = [json.dumps(each).encode() for each in updates(number, PEOPLE)]
    waits: list[float] = []
    statuses: dict[int, int] = {}
    began = time.monotonic()
    due = iter(range(number))

    async def bring(line: Line) -> None:
        for n in due:
            at = began + n / rate
            if (delay := at - time.monotonic()) > 0:
                await asyncio.sleep(delay)
            status = await line.post(HOOK.path, HOOK.secret, bodies[n])
            waits.append(time.monotonic() - at)
            statuses[status] = statuses.get(status, 0) + 1

    await asyncio.gather(*map(bring, lines))
    took = time.monotonic() - began
    waits.sort()
    return {
        "rate": number / took, "taken": statuses.get(200, 0), "half": waits[len(waits) // 2],
        "p99": waits[len(waits) * 99 // 100], "most": waits[-1], "cpu": time.process_time() / took,
    }  # fmt: skip


async def run(at: Server, folder: Path) -> None:
    """Prints how it went."""
    data = folder / "flood"
    data.mkdir()
    file, number = data / "congdoan.db", part(NUMBER)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    await (await town.build(f"sqlite+aiosqlite:///{file}", 100)).close()
    await at.control(delay=0.0)
    bot = Bot(
        data, at.url, RATE, CONGDOAN_TELEGRAM_WEBHOOK="true", CONGDOAN_WEB_ADDRESS=ADDRESS, CONGDOAN_WEB_PORT=str(port)
    )
    await bot.start()
    told = await child("tests.bench.flood", str(port), str(number), str(RATE))
    answered = (await at.control())["sent"]
    await bot.end(signal.SIGTERM)
    stored = ask(file, "SELECT 'all', count(*) FROM inbox")["all"]
    print(
        f"\nA flood of {number:,} updates of {PEOPLE:,} chats by {CONNECTIONS} connections of a webhook, {RATE:,.0f} a second"
    )
    print(
        f"  {told['rate']:,.0f} a second answered 200 after their commit: median {told['half'] * 1000:.0f} ms, 99th"
        f" {told['p99'] * 1000:.0f} ms, at most {told['most'] * 1000:.0f} ms from when each was to leave;"
        f" who brings them is busy {told['cpu']:.0%} of the time"
    )
    print(f"  {told['taken']:,.0f} got a 200, {stored:,} are stored; {answered:,} were answered meanwhile")


if __name__ == "__main__":
    os.sched_setaffinity(0, {(os.cpu_count() or 1) - 1})  # beside the server, not beside the bot
    print(json.dumps(asyncio.run(flood(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))))
