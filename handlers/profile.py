"""Profile and data rights: what is kept, how to change it, take it along, stop it, delete it."""

from __future__ import annotations

from content.message import Choice, Message
from content.names import NameProblem, parse_name
from content.text import fold
from content.windows import windows
from db import audit, erasure, jobs, people, policy, units
from db.erasure import Stopped
from db.models import Audience, Membership, Person, Shift
from handlers.dialogue import AGAIN, END, Again, Answer, Command, Dialogue, Kind, Move, Place
from handlers.onboarding import dialogue as onboarding
from handlers.onboarding.oneself import audience_name, switch_news_on, workplace_name
from handlers.talk import Talk

dialogue = Dialogue("profile")

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
    )


@dialogue.take("home")
async def take_home(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "export":
        return await _export(talk)
    return answer.choice


def _owner(talk: Talk) -> Person:
    """Whose data it is; rights outlast the consent to everything else."""
    if talk.owner is None:
        raise LookupError("the rights over one's data need a person")
    return talk.owner


async def _export(talk: Talk) -> Move:
    person_id = _owner(talk).id
    started = await jobs.add(talk.session, "export", {"person": person_id}, talk.account.id, talk.now)
    if started:
        audit.note(talk.session, person_id, "export", f"person {person_id}", talk.now)
    talk.say("export.started" if started else "export.waiting")
    return END


async def start_export(talk: Talk, arg: str) -> Move | None:
    """/dulieu: the same from anywhere."""
    await _export(talk)
    return None


# ---------------------------------------------------------------------------------------------------- changing


@dialogue.ask("edit")
async def ask_edit(talk: Talk) -> Message:
    return talk.screen("profile.edit")


@dialogue.take("edit")
async def take_edit(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice in ("unit", "group"):
        return onboarding.go({"unit": "unit_ask", "group": "group"}[answer.choice], editing=True)
    return "home" if answer.choice == "back" else answer.choice


@dialogue.ask("name", Kind.TEXT)
async def ask_name(talk: Talk) -> Message:
    return talk.screen("profile.name")


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


@dialogue.ask("member")
async def ask_member(talk: Talk) -> Message:
    return talk.screen("profile.member")


@dialogue.take("member")
async def take_member(talk: Talk, answer: Answer) -> Move | str:
    talk.me.membership = Membership(answer.choice)
    contradicted = {Membership.NO: Audience.OFFICER, Membership.YES: Audience.NONMEMBER}.get(talk.me.membership)
    if talk.me.audience is not None and talk.me.audience == contradicted:
        return onboarding.go("group", editing=True)
    return "home"


@dialogue.ask("direct")
async def ask_direct(talk: Talk) -> Message:
    return talk.screen("profile.direct")


@dialogue.take("direct")
async def take_direct(talk: Talk, answer: Answer) -> Move | str:
    talk.me.direct_production = answer.choice == "yes"
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
    if answer.choice == "back":
        return "home"
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


@dialogue.ask("shift")
async def ask_shift(talk: Talk) -> Message:
    hours = [[talk.words(f"profile.shift_{shift.value}"), _hours(shift)] for shift in Shift]
    return talk.screen("profile.shift", hours=hours)


def _hours(shift: Shift) -> str:
    return ", ".join(f"{start:%H:%M}–{end:%H:%M}" for start, end in windows(shift.value))


@dialogue.take("shift")
async def take_shift(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice != "back":
        talk.me.shift = Shift(answer.choice)
    return "home"


# ---------------------------------------------------------------------------------------------------- rights


@dialogue.ask("withdraw")
async def ask_withdraw(talk: Talk) -> Message:
    return talk.screen("profile.withdraw", officer=await _has_role(talk))


@dialogue.take("withdraw")
async def take_withdraw(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "back":
        return "home"
    await people.stop_news(talk.session, talk.me, talk.now)
    if answer.choice == "news":
        talk.say("profile.withdrawn_news")
        return "home"
    stopped = await erasure.stop_processing(talk.session, talk.me.id, talk.now)
    await _tell_others(talk, stopped)
    talk.say("profile.withdrawn_all", n=len(stopped.reports))
    return END


async def _has_role(talk: Talk) -> bool:
    return bool(await policy.roles(talk.session, _owner(talk).id))


async def _tell_others(talk: Talk, stopped: Stopped) -> None:
    """Who held a report or wrote it together, and who gives out the roles that are free now, hears that it ended."""
    for report in stopped.reports:
        told = {each: "profile.report_stopped" for each in report.coauthors}
        if report.holder_id is not None:
            told[report.holder_id] = "mysubmissions.withdraw_notice"
        for person_id, key in told.items():
            dedup = f"withdrawn:{report.id}:{report.version}:{person_id}"
            await talk.tell(person_id, key, dedup=dedup, code=report.code, title=report.title)
    for grant in stopped.grants:
        unit = await units.get(talk.session, grant.unit_id)
        role = talk.words(f"units.role_{grant.role.value}")
        for person_id in await policy.nearest_inviters(talk.session, grant.role, grant.unit_id):
            dedup = f"left:{grant.id}:{person_id}"
            await talk.tell(person_id, "profile.role_left", dedup=dedup, role=role, unit=unit.name)


@dialogue.ask("delete")
async def ask_delete(talk: Talk) -> Message:
    return talk.screen("profile.delete", officer=await _has_role(talk))


@dialogue.take("delete")
async def take_delete(talk: Talk, answer: Answer) -> Move | str:
    return "delete_confirm" if answer.choice == "yes" else "home"


@dialogue.ask("delete_confirm", Kind.TEXT)
async def ask_delete_confirm(talk: Talk) -> Message:
    return talk.screen("profile.delete_confirm")


@dialogue.take("delete_confirm")
async def take_delete_confirm(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        return "home"
    if fold(answer.text) != "xoa":
        raise Again("profile.delete_again")
    stopped, files = await erasure.erase(talk.session, _owner(talk).id, talk.now)
    await _tell_others(talk, stopped)
    if files:
        await jobs.add(talk.session, "delete_files", {"files": files}, None, talk.now)
    talk.become_stranger()
    talk.say("profile.deleted")
    return END


DIALOGUES = (dialogue,)
COMMANDS = (
    Command("canhan", show, place=Place.MORE, own=True, slash=True),
    Command("dulieu", start_export, own=True, slash=True),
)
