"""The Telegram door: own long polling that stores before it confirms, messages and edits out, errors made ours."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, cast

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto, Update
from telegram import Message as TelegramMessage
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.channels.telegram_request import AiohttpRequest, NotSent
from bot.inbox import arrival
from content.message import Message, rows
from db.inbox import Arrival
from db.models import Lane
from db.session import Session
from handlers.dialogue import File, Incoming
from scheduler.delivery import (
    REPLIES,
    WINDOW,
    Ambiguous,
    ChannelDown,
    EditGone,
    NotModified,
    RecipientGone,
    Rejected,
    RetryLater,
    SendError,
)

log = logging.getLogger(__name__)

LONG_POLL = 25
"""Seconds Telegram holds a getUpdates open when nothing happens."""
TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
"""Characters after entities are parsed (Bot API, sendMessage and sendPhoto)."""
UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
BACKOFF = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
NOT_SENT_PAUSE = 5.0
DOWN_PAUSE = 30.0
BARE_429_PAUSE = 30.0
"""Seconds to wait after a 429 that does not say how long (promises §1.5)."""

Store = Callable[[str, str, Sequence[Arrival]], Awaitable[int]]


class Telegram:
    """One bot. Polling, replies and bulk have connection pools of their own, so that none starves another."""

    name = "telegram"
    can_edit = True

    def __init__(
        self, token: str, api: str, files: Path, *, sleep: Callable[[float], Awaitable[None]], window: int = WINDOW
    ) -> None:
        self._files = files
        self._sleep = sleep
        self._number = token.partition(":")[0]
        self._poll = self._bot(token, api, 2)
        self._talk = self._bot(token, api, REPLIES)
        self._bulk = self._bot(token, api, window)
        self._mass = cast(AiohttpRequest, self._bulk.request)
        self._background: set[asyncio.Task[None]] = set()
        self.username = ""
        self.polled: Callable[[], Awaitable[None]] | None = None
        """Called after every successful poll, for the status."""

    @staticmethod
    def _bot(token: str, api: str, connections: int) -> Bot:
        request = AiohttpRequest(connections)
        return Bot(
            token, base_url=f"{api}/bot", base_file_url=f"{api}/file/bot", request=request, get_updates_request=request
        )

    # ------------------------------------------------------------------------------------------------ in

    async def run(self, store: Store) -> None:
        """Polls for ever. An offset confirms what lies below it, so it moves only after the commit.

        It begins without an offset: Telegram answers with the oldest unconfirmed update and the inbox drops repeats.
        No error ends the loop: a block page and a wrong token look alike from here (promises §1.2).
        """
        offset: int | None = None
        failures = 0
        while True:
            try:
                raw = await self._fetch_updates(offset)
                if raw:
                    fresh = [arrival(str(update["update_id"]), lane_of(update), update) for update in raw]
                    await store(self.name, self._number, fresh)
                    offset = max(int(update["update_id"]) for update in raw) + 1
                    self._acknowledge(raw)
                failures = 0
                if self.polled is not None:
                    await self.polled()
            except Conflict:
                log.error("another process polls with this token; waiting for it to stop")
                failures = max(failures + 1, 3)
            except TelegramError as error:
                failures += 1
                log.warning("polling failed (%s); trying again", type(error).__name__)
            except Exception:
                failures += 1
                log.exception("polled updates could not be stored; they stay unconfirmed")
            if failures:
                await self._sleep(BACKOFF[min(failures, len(BACKOFF)) - 1])

    async def _fetch_updates(self, offset: int | None) -> list[dict[str, Any]]:
        parameters: dict[str, Any] = {"timeout": LONG_POLL, "allowed_updates": UPDATES}
        if offset is not None:
            parameters["offset"] = offset
        with warnings.catch_warnings():
            # PTB advises against calling by hand a method it wraps; its wrapper cannot hand over what it cannot parse.
            warnings.simplefilter("ignore")
            found = await self._poll.do_api_request("getUpdates", api_kwargs=parameters, read_timeout=LONG_POLL + 10)
        return list(found) if isinstance(found, list) else []

    def _acknowledge(self, raw: list[dict[str, Any]]) -> None:
        """Ends the little clock on pressed buttons; best effort and unrecorded (decisions 10)."""
        for update in raw:
            press = update.get("callback_query")
            if isinstance(press, dict) and "id" in press:
                task = asyncio.create_task(self._acknowledge_one(str(press["id"])))
                self._background.add(task)
                task.add_done_callback(self._background.discard)

    async def _acknowledge_one(self, press: str) -> None:
        try:
            await self._talk.answer_callback_query(press)
        except TelegramError as error:
            log.debug("a press was not acknowledged: %s", type(error).__name__)

    def read(self, raw: Any, received_at: datetime) -> Incoming | None:
        """Our form of one update; None for what nobody needs an answer to. Raises for what cannot be parsed.

        {"update_id": 7, "message": {"message_id": 3, "date": 1753437300, "chat": {"id": 42, "type": "private"},
         "from": {"id": 42, "is_bot": false, "first_name": "A"}, "text": "menu"}}
        """
        update = Update.de_json(raw, self._talk)
        if update.callback_query is not None:
            press = update.callback_query
            if press.message is not None and press.message.chat.type != "private":
                return None
            return Incoming(self.name, str(press.from_user.id), received_at, choice=press.data or "")
        if update.my_chat_member is not None:
            change = update.my_chat_member
            if change.chat.type == "private" and change.new_chat_member.status in ("kicked", "left"):
                return Incoming(self.name, str(change.chat.id), received_at, place="gone")
            return None
        message = update.message or update.edited_message
        if message is None:
            return None
        place = "edited" if update.edited_message is not None else "private"
        if message.chat.type != "private":
            return Incoming(self.name, str(message.chat.id), received_at, place="group") if _meant(message) else None
        return Incoming(
            self.name,
            str(message.chat.id),
            received_at,
            text=message.text or message.caption or "",
            files=_files(message),
            group=message.media_group_id or "",
            place=place,
        )

    async def erase(self, session: Session, raw: Any) -> None:
        """Nothing here keeps a copy; the words ask the person to delete it on their side."""

    async def fetch(self, ref: str) -> bytes:
        """The bytes of a file (≤ 20 MB, Bot API getFile). Raises SendError."""
        try:
            file = await self._talk.get_file(ref)
            return bytes(await file.download_as_bytearray())
        except TelegramError as error:
            raise self._ours(error, fetching=True) from None

    # ------------------------------------------------------------------------------------------------ out

    async def send(self, address: str, message: Message, *, edits: str, lane: Lane) -> str:
        """Sends or edits one message. Raises SendError, each kind by the table of promises §1.5."""
        bot = self._talk if lane == Lane.REPLY else self._bulk
        try:
            if lane == Lane.BULK and not edits and not message.media and _units(message.text) <= TEXT_LIMIT:
                found = await self._mass.call(f"{bot.base_url}/sendMessage", {**_written(message), "chat_id": address})
                return str(found["message_id"])
            return await self._say(bot, int(address), message, edits, ParseMode.HTML)
        except BadRequest as error:
            if "can't parse entities" not in str(error).lower():
                raise self._ours(error) from None
            log.error("words %s are not the HTML that Telegram takes; sent as plain text", message.key)
        except TelegramError as error:
            raise self._ours(error) from None
        try:
            return await self._say(bot, int(address), message, edits, None)
        except TelegramError as error:
            raise self._ours(error) from None

    async def _say(self, bot: Bot, chat: int, message: Message, edits: str, mode: ParseMode | None) -> str:
        keyboard = _keyboard(message)
        if edits:
            sent = await bot.edit_message_text(
                message.text, chat, int(edits), parse_mode=mode, reply_markup=keyboard, disable_web_page_preview=True
            )
            return str(sent.message_id) if isinstance(sent, TelegramMessage) else edits
        photos = [media for media in message.media if media.kind == "photo"]
        documents = [media for media in message.media if media.kind != "photo"]
        if (
            message.media
            and len(message.text) <= CAPTION_LIMIT
            and (len(photos) > 1) + (len(photos) == 1) + len(documents) == 1
        ):
            if len(photos) > 1:
                # One request, so that a broadcast arrives whole or not at all; an album cannot carry buttons.
                album = [
                    InputMediaPhoto(self._bytes(p.file), caption=message.text if i == 0 else None, parse_mode=mode)
                    for i, p in enumerate(photos)
                ]
                return str((await bot.send_media_group(chat, album))[0].message_id)
            if photos:
                found = await bot.send_photo(
                    chat, self._bytes(photos[0].file), caption=message.text, parse_mode=mode, reply_markup=keyboard
                )
            else:
                found = await bot.send_document(
                    chat,
                    self._bytes(documents[0].file),
                    caption=message.text,
                    parse_mode=mode,
                    reply_markup=keyboard,
                    filename=documents[0].name,
                )
            return str(found.message_id)
        parts = split(message.text, TEXT_LIMIT)
        requests: list[Callable[[], Awaitable[TelegramMessage]]] = [
            *(partial(bot.send_photo, chat, self._bytes(photo.file)) for photo in photos),
            *(partial(bot.send_document, chat, self._bytes(d.file), filename=d.name) for d in documents),
            *(partial(bot.send_message, chat, part, mode, disable_web_page_preview=True) for part in parts[:-1]),
            partial(bot.send_message, chat, parts[-1], mode, reply_markup=keyboard, disable_web_page_preview=True),
        ]
        return await _in_turn(requests)

    def _bytes(self, name: str) -> bytes:
        return (self._files / name).read_bytes()

    def _ours(self, error: TelegramError, *, fetching: bool = False) -> SendError:
        text = error.message.lower()
        if isinstance(error, RetryAfter):
            after = error.retry_after
            return RetryLater(
                float(after if isinstance(after, int) else after.total_seconds()), pause=True, reason="429"
            )
        if isinstance(error, Forbidden):
            return RecipientGone("blocked")
        if isinstance(error, ChatMigrated):
            return Rejected("the chat became a supergroup")
        if isinstance(error, BadRequest):
            if "not modified" in text:
                return NotModified("not modified")
            if "message to edit not found" in text or "message can't be edited" in text:
                return EditGone("edit gone")
            if "chat not found" in text or "user is deactivated" in text:
                return RecipientGone("chat not found")
            return Rejected(error.message[:200])
        if isinstance(error, InvalidToken):
            return ChannelDown(DOWN_PAUSE, reason="the token is refused, or a block page answers in Telegram's place")
        if isinstance(error, NotSent):
            return RetryLater(NOT_SENT_PAUSE, reason="no connection")
        if "too many requests" in text:
            return RetryLater(BARE_429_PAUSE, pause=True, reason="429 without a time")
        if fetching:
            return RetryLater(NOT_SENT_PAUSE, reason=type(error).__name__)
        if isinstance(error, NetworkError):
            return Ambiguous(type(error).__name__)
        return Rejected(error.message[:200])

    # ------------------------------------------------------------------------------------------------ life

    async def open(self) -> None:
        """Makes the connection pools; asks for nothing."""
        for bot in (self._poll, self._talk, self._bulk):
            await bot.request.initialize()

    async def introduce(self) -> str:
        """The bot's user name, for links; "" while Telegram cannot be reached."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                me = await self._talk.do_api_request("getMe")
            self.username = str(me["username"]) if isinstance(me, dict) else ""
        except (TelegramError, KeyError) as error:
            log.warning("Telegram did not say who we are (%s)", type(error).__name__)
        return self.username

    async def close(self) -> None:
        """Closes the connection pools."""
        for task in list(self._background):
            task.cancel()
        for bot in (self._poll, self._talk, self._bulk):
            await bot.request.shutdown()


def lane_of(update: dict[str, Any]) -> str:
    """The chat an update belongs to, found without trusting its shape: even what cannot be parsed has a lane."""
    for kind in ("message", "edited_message", "my_chat_member"):
        chat = update.get(kind)
        if isinstance(chat, dict) and isinstance(chat.get("chat"), dict):
            return str(chat["chat"].get("id", ""))
    press = update.get("callback_query")
    if isinstance(press, dict) and isinstance(press.get("from"), dict):
        return str(press["from"].get("id", ""))
    return f"update-{update.get('update_id', '')}"


def split(text: str, limit: int) -> list[str]:
    """Cuts a long text at line ends; a single line over the limit is cut hard. Counts UTF-16 units, as Telegram does."""
    parts: list[str] = []
    here = ""
    for line in text.split("\n"):
        while _units(line) > limit:
            cut = line.encode("utf-16-le")[: limit * 2].decode("utf-16-le", "ignore")
            if here:
                parts.append(here)
            here = ""
            parts.append(cut)
            line = line[len(cut) :]
        joined = f"{here}\n{line}" if here else line
        if _units(joined) > limit:
            parts.append(here)
            here = line
        else:
            here = joined
    return [*parts, here]


async def _in_turn(requests: Sequence[Callable[[], Awaitable[TelegramMessage]]]) -> str:
    """Sends the parts of one message. Once the first has arrived no failure may pass for "not delivered"."""
    number = ""
    for request in requests:
        try:
            number = str((await request()).message_id)
        except TelegramError as error:
            if not number:
                raise
            raise Ambiguous(f"only a part of it arrived ({type(error).__name__})") from None
    return number


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@lru_cache(maxsize=16)
def _written(message: Message) -> dict[str, str]:
    """An announcement's parameters but for whom it goes to. Messages are compared by what they say."""
    keyboard = _keyboard(message)
    return {
        "text": message.text,
        "parse_mode": ParseMode.HTML.value,
        "link_preview_options": '{"is_disabled": true}',
    } | ({"reply_markup": keyboard.to_json()} if keyboard is not None else {})


def _keyboard(message: Message) -> InlineKeyboardMarkup | None:
    if not message.choices:
        return None
    return InlineKeyboardMarkup(
        [
            [InlineKeyboardButton(choice.label, callback_data=choice.data(message.screen)) for choice in row]
            for row in rows(message.choices)
        ]
    )


def _meant(message: TelegramMessage) -> bool:
    """Whether something said in a group is meant for the bot: a command, or its being added."""
    return bool((message.text or "").startswith("/") or message.new_chat_members)


def _files(message: TelegramMessage) -> tuple[File, ...]:
    if message.photo:
        best = message.photo[-1]
        return (File("photo", best.file_id, best.file_unique_id, "", best.file_size or 0),)
    if message.video is not None:
        video = message.video
        return (File("video", video.file_id, video.file_unique_id, video.file_name or "", video.file_size or 0),)
    if message.document is not None:
        paper = message.document
        kind = "photo" if (paper.mime_type or "").startswith("image/") else "document"
        return (File(kind, paper.file_id, paper.file_unique_id, paper.file_name or "", paper.file_size or 0),)
    if message.voice is not None or message.audio is not None or message.video_note is not None:
        return (File("voice", "", ""),)
    if message.sticker is not None:
        return (File("sticker", "", ""),)
    if not message.text:
        return (File("other", "", ""),)
    return ()
