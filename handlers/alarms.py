"""What is wrong with the house itself: administrators see it and say that they look after it."""

from __future__ import annotations

import re

from db import alarms
from db.errors import Refused
from db.models import Alarm
from db.policy import Action
from handlers.dialogue import Command, Move, Place
from handlers.talk import Talk


async def may_read(talk: Talk) -> bool:
    """Whether this person hears of alarms."""
    return await talk.may(Action.READ_ALARMS)


async def waiting(talk: Talk) -> str:
    """The officer's line about what is wrong and what nobody looks after yet."""
    found = await alarms.list_open(talk.session) if await may_read(talk) else []
    new = sum(alarm.acknowledged_at is None for alarm in found)
    return talk.words("alarms.waiting", n=len(found), new=new) if found else ""


async def show(talk: Talk, arg: str) -> Move | None:
    """Everything that is wrong now."""
    if not await may_read(talk):
        raise Refused("common.refused")
    found = await alarms.list_open(talk.session)
    if not found:
        talk.say("alarms.none")
        return None
    lines = [
        (talk.words(f"alarms.what_{each.name}"), each.opened_at, each.acknowledged_at is not None) for each in found
    ]
    new = [each for each in found if each.acknowledged_at is None]
    talk.say("alarms.list", without=() if new else ("known",), lines=lines)
    return None


async def acknowledge(talk: Talk, arg: str) -> Move | None:
    """Ends the reminders about one alarm, or about all."""
    if not await may_read(talk):
        raise Refused("common.refused")
    meant = [int(arg)] if re.fullmatch(r"[0-9]{1,9}", arg) else await _open(talk)
    done = [await alarms.acknowledge(talk.session, each, talk.me.id, talk.now) for each in meant]
    talk.say("alarms.known" if any(done) else "alarms.too_late")
    return None


async def _open(talk: Talk) -> list[int]:
    found: list[Alarm] = await alarms.list_open(talk.session)
    return [alarm.id for alarm in found]


COMMANDS = (
    Command("suco", show, place=Place.OFFICER, slash=True, visible=may_read),
    Command("dabiet", acknowledge),
)
OFFICER_WORK = (waiting,)
