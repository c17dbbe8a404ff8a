"""Workplaces that newcomers typed because they were not found: matched to a unit, made one, or sent back."""

from __future__ import annotations

from content.message import Choice, Message
from content.search import guess_units
from content.text import clean_line, letters
from content.unit_sheet import LONGEST, code_for, guess_level
from db import people, units, workplaces
from db.errors import NotFound
from db.models import Level, UnitRequest
from db.units import UnitRow
from handlers.dialogue import Again, Answer, Kind, Move
from handlers.paging import page, picked
from handlers.talk import Talk
from handlers.units.flow import PAGE, covers_all, dialogue, name_of
from handlers.units.picking import ARRIVED, within_reach

GUESSES = 3


async def _open(talk: Talk) -> list[UnitRequest]:
    return await workplaces.list_open(talk.session) if await covers_all(talk) else []


async def _in_hand(talk: Talk) -> UnitRequest:
    for request in await _open(talk):
        if request.id == talk.data["request"]:
            return request
    raise NotFound("units.request_gone")


@dialogue.ask("requests")
async def ask_requests(talk: Talk) -> Message:
    found = await _open(talk)
    shown, without = page(talk, found, PAGE)
    choices = [Choice(str(n + 1), f"request-{request.id}") for n, request in enumerate(shown)]
    return talk.screen(
        "units.requests", *choices, without=without, n=len(found), lines=[request.text for request in shown]
    )


@dialogue.take("requests")
async def take_requests(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "home":
        return "home"
    return picked(talk, answer, "request", "request")


@dialogue.ask("request", aside=True)
async def ask_request(talk: Talk) -> Message:
    request = await _in_hand(talk)
    person = await people.get(talk.session, request.person_id)
    talk.put(purpose="match")
    guesses = []
    for hit in guess_units(request.text.partition(",")[0], await within_reach(talk), GUESSES):
        unit = await units.get(talk.session, hit.id)
        guesses.append(
            Choice(talk.words("units.match_label", unit=(unit.short_name or unit.name)[:22]), f"unit-{hit.id}")
        )
    return talk.screen(
        "units.request", *guesses, name=name_of(talk, person), text=request.text, since=request.created_at
    )


@dialogue.take("request")
async def take_request(talk: Talk, answer: Answer) -> Move | str:
    request = await _in_hand(talk)
    if answer.choice.startswith("unit-"):
        return await _match(talk, int(answer.choice.removeprefix("unit-")))
    if answer.choice == "other":
        return "unit"
    if answer.choice == "create":
        return "new_name"
    if answer.choice == "refuse":
        await workplaces.refuse(talk.session, request, talk.me.id, talk.now)
        await talk.tell(request.person_id, "units.workplace_refused", dedup=f"place:{request.id}", text=request.text)
        talk.say("units.request_refused", text=request.text)
    return "requests"


async def _match(talk: Talk, unit_id: int) -> str:
    await _settle(talk, await _in_hand(talk), unit_id, "units.request_matched")
    return "requests"


ARRIVED["match"] = _match


async def _settle(talk: Talk, request: UnitRequest, unit_id: int, done: str) -> None:
    await workplaces.match(talk.session, request, unit_id, talk.me.id, talk.now)
    unit = await units.get(talk.session, unit_id)
    await talk.tell(
        request.person_id, "units.workplace_set", dedup=f"place:{request.id}", text=request.text, unit=unit.name
    )
    talk.say(done, text=request.text, unit=unit.name)


@dialogue.ask("new_name", Kind.TEXT)
async def ask_new_name(talk: Talk) -> Message:
    return talk.screen("units.new_name", text=(await _in_hand(talk)).text)


@dialogue.take("new_name")
async def take_new_name(talk: Talk, answer: Answer) -> Move | str:
    name = (await _in_hand(talk)).text if answer.choice == "keep" else clean_line(answer.text)
    if not 3 <= letters(name) <= LONGEST:
        raise Again("units.new_name_length", most=LONGEST)
    talk.put(new_name=name, purpose="create")
    return "unit"


async def _under(talk: Talk, unit_id: int) -> str:
    talk.put(parent=unit_id)
    return "new_sure"


ARRIVED["create"] = _under


@dialogue.ask("new_sure")
async def ask_new_sure(talk: Talk) -> Message:
    parent = await units.get(talk.session, talk.data["parent"])
    code = code_for(talk.data["new_name"], await units.parents_by_code(talk.session))
    talk.put(code=code)
    return talk.screen("units.new_sure", name=talk.data["new_name"], code=code, parent=parent.name)


@dialogue.take("new_sure")
async def take_new_sure(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        return "request"
    request = await _in_hand(talk)
    parent = await units.get(talk.session, talk.data["parent"])
    name, code = talk.data["new_name"], talk.data["code"]
    unit_id = await units.create(
        talk.session,
        UnitRow(code, name, parent=parent.code, level=Level(guess_level(name, parent.code))),
        talk.me.id,
        talk.now,
    )
    await _settle(talk, request, unit_id, "units.request_created")
    return "requests"


async def waiting(talk: Talk) -> str:
    """The line of whoever keeps the tree about workplaces that nobody has looked at."""
    n = len(await _open(talk))
    return talk.words("units.requests_waiting", n=n) if n else ""
