"""T12: backup and restore as in earnest, under load, cut off anywhere; and what was sent since is not sent again."""

from __future__ import annotations

import asyncio
import hashlib
import random
import shutil
import sqlite3
import tarfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot import backup as backups
from bot.app import App, build_app
from bot.opening import alone
from bot.settings import Settings
from bot.workplace import PREFIX
from db import audit, broadcasts
from db.session import Database, Session
from db.trouble import Kind, Trouble
from tests.bot.cut_off import Job, play_all
from tests.bot.test_backup import quiet
from tests.databases import Template, sqlite
from tests.fakes.botapi import TOKEN, FakeBotApi
from tests.forks import KILLED
from tests.prove import cases, note
from tests.test_disk import CODE, Hasty
from tests.test_kill import ANNOUNCEMENT, ask, furnish, report_of

pytestmark = pytest.mark.sqlite

MEMBERS = 60
REPORTERS = 3
ALTERED = {
    "outbox", "broadcasts", "counters", "conversations", "facts", "audit", "alembic_version", "sqlite_sequence",
}  # fmt: skip
"""Tables in which a restore writes."""


# ---------------------------------------------------------------------------------------------------- cut off


def house(folder: Path, template: Template, name: str) -> Path:
    """A data folder that can be told from another."""
    data = folder / "data"
    for place in ("files", "uploads"):
        (data / place).mkdir(parents=True)
        (data / place / f"{name}.jpg").write_text(name)
    shutil.copyfile(template.path, data / "congdoan.db")
    with closing(sqlite3.connect(data / "congdoan.db")) as connection:
        connection.execute("UPDATE units SET name = ?", (name,))
        connection.commit()
    return data


def whose(data: Path) -> tuple[set[object], set[str]]:
    """Names in the tables, and names of files."""
    names = {row[0] for row in ask(data / "congdoan.db", "SELECT name FROM units")}
    return names, {path.stem for place in ("files", "uploads") for path in (data / place).glob("*.jpg")}


OLD, NEW = ({"old"}, {"old"}), ({"new"}, {"new"})


@pytest.mark.timeout(600)
async def test_a_backup_or_a_restore_killed_at_any_moment_is_done_or_not_and_never_half(
    tmp_path: Path, template: Template
) -> None:
    saved = tmp_path / "saved.tar.gz"
    folder = tmp_path / "source"
    await backups.backup(
        Settings.model_construct(data_dir=house(folder, template, "new")), saved, datetime.now(UTC), quiet
    )
    whole = saved.read_bytes()

    def job(command: str, number: int, at: int) -> Job:
        folder = tmp_path / f"{command}-{number}"
        data = house(folder, template, "old")
        shutil.copyfile(saved, folder / "saved.tar.gz")
        return command, data, folder / ("next.tar.gz" if command == "backup" else "saved.tar.gz"), at

    counted = play_all([job("backup", 0, 0), job("restore", 0, 0)])
    every = [
        (command, at) for command, most in zip(("backup", "restore"), counted, strict=True) for at in range(1, most + 1)
    ]
    random.Random(12).shuffle(every)
    jobs = [job(*_numbered(every, number)) for number in cases(10)]
    assert play_all(jobs) == [KILLED] * len(jobs)
    half = 0
    for command, data, file, _ in jobs:
        settings = Settings.model_construct(data_dir=data)
        assert (file.parent / "saved.tar.gz").read_bytes() == whole
        if command == "restore":
            try:
                held = alone(settings)
            except Trouble as trouble:
                assert trouble.kind == Kind.HALF
                half += 1
            else:
                assert held is not None
                held.close()
                assert whose(data) in (OLD, NEW)
            aside, _ = await backups.restore(settings, file, datetime.now(UTC), quiet)
            assert whose(data) == NEW and aside is not None
            kept = [path.read_text() for path in data.glob("before-restore-*/*/old.jpg")]
            assert kept == ["old", "old"], "the former files are kept, each once"
            former = [
                name
                for path in data.glob("before-restore-*/congdoan.db")
                for name in ask(path, "SELECT name FROM units")
            ]
            assert ("old",) in former
        else:
            assert whose(data) == OLD
            if file.exists():
                file.rename(file.with_name("first.tar.gz"))
                await restored(file.with_name("first.tar.gz"), tmp_path / "tried")
            await backups.backup(settings, file, datetime.now(UTC), quiet)
            await restored(file, tmp_path / "tried")
        for place in (data, data.parent):
            assert not list(place.glob(f"{PREFIX}*")) and not list(place.glob("*.half"))
    note(starts_refused=half)


def _numbered(every: list[tuple[str, int]], number: int) -> tuple[str, int, int]:
    command, at = every[number % len(every)]
    return command, number + 1, at


async def restored(file: Path, data: Path) -> None:
    """A backup of the old house is whole."""
    shutil.rmtree(data, ignore_errors=True)
    await backups.restore(Settings.model_construct(data_dir=data), file, datetime.now(UTC), quiet)
    assert whose(data) == OLD


# ---------------------------------------------------------------------------------------------------- the drill


def rows(path: Path) -> dict[str, list[str]]:
    """Every table's rows, each as a hash."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        ]
        return {
            name: sorted(
                hashlib.sha256(repr(row).encode()).hexdigest() for row in connection.execute(f"SELECT * FROM {name}")
            )
            for name in names
        }


def recorded(database: Database, path: Path, states: list[dict[str, list[str]]]) -> None:
    """Writes down what the whole database holds after each commit, before the next one begins."""
    write, turn = database.write, asyncio.Lock()

    @asynccontextmanager
    async def writes(**how: Any) -> AsyncIterator[Session]:
        async with turn:
            async with write(**how) as session:
                yield session
            states.append(rows(path))

    database.write = writes  # type: ignore[method-assign]


@pytest.mark.timeout(600)
async def test_a_backup_under_load_is_one_moment_and_after_its_restore_nothing_is_sent_twice(tmp_path: Path) -> None:
    for number in cases(1):
        await drill(tmp_path / str(number), random.Random(number))


async def drill(folder: Path, rng: random.Random) -> None:
    """A house in the midst of an announcement and of reports is saved, goes on, is lost, and comes back from the copy."""
    data, file = folder / "data", folder / "saved.tar.gz"
    data.mkdir(parents=True)
    path = data / "congdoan.db"
    await furnish(sqlite(path), REPORTERS, MEMBERS)
    chats = range(1000, 1000 + MEMBERS + REPORTERS)
    states: list[dict[str, list[str]]] = []
    async with FakeBotApi() as fake:
        for chat in chats:
            fake.person(chat)
        settings = Settings.model_construct(
            **Settings.model_construct().model_dump()
            | {"data_dir": data, "telegram_token": SecretStr(TOKEN), "telegram_api": fake.url, "rate_per_second": 66.0}
        )
        scripts = {chat: report_of(chat, rng) for chat in chats[MEMBERS:]}

        def told() -> Counter[int | None]:
            return Counter(
                call.chat_id for call in fake.log if call.delivered and call.params.get("text") == ANNOUNCEMENT
            )

        async def until(app: App, holds: object) -> None:
            async with asyncio.timeout(60):
                while not holds():  # type: ignore[operator]
                    assert app.inbox.trouble is None
                    await asyncio.sleep(0.02)

        def still() -> bool:
            waits = ask(path, "SELECT count(*) FROM inbox WHERE state = 'new'")[0][0]
            return not fake.pending and waits == 0 and ask(path, DUE) == [(0,)]

        app = await build_app(settings, Hasty())
        recorded(app.database, path, states)
        await app.start()
        for chat, script in scripts.items():
            for text in script:
                fake.person(chat).says(text)
        goal = rng.randrange(1, MEMBERS // 2)
        await until(app, lambda: len(told()) >= goal)
        since, known = len(states), known_codes(fake)
        await backups.backup(settings, file, datetime.now(UTC), quiet)
        until_then = len(states)
        await until(app, still)
        await app.stop()
        first = told()
        assert len(first) == MEMBERS and max(first.values()) == 1

        with tarfile.open(file) as tar:
            tar.extract("congdoan.db", folder / "copy", filter="data")
        copy = rows(folder / "copy" / "congdoan.db")
        moments = [at for at in range(max(0, since - 1), min(until_then + 1, len(states))) if states[at] == copy]
        assert moments, "the copy is no moment of the house"
        assert known <= {str(row[0]) for row in ask(folder / "copy" / "congdoan.db", "SELECT code FROM submissions")}

        shutil.rmtree(data)
        _, held = await backups.restore(settings, file, datetime.now(UTC), quiet)
        after = rows(path)
        assert all(after[name] == copy[name] for name in copy if name not in ALTERED)
        unfinished = "SELECT count(*) FROM outbox WHERE policy = 'amo' AND state IN ('ready', 'sending')"
        assert ask(path, unfinished) == [(0,)]
        app = await build_app(settings, Hasty())
        async with app.database.write() as session:  # what is held stays so when somebody lets messages go again
            await broadcasts.start_again(session, audit.SYSTEM, datetime.now(UTC))
        await app.start()
        fake.person(chats[-1]).says("menu")
        await until(app, still)
        await app.timetable.run_all()
        await until(app, still)
        await app.stop()
        assert told() == first, "somebody got the announcement twice"
        assert held == 1
    note(
        commits_meanwhile=until_then - since, announcements_held=int(str(ask(path, HELD)[0][0])), announcements_twice=0
    )


DUE = (
    "SELECT count(*) FROM outbox WHERE state = 'sending' "
    "OR (state = 'ready' AND not_before <= strftime('%Y-%m-%d %H:%M:%f', 'now'))"
)
HELD = "SELECT count(*) FROM outbox WHERE state = 'held'"


def known_codes(fake: FakeBotApi) -> set[str]:
    """The numbers of reports that anybody was told."""
    return {code for call in fake.log if call.delivered for code in CODE.findall(str(call.params.get("text", "")))}
