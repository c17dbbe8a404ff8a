"""The rights over one's data: to take it along, to stop its use, to have it deleted."""

from __future__ import annotations

from content.message import Message
from content.text import fold
from db import audit, erasure, jobs, people, policy, units
from db.erasure import Stopped
from db.models import Person
from handlers.dialogue import END, Again, Answer, Command, Kind, Move
from handlers.profile.flow import dialogue
from handlers.talk import Talk


def _owner(talk: Talk) -> Person:
    """Whose data it is; rights outlast the consent to everything else."""
    if talk.owner is None:
        raise LookupError("the rights over one's data need a person")
    return talk.owner


async def export(talk: Talk) -> Move:
    person_id = _owner(talk).id
    started = await jobs.add(talk.session, "export", {"person": person_id}, talk.account.id, talk.now)
    if started:
        audit.note(talk.session, person_id, "export", f"person {person_id}", talk.now)
    talk.say("export.started" if started else "export.waiting")
    return END


async def start_export(talk: Talk, arg: str) -> Move | None:
    """/dulieu: the same from anywhere."""
    await export(talk)
    return None


@dialogue.ask("withdraw")
async def ask_withdraw(talk: Talk) -> Message:
    return talk.screen("profile.withdraw", officer=await _has_role(talk))


@dialogue.take("withdraw")
async def take_withdraw(talk: Talk, answer: Answer) -> Move | str:
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
        role = talk.house.words.label("units.pick_role", grant.role.value)
        for person_id in await policy.nearest_inviters(talk.session, grant.role, grant.unit_id):
            dedup = f"left:{grant.id}:{person_id}"
            await talk.tell(person_id, "profile.role_left", dedup=dedup, role=role, unit=unit.name)


@dialogue.ask("delete")
async def ask_delete(talk: Talk) -> Message:
    return talk.screen("profile.delete", officer=await _has_role(talk))


@dialogue.take("delete")
async def take_delete(talk: Talk, answer: Answer) -> Move | str:
    return "delete_confirm" if answer.choice == "yes" else "home"


@dialogue.question("delete_confirm", "profile.delete_confirm", Kind.TEXT)
async def take_delete_confirm(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        return "home"
    if fold(answer.text) != "xoa":
        raise Again("profile.delete_again")
    await _tell_others(talk, await erasure.erase(talk.session, _owner(talk).id, talk.now))
    talk.become_stranger()
    talk.say("profile.deleted")
    return END


COMMANDS = (Command("dulieu", start_export, own=True, slash=True),)
