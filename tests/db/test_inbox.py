"""What was handled once is never taken for new, whatever the clock says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db import inbox
from db.inbox import Arrival
from db.models import InboxRow, InboxState
from tests.people import START, World


async def handled(world: World, *, blank: bool) -> Arrival:
    arrival = Arrival("700000001", "sum", "7", '{"update_id":700000001}')
    async with world.database.write() as session:
        assert await inbox.store(session, "telegram", "1", [arrival], START) == 1
        row_id = (await session.execute(select(InboxRow.id))).scalar_one()
        assert await inbox.take(session, [row_id])
        if blank:
            await inbox.blank(session, row_id)
    return arrival


@pytest.mark.parametrize("blank", [False, True])
async def test_a_clock_that_jumps_a_month_does_not_make_the_last_batch_new_again(world: World, blank: bool) -> None:
    """Found by the simulation (seed 42): killed before Telegram heard that a batch is stored, started again with a clock
    31 days ahead, the keys were tidied away and everything that was said was done twice."""
    arrival = await handled(world, blank=blank)
    later = START + timedelta(days=31)
    async with world.database.write() as session:
        await inbox.tidy(session, later)
        assert await inbox.store(session, "telegram", "1", [arrival], later) == 0


async def test_old_keys_go_once_a_thousand_newer_ones_are_there(world: World) -> None:
    await handled(world, blank=False)
    later = START + timedelta(days=31)
    newer = [Arrival(str(n), "sum", "7", "{}") for n in range(inbox.KEEP_NEWEST)]
    async with world.database.write() as session:
        await inbox.store(session, "telegram", "1", newer, later)
        await inbox.store(session, "webchat", "", [Arrival("w", "sum", "7", "{}")], START)
        await inbox.tidy(session, later)
        left = (await session.execute(select(InboxRow.ext_id).where(InboxRow.state == InboxState.DONE))).scalars().all()
    assert left == []


async def test_what_is_dead_waits_for_repair_a_month_and_of_a_stranger_a_day(world: World) -> None:
    hoa, hung = await world.joined("Bùi Thị Hoa"), world.person("Hùng")
    await hung.says("/start")
    async with world.database.write() as session:
        arrivals = [
            Arrival(str(n), "sum", each, '{"text":"CANARY"}')
            for n, each in enumerate((hoa.address, hung.address, "-7"))
        ]
        await inbox.store(session, "test", "", arrivals, START)
        await session.execute(update(InboxRow).values(state=InboxState.DEAD, error="KeyError: CANARY"))

    async def kept(**later: float) -> list[bool]:
        async with world.database.write() as session:
            await inbox.tidy(session, START + timedelta(**later))
            rows = (await session.execute(select(InboxRow).order_by(InboxRow.id))).scalars().all()
            assert all(bool(row.raw) == ("CANARY" in row.error) == bool(row.lane) for row in rows)
            return [bool(row.raw) for row in rows]

    assert await kept(hours=23) == [True, True, True]
    assert await kept(hours=24) == [True, False, False]
    assert await kept(days=29) == [True, False, False]
    assert await kept(days=31) == [False, False, False]


async def test_a_clock_that_is_put_back_does_not_make_a_chat_wait_for_its_retry(world: World) -> None:
    """Found by the simulation (seed 172): a failure, the clock a day back, and the chat was deaf for a day."""
    async with world.database.write() as session:
        await inbox.store(session, "telegram", "1", [Arrival("9", "sum", "7", "{}")], START)
        row_id = (await session.execute(select(InboxRow.id))).scalar_one()
        await inbox.failed(session, row_id, "a fault", START)
        assert await inbox.heads(session, START, (), 8) == []
        assert [row.id for row in await inbox.heads(session, START - timedelta(days=1), (), 8)] == [row_id]


async def test_what_another_process_has_handled_since_has_not_failed(world: World) -> None:
    await handled(world, blank=True)
    async with world.database.write() as session:
        row_id = (await session.execute(select(InboxRow.id))).scalar_one()
        assert await inbox.failed(session, row_id, "KeyError: CANARY", START) == (0, False)
        row = await session.get_one(InboxRow, row_id)
        assert (row.state, row.attempts, row.error) == (InboxState.DONE, 0, "")


async def test_a_number_that_the_platform_gives_out_again_is_another_update_and_its_repeat_is_none(
    world: World,
) -> None:
    """Killed before Telegram heard that it is stored, it would have been done twice."""
    await handled(world, blank=False)
    later = START + timedelta(days=8)
    reused = Arrival("700000001", "other", "7", '{"update_id":700000001,"message":{}}')
    async with world.database.write() as session:
        added = [
            await inbox.store(session, "telegram", "1", [reused], later + timedelta(seconds=n)) for n in (0, 3, 90)
        ]
    assert added == [1, 0, 0]


async def test_one_update_twice_in_a_batch_is_stored_once(world: World) -> None:
    twice = Arrival("700000001", "sum", "7", '{"update_id":700000001}')
    async with world.database.write() as session:
        assert await inbox.store(session, "telegram", "1", [twice, twice], START) == 1


async def test_of_what_was_handled_in_a_chat_only_what_is_kept_and_new_enough_is_listed(world: World) -> None:
    await handled(world, blank=False)
    async with world.database.write() as session:
        await inbox.store(
            session, "telegram", "1", [Arrival("2", "sum", "7", "{}"), Arrival("3", "sum", "8", "{}")], START
        )
        found = [row.ext_id for row in await inbox.list_handled(session, "telegram:7", START)]
        assert found == ["700000001"]
        assert await inbox.list_handled(session, "telegram:8", START) == []
        assert await inbox.list_handled(session, "telegram:7", START + timedelta(seconds=1)) == []
        await inbox.blank(session, 1)
        assert await inbox.list_handled(session, "telegram:7", START) == []
