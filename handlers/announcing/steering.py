"""A message on its way: paused, resumed, stopped for good; afterwards corrected, sent again, listed by who missed it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from content.calendar import day_start
from content.message import Message
from content.placeholders import spelled
from content.text import clean, letters
from content.windows import times_to_send
from db import audit, broadcasts, jobs, people, policy, units
from db.errors import Conflict, Refused
from db.models import Broadcast, BroadcastState, OutState
from db.policy import Action
from db.session import Session
from handlers.announcing import card
from handlers.announcing.approving import in_the_way
from handlers.announcing.card import dialogue, split, visible
from handlers.announcing.flow import MOST
from handlers.announcing.flow import dialogue as composing
from handlers.announcing.writing import refuse_secrets
from handlers.dialogue import END, Again, Answer, Command, Kind, Move
from handlers.talk import Talk

Steer = Callable[[Session, Broadcast, int, int, datetime], Awaitable[int]]
ENDED = (BroadcastState.DONE, BroadcastState.CANCELLED)


async def _steer(talk: Talk, arg: str, verb: Steer, key: str, action: str) -> None:
    """Does it once, for the version the button saw; says what happened, also to an author whose message it is."""
    broadcast = await visible(talk, arg)
    try:
        number = await verb(talk.session, broadcast, talk.me.id, split(arg)[1], talk.now)
    except Conflict:
        await card.too_late(talk, broadcast)
        return
    counts = await broadcasts.figures(talk.session, broadcast.id)
    params: dict[str, Any] = {
        "code": broadcast.code,
        "version": broadcast.version,
        "n": number,
        "sent": counts[OutState.SENT.value],
        "flying": counts[OutState.SENDING.value],
    }
    reached = sum(counts[state.value] for state in card.REACHED)
    without = () if key != "cancelled" or card.may_rewrite(broadcast, talk.me.id, reached) else ("rewrite",)
    talk.say(f"announcing.{key}", without=without, **params)
    if broadcast.author_id not in (None, talk.me.id):
        assert broadcast.author_id is not None
        did = talk.words(f"announcing.did_{action}")
        await talk.tell(
            broadcast.author_id, "announcing.steered_notice", code=broadcast.code, who=talk.me.name, did=did
        )


async def pause(talk: Talk, arg: str) -> Move | None:
    await _steer(talk, arg, broadcasts.pause, "paused", "pause_broadcast")
    return None


async def resume(talk: Talk, arg: str) -> Move | None:
    await _steer(talk, arg, broadcasts.resume, "resumed", "resume_broadcast")
    return None


async def begin_cancel(talk: Talk, arg: str) -> Move | None:
    """Asks once, since it stands beside the pause and nobody can take it back."""
    broadcast = await visible(talk, arg)
    if not await broadcasts.may_steer(talk.session, broadcast, talk.me.id):
        raise Refused("common.refused")
    if broadcast.version != split(arg)[1] or broadcast.state not in card.CONTROLS:
        await card.too_late(talk, broadcast)
        return None
    return dialogue.go("cancel", arg=arg)


@dialogue.ask("cancel")
async def ask_cancel(talk: Talk) -> Message:
    broadcast = await visible(talk, talk.data["arg"])
    counts = await broadcasts.figures(talk.session, broadcast.id)
    found = await broadcasts.foresee(talk.session, broadcast, day_start(max(broadcast.send_at, talk.now)))
    unplanned = sum(number for (reason, _), number in found.items() if not reason)
    return talk.screen(
        "announcing.cancel_sure",
        code=broadcast.code,
        sent=counts[OutState.SENT.value],
        n=counts[OutState.READY.value] + counts[OutState.HELD.value] + unplanned,
        pause="pause" in card.CONTROLS.get(broadcast.state, ()),
    )


@dialogue.take("cancel")
async def take_cancel(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        broadcast = await visible(talk, talk.data["arg"])
        without = () if "pause" in card.CONTROLS.get(broadcast.state, ()) else ("pause",)
        talk.say("announcing.cancel_kept", without=without, code=broadcast.code, version=broadcast.version)
        return END
    await _steer(talk, talk.data["arg"], broadcasts.cancel, "cancelled", "cancel_broadcast")
    return END


# ---------------------------------------------------------------------------------------------------- afterwards


async def unreached(talk: Talk, arg: str) -> Move | None:
    """A list takes time with thousands of people: it is made as a job, for what this person may see then."""
    broadcast = await visible(talk, arg)
    data = {"broadcast": broadcast.id, "person": talk.me.id}
    if await jobs.add(talk.session, "unreached", data, talk.account.id, talk.now):
        # Names of many leave in a file: who took them along is written down.
        about = f"broadcast {broadcast.code}"
        audit.note(talk.session, talk.me.id, "list_unreached", about, talk.now, broadcast.unit_id)
    talk.say("announcing.unreached_started")
    return None


async def begin_again(talk: Talk, arg: str) -> Move | None:
    broadcast = await visible(talk, arg)
    number = await broadcasts.count_state(talk.session, broadcast.id, OutState.UNKNOWN)
    if not number:
        talk.say("announcing.again_none")
        return None
    return dialogue.go("again", code=broadcast.code, version=broadcast.version, n=number)


@dialogue.ask("again")
async def ask_again(talk: Talk) -> Message:
    return talk.screen("announcing.again_sure", code=talk.data["code"], n=talk.data["n"])


@dialogue.take("again")
async def take_again(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        talk.say("common.cancelled")
        return END
    broadcast = await visible(talk, talk.data["code"])
    known = await people.list_hours(talk.session)
    times = times_to_send(broadcast.kind, broadcast.timing, known, broadcast.send_at, talk.now)
    try:
        number = await broadcasts.resend_unknown(
            talk.session, broadcast, talk.me.id, talk.data["version"], times, talk.now
        )
    except Conflict:
        await card.too_late(talk, broadcast)
        return END
    talk.say("announcing.again_done", n=number)
    return END


async def begin_correction(talk: Talk, arg: str) -> Move | None:
    """A correction goes to exactly those who have the wrong one, or may have; so that one must be over."""
    broadcast = await visible(talk, arg)
    await policy.check(talk.session, talk.me.id, Action.BROADCAST, broadcast.unit_id)
    if broadcast.state not in ENDED:
        talk.say("announcing.correct_first", code=broadcast.code)
        await card.say(talk, broadcast)
        return None
    number = await broadcasts.count_reached(talk.session, broadcast.id)
    if not number:
        talk.say("announcing.correct_none", code=broadcast.code)
        return None
    if await in_the_way(talk):
        return None
    rule = broadcasts.rule_of(broadcast)
    return composing.go(
        "correction",
        kind="correction",
        audience=rule.to_json() | {"corrects": broadcast.id},
        unit_name=(await units.get(talk.session, broadcast.unit_id)).name,
        corrects=broadcast.id,
        code=broadcast.code,
        reached=number,
        team=await broadcasts.only_leads_team(talk.session, talk.me.id),
    )


@composing.ask("correction", Kind.TEXT, to_many=True)
async def ask_correction(talk: Talk) -> Message:
    return talk.screen(
        "announcing.correct_text", code=talk.data["code"], n=talk.data["reached"], text=talk.data.get("text", "")
    )


@composing.take("correction")
async def take_correction(talk: Talk, answer: Answer) -> Move | str:
    text = spelled(clean(answer.text))
    if not 1 <= letters(text) <= MOST:
        raise Again("announcing.body_long", n=letters(text), most=MOST)
    refuse_secrets(text)
    talk.put(text=text)
    return "warnings"


COMMANDS = (
    Command("tamdung", pause),
    Command("guitiep", resume),
    Command("dunghan", begin_cancel),
    Command("chuanhan", unreached),
    Command("guilaitin", begin_again),
    Command("dinhchinh", begin_correction),
)
