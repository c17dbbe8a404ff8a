"""One table for every door: what people do comes in the same form, what is said arrives, every refusal becomes ours."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from bot.channels.telegram import Telegram, lane_of, split
from bot.channels.webchat import WebChat
from bot.clock import Clock
from bot.web.reading import shown as on_page
from content.message import Choice, Media, Message
from db import webchat
from db.models import Lane
from handlers.dialogue import Incoming
from scheduler.delivery import (
    Ambiguous,
    ChannelDown,
    EditGone,
    NotModified,
    RecipientGone,
    Rejected,
    RetryLater,
    SendError,
)
from tests.fakes.botapi import TOKEN, FakeBotApi
from tests.people import World

NOW = datetime(2025, 7, 25, 9, 55, tzinfo=UTC)
CHAT = 42


@pytest.fixture
async def fake() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as running:
        running.person(CHAT)
        yield running


@pytest.fixture
async def telegram(fake: FakeBotApi, tmp_path: Path) -> AsyncIterator[Telegram]:
    door = Telegram(TOKEN, fake.url, tmp_path, sleep=Clock().sleep)
    await door.open()
    yield door
    await door.close()


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), "navy").save(buffer, "JPEG")
    return buffer.getvalue()


async def came(fake: FakeBotApi, door: Telegram) -> list[Incoming]:
    raw = await door._fetch_updates(None)
    return [incoming for update in raw if (incoming := door.read(update, NOW)) is not None]


async def test_both_doors_read_words_presses_and_albums_alike(
    fake: FakeBotApi, telegram: Telegram, world: World
) -> None:
    web = WebChat(world.database, world.house.files, now=lambda: NOW)
    person = fake.person(CHAT)
    await telegram.send(str(CHAT), Message("?", (Choice("A", "a"),), screen=3), edits="", lane=Lane.REPLY)
    person.says("sang kien")
    person.presses("A")
    person.sends_photo(jpeg(), caption="trước", group="album")
    by_telegram = await came(fake, telegram)
    raws = [
        {"address": "w", "text": "sang kien"},
        {"address": "w", "choice": "s:3:a"},
        {"address": "w", "text": "trước", "files": [["photo", "up", "a.jpg", 9]], "group": "album"},
    ]
    by_web = [web.read(raw, NOW) for raw in raws]
    for ours, theirs in zip(by_web, by_telegram, strict=True):
        assert ours is not None
        assert (ours.text, ours.choice, bool(ours.group), ours.place) == (
            theirs.text,
            theirs.choice,
            bool(theirs.group),
            theirs.place,
        )
        assert [file.kind for file in ours.files] == [file.kind for file in theirs.files]
        assert theirs.received_at == NOW


async def test_everything_else_people_send_has_a_form_that_can_be_answered(
    fake: FakeBotApi, telegram: Telegram
) -> None:
    person = fake.person(CHAT)
    said = person.says("xin chào")
    person.edits(said, "xin chào cả nhà")
    person.sends_voice()
    person.sends_sticker()
    person.sends_location()
    person.sends_document(b"%PDF-1.4", "a.pdf", "application/pdf", caption="tệp")
    fake.group(-7, "Tổ 5")
    person.says("/start", chat=-7)
    person.says("chuyện riêng của nhóm", chat=-7)
    person.blocks()
    found = await came(fake, telegram)
    assert [incoming.place for incoming in found] == [
        "private",
        "edited",
        "private",
        "private",
        "private",
        "private",
        "group",
        "gone",
    ]
    assert [file.kind for incoming in found for file in incoming.files] == ["voice", "sticker", "other", "document"]


async def test_what_is_said_arrives_with_its_buttons_and_can_be_edited(fake: FakeBotApi, telegram: Telegram) -> None:
    message = Message(
        "Chào <b>anh/chị</b> &lt;ạ&gt;",
        (Choice("Có", "yes"), Choice("Không", "no"), Choice("Xem", command="hoso", arg="SK")),
        screen=5,
    )
    number = await telegram.send(str(CHAT), message, edits="", lane=Lane.REPLY)
    await telegram.send(str(CHAT), Message("Sửa rồi"), edits=number, lane=Lane.NOTICE)
    [shown] = fake.messages(CHAT)
    assert shown.text == "Sửa rồi" and not shown.labels
    with pytest.raises(NotModified):
        await telegram.send(str(CHAT), Message("Sửa rồi"), edits=number, lane=Lane.NOTICE)
    with pytest.raises(EditGone):
        await telegram.send(str(CHAT), Message("x"), edits="999", lane=Lane.NOTICE)


async def test_photos_and_papers_arrive_in_one_request(fake: FakeBotApi, telegram: Telegram, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg())
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.4")
    for media in (
        [Media("photo", "a.jpg", "a.jpg")],
        [Media("photo", "a.jpg", "a.jpg"), Media("photo", "a.jpg", "a.jpg")],
        [Media("document", "b.pdf", "b.pdf")],
    ):
        before = len(fake.calls(chat_id=CHAT))
        await telegram.send(str(CHAT), Message("Tin", media=tuple(media)), edits="", lane=Lane.BULK)
        assert len(fake.calls(chat_id=CHAT)) == before + 1


async def test_the_same_picture_goes_up_once_and_again_when_the_platform_has_forgotten_it(
    fake: FakeBotApi, telegram: Telegram, tmp_path: Path
) -> None:
    (tmp_path / "card.png").write_bytes(jpeg())
    (tmp_path / "other.png").write_bytes(jpeg() + b"x")
    went_up = []
    for file in ("card.png", "card.png", "card.png", "other.png", "", "card.png", "card.png"):
        before = len([each for each in fake.state.files.values() if each.path.startswith("photos")])
        if not file:
            fake.state.files.clear()
            continue
        message = Message("Hôm nay 28/7/2027", media=(Media("photo", file, "98 năm"),))
        await telegram.send(str(CHAT), message, edits="", lane=Lane.BULK)
        after = len([each for each in fake.state.files.values() if each.path.startswith("photos")])
        went_up.append(after > before)
    assert went_up == [True, False, False, True, True, False]
    assert [call.outcome for call in fake.calls("sendPhoto")].count("ok") == 6


async def test_where_buttons_cannot_be_shown_and_only_there_it_is_said_in_words_what_they_are_for(
    fake: FakeBotApi, telegram: Telegram, world: World, tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg())
    photo = Media("photo", "a.jpg", "a.jpg")
    web = WebChat(world.database, world.house.files, now=lambda: NOW)
    for media, spelled in (((), False), ((photo,), False), ((photo, photo), True)):
        message = Message("Tin", (Choice("Bớt tin", command="bottin"),), media, hint="(gõ: bot tin)")
        await telegram.send(str(CHAT), message, edits="", lane=Lane.BULK)
        shown = fake.messages(CHAT)[-max(1, len(media))]
        assert shown.text == ("Tin\n\n(gõ: bot tin)" if spelled else "Tin")
        assert shown.labels == (() if spelled else ("Bớt tin",))
        number = await web.send("w-1", message, edits="", lane=Lane.BULK)
        async with world.database.read() as session:
            row = await webchat.get(session, "w-1", int(number))
        assert row is not None and on_page(row)["text"] == "Tin" and on_page(row)["rows"]
    await telegram.send(str(CHAT), Message("Tin", (), (photo, photo), hint="(gõ: x)"), edits="", lane=Lane.BULK)
    assert fake.messages(CHAT)[-2].text == "Tin"  # there is nothing to spell out


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("429", RetryLater), ("429_bare", RetryLater), ("403", RecipientGone), ("400", RecipientGone), ("401", ChannelDown),
        ("404_page", ChannelDown), ("502", Ambiguous), ("drop_before", Ambiguous), ("drop_after", Ambiguous),
        ("garbage_200", Ambiguous),
    ],
)  # fmt: skip
async def test_every_answer_of_the_platform_becomes_ours(
    fake: FakeBotApi, telegram: Telegram, fault: str, expected: type[SendError]
) -> None:
    fake.fail(fault)
    with pytest.raises(expected) as caught:
        await telegram.send(str(CHAT), Message("x"), edits="", lane=Lane.REPLY)
    assert TOKEN not in str(caught.value)
    if fault == "429":
        assert isinstance(caught.value, RetryLater) and caught.value.pause
    if expected is RetryLater:
        assert not isinstance(caught.value, ChannelDown)


async def test_no_connection_is_certainly_not_sent(telegram: Telegram, fake: FakeBotApi) -> None:
    await fake.stop()
    with pytest.raises(RetryLater) as caught:
        await telegram.send(str(CHAT), Message("x"), edits="", lane=Lane.REPLY)
    assert not caught.value.pause


@pytest.mark.parametrize("fault", ["429", "403", "502"])
async def test_when_only_a_part_has_arrived_it_is_in_doubt_and_never_taken_for_not_sent(
    fake: FakeBotApi, telegram: Telegram, tmp_path: Path, fault: str
) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg())
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.4")
    media = (Media("photo", "a.jpg", "a.jpg"), Media("document", "b.pdf", "b.pdf"))
    fake.fail("ok", fault)
    with pytest.raises(Ambiguous):
        await telegram.send(str(CHAT), Message("Tin", media=media), edits="", lane=Lane.BULK)
    assert len(fake.messages(CHAT)) == 1


async def test_words_that_are_no_html_are_sent_as_plain_text(fake: FakeBotApi, telegram: Telegram) -> None:
    await telegram.send(str(CHAT), Message("a < b <zz>"), edits="", lane=Lane.REPLY)
    assert fake.messages(CHAT)[0].text == "a < b <zz>"


async def test_a_long_text_is_cut_at_line_ends_and_nothing_is_lost(fake: FakeBotApi, telegram: Telegram) -> None:
    text = "\n".join(f"dòng {n} " + "chữ " * 20 for n in range(120))
    await telegram.send(str(CHAT), Message(text, (Choice("Tiếp", "next"),), screen=1), edits="", lane=Lane.REPLY)
    parts = fake.messages(CHAT)
    assert "\n".join(part.text for part in parts).replace(" ", "") == text.replace(" ", "")
    assert parts[-1].labels == ("Tiếp",) and not parts[0].labels
    assert all(len(part.encode("utf-16-le")) // 2 <= 4096 for part in split("😀" * 5000, 4096))


async def test_a_file_is_fetched_and_one_that_is_gone_is_said_to_be(fake: FakeBotApi, telegram: Telegram) -> None:
    data = jpeg()
    fake.person(CHAT).sends_photo(data)
    [incoming] = await came(fake, telegram)
    assert (await telegram.fetch(incoming.files[0].ref))[:2] == b"\xff\xd8"
    with pytest.raises(SendError):
        await telegram.fetch("nothing")


@pytest.mark.parametrize(
    "raw",
    [
        {"update_id": 1},
        {"update_id": 2, "message": None},
        {"update_id": 3, "message": {"chat": 5}},
        {"update_id": 4, "callback_query": []},
    ],
)
async def test_even_what_cannot_be_parsed_has_a_lane(raw: dict[str, object]) -> None:
    assert lane_of(raw) == f"update-{raw['update_id']}"


async def test_the_web_chat_keeps_replaces_and_misses_messages_like_a_platform(world: World) -> None:
    web = WebChat(world.database, world.house.files, now=lambda: NOW)
    number = await web.send("w-1", Message("một"), edits="", lane=Lane.REPLY)
    assert await web.send("w-1", Message("hai"), edits=number, lane=Lane.REPLY) == number
    with pytest.raises(EditGone):
        await web.send("w-2", Message("ba"), edits=number, lane=Lane.REPLY)
    with pytest.raises(Rejected):
        await web.fetch("../../etc/passwd")
