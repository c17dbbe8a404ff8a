"""How many updates a second are answered: ours durable from end to end, beside PTB with a session and commit for each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import Application, CallbackQueryHandler, ContextTypes, MessageHandler, filters

from bot.app import App, build_app
from bot.clock import Clock
from bot.settings import Settings
from db import accounts, people, units
from db.models import Audience
from tests.bench.stage import ROUNDS, TOKEN, Cost, Server, fresh, measure, median, part
from tests.people import UNITS

PEOPLE = 48
NUMBER = 1920
CROWD = 1000
"""Who wrote while the bot was away."""
BACKLOG = 10_000
WORDS = ("menu", "muc khac")
"""What people ask for in turn: two short answers that can be told apart."""
SECOND = (WORDS[1], "Các mục khác")
"""How the answers to the second begin."""

Bot = Callable[[], AbstractAsyncContextManager[None]]


def updates(number: int, people: int = PEOPLE, words: tuple[str, ...] = WORDS) -> list[dict[str, Any]]:
    """People in turn, each asking for one thing after another."""
    return [
        {
            "update_id": 1000 + n,
            "message": {
                "message_id": n, "date": 1_753_437_300, "text": words[n // people % len(words)],
                "chat": {"id": 1 + n % people, "type": "private"},
                "from": {"id": 1 + n % people, "is_bot": False, "first_name": "A"},
            },
        }
        for n in range(number)
    ]  # fmt: skip


async def until_answered(at: Server, number: int) -> None:
    """Waits until so many messages have arrived at the server."""
    while (await at.control())["sent"] < number:  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def house(at: Server, folder: Path, crowd: int = PEOPLE) -> App:
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
        for n in range(crowd):
            chat = await accounts.enter(session, "telegram", str(n + 1), now)
            person = await people.join(session, chat.account, "test", now)
            person.name, person.unit_id, person.audience = f"Người Thứ {n}", unit.id, Audience.ENTERPRISE
    return app


@asynccontextmanager
async def ours(at: Server, folder: Path) -> AsyncIterator[None]:
    """Our bot at work, what it does at its start behind it."""
    app = await house(at, folder)
    await app.start()
    await asyncio.sleep(2)
    yield
    await app.stop()


@asynccontextmanager
async def plain(at: Server, folder: Path, together: bool) -> AsyncIterator[None]:
    """PTB as its documentation shows it, with a session that reads and commits for each update."""
    engine = create_async_engine(fresh(folder, "plain"))
    async with engine.begin() as connection:
        await connection.execute(text("PRAGMA journal_mode=WAL"))
        await connection.execute(text("CREATE TABLE seen (chat INTEGER, said TEXT)"))
    sessions: async_sessionmaker[AsyncSession] = async_sessionmaker(engine)
    buttons = InlineKeyboardMarkup([[InlineKeyboardButton(each, callback_data=f"s:{each}") for each in "ABCD"]])

    async def remember(update: Update, said: str | None) -> None:
        assert update.effective_chat is not None
        async with sessions() as session, session.begin():
            known = text("SELECT count(*) FROM seen WHERE chat = :chat")
            await session.execute(known, {"chat": update.effective_chat.id})
            added = text("INSERT INTO seen VALUES (:chat, :said)")
            await session.execute(added, {"chat": update.effective_chat.id, "said": said})

    async def answer(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message is not None
        await remember(update, update.message.text)
        await update.message.reply_text(f"{update.message.text}: anh/chị muốn làm gì?", reply_markup=buttons)

    async def pressed(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        press = update.callback_query
        assert press is not None
        await remember(update, press.data)
        await press.answer()
        await press.edit_message_text(f"{press.data}: câu tiếp theo?", reply_markup=buttons)

    bot = Application.builder().token(TOKEN).base_url(f"{at.url}/bot").concurrent_updates(together).build()
    bot.add_handler(MessageHandler(filters.TEXT, answer))
    bot.add_handler(CallbackQueryHandler(pressed))
    async with bot:
        await bot.start()
        assert bot.updater is not None
        await bot.updater.start_polling()
        yield
        await bot.updater.stop()
        await bot.stop()
    await engine.dispose()


def out_of_order(heard: dict[str, list[str]], number: int) -> int:
    """To how many people answers came in another order than they had asked, or not all of them."""
    wrong = 0
    for chat, said in heard.items():
        asked = len(range(int(chat) - 1, number, PEOPLE))
        wrong += len(said) != asked or any(text.startswith(SECOND) != bool(n % 2) for n, text in enumerate(said))
    return wrong + PEOPLE - len(heard)


async def typed(at: Server, bot: Bot, away: float, number: int) -> tuple[Cost, int]:
    """What people write, all at once. Returns what it cost and how many were answered out of order."""
    order = {"delay": away, "updates": updates(number), "listens": True}
    async with bot():
        cost, _told = await measure(at, order, lambda: until_answered(at, number))
    return cost, out_of_order((await at.report())["heard"], number)


async def pressed(at: Server, bot: Bot, away: float, number: int) -> tuple[Cost, int]:
    """Answers to questions of the quiz, one of each person at a time. A press is acknowledged, too."""
    async with bot():
        order = {"delay": away, "updates": updates(PEOPLE, words=("/onluat",)), "taps": number - PEOPLE}
        cost, _told = await measure(at, order, lambda: until_answered(at, number))
    return cost, 0


async def compare(at: Server, folder: Path) -> None:
    """Prints updates a second of what is typed and of what is pressed, nearby and 60 ms away."""
    bots: dict[str, Bot] = {
        "ours": partial(ours, at, folder),
        "PTB, one at a time": partial(plain, at, folder, False),
        "PTB, concurrent": partial(plain, at, folder, True),
    }
    for what, play in (("typed", typed), ("pressed", pressed)):
        for away in (0.0, 0.06):
            rates: dict[str, list[float]] = {name: [] for name in bots}
            cpus: dict[str, list[float]] = {name: [] for name in bots}
            astray = dict.fromkeys(bots, 0)
            for _ in range(ROUNDS):
                for name, bot in bots.items():
                    number = NUMBER if name == "ours" else NUMBER // (16 if away else 4)
                    cost, wrong = await play(at, bot, away, number)
                    rates[name].append(number / cost.wall)
                    cpus[name].append(cost.cpu / number * 1000)
                    astray[name] = max(astray[name], wrong)
            plain_rate = median(rates["PTB, one at a time"])
            print(f"\nHandling what is {what}, {away * 1000:.0f} ms away, {PEOPLE} people, median of {ROUNDS} rounds")
            for name, found in rates.items():
                order = f"  {astray[name]} people answered out of order" if play is typed else ""
                print(
                    f"  {name:20} {median(found):7.1f} updates/s  {median(found) / plain_rate:5.1f} x PTB one at a time"
                    f"  {median(cpus[name]):6.2f} ms CPU each{order}"
                )
            assert not astray["ours"], "ours answered somebody out of order"


async def drain(at: Server, folder: Path, backlog: int) -> None:
    """Prints how fast what was written during an outage is answered, from a cold start to the last answer."""
    for away in (0.0, 0.06):
        app = await house(at, folder, CROWD)
        order = {"delay": away, "updates": updates(backlog, CROWD)}

        async def start(app: App = app) -> None:
            await app.start()
            await until_answered(at, backlog)

        cost, _told = await measure(at, order, start)
        await app.stop()
        print(
            f"\nA backlog of {backlog:,} of {CROWD:,} people after an outage, {away * 1000:.0f} ms away: answered in "
            f"{cost.wall:.1f} s, {backlog / cost.wall:.1f}/s, {cost.cpu / backlog * 1000:.2f} ms CPU each"
        )


async def run(at: Server, folder: Path) -> None:
    """Prints updates a second, with ratios to PTB in the same run, and those of a backlog."""
    await compare(at, folder)
    await drain(at, folder, part(BACKLOG))
