"""`congdoan contest recompute` and `export`: a published result as a file, and the same worked out again from it."""

from __future__ import annotations

from pathlib import Path

from bot.opening import reading
from bot.settings import Settings
from content.contest_result import BadResult, ResultFile, read_result, recompute, to_json, to_workbook
from content.words import Words
from db import contests
from db.errors import Expected
from scheduler.contest_files import result_file


def check(path: Path) -> tuple[ResultFile, list[str]]:
    """A result, and where it says what its own papers do not. Raises BadResult, OSError."""
    file = read_result(path)
    return file, recompute(file)


async def write(settings: Settings, words: Words, number: int, path: Path) -> str:
    """Writes a round's result as .json or .xlsx and returns what was written. Raises BadResult, OSError, Trouble."""
    async with reading(settings) as database, database.read() as session:
        try:
            file = await result_file(session, words, await contests.get_round(session, number))
        except Expected as error:
            raise BadResult(words.text(error.key)) from error
    if path.suffix.lower() == ".xlsx":
        path.write_bytes(to_workbook(words, file))
    else:
        path.write_text(to_json(file), encoding="utf-8")
    return f"{path}: week {file.week}, {len(file.places)} people, {len(file.inputs.attempts)} papers."


async def rounds(settings: Settings) -> list[str]:
    """A line for each round, the newest first."""
    async with reading(settings) as database, database.read() as session:
        return [
            f"{row.id}  week {row.number}  {row.state.value}  {row.opens_at:%Y-%m-%d} to {row.closes_at:%Y-%m-%d}  {row.theme}"
            for row in await contests.list_rounds(session)
        ]
