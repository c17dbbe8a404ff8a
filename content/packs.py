"""All packs, loaded and checked together at start."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

from content.anniversaries import AnniversaryPack, load_anniversaries
from content.campaigns import Campaign, load_campaigns
from content.law import Law, load_law
from content.law_search import LawSearch, load_search
from content.quiz import Bank, load_quiz
from content.source import ContentError, Problem

Pack = TypeVar("Pack")


@dataclass(frozen=True, slots=True)
class Packs:
    """What the federation fills in each year: no code changes with it."""

    anniversaries: AnniversaryPack
    campaigns: tuple[Campaign, ...]
    law: Law
    search: LawSearch
    bank: Bank


def load_packs(commands: Collection[str], names: Mapping[str, str] | None = None, *, checked: bool = False) -> Packs:
    """Loads every pack; `commands` are those that a button may name, `names` the chosen names of anniversaries by key.
    `checked`: these very files were loaded without a problem before (`content.checked`).

    Raises ContentError with all problems of all.
    """
    problems: list[Problem] = []

    def load(loader: Callable[[], Pack]) -> Pack | None:
        try:
            return loader()
        except ContentError as error:
            problems.extend(error.problems)
            return None

    anniversaries, campaigns, law = (
        load(lambda: load_anniversaries(commands=commands, names=names)),
        load(load_campaigns),
        load(load_law),
    )
    search = load(lambda: load_search(law)) if law is not None else None
    bank = load(lambda: load_quiz(law=law, checked=checked)) if law is not None else None
    if anniversaries is None or campaigns is None or law is None or search is None or bank is None:
        raise ContentError(problems)
    return Packs(anniversaries, campaigns, law, search, bank)
