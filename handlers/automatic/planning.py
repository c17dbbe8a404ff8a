"""The calendar of content: twelve months of what goes out by itself, a message at a time, a month or a card as a picture."""

from __future__ import annotations

from datetime import date

from content.agenda import Entry, agenda, entries_of, extras
from content.calendar import local_date
from content.message import Choice, Message
from db import automatic, broadcasts, jobs
from db.errors import Refused
from db.models import AutomaticState, Broadcast
from handlers.announcing.card import state_words
from handlers.automatic.flow import dialogue, may_see
from handlers.dialogue import STAY, Answer, Command, Move, Place
from handlers.paging import page, turn
from handlers.talk import Talk

AHEAD = 366
PAGE = 5


async def show_calendar(talk: Talk, arg: str) -> Move | None:
    """Twelve months of what goes out by itself."""
    if not await may_see(talk):
        raise Refused("common.refused")
    return dialogue.go("list", start=0)


def _ahead(talk: Talk) -> list[Entry]:
    """The messages to come, one line each: what single groups read more stands with what all do."""
    found = agenda(talk.house.words, talk.house.packs, talk.today, AHEAD)
    return [entry for entry in found if entry.text and entry.audience in ("all", "registered")]


@dialogue.ask("list")
async def ask_list(talk: Talk) -> Message:
    ahead = _ahead(talk)
    shown, without = page(talk, ahead, PAGE)
    decided = await automatic.states(talk.session, talk.today)
    begun = await automatic.begun(talk.session, [entry.key for entry in shown])
    lines = [
        [entry.at, _title(talk, entry), await _status(talk, entry, decided.get(entry.key), begun.get(entry.key))]
        for entry in shown
    ]
    choices = [Choice(str(n + 1), f"e-{ahead.index(entry)}") for n, entry in enumerate(shown)]
    month = f"{(shown[0].at if shown else talk.local):%Y-%m}"
    talk.put(month=month)
    return talk.screen("automatic.list", *choices, without=without, lines=lines, month=month)


def _title(talk: Talk, entry: Entry) -> str:
    if entry.kind == "check":
        return talk.house.words.plain("cards.title_check", name=entry.name)
    return talk.house.words.plain("automatic.title", n=entry.ordinal or 0, name=entry.name, day=entry.day)


async def _status(talk: Talk, entry: Entry, decided: AutomaticState | None, broadcast: Broadcast | None) -> str:
    """How far it is once it goes out; before, whether it may and what was decided about it already."""
    if broadcast is not None:
        return state_words(talk, broadcast, stopped=await broadcasts.stopped(talk.session))
    if decided == AutomaticState.ASKED and talk.house.silence == "hold":
        return talk.house.words.plain("automatic.status_held")
    if decided in (AutomaticState.STOPPED, AutomaticState.EDITED):
        return talk.house.words.plain(f"automatic.status_{decided.value}")
    state = "left_out" if entry.left_out else "approved" if entry.approved else "waiting"
    return talk.house.words.plain(f"cards.state_{state}")


@dialogue.take("list")
async def take_list(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "more":
        return turn(talk)
    if answer.choice == "month":
        return await _draw(talk, talk.data["month"])
    entry = _ahead(talk)[int(answer.choice.removeprefix("e-"))]
    talk.put(key=entry.key, on=local_date(entry.at).isoformat())
    return "item"


@dialogue.ask("item")
async def ask_item(talk: Talk) -> Message | str:
    entries = entries_of(talk.house.words, talk.house.packs, talk.data["key"], date.fromisoformat(talk.data["on"]))
    if not entries:
        return "list"
    entry = entries[0]
    decided = await automatic.find(talk.session, entry.key)
    begun = (await automatic.begun(talk.session, [entry.key])).get(entry.key)
    return talk.screen(
        "automatic.item",
        without=() if entry.card else ("picture",),
        name=_title(talk, entry),
        at=entry.at,
        whom=talk.words(f"automatic.whom_{entry.audience}"),
        off=entry.days_off,
        card=entry.card,
        state=await _status(talk, entry, decided.state if decided is not None else None, begun),
        proofread=entry.proofread_by,
        approved=entry.approved_by,
        text=(decided.text if decided is not None else "") or entry.text,
        extras=[[talk.words(f"automatic.group_{group}"), line] for group, line in extras(entries).items()],
    )


@dialogue.take("item")
async def take_item(talk: Talk, answer: Answer) -> Move | str:
    return "list" if answer.choice == "list" else await _draw(talk, talk.data["key"])


async def _draw(talk: Talk, what: str) -> Move | str:
    """A picture takes a tenth of a second: it is made beside the writer's transaction and comes as a message."""
    await jobs.add(talk.session, "picture", {"what": what, "person": talk.me.id}, talk.account.id, talk.now)
    talk.say("automatic.drawing")
    return STAY


COMMANDS = (Command("lich", show_calendar, place=Place.OFFICER, slash=True, visible=may_see),)
