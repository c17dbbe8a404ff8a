"""The QR code of a unit, one picture for every open channel."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from content import disk
from content.message import Media
from content.pictures import qr_png
from db import policy, units
from db.policy import Action
from handlers.dialogue import END, Again, Move
from handlers.talk import Talk
from handlers.units.picking import ARRIVED


async def _send(talk: Talk, unit_id: int) -> Move:
    await policy.check(talk.session, talk.me.id, Action.UNIT_QR, unit_id)
    if not talk.house.links:
        raise Again("units.qr_none")
    unit = await units.get(talk.session, unit_id)
    last = list(talk.house.links)[-1]
    for channel, pattern in talk.house.links.items():
        link = pattern.format(f"u-{unit.code}")
        name = await asyncio.to_thread(_draw, talk.house.files, link)
        shown = f"{unit.code}-{channel}.png"
        without = () if channel == last else ("home", "menu")
        media = [Media("photo", name, shown)]
        talk.say("units.qr", without=without, media=media, unit=unit.name, link=link, channel=channel)
    return END


def _draw(folder: Path, link: str) -> str:
    """The file with a link's picture."""
    picture = qr_png(link)
    name = f"{hashlib.sha256(picture).hexdigest()}.png"
    if not (folder / name).exists():
        disk.write(folder / name, picture)
    return name


ARRIVED["qr"] = _send
