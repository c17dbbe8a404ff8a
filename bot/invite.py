"""`congdoan invite`: a one-time link for the first people, born confirmed and audited."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import NoReturn

from bot.settings import Settings
from db import house, migrate, roles, units
from db.models import Role
from db.session import Database


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
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database)
    try:
        await migrate.upgrade(database)
        token = secrets.token_urlsafe(18)
        async with database.write() as session:
            unit = await units.find_by_code(session, code)
            if unit is None:
                fail([f"--unit {code}: no unit has this code. Import the units first: congdoan units import FILE"])
            await roles.invite(session, token=token, role=role, unit_id=unit.id, invited_by=None, now=now)
            known = await house.know(session, "telegram_name")
    finally:
        await database.close()
    if settings.telegram_token.get_secret_value():
        name = known["name"] if known else "<bot>"
        say(f"https://t.me/{name}?start=i-{token}")
    if settings.webchat or not settings.telegram_token.get_secret_value():
        say(f"http://{settings.web_host}:{settings.web_port}/?start=i-{token}")
    say(f"i-{token}")
