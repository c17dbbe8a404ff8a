"""Long work as rows: exports and lists are made outside the writer's transaction and come as a message with a file."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from content import cards, disk
from content.message import Media, to_json
from content.names import sort_key
from content.sheets import Sheet, write_workbook
from db import broadcasts, jobs, outbox, policy, rights
from db.models import Account, Broadcast, Job, Person
from db.policy import Action
from scheduler import certificates, contest_report, contest_work, files
from scheduler.copies import tell, write_copy

if TYPE_CHECKING:
    from scheduler.timetable import Work

log = logging.getLogger(__name__)


KEEP = timedelta(days=7)
"""How long a file that was made for somebody can still be downloaded from the web chat."""


async def run(work: Work) -> None:
    """Does what is due, one job at a time; a failing one waits and tries again."""
    async with work.database.read() as session:
        waiting = await jobs.due(session, work.now())
    for job in waiting:
        try:
            await KINDS[job.kind](work, job)
        except Exception as error:
            log.exception("job %d (%s) failed", job.id, job.kind)
            await _failed(work, job, type(error).__name__)
    work.said()


async def _failed(work: Work, job: Job, error: str) -> None:
    """Sets the next attempt; whoever waits for one that is given up is told."""
    async with work.database.write() as session:
        given_up = await jobs.failed(session, job.id, error, work.now())
        account = await session.get(Account, job.account_id) if given_up and job.account_id is not None else None
        if account is not None:
            message = work.words.message("export.failed")
            await outbox.put(session, account, to_json(message), now=work.now(), kind="export", key=f"job:{job.id}")


async def tidy(work: Work) -> None:
    """Forgets finished jobs after a week, with the files they made: first the file, then the row."""
    async with work.database.read() as session:
        old = await jobs.finished(session, work.now() - KEEP)
    for job in old:
        await asyncio.to_thread(files.delete, work.files, job.data.get("files", []))
    if old:
        async with work.database.write() as session:
            await jobs.forget(session, [job.id for job in old])


async def _answer(work: Work, job: Job, key: str, made: Sequence[str], shown: str, **params: Any) -> None:
    """Marks the job done and says its result, once, in one transaction. Files that nobody waits for any more go."""
    async with work.database.write() as session:
        wanted = await jobs.done(session, job.id, made)
        account = await session.get(Account, job.account_id) if wanted and job.account_id is not None else None
        if account is not None and account.person_id == job.data.get("person", account.person_id):
            media = [Media("document", file, shown) for file in made]
            message = work.words.message(key, media=media, **params)
            await outbox.put(session, account, to_json(message), now=work.now(), kind="export", key=f"job:{job.id}")
            return
    await asyncio.to_thread(files.delete, work.files, made)


async def export(work: Work, job: Job) -> None:
    """Everything kept about a person, to take along."""
    async with work.database.read() as session:
        found = await rights.collect(session, int(job.data["person"]))
        sent = await rights.files_of(session, int(job.data["person"]))
    tell(work.words, found, work.read)
    name = partial(files.name_for_job, job, ".zip")
    names = await asyncio.to_thread(write_copy, work.files, name, work.words, work.packs, found, sent)
    await _answer(work, job, "export.ready", names, work.words.plain("export.file"), days=KEEP.days, sent=sent)


async def unreached(work: Work, job: Job) -> None:
    """Who did not get a broadcast, by unit and reason: of the units that whoever asked may see at this moment."""
    async with work.database.read() as session:
        broadcast = await session.get_one(Broadcast, int(job.data["broadcast"]))
        person = int(job.data["person"])
        scopes = [
            unit
            for action in (Action.BROADCAST, Action.APPROVE_BROADCAST)
            for unit in await policy.scopes(session, person, action)
        ]
        rows = await broadcasts.unreached(session, broadcast.id, scopes)
        who = (await session.get_one(Person, person)).name
    # Names leave the house: the file says whose copy it is, and what for.
    mark = work.words.plain("announcing.sheet_mark", code=broadcast.code, who=who, at=work.now())
    data = await asyncio.to_thread(_unreached_book, work, rows, mark)
    name = files.name_for_job(job, ".xlsx")
    await asyncio.to_thread(disk.write, work.files / name, data)
    shown = work.words.text("announcing.unreached_file", code=broadcast.code)
    await _answer(work, job, "announcing.unreached_ready", [name], shown, code=broadcast.code, n=len(rows))


def _unreached_book(work: Work, rows: list[tuple[str, str, str]], mark: str) -> bytes:
    word = work.words.plain
    rows = sorted(rows, key=lambda row: (sort_key(row[0]), sort_key(row[1])))
    counts = Counter((unit, why) for unit, _, why in rows)
    heads = [word(f"announcing.sheet_{name}") for name in ("unit", "person", "why", "number")]
    totals: list[list[str | int]] = [
        [unit, word(f"announcing.why_{why}"), number] for (unit, why), number in counts.items()
    ]
    people = [[unit, person, word(f"announcing.why_{why}")] for unit, person, why in rows]
    return write_workbook(
        [
            Sheet(word("announcing.sheet_totals"), (heads[0], heads[2], heads[3]), totals, (mark,)),
            Sheet(word("announcing.sheet_people"), (heads[0], heads[1], heads[2]), people, (mark,)),
        ]
    )


async def picture(work: Work, job: Job) -> None:
    """A month of the calendar, or the card of a message, for an officer to look at. The file stays: it may be sent yet."""
    media = await asyncio.to_thread(_drawn, work, str(job.data["what"]))
    async with work.database.write() as session:
        wanted = await jobs.done(session, job.id)
        account = await session.get(Account, job.account_id) if wanted and job.account_id is not None else None
        if account is not None and account.person_id == job.data["person"]:
            message = work.words.message("automatic.picture", media=[media], name=media.name)
            await outbox.put(session, account, to_json(message), now=work.now(), kind="picture", key=f"job:{job.id}")


def _drawn(work: Work, what: str) -> Media:
    if ":" in what:
        return cards.picture(work.words, work.packs.anniversaries, what, work.files)
    year, month = map(int, what.split("-"))
    name = work.words.plain("cards.month_alt", year=year, month=month)
    return cards.kept(cards.month_svg(work.words, work.packs, year, month), name, work.files)


async def delete_files(work: Work, job: Job) -> None:
    """Removes the files of somebody who was erased, and the originals that the web chat keeps."""
    await asyncio.to_thread(files.delete, work.files, job.data["files"])
    await asyncio.to_thread(work.drop_uploads, job.data.get("uploads", ()))
    async with work.database.write() as session:
        await jobs.done(session, job.id)


KINDS: dict[str, Callable[[Work, Job], Awaitable[None]]] = {
    "export": export,
    "unreached": unreached,
    "picture": picture,
    "delete_files": delete_files,
    **contest_work.KINDS,
    **certificates.KINDS,
    **contest_report.KINDS,
}
