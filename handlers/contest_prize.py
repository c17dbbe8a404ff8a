"""A prize on its way: the winner's phone, the union's word for its member, sent, received, or taken on to the next person."""

from __future__ import annotations

from typing import Any

from content.leaderboard import Standing, first
from content.message import Choice, Message
from content.phones import parse_phone
from content.text import clean, fold, letters, whole_number
from db import contests, people, policy, units
from db.contests.rounds import RUN
from db.errors import Conflict, NotFound
from db.models import Level, Person, Prize, PrizeState, Round
from db.policy import Action
from handlers.dialogue import END, Again, Answer, Command, Dialogue, Kind, Move
from handlers.paging import page, picked
from handlers.talk import Talk

dialogue = Dialogue("contest_prize")
PAGE = 5
REASON = (5, 300)
"""Fewest and most letters of why somebody's prize goes to the next person; they read it."""
LEVELS = {"grassroots": Level.GRASSROOTS, "upper": Level.UPPER}


def _number(arg: str) -> int:
    found = whole_number(arg)
    if found is None or found >= 10**9:
        raise NotFound("common.not_found")
    return found


async def _named(talk: Talk, arg: str) -> tuple[Prize, Round]:
    prize = await contests.get_prize(talk.session, _number(arg))
    return prize, await contests.get_round(talk.session, prize.round_id)


def _said(prize: Prize, round_: Round) -> dict[str, Any]:
    return {"id": prize.id, "prize": prize.name, "worth": prize.worth, "week": round_.number}


# ---------------------------------------------------------------------------------------------------- the winner


async def begin(talk: Talk, arg: str) -> Move | None:
    """The winner's answer: the phone is asked of nobody else."""
    prize, round_ = await _named(talk, arg)
    if prize.person_id != talk.me.id:
        raise NotFound("common.not_found")
    if prize.state not in (PrizeState.WAITING, PrizeState.VERIFIED):
        _stands(talk, prize, round_)
        return None
    return dialogue.go("phone", prize=prize.id)


def _stands(talk: Talk, prize: Prize, round_: Round) -> None:
    talk.say(
        "contest_prize.stands",
        without=() if prize.state == PrizeState.SENT else ("received",),
        state=talk.words(f"contest_prize.state_{prize.state.value}"),
        reason=prize.reason,
        **_said(prize, round_),
    )


def _state(talk: Talk, prize: Prize) -> str:
    """Where a prize is, as its officers see it."""
    denied = prize.state == PrizeState.WAITING and prize.denied_at is not None
    return talk.words("contest_prize.state_denied" if denied else f"contest_prize.state_{prize.state.value}")


@dialogue.question("phone", "contest_prize.phone", Kind.TEXT)
async def take_phone(talk: Talk, answer: Answer) -> Move | str:
    phone = parse_phone(clean(answer.text))
    if not phone:
        raise Again("contest_prize.phone_wrong")
    prize, round_ = await _named(talk, str(talk.data["prize"]))
    try:
        await contests.give_phone(talk.session, prize, talk.me.id, phone, talk.now)
    except Conflict:
        _stands(talk, prize, round_)
        return END
    talk.say("contest_prize.phone_done", **_said(prize, round_))
    alike = [who for _, who in await contests.list_alike(talk.session, prize) if fold(who.name) == fold(talk.me.name)]
    contest = await contests.get_contest(talk.session, round_.contest_id)
    for officer in await policy.anyone(talk.session, contest.unit_id, RUN) if alike else ():
        await talk.tell(
            officer,
            "contest_prize.alike_notice",
            dedup=f"prize-alike:{prize.id}:{officer}",
            name=talk.me.name,
            tag=f"{round_.id}.{round_.version}",
            **_said(prize, round_),
        )
    return END


async def received(talk: Talk, arg: str) -> Move | None:
    """The winner has it in hand."""
    prize, round_ = await _named(talk, arg)
    try:
        await contests.receive(talk.session, prize, talk.me.id, talk.now)
    except Conflict:
        _stands(talk, prize, round_)
        return None
    talk.say("contest_prize.received", **_said(prize, round_))
    return None


# ---------------------------------------------------------------------------------------------------- the union


async def verify(talk: Talk, arg: str) -> Move | None:
    """One button: this is a member of the unit."""
    prize, round_ = await _named(talk, arg)
    who = await people.get(talk.session, prize.person_id)
    try:
        await contests.verify(talk.session, prize, talk.me.id, talk.now)
    except Conflict:
        talk.say("contest_prize.verified_already", name=who.name)
        return None
    talk.say("contest_prize.verified", name=who.name)
    without = () if not prize.phone else ("phone",)
    await talk.tell(who.id, "contest_prize.verified_notice", gently=True, without=without, **_said(prize, round_))
    return None


async def deny(talk: Talk, arg: str) -> Move | None:
    """Nobody of theirs: those who hold the contest decide."""
    prize, round_ = await _named(talk, arg)
    who = await people.get(talk.session, prize.person_id)
    try:
        await contests.deny(talk.session, prize, talk.me.id, talk.now)
    except Conflict:
        talk.say("contest_prize.verified_already", name=who.name)
        return None
    unit = await units.get(talk.session, who.unit_id) if who.unit_id is not None else None
    contest = await contests.get_contest(talk.session, round_.contest_id)
    for officer in await policy.anyone(talk.session, contest.unit_id, RUN):
        await talk.tell(
            officer,
            "contest_prize.denied_notice",
            dedup=f"prize-denied:{prize.id}:{officer}",
            name=who.name,
            unit=unit.name if unit is not None else "",
            tag=f"{round_.id}.{round_.version}",
            **_said(prize, round_),
        )
    talk.say("contest_prize.denied", name=who.name, id=prize.id)
    return None


# ---------------------------------------------------------------------------------------------------- the officers


async def show(talk: Talk, arg: str) -> Move | None:
    """Where a round's prizes are."""
    round_ = await contests.get_round(talk.session, _number(arg.partition(".")[0]))
    await _check(talk, round_)
    return dialogue.go("prizes", round=round_.id, start=0)


async def _check(talk: Talk, round_: Round) -> None:
    contest = await contests.get_contest(talk.session, round_.contest_id)
    await policy.check(talk.session, talk.me.id, RUN, contest.unit_id)


@dialogue.ask("prizes", officers=True)
async def ask_prizes(talk: Talk) -> Message:
    round_ = await contests.get_round(talk.session, talk.data["round"])
    await _check(talk, round_)
    shown, without = page(talk, await contests.list_prizes(talk.session, round_.id), PAGE)
    lines = [
        (prize.name, who.name, unit, _state(talk, prize), bool(prize.phone) or prize.state not in contests.OPEN_PRIZES)
        for prize, who, unit in shown
    ]
    choices = [Choice(str(n + 1), f"prize-{prize.id}") for n, (prize, _, _) in enumerate(shown)]
    awarded = round_.awarded_at is not None
    return talk.screen(
        "contest_prize.prizes",
        *choices,
        without=without,
        week=round_.number,
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


@dialogue.ask("prize", officers=True)
async def ask_prize(talk: Talk) -> Message:
    prize, round_ = await _named(talk, str(talk.data["prize"]))
    await _check(talk, round_)
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
        name=who.name,
        unit=unit.name if unit is not None else "",
        phone=prize.phone,
        state=_state(talk, prize),
        since=prize.asked_at if prize.state == PrizeState.WAITING else prize.updated_at,
        reason=prize.reason,
        alike=alike,
        **_said(prize, round_),
    )


@dialogue.take("prize")
async def take_prize(talk: Talk, answer: Answer) -> Move | str:
    return "prizes"


async def send(talk: Talk, arg: str) -> Move | None:
    """The prize has gone to the winner's union."""
    prize, round_ = await _named(talk, arg)
    try:
        await contests.send(talk.session, prize, talk.me.id, talk.now)
    except Conflict:
        talk.say("contest_prize.not_sent", **_said(prize, round_))
        return None
    await talk.tell(prize.person_id, "contest_prize.sent_notice", gently=True, **_said(prize, round_))
    talk.say("contest_prize.sent", tag=f"{round_.id}.{round_.version}", **_said(prize, round_))
    return None


async def begin_pass(talk: Talk, arg: str) -> Move | None:
    """To the question why a prize goes to the next person: it is taken from somebody."""
    prize, round_ = await _named(talk, arg)
    await contests.check_run(talk.session, prize, talk.me.id)
    if prize.state not in contests.OPEN_PRIZES:
        talk.say("contest_prize.not_passed", **_said(prize, round_))
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
    prize, round_ = await _named(talk, str(talk.data["prize"]))
    await _check(talk, round_)
    who, following = await people.get(talk.session, prize.person_id), await _next(talk, round_)
    next_name = following.name if following is not None else ""
    return talk.screen("contest_prize.pass_why", name=who.name, next=next_name, **_said(prize, round_))


@dialogue.take("pass")
async def take_pass(talk: Talk, answer: Answer) -> Move | str:
    reason = clean(answer.text)
    if not REASON[0] <= letters(reason) <= REASON[1]:
        raise Again("contest_desk.note_length", n=letters(reason))
    prize, round_ = await _named(talk, str(talk.data["prize"]))
    following = await _next(talk, round_)
    number = following.id if following is not None else None
    try:
        made = await contests.pass_on(talk.session, prize, number, talk.me.id, talk.now, reason)
    except Conflict:
        talk.say("contest_prize.not_passed", **_said(prize, round_))
        return END
    dedup = f"prize-taken:{prize.id}"
    await talk.tell(
        prize.person_id, "contest_prize.taken_notice", dedup=dedup, gently=True, reason=reason, **_said(prize, round_)
    )
    if made is not None:
        await tell_winner(talk, made, round_)
    tag = f"{round_.id}.{round_.version}"
    name = following.name if following is not None else ""
    talk.say("contest_prize.passed", tag=tag, name=name, **_said(prize, round_))
    return END


async def tell_winner(talk: Talk, prize: Prize, round_: Round) -> None:
    """The winner, and those who can say whether this is their member."""
    said = _said(prize, round_)
    await talk.tell(prize.person_id, "contest_prize.win", dedup=f"prize:{prize.id}", gently=True, **said)
    who: Person = await people.get(talk.session, prize.person_id)
    unit = await units.get(talk.session, who.unit_id) if who.unit_id is not None else None
    for chair in await policy.nearest(talk.session, who.unit_id, Action.CONFIRM_MEMBERS) if who.unit_id else ():
        if chair != who.id:
            await talk.tell(
                chair,
                "contest_prize.verify_notice",
                dedup=f"prize-verify:{prize.id}:{chair}",
                gently=True,
                name=who.name,
                unit=unit.name if unit is not None else "",
                **said,
            )


DIALOGUES = (dialogue,)
COMMANDS = (
    Command("nhangiai", begin),
    Command("danhangiai", received),
    Command("dungdoanvien", verify),
    Command("khongphaidv", deny),
    Command("giaithuong", show),
    Command("chuyencdcs", send),
    Command("chuyengiai", begin_pass),
)
