"""Starts after a downtime that are killed before one statement each, every one a fork: `python -m tests.scheduler.dying …`."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random

from content.packs import Packs
from content.words import Words
from db.session import Database
from scheduler import downtime, jobs
from scheduler.downtime import Doors
from scheduler.timetable import Work
from tests.db.dying import Statements
from tests.forks import KILLED, forked, played
from tests.people import START, spoken

UP = START + timedelta(hours=3)
"""When it starts again. The house was last there at START."""


async def start(url: str, at: int, words: Words, packs: Packs) -> int:
    """A start to the point where everybody has been told."""

    async def fetch(channel: str, ref: str) -> bytes:
        raise LookupError

    database, statements = Database(url), Statements(at)
    statements.watch(database)
    doors = Doors()
    doors.begin()
    work = Work(
        database=database, words=words, packs=packs, files=Path(), now=lambda: UP, said=lambda: None, fetch=fetch,
        doors=doors,
    )  # fmt: skip
    for _ in range(2):
        await downtime.run(work)
        await jobs.run(work)
    await database.close()
    return statements.count


def _play(url: str, at: int, words: Words, packs: Packs) -> int:
    return forked(lambda: asyncio.run(start(url, at, words, packs)), f"the start that was to die at {at}")


def die_and_start_again(counted: str, dying: Sequence[tuple[str, int]]) -> list[tuple[int, bool]]:
    """Each house of `dying` starts twice: once killed, before another statement for each case, once not.

    Returns before which statement, and whether what was lost was given back by then. `counted` is a house to count with.
    """
    return [(int(at), bool(given)) for at, given in played("tests.scheduler.dying", [counted, dying])]


def _all(counted: str, dying: Sequence[tuple[str, int]]) -> list[tuple[int, bool]]:
    content = spoken()
    every = list(range(1, _play(counted, 0, *content) + 1))
    Random(7).shuffle(every)
    found = []
    for url, case in dying:
        at = every[case % len(every)]
        assert _play(url, at, *content) == KILLED
        with closing(sqlite3.connect(url.partition("///")[2])) as connection:
            found.append((at, bool(connection.execute("SELECT 1 FROM contest_downtimes").fetchall())))
        _play(url, 0, *content)
    return found


if __name__ == "__main__":
    print(json.dumps(_all(*json.loads(sys.argv[1]))))
