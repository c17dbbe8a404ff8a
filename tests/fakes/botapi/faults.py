"""What goes wrong on purpose: a script, a list or rates by a seed; and the two ways a platform may limit the pace."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from math import ceil
from random import Random
from typing import Any, Protocol

REFUSALS = ("429", "429_bare", "403", "400", "401")
KINDS = (*REFUSALS, "404_page", "403_page", "302_page", "502", "drop_before", "drop_after", "slow", "garbage_200")
PROCESSED = ("drop_after", "slow", "garbage_200")
"""What goes wrong only after the call was obeyed. A 502 and a garbled answer may be either: `processed` says which."""
TALKING = ("send*", "edit*")
"""Faults and limits meet what is said to people, unless told otherwise: not polling, not the little acknowledgements."""


@dataclass(frozen=True)
class Fault:
    """One call that goes wrong. `retry_after` in whole seconds (429); `seconds` until a slow answer."""

    kind: str
    retry_after: int = 1
    seconds: float = 3600.0
    processed: bool | None = None
    description: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(KINDS)}")

    @property
    def obeyed(self) -> bool:
        """Whether the call has its effect all the same."""
        return self.kind in PROCESSED if self.processed is None else self.processed


Outcome = Fault | str | None
"""A fault, the name of one, or "ok" or None for a call that simply works."""
Script = Callable[[str, int | None, Mapping[str, Any]], Outcome]


def as_fault(outcome: Outcome) -> Fault | None:
    """The fault an outcome stands for."""
    if outcome is None or outcome == "ok":
        return None
    return outcome if isinstance(outcome, Fault) else Fault(outcome)


@dataclass
class Chosen:
    """Which calls something is about; `methods` are shell patterns."""

    methods: tuple[str, ...] = TALKING
    chat: int | None = None

    def covers(self, method: str, chat: int | None) -> bool:
        return any(fnmatchcase(method, each) for each in self.methods) and self.chat in (None, chat)


@dataclass
class Queue:
    """Outcomes handed out one a call; the last stays when `forever`."""

    chosen: Chosen
    outcomes: deque[Fault | None]
    forever: bool = False

    def next(self) -> Fault | None:
        if self.forever and len(self.outcomes) == 1:
            return self.outcomes[0]
        return self.outcomes.popleft()


@dataclass
class Rates:
    """Each call fares by chance, the same for the same seed whatever order the calls come in."""

    seed: int
    shares: dict[str, float]
    chosen: Chosen
    base: dict[str, Any]
    seen: dict[tuple[str, int | None], int] = field(default_factory=dict)

    def next(self, method: str, chat: int | None) -> Fault | None:
        turn = self.seen[method, chat] = self.seen.get((method, chat), 0) + 1
        drawn = Random(f"{self.seed}/{method}/{chat}/{turn}").random()
        for kind, share in self.shares.items():
            if drawn < share:
                return Fault(kind, **self.base)
            drawn -= share
        return None


class Plan:
    """Decides how each call fares: first the queues in the order given, then the script, then the rates."""

    def __init__(self) -> None:
        self.queues: list[Queue] = []
        self.script: Script | None = None
        self.rates: Rates | None = None

    def clear(self) -> None:
        """From now on everything works."""
        self.queues, self.script, self.rates = [], None, None

    def add(self, outcomes: Iterable[Outcome], chosen: Chosen, *, forever: bool, **options: Any) -> None:
        """The next calls that are covered fare so, one outcome each; `options` fill what a bare name leaves open."""
        faults: deque[Fault | None] = deque()
        for outcome in outcomes:
            fault = as_fault(outcome)
            faults.append(replace(fault, **options) if fault is not None and isinstance(outcome, str) else fault)
        self.queues.append(Queue(chosen, faults, forever))

    def decide(self, method: str, chat: int | None, params: Mapping[str, Any]) -> Fault | None:
        """How this call fares; asked once a call."""
        for queue in self.queues:
            if queue.outcomes and queue.chosen.covers(method, chat):
                return queue.next()
        if self.script is not None and (fault := as_fault(self.script(method, chat, params))) is not None:
            return fault
        if self.rates is not None and self.rates.chosen.covers(method, chat):
            return self.rates.next(method, chat)
        return None


class Limit(Protocol):
    """Says at `now` (seconds) whether one more message may pass: 0, or the whole seconds to wait."""

    def wait(self, now: float) -> int: ...


class Bucket:
    """A token bucket; who runs it dry is refused for `penalty` seconds."""

    def __init__(self, rate: float = 30.0, burst: float = 30.0, penalty: float = 3.0) -> None:
        self._rate = rate
        self._burst = burst
        self._penalty = penalty
        self._level = burst
        self._filled: float | None = None
        self._closed_until = 0.0

    def wait(self, now: float) -> int:
        if now < self._closed_until:
            return ceil(self._closed_until - now)
        since = now - (now if self._filled is None else self._filled)
        self._filled = now
        self._level = min(self._burst, self._level + since * self._rate)
        if self._level < 1:
            self._closed_until = now + self._penalty
            return ceil(self._penalty)
        self._level -= 1
        return 0


class SlidingSecond:
    """At most `limit` in any second; who passes more is refused for `penalty` seconds."""

    def __init__(self, limit: int = 30, penalty: float = 3.0) -> None:
        self._limit = limit
        self._penalty = penalty
        self._passed: deque[float] = deque()
        self._closed_until = 0.0

    def wait(self, now: float) -> int:
        if now < self._closed_until:
            return ceil(self._closed_until - now)
        while self._passed and self._passed[0] <= now - 1:
            self._passed.popleft()
        if len(self._passed) >= self._limit:
            self._closed_until = now + self._penalty
            return ceil(self._penalty)
        self._passed.append(now)
        return 0
