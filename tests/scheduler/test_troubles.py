"""What is called a trouble and what is not yet: each rule just below and just above where it begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scheduler import troubles
from scheduler.troubles import MB, RULES, Facts, Name, Rule, Severity, critical, find

CALM = Facts(poll=1.0, disk_free=5000 * MB, backup=3600.0)
EDGES: tuple[tuple[Name, dict[str, Any], dict[str, Any]], ...] = (
    (Name.STALLED, {"beat": 3.9}, {"beat": 4.1}),
    (Name.POLLING, {"poll": 89.0}, {"poll": 91.0}),
    (Name.POLLING, {"poll_failing": 2.9}, {"poll_failing": 3.0}),
    (Name.DELIVERY, {"channels_down": 0}, {"channels_down": 1}),
    (Name.PORT, {"ports_shut": 0}, {"ports_shut": 1}),
    (Name.DATABASE, {"unread": 3.9}, {"unread": 4.1}),
    (Name.DATABASE, {"database": ""}, {"database": "full"}),
    (Name.LEDGER_STUCK, {"writing": 3.9}, {"writing": 4.1}),
    (Name.BACKLOG, {"backlog": 59.0}, {"backlog": 61.0}),
    (Name.UNSENT, {"unsent": 119.0}, {"unsent": 121.0}),
    (Name.UNSENT, {"unsent_bulk": 119.0}, {"unsent_bulk": 121.0}),
    (Name.DISK_FULL, {"disk_free": 257 * MB}, {"disk_free": 255 * MB}),
    (Name.DISK_LOW, {"disk_free": 1025 * MB}, {"disk_free": 1023 * MB}),
    (Name.CLOCK, {"skew": 119.0}, {"skew": 121.0}),
    (Name.CLOCK, {"skew": -119.0}, {"skew": -121.0}),
    (Name.DEAD_LETTERS, {"dead": 0}, {"dead": 1}),
    (Name.JOBS, {"jobs_failing": 0}, {"jobs_failing": 1}),
    (Name.BACKUP_OLD, {"backup": 25 * 3600.0}, {"backup": 27 * 3600.0}),
    (Name.NOBODY_ANSWERS, {"unanswered": False}, {"unanswered": True}),
)


def missed() -> set[Name]:
    """The rules that do not draw the line where the table has it."""
    wrong = set()
    for name, below, above in EDGES:
        if name in find(replace(CALM, **below)) or name not in find(replace(CALM, **above)):
            wrong.add(name)
    return wrong


def test_a_calm_house_has_no_troubles_and_neither_has_one_without_telegram_or_backup_yet() -> None:
    assert find(CALM) == [] == find(Facts())


def test_every_trouble_begins_where_it_is_said_to() -> None:
    assert missed() == set()
    assert {name for name, _, _ in EDGES} == set(Name)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("answer", [True, False])
def test_a_rule_that_is_always_or_never_there_is_caught(
    rule: Rule, answer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tuple(replace(each, holds=lambda _: answer) if each is rule else each for each in RULES)
    monkeypatch.setattr(troubles, "RULES", broken)
    assert missed() == {rule.name}


def test_the_worst_comes_first_and_only_that_makes_health_red() -> None:
    everything = {key: value for _, _, above in EDGES for key, value in above.items()}
    found = find(Facts(**everything | {"disk_free": 0}))
    assert set(found) == set(Name)
    severities = [troubles.SEVERITY[name] for name in found]
    assert severities == sorted(severities)
    assert critical(found) == [name for name in found if troubles.SEVERITY[name] == Severity.CRITICAL]
    assert critical([Name.DISK_LOW, Name.DEAD_LETTERS]) == []


def test_what_the_readme_lists_is_what_there_is() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    part = readme.partition("## Watching it")[2].partition("\n## ")[0]
    listed = [line.split("`")[1] for line in part.splitlines() if line.startswith("| `")]
    assert listed == [name.value for name in Name]
