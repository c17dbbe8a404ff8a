"""Units and roles: inviting, confirming, taking away, who belongs here, the QR code of a unit."""

from __future__ import annotations

import hashlib

from content.message import Choice, Media, Message
from content.pictures import qr_png
from content.search import UnitName, search_units
from content.text import clean_line, whole_number
from db import people, policy, roles, units
from db.errors import Refused
from db.models import Role
from db.policy import INVITES, Action
from handlers.dialogue import AGAIN, END, Again, Answer, Command, Dialogue, Move, Place
from handlers.paging import page
from handlers.talk import Talk

dialogue = Dialogue("units")
PAGE = 5


async def may_manage(talk: Talk) -> bool:
    """Whether this person has anything to do with units or roles."""
    if talk.person is None:
        return False
    held = await policy.roles(talk.session, talk.me.id)
    confirms = await policy.scopes(talk.session, talk.me.id, Action.CONFIRM_MEMBERS)
    return bool(confirms) or any(role in INVITES for role, _ in held)


async def _scope(talk: Talk) -> int:
    held = await policy.roles(talk.session, talk.me.id)
    if not held:
        raise Refused("common.refused")
    return held[0][1]


def _role(talk: Talk, role: Role) -> str:
    return talk.words(f"units.role_{role.value}")


async def show(talk: Talk, arg: str) -> Move | None:
    if not await may_manage(talk):
        raise Refused("common.refused")
    return dialogue.go("home")


@dialogue.ask("home")
async def ask_home(talk: Talk) -> Message:
    unit = await units.get(talk.session, await _scope(talk))
    held = [role for role, _ in await policy.roles(talk.session, talk.me.id)]
    without = [] if any(role in INVITES for role in held) else ["invite", "grants"]
    scopes = await policy.scopes(talk.session, talk.me.id, Action.CONFIRM_MEMBERS)
    without += [] if scopes else ["confirm"]
    waiting = len(await people.list_unconfirmed(talk.session, scopes)) if scopes else 0
    total = await units.count_people(talk.session, unit.id)
    return talk.screen("units.home", without=without, unit=unit.name, people=total, waiting=waiting)


@dialogue.take("home")
async def take_home(talk: Talk, answer: Answer) -> Move | str:
    talk.put(start=0)
    if answer.choice == "qr":
        talk.put(purpose="qr")
        return "unit"
    return {"invite": "role", "grants": "grants", "confirm": "members"}[answer.choice]


# ---------------------------------------------------------------------------------------------------- inviting


@dialogue.ask("role")
async def ask_role(talk: Talk) -> Message:
    held = [role for role, _ in await policy.roles(talk.session, talk.me.id)]
    allowed = [role for role in Role if any(role in INVITES.get(own, ()) for own in held)]
    return talk.screen("units.pick_role", *(Choice(_role(talk, role), role.value) for role in allowed))


@dialogue.take("role")
async def take_role(talk: Talk, answer: Answer) -> Move | str:
    talk.put(role=answer.choice, purpose="invite")
    return "unit"


@dialogue.ask("unit", free=True)
async def ask_unit(talk: Talk) -> Message:
    unit = await units.get(talk.session, await _scope(talk))
    return talk.screen("units.pick_unit", unit=(unit.short_name or unit.name)[:20])


@dialogue.take("unit")
async def take_unit(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "here":
        unit_id = await _scope(talk)
    else:
        unit_id = await _find(talk, clean_line(answer.text))
    return await (_invite(talk, unit_id) if talk.data["purpose"] == "invite" else _send_qr(talk, unit_id))


async def _find(talk: Talk, text: str) -> int:
    """A unit within one's own part of the tree, by code or name."""
    known = await units.find_by_code(talk.session, text)
    named = [
        UnitName(u.id, tuple(filter(None, (u.name, u.short_name, *u.aliases))), u.old_names, u.place, u.parent)
        for u in await units.names(talk.session, teams=True)
    ]
    found = [known.id] if known is not None else [hit.id for hit in search_units(text, named, 10)]
    own = {unit_id for _, unit_id in await policy.roles(talk.session, talk.me.id)}
    for unit_id in found:
        if own & set(await units.ancestors(talk.session, unit_id)):
            return unit_id
    raise Again("units.unit_unknown")


async def _invite(talk: Talk, unit_id: int) -> Move:
    role = Role(talk.data["role"])
    token = "".join(talk.house.rng.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(26))
    invitation = await roles.invite(
        talk.session, token=token, role=role, unit_id=unit_id, invited_by=talk.me.id, now=talk.now
    )
    unit = await units.get(talk.session, unit_id)
    links = [link.format(f"i-{token}") for link in talk.house.links.values()]
    talk.say(
        "units.invited", role=_role(talk, role), unit=unit.name, until=invitation.expires_at, links=links, token=token
    )
    return END


async def accept(talk: Talk, arg: str) -> Move | None:
    """/start i-…: the invited person takes the role; it counts once the inviter has said it is the right one."""
    grant = await roles.accept(talk.session, arg, talk.me.id, talk.now)
    unit = await units.get(talk.session, grant.unit_id)
    role = _role(talk, grant.role)
    if grant.confirmed_at is not None:
        talk.say("units.accepted_now", role=role, unit=unit.name)
        return Move("menu", "home")
    talk.say("units.accepted_wait", role=role, unit=unit.name)
    for person_id in await roles.confirmers(talk.session, grant):
        await talk.tell(
            person_id,
            "units.confirm_grant",
            dedup=f"grant:{grant.id}:{person_id}",
            name=talk.me.name or talk.words("units.no_name"),
            role=role,
            unit=unit.name,
            grant=grant.id,
        )
    return None


def _number(arg: str) -> int:
    number = whole_number(arg)
    if number is None:
        raise Again("common.unknown")
    return number


async def confirm(talk: Talk, arg: str) -> Move | None:
    grant = await roles.confirm(talk.session, _number(arg), talk.me.id, talk.now)
    person = await people.get(talk.session, grant.person_id)
    unit = await units.get(talk.session, grant.unit_id)
    role = _role(talk, grant.role)
    await talk.tell(person.id, "units.confirmed_notice", dedup=f"confirmed:{grant.id}", role=role, unit=unit.name)
    talk.say("units.confirmed", role=role, name=person.name or talk.words("units.no_name"))
    return None


# ---------------------------------------------------------------------------------------------------- taking away


@dialogue.ask("grants")
async def ask_grants(talk: Talk) -> Message:
    found = await roles.list_below(talk.session, talk.me.id)
    shown, after = page(found, talk.data.get("start", 0), PAGE)
    lines = []
    for grant in shown:
        person = await people.get(talk.session, grant.person_id)
        unit = await units.get(talk.session, grant.unit_id)
        waits = talk.words("units.pending") if grant.confirmed_at is None else ""
        name = person.name or talk.words("units.no_name")
        lines.append(f"{name} – {_role(talk, grant.role)}, {unit.short_name or unit.name} {waits}".strip())
    choices = [Choice(str(n + 1), f"grant-{grant.id}") for n, grant in enumerate(shown)]
    without = () if after or talk.data.get("start", 0) else ("more",)
    return talk.screen("units.grants", *choices, without=without, lines=lines)


@dialogue.take("grants")
async def take_grants(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "home":
        return "home"
    if answer.choice == "more":
        found = await roles.list_below(talk.session, talk.me.id)
        talk.put(start=page(found, talk.data.get("start", 0), PAGE)[1])
        return "grants"
    talk.put(grant=int(answer.choice.removeprefix("grant-")))
    return "revoke"


async def begin_revoke(talk: Talk, arg: str) -> Move | None:
    return dialogue.go("revoke", grant=_number(arg))


@dialogue.ask("revoke")
async def ask_revoke(talk: Talk) -> Message:
    grant = await roles.get_below(talk.session, talk.data["grant"], talk.me.id)
    person = await people.get(talk.session, grant.person_id)
    unit = await units.get(talk.session, grant.unit_id)
    name = person.name or talk.words("units.no_name")
    return talk.screen("units.revoke_sure", role=_role(talk, grant.role), name=name, unit=unit.name)


@dialogue.take("revoke")
async def take_revoke(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        return "home"
    grant = await roles.revoke(talk.session, talk.data["grant"], talk.me.id, talk.now)
    person = await people.get(talk.session, grant.person_id)
    unit = await units.get(talk.session, grant.unit_id)
    role = _role(talk, grant.role)
    await talk.tell(person.id, "units.revoked_notice", dedup=f"revoked:{grant.id}", role=role, unit=unit.name)
    talk.say("units.revoked", role=role, name=person.name or talk.words("units.no_name"))
    return END


# ---------------------------------------------------------------------------------------------------- members, QR


@dialogue.ask("members")
async def ask_members(talk: Talk) -> Message:
    scopes = await policy.scopes(talk.session, talk.me.id, Action.CONFIRM_MEMBERS)
    waiting = await people.list_unconfirmed(talk.session, scopes)
    shown = waiting[:PAGE]
    lines = [f"{person.name or talk.words('units.no_name')} – {unit}" for person, unit in shown]
    choices = [Choice(str(n + 1), f"person-{person.id}") for n, (person, _) in enumerate(shown)]
    return talk.screen("units.members", *choices, without=() if shown else ("all",), n=len(waiting), lines=lines)


@dialogue.take("members")
async def take_members(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "home":
        return "home"
    scopes = await policy.scopes(talk.session, talk.me.id, Action.CONFIRM_MEMBERS)
    waiting = [person for person, _ in await people.list_unconfirmed(talk.session, scopes)]
    chosen = waiting if answer.choice == "all" else [p for p in waiting if f"person-{p.id}" == answer.choice]
    for person in chosen:
        await policy.check(talk.session, talk.me.id, Action.CONFIRM_MEMBERS, person.unit_id)
        await people.confirm(talk.session, person, talk.me.id, talk.now)
    talk.say("units.members_done", n=len(chosen))
    return AGAIN


async def _send_qr(talk: Talk, unit_id: int) -> Move:
    await policy.check(talk.session, talk.me.id, Action.UNIT_QR, unit_id)
    unit = await units.get(talk.session, unit_id)
    links = [link.format(f"u-{unit.code}") for link in talk.house.links.values()]
    if not links:
        raise Again("units.qr_none")
    picture = qr_png(links[-1])
    name = f"{hashlib.sha256(picture).hexdigest()}.png"
    target = talk.house.files / name
    if not target.exists():
        target.write_bytes(picture)
    talk.say("units.qr", media=[Media("photo", name, f"{unit.code}.png")], unit=unit.name, link=links[-1])
    return END


async def waiting_members(talk: Talk) -> str:
    """The officer's line about people who wait to be confirmed."""
    scopes = await policy.scopes(talk.session, talk.me.id, Action.CONFIRM_MEMBERS)
    waiting = await people.list_unconfirmed(talk.session, scopes) if scopes else []
    return talk.words("units.waiting", n=len(waiting)) if waiting else ""


DIALOGUES = (dialogue,)
OFFICER_WORK = (waiting_members,)
COMMANDS = (
    Command("donvi", show, place=Place.OFFICER, slash=True, visible=may_manage),
    Command("nhanquyen", accept),
    Command("xacnhanquyen", confirm),
    Command("thuhoi", begin_revoke),
)
