"""How many updates a second are answered: ours durable from end to end, beside PTB with a session and commit for each."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from telegram import Update
from telegram.ext import Application, ContextTypes, MessageHandler, filters

from bot.app import App, build_app
from bot.clock import Clock
from bot.settings import Settings
from db import accounts, people, units
from db.models import Audience
from tests.bench.stage import ROUNDS, TOKEN, Server, fresh, measure, median
from tests.people import UNITS

PEOPLE = 48
NUMBER = 960


def updates(number: int) -> list[dict[str, Any]]:
    """People in turn, each asking for the menu."""
    return [
        {
            "update_id": 1000 + n,
            "message": {
                "message_id": n, "date": 1_753_437_300, "text": "menu", "chat": {"id": 1 + n % PEOPLE, "type": "private"},
                "from": {"id": 1 + n % PEOPLE, "is_bot": False, "first_name": "A"},
            },
        }
        for n in range(number)
    ]  # fmt: skip


async def until_answered(at: Server, number: int) -> None:
    """Waits until so many messages have arrived at the server."""
    while (await at.control())["sent"] < number:  # noqa: ASYNC110
        await asyncio.sleep(0.1)


async def ours(at: Server, folder: Path, number: int) -> App:
    """The real app, its people furnished, not yet started."""
    settings = Settings(
        organisation="Liên đoàn Lao động tỉnh Thử Nghiệm", hotline="0200 000 000", telegram_token=SecretStr(TOKEN),
        telegram_api=at.url, data_dir=folder, database_url=fresh(folder, "app"), rate_per_second=1000,
    )  # fmt: skip
    app = await build_app(settings, Clock())
    now = datetime.now(UTC)
    async with app.database.write() as session:
        await units.write(session, list(UNITS), now)
        unit = await units.find_by_code(session, "MAYHOA")
        assert unit is not None
        for n in range(PEOPLE):
            chat = await accounts.enter(session, "telegram", str(n + 1), now)
            person = await people.join(session, chat.account, "test", now)
            person.name, person.unit_id, person.audience = f"Người Thứ {n}", unit.id, Audience.ENTERPRISE
    return app


async def serve(app: App, at: Server, number: int) -> None:
    """Starts it and waits for the last answer."""
    await app.start()
    await until_answered(at, number)


async def plain(at: Server, folder: Path, number: int, together: bool) -> None:
    """PTB as its documentation shows it, with a session that reads and commits for each update."""
    engine = create_async_engine(fresh(folder, "plain"))
    async with engine.begin() as connection:
        await connection.execute(text("PRAGMA journal_mode=WAL"))
        await connection.execute(text("CREATE TABLE seen (chat INTEGER, said TEXT)"))
    sessions: async_sessionmaker[AsyncSession] = async_sessionmaker(engine)

    async def answer(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.effective_chat is not None and update.message is not None
        async with sessions() as session, session.begin():
            known = text("SELECT count(*) FROM seen WHERE chat = :chat")
            await session.execute(known, {"chat": update.effective_chat.id})
            added = text("INSERT INTO seen VALUES (:chat, :said)")
            await session.execute(added, {"chat": update.effective_chat.id, "said": update.message.text})
        await update.message.reply_text("Chào anh/chị. Anh/chị muốn làm gì?")

    bot = Application.builder().token(TOKEN).base_url(f"{at.url}/bot").concurrent_updates(together).build()
    bot.add_handler(MessageHandler(filters.TEXT, answer))
    async with bot:
        await bot.start()
        assert bot.updater is not None
        await bot.updater.start_polling()
        await until_answered(at, number)
        await bot.updater.stop()
        await bot.stop()
    await engine.dispose()


async def run(at: Server, folder: Path) -> None:
    """Prints updates a second, nearby and 60 ms away."""
    for away in (0.0, 0.06):
        rates: dict[str, list[float]] = {"ours": [], "PTB, one at a time": [], "PTB, concurrent": []}
        number = NUMBER if not away else NUMBER // 4
        for _ in range(ROUNDS):
            order = {"delay": away, "updates": updates(number)}
            app = await ours(at, folder, number)
            cost, _told = await measure(at, order, lambda a=app, n=number: serve(a, at, n))  # type: ignore[misc]
            rates["ours"].append(number / cost.wall)
            await app.stop()
            for name, together in (("PTB, one at a time", False), ("PTB, concurrent", True)):
                few = number // 4
                order = {"delay": away, "updates": updates(few)}
                cost, _told = await measure(at, order, lambda t=together, f=few: plain(at, folder, f, t))  # type: ignore[misc]
                rates[name].append(few / cost.wall)
        plain_rate = median(rates["PTB, one at a time"])
        print(f"\nHandling, {away * 1000:.0f} ms away, median of {ROUNDS} rounds")
        for name, found in rates.items():
            print(f"  {name:20} {median(found):7.1f} updates/s  {median(found) / plain_rate:5.1f} x PTB one at a time")
