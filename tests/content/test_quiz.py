"""The bank of law questions: every fault is found with file and line, and every citation stands in the law's text."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from content.quiz import TOPICS, Bank, load_quiz
from content.source import ContentError

TEXTS = Path(__file__).parents[3] / "shared" / "facts" / "texts"
SOURCES = {
    "Luật Công đoàn": ("luat-cong-doan-50-2024-ban-goc.txt", "luat-cong-doan-sua-doi-boi-97-2025.txt"),
    "Bộ luật Lao động": ("bo-luat-lao-dong-45-2019-hop-nhat.txt",),
    "Luật An toàn": ("luat-an-toan-ve-sinh-lao-dong-84-2015-ban-goc.txt",),
    "Luật Bảo hiểm xã hội": ("luat-bhxh-41-2024-hop-nhat.txt",),
    "Nghị định số 145": ("nghi-dinh-145-2020-ban-goc.txt",),
}


@pytest.fixture(scope="module")
def bank() -> Bank:
    return load_quiz()


def question(number: int, **values: Any) -> dict[str, Any]:
    stems = (
        "Lương thử việc ít nhất",
        "Ai đóng kinh phí",
        "Nghỉ phép năm mấy ngày",
        "Mấy giờ là đêm",
        "Khám thai mấy lần",
        "Tổ phó được giờ nào",
    )
    base = {
        "id": f"cd-{number:02d}", "stem": stems[number % 6] + "?", "options": ["một ngày", "hai ngày", "ba ngày", "bốn ngày"],
        "answer": str(number % 4), "explanation": "Vì luật ghi như vậy.", "document": "Luật Thử", "article": "Điều 1",
        "fact": "CD-01", "confidence": "A", "valid_from": "2025-07-01", "valid_to": "", "author": "Tổ",
        "reviewed_by": "", "reviewed_on": "",
    }  # fmt: skip
    return base | values


def faults(folder: Path, *questions: dict[str, Any]) -> str:
    (folder / "officers.yaml").write_text(
        yaml.safe_dump({"title": "Thử", "questions": list(questions)}, allow_unicode=True), encoding="utf-8"
    )
    with pytest.raises(ContentError) as caught:
        load_quiz(folder)
    assert all(problem.file and problem.line for problem in caught.value.problems)
    return str(caught.value)


def test_the_bank_is_large_enough_and_every_topic_is_known(bank: Bank) -> None:
    assert len(bank.questions) >= 80
    assert {q.topic for q in bank.questions} == set(TOPICS)
    assert sum(q.fact.startswith("CD") for q in bank.questions) >= 40


@pytest.mark.parametrize("on", [date(2025, 7, 25), date(2026, 11, 24)])
def test_every_topic_can_be_practised_in_the_demo_and_today(bank: Bank, on: date) -> None:
    assert bank.shown_topics(on) == list(TOPICS)


def test_before_it_is_in_force_and_after_it_ended_a_question_is_not_asked(bank: Bank) -> None:
    ended = bank.questions[0].model_copy(update={"valid_to": date(2026, 6, 30)})
    assert (
        ended.usable(date(2026, 6, 30)) and not ended.usable(date(2026, 7, 1)) and not ended.usable(date(2025, 6, 30))
    )


def test_a_fact_from_a_secondary_source_needs_a_reviewer(bank: Bank) -> None:
    second = bank.questions[0].model_copy(update={"confidence": "B"})
    assert not second.usable(date(2026, 1, 1))
    assert second.model_copy(update={"reviewed_by": "Luật sư", "reviewed_on": date(2026, 1, 1)}).usable(
        date(2026, 1, 1)
    )


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"stem": "x" * 221}, "the stem has 221 characters"),
        ({"article": " "}, "without its article"),
        ({"confidence": "C"}, "may not be asked"),
        ({"options": ["một ngày", "Một  ngày", "ba ngày", "bốn"]}, "two options say the same"),
        ({"answer": "4"}, "none of 0 to 3"),
        ({"explanation": ""}, "the explanation is empty"),
        ({"fact": "xx"}, "no id of the fact sheet"),
        ({"valid_to": "2024-01-01"}, "ends before it begins"),
        ({"valid_from": "hôm qua"}, "valid_from"),
        ({"reviewed_by": "Luật sư"}, "a review needs a name and a day"),
    ],
)
def test_every_planted_fault_is_found(tmp_path: Path, values: dict[str, Any], told: str) -> None:
    assert told in faults(tmp_path, question(1, **values))


def test_answers_that_give_themselves_away_are_found(tmp_path: Path) -> None:
    long = [question(n, answer="1", options=["a", "một câu rất dài", "b", "c"]) for n in range(6)]
    told = faults(tmp_path, *long)
    assert "longest in 6 of 6" in told and "is B in 6 of 6" in told


def test_the_same_question_twice_is_found(tmp_path: Path) -> None:
    told = faults(tmp_path, question(1), question(1), question(2, stem="ai dong kinh phi ?"))
    assert "the id cd-01 stands" in told and "asks the same as" in told


def articles(files: tuple[str, ...]) -> dict[str, str]:
    """Article number → text; where an amendment speaks, the original is out of force."""
    found: dict[str, str] = {}
    for name in files:
        text = (TEXTS / name).read_text(encoding="utf-8")
        parts = re.split(r"(?m)^\W{0,4}Điều\s+(\d+)\s*\.", text)
        for number, body in zip(parts[1::2], parts[2::2], strict=False):
            found[number] = found.get(number, "") + body
    return found


def test_every_cited_article_stands_in_the_law_and_holds_the_number_that_is_right(bank: Bank) -> None:
    if not TEXTS.is_dir():
        pytest.skip("the law texts do not lie beside this checkout (../shared/facts/texts)")
    missing = []
    for q in bank.questions:
        files = next((files for start, files in SOURCES.items() if q.document.startswith(start)), None)
        if files is None:
            missing.append(f"{q.id}: no text for {q.document}")
            continue
        number = re.search(r"Điều (\d+)", q.article)
        assert number is not None, q.id
        text = articles(files).get(number.group(1), "")
        if not text:
            missing.append(f"{q.id}: {q.article} is not in {files[0]}")
            continue
        right = q.options[q.answer]
        figures = re.fullmatch(
            r"(?:Từ đủ )?(\d+(?:,\d+)?)%?(?: (?:giờ|ngày|tháng|năm|người|lần|ngày làm việc))?", right
        )
        if figures and not re.search(rf"(?<!\d)0?{figures.group(1)}(?!\d)", text):
            missing.append(f"{q.id}: {figures.group(1)} is not in {q.article}")
    assert not missing, "\n".join(missing)
