"""When a person wants to be written to: by shift, and never in the hours they set themselves."""

from __future__ import annotations

from content.hours import LONGEST, format_span, from_text, length, parse_hours, to_text
from content.message import Message
from content.windows import awake, shift_windows, when_to_send, windows
from db import broadcasts, outbox
from db.models import Shift
from handlers.dialogue import Again, Answer, Kind, Move
from handlers.profile.flow import dialogue
from handlers.talk import Talk

HOUR = 3600


def quiet_hours(talk: Talk) -> str:
    """The hours a person wants nothing in, for reading; "" for none."""
    span = from_text(talk.me.quiet)
    return format_span(span) if span else ""


def _windows(hours: str) -> str:
    return ", ".join(format_span(window) for window in windows(hours))


@dialogue.ask("shift")
async def ask_shift(talk: Talk) -> Message:
    hours = [[talk.words(f"profile.shift_{shift.value}"), _windows(shift.value)] for shift in Shift]
    return talk.screen("profile.shift", hours=hours, quiet=quiet_hours(talk))


@dialogue.take("shift")
async def take_shift(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "quiet":
        return "quiet"
    talk.me.shift = Shift(answer.choice)
    await _move_what_waits(talk)
    if talk.me.quiet:
        _say_hours(talk)
    return "home"


@dialogue.ask("quiet", Kind.TEXT)
async def ask_quiet(talk: Talk) -> Message:
    return talk.screen("profile.quiet", without=() if talk.me.quiet else ("clear",), quiet=quiet_hours(talk))


@dialogue.take("quiet")
async def take_quiet(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "clear":
        talk.me.quiet = ""
        talk.say("profile.quiet_cleared", hours=_windows(talk.me.hours))
    else:
        talk.me.quiet = _read(answer.text)
        _say_hours(talk)
    await _move_what_waits(talk)
    return "home"


def _read(text: str) -> str:
    span = parse_hours(text)
    if span is None:
        raise Again("profile.quiet_unclear")
    if length(span) > LONGEST:
        hours = round(length(span).total_seconds() / HOUR)
        most = round(LONGEST.total_seconds() / HOUR)
        raise Again("profile.quiet_long", quiet=format_span(span), hours=hours, most=most)
    return to_text(span)


def _say_hours(talk: Talk) -> None:
    hours = talk.me.hours
    talk.say("profile.quiet_set", quiet=quiet_hours(talk), hours=_windows(hours), free=not shift_windows(hours))


async def _move_what_waits(talk: Talk) -> None:
    """What is already planned for this person follows their new hours."""
    me, now = talk.me, talk.now
    for row, broadcast in await broadcasts.waiting_for(talk.session, me.id):
        row.not_before, row.expires_at = when_to_send(
            broadcast.kind, broadcast.timing, me.hours, broadcast.send_at, now
        )
    await outbox.put_off_notices(talk.session, me.id, now, lambda due: awake(me.hours, due))
