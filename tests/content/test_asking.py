"""What people ask is told from what else they write: by its last words as by its first, with marks or without."""

from __future__ import annotations

from datetime import date

import pytest

from content.law import load_law
from content.law_search import LawSearch, load_search
from tests.content.search_table import ON, said, scores, taken


@pytest.fixture(scope="module")
def search() -> LawSearch:
    return load_search(load_law())


@pytest.mark.parametrize(
    "text",
    [
        "bi duoi viec trai luat duoc boi thuong gi",
        "bị đuổi việc trái luật được bồi thường gì ạ",
        "bị đuổi việc thì được gì vậy",
        "bi tru luong thi keu ai",
        "nộp hồ sơ thất nghiệp ở đâu",
        "nộp hồ sơ thất nghiệp ở đâu vậy ad",
        "nop don nghi viec cho ai a",
        "cty khong dong bao hiem thi sao",
        "công ty không đóng bảo hiểm thì làm gì em với",
        "cong ty ko tra luong lam gi bay gio",
        "nghỉ đẻ bao lâu",
        "nghi de bao lau vay anh chi",
        "nghi de may thang",
        "nghỉ phép có lương không",
        "nghi phep co luong k",
        "nghỉ phép có lương ko ạ",
        "nghi om co luong hong",
        "thử việc có đóng bảo hiểm không anh chị ơi",
        "thu viec co dong bao hiem ko a",
        "có bầu có phải làm ca đêm hả",
        "đi muộn bị trừ lương à",
        "di muon bi tru luong ha ad",
        "tang ca bi ep thi tu choi dc k",
        "bị ép tăng ca từ chối được không",
        "sa thải kiểu đó đúng luật không",
        "sa thai vay dung k",
        "rút bảo hiểm một lần được chưa",
        "em làm 11 tháng được trợ cấp thôi việc chưa ạ",
        "lương tháng 13 có bắt buộc không",
        "lễ 30/4 làm tính lương sao",
        "làm chủ nhật tính lương kiểu gì",
        "công ty giữ bằng của em thì phải làm thế nào",
        "công ty có quyền giữ bằng không",
        "bố em mất em được nghỉ mấy ngày em với",
        "nghỉ phép năm?",
        "tăng ca tính thế nào",
        "tang ca tinh ntn",
        "mất việc được hỗ trợ gì k",
        "con em ốm em nghỉ có được hưởng lương k ạ",
        "hợp đồng miệng có giá trị k",
        "khi nào được lãnh lương hưu",
        "muon vao cong doan thi lam sao",
        "công đoàn giúp gì cho công nhân",
        "công đoàn bảo vệ mình kiểu gì",
        "ai đóng kinh phí công đoàn",
        "quyền của đoàn viên là gì",
        "đoàn viên được hưởng những gì",
        "tai sao phai dong doan phi",
        "có được nghỉ bù không",
        "cho em hỏi chế độ nghỉ cưới",
        "cho hoi nghi cuoi duoc may bua",
        "em muốn hỏi về chế độ ốm đau",
        "hỏi chút về phép năm",
        "nghỉ không lương tối đa bao nhiêu ngày",
        "bi dau luot nghi huong luong ko",
        "ốm đau có cần giấy gì không",
        "tai nạn lao động ai chịu viện phí",
    ],
)
def test_however_a_question_ends_it_is_one(search: LawSearch, text: str) -> None:
    assert search.is_question(text)


def test_what_asks_nothing_is_no_question(search: LawSearch) -> None:
    assert [text for text in said()["used"] if search.is_question(text)] == []
    assert sum(search.is_question(text) for text in said()["kept"]) <= 3


def test_what_asks_nothing_is_seldom_told_the_law(search: LawSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(taken(search, said()["used"])) <= 2
    assert len(taken(search, said()["kept"])) <= 6
    monkeypatch.setattr(search, "_asking", Everything())
    assert len(taken(search, said()["used"])) > 100


class Everything:
    """Takes whatever is written for a question."""

    def reads(self, text: str) -> bool:
        return True

    def complains(self, text: str) -> bool:
        return True


@pytest.mark.parametrize("name", ["hand", "first", "tuned", "later", "kept"])
def test_what_is_typed_in_the_menu_finds_nearly_what_the_command_finds(name: str) -> None:
    score = scores()[name]
    assert score.typed >= 0.9 * score.found, score


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("công ty nợ bảo hiểm 6 tháng nay", True),
        ("bi giu cccd khi di xin viec", True),
        ("tăng ca mệt quá", False),  # a cry
        ("vợ em mới sinh bé gái, cả nhà vui lắm", False),  # no trouble
        ("máy bị kẹt nên cả tổ em chờ thợ", False),  # no law
    ],
)
def test_a_trouble_that_a_fact_answers_is_one_for_the_law(search: LawSearch, typed: str, *, told: bool) -> None:
    assert search.is_for_us(typed, ON) is told and not search.is_question(typed)


@pytest.mark.parametrize("marks", ["may gio", "mấy giờ", "may h"])
def test_a_number_asked_for_is_told_from_a_machine(search: LawSearch, marks: str) -> None:
    assert search.is_question(f"mai {marks} hop")
    assert not search.is_question("may cat vai bi hong") and not search.is_question("máy cắt vải bị hỏng")


def test_nothing_in_force_is_no_reason_to_hear_what_is_told(search: LawSearch) -> None:
    assert not search.is_for_us("công ty nợ bảo hiểm 6 tháng nay", date(2000, 1, 1))
