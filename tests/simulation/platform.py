"""Telegram as the process meets it: the fake Bot API's state behind a line on which everything can go wrong by the seed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any

from tests.fakes.botapi.entities import ApiError
from tests.fakes.botapi.state import State

if TYPE_CHECKING:
    from tests.simulation.line import Request

PAGE = "<html><body>Blocked</body></html>"
FAULTS: dict[str, float] = {
    "429": 0.03, "429_late": 0.006, "429_bare": 0.004, "429_page": 0.004, "400": 0.004, "401": 0.002, "502": 0.01, "502_page": 0.01,
    "page_200": 0.004, "page_403": 0.002, "no_connection": 0.02, "drop_before": 0.015, "drop_after": 0.015,
    "slow": 0.01, "too_slow": 0.003,
}  # fmt: skip
"""How often a request meets each fault at rate 1."""
AMBIGUOUS = ("502", "502_page", "page_200", "drop_before", "drop_after", "too_slow")
"""After these nobody can know whether the message arrived."""
EITHER = ("502", "502_page", "page_200", "too_slow")
"""Obeyed or not, as it happens."""
EXCUSED = ("429", "429_late", "429_bare", "429_page", "400", "401", "502", "502_page", "page_200", "page_403")
"""Answered by something else than an obedient Bot API."""


@dataclass(frozen=True)
class Said:
    """One request to say something: how it fared, and whether the person got it. `edit` changes a message in place;
    `bulk` is told by the button [Bớt tin] that only messages to many carry.

    `since` and `at` count virtual seconds when it left and when it was there; `left` is what the process's wall clock showed when it sent.
    """

    since: float
    at: float
    left: datetime
    chat: int
    text: str
    fault: str
    arrived: bool
    message_id: int
    edit: bool
    bulk: bool
    life: int
    refused: bool = False
    """The person had blocked the bot."""


class Platform:
    """The state, the line's faults, and the log that the oracles believe."""

    def __init__(self, state: State, wall: Callable[[], datetime], rng: Random, shares: dict[str, float]) -> None:
        self.state = state
        self.wall = wall
        self.said: list[Said] = []
        self.doubted: Counter[tuple[int, str]] = Counter()
        """(chat, text) of requests after which nobody could know."""
        self.faults: dict[str, int] = {}
        self.repeats = 0.0
        """The share of polls that bring old updates again, or those of different chats in another order."""
        self.heard: Callable[[int, int], None] = lambda chat, message_id: None
        self._rng = rng
        self._shares = shares
        self._poll: tuple[asyncio.Future[list[Any]], int, int] | None = None
        self._old: dict[int, dict[str, Any]] = {}
        state.changed = self._changed

    def heal(self) -> None:
        """From now on everything works."""
        self._shares, self.repeats = {}, 0.0

    def draw(self) -> str:
        """The fault of the next request, or none."""
        drawn = self._rng.random()
        for name, share in self._shares.items():
            if drawn < share:
                self.faults[name] = self.faults.get(name, 0) + 1
                return name
            drawn -= share
        return ""

    def delay(self, fault: str) -> float:
        """Seconds on the way there and back."""
        return {"slow": 12.0, "too_slow": 400.0, "429_late": 3.0}.get(fault, 0.0) + self._rng.uniform(0.01, 0.12)

    def obeys(self, fault: str) -> bool:
        """Whether a request that fares so has its effect."""
        if fault in EITHER:
            return self._rng.random() < 0.5
        return fault not in EXCUSED and fault != "drop_before"

    # ------------------------------------------------------------------------------------------------ talking

    def obey(self, request: Request, fault: str) -> tuple[int, Any]:
        """Does as it is told and answers (status, body)."""
        try:
            result = self.state.call(request.method.lower(), request.params)
        except ApiError as error:
            self._note(request, fault, 0, refused=error.code == 403)
            said = {"ok": False, "error_code": error.code, "description": error.description}
            return error.code, said | ({"parameters": error.parameters} if error.parameters else {})
        if isinstance(result, dict) and "message_id" in result:
            self._note(request, fault, int(result["message_id"]))
            self.heard(int(result["chat"]["id"]), int(result["message_id"]))
        return 200, {"ok": True, "result": result}

    def _note(self, request: Request, fault: str, message_id: int, *, refused: bool = False) -> None:
        chat = request.params.chat()
        if chat is not None:
            edit = request.method.lower().startswith("edit")
            at = asyncio.get_running_loop().time()
            self.said.append(
                Said(
                    request.since, at, request.left, chat, request.text, fault, bool(message_id), message_id, edit,
                    request.bulk, request.life.number, refused,
                )
            )  # fmt: skip

    def refuse(self, request: Request, fault: str) -> None:
        """Does nothing, and notes that."""
        self._note(request, fault, 0)

    def excuse(self, fault: str) -> tuple[int, Any]:
        """What comes back instead of an answer."""
        if fault in ("429", "429_late"):
            after = self._rng.randint(1, 4)
            return 429, {"ok": False, "error_code": 429, "description": f"Too Many Requests: retry after {after}",
                         "parameters": {"retry_after": after}}  # fmt: skip
        return {
            "429_bare": (429, {"ok": False, "error_code": 429, "description": "Too Many Requests"}),
            "429_page": (429, PAGE),
            "400": (400, {"ok": False, "error_code": 400, "description": "Bad Request: message text is empty"}),
            "401": (401, {"ok": False, "error_code": 401, "description": "Unauthorized"}),
            "502": (502, {"ok": False, "error_code": 502, "description": "Bad Gateway"}),
            "502_page": (502, PAGE),
            "page_200": (200, PAGE),
            "page_403": (403, PAGE),
        }[fault]

    # ------------------------------------------------------------------------------------------------ polling

    def poll(self, offset: int, limit: int) -> asyncio.Future[list[Any]]:
        """getUpdates: what waits, or the first that comes. A second one ends the first."""
        if self._poll is not None and not self._poll[0].done():
            self._poll[0].set_exception(ApiError(409, "Conflict: terminated by other getUpdates request"))
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._poll = future, offset, limit
        self._answer_poll()
        return future

    def _changed(self) -> None:
        asyncio.get_running_loop().call_later(0.01, self._answer_poll)

    def _answer_poll(self) -> None:
        if self._poll is None or self._poll[0].done():
            return
        future, offset, limit = self._poll
        found = self.state.take(offset, limit)
        if found:
            future.set_result(self._disturbed(found))
            self._old |= {each["update_id"]: each for each in found}

    def _disturbed(self, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Confirmed ones come once more, and chats take other turns; each chat keeps its own order."""
        if self._rng.random() >= self.repeats:
            return found
        chats: dict[str, list[dict[str, Any]]] = {}
        for each in found:
            chats.setdefault(str(_chat_of(each)), []).append(each)
        queues = list(chats.values())
        mixed = []
        while queues:
            queue = self._rng.choice(queues)
            mixed.append(queue.pop(0))
            queues = [each for each in queues if each]
        known = [self._old[number] for number in self.state.confirmed[-40:]]
        return self._rng.sample(known, min(len(known), self._rng.randint(1, 4))) + mixed


def _chat_of(update: dict[str, Any]) -> int:
    body = next(value for key, value in update.items() if key != "update_id")
    return int(body["from"]["id"])
