"""Signs for people, phones as they are typed, and who wins what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from content.awards import awards
from content.contest_flags import Sat, flags
from content.phones import parse_phone
from tests.people import START

PLAIN = Sat("CT-1", 1, "Bùi Thị Hoa", 4, START - timedelta(days=9), START, START + timedelta(seconds=200), 200, 8, 10)


def kinds(*papers: Sat) -> list[tuple[str, str]]:
    return [(kind, sat.code) for kind, sat in flags(papers)]


def test_an_ordinary_paper_bears_no_sign() -> None:
    assert kinds(PLAIN) == []


def test_who_is_named_like_one_who_made_the_questions_bears_a_sign() -> None:
    assert [kind for kind, _ in flags([PLAIN], {"bui thi hoa"})] == ["writer"] and flags(
        [PLAIN], {"bui thi hong"}
    ) == []


@pytest.mark.parametrize(
    ("change", "sign"),
    [
        ({"seconds": 24}, "fast"),
        ({"seconds": 25}, None),
        ({"seconds": 24, "score": 3}, None),
        ({"score": 10, "joined_at": START - timedelta(minutes=59)}, "fresh"),
        ({"score": 9, "joined_at": START - timedelta(minutes=59)}, None),
        ({"score": 10, "joined_at": START - timedelta(minutes=61)}, None),
        ({"name": "Hoa"}, "name"),
    ],
)
def test_each_sign_has_its_edge(change: dict[str, object], sign: str | None) -> None:
    assert kinds(replace(PLAIN, **change)) == ([(sign, "CT-1")] if sign else [])  # type: ignore[arg-type]


def test_more_than_five_alike_papers_of_a_unit_within_two_minutes_are_a_sign_and_five_are_none() -> None:
    def paper(n: int, **values: object) -> Sat:
        at = START + timedelta(seconds=100 + 20 * n)
        return replace(PLAIN, code=f"CT-{n}", person=n, submitted_at=at, **values)  # type: ignore[arg-type]

    assert kinds(*(paper(n) for n in range(5))) == []
    assert kinds(*(paper(n) for n in range(6))) == [("alike", f"CT-{n}") for n in range(6)]
    assert kinds(*(paper(n, unit=n) for n in range(6))) == []
    assert kinds(*(paper(n, unit=None) for n in range(6))) == []
    assert kinds(*(paper(n, seconds=100 + 20 * n) for n in range(6))) == []
    assert kinds(*(paper(2 * n) for n in range(6))) == []


@pytest.mark.parametrize(
    ("typed", "phone"),
    [
        ("0912345678", "0912345678"), ("+84 912 345 678", "0912345678"), ("84912345678", "0912345678"),
        ("0912.345-678", "0912345678"), ("912345678", ""), ("091234567", ""), ("09123456789", ""), ("số của tôi", ""),
    ],
)  # fmt: skip
def test_a_phone_is_read_as_people_type_it(typed: str, phone: str) -> None:
    assert parse_phone(typed) == phone


def test_prizes_go_down_the_ranking_past_those_who_may_not_win() -> None:
    prizes = [{"key": "a", "count": 1}, {"key": "b", "count": 2}]
    assert [(who, prize["key"]) for who, prize in awards([1, 2, 3, 4, 5], prizes, {1, 3})] == [
        (2, "a"),
        (4, "b"),
        (5, "b"),
    ]
    assert [who for who, _ in awards([1, 2], prizes, {1})] == [2]
