"""The second person: sees everything, lets it go, sends it back with a word, or says no. Never one's own."""

from __future__ import annotations

from collections import Counter
from typing import Any

from content.calendar import LOCAL, day_start
from content.message import Media, Message
from content.placeholders import count_placeholders, fill
from content.text import clean, letters
from content.windows import awake
from db import accounts, broadcasts, people, units
from db.errors import Conflict, NotFound, Refused
from db.models import Broadcast, BroadcastState
from db.policy import Action
from handlers.announcing import card
from handlers.announcing.card import dialogue, split
from handlers.announcing.flow import attached, whom
from handlers.announcing.flow import dialogue as composing
from handlers.dialogue import END, Again, Answer, Command, Kind, Move, Place
from handlers.talk import Talk

NOTE = (3, 500)


async def may_approve(talk: Talk) -> bool:
    """Whether this person is the second pair of eyes anywhere."""
    return await talk.may(Action.APPROVE_BROADCAST)


async def waiting(talk: Talk) -> str:
    """The officer's line about what waits for their second look."""
    found = await broadcasts.list_to_approve(talk.session, talk.me.id) if await may_approve(talk) else []
    return talk.words("announcing.to_approve", n=len(found)) if found else ""


async def ask_second(talk: Talk, broadcast: Broadcast) -> bool:
    """Shows the message as it will be read, files included, to everybody who may approve it. False: nobody may.

    What is to leave before they wake is shown at once.
    """
    asked = await broadcasts.approvers(talk.session, broadcast)
    for person_id in asked:
        reader = await people.get(talk.session, person_id)
        soon = broadcast.timing != "window" and broadcast.send_at <= awake(reader.hours, talk.now)
        if broadcast.media:  # on its own, since an album carries no buttons
            media = _media(broadcast)
            await talk.tell(person_id, "announcing.approve_files", media=media, at_once=soon, code=broadcast.code)
        said = await _request(talk, broadcast, reader.name)
        await talk.tell(person_id, "announcing.approve_notice", at_once=soon, **said)
    return bool(asked)


def _media(broadcast: Broadcast) -> list[Media]:
    return [Media(*item) for item in broadcast.media]


async def _request(talk: Talk, broadcast: Broadcast, reader: str) -> dict[str, Any]:
    """All that the second person judges by, with their own name where each reader's will stand."""
    author = await people.get(talk.session, broadcast.author_id or 0)
    unit = await units.get(talk.session, broadcast.unit_id)
    return {
        "code": broadcast.code,
        "version": broadcast.version,
        "type": talk.words(f"announcing.kind_{broadcast.kind}"),
        "n": broadcast.audience["count"],
        "whom": await whom(talk, broadcasts.rule_of(broadcast)),
        "time": talk.words(f"announcing.time_{broadcast.timing}", at=broadcast.send_at.astimezone(LOCAL)),
        "author": author.name,
        "reason": broadcast.reason,
        "files": attached(talk, _media(broadcast)),
        "personal": bool(count_placeholders(broadcast.text)),
        "text": fill(broadcast.text, name=reader, unit=unit.name),
    }


async def show_waiting(talk: Talk, arg: str) -> Move | None:
    """The next message that waits for this person, whole."""
    if not await may_approve(talk):
        raise Refused("common.refused")
    found = await broadcasts.list_to_approve(talk.session, talk.me.id)
    if not found:
        talk.say("announcing.nothing_to_approve")
        return None
    if found[0].media:
        talk.say("announcing.approve_files", media=_media(found[0]), code=found[0].code)
    talk.say("announcing.approve_notice", **await _request(talk, found[0], talk.me.name))
    return None


async def approve(talk: Talk, arg: str) -> Move | None:
    broadcast, version = await _asked(talk, arg)
    reached, full = await _foreseen(talk, broadcast)
    if full and not reached and broadcast.state == BroadcastState.WAITING and broadcast.version == version:
        await broadcasts.check_second(talk.session, broadcast, talk.me.id)
        talk.say("announcing.approve_nobody", code=broadcast.code, version=version, full=full)
        return None
    try:
        await broadcasts.approve(talk.session, broadcast, talk.me.id, version, talk.now)
    except Conflict:
        await card.too_late(talk, broadcast)
        return None
    code, stopped = broadcast.code, await broadcasts.stopped(talk.session)
    said: dict[str, Any] = {"code": code, "n": reached, "full": full, "stopped": stopped}
    if broadcast.author_id is not None:
        await talk.tell(broadcast.author_id, "announcing.approved_notice", who=talk.me.name, **said)
    talk.say("announcing.approved", **said)
    return None


async def _foreseen(talk: Talk, broadcast: Broadcast) -> tuple[int, int]:
    """How many will get it as things stand, and how many have had their messages meanwhile."""
    found = await broadcasts.foresee(talk.session, broadcast, day_start(max(broadcast.send_at, talk.now)))
    people = Counter[str]()
    for (reason, _), number in found.items():
        people[reason] += number
    return people[""], people["capped"]


async def _asked(talk: Talk, arg: str) -> tuple[Broadcast, int]:
    code, version = split(arg)
    return await broadcasts.get_for(talk.session, talk.me.id, code, Action.APPROVE_BROADCAST), version


async def begin_return(talk: Talk, arg: str) -> Move | None:
    broadcast, version = await _asked(talk, arg)
    await broadcasts.check_second(talk.session, broadcast, talk.me.id)
    if broadcast.version != version or broadcast.state != BroadcastState.WAITING:
        await card.too_late(talk, broadcast)
        return None
    return dialogue.go("note", arg=arg)


@dialogue.ask("note", Kind.TEXT)
async def ask_note(talk: Talk) -> Message:
    return talk.screen("announcing.return_note", code=split(talk.data["arg"])[0])


@dialogue.take("note")
async def take_note(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        talk.say("common.cancelled")
        return END
    note = clean(answer.text)
    if not NOTE[0] <= letters(note) <= NOTE[1]:
        raise Again("announcing.doc_length", least=NOTE[0], most=NOTE[1], n=letters(note))
    await _return(talk, talk.data["arg"], note)
    return END


async def refuse(talk: Talk, arg: str) -> Move | None:
    await _return(talk, arg, "")
    return None


async def _return(talk: Talk, arg: str, note: str) -> None:
    broadcast, version = await _asked(talk, arg)
    try:
        await broadcasts.send_back(talk.session, broadcast, talk.me.id, version, note, talk.now)
    except Conflict:
        await card.too_late(talk, broadcast, typed=note)
        return
    if broadcast.author_id is not None:
        key = "announcing.returned_notice" if note else "announcing.refused_notice"
        who, code = talk.me.name, broadcast.code
        await talk.tell(broadcast.author_id, key, code=code, who=who, note=note)
    talk.say("announcing.returned" if note else "announcing.refused", code=broadcast.code)


async def take_up(talk: Talk, arg: str) -> Move | None:
    """A message that came back, or was stopped before it went, is a draft again as it was; one whose author lost the
    right is taken over."""
    broadcast = await broadcasts.get_for(talk.session, talk.me.id, split(arg)[0], Action.BROADCAST)
    mine = broadcast.author_id == talk.me.id
    so_far = await broadcasts.figures(talk.session, broadcast.id)
    reached = sum(so_far[state.value] for state in card.REACHED)
    if not (card.may_rewrite(broadcast, talk.me.id, reached) if mine else broadcast.state == BroadcastState.HELD):
        await card.too_late(talk, broadcast)
        return None
    if await in_the_way(talk):
        return None
    if not mine:
        await broadcasts.take_over(talk.session, broadcast, talk.me.id, broadcast.version, talk.now)
    return composing.go("taken_up", **broadcast.answers, source=broadcast.id, reached=reached)


@composing.ask("taken_up")
async def taken_up(talk: Talk) -> str:
    assert talk.draft is not None
    await broadcasts.detach(talk.session, talk.data["source"], talk.draft.id)
    if talk.data["reached"]:
        talk.say("announcing.half_sent", n=talk.data["reached"])
    talk.drop("source", "n", "reached")
    return "preview"


async def in_the_way(talk: Talk) -> bool:
    """Whether another message is being composed: it must not be overwritten, so its author decides about it first."""
    draft = await accounts.find_draft(talk.session, talk.me.id, composing.name)
    if draft is None or not draft.data:
        return False
    talk.say("announcing.draft_first")
    return True


async def drop_draft(talk: Talk, arg: str) -> Move | None:
    """Throws away the message being composed, on its author's word."""
    draft = await accounts.find_draft(talk.session, talk.me.id, composing.name)
    if draft is None:
        raise NotFound("common.not_found")
    if talk.draft is not None and talk.draft.id == draft.id:
        talk.say("common.dropped")
        return END
    await talk.session.delete(draft)
    talk.say("common.dropped")
    return None


COMMANDS = (
    Command("tincho", show_waiting, place=Place.OFFICER, visible=may_approve),
    Command("duyettin", approve),
    Command("tratin", begin_return),
    Command("khonggui", refuse),
    Command("soanlai", take_up),
    Command("bonhap", drop_draft),
)
