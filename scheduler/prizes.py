"""Prizes on the clock: given once the complaints are over, asked after at seven days, taken on to the next person at fourteen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from content.awards import awards
from content.message import to_json
from content.windows import awake
from db import audit, contests, outbox, people, policy, units
from db.contests.rounds import RUN
from db.models import Prize, Round
from db.policy import Action
from db.session import Session

if TYPE_CHECKING:
    from scheduler.timetable import Work

REMIND, PASS = timedelta(days=7), timedelta(days=14)


async def run(work: Work) -> None:
    """One look. A round is awarded once, and every step of a prize is conditional."""
    now = work.now()
    async with work.database.read() as session:
        due = [round_.id for round_ in await contests.list_to_award(session, now)]
        silent = bool(
            await contests.list_silent(session, now - REMIND, 0) or await contests.list_silent(session, now - PASS, 1)
        )
    for round_id in due:
        async with work.database.write() as session:
            await _award(work, session, await contests.get_round(session, round_id), now)
    if silent:
        async with work.database.write() as session:
            for prize in await contests.list_silent(session, now - PASS, 1):
                await _pass_on(work, session, prize, now)
            for prize in await contests.list_silent(session, now - REMIND, 0):
                await _remind(work, session, prize, now)
    if due or silent:
        work.said()


async def _award(work: Work, session: Session, round_: Round, now: datetime) -> None:
    out = await contests.list_out(session, round_)
    given = list(awards(await contests.list_in_order(session, round_.id), round_.prizes, out))
    found = await contests.award(session, round_, given, now)
    for prize in found:
        await _tell_winner(work, session, prize, round_, now)
    if found:
        contest = await contests.get_contest(session, round_.contest_id)
        for person_id in await policy.anyone(session, contest.unit_id, RUN):
            await _tell_officer(work, session, person_id, round_, len(found), now)


async def _tell_officer(
    work: Work, session: Session, person_id: int, round_: Round, number: int, now: datetime
) -> None:
    """Who holds the contest has the prizes to see to from now on."""
    tag = f"{round_.id}.{round_.version}"
    message = work.words.message(
        "contest_prize.awarded_notice", week=await contests.week_of(session, round_), n=number, tag=tag
    )
    person = await people.get(session, person_id)
    wait = (awake(person.hours, now) - now).total_seconds()
    dedup = f"prizes-awarded:{round_.id}:{person_id}"
    await outbox.tell(session, person_id, to_json(message), now=now, key=dedup, after=wait)


async def _remind(work: Work, session: Session, prize: Prize, now: datetime) -> None:
    prize.reminded = 1
    prize.asked_at = max(prize.asked_at, now - REMIND)  # whoever is asked late has the whole week all the same
    round_ = await contests.get_round(session, prize.round_id)
    await _tell(work, session, prize.person_id, "remind", prize, round_, now, until=prize.asked_at + PASS)


async def _pass_on(work: Work, session: Session, prize: Prize, now: datetime) -> None:
    round_ = await contests.get_round(session, prize.round_id)
    out = await contests.list_out(session, round_)
    next_one = next((each for each in await contests.list_in_order(session, round_.id) if each not in out), None)
    made = await contests.pass_on(session, prize, next_one, audit.SYSTEM, now)
    await _tell(work, session, prize.person_id, "passed_notice", prize, round_, now)
    if made is not None:
        await _tell_winner(work, session, made, round_, now)


async def _tell_winner(work: Work, session: Session, prize: Prize, round_: Round, now: datetime) -> None:
    """The winner, and the nearest of those who can say whether this is their member."""
    await _tell(work, session, prize.person_id, "win", prize, round_, now)
    who = await people.get(session, prize.person_id)
    if who.unit_id is None:
        return
    unit = await units.get(session, who.unit_id)
    for person_id in await policy.nearest(session, who.unit_id, Action.CONFIRM_MEMBERS):
        if person_id != who.id:
            await _tell(work, session, person_id, "verify_notice", prize, round_, now, name=who.name, unit=unit.name)


async def _tell(
    work: Work, session: Session, person_id: int, key: str, prize: Prize, round_: Round, now: datetime, **said: Any
) -> None:
    params = {"prize": prize.name, "week": await contests.week_of(session, round_), **said}
    if key != "passed_notice":
        params["id"] = prize.id
    if key == "win":
        params["worth"] = prize.worth
    message = work.words.message(f"contest_prize.{key}", **params)
    person = await people.get(session, person_id)
    wait = (awake(person.hours, now) - now).total_seconds()
    dedup = f"prize-{key}:{prize.id}:{person_id}"
    await outbox.tell(session, person_id, to_json(message), now=now, kind="result", key=dedup, after=wait)
