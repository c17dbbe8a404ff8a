"""What may go wrong between the platform and the answer, and where two decide at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from unittest import mock

from sqlalchemy import select, true, update
from sqlalchemy.exc import OperationalError

from bot.inbox import Inbox
from db import inbox, reviews
from db.models import InboxRow, InboxState
from handlers.moderation import deciding, flow
from tests.simulation.bugs.registry import STEERS, Patch, bug, instead


@bug
def acknowledged_before_it_is_stored() -> Sequence[Patch]:
    def make(right: Any) -> Any:
        async def store(self: Inbox, *args: Any) -> int:
            async def later() -> None:
                await asyncio.sleep(0.4)
                await right(self, *args)

            asyncio.get_running_loop().create_task(later())
            return len(args[2])

        return store

    return [instead(Inbox, "store", make)]


@bug
def a_repeated_update_is_new() -> Sequence[Patch]:
    def make(right: Any) -> Any:
        async def store(session: Any, channel: str, bot: str, arrivals: Any, now: Any) -> int:
            known = {ext_id for (ext_id,) in await session.execute(select(InboxRow.ext_id))}
            fresh = [replace(a, ext_id=f"{a.ext_id}#{len(known)}") if a.ext_id in known else a for a in arrivals]
            return int(await right(session, channel, bot, fresh, now))

        return store

    return [instead(inbox, "store", make)]


@bug
def the_update_is_done_in_a_second_transaction() -> Sequence[Patch]:
    def make(right: Any) -> Any:
        async def handle(self: Inbox, rows: Sequence[InboxRow]) -> None:
            await right(self, rows)
            done = update(InboxRow).where(InboxRow.id.in_([row.id for row in rows])).values(state=InboxState.DONE)
            with suppress(OperationalError):
                async with self._database.write() as session:
                    await session.execute(done)

        return handle

    async def take(session: Any, row_ids: Sequence[int], attempts: int = 0) -> set[int]:
        return set(row_ids)

    return [instead(Inbox, "_handle", make), mock.patch.object(inbox, "take", take)]


@bug
def a_chat_is_answered_in_any_order() -> Sequence[Patch]:
    async def heads(session: Any, now: Any, busy: Any, limit: int) -> Any:
        waiting = select(InboxRow).where(InboxRow.state == InboxState.NEW)
        return list((await session.execute(waiting.order_by(InboxRow.id.desc()).limit(limit))).scalars())

    return [mock.patch.object(inbox, "heads", heads)]


@bug
def a_decision_looks_at_no_version() -> Sequence[Patch]:
    def make(right: Any) -> Any:
        async def move(
            session: Any, submission: Any, actor: int, version: int, allowed: Any, *rest: Any, **values: Any
        ) -> None:
            await right(session, submission, actor, submission.version, true(), *rest, **values)

        return move

    async def fresh(talk: Any, arg: str, typed: str = "") -> Any:
        return await flow.queue.get_visible(talk.session, talk.me.id, flow.split(arg)[0])

    return [
        instead(reviews, "_move", make),
        mock.patch.object(flow, "fresh", fresh),
        mock.patch.object(deciding, "fresh", fresh),
    ]


STEERS["a_decision_looks_at_no_version"] = lambda plan: replace(
    plan, seconds=40.0, starts_at_hour=0.0, shares={}, trouble=0.0, fates=(None,), jumps=()
)
