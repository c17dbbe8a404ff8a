"""A person's own copy of their data: a workbook to read, the same as JSON to take elsewhere, and what they sent."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from content import disk
from content.calendar import LOCAL
from content.message import choices_from_json, without_markup
from content.packs import Packs
from content.placeholders import fill
from content.sheets import Sheet, Value, write_workbook
from content.words import Words

PART = 45 * 1024 * 1024
"""Bytes of pictures and papers in one archive: a bot may send at most 50 MB (Bot API, sendDocument)."""

CODED = frozenset(
    {"channel", "muted_topics", "topic", "kind", "reason", "outcome", "field", "applied", "display", "publish", "track"}
)
"""Texts that are names out of a fixed list; what people wrote themselves stays as they wrote it."""

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said in one message: words, the data of a button, the names of files."""

    text: str
    choice: str = ""
    files: tuple[str, ...] = ()


def tell(words: Words, found: Mapping[str, Sequence[dict[str, Any]]], read: Callable[[str, str], Said | None]) -> None:
    """Puts beside what came in what the person did in words, and into announcements whom they spoke to.

    A button is named as long as the message it stood under is kept.
    """
    name = found["persons"][0]["name"]
    for row in found["broadcast_targets"]:
        row["text"] = fill(row["text"], name=name, unit=row.get("unit", ""))
    labels = {
        (row["lane"], choice.data(row["screen"])): choice.label
        for row in found["messages_out"]
        for choice in choices_from_json(row["choices"])
    }
    for row in found["messages_in"]:
        said = read(row["channel"], row["raw"])
        row["text"] = _plain(row["raw"]) if said is None else _did(words, said, labels, row["lane"])


def _plain(raw: str) -> str:
    """Stored data that nobody can read any more, without what only machines need."""
    return " ".join(re.sub(r'[{}\[\]"]', " ", raw).split())


def _did(words: Words, said: Said, labels: Mapping[tuple[str, str], str], lane: str) -> str:
    lines = [said.text] if said.text else []
    if said.choice:
        name = said.choice.split(":")[1] if said.choice.startswith("c:") else ""
        known = f"commands.{name}"
        label = words.message(known).choices[0].label if known in words else ""
        label = labels.get((lane, said.choice), label)
        lines.append(
            words.plain("export.pressed", label=label) if label else words.plain("export.pressed_one", data=said.choice)
        )
    if said.files:
        lines.append(words.plain("export.sent_files", names=", ".join(filter(None, said.files)), n=len(said.files)))
    return "\n".join(lines)


def write_copy(
    folder: Path, name: Callable[[], str], words: Words, packs: Packs, found: Rows, files: Sequence[tuple[str, str]]
) -> list[str]:
    """Writes the archives and returns the `name` of each in `folder`; more than one only where the files are very large.

    `files` are (name in `folder`, what it belongs to). One that is not there any more is left out.
    """
    parts = _parts(folder, files)
    names = [name() for _ in parts]
    for number, (archived, part) in enumerate(zip(names, parts, strict=True)):
        with zipfile.ZipFile(folder / archived, "w", zipfile.ZIP_DEFLATED) as archive:
            if number == 0:
                archive.writestr(words.plain("export.book"), write_workbook(_sheets(words, packs, found)))
                archive.writestr(
                    words.plain("export.data"), json.dumps(found, ensure_ascii=False, indent=1, default=_raw)
                )
            for path, shown in part:
                archive.write(path, f"{words.plain('export.folder')}/{shown}{path.suffix}", zipfile.ZIP_STORED)
    disk.sync(*(folder / each for each in names), folder)
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


def _sheets(words: Words, packs: Packs, found: Rows) -> list[Sheet]:
    """One sheet for each kind of thing that is there; columns that only machines need are in the JSON alone."""
    sheets = []
    for table, raw in found.items():
        rows = [_readable(packs, table, row) for row in raw]
        if rows:
            columns = dict.fromkeys(column for row in rows for column in row)
            shown = [column for column in columns if f"export.column_{column}" in words]
            header = [words.plain(f"export.column_{column}") for column in shown]
            cells = [[_cell(words, column, row.get(column)) for column in shown] for row in rows]
            sheets.append(Sheet(words.plain(f"export.sheet_{table}"), header, cells))
    return sheets


def _readable(packs: Packs, table: str, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row with what it only points at written out: movements and questions by their words; what was said unmarked."""
    if table == "messages_out":
        return {**row, "text": without_markup(row["text"])}
    if table == "registrations":
        campaign = next((each for each in packs.campaigns if each.year == row["year"]), None)
        names = [movement.name for movement in campaign.movements] if campaign is not None else []
        return {**row, "movements": "; ".join(names[n] if n < len(names) else str(n + 1) for n in row["movements"])}
    if isinstance(row.get("question"), str) and (question := packs.bank.find(row["question"])) is not None:
        return {**row, "question": question.stem}
    return row


def _cell(words: Words, name: str, value: Any) -> Value:
    """A value as a person reads it; `name` is the column, or the part of a story, that it stands in."""
    if isinstance(value, bool):
        return words.plain("export.true" if value else "export.false")
    if isinstance(value, Enum):
        return _meaning(words, str(value.value))
    if isinstance(value, datetime):
        return value.astimezone(LOCAL)
    if isinstance(value, dict):  # what only the talk needs of a draft has no word, and stands in the JSON alone
        told = {key: _cell(words, key, each) for key, each in value.items() if f"export.part_{key}" in words}
        return "\n".join(f"{words.plain(f'export.part_{key}')}: {text or ''}" for key, text in told.items())
    if isinstance(value, list):
        return "; ".join(str(_cell(words, name, each)) for each in value)  # a goal has commas of its own
    if isinstance(value, str) and name == "action":
        return _word(words, f"mysubmissions.event_{value}", _word(words, f"export.did_{value}", value))
    if isinstance(value, str) and name == "dialogue":
        return _word(words, f"export.talk_{value}", value)
    if name in ("year", "round"):
        return str(value)  # no quantity: nobody writes 2.025
    return _meaning(words, value) if isinstance(value, str) and name in CODED else value


def _meaning(words: Words, value: str) -> str:
    return _word(words, f"export.value_{value}", value)


def _word(words: Words, key: str, otherwise: str) -> str:
    return words.plain(key) if key in words else otherwise
