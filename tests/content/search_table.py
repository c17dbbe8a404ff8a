"""How the search answers what workers type, by set of questions: the README's table.

python -m tests.content.search_table          prints it and writes it into the README
python -m tests.content.search_table tuned    prints what went wrong in a set (not `kept`, `last`, `new` or `held`: see asked.yaml); as of
                                              another day with that behind it
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import yaml

from content.law import load_law
from content.law_search import LawSearch, load_search

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- search: python -m tests.content.search_table -->\n", "<!-- /search -->\n"
ON = date(2026, 11, 26)
"""The day on which the questions are asked: facts come into force and end."""
SETS = {
    "first": "The search was made with them",
    "tuned": "Written before it was changed, one half by lot: used to better it",
    "later": "Written while it was changed, then used too",
    "kept": "The other half, **no words taken from it**; its totals were looked at, and it is of the same writer, in the same hour",
    "last": "Written when it was done, **no words taken from it**; its totals were looked at",
    "hand": "By another, before anything of the search or the facts was read: 43 of 51, 2 of 9 when first asked, 36 in the menu; then used",
    "fresh": "When the facts had been read, but not their words: 38 of 56, 0 of 10 when first asked; then used",
    "more": "Ninety more, one half by lot: 22 of 40, 1 of 5 when first asked; then used",
    "wide": "Two thirds of 300 by lot, of all that workers ask a union: 132 of 167, 12 of 33 when first asked; then used, facts added",
    "held": "The last third, **no words taken from it**, asked once: before the changes 55 of 76 and 8 of 24 (12 of them have a fact now)",
    "street": "By another, 145 by lot of two halves, slang, slips, South and Centre: 41 of 54, 4 of 18 when first asked; then used, facts added",
    "sealed": "The other half of it, asked when `street` had been used: 41 of 52, 3 of 21, before the changes and after; then used, facts added",
    "mint": "Forty more when the facts had been read, but not their words: 24 of 34, 1 of 6, before those changes and after; then used",
    "new": "The other half of `more`, **no words taken from it**; its totals were looked at",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is typed. `answers`: facts any of which answers it; none where nothing in the bank does."""

    text: str
    answers: frozenset[str]


@cache
def asked() -> dict[str, tuple[Asked, ...]]:
    """The sets of asked.yaml by name."""
    read = yaml.safe_load((Path(__file__).parent / "asked.yaml").read_text(encoding="utf-8"))
    return {
        name: tuple(Asked(each["asked"], frozenset(each["answers"])) for each in questions)
        for name, questions in read.items()
    }


@cache
def said() -> dict[str, tuple[str, ...]]:
    """The sets of said.yaml by name: messages that ask nothing."""
    read = yaml.safe_load((Path(__file__).parent / "said.yaml").read_text(encoding="utf-8"))
    return {name: tuple(messages) for name, messages in read.items()}


@dataclass(frozen=True, slots=True)
class Score:
    """How a set was answered: found, of `some`; silent or wrong the rest; `false` answers of the `none` without one.

    `heard`: of those with an answer, what is taken for a question where it is just typed in the menu; `typed`: what is answered
    there. `offered`: of the silent, those asked back with what they meant; `vain`: of the `none`, those asked back.
    """

    some: int
    found: int
    wrong: int
    none: int
    false: int
    heard: int
    typed: int
    offered: int
    vain: int

    @property
    def recall(self) -> float:
        """The share of the questions with an answer that got it among the facts quoted (three at most)."""
        return self.found / self.some

    @property
    def false_hits(self) -> float:
        """The share of the questions without an answer that got one all the same."""
        return self.false / self.none


def score(search: LawSearch, questions: Sequence[Asked], on: date = ON) -> Score:
    """Asks every question, with the command and as it is typed in the menu."""
    found = wrong = false = heard = typed = offered = vain = 0
    for each in questions:
        answer = search.ask(each.text, on)
        got = {fact.id for fact in answer.facts}
        right, hears = bool(got & each.answers), search.is_for_us(each.text, on)
        found += right
        wrong += bool(got and each.answers and not right)
        false += bool(got and not each.answers)
        heard += bool(each.answers) and hears
        typed += right and hears
        offered += any(fact.id in each.answers for fact in answer.perhaps)
        vain += bool(answer.perhaps) and not each.answers
    none = sum(not each.answers for each in questions)
    return Score(len(questions) - none, found, wrong, none, false, heard, typed, offered, vain)


@cache
def scores() -> dict[str, Score]:
    """All sets, asked of the bank as it is."""
    search = load_search(load_law())
    return {name: score(search, questions) for name, questions in asked().items()}


def taken(search: LawSearch, messages: Sequence[str]) -> list[str]:
    """Those of some messages that are taken for a question, or for a trouble that a fact answers."""
    return [message for message in messages if search.is_for_us(message, ON)]


def table() -> str:
    """One line for each set, and one for what asks nothing."""
    rows = [
        "| Questions as workers type them | With an answer in the bank, after `/hoiluat`: found | nothing quoted (of these, asked back"
        " with what was meant) | only others quoted | Just typed in the menu: found | not taken for a question | Without an answer: quoted all the same | asked back |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, told in SETS.items():
        it = scores()[name]
        silent = it.some - it.found - it.wrong
        rows.append(
            f"| {told} (`{name}`) | {it.found} of {it.some} ({it.recall:.0%}) | {silent} ({it.offered}) | {it.wrong} |"
            f" {it.typed} ({it.typed / it.some:.0%}) | {it.some - it.heard} | {it.false} of {it.none} ({it.false_hits:.0%}) | {it.vain} |"
        )
    search = load_search(load_law())
    used, kept = (f"{len(taken(search, said()[name]))} of {len(said()[name])}" for name in ("used", "kept"))
    rows += [
        "",
        f"Of messages that ask nothing (`said.yaml`) {used} are answered as if they did; of those that no rule was made with, {kept}.",
    ]
    return "\n".join(rows) + "\n"


def written(text: str) -> str:
    """The README with the table as it should be."""
    head, _, rest = text.partition(BEGIN)
    return head + BEGIN + table() + END + rest.partition(END)[2]


def misses(name: str, on: date = ON) -> str:
    """What a set got that it should not, question by question."""
    search = load_search(load_law())
    lines = []
    for each in asked()[name]:
        got = [fact.id for fact in search.ask(each.text, on).facts]
        if not each.answers.intersection(got) if each.answers else got:
            lines.append(f"{each.text} | wanted {sorted(each.answers) or 'nothing'} | got {got or 'nothing'}")
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(misses(sys.argv[1], date.fromisoformat(sys.argv[2]) if sys.argv[2:] else ON))
    else:
        print(table(), end="")
        README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
