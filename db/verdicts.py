"""What named people say of law questions: right, to be mended, void. Each word holds for the text it was said of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, select, update

from db import audit, policy, units
from db.errors import Conflict
from db.models import QuestionReview, Verdict
from db.policy import Action
from db.prepared import Prepared
from db.session import Session

_SAID = Prepared(
    select(QuestionReview.verdict).where(
        QuestionReview.question == bindparam("of"), QuestionReview.text == bindparam("mark")
    )
)


async def check(session: Session, person_id: int, action: Action = Action.REVIEW_LAW) -> None:
    """Raises Refused unless the person may speak for the whole house's questions."""
    top = await units.top(session)
    await policy.check(session, person_id, action, top.id if top is not None else None)


async def give(
    session: Session,
    questions: Iterable[tuple[str, str]],
    verdict: Verdict,
    named: str,
    now: datetime,
    actor_id: int = audit.SYSTEM,
    note: str = "",
    action: Action = Action.REVIEW_LAW,
) -> int:
    """Says the same of some questions, each with the mark of its text; what was said of that text before counts no more.

    `named` is the reviewer as shown. A person of the chat must hold `action` (Refused); the command line need not.
    Returns how many are new: the same word once more changes neither name nor day.
    """
    if actor_id != audit.SYSTEM:
        await check(session, actor_id, action)
    fresh = 0
    for question, text in questions:
        row = await session.get(QuestionReview, (question, text))
        if row is not None and row.verdict == verdict:
            continue
        if row is None:
            row = QuestionReview(question=question, text=text, verdict=verdict, named=named, actor_id=actor_id, at=now)
            session.add(row)
        row.verdict, row.named, row.actor_id, row.at, row.note = verdict, named, actor_id, now, note
        audit.note(session, actor_id, "review_question", f"question {question}", now, text=text, verdict=verdict.value)
        fresh += 1
    await session.flush()
    return fresh


async def list_verdicts(session: Session) -> list[tuple[str, str, bool]]:
    """(question, mark of its text, whether approved) of everything that was ever said: `Bank.standing` reads it."""
    found = await session.execute(select(QuestionReview.question, QuestionReview.text, QuestionReview.verdict))
    return [(question, text, verdict == Verdict.APPROVED) for question, text, verdict in found]


async def list_given(session: Session) -> list[QuestionReview]:
    """Every word that was ever said, in the order in which it was."""
    return list((await session.execute(select(QuestionReview).order_by(QuestionReview.at))).scalars())


async def find(session: Session, question: str, text: str) -> Verdict | None:
    """What was said of a question as it stands; None where nobody said anything. Every answer in practice asks."""
    found = await session.rows(_SAID, of=question, mark=text)
    return found[0][0] if found else None


async def void(
    session: Session, actor_id: int, question: str, text: str, named: str, reason: str, now: datetime
) -> None:
    """Its owner takes a question out: practice asks it no more. Contests that have it are `contests.void_wherever`'s.

    Raises Refused, and Conflict when it is void already.
    """
    row = await session.get(QuestionReview, (question, text))
    if row is not None and row.verdict == Verdict.VOID:
        await check(session, actor_id, Action.ANSWER_REPORTS)
        raise Conflict("question_reports.void_already")
    said = [(question, text)]
    await give(session, said, Verdict.VOID, named, now, actor_id, reason, Action.ANSWER_REPORTS)


async def is_void(session: Session, question: str, text: str) -> bool:
    """Whether a question with this text was voided."""
    return await find(session, question, text) == Verdict.VOID


async def forget_name(session: Session, person_id: int) -> None:
    """Of somebody who was erased the name beneath their reviews goes; that a person reviewed stays."""
    await session.execute(update(QuestionReview).where(QuestionReview.actor_id == person_id).values(named=""))
