"""Prizes on the clock: given once the complaints are over, asked after at seven days, taken on to the next person at fourteen.

Whoever can verify a winner is reminded once after three days; after seven the contest's officers hear that nobody has, and at
once where nobody can.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from content.awards import awards
from content.message import Message
from db import audit, contests, house, people, policy, units
from db.contests.rounds import RUN
from db.models import Person, Policy, Prize, Round
from db.session import Session
from scheduler import notices

if TYPE_CHECKING:
    from scheduler.timetable import Work

REMIND, PASS = timedelta(days=7), timedelta(days=14)
VERIFY = (timedelta(0), timedelta(days=3), timedelta(days=7))
"""After how long it is seen whether anybody can verify a winner, they are reminded, and the contest's officers hear of it."""
SHOWN = 5
"""Winners named in one message."""


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
    async with work.database.read() as session:  # the prizes that were given just now are among them
        unverified = [n for n, after in enumerate(VERIFY) if await contests.list_unverified(session, now - after, n)]
    for stage in unverified:
        async with work.database.write() as session:
            await _unverified(work, session, stage, now)
    if due or silent or unverified:
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
    await notices.tell(session, person_id, message, now, f"prizes-awarded:{round_.id}:{person_id}")


async def _remind(work: Work, session: Session, prize: Prize, now: datetime) -> None:
    """At most once; after a restore, when the time begins anew, with why: the phone may have been given since the backup."""
    key = "remind_restored" if await house.is_doubtful(session, prize.asked_at) else "remind"
    prize.reminded = 1
    prize.asked_at = max(prize.asked_at, now - REMIND)  # whoever is asked late has the whole week all the same
    round_ = await contests.get_round(session, prize.round_id)
    said: dict[str, Any] = {"until": prize.asked_at + PASS, "kind": "reminder", "policy": Policy.AMO}
    await _tell(work, session, prize.person_id, key, prize, round_, now, **said)


async def _unverified(work: Work, session: Session, stage: int, now: datetime) -> None:
    """Reminds each of those who can verify, or tells each of those who hold the contest, once for all that wait by now.

    Where nobody can verify there is nothing to wait for: who holds the contest hears it at the first stage that finds so.
    """
    last = len(VERIFY) - 1
    reminded: dict[int, list[tuple[Prize, Person]]] = {}
    told: dict[tuple[int, int], list[tuple[Prize, Person]]] = {}
    for prize in await contests.list_unverified(session, now - VERIFY[stage], stage):
        who = await people.get(session, prize.person_id)
        asked = await contests.list_verifiers(session, who)
        if asked and stage < last:
            prize.union_reminded = stage + 1
            for person_id in asked if stage else ():
                reminded.setdefault(person_id, []).append((prize, who))
            continue
        prize.union_reminded = len(VERIFY)
        contest = await contests.get_contest(session, (await contests.get_round(session, prize.round_id)).contest_id)
        for person_id in await policy.anyone(session, contest.unit_id, RUN):
            told.setdefault((person_id, prize.round_id), []).append((prize, who))
    for person_id, found in reminded.items():
        await _remind_union(work, session, person_id, found, now)
    for (person_id, _), found in told.items():
        await _tell_late(work, session, person_id, found, VERIFY[stage].days if stage == last else 0, now)


async def _remind_union(
    work: Work, session: Session, person_id: int, found: Sequence[tuple[Prize, Person]], now: datetime
) -> None:
    since = min(prize.asked_at for prize, _ in found)
    message = work.words.message(
        "contest_prize.verify_reminder", n=len(found), names=[who.name for _, who in found[:SHOWN]], since=since
    )
    await _remind_once(
        work, session, person_id, message, f"prize-verify-again:{found[0][0].id}:{person_id}:{_since(found[0][0])}", now
    )


async def _tell_late(
    work: Work, session: Session, person_id: int, found: Sequence[tuple[Prize, Person]], days: int, now: datetime
) -> None:
    """`days`: since when who can verify was asked; 0 where nobody can."""
    round_ = await contests.get_round(session, found[0][0].round_id)
    lines = []
    for prize, who in found[:SHOWN]:
        unit = await units.get(session, who.unit_id) if who.unit_id is not None else None
        asked = [(await people.get(session, each)).name for each in await contests.list_verifiers(session, who)]
        lines.append((who.name, unit.name if unit is not None else "", prize.name, asked))
    message = work.words.message(
        "contest_prize.unverified_notice",
        week=await contests.week_of(session, round_), days=days, n=len(found), lines=lines,
        tag=f"{round_.id}.{round_.version}",
    )  # fmt: skip
    await _remind_once(
        work, session, person_id, message, f"prize-unverified:{found[0][0].id}:{person_id}:{_since(found[0][0])}", now
    )


async def _remind_once(work: Work, session: Session, person_id: int, message: Message, key: str, now: datetime) -> None:
    """When they are awake, and at most once: a doubtful one is better missed than repeated."""
    await notices.tell(session, person_id, message, now, key, kind="reminder", policy=Policy.AMO)


def _since(prize: Prize) -> int:
    """What tells a reminder from the one before a restore, since when its time has begun anew."""
    return int(prize.asked_at.timestamp())


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
    for person_id in await contests.list_verifiers(session, who):
        await _tell(work, session, person_id, "verify_notice", prize, round_, now, name=who.name, unit=unit.name)


async def _tell(
    work: Work,
    session: Session,
    person_id: int,
    key: str,
    prize: Prize,
    round_: Round,
    now: datetime,
    *,
    kind: str = "result",
    policy: Policy = Policy.ALO,
    **said: Any,
) -> None:
    params = {"prize": prize.name, "week": await contests.week_of(session, round_), **said}
    if key != "passed_notice":
        params["id"] = prize.id
    if key == "win":
        params["worth"] = prize.worth
    message = work.words.message(f"contest_prize.{key}", **params)
    since = f":{_since(prize)}" if kind == "reminder" else ""
    dedup = f"prize-{key}:{prize.id}:{person_id}{since}"
    await notices.tell(session, person_id, message, now, dedup, kind=kind, policy=policy)
