"""What a person answered in practice; reports of wrong questions, and what they were answered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from db import audit, policy, units
from db.errors import Conflict, NotFound
from db.models import PracticeAnswer, QuestionReport
from db.policy import Action
from db.prepared import Prepared
from db.session import Session

_T = PracticeAnswer.__table__
_ANSWERED = Prepared(insert(_T), "person_id", "question", "right", "at")  # type: ignore[arg-type]
_ANSWERED_AGAIN = Prepared(
    update(_T).where(_T.c.person_id == bindparam("person"), _T.c.question == bindparam("asked")),  # type: ignore[arg-type]
    "right",
    "at",
)
_ANSWERS = Prepared(select(_T.c.question, _T.c.right, _T.c.at).where(_T.c.person_id == bindparam("person")))


async def record(session: Session, person_id: int, question: str, right: bool, now: datetime) -> None:
    """Keeps the last answer to a question; a right one takes it off the list of questions to repeat."""
    if not await session.write(_ANSWERED_AGAIN, person=person_id, asked=question, right=right, at=now):
        await session.write(_ANSWERED, person_id=person_id, question=question, right=right, at=now)


async def list_answers(session: Session, person_id: int) -> dict[str, tuple[bool, datetime]]:
    """Per question: whether the last answer was right, and when it was given."""
    return {question: (right, at) for question, right, at in await session.rows(_ANSWERS, person=person_id)}


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
