"""The ranking does what the rule text says: a brute-force oracle that knows only that text agrees on every random round."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from random import Random

import pytest

from content.ranking import CRITERIA, Attempt, Inputs, Ranking, Standing, check_order, rank
from tests.prove import cases, note

MONDAY = datetime(2025, 7, 21, 0, 0, tzinfo=UTC)
KEY = {f"q{n}": n % 4 for n in range(8)}


def round_of(rng: Random) -> Inputs:
    """A small round in which ties of every kind are common: few questions, few numbers, few moments."""
    attempts = []
    size = rng.randint(1, 4)
    for person in range(rng.randint(0, 7)):
        for number in range(rng.choice((1, 1, 2, 3))):
            drawn = rng.sample(sorted(KEY), size)
            right = rng.random()
            answers = tuple((q, KEY[q] if rng.random() < right else rng.choice((None, 0, 1, 2, 3))) for q in drawn)
            attempts.append(
                Attempt(
                    f"CT-25-W01-{person}{number}{rng.randrange(1000):03d}",
                    person,
                    answers,
                    rng.choice((None, 0, 1, 2, 3, 5, 100)),
                    rng.choice((30, 30, 31, 90)),
                    MONDAY + timedelta(seconds=rng.choice((0, 0, 1, 60))),
                )
            )
    order = list(
        rng.choice((CRITERIA, CRITERIA[:-1], ("time", "prediction", "submitted", "lots"), ("time", "lots"), ()))
    )
    people = sorted({each.person for each in attempts})
    return Inputs(
        KEY,
        tuple(rng.sample(attempts, len(attempts))),
        tuple(order),
        frozenset(q for q in KEY if rng.random() < 0.1),
        frozenset(p for p in people if rng.random() < 0.15),
        f"seed-{rng.randrange(100)}",
    )


def oracle(inputs: Inputs) -> list[tuple[int, str, int, int | None]]:
    """(rank, code, right answers, lot) of everybody ranked, by the words of the rules alone: everybody is held against
    everybody else, and who is beaten by n others has rank n + 1."""

    def right(attempt: Attempt) -> int:
        count = 0
        for question, chosen in attempt.answers:
            if question in inputs.voided or (chosen is not None and chosen == inputs.key[question]):
                count += 1
        return count

    chosen: dict[int, Attempt] = {}
    for attempt in inputs.attempts:
        standing = chosen.get(attempt.person)
        if (
            standing is None
            or right(attempt) > right(standing)
            or (
                right(attempt) == right(standing)
                and (attempt.submitted_at, attempt.code) < (standing.submitted_at, standing.code)
            )
        ):
            chosen[attempt.person] = attempt
    field = [attempt for person, attempt in chosen.items() if person not in inputs.disqualified]
    actual = len([attempt for attempt in field if right(attempt) == len(attempt.answers)])

    def compare(one: Attempt, other: Attempt) -> str:
        """By what `one` beats or loses to `other`: "+", "-", or "=" where the rules leave them equal before lots."""
        if right(one) != right(other):
            return "+" if right(one) > right(other) else "-"
        for name in inputs.order:
            if name == "prediction":
                if (one.prediction is None) != (other.prediction is None):
                    return "-" if one.prediction is None else "+"
                if one.prediction is not None and other.prediction is not None:
                    a, b = abs(one.prediction - actual), abs(other.prediction - actual)
                    if a != b:
                        return "+" if a < b else "-"
            elif name == "time" and one.seconds != other.seconds:
                return "+" if one.seconds < other.seconds else "-"
            elif name == "submitted" and one.submitted_at != other.submitted_at:
                return "+" if one.submitted_at < other.submitted_at else "-"
        return "="

    def drawn(code: str) -> str:
        return hashlib.sha256(bytes(f"{inputs.seed}:{code}", "utf-8")).hexdigest()

    found = []
    for one in field:
        better = sum(compare(other, one) == "+" for other in field if other is not one)
        equal = [other for other in field if other is not one and compare(other, one) == "="]
        lot = None
        if equal and "lots" in inputs.order:
            before = sum(drawn(other.code) < drawn(one.code) for other in equal)
            better, lot = better + before, before + 1
        found.append((better + 1, one.code, right(one), lot))
    return sorted(found)


def told(ranking: Ranking) -> list[tuple[int, str, int, int | None]]:
    return sorted((each.rank, each.attempt.code, each.score, each.lot) for each in ranking.standings)


def test_the_ranking_is_what_the_rules_say_whoever_works_it_out() -> None:
    tied = lots = 0
    for number in cases(400):
        inputs = round_of(Random(number))
        ranking = rank(inputs)
        assert told(ranking) == oracle(inputs), (number, inputs)
        assert rank(replace(inputs, attempts=inputs.attempts[::-1])) == ranking, number
        ranks = [each.rank for each in ranking.standings]
        tied += len(ranks) != len(set(ranks))
        lots += any(each.lot for each in ranking.standings)
    assert tied and lots, "no round had people who were equal"
    note(rounds_with_ties=tied, rounds_with_lots=lots)


def paper(code: str, person: int, right: int, **values: object) -> Attempt:
    """A paper of four questions with so many right answers."""
    answers = tuple((f"q{n}", KEY[f"q{n}"] if n < right else None) for n in range(4))
    made = Attempt(code, person, answers, 1, 60, MONDAY)
    return replace(made, **values)  # type: ignore[arg-type]


def places(*attempts: Attempt, **values: object) -> list[tuple[int, str]]:
    inputs = replace(Inputs(KEY, attempts), **values)  # type: ignore[arg-type]
    return [(each.rank, each.attempt.code) for each in rank(inputs).standings]


def test_more_right_answers_come_first_then_the_nearer_prediction_then_time_then_the_earlier_hand_in() -> None:
    a, b = paper("a", 1, 4, prediction=9), paper("b", 2, 3, prediction=1)
    assert places(a, b) == [(1, "a"), (2, "b")]
    c = paper("c", 3, 4, prediction=2, seconds=300)
    assert places(a, b, c) == [(1, "c"), (2, "a"), (3, "b")]  # two are all right
    assert places(a, c, order=("time", "prediction")) == [(1, "a"), (2, "c")]
    d = replace(c, code="d", person=4, submitted_at=MONDAY + timedelta(microseconds=1))
    assert places(c, d) == [(1, "c"), (2, "d")]


def test_who_ran_out_of_time_before_the_prediction_comes_behind_any_number() -> None:
    assert places(paper("a", 1, 4, prediction=None, seconds=1), paper("b", 2, 4, prediction=99_999)) == [
        (1, "b"),
        (2, "a"),
    ]


def test_the_better_attempt_counts_and_of_equal_ones_the_earlier_with_its_prediction() -> None:
    first, second = paper("a", 1, 3, prediction=50), paper("b", 1, 3, submitted_at=MONDAY + timedelta(hours=1))
    assert places(first, second) == [(1, "a")]
    assert places(first, replace(second, answers=paper("", 0, 4).answers)) == [(1, "b")]


def test_actual_counts_people_after_disqualifications_and_moves_the_predictions() -> None:
    a, b, c = paper("a", 1, 4, prediction=3), paper("b", 2, 4, prediction=2), paper("c", 3, 4, prediction=3)
    assert rank(Inputs(KEY, (a, b, c))).actual == 3
    ranking = rank(Inputs(KEY, (a, b, c), disqualified=frozenset({3})))
    assert ranking.actual == 2 and [each.attempt.code for each in ranking.standings] == ["b", "a"]
    assert ranking.out == {3: (c, 4)}


def test_two_attempts_of_one_person_are_one_person() -> None:
    assert rank(Inputs(KEY, (paper("a", 1, 4), paper("b", 1, 4)))).actual == 1


def test_a_voided_question_is_right_for_everybody_even_left_open() -> None:
    a, b = paper("a", 1, 3), paper("b", 2, 4, prediction=0)
    assert places(a, b) == [(1, "b"), (2, "a")]
    ranking = rank(Inputs(KEY, (a, b), voided=frozenset({"q3"})))
    assert ranking.actual == 2 and [each.score for each in ranking.standings] == [4, 4]
    assert [each.attempt.code for each in ranking.standings] == ["a", "b"]


def test_equal_in_everything_is_settled_by_lots_or_shared() -> None:
    equal = [paper(code, n, 4) for n, code in enumerate("abc", 1)]
    assert places(*equal, paper("d", 9, 1), order=("prediction", "time")) == [(1, "a"), (1, "b"), (1, "c"), (4, "d")]
    drawn = {tuple(code for _, code in places(*equal, seed=str(n))) for n in range(60)}
    assert drawn == set(permutations("abc"))


def test_criteria_are_known_ones_once_and_lots_come_last() -> None:
    assert check_order(CRITERIA) and check_order(()) and check_order(("submitted", "time"))
    assert not check_order(("lots", "time")) and not check_order(("time", "time")) and not check_order(("shoes",))


@pytest.mark.parametrize("broken", ["tie", "late", "void", "out"])
def test_the_oracle_notices_a_ranking_that_is_wrong(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from content import ranking

    if broken == "tie":
        monkeypatch.setattr(ranking, "lot", lambda seed, code: code)
    elif broken == "late":
        real = ranking.counted
        monkeypatch.setattr(ranking, "counted", lambda attempts, key, voided: real(list(attempts)[:1], key, voided))
    elif broken == "void":
        monkeypatch.setattr(ranking, "score", lambda a, key, voided: sum(key[q] == c for q, c in a.answers))
    else:
        real_rank = ranking.rank
        monkeypatch.setattr(ranking, "rank", lambda i: real_rank(replace(i, disqualified=frozenset())))
    assert any(told(ranking.rank(each)) != oracle(each) for each in (round_of(Random(n)) for n in range(300)))


def test_a_standing_says_all_there_is_to_check(seed: str = "7") -> None:
    assert rank(Inputs(KEY, (paper("a", 1, 4),), seed=seed)).standings == (Standing(1, paper("a", 1, 4), 4, None),)
