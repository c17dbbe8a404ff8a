"""When each shift may be written to: nobody is woken, and nothing comes at work (5-voice §5.4, pure)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from content.calendar import LOCAL, days_to_tet, local_date

WINDOWS: dict[str, tuple[tuple[time, time], ...]] = {
    "office": ((time(11, 30), time(13, 0)), (time(17, 0), time(20, 30))),
    "morning": ((time(14, 30), time(20, 0)),),
    "afternoon": ((time(9, 0), time(13, 0)),),
    "night": ((time(15, 30), time(20, 30)),),
    "rotating": ((time(17, 0), time(18, 30)),),
}
ANNIVERSARY_MORNING = (time(7, 0), time(7, 45))
"""The office shift's extra window on the morning of an anniversary."""
EVENING = time(17, 0)
DAYTIME = (time(7, 0), time(21, 0))
"""Outside these hours a broadcast needs a second person, and is offered a better hour (4-conversation §4.12)."""
SLEEP: dict[str, tuple[time, time]] = {
    "office": (time(21, 0), time(6, 30)),
    "morning": (time(20, 30), time(5, 0)),
    "afternoon": (time(22, 0), time(8, 30)),
    "night": (time(6, 0), time(15, 0)),
    "rotating": (time(21, 0), time(6, 30)),
}
"""When each shift sleeps: even what concerns one person alone waits until they are awake, unless they just asked."""
SUNDAY = 6


def windows(shift: str, timing: str = "window") -> tuple[tuple[time, time], ...]:
    """The windows of a day, earliest first.

    `timing` is "window" for all of them, "morning" for an anniversary's own day, or "evening" for what is left of the
    last one from 17:00 on (the afternoon shift, at work then, keeps its morning).
    """
    if timing == "evening":
        start, end = WINDOWS[shift][-1]
        return ((max(start, EVENING) if end > EVENING else start, end),)
    extra = (ANNIVERSARY_MORNING,) if timing == "morning" and shift == "office" else ()
    return (*extra, *WINDOWS[shift])


def rests(day: date, *, sundays: bool = False) -> bool:
    """Whether a day is one of rest: Tết's first three days, and Sundays unless they are allowed."""
    return (day.weekday() == SUNDAY and not sundays) or -days_to_tet(day) in range(3)


def next_slot(shift: str, moment: datetime, timing: str = "window") -> datetime:
    """The first moment from `moment` on at which a person may be written to.

    Tết's first three days are quiet, and Sundays, save for an anniversary on its own day ("morning").
    """
    local = moment.astimezone(LOCAL)
    for ahead in range(15):
        day = local.date() + timedelta(days=ahead)
        if rests(day, sundays=timing == "morning"):
            continue
        for start, end in windows(shift, timing):
            opens, closes = datetime.combine(day, start, LOCAL), datetime.combine(day, end, LOCAL)
            if local < closes:
                return max(local, opens)
    raise ValueError("there is a window within two weeks of any day")


def awake(shift: str, moment: datetime) -> datetime:
    """The first moment from `moment` on at which a person is not asleep."""
    local = moment.astimezone(LOCAL)
    begins, ends = SLEEP[shift]
    now = local.time()
    asleep = begins <= now or now < ends if begins > ends else begins <= now < ends
    if not asleep:
        return local
    day = local.date() + timedelta(days=begins > ends and now >= begins)
    return datetime.combine(day, ends, LOCAL)


def last_end(shift: str, day: date) -> datetime:
    """When the last window of a day closes: after it, what was meant for that day is missed, not late."""
    return datetime.combine(day, WINDOWS[shift][-1][1], LOCAL)


def shifts_ahead(now: datetime) -> tuple[str, ...]:
    """The shifts that still have a window today."""
    return tuple(shift for shift in WINDOWS if now < last_end(shift, local_date(now)))


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
    timing: str, shift: str, send_at: datetime, now: datetime, *, urgent: bool
) -> tuple[datetime, datetime | None]:
    """(not before, not after) for one person of a broadcast that is due: "window" is their own hours, else the same for all.

    Late is no reason to wake anybody. Only what is urgent, or was asked for at an hour of rest, goes at any hour.
    """
    start = max(now, send_at)
    if timing == "window":
        due = next_slot(shift, start)
        return due, next(datetime.combine(due.date(), end, LOCAL) for _, end in windows(shift) if due.time() < end)
    if urgent or is_quiet(send_at):
        return start, None
    due = next_daytime(start) if is_quiet(start) else start.astimezone(LOCAL)
    return due, datetime.combine(due.date(), DAYTIME[1], LOCAL)


def times_to_send(
    timing: str, send_at: datetime, now: datetime, *, urgent: bool
) -> dict[str, tuple[datetime, datetime | None]]:
    """`when_to_send` for every shift."""
    return {shift: when_to_send(timing, shift, send_at, now, urgent=urgent) for shift in WINDOWS}
