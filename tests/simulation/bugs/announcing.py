"""What may go wrong before a message to many is on its way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from unittest import mock

from sqlalchemy import false, select, text, update

from db import audiences, broadcasts, people
from db.models import Broadcast, BroadcastState, BroadcastTarget, OutboxRow, TargetState
from scheduler import broadcasts as planner
from tests.simulation.bugs.registry import STEERS, Patch, bug, instead


def _begun_elsewhere(found: Callable[[Any, int], Any]) -> Patch:
    """`found` is called when a process comes to a broadcast whose planning another process had begun."""
    seen: list[tuple[Any, int]] = []

    def make(right: Any) -> Any:
        async def plan(work: Any, broadcast_id: int) -> bool:
            if (work, broadcast_id) not in seen:
                seen.append((work, broadcast_id))
                async with work.database.write() as session:
                    begun = select(OutboxRow.id).where(OutboxRow.broadcast_id == broadcast_id).limit(1)
                    if (await session.execute(begun)).first():
                        await session.execute(found(session, broadcast_id))
            return bool(await right(work, broadcast_id))

        return plan

    return instead(planner, "_plan_chunk", make)


@bug
def a_killed_planning_is_not_gone_on_with() -> Sequence[Patch]:
    return [
        _begun_elsewhere(
            lambda _, number: update(Broadcast).where(Broadcast.id == number).values(state=BroadcastState.SENDING)
        )
    ]


@bug
def a_killed_planning_begins_anew_and_no_key_holds() -> Sequence[Patch]:
    def make(right: Any) -> Any:
        async def add(session: Any, broadcast: Any, rows: Any, now: Any) -> int:
            number = int(await right(session, broadcast, rows, now))
            mine = OutboxRow.broadcast_id == broadcast.id
            await session.execute(update(OutboxRow).where(mine).values(dedup_key=None))
            return number

        return add

    all_of_it = _begun_elsewhere(
        lambda _, number: (
            update(BroadcastTarget).where(BroadcastTarget.broadcast_id == number).values(state=TargetState.FROZEN)
        )
    )
    return [all_of_it, instead(broadcasts, "add_targets", make)]


@bug
def an_anniversary_has_no_key() -> Sequence[Patch]:
    def make(right: Any) -> Any:
        async def plan(session: Any, **values: Any) -> Any:
            count = (await session.execute(text("SELECT count(*) FROM broadcasts"))).scalar_one()
            return await right(session, **values | {"key": f"{values['key']}/{count}"})

        return plan

    return [instead(broadcasts, "plan_automatic", make)]


@bug
def who_wants_no_news_is_planned() -> Sequence[Patch]:
    return [mock.patch.object(audiences, "wants_none", lambda topic: false())]


@bug
def no_more_news_leaves_what_waits() -> Sequence[Patch]:
    async def stop_news(session: Any, person: Any, now: Any) -> None:
        person.news = False

    return [mock.patch.object(people, "stop_news", stop_news)]


STEERS["no_more_news_leaves_what_waits"] = lambda plan: replace(
    plan, seconds=25.0, starts_at_hour=0.0, shares={"429": 0.3}, trouble=0.0, fates=(None,), jumps=()
)
