"""`--seed N` replays one schedule."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.people import START
from tests.simulation.cast import write_template
from tests.simulation.stage import rented
from tests.simulation.world import Plan, World, run

Play = Callable[[Plan], World]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=None, help="replay one schedule of the simulation")


@pytest.fixture(scope="session")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Runs one schedule."""
    with rented(tmp_path_factory.mktemp("simulation")) as folder:
        template = folder / "template.db"
        asyncio.run(write_template(template, START))
        yield lambda plan: run(plan, folder, template)
