"""`congdoan units import`: a dry run or the real thing, all good rows in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from bot.opening import opened
from bot.settings import Settings
from content.sheets import SheetError, read_table
from content.unit_sheet import SheetUnit, read_units
from content.words import load_words
from db import audit, units
from db.models import Level
from db.units import UnitRow


async def import_file(
    settings: Settings,
    file: Path,
    *,
    dry_run: bool,
    now: datetime,
    say: Callable[[str], object],
    fail: Callable[[list[str]], NoReturn],
) -> None:
    """Imports every good row; says which rows were not taken and why, and fails when none could be."""
    words = load_words({"organisation": settings.organisation, "hotline": settings.hotline, "duty_line": ""})
    try:
        table = read_table(file)
    except SheetError as error:
        fail([f"{file}: {words.text('unit_import.unreadable_' + error.kind)}"])
    async with opened(settings) as database:
        async with database.write() as session:
            known = await units.parents_by_code(session)
            reading = read_units(table, known)
            for row, text in reading.problems:
                say(f"{file}:{row}: {text}")
            new = sum(unit.code not in known for unit in reading.units)
            counts = {
                "added": new,
                "changed": len(reading.units) - new,
                "refused": len({row for row, _ in reading.problems}),
            }
            if reading.units and not dry_run:
                await units.write(session, [_row(unit) for unit in reading.units], now)
                audit.note(session, audit.SYSTEM, "import_units", f"file {file.name}", now, **counts)
        say(words.text("unit_import.would" if dry_run else "unit_import.done", **counts))
    if reading.problems and not reading.units:
        fail([words.text("unit_import.nothing")])


def _row(unit: SheetUnit) -> UnitRow:
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
        aliases=unit.aliases,
        old_names=tuple((name, None) for name in unit.old_names),
    )
