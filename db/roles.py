"""Roles given and taken: one-time invitations, confirmation by who invited, revocation with immediate effect."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import select, update

from db import audit, lapses, policy
from db.errors import Conflict, NotFound, Refused
from db.models import (
    Broadcast,
    BroadcastState,
    Grant,
    Invitation,
    Role,
    UnitPath,
)
from db.session import Session

VALID = timedelta(hours=72)
"""How long an invitation can be used (4-conversation §4.17)."""


def digest(token: str) -> str:
    """What is kept of a token: tokens are long and random, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


async def invite(
    session: Session, *, token: str, role: Role, unit_id: int, invited_by: int | None, now: datetime
) -> Invitation:
    """Makes an invitation. `invited_by` None is the command line: such a one needs no confirmation.

    Raises Refused when the inviter may not give this role there. A second system_admin confirms the third and later.
    """
    if invited_by is not None and not await policy.may_invite(session, invited_by, role, unit_id):
        raise Refused("common.refused")
    born_confirmed = invited_by is None and not await _needs_second(session, role, unit_id)
    invitation = Invitation(
        token_hash=digest(token),
        role=role,
        unit_id=unit_id,
        invited_by=invited_by,
        born_confirmed=born_confirmed,
        created_at=now,
        expires_at=now + VALID,
    )
    session.add(invitation)
    await session.flush()
    audit.note(
        session, invited_by or audit.SYSTEM, "invite", f"invitation {invitation.id}", now, unit_id, role=role.value
    )
    return invitation


async def _needs_second(session: Session, role: Role, unit_id: int) -> bool:
    """An administrator more is never one person's doing once there are two."""
    return role == Role.SYSTEM_ADMIN and len(await policy.anyone(session, unit_id, policy.Action.READ_ALARMS)) >= 2


async def open_invitation(session: Session, token: str, person_id: int, now: datetime) -> Invitation:
    """An invitation that this person may use now.

    Raises NotFound for one that never was, is used, has expired, or whose inviter may not give this role any more: they
    look the same. Raises Refused for one's own.
    """
    query = select(Invitation).where(
        Invitation.token_hash == digest(token), Invitation.used_at.is_(None), Invitation.expires_at > now
    )
    invitation = (await session.execute(query)).scalar()
    if invitation is None:
        raise NotFound("units.bad_invitation")
    inviter = invitation.invited_by
    if inviter == person_id:
        raise Refused("units.own_invitation")
    if inviter is not None and not await policy.may_invite(session, inviter, invitation.role, invitation.unit_id):
        raise NotFound("units.bad_invitation")
    return invitation


async def accept(session: Session, token: str, person_id: int, now: datetime) -> Grant:
    """Uses an invitation once. The grant counts at once only when the invitation was born confirmed.

    Raises what `open_invitation` raises. Somebody who holds the very same role keeps it and has no second one.
    """
    invitation = await open_invitation(session, token, person_id, now)
    used = await session.execute(
        update(Invitation)
        .where(Invitation.id == invitation.id, Invitation.used_at.is_(None))
        .values(used_at=now, used_by=person_id)
        .returning(Invitation.id)
    )
    if used.scalar() is None:
        raise NotFound("units.bad_invitation")
    grant = await _same(session, person_id, invitation)
    if grant is None:
        grant = Grant(person_id=person_id, role=invitation.role, unit_id=invitation.unit_id, granted_at=now)
        session.add(grant)
    if grant.confirmed_at is None:
        grant.granted_by = invitation.invited_by
        grant.confirmed_at = now if invitation.born_confirmed else None
    await session.flush()
    invitation.grant_id = grant.id
    audit.note(session, person_id, "accept_role", f"grant {grant.id}", now, grant.unit_id, role=grant.role.value)
    return grant


async def _same(session: Session, person_id: int, invitation: Invitation) -> Grant | None:
    """A standing grant of the same role at the same unit: a second one would outlive the revocation of the first."""
    query = select(Grant).where(
        Grant.person_id == person_id,
        Grant.role == invitation.role,
        Grant.unit_id == invitation.unit_id,
        Grant.revoked_at.is_(None),
    )
    return (await session.execute(query.limit(1))).scalar()


async def confirmers(session: Session, grant: Grant) -> list[int]:
    """Who is asked whether it is the right person: the inviter, or for one more administrator the others."""
    if grant.granted_by is not None and not await _needs_second(session, grant.role, grant.unit_id):
        return [grant.granted_by]
    admins = await policy.anyone(session, grant.unit_id, policy.Action.READ_ALARMS)
    return [person_id for person_id in admins if person_id not in (grant.person_id, grant.granted_by)]


async def confirm(session: Session, grant_id: int, actor_id: int, now: datetime) -> Grant:
    """The inviter, or another who may give the role there, says it is the right person.

    Raises NotFound where the actor may not, or nothing is: both look the same. Conflict when it is confirmed already.
    """
    grant = await get_below(session, grant_id, actor_id)
    if actor_id == grant.granted_by and await _needs_second(session, grant.role, grant.unit_id):
        raise Refused("units.second_admin")
    changed = await session.execute(
        update(Grant)
        .where(Grant.id == grant_id, Grant.confirmed_at.is_(None), Grant.revoked_at.is_(None))
        .values(confirmed_at=now)
        .returning(Grant.id)
    )
    if changed.scalar() is None:
        raise Conflict("common.already")
    await session.refresh(grant)
    audit.note(session, actor_id, "confirm_role", f"grant {grant_id}", now, grant.unit_id, role=grant.role.value)
    return grant


async def get_below(session: Session, grant_id: int, actor_id: int) -> Grant:
    """A standing grant of somebody else that the actor may give and take. Raises NotFound for every other."""
    grant = await session.get(Grant, grant_id)
    if (
        grant is None
        or grant.revoked_at is not None
        or grant.person_id == actor_id
        or not await policy.may_invite(session, actor_id, grant.role, grant.unit_id)
    ):
        raise NotFound("common.not_found")
    return grant


async def revoke(session: Session, grant_id: int, actor_id: int, now: datetime) -> Grant:
    """Takes a role away, effective at once; returns it.

    Claims go back to the queue, announcements that wait are held: the planner tells those who decide about them.
    Raises NotFound where the actor may not, or nothing is.
    """
    grant = await get_below(session, grant_id, actor_id)
    grant.revoked_at, grant.revoked_by = now, actor_id
    await session.flush()
    audit.note(session, actor_id, "revoke_role", f"grant {grant_id}", now, grant.unit_id, role=grant.role.value)
    await _return_work(session, grant.person_id, actor_id, now)
    return grant


async def leave(session: Session, person_id: int, now: datetime) -> list[Grant]:
    """A person gives up every role, confirmed or not; returns those that counted. Their work goes back as by `revoke`."""
    query = select(Grant).where(Grant.person_id == person_id, Grant.revoked_at.is_(None))
    held = list((await session.execute(query)).scalars())
    for grant in held:
        grant.revoked_at, grant.revoked_by = now, person_id
        audit.note(session, person_id, "leave_role", f"grant {grant.id}", now, grant.unit_id, role=grant.role.value)
    await session.flush()
    if held:
        await _return_work(session, person_id, person_id, now)
    return [grant for grant in held if grant.confirmed_at is not None]


async def _return_work(session: Session, person_id: int, actor_id: int, now: datetime) -> None:
    """What a person may no longer do goes back: submissions they hold, messages of theirs that wait for their hour.

    One that waits for a second person goes on doing so: held, it would be let go by its author alone once they may again.
    """
    await lapses.release(session, person_id, actor_id, now)
    waiting = await session.execute(
        select(Broadcast).where(Broadcast.author_id == person_id, Broadcast.state == BroadcastState.SCHEDULED)
    )
    for broadcast in waiting.scalars():
        if not await policy.may(session, person_id, policy.Action.BROADCAST, broadcast.unit_id):
            broadcast.state = BroadcastState.HELD
            broadcast.version += 1
            audit.note(session, actor_id, "hold_broadcast", f"broadcast {broadcast.code}", now, broadcast.unit_id)


async def list_below(session: Session, actor_id: int) -> list[Grant]:
    """The standing grants this person may take away, newest first."""
    held = await policy.roles(session, actor_id)
    result: dict[int, Grant] = {}
    for own, unit_id in held:
        query = (
            select(Grant)
            .join(UnitPath, UnitPath.descendant_id == Grant.unit_id)
            .where(
                UnitPath.ancestor_id == unit_id,
                Grant.role.in_(policy.INVITES.get(own, frozenset())),
                Grant.revoked_at.is_(None),
                Grant.person_id != actor_id,
            )
        )
        for grant in (await session.execute(query)).scalars():
            result[grant.id] = grant
    return sorted(result.values(), key=lambda grant: -grant.id)
