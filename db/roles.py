"""Roles given and taken: one-time invitations, confirmation by who invited, revocation with immediate effect."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from db import audit, policy
from db.errors import Conflict, NotFound, Refused
from db.models import (
    Broadcast,
    BroadcastState,
    Grant,
    Invitation,
    Role,
    Status,
    Submission,
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
    born_confirmed = invited_by is None
    if role == Role.SYSTEM_ADMIN and await _admins(session) >= 2:
        born_confirmed = False
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


async def _admins(session: Session) -> int:
    query = select(func.count(Grant.person_id.distinct())).where(
        Grant.role == Role.SYSTEM_ADMIN, Grant.revoked_at.is_(None), Grant.confirmed_at.is_not(None)
    )
    return (await session.execute(query)).scalar_one()


async def accept(session: Session, token: str, person_id: int, now: datetime) -> tuple[Grant, Invitation]:
    """Uses an invitation once. The grant counts at once only when the invitation was born confirmed.

    Raises NotFound for one that never was, is used or has expired: they look the same.
    """
    found = await session.execute(
        update(Invitation)
        .where(Invitation.token_hash == digest(token), Invitation.used_at.is_(None), Invitation.expires_at > now)
        .values(used_at=now, used_by=person_id)
        .returning(Invitation.id)
    )
    invitation_id = found.scalar()
    if invitation_id is None:
        raise NotFound("units.bad_invitation")
    invitation = await session.get_one(Invitation, invitation_id, populate_existing=True)
    grant = Grant(
        person_id=person_id,
        role=invitation.role,
        unit_id=invitation.unit_id,
        granted_by=invitation.invited_by,
        granted_at=now,
        confirmed_at=now if invitation.born_confirmed else None,
    )
    session.add(grant)
    await session.flush()
    invitation.grant_id = grant.id
    audit.note(session, person_id, "accept_role", f"grant {grant.id}", now, grant.unit_id, role=grant.role.value)
    return grant, invitation


async def confirm(session: Session, grant_id: int, actor_id: int, now: datetime) -> Grant:
    """The inviter, or another who may give the role there, says it is the right person."""
    grant = await session.get(Grant, grant_id)
    if grant is None or grant.revoked_at is not None:
        raise NotFound("common.not_found")
    if grant.person_id == actor_id or not await policy.may_invite(session, actor_id, grant.role, grant.unit_id):
        raise Refused("common.refused")
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


async def revoke(session: Session, grant_id: int, actor_id: int, now: datetime) -> Grant:
    """Takes a role away: effective at once, claims go back to the queue, waiting messages are held for review."""
    grant = await session.get(Grant, grant_id)
    if grant is None:
        raise NotFound("common.not_found")
    if not await policy.may_invite(session, actor_id, grant.role, grant.unit_id):
        raise Refused("common.refused")
    changed = await session.execute(
        update(Grant)
        .where(Grant.id == grant_id, Grant.revoked_at.is_(None))
        .values(revoked_at=now, revoked_by=actor_id)
        .returning(Grant.id)
    )
    if changed.scalar() is None:
        raise Conflict("common.already")
    await session.refresh(grant)
    audit.note(session, actor_id, "revoke_role", f"grant {grant_id}", now, grant.unit_id, role=grant.role.value)
    await _return_work(session, grant.person_id)
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
        await _return_work(session, person_id)
    return [grant for grant in held if grant.confirmed_at is not None]


async def _return_work(session: Session, person_id: int) -> None:
    """What a person may no longer do goes back: submissions they hold, messages of theirs that wait."""
    held = await session.execute(
        select(Submission).where(
            Submission.holder_id == person_id, Submission.status.in_((Status.CLAIMED, Status.NEED_INFO))
        )
    )
    for submission in held.scalars():
        if not await policy.may(session, person_id, policy.Action.DECIDE_SUBMISSIONS, submission.queue_unit_id):
            if submission.status == Status.CLAIMED:  # one that was asked about waits for its author first
                submission.status = Status.SENT
            submission.holder_id, submission.lapses_at = None, None
            submission.version += 1
    waiting = await session.execute(
        select(Broadcast).where(
            Broadcast.author_id == person_id, Broadcast.state.in_((BroadcastState.WAITING, BroadcastState.SCHEDULED))
        )
    )
    for broadcast in waiting.scalars():
        if not await policy.may(session, person_id, policy.Action.BROADCAST, broadcast.unit_id):
            broadcast.state = BroadcastState.HELD
            broadcast.version += 1


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
