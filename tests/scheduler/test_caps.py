"""When somebody has had enough for a day, what matters more takes the place of what still waits, and nothing else happens."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from db import audiences, broadcasts, caps, units
from db.audiences import Rule
from db.models import Broadcast, BroadcastState, BroadcastTarget, OutboxRow, OutState, Role, TargetState
from scheduler import anniversaries
from scheduler import broadcasts as planner
from tests.people import TestPerson, World, work_of
from tests.scheduler.test_anniversaries import local, looks


async def sends(world: World, author: TestPerson, kind: str, timing: str = "window") -> str:
    """A message to May Hòa Phát, planned for each one's own hours. Returns its code."""
    async with world.database.write() as session:
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None
        made = await broadcasts.create(
            session, author_id=await author.id(), kind=kind, topic=kind, unit_id=unit.id, audience=Rule(unit.id), number=1,
            text=f"Tin {kind}", media=[], timing=timing, send_at=world.now, second=False, year=2025, now=world.now,
        )  # fmt: skip
    await planner.run(work_of(world))
    return made.code


async def became(world: World, code: str) -> dict[str, int]:
    async with world.database.read() as session:
        broadcast = await broadcasts.find(session, code)
        counts = await broadcasts.figures(session, broadcast.id)
    return {name: number for name, number in counts.items() if number}


async def marks(world: World, when: str) -> str:
    """What the clock plans now for 28 July, by its days before. Returns its code."""
    await anniversaries.run(work_of(world))
    await planner.run(work_of(world))
    async with world.database.read() as session:
        query = select(Broadcast.code).where(Broadcast.key == f"kn:2807:2025:{when}")
        return (await session.execute(query)).scalar_one()


async def officer(world: World) -> TestPerson:
    world.now = local(7, 22, 9)
    return await world.joined("Hoàng Minh Tiến", unit="TINH", role=Role.UPPER_OFFICER)


@pytest.mark.parametrize(
    ("first", "second"), [("campaign", "notice"), ("campaign", "document"), ("notice", "document")]
)
async def test_what_matters_more_takes_the_place_of_what_still_waits(world: World, first: str, second: str) -> None:
    tien, hoa = await officer(world), await world.joined("Bùi Thị Hoa")
    lower, higher = await sends(world, tien, first), await sends(world, tien, second)
    assert await became(world, lower) == {"skip_capped": 1, "targets": 1}
    assert await became(world, higher) == {"ready": 1, "targets": 1}
    world.now = local(7, 22, 12)
    await looks(world)
    await looks(world)
    report = next(heard for heard in tien.heard if heard.key == "announcing.report" and lower in heard.text)
    assert "Đã gửi: 0/0" in report.text and "đã nhận đủ tin: 1" in report.text
    await hoa.says("/thongbao")
    lines = [line for line in hoa.last.text.splitlines() if "Tin " in line]
    assert next(line for line in lines if first in line).endswith("(tin đã lỡ)")


@pytest.mark.parametrize(("first", "second"), [("document", "notice"), ("notice", "campaign"), ("notice", "notice")])
async def test_what_matters_less_or_as_much_finds_no_place(world: World, first: str, second: str) -> None:
    tien = await officer(world)
    await world.joined("Bùi Thị Hoa")
    stays, late = await sends(world, tien, first), await sends(world, tien, second)
    assert await became(world, stays) == {"ready": 1, "targets": 1}
    assert await became(world, late) == {"skip_capped": 1, "targets": 1}


@pytest.mark.parametrize("state", [OutState.SENDING, OutState.SENT, OutState.UNKNOWN])
async def test_what_is_on_its_way_or_arrived_never_gives_way(world: World, state: OutState) -> None:
    tien = await officer(world)
    await world.joined("Bùi Thị Hoa")
    first = await sends(world, tien, "campaign")
    async with world.database.write() as session:
        row = (await session.execute(select(OutboxRow).where(OutboxRow.broadcast_id.is_not(None)))).scalar_one()
        row.state = state
    second = await sends(world, tien, "document")
    assert await became(world, first) == {state.value: 1, "targets": 1}
    assert await became(world, second) == {"skip_capped": 1, "targets": 1}


async def test_only_as_much_gives_way_as_is_needed_the_lowest_first(world: World) -> None:
    tien = await officer(world)
    await world.joined("Bùi Thị Hoa")
    codes = []
    for day, kind in ((22, "notice"), (23, "campaign"), (24, "campaign")):
        world.now = local(7, day, 9)
        codes.append(await sends(world, tien, kind))
    world.now = local(7, 26, 9)
    document = await sends(world, tien, "document")
    found = [await became(world, code) for code in codes]
    assert await became(world, document) == {"ready": 1, "targets": 1}
    assert [("skip_capped" in each) for each in found] == [False, False, True], "three a week: the newer of the lowest"


async def test_ten_in_thirty_days_are_enough_though_the_week_has_room(world: World) -> None:
    tien = await officer(world)
    await world.joined("Bùi Thị Hoa")
    codes = []
    for day in (1, 3, 5, 8, 10, 12, 15, 17, 19, 22):  # never more than three in seven days
        world.now = local(7, day, 9)
        codes.append(await sends(world, tien, "campaign"))
        assert await became(world, codes[-1]) == {"ready": 1, "targets": 1}
    world.now = local(7, 30, 9)
    assert await became(world, await sends(world, tien, "campaign")) == {"skip_capped": 1, "targets": 1}
    assert await became(world, await sends(world, tien, "document")) == {"ready": 1, "targets": 1}
    gone = [code for code in codes if "skip_capped" in await became(world, code)]
    assert gone == codes[-1:], "eight days old, and the newest that still waits"
    world.now = local(7, 31, 9)
    codes.append(await sends(world, tien, "campaign"))
    assert await became(world, codes[-1]) == {"ready": 1, "targets": 1}, "the first of July is thirty days ago"
    world.now = local(8, 1, 9)
    assert await became(world, await sends(world, tien, "campaign")) == {"skip_capped": 1, "targets": 1}


async def test_an_anniversary_takes_the_place_of_general_words_and_gives_its_own_to_a_notice(world: World) -> None:
    tien = await officer(world)
    await world.joined("Bùi Thị Hoa")
    world.now = local(7, 25, 13, 30)
    campaign = await sends(world, tien, "campaign")
    day = await marks(world, "t3")
    assert (await became(world, campaign))["skip_capped"] == 1 and (await became(world, day))["ready"] == 2
    notice = await sends(world, tien, "notice")
    assert (await became(world, day))["skip_capped"] == 1 and (await became(world, notice))["ready"] == 1


async def test_for_an_anniversary_that_arrived_nothing_else_gives_way(world: World) -> None:
    tien = await officer(world)
    await world.joined("Bùi Thị Hoa")
    notice = await sends(world, tien, "notice")
    world.now = local(7, 24, 9)
    campaign = await sends(world, tien, "campaign")
    world.now = local(7, 25, 13, 30)
    day = await marks(world, "t3")
    async with world.database.write() as session:
        query = select(OutboxRow).join(Broadcast, Broadcast.id == OutboxRow.broadcast_id).where(Broadcast.code == day)
        rows = (await session.execute(query)).scalars().all()
        assert rows and {row.state for row in rows} == {OutState.READY}
        for row in rows:
            row.state = OutState.SENT
    world.now = local(7, 26, 9)
    document = await sends(world, tien, "document")
    for code in (notice, campaign, document):
        assert await became(world, code) == {"ready": 1, "targets": 1}, "three in a week, the anniversary beside them"


async def test_an_anniversary_on_its_day_gives_way_to_nobody_and_takes_nothing(world: World) -> None:
    tien = await officer(world)
    await world.joined("Bùi Thị Hoa")
    world.now = local(7, 27, 21)
    campaign = await sends(world, tien, "campaign")
    world.now = local(7, 28, 6, 40)
    day = await marks(world, "t0")
    document = await sends(world, tien, "document")
    assert (await became(world, day))["ready"] == 2
    assert await became(world, campaign) == {"skip_capped": 1, "targets": 1}, "for the document"
    assert await became(world, document) == {"ready": 1, "targets": 1}


async def test_a_crash_between_making_room_and_planning_undoes_both(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tien = await officer(world)
    await world.joined("Bùi Thị Hoa")
    lower = await sends(world, tien, "campaign")
    real = broadcasts.add_targets
    made_room: list[int] = []
    room = caps.make_room

    async def making(*args: object) -> int:
        made_room.append(await room(*args))  # type: ignore[arg-type]
        return made_room[-1]

    async def dying(*args: object) -> int:
        raise RuntimeError("killed")

    monkeypatch.setattr(caps, "make_room", making)
    monkeypatch.setattr(broadcasts, "add_targets", dying)
    with pytest.raises(RuntimeError):
        await sends(world, tien, "document")
    assert made_room == [1] and await became(world, lower) == {"ready": 1, "targets": 1}
    monkeypatch.setattr(broadcasts, "add_targets", real)
    await planner.run(work_of(world))
    assert await became(world, lower) == {"skip_capped": 1, "targets": 1}
    async with world.database.read() as session:
        states = (await session.execute(select(Broadcast.state).order_by(Broadcast.id))).scalars().all()
        assert states == [BroadcastState.DONE, BroadcastState.SENDING]
        assert TargetState.FROZEN not in (await session.execute(select(BroadcastTarget.state))).scalars()


async def test_the_officers_count_holds_who_can_be_reached_by_what_matters_more(world: World) -> None:
    tien = await officer(world)
    await world.joined("Bùi Thị Hoa")
    await sends(world, tien, "campaign")
    async with world.database.read() as session:
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None
        for kind, reached in (("campaign", 0), ("notice", 1), ("document", 1), ("urgent", 1)):
            tally = await audiences.count(session, Rule(unit.id), kind, kind, local(7, 22, 0))
            assert tally.reached == reached, kind
