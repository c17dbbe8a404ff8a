"""Names are taken as people write them, and stand in Vietnamese order."""

from __future__ import annotations

import json
import shutil
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.names import MAX_LETTERS, NameProblem, parse_name, short_name, sort_key, union_of


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("bùi thị hòa", "Bùi Thị Hòa"),
        ("NGUYỄN THỊ THÙY DƯƠNG", "Nguyễn Thị Thùy Dương"),
        ("  Quách  Văn\tƯởng ", "Quách Văn Ưởng"),
        ("Bùi thị Hoa", "Bùi thị Hoa"),
        ("bui thi hoa", "Bui Thi Hoa"),
        ("Y Moan", "Y Moan"),
        ("K'Brơi", "K'Brơi"),
        ("K’BRƠI", "K'Brơi"),
        ("h'hen niê", "H'Hen Niê"),
        ("Hồ Thị Nụ", "Hồ Thị Nụ"),
        ("Ka Să Ha-lim", "Ka Să Ha-lim"),
        (unicodedata.normalize("NFD", "Đỗ Hữu Kỷ"), "Đỗ Hữu Kỷ"),
        ("Bùi \u202eThị\u200b Ỷ", "Bùi Thị Ỷ"),
        ("𝐁ù𝐢 𝐇𝐨𝐚", "Bùi Hoa"),
        ("đỗ\nđăng", "Đỗ Đăng"),
        ("Y B\u0303ar", "Y B\u0303ar"),
    ],
)
def test_a_name_is_kept_as_its_owner_writes_it(typed: str, name: str) -> None:
    assert parse_name(typed) == name


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("Hoa", "one_word"),
        ("", "one_word"),
        ("   ", "one_word"),
        ("<b>Hoa</b> Bùi", "not_letters"),
        ("Hoa 1997", "not_letters"),
        ("Hoa 🌸 Bùi", "not_letters"),
        ("{{ ten }} Hoa", "not_letters"),
        ("Bùi, Hoa", "not_letters"),
        ("Hoa -", "not_letters"),
        ("' '", "not_letters"),
        ("a\u0301\u0302\u0303b Hoa", "not_letters"),
        ("=Bùi Hoa", "not_letters"),
        ("a " * MAX_LETTERS, "too_long"),
    ],
)
def test_what_is_no_full_name_says_why(typed: str, kind: str) -> None:
    with pytest.raises(NameProblem) as problem:
        parse_name(typed)
    assert problem.value.kind == kind


def test_the_longest_name_still_fits() -> None:
    assert parse_name("Bùi " + "a" * (MAX_LETTERS - 4))
    assert MAX_LETTERS == 64


@given(st.text() | st.text(st.sampled_from("aĐỷ '’-\u0301\u202e𝐁1<🌸"), max_size=20))
def test_a_name_once_read_reads_the_same_again(text: str) -> None:
    try:
        name = parse_name(text)
    except NameProblem:
        return
    assert parse_name(name) == name
    assert not set(name) & set("<>&{}=@")


def test_people_are_called_by_their_last_name() -> None:
    assert [short_name(name) for name in ("Bùi Thị Hoa", "Y Moan", "K'Brơi", "")] == ["Hoa", "Moan", "K'Brơi", ""]


IN_ORDER = ["an", "An", "àn", "ản", "ãn", "án", "ạn", "anh", "ăn", "ấn", "bo", "da", "đa", "Đa", "đá", "em", "êm"]
IN_ORDER += ["hoa", "hoa b", "hòa", "hỏa", "hoa thị", "họa văn", "hoaa", "hoài", "ô", "ơ", "u", "ư", "y", "ỷ", "z"]


def test_names_stand_in_the_order_of_the_vietnamese_alphabet() -> None:
    order = ["Bùi An", "Bùi Ân", "Bùi Thị Hoa", "Bùi Thị Hòa", "Bùi Văn A", "Đỗ Kỷ", "Hoa", "Hoàng", "Quách Ưởng"]
    assert sorted(reversed(order), key=sort_key) == order
    assert sorted(["dung", "đan", "da"], key=sort_key) == ["da", "dung", "đan"]
    assert sorted(["má", "mà", "mạ", "ma", "mã", "mả"], key=sort_key) == ["ma", "mà", "mả", "mã", "má", "mạ"]
    assert sorted(["Hoa", "hoa"], key=sort_key) == ["hoa", "Hoa"]


def test_any_text_has_a_place_in_the_order() -> None:
    assert sort_key("王") != sort_key("李")
    assert sorted(["王", "a1", "a 1", "", "🌸"], key=sort_key)[0] == ""


@pytest.mark.skipif(shutil.which("node") is None, reason="the oracle is the collator of Node")
def test_the_order_is_that_of_the_unicode_collator() -> None:
    shuffled = sorted(IN_ORDER, key=lambda name: name[::-1])
    script = "console.log(JSON.stringify(JSON.parse(process.argv[1]).sort(new Intl.Collator('vi').compare)))"
    oracle = subprocess.run(["node", "-e", script, json.dumps(shuffled)], capture_output=True, check=True, timeout=60)
    assert sorted(shuffled, key=sort_key) == json.loads(oracle.stdout)


def test_the_union_is_named_where_the_unit_bears_its_employers_name() -> None:
    assert union_of("Công ty TNHH May Hòa Phát") == "Công đoàn Công ty TNHH May Hòa Phát"
    for name in ("Công đoàn xã Cao Sơn", "Liên đoàn Lao động tỉnh", "Tổ chuyền 5", ""):
        assert union_of(name) == name
