"""The days to come, with their years computed."""

from __future__ import annotations

from datetime import date

from content.anniversaries import Anniversary, ordinal_of
from content.calendar import official
from db import activities, people
from handlers.activities import may_write
from handlers.dialogue import Command, Move, Place
from handlers.onboarding.oneself import switch_news_on
from handlers.talk import Talk

NEXT = 5
TOPIC = "anniversary"


async def show(talk: Talk, arg: str) -> Move | None:
    """The next five dates and those for which the reader's unit wrote something, the moon's with their solar day too."""
    pack = talk.house.packs.anniversaries
    found: list[tuple[date, Anniversary]] = []
    for anniversary in pack.anniversaries:
        years = [year for year in (talk.today.year, talk.today.year + 1) if not pack.left_out(year, anniversary.key)]
        days = [day for year in years if (day := anniversary.day(year)) is not None and day >= talk.today]
        if days and anniversary.known and not anniversary.month:
            found.append((days[0], anniversary))
    rows: list[list[object]] = []
    for day, anniversary in sorted(found, key=lambda item: item[0]):
        own = await _own_line(talk, anniversary.key, day.year) if anniversary.activity else ""
        if len(rows) >= NEXT and not own:
            continue
        left = (day - talk.today).days
        words = talk.words("anniversaries.left", n=left) if left else talk.words("anniversaries.today")
        number = ordinal_of(anniversary, day.year)
        moon = "{}/{}".format(*anniversary.place) if anniversary.lunar else ""
        rows.append([official(day), number, anniversary.name, words, own, moon])
    without = ["remind"] if talk.person is not None and _is_reminded(talk) else []
    without += [] if await may_write(talk) else ["activity"]
    talk.say("anniversaries.list", without=without, days=rows)
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
