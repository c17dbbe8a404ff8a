"""A paper on the server's clock: one question at a time, back until it is handed in, a guess, the receipt."""

from __future__ import annotations

from content.message import Message
from content.money import parse_count
from db import contests
from db.contests import Paper
from db.models import Entry, EntryState, Round, RoundState
from handlers.contest.flow import dialogue, span
from handlers.dialogue import END, Again, Answer, Kind, Move
from handlers.talk import Talk

MOST = 99_999
"""The largest number of people anybody may predict."""


async def _paper(talk: Talk) -> Paper | None:
    """The paper on this screen, or the one that runs; None when its time is over or it was handed in."""
    number = talk.data.get("entry")
    if number is None:
        running = await contests.find_running(talk.session, talk.me.id)
        if running is None:
            return None
        number = running.id
        talk.put(entry=number)
    entry = await contests.get_entry(talk.session, number, talk.me.id)
    if not contests.in_time(entry, talk.now):
        return None
    return await contests.find_paper(talk.session, entry)


def _place(talk: Talk, paper: Paper) -> int:
    """Which question is on the screen: where somebody is, or the first one without an answer."""
    place = talk.data.get("place")
    if place is None or place >= len(paper.questions):
        place = min(paper.open_place, len(paper.questions) - 1)
        talk.put(place=place)
    return int(place)


@dialogue.ask("question", tested=True)
async def ask_question(talk: Talk) -> Message | str:
    paper = await _paper(talk)
    if paper is None:
        return "ended"
    if "place" not in talk.data and paper.open_place == len(paper.questions):
        return await _after_last(talk, paper)
    place = _place(talk, paper)
    order = paper.order(place)
    chosen = paper.answers.get(place)
    without: tuple[str, ...] = () if place else ("previous",)
    if chosen is None:
        without += ("next",)
    if paper.open_place < len(paper.questions):
        without += ("done",)
    return talk.screen(
        "contest.question",
        without=without,
        i=place + 1,
        n=len(paper.questions),
        time=span(talk, paper.entry.due_at - talk.now),
        stem=paper.questions[place].stem,
        options=[paper.questions[place].options[option] for option in order],
        chosen="ABCD"[order.index(chosen)] if chosen is not None else "",
    )


@dialogue.take("question")
async def take_question(talk: Talk, answer: Answer) -> Move | str:
    paper = await _paper(talk)
    if paper is None:
        return "ended"
    place = _place(talk, paper)
    if answer.choice == "previous":
        talk.put(place=max(0, place - 1))
        return "question"
    if answer.choice == "done":
        return await _after_last(talk, paper)
    if answer.choice != "next":
        option = paper.order(place)[int(answer.choice)]
        await contests.answer(talk.session, paper.entry, place, option, talk.now)
        paper.answers[place] = option
        if paper.entry.state != EntryState.RUNNING:  # it came in time, but the clock has handed in since
            return "ended"
    if place + 1 < len(paper.questions):
        talk.put(place=place + 1)
        return "question"
    return await _after_last(talk, paper)


async def _after_last(talk: Talk, paper: Paper) -> str:
    round_ = await contests.get_round(talk.session, paper.entry.round_id)
    return "predict" if round_.prediction and paper.entry.prediction is None else "submit"


@dialogue.ask("predict", Kind.NUMBER)
async def ask_predict(talk: Talk) -> Message | str:
    paper = await _paper(talk)
    if paper is None:
        return "ended"
    chosen = paper.entry.prediction
    without = ("keep",) if chosen is None else ()
    return talk.screen("contest.predict", without=without, n=len(paper.questions), chosen=chosen)


@dialogue.take("predict")
async def take_predict(talk: Talk, answer: Answer) -> Move | str:
    paper = await _paper(talk)
    if paper is None:
        return "ended"
    if answer.choice != "keep":
        number = parse_count(answer.text)
        if number is None or number > MOST:
            raise Again("contest.predict_number")
        await contests.predict(talk.session, paper.entry, number, talk.now)
    return "submit"


@dialogue.ask("submit")
async def ask_submit(talk: Talk) -> Message | str:
    paper = await _paper(talk)
    if paper is None:
        return "ended"
    left = span(talk, paper.entry.due_at - talk.now)
    return talk.screen("contest.submit", done=len(paper.answers), n=len(paper.questions), time=left)


@dialogue.take("submit")
async def take_submit(talk: Talk, answer: Answer) -> Move | str:
    paper = await _paper(talk)
    if paper is None:
        return "ended"
    if answer.choice == "review":
        talk.put(place=0)
        return "question"
    await contests.submit(talk.session, paper.entry, talk.now)
    round_ = await contests.get_round(talk.session, paper.entry.round_id)
    talk.say(
        "contest.receipt",
        id=round_.id,
        code=paper.entry.code,
        at=talk.now,
        result=round_.result_at,
        left=await _left(talk, round_),
    )
    return END


async def _left(talk: Talk, round_: Round) -> int:
    """Attempts that can still be begun."""
    return max(0, await contests.left(talk.session, round_, talk.me.id)) if talk.now < round_.closes_at else 0


@dialogue.ask("ended")
async def ended(talk: Talk) -> Move | str:
    """The paper is no longer one to go on with: its time is over, or it was handed in, here or in another chat."""
    number = talk.data.get("entry")
    if number is None:
        return "home"
    entry = await contests.get_entry(talk.session, number, talk.me.id)
    talk.drop("entry", "place")
    if (await contests.get_round(talk.session, entry.round_id)).state == RoundState.CANCELLED:
        return "home"  # which says why
    if entry.state == EntryState.RUNNING:
        await contests.time_out(talk.session, entry)
        await _tell_time_over(talk, entry)
    elif entry.timed_out:
        await _tell_time_over(talk, entry)
    else:
        talk.say("contest.attempt_given_back" if entry.state == EntryState.RETURNED else "contest.handed_in")
        return "home"
    return END


async def _tell_time_over(talk: Talk, entry: Entry) -> None:
    if entry.state == EntryState.RETURNED:
        talk.say("contest.returned")
        return
    round_ = await contests.get_round(talk.session, entry.round_id)
    paper = await contests.find_paper(talk.session, entry)
    talk.say(
        "contest.time_over",
        id=round_.id,
        code=entry.code,
        done=len(paper.answers),
        result=round_.result_at,
        left=await _left(talk, round_),
    )
