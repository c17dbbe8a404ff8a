"""What can be done with a message once it is confirmed: approve, send back, pause, stop, correct, list who missed it."""

from __future__ import annotations

from content.message import Message
from content.text import clean, letters, whole_number
from db import broadcasts, jobs, policy, units
from db.errors import Conflict, NotFound, Refused
from db.models import Broadcast, BroadcastState
from db.policy import Action
from handlers.announcing.compose import refuse_secrets
from handlers.announcing.flow import MOST
from handlers.announcing.flow import dialogue as composing
from handlers.dialogue import END, Again, Answer, Command, Dialogue, Kind, Move
from handlers.talk import Talk

dialogue = Dialogue("steering")


def _split(arg: str) -> tuple[str, int]:
    code, _, version = arg.strip().upper().partition(".")
    return code, whole_number(version) or 0


async def _mine(talk: Talk, arg: str) -> Broadcast:
    """A broadcast one may steer: one's own, or within one's right to approve."""
    code = _split(arg)[0]
    try:
        return await broadcasts.get_for(talk.session, talk.me.id, code, Action.BROADCAST)
    except NotFound:
        return await broadcasts.get_for(talk.session, talk.me.id, code, Action.APPROVE_BROADCAST)


# ---------------------------------------------------------------------------------------------------- second person


async def approve(talk: Talk, arg: str) -> Move | None:
    code, version = _split(arg)
    broadcast = await broadcasts.get_for(talk.session, talk.me.id, code, Action.APPROVE_BROADCAST)
    await broadcasts.approve(talk.session, broadcast, talk.me.id, version, talk.now)
    if broadcast.author_id is not None:
        await talk.tell(broadcast.author_id, "announcing.approved_notice", dedup=f"approved:{broadcast.id}", code=code)
    talk.say("announcing.approved", code=code)
    return None


async def begin_return(talk: Talk, arg: str) -> Move | None:
    code, version = _split(arg)
    broadcast = await broadcasts.get_for(talk.session, talk.me.id, code, Action.APPROVE_BROADCAST)
    if broadcast.version != version or broadcast.state != BroadcastState.WAITING:
        raise Conflict("announcing.moved_on")
    return dialogue.go("note", arg=arg)


@dialogue.ask("note", Kind.TEXT)
async def ask_note(talk: Talk) -> Message:
    return talk.screen("announcing.return_note", code=_split(talk.data["arg"])[0])


@dialogue.take("note")
async def take_note(talk: Talk, answer: Answer) -> Move | str:
    note = clean(answer.text)
    if not 3 <= letters(note) <= 500:
        raise Again("announcing.doc_length", least=3, most=500, n=letters(note))
    await _return(talk, talk.data["arg"], note)
    return END


async def refuse(talk: Talk, arg: str) -> Move | None:
    await _return(talk, arg, "")
    return None


async def _return(talk: Talk, arg: str, note: str) -> None:
    code, version = _split(arg)
    broadcast = await broadcasts.get_for(talk.session, talk.me.id, code, Action.APPROVE_BROADCAST)
    await broadcasts.send_back(talk.session, broadcast, talk.me.id, version, note, talk.now)
    if broadcast.author_id is not None:
        await talk.tell(
            broadcast.author_id, "announcing.returned_notice", dedup=f"returned:{broadcast.id}", code=code, note=note
        )
    talk.say("announcing.returned" if note else "announcing.refused", code=code)


async def compose_again(talk: Talk, arg: str) -> Move | None:
    """A returned message comes back into the draft as it was."""
    broadcast = await _mine(talk, arg)
    if broadcast.author_id != talk.me.id or broadcast.state != BroadcastState.RETURNED:
        raise NotFound("announcing.not_found")
    unit = await units.get(talk.session, broadcast.unit_id)
    audience = {k: v for k, v in broadcast.audience.items() if k not in ("count", "bodies", "texts")}
    kind = "notice" if broadcast.kind == "document" else broadcast.kind
    return composing.go("body", kind=kind, audience=audience, unit_name=unit.name, text=broadcast.text)


# ---------------------------------------------------------------------------------------------------- on its way


async def pause(talk: Talk, arg: str) -> Move | None:
    broadcast = await _mine(talk, arg)
    number = await broadcasts.pause(talk.session, broadcast, talk.me.id, _split(arg)[1], talk.now)
    talk.say("announcing.paused", code=broadcast.code, version=broadcast.version, n=number)
    return None


async def resume(talk: Talk, arg: str) -> Move | None:
    broadcast = await _mine(talk, arg)
    number = await broadcasts.resume(talk.session, broadcast, talk.me.id, _split(arg)[1], talk.now)
    talk.say("announcing.resumed", code=broadcast.code, n=number)
    return None


async def cancel(talk: Talk, arg: str) -> Move | None:
    broadcast = await _mine(talk, arg)
    number = await broadcasts.cancel(talk.session, broadcast, talk.me.id, _split(arg)[1], talk.now)
    talk.say("announcing.cancelled", code=broadcast.code, n=number)
    return None


# ---------------------------------------------------------------------------------------------------- afterwards


async def unreached(talk: Talk, arg: str) -> Move | None:
    broadcast = await _mine(talk, arg)
    await jobs.add(talk.session, "unreached", {"broadcast": broadcast.id}, talk.account.id, talk.now)
    talk.say("announcing.unreached_started")
    return None


async def begin_again(talk: Talk, arg: str) -> Move | None:
    broadcast = await _mine(talk, arg)
    counts = await broadcasts.figures(talk.session, broadcast.id)
    if not counts["unknown"]:
        talk.say("announcing.again_none")
        return None
    return dialogue.go("again", code=broadcast.code, n=counts["unknown"])


@dialogue.ask("again")
async def ask_again(talk: Talk) -> Message:
    return talk.screen("announcing.again_sure", code=talk.data["code"], n=talk.data["n"])


@dialogue.take("again")
async def take_again(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        talk.say("common.cancelled")
        return END
    broadcast = await _mine(talk, talk.data["code"])
    number = await broadcasts.resend_unknown(talk.session, broadcast, talk.me.id, talk.now)
    talk.say("announcing.again_done", n=number)
    return END


async def begin_correction(talk: Talk, arg: str) -> Move | None:
    """A correction goes to exactly those who got the wrong one, or may have."""
    broadcast = await _mine(talk, arg)
    await policy.check(talk.session, talk.me.id, Action.BROADCAST, broadcast.unit_id)
    number = len(await broadcasts.reached(talk.session, broadcast.id))
    if not number:
        talk.say("announcing.correct_none", code=broadcast.code)
        return None
    unit = await units.get(talk.session, broadcast.unit_id)
    audience = {k: v for k, v in broadcast.audience.items() if k not in ("count", "bodies", "texts")}
    return composing.go(
        "correction", kind="correction", audience=audience, unit_name=unit.name, corrects=broadcast.id, code=broadcast.code,
        reached=number, text="",
    )  # fmt: skip


@composing.ask("correction", Kind.TEXT)
async def ask_correction(talk: Talk) -> Message:
    return talk.screen("announcing.correct_text", code=talk.data["code"], n=talk.data["reached"])


@composing.take("correction")
async def take_correction(talk: Talk, answer: Answer) -> Move | str:
    text = clean(answer.text)
    if not 1 <= letters(text) <= MOST:
        raise Again("announcing.body_long", n=letters(text), most=MOST)
    refuse_secrets(text)
    talk.put(text=text)
    return "warnings"


async def show_mine(talk: Talk, arg: str) -> Move | None:
    lines = [
        f"{b.code} – {talk.words(f'announcing.state_{b.state.value}')}: {b.text.splitlines()[0][:50]}"
        for b in (await broadcasts.list_by(talk.session, talk.me.id))[:8]
    ]
    talk.say("announcing.mine", lines=lines)
    return None


# ---------------------------------------------------------------------------------------------------- stop


async def may_stop(talk: Talk) -> bool:
    """Whether this person holds the emergency stop."""
    return talk.person is not None and bool(await policy.scopes(talk.session, talk.me.id, Action.EMERGENCY_STOP))


async def _check_stop(talk: Talk) -> None:
    if not await may_stop(talk):
        raise Refused("common.refused")


async def begin_stop(talk: Talk, arg: str) -> Move | None:
    await _check_stop(talk)
    return dialogue.go("stop")


@dialogue.ask("stop")
async def ask_stop(talk: Talk) -> Message:
    return talk.screen("announcing.stop_sure")


@dialogue.take("stop")
async def take_stop(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        talk.say("common.cancelled")
        return END
    await _check_stop(talk)
    number = await broadcasts.stop_all(talk.session, talk.me.id, talk.now)
    talk.say("announcing.stopped_all", n=number, respectful=await broadcasts.respectful(talk.session))
    return END


async def start_again(talk: Talk, arg: str) -> Move | None:
    await _check_stop(talk)
    talk.say("announcing.started_again", n=await broadcasts.start_again(talk.session, talk.me.id, talk.now))
    return None


async def solemn(talk: Talk, arg: str) -> Move | None:
    await _check_stop(talk)
    on = arg != "off"
    number = await broadcasts.set_respectful(talk.session, talk.me.id, on, talk.now)
    talk.say("announcing.solemn_on" if on else "announcing.solemn_off", n=number)
    return None


DIALOGUES = (dialogue,)
COMMANDS = (
    Command("duyettin", approve),
    Command("tratin", begin_return),
    Command("khonggui", refuse),
    Command("soanlai", compose_again),
    Command("tamdung", pause),
    Command("guitiep", resume),
    Command("dunghan", cancel),
    Command("chuanhan", unreached),
    Command("guilaitin", begin_again),
    Command("dinhchinh", begin_correction),
    Command("tincua", show_mine),
    Command("dungkhan", begin_stop, slash=True, visible=may_stop),
    Command("choguilai", start_again),
    Command("trangnghiem", solemn),
)
