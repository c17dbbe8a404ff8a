"""Files that people sent: kept by reference until fetched and cleaned, one each however often it arrives."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from db.models import Attachment, FileState
from db.session import Session

BACKOFF = (10.0, 60.0, 600.0, 3600.0)
"""Seconds between attempts to fetch; after the last one hourly, for seven days (promises F24)."""
GIVE_UP = timedelta(days=7)


async def add(
    session: Session,
    *,
    person_id: int,
    account_id: int,
    channel: str,
    draft_id: int | None,
    kind: str,
    ref: str,
    unique_ref: str,
    name: str,
    size: int,
    now: datetime,
) -> Attachment | None:
    """Notes a file of a draft; None when the same file is there already (albums are repeated by nervous thumbs)."""
    if draft_id is not None:
        same = select(Attachment.id).where(Attachment.draft_id == draft_id, Attachment.unique_ref == unique_ref)
        if (await session.execute(same)).first():
            return None
    row = Attachment(
        person_id=person_id, account_id=account_id, channel=channel, draft_id=draft_id, kind=kind, ref=ref,
        unique_ref=unique_ref, name=name, size=size, state=FileState.WAITING, next_at=now, created_at=now,
        attempts=0, file="", reason="",
    )  # fmt: skip
    session.add(row)
    await session.flush()
    return row


async def count(session: Session, draft_id: int) -> tuple[int, int]:
    """(photos, other files) of a draft that were not refused."""
    query = (
        select(Attachment.kind, func.count())
        .where(Attachment.draft_id == draft_id, Attachment.state.in_((FileState.WAITING, FileState.CLEAN)))
        .group_by(Attachment.kind)
    )
    counts = {kind: number for kind, number in await session.execute(query)}
    photos = counts.pop("photo", 0)
    return photos, sum(counts.values())


async def list_for_draft(session: Session, draft_id: int) -> list[Attachment]:
    """The files of a draft, in the order in which they came."""
    query = select(Attachment).where(Attachment.draft_id == draft_id).order_by(Attachment.id)
    return list((await session.execute(query)).scalars())


async def list_for_submission(session: Session, submission_id: int) -> list[Attachment]:
    """The files of a submission, clean or not."""
    query = select(Attachment).where(Attachment.submission_id == submission_id).order_by(Attachment.id)
    return list((await session.execute(query)).scalars())


async def due(session: Session, now: datetime, limit: int = 20) -> list[Attachment]:
    """Files waiting to be fetched whose time has come."""
    query = (
        select(Attachment)
        .where(Attachment.state == FileState.WAITING, Attachment.next_at <= now)
        .order_by(Attachment.next_at, Attachment.id)
        .limit(limit)
    )
    return list((await session.execute(query)).scalars())


async def cleaned(session: Session, row_id: int, kind: str, file: str) -> bool:
    """The file is stored and may be shown; False when it was settled meanwhile."""
    changed = await session.execute(
        update(Attachment)
        .where(Attachment.id == row_id, Attachment.state == FileState.WAITING)
        .values(state=FileState.CLEAN, kind=kind, file=file, ref="")
        .returning(Attachment.id)
    )
    return changed.scalar() is not None


async def refused(session: Session, row_id: int, reason: str, *, failed: bool = False) -> bool:
    """The file cannot be used; `reason` is a short English word that the words know."""
    changed = await session.execute(
        update(Attachment)
        .where(Attachment.id == row_id, Attachment.state == FileState.WAITING)
        .values(state=FileState.FAILED if failed else FileState.REFUSED, reason=reason)
        .returning(Attachment.id)
    )
    return changed.scalar() is not None


async def later(session: Session, row_id: int, now: datetime) -> bool:
    """Sets the next attempt; True when it is time to give up."""
    row = await session.get_one(Attachment, row_id)
    row.attempts += 1
    row.next_at = now + timedelta(seconds=BACKOFF[min(row.attempts, len(BACKOFF)) - 1])
    return now - row.created_at > GIVE_UP
