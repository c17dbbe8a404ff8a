"""Taking roles away: at once, with the work returned and the person told."""

from __future__ import annotations

from content.message import Choice, Message
from db import people, roles, units
from handlers.dialogue import END, Answer, Command, Move
from handlers.paging import page, picked
from handlers.talk import Talk
from handlers.units.flow import PAGE, dialogue, name_of, number, role_name


@dialogue.ask("grants")
async def ask_grants(talk: Talk) -> Message:
    found = await roles.list_below(talk.session, talk.me.id)
    shown, without = page(talk, found, PAGE)
    lines = []
    for grant in shown:
        person = await people.get(talk.session, grant.person_id)
        unit = await units.get(talk.session, grant.unit_id)
        waits = talk.words("units.pending") if grant.confirmed_at is None else ""
        line = f"{name_of(talk, person)} – {role_name(talk, grant.role)}, {unit.short_name or unit.name} {waits}"
        lines.append(line.strip())
    choices = [Choice(str(n + 1), f"grant-{grant.id}") for n, grant in enumerate(shown)]
    return talk.screen("units.grants", *choices, without=without, lines=lines)


@dialogue.take("grants")
async def take_grants(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "home":
        return "home"
    return picked(talk, answer, "grant", "revoke")


async def begin_revoke(talk: Talk, arg: str) -> Move | None:
    return dialogue.go("revoke", grant=number(arg))


@dialogue.ask("revoke", aside=True)
async def ask_revoke(talk: Talk) -> Message:
    grant = await roles.get_below(talk.session, talk.data["grant"], talk.me.id)
    person = await people.get(talk.session, grant.person_id)
    unit = await units.get(talk.session, grant.unit_id)
    role = role_name(talk, grant.role)
    return talk.screen("units.revoke_sure", role=role, name=name_of(talk, person), unit=unit.name)


@dialogue.take("revoke")
async def take_revoke(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        return "grants"
    grant = await roles.revoke(talk.session, talk.data["grant"], talk.me.id, talk.now)
    person = await people.get(talk.session, grant.person_id)
    unit = await units.get(talk.session, grant.unit_id)
    role = role_name(talk, grant.role)
    await talk.tell(person.id, "units.revoked_notice", dedup=f"revoked:{grant.id}", role=role, unit=unit.name)
    talk.say("units.revoked", role=role, name=name_of(talk, person))
    return END


COMMANDS = (Command("thuhoi", begin_revoke),)
