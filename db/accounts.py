"""Chats and where each stands: accounts, conversations and drafts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, delete, exists, select, update

from db.models import (
    Account,
    Conversation,
    Draft,
    Grant,
    OutboxRow,
    OutState,
    Person,
    Reach,
    Role,
    WebMessage,
    WebSession,
)
from db.prepared import Prepared
from db.session import Session, alone

PREVIEW = timedelta(hours=24)
"""How long anything of a chat without consent is kept (decisions 14)."""
SEEN_EVERY = timedelta(minutes=1)
"""How fine `seen_at` is: ten taps in a row are one write."""


class Chat(NamedTuple):
    """One chat as it stands: nobody is known in it before consent, and a draft is only there while one is written.

    Its conversation changes with every message, so it is none of the session's rows, to be looked through and written
    before each question: `keep` writes it once.
    """

    account: Account
    conversation: Conversation
    person: Person | None
    draft: Draft | None


# What every message asks is made once: making such a question takes as long as answering it.
_PARTS = (Account, Conversation, Person, Draft)
_CHAT = Prepared(
    select(*(column for part in _PARTS for column in part.__table__.c))
    .select_from(Account)
    .outerjoin(Conversation, Conversation.account_id == Account.id)
    .outerjoin(Person, Person.id == Account.person_id)
    .outerjoin(Draft, Draft.id == Conversation.draft_id)
    .where(Account.channel == bindparam("channel"), Account.address == bindparam("address"))
)
_KEPT = [column.name for column in Conversation.__table__.c if not column.primary_key]
_KEEP = Prepared(
    update(Conversation.__table__).where(Conversation.account_id == bindparam("chat")),  # type: ignore[arg-type]
    *_KEPT,
)
_BEGUN = Prepared(select(Draft.__table__.c.id).where(Draft.person_id == bindparam("person")).limit(1))
_DRAFTS = select(Draft).where(Draft.person_id == bindparam("person")).order_by(Draft.updated_at.desc())


async def enter(session: Session, channel: str, address: str, now: datetime) -> Chat:
    """What is known of a chat, made at its first message. A message proves the chat can be reached."""
    account, conversation, person, draft = await _read(session, channel, address)
    if account is None:
        account = Account(channel=channel, address=address, created_at=now, seen_at=now, reach=Reach.OK)
        session.add(account)
        await session.flush()
    if account.reach != Reach.OK:
        account.reach, account.blocked_at = Reach.OK, None
    for seen in (account, person):
        if seen is not None and now - seen.seen_at >= SEEN_EVERY:
            seen.seen_at = now
    if conversation is None:
        conversation = Conversation(account_id=account.id, updated_at=now)
        session.add(conversation)
        await session.flush()
        session.expunge(conversation)
    return Chat(account, conversation, person, draft)


async def _read(
    session: Session, channel: str, address: str
) -> tuple[Account | None, Conversation | None, Person | None, Draft | None]:
    found = await session.rows(_CHAT, channel=channel, address=address)
    if not found:
        return None, None, None, None
    parts, begin = [], 0
    for kind in _PARTS:
        end = begin + len(kind.__table__.c)
        parts.append(found[0][begin:end])
        begin = end
    account, conversation, person, draft = parts
    return (
        session.known(Account, account),
        alone(Conversation, conversation) if conversation[0] is not None else None,
        session.known(Person, person) if person[0] is not None else None,
        session.known(Draft, draft) if draft[0] is not None else None,
    )


async def keep(session: Session, conversation: Conversation) -> None:
    """Writes where a chat stands now."""
    values = {name: getattr(conversation, name) for name in _KEPT}
    await session.write(_KEEP, chat=conversation.account_id, **values)


async def lose(session: Session, account_id: int | None, now: datetime) -> None:
    """A chat cannot be reached any more, until its next message; how long is counted from the first time."""
    await session.execute(
        update(Account)
        .where(Account.id == account_id, Account.reach == Reach.OK)
        .values(reach=Reach.BLOCKED, blocked_at=now)
    )


async def best_account(session: Session, person_id: int) -> Account | None:
    """Where to reach a person: the chat used last among those that can be reached."""
    return (
        await session.execute(
            select(Account)
            .where(Account.person_id == person_id)
            .order_by((Account.reach == Reach.OK).desc(), Account.seen_at.desc(), Account.id)
            .limit(1)
        )
    ).scalar()


async def list_with_roles(session: Session, channel: str) -> list[tuple[Account, frozenset[Role]]]:
    """Chats of a channel whose people hold roles now, and those that were given a list of commands for one once."""
    held = await session.execute(
        select(Account, Grant.role)
        .join(Grant, Grant.person_id == Account.person_id)
        .where(Grant.confirmed_at.is_not(None), Grant.revoked_at.is_(None))
    )
    found: dict[Account, set[Role]] = {}
    for account, role in held:
        found.setdefault(account, set()).add(role)
    # "> ''" and not "!=": only this the index answers. Asked for the channel too, it would go through all its accounts.
    listed = await session.execute(select(Account).where(Account.command_list > ""))
    for account in listed.scalars():
        found.setdefault(account, set())
    return [(account, frozenset(roles)) for account, roles in found.items() if account.channel == channel]


async def note_command_list(session: Session, account_id: int, mark: str) -> None:
    """Remembers which list of commands a chat was given; "" for everybody's."""
    await session.execute(update(Account).where(Account.id == account_id).values(command_list=mark))


async def find_draft(session: Session, person_id: int, dialogue: str) -> Draft | None:
    """The unfinished answers of a person to a dialogue."""
    return (
        await session.execute(select(Draft).where(Draft.person_id == person_id, Draft.dialogue == dialogue))
    ).scalar()


async def open_draft(session: Session, person_id: int, dialogue: str, step: str, now: datetime) -> Draft:
    """The unfinished answers of a person to a dialogue, or new ones that begin at a step."""
    draft = await find_draft(session, person_id, dialogue)
    if draft is None:
        draft = Draft(person_id=person_id, dialogue=dialogue, step=step, data={}, history=[], ahead=[], updated_at=now)
        session.add(draft)
        await session.flush()
    return draft


async def list_drafts(session: Session, person_id: int) -> list[Draft]:
    """What a person has begun and not finished, latest first."""
    if not await session.rows(_BEGUN, person=person_id):  # most have none, and this is the shorter question
        return []
    return list((await session.execute(_DRAFTS, {"person": person_id})).scalars())


async def forget_drafts(session: Session, before: datetime) -> None:
    """Deletes drafts that were not touched since a moment; a chat that still stands at one is idle from then on."""
    old = list((await session.execute(select(Draft.id).where(Draft.updated_at < before))).scalars())
    await session.execute(
        update(Conversation)
        .where(Conversation.draft_id.in_(old))
        .values(dialogue="", step="", screen_kind="", choices=[], said=[], draft_id=None)
    )
    await session.execute(delete(Draft).where(Draft.id.in_(old)))


async def forget_previews(session: Session, now: datetime) -> int:
    """Deletes chats without consent 24 hours after their last message, with what was said there. Returns how many."""
    under_way = exists().where(
        OutboxRow.account_id == Account.id, OutboxRow.state.in_((OutState.READY, OutState.SENDING))
    )
    query = select(Account).where(Account.person_id.is_(None), Account.seen_at < now - PREVIEW, ~under_way)
    gone = (await session.execute(query)).scalars().all()
    for account in gone:
        await session.execute(delete(OutboxRow).where(OutboxRow.account_id == account.id))
        for table in (WebMessage, WebSession):
            await session.execute(delete(table).where(table.address == account.address))
        await session.execute(delete(Conversation).where(Conversation.account_id == account.id))
        await session.delete(account)
    return len(gone)


async def list_waiting_drafts(session: Session, dialogue: str, before: datetime, reminded: int) -> list[Draft]:
    """Drafts untouched since a moment, of people who want reminders, with fewer than `reminded` so far."""
    query = (
        select(Draft)
        .join(Person, Person.id == Draft.person_id)
        .where(Draft.dialogue == dialogue, Draft.updated_at <= before, Draft.reminded < reminded, Person.news)
    )
    return [draft for draft in (await session.execute(query)).scalars() if draft.data.get("track")]
