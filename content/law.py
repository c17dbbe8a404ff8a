"""The facts of the law: each a sentence that stands alone, with its article, its dates and what it was checked against."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

from content.calendar import official
from content.source import ROOT, ContentError, Problem, parse, read
from content.spelling import spelling
from content.text import fold

FOLDER = ROOT / "packs" / "law"
SAYS, CITATION = 300, 120
"""Longest texts in characters."""
AREAS = ("trade-union", "labour", "safety", "insurance", "democracy", "emulation", "history")
"""The files of facts, in the order in which they are read."""
LOCKED = ("emulation",)
"""Their facts are neither asked nor quoted unless a person reviewed the question (fact sheet §3.6: the law was amended)."""
CHECKED = ("A", "A*", "A-ocr")
"""Read in the text of the law itself (fact sheet, section 0); these may be practised before a person reviewed them."""
FACT = re.compile(r"[A-Z]{2}-D?\d{2,3}")
ARTICLE = re.compile(r"(?:điểm \w+ )?(?:khoản \d+[a-z]? )?Điều \d+[a-z]?")
"""One place in a law; several are separated by a comma."""


class Document(BaseModel):
    """A law, decree or source. `text`: the file it was read in, which is no part of the product.

    A source of history (`kind`) is told of, not in force: it has no articles, and all that stands in it is B.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    short: str
    text: str = ""
    kind: Literal["law", "history"] = "law"


class Fact(BaseModel):
    """One sentence of law. `valid_to` is the last day it is true, if known; a `disputed` one is never asked or quoted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    area: str = ""
    says: str
    document: str
    document_name: str = ""
    of_history: bool = False
    amended_by: str = ""
    article: str = ""
    confidence: str
    valid_from: date
    valid_to: date | None = None
    words: tuple[str, ...] = ()
    disputed: str = ""

    @field_validator("valid_from", "valid_to", mode="before")
    @classmethod
    def _day(cls, value: object) -> object:
        # pydantic alone would read "2025" as so many seconds since 1970.
        if isinstance(value, str):
            return date.fromisoformat(value) if value else None
        return value

    @property
    def title(self) -> str:
        """What it is about in workers' words, for a button; "" where nobody has written any."""
        return self.words[0][:1].upper() + self.words[0][1:] if self.words else ""

    @property
    def source(self) -> str:
        """The document as it is cited, with what amended it in brackets."""
        return self.document_name + (f" (sửa đổi bởi {self.amended_by})" if self.amended_by else "")

    @property
    def citation(self) -> str:
        """Article, document and the day from which it is in force."""
        return citation(self.article, self.source, None if self.of_history else self.valid_from)

    def in_force(self, on: date) -> bool:
        """Whether it is true on a day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def quotable(self, on: date) -> bool:
        """Whether it may be quoted on a day: read in the law's own text, in force, undisputed, not locked."""
        return self.in_force(on) and self.confidence in CHECKED and not self.disputed and self.area not in LOCKED


def citation(article: str, source: str, valid_from: date | None) -> str:
    """How a place is cited, e.g. "khoản 1 Điều 8 (Luật …, hiệu lực từ 01/7/2025)"; without a day, a source of history."""
    # A document that names its amendment has brackets of its own; brackets in brackets read badly on a phone.
    where = source.replace(" (", ", ").removesuffix(")")
    if valid_from is not None:
        where += f", hiệu lực từ {official(valid_from)}"
    return f"{article} ({where})" if article else where


def places(cited: str) -> str:
    """A citation as laws write it, what places share said once: "khoản 2, khoản 3 Điều 98 (…)"."""
    article, opens, rest = cited.partition(" (")
    if not is_article(article):
        return cited
    parts = [re.findall(r"(?:điểm|khoản|Điều) \w+", place) for place in article.split(", ")]
    for part, behind in pairwise(parts):
        shared = min(len(part), len(behind))
        while shared and (shared == len(part) or part[-shared:] != behind[-shared:]):
            shared -= 1
        del part[len(part) - shared :]
    return ", ".join(" ".join(part) for part in parts) + opens + rest


class Law:
    """All facts by id, and the documents they stand in."""

    def __init__(
        self, documents: dict[str, Document], facts: Iterable[Fact], places: dict[str, tuple[str, int]]
    ) -> None:
        """`places`: fact id → file and line."""
        self.documents = documents
        self.facts = tuple(facts)
        self.places = places
        self._by_id = {fact.id: fact for fact in self.facts}

    def next_to_end(self, on: date) -> list[Fact]:
        """The facts whose end is known and not past on a day, the nearest first: work that can be planned."""
        known = [
            (fact.valid_to, fact.id, fact) for fact in self.facts if fact.valid_to is not None and fact.valid_to >= on
        ]
        return [fact for _, _, fact in sorted(known, key=lambda each: each[:2])]

    def hanging_on(self, place: Place) -> list[Fact]:
        """The facts that cite a place."""
        return [fact for fact in self.facts if self.cites(fact, fact.article, place)]

    def cites(self, fact: Fact, article: str, place: Place) -> bool:
        """Whether an article of a fact's document lies in a place."""
        return place.holds(article, self.documents[fact.document], fact.document, fact.amended_by)

    def find(self, fact_id: str) -> Fact | None:
        """The fact of an id, None when there is none."""
        return self._by_id.get(fact_id)


@dataclass(frozen=True, slots=True)
class Place:
    """A place that somebody asks about, as they wrote it: "điểm a khoản 2 Điều 27 Luật Công đoàn", or a law alone."""

    article: str
    clause: str
    point: str
    document: frozenset[str]
    """Words of a document's name, or what amended it."""

    @classmethod
    def read(cls, text: str) -> Place:
        """Marks, capitals and order do not matter."""
        folded = fold(text)
        parts = []
        for name in ("dieu", "khoan", "diem"):
            found = re.search(rf"\b{name} (\w+)", folded)
            parts.append(found.group(1) if found else "")
            folded = folded.replace(found.group(0), " ") if found else folded
        article, clause, point = parts
        return cls(article, clause, point, frozenset(re.findall(r"[\w/]+", folded)))

    def holds(self, article: str, document: Document, key: str, amended_by: str) -> bool:
        """Whether one of the places of `article` lies in it, or it in one of them."""
        named = set(
            re.findall(r"[\w/]+", fold(f"{document.name} {document.short} {key} {amended_by}".replace("-", " ")))
        )
        numbers = fold(f"{document.name} {amended_by}")
        if not all(word in named or ("/" in word and word in numbers) for word in self.document):
            return False
        return not self.article or any(self._holds(part) for part in article.split(", "))

    def _holds(self, part: str) -> bool:
        found = re.fullmatch(r"(?:điểm (\w+) )?(?:khoản (\w+) )?Điều (\w+)", part)
        if found is None or found.group(3) != self.article:
            return False
        clause, point = found.group(2), found.group(1)
        if self.clause and clause and clause != self.clause:
            return False
        return not (self.point and point and fold(point) != self.point)


class _Documents(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    documents: dict[str, Document]


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    facts: tuple[Fact, ...]


def load_law(folder: Path = FOLDER) -> Law:
    """Loads and checks documents and facts. Raises ContentError with all problems, each with file and line."""
    problems: list[Problem] = []
    facts: list[Fact] = []
    places: dict[str, tuple[str, int]] = {}
    source = read(folder / "documents.yaml")
    documents = parse(_Documents, source).documents
    for key, document in documents.items():
        line = source.line(("documents", key))
        problems += [Problem(source.file, line, f"{key}: name: {fault}") for fault in spelling(document.name)]
    paths = [path for path in sorted(folder.glob("*.yaml"), key=_order) if path.stem not in ("documents", "synonyms")]
    for path in paths:
        try:
            source = read(path)
            file = parse(_Facts, source)
        except ContentError as error:
            problems += error.problems
            continue
        if path.stem not in AREAS:
            problems.append(Problem(source.file, 1, f"'{path.stem}' is no area: name it in AREAS of content/law.py"))
        for n, fact in enumerate(file.facts):
            line = source.line(("facts", n))
            known = documents.get(fact.document)
            problems += [Problem(source.file, line, f"{fact.id}: {text}") for text in _faults(fact, documents)]
            if fact.id in places:
                problems.append(Problem(source.file, line, f"the id {fact.id} stands in {places[fact.id][0]} too"))
            places[fact.id] = (source.file, line)
            name = known.name if known is not None else fact.document
            of_history = known is not None and known.kind == "history"
            inherited = {"area": path.stem, "document_name": name, "of_history": of_history}
            facts.append(fact.model_copy(update=inherited))
    if problems:
        raise ContentError(problems)
    return Law(documents, facts, places)


def _order(path: Path) -> tuple[int, str]:
    return (AREAS.index(path.stem) if path.stem in AREAS else len(AREAS), path.stem)


def _faults(fact: Fact, documents: dict[str, Document]) -> Iterator[str]:
    for name, text, limit in (("says", fact.says, SAYS), *(("words", word, CITATION) for word in fact.words)):
        for fault in spelling(text):
            yield f"{name}: {fault}"
        if len(text) > limit:
            yield f"{name} has {len(text)} characters, at most {limit} fit: shorten it"
    if not fact.says.endswith("."):
        yield "says must be a full sentence with its full stop: it is quoted as it stands"
    if not FACT.fullmatch(fact.id):
        yield f"'{fact.id}' is no id of a fact (write two letters and a number, CD-67)"
    if fact.document not in documents:
        yield f"the document '{fact.document}' is not in documents.yaml: add it there"
    elif documents[fact.document].kind == "history" and (fact.article or fact.confidence != "B"):
        yield f"'{fact.document}' is a source of history: it has no article, and what it says is of confidence B"
    # What was read elsewhere than in the law itself may not know its article; no B fact is asked before somebody reviewed it.
    if (fact.article or fact.confidence != "B") and not is_article(fact.article):
        yield f"article '{fact.article}': write it as 'điểm a khoản 2 Điều 10' (several with a comma between them)"
    if fact.confidence not in (*CHECKED, "B"):
        yield f"a fact of confidence '{fact.confidence}' is not in the bank: read it in the law first"
    if (fact.confidence == "A*") != bool(fact.amended_by) and fact.document == "luat-cong-doan":
        yield "A* marks the clauses that amended_by names, and only those"
    if fact.valid_to is not None and fact.valid_to < fact.valid_from:
        yield "it ends before it begins"
    if len({fold(word) for word in fact.words}) < len(fact.words):
        yield "words: one stands there twice"


def is_article(text: str) -> bool:
    """Whether it names a place in a law, or several."""
    return bool(text) and all(ARTICLE.fullmatch(part) for part in text.split(", "))
