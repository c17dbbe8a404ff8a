"""What may go wrong with a message on its way out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from unittest import mock

from sqlalchemy import update

from bot.channels.telegram import door
from db import outbox
from db.models import OutboxRow, OutState
from scheduler.delivery import ChannelDown, RecipientGone, attempt
from scheduler.delivery.loop import Delivery
from tests.simulation.bugs.registry import STEERS, Patch, bug, instead
from tests.simulation.life import Fate
from tests.simulation.plan import HOUR, Plan


@bug
def sending_is_not_committed_before_the_request() -> Sequence[Patch]:
    """What is on its way is known in memory only, by the mark of its process."""
    flying: dict[str, set[int]] = {}

    def claim(right: Any) -> Any:
        async def claims(session: Any, channel: str, now: Any, mark: str, **kwargs: Any) -> Any:
            parcels = await right(session, channel, now, mark, **kwargs)
            rows = OutboxRow.id.in_([parcel.id for parcel in parcels])
            await session.execute(update(OutboxRow).where(rows).values(state=OutState.READY))
            mine = flying.setdefault(mark, set())
            fresh = [parcel for parcel in parcels if parcel.id not in mine]
            mine.update(parcel.id for parcel in fresh)
            return fresh

        return claims

    def settle(right: Any) -> Any:
        async def settles(session: Any, results: Any, now: Any) -> None:
            for result in results:
                flying[result.claim].discard(result.id)
                row = update(OutboxRow).where(OutboxRow.id == result.id)
                await session.execute(row.values(state=OutState.SENDING, claim=result.claim))
            await right(session, results, now)

        return settles

    return [instead(outbox, "claim", claim), instead(outbox, "settle", settle)]


def _dies_announcing(plan: Plan) -> Plan:
    return replace(plan, starts_at_hour=0.0, shares={}, trouble=0.0, fates=(Fate("bulk in flight", 2), None), jumps=())


STEERS["sending_is_not_committed_before_the_request"] = _dies_announcing


@bug
def a_doubtful_announcement_is_sent_again() -> Sequence[Patch]:
    def make(right: Any) -> Any:
        return lambda *args: right(*args)._replace(state=OutState.READY, doubtful=False)

    return [instead(attempt, "_doubtful", make)]


STEERS["a_doubtful_announcement_is_sent_again"] = lambda plan: replace(
    plan, seconds=25.0, starts_at_hour=0.0, shares={"drop_after": 0.2}, trouble=0.0, fates=(None,), jumps=()
)


def _recovered_as(state: OutState) -> Sequence[Patch]:
    async def recover(session: Any, now: Any) -> int:
        on_the_way = update(OutboxRow).where(OutboxRow.state == OutState.SENDING)
        await session.execute(on_the_way.values(state=state, finished_at=now))
        return 0

    return [mock.patch.object(outbox, "recover", recover)]


@bug
def after_a_crash_everything_on_its_way_is_sent_again() -> Sequence[Patch]:
    return _recovered_as(OutState.READY)


STEERS["after_a_crash_everything_on_its_way_is_sent_again"] = _dies_announcing


@bug
def after_a_crash_everything_on_its_way_is_forgotten() -> Sequence[Patch]:
    return _recovered_as(OutState.CANCELLED)


@bug
def after_a_crash_an_answer_on_its_way_is_left_in_doubt() -> Sequence[Patch]:
    return _recovered_as(OutState.UNKNOWN)


@bug
def what_comes_back_to_wait_ignores_a_stop() -> Sequence[Patch]:
    async def follow(session: Any, row: Any, now: Any) -> None:
        """Nothing."""

    return [mock.patch.object(outbox.sending, "_follow_stop", follow)]


STEERS["what_comes_back_to_wait_ignores_a_stop"] = lambda plan: replace(
    plan, seconds=90.0, starts_at_hour=0.0, shares={"429_late": 0.2}, trouble=0.0, fates=(None,), jumps=(), pace=3.0
)


@bug
def a_refused_answer_goes_to_the_end_of_the_line() -> Sequence[Patch]:
    def make(right: Any) -> Any:
        async def settles(session: Any, results: Any, now: Any) -> None:
            await right(session, results, now)
            again = OutboxRow.retry_at.is_not(None)
            await session.execute(update(OutboxRow).where(again).values(not_before=OutboxRow.retry_at, retry_at=None))

        return settles

    return [instead(outbox, "settle", make)]


@bug
def what_is_late_goes_at_any_hour() -> Sequence[Patch]:
    def make(right: Any) -> Any:
        async def claim(session: Any, *args: Any, **kwargs: Any) -> Any:
            await session.execute(update(OutboxRow).where(OutboxRow.expires_at.is_not(None)).values(expires_at=None))
            return await right(session, *args, **kwargs)

        return claim

    return [instead(outbox, "claim", make)]


STEERS["what_is_late_goes_at_any_hour"] = lambda plan: replace(
    plan,
    seconds=25.0,
    starts_at_hour=0.0,
    shares={},
    fates=(None, None),
    downtimes=(20.0, 0.0),
    jumps=((15.0, 10 * HOUR),),
)


@bug
def a_block_page_counts_as_a_reader_who_blocked_us() -> Sequence[Patch]:
    def make(right: Any) -> Any:
        def ours(error: Any, **kwargs: Any) -> Any:
            found = right(error, **kwargs)
            return RecipientGone("blocked") if isinstance(found, ChannelDown) else found

        return ours

    return [instead(door, "ours", make)]


STEERS["a_block_page_counts_as_a_reader_who_blocked_us"] = lambda plan: replace(
    plan, starts_at_hour=0.0, shares={"page_403": 0.05, "401": 0.02}, jumps=()
)


@bug
def a_request_waits_inside_a_transaction() -> Sequence[Patch]:
    def make(right: Any) -> Any:
        async def send(self: Delivery, *args: Any) -> None:
            async with self._database.write():
                await right(self, *args)

        return send

    return [instead(Delivery, "_send", make)]
