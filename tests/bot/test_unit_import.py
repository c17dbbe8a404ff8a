"""Units from the federation's own lists: its headings and encodings, a dry run, every bad row by cell and remedy."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import sqlite3
import unicodedata
from collections.abc import Sequence
from csv import writer
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from click.testing import CliRunner

from bot import unit_import
from bot.cli import main
from bot.settings import SQLITE
from db import migrate
from db.session import Database
from tests.people import spoken

HEAD = ("mã", "tên", "tên ngắn", "cấp trên (mã)", "xã/phường", "KCN", "ngành", "tổng lao động", "đoàn viên", "nữ", "ngày cập nhật", "tên cũ")  # fmt: skip
TREE = (
    ("TINH", "Liên đoàn Lao động tỉnh Thử", "LĐLĐ tỉnh", "", "", "", "", "", "", "", "", ""),
    ("CAOSON", "Công đoàn xã Cao Sơn", "CĐ Cao Sơn", "TINH", "xã Cao Sơn", "", "", "", "", "", "",
     "Công đoàn huyện Đồng Tâm (đến 1/7/2025); CĐ xã Đồng Sơn"),
    ("MAYHOA", "Công ty TNHH May Hòa Phát", "May Hòa Phát", "CAOSON", "xã Cao Sơn", "KCN Tân Lập", "may", "1.250", "1100", "980", "31/12/2025", ""),
    ("CHUYEN5", "Tổ chuyền 5", "Chuyền 5", "MAYHOA", "", "", "", "", "", "", "", ""),
)  # fmt: skip


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty: Path) -> None:
    Path(tmp_path / "data").mkdir()
    shutil.copyfile(empty, tmp_path / "data/congdoan.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(unit_import, "load_words", lambda _: spoken()[0])  # read once, not in every call
    for name in [name for name in os.environ if name.upper().startswith("CONGDOAN_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with nothing in it, made once."""
    path = tmp_path_factory.mktemp("empty") / "congdoan.db"

    async def make() -> None:
        database = Database(f"{SQLITE}{path}")
        await migrate.upgrade(database)
        await database.close()

    asyncio.run(make())
    return path


def csv(rows: Sequence[Sequence[str]], head: Sequence[str] = HEAD, mark: str = ";") -> str:
    buffer = io.StringIO()
    writer(buffer, delimiter=mark, lineterminator="\n").writerows([head, *rows])
    return buffer.getvalue()


def brings(content: str | bytes, *options: str, ok: bool = True, name: str = "donvi.csv") -> str:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    result = CliRunner().invoke(main, ["units", "import", name, *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code == 0) is ok, result.output
    return result.output


def ask(question: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect("data/congdoan.db")
    try:
        return connection.execute(question).fetchall()
    finally:
        connection.close()


def stored() -> list[tuple[object, ...]]:
    return ask("SELECT u.code, p.code, u.level FROM units u LEFT JOIN units p ON p.id = u.parent_id ORDER BY u.id")


ALL = [
    ("TINH", None, "province"),
    ("CAOSON", "TINH", "upper"),
    ("MAYHOA", "CAOSON", "grassroots"),
    ("CHUYEN5", "MAYHOA", "team"),
]


def test_a_dry_run_counts_and_writes_nothing_then_the_same_file_is_brought_in_and_again_changes_nothing() -> None:
    assert "Chạy thử, chưa ghi gì. Thêm 4, sửa 0, giữ nguyên 0." in brings(csv(TREE), "--dry-run")
    assert stored() == []
    assert "Đã ghi. Thêm 4, sửa 0, giữ nguyên 0." in brings(csv(TREE))
    assert stored() == ALL
    assert ask("SELECT name, old, until FROM unit_aliases ORDER BY id") == [
        ("Công đoàn huyện Đồng Tâm", 1, "2025-07-01"), ("CĐ xã Đồng Sơn", 1, None),
    ]  # fmt: skip
    assert ask("SELECT workers, members, women, figures_on, figures_from FROM units WHERE code = 'MAYHOA'") == [
        (1250, 1100, 980, "2025-12-31", "donvi.csv")
    ]
    assert ask("SELECT figures_from FROM units WHERE code = 'CHUYEN5'") == [("",)]
    assert "Thêm 0, sửa 0, giữ nguyên 4." in brings(csv(TREE))
    assert (
        ask("SELECT actor_id, action FROM audit") == [(0, "import_units")]
        and len(ask("SELECT * FROM unit_aliases")) == 2
    )
    assert len(ask("SELECT * FROM unit_paths")) == 1 + 2 + 3 + 4


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(csv(TREE, mark=",").encode(), id="comma"),
        pytest.param(csv(TREE, mark="\t").encode(), id="tab"),
        pytest.param(csv(TREE).encode("utf-8-sig"), id="mark in front"),
        pytest.param(csv(TREE, mark="\t").encode("utf-16"), id="utf-16"),
        pytest.param(csv(TREE).replace("\n", "\r\n").encode(), id="windows lines"),
        pytest.param(csv(TREE, tuple(h.upper() for h in HEAD)).encode(), id="capitals"),
        pytest.param(csv(tuple(reversed(TREE))).encode(), id="children first"),
        pytest.param(csv(tuple(row[::-1] for row in TREE), HEAD[::-1]).encode(), id="other order"),
        pytest.param(
            csv(TREE, ("Ma don vi", "Ten", "ten  ngan", "Cap tren(ma)", "Xa, phuong", "khu cong nghiep", "Nganh",
                       "tong so lao dong", "so doan vien", "NU", "Ngay cap nhat", "Ten cu")).encode(), id="no marks",
        ),
        pytest.param(("LĐLĐ TỈNH THỬ;;;\nDANH SÁCH ĐƠN VỊ;;;\n;;;\n" + csv(TREE)).encode(), id="titles above"),
    ],
)  # fmt: skip
def test_every_shape_an_office_saves_gives_the_same_tree(content: bytes) -> None:
    brings(content)
    assert sorted(stored(), key=str) == sorted(ALL, key=str)
    assert ask("SELECT workers, place, zone FROM units WHERE code = 'MAYHOA'") == [(1250, "xã Cao Sơn", "KCN Tân Lập")]


def test_a_workbook_is_read_with_its_numbers_and_dates() -> None:
    with xlsxwriter.Workbook("donvi.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        for n, row in enumerate(TREE, 1):
            sheet.write_row(n, 0, row)
        sheet.write_number(3, 7, 1250)
        sheet.write_datetime(3, 10, date(2025, 12, 31), book.add_format({"num_format": "dd/mm/yyyy"}))
    brings(Path("donvi.xlsx").read_bytes(), name="donvi.xlsx")
    assert stored() == ALL
    assert ask("SELECT workers, figures_on FROM units WHERE code = 'MAYHOA'") == [(1250, "2025-12-31")]


def test_old_vietnamese_encodings_are_read_or_answered_with_the_remedy() -> None:
    brings(unicodedata.normalize("NFD", csv(TREE)).replace("đ", "đ").encode("cp1258", "ignore"), "--dry-run", ok=True)
    said = brings("m·;tªn;cÊp trªn (m·)\nA;C«ng ®oµn;\n".encode("latin-1"), ok=False)
    assert "donvi.csv: Chữ trong tệp .csv không đọc được" in said and "CSV UTF-8" in said


BROKEN = (
    ("", "Không mã", "TINH", ""),
    ("có dấu", "Mã sai", "TINH", ""),
    ("TINH", "Trùng mã", "TINH", ""),
    ("C", "", "TINH", ""),
    ("D", "Lạc cấp trên", "NOWHERE", ""),
    ("E", "Con của dòng hỏng", "C", ""),
    ("F", "Vòng một", "G", ""),
    ("G", "Vòng hai", "F", ""),
    ("H", "Tự trên mình", "H", ""),
    ("I", "Số sai", "TINH", "12,5"),
    ("J", "Số quá lớn", "TINH", "99999999999999999999"),
    ("K", "x" * 201, "TINH", "-4"),
    ("GOOD", "Công ty Tốt", "TINH", "1.234"),
)


def test_every_broken_row_is_named_by_file_line_cell_and_remedy_and_the_good_ones_come_in_whole() -> None:
    rows = (("TINH", "LĐLĐ tỉnh Thử", "", ""), *BROKEN)
    said = brings(csv(rows, ("mã", "tên", "cấp trên (mã)", "đoàn viên")), ok=False)
    for line in (
        'donvi.csv:3: cột "mã" (ô A3): để trống',
        'donvi.csv:4: cột "mã" (ô A4): ghi "CÓ DẤU"',
        'donvi.csv:5: cột "mã" (ô A5): trùng với dòng 2',
        'donvi.csv:6: cột "tên" (ô B6): để trống',
        'donvi.csv:7: cột "cấp trên (mã)" (ô C7): ghi "NOWHERE"',
        'donvi.csv:8: cột "cấp trên (mã)" (ô C8): đơn vị cấp trên ở dòng 6 chưa nhận được',
        'donvi.csv:9: cột "cấp trên (mã)" (ô C9): "F" nằm trong một vòng tròn',
        'donvi.csv:10: cột "cấp trên (mã)" (ô C10): "G" nằm trong một vòng tròn',
        'donvi.csv:11: cột "cấp trên (mã)" (ô C11): "H" nằm trong một vòng tròn',
        'donvi.csv:12: cột "đoàn viên" (ô D12): ghi "12,5"',
        'donvi.csv:13: cột "đoàn viên" (ô D13): ghi "99999999999999999999"',
        'donvi.csv:14: cột "tên" (ô B14): dài quá 200 ký tự',
        'donvi.csv:14: cột "đoàn viên" (ô D14): ghi "-4"',
    ):
        assert line in said
    assert "Thêm 2, sửa 0, giữ nguyên 0, không nhận 12 dòng vì" in said and "trùng mã (1)" in said
    assert [row[0] for row in stored()] == ["TINH", "GOOD"]


def test_where_a_row_stands_that_is_refused_anyway_is_told_with_the_rest() -> None:
    rows = (
        ("TINH", "LĐLĐ tỉnh Thử", "", ""), ("A", "Lạc cấp trên", "NOWHERE", "12,5"), ("", "Không mã", "NOWHERE", ""),
        ("B", "Vòng một", "C", "12,5"), ("C", "Vòng hai", "B", ""), ("B", "Trùng mã", "TINH", ""),
    )  # fmt: skip
    said = brings(csv(rows, ("mã", "tên", "cấp trên (mã)", "đoàn viên")), ok=False)
    for cell, what in (
        ("C3", 'ghi "NOWHERE"'), ("D3", 'ghi "12,5"'), ("C4", 'ghi "NOWHERE"'), ("C5", '"B" nằm trong một vòng tròn'),
        ("C6", "đơn vị cấp trên ở dòng 5 chưa nhận được"), ("A7", "trùng với dòng 5"),
    ):  # fmt: skip
        assert f"(ô {cell}): {what}" in said
    assert said.count("(ô ") == 8 and [row[0] for row in stored()] == ["TINH"]


def test_one_reason_is_said_as_people_say_it() -> None:
    rows = (*TREE, *(("TINH", "Trùng", "", "TINH", *[""] * 8) for _ in range(3)))
    assert "Thêm 4, sửa 0, giữ nguyên 0, không nhận 3 dòng vì trùng mã." in brings(csv(rows), "--dry-run", ok=False)


def test_a_circle_through_what_is_stored_already_is_seen() -> None:
    brings(csv(TREE))
    said = brings("mã;tên;cấp trên (mã)\nCAOSON;Công đoàn xã Cao Sơn;CHUYEN5\n", ok=False)
    assert "vòng tròn" in said and "chưa ghi gì" in said
    assert stored() == ALL


def test_a_file_without_its_headings_or_without_rows_says_what_is_needed() -> None:
    said = brings("Mã số;Tên gọi\nA;B\n", ok=False)
    for column in ("mã", "tên", "cấp trên (mã)"):
        assert f'donvi.csv:1: Thiếu cột "{column}"' in said
    assert "Tệp không có dữ liệu" in brings("", ok=False)
    assert "không phải bảng" in brings(b"\x89PNG\r\n\x1a\n\0\0", ok=False, name="donvi.png")


def test_what_a_shorter_file_does_not_speak_of_stays_as_it_is() -> None:
    brings(csv(TREE))
    said = brings("mã;tên;cấp trên (mã)\nmayhoa;Công ty TNHH May Hòa Phát;TINH\n")
    assert "Thêm 0, sửa 1, giữ nguyên 0." in said
    assert ask("SELECT workers, place, sector, level FROM units WHERE code = 'MAYHOA'") == [
        (1250, "xã Cao Sơn", "may", "grassroots")
    ]
    depths = ask(
        "SELECT depth FROM unit_paths JOIN units ON units.id = ancestor_id WHERE units.code = 'TINH' ORDER BY depth"
    )
    assert depths == [(0,), (1,), (1,), (2,)]


def test_a_renamed_unit_is_still_found_by_its_former_name() -> None:
    brings(csv(TREE))
    brings("mã;tên;cấp trên (mã);ngày cập nhật\nCAOSON;Công đoàn xã Cao Sơn Mới;TINH;15/3/2026\n")
    assert ("Công đoàn xã Cao Sơn", 1, "2026-03-15") in ask("SELECT name, old, until FROM unit_aliases")


def test_levels_come_from_the_file_or_from_names_and_what_stands_below() -> None:
    brings(
        "mã;tên;cấp trên (mã);cấp\nT;Liên đoàn Lao động tỉnh;;\nYT;Ngành Y tế;T;\nBV;Bệnh viện Đa khoa;YT;\n"
        "K1;Khoa Nội;BV;tổ\nX;Trường Tiểu học;T;Cơ sở\nX1;Tổ công đoàn khối 1;X;\n"
    )
    assert [(code, level) for code, _, level in stored()] == [
        ("T", "province"), ("YT", "upper"), ("BV", "grassroots"), ("K1", "team"), ("X", "grassroots"), ("X1", "team"),
    ]  # fmt: skip
    assert 'cột "cấp" (ô D2): ghi "huyện"' in brings("mã;tên;cấp trên (mã);cấp\nZ;Đơn vị;T;huyện\n", ok=False)


def test_two_tops_are_brought_in_but_pointed_out() -> None:
    assert "2 đơn vị không ghi cấp trên: A, B" in brings("mã;tên;cấp trên (mã)\nA;Tỉnh A;\nB;Tỉnh B;\n")


def test_a_large_list_is_brought_in_whole() -> None:
    rows = [
        (f"U{n}", f"Công ty số {n}", "TINH" if n % 50 == 1 else f"U{n - (n - 1) % 50}", "10") for n in range(1, 1001)
    ]
    head = ("mã", "tên", "cấp trên (mã)", "đoàn viên")
    assert "Thêm 1.001" in brings(csv([("TINH", "LĐLĐ tỉnh", "", ""), *rows], head))
    lost = [(f"V{n}", f"Công ty số {n}", f"V{n + 1}", "10") for n in range(1000)]
    assert "không nhận 1.000 dòng" in brings(csv([("A", "Công ty A", "TINH", "1"), *lost], head), ok=False)
