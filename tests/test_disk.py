"""A full disk under the real process: nothing acknowledged is lost, it says so, and it goes on when there is room."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.util import greenlet_spawn

from bot.app import build_app
from bot.channels.webchat import WebChat
from bot.clock import Clock
from bot.inbox import Inbox, arrival
from bot.polling import Polling
from bot.settings import Settings
from db import accounts, migrate, people, trouble, units
from db.models import Audience, Purpose
from db.session import Database
from db.trouble import Kind
from scheduler.troubles import FULL, MB
from tests.fakes.botapi import TOKEN, BotApiProcess, FakeBotApi
from tests.people import UNITS, World
from tests.prove import cases, note
from tests.test_kill import ask, report_of, settled

pytestmark = pytest.mark.sqlite

REPORTERS = range(1000, 1004)
SIZE = FULL + 24 * MB
"""Room enough for the doors to be open."""


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder on a small disk of its own, where that may be mounted."""
    folder = tmp_path / "data"
    folder.mkdir()
    small = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], capture_output=True, check=False
    ).returncode  # fmt: skip
    yield folder
    if small:
        subprocess.run(["umount", str(folder)], check=True)


class Disk:
    """Fills the small disk to the last byte; without one, forbids the process to let any file grow."""

    def __init__(self, folder: Path, pid: int) -> None:
        self._folder = folder
        self._pid = pid
        self._filler = folder / "filler"

    def fill(self) -> None:
        if not os.path.ismount(self._folder):
            largest = (self._folder / "congdoan.db-wal").stat().st_size
            resource.prlimit(self._pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
            return
        with self._filler.open("wb", buffering=0) as file:
            try:
                for size in (65536, 4096, 512, 1):
                    while True:
                        try:
                            file.write(bytes(size))
                        except OSError:
                            if size == 1:
                                raise
                            break
            except OSError:
                return

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)
        resource.prlimit(self._pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


async def furnish(path: Path, chats: Iterable[int] = REPORTERS) -> None:
    database = Database(f"sqlite+aiosqlite:///{path}")
    await migrate.upgrade(database)
    now = datetime.now(UTC)
    async with database.write() as session:
        await units.write(session, list(UNITS), now)
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None
        for chat in chats:
            account = (await accounts.enter(session, "telegram", str(chat), now)).account
            person = await people.join(session, account, "test", now)
            await people.consent(session, person.id, Purpose.SUBMISSIONS, "test", "telegram", now)
            person.name, person.unit_id, person.audience = f"Người {chat}", unit.id, Audience.ENTERPRISE
            person.confirmed, person.direct_production = True, True
    await database.close()


@pytest.mark.timeout(120)
async def test_a_full_disk_loses_nothing_says_so_and_goes_on_when_there_is_room(tmp_path: Path, data: Path) -> None:
    path = data / "congdoan.db"
    await furnish(path)
    scripts = {chat: report_of(chat, random.Random(chat)) for chat in REPORTERS}
    log = tmp_path / "bot.log"
    async with BotApiProcess(tmp_path / "calls.jsonl") as fake:
        for chat in REPORTERS:
            await fake.control("person", chat_id=chat)
        env = os.environ | {
            "CONGDOAN_DATA_DIR": str(data), "CONGDOAN_TELEGRAM_TOKEN": TOKEN, "CONGDOAN_TELEGRAM_API": fake.url,
            "CONGDOAN_ORGANISATION": "LĐLĐ tỉnh", "CONGDOAN_HOTLINE": "0200",
        }  # fmt: skip
        with log.open("wb") as err:
            bot = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", env=env, stdout=subprocess.DEVNULL, stderr=err
            )
        try:
            for step in range(3):
                for chat in REPORTERS:
                    await fake.act(chat, "says", text=scripts[chat][step])
            await settled(fake, path, 60)
            disk = Disk(data, bot.pid)
            disk.fill()
            for step in range(3, len(next(iter(scripts.values())))):
                for chat in REPORTERS:
                    await fake.act(chat, "says", text=scripts[chat][step])
            until = time.monotonic() + 60
            while not any(said in log.read_bytes() for said in (b"could not be stored", b"(full)", b"no polls until")):
                assert time.monotonic() < until, "nothing was said of a full disk"
                await asyncio.sleep(0.05)
            assert bot.returncode is None
            waiting = len((await fake.control("queue"))["pending"])
            stored = ask(path, "SELECT count(*) FROM inbox WHERE state='new'")[0][0]
            assert waiting + int(str(stored)) > 0, "the disk was not full at all"
            disk.free()
            await settled(fake, path, 60)
        finally:
            bot.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(bot.wait(), 30) == 0
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]
    assert ask(path, "SELECT count(*) FROM inbox WHERE state='dead'") == [(0,)]
    assert ask(path, "SELECT count(*), count(DISTINCT author_id) FROM submissions") == [
        (len(REPORTERS), len(REPORTERS))
    ]
    assert not [file for file in (log, *data.rglob("*")) if file.is_file() and TOKEN.encode() in file.read_bytes()]


async def test_a_full_disk_is_nobodys_fault_no_update_is_set_aside_for_it(world: World, tmp_path: Path) -> None:
    """However often it is tried meanwhile; health says why until it works again."""
    naps = 0

    async def nap(seconds: float) -> None:
        nonlocal naps
        naps += 1
        world.later(minutes=10)
        if naps == 20:
            async with world.database.write() as session:
                await (await session.connection()).exec_driver_sql("PRAGMA max_page_count = 100000")

    chat = WebChat(world.database, tmp_path, now=lambda: world.now)
    inbox = Inbox(world.database, world.house, {"webchat": chat}, now=lambda: world.now, sleep=nap, said=lambda _: None)
    await inbox.store("webchat", "web", [arrival("1", "w-1", {"address": "w-1", "text": "xin chào " + "dài " * 3000})])
    async with world.database.write() as session:
        await (await session.connection()).exec_driver_sql("PRAGMA max_page_count = 1")  # means: as it is
    with pytest.raises(Exception, match="full"):
        await inbox.store("webchat", "web", [arrival("2", "w-2", {"address": "w-2", "text": "x" * 500_000})])
    assert inbox.trouble == Kind.FULL
    await inbox.drain()
    assert naps >= 20 and inbox.trouble is None
    assert ask(world.database.file, "SELECT state, attempts FROM inbox") == [("done", 0)]


CODE = re.compile(r"SK-\d\d-\d+")


class Hasty(Clock):
    """Pauses are short."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.02))


class Sick:
    """The running house's own database, to which a write can be forbidden at any statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def _set(self, *pragmas: str) -> None:
        async with self._database._turn:
            connection = await self._database.engine.raw_connection()
            try:
                for pragma in pragmas:
                    await connection.driver_connection.execute(pragma)  # type: ignore[union-attr]
            finally:
                await greenlet_spawn(connection.close)

    async def fills(self, pages: int) -> None:
        """So many pages may still be added; how many statements that is nobody knows."""
        found = await self._size()
        await self._set(f"PRAGMA max_page_count = {found + pages}")

    async def _size(self) -> int:
        async with self._database.read() as session:
            return int((await (await session.connection()).exec_driver_sql("PRAGMA page_count")).scalar_one())

    async def refuses(self) -> None:
        """As a disk that was mounted for reading only."""
        await self._set("PRAGMA query_only = ON")

    async def heals(self) -> None:
        await self._set("PRAGMA query_only = OFF", "PRAGMA max_page_count = 1000000")


async def test_a_name_that_cannot_be_written_down_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes nothing from the start is found out by what it keeps from being stored, not by no polls at all."""
    tried = []

    async def refused(self: Polling, name: str, value: object) -> None:
        tried.append(name)
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(Polling, "_note", refused)
    await furnish(tmp_path / "congdoan.db", [1000])
    async with FakeBotApi() as fake:
        settings = Settings.model_construct(
            **Settings.model_construct().model_dump()
            | {"data_dir": tmp_path, "telegram_token": SecretStr(TOKEN), "telegram_api": fake.url}
        )
        app = await build_app(settings, Hasty())
        await app.start()
        try:
            person = fake.person(1000)
            person.says("menu")
            async with asyncio.timeout(60):
                while not fake.messages(1000):  # noqa: ASYNC110 - what another loop has sent
                    await asyncio.sleep(0.05)
        finally:
            await app.stop()
    assert tried[0] == "telegram_name"


@pytest.mark.timeout(600)
async def test_a_disk_that_fills_or_refuses_at_random_moments_loses_nothing_that_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """T11. What Telegram may forget is stored, at every moment; what was said to have arrived stays."""
    caplog.set_level(logging.CRITICAL)
    met = 0

    def passing(error: BaseException) -> Kind | None:
        nonlocal met
        found = kind_of_passing(error)
        met += found is not None
        return found

    kind_of_passing = trouble.passing
    monkeypatch.setattr(trouble, "passing", passing)
    played = cases(6)
    rng = random.Random(played.start)
    chats = range(1000, 1000 + len(played))
    path = tmp_path / "congdoan.db"
    await furnish(path, chats)
    struck = 0
    async with FakeBotApi() as fake:
        settings = Settings.model_construct(
            **Settings.model_construct().model_dump()
            | {
                "data_dir": tmp_path,
                "telegram_token": SecretStr(TOKEN),
                "telegram_api": fake.url,
                "rate_per_second": 1000.0,
            }
        )
        app = await build_app(settings, Hasty())
        await app.start()
        sick = Sick(app.database)

        def lost() -> list[str]:
            """What Telegram forgot and we have not, and the reports that somebody was told to be here and are not."""
            said = {code for chat in chats for shown in fake.messages(chat) for code in CODE.findall(shown.text)}
            kept = {str(row[0]) for row in ask(path, "SELECT ext_id FROM inbox UNION SELECT code FROM submissions")}
            return sorted({*map(str, fake.confirmed), *said} - kept)

        def still() -> bool:
            waits = ask(path, "SELECT count(*) FROM inbox WHERE state = 'new'")[0][0]
            due = "state = 'sending' OR (state = 'ready' AND not_before <= strftime('%Y-%m-%d %H:%M:%f', 'now'))"
            return not fake.pending and waits == 0 and ask(path, f"SELECT count(*) FROM outbox WHERE {due}") == [(0,)]

        async def until(holds: Callable[[], object]) -> None:
            async with asyncio.timeout(60):
                while not holds():  # noqa: ASYNC110 - the state of another program's file
                    await asyncio.sleep(0.05)

        try:
            for chat in chats:
                person, script = fake.person(chat), report_of(chat, rng)
                moment = rng.randrange(len(script))
                for step, text in enumerate(script):
                    if step == moment:
                        before = met
                        await (sick.refuses() if rng.random() < 0.3 else sick.fills(rng.randrange(3)))
                    person.says(text)
                    await asyncio.sleep(rng.uniform(0, 0.02))
                person.says("menu " + "dài " * 1000)
                await until(lambda before=before: met > before or still())  # type: ignore[misc]
                struck += met > before
                assert not lost()
                await sick.heals()
                await until(still)
                assert not lost()
        finally:
            await app.stop()
    note(troubles_met=met, updates=len(fake.confirmed), reports=len(chats))
    assert struck > len(played) / 2, "a disk that nobody noticed proves nothing"
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]
    assert ask(path, "SELECT count(*) FROM inbox WHERE state = 'dead'") == [(0,)]
    assert ask(path, "SELECT count(*), count(DISTINCT author_id) FROM submissions") == [(len(chats), len(chats))]
