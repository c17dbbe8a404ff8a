"""T20, T21: names and texts that are code elsewhere are shown as what was typed, and officers' braces run nothing."""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
from random import Random

from bot.channels.telegram.writing import TEXT_LIMIT, split
from content.announcements import announcement
from content.message import from_json, to_json
from content.placeholders import KNOWN, MOST, count_placeholders, fill, unknown_placeholders
from content.sheets import Sheet, write_workbook
from content.text import clean
from tests.fakes.botapi.entities import parse, units
from tests.people import spoken
from tests.prove import cases, note

PIECES = (
    "<b>", "</b>", "<script>alert(1)</script>", "<a href='tg://user?id=1'>", "<tg-spoiler>", "&lt;", "&amp;#60;", "&", "<", ">", '"', "'", "<!--", "]]>",
    "*đậm*", "_", "__", "`", "```", "[x](tg://user?id=1)", "||", "~", "@ai_do", "/xoa", "#", "https://chan.example/?a=<b>", "tg://resolve?domain=x",
    "\u202e", "\u202c", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad", "e\u0301", "ê\u0323", "\u0300" * 9, "đ", "Đoàn viên", "👨‍👩‍👧‍👦", "🇻🇳", "👍🏽", "𝒳", "\U0010ffff",
    "\ud83d", "\udc00", "\x00", "\x1b[31m", "\r\n", "\n\n\n\n", "\u2028", "\t", "\u3000", " ",
    "=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠x", "{=1}", "=HYPERLINK(\"http://x\")", "'=1", "\t=1", "|cmd", "http://x", "mailto:a@b", "1e9",
    "{{ 7*7 }}", "{% raw %}", "{0}", "%s", "${7}", "x" * 4_000, "𝒳" * 2_047, "a" * 4_095, "_x000D_",
)  # fmt: skip


def typed(chance: Random) -> str:
    return "".join(chance.choice(PIECES) for _ in range(chance.choice((1, 1, 2, 3, 8))))


def test_what_people_type_is_shown_as_typed_and_never_as_code() -> None:
    words, _ = spoken()
    for number in cases(300):
        text = clean(typed(Random(number)))
        assert clean(text) == text, number
        message = from_json(json.loads(json.dumps(to_json(announcement(words, "notice", text, [])))))
        plain, entities = parse(message.text, "HTML")
        assert text in plain.replace("\r", "") or not text, (number, text)
        assert {each["type"] for each in entities} <= {"bold", "italic", "underline"}, (number, entities)
        parts = split(html.escape(text), TEXT_LIMIT)
        assert all(units(part) <= TEXT_LIMIT for part in parts), number
        note(texts=1)


def test_a_workbook_holds_what_people_typed_as_text_alone() -> None:
    for number in cases(40):
        chance = Random(number)
        rows = [[typed(chance), clean(typed(chance))] for _ in range(20)]
        book = write_workbook([Sheet(typed(chance)[:40], [typed(chance)[:60], "Tên"], rows)])
        with zipfile.ZipFile(io.BytesIO(book)) as parts:
            sheet = parts.read("xl/worksheets/sheet1.xml").decode()
            assert not re.search(r"<f[ >]|<hyperlink|t=\"(str|e)\"", sheet), number
            assert not [name for name in parts.namelist() if "external" in name.lower() or "vba" in name.lower()]
        note(cells=40)


BRACED = (
    "{ten}", "{don_vi}", "{", "}", "{{ten}}", "{ten.__class__}", "{ten[0]}", "{ten!r}", "{ten:>99999999}", "{0}", "{}", "{{ 7*7 }}", "{% for x in y %}",
    "{ten.__init__.__globals__}", "{don_vi.delete()}", "{self}", "{ten }", "{TEN}", "{tên}", "{\u200bten}", "{ten}{don_vi}", "%(ten)s", "$ten", "${ten}",
    "{ten\n}", "{" * 500, "{ten:{don_vi}}", "{" + "a" * 100 + "}", "chữ ", "x" * 1_000, "<b>", "{ten}" * 9,
)  # fmt: skip


class Guarded(str):
    """A name that tells when anything but its letters is asked for."""

    def __format__(self, spec: str) -> str:
        raise AssertionError("formatted")

    def __getitem__(self, key: object) -> str:
        raise AssertionError("looked into")


def test_an_officers_braces_are_refused_or_are_the_two_words_they_stand_for() -> None:
    name, unit = "Bùi {don_vi} {ten.x} Hoa", "Công ty {ten}"
    refused = 0
    for number in cases(500):
        chance = Random(number)
        text = clean("".join(chance.choice(BRACED) for _ in range(chance.choice((1, 2, 4, 12)))))
        if unknown_placeholders(text) or count_placeholders(text) > MOST:
            refused += 1
            continue
        filled = fill(text, name=Guarded(name), unit=Guarded(unit))
        expected = text
        marks = {f"{{{each}}}": f"\0{each}\0" for each in KNOWN}
        for mark, sign in marks.items():
            expected = expected.replace(mark, sign)
        expected = expected.replace("\0ten\0", name).replace("\0don_vi\0", unit)
        assert filled == expected, number
        assert len(filled) <= len(text) + MOST * max(len(name), len(unit))
    note(texts=len(cases(500)), refused=refused)
