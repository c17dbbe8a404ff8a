"""The real process over a fake Bot API, killed with -9 or ended politely under load: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from db import accounts, broadcasts, migrate, people, units
from db.audiences import Rule
from db.models import Audience, Grant, Lane, OutState, Purpose, Role
from db.session import Database
from scheduler.delivery import REPLIES, WINDOW
from tests.databases import sqlite
from tests.fakes.botapi import TOKEN, BotApiProcess
from tests.people import UNITS
from tests.prove import cases, note

CASES = cases(25)
KILLS = len(CASES)
RATE = 40.0
"""Updates a second while the process is being killed."""
PACE = 66.0
"""Messages a second, the most for which the window stays as it is: at the platform's 30 the replies to the load would leave an announcement no room between two kills."""
AWAY = 0.05
"""Seconds until the platform answers, so that a kill meets requests under way."""
MOMENTS = {"starting": 0.3, "talking": 0.3, "announcing": 0.4}
"""The shares of kills that hit a process before it is ready, under the load, and with announcements under way."""
MEMBERS = 1200
"""More than are told before the last kill."""
ANNOUNCEMENT = "Mời anh/chị họp lúc 17 giờ thứ Hai."
RECEIPT = re.compile(r"Đã gửi hồ sơ (?:<b>)?(SK-\d\d-\d{4})")
WORDS = ("giá gá", "dao cắt", "khay xoay", "thẻ màu", "bảng ca", "quạt gió", "tủ sách", "xe đẩy", "kẹp vải", "đèn soi")


def report_of(number: int, rng: random.Random) -> list[str]:
    """What a worker types to send one report, no two alike."""
    words = rng.sample(WORDS, 4)
    title = f"{words[0]} số {number} thay cho {words[1]}"
    before = " ".join(f"{word} {rng.randrange(10**6)}" for word in words)
    after = " ".join(f"{rng.randrange(10**6)} {word} {rng.randrange(10**6)}" for word in reversed(words))
    return [
        "/sangkien", "sang kien", title, "ky thuat", before, "xong", after, "xong", "y tuong", "chua tinh duoc",
        "khong co", "xem lai", "gui", "van gui",
    ]  # fmt: skip


async def furnish(url: str, reporters: int, members: int = MEMBERS) -> int:
    """Members on Telegram who consented, and an announcement to all of them whose hour has come."""
    database = Database(url)
    await migrate.upgrade(database)
    now = datetime.now(UTC)
    async with database.write() as session:
        await units.write(session, list(UNITS), now)
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None
        first = 0
        for n in range(members + reporters):
            account = (await accounts.enter(session, "telegram", str(1000 + n), now)).account
            person = await people.join(session, account, "test", now)
            await people.consent(session, person.id, Purpose.SUBMISSIONS, "test", "telegram", now)
            person.name, person.unit_id, person.audience = f"Người Thứ {n}", unit.id, Audience.ENTERPRISE
            person.confirmed, person.direct_production = True, True
            person.news = n < members
            first = first or person.id
        session.add(Grant(person_id=first, role=Role.UPPER_OFFICER, unit_id=unit.id, granted_at=now, confirmed_at=now))
        await session.flush()
        made = await broadcasts.create(
            session, author_id=first, kind="urgent", topic="urgent", unit_id=unit.id, audience=Rule(unit.id), number=2,
            text=ANNOUNCEMENT, media=[], timing="now", send_at=now, second=False, year=now.year, now=now,
        )  # fmt: skip
    await database.close()
    return made.id


class Load:
    """A few workers at a time type their reports, message after message, at the rate; until told to stop."""

    def __init__(self, fake: BotApiProcess, reporters: int, members: int, rng: random.Random) -> None:
        self._fake, self._rng = fake, rng
        self._scripts = {1000 + members + n: report_of(n, rng) for n in range(reporters)}
        self.begun: set[int] = set()
        self.pushed = 0
        self.stop, self.resting = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        waiting, active = list(self._scripts), list[int]()
        while True:
            while len(active) < 8 and waiting and not self.stop.is_set():
                active.append(waiting.pop(0))
                self.begun.add(active[-1])
            if not active:
                return
            if self.resting.is_set():
                await asyncio.sleep(0.05)
                continue
            chat = self._rng.choice(active)
            await self._fake.act(chat, "says", text=self._scripts[chat].pop(0))
            self.pushed += 1
            if not self._scripts[chat]:
                active.remove(chat)
            await asyncio.sleep(1 / RATE)


class Bot:
    """The real `congdoan run` in a process of its own."""

    def __init__(self, data: Path, api: str, url: str = "", log: str = "bot.log") -> None:
        self._env = os.environ | {
            "CONGDOAN_DATA_DIR": str(data), "CONGDOAN_TELEGRAM_TOKEN": TOKEN, "CONGDOAN_TELEGRAM_API": api,
            "CONGDOAN_ORGANISATION": "Liên đoàn Lao động tỉnh Thử Nghiệm", "CONGDOAN_HOTLINE": "0200 000 000",
            "CONGDOAN_RATE_PER_SECOND": str(PACE), "CONGDOAN_DATABASE_URL": url,
        }  # fmt: skip
        self._log = (data / log).open("a+b")
        self._process: asyncio.subprocess.Process | None = None
        self._said = 0

    async def start(self) -> None:
        self._said = self._log.seek(0, os.SEEK_END)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", env=self._env, stdout=asyncio.subprocess.DEVNULL, stderr=self._log
        )

    async def ready(self) -> None:
        """Waits until it says so."""
        until = time.monotonic() + 30
        while b"ready" not in os.pread(self._log.fileno(), 100_000, self._said):
            assert time.monotonic() < until, "it did not start"
            await asyncio.sleep(0.02)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Sends a signal, unless the process has ended."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        self.send(number)
        assert self._process is not None
        return await self._process.wait()

    def close(self) -> None:
        self._log.close()


@asynccontextmanager
async def house(
    folder: Path, reporters: int, members: int = MEMBERS
) -> AsyncIterator[tuple[BotApiProcess, Bot, Path, int]]:
    data = folder / "data"
    data.mkdir()
    path = data / "congdoan.db"
    broadcast_id = await furnish(sqlite(path), reporters, members)
    async with BotApiProcess(folder / "calls.jsonl") as fake:
        bot = Bot(data, fake.url)
        try:
            for n in range(members + reporters):
                await fake.control("person", chat_id=1000 + n)
            await fake.control("rates", seed=1, shares={"slow": 1.0}, seconds=AWAY)
            yield fake, bot, path, broadcast_id
        finally:
            await bot.end()
            bot.close()


def ask(path: Path, question: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(question).fetchall()
    finally:
        connection.close()


async def settled(fake: BotApiProcess, path: Path, patience: float) -> None:
    """Waits until nothing is on its way any more, in or out."""
    until = time.monotonic() + patience
    while True:
        waiting = (await fake.control("queue"))["pending"]
        new = ask(path, "SELECT count(*) FROM inbox WHERE state='new'")[0][0]
        # What is due later (a bundled notice to reviewers) is nobody's turn yet.
        due = "state = 'sending' OR (state = 'ready' AND not_before <= strftime('%Y-%m-%d %H:%M:%f', 'now'))"
        out = ask(path, f"SELECT count(*) FROM outbox WHERE {due}")[0][0]
        if not waiting and not new and not out:
            return
        assert time.monotonic() < until, f"not settled: {len(waiting)} waiting, {new} new, {out} to send"
        await asyncio.sleep(0.2)


async def all_that_arrived(fake: BotApiProcess, bot: Bot, path: Path) -> list[dict[str, Any]]:
    """A last start, until nothing is on its way, and its polite end; the messages that came to anybody in the whole test."""
    await bot.start()
    await settled(fake, path, 120)
    assert await bot.end(signal.SIGTERM) == 0
    return [call for call in fake.log() if call["delivered"] and call["method"] == "sendMessage"]


async def under_way(path: Path) -> None:
    """Waits until an announcement is on its way to somebody, or everybody has it."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        states = {row[0] for row in ask(path, f"SELECT DISTINCT state FROM outbox WHERE lane={Lane.BULK.value}")}
        if OutState.SENDING.value in states or (states and OutState.READY.value not in states):
            return
        await asyncio.sleep(0.01)


@pytest.mark.timeout(280)
async def test_killed_at_random_moments_nothing_accepted_is_lost_and_nobody_is_told_twice(tmp_path: Path) -> None:
    rng = random.Random(CASES.start)
    reporters = 60 + KILLS * 6
    async with house(tmp_path, reporters) as (fake, bot, path, broadcast_id):
        load = Load(fake, reporters, MEMBERS, rng)
        loading = asyncio.create_task(load.run())
        for _ in range(KILLS):
            await bot.start()
            moment = rng.choices([*MOMENTS], [*MOMENTS.values()])[0]
            if moment == "starting":
                await asyncio.sleep(rng.uniform(0.1, 1.2))
            else:
                await bot.ready()
                await asyncio.sleep(rng.uniform(0.0, 1.5))
            if moment == "announcing":
                # Replies always go first, so the load rests until it is the announcement's turn.
                load.resting.set()
                await under_way(path)
                await asyncio.sleep(rng.uniform(0.0, 0.2))
            await bot.end()
            load.resting.clear()
        load.stop.set()
        await loading
        delivered = await all_that_arrived(fake, bot, path)
    got = Counter(call["chat_id"] for call in delivered if call["params"].get("text") == ANNOUNCEMENT)
    receipts = Counter(
        (call["chat_id"], code) for call in delivered for code in RECEIPT.findall(call["params"].get("text", ""))
    )
    again = sum(times - 1 for times in receipts.values())
    states = dict(ask(path, f"SELECT state, count(*) FROM outbox WHERE broadcast_id={broadcast_id} GROUP BY state"))
    sent = {
        int(str(row[0]))
        for row in ask(path, f"SELECT address FROM outbox WHERE broadcast_id={broadcast_id} AND state='sent'")
    }
    reports = ask(path, "SELECT author_id, count(*) FROM submissions GROUP BY author_id")
    dead = ask(path, "SELECT count(*) FROM inbox WHERE state='dead'")[0][0]
    note(
        updates=load.pushed, reports=len(load.begun), reports_lost=len(load.begun) - len(reports),
        announcements_sent=states.get("sent", 0), announcements_in_doubt=states.get("unknown", 0),
        announcements_twice=sum(times > 1 for times in got.values()), receipts_again=again,
    )  # fmt: skip
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]
    assert dead == 0
    assert len(reports) == len(load.begun) and all(count == 1 for _, count in reports)
    assert got and max(got.values()) == 1, "somebody got the announcement twice"
    assert sum(states.values()) == MEMBERS and set(states) <= {"sent", "failed", "unknown"}
    assert 0 < states.get("unknown", 0) <= WINDOW * KILLS, "a kill that meets nothing under way proves nothing"
    assert sent <= set(got), "said to be sent, but it never arrived"
    assert len(receipts) >= len(load.begun) and again <= 4 * KILLS, "a receipt may come again, few do (T2)"


@pytest.mark.timeout(280)
async def test_a_polite_end_under_load_leaves_nothing_in_doubt(tmp_path: Path) -> None:
    ends, slow, met = cases(3), 0, 0
    rng = random.Random(ends.start)
    reporters, members = 20 + 30 * len(ends), 100 * len(ends)
    async with house(tmp_path, reporters, members) as (fake, bot, path, broadcast_id):
        load = Load(fake, reporters, members, rng)
        loading = asyncio.create_task(load.run())
        for number in ends:
            await bot.start()
            await bot.ready()
            await asyncio.sleep(rng.uniform(0.0, 1.5))
            if number % 3:  # replies always go first
                load.resting.set()
                await under_way(path)
                await asyncio.sleep(rng.uniform(0.0, 0.2))
            met += ask(path, "SELECT count(*) FROM outbox WHERE state='sending'")[0][0] > 0
            asked = time.monotonic()
            assert await bot.end(signal.SIGTERM) == 0
            slow += time.monotonic() - asked > 10
            load.resting.clear()
        load.stop.set()
        await loading
        delivered = await all_that_arrived(fake, bot, path)
    got = Counter(call["chat_id"] for call in delivered if call["params"].get("text") == ANNOUNCEMENT)
    answered = {call["chat_id"] for call in delivered if RECEIPT.search(call["params"].get("text", ""))}
    states = dict(ask(path, f"SELECT state, count(*) FROM outbox WHERE broadcast_id={broadcast_id} GROUP BY state"))
    reports = dict(
        ask(
            path,
            "SELECT a.address, count(*) FROM submissions s JOIN accounts a ON a.person_id = s.author_id GROUP BY a.address",
        )
    )
    handled = dict(ask(path, "SELECT state, count(*) FROM inbox GROUP BY state"))
    told = Counter(str(call["chat_id"]) for call in delivered)
    # What was said and has something newer to say in its place waits again, and knows its message.
    once = "SELECT address, count(*) FROM outbox WHERE state = 'sent' OR provider_id != '' GROUP BY address"
    sent = Counter(dict(ask(path, once)))
    again = (told - sent).total()
    note(
        updates=load.pushed, reports=len(load.begun), reports_lost=len(load.begun) - len(reports),
        announcements_sent=states.get("sent", 0), announcements_twice=sum(times > 1 for times in got.values()),
        messages_again=again, ends_that_met_something_under_way=met, ends_over_10_seconds=slow,
    )  # fmt: skip
    assert max(got.values()) == 1, "somebody got the announcement twice"
    assert states == {"sent": members} and len(got) == members
    assert handled == {"done": load.pushed}
    assert answered == load.begun and reports == {str(chat): 1 for chat in answered}
    assert told == sent, "something came again, or never came, though nothing was in doubt"
    assert not ask(path, "SELECT id FROM outbox WHERE state IN ('unknown', 'failed', 'expired', 'held')")
    assert met >= len(ends) / 3, "an end that meets nothing under way proves nothing"


WAITING = 100
"""Updates for each kill that came while we were down."""


@pytest.mark.timeout(3600)
async def test_what_came_while_we_were_down_is_answered_though_killed_while_it_drains(tmp_path: Path) -> None:
    played = cases(1)
    rng = random.Random(played.start)
    chats = range(1001, 1001 + WAITING * len(played))
    async with house(tmp_path, len(chats), 1) as (fake, bot, path, _):
        for chat in chats:
            await fake.act(chat, "says", text="menu")
        for _ in played:
            # A kill in mid-drain: some of what waits is stored, some answered, some still at the platform.
            handled = "SELECT count(*) FROM inbox WHERE state = 'done'"
            goal = int(str(ask(path, handled)[0][0])) + rng.randrange(1, WAITING // 2)
            await bot.start()
            until = time.monotonic() + 60
            while int(str(ask(path, handled)[0][0])) < goal:
                assert time.monotonic() < until, "nothing is answered"
                await asyncio.sleep(0.01)
            await bot.end()
        await bot.start()
        await settled(fake, path, 120 + len(chats) / 20)
        most = int(Path(f"/proc/{bot.pid}/status").read_text().partition("VmHWM:")[2].split()[0])
        assert await bot.end(signal.SIGTERM) == 0
        delivered = [call for call in fake.log() if call["delivered"] and call["method"] == "sendMessage"]
    answers = Counter(call["chat_id"] for call in delivered if call["chat_id"] in chats)
    assert dict(ask(path, "SELECT state, count(*) FROM inbox GROUP BY state")) == {"done": len(chats)}
    assert set(answers) == set(chats)
    again = sum(times - 1 for times in answers.values())
    note(updates=len(chats), answered_again=again)
    assert again <= REPLIES * len(played), "more than was in flight came twice"
    assert most < 300_000, f"{most} kB in memory"
