"""What workers ask in their own words finds the fact that answers among the first three; what no fact answers finds none."""

from __future__ import annotations

import pytest

from content.law import load_law
from content.law_search import LawSearch, load_search
from tests.content import search_table
from tests.content.search_table import ON, asked

FIRST = {each.text: each.answers for each in asked()["first"]}


@pytest.fixture(scope="module")
def search() -> LawSearch:
    return load_search(load_law())


@pytest.mark.parametrize("text", [text for text, answers in FIRST.items() if answers])
def test_what_workers_ask_finds_the_fact_that_answers_among_the_first_three(search: LawSearch, text: str) -> None:
    found = [fact.id for fact in search.ask(text, ON).facts]
    assert FIRST[text] & set(found), found
    assert len(found) <= 3


@pytest.mark.parametrize("text", [text for text, answers in FIRST.items() if not answers])
def test_what_no_fact_answers_finds_none(search: LawSearch, text: str) -> None:
    assert [fact.id for fact in search.ask(text, ON).facts] == []


def test_the_readme_tells_how_the_search_answers_today() -> None:
    """`python -m tests.content.search_table` writes it."""
    text = search_table.README.read_text(encoding="utf-8")
    assert search_table.written(text) == text
    assert search_table.written(text.replace("never used", "sometimes used")) == text


@pytest.mark.parametrize("name", ["tuned", "later", "kept"])
def test_of_ten_questions_nine_are_answered_and_one_in_twenty_that_has_no_answer_gets_one(name: str) -> None:
    score = search_table.scores()[name]
    assert score.recall >= 0.9 and score.false_hits <= 0.05, score


def test_a_search_that_answers_everything_is_noticed(search: LawSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("content.law_search.COVERED", 0.1)
    monkeypatch.setattr("content.law_search.SPOKEN", 0.1)
    assert search_table.score(search, asked()["later"]).false_hits > 0.05
    monkeypatch.setattr("content.law_search.PHRASE", -9.0)
    assert search_table.score(search, asked()["first"]).recall < 0.8


@pytest.mark.parametrize(
    ("typed", "finds"),
    [
        ("tăng ca chủ nhật dc bn", "LD-48"),  # shorthand
        ("nghỉ phép năm đc mấy ngày", "LD-66"),
        ("dinh cong co duoc tra luong khong", "DC-D08"),  # "đình" without marks is "định"
        ("Em làm 3 năm rồi, nhà có việc, em nghỉ không phép 6 ngày liền, bị cho nghỉ luôn", "LD-25"),  # one part asks
        ("tawng ca chur nhaatj ddc bao nhieeu", "LD-48"),  # Telex keys left in
    ],
)
def test_what_phones_do_to_a_question_is_no_hindrance(search: LawSearch, typed: str, finds: str) -> None:
    assert finds in [fact.id for fact in search.ask(typed, ON).facts]


def test_marks_that_were_typed_tell_apart_what_is_one_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LawSearch, "_meant", lambda self, text: frozenset())
    unmarked = load_search(load_law())
    assert search_table.score(unmarked, asked()["later"]).found < search_table.scores()["later"].found
