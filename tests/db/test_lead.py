"""Who leads, while the server or the machine is slow: without a server, for it is only asked whether it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from unittest.mock import AsyncMock

import pytest

from db.lead import KEEP, LEASE, Lead


@pytest.fixture
def lead() -> Lead:
    """One that leads, from the moment zero on."""
    made = Lead.__new__(Lead)
    made._connection, made._monotonic, made._until = AsyncMock(), lambda: 0.0, LEASE
    return made


async def test_signs_of_life_that_are_as_slow_as_may_be_leave_no_gap(
    lead: Lead, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    lead._monotonic = lambda: now

    async def slow(work: Awaitable[object], patience: float) -> None:
        nonlocal now
        await work
        now += patience - 0.001
        assert lead.held

    monkeypatch.setattr(asyncio, "wait_for", slow)
    for _ in range(3):
        now += KEEP
        assert await lead.keep() and lead.held


async def test_whoever_stood_still_during_a_sign_of_life_does_not_lead_any_more(lead: Lead) -> None:
    moments = iter((1.0, 1.0 + LEASE))
    lead._monotonic = lambda: next(moments)
    assert not await lead.keep() and not lead.held
