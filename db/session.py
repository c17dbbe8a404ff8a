"""The engines and their transactions: one writer, many readers, no SQL that only SQLite knows anywhere else."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import Connection, CursorResult, DateTime, Dialect, Executable, Index, Table, event, inspect, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm.attributes import instance_state, manager_of_class, set_committed_value
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from db import postgres
from db.driver import BEGIN, BEGIN_WRITING, PATIENCE, ElsewhereError, Module
from db.json_text import from_text, to_text
from db.prepared import Prepared, Row
from db.trouble import Kind, Trouble, lost_a_race

WRITER_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # FULL: with NORMAL a power cut rolls back acknowledged reports and committed `sending` marks (promises F15).
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={PATIENCE}",
    "PRAGMA secure_delete=ON",
    "PRAGMA trusted_schema=OFF",
)
READER_PRAGMAS = (f"PRAGMA busy_timeout={PATIENCE}", "PRAGMA query_only=ON", "PRAGMA trusted_schema=OFF")


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite would hand it back naive."""

    impl = DateTime
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        # SQLAlchemy's own way to the same text takes eight times as long, and every message stores seven of them.
        return _as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _in_utc(value).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a naive datetime was about to be stored")
    return value.astimezone(UTC)


def _as_text(value: datetime | None) -> str | None:
    return None if value is None else _in_utc(value).isoformat(" ", "microseconds").removesuffix("+00:00")


ONCE = {"sqlite_autoincrement": True}
"""For tables whose rows are deleted, or named by buttons: a number that was given out never names another row. SQLite would
give the highest one out again, and what is known of the row before (`OutboxRow.dedup_key`) would be taken for the new
one's."""


async def skip_ids(session: AsyncSession, tables: Iterable[Table], number: int) -> None:
    """Leaves out numbers of the tables of which each is given out `ONCE`. A server's backups do not come back this way."""
    if session.get_bind().dialect.name != "sqlite":
        return
    for name in sorted(table.name for table in tables if table.dialect_options["sqlite"]["autoincrement"]):
        known = text("UPDATE sqlite_sequence SET seq = seq + :n WHERE name = :name")
        new = text(
            "INSERT INTO sqlite_sequence (name, seq) SELECT :name, :n"
            " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = :name)"
        )
        for statement in (known, new):
            await session.execute(statement, {"name": name, "n": number})


def index_of_some(name: str, which: str, *columns: str) -> Index:
    """An index of the rows of which `which` is true, as both databases have it."""
    return Index(name, *columns, sqlite_where=text(which), postgresql_where=text(which))


T = TypeVar("T")
R = TypeVar("R", bound=DeclarativeBase)
TRIES = 12
"""How often a transaction is begun that others keep coming in the way of; one of those that meet always gets through."""
OFTEN = 3
"""Races lost after which a transaction has the database to itself: the same one could lose every time."""
_lost: ContextVar[int] = ContextVar("lost", default=0)


async def settled(work: Callable[[], Awaitable[T]]) -> T:
    """Does `work`, which opens its own transactions and may be repeated, again where it met another process's."""
    before = _lost.set(0)
    try:
        for lost in range(1, TRIES):
            try:
                return await work()
            except DBAPIError as error:
                if not lost_a_race(error):
                    raise
            _lost.set(lost)
        return await work()
    finally:
        _lost.reset(before)


class Session(AsyncSession):
    """One transaction's view. In a brief one (`Database.write`) statements run where they are asked: carrying each through
    a greenlet, as SQLAlchemy does so that its driver may wait, takes as long as all the rest of it.
    """

    bare: Connection | None = None
    driver: Any = None
    """In a brief one its connection, and the driver's own."""

    if not TYPE_CHECKING:  # the many forms of its declaration stay SQLAlchemy's

        async def execute(self, statement: Any, params: Any = None, **more: Any) -> Any:
            if self.bare is not None:
                with suppress(ElsewhereError):
                    return self.sync_session.execute(statement, params, **more)
            return await super().execute(statement, params, **more)

    async def flush(self, objects: Any = None) -> None:
        if self.bare is not None:
            with suppress(ElsewhereError):  # what the audit looks up before it writes may have taken long once
                self.sync_session.flush(objects)
                return
        await super().flush(objects)

    async def ask(
        self, statement: Executable, values: Any = None, *, long: bool = False
    ) -> CursorResult[*tuple[Any, ...]]:
        """What the tables themselves answer to a statement, in half the time: values in the place of row objects.
        Rows of this session that it changes stay as they were.

        One that reads or writes a row for each of many people is `long`: in a brief transaction too it runs in the
        connection's thread, and only who wants to write waits for it.
        """
        await self.flush()
        if self.bare is None:
            return await (await self.connection()).execute(statement, values)
        if not long:
            with suppress(ElsewhereError):
                return self.bare.execute(statement, values)
        driver: Any = self.bare.connection.dbapi_connection
        driver.brief = not long
        try:
            return await (await self.connection()).execute(statement, values)
        finally:
            driver.brief = True

    async def rows(self, question: Prepared, **values: Any) -> list[Row]:
        """What `ask` answers to a question that is part of every message, in half the time of that."""
        if self.bare is None:
            return [tuple(row) for row in await self.ask(question.statement, values)]
        await self.flush()
        return question.rows(self.driver, self.bare.dialect, values)

    async def write(self, statement: Prepared, **values: Any) -> int:
        """Writes likewise, and returns how many rows that were."""
        if self.bare is None:
            return (await self.ask(statement.statement, values)).rowcount
        await self.flush()
        return statement.on(self.driver, self.bare.dialect, values).rowcount

    async def write_each(self, statement: Prepared, each: Sequence[Mapping[str, Any]], **shared: Any) -> None:
        """Writes likewise, once for `each`: what differs beside what they share."""
        if self.bare is None:
            await self.ask(statement.statement, [{**shared, **values} for values in each])
            return
        await self.flush()
        statement.many(self.driver, self.bare.dialect, shared, each)

    async def raw(self, sql: str) -> None:
        """The same for what is said to the driver word for word."""
        if self.bare is not None:
            self.driver.execute(sql)
        else:
            await (await self.connection()).exec_driver_sql(sql)

    def known(self, kind: type[R], values: Row) -> R:
        """The row object of a whole row, its columns in their order, as if it had been loaded: there is one of each row, and
        what was changed in it stays."""
        key: Any = inspect(kind).identity_key_from_primary_key((values[0],))
        found = self.sync_session.identity_map.get(key)
        if found is None:
            found = alone(kind, values)
            instance_state(found).key = key
            self.add(found)
        elif forgotten := instance_state(found).unloaded:  # by a statement that changed the row behind its back
            for name, value in zip(kind.__table__.columns.keys(), values, strict=True):
                if name in forgotten:
                    set_committed_value(found, name, value)
        return cast(R, found)


def alone(kind: type[R], values: Row) -> R:
    """The same that belongs to no session, which does not write its changes."""
    made = manager_of_class(kind).new_instance()
    instance_state(made).dict.update(zip(kind.__table__.columns.keys(), values, strict=True))
    return made


@asynccontextmanager
async def undone_by(session: Session, refusal: type[Exception]) -> AsyncIterator[None]:
    """What a block has written is as if it had never been where it raises a `refusal`, and the session knows no rows any more.

    SQLAlchemy's own `begin_nested` remembers each row as it was to bring it back, which here takes longer than reading it.
    """
    await session.flush()
    await session.raw("SAVEPOINT block")
    try:
        yield
        await session.flush()
    except refusal:
        session.expunge_all()
        await session.raw("ROLLBACK TO SAVEPOINT block")
        raise
    await session.raw("RELEASE SAVEPOINT block")


class Database:
    """One writer connection that begins IMMEDIATE, and readers that cannot write.

    A writer that began deferred would fail at its first write whenever another had written since (SQLITE_BUSY_SNAPSHOT,
    which no busy_timeout helps), and the driver's own default loses updates without any error. Commands beside a running
    bot write as well: processes take turns, for before 3.51.3 SQLite may lose what one commits while another's commit
    copies the log back into the file (the "WAL-reset bug").
    """

    def __init__(self, url: str) -> None:
        self.url = url
        if url.startswith("postgresql"):
            self._writer, self._reader = postgres.engines(url)
        else:
            self._writer = _engine(url, WRITER_PRAGMAS, BEGIN_WRITING, 1)
            self._reader = _engine(url, READER_PRAGMAS, BEGIN, 4)
        self._write_sessions = async_sessionmaker(self._writer, class_=Session, expire_on_commit=False)
        self._read_sessions = async_sessionmaker(self._reader, class_=Session, expire_on_commit=False)
        self._turn = asyncio.Lock()
        self._writing: float | None = None
        name = self._writer.url.database
        self.file = Path(name) if self._writer.dialect.name == "sqlite" and name else None
        """The database file, where there is one."""
        self.open = 0
        """How many transactions are open or wait for their turn; virtual clocks stand still meanwhile."""

    @property
    def shared(self) -> bool:
        """Whether several processes may work on it at once: a server's may, a file has one at a time (`bot.lock`)."""
        return self.file is None

    @property
    def engine(self) -> AsyncEngine:
        """The writer's engine, for migrations."""
        return self._writer

    @asynccontextmanager
    async def write(self, *, brief: bool = False) -> AsyncIterator[Session]:
        """One write transaction: committed at the end of the block, rolled back by an exception.

        In a `brief` one SQLite's short statements hold everything else up instead of taking a trip to a thread each,
        which costs more than they do; not so its beginning and its commit, which may wait for the disk.
        """
        self.open += 1
        try:
            async with self._turn:
                self._writing = asyncio.get_running_loop().time()
                try:
                    async with (
                        self._alone(),
                        self._write_sessions() as session,
                        session.begin(),
                        self._briefly(session, brief),
                    ):
                        if self.shared:
                            await session.execute(postgres.BESIDE if _lost.get() < OFTEN else postgres.ALONE)
                        yield session
                finally:
                    self._writing = None
        finally:
            self.open -= 1

    @asynccontextmanager
    async def _briefly(self, session: Session, brief: bool) -> AsyncIterator[None]:
        if not brief or self.file is None:
            yield
            return
        connection = await session.connection()
        bare = connection.sync_connection
        assert bare is not None
        driver: Any = bare.connection.dbapi_connection
        driver.brief, session.bare, session.driver = True, bare, driver.driver_connection._conn
        try:
            yield
        finally:
            driver.brief, session.bare, session.driver = False, None, None

    @property
    def writing(self) -> float:
        """For how many seconds the present write transaction has had its turn; 0 while nobody writes."""
        return 0.0 if self._writing is None else asyncio.get_running_loop().time() - self._writing

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Holds the database's folder against other processes until the commit, and what it copies back, is over."""
        if self.file is None:
            yield
            return
        try:
            folder = os.open(self.file.parent, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:  # SQLite says what is wrong
            yield
            return
        try:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # Who holds it for longer than this is stuck in a transaction: let SQLite say that it is busy.
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.to_thread(fcntl.flock, folder, fcntl.LOCK_EX), PATIENCE / 1000)
            yield
        finally:
            os.close(folder)

    async def tell_others(self, session: Session) -> None:
        """Wakes the other processes that work on this database (`lead.listen`) once a transaction is committed."""
        if self.shared:
            await session.execute(text("SELECT pg_notify('congdoan', '')"))

    @asynccontextmanager
    async def read(self, *, brief: bool = False) -> AsyncIterator[Session]:
        """A consistent view that can change nothing; `brief` as in `write`."""
        self.open += 1
        try:
            async with self._read_sessions() as session, session.begin(), self._briefly(session, brief):
                yield session
        finally:
            self.open -= 1

    @asynccontextmanager
    async def remake(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that may change the tables themselves. Raises Trouble where a reference would lead nowhere.

        SQLite rebuilds a table by dropping the old one, and with references enforced would then empty those that lead to
        it, or refuse. So they are looked at once, at the end.
        """
        async with self._writer.connect() as connection:
            if self.shared:
                # Who waited for another to make the tables must see them.
                await connection.execution_options(isolation_level="READ COMMITTED")
                async with connection.begin():
                    yield connection
                return
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.execute("PRAGMA foreign_keys=OFF")  # means nothing within a transaction
            try:
                async with connection.begin():
                    yield connection
                    orphans = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
                    if orphans:
                        raise Trouble(Kind.DAMAGED, f"orphan in {orphans[0][0]}")
            finally:
                await driver.execute("PRAGMA foreign_keys=ON")

    async def copy_to(self, target: Path) -> None:
        """Writes a whole, compact copy of the file to `target`, which must not exist. Copying the live file would lose commits."""
        async with self._writer.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.execute("VACUUM INTO ?", (str(target),))

    async def problems(self, quick: bool = False) -> list[str]:
        """What is wrong with its pages and, unless `quick`, with indexes and references. A server is only asked to answer."""
        async with self.read() as session:
            if self.shared:
                await session.execute(text("SELECT 1"))
                return []
            if quick:
                driver = (await (await session.connection()).get_raw_connection()).driver_connection
                assert driver is not None
                try:
                    return await _complaints(session, "PRAGMA quick_check(5)")
                except asyncio.CancelledError:
                    await driver.interrupt()
                    raise
            orphans = [f"orphan in {row[0]}" for row in await session.execute(text("PRAGMA foreign_key_check"))]
            return await _complaints(session, "PRAGMA integrity_check") + orphans

    async def notes(self) -> list[str]:
        """What is worth knowing about the engine: SQLite before 3.51.3 can damage what several write at once."""
        async with self.read() as session:
            if self.shared:
                return await postgres.notes(session)
            version = str((await session.execute(text("SELECT sqlite_version()"))).scalar_one())
        if tuple(map(int, version.split("."))) < (3, 51, 3):
            return [f"SQLite {version}: older than 3.51.3; safe here because writers take turns, but worth updating."]
        return []

    async def close(self) -> None:
        """Closes every connection; a forgotten one is a ResourceWarning."""
        await self._reader.dispose()
        await self._writer.dispose()


async def triggers(session: Session, table: str) -> int:
    """How many triggers stand before a table."""
    if session.get_bind().dialect.name == "postgresql":
        return await postgres.triggers(session, table)
    query = text("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
    return int((await session.execute(query, {"table": table})).scalar_one())


async def _complaints(session: Session, pragma: str) -> list[str]:
    return [line for line in map(str, (await session.execute(text(pragma))).scalars()) if line != "ok"]


def _engine(url: str, pragmas: tuple[str, ...], begin: str, size: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        module=Module(),
        pool_size=size,
        max_overflow=0,
        pool_timeout=600,
        hide_parameters=True,
        json_serializer=to_text,
        json_deserializer=from_text,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        driver: Any = connection
        driver.reads = begin == BEGIN
        driver.isolation_level = None  # the driver would otherwise open transactions of its own and leak SAVEPOINTs
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
