"""Emulation registrations, what practising the law leaves behind, and what people say of its questions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, enum
from db.session import ONCE


class Registration(Base):
    """One person's emulation registration for one round of one year."""

    __tablename__ = "registrations"
    __table_args__ = (UniqueConstraint("person_id", "year", "round"), ONCE)
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
    __table_args__ = ONCE
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    question: Mapped[str]
    text: Mapped[str]
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(default="")


class Verdict(StrEnum):
    """APPROVED as right; RETURNED to its author, or VOID: then it is asked no more until its text changes."""

    APPROVED = "approved"
    RETURNED = "returned"
    VOID = "void"


class QuestionReview(Base):
    """What a named person said of a question. `text` marks the words it was said of: for others it means nothing.

    `named` is the reviewer's name as it is shown; `actor_id` is the person of the chat, 0 for the command line.
    """

    __tablename__ = "question_reviews"
    question: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(primary_key=True)
    verdict: Mapped[Verdict] = mapped_column(enum(Verdict))
    named: Mapped[str]
    actor_id: Mapped[int]
    at: Mapped[datetime]
    note: Mapped[str] = mapped_column(default="")
