"""One trip to SQLite's thread for each statement, where the driver's own cursor makes four: make, execute, fetch, close."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import aiosqlite

Row = tuple[object, ...]


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
        await self.connection._execute(self.execute_there, sql, parameters)  # type: ignore[no-untyped-call]

    async def executemany(self, sql: str, parameters: Sequence[Sequence[object]]) -> None:
        await self.connection._execute(self.execute_there, sql, parameters, True)  # type: ignore[no-untyped-call]

    def execute_there(self, sql: str, parameters: Sequence[object], many: bool = False) -> None:
        """Runs in the connection's thread."""
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
