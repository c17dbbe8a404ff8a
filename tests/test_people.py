"""The persons of the tests are what they pretend to be."""

from __future__ import annotations

from sqlalchemy import select

from db.models import Account, AuditRow, Consent, Conversation, Person
from tests.people import World

OWN = {"_sa_instance_state", "id", "person_id", "account_id", "actor_id", "address", "object", "hash"}
OWN |= {"screen", "screen_kind", "choices", "last_choice", "last_press"}
"""What is each one's own, and that the last words of joining still stand."""


async def test_who_is_written_down_as_joined_stands_like_one_who_talked_through_it(world: World) -> None:
    talked = world.person("talked")
    await talked.joins("MAYHOA")
    await world.joined("", confirmed=False)
    stand = []
    async with world.database.read() as session:
        for number in (1, 2):
            rows = [
                *(await session.execute(select(Person).where(Person.id == number))).scalars(),
                *(await session.execute(select(Account).where(Account.person_id == number))).scalars(),
                *(await session.execute(select(Consent).where(Consent.person_id == number))).scalars(),
                *(await session.execute(select(AuditRow).where(AuditRow.actor_id == number))).scalars(),
                *(await session.execute(select(Conversation).where(Conversation.account_id == number))).scalars(),
            ]
            stand.append([{n: v for n, v in vars(row).items() if n not in OWN} for row in rows])
    assert len(stand[0]) == 7 and stand[0] == stand[1]
