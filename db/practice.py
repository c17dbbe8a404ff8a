"""What a person answered in practice, and reports of wrong questions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from db.models import PracticeAnswer, QuestionReport
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
    session: Session, person_id: int | None, question: str, text: str, due_at: datetime, now: datetime
) -> QuestionReport:
    """Somebody says a question is wrong; it is answered by `due_at`."""
    row = QuestionReport(person_id=person_id, question=question, text=text, due_at=due_at, created_at=now)
    session.add(row)
    await session.flush()
    return row
