"""How a message to many begins: confirmed by its author, its audience frozen, looked at by a second person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from db import audiences, audit, house, policy
from db.audiences import Rule
from db.errors import Conflict, NotFound, Refused
from db.models import Attachment, Body, Broadcast, BroadcastState, FileState, Role
from db.policy import Action
from db.session import Session

WAITING = (BroadcastState.WAITING, BroadcastState.SCHEDULED)
"""Confirmed, and nothing of it has been planned yet."""


async def create(
    session: Session,
    *,
    author_id: int,
    kind: str,
    topic: str,
    unit_id: int,
    audience: Rule,
    number: int,
    text: str,
    media: Sequence[Any],
    timing: str,
    send_at: datetime,
    second: bool,
    year: int,
    now: datetime,
    corrects_id: int | None = None,
    reason: str = "",
    answers: dict[str, Any] | None = None,
    since: datetime | None = None,
) -> Broadcast:
    """Takes a confirmed message in: WAITING for a second person, or SCHEDULED, for the people it is for now.

    `number` is to how many its author said yes; `since` is the beginning of the local day, for who may send once a day
    only. Raises Refused.
    """
    await policy.check(session, author_id, Action.BROADCAST, unit_id)
    if await only_leads_team(session, author_id):
        if media or kind not in ("notice", "correction"):
            raise Refused("announcing.body_text_only")
        if kind == "notice" and since is not None and await sent_today(session, author_id, since):
            raise Refused("announcing.team_once")
    broadcast = Broadcast(
        code=await house.next_code(session, "TB", year), kind=kind, topic=topic, version=1, author_id=author_id,
        state=BroadcastState.WAITING if second else BroadcastState.SCHEDULED, unit_id=unit_id,
        audience=audience.to_json() | {"count": number},
        text=text, media=list(media), timing=timing, send_at=send_at, corrects_id=corrects_id, created_at=now, note="",
        reason=reason, answers=answers or {},
    )  # fmt: skip
    session.add(broadcast)
    await session.flush()
    await audiences.freeze(session, broadcast)
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
    media: Sequence[Any] = (),
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
        state=BroadcastState.SCHEDULED, unit_id=unit_id, audience=audience, text=text, media=list(media), timing=timing,
        send_at=send_at, created_at=now, note="", reason="", answers={},
    )  # fmt: skip
    session.add(broadcast)
    await session.flush()
    await audiences.freeze(session, broadcast)
    audit.note(session, audit.SYSTEM, "broadcast", f"broadcast {broadcast.code}", now, unit_id, key=key)
    return broadcast


async def find(session: Session, code: str) -> Broadcast:
    """The broadcast of a code. Raises NotFound."""
    broadcast = (await session.execute(select(Broadcast).where(Broadcast.code == code.strip().upper()))).scalar()
    if broadcast is None:
        raise NotFound("announcing.not_found")
    return broadcast


async def get_for(session: Session, actor_id: int, code: str, *actions: Action) -> Broadcast:
    """A broadcast within the actor's reach for one of some actions. Raises NotFound: missing and out of reach look the same."""
    broadcast = await find(session, code)
    for action in actions:
        if await policy.may(session, actor_id, action, broadcast.unit_id):
            return broadcast
    raise NotFound("announcing.not_found")


async def move(
    session: Session, broadcast: Broadcast, version: int, allowed: Sequence[BroadcastState], **values: Any
) -> None:
    """Changes the state if it still is what the actor saw. Raises Conflict."""
    await _change(session, broadcast, version, allowed, {"version": version + 1} | values)


async def go_on(session: Session, broadcast: Broadcast, before: BroadcastState, after: BroadcastState) -> None:
    """The clock's next step: nobody decided anything, so the buttons that are out stay good. Raises Conflict."""
    await _change(session, broadcast, broadcast.version, (before,), {"state": after})


async def _change(
    session: Session, broadcast: Broadcast, version: int, allowed: Sequence[BroadcastState], values: dict[str, Any]
) -> None:
    changed = await session.execute(
        update(Broadcast)
        .where(Broadcast.id == broadcast.id, Broadcast.version == version, Broadcast.state.in_(allowed))
        .values(**values)
        .returning(Broadcast.id)
    )
    if changed.scalar() is None:
        raise Conflict("announcing.moved_on")
    await session.refresh(broadcast)


async def body(session: Session, payload: dict[str, Any], now: datetime) -> int:
    """Stores what is said to many once."""
    row = Body(payload=payload, created_at=now)
    session.add(row)
    await session.flush()
    return row.id


# ---------------------------------------------------------------------------------------------------- second person


async def approve(session: Session, broadcast: Broadcast, actor_id: int, version: int, now: datetime) -> None:
    """A second person lets it go. Raises Refused for its own author, Conflict when it moved on.

    Where a restored backup cannot know whether somebody did so before, or took it back, its author is asked first.
    """
    await check_second(session, broadcast, actor_id)
    lost = await house.is_doubtful(session, broadcast.created_at)
    state = BroadcastState.HELD if lost else BroadcastState.SCHEDULED
    values = {"state": state, "approver_id": actor_id, "approved_at": now}
    await move(session, broadcast, version, (BroadcastState.WAITING,), **values)
    audit.note(session, actor_id, "approve_broadcast", f"broadcast {broadcast.code}", now, broadcast.unit_id)


async def send_back(
    session: Session, broadcast: Broadcast, actor_id: int, version: int, note: str, now: datetime
) -> None:
    """A second person sends it back with a word, or refuses it without one."""
    await check_second(session, broadcast, actor_id)
    values = {"state": BroadcastState.RETURNED, "note": note, "finished_at": now}
    await move(session, broadcast, version, (BroadcastState.WAITING,), **values)
    action = "return_broadcast" if note else "refuse_broadcast"
    audit.note(session, actor_id, action, f"broadcast {broadcast.code}", now, broadcast.unit_id)


async def check_second(session: Session, broadcast: Broadcast, actor_id: int) -> None:
    """Who may be the second person: never its author. Raises Refused."""
    await policy.check(session, actor_id, Action.APPROVE_BROADCAST, broadcast.unit_id)
    if broadcast.author_id == actor_id:
        raise Refused("announcing.own")


async def approvers(session: Session, broadcast: Broadcast) -> list[int]:
    """Who may be the second person."""
    found = await policy.anyone(session, broadcast.unit_id, Action.APPROVE_BROADCAST)
    return [person_id for person_id in found if person_id != broadcast.author_id]


async def had_second(session: Session, broadcast_id: int) -> bool:
    """Whether a second person let a broadcast go."""
    return (await session.get_one(Broadcast, broadcast_id)).approver_id is not None


async def list_to_approve(session: Session, actor_id: int) -> list[Broadcast]:
    """What waits for this person's second look, oldest first."""
    query = select(Broadcast).where(Broadcast.state == BroadcastState.WAITING).order_by(Broadcast.id)
    return [
        broadcast
        for broadcast in (await session.execute(query)).scalars()
        if broadcast.author_id != actor_id
        and await policy.may(session, actor_id, Action.APPROVE_BROADCAST, broadcast.unit_id)
    ]


# ---------------------------------------------------------------------------------------------------- who may


async def sent_today(session: Session, author_id: int, since: datetime) -> int:
    """How many an officer has confirmed since a moment; corrections and what was sent back do not count."""
    query = (
        select(func.count())
        .select_from(Broadcast)
        .where(
            Broadcast.author_id == author_id,
            Broadcast.created_at >= since,
            Broadcast.state != BroadcastState.RETURNED,
            Broadcast.kind != "correction",
        )
    )
    return (await session.execute(query)).scalar_one()


async def only_leads_team(session: Session, person_id: int) -> bool:
    """Whether somebody may broadcast only as a team leader (own team, text, once a day)."""
    return await _roles(session, person_id) == {Role.TEAM_LEADER}


async def only_writes_content(session: Session, person_id: int) -> bool:
    """Whether somebody may broadcast only as a content officer (always with a second person)."""
    return await _roles(session, person_id) == {Role.CONTENT_OFFICER}


async def is_unit_only(session: Session, person_id: int) -> bool:
    """Whether the right comes from a unit or its teams, not from above: then only confirmed members count."""
    return await _roles(session, person_id) <= {Role.TEAM_LEADER, Role.GRASSROOTS_CHAIR}


async def _roles(session: Session, person_id: int) -> set[Role]:
    return {role for role, _ in await policy.roles(session, person_id) if role in policy.ALLOWED[Action.BROADCAST]}


# ---------------------------------------------------------------------------------------------------- files


async def attach(session: Session, draft_id: int, broadcast_id: int) -> None:
    """The files of the composing draft become the broadcast's."""
    await session.execute(
        update(Attachment).where(Attachment.draft_id == draft_id).values(broadcast_id=broadcast_id, draft_id=None)
    )


async def detach(session: Session, broadcast_id: int, draft_id: int) -> None:
    """A returned message's clean files go back to the draft that takes it up again."""
    await session.execute(
        update(Attachment)
        .where(Attachment.broadcast_id == broadcast_id, Attachment.state == FileState.CLEAN)
        .values(broadcast_id=None, draft_id=draft_id)
    )


def rule_of(broadcast: Broadcast) -> Rule:
    """The audience's rule."""
    return audiences.from_json(broadcast.audience)
