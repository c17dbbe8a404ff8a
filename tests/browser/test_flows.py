"""The jobs as a person does them in a real browser: at 360 px and on a desktop, through the demo's real process."""

from __future__ import annotations

import asyncio
import io
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Browser, Frame, Page, async_playwright, expect

from bot.demo import START
from content.calendar import LOCAL
from db import audit, contests, units
from db.contests import Settings
from db.session import Database
from tests.weeks import QUESTIONS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed: apt install chromium")
PICTURES = os.environ.get("CONGDOAN_TEST_PICTURES", "")
"""A folder for screenshots to be looked at; README's picture is one of them."""


@asynccontextmanager
async def demo(folder: Path, furnished: Path, *, contest: bool = False) -> AsyncIterator[str]:
    """The real process over a copy of the furnished house, if wanted with a short contest; Ctrl-C must end it cleanly."""
    shutil.copytree(furnished, folder / "demo")
    if contest:
        await hold_a_short_round(folder / "demo" / "congdoan.db")
    env = os.environ | {"CONGDOAN_DATA_DIR": str(folder)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--port", "0", env=env, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0


CLOSES = START + timedelta(hours=2)
"""When the short round does; its result is out half an hour later."""


async def hold_a_short_round(file: Path) -> None:
    """A contest of two questions, open since the morning, beside the weekly one."""
    database = Database(f"sqlite+aiosqlite:///{file}")
    async with database.write() as session:
        top = await units.top(session)
        assert top is not None
        contest = await contests.create_contest(session, top.id, "Hỏi nhanh đáp gọn", audit.SYSTEM, START)
        settings = Settings(
            "Kinh phí công đoàn", START - timedelta(hours=8), CLOSES, CLOSES + timedelta(minutes=30), {"finance": 2}
        )
        round_ = await contests.create_round(session, contest, settings, audit.SYSTEM, START)
        await contests.fix_questions(session, round_, QUESTIONS)
        await contests.approve(session, round_, round_.version, audit.SYSTEM, START)
    await database.close()


async def right_letter(chat: Page | Frame) -> str:
    """The letter of the right option of the question that was asked last."""
    text = await chat.locator(".message:not(.mine) .bubble").last.inner_text()
    asked = next(each for each in QUESTIONS if each.stem in text)
    found = re.search(rf"^([ABCD])\. {re.escape(asked.options[asked.answer])}$", text, re.MULTILINE)
    assert found is not None, text
    return found[1]


async def moves_clock(beside: Page, address: str, to: datetime) -> None:
    """The demo's clock, on a page of its own, walked to a moment."""
    assert beside.context.browser is not None
    page = await beside.context.browser.new_page(viewport={"width": 1360, "height": 860})
    await page.goto(f"{address}?people=lan")
    await page.locator(".phone").wait_for()  # opened last, when every button works
    await page.locator("#moment").fill(f"{to.astimezone(LOCAL):%Y-%m-%dT%H:%M}")
    async with page.expect_response(lambda answer: answer.request.method == "POST", timeout=60_000):
        await page.locator("#go").click()
    await page.close()


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield opened
        await opened.close()


@asynccontextmanager
async def visiting(
    folder: Path, furnished: Path, width: int, height: int, *, contest: bool = False
) -> AsyncIterator[tuple[Page, str]]:
    """A page of so many pixels, in which nothing may go wrong, and the demo's address."""
    async with demo(folder, furnished, contest=contest) as address, browser() as chromium:
        context = await chromium.new_context(
            viewport={"width": width, "height": height}, locale="vi-VN", reduced_motion="reduce"
        )
        page = await context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page, address
        assert errors == []


async def says(chat: Page | Frame, text: str) -> None:
    await chat.locator("#text").fill(text)
    await chat.locator("#text").press("Enter")


async def taps(chat: Page | Frame, label: str) -> None:
    await chat.locator(".rows button", has_text=label).last.click()


async def hears(chat: Page | Frame, text: str) -> None:
    """Waits for an answer to what was said last; the same words further up do not count."""
    answer = chat.locator(".mine").last.locator("xpath=following-sibling::div").locator(".bubble", has_text=text)
    await expect(answer.last).to_be_visible(timeout=30_000)


async def gets(chat: Page | Frame, text: str) -> None:
    """Waits for a message that somebody or something else caused."""
    await expect(chat.locator(".message:not(.mine) .bubble", has_text=text).last).to_be_visible(timeout=30_000)


async def shows(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


def photo(color: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (640, 480), color).save(buffer, "JPEG")
    return buffer.getvalue()


async def fits(page: Page) -> None:
    """Nothing sticks out to the side of a small phone."""
    wide = await page.locator("body").evaluate("body => body.scrollWidth - body.clientWidth")
    assert wide <= 0


@pytest.mark.timeout(180)
async def test_a_newcomer_joins_practises_and_reports_with_two_photos_at_360_px(
    tmp_path: Path, furnished: Path
) -> None:
    async with visiting(tmp_path, furnished, 360, 740) as (page, address):
        await page.goto(f"{address}chat?start=u-MAYHOA")
        await gets(page, "Đây là Trợ lý Công đoàn")
        await shows(page, "360-welcome")
        for label, answer in (
            ("Bắt đầu", "Xin anh/chị đọc 30 giây"), ("Tôi đồng ý", "nhận tin nhắc"), ("Có, gửi cho tôi", "May Hoa Ngàn"),
            ("Đúng rồi", "thuộc nhóm nào"), ("NLĐ doanh nghiệp", "làm ca nào"), ("Ca đêm", "Xong rồi"),
        ):  # fmt: skip
            await taps(page, label)
            await hears(page, answer)
        await says(page, "on luat")
        await hears(page, "Chọn chủ đề")
        await taps(page, "1")
        await hears(page, "Câu 1/5")
        await shows(page, "360-question")
        await says(page, "a")
        await hears(page, "Căn cứ:")
        await says(page, "sang kien")
        await hears(page, "Anh/chị đồng ý không?")
        await taps(page, "Đồng ý")
        await hears(page, "họ và tên")
        await says(page, "bùi thị mới")
        await hears(page, "muốn gửi gì")
        for label, text, answer in (
            ("Sáng kiến", "", "Đặt tên ngắn"), ("", "Kệ để chỉ ngay đầu chuyền cho người mới", "Thuộc loại nào"),
            ("Kỹ thuật", "", "Trước đây làm thế nào"), ("", "Trước đây chỉ để cuối xưởng, đi lấy mất mười phút.", "Viết tiếp"),
            ("", "xong", "Nay làm khác"), ("", "Nay đóng kệ ngay đầu chuyền, mỗi màu một ngăn, với tay là tới.", "Viết tiếp"),
            ("", "xong", "Đã áp dụng chưa"), ("Mới là ý tưởng", "", "Kết quả ra sao"), ("Tiền làm lợi", "", "bao nhiêu tiền"),
            ("", "12,5 triệu", "12.500.000 đồng/năm"), ("Đúng", "", "Tiền làm lợi: 12.500.000"), ("Tiếp", "", "Gửi ảnh trước và sau"),
        ):  # fmt: skip
            await (taps(page, label) if label else says(page, text))
            await hears(page, answer)
        await page.locator("#files").set_input_files(
            [
                {"name": "truoc.jpg", "mimeType": "image/jpeg", "buffer": photo("navy")},
                {"name": "sau.jpg", "mimeType": "image/jpeg", "buffer": photo("green")},
            ]
        )
        await hears(page, "Đã nhận 2 ảnh")
        await taps(page, "Tiếp")
        await hears(page, "trực tiếp sản xuất")
        await page.locator(".rows button", has_text="Có").last.click()
        await hears(page, "Bổ sung cho đầy đủ")
        await taps(page, "Xem lại và gửi")
        await hears(page, "XEM LẠI TRƯỚC KHI GỬI")
        await shows(page, "360-preview")
        await taps(page, "Gửi")
        await hears(page, "Đã gửi hồ sơ")
        await fits(page)
        await shows(page, "360-sent")


@pytest.mark.timeout(180)
async def test_a_reviewer_decides_and_an_officer_announces_on_a_desktop(tmp_path: Path, furnished: Path) -> None:
    async with visiting(tmp_path, furnished, 1360, 860) as (page, address):
        await page.goto(f"{address}?people=dung,huong")
        await page.locator(".phone").nth(1).wait_for()
        chats = {}
        for key in ("dung", "huong"):
            element = await page.locator(f'[data-key="{key}"] iframe').element_handle()
            assert element is not None
            frame = await element.content_frame()
            assert frame is not None
            chats[key] = frame
        dung, huong = chats["dung"], chats["huong"]
        await says(dung, "hoso")
        notice = huong.locator(".bubble", has_text="mới nhất: SK").last
        code = (await notice.inner_text()).partition("mới nhất: ")[2][:10]
        await says(huong, f"/duyet {code}")
        await hears(huong, "không dừng máy\nTác giả")
        await taps(huong, "Nhận xử lý")
        await hears(huong, "đồng chí đang giữ")
        await says(dung, "on luat")
        await hears(dung, "Chọn chủ đề")
        await taps(dung, "2")
        await hears(dung, "Câu 1/5")
        await shows(page, "desktop-review")
        await taps(huong, "Chấp nhận")
        await hears(huong, f"Chấp nhận hồ sơ {code}")
        await taps(huong, "Chấp nhận")
        await gets(dung, "Tin vui!")
        await says(huong, "/guitin")
        await hears(huong, "Đồng chí gửi loại nào?")
        for label, text, answer in (
            ("Thông báo", "", "Gửi cho ai?"), ("Tiếp", "", "soạn nội dung"), ("", "Mời {ten} họp lúc 17 giờ thứ Hai.", "Đã ghi"),
            ("", "tiếp", "Mời Nguyễn Thị Hương họp"), ("Tiếp", "", "Gửi lúc nào"), ("Gửi ngay", "", "XÁC NHẬN GỬI"),
            ("Xác nhận", "", "BÁO CÁO GỬI TIN"),
        ):  # fmt: skip
            await (taps(huong, label) if label else says(huong, text))
            await hears(huong, answer)
        await gets(dung, "Mời Quách Văn Dũng họp lúc 17 giờ thứ Hai.")
        await shows(page, "desktop-announced")
        await page.locator("#union").click()
        await gets(huong, "Hôm nay 28/7/2025, kỷ niệm 96 năm")  # three days before gave way to the announcement
        await shows(page, "desktop-union-day")


@pytest.mark.timeout(180)
async def test_a_worker_sits_a_contest_through_a_reload_and_hears_the_result_at_360_px(
    tmp_path: Path, furnished: Path
) -> None:
    async with visiting(tmp_path, furnished, 360, 740, contest=True) as (page, address):
        await page.goto(f"{address}chat?as=lan")
        await gets(page, "KẾT QUẢ TUẦN 1")  # of the weekly contest, which she sat
        await says(page, "thi tuan")
        await hears(page, "Hỏi nhanh đáp gọn")
        await taps(page, "Vào thi")
        await hears(page, "Bấm Bắt đầu")
        await says(page, "bat dau")
        await hears(page, "Câu 1/2")
        await shows(page, "360-contest")
        await taps(page, await right_letter(page))
        await hears(page, "Câu 2/2")
        await page.reload()
        await hears(page, "Câu 2/2")
        await says(page, (await right_letter(page)).lower())
        await hears(page, "Câu dự đoán")
        await says(page, "1 nguoi")
        await hears(page, "Đã trả lời 2/2 câu")
        await taps(page, "Nộp bài")
        await hears(page, "Đã nhận bài")
        await moves_clock(page, address, CLOSES + timedelta(minutes=31))
        await hears(page, "Anh/chị: 2/2 câu, xếp")
        await taps(page, "Xem đáp án")
        await hears(page, "Câu 1/2 · ✅ đúng")
        await fits(page)
        await shows(page, "360-result")
