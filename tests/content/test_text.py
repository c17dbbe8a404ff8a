"""What workers and officers type is compared, stored and checked the way a kind reader would."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from content.text import (
    answers,
    broadcast_warnings,
    clean,
    clean_line,
    fold,
    is_no,
    is_yes,
    letters,
    looks_like_identity_card,
    may_stand_for,
    secrecy_stamps,
    sentence_case_if_shouting,
    shorthand,
    utf16_length,
    without_telex,
)


def each(samples: str) -> list[str]:
    return samples.split("|")


ANY_TEXT = st.text(st.characters(exclude_categories=()))
TRICKY = st.text(
    st.sampled_from("aĐđệ \n\t\r\u200b\u200d\u202e\u0301\u0323\ufeff👩🏽👦\ufe0f\ud800\ufffe\u034f\x00İΣ각\u1160")
)


@given(ANY_TEXT | TRICKY)
@example("ĐƯỜNG\u200b  Hồ\u00a0Chí Minh")
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_folding_does_not_depend_on_how_marks_are_encoded(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


def test_every_vietnamese_letter_folds_to_a_plain_one() -> None:
    every = "aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệghiìỉĩíịklmnoòỏõóọôồổỗốộơờởỡớợpqrstuùủũúụưừửữứựvxyỳỷỹýỵ"
    assert set(fold(every)) == set("abcdeghiklmnopqrstuvxy")
    assert fold(every.upper()) == fold(every)


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("  Đại   hội\nCông đoàn ", "dai hoi cong doan"),
        ("Ð\u1ed3ng \u0189\u1ea1o", "dong dao"),
        ("sáng\u200bkiến", "sangkien"),
        ("", ""),
        ("👍🏽 được", "👍🏽 duoc"),
    ],
)
def test_folding_keeps_only_what_is_compared(typed: str, folded: str) -> None:
    assert fold(typed) == folded


def test_shorthand_is_written_out_word_by_word() -> None:
    assert shorthand("ko dc gui sk cho cd cty") == "khong duoc gui sang kien cho cong doan cong ty"
    assert shorthand("kokoro skate") == "kokoro skate"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sasng kieen", "sang kien"),
        ("ddoanf vieen", "doan vien"),
        ("nguwowif lao ddoojng", "nguoi lao dong"),
        ("menu", "menu"),
        ("w xs 5s", "w xs 5s"),
    ],
)
def test_telex_keys_left_in_the_text_are_understood(typed: str, meant: str) -> None:
    assert without_telex(typed) == meant


@given(ANY_TEXT | TRICKY)
def test_cleaning_twice_changes_nothing_and_leaves_nothing_invisible(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert cleaned == cleaned.strip()
    assert "\n\n\n" not in cleaned
    assert not [letter for letter in cleaned if unicodedata.category(letter) in ("Cc", "Cs") and letter != "\n"]
    assert not [letter for letter in cleaned if unicodedata.category(letter) == "Cf" and letter != "\u200d"]
    cleaned.encode()


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_what_is_typed_without_marks_is_tidied_like_the_rest(text: str) -> None:
    assert clean(text) == clean(f"ờ{text}ờ")[1:-1].strip()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  Dòng một \r\n\r\n\r\n\r\n dòng hai\t! ", "Dòng một\n\n dòng hai !"),
        ("Nguye\u0302\u0303n", "Nguyễn"),
        ("\u202eten\u202c gia\u200b \ufeffmao\x07", "ten gia mao"),
        ("Gia đình 👩\u200d👧\u200d👦 ❤️\u200d🔥 vui", "Gia đình 👩\u200d👧\u200d👦 ❤️\u200d🔥 vui"),
        ("chữ\u200dnối\u200d", "chữnối"),
        ("\u3164\u2800", ""),
        ("a\ufdd0\ufdef\uffff\U0001fffeb", "ab"),
        ("z" + "\u0301" * 500, "ź\u0301\u0301\u0301"),
        ("giữ  nguyên ko dấu", "giữ  nguyên ko dấu"),
    ],
)
def test_what_is_stored_is_what_was_typed_without_tricks(typed: str, stored: str) -> None:
    assert clean(typed) == stored


def test_a_line_has_single_spaces() -> None:
    assert clean_line(" Tổ \n may\t 5 ") == "Tổ may 5"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("GIÁ GÁ GIÚP THAY DAO CẮT NHANH GẤP ĐÔI", "Giá gá giúp thay dao cắt nhanh gấp đôi"),
        ("CẢI TIẾN MÁY CNC TẠI LĐLĐ TỈNH. ÁP DỤNG 5S", "Cải tiến máy CNC tại LĐLĐ tỉnh. Áp dụng 5S"),
        ("TƯLĐTT VÀ ATVSLĐ", "TƯLĐTT VÀ ATVSLĐ"),
        ("NÂNG CHẤT TƯLĐTT", "Nâng chất TƯLĐTT"),
        ("Giá gá CNC", "Giá gá CNC"),
        ("CNC 5S", "CNC 5S"),
        ("", ""),
    ],
)
def test_a_title_in_capitals_becomes_a_sentence(typed: str, kept: str) -> None:
    assert sentence_case_if_shouting(typed) == kept


@given(st.text())
def test_utf16_length_is_what_the_platform_counts(text: str) -> None:
    assert utf16_length(text) == len(text) + sum(ord(letter) > 0xFFFF for letter in text)


def test_utf16_length_survives_half_a_pair() -> None:
    assert utf16_length("a\ud800") == 2


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("Hòa", 3),
        (unicodedata.normalize("NFD", "Nguyễn Thị Ỷ"), 12),
        ("👩\u200d👧\u200d👦", 1),
        ("👍🏽", 1),
        ("z\u0301\u0302", 1),
        ("🇻🇳", 1),
        ("1️⃣ a\n", 4),
    ],
)
def test_letters_are_counted_as_a_person_would(text: str, count: int) -> None:
    assert letters(text) == count


@pytest.mark.parametrize(
    "text",
    each(
        "có|Co|CÓ Ạ|ừ|u|ok|OK em|okê nhé|đồng ý|dong y|đông y|Tôi đồng ý ạ!|dạ|vâng|Dạ vâng ạ|dạ có|đúng rồi|dung roi|"
        "phải|được|dc|đc ạ|👍|👍🏽|✅ ok|uh|yes"
    ),
)
def test_yes_is_heard(text: str) -> None:
    assert is_yes(text) and not is_no(text)


@pytest.mark.parametrize(
    "text",
    each(
        "không|Khong a|ko|K|hok|thôi|thoi em|dạ không|dạ thôi ạ|vâng, thôi|không đồng ý|ko dong y|sai rồi|👎|không phải"
    ),
)
def test_no_is_heard(text: str) -> None:
    assert is_no(text) and not is_yes(text)


@pytest.mark.parametrize(
    "text",
    each(
        "|đồng ý không?|có không|đừng|dừng|dùng|tới|cỏ|cô|vắng|thời|có 5 người|có 5|đồng ý?|"
        "ok thôi|chưa|1|tôi có một sáng kiến|"
        "phải làm sao|..."
    ),
)
def test_what_is_neither_yes_nor_no_is_not_guessed(text: str) -> None:
    assert not is_yes(text) and not is_no(text)


def test_no_phrase_reads_as_both_yes_and_no() -> None:
    assert [phrase for phrase in answers._YES if is_no(phrase) or not is_yes(phrase)] == []
    assert [phrase for phrase in answers._NO if is_yes(phrase) or not is_no(phrase)] == []


def test_missing_marks_are_forgiven_and_other_marks_are_not() -> None:
    assert may_stand_for("hoà", "hòa") and may_stand_for("dong y", "đồng ý") and may_stand_for("đong y", "đồng ý")
    assert not may_stand_for("đừng", "đúng") and not may_stand_for("cần cuốc", "căn cước")


@pytest.mark.parametrize(
    "caption",
    each(
        "CCCD của em|can cuoc mat truoc|ảnh căn cước|CCCD_mat_truoc.jpg|cmnd-bo.png|thẻ ngân hàng|mã OTP|Hộ chiếu|"
        "scan chung minh thu.pdf|001203004567"
    ),
)
def test_a_caption_that_names_identity_papers_is_refused(caption: str) -> None:
    assert looks_like_identity_card(caption, caption=True)


@pytest.mark.parametrize(
    "caption",
    each("cái cần cuốc cải tiến|Căn cứ quyết định|IMG_20260315_123456789012.jpg|z5123456789012_abc.jpg|thẻ đoàn viên|"),
)
def test_an_ordinary_caption_passes(caption: str) -> None:
    assert not looks_like_identity_card(caption, caption=True)


@pytest.mark.parametrize(
    "text",
    [
        "số căn cước của em là 001203004567 nhé", "em là Hoa 001 203 004 567", "CMND 113456789", "cccd: 113456789012",
        "OTP là 123456", "mã otp: 4321", "ma xac thuc la 123 456", "thẻ ATM 9704 1234 5678 9012",
    ],
)  # fmt: skip
def test_a_message_with_such_a_number_is_refused(text: str) -> None:
    assert looks_like_identity_card(text, caption=False)


@pytest.mark.parametrize(
    "text",
    [
        "Công ty giữ căn cước của công nhân từ 15/3/2026, có 12 người",
        "Công ty giữ CCCD, gọi em số 0912345678",
        "Ngân hàng gửi OTP 3 lần năm 2025 rồi trừ tiền",
        "Tiết kiệm 120000000000 đồng, trước đây 12.500.000.000",
        "Nhân viên thẩm định máy số 998877665544",
        "Mã của tôi như thế này 1234 5678 9012 3456",
        "1234567890123456",
        "Gọi 02183852123 hoặc 0912 345 678",
    ],
)
def test_an_ordinary_story_is_kept(text: str) -> None:
    assert not looks_like_identity_card(text, caption=False)


@pytest.mark.parametrize(
    ("text", "stamps"),
    [
        ("MẬT\nKính gửi các đơn vị", ["MẬT"]),
        ("Kính gửi\n  [TỐI   MẬT] \nNội dung", ["TỐI MẬT"]),
        ("TUYỆT MẬT.pdf", ["TUYỆT MẬT"]),
        (unicodedata.normalize("NFD", "TỐI MẬT"), ["TỐI MẬT"]),
        ("Tài liệu Lưu hành nội bộ", ["LƯU HÀNH NỘI BỘ"]),
        ("huong_dan_luu_hanh_noi_bo.docx", ["LƯU HÀNH NỘI BỘ"]),
        ("TUYỆT MẬT\nlưu hành  nội bộ", ["TUYỆT MẬT", "LƯU HÀNH NỘI BỘ"]),
        ("BẢO MẬT", []),
        ("MẬT ONG", []),
        ("mật", []),
        ("MAT", []),
        ("Nuôi ong lấy MẬT bán Tết", []),
    ],
)
def test_secrecy_stamps_are_seen_and_honey_is_not(text: str, stamps: list[str]) -> None:
    assert secrecy_stamps(text) == stamps


def keys(text: str) -> list[str]:
    return [key for key, _ in broadcast_warnings(text)]


def test_misprinted_abbreviations_are_named_with_what_was_meant() -> None:
    assert broadcast_warnings("LĐLD tỉnh ký TULĐTT với CĐCS, LĐLĐ và CNVCLD") == [
        ("misprint", {"found": "LĐLD", "meant": "LĐLĐ"}),
        ("misprint", {"found": "TULĐTT", "meant": "TƯLĐTT"}),
        ("misprint", {"found": "CNVCLD", "meant": "CNVCLĐ"}),
    ]


def test_more_than_three_emoji_are_too_many() -> None:
    assert keys("📣 💡 👩\u200d👧\u200d👦 xin chào") == []
    assert broadcast_warnings("📣 💡 👍🏽 🇻🇳") == [("emoji", {"count": 4, "allowed": 3})]


def test_bullets_of_office_papers_are_no_emoji() -> None:
    assert keys("➢ Một\n✓ Hai\n❖ Ba\n✔ Bốn\n→ Năm") == []


def test_a_text_all_in_capitals_is_noticed_and_a_heading_is_not() -> None:
    assert keys("ĐỀ NGHỊ CÁC ĐƠN VỊ THỰC HIỆN ĐÚNG HẠN") == ["all_caps"]
    assert keys("THÔNG BÁO\nMời anh/chị dự thi tuần này trước 21 giờ Chủ nhật.") == []
    assert keys("LĐLĐ, CĐCS") == []
    assert keys("A" * 19) == [] and keys("A" * 18 + "bb") == ["all_caps"]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Kinh moi anh chi du hop to luc 16 gio thu Sau tai nha an ca, mang theo so tay.", True),
        ("kinh gui {Tên}, ngay mai cong doan to chuc kham suc khoe tai tram y te xa, moi du dong du", True),
        ("Kính gui anh chi, cong ty thong bao lich nghi le Quoc khanh tu ngay 01 den ngay 02 thang 9", True),
        ("Moi hop luc 16 gio, nha an ca", False),  # short
        ("Mời anh chị dự họp tổ lúc 16 giờ thứ Sáu tại nhà ăn ca, mang theo sổ tay.", False),
        ("Kinh moi anh chi dự họp tổ lúc mười sáu giờ thứ Sáu tại nhà ăn ca", False),
        ("Please join our annual meeting in the main hall on Friday morning and bring your notebook with you", False),
        ("Samsung Electronics Vietnam, Foxconn, Luxshare, Goertek, Canon, LG Display, Hana Micron, Amkor, Intel, Nike", False),
        ("Xem https://congdoan.vn/tin/cong-doan-to-chuc-kham-suc-khoe-cho-doan-vien-tai-tram-y-te-xa", False),
        ("", False),
    ],
)  # fmt: skip
def test_vietnamese_without_marks_is_noticed_and_nothing_short_or_foreign(text: str, seen: bool) -> None:
    assert ("no_marks" in keys(text)) is seen


def test_links_are_reported_with_their_host() -> None:
    assert broadcast_warnings("Xem https://CongDoan.vn/tin?id=0912345678. Hoặc www.abc.com, zalo.me/123") == [
        ("link", {"found": "https://CongDoan.vn/tin?id=0912345678", "host": "congdoan.vn"}),
        ("link", {"found": "www.abc.com", "host": "abc.com"}),
        ("link", {"found": "zalo.me/123", "host": "zalo.me"}),
    ]
    assert keys("Thư gửi ldld@tinh.gov.vn trước 30.4.2026, mỗi tổ 12.500.000 đồng.Xin cảm ơn") == []
    assert broadcast_warnings("http://congdoan.vn@xau.com/a")[0][1]["host"] == "xau.com"


def test_personal_numbers_are_reported_once_each_as_what_they_are() -> None:
    assert broadcast_warnings("Gọi 0912.345.678, STK 19031234567890 ngân hàng") == [
        ("bank_number", {"found": "19031234567890"}),
        ("phone", {"found": "0912.345.678"}),
    ]
    assert keys("Gọi +84 912 345 678 hoặc 0218 3852 123") == ["phone", "phone"]
    assert keys("Ngày 02/9/2026, 12.500.000 đồng, số 35/KH-LĐLĐ, 1.234 người, lúc 19 giờ 30") == []
