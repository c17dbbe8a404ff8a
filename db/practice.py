"""What a person answered in practice; reports of wrong questions, and what they were answered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from db import audit, policy, units
from db.errors import Conflict, NotFound
from db.models import PracticeAnswer, QuestionReport
from db.policy import Action
from db.session import Session


async def record(session: Session, person_id: int, question: str, right: bool, now: datetime) -> None:
    """Keeps the last answer to a question; a right one takes it off the list of questions to repeat."""
    answer = await session.get(PracticeAnswer, (person_id, question))
    if answer is None:
        session.add(PracticeAnswer(person_id=person_id, question=question, right=right, at=now))
    else:
        answer.right, answer.at = right, now


async def list_answers(session: Session, person_id: int) -> dict[str, tuple[bool, datetime]]:
    """Per question: whether the last answer was right, and when it was given."""
    found = await session.execute(
        select(PracticeAnswer.question, PracticeAnswer.right, PracticeAnswer.at).where(
            PracticeAnswer.person_id == person_id
        )
    )
    return {question: (right, at) for question, right, at in found}


async def report(
    session: Session, person_id: int, question: str, text: str, due_at: datetime, now: datetime
) -> QuestionReport:
    """Somebody says a question is wrong; it is to be answered by `due_at`."""
    row = QuestionReport(person_id=person_id, question=question, text=text, due_at=due_at, created_at=now)
    session.add(row)
    await session.flush()
    return row


async def list_open(session: Session) -> list[QuestionReport]:
    """What waits for an answer, the earliest due first."""
    query = select(QuestionReport).where(QuestionReport.done_at.is_(None))
    return list((await session.execute(query.order_by(QuestionReport.due_at, QuestionReport.id))).scalars())


async def get_report(session: Session, report_id: int) -> QuestionReport:
    """The report of an id. Raises NotFound."""
    row = await session.get(QuestionReport, report_id)
    if row is None:
        raise NotFound("common.not_found")
    return row


async def answer_report(session: Session, actor_id: int, report_id: int, answer: str, now: datetime) -> QuestionReport:
    """Answers a report. Raises Refused, NotFound, and Conflict when somebody else was faster."""
    top = await units.top(session)
    await policy.check(session, actor_id, Action.ANSWER_REPORTS, top.id if top is not None else None)
    row = await get_report(session, report_id)
    changed = await session.execute(
        update(QuestionReport)
        .where(QuestionReport.id == report_id, QuestionReport.done_at.is_(None))
        .values(done_at=now, answer=answer)
        .returning(QuestionReport.id)
    )
    if changed.scalar() is None:
        raise Conflict("question_reports.answered_already")
    await session.refresh(row)
    audit.note(session, actor_id, "answer_report", f"question report {report_id}", now, top.id if top else None)
    return row
