"""Fetches the files people sent, cleans them, and tells the sender about one that cannot be used."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import TYPE_CHECKING

from content.message import to_json
from content.pictures import PictureError, clean_photo, sniff
from db import attachments, outbox
from db.models import Account, Attachment
from scheduler.delivery import Rejected, SendError

if TYPE_CHECKING:
    from scheduler.timetable import Work

log = logging.getLogger(__name__)

STORED = {"pdf": ".pdf", "mp4": ".mp4", "docx": ".docx", "xlsx": ".xlsx"}
"""Kept as they came, never opened, served only as downloads (decisions 22)."""


class Unusable(Exception):
    """A file that was fetched and cannot be kept; the text is the reason's name in the words."""


async def run(work: Work) -> None:
    """Fetches what is due. No transaction is open during a fetch, and one bad file never holds up another."""
    async with work.database.read() as session:
        waiting = await attachments.due(session, work.now())
    for row in waiting:
        try:
            await _one(work, row)
        except Exception:
            log.exception("attachment %d could not be handled", row.id)
            async with work.database.write() as session:
                await attachments.later(session, row.id, work.now())


async def _one(work: Work, row: Attachment) -> None:
    try:
        data = await work.fetch(row.channel, row.ref)
        kind, name = await asyncio.to_thread(_keep, work, row, data)
    except (Unusable, Rejected) as error:
        reason = str(error) if isinstance(error, Unusable) else "gone"
        await _refuse(work, row, reason, failed=isinstance(error, Rejected))
        return
    except SendError:
        async with work.database.write() as session:
            if await attachments.later(session, row.id, work.now()):
                await attachments.refused(session, row.id, "gone", failed=True)
        return
    async with work.database.write() as session:
        await attachments.cleaned(session, row.id, kind, name)


def _keep(work: Work, row: Attachment, data: bytes) -> tuple[str, str]:
    """Cleans and stores a file under the sum of its content. Returns its kind and its name in the data folder."""
    kind = sniff(data, row.name)
    if kind == "photo":
        try:
            data = clean_photo(data)
        except PictureError as error:
            raise Unusable(error.kind) from None
        suffix = ".jpg"
    elif kind in STORED:
        suffix = STORED[kind]
    else:
        raise Unusable("kind")
    name = hashlib.sha256(data).hexdigest() + suffix
    target = work.files / name
    if not target.exists():
        part = work.files / f"{name}.{row.id}.part"
        part.write_bytes(data)
        part.replace(target)
    return "photo" if kind == "photo" else "document", name


async def _refuse(work: Work, row: Attachment, reason: str, *, failed: bool) -> None:
    now = work.now()
    async with work.database.write() as session:
        if await attachments.refused(session, row.id, reason, failed=failed):
            account = await session.get(Account, row.account_id)
            if account is not None:
                name = row.name or work.words.text("report.a_photo" if row.kind == "photo" else "report.a_file")
                why = work.words.text(f"report.unusable_{reason}")
                message = work.words.message("report.file_refused", name=name, why=why)
                await outbox.put(session, account, to_json(message), now=now, key=f"file:{row.id}")
    work.said()
