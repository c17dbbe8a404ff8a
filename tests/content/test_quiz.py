"""The bank of law questions: every fault is found with file and line, and only what is safe is asked."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from content.law import load_law
from content.quiz import TOPICS, Bank, load_quiz
from content.source import ContentError
from content.spelling import misplaced
from tests.content import bank_table


@pytest.fixture(scope="module")
def bank() -> Bank:
    return load_quiz()


def fact(number: int, **values: Any) -> dict[str, Any]:
    base = {
        "id": f"CD-{number:02d}", "says": "Ai cũng được nghỉ 6 ngày, riêng ngày lễ nghỉ 2 ngày, trừ 20% lương.",
        "document": "luat-thu", "article": "khoản 1 Điều 5, khoản 2 Điều 5", "confidence": "A", "valid_from": "2025-07-01",
    }  # fmt: skip
    return base | values


def question(number: int, **values: Any) -> dict[str, Any]:
    stems = (
        "Lương thử việc ít nhất", "Ai đóng kinh phí", "Nghỉ phép năm mấy ngày", "Mấy giờ là đêm", "Khám thai mấy lần",
        "Tổ phó được giờ nào",
    )  # fmt: skip
    base = {
        "id": f"cd-{number:02d}", "fact": f"CD-{number:02d}", "level": "1", "stem": stems[number % 6] + "?",
        "options": ["màu xanh", "màu vàng", "màu nâu", "màu tím"], "answer": str(number % 4),
        "explanation": "Vì luật ghi như vậy.", "author": "Tổ",
    }  # fmt: skip
    return base | values


def bank_of(folder: Path, *questions: dict[str, Any], facts: list[dict[str, Any]] | None = None) -> Bank:
    """A bank of one topic, on facts CD-01 to CD-09."""
    documents = {"luat-thu": {"name": "Luật Thử số 1/2025/QH15", "short": "Luật Thử", "text": ""}}
    facts = [fact(n) for n in range(1, 10)] if facts is None else facts
    law = folder / "law"
    law.mkdir(exist_ok=True)
    for path, data in (
        (law / "documents.yaml", {"documents": documents}),
        (law / "trade-union.yaml", {"facts": facts}),
        (folder / "officers.yaml", {"title": "Thử", "questions": list(questions)}),
    ):
        path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return load_quiz(folder, load_law(law))


def faults(folder: Path, *questions: dict[str, Any], facts: list[dict[str, Any]] | None = None) -> str:
    with pytest.raises(ContentError) as caught:
        bank_of(folder, *questions, facts=facts)
    for problem in caught.value.problems:
        lines = Path(problem.file).read_text(encoding="utf-8").splitlines()
        assert 1 <= problem.line <= len(lines)
    return str(caught.value)


def test_the_bank_is_large_enough_and_every_topic_is_known(bank: Bank) -> None:
    assert len(bank.questions) >= 110
    assert set(bank.topics) <= set(TOPICS)
    assert sum(q.document.startswith("Luật Công đoàn") for q in bank.questions) >= 50


def test_the_trade_union_law_is_asked_in_breadth_and_so_is_grassroots_democracy(bank: Bank) -> None:
    union = [q for q in bank.questions if q.topic in ("membership", "officers", "finance", "organisation")]
    assert len(union) >= 96 and len({q.fact for q in union}) >= 80
    assert {q.level for q in union} == {1, 2, 3}
    assert sum(q.topic == "democracy" for q in bank.questions) >= 22


@pytest.mark.parametrize(
    ("topics", "fewest"),
    [
        (("wages", "contracts", "bargaining"), 140), (("safety",), 40), (("insurance",), 75), (("history",), 38),
        (("emulation",), 19),
    ],
)  # fmt: skip
def test_no_law_loses_questions_unnoticed(bank: Bank, topics: tuple[str, ...], fewest: int) -> None:
    assert sum(q.topic in topics for q in bank.questions) >= fewest


@pytest.mark.parametrize("on", [date(2025, 7, 25), date(2026, 11, 24)])
def test_every_topic_can_be_practised_in_the_demo_and_today(bank: Bank, on: date) -> None:
    shown = bank.shown_topics(on)
    assert shown[:9] == list(TOPICS[:9])
    assert all(len(bank.usable(topic, on)) >= 8 for topic in shown[:9])


def test_no_question_of_the_bank_has_outlived_its_law(bank: Bank) -> None:
    assert bank.ended(date(2026, 11, 24)) == []


def test_a_question_whose_law_ended_is_named_with_file_and_line_and_no_longer_asked(tmp_path: Path) -> None:
    small = bank_of(tmp_path, question(1), facts=[fact(1, valid_to="2026-06-30")])
    assert small.ended(date(2026, 6, 30)) == [] and small.usable("officers", date(2026, 6, 30))
    (problem,) = small.ended(date(2026, 7, 1))
    assert problem.file.endswith("officers.yaml") and problem.line == 2 and "cd-01" in problem.text
    assert not small.usable("officers", date(2026, 7, 1)) and not small.usable("officers", date(2025, 6, 30))


def test_a_retired_question_is_kept_and_not_asked_and_one_whose_law_holds_is_not_retired(tmp_path: Path) -> None:
    kept = bank_of(tmp_path, question(1, retired="true"), facts=[fact(1, valid_to="2026-06-30")])
    assert kept.ended(date(2026, 7, 1)) == [] and kept.find("cd-01") is not None
    assert not kept.usable("officers", date(2026, 6, 30))
    assert "retired, but CD-01 has no end" in faults(tmp_path, question(1, retired="true"))


def test_a_topic_with_fewer_than_five_usable_questions_is_not_shown(bank: Bank) -> None:
    few = [q for q in bank.questions if q.topic == "safety"][:4]
    assert Bank({"safety": "An toàn"}, {}, few).shown_topics(date(2026, 11, 24)) == []
    assert bank.shown_topics(date(2016, 7, 1)) == ["safety"]


def test_nothing_secondary_or_locked_is_asked_before_somebody_reviewed_it(bank: Bank) -> None:
    usable = {q.id for topic in bank.topics for q in bank.usable(topic, date(2026, 11, 26))}
    assert not [q.id for q in bank.questions if q.id in usable and q.fact.startswith(("TD", "SK"))]
    assert not [q.id for q in bank.questions if q.id in usable and q.confidence in ("B", "C")]


@pytest.mark.parametrize(("topic", "confidence"), [("officers", "B"), ("emulation", "A")])
def test_approved_it_may_be_practised_and_enters_a_contest_until_its_text_changes(topic: str, confidence: str) -> None:
    on = date(2026, 11, 26)
    q = load_quiz().questions[0].model_copy(update={"confidence": confidence, "topic": topic})
    bank = Bank({topic: "Thử"}, {q.id: ("x", 1)}, [q])
    assert not bank.usable(topic, on) and not bank.for_contest(on, bank.standing([]))
    approved = bank.standing([(q.id, q.text, True)])
    assert bank.usable(topic, on, approved) == (q,) == bank.for_contest(on, approved)
    for changed in ({"explanation": "Khác."}, {"answer": (q.answer + 1) % 4}, {"says": "Khác."}, {"article": "Điều 2"}):
        other = Bank({topic: "Thử"}, {q.id: ("x", 1)}, [q.model_copy(update=changed)])
        assert not other.for_contest(on, other.standing([(q.id, q.text, True)])), changed


def test_only_what_is_approved_enters_a_contest_and_what_was_sent_back_leaves_practice(bank: Bank) -> None:
    on = date(2026, 11, 26)
    first, second = (bank.get(name) for name in ("cd-16", "cd-17"))
    standing = bank.standing([(first.id, first.text, True), (second.id, second.text, False), ("gone", "x", True)])
    assert bank.for_contest(on, standing) == (first,)
    assert second in bank.usable("membership", on) and second not in bank.usable("membership", on, standing)
    later = first.model_copy(update={"valid_to": date(2026, 11, 25)})
    ended = Bank({"membership": "Thử"}, {}, [later])
    assert not ended.for_contest(on, ended.standing([(later.id, later.text, True)]))


def test_a_citation_names_article_document_amendment_and_day(bank: Bank) -> None:
    assert bank.get("cd-19").citation == (
        "điểm b khoản 1 Điều 8 (Luật Công đoàn số 50/2024/QH15, sửa đổi bởi Luật số 97/2025/QH15,"
        " hiệu lực từ 01/7/2025)"
    )
    assert bank.get("cd-16").citation == "khoản 2 Điều 5 (Luật Công đoàn số 50/2024/QH15, hiệu lực từ 01/7/2025)"


def test_the_written_form_of_a_question_has_exactly_the_agreed_keys(bank: Bank) -> None:
    row = bank.get("cd-16").to_dict()
    assert list(row) == [
        "id", "topic", "level", "stem", "options", "answer", "explanation", "citation", "fact", "confidence",
        "valid_from", "valid_to", "reviewed_by", "reviewed_on",
    ]  # fmt: skip
    assert (row["topic"], row["answer"], row["valid_from"]) == ("membership", 0, "2025-07-01")
    assert row["valid_to"] is None and row["reviewed_on"] is None


@pytest.mark.parametrize(
    ("word", "right"),
    [
        ("hoà", "hòa"), ("Xoá", "Xóa"), ("khoẻ", "khỏe"), ("huỷ", "hủy"), ("uỷ", "ủy"), ("tuỳ", "tùy"), ("Thuỷ", "Thủy"),
        ("goá", "góa"), ("tòan", "toàn"), ("hòang", "hoàng"), ("khỏan", "khoản"), ("ngòai", "ngoài"), ("qúy", "quý"),
        ("qủan", "quản"), ("gìơ", "giờ"), ("gỉai", "giải"), ("ngừơi", "người"), ("đựơc", "được"), ("thúê", "thuế"),
        ("TÒAN", "TOÀN"),
    ],
)  # fmt: skip
def test_a_tone_mark_on_the_wrong_letter_is_found(word: str, right: str) -> None:
    assert list(misplaced(f"một {word} hai")) == [
        f"the tone mark of '{word}' stands on the wrong letter (write {right})"
    ]


@pytest.mark.parametrize(
    "word",
    [
        "hòa", "quý", "Quỳnh", "quỹ", "quỷ", "toàn", "khoản", "Thúy", "thuyền", "tuyển", "họa", "giờ", "gì", "gìn", "giếng",
        "già", "ngoài", "khuỷu", "ngoéo", "khuya", "của", "mía", "nghĩa", "rượu", "kiểu", "thuở", "huýt", "xoong", "yếu", "ỷ",
    ],
)  # fmt: skip
def test_a_tone_mark_in_its_place_is_left_alone(word: str) -> None:
    assert list(misplaced(f"một {word} hai")) == []


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"stem": "x" * 221}, "the stem has 221 characters"),
        ({"options": ["đúng rồi", "Đúng  rồi", "sai", "tùy"]}, "say the same"),
        ({"answer": "4"}, "none of 0 to 3"),
        ({"explanation": ""}, "explanation: empty"),
        ({"explanation": "Vì luật. " * 28}, "explanation has 252 characters"),
        ({"options": ["x" * 91, "b", "c", "d"]}, "option A has 91 characters"),
        ({"options": ["a", "b", "c"]}, "options"),
        ({"stem": "Ai được uỷ quyền?"}, "'uỷ'"),
        ({"explanation": "Lao đo\u0323\u0302ng."}, "not NFC"),
        ({"stem": "Ai  đóng?"}, "spaces"),
        ({"id": "cd-02"}, "the id must be cd-01"),
        ({"author": ""}, "nobody is named"),
        ({"source": "báo"}, "source"),
        ({"fact": "xx"}, "no id of a fact"),
        ({"fact": "CD-99", "id": "cd-99"}, "there is no fact CD-99: write it into content/packs/law"),
        ({"level": "4"}, "level 4 is none"),
        ({"article": "Điều 6"}, "no part of the fact's"),
        ({"article": "khoản Điều 5"}, "no part of the fact's"),
        ({"reviewed_by": "Luật sư"}, "reviewed_by: Extra inputs are not permitted"),
        (
            {"options": ["8 ngày", "màu vàng", "màu nâu", "màu tím"], "answer": "0"},
            "the right option says 8, CD-01 does not",
        ),
        ({"explanation": "Nghỉ 7 ngày."}, "the explanation says 7, CD-01 does not"),
        ({"explanation": "Nghỉ 5 ngày."}, "the explanation says 5, CD-01 does not"),
        ({"explanation": "Nghỉ bảy ngày."}, "the explanation says 7, CD-01 does not"),
        ({"explanation": "Nghỉ hai mươi lăm ngày."}, "the explanation says 25, CD-01 does not"),
        ({"explanation": "Theo Điều 6 thì được nghỉ."}, "the explanation refers to 6"),
        ({"stem": "Theo Nghị định 145/2020/NĐ-CP, ai đóng?"}, "the stem refers to 145"),
        ({"stem": "Theo Điều 9, ai đóng?"}, "the stem refers to 9"),
        ({"reckoned": ["6 + 2 = 9"]}, "reckoned '6 + 2 = 9'"),
        ({"reckoned": ["6 + 3 = 9"]}, "reckoned '6 + 3 = 9'"),
        ({"case": "ngày Tết"}, "case 'ngày Tết' does not stand in the stem"),
    ],
)
def test_every_planted_fault_is_found(tmp_path: Path, values: dict[str, Any], told: str) -> None:
    assert told in faults(tmp_path, question(1, **values))


def test_answers_that_give_themselves_away_are_found(tmp_path: Path) -> None:
    long = [question(n, answer="1", options=["a", "một câu rất dài", "b", "c"]) for n in range(1, 7)]
    told = faults(tmp_path, *long)
    assert "longest in 6 of 6" in told and "is B in 6 of 6" in told


def test_a_word_that_begins_many_options_and_never_the_right_one_is_found_where_it_first_stands(tmp_path: Path) -> None:
    def opened(n: int, *wrong: str) -> dict[str, Any]:
        options = [*wrong, "màu nâu", "màu tím", "màu be"][:3]
        options.insert(n % 4, "màu xanh")
        return question(n, options=options)

    five = [opened(1), *(opened(n, f"Chỉ màu {n}") for n in range(2, 7))]
    assert bank_of(tmp_path, *five).questions
    six = [*five[:-1], opened(6, "Chỉ màu 6", "chỉ màu be")]
    told = faults(tmp_path, *six)
    assert (
        "cd-02: 'chỉ' begins 6 options of the topic and never the right one (cd-02, cd-03, cd-04, cd-05, cd-06)" in told
    )
    text = (tmp_path / "officers.yaml").read_text(encoding="utf-8").splitlines()
    second = [n for n, line in enumerate(text, start=1) if line.startswith("- ")][1]
    assert f"officers.yaml:{second}: cd-02: 'chỉ'" in told
    one_right = question(1, options=["màu tím", "Chỉ màu đỏ", "màu nâu", "màu be"])
    assert bank_of(tmp_path, one_right, *six[1:]).questions


def test_the_same_question_twice_is_found(tmp_path: Path) -> None:
    told = faults(tmp_path, question(1), question(1), question(2, stem="ai dong kinh phi ?"))
    assert "cd-01: this id stands in" in told and "cd-02 asks the same as cd-01" in told


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Chị Lan đi làm ngày lễ được trả bao nhiêu?", "Anh Nam đi làm ngày lễ được trả bao nhiêu?"),
        ("Đi làm thêm ngày lễ được trả ít nhất bao nhiêu?", "Làm thêm ngày lễ thì được trả ít nhất là bao nhiêu?"),
    ],
)
def test_near_duplicates_are_found_and_neighbours_are_not(tmp_path: Path, first: str, second: str) -> None:
    pair = question(1, stem=first, answer="0"), question(1, id="cd-01b", stem=second, answer="0")
    assert "cd-01b asks the same as cd-01" in faults(tmp_path, *pair)
    other = question(1, id="cd-01b", stem="Nghỉ hằng tuần trùng ngày lễ thì nghỉ bù khi nào?", answer="0")
    assert bank_of(tmp_path, pair[0], other).questions


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["6 tháng", "06 tháng", "màu nâu", "màu tím"], "options A and B say the same"),
        (["12 tháng", "màu vàng", "1 năm", "màu tím"], "options A and C say the same"),
        (["Từ đủ 12 tháng trở lên", "12 tháng", "màu nâu", "màu tím"], "options A and B say the same"),
        (["30 ngày", "1 tháng", "màu nâu", "màu tím"], "options A and B say the same"),
        (["1 giờ", "60 phút", "màu nâu", "màu tím"], "options A and B say the same"),
        (["hai lần", "2 lần", "màu nâu", "màu tím"], "options A and B say the same"),
        (["Người sử dụng lao động", "Nhà nước", "Công ty", "màu tím"], "options A and C say the same"),
        (["Ban chấp hành công đoàn cơ sở", "Nhà nước", "màu nâu", "Công đoàn cơ sở"], "options A and D say the same"),
        (["màu xanh", "20%", "màu nâu", "màu tím"], "the wrong option '20%' stands in CD-01"),
        (["màu xanh", "2 ngày", "màu nâu", "màu tím"], "the wrong option '2 ngày' stands in CD-01"),
        (["màu xanh", "Ai cũng được nghỉ", "màu nâu", "màu tím"], "'Ai cũng được nghỉ' stands in CD-01"),
        (["màu xanh", "màu vàng", "màu nâu", "Tất cả đáp án trên"], "stands or falls with the others"),
        (["màu xanh", "Cả A và C", "màu nâu", "màu tím"], "stands or falls with the others"),
    ],
)
def test_a_wrong_option_that_is_right_under_another_reading_is_found(
    tmp_path: Path, options: list[str], told: str
) -> None:
    facts = [
        fact(1, says="Ai cũng được nghỉ 6 ngày, riêng ngày lễ nghỉ 2 ngày, 12 tháng, 30 ngày, 1 giờ, trừ 20% lương.")
    ]
    assert told in faults(tmp_path, question(1, options=options, answer="0"), facts=facts)


def test_the_words_of_the_stem_that_decide_make_a_second_value_of_the_fact_wrong(tmp_path: Path) -> None:
    options = ["2 ngày", "6 ngày", "3 ngày", "9 ngày"]
    lunar = question(1, stem="Riêng ngày lễ được nghỉ mấy ngày?", options=options, answer="0", case="ngày lễ")
    assert bank_of(tmp_path, lunar).questions
    assert "'6 ngày' stands in CD-01" in faults(tmp_path, lunar | {"case": ""})


def test_options_of_different_days_and_parties_are_no_second_answers(tmp_path: Path) -> None:
    options = ["6 ngày làm việc", "60 ngày", "8 ngày", "trước 8 ngày"]
    assert bank_of(tmp_path, question(1, options=options, answer="0")).questions
    who = ["Công đoàn", "Người lao động", "Người sử dụng lao động", "Nhà nước"]
    facts = [fact(1, says="Người lao động và người sử dụng lao động cùng nghỉ.")]
    assert bank_of(tmp_path, question(1, options=who, answer="0"), facts=facts).questions


def test_a_figure_that_no_law_has_needs_its_sum(tmp_path: Path) -> None:
    options = ["8 ngày", "7 ngày", "9 ngày", "5 ngày"]
    assert "says 8" in faults(tmp_path, question(1, options=options, answer="0"))
    assert bank_of(tmp_path, question(1, options=options, answer="0", reckoned=["6 + 2 = 8"])).questions
    pay = question(
        1, stem="Lương ngày 300.000 đồng thì bị trừ bao nhiêu?", options=["60.000 đồng", "6.000 đồng", "0 đồng", "90.000 đồng"],
        answer="0", reckoned=["300.000 × 20% = 60.000"],
    )  # fmt: skip
    assert bank_of(tmp_path, pay).questions


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"disputed": "hai nghị quyết"}, "CD-01 is disputed (hai nghị quyết)"),
        ({"confidence": "C"}, "read it in the law first"),
    ],
)
def test_a_disputed_or_unverified_fact_is_not_asked(tmp_path: Path, values: dict[str, Any], told: str) -> None:
    assert told in faults(tmp_path, question(1), facts=[fact(1, **values)])


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "wages.yaml").write_text("title: Thử\nquestions: [{id: ld-01}]\n", encoding="utf-8")
    (tmp_path / "weather.yaml").write_text("title: Thời tiết\nquestions: []\n", encoding="utf-8")
    told = faults(tmp_path, question(1, stem="x" * 221), question(2, answer="9"))
    assert "221 characters" in told and "none of 0 to 3" in told and "stem: Field required" in told
    assert "'weather' is no topic" in told


def test_the_line_told_is_the_line_of_the_question(tmp_path: Path) -> None:
    told = faults(tmp_path, question(1), question(2, level="9"))
    text = (tmp_path / "officers.yaml").read_text(encoding="utf-8").splitlines()
    number = re.search(r"officers\.yaml:(\d+): cd-02: level 9", told)
    assert number is not None
    starts = [n for n, line in enumerate(text, start=1) if line.startswith("- ")]
    assert int(number.group(1)) == starts[1]


def test_the_readme_says_what_the_bank_holds() -> None:
    """`python -m tests.content.bank_table` writes it."""
    text = bank_table.README.read_text(encoding="utf-8")
    assert bank_table.written(text) == text
    assert bank_table.written(text.replace("| **Together**", "| **Other**")) == text
