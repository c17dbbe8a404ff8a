"""Tables in and out: one door to the modules of this package."""

from content.sheets.reading import SheetError, read_book, read_table
from content.sheets.writing import Sheet, Value, write_workbook

__all__ = ["Sheet", "SheetError", "Value", "read_book", "read_table", "write_workbook"]
