"""The one way out: claim what is due, send it with no transaction open, settle how it ended."""

from scheduler.delivery.errors import (
    Ambiguous,
    Channel,
    ChannelDown,
    EditGone,
    NotModified,
    RecipientGone,
    Rejected,
    RetryLater,
    SendError,
)
from scheduler.delivery.loop import FAR, REPLIES, WINDOW, Delivery, window_for
from scheduler.delivery.pacer import Pacer
from scheduler.delivery.slots import Slots

__all__ = [
    "FAR",
    "REPLIES",
    "WINDOW",
    "Ambiguous",
    "Channel",
    "ChannelDown",
    "Delivery",
    "EditGone",
    "NotModified",
    "Pacer",
    "RecipientGone",
    "Rejected",
    "RetryLater",
    "SendError",
    "Slots",
    "window_for",
]
