"""The reader's side: reading again what was announced, and wanting less of it. Nobody's reading is tracked."""

from __future__ import annotations

from content.calendar import local_date, official_day_month
from content.message import Choice, Message
from content.placeholders import fill
from db import broadcasts, people, units
from handlers.dialogue import END, Answer, Command, Dialogue, Move, Place
from handlers.onboarding.oneself import switch_news_on
from handlers.paging import page
from handlers.talk import Talk

dialogue = Dialogue("rereading")
PAGE = 5
LINE = 60


async def show(talk: Talk, arg: str) -> Move | None:
    return dialogue.go("list", start=0)


async def _texts(talk: Talk) -> list[tuple[int, str, str]]:
    """(id, day, text as this person was meant to read it), newest first."""
    group = talk.me.audience.value if talk.me.audience else ""
    unit = (await units.get(talk.session, talk.me.unit_id)).name if talk.me.unit_id else ""
    return [
        (
            b.id,
            official_day_month(local_date(b.send_at)),
            fill(str(b.audience.get("texts", {}).get(group, b.text)), name=talk.me.name, unit=unit),
        )
        for b in await broadcasts.list_for(talk.session, talk.me.id, talk.now)
    ]


@dialogue.ask("list")
async def ask_list(talk: Talk) -> Message:
    found = await _texts(talk)
    shown, after = page(found, talk.data.get("start", 0), PAGE)
    lines = [f"{day}: {text.splitlines()[0][:LINE]}" for _, day, text in shown]
    choices = [Choice(str(n + 1), f"id-{each[0]}") for n, each in enumerate(shown)]
    without = () if after or talk.data.get("start", 0) else ("more",)
    return talk.screen("announcing.reread", *choices, without=without, lines=lines)


@dialogue.take("list")
async def take_list(talk: Talk, answer: Answer) -> Move | str:
    found = await _texts(talk)
    if answer.choice == "more":
        talk.put(start=page(found, talk.data.get("start", 0), PAGE)[1])
        return "list"
    talk.put(id=int(answer.choice.removeprefix("id-")))
    return "one"


@dialogue.ask("one")
async def ask_one(talk: Talk) -> Message | str:
    for b in await broadcasts.list_for(talk.session, talk.me.id, talk.now):
        if b.id == talk.data["id"]:
            text = next(text for number, _, text in await _texts(talk) if number == b.id)
            return talk.screen("announcing.reread_one", at=b.send_at, text=text)
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


@dialogue.ask("less")
async def ask_less(talk: Talk) -> Message:
    return talk.screen("announcing.less")


@dialogue.take("less")
async def take_less(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "all":
        await no_more(talk, "")
    elif answer.choice == "campaign":
        talk.me.muted_topics = sorted({*talk.me.muted_topics, "movement"})
        talk.say("announcing.less_done")
    else:
        talk.say("announcing.less_kept")
    return END


COMMANDS = (
    Command("thongbao", show, place=Place.MORE, slash=True),
    Command("dungtin", no_more, joined=False, slash=True),
    Command("battin", on_again),
    Command("bottin", less),
)
