"""Finds the facts that answer what a worker asks in their own words; rather none than one that only sounds alike."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from content.asking import Asking, AskingFile
from content.law import FOLDER, Fact, Law
from content.source import ContentError, Problem, parse, read
from content.text import fold, shorthand, without_telex

MOST = 3
"""Facts that are quoted at once."""
COVERED, SPOKEN, LEAST = 0.75, 0.5, 0.3
"""Of the weight of what was asked this share must stand in a fact; less where one of its own phrases was used, the less the longer."""
LONGER = 0.04
"""So much less for each syllable that a phrase has beyond two."""
NEAR, NEARER = 0.65, 0.8
"""Of the best fact's score others must have this share to be quoted beside it; more where none of their own phrases was used."""
PHRASE = 3.0
"""What a phrase counts that stands among a fact's own words for it, for each of its syllables."""
NOISE = 2
"""A phrase all of noise must be longer to be heard where there is nothing else: "nghỉ không lương"."""
READ = 600
"""Of a message this many characters are read: a question, not a letter."""
CLAUSE = 4
"""A part of a sentence is asked by itself from this many syllables on."""
OFFERED = 9.0
"""From this score on a fact that is too little for a quote is offered: of four questions so asked back three had meant it."""
_FIGURE = "#"
"""Stands for every figure but a date: "làm 8 tháng" asks what "làm 6 tháng" does."""
_SYLLABLE = re.compile(r"[\w%/]+")
_SHAPE = re.compile(
    r"(?:ngh?|gh|gi|kh|nh|ph|qu|t[hr]|ch|[bcdghklmnprstvx])?[aeiouy]{1,3}(?:n[gh]|ch|[cmnpt])?|.*[^a-z].*"
)
"""How a folded Vietnamese syllable is written, or what is none at all: "22h", "24/11"."""
SHORTEST, LONGEST = 3, 7
"""Letters of a word that may be a syllable with a slip."""
_PAUSE = re.compile(r"[,.;:?!\n]+")
_BETWEEN = frozenset(("ma", "thi", "la", "cu", "lai", "cung", "luon", "roi", "nua", "van"))
"""Folded; may stand anywhere in what is asked: "trừ tiền mà không đóng" is "trừ tiền không đóng"."""
_COUNTED = (
    ("nguoi", "vien"),
    ("gio", "phut"),
    ("ngay", "tuan", "thang", "nam"),
    ("lan",),
    ("phan",),
    ("tuoi",),
)
"""What is counted, folded: who asks how many hours may be answered in minutes, not in people."""


Scored = tuple[float, Fact, float]
Feature = str | tuple[str, str]
"""A syllable, or two neighbours."""


class _Synonym(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    means: str
    said: tuple[str, ...]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    synonyms: tuple[_Synonym, ...]
    typed: dict[str, str]
    urgent: tuple[str, ...]
    noise: tuple[str, ...]
    asking: AskingFile
    elsewhere: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The facts that answer, the best first, and whether the matter is one for a person at once.

    Where none does, `perhaps` are those that may be meant: somebody is asked, nothing is quoted. Where the best is
    `disputed`, that is all there is to say: what is only second to it answers another question.
    """

    facts: tuple[Fact, ...]
    urgent: bool
    perhaps: tuple[Fact, ...] = ()
    disputed: Fact | None = None

    @property
    def answers(self) -> bool:
        """Whether there is something to say of what was asked."""
        return bool(self.facts) or self.disputed is not None


class _Index(NamedTuple):
    """Of each fact what tells it from others: its phrases, the units it counts in, its features; and what each of these weighs."""

    phrases: list[set[tuple[str, ...]]]
    counts: list[frozenset[str]]
    features: list[frozenset[Feature]]
    weight: dict[Feature, float]
    unknown: float
    known: set[str]


class LawSearch:
    """An index over the facts of one law, asked by everybody."""

    def __init__(self, law: Law, file: _File) -> None:
        self._marked_noise = {word.lower() for word in file.noise}
        self._noise = {fold(word) for word in file.noise}
        # "Hông" is "không", but without its mark it may be "hỏng".
        meant = {fold(written) for written in file.typed.values()}
        self._typed = file.typed | {fold(word): file.typed[word] for word in file.typed if fold(word) not in meant}
        self._urgent = tuple(fold(word) for word in file.urgent)
        self._asking = Asking(file.asking, file.typed)
        self._elsewhere = tuple(fold(word) for word in file.elsewhere)
        self._synonyms: dict[str, str] = {}
        self._marks: dict[str, list[list[str]]] = {}
        for each in file.synonyms:
            for said in (*each.said, each.means):
                for form in {said, self._written_out(said)}:
                    self._synonyms.setdefault(fold(form), self._written_out(each.means))
                    self._marks.setdefault(fold(form), []).append(_syllables(form))
        longest_first = sorted(self._synonyms, key=len, reverse=True)
        self._said = re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b")
        self._facts = [fact for fact in law.facts if fact.title or not fact.disputed]

    @cached_property
    def _index(self) -> _Index:
        """Made when somebody first asks: a start does not wait for it."""
        phrases: list[set[tuple[str, ...]]] = []
        counts: list[frozenset[str]] = []
        features: list[frozenset[Feature]] = []
        for fact in self._facts:
            says, *own = (
                (self._words(self._written_out(text)), self._meant(text)) for text in (fact.says, *fact.words)
            )
            phrases.append({words for words, _ in own})
            counts.append(frozenset(of for figure, of in pairwise(says[0]) if figure == _FIGURE))
            features.append(frozenset(part for text in (says, *own) for part in self._features_of(*text)))
        counted = Counter(feature for each in features for feature in each)
        weight = {feature: math.log(1 + len(self._facts) / n) for feature, n in counted.items()}
        known = self._noise | {word for word in weight if isinstance(word, str)}
        return _Index(phrases, counts, features, weight, math.log(1 + len(self._facts)), known)

    def ask(self, text: str, on: date) -> Found:
        """The facts in force on a day that may be quoted in answer; none where nothing answers."""
        text = text[:READ]
        written = self._written_out(text)
        folded = fold(written)
        urgent = any(re.search(rf"\b{word}\b", folded) for word in self._urgent)
        if any(f" {each} " in f" {folded} " for each in self._elsewhere):
            return Found((), urgent)
        meant = self._meant(text)
        scored, unsure = self._scored(written, meant)
        if not scored:
            # A long story asks its question in one of its parts.
            parts = [part for each in _PAUSE.split(text) if len((part := self._written_out(each)).split()) >= CLAUSE]
            found = [self._scored(part, meant)[0] for part in parts if part != written]
            scored = max(found, key=lambda each: each[0][0] if each else 0.0, default=[])
        if not scored and (plain := self._mended(without_telex(folded))) != folded:
            scored, _ = self._scored(plain, frozenset())
        if not scored:
            perhaps = [fact for score, fact, _ in unsure if score >= OFFERED and fact.title and fact.quotable(on)]
            return Found((), urgent, tuple({fact.title: fact for fact in perhaps[:MOST]}.values()))
        # The best may be no longer or not yet in force: what is only second to it answers another question.
        best, first, _ = scored[0]
        if first.disputed and first.in_force(on):
            return Found((), urgent, disputed=first)
        near = [fact for score, fact, strong in scored if score >= (NEAR if strong else NEARER) * best]
        return Found(tuple(fact for fact in near if fact.quotable(on))[:MOST], urgent)

    def is_question(self, text: str) -> bool:
        """Whether a message reads like a question."""
        return self._asking.reads(text[:READ])

    def is_for_us(self, text: str, on: date) -> bool:
        """Whether a message that nothing else understood is one for us: a question, or a trouble that there is an answer to."""
        return self.is_question(text) or (self._asking.complains(text[:READ]) and self.ask(text, on).answers)

    def _written_out(self, text: str) -> str:
        """With the shorthand of phones written out."""
        return " ".join(self._typed.get(word) or _long(word) for word in _syllables(text))

    def _mended(self, folded: str) -> str:
        """With a letter put in, or two exchanged, where no syllable is written so: "tag ca" is "tang ca"."""
        return " ".join(word if _SHAPE.fullmatch(word) else self._mended_word(word) for word in folded.split())

    def _mended_word(self, word: str) -> str:
        if not SHORTEST <= len(word) <= LONGEST or not word.isalpha():
            return word
        known, ends = self._index.known, range(len(word) + 1)
        longer = (word[:at] + letter + word[at:] for at in ends for letter in "nhgtcaieuo")
        turned = (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in ends[:-2])
        return next((each for each in (*longer, *turned) if each in known), word)

    def _groups(self, text: str) -> list[tuple[str, ...]]:
        """The folded syllables of a text; together those that one word of workers', put into the law's, became.

        A word with other marks is another one, of a worker's or of the law's: "dưới" is not "đuổi", "giảm" not "giam".
        """
        typed = _syllables(text)
        folded = [_fold(word) for word in typed]
        line = " ".join(folded)
        groups: list[tuple[str, ...]] = []
        at = 0
        for found in self._said.finditer(line):
            first = line.count(" ", 0, found.start())
            end = first + found.group().count(" ") + 1
            groups += [(word,) for word in folded[at:first]]
            if any(all(map(_same, typed[first:end], said)) for said in self._marks[found.group()]):
                groups.append(tuple(fold(self._synonyms[found.group()]).split()))
            else:
                groups += [(word,) for word in folded[first:end]]
            at = end
        groups += [(word,) for word in folded[at:]]
        return [tuple(_FIGURE if _is_figure(word) else word for word in group) for group in groups]

    def _words(self, text: str) -> tuple[str, ...]:
        """The syllables of a text, workers' words put into the law's."""
        return tuple(word for group in self._groups(text) for word in group)

    def _meant(self, text: str) -> frozenset[str]:
        """Folded syllables that would be noise, and are none by their marks: "bàn" is not "bạn", "đình công" not "định"."""
        typed = _SYLLABLE.findall(text.lower())
        noise = {_fold(word) for word in typed if word in self._marked_noise}
        return (
            frozenset(_fold(word) for word in typed if _fold(word) != word and word not in self._marked_noise) - noise
        )

    def _features_of(self, words: tuple[str, ...], meant: frozenset[str]) -> frozenset[Feature]:
        """The syllables and neighbours in a text that tell what it is about."""
        # A figure of one's own case ("500k", "8 năm") is no reason that a fact does not answer.
        noise = {word for word in words if word == _FIGURE or (word in self._noise and word not in meant)}
        return frozenset(
            (
                *(word for word in words if word not in noise),
                *(pair for pair in pairwise(words) if not noise.issuperset(pair)),
            )
        )

    def _scored(self, text: str, meant: frozenset[str]) -> tuple[list[Scored], list[Scored]]:
        """The facts that may be quoted and those that only share something with what is asked, the best first."""
        index, groups = self._index, self._groups(text)
        words = tuple(word for group in groups for word in group)
        # Two syllables that are noise apart may tell something together, where marks in a fact say so: "đình công".
        asked = self._features_of(words, meant) | {pair for pair in pairwise(words) if pair in index.weight}
        # A syllable that no fact knows counts most: what is asked may be about that.
        told = {each for each in asked if isinstance(each, str)} or asked
        only_noise = told is asked
        total = sum(index.weight.get(each, index.unknown) for each in told)
        spoken = 1 if told else NOISE
        counted = _counted(words)
        line = f" {' '.join(words)} "
        plain = f" {' '.join(word for word in words if word not in _BETWEEN)} "
        # "Căn cước" became six syllables: alone it is no two things that a fact speaks of.
        within = [{*group, *pairwise(group)} for group in groups if len(group) > 1]
        scored: list[Scored] = []
        unsure: list[Scored] = []
        facts = zip(self._facts, index.features, index.phrases, index.counts, strict=True)
        for fact, features, phrases, counts in facts:
            matched = asked & features
            strong = max((_strength(phrase, words, line, plain) for phrase in phrases), default=0.0)
            in_a_row = only_noise and strong > NOISE
            if told and not matched and not in_a_row:
                continue
            covered = 1.0 if in_a_row or not told else sum(index.weight[each] for each in matched & told) / total
            near = sum(isinstance(each, tuple) for each in matched) > 1 and not any(matched <= each for each in within)
            enough = max(LEAST, SPOKEN - LONGER * (strong - 2))
            tells = not counted or not counts.isdisjoint(counted)
            sure = (covered >= enough and strong > spoken) or (covered >= COVERED and near and tells)
            score = covered * sum(index.weight[each] for each in matched) + PHRASE * strong
            if sure:
                scored.append((score, fact, strong))
            elif tells:
                unsure.append((score, fact, strong))
        return sorted(scored, key=_by_score), sorted(unsure, key=_by_score)


def _by_score(scored: Scored) -> float:
    return -scored[0]


_fold = lru_cache(maxsize=4096)(fold)
"""Of a syllable: there are few, and each stands in many facts."""


def _syllables(text: str) -> list[str]:
    # "30%" is "30 %": a share is asked for in words too.
    return _SYLLABLE.findall(unicodedata.normalize("NFC", text.lower()).replace("%", " % "))


@lru_cache(maxsize=4096)
def _long(word: str) -> str:
    folded = fold(word)
    return word if (written := shorthand(folded)) == folded else written


def _is_figure(word: str) -> bool:
    return word == "mot" or (word[0].isdigit() and "/" not in word)


def _same(typed: str, said: str) -> bool:
    """Whether a syllable may be another: without marks it may be any, and "hỏi" and "ngã" are taken for each other."""
    return typed == fold(typed) or _marks(typed) == _marks(said)


def _marks(word: str) -> list[str]:
    return sorted(unicodedata.normalize("NFD", word).replace("\u0303", "\u0309"))


def _counted(words: tuple[str, ...]) -> tuple[str, ...]:
    """The units of what is asked for by number: "mấy giờ" by "giờ" or "phút"; none where no number is asked for."""
    for before, word, of in zip(("", *words), words, (*words[1:], ""), strict=False):
        if word == "may" or (before, word) == ("bao", "nhieu"):
            units = next((units for units in _COUNTED if of in units), ())
            if units:
                return units
    return ()


def _strength(phrase: tuple[str, ...], asked: tuple[str, ...], line: str, plain: str) -> float:
    """How much of a fact's own phrase was used: its syllables in a row, or a longer one's in another order.

    `plain`: the line without what may stand between the syllables of a phrase.
    """
    if (said := f" {' '.join(phrase)} ") in line or (len(phrase) > 2 and said in plain):
        # A date is two words; any other figure is one's own: "75 tuổi" is what "2 tuổi" is.
        return float(len(phrase) + sum("/" in word for word in phrase) - phrase.count(_FIGURE))
    # "Không" elsewhere denies something else, or only asks: "có hợp đồng không" is not "không có hợp đồng".
    return 0.6 * len(phrase) if len(phrase) > 2 and "khong" not in phrase[:-1] and set(phrase) <= set(asked) else 0.0


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
