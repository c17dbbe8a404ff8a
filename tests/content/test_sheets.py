"""Officers' tables are read whatever program made them; what we write can trick nobody."""

from __future__ import annotations

import base64
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from content.sheets import Sheet, SheetError, read_table, write_workbook
from content.sheets.reading import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, MAX_UNZIPPED

TABLE = [
    ["Mã", "Tên", "Đoàn viên"],
    ["AB12", "Công ty TNHH May An Phú", "1250"],
    ["CD34", "Trường Tiểu học Kim Bôi", "48"],
]


def workbook(fill: Callable[[Any, Any], object]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        fill(book.add_worksheet(), book)
    return buffer.getvalue()


def rezipped(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return buffer.getvalue()


@pytest.fixture
def table_of(tmp_path: Path) -> Callable[[bytes], list[list[str]]]:
    def read(data: bytes) -> list[list[str]]:
        path = tmp_path / "du-lieu.bin"  # the name says nothing: content decides
        path.write_bytes(data)
        return read_table(path)

    return read


Read = Callable[[bytes], list[list[str]]]


def problem(read: Read, data: bytes) -> tuple[str, int | None]:
    with pytest.raises(SheetError) as error:
        read(data)
    return error.value.kind, error.value.row


def as_csv(delimiter: str) -> str:
    return "\r\n".join(delimiter.join(row) for row in TABLE) + "\r\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_csv_is_read_in_the_usual_encodings(table_of: Read, encoding: str, delimiter: str) -> None:
    bom = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    assert table_of((bom + as_csv(delimiter)).encode(encoding)) == TABLE


def old_windows(text: str) -> bytes:
    """Windows-1258 has no letter "ế": it writes "ê" and the tone after it, as Excel does on such a machine."""
    written = b""
    for letter in text:
        try:
            written += letter.encode("cp1258")
        except UnicodeEncodeError:
            *base, tone = sorted(
                unicodedata.normalize("NFD", letter), key=lambda part: part in "\u0300\u0301\u0303\u0309\u0323"
            )
            written += unicodedata.normalize("NFC", "".join(base)).encode("cp1258") + tone.encode("cp1258")
    return written


def test_a_csv_of_an_old_vietnamese_windows_is_read(table_of: Read) -> None:
    assert table_of(old_windows(as_csv(";"))) == TABLE


def test_a_csv_in_an_unknown_encoding_is_refused_rather_than_shown_as_nonsense(table_of: Read) -> None:
    assert problem(table_of, "C«ng ty May ®iÖn tö".encode("latin-1")) == ("encoding", None)


def test_quotes_line_breaks_and_the_line_for_excel_are_understood(table_of: Read) -> None:
    text = 'sep=;\r\nMã;Tên\r\n1;"May ""An Phú""; Cao Sơn"\r\n2;"hai\ndòng"\r\n\r\n;\r\n'
    assert table_of(text.encode()) == [["Mã", "Tên"], ["1", 'May "An Phú"; Cao Sơn'], ["2", "hai\ndòng"]]


def test_rows_are_made_equally_wide_and_keep_their_number(table_of: Read) -> None:
    assert table_of(b"\na,b,c\nd\n") == [["", "", ""], ["a", "b", "c"], ["d", "", ""]]


def test_a_broken_csv_names_the_row(table_of: Read) -> None:
    assert problem(table_of, b'a,b\nc,"d') == ("broken", 2)


def test_numbers_dates_and_truths_come_as_people_read_them(table_of: Read) -> None:
    def fill(sheet: Any, book: Any) -> None:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(1, 1, [1250, 12.5, 0.1 + 0.2, 10.0**15, True, "  chữ\u200b ", -3])
        sheet.write_datetime(1, 8, datetime(2026, 3, 15), day)
        sheet.write_datetime(1, 9, datetime(2026, 3, 15, 19, 30), book.add_format({"num_format": "dd/mm/yyyy hh:mm"}))

    rows = table_of(workbook(fill))
    assert rows[0] == [""] * 10
    assert rows[1] == [
        "",
        "1250",
        "12.5",
        "0.3",
        "1000000000000000",
        "TRUE",
        "chữ",
        "-3",
        "2026-03-15",
        "2026-03-15 19:30",
    ]


def test_a_sheet_with_a_logo_in_it_is_read(table_of: Read) -> None:
    png = io.BytesIO(
        base64.b64decode(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
        )
    )

    def fill(sheet: Any, book: Any) -> None:
        sheet.write(0, 0, "Mã")
        sheet.insert_image(2, 2, "logo.png", {"image_data": png})

    assert table_of(workbook(fill)) == [["Mã"]]


def test_the_first_visible_sheet_is_read(table_of: Read) -> None:
    def fill(sheet: Any, book: Any) -> None:
        sheet.write(0, 0, "ẩn")
        second = book.add_worksheet("Đơn vị")
        second.write(0, 0, "hiện")
        second.activate()
        second.set_first_sheet()
        sheet.hide()

    assert table_of(workbook(fill)) == [["hiện"]]


@pytest.mark.parametrize("data", [b"", b"\n\n", b" ; \n", workbook(lambda sheet, book: None)])
def test_an_empty_table_says_so(table_of: Read, data: bytes) -> None:
    assert problem(table_of, data) == ("empty", None)


def test_other_files_are_told_apart(table_of: Read) -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("word/document.xml", "<a/>")
    assert problem(table_of, ole)[0] == "old_excel"
    assert problem(table_of, ole + "EncryptedPackage".encode("utf-16-le"))[0] == "protected"
    assert problem(table_of, zipped.getvalue())[0] == "not_a_table"
    assert problem(table_of, b"\xff\xd8\xff\xe0\x00\x10JFIF")[0] == "not_a_table"
    assert problem(table_of, b"PK\x03\x04 and nothing more")[0] == "broken"
    assert problem(table_of, write_workbook([Sheet("A", ["a"], [])])[:2000])[0] == "broken"


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "khong-co.xlsx")


def test_a_large_file_is_refused_before_it_is_read(table_of: Read) -> None:
    assert problem(table_of, b"a" * (MAX_BYTES + 1)) == ("too_big", None)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(table_of: Read) -> None:
    bomb = io.BytesIO(workbook(lambda sheet, book: sheet.write(0, 0, "a")))
    with (
        zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("xl/x.xml", "w") as part,
    ):
        for _ in range(MAX_UNZIPPED // 2**20 + 1):
            part.write(b" " * 2**20)
    assert len(bomb.getvalue()) < MAX_BYTES
    assert problem(table_of, bomb.getvalue()) == ("too_big", None)


def test_a_small_file_with_a_cell_far_away_does_not_end_the_process(table_of: Read) -> None:
    far = workbook(lambda sheet, book: sheet.write(1_048_575, 16_383, "b"))
    assert len(far) < 10_000
    assert problem(table_of, far)[0] == "too_big"
    assert problem(table_of, workbook(lambda sheet, book: sheet.write(MAX_ROWS, 0, "b")))[0] == "too_big"
    assert problem(table_of, workbook(lambda sheet, book: sheet.write(0, MAX_COLUMNS, "b")))[0] == "too_big"
    hidden = workbook(lambda sheet, book: sheet.write(3, 0, 12))
    spelled = rezipped(hidden, lambda name, part: part.replace(b'r="A4"', b'r="&#88;FD1048576"'))
    assert problem(table_of, spelled)[0] == "too_big"
    counted = rezipped(hidden, lambda name, part: part.replace(b'<c r="A4"', b"<c/>" * MAX_COLUMNS + b"<c"))
    assert problem(table_of, counted)[0] == "too_big"


def test_a_table_up_to_the_limits_is_read(table_of: Read) -> None:
    assert (MAX_BYTES, MAX_UNZIPPED, MAX_ROWS, MAX_COLUMNS) == (10 * 1024**2, 100 * 1024**2, 20_000, 100)
    last = workbook(lambda sheet, book: (sheet.write(MAX_ROWS - 1, 0, "b"), sheet.write(0, MAX_COLUMNS - 1, "c")))
    rows = table_of(last)
    assert (len(rows), len(rows[0]), rows[0][-1], rows[-1][0]) == (MAX_ROWS, MAX_COLUMNS, "c", "b")
    assert len(table_of(b"a\n" * MAX_ROWS)) == MAX_ROWS
    assert len(table_of(b"a" + b"," * (MAX_COLUMNS - 1))[0]) == MAX_COLUMNS
    assert problem(table_of, b"a\n" * (MAX_ROWS + 1))[0] == "too_big"
    assert problem(table_of, b"a" + b"," * MAX_COLUMNS)[0] == "too_big"


def test_cells_without_an_address_are_counted(table_of: Read) -> None:
    plain = workbook(lambda sheet, book: sheet.write(0, 0, 12))
    cell, row = b'<c r="A1"', b'<row r="1" spans="1:1">'

    def moved(columns: int, rows: int) -> bytes:
        new = b"<row></row>" * rows + b"<row>" + b"<c/>" * columns
        return rezipped(plain, lambda _, part: part.replace(row, new).replace(cell, b"<c"))

    assert row in parts_of(plain) and cell in parts_of(plain)
    assert table_of(moved(MAX_COLUMNS - 1, MAX_ROWS - 1))[-1][-1] == "12"
    assert problem(table_of, moved(MAX_COLUMNS, 0)) == ("too_big", 1)
    assert problem(table_of, moved(0, MAX_ROWS)) == ("too_big", MAX_ROWS + 1)


def parts_of(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read("xl/worksheets/sheet1.xml")


def test_a_frame_drawn_down_to_the_last_row_is_no_reason_to_refuse(table_of: Read) -> None:
    def fill(sheet: Any, book: Any) -> None:
        sheet.write(0, 0, "a")
        sheet.write_blank(1_048_575, 16_383, None, book.add_format({"border": 1}))

    assert table_of(workbook(fill)) == [["a"]]


def test_entities_and_sheets_in_odd_places_are_refused(table_of: Read) -> None:
    plain = workbook(lambda sheet, book: sheet.write(0, 0, "a"))
    entity = b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet'
    assert problem(table_of, rezipped(plain, lambda _, part: part.replace(b"<worksheet", entity)))[0] == "broken"
    elsewhere = rezipped(plain, lambda _, part: part.replace(b"worksheets/sheet1.xml", b"worksheets/sheet1.dat"))
    assert problem(table_of, elsewhere)[0] == "broken"


WHOLE = workbook(lambda sheet, book: sheet.write_row(0, 0, ["Mã", 12, 1.5, True]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.integers(0, len(WHOLE) - 1), st.integers(0, 255), min_size=1, max_size=5))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(table_of: Read, damage: dict[int, int]) -> None:
    data = bytearray(WHOLE)
    for place, byte in damage.items():
        data[place] = byte
    with suppress(SheetError):
        table_of(bytes(data))


# --- Writing ---------------------------------------------------------------------------------------------------------

DANGEROUS = [
    '=HYPERLINK("http://xau.vn","a")',
    "+cmd|' /C calc'!A0",
    "{=1}",
    "@SUM(1)",
    "-1+1",
    "http://xau.vn",
    "mailto:a@b.vn",
]


def parts(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_what_people_typed_never_becomes_a_formula_or_a_link(table_of: Read) -> None:
    data = write_workbook([Sheet("Sáng kiến", DANGEROUS, [DANGEROUS, DANGEROUS], above=DANGEROUS)])
    text = "".join(parts(data).values())
    assert not re.search(r"<f[ >]|hyperlink|externalLink", text)
    assert table_of(data)[-1] == DANGEROUS


def test_what_is_written_is_read_back(table_of: Read) -> None:
    rows = [
        ["Bùi Thị Hòa", 1997, 12.5, date(2026, 3, 15), None, True],
        ["Quách Văn Ưởng", -5, Decimal("0.5"), None, "x"],
    ]
    above = ["Liên đoàn Lao động tỉnh", "Số liệu đến 30/6/2026"]
    table = table_of(write_workbook([Sheet("A", ["Họ tên", "Số", "Tỷ lệ", "Ngày", "Trống", "Có"], rows, above)]))
    assert [table[0][0], table[1][0], table[2]] == [*above, [""] * 6]
    assert table[3] == ["Họ tên", "Số", "Tỷ lệ", "Ngày", "Trống", "Có"]
    assert table[4] == ["Bùi Thị Hòa", "1997", "12.5", "2026-03-15", "", "TRUE"]
    assert table[5] == ["Quách Văn Ưởng", "-5", "0.5", "", "x", ""]


def test_moments_are_written_as_the_clock_shows_them(table_of: Read) -> None:
    moment = datetime(2026, 3, 15, 19, 30, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
    assert table_of(write_workbook([Sheet("A", ["Lúc"], [[moment]])]))[1] == ["2026-03-15 19:30"]


def test_the_header_is_frozen_and_the_font_is_the_offices_own() -> None:
    made = parts(write_workbook([Sheet("A", ["Mã"], [["1"]], above=["Số liệu"])]))
    assert '<pane ySplit="3" topLeftCell="A4"' in made["xl/worksheets/sheet1.xml"]
    assert set(re.findall(r'<name val="([^"]+)"', made["xl/styles.xml"])) == {"Times New Roman"}


def test_thousands_have_dots_whatever_the_language_of_windows() -> None:
    made = parts(write_workbook([Sheet("A", ["Số"], [[999], [1250], [12_500_000], [12_800_000_000]])]))
    assert r"[&lt;1000]0;[&lt;1000000]0\.000;0\.000\.000" in made["xl/styles.xml"]
    styles = re.findall(r'<c r="A\d" s="(\d+)"><v>', made["xl/worksheets/sheet1.xml"])
    assert len(styles) == 4 and len(set(styles[:3])) == 1 and styles[3] != styles[0]


def test_columns_are_as_wide_as_their_text_within_reason() -> None:
    made = parts(write_workbook([Sheet("A", ["Mã", "Tên"], [["1", "x" * 500], ["2", "y"]])]))
    widths = [float(width) for width in re.findall(r'<col [^>]*width="([\d.]+)"', made["xl/worksheets/sheet1.xml"])]
    assert 8 <= widths[0] < 10 and 60 <= widths[1] < 62


def test_sheet_names_are_made_acceptable_and_distinct() -> None:
    names = ["Ý kiến (ẩn danh)", "a/b:c[d]*?\\", "'", "", "x" * 40, "X" * 40]
    book = CalamineWorkbook.from_filelike(io.BytesIO(write_workbook([Sheet(name, ["a"], []) for name in names])))
    assert book.sheet_names == ["Ý kiến (ẩn danh)", "a b c d", "Sheet", "Sheet (2)", "x" * 31, "X" * 27 + " (2)"]


def test_text_no_cell_can_hold_is_cut_and_text_no_file_can_hold_is_cleaned(table_of: Read) -> None:
    table = table_of(write_workbook([Sheet("A", ["a", "b"], [["x" * 40_000, "a\ud800\ufffe\x00b\u202e"]])]))
    assert [len(table[1][0]), table[1][1]] == [32_767, "ab"]


def test_the_same_sheets_give_the_same_bytes() -> None:
    sheets = [Sheet("A", ["Số"], [[1250, "a", date(2026, 3, 15)]])]
    data = write_workbook(sheets)
    assert data == write_workbook(sheets)
    assert set(re.findall(r">(\d{4}-[^<]+)<", parts(data)["docProps/core.xml"])) == {"2025-01-01T00:00:00Z"}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {part.date_time[0] for part in archive.infolist()} == {1980}


def test_a_workbook_without_sheets_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="needs a sheet"):
        write_workbook([])
