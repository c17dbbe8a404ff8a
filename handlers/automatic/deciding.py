"""Letting an automatic message go, and keeping it from going."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from db import automatic
from db.errors import Conflict, Refused
from db.models import AutomaticMessage
from handlers.automatic.flow import is_over, row_of, show, top_of
from handlers.dialogue import Command, Move
from handlers.talk import Talk


async def _decide(talk: Talk, arg: str, act: Callable[[AutomaticMessage, int, int | None], Awaitable[None]]) -> None:
    row, version = await row_of(talk, arg)
    top = await top_of(talk)
    if not await automatic.may_stop(talk.session, row, talk.me.id, top):
        raise Refused("common.refused")
    if is_over(talk, row):
        talk.say("automatic.over")
        return
    try:
        await act(row, version, top)
    except Conflict as error:
        await talk.session.refresh(row)
        await show(talk, row, late=talk.house.words.plain(error.key))
        return
    await show(talk, row)


async def let_go(talk: Talk, arg: str) -> Move | None:
    """The button that lets it go."""

    async def act(row: AutomaticMessage, version: int, top: int | None) -> None:
        await automatic.release(talk.session, row, talk.me.id, version, top, talk.now)

    await _decide(talk, arg, act)
    return None


async def stop(talk: Talk, arg: str) -> Move | None:
    """The button that keeps it from going."""

    async def act(row: AutomaticMessage, version: int, top: int | None) -> None:
        await automatic.stop(talk.session, row, talk.me.id, version, top, talk.now)

    await _decide(talk, arg, act)
    return None


COMMANDS = (Command("guitudong", let_go), Command("dungtudong", stop))
