"""What is kept about a person, and how they change it."""

from __future__ import annotations

from content.message import Choice, Message
from content.names import NameProblem, parse_name
from content.text import fold
from db import people
from db.models import Audience, Board, Membership
from handlers.dialogue import AGAIN, Again, Answer, Command, Kind, Move, Place
from handlers.onboarding import dialogue as onboarding
from handlers.onboarding.oneself import audience_name, switch_news_on, workplace_name
from handlers.profile.flow import dialogue
from handlers.profile.hours import quiet_hours
from handlers.profile.rights import export
from handlers.talk import Talk

TOPICS = ("movement", "anniversary", "policy", "urgent")
"""What reminders are about; each can be switched off on its own (4-conversation §4.11)."""


async def show(talk: Talk, arg: str) -> Move | None:
    return dialogue.go("home")


@dialogue.ask("home")
async def ask_home(talk: Talk) -> Message:
    if talk.person is None:
        return talk.screen("profile.stopped")
    me = talk.me
    return talk.screen(
        "profile.home",
        name=me.name or talk.words("profile.nothing"),
        unit=await workplace_name(talk),
        audience=audience_name(talk),
        member=talk.words(f"profile.{me.membership.value}"),
        direct="" if me.direct_production is None else talk.words(f"profile.{'yes' if me.direct_production else 'no'}"),
        news=talk.words("onboarding.news_on" if me.news else "onboarding.news_off"),
        shift=talk.words(f"profile.shift_{me.shift.value}"),
        quiet=quiet_hours(talk),
    )


@dialogue.take("home")
async def take_home(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "export":
        return await export(talk)
    return answer.choice


# ---------------------------------------------------------------------------------------------------- changing


@dialogue.question("edit", "profile.edit")
async def take_edit(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice in ("unit", "group"):
        return onboarding.go({"unit": "unit_ask", "group": "group"}[answer.choice], editing=True, opened_by="canhan")
    return answer.choice


@dialogue.ask("name", Kind.TEXT)
async def ask_name(talk: Talk) -> Message:
    return talk.screen("profile.name", stands=talk.me.name)


@dialogue.take("name")
async def take_name(talk: Talk, answer: Answer) -> Move | str:
    talk.me.name = read_name(answer.text)
    return "home"


def read_name(text: str) -> str:
    """A full name as people type it. Raises Again with what is missing, said kindly."""
    try:
        return parse_name(text)
    except NameProblem as problem:
        raise Again(f"profile.name_{problem.kind}") from None


@dialogue.question("member", "profile.member")
async def take_member(talk: Talk, answer: Answer) -> Move | str:
    talk.me.membership = Membership(answer.choice)
    contradicted = {Membership.NO: Audience.OFFICER, Membership.YES: Audience.NONMEMBER}.get(talk.me.membership)
    if talk.me.audience is not None and talk.me.audience == contradicted:
        return onboarding.go("group", editing=True, opened_by="canhan")
    return "home"


@dialogue.question("direct", "profile.direct")
async def take_direct(talk: Talk, answer: Answer) -> Move | str:
    talk.me.direct_production = answer.choice == "yes"
    return "home"


@dialogue.question("board", "contest.board")
async def take_board(talk: Talk, answer: Answer) -> Move | str:
    version = talk.words("onboarding.consent_version")
    await people.set_board(talk.session, talk.me, Board(answer.choice), version, talk.account.channel, talk.now)
    talk.say(f"profile.board_{answer.choice}")
    return "home"


# ---------------------------------------------------------------------------------------------------- reminders


@dialogue.ask("news")
async def ask_news(talk: Talk) -> Message:
    me = talk.me
    names = {topic: talk.words(f"profile.topic_{topic}") for topic in TOPICS}
    wanted = [topic for topic in TOPICS if topic not in me.muted_topics]
    choices = [
        Choice(
            talk.words(f"profile.topic_shown_{'on' if topic in wanted else 'off'}", name=name),
            f"topic-{topic}",
            words=(fold(name.partition(" (")[0]),),
        )
        for topic, name in names.items()
    ]
    return talk.screen(
        "profile.news",
        *(choices if me.news else ()),
        without=("all_on",) if me.news else ("all_off",),
        on=me.news,
        state=talk.words("onboarding.news_on" if me.news else "onboarding.news_off"),
        topics=" · ".join(names[topic] for topic in wanted) or talk.words("profile.nothing"),
    )


@dialogue.take("news")
async def take_news(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "all_on":
        await switch_news_on(talk)
        talk.say("profile.all_on")
        return "home"
    if answer.choice == "all_off":
        await people.stop_news(talk.session, talk.me, talk.now)
        talk.say("profile.all_off")
        return "home"
    topic = answer.choice.removeprefix("topic-")
    await people.mute(talk.session, talk.me, set(talk.me.muted_topics) ^ {topic}, talk.now)
    return AGAIN


COMMANDS = (Command("canhan", show, place=Place.MORE, own=True, slash=True),)
