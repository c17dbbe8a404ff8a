"""Asking for the picture that confirms a contest: drawn as a job, and sent when it is there."""

from __future__ import annotations

from content.text import whole_number
from db import contests, jobs
from db.errors import NotFound
from handlers.dialogue import Command, Move
from handlers.talk import Talk


async def begin(talk: Talk, arg: str) -> Move | None:
    """Queues the picture of one's own result."""
    number = whole_number(arg)
    if number is None or number >= 10**9:
        raise NotFound("common.not_found")
    round_ = await contests.get_round(talk.session, number)
    result = await contests.find_result(talk.session, round_.id, talk.me.id)
    if result is None or result.rank is None:
        talk.say("certificate.none")
        return None
    if not talk.me.name:
        talk.say("certificate.name_first")
        return None
    await jobs.add(talk.session, "certificate", {"round": round_.id, "person": talk.me.id}, talk.account.id, talk.now)
    talk.say("certificate.drawing", week=await contests.week_of(talk.session, round_))
    return None


COMMANDS = (Command("giayxacnhan", begin),)
