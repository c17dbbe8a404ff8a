"""One furnished province for the whole matrix: every cell is tried in it and undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from shutil import copyfile
from typing import Any
from unittest import mock

import aiosqlite.core
import pytest

from db.session import Database
from tests.databases import Template, sqlite
from tests.matrix.scene import Scene
from tests.people import World, make_house


class _AtOnce:
    """Stands where aiosqlite has its thread and the queue to it: the work is done here, which costs half."""

    daemon = True

    def start(self) -> None:
        """There is nothing to start."""

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        """aiosqlite's own interface."""
        future, work = item
        try:
            result = work()
        except Exception as error:
            if future is not None:
                future.set_exception(error)
        else:
            if future is not None:
                future.set_result(result)


class _Connection(aiosqlite.core.Connection):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tx = self._thread = _AtOnce()  # type: ignore[assignment]


@pytest.fixture(scope="package")
async def scene(template: Template, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """Everybody, and one of everything at each relation."""
    folder = tmp_path_factory.mktemp("matrix")
    copyfile(template.path, folder / "world.db")
    database = Database(sqlite(folder / "world.db"))
    made = Scene(World(database, make_house(folder)))
    try:
        with mock.patch.object(aiosqlite.core, "Connection", _Connection):
            await made.furnish()
        yield made
    finally:
        await database.close()
