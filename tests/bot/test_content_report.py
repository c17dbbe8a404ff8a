"""`congdoan calendar` and `congdoan content`: what others script against, and what waits for a person."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import content_report
from content.anniversaries import load_anniversaries
from tests.bot.test_cli import congdoan
from tests.people import spoken

FIELDS = {
    "at", "key", "kind", "name", "day", "ordinal", "days_off", "audience", "text", "card", "approved", "left_out",
    "proofread_by", "approved_by",
}  # fmt: skip


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONGDOAN_DATA_DIR", str(tmp_path))


def listed(*options: str) -> list[dict[str, Any]]:
    found = json.loads(congdoan("calendar", *options, "--json").stdout)
    assert isinstance(found, list) and all(set(entry) == FIELDS for entry in found)
    return found


def test_a_year_is_listed_with_the_fields_and_the_hours_of_the_default_shift() -> None:
    found = listed("--from", "2025-01-01", "--days", "365")
    plain = [(e["at"], e["key"], e["ordinal"]) for e in found if e["audience"] == "all" and not e["left_out"]]
    assert plain == [
        ("2025-01-25T17:00:00+07:00", "kn:0302:2025:tet", 95),
        ("2025-04-26T17:00:00+07:00", "kn:3004:2025:t3", 50), ("2025-04-30T07:00:00+07:00", "kn:3004:2025:t0", 50),
        ("2025-05-16T17:00:00+07:00", "kn:1905:2025:t3", 135), ("2025-05-19T07:00:00+07:00", "kn:1905:2025:t0", 135),
        ("2025-07-25T17:00:00+07:00", "kn:2807:2025:t3", 96), ("2025-07-28T07:00:00+07:00", "kn:2807:2025:t0", 96),
        ("2025-08-30T17:00:00+07:00", "kn:0209:2025:t3", 80), ("2025-09-02T07:00:00+07:00", "kn:0209:2025:t0", 80),
    ]  # fmt: skip
    assert {e["audience"] for e in found} == {"all", "enterprise", "registered"}
    assert all(e["approved"] != e["left_out"] for e in found)
    assert {e["approved_by"] for e in found} == {"Đinh Quang Đại (nhân vật giả)"}
    assert {e["key"].split(":")[3] for e in found if e["card"]} == {"t0", "tet"}
    assert {e["key"].split(":")[1]: e["days_off"] for e in found if e["days_off"]} == {
        "0101": 1, "al1003": 1, "3004": 1, "0105": 1, "0209": 2,
    }  # fmt: skip
    assert [(e["name"], e["day"], e["text"]) for e in found if e["kind"] == "month"] == [
        ("Tháng Công nhân", "2025-05-01", ""), ("Tháng hành động về an toàn, vệ sinh lao động", "2025-05-01", ""),
    ]  # fmt: skip
    assert [e["at"] for e in found] == sorted(e["at"] for e in found)


def test_the_question_before_the_end_of_a_round_is_listed_too_and_has_no_ordinal() -> None:
    found = [e for e in listed("--from", "2025-06-01", "--days", "365") if e["kind"] == "check"]
    assert [(e["at"], e["key"], e["ordinal"], e["approved"]) for e in found] == [
        ("2025-06-20T11:30:00+07:00", "check:2025:1", None, True), ("2025-12-20T11:30:00+07:00", "check:2025:2", None, True),
    ]  # fmt: skip
    assert found[1]["text"].startswith("Đợt 2 còn 11 ngày.")


def test_what_waits_for_approval_is_listed_and_marked() -> None:
    found = listed("--from", "2026-01-01", "--days", "365")
    assert len(found) > 30 and not any(e["approved"] or e["left_out"] for e in found)
    shown = congdoan("calendar", "--from", "2026-07-20", "--days", "10").stdout
    assert shown.count("[waits for approval]") == 3 and "97 năm" in shown
    released = congdoan("calendar", "--from", "2025-07-27", "--days", "2").stdout
    assert "[read by Vũ Ngọc Mai (nhân vật giả), released by Đinh Quang Đại (nhân vật giả)]" in released
    assert "[left out by Đinh Quang Đại (nhân vật giả)]" in released and "(card)" in released


def test_the_chosen_names_stand_in_the_calendar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONGDOAN_DAY_NAMES", "3004=central")
    named = [e for e in listed("--from", "2027-04-30", "--days", "1") if e["key"] == "kn:3004:2027:t0"]
    assert "52 năm Ngày Giải phóng miền Nam, thống nhất đất nước (30/4/1975" in named[0]["text"]
    monkeypatch.setenv("CONGDOAN_DAY_NAMES", "3004=longest")
    assert "3004 has no name 'longest'" in congdoan("calendar", ok=False).stderr


@pytest.mark.parametrize("year", [1990, 2029, 2030, 2099])
def test_any_year_can_be_asked(year: int) -> None:
    found, anniversaries = listed("--from", f"{year}-01-01", "--days", "365"), load_anniversaries()
    for entry in found:
        if entry["kind"] == "anniversary":
            anniversary = anniversaries.get(entry["key"].split(":")[1])
            if anniversary.origin is not None:
                assert entry["ordinal"] == year - anniversary.origin and f"{entry['ordinal']} năm" in entry["text"]
            at = datetime.fromisoformat(entry["at"])
            assert at.utcoffset() == timedelta(hours=7) and at.year == year
    assert len({(e["key"], e["audience"]) for e in found}) == len(found) >= 22


@pytest.mark.parametrize("start", ["1989-12-31", "2100-01-01", "0001-01-01", "9999-12-31"])
def test_a_year_that_cannot_be_planned_is_named_with_those_that_can(start: str) -> None:
    assert "1990-01-01 to 2099-12-31" in congdoan("calendar", "--from", start, ok=False).stderr


def test_a_span_beyond_the_last_year_ends_with_it() -> None:
    assert [e["key"] for e in listed("--from", "2099-12-01", "--days", "40000")] == ["kn:2212:2099:t0"]
    assert len(listed("--from", "1990-01-01", "--days", "40000")) > 2400


def test_every_question_is_listed_with_what_it_rests_on() -> None:
    found = json.loads(congdoan("content", "questions", "--json").stdout)
    assert len(found) >= 80
    for question in found:
        assert set(question) == {
            "id", "topic", "stem", "options", "answer", "explanation", "citation", "fact", "confidence", "valid_from",
            "valid_to", "reviewed_by", "reviewed_on", "level", "state", "note",
        }  # fmt: skip
        assert len(question["options"]) == 4 and 0 <= question["answer"] < 4
        date.fromisoformat(question["valid_from"])
        # What is known from elsewhere than the law itself may know no article; it is asked only after a review.
        assert question["confidence"] == "B" or "Điều" in question["citation"]
        assert question["confidence"] in ("A", "A*", "A-ocr", "B")


@dataclass
class Fixed:
    day: date

    def now(self) -> datetime:
        return datetime.combine(self.day, time(12), UTC)


@pytest.mark.parametrize("day", [date(2026, 11, 27), date(2100, 1, 1)])
def test_the_check_refuses_questions_whose_law_has_ended(monkeypatch: pytest.MonkeyPatch, day: date) -> None:
    monkeypatch.setattr("bot.cli.Clock", lambda: Fixed(day))
    ended = spoken()[1].bank.ended(day)
    refused = congdoan("content", "check", ok=not ended).stderr
    assert len(refused.splitlines()) == (len(ended) + 1 if ended else 0)
    assert bool(ended) == (day.year == 2100) and all(str(problem) in refused for problem in ended)


def test_the_check_of_content_says_what_waits_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.cli.Clock", lambda: Fixed(date(2026, 11, 27)))
    said = congdoan("content", "check").stdout
    assert (
        "campaign 2025: 13 movements, released by" in said and "campaign 2026: 6 movements, waits for approval" in said
    )
    packs = spoken()[1]
    lines = content_report.summary(packs, date(2026, 7, 1))
    assert any("that wait for approval: 27" in line for line in lines)
    assert len([line for line in lines if "usable today" in line]) == len(packs.bank.topics)


@pytest.mark.parametrize(
    ("place", "facts", "questions", "not_there"),
    [
        (("Điều 27",), {"CD-48", "CD-51"}, {"cd-48", "cd-51b"}, "CD-53"),
        (("khoan 2 dieu 27", "luat cong doan"), {"CD-48", "CD-50"}, {"cd-48"}, "CD-51"),
        (("dieu 98 bo luat lao dong",), {"LD-48", "LD-49"}, {"ld-48", "ld-48b", "ld-49"}, "BH-"),
        (("97/2025",), {"CD-05", "CD-18", "CD-57"}, {"cd-18", "cd-57"}, "CD-16"),
        (("điểm c", "khoản 1", "Điều 98"), {"LD-48"}, {"ld-48"}, "ld-48b"),
    ],
)
def test_what_hangs_on_an_article_is_listed(
    place: tuple[str, ...], facts: set[str], questions: set[str], not_there: str
) -> None:
    said = congdoan("content", "law", *place).stdout.splitlines()
    named = {line.split("  ")[0] for line in said[:-1] if not line.startswith(" ")}
    assert facts | questions <= named and not any(name.startswith(not_there) for name in named)
    assert said[-1] == f"{sum(n.isupper() for n in named)} fact(s), {sum(n.islower() for n in named)} question(s)."


def test_an_article_that_nothing_cites_lists_nothing() -> None:
    assert congdoan("content", "law", "Điều 999").stdout == "0 fact(s), 0 question(s).\n"


def rows() -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in json.loads(congdoan("content", "questions", "--json").stdout)}


def test_a_named_person_approves_in_bulk_and_the_list_says_who_and_when() -> None:
    assert {row["state"] for row in rows().values()} == {"unreviewed"}
    told = congdoan(
        "content", "approve", "cd-16", "--topic", "finance", "--by", "Luật sư Trần Văn A", "--on", "2026-11-20"
    )
    finance = [row for row in rows().values() if row["topic"] == "finance"]
    assert f"{len(finance) + 1} question(s) approved by Luật sư Trần Văn A." in told.stdout
    assert all(row["reviewed_by"] == "Luật sư Trần Văn A" and row["reviewed_on"] == "2026-11-20" for row in finance)
    again = congdoan("content", "approve", "cd-16", "cd-17", "--by", "Bà Lê Thị B")
    assert "1 question(s) approved by Bà Lê Thị B, 1 were already" in again.stdout
    assert rows()["cd-16"]["reviewed_by"] == "Luật sư Trần Văn A"
    shown = congdoan("content", "questions").stdout
    assert (
        shown.count("approved by Bà Lê Thị B on") == 1
        and "cd-17  [membership, level" in shown
        and "unreviewed]" in shown
    )


def test_by_article_and_back_with_what_is_wrong() -> None:
    congdoan("content", "approve", "--article", "Điều 28 Luật Công đoàn", "--by", "Luật sư A")
    reviewed = {name for name, row in rows().items() if row["state"] == "approved"}
    assert {"cd-53", "cd-54", "cd-55"} <= reviewed and "cd-48" not in reviewed
    congdoan("content", "approve", "cd-54", "--by", "Luật sư B", "--back", "Thiếu điều kiện")
    row = rows()["cd-54"]
    assert (row["state"], row["note"], row["reviewed_by"]) == ("returned", "Thiếu điều kiện", "")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--by", "A"), "Name questions, a --topic or an --article"),
        (("cd-99x", "--by", "A"), "cd-99x: there is no such question"),
        (("--topic", "weather", "--by", "A"), "--topic weather: one of membership"),
        (("cd-16", "--by", " "), "--by: the name"),
        (("cd-16", "--by", "A", "--on", "hôm qua"), "--on hôm qua: expected a date"),
    ],
)
def test_what_is_wrong_with_an_approval_is_said_and_nothing_is_written(args: tuple[str, ...], told: str) -> None:
    assert told in congdoan("content", "approve", *args, ok=False).output
    assert {row["state"] for row in rows().values()} == {"unreviewed"}
