"""How the database is reached."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.people import World


async def test_a_statement_is_one_trip_to_the_thread_of_its_connection(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.database.read() as session:
        driver: Any = (await (await session.connection()).get_raw_connection()).driver_connection
        trips: list[object] = []
        there = driver._execute

        async def counted(*work: Any) -> Any:
            trips.append(work)
            return await there(*work)

        monkeypatch.setattr(driver, "_execute", counted)
        assert list(await session.execute(text("VALUES (1, 'a'), (2, 'b')"))) == [(1, "a"), (2, "b")]
        assert len(trips) == 1


async def test_a_refused_statement_leaves_its_transaction_usable(world: World) -> None:
    """SAVEPOINTs are how an expected refusal becomes an answer."""
    async with world.database.write() as session:
        count = text("SELECT count(*) FROM units")
        before = (await session.execute(count)).scalar_one()
        with pytest.raises(IntegrityError):
            async with session.begin_nested():
                await session.execute(text("DELETE FROM units WHERE code = 'CHUYEN5'"))
                await session.execute(text("INSERT INTO units (id) VALUES (1)"))
        assert (await session.execute(count)).scalar_one() == before
