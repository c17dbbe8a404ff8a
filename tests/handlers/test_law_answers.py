"""A question about the law is answered by quoting facts with article and day, or not at all; a person is one tap away."""

from __future__ import annotations

import pytest

from db.models import Role
from tests.handlers.test_contest import begin, contestant
from tests.people import World
from tests.weeks import week


async def test_a_question_is_answered_by_a_fact_with_its_citation_and_day(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/hoiluat tang ca chu nhat duoc bao nhieu")
    assert hoa.last.key == "law_answers.found"
    fact = world.house.packs.law.find("LD-48")
    assert fact is not None and fact.says in hoa.last.text and "hiệu lực từ 01/01/2021" in hoa.last.text
    assert "Thông tin tham khảo" in hoa.last.text and hoa.last.text.count("⚖️") <= 3
    assert [choice.command for choice in hoa.last.choices] == ["gapcanbo", "hoiluat", "menu"]


async def test_asked_from_the_menu_it_waits_for_the_question(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("hỏi luật")
    assert hoa.last.key == "law_answers.ask"
    await hoa.says("phep nam duoc may ngay")
    assert hoa.last.key == "law_answers.found"
    await hoa.taps("Hỏi câu khác")
    await hoa.says("giá vàng hôm nay")
    assert hoa.last.key == "law_answers.none"


async def test_what_no_fact_answers_is_not_guessed(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/hoiluat thời tiết hôm nay thế nào?")
    assert hoa.last.key == "law_answers.none" and "không tìm thấy" in hoa.last.text
    assert hoa.last.choices[0].command == "gapcanbo"


async def test_free_text_that_reads_like_a_question_of_law_is_answered_and_other_text_is_not(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("menu")
    await hoa.says("cty bat tang ca co dc tu choi k")
    assert hoa.last.key == "law_answers.found" and "đồng ý của người lao động" in hoa.last.text
    for text in ("tăng ca mệt quá", "thai sản"):
        await hoa.says(text)
        assert hoa.last.key == "common.unknown", text


async def test_a_question_that_nothing_answers_is_not_guessed_and_a_person_is_one_tap_away(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    for text in ("mai may gio hop?", "huong that nghiep may thang"):
        await hoa.says("menu")
        await hoa.says(text)
        assert hoa.last.key == "law_answers.none" and hoa.last.choices[0].command == "gapcanbo", text


async def test_where_only_buttons_are_waited_for_a_question_of_law_is_answered_and_the_screen_goes_on(
    world: World,
) -> None:
    await week(world)
    hoa = await contestant(world)
    for opens, screen, goes_on in (
        ("/thi", "contest.home", "Vào thi"),
        ("on luat", "practice.home", "1"),
        ("sang kien", "report.agree", "Đồng ý"),
    ):
        home = await hoa.says(opens)
        assert home.key == screen
        await hoa.says("tang ca duoc bao nhieu tien")
        assert hoa.last.key == "law_answers.found", opens
        await hoa.taps("Về chỗ cũ")
        assert (hoa.last.key, hoa.last.text) == (screen, home.text)
        await hoa.says("cty giu bang goc cua em co dung k")
        assert hoa.last.key == "law_answers.found"
        answer = await hoa.says(goes_on)  # what is typed still means the screen
        assert answer.key not in ("common.unknown", "common.choose", screen), opens


async def test_where_buttons_are_waited_for_what_has_no_answer_is_told_of_the_buttons(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("on luat")
    for text in ("nut nay de lam gi", "bài này khó quá", "em bị đau bụng từ hôm qua"):
        await hoa.says(text)
        assert hoa.last.key == "common.choose", text


@pytest.mark.parametrize("at", ["menu", "ho so cua toi", "on luat", "/sangkien", "/lich", "/dulieu"])
async def test_a_plea_for_help_is_heard_wherever_buttons_stand(world: World, at: str) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says(at)
    await hoa.says("gap can bo cong doan")
    told = await hoa.says("toi bi quan doc chui mang va quay roi")
    assert told.key == "law_answers.found" and "gặp người thật ngay" in told.text
    assert told.choices[0].command == "gapcanbo"


async def test_before_joining_too_a_question_of_law_is_answered_among_the_buttons(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("xin chào")
    await hoa.says("nghi phep nam duoc may ngay")
    assert hoa.last.key == "law_answers.found"
    await hoa.taps("Về chỗ cũ")
    assert hoa.last.key == "onboarding.consent"
    await hoa.says("nghi phep nam duoc may ngay")
    assert hoa.last.key == "law_answers.found"
    assert (await hoa.taps("Tôi đồng ý")).key.startswith("onboarding.")


async def test_who_begins_with_a_question_of_law_is_answered_and_welcomed(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("em ơi bị trừ lương vì đi muộn có đúng không")
    assert hoa.keys == ["law_answers.found", "onboarding.welcome"]
    lan = world.person("Lan")
    await lan.says("em bị quản đốc chửi mắng và quấy rối")
    assert lan.keys == ["law_answers.found", "onboarding.welcome"]
    nam = world.person("Nam")
    await nam.says("chào em, cho anh hỏi chút được không?")
    assert nam.keys == ["onboarding.welcome"]


async def test_a_question_of_practice_or_of_a_paper_is_answered_alone(world: World) -> None:
    await week(world)
    hoa = await contestant(world)
    asks = "tang ca duoc bao nhieu tien?"
    await hoa.says("on luat")
    assert (await hoa.taps("1")).key == "practice.question"
    assert (await hoa.says(asks)).key == "common.choose_letter"
    await begin(hoa)
    assert (await hoa.says(asks)).key == "common.choose_letter"
    for at in ("menu", "/thi"):  # wherever they go meanwhile
        await hoa.says(at)
        assert (await hoa.says(asks)).key == "law_answers.paper", at
    assert (await hoa.says(f"/hoiluat {asks}")).key == "law_answers.paper"
    assert (await hoa.presses("c:dieuluat:LD-48")).key == "law_answers.paper"
    await hoa.taps("Làm tiếp bài thi")
    assert hoa.last.key == "contest.running"


async def test_a_step_that_waits_for_words_takes_the_question_as_its_answer(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("/sangkien")
    for label in ("Đồng ý", "Sáng kiến"):
        await hoa.taps(label)
    before = hoa.last.key
    await hoa.says("Máy cắt vải bị kẹt thì phải làm sao, tăng ca được bao nhiêu tiền?")
    assert not any(message.key.startswith("law_answers") for message in hoa.heard), before


async def test_what_a_worker_tells_is_answered_as_what_was_told(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("menu")
    told = await hoa.says("công ty nợ bảo hiểm 6 tháng nay")
    assert told.key == "law_answers.found" and told.text.startswith("Về việc anh/chị vừa nhắn")
    await hoa.says("menu")
    assert not (await hoa.says("công ty nợ bảo hiểm 6 tháng thì sao")).text.startswith("Về việc")


async def test_what_may_be_meant_is_asked_back_and_told_when_it_was(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("menu")
    asked = await hoa.says("bé 2 tuổi nhập viện mẹ nghỉ có tiền không")
    assert asked.key == "law_answers.perhaps" and "⚖️" not in asked.text
    assert [choice.label for choice in asked.choices][:2] == ["Con ốm", "🙋 Gặp cán bộ công đoàn"]
    told = await hoa.taps("Con ốm")
    fact = world.house.packs.law.find("BH-19")
    assert told.key == "law_answers.found" and fact is not None and fact.says in told.text


@pytest.mark.parametrize("at", ["/hoiluat", "menu", "ho so cua toi"])
async def test_where_texts_of_the_law_are_at_odds_that_is_said_and_a_person_is_one_tap_away(
    world: World, at: str
) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says(at)
    told = await hoa.says("lam them gio toi da bao nhieu gio mot thang")
    assert told.key == "law_answers.disputed" and "⚖️" not in told.text and "Tăng ca một tháng" in told.text
    assert told.choices[0].command == "gapcanbo"


@pytest.mark.parametrize("fact", ["LD-57", "BH-54", "TD-01", "LD-42", "XX-99", ""])
async def test_a_fact_that_may_not_be_quoted_is_not_told_by_its_button(world: World, fact: str) -> None:
    """Disputed, of next year, locked, unknown: in July 2025 nothing is said of them."""
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.presses(f"c:dieuluat:{fact}")
    assert hoa.last.key == "law_answers.none"


async def test_between_two_facts_there_is_a_blank_line(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    answer = await hoa.says("/hoiluat tang ca chu nhat duoc bao nhieu")
    parts = answer.text.split("\n\n")
    assert [part[0] for part in parts] == ["⚖", "⚖", "T"]
    assert all(part.count("\n") == 1 and "\n<i>Căn cứ: " in part for part in parts[:-1])


@pytest.mark.parametrize("asked", ["bi quay roi o xuong thi lam sao", "bi duoi viec vo co duoc boi thuong gi"])
async def test_what_should_not_wait_says_so(world: World, asked: str) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says(f"/hoiluat {asked}")
    assert "gặp người thật ngay" in hoa.last.text


async def test_the_person_is_the_nearest_officer_of_ones_union_and_a_line_that_is_answered(world: World) -> None:
    await world.joined("Đỗ Thị Lan", unit="MAYHOA", role=Role.GRASSROOTS_CHAIR)
    await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    hoa = await world.joined("Bùi Thị Hoa", unit="MAYHOA")
    await hoa.says("/hoiluat tang ca duoc bao nhieu tien")
    await hoa.taps("Gặp cán bộ công đoàn")
    assert hoa.last.key == "law_answers.person"
    assert "Đỗ Thị Lan" in hoa.last.text and "Lê Thu Hà" not in hoa.last.text and world.house.hotline in hoa.last.text


async def test_somebody_who_only_looks_may_ask_too(world: World) -> None:
    hoa = world.person("Hoa")
    await hoa.says("xin chào")
    await hoa.says("/hoiluat nghi de duoc bao nhieu tien")
    assert hoa.last.key == "law_answers.found"
    await hoa.taps("Gặp cán bộ công đoàn")
    assert hoa.last.key == "law_answers.person"
