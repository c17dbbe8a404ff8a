"""What goes out: the one way for everything said, claimed before it is sent and settled after."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, func, or_, select, update

from db import house
from db.accounts import best_account, lose
from db.models import (
    FINAL,
    UNSENT,
    Account,
    Body,
    Broadcast,
    BroadcastState,
    Lane,
    OutboxRow,
    OutState,
    Person,
    Policy,
)
from db.session import Session

_T = OutboxRow
_BULK = {"synchronize_session": False}
_ARRIVED = (
    update(OutboxRow.__table__)  # type: ignore[arg-type]
    .where(
        OutboxRow.id == bindparam("row"),
        OutboxRow.claim == bindparam("mark"),
        or_(OutboxRow.state == OutState.SENDING, OutboxRow.state == OutState.UNKNOWN),
    )
    .values(state=OutState.SENT, provider_id=bindparam("provider"), error="", finished_at=bindparam("at"))
)
"""One statement for all that arrived since the last look: a row object for each would cost more than sending."""

MAX_DOUBTFUL = 6
"""How often a doubtful at-least-once message is tried before it stays `unknown` (promises §1.5)."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A claimed row: what a channel needs to send it."""

    id: int
    lane: int
    policy: Policy
    address: str
    payload: dict[str, Any]
    edits: str
    claim: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a send ended: `state` is where the row goes; READY means again at `not_before`."""

    id: int
    claim: str
    state: OutState
    provider_id: str = ""
    error: str = ""
    not_before: datetime | None = None
    gone: bool = False
    doubtful: bool = False


async def put(
    session: Session,
    account: Account,
    payload: dict[str, Any],
    *,
    now: datetime,
    lane: Lane = Lane.REPLY,
    policy: Policy = Policy.ALO,
    kind: str = "reply",
    key: str | None = None,
    slot: str | None = None,
    fresh: bool = False,
    after: float = 0.0,
    final: bool = True,
) -> int:
    """Queues one message to one account and returns its row.

    With `key`, a second call with the same key changes nothing. With `slot`, an unsent message of that slot is replaced,
    and a sent one is delivered again as an edit of itself; `final` says whether a channel that cannot edit shows it,
    `fresh` that nothing was ever said in this slot, so that nothing is looked for.
    `after` is how many seconds of quiet to wait for a newer message of the slot.
    """
    due = now + timedelta(seconds=after)
    payload = payload if final else payload | {"final": False}
    if key is not None:
        known = (await session.execute(select(OutboxRow.id).where(OutboxRow.dedup_key == key))).scalar()
        if known is not None:
            return known
    if slot is not None and not fresh:
        row = (
            await session.execute(
                select(OutboxRow)
                .where(
                    OutboxRow.channel == account.channel,
                    OutboxRow.address == account.address,
                    OutboxRow.slot == slot,
                    OutboxRow.state.in_((*UNSENT, OutState.SENT)),
                )
                .order_by(OutboxRow.id.desc())
                .limit(1)
            )
        ).scalar()
        if row is not None and (row.state in UNSENT or row.provider_id):
            if row.state == OutState.SENT:
                row.edits, row.attempts = row.provider_id, 0
                row.finished_at, row.retry_at, row.state = None, None, OutState.READY
            row.payload, row.not_before, row.error = payload, due, ""
            return row.id
    row = OutboxRow(
        dedup_key=key,
        policy=policy,
        lane=lane,
        kind=kind,
        account_id=account.id,
        person_id=account.person_id,
        channel=account.channel,
        address=account.address,
        payload=payload,
        slot=slot,
        state=OutState.READY,
        not_before=due,
        created_at=now,
    )
    session.add(row)
    await session.flush()
    return row.id


async def tell(
    session: Session,
    person_id: int,
    payload: dict[str, Any],
    *,
    now: datetime,
    kind: str = "notice",
    policy: Policy = Policy.ALO,
    key: str | None = None,
    slot: str | None = None,
    after: float = 0.0,
    final: bool = True,
) -> int | None:
    """Queues a notice to one person, at least once unless `policy` says otherwise, on the chat they used last. None where they have no chat."""
    account = await best_account(session, person_id)
    if account is None:
        return None
    return await put(
        session,
        account,
        payload,
        now=now,
        lane=Lane.NOTICE,
        policy=policy,
        kind=kind,
        key=key,
        slot=slot,
        after=after,
        final=final,
    )


async def put_off_notices(
    session: Session, person_id: int, now: datetime, until: Callable[[datetime], datetime]
) -> None:
    """What waits to be told to one person alone waits until the moment that `until` says for its own."""
    query = select(OutboxRow).where(
        OutboxRow.person_id == person_id,
        OutboxRow.lane == Lane.NOTICE,
        OutboxRow.state == OutState.READY,
        OutboxRow.not_before > now,
    )
    for row in (await session.execute(query)).scalars():
        row.not_before = until(row.not_before)


async def was_said(session: Session, person_id: int, slot: str) -> bool:
    """Whether a message of a slot has reached a person, so that what comes next in it is an edit."""
    query = select(OutboxRow.id).where(
        OutboxRow.person_id == person_id, OutboxRow.slot == slot, OutboxRow.provider_id != ""
    )
    return (await session.execute(query.limit(1))).first() is not None


async def wait_of(session: Session, account: Account, now: datetime) -> float:
    """How many seconds after `now` the last answer that waits for a chat is due: what comes behind it waits as long."""
    query = select(func.max(OutboxRow.not_before)).where(
        OutboxRow.channel == account.channel,
        OutboxRow.address == account.address,
        OutboxRow.lane == int(Lane.REPLY),
        OutboxRow.state == OutState.READY,
    )
    last = (await session.execute(query)).scalar()
    return max(0.0, (last - now).total_seconds()) if last is not None else 0.0


async def drop_slot(session: Session, account: Account, slot: str) -> None:
    """Takes back what waits in a slot and has become pointless."""
    await session.execute(
        update(OutboxRow)
        .where(
            OutboxRow.channel == account.channel,
            OutboxRow.address == account.address,
            OutboxRow.slot == slot,
            OutboxRow.state == OutState.READY,
        )
        .values(state=OutState.CANCELLED)
    )


@dataclass(frozen=True, slots=True)
class Ask:
    """Up to `limit` messages of some lanes, the first lane first."""

    lanes: Sequence[Lane]
    limit: int


async def claim(
    session: Session, channel: str, now: datetime, mark: str, *, ask: Ask, busy: Collection[str]
) -> list[Parcel]:
    """Takes what is due, one per address, and marks it `sending`. Commit before anything leaves."""
    parcels: list[Parcel] = []
    expired: list[int] = []
    taken = set(busy)
    for lane in ask.lanes:
        # A query for each lane walks the index in order: a hundred thousand waiting announcements slow no reply.
        due = (
            select(_T.id, _T.policy, _T.address, _T.payload, Body.payload, _T.edits, _T.expires_at)
            .outerjoin(Body, Body.id == _T.body_id)
            .where(_T.channel == channel, _T.state == OutState.READY, _T.lane == lane, _T.not_before <= now)
            .where(_T.address.not_in(list(busy)), _T.address.not_in(_refused(channel, lane, now)))
            .order_by(_T.not_before, _T.id)
            .limit((ask.limit - len(parcels)) * 2)
        )
        for row_id, policy, address, payload, body, edits, expires_at in await session.execute(due):
            if expires_at is not None and expires_at < now:
                expired.append(row_id)
            elif address not in taken and len(parcels) < ask.limit:
                taken.add(address)
                parcels.append(Parcel(row_id, lane, policy, address, payload or body or {}, edits, mark))
        if len(parcels) == ask.limit:
            break
    if expired:
        ended = {"state": OutState.EXPIRED, "finished_at": now}
        await session.execute(update(_T).where(_T.id.in_(expired)).values(ended), execution_options=_BULK)
    if parcels:
        leaving = {"state": OutState.SENDING, "claim": mark, "attempts": _T.attempts + 1}
        rows = [parcel.id for parcel in parcels]
        await session.execute(update(_T).where(_T.id.in_(rows)).values(leaving), execution_options=_BULK)
    return parcels


def _refused(channel: str, lane: int, now: datetime) -> Select[str]:
    """Where a message waits for another try; what comes behind it waits with it, so that answers keep their order."""
    return select(_T.address).where(
        _T.channel == channel, _T.lane == lane, _T.state == OutState.READY, _T.retry_at > now
    )


async def settle(session: Session, results: Sequence[Settlement], now: datetime) -> None:
    """Writes how sends ended. Only the claim that took a row may settle it; `unknown` may still become `sent`."""
    arrived = [result for result in results if result.state == OutState.SENT and result.provider_id]
    if arrived:
        connection = await session.connection()
        await connection.execute(
            _ARRIVED, [{"row": r.id, "mark": r.claim, "provider": r.provider_id, "at": now} for r in arrived]
        )
    for result in results:
        if result not in arrived:
            await _settle(session, result, now)


async def _settle(session: Session, result: Settlement, now: datetime) -> None:
    """What did not simply arrive."""
    row = await session.get(OutboxRow, result.id)
    if row is None or row.claim != result.claim or row.state not in (OutState.SENDING, OutState.UNKNOWN):
        return
    if row.state == OutState.UNKNOWN and result.state != OutState.SENT:
        return
    state = result.state
    if result.doubtful:
        again = row.policy == Policy.ALO and row.attempts < MAX_DOUBTFUL
        state = OutState.READY if again else OutState.UNKNOWN
    row.state, row.error = state, result.error[:300]
    if result.provider_id:
        row.provider_id = result.provider_id
    if state == OutState.READY:
        row.retry_at = result.not_before or now
        if not result.doubtful:
            row.attempts -= 1  # certainly not sent: it does not count
    else:
        row.finished_at = now
    if result.gone:
        await lose(session, row.account_id, now)
    if state == OutState.READY and row.broadcast_id is not None:
        await _follow_stop(session, row, now)


async def _follow_stop(session: Session, row: OutboxRow, now: datetime) -> None:
    """A row that comes back to wait follows what was decided while it was in flight: a stop, or its reader's wish."""
    broadcast = await session.get_one(Broadcast, row.broadcast_id)
    person = await session.get(Person, row.person_id)
    if broadcast.state == BroadcastState.CANCELLED or (person is not None and not person.news):
        row.state, row.finished_at = OutState.CANCELLED, now
    elif broadcast.state in (BroadcastState.PAUSED, BroadcastState.HELD) or await house.is_on(session, house.STOP):
        row.state = OutState.HELD


async def recover(session: Session, now: datetime) -> int:
    """After a start: what was being sent when the process died is in doubt. Returns how many rows were."""
    doubtful = await session.execute(
        update(OutboxRow)
        .where(OutboxRow.state == OutState.SENDING, OutboxRow.policy == Policy.AMO)
        .values(state=OutState.UNKNOWN, finished_at=now, error="the process died while sending")
    )
    again = await session.execute(
        update(OutboxRow)
        .where(OutboxRow.state == OutState.SENDING, OutboxRow.policy == Policy.ALO)
        .values(state=OutState.READY)
    )
    return int(getattr(doubtful, "rowcount", 0)) + int(getattr(again, "rowcount", 0))


async def hold_unfinished(session: Session, now: datetime) -> None:
    """After a backup was restored: at-most-once rows may have gone out since (promises F17).

    Of an announcement a person decides; a single reminder stays in doubt, for nobody would look at it.
    """
    waiting = OutboxRow.policy == Policy.AMO, OutboxRow.state.in_((OutState.READY, OutState.SENDING))
    await session.execute(
        update(OutboxRow).where(*waiting, OutboxRow.broadcast_id.is_not(None)).values(state=OutState.HELD)
    )
    doubtful = {"state": OutState.UNKNOWN, "finished_at": now, "error": "a backup was restored"}
    await session.execute(update(OutboxRow).where(*waiting, OutboxRow.broadcast_id.is_(None)).values(doubtful))


async def next_due(session: Session, channel: str, lanes: Sequence[Lane], now: datetime) -> datetime | None:
    """When the next waiting message of some lanes may go, in the past for what is due; None when nothing waits."""
    waiting = (_T.channel == channel, _T.state == OutState.READY)
    firsts = [
        select(_T.not_before)
        .where(*waiting, _T.lane == lane, _T.address.not_in(_refused(channel, lane, now)))
        .order_by(_T.not_before)
        .limit(1)
        .scalar_subquery()
        for lane in lanes
    ]
    again = select(func.min(_T.retry_at)).where(*waiting, _T.lane.in_(lanes), _T.retry_at > now).scalar_subquery()
    found = (await session.execute(select(*firsts, again))).one()
    return min((moment for moment in found if moment is not None), default=None)


async def counts(session: Session) -> dict[str, int]:
    """How many messages are in each state."""
    found = await session.execute(select(OutboxRow.state, func.count()).group_by(OutboxRow.state))
    return {state.value: 0 for state in OutState} | {state.value: count for state, count in found}


async def tidy(session: Session, now: datetime) -> None:
    """Blanks the content of what was settled more than 30 days ago; its state stays for the reports."""
    await session.execute(
        update(OutboxRow)
        .where(
            OutboxRow.state.in_(FINAL), OutboxRow.finished_at < now - timedelta(days=30), OutboxRow.body_id.is_(None)
        )
        .values(payload=None)
    )
