"""Reporting from a phone: typed as people type, interrupted, in pieces, with pictures; received once and kept."""

from __future__ import annotations

from sqlalchemy import func, select

from db.models import Attachment, CoAuthor, Draft, Person, Role, Status, Submission, Track
from handlers.dialogue import File
from tests.people import TestPerson, World

BEFORE = "Trước đây mỗi lần thay dao cắt mất bốn mươi phút, cả chuyền phải chờ."
AFTER = "Nay làm giá gá sẵn, thay cả cụm dao, chỉ còn mười lăm phút là chạy lại."


async def worker(world: World, name: str = "Bùi Thị Hoa", **values: object) -> TestPerson:
    hoa = await world.joined(name, **values)  # type: ignore[arg-type]
    await hoa.says("sang kien")
    await hoa.taps("Đồng ý")
    return hoa


async def writes_initiative(
    hoa: TestPerson, title: str = "Giá gá giúp thay dao cắt nhanh gấp đôi", *, stop_at_files: bool = False
) -> None:
    await hoa.taps("Sáng kiến")
    await hoa.says(title)
    await hoa.taps("Kỹ thuật")
    await hoa.says(BEFORE)
    await hoa.says("xong")
    await hoa.says(AFTER)
    await hoa.says("xong")
    await hoa.taps("Đang áp dụng")
    await hoa.says("thang 3, chuyen 5")
    await hoa.taps("Tiền làm lợi")
    await hoa.says("12tr")
    assert "12.500.000" not in hoa.last.text and "12.000.000 đồng/năm" in hoa.last.text
    await hoa.taps("Đúng")
    await hoa.taps("Tiếp")
    if stop_at_files:
        return
    await hoa.taps("Không có")
    if hoa.last.key == "report.direct":
        await hoa.taps("Có")


async def sends(hoa: TestPerson) -> None:
    await hoa.taps("Xem lại và gửi")
    await hoa.taps("Gửi")


async def submission(world: World) -> Submission:
    async with world.database.read() as session:
        return (await session.execute(select(Submission).order_by(Submission.id.desc()).limit(1))).scalar_one()


async def test_an_initiative_typed_without_diacritics_gets_a_code_and_a_receiver(world: World) -> None:
    await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    hoa = await worker(world)
    await writes_initiative(hoa)
    await sends(hoa)
    assert hoa.last.key == "report.sent" and "SK-25-0001" in hoa.last.text and "Công đoàn xã Cao Sơn" in hoa.last.text
    row = await submission(world)
    assert (row.track, row.status, row.money, row.title) == (
        Track.INITIATIVE, Status.SENT, 12_000_000, "Giá gá giúp thay dao cắt nhanh gấp đôi",
    )  # fmt: skip
    assert row.story["before"] == BEFORE and row.story["since"] == "thang 3, chuyen 5"
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Draft))).scalar_one() == 0


async def test_the_reviewers_are_told_once_in_one_bundled_line(world: World) -> None:
    ha = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    hoa = await worker(world)
    await writes_initiative(hoa)
    await sends(hoa)
    lan = await worker(world, "Đỗ Thị Lan", unit="TRUONG")
    await writes_initiative(lan, "Bảng theo dõi đồ dùng lớp học bằng màu")
    await lan.taps("Xem lại và gửi")
    await lan.taps("Gửi")
    if lan.last.key == "report.duplicates":
        await lan.taps("Vẫn gửi")
    world.later(seconds=6)
    await world.deliver()
    assert ha.keys == ["report.queue_notice"] and "2 hồ sơ" in ha.last.text


async def test_ten_taps_on_send_make_one_report(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa)
    await hoa.taps("Xem lại và gửi")
    screen = hoa.last
    send = next(c for c in screen.choices if c.key == "send")
    for _ in range(10):
        await hoa.presses(send.data(screen.message.screen))
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Submission))).scalar_one() == 1


async def test_several_messages_are_joined_and_answered_once(world: World) -> None:
    hoa = await worker(world)
    await hoa.taps("Sáng kiến")
    await hoa.says("Giá gá giúp thay dao cắt nhanh gấp đôi")
    await hoa.says("1")
    await hoa.says("Trước đây thay dao")
    await hoa.says("mất bốn mươi phút")
    await hoa.says("cả chuyền phải chờ")
    world.later(seconds=2)
    await world.deliver()
    assert hoa.keys.count("report.noted") == 1
    await hoa.taps("Xong bước này")
    assert hoa.last.key == "report.after"
    async with world.database.read() as session:
        data = (await session.execute(select(Draft.data))).scalar_one()
    assert data["before"] == "Trước đây thay dao\nmất bốn mươi phút\ncả chuyền phải chờ"


async def test_too_short_is_asked_for_kindly_and_nothing_is_lost(world: World) -> None:
    hoa = await worker(world)
    await hoa.taps("Sáng kiến")
    await hoa.says("Giá gá")
    assert hoa.last.key == "report.title_length" and "đang có 6" in hoa.last.text
    await hoa.says("GIÁ GÁ GIÚP THAY DAO CẮT NHANH GẤP ĐÔI")
    await hoa.taps("Kỹ thuật")
    await hoa.says("Chậm lắm")
    await hoa.says("xong")
    assert hoa.last.key == "report.tell_more"
    await hoa.says("mỗi lần thay dao mất bốn mươi phút")
    await hoa.says("xong")
    assert hoa.last.key == "report.after"
    async with world.database.read() as session:
        data = (await session.execute(select(Draft.data))).scalar_one()
    assert data["title"] == "Giá gá giúp thay dao cắt nhanh gấp đôi" and data["before"].startswith("Chậm lắm\n")


async def test_a_draft_survives_the_menu_a_week_and_another_command(world: World) -> None:
    hoa = await worker(world)
    await hoa.taps("Sáng kiến")
    await hoa.says("Giá gá giúp thay dao cắt nhanh gấp đôi")
    await hoa.says("menu")
    assert "common.draft_kept" in hoa.keys or "bản nháp" in hoa.last.text
    world.later(days=7)
    await hoa.says("/sangkien")
    assert hoa.last.key == "report.resume" and "bước 2/8" in hoa.last.text
    await hoa.taps("Làm tiếp")
    assert hoa.last.key == "report.field"


async def test_cancel_asks_and_keeps_or_drops_as_told(world: World) -> None:
    hoa = await worker(world)
    await hoa.taps("Sáng kiến")
    await hoa.says("Giá gá giúp thay dao cắt nhanh gấp đôi")
    await hoa.says("huy")
    assert hoa.last.key == "common.cancel"
    await hoa.taps("Làm tiếp")
    assert hoa.last.key == "report.field"
    await hoa.says("hủy")
    await hoa.taps("Bỏ")
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Draft))).scalar_one() == 0


async def test_back_shows_the_answer_that_was_given_and_keeps_it_with_one_tap(world: World) -> None:
    hoa = await worker(world)
    await hoa.taps("Sáng kiến")
    await hoa.says("Giá gá giúp thay dao cắt nhanh gấp đôi")
    await hoa.says("lui")
    assert hoa.last.key == "report.title" and "Giá gá giúp" in hoa.last.text
    await hoa.says("giữ")
    assert hoa.last.key == "report.field"


async def test_an_album_is_one_answer_and_a_sixth_photo_is_refused_kindly(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa)
    await hoa.taps("Xem lại và gửi")
    await hoa.taps("Sửa từng mục")
    await hoa.taps("Ảnh, tệp")
    hoa.heard.clear()
    for _ in range(3):
        await hoa.sends_photo(group="album-1")
    world.later(seconds=2)
    await world.deliver()
    assert hoa.keys == ["report.files_got"] and "3 ảnh" in hoa.last.text
    for _ in range(3):
        await hoa.sends_photo()
    world.later(seconds=2)
    await world.deliver()
    assert "report.files_full" in hoa.keys
    await hoa.taps("Tiếp")
    assert hoa.last.key == "report.preview" and "5 ảnh" in hoa.last.text
    await hoa.taps("Gửi")
    async with world.database.read() as session:
        files = (await session.execute(select(Attachment.submission_id, Attachment.draft_id))).all()
    assert len(files) == 5 and all(s is not None and d is None for s, d in files)


async def test_the_same_picture_counts_once_and_a_huge_file_is_refused(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa, stop_at_files=True)
    picture = File("photo", "ref", "same", "", 1000)
    await hoa.sends(picture)
    await hoa.sends(picture)
    await hoa.sends(File("video", "ref2", "other", "a.mp4", 30 * 1024 * 1024))
    assert hoa.last.key == "report.files_too_big"
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Attachment))).scalar_one() == 1


async def test_a_picture_of_an_identity_card_is_not_kept(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa, stop_at_files=True)
    await hoa.sends_photo(text="ảnh căn cước của em")
    assert hoa.last.key == "common.identity_card"
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Attachment))).scalar_one() == 0


async def test_shares_must_make_a_hundred_and_a_coauthor_is_asked(world: World) -> None:
    an = await world.joined("Quách Văn An")
    hoa = await worker(world)
    await writes_initiative(hoa)
    await hoa.taps("Đồng tác giả")
    await hoa.says("Quách Văn An 60%\nBùi Thị Hoa 30%")
    assert hoa.last.key == "report.coauthors_sum" and "90%" in hoa.last.text
    await hoa.says("Quách Văn An 60%\nBùi Thị Hoa 40%")
    await sends(hoa)
    assert an.last.key == "report.coauthor_ask"
    await an.taps("Đúng")
    async with world.database.read() as session:
        row = (await session.execute(select(CoAuthor))).scalar_one()
    assert (row.name, row.percent, row.confirmed) == ("Quách Văn An", 60, True)
    await an.presses("c:dongtacgia:SK-25-0001.no")
    assert an.last.key == "common.already"


async def test_a_stranger_cannot_answer_for_a_coauthor(world: World) -> None:
    await world.joined("Quách Văn An")
    other = await world.joined("Đỗ Thị Lan")
    hoa = await worker(world)
    await writes_initiative(hoa)
    await hoa.taps("Đồng tác giả")
    await hoa.says("Quách Văn An 60%\nBùi Thị Hoa 40%")
    await sends(hoa)
    await other.presses("c:dongtacgia:SK-25-0001.yes")
    assert other.last.key == "common.not_found"


async def test_a_likely_duplicate_is_shown_before_sending_without_a_name(world: World) -> None:
    first = await worker(world, "Đỗ Thị Lan")
    await writes_initiative(first)
    await sends(first)
    hoa = await worker(world)
    await writes_initiative(hoa)
    await sends(hoa)
    assert hoa.last.key == "report.duplicates" and "SK-25-0001" in hoa.last.text and "Lan" not in hoa.last.text
    await hoa.taps("Vẫn gửi")
    assert hoa.last.key == "report.sent"


async def test_a_good_deed_needs_five_questions_and_no_number(world: World) -> None:
    hoa = await worker(world)
    await hoa.taps("Người tốt, việc tốt")
    await hoa.says("Anh Quách Văn Dũng, tổ bảo vệ")
    await hoa.says("Nhặt được ví có tiền và giấy tờ, tìm trả lại người mất.")
    await hoa.says("xong")
    await hoa.says("tối 12/7, cổng công ty")
    await hoa.says("bo qua")
    await hoa.taps("Không có")
    await hoa.taps("Chưa hỏi")
    assert hoa.last.key == "report.preview"
    await hoa.taps("Gửi")
    assert hoa.last.key == "report.sent" and "GT-25-0001" in hoa.last.text and "công nhận" not in hoa.last.text


async def test_missing_name_and_unit_are_asked_on_the_way(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa", unit_id=None)
    async with world.database.write() as session:
        (await session.get_one(Person, await hoa.id())).name = ""
    await hoa.says("sang kien")
    await hoa.taps("Đồng ý")
    assert hoa.last.key == "onboarding.unit_ask"
    await hoa.says("may hoa phat")
    await hoa.taps("Đúng rồi")
    await hoa.taps("Tiếp tục")
    assert hoa.last.key == "report.name"
    await hoa.says("Bùi Thị Hoa")
    assert hoa.last.key == "report.track"


async def test_markup_control_and_bidi_characters_reach_nobody_as_anything_but_text(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa, "Gá <b>dao</b> \u202ecắt\u0000 nhanh & gọn hơn")
    await hoa.taps("Xem lại và gửi")
    assert "&lt;b&gt;dao&lt;/b&gt; cắt nhanh &amp; gọn hơn" in hoa.last.text


async def test_ten_thousand_characters_are_answered_kindly(world: World) -> None:
    hoa = await worker(world)
    await hoa.taps("Sáng kiến")
    await hoa.says("x " * 5000)
    assert hoa.last.key in ("common.too_long", "report.title_length")
