"""Finds a workplace from a few typed words, and stories that look like ones already sent."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from content.text import fold, without_telex

CACHED: Final = 1 << 15
"""Names whose forms are remembered: the same thousands of units are searched each time somebody joins."""


@dataclass(frozen=True, slots=True)
class UnitName:
    """A unit as the search sees it: `names` are what it is called now (full and short), `place` its commune or ward."""

    id: int
    names: tuple[str, ...]
    old_names: tuple[str, ...] = ()
    place: str = ""
    parent_name: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A unit found; `score` orders hits (0 to 100), `old_name` is set when only a former name matched that well."""

    id: int
    score: float
    old_name: str | None = None


FULL_NAME: Final = 95.0
"""From this score on what was typed is a name of the unit, whole and with its words for what it is."""
CORE: Final = 92.0
"""A name but for the words that half of all units share: "Khe Lụa" may be the commune's union, its school or its office."""

FITS: Final = 60.0
"""Below this score only a slip of the finger explains what was typed."""

# Written out on both sides, so that "thcs" finds "trung học cơ sở" and the other way round.
_WRITTEN_OUT: Final = {
    "cty": "cong ty",
    "cp": "co phan",
    "tnhh": "trach nhiem huu han",
    "mtv": "mot thanh vien",
    "cd": "cong doan",
    "cdcs": "cong doan co so",
    "ldld": "lien doan lao dong",
    "ubnd": "uy ban nhan dan",
    "kcn": "khu cong nghiep",
    "thcs": "trung hoc co so",
    "thpt": "trung hoc pho thong",
    "th": "tieu hoc",
    "mn": "mam non",
    "bv": "benh vien",
    "xn": "xi nghiep",
    "nm": "nha may",
}
# Half of all units are called so: dropped from the query while other words remain (5-voice §5.6).
_COMMON = re.compile(
    r"\b(?:cong ty|co phan|trach nhiem huu han|mot thanh vien|nha may|xi nghiep|truong|trung tam|uy ban|xa|phuong"
    r"|cong doan co so|cong doan)\b"
)


def search_units(query: str, units: Iterable[UnitName], limit: int) -> list[Hit]:
    """The units that fit best first, at most `limit`; empty when the query holds no letter or digit.

    Ranks: the name with its marks > the name without > its beginning > all words in any order, also of the place and
    the unit above > one slip of the finger in a word (of one word alone only where nothing fits it). Queries with Telex keys left in are tried once more without.
    """
    asked = _Asked(query)
    if not asked.words:
        return []
    hits = _hits(asked, units := tuple(units))
    if not hits and (meant := without_telex(asked.folded)) != asked.folded:
        hits = _hits(_Asked(meant), units)
    if len(asked.words) == 1 and any(hit.score >= FITS for hit in hits):
        hits = [hit for hit in hits if hit.score >= FITS]
    order = {unit.id: (min(map(len, unit.names), default=0), unit.names) for unit in units}
    return sorted(hits, key=lambda hit: (-hit.score, hit.old_name is not None, order[hit.id]))[:limit]


def named_in_full(hits: Iterable[Hit]) -> list[Hit]:
    """Those of the hits whose very name was typed; only a single one of them is meant for sure."""
    return [hit for hit in hits if hit.score >= FULL_NAME]


def guess_units(text: str, units: Iterable[UnitName], limit: int) -> list[Hit]:
    """The units that a workplace as somebody wrote it may mean, for a person to choose from.

    Where nothing fits all its words, the longest run of at least two of them that something fits decides: "Xi măng số 9"
    may be "Xi măng Núi Khánh".
    """
    units = tuple(units)
    words = _Asked(text).words
    for length in range(len(words), min(2, len(words)) - 1, -1):
        runs = [" ".join(words[at : at + length]) for at in range(len(words) - length + 1)]
        best: dict[int, Hit] = {}
        for hit in (hit for run in runs for hit in search_units(run, units, limit)):
            if hit.id not in best or hit.score > best[hit.id].score:
                best[hit.id] = hit
        if best:
            return sorted(best.values(), key=lambda hit: -hit.score)[:limit]
    return []


def _hits(asked: _Asked, units: Iterable[UnitName]) -> list[Hit]:
    found = (_hit(asked, unit) for unit in units)
    return [hit for hit in found if hit.score > 0]


def _hit(asked: _Asked, unit: UnitName) -> Hit:
    around = _words(unit.place) + _words(unit.parent_name)
    score = max((_score(asked, name, around) for name in unit.names), default=0.0)
    olds = [(_score(asked, name, around), name) for name in unit.old_names]
    old_score, old_name = max(olds, default=(0.0, ""))
    return Hit(unit.id, old_score, old_name) if old_score > score else Hit(unit.id, score)


class _Asked:
    """A query in the forms it is compared in."""

    def __init__(self, query: str) -> None:
        self.marked = _marked(query)
        self.folded = _plain(query)
        self.core = _core(self.folded)
        self.words = self.core.split()


def _score(asked: _Asked, name: str, around: Sequence[str]) -> float:
    plain = _plain(name)
    core = _core(plain)
    if asked.marked == _marked(name):
        return 100.0
    if asked.folded == plain:
        return FULL_NAME
    if asked.core == core:
        return CORE
    # Among equals the shorter name is likelier meant; and what was typed with marks should keep them.
    fine = 3.0 * len(asked.core) / max(len(asked.core), len(core)) + 2.0 * _share(asked.marked.split(), _marked(name))
    if core.startswith(asked.core) or plain.startswith(asked.folded):
        return 85.0 + fine
    words = (*plain.split(), *around)
    if all(any(word.startswith(typed) for word in words) for typed in asked.words):
        return 70.0 + fine + 8.0 * _share(asked.words, plain)
    joined = asked.core.replace(" ", "")
    if len(joined) >= 4 and core.replace(" ", "").startswith(joined):
        return 60.0 + fine  # "anphu"
    return 50.0 + fine if all(_slipped(typed, words) for typed in asked.words) else 0.0


def _share(typed: Sequence[str], name: str) -> float:
    """Which part of the typed words begins a word of the name, 0 to 1."""
    return sum(any(word.startswith(part) for word in name.split()) for part in typed) / len(typed)


def _slipped(typed: str, words: Iterable[str]) -> bool:
    """Whether a word is the typed one up to a slip (a letter more, less, other, or two swapped); two in long words.

    Short words and numbers must be right: one letter more makes another Vietnamese word, one digit another unit.
    """
    exact = len(typed) < 4 or any(map(str.isdigit, typed))
    allowed = 0 if exact else 2 if len(typed) >= 8 else 1
    return any(
        word.startswith(typed) or (word[0] == typed[0] and OSA.distance(typed, word, score_cutoff=allowed) <= allowed)
        for word in words
    )


@lru_cache(maxsize=CACHED)
def _marked(text: str) -> str:
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFC", text).lower()))


@lru_cache(maxsize=CACHED)
def _plain(text: str) -> str:
    return " ".join(_words(text))


@lru_cache(maxsize=CACHED)
def _words(text: str) -> tuple[str, ...]:
    return tuple(" ".join(_WRITTEN_OUT.get(word, word) for word in re.findall(r"\w+", fold(text))).split())


@lru_cache(maxsize=CACHED)
def _core(plain: str) -> str:
    core = " ".join(_COMMON.sub(" ", plain).split())
    return core or plain


DUPLICATE_PERCENT: Final = 88
"""From here two stories are probably one: in the trial of 12 reports with light edits (marks lost, slips, order) and 8
look-alikes, token_sort_ratio at 88 found all twelve and raised no false alarm (libraries.md §5). It finds no
paraphrases; nothing did without false alarms."""
ALIKE_PERCENT: Final = 80
"""From here two stories may be one told by two people: enough to show a reviewer, who compares them with one tap."""


def similar_texts(text: str, others: Mapping[str, str], percent: int = DUPLICATE_PERCENT) -> list[tuple[str, int]]:
    """The ids of texts that are at least so alike, with the likeness in whole percent, the likest first."""
    folded = fold(text)
    if not folded:
        return []
    matches = process.extract(
        folded,
        {id: fold(other) for id, other in others.items()},
        scorer=fuzz.token_sort_ratio,
        score_cutoff=percent,
        limit=None,
    )
    return [(id, int(score)) for _, score, id in matches]
