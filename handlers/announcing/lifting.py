"""Lifting the emergency stop: first what will go, what waits for its author's word and what is missed; then it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from content.calendar import day_start
from content.message import Message
from content.windows import times_to_send
from db import broadcasts, contests, policy
from db.broadcasts import Held
from db.errors import Refused
from db.models import Broadcast
from db.policy import Action
from handlers.announcing.approving import may_approve
from handlers.announcing.card import first_line
from handlers.announcing.flow import may_broadcast
from handlers.announcing.stopping import dialogue, may_stop
from handlers.dialogue import END, Answer, Command, Move, Place
from handlers.talk import Talk

LISTED = 10


class Fate(NamedTuple):
    """What becomes of a message once the stop is lifted: how many get it, and for how many it is too late."""

    broadcast: Broadcast
    number: int
    missed: int


class Fates(NamedTuple):
    """What goes at once, what waits for its hour still, what is held since its hour has passed, what some have missed."""

    going: list[Fate]
    later: list[Fate]
    asked: list[Fate]
    missed: list[Fate]


async def _fates(talk: Talk) -> Fates:
    found = [_fate(talk, each) for each in await broadcasts.list_held(talk.session, day_start, talk.now)]
    timed = [each for each in found if broadcasts.has_hour(each.broadcast)]
    return Fates(
        [each for each in found if each not in timed and each.number],
        [each for each in timed if each.broadcast.send_at > talk.now],
        [each for each in timed if each.broadcast.send_at <= talk.now],
        [each for each in found if each.missed],
    )


def _fate(talk: Talk, held: Held) -> Fate:
    broadcast, missed = held.broadcast, held.late
    if broadcast.kind == broadcasts.AUTOMATIC:
        times = times_to_send(broadcast.kind, broadcast.timing, held.unplanned, broadcast.send_at, talk.now)
        missed += sum(held.unplanned[hours] for hours, (due, until) in times.items() if until and due > until)
    return Fate(broadcast, held.left - missed, missed)


async def begin(talk: Talk, arg: str) -> Move | None:
    """Asks once, for what was held may be much and old."""
    if await _may_lift(talk):
        return dialogue.go("lift")
    return None


async def _may_lift(talk: Talk) -> bool:
    if not await may_stop(talk):
        raise Refused("common.refused")
    if await broadcasts.stopped(talk.session):
        return True
    talk.say("announcing.not_stopped")
    return False


@dialogue.ask("lift")
async def ask_lift(talk: Talk) -> Message:
    fates = await _fates(talk)
    return talk.screen(
        "announcing.lift_sure",
        going=_lines(fates.going),
        later=_lines(fates.later),
        asked=_lines(fates.asked),
        missed=[
            (code, text, each.missed) for (code, text, _), each in zip(_lines(fates.missed), fates.missed, strict=False)
        ],
        more=sum(max(0, len(each) - LISTED) for each in fates),
    )


def _lines(fates: Sequence[Fate]) -> list[tuple[str, str, int]]:
    return [(each.broadcast.code, first_line(each.broadcast), each.number) for each in fates[:LISTED]]


@dialogue.take("lift")
async def take_lift(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        talk.say("announcing.still_stopped")
        return END
    if not await _may_lift(talk):
        return END
    fates = await _fates(talk)
    await broadcasts.start_again(talk.session, talk.me.id, talk.now)
    talk.say(
        "announcing.started_again",
        n=sum(each.number for each in fates.going),
        later=len(fates.later),
        asked=len(fates.asked),
        missed=sum(each.missed for each in fates.missed),
        rounds=await contests.let_coming(talk.session, talk.me.id, talk.now),
        respectful=await broadcasts.respectful(talk.session),
    )
    for each in fates.missed:
        await _tell_missed(talk, each)
    return END


async def _tell_missed(talk: Talk, fate: Fate) -> None:
    """Who lets automatic messages go hears for how many the stop made one too late."""
    code, text = fate.broadcast.code, first_line(fate.broadcast)
    for person_id in await policy.anyone(talk.session, fate.broadcast.unit_id, Action.DECIDE_AUTOMATIC):
        if person_id != talk.me.id:
            await talk.tell(person_id, "announcing.stop_missed", code=code, text=text, n=fate.missed)


async def may_lift(talk: Talk) -> bool:
    """Whether there is a stop, and this person holds it."""
    return await may_stop(talk) and await broadcasts.stopped(talk.session)


async def stands(talk: Talk) -> str:
    """The officer's line that nothing goes to many, for whoever sends, approves or stops."""
    if not await broadcasts.stopped(talk.session):
        return ""
    concerned = await may_stop(talk) or await may_broadcast(talk) or await may_approve(talk)
    return talk.words("announcing.stop_stands") if concerned else ""


COMMANDS = (Command("choguilai", begin, place=Place.OFFICER, visible=may_lift),)
