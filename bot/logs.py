"""Logs on standard error, without tokens: the libraries below put whole addresses into theirs."""

from __future__ import annotations

import logging
import sys
from types import TracebackType

from bot.settings import TOKEN


class Redacting(logging.Formatter):
    """Blanks bot tokens in the finished line, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with every token replaced."""
        return TOKEN.sub("<token>", super().format(record))


def set_up(level: int = logging.INFO) -> None:
    """Sends our logs to standard error, a last traceback too, and quietens the libraries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacting("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("httpx", "httpcore", "telegram", "aiohttp", "apscheduler", "alembic", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _last_words


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("bot").critical("ended by an error nobody expected", exc_info=(kind, error, trace))
