"""Where a person works: by QR code, by a few typed words, by place or zone, or in their own words for an officer."""

from __future__ import annotations

from collections.abc import Sequence

from content.message import LABEL, Choice, Message, choices_from_json
from content.search import UnitName, search_units
from content.text import clean_line, fold, letters
from db import units
from db.models import Unit, UnitRequest
from handlers.dialogue import Again, Answer, Kind, Move
from handlers.onboarding.flow import dialogue, forget, onward
from handlers.paging import page, turn
from handlers.talk import Talk

RESULTS = 5
PLACES = 6
TOO_MANY = 40
LONGEST_LINE = 90
"""Characters of one result: five of them and their heading fit a screen of 600."""


@dialogue.ask("unit")
async def ask_unit(talk: Talk) -> Message | str:
    unit_id = talk.conversation.pending.get("unit")
    if unit_id is not None:
        talk.put(found=unit_id, old="")
        return "unit_confirm"
    return "unit_ask"


@dialogue.ask("unit_ask", Kind.TEXT)
async def ask_unit_ask(talk: Talk) -> Message:
    return talk.screen("onboarding.unit_ask", without=await _no_lists(talk))


async def _no_lists(talk: Talk) -> list[str]:
    """Ways of choosing that would lead to an empty list."""
    without = [] if await units.places(talk.session) else ["place"]
    return without if await units.zones(talk.session) else [*without, "zone"]


def _numbered(talk: Talk, answer: Answer) -> Answer:
    """No workplace is called "2": there, as on every screen with buttons, a digit is the button of that place."""
    digit, choices = answer.text.strip(), choices_from_json(talk.conversation.choices)
    if len(digit) == 1 and digit in "123456789"[: len(choices)]:
        key = choices[int(digit) - 1].key
        return answer if key.startswith("_") else Answer(choice=key)
    return answer


@dialogue.take("unit_ask")
async def take_unit_ask(talk: Talk, answer: Answer) -> Move | str:
    answer = _numbered(talk, answer)
    if answer.choice in ("place", "zone"):
        talk.put(start=0)
        return answer.choice
    if answer.choice == "skip":
        return onward(talk, "unit")
    talk.put(unit_ask=clean_line(answer.text))
    return await _search(talk, answer.text)


async def _search(talk: Talk, text: str) -> str:
    query = clean_line(text)
    if (known := await _by_code(talk, query)) is not None:
        return _found(talk, query, [(known.id, "")])
    if sum(map(str.isalnum, query)) < 2:
        raise Again("onboarding.unit_short")
    named = [
        UnitName(each.id, tuple(filter(None, (each.name, each.short_name, *each.aliases))), each.old_names, each.place,
                 each.parent)
        for each in await units.names(talk.session)
    ]  # fmt: skip
    hits = search_units(query, named, TOO_MANY + 1)
    if len(hits) > TOO_MANY:
        raise Again("onboarding.unit_many")
    return _found(talk, query, [(hit.id, hit.old_name or "") for hit in hits])


async def _by_code(talk: Talk, query: str) -> Unit | None:
    """The unit of a code as printed under its QR picture; a bare word without a digit is rather part of a name."""
    word, _, code = query.rpartition(" ")
    printed = fold(word) == "dv" or (not word and any(map(str.isdigit, code)))
    return await units.find_by_code(talk.session, code) if printed else None


def _found(talk: Talk, query: str, hits: Sequence[tuple[int, str]]) -> str:
    """One place is asked about at once, several are shown, none is said."""
    talk.put(query=query, hits=[list(hit) for hit in hits], start=0)
    if len(hits) == 1:
        talk.put(found=hits[0][0], old=hits[0][1])
        return "unit_confirm"
    return "unit_results" if hits else "unit_none"


@dialogue.ask("unit_results", free=True)
async def ask_unit_results(talk: Talk) -> Message:
    hits = talk.data["hits"]
    shown, without = page(talk, hits, RESULTS)
    lines = []
    for unit_id, old in shown:
        unit = await units.get(talk.session, unit_id)
        name = f"{unit.name} ({old})" if old else unit.name
        line = " – ".join(filter(None, (name, await units.parent_name(talk.session, unit))))
        lines.append(_cut(line, LONGEST_LINE))
    numbers = [Choice(str(i + 1), f"unit-{unit_id}") for i, (unit_id, _) in enumerate(shown)]
    query = _cut(talk.data["query"], LABEL)
    return talk.screen("onboarding.unit_results", *numbers, without=without, n=len(hits), query=query, lines=lines)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


@dialogue.take("unit_results")
async def take_unit_results(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "more":
        return turn(talk)
    if answer.choice in ("again", "none"):
        return {"again": "unit_ask", "none": "unit_none"}[answer.choice]
    if answer.choice.startswith("unit-"):
        found = int(answer.choice.removeprefix("unit-"))
        old = next((name for unit_id, name in talk.data["hits"] if unit_id == found), "")
        talk.put(found=found, old=old)
        return "unit_confirm"
    return await _search(talk, answer.text)


@dialogue.ask("unit_none", Kind.TEXT)
async def ask_unit_none(talk: Talk) -> Message:
    return talk.screen(
        "onboarding.unit_none",
        without=await _no_lists(talk),
        query=_cut(talk.data["query"], LONGEST_LINE),
        found=bool(talk.data["hits"]),
    )


@dialogue.take("unit_none")
async def take_unit_none(talk: Talk, answer: Answer) -> Move | str:
    answer = _numbered(talk, answer)
    return "unit_write" if answer.choice == "write" else await take_unit_ask(talk, answer)


@dialogue.question("unit_write", "onboarding.unit_write", Kind.TEXT)
async def take_unit_write(talk: Talk, answer: Answer) -> Move | str:
    text = clean_line(answer.text)
    if not 5 <= letters(text) <= 200:
        raise Again("onboarding.unit_write_short", n=letters(text))
    talk.session.add(UnitRequest(person_id=talk.me.id, text=text, created_at=talk.now))
    talk.say("onboarding.unit_noted", text=text)
    return onward(talk, "unit")


# ---------------------------------------------------------------------------------------------------- by place or zone


@dialogue.ask("place", free=True)
async def ask_place(talk: Talk) -> Message:
    return _list(talk, "onboarding.pick_place", await units.places(talk.session))


@dialogue.ask("zone", free=True)
async def ask_zone(talk: Talk) -> Message:
    return _list(talk, "onboarding.pick_zone", await units.zones(talk.session))


def _list(talk: Talk, key: str, names: Sequence[str]) -> Message:
    shown, without = page(talk, names, PLACES)
    choices = [Choice(_cut(name, LABEL), f"at-{names.index(name)}", words=(fold(name),)) for name in shown]
    return talk.screen(key, *choices, without=without)


@dialogue.take("place")
async def take_place(talk: Talk, answer: Answer) -> Move | str:
    return await _take_list(talk, answer, "place", await units.places(talk.session))


@dialogue.take("zone")
async def take_zone(talk: Talk, answer: Answer) -> Move | str:
    return await _take_list(talk, answer, "zone", await units.zones(talk.session))


async def _take_list(talk: Talk, answer: Answer, what: str, names: Sequence[str]) -> Move | str:
    if answer.choice == "more":
        return turn(talk)
    if answer.choice:
        place = int(answer.choice.removeprefix("at-"))
        name = names[place] if place < len(names) else ""
    else:
        name = _named(answer.text, names)
    if not name:
        return await _search(talk, answer.text)
    found = await units.list_at(talk.session, **{what: name})
    return _found(talk, name, [(unit.id, "") for unit in found])


def _named(text: str, names: Sequence[str]) -> str:
    """The one commune, ward or zone that was typed, with or without the word for what it is; "" for none or several."""
    typed = f" {fold(text)}"
    meant = [name for name in names if f" {fold(name)}".endswith(typed)]
    return meant[0] if len(meant) == 1 else ""


# ---------------------------------------------------------------------------------------------------- is it this one?


@dialogue.ask("unit_confirm", free=True)
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
    forget(talk, "unit")
    if answer.choice == "no":
        return "unit_ask"
    if not answer.choice:
        return await _search(talk, answer.text)
    settle(talk, talk.data["found"])
    return onward(talk, "unit")


def settle(talk: Talk, unit_id: int) -> None:
    """Belongs to a unit from now on, unconfirmed if it is a new one; what was counted stays with the old one."""
    if talk.me.unit_id != unit_id:
        talk.me.unit_id, talk.me.confirmed = unit_id, False
