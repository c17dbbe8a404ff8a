"""What the command line prints about data folder, database and the running house."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.opening import reading
from bot.settings import Settings
from bot.watch import existing, free_space, last_backup, least_free
from bot.web.watching import ask
from content.calendar import LOCAL
from db import audit, figures, migrate, policy, snapshot, units
from db.audit import Mark
from db.lead import holder
from db.session import Database
from db.trouble import Kind, Trouble, explained
from scheduler import troubles
from scheduler.troubles import Facts, Name

ROOM = troubles.LOW
"""Bytes that should be free."""
TABLES = 20.0
"""Seconds within which tables are counted, those of a house with millions of messages too."""


async def check_house(settings: Settings) -> tuple[list[str], list[str]]:
    """(problems, notes) about data folder and database. Changes nothing; what does not exist yet is a note."""
    problems = [problem for folder in settings.folders for problem in unwritable(folder)]
    file = settings.database_file
    if file is not None and not file.exists():
        return problems, [f"{file}: no database yet; `congdoan run` makes it."]
    try:
        database = Database(settings.database)
    except Trouble as trouble:
        return [*problems, *remedy(settings, trouble)], []
    try:
        with explained():
            await snapshot.verify(database)
            if not await migrate.is_newest(database):
                return problems, [
                    "The tables are missing or of an older version; the next start brings them up to date."
                ]
            notes = _scarce(settings.folders) + await database.notes()
            return problems, notes + await _unfurnished(database)
    except snapshot.Unsound as error:
        return [*problems, *remedy(settings, Trouble(Kind.DAMAGED, str(error)))], []
    except Trouble as trouble:
        return [*problems, *remedy(settings, trouble)], []
    finally:
        await database.close()


def _scarce(folders: Sequence[Path]) -> list[str]:
    """A word before a disk is full."""
    return [
        f"{folder}: only {free // 2**20} MB are free; make room before the disk is full."
        for folder in folders
        if (free := free_space(folder)) < ROOM
    ]


async def _unfurnished(database: Database) -> list[str]:
    async with database.read() as session:
        if await units.top(session) is None:
            return ["There are no units yet: congdoan units import FILE"]
        if not await policy.anybody(session):
            return ["Nobody has a role yet: congdoan invite --role system_admin --unit CODE"]
    return []


def unwritable(folder: Path) -> list[str]:
    """Why files cannot be made in a folder, or in the nearest one above that exists; [] when they can."""
    try:
        with tempfile.TemporaryFile(dir=existing(folder)):
            return []
    except OSError as error:
        return [f"{folder}: cannot be written ({error.strerror}). Give it to the user the bot runs as, "
                "or name another folder in CONGDOAN_DATA_DIR."]  # fmt: skip


def remedy(settings: Settings, trouble: Trouble) -> list[str]:
    """What is wrong with the database and what to do about it."""
    remedies = REMEDIES if settings.database_file is not None else REMEDIES | SERVER_REMEDIES
    return [f"{settings.database_name}: {remedies[trouble.kind]} ({trouble.detail.strip()})"]


REMEDIES = {
    Kind.DAMAGED: "the database is damaged. Keep a copy of the file, then: congdoan restore FILE with the last backup",
    Kind.UNREACHABLE: "the database cannot be opened or written. Look at the owner and the rights of file and folder",
    Kind.FULL: "the disk is full or refuses to write. Make room and try again; nothing that was accepted is lost",
    Kind.BUSY: "another process is writing for too long. Try again in a minute",
    Kind.OLD: "the tables are of an older version. Start the bot once, it brings them up to date",
    Kind.NEWER: "the database was made by a newer version of the bot. Install that version, or restore an older backup",
    Kind.HALF: "a restore was cut off half way. Do it again: congdoan restore FILE. The former data is kept",
    Kind.OTHER: "the database refused",
}
SERVER_REMEDIES = {
    Kind.DAMAGED: "the database is damaged. Keep a copy of the cluster, then bring back the last dump with pg_restore",
    Kind.UNREACHABLE: "the server cannot be reached or does not let us in. Look at address, user and password, "
    "and whether it runs",
    Kind.BUSY: "another process uses it. Stop every other process of the bot, and try again",
}


async def status(settings: Settings, now: datetime) -> dict[str, Any]:
    """The state of the house: what the running process says of itself, or what a stopped one left.

    `process` is running, stopped (or still starting), or stuck: it is there and does not answer. It is asked first, and
    what it says is told even where the tables cannot be read: then `tables` says why.
    """
    try:
        report = await ask(settings.data_dir)
        process = "stopped" if report is None else "running"
    except TimeoutError:
        report, process = None, "stuck"
    if report is None:
        report = {"troubles": [*([Name.STALLED] if process == "stuck" else []), *_seen_from_here(settings, now)]}
    try:
        found = await _counted(settings)
    except Trouble as trouble:
        if process == "stopped":
            raise
        found = {"tables": remedy(settings, trouble)[0]}
    return {"process": process, **report, **found, "now": now.astimezone(LOCAL).isoformat()}


async def _counted(settings: Settings) -> dict[str, Any]:
    """What the tables say. Raises Trouble, also where they say nothing for TABLES."""
    try:
        async with asyncio.timeout(TABLES):
            with explained():
                async with reading(settings) as database:
                    async with database.read() as session:
                        found = await figures.status(session)
                    if database.shared:
                        found["leads"] = await holder(database)
                    return found
    except TimeoutError:
        raise Trouble(Kind.UNREACHABLE, f"no answer in {TABLES:.0f} s") from None


async def audit_stands(settings: Settings, anchors: Sequence[str]) -> str:
    """What to say of a record that is as it was written, up to its end and to every anchor. Raises Tampered, ValueError."""
    marks = [_mark(anchor) for anchor in anchors]
    async with reading(settings) as database, database.read() as session:
        end = await audit.verify(session, marks)
        kept = await audit.last_anchor(session)
    known = f"The last anchor names row {kept.row}" if kept else "No anchor was given yet"
    return (
        f"{end.row} row(s), each as it was written; the end is {end}. {known}; what is cut off after it does not show."
    )


def _mark(anchor: str) -> Mark:
    """A mark as it stands in a chat. Raises ValueError."""
    found = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{16,64})", anchor.strip().lower())
    if found is None:
        raise ValueError(f"--anchor {anchor}: expected a row's number and its hash, as 123:9f8c…")
    return Mark(int(found[1]), found[2])


def _seen_from_here(settings: Settings, now: datetime) -> list[Name]:
    """What is wrong whether a process runs or not."""
    backup = last_backup(settings.data_dir) if settings.database_file is not None else None
    facts = Facts(
        disk_free=least_free(settings.folders),
        backup=None if backup is None else (now - backup).total_seconds(),
    )
    return troubles.find(facts)
