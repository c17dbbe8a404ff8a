"""A worker finds the workplace with a few words, and repeated stories are noticed."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from content.search import ALIKE_PERCENT, DUPLICATE_PERCENT, Hit, UnitName, guess_units, search_units, similar_texts
from content.text import fold

UNITS = (
    UnitName(1, ("Công ty TNHH May An Phú", "May An Phú"), (), "xã Cao Sơn", "Công đoàn KCN Lương Sơn"),
    UnitName(2, ("Công ty CP Mây tre An Phú", "Mây An Phú"), (), "phường Hòa Bình", "LĐLĐ tỉnh"),
    UnitName(3, ("Công ty TNHH May An Phú Thịnh", "An Phú Thịnh"), (), "xã Đà Bắc", "Công đoàn xã Đà Bắc"),
    UnitName(4, ("Trường Tiểu học Cao Sơn",), ("Trường PTCS Cao Sơn B",), "xã Cao Sơn", "Công đoàn xã Cao Sơn"),
    UnitName(5, ("Trường THCS Cao Sơn",), (), "xã Cao Sơn", "Công đoàn xã Cao Sơn"),
    UnitName(6, ("Trường Tiểu học Kim Bôi",), (), "xã Kim Bôi", "Công đoàn xã Kim Bôi"),
    UnitName(7, ("Bệnh viện Đa khoa tỉnh", "BVĐK"), (), "phường Hòa Bình", "LĐLĐ tỉnh"),
    UnitName(8, ("Công đoàn xã Đà Bắc",), ("Công đoàn huyện Đà Bắc",), "xã Đà Bắc", "LĐLĐ tỉnh"),
    UnitName(9, ("Công ty Điện tử Sankoh",), (), "xã Lương Sơn", "Công đoàn KCN Lương Sơn"),
    UnitName(10, ("Nhà máy Xi măng X18",), (), "xã Yên Thủy", "LĐLĐ tỉnh"),
)


def ids(query: str, limit: int = 10) -> list[int]:
    return [hit.id for hit in search_units(query, UNITS, limit)]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("may an phú", 1),
        ("mây an phú", 2),
        ("May An Phú Thịnh", 3),
        ("an phu thinh", 3),
        ("cty tnhh may an phu", 1),
        ("phú an may", 1),
        ("phú an mây", 2),
        ("truong tieu hoc cao son", 4),
        ("tieu hoc cao son", 4),
        ("th cao son", 4),
        ("thcs cao sơn", 5),
        ("trung hoc co so cao son", 5),
        ("benh vien da khoa", 7),
        ("bv tinh", 7),
        ("ubnd", None),
        ("sankoh", 9),
        ("sankho", 9),
        ("sancoh", 9),
        ("anphuthinh", 3),
        ("X18", 10),
        ("x19", None),
        ("truowngf tieeur hocj kim booi", 6),
        ("dien tu luong son", 9),
        ("khach san", None),
        ("", None),
        ("...", None),
        ("🏭", None),
    ],
)
def test_the_workplace_meant_comes_first(query: str, first: int | None) -> None:
    assert (ids(query) or [None])[0] == first


@pytest.mark.parametrize(
    ("written", "guessed"),
    [
        ("Xí nghiệp Xi măng số 9", [10]),
        ("phân xưởng xi măng", [10]),
        ("Bệnh viện Đa khoa tỉnh", [7]),
        ("may an phu chi nhánh 2", [1, 2, 3]),
        ("quán cơm chị Ba", []),
        ("xưởng mộc", []),
        ("...", []),
    ],
)
def test_a_workplace_as_somebody_wrote_it_is_guessed_by_what_fits_of_it(written: str, guessed: list[int]) -> None:
    assert sorted(hit.id for hit in guess_units(written, UNITS, 3)) == guessed


def test_marks_decide_between_names_that_fold_alike() -> None:
    same = (UnitName(1, ("May Hoa",)), UnitName(2, ("Mây Hòa",)), UnitName(3, ("Máy Hoa",)))
    assert [search_units(query, same, 3)[0].id for query in ("may hoa", "mây hòa", "máy hoa")] == [1, 2, 3]
    assert {hit.id for hit in search_units("may hoa", same, 3)} == {1, 2, 3}


def test_what_folding_cannot_tell_apart_is_shown_together() -> None:
    assert set(ids("cong ty may an phu")[:2]) == {1, 2}


def test_the_ranks_follow_one_another() -> None:
    units = (
        UnitName(5, ("Thanh Xuâtn",)),
        UnitName(4, ("Dệt Xuân Thanh",)),
        UnitName(3, ("Thanh Xuân Hai",)),
        UnitName(2, ("Thành Xuân",)),
        UnitName(1, ("Thanh Xuân",)),
    )
    hits = search_units("Thanh Xuân", units, 10)
    assert [hit.id for hit in hits] == [1, 2, 3, 4, 5]
    assert len({hit.score for hit in hits}) == 5


def test_words_of_the_place_and_of_the_unit_above_narrow_the_choice() -> None:
    assert ids("may cao son") == [1]
    assert set(ids("kcn luong son")) == {1, 9}


def test_common_words_alone_still_find_something() -> None:
    assert set(ids("truong")) == {4, 5, 6}
    assert set(ids("nha may")) == {10}


def test_one_word_that_fits_somewhere_is_no_slip_elsewhere() -> None:
    places = (UnitName(1, ("Trường Mầm non Kim Bôi",)), UnitName(2, ("Bưu điện Trung tâm",)))
    assert [hit.id for hit in search_units("truong", places, 5)] == [1]
    assert [hit.id for hit in search_units("diem", places, 5)] == [2]


def test_an_old_name_is_told_and_a_current_name_wins() -> None:
    assert search_units("công đoàn huyện Đà Bắc", UNITS, 5)[0] == Hit(8, 100.0, "Công đoàn huyện Đà Bắc")
    assert search_units("ptcs cao son b", UNITS, 5)[0].old_name == "Trường PTCS Cao Sơn B"
    assert search_units("công đoàn xã Đà Bắc", UNITS, 5)[0] == Hit(8, 100.0, None)


def test_no_more_than_the_limit_and_in_the_same_order_each_time() -> None:
    many = [UnitName(number, (f"Công ty May Số {number}",)) for number in range(500)]
    hits = search_units("may so", many, 41)
    assert len(hits) == 41
    assert hits == search_units("may so", reversed(many), 41)
    assert search_units("cong ty may so 7", many, 3)[0].id == 7


@example("W")
@example("\u0301")
@given(st.text() | st.text(st.sampled_from("mayanphú trường 1")))
def test_any_query_is_answered(query: str) -> None:
    hits = search_units(query, UNITS, 5)
    assert len(hits) <= 5
    assert all(0 < hit.score <= 100 for hit in hits)


STORY = (
    "Trước đây thay dao cắt mất hai mươi phút, phải tháo cả cụm kẹp. Nay tôi hàn thêm giá gá bằng thép hộp, "
    "chỉ nới hai ốc là rút được dao, còn chín phút, không còn đứt tay."
)
OTHER = (
    "Trước đây vải thừa bỏ đi mỗi ca hai bao. Nay tổ tôi phân loại vải thừa theo màu, may túi đựng dụng cụ cho xưởng, "
    "mỗi tháng tiết kiệm được tiền mua túi."
)


def test_the_same_story_typed_without_marks_and_with_slips_is_noticed() -> None:
    slips = STORY.replace("hàn", "han").replace("ốc", "ôcs")
    others = {"SK-26-0001": OTHER, "SK-26-0002": fold(STORY), "SK-26-0003": slips}
    found = similar_texts(STORY, others)
    assert [id for id, _ in found] == ["SK-26-0002", "SK-26-0003"]
    assert found[0][1] == 100 and DUPLICATE_PERCENT <= found[1][1] < 100


def test_another_story_and_an_empty_one_are_not_the_same() -> None:
    assert similar_texts(STORY, {"SK-26-0001": OTHER, "SK-26-0002": ""}) == []
    assert similar_texts("  ", {"SK-26-0001": ""}) == []
    assert similar_texts(STORY, {}) == []


def test_sentences_in_another_order_are_still_the_same_story() -> None:
    sentences = STORY.rstrip(".").split(". ")
    assert similar_texts(STORY, {"SK-26-0009": ". ".join(reversed(sentences))})


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        (
            "Trưa hè trong xưởng nóng 39 độ, nhiều chị em mệt. Anh em tổ cơ điện căng lưới che nắng hai lớp trên mái.",
            "Trưa hè xưởng nóng tới 39 độ, chị em mệt lả. Tổ cơ điện căng hai lớp lưới che nắng trên mái.",
            True,
        ),
        (
            "Khay chia ô đựng phụ liệu. Phụ liệu để lẫn nhau, mỗi lần tìm mất vài phút. Tôi làm khay chia ô có dán nhãn.",
            "Khay chia ô đựng linh kiện. Linh kiện để lẫn nhau, mỗi lần tìm mất vài phút. Tôi làm khay chia ô dán nhãn.",
            True,
        ),
        (
            "Bàn cắt nhiều bụi vải, chị em ho nhiều. Tôi tận dụng quạt cũ làm hộp hút bụi gắn dưới bàn cắt.",
            "Bàn hàn nhiều khói, anh em ho nhiều. Tôi tận dụng quạt cũ làm hộp hút khói gắn cạnh bàn hàn.",
            False,
        ),
        (
            "Cải tiến máy may. Máy hay đứt chỉ khi chạy vải dày. Tôi thay cụm đồng tiền bằng loại có lò xo mềm hơn.",
            "Cải tiến máy may. Bàn đạp máy nặng, chị em mỏi chân. Tôi lắp thêm lò xo trợ lực dưới bàn đạp.",
            False,
        ),
    ],
)
def test_a_reviewer_sees_what_two_people_tell_alike_and_authors_are_not_stopped_by_it(
    one: str, two: str, alike: bool
) -> None:
    assert bool(similar_texts(one, {"SK-26-0002": two}, ALIKE_PERCENT)) == alike
    assert not similar_texts(one, {"SK-26-0002": two})
