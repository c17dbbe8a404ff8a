"""How the database is reached."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import DateTime, bindparam, event, insert, select, text, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError, StatementError

from db import audit
from db.models import Account, AuditRow, Reach, Unit
from db.prepared import Prepared
from db.session import Database, Session, UTCDateTime, alone
from tests.people import START, World


async def counted(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The trips to its connection's thread from now on."""
    driver: Any = (await (await session.connection()).get_raw_connection()).driver_connection
    trips: list[object] = []
    there = driver._execute

    async def trip(*work: Any) -> Any:
        trips.append(work)
        return await there(*work)

    monkeypatch.setattr(driver, "_execute", trip)
    return trips


@pytest.mark.sqlite
async def test_a_statement_is_one_trip_to_the_thread_of_its_connection(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.database.read() as session:
        trips = await counted(session, monkeypatch)
        assert list(await session.execute(text("VALUES (1, 'a'), (2, 'b')"))) == [(1, "a"), (2, "b")]
        assert len(trips) == 1


@pytest.mark.sqlite
async def test_a_brief_transaction_takes_no_trips_but_for_what_once_took_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.driver._long", set())
    async with world.database.write(brief=True) as session:
        trips = await counted(session, monkeypatch)
        short, long = text("SELECT 1"), text("SELECT 2")
        assert (await session.execute(short)).scalar_one() == 1 and not trips
        monkeypatch.setattr("db.driver.LONG", -1.0)
        assert (await session.execute(long)).scalar_one() == 2 and not trips
        assert (await session.execute(long)).scalar_one() == 2 and len(trips) == 1
    async with world.database.write() as session:
        trips.clear()
        await session.execute(short)
        assert len(trips) == 1


@pytest.mark.sqlite
async def test_what_is_said_to_take_long_takes_the_trip_in_a_brief_transaction_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = text("UPDATE units SET workers = 3")
    async with world.database.write(brief=True) as session:
        trips = await counted(session, monkeypatch)
        await session.ask(statement)
        assert not trips
        assert (await session.ask(statement, long=True)).rowcount > 1 and len(trips) == 1
        with pytest.raises(IntegrityError):
            await session.ask(text("INSERT INTO units (id) VALUES (1)"), long=True)
        await session.ask(statement)
        assert len(trips) == 2


@pytest.mark.sqlite
async def test_of_questions_that_took_long_no_more_are_remembered_than_some(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: set[str] = set()
    monkeypatch.setattr("db.driver._long", known)
    monkeypatch.setattr("db.driver.LONG", -1.0)
    monkeypatch.setattr("db.driver.MANY", 5)
    async with world.database.write(brief=True) as session:
        for length in range(1, 20):  # a list of each length is a question of its own
            await session.execute(select(Unit.id).where(Unit.id.in_(range(length))))
            assert 1 <= len(known) <= 5


@pytest.mark.sqlite
async def test_while_another_program_writes_everything_else_goes_on(world: World) -> None:
    """One that knows nothing of our turns, such as SQLite's own shell."""
    shell = sqlite3.connect(world.database.file or "", isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with world.database.write(brief=True) as session:
            await session.execute(text("UPDATE units SET workers = 1"))

    writing = asyncio.create_task(write())
    while not world.database.writing:  # noqa: ASYNC110
        await asyncio.sleep(0)
    async with world.database.read() as session:  # would wait as long, were our thread the one that waits
        assert (await session.execute(text("SELECT max(workers) FROM units"))).scalar_one() > 1
    assert not writing.done()
    shell.close()
    await writing
    async with world.database.write() as session:
        assert (await session.execute(text("PRAGMA busy_timeout"))).scalar_one() == 10_000


@pytest.mark.sqlite
@pytest.mark.parametrize("brief", [True, False])
async def test_what_fails_undoes_its_transaction_and_the_next_is_as_good(world: World, brief: bool) -> None:
    count = text("SELECT count(*) FROM units")
    for fails in ("the statement", "the flush"):
        with pytest.raises(IntegrityError):
            async with world.database.write(brief=brief) as session:
                await session.execute(text("UPDATE units SET workers = 1"))
                if fails == "the statement":
                    await session.execute(text("INSERT INTO units (id) VALUES (1)"))
                session.add(Unit(id=1))
                await session.flush()
    async with world.database.write(brief=brief) as session:
        assert (await session.execute(text("SELECT count(*) FROM units WHERE workers = 1"))).scalar_one() == 0
        before = (await session.ask(count)).scalar_one()
        await session.raw("SAVEPOINT here")
        await session.execute(text("UPDATE units SET workers = 2"))
        await session.raw("ROLLBACK TO SAVEPOINT here")
        assert (await session.execute(count)).scalar_one() == before


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


@pytest.mark.sqlite
async def test_processes_write_in_turn_until_what_was_committed_is_copied_back(world: World) -> None:
    """SQLite before 3.51.3 may lose what one process commits while another's commit copies the log into the file."""
    order: list[str] = []
    here, there = world.database, Database(world.database.url)  # a command beside the bot has a handle of its own

    def commits(_connection: object) -> None:
        folder = os.open(here.file.parent, os.O_RDONLY)  # type: ignore[union-attr]
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(folder)
        order.append("bot commits")

    async def command() -> None:
        async with there.write() as session:
            order.append("command begins")
            await session.execute(text("UPDATE units SET workers = 2"))

    event.listen(here.engine.sync_engine, "commit", commits)
    async with here.write() as session:
        await session.execute(text("UPDATE units SET workers = 1"))
        waiting = asyncio.create_task(command())
        async with there.read() as other:  # time enough for it to begin, were it let
            await other.execute(text("SELECT 1"))
    await waiting
    await there.close()
    assert order == ["bot commits", "command begins"]


_FOUND = Prepared(select(*Account.__table__.c).where(Account.__table__.c.address == bindparam("address")))
_MOVED = Prepared(update(Account.__table__).where(Account.__table__.c.id == bindparam("row")), "reach", "blocked_at")  # type: ignore[arg-type]


@pytest.mark.parametrize("brief", [True, False])
async def test_what_is_part_of_every_message_is_asked_and_written_as_anything_else(world: World, brief: bool) -> None:
    now = datetime(2025, 7, 25, 10, 0, 0, 123456, UTC)
    async with world.database.write(brief=brief) as session:
        session.add(Account(channel="test", address="a", reach=Reach.OK, created_at=now, seen_at=now))
        (row,) = await session.rows(_FOUND, address="a")  # sees what is not yet flushed
        found = session.known(Account, row)
        assert (found.reach, found.blocked_at, found.seen_at) == (Reach.OK, None, now)
        assert session.known(Account, row) is found
        session.expire(found)
        assert session.known(Account, row) is found and found.reach == Reach.OK
        session.expunge_all()
        found = session.known(Account, row)
        found.command_list = "changed"  # is written, for it belongs to the session
        assert await session.write(_MOVED, row=found.id, reach=Reach.BLOCKED, blocked_at=now) == 1
        assert await session.write(_MOVED, row=-1, reach=Reach.BLOCKED, blocked_at=now) == 0
        each = [
            {"row": found.id, "reach": Reach.OK},
            {"row": -1, "reach": Reach.OK},
            {"row": found.id, "reach": Reach.BLOCKED},
        ]
        await session.write_each(_MOVED, each, blocked_at=now)
    async with world.database.read(brief=brief) as session:
        told = (await session.execute(select(Account).where(Account.address == "a"))).scalar_one()
        assert (told.command_list, told.reach, told.blocked_at) == ("changed", Reach.BLOCKED, now)
        (row,) = await session.rows(_FOUND, address="a")
        loose = alone(Account, row)
        loose.command_list = "lost"
        assert loose not in session and not session.dirty


@pytest.mark.sqlite
async def test_what_goes_wrong_says_nothing_of_anybody(world: World) -> None:
    twice = Prepared(insert(Account.__table__), *Account.__table__.c.keys())  # type: ignore[arg-type]
    values = dict.fromkeys(Account.__table__.c.keys()) | {"id": 99, "channel": "test", "address": "secret"}
    with pytest.raises(IntegrityError) as error:
        async with world.database.write(brief=True) as session:
            await session.write(twice, **values)
    assert "secret" not in str(error.value)


@pytest.mark.sqlite
@pytest.mark.parametrize("after", ["flush", "rows", "write", "write_each"])
async def test_what_is_audited_goes_on_where_looking_up_the_last_row_once_took_long(
    world: World, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    found = Prepared(select(Account.id))
    renamed = Prepared(update(Account).where(Account.id == bindparam("number")).values(address=bindparam("place")))
    monkeypatch.setattr("db.driver._long", AllSelects())
    async with world.database.write(brief=True) as session:
        audit.note(session, 0, "consent", "person 1", START)
        if after == "flush":
            await session.flush()
        elif after == "rows":
            await session.rows(found)
        elif after == "write":
            await session.write(renamed, number=1, place="a")
        else:
            await session.write_each(renamed, [{"number": 1, "place": "a"}])
    async with world.database.read() as session:
        assert [row.action for row in (await session.execute(select(AuditRow))).scalars()] == ["consent"]


class AllSelects(set[str]):
    """Every look-up is one that took long."""

    def __contains__(self, sql: object) -> bool:
        return str(sql).startswith("SELECT")


moments = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=7)), timezone(-timedelta(hours=11))]))


@given(moments)
def test_a_moment_is_stored_as_sqlalchemy_itself_would_write_it(moment: datetime) -> None:
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:  # at the ends of the calendar
        return
    dialect = sqlite.dialect()
    written, plain = (kind.dialect_impl(dialect).bind_processor(dialect) for kind in (UTCDateTime(), DateTime()))
    assert written is not None and plain is not None
    assert written(moment) == plain(in_utc.replace(tzinfo=None))


async def test_a_moment_without_its_zone_is_refused(world: World) -> None:
    async with world.database.read() as session:
        with pytest.raises(StatementError, match="naive"):
            await session.execute(select(Account.id).where(Account.created_at < datetime(2026, 11, 27)))
