"""Reads amounts, counts and shares the way workers type them, and writes numbers the Vietnamese way."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Final

from content.names import NameProblem, parse_name
from content.text import fold

MAX_MONEY: Final = 10**15
"""Above a million tỷ a number is a slip of the finger; it also keeps sums inside 64 bits."""
SMALLEST_BARE: Final = 100_000
"""A figure without a unit is taken for đồng only from here: nobody reports that 12 or 500 đồng were saved."""

_UNITS: Final = {
    **dict.fromkeys(("ty", "ti"), 10**9),
    **dict.fromkeys(("trieu", "tr"), 10**6),
    **dict.fromkeys(("nghin", "ngan", "k"), 10**3),
    **dict.fromkeys(("dong", "d", "vnd"), 1),
}
_PART = re.compile(
    r"(?<![\w.,/])(\d+(?:[.,]\d+)*)\s*(tram |chuc )?\s*(ty|ti|trieu|tr|nghin|ngan|k|dong|d|vnd)(?![a-z])"
    r"(?! (?:nghiep|chi|phuc|bo|bao)\b)"  # "5 đồng nghiệp", "3 đồng chí"
)
_TAIL = re.compile(r" ruoi\b|\d{1,3}(?![\d.,/])| \d{1,3}(?=[^\w\s.,/%-]|[.,]? *$| (?:dong|d|vnd|mot|moi)\b)")
_BARE = re.compile(r"(?<![\w.,/+-])(?:[1-9]\d{0,2}(?:\.\d{3})+|[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d*)(?![\w%/]|[.,-]\d)")
_AFTER_BARE = re.compile(r"[\s.,;:!?)]*(?:$|[/(]|(?:mot|moi|tren|trong|a|nhe|nam|thang|tien)\b)")
_RANGE_BEFORE = re.compile(r"\d[\s%]*(?:-|–|—|~|den|toi|len|xuong|con|hoac|hay|hay la)\s*$")
_THINGS_AFTER = re.compile(
    r"\s*(?:nguoi|san pham|sp|cai|chiec|doan vien|cong nhan|met|m|kg|ta|tan|kwh?|phut|giay|lan|bo|doi|con|cay|lit)\b"
)
_FOREIGN = re.compile(r"[$€]|\b(?:usd|eur|euro|do la|do my|nhan dan te|yen|won)\b")


def parse_money(text: str) -> int | None:
    """The one amount in đồng that the text names, or None when it names none, several, or an unclear one.

    "12tr", "12,5 triệu", "12.500.000", "500k", "3tr5", "1 tỷ 2", "hai triệu rưỡi", "khoảng 12 triệu một năm". A dot
    before three digits groups thousands and a comma is the decimal sign, as in official papers. Never guessed: "12"
    alone, ranges ("10-12 triệu"), other currencies, counts of things. Per year or per month is not ours to tell.
    """
    if len(text) > 300:
        return None  # a story, not an amount
    lowered = unicodedata.normalize("NFC", text).lower().replace("₫", " đ ")
    folded = _joined_thousands(fold(_figures_for_words(re.sub(r"\bt[íý]\b", "", lowered))))
    if _FOREIGN.search(folded):
        return None
    parts = list(_PART.finditer(folded))
    amount = _sum_of_parts(folded, parts) if parts else _bare_figure(folded)
    return int(amount) if amount is not None and amount.denominator == 1 and amount <= MAX_MONEY else None


def _joined_thousands(folded: str) -> str:
    folded = re.sub(r"(?<=[a-z])(?=\d+\s*(?:trieu|tr|nghin|ngan)\b)", " ", folded)  # "1tỷ200 triệu"
    # Some phones group with spaces, "12 500 000"; one group alone ("tổ 5 200") would be a guess unless it begins with 0.
    folded = re.sub(r"(?<![\d.,/])(?<!\d )(\d{1,3}) (0\d\d)(?![\d.,/]| \d)", r"\1.\2", folded)
    return re.sub(
        r"(?<![\d.,/])\d{1,3}(?: \d{3}){2,}(?![\d.,/])", lambda found: found.group().replace(" ", "."), folded
    )


def _sum_of_parts(folded: str, parts: Sequence[re.Match[str]]) -> Fraction | None:
    """One amount made of falling units ("1 tỷ 200 triệu"); None if the parts are several amounts."""
    total = Fraction(0)
    before: re.Match[str] | None = None
    for part in parts:
        unit = _UNITS[part[3]]
        number = _number(part[1], unit)
        if number is None:
            return None
        if before and (_UNITS[before[3]] <= unit or folded[before.end() : part.start()].strip(" ,") not in ("", "va")):
            return None
        total += number * {None: 1, "tram ": 100, "chuc ": 10}[part[2]] * unit
        before = part
    rest = folded[parts[-1].end() :]
    if unit > 1 and (tail := _TAIL.match(rest)):
        digits = tail.group().strip()
        total += Fraction(unit, 2) if digits == "ruoi" else Fraction(int(digits), 10 ** len(digits)) * unit
        rest = rest[tail.end() :]
    if _RANGE_BEFORE.search(folded[: parts[0].start()]) or _THINGS_AFTER.match(rest):
        return None
    return total


def _number(typed: str, unit: int) -> Fraction | None:
    """The value of a figure such as 12.500 or 12,5; None where a comma could mean either of two things."""
    if re.fullmatch(r"[1-9]\d{0,2}(?:\.\d{3})+|[1-9]\d{0,2}(?:,\d{3}){2,}", typed):
        return Fraction(re.sub(r"[.,]", "", typed))
    if re.fullmatch(r"\d+,\d{3}", typed):
        return Fraction(typed.replace(",", "")) if unit == 1 else None  # a đồng has no decimals
    return Fraction(typed.replace(",", ".")) if re.fullmatch(r"\d+(?:[.,]\d+)?", typed) else None


def _bare_figure(folded: str) -> Fraction | None:
    figures = list(_BARE.finditer(folded))
    if len(figures) != 1 or len(re.findall(r"\d+(?:[.,]\d+)*", folded)) != 1:
        return None
    value = int(re.sub(r"[.,]", "", figures[0].group()))
    return Fraction(value) if value >= SMALLEST_BARE and _AFTER_BARE.match(folded[figures[0].end() :]) else None


_DIGITS: Final = {
    "mot": 1, "hai": 2, "ba": 3, "bon": 4, "tu": 4, "nam": 5, "lam": 5, "sau": 6, "bay": 7, "tam": 8, "chin": 9,
}  # fmt: skip
_NUMBER_WORDS: Final = {*_DIGITS, "muoi", "tram", "linh", "le", "chuc"}
_BEFORE_YEAR: Final = {"moi", "mot", "1", "hang", "tung", "ca", "trong", "nua"}


def _figures_for_words(lowered: str) -> str:
    """Number words become figures, but only right before or right after a unit: "12 triệu" of "mười hai triệu"."""
    words = lowered.split()
    kinds = [fold(word).strip(",.;:!?()") for word in words]
    figures: list[str] = []
    for place, word in enumerate(words):
        if kinds[place] in _UNITS and figures and not figures[-1][-1].isdigit():
            _replace_number_words(figures)
        after_unit = place > 0 and kinds[place - 1] in _UNITS
        ends = place + 1 == len(words) or kinds[place + 1] in ("dong", "d")
        if after_unit and ends and kinds[place] in _DIGITS and kinds[place] not in ("mot", "nam"):
            word = str(_DIGITS[kinds[place]])  # "một tỷ hai"
        figures.append(word)
    return " ".join(figures)


def _replace_number_words(words: list[str]) -> None:
    """Put one figure in place of the longest number at the end of `words`, if there is one that is clear."""
    if words[-1] in ("nửa", "nua"):
        words[-1] = "0,5"
        return
    start = len(words)
    while start and fold(words[start - 1]) in _NUMBER_WORDS:
        start -= 1
    for first in range(start, len(words)):
        value = _value(words[first:])
        if value is None:
            continue
        # "mỗi năm trăm triệu": is it five hundred, or a hundred each year? We ask rather than guess.
        if not (fold(words[first]) == "nam" and first and fold(words[first - 1]) in _BEFORE_YEAR):
            words[first:] = [str(value)]
        return


def _value(words: Sequence[str]) -> int | None:
    """0 to 999 in words, with or without marks; marks tell mười (ten) from mươi (times ten)."""
    kinds = [fold(word) for word in words]
    hundreds = 0
    if len(kinds) >= 2 and kinds[0] in _DIGITS and kinds[1] == "tram":
        hundreds, words, kinds = _DIGITS[kinds[0]] * 100, words[2:], kinds[2:]
        if kinds and kinds[0] in ("linh", "le"):
            return hundreds + _DIGITS[kinds[1]] if len(kinds) == 2 and kinds[1] in _DIGITS else None
        if not kinds:
            return hundreds
    tens = 0
    if kinds[0] == "muoi" and words[0] != "mươi":
        tens, kinds = 10, kinds[1:]
    elif (
        len(kinds) >= 2 and kinds[0] in _DIGITS and (kinds[1] == "chuc" or (kinds[1] == "muoi" and words[1] != "mười"))
    ):
        tens, kinds = _DIGITS[kinds[0]] * 10, kinds[2:]
    elif len(kinds) == 2 and kinds[0] in _DIGITS and kinds[1] == "lam":
        tens, kinds = _DIGITS[kinds[0]] * 10, kinds[1:]  # "hai lăm"
    if tens and not kinds:
        return hundreds + tens
    return hundreds + tens + _DIGITS[kinds[0]] if len(kinds) == 1 and kinds[0] in _DIGITS else None


_COUNT = re.compile(
    r"(?:khoang|tam|chung|co|du|doan|la|em|toi|minh|nghi|se|:|~| )*"
    r"(\d{1,3}(?:[.,]\d{3})+|\d{1,9})((?: [^\W\d_]+){0,4})[ .!]*"
)


def parse_count(text: str) -> int | None:
    """A whole number of persons or things: "125", "125 người", "1.250"; None for words, decimals and two numbers."""
    if len(text) > 100 or not (found := _COUNT.fullmatch(fold(text))):
        return None
    if set(found[2].split()) & {*_UNITS, "phan", "tram", "chuc", "ruoi"}:
        return None
    return int(re.sub(r"[.,]", "", found[1]))


_SHARE = re.compile(r"(?:[-–•*+]|\d{1,2}[.)])?\s*(?P<name>.+?)\s*[:,;(–-]?\s*(?P<percent>\d{1,3})\s*%?\s*[).,;]?")
MAX_PERCENT: Final = 100


def parse_shares(lines: Iterable[str]) -> list[tuple[str, int]]:
    """Co-authors with their whole percents, one a line: "Quách Văn An 60%", "- Bùi Thị Hoa: 40 %". Empty lines pass.

    Raises ValueError with the number of the first bad line, from 1. The sum is the caller's to check.
    """
    shares: list[tuple[str, int]] = []
    for number, line in enumerate(lines, start=1):
        for piece in re.split(r"(?<=%)\s*[,;]\s*(?=\S)", line.strip()):
            if not piece:
                continue
            found = _SHARE.fullmatch(piece)
            if not found or not 0 < int(found["percent"]) <= MAX_PERCENT:
                raise ValueError(number)
            try:
                shares.append((parse_name(found["name"]), int(found["percent"])))
            except NameProblem:
                raise ValueError(number) from None
    return shares


def format_number(number: int) -> str:
    """1234 as "1.234"."""
    return f"{number:,}".replace(",", ".")


def format_money(amount: int) -> str:
    """Đồng in full: "12.500.000 đồng"."""
    return f"{format_number(amount)} đồng"


def format_money_short(amount: int) -> str:
    """Đồng as reports round them, to one decimal: "3,2 triệu đồng", "12,8 tỷ đồng"; in full below a million."""
    for unit, name in ((10**9, "tỷ"), (10**6, "triệu")):
        if abs(amount) >= unit:
            rounded = _one_decimal(Decimal(amount) / unit)
            whole, decimal = str(rounded).split(".")
            return f"{format_number(int(whole))}{'' if decimal == '0' else ',' + decimal} {name} đồng"
    return format_money(amount)


def format_percent(percent: float | Decimal) -> str:
    """A measured ratio with one decimal, "12,5%" and "58,0%"; a whole number given as int stays whole, "60%"."""
    return f"{percent}%" if isinstance(percent, int) else f"{_one_decimal(Decimal(str(percent)))}%".replace(".", ",")


def _one_decimal(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.1"), ROUND_HALF_UP)
