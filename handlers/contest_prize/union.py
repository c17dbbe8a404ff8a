"""The union's word for its member: who won and waits for it, and the two answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from content.message import Choice, Message
from db import contests, people, policy, units
from db.contests.rounds import RUN
from db.errors import Conflict
from db.models import Person, Prize, Round
from db.policy import Action
from db.session import Session
from handlers.contest_prize.flow import PAGE, dialogue, named, said
from handlers.dialogue import Answer, Command, Move, Place
from handlers.paging import page, picked
from handlers.talk import Talk


async def waits(talk: Talk) -> bool:
    """Whether anybody's prize waits for this person's word."""
    return talk.person is not None and bool(await contests.list_to_verify(talk.session, talk.me.id))


async def waiting(talk: Talk) -> str:
    """The officer's line about winners who wait for the union's word."""
    found = await contests.list_to_verify(talk.session, talk.me.id)
    return talk.words("contest_prize.to_verify", n=len(found)) if found else ""


async def show(talk: Talk, arg: str) -> Move | None:
    """Who waits for it, of the units within reach."""
    await talk.tops(Action.CONFIRM_MEMBERS)  # refuses whoever may nowhere
    return dialogue.go("verify", start=0)


@dialogue.ask("verify", officers=True)
async def ask_verify(talk: Talk) -> Message:
    shown, without = page(talk, await contests.list_to_verify(talk.session, talk.me.id), PAGE)
    lines = [
        (who.name, unit, prize.name, await contests.week_of(talk.session, round_)) for prize, who, unit, round_ in shown
    ]
    choices = [Choice(str(n), f"prize-{prize.id}") for n, (prize, *_) in enumerate(shown, 1)]
    return talk.screen("contest_prize.verify_list", *choices, without=without, lines=lines)


@dialogue.take("verify")
async def take_verify(talk: Talk, answer: Answer) -> Move | str:
    return picked(talk, answer, "prize", "winner")


@dialogue.ask("winner", officers=True)
async def ask_winner(talk: Talk) -> Message | str:
    prize, round_ = await named(talk, str(talk.data["prize"]))
    found = {each.id: (who, unit) for each, who, unit, _ in await contests.list_to_verify(talk.session, talk.me.id)}
    if prize.id not in found:
        return "verify"
    who, unit = found[prize.id]
    return talk.screen("contest_prize.winner", name=who.name, unit=unit, **await said(talk, prize, round_))


@dialogue.take("winner")
async def take_winner(talk: Talk, answer: Answer) -> Move | str:
    return "verify"


Word = Callable[[Session, Prize, int, datetime], Awaitable[None]]


async def _give(talk: Talk, arg: str, word: Word) -> tuple[Prize, Round, Person] | None:
    """The union's word, given once; None (which is said) where somebody was faster, or the prize has moved on."""
    prize, round_ = await named(talk, arg)
    who = await people.get(talk.session, prize.person_id)
    try:
        await word(talk.session, prize, talk.me.id, talk.now)
    except Conflict:
        talk.say("contest_prize.verified_already", name=who.name)
        return None
    return prize, round_, who


async def verify(talk: Talk, arg: str) -> Move | None:
    """One button: this is a member of the unit."""
    if (given := await _give(talk, arg, contests.verify)) is None:
        return None
    prize, round_, who = given
    talk.say("contest_prize.verified", name=who.name)
    without = () if not prize.phone else ("phone",)
    await talk.tell(who.id, "contest_prize.verified_notice", without=without, **await said(talk, prize, round_))
    return None


async def deny(talk: Talk, arg: str) -> Move | None:
    """Nobody of theirs: those who hold the contest decide."""
    if (given := await _give(talk, arg, contests.deny)) is None:
        return None
    prize, round_, who = given
    unit = await units.get(talk.session, who.unit_id) if who.unit_id is not None else None
    contest = await contests.get_contest(talk.session, round_.contest_id)
    for officer in await policy.anyone(talk.session, contest.unit_id, RUN):
        await talk.tell(
            officer,
            "contest_prize.denied_notice",
            dedup=f"prize-denied:{prize.id}:{officer}",
            name=who.name,
            unit=unit.name if unit is not None else "",
            tag=f"{round_.id}.{round_.version}",
            **await said(talk, prize, round_),
        )
    talk.say("contest_prize.denied", name=who.name, id=prize.id)
    return None


COMMANDS = (
    Command("xacminhgiai", show, place=Place.OFFICER, visible=waits),
    Command("dungdoanvien", verify),
    Command("khongphaidv", deny),
)
