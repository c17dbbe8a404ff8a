"""Statements that are part of every message, compiled once and said to SQLite as they are: SQLAlchemy's way there, which is
the same each time, takes three times as long as SQLite's answer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
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
        return self._do(connection.execute, dialect, self._said(dialect, values))

    def many(
        self,
        connection: sqlite3.Connection,
        dialect: Dialect,
        shared: Mapping[str, Any],
        each: Sequence[Mapping[str, Any]],
    ) -> None:
        """Executes it once for `each`, whose values stand beside the `shared` ones. Raises likewise."""
        said = self._said(dialect, {**shared, **each[0]})
        own = [(place, name, way) for place, (name, _, way) in enumerate(self._binds) if name in each[0]]
        rows = []
        for values in each:
            row = said.copy()
            for place, name, way in own:
                row[place] = way(values[name]) if way is not None else values[name]
            rows.append(row)
        self._do(connection.executemany, dialect, rows)

    def _said(self, dialect: Dialect, values: Mapping[str, Any]) -> list[Any]:
        if not self._sql:
            self._compile(dialect)
        return [
            way(values.get(name, value)) if way is not None else values.get(name, value)
            for name, value, way in self._binds
        ]

    def _do(self, do: Callable[[str, list[Any]], sqlite3.Cursor], dialect: Dialect, said: list[Any]) -> sqlite3.Cursor:
        try:
            return do(self._sql, said)
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
                    if read[place] is not None:
                        read[place] = way(read[place])
                found[number] = tuple(read)
        return found


def _way(kind: TypeEngine[Any], dialect: Dialect, which: str, *more: object) -> Any:
    """How values of a type become the driver's, or the driver's become values; None where they are the same."""
    return getattr(kind.dialect_impl(dialect), which)(dialect, *more)
