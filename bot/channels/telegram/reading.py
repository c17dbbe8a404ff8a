"""What comes from Telegram in our form. Its JSON is read as it is: PTB would make objects of all that it holds, which takes
longer than answering it from the database, and takes anything for an id or a text.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from handlers.dialogue import File, Incoming

Part = dict[str, Any]


def read_update(raw: Any, channel: str, received_at: datetime) -> Incoming | None:
    """Our form of one update; None for what nobody needs an answer to. Raises ValueError for what cannot be read.

    {"update_id": 7, "message": {"message_id": 3, "date": 1753437300, "chat": {"id": 42, "type": "private"},
     "from": {"id": 42, "is_bot": false, "first_name": "A"}, "text": "menu"}}
    {"update_id": 8, "callback_query": {"id": "1", "from": {"id": 42, …}, "message": {…}, "data": "c:menu:"}}
    {"update_id": 9, "my_chat_member": {"chat": {"id": 42, "type": "private"}, "new_chat_member": {"status": "kicked", …}, …}}
    """
    if not isinstance(raw, dict):
        raise ValueError("not an update")
    if (press := _part(raw, "callback_query")) is not None:
        under = _part(press, "message")
        if under is not None and _kind(under) != "private":
            return None
        return Incoming(channel, _address(_needed(press, "from").get("id")), received_at, choice=_word(press, "data"))
    if (change := _part(raw, "my_chat_member")) is not None:
        if _kind(change) == "private" and _word(_needed(change, "new_chat_member"), "status") in ("kicked", "left"):
            return Incoming(channel, _address(_needed(change, "chat").get("id")), received_at, place="gone")
        return None
    edited = _part(raw, "edited_message")
    message = _part(raw, "message") or edited
    if message is None:
        return None
    address = _address(_needed(message, "chat").get("id"))
    if _kind(message) != "private":
        return Incoming(channel, address, received_at, place="group") if _meant(message) else None
    return Incoming(
        channel,
        address,
        received_at,
        text=_word(message, "text") or _word(message, "caption"),
        files=_files(message),
        group=_word(message, "media_group_id"),
        place="edited" if edited is not None else "private",
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


def _part(whole: Part, name: str) -> Part | None:
    """An object where one may stand. Raises ValueError for what is none, which would fail in odd places further in."""
    found = whole.get(name)
    if found is not None and not isinstance(found, dict):
        raise ValueError(f"{name} is no object")
    return found


def _needed(whole: Part, name: str) -> Part:
    found = _part(whole, name)
    if found is None:
        raise ValueError(f"no {name}")
    return found


def _word(part: Part, name: str) -> str:
    """A text where one may stand. Raises ValueError for what is none."""
    found = part.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise ValueError(f"{name} is no text")
    return found


def _kind(part: Part) -> str:
    """Of what kind its chat is: private, group, supergroup or channel."""
    return _word(_needed(part, "chat"), "type")


def _size(given: Any) -> int:
    if given is None:
        return 0
    if type(given) is not int or given not in NUMBERS:
        raise ValueError("not a size")
    return given


def _meant(message: Part) -> bool:
    """Whether something said in a group is meant for the bot: a command, or its being added."""
    return _word(message, "text").startswith("/") or bool(message.get("new_chat_members"))


def _file(kind: str, found: Part) -> File:
    ref, unique = _word(found, "file_id"), _word(found, "file_unique_id")
    if not ref or not unique:
        raise ValueError("a file without its names")
    return File(kind, ref, unique, _word(found, "file_name"), _size(found.get("file_size")))


def _files(message: Part) -> tuple[File, ...]:
    if sizes := message.get("photo"):
        if not isinstance(sizes, list) or not isinstance(sizes[-1], dict):
            raise ValueError("photo is no list of sizes")
        return (_file("photo", sizes[-1]),)
    if (video := _part(message, "video")) is not None:
        return (_file("video", video),)
    if (document := _part(message, "document")) is not None:
        kind = "photo" if _word(document, "mime_type").startswith("image/") else "document"
        return (_file(kind, document),)
    if any(message.get(kind) is not None for kind in ("voice", "audio", "video_note")):
        return (File("voice", "", ""),)
    if message.get("sticker") is not None:
        return (File("sticker", "", ""),)
    if not message.get("text"):
        return (File("other", "", ""),)
    return ()
