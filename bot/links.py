"""Where people come in: the links of the doors, each with a place for the code that it carries."""

from __future__ import annotations

from db import house
from db.session import Session


def telegram_link(name: str) -> str:
    """By the bot's user name."""
    return f"https://t.me/{name}?start={{}}"


def web_link(address: str) -> str:
    """By the web chat's address, which ends with "/". The code stands behind the "#", which no server and no proxy's log ever
    sees: it may be an invitation's."""
    return f"{address}chat#start={{}}"


async def learned(session: Session) -> dict[str, str]:
    """What the process that led last has written down, by channel."""
    found = {}
    if name := await house.know(session, "telegram_name"):
        found["telegram"] = telegram_link(name["name"])
    if web := await house.know(session, "web_address"):
        found["webchat"] = web_link(web["address"])
    return found
