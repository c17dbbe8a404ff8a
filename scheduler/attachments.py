"""Fetches the files people sent, cleans them, and tells the sender about one that cannot be used."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import TYPE_CHECKING

from content import disk
from content.apart import clean_photo_apart
from content.message import to_json
from content.pictures import MAX_BYTES, PictureError, sniff
from content.videos import without_notes
from db import attachments, outbox, submissions
from db.models import Account, Attachment, Conversation, Draft, Submission
from db.session import Session
from scheduler.delivery import Rejected, RetryLater, SendError

if TYPE_CHECKING:
    from scheduler.timetable import Work

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Files handled at the same time: one that hangs must not hold up the others, nor twenty fill the memory."""
QUIET = 1.5
"""Seconds for which what is said of several files waits for the last of them."""
STORED = {"pdf": ".pdf", "mp4": ".mp4"}
"""Never opened, served only as downloads (decisions 22). A PDF is kept as it came, for a signature in it covers every byte."""


class Unusable(Exception):
    """A file that was fetched and cannot be kept; the text is the reason's name in the words."""


async def run(work: Work) -> None:
    """Fetches what is due. No transaction is open during a fetch, and one bad file never holds up another."""
    async with work.database.read() as session:
        waiting = await attachments.due(session, work.now())
    places, table = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(1)

    async def one(row: Attachment) -> None:
        async with places:
            await _handle(work, row, table)

    await asyncio.gather(*(one(row) for row in waiting))


async def _handle(work: Work, row: Attachment, table: asyncio.Semaphore) -> None:
    try:
        data = await work.fetch(row.channel, row.ref)
        async with table:  # one at a time is cleaned: each may take half a gigabyte
            kind, name = await asyncio.to_thread(_keep, work, row, data)
    except Unusable as error:
        await _refuse(work, row, str(error), failed=False)
    except Rejected:
        await _refuse(work, row, "gone", failed=True)
    except Exception as error:  # whatever it is, it must not stop the other files; it is tried again for a week
        if not isinstance(error, SendError):
            log.exception("attachment %d could not be handled", row.id)
        pause = error.after if isinstance(error, RetryLater) else 0.0
        async with work.database.write() as session:
            over = await attachments.later(session, row.id, work.now(), pause)
        if over:
            await _refuse(work, row, "gone", failed=True)
    else:
        async with work.database.write() as session:
            kept = await attachments.cleaned(session, row.id, kind, name)
        if not kept:  # settled or erased while it was on its way
            (work.files / name).unlink(missing_ok=True)


def _keep(work: Work, row: Attachment, data: bytes) -> tuple[str, str]:
    """Cleans and stores a file under a name of its own. Returns its kind and its name in the data folder.

    Nothing of the original stays. Two people may send the same picture and one of them be erased, so no name is shared.
    """
    if len(data) > MAX_BYTES:
        raise Unusable("large")
    kind = sniff(data, row.name)
    if kind == "photo":
        try:
            data = clean_photo_apart(data)
        except PictureError as error:
            raise Unusable(error.kind) from None
        suffix = ".jpg"
    elif kind in STORED:
        suffix = STORED[kind]
        data = without_notes(data) if kind == "mp4" else data
    else:
        raise Unusable("kind")
    name = f"{row.id}-{hashlib.sha256(data).hexdigest()[:32]}{suffix}"
    disk.write(work.files / name, data)
    return "photo" if kind == "photo" else "document", name


async def _refuse(work: Work, row: Attachment, reason: str, *, failed: bool) -> None:
    async with work.database.write() as session:
        if await attachments.refused(session, row.id, reason, failed=failed):
            account = await session.get(Account, row.account_id) if row.account_id is not None else None
            sent = await session.get(Submission, row.submission_id) if row.submission_id is not None else None
            if account is not None:
                message = work.words.message(
                    "report.file_refused",
                    name=row.name or work.words.text("report.a_photo" if row.kind == "photo" else "report.a_file"),
                    why=work.words.text(f"report.unusable_{reason}"),
                    code=sent.code if sent is not None else "",
                )
                await outbox.put(session, account, to_json(message), now=work.now(), key=f"file:{row.id}")
                await _recount(session, work, row, account)
    work.said()


async def _recount(session: Session, work: Work, row: Attachment, account: Account) -> None:
    """What was said, or is about to be, about how many files there are counts this one no more."""
    draft = await session.get(Draft, row.draft_id) if row.draft_id is not None else None
    chat = await session.get(Conversation, account.id)
    if draft is None or chat is None or chat.draft_id != draft.id:
        return
    said = await outbox.standing(session, account, chat.quiet)
    if said is None:
        return
    code = draft.data.get("resend", "")
    mended = (await submissions.find_own(session, draft.person_id, code)).id if code else None
    photos, others = await attachments.count(session, draft.id, mended)
    text = work.words.text("report.files_now", photos=photos, others=others)
    await outbox.put(session, account, said | {"text": text}, now=work.now(), slot=chat.quiet, after=QUIET)


async def tidy(work: Work) -> None:
    """Deletes the files of drafts that were thrown away: first the file, so that a crash between leaves none behind."""
    async with work.database.read() as session:
        lost = await attachments.lost(session, work.now())
    for _, name in lost:
        if name:
            (work.files / name).unlink(missing_ok=True)
    if lost:
        async with work.database.write() as session:
            await attachments.forget(session, [row_id for row_id, _ in lost])
