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
