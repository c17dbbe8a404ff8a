"""What delivery needs of a door, and how a message can fail to arrive (promises §1.5)."""

from __future__ import annotations

from typing import Protocol

from content.message import Message
from db.models import Lane


class SendError(Exception):
    """A message that did not simply arrive."""


class RetryLater(SendError):
    """Certainly not delivered; try again after `after` seconds. `pause` when the platform asked everybody to wait."""

    def __init__(self, after: float, *, pause: bool = False, reason: str = "") -> None:
        super().__init__(reason or f"again after {after:g} s")
        self.after = after
        self.pause = pause


class ChannelDown(RetryLater):
    """The platform does not know us, or a block page answered: nothing is sent until it does; no recipient is burnt."""


class RecipientGone(SendError):
    """The person blocked us or is not there: not delivered, and not tried again until they write."""


class Rejected(SendError):
    """The platform will never take this message; `reason` is its own word."""


class NotModified(SendError):
    """An edit that changes nothing: as good as sent."""


class EditGone(SendError):
    """The message to edit is not there any more: send it anew."""


class Ambiguous(SendError):
    """The connection broke after the request left: delivered or not, nobody can know."""


class Channel(Protocol):
    """A door. `send` returns the platform's id of the message."""

    name: str
    can_edit: bool

    async def send(self, address: str, message: Message, *, edits: str, lane: Lane) -> str: ...
