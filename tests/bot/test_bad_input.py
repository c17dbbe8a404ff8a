"""What people send by mistake or in malice, through both real doors: a clear and kind answer, and nothing accepted is lost."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import func, select

from content.text import letters
from db import roles, units
from db.models import Account, Attachment, Draft, FileState, InboxRow, OutboxRow, OutState, Reach, Role, WebMessage
from tests.fakes.botapi import FakeBotApi
from tests.people import World
from tests.transcripts.stage import (
    Actor,
    OverTelegram,
    OverWebChat,
    Stage,
    markdown,
    picture,
    telegram_stage,
    webchat_stage,
)

ZIP = b"PK\x03\x04" + b"\x00" * 60
ODD_TITLE = "\u202eGiá gá\u202c thay\u200b dao\x00 <b>cắt</b> {{ 7*7 }} nhanh"
CLEAN_TITLE = "Giá gá thay dao <b>cắt</b> {{ 7*7 }} nhanh"


@pytest.fixture(params=["telegram", "webchat"])
async def stage(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> AsyncIterator[Stage]:
    opened = telegram_stage if request.param == "telegram" else webchat_stage
    async with opened(world, tmp_path) as made:
        yield made


def heard(stage: Stage, key: str, **params: object) -> str:
    """A text of the words as a phone shows it."""
    from tests.fakes.botapi.entities import parse

    house = stage.world.house
    shared = {"you": house.words.text("common.you"), "stays": stage.door.channel not in house.erasing}
    return markdown(*parse(house.words.text(key, **shared, **params), "HTML"))


async def draft(stage: Stage) -> dict[str, object]:
    async with stage.world.database.read() as session:
        return dict((await session.execute(select(Draft.data))).scalar_one())


async def at_photos(stage: Stage) -> Actor:
    """Somebody whose report is written as far as the question for photos."""
    hoa = await stage.member("Bùi Thị Hoa")
    await stage.drafted(hoa)
    async with stage.world.database.write() as session:
        (await session.execute(select(Draft))).scalar_one().step = "files"
    await hoa.says("/sangkien")
    await hoa.taps("Làm tiếp")
    return hoa


# ---------------------------------------------------------------------------------------------------- what they send


async def uploads(
    stage: Stage, hoa: Actor, name: str, content: bytes, mime: str, caption: str = "", size: int = 0
) -> None:
    """A file as its door takes it; `size` is what Telegram says of it before anybody fetches it."""
    door = stage.door
    if isinstance(door, OverTelegram):
        door.person(hoa.address).sends_document(content, name, mime, caption, size=size or None)
        await door.arrives()
    elif isinstance(door, OverWebChat):
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("caption", caption)
        form.add_field("file", content, filename=name, content_type=mime)
        form.add_field("key", "upload-1")
        await door.post(hoa.address, "/api/files", data=form)
    await stage.settles()


async def speaks(stage: Stage, hoa: Actor) -> None:
    if isinstance(stage.door, OverTelegram):
        stage.door.person(hoa.address).sends_voice()
        await stage.door.arrives()
        await stage.settles()
    else:
        await uploads(stage, hoa, "ghi-am.ogg", b"OggS", "audio/ogg")


Act = Callable[[Stage, Actor], Awaitable[None]]
SENT: dict[str, tuple[Act, str]] = {
    "a voice note": (speaks, "common.media"),
    "ten thousand characters": (lambda stage, hoa: hoa.says("x" * 10_000), "common.too_long"),
    "nothing but invisible characters": (lambda stage, hoa: hoa.says("\u200b\u202e\u2060"), "common.media"),
    "the number of an identity card": (
        lambda stage, hoa: hoa.says("cccd của tôi 012345678901"),
        "common.identity_card",
    ),
    "a photo of an identity card": (
        lambda stage, hoa: hoa.sends_photos(1, "căn cước mặt trước"),
        "common.identity_card",
    ),
    "an album of an identity card": (lambda stage, hoa: hoa.sends_photos(2, "CCCD hai mặt"), "common.identity_card"),
    "a file named after an identity card": (
        lambda stage, hoa: uploads(stage, hoa, "cccd.pdf", b"%PDF-1.4", "application/pdf"),
        "common.identity_card",
    ),
    "a command that does not exist": (lambda stage, hoa: hoa.says("/xoaso"), "common.unknown"),
    "an invitation that nobody gave": (lambda stage, hoa: hoa.says("/start i-khongcomanay"), "units.bad_invitation"),
}


@pytest.mark.parametrize("what", SENT)
async def test_it_is_answered_kindly_once_and_the_report_goes_on(stage: Stage, what: str) -> None:
    act, key = SENT[what]
    hoa = await at_photos(stage)
    before, seen = await draft(stage), set(hoa.seen)
    await act(stage, hoa)
    answers = [bubble.text for number, bubble in hoa.seen.items() if number not in seen]
    assert answers == [heard(stage, key, n=10_000)]
    assert await draft(stage) == before
    async with stage.world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Attachment))).scalar_one() == 0
    await hoa.says("xong")
    assert "Bước 8/8" in hoa.last.text


@pytest.mark.parametrize("what", [name for name, (_, key) in SENT.items() if key == "common.identity_card"])
async def test_of_an_identity_card_nothing_stays(stage: Stage, what: str) -> None:
    hoa = await at_photos(stage)
    await SENT[what][0](stage, hoa)
    async with stage.world.database.read() as session:
        raws = " ".join((await session.execute(select(InboxRow.raw))).scalars())
        bubbles = " ".join(
            str(payload)
            for payload in (await session.execute(select(WebMessage.payload).where(WebMessage.mine))).scalars()
        )
    for trace in ("012345678901", "căn cước", "CCCD", "cccd.pdf"):
        assert trace not in raws + bubbles
    if isinstance(stage.door, OverWebChat):
        assert not list(stage.door.adapter.uploads.glob("*"))


@pytest.mark.parametrize("fetched", [False, True])
@pytest.mark.parametrize("words_at", [0, 1, 2])
async def test_of_an_album_of_an_identity_card_nothing_stays_whichever_part_comes_first(
    world: World, tmp_path: Path, words_at: int, fetched: bool
) -> None:
    async with telegram_stage(world, tmp_path) as stage:
        hoa = await at_photos(stage)
        await hoa.sends_photos(1)
        await stage.passes(minutes=1)
        door = stage.door
        assert isinstance(door, OverTelegram)
        for number in range(3):
            phone = door.person(hoa.address)
            phone.sends_photo(picture(number + 1), "CCCD hai mặt" if number == words_at else "", group="the-cccd")
            await door.arrives()
            await stage.settles()
            if fetched:
                await stage.passes(seconds=10)
        await stage.passes(minutes=2)
        assert [bubble.text for bubble in hoa.seen.values()].count(heard(stage, "common.identity_card")) == 1
        async with world.database.read() as session:
            kept = (await session.execute(select(Attachment.file))).scalars().all()
            raws = " ".join((await session.execute(select(InboxRow.raw))).scalars())
        assert len(kept) == 1, "the picture sent before the album stays"
        assert [path.name for path in world.house.files.iterdir()] == kept
        assert "the-cccd" not in raws and "CCCD" not in raws


async def test_of_a_web_album_whose_second_file_is_an_identity_card_nothing_stays(world: World, tmp_path: Path) -> None:
    async with webchat_stage(world, tmp_path) as stage:
        hoa = await at_photos(stage)
        await uploads(stage, hoa, "image.jpg", picture(0), "image/jpeg")
        await stage.passes(minutes=1)
        form = aiohttp.FormData(quote_fields=False)
        for number, name in enumerate(("image.jpg", "cccd.jpg", "image.jpg")):
            form.add_field("file", picture(number + 1), filename=name, content_type="image/jpeg")
        form.add_field("key", "upload-2")
        door = stage.door
        assert isinstance(door, OverWebChat)
        await door.post(hoa.address, "/api/files", updates=3, data=form)
        await stage.settles()
        await stage.passes(minutes=1)
        async with world.database.read() as session:
            kept = (await session.execute(select(Attachment.file))).scalars().all()
            mine = (await session.execute(select(WebMessage.payload).where(WebMessage.mine))).scalars().all()
            raws = " ".join((await session.execute(select(InboxRow.raw))).scalars())
        assert len(kept) == 1 and [path.name for path in world.house.files.iterdir()] == kept
        assert [payload["files"] for payload in mine if payload.get("files")] == [[["photo", "image.jpg"]]]
        assert "cccd" not in raws


async def test_a_file_of_a_wrong_kind_is_told_and_the_rest_of_the_report_stays(stage: Stage) -> None:
    hoa = await at_photos(stage)
    await uploads(stage, hoa, "du-an.zip", ZIP, "application/zip")
    await stage.passes(minutes=1)
    assert heard(stage, "report.unusable_kind") in hoa.last.text and "du-an.zip" in hoa.last.text
    await hoa.sends_photos(1)
    await stage.passes(minutes=1)
    async with stage.world.database.read() as session:
        states = (await session.execute(select(Attachment.state).order_by(Attachment.id))).scalars().all()
    assert states == [FileState.REFUSED, FileState.CLEAN]


async def test_a_huge_file_is_refused_before_anybody_waits_for_it(stage: Stage) -> None:
    hoa = await at_photos(stage)
    if isinstance(stage.door, OverTelegram):
        await uploads(stage, hoa, "dai.mp4", b"\x00", "video/mp4", size=30 * 1024 * 1024)
        assert heard(stage, "report.files_too_big") in [bubble.text for bubble in hoa.seen.values()]
    elif isinstance(stage.door, OverWebChat):
        form = aiohttp.FormData()
        form.add_field(
            "file", io.BytesIO(b"\x00" * (20 * 1024 * 1024 + 1)), filename="dai.mp4", content_type="video/mp4"
        )
        form.add_field("key", "upload-1")
        status, answer = await stage.door.tries(hoa.address, "/api/files", data=form)
        assert (status, answer["error"]) == (413, heard(stage, "webchat.too_big"))
    async with stage.world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Attachment))).scalar_one() == 0


async def test_control_and_bidi_characters_go_and_angle_brackets_are_only_letters(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    await hoa.says("/sangkien")
    await hoa.taps("Sáng kiến")
    await hoa.says(ODD_TITLE)
    assert (await draft(stage))["title"] == CLEAN_TITLE and letters(CLEAN_TITLE) < 60
    await hoa.says("lui")
    assert f'"{CLEAN_TITLE}"' in hoa.last.text


@pytest.mark.parametrize(
    "name", ["Bùi <b>Hoa</b>", "Bùi \u202eHoa", "x" * 300, "Hoa", "0912345678", "<script>alert(1)</script>"]
)
async def test_a_name_is_clean_or_is_asked_for_again(stage: Stage, name: str) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    await hoa.says("/canhan")
    await hoa.taps("Sửa thông tin", "Họ tên")
    await hoa.says(name)
    async with stage.world.database.read() as session:
        kept = (await stage.person(session, hoa)).name
    assert kept in ("Bùi Thị Hoa", "Bùi Hoa")
    assert (kept == "Bùi Hoa") == ("\u202e" in name)


async def test_ten_taps_and_old_buttons_change_nothing_twice(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    await hoa.says("/sangkien")
    shown = hoa.last
    for _ in range(10):
        await stage.door.presses(hoa.address, shown.id, "💡 Sáng kiến")
    await stage.settles()
    assert [bubble.text.split(".")[0] for bubble in list(hoa.seen.values())[1:]] == [
        "Bước 1/8",
        "Việc này đã ghi nhận rồi ạ",
    ]
    await hoa.says("Giá gá giúp thay dao cắt nhanh")
    await stage.door.presses(hoa.address, shown.id, "🌟 Người tốt, việc tốt")
    await stage.settles()
    assert [bubble.text.split(".")[0] for bubble in list(hoa.seen.values())[-2:]] == [
        heard(stage, "common.old_button").split(".")[0],
        "Bước 2/8",
    ]
    assert (await draft(stage))["track"] == "initiative"


async def test_an_expired_invitation_is_told_and_gives_nothing(stage: Stage) -> None:
    ha = await stage.member("Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
    hoa = await stage.member("Bùi Thị Hoa")
    async with stage.world.database.write() as session:
        inviter = await stage.person(session, ha)
        home = await units.find_by_code(session, "MAYHOA")
        assert home is not None
        await roles.invite(
            session,
            token="abcdefgh",
            role=Role.GRASSROOTS_CHAIR,
            unit_id=home.id,
            invited_by=inviter.id,
            now=stage.world.now,
        )
    stage.world.now += timedelta(hours=73)
    await hoa.says("/start i-abcdefgh")
    assert hoa.last.text == heard(stage, "units.bad_invitation")
    await hoa.says("/canbo")
    assert "Việc cán bộ" not in str(hoa.last.rows)


# ---------------------------------------------------------------------------------------------------- Telegram alone


@pytest.fixture
async def chat(world: World, tmp_path: Path) -> AsyncIterator[tuple[Stage, OverTelegram, Actor]]:
    async with telegram_stage(world, tmp_path) as made:
        assert isinstance(made.door, OverTelegram)
        yield made, made.door, await at_photos(made)


async def test_a_sticker_and_an_edited_message_are_answered(chat: tuple[Stage, OverTelegram, Actor]) -> None:
    stage, door, hoa = chat
    said = door.person(hoa.address).says("lời ghi cho ảnh")
    await door.arrives()
    await stage.settles()
    before = await draft(stage)
    for act, key in (
        (lambda: door.person(hoa.address).edits(said, "lời khác"), "common.edited"),
        (door.person(hoa.address).sends_sticker, "common.sticker"),
    ):
        act()
        await door.arrives()
        await stage.settles()
        assert hoa.last.text == heard(stage, key)
    assert await draft(stage) == before


async def test_who_blocks_the_bot_is_not_counted_as_reached_until_they_write_again(
    chat: tuple[Stage, OverTelegram, Actor],
) -> None:
    stage, door, hoa = chat

    async def reach() -> Reach:
        async with stage.world.database.read() as session:
            return (await session.execute(select(Account.reach).where(Account.address == hoa.address))).scalar_one()

    door.person(hoa.address).blocks()
    await door.arrives()
    await stage.settles()
    assert await reach() == Reach.BLOCKED
    door.person(hoa.address).says("menu")  # which tells of the return first
    await door.arrives(2)
    await stage.settles()
    assert await reach() == Reach.OK


async def test_a_group_hears_one_line_and_nothing_of_it_is_kept(chat: tuple[Stage, OverTelegram, Actor]) -> None:
    stage, door, hoa = chat
    fake: FakeBotApi = door.fake
    fake.group(-7, "Tổ 5")
    door.person(hoa.address).says("/start@bot chuyện của tổ", chat=-7)
    door.person(hoa.address).says("chuyện riêng của tổ", chat=-7)
    await door.arrives(2)
    await stage.settles()
    [line] = fake.messages(-7)
    assert "https://t.me/tro_ly_thu_bot" in line.text and "\n" not in line.text
    async with stage.world.database.read() as session:
        assert "của tổ" not in " ".join((await session.execute(select(InboxRow.raw))).scalars())


@pytest.mark.parametrize("fault", ["404_page", "401", "502", "429_bare"])
async def test_while_the_channel_is_down_what_is_said_is_kept_and_answered_later(
    chat: tuple[Stage, OverTelegram, Actor], fault: str
) -> None:
    stage, door, hoa = chat
    await hoa.sends_photos(1)
    await stage.settles()
    door.fake.fail(fault, times=1)
    waiting = len(hoa.seen)
    await hoa.says("lời ghi cho ảnh")
    assert (await draft(stage))["captions"] == "lời ghi cho ảnh"
    for _ in range(4):
        await stage.passes(minutes=1)
    assert len(hoa.seen) == waiting + 1 and hoa.last.text.startswith("Đã ghi")
    async with stage.world.database.read() as session:
        left = select(func.count()).where(OutboxRow.state.in_((OutState.READY, OutState.SENDING, OutState.UNKNOWN)))
        assert (await session.execute(left)).scalar_one() == 0
