"""Statements that are part of every message, compiled once and said to SQLite as they are: SQLAlchemy's way there, which is
the same each time, takes three times as long as SQLite's answer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Dialect, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

Way = Callable[[Any], Any] | None
Row = tuple[Any, ...]


class Prepared:
    """One statement over columns. What it writes besides its own values are the given `columns`, by their names."""

    def __init__(self, statement: Any, *columns: str) -> None:
        self.statement = statement
        self._columns = columns
        self._sql = ""
        self._binds: list[tuple[str, Any, Way]] = []
        self._results: list[tuple[int, Callable[[Any], Any]]] = []

    def _compile(self, dialect: Dialect) -> None:
        compiled: Any = self.statement.compile(dialect=dialect, column_keys=list(self._columns) or None)
        if isinstance(self.statement, Select):
            columns: Any = self.statement.selected_columns
            ways = enumerate(_way(column.type, dialect, "result_processor", None) for column in columns)
            self._results = [(place, way) for place, way in ways if way is not None]
        binds = [compiled.binds[name] for name in compiled.positiontup]
        self._binds = [(bind.key, bind.value, _way(bind.type, dialect, "bind_processor")) for bind in binds]
        self._sql = str(compiled)

    def on(self, connection: sqlite3.Connection, dialect: Dialect, values: Mapping[str, Any]) -> sqlite3.Cursor:
        """Executes it. Raises SQLAlchemy's errors, as it would itself."""
        if not self._sql:
            self._compile(dialect)
        said = [
            way(values.get(name, value)) if way is not None else values.get(name, value)
            for name, value, way in self._binds
        ]
        try:
            return connection.execute(self._sql, said)
        except sqlite3.Error as error:
            raise DBAPIError.instance(
                self._sql, None, error, sqlite3.Error, hide_parameters=True, dialect=dialect
            ) from error

    def rows(self, connection: sqlite3.Connection, dialect: Dialect, values: Mapping[str, Any]) -> list[Row]:
        """What it answers, in Python's types."""
        found: list[Any] = self.on(connection, dialect, values).fetchall()
        if self._results:
            for number, row in enumerate(found):
                read = list(row)
                for place, way in self._results:
                    read[place] = way(read[place])
                found[number] = tuple(read)
        return found


def _way(kind: TypeEngine[Any], dialect: Dialect, which: str, *more: object) -> Any:
    """How values of a type become the driver's, or the driver's become values; None where they are the same."""
    return getattr(kind.dialect_impl(dialect), which)(dialect, *more)
