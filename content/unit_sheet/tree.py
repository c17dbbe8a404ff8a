"""The list as a whole: its rows, and where each stands in the tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from content.unit_sheet.rows import Row, SheetProblem, SheetReading, SheetUnit, headings


def read_units(table: Sequence[Sequence[str]], known: Mapping[str, str]) -> SheetReading:
    """Checks a table against itself and the units there are (`known`: code → code of its parent)."""
    reading = SheetReading()
    top, columns = headings(table, reading)
    if reading.problems:
        return reading
    seen: dict[str, Row] = {}
    rows = [
        Row(reading, columns, number, cells)
        for number, cells in enumerate(table[top + 1 :], top + 2)
        if any(cell.strip() for cell in cells)
    ]
    for row in rows:
        row.read(seen)
    _check_refused([row for row in rows if not row.good], known, seen)
    _check_tree(reading, known, seen, columns["parent"] + 1)
    reading.units = _levelled(reading.units)
    reading.problems.sort()
    return reading


def _check_refused(refused: Sequence[Row], known: Mapping[str, str], seen: Mapping[str, Row]) -> None:
    """Where a row would stand that is refused anyway: whoever mends it should not hear of its place only the next time."""
    parents = dict(known) | {code: row.parent for code, row in seen.items()}
    circles = _circles(parents)
    for row in refused:
        if row.code in circles and seen.get(row.code) is row:
            row.wrong("parent", "circle", row.code)
        elif row.parent and row.parent not in parents:
            row.wrong("parent", "no_parent", row.parent)


def _check_tree(reading: SheetReading, known: Mapping[str, str], seen: Mapping[str, Row], column: int) -> None:
    """Drops rows whose unit above is nowhere, those below them, and whoever stands above themselves.

    Again and again, for a row that is dropped leaves a known unit where it stood, and that changes who is above whom.
    """
    while True:
        parents = dict(known) | {unit.code: unit.parent for unit in reading.units}
        refused: dict[str, tuple[str, str]] = {code: ("circle", code) for code in _circles(parents)}
        children: dict[str, list[SheetUnit]] = {}
        for unit in reading.units:
            children.setdefault(unit.parent, []).append(unit)
            if unit.parent and unit.parent not in parents:
                below = unit.parent in seen
                refused[unit.code] = (
                    ("parent_refused", str(seen[unit.parent].number)) if below else ("no_parent", unit.parent)
                )
        waiting = list(refused)
        while waiting:
            code = waiting.pop()
            for unit in children.get(code, ()) if code not in known else ():
                if unit.code not in refused:
                    refused[unit.code] = ("parent_refused", str(seen[code].number))
                    waiting.append(unit.code)
        dropped = [unit for unit in reading.units if unit.code in refused]
        if not dropped:
            return
        reading.problems += [SheetProblem(unit.row, column, "parent", *refused[unit.code]) for unit in dropped]
        reading.units = [unit for unit in reading.units if unit.code not in refused]


def _circles(parents: Mapping[str, str]) -> set[str]:
    """The codes that stand above themselves; each is walked over once."""
    done: set[str] = set()
    found: set[str] = set()
    for start in parents:
        path: dict[str, None] = {}
        here = start
        while here in parents and here not in done and here not in path:
            path[here] = None
            here = parents[here]
        if here in path:
            walked = list(path)
            found.update(walked[walked.index(here) :])
        done.update(path)
    return found


def _levelled(units: Sequence[SheetUnit]) -> list[SheetUnit]:
    """Whoever has workplaces below is no workplace, whatever the name, unless the file says so."""
    above = {unit.parent for unit in units if unit.level != "team"}
    return [
        replace(unit, level="upper")
        if unit.level == "grassroots" and "level" not in unit.columns and unit.code in above
        else unit
        for unit in units
    ]
