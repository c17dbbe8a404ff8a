"""The Telegram door (python-telegram-bot's types and Bot on our own HTTP layer; decisions 1)."""

from bot.channels.telegram.door import Telegram
from bot.channels.telegram.reading import lane_of
from bot.channels.telegram.writing import split

__all__ = ["Telegram", "lane_of", "split"]
