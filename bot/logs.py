"""Logs on standard error, for people or as JSON: ids and places, never what somebody wrote, is called or keeps secret."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from bot.settings import TOKEN

PHONE = re.compile(r"(?<![\d.:-])(?:\+?84|0)[235789](?:[ .]?\d){8}(?!\d)")
"""A Vietnamese phone number; ids of ours and of the platforms do not begin with a zero."""
Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def redacted(text: str) -> str:
    """A line without tokens and phone numbers, should one have slipped in."""
    return PHONE.sub("<phone>", TOKEN.sub("<token>", text))


class Redacting(logging.Formatter):
    """One line of text, and below it where an exception was raised."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with every token and phone number replaced."""
        _shorten(record)
        return redacted(super().format(record))

    def formatException(self, ei: Raised) -> str:
        """The places and kinds of an exception and of those that led to it."""
        return told(ei[1])


class Json(logging.Formatter):
    """One object a line. `where` is the same for the same event, whatever the ids in `message`."""

    def format(self, record: logging.LogRecord) -> str:
        """The object."""
        _shorten(record)
        found: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "where": f"{record.filename}:{record.lineno}",
            "message": redacted(record.getMessage()),
        }
        if record.exc_info and record.exc_info[1] is not None:
            found["exception"] = redacted(told(record.exc_info[1]))
        return json.dumps(found, ensure_ascii=False)


def _shorten(record: logging.LogRecord) -> None:
    """asyncio describes the task that failed, with all that its exception says, below the first line."""
    if record.name == "asyncio":
        record.msg, record.args = record.getMessage().partition("\n")[0], None


def told(error: BaseException | None) -> str:
    """Where an exception came from and what kind it is. Its own words may quote what a person wrote, so most are left out."""
    parts: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        places = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
        parts.append(f"{places}{type(error).__module__}.{type(error).__qualname__}{_reason(error)}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n-- while handling, or because of:\n".join(parts)


def _reason(error: BaseException) -> str:
    """What the operating system or the database says of itself holds nothing of anybody."""
    if isinstance(error, OSError) and error.strerror:
        return f": {error.strerror}"
    own = getattr(error, "orig", error)
    name = getattr(own, "sqlite_errorname", None) or getattr(own, "sqlstate", None)
    return f": {name}" if isinstance(name, str) else ""


class Handler(logging.StreamHandler[Any]):
    """Standard error; a line that cannot be made is said to be so, and its arguments are not printed as logging would."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Says where."""
        sys.stderr.write(f"a line of the log could not be written: {record.filename}:{record.lineno}\n")


def set_up(form: str = "text", level: int = logging.INFO) -> None:
    """Sends our logs to standard error, a last traceback too, and quietens the libraries."""
    handler = Handler(sys.stderr)
    handler.setFormatter(Json() if form == "json" else Redacting("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("httpx", "httpcore", "telegram", "aiohttp", "apscheduler", "alembic", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _last_words


def catch_the_rest() -> None:
    """For the process that runs for long: what dies in a thread or a destructor is told in the same way."""
    threading.excepthook = lambda args: _thread_died(args.exc_value)
    sys.unraisablehook = lambda found: _thread_died(found.exc_value)


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("bot").critical("ended by an error nobody expected", exc_info=(kind, error, trace))


def _thread_died(error: BaseException | None) -> None:
    if error is not None:
        logging.getLogger("bot").error("an error outside of everything", exc_info=error)
