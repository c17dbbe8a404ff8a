"""The result file is whole: what is read back ranks as it was published, and whatever is changed in it is found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from content.contest_result import (
    BadResult,
    Place,
    Question,
    ResultFile,
    read_result,
    recompute,
    to_json,
    to_workbook,
    without_ids,
)
from content.ranking import rank
from content.words import load_words
from tests.content.test_ranking import KEY, round_of
from tests.people import FACTS

WORDS = load_words(FACTS)


def file_of(seed: int) -> ResultFile:
    inputs = without_ids(round_of(Random(seed)))
    ranking = rank(inputs)
    return ResultFile(
        contest="Tìm hiểu Luật Công đoàn",
        week=3,
        revision=1,
        inputs=inputs,
        questions=tuple(
            Question(q, f"Câu {q}?", ("=1+1", "b", "c", "d"), KEY[q], "Hai nghĩa" if q in inputs.voided else "")
            for q in KEY
        ),
        actual=ranking.actual,
        places=tuple(Place(e.rank, e.attempt.code, e.score, e.lot) for e in ranking.standings),
        names={e.attempt.code: "Bùi Thị Hoa" for e in ranking.standings[:1]},
    )


@pytest.mark.parametrize("form", ["json", "xlsx"])
def test_what_is_written_is_read_back_and_is_right(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"ket-qua.{form}"
    for seed in range(30):
        file = file_of(seed)
        if form == "json":
            path.write_text(to_json(file), encoding="utf-8")
        else:
            path.write_bytes(to_workbook(WORDS, file))
        read = read_result(path)
        assert read == file
        assert recompute(read) == []


def largest() -> ResultFile:
    return next(file for file in map(file_of, range(200)) if len(file.places) >= 5 and file.actual)


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a place": lambda data: data["places"][0].update(rank=2),
    "a score": lambda data: data["places"][1].update(score=data["places"][1]["score"] - 1),
    "somebody left out": lambda data: data["places"].pop(),
    "a paper left out": lambda data: [
        data["papers"].remove(p) for p in list(data["papers"]) if p["code"] == data["places"][0]["code"]
    ],
    "the truth": lambda data: data.update(actual=data["actual"] + 1),
    "a right answer": lambda data: [q.update(answer=(q["answer"] + 1) % 4) for q in data["questions"]],
    "the order": lambda data: data.update(order=[], places=data["places"][::-1]) or data["places"][0].update(rank=1),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_is_changed_afterwards_is_found(what: str, tmp_path: Path) -> None:
    data = json.loads(to_json(largest()))
    CHANGES[what](data)
    path = tmp_path / "ket-qua.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    assert recompute(read_result(path))


def test_the_file_holds_no_number_of_ours_for_a_person(tmp_path: Path) -> None:
    inputs = round_of(Random(5))
    far = replace(inputs, attempts=tuple(replace(a, person=a.person + 90_000) for a in inputs.attempts),
                  disqualified=frozenset(p + 90_000 for p in inputs.disqualified))  # fmt: skip
    assert without_ids(far) == without_ids(inputs)
    assert rank(without_ids(far)).actual == rank(far).actual
    assert not re.search(r"\b90\d\d\d\b", to_json(replace(file_of(5), inputs=without_ids(far))))


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"PK\x03\x04zip", b"\xff\xfe", b'{"format": "other"}'])
def test_what_is_no_result_is_refused_with_a_reason(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(BadResult):
        read_result(path)
