"""The days to come, with their years computed."""

from __future__ import annotations

from content.calendar import official
from db import activities, people
from handlers.activities import may_write
from handlers.dialogue import Command, Move, Place
from handlers.onboarding.oneself import switch_news_on
from handlers.talk import Talk

NEXT = 5
TOPIC = "anniversary"


async def show(talk: Talk, arg: str) -> Move | None:
    """The next five dates."""
    found = []
    for anniversary in talk.house.packs.anniversaries.anniversaries:
        day = anniversary.founded.replace(year=talk.today.year)
        if day < talk.today:
            day = day.replace(year=day.year + 1)
        left = (day - talk.today).days
        words = talk.words("anniversaries.left", n=left) if left else talk.words("anniversaries.today")
        own = await _own_line(talk, anniversary.key, day.year)
        found.append((day, [official(day), day.year - anniversary.founded.year, anniversary.name, words, own]))
    found.sort(key=lambda item: item[0])
    without = ["remind"] if talk.person is not None and _is_reminded(talk) else []
    without += [] if await may_write(talk) else ["activity"]
    talk.say("anniversaries.list", without=without, days=[row for _, row in found[:NEXT]])
    return None


async def _own_line(talk: Talk, key: str, year: int) -> str:
    """What the reader's unit does on that day, "" where nobody wrote it down."""
    here = talk.person.unit_id if talk.person is not None else None
    found = await activities.nearest(talk.session, [here], key, year)
    lines = [talk.house.words.plain("anniversaries.activity", unit=unit, text=text) for _, unit, text in found.values()]
    return lines[0] if lines else ""


def _is_reminded(talk: Talk) -> bool:
    return talk.me.news and TOPIC not in talk.me.muted_topics


async def remind(talk: Talk, arg: str) -> Move | None:
    """A yes to reminders of these days, for somebody who had said no to them."""
    await people.mute(talk.session, talk.me, set(talk.me.muted_topics) - {TOPIC}, talk.now)
    if not talk.me.news:
        await switch_news_on(talk)
    talk.say("anniversaries.reminded")
    return None


COMMANDS = (
    Command("ngayle", show, place=Place.MORE, joined=False, slash=True),
    Command("nhacngayle", remind),
)
