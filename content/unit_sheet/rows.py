"""The rows of a federation's list by its Vietnamese headings, cell by cell, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from content.text import clean_line, fold
from content.unit_sheet.guesses import guess_level

HEADINGS = {
    "code": ("ma", "ma don vi"),
    "name": ("ten", "ten don vi", "ten day du"),
    "short_name": ("ten ngan", "ten goi tat", "ten viet tat"),
    "parent": ("cap tren ma", "cap tren", "ma cap tren"),
    "level": ("cap",),
    "place": ("xa phuong", "xa", "phuong"),
    "zone": ("kcn", "khu cong nghiep"),
    "sector": ("nganh", "nganh nghe"),
    "workers": ("tong lao dong", "tong so lao dong", "lao dong"),
    "members": ("doan vien", "so doan vien", "tong so doan vien"),
    "women": ("nu", "so nu", "lao dong nu"),
    "figures_on": ("ngay cap nhat", "cap nhat"),
    "old_names": ("ten cu",),
    "aliases": ("ten khac", "ten thuong goi"),
}
"""What a column means, and how its heading may be written: any order and case, marks or not (4-conversation §4.16)."""
REQUIRED = ("code", "name", "parent")
FIGURES = ("workers", "members", "women")
LEVELS = {
    "province": ("tinh", "cap tinh", "thanh pho"),
    "upper": (
        "cap tren",
        "cap tren co so",
        "cap tren truc tiep co so",
        "cum",
        "xa",
        "phuong",
        "xa phuong",
        "kcn",
        "nganh",
    ),
    "grassroots": ("co so", "cdcs", "cap co so"),
    "team": ("to", "to cong doan", "chuyen", "cong doan bo phan", "bo phan"),
}
CODE = re.compile(r"[A-Z0-9_-]{1,24}")
"""A unit's deep link is `u-` + code in at most 64 characters of A-Za-z0-9_- (Telegram); 24 are still read aloud."""
LONGEST = 200
"""Characters of a name: it must fit a screen beside others."""
NUMBER = re.compile(r"\d{1,7}|\d{1,3}([., ])\d{3}(\1\d{3})?")
"""Fewer than ten million, thousands apart or not. "12,5" is no number of people."""
DATED = re.compile(r"(.+?)\s*\((?:[^()]*?\s)?(\d[\d/.-]+)\)")
"""An old name with the day it ended: "Công đoàn huyện Đồng Tâm (đến 1/7/2025)"."""
TITLE_ROWS = 10
"""How far down the headings may stand: lists have titles above them."""


@dataclass(frozen=True, slots=True)
class SheetUnit:
    """One good row. `columns` are the meanings the file has a column for: of others nothing is known.

    `level` is what the file says, or a guess from the name and from what stands below.
    """

    row: int
    columns: frozenset[str]
    code: str
    name: str
    parent: str
    level: str
    short_name: str = ""
    place: str = ""
    zone: str = ""
    sector: str = ""
    workers: int | None = None
    members: int | None = None
    women: int | None = None
    figures_on: date | None = None
    old_names: tuple[tuple[str, date | None], ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class SheetProblem:
    """What is wrong with a cell: row and column from 1, the column's meaning, the reason's key in the words."""

    row: int
    column: int
    name: str
    key: str
    value: str = ""

    @property
    def cell(self) -> str:
        """The cell as a spreadsheet names it, "H5"."""
        letters, rest = "", self.column
        while rest:
            rest, letter = divmod(rest - 1, 26)
            letters = chr(65 + letter) + letters
        return f"{letters}{self.row}"


@dataclass(slots=True)
class SheetReading:
    """What a file holds: good rows and problems."""

    units: list[SheetUnit] = field(default_factory=list)
    problems: list[SheetProblem] = field(default_factory=list)


def headings(table: Sequence[Sequence[str]], reading: SheetReading) -> tuple[int, dict[str, int]]:
    """Where the headings stand and which column means what."""
    best: tuple[int, dict[str, int]] = (0, {})
    for number, cells in enumerate(table[:TITLE_ROWS]):
        columns: dict[str, int] = {}
        for at, heading in enumerate(cells):
            plain = " ".join(re.findall(r"[a-z0-9]+", fold(heading)))
            meaning = next((name for name, ways in HEADINGS.items() if plain in ways), None)
            if meaning is not None:
                columns.setdefault(meaning, at)
        if len(columns) > len(best[1]):
            best = number, columns
    for name in REQUIRED:
        if name not in best[1]:
            reading.problems.append(SheetProblem(best[0] + 1, 0, name, "no_column"))
    return best


class Row:
    """One row being read: cells by meaning, and the problems found in them."""

    def __init__(self, reading: SheetReading, columns: Mapping[str, int], number: int, cells: Sequence[str]) -> None:
        self.reading = reading
        self.columns = columns
        self.number = number
        self.cells = cells
        self.code, self.parent = self.cell("code").upper(), self.cell("parent").upper()
        self.good = True

    def cell(self, name: str) -> str:
        at = self.columns.get(name)
        return clean_line(self.cells[at]) if at is not None and at < len(self.cells) else ""

    def wrong(self, name: str, key: str, value: str = "") -> None:
        self.good = False
        self.reading.problems.append(SheetProblem(self.number, self.columns[name] + 1, name, key, value))

    def read(self, seen: dict[str, Row]) -> None:
        name = self.cell("name")
        if not self.code:
            self.wrong("code", "no_code")
        elif not CODE.fullmatch(self.code):
            self.wrong("code", "bad_code", self.code)
        elif self.code in seen:
            self.wrong("code", "twice", str(seen[self.code].number))
        else:
            seen[self.code] = self
        if not name:
            self.wrong("name", "no_name")
        elif len(name) > LONGEST:
            self.wrong("name", "long_name")
        workers, members, women = (self.figure(key) for key in FIGURES)
        when, level = self.date(), self.level()
        if self.good:
            self.reading.units.append(
                SheetUnit(
                    self.number,
                    frozenset(self.columns) - ({"level"} if not level else set()),
                    self.code,
                    name,
                    self.parent,
                    level or guess_level(name, self.cell("parent")),
                    self.cell("short_name"),
                    self.cell("place"),
                    self.cell("zone"),
                    self.cell("sector"),
                    workers=workers,
                    members=members,
                    women=women,
                    figures_on=when,
                    old_names=tuple(_dated(text) for text in _list(self.cell("old_names"))),
                    aliases=tuple(_list(self.cell("aliases"))),
                )
            )

    def figure(self, name: str) -> int | None:
        text = self.cell(name)
        if not text:
            return None
        if not NUMBER.fullmatch(text):
            self.wrong(name, "bad_number", text)
            return None
        return int(re.sub(r"\D", "", text))

    def date(self) -> date | None:
        text = self.cell("figures_on")
        found = _date(text)
        if text and found is None:
            self.wrong("figures_on", "bad_date", text)
        return found

    def level(self) -> str | None:
        text = self.cell("level")
        found = next((level for level, ways in LEVELS.items() if fold(text) in ways), None)
        if text and found is None:
            self.wrong("level", "bad_level", text)
        return found


def _list(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;|]", text) if part.strip()]


def _dated(text: str) -> tuple[str, date | None]:
    found = DATED.fullmatch(text)
    when = _date(found[2]) if found else None
    return (found[1], when) if found and when else (text, None)


def _date(text: str) -> date | None:
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"):
        try:
            return datetime.strptime(text.partition(" ")[0].partition("T")[0], form).date()
        except ValueError:
            continue
    return None
