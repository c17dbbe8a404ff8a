"""The fake Bot API keeps the real one's promises, and everything it says can be parsed by PTB."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from telegram import Message, Update
from telegram.warnings import PTBUserWarning

from tests.fakes.botapi import TOKEN, BotApiProcess, Bucket, FakeBotApi, Fault, SlidingSecond

LAN = 4201
BUTTONS = {
    "inline_keyboard": [[{"text": "Gửi", "callback_data": "s1:gui"}], [{"text": "Thôi", "callback_data": "s1:thoi"}]]
}


class Caller:
    """A bare client: method and arguments in, status and JSON out."""

    def __init__(self, fake: FakeBotApi | BotApiProcess, session: aiohttp.ClientSession) -> None:
        self.fake = fake
        self.session = session

    async def raw(self, method: str, **arguments: Any) -> tuple[int, dict[str, Any]]:
        async with self.session.post(f"{self.fake.url}/bot{TOKEN}/{method}", json=arguments) as answer:
            return answer.status, await answer.json()

    async def __call__(self, method: str, **arguments: Any) -> Any:
        status, found = await self.raw(method, **arguments)
        assert status == 200, found
        return found["result"]

    async def refused(self, method: str, **arguments: Any) -> str:
        status, found = await self.raw(method, **arguments)
        assert (found["ok"], found["error_code"]) == (False, status)
        return f"{status} {found['description']}"

    async def updates(self, **arguments: Any) -> list[int]:
        return [update["update_id"] for update in await self("getUpdates", **arguments)]


@pytest.fixture
async def fake() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as made:
        made.person(LAN, "Trần Thị Lan", "lan_may")
        yield made


@pytest.fixture
async def bot(fake: FakeBotApi) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(fake, session)


# ---------------------------------------------------------------------------------------------------- updates in


async def test_an_offset_forgets_everything_below_it_at_that_very_call(fake: FakeBotApi, bot: Caller) -> None:
    lan = fake.person(LAN)
    lan.says("một")
    lan.says("hai")
    first, second = await bot.updates()
    assert second == first + 1
    assert await bot.updates(limit=1, offset=first) == [first]
    assert fake.confirmed == []
    assert await bot.updates(offset=second) == [second]
    assert fake.confirmed == [first]
    assert await bot.updates() == [second]
    assert await bot.updates(offset=second + 1) == []
    assert (fake.pending, fake.confirmed) == ([], [first, second])


async def test_an_offset_that_cannot_be_is_answered_from_the_head_of_the_queue(fake: FakeBotApi, bot: Caller) -> None:
    fake.person(LAN).says("một")
    (number,) = fake.pending
    assert await bot.updates(offset=number + 1_000_000) == [number]
    fake.person(LAN).says("hai")
    assert await bot.updates(offset=-1) == [number + 1]
    assert fake.confirmed == [number]


async def test_a_stale_offset_skips_nothing_when_numbers_jump_down(fake: FakeBotApi, bot: Caller) -> None:
    fake.person(LAN).says("trước tuần lặng")
    (old,) = await bot.updates()
    assert await bot.updates(offset=old + 1) == []
    fake.jump(31_000)
    fake.person(LAN).says("sau tuần lặng")
    assert await bot.updates(offset=old + 1) == [31_000]


async def test_an_update_that_nobody_fetches_is_gone_after_24_hours(fake: FakeBotApi, bot: Caller) -> None:
    fake.person(LAN).says("đúng hạn")
    (number,) = fake.pending
    fake.later(hours=23, minutes=59)
    assert await bot.updates() == [number]
    fake.later(minutes=2)
    assert await bot.updates(offset=0, limit=50) == []
    assert (fake.expired, fake.confirmed) == ([number], [])


async def test_only_kinds_that_were_asked_for_come_until_others_are(fake: FakeBotApi, bot: Caller) -> None:
    lan = fake.person(LAN)
    usual = ["message", "edited_message", "my_chat_member", "my_chat_member"]

    def come() -> list[str]:
        before = len(fake.state.queue)
        lan.edits(lan.says("một"), "hai")
        lan.blocks()
        lan.unblocks()
        fake.push({"chat_member": {}})
        return [kind for waiting in fake.state.queue[before:] for kind in waiting.raw if kind != "update_id"]

    assert come() == usual
    await bot("getUpdates", allowed_updates=["chat_member", "edited_message"])
    assert come() == ["edited_message", "chat_member"]
    await bot("getUpdates")
    assert come() == ["edited_message", "chat_member"]
    await bot("setWebhook", url="https://example.vn/", allowed_updates=["message"])
    assert come() == ["message"]
    await bot("deleteWebhook")
    assert come() == ["message"]
    await bot("getUpdates", allowed_updates=[])
    assert come() == usual
    assert fake.push({"chat_member": {}}) == 0


async def test_a_long_poll_ends_when_somebody_writes(fake: FakeBotApi, bot: Caller) -> None:
    poll = asyncio.create_task(bot.updates(timeout=30))
    await fake.until(lambda: fake.polls)
    fake.person(LAN).says("chào")
    fake.person(LAN).says("có ai không?")
    assert await poll == fake.pending
    assert len(fake.pending) == 2


async def test_a_second_long_poll_ends_the_first(fake: FakeBotApi, bot: Caller) -> None:
    first = asyncio.create_task(bot.refused("getUpdates", timeout=30))
    await fake.until(lambda: len(fake.polls) == 1)
    second = asyncio.create_task(bot.updates(timeout=30))
    assert (await first).startswith("409 Conflict: terminated by other getUpdates request")
    fake.person(LAN).says("chào")
    assert await second == fake.pending


async def test_a_poll_that_does_not_wait_ends_nobody_elses(fake: FakeBotApi, bot: Caller) -> None:
    waiting = asyncio.create_task(bot.updates(timeout=30))
    await fake.until(lambda: len(fake.polls) == 1)
    assert await bot.updates() == []
    fake.person(LAN).says("chào")
    assert await waiting == fake.pending


async def test_a_poll_repeated_at_once_gets_one_update_only(fake: FakeBotApi, bot: Caller) -> None:
    fake.person(LAN).says("một")
    fake.person(LAN).says("hai")
    assert len(await bot.updates()) == 2
    assert len(await bot.updates()) == 1


async def test_no_polling_while_a_webhook_is_set(fake: FakeBotApi, bot: Caller) -> None:
    assert await bot("setWebhook", url="https://example.org/x") is True
    assert (await bot.refused("getUpdates")).startswith("409 Conflict: can't use getUpdates")
    assert (await bot("getWebhookInfo"))["url"] == "https://example.org/x"
    assert await bot("deleteWebhook") is True
    assert await bot.updates() == []


@asynccontextmanager
async def receiving(*answers: web.Response) -> AsyncIterator[tuple[str, list[tuple[int, str]]]]:
    """A webhook that answers so, one after the other and 200 at last; what it was brought, by number, and with which secret."""
    left, got = list(answers), []

    async def take(request: web.Request) -> web.Response:
        got.append(((await request.json())["update_id"], request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")))
        return left.pop(0) if left else web.Response()

    app = web.Application()
    app.router.add_post("/x", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}", got  # type: ignore[attr-defined]
    await runner.cleanup()


async def test_what_a_webhook_does_not_take_comes_again_before_what_is_behind_it_in_its_chat(
    fake: FakeBotApi, bot: Caller
) -> None:
    refusals = (
        web.Response(status=500),
        web.Response(status=302, headers={"Location": "/y"}),
        web.Response(status=404),
    )
    async with receiving(*refusals) as (fake.bringer.at, got):
        fake.bringer.first = 0.01
        first, second = (fake.state.push({"message": {"chat": {"id": LAN}, "text": word}}) for word in ("một", "hai"))
        assert await bot("setWebhook", url="https://example.org/x", secret_token="s3cret") is True
        await fake.until(lambda: not fake.pending)
        assert got == [(first, "s3cret")] * 4 + [(second, "s3cret")]
        assert fake.confirmed == [first, second]
        assert (await bot("getWebhookInfo"))["last_error_message"].endswith("404")


async def test_a_webhook_that_is_busy_says_when_and_other_chats_do_not_wait(fake: FakeBotApi, bot: Caller) -> None:
    busy = web.Response(status=503, headers={"Retry-After": "3600"})
    async with receiving(busy) as (fake.bringer.at, got):
        for chat in (1, 2, 2):
            fake.state.push({"message": {"chat": {"id": chat}}})
        await bot("setWebhook", url="https://example.org/x")
        await fake.until(lambda: len(fake.confirmed) == 2)
        assert len(got) == 3 and len(fake.pending) == 1


async def test_a_webhook_that_says_gone_for_23_hours_is_forgotten(fake: FakeBotApi, bot: Caller) -> None:
    async with receiving(web.Response(status=410), web.Response(status=410)) as (fake.bringer.at, _):
        fake.bringer.first = 0.2
        fake.state.push({"message": {"chat": {"id": LAN}}})
        await bot("setWebhook", url="https://example.org/x")
        await fake.until(lambda: fake.state.failed)
        assert fake.state.webhook
        fake.later(hours=23, minutes=1)
        async with asyncio.timeout(10):
            while fake.state.webhook:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert await bot.updates() != []


async def test_a_webhook_is_reached_by_https_alone(bot: Caller) -> None:
    assert "HTTPS URL must be provided" in await bot.refused("setWebhook", url="http://example.org/x")


async def test_ptb_reads_every_kind_of_update(fake: FakeBotApi, bot: Caller) -> None:
    lan = fake.person(LAN)
    nhom = fake.group(-1001, "Tổ may 3")
    written = lan.says("/start moi-7")
    lan.edits(written, "/start moi-8")
    lan.sends_photo(b"\xff\xd8picture", "Trước", group="77")
    lan.sends_photo(b"\xff\xd8another", group="77")
    lan.sends_document(b"%PDF-1.4", "báo cáo.pdf", caption="Báo cáo")
    lan.sends_video()
    lan.sends_voice()
    lan.sends_sticker()
    lan.sends_location()
    sent = await bot("sendMessage", chat_id=LAN, text="Chọn", reply_markup=BUTTONS)
    lan.presses("Gửi")
    lan.says("Trả lời", reply_to=sent["message_id"])
    lan.adds_bot(nhom)
    lan.says("/menu@thu_nghiem_bot", chat=nhom)
    lan.blocks()
    lan.says("lại đây")
    raw = await bot("getUpdates")
    with warnings.catch_warnings():
        warnings.simplefilter("error", PTBUserWarning)
        read = [Update.de_json(each, None) for each in raw]
    assert [update.update_id for update in read] == list(range(raw[0]["update_id"], raw[0]["update_id"] + len(raw)))
    start, edited, photo, album, paper, film, voice, sticker, place, press, reply, added, said, blocked, again, last = (
        read
    )
    assert start.message is not None and start.message.entities[0].type == "bot_command"
    assert start.message.from_user is not None and start.message.from_user.full_name == "Trần Thị Lan"
    assert edited.edited_message is not None and edited.edited_message.text == "/start moi-8"
    assert photo.message is not None and album.message is not None
    assert photo.message.media_group_id == album.message.media_group_id == "77"
    assert photo.message.caption == "Trước"
    assert photo.message.photo[-1].file_unique_id != album.message.photo[-1].file_unique_id
    assert paper.message is not None and paper.message.document is not None
    assert paper.message.document.file_name == "báo cáo.pdf"
    assert film.message is not None and film.message.video is not None
    assert voice.message is not None and voice.message.voice is not None
    assert sticker.message is not None and sticker.message.sticker is not None
    assert place.message is not None and place.message.location is not None
    assert press.callback_query is not None and press.callback_query.data == "s1:gui"
    assert press.callback_query.message is not None and press.callback_query.message.message_id == sent["message_id"]
    assert reply.message is not None and reply.message.reply_to_message is not None
    assert added.my_chat_member is not None and added.my_chat_member.new_chat_member.status == "member"
    assert said.message is not None and (said.message.chat.type, said.message.chat.id) == ("group", nhom)
    assert blocked.my_chat_member is not None and blocked.my_chat_member.new_chat_member.status == "kicked"
    assert again.my_chat_member is not None and again.my_chat_member.new_chat_member.status == "member"
    assert last.message is not None and last.message.text == "lại đây"


async def test_an_update_may_be_anything(fake: FakeBotApi, bot: Caller) -> None:
    number = fake.push({"message": "không phải một tin"})
    assert await bot("getUpdates") == [{"update_id": number, "message": "không phải một tin"}]


# ---------------------------------------------------------------------------------------------------- messages out


async def test_ptb_reads_the_answer_to_every_kind_of_message(fake: FakeBotApi, bot: Caller) -> None:
    text = await bot(
        "sendMessage", chat_id=LAN, text="Xin <b>chào</b> 👋 <i>chị</i>", parse_mode="HTML", reply_markup=BUTTONS
    )
    read = Message.de_json(text, None)
    assert read.text == "Xin chào 👋 chị"
    assert list(read.parse_entities().values()) == ["chào", "chị"]
    assert read.reply_markup is not None and read.reply_markup.inline_keyboard[0][0].text == "Gửi"
    form = aiohttp.FormData()
    form.add_field("chat_id", str(LAN))
    form.add_field("caption", "<b>Bảng tin</b>")
    form.add_field("parse_mode", "HTML")
    form.add_field("photo", b"\x89PNG", filename="a.png", content_type="image/png")
    async with bot.session.post(f"{fake.url}/bot{TOKEN}/sendPhoto", data=form) as answer:
        photo = Message.de_json((await answer.json())["result"], None)
    assert (photo.caption, photo.photo[-1].file_size) == ("Bảng tin", 4)
    again = await bot("sendPhoto", chat_id=LAN, photo=photo.photo[-1].file_id)
    assert Message.de_json(again, None).photo[-1].file_id == photo.photo[-1].file_id
    form = aiohttp.FormData()
    form.add_field("chat_id", str(LAN))
    media = [{"type": "photo", "media": "attach://p1", "caption": "Hai ảnh"}, {"type": "photo", "media": "attach://p2"}]
    form.add_field("media", json.dumps(media))
    for name in ("p1", "p2"):
        form.add_field(name, b"\xff\xd8" + name.encode(), filename=f"{name}.jpg", content_type="image/jpeg")
    async with bot.session.post(f"{fake.url}/bot{TOKEN}/sendMediaGroup", data=form) as answer:
        album = [Message.de_json(each, None) for each in (await answer.json())["result"]]
    assert album[0].media_group_id == album[1].media_group_id
    assert [shown.photo for shown in fake.messages(LAN)] == [None, b"\x89PNG", b"\x89PNG", b"\xff\xd8p1", b"\xff\xd8p2"]
    assert fake.messages(LAN)[0].labels == ("Gửi", "Thôi")


async def test_forms_and_addresses_carry_arguments_too(fake: FakeBotApi, bot: Caller) -> None:
    address = f"{fake.url}/bot{TOKEN}"
    form = {"chat_id": str(LAN), "text": "{một}", "reply_markup": json.dumps(BUTTONS)}
    async with bot.session.post(f"{address}/sendMessage", data=form) as answer:
        assert answer.status == 200
    async with bot.session.get(f"{address}/SENDMESSAGE", params={"chat_id": str(LAN), "text": "hai"}) as answer:
        assert answer.status == 200
    assert [shown.text for shown in fake.messages(LAN)] == ["{một}", "hai"]
    assert (fake.log[0].params["text"], fake.log[0].params["reply_markup"]) == ("{một}", BUTTONS)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("<blink>x</blink>", 'Unsupported start tag "blink" at byte offset 0'),
        ("ảnh <3", 'Unsupported start tag "3" at byte offset 6'),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<a href="https://example.org', 'Unclosed start tag "a" at byte offset 0'),
    ],
)
async def test_bad_html_is_refused(bot: Caller, text: str, refusal: str) -> None:
    assert (
        await bot.refused("sendMessage", chat_id=LAN, text=text, parse_mode="HTML")
        == f"400 Bad Request: can't parse entities: {refusal}"
    )
    assert (await bot("sendMessage", chat_id=LAN, text=text))["text"] == text


async def test_good_html_is_taken(bot: Caller) -> None:
    text = (
        '  <a href="https://example.org/?a=1&amp;b=2">A &lt; B</a> &amp; <u><b>C</b></u> & D &hellip; <code>x</code>\n'
    )
    sent = Message.de_json(await bot("sendMessage", chat_id=LAN, text=text, parse_mode="HTML"), None)
    assert sent.text == "A < B & C & D &hellip; x"
    assert [(entity.type, sent.parse_entity(entity)) for entity in sent.entities] == [
        ("text_link", "A < B"),
        ("underline", "C"),
        ("bold", "C"),
        ("code", "x"),
    ]
    assert sent.entities[0].url == "https://example.org/?a=1&b=2"


async def test_lengths_are_counted_in_utf16_units_after_the_entities_are_parsed(bot: Caller) -> None:
    fits = "<b>" + "👍" * 2048 + "</b>"
    assert len((await bot("sendMessage", chat_id=LAN, text=fits, parse_mode="HTML"))["text"]) == 2048
    assert (
        await bot.refused("sendMessage", chat_id=LAN, text="👍" * 2048 + "!") == "400 Bad Request: message is too long"
    )
    assert await bot.refused("sendMessage", chat_id=LAN, text=" \n ") == "400 Bad Request: message text is empty"
    caption = {"chat_id": LAN, "photo": "x"}
    photo = fake_photo(bot)
    assert (
        await bot.refused("sendPhoto", **(caption | {"photo": photo, "caption": "x" * 1025}))
        == "400 Bad Request: message caption is too long"
    )


def fake_photo(bot: Caller) -> str:
    assert isinstance(bot.fake, FakeBotApi)
    return bot.fake.state.keep_file("photos", ".jpg", b"\xff\xd8").file_id


async def test_buttons_have_data_of_at_most_64_bytes(bot: Caller) -> None:
    def keyboard(data: str) -> dict[str, Any]:
        return {"inline_keyboard": [[{"text": "x", "callback_data": data}]]}

    await bot("sendMessage", chat_id=LAN, text="x", reply_markup=keyboard("ữ" * 21 + "x"))
    refused = await bot.refused("sendMessage", chat_id=LAN, text="x", reply_markup=keyboard("ữ" * 21 + "xx"))
    assert refused == "400 Bad Request: BUTTON_DATA_INVALID"
    bare = {"inline_keyboard": [[{"text": "x"}]]}
    assert "Text buttons are unallowed" in await bot.refused("sendMessage", chat_id=LAN, text="x", reply_markup=bare)


async def test_an_edit_replaces_text_and_buttons_and_must_change_something(fake: FakeBotApi, bot: Caller) -> None:
    sent = await bot("sendMessage", chat_id=LAN, text="<b>một</b>", parse_mode="HTML", reply_markup=BUTTONS)
    where = {"chat_id": LAN, "message_id": sent["message_id"]}
    same = await bot.refused("editMessageText", **where, text="<b>một </b>", parse_mode="HTML", reply_markup=BUTTONS)
    assert same.startswith("400 Bad Request: message is not modified")
    edited = Message.de_json(await bot("editMessageText", **where, text="hai"), None)
    assert edited.edit_date is not None
    (shown,) = fake.messages(LAN)
    assert (shown.text, shown.buttons, shown.history) == ("hai", (), ("một",))
    await bot("editMessageReplyMarkup", **where, reply_markup=BUTTONS)
    assert fake.messages(LAN)[0].labels == ("Gửi", "Thôi")
    assert "not modified" in await bot.refused("editMessageReplyMarkup", **where, reply_markup=BUTTONS)
    assert "no caption in the message" in await bot.refused("editMessageCaption", **where, caption="x")
    theirs = {"chat_id": LAN, "message_id": fake.person(LAN).says("của tôi")}
    assert await bot.refused("editMessageText", **theirs, text="x") == "400 Bad Request: message can't be edited"


async def test_what_is_deleted_or_unknown_cannot_be_edited(fake: FakeBotApi, bot: Caller) -> None:
    sent = await bot("sendMessage", chat_id=LAN, text="x")
    where = {"chat_id": LAN, "message_id": sent["message_id"]}
    assert await bot("deleteMessage", **where) is True
    assert fake.messages(LAN) == []
    gone = "400 Bad Request: message to edit not found"
    assert await bot.refused("editMessageText", **where, text="y") == gone
    assert await bot.refused("editMessageText", chat_id=LAN, message_id=999, text="y") == gone
    assert await bot.refused("deleteMessage", **where) == "400 Bad Request: message to delete not found"
    late = await bot("sendMessage", chat_id=LAN, text="x")
    fake.later(hours=49)
    refused = await bot.refused("deleteMessage", chat_id=LAN, message_id=late["message_id"])
    assert refused == "400 Bad Request: message can't be deleted for everyone"


async def test_who_blocked_the_bot_or_never_met_it_is_not_reached(fake: FakeBotApi, bot: Caller) -> None:
    fake.person(LAN).blocks()
    blocked = "403 Forbidden: bot was blocked by the user"
    assert await bot.refused("sendMessage", chat_id=LAN, text="x") == blocked
    assert await bot.refused("sendChatAction", chat_id=LAN, action="typing") == blocked
    fake.person(LAN).unblocks()
    await bot("sendMessage", chat_id=LAN, text="x")
    stranger = fake.stranger(77)
    assert "can't initiate" in await bot.refused("sendMessage", chat_id=77, text="x")
    stranger.says("chào")
    await bot("sendMessage", chat_id=77, text="x")
    assert await bot.refused("sendMessage", chat_id=404, text="x") == "400 Bad Request: chat not found"


async def test_only_a_real_press_can_be_acknowledged(fake: FakeBotApi, bot: Caller) -> None:
    lan = fake.person(LAN)
    first = (await bot("sendMessage", chat_id=LAN, text="cũ", reply_markup=BUTTONS))["message_id"]
    second = (await bot("sendMessage", chat_id=LAN, text="mới", reply_markup=BUTTONS))["message_id"]
    assert lan.presses("Thôi") == second
    assert lan.presses("Thôi", message_id=first) == first
    assert lan.presses(data="forged") == second
    with pytest.raises(LookupError, match="Duyệt"):
        lan.presses("Duyệt")
    presses = [update["callback_query"] for update in await bot("getUpdates")]
    assert [press["data"] for press in presses] == ["s1:thoi", "s1:thoi", "forged"]
    assert await bot("answerCallbackQuery", callback_query_id=presses[0]["id"]) is True
    assert "query ID is invalid" in await bot.refused("answerCallbackQuery", callback_query_id="1")


async def test_commands_are_checked(fake: FakeBotApi, bot: Caller) -> None:
    assert await bot("setMyCommands", commands=[{"command": "menu", "description": "Mở thực đơn"}]) is True
    refused = await bot.refused("setMyCommands", commands=[{"command": "thực đơn", "description": "x"}])
    assert refused == "400 Bad Request: BOT_COMMAND_INVALID"
    assert list(fake.state.commands.values()) == [[{"command": "menu", "description": "Mở thực đơn"}]]
    assert await bot("deleteMyCommands") is True
    assert fake.state.commands == {}
    for commands in (
        [{"command": "Menu", "description": "x"}], [{"command": "m" * 33, "description": "x"}],
        [{"command": "menu", "description": ""}], [{"command": "menu", "description": "x" * 257}],
        [{"command": f"c{n}", "description": "x"} for n in range(101)], ["menu"], {"command": "menu"},
    ):  # fmt: skip
        assert (await bot.refused("setMyCommands", commands=commands)).startswith("400 "), commands


async def test_a_chat_has_its_own_commands_until_they_are_deleted(fake: FakeBotApi, bot: Caller) -> None:
    of_all, of_lan = [{"command": "menu", "description": "a"}], [{"command": "duyet", "description": "b"}]
    scope = {"type": "chat", "chat_id": LAN}
    fake.person(LAN).blocks()
    assert await bot("setMyCommands", commands=of_all) and await bot("setMyCommands", commands=of_lan, scope=scope)
    assert fake.commands(LAN) == ["duyet"] and fake.commands(999) == ["menu"]
    assert await bot("deleteMyCommands", scope=scope) and fake.commands(LAN) == ["menu"]
    for wrong in ({"type": "chat", "chat_id": 999}, {"type": "chat"}, {"type": "town"}, "chat"):
        assert (await bot.refused("setMyCommands", commands=of_all, scope=wrong)).startswith("400 "), wrong


async def test_files_up_to_20_mb_have_a_link_for_an_hour(fake: FakeBotApi, bot: Caller) -> None:
    lan = fake.person(LAN)
    lan.sends_document(b"%PDF", "a.pdf")
    lan.sends_document(b"%PDF", "b.pdf", size=20 * 1024 * 1024 + 1)
    small, large = [update["message"]["document"]["file_id"] for update in await bot("getUpdates")]
    found = await bot("getFile", file_id=small)
    link = f"{fake.url}/file/bot{TOKEN}/{found['file_path']}"
    async with bot.session.get(link) as answer:
        assert await answer.read() == b"%PDF"
    fake.later(minutes=61)
    async with bot.session.get(link) as answer:
        assert answer.status == 404
    assert await bot.refused("getFile", file_id=large) == "400 Bad Request: file is too big"
    assert await bot.refused("getFile", file_id="x") == "400 Bad Request: invalid file_id"


async def test_tokens_and_methods_must_be_known(fake: FakeBotApi, bot: Caller) -> None:
    assert (await bot("getMe"))["is_bot"] is True
    assert await bot.refused("sendFlowers", chat_id=LAN) == "404 Not Found: method not found"
    for token, status in (("123456789:wrong", 401), ("nonsense", 404)):
        async with bot.session.post(f"{fake.url}/bot{token}/getMe") as answer:
            assert answer.status == status


# ---------------------------------------------------------------------------------------------------- the log


async def test_each_call_is_logged_before_it_is_answered(tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    async with FakeBotApi(log_file=log) as fake, aiohttp.ClientSession() as session:
        bot = Caller(fake, session)
        fake.person(LAN)
        fake.fail("slow")
        waiting = asyncio.create_task(bot("sendMessage", chat_id=LAN, text="đến nơi"))
        await fake.until(lambda: fake.log)
        assert not waiting.done()
        (line,) = [json.loads(each) for each in log.read_text(encoding="utf-8").splitlines()]
        assert line == {
            "n": 1,
            "at": line["at"],
            "method": "sendMessage",
            "chat_id": LAN,
            "params": {"chat_id": LAN, "text": "đến nơi"},
            "message_id": 1,
            "delivered": True,
            "outcome": "slow",
        }
        await bot.refused("sendMessage", chat_id=404, text="x")
        assert (fake.log[-1].delivered, fake.log[-1].outcome) == (False, "400 Bad Request: chat not found")
        await fake.stop()
        await waiting
    assert TOKEN not in log.read_text(encoding="utf-8")


async def test_what_the_platform_knows_outlives_its_network(fake: FakeBotApi, bot: Caller) -> None:
    address = fake.url
    fake.person(LAN).says("còn đó")
    await fake.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await bot.updates()
    await fake.start()
    assert fake.url == address
    assert await bot.updates() == fake.pending


# ---------------------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("kind", "status", "delivered"),
    [
        ("429", 429, False),
        ("429_bare", 429, False),
        ("403", 403, False),
        ("400", 400, False),
        ("401", 401, False),
        ("404_page", 404, False),
        ("403_page", 403, False),
        ("302_page", 302, False),
        ("502", 502, False),
        ("garbage_200", 200, True),
    ],
)
async def test_faults_answer_as_told(fake: FakeBotApi, bot: Caller, kind: str, status: int, delivered: bool) -> None:
    fake.fail(kind, retry_after=7)
    address = f"{fake.url}/bot{TOKEN}/sendMessage"
    async with bot.session.post(address, json={"chat_id": LAN, "text": "x"}, allow_redirects=False) as answer:
        assert answer.status == status
        body = await answer.text()
    assert (json.loads(body).get("parameters") if kind.startswith("429") else None) == (
        {"retry_after": 7} if kind == "429" else None
    )
    assert [(call.outcome, call.delivered) for call in fake.log] == [(kind, delivered)]
    assert len(fake.messages(LAN)) == delivered
    await bot("sendMessage", chat_id=LAN, text="lần sau thì được")


@pytest.mark.parametrize(("kind", "arrived"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_dropped_connection_says_nothing_of_what_was_done(
    fake: FakeBotApi, bot: Caller, kind: str, arrived: int
) -> None:
    fake.fail(kind)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await bot("sendMessage", chat_id=LAN, text="x")
    assert len(fake.messages(LAN)) == arrived
    assert [(call.outcome, call.delivered) for call in fake.log] == [(kind, bool(arrived))]


async def test_faults_can_be_for_one_method_one_chat_or_decided_by_a_function(fake: FakeBotApi, bot: Caller) -> None:
    fake.person(2)
    fake.fail("400", "ok", "401", chat=2)
    assert (await bot.raw("sendMessage", chat_id=LAN, text="x"))[0] == 200
    assert (await bot.raw("editMessageText", chat_id=2, message_id=1, text="x"))[1][
        "description"
    ] == "Bad Request: chat not found"
    statuses = [(await bot.raw("sendMessage", chat_id=2, text="x"))[0] for _ in range(3)]
    assert statuses == [200, 401, 200]
    fake.fail("401", method="getUpdates", forever=True)
    assert [(await bot.raw("getUpdates"))[0] for _ in range(2)] == [401, 401]
    assert (await bot.raw("sendMessage", chat_id=2, text="x"))[0] == 200
    fake.plan.script = lambda method, chat, params: Fault("403") if params.get("text") == "dở" else None
    assert (await bot.raw("sendMessage", chat_id=2, text="dở"))[0] == 403
    fake.fail(Fault("502", processed=True), chat=2)
    assert await said(bot, 2) == 502
    assert fake.log[-1].delivered
    fake.plan.clear()
    assert (await bot.raw("getUpdates"))[0] == 200


async def said(bot: Caller, chat: int) -> int:
    address = f"{bot.fake.url}/bot{TOKEN}/sendMessage"
    async with bot.session.post(address, json={"chat_id": chat, "text": "x"}) as answer:
        return answer.status


async def test_the_same_seed_gives_everyone_the_same_fate_in_any_order() -> None:
    async def fates(chats: list[int]) -> dict[int, int]:
        async with FakeBotApi() as fake, aiohttp.ClientSession() as session:
            fake.rates(5, {"403": 0.3, "429": 0.3})
            for chat in chats:
                fake.person(chat)
            return {chat: await said(Caller(fake, session), chat) for chat in chats}

    chats = list(range(1, 41))
    found = await fates(chats)
    assert found == await fates(chats[::-1])
    assert {200, 403, 429} == set(found.values())


def test_a_bucket_lets_a_burst_pass_then_refuses_for_its_penalty() -> None:
    bucket = Bucket(rate=10, burst=3, penalty=2)
    assert [bucket.wait(100.0) for _ in range(4)] == [0, 0, 0, 2]
    assert bucket.wait(101.5) == 1
    assert [bucket.wait(102.0) for _ in range(4)] == [0, 0, 0, 2]
    steady = Bucket(rate=10, burst=1, penalty=2)
    assert not any(steady.wait(100 + i * 0.11) for i in range(50))


def test_a_sliding_second_counts_what_passed_in_the_last_second() -> None:
    window = SlidingSecond(limit=2, penalty=3)
    assert [window.wait(at) for at in (100.0, 100.9, 101.0, 101.5, 102.0)] == [0, 0, 0, 3, 3]
    assert window.wait(104.5) == 0


async def test_who_sends_too_fast_is_told_how_long_to_wait() -> None:
    async with FakeBotApi(limit=Bucket(rate=0.001, burst=2, penalty=5)) as fake, aiohttp.ClientSession() as session:
        bot = Caller(fake, session)
        fake.person(LAN)
        answers = [await bot.raw("sendMessage", chat_id=LAN, text="x") for _ in range(3)]
        assert [status for status, _ in answers] == [200, 200, 429]
        assert answers[2][1]["parameters"] == {"retry_after": 5}
        assert (await bot("getMe"))["id"]
        assert len(fake.messages(LAN)) == 2


async def test_waiting_for_what_never_happens_says_what_did(fake: FakeBotApi, bot: Caller) -> None:
    await bot("sendMessage", chat_id=LAN, text="x")
    with pytest.raises(AssertionError, match="sendMessage"):
        await fake.until(lambda: len(fake.log) > 1, timeout=0.01)


async def test_the_platforms_clock_can_be_handed_in() -> None:
    async with FakeBotApi(now=lambda: datetime(2025, 7, 28, 1, 0, tzinfo=UTC)) as fake:
        fake.person(LAN).says("x")
        assert fake.state.queue[0].raw["message"]["date"] == 1753664400
        fake.later(hours=1)
        assert fake.now() == datetime(2025, 7, 28, 1, 0, tzinfo=UTC) + timedelta(hours=1)


# ---------------------------------------------------------------------------------------------------- its own process


async def test_in_a_process_of_its_own_it_is_driven_from_outside(tmp_path: Path) -> None:
    async with BotApiProcess(tmp_path / "calls.jsonl") as fake, aiohttp.ClientSession() as session:
        bot = Caller(fake, session)
        await fake.control("person", chat_id=LAN, name="Trần Thị Lan")
        await fake.act(LAN, "says", text="chào")
        await fake.act(LAN, "sends_photo", data=b"\xff\xd8picture", caption="ảnh")
        updates = await bot("getUpdates")
        assert [Update.de_json(each, None).message is not None for each in updates] == [True, True]
        await bot("sendMessage", chat_id=LAN, text="Chọn", reply_markup=BUTTONS)
        await fake.act(LAN, "presses", label="Gửi")
        (message,) = await fake.control("messages", chat_id=LAN)
        assert (message["text"], message["buttons"][0]) == ("Chọn", ["Gửi", "s1:gui"])
        assert await bot.updates(offset=updates[1]["update_id"] + 1) == (await fake.control("queue"))["pending"]
        assert (await fake.control("queue"))["confirmed"] == [each["update_id"] for each in updates]
        await fake.control("fail", outcomes=["429"], method="sendMessage", retry_after=4)
        assert (await bot.raw("sendMessage", chat_id=LAN, text="x"))[0] == 429
        assert [call["outcome"] for call in fake.log()] == ["ok", "429"]
        assert [call["outcome"] for call in await fake.control("log", after=1)] == ["429"]
        with pytest.raises(LookupError, match="no button"):
            await fake.act(LAN, "presses", label="Duyệt")
        with pytest.raises(LookupError, match="unknown action"):
            await fake.act(LAN, "stop")
