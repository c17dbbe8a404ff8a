"""Giving roles: a one-time way in, and the inviter's word that it was the right person who took it."""

from __future__ import annotations

from content.message import Message
from db import people, policy, roles, units
from db.models import Role
from db.policy import INVITES
from handlers.dialogue import END, Answer, Command, Kind, Move
from handlers.profile import read_name
from handlers.talk import Talk
from handlers.units.flow import dialogue, name_of, number, role_name
from handlers.units.picking import ARRIVED

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike when somebody reads them aloud."""
LENGTH = 26
"""So many of them are 128 bits."""


@dialogue.ask("role")
async def ask_role(talk: Talk) -> Message:
    held = [role for role, _ in await policy.roles(talk.session, talk.me.id)]
    allowed = [role for role in Role if any(role in INVITES.get(own, ()) for own in held)]
    return talk.screen("units.pick_role", only=[*allowed, "_back"])


@dialogue.take("role")
async def take_role(talk: Talk, answer: Answer) -> Move | str:
    talk.put(role=answer.choice, purpose="invite")
    return "unit"


async def _invite(talk: Talk, unit_id: int) -> Move:
    role = Role(talk.data["role"])
    token = "".join(talk.house.rng.choice(LETTERS) for _ in range(LENGTH))
    invitation = await roles.invite(
        talk.session, token=token, role=role, unit_id=unit_id, invited_by=talk.me.id, now=talk.now
    )
    unit = await units.get(talk.session, unit_id)
    links = [link.format(f"i-{token}") for link in talk.house.links.values()]
    talk.say(
        "units.invited",
        role=role_name(talk, role),
        unit=unit.name,
        until=invitation.expires_at,
        links=links,
        token=token,
    )
    return END


ARRIVED["invite"] = _invite


async def accept(talk: Talk, arg: str) -> Move | None:
    """/start i-…: the invited person takes the role; who has no name yet writes it first, for the inviter to know them."""
    if talk.me.name:
        return await _take_on(talk, arg)
    await roles.open_invitation(talk.session, arg, talk.me.id, talk.now)
    return dialogue.go("own_name", token=arg)


@dialogue.question("own_name", "units.own_name", Kind.TEXT)
async def take_own_name(talk: Talk, answer: Answer) -> Move | str:
    talk.me.name = read_name(answer.text)
    return await _take_on(talk, talk.data["token"]) or END


async def _take_on(talk: Talk, token: str) -> Move | None:
    """The role counts once the inviter has said it is the right person."""
    grant = await roles.accept(talk.session, token, talk.me.id, talk.now)
    unit = await units.get(talk.session, grant.unit_id)
    role = role_name(talk, grant.role)
    if grant.confirmed_at is not None:
        talk.say("units.accepted_now", role=role, unit=unit.name)
        return Move("menu", "home")
    talk.say("units.accepted_wait", role=role, unit=unit.name)
    for person_id in await roles.confirmers(talk.session, grant):
        await talk.tell(
            person_id,
            "units.confirm_grant",
            dedup=f"grant:{grant.id}:{person_id}",
            name=talk.me.name,
            role=role,
            unit=unit.name,
            grant=grant.id,
        )
    return None


async def confirm(talk: Talk, arg: str) -> Move | None:
    grant = await roles.confirm(talk.session, number(arg), talk.me.id, talk.now)
    person = await people.get(talk.session, grant.person_id)
    unit = await units.get(talk.session, grant.unit_id)
    role = role_name(talk, grant.role)
    await talk.tell(person.id, "units.confirmed_notice", dedup=f"confirmed:{grant.id}", role=role, unit=unit.name)
    talk.say("units.confirmed", role=role, name=name_of(talk, person))
    return None


COMMANDS = (Command("nhanquyen", accept), Command("xacnhanquyen", confirm))
