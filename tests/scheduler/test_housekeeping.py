"""What is kept for a time is gone after it: previews, drafts, and people who never came back."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from db import erasure, outbox, webchat
from db.models import (
    Account,
    Consent,
    Conversation,
    Draft,
    Job,
    Lane,
    OutboxRow,
    OutState,
    Person,
    Policy,
    Reach,
    WebMessage,
)
from scheduler import housekeeping, progress
from tests.handlers.test_moderation import reviewer, sent
from tests.people import World, work_of
from tests.scheduler.test_jobs import with_a_report


async def tidy(world: World, **later: float) -> None:
    world.later(**later)
    await housekeeping.run(work_of(world))


async def passes(world: World, days: int) -> None:
    """Some days, the last of them lived through."""
    await tidy(world, days=days - 3)
    for _ in range(3):
        await tidy(world, days=1)


async def count(world: World, *tables: type) -> list[int]:
    async with world.database.read() as session:
        return [(await session.execute(select(func.count()).select_from(table))).scalar_one() for table in tables]


async def test_a_chat_that_only_looked_is_forgotten_a_day_after_its_last_message(world: World) -> None:
    lan = world.person("Lan")
    lan.channel = "webchat"
    await lan.says("/start u-MAYHOA")
    async with world.database.write() as session:
        await webchat.add(session, lan.address, {"text": "alo"}, world.now, mine=True)
    await tidy(world, hours=23)
    await lan.says("xem thu truoc")
    await tidy(world, hours=23)
    assert await count(world, Account, Conversation, WebMessage) == [1, 1, 1]
    await tidy(world, hours=2)
    assert await count(world, Account, Conversation, WebMessage, OutboxRow) == [0, 0, 0, 0]


async def test_a_preview_with_an_answer_on_its_way_waits_for_it_and_a_member_stays(world: World) -> None:
    await world.joined("Bùi Thị Hoa")
    lan = world.person("Lan")
    await lan.says("alo")
    async with world.database.write() as session:
        row = (await session.execute(select(OutboxRow).where(OutboxRow.address == lan.address))).scalar_one()
        row.state = OutState.SENDING
    await tidy(world, days=2)
    assert await count(world, Account) == [2]
    async with world.database.write() as session:
        await outbox.recover(session, world.now)
    await world.deliver()
    await tidy(world, hours=1)
    assert await count(world, Account) == [1]


async def test_a_draft_leaves_the_menu_after_a_month_and_is_gone_after_three(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    for typed in ("/sangkien", "dong y", "sang kien", "Giá gá giúp thay dao nhanh"):
        await hoa.says(typed)
    assert "bản nháp" in (await hoa.says("menu")).text
    await tidy(world, days=31)
    assert "đã cất" in (await hoa.says("menu")).text  # once
    assert "nháp" not in (await hoa.says("menu")).text
    assert "sáng kiến" in (await hoa.says("/hoso")).text and await count(world, Draft) == [1]
    await hoa.says("/sangkien")
    await passes(world, 91)
    assert await count(world, Draft) == [0]
    assert (await hoa.says("1")).key == "common.unknown"


async def test_somebody_not_seen_for_24_months_is_erased_as_the_consent_says(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    ha = await reviewer(world)
    await sent(world, hoa)
    await tidy(world, days=729)
    await ha.says("menu")
    for days in (2, 1):
        await tidy(world, days=days)
    async with world.database.read() as session:
        people = {person.name: person.erased_at for person in (await session.execute(select(Person))).scalars()}
        proof = (await session.execute(select(Consent).where(Consent.person_id == 1))).scalars().all()
    assert people == {"": world.now, "Lê Thu Hà": None} and all(consent.withdrawn_at for consent in proof)
    await tidy(world, minutes=5)
    await tidy(world, days=1, minutes=1)
    assert await count(world, Account) == [1]
    assert (await hoa.says("alo")).key == "onboarding.welcome"


async def test_what_an_update_or_a_restore_left_beside_is_gone_after_35_days(world: World, tmp_path: Path) -> None:
    """Both are backups: everything that anybody told us is in them."""
    (tmp_path / "before-restore-20250720-100000" / "files").mkdir(parents=True)
    old = {"before-update-20250720-100000.db", "before-update-20250720-100000.part"}
    for name in (*old, "before-update-20250820-100000.db", "before-Tet.xlsx"):
        (tmp_path / name).write_bytes(b"x")
    before = {path.name for path in tmp_path.iterdir()}
    for days, gone in ((28, set()), (3, {"before-restore-20250720-100000"} | old)):
        world.later(days=days)
        await housekeeping.run(work_of(world, tmp_path / "files"))
        assert before - {path.name for path in tmp_path.iterdir()} == gone


async def test_the_files_of_who_is_erased_by_time_go_too(world: World) -> None:
    await with_a_report(world)
    await passes(world, 731)
    async with world.database.read() as session:
        assert (await session.execute(select(Job.data).where(Job.kind == "delete_files"))).scalar_one()["files"]


async def test_a_clock_that_is_years_ahead_forgets_nobody_before_somebody_can_have_noticed(world: World) -> None:
    """Where no platform contradicts it, a clock that was set is believed after ten minutes: everybody was erased."""
    hoa, cookie = world.person("Bùi Thị Hoa"), "hash"
    hoa.channel = "webchat"
    await world.joined("Bùi Thị Hoa")
    async with world.database.write() as session:
        await webchat.open_session(session, cookie, hoa.address, "csrf", world.now)
    await tidy(world)
    for hours in (0, 1, 70):
        await tidy(world, hours=hours, days=0 if hours else 900)
    await tidy(world, days=-903)
    for _ in range(4):
        await tidy(world, days=1)
    async with world.database.read() as session:
        assert (await session.get_one(Person, 1)).erased_at is None
        assert await webchat.find_session(session, cookie) is not None
    await passes(world, 900)
    async with world.database.read() as session:
        assert (await session.get_one(Person, 1)).erased_at is not None
        assert await webchat.find_session(session, cookie) is None


async def test_a_browser_that_was_forgotten_gets_nothing_more_and_counts_as_lost_long_ago(world: World) -> None:
    """What was said to it lay there for ever, and announcements counted as read by somebody."""
    hoa = world.person("Bùi Thị Hoa")
    hoa.channel = "webchat"
    await world.joined("Bùi Thị Hoa")
    async with world.database.write() as session:
        await webchat.open_session(session, "hash", hoa.address, "csrf", world.now)
    await passes(world, 190)
    async with world.database.write() as session:
        account = (await session.execute(select(Account))).scalar_one()
        assert account.reach == Reach.BLOCKED
        assert account.blocked_at is not None and world.now - account.blocked_at > progress.MONTH
        await webchat.add(session, hoa.address, {"text": "to nobody"}, world.now, mine=False)
    await passes(world, 190)
    assert await count(world, WebMessage) == [0]


async def test_an_answer_that_is_leaving_while_its_reader_is_erased_goes_when_it_has_left(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("menu")
    person_id = await hoa.id()
    async with world.database.write() as session:
        row = (await session.execute(select(OutboxRow).order_by(OutboxRow.id.desc()))).scalars().first()
        assert row is not None and row.person_id == person_id
        row.state = OutState.SENDING
        await erasure.erase(session, person_id, world.now)
        assert (await session.execute(select(OutboxRow.id))).scalars().all() == [row.id]
        row.state = OutState.SENT
    await tidy(world, minutes=5)
    assert await count(world, OutboxRow) == [0]


async def test_an_answer_is_forgotten_a_month_after_it_left_and_what_is_asked_for_again_is_kept(world: World) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("menu")
    await world.deliver()
    async with world.database.write() as session:
        session.add_all(
            OutboxRow(
                dedup_key=key, slot=slot, policy=Policy.ALO, lane=Lane.REPLY, kind="notice", channel="test", address="x",
                payload={"text": "Chào"}, state=OutState.SENT, not_before=world.now, created_at=world.now,
                finished_at=world.now,
            )
            for key, slot in (("once", None), (None, "queue"))
        )  # fmt: skip
    await tidy(world, days=29)
    before = await count(world, OutboxRow)
    await tidy(world, days=2)
    async with world.database.read() as session:
        left = (await session.execute(select(OutboxRow.dedup_key, OutboxRow.slot, OutboxRow.payload))).all()
    assert before[0] > 2 and all(row.payload is None and (row.dedup_key or row.slot) for row in left)
    assert {("once", None, None), (None, "queue", None)} <= {tuple(row) for row in left}
