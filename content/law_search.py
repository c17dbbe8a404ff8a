"""Finds the facts that answer what a worker asks in their own words; rather none than one that only sounds alike."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from content.law import FOLDER, Fact, Law
from content.source import ContentError, Problem, parse, read
from content.text import fold, shorthand, without_telex

MOST = 3
"""Facts that are quoted at once."""
COVERED, SPOKEN = 0.6, 0.5
"""Of the weight of what was asked this share must stand in a fact; less where one of its own phrases was used."""
NEAR = 0.45
"""Of the best fact's score others must have this share to be quoted beside it."""
PHRASE = 2.0
"""What a phrase counts that stands among a fact's own words for it, for each of its syllables."""


class _Synonym(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    means: str
    said: tuple[str, ...]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    synonyms: tuple[_Synonym, ...]
    urgent: tuple[str, ...]
    noise: tuple[str, ...]
    asking: tuple[str, ...]
    elsewhere: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The facts that answer, the best first, and whether the matter is one for a person at once."""

    facts: tuple[Fact, ...]
    urgent: bool


class LawSearch:
    """An index over the facts of one law; made once, asked by everybody."""

    def __init__(self, law: Law, file: _File) -> None:
        self._noise = {fold(word) for word in file.noise}
        self._urgent = tuple(fold(word) for word in file.urgent)
        self._asking = tuple(fold(word) for word in file.asking)
        self._elsewhere = tuple(fold(word) for word in file.elsewhere)
        pairs = {fold(said): fold(each.means) for each in file.synonyms for said in (*each.said, each.means)}
        self._synonyms = pairs
        longest_first = sorted(pairs, key=len, reverse=True)
        self._said = re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b")
        self._facts = [fact for fact in law.facts if not fact.disputed]
        self._phrases = [{self._words(word) for word in fact.words} for fact in self._facts]
        self._features = [
            _features(self._words(fact.says)) | frozenset(part for phrase in phrases for part in _features(phrase))
            for fact, phrases in zip(self._facts, self._phrases, strict=True)
        ]
        counted = Counter(feature for features in self._features for feature in features)
        self._weight = {feature: math.log(1 + len(self._facts) / n) for feature, n in counted.items()}
        self._unknown = math.log(1 + len(self._facts))

    def ask(self, text: str, on: date) -> Found:
        """The facts in force on a day that may be quoted in answer; none where nothing answers."""
        folded = shorthand(" ".join(re.findall(r"[\w%/]+", fold(text))))
        if any(f" {each} " in f" {folded} " for each in self._elsewhere):
            return Found((), False)
        facts = self._best(self._words(folded), on)
        if not facts and (meant := without_telex(folded)) != folded:
            facts = self._best(self._words(meant), on)
        return Found(facts, any(re.search(rf"\b{word}\b", folded) for word in self._urgent))

    def is_question(self, text: str) -> bool:
        """Whether a message reads like a question: its mark, or the words people ask with, and more than two of them."""
        words = re.findall(r"\w+", fold(text))
        said = f" {shorthand(' '.join(words))} "
        return len(words) > 2 and ("?" in text or any(f" {each} " in said for each in self._asking))

    def _words(self, text: str) -> tuple[str, ...]:
        """The syllables of a text, workers' words put into the law's."""
        folded = " ".join(re.findall(r"[\w%/]+", fold(text)))
        said = self._said.sub(lambda found: self._synonyms[found.group()], folded)
        return tuple("1" if word == "mot" else word for word in said.split())

    def _best(self, asked: tuple[str, ...], on: date) -> tuple[Fact, ...]:
        # A figure of one's own case ("500k", "8 năm") is no reason that a fact does not answer.
        single = {word for word in asked if word not in self._noise and (not word[0].isdigit() or "/" in word)}
        pairs = {pair for pair in pairwise(asked) if not self._noise.issuperset(pair)}
        known = {pair for pair in pairs if pair in self._weight}
        line = f" {' '.join(asked)} "
        total = sum(self._weight.get(word, self._unknown) for word in single) + sum(
            self._weight[pair] for pair in known
        )
        if not total:
            return ()
        scored = []
        for fact, features, phrases in zip(self._facts, self._features, self._phrases, strict=True):
            if not fact.quotable(on):
                continue
            matched = [feature for feature in (*single, *known) if feature in features]
            covered = sum(self._weight[feature] for feature in matched) / total
            strong = max((_strength(phrase, asked, line) for phrase in phrases), default=0.0)
            both = sum(isinstance(feature, tuple) for feature in matched)
            if covered < (SPOKEN if strong > 1 else COVERED) or not (strong > 1 or both > 1):
                continue
            scored.append((covered * sum(self._weight[feature] for feature in matched) + PHRASE * strong, fact))
        scored.sort(key=lambda each: -each[0])
        return tuple(fact for score, fact in scored[:MOST] if score >= NEAR * scored[0][0])


def _strength(phrase: tuple[str, ...], asked: tuple[str, ...], line: str) -> float:
    """How much of a fact's own phrase was used: its syllables in a row, or a longer one's in another order."""
    if f" {' '.join(phrase)} " in line:
        return float(len(phrase) + sum("/" in word for word in phrase))  # a date is two words
    return 0.6 * len(phrase) if len(phrase) > 3 and set(phrase) <= set(asked) else 0.0


def _features(words: tuple[str, ...]) -> frozenset[str | tuple[str, str]]:
    return frozenset((*words, *pairwise(words)))


def load_search(law: Law, folder: Path = FOLDER) -> LawSearch:
    """Loads how workers speak. Raises ContentError with all problems."""
    source = read(folder / "synonyms.yaml")
    file = parse(_File, source)
    problems, seen = [], set[str]()
    for n, each in enumerate(file.synonyms):
        for said in map(fold, each.said):
            if said in seen:
                line = source.line(("synonyms", n))
                problems.append(Problem(source.file, line, f"'{said}' stands in two synonyms: leave one out"))
            seen.add(said)
    if problems:
        raise ContentError(problems)
    return LawSearch(law, file)
