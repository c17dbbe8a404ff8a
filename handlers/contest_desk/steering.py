"""A round on its way: more time, a pause, called off; each with a reason that everybody who took part is told once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from content.calendar import LOCAL
from content.message import Message
from content.text import clean, letters
from content.times import parse_when
from db import contests, jobs, policy
from db.contests.rounds import RUN
from db.errors import Conflict
from db.models import Round, RoundState
from handlers.contest_desk.flow import NOTE, dialogue, named, too_late
from handlers.dialogue import END, Again, Answer, Command, Kind, Move
from handlers.talk import Talk

STEERED = (RoundState.READY, RoundState.PAUSED)


def _begin(what: str) -> Callable[[Talk, str], Awaitable[Move | None]]:
    async def begin(talk: Talk, arg: str) -> Move | None:
        """To the question why, for who may do it: nobody writes a reason for nothing."""
        round_, version, contest = await named(talk, arg)
        if what == "cancel":
            await contests.check_cancel(talk.session, round_, talk.me.id)
        else:
            await policy.check(talk.session, talk.me.id, RUN, contest.unit_id)
        if round_.version != version or round_.state not in (
            *STEERED,
            *((RoundState.DRAFT,) if what == "cancel" else ()),
        ):
            too_late(talk, round_)
            return None
        return dialogue.go("until" if what == "put_off" else "why", arg=arg, what=what)

    return begin


@dialogue.ask("until", Kind.TEXT)
async def ask_until(talk: Talk) -> Message:
    round_, _, _ = await named(talk, talk.data["arg"])
    return talk.screen("contest_desk.until", week=await contests.week_of(talk.session, round_), closes=round_.closes_at)


@dialogue.take("until")
async def take_until(talk: Talk, answer: Answer) -> Move | str:
    round_, _, _ = await named(talk, talk.data["arg"])
    until = parse_when(clean(answer.text), talk.local)
    if until is None:
        raise Again("contest_desk.until_unclear")
    if until <= round_.closes_at or until <= talk.now:
        raise Again("contest_desk.not_later", closes=round_.closes_at)
    talk.put(until=until.isoformat())
    return "why"


@dialogue.ask("why", Kind.TEXT)
async def ask_why(talk: Talk) -> Message:
    round_, _, _ = await named(talk, talk.data["arg"])
    what = talk.words(f"contest_desk.do_{talk.data['what']}", week=await contests.week_of(talk.session, round_))
    return talk.screen("contest_desk.why", what=what)


@dialogue.take("why")
async def take_why(talk: Talk, answer: Answer) -> Move | str:
    reason = clean(answer.text)
    if not NOTE[0] <= letters(reason) <= NOTE[1]:
        raise Again("contest_desk.note_length", n=letters(reason))
    talk.put(reason=reason)
    return "steer_sure"


@dialogue.ask("steer_sure")
async def ask_sure(talk: Talk) -> Message:
    """The very words that go to everybody: whoever pressed the wrong button types its "no" where the reason is asked."""
    round_, _, _ = await named(talk, talk.data["arg"])
    what, week = talk.data["what"], await contests.week_of(talk.session, round_)
    closes = datetime.fromisoformat(talk.data["until"]).astimezone(LOCAL) if what == "put_off" else round_.closes_at
    news = talk.house.words.plain(f"contest_desk.news_{what}", week=week, closes=closes, reason=talk.data["reason"])
    return talk.screen("contest_desk.sure", news=news)


@dialogue.take("steer_sure")
async def take_sure(talk: Talk, answer: Answer) -> Move | str:
    round_, version, _ = await named(talk, talk.data["arg"])
    what, reason = talk.data["what"], talk.data["reason"]
    if answer.choice == "edit":
        return "why"
    if answer.choice == "no":
        talk.say("contest_desk.nothing_done", id=round_.id)
        return END
    try:
        if what == "put_off":
            until = datetime.fromisoformat(talk.data["until"]).astimezone(LOCAL)
            if until <= talk.now:
                raise Again("contest_desk.not_later", closes=round_.closes_at)
            await contests.put_off(talk.session, round_, version, until, reason, talk.me.id, talk.now)
        elif what == "pause":
            await contests.pause(talk.session, round_, version, reason, talk.me.id, talk.now)
        else:
            await contests.cancel(talk.session, round_, version, talk.me.id, talk.now, reason=reason)
    except Conflict:
        too_late(talk, round_, typed=reason)
        return END
    await tell_all(talk, round_, what, reason)
    talk.say(
        f"contest_desk.done_{what}",
        id=round_.id,
        week=await contests.week_of(talk.session, round_),
        closes=round_.closes_at,
    )
    return END


async def resume(talk: Talk, arg: str) -> Move | None:
    """Goes on with a paused round."""
    round_, version, _ = await named(talk, arg)
    try:
        await contests.resume(talk.session, round_, version, talk.me.id, talk.now)
    except Conflict:
        too_late(talk, round_)
        return None
    await tell_all(talk, round_, "resume", "")
    talk.say(
        "contest_desk.done_resume",
        id=round_.id,
        week=await contests.week_of(talk.session, round_),
        closes=round_.closes_at,
    )
    return None


async def tell_all(talk: Talk, round_: Round, what: str, reason: str) -> None:
    """Everybody who took part hears of it once: there may be thousands, so it is a job."""
    data = {"round": round_.id, "version": round_.version, "what": what, "reason": reason}
    await jobs.add(talk.session, "round_news", data, None, talk.now)


async def drop(talk: Talk, arg: str) -> Move | None:
    """Throws a draft away."""
    round_, version, _ = await named(talk, arg)
    try:
        if round_.state != RoundState.DRAFT:
            raise Conflict("common.already")
        await contests.cancel(talk.session, round_, version, talk.me.id, talk.now)
    except Conflict:
        too_late(talk, round_)
        return None
    talk.say("contest_desk.dropped", week=await contests.week_of(talk.session, round_))
    return None


COMMANDS = (
    Command("giahanthi", _begin("put_off")),
    Command("tamdungthi", _begin("pause")),
    Command("huythi", _begin("cancel")),
    Command("molaithi", resume),
    Command("bothi", drop),
)
