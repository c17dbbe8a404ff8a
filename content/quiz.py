"""The bank of law questions: each asks a fact of the law, and takes document, dates and confidence from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from content.law import CHECKED, LOCKED, Fact, Law, citation, load_law
from content.question_faults import alike, balance, faults, openings
from content.source import ROOT, ContentError, Problem, Source, parse, read
from content.spelling import spelling

FEWEST = 5
"""A topic is shown from this many usable questions on (decisions 28)."""
TOPICS = (
    "membership", "officers", "finance", "organisation", "wages", "contracts", "bargaining", "safety", "insurance", "democracy",
    "history", "emulation",
)  # fmt: skip
"""The topics in the order in which they are offered; each is a file of this name."""


class Written(BaseModel):
    """A question as it stands in its file. `article` only where it is narrower than the fact's.

    `case`: the words of the stem that say which of several values of the fact is asked. `reckoned`: sums behind figures
    that are in no law, such as "12 + 2 = 14". `answer` is the index of the right option. `level`: 1 everybody should know,
    2 takes some reading, 3 for officers. `retired`: somebody has seen that its law has ended; it is kept, and not asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    fact: str
    level: int
    stem: str
    options: tuple[str, str, str, str]
    answer: int
    explanation: str
    article: str = ""
    case: str = ""
    reckoned: tuple[str, ...] = ()
    retired: bool = False
    author: str


class Question(BaseModel):
    """One question with what it inherits from its fact. `valid_to` is the last day it is true, if known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    topic: str
    level: int
    stem: str
    options: tuple[str, str, str, str]
    answer: int
    explanation: str
    document: str
    of_history: bool = False
    article: str
    fact: str
    says: str
    confidence: str
    valid_from: date
    valid_to: date | None = None
    reckoned: tuple[str, ...] = ()
    retired: bool = False
    author: str

    @property
    def citation(self) -> str:
        """Article, document and the day from which it is in force, e.g. "khoản 1 Điều 8 (Luật …, hiệu lực từ 01/7/2025)"."""
        return citation(self.article, self.document, None if self.of_history else self.valid_from)

    @property
    def text(self) -> str:
        """The mark of all that a reviewer reads: a review given for another text is none."""
        read_by_reviewer = (self.stem, *self.options, str(self.answer), self.explanation, self.citation, self.says)
        return hashlib.sha256("\n".join(read_by_reviewer).encode()).hexdigest()[:16]

    def in_force(self, on: date) -> bool:
        """Whether its law is in force on a day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    @property
    def checked(self) -> bool:
        """Read in the law's own text and not locked: it may be practised before a person reviewed it (decisions 28)."""
        return self.confidence in CHECKED and self.topic not in LOCKED

    def to_dict(self, reviewed_by: str = "", reviewed_on: date | None = None) -> dict[str, Any]:
        """The form of `congdoan content questions --json`."""
        return {
            "id": self.id,
            "topic": self.topic,
            "level": self.level,
            "stem": self.stem,
            "options": list(self.options),
            "answer": self.answer,
            "explanation": self.explanation,
            "citation": self.citation,
            "fact": self.fact,
            "confidence": self.confidence,
            "valid_from": self.valid_from.isoformat(),
            "valid_to": self.valid_to.isoformat() if self.valid_to else None,
            "reviewed_by": reviewed_by,
            "reviewed_on": reviewed_on.isoformat() if reviewed_on else None,
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """What people said about questions as they are now: the ids approved, and those sent back or voided."""

    approved: frozenset[str] = frozenset()
    out: frozenset[str] = frozenset()


UNREAD = Standing()
"""Nobody has reviewed anything."""


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    questions: tuple[Written, ...]


class Bank:
    """All questions, by topic and by id."""

    def __init__(
        self, titles: dict[str, str], places: dict[str, tuple[str, int]], questions: Iterable[Question]
    ) -> None:
        """`titles`: topic → title, in the order of offer; `places`: question id → file and line."""
        self._titles = titles
        self._places = places
        self.questions = tuple(questions)
        self._by_id = {question.id: question for question in self.questions}
        self._texts = {question.id: question.text for question in self.questions}
        self._asked: tuple[date, Standing, bool] | None = None
        self._usable: dict[str, tuple[Question, ...]] = {}
        """By topic, what may be asked on that day: every menu asks whether there is enough."""

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic that has a file, in the order in which they are offered."""
        return tuple(self._titles)

    def title(self, topic: str) -> str:
        """What a topic is called."""
        return self._titles[topic]

    def get(self, question_id: str) -> Question:
        """The question of an id. Raises KeyError."""
        return self._by_id[question_id]

    def find(self, question_id: str) -> Question | None:
        """The question of an id, None when it was taken out."""
        return self._by_id.get(question_id)

    def standing(self, verdicts: Iterable[tuple[str, str, bool]]) -> Standing:
        """What verdicts (question, mark of the text, whether approved) say of the questions as they are now."""
        approved: set[str] = set()
        out: set[str] = set()
        for name, text, good in verdicts:
            if self._texts.get(name) == text:
                (approved if good else out).add(name)
        return Standing(frozenset(approved), frozenset(out))

    def may_ask(self, question: Question, on: date, standing: Standing = UNREAD, *, hide: bool = False) -> bool:
        """Whether it is in force on a day and safe: B and locked topics need a reviewer, nothing voided is asked.

        `hide` leaves out whatever nobody has approved.
        """
        if question.id in standing.out or question.retired or not question.in_force(on):
            return False
        return question.id in standing.approved or (question.checked and not hide)

    def usable(self, topic: str, on: date, standing: Standing = UNREAD, *, hide: bool = False) -> tuple[Question, ...]:
        """The questions of a topic that may be practised on a day."""
        if self._asked != (on, standing, hide):
            usable = [question for question in self.questions if self.may_ask(question, on, standing, hide=hide)]
            self._usable = {each: tuple(q for q in usable if q.topic == each) for each in self._titles}
            self._asked = (on, standing, hide)
        return self._usable.get(topic, ())

    def shown_topics(self, on: date, standing: Standing = UNREAD, *, hide: bool = False) -> list[str]:
        """The topics that have enough usable questions on a day."""
        return [topic for topic in self._titles if len(self.usable(topic, on, standing, hide=hide)) >= FEWEST]

    def for_contest(self, on: date, standing: Standing) -> tuple[Question, ...]:
        """What may enter a contest on a day: in force, and approved by a named person as it stands now."""
        return tuple(q for q in self.questions if self.may_ask(q, on, standing, hide=True))

    def ended(self, on: date) -> list[Problem]:
        """The questions whose law is no longer in force on a day and which nobody has retired.

        They are not asked, and nothing stops for them: a day of the calendar is no mistake. The check of content refuses them.
        """
        return [
            Problem(
                *self._places[q.id],
                f"{q.id}: its fact {q.fact} ended on {q.valid_to.isoformat()}: write 'retired: \"true\"' beneath it, and ask"
                " what holds now in a question of its own",
            )
            for q in self.questions
            if q.valid_to is not None and q.valid_to < on and not q.retired
        ]


def load_quiz(folder: Path = ROOT / "packs" / "quiz", law: Law | None = None, *, checked: bool = False) -> Bank:
    """Loads and checks every topic against the facts of `law` (ours if not given), unless they were `checked` before.

    Raises ContentError with all problems, each with file and line.
    """
    law = law or load_law()
    problems: list[Problem] = []
    titles: dict[str, str] = {}
    found: list[tuple[Written, Fact | None, Source, int]] = []
    questions: list[Question] = []
    for path in sorted(folder.glob("*.yaml"), key=_order):
        try:
            source = read(path)
            file = parse(_File, source)
        except ContentError as error:
            problems += error.problems
            continue
        if path.stem not in TOPICS:
            problems.append(Problem(source.file, 1, f"'{path.stem}' is no topic: name it in TOPICS"))
        problems += [Problem(source.file, source.line(("title",)), f"title: {text}") for text in spelling(file.title)]
        titles[path.stem] = file.title
        for n, written in enumerate(file.questions):
            fact = law.find(written.fact)
            found.append((written, fact, source, source.line(("questions", n))))
            if fact is not None:
                questions.append(_question(path.stem, written, fact))
        if len(file.questions) >= FEWEST and not checked:
            problems += [Problem(source.file, 1, text) for text in balance(file.questions)]
            lines = {written.id: source.line(("questions", n)) for n, written in enumerate(file.questions)}
            problems += [
                Problem(source.file, lines[name], f"{name}: {text}") for name, text in openings(file.questions)
            ]
    places = {written.id: (source.file, line) for written, _, source, line in found}
    if not checked:
        problems += _faults(found)
    if problems:
        raise ContentError(problems)
    return Bank(titles, places, questions)


def _faults(found: Sequence[tuple[Written, Fact | None, Source, int]]) -> Iterator[Problem]:
    """What is wrong with single questions and between them."""
    first: dict[str, tuple[str, int]] = {}
    for written, fact, source, line in found:
        told = list(faults(written, fact))
        if written.id in first:
            told.append(f"this id stands in {first[written.id][0]} too: give it the next letter")
        first[written.id] = source.file, line
        yield from (Problem(source.file, line, f"{written.id}: {text}") for text in told)
    for name, other in alike([written for written, *_ in found]):
        yield Problem(*first[name], f"{name} asks the same as {other}")


def _question(topic: str, written: Written, fact: Fact) -> Question:
    return Question(
        id=written.id,
        topic=topic,
        level=written.level,
        stem=written.stem,
        options=written.options,
        answer=written.answer,
        explanation=written.explanation,
        document=fact.source,
        of_history=fact.of_history,
        article=written.article or fact.article,
        fact=fact.id,
        says=fact.says,
        confidence=fact.confidence,
        valid_from=fact.valid_from,
        valid_to=fact.valid_to,
        reckoned=written.reckoned,
        retired=written.retired,
        author=written.author,
    )


def _order(path: Path) -> tuple[int, str]:
    return (TOPICS.index(path.stem) if path.stem in TOPICS else len(TOPICS), path.stem)
