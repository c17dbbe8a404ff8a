"""A full disk under the real process: nothing acknowledged is lost, it says so, and it goes on when there is room."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.channels.webchat import WebChat
from bot.inbox import Inbox, arrival
from db import accounts, migrate, people, units
from db.models import Audience, Purpose
from db.session import Database
from db.trouble import Kind
from tests.fakes.botapi import TOKEN, BotApiProcess
from tests.people import UNITS, World
from tests.test_kill import ask, report_of, settled

pytestmark = pytest.mark.sqlite

REPORTERS = range(1000, 1004)
SIZE = 12 * 2**20


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


async def furnish(path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{path}")
    await migrate.upgrade(database)
    now = datetime.now(UTC)
    async with database.write() as session:
        await units.write(session, list(UNITS), now)
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None
        for chat in REPORTERS:
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
            while not any(said in log.read_bytes() for said in (b"could not be stored", b"cannot be written (full)")):
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
