"""Which automatic messages fall due: anniversaries become broadcasts, once per day, year and variant, whatever restarts."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from content.anniversaries import Planned, planned
from content.calendar import LOCAL, local_date
from content.campaigns import campaign_for
from content.message import to_json
from db import broadcasts, campaigns, outbox, policy, units
from db.audiences import Rule
from db.models import BroadcastState
from db.policy import Action
from db.session import Session

if TYPE_CHECKING:
    from scheduler.timetable import Work

EARLIEST = time(6, 30)
"""A day's messages are planned before its first window opens."""
WARN = timedelta(days=7)
CHECK = timedelta(days=10)
"""How long before a round ends people are asked how it is going (4-conversation §4.4)."""
CHECK_HOURS = (time(17), time(20))


async def run(work: Work) -> None:
    """Plans today's messages, warns about texts nobody has approved, asks about registrations before a round ends."""
    now = work.now()
    local = now.astimezone(LOCAL)
    async with work.database.write() as session:
        top = await units.top(session)
        if top is None:
            return
        if local.time() >= EARLIEST:
            for item in _today(work, local):
                await _start(work, session, top.id, item, now)
        await _warn(work, session, top.id, now)
        if CHECK_HOURS[0] <= local.time() < CHECK_HOURS[1] and local.weekday() != 6:
            await _check_registrations(work, session, now)
    work.said()


def _today(work: Work, local: datetime) -> list[Planned]:
    return [item for item in planned(work.packs.anniversaries, local.date(), 1) if item.approved]


async def _start(work: Work, session: Session, top: int, item: Planned, now: datetime) -> None:
    """The texts for all and for single groups of one key are one broadcast. Respectful mode drops it for good."""
    if item.audience != "all":
        return
    others = {
        p.audience: p.text
        for p in planned(work.packs.anniversaries, item.on, 1)
        if p.key == item.key and p.audience != "all"
    }
    made = await broadcasts.plan_automatic(
        session,
        key=item.key,
        topic=broadcasts.CELEBRATION,
        unit_id=top,
        audience=Rule(top).to_json() | {"texts": others},
        text=item.text,
        timing="morning" if item.variant == "t0" else "evening",
        send_at=datetime.combine(item.on, EARLIEST, LOCAL),
        year=item.year,
        now=now,
    )
    if made is not None and await broadcasts.respectful(session):
        made.state, made.finished_at = BroadcastState.CANCELLED, now
    elif made is not None and await broadcasts.may_have_gone(session, made):
        made.state = BroadcastState.HELD


async def _warn(work: Work, session: Session, top: int, now: datetime) -> None:
    """Seven days ahead the responsible people hear of texts that nobody has released; without that nothing is sent."""
    for item in planned(work.packs.anniversaries, local_date(now), WARN.days + 1):
        if item.approved or item.audience != "all":
            continue
        for action in (Action.ANSWER_REPORTS, Action.EMERGENCY_STOP):
            for person_id in await policy.anyone(session, top, action):
                message = work.words.message(
                    "anniversaries.approval_needed", day=item.on, name=item.name, n=item.ordinal, year=item.year
                )
                await outbox.tell(session, person_id, to_json(message), now=now, key=f"approve:{item.key}:{person_id}")


async def _check_registrations(work: Work, session: Session, now: datetime) -> None:
    """Once per registration, ten days before its round ends."""
    today = local_date(now)
    campaign = campaign_for(work.packs.campaigns, today)
    number = campaign.round_on(today) if campaign is not None else 0
    if campaign is None or not number:
        return
    ends = campaign.rounds[number - 1].ends_on
    if not timedelta(0) <= ends - today <= CHECK:
        return
    for row in await campaigns.list_open(session, campaign.year, number):
        message = work.words.message(
            "campaign.check",
            round=campaign.rounds[number - 1].name,
            left=(ends - today).days,
            goals="; ".join(row.goals),
            code=row.code,
        )
        await outbox.tell(session, row.person_id, to_json(message), now=now, kind="reminder", key=f"check:{row.id}")
