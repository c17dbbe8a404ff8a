"""Weekly law contests: rounds with their settings, papers and answers as they were given, results as they were frozen."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, enum
from db.session import ONCE


class RoundState(StrEnum):
    """DRAFT until another person approved it; READY opens and closes by its own hours; then its result is PUBLISHED.

    While it is PAUSED no paper is begun; those that run go on.
    """

    DRAFT = "draft"
    READY = "ready"
    PAUSED = "paused"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


class Contest(Base):
    """A contest of some rounds. With `one_prize` nobody wins twice in it."""

    __tablename__ = "contests"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    legal_basis: Mapped[str] = mapped_column(default="")
    organiser: Mapped[str] = mapped_column(default="")
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    one_prize: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[int | None]
    created_at: Mapped[datetime]


class Round(Base):
    """One week. What may be set stands here; what came of it too, once the result is frozen.

    `quota` is topic → questions; `ranking` the order of criteria after right answers; `bands` where the size bands of
    units begin; `groups` the audience groups that may take part, all where it is empty. `revision` counts how often the
    result was made, and `seed`, fixed with the first paper, is what lots are drawn with.
    """

    __tablename__ = "contest_rounds"
    __table_args__ = (
        Index("ix_contest_rounds_contest_id_number", "contest_id", "number"),
        Index("ix_contest_rounds_state_closes_at", "state", "closes_at"),
        ONCE,
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    contest_id: Mapped[int] = mapped_column(ForeignKey("contests.id"))
    number: Mapped[int]
    theme: Mapped[str] = mapped_column(default="")
    state: Mapped[RoundState] = mapped_column(enum(RoundState), default=RoundState.DRAFT)
    version: Mapped[int] = mapped_column(default=1)
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    result_at: Mapped[datetime]
    complaint_days: Mapped[int] = mapped_column(default=3)
    quota: Mapped[dict[str, Any]] = mapped_column(default=dict)
    minutes: Mapped[int] = mapped_column(default=10)
    attempts: Mapped[int] = mapped_column(default=2)
    prediction: Mapped[bool] = mapped_column(default=True)
    ranking: Mapped[list[Any]] = mapped_column(default=list)
    prizes: Mapped[list[Any]] = mapped_column(default=list)
    """Individual ones, best first: {"key", "name", "count", "worth"}."""
    collective: Mapped[list[Any]] = mapped_column(default=list)
    """Those of units: {"key": "number" or "ratio", "name", "worth", "level"}."""
    levels: Mapped[list[Any]] = mapped_column(default=list)
    bands: Mapped[list[Any]] = mapped_column(default=list)
    groups: Mapped[list[Any]] = mapped_column(default=list)
    pilot: Mapped[bool] = mapped_column(default=False)
    created_by: Mapped[int | None]
    asked_at: Mapped[datetime | None]
    """Since when a draft waits for its approval."""
    approved_by: Mapped[int | None]
    paused_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
    """Why it was paused, put off or cancelled, as people are told; a draft that was dropped has none."""
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    awarded_at: Mapped[datetime | None]
    """When the prizes were given, which is once and stays."""
    recount: Mapped[bool] = mapped_column(default=False)
    """Whether something changed that the result follows from: a question was voided, somebody taken out."""
    revision: Mapped[int] = mapped_column(default=0)
    seed: Mapped[str] = mapped_column(default="")
    actual: Mapped[int] = mapped_column(default=0)
    """People whose counted attempt is all right, after disqualifications."""
    people: Mapped[int] = mapped_column(default=0)
    papers: Mapped[int] = mapped_column(default=0)

    @property
    def size(self) -> int:
        """How many questions a paper has."""
        return sum(self.quota.values())


class RoundQuestion(Base):
    """A question of a round as it stood when the first paper was drawn; a voided one is right for everybody."""

    __tablename__ = "contest_questions"
    round_id: Mapped[int] = mapped_column(ForeignKey("contest_rounds.id"), primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True)
    topic: Mapped[str]
    stem: Mapped[str]
    options: Mapped[list[Any]]
    answer: Mapped[int]
    explanation: Mapped[str]
    citation: Mapped[str]
    valid_to: Mapped[date | None]
    voided_at: Mapped[datetime | None]
    voided_by: Mapped[int | None]
    reason: Mapped[str] = mapped_column(default="")


class EntryState(StrEnum):
    """RUNNING on the server's clock; SUBMITTED by the person or by the clock; RETURNED because nothing was answered."""

    RUNNING = "running"
    SUBMITTED = "submitted"
    RETURNED = "returned"


class Entry(Base):
    """One attempt of a person, over all their chats. `paper` is [question, order of its options] for each place.

    The code is random within its round: a number in order would tell how many took part. `extended` seconds were lost to
    our own downtime and count neither as time used nor as time given.
    """

    __tablename__ = "contest_entries"
    __table_args__ = (
        UniqueConstraint("round_id", "person_id", "number"),
        Index("ix_contest_entries_state_due_at", "state", "due_at"),
        ONCE,
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("contest_rounds.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    number: Mapped[int]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    paper: Mapped[list[Any]]
    state: Mapped[EntryState] = mapped_column(enum(EntryState), default=EntryState.RUNNING)
    started_at: Mapped[datetime]
    due_at: Mapped[datetime]
    extended: Mapped[int] = mapped_column(default=0)
    prediction: Mapped[int | None]
    submitted_at: Mapped[datetime | None]
    timed_out: Mapped[bool] = mapped_column(default=False)
    certificate: Mapped[str] = mapped_column(default="", index=True)
    """The code of the page that confirms it, once its picture was asked for."""


class EntryAnswer(Base):
    """The option chosen at one place of a paper, by its number in the question; the last one given counts."""

    __tablename__ = "contest_answers"
    entry_id: Mapped[int] = mapped_column(ForeignKey("contest_entries.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    choice: Mapped[int]
    at: Mapped[datetime]


class Result(Base):
    """Where a person stands, as it was frozen: nothing of it moves when people or units change later."""

    __tablename__ = "contest_results"
    __table_args__ = (Index("ix_contest_results_round_id_told_rank", "round_id", "told", "rank"),)
    round_id: Mapped[int] = mapped_column(ForeignKey("contest_rounds.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True, index=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("contest_entries.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    score: Mapped[int]
    prediction: Mapped[int | None]
    seconds: Mapped[int]
    rank: Mapped[int | None]
    """None for who was disqualified."""
    unit_rank: Mapped[int | None]
    lot: Mapped[int | None]
    """The place drawn among those who were equal in everything else."""
    told: Mapped[int] = mapped_column(default=0)
    """The newest revision that the person was told of, or that changed nothing for them."""
    told_as: Mapped[list[Any]] = mapped_column(default=list)
    """Right answers, rank and rank at the unit as they were told last; nothing before they were."""

    @property
    def own(self) -> list[int | None]:
        """What a result says of this person alone."""
        return [self.score, self.rank, self.unit_rank]


class UnitResult(Base):
    """What a unit and those below it did, with the number of its members as it was then, its date and its source."""

    __tablename__ = "contest_units"
    round_id: Mapped[int] = mapped_column(ForeignKey("contest_rounds.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    people: Mapped[int]
    workers: Mapped[int]
    """Those in direct production among them, as far as they said so."""
    papers: Mapped[int]
    points: Mapped[int]
    all_right: Mapped[int]
    members: Mapped[int | None]
    members_on: Mapped[date | None]
    members_from: Mapped[str] = mapped_column(default="")
    band: Mapped[int | None]
    """Where its size band begins; None without a number of members."""


class Disqualification(Base):
    """Why somebody is out of a round's ranking; lifted ones stay as a record."""

    __tablename__ = "contest_disqualifications"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("contest_rounds.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    reason: Mapped[str]
    actor_id: Mapped[int | None]
    at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]


class Complaint(Base):
    """Somebody objects to a round's result; `done_at` is when it was answered."""

    __tablename__ = "contest_complaints"
    __table_args__ = ONCE
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("contest_rounds.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"), index=True)
    text: Mapped[str]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(default="")
    actor_id: Mapped[int | None]


class PrizeState(StrEnum):
    """WAITING for the union's word that this is their member; VERIFIED; SENT to the union; RECEIVED, or PASSED on."""

    WAITING = "waiting"
    VERIFIED = "verified"
    SENT = "sent"
    RECEIVED = "received"
    PASSED = "passed"


class Prize(Base):
    """A prize somebody won in a round, and where it is. The phone is asked of winners alone.

    `denied_at` is when their union said that this is nobody of theirs, or when they erased everything: since then its
    organisers decide. `reason` is why the prize was taken on to the next.
    """

    __tablename__ = "contest_prizes"
    __table_args__ = (UniqueConstraint("round_id", "person_id"), ONCE)
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("contest_rounds.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    prize: Mapped[str]
    name: Mapped[str]
    worth: Mapped[str] = mapped_column(default="")
    state: Mapped[PrizeState] = mapped_column(enum(PrizeState), default=PrizeState.WAITING)
    phone: Mapped[str] = mapped_column(default="")
    denied_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
    reminded: Mapped[int] = mapped_column(default=0)
    union_reminded: Mapped[int] = mapped_column(default=0)
    """1 once somebody was seen who can verify, 2 once they were reminded, 3 once the organisers heard that nobody can or has."""
    asked_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ReminderKind(StrEnum):
    """When somebody wants to be reminded of a round: once it OPENS, before it CLOSES, or when the NEXT one opens."""

    OPENS = "opens"
    CLOSES = "closes"
    NEXT = "next"
    """Nothing behind this round is approved yet; what is approved next takes it over as its OPENS."""


class Reminder(Base):
    """Somebody asks to be reminded of a round, of each kind once."""

    __tablename__ = "contest_reminders"
    round_id: Mapped[int] = mapped_column(ForeignKey("contest_rounds.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True, index=True)
    kind: Mapped[ReminderKind] = mapped_column(enum(ReminderKind), primary_key=True)
    asked_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    wished: Mapped[bool] = mapped_column(default=False)
    """Whether it was a NEXT, which this round took over: where it is called off, the wish waits for another."""


class Cause(StrEnum):
    """Why nobody could reach us: we were DOWN, Telegram's POLLING or its DELIVERY failed, DISK_FULL; RESTORED: a backup."""

    DOWN = "down"
    POLLING = "polling"
    DELIVERY = "delivery"
    DISK_FULL = "disk_full"
    RESTORED = "restored"


class Making(StrEnum):
    """What became of a downtime: MADE_UP, its officers are ASKED, or it was LEFT by one of them."""

    MADE_UP = "made_up"
    ASKED = "asked"
    LEFT = "left"


class Downtime(Base):
    """A time in which people could not reach us while a round was open, and until when it therefore goes on.

    `seconds` of the time for taking part were lost; `told` says whether its officers have heard of it.
    """

    __tablename__ = "contest_downtimes"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("contest_rounds.id"), index=True)
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    seconds: Mapped[int]
    closes_at: Mapped[datetime]
    cause: Mapped[Cause] = mapped_column(enum(Cause))
    making: Mapped[Making] = mapped_column(enum(Making))
    decided_by: Mapped[int | None]
    told: Mapped[bool] = mapped_column(default=False)
    noted_at: Mapped[datetime]

    @property
    def tag(self) -> str:
        """What a button carries: after a restore its number may be another one's, its moment is not."""
        return f"{self.id}.{int(self.until_at.timestamp())}"

    @property
    def minutes(self) -> int:
        """What was lost, in begun minutes."""
        return -(-self.seconds // 60)
