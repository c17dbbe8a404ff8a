"""Writes Excel workbooks that look like the office's own and that nobody can be tricked with."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeAlias

import xlsxwriter

from content.text import clean, clean_line

Value: TypeAlias = str | int | float | Decimal | date | datetime | None
MAX_CELL: Final = 32_767
"""Characters one Excel cell holds; Excel counts UTF-16 units."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet to write. An int is a quantity and gets dots between thousands: give years, codes and phones as text.

    `above` are lines over the header (whose numbers, as of when).
    """

    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[Value]]
    above: Sequence[str] = ()


_STYLES: Final[Mapping[str, Mapping[str, object]]] = {
    "text": {"text_wrap": True},
    "header": {"bold": True, "text_wrap": True, "align": "center", "border": 1, "bg_color": "#E7EEF7"},
    "above": {"italic": True},
    # The dots are letters of the format: a Windows set to English would turn "#,##0" into commas.
    "int": {"num_format": r"[<1000]0;[<1000000]0\.000;0\.000\.000"},
    "big": {"num_format": r"[<1000000000]0\.000\.000;0\.000\.000\.000"},
    "negative": {"num_format": "#,##0"},
    "float": {"num_format": "#,##0.0#"},
    "date": {"num_format": "dd/mm/yyyy"},
    "moment": {"num_format": "dd/mm/yyyy hh:mm"},
}


def write_workbook(sheets: Sequence[Sheet]) -> bytes:
    """An .xlsx with frozen headers in Times New Roman. The same sheets give the same bytes.

    Text stays text, whatever it begins with: no formula and no link ever comes out of what people typed (promises.md
    §2.2). Raises ValueError if there is no sheet.
    """
    if not sheets:
        raise ValueError("a workbook needs a sheet")
    buffer = io.BytesIO()
    # Below, every text is written as text by name; these options keep it so should somebody call plain `write`.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"created": datetime(2025, 1, 1)})  # else the time of writing, and bytes that differ
        font: dict[str, object] = {"font_name": "Times New Roman", "font_size": 12, "valign": "top"}
        book.formats[0].set_font_name(font["font_name"])
        book.formats[0].set_font_size(font["font_size"])
        formats = {name: book.add_format({**font, **style}) for name, style in _STYLES.items()}
        taken: set[str] = set()
        for sheet in sheets:
            _write_sheet(book.add_worksheet(_sheet_name(sheet.name, taken)), sheet, formats)
    return buffer.getvalue()


def _write_sheet(
    page: xlsxwriter.worksheet.Worksheet, sheet: Sheet, formats: Mapping[str, xlsxwriter.format.Format]
) -> None:
    for row, line in enumerate(sheet.above):
        page.write_string(row, 0, clean(line), formats["above"])
    top = len(sheet.above) + (1 if sheet.above else 0)
    for column, title in enumerate(sheet.header):
        page.write_string(top, column, clean(title), formats["header"])
        cells = [title, *(_shown(row[column]) for row in sheet.rows if column < len(row))]
        longest = max(len(line) for cell in cells for line in cell.split("\n"))
        page.set_column(column, column, min(max(longest + 2, 8), 60))
    for number, values in enumerate(sheet.rows, start=top + 1):
        for column, value in enumerate(values):
            _write_cell(page, number, column, value, formats)
    page.freeze_panes(top + 1, 0)


def _write_cell(
    page: xlsxwriter.worksheet.Worksheet,
    row: int,
    column: int,
    value: Value,
    formats: Mapping[str, xlsxwriter.format.Format],
) -> None:
    match value:
        case None:
            pass
        case bool():
            page.write_boolean(row, column, value, formats["text"])
        case int():
            size = "negative" if value < 0 else "int" if value < 10**9 else "big"
            page.write_number(row, column, value, formats[size])
        case float() | Decimal():
            page.write_number(row, column, float(value), formats["float"])
        case datetime():
            page.write_datetime(row, column, value.replace(tzinfo=None), formats["moment"])
        case date():
            page.write_datetime(row, column, value, formats["date"])
        case str():
            page.write_string(row, column, _cut(clean(value), MAX_CELL), formats["text"])


def _shown(value: Value) -> str:
    return f"{value:,}" if isinstance(value, int) else "" if value is None else str(value)


def _cut(text: str, most: int) -> str:
    """The beginning of a text, at most so many UTF-16 units, no letter cut in two."""
    return text.encode("utf-16-le")[: most * 2].decode("utf-16-le", "ignore")


def _sheet_name(wanted: str, taken: set[str]) -> str:
    """A name Excel accepts: at most 31 characters, none of []:*?/\\, no apostrophe at an end, not there yet."""
    name = _cut(re.sub(r"[\[\]:*?/\\]", " ", clean_line(wanted)), 31).strip(" '") or "Sheet"
    number = 2
    unique = name
    while unique.lower() in taken:
        unique = f"{_cut(name, 31 - len(f' ({number})'))} ({number})"
        number += 1
    taken.add(unique.lower())
    return unique
