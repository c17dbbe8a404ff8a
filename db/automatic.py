"""What officers decide about tomorrow's automatic messages: one row each, asked the day before, settled at most once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import select, update

from db import audit, house, policy
from db.errors import Conflict, NotFound, Refused
from db.models import AutomaticMessage, AutomaticState, Broadcast
from db.policy import Action
from db.session import Session


class Verdict(StrEnum):
    """What is to be done with a message whose hour has come."""

    SEND = "send"
    STOP = "stop"
    WAIT = "wait"
    """Nobody has let it go: it may still be, until its day is over."""


async def ask(session: Session, key: str, on: date, now: datetime) -> AutomaticMessage | None:
    """Notes that officers are asked about a message; None when they have been."""
    if await find(session, key) is not None:
        return None
    row = AutomaticMessage(key=key, send_on=on, state=AutomaticState.ASKED, version=1, text="", asked_at=now)
    session.add(row)
    await session.flush()
    return row


async def is_lost(session: Session, key: str, asked_from: datetime) -> bool:
    """Whether a "do not send" may have died with a disk: officers may have been asked about a message, from `asked_from`
    on, before a backup was brought back, and nobody has decided since.

    Then silence means nothing, nor does what the backup says of a message that was let go: a person decides anew. What it
    says was stopped stays so.
    """
    row = await find(session, key)
    if row is not None and (row.state == AutomaticState.STOPPED or not await _is_old(session, row.decided_at)):
        return False
    return await house.is_doubtful(session, asked_from)


async def _is_old(session: Session, at: datetime | None) -> bool:
    return at is None or await house.is_doubtful(session, at)


async def ask_again(session: Session, key: str, on: date, now: datetime) -> AutomaticMessage | None:
    """Notes that officers are asked about a message of which `is_lost` is true; None when they have been, since then."""
    row = await find(session, key)
    if row is None:
        return await ask(session, key, on, now)
    if not await _is_old(session, row.asked_at):
        return None
    if row.state == AutomaticState.RELEASED:
        row.state = AutomaticState.ASKED
    row.version, row.asked_at = row.version + house.SKIPPED, now  # phones may have buttons of versions that are lost
    await session.flush()
    return row


async def list_stopped(session: Session) -> list[tuple[str, date, int | None]]:
    """What officers keep from going: its key, its day and who stopped it."""
    query = select(AutomaticMessage.key, AutomaticMessage.send_on, AutomaticMessage.decided_by)
    found = await session.execute(query.where(AutomaticMessage.state == AutomaticState.STOPPED))
    return [(key, on, by) for key, on, by in found]


async def stop_again(session: Session, stopped: Sequence[tuple[str, date, int | None]], now: datetime) -> None:
    """After a backup was restored: what was stopped since, as the former database says it, stays so."""
    for key, on, by in stopped:
        row = await find(session, key) or await ask(session, key, on, now)
        if row is not None and row.state != AutomaticState.STOPPED and not await has_begun(session, key):
            row.state, row.version, row.decided_by, row.decided_at = (
                AutomaticState.STOPPED,
                row.version + house.SKIPPED,
                by,
                now,
            )
            audit.note(session, audit.SYSTEM, "stop_automatic", f"automatic {key}", now)


async def find(session: Session, key: str) -> AutomaticMessage | None:
    """What was asked and decided about a message."""
    return (await session.execute(select(AutomaticMessage).where(AutomaticMessage.key == key))).scalar()


async def get(session: Session, row_id: int) -> AutomaticMessage:
    """By its number. Raises NotFound."""
    row = await session.get(AutomaticMessage, row_id)
    if row is None:
        raise NotFound("common.not_found")
    return row


async def list_open(session: Session, start: date) -> list[AutomaticMessage]:
    """Those of the days from one on that nobody has let go or stopped."""
    open_ones = AutomaticMessage.state.in_((AutomaticState.ASKED, AutomaticState.EDITED))
    query = select(AutomaticMessage).where(AutomaticMessage.send_on >= start, open_ones)
    return list((await session.execute(query.order_by(AutomaticMessage.id))).scalars())


async def states(session: Session, start: date) -> dict[str, AutomaticState]:
    """What was decided about each message from a day on, by key."""
    query = select(AutomaticMessage.key, AutomaticMessage.state).where(AutomaticMessage.send_on >= start)
    return {key: state for key, state in await session.execute(query)}


async def begun(session: Session, keys: Sequence[str]) -> dict[str, Broadcast]:
    """Of some messages those that are planned already, by key: from then on each is a broadcast like any other."""
    found = (await session.execute(select(Broadcast).where(Broadcast.key.in_(keys)))).scalars()
    return {broadcast.key: broadcast for broadcast in found if broadcast.key is not None}


async def has_begun(session: Session, key: str) -> bool:
    """Whether a message is planned already."""
    return bool(await begun(session, [key]))


async def may_release(session: Session, row: AutomaticMessage, actor_id: int, top: int | None) -> bool:
    """Whether a person may let it go. Other words than the released ones need a second person, who may approve."""
    if row.text:
        return actor_id != row.edited_by and await policy.may(session, actor_id, Action.APPROVE_BROADCAST, top)
    return await policy.may(session, actor_id, Action.DECIDE_AUTOMATIC, top)


async def may_stop(session: Session, row: AutomaticMessage, actor_id: int, top: int | None) -> bool:
    """Whether a person may keep it from going."""
    return await policy.may(session, actor_id, Action.DECIDE_AUTOMATIC, top) or await may_release(
        session, row, actor_id, top
    )


async def release(
    session: Session, row: AutomaticMessage, actor_id: int, version: int, top: int | None, now: datetime
) -> None:
    """Lets a message go at its hour. Raises Refused (nobody lets go what they wrote themselves) and Conflict."""
    if not await may_release(session, row, actor_id, top):
        raise Refused("automatic.own" if row.text and actor_id == row.edited_by else "common.refused")
    await _settle(session, row, actor_id, version, AutomaticState.RELEASED, now)
    audit.note(session, actor_id, "release_automatic", f"automatic {row.key}", now, top)


async def stop(
    session: Session, row: AutomaticMessage, actor_id: int, version: int, top: int | None, now: datetime
) -> None:
    """Keeps a message from going. Raises Refused and Conflict."""
    if not await may_stop(session, row, actor_id, top):
        raise Refused("common.refused")
    await _settle(session, row, actor_id, version, AutomaticState.STOPPED, now)
    audit.note(session, actor_id, "stop_automatic", f"automatic {row.key}", now, top)


async def rewrite(
    session: Session, row: AutomaticMessage, actor_id: int, version: int, text: str, top: int | None, now: datetime
) -> None:
    """Gives a message other words: it waits for a second person and does not go by itself. Raises Refused and Conflict."""
    await policy.check(session, actor_id, Action.DECIDE_AUTOMATIC, top)
    await _settle(session, row, actor_id, version, AutomaticState.EDITED, now, text=text, edited_by=actor_id)
    audit.note(session, actor_id, "edit_automatic", f"automatic {row.key}", now, top, text=text)


async def _settle(
    session: Session,
    row: AutomaticMessage,
    actor_id: int,
    version: int,
    state: AutomaticState,
    now: datetime,
    **values: object,
) -> None:
    """Changes what the actor saw, unless somebody was faster or it has begun. Raises Conflict."""
    if await has_begun(session, row.key):
        raise Conflict("automatic.begun")
    changed = await session.execute(
        update(AutomaticMessage)
        .where(AutomaticMessage.id == row.id, AutomaticMessage.version == version)
        .values(state=state, version=version + 1, decided_by=actor_id, decided_at=now, **values)
        .returning(AutomaticMessage.id)
    )
    if changed.scalar() is None:
        raise Conflict("automatic.moved_on")
    await session.refresh(row)


async def verdict(session: Session, key: str, *, silence: str) -> tuple[Verdict, str]:
    """(what to do at a message's hour, the words it was given, "" for its own). `silence` is "send" or "hold"."""
    row = await find(session, key)
    if row is None or row.state == AutomaticState.ASKED:
        return (Verdict.SEND if silence == "send" else Verdict.WAIT), ""
    if row.state == AutomaticState.RELEASED:
        return Verdict.SEND, row.text
    return (Verdict.STOP if row.state == AutomaticState.STOPPED else Verdict.WAIT), ""


async def second_people(session: Session, row: AutomaticMessage, top: int) -> list[int]:
    """Who may let go what somebody rewrote."""
    found = await policy.anyone(session, top, Action.APPROVE_BROADCAST)
    return [person_id for person_id in found if person_id != row.edited_by]
