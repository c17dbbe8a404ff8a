"""T4: the power fails at any write of a busy hour. What was acknowledged is there, and what left does not leave again."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select

import db.session
from bot.inbox import Inbox, arrival
from content.message import Message
from db.models import Draft, Lane, OutboxRow, OutState, Person, Purpose
from db.people import consent
from scheduler import broadcasts
from scheduler.delivery import Delivery
from tests.fakes.channel import PlainDoor
from tests.people import TestPerson, World
from tests.power.images import left_by, write
from tests.power.recorder import Record, recorded
from tests.prove import cases, note
from tests.scheduler.test_broadcasts import crowd, work_of
from tests.transcripts.stage import STORY

IMAGES = cases(100)
CROWD = 40
AUTHORS = 6
SAID = ("gửi", "vẫn gửi", "menu", "/hoso", "menu")
"""What each author says in turn; the second answers the question about reports that are alike."""


class Wire(PlainDoor):
    """A platform that takes everything, and the door that updates come through; both mark what others now rely on."""

    name = "scripted"
    can_edit = True

    def __init__(self, record: Record) -> None:
        self._record = record
        self._sent = 0

    async def send(self, address: str, message: Message, *, edits: str, lane: Lane) -> str:
        if lane == Lane.BULK:
            self._record.mark(f"left {address}")
        for code in re.findall(r"SK-\d\d-\d{4}", message.text):
            self._record.mark(f"told {code}")
        await asyncio.sleep(0.002)
        self._sent += 1
        return edits or f"p{self._sent}"


async def busy_hour(world: World, record: Record) -> None:
    """An announcement goes out while reports and other messages come in and are answered."""
    wire = Wire(record)
    inbox = Inbox(
        world.database, world.house, {"scripted": wire}, now=lambda: world.now, sleep=asyncio.sleep, said=lambda _: None
    )
    delivery = Delivery(
        world.database, wire, rate=400, now=lambda: world.now, monotonic=time.monotonic, sleep=asyncio.sleep, mark="p"
    )
    await broadcasts.run(work_of(world))
    sending = asyncio.create_task(delivery.run())
    for number in range(30):
        await broadcasts.run(work_of(world))
        address = f"a{number % AUTHORS}"
        text = SAID[number // AUTHORS]
        await inbox.store("scripted", "test", [arrival(str(number), address, {"address": address, "text": text})])
        record.mark(f"kept {number}")
        if number % 3 == 2:
            await inbox.drain()
            delivery.wake()
    await inbox.drain()
    while await waiting(world):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    await delivery.stop()
    await sending


async def waiting(world: World) -> int:
    """How many messages are not final."""
    async with world.database.read() as session:
        left = select(func.count()).where(OutboxRow.state.in_((OutState.READY, OutState.SENDING)))
        return (await session.execute(left.where(OutboxRow.not_before <= world.now))).scalar_one()


async def furnish(world: World) -> None:
    """A crowd, an announcement to it, and authors with a report written down to its last question."""
    await crowd(world, CROWD)
    for number in range(AUTHORS):
        name = f"Tác giả {number}"
        author = world.people[name] = TestPerson(world, name, "scripted")
        author.address = f"a{number}"
        await world.joined(name)
        person_id = await author.id()
        async with world.database.write() as session:
            (await session.get_one(Person, person_id)).direct_production = True
            await consent(session, person_id, Purpose.SUBMISSIONS, "2", "scripted", world.now)
            draft = Draft(
                person_id=person_id, dialogue="report", step="preview", data=STORY, history=[], ahead=[],
                updated_at=world.now,
            )  # fmt: skip
            session.add(draft)
        await author.says("/sangkien")
        await author.taps("Làm tiếp")


@pytest.fixture
async def record(world: World) -> AsyncIterator[Record]:
    await furnish(world)
    await world.database.close()  # so that its next connections are recorded
    assert world.database.file is not None
    with recorded(world.database.file.parent) as record:
        yield record
        await world.database.close()


def broken(record: Record, name: str, folder: Path, cut: int, seed: int) -> list[str]:
    """What was promised before a cut and is not true of the disk that it leaves."""
    write(left_by(record, cut, Random(seed)), folder)
    promised = [deed.name.split() for deed in record.deeds[:cut] if deed.what == "mark"]
    connection = sqlite3.connect(folder / name)
    try:
        whole = connection.execute("PRAGMA integrity_check").fetchall()
        kept = {row for (row,) in connection.execute("SELECT ext_id FROM inbox")}
        told = {row for (row,) in connection.execute("SELECT code FROM submissions")}
        marked = "SELECT address FROM outbox WHERE broadcast_id IS NOT NULL AND state != 'ready'"
        gone = {row for (row,) in connection.execute(marked)}
    except sqlite3.DatabaseError as error:
        return [str(error)]
    finally:
        connection.close()
    true = {
        "kept": lambda what: what in kept,
        "told": lambda what: what in told,
        "left": lambda what: what in gone,  # where there is no row at all, it would be planned anew
    }
    found = [f"{kind} {what}" for kind, what in promised if not true[kind](what)]
    return found if whole == [("ok",)] else [*found, str(whole[0])]


def judged(record: Record, name: str, folder: Path) -> dict[int, list[str]]:
    """The seeds of the images on which a promise is broken."""
    folder.mkdir(exist_ok=True)
    found = {}
    for seed in IMAGES:
        cut = Random(seed).randint(0, len(record.deeds))
        wrong = broken(record, name, folder, cut, seed)
        if wrong:
            found[seed] = wrong
    return found


def seen(record: Record, kind: str) -> int:
    return sum(deed.what == "mark" and deed.name.startswith(kind) for deed in record.deeds)


async def test_after_a_power_cut_everything_acknowledged_is_there_and_nothing_leaves_twice(
    world: World, record: Record, tmp_path: Path
) -> None:
    await busy_hour(world, record)
    assert world.database.file is not None
    assert seen(record, "kept") == 30 and seen(record, "told") >= AUTHORS and seen(record, "left") == CROWD
    assert {deed.what for deed in record.deeds} >= {"write", "sync", "mark"}
    note(writes_and_syncs=len(record.deeds), promises=seen(record, ""))
    assert judged(record, world.database.file.name, tmp_path / "image") == {}


async def test_with_less_than_full_syncing_the_same_images_show_a_loss(
    world: World, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the images are blind: with NORMAL a commit waits for no disk."""
    pragmas = tuple(each.replace("FULL", "NORMAL") for each in db.session.WRITER_PRAGMAS)
    monkeypatch.setattr(db.session, "WRITER_PRAGMAS", pragmas)
    world.database = db.session.Database(world.database.url)
    await busy_hour(world, record)
    await world.database.close()
    assert world.database.file is not None
    found = judged(record, world.database.file.name, tmp_path / "image")
    lost = {what.split()[0] for wrong in found.values() for what in wrong}
    assert {"kept", "left"} <= lost
