"""What workers ask in their own words finds the fact that answers among the first three; what no fact answers finds none."""

from __future__ import annotations

from datetime import date

import pytest

from content.law import load_law
from content.law_search import LawSearch, load_search
from tests.content import search_table
from tests.content.search_table import ON, asked

FIRST = {each.text: each.answers for each in asked()["first"]}


@pytest.fixture(scope="module")
def search() -> LawSearch:
    return load_search(load_law())


@pytest.mark.parametrize("text", [text for text, answers in FIRST.items() if answers])
def test_what_workers_ask_finds_the_fact_that_answers_among_the_first_three(search: LawSearch, text: str) -> None:
    found = [fact.id for fact in search.ask(text, ON).facts]
    assert FIRST[text] & set(found), found
    assert len(found) <= 3


@pytest.mark.parametrize("text", [text for text, answers in FIRST.items() if not answers])
def test_what_no_fact_answers_finds_none(search: LawSearch, text: str) -> None:
    assert [fact.id for fact in search.ask(text, ON).facts] == []


def test_the_readme_tells_how_the_search_answers_today() -> None:
    """`python -m tests.content.search_table` writes it."""
    text = search_table.README.read_text(encoding="utf-8")
    assert search_table.written(text) == text
    assert search_table.written(text.replace("never used", "sometimes used")) == text


@pytest.mark.parametrize("name", ["tuned", "later", "kept"])
def test_of_ten_questions_nine_are_answered_and_one_in_twenty_that_has_no_answer_gets_one(name: str) -> None:
    score = search_table.scores()[name]
    assert score.recall >= 0.9 and score.false_hits <= 0.05, score


def test_a_search_that_answers_everything_is_noticed(search: LawSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("content.law_search.COVERED", 0.1)
    monkeypatch.setattr("content.law_search.SPOKEN", 0.1)
    assert search_table.score(search, asked()["later"]).false_hits > 0.05
    monkeypatch.setattr("content.law_search.PHRASE", -9.0)
    assert search_table.score(search, asked()["first"]).recall < 0.8


@pytest.mark.parametrize(
    ("typed", "finds"),
    [
        ("tăng ca chủ nhật dc bn", "LD-48"),  # shorthand
        ("nghỉ phép năm đc mấy ngày", "LD-66"),
        ("dinh cong co duoc tra luong khong", "DC-D08"),  # "đình" without marks is "định"
        ("Em làm 3 năm rồi, nhà có việc, em nghỉ không phép 6 ngày liền, bị cho nghỉ luôn", "LD-25"),  # one part asks
        ("tawng ca chur nhaatj ddc bao nhieeu", "LD-48"),  # Telex keys left in
        ("thang bang luong co phai hoi cong doan k", "CD-113"),  # no slip of one's own pay
    ],
)
def test_what_phones_do_to_a_question_is_no_hindrance(search: LawSearch, typed: str, finds: str) -> None:
    assert finds in [fact.id for fact in search.ask(typed, ON).facts]


def test_marks_that_were_typed_tell_apart_what_is_one_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LawSearch, "_meant", lambda self, text: frozenset())
    unmarked = load_search(load_law())
    assert search_table.score(unmarked, asked()["later"]).found < search_table.scores()["later"].found


@pytest.mark.parametrize("text", ["lam lai can cuoc o dau", "mat cccd thi lam sao", "cap lai cmnd mat bao lau"])
def test_one_word_whatever_it_is_put_into_is_no_two_things_that_a_fact_speaks_of(search: LawSearch, text: str) -> None:
    assert search.ask(text, ON).facts == ()
    assert search.ask("cong ty giu cccd cua em", ON).facts


def test_what_is_denied_is_not_what_is_asked(search: LawSearch) -> None:
    found = [fact.id for fact in search.ask("hợp đồng thử việc 3 tháng có đúng luật không", ON).facts]
    assert "LD-14" in found and "LD-09" not in found  # "không có hợp đồng"


def test_a_phrase_of_noise_alone_is_heard_when_it_is_said_in_a_row(search: LawSearch) -> None:
    assert search.ask("nghỉ không lương được mấy ngày", ON).facts[0].id == "LD-136"
    assert search.ask("ngày nghỉ có lương không", ON).facts == ()
    assert search.ask("em xin nghỉ một ngày", ON).facts == ()


@pytest.mark.parametrize(
    ("on", "finds"),
    [
        (date(2025, 7, 15), "BH-57"),
        (date(2026, 6, 30), "BH-57"),
        (date(2026, 7, 1), "BH-54"),
        (date(2026, 11, 27), "BH-54"),
    ],
)
def test_what_held_on_a_day_is_quoted_for_it(search: LawSearch, on: date, finds: str) -> None:
    for text in ("nghi de may thang", "sinh doi nghi bao lau"):
        found = [fact.id for fact in search.ask(text, on).facts]
        assert found[:1] == [finds] and not ({"BH-54", "BH-57"} - {finds}) & set(found), found


@pytest.mark.parametrize("on", [date(2025, 7, 15), date(2025, 12, 31), ON])
def test_where_what_answers_is_not_in_force_nothing_that_is_second_to_it_is_quoted(search: LawSearch, on: date) -> None:
    """Of unemployment before 2026 the bank has nothing: it is not answered with what else has three months."""
    scores = [search_table.score(search, asked()[name], on) for name in ("first", "tuned", "later")]
    assert sum(each.wrong for each in scores) <= 0.02 * sum(each.some for each in scores), scores
    if on < date(2026, 1, 1):
        assert search.ask("nghi viec bao lau thi phai nop ho so bhtn", on).facts == ()


@pytest.mark.parametrize(
    ("typed", "finds", "never"),
    [
        ("công ty nợ lương 2 tháng rồi", "LD-47", "LD-87"),  # "giam lương" is not "giảm lương", of which LD-87 is
        ("công ty tự ý giảm lương có được không", "LD-87", "LD-47"),
        ("bố mẹ chồng bắt đẻ con trai", "", "LD-70"),  # nor "con đẻ" a birth
        ("bé 2 tuổi nhập viện mẹ nghỉ có tiền không", "", "BH-35"),  # nor two years seventy-five
        ("nghĩ đẽ mấy tháng", "BH-54", ""),  # "hỏi" and "ngã" are one to many
    ],
)
def test_a_word_with_other_marks_is_another_word(search: LawSearch, typed: str, finds: str, never: str) -> None:
    found = [fact.id for fact in search.ask(typed, ON).facts]
    assert (not finds or finds in found) and never not in found, found


def test_what_is_asked_back_is_mostly_what_was_meant_and_seldom_in_vain() -> None:
    scores = search_table.scores()
    assert scores["last"].offered >= 5 and scores["last"].vain <= 4
    assert sum(each.vain for each in scores.values()) <= 0.06 * sum(each.none for each in scores.values())


def test_every_fact_that_may_be_offered_has_a_title_for_a_button() -> None:
    titles = [fact.title for fact in load_law().facts if fact.words]
    assert [title for title in titles if not 3 <= len(title) <= 60 or title[0].islower()] == []


@pytest.mark.parametrize(
    ("typed", "finds"),
    [
        ("bao nhieu nguoi thi lap dc cong doan co so", ""),  # facts of founding, but none with a number of people
        ("tru luong toi da bao nhieu phan tram 1 thang", "LD-51"),  # "30%" is a share, "tối đa 20 năm" is none
        ("duoc ve som may tieng khi nuoi con nho", "LD-79"),  # minutes are an answer to "mấy giờ"
    ],
)
def test_who_asks_for_a_number_is_answered_with_one_of_that_kind(search: LawSearch, typed: str, finds: str) -> None:
    found = [fact.id for fact in search.ask(typed, ON).facts]
    assert finds in found if finds else not found, found


@pytest.mark.parametrize(
    "typed", ["cty tru tien bao hiem ma ko dong", "công ty cứ trừ tiền bảo hiểm mà vẫn không đóng"]
)
def test_little_words_between_the_syllables_of_a_phrase_are_no_hindrance(search: LawSearch, typed: str) -> None:
    assert "BH-13" in [fact.id for fact in search.ask(typed, ON).facts]


def test_a_little_word_of_the_phrase_itself_must_be_said(search: LawSearch) -> None:
    """ "Kiện được nữa không" is of the time that is left, "kiện được không" is not."""
    assert "DC-D14" not in [fact.id for fact in search.ask("luong thang 13 cty ko tra co kien dc ko", ON).facts]


def test_a_phrase_all_of_noise_is_heard_among_other_noise(search: LawSearch) -> None:
    assert search.ask("nghi khong luong xin bao nhieu ngay cung dc ha", ON).facts[0].id == "LD-136"


def test_a_word_that_only_looks_like_another_without_marks_is_kept(search: LawSearch) -> None:
    """ "Bình thường" is not "bịnh"."""
    assert "BH-15" not in [fact.id for fact in search.ask("ngay binh thuong lam may tieng", ON).facts]


@pytest.mark.parametrize(
    "typed",
    [
        "lam them gio toi da bao nhieu gio mot thang",
        "1 thang duoc tang ca may tieng",
        "tăng ca 1 tháng không quá bao nhiêu giờ",
        "thang nay tang ca 80 tieng co dung luat khong",
    ],
)
def test_where_what_answers_is_disputed_nothing_else_is_quoted_in_its_place(search: LawSearch, typed: str) -> None:
    for on in (date(2025, 7, 25), ON):
        found = search.ask(typed, on)
        assert found.disputed is not None and found.disputed.id == "LD-57" and found.facts == (), on


def test_what_is_not_disputed_is_quoted_though_something_near_it_is(search: LawSearch) -> None:
    for typed, finds in (("tang ca toi da may gio mot ngay", "LD-56"), ("tang ca toi da may gio mot nam", "LD-58")):
        assert finds in [fact.id for fact in search.ask(typed, ON).facts]


@pytest.mark.parametrize("typed", ["co bau duoc nghi bao lau", "có bầu được nghỉ mấy tháng", "mang thai nghi bao lau"])
def test_who_asks_how_long_she_may_be_away_with_a_child_coming_hears_of_maternity_leave(
    search: LawSearch, typed: str
) -> None:
    for on, finds in ((date(2025, 7, 25), "BH-57"), (ON, "BH-54")):
        assert finds in [fact.id for fact in search.ask(typed, on).facts], on
