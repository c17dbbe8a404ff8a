"""The list of rounds within reach, and the card of one: how it stands, and what may be done with it now."""

from __future__ import annotations

from typing import Any

from content.contest_plan import ROUND
from content.message import Choice, Message
from db import contests, people, policy
from db.contests.rounds import APPROVE, RUN
from db.models import Contest, Making, Round, RoundState
from handlers.contest_desk.flow import check, context, dialogue, may_run, may_see, named, tag
from handlers.dialogue import Answer, Command, Move, Place
from handlers.paging import page, picked
from handlers.talk import Talk

PAGE = 4


def stands(round_: Round, talk: Talk) -> str:
    """Where a round is, for the words: draft, asked, ahead, open, closed, paused, published or cancelled."""
    if round_.state == RoundState.DRAFT:
        return "asked" if round_.asked_at is not None else "draft"
    if round_.state != RoundState.READY:
        return round_.state.value
    return "ahead" if talk.now < round_.opens_at else "open" if talk.now < round_.closes_at else "closed"


async def show(talk: Talk, arg: str) -> Move | None:
    """The list, or one round by its number."""
    await check(talk)
    if arg:
        round_, _, _ = await named(talk, arg)
        return dialogue.go("round", round=round_.id)
    return dialogue.go("home", start=0)


@dialogue.ask("home")
async def ask_home(talk: Talk) -> Message:
    await check(talk)
    found: list[tuple[Contest, Round]] = []
    for contest in await contests.list_mine(talk.session, talk.me.id):
        found += [(contest, round_) for round_ in await contests.list_rounds(talk.session, contest.id)]
    shown, without = page(talk, found, PAGE)
    lines = [
        (
            contest.name,
            round_.number,
            round_.theme,
            talk.words(f"contest_desk.state_{stands(round_, talk)}", **hours(round_)),
        )
        for contest, round_ in shown
    ]
    choices = [Choice(str(n + 1), f"round-{round_.id}") for n, (_, round_) in enumerate(shown)]
    if not await may_run(talk):
        without += ("new", "file")
    return talk.screen("contest_desk.home", *choices, without=without, lines=lines)


def hours(round_: Round) -> dict[str, Any]:
    """When a round opens, closes and has its result."""
    return {"opens": round_.opens_at, "closes": round_.closes_at, "result": round_.result_at}


@dialogue.take("home")
async def take_home(talk: Talk, answer: Answer) -> Move | str:
    return picked(talk, answer, "round", "round")


@dialogue.ask("round")
async def ask_round(talk: Talk) -> Message:
    round_, _, contest = await named(talk, str(talk.data["round"]))
    where = stands(round_, talk)
    run = await policy.may(talk.session, talk.me.id, RUN, contest.unit_id)
    approve = await policy.may(talk.session, talk.me.id, APPROVE, contest.unit_id)
    offered: tuple[str, ...] = {
        "draft": ("ask", "edit", "drop") if run else (),
        "asked": ("edit", "drop") if run else (),
        "ahead": ("put_off", "pause", "exclude") if run else (),
        "open": ("put_off", "pause", "exclude") if run else (),
        "closed": ("exclude",) if run else (),
        "paused": ("resume", "put_off", "exclude") if run else (),
        "published": ("complaints", "void", "out", "flags", "prizes", "report") if run else (),
    }.get(where, ())
    if where == "published" and round_.awarded_at is not None and run:  # its result stands, and there is room
        offered = ("complaints", "flags", "prizes", "report", "next")
    if where == "asked" and approve and round_.created_by != talk.me.id:
        offered += ("approve", "back")
    if where in ("ahead", "open", "closed", "paused") and approve:
        offered += ("cancel",)
    if where != "published":
        offered += ("rules",)
    downtimes = await contests.list_downtimes(talk.session, round_.id)
    asked = next((each for each in downtimes if each.making == Making.ASKED), None)
    if run and asked is not None and where in ("ahead", "open", "closed", "paused"):
        offered = tuple(each for each in offered if each != "put_off")  # one question at a time
        offered += (("extend",) if asked.seconds else ()) + ("leave",)
    elif run and where not in ("cancelled", "published"):
        offered += ("next",)
    by = await people.get(talk.session, round_.approved_by) if round_.approved_by else None
    said = context(talk)
    return talk.screen(
        "contest_desk.round",
        only=[*offered, "home", "menu"],
        tag=tag(round_),
        contest=contest.name,
        week=round_.number,
        state=talk.words(f"contest_desk.state_{where}", **hours(round_)),
        lines=[(setting.title, setting.write(getattr(round_, setting.name), said)) for setting in ROUND[:5]],
        returned=where == "draft",
        held=where == "paused" and not round_.reason,
        reason=round_.reason if where in ("draft", "paused", "cancelled") else "",
        approved=by.name if by is not None else "",
        downtimes=[(each.from_at, each.until_at, each.making.value) for each in downtimes],
        lost=asked.tag if asked is not None else "",
        span=talk.words("contest_desk.span", minutes=asked.minutes if asked is not None else 0),
        **after_facts(round_),
    )


def after_facts(round_: Round) -> dict[str, Any]:
    """Counts, which nobody is shown before the result is published."""
    known = round_.state == RoundState.PUBLISHED
    return {"people": round_.people if known else None, "papers": round_.papers if known else None}


@dialogue.take("round")
async def take_round(talk: Talk, answer: Answer) -> Move | str:
    return answer.choice


COMMANDS = (Command("tochuc", show, place=Place.OFFICER, slash=True, visible=may_see),)
