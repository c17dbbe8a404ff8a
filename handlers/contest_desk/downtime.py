"""Time in which people could not reach us and that nobody gives back by itself: an officer does, or leaves it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from content.text import whole_number
from db import contests
from db.errors import Conflict, NotFound
from db.models import Downtime
from handlers.contest_desk.flow import too_late
from handlers.contest_desk.steering import tell_all
from handlers.dialogue import Command, Move
from handlers.talk import Talk


async def _named(talk: Talk, arg: str) -> Downtime:
    number = whole_number(arg.partition(".")[0])
    if number is None or number >= 10**9:
        raise NotFound("common.not_found")
    downtime = await contests.get_downtime(talk.session, number)
    if downtime.tag != arg:
        raise NotFound("common.not_found")
    return downtime


def _decide(*, extend: bool) -> Callable[[Talk, str], Awaitable[Move | None]]:
    async def decide(talk: Talk, arg: str) -> Move | None:
        """The one press that it takes; whoever took part hears of it as of any other extension."""
        downtime = await _named(talk, arg)
        round_ = await contests.get_round(talk.session, downtime.round_id)
        await contests.check_sight(talk.session, round_, talk.me.id)
        try:
            await contests.decide(talk.session, downtime, round_, extend=extend, actor_id=talk.me.id, now=talk.now)
        except Conflict:
            too_late(talk, round_)
            return None
        if extend:
            await tell_all(talk, round_, "put_off", talk.words(f"contest_desk.cause_{downtime.cause}"))
        key = "contest_desk.done_put_off" if extend else "contest_desk.done_leave"
        talk.say(key, id=round_.id, week=await contests.week_of(talk.session, round_), closes=round_.closes_at)
        return None

    return decide


COMMANDS = (Command("keodaithi", _decide(extend=True)), Command("giunguyenthi", _decide(extend=False)))
