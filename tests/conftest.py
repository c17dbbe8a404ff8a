"""Fixtures that every floor's tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.session import Database
from tests.people import World, make_template, make_world


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-transcripts` writes what is said now over tests/transcripts/*.md; read the difference before committing."""
    parser.addoption("--update-transcripts", action="store_true", help="rewrite tests/transcripts/*.md")


@pytest.fixture(scope="session")
async def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the newest schema and the test province's units; migrated once, since that takes half a second."""
    path = tmp_path_factory.mktemp("template") / "world.db"
    await make_template(path)
    return path


@pytest.fixture(scope="session")
async def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's house as a visitor finds it at the first start. Copy it before changing anything."""
    from tests.furnished import furnish_into

    folder = tmp_path_factory.mktemp("furnished") / "demo"
    await furnish_into(folder)
    return folder


@pytest.fixture(scope="session")
def handle(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """One handle for all worlds, one after the other: SQL that was compiled for one need not be for the next."""
    return Database(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('world') / 'world.db'}")


@pytest.fixture
async def world(handle: Database, template: Path, tmp_path: Path) -> AsyncIterator[World]:
    """A fresh world on 25/7/2025 at 16:55."""
    made = make_world(handle, template, tmp_path)
    yield made
    await made.database.close()
