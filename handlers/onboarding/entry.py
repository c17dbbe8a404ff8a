"""How joining begins: the welcome, reading without joining, consent, and where a QR code leads."""

from __future__ import annotations

from content.message import Choice, Message
from db import people, units
from handlers.dialogue import Answer, Command, Move
from handlers.onboarding.flow import dialogue, missing, remember, task
from handlers.talk import Talk

START_COMMANDS = {"i": "nhanquyen", "c": "thidua", "q": "thi"}
"""What the letter of a start parameter opens, where that command exists (4-conversation §4.3)."""


async def start(talk: Talk, arg: str) -> Move | None:
    """/start, with or without the parameter of a QR code or link; it is kept through consent."""
    letter, _, code = arg.partition("-")
    command = START_COMMANDS.get(letter, "")
    if code and command in talk.house.registry.commands:
        remember(talk, **({"invitation": code} if letter == "i" else {"command": command, "arg": code}))
    elif code and letter in ("u", "t") and (move := await _scanned(talk, code)) is not None:
        return move
    if talk.person is None or missing(talk):
        return dialogue.go("start" if talk.owner is not None else "welcome")
    name, given = task(talk)
    if name:
        talk.conversation.pending = {}
        return await talk.house.registry.commands[name].run(talk, given)
    return Move("menu", "home")


async def _scanned(talk: Talk, code: str) -> Move | None:
    """A unit's code: asked about after consent, offered as a move to somebody who is elsewhere."""
    unit = await units.find_by_code(talk.session, code)
    if unit is None:
        talk.say("onboarding.bad_code")
        return None
    here = talk.person.unit_id if talk.person is not None else None
    if here == unit.id:
        talk.say("onboarding.here_already", unit=unit.name)
        return None
    if here is not None:
        return dialogue.go("move", unit=unit.id)
    remember(talk, unit=unit.id)
    if talk.joined and not missing(talk):
        remember(talk, answered=["news", "group", "shift"])
        return dialogue.go("unit")
    return None


@dialogue.ask("start")
async def begin(talk: Talk) -> Message | Move | str:
    if talk.owner is None:
        return "consent" if task(talk)[0] else "welcome"
    if talk.person is None:
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
    """What may be read without joining, as the registry has it, and the way to joining or on with it."""
    words = talk.house.words
    shown = [words.message(f"commands.{c.name}").choices[0] for c in await offers(talk) if not c.joined]
    if talk.owner is None:
        return [*shown, *words.message("commands.thamgia").choices]
    return [*shown, *words.message("onboarding.join_on").choices]


async def join(talk: Talk, arg: str) -> Move | None:
    """Straight to consent, for somebody who has read the welcome already; who has joined goes on with that."""
    return dialogue.go("consent") if talk.person is None else await start(talk, "")


async def offers(talk: Talk) -> list[Command]:
    """What the welcome names, in the registry's order: only what is built and has something to show."""
    named = [c for c in talk.house.registry.order if f"onboarding.offer_{c.name}" in talk.house.words]
    return [command for command in named if command.visible is None or await command.visible(talk)]


@dialogue.ask("consent")
async def ask_consent(talk: Talk) -> Message | str:
    return talk.screen("onboarding.consent") if talk.person is None else _given(talk)


@dialogue.ask("consent_full")
async def ask_consent_full(talk: Talk) -> Message | str:
    return talk.screen("onboarding.consent_full") if talk.person is None else _given(talk)


def _given(talk: Talk) -> str:
    """Going back from the first question does not ask for consent again: it stands, and is withdrawn in the profile."""
    left = missing(talk)
    return left[0] if left else "done"


@dialogue.take("consent")
@dialogue.take("consent_full")
async def take_consent(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "full":
        return "consent_full"
    if answer.choice == "no":
        return "declined"
    version = talk.words("onboarding.consent_version")
    if talk.owner is None:
        talk.owner = await people.join(talk.session, talk.account, version, talk.now)
    else:
        await people.come_back(talk.session, talk.owner, version, talk.account.channel, talk.now)
    # Somebody who comes back is asked what ended with their consent, not what is known.
    elsewhere = "unit" in talk.conversation.pending
    known = {"unit": talk.me.unit_id is not None and not elsewhere, "group": talk.me.audience is not None}
    remember(talk, answered=[step for step, is_known in known.items() if is_known])
    return "news"


@dialogue.ask("declined")
async def ask_declined(talk: Talk) -> Message:
    return talk.screen("onboarding.declined", *(await open_to_all(talk))[:-1])


@dialogue.take("declined")
async def take_declined(talk: Talk, answer: Answer) -> Move | str:
    return "consent"


COMMANDS = (Command("start", start, joined=False, slash=True), Command("thamgia", join, joined=False))
