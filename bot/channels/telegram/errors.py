"""Telegram's refusals and failures as ours, each kind by the table of promises §1.5."""

from __future__ import annotations

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.channels.telegram.request import TooLarge
from bot.channels.telegram.wire import NotSent
from scheduler.delivery import (
    Ambiguous,
    ChannelDown,
    EditGone,
    NotModified,
    RecipientGone,
    Rejected,
    RetryLater,
    SendError,
)

NOT_SENT_PAUSE = 5.0
DOWN_PAUSE = 30.0
BARE_429_PAUSE = 30.0
"""Seconds to wait after a 429 that does not say how long (promises §1.5)."""


def ours(error: TelegramError, *, fetching: bool = False) -> SendError:
    """What a failure means for the message. While `fetching`, doubt is no harm: it is simply tried again."""
    text = error.message.lower()
    if isinstance(error, RetryAfter):
        after = error.retry_after
        return RetryLater(float(after if isinstance(after, int) else after.total_seconds()), pause=True, reason="429")
    if isinstance(error, Forbidden):
        return RecipientGone("blocked")
    if isinstance(error, ChatMigrated):
        return Rejected("the chat became a supergroup")
    if isinstance(error, BadRequest):
        if "not modified" in text:
            return NotModified("not modified")
        if "message to edit not found" in text or "message can't be edited" in text:
            return EditGone("edit gone")
        if "chat not found" in text or "user is deactivated" in text:
            return RecipientGone("chat not found")
        return Rejected(error.message[:200])
    if isinstance(error, InvalidToken):
        return ChannelDown(DOWN_PAUSE, reason="the token is refused, or a block page answers in Telegram's place")
    if isinstance(error, NotSent):
        return RetryLater(NOT_SENT_PAUSE, reason="no connection")
    if "too many requests" in text:
        return RetryLater(BARE_429_PAUSE, pause=True, reason="429 without a time")
    if fetching and isinstance(error, TooLarge):
        return Rejected("larger than 20 MB")
    if fetching:
        return RetryLater(NOT_SENT_PAUSE, reason=type(error).__name__)
    if isinstance(error, NetworkError):
        return Ambiguous(type(error).__name__)
    return Rejected(error.message[:200])
