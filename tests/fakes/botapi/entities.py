"""What Telegram accepts as text: its HTML, lengths in UTF-16 units, and inline keyboards."""

from __future__ import annotations

import html
import re
from typing import Any

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
DATA_LIMIT = 64
"""UTF-16 units of text after its entities are parsed; bytes of a button's data (Bot API)."""
BUTTON_LIMIT = 100

TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
TAG = re.compile(
    r"<(?P<end>/)?(?P<name>[^\s>/]*)(?P<rest>(?:\s+[\w-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>\"']+))?)*)\s*/?>"
)
ATTRIBUTE = re.compile(r"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))")
CHARACTER = re.compile(r"&(?:lt|gt|amp|quot|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});")


class ApiError(Exception):
    """A refusal in the platform's own words."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def units(text: str) -> int:
    """The length as Telegram counts it: UTF-16 units, so that an emoji is two."""
    return len(text.encode("utf-16-le")) // 2


def parse(text: str, mode: str) -> tuple[str, list[dict[str, Any]]]:
    """The plain text and its entities, trimmed as the platform trims. Raises ApiError."""
    if mode not in ("", "HTML", "html"):
        raise ApiError(400, "Bad Request: unsupported parse_mode")
    plain, entities = _parse_html(text) if mode else (text, [])
    lead = units(plain) - units(plain.lstrip())
    plain = plain.strip()
    kept = []
    for entity in entities:
        start = max(0, entity["offset"] - lead)
        stop = min(units(plain), entity["offset"] - lead + entity["length"])
        if stop > start:
            kept.append({**entity, "offset": start, "length": stop - start})
    # Of two over the same words the outer comes first; it was closed last.
    return plain, sorted(reversed(kept), key=lambda entity: (entity["offset"], -entity["length"]))


def _parse_html(source: str) -> tuple[str, list[dict[str, Any]]]:
    plain = ""
    entities: list[dict[str, Any]] = []
    stack: list[tuple[str, int, dict[str, Any]]] = []
    at = 0
    while at < len(source):
        if source[at] == "&" and (found := CHARACTER.match(source, at)):
            plain += html.unescape(found[0])
            at = found.end()
            continue
        if source[at] != "<":
            plain += source[at]
            at += 1
            continue
        offset = len(source[:at].encode())
        tag = TAG.match(source, at)
        if tag is None:
            name = re.match(r"[^\s>]*", source[at + 1 :])
            word = name[0].lower() if name else ""
            if word in TAGS:
                raise _bad(f'Unclosed start tag "{word}" at byte offset {offset}')
            raise _bad(f'Unsupported start tag "{word}" at byte offset {offset}')
        at = tag.end()
        name_ = tag["name"].lower()
        if tag["end"]:
            if not stack:
                raise _bad(f"Unexpected end tag at byte offset {offset}")
            opened, start, entity = stack.pop()
            if name_ and name_ != opened:
                raise _bad(f'Unmatched end tag at byte offset {offset}, expected "</{opened}>", found "</{name_}>"')
            if entity and units(plain) > start:
                entities.append({**entity, "offset": start, "length": units(plain) - start})
        else:
            stack.append((name_, units(plain), _entity(name_, tag["rest"], offset)))
    if stack:
        raise _bad(f'Can\'t find end tag corresponding to start tag "{stack[-1][0]}"')
    return plain, entities


def _entity(name: str, rest: str, offset: int) -> dict[str, Any]:
    if name not in TAGS:
        raise _bad(f'Unsupported start tag "{name}" at byte offset {offset}')
    attributes = {key.lower(): html.unescape(a or b or c) for key, a, b, c in ATTRIBUTE.findall(rest)}
    kind = TAGS[name]
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise _bad(f'Tag "span" must have class "tg-spoiler" at byte offset {offset}')
    if kind == "text_link":
        url = attributes.get("href", "")
        # A link that is none loses its entity and keeps its text, without a word.
        return {"type": kind, "url": url} if re.match(r"(https?|tg|tel|mailto):", url) else {}
    if kind == "custom_emoji":
        return {"type": kind, "custom_emoji_id": attributes.get("emoji-id", "")}
    return {"type": kind}


def _bad(reason: str) -> ApiError:
    return ApiError(400, f"Bad Request: can't parse entities: {reason}")


def check_keyboard(markup: Any) -> dict[str, Any] | None:
    """An inline keyboard as the message will show it, None for other markups or none. Raises ApiError."""
    if not isinstance(markup, dict):
        if markup in (None, ""):
            return None
        raise ApiError(400, "Bad Request: object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if rows is None:
        return None
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ApiError(
            400, 'Bad Request: field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays'
        )
    for row in rows:
        for button in row:
            _check_button(button)
    if sum(map(len, rows)) > BUTTON_LIMIT:
        raise ApiError(400, "Bad Request: reply markup is too long")
    shown = [row for row in rows if row]
    return {"inline_keyboard": shown} if shown else None


def _check_button(button: Any) -> None:
    if not isinstance(button, dict) or not str(button.get("text", "")).strip():
        raise ApiError(400, "Bad Request: can't parse inline keyboard button: Can't find field \"text\"")
    if "callback_data" in button:
        if not 1 <= len(str(button["callback_data"]).encode()) <= DATA_LIMIT:
            raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")
    elif not {"url", "web_app", "copy_text", "switch_inline_query"} & set(button):
        raise ApiError(
            400,
            "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        )
