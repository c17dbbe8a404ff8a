"""The anniversaries as they will be said: the right number of years on the right day, and no pack that says it wrongly."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest

from content.anniversaries import (
    AnniversaryPack,
    Planned,
    YearRelease,
    check_ordinals,
    load_anniversaries,
    planned,
)
from content.calendar import days_off, official, weekday
from content.source import ROOT, ContentError
from handlers.registry import COMMAND_NAMES
from tests.content import moon

PACK = load_anniversaries()
FILE = ROOT / "packs" / "anniversaries.yaml"


def year_of(year: int, pack: AnniversaryPack = PACK) -> list[Planned]:
    """Everything said for the days of one year; a message for early January would go out in December."""
    return as_it_stands(year) if pack is PACK else _of(year, pack)


@cache
def as_it_stands(year: int) -> list[Planned]:
    return _of(year, PACK)


def _of(year: int, pack: AnniversaryPack) -> list[Planned]:
    found = planned(pack, date(year - 1, 12, 1), 31 + 366)
    return [item for item in found if item.year == year]


def said(year: int, key: str, variant: str, audience: str = "all") -> Planned:
    (found,) = [i for i in year_of(year) if (i.anniversary, i.variant, i.audience) == (key, variant, audience)]
    return found


def planted(tmp_path: Path, before: str, after: str) -> str:
    """The problems of the pack with one change."""
    text = FILE.read_text(encoding="utf-8")
    assert before in text
    path = tmp_path / "anniversaries.yaml"
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_anniversaries(path)
    return str(caught.value)


# ---------------------------------------------------------------------------------------------------- which days


@pytest.mark.parametrize(
    ("key", "years"),
    [
        ("0302", (95, 96, 97, 98, 99, 100)), ("3004", (50, 51, 52, 53, 54, 55)), ("1905", (135, 136, 137, 138, 139, 140)),
        ("2807", (96, 97, 98, 99, 100, 101)), ("0209", (80, 81, 82, 83, 84, 85)),
    ],
)  # fmt: skip
def test_the_number_of_years_is_that_of_the_table(key: str, years: tuple[int, ...]) -> None:
    for year, ordinal in zip(range(2025, 2031), years, strict=True):
        found = [item for item in year_of(year) if item.anniversary == key]
        assert {item.ordinal for item in found} == {ordinal}
        assert all(f"{ordinal} năm" in item.text for item in found)


def test_the_plan_of_2025_names_the_same_numbers() -> None:
    plan = (ROOT / "packs" / "campaign-2025.yaml").read_text(encoding="utf-8")
    for key, words in (
        ("0302", "95 năm Ngày thành lập Đảng Cộng sản Việt Nam (03/02/1930 - 03/02/2025)"),
        ("3004", "50 năm Ngày Giải phóng hoàn toàn miền Nam, thống nhất đất nước (30/4/1975 - 30/4/2025)"),
        ("1905", "135 năm Ngày sinh Chủ tịch Hồ Chí Minh (19/5/1890 - 19/5/2025)"),
        ("2807", "96 năm Ngày thành lập Công đoàn Việt Nam (28/7/1929 - 28/7/2025)"),
    ):
        assert words in plan
        variant = "tet" if key == "0302" else "t0"
        assert words.replace(" - ", " – ") in said(2025, key, variant).text.replace("trọng thể ", "")


def test_each_day_is_announced_and_marked_once_or_in_one_merged_message() -> None:
    for year in range(1990, 2100):
        kinds: dict[str, list[str]] = {}
        for item in year_of(year):
            if item.audience == "all":
                kinds.setdefault(item.anniversary, []).append(item.variant)
        for key in ("3004", "1905", "2807", "0209"):
            assert kinds[key] == ["t3", "t0"]
        assert kinds["0302"] in (["t3", "t0"], ["tet"])
        # Tết is wished once: on its own, or together with 03/02.
        assert ("al0101" in kinds) == (kinds["0302"] != ["tet"]) and kinds.get("al0101", ["tet"]) == ["tet"]
        for key in ("0101", "0803", "al1003", "0105", "0705", "1106", "2707", "1908", "2010", "2212"):
            assert kinds[key] == ["t0"], (key, year)
        assert kinds.get("2411") == (["t3", "t0"] if year >= 2026 else None)
        assert "th05" not in kinds and "th05at" not in kinds
        keys = [(item.key, item.audience) for item in year_of(year)]
        assert len(set(keys)) == len(keys)


def test_three_days_before_is_never_a_sunday_and_says_how_many_days_are_left() -> None:
    moved = 0
    for year in range(1990, 2100):
        for item in year_of(year):
            if item.variant == "t3":
                left = (item.day - item.on).days
                assert item.on.weekday() != 6 and left == (4 if (item.day - timedelta(days=3)).weekday() == 6 else 3)
                assert item.text.startswith(f"Còn {left} ngày nữa")
                moved += left == 4
            elif item.variant == "t0":
                assert item.on == item.day
    assert moved > 50
    # 27/4/2025 is a Sunday
    assert said(2025, "3004", "t3").on == date(2025, 4, 26)


@pytest.mark.parametrize(
    ("year", "on"),
    [(2025, date(2025, 1, 25)), (2027, date(2027, 1, 30)), (2028, date(2028, 1, 22)), (2030, date(2030, 1, 30))],
)  # fmt: skip
def test_around_tet_one_message_stands_for_both(year: int, on: date) -> None:
    (item,) = [item for item in year_of(year) if item.anniversary == "0302"]
    assert (item.variant, item.on, item.key) == ("tet", on, f"kn:0302:{year}:tet")


def test_tet_merges_exactly_the_years_that_sun_and_moon_say() -> None:
    """An independent reckoning of the lunar months, for every year that can be asked."""
    merged = 0
    for year in range(1990, 2100):
        last_month, tet = moon.tet(year)
        day = date(year, 2, 3)
        near = any(
            last_month + timedelta(days=22) <= each <= tet + timedelta(days=5)
            for each in (day, day - timedelta(days=3))
        )
        items = [item for item in year_of(year) if item.anniversary == "0302" and item.audience == "all"]
        assert [item.variant for item in items] == (["tet"] if near else ["t3", "t0"]), year
        if near:
            merged += 1
            (item,) = items
            days_before = [day - timedelta(days=3), last_month + timedelta(days=26)]  # T-3; 27 tháng Chạp
            latest = min(each - timedelta(days=each.weekday() == 6) for each in days_before)
            assert item.on == latest and item.on.weekday() != 6, year
            assert item.on < last_month + timedelta(days=27)  # before 28 tháng Chạp
    assert 20 < merged < 90


def test_the_merged_message_wishes_the_new_year_by_its_name() -> None:
    assert "đón Tết Canh Tuất" in said(2030, "0302", "tet").text and "100 năm" in said(2030, "0302", "tet").text
    assert "đón Tết Đinh Mùi" in said(2027, "0302", "tet").text  # sent before Tết, named for the year that comes


# ---------------------------------------------------------------------------------------------------- sun, moon, days off


ALL = {
    "0101", "al0101", "0302", "0803", "al1003", "2804", "3004", "0105", "th05", "th05at", "0705", "1905", "1106", "2707",
    "2807", "1908", "0209", "1010", "2010", "0911", "2411", "2212",
}  # fmt: skip
"""The days of the fact sheet, §4.1; all those of its §9 are among them."""


def test_every_day_of_the_fact_sheet_is_there_with_its_source() -> None:
    assert {anniversary.key for anniversary in PACK.anniversaries} == ALL
    assert all(anniversary.source for anniversary in PACK.anniversaries)
    assert {each.key for each in PACK.anniversaries if each.confidence == "C"} == {"2804", "1010", "0911"}


@pytest.mark.parametrize(
    ("key", "origin", "of_2026", "of_2027"),
    [
        ("0302", 1930, 96, 97), ("0803", 1910, 116, 117), ("3004", 1975, 51, 52), ("0105", 1886, 140, 141),
        ("1905", 1890, 136, 137), ("0705", 1954, 72, 73), ("1106", 1948, 78, 79), ("2707", 1947, 79, 80),
        ("2807", 1929, 97, 98), ("1908", 1945, 81, 82), ("0209", 1945, 81, 82), ("2010", 1930, 96, 97), ("2212", 1944, 82, 83),
    ],
)  # fmt: skip
def test_the_years_are_those_of_the_fact_sheet(key: str, origin: int, of_2026: int, of_2027: int) -> None:
    assert PACK.get(key).origin == origin
    for year, ordinal in ((2026, of_2026), (2027, of_2027)):
        found = {item.ordinal for item in year_of(year) if item.anniversary == key}
        assert found == {ordinal} and all(f"{ordinal} năm" in i.text for i in year_of(year) if i.anniversary == key)
    for year in range(max(1990, origin + 1), 2100):  # an oracle that only counts
        assert {item.ordinal for item in year_of(year) if item.anniversary == key} == {len(range(origin, year))}


def test_the_days_of_the_moon_are_those_of_an_independent_reckoning_in_every_year() -> None:
    for year in range(1990, 2100):
        tet, ancestors = PACK.get("al0101").day(year), PACK.get("al1003").day(year)
        assert (tet, ancestors) == (moon.tet(year)[1], moon.ancestors_day(year))
        (item,) = [item for item in year_of(year) if item.anniversary == "al1003"]
        assert item.on == ancestors and official(item.on) in item.text
        for wish in [item for item in year_of(year) if item.anniversary == "al0101"]:
            assert wish.day == tet and f"mùng Một là {weekday(tet)}, {official(tet)}" in wish.text
            assert wish.on < moon.tet(year)[0] + timedelta(days=27) and wish.on.weekday() != 6


def test_nothing_is_planned_into_the_silence_of_tet() -> None:
    for year in range(1990, 2100):
        tet = moon.tet(year)[1]
        silent = {tet + timedelta(days=n) for n in range(-2, 3)}
        assert not [item for item in year_of(year) if item.on in silent]


def test_of_two_days_that_meet_one_is_marked() -> None:
    met = [year for year in range(1990, 2100) if (day := moon.ancestors_day(year)).month == 4 and day.day == 28]
    assert met == [2004, 2015, 2034, 2053, 2091]
    for year in range(1990, 2100):
        days = [item.on for item in year_of(year) if item.variant == "t0" and item.audience == "all"]
        assert len(set(days)) == len(days)
        assert ("2804" in {item.anniversary for item in year_of(year)}) == (year not in met)


def test_days_off_are_those_of_the_labour_code_and_from_2026_the_culture_day() -> None:
    """Fact LD-63: eleven by the Labour Code (art. 112), twelve with 24/11 from 2026."""
    for year in range(2021, 2100):
        given = {each.key: each.days_off(year) for each in PACK.anniversaries if each.days_off(year)}
        assert given == {"0101": 1, "al0101": 5, "al1003": 1, "3004": 1, "0105": 1, "0209": 2} | (
            {"2411": 1} if year >= 2026 else {}
        )
        assert sum(given.values()) == len(days_off(year)) == (12 if year >= 2026 else 11)
        assert {each.day(year) for each in PACK.anniversaries if each.key in given} <= set(days_off(year))
    assert not any(each.days_off(2020) for each in PACK.anniversaries) and days_off(2020) == ()


def test_a_month_has_no_message_of_its_own_and_its_day_speaks_of_it() -> None:
    for key in ("th05", "th05at"):
        month = PACK.get(key)
        assert month.day(2027) == date(2027, 5, 1) and not [i for i in year_of(2027) if i.anniversary == key]
        assert month.name in said(2027, month.together, "t0").text


def test_what_is_only_remembered_waits_for_somebody_who_looked_it_up() -> None:
    released = YearRelease.model_validate(
        {"proofread_by": "A", "proofread_on": "2027-01-05", "approved_by": "B", "approved_on": "2027-01-06"}
    )
    pack = PACK.model_copy(update={"approvals": {2027: released}})
    assert {item.anniversary for item in year_of(2027, pack) if not item.approved} == {"2804", "1010", "0911"}
    signed = {"checked_by": "Vũ Ngọc Mai", "checked_on": date(2027, 1, 4)}
    days = tuple(each.model_copy(update=signed) if each.key == "1010" else each for each in PACK.anniversaries)
    pack = pack.model_copy(update={"anniversaries": days})
    assert {item.anniversary for item in year_of(2027, pack) if not item.approved} == {"2804", "0911"}


# ---------------------------------------------------------------------------------------------------- names


def test_another_name_is_a_setting_and_stands_in_every_text() -> None:
    pack = load_anniversaries(names={"3004": "central", "2212": "both"})
    texts = [item.text for item in year_of(2027, pack) if item.anniversary == "3004"]
    assert all("52 năm Ngày Giải phóng miền Nam, thống nhất đất nước (30/4/1975" in text for text in texts)
    assert "hoàn toàn" in said(2027, "3004", "t0").text
    assert "Ngày hội Quốc phòng toàn dân" in next(i.text for i in year_of(2027, pack) if i.anniversary == "2212")
    # Whatever the name, a wrong number beside any of them is found.
    for name in ("Giải phóng hoàn toàn miền Nam, thống nhất đất nước", "Giải phóng miền Nam, thống nhất đất nước"):
        assert check_ordinals(pack, f"Kỷ niệm 51 năm Ngày {name} 30/4/2027", date(2027, 4, 1)) == [("3004", 51, 52)]


@pytest.mark.parametrize(
    ("names", "problem"),
    [({"3004": "long"}, "3004 has no name 'long'; it has: central, law"), ({"3104": "law"}, "there is no day '3104'")],
)
def test_a_name_that_is_not_there_stops_the_start(names: dict[str, str], problem: str) -> None:
    with pytest.raises(ContentError) as caught:
        load_anniversaries(names=names)
    assert problem in str(caught.value) and "CONGDOAN_DAY_NAMES" in str(caught.value)


# ---------------------------------------------------------------------------------------------------- what is said


def test_only_years_that_end_in_0_or_5_are_solemn() -> None:
    for year in range(2025, 2036):
        for item in year_of(year):
            if item.variant == "t0":
                round_year = item.ordinal > 0 and item.ordinal % 5 == 0
                assert ("trọng thể" in item.text) == round_year == item.solemn, item.key
    assert said(2029, "2807", "t0").text.startswith(
        "Hôm nay 28/7/2029, đoàn viên, người lao động cả nước kỷ niệm trọng thể 100 năm Ngày thành lập Công đoàn Việt Nam"
    )
    assert said(2025, "0209", "t0").text.startswith("Hôm nay 02/9/2025, cả nước kỷ niệm trọng thể 80 năm Quốc khánh")


def test_the_law_of_holiday_pay_goes_to_enterprise_workers_only() -> None:
    for key in ("3004", "0209", "2411"):
        plain, workers = said(2026, key, "t3"), said(2026, key, "t3", "enterprise")
        assert "300%" not in plain.text and plain.key == workers.key
        assert workers.text.startswith(plain.text) and "ít nhất 300% tiền lương, chưa kể lương ngày" in workers.text
        assert "Điều 98 Bộ luật Lao động 2019" in workers.text
    assert {item.audience for year in range(2025, 2031) for item in year_of(year)} == {"all", "enterprise"}


def test_every_text_of_every_year_fits_a_lock_screen_and_is_one_no_one_can_mind() -> None:
    for year in range(1990, 2100):
        for item in year_of(year):
            assert len(item.text) <= 350 and item.text.count("\n") < 5, (item.key, len(item.text))
            assert item.text == item.text.strip() and "{" not in item.text and "&" not in item.text


def test_no_text_says_what_is_disputed_or_no_longer_holds() -> None:
    """Fact sheet §1, §4 (what is marked with a warning), §7.1, §8.2."""
    texts = " ".join(item.text for year in (2026, 2027, 2030) for item in year_of(year))
    for trap in (
        "Hòa Bình", "huyện", "Đại hội XIII", "11 ngày", "12 ngày", "Cửu Long", "Hương Cảng", "Ái hữu", "Trần Hưng Đạo", "1952",
        "lần thứ", "Đền Hùng", "Bến Nhà Rồng", "23/11",
    ):  # fmt: skip
        assert trap not in texts, trap


def test_a_year_without_both_signatures_is_listed_and_not_approved() -> None:
    five = {"0302", "3004", "1905", "2807", "0209"}
    assert {item.anniversary for item in year_of(2025) if item.approved} == five
    assert {item.left_out for item in year_of(2025) if not item.approved} == {True}
    assert not any(item.approved or item.left_out for item in year_of(2026))
    assert not any(item.approved for item in year_of(2050))


# ---------------------------------------------------------------------------------------------------- planted misprints


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('key: "2807"', 'key: "2708"', "2708 is not the day and month of 1929-07-28"),
        ('founded: "1929-07-28"', 'founded: "28/7/1929"', "founded"),
        ("kỷ niệm {{ n }} năm {{ name }} ({{ span }}).", "kỷ niệm 97 năm {{ name }} ({{ span }}).", "'97 năm' is typed"),
        ("Thi đua lập thành tích", "Năm 2026 thi đua lập thành tích", "'2026' is typed"),
        ("còn được trả thêm", "còn được trả thêm năm 2026", "'2026' is typed"),
        ("kỷ niệm {{ n }} năm {{ name }}", "kỷ niệm {{ name }}", "does not say how many years"),
        ("{{ can_chi }}", "{{ canchi }}", "'canchi' is undefined"),
        ("{{ span }}", "{{ span }", "unexpected '}'"),
        ("mỗi tổ một việc tốt", "mỗi tổ một việc tốt 🎉", "no emoji on a national day"),
        ("sức khỏe", "sức khoẻ", "the tone mark of 'khoẻ' stands on the wrong letter"),
        ("Tự hào", "Tự hào".replace("ự", "u\u031b\u0323"), "not NFC"),
        ("quê hương giàu đẹp", "quê hương giàu đẹp" + " và hạnh phúc" * 20, "characters, at most 350 fit"),
        ("thống nhất Tổ quốc. Chúc", "thống nhất Tổ quốc.\n        .\n        .\n        .\n        Chúc", "more than 5 lines"),
        ("enterprise:", "worker:", "unknown audience worker"),
        ('together: "0105"', 'together: "0106"', "there is no day '0106'"),
        ("key: al1003", "key: al1013", "is no day and month"),
        ('covers: ["0302"', 'covers: ["0303"', "there is no day '0303'"),
        ("      tet: |", "      tets: |", "tets"),
    ],
)  # fmt: skip
def test_a_planted_misprint_is_refused_with_its_file_and_line(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    problems = planted(tmp_path, before, after)
    assert said in problems
    line = FILE.read_text(encoding="utf-8").split(before)[0].count("\n") + 1
    places = [
        int(each.split("anniversaries.yaml:")[1].split(":")[0]) for each in problems.splitlines() if "yaml:" in each
    ]
    assert any(line - 8 <= place <= line for place in places), (line, problems)


def test_a_day_around_tet_needs_the_merged_text(tmp_path: Path) -> None:
    text = FILE.read_text(encoding="utf-8")
    start = text.index("      tet: |", text.index('key: "0302"'))
    end = text.index('  - key: "0803"')
    problems = planted(tmp_path, text[start:end], "")
    assert "needs a text 'tet'" in problems


def test_a_counted_day_says_its_years_and_a_check_has_a_name_and_a_day(tmp_path: Path) -> None:
    assert "does not say how many years" in planted(tmp_path, 'first: "2026"', 'since: "2025"')
    half = planted(tmp_path, "    confidence: C", "    confidence: C\n    checked_by: Vũ Ngọc Mai")
    assert "checked_by and checked_on: a name and a day, or neither" in half


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    text = FILE.read_text(encoding="utf-8")
    block = text[text.index('  - key: "2807"') : text.index('  - key: "1908"')]
    assert "the key 2807 stands twice" in planted(tmp_path, block, block + block)


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    text = (
        FILE.read_text(encoding="utf-8")
        .replace("kỷ niệm {{ n }} năm", "kỷ niệm 97 năm")
        .replace("{{ can_chi }}", "{{ x }}")
    )
    path = tmp_path / "anniversaries.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_anniversaries(path)
    assert len(caught.value.problems) > 10
    assert all(problem.file and problem.line > 1 for problem in caught.value.problems)


def test_half_a_signature_approves_nothing(tmp_path: Path) -> None:
    assert "a name and a day, or neither" in planted(tmp_path, 'approved_on: "2025-01-08"', 'approved_on: ""')
    assert "approved before it was read" in planted(tmp_path, 'approved_on: "2025-01-08"', 'approved_on: "2025-01-05"')
    alone = planted(tmp_path, "approved_by: Đinh Quang Đại (nhân vật giả)", "approved_by: vũ ngọc mai (nhân vật giả)")
    assert "another person is needed" in alone


def test_what_is_said_is_plain_text(tmp_path: Path) -> None:
    """It is escaped once, where it is put into a message."""
    text = FILE.read_text(encoding="utf-8").replace(
        "name: Ngày thành lập Công đoàn Việt Nam", "name: Ngày \"Thử\" & 'lễ'"
    )
    path = tmp_path / "anniversaries.yaml"
    path.write_text(text, encoding="utf-8")
    (item,) = [i for i in year_of(2026, load_anniversaries(path)) if i.key == "kn:2807:2026:t0"]
    assert "97 năm Ngày \"Thử\" & 'lễ' (28/7/1929" in item.text


# ---------------------------------------------------------------------------------------------------- buttons


def test_the_days_that_ask_for_something_offer_it_with_one_button() -> None:
    buttons = {(item.anniversary, item.variant): item.button for item in year_of(2026) if item.button is not None}
    assert {place: (button.command, button.arg) for place, button in buttons.items()} == {
        ("3004", "t3"): ("onluat", "wages"),
        ("1905", "t3"): ("sangkien", "good_deed"),
        ("1010", "t0"): ("sangkien", ""),
        ("0911", "t0"): ("onluat", ""),
    }


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("command: sangkien", "command: sangkienn", "there is no command 'sangkienn'"),
        ("🌟 Kể một gương tốt", "🌟 Kể một gương tốt quanh mình nhé", "1 to 24 characters"),
        ('t3: {label: "🌟', 't4: {label: "🌟', "unknown variant t4"),
    ],
)
def test_a_button_that_leads_nowhere_stops_the_start_with_its_line(
    tmp_path: Path, before: str, after: str, problem: str
) -> None:
    text = FILE.read_text(encoding="utf-8")
    path = tmp_path / "anniversaries.yaml"
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    line = text[: text.index(before)].count("\n") + 1
    with pytest.raises(ContentError) as caught:
        load_anniversaries(path, COMMAND_NAMES)
    assert problem in str(caught.value) and f":{line}:" in str(caught.value)
