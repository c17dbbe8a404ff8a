"""Joining: what the union keeps and why, the workplace, the audience group, reminders and shift."""

from __future__ import annotations

from content.message import Choice, Message
from content.search import UnitName, search_units
from content.text import clean_line, fold, letters
from db import people, units
from db.models import Audience, Membership, Purpose, Shift, UnitRequest
from handlers.dialogue import END, Again, Answer, Command, Dialogue, Kind, Move
from handlers.paging import page
from handlers.talk import Talk

dialogue = Dialogue("onboarding")
WELCOME = dialogue.go("welcome")
JOINING = dialogue.go("start")

STEPS = ("news", "unit", "group", "shift")
"""What joining asks after consent; an answered one is named in `pending["answered"]`."""
START_COMMANDS = {"i": "nhanquyen", "c": "thidua"}
"""What the letter of a start parameter opens, where that command exists (4-conversation §4.3)."""
RESULTS = 5
PLACES = 6
TOO_MANY = 40


# ---------------------------------------------------------------------------------------------------- entry


async def start(talk: Talk, arg: str) -> Move | None:
    """/start, with or without the parameter of a QR code or link."""
    letter, _, code = arg.partition("-")
    waiting = {"command": START_COMMANDS.get(letter, ""), "arg": code} if code else {}
    known = talk.person is not None and talk.person.processing
    if letter in ("u", "t") and code:
        unit = await units.find_by_code(talk.session, code)
        if unit is None:
            talk.say("onboarding.bad_code")
        elif known and talk.me.unit_id is not None and talk.me.unit_id != unit.id:
            return dialogue.go("move", unit=unit.id)
        else:
            _remember(talk, unit=unit.id)
    if waiting.get("command") in talk.house.registry.commands:
        _remember(talk, **waiting)
    if talk.person is None:
        return WELCOME
    if not known or missing(talk):
        return JOINING
    if pending(talk, "command"):
        command = talk.house.registry.commands[pending(talk, "command")]
        given = pending(talk, "arg")
        talk.conversation.pending = {}
        return await command.run(talk, given)
    return Move("menu", "home")


def _remember(talk: Talk, **values: object) -> None:
    talk.conversation.pending = {**talk.conversation.pending, **values}


def pending(talk: Talk, name: str) -> str:
    """A part of what waits until joining is over."""
    value = talk.conversation.pending.get(name, "")
    return str(value)


def missing(talk: Talk) -> list[str]:
    """The questions of joining that have no answer yet; a person who finished has none."""
    me = talk.me
    if me.audience is not None and "answered" not in talk.conversation.pending:
        return []
    answered = talk.conversation.pending.get("answered", [])
    wanted = [step for step in STEPS if step not in answered]
    return [step for step in wanted if step != "shift" or me.news or "news" in wanted]


def _next(talk: Talk, answered: str) -> str:
    _remember(talk, answered=[*talk.conversation.pending.get("answered", []), answered])
    left = missing(talk)
    return left[0] if left else "done"


@dialogue.ask("start")
async def begin(talk: Talk) -> Message | Move | str:
    if talk.person is None:
        return "consent" if pending(talk, "command") else "welcome"
    if not talk.me.processing:
        return "consent"
    left = missing(talk)
    if not left:
        return "done"
    talk.say("onboarding.resume", n=len(left))
    return left[0]


@dialogue.ask("welcome")
async def ask_welcome(talk: Talk) -> Message:
    lines = [talk.words(f"onboarding.offer_{command.name}") for command in await offers(talk)]
    return talk.screen("onboarding.welcome", lines=lines)


@dialogue.take("welcome")
async def take_welcome(talk: Talk, answer: Answer) -> Move | str:
    return "look" if answer.choice == "look" else "consent"


@dialogue.ask("look")
async def ask_look(talk: Talk) -> Message:
    return talk.screen("onboarding.look", *(await open_to_all(talk)))


async def open_to_all(talk: Talk) -> list[Choice]:
    """What may be read without joining, as the registry has it, and the way back to joining."""
    names = [command.name for command in await offers(talk) if not command.joined]
    return [talk.house.words.message(f"commands.{name}").choices[0] for name in [*names, "start"]]


async def offers(talk: Talk) -> list[Command]:
    """What the welcome names, in the registry's order: only what is built and has something to show."""
    named = [c for c in talk.house.registry.order if f"onboarding.offer_{c.name}" in talk.house.words]
    return [command for command in named if command.visible is None or await command.visible(talk)]


@dialogue.ask("consent")
async def ask_consent(talk: Talk) -> Message:
    return talk.screen("onboarding.consent")


@dialogue.ask("consent_full")
async def ask_consent_full(talk: Talk) -> Message:
    return talk.screen("onboarding.consent_full")


@dialogue.take("consent")
@dialogue.take("consent_full")
async def take_consent(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "full":
        return "consent_full"
    if answer.choice == "no":
        return "declined"
    version = talk.words("onboarding.consent_version")
    if talk.person is None:
        talk.person = await people.join(talk.session, talk.account, version, talk.now)
    else:
        talk.person.processing = True
        await people.consent(talk.session, talk.me.id, Purpose.ACCOUNT, version, talk.account.channel, talk.now)
    _remember(talk, answered=[])
    return "news"


@dialogue.ask("declined")
async def ask_declined(talk: Talk) -> Message:
    return talk.screen("onboarding.declined", *(await open_to_all(talk)))


# ---------------------------------------------------------------------------------------------------- news


@dialogue.ask("news")
async def ask_news(talk: Talk) -> Message:
    return talk.screen("onboarding.news")


@dialogue.take("news")
async def take_news(talk: Talk, answer: Answer) -> Move | str:
    talk.me.news = answer.choice == "yes"
    if talk.me.news:
        version = talk.words("onboarding.consent_version")
        await people.consent(talk.session, talk.me.id, Purpose.NEWS, version, talk.account.channel, talk.now)
    return _next(talk, "news")


# ---------------------------------------------------------------------------------------------------- workplace


@dialogue.ask("unit")
async def ask_unit(talk: Talk) -> Message | str:
    unit_id = talk.conversation.pending.get("unit")
    if unit_id is not None:
        talk.put(found=unit_id, old="")
        return "unit_confirm"
    return "unit_ask"


@dialogue.ask("unit_ask", Kind.TEXT)
async def ask_unit_ask(talk: Talk) -> Message:
    zones = await units.zones(talk.session)
    return talk.screen("onboarding.unit_ask", without=() if zones else ("zone",))


@dialogue.take("unit_ask")
async def take_unit_ask(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "place":
        talk.put(start=0)
        return "place"
    if answer.choice == "zone":
        talk.put(start=0)
        return "zone"
    if answer.choice == "skip":
        return _next(talk, "unit")
    return await _search(talk, answer.text)


async def _search(talk: Talk, text: str) -> str:
    query = clean_line(text)
    if len(fold(query).replace(" ", "")) < 2:
        raise Again("onboarding.unit_short")
    known = await units.names(talk.session)
    named = [
        UnitName(
            unit.id,
            tuple(filter(None, (unit.name, unit.short_name, *unit.aliases))),
            unit.old_names,
            unit.place,
            unit.parent,
        )
        for unit in known
    ]
    hits = search_units(query, named, TOO_MANY + 1)
    if len(hits) > TOO_MANY:
        raise Again("onboarding.unit_many")
    talk.put(query=query, hits=[[hit.id, hit.old_name or ""] for hit in hits], start=0)
    if not hits:
        return "unit_none"
    if len(hits) == 1:
        talk.put(found=hits[0].id, old=hits[0].old_name or "")
        return "unit_confirm"
    return "unit_results"


@dialogue.ask("unit_results", free=True)
async def ask_unit_results(talk: Talk) -> Message:
    hits = talk.data["hits"]
    shown, after = page(hits, talk.data["start"], RESULTS)
    lines = []
    for unit_id, old in shown:
        unit = await units.get(talk.session, unit_id)
        above = await units.parent_name(talk.session, unit)
        lines.append(" – ".join(filter(None, (f"{unit.name} ({old})" if old else unit.name, above))))
    numbers = [Choice(str(i + 1), f"unit-{unit_id}") for i, (unit_id, _) in enumerate(shown)]
    without = () if after else ("more",)
    return talk.screen(
        "onboarding.unit_results", *numbers, without=without, n=len(hits), query=talk.data.get("query", ""), lines=lines
    )


@dialogue.take("unit_results")
async def take_unit_results(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "more":
        _, after = page(talk.data["hits"], talk.data["start"], RESULTS)
        talk.put(start=after)
        return "unit_results"
    if answer.choice == "again":
        return "unit_ask"
    if answer.choice == "none":
        return "unit_none"
    if answer.choice.startswith("unit-"):
        found = int(answer.choice.removeprefix("unit-"))
        old = next((name for unit_id, name in talk.data["hits"] if unit_id == found), "")
        talk.put(found=found, old=old)
        return "unit_confirm"
    return await _search(talk, answer.text)


@dialogue.ask("unit_none", Kind.TEXT)
async def ask_unit_none(talk: Talk) -> Message:
    return talk.screen("onboarding.unit_none", query=talk.data.get("query", ""))


@dialogue.take("unit_none")
async def take_unit_none(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "write":
        return "unit_write"
    return await take_unit_ask(talk, answer)


@dialogue.ask("unit_write", Kind.TEXT)
async def ask_unit_write(talk: Talk) -> Message:
    return talk.screen("onboarding.unit_write")


@dialogue.take("unit_write")
async def take_unit_write(talk: Talk, answer: Answer) -> Move | str:
    text = clean_line(answer.text)
    if not 5 <= letters(text) <= 200:
        raise Again("onboarding.unit_write_short", n=letters(text))
    talk.session.add(UnitRequest(person_id=talk.me.id, text=text, created_at=talk.now))
    talk.say("onboarding.unit_noted", text=text)
    return _next(talk, "unit")


@dialogue.ask("place", free=True)
async def ask_place(talk: Talk) -> Message:
    return await _list(talk, "onboarding.pick_place", await units.places(talk.session))


@dialogue.ask("zone", free=True)
async def ask_zone(talk: Talk) -> Message:
    return await _list(talk, "onboarding.pick_zone", await units.zones(talk.session))


async def _list(talk: Talk, key: str, names: list[str]) -> Message:
    shown, after = page(names, talk.data.get("start", 0), PLACES)
    return talk.screen(
        key, *(Choice(name, f"at-{names.index(name)}") for name in shown), without=() if after else ("more",)
    )


@dialogue.take("place")
async def take_place(talk: Talk, answer: Answer) -> Move | str:
    return await _take_list(talk, answer, "place", await units.places(talk.session))


@dialogue.take("zone")
async def take_zone(talk: Talk, answer: Answer) -> Move | str:
    return await _take_list(talk, answer, "zone", await units.zones(talk.session))


async def _take_list(talk: Talk, answer: Answer, what: str, names: list[str]) -> str:
    if answer.choice == "more":
        _, after = page(names, talk.data.get("start", 0), PLACES)
        talk.put(start=after)
        return what
    if not answer.choice:
        return await _search(talk, answer.text)
    name = names[int(answer.choice.removeprefix("at-"))]
    found = await units.list_at(talk.session, **{what: name})
    talk.put(query=name, hits=[[unit.id, ""] for unit in found], start=0)
    return "unit_results" if found else "unit_none"


@dialogue.ask("unit_confirm")
async def ask_unit_confirm(talk: Talk) -> Message:
    unit = await units.get(talk.session, talk.data["found"])
    above = await units.parent_name(talk.session, unit)
    old = talk.data.get("old", "")
    if old:
        since = await units.old_name_since(talk.session, unit.id, old)
        return talk.screen("onboarding.unit_old", old=old, since=since, unit=unit.name, parent=above)
    return talk.screen("onboarding.unit_qr", unit=unit.name, parent=above)


@dialogue.take("unit_confirm")
async def take_unit_confirm(talk: Talk, answer: Answer) -> Move | str:
    talk.conversation.pending = {k: v for k, v in talk.conversation.pending.items() if k != "unit"}
    if answer.choice == "no":
        return "unit_ask"
    talk.me.unit_id = talk.data["found"]
    talk.me.confirmed = False
    return _next(talk, "unit")


# ---------------------------------------------------------------------------------------------------- group, shift


@dialogue.ask("group")
async def ask_group(talk: Talk) -> Message:
    return talk.screen("onboarding.group")


@dialogue.take("group")
async def take_group(talk: Talk, answer: Answer) -> Move | str:
    audience = Audience(answer.choice)
    talk.me.audience = audience
    if audience == Audience.PUBLIC:
        return "union_here"
    if audience == Audience.OFFICER:
        talk.me.membership = Membership.YES
        talk.say("onboarding.group_officer")
    elif audience == Audience.NONMEMBER:
        talk.me.membership = Membership.NO
    return _next(talk, "group")


@dialogue.ask("union_here")
async def ask_union_here(talk: Talk) -> Message:
    return talk.screen("onboarding.union_here")


@dialogue.take("union_here")
async def take_union_here(talk: Talk, answer: Answer) -> Move | str:
    # A union at the workplace does not make somebody a member; its absence since the 2025 change does mean they are none.
    talk.me.membership = Membership.NO if answer.choice == "no" else Membership.UNKNOWN
    return _next(talk, "group")


@dialogue.ask("shift")
async def ask_shift(talk: Talk) -> Message:
    return talk.screen("onboarding.shift")


@dialogue.take("shift")
async def take_shift(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice != "skip":
        talk.me.shift = Shift(answer.choice)
    return _next(talk, "shift")


@dialogue.ask("done")
async def ask_done(talk: Talk) -> Message | Move:
    me = talk.me
    unit = (await units.get(talk.session, me.unit_id)).name if me.unit_id else talk.words("onboarding.unit_later")
    audience = talk.words(f"onboarding.audience_{me.audience.value if me.audience else 'none'}")
    news = talk.words("onboarding.news_on" if me.news else "onboarding.news_off")
    talk.say("onboarding.done", unit=unit, audience=audience, news=news)
    command, arg = pending(talk, "command"), pending(talk, "arg")
    talk.conversation.pending = {}
    if command in talk.house.registry.commands:
        talk.say("onboarding.go_on", command=command, arg=arg)
    return END


# ---------------------------------------------------------------------------------------------------- moving


@dialogue.ask("move")
async def ask_move(talk: Talk) -> Message:
    old = await units.get(talk.session, talk.me.unit_id or 0)
    new = await units.get(talk.session, talk.data["unit"])
    return talk.screen("onboarding.move", old=old.name, new=new.name)


@dialogue.take("move")
async def take_move(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "yes":
        talk.me.unit_id = talk.data["unit"]
        talk.me.confirmed = False
    unit = await units.get(talk.session, talk.me.unit_id or 0)
    talk.say("onboarding.moved" if answer.choice == "yes" else "onboarding.kept", unit=unit.name)
    return END


DIALOGUES = (dialogue,)
COMMANDS = (Command("start", start, joined=False, slash=True),)
