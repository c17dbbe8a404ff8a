"""The days to come, with their years computed."""

from __future__ import annotations

from content.calendar import official
from handlers.dialogue import Command, Move, Place
from handlers.talk import Talk

NEXT = 5


async def show(talk: Talk, arg: str) -> Move | None:
    """The next five dates."""
    found = []
    for anniversary in talk.house.packs.anniversaries.anniversaries:
        day = anniversary.founded.replace(year=talk.today.year)
        if day < talk.today:
            day = day.replace(year=day.year + 1)
        left = (day - talk.today).days
        words = talk.words("anniversaries.left", n=left) if left else talk.words("anniversaries.today")
        found.append((day, [official(day), day.year - anniversary.founded.year, anniversary.name, words]))
    found.sort(key=lambda item: item[0])
    talk.say("anniversaries.list", days=[row for _, row in found[:NEXT]])
    return None


COMMANDS = (Command("ngayle", show, place=Place.MORE, joined=False, slash=True),)
