"""Schedules of crashes, faults and moved clocks, by seed; and bugs planted into the core, each of which must be caught."""

from __future__ import annotations

import pytest

from tests.simulation.conftest import Play
from tests.simulation.oracles import judge
from tests.simulation.plan import draw

SEEDS = range(10)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        asked = metafunc.config.getoption("--seed", default=None)
        metafunc.parametrize("seed", SEEDS if asked is None else [asked])


def test_every_promise_holds_whatever_happens(seed: int, play: Play) -> None:
    wrong = judge(play(draw(seed)))
    assert not wrong, f"seed {seed}: replay with `pytest tests/simulation --seed {seed}`\n" + "\n".join(wrong)


def test_one_seed_replays_exactly(play: Play) -> None:
    first, second = play(draw(4)), play(draw(4))
    assert first.platform.said == second.platform.said and first.platform.said
    assert first.killed == second.killed == {0, 1}
