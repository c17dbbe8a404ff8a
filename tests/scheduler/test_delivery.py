"""Delivery on a clock of its own: who goes first, how fast, and how every outcome ends."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, insert, select, update
from sqlalchemy.exc import OperationalError

from content.calendar import LOCAL
from content.message import Message, to_json
from db import accounts, broadcasts, outbox, units
from db.models import Account, Broadcast, BroadcastState, Lane, OutboxRow, OutState, Policy, Reach, Role
from db.outbox.sending import MANY, SPARE
from db.session import Session
from scheduler.delivery import (
    WINDOW,
    Ambiguous,
    ChannelDown,
    Delivery,
    EditGone,
    NotModified,
    RecipientGone,
    Rejected,
    RetryLater,
    Slots,
)
from scheduler.delivery.loop import GIVES_WAY
from tests.fakes.channel import ScriptedChannel, VirtualTime
from tests.people import START, World

ALL = outbox.Ask(tuple(Lane), 5)


class Post:
    """A delivery with its scripted channel and virtual time."""

    def __init__(self, world: World, rate: float = 29.5, *, can_edit: bool = True) -> None:
        self.world = world
        self.rate = rate
        self.time = VirtualTime(START, lambda: world.database.open)
        self.channel = ScriptedChannel(self.time, can_edit=can_edit)
        self.answering: Callable[[], bool] = lambda: False
        self.may: Callable[[], bool] = lambda: True
        self.trusted: Callable[[], bool] = lambda: True
        self.slots = Slots()
        self.delivery = self.fresh()

    def fresh(self, channel: ScriptedChannel | None = None) -> Delivery:
        return Delivery(
            self.world.database,
            channel or self.channel,
            rate=self.rate,
            now=self.time.now,
            monotonic=self.time.monotonic,
            sleep=self.time.sleep,
            mark="m",
            may=lambda: self.may(),
            trusted=lambda: self.trusted(),
            answering=lambda: self.answering(),
            slots=self.slots,
        )

    async def put(self, address: str, text: str, **how: object) -> int:
        async with self.world.database.write() as session:
            account = (await accounts.enter(session, "scripted", address, self.time.now())).account
            row_id = await outbox.put(session, account, to_json(Message(text)), now=self.time.now(), **how)  # type: ignore[arg-type]
        self.delivery.wake()
        return row_id

    async def states(self) -> dict[str, OutState]:
        async with self.world.database.read() as session:
            rows = (await session.execute(select(OutboxRow.address, OutboxRow.state))).all()
        return dict((address, state) for address, state in rows)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.delivery = self.fresh()
        task = asyncio.create_task(self.delivery.run())
        try:
            yield
        finally:
            await self.delivery.stop()
            await task

    async def under_way(self) -> bool:
        query = select(OutboxRow.id).where(OutboxRow.state.in_((OutState.READY, OutState.SENDING))).limit(1)
        async with self.world.database.read() as session:
            return (await session.execute(query)).first() is not None

    async def settle(self, limit: float = 600) -> None:
        async with self.running():
            while await self.under_way():
                moment = self.time.elapsed + 1.0
                await self.time.run(lambda: self.time.elapsed >= moment, limit)  # noqa: B023


async def test_messages_leave_evenly_and_never_in_a_burst(world: World) -> None:
    post = Post(world, rate=20)
    for n in range(40):
        await post.put(f"p{n}", "x", lane=Lane.BULK, policy=Policy.AMO)
    await post.settle()
    times = sorted(moment for moment, *_ in post.channel.sent)
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert min(gaps) >= 0.05 - 1e-9
    assert times[-1] - times[0] <= 40 / 20 * 1.1


@pytest.mark.parametrize(("takes", "slow"), [(0.3, 0.3), (0.06, 2.0)])
async def test_the_pace_is_kept_far_from_the_platform_and_one_slow_answer_puts_no_more_in_doubt(
    world: World, takes: float, slow: float
) -> None:
    post = Post(world)
    most, sleep = 0, post.time.sleep

    async def uneven(seconds: float) -> None:
        nonlocal most
        most = max(most, len(post.delivery._flying))  # what a crash would leave in doubt
        await sleep(slow if seconds == takes and len(post.channel.sent) % 10 == 0 else seconds)

    post.channel._takes, post.time.sleep = takes, uneven  # type: ignore[method-assign]
    for n in range(150):
        await post.put(f"p{n}", "x", lane=Lane.BULK, policy=Policy.AMO)
    await post.settle()
    times = sorted(moment for moment, *_ in post.channel.sent)
    if takes == slow:
        assert times[-1] - times[50] <= 99 / 29.5 * 1.02, "from when it knows how far the platform is"
    assert most <= (WINDOW if takes < 0.1 else 18)


async def test_replies_overtake_a_queue_of_bulk(world: World) -> None:
    post = Post(world, rate=10)
    for n in range(50):
        await post.put(f"bulk{n}", "bulk", lane=Lane.BULK, policy=Policy.AMO)
    for n in range(3):
        await post.put(f"reply{n}", "reply", lane=Lane.REPLY)
    await post.settle()
    order = [address for _, address, _, _ in sorted(post.channel.sent)]
    assert {"reply0", "reply1", "reply2"} == set(order[:3])


@pytest.mark.parametrize(("rate", "waits"), [(500, True), (50, False)])
async def test_many_announcements_give_way_while_somebody_is_answered_but_not_for_long(
    world: World, rate: float, waits: bool
) -> None:
    post = Post(world, rate=rate)
    asked: list[float] = []

    def answering() -> bool:
        asked.append(post.time.elapsed)
        return True

    post.answering = answering
    for n in range(20):
        await post.put(f"bulk{n}", "bulk", lane=Lane.BULK, policy=Policy.AMO)
    await post.settle()
    first = min(moment for moment, *_ in post.channel.sent)
    assert (first - asked[0] >= GIVES_WAY) if waits else not asked
    assert first < GIVES_WAY * 2 and set((await post.states()).values()) == {OutState.SENT}


async def test_a_reply_leaves_at_once_and_announcements_make_room_for_it(world: World) -> None:
    post = Post(world, rate=10)
    for n in range(60):
        await post.put(f"bulk{n}", "bulk", lane=Lane.BULK, policy=Policy.AMO)
    asked = {}
    async with post.running():
        for n in range(4):
            await post.time.run(lambda n=n: len(post.channel.sent) >= 10 * (n + 1), 60)  # type: ignore[misc]
            asked[f"reply{n}"] = post.time.elapsed
            await post.put(f"reply{n}", "reply")
        await post.time.run(lambda: len(post.channel.arrived) == 64, 60)
    left = {address: moment for moment, address, *_ in post.channel.sent}
    assert all(left[address] == moment for address, moment in asked.items())
    times = sorted(left.values())
    assert times[-1] - times[0] >= 63 / 10 - 0.1, "replies come out of the same pace"
    assert min(b - a for a, b in itertools.pairwise(sorted(left[f"bulk{n}"] for n in range(60)))) >= 0.1 - 1e-9


async def test_once_a_reply_is_refused_for_speed_replies_keep_to_the_pace_too(world: World) -> None:
    post = Post(world, rate=10)
    post.channel.script = lambda address, n: RetryLater(2, pause=True) if address == "a" and n == 1 else None
    await post.put("a", "x")
    async with post.running():
        await post.time.run(lambda: ("a", "x") in post.channel.arrived, 10)
        for n in range(5):
            await post.put(f"b{n}", "x")
        await post.time.run(lambda: len(post.channel.arrived) == 6, 10)
        times = sorted(moment for moment, address, *_ in post.channel.sent if address != "a")
        assert min(b - a for a, b in itertools.pairwise(times)) >= 0.1 - 1e-9
        await post.time.run(lambda: post.time.elapsed > 70, 100)
        for n in range(5):
            await post.put(f"c{n}", "x")
        await post.time.run(lambda: len(post.channel.arrived) == 11, 100)
    assert len({moment for moment, address, *_ in post.channel.sent if address[0] == "c"}) == 1


async def test_what_has_landed_is_written_with_the_next_claim(world: World) -> None:
    post = Post(world, rate=25)
    commits = 0

    def count(_: object) -> None:
        nonlocal commits
        commits += 1

    for n in range(100):
        await post.put(f"p{n}", "x", lane=Lane.BULK, policy=Policy.AMO)
    event.listen(world.database.engine.sync_engine, "commit", count)
    await post.settle()
    assert set((await post.states()).values()) == {OutState.SENT}
    assert commits <= 60, "one commit for what goes and what came back, and some looks at nothing"


@pytest.mark.parametrize(
    ("error", "policy", "expected"),
    [
        (RecipientGone("blocked"), Policy.AMO, OutState.FAILED),
        (Rejected("bad"), Policy.AMO, OutState.FAILED),
        (Ambiguous("reset"), Policy.AMO, OutState.UNKNOWN),
        (Ambiguous("reset"), Policy.ALO, OutState.SENT),
        (RetryLater(5, pause=True), Policy.AMO, OutState.SENT),
        (RetryLater(5), Policy.AMO, OutState.SENT),
        (ChannelDown(30), Policy.AMO, OutState.SENT),
    ],
)
async def test_every_outcome_ends_as_promised(
    world: World, error: Exception, policy: Policy, expected: OutState
) -> None:
    post = Post(world)
    post.channel.script = lambda address, n: error if n == 1 else None  # type: ignore[assignment,return-value]
    await post.put("a", "x", lane=Lane.BULK, policy=policy)
    await post.settle()
    assert (await post.states())["a"] == expected


async def test_an_ambiguous_announcement_is_never_sent_again(world: World) -> None:
    post = Post(world)
    post.channel.script = lambda address, n: Ambiguous("reset")
    post.channel.delivers = lambda error: True
    await post.put("a", "x", lane=Lane.BULK, policy=Policy.AMO)
    await post.settle()
    assert post.channel.arrived == [("a", "x")]


async def test_a_doubtful_reply_is_tried_six_times_and_then_left(world: World) -> None:
    post = Post(world)
    post.channel.script = lambda address, n: Ambiguous("reset")
    await post.put("a", "x")
    await post.settle()
    assert post.channel.tries["a"] == outbox.MAX_DOUBTFUL
    assert (await post.states())["a"] == OutState.UNKNOWN


async def test_a_block_marks_the_chat_until_the_person_writes_again(world: World) -> None:
    post = Post(world)
    post.channel.script = lambda address, n: RecipientGone("blocked")
    await post.put("a", "x")
    await post.settle()
    async with world.database.write() as session:
        account = (await session.execute(select(Account).where(Account.address == "a"))).scalar_one()
        assert account.reach == Reach.BLOCKED
        await accounts.enter(session, "scripted", "a", world.now)
        assert account.reach == Reach.OK


async def test_a_refusal_of_bulk_stops_bulk_and_not_replies(world: World) -> None:
    post = Post(world)
    post.channel.script = lambda address, n: RetryLater(20, pause=True) if address == "bulk0" and n == 1 else None
    await post.put("bulk0", "bulk", lane=Lane.BULK, policy=Policy.AMO)
    async with post.running():
        await post.time.run(lambda: "bulk0" in post.channel.tries, 10)
        await post.time.run(lambda: post.delivery._paused_until[Lane.BULK] > 0, 10)
        await post.put("bulk1", "bulk", lane=Lane.BULK, policy=Policy.AMO)
        await post.put("reply", "reply")
        await post.time.run(lambda: ("reply", "reply") in post.channel.arrived, 10)
        assert post.time.elapsed < 10 and "bulk1" not in post.channel.tries
        await post.time.run(lambda: {("bulk0", "bulk"), ("bulk1", "bulk")} <= set(post.channel.arrived), 60)
        assert post.time.elapsed >= 20


@pytest.mark.parametrize("error", [RetryLater(20, pause=True), ChannelDown(20)])
@pytest.mark.parametrize("lane", [Lane.REPLY, Lane.BULK])
async def test_while_the_platform_wants_none_of_it_we_look_once_a_second(
    world: World, error: RetryLater, lane: Lane
) -> None:
    post = Post(world)
    post.channel.script = lambda address, n: error if n == 1 else None
    await post.put("a", "x", lane=lane)
    async with post.running():
        await post.time.run(lambda: post.delivery._paused_until[lane] > 0, 10)
        await post.put("b", "y", lane=Lane.BULK)  # whatever else waits meanwhile
        since, rounds, round_once = post.time.elapsed, 0, post.delivery.round

        async def counted() -> float:
            nonlocal rounds
            rounds += 1
            return await round_once()

        post.delivery.round = counted  # type: ignore[method-assign]
        await post.time.run(lambda: post.time.elapsed >= since + 18, 60)
        assert rounds < 60
        await post.time.run(lambda: ("a", "x") in post.channel.arrived, 60)


async def test_a_slot_is_replaced_before_it_leaves_and_edited_after(world: World) -> None:
    post = Post(world)
    await post.put("a", "one", slot="s", after=1.5)
    await post.put("a", "two", slot="s", after=1.5)
    await post.settle()
    assert post.channel.arrived == [("a", "two")]
    await post.put("a", "three", slot="s")
    await post.settle()
    assert post.channel.edited == [("a", "p1", "three")]


async def test_a_channel_that_cannot_edit_gets_only_what_is_final(world: World) -> None:
    post = Post(world, can_edit=False)
    await post.put("a", "start", slot="s")
    await post.settle()
    await post.put("a", "half", slot="s", final=False)
    await post.settle()
    await post.put("a", "end", slot="s")
    await post.settle()
    assert [text for _, text in post.channel.arrived] == ["start", "end"]


@pytest.mark.parametrize("error", [NotModified("same"), EditGone("gone")])
async def test_an_edit_that_changes_nothing_counts_and_one_that_is_gone_is_sent_anew(
    world: World, error: Exception
) -> None:
    post = Post(world)
    await post.put("a", "one", slot="s")
    await post.settle()
    post.channel.script = lambda address, n: error if n == 2 else None  # type: ignore[assignment,return-value]
    await post.put("a", "two", slot="s")
    await post.settle()
    assert (await post.states())["a"] == OutState.SENT


async def test_what_could_not_leave_in_time_wakes_nobody_at_night(world: World) -> None:
    post = Post(world)
    hoa = await (await world.joined("Bùi Thị Hoa")).id()
    night = timedelta(hours=13, minutes=30)  # out of reach from shortly before five in the afternoon until 6:25
    said = {"notice": {}, "urgent": {"at_once": True}, "over": {"until": START + timedelta(hours=4)}}
    for text, how in said.items():
        row_id = await post.put("hoa", text, lane=Lane.NOTICE, **how)
        async with world.database.write() as session:
            account = await session.get_one(Account, (await session.get_one(OutboxRow, row_id)).account_id)
            account.person_id = (await session.get_one(OutboxRow, row_id)).person_id = hoa
    post.time.elapsed = night.total_seconds()
    await post.settle(86400)
    left = [(text, START + timedelta(seconds=moment)) for moment, _, text, *_ in post.channel.sent]
    assert [text for text, _ in left] == ["urgent", "notice"]
    minute = timedelta(minutes=1)
    assert left[0][1] < START + night + minute
    assert timedelta(0) <= left[1][1] - datetime(2025, 7, 26, 6, 30, tzinfo=LOCAL) < minute  # no longer asleep
    async with world.database.read() as session:
        query = select(OutboxRow.state).where(OutboxRow.lane == int(Lane.NOTICE)).order_by(OutboxRow.id)
        assert list((await session.execute(query)).scalars()) == [OutState.SENT, OutState.SENT, OutState.EXPIRED]


async def test_an_expired_message_is_not_sent_late(world: World) -> None:
    post = Post(world)
    row_id = await post.put("a", "x", lane=Lane.BULK, policy=Policy.AMO)
    async with world.database.write() as session:
        (await session.get_one(OutboxRow, row_id)).expires_at = START - timedelta(minutes=1)
    await post.settle()
    assert post.channel.sent == [] and (await post.states())["a"] == OutState.EXPIRED


async def test_thousands_that_have_expired_hold_up_nobody_behind_them(world: World) -> None:
    post, past = Post(world), {"not_before": START - timedelta(hours=12), "expires_at": START - timedelta(hours=8)}
    await post.put("late", "x", lane=Lane.BULK, policy=Policy.AMO)
    async with world.database.write() as session:
        await session.execute(update(OutboxRow).values(past))
        row = dict((await session.execute(select(OutboxRow.__table__))).mappings().one())
        del row["id"]
        await session.execute(insert(OutboxRow), [row | {"address": f"late{n}"} for n in range(1, 2 * MANY + 500)])
    await post.put("behind", "x", lane=Lane.BULK, policy=Policy.AMO)
    async with post.running():
        await post.time.run(lambda: bool(post.channel.arrived), 10)
    assert post.channel.arrived == [("behind", "x")] and post.time.elapsed < 0.5
    assert Counter((await post.states()).values()) == {OutState.SENT: 1, OutState.EXPIRED: 2 * MANY + 500}


@pytest.mark.parametrize("by", ["scripted", "another"])
@pytest.mark.parametrize("stop", ["pause", "cancel", "stop all"])
async def test_what_officers_stop_leaves_no_slot_once_they_were_answered(world: World, stop: str, by: str) -> None:
    officer = await (await world.joined("Đinh Quang Đại", unit="TINH", role=Role.LEADER)).id()
    post = Post(world)
    theirs = ScriptedChannel(post.time)
    theirs.name = by
    async with world.database.write() as session:
        unit = await units.find_by_code(session, "TINH")
        assert unit is not None
        made = Broadcast(
            code="TB-25-0001", kind="notice", state=BroadcastState.SENDING, unit_id=unit.id, text="Mời họp.", timing="now",
            send_at=START, created_at=START,
        )  # fmt: skip
        session.add(made)
        await session.flush()
        for n in range(12):
            account = (await accounts.enter(session, "scripted", f"p{n}", START)).account
            row_id = await outbox.put(
                session, account, to_json(Message("Mời họp.")), now=START, lane=Lane.BULK, policy=Policy.AMO
            )
            row = await session.get_one(OutboxRow, row_id)
            row.broadcast_id, row.person_id = made.id, officer
    async with post.running():
        other = post.fresh(theirs)
        run_other = asyncio.create_task(other.run() if by == "another" else asyncio.sleep(0))
        await post.time.run(lambda: len(post.channel.sent) >= 2 and bool(post.slots), 600)
        async with world.database.write() as session:
            found = await session.get_one(Broadcast, made.id)
            if stop == "stop all":
                await broadcasts.stop_all(session, officer, post.time.now())
            else:
                act = broadcasts.pause if stop == "pause" else broadcasts.cancel
                await act(session, found, officer, found.version, post.time.now())
            account = (await accounts.enter(session, by, "officer", post.time.now())).account
            await outbox.put(session, account, to_json(Message("Đã dừng.")), now=post.time.now())
        post.delivery.wake()
        other.wake()
        nap = asyncio.create_task(post.time.sleep(3))
        await post.time.run(nap.done, 600)
        await other.stop()
        await run_other
    answered = next(at for at, address, *_ in [*post.channel.sent, *theirs.sent] if address == "officer")
    got = [address for at, address, _, lane in post.channel.sent if lane == Lane.BULK]
    assert all(at <= answered for at, _, _, lane in post.channel.sent if lane == Lane.BULK)
    after = OutState.CANCELLED if stop == "cancel" else OutState.HELD
    states = {address: state for address, state in (await post.states()).items() if address.startswith("p")}
    assert states == {address: OutState.SENT if address in got else after for address in states}
    assert not post.slots


async def six_that_end_in_an_hour(post: Post) -> None:
    for n in range(6):
        row_id = await post.put(f"p{n}", "x", lane=Lane.BULK, policy=Policy.AMO)
        async with post.world.database.write() as session:
            (await session.get_one(OutboxRow, row_id)).expires_at = START + timedelta(hours=1)


async def test_what_is_past_its_hour_when_its_moment_comes_does_not_leave(world: World) -> None:
    post = Post(world)
    await six_that_end_in_an_hour(post)
    async with post.running():
        await post.time.run(lambda: len(post.channel.sent) >= 1 and bool(post.slots), 600)
        left = len(post.channel.sent)
        post.time._start += timedelta(hours=5)  # the clock of the machine is set
        nap = asyncio.create_task(post.time.sleep(3))
        await post.time.run(nap.done, 600)
    states = await post.states()
    assert len(post.channel.sent) == left
    assert sorted(states.values()) == [OutState.EXPIRED] * (6 - left) + [OutState.SENT] * left


async def test_many_messages_to_one_chat_keep_nobody_else_waiting(world: World) -> None:
    post = Post(world)
    for n in range(40):
        await post.put("a", f"a{n}")
    await post.put("b", "b")
    async with world.database.write() as session:
        for busy, expected in (((), ["a", "b"]), (("a",), ["b"]), (("a", "b"), [])):
            found = await outbox.claim(session, "scripted", START, "m", ask=ALL, busy=busy)
            assert [parcel.address for parcel in found] == expected
            await session.execute(update(OutboxRow).values(state=OutState.READY))


async def test_after_a_crash_announcements_in_flight_are_in_doubt_and_replies_go_again(world: World) -> None:
    post = Post(world)
    await post.put("amo", "x", lane=Lane.BULK, policy=Policy.AMO)
    await post.put("alo", "y")
    async with world.database.write() as session:
        await outbox.claim(session, "scripted", START, "dead", ask=ALL, busy=())
    async with world.database.write() as session:
        assert await outbox.recover(session, START) == 2
    assert await post.states() == {"amo": OutState.UNKNOWN, "alo": OutState.READY}


async def test_a_late_settlement_of_a_dead_claim_changes_nothing_but_doubt(world: World) -> None:
    post = Post(world)
    row_id = await post.put("a", "x", lane=Lane.BULK, policy=Policy.AMO)
    async with world.database.write() as session:
        await outbox.claim(session, "scripted", START, "one", ask=ALL, busy=())
        await outbox.recover(session, START)
        await outbox.settle(session, [outbox.Settlement(row_id, "other", OutState.FAILED)], START)
        await outbox.settle(session, [outbox.Settlement(row_id, "one", OutState.FAILED)], START)
    assert (await post.states())["a"] == OutState.UNKNOWN
    async with world.database.write() as session:
        await outbox.settle(session, [outbox.Settlement(row_id, "one", OutState.SENT, "p9")], START)
    assert (await post.states())["a"] == OutState.SENT


async def test_many_that_wait_for_chats_being_written_to_hold_up_nobody_behind_them(world: World) -> None:
    post = Post(world)
    busy = [f"busy{n}" for n in range(3)]
    for n in range(ALL.limit + SPARE + 3):
        await post.put(busy[n % 3], "x")
    await post.put("free", "y")
    async with world.database.write() as session:
        found = await outbox.claim(session, "scripted", START, "m", ask=outbox.Ask([Lane.REPLY], 5), busy=busy)
    assert [parcel.address for parcel in found] == ["free"]


async def test_how_long_the_first_of_a_lane_waits_asks_neither_of_other_lanes_nor_of_what_has_left(
    world: World,
) -> None:
    post = Post(world)
    rows = [await post.put(address, "x", lane=lane) for address, lane in (("sent", Lane.REPLY), ("a", Lane.BULK))]
    async with world.database.write() as session:
        await session.execute(update(OutboxRow).where(OutboxRow.id == rows[0]).values(state=OutState.SENT))
        now = START + timedelta(seconds=9)
        assert await outbox.oldest(session, "scripted", Lane.REPLY, now) == 0
        assert await outbox.oldest(session, "scripted", Lane.BULK, now) == 9
        assert await outbox.oldest(session, "another", Lane.BULK, now) == 0


async def test_what_was_certainly_not_sent_is_no_try_and_waits_as_long_as_the_platform_said(world: World) -> None:
    """A chat that is refused again and again must not use up the tries that what is in doubt has."""
    post = Post(world)
    post.channel.script = lambda address, attempt: (
        RetryLater(7) if attempt <= 8 else Ambiguous("read error") if attempt <= 10 else None
    )
    post.channel.delivers = lambda failed: False
    await post.put("a", "x")
    await post.settle()
    times = [moment for moment, *_ in post.channel.sent]
    assert len(times) == 11 and (await post.states())["a"] == OutState.SENT
    assert all(later - earlier >= 7 for earlier, later in itertools.pairwise(times[:9]))
    async with world.database.read() as session:
        assert (await session.execute(select(OutboxRow.attempts))).scalar_one() == 3


@pytest.mark.parametrize("error", [RetryLater(3), RetryLater(4, pause=True), Ambiguous("read error")])
async def test_answers_keep_their_order_when_one_is_refused(world: World, error: Exception) -> None:
    """Found by the simulation (seed 2): the next answer overtook one that waited for another try."""
    post = Post(world)
    post.channel.script = lambda address, attempt: error if attempt == 1 else None  # type: ignore[assignment,return-value]
    post.channel.delivers = lambda failed: False
    async with post.running():
        for n in range(4):
            await post.put("a", f"answer {n}")
            moment = 0.5 * (n + 1)
            await post.time.run(lambda: post.time.elapsed >= moment, 60)  # noqa: B023
    await post.settle()
    assert [text for _, text in post.channel.arrived] == [f"answer {n}" for n in range(4)]


async def test_of_many_answers_that_land_together_the_next_one_does_not_overtake_the_one_that_failed(
    world: World,
) -> None:
    post = Post(world)
    post.channel.script = lambda address, attempt: RetryLater(3) if (address, attempt) == ("a", 1) else None
    for n in range(12):
        await post.put(f"p{n}", "x")
    await post.put("a", "first")
    async with post.running():
        await post.time.run(lambda: len(post.channel.arrived) == 12 and not post.delivery._flying, 10)
        await post.put("a", "second")
        await post.time.run(lambda: len(post.channel.arrived) == 14, 60)
    assert [text for address, text in post.channel.arrived if address == "a"] == ["first", "second"]


@pytest.mark.parametrize("lane", [Lane.REPLY, Lane.BULK])
async def test_what_was_claimed_by_a_commit_whose_success_nobody_heard_of_leaves_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch, lane: Lane
) -> None:
    post, write, broken = Post(world), world.database.write, 0

    @asynccontextmanager
    async def breaks(*, brief: bool = False) -> AsyncIterator[Session]:
        nonlocal broken
        async with write(brief=brief) as session:
            yield session
        if broken < 3 and OutState.SENDING in (await post.states()).values():
            broken += 1
            raise OperationalError("COMMIT", None, Exception("server closed the connection unexpectedly"))

    for n in range(5):
        await post.put(f"p{n}", "x", lane=lane, policy=Policy.AMO)
    monkeypatch.setattr(world.database, "write", breaks)
    await post.settle()
    assert broken == 3 and sorted(post.channel.arrived) == [(f"p{n}", "x") for n in range(5)]
    async with world.database.read() as session:
        assert list((await session.execute(select(OutboxRow.attempts))).scalars()) == [1] * 5
    assert not post.slots


async def test_what_may_not_leave_at_its_moment_since_a_sign_of_life_took_long_leaves_later(world: World) -> None:
    post, lapsed = Post(world, rate=20), False
    post.may = lambda: not lapsed
    for n in range(20):
        await post.put(f"p{n}", "x", lane=Lane.BULK, policy=Policy.AMO)
    async with post.running():
        await post.time.run(lambda: len(post.channel.sent) >= 3 and bool(post.slots), 10)
        lapsed, left, until = True, len(post.channel.sent), post.time.elapsed + 0.3
        await post.time.run(lambda: post.time.elapsed >= until, 10)
        assert len(post.channel.sent) == left
        lapsed = False
        await post.time.run(lambda: len(post.channel.arrived) == 20, 60)
    assert sorted(post.channel.arrived) == sorted((f"p{n}", "x") for n in range(20))


async def test_while_the_clock_is_wrong_only_what_goes_by_no_clock_leaves_and_nothing_expires(world: World) -> None:
    post, wrong = Post(world, rate=10), timedelta(days=1)
    post.trusted = lambda: post.time._start == START
    await six_that_end_in_an_hour(post)
    async with post.running():
        await post.time.run(lambda: len(post.channel.sent) >= 1 and bool(post.slots), 10)
        left = len(post.channel.sent)
        post.time._start += wrong
        await post.put("answer", "x")
        await post.put("alarm", "x", lane=Lane.NOTICE, at_once=True)
        await post.put("notice", "x", lane=Lane.NOTICE)
        nap = asyncio.create_task(post.time.sleep(60))
        await post.time.run(nap.done, 100)
        assert {address for _, address, *_ in post.channel.sent[left:]} == {"answer", "alarm"}
        assert set((await post.states()).values()) == {OutState.SENT, OutState.READY}
        post.time._start -= wrong
    async with world.database.write() as session:
        await session.execute(update(OutboxRow).where(OutboxRow.address == "notice").values(not_before=START))
    await post.settle()
    assert set((await post.states()).values()) == {OutState.SENT}


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_clock_that_is_put_back_does_not_make_a_chat_wait_for_what_it_was_told_before(
    world: World, restarts: bool
) -> None:
    """A refusal while the clock was a month ahead, and the chat heard nothing for a month."""
    post, ahead = Post(world), timedelta(days=30)
    post.time._start += ahead
    post.channel.script = lambda address, attempt: RetryLater(3) if attempt == 1 else None
    post.channel.delivers = lambda failed: False
    await post.put("refused", "x")
    await post.put("album", "x", after=1.5)
    await post.put("notice", "x", lane=Lane.NOTICE, after=60)
    async with post.running():
        await post.time.run(lambda: post.time.elapsed > 0.5, 10)
        if not restarts:
            post.time._start -= ahead
            await post.time.run(lambda: post.time.elapsed > 5, 20)
    if restarts:
        post.time._start -= ahead
        async with world.database.write() as session:
            await outbox.recover(session, post.time.now())
    await post.put("refused", "y")
    await post.settle(120)
    assert [text for address, text in post.channel.arrived if address == "refused"] == ["x", "y"]
    assert set((await post.states()).values()) == {OutState.SENT}


async def test_when_the_clock_was_put_back_what_a_chat_was_told_before_stays_before_what_it_was_told_since(
    world: World,
) -> None:
    """Simulation, seed 4036: a leader read that all is stopped after they had read that it goes on again."""
    post = Post(world)
    await post.put("leader", "stopped", after=14 * 3600.0)  # by a clock that was so much ahead
    await post.put("other", "stopped", after=14 * 3600.0)
    await post.put("leader", "goes on")
    post.time._start += timedelta(seconds=5)
    await post.settle()
    assert [text for address, text in post.channel.arrived if address == "leader"] == ["stopped", "goes on"]
    assert len(post.channel.arrived) == 3
