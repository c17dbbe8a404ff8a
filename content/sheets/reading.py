"""Reads tables out of Excel and CSV files that officers send."""

from __future__ import annotations

import codecs
import csv
import functools
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path
from typing import IO, Final, Literal
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from content.text import clean

MAX_BYTES: Final = 10 * 2**20
MAX_UNZIPPED: Final = 100 * 2**20
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 100
OWN_ROWS: Final = 2**20
OWN_UNZIPPED: Final = 2**30
"""Of a file that came from here and is read back on one's own machine: a result with every paper of a province."""

SheetKind = Literal["too_big", "empty", "not_a_table", "old_excel", "protected", "encoding", "broken"]


class SheetError(Exception):
    """Why a file cannot be read as a table; `row`, from 1, where the trouble stands if it stands in a row."""

    def __init__(self, kind: SheetKind, row: int | None = None) -> None:
        super().__init__(kind if row is None else f"{kind}, row {row}")
        self.kind: Final = kind
        self.row: Final = row


def read_table(path: Path) -> list[list[str]]:
    """The first visible sheet of an .xlsx, or a .csv, as cleaned text: row n of the file is item n - 1.

    What a file is, is decided by its content. Every row is as wide as the widest; empty rows at the end are dropped.
    Numbers come without ".0", dates as 2026-03-15. CSV may be UTF-8, UTF-16 or Windows-1258, with comma, semicolon or
    tab. Raises `SheetError`: `too_big` (10 MB, 100 MB unzipped, 20,000 rows, 100 columns), `empty`, `old_excel` (.xls),
    `protected` (password), `encoding`, `broken`, `not_a_table`. OSError if the file is not there.
    """
    if path.stat().st_size > MAX_BYTES:
        raise SheetError("too_big")
    data = path.read_bytes()
    if data.startswith(b"PK\x03\x04"):
        rows = _read_xlsx(data)
    elif data.startswith(b"\xd0\xcf\x11\xe0"):
        raise SheetError("protected" if "EncryptedPackage".encode("utf-16-le") in data else "old_excel")
    else:
        rows = _read_csv(_decoded(data))
    while rows and not any(rows[-1]):
        rows.pop()
    if not rows:
        raise SheetError("empty")
    if len(rows) > MAX_ROWS:
        raise SheetError("too_big")
    width = max(map(len, rows))
    if width > MAX_COLUMNS:
        raise SheetError("too_big")
    return [row + [""] * (width - len(row)) for row in rows]


def read_book(path: Path) -> list[list[list[str]]]:
    """Every visible sheet of an .xlsx that we wrote ourselves, however long, as `read_table` reads the first.

    Raises `SheetError` like it, with room for 1,048,576 rows; OSError if the file is not there.
    """
    data = path.read_bytes()
    _refuse_bombs(data, OWN_ROWS, OWN_UNZIPPED)
    return [_trimmed(rows) for rows in _sheets(data)]


def _trimmed(rows: list[list[str]]) -> list[list[str]]:
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


# --- Excel -----------------------------------------------------------------------------------------------------------


def _read_xlsx(data: bytes) -> list[list[str]]:
    _refuse_bombs(data, MAX_ROWS, MAX_UNZIPPED)
    for rows in _sheets(data):
        return rows
    raise SheetError("empty")


def _sheets(data: bytes) -> Iterator[list[list[str]]]:
    """The visible sheets, one after the other."""
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            for sheet in book.sheets_metadata:
                if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible:
                    rows = book.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False)
                    yield [[_text(cell) for cell in row] for row in rows]
    except PasswordError as error:
        raise SheetError("protected") from error
    except (CalamineError, OSError, ValueError) as error:
        raise SheetError("broken") from error


def _refuse_bombs(data: bytes, rows: int, unzipped: int) -> None:
    """Refuse what unzips to too much, and what fills a cell far away.

    The reader makes room for every cell up to the farthest: a file of 5 KB that fills XFD1048576 makes it ask for
    512 GB, and that ends the whole process, not just the call.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > unzipped:
                raise SheetError("too_big")
            if "xl/workbook.xml" not in {part.filename.lower() for part in parts}:
                raise SheetError("not_a_table")
            for part in parts:
                if part.filename.lower().endswith((".xml", ".rels")):
                    with archive.open(part) as xml:
                        _Reach(xml, rows)
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, ValueError, LookupError) as error:
        raise SheetError("broken") from error
    except (NotImplementedError, RuntimeError) as error:  # a compression or an encryption that no Excel uses
        raise SheetError("protected") from error


class _Reach:
    """Walks one XML part the way the reader will, and raises SheetError as soon as something lies out of reach."""

    def __init__(self, xml: IO[bytes], rows: int) -> None:
        self.row = self.column = 0
        self.rows = rows
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._element
        parser.StartDoctypeDeclHandler = self._doctype
        parser.ParseFile(xml)

    def _doctype(self, *_: object) -> None:
        raise SheetError("broken")  # entities could hide a reference; no spreadsheet program writes any

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "row":
            self.row, self.column = int(attributes.get("r") or self.row + 1), 0
        elif tag == "c":
            self.column += 1
            if place := attributes.get("r"):
                letters = place.upper().rstrip("0123456789")
                self.row = int(place[len(letters) :] or self.row)
                self.column = functools.reduce(lambda sum, letter: sum * 26 + ord(letter) - 64, letters[:9], 0)
        elif tag in ("v", "is", "f") and (self.row > self.rows or self.column > MAX_COLUMNS):
            raise SheetError("too_big", self.row)
        elif tag == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
            self._sheet_at(attributes.get("Target", ""))

    def _sheet_at(self, target: str) -> None:
        if not target.lower().endswith(".xml"):
            raise SheetError("broken")  # a sheet under such a name would not be walked here


def _text(cell: object) -> str:
    if cell == "":
        return ""  # most cells of a wide sheet
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else f"{cell:.15g}"  # as many digits as Excel itself shows
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ", "minutes")
    return clean(str(cell))  # dates, hours and durations say themselves in ISO


# --- CSV -------------------------------------------------------------------------------------------------------------

_VIETNAMESE: Final = set(
    "àảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵ"
    "ÀẢÃÁẠĂẰẲẴẮẶÂẦẨẪẤẬĐÈẺẼÉẸÊỀỂỄẾỆÌỈĨÍỊÒỎÕÓỌÔỒỔỖỐỘƠỜỞỠỚỢÙỦŨÚỤƯỪỬỮỨỰỲỶỸÝỴ“”‘’–—…•°\u00a0"
)


def _decoded(data: bytes) -> str:
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return data.decode("utf-16")
        if b"\0" in data:
            raise SheetError("not_a_table")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    # "CSV" of an Excel on a Vietnamese Windows. Older fonts (TCVN3, VNI) decode too, but to nonsense, and are refused.
    text = unicodedata.normalize("NFC", data.decode("cp1258", "replace"))
    if all(letter.isascii() or letter in _VIETNAMESE for letter in text):
        return text
    raise SheetError("encoding")


def _read_csv(text: str) -> list[list[str]]:
    first, _, after = text.lstrip("\r\n").partition("\n")
    said = re.fullmatch(r"sep=([^\w\s\"]|\t)\r?", first)  # a line some programs write for Excel
    delimiter = said[1] if said else max("\t;,", key=re.sub(r'"[^"]*"', "", first).count)
    reader = csv.reader(io.StringIO(after if said else text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if len(row) > MAX_COLUMNS or len(rows) == MAX_ROWS:  # before millions of cells are looked at one by one
                raise SheetError("too_big", len(rows) + 1)
            rows.append([clean(cell) for cell in row])
    except csv.Error as error:
        raise SheetError("broken", len(rows) + 1) from error
    return rows
