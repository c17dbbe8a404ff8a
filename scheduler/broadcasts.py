"""Messages to many, from their hour on: who gets it and when is settled here, delivery knows nothing of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from content.announcements import announcement, with_activity
from content.calendar import day_start
from content.message import Media, to_json
from content.placeholders import count_placeholders, fill
from content.windows import hours_ahead, times_to_send
from db import activities, broadcasts, caps, contests, people, policy
from db.activities import Line
from db.broadcasts import Member
from db.models import Broadcast, BroadcastState
from db.policy import Action
from db.session import Session
from scheduler import notices, progress
from scheduler.progress import day_lasts

if TYPE_CHECKING:
    from scheduler.timetable import Work

Lines = Mapping[int | None, Line]
"""For the units of some people, the line of the nearest unit that wrote one."""
Planned = tuple[Member, datetime, datetime | None, int | None, dict[str, Any] | None]
"""A person, not before, not after, the body they share with others, or a message of their own."""


async def run(work: Work) -> None:
    """Begins what is due, plans in chunks, reports progress and the end. Killed anywhere, it goes on where it was.

    One that cannot be planned keeps nobody else's from going; its error is raised once everybody had their turn.
    """
    failed: list[Exception] = []

    async def each(ids: Sequence[int], step: Callable[[Work, int], Awaitable[object]]) -> None:
        for broadcast_id in ids:
            try:
                await step(work, broadcast_id)
            except Exception as error:
                failed.append(error)

    async with work.database.read() as session:
        unasked = await broadcasts.list_unasked(session)
        stopped = await broadcasts.stopped(session)
        untold = await broadcasts.list_untold(session, work.now())
    if unasked:
        await _ask_to_start(work)
    if untold:
        await _tell_stopped(work)
    if stopped:
        return
    async with work.database.read() as session:
        due = [b.id for b in await broadcasts.list_in(session, BroadcastState.SCHEDULED) if b.send_at <= work.now()]
    await each(due, _begin)
    async with work.database.read() as session:
        planning = [b.id for b in await broadcasts.list_in(session, BroadcastState.PLANNING)]
    await each(planning, _plan_all)
    async with work.database.read() as session:
        sending = [b.id for b in await broadcasts.list_in(session, BroadcastState.SENDING)]
        waiting = [b.id for b in await broadcasts.list_in(session, BroadcastState.HELD, BroadcastState.PAUSED)]
    await each(sending, progress.look)
    await each(waiting, _tell_waiting)
    work.said()
    if failed:
        raise failed[0]


async def _ask_to_start(work: Work) -> None:
    """After a restore that stopped everything: whoever may let it go on is asked, once each."""
    now = work.now()
    async with work.database.write() as session:
        since, unasked = await broadcasts.doubt(session), await broadcasts.list_unasked(session)
        rounds = [
            (each.opens_at, await contests.week_of(session, each)) for each in await contests.list_coming(session)
        ]
        message = work.words.message("announcing.lost_stops", since=since, rounds=rounds)
        for person_id in unasked:
            await notices.tell(session, person_id, message, now, f"lost-stops:{since}:{now}:{person_id}")
        await broadcasts.note_asked(session, unasked, now)
    work.said()


async def _tell_stopped(work: Work) -> None:
    """The author of a message whose hour passes under the emergency stop hears it once."""
    now = work.now()
    async with work.database.write() as session:
        found = await broadcasts.list_untold(session, now)
        for broadcast in found:
            assert broadcast.author_id is not None
            message = work.words.message("announcing.stopped_hour", code=broadcast.code)
            key, urgent = f"stopped:{broadcast.id}:{now}", broadcast.kind == broadcasts.URGENT
            await notices.tell(session, broadcast.author_id, message, now, key, at_once=urgent)
        await broadcasts.note_told(session, [each.id for each in found], now)
    work.said()


async def _plan_all(work: Work, broadcast_id: int) -> None:
    while await _plan_chunk(work, broadcast_id):
        work.said()


async def _begin(work: Work, broadcast_id: int) -> None:
    async with work.database.write() as session:
        broadcast = await session.get_one(Broadcast, broadcast_id)
        if broadcast.state != BroadcastState.SCHEDULED:
            return
        if broadcast.topic == broadcasts.CELEBRATION and await broadcasts.respectful(session):
            await broadcasts.drop(session, broadcast, work.now())
            return
        await broadcasts.begin(session, broadcast, work.now())


async def _tell_waiting(work: Work, broadcast_id: int) -> None:
    """Whoever can decide hears once of a message that waits though nobody asked it to; of an urgent one at any hour."""
    async with work.database.write() as session:
        broadcast = await session.get_one(Broadcast, broadcast_id)
        author = broadcast.author_id
        if broadcast.state not in (BroadcastState.HELD, BroadcastState.PAUSED):
            return
        who, why = [author] if author is not None else await broadcasts.approvers(session, broadcast), "restored"
        event = await broadcasts.last_event(session, broadcast.code)
        if author is not None and not await policy.may(session, author, Action.BROADCAST, broadcast.unit_id):
            who, why = await broadcasts.approvers(session, broadcast), "right"
        elif event is not None and event.action == "hold_broadcast":
            why = "regained"
        elif event is not None and event.action == "hold_late":
            why = "late"
        elif event is not None and event.action == "pause_broadcast":
            if event.who:
                return  # somebody pressed the button, and was answered
            why = "refused"
        message = work.words.message(
            "announcing.held_notice",
            without=("go",) if why == "right" else ("take",),
            code=broadcast.code,
            version=broadcast.version,
            why=why,
        )
        for person_id in who:
            key = f"held:{broadcast.id}:{broadcast.version}:{person_id}"
            urgent = broadcast.kind == broadcasts.URGENT
            await notices.tell(session, person_id, message, work.now(), key, at_once=urgent)


async def _plan_chunk(work: Work, broadcast_id: int) -> bool:
    """Plans the next people in one transaction. False when everybody is planned, or it was stopped meanwhile."""
    now = work.now()
    async with work.database.write() as session:
        broadcast = await session.get_one(Broadcast, broadcast_id)
        if broadcast.state != BroadcastState.PLANNING or await broadcasts.stopped(session):
            return False
        if not await broadcasts.still_allowed(session, broadcast, now):  # it may have been paused for days
            return False
        found = await broadcasts.next_members(session, broadcast, day_start(now), exempt=_on_the_day(broadcast))
        if not found:
            await broadcasts.planned(session, broadcast)
            return False
        if not _on_the_day(broadcast) and broadcast.kind in caps.RANK:
            await caps.make_room(
                session, broadcast.kind, [each.person_id for each in found if not each.reason], day_start(now), now
            )
        lines = await _activities(session, broadcast, found)
        await broadcasts.add_targets(session, broadcast, await _plan(work, session, broadcast, found, lines, now), now)
        return True


async def welcome_newcomers(work: Work) -> None:
    """Those who joined on an anniversary's day after it was planned get it too, if a window of theirs is still ahead."""
    now = work.now()
    async with work.database.read() as session:
        running = await broadcasts.list_in(session, BroadcastState.SENDING)
    for broadcast_id in [broadcast.id for broadcast in running if day_lasts(broadcast, now)]:
        async with work.database.write() as session:
            broadcast = await session.get_one(Broadcast, broadcast_id)
            if broadcast.state == BroadcastState.SENDING:
                ahead = hours_ahead(await people.list_hours(session), now)
                await broadcasts.welcome(session, broadcast, ahead)


def _on_the_day(broadcast: Broadcast) -> bool:
    """An anniversary on its own day is exempt from caps and from the Sunday rule (decisions 23)."""
    return broadcast.timing == "morning"


async def _activities(session: Session, broadcast: Broadcast, found: Sequence[Member]) -> Lines:
    """For each unit, the line with which its own people's message ends."""
    if "activity" not in broadcast.audience:
        return {}
    day, year = broadcast.audience["activity"]
    return await activities.nearest(session, {member.unit_id for member in found}, day, year)


async def _plan(
    work: Work, session: Session, broadcast: Broadcast, found: Sequence[Member], lines: Lines, now: datetime
) -> list[Planned]:
    """When each of some people gets it and what: hours and texts are few, and thought about once each."""
    known = {member.hours for member in found}
    times = times_to_send(broadcast.kind, broadcast.timing, known, broadcast.send_at, now)
    texts: dict[tuple[str, Line | None], tuple[str, int | None]] = {}
    rows: list[Planned] = []
    for member in found:
        about = (member.audience.value if member.audience is not None else "", lines.get(member.unit_id))
        if about not in texts:
            texts[about] = await _text(work, session, broadcast, *about, now)
        text, body = texts[about]
        own = None if body is not None else _payload(work, broadcast, fill(text, name=member.name, unit=member.unit))
        rows.append((member, *times[member.hours], body, own))
    return rows


async def _text(
    work: Work, session: Session, broadcast: Broadcast, group: str, own: Line | None, now: datetime
) -> tuple[str, int | None]:
    """What a group is told, and the stored body of it; None where it differs from person to person."""
    text = str(broadcast.audience.get("texts", {}).get(group, broadcast.text))
    variant = group if group in broadcast.audience.get("texts", {}) else "all"
    if own is not None:
        unit_id, unit, line = own
        text = with_activity(work.words, text, unit, line)
        variant = f"{variant}-{unit_id}"
    return text, None if count_placeholders(text) else await _body(work, session, broadcast, variant, text, now)


async def _body(work: Work, session: Session, broadcast: Broadcast, variant: str, text: str, now: datetime) -> int:
    """One stored body per variant of the text."""
    bodies = dict(broadcast.audience.get("bodies", {}))
    if variant not in bodies:
        bodies[variant] = await broadcasts.body(session, _payload(work, broadcast, text), now)
        broadcast.audience = broadcast.audience | {"bodies": bodies}
    return int(bodies[variant])


def _payload(work: Work, broadcast: Broadcast, text: str) -> dict[str, Any]:
    media, button = [Media(*item) for item in broadcast.media], broadcast.audience.get("button", ())
    return to_json(announcement(work.words, broadcast.kind, text, media, button))
