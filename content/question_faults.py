"""What is wrong with a question: each fault a line that says what would be right."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from content.law import CITATION, FACT, Fact, is_article
from content.spelling import spelling
from content.text import fold

if TYPE_CHECKING:
    from content.quiz import Written

STEM, OPTION, EXPLANATION = 220, 90, 220
"""Longest texts in characters (4-conversation §4.6.1)."""
BIAS = 0.4
"""No more than this share of a topic's right answers may be the longest, or stand in one place."""
OPENING = 6
"""So many options of a topic do not begin with one word where no right one does: who saw that needs no law to leave them out.
Names of things ("giấy", "ủy ban") began four such at most, which no wording avoids; ways of answering ("chỉ", "được", "sai") six to fourteen."""
ALIKE = 92
"""Stems this similar (folded, without people's names, of 100) are the same question."""
ALIKE_ON_ONE_FACT = 80
"""The same of two questions on one fact with one right answer."""

_FIGURE = re.compile(r"\d+(?:/\d+)+|\d+(?:[.,]\d+)*")
"""A figure, or a date or the number of a law as one: 5.310.000, 30/4, 105/2026."""
_WORD = re.compile(r"\d+(?:/\d+)+(?:/\w+)?|\d+(?:[.,]\d+)*|%|[^\W\d_]+")
_REFERENCE = re.compile(
    r"(?:điều|khoản|luật số|nghị định(?: số)?|nghị quyết(?: số)?|quyết định(?: số)?) (\d[\d/]*)", re.I
)
_IN_WORDS = {
    "một": 1, "hai": 2, "ba": 3, "bốn": 4, "sáu": 6, "bảy": 7, "tám": 8, "chín": 9, "mười": 10,
}  # fmt: skip
"""Not "năm": it is a year far more often than a five."""
_SPELT = re.compile(
    rf"\b((?:(?:{'|'.join(_IN_WORDS)}|mươi|tư|lăm|trăm) )+)(?=(?:phút|giờ|ngày|tuần|tháng|năm|lần|phần trăm|người|triệu)\b)",
    re.I,
)
"""A number in words before what it counts: "hai mươi giờ"."""
_UNITS: dict[str, tuple[str, int]] = {
    "nam": ("thang", 12), "thang": ("thang", 1), "tuan": ("ngay", 7), "ngay": ("ngay", 1), "gio": ("phut", 60),
    "phut": ("phut", 1), "%": ("%", 1),
}  # fmt: skip
_LOOSE = {
    "tu", "du", "it", "nhat", "toi", "da", "thieu", "khong", "qua", "tren", "khoang", "trong", "vong", "thoi", "han", "tro",
    "len", "la", "bang", "dung", "phai", "duoc", "co", "chi", "mot", "moi", "hang", "cho", "cua", "do", "va", "lan",
}  # fmt: skip
"""Words that do not make a second answer of one and the same figure: "12 tháng", "từ đủ 12 tháng trở lên"."""
_PARTIES = {
    "nguoi lao dong",
    "nguoi su dung lao dong",
    "cong doan",
    "cong doan co so",
    "nha nuoc",
    "doan vien",
    "co quan",
}
"""Who nearly every fact speaks of: that one of them stands in its sentence does not make them an answer."""
_ALSO_CALLED = {
    "cong ty": "nguoi su dung lao dong",
    "doanh nghiep": "nguoi su dung lao dong",
    "chu doanh nghiep": "nguoi su dung lao dong",
    "don vi su dung lao dong": "nguoi su dung lao dong",
    "cong nhan": "nguoi lao dong",
    "ban chap hanh cong doan co so": "cong doan co so",
    "tong lien doan": "tong lien doan lao dong viet nam",
    "ubnd cap tinh": "uy ban nhan dan cap tinh",
    "ubnd cap xa": "uy ban nhan dan cap xa",
}
"""Whole options that are the same to whoever reads them, whatever the law calls them: two of one question are two answers."""
_ALL_OF_THEM = re.compile(
    r"\b(?:tat ca (?:cac )?(?:dap an|phuong an|y|cau)|ca (?:hai|ba|bon) (?:dap an|phuong an|y|cau)|ca [abcd] va [abcd]"
    r"|(?:dap an|phuong an) (?:tren|khac)|khong co (?:dap an|phuong an))\b"
)
_NAME = re.compile(r"\b(?i:anh|chị|cô|chú|bác|ông|bà|em) [A-ZĐÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝĂĨŨƠƯẠ-Ỹ]\w*")


def faults(written: Written, fact: Fact | None) -> Iterator[str]:
    """Everything wrong with one question, given the fact it names (None: there is no such fact)."""
    yield from _form(written)
    if fact is None:
        yield f"there is no fact {written.fact}: write it into content/packs/law, with its article, or name another"
        return
    if fact.disputed:
        yield f"{fact.id} is disputed ({fact.disputed}): it may not be asked"
    if written.retired and fact.valid_to is None:
        yield f"retired, but {fact.id} has no end: write its valid_to, or ask on"
    if not fact.article and not written.article and fact.confidence != "B":
        yield "a question without its article does not exist"
    if written.article and (not is_article(written.article) or not _within(written.article, fact.article)):
        yield f"article '{written.article}' is no part of the fact's '{fact.article}': correct one of them"
    yield from _figures(written, fact)
    yield from _second_answers(written, fact)


def _form(written: Written) -> Iterator[str]:
    for name, text, limit in (
        ("stem", written.stem, STEM),
        ("explanation", written.explanation, EXPLANATION),
        *((f"option {'ABCD'[n]}", option, OPTION) for n, option in enumerate(written.options)),
    ):
        for fault in spelling(text):
            yield f"{name}: {fault}"
        if len(text) > limit:
            yield f"the {name} has {len(text)} characters, at most {limit} fit: shorten it"
    if len(written.article) > CITATION:
        yield f"the article has {len(written.article)} characters, at most {CITATION} fit: shorten it"
    if not 0 <= written.answer <= 3:
        yield f"answer {written.answer} is none of 0 to 3"
    if not 1 <= written.level <= 3:
        yield f"level {written.level} is none of 1 (everybody), 2 (some reading), 3 (officers)"
    if not FACT.fullmatch(written.fact):
        yield f"'{written.fact}' is no id of a fact (two letters and a number, CD-16)"
    if not re.fullmatch(rf"{re.escape(written.fact.lower())}[a-z]?", written.id):
        yield f"the id must be {written.fact.lower()}, with a letter behind it from the second question on"
    if not written.author.strip():
        yield "nobody is named as author"


def _within(narrow: str, wide: str) -> bool:
    """Whether every article named is one of the fact's."""
    return {_number(part) for part in narrow.split(", ")} <= {_number(part) for part in wide.split(", ")}


def _number(article: str) -> str:
    return article.rsplit("Điều ", 1)[-1]


def figures(text: str) -> set[str]:
    """Every figure of a text in one form: "01/7" is "1/7", "06" is "6"."""
    return {"/".join(part.lstrip("0") or "0" for part in figure.split("/")) for figure in _FIGURE.findall(text)}


def spelt(text: str) -> set[str]:
    """Every number in words that counts something, in figures; not a lone "một", which is an article far more often."""
    return {str(number) for found in _SPELT.findall(text) if (number := _number_of(found.lower().split())) > 1}


def _number_of(words: Sequence[str]) -> int:
    total = last = 0
    for word in words:
        if word == "trăm":
            total, last = total + max(last, 1) * 100, 0
        elif word == "mươi":
            last *= 10
        else:
            last += _IN_WORDS.get(word, {"tư": 4, "lăm": 5}.get(word, 0))
    return total + last


def _figures(written: Written, fact: Fact) -> Iterator[str]:
    """Figures that are not the fact's own; articles and numbers of laws must be those it cites."""
    cited = figures(f"{fact.citation} {written.article}")
    cited |= {number.split("/")[0] for number in figures(fact.source)}
    words = {str(n) for word, n in _IN_WORDS.items() if re.search(rf"\b{word}\b", fact.says.lower())}
    # The number of a clause is no figure of the law: "khoản 3" does not make three months right.
    own = figures(fact.says) | words | spelt(fact.says) | figures(fact.citation.removeprefix(fact.article))
    given = figures(written.stem) | spelt(written.stem)
    for line in written.reckoned:
        result = _reckon(line, own | given)
        if result is None:
            yield f"reckoned '{line}': a sum such as '12 + 2 = 14' of figures of the fact or the stem"
        else:
            own.add(result)
    right = written.options[written.answer] if 0 <= written.answer <= 3 else ""
    for name, text, known in (
        ("the stem", written.stem, given),
        ("the right option", right, own),
        ("the explanation", written.explanation, own | given),
    ):
        for figure in sorted(figures(" ".join(_REFERENCE.findall(text))) - cited):
            yield f"{name} refers to {figure}, the citation of {fact.id} does not: correct one of them"
        for figure in sorted((figures(_REFERENCE.sub("", text)) | spelt(text)) - known):
            yield f"{name} says {figure}, {fact.id} does not: correct one of them, or show the sum in 'reckoned'"


def _reckon(line: str, known: set[str]) -> str | None:
    """The result of a sum whose other figures are known and which is right; None otherwise."""
    found = re.fullmatch(r"([\d.,]+%?(?: [-+×:] [\d.,]+%?)+) = ([\d.,]+)", line)
    if found is None:
        return None
    terms = found.group(1).split(" ")
    if not {term.rstrip("%").lstrip("0") for term in terms[::2]} <= known:
        return None
    total = _value(terms[0])
    for sign, term in zip(terms[1::2], terms[2::2], strict=True):
        value = _value(term)
        if sign == ":" and not value:
            return None
        total = {"+": total + value, "-": total - value, "×": total * value}[sign] if sign != ":" else total / value
    result = found.group(2)
    return result.lstrip("0") if total == _value(result) else None


def _value(figure: str) -> Fraction:
    number = figure.rstrip("%").replace(".", "").replace(",", ".")
    return Fraction(number) / (100 if figure.endswith("%") else 1)


def _second_answers(written: Written, fact: Fact) -> Iterator[str]:
    """Wrong options that are right under another reading, as far as a rule can tell."""
    if not 0 <= written.answer <= 3:
        return
    meanings = [_meaning(option) for option in written.options]
    for n in range(4):
        for m in range(n):
            if meanings[n] == meanings[m]:
                yield f"options {'ABCD'[m]} and {'ABCD'[n]} say the same: change one"
    for option in written.options:
        if _ALL_OF_THEM.search(fold(option)):
            yield f"option '{option}' stands or falls with the others: write one of its own"
    case = fold(written.case)
    if written.case and case not in fold(written.stem):
        yield f"case '{written.case}' does not stand in the stem: name the words there that decide"
    for n, option in enumerate(written.options):
        if n != written.answer and not written.case and _stands_in(option, fact.says):
            yield (
                f"the wrong option '{option}' stands in {fact.id}: change it, or name in 'case' the words of the stem"
                " that make it wrong"
            )


def _plain_words(text: str) -> list[str]:
    """Words, figures and percent signs; a date or the number of a law is one word."""
    return _WORD.findall(fold(text))


@lru_cache(maxsize=8192)
def quantities(text: str) -> tuple[frozenset[tuple[Fraction, str]], tuple[str, ...]]:
    """The quantities of a text, each in one unit (a year is 12 months, an hour 60 minutes), and its other words."""
    written = _WORD.findall(unicodedata.normalize("NFC", text.lower()))
    words = [fold(word) for word in written]
    found, rest = set(), []
    n = 0
    while n < len(words):
        word = words[n]
        figure = word[0].isdigit() and "/" not in word
        number = _value(word) if figure else Fraction(_IN_WORDS.get(written[n], 0))
        unit = _UNITS.get(words[n + 1]) if n + 1 < len(words) else None
        if number and unit is not None:
            name, factor = unit
            working = words[n + 2 : n + 4] == ["lam", "viec"]
            value = number * factor
            if name == "ngay" and not working and value % 30 == 0:
                name, value = "thang", value / 30
            found.add((value, name + (" lam viec" if working else "")))
            n += 4 if working else 2
            continue
        # A lone "một" is an article far more often than a number.
        if figure or number > 1:
            found.add((number, ""))
        else:
            rest.append(word)
        n += 1
    return frozenset(found), tuple(rest)


def _meaning(option: str) -> object:
    """What an option says, apart from how it says it; loose words count only where there is no figure."""
    found, rest = quantities(option)
    if not found:
        words = " ".join(_plain_words(option))
        return _ALSO_CALLED.get(words, words)
    return found, tuple(word for word in rest if word not in _LOOSE)


def _stands_in(option: str, says: str) -> bool:
    """Whether a fact's sentence says what an option says: its quantity with its words, or its words in a row."""
    found, rest = quantities(option)
    words = _plain_words(option)
    if found:
        own, _ = quantities(says)
        return found <= own and {word for word in rest if word not in _LOOSE} <= set(_plain_words(says))
    in_a_row = f" {' '.join(words)} " in f" {' '.join(_plain_words(says))} "
    return in_a_row and (len(words) > 1 or "/" in words[0]) and " ".join(words) not in _PARTIES


def balance(questions: Sequence[Written]) -> Iterator[str]:
    """Right answers of a topic that give themselves away: always the longest, or always in one place."""
    longest = sum(
        len(q.options[q.answer]) > max(len(o) for n, o in enumerate(q.options) if n != q.answer)
        for q in questions
        if 0 <= q.answer <= 3
    )
    if longest > BIAS * len(questions):
        yield f"the right option is the longest in {longest} of {len(questions)} questions: lengthen wrong ones"
    for place, count in Counter(q.answer for q in questions if 0 <= q.answer <= 3).items():
        if count > BIAS * len(questions):
            yield f"the right option is {'ABCD'[place]} in {count} of {len(questions)} questions: move some"


def openings(questions: Sequence[Written]) -> Iterator[tuple[str, str]]:
    """(id of the first, what to do) for each word that begins many options of a topic and never the right one."""
    begun: dict[str, list[str]] = {}
    right: set[str] = set()
    for question in questions:
        for n, option in enumerate(question.options):
            first = _WORD.search(unicodedata.normalize("NFC", option.lower()))
            if first is None or first.group()[0].isdigit():
                continue
            begun.setdefault(first.group(), []).append(question.id)
            if n == question.answer:
                right.add(first.group())
    for word, names in begun.items():
        if len(names) >= OPENING and word not in right:
            yield (
                names[0],
                f"'{word}' begins {len(names)} options of the topic and never the right one"
                f" ({', '.join(dict.fromkeys(names))}): begin some of them otherwise, or a right one so",
            )


def alike(questions: Sequence[Written]) -> Iterator[tuple[str, str]]:
    """(id, id of an earlier one that asks the same): people's names and letter marks aside."""
    earlier: list[tuple[str, str, Written]] = []
    for question in questions:
        stem = " ".join(sorted(_plain_words(_NAME.sub("ai", question.stem))))
        for other_stem, name, other in earlier:
            one_answer = question.fact == other.fact and _right(question) == _right(other)
            limit = ALIKE_ON_ONE_FACT if one_answer else ALIKE
            if fuzz.ratio(stem, other_stem, score_cutoff=limit):
                yield question.id, name
                break
        earlier.append((stem, question.id, question))


def _right(question: Written) -> object:
    return _meaning(question.options[question.answer]) if 0 <= question.answer <= 3 else None
