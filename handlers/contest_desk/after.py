"""After a round's result: complaints and their answers, people who fall out, and signs to look at."""

from __future__ import annotations

from typing import Any

from content.contest_flags import Sat, flags
from content.message import Choice, Message
from content.text import clean, fold, letters, whole_number
from db import contests, people, policy, units, verdicts
from db.contests.rounds import RUN
from db.errors import Conflict, NotFound, Refused
from db.models import Complaint, Contest, Round, RoundState
from handlers.contest_desk.flow import NOTE, dialogue, may_run, named, tag, too_late
from handlers.dialogue import END, Again, Answer, Command, Kind, Move, Place
from handlers.paging import page, picked
from handlers.talk import Talk

PAGE = 5
LINE = 60
ANSWER = (5, 500)
"""Fewest and most letters of an answer."""


async def published(talk: Talk, arg: str) -> tuple[Round, Contest] | None:
    """The round of a button, for who runs it, once its result is out; None (which is said) before."""
    round_, _, contest = await named(talk, arg)
    await policy.check(talk.session, talk.me.id, RUN, contest.unit_id)
    if round_.state != RoundState.PUBLISHED:
        too_late(talk, round_)
        return None
    return round_, contest


async def changeable(talk: Talk, arg: str) -> Round | None:
    """The same as long as its result may change: until the prizes are given. Raises Refused after."""
    found = await published(talk, arg)
    if found is not None and found[0].awarded_at is not None:
        raise Refused("contest_desk.settled")
    return found[0] if found is not None else None


# ---------------------------------------------------------------------------------------------------- complaints


async def _waiting(talk: Talk) -> list[tuple[Complaint, Round]]:
    if not await may_run(talk):
        return []
    found = []
    for row in await contests.list_complaints(talk.session):
        round_ = await contests.get_round(talk.session, row.round_id)
        contest = await contests.get_contest(talk.session, round_.contest_id)
        if await policy.may(talk.session, talk.me.id, RUN, contest.unit_id):
            found.append((row, round_))
    return found


async def waiting(talk: Talk) -> str:
    """The officer's line about complaints that wait for an answer."""
    found = await _waiting(talk)
    late = sum(row.due_at < talk.now for row, _ in found)
    return talk.words("contest_desk.complaints_wait", n=len(found), late=late) if found else ""


async def complaints_wait(talk: Talk) -> bool:
    """Whether complaints wait for this person's answer."""
    return bool(await _waiting(talk))


async def show_complaints(talk: Talk, arg: str) -> Move | None:
    """What waits, or one complaint by its number."""
    if (number := whole_number(arg)) is not None and number < 10**9:
        row, _, _ = await _complaint(talk, number)
        return dialogue.go("complaint", complaint=row.id)
    await talk.tops(RUN)  # refuses whoever may nowhere
    return dialogue.go("complaints", start=0)


async def _complaint(talk: Talk, number: int) -> tuple[Complaint, Round, Contest]:
    row = await contests.get_complaint(talk.session, number)
    round_ = await contests.get_round(talk.session, row.round_id)
    contest = await contests.get_contest(talk.session, round_.contest_id)
    await policy.check(talk.session, talk.me.id, RUN, contest.unit_id)
    return row, round_, contest


@dialogue.ask("complaints")
async def ask_complaints(talk: Talk) -> Message:
    shown, without = page(talk, await _waiting(talk), PAGE)
    lines = [
        (await contests.week_of(talk.session, round_), row.text[:LINE], row.due_at, row.due_at < talk.now)
        for row, round_ in shown
    ]
    choices = [Choice(str(n + 1), f"complaint-{row.id}") for n, (row, _) in enumerate(shown)]
    return talk.screen("contest_desk.complaints", *choices, without=without, lines=lines)


@dialogue.take("complaints")
async def take_complaints(talk: Talk, answer: Answer) -> Move | str:
    return picked(talk, answer, "complaint", "complaint")


@dialogue.ask("complaint")
async def ask_complaint(talk: Talk) -> Message:
    row, round_, _ = await _complaint(talk, talk.data["complaint"])
    who = await people.get(talk.session, row.person_id) if row.person_id is not None else None
    unit = await units.get(talk.session, who.unit_id) if who is not None and who.unit_id is not None else None
    result = await contests.find_result(talk.session, round_.id, who.id) if who is not None else None
    sat = await _sat(talk, round_.id, person_id=who.id) if who is not None else []
    out = await contests.list_disqualified(talk.session, round_.id)
    return talk.screen(
        "contest_desk.complaint",
        without=(*(("answer",) if row.done_at is not None else ()), *(() if sat else ("paper",))),
        tag=tag(round_),
        week=await contests.week_of(talk.session, round_),
        due=row.due_at,
        text=row.text,
        name=who.name if who is not None else "",
        unit=unit.name if unit is not None else "",
        paper=sat[0] if sat else None,
        rank=result.rank if result is not None else None,
        out=out.get(who.id, "") if who is not None else "",
        done=row.answer,
    )


@dialogue.take("complaint")
async def take_complaint(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "paper":
        row, round_, _ = await _complaint(talk, talk.data["complaint"])
        talk.put(round=round_.id, person=row.person_id)
    return {"answer": "reply", "list": "complaints", "paper": "person"}[answer.choice]


@dialogue.ask("reply", Kind.TEXT)
async def ask_reply(talk: Talk) -> Message:
    row, _, _ = await _complaint(talk, talk.data["complaint"])
    await contests.check_answer(talk.session, row, talk.me.id)
    return talk.screen("contest_desk.reply")


@dialogue.take("reply")
async def take_reply(talk: Talk, answer: Answer) -> Move | str:
    text = clean(answer.text)
    if not ANSWER[0] <= letters(text) <= ANSWER[1]:
        raise Again("contest_desk.reply_length", n=letters(text))
    try:
        row = await contests.answer_complaint(talk.session, talk.data["complaint"], text, talk.me.id, talk.now)
    except Conflict:
        talk.say("contest_desk.replied_already", typed=text)
        return "complaint"
    round_ = await contests.get_round(talk.session, row.round_id)
    if row.person_id is not None:
        key = f"complaint-answer:{row.id}"
        said: dict[str, Any] = {"week": await contests.week_of(talk.session, round_), "text": row.text, "answer": text}
        await talk.tell(row.person_id, "contest_desk.complaint_answered", dedup=key, id=round_.id, **said)
    talk.say("contest_desk.replied")
    return "complaints"


def read_reason(text: str) -> str:
    """A reason that people are told. Raises Again."""
    reason = clean(text)
    if not NOTE[0] <= letters(reason) <= NOTE[1]:
        raise Again("contest_desk.note_length", n=letters(reason))
    return reason


# ---------------------------------------------------------------------------------------------------- people


async def begin_out(talk: Talk, arg: str) -> Move | None:
    """To the question whose paper does not count."""
    round_ = await changeable(talk, arg)
    return dialogue.go("whose", round=round_.id) if round_ is not None else None


@dialogue.question("whose", "contest_desk.whose", Kind.TEXT)
async def take_whose(talk: Talk, answer: Answer) -> Move | str:
    """By the code of the paper, or by the whole name."""
    code, name = clean(answer.text).upper().replace(" ", ""), fold(clean(answer.text))
    found = await _sat(talk, talk.data["round"], code=code) if code else []
    found = found or [sat for sat in await _sat(talk, talk.data["round"]) if sat.name and fold(sat.name) == name]
    if not found:
        raise Again("contest_desk.whose_none")
    if len(found) > 1:
        known = [await units.get(talk.session, sat.unit) if sat.unit is not None else None for sat in found[:PAGE]]
        papers = [(sat.code, sat.name, unit.name if unit else "") for sat, unit in zip(found, known, strict=False)]
        raise Again("contest_desk.whose_many", n=len(found), papers=papers)
    talk.put(person=found[0].person)
    return "person"


async def _sat(talk: Talk, round_id: int, **which: Any) -> list[Sat]:
    """The counted papers of a round, or one of them."""
    round_ = await contests.get_round(talk.session, round_id)
    return [
        Sat(
            entry.code, who.id, who.name, result.unit_id, who.joined_at, entry.started_at, entry.submitted_at,
            result.seconds, result.score, round_.size,
        )
        for result, entry, who in await contests.list_counted(talk.session, round_id, **which)
        if entry.submitted_at is not None
    ]  # fmt: skip


async def show_flags(talk: Talk, arg: str) -> Move | None:
    """Signs that a person should look at."""
    found = await published(talk, arg)
    return dialogue.go("flags", round=found[0].id, start=0) if found is not None else None


@dialogue.ask("flags")
async def ask_flags(talk: Talk) -> Message:
    round_, _, contest = await named(talk, str(talk.data["round"]))
    await policy.check(talk.session, talk.me.id, RUN, contest.unit_id)
    found = flags(await _sat(talk, round_.id), await _writers(talk, round_.id))
    shown, without = page(talk, found, PAGE)
    lines = [
        (talk.words(f"contest_desk.flag_{kind}"), sat.code, sat.name, sat.score, sat.seconds) for kind, sat in shown
    ]
    choices = [Choice(str(n + 1), f"person-{sat.person}") for n, (_, sat) in enumerate(shown)]
    said: dict[str, Any] = {"tag": tag(round_), "week": await contests.week_of(talk.session, round_), "n": round_.size}
    return talk.screen("contest_desk.flags", *choices, without=without, lines=lines, **said)


async def _writers(talk: Talk, round_id: int) -> set[str]:
    """The names, folded, of who wrote or reviewed a question of a round."""
    asked = {row.question for row in await contests.list_questions(talk.session, round_id)}
    written = [question.author for name in asked if (question := talk.house.packs.bank.find(name)) is not None]
    given = await verdicts.list_given(talk.session)
    return {fold(name) for name in [*written, *(row.named for row in given if row.question in asked)] if name}


@dialogue.take("flags")
async def take_flags(talk: Talk, answer: Answer) -> Move | str:
    return picked(talk, answer, "person", "person")


@dialogue.ask("person")
async def ask_person(talk: Talk) -> Message:
    round_, _, contest = await named(talk, str(talk.data["round"]))
    await policy.check(talk.session, talk.me.id, RUN, contest.unit_id)
    sat = next(iter(await _sat(talk, round_.id, person_id=talk.data["person"])), None)
    if sat is None:
        raise NotFound("common.not_found")
    unit = await units.get(talk.session, sat.unit) if sat.unit is not None else None
    out = await contests.list_disqualified(talk.session, round_.id)
    return talk.screen(
        "contest_desk.person",
        without=("out",) if sat.person in out else ("lift",),
        name=sat.name,
        unit=unit.name if unit is not None else "",
        code=sat.code,
        score=sat.score,
        n=sat.size,
        seconds=sat.seconds,
        at=sat.submitted_at,
        tag=tag(round_),
        reason=out.get(sat.person, ""),
    )


@dialogue.take("person")
async def take_person(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "out":
        return "out"
    round_ = await contests.get_round(talk.session, talk.data["round"])
    try:
        await contests.lift_disqualification(talk.session, round_, talk.data["person"], talk.me.id, talk.now)
    except Conflict:
        return "person"
    await talk.tell(
        talk.data["person"],
        "contest_desk.lifted_notice",
        week=await contests.week_of(talk.session, round_),
    )
    talk.say("contest_desk.lifted", id=round_.id)
    return END


@dialogue.ask("out", Kind.TEXT)
async def ask_out(talk: Talk) -> Message:
    round_ = await contests.get_round(talk.session, talk.data["round"])
    await contests.check_change(talk.session, round_, talk.me.id, talk.data["person"])
    return talk.screen("contest_desk.out_why")


@dialogue.take("out")
async def take_out(talk: Talk, answer: Answer) -> Move | str:
    reason = read_reason(answer.text)
    round_ = await contests.get_round(talk.session, talk.data["round"])
    try:
        await contests.disqualify(talk.session, round_, talk.data["person"], reason, talk.me.id, talk.now)
    except Conflict:
        talk.say("contest_desk.out_already", typed=reason)
        return "person"
    said: dict[str, Any] = {"id": round_.id, "week": await contests.week_of(talk.session, round_), "reason": reason}
    until = await contests.may_complain_until(talk.session, round_, talk.data["person"])
    await talk.tell(talk.data["person"], "contest_desk.out_notice", until=until, **said)
    talk.say("contest_desk.out_done", id=round_.id)
    return END


COMMANDS = (
    Command("thacmacthi", show_complaints, place=Place.OFFICER, visible=complaints_wait),
    Command("khongxet", begin_out),
    Command("dauhieu", show_flags),
)
