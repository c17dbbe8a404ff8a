"""Reads a contest from a file: .yaml as it stands, .xlsx and .csv by their Vietnamese headings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from content.contest_plan import CONTEST, ROUND, Context, Fault, Setting, check_round, check_weeks, read_settings
from content.sheets import read_table
from content.source import Source, read
from content.text import fold

MOST_ROUNDS: Final = 60
"""More weeks than a year has are a mistake."""
YAML: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class ContestFile:
    """The texts of a contest and its rounds. `lines`: (round from 1, setting) → line or row; (0, setting) is the contest's."""

    contest: Mapping[str, str]
    rounds: Sequence[Mapping[str, str]]
    lines: Mapping[tuple[int, str], int]
    strange: Sequence[Fault] = ()

    def line(self, fault: Fault) -> int:
        """Where something stands that is wrong, or where its round begins."""
        return self.lines.get((fault.round, fault.name)) or self.lines.get((fault.round, "")) or 1


@dataclass(frozen=True, slots=True)
class Plan:
    """A contest that can be held like this, where `faults` is empty."""

    contest: Mapping[str, Any]
    rounds: Sequence[Mapping[str, Any]]
    faults: list[Fault] = field(default_factory=list)


def read_contest(path: Path) -> ContestFile:
    """What stands in a file. Raises ContentError for broken YAML and SheetError for a table that cannot be read."""
    return _from_yaml(read(path)) if path.suffix.lower() in YAML else _from_table(read_table(path))


def plan(file: ContestFile, reviewed: Mapping[str, int], context: Context) -> Plan:
    """The values of a file with everything that is wrong in it. `reviewed`: topic → questions that may be asked."""
    contest, faults = read_settings(CONTEST, file.contest, context)
    faults = [*file.strange, *faults]
    rounds = []
    for number, texts in enumerate(file.rounds, 1):
        values, found = read_settings(ROUND, texts, context, number)
        faults += found + check_round(values, reviewed, context.now, number)
        rounds.append(values)
    if not rounds or len(rounds) > MOST_ROUNDS:
        faults.append(Fault(0, "rounds", "rounds", {"most": MOST_ROUNDS}))
    return Plan(contest, rounds, [*faults, *check_weeks(rounds)])


# ------------------------------------------------------------------------------------------------------------ YAML


def _from_yaml(source: Source) -> ContestFile:
    data = source.data if isinstance(source.data, dict) else {}
    found = data.get("rounds", [])
    rounds = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    lines: dict[tuple[int, str], int] = {(0, "rounds"): source.line(("rounds",))}
    strange: list[Fault] = []
    parts = [(0, CONTEST, {k: v for k, v in data.items() if k != "rounds"}, ())] + [
        (n, ROUND, each, ("rounds", n - 1)) for n, each in enumerate(rounds, 1)
    ]
    texts: list[dict[str, str]] = []
    for number, settings, values, path in parts:
        names = {setting.name for setting in settings}
        lines[number, ""] = source.line(path)
        for name in values:
            lines[number, name] = source.line((*path, name))
        strange += [Fault(number, name, "strange") for name in values if name not in names]
        texts.append({name: _text(value) for name, value in values.items() if name in names})
    return ContestFile(texts[0], texts[1:], lines, strange)


def _text(value: Any) -> str:
    """Lists and mappings as an officer would type them: prizes, quotas, orders."""
    if isinstance(value, dict):
        if "count" in value and "name" in value:
            return f"{value['count']} giải {value['name']}" + (f": {value['worth']}" if value.get("worth") else "")
        if "key" in value and "name" in value:
            level = f" [{value['level']}]" if value.get("level") else ""
            return f"{value['key']}{level}: {value['name']}" + (f" ({value['worth']})" if value.get("worth") else "")
        return "; ".join(f"{name}: {number}" for name, number in value.items())
    if isinstance(value, list):
        return "; ".join(map(_text, value))
    return str(value)


# ------------------------------------------------------------------------------------------------------------ tables


def _named(cell: str, settings: Sequence[Setting]) -> str:
    said = fold(cell).strip(" :*")
    for setting in settings:
        if said and said in (setting.name, fold(setting.title), *setting.headings):
            return setting.name
    return ""


def _from_table(rows: Sequence[Sequence[str]]) -> ContestFile:
    """First the contest, a setting a row (name, value); then the headings of the rounds, and a round a row."""
    contest: dict[str, str] = {}
    rounds: list[dict[str, str]] = []
    lines: dict[tuple[int, str], int] = {}
    strange: list[Fault] = []
    columns: dict[int, str] = {}
    for number, row in enumerate(rows, 1):
        if not columns:
            found = {place: name for place, cell in enumerate(row) if (name := _named(cell, ROUND))}
            if len(found) >= 3:
                columns = found
                lines[0, "rounds"] = number
                for place, cell in enumerate(row):
                    if cell and place not in found and fold(cell) not in ("tuan", "stt"):
                        strange.append(Fault(0, cell, "strange"))
                        lines[0, cell] = number
            elif name := _named(row[0], CONTEST):
                contest[name] = row[1] if len(row) > 1 else ""
                lines[0, name] = number
            continue
        texts = {name: row[place] for place, name in columns.items()}
        if any(texts.values()):
            rounds.append(texts)
            lines |= {(len(rounds), name): number for name in ("", *texts)}
    return ContestFile(contest, rounds, lines, strange)
