"""Messages to many: confirmed, approved by a second person, planned once each, paused, stopped, reported."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from db import audit, house, policy
from db.audiences import Member
from db.errors import Conflict, NotFound, Refused
from db.models import (
    Attachment,
    Body,
    Broadcast,
    BroadcastState,
    BroadcastTarget,
    Grant,
    Lane,
    OutboxRow,
    OutState,
    Person,
    Policy,
    Role,
    TargetState,
    Unit,
)
from db.policy import Action
from db.session import Session

CHUNK = 500
CELEBRATION = "anniversary"
"""The topic that respectful mode drops."""
REREAD = timedelta(days=90)
WAITING = (BroadcastState.WAITING, BroadcastState.SCHEDULED)


async def create(
    session: Session,
    *,
    author_id: int,
    kind: str,
    topic: str,
    unit_id: int,
    audience: dict[str, Any],
    text: str,
    media: Sequence[Any],
    timing: str,
    send_at: datetime,
    second: bool,
    year: int,
    now: datetime,
    corrects_id: int | None = None,
) -> Broadcast:
    """Takes a confirmed message in: WAITING for a second person, or SCHEDULED. Raises Refused."""
    await policy.check(session, author_id, Action.BROADCAST, unit_id)
    broadcast = Broadcast(
        code=await house.next_code(session, "TB", year), kind=kind, topic=topic, version=1, author_id=author_id,
        state=BroadcastState.WAITING if second else BroadcastState.SCHEDULED, unit_id=unit_id, audience=audience,
        text=text, media=list(media), timing=timing, send_at=send_at, corrects_id=corrects_id, created_at=now, cursor=0,
        note="",
    )  # fmt: skip
    session.add(broadcast)
    await session.flush()
    audit.note(session, author_id, "broadcast", f"broadcast {broadcast.code}", now, unit_id, kind=kind, second=second)
    return broadcast


async def plan_automatic(
    session: Session,
    *,
    key: str,
    topic: str,
    unit_id: int,
    audience: dict[str, Any],
    text: str,
    timing: str,
    send_at: datetime,
    year: int,
    now: datetime,
) -> Broadcast | None:
    """A message started by a clock, once for its key; None when it is there already."""
    if (await session.execute(select(Broadcast.id).where(Broadcast.key == key))).first():
        return None
    broadcast = Broadcast(
        code=await house.next_code(session, "KN", year), key=key, kind="automatic", topic=topic, version=1, author_id=None,
        state=BroadcastState.SCHEDULED, unit_id=unit_id, audience=audience, text=text, media=[], timing=timing,
        send_at=send_at, created_at=now, cursor=0, note="",
    )  # fmt: skip
    session.add(broadcast)
    await session.flush()
    audit.note(session, audit.SYSTEM, "broadcast", f"broadcast {broadcast.code}", now, unit_id, key=key)
    return broadcast


async def get_for(session: Session, actor_id: int, code: str, action: Action) -> Broadcast:
    """A broadcast within the actor's reach. Raises NotFound: out of reach and missing look the same."""
    broadcast = (await session.execute(select(Broadcast).where(Broadcast.code == code.strip().upper()))).scalar()
    if broadcast is None or not await policy.may(session, actor_id, action, broadcast.unit_id):
        raise NotFound("announcing.not_found")
    return broadcast


async def _move(
    session: Session, broadcast: Broadcast, version: int, allowed: Sequence[BroadcastState], **values: Any
) -> None:
    changed = await session.execute(
        update(Broadcast)
        .where(Broadcast.id == broadcast.id, Broadcast.version == version, Broadcast.state.in_(allowed))
        .values(version=version + 1, **values)
        .returning(Broadcast.id)
    )
    if changed.scalar() is None:
        raise Conflict("announcing.moved_on")
    await session.refresh(broadcast)


async def approve(session: Session, broadcast: Broadcast, actor_id: int, version: int, now: datetime) -> None:
    """A second person lets it go. Raises Refused for its own author."""
    await _second(session, broadcast, actor_id)
    values: dict[str, Any] = {"state": BroadcastState.SCHEDULED, "approver_id": actor_id, "approved_at": now}
    if broadcast.send_at < now:
        values["send_at"] = now
    await _move(session, broadcast, version, (BroadcastState.WAITING,), **values)
    audit.note(session, actor_id, "approve_broadcast", f"broadcast {broadcast.code}", now, broadcast.unit_id)


async def send_back(
    session: Session, broadcast: Broadcast, actor_id: int, version: int, note: str, now: datetime
) -> None:
    """A second person sends it back with a word, or refuses it."""
    await _second(session, broadcast, actor_id)
    await _move(
        session,
        broadcast,
        version,
        (BroadcastState.WAITING,),
        state=BroadcastState.RETURNED,
        note=note,
        finished_at=now,
    )
    audit.note(session, actor_id, "return_broadcast", f"broadcast {broadcast.code}", now, broadcast.unit_id)


async def _second(session: Session, broadcast: Broadcast, actor_id: int) -> None:
    await policy.check(session, actor_id, Action.APPROVE_BROADCAST, broadcast.unit_id)
    if broadcast.author_id == actor_id:
        raise Refused("announcing.own")


async def approvers(session: Session, broadcast: Broadcast) -> list[int]:
    """Who may be the second person."""
    found = await policy.anyone(session, broadcast.unit_id, Action.APPROVE_BROADCAST)
    return [person_id for person_id in found if person_id != broadcast.author_id]


async def _may_steer(session: Session, broadcast: Broadcast, actor_id: int) -> None:
    if actor_id != broadcast.author_id and not await policy.may(
        session, actor_id, Action.APPROVE_BROADCAST, broadcast.unit_id
    ):
        raise Refused("common.refused")
    if actor_id == broadcast.author_id:
        await policy.check(session, actor_id, Action.BROADCAST, broadcast.unit_id)


async def _flip(
    session: Session, broadcast: Broadcast, before: Sequence[OutState], after: OutState, **values: Any
) -> int:
    changed = await session.execute(
        update(OutboxRow)
        .where(OutboxRow.broadcast_id == broadcast.id, OutboxRow.state.in_(before))
        .values(state=after, **values)
        .returning(OutboxRow.id)
    )
    return len(changed.all())


async def pause(session: Session, broadcast: Broadcast, actor_id: int, version: int, now: datetime) -> int:
    """Holds what is not sent yet; returns how many."""
    await _may_steer(session, broadcast, actor_id)
    await _move(session, broadcast, version, (BroadcastState.SENDING,), state=BroadcastState.PAUSED)
    audit.note(session, actor_id, "pause_broadcast", f"broadcast {broadcast.code}", now, broadcast.unit_id)
    return await _flip(session, broadcast, (OutState.READY,), OutState.HELD)


async def resume(session: Session, broadcast: Broadcast, actor_id: int, version: int, now: datetime) -> int:
    """Lets what was held go on; returns how many."""
    await _may_steer(session, broadcast, actor_id)
    if await stopped(session):
        raise Refused("announcing.stopped")
    await _move(session, broadcast, version, (BroadcastState.PAUSED,), state=BroadcastState.SENDING)
    audit.note(session, actor_id, "resume_broadcast", f"broadcast {broadcast.code}", now, broadcast.unit_id)
    return await _flip(session, broadcast, (OutState.HELD,), OutState.READY)


async def cancel(session: Session, broadcast: Broadcast, actor_id: int, version: int, now: datetime) -> int:
    """Stops for good; returns how many will not get it."""
    await _may_steer(session, broadcast, actor_id)
    allowed = (*WAITING, BroadcastState.PLANNING, BroadcastState.SENDING, BroadcastState.PAUSED, BroadcastState.HELD)
    await _move(session, broadcast, version, allowed, state=BroadcastState.CANCELLED, finished_at=now)
    audit.note(session, actor_id, "cancel_broadcast", f"broadcast {broadcast.code}", now, broadcast.unit_id)
    return await _flip(session, broadcast, (OutState.READY, OutState.HELD), OutState.CANCELLED, finished_at=now)


# ---------------------------------------------------------------------------------------------------- planning


async def list_in(session: Session, *states: BroadcastState) -> list[Broadcast]:
    """Broadcasts in some states, oldest first."""
    return list(
        (await session.execute(select(Broadcast).where(Broadcast.state.in_(states)).order_by(Broadcast.id))).scalars()
    )


async def begin(session: Session, broadcast: Broadcast, now: datetime) -> bool:
    """From SCHEDULED to PLANNING, with the author's right checked once more; HELD when it is gone (promises F27)."""
    allowed = broadcast.author_id is None or await policy.may(
        session, broadcast.author_id, Action.BROADCAST, broadcast.unit_id
    )
    state = BroadcastState.PLANNING if allowed else BroadcastState.HELD
    await _move(session, broadcast, broadcast.version, (BroadcastState.SCHEDULED,), state=state)
    return allowed


async def body(session: Session, payload: dict[str, Any], now: datetime) -> int:
    """Stores what is said to many once."""
    row = Body(payload=payload, created_at=now)
    session.add(row)
    await session.flush()
    return row.id


async def add_targets(
    session: Session,
    broadcast: Broadcast,
    rows: Sequence[tuple[Member, datetime, datetime | None, int | None, dict[str, Any] | None]],
    now: datetime,
) -> int:
    """Plans some people: a target each, and an outbox row unless there is a reason against it.

    Each row is (member, not before, expires, body, own payload). Planning the same people again adds nobody.
    """
    ids = [member.person_id for member, *_ in rows]
    there = select(BroadcastTarget.person_id).where(
        BroadcastTarget.broadcast_id == broadcast.id, BroadcastTarget.person_id.in_(ids)
    )
    known = set((await session.execute(there)).scalars())
    fresh = [row for row in rows if row[0].person_id not in known]
    outgoing = [
        {
            "dedup_key": f"bc:{broadcast.id}:{member.person_id}", "policy": Policy.AMO, "lane": int(Lane.BULK),
            "kind": broadcast.kind, "account_id": member.account.id, "person_id": member.person_id,
            "channel": member.account.channel, "address": member.account.address, "broadcast_id": broadcast.id,
            "body_id": body_id, "payload": payload, "state": OutState.READY, "attempts": 0, "not_before": due,
            "expires_at": expires, "claim": "", "provider_id": "", "edits": "", "error": "", "created_at": now,
        }
        for member, due, expires, body_id, payload in fresh
        if not member.reason and member.account is not None
    ]  # fmt: skip
    if outgoing:
        await session.execute(insert(OutboxRow), outgoing)
    made = await session.execute(
        select(OutboxRow.person_id, OutboxRow.id).where(
            OutboxRow.broadcast_id == broadcast.id, OutboxRow.person_id.in_(ids)
        )
    )
    outbox_ids = {person_id: row_id for person_id, row_id in made}
    targets = [
        {
            "broadcast_id": broadcast.id, "person_id": member.person_id, "unit_id": member.unit_id,
            "state": TargetState.SKIPPED if member.reason else TargetState.PLANNED, "reason": member.reason,
            "outbox_id": None if member.reason else outbox_ids.get(member.person_id),
        }
        for member, *_ in fresh
    ]  # fmt: skip
    if targets:
        await session.execute(insert(BroadcastTarget), targets)
    return len(outgoing)


async def planned(session: Session, broadcast: Broadcast) -> None:
    """All targets are there: sending is what is left."""
    await _move(session, broadcast, broadcast.version, (BroadcastState.PLANNING,), state=BroadcastState.SENDING)


async def finish(session: Session, broadcast: Broadcast, now: datetime) -> bool:
    """Ends a broadcast of which nothing is on its way any more."""
    left = select(OutboxRow.id).where(
        OutboxRow.broadcast_id == broadcast.id, OutboxRow.state.in_((OutState.READY, OutState.SENDING, OutState.HELD))
    )
    if (await session.execute(left.limit(1))).first():
        return False
    await _move(
        session, broadcast, broadcast.version, (BroadcastState.SENDING,), state=BroadcastState.DONE, finished_at=now
    )
    return True


async def settle_all(session: Session, broadcast: Broadcast, at: datetime) -> None:
    """Marks every message of a broadcast as sent at a moment of the past: the demo's furniture, used by nothing else."""
    await session.execute(
        update(OutboxRow)
        .where(OutboxRow.broadcast_id == broadcast.id)
        .values(state=OutState.SENT, finished_at=at, provider_id="furniture")
    )
    broadcast.state, broadcast.finished_at = BroadcastState.DONE, at


# ---------------------------------------------------------------------------------------------------- reports


async def figures(session: Session, broadcast_id: int) -> dict[str, int]:
    """Targets by what became of them: states of delivery, and "skip_<reason>" for those planned out."""
    found = await session.execute(
        select(BroadcastTarget.state, BroadcastTarget.reason, OutboxRow.state, func.count())
        .outerjoin(OutboxRow, OutboxRow.id == BroadcastTarget.outbox_id)
        .where(BroadcastTarget.broadcast_id == broadcast_id)
        .group_by(BroadcastTarget.state, BroadcastTarget.reason, OutboxRow.state)
    )
    counts: dict[str, int] = {state.value: 0 for state in OutState}
    for state, reason, delivery, number in found:
        name = f"skip_{reason}" if state == TargetState.SKIPPED or delivery is None else delivery.value
        counts[name] = counts.get(name, 0) + number
    return counts | {"targets": sum(counts.values())}


async def gone(session: Session, broadcast_id: int) -> int:
    """How many failed because they blocked us."""
    query = (
        select(func.count())
        .select_from(OutboxRow)
        .where(
            OutboxRow.broadcast_id == broadcast_id,
            OutboxRow.state == OutState.FAILED,
            OutboxRow.error.in_(("blocked", "chat not found")),
        )
    )
    return (await session.execute(query)).scalar_one()


async def unreached(session: Session, broadcast_id: int) -> list[tuple[str, str, str]]:
    """(unit, person, why) of everybody who did not get it."""
    query = (
        select(Unit.name, Person.name, BroadcastTarget.reason, OutboxRow.state)
        .join(Person, Person.id == BroadcastTarget.person_id)
        .outerjoin(Unit, Unit.id == BroadcastTarget.unit_id)
        .outerjoin(OutboxRow, OutboxRow.id == BroadcastTarget.outbox_id)
        .where(BroadcastTarget.broadcast_id == broadcast_id)
        .order_by(Unit.name, Person.name)
    )
    rows = []
    for unit, person, reason, state in await session.execute(query):
        if state != OutState.SENT:
            rows.append((unit or "", person, reason or (state.value if state is not None else "failed")))
    return rows


async def reached(session: Session, broadcast_id: int) -> list[int]:
    """The people who got it, or may have."""
    query = select(OutboxRow.person_id).where(
        OutboxRow.broadcast_id == broadcast_id, OutboxRow.state.in_((OutState.SENT, OutState.UNKNOWN))
    )
    return [person_id for person_id in (await session.execute(query)).scalars() if person_id is not None]


async def resend_unknown(session: Session, broadcast: Broadcast, actor_id: int, now: datetime) -> int:
    """An officer's explicit choice to send again where nobody knows; returns to how many. Some may get it twice."""
    await _may_steer(session, broadcast, actor_id)
    await _move(
        session, broadcast, broadcast.version, (BroadcastState.DONE,), state=BroadcastState.SENDING, finished_at=None
    )
    changed = await session.execute(
        update(OutboxRow)
        .where(OutboxRow.broadcast_id == broadcast.id, OutboxRow.state == OutState.UNKNOWN)
        .values(state=OutState.READY, not_before=now, expires_at=None, claim="", error="", finished_at=None)
        .returning(OutboxRow.id)
    )
    number = len(changed.all())
    audit.note(
        session, actor_id, "resend_unknown", f"broadcast {broadcast.code}", now, broadcast.unit_id, number=number
    )
    return number


async def list_for(session: Session, person_id: int, now: datetime) -> list[Broadcast]:
    """What was announced to a person in the last 90 days, whether or not the push arrived, newest first."""
    query = (
        select(Broadcast)
        .join(BroadcastTarget, BroadcastTarget.broadcast_id == Broadcast.id)
        .where(
            BroadcastTarget.person_id == person_id,
            Broadcast.created_at > now - REREAD,
            Broadcast.state.in_((BroadcastState.SENDING, BroadcastState.PAUSED, BroadcastState.DONE)),
            BroadcastTarget.reason.not_in(("unconfirmed", "withdrawn")),
        )
        .order_by(Broadcast.id.desc())
    )
    return list((await session.execute(query)).scalars())


async def list_by(session: Session, author_id: int) -> list[Broadcast]:
    """What an officer has sent, newest first."""
    query = select(Broadcast).where(Broadcast.author_id == author_id).order_by(Broadcast.id.desc()).limit(20)
    return list((await session.execute(query)).scalars())


async def sent_today(session: Session, author_id: int, since: datetime) -> int:
    """How many an officer has confirmed since a moment."""
    query = (
        select(func.count())
        .select_from(Broadcast)
        .where(
            Broadcast.author_id == author_id, Broadcast.created_at >= since, Broadcast.state != BroadcastState.RETURNED
        )
    )
    return (await session.execute(query)).scalar_one()


async def only_leads_team(session: Session, person_id: int) -> bool:
    """Whether somebody may broadcast only as a team leader (own team, text, once a day)."""
    held = {role for role, _ in await policy.roles(session, person_id) if role in policy.ALLOWED[Action.BROADCAST]}
    return held == {Role.TEAM_LEADER}


async def is_unit_only(session: Session, person_id: int, unit_id: int) -> bool:
    """Whether the right comes from the unit itself or its teams, not from above: then only confirmed members count."""
    query = select(Grant.role).where(
        Grant.person_id == person_id, Grant.revoked_at.is_(None), Grant.confirmed_at.is_not(None),
        Grant.role.in_(policy.ALLOWED[Action.BROADCAST]),
    )  # fmt: skip
    held = set((await session.execute(query)).scalars())
    return held <= {Role.TEAM_LEADER, Role.GRASSROOTS_CHAIR}


async def attach(session: Session, draft_id: int, broadcast_id: int) -> list[Attachment]:
    """The files of the composing draft become the broadcast's."""
    await session.execute(
        update(Attachment).where(Attachment.draft_id == draft_id).values(broadcast_id=broadcast_id, draft_id=None)
    )
    query = select(Attachment).where(Attachment.broadcast_id == broadcast_id).order_by(Attachment.id)
    return list((await session.execute(query)).scalars())


async def list_files(session: Session, broadcast_id: int) -> list[Attachment]:
    """The files of a broadcast, clean or not."""
    query = select(Attachment).where(Attachment.broadcast_id == broadcast_id).order_by(Attachment.id)
    return list((await session.execute(query)).scalars())


# ---------------------------------------------------------------------------------------------------- stop


async def stopped(session: Session) -> bool:
    """Whether everything is stopped."""
    fact = await house.know(session, "stop")
    return bool(fact and fact["on"])


async def respectful(session: Session) -> bool:
    """Whether celebratory messages are dropped."""
    fact = await house.know(session, "respectful")
    return bool(fact and fact["on"])


async def stop_all(session: Session, actor_id: int, now: datetime) -> int:
    """The emergency stop: every unsent message to many is held, nothing new is planned. Returns how many."""
    await house.remember(session, "stop", {"on": True, "by": actor_id}, now)
    changed = await session.execute(
        update(OutboxRow)
        .where(OutboxRow.lane == int(Lane.BULK), OutboxRow.state == OutState.READY)
        .values(state=OutState.HELD)
        .returning(OutboxRow.id)
    )
    number = len(changed.all())
    audit.note(session, actor_id, "emergency_stop", "all broadcasts", now, held=number)
    return number


async def start_again(session: Session, actor_id: int, now: datetime) -> int:
    """Lifts the stop: what it held goes on, save what was paused on its own."""
    await house.remember(session, "stop", {"on": False, "by": actor_id}, now)
    running = select(Broadcast.id).where(Broadcast.state == BroadcastState.SENDING)
    changed = await session.execute(
        update(OutboxRow)
        .where(OutboxRow.state == OutState.HELD, OutboxRow.broadcast_id.in_(running))
        .values(state=OutState.READY)
        .returning(OutboxRow.id)
    )
    number = len(changed.all())
    audit.note(session, actor_id, "lift_stop", "all broadcasts", now, released=number)
    return number


async def hold_started(session: Session, now: datetime) -> int:
    """After a restore: what was under way is paused, what was due but not planned is held. Returns how many."""
    number = 0
    for before, after in (
        ((BroadcastState.SENDING,), BroadcastState.PAUSED),
        ((BroadcastState.SCHEDULED, BroadcastState.PLANNING), BroadcastState.HELD),
    ):
        due = Broadcast.state.in_(before) & (Broadcast.send_at <= now)
        changed = await session.execute(
            update(Broadcast).where(due).values(state=after, version=Broadcast.version + 1).returning(Broadcast.id)
        )
        number += len(changed.all())
    return number


async def may_have_gone(session: Session, broadcast: Broadcast) -> bool:
    """Whether a restored backup cannot know if this was sent: its hour lies before the restore (promises F17)."""
    fact = await house.know(session, "restored")
    return fact is not None and broadcast.send_at <= datetime.fromisoformat(fact["at"])


async def set_respectful(session: Session, actor_id: int, on: bool, now: datetime) -> int:
    """Respectful mode: celebratory messages that wait are dropped, not sent late. Returns how many."""
    await house.remember(session, "respectful", {"on": on, "by": actor_id}, now)
    number = 0
    if on:
        celebrating = select(Broadcast.id).where(Broadcast.topic == CELEBRATION)
        changed = await session.execute(
            update(OutboxRow)
            .where(OutboxRow.broadcast_id.in_(celebrating), OutboxRow.state.in_((OutState.READY, OutState.HELD)))
            .values(state=OutState.CANCELLED, finished_at=now)
            .returning(OutboxRow.id)
        )
        number = len(changed.all())
        await session.execute(
            update(Broadcast)
            .where(Broadcast.topic == CELEBRATION, Broadcast.state.in_((*WAITING, BroadcastState.PLANNING)))
            .values(state=BroadcastState.CANCELLED, finished_at=now, version=Broadcast.version + 1)
        )
    audit.note(session, actor_id, "respectful_mode", "on" if on else "off", now, dropped=number)
    return number
