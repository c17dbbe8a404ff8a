"""Who belongs here: people who joined by themselves are confirmed, or sent on, by their own officer."""

from __future__ import annotations

from content.message import Choice, Message
from db import people, policy, units
from db.errors import NotFound
from db.models import Person
from db.policy import Action
from handlers.dialogue import AGAIN, Answer, Move
from handlers.paging import page, turn
from handlers.talk import Talk
from handlers.units.flow import PAGE, dialogue, name_of


async def _unconfirmed(talk: Talk) -> list[tuple[Person, str]]:
    scopes = await policy.scopes(talk.session, talk.me.id, Action.CONFIRM_MEMBERS)
    return await people.list_unconfirmed(talk.session, scopes) if scopes else []


@dialogue.ask("members")
async def ask_members(talk: Talk) -> Message:
    waiting = await _unconfirmed(talk)
    shown, without = page(talk, waiting, PAGE)
    talk.put(shown=[person.id for person, _ in shown])
    lines = [f"{name_of(talk, person)} – {unit}" for person, unit in shown]
    choices = [Choice(str(n + 1), f"person-{person.id}") for n, (person, _) in enumerate(shown)]
    without += () if shown else ("all",)
    return talk.screen("units.members", *choices, without=without, n=len(waiting), lines=lines)


@dialogue.take("members")
async def take_members(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "home":
        return "home"
    if answer.choice == "more":
        return turn(talk)
    if answer.choice != "all":
        talk.put(person=int(answer.choice.removeprefix("person-")))
        return "member"
    # Exactly those on the screen: whoever joined since was not looked at.
    chosen = [person for person, _ in await _unconfirmed(talk) if person.id in talk.data["shown"]]
    for person in chosen:
        await _confirm(talk, person)
    talk.put(start=0)
    talk.say("units.members_done", n=len(chosen))
    return AGAIN


async def _confirm(talk: Talk, person: Person) -> None:
    await policy.check(talk.session, talk.me.id, Action.CONFIRM_MEMBERS, person.unit_id)
    await people.confirm(talk.session, person, talk.me.id, talk.now)


async def _waiting_one(talk: Talk) -> Person:
    """The person in hand while they still wait within one's reach."""
    for person, _ in await _unconfirmed(talk):
        if person.id == talk.data["person"]:
            return person
    raise NotFound("units.member_gone")


@dialogue.ask("member", aside=True)
async def ask_member(talk: Talk) -> Message:
    person = await _waiting_one(talk)
    unit = await units.get(talk.session, person.unit_id or 0)
    return talk.screen("units.member", name=name_of(talk, person), unit=unit.name, since=person.joined_at)


@dialogue.take("member")
async def take_member(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "home":
        return "members"
    person = await _waiting_one(talk)
    if answer.choice == "yes":
        await _confirm(talk, person)
        talk.say("units.members_done", n=1)
        return "members"
    unit = await units.get(talk.session, person.unit_id or 0)
    await policy.check(talk.session, talk.me.id, Action.CONFIRM_MEMBERS, person.unit_id)
    await people.decline(talk.session, person, talk.me.id, talk.now)
    await talk.tell(person.id, "units.declined_notice", unit=unit.name)
    talk.say("units.declined", name=name_of(talk, person))
    return "members"


async def waiting(talk: Talk) -> str:
    """The officer's line about people who wait to be confirmed."""
    n = len(await _unconfirmed(talk))
    return talk.words("units.waiting", n=n) if n else ""
