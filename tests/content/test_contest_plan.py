"""A contest's plan: what each setting may be written like, the same from a file and typed, and every fault with its line."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from content.calendar import LOCAL
from content.contest_file import plan, read_contest
from content.contest_plan import (
    BY_NAME,
    COLLECTIVE,
    GROUPS,
    LEVELS,
    ORDER,
    ROUND,
    Context,
    Unreadable,
    check_round,
    read_settings,
    stored,
    usual_week,
)
from content.contest_rules import context_of, fault_text
from content.ranking import CRITERIA
from db.models import Audience
from tests.desks import PLAN, TABLE
from tests.people import START, spoken

WORDS, PACKS = spoken()
CONTEXT = context_of(PACKS.bank, START)
PLENTY = dict.fromkeys(PACKS.bank.topics, 1000)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=LOCAL)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("opens_at", "7 giờ 28/7/2025", at(2025, 7, 28, 7)),
        ("opens_at", "28/7/2025 7:00", at(2025, 7, 28, 7)),
        ("opens_at", "2025-07-28 07:00", at(2025, 7, 28, 7)),
        ("opens_at", "7h thứ hai 28/7/2025", at(2025, 7, 28, 7)),
        ("quota", "membership: 6, wages: 2", {"membership": 6, "wages": 2}),
        ("quota", "Quyền gia nhập 6; Tiền lương, làm thêm, nghỉ lễ: 2", {"membership": 6, "wages": 2}),
        ("quota", "tien luong 3", {"wages": 3}),
        ("minutes", "15 phút", 15),
        ("prediction", "khong", False),
        ("ranking", "thời gian, dự đoán, bốc thăm", ["time", "prediction", "lots"]),
        ("bands", "0, 50, 200, 500", [0, 50, 200, 500]),
        ("bands", "100 300", [0, 100, 300]),
        ("groups", "tất cả", []),
        ("groups", "công chức, viên chức; cán bộ công đoàn", ["public", "officer"]),
        ("prizes", "không", []),
        ("prizes", "1 giải Nhất: 500.000 đồng; 2 giải Nhì", [
            {"key": "nhat", "name": "Nhất", "count": 1, "worth": "500.000 đồng"},
            {"key": "nhi", "name": "Nhì", "count": 2, "worth": ""}]),
        ("prizes", "1 giai nhat 500k, 2 giai khuyen khich 1,5 trieu va 1 giai ba: 1 noi com", [
            {"key": "nhat", "name": "Nhất", "count": 1, "worth": "500.000 đồng"},
            {"key": "khuyen-khich", "name": "Khuyến khích", "count": 2, "worth": "1.500.000 đồng"},
            {"key": "ba", "name": "Ba", "count": 1, "worth": "1 noi com"}]),
        ("prizes", "1 giải Nhất: 500.000 đồng, 1 giấy khen", [
            {"key": "nhat", "name": "Nhất", "count": 1, "worth": "500.000 đồng, 1 giấy khen"}]),
        ("prizes", "ko co", []),
        ("prediction", "dạ có", True),
        ("collective", "tỷ lệ [cấp trên]: Giải Nhất (cờ)", [
            {"key": "ratio", "name": "Giải Nhất", "worth": "cờ", "level": "upper"}]),
    ],
)  # fmt: skip
def test_what_is_written_is_read_and_can_be_read_again_from_what_is_kept(name: str, text: str, value: object) -> None:
    setting = BY_NAME[name]
    assert setting.read(text, CONTEXT) == value
    for again in (stored(setting, value, CONTEXT), setting.write(value, CONTEXT)):
        assert setting.read(again, CONTEXT) == value


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("opens_at", "sáng sớm", "moment"), ("opens_at", "2025-13-01 07:00", "moment"), ("minutes", "0", "number"),
        ("minutes", "mười", "number"), ("prediction", "có lẽ", "yes_no"), ("quota", "nhiều câu", "quota"),
        ("quota", "thể thao 3", "topic"), ("quota", "o 3", "topic"), ("ranking", "bốc thăm, thời gian", "ranking"),
        ("ranking", "chiều cao", "unknown"), ("bands", "500, 50", "bands"), ("prizes", "một tivi", "prizes"),
        ("prizes", "1 giải Nhất; 2 giải Nhất", "prizes"), ("prizes", "1 nhat 500k, 2 nhi 300k", "prizes"),
        ("prizes", "1 giai nhat 500k 2 giai nhi 300k", "prizes"), ("prizes", "1 nhat, 2 nhi", "prizes"), ("collective", "đông nhất", "collective"),
        ("groups", "trẻ em", "unknown"), ("theme", " ", "line"),
    ],
)  # fmt: skip
def test_what_says_nothing_usable_is_named_with_its_remedy(name: str, text: str, key: str) -> None:
    with pytest.raises(Unreadable) as raised:
        BY_NAME[name].read(text, CONTEXT)
    assert raised.value.key == key
    assert WORDS.plain(f"contest_desk.fault_{key}", **raised.value.params)


def test_what_is_usual_is_the_usual_rulebook() -> None:
    assert usual_week(START) == {
        "opens_at": "2025-07-28 07:00", "closes_at": "2025-08-03 21:00", "result_at": "2025-08-05 17:00"
    }  # fmt: skip
    texts = usual_week(START) | {"theme": "Luật", "quota": "membership 6", "prizes": "1 giải Nhất"}
    values, faults = read_settings(ROUND, texts, CONTEXT)
    assert not faults and values["minutes"] == 10 and values["attempts"] == 2 and values["complaint_days"] == 3
    assert values["ranking"] == list(CRITERIA) and set(ORDER) == set(CRITERIA)
    assert (
        values["bands"] == [0, 50, 200, 500]
        and set(LEVELS) == {"grassroots", "upper"}
        and set(COLLECTIVE) == {"number", "ratio"}
    )
    assert set(GROUPS) == {group.value for group in Audience}


GOOD: dict[str, Any] = {
    "opens_at": START + timedelta(days=1), "closes_at": START + timedelta(days=2), "result_at": START + timedelta(days=3),
    "quota": {"wages": 2}, "prizes": [{"count": 1}], "ranking": ["time"], "prediction": True, "pilot": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, None),
        ({"opens_at": START}, ("opens_at", "past")),
        ({"closes_at": START + timedelta(days=1)}, ("closes_at", "before_opening")),
        ({"result_at": START + timedelta(days=2)}, ("result_at", "before_closing")),
        ({"quota": {"wages": 3}}, ("quota", "bank")),
        ({"quota": {"safety": 1}}, ("quota", "bank")),
        ({"prizes": []}, ("prizes", "no_prizes")),
        ({"prizes": [], "pilot": True}, None),
        ({"prediction": False, "ranking": ["prediction"]}, ("ranking", "no_prediction")),
    ],
)
def test_a_round_that_could_not_be_held_like_this_is_refused(
    change: dict[str, Any], fault: tuple[str, str] | None
) -> None:
    found = check_round(GOOD | change, {"wages": 10}, START)
    assert [(each.name, each.key) for each in found] == ([fault] if fault else [])


def test_a_file_of_either_kind_becomes_the_same_plan(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    (tmp_path / "plan.xlsx").write_bytes(TABLE)
    by_yaml = plan(read_contest(tmp_path / "plan.yaml"), PLENTY, CONTEXT)
    by_table = plan(read_contest(tmp_path / "plan.xlsx"), PLENTY, CONTEXT)
    assert not by_yaml.faults and not by_table.faults
    assert by_yaml.contest["name"] == by_table.contest["name"] == "Tìm hiểu Luật Công đoàn 2025"
    assert by_yaml.contest["one_prize"] is True and by_yaml.contest["legal_basis"] == "Kế hoạch số 25/KH-LĐLĐ"
    first, table = by_yaml.rounds[0], by_table.rounds[0]
    assert len(by_yaml.rounds) == 2 and len(by_table.rounds) == 1
    assert {name: first[name] for name in first if first[name] != table[name]} == {
        "quota": {"membership": 3, "finance": 1}, "prizes": first["prizes"]
    }  # fmt: skip
    assert first["prizes"][1] == {"key": "nhi", "name": "Nhì", "count": 2, "worth": "300.000 đồng"}
    second = by_yaml.rounds[1]
    assert second["quota"] == {"wages": 2, "insurance": 2} and second["prediction"] is False and second["minutes"] == 12


def test_every_fault_of_a_file_is_named_at_once_with_its_line_and_remedy(tmp_path: Path) -> None:
    wrong = PLAN.replace("28/7/2025 7:00", "24/7/2025 7:00").replace("finance: 1", "thể thao: 1")
    wrong = wrong.replace("minutes: 12", "minutes: 500").replace("unit: TINH\n", "màu: xanh\n")
    wrong = wrong.replace("2025-08-04 07:00", "2025-08-03 07:00")
    (tmp_path / "plan.yaml").write_text(wrong, encoding="utf-8")
    file = read_contest(tmp_path / "plan.yaml")
    found = plan(file, {"wages": 9, "insurance": 10}, CONTEXT).faults
    assert {(file.line(each), each.name, each.key) for each in found} == {
        (2, "màu", "strange"), (1, "unit", "missing"), (6, "opens_at", "past"), (9, "quota", "topic"),
        (17, "quota", "bank"), (18, "minutes", "number"), (14, "opens_at", "overlap"),
    }  # fmt: skip
    lines = [fault_text(WORDS, PACKS.bank, each) for each in found]
    assert any(
        line.startswith("Tuần 2, số câu theo chủ đề: chủ đề tiền lương") and "ít nhất 10" in line for line in lines
    )


def test_a_contest_needs_a_round(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text("name: Thi\nunit: TINH\n", encoding="utf-8")
    found = plan(read_contest(tmp_path / "plan.yaml"), PLENTY, Context(START, {})).faults
    assert [each.key for each in found] == ["rounds"]
