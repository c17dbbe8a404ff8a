"""Polls Telegram for as long as the process lives, and knows whether that works."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.channels.telegram import Telegram
from bot.clock import Clock
from bot.inbox import Inbox
from db import house
from db.session import Database
from handlers.talk import House

DEAD = timedelta(seconds=90)
"""Without a successful poll for this long the process is not healthy (promises §1.4)."""
NOTED = timedelta(seconds=5)
"""How often a successful poll is written down, for `congdoan status`."""


class Polling:
    """What comes from Telegram goes into the inbox; the bot's name, once Telegram has said it, into every link."""

    def __init__(self, telegram: Telegram, inbox: Inbox, database: Database, house: House, clock: Clock) -> None:
        self._telegram = telegram
        self._inbox = inbox
        self._database = database
        self._house = house
        self._clock = clock
        self._at: float | None = None
        self._noted: datetime | None = None
        telegram.polled = self._polled

    async def run(self) -> None:
        """Polls for ever."""
        await self._introduce()
        await self._telegram.run(self._inbox.store)

    def works(self) -> bool:
        """Whether there was a successful poll lately."""
        return self._at is not None and self._clock.monotonic() - self._at <= DEAD.total_seconds()

    async def _introduce(self) -> None:
        """Learns the bot's name; a start without a network is no reason never to have links."""
        name = await self._telegram.introduce()
        if name:
            self._house.links["telegram"] = f"https://t.me/{name}?start={{}}"
            async with self._database.write() as session:
                await house.remember(session, "telegram_name", {"name": name}, self._clock.now())

    async def _polled(self) -> None:
        self._at, now = self._clock.monotonic(), self._clock.now()
        if "telegram" not in self._house.links:
            await self._introduce()
        if self._noted is None or now - self._noted >= NOTED:
            self._noted = now
            async with self._database.write() as session:
                await house.remember(session, "last_poll", {"at": now.isoformat()}, now)
