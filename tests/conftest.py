"""Fixtures that every floor's tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.people import World, make_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A fresh world on 25/7/2025 at 16:55."""
    made = await make_world(tmp_path)
    yield made
    await made.database.close()
