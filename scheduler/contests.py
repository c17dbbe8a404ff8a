"""Contests on the clock: papers whose time is over, results that are due or must be made again, and who hears of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from content.boards import board_name
from content.leaderboard import FEWEST
from content.message import to_json
from content.ranking import Attempt, Inputs, Ranking, rank
from db import contests, outbox, people
from db.contests import Paper, Ranked
from db.models import Entry, EntryState, Result, Round
from db.session import Session
from scheduler import notices

if TYPE_CHECKING:
    from scheduler.timetable import Work

CHUNK = 200
"""People told of a result, or papers handed in, in one transaction."""


async def run(work: Work) -> None:
    """One look. Conditional updates and keys make any number of looks do everything once.

    Nothing ends while nobody can reach us, nor before what that cost people is given back (`scheduler.downtime`).
    """
    now = work.now()
    if work.doors.settled:
        async with work.database.read() as session:
            overdue = await contests.list_overdue(session, now, 1)
        if overdue:
            async with work.database.write() as session:
                await _hand_in(work, session, now)
        await _count(work, now)
    await _tell_results(work, now)
    work.said()


async def _hand_in(work: Work, session: Session, now: datetime) -> None:
    for entry in await contests.list_overdue(session, now, CHUNK):
        answers = await contests.time_out(session, entry)
        person = await people.get(session, entry.person_id)
        if person.processing:
            await _tell_time_over(work, session, entry, answers, now)


async def _tell_time_over(work: Work, session: Session, entry: Entry, answers: int, now: datetime) -> None:
    """They were just at it, so this comes at once."""
    if entry.state == EntryState.RETURNED:
        message = work.words.message("contest.returned")
    else:
        round_ = await contests.get_round(session, entry.round_id)
        left = await contests.left(session, round_, entry.person_id) if now < round_.closes_at else 0
        message = work.words.message(
            "contest.time_over", id=round_.id, code=entry.code, done=answers, result=round_.result_at, left=max(0, left)
        )
    await outbox.tell(
        session, entry.person_id, to_json(message), now=now, kind="result", key=f"contest-over:{entry.id}:{entry.extended}",
        at_once=True,
    )  # fmt: skip


async def _count(work: Work, now: datetime) -> None:
    """Makes the results that are due, each in a transaction of its own."""
    async with work.database.read() as session:
        due = [round_.id for round_ in await contests.list_closed(session, now)]
    for round_id in due:
        async with work.database.write() as session:
            round_ = await contests.get_round(session, round_id)
            # Every paper's time is over by now; a few may wait for the next look.
            if not await contests.is_running(session, round_id):
                await _publish(work, session, round_, now)


async def _publish(work: Work, session: Session, round_: Round, now: datetime) -> None:
    papers = {paper.entry.code: paper for paper in await contests.list_recorded(session, round_.id)}
    inputs = await inputs_of(session, round_, list(papers.values()))
    ranking = rank(inputs)
    await contests.publish(session, round_, _ranked(ranking, papers), ranking.actual, round_.size, now)


async def inputs_of(session: Session, round_: Round, papers: list[Paper]) -> Inputs:
    """All that a round's ranking follows from, as it was recorded."""
    questions = await contests.list_questions(session, round_.id)
    return Inputs(
        key={row.question: row.answer for row in questions},
        attempts=tuple(_attempt(paper) for paper in papers),
        order=tuple(round_.ranking),
        voided=frozenset(row.question for row in questions if row.voided_at is not None),
        disqualified=frozenset(await contests.list_disqualified(session, round_.id)),
        seed=round_.seed,
    )


def _attempt(paper: Paper) -> Attempt:
    entry = paper.entry
    submitted = entry.submitted_at or entry.due_at
    used = int((submitted - entry.started_at).total_seconds()) - entry.extended
    return Attempt(
        code=entry.code,
        person=entry.person_id,
        answers=tuple((row.question, paper.answers.get(place)) for place, row in enumerate(paper.questions)),
        prediction=entry.prediction,
        seconds=max(0, used),
        submitted_at=submitted,
    )


def _ranked(ranking: Ranking, papers: dict[str, Paper]) -> list[Ranked]:
    found = [
        Ranked(
            each.attempt.person,
            papers[each.attempt.code].entry.id,
            each.score,
            each.rank,
            each.lot,
            each.attempt.seconds,
        )
        for each in ranking.standings
    ]
    out = [
        Ranked(person, papers[attempt.code].entry.id, score, None, None, attempt.seconds)
        for person, (attempt, score) in ranking.out.items()
    ]
    return found + out


async def _tell_results(work: Work, now: datetime) -> None:
    """Tells of the newest result whom it says anything new, some in a transaction, so that nobody's answer waits for it."""
    async with work.database.read() as session:
        rounds = [round_.id for round_ in await contests.list_telling(session)]
    for round_id in rounds:
        more = True
        while more:
            async with work.database.write() as session:
                round_ = await contests.get_round(session, round_id)
                untold = await contests.list_untold(session, round_, CHUNK)
                summary = await contests.summarise(session, round_) if untold else None
                for result in untold:
                    assert summary is not None
                    best = summary.best
                    first = board_name(work.words, best[1], best[0], best[2]) if best is not None else ""
                    await _tell(work, session, result, {**summary.told(result, FEWEST), "first": first}, now)
                more = len(untold) == CHUNK


async def _tell(work: Work, session: Session, result: Result, said: dict[str, Any], now: datetime) -> None:
    without = ("certificate",) if result.rank is None else ()
    message = work.words.message("contest.result", without=without, **said)
    revision: int = said["revision"]
    await notices.tell(
        session, result.person_id, message, now, f"contest-result:{result.round_id}:{revision}:{result.person_id}",
        kind="result", slot=contests.slot_of(result.round_id), edits=False,  # who sleeps wakes up to the newest one alone
    )  # fmt: skip
    result.told, result.told_as = revision, result.own
