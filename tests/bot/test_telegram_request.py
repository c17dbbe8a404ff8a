"""PTB over our own HTTP layer: what arrives, how each failure is told apart, and that the token never shows."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from telegram import Bot, InputMediaPhoto
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.channels.telegram.request import AiohttpRequest, NotSent, NotTelegram, Unclear
from tests.fakes.botapi import TOKEN, FakeBotApi, Fault

LAN = 4201
SECRET = TOKEN.partition(":")[2]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
async def fake() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as made:
        made.person(LAN, "Trần Thị Lan")
        yield made


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., Awaitable[Bot]]]:
    """Makes bots that talk to an address, with the times given."""
    opened: list[AiohttpRequest] = []

    async def made(url: str, connections: int = 4, **times: float | None) -> Bot:
        request = AiohttpRequest(connections, **times)
        await request.initialize()
        opened.append(request)
        return Bot(TOKEN, f"{url}/bot", f"{url}/file/bot", request, request)

    yield made
    for request in opened:
        await request.shutdown()


@pytest.fixture
async def bot(fake: FakeBotApi, connect: Callable[..., Awaitable[Bot]]) -> Bot:
    return await connect(fake.url)


# ---------------------------------------------------------------------------------------------------- what arrives


async def test_a_text_arrives_with_its_buttons(fake: FakeBotApi, bot: Bot) -> None:
    sent = await bot.send_message(LAN, "Chào <b>chị</b> & cả tổ 👋", parse_mode="HTML")
    (shown,) = fake.messages(LAN)
    assert (shown.text, shown.message_id) == ("Chào chị & cả tổ 👋", sent.message_id)
    await bot.edit_message_text("Hết", LAN, sent.message_id)
    assert fake.messages(LAN)[0].text == "Hết"


async def test_pictures_and_files_arrive_whole(fake: FakeBotApi, bot: Bot) -> None:
    # Above 1 MB aiohttp warns of bytes that are no stream; warnings are errors here.
    large = b"%PDF" + bytes(range(256)) * 8192
    await bot.send_photo(LAN, b"\xff\xd8picture", caption="<i>Bảng tin</i>", parse_mode="HTML")
    await bot.send_document(LAN, large, filename='Báo cáo "quý 3"; bản 2.pdf')
    await bot.send_media_group(LAN, [InputMediaPhoto(b"\xff\xd81", caption="Hai ảnh"), InputMediaPhoto(b"\xff\xd82")])
    photo, document, first, second = fake.messages(LAN)
    assert (photo.photo, photo.text) == (b"\xff\xd8picture", "Bảng tin")
    assert document.document == ("Báo cáo 'quý 3'; bản 2.pdf", large)
    assert (first.photo, second.photo, first.album) == (b"\xff\xd81", b"\xff\xd82", second.album)


async def test_a_line_break_in_a_files_name_does_no_harm(fake: FakeBotApi, bot: Bot) -> None:
    await bot.send_document(LAN, b"%PDF", filename="a\r\nX-Evil: 1.pdf")
    assert fake.messages(LAN)[0].document == ("a  X-Evil: 1.pdf", b"%PDF")


async def test_a_file_somebody_sent_is_fetched(fake: FakeBotApi, bot: Bot) -> None:
    fake.person(LAN).sends_document(b"%PDF" * 300_000, "a.pdf")
    (update,) = await bot.get_updates()
    assert update.message is not None and update.message.document is not None
    found = await bot.get_file(update.message.document.file_id)
    assert bytes(await found.download_as_bytearray()) == b"%PDF" * 300_000


async def test_a_long_poll_waits_as_long_as_it_is_told(fake: FakeBotApi, bot: Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=20))
    await fake.until(lambda: fake.polls)
    fake.person(LAN).says("chào")
    (update,) = await poll
    assert update.message is not None and update.message.text == "chào"


# ---------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("fault", "expected", "words"),
    [
        (Fault("429", retry_after=7), RetryAfter, "Flood control exceeded. Retry in 0:00:07"),
        (Fault("429_bare"), NetworkError, "Too Many Requests"),
        (Fault("403"), Forbidden, "Forbidden: bot was blocked by the user"),
        (Fault("400"), BadRequest, "Chat not found"),
        (Fault("401"), InvalidToken, "Unauthorized"),
        (Fault("404_page"), NotTelegram, "something else answers in Telegram's place (404)"),
        (Fault("403_page"), NotTelegram, "something else answers in Telegram's place (403)"),
        (Fault("302_page"), NotTelegram, "something else answers in Telegram's place (302)"),
        (Fault("502"), NetworkError, "Bad Gateway (502)"),
        (Fault("garbage_200"), Unclear, "an answer that is not the Bot API's"),
        (Fault("drop_before"), Unclear, "the connection broke (ServerDisconnectedError)"),
        (Fault("drop_after"), Unclear, "the connection broke (ServerDisconnectedError)"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else None,
)
async def test_each_failure_has_its_own_error(
    fake: FakeBotApi, bot: Bot, fault: Fault, expected: type[TelegramError], words: str
) -> None:
    fake.fail(fault)
    with pytest.raises(TelegramError) as caught:
        await bot.send_message(LAN, "x")
    assert type(caught.value) is expected
    assert str(caught.value).startswith(words)
    assert len(fake.calls("sendMessage")) == 1
    assert len(fake.messages(LAN)) == fault.obeyed
    await bot.send_message(LAN, "lần sau thì được")


async def test_a_second_poller_is_a_conflict(fake: FakeBotApi, bot: Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await fake.until(lambda: fake.polls)
    second = asyncio.create_task(bot.get_updates(timeout=20))
    with pytest.raises(Conflict):
        await first
    fake.person(LAN).says("chào")
    await second


async def test_a_refused_port_means_not_sent(fake: FakeBotApi, bot: Bot) -> None:
    await fake.stop()
    with pytest.raises(NotSent, match="ClientConnectorError"):
        await bot.send_message(LAN, "x")
    await fake.start()
    await bot.send_message(LAN, "lần sau thì được")
    assert len(fake.log) == 1


async def test_an_address_or_a_proxy_that_cannot_be_reached_means_not_sent(
    fake: FakeBotApi, connect: Callable[..., Awaitable[Bot]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await connect("http://127.0.0.1:99999999")
    with pytest.raises(NotSent, match="InvalidUrl"):
        await bot.send_message(LAN, "x")
    # Port 1 answers nobody.
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    bot = await connect(fake.url)
    with pytest.raises(NotSent, match="ClientProxyConnectionError"):
        await bot.send_message(LAN, "x")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    bot = await connect(fake.url)
    await bot.send_message(LAN, "x")


async def test_a_pool_without_a_free_connection_means_not_sent(
    fake: FakeBotApi, connect: Callable[..., Awaitable[Bot]]
) -> None:
    bot = await connect(fake.url, connections=1, connect=0.02, pool=0.02)
    fake.fail("slow")
    holding = asyncio.create_task(bot.send_message(LAN, "giữ"))
    await fake.until(lambda: fake.log)
    with pytest.raises(NotSent, match="ConnectionTimeoutError"):
        await bot.send_message(LAN, "chờ")
    assert len(fake.log) == 1
    await fake.stop()
    await holding


async def test_a_closed_pool_sends_nothing(fake: FakeBotApi, bot: Bot) -> None:
    await bot.request.shutdown()
    with pytest.raises(NotSent, match="closed"):
        await bot.send_message(LAN, "x")
    assert fake.log == []


async def test_an_answer_that_takes_too_long_is_unclear(
    fake: FakeBotApi, connect: Callable[..., Awaitable[Bot]]
) -> None:
    bot = await connect(fake.url, read=0.05)
    fake.fail("slow", times=2)
    with pytest.raises(Unclear, match="SocketTimeoutError"):
        await bot.send_message(LAN, "x")
    assert [call.delivered for call in fake.log] == [True]
    with pytest.raises(Unclear, match="SocketTimeoutError"):
        await (await connect(fake.url)).send_message(LAN, "x", read_timeout=0.05)


async def test_a_slow_answer_that_comes_in_time_is_an_answer(
    fake: FakeBotApi, connect: Callable[..., Awaitable[Bot]]
) -> None:
    bot = await connect(fake.url, read=None)
    fake.fail("slow", seconds=0.02)
    assert (await bot.send_message(LAN, "x")).text == "x"


async def test_an_upload_that_nobody_reads_ends_and_is_unclear(connect: Callable[..., Awaitable[Bot]]) -> None:
    met: list[asyncio.StreamWriter] = []

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(writer)

    server = await asyncio.start_server(deaf, "127.0.0.1", 0, limit=1024)
    port = server.sockets[0].getsockname()[1]
    bot = await connect(f"http://127.0.0.1:{port}", connect=0.02, pool=0.02, transfer=0.05, read=0.05)
    with pytest.raises(Unclear, match="TimeoutError"):
        await bot.send_document(LAN, b"x" * 20_000_000)
    assert len(met) == 1
    for writer in met:
        writer.transport.abort()
    server.close()
    await server.wait_closed()


# ---------------------------------------------------------------------------------------------------- the token


Answer = Callable[[web.Request], web.Response]
STRANGE: dict[str, Answer] = {
    "a page": lambda request: web.Response(status=404, text=f"<p>{request.url}", content_type="text/html"),
    "a page that says all is well": lambda request: web.Response(text=f"<p>{request.url}", content_type="text/html"),
    "a page with a result": lambda request: web.Response(text=f'"result" {request.url}', content_type="text/html"),
    "a broken gateway": lambda request: web.Response(status=502, text=f"<p>{request.url}", content_type="text/html"),
    "a refusal": lambda request: web.json_response(
        {"ok": False, "error_code": 400, "description": f"bad: {request.url}"}, status=400
    ),
    "a refusal under 200": lambda request: web.json_response({"ok": False, "description": str(request.url)}),
    "half an error": lambda request: web.Response(status=400, text=f'{{"ok": false, "x": "{request.url}'),
    "a list": lambda request: web.json_response([{"result": str(request.url)}]),
    "another's JSON": lambda request: web.json_response({"message": str(request.url)}, status=403),
    "success without a result": lambda request: web.json_response({"ok": True, "x": {"result": str(request.url)}}),
    "a redirect": lambda request: web.Response(status=307, headers={"Location": f"{request.url}/again"}),
    "a large body refused": lambda request: web.Response(
        status=413, text=f"<p>{request.url}", content_type="text/html"
    ),
    "a garbled header": lambda request: web.Response(headers={"Content-Encoding": "deflate"}, body=b"\x00garbage"),
}


@asynccontextmanager
async def answering(answer: Answer, asked: list[str]) -> AsyncIterator[str]:
    """The address of somebody who is not Telegram and answers everything so."""

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return answer(request)

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("strange", STRANGE)
async def test_no_answer_makes_the_token_show(
    connect: Callable[..., Awaitable[Bot]], caplog: pytest.LogCaptureFixture, strange: str
) -> None:
    asked: list[str] = []
    async with answering(STRANGE[strange], asked) as url:
        bot = await connect(url)
        caplog.set_level(logging.DEBUG)
        with pytest.raises(TelegramError) as caught:
            await bot.send_message(LAN, "x")
    assert len(asked) == 1
    assert_secret(caught.value, caplog)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "slow", "refused", "crowded", "garbled", "bad address"])
async def test_no_failure_makes_the_token_show(
    fake: FakeBotApi, connect: Callable[..., Awaitable[Bot]], caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    async def garble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"no HTTP at all\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(garble, "127.0.0.1", 0)
    address = {
        "garbled": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}",
        "bad address": "http://127.0.0.1:99999999",
    }.get(kind, fake.url)
    bot = await connect(address, connections=1, connect=0.02, pool=0.02, read=0.05)
    # From here on: PTB writes the address itself, at DEBUG, when a Bot is made (bot/logs.py keeps it quiet).
    caplog.set_level(logging.DEBUG)
    holding: asyncio.Task[object] | None = None
    if kind == "refused":
        await fake.stop()
    elif kind == "crowded":
        fake.fail("slow")
        holding = asyncio.create_task(bot.send_message(LAN, "giữ", read_timeout=30))
        await fake.until(lambda: fake.log)
    elif kind in ("drop_before", "drop_after", "slow"):
        fake.fail(kind)
    with pytest.raises(NotSent if kind in ("refused", "crowded", "bad address") else Unclear) as caught:
        await bot.send_message(LAN, "x")
    server.close()
    await server.wait_closed()
    if holding is not None:
        await fake.stop()
        await holding
    assert_secret(caught.value, caplog)


def assert_secret(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """The token stands neither in the log nor anywhere in the chain of errors, shown or not."""
    assert SECRET not in caplog.text
    assert SECRET not in "".join(traceback.format_exception(error))
    seen: list[BaseException | None] = [error]
    while seen:
        each = seen.pop()
        if each is not None:
            assert SECRET not in f"{each!s} {each!r} {each.args!r}"
            seen += [each.__cause__, each.__context__]


@pytest.mark.parametrize(
    "strange", ["a page that says all is well", "a refusal under 200", "a list", "success without a result"]
)
async def test_a_success_that_is_not_the_bot_apis_is_unclear(
    connect: Callable[..., Awaitable[Bot]], strange: str
) -> None:
    async with answering(STRANGE[strange], []) as url:
        bot = await connect(url)
        with pytest.raises(Unclear):
            await bot.send_message(LAN, "x")


def test_both_kinds_of_doubt_are_network_errors_and_no_refusals() -> None:
    for kind in (NotSent, Unclear):
        assert issubclass(kind, NetworkError)
        assert not issubclass(kind, BadRequest | TimedOut)
    assert issubclass(NotTelegram, InvalidToken)
