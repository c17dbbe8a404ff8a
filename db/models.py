"""Every table, with the enums that are stored; statuses are grouped beside their enum."""

from __future__ import annotations

from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import Any, NewType

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, MetaData, UniqueConstraint
from sqlalchemy import Date as SqlDate
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from db.session import UTCDateTime

PersonId = NewType("PersonId", int)
UnitId = NewType("UnitId", int)
AccountId = NewType("AccountId", int)
SubmissionId = NewType("SubmissionId", int)
BroadcastId = NewType("BroadcastId", int)


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can find them on any database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012
        datetime: UTCDateTime,
        date: SqlDate,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        PersonId: BigInteger().with_variant(BigInteger(), "postgresql"),
    }


def _enum(kind: type[StrEnum]) -> SqlEnum:
    return SqlEnum(kind, native_enum=False, values_callable=lambda e: [m.value for m in e], length=24)


# ---------------------------------------------------------------------------------------------------- units


class Level(StrEnum):
    """Where a unit stands in the tree; the depth is variable and labels are content."""

    PROVINCE = "province"
    UPPER = "upper"
    GRASSROOTS = "grassroots"
    TEAM = "team"


class Unit(Base):
    __tablename__ = "units"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    short_name: Mapped[str] = mapped_column(default="")
    level: Mapped[Level] = mapped_column(_enum(Level))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    place: Mapped[str] = mapped_column(default="")
    zone: Mapped[str] = mapped_column(default="")
    sector: Mapped[str] = mapped_column(default="")
    workers: Mapped[int | None]
    members: Mapped[int | None]
    women: Mapped[int | None]
    figures_on: Mapped[date | None]
    created_at: Mapped[datetime]


class UnitAlias(Base):
    """Another name people use, or the name before a merger (then `until` says since when it is old)."""

    __tablename__ = "unit_aliases"
    __table_args__ = (UniqueConstraint("unit_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    name: Mapped[str]
    old: Mapped[bool] = mapped_column(default=False)
    until: Mapped[date | None]


class UnitPath(Base):
    """The closure of the tree: one row for every unit and each of its ancestors, itself included (depth 0)."""

    __tablename__ = "unit_paths"
    ancestor_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    descendant_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True, index=True)
    depth: Mapped[int]


class UnitRequest(Base):
    """A workplace that somebody typed because it could not be found; an officer adds or matches it."""

    __tablename__ = "unit_requests"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    text: Mapped[str]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


# ---------------------------------------------------------------------------------------------------- people


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


class Person(Base):
    """Somebody who consented. Erasing blanks the row and sets `erased_at`; the id stays as a pseudonym."""

    __tablename__ = "persons"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    audience: Mapped[Audience | None] = mapped_column(_enum(Audience))
    membership: Mapped[Membership] = mapped_column(_enum(Membership), default=Membership.UNKNOWN)
    confirmed: Mapped[bool] = mapped_column(default=False)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    shift: Mapped[Shift] = mapped_column(_enum(Shift), default=Shift.OFFICE)
    news: Mapped[bool] = mapped_column(default=False)
    muted_topics: Mapped[list[Any]] = mapped_column(default=list)
    direct_production: Mapped[bool | None]
    processing: Mapped[bool] = mapped_column(default=True)
    joined_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


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
    reach: Mapped[Reach] = mapped_column(_enum(Reach), default=Reach.OK)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class Purpose(StrEnum):
    """What a consent is for: each is asked for on its own (decisions 15)."""

    ACCOUNT = "account"
    NEWS = "news"
    SUBMISSIONS = "submissions"


class Consent(Base):
    __tablename__ = "consents"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    purpose: Mapped[Purpose] = mapped_column(_enum(Purpose))
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
    last_choice: Mapped[str] = mapped_column(default="")
    """The step choice that took effect last, and whatever button was pressed last."""
    last_press: Mapped[str] = mapped_column(default="")
    refused_album: Mapped[str] = mapped_column(default="")
    """The album whose first picture was an identity card."""
    pending: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[datetime]


class Draft(Base):
    """Answers not yet sent. One per person and dialogue; nothing typed is lost by a restart, a cancel or a week."""

    __tablename__ = "drafts"
    __table_args__ = (UniqueConstraint("person_id", "dialogue"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    dialogue: Mapped[str]
    step: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    history: Mapped[list[Any]] = mapped_column(default=list)
    ahead: Mapped[list[Any]] = mapped_column(default=list)
    reminded: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime]


# ---------------------------------------------------------------------------------------------------- in and out


class InboxState(StrEnum):
    NEW = "new"
    DONE = "done"
    DEAD = "dead"


class InboxRow(Base):
    """One update of one channel, committed before it is acknowledged; a repeat is dropped by the unique key."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "bot", "ext_id"),
        Index("ix_inbox_state_lane_id", "state", "lane", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]
    bot: Mapped[str]
    ext_id: Mapped[str]
    digest: Mapped[str]
    lane: Mapped[str]
    raw: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[InboxState] = mapped_column(_enum(InboxState), default=InboxState.NEW)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")


class Policy(StrEnum):
    """AMO: at most once, a doubtful send is never repeated. ALO: at least once (promises §1.5)."""

    AMO = "amo"
    ALO = "alo"


class Lane(IntEnum):
    """Who goes first: what somebody waits for, what concerns one person, what goes to many."""

    REPLY = 0
    NOTICE = 1
    BULK = 2


class OutState(StrEnum):
    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    HELD = "held"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


UNSENT = (OutState.READY, OutState.HELD)
FINAL = (OutState.SENT, OutState.FAILED, OutState.UNKNOWN, OutState.CANCELLED, OutState.EXPIRED)


class Body(Base):
    """A message said to many, stored once per variant."""

    __tablename__ = "bodies"
    id: Mapped[int] = mapped_column(primary_key=True)
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class OutboxRow(Base):
    """One thing to say to one address. `edits` carries the platform's id of the message to change in place.

    `not_before` is its place in the line and stays; `retry_at` is when it may be tried again after it did not go.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("dedup_key"),
        Index("ix_outbox_channel_state_lane_not_before_id", "channel", "state", "lane", "not_before", "id"),
        Index("ix_outbox_channel_address_slot", "channel", "address", "slot"),
        Index("ix_outbox_retry_at", "retry_at"),
        Index("ix_outbox_broadcast_id_state", "broadcast_id", "state"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    dedup_key: Mapped[str | None]
    policy: Mapped[Policy] = mapped_column(_enum(Policy))
    lane: Mapped[int]
    kind: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    person_id: Mapped[int | None] = mapped_column(index=True)
    channel: Mapped[str]
    address: Mapped[str]
    broadcast_id: Mapped[int | None] = mapped_column(ForeignKey("broadcasts.id"))
    body_id: Mapped[int | None] = mapped_column(ForeignKey("bodies.id"))
    payload: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    slot: Mapped[str | None]
    state: Mapped[OutState] = mapped_column(_enum(OutState), default=OutState.READY)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime]
    retry_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    claim: Mapped[str] = mapped_column(default="")
    provider_id: Mapped[str] = mapped_column(default="")
    edits: Mapped[str] = mapped_column(default="")
    error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


# ---------------------------------------------------------------------------------------------------- roles


class Role(StrEnum):
    """Roles of decisions 16, lowest first; every one is scoped to a unit and what is below it."""

    WORKER = "worker"
    TEAM_LEADER = "team_leader"
    GRASSROOTS_CHAIR = "grassroots_chair"
    UPPER_OFFICER = "upper_officer"
    CONTENT_OFFICER = "content_officer"
    REVIEWER = "reviewer"
    LEADER = "leader"
    SYSTEM_ADMIN = "system_admin"


class Grant(Base):
    __tablename__ = "grants"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    role: Mapped[Role] = mapped_column(_enum(Role))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    granted_by: Mapped[int | None]
    granted_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None]


class Invitation(Base):
    """A one-time way into a role; only the token's hash is kept. Printed by the command line = born confirmed."""

    __tablename__ = "invitations"
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    role: Mapped[Role] = mapped_column(_enum(Role))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    invited_by: Mapped[int | None]
    born_confirmed: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[int | None]
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("grants.id"))


class AuditRow(Base):
    """Who did what to which object, in the transaction that did it. `actor_id` 0 is the system itself."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[int]
    action: Mapped[str]
    object: Mapped[str]
    unit_id: Mapped[int | None]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


# ---------------------------------------------------------------------------------------------------- submissions


class Track(StrEnum):
    INITIATIVE = "initiative"
    PRACTICE = "practice"
    GOOD_DEED = "good_deed"


class Status(StrEnum):
    """States of a submission that exist so far (decisions, table Submissions); a draft is a row of `drafts`."""

    SENT = "sent"
    CLAIMED = "claimed"
    NEED_INFO = "need_info"
    CLOSED_NO_INFO = "closed_no_info"
    VERIFIED = "verified"
    NOT_SELECTED = "not_selected"
    DUPLICATE = "duplicate"
    WITHDRAWN = "withdrawn"


OPEN = (Status.SENT, Status.CLAIMED, Status.NEED_INFO)
DECIDED = (Status.VERIFIED, Status.NOT_SELECTED, Status.DUPLICATE)


class Submission(Base):
    """An initiative, a good practice or a good deed on its way. `version` moves with every change of status."""

    __tablename__ = "submissions"
    __table_args__ = (Index("ix_submissions_queue_unit_id_status", "queue_unit_id", "status"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    track: Mapped[Track] = mapped_column(_enum(Track))
    author_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    queue_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    title: Mapped[str]
    story: Mapped[dict[str, Any]] = mapped_column(default=dict)
    money: Mapped[int | None] = mapped_column(BigInteger)
    direct_production: Mapped[bool | None]
    status: Mapped[Status] = mapped_column(_enum(Status))
    version: Mapped[int] = mapped_column(default=1)
    holder_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    claimed_at: Mapped[datetime | None]
    lapses_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    ask: Mapped[str] = mapped_column(default="")
    reminded: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(default="")
    duplicate_of: Mapped[int | None] = mapped_column(ForeignKey("submissions.id"))
    unseen: Mapped[bool] = mapped_column(default=False)
    question_at: Mapped[datetime | None]
    sent_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class CoAuthor(Base):
    __tablename__ = "coauthors"
    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), index=True)
    name: Mapped[str]
    percent: Mapped[int]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"), index=True)
    confirmed: Mapped[bool | None]


class SubmissionEvent(Base):
    """What happened to a submission, in words where somebody wrote some; `internal` is never shown to the author."""

    __tablename__ = "submission_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), index=True)
    at: Mapped[datetime]
    actor_id: Mapped[int]
    action: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    internal: Mapped[bool] = mapped_column(default=False)


class FileState(StrEnum):
    """WAITING to be fetched and cleaned; only CLEAN ones are shown to anybody."""

    WAITING = "waiting"
    CLEAN = "clean"
    REFUSED = "refused"
    FAILED = "failed"


class Attachment(Base):
    """A file somebody sent, by reference until it is fetched; `file` is its name in the data folder once clean."""

    __tablename__ = "attachments"
    __table_args__ = (
        UniqueConstraint("draft_id", "unique_ref"),
        Index("ix_attachments_state_next_at", "state", "next_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("drafts.id", ondelete="SET NULL"))
    submission_id: Mapped[int | None] = mapped_column(ForeignKey("submissions.id"), index=True)
    broadcast_id: Mapped[int | None] = mapped_column(ForeignKey("broadcasts.id"), index=True)
    channel: Mapped[str]
    ref: Mapped[str]
    unique_ref: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    size: Mapped[int]
    state: Mapped[FileState] = mapped_column(_enum(FileState), default=FileState.WAITING)
    reason: Mapped[str] = mapped_column(default="")
    file: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    created_at: Mapped[datetime]


# ---------------------------------------------------------------------------------------------------- campaign, quiz


class Registration(Base):
    """One person's emulation registration for one round of one year."""

    __tablename__ = "registrations"
    __table_args__ = (UniqueConstraint("person_id", "year", "round"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    year: Mapped[int]
    round: Mapped[int]
    movements: Mapped[list[Any]] = mapped_column(default=list)
    goals: Mapped[list[Any]] = mapped_column(default=list)
    outcome: Mapped[str] = mapped_column(default="")
    outcome_text: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class PracticeAnswer(Base):
    """The last answer a person gave to a question; wrong ones make the list of questions to repeat."""

    __tablename__ = "practice_answers"
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True)
    right: Mapped[bool]
    at: Mapped[datetime]


class QuestionReport(Base):
    """Somebody says a question is wrong; `done_at` is when it was answered."""

    __tablename__ = "question_reports"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    question: Mapped[str]
    text: Mapped[str]
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(default="")


# ---------------------------------------------------------------------------------------------------- broadcasts


class BroadcastState(StrEnum):
    """WAITING for a second person; SCHEDULED for its hour; PLANNING its targets; SENDING; PAUSED; then ended."""

    WAITING = "waiting"
    SCHEDULED = "scheduled"
    PLANNING = "planning"
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    HELD = "held"


RUNNING = (BroadcastState.PLANNING, BroadcastState.SENDING, BroadcastState.PAUSED)


class Broadcast(Base):
    """A message to many. `key` is unique for what a clock starts (anniversary, year and variant).

    `reason` is why it is urgent; `answers` is what its author answered, so that a returned one comes back as it was.
    """

    __tablename__ = "broadcasts"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    key: Mapped[str | None] = mapped_column(unique=True)
    kind: Mapped[str]
    topic: Mapped[str] = mapped_column(default="")
    state: Mapped[BroadcastState] = mapped_column(_enum(BroadcastState))
    version: Mapped[int] = mapped_column(default=1)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    audience: Mapped[dict[str, Any]] = mapped_column(default=dict)
    text: Mapped[str]
    media: Mapped[list[Any]] = mapped_column(default=list)
    timing: Mapped[str]
    send_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="")
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    approved_at: Mapped[datetime | None]
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("broadcasts.id"))
    note: Mapped[str] = mapped_column(default="")
    progress_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class TargetState(StrEnum):
    """FROZEN when the message is confirmed: these people and no others; then PLANNED, or SKIPPED for a reason."""

    FROZEN = "frozen"
    PLANNED = "planned"
    SKIPPED = "skipped"


class BroadcastTarget(Base):
    """One person of a broadcast: one push even with two channels. Delivery itself is the outbox row's state."""

    __tablename__ = "broadcast_targets"
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcasts.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True, index=True)
    unit_id: Mapped[int | None]
    state: Mapped[TargetState] = mapped_column(_enum(TargetState))
    reason: Mapped[str] = mapped_column(default="")
    outbox_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"))


# ---------------------------------------------------------------------------------------------------- house


class JobState(StrEnum):
    READY = "ready"
    DONE = "done"
    FAILED = "failed"


class Job(Base):
    """Long work done outside the writer's transaction; its result comes to the person as a message."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_state_next_at", "state", "next_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    state: Mapped[JobState] = mapped_column(_enum(JobState), default=JobState.READY)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")
    next_at: Mapped[datetime]
    created_at: Mapped[datetime]


class Fact(Base):
    """What the house knows about itself: the emergency stop, respectful mode, the last poll, the demo's clock."""

    __tablename__ = "facts"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Counter(Base):
    """The last number given out of a series of receipt codes, e.g. `SK-26`."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]


class WebSession(Base):
    """A browser's cookie, kept as a hash, and the web-chat address it stands for."""

    __tablename__ = "web_sessions"
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(index=True)
    csrf: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class WebMessage(Base):
    """The web chat's own memory of a chat, as a platform keeps it; `mine` is what the person said."""

    __tablename__ = "web_messages"
    __table_args__ = (
        Index("ix_web_messages_address_id", "address", "id"),
        Index("ix_web_messages_address_change", "address", "change"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str]
    mine: Mapped[bool]
    payload: Mapped[dict[str, Any]]
    change: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime]
