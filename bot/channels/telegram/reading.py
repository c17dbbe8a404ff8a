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
        return Incoming(channel, str(press.from_user.id), received_at, choice=press.data or "")
    if update.my_chat_member is not None:
        change = update.my_chat_member
        if change.chat.type == "private" and change.new_chat_member.status in ("kicked", "left"):
            return Incoming(channel, str(change.chat.id), received_at, place="gone")
        return None
    message = update.message or update.edited_message
    if message is None:
        return None
    place = "edited" if update.edited_message is not None else "private"
    if message.chat.type != "private":
        return Incoming(channel, str(message.chat.id), received_at, place="group") if _meant(message) else None
    return Incoming(
        channel,
        str(message.chat.id),
        received_at,
        text=message.text or message.caption or "",
        files=_files(message),
        group=message.media_group_id or "",
        place=place,
    )


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
