"""The rules of a round as people read them, and the card by which a leader approves it: settings in, words out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, Protocol

from content.contest_plan import BY_NAME, Context, Fault
from content.message import Message
from content.quiz import Bank, Standing
from content.ranking import LOTS
from content.text import letters
from content.words import Words

MOST: Final = 1000
"""Letters of the rules (2-contests §2.2)."""


class Held(Protocol):
    """What of a round its rules tell."""

    @property
    def theme(self) -> str: ...
    @property
    def opens_at(self) -> datetime: ...
    @property
    def closes_at(self) -> datetime: ...
    @property
    def result_at(self) -> datetime: ...
    @property
    def quota(self) -> Mapping[str, int]: ...
    @property
    def complaint_days(self) -> int: ...
    @property
    def minutes(self) -> int: ...
    @property
    def attempts(self) -> int: ...
    @property
    def prediction(self) -> bool: ...
    @property
    def ranking(self) -> Sequence[str]: ...
    @property
    def prizes(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def groups(self) -> Sequence[str]: ...


def rules_of(words: Words, round_: Held, week: int, unit: str) -> dict[str, Any]:
    """What `contest.rules` needs. `unit` is "" for a contest of the whole tree."""
    said = words.text
    prizes = [
        said("contest.prize_rule", count=each.get("count", 1), name=each["name"], worth=each.get("worth", ""))
        for each in round_.prizes
    ]
    return {
        "who": said("contest.who_unit", unit=unit) if unit else said("contest.who_all"),
        "week": week,
        "opens": round_.opens_at,
        "closes": round_.closes_at,
        "result": round_.result_at,
        "n": sum(round_.quota.values()),
        "minutes": round_.minutes,
        "attempts": round_.attempts,
        "prediction": round_.prediction,
        "order": [said(f"contest.order_{name}") for name in round_.ranking if name != LOTS],
        "lots": LOTS in round_.ranking,
        "days": round_.complaint_days,
        "prizes": "; ".join(prizes) or said("contest.no_prizes"),
    }


def rules_text(words: Words, round_: Held, week: int, unit: str) -> str:
    """The rules as they will be read."""
    return words.text("contest.rules", **rules_of(words, round_, week, unit))


def too_long(words: Words, rounds: Iterable[Held], unit: str) -> list[Fault]:
    """The rounds whose rules do not fit a message."""
    counts = [(week, letters(rules_text(words, round_, week, unit))) for week, round_ in enumerate(rounds, 1)]
    return [Fault(week, "prizes", "rules", {"n": n}) for week, n in counts if n > MOST]


def request(words: Words, round_: Held, round_id: int, version: int, week: int, contest: str, unit: str) -> Message:
    """The card by which a round is approved: its rules whole, as people will read them."""
    return words.message(
        "contest_desk.approve_notice",
        id=round_id, version=version, contest=contest, week=week, theme=round_.theme, rules=rules_text(words, round_, week, unit),
    )  # fmt: skip


def reviewed(bank: Bank, on: date, standing: Standing) -> dict[str, int]:
    """Topic → questions that may enter a contest."""
    found = dict.fromkeys(bank.topics, 0)
    for question in bank.for_contest(on, standing):
        found[question.topic] += 1
    return found


def context_of(bank: Bank, now: datetime) -> Context:
    """What reading a plan needs to know."""
    return Context(now, {topic: bank.title(topic) for topic in bank.topics})


def fault_text(words: Words, bank: Bank, fault: Fault) -> str:
    """What is wrong, where, and what to do about it."""
    params = dict(fault.params)
    if fault.key == "bank":
        params["topic"] = bank.title(str(params["topic"]))
    what = words.plain(f"contest_desk.fault_{fault.key}", **params)
    title = BY_NAME[fault.name].title if fault.name in BY_NAME else fault.name
    return words.plain("contest_desk.fault_where", week=fault.round, title=title, what=what)
