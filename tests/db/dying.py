"""Starts that are killed before one statement each: `python -m tests.db.dying JOBS` forks a process a job.

A job is `[url, folder, at, beyond]`: the house, the statement that is never executed (0: none, all are counted), and
a folder with migrations beyond ours. Prints what became of each: how many statements there were, or the signal.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, event

from bot.opening import bring_up_to_date
from bot.settings import Settings
from db import accounts, migrate, people, versions
from db.models import Conversation, Draft
from db.session import Database
from tests.forks import KILLED, forked, played

Job = tuple[str, Path, int, Path | None]
MIGRATIONS = Path(versions.__file__).parent / "migrations"
NEXT = """
import sqlalchemy as sa
from alembic import op

def upgrade():
    op.create_table("pets", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String))
    for table in ("persons", "drafts"):
        with op.batch_alter_table(table, recreate="always" if op.get_bind().dialect.name == "sqlite" else "auto") as it:
            it.add_column(sa.Column("nickname", sa.String, nullable=False, server_default=""))
    op.execute("UPDATE persons SET nickname = name")
    op.execute("INSERT INTO pets (id, name) SELECT id, name FROM persons")
"""


class Statements:
    """Counts what the database is asked to do, in any connection, and ends the process before the one it was told."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.count = 0

    def watch(self, database: Database) -> None:
        for engine in (database._writer.sync_engine, database._reader.sync_engine):
            if database.shared:
                event.listen(engine, "before_cursor_execute", self._next)
                event.listen(engine, "commit", self._next)
            else:
                event.listen(engine, "connect", self._connected)

    def _next(self, *_: object) -> None:
        self.count += 1
        if self.count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _connected(self, connection: Any, _: object) -> None:
        # SQLite names each statement as it begins, its own inside of VACUUM INTO too.
        connection.run_async(lambda driver: driver.set_trace_callback(self._next))


def _beyond(folder: str) -> None:
    """Lets the program know migrations beyond ours, as its next version would."""
    ours = versions._config

    def config(connection: Connection) -> Config:
        made = ours(connection)
        made.set_main_option("path_separator", "newline")
        made.set_main_option("version_locations", f"{MIGRATIONS / 'versions'}\n{folder}")
        return made

    versions._config, migrate.NEWEST = config, "next"


async def _start(url: str, folder: str, at: int) -> int:
    database, statements = Database(url), Statements(at)
    statements.watch(database)
    settings = Settings.model_construct(**Settings.model_construct().model_dump() | {"data_dir": Path(folder)})
    await bring_up_to_date(settings, database, datetime.now(UTC))
    await database.close()
    return statements.count


def _play(url: str, folder: str, at: int, beyond: str) -> int:
    def work() -> int:
        if beyond:
            _beyond(beyond)
        return asyncio.run(_start(url, folder, at))

    return forked(work, f"the start that was to die at {at}")


# ----------------------------------------------------------------------------------------------------- for the tests


def start_all(jobs: Sequence[Job]) -> list[int]:
    """Plays jobs, one after the other, each in a fork of a process in which nothing runs yet."""
    listed = [(url, str(folder), at, str(beyond or "")) for url, folder, at, beyond in jobs]
    return list(map(int, played("tests.db.dying", listed)))


def plant(folder: Path) -> Path:
    """A next version: a new table, two that others refer to rebuilt with their rows, and rows that are changed."""
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    folder.mkdir()
    names = "revision, down_revision, branch_labels, depends_on"
    (folder / "next.py").write_text(f"{names} = 'next', {head!r}, None, None\n{NEXT}")
    return folder


async def inhabit(url: str) -> None:
    """Tables of ours, and two people with a draft each that their chat leads to."""
    database, now = Database(url), datetime.now(UTC)
    await migrate.upgrade(database)
    async with database.write() as session:
        for address in ("1", "2"):
            account = (await accounts.enter(session, "telegram", address, now)).account
            person = await people.join(session, account, "1", now)
            person.name = f"Người {address}"
            draft = Draft(person_id=person.id, dialogue="report", step="title", updated_at=now)
            session.add(draft)
            await session.flush()
            chat = await session.get(Conversation, account.id)
            if chat is None:
                chat = Conversation(account_id=account.id, updated_at=now)
                session.add(chat)
            chat.draft_id = draft.id
    await database.close()


async def content(url: str) -> dict[str, list[str]]:
    """Every table with its columns and rows."""
    database = Database(url)

    def look(connection: Connection) -> dict[str, list[str]]:
        tables = MetaData()
        tables.reflect(connection)
        return {
            name: [repr(table.columns.keys()), *sorted(repr(tuple(row)) for row in connection.execute(table.select()))]
            for name, table in tables.tables.items()
        }

    async with database.read() as session:
        found = await (await session.connection()).run_sync(look)
    await database.close()
    return found


async def die_and_start_again(
    copy: Callable[[bool], tuple[str, Path]], beyond: Path, numbers: range
) -> tuple[int, int]:
    """Each case dies before a statement of its own, from nothing to ours or from ours to the next, and starts again.

    `copy` makes a fresh house, empty or inhabited. Returns how many were left old and how many new.
    """
    whole = [(*copy(inhabited), 0, beyond if inhabited else None) for inhabited in (False, True)]
    before = [await content(url) for url, *_ in whole]
    counts = start_all(whole)
    after = [await content(url) for url, *_ in whole]
    for name, rows in before[True].items():  # what the next version says nothing of stands as it stood
        assert name in ("alembic_version", "persons", "drafts") or after[True][name] == rows, name
        assert len(after[True][name]) == len(rows), name
    every = [(inhabited, at) for inhabited in (False, True) for at in range(1, counts[inhabited] + 1)]
    random.Random(27).shuffle(every)
    dying = [every[number % len(every)] for number in numbers]
    jobs: list[Job] = [(*copy(inhabited), at, beyond if inhabited else None) for inhabited, at in dying]
    assert start_all(jobs) == [KILLED] * len(jobs)
    old = 0
    for (inhabited, at), (url, folder, *_) in zip(dying, jobs, strict=True):
        found = await content(url)
        old += found == before[inhabited]
        assert found in (before[inhabited], after[inhabited]), f"something between, killed before statement {at}"
        for made in folder.glob("before-update-*.db"):
            assert await content(f"sqlite+aiosqlite:///{made}") == before[inhabited]
    assert all(count > 0 for count in start_all([(url, folder, 0, more) for url, folder, _, more in jobs]))
    for (inhabited, at), (url, *_) in zip(dying, jobs, strict=True):
        assert await content(url) == after[inhabited], f"not completed, killed before statement {at}"
    return old, len(jobs) - old


if __name__ == "__main__":
    print(json.dumps([_play(*job) for job in json.loads(sys.argv[1])]))
