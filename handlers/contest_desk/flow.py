"""What the officers' steps share: who may come in, the round a button names, its rules, what may enter it."""

from __future__ import annotations

from content.contest_plan import ROUND, Context, Fault, check_round, stored
from content.contest_rules import context_of, fault_text, reviewed, rules_text, too_long
from content.text import whole_number
from db import contests, units, verdicts
from db.contests.rounds import APPROVE, RUN
from db.errors import NotFound, Refused
from db.models import Contest, Round
from handlers.dialogue import Dialogue
from handlers.talk import Talk


async def may_run(talk: Talk) -> bool:
    """Whether this person writes and steers contests anywhere."""
    return await talk.may(RUN)


async def may_approve(talk: Talk) -> bool:
    """Whether this person approves contests anywhere."""
    return await talk.may(APPROVE)


async def may_see(talk: Talk) -> bool:
    """Whether contests are this person's business."""
    return await may_run(talk) or await may_approve(talk)


dialogue = Dialogue("contest_desk", officers=True, allowed=may_see)
NOTE = (5, 300)
"""Fewest and most letters of a reason that people are told."""


async def check(talk: Talk) -> None:
    """Raises Refused for who has nothing to do with contests."""
    if not await may_see(talk):
        raise Refused("common.refused")


async def named(talk: Talk, arg: str) -> tuple[Round, int, Contest]:
    """The round of "12.3" (its id and version) within this person's reach, and its contest. Raises Refused, NotFound."""
    first, _, second = arg.partition(".")
    number, version = whole_number(first), whole_number(second or "0")
    if number is None or version is None or number >= 10**9:
        raise NotFound("common.not_found")
    round_ = await contests.get_round(talk.session, number)
    return round_, version, await contests.check_sight(talk.session, round_, talk.me.id)


async def place(talk: Talk, contest: Contest) -> str:
    """The unit whose contest it is, "" for the whole tree."""
    unit = await units.get(talk.session, contest.unit_id)
    return unit.name if unit.parent_id is not None else ""


async def counts(talk: Talk) -> dict[str, int]:
    """Topic → questions that may enter a contest today."""
    bank = talk.house.packs.bank
    return reviewed(bank, talk.today, bank.standing(await verdicts.list_verdicts(talk.session)))


def context(talk: Talk) -> Context:
    """What reading a setting needs."""
    return context_of(talk.house.packs.bank, talk.now)


def explain(talk: Talk, fault: Fault) -> str:
    """A fault and its remedy."""
    return fault_text(talk.house.words, talk.house.packs.bank, fault)


async def faults_of(talk: Talk, round_: Round, contest: Contest) -> list[str]:
    """What keeps a round from being held, as things stand now."""
    values = {setting.name: getattr(round_, setting.name) for setting in ROUND}
    found = check_round(values, await counts(talk), talk.now)
    found += too_long(talk.house.words, [round_], await place(talk, contest))
    return [explain(talk, Fault(0, each.name, each.key, each.params)) for each in found]


def texts_of(talk: Talk, round_: Round) -> dict[str, str]:
    """The settings of a round as text that can be read again."""
    return {setting.name: stored(setting, getattr(round_, setting.name), context(talk)) for setting in ROUND}


async def rules(talk: Talk, round_: Round, contest: Contest) -> str:
    """The rules as people read them."""
    return rules_text(talk.house.words, round_, round_.number, await place(talk, contest))


def tag(round_: Round) -> str:
    """What a button carries: the round and the version it was shown at."""
    return f"{round_.id}.{round_.version}"


def too_late(talk: Talk, round_: Round, typed: str = "") -> None:
    """Says that the round is no longer as the button saw it; what was typed is shown back, so that it is not lost."""
    talk.say("contest_desk.changed", id=round_.id, typed=typed)
