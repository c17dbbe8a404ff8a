"""Who reviews a submission: the unit it goes to, who hears of it there, who may not decide."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select

from db import policy, units
from db.models import (
    Account,
    CoAuthor,
    Grant,
    Reach,
    Role,
    Submission,
)
from db.session import Session


async def involved(session: Session, submission: Submission) -> set[int]:
    """The people who may not decide on it: the author, and co-authors who use the bot and did not deny it.

    One who denied counts as a stranger again: naming a reviewer must not be a way to be rid of them.
    """
    query = select(CoAuthor.person_id).where(
        CoAuthor.submission_id == submission.id,
        CoAuthor.person_id.is_not(None),
        func.coalesce(CoAuthor.confirmed, True),
    )
    return {submission.author_id} | {
        person for person in (await session.execute(query)).scalars() if person is not None
    }


async def receivers(session: Session, unit_id: int, without: set[int]) -> list[int]:
    """Who hears that something came in: those who may decide by a role at this very unit, and can be reached.

    Everyone above may decide too, but a province would drown in the notices of its workplaces. Somebody who stopped the
    bot or erased their data reviews nothing any more.
    """
    return await bearers(session, unit_id, policy.ALLOWED[policy.Action.DECIDE_SUBMISSIONS], without)


async def bearers(session: Session, unit_id: int, roles: Collection[Role], without: set[int]) -> list[int]:
    """Who holds one of these roles at this very unit and can be reached."""
    query = (
        select(Grant.person_id)
        .join(Account, Account.person_id == Grant.person_id)
        .where(
            Grant.unit_id == unit_id,
            Grant.role.in_(roles),
            Grant.revoked_at.is_(None),
            Grant.confirmed_at.is_not(None),
            Account.reach == Reach.OK,
        )
        .distinct()
    )
    return sorted(person for person in (await session.execute(query)).scalars() if person not in without)


async def route(session: Session, unit_id: int | None, without: set[int]) -> int | None:
    """The unit that reviews: the author's own, or the next one up with somebody to do it; the top if nobody has."""
    top = await units.top(session)
    if unit_id is None:
        return top.id if top else None
    chain = await units.ancestors(session, unit_id)
    for each in chain:
        if await receivers(session, each, without):
            return each
    return chain[-1] if chain else None
