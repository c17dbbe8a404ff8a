"""Who may do what to whom: one table over roles and the unit tree, one check at the moment of acting."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from sqlalchemy import bindparam, select

from db.errors import Refused
from db.models import Grant, Role, UnitPath
from db.prepared import Prepared
from db.session import Session


class Action(StrEnum):
    """What a person may do beside their own things, as far as it exists."""

    READ_SUBMISSIONS = "read_submissions"
    DECIDE_SUBMISSIONS = "decide_submissions"
    BROADCAST = "broadcast"
    APPROVE_BROADCAST = "approve_broadcast"
    WRITE_ACTIVITY = "write_activity"
    EMERGENCY_STOP = "emergency_stop"
    DECIDE_AUTOMATIC = "decide_automatic"
    CONFIRM_MEMBERS = "confirm_members"
    IMPORT_UNITS = "import_units"
    UNIT_QR = "unit_qr"
    ANSWER_REPORTS = "answer_reports"
    RUN_CONTESTS = "run_contests"
    APPROVE_CONTESTS = "approve_contests"
    REVIEW_LAW = "review_law"
    READ_ALARMS = "read_alarms"


R = Role

# Every role is scoped to its unit and what is below it, so "team", "unit", "subtree" and "scope" of decisions 16 are one
# rule: a team has nothing below it, a grassroots union only its teams.
ALLOWED: dict[Action, frozenset[Role]] = {
    Action.READ_SUBMISSIONS: frozenset({R.TEAM_LEADER, R.GRASSROOTS_CHAIR, R.UPPER_OFFICER, R.REVIEWER, R.LEADER}),
    Action.DECIDE_SUBMISSIONS: frozenset({R.GRASSROOTS_CHAIR, R.UPPER_OFFICER, R.REVIEWER}),
    Action.BROADCAST: frozenset({R.TEAM_LEADER, R.GRASSROOTS_CHAIR, R.UPPER_OFFICER, R.CONTENT_OFFICER}),
    Action.APPROVE_BROADCAST: frozenset({R.UPPER_OFFICER, R.LEADER}),
    Action.WRITE_ACTIVITY: frozenset({R.GRASSROOTS_CHAIR, R.UPPER_OFFICER}),
    Action.DECIDE_AUTOMATIC: frozenset({R.CONTENT_OFFICER, R.LEADER}),
    Action.EMERGENCY_STOP: frozenset({R.LEADER, R.SYSTEM_ADMIN}),
    Action.CONFIRM_MEMBERS: frozenset({R.TEAM_LEADER, R.GRASSROOTS_CHAIR, R.UPPER_OFFICER}),
    Action.IMPORT_UNITS: frozenset({R.UPPER_OFFICER, R.LEADER, R.SYSTEM_ADMIN}),
    Action.UNIT_QR: frozenset({R.TEAM_LEADER, R.GRASSROOTS_CHAIR, R.UPPER_OFFICER, R.LEADER, R.SYSTEM_ADMIN}),
    Action.ANSWER_REPORTS: frozenset({R.CONTENT_OFFICER}),
    Action.REVIEW_LAW: frozenset({R.CONTENT_OFFICER, R.LEADER}),
    Action.RUN_CONTESTS: frozenset({R.CONTENT_OFFICER}),
    Action.APPROVE_CONTESTS: frozenset({R.LEADER}),
    Action.READ_ALARMS: frozenset({R.SYSTEM_ADMIN}),
}

INVITES: dict[Role, frozenset[Role]] = {
    R.GRASSROOTS_CHAIR: frozenset({R.TEAM_LEADER}),
    R.UPPER_OFFICER: frozenset({R.TEAM_LEADER, R.GRASSROOTS_CHAIR}),
    R.LEADER: frozenset({R.TEAM_LEADER, R.GRASSROOTS_CHAIR, R.UPPER_OFFICER, R.CONTENT_OFFICER, R.REVIEWER}),
    R.SYSTEM_ADMIN: frozenset(set(Role) - {R.WORKER}),
}
"""Which roles each role may give and take away, within its own part of the tree."""


_HELD = Prepared(
    select(Grant.__table__.c.role, Grant.__table__.c.unit_id)
    .where(Grant.person_id == bindparam("person"), Grant.revoked_at.is_(None), Grant.confirmed_at.is_not(None))
    .order_by(Grant.id)
)


async def roles(session: Session, person_id: int) -> list[tuple[Role, int]]:
    """The roles a person holds now, each with its unit; unconfirmed and revoked ones do not count."""
    return [(role, unit) for role, unit in await session.rows(_HELD, person=person_id)]


async def anybody(session: Session) -> bool:
    """Whether any role is held at all; before that only the command line lets people in."""
    query = select(Grant.id).where(Grant.revoked_at.is_(None), Grant.confirmed_at.is_not(None)).limit(1)
    return (await session.execute(query)).first() is not None


async def scopes(session: Session, person_id: int, action: Action) -> list[int]:
    """The units at whose tops a person may do this, each once; empty means nowhere."""
    return list(dict.fromkeys(unit for role, unit in await roles(session, person_id) if role in ALLOWED[action]))


async def may(session: Session, person_id: int, action: Action, unit_id: int | None) -> bool:
    """Whether a person may do this to something of that unit, on the tree as it stands now."""
    if unit_id is None:
        return False
    held = await scopes(session, person_id, action)
    return bool(held) and await _covers(session, held, unit_id)


async def check(session: Session, person_id: int, action: Action, unit_id: int | None) -> None:
    """Raises Refused unless the person may. Called where the thing is done, in its transaction."""
    if not await may(session, person_id, action, unit_id):
        raise Refused("common.refused")


async def anyone(session: Session, unit_id: int, action: Action) -> list[int]:
    """The people who may do this to something of that unit, each once."""
    found = await session.execute(
        select(Grant.person_id)
        .join(UnitPath, UnitPath.ancestor_id == Grant.unit_id)
        .where(
            UnitPath.descendant_id == unit_id,
            Grant.role.in_(ALLOWED[action]),
            Grant.revoked_at.is_(None),
            Grant.confirmed_at.is_not(None),
        )
        .distinct()
    )
    return sorted(found.scalars())


async def holders(session: Session, action: Action) -> list[int]:
    """The people who may do this anywhere, each once: for what concerns the whole house."""
    found = await session.execute(
        select(Grant.person_id)
        .where(Grant.role.in_(ALLOWED[action]), Grant.revoked_at.is_(None), Grant.confirmed_at.is_not(None))
        .distinct()
    )
    return sorted(found.scalars())


async def invite_scopes(session: Session, person_id: int, role: Role) -> list[int]:
    """The units at whose tops a person may give or take away this role; empty means nowhere."""
    return [unit for own, unit in await roles(session, person_id) if role in INVITES.get(own, frozenset())]


async def may_invite(session: Session, person_id: int, role: Role, unit_id: int) -> bool:
    """Whether a person may give or take away this role at that unit."""
    held = await invite_scopes(session, person_id, role)
    return bool(held) and await _covers(session, held, unit_id)


async def nearest_inviters(session: Session, role: Role, unit_id: int) -> list[int]:
    """The people who may give this role at that unit, of the nearest unit up the tree that has some."""
    return await nearest_holders(session, [own for own, given in INVITES.items() if role in given], unit_id)


async def nearest(session: Session, unit_id: int, action: Action, *, but: int | None = None) -> list[int]:
    """The people who may do this to something of that unit, of the nearest unit up the tree that has some, `but` one."""
    return await nearest_holders(session, ALLOWED[action], unit_id, but=but)


async def nearest_holders(
    session: Session, wanted: Collection[Role], unit_id: int, *, but: int | None = None
) -> list[int]:
    """The people who hold one of some roles, of the nearest unit up the tree that has some, `but` one whom it concerns."""
    found = await session.execute(
        select(UnitPath.depth, Grant.person_id)
        .join(Grant, Grant.unit_id == UnitPath.ancestor_id)
        .where(
            UnitPath.descendant_id == unit_id,
            Grant.role.in_(wanted),
            Grant.revoked_at.is_(None),
            Grant.confirmed_at.is_not(None),
        )
        .distinct()
        .order_by(UnitPath.depth, Grant.person_id)
    )
    near = [(depth, person_id) for depth, person_id in found if person_id != but]
    return [person_id for depth, person_id in near if depth == near[0][0]]


async def _covers(session: Session, tops: list[int], unit_id: int) -> bool:
    found = await session.execute(
        select(UnitPath.depth).where(UnitPath.ancestor_id.in_(tops), UnitPath.descendant_id == unit_id).limit(1)
    )
    return found.first() is not None
