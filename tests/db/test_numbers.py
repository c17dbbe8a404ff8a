"""A number that was given out never names another row, nor a receipt code another thing: what is remembered of the one
would be taken for the other's."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select

from db import accounts, jobs
from db.models import Base, Draft, Job
from tests.people import START, World

KEPT = {
    "audit", "bodies", "broadcasts", "consents", "invitations", "persons", "submission_events", "submissions", "unit_aliases",
    "units", "contests", "contest_disqualifications", "contest_downtimes",
}  # fmt: skip
"""Rows of these stay, blank where they must be."""
UNNAMED = {"accounts", "inbox", "outbox", "web_messages"}
"""Nothing remembers rows of these by their number once they are gone: what is on its way or was last given out stays."""


def test_what_is_deleted_leaves_no_number_to_be_given_out_again() -> None:
    numbered = {table.name for table in Base.metadata.sorted_tables if list(table.primary_key.columns.keys()) == ["id"]}
    once = {table.name for table in Base.metadata.sorted_tables if table.dialect_options["sqlite"]["autoincrement"]}
    assert numbered - once == KEPT | UNNAMED


@pytest.mark.parametrize("table", [Job, Draft])
async def test_the_number_of_a_deleted_row_is_not_given_out_again(world: World, table: type[Job | Draft]) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    given = []
    for _ in range(2):
        async with world.database.write() as session:
            await jobs.add(session, "export", {}, None, START)
            await accounts.open_draft(session, await hoa.id(), "report", "title", START)
            given.append((await session.execute(select(table.id))).scalar_one())
            await session.execute(delete(table))
    assert given[0] < given[1]
