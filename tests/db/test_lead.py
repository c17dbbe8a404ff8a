"""Who leads, while the server or the machine is slow: without a server, for it is only asked whether it answers."""

from __future__ import annotations

import asyncio
from unittest.mock import AsyncMock, Mock

import pytest

from db.lead import KEEP, LEASE, SLOWEST, Lead


@pytest.fixture
def lead() -> Lead:
    """One that leads, from the moment zero on."""
    made = Lead.__new__(Lead)
    made._connection, made._monotonic, made._until = AsyncMock(), lambda: 0.0, LEASE
    return made


async def test_signs_of_life_that_are_as_slow_as_may_be_leave_no_gap(lead: Lead) -> None:
    now = 0.0
    lead._monotonic = lambda: now

    async def slow(_: object) -> None:
        nonlocal now
        now += SLOWEST - 0.001
        assert lead.held

    lead._connection = AsyncMock(execute=slow)
    for _ in range(3):
        now += KEEP
        assert await lead.keep() and lead.held


@pytest.mark.parametrize("taking", [False, True])
async def test_the_lease_counts_from_when_it_was_asked_for_not_from_the_answer(lead: Lead, taking: bool) -> None:
    """The server may have heard it at once and answered late."""
    now = 1.0
    lead._monotonic = lambda: now

    async def slow(_: object) -> Mock:
        nonlocal now
        now += 3.0
        return Mock(scalar_one=lambda: True)

    lead._connection = AsyncMock(execute=slow)
    if taking:
        lead._engine = AsyncMock(connect=AsyncMock(return_value=lead._connection))
        lead._connection = None
    assert await (lead.take() if taking else lead.keep())
    now = 1.0 + LEASE - 0.001
    assert lead.held
    now = 1.0 + LEASE
    assert not lead.held


async def test_whoever_stood_still_during_a_sign_of_life_does_not_lead_any_more(lead: Lead) -> None:
    moments = iter((1.0, 1.0 + LEASE))
    lead._monotonic = lambda: next(moments)
    assert not await lead.keep() and not lead.held


@pytest.mark.parametrize("turns", range(6))
async def test_whoever_is_told_to_stop_during_a_sign_of_life_stops_although_the_answer_comes(
    lead: Lead, turns: int
) -> None:
    """It went on for ever, and so did the stop that waited for it."""
    answer = asyncio.get_running_loop().create_future()

    async def execute(_: object) -> None:
        await answer

    async def keep() -> None:
        while True:
            assert await lead.keep()
            await asyncio.sleep(0.01)

    lead._connection = AsyncMock(execute=execute)
    keeping = asyncio.create_task(keep())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    answer.set_result(None)
    for _ in range(turns):
        await asyncio.sleep(0)
    keeping.cancel()
    await asyncio.wait({keeping}, timeout=0.2)
    stopped = keeping.cancelled()
    keeping.cancel()
    await asyncio.wait({keeping})
    assert stopped
