"""Who a broadcast is for: one rule over units, groups and sectors, counted and planned by the same code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select

from db.models import (
    Account,
    Audience,
    Broadcast,
    Grant,
    Level,
    OutboxRow,
    OutState,
    Person,
    Reach,
    Shift,
    Unit,
    UnitPath,
)
from db.session import Session

CAPS = ((1, 1), (7, 3), (30, 10))
"""(days, messages): what a person gets at most that is not urgent, from all senders together (5-voice §5.4).

Days are those of the calendar, today included: an evening message does not stand in the way of the next day's.
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """The audience: a unit and what is below it (`whole`) or its own people; groups and sector narrow it, empty = all."""

    unit_id: int
    whole: bool = True
    groups: tuple[str, ...] = ()
    sector: str = ""
    officers: bool = False
    confirmed: bool = False

    def to_json(self) -> dict[str, Any]:
        """The form kept on a broadcast."""
        return {
            "unit": self.unit_id, "whole": self.whole, "groups": list(self.groups), "sector": self.sector,
            "officers": self.officers, "confirmed": self.confirmed,
        }  # fmt: skip


def from_json(data: dict[str, Any]) -> Rule:
    """The inverse of `Rule.to_json`."""
    return Rule(data["unit"], data["whole"], tuple(data["groups"]), data["sector"], data["officers"], data["confirmed"])


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in an audience, and why they get nothing ("" = they get it)."""

    person_id: int
    name: str
    unit_id: int | None
    unit: str
    audience: Audience | None
    shift: Shift
    account: Account | None
    reason: str


def _people(rule: Rule) -> Select[Person, str]:
    query = (
        select(Person, Unit.name)
        .join(Unit, Unit.id == Person.unit_id)
        .where(Person.erased_at.is_(None), Person.audience.is_not(None))
    )
    if rule.whole:
        query = query.join(UnitPath, UnitPath.descendant_id == Person.unit_id).where(
            UnitPath.ancestor_id == rule.unit_id
        )
    else:
        query = query.where(Person.unit_id == rule.unit_id)
    if rule.groups:
        query = query.where(Person.audience.in_([Audience(group) for group in rule.groups]))
    if rule.sector:
        above = (
            select(UnitPath.descendant_id).join(Unit, Unit.id == UnitPath.ancestor_id).where(Unit.sector == rule.sector)
        )
        query = query.where(Person.unit_id.in_(above))
    if rule.officers:
        held = select(Grant.person_id).where(Grant.revoked_at.is_(None), Grant.confirmed_at.is_not(None))
        query = query.where(Person.id.in_(held))
    return query


async def members(
    session: Session,
    rule: Rule,
    topic: str,
    *,
    caps_on: datetime | None,
    automatic: bool = False,
    after: int = 0,
    limit: int | None = None,
    only: Collection[int] | None = None,
) -> list[Member]:
    """The people of an audience by id, from after one of them on, each with the reason why not, if there is one.

    `caps_on` is the beginning of the day whose caps count, None where there are none. `only` replaces the rule by a list
    of people (a correction goes to exactly those reached).
    """
    if only is None:
        query = _people(rule)
    else:
        query = select(Person, Unit.name).outerjoin(Unit, Unit.id == Person.unit_id).where(Person.id.in_(list(only)))
        query = query.where(Person.erased_at.is_(None))
    query = query.where(Person.id > after).order_by(Person.id)
    if limit is not None:
        query = query.limit(limit)
    people = [(person, unit) for person, unit in await session.execute(query)]
    ids = [person.id for person, _ in people]
    accounts = await _accounts(session, ids)
    filled = await full(session, ids, caps_on, automatic=automatic) if caps_on is not None else set()
    return [
        Member(
            person.id,
            person.name,
            person.unit_id,
            unit or "",
            person.audience,
            person.shift,
            accounts.get(person.id),
            _reason(person, accounts.get(person.id), rule, topic, filled),
        )
        for person, unit in people
    ]


def _reason(person: Person, account: Account | None, rule: Rule, topic: str, filled: set[int]) -> str:
    if not person.processing:
        return "withdrawn"
    if rule.confirmed and not person.confirmed:
        return "unconfirmed"
    if not person.news or topic in person.muted_topics:
        return "muted"
    if account is None or account.reach == Reach.BLOCKED:
        return "blocked"
    return "capped" if person.id in filled else ""


async def _accounts(session: Session, ids: Sequence[int]) -> dict[int, Account]:
    """The chat of each person that was used last, those that can be reached first."""
    found: dict[int, Account] = {}
    for start in range(0, len(ids), 500):
        query = (
            select(Account)
            .where(Account.person_id.in_(ids[start : start + 500]))
            .order_by((Account.reach == Reach.OK).desc(), Account.seen_at.desc(), Account.id)
        )
        for account in (await session.execute(query)).scalars():
            if account.person_id is not None:
                found.setdefault(account.person_id, account)
    return found


async def full(session: Session, ids: Sequence[int], today: datetime, *, automatic: bool) -> set[int]:
    """Who has had as many non-urgent messages as a person should get; `today` is when the day begins.

    An anniversary gives way to what officers have to say and never takes its place (5-voice §5.4, priorities).
    """
    uncounted = ("urgent",) if automatic else ("urgent", "automatic")
    since = {days: today - timedelta(days=days - 1) for days, _ in CAPS}
    counts: dict[int, Counter[int]] = {days: Counter() for days in since}
    for start in range(0, len(ids), 500):
        query = (
            select(OutboxRow.person_id, OutboxRow.not_before)
            .join(Broadcast, Broadcast.id == OutboxRow.broadcast_id)
            .where(
                OutboxRow.person_id.in_(ids[start : start + 500]),
                OutboxRow.not_before >= min(since.values()),
                OutboxRow.state.in_((OutState.READY, OutState.SENDING, OutState.SENT, OutState.UNKNOWN, OutState.HELD)),
                Broadcast.kind.not_in(uncounted),
            )
        )
        for person_id, moment in await session.execute(query):
            for days, first in since.items():
                if person_id is not None and moment >= first:
                    counts[days][person_id] += 1
    return {person for days, most in CAPS for person, number in counts[days].items() if number >= most}


async def sectors(session: Session, unit_id: int) -> list[str]:
    """The sectors of the units below one."""
    query = (
        select(Unit.sector)
        .join(UnitPath, UnitPath.descendant_id == Unit.id)
        .where(UnitPath.ancestor_id == unit_id, Unit.sector != "")
        .distinct()
        .order_by(Unit.sector)
    )
    return list((await session.execute(query)).scalars())


async def is_top(session: Session, unit_id: int) -> bool:
    """Whether a unit is the whole federation."""
    unit = await session.get_one(Unit, unit_id)
    return unit.parent_id is None or unit.level == Level.PROVINCE


async def count_units(session: Session, found: Sequence[Member]) -> int:
    """How many units the people of an audience belong to."""
    return len({member.unit_id for member in found if not member.reason})


async def total_people(session: Session) -> int:
    """Everybody who joined."""
    query = select(func.count()).select_from(Person).where(Person.erased_at.is_(None))
    return (await session.execute(query)).scalar_one()
