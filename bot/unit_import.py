"""`congdoan units import`: a dry run or the real thing, all good rows in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from bot.opening import opened
from bot.settings import Settings
from content.sheets import SheetError, read_table
from content.unit_sheet import SheetProblem, SheetReading, SheetUnit, read_units
from content.words import Words, load_words
from db import audit, units
from db.models import Level
from db.session import settled
from db.units import UnitRow, Written


async def import_file(
    settings: Settings,
    file: Path,
    *,
    dry_run: bool,
    now: datetime,
    say: Callable[[str], object],
    fail: Callable[[list[str]], NoReturn],
) -> None:
    """Imports every good row; names each of the others with its cell and remedy, and fails when there are any."""
    words = load_words({"organisation": settings.organisation, "hotline": settings.hotline, "duty_line": ""})
    try:
        table = read_table(file)
    except SheetError as error:
        where = f"{file}:{error.row}" if error.row else str(file)
        fail([f"{where}: {words.plain('unit_import.unreadable_' + error.kind)}"])
    async with opened(settings) as database:

        async def write() -> tuple[SheetReading, Written]:
            async with database.write() as session:
                reading = read_units(table, await units.parents_by_code(session))
                attempt = await session.begin_nested()
                written = await units.write(session, [_row(unit, file.name) for unit in reading.units], now)
                if dry_run:
                    await attempt.rollback()
                elif written.added or written.changed:
                    numbers = {"added": written.added, "changed": written.changed}
                    audit.note(session, audit.SYSTEM, "import_units", f"file {file.name}", now, **numbers)
                return reading, written

        reading, written = await settled(write)
    lines = [f"{file}:{problem.row}: {_problem(words, problem)}" for problem in reading.problems]
    tops = [unit.code for unit in reading.units if not unit.parent]
    if len(tops) > 1:
        say(words.plain("unit_import.tops", n=len(tops), codes=tops))
    if reading.units:
        key = "unit_import.would" if dry_run else "unit_import.done"
        say(words.plain(key, counts=words.plain("unit_import.counts", **_counts(words, reading, written))))
    if lines:
        fail([*lines, words.plain("unit_import.mend" if reading.units else "unit_import.nothing")])


def _problem(words: Words, problem: SheetProblem) -> str:
    key = f"unit_import.{problem.key}"
    column = words.plain(f"unit_import.column_{problem.name}")
    if problem.key == "no_column":
        return words.plain(key, column=column)
    what = words.plain(key, value=problem.value)
    return words.plain("unit_import.where", column=column, cell=problem.cell, what=what)


def _counts(words: Words, reading: SheetReading, written: Written) -> dict[str, object]:
    first = {problem.row: problem.key for problem in reversed(reading.problems)}
    whys = Counter(first.values()).most_common()
    reasons = [(words.plain(f"unit_import.why_{key}"), n) for key, n in whys]
    single = len(reasons) == 1
    return {
        "added": written.added,
        "changed": written.changed,
        "same": written.same,
        "refused": len(first),
        "reasons": [r if single else words.plain("unit_import.reason_count", reason=r, n=n) for r, n in reasons],
    }


OPTIONAL = frozenset({"short_name", "level", "place", "zone", "sector", "workers", "members", "women", "figures_on"})


def _row(unit: SheetUnit, file: str) -> UnitRow:
    return UnitRow(
        code=unit.code,
        name=unit.name,
        short_name=unit.short_name,
        parent=unit.parent,
        level=Level(unit.level),
        place=unit.place,
        zone=unit.zone,
        sector=unit.sector,
        workers=unit.workers,
        members=unit.members,
        women=unit.women,
        figures_on=unit.figures_on,
        figures_from=file,
        aliases=unit.aliases,
        old_names=unit.old_names,
        keep=OPTIONAL - unit.columns,
    )
