"""What the platform knows: chats, messages, files and the queue of updates, with the methods of the Bot API over them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.fakes.botapi.entities import CAPTION_LIMIT, TEXT_LIMIT, ApiError, check_keyboard, parse, units

FILE_LIMIT = 20 * 1024 * 1024
LINK_LIFE = timedelta(hours=1)
UPDATE_LIFE = timedelta(hours=24)
DELETE_LIFE = timedelta(hours=48)
"""Largest file a bot may fetch, how long its link holds, how long an update waits, how long a message may be deleted."""
FAR = 10
"""An offset this far beyond the newest update is not believed: the queue answers from its head (TQueue.cpp)."""
ONLY_ASKED = frozenset(("chat_member", "message_reaction", "message_reaction_count"))
"""Kinds of updates that come to nobody who does not name them."""
STRUCTURES = ("reply_markup", "media", "entities", "caption_entities", "commands", "scope", "link_preview_options",
              "reply_parameters", "allowed_updates")  # fmt: skip
"""Arguments that are objects or lists, which clients send as JSON inside a form."""
BOT = {
    "id": 123456789,
    "is_bot": True,
    "first_name": "Trợ lý thử",
    "username": "thu_nghiem_bot",
}


@dataclass(frozen=True)
class Upload:
    """A file as it came in a request."""

    name: str
    mime: str
    data: bytes


@dataclass
class StoredFile:
    """A file the platform holds; `size` may claim more than `data` has, so that a test need not make 20 MB."""

    file_id: str
    unique_id: str
    path: str
    data: bytes
    size: int
    linked_at: datetime | None = None


@dataclass
class Chat:
    """A private chat with a person, or a group."""

    raw: dict[str, Any]
    blocked: bool = False
    met: bool = True

    @property
    def id(self) -> int:
        """A person's chat has the person's id."""
        return int(self.raw["id"])


@dataclass
class Posted:
    """A message in a chat, as JSON; `files` are the ids of its own bytes, `history` what it said before each edit."""

    raw: dict[str, Any]
    by_bot: bool
    files: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    deleted: bool = False


@dataclass(frozen=True)
class Waiting:
    """An update in the queue."""

    update_id: int
    expires: datetime
    raw: dict[str, Any]


class Params:
    """The arguments of a call: what came as text or as JSON, and uploads by field name."""

    def __init__(self, values: Mapping[str, Any], uploads: Mapping[str, Upload]) -> None:
        self.values = dict(values)
        self.uploads = dict(uploads)

    def text(self, name: str) -> str:
        """A text, "" when absent."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else json.dumps(value)

    def number(self, name: str, default: int = 0) -> int:
        """A whole number; what is none counts as absent."""
        try:
            return int(self.values.get(name, default))
        except (TypeError, ValueError):
            return default

    def structure(self, name: str) -> Any:
        """An object or a list, given as such or as JSON. Raises ApiError."""
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise ApiError(400, f"Bad Request: can't parse {name} JSON object") from None

    def chat(self) -> int | None:
        """The chat a call is about; None where it is about none."""
        try:
            return int(self.values["chat_id"])
        except (KeyError, TypeError, ValueError):
            return None

    def for_log(self) -> dict[str, Any]:
        """The arguments with structures opened and files named by their sums."""
        shown: dict[str, Any] = {}
        for name, value in self.values.items():
            shown[name] = value
            if name in STRUCTURES and isinstance(value, str):
                with suppress(ValueError):
                    shown[name] = json.loads(value)
        for name, upload in self.uploads.items():
            digest = hashlib.sha256(upload.data).hexdigest()
            shown[name] = {"file": upload.name, "size": len(upload.data), "sha256": digest}
        return shown


class State:
    """The platform's memory. `now` is its own clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.chats: dict[int, Chat] = {}
        self.posted: dict[tuple[int, int], Posted] = {}
        self.files: dict[str, StoredFile] = {}
        self.queue: list[Waiting] = []
        self.confirmed: list[int] = []
        self.expired: list[int] = []
        self.commands: dict[int | str, list[dict[str, Any]]] = {}
        """Lists by the chat they are for, or the kind of chats."""
        self.webhook = self.secret = ""
        self.max_connections = 40
        self.failed: tuple[int, str] | None = None
        """When bringing an update failed last (Unix seconds), and how."""
        self.kinds: frozenset[str] = frozenset()
        """Which updates the bot wants; none: all but those of `ONLY_ASKED`."""
        self.presses: set[str] = set()
        self.next_update = 700_000_001
        self.changed: Callable[[], None] = lambda: None
        self._last_message = 0
        self._last_thing = 0
        self._methods: dict[str, Callable[[Params], Any]] = {
            name.removeprefix("do_").replace("_", ""): getattr(self, name)
            for name in dir(self)
            if name.startswith("do_")
        }

    # ------------------------------------------------------------------------------------------------ the queue

    def push(self, body: Mapping[str, Any], sent_at: datetime | None = None) -> int:
        """Puts an update into the queue, whatever its body; its number. It expires 24 h after the message's date.

        What the bot did not ask for never reaches the queue, and has no number: 0.
        """
        if not all(kind in self.kinds if self.kinds else kind not in ONLY_ASKED for kind in body):
            return 0
        number = self.next_update
        self.next_update += 1
        expires = (sent_at or self.now()) + UPDATE_LIFE
        self.queue.append(Waiting(number, expires, {"update_id": number, **body}))
        self.changed()
        return number

    def ask_for(self, params: Params) -> None:
        """From here on only `allowed_updates`, which getUpdates and setWebhook may name; else it stays as it was."""
        kinds = params.structure("allowed_updates")
        if isinstance(kinds, list):
            self.kinds = frozenset(map(str, kinds))

    def take(self, offset: int, limit: int) -> list[dict[str, Any]]:
        """What getUpdates answers. Forgets all below the offset, now and not when the answer is read."""
        if offset < 0:
            self._forget(len(self.queue) + offset)
        elif 0 < offset <= self.next_update + FAR:
            self._forget(sum(1 for waiting in self.queue if waiting.update_id < offset))
        now = self.now()
        self.expired += [waiting.update_id for waiting in self.queue if waiting.expires < now]
        self.queue = [waiting for waiting in self.queue if waiting.expires >= now]
        return [waiting.raw for waiting in self.queue[:limit]]

    def _forget(self, count: int) -> None:
        count = max(0, count)
        self.confirmed += [waiting.update_id for waiting in self.queue[:count]]
        del self.queue[:count]

    # ------------------------------------------------------------------------------------------------ what it holds

    def serial(self) -> int:
        """A number never given before."""
        self._last_thing += 1
        return self._last_thing

    def keep_file(self, kind: str, suffix: str, data: bytes, size: int | None = None) -> StoredFile:
        """Stores bytes under new ids; the same bytes sent twice are two files, as on the platform."""
        number = self.serial()
        digest = hashlib.sha256(f"{kind}/{number}".encode()).hexdigest()
        stored = StoredFile(
            file_id=f"AgACAgUAAxkBAAI{digest[:60]}",
            unique_id=f"AQAD{digest[-12:]}",
            path=f"{kind}/file_{number}{suffix}",
            data=data,
            size=len(data) if size is None else size,
        )
        self.files[stored.file_id] = stored
        return stored

    def post(
        self, chat: Chat, body: Mapping[str, Any], *, by: Mapping[str, Any], files: tuple[str, ...] = ()
    ) -> Posted:
        """Writes a message into a chat. Private chats share one count of message ids, as a bot's do."""
        self._last_message += 1
        raw = {
            "message_id": self._last_message,
            "from": dict(by),
            "chat": dict(chat.raw),
            "date": int(self.now().timestamp()),
            **body,
        }
        posted = Posted(raw, by_bot=by is BOT, files=list(files))
        self.posted[chat.id, self._last_message] = posted
        return posted

    def linked_file(self, path: str) -> bytes | None:
        """The bytes behind a link while it holds."""
        for stored in self.files.values():
            if stored.path == path and stored.linked_at is not None and self.now() - stored.linked_at <= LINK_LIFE:
                return stored.data
        return None

    # ------------------------------------------------------------------------------------------------ methods

    def call(self, method: str, params: Params) -> Any:
        """Obeys a method, named in lower case. Raises ApiError."""
        if method not in self._methods:
            raise ApiError(404, "Not Found: method not found")
        return self._methods[method](params)

    def do_get_me(self, params: Params) -> Any:
        return {
            **BOT,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    def do_send_message(self, params: Params) -> Any:
        chat = self._reach(params)
        body = self._said(params.text("text"), params, "text", "entities", TEXT_LIMIT)
        return self._out(chat, {**body, **self._keyboard(params)})

    def do_send_photo(self, params: Params) -> Any:
        chat = self._reach(params)
        file_id, shown = self._photo(params, params.values.get("photo"), "photo")
        return self._out(chat, {**shown, **self._caption(params), **self._keyboard(params)}, file_id)

    def do_send_document(self, params: Params) -> Any:
        chat = self._reach(params)
        file_id, shown = self._document(params, params.values.get("document"), "document")
        return self._out(chat, {**shown, **self._caption(params), **self._keyboard(params)}, file_id)

    def do_send_media_group(self, params: Params) -> Any:
        chat = self._reach(params)
        media = params.structure("media")
        if not isinstance(media, list) or not 2 <= len(media) <= 10:
            raise ApiError(400, "Bad Request: there must be 2-10 media in the album")
        album = str(13_500_000_000_000_000 + self.serial())
        parts = []
        for each in media:
            take = {"photo": self._photo, "document": self._document}.get(each.get("type"))
            if take is None:
                raise ApiError(400, "Bad Request: can't use the media of the specified type in the album")
            file_id, shown = take(params, each.get("media"), "media")
            parts.append((file_id, {**shown, **self._caption(Params(each, {})), "media_group_id": album}))
        return [self._out(chat, body, file_id) for file_id, body in parts]

    def do_send_chat_action(self, params: Params) -> Any:
        self._reach(params)
        return True

    def do_edit_message_text(self, params: Params) -> Any:
        posted = self._to_edit(params)
        if "text" not in posted.raw:
            raise ApiError(400, "Bad Request: there is no text in the message to edit")
        return self._edit(posted, self._said(params.text("text"), params, "text", "entities", TEXT_LIMIT), params)

    def do_edit_message_caption(self, params: Params) -> Any:
        posted = self._to_edit(params)
        if "text" in posted.raw:
            raise ApiError(400, "Bad Request: there is no caption in the message to edit")
        return self._edit(posted, self._caption(params), params)

    def do_edit_message_reply_markup(self, params: Params) -> Any:
        posted = self._to_edit(params)
        same = ("text", "entities", "caption", "caption_entities")
        return self._edit(posted, {name: posted.raw[name] for name in same if name in posted.raw}, params)

    def do_delete_message(self, params: Params) -> Any:
        posted = self._find(params, "message to delete not found")
        if self.now().timestamp() - posted.raw["date"] > DELETE_LIFE.total_seconds():
            raise ApiError(400, "Bad Request: message can't be deleted for everyone")
        posted.deleted = True
        return True

    def do_answer_callback_query(self, params: Params) -> Any:
        if params.text("callback_query_id") not in self.presses:
            raise ApiError(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        if units(params.text("text")) > 200:
            raise ApiError(400, "Bad Request: MESSAGE_TOO_LONG")
        return True

    def do_set_my_commands(self, params: Params) -> Any:
        commands = params.structure("commands") or []
        if not isinstance(commands, list):
            raise ApiError(400, "Bad Request: expected an Array of BotCommand")
        for command in commands:
            if not isinstance(command, dict):
                raise ApiError(400, "Bad Request: can't parse BotCommand: expected an Object")
            if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command", "")).removeprefix("/")):
                raise ApiError(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= units(str(command.get("description", ""))) <= 256:
                raise ApiError(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        if len(commands) > 100:
            raise ApiError(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        self.commands[self._scope(params)] = commands
        return True

    def do_delete_my_commands(self, params: Params) -> Any:
        self.commands.pop(self._scope(params), None)
        return True

    def _scope(self, params: Params) -> int | str:
        """Whose list it is: a chat's, whether or not the bot is blocked there (Client.cpp, check_bot_command_scope), or many's."""
        scope = params.structure("scope") or {"type": "default"}
        kind = scope.get("type") if isinstance(scope, dict) else None
        if kind in ("default", "all_private_chats", "all_group_chats", "all_chat_administrators"):
            return str(kind)
        if kind != "chat":
            raise ApiError(400, "Bad Request: can't parse BotCommandScope: Unsupported type specified")
        chat = Params(scope, {}).chat()
        if chat not in self.chats or not self.chats[chat].met:
            raise ApiError(400, "Bad Request: chat not found")
        return chat

    def do_get_file(self, params: Params) -> Any:
        stored = self.files.get(params.text("file_id"))
        if stored is None:
            raise ApiError(400, "Bad Request: invalid file_id")
        if stored.size > FILE_LIMIT:
            raise ApiError(400, "Bad Request: file is too big")
        stored.linked_at = self.now()
        return {
            "file_id": stored.file_id,
            "file_unique_id": stored.unique_id,
            "file_size": stored.size,
            "file_path": stored.path,
        }

    def do_set_webhook(self, params: Params) -> Any:
        url = params.text("url")
        if url and not url.startswith("https://"):
            raise ApiError(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self.ask_for(params)
        self.webhook, self.secret, self.failed = url, params.text("secret_token"), None
        self.max_connections = min(max(params.number("max_connections", 40), 1), 100)
        self.changed()
        if params.text("drop_pending_updates").lower() == "true":
            self._forget(len(self.queue))
        return True

    def do_delete_webhook(self, params: Params) -> Any:
        params.values.pop("url", None)
        return self.do_set_webhook(params)

    def do_get_webhook_info(self, params: Params) -> Any:
        at, how = self.failed or (0, "")
        failed = {"last_error_date": at, "last_error_message": how} if self.failed else {}
        return {
            "url": self.webhook,
            "has_custom_certificate": False,
            "pending_update_count": len(self.queue),
            **failed,
        }

    # ------------------------------------------------------------------------------------------------ their parts

    def _reach(self, params: Params) -> Chat:
        chat = self.chats.get(params.chat() or 0)
        if not params.text("chat_id"):
            raise ApiError(400, "Bad Request: chat_id is empty")
        if chat is None:
            raise ApiError(400, "Bad Request: chat not found")
        if chat.blocked and chat.raw["type"] == "private":
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        if chat.blocked:
            raise ApiError(403, "Forbidden: bot was kicked from the group chat")
        if not chat.met:
            raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
        return chat

    def _out(self, chat: Chat, body: Mapping[str, Any], *files: str) -> dict[str, Any]:
        return dict(self.post(chat, body, by=BOT, files=files).raw)

    def _said(self, text: str, params: Params, name: str, entities: str, limit: int) -> dict[str, Any]:
        plain, found = parse(text, params.text("parse_mode"))
        found = found or params.structure(entities) or []
        if not plain:
            raise ApiError(400, "Bad Request: message text is empty")
        if units(plain) > limit:
            raise ApiError(400, "Bad Request: message is too long")
        return {name: plain, **({entities: found} if found else {})}

    def _caption(self, params: Params) -> dict[str, Any]:
        plain, found = parse(params.text("caption"), params.text("parse_mode"))
        if units(plain) > CAPTION_LIMIT:
            raise ApiError(400, "Bad Request: message caption is too long")
        body: dict[str, Any] = {"caption": plain} if plain else {}
        return {**body, "caption_entities": found} if plain and found else body

    def _keyboard(self, params: Params) -> dict[str, Any]:
        keyboard = check_keyboard(params.structure("reply_markup"))
        return {"reply_markup": keyboard} if keyboard else {}

    def _upload(self, params: Params, value: Any, name: str) -> Upload | StoredFile:
        """The file a parameter means: an upload of that name, one attached elsewhere, or one sent before."""
        if isinstance(value, str) and value.startswith("attach://"):
            name = value.removeprefix("attach://")
        elif isinstance(value, str) and value:
            if value not in self.files:
                raise ApiError(400, "Bad Request: wrong file identifier/HTTP URL specified")
            return self.files[value]
        if name not in params.uploads:
            raise ApiError(400, f"Bad Request: there is no {name} in the request")
        upload = params.uploads[name]
        if not upload.data:
            raise ApiError(400, "Bad Request: file must be non-empty")
        return upload

    def _photo(self, params: Params, value: Any, name: str) -> tuple[str, dict[str, Any]]:
        found = self._upload(params, value, name)
        stored = found if isinstance(found, StoredFile) else self.keep_file("photos", ".jpg", found.data)
        return stored.file_id, {"photo": self.photo_sizes(stored)}

    def photo_sizes(self, stored: StoredFile) -> list[dict[str, Any]]:
        """The same picture in two sizes; the last is the whole."""
        small = self.keep_file("thumbnails", ".jpg", stored.data)
        return [
            {"file_id": small.file_id, "file_unique_id": small.unique_id, "width": 90, "height": 67, "file_size": 1253},
            {
                "file_id": stored.file_id,
                "file_unique_id": stored.unique_id,
                "width": 1280,
                "height": 960,
                "file_size": stored.size,
            },
        ]

    def _document(self, params: Params, value: Any, name: str) -> tuple[str, dict[str, Any]]:
        found = self._upload(params, value, name)
        if isinstance(found, StoredFile):
            return found.file_id, {"document": self.document(found, "document", "application/octet-stream")}
        stored = self.keep_file("documents", "", found.data)
        return stored.file_id, {"document": self.document(stored, found.name, found.mime)}

    def document(self, stored: StoredFile, name: str, mime: str) -> dict[str, Any]:
        """A document as a message shows it."""
        return {
            "file_name": name,
            "mime_type": mime,
            "file_id": stored.file_id,
            "file_unique_id": stored.unique_id,
            "file_size": stored.size,
        }

    def _find(self, params: Params, missing: str) -> Posted:
        chat = self._reach(params)
        posted = self.posted.get((chat.id, params.number("message_id")))
        if posted is None or posted.deleted:
            raise ApiError(400, f"Bad Request: {missing}")
        return posted

    def _to_edit(self, params: Params) -> Posted:
        posted = self._find(params, "message to edit not found")
        if not posted.by_bot:
            raise ApiError(400, "Bad Request: message can't be edited")
        return posted

    def _edit(self, posted: Posted, body: Mapping[str, Any], params: Params) -> dict[str, Any]:
        """Puts new words and buttons in place of the old: an edit without a keyboard takes the keyboard away."""
        names = ("text", "entities", "caption", "caption_entities", "reply_markup")
        new = {**body, **self._keyboard(params)}
        if new == {name: posted.raw[name] for name in names if name in posted.raw}:
            raise ApiError(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message",
            )
        posted.history.append(str(posted.raw.get("text", posted.raw.get("caption", ""))))
        posted.raw = {key: value for key, value in posted.raw.items() if key not in names}
        posted.raw.update(new, edit_date=int(self.now().timestamp()))
        return dict(posted.raw)
