"""Long work as rows: exports and lists are made outside the writer's transaction and come as a message with a file."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import secrets
import zipfile
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from content.message import Media, to_json
from content.sheets import Sheet, write_workbook
from db import broadcasts, jobs, outbox, rights
from db.models import Account, Broadcast, Job

if TYPE_CHECKING:
    from scheduler.timetable import Work

log = logging.getLogger(__name__)


async def run(work: Work) -> None:
    """Does what is due, one job at a time; a failing one waits and tries again."""
    async with work.database.read() as session:
        waiting = await jobs.due(session, work.now())
    for job in waiting:
        try:
            await KINDS[job.kind](work, job)
        except Exception as error:
            log.exception("job %d (%s) failed", job.id, job.kind)
            async with work.database.write() as session:
                await jobs.failed(session, job.id, type(error).__name__, work.now())
    work.said()


def _store(work: Work, data: bytes, suffix: str) -> str:
    name = f"{secrets.token_hex(16)}{suffix}"
    (work.files / name).write_bytes(data)
    return name


async def _answer(work: Work, job: Job, key: str, file: str, shown: str, **params: Any) -> None:
    """Marks the job done and says its result, once, in one transaction."""
    async with work.database.write() as session:
        if not await jobs.done(session, job.id) or job.account_id is None:
            return
        account = await session.get(Account, job.account_id)
        if account is None or account.person_id is None:
            return
        message = work.words.message(key, media=[Media("document", file, shown)], **params)
        await outbox.put(session, account, to_json(message), now=work.now(), kind="export", key=f"job:{job.id}")


async def export(work: Work, job: Job) -> None:
    """Everything kept about a person: a workbook, the same as JSON, and the pictures they sent."""
    async with work.database.read() as session:
        found = await rights.collect(session, int(job.data["person"]))
        files = await rights.files_of(session, int(job.data["person"]))
    data = await asyncio.to_thread(_zip, work, found, files)
    name = await asyncio.to_thread(_store, work, data, ".zip")
    await _answer(work, job, "profile.export_ready", name, work.words.text("profile.export_file"))


def _zip(work: Work, found: dict[str, list[dict[str, Any]]], files: list[str]) -> bytes:
    sheets = [
        Sheet(name, tuple(rows[0]), [[_cell(value) for value in row.values()] for row in rows])
        for name, rows in found.items()
        if rows
    ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("du-lieu.xlsx", write_workbook(sheets))
        archive.writestr("du-lieu.json", json.dumps(found, ensure_ascii=False, indent=1))
        for number, file in enumerate(files, 1):
            path = work.files / file
            if path.is_file():
                archive.write(path, f"tep/{number}{path.suffix}")
    return buffer.getvalue()


def _cell(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


async def unreached(work: Work, job: Job) -> None:
    """Who did not get a broadcast, by unit and reason."""
    async with work.database.read() as session:
        broadcast = await session.get_one(Broadcast, int(job.data["broadcast"]))
        rows = await broadcasts.unreached(session, broadcast.id)
    data = await asyncio.to_thread(_unreached_book, work, rows)
    name = await asyncio.to_thread(_store, work, data, ".xlsx")
    shown = work.words.text("announcing.unreached_file", code=broadcast.code)
    await _answer(work, job, "announcing.unreached_ready", name, shown, code=broadcast.code, n=len(rows))


def _unreached_book(work: Work, rows: list[tuple[str, str, str]]) -> bytes:
    word = work.words.plain
    counts = Counter((unit, why) for unit, _, why in rows)
    heads = [word(f"announcing.sheet_{name}") for name in ("unit", "person", "why", "number")]
    totals: list[list[str | int]] = [
        [unit, word(f"announcing.why_{why}"), number] for (unit, why), number in sorted(counts.items())
    ]
    people = [[unit, person, word(f"announcing.why_{why}")] for unit, person, why in rows]
    return write_workbook(
        [
            Sheet(word("announcing.sheet_totals"), (heads[0], heads[2], heads[3]), totals),
            Sheet(word("announcing.sheet_people"), (heads[0], heads[1], heads[2]), people),
        ]
    )


async def delete_files(work: Work, job: Job) -> None:
    """Removes the files of somebody who was erased."""
    for file in job.data["files"]:
        await asyncio.to_thread((work.files / str(file)).unlink, missing_ok=True)
    async with work.database.write() as session:
        await jobs.done(session, job.id)


KINDS: dict[str, Callable[[Work, Job], Awaitable[None]]] = {
    "export": export,
    "unreached": unreached,
    "delete_files": delete_files,
}
