"""What one announcement costs: ours with its durable ledger, beside a bare client and PTB as people use it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from telegram import Bot

from bot.channels.telegram import Telegram
from content.message import Message, to_json
from db import migrate
from db.models import Account, Body, Lane, OutboxRow, OutState, Policy, Reach
from db.session import Database
from scheduler.delivery import FAR, Delivery, window_for
from tests.bench.stage import ROUNDS, TOKEN, Cost, Server, fresh, measure, median

WORDS = "Mời anh/chị dự hội nghị người lao động lúc 17 giờ thứ Hai tại hội trường. Cảm ơn anh/chị!"
UNLIMITED = 10_000.0
"""A pace that nobody reaches."""
IN_FLIGHT = window_for(UNLIMITED, FAR)
"""As many as ours may have: more find more answers in one turn of the loop, which costs each of them less."""
AWAY = 0.01
"""Seconds until the server answers. One that answers at once is busy all the time: it sets the pace, and finding many answers
at every look is what makes a client cheap then."""
IDLE_ENOUGH = 0.5
"""The share of its time for which a server may be busy that is not what is measured."""
NUMBER = 8000
AIOHTTP = "aiohttp, no ledger"


async def house(url: str, number: int) -> Database:
    """An announcement to so many people, planned and due."""
    database = Database(url)
    await migrate.upgrade(database)
    now = datetime.now(UTC)
    async with database.write() as session:
        body = Body(payload=to_json(Message(WORDS)), created_at=now)
        session.add(body)
        await session.flush()
        account = {"channel": "telegram", "reach": Reach.OK, "created_at": now, "seen_at": now}
        row = {
            "policy": Policy.AMO, "lane": Lane.BULK, "kind": "broadcast", "channel": "telegram", "body_id": body.id,
            "state": OutState.READY, "attempts": 0, "not_before": now, "created_at": now, "claim": "", "provider_id": "",
            "edits": "", "error": "",
        }  # fmt: skip
        for first in range(0, number, 10_000):
            ids = range(first + 1, min(first + 10_000, number) + 1)
            await session.execute(insert(Account), [account | {"id": n, "address": str(n)} for n in ids])
            await session.execute(
                insert(OutboxRow), [row | {"dedup_key": f"bc:1:{n}", "account_id": n, "address": str(n)} for n in ids]
            )
    return database


async def left(database: Database) -> int:
    """How many are not final."""
    async with database.read() as session:
        waiting = text("SELECT count(*) FROM outbox WHERE state IN ('ready', 'sending')")
        return int((await session.execute(waiting)).scalar_one())


async def deliver(database: Database, at: Server, rate: float, patience: float = 0.5) -> None:
    """Runs our delivery until everything is final."""
    door = Telegram(TOKEN, at.url, Path("."), sleep=asyncio.sleep, window=window_for(rate, FAR))
    await door.open()
    delivery = Delivery(
        database, door, rate=rate, now=lambda: datetime.now(UTC), monotonic=time.monotonic, sleep=asyncio.sleep,
        mark="bench",
    )  # fmt: skip
    task = asyncio.create_task(delivery.run())
    while await left(database):  # noqa: ASYNC110
        await asyncio.sleep(patience)
    await delivery.stop()
    await task
    await door.close()


async def bare(at: Server, number: int) -> None:
    """An HTTP client on asyncio's streams that builds and parses the JSON, and remembers nothing."""
    place = urlsplit(at.url)
    chats = iter(range(1, number + 1))

    async def work() -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        for chat in chats:
            body = json.dumps({"chat_id": str(chat), "text": WORDS, "parse_mode": "HTML"}).encode()
            head = f"POST /bot{TOKEN}/sendMessage HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            assert json.loads(await reader.readexactly(length))["ok"]
        writer.close()

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


async def kept(at: Server, number: int) -> None:
    """aiohttp, the client that we use, and the JSON; it remembers nothing either."""
    chats = iter(range(1, number + 1))
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def work() -> None:
            for chat in chats:
                body = json.dumps({"chat_id": str(chat), "text": WORDS, "parse_mode": "HTML"}).encode()
                head = {"Content-Type": "application/json"}
                async with session.post(f"{at.url}/bot{TOKEN}/sendMessage", data=body, headers=head) as answer:
                    assert json.loads(await answer.read())["ok"]

        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


async def plain(at: Server, number: int, engine: AsyncEngine) -> None:
    """PTB as it comes, with a session and a commit for each delivery."""
    sessions = async_sessionmaker(engine)
    chats = iter(range(1, number + 1))
    async with Bot(TOKEN, base_url=f"{at.url}/bot") as bot:

        async def work() -> None:
            for chat in chats:
                await bot.send_message(chat, WORDS, parse_mode="HTML")
                async with sessions() as session, session.begin():
                    await session.execute(text("INSERT INTO sent (chat) VALUES (:chat)"), {"chat": chat})

        await asyncio.gather(*(work() for _ in range(8)))


async def compare(at: Server, folder: Path, away: float) -> float:
    """Prints the CPU of one message as ratios to the bare client; returns the share of its time the server was busy."""
    costs: dict[str, list[Cost]] = {name: [] for name in ("bare client", AIOHTTP, "ours", "PTB and a session each")}
    order = {"delay": away}
    await measure(at, order, lambda: bare(at, NUMBER))  # the first calls of a server cost it twice as much
    for _ in range(ROUNDS):
        cost, _told = await measure(at, order, lambda: bare(at, NUMBER))
        costs["bare client"].append(cost)
        cost, _told = await measure(at, order, lambda: kept(at, NUMBER))
        costs[AIOHTTP].append(cost)
        database = await house(fresh(folder, "ours"), NUMBER)
        cost, told = await measure(at, order, lambda d=database: deliver(d, at, UNLIMITED, 0.2))  # type: ignore[misc]
        assert told["sent"] == NUMBER, told
        costs["ours"].append(cost)
        await database.close()
        engine = create_async_engine(fresh(folder, "plain"))
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE sent (chat INTEGER)"))
        cost, _told = await measure(at, order, lambda e=engine: plain(at, NUMBER // 16, e))  # type: ignore[misc]
        costs["PTB and a session each"].append(Cost(cost.cpu * 16, cost.wall * 16, cost.server * 16))
        await engine.dispose()
    floor = median([cost.cpu for cost in costs["bare client"]])
    kept_cpu = median([cost.cpu for cost in costs[AIOHTTP]])
    usual = median([cost.cpu for cost in costs["PTB and a session each"]])
    how = (
        f"answered {away * 1000:.0f} ms later"
        if away
        else "answered at once: how many answers a turn of the loop finds"
    )
    print(f"\nSending, no limit, {NUMBER} messages, {how}, median of {ROUNDS} rounds")
    for name, found in costs.items():
        cpu = median([cost.cpu for cost in found])
        busy = max(cost.server / cost.wall for cost in found)
        print(
            f"  {name:24} {cpu / NUMBER * 1000:7.4f} ms CPU a message  {cpu / floor:6.2f} x the bare client"
            f"  {cpu / kept_cpu:5.2f} x aiohttp  {cpu / usual:6.3f} x PTB and a session each; server busy {busy:.0%} at most"
        )
    return max(cost.server / cost.wall for found in costs.values() for cost in found)


async def run(at: Server, folder: Path) -> None:
    """Against a server that is idle most of the time, which alone says what a message costs, and one that answers at once."""
    busiest = await compare(at, folder, AWAY)
    if busiest > IDLE_ENOUGH:
        sys.exit(f"sending: not valid, the server was busy for {busiest:.0%} of a run")
    await compare(at, folder, 0.0)
