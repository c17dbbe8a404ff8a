"""After the contest: one's own papers, the result, the right answers, and how to object to them."""

from __future__ import annotations

from datetime import datetime, time

from content.boards import board_name
from content.calendar import LOCAL, add_working_days
from content.leaderboard import FEWEST
from content.message import Message
from content.text import clean, clean_line, letters
from db import contests, policy, practice
from db.contests import Paper
from db.contests.rounds import RUN
from db.models import Entry, EntryState, Round, RoundState
from handlers import question_reports
from handlers.contest.flow import dialogue, phase, visible_round
from handlers.dialogue import END, Again, Answer, Command, Kind, Move
from handlers.talk import Talk

ANSWER_DAYS = 3
"""Working days within which a complaint, or a question that is said to be wrong, is answered."""
COMPLAINT = (10, 500)
"""Fewest and most letters of a complaint."""


def is_published(round_: Round) -> bool:
    """Whether anything may be said of scores and right answers."""
    return round_.state == RoundState.PUBLISHED


# ---------------------------------------------------------------------------------------------------- own papers


async def is_mine(talk: Talk, code: str) -> bool:
    """Whether a receipt is of one of this person's own papers."""
    return talk.person is not None and await contests.find_by_code(talk.session, code, talk.me.id) is not None


async def show_mine(talk: Talk, arg: str) -> Move | None:
    """One's own papers: receipts while the round is open, scores once it is published."""
    named = await contests.find_by_code(talk.session, arg, talk.me.id)
    round_ = await visible_round(talk, arg if named is None else str(named.round_id))
    if round_ is None:
        return dialogue.go("home")
    published = is_published(round_)
    result = await contests.find_result(talk.session, round_.id, talk.me.id) if published else None
    lines = []
    for entry in await contests.list_own(talk.session, talk.me.id, round_.id):
        paper = await contests.find_paper(talk.session, entry)
        counted = result is not None and result.entry_id == entry.id
        lines.append(_line(talk, paper, published=published, counted=counted))
    talk.say(
        "contest.mine",
        without=() if published else ("result",),
        id=round_.id,
        week=await contests.week_of(talk.session, round_),
        lines=lines,
        phase=phase(round_, talk.now).value,
        result=round_.result_at,
    )
    return None


def _line(talk: Talk, paper: Paper, *, published: bool, counted: bool) -> str:
    entry = paper.entry
    said = {"number": entry.number, "n": len(paper.questions), "done": len(paper.answers), "code": entry.code}
    if entry.state == EntryState.RETURNED:
        return talk.words("contest.mine_returned", late=entry.timed_out, **said)
    if entry.state == EntryState.RUNNING:
        return talk.words("contest.mine_running", **said)
    if not published:
        return talk.words("contest.mine_submitted", at=entry.submitted_at, prediction=entry.prediction, **said)
    return talk.words("contest.mine_scored", at=entry.submitted_at, score=score_of(paper), counted=counted, **said)


def score_of(paper: Paper) -> int:
    """Right answers of a paper, as the round stands: a voided question is right for everybody."""
    return sum(is_right(paper, place) for place in range(len(paper.questions)))


def is_right(paper: Paper, place: int) -> bool:
    """Whether a place of a paper counts as right."""
    question = paper.questions[place]
    return question.voided_at is not None or paper.answers.get(place) == question.answer


# ---------------------------------------------------------------------------------------------------- the result


async def show_result(talk: Talk, arg: str) -> Move | None:
    """What came of a round, for this person."""
    round_ = await visible_round(talk, arg)
    if round_ is None:
        return dialogue.go("home")
    if not is_published(round_):
        talk.say("contest.not_yet")
        return None
    result = await contests.find_result(talk.session, round_.id, talk.me.id)
    summary = await contests.summarise(talk.session, round_)
    without: tuple[str, ...] = () if result is not None else ("answers",)
    if result is None or result.rank is None:
        without += ("certificate",)
    if talk.now >= await contests.may_complain_until(talk.session, round_, talk.me.id):
        without += ("complain",)
    first = board_name(talk.house.words, summary.best[1], summary.best[0], summary.best[2]) if summary.best else ""
    talk.say("contest.result", without=without, first=first, **summary.told(result, FEWEST))
    return None


# ---------------------------------------------------------------------------------------------------- right answers


async def show_answers(talk: Talk, arg: str) -> Move | None:
    """The paper that counted, question by question, with the right answers and their articles."""
    round_ = await visible_round(talk, arg)
    if round_ is None:
        return dialogue.go("home")
    if not is_published(round_):
        talk.say("contest.not_yet")
        return None
    if await _counted(talk, round_) is None:
        talk.say("contest.no_paper")
        return None
    return dialogue.go("answers", round=round_.id, at=0)


async def _counted(talk: Talk, round_: Round) -> Entry | None:
    result = await contests.find_result(talk.session, round_.id, talk.me.id)
    return await contests.get_entry(talk.session, result.entry_id, talk.me.id) if result is not None else None


async def _reread(talk: Talk) -> Paper | None:
    """The counted paper; None when there is nothing to show any more."""
    round_ = await contests.get_round(talk.session, talk.data["round"])
    entry = await _counted(talk, round_) if is_published(round_) else None
    return await contests.find_paper(talk.session, entry) if entry is not None else None


@dialogue.ask("answers")
async def ask_answers(talk: Talk) -> Message | str:
    paper, place = await _reread(talk), talk.data["at"]
    if paper is None or place >= len(paper.questions):
        return "home"
    question = paper.questions[place]
    chosen = paper.answers.get(place)
    verdict = "void" if question.voided_at is not None else "right" if is_right(paper, place) else "wrong"
    without = ("next",) if place + 1 == len(paper.questions) else ()
    return talk.screen(
        "contest.answers",
        without=without,
        i=place + 1,
        n=len(paper.questions),
        verdict=talk.words(f"contest.verdict_{verdict}"),
        stem=question.stem,
        yours=question.options[chosen] if chosen is not None else "",
        right=question.options[question.answer],
        explanation=question.explanation,
        citation=question.citation,
    )


@dialogue.take("answers")
async def take_answers(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "next":
        talk.put(at=talk.data["at"] + 1)
        return "answers"
    return "report" if answer.choice == "report" else "home"


@dialogue.question("report", "contest.report", Kind.TEXT)
async def take_report(talk: Talk, answer: Answer) -> Move | str:
    text = clean_line(answer.text)
    if not 5 <= letters(text) <= 500:
        raise Again("practice.report_short", n=letters(text))
    paper = await _reread(talk)
    if paper is None:
        return "home"
    asked = paper.questions[talk.data["at"]].question
    row = await practice.report(talk.session, talk.me.id, asked, text, _due(talk), talk.now)
    question = talk.house.packs.bank.find(asked)
    if question is not None:
        await question_reports.tell_owners(talk, row, question)
    talk.say("practice.reported", due=row.due_at)
    return "answers"


def _due(talk: Talk) -> datetime:
    return datetime.combine(add_working_days(talk.today, ANSWER_DAYS), time(17), LOCAL)


# ---------------------------------------------------------------------------------------------------- complaints


async def begin_complaint(talk: Talk, arg: str) -> Move | None:
    """An objection to a result, while it is taken."""
    round_ = await visible_round(talk, arg)
    if round_ is None:
        return dialogue.go("home")
    if not is_published(round_) or talk.now >= await contests.may_complain_until(talk.session, round_, talk.me.id):
        talk.say("contest.complaints_over" if phase(round_, talk.now) == "over" else "contest.not_yet")
        return None
    return dialogue.go("complain", round=round_.id)


@dialogue.ask("complain", Kind.TEXT)
async def ask_complain(talk: Talk) -> Message:
    round_ = await contests.get_round(talk.session, talk.data["round"])
    until = talk.words(
        "contest.complain_until", until=await contests.may_complain_until(talk.session, round_, talk.me.id)
    )
    return talk.screen("contest.complain", week=await contests.week_of(talk.session, round_), until=until)


@dialogue.take("complain")
async def take_complain(talk: Talk, answer: Answer) -> Move | str:
    text = clean(answer.text)
    if not COMPLAINT[0] <= letters(text) <= COMPLAINT[1]:
        raise Again("contest.complain_length", n=letters(text))
    round_ = await contests.get_round(talk.session, talk.data["round"])
    row = await contests.complain(talk.session, round_, talk.me.id, text, _due(talk), talk.now)
    contest = await contests.get_contest(talk.session, round_.contest_id)
    for person_id in await policy.anyone(talk.session, contest.unit_id, RUN):
        await talk.tell(
            person_id,
            "contest.complaint_notice",
            dedup=f"contest-complaint:{row.id}:{person_id}",
            week=await contests.week_of(talk.session, round_),
            due=row.due_at,
            text=text,
            number=row.id,
        )
    talk.say("contest.complained", due=row.due_at, id=round_.id)
    return END


COMMANDS = (
    Command("baithi", show_mine, opens=is_mine),
    Command("kqthi", show_result),
    Command("dapan", show_answers),
    Command("thacmac", begin_complaint),
)
