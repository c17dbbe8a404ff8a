"""Where an officer begins with units and roles, and what its steps share."""

from __future__ import annotations

from content.message import Message
from content.text import whole_number
from db import people, policy, units
from db.errors import Refused
from db.models import Person, Role
from db.policy import INVITES, Action
from handlers.dialogue import Again, Answer, Command, Dialogue, Move, Place
from handlers.talk import Talk

dialogue = Dialogue("units", officers=True)
PAGE = 5


def role_name(talk: Talk, role: Role) -> str:
    """A role as people call it."""
    return talk.house.words.label("units.pick_role", role.value)


def name_of(talk: Talk, person: Person) -> str:
    """A person's name, or that they have not written one."""
    return person.name or talk.words("units.no_name")


def number(arg: str) -> int:
    """The number a button carries."""
    found = whole_number(arg)
    if found is None:
        raise Again("common.unknown")
    return found


async def _offered(talk: Talk) -> list[str]:
    """What of this a person may do, in the order of the screen."""
    held = [role for role, _ in await policy.roles(talk.session, talk.me.id)]
    offered = ["invite", "grants"] if any(role in INVITES for role in held) else []
    for name, action in (
        ("confirm", Action.CONFIRM_MEMBERS),
        ("requests", Action.IMPORT_UNITS),
        ("qr", Action.UNIT_QR),
    ):
        if await talk.may(action):
            offered.append(name)
    if "requests" in offered and not await covers_all(talk):
        offered.remove("requests")
    return offered


async def covers_all(talk: Talk) -> bool:
    """Whether a person may change the whole tree: who typed a workplace belongs nowhere yet, so only they see it."""
    top = await units.top(talk.session)
    return top is not None and await policy.may(talk.session, talk.me.id, Action.IMPORT_UNITS, top.id)


async def may_manage(talk: Talk) -> bool:
    """Whether this person has anything to do with units or roles."""
    return talk.person is not None and bool(await _offered(talk))


async def show(talk: Talk, arg: str) -> Move | None:
    if not await may_manage(talk):
        raise Refused("common.refused")
    return dialogue.go("home")


@dialogue.ask("home")
async def ask_home(talk: Talk) -> Message:
    held = await policy.roles(talk.session, talk.me.id)
    offered = await _offered(talk)
    if not offered:
        raise Refused("common.refused")
    unit = await units.get(talk.session, held[0][1])
    scopes = await policy.scopes(talk.session, talk.me.id, Action.CONFIRM_MEMBERS)
    waiting = len(await people.list_unconfirmed(talk.session, scopes)) if scopes else 0
    total = await units.count_people(talk.session, unit.id)
    return talk.screen("units.home", only=[*offered, "menu"], unit=unit.name, people=total, waiting=waiting)


@dialogue.take("home")
async def take_home(talk: Talk, answer: Answer) -> Move | str:
    talk.put(start=0)
    if answer.choice == "qr":
        talk.put(purpose="qr")
        return "unit"
    return {"invite": "role", "grants": "grants", "confirm": "members", "requests": "requests"}[answer.choice]


COMMANDS = (Command("donvi", show, place=Place.OFFICER, slash=True, visible=may_manage),)
