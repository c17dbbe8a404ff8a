"""A Bot API in a process of its own that does next to nothing per call, so that it is never the bottleneck.

    python -m tests.bench.server            prints its address; POST /control sets it anew and tells what happened

The fake of `tests/fakes/botapi` is right in every detail and costs a millisecond a call; this one costs some 0.03.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter, deque
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl

from tests.fakes.botapi.faults import Bucket, Limit, SlidingSecond


class Presses:
    """People who write one after the other, at their rate whatever happens, and how long each waits for an answer."""

    def __init__(self, number: int, rate: float, first: int, chats: int) -> None:
        self.left, self.rate, self.first, self.chats = number, rate, first, chats
        self.made = 0
        self.since: dict[str, float] = {}
        self.waits: list[float] = []
        self.began = time.monotonic()
        asyncio.get_running_loop().call_soon(self.press)

    def press(self) -> None:
        """One writes; whoever polls hears of it."""
        chat, due = self.first + self.made % self.chats, self.began + self.made / self.rate
        self.since[str(chat)] = due
        person = {"id": chat, "is_bot": False, "first_name": "A"}
        message = {"message_id": self.made, "date": int(time.time()), "text": "menu", "from": person}
        state.updates.append(
            {"update_id": 1000 + self.made, "message": message | {"chat": {"id": chat, "type": "private"}}}
        )
        self.made += 1
        self.left -= 1
        came()
        if self.left:
            after = self.began + self.made / self.rate - time.monotonic()
            asyncio.get_running_loop().call_later(max(0.0, after), self.press)


def limit(kind: str, rate: float) -> Limit | None:
    """How the platform holds one back, if it does."""
    if kind == "bucket":
        return Bucket(float(rate), float(rate))
    return SlidingSecond(int(rate)) if kind == "window" else None


class State:
    """What one measurement needs: how long answers take, how fast one may send, what waits to be polled."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.delay = float(order.get("delay", 0.0))
        self.kind, self.limit = str(order.get("limit", "")), limit(order.get("limit", ""), order.get("rate", 30))
        self.lower: tuple[float, float] | None = tuple(order["lower"]) if "lower" in order else None
        """Seconds after the first message, and the rate from then on."""
        self.sent = self.refused = self.message = 0
        self.first = self.last = 0.0
        self.times: list[float] = []
        self.refusals: list[float] = []
        self.counted = order.get("count")
        self.chats: Counter[str] = Counter()
        self.presses = Presses(**order["presses"]) if "presses" in order else None
        self.updates: deque[dict[str, Any]] = deque(order.get("updates", ()))
        self.listens = bool(order.get("listens"))
        self.heard: dict[str, list[str]] = {}
        """By chat, how what was said begins, in order."""
        self.taps = int(order.get("taps", 0))
        """How often the first button of an answer is still pressed, as soon as it is there, by whom it is for."""
        self.newest = self.updates[-1]["update_id"] if self.updates else 0
        self.cpu = time.process_time()

    def told(self, whole: bool) -> dict[str, Any]:
        """How it went; the whole of it costs whoever asks some time."""
        waits = self.presses.waits if self.presses is not None else []
        found = {
            "sent": self.sent,
            "refused": self.refused,
            "seconds": self.last - self.first,
            "cpu": time.process_time() - self.cpu,
            "answered": len(waits),
        }
        return found | (
            {"times": self.times, "refusals": self.refusals, "chats": self.chats, "waits": waits, "heard": self.heard}
            if whole
            else {}
        )


state = State({})
polls: list[tuple[Connection, int]] = []
"""Who waits for something to come."""
LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
HEAD = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
MESSAGE = b'{"ok": true, "result": {"message_id": %8d, "date": 1753437300, "chat": {"id": 1, "type": "private"}, "text": "x"}}'
SAID = HEAD % (200, len(MESSAGE % 1)) + MESSAGE
"""The whole answer to a message but for its number."""
BEGINNING = 60
"""Characters by which messages are told apart."""


def came() -> None:
    """Something is there for whoever polls."""
    if state.updates:
        waiting, polls[:] = list(polls), []
        for connection, offset in waiting:
            if not connection.transport.is_closing():
                connection.hand_over(offset)


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            found = LENGTH.search(self.buffer, 0, end)
            whole = end + 4 + (int(found[1]) if found is not None else 0)
            if len(self.buffer) < whole:
                return
            first = self.buffer.index(b" HTTP/")
            method = self.buffer[self.buffer.rindex(b"/", 0, first) + 1 : first]
            body, self.buffer = self.buffer[end + 4 : whole], self.buffer[whole:]
            self.call(method.decode(), body)

    def call(self, method: str, body: bytes) -> None:
        global state
        if method in ("control", "report"):
            told = state.told(method == "report")
            if body:
                state = State(json.loads(body))
                came()
            self.answer(told, 0)
        elif method == "getUpdates":
            self.poll(body)
        elif method == "getMe":
            me = {"id": 1, "is_bot": True, "first_name": "B", "username": "bench_bot"}
            self.answer({"ok": True, "result": me}, 0)
        elif method in ("sendMessage", "editMessageText"):
            self.say(body)
        else:
            self.answer({"ok": True, "result": True}, state.delay)

    def say(self, body: bytes) -> None:
        now = time.monotonic()
        if state.lower is not None and state.first and now - state.first > state.lower[0]:
            state.limit, state.lower = limit(state.kind, state.lower[1]), None
        after = state.limit.wait(now) if state.limit is not None else 0
        if after:
            state.refused += 1
            state.refusals.append(now)
            error = {"ok": False, "error_code": 429, "description": "Too Many Requests"}
            self.answer(error | {"parameters": {"retry_after": after}}, state.delay, 429)
            return
        state.sent += 1
        state.message += 1
        if state.counted is not None:
            said = json.loads(body)
            chat = str(said["chat_id"])
            if said["text"] == state.counted:
                state.chats[chat] += 1
            elif state.presses is not None and chat in state.presses.since:
                state.presses.waits.append(now - state.presses.since.pop(chat))
        state.first = state.first or now
        state.last = now
        if len(state.times) < 20_000:
            state.times.append(now)
        if state.listens or state.taps:
            self.hear(body)
        self.later(SAID % state.message, state.delay)

    def hear(self, body: bytes) -> None:
        """Reads a message as whom it is for would, and presses its first button."""
        said = json.loads(body) if body[:1] == b"{" else dict(parse_qsl(body.decode()))
        chat, number = str(said["chat_id"]), state.message
        state.heard.setdefault(chat, []).append(said["text"][:BEGINNING])
        buttons = chain.from_iterable(json.loads(said.get("reply_markup", "{}")).get("inline_keyboard", ()))
        data = next((each["callback_data"] for each in buttons if each["callback_data"].startswith("s:")), None)
        if data is None or not state.taps:
            return
        state.taps -= 1
        state.newest += 1
        who = {"id": int(chat), "is_bot": False, "first_name": "A"}
        under = {"message_id": number, "date": 1_753_437_300, "chat": {"id": int(chat), "type": "private"}, "text": "x"}
        press = {"id": str(state.newest), "from": who, "message": under, "chat_instance": "1", "data": data}
        state.updates.append({"update_id": state.newest, "callback_query": press})
        asyncio.get_running_loop().call_later(state.delay / 2, came)

    def poll(self, body: bytes) -> None:
        try:
            fields = json.loads(body)
        except ValueError:
            fields = dict(pair.split("=", 1) for pair in body.decode().split("&") if "=" in pair)
        self.hand_over(int(fields.get("offset", 0)), waits=bool(int(fields.get("timeout", 0))))

    def hand_over(self, offset: int, *, waits: bool = True) -> None:
        """What waits; an empty answer `waits` for the next."""
        while state.updates and state.updates[0]["update_id"] < offset:
            state.updates.popleft()
        if not state.updates and waits:
            polls.append((self, offset))
            return
        delay = 0.0 if state.presses is not None and state.presses.left else state.delay
        found = [update for _, update in zip(range(100), state.updates, strict=False)]
        self.answer({"ok": True, "result": found}, delay)

    def answer(self, body: dict[str, Any], delay: float, status: int = 200) -> None:
        raw = json.dumps(body, ensure_ascii=False).encode()
        self.later(HEAD % (status, len(raw)) + raw, delay)

    def later(self, raw: bytes, delay: float) -> None:
        if delay:
            asyncio.get_running_loop().call_later(delay, self.write, raw)
        else:
            self.write(raw)

    def write(self, raw: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(raw)


async def main() -> None:
    """Serves until it is killed."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
