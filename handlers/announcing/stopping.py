"""The emergency stop of everything sent to many, and the respectful mode (decisions 17). Not a person's own "no more"."""

from __future__ import annotations

from db import broadcasts, policy
from db.errors import Refused
from db.models import BroadcastState
from db.policy import Action
from handlers.dialogue import END, Answer, Command, Dialogue, Move, Place
from handlers.talk import Talk

dialogue = Dialogue("stopping", officers=True)


async def may_stop(talk: Talk) -> bool:
    """Whether this person holds the emergency stop."""
    return talk.person is not None and bool(await policy.scopes(talk.session, talk.me.id, Action.EMERGENCY_STOP))


async def _check(talk: Talk) -> None:
    if not await may_stop(talk):
        raise Refused("common.refused")


async def begin(talk: Talk, arg: str) -> Move | None:
    await _check(talk)
    if await broadcasts.stopped(talk.session):
        await _say_stopped(talk, await broadcasts.count_held(talk.session))
        return None
    return dialogue.go("stop")


@dialogue.question("stop", "announcing.stop_sure")
async def take_stop(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        talk.say("announcing.stop_kept")
        return END
    await _check(talk)
    for broadcast in await broadcasts.list_in(talk.session, BroadcastState.PLANNING, BroadcastState.SENDING):
        if broadcast.author_id is not None:
            await talk.tell(broadcast.author_id, "announcing.stopped_notice", code=broadcast.code)
    await _say_stopped(talk, await broadcasts.stop_all(talk.session, talk.me.id, talk.now))
    return END


async def _say_stopped(talk: Talk, number: int) -> None:
    respectful = await broadcasts.respectful(talk.session)
    talk.say("announcing.stopped_all", n=number, respectful=respectful, without=("solemn",) if respectful else ())


async def start_again(talk: Talk, arg: str) -> Move | None:
    await _check(talk)
    talk.say("announcing.started_again", n=await broadcasts.start_again(talk.session, talk.me.id, talk.now))
    return None


async def solemn(talk: Talk, arg: str) -> Move | None:
    await _check(talk)
    on = arg != "off"
    number = await broadcasts.set_respectful(talk.session, talk.me.id, on, talk.now)
    talk.say("announcing.solemn_on" if on else "announcing.solemn_off", n=number)
    return None


COMMANDS = (
    Command("dungkhan", begin, place=Place.OFFICER, slash=True, visible=may_stop),
    Command("choguilai", start_again),
    Command("trangnghiem", solemn),
)
