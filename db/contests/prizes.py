"""Prizes: whose they are, the union's word for its member, the phone, and the way to the winner's hands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, update

from db import audit, policy
from db.contests.objections import list_complaints, may_complain_until
from db.contests.rounds import APPROVE, RUN, get_contest, get_round
from db.errors import Conflict, NotFound, Refused
from db.models import (
    Contest,
    Person,
    Prize,
    PrizeState,
    QuestionReview,
    Result,
    Round,
    RoundQuestion,
    RoundState,
    Unit,
    UnitPath,
)
from db.policy import Action
from db.session import Session

VERIFY = Action.CONFIRM_MEMBERS
OPEN_PRIZES = (PrizeState.WAITING, PrizeState.VERIFIED)
"""A prize on its way that has not left the office."""


async def list_to_award(session: Session, now: datetime) -> list[Round]:
    """Published rounds whose complaints are over and answered, and whose prizes nobody has yet been given."""
    query = select(Round).where(
        Round.state == RoundState.PUBLISHED,
        Round.recount.is_(False),
        Round.pilot.is_(False),
        Round.awarded_at.is_(None),
    )
    found = []
    for round_ in (await session.execute(query.order_by(Round.id))).scalars():
        over = await may_complain_until(session, round_) <= now
        if over and not await list_complaints(session, round_.id):
            found.append(round_)
    return found


async def list_out(session: Session, round_: Round) -> set[int]:
    """Who cannot win in a round: organisers, reviewers of its questions, who has a prize of it, or of its contest, already,
    and who is not there any more."""
    contest = await get_contest(session, round_.contest_id)
    out: set[int] = {each for each in (contest.created_by, round_.created_by, round_.approved_by) if each}
    for action in (RUN, APPROVE, Action.REVIEW_LAW):
        out |= set(await policy.anyone(session, contest.unit_id, action))
    asked = select(RoundQuestion.question).where(RoundQuestion.round_id == round_.id)
    out |= set(
        (await session.execute(select(QuestionReview.actor_id).where(QuestionReview.question.in_(asked)))).scalars()
    )
    sat = select(Result.person_id).where(Result.round_id == round_.id)
    gone = select(Person.id).where(Person.id.in_(sat), Person.processing.is_(False))
    out |= set((await session.execute(gone)).scalars())
    rounds = select(Round.id).where(Round.contest_id == contest.id if contest.one_prize else Round.id == round_.id)
    won = select(Prize.person_id).where(Prize.round_id.in_(rounds))
    return out | set((await session.execute(won)).scalars())


async def list_in_order(session: Session, round_id: int) -> list[int]:
    """The people of a round, the best first; those taken out of it are not there."""
    query = select(Result.person_id).where(Result.round_id == round_id, Result.rank.is_not(None))
    return list((await session.execute(query.order_by(Result.rank, Result.person_id))).scalars())


async def award(
    session: Session, round_: Round, given: Sequence[tuple[int, Mapping[str, Any]]], now: datetime
) -> list[Prize]:
    """Writes down whose the prizes are, once for a round."""
    if round_.awarded_at is not None:
        raise Conflict("common.already")
    round_.awarded_at = now
    found = [new_prize(round_, person_id, prize, now) for person_id, prize in given]
    session.add_all(found)
    await session.flush()
    contest = await get_contest(session, round_.contest_id)
    audit.note(session, audit.SYSTEM, "award_prizes", f"round {round_.id}", now, contest.unit_id, prizes=len(found))
    return found


def new_prize(round_: Round, person_id: int, prize: Mapping[str, Any], now: datetime) -> Prize:
    """A prize of somebody, not yet written down."""
    return Prize(
        round_id=round_.id, person_id=person_id, prize=str(prize["key"]), name=str(prize["name"]),
        worth=str(prize.get("worth", "")), asked_at=now, updated_at=now,
    )  # fmt: skip


async def get_prize(session: Session, prize_id: int) -> Prize:
    """The prize of an id. Raises NotFound."""
    row = await session.get(Prize, prize_id)
    if row is None:
        raise NotFound("common.not_found")
    return row


async def list_prizes(session: Session, round_id: int) -> list[tuple[Prize, Person, str]]:
    """A round's prizes with who has them and the name of their unit, in the order in which they were given."""
    query = (
        select(Prize, Person, Unit.name)
        .join(Person, Person.id == Prize.person_id)
        .outerjoin(Unit, Unit.id == Person.unit_id)
        .where(Prize.round_id == round_id)
        .order_by(Prize.id)
    )
    return [(prize, person, unit or "") for prize, person, unit in await session.execute(query)]


Waiting = list[tuple[Prize, Person, str, Round]]
"""Prizes that wait, with who won them, the name of their unit, and the round."""


async def list_to_verify(session: Session, person_id: int) -> Waiting:
    """The prizes for whose winners a person may speak, and for whom nobody has yet; the earliest won first."""
    below = await _below(session, person_id, VERIFY)
    undecided = Prize.state == PrizeState.WAITING, Prize.denied_at.is_(None)
    return await _waiting(session, *undecided, Person.unit_id.in_(below), Prize.person_id != person_id)


async def list_to_send(session: Session, person_id: int) -> Waiting:
    """The prizes of contests that a person runs which can go out, and those whose winner is unknown to the union or gone."""
    below = await _below(session, person_id, RUN)
    ready = (Prize.state == PrizeState.VERIFIED) & (Prize.phone != "")
    denied = (Prize.state == PrizeState.WAITING) & Prize.denied_at.is_not(None)
    return await _waiting(session, ready | denied, Contest.unit_id.in_(below))


async def _below(session: Session, person_id: int, action: Action) -> Select[int]:
    tops = await policy.scopes(session, person_id, action)
    return select(UnitPath.descendant_id).where(UnitPath.ancestor_id.in_(tops))


async def _waiting(session: Session, *conditions: ColumnElement[bool]) -> Waiting:
    query = (
        select(Prize, Person, func.coalesce(Unit.name, ""), Round)
        .join(Person, Person.id == Prize.person_id)
        .outerjoin(Unit, Unit.id == Person.unit_id)
        .join(Round, Round.id == Prize.round_id)
        .join(Contest, Contest.id == Round.contest_id)
        .where(*conditions)
        .order_by(Prize.asked_at, Prize.id)
    )
    return [(prize, person, unit, round_) for prize, person, unit, round_ in await session.execute(query)]


async def list_alike(session: Session, prize: Prize) -> list[tuple[Prize, Person]]:
    """Other prizes of the same contest in the same unit whose phone ends in the same four digits: perhaps one person."""
    if not prize.phone:
        return []
    person = await session.get_one(Person, prize.person_id)
    round_ = await get_round(session, prize.round_id)
    rounds = select(Round.id).where(Round.contest_id == round_.contest_id)
    query = (
        select(Prize, Person)
        .join(Person, Person.id == Prize.person_id)
        .where(
            Prize.round_id.in_(rounds),
            Prize.person_id != prize.person_id,
            Prize.state != PrizeState.PASSED,
            Person.unit_id == person.unit_id,
            Prize.phone.endswith(prize.phone[-4:]),
        )
    )
    return [(each, who) for each, who in await session.execute(query)]


async def give_phone(session: Session, prize: Prize, person_id: int, phone: str, now: datetime) -> None:
    """The winner's phone, until the prize has left. Raises NotFound for anybody else, Conflict."""
    if prize.person_id != person_id:
        raise NotFound("common.not_found")
    await _step(session, prize, OPEN_PRIZES, {"phone": phone, "updated_at": now})


async def verify(session: Session, prize: Prize, actor_id: int, now: datetime) -> None:
    """The union's word that this is their member; never one's own. Raises Refused, Conflict."""
    unit_id = await _may_verify(session, prize, actor_id)
    await _step(
        session, prize, (PrizeState.WAITING,), {"state": PrizeState.VERIFIED, "denied_at": None, "updated_at": now}
    )
    audit.note(session, actor_id, "verify_winner", f"prize {prize.id}", now, unit_id)


async def deny(session: Session, prize: Prize, actor_id: int, now: datetime) -> None:
    """The union's word that this is nobody of theirs: the organisers decide, until it is taken back. Raises Refused, Conflict."""
    unit_id = await _may_verify(session, prize, actor_id)
    if prize.denied_at is not None:
        raise Conflict("common.already")
    await _step(session, prize, (PrizeState.WAITING,), {"denied_at": now})
    audit.note(session, actor_id, "deny_winner", f"prize {prize.id}", now, unit_id)


async def list_verifiers(session: Session, who: Person) -> list[int]:
    """The nearest of those who can say whether a winner is their member, never the winner: then it is the next union's."""
    if who.unit_id is None:
        return []
    return await policy.nearest(session, who.unit_id, VERIFY, but=who.id)


async def _may_verify(session: Session, prize: Prize, actor_id: int) -> int | None:
    unit_id = (await session.get_one(Person, prize.person_id)).unit_id
    await policy.check(session, actor_id, VERIFY, unit_id)
    if actor_id == prize.person_id:
        raise Refused("common.refused")
    return unit_id


async def send(session: Session, prize: Prize, actor_id: int, now: datetime) -> None:
    """The prize, never one's own, went to the winner's union.

    Raises Refused, and Conflict unless it is verified and the phone is known.
    """
    contest = await check_run(session, prize, actor_id)
    if not prize.phone:
        raise Conflict("common.already")
    await _step(session, prize, (PrizeState.VERIFIED,), {"state": PrizeState.SENT, "updated_at": now})
    audit.note(session, actor_id, "send_prize", f"prize {prize.id}", now, contest.unit_id)


async def check_run(session: Session, prize: Prize, actor_id: int) -> Contest:
    """The contest of a prize, for who may run it and did not win it. Raises Refused."""
    contest = await get_contest(session, (await get_round(session, prize.round_id)).contest_id)
    await policy.check(session, actor_id, RUN, contest.unit_id)
    if prize.person_id == actor_id:
        raise Refused("contest_desk.own")
    return contest


async def receive(session: Session, prize: Prize, person_id: int, now: datetime) -> None:
    """The winner has it. Raises NotFound for anybody else, Conflict."""
    if prize.person_id != person_id:
        raise NotFound("common.not_found")
    await _step(session, prize, (PrizeState.SENT,), {"state": PrizeState.RECEIVED, "updated_at": now})


async def pass_on(
    session: Session, prize: Prize, next_one: int | None, actor_id: int, now: datetime, reason: str = ""
) -> Prize | None:
    """Takes a prize that nobody claimed, or for a `reason`, on to the next person, if there is one. Raises Refused, Conflict."""
    round_ = await get_round(session, prize.round_id)
    contest = await get_contest(session, round_.contest_id)
    if actor_id != audit.SYSTEM:
        await check_run(session, prize, actor_id)
    await _step(session, prize, OPEN_PRIZES, {"state": PrizeState.PASSED, "reason": reason, "updated_at": now})
    audit.note(session, actor_id, "pass_prize", f"prize {prize.id}", now, contest.unit_id)
    if next_one is None:
        return None
    made = new_prize(round_, next_one, {"key": prize.prize, "name": prize.name, "worth": prize.worth}, now)
    session.add(made)
    await session.flush()
    return made


async def list_silent(session: Session, before: datetime, reminded: int) -> list[Prize]:
    """Prizes won before a moment whose winner has not given a phone, and who was reminded that often."""
    query = select(Prize).where(
        Prize.state.in_(OPEN_PRIZES), Prize.phone == "", Prize.asked_at <= before, Prize.reminded == reminded
    )
    return list((await session.execute(query.order_by(Prize.id))).scalars())


async def begin_anew(session: Session, now: datetime) -> None:
    """After a backup was restored: a phone or a union's word that was given since is lost, and nobody must lose the prize by
    that. Everybody of whom something is waited for has the whole time from now on, with its reminders.
    """
    waiting = Prize.state.in_(OPEN_PRIZES)
    await session.execute(update(Prize).where(waiting).values(asked_at=now, reminded=0, union_reminded=0))


async def list_unverified(session: Session, before: datetime, reminded: int) -> list[Prize]:
    """Prizes won before a moment for whose winner no union has spoken, and which have come so far (`Prize.union_reminded`)."""
    query = select(Prize).where(
        Prize.state == PrizeState.WAITING,
        Prize.denied_at.is_(None),
        Prize.asked_at <= before,
        Prize.union_reminded == reminded,
    )
    return list((await session.execute(query.order_by(Prize.id))).scalars())


async def _step(session: Session, prize: Prize, states: Sequence[PrizeState], values: dict[str, object]) -> None:
    changed = await session.execute(
        update(Prize).where(Prize.id == prize.id, Prize.state.in_(states)).values(**values).returning(Prize.id)
    )
    if changed.scalar() is None:
        raise Conflict("common.already")
    await session.refresh(prize)
