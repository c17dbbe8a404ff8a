"""The calendar of content, and tomorrow's automatic messages: the officer on duty lets them go, rewrites or stops them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date, timedelta

from content.agenda import Entry, agenda, asked, entries_of, extras, room
from content.anniversaries import LINES, has_picture
from content.announcements import announcement
from content.calendar import local_date
from content.message import Choice, Message, to_json
from content.text import clean, letters
from content.windows import awake
from db import automatic, jobs, outbox, people, policy, units
from db.errors import Conflict, NotFound, Refused
from db.models import AutomaticMessage, AutomaticState
from db.policy import Action
from handlers.announcing.writing import refuse_secrets, warnings
from handlers.dialogue import END, STAY, Again, Answer, Command, Dialogue, Kind, Move, Place
from handlers.paging import page, turn
from handlers.talk import Talk

dialogue = Dialogue("automatic", officers=True)

AHEAD = 366
PAGE = 5
LEAST = 20
"""Fewest letters of other words for a message."""


async def may_see(talk: Talk) -> bool:
    """Whether this person answers for what goes out by itself."""
    return talk.person is not None and bool(await policy.scopes(talk.session, talk.me.id, Action.DECIDE_AUTOMATIC))


async def waiting(talk: Talk) -> str:
    """The officer's line about tomorrow's messages that nobody has decided about."""
    if not await may_see(talk):
        return ""
    known = await automatic.states(talk.session, talk.today + timedelta(days=1))
    new = [key for key, state in known.items() if state in (AutomaticState.ASKED, AutomaticState.EDITED)]
    return talk.words("automatic.waiting", n=len(new)) if new else ""


# ---------------------------------------------------------------------------------------------------- deciding


async def _row(talk: Talk, arg: str) -> tuple[AutomaticMessage, int]:
    """The message of a button and the version it was shown in. Raises NotFound."""
    found = re.fullmatch(r"([0-9]{1,9})\.([0-9]{1,9})", arg)
    if found is None:
        raise NotFound("common.not_found")
    return await automatic.get(talk.session, int(found[1])), int(found[2])


async def _top(talk: Talk) -> int | None:
    top = await units.top(talk.session)
    return top.id if top is not None else None


async def show(talk: Talk, row: AutomaticMessage, late: str = "") -> None:
    """A message as it stands, with the buttons that still make sense."""
    entries = entries_of(talk.house.words, talk.house.packs, row.key, row.send_on)
    if not entries:
        raise NotFound("common.not_found")
    top = await _top(talk)
    options: list[str] = []
    if not await automatic.has_begun(talk.session, row.key) and row.send_on >= talk.today:
        if row.state != AutomaticState.RELEASED and await automatic.may_release(talk.session, row, talk.me.id, top):
            options.append("send")
        if row.state != AutomaticState.STOPPED and await automatic.may_stop(talk.session, row, talk.me.id, top):
            options.append("stop")
        if not row.key.startswith("check") and await policy.may(talk.session, talk.me.id, Action.DECIDE_AUTOMATIC, top):
            options.append("edit")
    message = asked(
        talk.house.words, entries, number=row.id, version=row.version, text=row.text, state=await _state(talk, row),
        options=options, tomorrow=row.send_on == talk.today + timedelta(days=1), late=late,
    )  # fmt: skip
    talk.out.append((message, None, 0.0))


async def _state(talk: Talk, row: AutomaticMessage) -> str:
    if await automatic.has_begun(talk.session, row.key):
        return talk.house.words.plain("automatic.state_begun")
    if row.state == AutomaticState.ASKED:
        return talk.house.words.plain(f"automatic.state_asked_{talk.house.silence}")
    by = row.edited_by if row.state == AutomaticState.EDITED else row.decided_by
    who = (await people.get(talk.session, by)).name if by is not None else ""
    return talk.house.words.plain(f"automatic.state_{row.state.value}", who=who)


async def _decide(talk: Talk, arg: str, act: Callable[[AutomaticMessage, int, int | None], Awaitable[None]]) -> None:
    row, version = await _row(talk, arg)
    top = await _top(talk)
    if not await automatic.may_stop(talk.session, row, talk.me.id, top):
        raise Refused("common.refused")
    if row.send_on < talk.today:
        talk.say("automatic.over")
        return
    try:
        await act(row, version, top)
    except Conflict as error:
        await talk.session.refresh(row)
        await show(talk, row, late=talk.house.words.plain(error.key))
        return
    await show(talk, row)


async def let_go(talk: Talk, arg: str) -> Move | None:
    """The button that lets it go."""

    async def act(row: AutomaticMessage, version: int, top: int | None) -> None:
        await automatic.release(talk.session, row, talk.me.id, version, top, talk.now)

    await _decide(talk, arg, act)
    return None


async def stop(talk: Talk, arg: str) -> Move | None:
    """The button that keeps it from going."""

    async def act(row: AutomaticMessage, version: int, top: int | None) -> None:
        await automatic.stop(talk.session, row, talk.me.id, version, top, talk.now)

    await _decide(talk, arg, act)
    return None


# ---------------------------------------------------------------------------------------------------- rewriting


async def begin_edit(talk: Talk, arg: str) -> Move | None:
    """The button that gives it other words."""
    row, version = await _row(talk, arg)
    await policy.check(talk.session, talk.me.id, Action.DECIDE_AUTOMATIC, await _top(talk))
    if row.key.startswith("check"):
        raise Refused("common.refused")
    if row.send_on < talk.today:
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
    text = clean(answer.text)
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
    read = announcement(talk.house.words, "automatic", talk.data["text"], ())
    return talk.screen(
        "automatic.edit_preview", text=talk.house.words.unescape(read.text), lines=warnings(talk, talk.data["text"])
    )


@dialogue.take("preview")
async def take_preview(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "edit":
        return "edit"
    row, entries = await _held(talk)
    top = await _top(talk)
    try:
        await automatic.rewrite(
            talk.session, row, talk.me.id, talk.data["version"], talk.data["text"], top, talk.now
        )  # fmt: skip
    except Conflict as error:
        await talk.session.refresh(row)
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
        talk.house.words, entries, number=row.id, version=row.version, text=row.text, state=await _state(talk, row),
        options=("send", "stop"), tomorrow=row.send_on == talk.today + timedelta(days=1),
    )  # fmt: skip
    reader = await people.get(talk.session, person_id)
    wait = (awake(reader.hours, talk.now) - talk.now).total_seconds()
    key = f"automatic:{row.id}:{row.version}:{person_id}"
    await outbox.tell(talk.session, person_id, to_json(message), now=talk.now, key=key, after=wait)


# ---------------------------------------------------------------------------------------------------- the calendar


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
    lines = [[entry.at, _title(talk, entry), _status(talk, entry, decided.get(entry.key))] for entry in shown]
    choices = [Choice(str(n + 1), f"e-{ahead.index(entry)}") for n, entry in enumerate(shown)]
    month = f"{(shown[0].at if shown else talk.local):%Y-%m}"
    talk.put(month=month)
    return talk.screen("automatic.list", *choices, without=without, lines=lines, month=month)


def _title(talk: Talk, entry: Entry) -> str:
    if entry.kind == "check":
        return talk.house.words.plain("cards.title_check", name=entry.name)
    return talk.house.words.plain("automatic.title", n=entry.ordinal or 0, name=entry.name, day=entry.day)


def _status(talk: Talk, entry: Entry, decided: AutomaticState | None) -> str:
    """Whether it may go out, and what was decided about it already."""
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
    return talk.screen(
        "automatic.item",
        without=() if entry.card else ("picture",),
        name=_title(talk, entry),
        at=entry.at,
        whom=talk.words(f"automatic.whom_{entry.audience}"),
        off=entry.days_off,
        card=entry.card,
        state=_status(talk, entry, decided.state if decided is not None else None),
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
    data = {"what": what, "person": talk.me.id}
    if await jobs.add(talk.session, "picture", data, talk.account.id, talk.now):
        talk.say("automatic.drawing")
    return STAY


DIALOGUES = (dialogue,)
OFFICER_WORK = (waiting,)
COMMANDS = (
    Command("lich", show_calendar, place=Place.OFFICER, slash=True, visible=may_see),
    Command("guitudong", let_go),
    Command("suatudong", begin_edit),
    Command("dungtudong", stop),
)
