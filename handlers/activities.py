"""What a unit does itself on an anniversary: its chair writes one line, with which the message to its people ends."""

from __future__ import annotations

from content.anniversaries import ACTIVITY, Planned, has_picture, planned
from content.announcements import announcement, with_activity
from content.calendar import official
from content.message import Choice, Message
from content.placeholders import spelled
from content.text import clean_line, letters
from db import activities, units
from db.errors import Refused
from db.models import Unit
from db.policy import Action
from handlers.announcing.writing import refuse_secrets, warnings
from handlers.dialogue import END, Again, Answer, Command, Dialogue, Kind, Move
from handlers.talk import Talk

dialogue = Dialogue("activities", officers=True)

LEAST = 5
AHEAD = 366
UNITS = 6


async def may_write(talk: Talk) -> bool:
    """Whether this person writes such lines anywhere."""
    return await talk.may(Action.WRITE_ACTIVITY)


def _open(talk: Talk) -> list[Planned]:
    """The messages of the coming year that end with such a line, the next of each day; from their morning on it is late."""
    found: dict[str, Planned] = {}
    for item in planned(talk.house.packs.anniversaries, talk.today, AHEAD):
        if item.activity and item.audience == "all" and item.on > talk.today:
            found.setdefault(item.anniversary, item)
    return list(found.values())


async def begin(talk: Talk, arg: str) -> Move | None:
    if not await may_write(talk):
        raise Refused("common.refused")
    return dialogue.go("day")


@dialogue.ask("day")
async def ask_day(talk: Talk) -> Message:
    days = _open(talk)
    choices = [Choice(official(item.day), item.key) for item in days]
    return talk.screen("activities.day", *choices, lines=[[official(item.day), item.name] for item in days])


@dialogue.take("day")
async def take_day(talk: Talk, answer: Answer) -> Move | str:
    talk.put(day=answer.choice)
    held = await talk.tops(Action.WRITE_ACTIVITY)
    if len(held) == 1:
        talk.put(unit=held[0])
        return "line"
    return "unit"


@dialogue.ask("unit")
async def ask_unit(talk: Talk) -> Message:
    held = await talk.tops(Action.WRITE_ACTIVITY)
    names = [(unit_id, (await units.get(talk.session, unit_id)).name) for unit_id in held[:UNITS]]
    choices = [Choice(str(n), str(unit_id)) for n, (unit_id, _) in enumerate(names, 1)]
    return talk.screen("activities.unit", *choices, lines=[name for _, name in names])


@dialogue.take("unit")
async def take_unit(talk: Talk, answer: Answer) -> Move | str:
    talk.put(unit=int(answer.choice))
    return "line"


def _item(talk: Talk) -> Planned:
    """The message in hand. Raises Again when its morning has come meanwhile."""
    for item in _open(talk):
        if item.key == talk.data["day"]:
            return item
    raise Again("activities.late")


async def _unit(talk: Talk) -> tuple[Unit, str]:
    """The unit in hand and how a line names it."""
    unit = await units.get(talk.session, talk.data["unit"])
    return unit, unit.short_name or unit.name


@dialogue.ask("line", Kind.TEXT)
async def ask_line(talk: Talk) -> Message:
    _, key, year, _ = talk.data["day"].split(":")
    unit, short = await _unit(talk)
    known = await activities.find(talk.session, unit.id, key, int(year))
    without = () if known else ("remove",)
    return talk.screen("activities.line", without=without, unit=unit.name, known=known, most=_most(short))


def _most(short: str) -> int:
    return ACTIVITY - len(short) - len(": ")


@dialogue.take("line")
async def take_line(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "remove":
        await _write(talk, "")
        talk.say("activities.removed")
        return END
    text, (_, short) = spelled(clean_line(answer.text)), await _unit(talk)
    if not LEAST <= letters(text) <= _most(short):
        raise Again("activities.length", least=LEAST, most=_most(short), n=letters(text))
    if has_picture(text):
        raise Again("activities.picture")
    refuse_secrets(text)
    talk.put(line=text)
    return "preview"


@dialogue.ask("preview")
async def ask_preview(talk: Talk) -> Message:
    item, (_, short) = _item(talk), await _unit(talk)
    read = announcement(
        talk.house.words, "automatic", with_activity(talk.house.words, item.text, short, talk.data["line"]), ()
    )
    return talk.screen("activities.preview", text=read.text, lines=warnings(talk, talk.data["line"]), at=item.on)


@dialogue.take("preview")
async def take_preview(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "edit":
        return "line"
    await _write(talk, talk.data["line"])
    talk.say("activities.saved", at=_item(talk).on)
    return END


async def _write(talk: Talk, text: str) -> None:
    item = _item(talk)
    await activities.write(talk.session, talk.me.id, talk.data["unit"], item.anniversary, item.year, text, talk.now)


DIALOGUES = (dialogue,)
COMMANDS = (Command("viecdonvi", begin),)
