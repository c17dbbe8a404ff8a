"""What is wrong with a round: voided questions, people taken out of it with a reason, complaints and their answers."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update

from db import audit, policy
from db.contests.rounds import RUN, get_contest, get_round
from db.errors import Conflict, NotFound, Refused
from db.models import Complaint, Disqualification, Round, RoundQuestion, RoundState
from db.session import Session

MOST = 3
"""Complaints of one person about one round that may wait for an answer at once."""


async def _unit(session: Session, round_: Round) -> int:
    return (await get_contest(session, round_.contest_id)).unit_id


async def check_change(session: Session, round_: Round, actor_id: int, person_id: int | None = None) -> int:
    """The unit of a round whose result this person may still change: never their own, nor once the prizes are given.

    Raises Refused."""
    unit_id = await _unit(session, round_)
    await policy.check(session, actor_id, RUN, unit_id)
    if person_id == actor_id:
        raise Refused("contest_desk.own")
    if round_.awarded_at is not None:
        raise Refused("contest_desk.settled")
    return unit_id


async def void_question(
    session: Session, round_: Round, question: str, reason: str, actor_id: int, now: datetime
) -> RoundQuestion:
    """From now on a question is right for everybody who has it; a published result is made again and told.

    Raises Refused, NotFound, and Conflict when it is void already.
    """
    unit_id = await check_change(session, round_, actor_id)
    row = await session.get(RoundQuestion, (round_.id, question))
    if row is None:
        raise NotFound("common.not_found")
    if row.voided_at is not None:
        raise Conflict("common.already")
    _void(session, row, round_, unit_id, reason, actor_id, now)
    await session.flush()
    return row


async def list_asking(session: Session, question: str, stem: str, now: datetime) -> list[tuple[RoundQuestion, Round]]:
    """The approved rounds that ask a question in these words and may still be counted anew: complaints are not over."""
    query = (
        select(RoundQuestion, Round)
        .join(Round, Round.id == RoundQuestion.round_id)
        .where(
            RoundQuestion.question == question,
            RoundQuestion.stem == stem,
            RoundQuestion.voided_at.is_(None),
            Round.state.in_((RoundState.READY, RoundState.PAUSED, RoundState.PUBLISHED)),
        )
        .order_by(Round.id)
    )
    found = (await session.execute(query)).all()
    return [
        (row, round_)
        for row, round_ in found
        if round_.state != RoundState.PUBLISHED or now <= complaints_until(round_)
    ]


async def void_wherever(
    session: Session, question: str, stem: str, reason: str, actor_id: int, now: datetime
) -> list[Round]:
    """A question was taken out of the bank: it is right for everybody in each round of `list_asking`. Who may take it out
    the caller has checked. Returns those rounds.
    """
    found = await list_asking(session, question, stem, now)
    for row, round_ in found:
        _void(session, row, round_, await _unit(session, round_), reason, actor_id, now)
    await session.flush()
    return [round_ for _, round_ in found]


def _void(
    session: Session, row: RoundQuestion, round_: Round, unit_id: int, reason: str, actor_id: int, now: datetime
) -> None:
    row.voided_at, row.voided_by, row.reason = now, actor_id, reason
    _recount(round_)
    audit.note(session, actor_id, "void_question", f"round {round_.id}", now, unit_id, question=row.question)


async def list_voided(session: Session, round_id: int) -> list[RoundQuestion]:
    """The questions of a round that are right for everybody."""
    query = select(RoundQuestion).where(RoundQuestion.round_id == round_id, RoundQuestion.voided_at.is_not(None))
    return list((await session.execute(query.order_by(RoundQuestion.voided_at, RoundQuestion.question))).scalars())


async def disqualify(
    session: Session, round_: Round, person_id: int, reason: str, actor_id: int, now: datetime
) -> Disqualification:
    """Takes somebody out of a round's ranking, for a reason that they are told. Raises Refused, Conflict."""
    unit_id = await check_change(session, round_, actor_id, person_id)
    if person_id in await list_disqualified(session, round_.id):
        raise Conflict("common.already")
    row = Disqualification(round_id=round_.id, person_id=person_id, reason=reason, actor_id=actor_id, at=now)
    session.add(row)
    _recount(round_)
    audit.note(session, actor_id, "disqualify", f"person {person_id}", now, unit_id, round=round_.id)
    await session.flush()
    return row


async def lift_disqualification(session: Session, round_: Round, person_id: int, actor_id: int, now: datetime) -> None:
    """Takes somebody back into the ranking. Raises Refused, Conflict."""
    unit_id = await check_change(session, round_, actor_id, person_id)
    changed = await session.execute(
        update(Disqualification)
        .where(
            Disqualification.round_id == round_.id,
            Disqualification.person_id == person_id,
            Disqualification.lifted_at.is_(None),
        )
        .values(lifted_at=now)
        .returning(Disqualification.id)
    )
    if changed.scalar() is None:
        raise Conflict("common.already")
    _recount(round_)
    audit.note(session, actor_id, "lift_disqualification", f"person {person_id}", now, unit_id, round=round_.id)
    await session.flush()


async def list_disqualified(session: Session, round_id: int) -> dict[int, str]:
    """Who is out of a round, and why."""
    query = select(Disqualification.person_id, Disqualification.reason).where(
        Disqualification.round_id == round_id, Disqualification.lifted_at.is_(None)
    )
    return {person_id: reason for person_id, reason in await session.execute(query)}


def _recount(round_: Round) -> None:
    if round_.state == RoundState.PUBLISHED:
        round_.recount = True


async def complain(
    session: Session, round_: Round, person_id: int, text: str, due_at: datetime, now: datetime
) -> Complaint:
    """Objects to a published result, to be answered by `due_at`.

    Raises Conflict when it is too early or too late, when the same words wait already, or too many others.
    """
    if round_.published_at is None or now >= await may_complain_until(session, round_, person_id):
        raise Conflict("contest.complaints_over")
    waiting = [each for each in await list_complaints(session, round_.id) if each.person_id == person_id]
    if any(each.text == text for each in waiting):
        raise Conflict("contest.complained_already")
    if len(waiting) >= MOST:
        raise Conflict("contest.complaints_many", n=MOST)
    row = Complaint(round_id=round_.id, person_id=person_id, text=text, created_at=now, due_at=due_at)
    session.add(row)
    await session.flush()
    return row


def complaints_until(round_: Round) -> datetime:
    """When complaints about a round are no longer taken."""
    return (round_.published_at or round_.result_at) + timedelta(days=round_.complaint_days)


async def may_complain_until(session: Session, round_: Round, person_id: int | None = None) -> datetime:
    """When a person's complaints are no longer taken: whoever was taken out has the whole time from then on.

    Without a person, when nobody's are.
    """
    query = select(Disqualification.at).where(
        Disqualification.round_id == round_.id, Disqualification.lifted_at.is_(None)
    )
    if person_id is not None:
        query = query.where(Disqualification.person_id == person_id)
    out = [at + timedelta(days=round_.complaint_days) for at in (await session.execute(query)).scalars()]
    return max([complaints_until(round_), *out])


async def list_complaints(session: Session, round_id: int | None = None, *, waiting: bool = True) -> list[Complaint]:
    """Complaints that wait for an answer, or all, the earliest due first."""
    query = select(Complaint).order_by(Complaint.due_at, Complaint.id)
    if waiting:
        query = query.where(Complaint.done_at.is_(None))
    if round_id is not None:
        query = query.where(Complaint.round_id == round_id)
    return list((await session.execute(query)).scalars())


async def get_complaint(session: Session, complaint_id: int) -> Complaint:
    """The complaint of an id. Raises NotFound."""
    row = await session.get(Complaint, complaint_id)
    if row is None:
        raise NotFound("common.not_found")
    return row


async def check_answer(session: Session, row: Complaint, actor_id: int) -> int:
    """The unit whose contest a complaint is about, for who may answer it: never one's own. Raises Refused."""
    unit_id = await _unit(session, await get_round(session, row.round_id))
    await policy.check(session, actor_id, RUN, unit_id)
    if row.person_id == actor_id:
        raise Refused("contest_desk.own")
    return unit_id


async def answer_complaint(session: Session, complaint_id: int, answer: str, actor_id: int, now: datetime) -> Complaint:
    """Answers a complaint, never one's own. Raises Refused, NotFound, and Conflict when somebody else was faster."""
    row = await get_complaint(session, complaint_id)
    unit_id = await check_answer(session, row, actor_id)
    changed = await session.execute(
        update(Complaint)
        .where(Complaint.id == complaint_id, Complaint.done_at.is_(None))
        .values(done_at=now, answer=answer, actor_id=actor_id)
        .returning(Complaint.id)
    )
    if changed.scalar() is None:
        raise Conflict("common.already")
    await session.refresh(row)
    audit.note(session, actor_id, "answer_complaint", f"complaint {complaint_id}", now, unit_id)
    return row
