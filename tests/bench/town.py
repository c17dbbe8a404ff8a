"""A province of as many people as one likes, made in SQL in seconds, with an announcement that waits for its hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from db import broadcasts, migrate, units
from db.audiences import Rule
from db.models import Grant, Lane, OutState, Policy, Role
from db.session import Database
from tests.people import UNITS

WORDS = "Mời anh/chị dự hội nghị người lao động lúc 17 giờ thứ Hai tại hội trường. Cảm ơn anh/chị!"
FIRST = 1_000_000
"""The chat of the first person; the others follow."""


async def people_of(database: Database, number: int) -> None:
    """So many people who joined, each with a chat on Telegram and their consents, spread over the units."""
    now = datetime.now(UTC)
    async with database.write() as session:
        await units.write(session, list(UNITS), now)
        count = f"WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {number}) "
        at = {"at": now.replace(tzinfo=None).isoformat(" ")}
        for insert in (
            "INSERT INTO persons (id, name, audience, membership, confirmed, unit_id, shift, quiet, news, muted_topics,"
            " processing, joined_at, seen_at) " + count +
            "SELECT n, 'Nguyễn Thị Người Thứ ' || n, 'enterprise', 'yes', 1, units.id, 'office', '', 1, '[]', 1, :at, :at"
            " FROM n JOIN units ON units.id = 1 + n % (SELECT count(*) FROM units)",
            "INSERT INTO accounts (id, channel, address, person_id, reach, command_list, created_at, seen_at) " + count +
            f"SELECT n, 'telegram', CAST({FIRST} + n AS TEXT), n, 'ok', '', :at, :at FROM n",
            "INSERT INTO consents (person_id, purpose, text_version, channel, given_at) " + count +
            "SELECT n, p.column1, 'v1', 'telegram', :at FROM n, (VALUES ('account'), ('news')) AS p",
        ):  # fmt: skip
            await session.execute(text(insert), at)


async def announce(database: Database, *, kind: str = "urgent", ago: timedelta = timedelta()) -> int:
    """An announcement of the province to everybody, confirmed and due; its id."""
    now = datetime.now(UTC) - ago
    async with database.write() as session:
        top = await units.find_by_code(session, UNITS[0].code)
        assert top is not None
        if await session.get(Grant, 1) is None:
            session.add(
                Grant(id=1, person_id=1, role=Role.UPPER_OFFICER, unit_id=top.id, granted_at=now, confirmed_at=now)
            )
            await session.flush()
        number = (await session.execute(text("SELECT count(*) FROM persons"))).scalar_one()
        made = await broadcasts.create(
            session, author_id=1, kind=kind, topic=kind, unit_id=top.id, audience=Rule(top.id), number=number,
            text=WORDS, media=[], timing="now", send_at=now, second=False, year=now.year, now=now,
        )  # fmt: skip
        return made.id


async def sent_before(database: Database, times: int) -> None:
    """Announcements that everybody got weeks ago, as they are kept."""
    for n in range(times):
        ago = timedelta(days=10 + 5 * n)
        broadcast_id = await announce(database, kind="notice", ago=ago)
        at = (datetime.now(UTC) - ago).replace(tzinfo=None).isoformat(" ")
        async with database.write() as session:
            body = "INSERT INTO bodies (payload, created_at) VALUES ('{}', :at) RETURNING id"
            found = {"at": at, "bc": broadcast_id, "body": (await session.execute(text(body), {"at": at})).scalar_one()}
            await session.execute(text(
                "INSERT INTO outbox (dedup_key, policy, lane, kind, account_id, person_id, channel, address, broadcast_id,"
                " body_id, at_once, state, attempts, not_before, claim, provider_id, edits, error, created_at, finished_at) "
                f"SELECT 'bc:' || :bc || ':' || person_id, '{Policy.AMO}', {int(Lane.BULK)}, 'notice', id, person_id,"
                f" channel, address, :bc, :body, false, '{OutState.SENT}', 1, :at, '77-0a1b2c3d', CAST(id AS TEXT), '', '', :at, :at"
                " FROM accounts"
            ), found)  # fmt: skip
            await session.execute(text(
                "UPDATE broadcast_targets SET state = 'planned', outbox_id = (SELECT id FROM outbox WHERE"
                " dedup_key = 'bc:' || :bc || ':' || broadcast_targets.person_id) WHERE broadcast_id = :bc"
            ), found)  # fmt: skip
            await session.execute(text("UPDATE broadcasts SET state = 'done', finished_at = :at WHERE id = :bc"), found)


async def hurry(database: Database) -> None:
    """Whatever waits for its reader's hours may go now."""
    async with database.write() as session:
        at_once = "UPDATE outbox SET not_before = created_at, expires_at = NULL WHERE state = 'ready'"
        await session.execute(text(at_once))


async def build(url: str, number: int, *, past: int = 0) -> Database:
    """The town, newly made."""
    database = Database(url)
    await migrate.upgrade(database)
    await people_of(database, number)
    await sent_before(database, past)
    return database
