"""The chat page as a person uses it: on a small phone, by keyboard, on a bad network, twice by accident."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, Route, async_playwright, expect
from sqlalchemy import delete

from bot.settings import Settings
from bot.web import reading
from bot.web.server import WebServer
from content.announcements import announcement
from content.message import Choice, Media, Message, rows
from content.pictures import qr_png
from content.text import clean
from db.inbox import Arrival
from db.models import Lane, WebMessage, WebSession
from db.session import Session
from tests.bot.test_webchat import TEXTS, House, TwoPeople, open_house
from tests.content.test_injection import typed
from tests.people import FACTS, spoken

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

SMALL = {"width": 360, "height": 740}
WELCOME = Message(
    "Chào <b>anh/chị</b>!\nAnh/chị muốn làm gì?",
    (
        Choice("💡 Gửi sáng kiến", key="send"),
        Choice("Có", key="yes"),
        Choice("Không", key="no"),
        Choice("A", key="a"),
        Choice("B", key="b"),
        Choice("C", key="c"),
        Choice("Xem danh sách đã gửi nhé", key="list"),
    ),
    screen=1,
)


@dataclass
class Echo:
    """A house that answers at once: a welcome to /start, otherwise what it heard."""

    house: House
    demo: TwoPeople | None = None
    port: int = 0
    heard: list[dict[str, Any]] = field(default_factory=list)
    silent: bool = False
    server: WebServer | None = None
    replies: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        settings = Settings.model_construct(
            organisation=FACTS["organisation"], web_host="127.0.0.1", web_port=self.port
        )
        self.server = WebServer(self.house.chat, self.store, settings, texts=TEXTS, red=list, demo=self.demo)
        await self.server.start()
        self.port = int(self.address.rstrip("/").rpartition(":")[2])

    async def stop(self) -> None:
        assert self.server is not None
        await self.server.stop()
        await asyncio.gather(*self.replies)

    @property
    def address(self) -> str:
        assert self.server is not None
        return self.server.address

    async def store(
        self,
        channel: str,
        bot: str,
        arrivals: Sequence[Arrival],
        also: Callable[[Session], Awaitable[object]] | None = None,
    ) -> int:
        added = await self.house.store(channel, bot, arrivals, also)
        for arrival in arrivals if added else ():
            raw = json.loads(arrival.raw)
            self.heard.append(raw)
            if not self.silent:
                task = asyncio.create_task(self.answer(raw))
                self.replies.add(task)
                task.add_done_callback(self.replies.discard)
        return added

    async def answer(self, raw: dict[str, Any]) -> None:
        if raw.get("text", "").startswith("/start"):
            await self.say(WELCOME, raw["address"])
        elif not raw.get("files"):
            await self.say(Message(f"Đã nghe: {raw.get('text') or raw.get('choice')}"), raw["address"])

    async def say(self, message: Message, address: str = "", edits: str = "") -> str:
        """Says something to the only chat there is, or to a given one."""
        to = address or self.heard[0]["address"]
        return await self.house.chat.send(to, message, edits=edits, lane=Lane.REPLY)


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    expect.set_options(timeout=20_000)  # a machine under load is slow, not wrong
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


@pytest.fixture
async def echo(tmp_path: Path) -> AsyncIterator[Echo]:
    async with open_house(tmp_path) as house:
        made = Echo(house)
        await made.start()
        yield made
        await made.stop()


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Echo]:
    async with open_house(tmp_path) as house:
        made = Echo(house, TwoPeople())
        await made.start()
        yield made
        await made.stop()


@pytest.fixture
async def phone(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A small phone whose page may not break its own rules or throw."""
    context = await chromium.new_context(viewport=SMALL, has_touch=True, locale="vi-VN")  # type: ignore[arg-type]
    wrong: list[str] = []
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    context.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
    yield context
    await context.close()
    assert not wrong, wrong


async def opened(phone: BrowserContext, echo: Echo, path: str = "") -> Page:
    page = await phone.new_page()
    await page.goto(echo.address + path)
    await expect(page.locator(".rows").first).to_be_visible()
    return page


def said(page: Page, text: str) -> Locator:
    return page.locator(".bubble", has_text=text)


async def types(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.locator("#text").press("Enter")


# -------------------------------------------------------------------------------------------------- the usual way


async def test_the_first_look_is_greeted_once(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    await page.reload()
    await expect(page.locator(".rows")).to_have_count(1)
    assert [raw["text"] for raw in echo.heard] == ["/start"]
    assert await page.title() == TEXTS["title"]
    await expect(page.locator("#organisation")).to_have_text(FACTS["organisation"])


async def test_a_link_of_a_poster_starts_with_its_code(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo, "u/MAYHOA")
    await page.reload()
    await expect(page.locator(".rows")).to_have_count(1)
    assert [raw["text"] for raw in echo.heard] == ["/start u-MAYHOA"]


async def test_a_code_behind_the_hash_is_never_asked_of_a_server_and_leaves_the_address(
    phone: BrowserContext, echo: Echo
) -> None:
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url.partition("#")[0] + str(request.headers)))
    page = await opened(phone, echo, "chat#start=i-9fbb")
    await expect(page).to_have_url(f"{echo.address}chat")
    await page.evaluate("location.hash = 'start=i-c7aa'")  # another link, while the page is open
    await expect(page.locator(".rows")).to_have_count(2)
    await expect(page).to_have_url(f"{echo.address}chat")
    assert [raw["text"] for raw in echo.heard] == ["/start i-9fbb", "/start i-c7aa"]
    assert asked and not [line for line in asked if "i-9fbb" in line or "i-c7aa" in line]


async def test_buttons_stand_in_the_rows_they_were_given_in_and_are_pressed_once(
    phone: BrowserContext, echo: Echo
) -> None:
    page = await opened(phone, echo)
    laid = await page.evaluate(
        "[...document.querySelectorAll('.row')].map(r => [...r.children].map(b => b.textContent))"
    )
    assert laid == [[choice.label for choice in line] for line in rows(WELCOME.choices)]
    assert max(map(len, laid)) == 3
    await page.get_by_role("button", name="Không").dblclick()
    await expect(said(page, "Đã nghe: s:1:no")).to_be_visible()
    await expect(page.locator(".mine .bubble")).to_have_text(["Không"])
    assert [raw.get("choice") for raw in echo.heard] == [None, "s:1:no"]


async def test_buttons_of_older_messages_step_back_but_can_be_pressed(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    await echo.say(Message("Tiếp ạ?", (Choice("Tiếp", key="on"),), screen=2))
    await expect(page.get_by_role("button", name="Tiếp")).to_be_visible()
    await expect(page.locator(".rows.old")).to_have_count(1)
    await page.locator(".rows.old button").first.click()
    await expect(said(page, "s:1:send")).to_be_visible()


async def test_a_message_edited_in_place_stays_where_it_is(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    number = await echo.say(Message("Đã gửi 10/100"))
    await echo.say(Message("tin sau"))
    await expect(said(page, "tin sau")).to_be_visible()
    await echo.say(Message("Đã gửi 100/100"), edits=number)
    await expect(said(page, "Đã gửi 100/100")).to_be_visible()
    assert (await page.locator(".bubble").all_inner_texts())[-2:] == ["Đã gửi 100/100", "tin sau"]


async def test_a_press_that_changes_its_own_message_is_answered_there(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    echo.silent = True
    fruit = [Choice(name, name) for name in ("Lê", "Táo đỏ rất ngon", "✅ Xong")]
    number = await echo.say(Message("Chọn nhé", tuple(fruit), screen=2))
    for line in range(6):
        await echo.say(Message(f"tin {line}\n\n\n"))
    await expect(said(page, "tin 5")).to_be_in_viewport()
    pear = page.get_by_role("button", name="Lê")
    await pear.focus()
    async with page.expect_response("**/api/press"):
        await page.keyboard.press("Enter")
    fruit[0] = Choice("✅ Lê", "Lê")
    await echo.say(Message("Chọn nhé, đã chọn Lê", tuple(fruit), screen=2), edits=number)
    await expect(said(page, "đã chọn Lê")).to_be_in_viewport()
    await expect(page.get_by_role("button", name="✅ Lê")).to_be_focused()
    await expect(page.locator(".mine")).to_have_count(0)
    await page.get_by_role("button", name="Xong").click()
    await echo.say(Message("Xong ạ"))
    await expect(said(page, "Xong ạ")).to_be_in_viewport()
    await expect(page.locator(".mine .bubble")).to_have_text(["✅ Xong"])


async def test_a_press_whose_answer_takes_long_is_shown_meanwhile(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    await page.route("**/api/press", lambda route: route.abort())
    await page.get_by_role("button", name="Không").click()
    await expect(page.locator(".waiting .note")).to_have_text(TEXTS["failed"])
    await expect(page.locator(".waiting .bubble")).to_be_in_viewport()
    await page.unroute("**/api/press")
    await expect(said(page, "Đã nghe: s:1:no")).to_be_visible(timeout=30_000)
    await expect(page.locator(".mine .bubble")).to_have_text(["Không"])


async def test_markup_is_shown_as_meant_and_nothing_else_gets_in(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    await echo.say(
        Message(
            "<b>đậm</b> <i>nghiêng</i> <u>gạch</u> 1 &lt; 2 &amp; 3 &#39;x&#39; "
            '<a href="https://congdoan.example/?a=1&amp;b=2" onclick="window.hit=1">trang</a>'
            '<a href="javascript:window.hit=1">bẫy</a><img src=x onerror="window.hit=1">'
            "<script>window.hit=1</script><style>body{display:none}</style><iframe src=/></iframe><b onclick=hit()>x</b>"
        )
    )
    bubble = said(page, "đậm")
    await expect(bubble).to_have_text("đậm nghiêng gạch 1 < 2 & 3 'x' trangbẫywindow.hit=1body{display:none}x")
    assert await bubble.evaluate("b => [...b.querySelectorAll('*')].map(e => e.tagName)") == ["B", "I", "U", "A", "B"]
    assert await bubble.evaluate("b => [...b.querySelectorAll('*')].flatMap(e => e.getAttributeNames())") == [
        "href", "rel", "target",
    ]  # fmt: skip
    assert await bubble.locator("a").get_attribute("href") == "https://congdoan.example/?a=1&b=2"
    assert await page.evaluate("window.hit === undefined")


async def test_a_code_is_never_broken_and_a_command_that_would_lose_its_code_cannot_be_pressed(
    phone: BrowserContext, echo: Echo
) -> None:
    page = await opened(phone, echo)
    await echo.say(
        Message(
            "Hồ sơ TB-25-0003, tuần CT-26-W14-0033. Hoặc nhắn: /start i-aB3x",
            (Choice("Mở TB-25-0003 của anh/chị", "open"),),
            screen=2,
        )
    )
    await expect(page.locator(".code")).to_have_text(["TB-25-0003", "CT-26-W14-0033", "TB-25-0003"])
    assert await page.locator(".code").evaluate_all("all => all.every(c => c.getClientRects().length === 1)")
    await expect(page.locator(".command")).to_have_count(0)


async def test_labels_side_by_side_keep_to_one_line_each(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    labels = ("▶️ Bắt đầu", "👀 Xem thử trước", "✅ Đang áp dụng", "🧪 Đang làm thử")
    await echo.say(Message("Chọn", tuple(Choice(label, label) for label in labels), screen=2))
    heights = "all => all.map(b => { const r = document.createRange(); r.selectNodeContents(b); return new Set([...r.getClientRects()].map(x => Math.round(x.bottom / 12))).size; })"
    await expect(page.get_by_role("button", name=labels[-1])).to_be_visible()
    assert await page.locator(".rows").last.locator("button").evaluate_all(heights) == [1] * len(labels)


async def test_what_a_person_types_is_never_markup(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    await types(page, "<b>x</b><img src=x onerror=alert(1)>")
    await expect(page.locator(".mine .bubble")).to_have_text("<b>x</b><img src=x onerror=alert(1)>")
    assert await page.locator(".mine .bubble *").count() == 0


async def test_what_answers_a_long_story_comes_into_sight(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    echo.silent = True
    await types(page, "trước đây thay dao mất mười phút " * 60)
    await expect(page.locator(".mine .time")).to_have_count(1)
    await expect(page.locator(".mine .time")).to_be_in_viewport()
    await echo.say(Message("Đã ghi. Viết tiếp hoặc bấm Xong."))
    await expect(said(page, "Đã ghi.")).to_be_in_viewport(ratio=1)


async def test_days_are_written_as_official_papers_do(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    echo.house.now = echo.house.now.replace(month=2, day=3, year=2026)
    await echo.say(Message("chúc mừng"))
    await expect(page.locator(".day")).to_have_text(["Thứ Sáu, 25/7/2025", "Thứ Ba, 03/02/2026"])
    await expect(page.locator(".time").last).to_have_text("16:55")


async def test_the_menu_is_one_tap_away_and_a_command_in_a_text_can_be_pressed(
    phone: BrowserContext, echo: Echo
) -> None:
    page = await opened(phone, echo)
    await page.get_by_role("button", name=TEXTS["menu"], exact=True).click()
    await expect(said(page, "Đã nghe: menu")).to_be_visible()
    await echo.say(Message("Muốn dùng lại, bấm /start. Xem thêm ngày 28/7, và/hoặc https://x.example/start"))
    await expect(said(page, "Muốn dùng lại").locator("button")).to_have_text(["/start"])
    await page.locator(".command").click()
    await expect(page.locator(".rows")).to_have_count(2)
    assert [raw["text"] for raw in echo.heard] == ["/start", "menu", "/start"]


# ----------------------------------------------------------------------------------------------------------- files


async def test_photos_and_papers_are_shown(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    (echo.house.chat.files / "qr.png").write_bytes(qr_png("https://congdoan.example"))
    (echo.house.chat.files / "a.xlsx").write_bytes(b"xlsx")
    media = (Media("photo", "qr.png", "Mã QR"), Media("document", "a.xlsx", "Danh sách đơn vị.xlsx"))
    await echo.say(Message("Gửi đồng chí", media=media))
    order = "[...document.querySelectorAll('.message:last-child > *')].map(e => e.className)"
    await expect(page.get_by_alt_text("Mã QR")).to_be_visible()
    assert await page.evaluate(order) == ["unseen", "bubble", "media", "time"]  # a slow line brings the words first
    assert "docx" not in (await page.locator("#files").get_attribute("accept") or "")
    image = page.get_by_alt_text("Mã QR")
    await expect(image).to_be_visible()
    await expect(image).to_have_js_property("complete", True)
    assert await image.evaluate("i => i.naturalWidth") > 0
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Danh sách đơn vị.xlsx").click()
    assert (await download.value).suggested_filename == "Danh sách đơn vị.xlsx"


async def test_several_photos_go_as_one_album_with_what_was_typed(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    await page.locator("#text").fill("Máy cắt mới")
    photo = qr_png("https://congdoan.example")
    await page.locator("#files").set_input_files(
        [{"name": f"máy {n}.png", "mimeType": "image/png", "buffer": photo} for n in (1, 2)]
    )
    await expect(page.locator(".mine .time")).to_have_count(1)
    await expect(page.locator(".mine img")).to_have_count(2)
    await expect(page.locator(".mine .bubble")).to_have_text("Máy cắt mới")
    first, second = echo.heard[1:]
    assert [first["text"], second["text"]] == ["Máy cắt mới", ""]
    assert first["group"] == second["group"] != ""
    assert [first["files"][0][2], second["files"][0][2]] == ["máy 1.png", "máy 2.png"]
    assert await page.locator("#text").input_value() == ""
    await page.reload()
    await expect(page.locator(".mine .file")).to_have_text(["máy 1.png", "máy 2.png"])


async def test_a_file_that_is_too_big_is_not_even_sent(phone: BrowserContext, echo: Echo, tmp_path: Path) -> None:
    page = await opened(phone, echo)
    big = tmp_path / "phim.mp4"
    with big.open("wb") as file:
        file.truncate(20 * 1024 * 1024 + 1)
    await page.locator("#text").fill("Phim đây")
    await page.locator("#files").set_input_files(big)
    await expect(page.locator("#offline")).to_have_text(TEXTS["too_big"])
    assert await page.locator("#text").input_value() == "Phim đây"
    assert len(echo.heard) == 1


# --------------------------------------------------------------------------------------------------- a bad network


async def test_what_is_typed_without_a_network_goes_out_once_when_it_is_back(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    await phone.set_offline(True)
    await types(page, "một")
    await types(page, "hai")
    await expect(page.locator(".waiting .note").first).to_have_text(TEXTS["failed"])
    await expect(page.locator(".waiting")).to_have_count(2)
    await expect(page.locator("#offline")).to_have_text(TEXTS["offline"])
    await phone.set_offline(False)
    await expect(said(page, "Đã nghe: hai")).to_be_visible(timeout=30_000)
    await expect(page.locator(".waiting")).to_have_count(0)
    await expect(page.locator("#offline")).to_have_text("")
    assert [raw["text"] for raw in echo.heard] == ["/start", "một", "hai"]
    await expect(page.locator(".mine .bubble")).to_have_text(["một", "hai"])


async def test_when_only_the_answer_is_lost_the_repeat_changes_nothing(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    keys = []
    repeated = asyncio.Event()

    async def lose_first(route: Route) -> None:
        keys.append(json.loads(route.request.post_data or "")["key"])
        if len(keys) == 1:
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()
            repeated.set()

    await page.route("**/api/say", lose_first)
    await types(page, "đúng một lần")
    await expect(said(page, "Đã nghe: đúng một lần")).to_be_visible()
    await asyncio.wait_for(repeated.wait(), 30)
    assert len(keys) == 2 and keys[0] == keys[1]
    assert len(echo.heard) == 2
    await expect(page.locator(".mine")).to_have_count(1)


async def test_what_was_not_sent_yet_survives_a_reload(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    await page.route("**/api/say", lambda route: route.abort())
    await types(page, "đừng mất nhé")
    await expect(page.locator(".waiting .note")).to_have_text(TEXTS["failed"])
    await page.unroute("**/api/say")
    await page.reload()
    await expect(said(page, "Đã nghe: đừng mất nhé")).to_be_visible()
    await page.reload()
    await expect(page.locator(".mine")).to_have_count(1)
    assert len(echo.heard) == 2


async def test_what_is_typed_and_not_sent_yet_is_there_after_a_reload_and_gone_once_it_was_sent(
    phone: BrowserContext, echo: Echo
) -> None:
    page = await opened(phone, echo)
    await page.locator("#text").fill("trước đây thay dao\nmất mười phút")
    await page.reload()
    await expect(page.locator("#text")).to_have_value("trước đây thay dao\nmất mười phút")
    await page.locator("#text").press("Enter")
    await expect(said(page, "Đã nghe: trước đây thay dao")).to_be_visible()
    await page.reload()
    await expect(page.locator(".mine")).to_have_count(1)
    await expect(page.locator("#text")).to_have_value("")


async def test_what_is_typed_while_the_page_loads_goes_out_once_after_what_was_left(
    phone: BrowserContext, echo: Echo
) -> None:
    page = await opened(phone, echo)
    await page.route("**/api/say", lambda route: route.abort())
    await types(page, "một")
    await expect(page.locator(".waiting .note")).to_have_text(TEXTS["failed"])
    await page.unroute("**/api/say")
    ready = asyncio.Event()

    async def late(route: Route) -> None:
        await ready.wait()
        await route.continue_()

    for _ in range(2):  # and the page is loaded again before it was ready
        await page.route("**/api/me*", late)
        await page.reload(wait_until="commit")
        await expect(page.locator("#send")).to_be_enabled()
        await types(page, "hai")
        await expect(page.locator(".waiting")).to_have_text("hai")
    ready.set()
    await expect(said(page, "Đã nghe: hai")).to_have_count(2)
    await expect(page.locator(".waiting")).to_have_count(0)
    await expect(page.locator(".mine .bubble")).to_have_text(["một", "hai", "hai"])
    assert [raw["text"] for raw in echo.heard] == ["/start", "một", "hai", "hai"]


async def test_until_the_scripts_are_there_the_buttons_cannot_be_pressed_and_words_stay(
    phone: BrowserContext, echo: Echo
) -> None:
    page = await phone.new_page()
    ready = asyncio.Event()

    async def late(route: Route) -> None:
        await ready.wait()
        await route.continue_()

    await page.route("**/chat.js", late)
    await page.goto(echo.address, wait_until="commit")
    await page.locator("#text").fill("tôi viết ngay")
    for name in ("send", "menu", "files"):
        await expect(page.locator(f"#{name}")).to_be_disabled()
    await page.locator("#send").tap(force=True)
    ready.set()
    await expect(page.locator(".rows").first).to_be_visible()
    await expect(page.locator("#text")).to_have_value("tôi viết ngay")
    await page.locator("#send").tap()
    await expect(said(page, "Đã nghe: tôi viết ngay")).to_be_visible()
    assert [raw["text"] for raw in echo.heard] == ["/start", "tôi viết ngay"]


async def test_photos_that_a_reload_took_before_they_were_sent_are_named_and_their_words_kept(
    phone: BrowserContext, echo: Echo
) -> None:
    page = await opened(phone, echo)
    await page.route("**/api/files", lambda route: route.abort())
    await page.locator("#text").fill("Máy cắt mới")
    picture = {"name": "máy.png", "mimeType": "image/png", "buffer": qr_png("https://congdoan.example")}
    await page.locator("#files").set_input_files([picture])  # type: ignore[list-item]
    await expect(page.locator(".waiting .note")).to_have_text(TEXTS["failed"])
    await page.unroute("**/api/files")
    await page.reload()
    await expect(page.locator(".failed")).to_contain_text("máy.png")
    await expect(page.locator(".failed .note")).to_have_text(TEXTS["lost"])
    await expect(page.locator("#text")).to_have_value("Máy cắt mới")
    assert len(echo.heard) == 1


async def test_after_a_restart_of_the_server_the_page_goes_on_by_itself(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    await echo.stop()
    await expect(page.locator("#offline")).to_have_text(TEXTS["offline"])
    await echo.say(Message("trong lúc mất kết nối"))
    await echo.start()
    await expect(said(page, "trong lúc mất kết nối")).to_be_visible(timeout=30_000)
    await expect(page.locator("#offline")).to_have_text("")


async def test_what_is_said_after_a_restart_goes_out_without_a_word_of_the_restart(
    phone: BrowserContext, echo: Echo
) -> None:
    page = await opened(phone, echo)
    await page.evaluate("me.csrf = 'of the process before'")
    notes = "window.notes = []; new MutationObserver(() => notes.push(document.querySelector('.waiting .note')?.textContent))"
    await page.evaluate(f"{notes}.observe(log, {{childList: true, subtree: true, characterData: true}})")
    await types(page, "vẫn đây")
    await expect(said(page, "Đã nghe: vẫn đây")).to_be_visible()
    assert TEXTS["failed"] not in await page.evaluate("notes")


async def test_a_page_without_a_network_says_so_at_once_and_hides_nothing_behind_that(
    phone: BrowserContext, echo: Echo
) -> None:
    await phone.clock.install(time=0)
    page = await opened(phone, echo)
    for number in range(12):
        await echo.say(Message(f"tin {number}"))
    await expect(said(page, "tin 11")).to_be_in_viewport(ratio=1)
    await page.clock.pause_at(40_000)
    await page.evaluate("dispatchEvent(new Event('offline'))")  # a browser tells the page before its lines break
    await expect(page.locator("#offline")).to_have_text(TEXTS["offline"])
    assert await page.evaluate("log.scrollHeight - log.clientHeight - log.scrollTop") < 2


async def test_where_there_is_no_room_for_a_stream_the_page_asks_now_and_then(
    phone: BrowserContext, echo: Echo
) -> None:
    page = await opened(phone, echo)
    full = echo.server._reading  # type: ignore[union-attr]
    full._most_streams = 0
    async with page.expect_response(lambda answer: "/api/events" in answer.url and answer.status == 503):
        full.close()
    full._closing = False
    await types(page, "còn chỗ không")
    await expect(said(page, "Đã nghe: còn chỗ không")).to_be_visible()
    await expect(page.locator("#offline")).to_have_text("")
    full._most_streams = 100
    async with page.expect_response(lambda answer: "/api/events" in answer.url and answer.status == 200):
        pass


async def test_a_line_that_dies_without_a_word_is_given_up(phone: BrowserContext, echo: Echo) -> None:
    await phone.clock.install()
    page = await opened(phone, echo)
    async with page.expect_request("**/api/events*"):
        await page.clock.fast_forward(51_000)
    await expect(page.locator("#offline")).to_have_text("")
    await echo.say(Message("vẫn nghe"))
    await expect(said(page, "vẫn nghe")).to_be_visible()


async def test_a_line_on_which_nothing_is_said_is_kept_while_the_server_shows_that_it_lives(
    phone: BrowserContext, echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "HEARTBEAT", 0.01)
    await phone.clock.install()
    page = await opened(phone, echo)
    streams: list[str] = []
    page.on("request", lambda request: streams.append(request.url) if "api/events" in request.url else None)
    for _ in range(3):
        await page.clock.fast_forward(30_000)
        await page.evaluate(
            "() => new Promise((done) => { const other = new EventSource('api/events?after=9'); let n = 0;"
            " other.addEventListener('beat', () => { if (++n === 5) { other.close(); done(); } }); })"
        )
    assert [url for url in streams if not url.endswith("=9")] == []


async def test_what_got_no_answer_is_said_again_and_heard_once(phone: BrowserContext, echo: Echo) -> None:
    await phone.clock.install()
    page = await opened(phone, echo)
    tried: list[Route] = []

    async def swallow_first(route: Route) -> None:
        tried.append(route)
        if len(tried) > 1:
            await route.continue_()

    await page.route("**/api/say", swallow_first)
    async with page.expect_request("**/api/say"):
        await types(page, "có ai nghe không")
    await page.clock.fast_forward(46_000)
    await expect(said(page, "Đã nghe: có ai nghe không")).to_be_visible(timeout=30_000)
    assert len(tried) == 2
    await expect(page.locator(".mine")).to_have_count(1)


async def test_when_the_network_is_back_nothing_waits_for_the_next_try(phone: BrowserContext, echo: Echo) -> None:
    await phone.clock.install(time=0)
    page = await opened(phone, echo)
    await phone.set_offline(True)
    await types(page, "đến nhà ăn rồi")
    await expect(page.locator(".waiting .note")).to_have_text(TEXTS["failed"])
    await page.clock.pause_at(3_600_000)
    await phone.set_offline(False)
    await expect(said(page, "Đã nghe: đến nhà ăn rồi")).to_be_visible()


async def test_a_line_that_comes_back_while_a_try_is_under_way_is_not_missed(phone: BrowserContext, echo: Echo) -> None:
    await phone.clock.install(time=0)
    page = await opened(phone, echo)
    await page.clock.pause_at(3_600_000)
    tried: list[Route] = []

    async def fail_first(route: Route) -> None:
        tried.append(route)
        if len(tried) == 1:  # it began without a line; no timer runs, and the stream says nothing
            await page.route("**/api/events*", lambda stream: stream.abort())
            await page.evaluate("() => { window.dispatchEvent(new Event('online')); }")
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/api/say", fail_first)
    async with page.expect_response("**/api/say"):
        await types(page, "về đến nhà rồi")
    assert len(tried) == 2


async def test_while_photos_go_out_the_page_says_how_much_is_gone(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    await page.route("**/api/files", lambda route: None)
    await page.evaluate(
        "() => { const send = XMLHttpRequest.prototype.send; XMLHttpRequest.prototype.send = function (body) { send.call(this, body);"
        " this.upload.dispatchEvent(new ProgressEvent('progress', { lengthComputable: true, loaded: 45, total: 100 })); }; }"
    )
    picture = {"name": "máy.png", "mimeType": "image/png", "buffer": qr_png("https://congdoan.example")}
    await page.locator("#files").set_input_files([picture])  # type: ignore[list-item]
    await expect(page.locator(".waiting .note")).to_have_text(f"{TEXTS['sending']} 45%")


async def test_a_refusal_is_told_beside_what_was_said(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    await page.locator("#text").evaluate("t => t.removeAttribute('maxlength')")
    await types(page, "a" * 20_001)
    await expect(page.locator(".failed .note")).to_have_text(TEXTS["too_long"])
    await types(page, "ngắn")
    await expect(said(page, "Đã nghe: ngắn")).to_be_visible()


async def test_a_forgotten_browser_begins_anew_and_takes_along_what_it_was_about_to_say(
    phone: BrowserContext, echo: Echo
) -> None:
    page = await opened(phone, echo)
    async with echo.house.database.write() as session:
        await session.execute(delete(WebSession))
    await types(page, "còn đây không?")
    await expect(said(page, "Đã nghe: còn đây không?")).to_be_visible()
    assert echo.heard[0]["address"] != echo.heard[-1]["address"]


async def test_what_was_erased_leaves_the_page_too(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    await types(page, "bí mật")
    await expect(said(page, "Đã nghe: bí mật")).to_be_visible()
    async with echo.house.database.write() as session:
        await session.execute(delete(WebMessage))
    await echo.say(Message("Đã xóa hết ạ."))
    await expect(page.locator(".bubble")).to_have_text(["Đã xóa hết ạ."])


# ------------------------------------------------------------------------------------------- everybody's small phone


@pytest.mark.parametrize(("width", "zoom"), [(320, 100), (320, 130), (360, 130), (1280, 100)])
async def test_nothing_is_cut_off_and_everything_can_be_hit_with_a_finger(
    phone: BrowserContext, echo: Echo, width: int, zoom: int
) -> None:
    page = await opened(phone, echo)
    await page.set_viewport_size({"width": width, "height": 640})
    await page.evaluate(f"document.documentElement.style.fontSize = '{zoom}%'")
    await echo.say(Message("https://congdoan.example/" + "rất-dài-" * 30))
    await types(page, "x" * 300)
    await expect(page.locator(".mine .bubble")).to_be_visible()
    for box in ("document.documentElement", "document.getElementById('log')"):
        assert await page.evaluate(f"{box}.scrollWidth <= {box}.clientWidth")
    sizes = await page.evaluate(
        "[...document.querySelectorAll('button, #attach')].map(b => b.getBoundingClientRect())"
        ".map(b => [b.width, b.height])"
    )
    assert len(sizes) == 10
    # Where a message still slides into its place, the browser's own arithmetic leaves 43.99999.
    assert all(round(w, 1) >= 44 and round(h, 1) >= 44 for w, h in sizes), sizes


async def test_the_page_can_be_used_by_keyboard_alone(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    await page.locator("#log").focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(said(page, "Đã nghe: s:1:send")).to_be_visible()
    reached = []
    for _ in range(10):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("document.activeElement.id"))
    assert [name for name in reached if name in ("files", "text", "send")][:3] == ["files", "text", "send"]
    await page.locator("#text").focus()
    await page.keyboard.type("dòng một")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("dòng hai")
    await page.keyboard.press("Enter")
    await expect(said(page, "Đã nghe: dòng một")).to_be_visible()
    assert echo.heard[-1]["text"] == "dòng một\ndòng hai"


async def test_a_screen_reader_hears_who_speaks_and_what_each_control_does(phone: BrowserContext, echo: Echo) -> None:
    page = await opened(phone, echo)
    await types(page, "chào")
    await expect(said(page, "Đã nghe")).to_be_visible()
    log = page.get_by_role("log", name=TEXTS["messages"])
    assert await log.get_attribute("aria-live") == "polite"
    assert await log.get_attribute("aria-busy") is None
    await expect(page.get_by_role("textbox", name=TEXTS["placeholder"])).to_be_visible()
    await expect(page.get_by_role("button", name=TEXTS["send"], exact=True)).to_be_visible()
    await expect(page.get_by_label(TEXTS["attach"])).to_be_attached()
    await expect(page.get_by_role("heading", name=TEXTS["title"])).to_be_visible()
    who = await page.locator(".message .unseen").all_text_contents()
    assert who == [TEXTS["from_us"], TEXTS["from_me"], TEXTS["from_us"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_stands_out_enough_from_its_ground(
    phone: BrowserContext, echo: Echo, scheme: Literal["light", "dark"]
) -> None:
    page = await opened(phone, echo)
    await page.emulate_media(color_scheme=scheme)
    await echo.say(
        Message('Tiếp ạ? /menu <a href="https://congdoan.example">trang</a>', (Choice("Tiếp", key="on"),), screen=2)
    )
    await types(page, "chào")
    await expect(said(page, "Đã nghe")).to_be_visible()
    poor = await page.evaluate(CONTRAST)
    assert poor == []


CONTRAST = """() => {
  const parts = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (c) => {
    const [r, g, b] = parts(c).slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if ((parts(c)[3] ?? 1) > 0) return c;
    }
    return "rgb(255, 255, 255)";
  };
  const poor = [];
  for (const e of document.querySelectorAll("h1, header p, #menu, .bubble, .bubble a, .command, .time, .day, .row button")) {
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push([e.className || e.tagName, e.textContent, ratio]);
  }
  return poor;
}"""


# ------------------------------------------------------------------------------------------------------------ demo


async def test_the_demo_shows_phones_of_its_people_and_moves_its_clock(phone: BrowserContext, demo: Echo) -> None:
    page = await phone.new_page()
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.goto(demo.address + "?people=hoa,ha")
    await expect(page.locator("iframe")).to_have_count(2)
    for name in ("hoa", "ha"):
        frame = page.frame_locator(f'iframe[title="{name}"]')
        await expect(frame.locator(".rows")).to_be_visible()
        await frame.locator("#text").fill(f"tôi là {name}")
        await frame.locator("#text").press("Enter")
        await expect(frame.locator(".bubble", has_text=f"Đã nghe: tôi là {name}")).to_be_visible()
    assert {raw["address"] for raw in demo.heard} == {"demo-hoa", "demo-ha"}
    await expect(page.locator("#clock")).to_have_text("Thứ Sáu, 25/7/2025, 16:55")
    for button, clock in (
        ("demo_hour", "Thứ Sáu, 25/7/2025, 17:55"),
        ("demo_day", "Thứ Bảy, 26/7/2025, 17:55"),
        ("demo_morning", "Chủ nhật, 27/7/2025, 07:00"),
        ("demo_union_day", "Thứ Hai, 28/7/2025, 07:00"),
    ):
        await page.get_by_role("button", name=TEXTS[button], exact=True).click()
        await expect(page.locator("#clock")).to_have_text(clock)
    await page.get_by_label(TEXTS["demo_moment"]).fill("2026-02-03T08:30")
    await page.get_by_role("button", name=TEXTS["demo_go"], exact=True).click()
    await expect(page.locator("#clock")).to_have_text("Thứ Ba, 03/02/2026, 08:30")


async def test_the_demo_says_what_comes_next_and_goes_there(phone: BrowserContext, demo: Echo) -> None:
    page = await phone.new_page()
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.goto(demo.address)
    await (
        page.get_by_role("group", name=TEXTS["demo_next"])
        .get_by_role("button", name="26/7, 06:00 Việc sắp tới")
        .click()
    )
    await expect(page.locator("#clock")).to_have_text("Thứ Bảy, 26/7/2025, 06:00")


async def test_the_demo_marks_who_has_something_new_until_their_phone_is_opened(
    phone: BrowserContext, demo: Echo
) -> None:
    page = await phone.new_page()
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.goto(demo.address + "?people=hoa")
    person = page.locator('nav [data-key="ha"]')
    await expect(person).not_to_have_class("news")
    assert demo.demo is not None
    demo.demo.latest["ha"] = 5
    await page.evaluate("look()")
    await expect(person).to_contain_text(TEXTS["demo_news"])
    await person.click()
    await expect(person).not_to_contain_text(TEXTS["demo_news"])


async def test_the_demo_shows_one_phone_at_a_time_where_there_is_no_room(phone: BrowserContext, demo: Echo) -> None:
    page = await phone.new_page()
    await page.goto(demo.address)
    await expect(page.locator("iframe")).to_have_count(1)
    await page.get_by_role("combobox", name=TEXTS["demo_pick"]).select_option("ha")
    await expect(page.locator('iframe[title="ha"]')).to_be_visible()
    await expect(page.locator('iframe[title="hoa"]')).to_be_hidden()
    await expect(page.locator("#union")).to_be_hidden()
    await page.get_by_role("button", name=TEXTS["demo_panel"]).click()
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    sizes = await page.locator(".bar button, .bar input, .bar select").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).map(b => [b.width, b.height, b.right])"
    )
    assert all(w >= 44 and h >= 44 and right <= 360 for w, h, right in sizes), sizes
    await page.locator("#union").click()
    await expect(page.locator("#clock")).to_have_text("Thứ Hai, 28/7/2025, 07:00")
    await expect(page.locator("#union")).to_be_hidden()


async def test_texts_that_are_code_elsewhere_are_shown_as_typed(phone: BrowserContext, echo: Echo) -> None:
    """The grammar of tests/content/test_injection.py (T20), said by the bot as its templates escape it."""
    page = await opened(phone, echo)
    words, _ = spoken()
    texts = [text for number in range(40) if (text := clean(typed(Random(number)))) and len(text) < 500]
    for number, text in enumerate(texts):
        await echo.say(announcement(words, "notice", f"{number}.{text}", []))
    await expect(said(page, f"{len(texts) - 1}.").last).to_be_visible()
    shown = await page.locator(".bubble").evaluate_all("all => all.map(b => b.innerText)")
    for number, text in enumerate(texts):
        bare = "".join(f"{number}.{text}".split())
        assert any(bare in "".join(each.split()) for each in shown), text
    assert await page.locator(".bubble script, .bubble img, .bubble a[href^='tg:'], .bubble iframe").count() == 0
    assert await page.locator(".bubble .command", has_text="/script").count() == 0
