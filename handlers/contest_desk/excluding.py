"""Who wrote or reviewed the questions takes no part: an organiser marks them before the result, with a reason they read."""

from __future__ import annotations

from content.message import Choice, Message
from content.text import clean, fold
from db import contests, people, policy, units
from db.contests.rounds import RUN
from db.errors import Conflict, NotFound
from db.models import Round, RoundState
from handlers.contest_desk.after import read_reason
from handlers.contest_desk.flow import dialogue, named, tag, too_late
from handlers.dialogue import END, Again, Answer, Command, Kind, Move
from handlers.paging import page, picked
from handlers.talk import Talk

PAGE = 5


async def begin(talk: Talk, arg: str) -> Move | None:
    """To the question who it is, as long as the round has no result."""
    round_, _, contest = await named(talk, arg)
    await policy.check(talk.session, talk.me.id, RUN, contest.unit_id)
    if round_.state not in (RoundState.READY, RoundState.PAUSED):
        too_late(talk, round_)
        return None
    return dialogue.go("who", round=round_.id)


async def _round(talk: Talk) -> Round:
    round_, _, contest = await named(talk, str(talk.data["round"]))
    await policy.check(talk.session, talk.me.id, RUN, contest.unit_id)
    return round_


@dialogue.question("who", "contest_desk.who", Kind.TEXT)
async def take_who(talk: Talk, answer: Answer) -> Move | str:
    """By the whole name, so that nobody reads a list of members here."""
    contest = await contests.get_contest(talk.session, (await _round(talk)).contest_id)
    wanted = fold(clean(answer.text))
    known = await people.list_names(talk.session, contest.unit_id)
    found = [person_id for person_id, name in known if fold(name) == wanted]
    if not found:
        raise Again("contest_desk.who_none")
    talk.put(people=found, start=0)
    return "who_one"


@dialogue.ask("who_one", aside=True)
async def ask_who_one(talk: Talk) -> Message:
    await _round(talk)
    shown, without = page(talk, talk.data["people"], PAGE)
    lines = [await _named(talk, person_id) for person_id in shown]
    choices = [Choice(str(n), f"person-{person_id}") for n, person_id in enumerate(shown, 1)]
    return talk.screen("contest_desk.who_one", *choices, without=without, lines=lines)


async def _named(talk: Talk, person_id: int) -> tuple[str, str]:
    who = await people.get(talk.session, person_id)
    unit = await units.get(talk.session, who.unit_id) if who.unit_id is not None else None
    return who.name, unit.name if unit is not None else ""


@dialogue.take("who_one")
async def take_who_one(talk: Talk, answer: Answer) -> Move | str:
    return picked(talk, answer, "person", "apart")


@dialogue.ask("apart")
async def ask_apart(talk: Talk) -> Message:
    round_ = await _round(talk)
    if talk.data["person"] not in talk.data["people"]:
        raise NotFound("common.not_found")
    name, unit = await _named(talk, talk.data["person"])
    reason = (await contests.list_disqualified(talk.session, round_.id)).get(talk.data["person"], "")
    without = ("exclude",) if reason else ("admit",)
    return talk.screen(
        "contest_desk.apart",
        without=without,
        tag=tag(round_),
        name=name,
        unit=unit,
        reason=reason,
        week=await contests.week_of(talk.session, round_),
    )


@dialogue.take("apart")
async def take_apart(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "exclude":
        return "exclude"
    round_ = await _round(talk)
    try:
        await contests.lift_disqualification(talk.session, round_, talk.data["person"], talk.me.id, talk.now)
    except Conflict:
        return "apart"
    await talk.tell(
        talk.data["person"],
        "contest_desk.admitted_notice",
        week=await contests.week_of(talk.session, round_),
    )
    talk.say("contest_desk.admitted", id=round_.id)
    return END


@dialogue.ask("exclude", Kind.TEXT)
async def ask_exclude(talk: Talk) -> Message:
    await contests.check_change(talk.session, await _round(talk), talk.me.id, talk.data["person"])
    return talk.screen("contest_desk.exclude_why")


@dialogue.take("exclude")
async def take_exclude(talk: Talk, answer: Answer) -> Move | str:
    reason, round_ = read_reason(answer.text), await _round(talk)
    try:
        await contests.disqualify(talk.session, round_, talk.data["person"], reason, talk.me.id, talk.now)
    except Conflict:
        talk.say("contest_desk.out_already", typed=reason)
        return "apart"
    who, week = talk.data["person"], await contests.week_of(talk.session, round_)
    await talk.tell(who, "contest_desk.excluded_notice", week=week, reason=reason)
    talk.say("contest_desk.excluded", id=round_.id)
    return END


COMMANDS = (Command("khongduthi", begin),)
