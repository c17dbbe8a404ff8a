"""The time in which people could not reach us while a round was open: given back once, or laid before its officers."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import aliased

from db import audit, house, policy
from db.contests.rounds import RUN, _step, get_contest
from db.errors import Conflict, NotFound
from db.models import Cause, Contest, Downtime, Entry, EntryAnswer, EntryState, Making, Round, RoundState
from db.session import Session

MOST = timedelta(hours=24)
"""By how much a round is put off by itself at most, all its downtimes together; beyond that its officers decide.

So long does Telegram keep what people send, and so much do we promise; an hour that people were told of a week ago does
not move by days because a clock, or a program, says so.
"""
OPEN = (RoundState.READY, RoundState.PAUSED)


async def make_up(
    session: Session, from_at: datetime, until_at: datetime, now: datetime, cause: Cause = Cause.DOWN
) -> list[Round]:
    """Nobody could reach us from one moment until another: rounds that were open meanwhile close that much later, at a
    whole minute.

    Papers that ran meanwhile get back what they lost, which counts as no time used, also those that the clock has handed
    in. Where a round would be put off by more than `MOST` it stays and its officers are asked. Returns the rounds that
    were put off.
    """
    query = select(Round).where(Round.state.in_(OPEN), Round.opens_at < until_at)
    extended = []
    for round_ in (await session.execute(query.order_by(Round.id))).scalars().all():
        papers = await _give_back(session, round_, from_at, until_at)
        lost = _lost(round_, from_at, until_at)
        if not lost and not papers:
            continue
        row = _note(session, round_, from_at, until_at, lost, now, cause)
        if await _made_up(session, round_.id) + lost <= MOST:
            row.making = Making.MADE_UP
            row.closes_at = _put_off(round_, lost, until_at)
            extended.append(round_)
        action = "extend_round" if row.making == Making.MADE_UP else "note_downtime"
        await session.flush()
        audit.note(session, audit.SYSTEM, action, f"round {round_.id}", now, seconds=row.seconds, cause=cause.value)
    return extended


def _note(
    session: Session, round_: Round, from_at: datetime, until_at: datetime, lost: timedelta, now: datetime, cause: Cause
) -> Downtime:
    row = Downtime(
        round_id=round_.id, from_at=from_at, until_at=until_at, seconds=int(lost.total_seconds()),
        closes_at=round_.closes_at, cause=cause, making=Making.ASKED, noted_at=now,
    )  # fmt: skip
    session.add(row)
    return row


def _lost(round_: Round, from_at: datetime, until_at: datetime) -> timedelta:
    """How much of the time in which papers may be begun was lost; a pause is made up when it ends."""
    end = min(round_.closes_at, until_at)
    if round_.state == RoundState.PAUSED and round_.paused_at is not None:
        end = min(end, round_.paused_at)
    return max(timedelta(0), end - max(from_at, round_.opens_at))


async def _made_up(session: Session, round_id: int) -> timedelta:
    """By how much a round was put off by itself."""
    query = select(func.sum(Downtime.seconds)).where(
        Downtime.round_id == round_id, Downtime.making == Making.MADE_UP, Downtime.decided_by.is_(None)
    )
    return timedelta(seconds=int((await session.execute(query)).scalar() or 0))


def _put_off(round_: Round, lost: timedelta, since: datetime) -> datetime:
    """What was lost comes behind the end, or, where that has passed, begins when people can come again."""
    if lost:
        ends = max(round_.closes_at, since) + lost
        round_.closes_at = ends + (datetime.min - ends.replace(tzinfo=None)) % timedelta(minutes=1)
        round_.result_at = max(round_.result_at, round_.closes_at)
    return round_.closes_at


async def _give_back(session: Session, round_: Round, from_at: datetime, until_at: datetime) -> int:
    """Lets the papers that ran go on with what was left of them. Returns how many.

    Whoever answered meanwhile had another way in: only what came after their last answer was lost to them, and nothing
    where they have answered since.
    """
    answered = select(func.max(EntryAnswer.at)).where(EntryAnswer.entry_id == Entry.id).scalar_subquery()
    ran = or_(Entry.state == EntryState.RUNNING, and_(Entry.timed_out, Entry.due_at <= until_at))
    next_one = aliased(Entry)
    newer = select(next_one.id).where(
        next_one.round_id == Entry.round_id, next_one.person_id == Entry.person_id, next_one.number > Entry.number
    )
    query = select(Entry, answered).where(
        Entry.round_id == round_.id, Entry.due_at > from_at, Entry.started_at < until_at, ran, ~newer.exists()
    )
    given = 0
    for entry, last in (await session.execute(query)).all():
        lost = until_at - max(from_at, entry.started_at, last or from_at)
        if lost > timedelta(0):
            entry.due_at += lost
            entry.extended += int(lost.total_seconds())
            entry.state, entry.submitted_at, entry.timed_out = EntryState.RUNNING, None, False
            given += 1
    return given


async def hold_restored(session: Session, now: datetime) -> None:
    """After a backup was restored: what people did since is gone, so the officers of each round that it touches decide.

    Nothing says how much of the time since the backup people could take part in; nobody knows a result that was told
    meanwhile. A paper that ran when the backup was made may have been handed in since: it was no attempt.
    """
    known = await house.know(session, house.ALIVE)
    if known is None:
        return
    await house.remember(session, house.ALIVE, {"at": now.isoformat()}, now)
    saved = datetime.fromisoformat(known["at"])
    query = select(Round).where(Round.state.in_(OPEN), Round.opens_at < now, Round.result_at > saved)
    for round_ in (await session.execute(query.order_by(Round.id))).scalars().all():
        lost = _lost(round_, saved, now)
        _note(session, round_, saved, now, lost, now, Cause.RESTORED)
        await session.execute(
            update(Entry)
            .where(Entry.round_id == round_.id, Entry.state == EntryState.RUNNING)
            .values(state=EntryState.RETURNED, submitted_at=now)
        )
        audit.note(
            session, audit.SYSTEM, "note_downtime", f"round {round_.id}", now,
            seconds=int(lost.total_seconds()), cause=Cause.RESTORED.value,
        )  # fmt: skip
    await session.flush()


async def list_untold_downtimes(session: Session) -> list[Downtime]:
    """Those of which the officers and whoever sat a paper have not heard, the oldest first."""
    query = select(Downtime).where(Downtime.told.is_(False)).order_by(Downtime.id)
    return list((await session.execute(query)).scalars())


async def list_given_back(session: Session, downtime: Downtime, after: int, limit: int) -> list[Entry]:
    """The papers that one downtime gave time or their attempt back to, by id, from the one behind `after` on."""
    if downtime.cause == Cause.RESTORED:
        state, moment = EntryState.RETURNED, Entry.submitted_at == downtime.until_at
    else:
        state, moment = EntryState.RUNNING, and_(Entry.started_at < downtime.until_at, Entry.extended > 0)
    query = select(Entry).where(Entry.round_id == downtime.round_id, Entry.state == state, moment, Entry.id > after)
    return list((await session.execute(query.order_by(Entry.id).limit(limit))).scalars())


async def get_downtime(session: Session, downtime_id: int) -> Downtime:
    """The downtime of an id. Raises NotFound."""
    row = await session.get(Downtime, downtime_id)
    if row is None:
        raise NotFound("common.not_found")
    return row


async def decide(
    session: Session, downtime: Downtime, round_: Round, *, extend: bool, actor_id: int, now: datetime
) -> None:
    """An officer lets a round close as much later as was lost, or leaves it. Raises Refused, Conflict."""
    contest = await get_contest(session, round_.contest_id)
    await policy.check(session, actor_id, RUN, contest.unit_id)
    if round_.state not in OPEN:
        raise Conflict("common.already")
    making = Making.MADE_UP if extend else Making.LEFT
    changed = await session.execute(
        update(Downtime)
        .where(Downtime.id == downtime.id, Downtime.making == Making.ASKED)
        .values(making=making, decided_by=actor_id)
        .returning(Downtime.id)
    )
    if changed.scalar() is None:
        raise Conflict("common.already")
    if extend:
        downtime.closes_at = _put_off(round_, timedelta(seconds=downtime.seconds), now)
        await _step(
            session,
            round_,
            round_.version,
            round_.state,
            {"closes_at": round_.closes_at, "result_at": round_.result_at},
        )
    await session.refresh(downtime)
    audit.note(
        session, actor_id, "extend_round" if extend else "leave_round", f"round {round_.id}", now, contest.unit_id,
        seconds=downtime.seconds, cause=downtime.cause.value,
    )  # fmt: skip


async def list_asking_units(session: Session) -> list[int]:
    """The units of the contests in which a downtime waits for an officer."""
    query = select(Contest.unit_id).join(Round, Round.contest_id == Contest.id).join(Downtime)
    found = await session.execute(query.where(Downtime.making == Making.ASKED, Round.state.in_(OPEN)).distinct())
    return list(found.scalars())


async def list_downtimes(session: Session, round_id: int) -> list[Downtime]:
    """When people could not reach us while a round was open."""
    query = select(Downtime).where(Downtime.round_id == round_id).order_by(Downtime.from_at)
    return list((await session.execute(query)).scalars())
