"""People, their accounts and consents, where each talk stands, and drafts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, enum
from db.session import ONCE


class Audience(StrEnum):
    """The group whose content a person gets; a field apart from membership (1-process §0.3)."""

    OFFICER = "officer"
    ENTERPRISE = "enterprise"
    PUBLIC = "public"
    NONMEMBER = "nonmember"


class Membership(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Shift(StrEnum):
    """When a person works, so that nothing is sent while they sleep (5-voice §5.4)."""

    OFFICE = "office"
    MORNING = "morning"
    AFTERNOON = "afternoon"
    NIGHT = "night"
    ROTATING = "rotating"


class Board(StrEnum):
    """How somebody stands on a contest's board: with their full name, with given name and unit, or not at all."""

    FULL = "full"
    SHORT = "short"
    HIDDEN = "hidden"


class Person(Base):
    """Somebody who consented. Erasing blanks the row and sets `erased_at`; the id stays as a pseudonym."""

    __tablename__ = "persons"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    audience: Mapped[Audience | None] = mapped_column(enum(Audience))
    membership: Mapped[Membership] = mapped_column(enum(Membership), default=Membership.UNKNOWN)
    confirmed: Mapped[bool] = mapped_column(default=False)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    shift: Mapped[Shift] = mapped_column(enum(Shift), default=Shift.OFFICE)
    quiet: Mapped[str] = mapped_column(default="")
    """Own hours in which nothing shall come, as "22:00-06:00"; empty for none."""
    news: Mapped[bool] = mapped_column(default=False)
    muted_topics: Mapped[list[Any]] = mapped_column(default=list)
    direct_production: Mapped[bool | None]
    board: Mapped[Board | None] = mapped_column(enum(Board))
    """None until they were asked, at their first contest."""
    processing: Mapped[bool] = mapped_column(default=True)
    joined_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]

    @property
    def hours(self) -> str:
        """Shift and own quiet hours, by which it is settled when something may come: "office 22:00-06:00"."""
        return f"{self.shift.value} {self.quiet}".rstrip()


class Reach(StrEnum):
    """Whether a chat can be reached; `blocked` is lifted by the next message from it."""

    OK = "ok"
    BLOCKED = "blocked"


class Account(Base):
    """One address on one channel; `person_id` is empty before consent."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("channel", "address"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]
    address: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"), index=True)
    reach: Mapped[Reach] = mapped_column(enum(Reach), default=Reach.OK)
    blocked_at: Mapped[datetime | None]
    """Since when it cannot be reached."""
    command_list: Mapped[str] = mapped_column(default="", index=True)
    """The mark of the list of commands this chat was last given of its own; "" where it has everybody's."""
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class Purpose(StrEnum):
    """What a consent is for: each is asked for on its own (decisions 15)."""

    ACCOUNT = "account"
    NEWS = "news"
    SUBMISSIONS = "submissions"
    CONTESTS = "contests"
    BOARD = "board"
    """To be named on a contest's board."""


class Consent(Base):
    __tablename__ = "consents"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    purpose: Mapped[Purpose] = mapped_column(enum(Purpose))
    text_version: Mapped[str]
    channel: Mapped[str]
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Conversation(Base):
    """Where one chat stands: the dialogue and step, the screen that numbers and buttons refer to."""

    __tablename__ = "conversations"
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    dialogue: Mapped[str] = mapped_column(default="")
    step: Mapped[str] = mapped_column(default="")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    history: Mapped[list[Any]] = mapped_column(default=list)
    ahead: Mapped[list[Any]] = mapped_column(default=list)
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("drafts.id", ondelete="SET NULL"))
    screen: Mapped[int] = mapped_column(default=0)
    screen_kind: Mapped[str] = mapped_column(default="")
    choices: Mapped[list[Any]] = mapped_column(default=list)
    said: Mapped[list[Any]] = mapped_column(default=list)
    """The options of what was said beside the screen and is newer: numbers mean these."""
    last_choice: Mapped[str] = mapped_column(default="")
    """The step choice that took effect last, and whatever button was pressed last."""
    last_press: Mapped[str] = mapped_column(default="")
    refused_album: Mapped[str] = mapped_column(default="")
    """The album of which one picture was an identity card."""
    pending: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[datetime]

    @property
    def quiet(self) -> str:
        """The slot of what is said after a pause on a screen that takes files; void once the next one is shown."""
        return f"quiet-{self.screen}"

    def forget(self) -> None:
        """Nothing was said in it; the screen's number goes on, so that old buttons stay old."""
        self.dialogue = self.step = self.screen_kind = ""
        self.last_choice = self.last_press = self.refused_album = ""
        self.data, self.pending = {}, {}
        self.history, self.ahead, self.choices, self.said = [], [], [], []
        self.draft_id = None


class Draft(Base):
    """Answers not yet sent. One per person and dialogue; nothing typed is lost by a restart, a cancel or a week."""

    __tablename__ = "drafts"
    __table_args__ = (UniqueConstraint("person_id", "dialogue"), ONCE)
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    dialogue: Mapped[str]
    step: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    history: Mapped[list[Any]] = mapped_column(default=list)
    ahead: Mapped[list[Any]] = mapped_column(default=list)
    reminded: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime]
