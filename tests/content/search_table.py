"""How the search answers what workers type, by set of questions: the README's table.

python -m tests.content.search_table          prints it and writes it into the README
python -m tests.content.search_table tuned    prints what went wrong in a set (not `kept` or `last`: see asked.yaml)
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
    "last": "Written when it was done, **no words taken from it**; its totals were looked at once",
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


@dataclass(frozen=True, slots=True)
class Score:
    """How a set was answered: found, of `some`; silent or wrong the rest; `false` answers of the `none` without one."""

    some: int
    found: int
    wrong: int
    none: int
    false: int

    @property
    def recall(self) -> float:
        """The share of the questions with an answer that got it among the facts quoted (three at most)."""
        return self.found / self.some

    @property
    def false_hits(self) -> float:
        """The share of the questions without an answer that got one all the same."""
        return self.false / self.none


def score(search: LawSearch, questions: Sequence[Asked]) -> Score:
    """Asks every question."""
    found = wrong = false = 0
    for each in questions:
        got = {fact.id for fact in search.ask(each.text, ON).facts}
        found += bool(got & each.answers)
        wrong += bool(got and each.answers and not got & each.answers)
        false += bool(got and not each.answers)
    none = sum(not each.answers for each in questions)
    return Score(len(questions) - none, found, wrong, none, false)


@cache
def scores() -> dict[str, Score]:
    """All sets, asked of the bank as it is."""
    search = load_search(load_law())
    return {name: score(search, questions) for name, questions in asked().items()}


def table() -> str:
    """One line for each set."""
    rows = [
        "| Questions as workers type them | With an answer in the bank: found | told that nothing was found | only others quoted |"
        " Without one: quoted all the same |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, told in SETS.items():
        it = scores()[name]
        silent = it.some - it.found - it.wrong
        rows.append(
            f"| {told} (`{name}`) | {it.found} of {it.some} ({it.recall:.0%}) | {silent} | {it.wrong} |"
            f" {it.false} of {it.none} ({it.false_hits:.0%}) |"
        )
    return "\n".join(rows) + "\n"


def written(text: str) -> str:
    """The README with the table as it should be."""
    head, _, rest = text.partition(BEGIN)
    return head + BEGIN + table() + END + rest.partition(END)[2]


def misses(name: str) -> str:
    """What a set got that it should not, question by question."""
    search = load_search(load_law())
    lines = []
    for each in asked()[name]:
        got = [fact.id for fact in search.ask(each.text, ON).facts]
        if not each.answers.intersection(got) if each.answers else got:
            lines.append(f"{each.text} | wanted {sorted(each.answers) or 'nothing'} | got {got or 'nothing'}")
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(misses(sys.argv[1]))
    else:
        print(table(), end="")
        README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
