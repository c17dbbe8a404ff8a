"""A fake Telegram Bot API with the real semantics, in this process (FakeBotApi) or in its own (BotApiProcess).

Read from the real server's source (tdlib/telegram-bot-api, Client.cpp, and td's TQueue.cpp): an offset makes getUpdates
forget at once, an update lives 24 hours, a second long poll ends the first, an edit must change something.
"""

from tests.fakes.botapi.entities import ApiError
from tests.fakes.botapi.faults import Bucket, Fault, SlidingSecond
from tests.fakes.botapi.people import Button, FakePerson, Shown
from tests.fakes.botapi.remote import BotApiProcess
from tests.fakes.botapi.server import TOKEN, Call, FakeBotApi

__all__ = [
    "TOKEN",
    "ApiError",
    "BotApiProcess",
    "Bucket",
    "Button",
    "Call",
    "FakeBotApi",
    "FakePerson",
    "Fault",
    "Shown",
    "SlidingSecond",
]
