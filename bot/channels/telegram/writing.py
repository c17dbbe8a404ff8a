"""What is said in Telegram's form: texts cut to its limits, photos, papers and albums, buttons."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto
from telegram import Message as TelegramMessage
from telegram.constants import ParseMode
from telegram.error import BadRequest, TelegramError

from content.message import Message, rows, spelled_out
from content.text import utf16_length
from db.json_text import to_text
from scheduler.delivery import Ambiguous

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
"""Characters after entities are parsed (Bot API, sendMessage and sendPhoto)."""

MOST_KNOWN = 100
"""Photos whose ids are remembered."""


async def say(
    bot: Bot, chat: int, message: Message, edits: str, mode: ParseMode | None, files: Path, uploads: Uploads
) -> str:
    """Sends or edits a message, in one request where Telegram takes it so; returns the last part's id."""
    keyboard = keyboard_of(message)
    if edits:
        sent = await bot.edit_message_text(
            message.text, chat, int(edits), parse_mode=mode, reply_markup=keyboard, disable_web_page_preview=True
        )
        return str(sent.message_id) if isinstance(sent, TelegramMessage) else edits
    photos = [media for media in message.media if media.kind == "photo"]
    documents = [media for media in message.media if media.kind != "photo"]
    caption = spelled_out(message) if len(photos) > 1 else message.text
    if message.media and len(caption) <= CAPTION_LIMIT and (len(photos) > 1) + (len(photos) == 1) + len(documents) == 1:
        if len(photos) > 1:
            # One request, so that a broadcast arrives whole or not at all; an album cannot carry buttons.
            album = [
                InputMediaPhoto(_bytes(files / p.file), caption=caption if i == 0 else None, parse_mode=mode)
                for i, p in enumerate(photos)
            ]
            return str((await bot.send_media_group(chat, album))[0].message_id)
        if photos:
            found = await uploads.send(
                photos[0].file,
                files,
                lambda photo: bot.send_photo(chat, photo, caption=caption, parse_mode=mode, reply_markup=keyboard),
            )
        else:
            found = await bot.send_document(
                chat,
                _bytes(files / documents[0].file),
                caption=caption,
                parse_mode=mode,
                reply_markup=keyboard,
                filename=documents[0].name,
            )
        return str(found.message_id)
    parts = split(message.text, TEXT_LIMIT)
    requests: list[Callable[[], Awaitable[TelegramMessage]]] = [
        *(partial(bot.send_photo, chat, _bytes(files / photo.file)) for photo in photos),
        *(partial(bot.send_document, chat, _bytes(files / d.file), filename=d.name) for d in documents),
        *(partial(bot.send_message, chat, part, mode, disable_web_page_preview=True) for part in parts[:-1]),
        partial(bot.send_message, chat, parts[-1], mode, reply_markup=keyboard, disable_web_page_preview=True),
    ]
    return await _in_turn(requests)


class Uploads:
    """Photos that Telegram has already, by their name in the data folder: the card of a day goes up once, not to everybody.

    A name stands for its content, so what is kept here is never wrong; what Telegram no longer knows goes up again.
    """

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    async def send(
        self, file: str, files: Path, request: Callable[[bytes | str], Awaitable[TelegramMessage]]
    ) -> TelegramMessage:
        """Sends a photo by its id where that is known, else its bytes. Raises PTB's errors."""
        if (known := self._known.get(file)) is not None:
            try:
                return await request(known)
            except BadRequest as error:
                if "file" not in str(error).lower():
                    raise
                del self._known[file]  # refused for its id, so nothing has arrived
        sent = await request(_bytes(files / file))
        if sent.photo:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[file] = sent.photo[-1].file_id
        return sent


def _bytes(path: Path) -> bytes:
    return path.read_bytes()


def split(text: str, limit: int) -> list[str]:
    """Cuts a long text at line ends; a single line over the limit is cut hard. Counts UTF-16 units, as Telegram does."""
    parts: list[str] = []
    here = ""
    for line in text.split("\n"):
        while utf16_length(line) > limit:
            cut = line.encode("utf-16-le")[: limit * 2].decode("utf-16-le", "ignore")
            if here:
                parts.append(here)
            here = ""
            parts.append(cut)
            line = line[len(cut) :]
        joined = f"{here}\n{line}" if here else line
        if utf16_length(joined) > limit:
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


def written(message: Message) -> str:
    """A text's parameters as JSON that ends before whom it goes to: what PTB would send, without its objects, which cost more
    than all the rest of sending."""
    parameters = {
        "text": message.text,
        "parse_mode": ParseMode.HTML.value,
        "link_preview_options": '{"is_disabled": true}',
    }
    if message.choices:
        keyboard = [
            [{"text": c.label, "callback_data": c.data(message.screen)} for c in row] for row in rows(message.choices)
        ]
        parameters["reply_markup"] = to_text({"inline_keyboard": keyboard})
    return to_text(parameters)[:-1]


written_once = lru_cache(maxsize=16)(written)
"""The same for an announcement. Messages are compared by what they say."""


def keyboard_of(message: Message) -> InlineKeyboardMarkup | None:
    if not message.choices:
        return None
    return InlineKeyboardMarkup(
        [
            [InlineKeyboardButton(choice.label, callback_data=choice.data(message.screen)) for choice in row]
            for row in rows(message.choices)
        ]
    )
