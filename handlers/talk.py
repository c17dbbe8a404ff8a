"""What a step is handed: the person, the draft, the words, and the one way to say something."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from content.calendar import LOCAL, local_date
from content.message import Choice, Media, Message, to_json
from content.packs import Packs
from content.windows import asleep_for
from content.words import Words
from db import outbox, people, policy
from db.errors import Refused
from db.models import Account, Conversation, Draft, Person, Purpose
from db.policy import Action
from db.session import Session

if TYPE_CHECKING:
    from handlers.registry import Registry


@dataclass(frozen=True, slots=True)
class House:
    """What every talk shares, made in bot/app.py: the words, the packs, the settings that words and rules need."""

    words: Words
    registry: Registry
    packs: Packs
    rng: Random
    organisation: str
    hotline: str
    duty_line: str
    files: Path
    """The data folder's cleaned files and what the house draws itself."""
    erasing: frozenset[str] = frozenset()
    """The channels that take a message out of its sender's chat when it must be forgotten."""
    silence: str = "send"
    """What nobody's decision about an automatic message means: "send" or "hold"."""
    hide_unreviewed: bool = False
    """Whether practice leaves out law questions that nobody has reviewed, instead of marking them."""
    links: dict[str, str] = field(default_factory=dict)
    """Per channel, the address that opens a chat with a start parameter: "https://t.me/name?start={}"."""


@dataclass(slots=True)
class Talk:
    """One answer in the making. Messages go out with the step's commit; a refused step's messages never do."""

    session: Session
    house: House
    account: Account
    conversation: Conversation
    owner: Person | None
    """Whose chat this is. Steps ask for `person`; this one is for the rights of somebody who stopped all processing."""
    now: datetime
    draft: Draft | None = None
    out: list[tuple[Message, str | None, float]] = field(default_factory=list)
    private: bool = False
    """Set when this update's content must not be kept (a refused ID card)."""

    @property
    def today(self) -> date:
        """The local date."""
        return local_date(self.now)

    @property
    def local(self) -> datetime:
        """The local time."""
        return self.now.astimezone(LOCAL)

    @property
    def person(self) -> Person | None:
        """Who talks, once they consented and as long as they let their data be processed; else a stranger."""
        return self.owner if self.owner is not None and self.owner.processing else None

    @property
    def joined(self) -> bool:
        """Whether joining is over: its last question that cannot be skipped is the audience group."""
        return self.person is not None and self.person.audience is not None

    @property
    def me(self) -> Person:
        """The person, where the command or step requires one. Raises Refused: they may have stopped at another door."""
        if self.person is None:
            raise Refused("common.refused")
        return self.person

    async def may(self, action: Action) -> bool:
        """Whether this person may do something anywhere."""
        return self.person is not None and bool(await policy.scopes(self.session, self.person.id, action))

    async def tops(self, action: Action) -> list[int]:
        """The units at whose tops this person may do something, each once. Raises Refused where that is nowhere."""
        found = await policy.scopes(self.session, self.me.id, action)
        if not found:
            raise Refused("common.refused")
        return found

    async def consent(self, purpose: Purpose) -> None:
        """Writes down that this person agrees to a purpose, as it is worded today."""
        version = self.words("onboarding.consent_version")
        await people.consent(self.session, self.me.id, purpose, version, self.account.channel, self.now)

    @property
    def you(self) -> str:
        """How the person is addressed where they stand: in officers' screens as a comrade (5-voice §5.1)."""
        dialogue = self.house.registry.dialogues.get(self.conversation.dialogue)
        step = dialogue.steps.get(self.conversation.step) if dialogue is not None else None
        return self.house.words.text("common.you_officer" if step is not None and step.officers else "common.you")

    @property
    def data(self) -> dict[str, Any]:
        """The answers so far; changes are kept by `save` in the same transaction."""
        return self.state.data

    @property
    def state(self) -> Draft | Conversation:
        """Where step, answers and history are kept: the draft, or the conversation itself."""
        return self.draft or self.conversation

    def become_stranger(self) -> None:
        """After everything was erased: from here on nobody is known in this chat."""
        self.owner = self.draft = None
        self.conversation.forget()

    def put(self, **values: Any) -> None:
        """Adds answers."""
        if values:
            self.state.data = {**self.state.data, **values}

    def drop(self, *names: str) -> None:
        """Removes answers."""
        self.state.data = {k: v for k, v in self.state.data.items() if k not in names}

    def words(self, key: str, **params: Any) -> str:
        """A piece of text to be put into another."""
        return self.house.words.text(key, **{"you": self.you} | params)

    def screen(
        self,
        key: str,
        *extra: Choice,
        only: Iterable[str] | None = None,
        without: Iterable[str] = (),
        media: Sequence[Media] = (),
        typed: str = "",
        **params: Any,
    ) -> Message:
        """A message of the words, for a step to show.

        What was `typed` and could not be used is shown back below, so that nobody has to think of it again.
        """
        params = {"you": self.you} | params
        message = self.house.words.message(key, *extra, only=only, without=without, media=media, **params)
        if not typed:
            return message
        return replace(message, text=f"{message.text}\n\n{self.words('common.typed', typed=typed)}")

    def say(
        self,
        key: str,
        *extra: Choice,
        slot: str | None = None,
        after: float = 0.0,
        only: Iterable[str] | None = None,
        without: Iterable[str] = (),
        media: Sequence[Media] = (),
        typed: str = "",
        **params: Any,
    ) -> None:
        """Says something beside the current question. Its options are commands, or repeat options of that question."""
        message = self.screen(key, *extra, only=only, without=without, media=media, typed=typed, **params)
        if any(not choice.command for choice in message.choices):
            message = replace(message, screen=self.conversation.screen)
        self.out.append((message, slot, after))

    async def tell(
        self,
        person_id: int,
        key: str,
        *extra: Choice,
        kind: str = "notice",
        dedup: str | None = None,
        slot: str | None = None,
        after: float = 0.0,
        final: bool = True,
        only: Iterable[str] | None = None,
        without: Iterable[str] = (),
        media: Sequence[Media] = (),
        at_once: bool = False,
        **params: Any,
    ) -> None:
        """Tells somebody else, at least once, in this transaction; nothing happens where they cannot be reached.

        It waits while they sleep or want to be left alone, unless it must be said `at_once`.
        """
        if not at_once:
            person = await self.session.get_one(Person, person_id)
            after = max(after, asleep_for(person.hours, self.now))
        message = self.house.words.message(key, *extra, only=only, without=without, media=media, **params)
        await outbox.tell(
            self.session,
            person_id,
            to_json(message),
            now=self.now,
            kind=kind,
            key=dedup,
            slot=slot,
            after=after,
            at_once=at_once,
            final=final,
        )
