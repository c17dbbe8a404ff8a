"""The demo's weekly contest: last week's round with its result, this week's open for whoever wants to try it."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from random import Random

from content.calendar import LOCAL, local_date
from content.demo import DemoContest
from content.quiz import Bank
from db import audit, contests, people, units
from db.contests import Asked, Settings
from db.models import Board, Contest, Person, Purpose, Round
from db.session import Session

WEEK = timedelta(days=7)
BOARDS = (Board.FULL, Board.FULL, Board.SHORT, Board.HIDDEN)


async def hold(
    session: Session, pack: DemoContest, bank: Bank, known: dict[str, int], channel: str, now: datetime
) -> None:
    """Two rounds of a contest, the later one the week of `now`, and the papers that some handed in already."""
    top = await units.top(session)
    assert top is not None
    monday = datetime.combine(local_date(now) - timedelta(days=local_date(now).weekday()), time(7), LOCAL)
    contest = await contests.create_contest(
        session, top.id, pack.name, audit.SYSTEM, monday - WEEK, legal_basis=pack.legal_basis, organiser=pack.organiser
    )
    crowd = [key for key in known if key.startswith("crowd-")]
    rounds = []
    for opens, theme in zip((monday - WEEK, monday), pack.themes, strict=True):
        rounds.append(await _round(session, contest, pack, bank, theme, opens))
    for round_, who in zip(rounds, ([*pack.tried, *crowd[::3]], crowd[::5]), strict=True):
        for number, key in enumerate(who):
            at = round_.opens_at + timedelta(hours=12 + number * 5 % 70, minutes=number * 17 % 60)
            if at < now:
                await _sit(session, round_, await people.get(session, known[key]), number, channel, at)


async def _round(
    session: Session, contest: Contest, pack: DemoContest, bank: Bank, theme: str, opens: datetime
) -> Round:
    closes = opens + timedelta(days=6, hours=14)  # Sunday, 21:00
    settings = Settings(
        theme=theme, opens_at=opens, closes_at=closes, result_at=closes + timedelta(days=1, hours=20),
        quota=pack.quota, prizes=[{**each, "count": int(each["count"])} for each in pack.prizes],
    )  # fmt: skip
    round_ = await contests.create_round(session, contest, settings, audit.SYSTEM, opens - WEEK)
    day = local_date(opens)
    pool = [
        Asked(each.id, topic, each.stem, each.options, each.answer, each.explanation, each.citation, each.valid_to)
        for topic in pack.quota
        for each in bank.usable(topic, day)
    ]
    await contests.fix_questions(session, round_, pool)
    await contests.approve(session, round_, round_.version, audit.SYSTEM, opens - WEEK)
    return round_


async def _sit(session: Session, round_: Round, person: Person, number: int, channel: str, at: datetime) -> None:
    """A paper with more or fewer right answers, as it comes."""
    if person.board is None:
        person.board = BOARDS[number % len(BOARDS)]
        await people.consent(session, person.id, Purpose.CONTESTS, "demo", channel, at)
        if person.board != Board.HIDDEN:
            await people.consent(session, person.id, Purpose.BOARD, "demo", channel, at)
    rng = Random(number)
    paper = await contests.open_paper(session, round_, person, (), rng, at)
    right = rng.choice((5, 6, 7, 7, 8, 8, 9, 9, 10, 10))
    for place, question in enumerate(paper.questions):
        chosen = question.answer if place < right else (question.answer + 1) % len(question.options)
        at += timedelta(seconds=rng.randint(8, 40))
        await contests.answer(session, paper.entry, place, chosen, at)
    await contests.predict(session, paper.entry, rng.choice((3, 5, 8, 12, 20, 30)), at)
    await contests.submit(session, paper.entry, at + timedelta(seconds=15))
