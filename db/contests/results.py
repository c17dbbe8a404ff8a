"""What came of a round: what was recorded, and the result as it was frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, delete, func, select

from db import audit
from db.contests.objections import list_disqualified, list_voided
from db.contests.papers import Paper
from db.contests.rounds import week_of
from db.models import (
    UNSENT,
    Entry,
    EntryAnswer,
    EntryState,
    OutboxRow,
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


def slot_of(round_id: int) -> str:
    """Of what somebody is told of a round's result, what was not sent gives way to the newest."""
    return f"result-{round_id}"


async def publish(
    session: Session, round_: Round, ranked: Iterable[Ranked], actual: int, size: int, now: datetime
) -> None:
    """Freezes a result, in place of the one there was: people, units with their members of today, and the counts.

    `size` is how many right answers are all. Whoever was told of an earlier one is told again only of what changes for
    them, and whoever has not read that one yet reads the newest.
    """
    before = select(Result.person_id, Result.told, Result.told_as).where(Result.round_id == round_.id)
    told = {person_id: (revision, own) for person_id, revision, own in await session.execute(before)}
    unread = select(OutboxRow.person_id).where(OutboxRow.slot == slot_of(round_.id), OutboxRow.state.in_(UNSENT))
    for person_id in (await session.execute(unread)).scalars():
        told.pop(person_id or 0, None)
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
        revision, told_as = told.get(each.person_id, (0, []))
        row = Result(
                round_id=round_.id, person_id=each.person_id, entry_id=entry.id, unit_id=entry.unit_id,
                score=each.score, prediction=entry.prediction, seconds=each.seconds, rank=each.rank,
                unit_rank=place if each.rank is not None and entry.unit_id is not None else None, lot=each.lot,
                told_as=told_as,
            )  # fmt: skip
        row.told = round_.revision + 1 if row.own == told_as else revision
        session.add(row)
    session.add_all(await _units(session, round_, found, list(by_id.values()), size))
    round_.state, round_.recount, round_.revision = RoundState.PUBLISHED, False, round_.revision + 1
    round_.actual = actual
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
            members=members, members_on=unit.figures_on if members else None, members_from=unit.figures_from if members else "",
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


async def list_counted(
    session: Session, round_id: int, *, person_id: int | None = None, code: str = ""
) -> list[tuple[Result, Entry, Person]]:
    """The papers that counted, the best first, those out of it last; or one person's, or the one of a receipt."""
    query = (
        select(Result, Entry, Person)
        .join(Entry, Entry.id == Result.entry_id)
        .join(Person, Person.id == Result.person_id)
        .where(Result.round_id == round_id, Entry.state == EntryState.SUBMITTED)
        .order_by(Result.rank.is_(None), Result.rank, Result.person_id)
    )
    if person_id is not None:
        query = query.where(Result.person_id == person_id)
    if code:
        query = query.where(Entry.code == code)
    return [(result, entry, person) for result, entry, person in await session.execute(query)]


async def count_asked(session: Session, round_id: int, question: str) -> int:
    """The papers that counted and have a question in them."""
    query = (
        select(func.count())
        .select_from(Result)
        .join(Entry, Entry.id == Result.entry_id)
        .where(Result.round_id == round_id, cast(Entry.paper, String).contains(f'"{question}"', autoescape=True))
    )
    return (await session.execute(query)).scalar_one()


async def list_units(session: Session, round_id: int) -> list[tuple[UnitResult, Unit]]:
    """What each unit did in a published round."""
    query = (
        select(UnitResult, Unit)
        .join(Unit, Unit.id == UnitResult.unit_id)
        .where(UnitResult.round_id == round_id)
        .order_by(Unit.id)
    )
    return [(row, unit) for row, unit in await session.execute(query)]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a published round has to say to everybody alike. `best` is name, wish for the board and unit of the first."""

    round: Round
    week: str
    total: int
    at_unit: Mapping[int | None, int]
    best: tuple[str, str, str] | None
    voided: Sequence[tuple[str, str]]
    out: Mapping[int, str]

    def told(self, result: Result | None, fewest: int) -> dict[str, Any]:
        """What the message of a result needs, for who stands in it, and for who does not.

        No count under `fewest` is among it, nor a unit's beside which that of all others could be told.
        """
        total = self.total if self.total >= fewest else 0
        found: dict[str, Any] = {"id": self.round.id, "week": self.week, "n": self.round.size, "total": total}
        found |= {"actual": self.round.actual, "revision": self.round.revision}
        own: dict[str, Any] = {
            "score": 0,
            "rank": None,
            "unit_rank": None,
            "unit_total": 0,
            "prediction": None,
            "was": None,
        }
        if result is not None:
            own = {name: getattr(result, name) for name in ("score", "rank", "unit_rank", "prediction")}
            at_unit = self.at_unit.get(result.unit_id, 0)
            small = at_unit < fewest or self.total - at_unit < fewest
            own |= {"unit_total": 0, "unit_rank": None} if small else {"unit_total": at_unit}
            was = result.told_as[:2]
            own["was"] = was if was and was != result.own[:2] else None
        reason = self.out.get(result.person_id, "") if result is not None else ""
        return {**found, **own, "reason": reason, "voided": self.voided}


async def summarise(session: Session, round_: Round) -> Summary:
    """Reads what is alike for everybody, once for many."""
    counted = select(Result.unit_id, func.count()).where(Result.round_id == round_.id, Result.rank.is_not(None))
    at_unit = {unit_id: number for unit_id, number in await session.execute(counted.group_by(Result.unit_id))}
    first = (
        select(Person.name, Person.board, func.coalesce(Unit.name, ""))
        .select_from(Result)
        .join(Person, Person.id == Result.person_id)
        .outerjoin(Unit, Unit.id == Result.unit_id)
        .where(Result.round_id == round_.id, Result.rank == 1)
        .order_by(Result.person_id)
        .limit(1)
    )
    best = (await session.execute(first)).first()
    return Summary(
        round=round_,
        week=await week_of(session, round_),
        total=sum(at_unit.values()),
        at_unit=at_unit,
        best=(best[0], best[1] or "", best[2]) if best is not None else None,
        voided=[(row.stem, row.reason) for row in await list_voided(session, round_.id)],
        out=await list_disqualified(session, round_.id),
    )


async def is_running(session: Session, round_id: int) -> bool:
    """Whether a paper of a round was not handed in yet."""
    query = select(Entry.id).where(Entry.round_id == round_id, Entry.state == EntryState.RUNNING).limit(1)
    return (await session.execute(query)).first() is not None


async def list_telling(session: Session) -> list[Round]:
    """Published rounds of whose newest result not everybody has been told."""
    told = (
        select(Result.person_id)
        .join(Person, Person.id == Result.person_id)
        .where(Result.round_id == Round.id, Result.told < Round.revision, Person.processing)
    )
    query = select(Round).where(Round.state == RoundState.PUBLISHED, Round.recount.is_(False), told.exists())
    return list((await session.execute(query.order_by(Round.id))).scalars())


async def list_untold(session: Session, round_: Round, limit: int) -> list[Result]:
    """Those who have not been told of the newest result yet, the best first."""
    query = (
        select(Result)
        .join(Person, Person.id == Result.person_id)
        .where(Result.round_id == round_.id, Result.told < round_.revision, Person.processing)
        .order_by(Result.rank, Result.person_id)
    )
    return list((await session.execute(query.limit(limit))).scalars())
