"""tests/asvs.yaml is whole: each requirement once, each with a test that exists or a written reason; the README counts them."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import Any

import yaml

from tests.test_house import ROOT

LEVEL_1 = 70
"""How many requirements level 1 of ASVS 5.0.0 has."""


@cache
def listed() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "tests/asvs.yaml").read_text(encoding="utf-8"))
    return found


def kind(row: dict[str, Any]) -> str:
    """What a row says: held by tests, not ours (why), or open."""
    return "open" if "open" in row else "why" if "why" in row else "tests"


def lacks(row: dict[str, Any]) -> list[str]:
    """What is wrong with a row."""
    wrong = [f"no such part: {name}" for name in row if name not in ("id", "asks", "tests", "why", "open", "note")]
    wrong += [
        f"{name} says nothing" for name in ("asks", "why", "open", "note") if len(str(row.get(name, "…" * 9))) < 8
    ]
    if "why" in row and "open" in row:
        wrong.append("both not ours and open")
    if not row.get("tests", kind(row) != "tests"):
        wrong.append("neither a test nor a reason")
    for test in row.get("tests") or ():
        file, _, name = test.partition("::")
        path = ROOT / file
        if not path.is_file() or f"def {name}(" not in path.read_text(encoding="utf-8"):
            wrong.append(f"no such test: {test}")
    return wrong


def test_every_requirement_stands_there_once() -> None:
    level_1, chosen = listed()["level_1"].split(), listed()["chosen"].split()
    assert len(level_1) == LEVEL_1
    assert Counter(row["id"] for row in listed()["rows"]) == Counter([*level_1, *chosen])
    assert len({*level_1, *chosen}) == len(level_1) + len(chosen)


def test_every_row_names_tests_that_exist_or_says_why_not() -> None:
    wrong = {row["id"]: found for row in listed()["rows"] if (found := lacks(row))}
    assert not wrong


def test_a_row_that_says_nothing_would_be_seen() -> None:
    good = listed()["rows"][0]
    assert not lacks(good)
    for spoilt in (
        {"tests": []}, {"tests": ["tests/test_asvs.py::test_nowhere"]}, {"tests": ["tests/nowhere.py::test_x"]},
        {"asks": ""}, {"why": ""}, {"why": "a good reason", "open": "and yet not"}, {"whi": "a good reason"},
    ):  # fmt: skip
        assert lacks(good | spoilt), spoilt


def test_the_readme_counts_them() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    level_1 = listed()["level_1"].split()
    for ids, told in ((level_1, "Level 1"), (listed()["chosen"].split(), "levels 2 and 3")):
        found = Counter(kind(row) for row in listed()["rows"] if row["id"] in ids)
        said = f"{told}: {found['tests']} held by tests, {found['why']} not ours, {found['open']} open"
        assert said in readme, said
    for row in listed()["rows"]:
        if kind(row) == "open":
            assert re.search(rf"[ (]{re.escape(row['id'])}[,)]", readme.partition("Open in ASVS")[2]), row["id"]
