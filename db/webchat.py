"""The web chat's own memory: sessions of browsers, and the messages of each chat as a platform keeps them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from db.models import WebMessage, WebSession
from db.session import Session

KEEP_SESSION = timedelta(days=180)
PAGE = 200
"""How many messages a browser gets when it opens a chat."""


async def open_session(session: Session, token_hash: str, address: str, csrf: str, now: datetime) -> WebSession:
    """A new browser with a chat of its own; only the hash of its cookie is kept."""
    row = WebSession(token_hash=token_hash, address=address, csrf=csrf, created_at=now, seen_at=now)
    session.add(row)
    await session.flush()
    return row


async def find_session(session: Session, token_hash: str) -> WebSession | None:
    """The session of a cookie."""
    return await session.get(WebSession, token_hash)


async def add(session: Session, address: str, payload: dict[str, Any], now: datetime, *, mine: bool) -> WebMessage:
    """Adds a message to a chat; `change` numbers what is new or edited, so that a browser can ask for the rest."""
    row = WebMessage(address=address, mine=mine, payload=payload, change=await _next(session), at=now)
    session.add(row)
    await session.flush()
    return row


async def edit(session: Session, address: str, message_id: int, payload: dict[str, Any]) -> bool:
    """Changes a message in place; False when it is not there any more."""
    changed = await session.execute(
        update(WebMessage)
        .where(WebMessage.id == message_id, WebMessage.address == address)
        .values(payload=payload, change=await _next(session))
        .returning(WebMessage.id)
    )
    return changed.scalar() is not None


async def _next(session: Session) -> int:
    return int((await session.execute(select(func.coalesce(func.max(WebMessage.change), 0)))).scalar_one()) + 1


async def since(session: Session, address: str, change: int) -> list[WebMessage]:
    """What is new or edited in a chat after a change number, at most the last 200, in order of change."""
    query = (
        select(WebMessage)
        .where(WebMessage.address == address, WebMessage.change > change)
        .order_by(WebMessage.change.desc())
        .limit(PAGE)
    )
    return list(reversed((await session.execute(query)).scalars().all()))


async def get(session: Session, address: str, message_id: int) -> WebMessage | None:
    """A message of one chat; somebody else's looks like none."""
    row = await session.get(WebMessage, message_id)
    return row if row is not None and row.address == address else None


async def tidy(session: Session, now: datetime) -> None:
    """Forgets browsers that were not seen for half a year, with what their chats said."""
    old = select(WebSession.address).where(WebSession.seen_at < now - KEEP_SESSION)
    await session.execute(delete(WebMessage).where(WebMessage.address.in_(old)))
    await session.execute(delete(WebSession).where(WebSession.seen_at < now - KEEP_SESSION))
