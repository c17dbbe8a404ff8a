"""A person's own copy of their data: a workbook to read, the same as JSON to take elsewhere, and what they sent."""

from __future__ import annotations

import json
import secrets
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from content.calendar import LOCAL
from content.sheets import Sheet, Value, write_workbook
from content.words import Words

PART = 45 * 1024 * 1024
"""Bytes of pictures and papers in one archive: a bot may send at most 50 MB (Bot API, sendDocument)."""

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def write_copy(folder: Path, words: Words, found: Rows, files: Sequence[tuple[str, str]]) -> list[str]:
    """Writes the archives and returns their names in `folder`; more than one only where the files are very large.

    `files` are (name in `folder`, what it belongs to). One that is not there any more is left out.
    """
    parts = _parts(folder, files)
    names = [f"{secrets.token_hex(16)}.zip" for _ in parts]
    for number, (name, part) in enumerate(zip(names, parts, strict=True)):
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            if number == 0:
                archive.writestr(words.plain("export.book"), write_workbook(_sheets(words, found)))
                archive.writestr(
                    words.plain("export.data"), json.dumps(found, ensure_ascii=False, indent=1, default=_raw)
                )
            for path, shown in part:
                archive.write(path, f"{words.plain('export.folder')}/{shown}{path.suffix}", zipfile.ZIP_STORED)
    return names


def _parts(folder: Path, files: Sequence[tuple[str, str]]) -> list[list[tuple[Path, str]]]:
    parts: list[list[tuple[Path, str]]] = [[]]
    size = 0
    for number, (file, owner) in enumerate(files, 1):
        path = folder / file
        if not path.is_file():
            continue
        if parts[-1] and size + path.stat().st_size > PART:
            parts.append([])
            size = 0
        size += path.stat().st_size
        parts[-1].append((path, f"{owner}-{number}" if owner else str(number)))
    return parts


def _raw(value: Any) -> str:
    return str(value.value) if isinstance(value, Enum) else value.isoformat()


def _sheets(words: Words, found: Rows) -> list[Sheet]:
    """One sheet for each kind of thing that is there; columns that only machines need are in the JSON alone."""
    sheets = []
    for table, rows in found.items():
        if rows:
            columns = dict.fromkeys(column for row in rows for column in row)
            shown = [column for column in columns if f"export.column_{column}" in words]
            header = [words.plain(f"export.column_{column}") for column in shown]
            cells = [[_cell(words, row.get(column)) for column in shown] for row in rows]
            sheets.append(Sheet(words.plain(f"export.sheet_{table}"), header, cells))
    return sheets


def _cell(words: Words, value: Any) -> Value:
    if isinstance(value, bool):
        return words.plain("export.true" if value else "export.false")
    if isinstance(value, Enum):
        return _word(words, "value", str(value.value))
    if isinstance(value, datetime):
        return value.astimezone(LOCAL)
    if isinstance(value, dict):
        return "\n".join(f"{_word(words, 'part', key)}: {_cell(words, each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(str(_cell(words, each)) for each in value)
    return value if isinstance(value, int | date) else _word(words, "value", str(value)) if value is not None else None


def _word(words: Words, kind: str, name: str) -> str:
    key = f"export.{kind}_{name}"
    return words.plain(key) if key in words else name
