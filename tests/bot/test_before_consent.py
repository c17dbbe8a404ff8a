"""What comes in is stored, answered and, without a consent that stands, forgotten in the same transaction (decisions 14)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from bot import inbox
from db.models import InboxRow, InboxState
from tests.bot.test_poison import Post
from tests.people import TestPerson, World


async def kept(world: World, post: Post, person: TestPerson, *texts: str) -> list[bool]:
    """Which of these messages still stand in the inbox once they are answered."""
    first = post.count
    for text in texts:
        await post.comes(person, text)
        await post.passes(minutes=1)
    async with world.database.read() as session:
        rows = (await session.execute(select(InboxRow).order_by(InboxRow.id))).scalars().all()
    assert all(bool(row.raw) == bool(row.lane) for row in rows)
    return [bool(row.raw) for row in rows[first:]]


async def test_nothing_that_is_said_before_consent_or_after_withdrawing_it_is_kept(world: World) -> None:
    post, hoa = Post(world), world.person("Hoa")
    assert await kept(world, post, hoa, "/start u-MAYHOA", "xem thu truoc", "thi dua", "tham gia") == [False] * 4
    assert await kept(world, post, hoa, "toi dong y", "khong", "dung roi", "cong nhan") == [True] * 4
    assert hoa.last.key == "onboarding.done"
    assert await kept(world, post, hoa, "ca nhan", "rut dong y", "ngung moi xu ly", "menu") == [
        True,
        True,
        False,
        False,
    ]
    assert await kept(world, post, hoa, "ca nhan", "xoa tat ca", "toi muon xoa", "xoa", "alo") == [False] * 5
    assert hoa.last.key == "onboarding.welcome"
    async with world.database.read() as session:
        assert not any((await session.execute(select(InboxRow.raw))).scalars())


@pytest.mark.parametrize("text", ["lời CANARY của tôi", "số CCCD 001099012345 CANARY"])
async def test_what_could_not_be_handled_at_first_is_not_kept_in_what_went_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    post, answer = Post(world), inbox.answer

    async def broken(session: Any, house: Any, incoming: Any) -> Any:
        raise ValueError(f"invalid literal: {incoming.text!r}")

    monkeypatch.setattr(inbox, "answer", broken)
    await post.comes(world.person("Hoa"), text)
    await post.passes()
    assert await remembered(world) == (InboxState.NEW, True)
    monkeypatch.setattr(inbox, "answer", answer)
    await post.passes(seconds=1)
    assert await remembered(world) == (InboxState.DONE, False)


async def remembered(world: World) -> tuple[InboxState, bool]:
    """Of the only message: how far it is, and whether any of it stands in its row."""
    async with world.database.read() as session:
        row = (await session.execute(select(InboxRow))).scalar_one()
    return row.state, "CANARY" in row.raw + row.error
