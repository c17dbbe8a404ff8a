"""T5: every update comes one to five times, in batches that overlap and race, and each takes effect once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select

from bot.inbox import Inbox, arrival
from content.message import from_json
from db import people
from db.inbox import Arrival
from db.models import InboxRow, OutboxRow, Person, Purpose, Submission
from db.session import Database
from tests.databases import Template
from tests.fakes.channel import PlainDoor
from tests.people import World, make_world
from tests.prove import cases, note
from tests.test_kill import report_of

AUTHORS = 6
TIMES = 5


def inbox_of(world: World, said: Callable[[str], None] = lambda _: None) -> Inbox:
    return Inbox(
        world.database, world.house, {"test": PlainDoor()}, now=lambda: world.now, sleep=asyncio.sleep, said=said
    )


async def authors(world: World) -> None:
    """People with addresses chat-1 … who may send reports."""
    for number in range(AUTHORS):
        person = await world.joined(f"Tác giả {number}", direct_production=True)
        async with world.database.write() as session:
            await people.consent(session, await person.id(), Purpose.SUBMISSIONS, "2", "test", world.now)


def updates_of(chance: Random) -> list[Arrival]:
    """Reports typed message by message by several people at once."""
    scripts = {f"chat-{number + 1}": report_of(number, chance) for number in range(AUTHORS)}
    found: list[Arrival] = []
    while scripts:
        address = chance.choice(list(scripts))
        raw = {"address": address, "text": scripts[address].pop(0)}
        found.append(arrival(str(len(found)), address, raw))
        if not scripts[address]:
            del scripts[address]
    return found


async def outcome(world: World) -> dict[str, Any]:
    """What is known and said afterwards, by whom it concerns; numbers given out in a race are left out."""
    async with world.database.read() as session:
        reports = select(Person.name, Submission.title, Submission.story, Submission.status)
        reports = reports.join(Person, Person.id == Submission.author_id)
        said: dict[str, list[str]] = {}
        rows = await session.execute(select(OutboxRow).order_by(OutboxRow.id))
        for row in rows.scalars():
            assert row.payload is not None
            said.setdefault(row.address, []).append(from_json(row.payload).key)
        handled = await session.execute(select(InboxRow.ext_id, InboxRow.state))
        return {
            "reports": sorted(map(repr, (await session.execute(reports)).all())),
            "said": said,
            "handled": sorted(map(tuple, handled)),
        }


async def test_an_update_that_comes_again_and_again_takes_effect_once(
    handle: Database, template: Template, tmp_path: Path
) -> None:
    for seed in cases(2):
        chance = Random(seed)
        updates = updates_of(chance)
        once = make_world(handle, template, tmp_path)
        await authors(once)
        inbox = inbox_of(once)
        for update in updates:
            await inbox.store("test", "bot", [update])
            await inbox.drain()
        expected = await outcome(once)
        await handle.close()
        assert len(expected["reports"]) == AUTHORS

        often = make_world(handle, template, tmp_path)
        await authors(often)
        inbox = inbox_of(often)
        deliveries = 0
        for first in range(0, len(updates), 4):
            fresh = updates[first : first + 4]
            batches = [fresh]
            for _ in range(chance.randrange(TIMES)):
                older = chance.sample(updates[:first], min(first, chance.randrange(8)))
                again = [*fresh, *older]
                chance.shuffle(again)
                batches.append(again)
            deliveries += sum(map(len, batches))
            # The first comes first, as the platform keeps the order of a chat; the repeats race with its handling.
            await inbox.store("test", "bot", batches[0])
            await asyncio.gather(inbox.drain(), *(inbox.store("test", "bot", batch) for batch in batches[1:]))
            if chance.random() < 0.3:
                inbox = inbox_of(often)  # another process takes over
        await inbox.drain()
        assert await outcome(often) == expected
        await handle.close()
        note(updates=len(updates), deliveries=deliveries)
