"""For whom: branches of the officer's own part of the tree, groups, sector, members or not, with a live count."""

from __future__ import annotations

from content.message import Choice, Message
from content.search import UnitName, named_in_full, search_units
from content.text import clean_line
from db import audiences, broadcasts, policy, units
from db.models import Audience, Unit
from db.policy import Action
from handlers.announcing.flow import (
    after,
    change,
    count,
    dialogue,
    group_names,
    is_branch,
    rule,
    unit_names,
    why_nobody,
)
from handlers.dialogue import AGAIN, Again, Answer, Kind, Move
from handlers.paging import page, turn
from handlers.talk import Talk

UNITS_SHOWN = 4
MOST_FOUND = 30
SECTORS_SHOWN = 5
MEMBERSHIP = ("", "member", "other")
LABEL = 22
"""Letters of a unit's name on a button, beside its mark."""


@dialogue.ask("audience")
async def ask_audience(talk: Talk) -> Message:
    # Whether only confirmed people count hangs on the role held now, not on the one the draft was begun with.
    change(talk, confirmed=await broadcasts.is_unit_only(talk.session, talk.me.id))
    here = rule(talk)
    tally = await count(talk)
    branch = await is_branch(talk, here)
    without = [] if await _has_choice_of_units(talk) else ["unit"]
    without += [] if branch else ["whole"]
    without += [] if here.sector or len(await audiences.sectors(talk.session, here)) > 1 else ["sector"]
    return talk.screen(
        "announcing.audience",
        without=without,
        unit=await unit_names(talk, here),
        branch=branch,
        whole=here.whole,
        groups=group_names(talk, here),
        sector=here.sector,
        membership=here.membership,
        officers=here.officers,
        n=tally.reached,
        units=tally.units,
        muted=tally.reasons.get("muted", 0),
        withdrawn=tally.reasons.get("withdrawn", 0),
        blocked=tally.reasons.get("blocked", 0),
        unconfirmed=tally.reasons.get("unconfirmed", 0),
        capped=tally.reasons.get("capped", 0),
    )


async def _has_choice_of_units(talk: Talk) -> bool:
    tops = await talk.tops(Action.BROADCAST)
    return len(tops) > 1 or bool(await units.children(talk.session, tops[0]))


@dialogue.take("audience")
async def take_audience(talk: Talk, answer: Answer) -> Move | str:
    here = rule(talk)
    if answer.choice == "next":
        tally = await count(talk)
        if not tally.reached:
            nobody = await why_nobody(talk, tally)
            if nobody.key != "announcing.audience_capped":
                raise nobody
            talk.say(nobody.key, **nobody.params)  # an hour can be found for them
        return after(talk, "doc_from" if talk.data["kind"] == "document" else "body")
    if answer.choice in ("whole", "officers"):
        change(talk, **{answer.choice: not getattr(here, answer.choice)})
        return AGAIN
    if answer.choice == "membership":
        change(talk, membership=MEMBERSHIP[(MEMBERSHIP.index(here.membership) + 1) % len(MEMBERSHIP)])
        return AGAIN
    talk.put(start=0, place=await _place(talk), hits=[])
    return answer.choice


# ---------------------------------------------------------------------------------------------------- units


async def _place(talk: Talk) -> int:
    """Whose units are listed first: the one unit chosen, its parent where it has nothing below; 0 = one's own tops."""
    tops = await talk.tops(Action.BROADCAST)
    chosen = rule(talk).units
    if len(chosen) == 1:
        if await units.children(talk.session, chosen[0]):
            return chosen[0]
        parent = (await units.get(talk.session, chosen[0])).parent_id
        if parent is not None and await policy.may(talk.session, talk.me.id, Action.BROADCAST, parent):
            return parent
    return tops[0] if len(tops) == 1 else 0


async def _listed(talk: Talk) -> list[Unit]:
    if talk.data["hits"]:
        return [await units.get(talk.session, unit_id) for unit_id in talk.data["hits"]]
    if talk.data["place"]:
        return await units.children(talk.session, talk.data["place"])
    return [await units.get(talk.session, unit_id) for unit_id in await talk.tops(Action.BROADCAST)]


@dialogue.ask("unit", Kind.MANY, free=True)
async def ask_unit(talk: Talk) -> Message:
    listed = await _listed(talk)
    shown, without = page(talk, listed, UNITS_SHOWN)
    chosen = rule(talk).units
    choices = []
    for unit in shown:
        mark = "group_on" if unit.id in chosen else "group_off"
        name = (unit.short_name or unit.name)[:LABEL]
        choices.append(Choice(talk.words(f"announcing.{mark}", name=name), f"unit-{unit.id}"))
    without += () if await _above(talk) is not None else ("up",)
    return talk.screen(
        "announcing.unit",
        *choices,
        without=without,
        place=(await units.get(talk.session, talk.data["place"])).name if talk.data["place"] else "",
        found=len(talk.data["hits"]),
        alone=len(talk.data["hits"]) == 1 and talk.data["hits"][0] in chosen,
        lines=[await _with_parent(talk, unit) for unit in shown] if talk.data["hits"] else [],
        chosen=await unit_names(talk, rule(talk)),
    )


async def _with_parent(talk: Talk, unit: Unit) -> str:
    """A unit found by name with what stands above it: several companies have a team of that name."""
    return " – ".join(filter(None, (unit.name, await units.parent_name(talk.session, unit))))


async def _above(talk: Talk) -> int | None:
    """Where "up" leads: from names found to the list, from a unit to the one above, as far as one's own top."""
    if talk.data["hits"]:
        return int(talk.data["place"])
    at = talk.data["place"]
    if not at:
        return None
    parent = (await units.get(talk.session, at)).parent_id
    if parent is not None and await policy.may(talk.session, talk.me.id, Action.BROADCAST, parent):
        return parent
    return 0 if len(await talk.tops(Action.BROADCAST)) > 1 else None


@dialogue.take("unit")
async def take_unit(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "done":
        talk.drop("place", "hits")
        return "audience"
    if answer.choice == "more":
        return turn(talk)
    if answer.choice == "up":
        talk.put(place=await _above(talk), hits=[], start=0)
        return AGAIN
    named = [int(key.removeprefix("unit-")) for key in answer.many or (answer.choice,) if key.startswith("unit-")]
    for unit_id in named:
        above = set(await units.ancestors(talk.session, unit_id)) - {unit_id}
        if not above & set(named):  # "1,2" where one lies in the other is the wider one, never less than was typed
            await _toggle(talk, unit_id)
    if answer.text:
        await _find(talk, clean_line(answer.text))
    return AGAIN


async def _find(talk: Talk, typed: str) -> None:
    """Typing reaches any unit one may write to, however deep; one that is named or fits alone is ticked, several are shown."""
    reach = await units.below(talk.session, await talk.tops(Action.BROADCAST))
    named = [
        UnitName(u.id, tuple(filter(None, (u.name, u.short_name, u.code, *u.aliases))), u.old_names, u.place, u.parent)
        for u in await units.names(talk.session, teams=True)
        if u.id in reach
    ]
    found = search_units(typed, named, MOST_FOUND)
    if not found:
        raise Again("announcing.unit_unknown")
    best = [hit.id for hit in named_in_full(found) or found]
    talk.put(hits=best, start=0)
    if len(best) == 1 and best[0] not in rule(talk).units:
        await _toggle(talk, best[0])


async def _toggle(talk: Talk, unit_id: int) -> None:
    """Ticks or unticks a unit. What is above or below a ticked one is unticked; with nothing ticked it is all there is."""
    chosen = set(rule(talk).units)
    if unit_id in chosen:
        chosen.remove(unit_id)
    else:
        above = await units.ancestors(talk.session, unit_id)
        below = {other for other in chosen if unit_id in await units.ancestors(talk.session, other)}
        chosen = (chosen - set(above) - below) | {unit_id}
    await _choose(talk, chosen or {talk.data["place"] or (await talk.tops(Action.BROADCAST))[0]}, unit_id)


async def _choose(talk: Talk, chosen: set[int], latest: int) -> None:
    """What is chosen lies inside one unit that one may write to; else the latest alone is, and that is said."""
    top = next(iter(chosen)) if len(chosen) == 1 else await audiences.common_top(talk.session, sorted(chosen))
    if top is None or not await policy.may(talk.session, talk.me.id, Action.BROADCAST, top):
        await policy.check(talk.session, talk.me.id, Action.BROADCAST, latest)
        talk.say("announcing.unit_apart")
        chosen, top = {latest}, latest
    change(talk, unit=top, branches=sorted(chosen) if len(chosen) > 1 else [], sector="")
    talk.put(unit_name=(await units.get(talk.session, top)).name)


# ---------------------------------------------------------------------------------------------------- groups, sector


@dialogue.ask("groups", Kind.MANY)
async def ask_groups(talk: Talk) -> Message:
    chosen = rule(talk).groups
    choices = []
    for group in Audience:
        name = talk.words(f"announcing.group_{group.value}")
        shown = talk.words("announcing.group_on" if group.value in chosen else "announcing.group_off", name=name)
        choices.append(Choice(shown, group.value))
    return talk.screen("announcing.groups", *choices)


@dialogue.take("groups")
async def take_groups(talk: Talk, answer: Answer) -> Move | str:
    if answer.many:
        change(talk, groups=sorted(key for key in answer.many if key != "done"))
        return AGAIN
    if answer.choice == "done":
        return "audience"
    change(talk, groups=sorted(set(rule(talk).groups) ^ {answer.choice}))
    return AGAIN


@dialogue.ask("sector")
async def ask_sector(talk: Talk) -> Message:
    found = await audiences.sectors(talk.session, rule(talk))
    shown, without = page(talk, found, SECTORS_SHOWN)
    return talk.screen(
        "announcing.sector", *(Choice(name[:24], f"sector-{found.index(name)}") for name in shown), without=without
    )


@dialogue.take("sector")
async def take_sector(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "more":
        return turn(talk)
    found = await audiences.sectors(talk.session, rule(talk))
    change(talk, sector="" if answer.choice == "all" else found[int(answer.choice.removeprefix("sector-"))])
    return "audience"
