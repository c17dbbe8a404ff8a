"""One way out: claim what is due, send it with no transaction open, settle how it ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

from content.message import Message, from_json
from db import outbox
from db.models import Lane, OutState
from db.outbox import Parcel, Settlement
from db.session import Database

log = logging.getLogger(__name__)

WINDOW = 8
"""Sends in flight; a crash leaves at most as many at-most-once rows unknown (promises §1.5)."""
HORIZON = 0.05
"""Seconds ahead for which departures are handed out in one claim."""
WIDEN = 1.02
"""How much the spacing grows after each refusal for speed, and how slowly it returns (speed.md §10)."""


class SendError(Exception):
    """A message that did not simply arrive."""


class RetryLater(SendError):
    """Certainly not delivered; try again after `after` seconds. `pause` when the platform asked everybody to wait."""

    def __init__(self, after: float, *, pause: bool = False, reason: str = "") -> None:
        super().__init__(reason or f"again after {after:g} s")
        self.after = after
        self.pause = pause


class ChannelDown(RetryLater):
    """The platform does not know us, or a block page answered: nothing is sent until it does; no recipient is burnt."""


class RecipientGone(SendError):
    """The person blocked us or is not there: not delivered, and not tried again until they write."""


class Rejected(SendError):
    """The platform will never take this message; `reason` is its own word."""


class NotModified(SendError):
    """An edit that changes nothing: as good as sent."""


class EditGone(SendError):
    """The message to edit is not there any more: send it anew."""


class Ambiguous(SendError):
    """The connection broke after the request left: delivered or not, nobody can know."""


class Channel(Protocol):
    """What delivery needs of a door. `send` returns the platform's id of the message."""

    name: str
    can_edit: bool

    async def send(self, address: str, message: Message, *, edits: str, lane: Lane) -> str: ...


class Pacer:
    """Even spacing at `rate` messages a second with no burst (GCRA); a client-side bucket is refused by a real one."""

    def __init__(self, rate: float) -> None:
        self.interval = 1.0 / rate
        self._usual = self.interval
        self._next = 0.0

    def departures(self, now: float, limit: int) -> list[float]:
        """The moments within the horizon at which up to `limit` messages may leave."""
        first = max(now, self._next)
        times = [first + i * self.interval for i in range(limit)]
        return [moment for moment in times if moment <= now + HORIZON]

    def use(self, departures: list[float]) -> None:
        """Takes departures that were handed out; what is not taken is free again."""
        if departures:
            self._next = departures[-1] + self.interval
            self.interval = max(self._usual, self.interval * 0.9995)

    def wait(self, now: float) -> float:
        """Seconds until the next departure."""
        return max(0.0, self._next - now)

    def refused(self) -> None:
        """The platform found us too fast: widen the spacing a little."""
        self.interval = min(self.interval * WIDEN, self._usual * 4)


class Delivery:
    """Sends one channel's messages. `now` is the wall clock, `monotonic` and `sleep` measure spacing."""

    def __init__(
        self,
        database: Database,
        channel: Channel,
        *,
        rate: float,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        mark: str,
        window: int = WINDOW,
    ) -> None:
        self._database = database
        self._channel = channel
        self._pacer = Pacer(rate)
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._mark = mark
        self._window = window
        self._flying: dict[asyncio.Task[None], Parcel] = {}
        self._results: list[Settlement] = []
        self._wake = asyncio.Event()
        self._paused_until = {lane: 0.0 for lane in Lane}
        self._stopping = False
        self._running = False
        self._ended = asyncio.Event()
        self.down_since: datetime | None = None
        """Since when the platform refuses us altogether; None while it answers."""

    def wake(self) -> None:
        """Something may be due: called after every commit that says something."""
        self._wake.set()

    async def run(self) -> None:
        """Sends until `stop`; every failure of a round is logged and tried again."""
        self._running = True
        try:
            while not self._stopping:
                try:
                    self._wake.clear()
                    pause = await self.round()
                except Exception:
                    log.exception("delivery round on %s failed", self._channel.name)
                    pause = 1.0
                if pause > 0 and not self._stopping:
                    await self._rest(pause)
        finally:
            self._ended.set()

    async def stop(self, patience: float = 8.0) -> None:
        """No new claims; waits up to `patience` seconds for what is in flight, then settles it."""
        self._stopping = True
        self._wake.set()
        if self._running:
            await self._ended.wait()  # a round under way may still claim: what it claims is waited for below
        if self._flying:
            await asyncio.wait(list(self._flying), timeout=patience)
        await self._settle()

    async def _rest(self, seconds: float) -> None:
        waker = asyncio.ensure_future(self._wake.wait())
        sleeper = asyncio.ensure_future(self._sleep(seconds))
        try:
            await asyncio.wait({waker, sleeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (waker, sleeper):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def round(self) -> float:
        """Settles, claims and starts sends. Returns the seconds until there may be something to do again."""
        tick = self._monotonic()
        free = 0 if self._stopping else self._window - len(self._flying)
        lanes = [lane for lane in Lane if self._paused_until[lane] <= tick]
        departures = self._pacer.departures(tick, free) if lanes and free > 0 else []
        parcels: list[Parcel] = []
        if departures or self._results:
            results, self._results = self._results, []
            try:
                async with self._database.write() as session:
                    await outbox.settle(session, results, self._now())
                    if departures:
                        parcels = await outbox.claim(
                            session,
                            self._channel.name,
                            self._now(),
                            self._mark,
                            limit=len(departures),
                            busy={parcel.address for parcel in self._flying.values()},
                            lanes=lanes,
                        )
            except BaseException:
                self._results = results + self._results
                raise
        self._pacer.use(departures[: len(parcels)])
        for parcel, departure in zip(parcels, departures, strict=False):
            task = asyncio.create_task(self._send(parcel, departure))
            self._flying[task] = parcel
            task.add_done_callback(self._landed)
        if parcels:
            return self._pacer.wait(self._monotonic())
        if free <= 0:
            return 1.0  # what lands wakes us
        if lanes and not departures:
            return self._pacer.wait(tick)
        return await self._until_due(tick, lanes)

    async def _until_due(self, tick: float, lanes: list[Lane]) -> float:
        async with self._database.read() as session:
            due = await outbox.next_due(session, self._channel.name)
        waits = [1.0]  # a look each second costs nothing and covers clocks that are moved
        if due is not None and (wait := (due - self._now()).total_seconds()) > 0:
            waits.append(wait)
        waits += [self._paused_until[lane] - tick for lane in Lane if lane not in lanes]
        return max(0.001, min(waits))

    async def _settle(self) -> None:
        results, self._results = self._results, []
        if results:
            async with self._database.write() as session:
                await outbox.settle(session, results, self._now())

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.pop(task, None)
        self._wake.set()

    async def _send(self, parcel: Parcel, departure: float) -> None:
        delay = departure - self._monotonic()
        if delay > 0:
            await self._sleep(delay)
        result = await self._attempt(parcel)
        self._results.append(result)  # looked up only now: `round` replaces the list while we wait

    async def _attempt(self, parcel: Parcel) -> Settlement:
        edits = parcel.edits
        if edits and not self._channel.can_edit:
            if not parcel.payload.get("final", True):
                return Settlement(parcel.id, parcel.claim, OutState.SENT)
            edits = ""
        lane = Lane(parcel.lane)
        try:
            message = from_json(parcel.payload)
            try:
                provider_id = await self._channel.send(parcel.address, message, edits=edits, lane=lane)
            except NotModified:
                provider_id = edits
            except EditGone:
                provider_id = await self._channel.send(parcel.address, message, edits="", lane=lane)
        except RetryLater as error:
            return self._later(parcel, lane, error)
        except RecipientGone as error:
            return Settlement(parcel.id, parcel.claim, OutState.FAILED, error=str(error) or "gone", gone=True)
        except Rejected as error:
            return Settlement(parcel.id, parcel.claim, OutState.FAILED, error=str(error))
        except Ambiguous as error:
            log.warning("outbox %d: in doubt after %s", parcel.id, error)
            return self._doubtful(parcel, str(error))
        except Exception as error:
            # Whatever it was, the request may have left: the same care as for a broken connection.
            log.exception("outbox %d: the channel failed", parcel.id)
            return self._doubtful(parcel, type(error).__name__)
        self.down_since = None
        return Settlement(parcel.id, parcel.claim, OutState.SENT, provider_id=provider_id)

    def _doubtful(self, parcel: Parcel, error: str) -> Settlement:
        again = self._now() + timedelta(seconds=2)
        return Settlement(
            parcel.id, parcel.claim, OutState.UNKNOWN, error=f"in doubt: {error}", not_before=again, doubtful=True
        )

    def _later(self, parcel: Parcel, lane: Lane, error: RetryLater) -> Settlement:
        until = self._monotonic() + error.after
        if isinstance(error, ChannelDown):
            if self.down_since is None:
                self.down_since = self._now()
                log.error("channel %s does not accept us: %s", self._channel.name, error)
            for each in Lane:
                self._paused_until[each] = max(self._paused_until[each], until)
        elif error.pause:
            # A refusal of bulk stops bulk; replies stop only when they are refused themselves (decisions 13).
            self._pacer.refused()
            for each in Lane:
                if each >= lane:
                    self._paused_until[each] = max(self._paused_until[each], until)
        again = self._now() + timedelta(seconds=error.after)
        return Settlement(parcel.id, parcel.claim, OutState.READY, error=str(error), not_before=again)
