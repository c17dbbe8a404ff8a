"""What the steps of a prize share: the prize a button names, what every message says of it, who hears that it was won."""

from __future__ import annotations

from typing import Any

from content.text import whole_number
from db import contests, people, units
from db.errors import NotFound
from db.models import Person, Prize, PrizeState, Round
from handlers.dialogue import Dialogue
from handlers.talk import Talk

dialogue = Dialogue("contest_prize")
PAGE = 5


def number_of(arg: str) -> int:
    """The id that a button carries. Raises NotFound."""
    found = whole_number(arg)
    if found is None or found >= 10**9:
        raise NotFound("common.not_found")
    return found


async def named(talk: Talk, arg: str) -> tuple[Prize, Round]:
    """The prize of a button and its round. Raises NotFound."""
    prize = await contests.get_prize(talk.session, number_of(arg))
    return prize, await contests.get_round(talk.session, prize.round_id)


async def said(talk: Talk, prize: Prize, round_: Round) -> dict[str, Any]:
    """What every message about a prize needs."""
    week = await contests.week_of(talk.session, round_)
    return {"id": prize.id, "prize": prize.name, "worth": prize.worth, "week": week}


def name_of(talk: Talk, who: Person) -> str:
    """Who won, as its officers see it."""
    return talk.words("contest_prize.nobody") if who.erased_at is not None else who.name


def state_of(talk: Talk, prize: Prize, who: Person) -> str:
    """Where a prize is, as its officers see it."""
    if prize.state == PrizeState.WAITING and who.erased_at is not None:
        return talk.words("contest_prize.state_gone")
    denied = prize.state == PrizeState.WAITING and prize.denied_at is not None
    return talk.words("contest_prize.state_denied" if denied else f"contest_prize.state_{prize.state.value}")


async def tell_winner(talk: Talk, prize: Prize, round_: Round) -> None:
    """The winner, and those who can say whether this is their member."""
    known = await said(talk, prize, round_)
    await talk.tell(prize.person_id, "contest_prize.win", dedup=f"prize:{prize.id}", **known)
    who: Person = await people.get(talk.session, prize.person_id)
    unit = await units.get(talk.session, who.unit_id) if who.unit_id is not None else None
    for chair in await contests.list_verifiers(talk.session, who):
        await talk.tell(
            chair,
            "contest_prize.verify_notice",
            dedup=f"prize-verify:{prize.id}:{chair}",
            name=who.name,
            unit=unit.name if unit is not None else "",
            **known,
        )
