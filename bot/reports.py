"""What the command line prints about content, calendar, database and the running house."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from bot.settings import Settings
from content.anniversaries import planned
from content.calendar import LOCAL, local_date
from content.packs import Packs
from db import figures, migrate, snapshot
from db.session import Database

MORNING = time(7, 0)
EVENING = time(17, 0)
"""When the default shift gets an anniversary's message: on the day, and before it (5-voice §5.4)."""


def today(now: datetime) -> date:
    """The local date."""
    return local_date(now)


def calendar(packs: Packs, start: date, days: int) -> list[dict[str, Any]]:
    """Every planned automatic message of `days` days; `at` is the default shift's hour, other shifts get it in theirs."""
    return [
        {
            "at": datetime.combine(item.on, MORNING if item.variant == "t0" else EVENING, LOCAL).isoformat(),
            "key": item.key,
            "kind": "anniversary",
            "ordinal": item.ordinal,
            "audience": item.audience,
            "text": item.text,
            "approved": item.approved,
        }
        for item in planned(packs.anniversaries, start, days)
    ]


def questions(packs: Packs) -> list[dict[str, Any]]:
    """Every law question in the form others script against."""
    return [question.to_dict() for question in packs.bank.questions]


def content_summary(packs: Packs, on: date) -> list[str]:
    """What the packs hold, a line each."""
    topics = Counter(question.topic for question in packs.bank.questions)
    reviewed = sum(question.reviewed for question in packs.bank.questions)
    waiting = sum(not item.approved for item in planned(packs.anniversaries, on, 365))
    return [
        f"questions: {len(packs.bank.questions)}, of them reviewed by a person: {reviewed}",
        *(f"  {topic}: {count}, usable today: {len(packs.bank.usable(topic, on))}" for topic, count in topics.items()),
        f"campaigns: {', '.join(str(campaign.year) for campaign in packs.campaigns)}",
        f"automatic messages of the next 365 days that wait for approval: {waiting}",
    ]


async def check_database(settings: Settings) -> tuple[list[str], list[str]]:
    """(problems, notes) about the database; one that does not exist yet is a note."""
    path = Path(settings.database.removeprefix("sqlite+aiosqlite:///"))
    if not path.exists():
        return [], [f"{path}: no database yet; the first start makes it."]
    database = Database(settings.database)
    try:
        await snapshot.verify(database)
        lacking = await migrate.differences(database)
        notes = [f"{path}: the schema is not the newest; the next start brings it up to date."] if lacking else []
        return [], notes + await snapshot.notes(database)
    except snapshot.Unsound as error:
        return [f"{path}: damaged ({error}). Restore the last backup with: congdoan restore FILE"], []
    finally:
        await database.close()


async def status(settings: Settings, now: datetime) -> dict[str, Any]:
    """The state of the house, read beside a running bot."""
    path = Path(settings.database.removeprefix("sqlite+aiosqlite:///"))
    if not path.exists():
        raise FileNotFoundError(2, "there is no database here yet; start the bot first", str(path))
    database = Database(settings.database)
    try:
        async with database.read() as session:
            return await figures.status(session) | {"now": now.astimezone(LOCAL).isoformat()}
    finally:
        await database.close()
