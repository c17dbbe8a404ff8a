"""Hears a yes, a no or a number in a typed message."""

from __future__ import annotations

import re
from collections.abc import Iterable

from content.text.folding import fold, may_stand_for
from content.text.stored import clean_line

_YES = (
    "có", "có chứ", "ừ", "ừm", "uh", "uhm", "um", "ờ", "ok", "oke", "okê", "okie", "okay", "okela", "yes", "y",
    "đồng ý", "nhất trí", "chấp nhận", "đúng", "đúng rồi", "đúng vậy", "chuẩn", "phải", "phải rồi", "được", "đc",
    "được rồi", "được chứ", "dạ", "vâng", "dạ vâng", "👍", "👌", "✅",
)  # fmt: skip
_NO = (
    "không", "ko", "k", "hok", "khg", "hông", "thôi", "thôi không", "khỏi", "sai", "sai rồi", "no",
    "không đồng ý", "ko đồng ý", "k đồng ý", "không phải", "ko phải", "k phải", "không đúng", "ko đúng", "không có",
    "ko có", "không cần", "ko cần", "không muốn", "ko muốn", "không được", "không đâu", "👎", "❌",
)  # fmt: skip
_BEFORE_AN_ANSWER = {"da", "vang", "toi", "em", "minh", "chau", "thi", "anh", "chi"}
_AFTER_AN_ANSWER = {"a", "nhe", "nha", "em", "e", "anh", "chi", "ban", "luon", "vay", "di", "roi", "ma"}


def is_yes(text: str) -> bool:
    """Whether the whole message says yes and nothing else, as people type it: "co a", "Dạ vâng", "toi dong y", 👍."""
    return _answers(text, _YES)


def is_no(text: str) -> bool:
    """Whether the whole message says no and nothing else. Never true together with `is_yes`."""
    return _answers(text, _NO)


def whole_number(text: str) -> int | None:
    """The number that plain digits are, up to nine of them; None for anything else ("²", "-1", what no column holds)."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


_CODE = re.compile(r"([a-z]{2})[ -]?(\d{2})[ -]?(?:(w\d{2})[ -]?)?(\d{4,})")
_SHORT = re.compile(r"(sk|mh|gt|tb)[ -]?(?:(\d{2})[ -])?(\d{1,5})")


def read_code(text: str, year: int) -> str:
    """The receipt code a message is, however typed; "" for anything else.

    "sk 25 0001" is SK-25-0001, a paper's has its week. Of what is counted from 1 each year, "sk 25 1" is the same, and "sk1"
    in that `year`.
    """
    typed = fold(text)
    if found := _CODE.fullmatch(typed):
        return "-".join(filter(None, found.groups())).upper()
    if found := _SHORT.fullmatch(typed):
        return f"{found[1].upper()}-{found[2] or f'{year % 100:02}'}-{int(found[3]):04}"
    return ""


def _answers(text: str, phrases: Iterable[str]) -> bool:
    words = re.findall(r"[^\W\d_]+", clean_line(text).lower()) or re.findall(r"[👍👌✅👎❌]", text)
    if re.search(r"\d|\?", text) or len(words) > 8:
        return False
    while words:
        if any(may_stand_for(" ".join(words), phrase) for phrase in phrases):
            return True
        # Courtesies are taken off one at a time, so "da khong a" is no although "da" alone is yes.
        if len(words) > 1 and fold(words[-1]) in _AFTER_AN_ANSWER:
            words = words[:-1]
        elif len(words) > 1 and fold(words[0]) in _BEFORE_AN_ANSWER:
            words = words[1:]
        else:
            return False
    return False
