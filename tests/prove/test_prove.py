"""The README prints what the long runs found and nothing else; a batch that fails is counted as wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.prove.__main__ import CHANGES, README, prove, stretches, table, with_figures
from tests.prove.suites import SUITES, Suite

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


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Four cases in two batches, of which the fourth goes wrong."""
    (tmp_path / "test_case.py").write_text(CASE, encoding="utf-8")
    at(monkeypatch, "a" * 40)
    return replace(SUITES[0], name="case", test=str(tmp_path / "test_case.py"), batch=2, whole=4)


def at(monkeypatch: pytest.MonkeyPatch, commit: str) -> None:
    """As if that code were here."""
    monkeypatch.setattr("tests.prove.__main__.about", lambda: {"commit": commit, "machine": "m", "python": "3"})


def found(tmp_path: Path) -> dict[str, Any]:
    return dict(json.loads((tmp_path / "case.json").read_text(encoding="utf-8")))


def test_a_long_run_goes_on_where_it_stopped_and_counts_what_was_wrong(suite: Suite, tmp_path: Path) -> None:
    assert prove(suite, 2, 1, tmp_path)
    assert not prove(suite, 4, 1, tmp_path)
    of = found(tmp_path)
    assert of["cases"] == 4 and of["wrong"] == 1 and of["total"] == {"tried": 4, "longest_at_most": 3}
    assert "assert 3 not in" in of["batches"]["2"]["wrong"] and not of["batches"]["0"]["wrong"]


def test_the_whole_adds_up_over_commits_each_batch_with_its_own(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove(suite, 2, 1, tmp_path)
    at(monkeypatch, "b" * 40)
    prove(suite, 2, 1, tmp_path)
    assert [batch["commit"][0] for batch in found(tmp_path)["batches"].values()] == ["a", "b"]
    shown = stretches(found(tmp_path)["batches"].values())
    assert "2 on " in shown and "`aaaaaaa`" in shown and "`bbbbbbb`" in shown and shown.endswith("; m, Python 3")


def test_what_went_wrong_is_played_again_by_the_next_code_and_a_whole_is_begun_anew(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not prove(suite, 4, 1, tmp_path)
    assert not prove(suite, 4, 1, tmp_path), "the same code does not get another chance"
    (tmp_path / "test_case.py").write_text(CASE.replace("assert", "#"), encoding="utf-8")
    at(monkeypatch, "b" * 40)
    assert prove(suite, 4, 1, tmp_path)
    assert [found(tmp_path)["batches"][first]["commit"][0] for first in ("0", "2")] == ["a", "b"]
    at(monkeypatch, "c" * 40)
    assert prove(suite, 1, 1, tmp_path)
    assert found(tmp_path)["cases"] == 2


@pytest.mark.parametrize("skipped", ["", "\n\ndef test_large_numbers():\n    pass\n"])
def test_what_was_skipped_is_wrong_also_beside_what_was_tried(suite: Suite, tmp_path: Path, skipped: str) -> None:
    case = "import pytest\n\n@pytest.mark.skip\ndef test_small_numbers():\n    pass\n" + skipped
    (tmp_path / "test_case.py").write_text(case, encoding="utf-8")
    assert not prove(suite, 2, 1, tmp_path)
    assert found(tmp_path)["wrong"] == 1 and "skipped" in found(tmp_path)["batches"]["0"]["wrong"]


def test_what_was_played_with_changes_in_no_commit_is_played_again(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, "a" * 40 + CHANGES)
    prove(suite, 2, 1, tmp_path)
    prove(suite, 2, 1, tmp_path)
    assert list(found(tmp_path)["batches"]) == ["0"]
