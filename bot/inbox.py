"""Store, then acknowledge, then handle: the workers that answer what the doors brought in."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Protocol

from bot.limits import Patience
from bot.metrics import Meter
from content.message import to_json
from db import accounts, attachments, house, inbox, jobs, outbox, trouble
from db.inbox import Arrival, Waiting
from db.json_text import from_text, to_text
from db.session import Database, Session, settled
from handlers.dialogue import Forget, Incoming
from handlers.engine import answer, is_identity_card
from handlers.talk import House

log = logging.getLogger(__name__)

LANES = 8
"""Chats answered at once where several processes share the database; within a chat one message at a time."""
TOGETHER = 16
"""Chats answered in one transaction where we are alone: most of what an answer costs is beginning and committing, and
nobody else writes meanwhile."""
TURNS = 2
"""Such transactions under way: one is written while the next is read."""
LOOK = 1.0
"""Seconds between two looks at nothing; covers clocks that are moved."""
DATABASE_PAUSE = 1.0
"""Seconds until another look when the database could not be written."""
TRIED = "tried"
"""When it was last tried whether the database can be written again."""
ELSEWHERE = 0.1
"""Seconds between two looks at a chat that another process is answering."""
ALBUM = timedelta(hours=1)
"""How far apart the pictures of one album may come; a phone without a network sends the rest when it is back."""
GIVES_WAY, GLANCE = 0.1, 0.002
"""Seconds for which what is stored waits at most while more is being brought, and between two looks whether it still is: who
brings waits for the commit, and is not kept waiting by the answers to those who brought before."""
FETCH = 64
"""Updates read at once, each of another chat: the most that is in memory, and a look at a long backlog that rarely."""


class Door(Protocol):
    """What the inbox needs of a channel: raw JSON in, our form out. None means there is nothing to answer.

    `erase` deletes what the channel itself keeps of an update, in the same transaction; where it `can_erase`, out of its
    sender's chat too.
    """

    name: str
    can_erase: bool

    def read(self, raw: Any, received_at: datetime) -> Incoming | None: ...

    async def erase(self, session: Session, raw: Any) -> None: ...


def arrival(ext_id: str, lane: str, raw: Any) -> Arrival:
    """One raw update in the form that is stored; `lane` is the chat it belongs to."""
    text = to_text(raw)
    return Arrival(ext_id, hashlib.sha256(text.encode()).hexdigest(), lane, text)


def stopped(error: BaseException) -> bool:
    """Whether it is us whom somebody cancels, and not something inside that leaked out."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


class Inbox:
    """Takes updates from every door and answers them once each, in the order of their chat."""

    def __init__(
        self,
        database: Database,
        house: House,
        doors: Mapping[str, Door],
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        said: Callable[[str], None],
        meter: Meter | None = None,
        patience: Patience | None = None,
        arriving: Callable[[], bool] = lambda: False,
    ) -> None:
        """`said` hears of each channel on which an answer waits: to one message others may hear something, who are on another
        channel. Without `patience` everybody may send as much as they like. `arriving` says whether a door waits for a commit."""
        self._meter = meter or Meter()
        self._patience = patience
        self._database = database
        self._house = house
        self._doors = doors
        self._now = now
        self._sleep = sleep
        self._said = said
        self._arriving = arriving
        self._wake = asyncio.Event()
        self._next: deque[Waiting] = deque()
        self._busy: dict[asyncio.Task[None], list[str]] = {}
        self._elsewhere: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        self._storing = self._looking = False
        self.trouble: trouble.Kind | None = None
        """Why nothing can be written at the moment; damage stays until somebody has looked at it and starts anew."""

    @property
    def answering(self) -> bool:
        """Whether somebody waits for an answer, as far as we know."""
        return bool(self._storing or self._looking or self._busy or self._next)

    async def store(
        self,
        channel: str,
        bot: str,
        arrivals: Sequence[Arrival],
        also: Callable[[Session], Awaitable[object]] | None = None,
    ) -> int:
        """Commits updates and returns how many were new. Acknowledge to the platform only after this returned.

        `also` writes in the same transaction, unless all of it was a repeat.
        """
        self._storing = True
        try:
            added = await settled(lambda: self._store(channel, bot, arrivals, also))
        except Exception as error:
            self._refused(error)
            raise
        finally:
            self._storing = False
        self._written()
        if added:
            self._meter.received.add(added, channel=channel)
            self._wake.set()
        return added

    async def _store(
        self,
        channel: str,
        bot: str,
        arrivals: Sequence[Arrival],
        also: Callable[[Session], Awaitable[object]] | None,
    ) -> int:
        async with self._database.write(brief=True) as session:
            added = await inbox.store(session, channel, bot, arrivals, self._now())
            if added and also is not None:
                await also(session)
            if added:
                await self._database.tell_others(session)
        return added

    def _refused(self, error: BaseException) -> trouble.Kind | None:
        """Something was not written; None where that is not the database's fault."""
        found = trouble.of_itself(error)
        if found is not None and self.trouble != trouble.Kind.DAMAGED:
            self.trouble = found
        return found

    def _written(self) -> None:
        """Something was: no proof that what is damaged is whole."""
        if self.trouble != trouble.Kind.DAMAGED:
            self.trouble = None

    async def _try_to_write(self) -> None:
        """Finds out whether a trouble is over while nothing is to be written that would show it."""
        if self.trouble in (None, trouble.Kind.DAMAGED) or self.answering:
            return
        try:
            await settled(self._note_try)
        except Exception as error:
            self._refused(error)
        else:
            self._written()

    async def _note_try(self) -> None:
        """A row: a transaction that writes nothing succeeds on a full disk too."""
        async with self._database.write() as session:
            await house.remember(session, TRIED, {}, self._now())

    def wake(self) -> None:
        """The clock was moved, or another process stored something: look again."""
        self._wake.set()

    async def run(self) -> None:
        """Answers until `stop`."""
        while not self._stopping:
            self._wake.clear()
            self._looking = True
            try:
                started = await self._start_some()
            except Exception:
                log.exception("the inbox could not be read")
                started = 0
            finally:
                self._looking = False
            if not started:
                await self._try_to_write()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), LOOK)

    async def stop(self, patience: float = 8.0) -> None:
        """Takes nothing new and lets what is being answered finish; a transaction is never cancelled half-way."""
        self._stopping = True
        self._wake.set()
        for resting in self._elsewhere.values():
            resting.cancel()
        if self._busy:
            await asyncio.wait(list(self._busy), timeout=patience)

    async def drain(self) -> None:
        """Answers everything that is due now (tests and the demo's moving clock)."""
        while True:
            if self._busy:
                await asyncio.wait(list(self._busy))
            if not await self._start_some() and not self._busy:
                return

    async def _start_some(self) -> int:
        free = (LANES if self._database.shared else TURNS) - len(self._busy)
        if free <= 0:
            await asyncio.wait(list(self._busy), return_when=asyncio.FIRST_COMPLETED)
            return 1
        await self._give_way()
        if not self._next:
            async with self._database.read(brief=True) as session:
                busy = {*chain.from_iterable(self._busy.values()), *self._elsewhere}
                self._next.extend(await inbox.heads(session, self._now(), busy, FETCH))
        started = 0
        while self._next and started < free:
            rows = self._some()
            task = asyncio.create_task(self._handle(rows))
            self._busy[task] = [row.lane for row in rows]
            task.add_done_callback(self._finished)
            started += 1
        return started

    async def _give_way(self) -> None:
        """Lets a flood be stored before it is answered, but answers meanwhile too."""
        for _ in range(round(GIVES_WAY / GLANCE)):
            if not self._arriving():
                return
            await self._sleep(GLANCE)

    def _some(self) -> list[Waiting]:
        """What is answered next in one transaction. What failed before, and may again, is alone there."""
        rows = [self._next.popleft()]
        if not self._database.shared and not rows[0].attempts:
            while self._next and len(rows) < TOGETHER and not self._next[0].attempts:
                rows.append(self._next.popleft())
        return rows

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._busy.pop(task, None)
        self._wake.set()

    async def _handle(self, rows: list[Waiting]) -> None:
        """Answers updates of as many chats: together, or where anything is wrong with one each by itself."""
        if len(rows) == 1 or not await self._handle_together(rows):
            for row in rows:
                await self._handle_one(row)

    async def _handle_together(self, rows: list[Waiting]) -> bool:
        """In one transaction; False where one cannot be handled: then nothing has happened, and what is wrong will show."""
        began = asyncio.get_running_loop().time()
        try:
            read = [(row, self._read(row)) for row in rows]
            async with self._database.write(brief=True) as session:
                taken = await inbox.take(session, [row.id for row in rows])
                for row, incoming in read:
                    if row.id not in taken:
                        continue
                    await self._answer(session, row, incoming)
                    await session.flush()
                    session.expunge_all()  # each finds the rows as they are written, as if it were alone
                said = outbox.channels(session) | {row.channel for row in rows}
        except (Exception, asyncio.CancelledError) as error:
            if stopped(error):
                raise
            log.debug("%d updates are handled one by one (%s)", len(rows), type(error).__name__)
            return False
        self._written()
        took = asyncio.get_running_loop().time() - began
        for row in rows:
            self._meter.handled.add(1, channel=row.channel, outcome="done")
            self._meter.handling.see(took)
        for channel in said:
            self._said(channel)
        return True

    def _read(self, row: Waiting) -> Incoming | None:
        return self._doors[row.channel].read(from_text(row.raw), row.received_at)

    async def _handle_one(self, row: Waiting) -> None:
        channel = row.channel
        incoming: Incoming | None = None
        said = frozenset((channel,))
        began = asyncio.get_running_loop().time()
        try:
            incoming = self._read(row)
            others = await settled(lambda: self._answer_alone(row, incoming))
            self._written()
            if others is None:
                self._leave_to_others(row.lane)
                return
            said |= others
            self._meter.handled.add(1, channel=channel, outcome="done")
            self._meter.handling.see(asyncio.get_running_loop().time() - began)
        except (Exception, asyncio.CancelledError) as error:
            if stopped(error):
                raise
            if (kind := self._refused(error)) is not None:  # the message is as good as before: no attempt counts
                log.error("update %d on %s waits until the database can be written (%s)", row.id, channel, kind)
                await self._sleep(DATABASE_PAUSE)
                return
            log.exception("update %d on %s could not be handled", row.id, channel)
            await self._set_back(row, incoming, error)
        for each in said:
            self._said(each)

    async def _answer_alone(self, row: Waiting, incoming: Incoming | None) -> frozenset[str] | None:
        """On which channels something was said; None where another process has it."""
        async with self._database.write(brief=True) as session:
            if not await inbox.take(session, [row.id], row.attempts):
                return None
            await self._answer(session, row, incoming)
            await self._database.tell_others(session)
        return outbox.channels(session)

    async def _answer(self, session: Session, row: Waiting, incoming: Incoming | None) -> None:
        """All that an update does, in the transaction that took it."""
        if incoming is not None and await self._is_too_much(session, row, incoming):
            return
        forget = await answer(session, self._house, incoming) if incoming is not None else Forget.CONTENT
        if forget == Forget.TRACES and incoming is not None:
            await self._erase(session, row, incoming)
        if forget:
            await inbox.blank(session, row.id)

    async def _is_too_much(self, session: Session, row: Waiting, incoming: Incoming) -> bool:
        """Whether its chat floods us: then it is not read, nothing of it is kept, and its sender hears so once."""
        if self._patience is None or incoming.place != "private":
            return False
        refusal = self._patience.judge(row.id, row.lane, row.received_at, incoming.files)
        if refusal is None:
            return False
        self._meter.refused.add(1, channel=row.channel, much=refusal.much)
        if refusal.tell:
            log.warning(
                "a chat on %s sends too much (%s); nothing of it is read for a while", row.channel, refusal.much
            )
            await self._put(session, row, incoming, f"common.flood_{refusal.much}", f"flood:{row.id}")
        await inbox.blank(session, row.id)
        return True

    async def _put(self, session: Session, row: Waiting, incoming: Incoming, words: str, key: str) -> None:
        """Says something about an update itself."""
        chat = await accounts.enter(session, incoming.channel, incoming.address, row.received_at)
        message = self._house.words.message(words, id=row.id)
        # In its place: behind the answers before it, and before those to what was said since.
        after = await outbox.wait_of(session, chat.account, row.received_at)
        await outbox.put(session, chat.account, to_json(message), now=row.received_at, after=after, key=key)

    def _leave_to_others(self, lane: str) -> None:
        """Does not ask again for a chat that another process is answering, until that may be over."""

        async def rest() -> None:
            await self._sleep(ELSEWHERE)
            self._elsewhere.pop(lane, None)

        if self._database.shared and lane not in self._elsewhere:
            self._elsewhere[lane] = asyncio.create_task(rest())

    async def _erase(self, session: Session, row: Waiting, incoming: Incoming) -> None:
        """What is kept of an update beside its row; of an album, also what came before the words that gave it away."""
        door = self._doors[row.channel]
        await door.erase(session, from_text(row.raw))
        if not incoming.group:
            return
        refs: list[str] = []
        for each in await inbox.list_handled(session, row.lane, row.received_at - ALBUM):
            raw = from_text(each.raw)
            part = door.read(raw, each.received_at)
            if part is not None and part.group == incoming.group:
                refs += [file.unique_ref for file in part.files]
                await door.erase(session, raw)
                await inbox.blank(session, each.id)
        if files := await attachments.discard(session, incoming.channel, incoming.address, refs):
            await jobs.add(session, "delete_files", {"files": files}, None, self._now())

    async def _tell(self, session: Session, row: Waiting, incoming: Incoming, attempts: int, dead: bool) -> None:
        """Once, that something went wrong; at the end, what must not stay even so."""
        if attempts == 2 and incoming.place == "private":
            await self._put(session, row, incoming, "common.error", f"error:{row.id}")
        if dead and is_identity_card(incoming):
            # Nothing of it is kept for repair: it would only be refused.
            await self._doors[row.channel].erase(session, from_text(row.raw))
            await inbox.blank(session, row.id)

    async def _set_back(self, row: Waiting, incoming: Incoming | None, error: BaseException) -> None:
        try:
            async with self._database.write() as session:
                attempts, dead = await inbox.failed(session, row.id, f"{type(error).__name__}: {error}", self._now())
                if incoming is not None:
                    try:
                        async with session.begin_nested():
                            await self._tell(session, row, incoming, attempts, dead)
                    except Exception:
                        # What cannot be handled may not be tellable either: its attempts count all the same.
                        log.exception("update %d: nobody could be told of its failure", row.id)
            self._meter.handled.add(1, channel=row.channel, outcome="dead" if dead else "failed")
            if dead:
                log.error("update %d on %s is set aside after %d attempts", row.id, row.channel, attempts)
        except Exception as failure:
            # The row stays new and is tried again.
            self._refused(failure)
            log.exception("update %d: its failure could not be written down", row.id)
            await self._sleep(DATABASE_PAUSE)
