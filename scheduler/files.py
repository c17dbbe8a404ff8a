"""Files of the data folder that belong to a row: their names say to which, so that one which no row wants is known and goes."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from db import attachments, jobs
from db.models import Job

if TYPE_CHECKING:
    from scheduler.timetable import Work

log = logging.getLogger(__name__)

OWNED = re.compile(r"(j?)([0-9]{1,18})-[0-9a-f]{32}\..+")
"""Of a job or of an attachment, whole or in part. Drawings are the same for everybody, and named by what they show."""


def name_for_job(job: Job, suffix: str) -> str:
    """A new name for a file that a job makes: the row was there before it, and names it once it is whole."""
    return f"j{job.id}-{secrets.token_hex(16)}{suffix}"


def delete(folder: Path, names: Iterable[str]) -> None:
    """Deletes files that may be gone already."""
    for name in names:
        (folder / name).unlink(missing_ok=True)


async def sweep(work: Work) -> None:
    """Deletes files that no row names nor is to name any more: of a process that was killed before its commit, say.

    The folder is read first. What lies there has had its row since before the rows are read, and one that is not open
    by then never names another file.
    """
    there = await asyncio.to_thread(_owned, work.files)
    async with work.database.read() as session:
        open_jobs, made = await jobs.files(session)
        open_attachments, kept = await attachments.files(session)
    wanted = made | kept
    strays = [
        name
        for name, by_job, number in there
        if name not in wanted and number not in (open_jobs if by_job else open_attachments)
    ]
    if strays:
        await asyncio.to_thread(delete, work.files, strays)
        log.info("%d files that no row names were deleted", len(strays))


def _owned(folder: Path) -> list[tuple[str, bool, int]]:
    """(name, whether a job made it, number of its row) of every such file."""
    names = [path.name for path in folder.glob("*-*")]
    return [(found[0], bool(found[1]), int(found[2])) for name in names if (found := OWNED.fullmatch(name))]
