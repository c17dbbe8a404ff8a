"""The bank of law questions: every one with its article, its dates and what it was checked against."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator
from rapidfuzz import fuzz, process

from content.calendar import official
from content.source import ROOT, ContentError, Problem, Source, parse, read
from content.text import fold

STEM, OPTION, EXPLANATION, CITATION = 220, 90, 220, 120
"""Longest texts in characters (4-conversation §4.6.1; document and article: ours)."""
FEWEST = 5
"""A topic is shown from this many usable questions on (decisions 28)."""
BIAS = 0.4
"""No more than this share of a topic's right answers may be the longest, or stand in one place."""
ALIKE = 92
"""Stems this similar (folded, of 100) are the same question."""
CHECKED = ("A", "A*", "A-ocr")
"""Read in the text of the law itself (fact sheet, section 0); these may be practised before a person reviewed them."""
FACT = re.compile(r"[A-Z]{2}-D?\d{2}")
NEW_TONE = re.compile(r"\b\w*(?:o[àáảãạèéẻẽẹ]|(?<!q)u[ỳýỷỹỵ])\b", re.IGNORECASE)
"""Words with the tone on the last letter, where official papers put it on the one before. In "qu" the u is no vowel."""
TOPICS = (
    "membership", "officers", "finance", "organisation", "wages", "contracts", "bargaining", "safety", "insurance",
)  # fmt: skip
"""The topics in the order in which they are offered; each is a file of this name."""


class Question(BaseModel):
    """One question. `answer` is the index of the right option; `valid_to` the last day it is true, if known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    topic: str = ""
    stem: str
    options: tuple[str, str, str, str]
    answer: int
    explanation: str
    document: str
    article: str
    fact: str
    confidence: str
    valid_from: date
    valid_to: date | None = None
    author: str
    reviewed_by: str = ""
    reviewed_on: date | None = None

    @field_validator("valid_from", "valid_to", "reviewed_on", mode="before")
    @classmethod
    def _day(cls, value: object) -> object:
        # pydantic alone would read "2025" as so many seconds since 1970.
        if isinstance(value, str):
            return date.fromisoformat(value) if value else None
        return value

    @property
    def reviewed(self) -> bool:
        """Whether a named person checked it."""
        return bool(self.reviewed_by and self.reviewed_on)

    @property
    def citation(self) -> str:
        """Article, document and the day from which it is in force, e.g. "khoản 1 Điều 8 (Luật …, hiệu lực từ 01/7/2025)"."""
        # A document that names its amendment has brackets of its own; brackets in brackets read badly on a phone.
        document = self.document.replace(" (", ", ").removesuffix(")")
        return f"{self.article} ({document}, hiệu lực từ {official(self.valid_from)})"

    def usable(self, on: date) -> bool:
        """In force on a day, and safe to ask: B needs a named reviewer, C is never asked (decisions 28)."""
        in_force = self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)
        return in_force and (self.confidence in CHECKED or (self.confidence == "B" and self.reviewed))

    def to_dict(self) -> dict[str, Any]:
        """The form of `congdoan content questions --json`."""
        return {
            "id": self.id,
            "topic": self.topic,
            "stem": self.stem,
            "options": list(self.options),
            "answer": self.answer,
            "explanation": self.explanation,
            "citation": self.citation,
            "fact": self.fact,
            "confidence": self.confidence,
            "valid_from": self.valid_from.isoformat(),
            "valid_to": self.valid_to.isoformat() if self.valid_to else None,
            "reviewed_by": self.reviewed_by,
            "reviewed_on": self.reviewed_on.isoformat() if self.reviewed_on else None,
        }


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    questions: tuple[Question, ...]


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
        self._day = date.min
        self._of_day: dict[str, tuple[Question, ...]] = {}
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

    def usable(self, topic: str, on: date) -> tuple[Question, ...]:
        """The questions of a topic that may be asked on a day."""
        if on != self._day:
            usable = [question for question in self.questions if question.usable(on)]
            self._of_day = {each: tuple(q for q in usable if q.topic == each) for each in self._titles}
            self._day = on
        return self._of_day.get(topic, ())

    def shown_topics(self, on: date) -> list[str]:
        """The topics that have enough usable questions on a day."""
        return [topic for topic in self._titles if len(self.usable(topic, on)) >= FEWEST]

    def ended(self, on: date) -> list[Problem]:
        """The questions whose law is no longer in force on a day: not an error (history stays), but work to do."""
        return [
            Problem(*self._places[q.id], f"{q.id}: in force until {q.valid_to.isoformat()} only")
            for q in self.questions
            if q.valid_to is not None and q.valid_to < on
        ]


def load_quiz(folder: Path = ROOT / "packs" / "quiz") -> Bank:
    """Loads and checks every topic. Raises ContentError with all problems, each with file and line."""
    problems: list[Problem] = []
    titles: dict[str, str] = {}
    found: list[tuple[Question, Source, int]] = []
    for path in sorted(folder.glob("*.yaml"), key=_order):
        try:
            source = read(path)
            file = parse(_File, source)
        except ContentError as error:
            problems += error.problems
            continue
        if path.stem not in TOPICS:
            problems.append(Problem(source.file, 1, f"'{path.stem}' is no topic: name it in TOPICS"))
        problems += [Problem(source.file, source.line(("title",)), f"title: {text}") for text in _spelling(file.title)]
        titles[path.stem] = file.title
        here = [question.model_copy(update={"topic": path.stem}) for question in file.questions]
        found += [(question, source, source.line(("questions", n))) for n, question in enumerate(here)]
        problems += _balance(here, source)
    for question, source, line in found:
        problems += [Problem(source.file, line, f"{question.id}: {text}") for text in _faults(question)]
    problems += _repeats(found)
    if problems:
        raise ContentError(problems)
    places = {question.id: (source.file, line) for question, source, line in found}
    return Bank(titles, places, (question for question, _, _ in found))


def _order(path: Path) -> tuple[int, str]:
    return (TOPICS.index(path.stem) if path.stem in TOPICS else len(TOPICS), path.stem)


def _spelling(text: str) -> list[str]:
    """What a proofreader would mark: an empty text, letters in pieces, the tone mark in the new place, stray spaces."""
    if not text.strip():
        return ["empty"]
    faults = []
    if not unicodedata.is_normalized("NFC", text):
        faults.append("letters and marks are stored apart (not NFC)")
    composed = unicodedata.normalize("NFC", text)
    faults += [f"'{word}' has its tone mark on the last letter (write hòa, hủy)" for word in NEW_TONE.findall(composed)]
    if " ".join(text.split()) != text:
        faults.append("spaces or line breaks too many")
    return faults


def _faults(question: Question) -> list[str]:
    faults = []
    for name, text, limit in (
        ("stem", question.stem, STEM),
        ("explanation", question.explanation, EXPLANATION),
        ("document", question.document, CITATION),
        ("article", question.article, CITATION),
        *((f"option {'ABCD'[n]}", option, OPTION) for n, option in enumerate(question.options)),
    ):
        faults += [f"{name}: {fault}" for fault in _spelling(text)]
        if len(text) > limit:
            faults.append(f"the {name} has {len(text)} characters, at most {limit} fit")
    if len({fold(option) for option in question.options}) < 4:
        faults.append("two options say the same")
    if not 0 <= question.answer <= 3:
        faults.append(f"answer {question.answer} is none of 0 to 3")
    if "Điều" not in question.article:
        faults.append("a question without its article does not exist")
    if not FACT.fullmatch(question.fact):
        faults.append(f"'{question.fact}' is no id of the fact sheet")
    if not re.fullmatch(rf"{re.escape(question.fact.lower())}[a-z]?", question.id):
        faults.append(f"the id must be {question.fact.lower()}, with a letter behind it from the second question on")
    if not question.author.strip():
        faults.append("nobody is named as author")
    if question.confidence not in (*CHECKED, "B"):
        faults.append(f"a fact of confidence '{question.confidence}' may not be asked")
    if question.valid_to is not None and question.valid_to < question.valid_from:
        faults.append("it ends before it begins")
    if bool(question.reviewed_by) != bool(question.reviewed_on):
        faults.append("a review needs a name and a day")
    return faults


def _balance(questions: list[Question], source: Source) -> list[Problem]:
    """Right answers that give themselves away: always the longest, or always in one place."""
    if len(questions) < FEWEST:
        return []
    problems = []
    longest = sum(
        len(q.options[q.answer]) > max(len(o) for n, o in enumerate(q.options) if n != q.answer) for q in questions
    )
    if longest > BIAS * len(questions):
        problems.append(
            Problem(source.file, 1, f"the right option is the longest in {longest} of {len(questions)} questions")
        )
    for place, count in Counter(q.answer for q in questions).items():
        if count > BIAS * len(questions):
            problems.append(
                Problem(source.file, 1, f"the right option is {'ABCD'[place]} in {count} of {len(questions)} questions")
            )
    return problems


def _repeats(found: list[tuple[Question, Source, int]]) -> list[Problem]:
    problems = []
    first: dict[str, str] = {}
    stems: dict[str, str] = {}
    for question, source, line in found:
        if question.id in first:
            problems.append(Problem(source.file, line, f"the id {question.id} stands in {first[question.id]} too"))
        first[question.id] = source.file
        stem = fold(question.stem)
        alike = process.extractOne(stem, stems, scorer=fuzz.token_sort_ratio, score_cutoff=ALIKE)
        if alike is not None:
            problems.append(Problem(source.file, line, f"{question.id} asks the same as {alike[2]}"))
        stems[question.id] = stem
    return problems
