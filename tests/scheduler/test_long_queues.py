"""What is done again and again costs the same however many wait: counted in SQLite's own steps, not in seconds."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from db import broadcasts, figures, outbox
from db.broadcasts import planning
from db.models import Broadcast, Lane, OutboxRow, OutState
from db.outbox import Ask, Settlement, sending
from scheduler import broadcasts as planner
from tests.bench import town
from tests.bench.scale import work_of
from tests.databases import sqlite

pytestmark = pytest.mark.sqlite

CHUNK = 20


async def steps(path: Path, people: int) -> Counter[str]:
    """Steps of each question, in a house of so many people with an announcement to all of them."""
    database = await town.build(sqlite(path), people, past=1)
    broadcast_id = await town.announce(database, kind="notice")
    now, work, found, name = datetime.now(UTC), work_of(database), Counter[str](), ""

    def step() -> int:
        found[name] += 1
        return 0

    async with database.write() as session:
        driver = (await (await session.connection()).get_raw_connection()).driver_connection
        assert driver is not None
        await broadcasts.begin(session, await session.get_one(Broadcast, broadcast_id), now)
        await driver.set_progress_handler(step, 1)
    for _ in range(people // CHUNK // 2):
        await planner._plan_chunk(work, broadcast_id)
    name = "a chunk"
    await planner._plan_chunk(work, broadcast_id)
    name = "the rest"
    while await planner._plan_chunk(work, broadcast_id):
        pass
    async with database.write() as session:
        await session.execute(update(OutboxRow).values(not_before=now, expires_at=None))
    async with database.write() as session:
        name = "a claim"
        parcels = await outbox.claim(session, "telegram", now, "me", ask=Ask([Lane.BULK], 8), busy=())
        name = "what ended"
        ended = [Settlement(parcel.id, "me", OutState.SENT, str(parcel.id)) for parcel in parcels]
        await outbox.settle(session, ended, now)
        name = "when next"
        await outbox.next_due(session, "telegram", list(Lane), now)
        broadcast = await session.get_one(Broadcast, broadcast_id)
        name = "a look"
        await broadcasts.is_over(session, broadcast_id)
        await broadcasts.refused_in_a_row(session, broadcast)
        await broadcasts.latest(session, broadcast_id)
        name = "a start"
        await outbox.recover(session, now)
        name = "tidying"
        await outbox.tidy(session, now)
        name = ""
        await session.execute(
            update(OutboxRow).where(OutboxRow.id % 2 == 0).values(expires_at=now - timedelta(hours=1))
        )
        name = "a claim where much has expired"
        await outbox.claim(session, "telegram", now, "me", ask=Ask([Lane.BULK], 8), busy=())
        name = "the end"
    await database.close()
    assert len(parcels) == 8
    return found


async def looked_at(path: Path, past: int) -> tuple[int, list[str]]:
    """Steps of the list of announcements in a house with so many, and by what way all messages are counted."""
    database = await town.build(sqlite(path), 60, past=past)
    taken, asked = 0, list[str]()

    def step() -> int:
        nonlocal taken
        taken += 1
        return 0

    async with database.read() as session:
        driver = (await (await session.connection()).get_raw_connection()).driver_connection
        assert driver is not None
        await driver.set_progress_handler(step, 1)
        shown = await figures.broadcasts(session)
        await driver.set_progress_handler(None, 1)
        await driver.set_trace_callback(asked.append)
        await figures.outgoing(session)
        await figures.status(session)
        await driver.set_trace_callback(None)
        ways = [
            str(row[3])
            for question in asked
            if "FROM outbox" in question
            for row in await (await session.connection()).exec_driver_sql(f"EXPLAIN QUERY PLAN {question}")
        ]
    await database.close()
    assert shown
    return taken, ways


async def test_a_status_costs_no_more_for_what_was_announced_before_those_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "SHOWN", 2)
    (few, _), (many, ways) = [await looked_at(tmp_path / f"{past}.db", past) for past in (3, 18)]
    assert many < 1.3 * few + 20
    assert len(ways) == 3 and all("COVERING INDEX" in way for way in ways), ways


async def test_six_times_as_many_cost_no_more_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "CHUNK", CHUNK)
    monkeypatch.setattr(sending, "MANY", CHUNK)
    few, many = [await steps(tmp_path / f"{people}.db", people) for people in (120, 720)]
    for name in ("", "the rest", "the end"):
        del few[name], many[name]
    assert {name for name in few if many[name] > 1.3 * few[name] + 20} == set(), (few, many)
