"""Several processes on one PostgreSQL server, as far as two handles in one process can play them: all answer, one leads."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot import backup, reports
from bot.app import build_app
from bot.clock import Clock
from bot.invite import print_invitation
from bot.settings import Settings, load_settings
from bot.unit_import import import_file
from db import audit, house, migrate, units, versions
from db.lead import Lead, holder
from db.models import Role
from db.session import Database, Session, settled
from db.trouble import Kind, Trouble, lost_a_race, passing
from tests.databases import Server, Template
from tests.db.dying import die_and_start_again, inhabit, plant
from tests.people import START, World, furnish_units, make_world
from tests.prove import cases, note
from tests.test_replay import authors, inbox_of, outcome, updates_of


@pytest.fixture
async def pair(server: Server, tmp_path: Path) -> AsyncIterator[tuple[Template, Database, Database]]:
    """A place for worlds on a server, and two handles on it."""
    template = Template(tmp_path, server)
    await furnish_units(template.url)
    here, there = Database(template.world), Database(template.world)
    yield template, here, there
    await there.close()
    await here.close()


async def test_two_processes_answer_each_update_once_and_in_the_order_of_its_chat(
    pair: tuple[Template, Database, Database], tmp_path: Path
) -> None:
    template, here, there = pair
    updates = updates_of(Random(1))
    alone = make_world(here, template, tmp_path)
    await authors(alone)
    inbox = inbox_of(alone)
    await inbox.store("test", "bot", updates)
    await inbox.drain()
    expected = await outcome(alone)
    await here.close()

    world = make_world(here, template, tmp_path)
    await authors(world)
    answered = [0, 0]

    def count(number: int) -> None:
        answered[number] += 1

    inboxes = [
        inbox_of(world, lambda _: count(0)),
        inbox_of(World(there, world.house, world.now), lambda _: count(1)),
    ]
    running = [asyncio.create_task(each.run()) for each in inboxes]
    await inboxes[0].store("test", "bot", updates)
    until = time.monotonic() + 90
    while sum(answered) < len(updates):
        assert time.monotonic() < until, "not everything was answered"
        await asyncio.sleep(0.02)
    for each, task in zip(inboxes, running, strict=True):
        await each.stop()
        await task
    assert await outcome(world) == expected
    assert sum(answered) == len(updates) and min(answered) > 0, answered


async def test_of_two_writers_that_meet_one_is_done_again_and_nothing_is_lost(
    pair: tuple[Template, Database, Database], tmp_path: Path
) -> None:
    template, here, there = pair
    make_world(here, template, tmp_path)
    met = 0
    both, first = asyncio.Barrier(2), {id(here), id(there)}

    async def add(database: Database) -> None:
        nonlocal met
        try:
            async with database.write() as session:
                query = text("SELECT workers FROM units WHERE code = 'MAYHOA'")
                workers = (await session.execute(query)).scalar_one()
                if id(database) in first:  # these two have read the same before either writes
                    first.discard(id(database))
                    await both.wait()
                await session.execute(text("UPDATE units SET workers = :n WHERE code = 'MAYHOA'"), {"n": workers + 1})
        except DBAPIError as error:
            assert lost_a_race(error) and passing(error) == Kind.BUSY
            met += 1
            raise

    await asyncio.gather(*(settled(lambda database=each: add(database)) for each in (here, there) * 20))  # type: ignore[misc]
    async with here.read() as session:
        assert (await session.execute(text("SELECT workers FROM units WHERE code = 'MAYHOA'"))).scalar_one() == 660
    assert met > 0, "two that never meet prove nothing"


async def test_who_loses_every_race_is_let_through_alone(
    pair: tuple[Template, Database, Database], tmp_path: Path
) -> None:
    """Of four processes that decided at once one lost twelve times in a row."""
    template, here, there = pair
    make_world(here, template, tmp_path)
    workers = "SELECT workers FROM units WHERE code = 'MAYHOA'"
    tries, over, written = 0, asyncio.Event(), asyncio.Event()

    async def quick() -> None:
        while not over.is_set():
            async with there.write() as session:
                await session.execute(text("UPDATE units SET workers = workers + 1 WHERE code = 'MAYHOA'"))
            written.set()

    async def slow() -> None:
        nonlocal tries
        tries += 1
        async with here.write() as session:
            found = (await session.execute(text(workers))).scalar_one()
            if tries == 1:  # this race is lost for certain
                written.clear()
                await written.wait()
            await asyncio.sleep(0.3)
            await session.execute(text("UPDATE units SET workers = :n WHERE code = 'MAYHOA'"), {"n": found + 1000})

    rival = asyncio.create_task(settled(quick))
    await settled(slow)
    over.set()
    await rival
    async with here.read() as session:
        assert (await session.execute(text(workers))).scalar_one() > 1600
    assert 1 < tries <= 4


async def test_one_leads_and_another_takes_over_when_its_connection_ends(
    pair: tuple[Template, Database, Database], tmp_path: Path
) -> None:
    template, here, there = pair
    make_world(here, template, tmp_path)
    first, second = Lead(here, time.monotonic), Lead(there, time.monotonic)
    assert await first.take() and first.held
    assert not await second.take() and not second.held
    assert await first.keep() and (await holder(there)).startswith("congdoan ")
    async with there.write() as session:
        await session.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        )
    until = time.monotonic() + 10
    while not await second.take():
        assert time.monotonic() < until, "nobody took over"
        await asyncio.sleep(0.02)
    assert not await first.keep() and not first.held and second.held
    await second.leave()
    assert await first.take()
    await first.close()
    await second.close()


async def test_who_takes_over_leads_although_its_ports_are_held_and_opens_them_once_they_are_free(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A process that stands still goes on holding what it listens at; whoever came after died of it, again and again."""
    monkeypatch.setattr("bot.app.KEEP", 0.1)
    url = server.url(server.create())
    settings: Settings
    with (
        socket.create_server(("127.0.0.1", 0)) as watch,
        socket.create_server(("127.0.0.1", 0)) as web,
    ):
        settings = load_settings(
            database_url=url, data_dir=tmp_path, organisation="A", hotline="0", webchat=True,
            web_port=web.getsockname()[1], watch_address=f"127.0.0.1:{watch.getsockname()[1]}",
        )  # fmt: skip
        app = await build_app(settings, Clock())
        there = Database(url)
        former = Lead(there, time.monotonic)
        assert await former.take()
        try:
            await app.start()
            assert not app.may_lead()
            await former.close()
            until = time.monotonic() + 20
            while "from now on" not in caplog.text:
                assert time.monotonic() < until, "nobody took over"
                await asyncio.sleep(0.02)
            await asyncio.sleep(3.0)  # who died of it tried again after a second
            assert app.may_lead() and app.watch.report()["facts"]["ports_shut"] == 2
            assert "port" in (await reports.status(settings, datetime.now(UTC)))["troubles"]
            assert caplog.text.count("from now on") == 1 and caplog.text.count("cannot be opened") == 2
            watch.close()
            web.close()
            while "port" in app.watch.troubles():
                assert time.monotonic() < until, "a port that is free was not opened"
                await asyncio.sleep(0.02)
            async with aiohttp.ClientSession() as client:
                for port in (settings.watch[1], settings.web_port):
                    async with client.get(f"http://127.0.0.1:{port}/healthz") as answer:
                        assert await answer.json() == {"status": "ok"}
        finally:
            await app.stop()
            await there.close()


async def test_who_does_not_lead_knows_the_links_that_the_leading_one_has_learned(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answered whoever asked for a unit's QR code that there is no door to show."""
    monkeypatch.setattr("bot.app.KEEP", 0.1)
    url = server.url(server.create())
    settings = load_settings(
        database_url=url, data_dir=tmp_path, organisation="A", hotline="0", telegram_token="1:" + "a" * 35
    )
    app = await build_app(settings, Clock())
    there = Database(url)
    leading = Lead(there, time.monotonic)

    async def learns(name: str) -> None:
        async with there.write() as session:
            await house.remember(session, "telegram_name", {"name": name}, datetime.now(UTC))
            await house.remember(session, "web_address", {"address": "https://chat.example/"}, datetime.now(UTC))

    assert await leading.take()
    try:
        await app.start()
        assert not app.may_lead() and app.house.links == {}
        await learns("lien_doan_bot")
        until = time.monotonic() + 20
        while not app.house.links:
            assert time.monotonic() < until, "it never heard of the bot's name"
            assert await leading.keep()
            await asyncio.sleep(0.02)
        assert app.house.links == {"telegram": "https://t.me/lien_doan_bot?start={}"}  # its web chat is not open
        assert not app.may_lead()
    finally:
        await app.stop()
        await leading.close()
        await there.close()


@pytest.mark.parametrize("command", ["invite", "units import"])
async def test_a_command_beside_a_busy_bot_that_meets_it_is_done_again(
    pair: tuple[Template, Database, Database], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Both write a row of the audit, of which each has its number: the command lost, and nothing was done."""
    template, here, there = pair
    make_world(here, template, tmp_path)
    settings: Settings = load_settings(database_url=template.world, data_dir=tmp_path)
    begun: list[str] = []

    def meeting(module: Any, name: str) -> None:
        real = getattr(module, name)

        async def meet(session: Session, *args: Any, **options: Any) -> Any:
            begun.append(name)
            done = await real(session, *args, **options)
            if len(begun) == 1:  # what it has read is older from here on
                async with there.write() as other:
                    audit.note(other, audit.SYSTEM, "restore", "database", START)
            return done

        monkeypatch.setattr(module, name, meet)

    said: list[str] = []
    if command == "invite":
        meeting(units, "find_by_code")
        await print_invitation(settings, Role.LEADER, "TINH", now=START, say=said.append, fail=pytest.fail)  # type: ignore[arg-type]
    else:
        meeting(units, "parents_by_code")
        file = tmp_path / "units.csv"
        file.write_text("Mã,Tên,Mã cấp trên\nMOI,Công ty Mới,CAOSON\n", encoding="utf-8")
        await import_file(settings, file, dry_run=False, now=START, say=said.append, fail=pytest.fail)  # type: ignore[arg-type]
    assert len(begun) > 1 and said
    async with here.read() as session:
        actions = (await session.execute(text("SELECT action FROM audit ORDER BY id"))).scalars().all()
    assert actions == ["restore", "invite" if command == "invite" else "import_units"]


async def test_two_that_start_at_once_make_the_tables_once(server: Server) -> None:
    url = server.url(server.create())
    handles = [Database(url) for _ in range(2)]
    await asyncio.gather(*(migrate.upgrade(each) for each in handles))
    assert not await versions.differences(handles[0])
    for each in handles:
        await each.close()


async def test_check_says_what_is_wrong_with_a_server_and_backup_that_it_has_tools_of_its_own(
    server: Server, tmp_path: Path
) -> None:
    settings: Settings = load_settings(database_url=server.url(server.create()), data_dir=tmp_path)
    problems, notes = await reports.check_house(settings)
    assert not problems and "the next start" in notes[0]
    database = Database(settings.database)
    await migrate.upgrade(database)
    lead = Lead(database, time.monotonic)
    assert await lead.take() and (await reports.status(settings, datetime.now(UTC)))["leads"].startswith("congdoan ")
    await lead.close()
    await database.close()
    gone = load_settings(database_url=server.url("nobody"), data_dir=tmp_path)
    problems, _ = await reports.check_house(gone)
    assert len(problems) == 1 and "cannot be reached" in problems[0]
    with pytest.raises(Trouble, match="pg_dump"):
        await backup.backup(settings, tmp_path / "a.tar.gz", datetime.now(UTC), lambda done, total: None)


def test_what_make_postgres_installs_is_what_make_install_does_and_the_driver() -> None:
    root = Path(__file__).parents[1]
    plain, more = (
        set((root / f"requirements{name}.lock").read_text(encoding="ascii").splitlines()) for name in ("", "-postgres")
    )
    pins = {line for line in more - plain if not line.startswith(" ")}
    assert {line for line in plain if not line.startswith(" ")} <= more
    assert pins and all(pin.startswith("psycopg") for pin in pins)


@pytest.mark.timeout(600)
async def test_a_start_killed_at_any_statement_leaves_the_old_tables_or_the_new_and_the_next_one_completes(
    server: Server, tmp_path: Path
) -> None:
    """T27, F28."""
    made = server.create()
    await inhabit(server.url(made))

    def copy(inhabited: bool) -> tuple[str, Path]:
        return server.url(server.create(*([made] if inhabited else []))), tmp_path

    old, new = await die_and_start_again(copy, plant(tmp_path / "versions"), cases(2))
    note(left_as_they_were=old, left_new=new)
