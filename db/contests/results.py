"""What came of a round: what was recorded, and the result as it was frozen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select

from db import audit
from db.contests.papers import Paper
from db.models import (
    Entry,
    EntryAnswer,
    EntryState,
    Person,
    Result,
    Round,
    RoundQuestion,
    RoundState,
    Unit,
    UnitPath,
    UnitResult,
)
from db.session import Session


@dataclass(frozen=True, slots=True)
class Ranked:
    """One person's place by their counted paper, as the ranking says; `rank` is None for who is out of it."""

    person_id: int
    entry_id: int
    score: int
    rank: int | None
    lot: int | None
    seconds: int


async def list_recorded(session: Session, round_id: int) -> list[Paper]:
    """Every paper of a round that was handed in, by the person or by the clock, with all that was answered."""
    questions = {row.question: row for row in await list_questions(session, round_id)}
    given = await session.execute(
        select(EntryAnswer.entry_id, EntryAnswer.place, EntryAnswer.choice)
        .join(Entry, Entry.id == EntryAnswer.entry_id)
        .where(Entry.round_id == round_id)
    )
    answers: dict[int, dict[int, int]] = {}
    for entry_id, place, choice in given:
        answers.setdefault(entry_id, {})[place] = choice
    query = select(Entry).where(Entry.round_id == round_id, Entry.state == EntryState.SUBMITTED)
    entries = (await session.execute(query.order_by(Entry.id))).scalars()
    return [
        Paper(entry, tuple(questions[name] for name, _ in entry.paper), answers.get(entry.id, {})) for entry in entries
    ]


async def list_questions(session: Session, round_id: int) -> list[RoundQuestion]:
    """The questions of a round, voided ones too."""
    query = select(RoundQuestion).where(RoundQuestion.round_id == round_id)
    return list((await session.execute(query.order_by(RoundQuestion.question))).scalars())


async def publish(
    session: Session, round_: Round, ranked: Iterable[Ranked], actual: int, seed: str, size: int, now: datetime
) -> None:
    """Freezes a result, in place of the one there was: people, units with their members of today, and the counts.

    `size` is how many right answers are all. Whoever was told of an earlier one keeps that mark.
    """
    before = select(Result.person_id, Result.told).where(Result.round_id == round_.id)
    told = {person_id: revision for person_id, revision in await session.execute(before)}
    for table in (Result, UnitResult):
        await session.execute(delete(table).where(table.round_id == round_.id))
    found = list(ranked)
    entries = await session.execute(
        select(Entry).where(Entry.round_id == round_.id, Entry.state == EntryState.SUBMITTED)
    )
    by_id = {entry.id: entry for entry in entries.scalars()}
    unit_places: dict[int | None, int] = {}
    for each in sorted(found, key=lambda each: (each.rank is None, each.rank or 0)):
        entry = by_id[each.entry_id]
        place = unit_places[entry.unit_id] = unit_places.get(entry.unit_id, 0) + (each.rank is not None)
        session.add(
            Result(
                round_id=round_.id, person_id=each.person_id, entry_id=entry.id, unit_id=entry.unit_id,
                score=each.score, prediction=entry.prediction, seconds=each.seconds, rank=each.rank,
                unit_rank=place if each.rank is not None and entry.unit_id is not None else None, lot=each.lot,
                told=told.get(each.person_id, 0),
            )
        )  # fmt: skip
    session.add_all(await _units(session, round_, found, list(by_id.values()), size))
    round_.state, round_.recount, round_.revision = RoundState.PUBLISHED, False, round_.revision + 1
    round_.actual, round_.seed = actual, seed
    round_.people, round_.papers = len(found), len(by_id)
    round_.published_at = round_.published_at or now
    await session.flush()
    audit.note(
        session, audit.SYSTEM, "publish_round", f"round {round_.id}", now,
        revision=round_.revision, people=round_.people, actual=actual,
    )  # fmt: skip


async def _units(
    session: Session, round_: Round, ranked: Sequence[Ranked], entries: Sequence[Entry], size: int
) -> list[UnitResult]:
    """What every unit did, those below it included; who was disqualified is not counted."""
    good = {each.person_id: each for each in ranked if each.rank is not None}
    unit_of = {entry.id: entry.unit_id for entry in entries}
    above: dict[int, list[int]] = {}
    at = {unit_id for unit_id in unit_of.values() if unit_id is not None}
    paths = select(UnitPath.descendant_id, UnitPath.ancestor_id).where(UnitPath.descendant_id.in_(at))
    for below, top in await session.execute(paths):
        above.setdefault(below, []).append(top)
    workers = set(
        (await session.execute(select(Person.id).where(Person.id.in_(list(good)), Person.direct_production.is_(True))))
        .scalars()
        .all()
    )
    sums: dict[int, UnitResult] = {}
    units = {
        unit.id: unit
        for unit in (
            await session.execute(select(Unit).where(Unit.id.in_({top for tops in above.values() for top in tops})))
        ).scalars()
    }
    for unit_id, unit in units.items():
        members = unit.members or None
        sums[unit_id] = UnitResult(
            round_id=round_.id, unit_id=unit_id, people=0, workers=0, papers=0, points=0, all_right=0,
            members=members, members_on=unit.figures_on if members else None,
            band=max((b for b in round_.bands if b <= members), default=None) if members else None,
        )  # fmt: skip
    for person_id, each in good.items():
        for top in above.get(unit_of[each.entry_id] or 0, ()):
            row = sums[top]
            row.people += 1
            row.workers += person_id in workers
            row.points += each.score
            row.all_right += each.score == size
    for entry in entries:
        if entry.person_id in good:
            for top in above.get(entry.unit_id or 0, ()):
                sums[top].papers += 1
    return [row for row in sums.values() if row.people]


async def find_result(session: Session, round_id: int, person_id: int) -> Result | None:
    """Where a person stands in a published round."""
    return await session.get(Result, (round_id, person_id))


async def count_ranked(session: Session, round_id: int, unit_id: int | None = None) -> int:
    """How many people are ranked in a round, or of those that one unit has."""
    query = select(func.count()).where(Result.round_id == round_id, Result.rank.is_not(None))
    if unit_id is not None:
        query = query.where(Result.unit_id == unit_id)
    return (await session.execute(query)).scalar() or 0


async def list_best(session: Session, round_id: int, limit: int) -> list[tuple[Result, Person]]:
    """The best of a round with who they are; whether they may be named is `Person.board`'s to say."""
    query = (
        select(Result, Person)
        .join(Person, Person.id == Result.person_id)
        .where(Result.round_id == round_id, Result.rank.is_not(None))
        .order_by(Result.rank, Result.person_id)
        .limit(limit)
    )
    return [(result, person) for result, person in await session.execute(query)]


async def list_ranked(session: Session, round_id: int) -> list[Result]:
    """The whole result of a round, the best first, those out of it last."""
    query = select(Result).where(Result.round_id == round_id)
    return list((await session.execute(query.order_by(Result.rank.is_(None), Result.rank, Result.person_id))).scalars())


async def list_units(session: Session, round_id: int) -> list[tuple[UnitResult, Unit]]:
    """What each unit did in a published round."""
    query = (
        select(UnitResult, Unit)
        .join(Unit, Unit.id == UnitResult.unit_id)
        .where(UnitResult.round_id == round_id)
        .order_by(Unit.id)
    )
    return [(row, unit) for row, unit in await session.execute(query)]


async def list_untold(session: Session, round_: Round, limit: int) -> list[Result]:
    """Those who have not been told of the newest result yet, the best first."""
    query = (
        select(Result)
        .join(Person, Person.id == Result.person_id)
        .where(Result.round_id == round_.id, Result.told < round_.revision, Person.processing)
        .order_by(Result.rank, Result.person_id)
    )
    return list((await session.execute(query.limit(limit))).scalars())
