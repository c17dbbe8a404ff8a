"""Where Telegram brings its updates to, where it is not polled, and the word by which it is known there."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
CONNECTIONS = 40
"""How many updates Telegram brings at once, each of another chat; its own default."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """The public address and two words nobody can guess. Both follow from the token: nothing more is to be kept secret,
    and a new token makes the old ones worthless."""

    address: str
    path: str
    secret: str

    @classmethod
    def of(cls, token: str, address: str) -> Webhook:
        """The webhook of a bot behind `address`, such as https://trolyxa.example.vn."""
        path, secret = (hmac.digest(token.encode(), word, hashlib.sha256).hex() for word in (b"path", b"secret"))
        return cls(address, f"/telegram/{path}", secret)

    @property
    def url(self) -> str:
        """What Telegram is told."""
        return self.address + self.path
