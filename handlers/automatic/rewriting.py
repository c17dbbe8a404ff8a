"""Giving an automatic message other words, which a second person lets go."""

from __future__ import annotations

from datetime import timedelta

from content.agenda import Entry, asked, entries_of, extras, room
from content.anniversaries import LINES, has_picture
from content.announcements import announcement
from content.message import Message, to_json
from content.placeholders import fill, spelled
from content.text import clean, letters
from content.windows import asleep_for
from db import automatic, outbox, people, policy, units
from db.errors import Conflict, NotFound, Refused
from db.models import AutomaticMessage
from db.policy import Action
from handlers.announcing.writing import refuse_secrets, warnings
from handlers.automatic.flow import dialogue, is_over, row_of, show, state_of, top_of
from handlers.dialogue import END, Again, Answer, Command, Kind, Move
from handlers.talk import Talk

LEAST = 20
"""Fewest letters of other words for a message."""


async def begin_edit(talk: Talk, arg: str) -> Move | None:
    """The button that gives it other words."""
    row, version = await row_of(talk, arg)
    await policy.check(talk.session, talk.me.id, Action.DECIDE_AUTOMATIC, await top_of(talk))
    if row.key.startswith("check"):
        raise Refused("common.refused")
    if is_over(talk, row):
        talk.say("automatic.over")
        return None
    if row.version != version or await automatic.has_begun(talk.session, row.key):
        begun = await automatic.has_begun(talk.session, row.key)
        await show(talk, row, late=talk.house.words.plain("automatic.begun" if begun else "automatic.moved_on"))
        return None
    return dialogue.go("edit", row=row.id, version=version)


async def _held(talk: Talk) -> tuple[AutomaticMessage, list[Entry]]:
    row = await automatic.get(talk.session, talk.data["row"])
    entries = entries_of(talk.house.words, talk.house.packs, row.key, row.send_on)
    if not entries:
        raise NotFound("common.not_found")
    return row, entries


def _most(talk: Talk, row: AutomaticMessage, entries: list[Entry]) -> int:
    _, day, _, variant = row.key.split(":")
    return room(entries, activity=variant == "t3" and talk.house.packs.anniversaries.get(day).activity)


@dialogue.ask("edit", Kind.TEXT)
async def ask_edit(talk: Talk) -> Message:
    row, entries = await _held(talk)
    text = row.text or entries[0].text
    return talk.screen("automatic.edit", text=text, most=_most(talk, row, entries), lines=LINES - len(extras(entries)))


@dialogue.take("edit")
async def take_edit(talk: Talk, answer: Answer) -> Move | str:
    row, entries = await _held(talk)
    if answer.choice == "no":
        await show(talk, row)
        return END
    text = spelled(clean(answer.text))
    if text == (row.text or entries[0].text):
        talk.say("automatic.edit_same")
        return END
    most, most_lines = _most(talk, row, entries), LINES - len(extras(entries))
    lines = text.count("\n") + 1
    if not letters(text) >= LEAST or len(text) > most or lines > most_lines:
        raise Again("automatic.edit_length", n=len(text), lines=lines, least=LEAST, most=most, most_lines=most_lines)
    if has_picture(text):
        raise Again("automatic.edit_picture")
    refuse_secrets(text)
    talk.put(text=text)
    return "preview"


@dialogue.ask("preview")
async def ask_preview(talk: Talk) -> Message:
    home = await units.get(talk.session, talk.me.unit_id) if talk.me.unit_id is not None else None
    shown = fill(talk.data["text"], name=talk.me.name, unit=home.name if home is not None else "")
    read = announcement(talk.house.words, "automatic", shown, ())
    return talk.screen(
        "automatic.edit_preview", text=talk.house.words.unescape(read.text), lines=warnings(talk, talk.data["text"])
    )


@dialogue.take("preview")
async def take_preview(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "edit":
        return "edit"
    row, entries = await _held(talk)
    top = await top_of(talk)
    try:
        await automatic.rewrite(
            talk.session, row, talk.me.id, talk.data["version"], talk.data["text"], top, talk.now
        )  # fmt: skip
    except Conflict as error:
        await talk.session.refresh(row)
        talk.say("automatic.not_written", typed=talk.data["text"])
        await show(talk, row, late=talk.house.words.plain(error.key))
        return END
    asked_of = await automatic.second_people(talk.session, row, top) if top is not None else []
    for person_id in asked_of:
        await _ask_second(talk, row, entries, person_id)
    talk.say("automatic.edited", n=len(asked_of))
    return END


async def _ask_second(talk: Talk, row: AutomaticMessage, entries: list[Entry], person_id: int) -> None:
    """Shows what was rewritten to somebody who may let it go."""
    message = asked(
        talk.house.words, entries, number=row.id, version=row.version, text=row.text, state=await state_of(talk, row),
        options=("send", "stop"), tomorrow=row.send_on == talk.today + timedelta(days=1),
    )  # fmt: skip
    reader = await people.get(talk.session, person_id)
    wait = asleep_for(reader.hours, talk.now)
    key = f"automatic:{row.id}:{row.version}:{person_id}"
    await outbox.tell(talk.session, person_id, to_json(message), now=talk.now, key=key, after=wait)


COMMANDS = (Command("suatudong", begin_edit),)
