"""Persons with a phone: what they do becomes updates, what the bot says to them can be read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.fakes.botapi.entities import units
from tests.fakes.botapi.state import BOT, Chat, Posted, State, StoredFile


@dataclass(frozen=True)
class Button:
    """A button under a message."""

    label: str
    data: str
    url: str = ""


@dataclass(frozen=True)
class Shown:
    """One message of the bot as its reader sees it now; `history` is what it said before each edit."""

    message_id: int
    text: str
    rows: tuple[tuple[Button, ...], ...]
    photo: bytes | None
    document: tuple[str, bytes] | None
    album: str
    history: tuple[str, ...]
    deleted: bool
    sent_at: datetime
    raw: Mapping[str, Any]

    @property
    def buttons(self) -> tuple[Button, ...]:
        """All buttons, row by row."""
        return tuple(button for row in self.rows for button in row)

    @property
    def labels(self) -> tuple[str, ...]:
        """What stands on the buttons."""
        return tuple(button.label for button in self.buttons)


def shown(state: State, posted: Posted) -> Shown:
    """A posted message from its reader's side."""
    raw = posted.raw
    files = [state.files[file_id] for file_id in posted.files]
    return Shown(
        message_id=raw["message_id"],
        text=raw.get("text", raw.get("caption", "")),
        rows=tuple(
            tuple(Button(each["text"], each.get("callback_data", ""), each.get("url", "")) for each in row)
            for row in raw.get("reply_markup", {}).get("inline_keyboard", [])
        ),
        photo=files[0].data if files and "photo" in raw else None,
        document=(raw["document"]["file_name"], files[0].data) if files and "document" in raw else None,
        album=raw.get("media_group_id", ""),
        history=tuple(posted.history),
        deleted=posted.deleted,
        sent_at=datetime.fromtimestamp(raw["date"], UTC),
        raw=raw,
    )


class FakePerson:
    """Somebody who talks to the bot. What they send returns its message id; `chat` is a group's id to send it there."""

    def __init__(self, state: State, chat_id: int, name: str, username: str | None) -> None:
        first, _, last = name.partition(" ")
        self._state = state
        self.chat_id = chat_id
        self.user: dict[str, Any] = {"id": chat_id, "is_bot": False, "first_name": first, "language_code": "vi"}
        if last:
            self.user["last_name"] = last
        if username:
            self.user["username"] = username

    # ------------------------------------------------------------------------------------------------ sending

    def says(self, text: str, *, chat: int | None = None, reply_to: int | None = None) -> int:
        """Types a text; one that begins with a slash carries the entity that makes it a command."""
        body: dict[str, Any] = {"text": text}
        if text.startswith("/"):
            command = text.split()[0]
            body["entities"] = [{"type": "bot_command", "offset": 0, "length": units(command)}]
        if reply_to is not None:
            answered = self._state.posted[chat or self.chat_id, reply_to].raw
            body["reply_to_message"] = {key: value for key, value in answered.items() if key != "reply_to_message"}
        return self._send(body, chat)

    def sends_photo(
        self, data: bytes, caption: str = "", *, group: str = "", chat: int | None = None, size: int | None = None
    ) -> int:
        """A picture; those of one `group` (any digits) are an album. `size` claims a size the bytes do not have."""
        stored = self._state.keep_file("photos", ".jpg", data, size)
        return self._send({"photo": self._state.photo_sizes(stored)}, chat, stored, caption, group)

    def sends_document(
        self,
        data: bytes,
        name: str,
        mime: str = "application/pdf",
        caption: str = "",
        *,
        group: str = "",
        chat: int | None = None,
        size: int | None = None,
    ) -> int:
        """A file; `size` claims a size the bytes do not have."""
        stored = self._state.keep_file("documents", "", data, size)
        body = {"document": self._state.document(stored, name, mime)}
        return self._send(body, chat, stored, caption, group)

    def sends_video(
        self, data: bytes = b"\x00\x00\x00\x18ftypmp42", caption: str = "", *, size: int | None = None
    ) -> int:
        """A short film."""
        stored = self._state.keep_file("videos", ".mp4", data, size)
        film = {**self._thing(stored), "width": 1280, "height": 720, "duration": 12, "mime_type": "video/mp4"}
        return self._send({"video": film}, None, stored, caption)

    def sends_voice(self, data: bytes = b"OggS") -> int:
        """A spoken message of three seconds."""
        stored = self._state.keep_file("voice", ".oga", data)
        return self._send({"voice": {**self._thing(stored), "duration": 3, "mime_type": "audio/ogg"}}, None, stored)

    def sends_sticker(self) -> int:
        """A thumb up."""
        stored = self._state.keep_file("stickers", ".webp", b"RIFF0000WEBP")
        sticker = {
            **self._thing(stored),
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": False,
            "is_video": False,
            "emoji": "👍",
        }
        return self._send({"sticker": sticker}, None, stored)

    def sends_location(self) -> int:
        """A place on the map: something the bot has no use for."""
        return self._send({"location": {"latitude": 21.03, "longitude": 105.85}}, None)

    def edits(self, message_id: int, text: str) -> int:
        """Changes what they sent before."""
        posted = self._state.posted[self.chat_id, message_id]
        if posted.by_bot:
            raise LookupError("nobody can edit what the bot said")
        name = "text" if "text" in posted.raw else "caption"
        posted.history.append(str(posted.raw.get(name, "")))
        posted.raw = {**posted.raw, name: text, "edit_date": int(self._state.now().timestamp())}
        self._state.push({"edited_message": posted.raw})
        return message_id

    def presses(self, label: str = "", *, message_id: int | None = None, data: str | None = None) -> int:
        """Presses a button: of one message, or of the latest that has it. `data` forges what the button says.

        Returns the id of the message it stands under. Raises LookupError when no such button is to be seen.
        """
        mine = [posted for posted in self._mine() if message_id in (None, posted.raw["message_id"])]
        for posted in reversed(mine):
            for button in shown(self._state, posted).buttons:
                if data is not None or button.label == label or (not label and message_id is not None):
                    return self._press(posted, button.data if data is None else data)
        if data is not None and mine:
            return self._press(mine[-1], data)
        seen = [label for posted in mine for label in shown(self._state, posted).labels]
        raise LookupError(f"no button {label!r}; to be seen are {seen}")

    def _press(self, posted: Posted, data: str) -> int:
        press = str(4_382_000_000_000_000_000 + self._state.serial())
        self._state.presses.add(press)
        self._state.push(
            {
                "callback_query": {
                    "id": press,
                    "from": self.user,
                    "message": posted.raw,
                    "chat_instance": str(-7_000_000_000_000_000_000 - self.chat_id),
                    "data": data,
                }
            }
        )
        return int(posted.raw["message_id"])

    def _mine(self) -> list[Posted]:
        return [
            posted
            for (chat, _), posted in self._state.posted.items()
            if chat == self.chat_id and posted.by_bot and not posted.deleted
        ]

    def _thing(self, stored: StoredFile) -> dict[str, Any]:
        return {"file_id": stored.file_id, "file_unique_id": stored.unique_id, "file_size": stored.size}

    def _send(
        self,
        body: Mapping[str, Any],
        chat: int | None,
        stored: StoredFile | None = None,
        caption: str = "",
        group: str = "",
    ) -> int:
        place = self._state.chats[self.chat_id if chat is None else chat]
        place.met = True
        if place.raw["type"] == "private" and place.blocked:
            self.unblocks()
        extra = {**({"caption": caption} if caption else {}), **({"media_group_id": group} if group else {})}
        posted = self._state.post(
            place, {**body, **extra}, by=self.user, files=(stored.file_id,) if stored is not None else ()
        )
        self._state.push({"message": posted.raw})
        return int(posted.raw["message_id"])

    # ------------------------------------------------------------------------------------------------ the bot itself

    def blocks(self) -> None:
        """Stops the bot: it hears of it, and is refused from now on."""
        self._membership(self._state.chats[self.chat_id], blocked=True)

    def unblocks(self) -> None:
        """Starts it again."""
        self._membership(self._state.chats[self.chat_id], blocked=False)

    def adds_bot(self, chat: int) -> None:
        """Takes the bot into a group."""
        self._membership(self._state.chats[chat], blocked=False)

    def removes_bot(self, chat: int) -> None:
        """Throws the bot out of a group."""
        self._membership(self._state.chats[chat], blocked=True)

    def _membership(self, chat: Chat, *, blocked: bool) -> None:
        chat.blocked = blocked
        gone: dict[str, Any] = {"user": BOT, "status": "kicked", "until_date": 0}
        here: dict[str, Any] = {"user": BOT, "status": "member"}
        self._state.push(
            {
                "my_chat_member": {
                    "chat": chat.raw,
                    "from": self.user,
                    "date": int(self._state.now().timestamp()),
                    "old_chat_member": here if blocked else gone,
                    "new_chat_member": gone if blocked else here,
                }
            }
        )


def private_chat(person: FakePerson) -> dict[str, Any]:
    """The chat between the bot and a person."""
    names: dict[str, Any] = {
        key: person.user[key] for key in ("first_name", "last_name", "username") if key in person.user
    }
    return {"id": person.chat_id, **names, "type": "private"}


def group_chat(chat_id: int, title: str) -> dict[str, Any]:
    """A group; its id is negative."""
    if chat_id >= 0:
        raise ValueError("a group's id is negative")
    return {"id": chat_id, "title": title, "type": "group", "all_members_are_administrators": False}
