"""Beginning a message: what kind it is, and why it is urgent."""

from __future__ import annotations

from content.calendar import day_start
from content.message import Message
from content.text import clean, letters
from db import broadcasts, units
from db.audiences import Rule
from db.errors import Refused
from db.policy import Action
from handlers.announcing.flow import dialogue, may_broadcast
from handlers.announcing.writing import refuse_secrets
from handlers.dialogue import Again, Answer, Command, Move, Place
from handlers.talk import Talk

WHY = (5, 200)
"""Fewest and most letters of the reason for an urgent message."""


async def begin(talk: Talk, arg: str) -> Move | None:
    """A new message, or the one begun before."""
    if not await may_broadcast(talk):
        raise Refused("common.refused")
    return dialogue.go("start")


@dialogue.ask("start")
async def start(talk: Talk) -> Message | str:
    assert talk.draft is not None
    if talk.data.get("kind") and talk.draft.step != "start":
        return talk.draft.step
    if not await broadcasts.only_leads_team(talk.session, talk.me.id):
        return "type"
    if await broadcasts.sent_today(talk.session, talk.me.id, day_start(talk.now)):
        raise Again("announcing.team_once")
    talk.say("announcing.team_only_text")
    await _begin_audience(talk)
    talk.put(kind="notice", team=True)
    return "audience"


@dialogue.question("type", "announcing.type")
async def take_type(talk: Talk, answer: Answer) -> Move | str:
    talk.put(kind=answer.choice)
    if "audience" not in talk.data:
        await _begin_audience(talk)
    return "why" if answer.choice == "urgent" else "audience"


async def _begin_audience(talk: Talk) -> None:
    top = (await talk.tops(Action.BROADCAST))[0]
    talk.put(audience=Rule(top).to_json(), unit_name=(await units.get(talk.session, top)).name)


@dialogue.question("why", "announcing.why_urgent", free=True)
async def take_why(talk: Talk, answer: Answer) -> Move | str:
    given = talk.house.words.label("announcing.why_urgent", answer.choice) if answer.choice else clean(answer.text)
    if not WHY[0] <= letters(given) <= WHY[1]:
        raise Again("announcing.doc_length", least=WHY[0], most=WHY[1], n=letters(given))
    refuse_secrets(given)
    talk.put(why=given)
    return "audience"


COMMANDS = (Command("guitin", begin, place=Place.OFFICER, slash=True, visible=may_broadcast),)
