"""What is to be said, put in line: one row for each message, or for each slot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from db.accounts import best_account
from db.models import (
    UNSENT,
    Account,
    Lane,
    OutboxRow,
    OutState,
    Policy,
)
from db.prepared import Prepared
from db.session import Session

_T = OutboxRow.__table__
_FIRST = {"attempts": 0, "claim": "", "provider_id": "", "edits": "", "error": ""}
"""What a row begins with."""
_PUT = Prepared(
    insert(_T).returning(_T.c.id),  # type: ignore[arg-type]
    *(
        "dedup_key",
        "policy",
        "lane",
        "kind",
        "account_id",
        "person_id",
        "channel",
        "address",
        "payload",
        "slot",
        "state",
    ),
    *("at_once", "not_before", "expires_at", "created_at", *_FIRST),
)
_LAST = Prepared(
    select(_T.c.slot)
    .where(
        OutboxRow.channel == bindparam("channel"),
        OutboxRow.address == bindparam("address"),
        OutboxRow.lane == Lane.REPLY,
        OutboxRow.state != OutState.CANCELLED,
    )
    .order_by(OutboxRow.id.desc())
    .limit(1)
)


_CHANNELS = "outbox channels"


def channels(session: Session) -> frozenset[str]:
    """On which channels something was put in line by this session."""
    return frozenset(session.info.get(_CHANNELS, ()))


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
    edits: bool = True,
    after: float = 0.0,
    until: datetime | None = None,
    at_once: bool = False,
    final: bool = True,
) -> int:
    """Queues one message to one account and returns its row.

    With `key`, a second call with the same key changes nothing. With `slot`, an unsent message of that slot is replaced,
    and a sent one, unless `edits` is false, is delivered again as an edit of itself; `final` says whether a channel that
    cannot edit shows it, `fresh` that nothing was ever said in this slot, so that nothing is looked for.
    `after` is how many seconds of quiet to wait for a newer message of the slot, `until` the moment after which it would be
    pointless; a notice that could not leave for a while waits until its reader is awake, unless it is to be said `at_once`.
    """
    session.info.setdefault(_CHANNELS, set()).add(account.channel)
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
                    OutboxRow.state.in_((*UNSENT, OutState.SENT) if edits else UNSENT),
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
            row.expires_at, row.at_once = until, at_once
            return row.id
    values = {
        "dedup_key": key,
        "policy": policy,
        "lane": lane,
        "kind": kind,
        "account_id": account.id,
        "person_id": account.person_id,
        "channel": account.channel,
        "address": account.address,
        "payload": payload,
        "slot": slot,
        "state": OutState.READY,
        "at_once": at_once,
        "not_before": due,
        "expires_at": until,
        "created_at": now,
    }
    made = await session.rows(_PUT, **values, **_FIRST)
    return int(made[0][0])


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
    edits: bool = True,
    after: float = 0.0,
    until: datetime | None = None,
    at_once: bool = False,
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
        edits=edits,
        after=after,
        until=until,
        at_once=at_once,
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


async def standing(session: Session, account: Account, slot: str) -> dict[str, Any] | None:
    """What was said last in a slot of a chat, or waits to be; None where nothing was, or it was taken back or blanked."""
    query = (
        select(OutboxRow.payload)
        .where(
            OutboxRow.channel == account.channel,
            OutboxRow.address == account.address,
            OutboxRow.slot == slot,
            OutboxRow.state != OutState.CANCELLED,
        )
        .order_by(OutboxRow.id.desc())
        .limit(1)
    )
    return (await session.execute(query)).scalar()


async def is_last(session: Session, account: Account, slot: str) -> bool:
    """Whether what was answered last in a chat is this slot's message, so that an edit of it is seen."""
    last = await session.rows(_LAST, channel=account.channel, address=account.address)
    return bool(last) and last[0][0] == slot


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


async def drop_slot(session: Session, account: Account, slot: str, now: datetime) -> None:
    """Takes back what waits in a slot and has become pointless."""
    await session.execute(
        update(OutboxRow)
        .where(
            OutboxRow.channel == account.channel,
            OutboxRow.address == account.address,
            OutboxRow.slot == slot,
            OutboxRow.state == OutState.READY,
        )
        .values(state=OutState.CANCELLED, finished_at=now)
    )
