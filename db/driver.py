"""One trip to SQLite's thread for each statement, where the driver's own cursor makes four: make, execute, fetch, close.

Where it is called for (`Connection.brief`), none: a short statement takes less time than the trip.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

import aiosqlite

Row = tuple[object, ...]
LONG = 0.005
"""Seconds after which a statement has kept everybody waiting: the next time it goes to the thread."""
_long: set[str] = set()


class Cursor:
    """What SQLAlchemy asks of a cursor. Every row is fetched at once, so nothing stays open between statements."""

    arraysize = 1

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.connection = connection
        self.description: Row | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: list[Row] = []

    async def __aenter__(self) -> Cursor:
        return self

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> None:
        if not getattr(self.connection, "brief", False) or sql in _long:
            await self.connection._execute(self.execute_there, sql, parameters)  # type: ignore[no-untyped-call]
            return
        time = asyncio.get_running_loop().time
        began = time()
        self.execute_there(sql, parameters)
        if time() - began > LONG:
            _long.add(sql)

    async def executemany(self, sql: str, parameters: Sequence[Sequence[object]]) -> None:
        await self.connection._execute(self.execute_there, sql, parameters, True)  # type: ignore[no-untyped-call]

    def execute_there(self, sql: str, parameters: Sequence[object], many: bool = False) -> None:
        """Runs in the connection's thread, or in ours while that one has nothing to do."""
        cursor = self.connection._conn.cursor()
        try:
            (cursor.executemany if many else cursor.execute)(sql, parameters)  # type: ignore[arg-type]
            self._rows = cursor.fetchall()
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()

    async def fetchall(self) -> list[Row]:
        return self._rows

    async def close(self) -> None:
        """Nothing is open."""


def in_one_trip(connection: aiosqlite.Connection) -> None:
    """Lets a connection answer with cursors of this kind."""
    connection.cursor = partial(Cursor, connection)  # type: ignore[method-assign,assignment]
