"""Papers: drawn and shuffled once, answered one by one, handed in by the person or by the clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from sqlalchemy import bindparam, func, or_, select, update

from db.errors import Conflict, NotFound
from db.models import Entry, EntryAnswer, EntryState, Person, Round, RoundQuestion, RoundState
from db.prepared import Prepared
from db.session import Session

DIGITS = 6
"""Of a receipt's number: random, so that nobody can read from it how many took part."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a round keeps it: it stays as it was even when the bank goes on."""

    question: str
    topic: str
    stem: str
    options: tuple[str, ...]
    answer: int
    explanation: str
    citation: str
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper and what was answered so far. `answers` is place → option by its number in the question."""

    entry: Entry
    questions: tuple[RoundQuestion, ...]
    answers: dict[int, int]

    @property
    def open_place(self) -> int:
        """The first place without an answer; one past the last when there is none."""
        return next((n for n in range(len(self.questions)) if n not in self.answers), len(self.questions))

    def order(self, place: int) -> list[int]:
        """In which order the options of a place are shown."""
        order: list[int] = self.entry.paper[place][1]
        return order


async def left(session: Session, round_: Round, person_id: int) -> int:
    """How many attempts of a round a person still has; one that was returned was none."""
    query = select(func.count()).where(
        Entry.round_id == round_.id, Entry.person_id == person_id, Entry.state != EntryState.RETURNED
    )
    return round_.attempts - ((await session.execute(query)).scalar() or 0)


_RUNNING = (
    select(Entry).where(Entry.person_id == bindparam("person"), Entry.state == EntryState.RUNNING).order_by(Entry.id)
).limit(1)
_RUNS = Prepared(_RUNNING.with_only_columns(Entry.__table__.c.id))


async def find_running(session: Session, person_id: int) -> Entry | None:
    """The paper whose clock runs for a person, whichever chat it was begun in."""
    if not await session.rows(_RUNS, person=person_id):  # every menu asks
        return None
    return (await session.execute(_RUNNING, {"person": person_id})).scalar()


async def get_entry(session: Session, entry_id: int, person_id: int) -> Entry:
    """The attempt of an id. Raises NotFound, also for somebody else's."""
    entry = await session.get(Entry, entry_id)
    if entry is None or entry.person_id != person_id:
        raise NotFound("common.not_found")
    return entry


async def open_paper(
    session: Session,
    round_: Round,
    person: Person,
    pool: Iterable[Asked],
    rng: Random,
    now: datetime,
    *,
    today: date | None = None,
) -> Paper:
    """Draws a paper and starts its clock; the one that runs already is gone on with instead.

    The first paper of a round fixes its questions from `pool`, and the seed of its lots: a backup that has the papers draws
    the same. `today` is the local date, by which law is in force. Raises Conflict when the round is not open, no attempt is
    left, or the bank has too few questions for it.
    """
    running = await find_running(session, person.id)
    if running is not None:
        return await find_paper(session, running)
    if round_.state != RoundState.READY or not round_.opens_at <= now < round_.closes_at:
        raise Conflict("contest.closed_now")
    if await left(session, round_, person.id) <= 0:
        raise Conflict("contest.none_left")
    questions = await fix_questions(session, round_, pool)
    drawn = _draw(round_, questions, rng, today or now.date())
    numbers = select(func.count()).where(Entry.round_id == round_.id, Entry.person_id == person.id)
    entry = Entry(
        code=await _code(session, round_, rng),
        round_id=round_.id,
        person_id=person.id,
        number=((await session.execute(numbers)).scalar() or 0) + 1,
        unit_id=person.unit_id,
        paper=[[question.question, _shuffled(question, rng)] for question in drawn],
        started_at=now,
        due_at=min(now + timedelta(minutes=round_.minutes), round_.closes_at),
    )
    round_.seed = round_.seed or f"{rng.getrandbits(64):016x}"
    session.add(entry)
    await session.flush()
    return Paper(entry, tuple(drawn), {})


async def find_by_code(session: Session, code: str, person_id: int) -> Entry | None:
    """A person's own paper by its receipt."""
    query = select(Entry).where(Entry.code == code, Entry.person_id == person_id)
    return (await session.execute(query)).scalar()


async def fix_questions(session: Session, round_: Round, pool: Iterable[Asked]) -> list[RoundQuestion]:
    """The questions of a round, from `pool` when it has none yet: from then on nothing changes them."""
    known = select(RoundQuestion).where(RoundQuestion.round_id == round_.id).order_by(RoundQuestion.question)
    found = list((await session.execute(known)).scalars())
    if not found:
        found = [
            RoundQuestion(
                round_id=round_.id, question=each.question, topic=each.topic, stem=each.stem,
                options=list(each.options), answer=each.answer, explanation=each.explanation, citation=each.citation,
                valid_to=each.valid_to,
            )
            for each in sorted(pool, key=lambda each: each.question)
            if each.topic in round_.quota
        ]  # fmt: skip
        session.add_all(found)
        await session.flush()
    return found


def _draw(round_: Round, questions: list[RoundQuestion], rng: Random, today: date) -> list[RoundQuestion]:
    """So many of each topic as the round wants, in a random order; what was voided or is in force no more is not asked."""
    drawn: list[RoundQuestion] = []
    for topic, number in sorted(round_.quota.items()):
        good = [
            each
            for each in questions
            if each.topic == topic and each.voided_at is None and (each.valid_to is None or today <= each.valid_to)
        ]
        if len(good) < number:
            raise Conflict("contest.too_few")
        drawn += rng.sample(good, number)
    rng.shuffle(drawn)
    return drawn


def _shuffled(question: RoundQuestion, rng: Random) -> list[int]:
    order = list(range(len(question.options)))
    rng.shuffle(order)
    return order


async def _code(session: Session, round_: Round, rng: Random) -> str:
    while True:
        code = f"CT-{round_.opens_at.year % 100:02d}-W{round_.number:02d}-{rng.randrange(10**DIGITS):0{DIGITS}d}"
        if (await session.execute(select(Entry.id).where(Entry.code == code))).first() is None:
            return code


async def find_paper(session: Session, entry: Entry) -> Paper:
    """A paper with its questions and answers."""
    ids = [question for question, _ in entry.paper]
    found = await session.execute(
        select(RoundQuestion).where(RoundQuestion.round_id == entry.round_id, RoundQuestion.question.in_(ids))
    )
    by_id = {row.question: row for row in found.scalars()}
    given = await session.execute(select(EntryAnswer.place, EntryAnswer.choice).where(EntryAnswer.entry_id == entry.id))
    return Paper(entry, tuple(by_id[each] for each in ids), {place: choice for place, choice in given})


async def answer(session: Session, entry: Entry, place: int, choice: int, now: datetime) -> None:
    """Keeps an answer, in place of the one there was. Raises Conflict when the time is over or the paper handed in."""
    _check(entry, now)
    if entry.state == EntryState.RETURNED:
        entry.state = EntryState.SUBMITTED
    row = await session.get(EntryAnswer, (entry.id, place))
    if row is None:
        session.add(EntryAnswer(entry_id=entry.id, place=place, choice=choice, at=now))
    else:
        row.choice, row.at = choice, now
    await session.flush()


async def predict(session: Session, entry: Entry, number: int, now: datetime) -> None:
    """How many people will have all right, in this person's opinion. Raises Conflict like `answer`."""
    _check(entry, now)
    entry.prediction = number
    await session.flush()


async def submit(session: Session, entry: Entry, now: datetime) -> None:
    """Hands a paper in. Raises Conflict when the time is over or it was handed in before."""
    _check(entry, now)
    await _end(session, entry, {"state": EntryState.SUBMITTED, "submitted_at": now, "timed_out": False})


def in_time(entry: Entry, now: datetime) -> bool:
    """Whether what came in at a moment still counts: before the end, though the clock has handed in meanwhile."""
    return now < entry.due_at and (entry.state == EntryState.RUNNING or entry.timed_out)


def _check(entry: Entry, now: datetime) -> None:
    if not in_time(entry, now):
        raise Conflict("contest.time_over" if entry.state == EntryState.RUNNING else "contest.handed_in")


async def _end(session: Session, entry: Entry, values: dict[str, object]) -> None:
    changed = await session.execute(
        update(Entry)
        .where(Entry.id == entry.id, or_(Entry.state == EntryState.RUNNING, Entry.timed_out))
        .values(**values)
        .returning(Entry.id)
    )
    if changed.scalar() is None:
        raise Conflict("contest.handed_in")
    await session.refresh(entry)


async def time_out(session: Session, entry: Entry) -> int:
    """Hands in what there is of a paper whose time is over, as of that moment. Returns how many answers that is.

    A paper without any answer is returned, once in a round: the attempt was none.
    """
    if entry.state != EntryState.RUNNING:
        raise Conflict("contest.handed_in")
    query = select(func.count()).where(EntryAnswer.entry_id == entry.id)
    answers = (await session.execute(query)).scalar() or 0
    state = EntryState.SUBMITTED
    if not answers:
        returned = select(Entry.id).where(
            Entry.round_id == entry.round_id,
            Entry.person_id == entry.person_id,
            Entry.state == EntryState.RETURNED,
            Entry.timed_out,  # what a restored backup gave back is not their doing
        )
        if (await session.execute(returned.limit(1))).first() is None:
            state = EntryState.RETURNED
    await _end(session, entry, {"state": state, "submitted_at": entry.due_at, "timed_out": True})
    return answers


async def list_overdue(session: Session, before: datetime, limit: int) -> list[Entry]:
    """Papers whose time was over before a moment and that nobody handed in, earliest first."""
    query = select(Entry).where(Entry.state == EntryState.RUNNING, Entry.due_at <= before)
    return list((await session.execute(query.order_by(Entry.due_at, Entry.id).limit(limit))).scalars())


async def list_own(session: Session, person_id: int, round_id: int) -> list[Entry]:
    """A person's attempts of a round, in the order in which they were begun."""
    query = select(Entry).where(Entry.person_id == person_id, Entry.round_id == round_id)
    return list((await session.execute(query.order_by(Entry.number))).scalars())
