"""Fixtures that every floor's tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from db.session import Database
from tests.databases import Server, Template, temporary_server
from tests.people import World, furnish_units, make_world
from tests.prove import ASKED

# Worlds come and go by the thousand: looking for cycles at every 700 objects costs a fifth of a run.
gc.set_threshold(50_000, 20, 100)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-transcripts` writes what is said now over tests/transcripts/*.md; read the difference before committing."""
    parser.addoption("--update-transcripts", action="store_true", help="rewrite tests/transcripts/*.md")
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default=os.environ.get("CONGDOAN_TEST_DATABASE", "sqlite"),
        help="where worlds live; postgresql starts a temporary server",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is about SQLite itself says nothing about another database; a long form may take longer than a short one."""
    if ASKED in os.environ:
        for item in items:
            item.own_markers = [mark for mark in item.own_markers if mark.name != "timeout"]
    if config.getoption("--database") != "sqlite":
        skip = pytest.mark.skip(reason="about SQLite itself")
        for item in items:
            if item.get_closest_marker("sqlite"):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server of this run. Whoever needs it is skipped where none is installed."""
    try:
        with temporary_server() as made:
            yield made
    except LookupError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
async def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A database with the newest schema and the test province's units; migrated once, since that takes half a second."""
    postgresql = request.config.getoption("--database") == "postgresql"
    made = Template(tmp_path_factory.mktemp("template"), request.getfixturevalue("server") if postgresql else None)
    await furnish_units(made.url)
    return made


@pytest.fixture(scope="session")
async def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's house as a visitor finds it at the first start. Copy it before changing anything."""
    from tests.furnished import furnish_into

    folder = tmp_path_factory.mktemp("furnished") / "demo"
    await furnish_into(folder)
    return folder


@pytest.fixture(scope="session")
def handle(template: Template) -> Database:
    """One handle for all worlds, one after the other: SQL that was compiled for one need not be for the next."""
    return Database(template.world)


@pytest.fixture
async def world(handle: Database, template: Template, tmp_path: Path) -> AsyncIterator[World]:
    """A fresh world on 25/7/2025 at 16:55."""
    made = make_world(handle, template, tmp_path)
    yield made
    await made.database.close()
