"""The house seen from outside: health, status and metrics under real faults, on a clock that moves when it is told."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy.exc import DatabaseError, OperationalError

from bot import inbox as inbox_module
from bot import reports, watch
from bot.app import App, build_app
from bot.clock import Clock, Skew
from bot.inbox import LOOK
from bot.settings import Settings
from bot.watch import EVERY, LAST_BACKUP
from content.message import Message, to_json
from db import accounts, inbox, migrate, people, units
from db.inbox import BACKOFF, Arrival
from db.models import Grant, Lane, OutboxRow, OutState, Policy, Role
from db.session import Database, Session
from db.trouble import Kind
from handlers.dialogue import Incoming
from scheduler.timetable import Job
from scheduler.troubles import MB, STALE, Name
from tests.databases import Template, sqlite
from tests.fakes.botapi import TOKEN, FakeBotApi
from tests.fakes.botapi.faults import Chosen
from tests.people import FACTS

pytestmark = pytest.mark.sqlite

PATIENCE = 60.0


class HeldClock(Clock):
    """Stands still until it is moved; who sleeps is woken as it passes. `set_by` is what somebody did to the wall clock."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.set_by = timedelta(0)
        self._began = datetime.now(UTC)
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

    def now(self) -> datetime:
        return self.true() + self.set_by

    def true(self) -> datetime:
        """The platform's time, which nobody here sets."""
        return self._began + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.elapsed + seconds, next(self._count), future))
        await future

    def later(self, seconds: float) -> None:
        self.elapsed += seconds
        while self._sleepers and self._sleepers[0][0] <= self.elapsed:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)


class Outside:
    """Somebody who looks at a running house."""

    def __init__(self, app: App, clock: HeldClock, fake: FakeBotApi) -> None:
        self.app = app
        self.clock = clock
        self.fake = fake

    async def get(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as client, client.get(self.app.watch_server.address + path) as answer:
            return answer.status, await answer.text()

    async def red(self) -> list[str]:
        """What /healthz says; it and the web chat's own say the same."""
        async with aiohttp.ClientSession() as client:
            found = []
            assert self.app.server is not None
            for address in (self.app.watch_server.address, self.app.server.address):
                async with client.get(f"{address}healthz") as answer:
                    body = await answer.json()
                    assert (answer.status, body["status"]) in ((200, "ok"), (503, "trouble"))
                    found.append(body.get("troubles", []))
        assert found[0] == found[1]
        return list(found[0])

    async def until(self, holds: Callable[[], object], *, moving: float = 0.0) -> None:
        """Waits for a state, letting the clock run where `moving` says by how much each time."""
        async with asyncio.timeout(PATIENCE):
            while not holds():
                self.clock.later(moving)
                await asyncio.sleep(0.01)

    async def looks(self) -> None:
        """The next look at tables and disk is over."""
        for _ in range(2):  # the one under way, and one that began after this
            before = self.app.watch._looking
            self.clock.later(EVERY)
            await self.until(lambda before=before: self.app.watch._looking is not before, moving=0.5)  # type: ignore[misc]
            await asyncio.wait({self.app.watch._looking}, timeout=PATIENCE)  # type: ignore[arg-type]

    async def asks(self, question: str) -> bool:
        """Whether there is such a row."""
        async with self.app.database.read() as session:
            return (await (await session.connection()).exec_driver_sql(question)).first() is not None

    async def writes(self, question: str, *values: object) -> None:
        async with self.app.database.write() as session:
            await (await session.connection()).exec_driver_sql(question, values)


@asynccontextmanager
async def watched(folder: Path, template: Template, *, answering: bool = True, **more: Any) -> AsyncIterator[Outside]:
    data = folder / "data"
    data.mkdir()
    (data / "congdoan.db").write_bytes(template.path.read_bytes())
    clock = HeldClock()
    async with FakeBotApi(now=clock.true) as fake:
        if not answering:
            fake.fail("drop_before", method="*", forever=True)
        settings = Settings.model_construct(
            **Settings.model_construct().model_dump()
            | {
                "data_dir": data,
                "telegram_token": SecretStr(TOKEN),
                "telegram_api": fake.url,
                "webchat": True,
                "web_port": 0,
                "watch_address": "127.0.0.1:0",
                "organisation": FACTS["organisation"],
                "hotline": FACTS["hotline"],
            }
            | more
        )
        app = await build_app(settings, clock)
        await app.start()
        outside = Outside(app, clock, fake)
        try:
            if answering:
                await outside.until(lambda: fake.polls)
            await outside.looks()
            yield outside
        finally:
            await fake.stop()
            stopping = asyncio.ensure_future(app.stop())
            await outside.until(stopping.done, moving=1.0)
            await stopping


@pytest.fixture
async def outside(tmp_path: Path, template: Template) -> AsyncIterator[Outside]:
    async with watched(tmp_path, template) as found:
        yield found


async def test_a_house_in_order_is_healthy_and_says_no_more_than_that(outside: Outside) -> None:
    assert await outside.red() == []
    assert await outside.get("healthz") == (200, '{"status": "ok"}')


async def test_a_block_page_in_telegrams_place_is_red_within_five_seconds_and_green_after_the_next_poll(
    outside: Outside,
) -> None:
    outside.fake.plan.add(["404_page"], Chosen(("getUpdates",)), forever=True)
    outside.fake.person(42).says("menu")  # ends the long poll under way
    await outside.until(lambda: outside.app.polling and outside.app.polling.failing() is not None, moving=0.2)
    outside.clock.later(3.5)
    assert "polling" in await outside.red()  # the clock may have run on before the next look at the tables
    outside.fake.plan.clear()
    await outside.until(lambda: not outside.app.watch.red(), moving=1.0)
    assert await outside.red() == []


async def test_an_administrator_is_told_once_and_once_more_when_it_is_over(
    outside: Outside,
) -> None:
    """Through a process of which nothing is replaced but the clock."""
    outside.fake.person(42, "Quản Trị")
    async with outside.app.database.write() as session:
        account = (await accounts.enter(session, "telegram", "42", outside.clock.now())).account
        person = await people.join(session, account, "1", outside.clock.now())
        top = await units.top(session)
        assert top is not None
        person.name, person.unit_id, now = "Quản Trị", top.id, outside.clock.now()
        role = {"role": Role.SYSTEM_ADMIN, "unit_id": top.id}
        session.add(Grant(person_id=person.id, granted_at=now, confirmed_at=now, **role))

    def told(what: str) -> list[str]:
        said = [str(call.params.get("text")) for call in outside.fake.log if call.delivered]
        return [text.partition(what)[0] for text in said if what in text]

    async def until(holds: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE * 2):
            while not holds():
                await outside.looks()

    outside.clock.set_by = timedelta(hours=1)
    await until(lambda: told("đồng hồ"))
    outside.clock.set_by = timedelta(0)
    await until(lambda: len(told("đồng hồ")) == 2)
    assert told("đồng hồ") == ["⛔ Sự cố: <b>", "✅ Đã hết: "]


async def test_a_platform_that_takes_polls_and_never_answers_is_red_after_a_minute_and_a_half(
    outside: Outside,
) -> None:
    outside.fake.plan.add(["slow"], Chosen(("getUpdates",)), forever=True)
    outside.fake.person(42).says("menu")
    await outside.until(lambda: len(outside.fake.polls) >= 2)
    await outside.looks()
    outside.clock.later(92)
    assert "polling" in await outside.red()
    outside.fake.plan.clear()
    await outside.fake.stop()
    await outside.fake.start()
    await outside.until(lambda: not outside.app.watch.red(), moving=1.0)


async def test_a_filling_disk_is_told_before_it_is_full(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    free = 900 * MB
    monkeypatch.setattr(watch, "free_space", lambda _: free)
    await outside.looks()
    assert outside.app.watch.troubles() == [Name.DISK_LOW] and await outside.red() == []
    free = 100 * MB
    await outside.looks()
    assert await outside.red() == ["disk_full"]
    free = 9000 * MB
    await outside.looks()
    assert outside.app.watch.troubles() == []


@pytest.mark.parametrize("full", ["data", "database"])
async def test_the_disk_of_the_data_and_that_of_the_database_are_both_watched(
    tmp_path: Path, template: Template, monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    """A running process and a stopped one say the same: each looked at one of them only."""
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    scarce: set[Path] = set()
    monkeypatch.setattr(watch, "free_space", lambda folder: (100 if folder in scarce else 9000) * MB)
    elsewhere.mkdir()
    (elsewhere / "house.db").write_bytes(template.path.read_bytes())
    async with watched(tmp_path, template, database_url=sqlite(elsewhere / "house.db")) as outside:
        assert await outside.red() == []
        scarce.add(data if full == "data" else elsewhere)
        await outside.looks()
        assert await outside.red() == ["disk_full"] and not outside.app.has_room()
        settings = outside.app.settings
    found = await reports.status(settings, datetime.now(UTC))
    assert (found["process"], found["troubles"]) == ("stopped", ["disk_full", "disk_low"])


async def test_below_256_mb_nothing_more_is_taken_in_until_there_is_room_again(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform keeps what comes meanwhile; what is there already is answered with the room that is left (F14)."""
    fake, app = outside.fake, outside.app
    someone = fake.person(42)
    free = 255 * MB
    monkeypatch.setattr(watch, "free_space", lambda _: free)
    await outside.looks()
    someone.says("menu")  # ends the long poll under way, which takes it along
    await outside.until(lambda: app.watch.facts().poll is None)
    polls = len(fake.polls)
    someone.says("menu")
    await outside.until(lambda: len(fake.messages(42)) == 1, moving=0.1)
    for _ in range(60):  # two minutes: a poller that is silent on purpose is no trouble of its own
        await outside.looks()
    assert await outside.red() == ["disk_full"]
    assert len(fake.polls) == polls and len(fake.pending) == 2, "the last batch is not even confirmed"
    assert app.server is not None
    async with aiohttp.ClientSession() as client:
        for path in ("api/say", "api/press", "api/files"):
            async with client.post(app.server.address + path) as answer:
                assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    free = 256 * MB
    healed = outside.clock.elapsed
    await outside.until(lambda: len(fake.messages(42)) == 2, moving=0.5)
    assert outside.clock.elapsed - healed <= 30
    assert await outside.red() == []


class Busy(sqlite3.OperationalError):
    """As the driver raises it."""

    sqlite_errorname = "SQLITE_BUSY"


class Full(sqlite3.OperationalError):
    sqlite_errorname = "SQLITE_FULL"


class Malformed(sqlite3.DatabaseError):
    sqlite_errorname = "SQLITE_CORRUPT"


async def test_a_busy_moment_is_over_within_five_seconds_though_nobody_writes_again(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever met it has closed the page; it stayed red until somebody came."""

    async def busy(*_: object) -> int:
        raise OperationalError("BEGIN", None, Busy("database is locked"))

    with monkeypatch.context() as patch:
        patch.setattr(outside.app.inbox, "_store", busy)
        with pytest.raises(OperationalError):
            await outside.app.inbox.store("webchat", "web", [Arrival("x", "d", "w-1", "{}")])
        assert await outside.red() == ["database"]
    async with asyncio.timeout(5):
        await outside.until(lambda: not outside.app.watch.red())


async def test_a_disk_that_takes_no_rows_stays_red_though_it_takes_empty_transactions(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise OperationalError("INSERT", None, Full("database or disk is full"))

    outside.app.inbox.trouble = Kind.BUSY
    with monkeypatch.context() as patch:
        patch.setattr(inbox_module.house, "remember", full)
        await outside.until(lambda: outside.app.inbox.trouble == Kind.FULL)
        await asyncio.sleep(2 * LOOK)
        assert await outside.red() == ["database"]
    await outside.until(lambda: outside.app.inbox.trouble is None)
    assert await outside.red() == []


async def test_a_damaged_database_is_red_until_the_next_start_and_no_message_has_failed_over_it(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All was green while attempts ran out."""
    tried = 0
    real = inbox_module.answer

    async def malformed(session: Any, house: Any, incoming: Incoming) -> Any:
        nonlocal tried
        if incoming.address != "w-1":
            return await real(session, house, incoming)
        tried += 1
        raise DatabaseError("INSERT", None, Malformed("database disk image is malformed"))

    monkeypatch.setattr(inbox_module, "answer", malformed)
    for who in ("w-1", "w-2"):
        raw = {"address": who, "text": "menu"}
        await outside.app.inbox.store("webchat", "web", [inbox_module.arrival(who, who, raw)])
    await outside.until(lambda: tried > 3, moving=1.0)
    assert await outside.asks("SELECT 1 FROM inbox WHERE ext_id = 'w-2' AND state = 'done'")
    assert await outside.asks("SELECT 1 FROM inbox WHERE ext_id = 'w-1' AND state = 'new' AND attempts = 0")
    assert await outside.red() == ["database"]


@pytest.mark.parametrize("how", ["refuses", "hangs"])
async def test_status_tells_what_the_process_says_though_the_tables_cannot_be_read(
    outside: Outside, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    async def counted(_: object) -> None:
        if how == "hangs":
            await asyncio.Event().wait()
        raise OperationalError("SELECT", None, Busy("database is locked"))

    monkeypatch.setattr(reports.figures, "status", counted)
    monkeypatch.setattr(reports, "TABLES", 0.5)
    outside.clock.set_by = timedelta(minutes=3)
    found = await reports.status(outside.app.settings, datetime.now(UTC))
    assert (found["process"], found["troubles"]) == ("running", ["clock"])
    assert ("another process is writing" if how == "refuses" else "no answer in") in found["tables"]


async def test_rows_that_take_long_to_count_are_counted_less_often(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts, real = 0, watch.figures.outgoing

    async def slow(session: Session) -> dict[tuple[str, str], int]:
        nonlocal counts
        counts += 1
        outside.clock.elapsed += 2.0
        return await real(session)

    monkeypatch.setattr(watch.figures, "outgoing", slow)
    for _ in range(10):
        assert "congdoan_outbox_rows" in await outside.app.watch.metrics()
        outside.clock.elapsed += 15.0
    assert counts == 2


async def test_a_clock_that_somebody_sets_is_told_at_once_and_forgiven_when_it_is_set_right(outside: Outside) -> None:
    for by in (timedelta(minutes=3), timedelta(hours=-5)):
        outside.clock.set_by = by
        assert await outside.red() == ["clock"]
        outside.clock.set_by = timedelta(0)
        assert await outside.red() == []


async def test_while_the_clock_is_wrong_nothing_is_done_that_goes_by_the_date(outside: Outside) -> None:
    done: list[str] = []

    async def note(name: str) -> None:
        done.append(name)

    assert {job.name for job in outside.app.timetable.jobs if job.dated} == {
        "broadcasts", "anniversaries", "lost time", "contests", "contest reminders", "prizes", "deadlines", "housekeeping",
        "anchors",
    }  # fmt: skip
    outside.app.timetable.jobs = (
        Job("by the date", 60, lambda _: note("by the date"), dated=True),
        Job("at any time", 60, lambda _: note("at any time")),
    )
    outside.clock.set_by = timedelta(days=1)
    await outside.app.timetable.run_all()
    assert done == ["at any time"]
    outside.clock.set_by = timedelta(0)
    await outside.app.timetable.run_all()
    assert done == ["at any time", "by the date", "at any time"]


@pytest.mark.parametrize("answers", [True, False])
async def test_nothing_is_done_by_the_date_until_telegram_has_answered_or_the_clock_had_time_to_be_set(
    tmp_path: Path, template: Template, answers: bool
) -> None:
    """After a power cut it may be wrong from the start, and the network not up yet: nothing would speak against it."""
    done: list[str] = []

    async def note(name: str) -> None:
        done.append(name)

    async with watched(tmp_path, template, answering=False) as outside:
        app, fake = outside.app, outside.fake
        app.timetable.jobs = (
            Job("by the date", 60, lambda _: note("by the date"), dated=True),
            Job("at any time", 60, lambda _: note("at any time")),
        )
        outside.clock.later(500)
        await app.timetable.run_all()
        assert done == ["at any time"]
        if answers:
            fake.plan.clear()
            await outside.until(lambda: app.polling and app.polling.heard, moving=0.5)
        else:
            outside.clock.later(100)
        await app.timetable.run_all()
        assert done == ["at any time", "by the date", "at any time"]


async def test_a_cancellation_that_nobody_asked_for_ends_no_polling(outside: Outside) -> None:
    """Something deep inside may cancel what it waits for, and that leaks out of everything that catches errors only."""
    fake, telegram = outside.fake, outside.app.telegram
    assert telegram is not None
    polled = telegram.polled

    async def leaks(_: object) -> None:
        telegram.polled = polled
        raise asyncio.CancelledError

    telegram.polled = leaks
    fake.person(42).says("menu")
    await outside.until(lambda: telegram.polled is polled, moving=0.1)
    fake.person(42).says("menu")
    await outside.until(lambda: len(fake.messages(42)) == 2, moving=0.5)


async def test_while_the_clock_is_wrong_no_announcement_leaves_or_expires_by_it(outside: Outside) -> None:
    now = outside.clock.now()
    async with outside.app.database.write() as session:
        for hours in (10, 20):  # by the wrong clock one is over, and one is due
            due, payload = now + timedelta(hours=hours), to_json(Message("x"))
            ends = due + timedelta(hours=1) if hours == 10 else None
            session.add(out(now, f"w-{hours}", lane=Lane.BULK, payload=payload, not_before=due, expires_at=ends))
    outside.clock.set_by = timedelta(days=1)
    for _ in range(3):
        await outside.looks()
    assert await outside.red() == ["clock"] and not await outside.asks("SELECT 1 FROM outbox WHERE state != 'ready'")
    outside.clock.set_by = timedelta(0)
    outside.clock.later(20 * 3600)
    await outside.until(lambda: not outside.app.watch.red(), moving=0.5)
    async with asyncio.timeout(PATIENCE):
        while await outside.asks("SELECT 1 FROM outbox WHERE state = 'ready'"):
            await outside.looks()
    assert await outside.asks("SELECT 1 FROM outbox WHERE state = 'expired' AND address = 'w-10'")
    assert await outside.asks("SELECT 1 FROM outbox WHERE state = 'sent' AND address = 'w-20'")


async def test_messages_from_the_future_show_that_our_clock_is_behind(outside: Outside) -> None:
    outside.fake.later(minutes=5)
    outside.fake.person(42).says("menu")
    await outside.until(outside.app.watch.red)
    assert await outside.red() == ["clock"]
    assert -300 <= outside.app.watch.facts().skew < -299  # messages carry whole seconds


async def test_a_write_that_never_ends_is_told_while_health_still_answers(outside: Outside) -> None:
    loop, real = asyncio.get_running_loop(), asyncio.get_running_loop().time
    shift = 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "time", lambda: real() + shift)
        async with outside.app.database.write():
            shift = 5.0
            assert await outside.red() == ["ledger_stuck"]
    assert await outside.red() == []


async def test_tables_that_cannot_be_read_make_what_was_seen_too_old(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both kinds: one that fails, and one that hangs for ever."""
    hanging = asyncio.Event()

    async def refuses(*_: object) -> None:
        raise OSError("gone")

    async def hangs(*_: object) -> None:
        await hanging.wait()
        raise OSError("gone")

    monkeypatch.setattr(watch.log, "exception", lambda *_: None)
    for trouble in (refuses, hangs):
        with monkeypatch.context() as patch:
            patch.setattr(watch.figures, "waiting", trouble)
            for _ in range(4):
                outside.clock.later(EVERY)
                await asyncio.sleep(0.02)
            await outside.until(lambda: Name.DATABASE in outside.app.watch.troubles(), moving=0.1)
            assert "database" in await outside.red()
        hanging.set()
        await outside.until(lambda: not outside.app.watch.red(), moving=0.5)


async def test_when_nothing_has_looked_around_for_long_the_first_answer_after_it_is_no_good_one(
    outside: Outside,
) -> None:
    """As after a loop that was blocked: the answer comes before the next look."""
    outside.app.watch._beat -= STALE + 0.5
    assert await outside.red() == ["stalled"]
    await outside.looks()
    assert await outside.red() == []


async def test_an_update_that_no_worker_takes_is_backlog_and_one_that_waits_for_its_retry_is_not(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = asyncio.Event()

    async def stuck(rows: Any) -> None:
        await never.wait()

    monkeypatch.setattr(outside.app.inbox, "_handle", stuck)
    outside.fake.person(42).says("menu")
    await outside.until(lambda: outside.app.inbox._busy)
    outside.clock.later(55)
    await outside.looks()
    assert outside.app.watch.red() == [] or outside.app.watch.facts().backlog < 61
    outside.clock.later(10)
    await outside.looks()
    assert "backlog" in outside.app.watch.red()
    then = outside.clock.now() + timedelta(minutes=5)
    await outside.writes("UPDATE inbox SET next_at = ?, attempts = 2", then.strftime("%Y-%m-%d %H:%M:%S.%f"))
    await outside.looks()
    assert "backlog" not in outside.app.watch.red()
    never.set()


async def test_an_answer_that_stays_is_told_and_one_that_is_held_put_off_or_of_a_closed_channel_is_not(
    outside: Outside,
) -> None:
    now = outside.clock.now()
    for delivery in outside.app.deliveries.values():
        delivery._stopping = True  # nothing leaves any more
    cases = {
        "held": {"state": OutState.HELD},
        "retry": {"retry_at": now + timedelta(hours=2)},
        "later": {"not_before": now + timedelta(hours=2)},
        "closed": {"channel": "zalo"},
        "expired": {"expires_at": now},
    }
    async with outside.app.database.write() as session:
        for address, values in cases.items():
            session.add(out(now, address, **values))
    outside.clock.later(200)
    await outside.looks()
    assert Name.UNSENT not in outside.app.watch.troubles()
    async with outside.app.database.write() as session:
        session.add(out(now, "now"))
    await outside.looks()
    assert "unsent" in outside.app.watch.red()


async def test_a_long_line_of_announcements_is_no_trouble_while_they_leave(outside: Outside) -> None:
    now = outside.clock.now()
    delivery = outside.app.deliveries["webchat"]
    for each in outside.app.deliveries.values():
        each._stopping = True
    async with outside.app.database.write() as session:
        session.add(out(now, "w-1", lane=Lane.BULK))
    outside.clock.later(200)
    await outside.looks()
    assert "unsent" in outside.app.watch.red()
    delivery._landed_at = outside.clock.monotonic()
    assert Name.UNSENT not in outside.app.watch.troubles()


def out(now: datetime, address: str, **values: Any) -> OutboxRow:
    """A message that waits."""
    row: dict[str, Any] = {
        "policy": Policy.ALO, "lane": Lane.REPLY, "kind": "reply", "channel": "webchat", "address": address, "payload": {},
        "state": OutState.READY, "not_before": now, "created_at": now,
    }  # fmt: skip
    return OutboxRow(**row | values)


async def test_what_is_set_aside_is_told_for_an_hour(outside: Outside) -> None:
    async with outside.app.database.write() as session:
        await inbox.store(session, "telegram", "1", [Arrival("900", "x", "77", "{}")], outside.clock.now())
        row_id = int((await (await session.connection()).exec_driver_sql("SELECT max(id) FROM inbox")).scalar_one())
        for _ in range(len(BACKOFF) + 1):
            await inbox.failed(session, row_id, "KeyError", outside.clock.now())
    await outside.looks()
    assert outside.app.watch.troubles() == [Name.DEAD_LETTERS]
    outside.clock.later(3600)
    await outside.looks()
    assert Name.DEAD_LETTERS not in outside.app.watch.troubles()


async def test_a_job_that_fails_again_and_again_and_one_that_hangs_are_told(
    outside: Outside, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(_: Any) -> None:
        raise OSError("no")

    caplog.set_level("CRITICAL")
    job = Job("probe", 3, fails)
    for _ in range(2):
        await outside.app.timetable.look(job)
    assert outside.app.watch.troubles() == []
    await outside.app.timetable.look(job)
    assert outside.app.watch.report()["jobs_failing"] == ["probe"]
    assert outside.app.watch.troubles() == [Name.JOBS] and await outside.red() == []
    outside.app.timetable._failures.clear()
    outside.app.timetable._running["probe"] = asyncio.get_running_loop().time() - 901
    assert outside.app.watch.troubles() == [Name.JOBS]
    del outside.app.timetable._running["probe"]


async def test_a_backup_that_is_not_made_is_told_a_day_after_the_first_start_or_the_last_one(outside: Outside) -> None:
    outside.clock.set_by = timedelta(0)
    note = outside.app.settings.data_dir / LAST_BACKUP
    facts = outside.app.watch.facts()
    assert facts.backup is not None and facts.backup < 60
    note.write_text((outside.clock.now() - timedelta(hours=30)).isoformat())
    await outside.looks()
    assert Name.BACKUP_OLD not in outside.app.watch.troubles()  # the house is younger than that
    outside.clock.later(27 * 3600)
    await outside.looks()
    assert Name.BACKUP_OLD in outside.app.watch.troubles()
    note.write_text(outside.clock.now().isoformat())
    await outside.looks()
    assert Name.BACKUP_OLD not in outside.app.watch.troubles()


# ------------------------------------------------------------------------------------------------------- the clock


def test_what_a_platform_dates_says_how_far_our_clock_is_off() -> None:
    clock = HeldClock()
    clock.later(1000)
    skew = Skew(clock)
    true = clock.now().timestamp()
    skew.hear([int(true) - 86400], None)  # waited for a day while we were down: says nothing
    assert abs(skew.seconds()) < 2
    skew.hear([int(true) - 600], 990.0)  # came within the last ten seconds, so it is we who are ahead
    assert 580 < skew.seconds() < 600
    clock.set_by -= timedelta(seconds=589)  # somebody sets it right
    assert abs(skew.seconds()) < 12
    skew.hear([int(true) + 3600], None)
    assert -3602 - 589 < skew.seconds() < -3590


def test_a_clock_that_was_set_is_believed_after_a_while_where_nobody_can_say() -> None:
    clock = HeldClock()
    skew = Skew(clock)
    clock.set_by = timedelta(hours=1)
    assert skew.seconds() == pytest.approx(3600)
    clock.later(500)
    assert skew.seconds() == pytest.approx(3600)
    clock.later(200)
    skew.seconds()
    assert skew.seconds() == pytest.approx(0)


# ------------------------------------------------------------------------------------------------------- metrics


async def test_metrics_are_what_prometheus_reads_and_named_as_it_wants(outside: Outside) -> None:
    outside.fake.person(42, "Bùi Thị Canary").says("menu 0912345678")
    await outside.until(lambda: outside.app.meter.sent.values, moving=0.1)
    status, text = await outside.get("metrics")
    assert status == 200
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["congdoan_updates_handled"].samples[0].labels == {"channel": "telegram", "outcome": "done"}
    assert families["congdoan_updates_handled"].samples[0].value == 1
    assert families["congdoan_python_blocks"].samples[0].value > 100_000
    rows = {(s.labels["state"], s.labels["lane"]): s.value for s in families["congdoan_outbox_rows"].samples}
    assert set(rows) == {(state.value, lane.name.lower()) for state in OutState for lane in Lane} and sum(rows.values())
    assert {s.labels["name"]: s.value for s in families["congdoan_trouble"].samples} == dict.fromkeys(Name, 0)
    for name, family in families.items():
        assert name.startswith("congdoan_") and family.documentation, name
        assert all(len(sample.labels) <= 3 for sample in family.samples)
        if family.type == "histogram":
            buckets = [s.value for s in family.samples if s.name.endswith("_bucket")]
            counts = [s.value for s in family.samples if s.name.endswith("_count")]
            assert name.endswith("_seconds") and buckets == sorted(buckets) and buckets[-1] == counts[0] >= 1
    assert sum(len(family.samples) for family in families.values()) < 200
    for secret in ("Canary", "0912345678", "menu", TOKEN, TOKEN.partition(":")[2]):
        assert secret not in text


async def test_metrics_answer_without_rows_while_tables_cannot_be_read(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(watch.inbox, "counts", hangs)
    _, text = await outside.get("metrics")
    assert "congdoan_inbox_rows" not in text and "congdoan_disk_free_bytes" in text
    outside.app.watch._counting.cancel()  # type: ignore[union-attr]


async def test_the_web_chats_own_server_shows_no_metrics_and_no_status(outside: Outside) -> None:
    assert outside.app.server is not None
    async with aiohttp.ClientSession() as client:
        for path in ("metrics", "status"):
            async with client.get(outside.app.server.address + path) as answer:
                assert answer.status == 404


# ------------------------------------------------------------------------------------------------------- the real process


async def test_status_tells_a_running_process_from_a_stuck_and_a_stopped_one(tmp_path: Path) -> None:
    """In a folder whose path is longer than a socket's may be."""
    data = tmp_path / ("d" * 100)
    data.mkdir()
    database = Database(f"sqlite+aiosqlite:///{data / 'congdoan.db'}")
    await migrate.upgrade(database)
    await database.close()
    settings = Settings.model_construct(**Settings.model_construct().model_dump() | {"data_dir": data})

    async def state() -> tuple[str, list[str]]:
        found = await reports.status(settings, datetime.now(UTC))
        return found["process"], found["troubles"]

    assert (await state())[0] == "stopped"
    env = os.environ | {
        "CONGDOAN_DATA_DIR": str(data), "CONGDOAN_WEBCHAT": "true", "CONGDOAN_WEB_PORT": "0",
        "CONGDOAN_ORGANISATION": "X", "CONGDOAN_HOTLINE": "1",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None and await process.stdout.readline()
        assert (await state())[0] == "running"
        process.send_signal(signal.SIGSTOP)
        assert (await state()) == ("stuck", ["stalled"])
        process.send_signal(signal.SIGCONT)
        async with asyncio.timeout(PATIENCE):
            while (await state())[0] != "running":  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        process.kill()
        await process.wait()
        assert (await state())[0] == "stopped"  # its socket is still there
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
