"""What comes from Telegram in our form."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from telegram import Bot, Update
from telegram import Message as TelegramMessage

from handlers.dialogue import File, Incoming


def read_update(raw: Any, bot: Bot, channel: str, received_at: datetime) -> Incoming | None:
    """Our form of one update; None for what nobody needs an answer to. Raises for what cannot be parsed.

    {"update_id": 7, "message": {"message_id": 3, "date": 1753437300, "chat": {"id": 42, "type": "private"},
     "from": {"id": 42, "is_bot": false, "first_name": "A"}, "text": "menu"}}
    """
    update = Update.de_json(raw, bot)
    if update.callback_query is not None:
        press = update.callback_query
        if press.message is not None and press.message.chat.type != "private":
            return None
        return Incoming(channel, _address(press.from_user.id), received_at, choice=_word(press.data))
    if update.my_chat_member is not None:
        change = update.my_chat_member
        if change.chat.type == "private" and change.new_chat_member.status in ("kicked", "left"):
            return Incoming(channel, _address(change.chat.id), received_at, place="gone")
        return None
    message = update.message or update.edited_message
    if message is None:
        return None
    place = "edited" if update.edited_message is not None else "private"
    if message.chat.type != "private":
        return Incoming(channel, _address(message.chat.id), received_at, place="group") if _meant(message) else None
    return Incoming(
        channel,
        _address(message.chat.id),
        received_at,
        text=_word(message.text) or _word(message.caption),
        files=_files(message),
        group=_word(message.media_group_id),
        place=place,
    )


NUMBERS = range(1 << 53)
"""What JSON carries exactly everywhere; Telegram's ids of people, chats and updates stay below (Bot API, User)."""


def number_of(update: Any) -> int | None:
    """An update's number, found without trusting its shape; None where it has none that could be confirmed."""
    number = update.get("update_id") if isinstance(update, dict) else None
    return number if type(number) is int and number in NUMBERS else None


def lane_of(update: Any) -> str:
    """The chat an update belongs to, found without trusting its shape: even what cannot be parsed has a lane."""
    if isinstance(update, dict):
        for kind, field in (
            ("message", "chat"),
            ("edited_message", "chat"),
            ("my_chat_member", "chat"),
            ("callback_query", "from"),
        ):
            part = update.get(kind)
            owner = part.get(field) if isinstance(part, dict) else None
            if isinstance(owner, dict) and _is_id(owner.get("id")):
                return str(owner["id"])
    return f"update-{number_of(update)}"


def _is_id(number: Any) -> bool:
    return type(number) is int and abs(number) in NUMBERS


def _address(number: Any) -> str:
    """Whom an answer goes to. PTB takes any JSON for an id; what is none must not become somebody. Raises ValueError."""
    if not _is_id(number):
        raise ValueError("not an id of Telegram's")
    return str(number)


def _word(given: Any) -> str:
    """A text where one may stand. Raises ValueError for what is none, which would fail in odd places further in."""
    if given is None:
        return ""
    if not isinstance(given, str):
        raise ValueError("not a text")
    return given


def _size(given: Any) -> int:
    if given is None:
        return 0
    if type(given) is not int or given not in NUMBERS:
        raise ValueError("not a size")
    return given


def _meant(message: TelegramMessage) -> bool:
    """Whether something said in a group is meant for the bot: a command, or its being added."""
    return bool(_word(message.text).startswith("/") or message.new_chat_members)


def _file(kind: str, found: Any, name: Any = None) -> File:
    return File(kind, _word(found.file_id), _word(found.file_unique_id), _word(name), _size(found.file_size))


def _files(message: TelegramMessage) -> tuple[File, ...]:
    if message.photo:
        return (_file("photo", message.photo[-1]),)
    if message.video is not None:
        return (_file("video", message.video, message.video.file_name),)
    if message.document is not None:
        kind = "photo" if _word(message.document.mime_type).startswith("image/") else "document"
        return (_file(kind, message.document, message.document.file_name),)
    if message.voice is not None or message.audio is not None or message.video_note is not None:
        return (File("voice", "", ""),)
    if message.sticker is not None:
        return (File("sticker", "", ""),)
    if not message.text:
        return (File("other", "", ""),)
    return ()
