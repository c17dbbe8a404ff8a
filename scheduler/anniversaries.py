"""Which automatic messages fall due: anniversaries become broadcasts, once per day, year and variant, whatever restarts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from content import cards
from content.agenda import asked_from, entries_of
from content.anniversaries import Planned, planned
from content.calendar import LOCAL, day_start, local_date
from content.campaigns import campaign_for
from content.message import Media, to_json
from content.windows import is_daytime, next_slot
from db import automatic as decisions
from db import broadcasts, campaigns, house, outbox, people, policy, units
from db.audiences import Rule
from db.automatic import Verdict
from db.models import BroadcastState, Policy
from db.policy import Action
from db.session import Session
from scheduler import automatic
from scheduler.broadcasts import welcome_newcomers

if TYPE_CHECKING:
    from scheduler.timetable import Work

log = logging.getLogger(__name__)

EARLIEST = time(6, 30)
"""A day's messages are planned before its first window opens."""
SEEN = "anniversaries_seen"
"""The newest day that was looked at, remembered so that a day on which nothing ran is shown as missed."""
LOOK_BACK = timedelta(days=31)
WARN = timedelta(days=7)
RESPONSIBLE = (Action.ANSWER_REPORTS, Action.EMERGENCY_STOP)
"""Who may do one of these hears of texts that wait for release, and of days that were missed."""
MOVEMENT = "movement"
"""The topic of reminders about the campaign (4-conversation §4.11)."""


async def run(work: Work) -> None:
    """Plans today's messages, warns about texts nobody has approved, asks about registrations before a round ends."""
    now = work.now()
    pictures = await asyncio.to_thread(draw, work, local_date(now), 2)
    async with work.database.write() as session:
        top = await units.top(session)
        if top is None:
            return
        for item in await _due(work, session, now):
            await _start(work, session, top.id, item, pictures.get(item.key, []), now)
        await automatic.ask(work, session, top.id, pictures, now)
        if is_daytime(now):
            await _warn(work, session, top.id, now)
        await _check_registrations(work, session, top.id, now)
    await welcome_newcomers(work)
    work.said()


# ---------------------------------------------------------------------------------------------------- anniversaries


async def _due(work: Work, session: Session, now: datetime) -> list[Planned]:
    """Today's approved messages, and those of days on which nobody looked: they are planned as missed, never sent."""
    local = now.astimezone(LOCAL)
    today = local.date() if local.time() >= EARLIEST else local.date() - timedelta(days=1)
    known = await house.know(session, SEEN)
    seen = date.fromisoformat(known["on"]) if known else local.date() - timedelta(days=1)
    if seen < today:
        await house.remember(session, SEEN, {"on": today.isoformat()}, now)
    first = min(max(seen + timedelta(days=1), today - LOOK_BACK), local.date())
    found = planned(work.packs.anniversaries, first, (today - first).days + 1)
    return [item for item in found if item.approved and item.audience == "all"]


def draw(work: Work, start: date, days: int) -> dict[str, list[Media]]:
    """The cards of the released messages of some days, by key. A message whose card cannot be drawn goes without it."""
    pack = work.packs.anniversaries
    found: dict[str, list[Media]] = {}
    for item in planned(pack, start, days):
        if item.approved and item.has_card:
            try:
                found[item.key] = [cards.picture(work.words, pack, item.key, work.files)]
            except Exception:
                log.exception("the card of %s could not be drawn", item.key)
    return found


async def _start(work: Work, session: Session, top: int, item: Planned, media: Sequence[Media], now: datetime) -> None:
    """The texts for all and for single groups of one key are one broadcast. Respectful mode drops it for good.

    What an officer stopped is kept as stopped; what nobody has let go, where somebody must, is looked at again. After a
    restore somebody must: what was decided may be lost, and the message may have gone.
    """
    if item.on >= local_date(now) and await decisions.is_lost(session, item.key, asked_from(item.on)):
        return
    verdict, text = await decisions.verdict(session, item.key, silence=work.silence)
    if verdict != Verdict.SEND and (verdict == Verdict.WAIT or item.on < local_date(now)):
        return
    others = {
        p.audience: f"{text or item.text}{p.text.removeprefix(item.text)}"
        for p in planned(work.packs.anniversaries, item.on, 1)
        if p.key == item.key and p.audience != "all"
    }
    made = await broadcasts.plan_automatic(
        session,
        key=item.key,
        topic=broadcasts.CELEBRATION,
        unit_id=top,
        audience=Rule(top).to_json() | {"texts": others} | _beside(item),
        text=text or item.text,
        media=[[each.kind, each.file, each.name] for each in media],
        timing=item.timing,
        send_at=datetime.combine(item.on, EARLIEST, LOCAL),
        year=item.year,
        now=now,
    )
    if made is None:
        return
    if verdict == Verdict.STOP or await broadcasts.respectful(session):
        made.state, made.finished_at = BroadcastState.CANCELLED, now
    elif item.on < local_date(now):
        await _tell_responsible(work, session, top, "anniversaries.missed", f"missed:{item.key}", item, now)


def _beside(item: Planned) -> dict[str, object]:
    """What comes with the text: a button, and the day for which units write their own line."""
    found: dict[str, object] = {}
    if item.button is not None:
        found["button"] = [item.button.label, item.button.command, item.button.arg]
    if item.activity:
        found["activity"] = [item.anniversary, item.year]
    return found


async def _warn(work: Work, session: Session, top: int, now: datetime) -> None:
    """Seven days ahead the responsible people hear once of an anniversary that nobody has released for the year."""
    for item in planned(work.packs.anniversaries, local_date(now), WARN.days + 1):
        if not (item.approved or item.left_out) and item.audience == "all":
            dedup = f"approve:{item.anniversary}:{item.year}"
            await _tell_responsible(work, session, top, "anniversaries.approval_needed", dedup, item, now)


async def _tell_responsible(
    work: Work, session: Session, top: int, key: str, dedup: str, item: Planned, now: datetime
) -> None:
    """Tells those who answer for the texts, once each, in the daytime."""
    after = 0.0 if is_daytime(now) else (next_slot("office", now) - now).total_seconds()
    message = to_json(work.words.message(key, day=item.on, name=item.name, n=item.ordinal, year=item.year))
    found = {person for action in RESPONSIBLE for person in await policy.anyone(session, top, action)}
    for person_id in sorted(found):
        await outbox.tell(session, person_id, message, now=now, key=f"{dedup}:{person_id}", after=after)


# ---------------------------------------------------------------------------------------------------- registrations


async def _check_registrations(work: Work, session: Session, top: int, now: datetime) -> None:
    """Once per registration, ten days before its round ends: each in their own hours, and within the caps.

    Nothing goes out by itself for a campaign that nobody has released (1-process §1.6). Whoever may have been asked
    between a backup and its restore is not asked again.
    """
    today = local_date(now)
    campaign = campaign_for(work.packs.campaigns, today)
    number = campaign.round_on(today) if campaign is not None else 0
    if campaign is None or not number:
        return
    ending = campaign.rounds[number - 1]
    if today < ending.asks_on or not campaign.approved:
        return
    key = f"check:{campaign.year}:{number}"
    if await decisions.is_lost(session, key, asked_from(ending.asks_on)):
        entries = entries_of(work.words, work.packs, key, ending.asks_on)
        await automatic.ask_again(work, session, top, entries[0], (), now)
        return
    verdict, _ = await decisions.verdict(session, key, silence=work.silence)
    if verdict != Verdict.SEND:
        return
    before = datetime.combine(ending.asks_on, time(), LOCAL)
    due = [hours for hours in await people.list_hours(session) if next_slot(hours, now) <= now]
    free = [hours for hours in due if not await house.is_doubtful(session, next_slot(hours, before))]
    for row in await campaigns.list_unasked(session, campaign.year, number, MOVEMENT, before, day_start(now), free):
        message = work.words.message(
            "campaign.check",
            round=ending.name,
            left=(ending.ends_on - today).days,
            goals="; ".join(row.goals),
            code=row.code,
        )
        await outbox.tell(
            session,
            row.person_id,
            to_json(message),
            now=now,
            kind="reminder",
            policy=Policy.AMO,
            key=campaigns.check_key(row),
            until=datetime.combine(ending.ends_on + timedelta(days=1), time(), LOCAL),
        )
