"""A round's result as a file from which anybody can recompute it: every paper, the right answers, the rules, the seed.

The JSON and the workbook hold the same. People stand in it as numbers; a name stands beside who agreed to be named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from content.ranking import Attempt, Inputs, rank
from content.sheets import Sheet, SheetError, read_book, write_workbook
from content.words import Words

FORMAT: Final = "congdoan-contest-1"
SEPARATOR: Final = ";"
"""Between the answers of a paper in a cell, each as question=option; an open one has nothing behind the "="."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the file tells it; options are numbered from 0. `reason` is why it was voided, "" if it was not."""

    id: str
    stem: str
    options: tuple[str, ...]
    answer: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands, as it was published."""

    rank: int
    code: str
    score: int
    lot: int | None


@dataclass(frozen=True, slots=True)
class ResultFile:
    """Everything of a published round. `names` is paper → who is named beside it, and how."""

    contest: str
    week: int
    revision: int
    inputs: Inputs
    questions: tuple[Question, ...]
    actual: int
    places: tuple[Place, ...]
    names: Mapping[str, str]


class BadResult(Exception):
    """The file is no result of a contest, or not a whole one; the text says what is missing."""


def without_ids(inputs: Inputs) -> Inputs:
    """The same inputs with people as numbers that mean nothing outside the file."""
    first: dict[int, str] = {}
    for attempt in inputs.attempts:
        first[attempt.person] = min(attempt.code, first.get(attempt.person, attempt.code))
    number = {person: place for place, person in enumerate(sorted(first, key=lambda each: first[each]), 1)}
    attempts = tuple(
        Attempt(each.code, number[each.person], each.answers, each.prediction, each.seconds, each.submitted_at)
        for each in sorted(inputs.attempts, key=lambda each: each.code)
    )
    out = frozenset(number[person] for person in inputs.disqualified if person in number)
    return Inputs(inputs.key, attempts, inputs.order, inputs.voided, out, inputs.seed)


def recompute(file: ResultFile) -> list[str]:
    """What a result says that its own inputs do not; empty when it is right."""
    ranking = rank(file.inputs)
    faults = []
    if ranking.actual != file.actual:
        faults.append(f"actual: the file says {file.actual}, its papers say {ranking.actual}")
    said = {place.code: place for place in file.places}
    found = {each.attempt.code: Place(each.rank, each.attempt.code, each.score, each.lot) for each in ranking.standings}
    for code in sorted(said.keys() | found.keys()):
        if said.get(code) != found.get(code):
            faults.append(f"{code}: the file says {_told(said.get(code))}, its papers say {_told(found.get(code))}")
    return faults


def _told(place: Place | None) -> str:
    if place is None:
        return "nothing"
    lot = f", lot {place.lot}" if place.lot is not None else ""
    return f"rank {place.rank} with {place.score} right{lot}"


# ---------------------------------------------------------------------------------------------------- JSON


def to_json(file: ResultFile) -> str:
    """The file as JSON; moments are UTC with microseconds, as they decide."""
    inputs = file.inputs
    found = {
        "format": FORMAT,
        "contest": file.contest,
        "week": file.week,
        "revision": file.revision,
        "order": list(inputs.order),
        "seed": inputs.seed,
        "actual": file.actual,
        "disqualified": sorted(inputs.disqualified),
        "questions": [
            {"id": q.id, "stem": q.stem, "options": list(q.options), "answer": q.answer, "voided": q.reason}
            for q in file.questions
        ],
        "papers": [
            {
                "code": each.code,
                "person": each.person,
                "answers": [list(answer) for answer in each.answers],
                "prediction": each.prediction,
                "seconds": each.seconds,
                "submitted_at": each.submitted_at.isoformat(),
            }
            for each in inputs.attempts
        ],
        "places": [
            {"rank": place.rank, "code": place.code, "score": place.score, "lot": place.lot}
            | ({"name": file.names[place.code]} if place.code in file.names else {})
            for place in file.places
        ],
    }
    return json.dumps(found, ensure_ascii=False, indent=1)


def _from_json(text: str) -> ResultFile:
    data: dict[str, Any] = json.loads(text)
    if data["format"] != FORMAT:
        raise BadResult(f"its format is {data['format']}, not {FORMAT}")
    questions = tuple(
        Question(q["id"], q["stem"], tuple(q["options"]), int(q["answer"]), q["voided"]) for q in data["questions"]
    )
    attempts = tuple(
        Attempt(
            each["code"],
            int(each["person"]),
            tuple((str(question), chosen) for question, chosen in each["answers"]),
            each["prediction"],
            int(each["seconds"]),
            datetime.fromisoformat(each["submitted_at"]),
        )
        for each in data["papers"]
    )
    places = tuple(Place(p["rank"], p["code"], p["score"], p["lot"]) for p in data["places"])
    names = {p["code"]: p["name"] for p in data["places"] if "name" in p}
    inputs = _inputs(questions, attempts, data["order"], data["disqualified"], data["seed"])
    return ResultFile(data["contest"], data["week"], data["revision"], inputs, questions, data["actual"], places, names)


def _inputs(
    questions: Sequence[Question], attempts: tuple[Attempt, ...], order: Sequence[str], out: Sequence[int], seed: str
) -> Inputs:
    return Inputs(
        key={question.id: question.answer for question in questions},
        attempts=attempts,
        order=tuple(order),
        voided=frozenset(question.id for question in questions if question.reason),
        disqualified=frozenset(out),
        seed=seed,
    )


# ---------------------------------------------------------------------------------------------------- workbook


def to_workbook(words: Words, file: ResultFile) -> bytes:
    """The file as .xlsx: the ranking first, then what it follows from. Numbers that are codes are text."""

    def header(sheet: str) -> list[str]:
        return words.plain(f"contest.sheet_{sheet}_columns").split(" | ")

    def named(sheet: str) -> str:
        return words.plain(f"contest.sheet_{sheet}")

    by_code = {each.code: each for each in file.inputs.attempts}
    ranking = [
        [
            str(place.rank), file.names.get(place.code, ""), place.code, place.score, by_code[place.code].prediction,
            by_code[place.code].seconds, by_code[place.code].submitted_at.isoformat(), _text(place.lot),
        ]
        for place in file.places
    ]  # fmt: skip
    papers = [
        [
            each.code, str(each.person), _answers(each), _text(each.prediction), str(each.seconds),
            each.submitted_at.isoformat(),
        ]
        for each in file.inputs.attempts
    ]  # fmt: skip
    questions = [[q.id, str(q.answer), q.reason, q.stem, *q.options] for q in file.questions]
    rules = [
        ["format", FORMAT],
        ["contest", file.contest],
        ["week", str(file.week)],
        ["revision", str(file.revision)],
        ["order", SEPARATOR.join(file.inputs.order)],
        ["seed", file.inputs.seed],
        ["actual", str(file.actual)],
        ["disqualified", SEPARATOR.join(str(person) for person in sorted(file.inputs.disqualified))],
    ]
    how = tuple(words.plain("contest.sheet_rules_how").splitlines())
    return write_workbook(
        [
            Sheet(named("ranking"), header("ranking"), ranking),
            Sheet(named("papers"), header("papers"), papers),
            Sheet(named("questions"), header("questions"), questions),
            Sheet(named("rules"), header("rules"), [*rules, ["", ""], *([line, ""] for line in how)]),
        ]
    )


def _text(value: int | None) -> str:
    return "" if value is None else str(value)


def _answers(attempt: Attempt) -> str:
    return SEPARATOR.join(f"{question}={_text(chosen)}" for question, chosen in attempt.answers)


def _number(text: str) -> int | None:
    return int(text) if text else None


def _from_book(sheets: Sequence[list[list[str]]]) -> ResultFile:
    ranking, papers, asked, told = (rows[1:] for rows in sheets[:4])
    rules = {row[0]: row[1] for row in told if row[0]}
    if rules.get("format") != FORMAT:
        raise BadResult(f"its fourth sheet does not say {FORMAT}")
    questions = tuple(Question(r[0], r[3], tuple(r[4:8]), int(r[1]), r[2]) for r in asked)
    attempts = tuple(
        Attempt(r[0], int(r[1]), _read_answers(r[2]), _number(r[3]), int(r[4]), datetime.fromisoformat(r[5]))
        for r in papers
    )
    places = tuple(Place(int(r[0]), r[2], int(r[3]), _number(r[7])) for r in ranking)
    order, out = (list(filter(None, rules[name].split(SEPARATOR))) for name in ("order", "disqualified"))
    inputs = _inputs(questions, attempts, order, [int(person) for person in out], rules["seed"])
    names = {r[2]: r[1] for r in ranking if r[1]}
    return ResultFile(
        rules["contest"], int(rules["week"]), int(rules["revision"]), inputs, questions, int(rules["actual"]), places,
        names,
    )  # fmt: skip


def _read_answers(cell: str) -> tuple[tuple[str, int | None], ...]:
    pairs = (answer.partition("=") for answer in filter(None, cell.split(SEPARATOR)))
    return tuple((question, _number(chosen)) for question, _, chosen in pairs)


def read_result(path: Path) -> ResultFile:
    """Reads either form, told by its content. Raises BadResult, and OSError if it is not there."""
    try:
        if path.read_bytes()[:2] == b"PK":
            return _from_book(read_book(path))
        return _from_json(path.read_text(encoding="utf-8"))
    except SheetError as error:
        raise BadResult(f"the workbook cannot be read ({error.kind})") from error
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise BadResult(
            f"a part is missing or no number where one belongs ({type(error).__name__}: {error})"
        ) from error
