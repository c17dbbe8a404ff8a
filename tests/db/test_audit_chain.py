"""Whoever changes what the audit says, takes rows out, puts some in or cuts its end off is found out (promises T24)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from db import audit
from db.audit import Mark, Tampered
from db.models import AuditRow
from db.session import Database, Session
from tests.databases import Template
from tests.people import START
from tests.prove import cases, note

pytestmark = pytest.mark.sqlite

ROWS, ANCHORED = 60, 45
"""How many rows there are, and how many there were when the last anchor was given."""
TRIES = 500
COLUMNS = ("at", "actor_id", "action", "object", "unit_id", "detail")
FREE = ("audit_update", "audit_delete", "audit_insert")


async def furnish(path: Path, template: Template) -> Database:
    path.write_bytes(template.path.read_bytes())
    database = Database(f"sqlite+aiosqlite:///{path}")
    for first, last in ((0, ANCHORED), (ANCHORED, ROWS)):
        async with database.write() as session:
            for n in range(first, last):
                verb = ("claimed", "verified", "broadcast")[n % 3]
                audit.note(
                    session,
                    n % 7,
                    verb,
                    f"submission SK-25-{n % 9:04d}",
                    START + timedelta(minutes=n),
                    n % 4 or None,
                    n=n,
                )
                if n % 5 == 0:
                    await session.flush()
        async with database.write() as session:
            if last == ANCHORED:
                await audit.drop_anchor(session, START.date(), START)
    return database


@pytest.fixture(scope="module")
async def record(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Any:
    database = await furnish(tmp_path_factory.mktemp("audit") / "a.db", template)
    yield database
    await database.close()


async def run(session: Session, sql: str, **values: object) -> None:
    await session.execute(text(sql), values)


async def rows(session: Session) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in await session.execute(text("SELECT * FROM audit ORDER BY id"))]


async def rewrite(session: Session, changed: list[dict[str, Any]]) -> None:
    """Puts the whole record in the place of the old one, in the order given."""
    await run(session, "DELETE FROM audit")
    names = list(changed[0])
    places = ", ".join(f":{name}" for name in names)
    await session.execute(text(f"INSERT INTO audit ({', '.join(names)}) VALUES ({places})"), changed)


def other(rng: Random, column: str, value: Any) -> Any:
    if column == "at":
        return f"2025-{rng.randint(1, 6):02d}-03 09:00:00.000000"
    if column == "detail":
        return json.dumps({"n": rng.randint(1000, 9999)}) if rng.random() < 0.8 else "no JSON"
    if column in ("actor_id", "unit_id"):
        return rng.choice([None, value + 1] if column == "unit_id" and value is not None else [(value or 0) + 100, 99])
    return value + rng.choice([" ", "x", "ă", "0"])


async def edit(session: Session, rng: Random) -> int:
    found = rng.choice(await rows(session))
    column = rng.choice((*COLUMNS, "hash"))
    value = (
        found["hash"][:-1] + ("0" if found["hash"][-1] != "0" else "1")
        if column == "hash"
        else other(rng, column, found[column])
    )
    await run(session, f"UPDATE audit SET {column} = :value WHERE id = :id", value=value, id=found["id"])
    return int(found["id"])


async def take_out(session: Session, rng: Random) -> int:
    """Some rows out of the middle; half the time the gap is closed."""
    first = rng.randint(1, ROWS - 2)
    last = rng.randint(first, min(first + 5, ROWS - 1))
    await run(session, "DELETE FROM audit WHERE id BETWEEN :first AND :last", first=first, last=last)
    if rng.random() < 0.5:
        await rewrite(session, [row | {"id": n} for n, row in enumerate(await rows(session), 1)])
    return first


async def put_in(session: Session, rng: Random) -> int:
    """A row that never was, at any place; with a hash of another row, or one that nobody computed."""
    found = await rows(session)
    place = rng.randint(0, ROWS)
    forged = rng.choice(found) | {"action": "verified", "object": "submission SK-25-0666"}
    forged["hash"] = rng.choice([forged["hash"], f"{rng.getrandbits(256):064x}", ""])
    await rewrite(session, [row | {"id": n} for n, row in enumerate([*found[:place], forged, *found[place:]], 1)])
    return place + 1


async def swap(session: Session, rng: Random) -> int:
    """Two rows in each other's place, with their hashes or without."""
    found = await rows(session)
    one, two = sorted(rng.sample(range(ROWS), 2))
    found[one], found[two] = found[two], found[one]
    if rng.random() < 0.5:
        found[one]["hash"], found[two]["hash"] = found[two]["hash"], found[one]["hash"]
    await rewrite(session, [row | {"id": n} for n, row in enumerate(found, 1)])
    return one + 1


async def truncate(session: Session, rng: Random) -> int:
    """The end is cut off so far that what the last anchor names is gone."""
    left = rng.randint(0, ANCHORED - 1)
    await run(session, "DELETE FROM audit WHERE id > :left", left=left)
    return left + 1


async def rewrite_history(session: Session, rng: Random) -> int:
    """Somebody who knows how the chain is made edits a row and computes every hash from there on anew."""
    found = (await session.execute(select(*AuditRow.__table__.c).order_by(AuditRow.id))).all()
    place = rng.randint(1, ANCHORED)
    before = found[place - 2].hash if place > 1 else ""
    for row in found[place - 1 :]:
        actor = row.actor_id + 50 if row.id == place else row.actor_id
        before = audit.digest(before, (row.id, row.at, actor, row.action, row.object, row.unit_id, row.detail))
        await run(
            session,
            "UPDATE audit SET actor_id = :actor, hash = :hash WHERE id = :id",
            actor=actor,
            hash=before,
            id=row.id,
        )
    return ANCHORED  # that is where the anchor contradicts it


WAYS: tuple[Callable[[Session, Random], Any], ...] = (edit, take_out, put_in, swap, truncate, rewrite_history)


class Undone(Exception):
    """Thrown to roll a transaction back."""


async def test_whatever_is_done_to_the_record_shows_and_where(record: Database) -> None:
    for n in cases(TRIES):
        rng, way = Random(n), WAYS[n % len(WAYS)]
        with pytest.raises(Undone):
            async with record.write() as session:
                for trigger in FREE:
                    await run(session, f"DROP TRIGGER {trigger}")
                place = await way(session, rng)
                with pytest.raises(Tampered) as caught:
                    await audit.verify(session)
                assert caught.value.row == place, (n, way.__name__, place, str(caught.value))
                raise Undone
        note(**{way.__name__: 1})
    async with record.read() as session:
        assert (await audit.verify(session)).row == ROWS


async def test_what_is_cut_off_after_the_last_anchor_does_not_show_by_itself_but_by_a_later_mark(
    record: Database,
) -> None:
    """The limit that is promised: up to the last anchor. A mark that somebody noted later reaches further."""
    async with record.read() as session:
        end = await audit.verify(session)
    with pytest.raises(Undone):
        async with record.write() as session:
            for trigger in FREE:
                await run(session, f"DROP TRIGGER {trigger}")
            await run(session, "DELETE FROM audit WHERE id > :left", left=ANCHORED)
            with pytest.raises(Tampered) as caught:
                await audit.verify(session)
            assert caught.value.row == 0 and "triggers" in str(caught.value)  # that is all that is left to see
            with pytest.raises(Tampered) as caught:
                await audit.verify(session, [Mark(end.row, end.hash[:32])])
            assert caught.value.row == ANCHORED + 1
            raise Undone


async def test_a_mark_of_another_record_is_refused(record: Database) -> None:
    async with record.read() as session:
        end = await audit.verify(session)
        assert await audit.verify(session, [Mark(end.row, end.hash[:32])]) == end
        with pytest.raises(Tampered):
            await audit.verify(session, [Mark(end.row, end.hash[1:33])])


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET actor_id = 1 WHERE id = 3",
        "DELETE FROM audit WHERE id = 3",
        "DELETE FROM audit",
        "INSERT INTO audit SELECT 0, at, actor_id, action, object, unit_id, detail, hash FROM audit WHERE id = 3",
        "INSERT OR REPLACE INTO audit SELECT id, at, 9, action, object, unit_id, detail, hash FROM audit WHERE id = 3",
    ],
)
def test_the_database_itself_refuses_to_change_what_was_written(record: Database, sql: str) -> None:
    assert record.file is not None
    connection = sqlite3.connect(record.file)
    with pytest.raises(sqlite3.IntegrityError, match="only ever added at its end"):
        connection.execute(sql)
    connection.close()


async def test_a_refused_step_leaves_neither_a_row_nor_a_gap(template: Template, tmp_path: Path) -> None:
    database = await furnish(tmp_path / "a.db", template)
    async with database.write() as session:
        for n in range(4):
            with pytest.raises(Undone if n % 2 else IntegrityError):
                async with session.begin_nested():
                    audit.note(session, 1, "claimed", f"submission {n}", START)
                    await session.flush()
                    if n % 2:
                        raise Undone
                    await run(session, "INSERT INTO units (id) VALUES (1)")
            audit.note(session, 2, "verified", f"submission {n}", START)
    async with database.read() as session:
        assert (await audit.verify(session)).row == ROWS + 4
    await database.close()
