"""Which of several processes leads: one at a time polls, sends and keeps the clock; another takes over when it is gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import postgres
from db.session import Database

log = logging.getLogger(__name__)

KEEP = 1.0
"""Seconds between two signs of life."""
LEASE = float(postgres.PATIENCE)
"""Seconds after its last sign of life until the server takes the lead away from whoever holds it."""
SLOWEST = (LEASE - KEEP) / 2
"""Seconds that a sign of life may take: the next one, as slow, still comes before the lease is over."""


class Lead:
    """A lock in a transaction of its own on PostgreSQL. The server ends it with its holder's connection, and also when
    the holder stands still (SIGSTOP, a paused machine, a cut line): a transaction idle for LEASE seconds is thrown out.
    So there are no rows to expire and no clocks to compare. `monotonic` is in seconds.
    """

    def __init__(self, database: Database, monotonic: Callable[[], float]) -> None:
        self._engine = postgres.lone_engine(database.url)
        self._monotonic = monotonic
        self._connection: AsyncConnection | None = None
        self._until = 0.0

    @property
    def held(self) -> bool:
        """Whether this process leads: surely, for the server counts from a later moment. Ask it before what leaves."""
        return self._connection is not None and self._monotonic() < self._until

    async def take(self) -> bool:
        """Tries to become the lead. Raises the driver's error when the server cannot be reached."""
        started = self._monotonic()
        connection = await self._engine.connect()
        try:
            if (await connection.execute(text(f"SELECT pg_try_advisory_xact_lock({postgres.LEAD})"))).scalar_one():
                self._connection, self._until = connection, started + LEASE
        finally:
            if self._connection is not connection:
                await connection.close()
        return self._connection is connection

    async def keep(self) -> bool:
        """Gives a sign of life; False when the lead is lost."""
        started = self._monotonic()
        try:
            assert self._connection is not None
            async with asyncio.timeout(SLOWEST):  # `wait_for` loses a cancellation that meets the answer
                await self._connection.execute(text("SELECT 1"))
            self._until = started + LEASE
            if not self.held:
                raise TimeoutError  # we stood still ourselves
        except Exception as error:
            log.error("the lead is lost (%s)", type(error).__name__)
            await self.leave()
            return False
        return True

    async def leave(self) -> None:
        """Lets another process lead."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                await connection.invalidate()
                await connection.close()

    async def close(self) -> None:
        """Leaves, and closes every connection."""
        await self.leave()
        await self._engine.dispose()


async def holder(database: Database) -> str:
    """The name that the leading process gave its connection, "" where nobody leads."""
    query = (
        "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' "
        "AND l.objid = :lead AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    async with database.read() as session:
        found = (await session.execute(text(query), {"lead": postgres.LEAD})).scalars().all()
    return str(found[0]) if found else ""


async def listen(database: Database, heard: Callable[[], None]) -> None:
    """Calls `heard` whenever a process says that there is something to do (`Database.tell_others`). Ends with an error."""
    engine = postgres.lone_engine(database.url)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("LISTEN congdoan"))
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            heard()
            async for _ in driver.notifies():
                heard()
    finally:
        await engine.dispose()
