"""How much one chat may send: counts that leak, in memory only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from handlers.dialogue import File

DAY = 86400.0
BYTES_A_DAY = 200 * 1024 * 1024
"""What one chat may upload in a day (promises §2.2, flooding)."""
KNOWN = 10_000
"""Chats and networks whose counts are remembered; the least recently used are forgotten."""


@dataclass(slots=True)
class Bucket:
    """A count that leaks: `rate` a second, at most `burst` at once."""

    rate: float
    burst: float
    level: float = 0.0
    at: float = 0.0

    def take(self, amount: float, now: float) -> bool:
        """Counts an amount; False when there was too much. A clock that was set back lets nothing leak meanwhile."""
        self.level = max(0.0, self.level - max(0.0, now - self.at) * self.rate)
        self.at = now
        if self.level + amount > self.burst:
            return False
        self.level += amount
        return True


@dataclass(slots=True)
class Limits:
    """Buckets by name; the least recently used are forgotten."""

    buckets: dict[str, Bucket] = field(default_factory=dict)

    def take(self, name: str, rate: float, burst: float, now: float, amount: float = 1.0) -> bool:
        """Counts an amount in a bucket; False when there was too much."""
        bucket = self.buckets.pop(name, None) or Bucket(rate, burst, at=now)
        self.buckets[name] = bucket
        if len(self.buckets) > KNOWN:
            del self.buckets[next(iter(self.buckets))]
        return bucket.take(amount, now)


class Much(StrEnum):
    """What a chat sends too much of."""

    AT_ONCE = "at_once"
    TODAY = "today"


MESSAGES_A_MINUTE, AT_ONCE = 30, 60
MESSAGES_A_DAY = 2000
FILES_A_DAY = 50
"""What is taken in of one chat. Above promises §2.2 (20, 30 and 500), because who decides 300 reports before 30 June presses
some 1,200 buttons that day (README, Decisions)."""
TELL_AGAIN = 3600.0
"""Seconds until a chat hears again that it is too much."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An update that is not taken in; `tell`: its sender is to hear of it, once an hour, or who floods is flooded in return."""

    much: Much
    tell: bool


class _Chat:
    """One chat's counts, and how its last update was judged: one that is tried again is not counted again."""

    def __init__(self, now: float) -> None:
        self.minute = Bucket(MESSAGES_A_MINUTE / 60, AT_ONCE, at=now)
        self.day = Bucket(MESSAGES_A_DAY / DAY, MESSAGES_A_DAY, at=now)
        self.files = Bucket(FILES_A_DAY / DAY, FILES_A_DAY, at=now)
        self.size = Bucket(BYTES_A_DAY / DAY, BYTES_A_DAY, at=now)
        self.update = 0
        self.refusal: Refusal | None = None
        self.told = now - TELL_AGAIN

    def judge(self, files: Sequence[File], now: float) -> Refusal | None:
        much = self._count(files, now)
        if much is None:
            return None
        tell = not 0 <= now - self.told < TELL_AGAIN
        if tell:
            self.told = now
        return Refusal(much, tell)

    def _count(self, files: Sequence[File], now: float) -> Much | None:
        if not self.minute.take(1, now):
            return Much.AT_ONCE
        fits = self.day.take(1, now)
        if files:
            fits &= self.files.take(len(files), now) and self.size.take(sum(file.size for file in files), now)
        return None if fits else Much.TODAY


class Patience:
    """Judges each update once: whether its chat has sent too much by then."""

    def __init__(self) -> None:
        self._chats: dict[str, _Chat] = {}

    def judge(self, update: int, chat: str, at: datetime, files: Sequence[File]) -> Refusal | None:
        """Why an update is not taken in, None when all is well. `at` is when it was stored."""
        now = at.timestamp()
        known = self._chats.pop(chat, None) or _Chat(now)
        self._chats[chat] = known
        if len(self._chats) > KNOWN:
            del self._chats[next(iter(self._chats))]
        if known.update != update:
            known.update, known.refusal = update, known.judge(files, now)
        return known.refusal
