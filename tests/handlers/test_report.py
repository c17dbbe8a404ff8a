"""Reporting from a phone: typed as people type, interrupted, in pieces, with pictures; received once and kept."""

from __future__ import annotations

from sqlalchemy import func, select, update

from db import attachments
from db.models import Attachment, CoAuthor, Draft, OutboxRow, OutState, Person, Role, Status, Submission, Track
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


async def begun(world: World) -> TestPerson:
    hoa = await worker(world)
    await hoa.taps("Sáng kiến")
    await hoa.says("Giá gá giúp thay dao cắt nhanh gấp đôi")
    await hoa.says("menu")
    return hoa


async def test_after_a_month_a_draft_is_put_away_which_is_said_once_and_opens_from_ones_own_list(world: World) -> None:
    hoa = await begun(world)
    world.later(days=29)
    assert "chưa gửi" in (await hoa.says("menu")).text
    world.later(days=2)
    assert "đã cất" in (await hoa.says("menu")).text and "Hồ sơ của tôi" in hoa.last.text
    assert len((await hoa.says("menu")).text.splitlines()) == 2
    await hoa.taps("Hồ sơ của tôi")
    await hoa.taps("Mở bản nháp")
    assert hoa.last.key == "report.field"


async def test_a_draft_that_stands_at_a_question_of_last_year_goes_on_and_says_why(world: World) -> None:
    hoa = await begun(world)
    async with world.database.write() as session:
        (await session.execute(select(Draft))).scalar_one().step = "asked last year"
    await hoa.says("/sangkien")
    assert hoa.keys[-2:] == ["common.form_changed", "report.resume"]
    await hoa.taps("Làm tiếp")
    assert hoa.last.key == "report.track"
    await hoa.taps("Sáng kiến")
    assert hoa.last.key == "report.title"
    assert (await draft_of(world))["title"] == "Giá gá giúp thay dao cắt nhanh gấp đôi"


async def test_a_draft_survives_the_menu_a_week_and_another_command(world: World) -> None:
    hoa = await worker(world)
    await hoa.taps("Sáng kiến")
    await hoa.says("Giá gá giúp thay dao cắt nhanh gấp đôi")
    for elsewhere, says in (("menu", -1), ("/canhan", -2), ("hồ sơ", -1)):  # two of them offer it on their own screen
        await hoa.says(elsewhere)
        assert "nháp sáng kiến" in hoa.heard[says].text, elsewhere
        assert hoa.keys.count("common.draft_kept") == (elsewhere != "menu")
        await hoa.taps("Làm tiếp")
        assert hoa.last.key == "report.field"
    await hoa.says("menu")
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
    full = next(heard for heard in hoa.heard if heard.key == "report.files_full")
    assert full.text.startswith("Đã nhận đủ 5 ảnh, ảnh sau chưa được lưu") and "không dùng được" in full.text
    async with world.database.write() as session:
        first = (await session.execute(select(Attachment.id))).scalars().first()
        assert first is not None and await attachments.refused(session, first, "broken")
    await hoa.taps("Tiếp")
    assert hoa.last.key == "report.preview" and "4 ảnh" in hoa.last.text
    await hoa.taps("Sửa từng mục")
    await hoa.taps("Ảnh, tệp")
    await hoa.sends_photo()  # in the place of the one that was no good
    await hoa.taps("Tiếp")
    assert "5 ảnh" in hoa.last.text
    await hoa.taps("Gửi")
    async with world.database.read() as session:
        files = (await session.execute(select(Attachment.submission_id, Attachment.draft_id))).all()
    assert len(files) == 6 and all(s is not None and d is None for s, d in files)


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


async def test_an_album_of_an_identity_card_is_refused_once_though_the_refusal_is_on_its_way(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa, stop_at_files=True)
    await hoa.sends_photo(text="ảnh căn cước của em", group="hai mặt")
    async with world.database.write() as session:
        await session.execute(
            update(OutboxRow).where(OutboxRow.payload.is_not(None)).values(state=OutState.SENDING, provider_id="")
        )
    await hoa.sends_photo(group="hai mặt")
    assert hoa.keys.count("common.identity_card") == 1
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


async def test_coauthors_may_stand_in_one_line_where_enter_sends(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa)
    await hoa.taps("Đồng tác giả")
    assert "dấu phẩy" in hoa.last.text
    await hoa.says("Quách Văn An 60%, em 40%")
    assert hoa.last.key == "report.more" and (await draft_of(world))["shares"] == [["Quách Văn An", 60, None]]
    await hoa.taps("Đồng tác giả")
    assert 'Đang có: "Quách Văn An 60%"' in hoa.last.text  # or one would press [Không có] and lose them


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


async def begins(world: World, *answers: str) -> TestPerson:
    """Somebody who chose an initiative, named it and its kind, and said what comes next."""
    hoa = await worker(world)
    await hoa.taps("Sáng kiến")
    for answer in ("Giá gá giúp thay dao cắt nhanh gấp đôi", "1", *answers):
        await hoa.says(answer)
    return hoa


async def draft_of(world: World) -> dict[str, object]:
    async with world.database.read() as session:
        data: dict[str, object] = (await session.execute(select(Draft.data))).scalar_one()
    return data


async def test_without_agreeing_nothing_begins_and_it_is_asked_once_only(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("gui sang kien")
    assert hoa.last.key == "report.agree"
    await hoa.taps("Thôi")
    await hoa.says("cai tien")
    assert hoa.last.key == "report.agree"
    await hoa.taps("Đồng ý")
    await hoa.says("/sangkien")
    assert hoa.last.key == "report.track"


async def test_a_practice_is_asked_in_its_own_words_and_gets_its_own_code(world: World) -> None:
    hoa = await worker(world)
    await hoa.taps("Mô hình, cách làm")
    assert "mô hình, cách làm" in hoa.last.text
    for answer in ("Mười phút đầu ca cùng kiểm tra máy", "2", BEFORE, "xong", AFTER, "xong", "3"):
        await hoa.says(answer)
    assert hoa.last.key == "report.result"  # an idea has no date and no place
    for label in ("Chưa tính được", "Không có", "Không"):
        await hoa.taps(label)
    await sends(hoa)
    assert "MH-25-0001" in hoa.last.text and (await submission(world)).track == Track.PRACTICE


async def test_a_date_that_has_not_come_is_asked_again(world: World) -> None:
    hoa = await begins(world, BEFORE, "xong", AFTER, "xong", "1")
    for future in ("thang 3/2026", "15/8/2025, chuyen 5", "tháng 12/2025 ở xưởng 2"):
        await hoa.says(future)
        assert hoa.last.key == "report.since_future", future
    await hoa.says("từ hồi Tết, chuyền 5")
    assert hoa.last.key == "report.result" and (await draft_of(world))["since"] == "từ hồi Tết, chuyền 5"


async def test_several_results_are_given_mended_and_taken_away(world: World) -> None:
    hoa = await begins(world, BEFORE, "xong", AFTER, "xong", "1", "tháng 3")
    for kind, words in (("Tiết kiệm thời gian", "mỗi ca bớt 20 phút"), ("An toàn hơn", "không ai đứt tay")):
        await hoa.taps(kind)
        await hoa.says(words)
    await hoa.taps("Tiền làm lợi")
    await hoa.says("khoảng 12")
    assert hoa.last.key == "report.money_unclear"
    await hoa.says("12,5 triệu một năm")
    assert hoa.last.text == "Là 12.500.000 đồng/năm, đúng không ạ?"
    await hoa.taps("Sửa")
    await hoa.says("500k")
    await hoa.taps("Đúng")
    await hoa.taps("An toàn hơn")
    await hoa.taps("Bỏ mục này")
    assert hoa.last.key == "report.result" and "đứt tay" not in hoa.last.text
    assert (await draft_of(world))["results"] == {"time": "mỗi ca bớt 20 phút", "money": 500_000}
    assert "none" not in [choice.key for choice in hoa.last.choices]  # would wipe what was given


async def test_more_than_ten_billion_is_asked_about_twice(world: World) -> None:
    hoa = await begins(world, BEFORE, "xong", AFTER, "xong", "1", "tháng 3")
    await hoa.taps("Tiền làm lợi")
    await hoa.says("10 tỷ")
    await hoa.taps("Đúng")
    assert hoa.last.key == "report.result"
    await hoa.taps("Tiền làm lợi")
    await hoa.says("12,5 tỷ")
    await hoa.taps("Đúng")
    assert hoa.last.key == "report.money_sure" and "12,5 tỷ đồng" in hoa.last.text
    assert (await draft_of(world))["results"] == {"money": 10_000_000_000}
    await hoa.taps("Chắc chắn đúng")
    assert (await draft_of(world))["results"] == {"money": 12_500_000_000}


async def test_pictures_and_their_captions_are_welcome_while_the_story_is_told(world: World) -> None:
    hoa = await begins(world)
    await hoa.sends_photo(text="dao cũ gỡ từng cái", group="a")
    await hoa.sends_photo(group="a")
    await hoa.says("mất bốn mươi phút")
    world.later(seconds=2)
    await world.deliver()
    assert hoa.keys.count("report.noted") == 1 and "2 ảnh" in hoa.last.text
    await hoa.says("xong")
    for answer in (AFTER, "xong", "3"):
        await hoa.says(answer)
    await hoa.taps("Chưa tính được")
    assert hoa.last.key == "report.files" and "Đã có 2 ảnh" in hoa.last.text
    await hoa.says("ảnh thứ hai là sau khi làm")
    assert (await draft_of(world))["captions"] == "ảnh thứ hai là sau khi làm"
    assert (await draft_of(world))["before"] == "dao cũ gỡ từng cái\nmất bốn mươi phút"
    await hoa.taps("Tiếp")
    await hoa.taps("Có")
    await hoa.taps("Xem lại và gửi")
    assert "2 ảnh" in hoa.last.text and "Lời ghi cho ảnh: ảnh thứ hai là sau khi làm" in hoa.last.text


async def test_words_beside_the_pictures_are_answered_at_once_and_a_command_is_one_here_too(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa, stop_at_files=True)
    await hoa.sends_photo()
    world.later(seconds=2)
    await world.deliver()
    hoa.heard.clear()
    for said in ("ảnh chụp lúc thay dao", "dao mới ở bên trái"):
        await hoa.says(said)
        assert hoa.last.key == "report.files_words_noted" and said in hoa.last.text
    assert len(hoa.heard) == 2
    await hoa.says("ho so")
    assert hoa.last.key == "mysubmissions.list" and "common.draft_kept" not in hoa.keys[-2:]
    assert (await draft_of(world))["captions"] == "ảnh chụp lúc thay dao\ndao mới ở bên trái"


async def test_one_bad_file_of_several_does_not_take_the_good_ones_along(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa, stop_at_files=True)
    big = File("video", "v", "v", "dai.mp4", 30 * 1024 * 1024)
    card = File("photo", "c", "c", "cccd mat truoc.jpg", 1000)
    as_file = [File("document", f"d{n}", f"d{n}", f"IMG_{n}.JPG", 1000) for n in range(2)]
    await hoa.sends(as_file[0], big, as_file[1])
    assert hoa.last.key == "report.files_too_big"
    await hoa.sends(File("document", "p", "p", "ban-ve.pdf", 1000))
    await hoa.sends(File("document", "q", "q", "ban-ve-2.pdf", 1000))
    await hoa.sends(card)
    assert hoa.last.key == "common.identity_card"
    world.later(seconds=2)
    await world.deliver()
    assert "report.files_full" in hoa.keys
    async with world.database.read() as session:
        kinds = (await session.execute(select(Attachment.unique_ref, Attachment.kind))).all()
    assert kinds == [("d0", "photo"), ("d1", "photo"), ("p", "document")]


async def test_back_shows_the_label_that_was_chosen_even_where_there_is_no_room_for_another_button(
    world: World,
) -> None:
    hoa = await begins(world)
    await hoa.says("lui")
    assert hoa.last.key == "report.field" and "🔧 Kỹ thuật" in hoa.last.text and "technical" not in hoa.last.text
    await hoa.says("lui")
    assert hoa.last.key == "report.title"
    await hoa.says("lui")
    assert hoa.last.key == "report.track" and "💡 Sáng kiến" in hoa.last.text
    await hoa.taps("Giữ")
    assert hoa.last.key == "report.title"


async def test_starting_anew_lets_the_old_draft_go_with_its_pictures(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa, stop_at_files=True)
    await hoa.sends_photo()
    await hoa.says("menu")
    await hoa.says("/sangkien")
    assert hoa.last.key == "report.resume" and "bước 7/8" in hoa.last.text
    await hoa.taps("Viết cái mới")
    assert hoa.last.key == "report.anew" and "Giá gá" in hoa.last.text and "1 ảnh" in hoa.last.text
    await hoa.taps("Bỏ, viết cái mới")
    assert hoa.last.key == "report.track"
    await hoa.says("lui")
    assert hoa.last.key == "menu.home"  # there is nothing older to go back to
    await hoa.says("/sangkien")
    await hoa.taps("Người tốt, việc tốt")
    assert hoa.last.key == "report.who" and set(await draft_of(world)) == {"track"}
    async with world.database.read() as session:
        assert (await session.execute(select(Attachment.draft_id))).scalar_one() is None


async def test_back_from_a_resumed_draft_leads_to_the_question_before_and_not_to_the_question_whether_to_resume(
    world: World,
) -> None:
    hoa = await begins(world, BEFORE)
    await hoa.says("menu")
    await hoa.says("/sangkien")
    await hoa.taps("Làm tiếp")
    assert hoa.last.key == "report.before"
    await hoa.says("/sangkien")
    await hoa.taps("Làm tiếp")
    for step in ("field", "title", "track"):
        await hoa.says("lui")
        assert hoa.last.key == f"report.{step}"


async def test_going_forward_again_shows_what_was_written_at_each_step(world: World) -> None:
    hoa = await begins(world, BEFORE, "xong", AFTER)
    for _ in range(3):
        await hoa.says("lui")
    assert hoa.last.key == "report.title"
    pressed = {"Giữ": ("field", "🔧 Kỹ thuật"), "Kỹ thuật": ("before", BEFORE), "Xong bước này": ("after", AFTER)}
    for label, (step, told) in pressed.items():
        await hoa.taps(label)
        assert hoa.last.key == f"report.{step}" and hoa.last.text.count(told) == 1, step
    await hoa.says("menu")
    await hoa.taps("Làm tiếp")
    assert hoa.last.key == "report.after" and AFTER in hoa.last.text
    await hoa.says("xong")
    assert hoa.last.key == "report.applied" and (await draft_of(world))["after"] == AFTER


async def test_something_new_is_only_begun_once_it_is_clear_that_the_old_draft_goes(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa, stop_at_files=True)
    await hoa.sends_photo()
    await hoa.says("menu")
    for kept_by in ("Làm tiếp bản cũ", "menu"):
        await hoa.says("/sangkien")
        await hoa.taps("Viết cái mới")
        await hoa.says(kept_by)
        assert (await draft_of(world))["title"] == "Giá gá giúp thay dao cắt nhanh gấp đôi"
        await hoa.says("/sangkien")
        await hoa.taps("Làm tiếp")
        assert hoa.last.key == "report.files" and "Đã có 1 ảnh" in hoa.last.text
        await hoa.says("menu")


async def test_dropping_a_draft_with_pictures_leaves_nothing_of_it(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa, stop_at_files=True)
    await hoa.sends_photo()
    await hoa.taps("Tiếp")
    await hoa.taps("Có")
    await hoa.taps("Xem lại và gửi")
    await hoa.taps("Bỏ")
    assert hoa.last.key == "common.dropped"
    async with world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Draft))).scalar_one() == 0
        assert (await session.execute(select(Attachment.draft_id))).scalar_one() is None


async def test_a_saved_draft_waits_in_the_menu_and_goes_on_in_the_preview(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa)
    await hoa.taps("Xem lại và gửi")
    await hoa.taps("Lưu nháp")
    assert hoa.last.key == "common.saved"
    await hoa.says("menu")
    assert "bản nháp sáng kiến" in hoa.last.text
    await hoa.says("/sangkien")
    await hoa.taps("Làm tiếp")
    assert hoa.last.key == "report.preview"


async def test_every_part_can_be_edited_and_leads_back_to_the_preview(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa)
    await hoa.taps("Xem lại và gửi")
    edits = {
        "Tên": ("Giá gá thay dao bốn chiều",), "Loại": ("4",), "Trước": (BEFORE + " Rất mệt.", "xong"),
        "Nay": (AFTER + " Rất khỏe.", "xong"), "Áp dụng": ("2", "tháng 6, chuyền 7"),
        "Kết quả": ("giam loi", "từ 5% còn 2%", "xong"), "Ảnh, tệp": ("khong co",), "Bổ sung": ("xem lai",),
    }  # fmt: skip
    for label, answers in edits.items():
        await hoa.taps("Sửa từng mục")
        await hoa.taps(label)
        for answer in answers:
            await hoa.says(answer)
        assert hoa.last.key == "report.preview", label
    for shown in ("bốn chiều", "An toàn", "Rất mệt", "Rất khỏe", "đang làm thử, tháng 6, chuyền 7", "từ 5% còn 2%"):
        assert shown in hoa.last.text
    await hoa.taps("Gửi")
    row = await submission(world)
    assert row.story["before"] == BEFORE + " Rất mệt."  # replaced, not appended


async def test_who_opened_the_parts_by_mistake_reads_how_to_go_back(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa)
    await hoa.taps("Xem lại và gửi")
    await hoa.taps("Sửa từng mục")
    assert len(hoa.last.labels) == 8 and hoa.last.text.endswith("gõ: lui")  # no room for a button
    await hoa.says("lui")
    assert hoa.last.key == "report.preview"


async def test_while_editing_what_stands_is_shown_and_stays_when_nothing_is_typed(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa)
    await hoa.taps("Xem lại và gửi")
    await hoa.taps("Sửa từng mục")
    await hoa.taps("Nay")
    assert AFTER in hoa.last.text
    await hoa.says("menu")
    await hoa.says("/sangkien")
    assert hoa.last.key == "report.resume" and "bước" not in hoa.last.text  # all is written: only this is mended
    await hoa.taps("Làm tiếp")
    await hoa.taps("Xong bước này")
    assert hoa.last.key == "report.preview" and (await draft_of(world))["after"] == AFTER


async def test_what_completes_a_report_is_kept_and_what_is_not_so_is_not(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa)
    await hoa.taps("Đã được công nhận")
    await hoa.says("45/QĐ-CT ngày 10/3/2025, Giám đốc")
    await hoa.taps("Phần cần bảo mật")
    await hoa.says("khong")
    await hoa.taps("Xem lại và gửi")
    assert "45/QĐ-CT" in hoa.last.text and "Bảo mật" not in hoa.last.text
    await hoa.says("lui")
    assert hoa.last.key == "report.more"  # not into what was settled beyond it
    await hoa.taps("Đã được công nhận")
    assert 'Đang có: "45/QĐ-CT' in hoa.last.text
    await hoa.taps("Quay lại")
    await hoa.taps("Xem lại và gửi")
    assert "chưa chọn, sẽ hỏi lại trước khi đăng" in hoa.last.text  # a name is shown only to whom it was asked
    await hoa.taps("Sửa từng mục")
    await hoa.taps("Bổ sung")
    await hoa.taps("Cách hiện tên")
    await hoa.taps("Không nêu tên")
    await hoa.taps("Phần cần bảo mật")
    await hoa.says("Kích thước dao")
    await sends(hoa)
    row = await submission(world)
    assert (row.story["display"], row.story["secret"], row.direct_production) == ("hidden", "Kích thước dao", True)


async def test_whether_somebody_works_in_production_is_asked_once_in_a_life(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa)
    await sends(hoa)
    await hoa.says("/sangkien")
    await writes_initiative(hoa, "Xe đẩy khay linh kiện cho chuyền bảy")
    assert hoa.last.key == "report.more"


async def test_oneself_may_be_called_oneself_and_must_not_be_forgotten(world: World) -> None:
    await world.joined("Quách Văn An", unit="CHUYEN5")
    hoa = await worker(world)
    await writes_initiative(hoa)
    await hoa.taps("Đồng tác giả")
    await hoa.says("Quach Van An 60%\nĐỗ Thị Lan 40%")
    assert hoa.last.key == "report.coauthors_me"
    await hoa.says("Quach Van An 30%\nQuách Văn An 30%\nTôi 40%")
    assert hoa.last.key == "report.coauthors_twice"
    await hoa.says("Quach Van An 60%\nAn\nEm 40")
    assert hoa.last.key == "report.coauthors_line" and "Dòng 2" in hoa.last.text
    await hoa.says(
        "\n".join([*(f"Quách Văn {name} 10%" for name in ("Anh", "Bình", "Chi", "Dũng", "Em", "Gia", "Hà")), "Em 30%"])
    )
    assert hoa.last.key == "report.coauthors_many"
    await hoa.says("quach van an 60%\ntôi: 40 %")
    assert hoa.last.key == "report.more" and "Đã ghi: Đồng tác giả." in hoa.last.text
    await hoa.taps("Xem lại và gửi")
    assert "Bùi Thị Hoa 40%, Quach Van An 60%" in hoa.last.text
    await hoa.taps("Gửi")
    assert (
        world.person("Quách Văn An").last.key == "report.coauthor_ask"
    )  # found without marks, in a team of the same place


async def test_a_coauthor_who_says_no_is_heard_by_the_author(world: World) -> None:
    an = await world.joined("Quách Văn An")
    hoa = await worker(world)
    await writes_initiative(hoa)
    await hoa.taps("Đồng tác giả")
    await hoa.says("Quách Văn An 60%\nBùi Thị Hoa 40%")
    await sends(hoa)
    await an.taps("Không phải")
    assert an.last.key == "report.coauthor_no"
    assert hoa.last.key == "report.coauthor_denied" and "SK-25-0001" in hoa.last.text
    ha = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    async with world.database.write() as session:
        row = (await session.execute(select(Submission))).scalar_one()
        row.queue_unit_id = (await session.get_one(Person, await ha.id())).unit_id
    await ha.says("/duyet SK-25-0001")
    assert "Quách Văn An 60% (báo không phải)" in ha.last.text


async def test_two_colleagues_of_one_name_are_not_guessed_between(world: World) -> None:
    an = await world.joined("Quách Văn An")
    hoa = await worker(world)
    other = await world.joined("Lê Văn Tạm")
    async with world.database.write() as session:
        (await session.get_one(Person, await other.id())).name = "Quách Văn An"
    await writes_initiative(hoa)
    await hoa.taps("Đồng tác giả")
    await hoa.says("Quách Văn An 60%\nBùi Thị Hoa 40%")
    await sends(hoa)
    assert an.keys == [] and other.keys == []


async def test_the_receipt_is_honest_about_what_it_is_not(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa, stop_at_files=True)
    await hoa.sends_photo()
    await hoa.taps("Tiếp")
    await hoa.taps("Có")
    await sends(hoa)
    for said in ("5 ngày làm việc", "đây là bước tiếp nhận", "Hội đồng sáng kiến quyết định", "Ảnh đang được tải"):
        assert said in hoa.last.text
    row = await submission(world)
    assert row.due_at is not None and row.due_at.strftime("%d/%m %H") == "01/08 10"  # five working days on, 17:00 here


async def test_changing_the_mind_about_the_kind_mixes_no_answers(world: World) -> None:
    hoa = await worker(world)
    await hoa.taps("Người tốt, việc tốt")
    await hoa.says("Anh Quách Văn Dũng")
    await hoa.says("lui")
    await hoa.says("lui")
    assert hoa.last.key == "report.track"
    await writes_initiative(hoa)
    await sends(hoa)
    assert "who" not in (await submission(world)).story


async def test_changing_the_mind_about_the_kind_while_editing_asks_all_of_the_other(world: World) -> None:
    hoa = await worker(world)
    await hoa.taps("Người tốt, việc tốt")
    for said in ("Anh Quách Văn Dũng", "Nhặt được ví có tiền, tìm trả lại người mất.", "xong", "tối 12/7", "bo qua"):
        await hoa.says(said)
    await hoa.taps("Không có")
    await hoa.taps("Chưa hỏi")
    await hoa.taps("Sửa từng mục")
    await hoa.says("1")
    for _ in range(12):
        if hoa.last.key == "report.track":
            break
        await hoa.says("lui")
    await hoa.taps("Sáng kiến")
    await hoa.says("Giá gá thay dao nhanh")
    assert hoa.last.key == "report.field"  # not a preview of what was never asked


async def test_only_the_reviewing_unit_hears_of_it(world: World) -> None:
    nam = await world.joined("Trần Văn Nam", role=Role.GRASSROOTS_CHAIR)
    ha = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    hoa = await worker(world)
    await writes_initiative(hoa)
    await sends(hoa)
    world.later(seconds=6)
    await world.deliver()
    assert nam.keys == ["report.queue_notice"] and ha.keys == []


async def test_where_only_a_button_is_an_answer_the_question_is_asked_again(world: World) -> None:
    hoa = await worker(world)
    await hoa.taps("Sáng kiến")
    await hoa.says("Giá gá <b> thay dao cắt nhanh gấp đôi")
    hoa.heard.clear()
    await hoa.says("chuyền may")
    assert hoa.keys == ["common.choose"] and "Thuộc loại nào" in hoa.last.text and hoa.last.offers("Kỹ thuật")


async def test_without_a_picture_there_is_no_caption_and_a_number_is_the_button(world: World) -> None:
    hoa = await worker(world)
    await writes_initiative(hoa, stop_at_files=True)
    await hoa.says("ảnh chụp lúc thay dao")
    assert hoa.last.key == "report.files_none_yet" and hoa.last.offers("Tiếp")
    assert "captions" not in await draft_of(world)
    await hoa.sends_photo()
    await hoa.says("ảnh chụp lúc thay dao")
    assert (await draft_of(world))["captions"] == "ảnh chụp lúc thay dao"
    await hoa.says("1")
    assert hoa.last.key == "report.direct" and (await draft_of(world))["captions"] == "ảnh chụp lúc thay dao"
