"""The reader's side: reading again what was announced, and wanting less of it. Nobody's reading is tracked."""

from __future__ import annotations

from content.announcements import announcement, with_activity
from content.calendar import local_date, official_day_month
from content.message import Choice, Media, Message
from content.placeholders import fill
from db import activities, broadcasts, people
from db.broadcasts import Announced
from handlers.dialogue import END, Answer, Command, Dialogue, Move, Place
from handlers.onboarding.oneself import switch_news_on
from handlers.paging import page, picked
from handlers.talk import Talk

dialogue = Dialogue("rereading")
PAGE = 5
LINE = 60
LESS = {"campaign": "movement", "days": "anniversary"}
"""What one may want less of with one tap, and its topic."""


async def show(talk: Talk, arg: str) -> Move | None:
    return dialogue.go("list", start=0)


async def _text(talk: Talk, item: Announced) -> str:
    """The text as this person was meant to read it."""
    group = talk.me.audience.value if talk.me.audience else ""
    text = str(item.broadcast.audience.get("texts", {}).get(group, item.broadcast.text))
    if "activity" in item.broadcast.audience:
        found = await activities.nearest(talk.session, [talk.me.unit_id], *item.broadcast.audience["activity"])
        for _, unit, line in found.values():
            text = with_activity(talk.house.words, text, unit, line)
    return fill(text, name=talk.me.name, unit=item.unit)


@dialogue.ask("list")
async def ask_list(talk: Talk) -> Message:
    found = await broadcasts.list_for(talk.session, talk.me.id, talk.now)
    shown, without = page(talk, found, PAGE)
    lines = []
    for item in shown:
        said = (await _text(talk, item)).splitlines()
        first = 2 if item.broadcast.kind == "document" else 0  # a document begins with its office and number
        line = said[min(first, len(said) - 1)]
        if item.broadcast.kind == "correction":
            line = talk.house.words.plain("announcing.reread_correction", line=line)
        line = line if len(line) <= LINE else line[: LINE - 1] + "…"
        if item.missed:
            line = talk.house.words.plain("announcing.reread_missed", line=line)
        lines.append(f"{official_day_month(local_date(item.broadcast.send_at))}: {line}")
    choices = [Choice(str(n), f"id-{item.broadcast.id}") for n, item in enumerate(shown, 1)]
    return talk.screen("announcing.reread", *choices, without=without, lines=lines)


@dialogue.take("list")
async def take_list(talk: Talk, answer: Answer) -> Move | str:
    return picked(talk, answer, "id", "one")


@dialogue.ask("one")
async def ask_one(talk: Talk) -> Message | str:
    for item in await broadcasts.list_for(talk.session, talk.me.id, talk.now):
        if item.broadcast.id == talk.data["id"]:
            media = [Media(*each) for each in item.broadcast.media]
            button = item.broadcast.audience.get("button", ())
            message = announcement(talk.house.words, item.broadcast.kind, await _text(talk, item), media, button)
            if media:  # on its own, since an album carries no buttons
                talk.out.append((message, None, 0.0))
            text = "" if media else message.text
            own = message.choices[:1] if button else ()
            return talk.screen("announcing.reread_one", *own, at=item.broadcast.send_at, text=text)
    return "list"


# ---------------------------------------------------------------------------------------------------- less of it


async def no_more(talk: Talk, arg: str) -> Move | None:
    """/dungtin: I want no more messages, whatever my role."""
    if talk.owner is None:
        talk.say("announcing.no_more_stranger")
        return None
    await people.stop_news(talk.session, talk.owner, talk.now)
    talk.say("announcing.no_more", without=() if talk.joined else ("on",))
    return None


async def on_again(talk: Talk, arg: str) -> Move | None:
    await switch_news_on(talk)
    talk.say("announcing.on_again")
    return None


async def less(talk: Talk, arg: str) -> Move | None:
    return dialogue.go("less")


@dialogue.question("less", "announcing.less")
async def take_less(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "all":
        await no_more(talk, "")
    elif answer.choice in LESS:
        await people.mute(talk.session, talk.me, {*talk.me.muted_topics, LESS[answer.choice]}, talk.now)
        talk.say(f"announcing.less_{answer.choice}")
    else:
        talk.say("announcing.less_kept")
    return END


COMMANDS = (
    Command("thongbao", show, place=Place.MORE, slash=True),
    Command("dungtin", no_more, joined=False, slash=True),
    Command("battin", on_again),
    Command("bottin", less),
)
