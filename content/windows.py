"""When each person may be written to: nobody is woken, and nothing comes at work (5-voice §5.4, pure).

A person's `hours` are their shift, and the span they set themselves in which nothing shall come: "office", or
"office 22:00-06:00".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from functools import cache

from content.calendar import LOCAL, days_to_tet, local_date
from content.hours import Span, from_text, length

WINDOWS: dict[str, tuple[Span, ...]] = {
    "office": ((time(11, 30), time(13, 0)), (time(17, 0), time(20, 30))),
    "morning": ((time(14, 30), time(20, 0)),),
    "afternoon": ((time(9, 0), time(13, 0)),),
    "night": ((time(15, 30), time(20, 30)),),
    "rotating": ((time(17, 0), time(18, 30)),),
}
ANNIVERSARY_MORNING = (time(7, 0), time(7, 45))
"""The office shift's extra window on the morning of an anniversary."""
EVENING = time(17, 0)
REMINDED = time(19, 0)
"""When "remind me this evening" is: after the meal, before the children sleep."""
DAYTIME = (time(7, 0), time(21, 0))
"""Outside these hours a broadcast needs a second person, and is offered a better hour (4-conversation §4.12)."""
OFFICE = (time(8), time(20))
"""When officers are asked about tomorrow, and hear what is late."""
SLEEP: dict[str, Span] = {
    "office": (time(21, 0), time(6, 30)),
    "morning": (time(20, 30), time(5, 0)),
    "afternoon": (time(22, 0), time(8, 30)),
    "night": (time(6, 0), time(15, 0)),
    "rotating": (time(21, 0), time(6, 30)),
}
"""When each shift sleeps: even what concerns one person alone waits until they are awake, unless they just asked."""
OUTER = (time(7, 0), time(22, 0))
"""Where own hours leave nothing of a shift's windows, a message may come between these."""
SHORTEST = timedelta(minutes=15)
"""What own hours leave of a window counts from this length on."""
SPARE = timedelta(hours=2)
"""What somebody should have left at least when they are reminded that a contest closes."""
SUNDAY = 6


def _parts(hours: str) -> tuple[str, Span | None]:
    """The shift and the own quiet span."""
    shift, _, quiet = hours.partition(" ")
    return shift, from_text(quiet)


@cache
def windows(hours: str, timing: str = "window") -> tuple[Span, ...]:
    """The windows of a person's day, earliest first.

    `timing` is "window" for all of them, "morning" for an anniversary's own day, or "evening" for what is left of the
    last one from 17:00 on (the afternoon shift, at work then, keeps its morning). Where own hours leave nothing of the
    shift's windows, it is the waking hours outside them; in the end what they leave of the day.
    """
    if timing == "evening":
        start, end = windows(hours)[-1]
        return ((max(start, EVENING) if end > EVENING else start, end),)
    shift, quiet = _parts(hours)
    extra = (ANNIVERSARY_MORNING,) if timing == "morning" and shift == "office" else ()
    left = shift_windows(hours) or _without(_without((OUTER,), SLEEP[shift]), quiet) or _without((OUTER,), quiet)
    return (*_without(extra, quiet), *left)


def shift_windows(hours: str) -> tuple[Span, ...]:
    """What own hours leave of the shift's windows, perhaps nothing."""
    shift, quiet = _parts(hours)
    return _without(WINDOWS[shift], quiet)


def _without(spans: Iterable[Span], closed: Span | None) -> tuple[Span, ...]:
    """What is left of some spans outside a closed one, which may go over midnight."""
    if closed is None:
        return tuple(spans)
    begins, ends = closed
    for shut, opens in ((begins, ends),) if begins < ends else ((begins, time.max), (time.min, ends)):
        cut = [piece for start, end in spans for piece in ((start, min(end, shut)), (max(start, opens), end))]
        spans = [(start, end) for start, end in cut if start < end]
    return tuple(span for span in spans if length(span) >= SHORTEST)


def rests(day: date, *, sundays: bool = False) -> bool:
    """Whether a day is one of rest: Tết's first three days, and Sundays unless they are allowed."""
    return (day.weekday() == SUNDAY and not sundays) or -days_to_tet(day) in range(3)


def next_slot(hours: str, moment: datetime, timing: str = "window", *, sundays: bool = False) -> datetime:
    """The first moment from `moment` on at which a person may be written to.

    Tết's first three days are quiet, and Sundays, save for an anniversary on its own day ("morning") and for what
    somebody asked for (`sundays`).
    """
    local = moment.astimezone(LOCAL)
    for ahead in range(15):
        day = local.date() + timedelta(days=ahead)
        if rests(day, sundays=sundays or timing == "morning"):
            continue
        for start, end in windows(hours, timing):
            opens, closes = datetime.combine(day, start, LOCAL), datetime.combine(day, end, LOCAL)
            if local < closes:
                return max(local, opens)
    raise ValueError("there is a window within two weeks of any day")


def this_evening(hours: str, moment: datetime) -> datetime:
    """When to remind somebody who asks for it "this evening": 19:00 where that is their own time, else its beginning.

    Past that hour it is tomorrow's. They asked, so a Sunday is as good as any day.
    """
    start, end = windows(hours, "evening")[0]
    hour = REMINDED if start <= REMINDED < end else start
    local = moment.astimezone(LOCAL)
    at = datetime.combine(local.date(), hour, LOCAL)
    return at if local < at else at + timedelta(days=1)


def opening_call(hours: str, opens_at: datetime) -> datetime:
    """When to tell somebody who asked for it that a contest has opened: in their next window, on a Sunday too."""
    return next_slot(hours, opens_at, sundays=True)


def closing_call(hours: str, closes_at: datetime) -> datetime:
    """When to remind somebody who asked for it that a contest closes: their last window that begins early enough before."""
    latest = (closes_at - SPARE).astimezone(LOCAL)
    for back in range(15):
        day = latest.date() - timedelta(days=back)
        begins = [at for start, _ in windows(hours) if (at := datetime.combine(day, start, LOCAL)) <= latest]
        if begins and not rests(day, sundays=True):
            return begins[-1]
    raise ValueError("there is a window within two weeks of any day")


def awake(hours: str, moment: datetime) -> datetime:
    """The first moment from `moment` on at which a person is neither asleep nor wants to be left alone."""
    local = moment.astimezone(LOCAL)
    shift, quiet = _parts(hours)
    for span in (SLEEP[shift], quiet) * 2:  # the end of one may lie in the other
        local = _after(span, local)
    return local


def asleep_for(hours: str, moment: datetime) -> float:
    """Seconds from `moment` until a person is awake, as above; 0 where they are."""
    return (awake(hours, moment) - moment).total_seconds()


def _after(span: Span | None, local: datetime) -> datetime:
    """A moment, or the end of the span it lies in."""
    if span is None:
        return local
    begins, ends = span
    now = local.time()
    inside = begins <= now or now < ends if begins > ends else begins <= now < ends
    if not inside:
        return local
    return datetime.combine(local.date() + timedelta(days=begins > ends and now >= begins), ends, LOCAL)


def last_end(hours: str, day: date) -> datetime:
    """When the last window of a day closes: after it, what was meant for that day is missed, not late."""
    return datetime.combine(day, windows(hours)[-1][1], LOCAL)


def hours_ahead(known: Collection[str], now: datetime) -> list[str]:
    """Those of some hours that still have a window today."""
    return [hours for hours in known if now < last_end(hours, local_date(now))]


def is_daytime(moment: datetime) -> bool:
    """Whether most people are awake and it is no time of rest."""
    return DAYTIME[0] <= moment.astimezone(LOCAL).time() < DAYTIME[1]


def is_quiet(moment: datetime) -> bool:
    """Whether a message that is not urgent should wait: at night, on a Sunday, on Tết's first three days."""
    return not is_daytime(moment) or rests(local_date(moment))


def next_daytime(moment: datetime) -> datetime:
    """The next good hour to offer instead: 17:00 of that day if it is still ahead, else 7:30 of the next good morning."""
    local = moment.astimezone(LOCAL)
    evening = datetime.combine(local.date(), EVENING, LOCAL)
    if local < evening and not rests(local.date()):
        return evening
    for ahead in range(1, 15):
        day = local.date() + timedelta(days=ahead)
        if not rests(day):
            return datetime.combine(day, time(7, 30), LOCAL)
    raise ValueError("no two weeks are all rest")


def when_to_send(
    kind: str, timing: str, hours: str, send_at: datetime, now: datetime
) -> tuple[datetime, datetime | None]:
    """(not before, not after) for one person of a broadcast that is due: "window" is their own hours, else the same for all.

    Late is no reason to wake anybody. Only what is urgent, or was asked for at an hour of rest, goes at any hour; and
    what is not urgent waits for the windows of somebody who wants nothing at the hour it was asked for.
    """
    start = max(now, send_at)
    if kind == "automatic":
        return next_slot(hours, start, timing), last_end(hours, local_date(send_at))
    if timing != "window":
        due, until = _same_for_all(kind, send_at, start)
        if kind == "urgent" or _after(_parts(hours)[1], due.astimezone(LOCAL)) == due:
            return due, until
    due = next_slot(hours, start)
    return due, next(datetime.combine(due.date(), end, LOCAL) for _, end in windows(hours) if due.time() < end)


def _same_for_all(kind: str, send_at: datetime, start: datetime) -> tuple[datetime, datetime | None]:
    if kind == "urgent" or is_quiet(send_at):
        return start, None
    due = next_daytime(start) if is_quiet(start) else start.astimezone(LOCAL)
    return due, datetime.combine(due.date(), DAYTIME[1], LOCAL)


def times_to_send(
    kind: str, timing: str, known: Collection[str], send_at: datetime, now: datetime
) -> dict[str, tuple[datetime, datetime | None]]:
    """`when_to_send` for everybody's hours."""
    return {hours: when_to_send(kind, timing, hours, send_at, now) for hours in known}
