"""`congdoan invite`: a one-time link for the first people, born confirmed and audited."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import NoReturn

from bot.links import learned, telegram_link, web_link
from bot.opening import opened
from bot.settings import Settings
from db import roles, units
from db.models import Invitation, Role
from db.session import settled

BOT = "YOUR_BOT"


async def print_invitation(
    settings: Settings,
    role: Role,
    code: str,
    *,
    now: datetime,
    say: Callable[[str], object],
    fail: Callable[[list[str]], NoReturn],
) -> None:
    """Prints a link for every open door and the bare code; the code itself is stored only as a hash."""
    token = secrets.token_urlsafe(18)
    async with opened(settings) as database:

        async def invite() -> tuple[Invitation, dict[str, str]]:
            async with database.write() as session:
                unit = await units.find_by_code(session, code)
                if unit is None:
                    fail([f"--unit {code}: no unit has this code. Import the units first: congdoan units import FILE"])
                made = await roles.invite(session, token=token, role=role, unit_id=unit.id, invited_by=None, now=now)
                return made, await learned(session)

        invitation, links = await settled(invite)
    if not invitation.born_confirmed:
        say("There are two administrators already: one of them must confirm this one in the chat.")
    if settings.telegram_token.get_secret_value():
        say(links.get("telegram", telegram_link(BOT)).format(f"i-{token}"))
        if "telegram" not in links:
            say(f"(Put the bot's user name for {BOT}; it is known after the first `congdoan run`.)")
    if settings.webchat or not settings.telegram_token.get_secret_value():
        door = web_link(f"{settings.web_address or f'http://{settings.web_host}:{settings.web_port}'}/")
        say((door if settings.web_address else links.get("webchat", door)).format(f"i-{token}"))
    say(f"i-{token}")
