"""The lists of commands Telegram shows, through the real door: everybody's, and those of people with a role while they have it."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.app import build_app
from bot.channels.telegram.commands import CommandLists
from bot.clock import Clock
from bot.settings import Settings
from content.text import fold
from db import erasure, roles, units
from db.models import Grant, Role
from tests.fakes.botapi import TOKEN, FakeBotApi
from tests.people import FACTS, World
from tests.transcripts.stage import Actor, OverTelegram, Stage, telegram_stage

WORKERS = {
    "start", "menu", "thidua", "sangkien", "hoso", "onluat", "hoiluat", "ngayle", "canhan", "dulieu", "thongbao", "dungtin",
    "trogiup", "huy",
}  # fmt: skip


@pytest.fixture
async def stage(world: World, tmp_path: Path) -> AsyncIterator[Stage]:
    async with telegram_stage(world, tmp_path) as made:
        yield made


def fake_of(stage: Stage) -> FakeBotApi:
    assert isinstance(stage.door, OverTelegram)
    return stage.door.fake


def shown(stage: Stage, actor: Actor) -> set[str]:
    return set(fake_of(stage).commands(int(actor.address)))


async def look(stage: Stage) -> None:
    await CommandLists(stage.door.adapter, stage.world.database, stage.world.house, now=lambda: stage.world.now).look()


async def granted(stage: Stage, actor: Actor, role: Role, *, confirmed: bool = True) -> int:
    """A role by the command line's invitation, taken with its link; or by an officer's, before they confirm it."""
    async with stage.world.database.write() as session:
        top, person = await units.top(session), await stage.person(session, actor)
        assert top is not None
        await roles.invite(session, token="t" * 26, role=role, unit_id=top.id, invited_by=None, now=stage.world.now)
        grant = await roles.accept(session, "t" * 26, person.id, stage.world.now)
        if not confirmed:
            grant.confirmed_at = None
        return grant.id


async def test_everybody_is_shown_the_workers_commands_and_each_is_understood(stage: Stage) -> None:
    hoa = await stage.member("Bùi Thị Hoa")
    assert shown(stage, hoa) == set()
    await look(stage)
    assert shown(stage, hoa) == WORKERS
    assert fake_of(stage).commands(int(hoa.address))[:2] == ["start", "menu"]
    await understands(stage, hoa)


async def understands(stage: Stage, actor: Actor) -> None:
    words = stage.world.house.words
    said = itertools.product(("unknown", "refused"), ("anh/chị", "đồng chí", "mình"))
    refusals = {fold(words.text(f"common.{key}", you=you)) for key, you in said}
    for name in fake_of(stage).commands(int(actor.address)):
        before = len(actor.seen)
        await actor.says(f"/{name}")
        assert len(actor.seen) > before and fold(actor.last.text) not in refusals, name


async def test_descriptions_are_vietnamese_and_a_look_that_finds_nothing_changed_asks_for_nothing(stage: Stage) -> None:
    lan = await stage.member("Ngô Thị Lan", role=Role.REVIEWER)
    await look(stage)
    [duyet] = [each for each in fake_of(stage).state.commands[int(lan.address)] if each["command"] == "duyet"]
    assert duyet["description"] == "Hồ sơ chờ xét duyệt"
    asked = len(fake_of(stage).calls("setMyCommands"))
    await look(stage)
    assert len(fake_of(stage).calls("setMyCommands")) == asked == 2


@pytest.mark.parametrize("role", [Role.LEADER, Role.SYSTEM_ADMIN, Role.UPPER_OFFICER, Role.CONTENT_OFFICER])
async def test_a_role_brings_its_commands_to_this_chat_alone_and_each_is_understood(stage: Stage, role: Role) -> None:
    lan, hoa = await stage.member("Ngô Thị Lan"), await stage.member("Bùi Thị Hoa")
    await granted(stage, lan, role)
    await look(stage)
    assert shown(stage, lan) > WORKERS and "canbo" in shown(stage, lan)
    assert ("dungkhan" in shown(stage, lan)) == (role in (Role.LEADER, Role.SYSTEM_ADMIN))
    assert shown(stage, hoa) == WORKERS
    await understands(stage, lan)


async def test_a_role_that_nobody_has_confirmed_shows_nothing(stage: Stage) -> None:
    lan = await stage.member("Ngô Thị Lan")
    await granted(stage, lan, Role.LEADER, confirmed=False)
    await look(stage)
    assert shown(stage, lan) == WORKERS


@pytest.mark.parametrize("end", ["revoked", "stopped", "erased"])
async def test_when_a_role_ends_the_chat_shows_only_the_workers_commands(stage: Stage, end: str) -> None:
    lan, admin = await stage.member("Ngô Thị Lan"), await stage.member("Quản Trị", "TINH", Role.SYSTEM_ADMIN)
    grant = await granted(stage, lan, Role.LEADER)
    await look(stage)
    assert "duyet" in shown(stage, lan)
    async with stage.world.database.write() as session:
        person, now = (await stage.person(session, lan)).id, stage.world.now
        if end == "revoked":
            await roles.revoke(session, grant, (await stage.person(session, admin)).id, now)
        elif end == "stopped":
            await erasure.stop_processing(session, person, now)
        else:
            await erasure.erase(session, person, now)
    await look(stage)
    assert shown(stage, lan) == WORKERS and "donvi" in shown(stage, admin)


async def test_another_role_beside_the_first_changes_the_list(stage: Stage) -> None:
    lan = await stage.member("Ngô Thị Lan", role=Role.REVIEWER)
    await look(stage)
    assert "dungkhan" not in shown(stage, lan)
    grant = await granted(stage, lan, Role.LEADER)
    await look(stage)
    assert {"duyet", "dungkhan"} <= shown(stage, lan)
    async with stage.world.database.write() as session:
        (await session.get_one(Grant, grant)).revoked_at = stage.world.now
    await look(stage)
    assert "duyet" in shown(stage, lan) and "dungkhan" not in shown(stage, lan)


@pytest.mark.parametrize("fault", ["429", "502", "drop_before", "drop_after", "401", "garbage_200"])
async def test_what_telegram_does_not_take_now_is_set_at_the_next_look(
    stage: Stage, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    lan = await stage.member("Ngô Thị Lan", role=Role.REVIEWER)
    for done in ("", "ok"):  # everybody's list meets the fault, then that of the chat
        fake_of(stage).fail(*filter(None, (done, fault)), method="*MyCommands")
        await look(stage)
    await look(stage)
    assert "duyet" in shown(stage, lan) and {*WORKERS} == {
        each["command"] for each in fake_of(stage).state.commands["default"]
    }
    assert {record.levelno for record in caplog.records} == {logging.WARNING} and TOKEN not in caplog.text


async def test_a_chat_that_is_not_there_any_more_keeps_nobody_else_from_their_list(stage: Stage) -> None:
    lan, hai = await stage.member("Ngô Thị Lan", role=Role.REVIEWER), await stage.member("Hải", role=Role.REVIEWER)
    fake_of(stage).fail("ok", "400", method="*MyCommands")
    await look(stage)
    await look(stage)
    assert len(fake_of(stage).calls("setMyCommands")) == 3
    assert "duyet" in shown(stage, hai) and shown(stage, lan) == WORKERS


class Hasty(Clock):
    """Nobody waits for the pause after a failure."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))


async def test_a_bot_that_starts_while_telegram_is_down_makes_up_for_it_when_telegram_is_back(tmp_path: Path) -> None:
    fake = FakeBotApi()
    await fake.start()
    await fake.stop()
    settings = Settings(
        organisation=FACTS["organisation"],
        hotline=FACTS["hotline"],
        telegram_token=SecretStr(TOKEN),
        telegram_api=fake.url,
        data_dir=tmp_path / "data",
    )
    settings.data_dir.mkdir()
    app = await build_app(settings, Hasty())
    await app.start()
    try:
        await app.timetable.run_all()
        async with fake:
            await app.timetable.run_all()
            assert {each["command"] for each in fake.state.commands["default"]} == WORKERS
            fake.person(42).says("menu")
            await fake.until(lambda: "telegram" in app.house.links)
    finally:
        await app.stop()
