"""Files that people sent: kept by reference until fetched and cleaned, one each however often it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, or_, select, update

from db.models import Account, Attachment, FileState
from db.session import Session

BACKOFF = (10.0, 60.0, 600.0, 3600.0)
"""Seconds between attempts to fetch; after the last one hourly, for seven days (promises F24)."""
GIVE_UP = timedelta(days=7)
LEAST = 24
"""Attempts before that at the least, however old a file is: the clock may be ahead by a week, or we were down for one."""
LOST = timedelta(hours=1)
"""How long a file stays after the draft it came with was thrown away."""

_OWNERLESS = and_(Attachment.draft_id.is_(None), Attachment.submission_id.is_(None), Attachment.broadcast_id.is_(None))


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
    if draft_id is not None and await has(session, draft_id, unique_ref):
        return None
    row = Attachment(
        person_id=person_id, account_id=account_id, channel=channel, draft_id=draft_id, kind=kind, ref=ref,
        unique_ref=unique_ref, name=name, size=size, state=FileState.WAITING, next_at=now, created_at=now,
        attempts=0, file="", reason="",
    )  # fmt: skip
    session.add(row)
    await session.flush()
    return row


async def has(session: Session, draft_id: int, unique_ref: str) -> bool:
    """Whether this very file came with the draft already."""
    same = select(Attachment.id).where(Attachment.draft_id == draft_id, Attachment.unique_ref == unique_ref)
    return (await session.execute(same)).first() is not None


async def let_go(session: Session, draft_id: int) -> None:
    """The draft begins anew: what came with it is nobody's any more."""
    await session.execute(update(Attachment).where(Attachment.draft_id == draft_id).values(draft_id=None))


async def count(session: Session, draft_id: int, submission_id: int | None = None) -> tuple[int, int]:
    """(photos, other files) of a draft, and of the submission it mends, that were not refused."""
    mine = Attachment.draft_id == draft_id
    query = (
        select(Attachment.kind, func.count())
        .where(
            mine if submission_id is None else or_(mine, Attachment.submission_id == submission_id),
            Attachment.state.in_((FileState.WAITING, FileState.CLEAN)),
        )
        .group_by(Attachment.kind)
    )
    counts = {kind: number for kind, number in await session.execute(query)}
    photos = counts.pop("photo", 0)
    return photos, sum(counts.values())


async def discard(session: Session, channel: str, address: str, unique_refs: Sequence[str]) -> list[str]:
    """Forgets files that came from a chat, wherever they have got to. Returns the names to delete from the data folder."""
    chat = select(Account.id).where(Account.channel == channel, Account.address == address)
    found = await session.execute(
        delete(Attachment)
        .where(Attachment.account_id.in_(chat), Attachment.unique_ref.in_(list(unique_refs)))
        .returning(Attachment.file)
    )
    return [file for file in found.scalars() if file]


async def list_for_draft(session: Session, draft_id: int) -> list[Attachment]:
    """The files of a draft, in the order in which they came."""
    query = select(Attachment).where(Attachment.draft_id == draft_id).order_by(Attachment.id)
    return list((await session.execute(query)).scalars())


async def list_for_submission(session: Session, submission_id: int) -> list[Attachment]:
    """The files of a submission, clean or not."""
    query = select(Attachment).where(Attachment.submission_id == submission_id).order_by(Attachment.id)
    return list((await session.execute(query)).scalars())


async def due(session: Session, now: datetime, limit: int = 20) -> list[Attachment]:
    """Files waiting to be fetched whose time has come; those of a draft that was thrown away are nobody's any more.

    One put off by more than any pause was so by a clock that was ahead.
    """
    come = or_(Attachment.next_at <= now, Attachment.next_at > now + timedelta(seconds=max(BACKOFF)))
    query = (
        select(Attachment)
        .where(Attachment.state == FileState.WAITING, come, ~_OWNERLESS)
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


async def later(session: Session, row_id: int, now: datetime, at_least: float = 0.0) -> bool:
    """Sets the next attempt, after `at_least` seconds but within the longest pause; True when it is time to give up."""
    row = await session.get(Attachment, row_id)
    if row is None or row.state != FileState.WAITING:
        return False
    row.attempts += 1
    pause = max(at_least, BACKOFF[min(row.attempts, len(BACKOFF)) - 1])
    row.next_at = now + timedelta(seconds=min(pause, max(BACKOFF)))
    return now - row.created_at > GIVE_UP and row.attempts >= LEAST


async def lost(session: Session, now: datetime) -> list[tuple[int, str]]:
    """(row, name in the data folder) of files whose draft was thrown away a while ago."""
    query = select(Attachment.id, Attachment.file).where(_OWNERLESS, Attachment.created_at < now - LOST)
    return [(row_id, file) for row_id, file in await session.execute(query)]


async def files(session: Session) -> tuple[set[int], set[str]]:
    """Attachments of which a file may be stored at this moment, and the files that are."""
    waits = Attachment.state == FileState.WAITING
    query = select(Attachment.id, Attachment.file, waits).where(or_(waits, Attachment.file != ""))
    found = (await session.ask(query)).all()
    return {number for number, _, waiting in found if waiting}, {file for _, file, _ in found if file}


async def forget(session: Session, row_ids: Sequence[int]) -> None:
    """Deletes rows whose files are gone from the data folder."""
    await session.execute(delete(Attachment).where(Attachment.id.in_(list(row_ids))))
