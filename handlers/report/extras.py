"""What makes a report complete: co-authors, recognition, what must stay secret, how the name is shown."""

from __future__ import annotations

import re

from content.message import Message
from content.money import parse_shares
from content.text import fold, is_no
from db import submissions
from handlers.dialogue import Again, Answer, Kind, Move
from handlers.report.flow import ask, dialogue, short
from handlers.talk import Talk

TOLD = ("shares", "recognised", "secret", "display")
COAUTHORS = 6
PIECES = re.compile(r"\r?\n|(?<=%)\s*[,;]\s*")
"""Between two of them: a line each, or commas where Enter sends."""
MYSELF = re.compile(r"\W*(?:toi|em|minh|ban than)(?: toi| em)?\W*(\d{1,3})\W*")
"""A line that names nobody but the sender, folded."""


@dialogue.ask("more")
async def ask_more(talk: Talk) -> Message | str:
    if talk.me.direct_production is None:
        return "direct"
    told = [talk.words(f"report.label_{key}") for key in TOLD if talk.data.get(key)]
    return ask(talk, "more", told=", ".join(told))


@dialogue.take("more")
async def take_more(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "review":
        talk.drop("editing")
        return "preview"
    return answer.choice


@dialogue.question("direct", "report.direct")
async def take_direct(talk: Talk, answer: Answer) -> Move | str:
    talk.me.direct_production = answer.choice == "yes"
    return "more"


@dialogue.ask("coauthors", Kind.TEXT)
async def ask_coauthors(talk: Talk) -> Message:
    others = ", ".join(f"{name} {percent}%" for name, percent, _ in talk.data.get("shares", []))
    return ask(talk, "coauthors", stands=others)


@dialogue.take("coauthors")
async def take_coauthors(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "none":
        talk.drop("shares")
        return "more"
    lines = [_named(line, talk.me.name) for line in PIECES.split(answer.text)]
    try:
        shares = parse_shares(lines)
    except ValueError as error:
        raise Again("report.coauthors_line", line=error.args[0]) from None
    total = sum(percent for _, percent in shares)
    if total != 100:
        raise Again("report.coauthors_sum", total=total)
    others = [(name, percent) for name, percent in shares if fold(name) != fold(talk.me.name)]
    if len(others) == len(shares):
        raise Again("report.coauthors_me")
    if len(others) > COAUTHORS:
        raise Again("report.coauthors_many", most=COAUTHORS)
    if len({fold(name) for name, _ in others}) < len(others):
        raise Again("report.coauthors_twice")
    talk.put(shares=[[name, percent, await _known(talk, name)] for name, percent in others])
    return "more"


def _named(line: str, name: str) -> str:
    """A line about oneself ("em 40%") with one's name."""
    found = MYSELF.fullmatch(fold(line))
    return f"{name} {found[1]}%" if found else line


async def _known(talk: Talk, name: str) -> int | None:
    """A co-author who uses the bot: the one colleague of that name, or nobody when there are two."""
    found = [
        person
        for person, other in await submissions.list_colleagues(talk.session, talk.me)
        if fold(other) == fold(name)
    ]
    return found[0] if len(found) == 1 else None


@dialogue.ask("recognised", Kind.TEXT)
async def ask_recognised(talk: Talk) -> Message:
    return ask(talk, "recognised")


@dialogue.take("recognised")
async def take_recognised(talk: Talk, answer: Answer) -> Move | str:
    if fold(answer.text) in ("chua", "chua co", "khong"):
        talk.drop("recognised")
        return "more"
    talk.put(recognised=short(answer.text, "recognised_length", 5, 200))
    return "more"


@dialogue.ask("secret", Kind.TEXT)
async def ask_secret(talk: Talk) -> Message:
    return ask(talk, "secret")


@dialogue.take("secret")
async def take_secret(talk: Talk, answer: Answer) -> Move | str:
    if is_no(answer.text) or fold(answer.text) in ("khong co", "chua co"):
        talk.drop("secret")
        return "more"
    talk.put(secret=short(answer.text, "secret_length", 1, 500))
    return "more"


@dialogue.question("display", "report.display")
async def take_display(talk: Talk, answer: Answer) -> Move | str:
    talk.put(display=answer.choice)
    return "more"
