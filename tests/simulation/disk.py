"""The database of a schedule: a real SQLite file that is written at once, fails by the seed, and outlives its process.

It lies in /dev/shm where there is one: a killed process must leave behind what a disk would have, the write-ahead log
included, which a database in memory cannot; and what it costs to wait for a disk proves nothing here (power cuts are T4).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from shutil import copyfile
from typing import Any, ClassVar
from unittest import mock

import aiosqlite.core
from sqlalchemy.ext.asyncio import AsyncEngine

import db.driver
import db.session
from tests.simulation.life import Life

TROUBLE = {"begin": "database is locked", "write": "database or disk is full", "commit": "disk I/O error"}
"""What SQLite says at each of these; every one of them rolls the transaction back."""
HARMLESS = ("close", "rollback", "commit")


class Disk:
    """The file, and the connections of the one process that has it open."""

    def __init__(self, folder: Path, template: Path, rng: Random) -> None:
        self.path = folder / "world.db"
        self._rng = rng
        self.trouble = 0.0
        """The share of statements that fail."""
        self.troubles = 0
        for name in ("world.db-wal", "world.db-shm"):
            (folder / name).unlink(missing_ok=True)
        copyfile(template, self.path)
        self._left: list[tuple[Path, Path]] = []

    @property
    def url(self) -> str:
        """For SQLAlchemy."""
        return f"sqlite+aiosqlite:///{self.path}"

    def freeze(self) -> None:
        """Puts aside what lies on the disk this very moment: what a killed process leaves."""
        self._left = []
        for suffix in ("", "-wal"):
            here = self.path.with_name(f"world.db{suffix}")
            there = self.path.with_name(f"left.db{suffix}")
            there.unlink(missing_ok=True)
            if here.exists():
                copyfile(here, there)
                self._left.append((there, here))

    def thaw(self) -> None:
        """What was left is what the next process finds; SQLite recovers its log."""
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(f"world.db{suffix}").unlink(missing_ok=True)
        for there, here in self._left:
            there.replace(here)

    def look(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What is committed, seen from outside the process."""
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def fails(self, name: str) -> bool:
        """Whether this one is to fail."""
        if not self.trouble or name not in TROUBLE or self._rng.random() >= self.trouble:
            return False
        self.troubles += 1
        return True

    def delivers_late(self) -> bool:
        """Whether others get a turn before a result is seen, as with a real thread."""
        return self._rng.random() < 0.5


class _Desk:
    """Stands where aiosqlite has the queue to its thread: does the work at once, or never when the process is dead."""

    def __init__(self, disk: Disk, life: Life) -> None:
        self._disk = disk
        self._life = life
        self._writing = False
        self._planning = False

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        """aiosqlite's own interface."""
        future, work = item
        if self._life.dead:
            self._after_death(future, work)
            return
        name = self._name(work)
        self._life.point(f"before {name}")
        if self._life.dead:
            return  # nobody will ever hear of it
        try:
            if self._disk.fails(name):
                self._undo(work)
                raise sqlite3.OperationalError(TROUBLE[name])
            result = work()
        except BaseException as error:
            self._deliver(future, error=error)
            return
        if isinstance(result, sqlite3.Connection):
            self._life.connections.append(result)
        self._life.point(f"after {name}")
        if not self._life.dead:
            self._deliver(future, result)

    def _name(self, work: Callable[[], Any]) -> str:
        function = work.func if isinstance(work, partial) else work
        name = getattr(function, "__name__", "")
        if name in ("commit", "rollback"):
            was, self._writing = self._writing, False
            if name == "commit" and was:
                planning, self._planning = self._planning, False
                return "planning" if planning else "commit"
            return "end"
        if name.startswith("execute") and isinstance(work, partial):
            sql = str(work.args[0])
            if sql == "BEGIN IMMEDIATE":
                self._writing, self._planning = True, False
                return "begin"
            if self._writing and sql.startswith(("INSERT", "UPDATE", "DELETE")):
                self._planning = self._planning or "broadcast_targets" in sql
                return "write"
        return "other"

    @staticmethod
    def _undo(work: Callable[[], Any]) -> None:
        owner = getattr(work.func if isinstance(work, partial) else work, "__self__", None)
        connection = owner.connection._conn if isinstance(owner, db.driver.Cursor) else owner
        if isinstance(connection, sqlite3.Connection) and connection.in_transaction:
            connection.rollback()

    def _deliver(
        self, future: asyncio.Future[Any] | None, result: Any = None, error: BaseException | None = None
    ) -> None:
        if future is None:
            return
        if self._disk.delivers_late():
            future.get_loop().call_soon(_resolve, future, result, error)
        else:
            _resolve(future, result, error)

    def _after_death(self, future: asyncio.Future[Any] | None, work: Callable[[], Any]) -> None:
        """While a dead process is buried its clean-up must come to an end; it touches nothing."""
        if future is None or not self._life.buried:
            return
        name = getattr(work.func if isinstance(work, partial) else work, "__name__", "")
        _resolve(future, None, None if name in HARMLESS else sqlite3.OperationalError("connection closed"))
        if not future.cancelled():
            future.exception()  # whoever waited for it may be gone: then nobody looks, and nobody need


def _resolve(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


class _NoThread:
    daemon = True

    def start(self) -> None:
        """The desk needs none."""


@asynccontextmanager
async def _not_briefly(
    _database: db.session.Database, _session: db.session.Session, _brief: bool
) -> AsyncIterator[None]:
    """Every statement goes to the desk, to fail there or be the last."""
    yield


class _Engines:
    """Engines are kept from process to process for their compiled statements; each process gets a pool of its own."""

    kept: ClassVar[dict[Any, AsyncEngine]] = {}
    make = staticmethod(db.session._engine)

    @classmethod
    def get(cls, url: str, pragmas: tuple[str, ...], begin: str, size: int) -> AsyncEngine:
        key = url, pragmas, begin, size
        engine = cls.kept.get(key) or cls.kept.setdefault(key, cls.make(*key))
        engine.sync_engine.pool = engine.sync_engine.pool.recreate()
        return engine


@contextmanager
def used(disk: Disk, life: Callable[[], Life]) -> Iterator[None]:
    """While this holds, every new connection belongs to the process that lives then."""

    class Connection(aiosqlite.core.Connection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._tx = _Desk(disk, life())  # type: ignore[assignment]
            self._thread = _NoThread()  # type: ignore[assignment]

        def __del__(self) -> None:
            """A killed process closes nothing."""

    with (
        mock.patch.object(aiosqlite.core, "Connection", Connection),
        mock.patch.object(db.session, "_engine", _Engines.get),
        mock.patch.object(db.driver, "AT_ONCE", False),
        mock.patch.object(db.session.Database, "_briefly", _not_briefly),
    ):
        yield


async def warm_up(disk: Disk) -> None:
    """The first connections of an engine ask more than later ones; a seed must not depend on who came before it."""
    if any(url == disk.url for url, *_ in _Engines.kept):
        return
    before = disk._rng.getstate()
    database = db.session.Database(disk.url)
    async with database.read() as session, database.write() as writer:
        await session.connection()
        await writer.connection()
    await database.close()
    disk._rng.setstate(before)


def close_all(life: Life) -> None:
    """The kernel closes what a killed process had open: what was not committed is gone."""
    for connection in life.connections:
        with suppress(sqlite3.Error):
            connection.close()
