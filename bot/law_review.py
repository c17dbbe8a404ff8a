"""`congdoan content questions`, `law` and `approve`: what hangs on which article, and what people said of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import Any, NoReturn

from bot.opening import opened, reading
from bot.settings import Settings
from content.calendar import LOCAL, local_date
from content.law import Fact, Place
from content.packs import Packs
from content.quiz import Question
from db import verdicts
from db.models import QuestionReview, Verdict
from db.session import settled


def questions(packs: Packs, said: Sequence[QuestionReview]) -> list[dict[str, Any]]:
    """Every law question in the form others script against, with who approved it as it stands."""
    by = {(each.question, each.text): each for each in said}
    rows = []
    for question in packs.bank.questions:
        each = by.get((question.id, question.text))
        approved = each is not None and each.verdict == Verdict.APPROVED
        row = question.to_dict(each.named, local_date(each.at)) if each is not None and approved else question.to_dict()
        row["state"] = each.verdict.value if each is not None else "unreviewed"
        row["note"] = each.note if each is not None else ""
        rows.append(row)
    return rows


def question_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The same for a person to read."""
    lines = []
    for row in rows:
        state = (
            f"approved by {row['reviewed_by'] or '?'} on {row['reviewed_on']}" if row["reviewed_on"] else row["state"]
        )
        state += f": {row['note']}" if row["note"] else ""
        lines.append(
            f"{row['id']}  [{row['topic']}, level {row['level']}, {state}]  {row['stem']}\n    {row['citation']}"
        )
    return lines


def hanging_on(packs: Packs, place: Place) -> tuple[list[Fact], list[Question]]:
    """The facts that cite a place of the law, and the questions that cite it or ask one of them at it."""
    law, found = packs.law, packs.law.hanging_on(place)
    asked = [(question, law.find(question.fact)) for question in packs.bank.questions]
    return found, [q for q, fact in asked if fact is not None and law.cites(fact, q.article, place)]


def law_lines(packs: Packs, place: Place, on: date) -> list[str]:
    """What hangs on a place of the law: work to do on the day it is amended."""
    facts, asked = hanging_on(packs, place)
    lines = []
    for fact in facts:
        marks = [
            fact.confidence,
            *(["disputed"] if fact.disputed else []),
            *([] if fact.in_force(on) else ["not in force"]),
        ]
        lines.append(f"{fact.id}  [{', '.join(marks)}]  {fact.says}\n    {fact.citation}")
    lines += [f"{question.id}  [{question.topic}]  {question.stem}\n    {question.citation}" for question in asked]
    return [*lines, f"{len(facts)} fact(s), {len(asked)} question(s)."]


def chosen(
    packs: Packs,
    ids: Sequence[str],
    topics: Sequence[str],
    articles: Sequence[str],
    fail: Callable[[list[str]], NoReturn],
) -> list[Question]:
    """The questions named one by one, by topic or by the article they hang on, each once. Nothing named is a mistake."""
    bank = packs.bank
    wrong = [
        f"{name}: there is no such question; `congdoan content questions` lists all"
        for name in ids
        if not bank.find(name)
    ]
    wrong += [f"--topic {topic}: one of {', '.join(bank.topics)}" for topic in topics if topic not in bank.topics]
    if not (ids or topics or articles):
        wrong.append("Name questions, a --topic or an --article.")
    if wrong:
        fail(wrong)
    named = set(ids) | {q.id for q in bank.questions if q.topic in topics}
    for article in articles:
        named |= {q.id for q in hanging_on(packs, Place.read(article))[1]}
    return [question for question in bank.questions if question.id in named]


async def say_of(
    settings: Settings,
    questions: Sequence[Question],
    by: str,
    on: date | None,
    back: str,
    *,
    now: datetime,
    say: Callable[[str], object],
) -> None:
    """Writes down that a named person approved some questions as they stand, or sends them `back` with what is wrong."""
    at = datetime.combine(on, time(12), LOCAL) if on is not None else now
    verdict = Verdict.RETURNED if back else Verdict.APPROVED
    said = [(question.id, question.text) for question in questions]
    async with opened(settings) as database:

        async def write() -> int:
            async with database.write() as session:
                return await verdicts.give(session, said, verdict, by, at, note=back)

        fresh = await settled(write)
    say(
        f"{fresh} question(s) {verdict.value} by {by}"
        + (f", {len(said) - fresh} were already." if fresh < len(said) else ".")
    )


async def read(settings: Settings) -> list[QuestionReview]:
    """What people have said so far. Raises FileNotFoundError where there is no database yet, and Trouble."""
    async with reading(settings) as database, database.read() as session:
        return await verdicts.list_given(session)
