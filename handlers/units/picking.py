"""Naming a unit within one's own part of the tree; two that sound alike are shown, never guessed between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from content.message import Choice, Message
from content.search import UnitName, named_in_full, search_units
from content.text import clean_line
from db import policy, units
from db.errors import Refused
from db.models import Role
from db.policy import Action
from handlers.dialogue import Again, Answer, Move
from handlers.talk import Talk
from handlers.units.flow import dialogue

RESULTS = 6
ARRIVED: dict[str, Callable[[Talk, int], Awaitable[Move | str]]] = {}
"""What is done with the unit once it is named, by purpose; each module enters its own."""
ACTIONS = {"qr": Action.UNIT_QR, "match": Action.IMPORT_UNITS, "create": Action.IMPORT_UNITS}


async def _tops(talk: Talk) -> list[int]:
    """At which units the purpose in hand begins for this person."""
    purpose = talk.data["purpose"]
    if purpose != "invite":
        return await talk.tops(ACTIONS[purpose])
    found = await policy.invite_scopes(talk.session, talk.me.id, Role(talk.data["role"]))
    if not found:
        raise Refused("common.refused")
    return found


@dialogue.ask("unit", free=True)
async def ask_unit(talk: Talk) -> Message:
    unit = await units.get(talk.session, (await _tops(talk))[0])
    without = () if talk.data["purpose"] in ("invite", "qr") else ("here",)
    key = "units.pick_parent" if talk.data["purpose"] == "create" else "units.pick_unit"
    return talk.screen(key, without=without, unit=(unit.short_name or unit.name)[:20])


@dialogue.take("unit")
async def take_unit(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "here":
        return await _arrive(talk, (await _tops(talk))[0])
    found, sure = await find(talk, clean_line(answer.text), RESULTS)
    if not found:
        raise Again("units.unit_unknown")
    if sure:
        return await _arrive(talk, found[0])
    talk.put(found=found)
    return "unit_found"


@dialogue.ask("unit_found", free=True)
async def ask_unit_found(talk: Talk) -> Message:
    lines = []
    for unit_id in talk.data["found"]:
        unit = await units.get(talk.session, unit_id)
        lines.append(" – ".join(filter(None, (unit.name, await units.parent_name(talk.session, unit)))))
    numbers = [Choice(str(n), f"unit-{unit_id}") for n, unit_id in enumerate(talk.data["found"], 1)]
    return talk.screen("units.unit_found", *numbers, lines=lines)


@dialogue.take("unit_found")
async def take_unit_found(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice.startswith("unit-"):
        return await _arrive(talk, int(answer.choice.removeprefix("unit-")))
    return "unit" if answer.choice == "again" else await take_unit(talk, answer)


async def _arrive(talk: Talk, unit_id: int) -> Move | str:
    return await ARRIVED[talk.data["purpose"]](talk, unit_id)


async def find(talk: Talk, text: str, limit: int) -> tuple[list[int], bool]:
    """The units of one's own part of the tree that a text may mean, and whether it is the very code or name of one."""
    named = await within_reach(talk)
    known = await units.find_by_code(talk.session, text)
    if known is not None and any(known.id == unit.id for unit in named):
        return [known.id], True
    hits = search_units(text, named, limit)
    full = named_in_full(hits)
    return [hit.id for hit in full or hits], len(full) == 1


async def within_reach(talk: Talk) -> list[UnitName]:
    """The units of one's own part of the tree for the purpose in hand, as the search sees them."""
    reach = await units.below(talk.session, await _tops(talk))
    return [
        UnitName(u.id, tuple(filter(None, (u.name, u.short_name, *u.aliases))), u.old_names, u.place, u.parent)
        for u in await units.names(talk.session, teams=True)
        if u.id in reach
    ]
