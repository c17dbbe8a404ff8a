"""The yearly campaign: the plan of 2025 whole and without its misprints, four groups, two rounds, and no pack that is wrong."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from content.campaigns import CARD, PAGE, PEOPLE, Campaign, campaign_for, load_campaigns
from content.source import ROOT, ContentError

PACKS = ROOT / "packs"
CAMPAIGNS = load_campaigns()
THIS, NEXT = CAMPAIGNS
MOVEMENTS = (
    "Lao động giỏi, lao động sáng tạo",
    "Đổi mới, sáng tạo, hiệu quả trong hoạt động của tổ chức Công đoàn",
    "Tham mưu giỏi, phục vụ tốt",
    "Giỏi việc nước, đảm việc nhà",
    "Xanh, sạch, đẹp, bảo đảm an toàn vệ sinh lao động",
    "Văn hóa, thể thao",
    "Năng suất cao hơn, chất lượng tốt hơn",
    "Năng suất - Chất lượng - Hiệu quả",
    "Đẩy mạnh phát triển kết cấu hạ tầng đồng bộ, hiện đại, thực hành tiết kiệm, chống lãng phí",
    "Cả nước chung sức xây dựng nông thôn mới",
    "Cả nước chung tay vì người nghèo, không để ai bị bỏ lại phía sau",
    "Cán bộ, công chức, viên chức thi đua thực hiện văn hóa công sở",
    "Cả nước thi đua xây dựng xã hội học tập, đẩy mạnh học tập suốt đời",
)
"""Every movement the plan names, as corrected (1-process §1.6)."""


def planted(tmp_path: Path, before: str, after: str, file: str = "campaign-2025.yaml") -> str:
    """The problems of a pack with one change, at the last place where it fits (the first may be a comment)."""
    text = (PACKS / file).read_text(encoding="utf-8")
    assert before in text
    (tmp_path / file).write_text(after.join(text.rsplit(before, 1)), encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_campaigns(tmp_path)
    return str(caught.value)


# ---------------------------------------------------------------------------------------------------- the plan of 2025


def test_every_movement_of_the_plan_is_there_spelled_as_in_the_plan() -> None:
    assert tuple(movement.name for movement in THIS.movements) == MOVEMENTS
    flowing = " ".join(" ".join(THIS.pages).split())
    for name in MOVEMENTS:
        assert f'"{name}"' in flowing, name


def test_the_theme_stands_in_the_plan_word_for_word() -> None:
    assert THIS.theme == "Tập trung phát triển đoàn viên; tham gia xây dựng Đảng trong sạch, vững mạnh"
    assert sum(page.count(f'"{THIS.theme}"') for page in THIS.pages) == 2


def test_the_two_rounds_fill_the_year_and_name_what_they_celebrate() -> None:
    for campaign in CAMPAIGNS:
        first, second = campaign.rounds
        assert (first.starts_on, first.ends_on) == (date(campaign.year, 1, 1), date(campaign.year, 6, 30))
        assert (second.starts_on, second.ends_on) == (date(campaign.year, 7, 1), date(campaign.year, 12, 31))
    for number in ("95 năm", "50 năm", "135 năm"):
        assert number in THIS.rounds[0].celebrates
    for number in ("96 năm", "80 năm"):
        assert number in THIS.rounds[1].celebrates


def test_every_day_of_the_year_belongs_to_one_round() -> None:
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(365)]
    assert [THIS.round_on(day) for day in days] == [1] * 181 + [2] * 184
    assert THIS.round_on(date(2024, 12, 31)) == THIS.round_on(date(2026, 1, 1)) == 0


def test_the_plan_is_whole_and_has_none_of_its_misprints() -> None:
    text = " ".join(THIS.pages)
    for part in (
        "I. MỤC ĐÍCH, YÊU CẦU",
        "II. NỘI DUNG THI ĐUA",
        "2.1.",
        "2.2.",
        "2.3.",
        "2.4.",
        "III. THỜI GIAN",
        "IV. TỔ CHỨC",
    ):
        assert part in text
    assert "nâng cao chất lượng thương lượng và ký kết thỏa ước lao động tập thể (TƯLĐTT)" in text
    assert "mắt trông, tai nghe" in text and "chủ động đối thoại" in text and "phấn đấu hoàn thành tốt" in text
    assert "Ban Thường vụ Liên đoàn Lao động (LĐLĐ) tỉnh" in text
    assert "Hòa Bình" not in text  # the demo's province is invented


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (r"\bLĐLD\b", "(LĐLĐ)"),
        (r"TULĐTT", "(TƯLĐTT)"),
        (r"(?i)đổi thoại", "chủ động đối thoại"),
        (r"(?i)nâng cao thương lượng", "nâng cao chất lượng thương lượng"),
        (r"(?i)đẩy mạnh suốt đời", "xây dựng xã hội học tập, đẩy mạnh học tập suốt đời"),
        (r"(?i)phấn đấu hoàn tốt", "phấn đấu hoàn thành tốt"),
    ],
)
def test_each_misprint_of_the_plan_is_corrected_wherever_it_stood(wrong: str, right: str) -> None:
    """One by one, those of 1-process §1.6; in cards, pages, movements and goals."""
    text = " ".join(" ".join(words) for words in spoken_by(THIS))
    assert not re.search(wrong, " ".join(text.split()))
    assert right in " ".join(" ".join(THIS.pages).split())


def spoken_by(campaign: Campaign) -> list[list[str]]:
    return [
        [campaign.theme, campaign.plan, *campaign.pages, *campaign.goals],
        [each.celebrates for each in campaign.rounds],
        [text for content in campaign.contents.values() for text in (content.card, *content.pages)],
        [movement.name for movement in campaign.movements],
    ]


def test_the_campaign_of_2026_has_the_theme_and_rounds_of_that_year_and_nothing_that_is_over() -> None:
    """1-process §0, point 4; what no longer holds since 2025 is the fact sheet's §7.1."""
    assert NEXT.theme == (
        "Đoàn viên, người lao động thi đua Đổi mới sáng tạo - Đẩy mạnh chuyển đổi số - Nâng cao năng suất, hiệu quả; "
        "đưa nghị quyết của Đảng, Mặt trận Tổ quốc và Công đoàn Việt Nam vào cuộc sống"
    )
    assert [(each.starts_on, each.ends_on) for each in NEXT.rounds] == [
        (date(2026, 1, 1), date(2026, 6, 30)), (date(2026, 7, 1), date(2026, 12, 31)),
    ]  # fmt: skip
    text = " ".join(" ".join(words) for words in spoken_by(NEXT))
    for over in ("2025", "Hòa Bình", "huyện", "Đại hội XIII", "Đại hội XVII", "96 năm", "Công đoàn ngành", "4 cấp"):
        assert over not in text, over


def test_there_is_a_card_for_each_of_the_four_groups_and_for_the_unions() -> None:
    for campaign in CAMPAIGNS:
        assert set(campaign.contents) == {*PEOPLE, "levels"}
        cards = [content.card for content in campaign.contents.values()]
        assert len(set(cards)) == 5 and all(len(card) <= CARD for card in cards)
        assert all(len(page) <= PAGE for page in campaign.pages)


@pytest.mark.parametrize(
    ("audience", "theirs", "not_theirs"),
    [
        ("officer", {"Đổi mới, sáng tạo, hiệu quả trong hoạt động của tổ chức Công đoàn"}, set()),
        ("enterprise", {"Năng suất cao hơn, chất lượng tốt hơn"}, {"Tham mưu giỏi, phục vụ tốt"}),
        ("public", {"Tham mưu giỏi, phục vụ tốt"}, {"Năng suất - Chất lượng - Hiệu quả"}),
        ("nonmember", {"Lao động giỏi, lao động sáng tạo"}, {"Tham mưu giỏi, phục vụ tốt"}),
    ],
)  # fmt: skip
def test_each_group_is_offered_its_movements(audience: str, theirs: set[str], not_theirs: set[str]) -> None:
    found = THIS.movements_for(audience)
    names = {movement.name for _, movement in found}
    assert theirs | {"Văn hóa, thể thao"} <= names and not names & not_theirs
    assert all(THIS.movements[n] is movement for n, movement in found)


def test_the_plan_of_2025_is_released_and_that_of_2026_waits() -> None:
    assert (THIS.year, THIS.approved) == (2025, True)
    assert (NEXT.year, NEXT.approved) == (2026, False)
    assert "Đổi mới sáng tạo - Đẩy mạnh chuyển đổi số" in NEXT.theme
    assert not any(movement.launched_by == "Thủ tướng Chính phủ" for movement in NEXT.movements)


def test_people_are_asked_ten_days_before_the_end_and_never_on_a_sunday() -> None:
    assert [each.asks_on for each in THIS.rounds] == [date(2025, 6, 20), date(2025, 12, 20)]  # the 21st is a Sunday


def test_the_campaign_of_a_day_is_that_of_its_year_or_the_latest_before() -> None:
    assert campaign_for(CAMPAIGNS, date(2025, 12, 31)) is THIS
    assert campaign_for(CAMPAIGNS, date(2026, 1, 1)) is NEXT
    assert campaign_for(CAMPAIGNS, date(2028, 1, 1)) is NEXT
    assert campaign_for(CAMPAIGNS, date(2024, 12, 31)) is None


def test_one_registers_for_the_first_round_that_is_still_open() -> None:
    first, second = THIS.rounds
    early = THIS.model_copy(update={"rounds": (first.model_copy(update={"register_by": date(2025, 3, 30)}), second)})
    assert [early.open_round(day) for day in (date(2025, 3, 30), date(2025, 3, 31), date(2025, 12, 31))] == [1, 2, 2]
    assert THIS.open_round(date(2025, 6, 30)) == 1 and THIS.open_round(date(2026, 1, 1)) == 0


# ---------------------------------------------------------------------------------------------------- planted mistakes


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("(LĐLĐ)", "(LĐLD)", "a known misprint: 'LĐLD'"),
        ("(TƯLĐTT)", "(TULĐTT)", "a known misprint: 'TULĐTT'"),
        ("chủ động đối thoại", "chủ động đổi thoại", "a known misprint: 'đổi thoại'"),
        ("nâng cao chất lượng thương lượng", "nâng cao thương lượng", "a known misprint: 'nâng cao thương lượng'"),
        ("đẩy mạnh học tập suốt đời", "đẩy mạnh suốt đời", "a known misprint: 'đẩy mạnh suốt đời'"),
        ("hoàn thành tốt nhiệm vụ chính trị được giao", "hoàn tốt nhiệm vụ chính trị được giao", "a known misprint: 'hoàn tốt'"),
        ("mắt trông", "mắt trong", "a known misprint"),
        ("văn hóa công sở", "văn hoá công sở", "the tone mark of 'hoá' stands on the wrong letter"),
        ("year: 2025", "year: 2024", "holds the year 2024"),
        ('ends_on: "2025-06-30"', 'ends_on: "2025-07-01"', "Đợt 2 begins before Đợt 1 ends"),
        ('starts_on: "2025-07-01"', 'starts_on: "2026-07-01"', "2026-07-01 is not in 2025"),
        ('ends_on: "2025-06-30"', 'ends_on: "2025-06-30"\n    register_by: "2025-07-30"', "2025-07-30 is not in Đợt 1"),
        ('ends_on: "2025-06-30"', 'ends_on: "30/6/2025"', "ends_on"),
        ("  public:\n    card", "  civil:\n    card", "unknown audience civil"),
        ("audiences: [officer]", "audiences: [chair]", "unknown audience chair"),
        ("- Có ít nhất 01 sáng kiến, cải tiến", "- Kèm cặp 01 đồng nghiệp mới", "different goals"),
        ("<b>I. MỤC ĐÍCH", "<b>I. MỤC ĐÍCH <i>", "closed on the same page"),
        ("<b>I. MỤC ĐÍCH", "<b>I. MỤC <ĐÍCH", "closed on the same page"),
        ("1. Học tập nâng cao chuyên môn", "1. <b>Học tập</b> nâng cao chuyên môn", "a card is plain text"),
        ("1. Học tập nâng cao chuyên môn", "1. " + "Học tập " * 60, "characters, 1 to 540 fit"),
        ("theme: Tập trung", "theme: ''\nold: Tập trung", "old"),
        ('{name: "Văn hóa, thể thao"', '{name: "Lao động giỏi, lao động sáng tạo"', "stands here twice"),
        ("approved_by: Đinh Quang Đại (nhân vật giả)", "approved_by: Vũ Ngọc Mai (nhân vật giả)", "another person is needed"),
    ],
)  # fmt: skip
def test_a_planted_mistake_is_refused_with_its_file_and_line(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    problems = planted(tmp_path, before, after)
    assert said in problems
    line = (PACKS / "campaign-2025.yaml").read_text(encoding="utf-8").rsplit(before, 1)[0].count("\n") + 1
    places = [int(each.split(":")[1]) for each in re.findall(r"yaml:\d+", problems)]
    # What is wrong begins there or near: a page on the line of its first word, a round on that of the other one's day.
    assert any(abs(place - line) <= 12 for place in places), (line, problems)


def test_problems_of_all_files_are_named_at_once(tmp_path: Path) -> None:
    for year in (2025, 2026):
        text = (PACKS / f"campaign-{year}.yaml").read_text(encoding="utf-8").replace("nonmember:", "others:")
        (tmp_path / f"campaign-{year}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_campaigns(tmp_path)
    assert {Path(problem.file).name for problem in caught.value.problems} == {
        "campaign-2025.yaml",
        "campaign-2026.yaml",
    }


def test_next_years_campaign_is_a_file_and_nothing_else(tmp_path: Path) -> None:
    for year in (2025, 2026):
        (tmp_path / f"campaign-{year}.yaml").write_bytes((PACKS / f"campaign-{year}.yaml").read_bytes())
    text = (PACKS / "campaign-2026.yaml").read_text(encoding="utf-8").replace("2026", "2027")
    (tmp_path / "campaign-2027.yaml").write_text(text, encoding="utf-8")
    found: Campaign | None = campaign_for(load_campaigns(tmp_path), date(2027, 3, 1))
    assert found is not None and found.year == 2027
