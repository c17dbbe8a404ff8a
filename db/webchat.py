"""The web chat's own memory: sessions of browsers, and the messages of each chat as a platform keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, cast, delete, false, func, or_, select, update

from db.json_text import from_text, to_text, within
from db.models import (
    Account,
    Attachment,
    FileState,
    InboxRow,
    InboxState,
    Person,
    Reach,
    WebMessage,
    WebSession,
)
from db.session import Session

CHANNEL = "webchat"
KEEP_SESSION = timedelta(days=180)
SEEN_EVERY = timedelta(days=1)
"""How fine `seen_at` is: a visit a day is one write, not one for every page."""
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


async def seen(session: Session, token_hash: str, now: datetime) -> None:
    """Notes that a browser came back: what is used is not forgotten."""
    await session.execute(update(WebSession).where(WebSession.token_hash == token_hash).values(seen_at=now))


async def add(session: Session, address: str, payload: dict[str, Any], now: datetime, *, mine: bool) -> WebMessage:
    """Adds a message to a chat; `change` numbers what is new or edited, so that a browser can ask for the rest."""
    row = WebMessage(
        address=address, mine=mine, payload=payload, change=await last_change(session, address) + 1, at=now
    )
    session.add(row)
    await session.flush()
    return row


async def edit(session: Session, address: str, message_id: int, payload: dict[str, Any]) -> bool:
    """Changes a message in place; False when it is not there any more."""
    changed = await session.execute(
        update(WebMessage)
        .where(WebMessage.id == message_id, WebMessage.address == address)
        .values(payload=payload, change=await last_change(session, address) + 1)
        .returning(WebMessage.id)
    )
    return changed.scalar() is not None


async def take_presses(session: Session, address: str, message_id: int) -> None:
    """Empties the bubbles of presses that a message answered by changing in place, with nothing said below it since.

    Its reader looks at the message; at the end of the chat there would be a press without an answer.
    """
    mine = WebMessage.address == address, WebMessage.mine, WebMessage.id > message_id
    newest = select(func.max(WebMessage.id)).where(WebMessage.address == address, WebMessage.mine.is_(False))
    for row in (
        await session.execute(select(WebMessage).where(*mine, WebMessage.id > newest.scalar_subquery()))
    ).scalars():
        if row.payload.get("pressed"):
            await _empty(session, row)


async def hide(session: Session, address: str, text: str, names: set[str], key: str = "") -> None:
    """Empties the newest bubble in which a person said this or sent files of these names; its page takes it away.

    With `key`, that of an album's bubble, no other: the pictures of a phone often share a name.
    """
    said = select(WebMessage).where(WebMessage.address == address, WebMessage.mine).order_by(WebMessage.id.desc())
    for row in (await session.execute(said.limit(PAGE))).scalars():
        sent = {name for _, name in row.payload.get("files", [])}
        if key:
            found = row.payload.get("key") == key
        else:
            found = row.payload.get("text") == text if text else bool(names) and names <= sent
        if found:
            await _empty(session, row)
            return


async def uploads_wanted(session: Session) -> set[str]:
    """The uploads that somebody will still ask for: of updates not handled yet, and of files not fetched yet."""
    waiting = select(Attachment.ref).where(Attachment.channel == CHANNEL, Attachment.state == FileState.WAITING)
    fresh = select(InboxRow.raw).where(InboxRow.channel == CHANNEL, InboxRow.state == InboxState.NEW)
    named = [ref for raw in (await session.execute(fresh)).scalars() for ref in _uploads_in(raw)]
    return {*(await session.execute(waiting)).scalars(), *named}


async def uploads_of(session: Session, person_id: int) -> list[str]:
    """The uploads that a person's files and updates still name; those of an announcement are the union's."""
    sent = select(Attachment.unique_ref).where(
        Attachment.person_id == person_id, Attachment.channel == CHANNEL, Attachment.broadcast_id.is_(None)
    )
    lanes = select(Account.channel + ":" + Account.address).where(
        Account.person_id == person_id, Account.channel == CHANNEL
    )
    said = (await session.execute(select(InboxRow.raw).where(InboxRow.lane.in_(lanes), InboxRow.raw != ""))).scalars()
    named = {ref for raw in said for ref in _uploads_in(raw)}
    return sorted({*(await session.execute(sent)).scalars(), *named})


def _uploads_in(raw: str) -> list[str]:
    """{"address": "w-…", "files": [["photo", "9f…", "a.jpg", 812]]} → ["9f…"]"""
    files = from_text(raw).get("files", []) if '"files"' in raw else []
    return [str(ref) for _, ref, _, _ in files]


async def forget_about(session: Session, name: str, codes: Sequence[str]) -> None:
    """Empties what other chats were told about some reports, and takes a name out of the rest.

    A platform keeps such messages on its readers' phones; here they would stay in our own database. A namesake's chat
    keeps the name: it is theirs.
    """
    stored, payload = within(name), cast(WebMessage.payload, String)
    about = or_(false(), *(payload.contains(code) for code in codes))
    for row in (await session.execute(select(WebMessage).where(about))).scalars().all():
        await _empty(session, row)
    if not name:
        return
    namesakes = select(Account.address).join(Person, Person.id == Account.person_id).where(Person.name == name)
    named = payload.contains(stored, autoescape=True), WebMessage.address.not_in(namesakes)
    for row in (await session.execute(select(WebMessage).where(*named))).scalars().all():
        row.payload = from_text(to_text(row.payload).replace(stored, "…"))
        row.change = await last_change(session, row.address) + 1
        await session.flush()


async def _empty(session: Session, row: WebMessage) -> None:
    """Leaves nothing to show; "key" tells the page which bubble it was that the person sent."""
    row.change = await last_change(session, row.address) + 1
    nothing = {"text": "", "choices": [], "media": [], "key": "", "screen": 0}
    row.payload = {"quiet": True} | ({"key": row.payload.get("key", "")} if row.mine else nothing)
    await session.flush()


async def last_change(session: Session, address: str) -> int:
    """The newest change number of a chat; 0 for one that is empty or was erased.

    Each chat counts by itself: a browser learns nothing of how much the others talk, and the index answers.
    """
    query = select(func.coalesce(func.max(WebMessage.change), 0)).where(WebMessage.address == address)
    return int((await session.execute(query)).scalar_one())


async def since(session: Session, address: str, change: int) -> list[WebMessage]:
    """What is new or edited in a chat after a change number, at most the last 200, in order of change."""
    query = (
        select(WebMessage)
        .where(WebMessage.address == address, WebMessage.change > change)
        .order_by(WebMessage.change.desc())
        .limit(PAGE)
    )
    return list(reversed((await session.execute(query)).scalars().all()))


async def latest(session: Session, addresses: Sequence[str]) -> dict[str, int]:
    """The id of the newest message that was said to each chat; empty ones are left out."""
    query = (
        select(WebMessage.address, func.max(WebMessage.id))
        .where(WebMessage.address.in_(addresses), WebMessage.mine.is_(False))
        .group_by(WebMessage.address)
    )
    return {address: number for address, number in await session.execute(query)}


async def get(session: Session, address: str, message_id: int) -> WebMessage | None:
    """A message of one chat; somebody else's looks like none."""
    row = await session.get(WebMessage, message_id)
    return row if row is not None and row.address == address else None


async def tidy(session: Session, now: datetime) -> None:
    """Forgets browsers that were not seen for half a year, with what their chats said. Nobody reads there any more."""
    before = now - KEEP_SESSION
    old = select(WebSession.address).where(WebSession.seen_at < before)
    await session.execute(delete(WebMessage).where(WebMessage.address.in_(old)))
    ours = Account.channel == CHANNEL, Account.reach == Reach.OK
    # It was lost when it was last seen: nobody has stopped the bot just now.
    lost = {"reach": Reach.BLOCKED, "blocked_at": before}
    await session.execute(update(Account).where(*ours, Account.address.in_(old)).values(lost))
    # What concerns somebody alone is still said, into the void.
    unread = select(Account.address).where(Account.channel == CHANNEL, Account.reach == Reach.BLOCKED)
    await session.execute(delete(WebMessage).where(WebMessage.at < before, WebMessage.address.in_(unread)))
    await session.execute(delete(WebSession).where(WebSession.seen_at < now - KEEP_SESSION))
