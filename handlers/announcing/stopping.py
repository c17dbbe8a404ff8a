"""The emergency stop of everything sent to many, and the respectful mode (decisions 17). Not a person's own "no more"."""

from __future__ import annotations

from content.calendar import day_start
from content.message import Message
from db import broadcasts
from db.errors import Refused
from db.policy import Action
from handlers.dialogue import END, Answer, Command, Dialogue, Move, Place
from handlers.talk import Talk

dialogue = Dialogue("stopping", officers=True)


async def may_stop(talk: Talk) -> bool:
    """Whether this person holds the emergency stop."""
    return await talk.may(Action.EMERGENCY_STOP)


async def _check(talk: Talk) -> None:
    if not await may_stop(talk):
        raise Refused("common.refused")


async def begin(talk: Talk, arg: str) -> Move | None:
    await _check(talk)
    if await broadcasts.stopped(talk.session):
        if await broadcasts.doubt(talk.session) is not None:  # whoever was asked says that it stays so
            await broadcasts.stop_all(talk.session, talk.me.id, talk.now)
        await _say_stopped(talk)
        return None
    return dialogue.go("stop")


@dialogue.ask("stop")
async def ask_stop(talk: Talk) -> Message:
    respectful = await broadcasts.respectful(talk.session)
    return talk.screen("announcing.stop_sure", respectful=respectful, without=_other(respectful))


@dialogue.take("stop")
async def take_stop(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        talk.say("announcing.stop_kept")
        return END
    if answer.choice in ("solemn", "usual"):
        await solemn(talk, "on" if answer.choice == "solemn" else "off")
        return END
    await _check(talk)
    due = [each for each in await broadcasts.list_in(talk.session, *broadcasts.GOING) if each.send_at <= talk.now]
    await broadcasts.stop_all(talk.session, talk.me.id, talk.now)
    for broadcast in due:
        if broadcast.author_id is not None:
            await talk.tell(broadcast.author_id, "announcing.stopped_notice", code=broadcast.code)
    await broadcasts.note_told(talk.session, [each.id for each in due], talk.now)
    await _say_stopped(talk)
    return END


def _other(respectful: bool) -> tuple[str, ...]:
    """The button that would switch the respectful mode to what it is."""
    return ("solemn",) if respectful else ("usual",)


async def _say_stopped(talk: Talk) -> None:
    """What is held: messages on their way with who has not got them, planned or not, and those whose hour is to come."""
    respectful = await broadcasts.respectful(talk.session)
    held = await broadcasts.list_held(talk.session, day_start, talk.now)
    later = [each for each in held if broadcasts.has_hour(each.broadcast)]
    going = [each for each in held if each not in later and each.left]
    talk.say(
        "announcing.stopped_all",
        going=len(going),
        n=sum(each.left for each in going),
        later=len(later),
        waiting=sum(each.left for each in later),
        respectful=respectful,
        without=_other(respectful),
    )


async def solemn(talk: Talk, arg: str) -> Move | None:
    await _check(talk)
    on = arg != "off"
    number = await broadcasts.set_respectful(talk.session, talk.me.id, on, talk.now)
    stopped = await broadcasts.stopped(talk.session)
    without = () if stopped else ("go",)
    talk.say("announcing.solemn_on" if on else "announcing.solemn_off", n=number, stopped=stopped, without=without)
    return None


COMMANDS = (
    Command("dungkhan", begin, place=Place.OFFICER, slash=True, visible=may_stop),
    Command("trangnghiem", solemn),
)
