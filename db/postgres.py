"""PostgreSQL's engines: transactions of several processes that each see the others' as if they had taken turns."""

from __future__ import annotations

import os
import socket
from typing import Any

from sqlalchemy import NullPool, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from db.json_text import from_text, to_text
from db.trouble import Kind, Trouble

PATIENCE = 10
"""Seconds that a transaction waits for a row of another process, and that one may stand still: whoever is stopped in the
middle of a transaction loses it, so that nobody waits for them longer than that."""
LEAD = 19290728
"""The advisory lock of whoever leads (`db.lead`), and of whoever changes the tables: these must not have readers of old."""
BESIDE, ALONE = (text(f"LOCK TABLE facts IN {mode} MODE") for mode in ("ROW SHARE", "EXCLUSIVE"))
"""How a transaction that writes begins: beside others, or alone once they have gone. It sees what they did, for until its first
question it has looked at nothing; readers are in nobody's way."""
OPTIONS = {
    # Whoever set it off for their server meant other data: what is acknowledged here is on the disk (promises F15).
    "synchronous_commit": "on",
    "lock_timeout": f"{PATIENCE}s",
    "idle_in_transaction_session_timeout": f"{PATIENCE}s",
    "timezone": "UTC",
    "client_encoding": "UTF8",
    # A table read whole takes part in every race about any row of it, and ours are read by index or are small.
    "enable_seqscan": "off",
    "jit": "off",  # a table without an index for it then looks so costly that every question would be compiled
}


def engines(url: str) -> tuple[AsyncEngine, AsyncEngine]:
    """(writer, reader). Raises Trouble where the driver is not installed.

    SERIALIZABLE, since everything above was written for one writer at a time: the database refuses one of two that would
    have met (`trouble.lost_a_race`), and it is done again. Readers see one moment and can change nothing.
    """
    # A server that was started again closed our connections: `pool_pre_ping` opens them anew.
    sizes = {"max_overflow": 0, "pool_timeout": 600, "pool_pre_ping": True}
    return (
        _engine(url, isolation_level="SERIALIZABLE", pool_size=1, **sizes),
        _engine(
            url,
            isolation_level="REPEATABLE READ",
            execution_options={"postgresql_readonly": True},
            pool_size=4,
            **sizes,
        ),
    )


def lone_engine(url: str) -> AsyncEngine:
    """An engine whose connections end when they are closed, and whose transactions see what others commit meanwhile."""
    return _engine(url, isolation_level="READ COMMITTED", poolclass=NullPool)


async def notes(session: AsyncSession) -> list[str]:
    """Switches with which a power cut takes away what was acknowledged; ours is one that a session can set itself."""
    query = "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name"
    off = (await session.execute(text(query))).scalars().all()
    return [f"The PostgreSQL server runs with {name} off: a power cut may take what was acknowledged." for name in off]


async def triggers(session: AsyncSession, table: str) -> int:
    """How many triggers stand before a table and are awake."""
    query = text(
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = CAST(:table AS regclass) AND NOT tgisinternal AND tgenabled <> 'D'"
    )
    return int((await session.execute(query, {"table": table})).scalar_one())


def _engine(url: str, **options: Any) -> AsyncEngine:
    settings = " ".join(f"-c {name}={value}" for name, value in OPTIONS.items())
    arguments = {
        "options": settings,
        "connect_timeout": PATIENCE,
        "application_name": f"congdoan {os.getpid()} on {socket.gethostname()}",
        # A cut line is noticed, not waited for.
        "keepalives_idle": PATIENCE,
        "tcp_user_timeout": PATIENCE * 1000,
    }
    try:
        engine = create_async_engine(
            url,
            hide_parameters=True,
            connect_args=arguments,
            json_serializer=to_text,
            json_deserializer=from_text,
            **options,
        )
        from psycopg.types.string import StrDumperUnknown
    except ModuleNotFoundError as error:
        raise Trouble(Kind.UNREACHABLE, f"{error.name} is not installed; run: make postgres") from None

    class Text(StrDumperUnknown):
        """What a forged button carries is looked for, and not found: a text of PostgreSQL's has no NUL."""

        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", ""))

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        driver: Any = connection
        driver.driver_connection.adapters.register_dumper(str, Text)

    return engine
