"""Reads the federation's list of units by its Vietnamese headings; every problem with its row and remedy, none loses the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from content.text import clean_line, fold

HEADINGS = {
    "ma": "code",
    "ten": "name",
    "ten ngan": "short_name",
    "cap tren (ma)": "parent",
    "cap tren": "parent",
    "xa/phuong": "place",
    "xa, phuong": "place",
    "kcn": "zone",
    "khu cong nghiep": "zone",
    "nganh": "sector",
    "tong lao dong": "workers",
    "doan vien": "members",
    "nu": "women",
    "ngay cap nhat": "figures_on",
    "ten cu": "old_names",
    "ten khac": "aliases",
}
"""Folded headings and what they mean (4-conversation §4.16)."""
REQUIRED = {"code": "mã", "name": "tên", "parent": "cấp trên (mã)"}
CODE_LENGTH = 24
"""A unit's deep link is `u-` + code in at most 64 characters of A-Za-z0-9_- (Telegram)."""


@dataclass(frozen=True, slots=True)
class SheetUnit:
    """One good row. `level` is guessed from the name and the place in the tree and can be changed later."""

    row: int
    code: str
    name: str
    short_name: str
    parent: str
    level: str
    place: str
    zone: str
    sector: str
    workers: int | None
    members: int | None
    women: int | None
    figures_on: date | None
    old_names: tuple[str, ...]
    aliases: tuple[str, ...]


@dataclass(slots=True)
class SheetReading:
    """What a file holds: good rows, and problems as (row, text); row 1 is the heading, 0 the file itself."""

    units: list[SheetUnit] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


def read_units(table: Sequence[Sequence[str]], known: Mapping[str, str]) -> SheetReading:
    """Checks a table against itself and the units there are (`known`: code → code of its parent)."""
    reading = SheetReading()
    if not table:
        reading.problems.append((0, "Tệp không có dòng nào. Cần một dòng tiêu đề: mã, tên, cấp trên (mã), …"))
        return reading
    columns: dict[str, int] = {}
    for number, heading in enumerate(table[0]):
        meaning = HEADINGS.get(fold(heading))
        if meaning and meaning not in columns:
            columns[meaning] = number
    for name, label in REQUIRED.items():
        if name not in columns:
            reading.problems.append((1, f'Thiếu cột "{label}". Thêm cột này vào dòng tiêu đề.'))
    if reading.problems:
        return reading
    seen: dict[str, int] = {}
    for number, cells in enumerate(table[1:], 2):
        if any(cell.strip() for cell in cells):
            _read_row(reading, columns, number, cells, seen)
    _check_tree(reading, known)
    return reading


def _read_row(
    reading: SheetReading, columns: Mapping[str, int], number: int, cells: Sequence[str], seen: dict[str, int]
) -> None:
    def cell(name: str) -> str:
        at = columns.get(name)
        return clean_line(cells[at]) if at is not None and at < len(cells) else ""

    problems: list[str] = []
    code, name = cell("code").upper(), cell("name")
    if not code:
        problems.append("Thiếu mã. Ghi một mã ngắn, không dấu, không trùng.")
    elif len(code) > CODE_LENGTH or not all(c.isascii() and (c.isalnum() or c in "-_") for c in code):
        problems.append(f'Mã "{code}" chỉ được gồm chữ không dấu, số, gạch nối, tối đa {CODE_LENGTH} ký tự.')
    elif code in seen:
        problems.append(f'Mã "{code}" trùng với dòng {seen[code]}. Đổi một trong hai mã.')
    if not name:
        problems.append("Thiếu tên đơn vị.")
    numbers: dict[str, int | None] = {}
    for key, label in (("workers", "tổng lao động"), ("members", "đoàn viên"), ("women", "nữ")):
        text = cell(key).replace(".", "").replace(",", "").replace(" ", "")
        if text and not text.isdigit():
            problems.append(f'Cột "{label}" ghi "{cell(key)}", cần một số nguyên.')
        numbers[key] = int(text) if text.isdigit() else None
    when = _date(cell("figures_on"))
    if cell("figures_on") and when is None:
        problems.append(f'Cột "ngày cập nhật" ghi "{cell("figures_on")}", cần dạng 31/12/2025.')
    if problems:
        reading.problems += [(number, problem) for problem in problems]
        return
    seen[code] = number
    reading.units.append(
        SheetUnit(
            row=number,
            code=code,
            name=name,
            short_name=cell("short_name"),
            parent=cell("parent").upper(),
            level=guess_level(name, cell("parent")),
            place=cell("place"),
            zone=cell("zone"),
            sector=cell("sector"),
            workers=numbers["workers"],
            members=numbers["members"],
            women=numbers["women"],
            figures_on=when,
            old_names=_list(cell("old_names")),
            aliases=_list(cell("aliases")),
        )
    )


def _check_tree(reading: SheetReading, known: Mapping[str, str]) -> None:
    """Drops rows whose unit above is nowhere, then their own children, then whoever stands above themselves."""
    while True:
        codes = {unit.code for unit in reading.units} | set(known)
        lost = [unit for unit in reading.units if unit.parent and unit.parent not in codes]
        parents = dict(known) | {unit.code: unit.parent for unit in reading.units}
        circles = [unit for unit in reading.units if unit not in lost and _in_circle(unit.code, parents)]
        for unit in lost:
            reading.problems.append(
                (
                    unit.row,
                    f'Cấp trên "{unit.parent}" không có trong tệp và trong hệ thống. Thêm đơn vị đó hoặc sửa mã.',
                )
            )
        for unit in circles:
            reading.problems.append(
                (unit.row, f'"{unit.code}" nằm trong một vòng tròn cấp trên. Sửa cột cấp trên (mã).')
            )
        if not lost and not circles:
            break
        bad = {unit.row for unit in (*lost, *circles)}
        reading.units = [unit for unit in reading.units if unit.row not in bad]
    reading.problems.sort()


def _in_circle(code: str, parents: Mapping[str, str]) -> bool:
    here, steps = parents.get(code, ""), 0
    while here:
        if here == code or steps > len(parents):
            return True
        here, steps = parents.get(here, ""), steps + 1
    return False


def guess_level(name: str, parent: str) -> str:
    """The level a name tells of: a federation at the top, unions of communes and zones, teams; else a workplace."""
    folded = fold(name)
    if not parent or folded.startswith(("lien doan lao dong tinh", "lien doan lao dong thanh pho", "ldld tinh")):
        return "province"
    if folded.startswith(("to ", "to cong doan", "chuyen ", "cong doan bo phan")):
        return "team"
    if folded.startswith(("cong doan xa", "cong doan phuong", "cong doan cac khu", "cong doan khu", "cum ")):
        return "upper"
    return "grassroots"


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("|", ";").split(";") if part.strip())


def _date(text: str) -> date | None:
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"):
        try:
            return datetime.strptime(text.partition(" ")[0].partition("T")[0], form).date()
        except ValueError:
            continue
    return None
