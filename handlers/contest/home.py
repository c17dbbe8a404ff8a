"""The way into a contest: what runs, its rules, and what is asked of somebody before their first paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from content.message import Choice, Message
from content.ranking import LOTS
from db import contests, people, units
from db.models import Board, EntryState, Purpose, Round
from handlers.contest.flow import (
    PAST,
    Phase,
    coming,
    dialogue,
    excluded,
    exists,
    organises,
    phase,
    pool,
    shown,
    span,
    visible_round,
)
from handlers.contest.reminding import is_offered
from handlers.dialogue import END, Again, Answer, Command, Kind, Move, Place
from handlers.profile import read_name
from handlers.talk import Talk


async def show(talk: Talk, arg: str) -> Move | None:
    """What there is: the round that concerns this person most, or the paper whose clock runs."""
    return dialogue.go("home")


async def show_rules(talk: Talk, arg: str) -> Move | None:
    """The rules of a round, as they were set."""
    round_ = await visible_round(talk, arg)
    if round_ is None:
        return dialogue.go("home")
    contest = await contests.get_contest(talk.session, round_.contest_id)
    unit = await units.get(talk.session, contest.unit_id)
    talk.say(
        "contest.rules",
        who=talk.words("contest.who_all") if unit.parent_id is None else talk.words("contest.who_unit", unit=unit.name),
        week=await contests.week_of(talk.session, round_),
        opens=round_.opens_at,
        closes=round_.closes_at,
        result=round_.result_at,
        n=round_.size,
        minutes=round_.minutes,
        attempts=round_.attempts,
        prediction=round_.prediction,
        order=[talk.words(f"contest.order_{name}") for name in round_.ranking if name != LOTS],
        lots=LOTS in round_.ranking,
        days=round_.complaint_days,
        prizes="; ".join(_prize(talk, each) for each in round_.prizes) or talk.words("contest.no_prizes"),
    )
    return None


def _prize(talk: Talk, prize: dict[str, object]) -> str:
    return talk.words(
        "contest.prize_rule", count=prize.get("count", 1), name=prize["name"], worth=prize.get("worth", "")
    )


@dialogue.ask("home")
async def ask_home(talk: Talk) -> Message:
    running = await contests.find_running(talk.session, talk.me.id)
    if running is not None and contests.in_time(running, talk.now):
        paper = await contests.find_paper(talk.session, running)
        round_ = await contests.get_round(talk.session, running.round_id)
        return talk.screen(
            "contest.running",
            week=await contests.week_of(talk.session, round_),
            done=len(paper.answers),
            n=len(paper.questions),
            time=span(talk, running.due_at - talk.now),
        )
    found = await shown(talk)
    if not found:
        return talk.screen("contest.nothing")
    round_ = await _preferred(talk, found)
    others = [each for each in found if each is not round_]
    last = next((each for each in others if phase(each, talk.now) == Phase.OVER), None)
    before: tuple[Choice, ...] = ()
    if last is not None and last.contest_id == round_.contest_id:
        before = talk.screen("contest.last", number=last.number, id=last.id).choices
    elif last is not None:
        before = talk.screen("contest.last_other", id=last.id).choices
    if phase(round_, talk.now) == Phase.OPEN:
        message = await _open(talk, round_, before)
    else:
        message = await _not_open(talk, round_, before)
    return replace(message, text="\n".join([message.text, *await _beside(talk, round_, others, last)]))


async def _beside(talk: Talk, round_: Round, others: Sequence[Round], last: Round | None) -> list[str]:
    """What is said of other rounds beneath the one that is shown: called off, or with a result, made again perhaps."""
    lines = []
    for each in others:
        if phase(each, talk.now) == Phase.CANCELLED:
            week = await contests.week_of(talk.session, each)
            lines.append(talk.words("contest.cancelled_line", week=week, reason=each.reason))
    if last is not None and last.contest_id != round_.contest_id:
        lines.append(talk.words("contest.last_line", week=await contests.week_of(talk.session, last)))
    over = round_ if phase(round_, talk.now) == Phase.OVER else last
    if over is not None and over.revision > 1:
        week, voided = await contests.week_of(talk.session, over), await contests.list_voided(talk.session, over.id)
        lines.append(talk.words("contest.recounted_line", week=week, voided=len(voided)))
    return lines


async def _preferred(talk: Talk, found: Sequence[Round]) -> Round:
    """Of several open rounds, of contests at the same time, the first that this person may still take part in."""
    for each in found:
        left = await contests.left(talk.session, each, talk.me.id) if phase(each, talk.now) == Phase.OPEN else 0
        if left > 0 and not await organises(talk, each) and await excluded(talk, each) is None:
            return each
    return found[0]


async def _not_open(talk: Talk, round_: Round, before: tuple[Choice, ...]) -> Message:
    own = await contests.list_own(talk.session, talk.me.id, round_.id)
    where = phase(round_, talk.now)
    after = await coming(talk) if where in PAST else None
    without: tuple[str, ...] = () if own else ("mine",)
    if not await is_offered(talk, round_):
        without += ("remind",)
    return talk.screen(
        f"contest.{where.value}",
        *before,
        without=without,
        coming=(await contests.week_of(talk.session, after), after.opens_at) if after is not None else None,
        id=round_.id,
        week=await contests.week_of(talk.session, round_),
        number=round_.number,
        theme=round_.theme,
        opens=round_.opens_at,
        result=round_.result_at,
        reason=round_.reason,
        done=any(each.state != EntryState.RETURNED for each in own),
    )


async def _open(talk: Talk, round_: Round, before: tuple[Choice, ...]) -> Message:
    left = max(0, await contests.left(talk.session, round_, talk.me.id))
    without: tuple[str, ...] = () if left else ("enter",)
    if not await contests.list_own(talk.session, talk.me.id, round_.id):
        without += ("mine",)
    if not await is_offered(talk, round_):
        without += ("remind",)
    first = round_.prizes[0].get("worth", "") if round_.prizes else ""
    message = talk.screen(
        "contest.home",
        without=without,
        id=round_.id,
        week=await contests.week_of(talk.session, round_),
        theme=round_.theme,
        closes=round_.closes_at,
        result=round_.result_at,
        left=left,
        n=round_.size,
        prediction=round_.prediction,
        minutes=round_.minutes,
        prize=talk.words("contest.prize_line", worth=first) if first else "",
        pilot=round_.pilot,
    )
    # Last week's result stands before the way back to the menu.
    return replace(message, choices=(*message.choices[:-1], *before, message.choices[-1]))


@dialogue.take("home")
async def take_home(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "go_on":
        return "question"
    return "enter"


@dialogue.ask("enter")
async def enter(talk: Talk) -> Message | Move | str:
    """Everything that may stand between somebody and a paper, one after the other."""
    running = await contests.find_running(talk.session, talk.me.id)
    if running is not None:
        return "question"
    await _entered(talk)
    if not await people.has_consent(talk.session, talk.me.id, Purpose.CONTESTS):
        return "agree"
    if not talk.me.name:
        return "name"
    if talk.me.board is None:
        return "board"
    return "ready"


async def _entered(talk: Talk) -> Round:
    """The open round, where this person may take part in it. Raises Again with why not."""
    found = await shown(talk)
    round_ = await _preferred(talk, found) if found else None
    if round_ is None or phase(round_, talk.now) != Phase.OPEN:
        paused = any(phase(each, talk.now) == Phase.PAUSED for each in found)
        raise Again("contest.paused_now" if paused else "contest.closed_now")
    if await organises(talk, round_):
        raise Again("contest.organiser")
    if (reason := await excluded(talk, round_)) is not None:
        raise Again("contest.excluded", reason=reason)
    if await contests.left(talk.session, round_, talk.me.id) <= 0:
        raise Again("contest.none_left")
    return round_


@dialogue.question("agree", "contest.agree")
async def take_agree(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        talk.say("common.cancelled")
        return END
    await talk.consent(Purpose.CONTESTS)
    return "enter"


@dialogue.question("name", "contest.name", Kind.TEXT)
async def take_name(talk: Talk, answer: Answer) -> Move | str:
    talk.me.name = read_name(answer.text)
    return "enter"


@dialogue.question("board", "contest.board")
async def take_board(talk: Talk, answer: Answer) -> Move | str:
    """To be named is a purpose of its own; who does not want to be takes part all the same."""
    version = talk.words("onboarding.consent_version")
    await people.set_board(talk.session, talk.me, Board(answer.choice), version, talk.account.channel, talk.now)
    return "enter"


@dialogue.ask("ready")
async def ask_ready(talk: Talk) -> Message | str:
    round_ = await _entered(talk)
    until = min(timedelta(minutes=round_.minutes), round_.closes_at - talk.now)
    return talk.screen(
        "contest.ready",
        week=await contests.week_of(talk.session, round_),
        minutes=round_.minutes,
        short=until < timedelta(minutes=round_.minutes),
        closes=round_.closes_at,
    )


@dialogue.take("ready")
async def take_ready(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "later":
        return "home"
    round_ = await _entered(talk)
    questions, rng = await pool(talk, round_), talk.house.rng
    await contests.open_paper(talk.session, round_, talk.me, questions, rng, talk.now, today=talk.today)
    talk.drop("place", "entry")
    return "question"


async def waiting(talk: Talk) -> str:
    """The menu's line about a paper that runs, or attempts that are left."""
    running = await contests.find_running(talk.session, talk.me.id)
    if running is not None and contests.in_time(running, talk.now):
        round_ = await contests.get_round(talk.session, running.round_id)
        return talk.words(
            "contest.running_line",
            week=await contests.week_of(talk.session, round_),
            time=span(talk, running.due_at - talk.now),
        )
    for round_ in await shown(talk):
        if phase(round_, talk.now) == Phase.OPEN and not await organises(talk, round_):
            left = await contests.left(talk.session, round_, talk.me.id)
            if left > 0 and await excluded(talk, round_) is None:
                return talk.words(
                    "contest.waiting_line",
                    week=await contests.week_of(talk.session, round_),
                    left=left,
                    closes=round_.closes_at,
                )
    return ""


COMMANDS = (
    Command("thi", show, place=Place.MAIN, slash=True, visible=exists),
    Command("thele", show_rules),
)
