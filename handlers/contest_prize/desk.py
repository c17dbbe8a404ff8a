"""The officers' side of prizes: where they are, sent to the winner's union, or taken on to the next person."""

from __future__ import annotations

from content.leaderboard import Standing, first
from content.message import Choice, Message
from content.text import clean, fold, letters
from db import contests, people, policy, units
from db.contests.rounds import RUN
from db.errors import Conflict
from db.models import Level, Person, PrizeState, Round
from handlers.contest_prize.flow import (
    PAGE,
    dialogue,
    name_of,
    named,
    number_of,
    said,
    state_of,
    tell_winner,
)
from handlers.dialogue import END, Again, Answer, Command, Kind, Move, Place
from handlers.paging import page, picked
from handlers.talk import Talk

REASON = (5, 300)
"""Fewest and most letters of why somebody's prize goes to the next person; they read it."""
LEVELS = {"grassroots": Level.GRASSROOTS, "upper": Level.UPPER}


async def show(talk: Talk, arg: str) -> Move | None:
    """Where a round's prizes are."""
    round_ = await contests.get_round(talk.session, number_of(arg.partition(".")[0]))
    await _check(talk, round_)
    return dialogue.go("prizes", round=round_.id, start=0)


async def _check(talk: Talk, round_: Round) -> None:
    contest = await contests.get_contest(talk.session, round_.contest_id)
    await policy.check(talk.session, talk.me.id, RUN, contest.unit_id)


def _tag(round_: Round) -> str:
    return f"{round_.id}.{round_.version}"


@dialogue.ask("prizes", officers=True)
async def ask_prizes(talk: Talk) -> Message:
    round_ = await contests.get_round(talk.session, talk.data["round"])
    await _check(talk, round_)
    shown, without = page(talk, await contests.list_prizes(talk.session, round_.id), PAGE)
    lines = [
        (
            prize.name,
            name_of(talk, who),
            unit,
            state_of(talk, prize, who),
            bool(prize.phone) or prize.state not in contests.OPEN_PRIZES or who.erased_at is not None,
        )
        for prize, who, unit in shown
    ]
    choices = [Choice(str(n + 1), f"prize-{prize.id}") for n, (prize, _, _) in enumerate(shown)]
    awarded = round_.awarded_at is not None
    return talk.screen(
        "contest_prize.prizes",
        *choices,
        without=without,
        week=await contests.week_of(talk.session, round_),
        lines=lines,
        awarded=awarded,
        collective=await _collective(talk, round_) if awarded else [],
    )


async def _collective(talk: Talk, round_: Round) -> list[tuple[str, str, str]]:
    """(prize, unit, what for) of the collective prizes, as the frozen result says."""
    found = []
    units_of = await contests.list_units(talk.session, round_.id)
    for prize in round_.collective:
        level = LEVELS.get(str(prize.get("level")), Level.GRASSROOTS)
        standings = [
            Standing(unit.id, unit.name, row.people, row.members, row.members_on, row.band)
            for row, unit in units_of
            if unit.level == level
        ]
        best = first(standings, str(prize["key"]))
        if best is not None:
            found.append((str(prize["name"]), best.name, talk.words(f"contest_prize.for_{prize['key']}")))
    return found


@dialogue.take("prizes")
async def take_prizes(talk: Talk, answer: Answer) -> Move | str:
    return picked(talk, answer, "prize", "prize")


async def waits(talk: Talk) -> bool:
    """Whether any prize waits for this person to send it or to decide."""
    return talk.person is not None and bool(await contests.list_to_send(talk.session, talk.me.id))


async def waiting(talk: Talk) -> str:
    """The officer's line about prizes that can go out, and about winners whose union does not know them."""
    found = await contests.list_to_send(talk.session, talk.me.id)
    denied = sum(prize.state == PrizeState.WAITING for prize, *_ in found)
    return talk.words("contest_prize.to_send", n=len(found), denied=denied) if found else ""


async def show_waiting(talk: Talk, arg: str) -> Move | None:
    """What waits, of all rounds within reach."""
    await talk.tops(RUN)  # refuses whoever may nowhere
    return dialogue.go("waiting", start=0)


@dialogue.ask("waiting", officers=True)
async def ask_waiting(talk: Talk) -> Message:
    shown, without = page(talk, await contests.list_to_send(talk.session, talk.me.id), PAGE)
    lines = [
        (prize.name, await contests.week_of(talk.session, round_), name_of(talk, who), unit, state_of(talk, prize, who))
        for prize, who, unit, round_ in shown
    ]
    choices = [Choice(str(n), f"prize-{prize.id}") for n, (prize, *_) in enumerate(shown, 1)]
    return talk.screen("contest_prize.send_list", *choices, without=without, lines=lines)


@dialogue.take("waiting")
async def take_waiting(talk: Talk, answer: Answer) -> Move | str:
    return picked(talk, answer, "prize", "prize")


@dialogue.ask("prize", officers=True)
async def ask_prize(talk: Talk) -> Message:
    prize, round_ = await named(talk, str(talk.data["prize"]))
    await _check(talk, round_)
    talk.put(round=round_.id)
    who = await people.get(talk.session, prize.person_id)
    unit = await units.get(talk.session, who.unit_id) if who.unit_id is not None else None
    alike = [
        other.name for _, other in await contests.list_alike(talk.session, prize) if fold(other.name) == fold(who.name)
    ]
    offered = []
    if prize.state == PrizeState.VERIFIED and prize.phone:
        offered.append("send")
    if prize.state in (PrizeState.WAITING, PrizeState.VERIFIED):
        offered.append("pass")
    return talk.screen(
        "contest_prize.prize",
        only=[*offered, "list", "menu"],
        name=name_of(talk, who),
        unit=unit.name if unit is not None else "",
        phone=prize.phone,
        state=state_of(talk, prize, who),
        since=prize.asked_at if prize.state == PrizeState.WAITING else prize.updated_at,
        reason=prize.reason,
        alike=alike,
        **await said(talk, prize, round_),
    )


@dialogue.take("prize")
async def take_prize(talk: Talk, answer: Answer) -> Move | str:
    return "prizes"


async def send(talk: Talk, arg: str) -> Move | None:
    """The prize has gone to the winner's union."""
    prize, round_ = await named(talk, arg)
    try:
        await contests.send(talk.session, prize, talk.me.id, talk.now)
    except Conflict:
        talk.say("contest_prize.not_sent", **await said(talk, prize, round_))
        return None
    await talk.tell(prize.person_id, "contest_prize.sent_notice", **await said(talk, prize, round_))
    talk.say("contest_prize.sent", tag=_tag(round_), **await said(talk, prize, round_))
    return None


async def begin_pass(talk: Talk, arg: str) -> Move | None:
    """To the question why a prize goes to the next person: it is taken from somebody."""
    prize, round_ = await named(talk, arg)
    await contests.check_run(talk.session, prize, talk.me.id)
    if prize.state not in contests.OPEN_PRIZES:
        talk.say("contest_prize.not_passed", tag=_tag(round_), **await said(talk, prize, round_))
        return None
    return dialogue.go("pass", prize=prize.id)


async def _next(talk: Talk, round_: Round) -> Person | None:
    """Whose prize it would be, the next of the ranking who can win."""
    out = await contests.list_out(talk.session, round_)
    order = await contests.list_in_order(talk.session, round_.id)
    number = next((each for each in order if each not in out), None)
    return await people.get(talk.session, number) if number is not None else None


@dialogue.ask("pass", Kind.TEXT, officers=True)
async def ask_pass(talk: Talk) -> Message:
    prize, round_ = await named(talk, str(talk.data["prize"]))
    await _check(talk, round_)
    who, following = await people.get(talk.session, prize.person_id), await _next(talk, round_)
    next_name = following.name if following is not None else ""
    gone = who.erased_at is not None
    return talk.screen(
        "contest_prize.pass_why", name=who.name, gone=gone, next=next_name, **await said(talk, prize, round_)
    )


@dialogue.take("pass")
async def take_pass(talk: Talk, answer: Answer) -> Move | str:
    reason = clean(answer.text)
    if not REASON[0] <= letters(reason) <= REASON[1]:
        raise Again("contest_desk.note_length", n=letters(reason))
    prize, round_ = await named(talk, str(talk.data["prize"]))
    following = await _next(talk, round_)
    number = following.id if following is not None else None
    try:
        made = await contests.pass_on(talk.session, prize, number, talk.me.id, talk.now, reason)
    except Conflict:
        talk.say("contest_prize.not_passed", typed=reason, tag=_tag(round_), **await said(talk, prize, round_))
        return END
    dedup = f"prize-taken:{prize.id}"
    await talk.tell(
        prize.person_id,
        "contest_prize.taken_notice",
        dedup=dedup,
        reason=reason,
        **await said(talk, prize, round_),
    )
    if made is not None:
        await tell_winner(talk, made, round_)
    name = following.name if following is not None else ""
    talk.say("contest_prize.passed", tag=_tag(round_), name=name, **await said(talk, prize, round_))
    return END


COMMANDS = (
    Command("giaicho", show_waiting, place=Place.OFFICER, visible=waits),
    Command("giaithuong", show),
    Command("chuyencdcs", send),
    Command("chuyengiai", begin_pass),
)
