"""Telegram brings the updates: stored before it hears a 2xx, once each, in the order of their chat, from nobody else (T5, T10)."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from bot.app import App, build_app
from bot.channels.telegram import Telegram, door
from bot.channels.telegram.webhook import Webhook
from bot.clock import Clock
from bot.inbox import GLANCE, Inbox, arrival
from bot.settings import Settings
from bot.web.hook import LARGEST_UPDATE, SECRET
from db.inbox import Arrival
from db.models import InboxRow
from tests.databases import Template
from tests.fakes.botapi import TOKEN, FakeBotApi
from tests.fakes.channel import PlainDoor
from tests.people import FACTS, World
from tests.prove import cases, note
from tests.test_kill import Load, ask, house, settled

pytestmark = pytest.mark.sqlite

ADDRESS = "https://trolyxa.example.vn"
WEBHOOK = Webhook.of(TOKEN, ADDRESS)


async def until(holds: Callable[[], object], seconds: float) -> None:
    """Waits for a state."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 nobody says when
            await asyncio.sleep(0.01)


@dataclass
class Hooked:
    """A house that Telegram brings its updates to."""

    app: App
    fake: FakeBotApi

    async def bring(
        self, body: Any, path: str = WEBHOOK.path, secret: str = WEBHOOK.secret, kind: str = "application/json"
    ) -> tuple[int, str]:
        """What anybody gets who posts there: the status, and after how long to come again."""
        assert self.app.server is not None
        data = BytesIO(
            body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        )
        headers = {SECRET: secret, "Content-Type": kind} if secret else {"Content-Type": kind}
        url = self.app.server.address.rstrip("/") + path
        async with aiohttp.ClientSession() as client, client.post(url, data=data, headers=headers) as answer:
            return answer.status, answer.headers.get("Retry-After", "")

    async def stored(self) -> list[str]:
        """The number of every update, in the order in which they were stored."""
        async with self.app.database.read() as session:
            return list((await session.execute(select(InboxRow.ext_id).order_by(InboxRow.id))).scalars())


@pytest.fixture
async def hooked(tmp_path: Path, template: Template, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hooked]:
    monkeypatch.setattr(door, "HOOKED", 0.1)
    data = tmp_path / "data"
    data.mkdir()
    (data / "congdoan.db").write_bytes(template.path.read_bytes())
    async with FakeBotApi() as fake:
        given = {
            "data_dir": data, "telegram_token": SecretStr(TOKEN), "telegram_api": fake.url, "telegram_webhook": True,
            "web_address": ADDRESS, "web_port": 0, "organisation": FACTS["organisation"], "hotline": FACTS["hotline"],
        }  # fmt: skip
        app = await build_app(Settings.model_construct(**Settings.model_construct().model_dump() | given), Clock())
        await app.start()
        try:
            assert app.server is not None
            fake.bringer.at, fake.bringer.first = app.server.address, 0.05
            await until(lambda: fake.state.webhook == WEBHOOK.url, 10)
            yield Hooked(app, fake)
        finally:
            await app.stop()


async def test_what_people_say_is_brought_and_answered_and_nothing_is_polled(hooked: Hooked) -> None:
    hooked.fake.person(42).says("menu")
    await hooked.fake.until(lambda: hooked.fake.calls("sendMessage", 42))
    assert hooked.fake.polls == [] and hooked.fake.pending == []
    assert hooked.fake.state.secret == WEBHOOK.secret


async def test_a_house_without_a_web_chat_shows_nothing_but_its_health(hooked: Hooked) -> None:
    assert hooked.app.server is not None
    routes = {route.resource.canonical for route in hooked.app.server.application().router.routes() if route.resource}
    assert routes == {"/healthz", "/telegram/{path}"}


UPDATE = {
    "update_id": 1,
    "message": {"message_id": 1, "date": 1, "chat": {"id": 42, "type": "private"}, "text": "menu"},
}
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("status", "how"),
    [
        (404, {"path": "/telegram/" + "0" * 64}),
        (404, {"path": "/telegram/x"}),
        (403, {"secret": ""}),
        (403, {"secret": "0" * 64}),
        (403, {"secret": "đ" * 64}),
        (415, {"kind": "text/plain"}),
        (413, {"body": json.dumps(UPDATE | {"x": "x" * LARGEST_UPDATE})}),
        (400, {"body": "{"}),
        (400, {"body": b"\xff\xfe"}),
        (400, {"body": DEEP}),
    ],
)
async def test_what_is_not_telegrams_or_is_no_update_is_refused_and_leaves_no_row(
    hooked: Hooked, status: int, how: dict[str, Any]
) -> None:
    assert (await hooked.bring(**{"body": UPDATE} | how))[0] == status
    assert await hooked.stored() == []
    assert (await hooked.bring(UPDATE))[0] == 200  # the same by Telegram is taken
    assert len(await hooked.stored()) == 1


async def test_what_cannot_be_stored_is_not_acknowledged_and_comes_again(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, tries = hooked.app.inbox._store, 0

    async def fails_twice(*given: Any) -> int:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise OperationalError("INSERT", {}, Exception("disk I/O error"))
        return await store(*given)

    monkeypatch.setattr(hooked.app.inbox, "_store", fails_twice)
    assert await hooked.bring(UPDATE) == (503, "5")
    assert await hooked.stored() == []
    monkeypatch.setattr("bot.web.hook.BUSY", 0)
    hooked.fake.person(42).says("menu")
    await hooked.fake.until(lambda: not hooked.fake.pending)
    assert hooked.fake.bringer.brought == 2 and len(await hooked.stored()) == 1


async def test_what_comes_at_once_is_stored_in_few_commits(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    store, commits = hooked.app.inbox._store, 0

    async def counts(*given: Any) -> int:
        nonlocal commits
        commits += 1
        await asyncio.sleep(0.05)
        return await store(*given)

    monkeypatch.setattr(hooked.app.inbox, "_store", counts)
    bodies = [UPDATE | {"update_id": number} for number in range(1, 41)]
    assert {status for status, _ in await asyncio.gather(*map(hooked.bring, bodies))} == {200}
    assert len(await hooked.stored()) == 40 and commits < 20


async def test_one_that_cannot_be_stored_holds_up_no_other_that_is_brought_with_it(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = hooked.app.inbox._store

    async def refuses_seven(channel: str, bot: str, arrivals: Sequence[Arrival], also: Any) -> int:
        await asyncio.sleep(0.05)
        if any(each.ext_id == "7" for each in arrivals):
            raise ValueError("no database takes this")
        return await store(channel, bot, arrivals, also)

    monkeypatch.setattr(hooked.app.inbox, "_store", refuses_seven)
    answers = await asyncio.gather(*(hooked.bring(UPDATE | {"update_id": number}) for number in range(1, 21)))
    assert [status for status, _ in answers] == [503 if number == 7 else 200 for number in range(1, 21)]
    assert sorted(map(int, await hooked.stored())) == [number for number in range(1, 21) if number != 7]


@pytest.mark.parametrize(("longer", "looks"), [(0, 0), (3, 3), (10_000, 50)])
async def test_what_is_brought_is_stored_before_what_came_before_is_answered_but_not_for_long(
    world: World, longer: int, looks: int
) -> None:
    looked, answered_after = 0, []

    async def nap(seconds: float) -> None:
        nonlocal looked
        assert seconds == GLANCE
        looked += 1

    inbox = Inbox(
        world.database, world.house, {"test": PlainDoor()}, now=lambda: world.now, sleep=nap,
        said=lambda _: answered_after.append(looked), arriving=lambda: looked < longer,
    )  # fmt: skip
    await inbox.store("test", "", [arrival("1", "chat-1", {"address": "chat-1", "text": "menu"})])
    await inbox._start_some()
    await inbox.stop()
    assert answered_after == [looks]


async def test_while_an_update_is_brought_the_inbox_knows(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hooked.app.telegram is not None
    known = []

    async def take(*given: Any) -> None:
        known.append(hooked.app.inbox._arriving())

    monkeypatch.setattr(hooked.app.telegram, "take", take)
    assert not hooked.app.inbox._arriving()
    assert (await hooked.bring(UPDATE))[0] == 200
    assert known == [True] and not hooked.app.inbox._arriving()


async def test_what_was_polled_before_and_is_brought_again_takes_effect_once(hooked: Hooked) -> None:
    assert hooked.app.telegram is not None and hooked.app.polling is not None
    await hooked.app.polling._store(hooked.app.telegram.name, hooked.app.telegram.number, [door._arrival(UPDATE)])
    assert await hooked.bring(UPDATE) == (200, "")
    assert await hooked.stored() == ["1"]


async def test_while_the_disk_is_full_telegram_keeps_what_comes(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooked.app.watch, "has_room", lambda: False)
    assert await hooked.bring(UPDATE) == (503, "60")
    assert await hooked.stored() == []


async def test_an_update_whose_acknowledgement_is_lost_takes_effect_once_and_chats_stay_in_order(
    hooked: Hooked,
) -> None:
    hooked.fake.bringer.deaf, hooked.fake.bringer.first = 0.5, 0.01
    numbers: dict[int, list[str]] = {}
    for turn in range(5):
        for chat in range(100, 112):
            hooked.fake.person(chat).says(f"lời {turn}")
            numbers.setdefault(chat, []).append(str(hooked.fake.pending[-1]))
    await hooked.fake.until(lambda: not hooked.fake.pending, 60)
    rows = await hooked.stored()
    assert hooked.fake.bringer.brought > len(rows) == 60
    assert all([number for number in rows if number in chat] == chat for chat in numbers.values())
    await hooked.fake.until(lambda: len(hooked.fake.calls("sendMessage")) >= 60, 60)
    assert len(hooked.fake.calls("sendMessage")) == 60


async def test_a_telegram_that_cannot_reach_us_is_seen_though_it_answers(hooked: Hooked) -> None:
    polling = hooked.app.polling
    assert polling is not None
    await until(lambda: polling.heard, 10)
    assert polling.failing() is None
    right, hooked.fake.bringer.at, hooked.fake.bringer.first = hooked.fake.bringer.at, "http://127.0.0.1:9", 4.0
    hooked.fake.person(42).says("menu")
    await until(lambda: (polling.failing() or 0.0) > 2.0, 10)  # also at looks between two of Telegram's tries
    hooked.fake.bringer.at = right
    await hooked.fake.until(lambda: not hooked.fake.pending, 20)
    await until(lambda: polling.failing() is None, 30)


async def test_who_took_the_webhook_away_does_not_keep_it(hooked: Hooked) -> None:
    hooked.fake.state.webhook = ""
    await until(lambda: hooked.fake.state.webhook == WEBHOOK.url, 10)


async def test_a_bot_that_polls_takes_away_the_webhook_of_before_and_loses_nothing(tmp_path: Path) -> None:
    async with FakeBotApi() as fake:
        fake.person(42).says("menu")
        fake.state.webhook = WEBHOOK.url
        telegram = Telegram(TOKEN, fake.url, tmp_path, sleep=lambda _: asyncio.sleep(0.01))
        await telegram.open()
        came: list[Arrival] = []

        async def store(channel: str, bot: str, arrivals: Any) -> int:
            came.extend(arrivals)
            return len(arrivals)

        polling = asyncio.create_task(telegram.run(store))
        try:
            await until(lambda: came, 10)
        finally:
            polling.cancel()
            await telegram.close()
        assert fake.state.webhook == "" and [arrival.lane for arrival in came] == ["42"]


def test_the_words_of_a_webhook_follow_from_the_token_and_tell_nothing_of_it() -> None:
    other = Webhook.of("1:" + "b" * 35, ADDRESS)
    assert Webhook.of(TOKEN, ADDRESS) == WEBHOOK and len({WEBHOOK.path, WEBHOOK.secret, other.path, other.secret}) == 4
    assert TOKEN.partition(":")[2] not in WEBHOOK.url + WEBHOOK.secret
    assert 1 <= len(WEBHOOK.secret) <= 256  # what Telegram takes, of A-Z a-z 0-9 _ -


@pytest.mark.timeout(280)
async def test_killed_while_updates_are_brought_nothing_that_got_a_200_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = cases(5)
    rng = random.Random(played.start)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("CONGDOAN_TELEGRAM_WEBHOOK", "true")
    monkeypatch.setenv("CONGDOAN_WEB_ADDRESS", ADDRESS)
    monkeypatch.setenv("CONGDOAN_WEB_PORT", str(port))
    reporters, forged, refused = 6 * len(played), 0, 0
    async with house(tmp_path, reporters, 1) as (fake, bot, path, _):
        at = f"http://127.0.0.1:{port}"
        await fake.control("bring", at=at, deaf=0.05, first=0.1, longest=4.0)
        load = Load(fake, reporters, 1, rng)
        loading, ended = asyncio.create_task(load.run()), asyncio.Event()

        async def forges() -> None:
            nonlocal forged, refused
            async with aiohttp.ClientSession() as client:
                while not ended.is_set():
                    body = json.dumps(UPDATE | {"update_id": rng.randrange(10**9)})
                    given = {SECRET: rng.choice((WEBHOOK.secret[::-1], "", TOKEN)), "Content-Type": "application/json"}
                    try:
                        async with client.post(at + WEBHOOK.path, data=body, headers=given) as answer:
                            forged, refused = forged + 1, refused + (answer.status == 403)
                    except aiohttp.ClientError:
                        await asyncio.sleep(0.05)  # nobody is there
                    await asyncio.sleep(0.01)

        forging = asyncio.create_task(forges())
        for _ in played:
            await bot.start()
            if rng.random() < 0.7:
                await bot.ready()
            await asyncio.sleep(rng.uniform(0.1, 1.5))
            await bot.end()
        load.stop.set()
        await loading
        await bot.start()
        await settled(fake, path, 120)
        ended.set()
        await forging
        assert await bot.end(signal.SIGTERM) == 0
        confirmed = (await fake.control("queue"))["confirmed"]
    stored = {str(row[0]) for row in ask(path, "SELECT ext_id FROM inbox")}
    reports = ask(path, "SELECT author_id, count(*) FROM submissions GROUP BY author_id")
    note(
        updates=load.pushed, updates_lost=len({str(number) for number in confirmed} - stored), reports=len(reports),
        forged=forged, forged_and_taken=forged - refused,
    )  # fmt: skip
    assert len(confirmed) == load.pushed and {str(number) for number in confirmed} == stored
    assert ask(path, "SELECT DISTINCT state FROM inbox") == [("done",)]
    assert len(reports) == len(load.begun) and all(count == 1 for _, count in reports)
    assert forged and forged == refused
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]
