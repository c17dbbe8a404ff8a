"""The words and files of an announcement: limits, secrets, second looks, tried out on oneself, as its readers get it."""

from __future__ import annotations

from datetime import UTC, datetime
from html import unescape

import pytest
from sqlalchemy import select, update

from db.models import Attachment, Broadcast, Draft, FileState, Grant, Role
from handlers.announcing.writing import DOCUMENT
from handlers.dialogue import File
from tests.handlers.test_announcing import goes_out, officer
from tests.people import TestPerson, World

PDF = File("document", "ref-pdf", "unique-pdf", "KH 12.pdf", 300_000)


async def at_body(world: World, kind: str = "Thông báo") -> TestPerson:
    ha = await officer(world)
    await world.joined("Bùi Thị Hoa")
    await ha.says("/guitin")
    await ha.taps(kind)
    await ha.taps("Tiếp")
    return ha


async def cleans(world: World) -> None:
    """The files that were sent are fetched and clean."""
    async with world.database.write() as session:
        await session.execute(
            update(Attachment)
            .where(Attachment.state == FileState.WAITING)
            .values(state=FileState.CLEAN, file=Attachment.ref + ".clean")
        )


async def kept(world: World) -> dict[str, object]:
    async with world.database.read() as session:
        return (await session.execute(select(Draft.data).where(Draft.dialogue == "announcing"))).scalar_one()


async def photos(person: TestPerson, number: int) -> None:
    for n in range(number):
        await person.sends(File("photo", f"ref-{n}", f"unique-{n}", "", 100_000))


async def test_an_identity_number_in_an_announcement_is_looked_at_again_and_a_picture_of_one_refused(
    world: World,
) -> None:
    ha = await at_body(world)
    await ha.sends(File("photo", "r", "u", "", 10), text="Căn cước của anh Nam")
    assert ha.last.key == "common.identity_card"
    await ha.says("Anh Nam, căn cước số 001203004567, được thưởng.")
    await ha.says("tiếp")
    assert ha.last.key == "announcing.warnings" and "giống số căn cước: 001203004567" in ha.last.text
    await ha.says("menu")
    await ha.says("căn cước số 001203004567")
    assert ha.last.key == "common.identity_card"


async def test_the_text_may_be_a_thousand_letters_and_nine_hundred_beside_a_photo(world: World) -> None:
    ha = await at_body(world)
    await ha.says("a" * 1001)
    assert ha.last.key == "announcing.body_long" and "text" not in await kept(world)
    await ha.says("a" * 1000)
    assert (await kept(world))["text"] == "a" * 1000
    await photos(ha, 1)
    await ha.says("tiếp")
    assert ha.last.key == "announcing.files_wait"
    await cleans(world)
    await ha.says("tiếp")
    assert ha.last.key == "announcing.body_long_beside" and (await kept(world))["text"] == "a" * 1000
    await ha.says("b" * 901)
    assert ha.last.key == "announcing.body_long"
    await ha.says("b" * 900)
    await ha.says("tiếp")
    assert ha.last.key == "announcing.preview"


async def test_four_photos_or_one_pdf_and_what_is_too_much_is_said_while_the_good_ones_stay(world: World) -> None:
    ha = await at_body(world)
    await photos(ha, 5)
    await ha.sends(PDF)
    await ha.sends(File("document", "ref-doc", "unique-doc", "Giấy mời.docx", 300))
    await ha.sends(File("video", "ref-mp4", "unique-mp4", "phim.mp4", 300))
    world.later(seconds=5)
    await world.deliver()
    assert {"announcing.body_files", "announcing.body_kind"} <= set(ha.keys)
    async with world.database.read() as session:
        rows = (await session.execute(select(Attachment.kind, Attachment.unique_ref))).all()
    assert [tuple(row) for row in rows] == [("photo", f"unique-{n}") for n in range(4)]
    await ha.says("menu")
    await ha.says("/guitin")
    await ha.taps("Bỏ ảnh, tệp")
    await ha.sends(File("document", "ref-big", "unique-big", "to.pdf", 21 * 1024 * 1024))
    assert ha.last.key == "report.files_too_big"
    await ha.sends(PDF)
    await cleans(world)
    await ha.says("Mời xem tệp.")
    await ha.says("tiếp")
    assert ha.last.key == "announcing.preview" and "(kèm 1 tệp)" in ha.last.text


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("MẬT\nHọp", True), ("TỐI MẬT", True), ("  TUYỆT MẬT.  ", True), ("Tài liệu lưu hành nội bộ", True),
        ("tai lieu LUU HANH NOI BO", True), ("Chế độ BẢO MẬT", False), ("Mật", False), ("mật ong rừng", False),
        ("MAT", False),
    ],
)  # fmt: skip
async def test_stamps_of_secrecy_are_refused_as_written_on_papers_and_nothing_else(
    world: World, text: str, refused: bool
) -> None:
    ha = await at_body(world)
    await ha.says(text)
    world.later(seconds=2)
    await world.deliver()
    assert (ha.last.key == "announcing.secret") == refused, ha.last.key
    assert ("text" in await kept(world)) != refused


@pytest.mark.parametrize(
    ("name", "refused"),
    [("MẬT.pdf", True), ("TỐI MẬT.pdf", True), ("bc luu hanh noi bo.pdf", True), ("BẢO MẬT.pdf", False), ("mật.pdf", False),
     ("TUYỆT MẬT", True)],
)  # fmt: skip
async def test_stamps_of_secrecy_in_file_names_are_refused_as_written(world: World, name: str, refused: bool) -> None:
    ha = await at_body(world)
    await ha.sends(File("document", "ref", "unique", name, 1000))
    assert (ha.last.key == "announcing.secret") == refused, ha.last.key
    async with world.database.read() as session:
        assert bool((await session.execute(select(Attachment.id))).first()) != refused


async def test_a_text_without_marks_is_hinted_at_once_and_may_go_as_it_is(world: World) -> None:
    ha = await at_body(world)
    await ha.says("Kinh moi anh chi du hop to luc 16 gio thu Sau tai nha an ca, mang theo so tay.")
    await ha.says("tiếp")
    assert ha.last.key == "announcing.warnings" and "Tin chưa có dấu" in ha.last.text and ha.last.offers("Sửa")
    await ha.taps("Vẫn dùng")
    assert ha.last.key == "announcing.preview"


async def test_what_deserves_a_second_look_is_listed_and_may_still_go(world: World) -> None:
    ha = await at_body(world)
    await ha.says(
        "LĐLD tỉnh và TULĐTT: kỷ niệm 95 năm Ngày thành lập Công đoàn Việt Nam 📣📣📣📣. Gọi 0912 345 678, "
        "STK 19034567890012, xem https://abc.example.com/x và https://congdoan.vn/tin"
    )
    await ha.says("tiếp")
    assert ha.last.key == "announcing.warnings"
    for line in (
        '"LĐLD" có lẽ là "LĐLĐ"', '"TULĐTT" có lẽ là "TƯLĐTT"', "Đồng chí ghi 95 năm, hệ thống tính 96 năm", "Có 4 biểu tượng",
        "Có số điện thoại: 0912 345 678", "tài khoản: 19034567890012", "abc.example.com",
    ):  # fmt: skip
        assert line in unescape(ha.last.text), line
    assert "congdoan.vn" not in ha.last.text
    await ha.taps("Sửa")
    await ha.says("ĐỀ NGHỊ TẤT CẢ ANH CHỊ EM ĐẾN HỌP ĐÚNG GIỜ")
    await ha.says("tiếp")
    assert "Toàn bộ viết hoa" in ha.last.text
    await ha.taps("Vẫn dùng")
    assert ha.last.key == "announcing.preview"


async def test_placeholders_are_two_and_not_many(world: World) -> None:
    ha = await at_body(world)
    for text, key in (
        ("Chào {luong}", "placeholder"), ("{{ ten }}", "placeholder"), ("{ten.__class__}", "placeholder"), ("{tên anh}", "placeholder"),
        ("{ten}" * 6, "placeholders_many"),
    ):  # fmt: skip
        await ha.says(text)
        assert ha.last.key == f"announcing.{key}", text
    await ha.says("Chào {ten}, {don_vi}. {% raw %} { }")
    assert ha.last.key == "announcing.placeholder"
    assert "vừa soạn" in ha.last.text and "Chào {ten}, {don_vi}. {% raw %} { }" in ha.last.text
    await ha.says("Chào {ten}, {don_vi}. {% raw %")
    assert (await kept(world))["text"] == "Chào {ten}, {don_vi}. {% raw %"


async def test_placeholders_are_understood_as_a_phone_writes_them(world: World) -> None:
    ha = await at_body(world)
    await ha.says("Mời {Tên} và {TEN} ở { đơn vị }, {donvi} hay {Don_Vi}")
    assert (await kept(world))["text"] == "Mời {ten} và {ten} ở {don_vi}, {don_vi} hay {don_vi}"


async def test_the_words_of_a_command_open_it_and_take_no_texts_place(world: World) -> None:
    ha = await at_body(world)
    await ha.says("Họp lúc 17 giờ.")
    await ha.says("duyet")
    assert "common.draft_kept" in ha.keys and (await kept(world))["text"] == "Họp lúc 17 giờ."


async def test_trying_it_out_shows_what_readers_get_with_files_and_the_way_out(world: World) -> None:
    ha = await at_body(world)
    await ha.says("Chào {ten} ở {don_vi}")
    await photos(ha, 2)
    await cleans(world)
    await ha.says("tiếp")
    assert "Chào Lê Thu Hà ở Công đoàn xã Cao Sơn" in ha.last.text
    await ha.taps("Gửi thử cho tôi")
    tried = next(heard for heard in reversed(ha.heard) if heard.key == "announcing.pushed")
    assert len(tried.message.media) == 2 and "Chào Lê Thu Hà" in tried.text
    assert [choice.command for choice in tried.choices] == [
        "bottin"
    ] and tried.message.hint == "(Muốn bớt tin, anh/chị gõ: bot tin)"
    assert ha.last.key == "announcing.when"


async def test_a_refused_file_is_not_called_written_down(world: World) -> None:
    ha = await at_body(world)
    await ha.sends(File("document", "ref-doc", "unique-doc", "Giấy mời.docx", 300))
    world.later(seconds=5)
    await world.deliver()
    assert ha.last.key == "announcing.body_kind" and "announcing.body_noted" not in ha.keys


async def test_a_document_names_who_issued_it_and_is_found_again_by_what_it_is_about(world: World) -> None:
    ha = await at_body(world, "Văn bản, tài liệu")
    assert ha.last.key == "announcing.doc_from"
    await ha.says("đơn vị mình")
    await writes_document(ha, "V/v: phát động thi đua đợt 2")
    await ha.says("tiếp")
    assert "Công đoàn xã Cao Sơn\nSố 12/KH-LĐLĐ ngày 20/7/2025\nV/v phát động" in ha.last.text
    await ha.taps("Sửa nội dung")
    assert "Đang có: Công đoàn xã Cao Sơn" in ha.last.text
    await ha.says("Ban Chấp hành Công đoàn xã Cao Sơn")
    for _ in range(5):
        await ha.taps("Giữ")
    await ha.says("tiếp")
    assert "đọc\nBan Chấp hành Công đoàn xã Cao Sơn\nSố" in ha.last.text.replace("ĐỌC", "đọc").replace("</b>", "")
    await ha.says("tiếp")
    await ha.taps("Gửi ngay")
    await ha.taps("Xác nhận")
    await goes_out(world)
    hoa = world.person("Bùi Thị Hoa")
    await hoa.says("thong bao")
    assert "25/7: V/v phát động thi đua đợt 2" in hoa.last.text


async def writes_document(ha: TestPerson, about: str = "phát động thi đua đợt 2") -> None:
    for step, text in zip(
        DOCUMENT,
        (
            "12/KH-LĐLĐ",
            "20/7/2025",
            about,
            "Mỗi người đăng ký một việc làm tốt hơn.",
            "trước 15/8/2025",
        ),
        strict=True,
    ):
        assert ha.last.key == f"announcing.{step}"
        await ha.says(text)
    assert ha.last.key == "announcing.body"


async def test_what_is_no_number_of_a_document_is_asked_for_once_more_and_then_taken(world: World) -> None:
    ha = await at_body(world, "Văn bản, tài liệu")
    await ha.taps("Cấp tỉnh")
    for said in ("mai 9h sáng", "20/7/2025"):
        await ha.says(said)
        assert ha.last.key == "announcing.doc_number" and f'"{said}" chưa giống số' in ha.last.text.replace(
            "&#34;", '"'
        )
        await ha.says(said)
        assert ha.last.key == "announcing.doc_date"
        await ha.says("lui")
        assert "chưa giống" not in ha.last.text
    for said in ("12/KH-LĐLĐ", "Số 5 - TB/CĐCS", "1204/QĐ-TLĐ ngày 3/6"):
        await ha.says(said)
        assert ha.last.key == "announcing.doc_date", said
        await ha.says("lui")


async def test_a_document_is_rendered_with_its_summary_and_its_parts_are_asked_one_by_one(world: World) -> None:
    ha = await at_body(world, "Văn bản, tài liệu")
    await ha.taps("Cấp tỉnh")
    await ha.says("12/KH-LĐLĐ")
    await ha.says("tháng trước")
    assert ha.last.key == "announcing.doc_date_unclear"
    await ha.says("lui")
    await writes_document(ha)
    await ha.says("Một dòng nữa")
    assert ha.last.key == "announcing.body_no_text"
    await ha.sends(PDF)
    await cleans(world)
    await ha.says("tiếp")
    assert ha.last.key == "announcing.preview"
    for line in (
        "Liên đoàn Lao động tỉnh Thử Nghiệm\nSố 12/KH-LĐLĐ ngày 20/7/2025\nV/v phát động thi đua đợt 2\nTóm tắt: Mỗi người",
        "Hạn thực hiện: trước 15/8/2025",
    ):
        assert line in ha.last.text
    await ha.taps("Sửa nội dung")
    assert ha.last.key == "announcing.doc_from" and "Đang có: Liên đoàn Lao động tỉnh Thử Nghiệm" in ha.last.text
    await ha.taps("Giữ")
    assert ha.last.key == "announcing.doc_number" and "Đang có: 12/KH-LĐLĐ" in ha.last.text
    await ha.taps("Giữ")
    await ha.taps("Quay lại")
    assert ha.last.key == "announcing.doc_number" and "Câu trả lời trước" not in ha.last.text
    assert ha.last.labels == ["👌 Giữ", "↩️ Quay lại"]  # one button keeps it, not two
    for _ in range(4):
        await ha.taps("Giữ")
    assert ha.last.key == "announcing.doc_due"
    await ha.taps("Không có hạn")
    await ha.says("tiếp")
    assert "Hạn thực hiện" not in ha.last.text
    await ha.taps("Tiếp")
    await ha.taps("Gửi ngay")
    await ha.taps("Xác nhận")
    await goes_out(world)
    async with world.database.read() as session:
        broadcast = (await session.execute(select(Broadcast))).scalar_one()
    assert broadcast.topic == "policy" and broadcast.media == [["document", "ref-pdf.clean", "KH 12.pdf"]]


async def test_an_urgent_message_says_why_and_the_reason_is_kept_and_shown_to_who_approves(world: World) -> None:
    ha, dai = await officer(world), await officer(world, "Đinh Quang Đại", "TINH", Role.LEADER)
    await world.joined("Bùi Thị Hoa")
    await ha.says("/guitin")
    await ha.taps("Khẩn")
    assert ha.last.key == "announcing.why_urgent"
    await ha.says("ê")
    assert ha.last.key == "announcing.doc_length"
    await ha.says("bao")
    assert ha.last.key == "announcing.audience"
    await ha.taps("Tiếp")
    await ha.says("Bão số 5 vào tối nay, anh/chị không ra khỏi nhà.")
    await ha.says("tiếp")
    await ha.taps("Tiếp")
    assert [choice.key for choice in ha.last.choices] == ["now", "later"]
    await ha.taps("Gửi ngay")
    await ha.taps("Xác nhận")
    assert ha.last.key == "announcing.sent_waiting"
    assert dai.last.key == "announcing.approve_notice" and "Lý do khẩn: Bão, mưa lũ" in dai.last.text


async def test_a_draft_waits_through_other_work_and_goes_on_where_it_was(world: World) -> None:
    ha = await at_body(world)
    await ha.says("Mời anh/chị họp.")
    await ha.says("menu")
    assert ha.last.key == "menu.home" and "bản nháp thông báo" in ha.last.text
    await ha.says("/hoso")
    world.now = datetime(2025, 7, 29, 3, 0, tzinfo=UTC)
    await ha.says("/guitin")
    assert ha.last.key == "announcing.body" and "Đang có: Mời anh/chị họp." in ha.last.text


async def test_a_team_leaders_files_are_refused_at_the_door_and_at_the_deed(world: World) -> None:
    """The draft was begun as a chair, with a photo; the role is a smaller one when it is confirmed."""
    huong = await officer(world, "Nguyễn Thị Hương", "MAYHOA", Role.GRASSROOTS_CHAIR)
    await huong.says("/guitin")
    await huong.taps("Thông báo")
    await huong.taps("Tiếp")
    await huong.says("Mời họp")
    await photos(huong, 1)
    await cleans(world)
    await huong.says("tiếp")
    await huong.taps("Tiếp")
    await huong.taps("Gửi ngay")
    async with world.database.write() as session:
        await session.execute(update(Grant).values(role=Role.TEAM_LEADER))
    await huong.taps("Xác nhận")
    assert huong.last.key == "announcing.body_text_only"
    async with world.database.read() as session:
        assert (await session.execute(select(Broadcast.id))).first() is None
