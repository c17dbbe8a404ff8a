"""What the steps of a contest share: the round somebody sees, the questions it may draw from, time in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from db import contests, policy, verdicts
from db.contests import Asked
from db.contests.rounds import APPROVE, RUN
from db.models import Round, RoundState
from db.policy import Action
from handlers.dialogue import Dialogue
from handlers.talk import Talk

dialogue = Dialogue("contest")

SHOWN = timedelta(days=14)
"""How long a result keeps the contest in the menu, and how long before its opening a round does."""


class Phase(StrEnum):
    """Where a round is: still AHEAD, OPEN, PAUSED, WAITING for its result, CANCELLED, or OVER."""

    AHEAD = "ahead"
    OPEN = "open"
    PAUSED = "paused"
    WAITING = "waiting"
    CANCELLED = "cancelled"
    OVER = "over"


PAST = (Phase.WAITING, Phase.CANCELLED, Phase.OVER)
"""Where nobody sits a paper any more."""
PREFERRED = (Phase.OPEN, Phase.PAUSED, Phase.WAITING, Phase.AHEAD, Phase.CANCELLED, Phase.OVER)
"""Of several rounds, which one is shown."""


STANDING = {
    RoundState.PUBLISHED: Phase.OVER,
    RoundState.PAUSED: Phase.PAUSED,
    RoundState.CANCELLED: Phase.CANCELLED,
}
"""What a state says, whatever the hour."""


def phase(round_: Round, now: datetime) -> Phase:
    """Where a round is at a moment."""
    if round_.state in STANDING:
        return STANDING[round_.state]
    if now < round_.opens_at:
        return Phase.AHEAD
    return Phase.OPEN if now < round_.closes_at else Phase.WAITING


async def shown(talk: Talk) -> list[Round]:
    """The rounds this person may see, the one that concerns them most first."""
    if talk.person is None:
        return []
    found = await contests.list_shown(talk.session, talk.me.unit_id, talk.now - SHOWN)
    near = [each for each in found if each.opens_at <= talk.now + SHOWN and _for_me(talk, each) and _still(talk, each)]

    def key(round_: Round) -> tuple[int, float]:
        where = phase(round_, talk.now)
        at = round_.closes_at.timestamp()
        return PREFERRED.index(where), -at if where == Phase.OVER else at

    return sorted(near, key=key)


async def coming(talk: Talk) -> Round | None:
    """The next round that is approved, however far ahead."""
    found = await contests.list_shown(talk.session, talk.me.unit_id, talk.now)
    return next((each for each in found if phase(each, talk.now) == Phase.AHEAD and _for_me(talk, each)), None)


def _still(talk: Talk, round_: Round) -> bool:
    """One that was called off is spoken of until its result would have come."""
    return round_.state != RoundState.CANCELLED or talk.now < round_.result_at


def _for_me(talk: Talk, round_: Round) -> bool:
    return not round_.groups or talk.me.audience in round_.groups


async def exists(talk: Talk) -> bool:
    """Whether there is a round to offer at all."""
    return bool(await shown(talk))


async def visible_round(talk: Talk, arg: str) -> Round | None:
    """The round a button names, or the one that concerns this person most; None where they may see none."""
    found = await shown(talk)
    if arg.isdecimal():
        number = int(arg) if len(arg) < 10 else 0
        return next((each for each in found if each.id == number), None)
    return found[0] if found else None


async def organises(talk: Talk, round_: Round) -> bool:
    """Whether this person has a right to run or approve the contest, or to review its questions: they practise, and win nothing."""
    if not await policy.roles(talk.session, talk.me.id):
        return False
    contest = await contests.get_contest(talk.session, round_.contest_id)
    for action in (RUN, APPROVE, Action.REVIEW_LAW):
        if await policy.may(talk.session, talk.me.id, action, contest.unit_id):
            return True
    return False


async def excluded(talk: Talk, round_: Round) -> str | None:
    """Why this person was marked not to take part; None for everybody else."""
    return (await contests.list_disqualified(talk.session, round_.id)).get(talk.me.id)


async def pool(talk: Talk, round_: Round) -> list[Asked]:
    """What the bank has for a round: in force today and reviewed by a named person."""
    bank = talk.house.packs.bank
    standing = bank.standing(await verdicts.list_verdicts(talk.session))
    return [
        Asked(
            question=each.id, topic=each.topic, stem=each.stem, options=each.options, answer=each.answer,
            explanation=each.explanation, citation=each.citation, valid_to=each.valid_to,
        )
        for each in bank.for_contest(talk.today, standing)
        if each.topic in round_.quota
    ]  # fmt: skip


def span(talk: Talk, left: timedelta) -> str:
    """A time that is left, as minutes and seconds."""
    seconds = max(0, int(left.total_seconds()))
    return talk.words("contest.minutes_seconds", minutes=seconds // 60, seconds=f"{seconds % 60:02d}")
