"""What came in: stored before it is acknowledged, handled once, set aside when it cannot be handled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Integer, and_, bindparam, case, delete, func, insert, or_, select, update

from db.accounts import PREVIEW
from db.models import Account, InboxRow, InboxState
from db.session import Session, UTCDateTime

BACKOFF = (1.0, 5.0, 30.0, 120.0, 600.0)
"""Seconds before each further attempt; after the last one the update is dead (promises §1.4)."""

ID_REUSE = timedelta(days=7)
"""Telegram picks a random update id after a quiet week, so an older row may share the id of a new update."""

KEEP_RAW = timedelta(hours=72)
KEEP_DEAD = timedelta(days=30)
"""How long what could not be handled waits for repair; of somebody unknown no longer than a preview of theirs."""
KEEP_KEY = timedelta(days=30)
KEEP_NEWEST = 1000
"""Keys that stay whatever the clock says: the platform may still repeat its last batch (at most 100), and a clock that
jumps a month ahead would have us take it for new."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One raw update: its id on the platform, the SHA-256 of its text, the lane (one at a time per lane), the text."""

    ext_id: str
    digest: str
    lane: str
    raw: str


class Waiting(NamedTuple):
    """What is needed of an update to answer it."""

    id: int
    channel: str
    lane: str
    raw: str
    received_at: datetime
    attempts: int


_T = InboxRow.__table__.c
_NEW = insert(InboxRow.__table__)  # type: ignore[arg-type]
_KNOWN = select(_T.ext_id, _T.digest, _T.received_at).where(
    _T.channel == bindparam("channel"), _T.bot == bindparam("bot"), _T.ext_id.in_(bindparam("ids", expanding=True))
)


async def store(session: Session, channel: str, bot: str, arrivals: Sequence[Arrival], now: datetime) -> int:
    """Adds what is new and returns how many. A repeat is dropped; a reused id with other content is kept beside it."""
    if not arrivals:
        return 0
    found = await session.ask(_KNOWN, {"channel": channel, "bot": bot, "ids": [each.ext_id for each in arrivals]})
    known = {ext_id: (digest, received_at) for ext_id, digest, received_at in found}
    rows = []
    for arrival in arrivals:
        ext_id = arrival.ext_id
        if ext_id in known:
            digest, received_at = known[ext_id]
            if digest in ("", arrival.digest) or now - received_at < ID_REUSE:
                continue
            again = InboxRow.ext_id.startswith(f"{ext_id}#", autoescape=True), InboxRow.received_at > now - ID_REUSE
            ours = InboxRow.channel == channel, InboxRow.bot == bot
            if (await session.execute(select(InboxRow.id).where(*ours, *again).limit(1))).first():
                continue  # the new one is there already, and this is its repeat
            ext_id = f"{ext_id}#{int(now.timestamp())}"
        known[ext_id] = (arrival.digest, now)
        rows.append(
            {
                "channel": channel,
                "bot": bot,
                "ext_id": ext_id,
                "digest": arrival.digest,
                "lane": f"{channel}:{arrival.lane}",
                "raw": arrival.raw,
                "received_at": now,
                "state": InboxState.NEW,
                "attempts": 0,
                "error": "",
            }
        )
    if rows:
        await session.ask(_NEW, rows)
    return len(rows)


_FIRST = (
    select(InboxRow.lane, func.min(InboxRow.id).label("id"))
    .where(InboxRow.state == InboxState.NEW)
    .group_by(InboxRow.lane)
    .subquery()
)
_HEADS = (
    select(*(_T[name] for name in Waiting._fields))
    .join(_FIRST, _FIRST.c.id == InboxRow.id)
    .where(InboxRow.lane.not_in(bindparam("busy", expanding=True)))
    .where(
        or_(
            InboxRow.next_at.is_(None),
            InboxRow.next_at <= bindparam("now", type_=UTCDateTime),
            InboxRow.next_at > bindparam("furthest", type_=UTCDateTime),
        )
    )
    .order_by(InboxRow.id)
    .limit(bindparam("most", type_=Integer))
)
_FREE = select(_T.id).where(
    _T.id.in_(bindparam("rows", expanding=True)), _T.state == InboxState.NEW, _T.attempts <= bindparam("tried")
)
_TAKE = (
    update(InboxRow.__table__)  # type: ignore[arg-type]
    .where(_T.id.in_(_FREE.with_for_update(skip_locked=True)))
    .values(state=InboxState.DONE, error="")
    .returning(_T.id)
)


async def heads(session: Session, now: datetime, busy: Iterable[str], limit: int) -> list[Waiting]:
    """The oldest waiting update of each idle lane, if it is due; a lane whose head waits for a retry waits whole.

    A retry further ahead than any is put shows that the clock was put back meanwhile: nobody waits for it to come round.
    Nor for the answer to what a clock that was ahead has received: that counts as received now.
    """
    furthest = now + timedelta(seconds=max(BACKOFF))
    values = {"now": now, "furthest": furthest, "busy": list(busy), "most": limit}
    found = [Waiting(*row) for row in await session.ask(_HEADS, values)]
    return [each if each.received_at <= now else each._replace(received_at=now) for each in found]


async def take(session: Session, row_ids: Sequence[int], attempts: int = 0) -> set[int]:
    """Marks rows handled in the transaction that handles them. Returns which it may handle.

    Not those that another has handled meanwhile, has failed at (more than `attempts` times), or has in hand: a row, locked
    until its transaction ends, is also the lock of its lane, whose next update is nobody's turn before. What went wrong
    earlier may quote what was said, and is over.
    """
    taken = await session.ask(_TAKE, {"rows": list(row_ids), "tried": attempts})
    return set(taken.scalars())


async def blank(session: Session, row_id: int) -> None:
    """Removes the content of a row at once (no consent, a group, a refused ID card; decisions 14)."""
    await session.execute(update(InboxRow).where(InboxRow.id == row_id).values(raw="", lane="", digest="", error=""))


async def list_handled(session: Session, lane: str, since: datetime) -> list[InboxRow]:
    """What came lately in a lane and was answered, as far as its content is kept."""
    query = select(InboxRow).where(
        InboxRow.lane == lane, InboxRow.state == InboxState.DONE, InboxRow.raw != "", InboxRow.received_at >= since
    )
    return list((await session.execute(query)).scalars())


async def failed(session: Session, row_id: int, error: str, now: datetime) -> tuple[int, bool]:
    """Counts a failure and sets the next attempt (of a dead row: when it died). Returns the attempts so far and whether the row is now dead.

    Another process may have handled it since: then nothing failed.
    """
    row = await session.get_one(InboxRow, row_id, with_for_update=True)
    if row.state != InboxState.NEW:
        return 0, False
    row.attempts += 1
    row.error = error[:500]
    if row.attempts > len(BACKOFF):
        row.state, row.next_at = InboxState.DEAD, now
        return row.attempts, True
    row.next_at = now + timedelta(seconds=BACKOFF[row.attempts - 1])
    return row.attempts, False


async def tidy(session: Session, now: datetime) -> None:
    """Blanks handled content after 72 hours and forgets its key after 30 days (promises §1.4).

    What is dead waits for its repair: 30 days, and a day where nobody consented to keeping it.
    """
    await session.execute(
        update(InboxRow)
        .where(InboxRow.state == InboxState.DONE, InboxRow.raw != "", InboxRow.received_at < now - KEEP_RAW)
        .values(raw="", lane="")
    )
    known = select(Account.channel + ":" + Account.address).where(Account.person_id.is_not(None))
    stale = InboxRow.state == InboxState.DEAD, InboxRow.raw != ""
    for old in (
        InboxRow.received_at < now - KEEP_DEAD,
        and_(InboxRow.received_at <= now - PREVIEW, InboxRow.lane.not_in(known)),
    ):
        # What went wrong may quote what was said.
        await session.execute(update(InboxRow).where(*stale, old).values(raw="", lane="", digest="", error=""))
    newest = InboxRow.__table__.alias("newest")
    last = (
        select(func.max(newest.c.id))
        .where(newest.c.channel == InboxRow.channel, newest.c.bot == InboxRow.bot)
        .correlate(InboxRow)
        .scalar_subquery()
    )
    await session.execute(
        delete(InboxRow).where(
            InboxRow.state == InboxState.DONE, InboxRow.received_at < now - KEEP_KEY, InboxRow.id <= last - KEEP_NEWEST
        )
    )


async def counts(session: Session) -> dict[str, int]:
    """How many updates are in each state."""
    found = await session.execute(select(InboxRow.state, func.count()).group_by(InboxRow.state))
    return {state.value: 0 for state in InboxState} | {state.value: count for state, count in found}


async def oldest(session: Session, now: datetime) -> float:
    """For how many seconds the update waits that could be handled longest; 0 where none waits.

    One that waits for its retry, and what came after it in its chat, wait as they should.
    """
    first = (
        select(func.min(InboxRow.id).label("id"))
        .where(InboxRow.state == InboxState.NEW)
        .group_by(InboxRow.lane)
        .subquery()
    )
    since = case((InboxRow.next_at > InboxRow.received_at, InboxRow.next_at), else_=InboxRow.received_at)
    query = (
        select(func.min(since, type_=UTCDateTime))
        .join(first, first.c.id == InboxRow.id)
        .where(or_(InboxRow.next_at.is_(None), InboxRow.next_at <= now))
    )
    found = (await session.execute(query)).scalar()
    return max(0.0, (now - found).total_seconds()) if found is not None else 0.0


async def count_dead(session: Session, since: datetime) -> int:
    """How many updates were set aside since then."""
    query = select(func.count()).where(InboxRow.state == InboxState.DEAD, InboxRow.next_at >= since)
    return int((await session.execute(query)).scalar_one())
