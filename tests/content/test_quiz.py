"""The bank of law questions: every fault is found with file and line, and every citation stands in the law's text."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from content.quiz import NEW_TONE, TOPICS, Bank, Question, load_quiz
from content.source import ContentError

TEXTS = Path(__file__).parents[3] / "shared" / "facts" / "texts"
AMENDED = "luat-cong-doan-sua-doi-boi-97-2025.txt"
SOURCES = {
    "Luật Công đoàn số 50/2024/QH15": "luat-cong-doan-50-2024-ban-goc.txt",
    "Bộ luật Lao động số 45/2019/QH14": "bo-luat-lao-dong-45-2019-hop-nhat.txt",
    "Luật An toàn, vệ sinh lao động số 84/2015/QH13": "luat-an-toan-ve-sinh-lao-dong-84-2015-ban-goc.txt",
    "Luật Bảo hiểm xã hội số 41/2024/QH15": "luat-bhxh-41-2024-hop-nhat.txt",
    "Nghị định số 145/2020/NĐ-CP": "nghi-dinh-145-2020-ban-goc.txt",
    "Nghị định số 105/2026/NĐ-CP": "nghi-dinh-105-2026-tai-chinh-cong-doan.txt",
    "Nghị định số 293/2025/NĐ-CP": "nghi-dinh-293-2025-luong-toi-thieu.txt",
}
COUNTED = {"cd-01", "cd-18", "cd-42", "cd-56", "ld-05", "at-12"}
"""Right answers whose number is counted, or written in letters in the law."""


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
        "fact": f"CD-{number:02d}", "confidence": "A", "valid_from": "2025-07-01", "valid_to": "", "author": "Tổ",
        "reviewed_by": "", "reviewed_on": "",
    }  # fmt: skip
    return base | values


def faults(folder: Path, *questions: dict[str, Any]) -> str:
    (folder / "officers.yaml").write_text(
        yaml.safe_dump({"title": "Thử", "questions": list(questions)}, allow_unicode=True), encoding="utf-8"
    )
    return problems(folder)


def problems(folder: Path) -> str:
    with pytest.raises(ContentError) as caught:
        load_quiz(folder)
    for problem in caught.value.problems:
        lines = Path(problem.file).read_text(encoding="utf-8").splitlines()
        assert 1 <= problem.line <= len(lines)
    return str(caught.value)


def test_the_bank_is_large_enough_and_every_topic_is_known(bank: Bank) -> None:
    assert len(bank.questions) >= 110
    assert bank.topics == TOPICS
    assert sum(q.document.startswith("Luật Công đoàn") for q in bank.questions) >= 50


@pytest.mark.parametrize("on", [date(2025, 7, 25), date(2026, 11, 24)])
def test_every_topic_can_be_practised_in_the_demo_and_today(bank: Bank, on: date) -> None:
    assert bank.shown_topics(on) == list(TOPICS)
    assert all(len(bank.usable(topic, on)) >= 8 for topic in TOPICS)


def test_no_question_of_the_bank_has_outlived_its_law(bank: Bank) -> None:
    assert bank.ended(date(2026, 11, 24)) == []


def test_a_question_whose_law_ended_is_named_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "officers.yaml").write_text(
        yaml.safe_dump({"title": "Thử", "questions": [question(1, valid_to="2026-06-30")]}), encoding="utf-8"
    )
    small = load_quiz(tmp_path)
    assert small.ended(date(2026, 6, 30)) == []
    (problem,) = small.ended(date(2026, 7, 1))
    assert problem.file.endswith("officers.yaml") and problem.line == 2 and "cd-01" in problem.text


def test_a_topic_with_fewer_than_five_usable_questions_is_not_shown(bank: Bank) -> None:
    few = [q for q in bank.questions if q.topic == "safety"][:4]
    assert Bank({"safety": "An toàn"}, {}, few).shown_topics(date(2026, 11, 24)) == []
    assert bank.shown_topics(date(2016, 7, 1)) == ["safety"]


def test_nothing_from_the_locked_chapters_is_asked(bank: Bank) -> None:
    assert not [q.id for q in bank.questions if q.fact.startswith(("TD", "SK")) or q.confidence in ("B", "C")]


def test_a_citation_names_article_document_amendment_and_day(bank: Bank) -> None:
    assert bank.get("cd-19").citation == (
        "điểm b khoản 1 Điều 8 (Luật Công đoàn số 50/2024/QH15, sửa đổi bởi Luật số 97/2025/QH15,"
        " hiệu lực từ 01/7/2025)"
    )
    assert bank.get("cd-16").citation == "khoản 2 Điều 5 (Luật Công đoàn số 50/2024/QH15, hiệu lực từ 01/7/2025)"


def test_the_written_form_of_a_question_has_exactly_the_agreed_keys(bank: Bank) -> None:
    row = bank.get("cd-16").to_dict()
    assert list(row) == [
        "id", "topic", "stem", "options", "answer", "explanation", "citation", "fact", "confidence",
        "valid_from", "valid_to", "reviewed_by", "reviewed_on",
    ]  # fmt: skip
    assert (row["topic"], row["answer"], row["valid_from"]) == ("membership", 0, "2025-07-01")
    assert row["valid_to"] is None and row["reviewed_on"] is None


@pytest.mark.parametrize("word", ["hoà", "Xoá", "khoẻ", "huỷ", "uỷ", "tuỳ", "thoả", "Thuỷ", "goá"])
def test_the_tone_mark_in_the_new_place_is_found(word: str) -> None:
    assert NEW_TONE.findall(f"một {word} hai") == [word]


@pytest.mark.parametrize(
    "word", ["hòa", "quý", "Quỳnh", "quỹ", "quỷ", "toàn", "khoản", "Thúy", "thuyền", "tuyển", "họa"]
)
def test_the_tone_mark_in_its_place_is_left_alone(word: str) -> None:
    assert NEW_TONE.findall(f"một {word} hai") == []


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
        ({"explanation": ""}, "explanation: empty"),
        ({"explanation": "Vì luật. " * 28}, "explanation has 252 characters"),
        ({"options": ["x" * 91, "b", "c", "d"]}, "option A has 91 characters"),
        ({"options": ["a", "b", "c"]}, "options"),
        ({"document": ""}, "document: empty"),
        ({"stem": "Ai được uỷ quyền?"}, "'uỷ'"),
        ({"explanation": "Lao đo\u0323\u0302ng."}, "not NFC"),
        ({"stem": "Ai  đóng?"}, "spaces"),
        ({"id": "cd-02"}, "the id must be cd-01"),
        ({"author": ""}, "nobody is named"),
        ({"source": "báo"}, "source"),
        ({"fact": "xx"}, "no id of the fact sheet"),
        ({"valid_to": "2024-01-01"}, "ends before it begins"),
        ({"valid_from": "hôm qua"}, "valid_from"),
        ({"valid_from": "2025"}, "valid_from"),
        ({"valid_from": ""}, "valid_from"),
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


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "wages.yaml").write_text("title: Thử\nquestions: [{id: ld-01}]\n", encoding="utf-8")
    (tmp_path / "weather.yaml").write_text("title: Thời tiết\nquestions: []\n", encoding="utf-8")
    told = faults(tmp_path, question(1, stem="x" * 221), question(2, answer="9"))
    assert "221 characters" in told and "none of 0 to 3" in told and "stem: Field required" in told
    assert "'weather' is no topic" in told


def test_the_line_told_is_the_line_of_the_question(tmp_path: Path) -> None:
    told = faults(tmp_path, question(1), question(2, confidence="C"))
    text = (tmp_path / "officers.yaml").read_text(encoding="utf-8").splitlines()
    number = re.search(r"officers\.yaml:(\d+): cd-02: a fact of confidence", told)
    assert number is not None
    starts = [n for n, line in enumerate(text, start=1) if line.startswith("- ")]
    assert int(number.group(1)) == starts[1]


@cache
def articles(name: str) -> dict[str, str]:
    """Article number → text. A consolidated text quotes other laws: several pieces of one number are joined."""
    found: dict[str, str] = {}
    parts = re.split(r"(?m)^\W{0,4}Điều\s+(\d+)\s*\.", (TEXTS / name).read_text(encoding="utf-8"))
    for number, body in zip(parts[1::2], parts[2::2], strict=True):
        found[number] = found.get(number, "") + body
    return found


@cache
def amendments() -> dict[tuple[str, str], str]:
    """(article, clause) → text of what Law 97/2025 changed; the clause is empty where the whole article changed."""
    parts = re.split(r"(?m)^== Điều (\d+)(?:, khoản (\d+))? ==$", (TEXTS / AMENDED).read_text(encoding="utf-8"))
    return {(parts[n], parts[n + 1] or ""): parts[n + 2] for n in range(1, len(parts), 3)}


def cited_text(q: Question) -> str:
    """The text in force of every article a question cites. Raises LookupError, saying what is wrong."""
    return "".join(_cited_text(q.model_copy(update={"article": one})) for one in q.article.split(", "))


def _cited_text(q: Question) -> str:
    document = q.document.split(" (")[0]
    cited = re.fullmatch(r"(?:điểm \w+ )?(?:khoản (\d+) )?Điều (\d+)", q.article)
    if document not in SOURCES or cited is None:
        raise LookupError(f"no text for {q.article} {q.document}")
    clause, number = cited.group(1) or "", cited.group(2)
    text = articles(SOURCES[document]).get(number, "")
    if document.startswith("Luật Công đoàn"):
        changed = amendments()
        new = changed.get((number, clause)) or changed.get((number, ""))
        if (new is not None) != ("97/2025" in q.document):
            raise LookupError(f"{q.article} was {'' if new else 'not '}amended by 97/2025, the question says otherwise")
        if (q.confidence == "A*") != (new is not None):
            raise LookupError(f"{q.article} has confidence {q.confidence}")
        text = new or text
    if not text:
        raise LookupError(f"{q.article} is not in {SOURCES[document]}")
    if clause and not re.search(rf"(?m)^\W*{clause}\. ", text):
        raise LookupError(f"Điều {number} has no khoản {clause}")
    point = re.match(r"điểm (\w+)", q.article)
    if point and not re.search(rf"(?m)^\W*{point.group(1)}\)", text):
        raise LookupError(f"Điều {number} has no điểm {point.group(1)}")
    return text


def test_every_citation_stands_in_the_law_and_holds_the_numbers_of_the_right_answer(bank: Bank) -> None:
    if not TEXTS.is_dir():
        pytest.skip("the law texts do not lie beside this checkout (../shared/facts/texts)")
    wrong = []
    for q in bank.questions:
        try:
            text = cited_text(q)
        except LookupError as error:
            wrong.append(f"{q.id}: {error}")
            continue
        text = text.replace("Hai năm", "2 năm").replace("hai năm", "2 năm")
        for figure in re.findall(r"\d+(?:[.,]\d+)*", q.options[q.answer]):
            if q.id not in COUNTED and not re.search(rf"(?<![\d.,])0?{figure.lstrip('0')}(?!\d|[.,]\d)", text):
                wrong.append(f"{q.id}: {figure} is not in {q.article}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("name", "changed", "told"),
    [
        ("cd-16", {"article": "khoản 2 Điều 95"}, "is not in"),
        ("cd-16", {"article": "khoản 9 Điều 5"}, "no khoản 9"),
        ("bh-12", {"article": "khoản 3 Điều 40, khoản 9 Điều 41"}, "no khoản 9"),
        ("cd-23", {"article": "điểm k khoản 2 Điều 10"}, "no điểm k"),
        ("cd-19", {"document": "Luật Công đoàn số 50/2024/QH15"}, "was amended"),
        ("cd-16", {"document": "Luật Công đoàn số 50/2024/QH15 (sửa đổi bởi Luật số 97/2025/QH15)"}, "was not amended"),
        ("cd-19", {"confidence": "A"}, "has confidence A"),
        ("cd-16", {"document": "Luật Nhà ở"}, "no text for"),
    ],
)
def test_a_wrong_citation_is_noticed(bank: Bank, name: str, changed: dict[str, str], told: str) -> None:
    if not TEXTS.is_dir():
        pytest.skip("the law texts do not lie beside this checkout (../shared/facts/texts)")
    with pytest.raises(LookupError, match=told):
        cited_text(bank.get(name).model_copy(update=changed))
