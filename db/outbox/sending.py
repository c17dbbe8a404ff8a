"""What leaves: claimed before it is sent, settled after; when the next may go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Integer, Select, bindparam, case, exists, func, or_, select, update

from db import house
from db.accounts import lose
from db.models import (
    Body,
    Broadcast,
    BroadcastState,
    Fact,
    Lane,
    OutboxRow,
    OutState,
    Person,
    Policy,
)
from db.prepared import Prepared
from db.session import Session

_T = OutboxRow
_BULK = {"synchronize_session": False}
Asked = Any
"""A value, or the place of one in a statement that is written once: writing it anew cost more than asking it."""
_CHANNEL: Asked = bindparam("channel")
_LANE: Asked = bindparam("lane")
_NOW: Asked = bindparam("now")


def _refused(channel: Asked, lane: Asked, now: Asked) -> Select[str]:
    """Where a message waits for another try; what comes behind it waits with it, so that answers keep their order."""
    return select(_T.address).where(
        _T.channel == channel, _T.lane == lane, _T.state == OutState.READY, _T.retry_at > now
    )


def _due(channel: Asked, lane: Asked, now: Asked) -> Select[int]:
    """What may leave, in its order: a walk along the index."""
    return (
        select(_T.id)
        .where(_T.channel == channel, _T.state == OutState.READY, _T.lane == lane, _T.not_before <= now)
        .where(_T.address.not_in(_refused(channel, lane, now)))
        .order_by(_T.not_before, _T.id)
    )


_ARRIVED = Prepared(
    update(OutboxRow.__table__)  # type: ignore[arg-type]
    .where(
        OutboxRow.id == bindparam("row"),
        OutboxRow.claim == bindparam("mark"),
        or_(OutboxRow.state == OutState.SENDING, OutboxRow.state == OutState.UNKNOWN),
    )
    .values(state=OutState.SENT, provider_id=bindparam("provider"), error="", finished_at=bindparam("at"))
)
"""One statement for all that arrived since the last look: a row object for each would cost more than sending."""
_WAITING = (
    _due(_CHANNEL, _LANE, _NOW)
    .with_only_columns(_T.id, _T.address, _T.payload, _T.body_id, _T.edits, _T.expires_at)
    .where(or_(bindparam("every", type_=Boolean), _T.at_once))
    .limit(bindparam("most", type_=Integer))
    .with_for_update(of=_T, skip_locked=True)
)
_DUE = Prepared(_WAITING)
_DUE_ELSEWHERE = _WAITING.where(_T.address.not_in(bindparam("busy", expanding=True)))
_BODY = Prepared(select(Body.payload).where(Body.id == bindparam("body")))
_LEAVING = Prepared(
    update(OutboxRow.__table__)  # type: ignore[arg-type]
    .where(OutboxRow.id == bindparam("row"))
    .values(state=OutState.SENDING, claim=bindparam("mark"), attempts=OutboxRow.attempts + 1)
)
_STOPPED = (BroadcastState.CANCELLED, BroadcastState.PAUSED, BroadcastState.HELD)
_TAKEN = select(_T.id).where(_T.state == OutState.SENDING, _T.broadcast_id == Broadcast.id)
_ALL_STOPPED = exists().where(Fact.name == house.STOP, Fact.value["on"].as_boolean())
_STOPPED_TAKEN = Prepared(_TAKEN.where(or_(*(Broadcast.state == state for state in _STOPPED), _ALL_STOPPED)))
LATE = timedelta(minutes=10)
"""A notice that leaves so long after its moment, since it could not before, may meet its reader asleep."""
SPARE = 8
"""Rows looked at beyond those that may leave, for some have expired or go to a chat that is being written to."""
MANY = 1000
"""Rows of which all end that have expired, once one is met: an outage over an evening's hours leaves a hundred thousand,
and what stands behind them waits until they have ended."""
MAX_DOUBTFUL = 6
"""How often a doubtful at-least-once message is tried before it stays `unknown` (promises §1.5)."""


class Parcel(NamedTuple):
    """A claimed row: what a channel needs to send it."""

    id: int
    lane: Lane
    address: str
    payload: dict[str, Any]
    edits: str
    claim: str
    expires_at: datetime | None = None


class Settlement(NamedTuple):
    """How a send ended: `state` is where the row goes; READY means again at `not_before`."""

    id: int
    claim: str
    state: OutState
    provider_id: str = ""
    error: str = ""
    not_before: datetime | None = None
    gone: bool = False
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """Up to `limit` messages of some lanes, the first lane first.

    While nobody knows the hour only answers and what is said `at_once` go `by_no_clock`, and nothing expires.
    """

    lanes: Sequence[Lane]
    limit: int
    by_no_clock: bool = False


async def claim(
    session: Session,
    channel: str,
    now: datetime,
    mark: str,
    *,
    ask: Ask,
    busy: Collection[str],
    awake: Callable[[str, datetime], datetime] | None = None,
) -> list[Parcel]:
    """Takes what is due, one per address, and marks it `sending`. Commit before anything leaves.

    With `awake` (hours, moment → when they are) a notice that is `LATE` does not wake its reader.
    """
    parcels: list[Parcel] = []
    taken = set(busy)
    bodies: dict[int | None, dict[str, Any]] = {None: {}}
    for lane in ask.lanes:
        # A query for each lane walks the index in order: a hundred thousand waiting announcements slow no reply.
        most = ask.limit - len(parcels) + SPARE
        every = not ask.by_no_clock or lane == Lane.REPLY
        asked = {"channel": channel, "lane": int(lane), "now": now, "every": every, "most": most}
        found, elsewhere = await session.rows(_DUE, **asked), list[str]()
        for again in (False, True):
            late = False
            if found and lane == Lane.NOTICE and awake is not None:
                asleep = await _put_off(session, [row[0] for row in found], now, awake)
                found = [row for row in found if row[0] not in asleep]
            for row_id, address, payload, body, edits, expires_at in found:
                if expires_at is not None and expires_at < now and not ask.by_no_clock:
                    late = True
                elif address not in taken and len(parcels) < ask.limit:
                    taken.add(address)
                    if payload is None and body not in bodies:
                        bodies[body] = (await session.rows(_BODY, body=body))[0][0]
                    payload = payload or bodies[body]
                    parcels.append(Parcel(row_id, lane, address, payload, edits, mark, expires_at))
            if late:
                first = _due(channel, int(lane), now).where(_T.address.not_in(elsewhere)).limit(MANY)
                ended = {"state": OutState.EXPIRED, "finished_at": now}
                expire = update(_T).where(_T.id.in_(first), _T.expires_at < now).values(ended)
                await session.execute(expire, execution_options=_BULK)
            if again or len(found) < most or len(parcels) == ask.limit:
                break
            # Of those that are due first, many are for chats that are being written to: the others do not wait for them.
            elsewhere = list(taken)
            found = [tuple(row) for row in await session.ask(_DUE_ELSEWHERE, asked | {"busy": elsewhere})]
        if len(parcels) == ask.limit:
            break
    if parcels:
        await session.write_each(_LEAVING, [{"row": parcel.id} for parcel in parcels], mark=mark)
    return parcels


async def _put_off(
    session: Session, row_ids: Sequence[int], now: datetime, awake: Callable[[str, datetime], datetime]
) -> set[int]:
    """Lets what is late, and would wake its reader now, wait until they are awake. Returns which that was."""
    late = OutboxRow.id.in_(row_ids), OutboxRow.not_before < now - LATE, OutboxRow.at_once.is_(False)
    query = select(OutboxRow, Person).join(Person, Person.id == OutboxRow.person_id).where(*late)
    asleep: set[int] = set()
    for row, reader in (await session.execute(query)).all():
        if (moment := awake(reader.hours, now)) > now:
            row.not_before = moment
            asleep.add(row.id)
    return asleep


async def settle(session: Session, results: Sequence[Settlement], now: datetime) -> None:
    """Writes how sends ended. Only the claim that took a row may settle it; `unknown` may still become `sent`."""
    arrived: list[dict[str, object]] = []
    for result in results:
        if result.state == OutState.SENT and result.provider_id:
            arrived.append({"row": result.id, "mark": result.claim, "provider": result.provider_id})
        else:
            await _settle(session, result, now)
    await session.flush()  # a claim in the same transaction asks the tables themselves
    if arrived:
        await session.write_each(_ARRIVED, arrived, at=now)


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
    unwanted = person is not None and (not person.news or broadcast.topic in person.muted_topics)
    if broadcast.state == BroadcastState.CANCELLED or unwanted:
        row.state, row.finished_at = OutState.CANCELLED, now
    elif broadcast.state in _STOPPED or await house.is_on(session, house.STOP):
        row.state = OutState.HELD


async def called_back(session: Session) -> set[int]:
    """What has been claimed of announcements that were stopped since: whoever still holds it gives it back."""
    return {row_id for (row_id,) in await session.rows(_STOPPED_TAKEN)}


async def next_due(session: Session, channel: str, lanes: Sequence[Lane], now: datetime) -> datetime | None:
    """When the next waiting message of some lanes may go, in the past for what is due; None when nothing waits."""
    asked = {"channel": channel, "now": now}
    found = (await session.ask(_next(tuple(lanes)), asked)).one()
    return min((moment for moment in found if moment is not None), default=None)


@cache
def _next(lanes: tuple[Lane, ...]) -> Select[*tuple[Any, ...]]:
    waiting = (_T.channel == _CHANNEL, _T.state == OutState.READY)
    firsts = [
        select(_T.not_before)
        .where(*waiting, _T.lane == int(lane), _T.address.not_in(_refused(_CHANNEL, int(lane), _NOW)))
        .order_by(_T.not_before)
        .limit(1)
        .scalar_subquery()
        for lane in lanes
    ]
    numbers = [int(lane) for lane in lanes]
    again = select(func.min(_T.retry_at)).where(*waiting, _T.lane.in_(numbers), _T.retry_at > _NOW).scalar_subquery()
    return select(*firsts, again)


async def oldest(session: Session, channel: str, lane: Lane, now: datetime) -> float:
    """For how many seconds the first in a lane waits that could leave; 0 where none does.

    What was refused waits as it should until it may be tried again, and so does what comes behind it in its chat.
    """
    query = (
        select(case((_T.retry_at > _T.not_before, _T.retry_at), else_=_T.not_before))
        .where(_T.channel == channel, _T.state == OutState.READY, _T.lane == lane, _T.not_before <= now)
        .where(or_(_T.expires_at.is_(None), _T.expires_at > now), _T.address.not_in(_refused(channel, lane, now)))
        .order_by(_T.not_before)
        .limit(1)
    )
    since = (await session.execute(query)).scalar()
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0
