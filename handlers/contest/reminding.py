"""To be reminded: once when a round opens, the next one perhaps, or once before it closes, in the person's own hours."""

from __future__ import annotations

from datetime import datetime

from content.windows import closing_call, opening_call
from db import contests
from db.models import EntryState, ReminderKind, Round
from handlers.contest.flow import PAST, Phase, coming, dialogue, excluded, organises, phase, visible_round
from handlers.dialogue import Command, Move
from handlers.talk import Talk


async def _next(talk: Talk, round_: Round) -> Round:
    """Of which round somebody would be reminded: behind one that is past, the next that is approved; itself where none is."""
    return await coming(talk) or round_ if phase(round_, talk.now) in PAST else round_


def _when(talk: Talk, round_: Round) -> tuple[ReminderKind, datetime] | None:
    """What somebody may be reminded of now, and when that would be, if that is known; None where there is nothing ahead."""
    where = phase(round_, talk.now)
    if where in PAST:
        return ReminderKind.NEXT, talk.now
    if where == Phase.AHEAD or (where == Phase.PAUSED and talk.now < round_.opens_at):
        at = opening_call(talk.me.hours, round_.opens_at)
        return (ReminderKind.OPENS, at) if at < round_.closes_at else None
    at = closing_call(talk.me.hours, round_.closes_at)
    return (ReminderKind.CLOSES, at) if at > talk.now or where == Phase.PAUSED else None


async def is_offered(talk: Talk, past: Round) -> bool:
    """Whether this person may ask to be reminded: they can take part, have not sat their paper and did not ask before."""
    round_ = await _next(talk, past)
    when = _when(talk, round_)
    if when is None or await organises(talk, round_):
        return False
    if when[0] == ReminderKind.NEXT:
        return not await contests.has_wish(talk.session, talk.me.id)
    if await _sat(talk, round_) or await excluded(talk, round_) is not None:
        return False
    return not await contests.has_reminder(talk.session, round_.id, talk.me.id, when[0])


async def _sat(talk: Talk, round_: Round) -> bool:
    own = await contests.list_own(talk.session, talk.me.id, round_.id)
    return any(each.state != EntryState.RETURNED for each in own)


async def remind(talk: Talk, arg: str) -> Move | None:
    """Writes down the wish, and says when it will be."""
    named = await visible_round(talk, arg)
    if named is None:
        return dialogue.go("home")
    round_ = await _next(talk, named)
    when = _when(talk, round_)
    if when is None or await organises(talk, round_):
        return dialogue.go("home")
    if when[0] == ReminderKind.NEXT:
        if not await contests.has_wish(talk.session, talk.me.id):
            await contests.ask_reminder(talk.session, round_.id, talk.me.id, ReminderKind.NEXT, talk.now)
        talk.say("contest.reminded_next")
        return None
    if await excluded(talk, round_) is not None:
        return dialogue.go("home")
    if await _sat(talk, round_):
        talk.say("contest.reminded_needless")
        return None
    kind, at = when
    await contests.ask_reminder(talk.session, round_.id, talk.me.id, kind, talk.now)
    key = "paused" if phase(round_, talk.now) == Phase.PAUSED else kind.value
    talk.say(f"contest.reminded_{key}", week=await contests.week_of(talk.session, round_), at=at)
    return None


COMMANDS = (Command("nhacthi", remind),)
