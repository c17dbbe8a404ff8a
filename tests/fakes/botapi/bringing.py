"""How the platform brings updates to a webhook: in order within a chat, several chats at once, again until it hears a 2xx."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.fakes.botapi.state import State, Waiting

FIRST = 1.0
SLOWEST_AGAIN = (60.0, 120.0)
"""Seconds until an update that was not taken comes again: doubled each time up to a random one of these (WebhookActor.cpp)."""
LONGEST_AFTER = 3600.0
"""Seconds; a Retry-After beyond is not believed."""
PATIENCE = 60.0
"""Seconds for which it waits for an answer."""
GONE = timedelta(hours=23)
"""After so long of nothing but 410 it forgets the webhook."""


class Bringer:
    """`at` is where the webhook's public address leads in a test; a share `deaf` of the answers is lost on the way."""

    def __init__(self, state: State, look: Callable[[], None]) -> None:
        self._state = state
        self._look = look
        self._lanes: dict[int, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._gone_since: Any = None
        self.working = False
        """Whether anything is brought: while the platform is there."""
        self._random = Random(0)
        self.at = ""
        self.deaf = 0.0
        self.first, self.longest = FIRST, SLOWEST_AGAIN
        self.brought = 0
        """How many requests were made."""

    def changed(self) -> None:
        """An update came, or a webhook: each chat that waits has somebody who brings."""
        if self._state.webhook and self.working:
            for waiting in self._state.queue:
                lane = lane_of(waiting.raw)
                if lane not in self._lanes and len(self._lanes) < self._state.max_connections:
                    self._lanes[lane] = asyncio.create_task(self._bring_all(lane))

    async def stop(self) -> None:
        """Brings nothing any more."""
        self.working = False
        for task in self._lanes.values():
            task.cancel()
        await asyncio.gather(*self._lanes.values(), return_exceptions=True)
        self._lanes.clear()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _bring_all(self, lane: int) -> None:
        """One chat's, oldest first; while one is not taken, those behind it wait."""
        try:
            again = self.first
            while self._state.webhook and (waiting := self._oldest(lane)) is not None:
                taken, after = await self._bring(waiting)
                if taken:
                    if waiting in self._state.queue:
                        self._state.queue.remove(waiting)
                        self._state.confirmed.append(waiting.update_id)
                    again = self.first
                    self._look()
                else:
                    await asyncio.sleep(after or again)
                    again = min(again * 2, self._random.uniform(*self.longest))
        finally:
            self._lanes.pop(lane, None)
            if self.working:
                asyncio.get_running_loop().call_soon(self.changed)

    def _oldest(self, lane: int) -> Waiting | None:
        now = self._state.now()
        for waiting in list(self._state.queue):
            if waiting.expires < now:
                self._state.queue.remove(waiting)
                self._state.expired.append(waiting.update_id)
            elif lane_of(waiting.raw) == lane:
                return waiting
        return None

    async def _bring(self, waiting: Waiting) -> tuple[bool, float]:
        """Whether it heard that it was taken, and the seconds after which it is to come again, 0 where none were named."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE))
        url = self._state.webhook
        if self.at:
            url = self.at.rstrip("/") + urlsplit(url).path
        headers = {"X-Telegram-Bot-Api-Secret-Token": self._state.secret} if self._state.secret else {}
        self.brought += 1
        try:
            async with self._session.post(url, json=waiting.raw, headers=headers, allow_redirects=False) as answer:
                status, after = answer.status, answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._fail(f"Connection failed ({type(error).__name__})")
            return False, 0.0
        if self._random.random() < self.deaf:
            self._fail("Read timeout expired")
            return False, 0.0
        self._gone(status)
        if not 200 <= status < 300:
            self._fail(f"Wrong response from the webhook: {status}")
            self._look()
        return 200 <= status < 300, min(float(after), LONGEST_AFTER) if after.isdigit() else 0.0

    def _fail(self, how: str) -> None:
        self._state.failed = int(self._state.now().timestamp()), how

    def _gone(self, status: int) -> None:
        now = self._state.now()
        if status != 410:
            self._gone_since = None
        elif self._gone_since is None:
            self._gone_since = now
        elif now - self._gone_since >= GONE:
            self._state.webhook = ""


def lane_of(raw: Any) -> int:
    """The chat or the person whose updates stay in order."""
    if isinstance(raw, dict):
        for part in raw.values():
            if isinstance(part, dict):
                for where in (part.get("chat"), part.get("from")):
                    if isinstance(where, dict) and isinstance(where.get("id"), int):
                        return int(where["id"])
    return 0
