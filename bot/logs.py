"""Logs on standard error, without tokens: the libraries below put whole addresses into theirs."""

from __future__ import annotations

import logging
import re
import sys

TOKEN = re.compile(r"(bot)?\d{6,}:[\w-]{20,}")


class Redacting(logging.Formatter):
    """Blanks bot tokens in the finished line, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with every token replaced."""
        return TOKEN.sub("<token>", super().format(record))


def set_up(level: int = logging.INFO) -> None:
    """Sends our logs to standard error and quietens the libraries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacting("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("httpx", "httpcore", "telegram", "aiohttp", "apscheduler", "alembic", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
