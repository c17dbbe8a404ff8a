"""A published round as the file that anybody can recompute it from."""

from __future__ import annotations

from content.boards import board_name
from content.contest_result import Place, Question, ResultFile, without_ids
from content.words import Words
from db import contests
from db.errors import Conflict
from db.models import Board, Round, RoundState
from db.session import Session
from scheduler.contests import inputs_of


async def result_file(session: Session, words: Words, round_: Round) -> ResultFile:
    """Everything of a published round. Raises Conflict before it is published: nothing leaves while it is open."""
    if round_.state != RoundState.PUBLISHED:
        raise Conflict("contest.not_yet")
    contest = await contests.get_contest(session, round_.contest_id)
    papers = await contests.list_recorded(session, round_.id)
    codes = {paper.entry.id: paper.entry.code for paper in papers}
    ranked = [row for row in await contests.list_ranked(session, round_.id) if row.rank is not None]
    named = {
        codes[result.entry_id]: board_name(words, person.board or "", person.name, "")
        for result, person in await contests.list_best(session, round_.id, len(ranked))
        if person.name and person.board in (Board.FULL, Board.SHORT)
    }
    return ResultFile(
        contest=contest.name,
        week=round_.number,
        revision=round_.revision,
        inputs=without_ids(await inputs_of(session, round_, papers)),
        questions=tuple(
            Question(
                row.question, row.stem, tuple(row.options), row.answer, (row.reason or "-") if row.voided_at else ""
            )
            for row in await contests.list_questions(session, round_.id)
        ),
        actual=round_.actual,
        places=tuple(Place(row.rank or 0, codes[row.entry_id], row.score, row.lot) for row in ranked),
        names=named,
    )
