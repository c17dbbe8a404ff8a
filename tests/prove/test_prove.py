"""The README prints what the long runs found and nothing else; a batch that fails is counted as wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from tests.prove.__main__ import README, prove, table, with_figures
from tests.prove.suites import SUITES

CASE = """
from tests.prove import cases, note

def test_small_numbers():
    for number in cases(1):
        note(tried=1, longest_at_most=number)
    assert 3 not in cases(1)
"""


def test_the_readme_prints_the_figures_of_the_files() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == with_figures(text, table()), "python -m tests.prove --readme"


def test_every_suite_names_a_test_that_exists() -> None:
    root = README.parent
    for suite in SUITES:
        file, _, name = suite.test.partition("::")
        assert f"def {name}(" in (root / file).read_text(encoding="utf-8"), suite.name


def test_a_long_run_goes_on_where_it_stopped_and_counts_what_was_wrong(tmp_path: Path) -> None:
    (tmp_path / "test_case.py").write_text(CASE, encoding="utf-8")
    suite = replace(SUITES[0], name="case", test=str(tmp_path / "test_case.py"), batch=2)
    assert prove(suite, 2, 1, tmp_path)
    assert not prove(suite, 4, 1, tmp_path)
    found = json.loads((tmp_path / "case.json").read_text(encoding="utf-8"))
    assert found["cases"] == 4 and found["wrong"] == 1 and found["total"] == {"tried": 4, "longest_at_most": 3}
    assert "assert 3 not in" in found["batches"]["2"]["wrong"] and not found["batches"]["0"]["wrong"]
