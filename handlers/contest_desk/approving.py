"""The leader's look before a round opens: the rules whole, approved or sent back with a word; never one's own."""

from __future__ import annotations

from typing import Any

from content.contest_rules import request
from content.message import Message, to_json
from content.text import clean, letters
from content.windows import asleep_for
from db import contests, outbox, people, policy
from db.contests.rounds import APPROVE
from db.errors import Conflict
from db.models import Contest, Round, RoundState
from handlers.contest.flow import pool
from handlers.contest_desk.flow import NOTE, check, dialogue, faults_of, may_approve, named, place, rules, too_late
from handlers.dialogue import END, Again, Answer, Command, Kind, Move, Place
from handlers.talk import Talk


async def _waiting(talk: Talk) -> list[Round]:
    return await contests.list_to_approve(talk.session, talk.me.id) if await may_approve(talk) else []


async def waits(talk: Talk) -> bool:
    """Whether rounds wait for this person's approval."""
    return bool(await _waiting(talk))


async def show_first(talk: Talk, arg: str) -> Move | None:
    """The round that opens first of those that wait, or the list where none does any more."""
    await check(talk)
    found = await _waiting(talk)
    return dialogue.go("round", round=found[0].id) if found else dialogue.go("home", start=0)


async def waiting(talk: Talk) -> str:
    """The leader's line about rounds that wait for them."""
    found = await _waiting(talk)
    return talk.words("contest_desk.to_approve", n=len(found)) if found else ""


async def show_rules(talk: Talk, arg: str) -> Move | None:
    """The rules as people will read them."""
    round_, _, contest = await named(talk, arg)
    talk.say("contest_desk.rules", id=round_.id, rules=await rules(talk, round_, contest))
    return None


async def ask(talk: Talk, arg: str) -> Move | None:
    """Lays a draft before the leaders, if it could be held."""
    round_, version, contest = await named(talk, arg)
    await lay_before(talk, round_, version, contest)
    return None


async def lay_before(talk: Talk, round_: Round, version: int, contest: Contest) -> bool:
    """Checks a draft and asks those who approve. False where something is wrong with it, which is said."""
    if round_.state == RoundState.DRAFT and (faults := await faults_of(talk, round_, contest)):
        talk.say("contest_desk.faults", id=round_.id, faults=faults)
        return False
    try:
        leaders = await contests.ask(talk.session, round_, version, talk.me.id, talk.now)
    except Conflict:
        too_late(talk, round_)
        return False
    if not leaders:
        talk.say("contest_desk.nobody_approves", id=round_.id)
        return False
    unit = await place(talk, contest)
    card = request(talk.house.words, round_, round_.id, round_.version, round_.number, contest.name, unit)
    for leader in leaders:
        key = f"round-ask:{round_.id}:{round_.version}:{leader}"
        wait = asleep_for((await people.get(talk.session, leader)).hours, talk.now)
        await outbox.tell(talk.session, leader, to_json(card), now=talk.now, key=key, after=wait)
    talk.say("contest_desk.asked", id=round_.id, week=await contests.week_of(talk.session, round_), n=len(leaders))
    return True


async def approve(talk: Talk, arg: str) -> Move | None:
    """Lets a round be held. What the bank or the clock has made impossible meanwhile is said instead."""
    round_, version, contest = await named(talk, arg)
    if round_.state == RoundState.DRAFT and (faults := await faults_of(talk, round_, contest)):
        talk.say("contest_desk.faults", id=round_.id, faults=faults)
        return None
    try:
        await contests.approve(talk.session, round_, version, talk.me.id, talk.now)
        await contests.fix_questions(talk.session, round_, await pool(talk, round_))
    except Conflict:
        too_late(talk, round_)
        return None
    said: dict[str, Any] = {
        "id": round_.id,
        "week": await contests.week_of(talk.session, round_),
        "opens": round_.opens_at,
    }
    if round_.created_by is not None:
        await talk.tell(round_.created_by, "contest_desk.approved_notice", who=talk.me.name, **said)
    talk.say("contest_desk.approved", **said)
    return None


async def begin_return(talk: Talk, arg: str) -> Move | None:
    """Back to who wrote it, with a word."""
    round_, version, contest = await named(talk, arg)
    await policy.check(talk.session, talk.me.id, APPROVE, contest.unit_id)
    if round_.asked_at is None or round_.state != RoundState.DRAFT or round_.version != version:
        too_late(talk, round_)
        return None
    return dialogue.go("return", arg=arg)


@dialogue.ask("return", Kind.TEXT)
async def ask_return(talk: Talk) -> Message:
    round_, _, _ = await named(talk, talk.data["arg"])
    return talk.screen("contest_desk.return_note", week=await contests.week_of(talk.session, round_))


@dialogue.take("return")
async def take_return(talk: Talk, answer: Answer) -> Move | str:
    note = clean(answer.text)
    if not NOTE[0] <= letters(note) <= NOTE[1]:
        raise Again("contest_desk.note_length", n=letters(note))
    round_, version, _ = await named(talk, talk.data["arg"])
    try:
        await contests.send_back(talk.session, round_, version, note, talk.me.id, talk.now)
    except Conflict:
        too_late(talk, round_, typed=note)
        return END
    if round_.created_by is not None:
        await talk.tell(
            round_.created_by,
            "contest_desk.returned_notice",
            id=round_.id,
            week=await contests.week_of(talk.session, round_),
            who=talk.me.name,
            note=note,
        )
    talk.say("contest_desk.returned", id=round_.id)
    return END


COMMANDS = (
    Command("thichoduyet", show_first, place=Place.OFFICER, visible=waits),
    Command("xemthele", show_rules),
    Command("guiduyetthi", ask),
    Command("duyetthi", approve),
    Command("trathi", begin_return),
)
