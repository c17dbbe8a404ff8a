"""The main menu, the officer's home and help, drawn from the registry: what is not built is neither offered nor named."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from content.message import MAX_CHOICES, Choice, Message
from content.times import greeting_part
from db import accounts, policy, units
from db.models import Draft
from handlers.dialogue import AGAIN, Answer, Command, Dialogue, Move, Place
from handlers.onboarding import missing, open_to_all
from handlers.paging import page, turn
from handlers.talk import Talk

dialogue = Dialogue("menu")
DRAFT_SHOWN = timedelta(days=30)
"""How long the menu reminds of a draft; after that it is put away, and deleted after 60 more (4-conversation §4.17)."""
PUT_AWAY = 3
"""What a draft's `reminded` counts to: two reminders, then that it was put away."""
NOT_LISTED = ("start", "menu", "trogiup", "canbo")
"""What help speaks of in its own words, or what the reader is looking at."""
FIRST_LISTED = ("start", "menu", "canbo")
CANCEL = "huy"
"""A word that means the same everywhere, listed as a /command too; there is nothing to open behind it."""


async def show(talk: Talk, arg: str) -> Move | None:
    """The menu at any time; somebody who has not joined sees what is open to all."""
    return dialogue.go("home")


async def show_more(talk: Talk, arg: str) -> Move | None:
    return dialogue.go("more")


async def resume(talk: Talk, arg: str) -> Move | None:
    """Goes on with a draft where it was left; without one named, with what is on the screen."""
    if not arg and talk.conversation.step:
        return AGAIN
    known = talk.house.registry.dialogues.get(arg)
    if (
        known is None
        or not known.keeps_draft
        or not await known.open_to(talk)
        or await accounts.find_draft(talk.session, talk.me.id, arg) is None
    ):
        return dialogue.go("home")
    return Move(arg, "")


async def show_help(talk: Talk, arg: str) -> Move | None:
    """How to use it, and what can be typed: each label is a word that opens its thing."""
    of_all, of_some = await _slashes(talk)
    lines = [_name(talk, command) for command in of_all if command.name not in NOT_LISTED]
    officer = [_name(talk, command) for command in of_some if command.name not in NOT_LISTED]
    talk.say("menu.help", _button(talk, "menu"), lines=lines, officer=officer)
    return None


async def _slashes(talk: Talk) -> tuple[list[Command], list[Command]]:
    """The /commands that everybody has, and those that come with a role this person holds."""
    shown = [c for c in talk.house.registry.order if c.slash and await _visible(talk, c)]
    of_some = [c for c in shown if c.place == Place.OFFICER or (c.place == Place.NOWHERE and c.visible is not None)]
    return [command for command in shown if command not in of_some], of_some


async def command_list(talk: Talk) -> list[tuple[str, str]]:
    """Every /command this person is offered with its description, for platforms that show a list (4-conversation §4.1)."""
    of_all, of_some = await _slashes(talk)
    everybody = sorted((command.name for command in of_all), key=lambda name: name not in FIRST_LISTED)
    officer = sorted((command.name for command in of_some), key=lambda name: name not in FIRST_LISTED)
    names = [*everybody, CANCEL, *officer]
    return [(name, talk.house.words.plain(f"commands.{name}")) for name in names]


def _name(talk: Talk, command: Command) -> str:
    """A command's label without its icon."""
    return re.sub(r"^\W+", "", _button(talk, command.name).label)


def _button(talk: Talk, name: str) -> Choice:
    return talk.house.words.message(f"commands.{name}").choices[0]


async def _visible(talk: Talk, command: Command) -> bool:
    return command.visible is None or await command.visible(talk)


async def buttons(talk: Talk, place: Place) -> list[Choice]:
    """What this person may open from one place of the menu."""
    offered = [c for c in talk.house.registry.order if c.place == place and await _visible(talk, c)]
    return [_button(talk, command.name) for command in offered]


@dialogue.ask("home")
async def ask_home(talk: Talk) -> Message | Move:
    greeting = talk.words(f"menu.greeting_{greeting_part(talk.local)}")
    if not talk.joined:
        return await _home_of_a_stranger(talk, greeting)
    waiting, resume = "", list[Choice]()
    for line in talk.house.registry.waiting:
        if waiting := await line(talk):
            resume = await _resume_button(talk) if line is draft_waiting else []
            break
    name = talk.me.name or talk.words("menu.stranger")
    home = [await _officer_button(talk)] if await is_officer(talk) else []
    main = await buttons(talk, Place.MAIN)
    choices = [*resume, *home, *main][: MAX_CHOICES - 1]
    return talk.screen("menu.home", *choices, _button(talk, "themmuc"), greeting=greeting, name=name, waiting=waiting)


async def _officer_button(talk: Talk) -> Choice:
    """The way to the officer's work, with how many kinds of it wait."""
    button, waiting = _button(talk, "canbo"), len(await _officer_lines(talk))
    return replace(button, label=f"{button.label} ({waiting})") if waiting else button


async def _officer_lines(talk: Talk) -> list[str]:
    return [line for work in talk.house.registry.officer_work if (line := await work(talk))]


async def _home_of_a_stranger(talk: Talk, greeting: str) -> Message:
    """What is open to all; somebody half-way through joining, or who stopped processing, finds their rights too."""
    own = [] if talk.owner is None else [_button(talk, "canhan")]
    waiting = talk.words("onboarding.resume", n=len(missing(talk))) if talk.person is not None else ""
    name = (talk.person.name if talk.person is not None else "") or talk.words("menu.stranger")
    return talk.screen("menu.home", *(await open_to_all(talk)), *own, greeting=greeting, name=name, waiting=waiting)


@dialogue.ask("more")
async def ask_more(talk: Talk) -> Message:
    return talk.screen("menu.more", *(await buttons(talk, Place.MORE)), _button(talk, "menu"))


async def show_officer(talk: Talk, arg: str) -> Move | None:
    return dialogue.go("officer", start=0)


@dialogue.ask("officer", officers=True)
async def ask_officer(talk: Talk) -> Message | str:
    choices = await buttons(talk, Place.OFFICER)
    if not choices:
        return "home"
    # Who holds several roles has more than fits a small phone beside the way on and the way out.
    shown, without = page(talk, choices, MAX_CHOICES - 1 if len(choices) < MAX_CHOICES else MAX_CHOICES - 2)
    return talk.screen(
        "menu.officer",
        *shown,
        without=without,
        unit=await _scope_name(talk),
        lines=await _officer_lines(talk) or [talk.words("menu.officer_calm")],
    )


@dialogue.take("officer")
async def take_officer(talk: Talk, answer: Answer) -> Move | str:
    return turn(talk)


async def _scope_name(talk: Talk) -> str:
    held = await policy.roles(talk.session, talk.me.id)
    return (await units.get(talk.session, held[0][1])).name if held else ""


async def _unfinished(talk: Talk) -> Draft | None:
    """The latest draft that the menu has something to say about."""
    words = talk.house.words
    for draft in await accounts.list_drafts(talk.session, talk.me.id):
        fresh = draft.updated_at >= talk.now - DRAFT_SHOWN
        away = draft.reminded != PUT_AWAY and f"{draft.dialogue}.draft_put_away" in words
        known = talk.house.registry.dialogues.get(draft.dialogue)
        if known is None or not known.begun(draft.data) or f"{draft.dialogue}.draft_name" not in words:
            continue
        if (fresh or away) and await known.open_to(talk):
            return draft
    return None


async def draft_waiting(talk: Talk) -> str:
    """The menu's line about what was begun and not sent; after a month, once, where it has been put away."""
    draft = await _unfinished(talk)
    if draft is None:
        return ""
    if draft.updated_at >= talk.now - DRAFT_SHOWN:
        return talk.words("menu.draft_waiting", what=talk.words(f"{draft.dialogue}.draft_name"))
    draft.reminded = PUT_AWAY
    return talk.words(f"{draft.dialogue}.draft_put_away")


async def _resume_button(talk: Talk) -> list[Choice]:
    """The way back into the draft that the menu speaks of; none into one that it only says is put away."""
    draft = await _unfinished(talk)
    if draft is None or draft.updated_at < talk.now - DRAFT_SHOWN:
        return []
    return list(talk.house.words.message("common.draft_kept", what="", dialogue=draft.dialogue).choices)


async def is_officer(talk: Talk) -> bool:
    """Whether there is any officer's work this person may open; for most, who hold no role, that is one look."""
    held = talk.person is not None and await policy.roles(talk.session, talk.me.id)
    return bool(held and await buttons(talk, Place.OFFICER))


DIALOGUES = (dialogue,)
WAITING = (draft_waiting,)
COMMANDS = (
    Command("menu", show, joined=False, slash=True),
    Command("themmuc", show_more),
    Command("trogiup", show_help, place=Place.MORE, joined=False, slash=True),
    Command("canbo", show_officer, slash=True, visible=is_officer),
    Command("tieptuc", resume),
)
