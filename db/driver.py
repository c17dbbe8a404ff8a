"""SQLite for SQLAlchemy: what may wait for the disk, for another writer or for long takes one trip to the connection's thread,
where the driver's own cursor makes four; what takes less time than a trip takes none.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_dbapi
from sqlalchemy.util.concurrency import await_, in_greenlet

Row = tuple[object, ...]
LONG = 0.005
"""Seconds after which a question has kept everybody waiting: the next time it goes to the thread."""
_long: set[str] = set()
MANY = 500
"""So many such questions are remembered: those that ask of a list are another for each length of it."""


BEGIN, BEGIN_WRITING = "BEGIN", "BEGIN IMMEDIATE"
AT_ONCE = True
"""Whether transactions begin, and reading ones end, in our thread, which takes no time unless somebody else is writing."""
PATIENCE = 10_000
"""Milliseconds that SQLite waits for another process's transaction."""


class ElsewhereError(Exception):
    """This question takes long, and whoever asks it here cannot wait for the thread."""


async def _nothing() -> None:
    pass


class Cursor:
    """What SQLAlchemy asks of a cursor. Every row is fetched at once, so nothing stays open between statements."""

    arraysize = 1
    server_side = False
    __slots__ = ("_adapted", "_rows", "connection", "description", "lastrowid", "rowcount")

    def __init__(self, adapted: Connection, server_side: bool = False) -> None:
        self._adapted = adapted
        self.connection: aiosqlite.Connection = adapted.driver_connection
        self.description: Row | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: Iterator[Row] = iter(())

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> None:
        self._adapted.over = False
        if sql == BEGIN_WRITING and AT_ONCE and self._begins():
            return
        if not self._here(sql):
            self._execute_elsewhere(sql, parameters)
            return
        began = time.monotonic()
        self.execute_there(sql, parameters)
        if time.monotonic() - began > LONG and sql.startswith("SELECT"):
            if len(_long) >= MANY:
                _long.clear()
            _long.add(sql)

    def executemany(self, sql: str, parameters: Sequence[Sequence[object]]) -> None:
        if self._here(sql):
            self.execute_there(sql, parameters, True)
        else:
            self._execute_elsewhere(sql, parameters, True)

    def _begins(self) -> bool:
        """Begins to write unless somebody else does, which the thread then waits for."""
        connection = self.connection._conn
        connection.execute("PRAGMA busy_timeout=0")
        try:
            connection.execute(BEGIN_WRITING)
        except sqlite3.OperationalError:
            return False
        finally:
            connection.execute(f"PRAGMA busy_timeout={PATIENCE}")
        return True

    def _here(self, sql: str) -> bool:
        """Whether a statement is done in our thread. Raises ElsewhereError where it should not be and nobody can wait."""
        if not (self._adapted.brief or (AT_ONCE and sql == BEGIN)):
            return False
        if in_greenlet():
            await_(_nothing())  # SQLAlchemy takes a driver that never waits for one that is not asynchronous
            return sql not in _long
        if sql in _long:
            raise ElsewhereError
        return True

    def _execute_elsewhere(self, *work: object) -> None:
        try:
            await_(self.connection._execute(self.execute_there, *work))  # type: ignore[no-untyped-call]
        except ValueError as error:
            self._adapted._handle_exception(error)

    def execute_there(self, sql: str, parameters: Sequence[Any], many: bool = False) -> None:
        """Runs in the connection's thread, or in ours while that one has nothing to do."""
        cursor = self.connection._conn.cursor()
        try:
            (cursor.executemany if many else cursor.execute)(sql, parameters)
            self._rows = iter(cursor.fetchall())
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()

    def fetchone(self) -> Row | None:
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[Row]:
        return list(islice(self._rows, size or self.arraysize))

    def fetchall(self) -> list[Row]:
        return list(self._rows)

    def close(self) -> None:
        """Nothing is open."""

    async def _async_soft_close(self) -> None:
        """The same."""


class Connection(AsyncAdapt_aiosqlite_connection):
    """SQLAlchemy's, with our cursors. `brief` while it is a brief transaction's, `reads` where it can only read, `over` from
    a commit on: what SQLAlchemy rolls back then, to be sure, is nothing, and takes no trip to the thread."""

    __slots__ = ("brief", "over", "reads")
    _cursor_cls = Cursor  # type: ignore[assignment]
    _ss_cursor_cls = Cursor  # type: ignore[assignment]

    def __init__(self, module: Any, connection: Any) -> None:
        super().__init__(module, connection)
        self.brief = self.reads = self.over = False

    def commit(self) -> None:
        if self.reads and AT_ONCE:
            self._connection._conn.commit()
        else:
            super().commit()
        self.over = True

    def rollback(self) -> None:
        if self.over:
            return
        if self.brief or (self.reads and AT_ONCE):
            self._connection._conn.rollback()
        else:
            super().rollback()


class Module(AsyncAdapt_aiosqlite_dbapi):
    """What `create_async_engine` takes for the driver."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *arguments: Any, **settings: Any) -> Connection:
        made = super().connect(*arguments, **settings)
        return Connection(self, made.driver_connection)
