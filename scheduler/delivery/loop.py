"""One channel's delivery: what is due is claimed in one commit with what has ended, and leaves at its departure."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from enum import Enum, auto
from math import ceil

from content.windows import awake
from db import outbox
from db.models import Lane, OutState
from db.outbox import Ask, Parcel, Settlement
from db.session import Database, settled
from scheduler.delivery.attempt import attempt
from scheduler.delivery.errors import Channel, ChannelDown, RetryLater
from scheduler.delivery.pacer import Pacer
from scheduler.delivery.slots import Slots

log = logging.getLogger(__name__)

WINDOW = 8
"""Announcements and notices in flight up to 66 a second and 60 ms away, where few would be enough; a crash leaves at most
as many at-most-once rows unknown (promises §1.5). Farther away or faster, as many as the pace needs (`window_for`)."""
SOME = 8
"""Places for replies that are filled together: with all of them taken, each that lands would be a commit for the next."""
FEW = 4
"""Announcements that land before it is written, unless it is time: at 30 a second every commit counts."""
GIVES_WAY, GLANCE = 0.03, 0.002
"""Seconds for which announcements wait at most while somebody is being answered, and between two looks whether they still
must: who presses a button feels it, who reads an announcement does not."""
EVEN = 100.0
"""Announcements a second up to which they are in nobody's way, and stay even: a platform may count each of thirty."""
WIDEST = 128
"""In flight at most, whatever the pace: more connections cost more and send no faster (speed.md §10)."""
AWAY, FAR = 0.06, 0.5
"""Seconds to the platform and back for which twice the pace must fit into the window: always, and where it is that far."""
NEAREST_OF = 32
"""Answers of which the quickest says how far the platform is: one that is slow for once makes no window wider."""
REPLIES = 32
"""Replies in flight: 500 a second, 60 ms away. They have places of their own: who waits for an answer never waits for an
announcement. A crash leaves at most as many to be said again."""
SETTLE = {Lane.REPLY: 0.02, Lane.NOTICE: 0.1, Lane.BULK: 0.1}
"""Seconds that the outcome of a send may wait to be written with the next claim: one commit for both."""
SPACED = 60.0
"""Seconds for which replies too keep to the pace once the platform has refused one for speed."""
LOOK = 1.0
"""Seconds between two looks at nothing; covers clocks that are moved."""
NEVER = float("inf")
SET_BACK = 1.0
"""Seconds; a clock that is put back by less has merely been corrected."""


def window_for(rate: float, away: float = AWAY) -> int:
    """How many announcements may be in flight at `rate` messages a second to a platform so many seconds away and back."""
    return min(WIDEST, max(WINDOW, ceil(rate * min(FAR, max(AWAY, away)) * 2)))


class Way(Enum):
    """How a message leaves."""

    AT_ONCE = auto()
    PACED = auto()


AGAIN = {Way.AT_ONCE: 0.03, Way.PACED: 0.1}
"""Seconds between two looks at what is due but waits for its chat: one message at a time to each."""


class Delivery:
    """Sends one channel's messages. `now` is the wall clock, `monotonic` and `sleep` measure spacing.

    `answering` says whether somebody is being answered this very moment. `mark` is this sender's, and no other's ever: only
    whose mark a row carries settles it. `may` says whether we still are the sender; another process is once it says no.
    `trusted` says whether the wall clock is right, as far as anybody knows: while it is not, nothing leaves or expires by it.

    Replies leave at once and announcements make room for them; everything else keeps to the pace. `ended` hears of every
    attempt how it ended and how many seconds the channel took. `slots` are what all channels share: before an answer leaves
    by one of them, what it may have stopped is called back in every other.
    """

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
        may: Callable[[], bool] = lambda: True,
        trusted: Callable[[], bool] = lambda: True,
        ended: Callable[[Lane, OutState, float], None] = lambda lane, state, seconds: None,
        answering: Callable[[], bool] = lambda: False,
        slots: Slots | None = None,
    ) -> None:
        self._database = database
        self._channel = channel
        self._pacer = Pacer(rate)
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._mark = mark
        self._may = may
        self._trusted = trusted
        self._ended_one = ended
        self._answering = answering
        self._slots = slots if slots is not None else Slots()
        self._giving_way: float | None = None
        """Since when announcements wait for answers."""
        self._landed_at = monotonic()
        self._rate = rate
        self._took: deque[float] = deque(maxlen=NEAREST_OF)
        """Seconds that the last announcements and notices took."""
        self._window = window_for(rate)
        self._flying: dict[asyncio.Task[None], Parcel] = {}
        self._results: dict[int, tuple[Parcel, Settlement]] = {}
        """What has ended and is not written yet, by its row."""
        self._settle_at = 0.0
        self._look_at = {way: 0.0 for way in Way}
        self._spaced_until = 0.0
        self._wake = asyncio.Event()
        self._paused_until = {lane: 0.0 for lane in Lane}
        self._stopping = False
        self._running = False
        self._ended = asyncio.Event()
        self._lead = float("-inf")
        self._beyond: timedelta | None = outbox.LONG
        """What waits for longer than this goes at once: nobody knows what the clock was before us, or it was put back."""
        self.down_since: datetime | None = None
        """Since when the platform refuses us altogether; None while it answers."""

    def wake(self) -> None:
        """Something may be due: called after every commit that says something."""
        self._look_at = {way: 0.0 for way in Way}
        self._wake.set()

    def idle(self) -> float:
        """Seconds since anything left for good, whatever became of it, or since the start."""
        return self._monotonic() - self._landed_at

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
                    pause = LOOK
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
        for last in (False, False, True):
            try:
                await self._exchange({}, self._monotonic())
                return
            except Exception:  # what arrived would be in doubt after the next start
                log.exception("what was sent on %s could not be written down", self._channel.name)
                if not last:
                    await self._sleep(1.0)

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

    # ------------------------------------------------------------------------------------------------ a round

    async def round(self) -> float:
        """Settles, claims and starts sends. Returns the seconds until there may be something to do again."""
        tick = self._monotonic()
        lead = self._now().timestamp() - tick
        if lead < self._lead - SET_BACK:
            self._beyond = timedelta(0)
        self._lead = lead
        if self._took:
            self._window = window_for(self._rate, min(self._took))
        answering = sum(parcel.lane == Lane.REPLY for parcel in self._flying.values())
        free = self._window - len(self._flying) + answering
        # What has landed keeps its place until that is written: a crash puts both in doubt.
        keeping = self._keeping
        full = keeping >= max(FEW, self._some) or (len(self._results) - keeping) * 2 >= REPLIES
        gives_way = self._gives_way(tick)
        ripe = bool(self._results) and (tick >= self._settle_at or full) and not gives_way
        asks: dict[Way, Ask] = {}
        departures: list[float] = []
        if tick >= self._look_at[Way.AT_ONCE] and answering <= REPLIES - SOME:
            asks[Way.AT_ONCE] = Ask(self._lanes(Way.AT_ONCE, tick), REPLIES - answering)
        if tick >= self._look_at[Way.PACED] and not gives_way and (ripe or free - keeping >= self._some):
            departures = self._pacer.departures(tick, free)
            asks[Way.PACED] = Ask(self._lanes(Way.PACED, tick), len(departures), by_no_clock=not self._trusted())
        asks = {way: ask for way, ask in asks.items() if ask.lanes and ask.limit > 0}
        if asks or ripe:
            # Who waits for an answer does not wait until the ends of many announcements are written.
            settles = ripe or Way.PACED in asks or len(self._results) <= SOME
            self._start(await self._exchange(asks, tick, settles), departures, tick)
        return GLANCE if gives_way else self._until_next(tick, free)

    def _lanes(self, way: Way, tick: float) -> list[Lane]:
        """What may leave this way now. Replies go at once until they are refused, then evenly with the rest for a while."""
        if self._stopping or not self._may():
            return []
        spaced = tick < self._spaced_until
        at_once = [] if spaced else [Lane.REPLY]
        open_now = [
            lane for lane in Lane if self._paused_until[lane] <= tick and (lane != Lane.BULK or self._trusted())
        ]
        return [lane for lane in open_now if (lane in at_once) == (way == Way.AT_ONCE)]

    def _gives_way(self, tick: float) -> bool:
        """Whether what is no answer waits a moment, for the loop, the writer and the line are an answer's."""
        answers = self._rate > EVEN and (self._answering() or self._look_at[Way.AT_ONCE] in (0.0, NEVER))
        if not answers:
            self._giving_way = None
        elif self._giving_way is None:
            self._giving_way = tick
        return self._giving_way is not None and tick - self._giving_way < GIVES_WAY

    @property
    def _keeping(self) -> int:
        """How many of the results keep a place in the window."""
        return sum(parcel.lane != Lane.REPLY for parcel, _ in self._results.values())

    @property
    def _some(self) -> int:
        """How many places in the window are worth a commit to fill them, or to write down what landed there: with one for
        every few announcements, who waits for an answer would wait for theirs."""
        return ceil(self._window / 4)

    async def _exchange(self, asks: dict[Way, Ask], tick: float, settles: bool = True) -> list[tuple[Way, Parcel]]:
        """Claims what may leave and, where it `settles`, writes what has ended, in one commit; notes when to look again."""
        results = self._results if settles else {}
        if settles:
            self._results = {}
        claimed: list[tuple[Way, Parcel]] = []
        stopped: set[int] = set()
        looks: dict[Way, float] = {}
        for way in asks:
            self._look_at[way] = NEVER  # unless somebody wakes us meanwhile

        async def exchange() -> None:
            self._forget(claimed)
            claimed.clear()
            async with self._database.write(brief=True) as session:
                await outbox.settle(session, [result for _, result in results.values()], self._now())
                if self._beyond is not None:
                    await outbox.catch_up(session, self._channel.name, self._now(), self._beyond)
                # What has landed and is not written yet may have to go again: nothing overtakes it.
                unwritten = (parcel for parcel, _ in self._results.values())
                busy = {parcel.address for parcel in (*self._flying.values(), *unwritten)}
                for way, ask in asks.items():
                    found = await outbox.claim(
                        session, self._channel.name, self._now(), self._mark, ask=ask, busy=busy, awake=awake
                    )
                    claimed.extend((way, parcel) for parcel in found)
                    busy |= {parcel.address for parcel in found}
                    looks[way] = 0.0
                    if ask.by_no_clock:
                        looks[way] = tick + LOOK
                    elif len(found) < ask.limit:
                        due = await outbox.next_due(session, self._channel.name, ask.lanes, self._now())
                        looks[way] = tick + self._patience(way, tick, due)
                if self._slots and any(parcel.lane != Lane.BULK for _, parcel in claimed):
                    stopped.update(await outbox.called_back(session))
                self._slots.take(parcel.id for _, parcel in claimed if parcel.lane == Lane.BULK)

        try:
            await settled(exchange)
            self._beyond = None
            self._slots.call_back(stopped)
        except BaseException:
            self._forget(claimed)
            self._results = results | self._results
            for _, parcel in claimed:  # if only the commit's answer was lost, they are ours
                self._give_back(parcel)
            looks = dict.fromkeys(asks, 0.0)
            raise
        finally:
            for way, look in looks.items():
                self._look_at[way] = min(self._look_at[way], look)
        return claimed

    def _forget(self, claimed: list[tuple[Way, Parcel]]) -> None:
        """What was claimed in vain waits for nothing."""
        for _, parcel in claimed:
            self._slots.leave(parcel.id)

    def _patience(self, way: Way, tick: float, due: datetime | None) -> float:
        """Seconds until something may be due. What is due already waits until its chat has heard the last message."""
        waits = [LOOK, *(until - tick for until in self._paused_until.values() if until > tick)]
        if due is not None:
            waits.append(max((due - self._now()).total_seconds(), AGAIN[way]))
        return min(waits)

    def _start(self, claimed: list[tuple[Way, Parcel]], departures: list[float], tick: float) -> None:
        at_once = [parcel for way, parcel in claimed if way == Way.AT_ONCE]
        paced = [parcel for way, parcel in claimed if way == Way.PACED]
        self._pacer.use(departures[: len(paced)])
        owed = self._pacer.owe(tick, len(at_once))
        leaving = [*((p, tick) for p in at_once), *((p, d + owed) for p, d in zip(paced, departures, strict=False))]
        for parcel, departure in leaving:
            task = asyncio.create_task(self._send(parcel, departure))
            self._flying[task] = parcel
            task.add_done_callback(self._landed)

    def _until_next(self, tick: float, free: int) -> float:
        """Seconds until a departure, a settlement or a look may be due; what lands wakes us."""
        waits = [LOOK, *(at - tick for at in (*self._look_at.values(), *self._paused_until.values()) if at > tick)]
        if self._results:
            waits.append(self._settle_at - tick)
        if self._look_at[Way.PACED] <= tick and self._lanes(Way.PACED, tick) and free - self._keeping >= self._some:
            waits.append(self._pacer.wait(tick))
        return max(0.001, min(waits))

    # ------------------------------------------------------------------------------------------------ a send

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.pop(task, None)
        self._wake.set()

    async def _send(self, parcel: Parcel, departure: float) -> None:
        delay = departure - self._monotonic()
        if delay > 0:
            await self._sleep(delay)
        while parcel.lane == Lane.BULK and self._gives_way(self._monotonic()):
            await self._sleep(GLANCE)
        called_back = self._slots.leave(parcel.id)
        wrong = parcel.lane == Lane.BULK and not self._trusted()  # the clock was set, or all stood still for hours
        if called_back or wrong or not self._may():  # where another took over, this changes nothing
            self._give_back(parcel)
            return
        if parcel.expires_at is not None and parcel.expires_at < self._now():  # the clock went on by hours meanwhile
            self._end(parcel, Settlement(parcel.id, parcel.claim, OutState.EXPIRED))
            return
        left = self._monotonic()
        paused = self._paused_until[parcel.lane] - left
        if paused > 0:  # refused meanwhile: what was handed out already does not leave into the pause
            self._give_back(parcel, self._now() + timedelta(seconds=paused))
            return
        result, refusal = await attempt(self._channel, parcel, self._now)
        took = self._monotonic() - left
        self._ended_one(parcel.lane, result.state, took)
        if parcel.lane != Lane.REPLY and result.state == OutState.SENT:
            self._took.append(took)
        if refusal is not None:
            self._refused(parcel.lane, refusal, left)
        elif result.state in (OutState.SENT, OutState.FAILED):
            self._landed_at = self._monotonic()
            if result.provider_id:
                self.down_since = None
        self._end(parcel, result)

    def _give_back(self, parcel: Parcel, not_before: datetime | None = None) -> None:
        """It has certainly not left, and waits again."""
        self._end(parcel, Settlement(parcel.id, parcel.claim, OutState.READY, not_before=not_before))

    def _end(self, parcel: Parcel, result: Settlement) -> None:
        settle_at = self._monotonic() + SETTLE[parcel.lane]
        self._settle_at = min(self._settle_at, settle_at) if self._results else settle_at
        self._results[parcel.id] = (parcel, result)

    def _refused(self, lane: Lane, error: RetryLater, left: float) -> None:
        """The platform wants to be left alone: with what it refused, with everything below it, or altogether."""
        tick = self._monotonic()
        until = tick + error.after
        if isinstance(error, ChannelDown):
            if self.down_since is None:
                self.down_since = self._now()
                log.error("channel %s does not accept us: %s", self._channel.name, error)
            self._pause(Lane.REPLY, until)
        elif error.pause:
            # A refusal of bulk stops bulk; replies stop only when they are refused themselves (decisions 13).
            self._pacer.refused(left, tick)
            self._pause(lane, until)
            if lane == Lane.REPLY:
                self._spaced_until = until + SPACED

    def _pause(self, lowest: Lane, until: float) -> None:
        for lane in Lane:
            if lane >= lowest:
                self._paused_until[lane] = max(self._paused_until[lane], until)
