"""The lists of commands that Telegram shows: everybody's, and a longer one in the chats of people who hold a role.

Which list a chat was given is remembered and held against the one it should have: a role given, taken away, given up
or erased, a new version's commands, a new bot and a crash half-way are all one difference, mended at the next look.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from bot.channels.telegram.door import Telegram
from db import accounts, house
from db.json_text import to_text
from db.models import Account, Conversation, Person, Role
from db.session import Database, Session
from handlers.menu import command_list
from handlers.talk import House, Talk
from scheduler.delivery import RecipientGone, Rejected, SendError

log = logging.getLogger(__name__)

FACT = "command_list"
LOOK = 30
"""Seconds between two looks: a list only saves typing, what a command may do is decided when it is used."""

Commands = Sequence[tuple[str, str]]


class CommandLists:
    """Keeps Telegram's lists as the roles and the registry have them."""

    def __init__(self, door: Telegram, database: Database, house: House, *, now: Callable[[], datetime]) -> None:
        self._door = door
        self._database = database
        self._house = house
        self._now = now

    async def look(self) -> None:
        """Mends what differs, one chat after the other. What Telegram does not take now waits for the next look."""
        everybody, chats = await self._wanted()
        try:
            if everybody:
                await self._door.list_commands(everybody)
                await self._note_everybody(self._mark(everybody))
            for account, commands in chats:
                await self._give(account, commands)
        except SendError as error:
            log.warning("a list of commands could not be set (%s); it is tried again", error)

    async def _wanted(self) -> tuple[Commands, list[tuple[Account, Commands]]]:
        """The lists that differ from what was set: everybody's (empty when it does not), and those of chats."""
        async with self._database.read() as session:
            everybody = await self._list(session, Account(channel=self._door.name, address=""), None)
            known = await house.know(session, FACT)
            lists: dict[frozenset[Role], Commands] = {frozenset(): ()}
            chats: list[tuple[Account, Commands]] = []
            for account, roles in await accounts.list_with_roles(session, self._door.name):
                if roles not in lists:
                    # What is offered depends on the roles, not on who holds them or where.
                    holder = await session.get_one(Person, account.person_id)
                    lists[roles] = await self._list(session, account, holder)
                if self._mark(lists[roles]) != account.command_list:
                    chats.append((account, lists[roles]))
        return () if known == {"mark": self._mark(everybody)} else everybody, chats

    async def _list(self, session: Session, account: Account, person: Person | None) -> Commands:
        return await command_list(Talk(session, self._house, account, Conversation(), person, self._now()))

    def _mark(self, commands: Commands) -> str:
        """Short for a list of this bot; another bot's chats have none yet."""
        text = to_text([self._door.number, *commands])
        return hashlib.sha256(text.encode()).hexdigest()[:16] if commands else ""

    async def _note_everybody(self, mark: str) -> None:
        async with self._database.write() as session:
            await house.remember(session, FACT, {"mark": mark}, self._now())

    async def _give(self, account: Account, commands: Commands) -> None:
        try:
            await self._door.list_commands(commands, account.address)
        except (RecipientGone, Rejected) as error:
            log.warning("chat of account %d: its list of commands is not taken (%s)", account.id, error)
        async with self._database.write() as session:
            await accounts.note_command_list(session, account.id, self._mark(commands))
