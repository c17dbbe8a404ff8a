"""How officers steer rounds: whole contests from a plan, the leader's approval, more time, a pause, and who must hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select, union

from db import audit, policy
from db.contests.rounds import APPROVE, RUN, Settings, _may, _step, create_contest, create_round, get_contest
from db.errors import Conflict, Refused
from db.models import (
    AuditRow,
    Contest,
    Entry,
    Level,
    Person,
    Reminder,
    ReminderKind,
    Round,
    RoundState,
    Unit,
    UnitPath,
)
from db.session import Session


async def create_plan(
    session: Session,
    unit_id: int,
    name: str,
    rounds: Sequence[Settings],
    actor_id: int,
    now: datetime,
    *,
    legal_basis: str = "",
    organiser: str = "",
    one_prize: bool = True,
) -> tuple[Contest, list[Round]]:
    """A contest with its rounds as drafts; returns it and the rounds that are new.

    The same plan a second time adds nothing: a contest is known by its name, a round by when it opens. Raises Refused.
    """
    await _may(session, actor_id, RUN, unit_id)
    known = select(Contest).where(Contest.unit_id == unit_id, Contest.name == name).order_by(Contest.id).limit(1)
    contest = (await session.execute(known)).scalar()
    if contest is None:
        contest = await create_contest(
            session, unit_id, name, actor_id, now, legal_basis=legal_basis, organiser=organiser, one_prize=one_prize
        )
    there = select(Round.opens_at).where(Round.contest_id == contest.id, Round.state != RoundState.CANCELLED)
    opens = set((await session.execute(there)).scalars())
    new = [
        await create_round(session, contest, settings, actor_id, now)
        for settings in rounds
        if settings.opens_at not in opens
    ]
    return contest, new


async def ask(session: Session, round_: Round, version: int, actor_id: int, now: datetime) -> list[int]:
    """Lays a draft before those who approve; returns them, without who made it. Raises Refused, Conflict.

    Nothing is asked where there is nobody to ask.
    """
    contest = await get_contest(session, round_.contest_id)
    await _may(session, actor_id, RUN, contest.unit_id)
    leaders = [each for each in await policy.anyone(session, contest.unit_id, APPROVE) if each != round_.created_by]
    if leaders:
        await _step(session, round_, version, RoundState.DRAFT, {"asked_at": now})
        audit.note(session, actor_id, "ask_round", f"round {round_.id}", now, contest.unit_id)
    return leaders


async def send_back(session: Session, round_: Round, version: int, reason: str, actor_id: int, now: datetime) -> None:
    """Gives a draft back to who laid it before us, with a reason. Raises Refused, Conflict."""
    contest = await get_contest(session, round_.contest_id)
    await _may(session, actor_id, APPROVE, contest.unit_id)
    if round_.asked_at is None:
        raise Conflict("common.already")
    await _step(session, round_, version, RoundState.DRAFT, {"asked_at": None, "reason": reason})
    audit.note(session, actor_id, "return_round", f"round {round_.id}", now, contest.unit_id)


async def put_off(
    session: Session, round_: Round, version: int, closes_at: datetime, reason: str, actor_id: int, now: datetime
) -> None:
    """Lets a round close later, and its result come as much later. Raises Refused, Conflict."""
    contest = await get_contest(session, round_.contest_id)
    await _may(session, actor_id, RUN, contest.unit_id)
    if round_.state not in (RoundState.READY, RoundState.PAUSED) or not round_.closes_at > now:
        raise Conflict("common.already")
    if closes_at <= round_.closes_at:
        raise Conflict("contest_desk.not_later")
    later = closes_at - round_.closes_at
    values: dict[str, object] = {"closes_at": closes_at, "result_at": round_.result_at + later}
    if round_.state == RoundState.READY:  # of a paused one people are told why it stands still
        values["reason"] = reason
    await _step(session, round_, version, round_.state, values)
    audit.note(
        session,
        actor_id,
        "put_off_round",
        f"round {round_.id}",
        now,
        contest.unit_id,
        seconds=int(later.total_seconds()),
    )


async def pause(session: Session, round_: Round, version: int, reason: str, actor_id: int, now: datetime) -> None:
    """No paper of a round is begun any more until it is resumed. Raises Refused, Conflict."""
    contest = await get_contest(session, round_.contest_id)
    await _may(session, actor_id, RUN, contest.unit_id)
    if not round_.closes_at > now:
        raise Conflict("common.already")
    values = {"state": RoundState.PAUSED, "paused_at": now, "reason": reason}
    await _step(session, round_, version, RoundState.READY, values)
    audit.note(session, actor_id, "pause_round", f"round {round_.id}", now, contest.unit_id)


async def resume(session: Session, round_: Round, version: int, actor_id: int, now: datetime) -> None:
    """Goes on with a paused round; it closes as many minutes later as it stood still while open. Raises Refused, Conflict."""
    contest = await get_contest(session, round_.contest_id)
    await _may(session, actor_id, RUN, contest.unit_id)
    await go_on(session, round_, version, actor_id, now)


async def go_on(session: Session, round_: Round, version: int, actor_id: int, now: datetime) -> None:
    """The same, whoever it is. Raises Conflict."""
    paused, opens, closes = round_.paused_at or now, round_.opens_at, round_.closes_at
    lost = now - max(paused, opens)
    lost += -lost % timedelta(minutes=1)
    values: dict[str, object] = {"state": RoundState.READY, "paused_at": None}
    if now > opens:
        values |= {"closes_at": closes + lost, "result_at": round_.result_at + lost}
    await _step(session, round_, version, RoundState.PAUSED, values)
    contest = await get_contest(session, round_.contest_id)
    audit.note(session, actor_id, "resume_round", f"round {round_.id}", now, contest.unit_id)


class Move(NamedTuple):
    """What somebody did to a round or its contest; `who` is "" for the command line."""

    action: str
    who: str
    at: datetime


async def last_move(session: Session, round_: Round) -> Move | None:
    """The last thing that anybody did to a round or to its contest."""
    query = (
        select(AuditRow.action, Person.name, AuditRow.at)
        .outerjoin(Person, Person.id == AuditRow.actor_id)
        .where(AuditRow.object.in_((f"round {round_.id}", f"contest {round_.contest_id}")))
        .order_by(AuditRow.id.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    return None if row is None else Move(row[0], row[1] or "", row[2])


async def list_mine(session: Session, person_id: int) -> list[Contest]:
    """The contests that a person may run or approve, the newest first."""
    tops = {top for action in (RUN, APPROVE) for top in await policy.scopes(session, person_id, action)}
    below = select(UnitPath.descendant_id).where(UnitPath.ancestor_id.in_(tops))
    query = select(Contest).where(Contest.unit_id.in_(below)).order_by(Contest.id.desc())
    return list((await session.execute(query)).scalars())


async def check_sight(session: Session, round_: Round, person_id: int) -> Contest:
    """The contest of a round that a person may run or approve. Raises Refused."""
    contest = await get_contest(session, round_.contest_id)
    for action in (RUN, APPROVE):
        if await policy.may(session, person_id, action, contest.unit_id):
            return contest
    raise Refused("common.refused")


async def list_to_approve(session: Session, person_id: int) -> list[Round]:
    """The rounds that wait for this person's approval, the one that opens first at the top."""
    tops = await policy.scopes(session, person_id, APPROVE)
    below = select(UnitPath.descendant_id).where(UnitPath.ancestor_id.in_(tops))
    query = (
        select(Round)
        .join(Contest, Contest.id == Round.contest_id)
        .where(Round.state == RoundState.DRAFT, Round.asked_at.is_not(None), Contest.unit_id.in_(below))
        .order_by(Round.opens_at, Round.id)
    )
    return [each for each in (await session.execute(query)).scalars() if each.created_by != person_id]


async def list_taking_part(session: Session, round_id: int, after: int, limit: int) -> list[int]:
    """Those who began a paper of a round or asked to be reminded of it, by id, from the one behind `after` on."""
    began = select(Entry.person_id.label("person")).where(Entry.round_id == round_id, Entry.person_id > after)
    asked = select(Reminder.person_id).where(
        Reminder.round_id == round_id, Reminder.person_id > after, Reminder.kind != ReminderKind.NEXT
    )
    found = union(began, asked).subquery()
    return list((await session.execute(select(found.c.person).order_by(found.c.person).limit(limit))).scalars())


async def list_of_level(session: Session, top: int, level: Level) -> list[Unit]:
    """The units of a level at or below one."""
    below = select(UnitPath.descendant_id).where(UnitPath.ancestor_id == top)
    query = select(Unit).where(Unit.id.in_(below), Unit.level == level).order_by(Unit.id)
    return list((await session.execute(query)).scalars())
